"""From a period to a whole pull: asked of the carrier, or found in the archive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from maxo_reports import proof
from maxo_reports.archive.pulls import Asked, Pull
from maxo_reports.carrier import LIMIT, Carrier, Patience, Secret
from maxo_reports.config import Account
from maxo_reports.core.checks import Depth
from maxo_reports.core.period import BillingPeriod, parse_period
from maxo_reports.errors import ArchiveError, UsageError
from maxo_reports.job import Job
from maxo_reports.manifest import PROGRAM
from maxo_reports.probe.asking import Connect
from maxo_reports.pull import pull

PROBED_DAYS = 31
"""Whole days in which a probe looks for calls, latest first, where no period is named."""


def period_of(text: str, account: Account, now: int) -> BillingPeriod:
    """Read a PERIOD argument in an account's zone; one that has not begun is refused."""
    period = parse_period(text, account.timezone, today(account, now), account.billing_day)
    if period.start >= now:
        message = f"period {text!r} has not begun: it starts on {period.first:%d %b %Y}"
        raise UsageError(message)
    return period


def today(account: Account, now: int) -> date:
    """Return the day in an account's zone."""
    return datetime.fromtimestamp(now, ZoneInfo(account.timezone)).date()


def lately(account: Account, now: int) -> BillingPeriod:
    """Return the last whole days, in which a probe looks for calls where no period is named."""
    day = today(account, now)
    first = day - timedelta(days=PROBED_DAYS)
    return parse_period(f"{first}..{day}", account.timezone, day)


def connection(job: Job) -> Callable[[], Carrier]:
    """Return what opens a connection to the account's carrier."""
    connect = opener(job)
    return lambda: connect(False, job.progress.failed_try)


def opener(job: Job) -> Connect:
    """Return what opens a connection that asks in JSON or with a form, and tells of failures."""
    settings, account = job.workspace.settings, job.account
    key = Secret(job.key())
    patience = Patience(
        connect=settings.connect_timeout,
        read=settings.read_timeout,
        whole=settings.request_deadline,
        tries=settings.tries,
    )
    return lambda form, told: Carrier(
        account.base_url,
        key,
        patience=patience,
        trust_environment=settings.trust_environment,
        user_agent=PROGRAM.replace(" ", "/"),
        told=told,
        form=form,
    )


def pulled(job: Job) -> Pull:
    """Ask the carrier for the period, or for what an interrupted pull of it lacks."""
    settings, account, period = job.workspace.settings, job.account, job.period
    job.progress.step("Asking the carrier for the calls")
    return pull(
        job.archive,
        period,
        Asked(period.start, period.end, period.zone, account.host, LIMIT),
        connect=connection(job),
        now=job.now,
        in_flight=settings.requests_in_flight,
        calls_expected=account.calls_per_month,
        progress=job.progress.pulled,
    )


def proved(job: Job, work: Pull) -> Pull:
    """Look again and cross-check; return the pull that the reports are made from."""
    job.progress.step("Asking the carrier again, in other ways")
    settings = job.workspace.settings
    return proof.prove(
        job.archive,
        work,
        job.period,
        settings.settle_hours,
        cast("Depth", settings.crosscheck),
        again=lambda: pulled(job),
        connect=connection(job),
    )


def archived(job: Job, remedy: str = "run once without --offline") -> Pull:
    """Return the newest whole pull of the period, without asking the carrier."""
    work = job.archive.latest_done(job.period)
    if work is None:
        message = (
            f"period {job.period.label} of account {job.account.id!r} is not in the archive: "
            f"{remedy}"
        )
        raise ArchiveError(message)
    return work
