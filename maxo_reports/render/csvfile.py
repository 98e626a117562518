"""Plain CSV of one table, for programs: every text exactly as it is, every number in full.

Opened in a spreadsheet program, CSV loses leading zeros and runs formulas; the workbook holds the
same rows safely. Money has all its decimals, durations are seconds, moments are local.
"""

from __future__ import annotations

import csv
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from maxo_reports.core.money import plain
from maxo_reports.core.report import Cell, Table


def write_table(table: Table, target: Path) -> None:
    """Write a table with its columns' keys as headings, UTF-8, lines ended by CR LF."""
    with target.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.key for column in table.columns])
        for row in table.rows:
            writer.writerow([_text(cell) for cell in row.cells])


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return plain(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return f"{cell:%Y-%m-%d}" if isinstance(cell, date) else str(cell)
