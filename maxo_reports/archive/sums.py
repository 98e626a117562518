"""Lines that ``sha256sum -c`` checks, for files below a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def below(folder: Path) -> list[Path]:
    """Return every file below a folder, in the order of their paths."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def of(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lines(folder: Path, paths: Iterable[Path]) -> bytes:
    """Return one line for each file, under its path from the folder."""
    written = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        # sha256sum's own way with names that would break a line.
        safe = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        mark = "" if safe == name else "\\"
        written.append(f"{mark}{of(path)}  {safe}\n")
    return "".join(written).encode()
