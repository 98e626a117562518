"""Runs the program again and again, each time in a process of its own that may be killed.

Started as a script it loads everything once and then forks a child for each run: a fork takes
milliseconds, loading takes a second. It starts no thread, since a fork would lose it.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import subprocess
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

sys.path.append(str(Path(__file__).parents[1]))

import protocols
from interpose import Operations, Spoil

LOADED = (
    "maxo_reports.engine",
    "maxo_reports.sandbox",
    "maxo_reports.render.pdf",
    "maxo_reports.render.xlsx",
    "weasyprint",
)
LIMITED = ("carrier", "crosscheck", "engine.asking", "pull")
"""The modules that know how many calls a reply can hold."""


@dataclass(frozen=True)
class Task:
    """One run: the command line's words, in a workspace, at a moment, with what goes wrong."""

    words: tuple[str, ...]
    root: str
    now: int
    limit: int
    key: str
    spoil: Spoil = field(default_factory=Spoil)
    trace: str | None = None
    protocol: str = ""


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code (minus the signal that killed it), what it said and did."""

    code: int
    out: str = ""
    err: str = ""
    seen: tuple[str, ...] = ()


class Forks:
    """The loaded process; ``run`` has it fork one run, or several at once."""

    def __enter__(self) -> Self:
        """Start it and wait until it has loaded."""
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "loaded\n"
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._server.communicate()

    def run(self, task: Task) -> Ended:
        """Run one task to its end."""
        return self.race([task])[0]

    def race(self, tasks: list[Task]) -> list[Ended]:
        """Run several tasks at the same time."""
        self.start(tasks)
        return self.ended()

    def start(self, tasks: list[Task]) -> None:
        """Start tasks without waiting for them."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps([asdict(task) for task in tasks]) + "\n")
        self._server.stdin.flush()

    def ended(self) -> list[Ended]:
        """Wait for the tasks that were started."""
        assert self._server.stdout is not None
        found = json.loads(self._server.stdout.readline())
        return [Ended(**{**each, "seen": tuple(each["seen"])}) for each in found]


# ---- in the loaded process ------------------------------------------------------------------


def _serve() -> None:
    import importlib
    import threading

    for name in LOADED:
        importlib.import_module(name)
    _warm_up()
    gc.freeze()
    assert threading.active_count() == 1, "a thread would be lost in the forks"
    _say("loaded")
    for line in sys.stdin:
        ends = []
        for child, pipe in [_fork(task) for task in json.loads(line)]:
            with os.fdopen(pipe, "r") as report:
                said = report.read()
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            ends.append(json.loads(said) if said else asdict(Ended(code)))
        _say(json.dumps(ends))
    # DuckDB's library would list on the way out what it thinks has leaked.
    os._exit(0)


def _warm_up() -> None:
    """Set one page, so that what WeasyPrint loads and reads at its first page is there."""
    import reports
    from maxo_reports.render import pdf

    with tempfile.TemporaryDirectory() as scratch:
        small = reports.statement(reports.made_up_calls(3, reports.month()))
        pdf.render(small, reports.STYLE, Path(scratch) / "page.pdf")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fork(task: dict[str, Any]) -> tuple[int, int]:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    try:
        said = json.dumps(_run(task)).encode()
        while said:
            said = said[os.write(writing, said) :]
    except BaseException:  # noqa: BLE001 - a test that cannot spoil a run must not pass
        traceback.print_exc()
        os._exit(98)
    os._exit(0)


def _run(task: dict[str, Any]) -> dict[str, Any]:
    """Run the command line with the given clock and limit, its file operations counted."""
    from importlib import import_module

    from maxo_reports import cli
    from maxo_reports.cli import clock

    for name in LIMITED:
        import_module(f"maxo_reports.{name}").LIMIT = task["limit"]
    clock.now = lambda: task["now"]
    os.environ["MAXO_API_KEY"] = task["key"]
    root = Path(task["root"])
    tempfile.tempdir = str(root / "tmp")
    trace = Path(task["trace"]) if task["trace"] else None
    spoil = {**task["spoil"], "kinds": tuple(task["spoil"]["kinds"])}
    operations = Operations(root, Spoil(**spoil), trace)
    operations.install()
    protocols.install(task["protocol"], operations)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(["-C", str(root / "books"), *task["words"]])
        except BaseException:  # noqa: BLE001 - whatever it is, the test is told
            code = 99
            traceback.print_exc()
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "seen": operations.seen}


if __name__ == "__main__":
    _serve()
