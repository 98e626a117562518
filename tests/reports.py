"""Reports for tests: a fictional dental practice's month, from made-up calls to a report value.

Numbers are from the ranges that ACMA sets aside for fiction.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from foremost import called, foremost

from maxo_reports.core import report
from maxo_reports.core.brand import NO_BRAND, Brand, Recipient
from maxo_reports.core.checks import Finding, State, checks, worst_first
from maxo_reports.core.heading import Heading
from maxo_reports.core.ledger import Group, Intake, Ledger, Totals, total
from maxo_reports.core.money import GstBasis
from maxo_reports.core.period import BillingPeriod, months_before, parse_period
from maxo_reports.core.report import (
    CallLine,
    Column,
    Definition,
    Earlier,
    Report,
    Role,
    Row,
    SectionSpec,
    Source,
    Table,
)
from maxo_reports.core.sections import build
from maxo_reports.definitions import Shelf, load, load_theme
from maxo_reports.render import FORMATS, Style

ZONE = "Australia/Sydney"
SHELF = Shelf.of(None)
STYLE = Style(load_theme(SHELF), SHELF.templates(), "maxo-reports 0.1.0")
DEFINITION = load("statement", SHELF, FORMATS).definition
SETTLED = State("settled")
NUMBERS = (
    *("0255500140", "0255500141", "0255500142", "0255500143", "0370101234"),
    *("0491570006", "1300975707", "1800160401", "0255500144"),
)


class Kind(NamedTuple):
    """One rate category: how common, and what a call of it costs."""

    category: str
    direction: str
    weight: int
    flagfall: str
    per_minute: str


KINDS = (
    Kind("Local", "Outbound", 420, "0.1", "0"),
    Kind("National", "Outbound", 190, "0.05", "0.0355"),
    Kind("Mobile", "Outbound", 360, "0.05", "0.1145"),
    Kind("13/1300", "Outbound", 70, "0.3", "0"),
    Kind("1800 (free)", "Outbound", 45, "0", "0"),
    Kind("International - New Zealand", "Outbound", 9, "0.05", "0.0425"),
    Kind("International - United Kingdom", "Outbound", 5, "0.05", "0.0625"),
    Kind("Directory Assistance", "Outbound", 4, "1.2", "0"),
    Kind("Incoming", "Inbound", 980, "0", "0"),
    Kind("1800 Incoming", "Inbound", 60, "0", "0.0495"),
    Kind("1300 Incoming", "Inbound", 130, "0", "0.0265"),
)


class Call(NamedTuple):
    """A made-up call."""

    category: str
    direction: str
    service_number: str
    day: date
    totals: Totals


class NoLines:
    """Calls of which a statement reads the foremost and those of each number called, no others."""

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        """Keep them."""
        self._calls = list(calls)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._calls)

    def lines(self) -> Iterator[CallLine]:
        """Refuse."""
        raise AssertionError("the statement lists no calls")

    def _lines(self) -> Iterator[CallLine]:
        return (_line(at, call) for at, call in enumerate(self._calls))

    def foremost(self, measure: str, most: int) -> list[CallLine]:
        """Return the calls with the most of a measure, each at noon of its day."""
        return foremost(self._lines(), measure, most)

    def called(self, direction: str) -> list[tuple[str, Totals]]:
        """Return the totals of each number called."""
        return called(self._lines(), direction)


def _line(at: int, call: Call) -> CallLine:
    """Return a made-up call as a list shows it: one of 40 numbers, from ACMA's for fiction."""
    other = f"02555001{at % 40:02}"
    noon = (call.day - date(1970, 1, 1)).days * 86_400 + 43_200
    inbound = call.direction == "Inbound"
    parties = (other, call.service_number) if inbound else (call.service_number, other)
    return CallLine(
        f"{at}",
        noon,
        call.direction,
        *parties,
        call.service_number,
        call.category,
        "Connected" if call.totals.connected else "No answer",
        call.totals.seconds,
        int(call.totals.cost * 1_000_000),
    )


