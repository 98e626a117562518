"""The sheets that list the calls: native tables whose rows are streamed, not built.

A list of all calls begins in the first cell, so that other programs find it. One that is
filtered, or of a single number, has a block above it that says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table as NativeTable
from openpyxl.worksheet.table import TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.ledger import Totals
from maxo_reports.core.report import Column, Kind, Role, Section
from maxo_reports.render.xlsx import looks, widths
from maxo_reports.render.xlsx.book import Book, figure
from maxo_reports.render.xlsx.colours import TABLE_STYLE
from maxo_reports.render.xlsx.formulas import shown_sum
from maxo_reports.render.xlsx.names import Page
from maxo_reports.render.xlsx.package import Stream
from maxo_reports.render.xlsx.rows import Deck, Rows

BELOW_BLOCK = 4
"""The row of the headings below a block that says what is listed."""
_TEXTS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.ID})
_SUMMED = ("seconds", "cost")


def fill(book: Book, section: Section, pages: Sequence[Page]) -> None:
    """Make the sheets of an itemised section, each with its part of the calls."""
    columns = section.spec.call_columns
    calls, totals = book.report.calls_of(section), book.report.totals_of(section)
    deck = Deck(calls.blocks())
    wanted = widths.of_calls(columns, calls.longest(), book.report.places, totals.cost)
    for page in pages:
        sheet = book.sheet(page.sheet)
        sheet.sheet_view.showGridLines = False
        book.widths(sheet, columns, wanted)
        head = 1
        if page.part is not None or section.filtered:
            head = BELOW_BLOCK
            own = page.part.totals if page.part is not None else totals
            _block(book, section, page, sheet, own if page.whole else None)
        _list(book, page, sheet, columns, Rows(columns, deck, page.calls, head + 1), head)


def _block(
    book: Book, section: Section, page: Page, sheet: Worksheet, totals: Totals | None
) -> None:
    """Say whose calls are listed and which, with their sums where all are on the sheet."""
    title = page.part.title if page.part is not None else section.spec.title
    book.words(book.at(sheet, 1, 1), title, size=16, bold=True, colour=book.theme.brand)
    sheet.row_dimensions[1].height = 26
    book.says(sheet, 2, section, len(section.spec.show), or_nothing=not page.calls)
    if page.part is not None:
        book.words(book.at(sheet, 3, 1), f"Back to {section.spec.sheet}", size=10)
        looks.link(book, sheet, 3, 1, section.spec.sheet)
    summed = [at for at, column in enumerate(section.spec.call_columns) if column.key in _SUMMED]
    if totals is None or not summed or not summed[0]:
        return
    book.value(book.at(sheet, 3, summed[0]), "Rows shown", Kind.TEXT, Role.TOTAL)
    for at in summed:
        column = section.spec.call_columns[at]
        value = figure(getattr(totals, column.key), column.kind)
        formula = shown_sum(page.table, column)
        book.formula(book.at(sheet, 3, at + 1), formula, value, column.kind, Role.TOTAL)


def _list(
    book: Book,
    page: Page,
    sheet: Worksheet,
    columns: tuple[Column, ...],
    rows: Rows,
    head: int,
) -> None:
    plain, quoted = head + 1, head + 2
    sheet.freeze_panes = f"A{plain}"
    sheet.print_title_rows = f"1:{head}"
    for place, column in enumerate(columns, 1):
        book.head(book.at(sheet, head, place), column)
        # Two prototype rows: plain, and for text that would become a formula when edited.
        for row in (plain, quoted):
            is_quoted = row == quoted and column.kind in _TEXTS
            book.value(book.at(sheet, row, place), "=" if is_quoted else None, column.kind)
    # A table must have a row, so that of a month without calls has an empty one.
    last = get_column_letter(len(columns))
    native = NativeTable(displayName=page.table, ref=f"A{head}:{last}{plain}")
    native.tableStyleInfo = TableStyleInfo(name=TABLE_STYLE, showRowStripes=True)
    sheet.add_table(native)
    end = max(page.calls, 1) + head
    book.tables[page.table] = f"A{head}:{last}{end}"
    looks.bands(book, sheet, f"A{plain}:{last}{end}", plain)
    book.pass_of(sheet).stream = Stream(plain, quoted, rows, f"A1:{last}{end}")
