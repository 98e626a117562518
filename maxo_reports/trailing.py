"""The months before a pull, in figures by number and category: what behaviour is judged beside.

They are looked up once, when the pull is first reported, and written down with it.
"""

from __future__ import annotations

from contextlib import closing

from maxo_reports import proof
from maxo_reports.archive import months
from maxo_reports.archive.pulls import Account, Pull
from maxo_reports.core.behaviour import Month
from maxo_reports.core.period import BillingPeriod, months_before

MONTHS = 12


def of(account: Account, work: Pull, period: BillingPeriod) -> tuple[Month, ...]:
    """Return the months before a pull's period, oldest first; none where it is no month."""
    noted = months.recorded(work.folder)
    if noted is None:
        noted = tuple(_month(account, month) for month in months_before(period, MONTHS))
        months.record(work.folder, noted)
    return noted


def _month(account: Account, month: BillingPeriod) -> Month:
    work = account.latest_done(month)
    if work is None or proof.oldest_answer(work) < month.end:
        return Month(month.label, is_whole=False)
    with closing(proof.calls_of(account, work, month)) as calls:
        numbers, categories = calls.by_name("service_number"), calls.by_name("category")
    return Month(month.label, is_whole=True, numbers=numbers, categories=categories)
