"""What a bill is held against: calls, other months, what changed since; and what is said of it.

Nothing here is written, and nobody is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from maxo_reports import proof
from maxo_reports.archive import billed, columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.derive import rebuild
from maxo_reports.archive.pulls import Pull
from maxo_reports.core.bills.differences import Called
from maxo_reports.core.bills.onebyone import Edge, Result
from maxo_reports.core.bills.reconcile import Tolerance
from maxo_reports.core.changes import Changes
from maxo_reports.core.checks import Check
from maxo_reports.core.period import BillingPeriod, LocalClock, Window, unix_midnight, zone_named
from maxo_reports.core.report import Source
from maxo_reports.core.text import counted
from maxo_reports.errors import ConfigError, TieOutError
from maxo_reports.invoice import Invoice
from maxo_reports.issue import Wanted, gathered
from maxo_reports.job import Job
from maxo_reports.reconciling import Against, Compared, Elsewhere, compare, month_in

_ZONES = tuple(
    f"Australia/{city}" for city in ("Brisbane", "Sydney", "Adelaide", "Darwin", "Perth")
)
_OTHERS = "other_periods"
_BEFORE, _AFTER = 190 * 86_400, 62 * 86_400
"""How far around a period other months are looked into: charges come up to 190 days late."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A bill held against the archive, with which pulls were looked into for it."""

    source: Source
    compared: Compared
    result: Result
    work: Pull
    others: tuple[Pull, ...]
    since: int
    calls_sha256: str

    @property
    def beside(self) -> dict[str, Any]:
        """What of the archive was looked into besides the period's calls, for a basis."""
        others = {_span(pull): _replies(pull) for pull in self.others}
        return {"since_pull": self.since, _OTHERS: others}


def _span(pull: Pull) -> str:
    return f"{pull.asked.start}-{pull.asked.end}"


def _replies(pull: Pull) -> list[str]:
    return [answer.sha256 for answer in pull.accepted()]


@contextmanager
def looked_into(
    job: Job,
    wanted: Wanted,
    work: Pull,
    invoice: Invoice,
    tolerance: Tolerance,
    then: Mapping[str, Any] | None = None,
) -> Iterator[Looked]:
    """Hold a bill against a whole pull, while the calls are open.

    ``then`` is a basis: other months are looked into as they were pulled when it was made.
    """
    _same_days(job.period, invoice)
    with gathered(job, wanted, work) as source:
        job.progress.step("Holding the bill against the calls")
        calls = source.calls
        assert isinstance(calls, CallStore), "a pull's calls are in columns"
        others = _others(job, work, then)
        replies = {
            answer.window.start: answer.sha256
            for each in (*others, work)
            for answer in each.accepted()
        }
        changes, since = _changes(job, work, calls, invoice)
        against = Against(
            calls, job.period, job.account.cost_gst, replies, _elsewhere(others), changes
        )
        fingerprint = calls.fingerprint()
        compared = compare(against, invoice, tolerance)
        _stop_on(compared.checks)
        result = _result(job, invoice, compared, against, since, source)
        yield Looked(source, compared, result, work, others, since, fingerprint)


def _same_days(period: BillingPeriod, invoice: Invoice) -> None:
    """Refuse a bill that says it covers other days than the period."""
    bill = invoice.bill
    for said, day, word in (
        (bill and bill.first, period.first, "begin on"),
        (bill and bill.last, period.last, "end on"),
    ):
        if said and said != day:
            raise ConfigError(
                f"{invoice.path}: the bill's days {word} {said:%d %b %Y}, those of the period "
                f"{period.label} on {day:%d %b %Y}: name the bill's own period"
            )


def _stop_on(passed: Sequence[Check]) -> None:
    for each in passed:
        if not each.passed:
            message = f"{each.title}: {each.expected} is not {each.found}; nothing is issued"
            raise TieOutError(message)


# ---- what the archive has besides -----------------------------------------------------------


def _others(job: Job, work: Pull, then: Mapping[str, Any] | None) -> tuple[Pull, ...]:
    """Return the newest whole pulls of other periods near this one, none over another."""
    if then is not None:
        return _others_then(job, then.get(_OTHERS, {}))
    taken = [(work.asked.start, work.asked.end)]
    found = []
    for other in job.archive.other_periods(job.period):
        start, end = other.asked.start, other.asked.end
        near = end > job.period.start - _BEFORE and start < job.period.end + _AFTER
        if near and all(end <= begin or start >= until for begin, until in taken):
            rebuild(job.archive, other)
            taken.append((start, end))
            found.append(other)
    return tuple(sorted(found, key=lambda pull: pull.asked.start))


def _others_then(job: Job, said: Mapping[str, list[str]]) -> tuple[Pull, ...]:
    """Return the pulls of other periods that were looked into, as far as they are still there."""
    found: dict[str, Pull] = {}
    for other in job.archive.pulls_of_others(job.period):
        span = _span(other)
        if span in said and span not in found and _replies(other) == said[span]:
            rebuild(job.archive, other)
            found[span] = other
    return tuple(sorted(found.values(), key=lambda pull: pull.asked.start))


