"""Checks and findings: what a person must know before trusting the figures, as values.

A *check* compares two figures that must be equal; one that fails stops the run. A *finding*
is something in the carrier's data that a person should see; it is counted, given its
dollars, and shown in every file. Findings decide the exit code and the state of the pack.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from maxo_reports.core import money
from maxo_reports.core.ledger import Intake, Ledger, QuirkCount, Totals, total
from maxo_reports.core.period import BillingPeriod, LocalClock, Window
from maxo_reports.core.text import counted

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
class WindowLine:
    """One window of a pull: its span, how many records its reply held, and which reply.

    ``tries`` is how often it was asked; ``echo`` what the reply says it answers (local start,
    local end, zone).
    """

    window: Window
    count: int
    sha256: str
    tries: int
    echo: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Completeness:
    """Why a pull is believed to be whole.

    ``splits`` counts full replies that were cut and asked again, ``refused`` replies that broke
    a rule and were asked again. ``second_look`` is a later pull of the same period: None while
    there is none, else whether it brought the same calls. ``crosschecks`` are the carrier's
    answers to the same question asked in other ways, to a ``depth``.
    """

    windows: tuple[WindowLine, ...] = ()
    splits: int = 0
    refused: int = 0
    second_look: bool | None = None
    depth: Depth = "none"
    crosschecks: tuple[Check, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The comparisons with the carrier as checks; a failed one is a finding."""
        if self.second_look is None:
            return self.crosschecks
        found = "the same calls" if self.second_look else "other calls"
        return (*self.crosschecks, Check("Second look at the carrier", "the same calls", found))

    @property
    def summary(self) -> str:
        """One line for people."""
        retried = sum(line.tries - 1 for line in self.windows)
        look = {None: "no second look yet", True: "a second look agrees", False: "looks differ"}
        return (
            f"{counted(len(self.windows), 'window')} asked, "
            f"{counted(self.splits, 'full reply')} split, "
            f"{counted(self.refused, 'reply')} refused, "
            f"{counted(retried, 'request')} repeated; "
            f"{look[self.second_look]}; cross-checks: {self.depth}."
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What differs between two ways of asking: a person must look before anything is paid."""
        return tuple(
            Finding(
                "carrier-disagrees",
                "error",
                check.title,
                f"expected {check.expected}, the carrier says {check.found}",
            )
            for check in self.checks
            if not check.passed
        )


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


def new_categories(
    now: Iterable[tuple[str, int, Decimal]], new: Collection[str]
) -> tuple[Finding, ...]:
    """Return a finding for each rate category, with calls and cost, that is among the new."""
    return tuple(
        Finding(
            "category-new",
            "info",
            f"category {category[:60]}",
            "this rate category is new for the account",
            calls,
            cost,
        )
        for category, calls, cost in now
        if category in new
    )


def findings(ledger: Ledger) -> tuple[Finding, ...]:
    """Return everything about the period's calls that a person should know, worst first."""
    intake = ledger.intake
    found = [*_of_intake(intake), *(_of_quirk(quirk) for quirk in intake.quirks)]
    found += [
        Finding(
            "unknown-field",
            "info",
            f"field {field.name[:60]}",
            "the carrier sends a field that this version does not know; kept in the archive",
            field.calls,
            field.cost,
        )
        for field in intake.unknown_fields
    ]
    found += [
        Finding(
            "missing-field",
            "info",
            f"field {field.name}",
            "the carrier leaves out a field that it documents",
            field.calls,
            field.cost,
        )
        for field in intake.missing_fields
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


def parts(title: str, whole: Totals, found: Iterable[Totals]) -> Check:
    """Compare a total with the sum of its parts, in every measure."""
    return Check(title, _said(whole), _said(total(found)))


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


def is_old_enough(period: BillingPeriod, pulled_at: int, settle_hours: int) -> bool:
    """Tell whether a period was over, and its settle time too, at a unix second."""
    return pulled_at >= period.end + settle_hours * HOUR


def state(
    period: BillingPeriod,
    pulled_at: int,
    settle_hours: int,
    found: Iterable[Finding],
    *,
    second_look: bool | None,
) -> State:
    """Decide whether the period's figures can still be expected to change.

    ``pulled_at`` is the unix second at which the oldest window was asked for. Carriers add and
    re-price calls after the fact, so a period settles ``settle_hours`` after its end, once a
    second look at the carrier has brought the same calls.
    """
    reasons = []
    if pulled_at < period.end:
        reasons.append("the period was not over when the calls were pulled")
    elif not is_old_enough(period, pulled_at, settle_hours):
        reasons.append(f"pulled less than {settle_hours} hours after the period's end")
    elif second_look is None:
        reasons.append("no second look has been taken at the carrier yet")
    errors = sorted({finding.code for finding in found if finding.severity == "error"})
    if errors:
        reasons.append(f"findings that change figures: {', '.join(errors)}")
    return State("provisional" if reasons else "settled", tuple(reasons))


def needs_a_person(found: Iterable[Finding]) -> bool:
    """Tell whether any finding asks for a person, which is exit code 1."""
    return any(finding.severity != "info" for finding in found)
