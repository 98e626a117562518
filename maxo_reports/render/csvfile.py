"""Plain CSV of one table, for programs; and CSV that a spreadsheet program can be let loose on.

For programs every text stands exactly as it is and every number in full: money has all its
decimals, durations are seconds, moments are local. A spreadsheet program would lose leading
zeros of that and run formulas; so what is made for it is guarded, and says so in its name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from maxo_reports.core.money import dollars, plain
from maxo_reports.core.numbering import spaced
from maxo_reports.core.report import CALL_COLUMNS, Calls, Cell, Column, Kind, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CHANGED = re.compile(r"0[0-9]+|[0-9]{12,}", re.ASCII)
"""Digits that Excel would not keep: a leading zero goes, a long number becomes 4.41E+11."""
_BYTE_ORDER_MARK = "utf-8-sig"


def write_table(table: Table, target: Path) -> None:
    """Write a table with its columns' keys as headings, UTF-8, lines ended by CR LF."""
    write_rows(table.columns, (row.cells for row in table.rows), target)


def write_rows(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], target: Path) -> None:
    """Write rows for programs, one after the other: there may be millions."""
    with target.open("x", encoding="utf-8", newline="") as file:
        _write(csv.writer(file), columns, rows)


def write_guarded(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], target: Path) -> None:
    """Write the same rows for Excel: headings for people, numbers spaced, formulas harmless."""
    with target.open("x", encoding=_BYTE_ORDER_MARK, newline="") as file:
        writer = csv.writer(file)
        writer.writerow([guarded(column.label) for column in columns])
        for cells in rows:
            writer.writerow(
                [_guarded(column, cell) for column, cell in zip(columns, cells, strict=True)]
            )


def guarded(text: str) -> str:
    """Return a text that Excel shows and neither runs nor changes.

    An apostrophe goes before what would be a formula (CWE-1236) and before digits that Excel
    would not keep.
    """
    return f"'{text}" if text.startswith(_FORMULA) or _CHANGED.fullmatch(text) else text


def _guarded(column: Column, cell: Cell) -> str:
    if not isinstance(cell, str):
        return _text(cell)
    # With its spaces a telephone number is text, and keeps its zero.
    return guarded(spaced(cell) if column.kind is Kind.NUMBER else cell)


def calls_text(calls: Calls) -> str:
    """Return every column of calls as ``write_rows`` would write them."""
    out = io.StringIO(newline="")
    _write(csv.writer(out), list(CALL_COLUMNS.values()), call_cells(calls))
    return out.getvalue()


def call_cells(calls: Calls) -> Iterator[Sequence[Cell]]:
    """Yield the calls' columns as cells: local time without a zone, exact dollars."""
    moment, money = (list(CALL_COLUMNS).index(key) for key in ("started", "cost"))
    for call in calls.lines():
        cells: list[Cell] = list(call)
        cells[moment] = datetime.fromtimestamp(call.started, UTC).replace(tzinfo=None)
        cells[money] = None if call.cost is None else dollars(call.cost)
        yield cells


class _Writer(Protocol):
    def writerow(self, row: Iterable[str], /) -> object: ...


def _write(out: _Writer, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    out.writerow([column.key for column in columns])
    for cells in rows:
        out.writerow([_text(cell) for cell in cells])


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return plain(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return f"{cell:%Y-%m-%d}" if isinstance(cell, date) else str(cell)
