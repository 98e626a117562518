"""Reads CSV and JSON back with the standard library and compares them with their source."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from maxo_reports.core.ledger import Totals
from maxo_reports.core.report import Cell, Column, Source, Table
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.compared import Differences, Tied

CSV, JSON = "csv", "json"


def table(path: Path, expected: Table) -> Tied:
    """Compare a CSV file of one table, cell by cell."""
    found = Differences(path)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, ValueError, csv.Error) as problem:
        raise TieOutError(f"{path.name} cannot be read back: {problem}") from None
    found.compare("headings", lines[:1], [[column.key for column in expected.columns]])
    found.compare("number of rows", len(lines) - 1, len(expected.rows))
    for number, (line, row) in enumerate(zip(lines[1:], expected.rows, strict=False), 2):
        for text, cell, column in zip(line, row.cells, expected.columns, strict=False):
            _compare_text(number, text, cell, column, found)
        if len(line) != len(expected.columns):
            found.add(f"line {number}: {len(line)} fields, not {len(expected.columns)}")
    return found.tied(CSV)


def _compare_text(number: int, text: str, cell: Cell, column: Column, found: Differences) -> None:
    place = f"line {number} {column.key}"
    seen: object = text
    expected: object = "" if cell is None else cell
    try:
        if isinstance(cell, Decimal):
            seen = Decimal(text)
        elif isinstance(cell, datetime):
            seen = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - a local clock
        elif isinstance(cell, date):
            seen = date.fromisoformat(text)
        elif isinstance(cell, int):
            seen = int(text)
    except (ValueError, InvalidOperation):
        seen = text
    found.compare(place, seen, expected)


def certificate(path: Path, source: Source) -> Tied:
    """Compare a completeness certificate: its totals, its records, and its windows' sum."""
    found = Differences(path)
    content = _json(path)
    _compare_totals(content, source, found)
    windows = content.get("windows", [])
    expected = [(line.window.start, line.window.end) for line in source.completeness.windows]
    found.compare("windows", [(w.get("start"), w.get("end")) for w in windows], expected)
    received = source.ledger.intake.received
    found.compare("records of all windows", sum(w.get("records", 0) for w in windows), received)
    return found.tied(JSON)


def manifest(path: Path, source: Source) -> Tied:
    """Compare a manifest: its totals and its records."""
    found = Differences(path)
    _compare_totals(_json(path), source, found)
    return found.tied(JSON)


def _compare_totals(content: Mapping[str, Any], source: Source, found: Differences) -> None:
    control, intake = source.ledger.control, source.ledger.intake
    seen = control_totals(content)
    for name in Totals.__dataclass_fields__:
        found.compare(f"control_totals {name}", getattr(seen, name), getattr(control, name))
    for name in ("received", "ledger", "repeats", "outside"):
        seen_records = content.get("records", {}).get(name)
        found.compare(f"records {name}", seen_records, getattr(intake, name))


def control_totals(content: Mapping[str, Any]) -> Totals:
    """Return the control totals that one of a pack's JSON files gives; money is text there."""
    return totals_of(content.get("control_totals", {}), "control_totals")


def totals_of(given: Mapping[str, Any], where: str) -> Totals:
    """Return totals under the names that the command line promises; ``where`` they stand."""
    try:
        return Totals(
            given["calls"],
            given["connected_calls"],
            given["charged_calls"],
            given["seconds"],
            Decimal(given["cost"]),
        )
    except (KeyError, TypeError, InvalidOperation):
        raise TieOutError(f"{where} in a JSON file of the pack cannot be read") from None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise TieOutError(f"{path.name} cannot be read back: {problem}") from None
    if not isinstance(content, dict):
        raise TieOutError(f"{path.name} cannot be read back: it holds no object")
    return content
