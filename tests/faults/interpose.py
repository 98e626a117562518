"""Stands between the program and its files: counts every operation, and spoils one of them.

Files that Python writes, whoever asks for them (openpyxl, zipfile, csv, pyarrow through a buffer),
go through ``io.open`` and ``os``; both are replaced here, in a process that lives for one run
only. A file's bytes are counted where they leave for the system, not where they are buffered.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import signal
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGING = ("open", "write", "truncate", "fsync", "rename", "mkdir", "unlink", "rmdir", "chmod")
LOOKING = ("read", "list")
"""Opening to read, and listing a folder: nothing to kill at, but they can fail."""
_CREATES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_REAL_WRITE = os.write


@dataclass(frozen=True)
class Spoil:
    """What goes wrong: at operation ``at`` (from 1), or from it on where ``stays`` is set.

    ``how`` is ``kill`` (before the operation), ``half`` (kill in the middle of a write, before
    any other operation) or the number of a system's error. ``kinds`` are the operations counted;
    where ``stays`` names kinds, every later one of these fails, too.
    """

    at: int = 0
    how: str | int = "kill"
    kinds: tuple[str, ...] = CHANGING
    stays: tuple[str, ...] = ()


class Operations:
    """The file operations under one folder."""

    def __init__(self, root: Path, spoil: Spoil, trace: Path | None) -> None:
        self._root = os.path.realpath(root)
        self._spoil = spoil
        self._lock = threading.Lock()
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if trace else None
        self.seen: list[str] = []
        """The kind and path of each operation that was counted, in order."""

    def install(self) -> None:
        """Replace the operations for the rest of this process."""
        real_open = io.open

        def opened(
            file: Any, mode: str = "r", buffering: int = -1, *more: Any, **also: Any
        ) -> Any:
            where = self._inside(file)
            if where is not None and set(mode) & set("wxa+"):
                return self._opened(where, file, mode, buffering, *more, **also)
            if where is not None:
                self.step("read", where)
            return real_open(file, mode, buffering, *more, **also)

        builtins.open = io.open = opened  # type: ignore[assignment]
        for name, kind in _PATHS.items():
            setattr(os, name, self._on_path(name, kind, getattr(os, name)))
        os.rename = os.replace = self._renaming(os.replace)
        os.fsync = self._syncing(os.fsync)
        os.open = self._opening(os.open)
        os.scandir = self._looking("list", os.scandir)
        os.listdir = self._looking("list", os.listdir)

    def step(self, kind: str, where: str, half: Callable[[], object] | None = None) -> None:
        """Count an operation that is about to be done; ``half`` does the first half of it."""
        with self._lock:
            spoil = self._spoil
            if kind not in spoil.kinds:
                return
            self.seen.append(f"{kind} {os.path.relpath(where, self._root)}")
            at = len(self.seen)
            if at == spoil.at or (spoil.at and at > spoil.at and kind in spoil.stays):
                if half is not None and spoil.how != "kill":
                    half()
                if isinstance(spoil.how, int):
                    raise OSError(spoil.how, os.strerror(spoil.how), where)
                os.kill(os.getpid(), signal.SIGKILL)

    def note(self, kind: str, **what: object) -> None:
        """Write a finished operation, or what the program was told, into the trace."""
        if self._trace is not None:
            _REAL_WRITE(self._trace, (json.dumps({"kind": kind, **what}) + "\n").encode())

    def _inside(self, file: Any, folder: int | None = None) -> str | None:
        """Return the path under the folder that a path or handle stands for, or None."""
        if isinstance(file, int):
            path = _name(file)
        else:
            path = os.fspath(file)
            path = path.decode() if isinstance(path, bytes) else path
            base = Path.cwd() if folder is None else Path(_name(folder))
            path = os.path.normpath(base / path)
        return path if path.startswith(self._root + os.sep) or path == self._root else None

    def _opened(
        self,
        where: str,
        file: Any,
        mode: str,
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        """Open as ``io.open`` does, over a raw file that is counted."""
        named = opener is None and not isinstance(file, int)  # else os.open has counted it
        if named:
            self.step("open", where)
        raw = _Raw(self, file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if named:
            self.note("open", path=where, inode=raw.inode, emptied="w" in mode)
        if buffering == 0:
            return raw
        buffer = io.BufferedRandom if "+" in mode else io.BufferedWriter
        found = buffer(raw, raw.block if buffering < 2 else buffering)
        return found if "b" in mode else io.TextIOWrapper(found, encoding, errors, newline)

    def _opening(self, real: Callable[..., int]) -> Callable[..., int]:
        def opening(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            where = self._inside(path, dir_fd)
            writes = bool(flags & _CREATES)
            if where is not None:
                self.step("open" if writes else "read", where)
            handle = real(path, flags, mode, dir_fd=dir_fd)
            if where is not None and writes:
                emptied = bool(flags & os.O_TRUNC)
                self.note("open", path=where, inode=os.fstat(handle).st_ino, emptied=emptied)
            return handle

        return opening

    def _looking(self, kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def looking(path: Any = ".") -> Any:
            where = self._inside(path)
            if where is not None:
                self.step(kind, where)
            return real(path)

        return looking

    def _on_path(self, name: str, kind: str, real: Callable[..., object]) -> Callable[..., object]:
        def on_path(path: Any, *more: Any, **also: Any) -> object:
            where = self._inside(path, also.get("dir_fd"))
            if where is None:
                return real(path, *more, **also)
            self.step(kind, where)
            found = real(path, *more, **also)
            made = {"inode": Path(where).stat().st_ino} if kind == "mkdir" else {}
            self.note(kind, path=where, **made)
            return found

        return on_path

    def _renaming(self, real: Callable[..., None]) -> Callable[..., None]:
        def renaming(source: Any, target: Any, **also: Any) -> None:
            old, new = self._inside(source), self._inside(target)
            if old is not None:
                self.step("rename", old)
            real(source, target, **also)
            if old is not None:
                self.note("rename", path=old, target=new)

        return renaming

    def _syncing(self, real: Callable[[Any], None]) -> Callable[[Any], None]:
        def syncing(file: Any) -> None:
            handle = file if isinstance(file, int) else file.fileno()
            where = self._inside(handle)
            if where is not None:
                self.step("fsync", where)
            real(handle)
            if where is not None:
                self.note("fsync", path=where, inode=os.fstat(handle).st_ino)

        return syncing


def _name(handle: int) -> str:
    """Return the path of an open file, as it is now."""
    return str(Path(f"/proc/self/fd/{handle}").readlink())


_PATHS = {
    "mkdir": "mkdir",
    "unlink": "unlink",
    "remove": "unlink",
    "rmdir": "rmdir",
    "chmod": "chmod",
}


class _Raw(io.FileIO):
    """A file without a buffer, whose writes are counted."""

    def __init__(
        self, operations: Operations, file: Any, mode: str, closefd: bool, opener: Any
    ) -> None:
        super().__init__(file, mode, closefd, opener)
        found = os.fstat(self.fileno())
        self._operations = operations
        self.inode, self.block = found.st_ino, found.st_blksize

    def write(self, content: Any, /) -> int:
        half = bytes(content)[: len(content) // 2]
        where = _name(self.fileno())
        self._operations.step("write", where, lambda: self._written(where, half))
        return self._written(where, bytes(content))

    def _written(self, where: str, content: bytes) -> int:
        begin = os.fstat(self.fileno()).st_size if "a" in self.mode else self.tell()
        done = super().write(content)
        assert done is not None
        text = b64encode(content[:done]).decode()
        self._operations.note("write", path=where, inode=self.inode, offset=begin, content=text)
        return done

    def truncate(self, size: int | None = None, /) -> int:
        where = _name(self.fileno())
        self._operations.step("truncate", where)
        done = super().truncate(size)
        self._operations.note("truncate", path=where, inode=self.inode, size=done)
        return done
