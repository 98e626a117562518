"""The months before a period, as far as the archive has them whole: what a trend compares with.

A month without figures is named with its reason. A pack notes which pulls it was compared with,
so that it can be made again when the archive has learned more since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cache

from maxo_reports import proof
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Account, Pull
from maxo_reports.core.grids import MONTHS_BACK
from maxo_reports.core.ledger import Ledger
from maxo_reports.core.period import BillingPeriod, months_before
from maxo_reports.core.report import Earlier
from maxo_reports.core.where import Where
from maxo_reports.errors import ArchiveError

MONTHS = max(MONTHS_BACK.values())
"""How many months any report goes back."""
WHOLE, NONE, EARLY = "whole", "not in the archive", "pulled before its end"


@dataclass(frozen=True, slots=True)
class History:
    """The months, which pull each is from, and what its calls are, by the month's days."""

    months: tuple[Earlier, ...]
    pulls: Mapping[str, int]
    fingerprints: Mapping[str, str]


NOTHING = History((), {}, {})
"""What a report without a trend is compared with."""


def before(
    account: Account,
    period: BillingPeriod,
    held: ExitStack,
    said: Mapping[str, int] | None,
    count: int = MONTHS,
) -> History:
    """Return the months before a period; their calls stay open as long as ``held`` does.

    ``said`` are the pulls that a sealed pack was compared with, to be used again; None takes the
    newest.
    """
    months, pulls, prints = [], {}, {}
    for month in months_before(period, count):
        work = _newest(account, month) if said is None else _noted(account, month, said)
        if work is None or proof.oldest_answer(work) < month.end:
            months.append(Earlier(month, NONE if work is None else EARLY))
            if work is not None:
                pulls[month.key], prints[month.key] = work.number, EARLY
            continue
        calls = held.enter_context(closing(proof.calls_of(account, work, month)))
        pulls[month.key], prints[month.key] = work.number, calls.fingerprint()
        months.append(Earlier(month, WHOLE, _grouped(calls)))
    return History(tuple(months), pulls, prints)


def _newest(account: Account, month: BillingPeriod) -> Pull | None:
    return account.latest_done(month)


def _noted(account: Account, month: BillingPeriod, said: Mapping[str, int]) -> Pull | None:
    """Return the very pull that a pack was compared with; None where it had none."""
    if month.key not in said:
        return None
    work = account.pull_numbered(month, said[month.key])
    if work is None:
        message = f"pull {said[month.key]} of {month.label}, which the pack is compared with"
        raise ArchiveError(f"{message}, is no longer in the archive: it cannot be made again")
    return work


def _grouped(calls: CallStore) -> Callable[[Where], Ledger]:
    @cache
    def select(where: Where) -> Ledger:
        return calls.select(where, False).ledger

    return select
