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
from maxo_reports.tieout.compared import Differences, Tied, said

READER = "calamine"
_BATCH = 10_000
_HEAD_WITHIN = 8
"""Rows in which the headings of a list of calls are looked for."""
_ADDED_UP = tuple(CALL_COLUMNS[key] for key in ("call_id", "seconds", "cost"))
"""Columns that are added up where there is no report to compare with."""
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
        if section.spec.kind == "itemised":
            calls += _itemised(book, section, report, found)
        if section.table is None:
            continue
        sheet = section.spec.sheet
        if sheet not in rows_of:
            rows_of[sheet] = _rows(book, sheet)
        rows = rows_of[sheet]
        below[sheet] = _table(sheet, rows, below.get(sheet, 0), section, found)
        if section.filtered:
            _filter_said(sheet, rows, section, found)
        if section.spec.kind == "checks":
            _live_checks(sheet, rows, below[sheet], report, found)
    return found.tied(READER, calls, (), _found_alone(report), report.filtered)


def _filter_said(sheet: str, rows: Sequence[_Row], section: Section, found: Differences) -> None:
    """Make sure that a sheet of filtered calls says so, with the whole beside it."""
    found.figures += 1
    words = shown(section.filtered)
    if not any(isinstance(cell, str) and words in cell for row in rows for cell in row):
        found.add(f"sheet {sheet!r} does not say: {said(words)}")


def _found_alone(report: Report) -> Totals | None:
    """Return what ``listed_totals`` finds in the workbook of a report, or None where nothing."""
    totals: Totals | None = None
    for section in report.sections_for("xlsx"):
        if section.spec.kind != "itemised":
            continue
        if {c.label for c in section.spec.call_columns} >= {c.label for c in _ADDED_UP}:
            totals = (totals or Totals()) + report.totals_of(section)
    return totals


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
    labels = [shown(column.label) for column in table.columns]
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
    listed = report.listed("xlsx")
    totals = report.totals if listed is None else report.totals_of(listed)
    expected: dict[str, tuple[Cell, Kind]] = {
        label: (getattr(totals, measure), kinds.get(measure, Kind.COUNT))
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
    """Compare the listed calls one by one, and their sums with their control totals.

    Where each service number has a sheet, its calls have to add up to its own totals, too.
    """
    columns = section.spec.call_columns
    lines = report.calls_of(section).lines()
    title = section.spec.sheet
    if section.table is None:
        whole = report.totals_of(section)
        calls = _list(book, title, columns, lines, whole, section, report, found)
    else:
        calls = 0
        for part in section.parts:
            own = islice(lines, part.totals.calls)
            calls += _list(book, part.sheet, columns, own, part.totals, section, report, found)
            if found.enough:
                return calls
    if left := sum(1 for _ in lines):
        found.add(f"sheet {title!r}: {left:,} calls of the ledger are not there")
    return calls


def _list(
    book: CalamineWorkbook,
    title: str,
    columns: Sequence[Column],
    lines: Iterator[CallLine],
    totals: Totals,
    section: Section,
    report: Report,
    found: Differences,
) -> int:
    """Compare the calls of one sheet, and of those that it goes on to."""
    fields = [CallLine._fields.index(column.key) for column in columns]
    forms = [Memo(column.kind) for column in columns]
    sums = _Sums(report.connected_statuses)
    calls = 0
    others = {s.spec.sheet for s in report.sections_for("xlsx")}
    others |= {part.sheet for part in section.parts}
    for sheet, first, rows, above in _listed(book, title, columns, others, found):
        if section.filtered and above is not None:
            _filter_said(sheet, above, section, found)
        if above is not None and calls == 0:
            _sums_above(sheet, above, columns, totals, found)
        if not totals.calls and above is not None and not any(rows[0]):
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
    found.compare(f"sheet {title!r}, number of calls", calls, totals.calls)
    for measure in MEASURES:
        where = f"sheet {title!r}, sum of {MEASURES[measure].lower()}"
        found.compare(where, getattr(sums, measure), getattr(totals, measure))
    return calls


def _sums_above(
    sheet: str,
    above: Sequence[_Row],
    columns: Sequence[Column],
    totals: Totals,
    found: Differences,
) -> None:
    """Compare the sums that stand right above a list's headings, where there are any."""
    row = above[-1] if above else []
    for place, column in enumerate(columns):
        if column.key in {"seconds", "cost"} and place < len(row) and row[place] != "":
            where = f"sheet {sheet!r} cell {get_column_letter(place + 1)}{len(above)}"
            found.compare(where, seen_cell(row[place], column.kind), getattr(totals, column.key))


def _listed(
    book: CalamineWorkbook,
    title: str,
    columns: Sequence[Column],
    others: Collection[str],
    found: Differences,
) -> Iterator[tuple[str, int, list[_Row], list[_Row] | None]]:
    """Yield the calls of a sheet, and of those that it goes on to, in batches.

    With each come its sheet, the number of its first row and, with the first of a sheet, what
    stands above the headings. A list goes on to the sheets right behind it that have its headings
    and a purpose of their own for nobody (``others``).
    """
    labels = [column.label for column in columns]
    if title not in book.sheet_names:
        found.add(f"sheet {title!r}: the list of calls is not there")
        return
    start = book.sheet_names.index(title)
    for sheet in book.sheet_names[start:]:
        rows = book.get_sheet_by_name(sheet).iter_rows()
        above: list[_Row] | None = _down_to(rows, labels)
        if above is None or (sheet != title and sheet in others):
            if sheet == title:
                found.add(f"sheet {title!r}: the list of calls is not there")
            return
        number = len(above) + 2
        while batch := list(islice(rows, _BATCH)):
            yield sheet, number, batch, above
            number, above = number + _BATCH, None


def _down_to(rows: Iterator[_Row], labels: Sequence[str]) -> list[_Row] | None:
    """Read a sheet down to the headings of its list and return what is above; None where none."""
    above: list[_Row] = []
    for row in islice(rows, _HEAD_WITHIN):
        if row[: len(labels)] == labels:
            return above
        above.append(row)
    return None


def listed_totals(path: Path) -> Totals | None:
    """Add up the calls that a workbook lists, or return None where it lists none.

    Without a report, the lists are known by their headings. Only the calls, their seconds and
    their cost are added up.
    """
    book = opened(path)
    listed: Totals | None = None
    for sheet in book.sheet_names:
        rows = book.get_sheet_by_name(sheet).iter_rows()
        labels = {column.label for column in _ADDED_UP}
        head = next(
            (row for row in islice(rows, _HEAD_WITHIN) if labels <= {*map(str, row)}), None
        )
        if head is None:
            continue
        listed = listed or Totals()
        places = [head.index(column.label) for column in _ADDED_UP]
        for row in rows:
            call_id, seconds, cost = (
                seen_cell(row[place], column.kind)
                for place, column in zip(places, _ADDED_UP, strict=True)
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
