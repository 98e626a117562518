"""A disk that loses power: from the operations that a real run did, what may be left of them.

After a power cut a file has what was last flushed, and of later writes any, whole or torn; a
folder has the names it had when it was last flushed, and of later changes any. A rename within a
folder happens whole or not at all. Many file systems promise more than that.
"""

from __future__ import annotations

import json
import os
import random
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Tree = dict[str, bytes | None]
"""What stands on a disk: each path with its bytes; a folder with None."""


@dataclass(eq=False)
class _File:
    """A file: what the program sees, what is on the disk, and what came since."""

    seen: bytes = b""
    flushed: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes by their offset; without bytes, a cut at the offset."""

    def change(self, at: int, content: bytes | None) -> None:
        self.seen = _changed(self.seen, at, content)
        self.since.append((at, content))

    def flush(self) -> None:
        self.flushed, self.since = self.seen, []

    def left(self, dice: random.Random, kept: float) -> bytes:
        found = self.flushed
        for at, content in self.since:
            if dice.random() < kept:
                torn = content and dice.random() < 0.3
                part = content[: dice.randrange(len(content))] if content and torn else content
                found = _changed(found, at, part)
        return found


def _changed(before: bytes, at: int, content: bytes | None) -> bytes:
    if content is None:
        return before[:at].ljust(at, b"\0")
    return before[:at].ljust(at, b"\0") + content + before[at + len(content) :]


@dataclass(eq=False)
class _Folder:
    """A folder: its names now, those on the disk, and the changes since, each whole or not."""

    seen: dict[str, _File | _Folder] = field(default_factory=dict)
    flushed: dict[str, _File | _Folder] = field(default_factory=dict)
    since: list[dict[str, _File | _Folder | None]] = field(default_factory=list)

    def change(self, names: dict[str, _File | _Folder | None]) -> None:
        _rename(self.seen, names)
        self.since.append(names)

    def flush(self) -> None:
        self.flushed, self.since = dict(self.seen), []

    def left(self, dice: random.Random, kept: float) -> dict[str, _File | _Folder]:
        found = dict(self.flushed)
        for names in self.since:
            if dice.random() < kept:
                _rename(found, names)
        return found


def _rename(names: dict[str, Any], change: dict[str, Any]) -> None:
    for name, what in change.items():
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what


class Disk:
    """A disk that starts as a folder is now, all of it flushed."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._by_inode: dict[int, _File | _Folder] = {}
        self._top = self._loaded(Path(self._root))

    def _loaded(self, folder: Path) -> _Folder:
        found = _Folder()
        self._by_inode[folder.stat().st_ino] = found
        for path in folder.iterdir():
            if path.is_dir():
                found.seen[path.name] = self._loaded(path)
            else:
                content = path.read_bytes()
                file = _File(content, content)
                found.seen[path.name] = self._by_inode[path.stat().st_ino] = file
        found.flush()
        return found

    def do(self, kind: str, path: str, **more: Any) -> None:
        """Do an operation of the trace."""
        if kind in {"write", "truncate", "fsync"}:
            which = self._by_inode[more["inode"]]
            if kind == "fsync":
                which.flush()
            elif isinstance(which, _File) and kind == "write":
                which.change(more["offset"], b64decode(more["content"]))
            elif isinstance(which, _File):
                which.change(more["size"], None)
            return
        folder, name = self._at(path)
        if kind == "open":
            file = folder.seen.get(name)
            if file is None:
                file = self._by_inode[more["inode"]] = _File()
                folder.change({name: file})
            if more["emptied"] and isinstance(file, _File):
                file.change(0, None)
        elif kind == "mkdir":
            made = self._by_inode[more["inode"]] = _Folder()
            folder.change({name: made})
        elif kind == "rename":
            other, new = self._at(more["target"])
            if other is folder:
                folder.change({name: None, new: folder.seen[name]})
            else:
                other.change({new: folder.seen[name]})
                folder.change({name: None})
        elif kind in {"unlink", "rmdir"}:
            folder.change({name: None})

    def _at(self, path: str) -> tuple[_Folder, str]:
        *above, name = Path(path).relative_to(self._root).parts
        folder = self._top
        for part in above:
            below = folder.seen[part]
            assert isinstance(below, _Folder)
            folder = below
        return folder, name

    def seen(self) -> Tree:
        """Return what the program sees now."""
        return dict(_walked(self._top, "", lambda folder: folder.seen, lambda file: file.seen))

    def cut(self, seed: int) -> Tree:
        """Return what may be left when the power goes now.

        The first three seeds are the extremes: all that was not flushed is lost; the names are
        there without the bytes; the bytes are there without the names.
        """
        dice = random.Random(seed)
        names, content = {0: (0.0, 0.0), 1: (1.0, 0.0), 2: (0.0, 1.0)}.get(seed, (0.5, 0.5))
        return dict(
            _walked(
                self._top,
                "",
                lambda folder: folder.left(dice, names),
                lambda file: file.left(dice, content),
            )
        )


def _walked(folder: _Folder, path: str, names: Any, content: Any) -> Iterator[tuple[str, Any]]:
    for name, what in names(folder).items():
        below = f"{path}/{name}" if path else name
        if isinstance(what, _Folder):
            yield below, None
            yield from _walked(what, below, names, content)
        else:
            yield below, content(what)


def trace(path: Path, root: Path) -> Iterator[dict[str, Any]]:
    """Read the operations and promises of a run, those of a folder and below."""
    for line in path.read_text().splitlines():
        event = json.loads(line)
        if Path(event["path"]).is_relative_to(os.path.realpath(root)):
            yield event


def lay_out(tree: Tree, root: Path) -> None:
    """Put what was left onto a real disk, with the modes that the program gives."""
    for name, content in tree.items():
        path = root / name
        if content is None:
            path.mkdir(mode=0o700)
        else:
            path.write_bytes(content)
            path.chmod(0o600)
