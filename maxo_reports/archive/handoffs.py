"""Notes of handoffs: which document numbers were given out, kept whatever becomes of the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from maxo_reports.archive import files, notes

FOLDER = "handoffs"
SUFFIX = ".json"
_KEYS = ("reference", "kind", "replaces", "documents")


def paths(archive: Path) -> Iterator[Path]:
    """Yield everything in the folder of an account's notes."""
    yield from files.entries(archive / FOLDER)


def load(path: Path) -> dict[str, Any]:
    """Read one note, or refuse it in one line."""
    return notes.load(path, _KEYS)


def put(archive: Path, said: Mapping[str, Any]) -> None:
    """Note a handoff for good."""
    name = str(said["reference"]).replace("/", "-")
    notes.put(archive / FOLDER / f"{name}{SUFFIX}", said)
