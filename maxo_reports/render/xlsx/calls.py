"""The sheets that list the calls: native tables whose rows are streamed, not built."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table as NativeTable
from openpyxl.worksheet.table import TableStyleInfo

from maxo_reports.core.report import CALL_COLUMNS, Column, Kind, Section
from maxo_reports.render.xlsx.book import Book
from maxo_reports.render.xlsx.names import Page
from maxo_reports.render.xlsx.package import Stream
from maxo_reports.render.xlsx.rows import Deck, Rows

_HEAD, _PLAIN, _QUOTED = 1, 2, 3
_STYLE = "TableStyleLight1"
_TEXTS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.ID})


def fill(book: Book, section: Section, pages: Sequence[Page]) -> None:
    """Make the sheets of an itemised section, each with its part of the calls."""
    columns = tuple(CALL_COLUMNS[key] for key in section.spec.show)
    deck = Deck(book.report.calls.blocks())
    for page in pages:
        _sheet(book, page, columns, Rows(columns, deck, page.calls))


def _sheet(book: Book, page: Page, columns: tuple[Column, ...], rows: Rows) -> None:
    sheet = book.sheet(page.sheet, landscape=True)
    sheet.sheet_view.showGridLines = True
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    book.widths(sheet, columns)
    for place, column in enumerate(columns, 1):
        book.head(book.at(sheet, _HEAD, place), column)
        # Two prototype rows: plain, and for text that would become a formula when edited.
        for row in (_PLAIN, _QUOTED):
            quoted = row == _QUOTED and column.kind in _TEXTS
            book.value(book.at(sheet, row, place), "=" if quoted else None, column.kind)
    # A table must have a row, so that of a month without calls has an empty one.
    last = get_column_letter(len(columns))
    native = NativeTable(displayName=page.table, ref=f"A1:{last}{_PLAIN}")
    native.tableStyleInfo = TableStyleInfo(name=_STYLE, showRowStripes=True)
    sheet.add_table(native)
    whole = f"A1:{last}{max(page.calls, 1) + 1}"
    book.tables[page.table] = whole
    book.pass_of(sheet).stream = Stream(_PLAIN, _QUOTED, rows, whole)
