"""The workbook under construction: its sheets, its look, and what the last pass has to add.

All cells are written through here, so that one place knows how a kind of value looks, that
text from outside stays text, and which value stands beside which formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell as NativeCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.report import Cell, Column, Kind, Report, Role, Section
from maxo_reports.render import Style
from maxo_reports.render.xlsx import widths
from maxo_reports.render.xlsx.colours import argb, table_styles
from maxo_reports.render.xlsx.package import Cached, Sheet
from maxo_reports.render.xlsx.rows import CLOCK_PLACES, DAY, EPOCH, LENGTH_PLACES
from maxo_reports.render.xlsx.texts import looks_like_formula, safe_text

A4 = 9

_DASH = '"\u2013"'
_WHOLE = {Kind.COUNT: "#,##0", Kind.DURATION: "[h]:mm:ss"}
_TEXTS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.ID})
_LEFT = _TEXTS | {Kind.MOMENT, Kind.DATE}


def number_format(kind: Kind, places: int, *, dashes: bool = False) -> str:
    """Return the number format of a kind; costs are written with ``places`` decimals.

    With ``dashes`` nought is a dash, so that a sparse table shows where there is something.
    """
    if kind is Kind.MONEY:
        figure = f'"$"#,##0.{"0" * places}'
        return f"{figure};[Red]\\-{figure}" + (f";{_DASH}" if dashes else "")
    if kind is Kind.CENTS:
        return number_format(Kind.MONEY, 2)
    if dashes and kind in _WHOLE:
        return f"{_WHOLE[kind]};\\-{_WHOLE[kind]};{_DASH}"
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
    """Return how a kind of value stands: words to the left, figures to the right.

    Not indented: LibreOffice forgets a cell's indent where the cell before it looks alike.
    """
    horizontal = "left" if kind in _LEFT else "right"
    return Alignment(horizontal=horizontal, vertical="center", wrap_text=wrap)


class Book:
    """A workbook being built from one report."""

    def __init__(self, report: Report, style: Style) -> None:
        self.report = report
        self.theme = style.theme
        self.passes: dict[int, Sheet] = {}
        self.tables: dict[str, str] = {}
        """The whole range of each streamed table, by its name."""
        self._looks: dict[tuple[Kind, Role, bool], Any] = {}
        self._native = Workbook()
        self._native.remove(self._native.worksheets[0])
        self._native.calculation.fullCalcOnLoad = True
        native: Any = self._native
        for look in table_styles(style.theme):
            native._differential_styles.add(look)  # noqa: SLF001 - there is no public way
        properties = self._native.properties
        properties.creator = style.program
        properties.title = safe_text(f"{report.definition.title}, {report.heading.account_name}")
        heading = report.heading
        properties.subject = f"{heading.period.first} to {heading.period.last}"
        properties.category = report.definition.name
        properties.version = f"{heading.revision}"
        properties.keywords = safe_text(f"{heading.account_id}, {heading.period.label}")
        properties.description = f"Revision {heading.revision}, {heading.state.word}. " + (
            report.filtered or "All calls of the period."
        )

    # ---- sheets -----------------------------------------------------------------------------

    def sheet(self, title: str) -> Worksheet:
        """Make a sheet with its print set-up: A4, one page wide, account and page in the foot."""
        sheet: Worksheet = self._native.create_sheet(title)
        self.passes[len(self._native.worksheets)] = Sheet()
        heading = self.report.heading
        sheet.sheet_view.showGridLines = False
        sheet.page_setup.paperSize = A4
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.sheet_properties.tabColor = argb(self.theme.brand)
        sheet.page_margins.left = sheet.page_margins.right = 0.5
        sheet.page_margins.top, sheet.page_margins.bottom = 0.5, 0.65
        foot = sheet.oddFooter
        assert foot is not None, "a new sheet has a foot"
        # An ampersand begins a command in a page's foot, so a real one is doubled.
        name = safe_text(heading.account_name)[:80].replace("&", "&&")
        foot.left.text = f"{name}, {heading.period.label}"
        notes = [heading.state.word.upper()] if heading.state.word == "provisional" else []
        notes += ["FILTERED"] if self.report.filtered else []
        foot.center.text = ", ".join([*notes, "Not a tax invoice"])
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

    def widths(self, sheet: Worksheet, columns: Sequence[Column], wanted: Sequence[int]) -> None:
        """Give each column the width that it needs, where no table above it has a wider one."""
        for place, (column, width) in enumerate(zip(columns, wanted, strict=True), 1):
            dimension = sheet.column_dimensions[get_column_letter(place)]
            known = dimension.width if dimension.customWidth else 0
            dimension.width = max(known, width)
            dimension.hidden = column.hidden

    def name(self, name: str, sheet: Worksheet, cell: NativeCell, formula: str = "{}") -> None:
        """Give a cell, or a formula of it, a name that other sheets and programs can use."""
        place = f"{quote_sheetname(sheet.title)}!${cell.column_letter}${cell.row}"
        self._native.defined_names[name] = DefinedName(name, attr_text=formula.format(place))

    def skeleton(self) -> bytes:
        """Return the package as openpyxl writes it, for the last pass."""
        target = BytesIO()
        self._native.save(target)
        return target.getvalue()

    # ---- cells ------------------------------------------------------------------------------

    def says(
        self,
        sheet: Worksheet,
        row: int,
        section: Section,
        across: int,
        *,
        or_nothing: bool = False,
    ) -> None:
        """Write the line below a title: whose calls, which period, how sure, and how filtered."""
        heading = self.report.heading
        parts = [f"{heading.account_name}, {heading.period.label}"]
        if heading.state.word == "provisional":
            parts.append("PROVISIONAL")
        if section.filtered:
            parts.append(section.filtered)
        if or_nothing:
            parts.append("No calls.")
        warned = self.theme.warning if section.filtered else self.theme.muted
        self.sentence(sheet, row, "  \u00b7  ".join(parts), across, size=10, colour=warned)

    def sentence(self, sheet: Worksheet, row: int, text: str, across: int, **look: Any) -> None:
        """Write words that may be longer than a cell, over as many columns of the sheet."""
        cell = self.at(sheet, row, 1)
        letters = [get_column_letter(place) for place in range(1, across + 1)]
        room = sum(
            int(sheet.column_dimensions[letter].width)
            for letter in letters
            if not sheet.column_dimensions[letter].hidden
        )
        count = widths.lines(text, room)
        self.words(cell, text, wrap=count > 1, **look)
        if count > 1 and across > 1:
            sheet.merge_cells(f"A{row}:{letters[-1]}{row}")
        if count > 1:
            sheet.row_dimensions[row].height = 14 * count + 1

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
        cell.fill = PatternFill("solid", fgColor=argb(self.theme.brand))
        cell.alignment = _aligned(column.kind, wrap=True)

    def value(
        self,
        cell: NativeCell,
        value: Cell,
        kind: Kind,
        role: Role = Role.ROW,
        *,
        dashes: bool = False,
    ) -> None:
        """Write one value in its kind's form."""
        self._dress(cell, kind, role, dashes=dashes)
        if isinstance(value, str):
            self._text(cell, value)
        elif value is not None:
            cell.value = figure(value, kind)

    def number(self, cell: NativeCell, number: Decimal | int, kind: Kind) -> None:
        """Write a figure that is in the sheet's own units already."""
        self._dress(cell, kind, Role.ROW)
        cell.value = number

    def formula(
        self,
        cell: NativeCell,
        formula: str,
        value: Cached,
        kind: Kind,
        role: Role = Role.ROW,
        *,
        dashes: bool = False,
    ) -> None:
        """Write a formula and, for the last pass, the value that it comes to."""
        self._dress(cell, kind, role, dashes=dashes)
        cell.value = f"={formula}"
        sheet = cell.parent
        assert isinstance(sheet, Worksheet), "cells of this book are in its sheets"
        self.pass_of(sheet).cached[cell.coordinate] = value

    def live(
        self,
        cell: NativeCell,
        formula: str | None,
        value: Cell,
        kind: Kind,
        role: Role = Role.ROW,
        *,
        dashes: bool = False,
    ) -> None:
        """Write a figure as a formula with its value, or as a plain value where there is none."""
        if formula is None:
            self.value(cell, value, kind, role, dashes=dashes)
        else:
            self.formula(cell, formula, figure(value, kind), kind, role, dashes=dashes)

    def _dress(self, cell: Any, kind: Kind, role: Role, *, dashes: bool = False) -> None:
        """Give a cell its kind's look; openpyxl takes long to compare looks, so each is made once.

        A look is openpyxl's own array of style numbers, which it has no public name for.
        """
        look = self._looks.get((kind, role, dashes))
        if look is None:
            self._make_look(cell, kind, role, dashes=dashes)
            self._looks[kind, role, dashes] = copy(cell._style)  # noqa: SLF001
        else:
            cell._style = copy(look)  # noqa: SLF001

    def _make_look(self, cell: NativeCell, kind: Kind, role: Role, *, dashes: bool) -> None:
        total = role is Role.TOTAL
        cell.number_format = number_format(kind, self.report.places, dashes=dashes)
        cell.font = self._font(bold=total)
        cell.alignment = _aligned(kind)
        line = Side("thin", color=argb(self.theme.line))
        if total:
            cell.fill = PatternFill("solid", fgColor=argb(self.theme.tint))
            above = Side("medium", color=argb(self.theme.brand))
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
            color=argb(colour or self.theme.ink),
        )
