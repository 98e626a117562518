"""An audit without a rate card: each category's model, and the calls that it does not explain.

Calls that were not connected, or lasted no time, should have cost nothing; one that did is an
outlier, too. Credits and calls whose cost or duration cannot be read take no part in the search.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from maxo_reports.core.cdr import INBOUND, OUTBOUND
from maxo_reports.core.checks import Finding, worst_first
from maxo_reports.core.money import dollars
from maxo_reports.core.rates.inferred import Explained, Kind, Model, explain
from maxo_reports.core.rates.rating import micros_of
from maxo_reports.core.rates.rerating import Compared, Verdict
from maxo_reports.core.rates.tariff import Rate, RateCard
from maxo_reports.core.report import CallLine

FEW_LENGTHS = 4
"""With fewer different durations than that, a model is a guess among many."""


@dataclass(slots=True)
class Guess:
    """What one category and direction seems to cost, in micro-dollars.

    ``model`` is None where every call was free. ``modelled`` is what the calls would cost by it.
    """

    category: str
    direction: str
    model: Model | None = None
    as_well: tuple[Model, ...] = ()
    lengths: int = 0
    calls: int = 0
    explained: int = 0
    cost: int = 0
    modelled: int = 0
    outliers: list[Compared] = field(default_factory=list)

    def expected(self, call: CallLine, connected: Collection[str]) -> int:
        """Return what a call costs by the model, in micro-dollars."""
        if self.model is None or not call.seconds or call.status not in connected:
            return 0
        return micros_of(self.model.parts(call.seconds))


def infer(
    calls: Callable[[], Iterable[CallLine]], connected: Collection[str]
) -> tuple[Guess, ...]:
    """Find each category's model. The calls are looked at twice: for prices, and for outliers."""
    kinds: defaultdict[tuple[str, str], Counter[Kind]] = defaultdict(Counter)
    for call in calls():
        of = kinds[call.category, call.direction]
        if _tells(call) and call.status in connected:
            of[Kind(call.seconds or 0, call.cost or 0)] += 1
    guesses = {key: _guess(*key, kinds[key]) for key in sorted(kinds)}
    for call in calls():
        guess = guesses[call.category, call.direction]
        expected = guess.expected(call, connected)
        guess.calls += 1
        guess.cost += call.cost or 0
        guess.modelled += expected
        if call.cost == expected:
            guess.explained += 1
        else:
            guess.outliers.append(Compared(call, _verdict(call, expected), None, expected))
    return tuple(guesses.values())


def _tells(call: CallLine) -> bool:
    """Tell whether a call says something of prices."""
    return bool(call.seconds) and call.cost is not None and call.cost >= 0


def _guess(category: str, direction: str, kinds: Counter[Kind]) -> Guess:
    found: Explained | None = explain(kinds)
    if found is None:
        return Guess(category, direction)
    free = found.model.per_minute is None and not found.model.connect_fee
    model = None if free else found.model
    return Guess(category, direction, model, found.as_well, found.lengths)


def _verdict(call: CallLine, expected: int) -> Verdict:
    if call.cost is None:
        return "no cost"
    if call.cost < 0:
        return "credit"
    return "overcharged" if call.cost > expected else "undercharged"


def card(guesses: Iterable[Guess]) -> RateCard:
    """Return the models as a rate card, to hold later months against.

    Calls of an unknown direction have no place in a card.
    """
    rates: list[Rate] = []
    for guess in guesses:
        if guess.direction not in {INBOUND, OUTBOUND}:
            continue
        model = guess.model or Model(dollars(0))
        rates.append(model.rate(f"line {len(rates) + 2}", guess.category, guess.direction))
    return RateCard("inferred", tuple(rates))


def findings(guesses: Iterable[Guess]) -> tuple[Finding, ...]:
    """Return what a person should look at, worst first."""
    found = []
    for guess in guesses:
        where = f"category {guess.category[:60]}, {guess.direction}"
        odd = [each for each in guess.outliers if each.verdict != "credit"]
        if odd:
            found.append(
                Finding(
                    "rate-outlier",
                    "warning",
                    where,
                    "calls do not cost what nearly all others of their category do",
                    len(odd),
                    dollars(sum(each.difference or 0 for each in odd)),
                )
            )
        if guess.model is not None and guess.lengths < FEW_LENGTHS:
            found.append(
                Finding(
                    "rate-unsure",
                    "info",
                    where,
                    "too few different durations to tell one price model from another",
                    guess.calls,
                    dollars(guess.cost),
                )
            )
    return worst_first(found)
