"""Commands about the machine and the carrier: init, sandbox, doctor, probe."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from maxo_reports.cli import clock, saying, words, work
from maxo_reports.errors import DONE, FINDINGS, UsageError


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    _add_init(verbs)
    _add_sandbox(verbs)
    _add_doctor(verbs)
    _add_probe(verbs)


def _add_init(verbs: Any) -> None:
    verb = words.verb(verbs, "init", _init, "write a commented maxo.toml")
    verb.add_argument("folder", nargs="?", type=Path, metavar="DIR")


def _add_sandbox(verbs: Any) -> None:
    verb = words.verb(verbs, "sandbox", _sandbox, "serve samples on loopback as the carrier does")
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
    words.verb(verbs, "doctor", _doctor, "check the machine and say what to install")


def _add_probe(verbs: Any) -> None:
    verb = words.verb(verbs, "probe", _probe, "ask a real account what the API page leaves open")
    verb.add_argument(
        "period",
        nargs="?",
        metavar="PERIOD",
        help=f"where to look for calls: {words.PERIOD}; "
        "default: the last whole days that hold some",
    )
    verb.add_argument(
        "--account",
        metavar="A",
        default="",
        help="an account of maxo.toml (default: the only one)",
    )
    words.add_json(verb)


def _init(arguments: argparse.Namespace) -> int:
    from maxo_reports import config

    path = config.write_template(arguments.folder or arguments.workspace)
    saying.say(f"wrote {path}: put your account in it, then run 'maxo-reports doctor'")
    return DONE


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
        saying.say(f"{book.name}: key {book.key}, zone {book.timezone}, period {book.period}")
    saying.say(f"serving {sandbox.base_url} until interrupted")
    sandbox.serve_forever()
    return DONE


def _doctor(arguments: argparse.Namespace) -> int:
    from maxo_reports import doctor

    signs = {"ok": "ok  ", "note": "note", "ill": "ILL "}
    examined = doctor.examine(arguments.workspace, os.environ, clock.now())
    width = max(len(each.what) for each in examined)
    for each in examined:
        saying.say(f"{signs[each.health]}  {each.what:<{width}}  {each.says}")
    return UsageError.exit_code if any(each.health == "ill" for each in examined) else DONE


def _probe(arguments: argparse.Namespace) -> int:
    from maxo_reports import config, engine, terminal

    workspace = config.load(arguments.workspace, os.environ)
    account = workspace.one(arguments.account)
    text, now = arguments.period, clock.now()
    period = engine.period_of(text, account, now) if text else engine.lately(account, now)
    with work.progress() as progress:
        job = work.job(workspace, account, period, progress)
        probed = engine.probe(job)
    if arguments.json:
        saying.say(json.dumps(engine.probe_as_json(job, probed), indent=1))
    else:
        saying.say(*terminal.answers(job.account, probed))
    return FINDINGS if probed.differing else DONE


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError("must be from 0 to less than 1")
    return share
