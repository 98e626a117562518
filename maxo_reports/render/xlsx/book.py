"""The workbook under construction: its sheets, its look, and what the last pass has to add.

All cells are written through here, so that one place knows how a kind of value looks, that
text from outside stays text, and which value stands beside which formula.
"""

from __future__ import annotations

from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell as NativeCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.report import Cell, Column, Kind, Report, Role
from maxo_reports.render import Style
from maxo_reports.render.xlsx.package import Cached, Sheet
from maxo_reports.render.xlsx.rows import CLOCK_PLACES, DAY, EPOCH, LENGTH_PLACES
from maxo_reports.render.xlsx.texts import looks_like_formula, safe_text

A4 = 9

_WIDTHS = {
    Kind.TEXT: 30,
    Kind.NUMBER: 19,
    Kind.ID: 14,
    Kind.COUNT: 12,
    Kind.DURATION: 13,
    Kind.MONEY: 15,
    Kind.MOMENT: 21,
    Kind.DATE: 19,
}
_FITTED = {
    "direction": 12,
    "status": 16,
    "severity": 11,
    "code": 24,
    "message": 60,
    "check": 46,
    "expected": 46,
    "found": 46,
    "result": 10,
    "reply": 68,
    "change": 16,
}
"""Columns of text that are shorter or longer than most."""
_TEXTS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.ID})
_LEFT = _TEXTS | {Kind.MOMENT, Kind.DATE}


def number_format(kind: Kind, places: int) -> str:
    """Return the number format of a kind; costs are written with ``places`` decimals."""
    if kind is Kind.MONEY:
        figure = f'"$"#,##0.{"0" * places}'
        return f"{figure};[Red]\\-{figure}"
    return {
        Kind.COUNT: "#,##0",
        Kind.DURATION: "[h]:mm:ss",
        Kind.MOMENT: "dd mmm yyyy hh:mm:ss",
        Kind.DATE: "ddd dd mmm yyyy",
    }.get(kind, "@")


