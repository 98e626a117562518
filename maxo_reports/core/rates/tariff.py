"""Tariffs: what a rate card says, as values, and whether two of its rates can be told apart.

Prices are dollars as Decimal, lengths are seconds, days are whole days since 1970 on the account's
local clock, times of day are seconds after midnight. The words are those of Australian price
lists: a connect fee (flagfall), a first and a following increment, untimed calls, free seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Literal

from maxo_reports.core.money import GstBasis

Method = Literal["up", "half-up", "down", "none"]
METHODS: tuple[Method, ...] = ("up", "half-up", "down", "none")
Stage = Literal["call", "total"]
STAGES: tuple[Stage, ...] = ("call", "total")
PoolPer = Literal["account", "service-number"]
POOLED: tuple[PoolPer, ...] = ("account", "service-number")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_WEEK = frozenset(range(7))
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rounding:
    """How a charge becomes one that can be billed.

    At stage ``call`` every call is rounded to ``places`` decimals of a dollar; at stage ``total``
    none is, and only their sum will be.
    """

    method: Method = "half-up"
    places: int = 4
    stage: Stage = "call"

    @property
    def of_calls(self) -> bool:
        """Whether single calls are rounded."""
        return self.method != "none" and self.stage == "call"


@dataclass(frozen=True, slots=True)
class Band:
    """The times at which a rate holds, by when a call begins: ``start <= second of day < end``.

    A band that ends before it starts goes over midnight; its weekdays are those of its start.
    """

    days: frozenset[int] = ALL_WEEK
    start: int = 0
    end: int = DAY

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield the band's parts in seconds of the week, Monday midnight being 0."""
        for day in sorted(self.days):
            begin = day * DAY
            if self.start < self.end:
                yield begin + self.start, begin + self.end
                continue
            yield begin + self.start, begin + DAY
            if self.end:
                after = (day + 1) % 7 * DAY
                yield after, after + self.end

    def holds(self, second_of_week: int) -> bool:
        """Tell whether a call that begins then is in the band."""
        return any(begin <= second_of_week < end for begin, end in self.spans())

    def meets(self, other: Band) -> bool:
        """Tell whether some moment is in both bands."""
        return any(
            begin < far and near < end
            for begin, end in self.spans()
            for near, far in other.spans()
        )


@dataclass(frozen=True, slots=True)
class Pool:
    """Included minutes that calls use up in order of time, for the period that is rated.

    ``covers_fee`` says whether a call that is wholly included pays no connect fee either.
    """

    name: str
    seconds: int
    per: PoolPer = "account"
    covers_fee: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of a rate card: for which calls it holds, and what they cost.

    Empty texts and None match any call; ``last`` is the last day that is included. ``per_call`` is
    what an untimed call costs, of its first ``untimed_limit`` seconds where that is given; the
    time after it costs ``per_minute``. ``place`` says where it stands in the user's file.
    """

    place: str
    category: str = ""
    direction: str = ""
    prefix: str = ""
    first: int | None = None
    last: int | None = None
    band: Band | None = None
    connect_fee: Decimal = Decimal(0)
    per_minute: Decimal | None = None
    per_call: Decimal | None = None
    first_increment: int = 1
    increment: int = 1
    free_seconds: int = 0
    untimed_limit: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    charge_unconnected: bool = False
    rounding: Rounding = Rounding()
    gst: GstBasis = "unknown"
    pool: str = ""

    @property
    def rank(self) -> tuple[bool, int, bool, bool]:
        """How closely it says which calls it is for; of those that match, the highest holds."""
        return bool(self.category), len(self.prefix), bool(self.direction), self.band is not None

    def valid_on(self, day: int) -> bool:
        """Tell whether it holds for calls that begin on a day."""
        return (self.first is None or self.first <= day) and (
            self.last is None or day <= self.last
        )

    def rivals(self, other: Rate) -> bool:
        """Tell whether some call could be of both, with nothing to choose between them."""
        same = (self.category, self.direction, self.prefix, self.band is None) == (
            other.category,
            other.direction,
            other.prefix,
            other.band is None,
        )
        if not same or not self._days_meet(other):
            return False
        return self.band is None or other.band is None or self.band.meets(other.band)

    def _days_meet(self, other: Rate) -> bool:
        starts = [day for day in (self.first, other.first) if day is not None]
        ends = [day for day in (self.last, other.last) if day is not None]
        return not starts or not ends or max(starts) <= min(ends)


@dataclass(frozen=True, slots=True)
class RateCard:
    """A rate card: its name, its rates in the order of the file, its pools of minutes."""

    name: str
    rates: tuple[Rate, ...]
    pools: tuple[Pool, ...] = ()


def rivals(rates: Sequence[Rate]) -> Iterator[tuple[Rate, Rate]]:
    """Yield each two rates between which some call could not choose."""
    alike: dict[tuple[object, ...], list[Rate]] = {}
    for rate in rates:
        key = (rate.category, rate.direction, rate.prefix, rate.band is None)
        alike.setdefault(key, []).append(rate)
    for group in alike.values():
        yield from ((one, other) for one, other in combinations(group, 2) if one.rivals(other))
