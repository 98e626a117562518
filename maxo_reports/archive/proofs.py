"""What was found out about a pull beyond its own windows, written down beside it.

A report that is made again from the archive alone, on another day, must say exactly the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from maxo_reports.archive import notes
from maxo_reports.archive.pulls import Pull
from maxo_reports.core.checks import Check, Depth

FILE = "proof.json"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out about one pull. ``replies`` are the hashes of the cross-checks' own."""

    second_look: bool | None = None
    depth: Depth = "none"
    crosschecks: tuple[Check, ...] = ()
    new_categories: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()


def record(work: Pull, proof: Proof) -> None:
    """Write a proof into its pull's folder."""
    notes.put(work.folder / FILE, asdict(proof))


def recorded(folder: Path) -> Proof:
    """Return what is written down in a pull's folder; an empty proof where nothing is."""
    path = folder / FILE
    if not path.exists():
        return Proof()
    content = notes.load(path, tuple(Proof.__dataclass_fields__))
    with notes.shape_of(path):
        return Proof(
            content["second_look"],
            content["depth"],
            tuple(Check(**texts) for texts in content["crosschecks"]),
            tuple(content["new_categories"]),
            tuple(content["replies"]),
        )