def month(period: str = "2026-10") -> BillingPeriod:
    """Return a billing period in Sydney."""
    return parse_period(period, ZONE, date(2026, 11, 3))


def made_up_calls(
    count: int, period: BillingPeriod, numbers: Sequence[str] = NUMBERS
) -> list[Call]:
    """Make calls up: office hours, fewer at weekends, the same ones every time."""
    dice = random.Random(20261031)
    days = [period.first + timedelta(days=n) for n in range((period.until - period.first).days)]
    weights = [(2, 10, 11, 10, 10, 9, 3)[(day.weekday() + 1) % 7] for day in days]
    calls = []
    for _ in range(count):
        kind = dice.choices(KINDS, [k.weight for k in KINDS])[0]
        connected = dice.random() < 0.83
        seconds = int(dice.expovariate(1 / 150)) + 4 if connected else 0
        cost = Decimal(0)
        if connected:
            minutes = Decimal(seconds) / 60
            cost = Decimal(kind.flagfall) + (minutes * Decimal(kind.per_minute))
            cost = cost.quantize(Decimal("0.0001"))
        calls.append(
            Call(
                kind.category,
                kind.direction,
                dice.choice(numbers),
                dice.choices(days, weights)[0],
                Totals(1, int(connected), int(bool(cost)), seconds, cost),
            )
        )
    return calls


def ledger_of(calls: Iterable[Call]) -> Ledger:
    """Group made-up calls."""
    groups: defaultdict[tuple[str, str, str], Totals] = defaultdict(Totals)
    days: defaultdict[date, Totals] = defaultdict(Totals)
    for call in calls:
        groups[call.category, call.direction, call.service_number] += call.totals
        days[call.day] += call.totals
    control = total(groups.values())
    return Ledger(
        tuple(Group(key, groups[key]) for key in sorted(groups)),
        tuple((day, days[day]) for day in sorted(days)),
        control,
        Intake(control.calls, control.calls, 0, 0),
    )


CHARGES = Table(
    (Column("line", "For", report.Kind.TEXT), Column("dollars", "Dollars", report.Kind.CENTS)),
    (Row(("Calls", Decimal("12.30"))), Row(("Total", Decimal("12.30")), Role.TOTAL)),
)
"""What a client pays, where a definition asks for it."""


def statement(
    calls: Iterable[Call],
    *,
    period: BillingPeriod | None = None,
    state: State = SETTLED,
    findings: Iterable[Finding] = (),
    definition: Definition = DEFINITION,
    account_name: str = "Wattle Lane Dental",
    cost_gst: GstBasis = "unknown",
    brand: Brand = NO_BRAND,
    recipient: Recipient | None = None,
    before: Iterable[Call] | None = None,
) -> Report:
    """Build the statement of some calls; ``before`` are those of the month before."""
    period = period or month()
    calls = list(calls)
    ledger = ledger_of(calls)
    heading = Heading(
        "wattle-lane",
        account_name,
        period,
        state,
        cost_gst,
        datetime(2026, 11, 4, 9, 14, 5, tzinfo=ZoneInfo(ZONE)),
        brand=brand,
        recipient=recipient,
    )
    earlier = None if before is None else ledger_of(before)
    source = Source(
        heading,
        ledger,
        worst_first(findings),
        checks(ledger, period, [period.window]),
        NoLines(calls),
        ("Connected",),
        charges=CHARGES if any(s.kind == "charges" for s in definition.sections) else None,
        earlier=tuple(
            Earlier(each, "whole", lambda _: earlier)
            for each in months_before(period, 1 if earlier is not None else 0)
        ),
    )
    return build(definition, source)


def october(**changes: object) -> Report:
    """Build Wattle Lane Dental's October 2026: about 2,500 calls over nine numbers."""
    return statement(made_up_calls(2517, month()), **changes)  # type: ignore[arg-type]


def with_sections(*sections: SectionSpec) -> Definition:
    """Return the statement's definition with other sections."""
    return replace(DEFINITION, sections=sections)