def _elsewhere(others: Sequence[Pull]) -> Elsewhere:
    paths = [pull.calls_path(answer.window) for pull in others for answer in pull.accepted()]
    return Elsewhere(paths, [Window(pull.asked.start, pull.asked.end) for pull in others])


def _changes(
    job: Job, work: Pull, calls: CallStore, invoice: Invoice
) -> tuple[Changes | None, int]:
    """Return what became of the records since the bill was issued, and since which pull.

    Only a pull from before the end of that day knows what the records were then.
    """
    issued = invoice.bill.issued if invoice.bill else None
    if issued is None:
        return None, 0
    until = unix_midnight(issued + timedelta(days=1), zone_named(job.period.zone))
    earlier = [
        pull
        for pull in job.archive.pulls(job.period)
        if pull.is_done
        and pull.asked == work.asked
        and job.period.end <= pull.finished_at() < until
    ]
    if not earlier:
        return None, 0
    then = earlier[-1]
    if then.number == work.number:
        return Changes(then.number, ()), then.number
    old = proof.calls_of(job.archive, then, job.period)
    try:
        return columns.changes(old, calls, then.number), then.number
    finally:
        old.close()


# ---- what is said ---------------------------------------------------------------------------


def _result(
    job: Job, invoice: Invoice, compared: Compared, against: Against, since: int, source: Source
) -> Result:
    period = job.period
    edges = _edges(against)
    clock = LocalClock.over(period.zone, period.start - _BEFORE, period.end + _AFTER)
    notes = [
        *_notes(job, invoice, compared, since, source),
        *_like_a_zone(compared, edges, period),
    ]
    return Result(compared.whole, compared.checks, edges, _how(compared), tuple(notes), clock)


def _edges(against: Against) -> tuple[Edge, ...]:
    """Return the charged calls that are in another month in other zones of the country."""
    named: dict[Called, list[str]] = {}
    for zone in _ZONES:
        for called in billed.outside(
            against.calls, month_in(against.period, zone), against.replies
        ):
            named.setdefault(called, []).append(zone)
    ordered = sorted(named, key=lambda called: (called.unixtime, called.call_id))
    return tuple(Edge(called, tuple(named[called])) for called in ordered)


def _how(compared: Compared) -> str:
    matched = compared.matched
    if matched is None:
        return "By the sums of each category; the bill has no list of calls."
    return (
        f"Call by call: {counted(matched.by_id, 'call')} by id, {matched.by_time:,} by number, "
        f"time and duration; {counted(len(matched.lines), 'line')} without a record, "
        f"{counted(len(matched.calls), 'charged record')} without a line, "
        f"{counted(matched.free, 'free record')} that no bill need list."
    )


def _notes(
    job: Job, invoice: Invoice, compared: Compared, since: int, source: Source
) -> Iterator[str]:
    bill, scene = compared.whole.bill, compared.scene
    for finding in source.findings:
        if finding.code == "cost-unreadable":
            count = counted(finding.calls, "record")
            yield f"{count} with a cost that cannot be read: what is billed is unexplained."
    if job.account.cost_gst == "unknown":
        yield (
            "Whether costs include GST is not set (cost_gst), so they are compared as they are; "
            "--calibrate says what this bill looks like."
        )
    elif bill.basis == "unknown":
        yield "Whether the list's charges include GST is not stated: they are taken as they are."
    extra = any(each.kind == "extra" for each in compared.whole.differences)
    if invoice.bill and bill.issued and not since and (extra or compared.whole.unexplained):
        yield (
            "The archive has no pull from between the end of the period and the day of the bill: "
            "which records came later cannot be told."
        )
    for begin, end in (
        (scene.month.start, scene.period.start),
        (scene.period.end, scene.month.end),
    ):
        whole = any(span.start <= begin and end <= span.end for span in scene.whole)
        if begin < end and not whole:
            yield (
                f"Calls of the neighbouring month that {scene.zone} has in this one are not in "
                "the archive: pull that month, too."
            )


def _like_a_zone(
    compared: Compared, edges: Sequence[Edge], period: BillingPeriod
) -> Iterator[str]:
    """Name a zone whose month is exactly what the unbilled calls look like."""
    extra = {
        each.called.call_id
        for each in compared.whole.differences
        if each.kind == "extra" and each.called
    }
    alike = [
        zone
        for zone in _ZONES
        if zone != period.zone
        and extra == {edge.called.call_id for edge in edges if zone in edge.zones}
    ]
    if extra and alike:
        yield (
            f"The calls that are not billed are exactly those that {', '.join(alike)} has in "
            "another month: if the bill is kept in such a zone, give its timezone."
        )
