"""What the program promises, noted in the trace; and write protocols that do not keep it.

A function of the write protocol that has returned has promised that its file or folder will be
there after a power cut. The broken protocols show that the model of power cuts finds such losses.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interpose import Operations

from maxo_reports import pack
from maxo_reports.archive import files
from maxo_reports.archive.pulls import Pull
from maxo_reports.archive.replies import Replies
from maxo_reports.engine import packs


def install(broken: str, operations: Operations) -> None:
    """Note every promise in the trace, for the rest of this process; break the protocol first."""
    if broken:
        BROKEN[broken]()

    def promising(owner: Any, name: str, place: Callable[..., Path]) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **more: Any) -> Any:
            found = real(*args, **more)
            operations.note(
                "promise", by=name, path=os.path.normpath(Path.cwd() / place(found, *args))
            )
            return found

        setattr(owner, name, call)

    promising(files, "put", lambda _, path, *__: path)
    promising(Replies, "keep", lambda sha256, self, _: self.path(sha256))
    promising(Pull, "finish", lambda _, self, __: self.folder / "done.json")
    promising(pack, "seal", lambda sealed, *_: sealed.folder)
    # Also where the last revision stands: whoever is told so relies on it.
    promising(packs, "issue", lambda outcome, *_: outcome.pack.folder)


def _in_place() -> None:
    def put(path: Path, content: bytes) -> None:
        files.make_folder(path.parent)
        path.write_bytes(content)
        files.sync_file(path)
        files.sync_folder(path.parent)

    files.put = put


def _renamed_first() -> None:
    def put(path: Path, content: bytes) -> None:
        files.make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            Path(name).replace(path)
            os.fsync(file.fileno())
        files.sync_folder(path.parent)

    files.put = put


def _without_flush() -> None:
    os.fsync = lambda _: None  # type: ignore[assignment]


def _without_folders() -> None:
    files.sync_folder = lambda _: None


def _untidy() -> None:
    files.tidy = pack.tidy = lambda _: None


BROKEN: dict[str, Callable[[], None]] = {
    "written in place": _in_place,
    "never flushed": _without_flush,
    "folders not flushed": _without_folders,
    "renamed before the flush": _renamed_first,
    "not put in order after a kill": _untidy,
}
