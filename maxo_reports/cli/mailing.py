"""Commands of mail: send, outbox, month."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import clock, saying, words, work
from maxo_reports.core.text import visible
from maxo_reports.errors import DONE, FINDINGS, MailError, UsageError

if TYPE_CHECKING:
    from maxo_reports.addresses import Address
    from maxo_reports.config import Workspace
    from maxo_reports.engine import Job, Monthly, Post, Progress, Told
    from maxo_reports.outbox import Entry

_LONGEST_LINE = 4_000


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    _add_send(verbs)
    _add_outbox(verbs)
    _add_month(verbs)


def _add_send(verbs: Any) -> None:
    does = "write a sealed pack's letters as drafts; with --approve, send each once"
    verb = words.verb(verbs, "send", _send, does)
    verb.add_argument("pack", type=Path, metavar="PACK")
    verb.add_argument(
        "--to",
        action="append",
        metavar="ADDRESS",
        default=[],
        help="only to this address, more than once for more (default: the account's recipients)",
    )
    verb.add_argument(
        "--draft",
        action="store_true",
        help="nothing leaves now (the default); with --approve, 'month' sends it later",
    )
    verb.add_argument(
        "--approve",
        action="store_true",
        help="a person has looked: note that these very letters may go, and send them",
    )
    verb.add_argument(
        "--provisional", action="store_true", help="although its figures can still change"
    )
    verb.add_argument(
        "--terms",
        type=Path,
        metavar="FILE",
        help="where a client's addresses stand (default: oncharge.toml)",
    )
    words.add_json(verb)


def _add_outbox(verbs: Any) -> None:
    verb: argparse.ArgumentParser = verbs.add_parser(
        "outbox", help="what became of every letter: list, resolve"
    )
    tasks = verb.add_subparsers(title="commands", metavar="COMMAND", required=True)
    does = "list every letter, and those that a person must look after first"
    listed = words.verb(tasks, "list", _outbox_list, does)
    listed.add_argument("--held", action="store_true", help="only those that need a person")
    words.add_json(listed)
    does = "say what you found out about a letter that is held, or what is to become of it"
    resolve = words.verb(tasks, "resolve", _outbox_resolve, does)
    resolve.add_argument("number", type=int, metavar="NUMBER", help="as 'outbox list' shows it")
    to = resolve.add_mutually_exclusive_group(required=True)
    to.add_argument("--sent", action="store_true", help="it has arrived")
    to.add_argument("--again", action="store_true", help="it has not: it may be sent again")
    to.add_argument("--drop", action="store_true", help="it is not to go out any more")
    resolve.add_argument("--because", metavar="TEXT", default="", help="how you know")


def _add_month(verbs: Any) -> None:
    does = "run last month for every account, draft its letters and send what is approved"
    verb = words.verb(verbs, "month", _month, f"{does}; may be called every day")
    verb.add_argument(
        "--account",
        action="append",
        metavar="A",
        default=[],
        help="an account of maxo.toml, more than once for more (default: every account)",
    )
    words.add_reports(verb)
    verb.add_argument("--offline", action="store_true", help="from the archive; ask no carrier")
    verb.add_argument(
        "--log", type=Path, metavar="FILE", help="add what is done to a file, not standard error"
    )
    verb.add_argument(
        "--quiet", action="store_true", help="print only accounts that need a person"
    )
    words.add_json(verb)


# ---- commands -------------------------------------------------------------------------------


def _send(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine
    from maxo_reports.engine import Wish

    only = _addresses(arguments.to)
    wish = Wish.DRAFT
    if arguments.approve:
        wish = Wish.APPROVE if arguments.draft else Wish.SEND
    post = _post(arguments, lambda _: None)
    told = engine.send(
        post, arguments.pack, wish, only, provisional=arguments.provisional, terms=arguments.terms
    )
    if arguments.json:
        saying.say(json.dumps({"letters": [engine.told_json(each) for each in told]}, indent=1))
    else:
        saying.say(*(line for each in told for line in _told(each)))
    return DONE if all(each.is_well for each in told) else MailError.exit_code


def _outbox_list(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    entries = engine.letters(_post(arguments, lambda _: None))
    held = [entry for entry in entries if entry.is_held]
    shown = held if arguments.held else sorted(entries, key=lambda e: (not e.is_held, e.number))
    if arguments.json:
        saying.say(json.dumps({"letters": [engine.entry_json(e) for e in shown]}, indent=1))
    else:
        saying.say(*map(_entry, shown))
        if not entries:
            saying.say("the outbox is empty")
        elif held:
            saying.say(
                f"{len(held)} of {len(entries)} need a person: find out if they arrived, then say "
                "'maxo-reports outbox resolve NUMBER --sent', '--again' or '--drop'"
            )
    return FINDINGS if held else DONE


def _outbox_resolve(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine
    from maxo_reports.outbox import State

    to = State.SENT if arguments.sent else State.WAITING if arguments.again else State.DROPPED
    post = _post(arguments, lambda _: None)
    entry = engine.resolve(post, arguments.number, to, arguments.because)
    saying.say(_entry(entry))
    return DONE


def _month(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    reports = tuple(dict.fromkeys(arguments.report)) or engine.DEFAULT_REPORTS

    def ended(result: Monthly) -> None:
        if not arguments.json and not (arguments.quiet and result.exit_code == DONE):
            done.append(visible(result.line, _LONGEST_LINE))

    done: list[str] = []
    with _log(arguments.log) as log, work.progress() as progress:
        post = _post(arguments, log)
        jobs = _jobs(post.workspace, arguments.account, progress)
        results = engine.month(post, jobs, reports, offline=arguments.offline, ended=ended)
    if arguments.json:
        saying.say(json.dumps({"accounts": [engine.monthly_json(r) for r in results]}, indent=1))
    else:
        saying.say(*done)
    return max((result.exit_code for result in results), default=DONE)


def _jobs(workspace: Workspace, names: Sequence[str], progress: Progress) -> list[Job]:
    """Return last month's work of every account; a key that is missing ends only its own."""
    from maxo_reports import engine

    return [
        work.job(workspace, each, engine.period_of("last-month", each, clock.now()), progress)
        for each in workspace.chosen(names, every=not names)
    ]


