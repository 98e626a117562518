"""Reads a workbook back with calamine, a reader that shares no code with what writes it.

Calamine sees the values that stand beside the formulas, as a preview or a phone does. Cells are
found by the headings of their table, so a figure in the wrong column or row is a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, count, islice, takewhile
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineWorkbook

from maxo_reports.core.cdr import LONGEST_TEXT
from maxo_reports.core.ledger import MEASURES, Totals
from maxo_reports.core.money import MICROS, dollars
from maxo_reports.core.report import (
    CALL_COLUMNS,
    CallLine,
    Cell,
    Column,
    Kind,
    Report,
    Section,
    Table,
)
from maxo_reports.core.text import visible
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.compared import Differences, Tied

READER = "calamine"
_DAY = 86_400
_BATCH = 10_000
_FIRST = 2
"""The row of the first call, below the headings."""
_TEXTS = frozenset({Kind.TEXT, Kind.ID, Kind.NUMBER})
_Row = list[Any]


def read_back(path: Path, report: Report) -> Tied:
    """Compare every table, and every call, of a workbook with the report it was made from."""
    book = opened(path)
    found = Differences(path)
    calls = 0
    below: dict[str, int] = {}
    """Sheet -> the row up to which it has been read; two sections may share one."""
    rows_of: dict[str, list[_Row]] = {}
    for section in report.sections_for("xlsx"):
        if section.table is None:
            calls += _itemised(book, section, report, found)
            continue
        sheet = section.spec.sheet
        if sheet not in rows_of:
            rows_of[sheet] = _rows(book, sheet)
        rows = rows_of[sheet]
        below[sheet] = _table(sheet, rows, below.get(sheet, 0), section, found)
        if section.spec.kind == "checks":
            _live_checks(sheet, rows, below[sheet], report.totals, found)
    return found.tied(READER, calls)


def opened(path: Path) -> CalamineWorkbook:
    """Open a workbook, or say that no other program could."""
    try:
        return CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as problem:
        raise TieOutError(f"{path.name} cannot be read by another program: {problem}") from None


def _rows(book: CalamineWorkbook, sheet: str) -> list[_Row]:
    if sheet not in book.sheet_names:
        return []
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


# ---- tables -------------------------------------------------------------------------------------


def _table(
    sheet: str, rows: Sequence[_Row], start: int, section: Section, found: Differences
) -> int:
    """Compare one section's table, which begins below ``start``; return where it ends."""
    table = section.table
    assert table is not None, "only the itemised list has no table"
    if section.spec.kind == "summary":
        table = _without_labels(table)
    labels = [column.label for column in table.columns]
    head = next((at for at in range(start, len(rows)) if rows[at][: len(labels)] == labels), None)
    if head is None:
        found.add(f"sheet {sheet!r}: the table {section.spec.title!r} is not there")
        return start
    for number, expected in enumerate(table.rows, head + 2):
        seen = rows[number - 1] if number <= len(rows) else []
        _compare_row(sheet, number, seen, expected.cells, table.columns, found)
    end = head + 1 + len(table.rows)
    after = rows[end] if end < len(rows) else []
    more = [cell for cell in after[: len(labels)] if cell != ""]
    if more and more != [_shown(section.note)]:
        found.add(f"sheet {sheet!r} row {end + 1}: the table {section.spec.title!r} goes on")
    return end


def _without_labels(table: Table) -> Table:
    """Return the summary as it is drawn: the figures under their headings, no word before."""
    rows = tuple(type(row)(row.cells[1:], row.role) for row in table.rows)
    return Table(table.columns[1:], rows)


def _compare_row(
    sheet: str,
    number: int,
    seen: _Row,
    expected: Sequence[Cell],
    columns: Sequence[Column],
    found: Differences,
) -> None:
    for place, (cell, column) in enumerate(zip(expected, columns, strict=True)):
        value = _seen(seen[place] if place < len(seen) else "", column.kind)
        where = f"sheet {sheet!r} cell {get_column_letter(place + 1)}{number}"
        found.compare(where, value, _expected(cell, column.kind))


