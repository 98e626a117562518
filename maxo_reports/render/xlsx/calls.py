"""The sheets that list the calls: native tables whose rows are streamed, not built."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table as NativeTable
from openpyxl.worksheet.table import TableStyleInfo

from maxo_reports.core.money import dollars
from maxo_reports.core.report import CALL_COLUMNS, CallLine, Column, Kind, Section
from maxo_reports.render.xlsx.book import DAY, EPOCH, Book, looks_like_formula, safe_text

ROWS_A_SHEET = 1_048_575
"""A sheet's 1,048,576 rows, less its heading."""
_BATCH = 2_000
_HEAD, _PLAIN, _QUOTED = 1, 2, 3
_STYLE = "TableStyleLight1"
_LIKE_A_CELL = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*|C[0-9]*|R[0-9]*C[0-9]*", re.IGNORECASE)
"""What no table can be named: Excel would offer to repair a workbook with a table OCT2026."""


def names(calls: int, sheet: str) -> list[tuple[str, str]]:
    """Return the sheets, and the tables on them, that a number of calls takes."""
    count = max(1, -(-calls // ROWS_A_SHEET))
    table = "".join(c if c.isascii() and c.isalnum() else "_" for c in sheet)
    if not table[:1].isalpha() or _LIKE_A_CELL.fullmatch(table):
        table = f"T_{table}"
    more = range(2, count + 1)
    return [(sheet, table), *((f"{sheet} {n}", f"{table}_{n}") for n in more)]


def fill(book: Book, section: Section) -> None:
    """Make the sheets of an itemised section, each with its part of the calls."""
    columns = tuple(CALL_COLUMNS[key] for key in section.spec.show)
    calls = book.report.calls
    lines = calls.lines()
    left = len(calls)
    for title, name in names(left, section.spec.sheet):
        table = name
        while table.casefold() in {known.casefold() for known in book.tables}:
            table += "_"  # of another list, whose sheet is named nearly alike
        rows = min(left, ROWS_A_SHEET)
        _sheet(book, title, table, columns, _Rows(columns, lines, rows))
        left -= rows


def _sheet(book: Book, title: str, table: str, columns: tuple[Column, ...], rows: _Rows) -> None:
    sheet = book.sheet(title, landscape=True)
    sheet.sheet_view.showGridLines = True
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    book.widths(sheet, columns)
    for place, column in enumerate(columns, 1):
        book.head(book.at(sheet, _HEAD, place), column)
        # Two prototype rows: plain, and for text that would become a formula when edited.
        for row in (_PLAIN, _QUOTED):
            cell = book.at(sheet, row, place)
            book.value(cell, "=" if row == _QUOTED and _is_text(column) else None, column.kind)
    # A table must have a row, so that of a month without calls has an empty one.
    last = get_column_letter(len(columns))
    native = NativeTable(displayName=table, ref=f"A1:{last}2")
    native.tableStyleInfo = TableStyleInfo(name=_STYLE, showRowStripes=True)
    sheet.add_table(native)
    whole = f"A1:{last}{max(rows.count, 1) + 1}"
    book.tables[table] = whole
    last_pass = book.pass_of(sheet)
    last_pass.extent = whole
    last_pass.prototypes = (_PLAIN, _QUOTED)
    last_pass.rows = rows
    last_pass.row_count = rows.count
    for place, column in enumerate(columns, 1):
        if _is_text(column):
            letter = get_column_letter(place)
            last_pass.text_ranges.append(f"{letter}2:{letter}{max(rows.count, 1) + 1}")


def _is_text(column: Column) -> bool:
    return column.kind in {Kind.TEXT, Kind.NUMBER, Kind.ID}


class _Rows:
    """Turns the next ``count`` calls into rows, from row 2 on.

    A cell is its address and a *tail* that depends on the value alone; the tails of values
    that come again and again (categories, numbers, costs, durations) are made once.
    """

    def __init__(self, columns: tuple[Column, ...], lines: Iterator[CallLine], count: int) -> None:
        self._columns = columns
        self._lines = lines
        self.count = count

    def xml(self, styles: Mapping[int, tuple[int, ...]]) -> Iterator[bytes]:
        """Yield the rows in batches."""
        plain, quoted = styles[_PLAIN], styles[_QUOTED]
        makers = [
            _maker(column, plain[place], quoted[place])
            for place, column in enumerate(self._columns)
        ]
        places = [CallLine._fields.index(column.key) for column in self._columns]
        letters = [get_column_letter(place) for place in range(1, len(places) + 1)]
        cells = list(zip(letters, places, makers, strict=True))
        number = 1
        lines = islice(self._lines, self.count)
        while batch := list(islice(lines, _BATCH)):
            rows = []
            for line in batch:
                number += 1
                row = "".join(
                    [
                        f'<c r="{letter}{number}"{make(line[place])}'
                        for letter, place, make in cells
                    ]
                )
                rows.append(f'<row r="{number}">{row}</row>')
            yield "".join(rows).encode()


Maker = Callable[..., str]


def _maker(column: Column, plain: int, quoted: int) -> Maker:
    """Return the function that makes a cell's tail from a call's value in this column."""
    empty = f' s="{plain}"/>'

    def text(value: str) -> str:
        style = quoted if looks_like_formula(value) else plain
        shown = escape(safe_text(value))
        space = ' xml:space="preserve"' if shown != shown.strip() else ""
        return f' s="{style}" t="inlineStr"><is><t{space}>{shown}</t></is></c>'

    def moment(local: int) -> str:
        return f' s="{plain}"><v>{EPOCH + local / DAY:.9f}</v></c>'

    def duration(seconds: int | None) -> str:
        return empty if seconds is None else f' s="{plain}"><v>{seconds / DAY:.9f}</v></c>'

    def cost(micros: int | None) -> str:
        return empty if micros is None else f' s="{plain}"><v>{dollars(micros):f}</v></c>'

    if column.kind is Kind.MOMENT:
        return moment
    if column.kind is Kind.ID:
        return text
    makers: Mapping[Kind, Maker] = {Kind.DURATION: duration, Kind.MONEY: cost}
    return _Tails(makers.get(column.kind, text)).of


class _Tails(dict[object, str]):
    """Remembers the tails of values; forgets them all when there are too many to be worth it."""

    _MOST = 200_000

    def __init__(self, make: Maker) -> None:
        super().__init__()
        self._make = make
        self.of = self.__getitem__

    def __missing__(self, value: object) -> str:
        if len(self) >= self._MOST:
            self.clear()
        tail = self[value] = self._make(value)
        return tail
