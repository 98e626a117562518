"""Writing files so that a kill, a full disk or a power cut leaves the old one or the new one.

The protocol is: write a temporary file in the same folder, flush it to the disk, rename it
into place, flush the folder. Leaving out any of these steps loses data in some power cut.
Everything is private to the user (files 0600, folders 0700): it holds telephone numbers.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from maxo_reports.errors import ArchiveError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
TEMPORARY = ".tmp-"
"""How the names of files begin that are still being written, or that a kill has left behind."""
_ENDED = b"ended"
_MAKING = threading.RLock()
"""Held while a folder is made: no lane may build on one whose name is not on the disk yet."""


@contextlib.contextmanager
def disk_trouble(what: str, path: Path) -> Iterator[None]:
    """Turn an operating-system error into one line that names what failed, where and why."""
    try:
        yield
    except OSError as problem:
        why = problem.strerror or type(problem).__name__
        message = f"cannot {what} {path}: {why}; check the folder, its permissions and the disk"
        raise ArchiveError(message) from None


def make_folder(path: Path) -> None:
    """Make a folder and its parents, private to the user; one that is there is left as it is.

    Each new one is durable: a file flushed into a folder that a power cut takes away is lost.
    """
    with disk_trouble("make the folder", path), _MAKING:
        if not path.is_dir():
            # One by one: mkdir(parents=True) would leave the parents open to other users.
            if path.parent != path:
                make_folder(path.parent)
            path.mkdir(mode=FOLDER_MODE, exist_ok=True)
            sync_folder(path.parent)


def put(path: Path, content: bytes) -> None:
    """Write a whole file durably and atomically; afterwards it is there even after a power cut."""
    make_folder(path.parent)
    with disk_trouble("write", path), draft_of(path) as draft:
        draft.write_bytes(content)
        move_into_place(draft, path)


@contextlib.contextmanager
def draft_of(path: Path, suffix: str = "") -> Iterator[Path]:
    """Give an empty, private file beside a path; it is gone at the end unless it was moved.

    Without a ``suffix`` no draft that a kill leaves can be taken for a file of the path's kind.
    """
    prefix = draft_prefix(path)
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=path.parent)
    os.close(handle)
    draft = Path(name)  # made 0600
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def draft_prefix(path: Path) -> str:
    """Return how the names of a path's drafts begin."""
    return f"{TEMPORARY}{path.name[:60]}-"


def move_into_place(draft: Path, path: Path) -> None:
    """Put a written file in another's place, durably: whoever looks sees the one or the other."""
    sync_file(draft)
    draft.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Flush a written file to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to the disk, where the system has such a thing."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle(folder: Path) -> None:
    """Flush a folder, and those above it that we may have made.

    What a killed run renamed or made can be seen, but a power cut can still take it back, and
    with it whatever is built on it.
    """
    sync_folder(folder)
    for made in (folder, *folder.parents):
        if stat.S_IMODE(made.stat().st_mode) != FOLDER_MODE:
            break
        sync_folder(made.parent)


def entries(folder: Path) -> list[Path]:
    """Return what is in a folder, by name; nothing where there is no such folder.

    One that cannot be read is trouble: ``glob`` would take it for empty.
    """
    with disk_trouble("read the folder", folder):
        try:
            return sorted(folder.iterdir())
        except FileNotFoundError:
            return []


def tidy(folder: Path) -> None:
    """Put right what a killed run left in a folder: temporary files go, the rest is settled.

    Whoever calls this holds the folder's lock: another run's temporary files look the same.
    """
    with disk_trouble("put in order", folder):
        _sweep(folder)
        settle(folder)


def _sweep(folder: Path) -> None:
    """Remove temporary files in a folder and all below it, and flush what stays."""
    for path in entries(folder):
        if path.name.startswith(TEMPORARY):
            path.unlink()
        elif path.is_dir() and not path.is_symlink():
            _sweep(path)
            sync_folder(path)


@contextlib.contextmanager
def only_one(path: Path, what: str, folder: Path | None = None) -> Iterator[None]:
    """Hold a lock file while the body runs; refuse at once when another process holds it.

    The lock is the system's and goes with the process, so a killed run leaves none behind. What
    it leaves is its number in the file, where a run that came to a good end says so: if it did
    not, ``folder`` is put in order first. Without a folder that is left to a later holder.
    """
    make_folder(path.parent)
    with disk_trouble("open the lock", path):
        # Without a buffer, which would try again, on closing, what has failed.
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE), "r+b", buffering=0)
    with file:
        with disk_trouble("lock", path):
            is_ours = _lock(file.fileno())
            said = file.read(32).strip()
            if is_ours:
                _say(file, b"%d" % os.getpid())
                os.fsync(file.fileno())
        if not is_ours:
            who = f" (process {said.decode()})" if said.isdigit() else ""
            message = f"another run{who} is working on {what}: wait until it has ended"
            raise ArchiveError(f"{message}, then try again")
        if folder is not None and said != _ENDED:
            tidy(folder)
            said = _ENDED
        yield
        # All is done. If this cannot be written, the next run looks for leftovers in vain.
        with contextlib.suppress(OSError):
            _say(file, said)


def _say(file: BinaryIO, word: bytes) -> None:
    """Write over what the lock file says; always as long, so that a full disk has room for it."""
    file.seek(0)
    file.write(b"%-20b\n" % word)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
