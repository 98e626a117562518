"""Texts as a workbook holds them: shown whole, read as text, and kept once.

What stands in a call record is for callers to choose, so every text goes through here. None is
read as a formula, as an escape of Excel's own or as markup, and none holds what nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from maxo_reports.core.cdr import LONGEST_TEXT
from maxo_reports.core.text import visible

_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_PIECE = 5_000


def safe_text(text: str) -> str:
    """Return text as a cell can hold it: nothing unseen, not too long, no hidden escape.

    Excel reads ``_x0041_`` inside a text as the letter A; writing the first underscore as
    ``_x005F_`` keeps it as it is.
    """
    return _ESCAPED.sub("_x005F_", visible(text, LONGEST_TEXT))


def looks_like_formula(text: str) -> bool:
    """Tell whether editing the cell would turn the text into a formula."""
    return text[:1] in {"=", "+", "-", "@"}


def element(text: str) -> str:
    """Return the ``<t>`` element of a text; spaces at its ends are kept."""
    shown = escape(safe_text(text))
    space = ' xml:space="preserve"' if shown != shown.strip() else ""
    return f"<t{space}>{shown}</t>"


class Shared:
    """The workbook's shared texts: each stands in a part of its own, and cells give its number.

    Only short ones are shared, and only so many: the rest stand in their cells, so that texts
    that never come again take no memory.
    """

    MOST = 100_000
    LONGEST = 255

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int | None:
        """Return a text's number, or None where it is to stand in its cell."""
        known = self._numbers.get(text)
        if known is None and len(self._numbers) < self.MOST and len(text) <= self.LONGEST:
            known = self._numbers[text] = len(self._numbers)
        return known

    def xml(self) -> Iterator[bytes]:
        """Yield the part that holds the texts, in the order of their numbers."""
        yield (
            b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
            b' uniqueCount="%d">' % len(self._numbers)
        )
        texts = list(self._numbers)
        for at in range(0, len(texts), _PIECE):
            inside = "".join(f"<si>{element(text)}</si>" for text in texts[at : at + _PIECE])
            yield inside.encode()
        yield b"</sst>"
