"""Refreshes a workbook again and again in forks, each of which is killed at another moment.

    python killed.py BOOK RESULT

The moments are the program's own operations on files: each opening, write, flush, rename, change
of mode and removal. For every one of them the result, in JSON, says what the folder then holds.
Loads all before the first fork, and starts no thread, which a fork would lose.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from books import NOW, month  # noqa: E402

from maxo_reports.refresh import refresh  # noqa: E402

_CALLS = ("rename", "replace", "fsync", "chmod", "unlink")


class Killing:
    """Counts operations, and kills the process just before one of them."""

    def __init__(self, at: int) -> None:
        self._at, self.seen = at, 0

    def install(self) -> None:
        """Replace the operations for the rest of this process."""
        for name in _CALLS:
            setattr(os, name, self._before(getattr(os, name)))
        os.open = self._before(os.open)  # type: ignore[assignment]
        opened = io.open

        def opening(file: Any, mode: str = "r", *more: Any, **also: Any) -> Any:
            if "w" not in mode:
                return opened(file, mode, *more, **also)
            self.step()
            raw = opened(file, mode, 0)
            raw_write = raw.write
            whole = _Counted(raw, raw_write, self)
            return io.BufferedRandom(whole) if "+" in mode else io.BufferedWriter(whole)

        builtins.open = io.open = opening  # type: ignore[assignment]

    def _before(self, operation: Any) -> Any:
        def done(*words: Any, **more: Any) -> Any:
            self.step()
            return operation(*words, **more)

        return done

    def step(self) -> None:
        """Count one; this may be the last."""
        self.seen += 1
        if self.seen == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class _Counted(io.RawIOBase):
    """A file whose every write can be the moment, half of it done."""

    def __init__(self, raw: Any, write: Any, killing: Killing) -> None:
        self._raw, self._write, self._killing = raw, write, killing

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        number: int = self._raw.fileno()
        return number

    def seek(self, offset: int, whence: int = 0) -> int:
        at: int = self._raw.seek(offset, whence)
        return at

    def tell(self) -> int:
        at: int = self._raw.tell()
        return at

    def write(self, content: Any) -> int:
        half = len(content) // 2
        self._write(bytes(content[:half]))
        self._killing.step()
        self._write(bytes(content[half:]))
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def main() -> None:
    """Kill at the first moment, the second, and so on until a refresh comes to its end."""
    book, result = map(Path, sys.argv[1:])
    before, report = book.read_bytes(), month(40)
    told = []
    for at in range(1, 1_000):
        for path in book.parent.iterdir():
            path.unlink()
        book.write_bytes(before)
        pid = os.fork()
        if not pid:
            Killing(at).install()
            refresh(book, report, NOW)
            os._exit(0)
        status = os.waitpid(pid, 0)[1]
        held = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in book.parent.iterdir()
        }
        told.append({"status": status, "held": held})
        if not os.WIFSIGNALED(status):
            break
    result.write_text(json.dumps(told))


if __name__ == "__main__":
    main()
