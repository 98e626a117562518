"""The theme's colours as a workbook writes them, and the one look of its native tables."""

from __future__ import annotations

from openpyxl.styles import Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle

from maxo_reports.core.theme import Theme

TABLE_STYLE = "Maxo"


def table_styles(theme: Theme) -> tuple[DifferentialStyle, DifferentialStyle]:
    """Return the looks of a native table's heading and of every other row."""
    head = DifferentialStyle(
        font=Font(bold=True, color=argb(theme.on_brand)),
        fill=PatternFill(bgColor=argb(theme.brand)),
    )
    return head, DifferentialStyle(fill=PatternFill(bgColor=argb(theme.tint)))


def argb(colour: str) -> str:
    """Return a theme's colour as a workbook writes it."""
    return f"FF{colour[1:].upper()}"


def mixed(colour: str, paper: str, share: int) -> str:
    """Return ``share`` percent of a colour on paper."""
    parts = (
        (int(colour[at : at + 2], 16) * share + int(paper[at : at + 2], 16) * (100 - share)) // 100
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)
