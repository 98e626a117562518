"""Files of the user's own that reports were made from, kept byte for byte under their SHA-256.

A number directory is changed from month to month. A pack of last year must be made again from
last year's, so each that a pack was made from stays in the archive.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError

FOLDER = "inputs"
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Inputs:
    """The folder of one account's inputs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Return where the input of this hash is kept."""
        return self._folder / sha256

    def keep(self, content: bytes) -> str:
        """Keep a file durably and return its SHA-256; a damaged copy is written anew."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        with files.disk_trouble("read", path):
            held = path.read_bytes() if path.exists() else None
        if held != content:
            files.put(path, content)
        return sha256

    def read(self, sha256: str) -> bytes:
        """Return a kept file, after making sure that it still has its hash."""
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except OSError:
            raise ArchiveError(f"input {path}, which a pack was made from, is missing") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ArchiveError(f"input {path} is damaged: its bytes do not have its name's hash")
        return content

    def every(self) -> Iterator[tuple[Path, str]]:
        """Yield every file in the folder with the hash that its name says, empty where none."""
        for path in files.entries(self._folder):
            yield path, path.name if _NAME.fullmatch(path.name) else ""
