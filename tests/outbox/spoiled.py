"""Runs the command line again and again in forks, each spoiled at another step of its sending.

Reads tasks from standard input, one JSON object a line: ``words`` of the command line, ``now``,
``at`` and ``how``. The steps are each line that goes to the mail server, in two halves, and each
statement of the send ledger, before and after. At step ``at`` the process is killed, or from
there on the disk is full. Answers with the exit code, or minus the signal, and how many steps
there were.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import smtplib
import sqlite3
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

from maxo_reports import cli, engine  # noqa: E402
from maxo_reports.cli import clock  # noqa: E402
from maxo_reports.outbox import ledger  # noqa: E402


class Steps:
    """Counts the steps of this process, and spoils it at one."""

    def __init__(self, at: int, how: str) -> None:
        self._at, self._how, self.seen = at, how, 0

    def step(self) -> None:
        """Count one; this may be the one."""
        self.seen += 1
        if self.seen != self._at:
            return
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        # Every file that grows or is written from here on is too large.
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def install(self) -> None:
        """Stand before the mail server and the ledger for the rest of this process."""
        steps, sent = self, smtplib.SMTP.send

        def send(self: smtplib.SMTP, what: bytes | str) -> None:
            half = len(what) // 2
            steps.step()
            sent(self, what[:half])
            steps.step()
            sent(self, what[half:])
            steps.step()

        smtplib.SMTP.send = send  # type: ignore[method-assign, assignment]
        connect = sqlite3.connect

        class Counted(sqlite3.Connection):
            def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # type: ignore[override]
                steps.step()
                return super().execute(sql, *values)

            def commit(self) -> None:
                steps.step()
                super().commit()
                steps.step()

        def connected(*where: Any, **more: Any) -> sqlite3.Connection:
            return connect(*where, factory=Counted, **more)

        ledger.sqlite3.connect = connected  # type: ignore[assignment]


def main() -> None:
    """Serve tasks until there are no more."""
    assert engine
    _say("loaded")
    for line in sys.stdin:
        task = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            steps = Steps(task["at"], task["how"])
            steps.install()
            os.write(writing, _run(task, steps))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as report:
            said = report.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        _say(said or json.dumps({"code": code, "steps": 0, "out": ""}))


def _run(task: dict[str, Any], steps: Steps) -> bytes:
    clock.now = lambda: task["now"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = cli.main(task["words"])
    return json.dumps({"code": code, "steps": steps.seen, "out": out.getvalue()}).encode()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
