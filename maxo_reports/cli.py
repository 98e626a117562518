"""The command line: reads the words, calls one verb, prints, returns the exit code.

Results go to standard output; progress and trouble to standard error, one line each. What is
slow to load is loaded by the command that needs it, so that ``--help`` is immediate.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports import __version__
from maxo_reports.core.text import counted, visible
from maxo_reports.errors import DONE, FINDINGS, ArchiveError, MaxoReportsError, UsageError

if TYPE_CHECKING:
    from maxo_reports import config
    from maxo_reports.archive.care import Examined
    from maxo_reports.archive.purge import Plan
    from maxo_reports.config import Account, Workspace
    from maxo_reports.core.checks import Finding, State
    from maxo_reports.core.ledger import Ledger
    from maxo_reports.core.period import BillingPeriod
    from maxo_reports.engine import Job, Outcome, Progress
    from maxo_reports.pack import Pack

_Failed = list[tuple[str, MaxoReportsError]]
"""The accounts that failed, each with its trouble."""
_LONGEST_LINE, _LONGEST_FINDING = 4_000, 400
_PERIOD = "2026-10, last-month, or 2026-10-01..2026-11-01 (the last day is not included)"
_EXIT_CODES = """\
exit codes: 0 done; 1 done, with findings that need a person; 2 usage or configuration;
3 carrier; 4 archive or disk; 5 files do not tie out"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode shows a minus sign as an escape rather than ending the run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser().parse_args(argv)
    finally:
        _say()  # what --help and --version have said
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except MaxoReportsError as problem:
        _complain(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        print(
            "maxo-reports: stopped; what was kept so far stays for the next run", file=sys.stderr
        )
        return 130


def _say(*lines: str) -> None:
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


def _complain(problem: MaxoReportsError, where: str = "") -> None:
    """Say what ended a run, in one line on standard error, with nothing unseen in it."""
    line = visible(f"{where}{problem}", _LONGEST_LINE)
    print(f"maxo-reports: {line}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maxo-reports",
        description="Complete, provable reports of a MaxoTel account's calls.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"maxo-reports {__version__}")
    parser.add_argument(
        "-C",
        "--workspace",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder with maxo.toml, archive/ and out/ (default: here)",
    )
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_demo(verbs)
    _add_init(verbs)
    _add_run(verbs)
    _add_pull(verbs)
    _add_refresh(verbs)
    _add_verify(verbs)
    _add_archive(verbs)
    _add_sandbox(verbs)
    _add_doctor(verbs)
    _add_probe(verbs)
    return parser


def _verb(
    verbs: Any, name: str, command: Callable[[argparse.Namespace], int], does: str
) -> argparse.ArgumentParser:
    verb: argparse.ArgumentParser = verbs.add_parser(name, help=does, description=f"{does}.")
    verb.set_defaults(command=command)
    return verb


def _add_demo(verbs: Any) -> None:
    verb = _verb(verbs, "demo", _demo, "the whole main job on the sample month; needs no key")
    verb.add_argument("--out", type=Path, default=Path("demo-out"), metavar="DIR")
    _add_json(verb)


def _add_init(verbs: Any) -> None:
    verb = _verb(verbs, "init", _init, "write a commented maxo.toml")
    verb.add_argument("folder", nargs="?", type=Path, metavar="DIR")


def _add_run(verbs: Any) -> None:
    verb = _verb(verbs, "run", _run, "pull, check, render and seal the reports of a period")
    _add_what(verb)
    verb.add_argument(
        "--report",
        action="append",
        metavar="R",
        default=[],
        help="a report by name, more than once for more (default: statement)",
    )
    verb.add_argument("--out", type=Path, metavar="DIR", help="where the pack goes")
    verb.add_argument(
        "--offline", action="store_true", help="rebuild from the archive; ask the carrier nothing"
    )
    _add_json(verb)


def _add_pull(verbs: Any) -> None:
    verb = _verb(verbs, "pull", _pull, "pull a period into the archive: the first half of run")
    _add_what(verb)


def _add_refresh(verbs: Any) -> None:
    does = "fill the tables and names of your own workbook with a period's figures"
    verb = _verb(verbs, "refresh", _refresh, does)
    verb.add_argument(
        "book", type=Path, metavar="BOOK", help="an .xlsx or .xlsm; a backup is kept"
    )
    verb.add_argument("period", metavar="PERIOD", help=_PERIOD)
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
    _add_json(verb)
    verb.set_defaults(all=False)


def _add_verify(verbs: Any) -> None:
    verb = _verb(verbs, "verify", _verify, "read every file of a sealed pack against its manifest")
    verb.add_argument("pack", type=Path, metavar="PACK")
    verb.add_argument(
        "--rebuild",
        action="store_true",
        help="make it again from the archive and compare every byte (needs its workspace, -C)",
    )


def _add_archive(verbs: Any) -> None:
    verb: argparse.ArgumentParser = verbs.add_parser(
        "archive", help="look after what the carrier answered: verify, export, purge"
    )
    tasks = verb.add_subparsers(title="commands", metavar="COMMAND", required=True)
    verify = _verb(
        tasks, "verify", _archive_verify, "read the whole archive and name what is damaged"
    )
    _add_which(verify)
    verify.add_argument(
        "--repair", action="store_true", help="make anew what whole replies allow to be"
    )
    _add_json(verify)
    does = "write one folder from which another machine can make a period's packs again"
    export = _verb(tasks, "export", _archive_export, does)
    export.add_argument("period", metavar="PERIOD", help=_PERIOD)
    export.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    export.add_argument(
        "--account", nargs=1, metavar="A", default=[], help="of maxo.toml (default: the only one)"
    )
    _add_json(export)
    export.set_defaults(all=False, offline=True)
    purge = _verb(
        tasks,
        "purge",
        _archive_purge,
        "say what there is of before a day, and remove it with --yes",
    )
    purge.add_argument(
        "--before",
        required=True,
        metavar="DAY",
        help="what ends before 2026-10-01, or before the account's month 2026-10",
    )
    _add_which(purge)
    purge.add_argument("--yes", action="store_true", help="remove it, for good")
    _add_json(purge)


def _add_sandbox(verbs: Any) -> None:
    verb = _verb(verbs, "sandbox", _sandbox, "serve samples on loopback as the carrier does")
    verb.add_argument("--port", type=int, default=8765)
    verb.add_argument(
        "--samples", type=Path, metavar="DIR", help="a sample or a folder of samples"
    )
    verb.add_argument("--order", choices=("oldest", "newest", "shuffled"), default="oldest")
    verb.add_argument(
        "--fail", type=_share, default=0, metavar="SHARE", help="let this share of requests fail"
    )
    verb.add_argument("--seed", type=int, default=0, help="of the shuffle and the failures")


def _add_doctor(verbs: Any) -> None:
    _verb(verbs, "doctor", _doctor, "check the machine and say what to install")


def _add_probe(verbs: Any) -> None:
    verb = _verb(verbs, "probe", _probe, "ask a real account what the API page leaves open")
    verb.add_argument(
        "period",
        nargs="?",
        metavar="PERIOD",
        help=f"where to look for calls: {_PERIOD}; default: the last whole days that hold some",
    )
    verb.add_argument(
        "--account",
        metavar="A",
        default="",
        help="an account of maxo.toml (default: the only one)",
    )
    _add_json(verb)


def _add_what(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("period", metavar="PERIOD", help=_PERIOD)
    _add_which(verb)


def _add_which(verb: argparse.ArgumentParser) -> None:
    which = verb.add_mutually_exclusive_group()
    which.add_argument(
        "--account",
        action="append",
        metavar="A",
        default=[],
        help="an account of maxo.toml, more than once for more (default: the only one)",
    )
    which.add_argument("--all", action="store_true", help="every account of maxo.toml")


def _add_json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="print one object instead of words")


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError("must be from 0 to less than 1")
    return share


# ---- commands -------------------------------------------------------------------------------


def _demo(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    with _progress() as progress:
        outcome = engine.demo(arguments.out, progress)
    return _report([outcome], as_json=arguments.json)


def _init(arguments: argparse.Namespace) -> int:
    from maxo_reports import config

    path = config.write_template(arguments.folder or arguments.workspace)
    _say(f"wrote {path}: put your account in it, then run 'maxo-reports doctor'")
    return DONE


def _run(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    reports = tuple(dict.fromkeys(arguments.report)) or engine.DEFAULT_REPORTS
    outcomes: list[Outcome] = []

    def one(job: Job) -> None:
        outcomes.append(engine.run(job, reports, offline=arguments.offline))

    with _progress() as progress:
        jobs = _jobs(arguments, progress)
        failed = _each([(job.account.id, partial(one, job)) for job in jobs])
    code = _report(outcomes, failed, as_json=arguments.json)
    return _worst(failed, code)


def _each(tasks: Sequence[tuple[str, Callable[[], None]]]) -> _Failed:
    """Do what is to be done for each account; one's trouble must not keep the others back."""
    failed: _Failed = []
    for account, task in tasks:
        try:
            task()
        except MaxoReportsError as problem:
            if len(tasks) == 1:
                raise
            failed.append((account, problem))
    return failed


def _worst(failed: _Failed, code: int) -> int:
    """Say which accounts failed, and return the exit code of all."""
    for account, why in failed:
        _complain(why, f"account {account!r}: ")
    return max([why.exit_code for _, why in failed], default=code)


def _pull(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    def one(job: Job) -> None:
        accepted = engine.pull_period(job).accepted()
        records = sum(answer.count for answer in accepted)
        said = f"{counted(records, 'record')} in {counted(len(accepted), 'window')}"
        _say(f"{job.account.id} {job.period.label}: {said}")

    with _progress() as progress:
        jobs = _jobs(arguments, progress)
        failed = _each([(job.account.id, partial(one, job)) for job in jobs])
    return _worst(failed, DONE)


def _refresh(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told
    from maxo_reports.core.checks import needs_a_person

    arguments.offline = not arguments.pull
    with _progress() as progress:
        (job,) = _jobs(arguments, progress)
        source, done = engine.refresh(job, arguments.book, arguments.report, asks=arguments.pull)
    if arguments.json:
        print(json.dumps(told.refreshed_json(source, done), indent=1))
    else:
        heading = source.heading
        lines = _figures(
            heading.account_name, heading.period, heading.state, source.ledger, source.findings
        )
        print("\n".join([*lines, *told.refreshed(done)]))
    return FINDINGS if needs_a_person(source.findings) else DONE


def _verify(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    checked = engine.verify(arguments.pack)
    _say(f"{checked.folder}: {counted(len(checked.files), 'file')}, unchanged since issued")
    _say("calls, seconds and cost agree in every file")
    if arguments.rebuild:
        from maxo_reports import config

        workspace = config.load(arguments.workspace, os.environ)
        with _progress() as progress:
            engine.rebuild(workspace, checked, progress)
        _say("made again from the archive: every file is identical")
    return DONE


def _archive_verify(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told

    found: dict[str, Examined] = {}
    with _progress() as progress:
        workspace, accounts = _accounts(arguments)

        def one(account: config.Account) -> None:
            repair = arguments.repair
            found[account.id] = engine.examine_archive(workspace, account, progress, repair=repair)

        failed = _each([(account.id, partial(one, account)) for account in accounts])
    if arguments.json:
        _print_accounts([told.examined_json(*each) for each in found.items()], failed)
    else:
        _say(*(line for each in found.items() for line in told.examined(*each)))
    whole = all(each.is_whole for each in found.values())
    return _worst(failed, DONE if whole else ArchiveError.exit_code)


def _archive_export(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told

    with _progress() as progress:
        (job,) = _jobs(arguments, progress)
        exported = engine.export_period(job, arguments.to)
    if arguments.json:
        _say(json.dumps(told.exported_json(exported), indent=1))
    else:
        _say(*told.exported(exported))
    return DONE


def _archive_purge(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine, told

    really, plans = arguments.yes, []
    workspace, accounts = _accounts(arguments)

    def one(account: config.Account) -> None:
        def tell(plan: Plan, packs: Sequence[Pack]) -> None:
            plans.append(told.purge_json(account.id, plan, packs, really=really))
            if not arguments.json:
                # Before anything is removed.
                _say(*told.purge(account.id, plan, packs, really=really))

        engine.purge_archive(workspace, account, arguments.before, _now(), tell, really=really)

    failed = _each([(account.id, partial(one, account)) for account in accounts])
    if arguments.json:
        _print_accounts(plans, failed)
    return _worst(failed, DONE)


def _accounts(arguments: argparse.Namespace) -> tuple[Workspace, Sequence[config.Account]]:
    """Return the accounts that are meant; with --all, name what no account claims."""
    from maxo_reports import config, engine

    workspace = config.load(arguments.workspace, os.environ)
    for path in engine.strangers(workspace) if arguments.all else ():
        print(
            f"maxo-reports: {path} is of no account in {config.FILE}: not looked at",
            file=sys.stderr,
        )
    return workspace, workspace.chosen(arguments.account, every=arguments.all)


def _print_accounts(objects: Sequence[dict[str, Any]], failed: _Failed) -> None:
    errors = [{"account": account, "error": str(problem)} for account, problem in failed]
    _say(json.dumps({"accounts": objects, **({"errors": errors} if errors else {})}, indent=1))


def _sandbox(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine
    from maxo_reports.sandbox import Book, Sandbox, random_faults

    folder = arguments.samples or engine.sample()
    folders = [folder] if (folder / "sample.toml").exists() else sorted(folder.glob("*/"))
    faults = random_faults(arguments.fail, arguments.seed) if arguments.fail else None
    try:
        books = [Book.load(each) for each in folders if (each / "sample.toml").exists()]
        if not books:
            raise UsageError(f"{folder} holds no sample: a sample is a folder with a sample.toml")
        sandbox = Sandbox(
            books, order=arguments.order, faults=faults, seed=arguments.seed, port=arguments.port
        )
    except (OSError, OverflowError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or problem
        message = f"cannot serve {folder} on port {arguments.port}: {why}"
        raise UsageError(message) from None
    for book in books:
        _say(f"{book.name}: key {book.key}, zone {book.timezone}, period {book.period}")
    _say(f"serving {sandbox.base_url} until interrupted")
    sandbox.serve_forever()
    return DONE


def _doctor(arguments: argparse.Namespace) -> int:
    from maxo_reports import doctor

    signs = {"ok": "ok  ", "note": "note", "ill": "ILL "}
    examined = doctor.examine(arguments.workspace, os.environ, _now())
    width = max(len(each.what) for each in examined)
    for each in examined:
        _say(f"{signs[each.health]}  {each.what:<{width}}  {each.says}")
    return UsageError.exit_code if any(each.health == "ill" for each in examined) else DONE


def _probe(arguments: argparse.Namespace) -> int:
    from maxo_reports import config, engine, terminal

    workspace = config.load(arguments.workspace, os.environ)
    account = workspace.one(arguments.account)
    text, now = arguments.period, _now()
    period = engine.period_of(text, account, now) if text else engine.lately(account, now)
    with _progress() as progress:
        job = _job(workspace, account, period, progress)
        probed = engine.probe(job)
    if arguments.json:
        _say(json.dumps(engine.probe_as_json(job, probed), indent=1))
    else:
        _say(*terminal.answers(job.account, probed))
    return FINDINGS if probed.differing else DONE


def _jobs(arguments: argparse.Namespace, progress: Progress) -> list[Job]:
    """Return what to work on; every account and period is checked before the first is begun."""
    from maxo_reports import config, engine

    workspace = config.load(arguments.workspace, os.environ)
    out = getattr(arguments, "out", None)
    if out is not None:
        workspace = _with_out(workspace, out)
    jobs = []
    for account in workspace.chosen(arguments.account, every=arguments.all):
        period = engine.period_of(arguments.period, account, _now())
        if not getattr(arguments, "offline", False):
            config.api_key(account, workspace.folder, os.environ)
        jobs.append(_job(workspace, account, period, progress))
    return jobs


def _job(workspace: Workspace, account: Account, period: BillingPeriod, progress: Progress) -> Job:
    from maxo_reports import config, engine

    def key() -> str:
        return config.api_key(account, workspace.folder, os.environ)

    return engine.Job(workspace, account, period, key, _now, progress)


def _with_out(workspace: Workspace, out: Path) -> Workspace:
    from dataclasses import replace

    return replace(workspace, settings=replace(workspace.settings, out=str(out.absolute())))


def _now() -> int:
    return int(time.time())  # noqa: TID251 - the one clock; everything below is told the time


def _progress() -> Any:
    from maxo_reports.terminal import shown

    return shown(sys.stderr)


# ---- output ---------------------------------------------------------------------------------


def _report(
    outcomes: Sequence[Outcome],
    failed: Sequence[tuple[str, MaxoReportsError]] = (),
    *,
    as_json: bool,
) -> int:
    """Print what came out, and return 1 where a finding needs a person."""
    from maxo_reports import engine

    if as_json:
        objects = [engine.as_json(outcome) for outcome in outcomes]
        errors = [{"account": account, "error": str(problem)} for account, problem in failed]
        # One object for one account; for several, one object that holds them all.
        whole = objects[0] if len(objects) == 1 and not errors else {"runs": objects}
        _say(json.dumps({**whole, **({"errors": errors} if errors else {})}, indent=1))
    else:
        for outcome in outcomes:
            _say(*_lines(outcome))
    return FINDINGS if any(outcome.needs_a_person for outcome in outcomes) else DONE


def _lines(outcome: Outcome) -> list[str]:
    lines = _figures(
        outcome.account.name, outcome.period, outcome.state, outcome.ledger, outcome.findings
    )
    if outcome.unchanged:
        lines.append(f"  nothing has changed: revision {outcome.pack.revision} stands")
    lines += [f"  {path}" for path in outcome.pack.files]
    return lines


def _figures(
    name: str, period: BillingPeriod, state: State, ledger: Ledger, findings: Sequence[Finding]
) -> list[str]:
    from maxo_reports.core.money import plain

    intake, totals = ledger.intake, ledger.control
    lines = [
        (
            f"{name}, {period.first:%d %b %Y} to {period.last:%d %b %Y} "
            f"({period.zone}): {state.word}"
        ),
        (
            f"  {totals.calls:,} calls, {totals.connected:,} connected, "
            f"{totals.charged:,} charged, {totals.seconds:,} seconds, ${plain(totals.cost)}"
        ),
        (
            f"  {intake.received:,} received = {intake.ledger:,} ledger + "
            f"{intake.repeats:,} repeats + {intake.outside:,} outside"
        ),
    ]
    lines += [f"  provisional: {reason}" for reason in state.reasons]
    lines += [f"  {_finding(finding)}" for finding in findings]
    return lines


def _finding(finding: Finding) -> str:
    from maxo_reports.core.money import printed_places, to_text

    touched = [finding.where]
    if finding.calls:
        touched.insert(0, counted(finding.calls, "call"))
    if finding.dollars:
        places = printed_places([finding.dollars])
        touched.insert(1, to_text(finding.dollars, places, "$"))
    # Callers and carriers choose some of these words; a terminal obeys what it is shown.
    line = f"{finding.severity}: {finding.message} ({', '.join(touched)})"
    return visible(line, _LONGEST_FINDING)
