"""The proof of a pull: a second look at the carrier, cross-checks, and what is new to the account.

What is found is written into the pull's folder (``proof.json``), so that a report made again from
the archive alone, on another day, says exactly the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from maxo_reports.archive import columns, proofs
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.derive import rebuild
from maxo_reports.archive.proofs import Proof
from maxo_reports.archive.pulls import ACCEPTED, FULL, Account, Pull
from maxo_reports.carrier import Carrier
from maxo_reports.core import checks
from maxo_reports.core.checks import Completeness, Depth, WindowLine
from maxo_reports.core.directory import EMPTY, Directory
from maxo_reports.core.period import BillingPeriod
from maxo_reports.crosscheck import compare


def calls_of(
    account: Account, work: Pull, period: BillingPeriod, directory: Directory = EMPTY
) -> CallStore:
    """Open the calls of a whole pull; columns that are not whole are derived from its replies."""
    rebuild(account, work)
    paths = [work.calls_path(answer.window) for answer in work.accepted()]
    return CallStore(paths, period, directory)


def prove(
    account: Account,
    work: Pull,
    period: BillingPeriod,
    settle_hours: int,
    depth: Depth,
    *,
    again: Callable[[], Pull],
    connect: Callable[[], Carrier],
) -> Pull:
    """Look a second time where it counts, cross-check, and write down what came of it.

    A period that is over and settled is looked at twice: an earlier pull that was made late
    enough will do, else ``again`` makes one more. Returns the pull that the proof is about,
    which is the latest.
    """
    second_look = None
    if _late_enough(work, period, settle_hours):
        second_look = _agrees_with_earlier(account, work, period, settle_hours)
        if not second_look:
            first, work = work, again()
            second_look = _same(account, first, work, period)
    with closing(calls_of(account, work, period)) as calls, connect() as carrier:
        crosschecks, replies = compare(depth, carrier, account.replies, calls, period)
        new = _new_categories(account, calls, period)
    proofs.record(work, Proof(second_look, depth, crosschecks, new, replies))
    return work


def completeness(work: Pull, proof: Proof) -> Completeness:
    """Return why a pull is believed to be whole."""
    answers = work.answers()
    return Completeness(
        tuple(
            WindowLine(a.window, a.count, a.sha256, a.tries, a.echo)
            for a in answers
            if a.verdict == ACCEPTED
        ),
        sum(1 for a in answers if a.verdict == FULL),
        sum(1 for a in answers if a.verdict not in {ACCEPTED, FULL}),
        proof.second_look,
        proof.depth,
        proof.crosschecks,
    )


def oldest_answer(work: Pull) -> int:
    """Return when the oldest window of a pull was asked, in unix seconds."""
    return min(answer.asked_at for answer in work.accepted())


def _late_enough(work: Pull, period: BillingPeriod, settle_hours: int) -> bool:
    return checks.is_old_enough(period, oldest_answer(work), settle_hours)


def _agrees_with_earlier(
    account: Account, work: Pull, period: BillingPeriod, settle_hours: int
) -> bool:
    """Tell whether the pull before this one was late enough, too, and brought the same calls."""
    earlier = [p for p in account.pulls(period) if p.is_done and p.number < work.number]
    if not earlier or earlier[-1].asked != work.asked:
        return False
    late = _late_enough(earlier[-1], period, settle_hours)
    return late and _same(account, earlier[-1], work, period)


def _same(account: Account, first: Pull, second: Pull, period: BillingPeriod) -> bool:
    """Tell whether two looks brought the same calls; equal replies need no second thought."""

    def replies(work: Pull) -> list[tuple[object, str]]:
        return [(answer.window, answer.sha256) for answer in work.accepted()]

    if replies(first) == replies(second):
        return True
    prints = []
    for work in (first, second):
        with closing(calls_of(account, work, period)) as calls:
            prints.append(calls.fingerprint())
    return prints[0] == prints[1]


def _new_categories(account: Account, calls: CallStore, period: BillingPeriod) -> tuple[str, ...]:
    """Return the rate categories that no earlier period in the archive has."""
    known: set[str] = set()
    for work in account.other_periods(period):
        if work.asked.end <= period.start:
            known |= columns.categories([work.calls_path(a.window) for a in work.accepted()])
    now = [category for category, _, _ in calls.categories()]
    return tuple(category for category in now if known and category not in known)
