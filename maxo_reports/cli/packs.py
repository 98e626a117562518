"""Commands that make and read packs: demo, run, pull, refresh, verify."""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import figures, saying, words, work
from maxo_reports.core.text import counted
from maxo_reports.errors import DONE, FINDINGS, UsageError

if TYPE_CHECKING:
    from maxo_reports.engine import Job, Outcome


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    _add_demo(verbs)
    _add_run(verbs)
    _add_pull(verbs)
    _add_refresh(verbs)
    _add_verify(verbs)


def _add_demo(verbs: Any) -> None:
    verb = words.verb(verbs, "demo", _demo, "the whole main job on the sample month; needs no key")
    verb.add_argument("--out", type=Path, default=Path("demo-out"), metavar="DIR")
    words.add_json(verb)


def _add_run(verbs: Any) -> None:
    verb = words.verb(verbs, "run", _run, "pull, check, render and seal the reports of a period")
    words.add_what(verb)
    words.add_reports(verb)
    verb.add_argument("--out", type=Path, metavar="DIR", help="where the pack goes")
    verb.add_argument(
        "--offline", action="store_true", help="rebuild from the archive; ask the carrier nothing"
    )
    words.add_json(verb)


def _add_pull(verbs: Any) -> None:
    verb = words.verb(
        verbs, "pull", _pull, "pull a period into the archive: the first half of run"
    )
    words.add_what(verb)


def _add_refresh(verbs: Any) -> None:
    does = "fill the tables and names of your own workbook with a period's figures"
    verb = words.verb(verbs, "refresh", _refresh, does)
    verb.add_argument(
        "book", type=Path, metavar="BOOK", help="an .xlsx or .xlsm; a backup is kept"
    )
    verb.add_argument("period", metavar="PERIOD", help=words.PERIOD)
    verb.add_argument(
        "--account", nargs=1, metavar="A", default=[], help="of maxo.toml (default: the only one)"
    )
    verb.add_argument(
        "--report",
        metavar="R",
        default="statement",
        help="the report whose sections the tables are named after (default: statement)",
    )
    verb.add_argument(
        "--pull", action="store_true", help="ask the carrier first, as run does (default: archive)"
    )
    words.add_json(verb)
    verb.set_defaults(all=False)


def _add_verify(verbs: Any) -> None:
    verb = words.verb(
        verbs, "verify", _verify, "read every file of a sealed pack against its manifest"
    )
    verb.add_argument("pack", type=Path, metavar="PACK")
    verb.add_argument(
        "--rebuild",
        action="store_true",
        help="make it again from the archive and compare every byte (needs its workspace, -C)",
    )


def _demo(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    with work.progress() as progress:
        outcome = engine.demo(arguments.out, progress)
    return figures.report([outcome], as_json=arguments.json)


def _run(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    reports = tuple(dict.fromkeys(arguments.report)) or engine.DEFAULT_REPORTS
    outcomes: list[Outcome] = []

    def one(job: Job) -> None:
        outcomes.append(engine.run(job, reports, offline=arguments.offline))

    with work.progress() as progress:
        jobs = work.jobs(arguments, progress)
        failed = saying.each([(job.account.id, partial(one, job)) for job in jobs])
    code = figures.report(outcomes, failed, as_json=arguments.json)
    return saying.worst(failed, code)


def _pull(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    def one(job: Job) -> None:
        accepted = engine.pull_period(job).accepted()
        records = sum(answer.count for answer in accepted)
        said = f"{counted(records, 'record')} in {counted(len(accepted), 'window')}"
        saying.say(f"{job.account.id} {job.period.label}: {said}")

    with work.progress() as progress:
        jobs = work.jobs(arguments, progress)
        failed = saying.each([(job.account.id, partial(one, job)) for job in jobs])
    return saying.worst(failed, DONE)


def _refresh(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told
    from maxo_reports.core.checks import needs_a_person

    arguments.offline = not arguments.pull
    with work.progress() as progress:
        (job,) = work.jobs(arguments, progress)
        source, done = engine.refresh(job, arguments.book, arguments.report, asks=arguments.pull)
    if arguments.json:
        print(json.dumps(told.refreshed_json(source, done), indent=1))
    else:
        heading = source.heading
        lines = figures.figures(
            heading.account_name, heading.period, heading.state, source.ledger, source.findings
        )
        print("\n".join([*lines, *told.refreshed(done)]))
    return FINDINGS if needs_a_person(source.findings) else DONE


def _verify(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    if engine.is_bundle(arguments.pack):
        if arguments.rebuild:
            raise UsageError("--rebuild is for packs: name the bundle's data/statement")
        there = engine.verify_bundle(arguments.pack)
        saying.say(f"{arguments.pack}: {counted(len(there), 'file')}, unchanged since issued")
        saying.say("calls, seconds and cost agree in every part")
        return DONE
    checked = engine.verify(arguments.pack)
    saying.say(f"{checked.folder}: {counted(len(checked.files), 'file')}, unchanged since issued")
    of_bill = checked.manifest.get("kind") == "reconciliation"
    figures_of = "calls, bill and every class" if of_bill else "calls, seconds and cost"
    saying.say(f"{figures_of} agree in every file")
    if arguments.rebuild:
        from maxo_reports import config

        workspace = config.load(arguments.workspace, os.environ)
        with work.progress() as progress:
            engine.rebuild(workspace, checked, progress)
        saying.say("made again from the archive: every file is identical")
    return DONE
