"""The head of a letter as templates see it: who sends it, to whom, and where that stands.

Places are millimetres from the edges of the type area; a recipient stands where the window of a
DL envelope shows it.
"""

from __future__ import annotations

from collections.abc import Callable

from maxo_reports.core.brand import EnvelopeWindow, spaced_abn
from maxo_reports.core.report import Heading

LOGO = "brand:logo"
"""The address under which a template finds the sender's logo, and nothing else."""
MARGIN_TOP, MARGIN_LEFT = 16, 18
"""The margins of a sheet, in millimetres."""
Shown = Callable[[str], str]


def view(heading: Heading, shown: Shown) -> dict[str, object]:
    """Return the sender, the recipient and the sheet as plain values."""
    brand, recipient = heading.brand, heading.recipient
    return {
        "brand": {
            "name": shown(brand.name),
            "address": [shown(line) for line in brand.address],
            "abn": spaced_abn(brand.abn) if brand.abn else "",
            "phone": shown(brand.phone),
            "email": shown(brand.email),
            "web": shown(brand.web),
            "logo": LOGO if brand.logo is not None else "",
        },
        "recipient": {
            "name": shown(recipient.name if recipient else heading.account_name),
            "address": [shown(line) for line in (recipient.address if recipient else ())],
        },
        "sheet": _sheet(brand.window),
    }


def _sheet(window: EnvelopeWindow) -> dict[str, int]:
    top = window.sheet_top - MARGIN_TOP
    return {
        "margin_top": MARGIN_TOP,
        "margin_left": MARGIN_LEFT,
        "left": window.sheet_left - MARGIN_LEFT,
        "top": top,
        "width": window.sheet_width,
        "height": window.sheet_height,
        "below": window.sheet_end - MARGIN_TOP,
    }
