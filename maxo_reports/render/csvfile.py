"""Plain CSV of one table, for programs: every text exactly as it is, every number in full.

Opened in a spreadsheet program, CSV loses leading zeros and runs formulas; the workbook holds the
same rows safely. Money has all its decimals, durations are seconds, moments are local.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from maxo_reports.core.money import dollars, plain
from maxo_reports.core.report import CALL_COLUMNS, Calls, Cell, Table


def write_table(table: Table, target: Path) -> None:
    """Write a table with its columns' keys as headings, UTF-8, lines ended by CR LF."""
    with target.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.key for column in table.columns])
        for row in table.rows:
            writer.writerow([_text(cell) for cell in row.cells])


def calls_text(calls: Calls) -> str:
    """Write calls with every column, as ``write_table`` would."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(CALL_COLUMNS)
    moment, money = (list(CALL_COLUMNS).index(key) for key in ("started", "cost"))
    for call in calls.lines():
        cells: list[Cell] = list(call)
        cells[moment] = datetime.fromtimestamp(call.started, UTC)
        cells[money] = None if call.cost is None else dollars(call.cost)
        writer.writerow([_text(cell) for cell in cells])
    return out.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return plain(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return f"{cell:%Y-%m-%d}" if isinstance(cell, date) else str(cell)
