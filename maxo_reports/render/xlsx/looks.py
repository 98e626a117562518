"""What makes a sheet easy to read: bands, bars, heat and links, in the theme's own colours.

All are conditional formats, which every spreadsheet program draws and which follow the rows when
they are sorted. A table's native stripes (``colours.table_style``) have the same colour.
"""

from __future__ import annotations

from openpyxl.formatting.rule import ColorScaleRule, DataBarRule, FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import quote_sheetname
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.render.xlsx.book import Book
from maxo_reports.render.xlsx.colours import argb, mixed

_BAR_SHARE, _HEAT_SHARE = 35, 45
"""How much of the brand's colour, in percent, is in a bar and in the hottest cell: the ink of the
figures has to stay readable on both."""


def bands(book: Book, sheet: Worksheet, place: str, first: int) -> None:
    """Tint every other row of a range whose first row is ``first``, that one included.

    No cell may have another conditional format besides: LibreOffice draws one of them only.
    """
    fill = PatternFill("solid", bgColor=argb(book.theme.tint))
    rule = FormulaRule(formula=[f"MOD(ROW()-{first},2)=0"], fill=fill)  # type: ignore[no-untyped-call]
    sheet.conditional_formatting.add(place, rule)


def bars(book: Book, sheet: Worksheet, place: str) -> None:
    """Draw a bar behind each figure, as long as it is high; nought and credits have none."""
    rule = DataBarRule(  # type: ignore[no-untyped-call]
        start_type="num",
        start_value=0,
        end_type="max",
        color=argb(mixed(book.theme.brand, book.theme.paper, _BAR_SHARE)),
        minLength=0,
        maxLength=90,
    )
    sheet.conditional_formatting.add(place, rule)


def heat(book: Book, sheet: Worksheet, place: str) -> None:
    """Colour a block of figures from paper to the brand's colour, the highest the strongest."""
    theme = book.theme
    rule = ColorScaleRule(  # type: ignore[no-untyped-call]
        start_type="num",
        start_value=0,
        start_color=argb(theme.paper),
        end_type="max",
        end_color=argb(mixed(theme.brand, theme.paper, _HEAT_SHARE)),
    )
    sheet.conditional_formatting.add(place, rule)


def link(book: Book, sheet: Worksheet, row: int, column: int, to: str) -> None:
    """Let a cell that has its text lead to another sheet of the book."""
    cell = book.at(sheet, row, column)
    cell.hyperlink = Hyperlink(
        ref=cell.coordinate, location=f"{quote_sheetname(to)}!A1", tooltip=f"To {to}"
    )
    cell.font = Font(
        name=book.theme.workbook_font, size=10, underline="single", color=argb(book.theme.brand)
    )
