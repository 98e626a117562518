"""What is printed, and what becomes of an account's trouble.

Results go to standard output; progress and trouble to standard error, one line each.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from maxo_reports.core.text import visible
from maxo_reports.errors import MaxoReportsError

Failed = list[tuple[str, MaxoReportsError]]
"""The accounts that failed, each with its trouble."""
_LONGEST_LINE = 4_000


def say(*lines: str) -> None:
    """Print lines on standard output, now: a reader that has gone is noticed here.

    Closing it quietly is what is expected of a filter; what was asked for is done all the same,
    and the exit code is that of the work.
    """
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(problem: MaxoReportsError, where: str = "") -> None:
    """Say what ended a run, in one line on standard error, with nothing unseen in it."""
    line = visible(f"{where}{problem}", _LONGEST_LINE)
    print(f"maxo-reports: {line}", file=sys.stderr)


def each(tasks: Sequence[tuple[str, Callable[[], None]]]) -> Failed:
    """Do what is to be done for each account; one's trouble must not keep the others back."""
    failed: Failed = []
    for account, task in tasks:
        try:
            task()
        except MaxoReportsError as problem:
            if len(tasks) == 1:
                raise
            failed.append((account, problem))
    return failed


def worst(failed: Failed, code: int) -> int:
    """Say which accounts failed, and return the exit code of all."""
    for account, why in failed:
        complain(why, f"account {account!r}: ")
    return max([why.exit_code for _, why in failed], default=code)


def print_accounts(objects: Sequence[dict[str, Any]], failed: Failed) -> None:
    """Print one object with what came of each account, and which ones failed."""
    errors = [{"account": account, "error": str(problem)} for account, problem in failed]
    say(json.dumps({"accounts": objects, **({"errors": errors} if errors else {})}, indent=1))
