"""Inference: which connect fee, rate and increments explain the most calls of a category.

Every call says that ``fee + rate x billed seconds``, rounded, is its cost: a strip in the plane of
fee and rate. Rates are found by a vote of pairs of calls of unlike length; for each of them, the
fee that the most calls allow is found exactly by a sweep. All in whole parts of a dollar. Of
models that explain as many calls the simplest is taken: a price for the call before one for its
time, no fee before a fee, round figures before others, usual increments before rarer ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import NamedTuple

from maxo_reports.core.money import COST_PLACES, MICROS, dollars, places_of
from maxo_reports.core.rates.rating import (
    PARTS,
    PARTS_OF_A_MICRO,
    dollars_of,
    in_increments,
    rounded,
)
from maxo_reports.core.rates.tariff import Method, Rate, Rounding

INCREMENTS: tuple[tuple[int, int], ...] = (
    *((1, 1), (60, 60), (30, 30), (30, 6), (6, 6), (60, 1), (60, 30), (60, 6), (30, 1)),
    *((10, 10), (60, 10), (20, 20), (15, 15), (12, 12), (18, 6), (12, 6), (5, 5)),
)
"""First and following increments that price lists have, the usual ones first."""
_METHODS: tuple[Method, ...] = ("half-up", "up", "down")
_ANCHORS = 10
"""How many short and how many long calls are paired to vote for a rate."""
_SAMPLE = 160
"""Kinds of calls, the commonest and the most unlike, on which models are tried first."""
_MOST_RATES = 60
_LIKELY = 4
"""Increments that are tried with every method of rounding."""
_GOOD = 92, 100
"""A model that explains so many of the calls is good; else all increments are tried."""
_KEPT = 32
"""Models that are then tried on all calls."""
_NEAR = 4, 5
"""A rate is tried where so much of the most votes are for it."""
_SHARES_FOR_PLACES = (50, 80, 95, 100)
"""Hundredths of the calls: costs may have the decimals that so many do with."""
_USUAL_PLACES = 4
_CHANCE = 100
"""A price that lists may have is taken before one of more decimals that explains less than one in
so many calls more: a price can always be found that goes through an outlier or two."""


class Kind(NamedTuple):
    """Calls that are alike: as long, in seconds, and as dear, in micro-dollars."""

    seconds: int
    cost: int


@dataclass(frozen=True, slots=True)
class Model:
    """What a category seems to cost. ``per_minute`` is None where only the call has a price."""

    connect_fee: Decimal
    per_minute: Decimal | None = None
    first: int = 1
    following: int = 1
    method: Method = "half-up"
    places: int = 4

    def rate(self, place: str, category: str = "", direction: str = "") -> Rate:
        """Return the model as a line of a rate card."""
        return Rate(
            place,
            category,
            direction,
            connect_fee=self.connect_fee if self.per_minute is not None else Decimal(0),
            per_minute=self.per_minute,
            per_call=self.connect_fee if self.per_minute is None else None,
            first_increment=self.first,
            increment=self.following,
            rounding=Rounding(self.method, self.places),
        )

    def parts(self, seconds: int) -> int:
        """Return what a call of so many seconds costs, in parts of a dollar."""
        parts = _parts(self.connect_fee)
        if self.per_minute is None:
            return parts
        billed = in_increments(seconds, self.first, self.following)
        return rounded(parts + _parts(self.per_minute) // 60 * billed, self.places, self.method)

    def explains(self, kind: Kind) -> bool:
        """Tell whether calls of a kind cost what it says."""
        return self.parts(kind.seconds) == kind.cost * PARTS_OF_A_MICRO

    @property
    def plainness(self) -> tuple[int, int, int]:
        """How round its prices are: less is plainer, and a price for the call is the plainest."""
        if self.per_minute is None:
            return 0, 0, 0
        decimals = places_of(self.per_minute) + places_of(self.connect_fee)
        return 1, decimals, int(self.connect_fee != 0)

    @property
    def roughness(self) -> tuple[int, int]:
        """How unlike a price list it is: a price for time, with more decimals than lists have."""
        if self.per_minute is None:
            return 0, 0
        prices = (self.per_minute, self.connect_fee)
        return 1, sum(max(0, places_of(price) - _USUAL_PLACES) for price in prices)

    @property
    def rarity(self) -> tuple[int, int, int]:
        """How unusual the rest of it is."""
        pair = INCREMENTS.index((self.first, self.following))
        return pair, _METHODS.index(self.method), self.places


@dataclass(frozen=True, slots=True)
class Explained:
    """The model of a category: how many of its calls it explains, and which other would, too.

    ``lengths`` is of how many different lengths the calls were: with a few, many models fit.
    """

    model: Model
    calls: int
    explained: int
    lengths: int
    as_well: tuple[Model, ...] = ()


def explain(calls: Mapping[Kind, int]) -> Explained | None:
    """Return the model that explains the most of some connected calls; None where there are none.

    ``calls`` says how many there are of each kind.
    """
    if not calls:
        return None
    found: dict[Model, int] = {}
    for pairs in (_LIKELY, len(INCREMENTS)):
        found |= {model: _count(model, calls) for model in _candidates(calls, pairs)}
        if max(found.values()) * _GOOD[1] >= sum(calls.values()) * _GOOD[0]:
            break
    best = _best(found, sum(calls.values()))
    # Fees and rates beside each other are one model told in two ways; other increments are not.
    others = {
        _shape(m): m
        for m in sorted(found, key=_order, reverse=True)
        if found[m] == found[best] and _shape(m) != _shape(best)
    }
    lengths = len({kind.seconds for kind in calls})
    as_well = tuple(sorted(others.values(), key=_order))
    return Explained(best, sum(calls.values()), found[best], lengths, as_well)


def _best(found: Mapping[Model, int], calls: int) -> Model:
    """Return the model that explains the most, of those alike the plainest: see ``_CHANCE``."""
    enough = max(found.values()) - calls // _CHANCE
    smoothest = min(m.roughness for m, count in found.items() if count >= enough)
    alike = [m for m, count in found.items() if count >= enough and m.roughness == smoothest]
    return min(alike, key=lambda m: (-found[m], _order(m)))


def _order(model: Model) -> tuple[object, ...]:
    return model.plainness, model.rarity, model.per_minute or 0, model.connect_fee


def _shape(model: Model) -> tuple[bool, int, int]:
    return model.per_minute is None, model.first, model.following


def _candidates(calls: Mapping[Kind, int], pairs: int) -> Iterator[Model]:
    """Yield models that may explain many calls, with the likeliest of the increments."""
    costs: Counter[int] = Counter()
    for kind, count in calls.items():
        costs[kind.cost] += count
    usual = dollars(min(costs, key=lambda cost: (-costs[cost], cost)))
    yield Model(usual, places=max(2, places_of(usual)))
    sample = _sample(calls)
    for places in _places(calls):
        step = PARTS // 10**places
        tried: list[tuple[int, int, int, _Trial]] = []
        for pair in _likely(sample, step)[:pairs]:
            points = _points(sample, *pair)
            for rate in _rates(points, step):
                for method, (low, high) in _strips(step).items():
                    depth, fee = _fee(points, rate, low, high)
                    decimals = places_of(dollars_of(rate * 60)) + places_of(dollars_of(fee or 0))
                    tried.append((-depth, decimals, len(tried), _Trial(pair, rate, method)))
        for _, _, _, (pair, rate, method) in sorted(tried)[:_KEPT]:
            _, fee = _fee(_points(calls, *pair), rate, *_strips(step)[method])
            if fee is not None:
                yield Model(dollars_of(fee), dollars_of(rate * 60), *pair, method, places)


def _likely(calls: Mapping[Kind, int], step: int) -> list[tuple[int, int]]:
    """Return the increments with which some fee and rate come close to the most calls."""
    depths = {}
    for pair in INCREMENTS:
        points = _points(calls, *pair)
        rates = _rates(points, step)
        tried = (_fee(points, rate, 1 - step, step - 1) for rate in rates[:: len(rates) // 9 + 1])
        depths[pair] = max((depth for depth, _ in tried), default=0)
    return sorted(depths, key=lambda pair: -depths[pair])


def _strips(step: int) -> Mapping[Method, tuple[int, int]]:
    """Return by how much an unrounded charge may differ from a cost, least and most."""
    half = step // 2
    return {"half-up": (-half, half - 1), "up": (1 - step, 0), "down": (0, step - 1)}


_Span = tuple[int, int, int]
"""From, to and weight."""


class _Trial(NamedTuple):
    increments: tuple[int, int]
    rate: int
    method: Method


class _Point(NamedTuple):
    billed: int
    parts: int
    calls: int


def _points(calls: Mapping[Kind, int], first: int, following: int) -> list[_Point]:
    together: Counter[tuple[int, int]] = Counter()
    for kind, count in calls.items():
        together[in_increments(kind.seconds, first, following), kind.cost] += count
    return [
        _Point(billed, cost * PARTS_OF_A_MICRO, count)
        for (billed, cost), count in sorted(together.items())
    ]


def _sample(calls: Mapping[Kind, int]) -> Mapping[Kind, int]:
    """Return the commonest kinds, and some of every length."""
    if len(calls) <= _SAMPLE:
        return calls
    by_number = sorted(calls, key=lambda kind: (-calls[kind], kind))[: _SAMPLE // 2]
    by_length = sorted(calls)[:: len(calls) // (_SAMPLE // 2)]
    return {kind: calls[kind] for kind in sorted({*by_number, *by_length})}


def _rates(points: Sequence[_Point], step: int) -> list[int]:
    """Return rates, in parts a second, on which most pairs of unlike calls agree."""
    votes: list[_Span] = []
    spread = _spread(points)
    for short in spread[:_ANCHORS]:
        for long in spread[-_ANCHORS:]:
            length = long.billed - short.billed
            if length <= 0:
                continue
            rise = long.parts - short.parts
            low = -(-(rise - (step - 1)) // length)
            votes.append((low, (rise + (step - 1)) // length, 1))
    enough, of = _NEAR
    most, _ = _deepest(votes)
    spans = _covered(votes, -(-most * enough // of))
    return list(_round_rates(max(spans[0][0], 1), spans[-1][1])) if spans else []


def _spread(points: Sequence[_Point]) -> list[_Point]:
    """Return the commonest cost of some lengths, from the shortest to the longest."""
    usual: dict[int, _Point] = {}
    for point in points:
        if point.billed not in usual or point.calls > usual[point.billed].calls:
            usual[point.billed] = point
    lengths = sorted(usual)
    each = max(1, len(lengths) // (2 * _ANCHORS))
    return [usual[length] for length in lengths[::each]]


def _round_rates(low: int, high: int) -> Iterator[int]:
    """Yield the rates between two, those with the fewest decimals of a dollar a minute first."""
    yielded = 0
    for places in range(1, COST_PLACES + 1):
        unit = PARTS // 60 // 10**places
        first, last = -(-low // unit), high // unit
        for times in range(first, min(last, first + _MOST_RATES) + 1):
            yield times * unit
            yielded += 1
        if yielded >= _MOST_RATES:
            return


def _fee(points: Sequence[_Point], rate: int, low: int, high: int) -> tuple[int, int | None]:
    """Return how many calls some fee explains, at most, and the roundest such fee.

    ``low`` and ``high`` is by how much an unrounded charge may differ from the cost.
    """
    spans = []
    for point in points:
        exact = point.parts - rate * point.billed
        if exact + high >= 0:
            spans.append((max(exact + low, 0), exact + high, point.calls))
    depth, deepest = _deepest(spans)
    fees = [fee for span in deepest if (fee := _roundest(*span)) is not None]
    return depth, min(fees, key=_plain_parts, default=None)


def _deepest(spans: Sequence[_Span]) -> tuple[int, list[tuple[int, int]]]:
    """Return the most weight that any number has of the spans over it, and where it has it."""
    most = max((depth for _, depth in _depths(spans)), default=0)
    return most, _covered(spans, most)


def _covered(spans: Sequence[_Span], least: int) -> list[tuple[int, int]]:
    """Return where the weight of the spans is enough."""
    if not least:
        return []
    depths = _depths(spans)
    return [(edge, after - 1) for (edge, depth), (after, _) in pairwise(depths) if depth >= least]


def _depths(spans: Sequence[_Span]) -> list[tuple[int, int]]:
    """Return each number from which on the weight of the spans over it is another."""
    changes: Counter[int] = Counter()
    for low, high, weight in spans:
        if low <= high:
            changes[low] += weight
            changes[high + 1] -= weight
    edges = sorted(changes)
    return list(zip(edges, accumulate(changes[edge] for edge in edges), strict=True))


def _roundest(low: int, high: int) -> int | None:
    """Return the figure between two that has the fewest decimals of a dollar, or None."""
    for places in range(COST_PLACES + 1):
        unit: int = PARTS // 10**places
        times = -(-low // unit)
        if times * unit <= high:
            return times * unit
    return None


def _plain_parts(parts: int) -> tuple[int, int]:
    return places_of(dollars_of(parts)), parts


def _places(calls: Mapping[Kind, int]) -> list[int]:
    """Return the decimals that the costs may be rounded to."""
    total = sum(calls.values())
    enough = {
        places: sum(n for kind, n in calls.items() if kind.cost % (MICROS // 10**places) == 0)
        for places in range(2, COST_PLACES + 1)
    }
    least = {
        min(places for places, count in enough.items() if 100 * count >= share * total)
        for share in _SHARES_FOR_PLACES
    }
    return sorted(least)


def _count(model: Model, calls: Mapping[Kind, int]) -> int:
    return sum(count for kind, count in calls.items() if model.explains(kind))


def _parts(value: Decimal) -> int:
    return int(value.scaleb(COST_PLACES)) * PARTS_OF_A_MICRO
