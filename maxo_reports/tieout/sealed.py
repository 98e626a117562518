"""Reads a sealed pack again, without the report that it was made from.

The hashes say that nothing was changed since the pack was issued. This says that its files agree
with each other and with the manifest's control totals, whoever wrote the hashes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports.core.ledger import Totals
from maxo_reports.core.money import round_half_up
from maxo_reports.core.report import Kind
from maxo_reports.errors import TieOutError
from maxo_reports.tieout import handed, plain, statement, workbook
from maxo_reports.tieout.compared import Differences
from maxo_reports.tieout.words import pages

HANDOFF = "handoff"
"""What the manifest of a handoff says that it is."""
TIEOUT = "tieout.json"


def check(folder: Path, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Hold every file that has figures to the manifest's control totals; return their names.

    Raises TieOutError naming the file and both figures.
    """
    control = plain.control_totals(manifest)
    others = manifest.get("totals_of_files", {})
    looked_into = []
    for name in [entry["name"] for entry in manifest["files"]]:
        path = folder / name
        # A filtered file has totals of its own; the manifest says which.
        own = plain.totals_of(others[name], name) if name in others else control
        if path.suffix == ".xlsx":
            looked_into += [name] if _workbook(path, own) else []
        elif path.suffix == ".pdf":
            _statement(path, own)
            looked_into.append(name)
        elif path.suffix == ".json":
            looked_into += [name] if _json(path, control) else []
    if manifest.get("kind") == HANDOFF:
        looked_into += handed.check(folder, folder / TIEOUT)
    return tuple(looked_into)


def _workbook(path: Path, control: Totals) -> bool:
    """Add up the calls that a workbook lists; False where it lists none."""
    found = Differences(path)
    sums = workbook.listed_totals(path)
    if sums is None:
        return False
    for measure in ("calls", "seconds", "cost"):
        found.compare(f"sum of {measure}", getattr(sums, measure), getattr(control, measure))
    found.tied(workbook.READER)
    return True


def _statement(path: Path, control: Totals) -> None:
    """Look for each control total among the words of a statement."""
    found = Differences(path)
    reader, printed = pages(path)
    wanted: dict[str, tuple[Kind, int | Decimal]] = {
        "calls": (Kind.COUNT, control.calls),
        "seconds": (Kind.DURATION, control.seconds),
        "cost": (Kind.MONEY, control.cost),
    }
    for page in printed:
        words = {word for line in page for word in line.words}
        for name, (kind, figure) in list(wanted.items()):
            seen = [value for word in words if (value := statement.read(word, kind)) is not None]
            if _is_among(figure, seen):
                del wanted[name]
    for name, (_, figure) in wanted.items():
        found.add(f"the total {name}, {figure}, is not there")
    found.tied(reader)


def _is_among(figure: int | Decimal, seen: Sequence[int | Decimal]) -> bool:
    if isinstance(figure, int):
        return figure in seen
    # A statement prints as many decimals as its calls need, four at most.
    return any(round_half_up(figure, places) in seen for places in (2, 3, 4))


def _json(path: Path, control: Totals) -> bool:
    """Compare the control totals that a JSON file gives; False where it gives none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise TieOutError(f"{path.name} cannot be read back: {problem}") from None
    if not isinstance(content, dict) or "control_totals" not in content:
        return False
    found = Differences(path)
    found.compare("control_totals", plain.control_totals(content), control)
    found.tied(plain.JSON)
    return True