def _expected(cell: Cell, kind: Kind) -> object:
    """Return what a reader should find for a report's value."""
    if isinstance(cell, str):
        return _shown(cell)
    if cell is None and kind in _TEXTS:
        return ""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None, microsecond=0)
    return cell


def _seen(value: Any, kind: Kind) -> object:
    """Bring what calamine gives for a cell into the form of the report's own values."""
    if isinstance(value, str):
        return value if value or kind in _TEXTS else None
    if kind is Kind.COUNT and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is Kind.DURATION:
        return _seconds(value)
    if kind is Kind.MONEY and isinstance(value, float):
        return Decimal(repr(value))
    if kind is Kind.MOMENT and isinstance(value, date):
        return _moment(value)
    return value


def _seconds(value: Any) -> object:
    """Read a duration, which calamine gives by its number format in one of three forms."""
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second
    return round(value * _DAY) if isinstance(value, float) else value


def _moment(value: date) -> datetime:
    """Read a moment to the second; calamine gives one at midnight as a day."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a local clock
    return (value + timedelta(milliseconds=500)).replace(microsecond=0)


def _live_checks(
    sheet: str, rows: Sequence[_Row], start: int, control: Totals, found: Differences
) -> None:
    """Compare the checks that the workbook itself keeps making, below its table of checks.

    Each has a measure, its control total, the sum of the listed calls, and what came of it.
    """
    measures = {label: measure for measure, label in MEASURES.items()}
    kinds = {"seconds": Kind.DURATION, "cost": Kind.MONEY}
    for number, row in enumerate(rows[start:], start + 1):
        measure = measures.get(row[0]) if len(row) >= 4 else None
        if measure is None or row[3] == "":
            continue
        kind = kinds.get(measure, Kind.COUNT)
        for place in (1, 2):
            where = f"sheet {sheet!r} cell {get_column_letter(place + 1)}{number}"
            found.compare(where, _seen(row[place], kind), getattr(control, measure))
        found.compare(f"sheet {sheet!r} cell D{number}", row[3], "PASS")


# ---- calls --------------------------------------------------------------------------------------


def _itemised(book: CalamineWorkbook, section: Section, report: Report, found: Differences) -> int:
    """Compare the listed calls one by one, and their sums with the control totals."""
    columns = [CALL_COLUMNS[key] for key in section.spec.show]
    fields = [CallLine._fields.index(column.key) for column in columns]
    forms = [_Memo(_FORMS[column.kind]) for column in columns]
    lines = report.calls.lines()
    sums = _Sums(report.connected_statuses)
    calls = 0
    for sheet, first, rows in _listed(book, section.spec.sheet, columns, found):
        if not len(report.calls) and first == _FIRST and not any(rows[0]):
            # A table must have a row, so that of a month without calls has an empty one.
            del rows[0]
        batch = list(islice(lines, len(rows)))
        sums.add(batch)
        calls += len(rows)
        if len(batch) < len(rows):
            found.add(f"sheet {sheet!r} row {first + len(batch)}: more calls than the ledger has")
        for place, (column, field, form) in enumerate(zip(columns, fields, forms, strict=True)):
            seen = [row[place] for row in rows]
            expected = [line[field] for line in batch]
            # All at once first: one by one is slow, and only to name what differs.
            if seen == expected or seen == [form[value] for value in expected]:
                found.figures += len(seen)
                continue
            letter = get_column_letter(place + 1)
            for number, (cell, value) in enumerate(zip(seen, expected, strict=False), first):
                where = f"sheet {sheet!r} cell {letter}{number}"
                found.compare(where, _seen(cell, column.kind), _exactly(value, column.kind))
        if found.enough:
            return calls
    left = sum(1 for _ in lines)
    if left:
        found.add(f"sheet {section.spec.sheet!r}: {left:,} calls of the ledger are not there")
    found.compare(f"sheet {section.spec.sheet!r}, number of calls", calls, report.totals.calls)
    for measure in MEASURES:
        where = f"sheet {section.spec.sheet!r}, sum of {MEASURES[measure].lower()}"
        found.compare(where, getattr(sums, measure), getattr(report.totals, measure))
    return calls


def _listed(
    book: CalamineWorkbook, title: str, columns: Sequence[Column], found: Differences
) -> Iterator[tuple[str, int, list[_Row]]]:
    """Yield the calls of a sheet, and of those that it goes on to, in batches.

    With each come its sheet and the number of its first row.
    """
    further = (f"{title} {number}" for number in count(2))
    for sheet in chain([title], takewhile(book.sheet_names.__contains__, further)):
        rows = book.get_sheet_by_name(sheet).iter_rows() if sheet in book.sheet_names else iter(())
        if next(rows, [])[: len(columns)] != [column.label for column in columns]:
            found.add(f"sheet {sheet!r}: the list of calls is not there")
            return
        number = _FIRST
        while batch := list(islice(rows, _BATCH)):
            yield sheet, number, batch
            number += _BATCH


def listed_totals(path: Path) -> Totals | None:
    """Add up the calls that a workbook lists, or return None where it lists none.

    Without a report, the lists are known by their headings. Only the calls, their seconds and
    their cost are added up.
    """
    book = opened(path)
    wanted = [CALL_COLUMNS[key] for key in ("call_id", "seconds", "cost")]
    listed: Totals | None = None
    for sheet in book.sheet_names:
        rows = book.get_sheet_by_name(sheet).iter_rows()
        head = next(rows, [])
        if not all(column.label in head for column in wanted):
            continue
        listed = listed or Totals()
        places = [head.index(column.label) for column in wanted]
        for row in rows:
            call_id, seconds, cost = (
                _seen(row[place], column.kind)
                for place, column in zip(places, wanted, strict=True)
            )
            seconds = seconds if isinstance(seconds, int) else 0
            cost = cost if isinstance(cost, Decimal) else Decimal(0)
            listed += Totals(int(bool(call_id)), 0, int(bool(cost)), seconds, cost)
    return listed


class _Sums:
    """Adds up calls whose rows were found equal, to be compared with the control totals."""

    def __init__(self, connected: Sequence[str]) -> None:
        self._connected_words = frozenset(connected)
        self.calls = self.connected = self.charged = self.seconds = self._micros = 0

    def add(self, lines: Sequence[CallLine]) -> None:
        """Add some calls."""
        self.calls += len(lines)
        self.connected += sum(line.status in self._connected_words for line in lines)
        self.charged += sum(bool(line.cost) for line in lines)
        self.seconds += sum(line.seconds or 0 for line in lines)
        self._micros += sum(line.cost or 0 for line in lines)

    @property
    def cost(self) -> Decimal:
        """The sum of the costs, in dollars."""
        return dollars(self._micros)


class _Memo(dict[Any, Any]):
    """Works out a value's form once: texts, costs and durations repeat by the thousand."""

    _MOST = 200_000

    def __init__(self, make: Callable[[Any], object]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> object:
        if len(self) >= self._MOST:
            self.clear()
        made = self[value] = self._make(value)
        return made


def _shown(text: str) -> str:
    return visible(text, LONGEST_TEXT)


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local clock


def _exactly(value: Any, kind: Kind) -> object:
    """Return the exact value that a call's cell should have, as ``_seen`` gives it."""
    if kind is Kind.MOMENT:
        return _EPOCH + timedelta(seconds=value)
    if kind is Kind.MONEY and value is not None:
        return dollars(value)
    return _expected(value, kind)


_FORMS: Mapping[Kind, Callable[[Any], object]] = {
    **dict.fromkeys(_TEXTS, _shown),
    Kind.MOMENT: lambda local: _EPOCH + timedelta(seconds=local),
    Kind.DURATION: lambda seconds: "" if seconds is None else timedelta(seconds=seconds),
    Kind.MONEY: lambda micros: "" if micros is None else micros / MICROS,
}
"""Kind of a call's column -> the form in which calamine usually gives the right value.

A cell that comes in another form is looked at again, exactly.
"""
