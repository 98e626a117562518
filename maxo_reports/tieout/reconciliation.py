"""Reads a sealed reconciliation again: workbook, page and dispute pack against the manifest.

The hashes say that nothing was changed. This says that the files agree with each other, whoever
wrote the hashes.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from maxo_reports.core.money import round_half_up
from maxo_reports.core.report import Kind
from maxo_reports.errors import TieOutError
from maxo_reports.tieout import statement, workbook
from maxo_reports.tieout.cells import seen_cell
from maxo_reports.tieout.compared import Differences
from maxo_reports.tieout.words import lines

_STEPS, _STEP, _DOLLARS = "Waterfall", "Step", "Dollars"


def check(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Hold every file that has figures to the manifest's waterfall; refuse the first that differs.

    Raises TieOutError naming the file and both figures.
    """
    try:
        figures = manifest["reconciliation"]
        steps = {
            "calls": Decimal(figures["cost"]),
            **{kind.casefold(): Decimal(said) for kind, said in figures["classes"].items()},
            "bill": Decimal(figures["billed"]),
        }
        disputed = {name: Decimal(said["dollars"]) for name, said in manifest["dispute"].items()}
    except (KeyError, TypeError, AttributeError, InvalidOperation):
        message = f"the manifest of {folder} does not say what a reconciliation says"
        raise TieOutError(message) from None
    _adds_up(folder, steps)
    for entry in manifest["files"]:
        path = folder / entry["name"]
        if path.parent == folder and path.suffix == ".xlsx":
            _workbook(path, steps)
        elif path.parent == folder and path.suffix == ".pdf":
            _page(path, steps)
        elif entry["name"] in disputed:
            _table(path, disputed[entry["name"]])


def _adds_up(folder: Path, steps: Mapping[str, Decimal]) -> None:
    *first, bill = steps.values()
    found = Differences(folder)
    found.compare("calls and every class", sum(first, Decimal(0)), bill)
    found.tied("")


def _workbook(path: Path, steps: Mapping[str, Decimal]) -> None:
    found = Differences(path)
    book = workbook.opened(path)
    rows = book.get_sheet_by_name(_STEPS).to_python() if _STEPS in book.sheet_names else []
    head = next((row for row in rows if _STEP in row and _DOLLARS in row), None)
    if head is None:
        found.add(f"sheet {_STEPS!r} has no waterfall")
    else:
        name, place = head.index(_STEP), head.index(_DOLLARS)
        seen = {str(row[name]).casefold(): seen_cell(row[place], Kind.MONEY) for row in rows}
        for step, dollars in steps.items():
            found.compare(f"sheet {_STEPS!r}, {step}", seen.get(step), dollars)
    found.tied(workbook.READER)


def _page(path: Path, steps: Mapping[str, Decimal]) -> None:
    found = Differences(path)
    reader, printed = lines(path)
    words = [word for line in printed for word in line.words]
    seen = {value for word in words if (value := statement.read(word, Kind.MONEY)) is not None}
    for step, dollars in steps.items():
        found.figures += 1
        if not any(round_half_up(dollars, places) in seen for places in (2, 3, 4)):
            found.add(f"{step}, {dollars}, is not there")
    found.tied(reader)


def _table(path: Path, dollars: Decimal) -> None:
    found = Differences(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            sums = sum((Decimal(row["difference"]) for row in csv.DictReader(file)), Decimal(0))
    except (OSError, ValueError, KeyError, InvalidOperation) as problem:
        raise TieOutError(f"{path.name} cannot be read back: {problem}") from None
    found.compare("sum of the differences", sums, dollars)
    found.tied("csv")
