"""Rating: what a call costs by a rate card, exactly, in whole parts of a dollar.

A dollar has ``PARTS`` parts: enough that a price of six decimals a minute is a whole number for
every second, with or without GST, so that nothing is rounded but where the card says so.

A call is billed in this order: seconds after the free ones, brought up to whole increments, less
those that a pool includes; connect fee and time; not less than the minimum; not more than the
maximum; with or without GST as the carrier's costs are; then rounded. A call that was not
connected, or lasted no time, costs nothing unless the rate says so. The rate is that of the
moment at which the call begins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from maxo_reports.core import numbering
from maxo_reports.core.cdr import INBOUND
from maxo_reports.core.money import COST_PLACES, MICROS, GstBasis, dollars
from maxo_reports.core.rates.tariff import DAY, Method, Pool, Rate, RateCard
from maxo_reports.core.report import CallLine

PARTS_OF_A_MICRO = 60 * 10 * 11
"""Sixty seconds to the minute; ten and eleven to put GST on or take it off."""
PARTS = MICROS * PARTS_OF_A_MICRO
_MINUTE = 60
_THURSDAY = 3
"""The weekday of 1 January 1970, Monday being 0."""


class Rated(NamedTuple):
    """What a call costs by the card: ``parts`` of a dollar, by the rate at ``at`` in the card.

    ``billed`` are its seconds in whole increments, ``included`` those of them that a pool covers.
    """

    at: int
    billed: int
    included: int
    parts: int


def micros_of(parts: int) -> int:
    """Return whole micro-dollars, half a one away from zero."""
    return rounded(parts, COST_PLACES, "half-up") // PARTS_OF_A_MICRO


def dollars_of(parts: int) -> Decimal:
    """Return parts as dollars to the micro-dollar."""
    return dollars(micros_of(parts))


def rounded(parts: int, places: int, method: Method) -> int:
    """Round parts of a dollar to some decimals; a negative figure as its opposite."""
    if method == "none":
        return parts
    step: int = PARTS // 10**places
    whole, rest = divmod(abs(parts), step)
    if (method == "up" and rest) or (method == "half-up" and 2 * rest >= step):
        whole += 1
    return whole * step if parts >= 0 else -whole * step


def in_increments(seconds: int, first: int, following: int) -> int:
    """Return billed seconds: at least the first increment, then whole following ones."""
    if seconds <= 0:
        return 0
    beyond = max(0, seconds - first)
    return first + -(-beyond // following) * following


def gst_factor(of: GstBasis, wanted: GstBasis) -> tuple[int, int]:
    """Return the numbers to multiply with and divide by to bring a price to another GST basis."""
    if (of, wanted) == ("exclusive", "inclusive"):
        return 11, 10
    if (of, wanted) == ("inclusive", "exclusive"):
        return 10, 11
    return 1, 1


@dataclass(frozen=True, slots=True)
class _Priced:
    """A rate in whole parts of a dollar, brought to the GST basis that is wanted."""

    rate: Rate
    at: int
    connect_fee: int
    each_second: int
    per_call: int | None
    minimum: int | None
    maximum: int | None

    @classmethod
    def of(cls, rate: Rate, at: int, basis: GstBasis) -> _Priced:
        up, down = gst_factor(rate.gst, basis)

        def parts(value: Decimal | None) -> int | None:
            return (
                None
                if value is None
                else int(value.scaleb(COST_PLACES)) * (PARTS_OF_A_MICRO * up // down)
            )

        return cls(
            rate,
            at,
            parts(rate.connect_fee) or 0,
            (parts(rate.per_minute) or 0) // _MINUTE,
            parts(rate.per_call),
            parts(rate.minimum),
            parts(rate.maximum),
        )

    def timed(self, seconds: int) -> int:
        """Return the seconds, in whole increments, that the rate has a price for."""
        rate = self.rate
        if self.per_call is not None:
            if rate.untimed_limit is None:
                return 0
            seconds -= rate.untimed_limit
        else:
            seconds -= rate.free_seconds
        return in_increments(seconds, rate.first_increment, rate.increment)

    def parts(self, billed: int, included: int, *, fee_covered: bool) -> int:
        """Return what a call costs."""
        whole = self.per_call is None and included == billed and included > 0
        parts = 0 if whole and fee_covered else self.connect_fee
        parts += (self.per_call or 0) + self.each_second * (billed - included)
        if self.minimum is not None and not whole:
            parts = max(parts, self.minimum)
        if self.maximum is not None:
            parts = min(parts, self.maximum)
        rounding = self.rate.rounding
        return rounded(parts, rounding.places, rounding.method) if rounding.of_calls else parts


class Rater:
    """Rates calls by a card, in order of time: pools are used up on the way.

    ``connected`` are the carrier's own words for a call that was; ``basis`` says whether charges
    are to come with GST.
    """

    def __init__(
        self, card: RateCard, connected: Collection[str], basis: GstBasis = "unknown"
    ) -> None:
        self.card = card
        self._connected = frozenset(connected)
        self._priced = [_Priced.of(rate, at, basis) for at, rate in enumerate(card.rates)]
        self._pools: Mapping[str, Pool] = {pool.name: pool for pool in card.pools}
        self._used: dict[tuple[str, str], int] = {}
        self._longest = max((len(rate.prefix) for rate in card.rates), default=0)
        self._numbers: dict[str, str] = {}
        self._candidates: dict[tuple[str, str, str], list[_Priced]] = {}

    def rate(self, call: CallLine) -> Rated | None:
        """Rate one call; None where no rate is for it."""
        priced = self._chosen(call)
        if priced is None:
            return None
        rate, seconds = priced.rate, call.seconds or 0
        silent = call.status not in self._connected or seconds <= 0
        if silent and not rate.charge_unconnected:
            return Rated(priced.at, 0, 0, 0)
        billed = priced.timed(seconds)
        pool = self._pools.get(rate.pool)
        included = self._included(pool, call.service_number, billed) if pool else 0
        fee_covered = pool is not None and pool.covers_fee
        return Rated(
            priced.at, billed, included, priced.parts(billed, included, fee_covered=fee_covered)
        )

    def all(self, calls: Iterable[CallLine]) -> Iterator[tuple[CallLine, Rated | None]]:
        """Rate calls that come in order of time."""
        for call in calls:
            yield call, self.rate(call)

    def _chosen(self, call: CallLine) -> _Priced | None:
        raw = call.a_party if call.direction == INBOUND else call.b_party
        far = self._numbers.get(raw)
        if far is None:
            far = self._numbers[raw] = numbering.compact(raw)[: self._longest]
        key = (call.category, call.direction, far)
        candidates = self._candidates.get(key)
        if candidates is None:
            candidates = self._candidates[key] = self._matching(*key)
        day, second = divmod(call.started, DAY)
        for priced in candidates:
            rate = priced.rate
            if not rate.valid_on(day):
                continue
            if rate.band is None or rate.band.holds((day + _THURSDAY) % 7 * DAY + second):
                return priced
        return None

    def _matching(self, category: str, direction: str, far: str) -> list[_Priced]:
        """Return the rates that a call could have at some time, the closest first."""
        found = [
            priced
            for priced in self._priced
            if priced.rate.category in {"", category}
            and priced.rate.direction in {"", direction}
            and far.startswith(priced.rate.prefix)
        ]
        return sorted(found, key=lambda priced: priced.rate.rank, reverse=True)

    def _included(self, pool: Pool, service_number: str, billed: int) -> int:
        """Take seconds out of a pool, as many as are left."""
        key = (pool.name, service_number if pool.per == "service-number" else "")
        used = self._used.get(key, 0)
        included = min(billed, pool.seconds - used)
        self._used[key] = used + included
        return included
