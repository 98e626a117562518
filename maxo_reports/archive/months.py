"""What the months before a pull had, written down beside it.

Behaviour is judged beside earlier months as they were known when the pull was first reported.
A pack that is made again, in another place or when those months are purged, must judge the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from maxo_reports.archive import notes
from maxo_reports.core.behaviour import Month

FILE = "months.json"


def record(folder: Path, months: Sequence[Month]) -> None:
    """Write the months into a pull's folder, oldest first."""
    notes.put(folder / FILE, {"months": [asdict(month) for month in months]})


def recorded(folder: Path) -> tuple[Month, ...] | None:
    """Return the months that are written down in a pull's folder, or None where none are."""
    path = folder / FILE
    if not path.exists():
        return None
    content = notes.load(path, ("months",))
    with notes.shape_of(path):
        return tuple(
            Month(
                each["label"],
                each["is_whole"],
                {name: _figures(figures) for name, figures in each["numbers"].items()},
                {name: _figures(figures) for name, figures in each["categories"].items()},
            )
            for each in content["months"]
        )


def _figures(written: Sequence[int]) -> tuple[int, int]:
    calls, micros = written
    return int(calls), int(micros)
