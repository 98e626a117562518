"""What was purged from an account's archive, and when: days and pull numbers, no calls.

The numbers of purged pulls are never given again, so that a pack that names one is never taken
for a pack of another pull.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from maxo_reports.archive import notes

FILE = "purged.json"


@dataclass(frozen=True, slots=True)
class Purged:
    """One period that was purged: its key, its pulls' numbers, and when (unix seconds)."""

    period: str
    pulls: tuple[int, ...]
    before: str
    at: int


def recorded(folder: Path) -> tuple[Purged, ...]:
    """Return what was purged from an account's folder, earliest first."""
    path = folder / FILE
    if not path.exists():
        return ()
    content = notes.load(path, ("purged",))
    with notes.shape_of(path):
        return tuple(
            Purged(**{**entry, "pulls": tuple(entry["pulls"])}) for entry in content["purged"]
        )


def write(folder: Path, entries: Sequence[Purged]) -> None:
    """Write down what was purged, instead of what stood there."""
    notes.put(folder / FILE, {"purged": [asdict(entry) for entry in entries]})
