"""Checks and findings: what a person must know before trusting the figures, as values.

A *check* compares two figures that must be equal; one that fails stops the run. A *finding*
is something in the carrier's data that a person should see; it is counted, given its
dollars, and shown in every file. Findings decide the exit code and the state of the pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from maxo_reports.core import money
from maxo_reports.core.ledger import Intake, Ledger, QuirkCount, Totals, total
from maxo_reports.core.period import BillingPeriod, LocalClock, Window

Depth = Literal["none", "light", "full"]
"""How far the carrier is asked again in other ways; see ``crosscheck``."""
DEPTHS: tuple[Depth, ...] = ("none", "light", "full")
Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the calls that a person should know.

    ``info`` needs nobody; ``warning`` and ``error`` need a person (exit code 1), and an
    ``error`` also keeps the pack provisional. ``where`` names a call, a window or a file.
    ``calls`` and ``dollars`` say how much of the period it touches.
    """

    code: str
    severity: Severity
    where: str
    message: str
    calls: int = 0
    dollars: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Check:
    """Two figures that must be equal, both written out; ``passed`` says whether they are."""

    title: str
    expected: str
    found: str

    @property
    def passed(self) -> bool:
        """Whether the two figures are equal."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class State:
    """``provisional`` or ``settled``, and for a provisional pack the reasons why."""

    word: Literal["provisional", "settled"]
    reasons: tuple[str, ...] = ()


# code -> (severity without dollars, severity with dollars, what it means)
_QUIRKS: dict[str, tuple[Severity, Severity, str]] = {
    "cost-unreadable": (
        "error",
        "error",
        "the cost cannot be read; the calls are counted, but their cost is not in the totals",
    ),
    "direction-unknown": (
        "warning",
        "warning",
        "the direction is neither inbound nor outbound; shown as the carrier wrote it",
    ),
    "status-unknown": ("info", "info", "the status is not a known one; not counted as connected"),
    "category-missing": ("info", "warning", "no rate category; grouped under (none)"),
    "category-twice": (
        "warning",
        "warning",
        "both an outbound and an inbound category; the one of the call's direction is used",
    ),
    "duration-missing": ("info", "warning", "no duration; counted as 0 seconds"),
    "duration-unreadable": ("warning", "warning", "the duration cannot be read; counted as 0"),
    "clock-differs": (
        "warning",
        "warning",
        "the local time text and the unix time disagree; the unix time is used",
    ),
    "service-number-missing": (
        "info",
        "warning",
        "no number of the account can be told; grouped under (none)",
    ),
    "text-too-long": ("info", "info", "a text is longer than a workbook cell; shown cut there"),
    "credit": ("info", "info", "a negative cost: a credit, included in the totals"),
}


def findings(ledger: Ledger) -> tuple[Finding, ...]:
    """Return everything about the period's calls that a person should know, worst first."""
    intake = ledger.intake
    found = [*_of_intake(intake), *(_of_quirk(quirk) for quirk in intake.quirks)]
    found += [
        Finding(
            "unknown-field",
            "info",
            f"field {name[:60]}",
            "the carrier sends a field that this version does not know; kept in the archive",
            calls,
        )
        for name, calls in intake.unknown_fields
    ]
    found += [
        Finding(
            "missing-field",
            "info",
            f"field {name}",
            "the carrier leaves out a field that it documents",
            calls,
        )
        for name, calls in intake.missing_fields
    ]
    return worst_first(found)


def worst_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings: errors before warnings before information, then by code and place."""
    return tuple(sorted(found, key=lambda f: (SEVERITIES.index(f.severity), f.code, f.where)))


def _of_intake(intake: Intake) -> Iterable[Finding]:
    if intake.conflicting:
        yield Finding(
            "repeat-differs",
            "error",
            "calls",
            "the same callid came again with other content; the first one received is used",
            intake.conflicting,
        )
    if intake.repeats - intake.conflicting:
        yield Finding(
            "repeat",
            "info",
            "calls",
            "the same record came more than once; counted once",
            intake.repeats - intake.conflicting,
        )
    if intake.outside:
        yield Finding(
            "outside-period",
            "info",
            "calls",
            "records before or after the period came along; left out",
            intake.outside,
        )
    if intake.astray:
        yield Finding(
            "outside-window",
            "warning",
            "calls",
            "records came in the reply to a request for another time span; counted once",
            intake.astray,
        )


def _of_quirk(quirk: QuirkCount) -> Finding:
    without, with_dollars, message = _QUIRKS[quirk.code]
    severity = with_dollars if quirk.cost else without
    where = f"call {quirk.example}" if quirk.calls == 1 else f"call {quirk.example} and others"
    return Finding(quirk.code, severity, where, message, quirk.calls, quirk.cost)


def checks(ledger: Ledger, period: BillingPeriod, windows: Sequence[Window]) -> tuple[Check, ...]:
    """Compare everything that must be equal before a file may be made."""
    intake = ledger.intake
    clock = LocalClock.over(period.zone, period.start, period.end)
    return (
        Check(
            "Records received = ledger + repeats + outside",
            f"{intake.received:,}",
            f"{intake.ledger + intake.repeats + intake.outside:,}",
        ),
        Check(
            "Calls in the ledger = control total",
            f"{ledger.control.calls:,}",
            f"{intake.ledger:,}",
        ),
        Check("Sum of all groups = control totals", _said(ledger.control), _said(ledger.totals)),
        Check(
            "Sum of all days = control totals",
            _said(ledger.control),
            _said(total(totals for _, totals in ledger.days)),
        ),
        Check(
            "Windows cover the period, no gap and no overlap",
            f"{clock.text(period.start)} to {clock.text(period.end)}",
            _covered(windows, clock),
        ),
    )


def _said(totals: Totals) -> str:
    return (
        f"{totals.calls:,} calls, {totals.connected:,} connected, {totals.charged:,} charged, "
        f"{totals.seconds:,} s, ${money.plain(totals.cost)}"
    )


def _covered(windows: Sequence[Window], clock: LocalClock) -> str:
    """Say which span the windows cover, or where they leave a gap or overlap."""
    ordered = sorted(windows)
    for before, after in pairwise(ordered):
        if before.end != after.start:
            trouble = "gap" if before.end < after.start else "overlap"
            return f"{trouble} at {clock.text(before.end)}"
    if not ordered:
        return "nothing"
    return f"{clock.text(ordered[0].start)} to {clock.text(ordered[-1].end)}"


def state(
    period: BillingPeriod, pulled_at: int, settle_hours: int, found: Iterable[Finding]
) -> State:
    """Decide whether the period's figures can still be expected to change.

    ``pulled_at`` is the unix second at which the last reply was asked for. Carriers add and
    re-price calls after the fact, so a period settles ``settle_hours`` after its end.
    """
    reasons = []
    if pulled_at < period.end:
        reasons.append("the period was not over when the calls were pulled")
    elif pulled_at < period.end + settle_hours * HOUR:
        reasons.append(f"pulled less than {settle_hours} hours after the period's end")
    errors = sorted({finding.code for finding in found if finding.severity == "error"})
    if errors:
        reasons.append(f"findings that change figures: {', '.join(errors)}")
    return State("provisional" if reasons else "settled", tuple(reasons))


def needs_a_person(found: Iterable[Finding]) -> bool:
    """Tell whether any finding asks for a person, which is exit code 1."""
    return any(finding.severity != "info" for finding in found)