# ---- words and walls ------------------------------------------------------------------------


def _post(arguments: argparse.Namespace, log: Callable[[str], None]) -> Post:
    from maxo_reports import config, engine

    workspace: Workspace = config.load(arguments.workspace, os.environ)

    def secret() -> str:
        return config.mail_secret(workspace.mail, workspace.folder, os.environ)

    return engine.Post(workspace, secret, clock.now, time.sleep, log)


def _addresses(texts: Sequence[str]) -> list[Address]:
    from maxo_reports.addresses import NotAnAddress, address

    found = []
    for text in texts:
        try:
            found.append(address(text))
        except NotAnAddress as why:
            raise UsageError(f"--to {text!r} {why}") from None
    return found


@contextmanager
def _log(path: Path | None) -> Iterator[Callable[[str], None]]:
    """Give what writes lines of a log, each with its second and without telephone numbers."""
    from maxo_reports.archive.files import FILE_MODE
    from maxo_reports.core.numbering import masked

    def line(text: str) -> str:
        at = datetime.fromtimestamp(clock.now(), UTC)
        return f"{at:%Y-%m-%dT%H:%M:%SZ} {visible(masked(text), _LONGEST_LINE)}"

    if path is None:
        yield lambda text: print(line(text), file=sys.stderr)
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
    except OSError as problem:
        raise UsageError(f"cannot write the log {path}: {problem.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        yield lambda text: print(line(text), file=file, flush=True)


def _told(told: Told) -> list[str]:
    number = f"letter {told.number}, " if told.number else ""
    said = f": {told.said}" if told.said else ""
    line = f"{number}{told.key.report} to {told.key.recipient}: {told.did}{said}"
    return [visible(line, _LONGEST_LINE), *([f"  {told.path}"] if told.path else [])]


def _entry(entry: Entry) -> str:
    at = datetime.fromtimestamp(entry.changed_at, UTC)
    said = f": {entry.said}" if entry.said else ""
    mark = "!" if entry.is_held else " "
    line = f"{mark} {entry.number:>4}  {entry.state:<9}  {at:%Y-%m-%d %H:%M}Z  {entry.key}{said}"
    return visible(line, _LONGEST_LINE)