def figure(value: Cell, kind: Kind) -> Decimal | int:
    """Return the number that a cell holds: dollars, a count, or days and parts of a day."""
    if kind is Kind.DURATION and isinstance(value, int):
        return _days(value, LENGTH_PLACES)
    if kind is Kind.DATE and isinstance(value, date):
        return EPOCH + (value - date(1970, 1, 1)).days
    if kind is Kind.MOMENT and isinstance(value, datetime):
        since = value.replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001 - a local clock
        return EPOCH + _days(since // timedelta(seconds=1), CLOCK_PLACES)
    assert isinstance(value, (int, Decimal)), "only figures are numbers"
    return value


def _days(seconds: int, places: int) -> Decimal:
    return (Decimal(seconds) / DAY).quantize(Decimal(1).scaleb(-places))


def _aligned(kind: Kind, *, wrap: bool = False) -> Alignment:
    """Return how a kind of value stands: words to the left, figures to the right with some air."""
    right = kind not in _LEFT
    return Alignment(
        horizontal="right" if right else "left",
        vertical="center",
        indent=1 if right else 0,
        wrap_text=wrap,
    )


class Book:
    """A workbook being built from one report."""

    def __init__(self, report: Report, style: Style) -> None:
        self.report = report
        self.theme = style.theme
        self.passes: dict[int, Sheet] = {}
        self.tables: dict[str, str] = {}
        """The whole range of each streamed table, by its name."""
        self._looks: dict[tuple[Kind, Role], Any] = {}
        self._native = Workbook()
        self._native.remove(self._native.worksheets[0])
        self._native.calculation.fullCalcOnLoad = True
        properties = self._native.properties
        properties.creator = style.program
        properties.title = safe_text(f"{report.definition.title}, {report.heading.account_name}")
        properties.subject = f"{report.heading.period.first} to {report.heading.period.last}"

    # ---- sheets -----------------------------------------------------------------------------

    def sheet(self, title: str, *, landscape: bool = False) -> Worksheet:
        """Make a sheet with its print set-up: A4, one page wide, account and page in the foot."""
        sheet: Worksheet = self._native.create_sheet(title)
        self.passes[len(self._native.worksheets)] = Sheet()
        heading = self.report.heading
        sheet.sheet_view.showGridLines = False
        sheet.page_setup.paperSize = A4
        sheet.page_setup.orientation = "landscape" if landscape else "portrait"
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.sheet_properties.tabColor = self._colour(self.theme.brand)
        sheet.page_margins.left = sheet.page_margins.right = 0.5
        sheet.page_margins.top, sheet.page_margins.bottom = 0.6, 0.7
        foot = sheet.oddFooter
        assert foot is not None, "a new sheet has a foot"
        # An ampersand begins a command in a page's foot, so a real one is doubled.
        name = safe_text(heading.account_name)[:80].replace("&", "&&")
        foot.left.text = f"{name}, {heading.period.label}"
        foot.center.text = "Not a tax invoice"
        foot.right.text = "Page &P of &N"
        for part in (foot.left, foot.center, foot.right):
            part.size = 8
        return sheet

    def has(self, title: str) -> Worksheet | None:
        """Return a sheet that is there already."""
        found = self._native[title] if title in self._native.sheetnames else None
        assert found is None or isinstance(found, Worksheet), "this book has no chart sheets"
        return found

    @staticmethod
    def at(sheet: Worksheet, row: int, column: int) -> NativeCell:
        """Return the cell in a row and column, both counted from 1."""
        cell = sheet.cell(row, column)
        assert isinstance(cell, NativeCell), "this book merges no cells"
        return cell

    def pass_of(self, sheet: Worksheet) -> Sheet:
        """Return what the last pass is to do to a sheet."""
        return self.passes[self._native.sheetnames.index(sheet.title) + 1]

    @staticmethod
    def width(column: Column) -> int:
        """Return the width, in characters, that fits a column and its heading's filter arrow."""
        return max(_FITTED.get(column.key, _WIDTHS[column.kind]), len(column.label) + 5)

    def widths(self, sheet: Worksheet, columns: tuple[Column, ...]) -> None:
        """Give each column its width."""
        for place, column in enumerate(columns, 1):
            sheet.column_dimensions[get_column_letter(place)].width = self.width(column)

    def widen(self, sheet: Worksheet, columns: tuple[Column, ...]) -> None:
        """Make room for a second table: columns get wider where it needs them to."""
        for place, column in enumerate(columns, 1):
            dimension = sheet.column_dimensions[get_column_letter(place)]
            known = dimension.width if dimension.customWidth else 0
            dimension.width = max(known, self.width(column))

    def skeleton(self) -> bytes:
        """Return the package as openpyxl writes it, for the last pass."""
        target = BytesIO()
        self._native.save(target)
        return target.getvalue()

    # ---- cells ------------------------------------------------------------------------------

    def words(
        self,
        cell: NativeCell,
        text: str,
        *,
        size: int = 11,
        bold: bool = False,
        colour: str | None = None,
        wrap: bool = False,
    ) -> None:
        """Write words that are no table's: a title, a label, a note."""
        self._text(cell, text)
        cell.font = self._font(size=size, bold=bold, colour=colour or self.theme.ink)
        cell.alignment = Alignment(vertical="top" if wrap else "center", wrap_text=wrap)

    def head(self, cell: NativeCell, column: Column) -> None:
        """Write a column's heading."""
        self._text(cell, column.label)
        cell.font = self._font(bold=True, colour=self.theme.on_brand)
        cell.fill = PatternFill("solid", fgColor=self._colour(self.theme.brand))
        cell.alignment = _aligned(column.kind, wrap=True)

    def value(self, cell: NativeCell, value: Cell, kind: Kind, role: Role = Role.ROW) -> None:
        """Write one value in its kind's form."""
        self._dress(cell, kind, role)
        if isinstance(value, str):
            self._text(cell, value)
        elif value is not None:
            cell.value = figure(value, kind)

    def number(self, cell: NativeCell, number: Decimal | int, kind: Kind) -> None:
        """Write a figure that is in the sheet's own units already."""
        self._dress(cell, kind, Role.ROW)
        cell.value = number

    def formula(
        self, cell: NativeCell, formula: str, value: Cached, kind: Kind, role: Role = Role.ROW
    ) -> None:
        """Write a formula and, for the last pass, the value that it comes to."""
        self._dress(cell, kind, role)
        cell.value = f"={formula}"
        sheet = cell.parent
        assert isinstance(sheet, Worksheet), "cells of this book are in its sheets"
        self.pass_of(sheet).cached[cell.coordinate] = value

    def _dress(self, cell: Any, kind: Kind, role: Role) -> None:
        """Give a cell its kind's look; openpyxl takes long to compare looks, so each is made once.

        A look is openpyxl's own array of style numbers, which it has no public name for.
        """
        look = self._looks.get((kind, role))
        if look is None:
            self._make_look(cell, kind, role)
            self._looks[kind, role] = copy(cell._style)  # noqa: SLF001
        else:
            cell._style = copy(look)  # noqa: SLF001

    def _make_look(self, cell: NativeCell, kind: Kind, role: Role) -> None:
        total = role is Role.TOTAL
        cell.number_format = number_format(kind, self.report.places)
        cell.font = self._font(bold=total)
        cell.alignment = _aligned(kind)
        line = Side("thin", color=self._colour(self.theme.line))
        if total:
            cell.fill = PatternFill("solid", fgColor=self._colour(self.theme.tint))
            above = Side("medium", color=self._colour(self.theme.brand))
            cell.border = Border(top=above, bottom=line)
        else:
            cell.border = Border(bottom=line)

    def _text(self, cell: NativeCell, text: str) -> None:
        """Write text as text, whatever it looks like."""
        cell.value = safe_text(text)
        cell.data_type = "s"
        if looks_like_formula(text):
            cell.quotePrefix = True

    def _font(self, *, size: int = 10, bold: bool = False, colour: str | None = None) -> Font:
        # A font without name and size is drawn in whatever the program likes.
        return Font(
            name=self.theme.workbook_font,
            size=size,
            bold=bold,
            color=self._colour(colour or self.theme.ink),
        )

    @staticmethod
    def _colour(text: str) -> str:
        return f"FF{text[1:].upper()}"
