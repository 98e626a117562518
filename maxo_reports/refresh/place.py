"""Putting a refreshed workbook in the place of the user's own, after his is kept beside it.

Until the new one has been read back nothing of the user's is touched, and then a copy of his is
on the disk before the one rename that makes the change.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

from maxo_reports.archive import files
from maxo_reports.errors import UsageError


class Place:
    """The user's file, as it was when it was first looked at."""

    def __init__(self, path: Path) -> None:
        # A link stays a link: what it leads to is refreshed.
        self.path = path.resolve()
        self._state = self._look() if self.path.is_file() else None

    def refuse_if_open(self) -> None:
        """Refuse a workbook that a program has open: it would save over ours."""
        folder, name = self.path.parent, self.path.name
        for lock in (folder / f"~${name}", folder / f".~lock.{name}#"):
            if lock.exists():
                raise UsageError(
                    f"{self.path} is open in another program: close it "
                    f"(or delete {lock} if it is not); nothing was changed"
                )

    def refuse_if_changed(self) -> None:
        """Refuse to go on with a workbook that is no longer what it was at first."""
        if self._look() != self._state:
            raise UsageError(f"{self.path} was changed meanwhile by another program: try again")

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Give a new file beside the user's own; it is gone at the end unless it was accepted."""
        with files.disk_trouble("write beside", self.path):
            for left in self.path.parent.iterdir():
                if left.name.startswith(files.draft_prefix(self.path)):
                    left.unlink()  # of a refresh that was killed
            with files.draft_of(self.path, self.path.suffix) as draft:
                yield draft

    def accept(self, draft: Path, moment: datetime) -> Path | None:
        """Put a draft in the file's place and return the backup; None where both are equal."""
        if _sha256(draft) == _sha256(self.path):
            return None
        draft.chmod(stat.S_IMODE(self.path.stat().st_mode))
        self.refuse_if_open()
        backup = self._back_up(moment)
        try:
            self.refuse_if_changed()
        except BaseException:
            backup.unlink()
            raise
        files.move_into_place(draft, self.path)
        return backup

    def _back_up(self, moment: datetime) -> Path:
        """Keep a copy of the user's file, on the disk for good; none is ever overwritten."""
        stem = f"{self.path.name}.bak-{moment:%Y%m%d-%H%M%S}"
        names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
        backup = next(p for p in map(self.path.with_name, names) if not p.exists())
        with files.draft_of(backup) as copy:
            with self.path.open("rb") as source, copy.open("wb") as target:
                while piece := source.read(2**20):
                    target.write(piece)
            copy.chmod(stat.S_IMODE(self.path.stat().st_mode))
            files.move_into_place(copy, backup)
        return backup

    def _look(self) -> tuple[int, int, int]:
        seen = self.path.stat()
        return seen.st_ino, seen.st_size, seen.st_mtime_ns


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
