"""Re-rating: every call's cost beside what the rate card says, with the dollars between them.

A call is *overcharged* or *undercharged*, agrees, is a credit, or cannot be compared (no rate is
for it, its cost or its duration cannot be read). Nothing is dropped: a category's cost is always
``rated + over - under + within + credits + not rated``, in whole micro-dollars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from maxo_reports.core.checks import Check, Finding, worst_first
from maxo_reports.core.ledger import Totals
from maxo_reports.core.money import COST_PLACES, MICROS, dollars, plain
from maxo_reports.core.rates.rating import PARTS_OF_A_MICRO, Rated, Rater, micros_of, rounded
from maxo_reports.core.rates.tariff import RateCard
from maxo_reports.core.report import CallLine
from maxo_reports.core.text import counted

Verdict = Literal[
    "agrees", "overcharged", "undercharged", "credit", "no rate", "no cost", "no duration"
]


_COMPARED: frozenset[Verdict] = frozenset({"agrees", "overcharged", "undercharged"})
"""Verdicts of calls that count at what they cost by the card."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One call that does not simply agree: its verdict, and what it costs by the card.

    ``expected`` is in micro-dollars, None where no rate is for it.
    """

    call: CallLine
    verdict: Verdict
    rated: Rated | None
    expected: int | None

    @property
    def difference(self) -> int | None:
        """Micro-dollars that the call costs too much; negative where too little."""
        if self.expected is None or self.call.cost is None:
            return None
        return self.call.cost - self.expected


@dataclass(slots=True)
class Tally:
    """Calls of one category, or of one rate, in micro-dollars; ``billed`` in seconds."""

    calls: int = 0
    seconds: int = 0
    billed: int = 0
    included: int = 0
    cost: int = 0
    rated_calls: int = 0
    rated: int = 0
    over_calls: int = 0
    over: int = 0
    under_calls: int = 0
    under: int = 0
    within: int = 0
    credit_calls: int = 0
    credits: int = 0
    unrated_calls: int = 0
    unrated: int = 0

    @property
    def explained(self) -> int:
        """What the cost comes to from its parts."""
        rest = self.within + self.credits + self.unrated
        return self.rated + self.over - self.under + rest

    def add(self, call: CallLine, verdict: Verdict, rated: Rated | None, expected: int) -> None:
        """Count one call."""
        cost = call.cost or 0
        self.calls += 1
        self.seconds += call.seconds or 0
        self.cost += cost
        if verdict == "credit":
            self.credit_calls += 1
            self.credits += cost
            return
        if rated is None or verdict in {"no cost", "no duration"}:
            self.unrated_calls += 1
            self.unrated += cost
            return
        self.rated_calls += 1
        self.rated += expected
        self.billed += rated.billed
        self.included += rated.included
        difference = cost - expected
        if verdict == "overcharged":
            self.over_calls += 1
            self.over += difference
        elif verdict == "undercharged":
            self.under_calls += 1
            self.under -= difference
        else:
            self.within += difference


@dataclass(slots=True)
class Rerated:
    """A period's calls, re-rated: by category and direction, by rate, and call by call.

    ``by_rate`` has a tally for each rate of the card, in its order. ``rounding`` is what is added
    to the sum of the calls by rates that round their total only, in micro-dollars.
    """

    card: RateCard
    tolerance: int
    by_category: dict[tuple[str, str], Tally] = field(default_factory=dict)
    by_rate: list[Tally] = field(default_factory=list)
    whole: Tally = field(default_factory=Tally)
    compared: list[Compared] = field(default_factory=list)
    rounding: int = 0

    def of(self, *verdicts: Verdict) -> list[Compared]:
        """Return the calls with some verdicts, in order of time."""
        return [each for each in self.compared if each.verdict in verdicts]


def rerate(
    calls: Iterable[CallLine], rater: Rater, tolerance: int = 0, places: int = COST_PLACES
) -> Rerated:
    """Re-rate calls that come in order of time.

    Differences up to ``tolerance`` micro-dollars agree. ``places`` are the decimals of the
    carrier's costs: a rate that rounds no single call is compared no closer than one in the last.
    """
    card = rater.card
    found = Rerated(card, tolerance, by_rate=[Tally() for _ in card.rates])
    loose = max(tolerance, MICROS // 10**places - 1)
    exact = [0] * len(card.rates)
    for call, rated in rater.all(calls):
        expected = micros_of(rated.parts) if rated is not None else 0
        near = tolerance
        if rated is not None and not card.rates[rated.at].rounding.of_calls:
            near = loose
        verdict = _verdict(call, rated, expected, near)
        key = (call.category, call.direction)
        tallies = [found.whole, found.by_category.setdefault(key, Tally())]
        if rated is not None:
            tallies.append(found.by_rate[rated.at])
            # A call that is not counted at the card's price has no part in the price's rounding.
            exact[rated.at] += rated.parts if verdict in _COMPARED else 0
        for tally in tallies:
            tally.add(call, verdict, rated, expected)
        if verdict != "agrees":
            found.compared.append(
                Compared(call, verdict, rated, None if rated is None else expected)
            )
    found.rounding = sum(
        rounded(parts, rate.rounding.places, rate.rounding.method) // PARTS_OF_A_MICRO
        - tally.rated
        for rate, parts, tally in zip(card.rates, exact, found.by_rate, strict=True)
        if rate.rounding.method != "none" and rate.rounding.stage == "total"
    )
    return found


def _verdict(call: CallLine, rated: Rated | None, expected: int, near: int) -> Verdict:
    if call.cost is None:
        return "no cost"
    if call.cost < 0:
        return "credit"
    if rated is None:
        return "no rate"
    if call.seconds is None:
        return "no duration"
    if abs(call.cost - expected) <= near:
        return "agrees"
    return "overcharged" if call.cost > expected else "undercharged"


def checks(found: Rerated, control: Totals) -> tuple[Check, ...]:
    """Compare the re-rated calls with the control totals, and each sum with its parts."""
    whole = found.whole
    categories = found.by_category.values()
    return (
        Check("Calls compared with the card = calls", f"{control.calls:,}", f"{whole.calls:,}"),
        Check(
            "Cost of the calls compared = control total",
            f"${plain(control.cost)}",
            f"${plain(dollars(whole.cost))}",
        ),
        Check(
            "By the card + over - under + within tolerance + credits + not rated = cost",
            f"${plain(dollars(whole.cost))}",
            f"${plain(dollars(sum(tally.explained for tally in categories)))}",
        ),
        Check(
            "Rated + credits + not rated = calls",
            f"{whole.calls:,}",
            f"{sum(t.rated_calls + t.credit_calls + t.unrated_calls for t in categories):,}",
        ),
    )


def findings(found: Rerated) -> tuple[Finding, ...]:
    """Return what a person should know of a comparison with the card, worst first."""
    listed = [*_of_categories(found), *_not_rated(found), *_unused(found)]
    return worst_first(listed)


def _of_categories(found: Rerated) -> Iterable[Finding]:
    for (category, direction), tally in sorted(found.by_category.items()):
        where = f"category {category[:60]}, {direction}"
        if tally.over_calls:
            yield Finding(
                "overcharged",
                "warning",
                where,
                "the carrier's cost is more than the rate card says",
                tally.over_calls,
                dollars(tally.over),
            )
        if tally.under_calls:
            yield Finding(
                "undercharged",
                "info",
                where,
                "the carrier's cost is less than the rate card says",
                tally.under_calls,
                dollars(-tally.under),
            )


def _not_rated(found: Rerated) -> Iterable[Finding]:
    missing: dict[tuple[Verdict, str, str], list[int]] = {}
    for each in found.of("no rate", "no duration"):
        key = (each.verdict, each.call.category, each.call.direction)
        missing.setdefault(key, []).append(each.call.cost or 0)
    words = {"no rate": "no rate of the card is for these calls", "no duration": "no duration"}
    for (verdict, category, direction), costs in sorted(missing.items()):
        yield Finding(
            "not-rated",
            "warning" if any(costs) else "info",
            f"category {category[:60]}, {direction}",
            f"{words[verdict]}; their cost is not checked",
            len(costs),
            dollars(sum(costs)),
        )


def _unused(found: Rerated) -> Iterable[Finding]:
    known = {category for category, _ in found.by_category}
    for rate, tally in zip(found.card.rates, found.by_rate, strict=True):
        if not tally.calls and rate.category and rate.category not in known:
            yield Finding(
                "rate-unused",
                "info",
                f"rate card, {rate.place}",
                f"no call of the period has the rate category {rate.category[:60]!r}",
            )


def words(found: Rerated) -> Sequence[str]:
    """Say in a few lines what came of it."""
    whole = found.whole
    return (
        (
            f"{counted(whole.rated_calls, 'call')} re-rated: "
            f"${plain(dollars(whole.rated + found.rounding))} by the card"
        ),
        f"overcharged: {counted(whole.over_calls, 'call')}, ${plain(dollars(whole.over))}",
        f"undercharged: {counted(whole.under_calls, 'call')}, ${plain(dollars(whole.under))}",
        f"not rated: {counted(whole.unrated_calls, 'call')}, ${plain(dollars(whole.unrated))}",
    )
