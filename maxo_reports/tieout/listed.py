"""Reads a CSV list of calls back, row by row, and adds it up."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path

from maxo_reports.core.ledger import Totals
from maxo_reports.core.report import CALL_COLUMNS
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.compared import Differences, Tied

READER = "the standard library"


def listed(path: Path, control: Totals) -> Tied:
    """Compare a list's sums with the ledger: calls, charged calls, seconds, cost."""
    found = Differences(path)
    sums = totals(path)
    for measure in ("calls", "charged", "seconds", "cost"):
        found.compare(f"sum of {measure}", getattr(sums, measure), getattr(control, measure))
    return found.tied(READER, sums.calls, totals=sums)


def totals(path: Path) -> Totals:
    """Add up a list of calls, whichever of our two headings it has."""
    calls = charged = seconds = 0
    cost = Decimal(0)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            keys = [_heading(name, reader.fieldnames or ()) for name in ("seconds", "cost")]
            for row in reader:
                dollars = Decimal(row[keys[1]] or 0)
                calls, charged = calls + 1, charged + bool(dollars)
                seconds, cost = seconds + int(row[keys[0]] or 0), cost + dollars
    except (OSError, ValueError, InvalidOperation, KeyError, TypeError) as problem:
        raise TieOutError(f"{path.name} cannot be read back: {problem}") from None
    return Totals(calls, 0, charged, seconds, cost)


def _heading(name: str, there: object) -> str:
    label = CALL_COLUMNS[name].label
    return name if isinstance(there, list | tuple) and name in there else label
