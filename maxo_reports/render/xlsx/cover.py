"""The summary: for whom, which period, how sure, the control totals, and the charts below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.facts import Fact, facts
from maxo_reports.core.report import Role, Section
from maxo_reports.render.xlsx.book import Book
from maxo_reports.render.xlsx.colours import argb
from maxo_reports.render.xlsx.formulas import Formulas

_WIDTH = 130
"""The width of the sheet in characters: a page of A4 across, at about its full size."""
_LEAST_COLUMNS = 4
_DAY_SECONDS = 86_400


class Cover(NamedTuple):
    """A summary that has been drawn: how many columns it has, and its first free row."""

    sheet: Worksheet
    columns: int
    free: int


def draw(book: Book, live: Formulas, section: Section) -> Cover:
    """Draw the summary and give its figures their names."""
    table, theme = section.table, book.theme
    assert table is not None, "only the itemised list has no table"
    sheet = book.sheet(section.spec.sheet)
    measures = table.columns[1:]
    across = max(len(measures), _LEAST_COLUMNS)
    for place in range(1, across + 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTH // across
    title = book.report.definition.title
    book.words(book.at(sheet, 1, 1), title, size=20, bold=True, colour=theme.brand)
    book.words(book.at(sheet, 2, 1), book.report.heading.account_name, size=14, bold=True)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 30, 22
    row = _facts(book, section, sheet, across) + 1
    (totals,) = table.rows
    for place, (column, value) in enumerate(zip(measures, totals.cells[1:], strict=True), 1):
        book.head(book.at(sheet, row, place), column)
        cell = book.at(sheet, row + 1, place)
        book.live(cell, live.total(column.key), value, column.kind, Role.TOTAL)
        cell.font = Font(name=theme.workbook_font, size=16, bold=True, color=argb(theme.ink))
        sheet.column_dimensions[cell.column_letter].hidden = column.hidden
        if column.key == "seconds":
            # The cell holds a length of time, which is days and parts of a day.
            book.name("maxo_duration", sheet, cell)
            book.name("maxo_seconds", sheet, cell, f"ROUND({{}}*{_DAY_SECONDS},0)")
        else:
            book.name(f"maxo_{column.key}", sheet, cell)
    sheet.row_dimensions[row].height, sheet.row_dimensions[row + 1].height = 20, 30
    return Cover(sheet, across, row + 3)


def _facts(book: Book, section: Section, sheet: Worksheet, across: int) -> int:
    """Write the facts, a line each, and return the row below them."""
    theme = book.theme
    row = 3
    if section.filtered:
        book.sentence(sheet, row, section.filtered, across, bold=True, colour=theme.warning)
        row += 1
    for fact in _said(book):
        book.words(book.at(sheet, row, 1), fact.label, size=10, colour=theme.muted)
        colour = theme.warning if fact.warns else None
        book.words(book.at(sheet, row, 2), fact.words, size=10, bold=fact.warns, colour=colour)
        if fact.key:
            book.name(f"maxo_{fact.key}", sheet, book.at(sheet, row, 2))
        row += 1
    return row


def _said(book: Book) -> Sequence[Fact]:
    """Return the facts, and what else has to be said; that has no name of its own."""
    report = book.report
    said = [*facts(report.heading), Fact("", "", "This is not a tax invoice.")]
    if not len(report.calls):
        none = "No calls match the filter." if report.filtered else "No calls in this period."
        said.append(Fact("", "Calls", none, warns=True))
    return said
