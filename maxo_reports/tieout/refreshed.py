"""Reads a refreshed workbook back: the user's own, where only tables and single cells are ours.

The tables are found by the reader itself, in the parts that name them, so that a table whose
range was not led on, or whose rows stand elsewhere, is a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineWorkbook

from maxo_reports.core.report import CallLine, Calls, Cell, Column, Kind
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.cells import Memo, compare_column, expected_cell, seen_cell
from maxo_reports.tieout.compared import Differences, Tied

READER = "calamine"
_BATCH = 10_000
_DATES = frozenset({Kind.DATE, Kind.MOMENT})
_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 - local


class Listed(NamedTuple):
    """A table that was filled: its place, and what each of our columns (from 1) holds.

    ``rows`` are the calls, or the cells of each row by the columns' order in ``keys``.
    """

    name: str
    sheet: str
    top: int
    left: int
    right: int
    columns: Mapping[int, Column]
    rows: Calls | Sequence[Sequence[Cell]]
    keys: Sequence[str]


class Single(NamedTuple):
    """A cell that a name points to, and what it should hold."""

    name: str
    sheet: str
    row: int
    column: int
    value: Cell
    kind: Kind


class ReadBack(NamedTuple):
    """What agreed, and which dates the workbook shows as plain numbers for want of a format."""

    tied: Tied
    unformatted: tuple[str, ...]


def read_back(
    path: Path,
    name: str,
    tables: Sequence[Listed],
    singles: Sequence[Single],
    *,
    starts_1904: bool,
) -> ReadBack:
    """Compare every row of the filled tables, and every named cell, with the report.

    The file is a draft; ``name`` is what its user knows it by.
    """
    found = Differences(Path(name))
    try:
        book = CalamineWorkbook.from_path(str(path), load_tables=True)
        reading = _Reading(book, found, _EPOCHS[starts_1904])
        calls = sum(reading.table(table) for table in tables)
        for sheet in dict.fromkeys(single.sheet for single in singles):
            reading.singles(sheet, [single for single in singles if single.sheet == sheet])
    except (CalamineError, OSError) as problem:
        raise TieOutError(f"{name} cannot be read by another program: {problem}") from None
    return ReadBack(found.tied(READER, calls), tuple(reading.unformatted))


class _Reading:
    def __init__(self, book: CalamineWorkbook, found: Differences, epoch: datetime) -> None:
        self._book, self._found, self._epoch = book, found, epoch
        self.unformatted: dict[str, None] = {}

    def table(self, table: Listed) -> int:
        """Compare one table; return how many calls it lists."""
        count = len(table.rows)
        bottom = table.top + max(count, 1) - 1
        where = f"table {table.name!r}"
        if table.name not in (self._book.table_names or ()):
            self._found.add(f"{where} is not there")
            return 0
        native = self._book.get_table_by_name(table.name)
        self._found.compare(f"{where}, its sheet", native.sheet, table.sheet)
        place = (table.top - 1, table.left - 1), (bottom - 1, table.right - 1)
        self._found.compare(f"{where}, its rows and columns", (native.start, native.end), place)
        rows = iter(native.to_python())
        if not count:
            for row in rows:
                empty = [row[place - table.left] for place in table.columns]
                self._found.compare(f"{where}, its only row", empty, [""] * len(empty))
        elif isinstance(table.rows, Sequence):
            self._grouped(table, table.rows, rows)
        else:
            self._calls(table, table.rows, rows)
            return count
        return 0

    def _calls(self, table: Listed, calls: Calls, rows: Iterator[list[Any]]) -> None:
        forms = {place: Memo(column.kind) for place, column in table.columns.items()}
        lines = calls.lines()
        first = table.top
        while batch := list(islice(lines, _BATCH)):
            seen = list(islice(rows, len(batch)))
            if len(seen) < len(batch):
                self._found.add(f"table {table.name!r} ends before the calls do")
                return
            for place, column in table.columns.items():
                field = CallLine._fields.index(column.key)
                compare_column(
                    f"sheet {table.sheet!r} cell {get_column_letter(place)}",
                    first,
                    [row[place - table.left] for row in seen],
                    [line[field] for line in batch],
                    forms[place],
                    self._found,
                    lambda cell, kind, label=column.label: self._read(  # type: ignore[misc]
                        cell, kind, f"{table.name}, {label}"
                    ),
                )
            first += len(batch)
            if self._found.enough:
                return

    def _grouped(
        self, table: Listed, expected: Sequence[Sequence[Cell]], rows: Iterator[list[Any]]
    ) -> None:
        for number, (row, seen) in enumerate(zip(expected, rows, strict=False), table.top):
            for place, column in table.columns.items():
                value = self._read(
                    seen[place - table.left], column.kind, f"{table.name}, {column.label}"
                )
                where = f"sheet {table.sheet!r} cell {get_column_letter(place)}{number}"
                wanted = expected_cell(row[table.keys.index(column.key)], column.kind)
                self._found.compare(where, value, wanted)

    def singles(self, sheet: str, singles: Sequence[Single]) -> None:
        """Compare the cells of a sheet that names point to."""
        native = self._book.get_sheet_by_name(sheet)
        left = native.start[1] if native.start else 0
        last = max(single.row for single in singles)
        rows = list(islice(native.iter_rows(), last))
        for single in singles:
            row = rows[single.row - 1] if single.row <= len(rows) else []
            at = single.column - 1 - left
            seen = self._read(row[at] if 0 <= at < len(row) else "", single.kind, single.name)
            where = f"{single.name}, sheet {sheet!r} cell "
            where += f"{get_column_letter(single.column)}{single.row}"
            self._found.compare(where, seen, expected_cell(single.value, single.kind))

    def _read(self, value: Any, kind: Kind, what: str) -> object:
        """Read a cell whatever format its user gave it: a date may stand there as a number."""
        if kind in _DATES and isinstance(value, float):
            self.unformatted[what] = None
            value = self._epoch + timedelta(seconds=round(value * 86_400))
        if kind is Kind.DURATION:
            if isinstance(value, float) and value:
                self.unformatted[what] = None
            if isinstance(value, date):
                # A length of a day and more, with the format of a time of day.
                midnight = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - local
                value = (value if isinstance(value, datetime) else midnight) - _EPOCHS[False]
        if kind is Kind.DATE and isinstance(value, datetime):
            value = value.date()
        return seen_cell(value, kind)
