"""Commands about the number directory: check, suggest."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import saying, words, work
from maxo_reports.errors import DONE

if TYPE_CHECKING:
    from maxo_reports.core.directory import Directory
    from maxo_reports.engine import Job
    from maxo_reports.suggested import Unlisted


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        "directory", help="look after who has which number: check, suggest"
    )
    tasks = verb.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = words.verb(tasks, "check", _check, "read the directory and tell every mistake in it")
    words.add_which(check)
    does = "write the numbers seen in a period of the archive but not listed"
    suggest = words.verb(tasks, "suggest", _suggest, does)
    words.add_what(suggest)
    suggest.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="a new .csv or .xlsx file (default: CSV on standard output)",
    )
    suggest.set_defaults(offline=True)


def _check(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    workspace, accounts = work.accounts(arguments)
    for path, directory in engine.directories_of(workspace, accounts):
        saying.say(f"{path}: {_said(directory)}")
    return DONE


def _said(directory: Directory) -> str:
    from maxo_reports.core.directory import ALLOCATIONS
    from maxo_reports.core.text import counted

    kinds = Counter(
        "range" if not entry.span.is_single else entry.span.family for entry in directory.entries
    )
    parts = [counted(count, kind) for kind, count in sorted(kinds.items())]
    for name, heading in ALLOCATIONS.items():
        values = {getattr(entry, name) for entry in directory.entries} - {""}
        parts.append(counted(len(values), heading.lower()))
    return ", ".join(parts)


def _suggest(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, suggested

    found: list[Unlisted] = []
    if arguments.to is not None:
        suggested.check(arguments.to)
    with work.progress() as progress:

        def one(job: Job) -> None:
            found.extend(engine.suggest(job))

        jobs = work.jobs(arguments, progress)
        failed = saying.each([(job.account.id, partial(one, job)) for job in jobs])
    if arguments.to is None:
        saying.say(suggested.as_csv(found).rstrip("\n"))
    elif found:
        suggested.write(arguments.to, found)
        saying.say(str(arguments.to))
    print(f"maxo-reports: {_unlisted(found)}", file=sys.stderr)
    return saying.worst(failed, DONE)


def _unlisted(found: list[Unlisted]) -> str:
    from decimal import Decimal

    from maxo_reports.core.money import to_text
    from maxo_reports.core.text import counted

    if not found:
        return "every number is listed"
    calls = counted(sum(each.calls for each in found), "call")
    cost = to_text(sum((each.cost for each in found), Decimal(0)), 4, "$")
    return f"{counted(len(found), 'number')} not listed: {calls}, {cost}"
