"""Commands on prices: ratecard check, ratecard infer."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import figures, saying, words, work
from maxo_reports.errors import DONE, FINDINGS, UsageError

if TYPE_CHECKING:
    from maxo_reports.bundle import Sealed
    from maxo_reports.core.report import Source
    from maxo_reports.engine import Job


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        "ratecard", help="hold the calls against a rate card, or find the rates they show"
    )
    tasks = verb.add_subparsers(title="commands", metavar="COMMAND", required=True)
    does = "re-rate a period's calls by a rate card and list over- and undercharges"
    check = words.verb(tasks, "check", _check, does)
    words.add_what(check)
    check.add_argument(
        "--card", type=Path, required=True, metavar="FILE", help="a .csv, .xlsx or .toml"
    )
    check.add_argument(
        "--tolerance",
        default="0",
        metavar="DOLLARS",
        help="a difference of a call that does not matter (default: 0)",
    )
    words.add_json(check)
    infer = words.verb(
        tasks,
        "infer",
        _infer,
        "find the fee, rate and increments that explain the most calls of each category",
    )
    words.add_what(infer)
    infer.add_argument(
        "--write", type=Path, metavar="FILE", help="also write the models as a rate card (CSV)"
    )
    words.add_json(infer)
    for task in (check, infer):
        task.set_defaults(offline=True)


def _check(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine
    from maxo_reports.core.money import micros_from_text
    from maxo_reports.core.rates import rerating

    tolerance = micros_from_text(arguments.tolerance)
    if tolerance is None or tolerance < 0:
        raise UsageError(f"--tolerance must be dollars such as 0.01, not {arguments.tolerance!r}")

    def one(job: Job) -> tuple[Source, Sealed, Sequence[str], dict[str, Any]]:
        done = engine.check_card(job, arguments.card, tolerance)
        return done.source, done.sealed, rerating.words(done.found), engine.checked_json(done)

    return _each(arguments, one)


def _infer(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    if arguments.write is not None and (arguments.all or len(arguments.account) > 1):
        raise UsageError("--write makes one card: name one account")

    def one(job: Job) -> tuple[Source, Sealed, Sequence[str], dict[str, Any]]:
        done = engine.infer_rates(job)
        if arguments.write is not None:
            engine.write_card(done.guesses, arguments.write)
        return done.source, done.sealed, engine.model_lines(done), engine.inferred_json(done)

    return _each(arguments, one)


def _each(
    arguments: argparse.Namespace,
    task: Callable[[Job], tuple[Source, Sealed, Sequence[str], dict[str, Any]]],
) -> int:
    """Do a task for each account, print what came of it, and return the exit code."""
    from maxo_reports.core.checks import needs_a_person

    objects: list[dict[str, Any]] = []
    asks = False

    def one(job: Job) -> None:
        nonlocal asks
        source, sealed, said, as_json = task(job)
        objects.append(as_json)
        asks = asks or needs_a_person(sealed.findings)
        if not arguments.json:
            heading = source.heading
            lines = figures.figures(
                heading.account_name, heading.period, heading.state, source.ledger, sealed.findings
            )
            if sealed.unchanged:
                lines.append(f"  nothing has changed: revision {sealed.pack.revision} stands")
            saying.say(*lines, *(f"  {line}" for line in said))
            saying.say(*(f"  {path}" for path in sealed.pack.files))

    with work.progress() as progress:
        jobs = work.jobs(arguments, progress)
        failed = saying.each([(job.account.id, partial(one, job)) for job in jobs])
    if arguments.json:
        saying.print_objects(objects, failed)
    return saying.worst(failed, FINDINGS if asks else DONE)
