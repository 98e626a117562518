"""The command of resellers: oncharge."""

from __future__ import annotations

import argparse
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import figures, saying, words, work
from maxo_reports.errors import DONE, FINDINGS, UsageError

if TYPE_CHECKING:
    from maxo_reports.engine import Job


def add(verbs: Any) -> None:
    """Add the command to the parser."""
    does = "charge a period's calls to your clients: a statement for each, a margin report for you"
    verb = words.verb(verbs, "oncharge", _oncharge, does)
    words.add_what(verb)
    verb.add_argument(
        "--terms", type=Path, metavar="FILE", help="what clients pay (default: oncharge.toml)"
    )
    verb.add_argument(
        "--bill-total",
        metavar="DOLLARS",
        help="what the carrier's bill comes to, GST included: for the three-way comparison",
    )
    verb.add_argument(
        "--invoice",
        type=Path,
        metavar="FILE",
        help="the carrier's bill, as 'reconcile' takes it: each of its lines is in the comparison",
    )
    verb.add_argument(
        "--calls",
        type=Path,
        metavar="FILE",
        help="the list of calls that came with the bill, if the bill does not name it",
    )
    words.add_json(verb)
    verb.set_defaults(offline=True)


def _oncharge(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine
    from maxo_reports.core.checks import needs_a_person
    from maxo_reports.core.rates import margins

    bill = engine.GivenBill(_bill_total(arguments), arguments.invoice, arguments.calls)
    objects: list[dict[str, Any]] = []
    asks = False

    def one(job: Job) -> None:
        nonlocal asks
        done = engine.oncharge_period(job, arguments.terms, bill)
        asks = asks or needs_a_person(done.sealed.findings)
        objects.append(engine.oncharged_json(done))
        if arguments.json:
            return
        heading, sealed = done.source.heading, done.sealed
        saying.say(
            *figures.figures(
                *(heading.account_name, heading.period, heading.state, done.source.ledger),
                sealed.findings,
            ),
            *(f"  {line}" for line in margins.words(done.margin)),
        )
        for each in (*(made.sealed for made in done.packs), sealed):
            if each.unchanged:
                saying.say(f"  nothing has changed: revision {each.pack.revision} stands")
            saying.say(*(f"  {path}" for path in each.pack.files))

    with work.progress() as progress:
        jobs = work.jobs(arguments, progress)
        if arguments.calls is not None and arguments.invoice is None:
            raise UsageError("--calls belongs to a bill: give it with --invoice")
        if bill != engine.GivenBill() and len(jobs) > 1:
            raise UsageError("a bill is of one account: name it with --account")
        failed = saying.each([(job.account.id, partial(one, job)) for job in jobs])
    if arguments.json:
        saying.print_objects(objects, failed)
    return saying.worst(failed, FINDINGS if asks else DONE)


def _bill_total(arguments: argparse.Namespace) -> Decimal | None:
    from maxo_reports.core.money import dollars, micros_from_text

    if arguments.bill_total is None:
        return None
    micros = micros_from_text(arguments.bill_total)
    if micros is None:
        raise UsageError(f"--bill-total must be dollars, not {arguments.bill_total!r}")
    return dollars(micros)
