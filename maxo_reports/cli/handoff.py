"""Commands of the accountant's handoff: handoff init, make, bundle."""

from __future__ import annotations

import argparse
import json
from typing import Any

from maxo_reports.cli import saying, words, work
from maxo_reports.core.text import counted
from maxo_reports.errors import DONE

_KINDS = ("bill", "accrual", "allocation", "sale")
_BOOKS = ("xero", "myob", "qbo", "beancount", "hledger", "gnucash")


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        "handoff", help="files for the accountant's program: init, make, bundle"
    )
    tasks = verb.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_init(tasks)
    _add_make(tasks)
    _add_bundle(tasks)


def _add_init(tasks: Any) -> None:
    does = (
        "write handoff.toml from what a period holds, or say which rules one that is there lacks"
    )
    verb = words.verb(tasks, "init", _init, does)
    words.add_one(verb)
    verb.add_argument(
        "--books",
        action="append",
        choices=_BOOKS,
        default=[],
        help="the program of your books, more than once for more (default: xero)",
    )


def _add_make(tasks: Any) -> None:
    does = "make and seal files for import, from the period's newest sealed pack"
    verb = words.verb(tasks, "make", _make, does)
    words.add_one(verb)
    verb.add_argument(
        "--target",
        action="append",
        metavar="T",
        required=True,
        help="xero-bill, xero-sales, xero-journal, myob-journal, myob-purchase, qbo-bill, "
        "qbo-journal, beancount, hledger, gnucash, posting, posting-excel; "
        "more than once for more",
    )
    verb.add_argument(
        "--kind",
        choices=_KINDS,
        default="bill",
        help="a draft of the carrier's bill, a month-end accrual, a split of a cost that is "
        "booked already, or an invoice to each client from oncharge (default: bill)",
    )
    verb.add_argument("--invoice-number", default="", metavar="N", help="of the carrier's bill")
    verb.add_argument("--invoice-total", metavar="T", help="what the bill asks for, with GST")
    verb.add_argument("--invoice-date", metavar="DAY", help="2026-11-03")
    verb.add_argument("--due", metavar="DAY", help="default: due_days after the bill's date")
    verb.add_argument(
        "--claim-gst",
        action="store_true",
        help="the carrier's own bill with its GST is held: show it (default: none is claimed)",
    )
    verb.add_argument(
        "--reverse", action="store_true", help="take an accrual back on the day after the period"
    )
    verb.add_argument(
        "--replaces", default="", metavar="R", help="an earlier handoff that was not imported"
    )
    words.add_json(verb)


def _add_bundle(tasks: Any) -> None:
    does = "gather a period's pack, handoffs, calls and replies in one folder, and a zip"
    verb = words.verb(tasks, "bundle", _bundle, does)
    words.add_one(verb)
    verb.add_argument(
        "--handoff",
        action="append",
        metavar="R",
        default=[],
        help="which handoffs to put in, r1 and the like (default: all that none replaces)",
    )
    words.add_json(verb)


def _init(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    with work.progress() as progress:
        (job,) = work.jobs(arguments, progress)
        drafted = engine.init_handoff(job, list(dict.fromkeys(arguments.books)) or ["xero"])
    if drafted.written:
        categories = counted(drafted.categories, "category")
        saying.say(f"wrote {drafted.path}: fill in the accounts of its {categories}")
    elif drafted.rules:
        saying.say(
            f"# {drafted.path} is left as it is. These have no account yet: fill in the rules",
            "# that it has for them, and put the others at its end:",
            drafted.rules,
        )
    else:
        saying.say(f"{drafted.path} has an account for everything in the period")
    return DONE


def _make(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine
    from maxo_reports.core.handoff.posting import said
    from maxo_reports.handing.order import Order, day_from_text, dollars_from_text

    total, day, due = arguments.invoice_total, arguments.invoice_date, arguments.due
    order = Order(
        arguments.kind,
        tuple(dict.fromkeys(arguments.target)),
        arguments.invoice_number.strip(),
        dollars_from_text(total) if total is not None else None,
        day_from_text(day) if day is not None else None,
        day_from_text(due) if due is not None else None,
        claims=arguments.claim_gst,
        reverses=arguments.reverse,
        replaces=arguments.replaces,
    )
    with work.progress() as progress:
        (job,) = work.jobs(arguments, progress)
        done = engine.make_handoff(job, order)
    if arguments.json:
        saying.say(json.dumps(engine.handoff_json(done), indent=1))
        return DONE
    kind = done.pack.manifest["handoff"]["kind"]
    saying.say(f"handoff {done.reference}, {kind}, {done.state}")
    saying.say(*(f"  {books}: {said(proof)}" for books, proof in done.proofs.items()))
    saying.say(*(f"  note: {note}" for note in done.notes))
    saying.say(*(f"  {path}" for path in done.pack.files))
    return DONE


def _bundle(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine

    with work.progress() as progress:
        (job,) = work.jobs(arguments, progress)
        done = engine.bundle_handoffs(job, arguments.handoff)
    if arguments.json:
        said = {
            "folder": str(done.folder),
            "zip": str(done.package),
            "files": done.files,
            "unchanged": done.unchanged,
        }
        saying.say(json.dumps(said, indent=1))
        return DONE
    if done.unchanged:
        saying.say("nothing has changed since this bundle was made:")
    saying.say(f"  {done.folder} ({counted(done.files, 'file')})", f"  {done.package}")
    return DONE
