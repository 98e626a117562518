"""Reads a workbook back with calamine, a reader that shares no code with what writes it.

Calamine sees the values that stand beside the formulas, as a preview or a phone does. Cells are
found by the headings of their table, so a figure in the wrong column or row is a difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter
from python_calamine import CalamineError, CalamineWorkbook

from maxo_reports.core.ledger import MEASURES, Totals
from maxo_reports.core.money import dollars
from maxo_reports.core.report import (
    CALL_COLUMNS,
    CallLine,
    Cell,
    Column,
    Kind,
    Report,
    Role,
    Section,
    Table,
)
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.cells import Memo, compare_column, expected_cell, seen_cell, shown
from maxo_reports.tieout.compared import Differences, Tied

READER = "calamine"
_BATCH = 10_000
_FIRST = 2
"""The row of the first call, below the headings."""
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
            _live_checks(sheet, rows, below[sheet], report, found)
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
    if more and more != [shown(section.note)]:
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
        value = seen_cell(seen[place] if place < len(seen) else "", column.kind)
        where = f"sheet {sheet!r} cell {get_column_letter(place + 1)}{number}"
        found.compare(where, value, expected_cell(cell, column.kind))


def _live_checks(
    sheet: str, rows: Sequence[_Row], start: int, report: Report, found: Differences
) -> None:
    """Compare the checks that the workbook itself keeps making, below its table of checks.

    Each has a label, its control total, what the workbook makes of its own rows, and the result.
    """
    expected = _checked(report)
    for number, row in enumerate(rows[start:], start + 1):
        if len(row) < 4 or row[3] not in {"PASS", "FAIL"}:
            continue
        found.compare(f"sheet {sheet!r} cell D{number}", row[3], "PASS")
        value, kind = expected.get(row[0], (None, Kind.TEXT))
        if value is None:
            found.add(f"sheet {sheet!r} cell A{number}: a check of nothing that is known")
            continue
        for place in (1, 2):
            where = f"sheet {sheet!r} cell {get_column_letter(place + 1)}{number}"
            found.compare(where, seen_cell(row[place], kind), value)


def _checked(report: Report) -> dict[str, tuple[Cell, Kind]]:
    """Return what the workbook's own checks should say, by their labels.

    Control totals are compared as they are, and rows with a weight each, their place, so that
    a call which moved from one row to another shows.
    """
    kinds = {"seconds": Kind.DURATION, "cost": Kind.MONEY}
    expected: dict[str, tuple[Cell, Kind]] = {
        label: (getattr(report.totals, measure), kinds.get(measure, Kind.COUNT))
        for measure, label in MEASURES.items()
    }
    for section in report.sections_for("xlsx"):
        table = section.table
        for place, column in enumerate(table.columns if table else ()):
            cells = [row.cells[place] for row in table.rows if row.role is Role.ROW]  # type: ignore[union-attr]
            figures = [cell for cell in cells if isinstance(cell, (int, Decimal))]
            if cells and len(figures) == len(cells):
                label = f"{section.spec.title}: {column.label}, weighted by row"
                weighted = sum(weight * value for weight, value in enumerate(figures, 1))
                expected[label] = (weighted, column.kind)
    return expected


# ---- calls --------------------------------------------------------------------------------------


def _itemised(book: CalamineWorkbook, section: Section, report: Report, found: Differences) -> int:
    """Compare the listed calls one by one, and their sums with the control totals."""
    columns = [CALL_COLUMNS[key] for key in section.spec.show]
    fields = [CallLine._fields.index(column.key) for column in columns]
    forms = [Memo(column.kind) for column in columns]
    lines = report.calls.lines()
    sums = _Sums(report.connected_statuses)
    calls = 0
    others = {each.spec.sheet for each in report.sections_for("xlsx")}
    for sheet, first, rows in _listed(book, section.spec.sheet, others, columns, found):
        if not len(report.calls) and first == _FIRST and not any(rows[0]):
            # A table must have a row, so that of a month without calls has an empty one.
            del rows[0]
        batch = list(islice(lines, len(rows)))
        sums.add(batch)
        calls += len(rows)
        if len(batch) < len(rows):
            found.add(f"sheet {sheet!r} row {first + len(batch)}: more calls than the ledger has")
        for place, (field, form) in enumerate(zip(fields, forms, strict=True)):
            seen = [row[place] for row in rows]
            expected = [line[field] for line in batch]
            letter = get_column_letter(place + 1)
            compare_column(f"sheet {sheet!r} cell {letter}", first, seen, expected, form, found)
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
    book: CalamineWorkbook,
    title: str,
    others: Collection[str],
    columns: Sequence[Column],
    found: Differences,
) -> Iterator[tuple[str, int, list[_Row]]]:
    """Yield the calls of a sheet, and of those that it goes on to, in batches.

    With each come its sheet and the number of its first row. A list goes on to the sheets right
    behind it that have its headings and are no section's own (``others``).
    """
    labels = [column.label for column in columns]
    if title not in book.sheet_names:
        found.add(f"sheet {title!r}: the list of calls is not there")
        return
    start = book.sheet_names.index(title)
    for sheet in book.sheet_names[start:]:
        rows = book.get_sheet_by_name(sheet).iter_rows()
        if next(rows, [])[: len(columns)] != labels or (sheet != title and sheet in others):
            if sheet == title:
                found.add(f"sheet {title!r}: the list of calls is not there")
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
                seen_cell(row[place], column.kind)
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
