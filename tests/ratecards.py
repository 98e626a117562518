"""Rate cards for tests: made-up cards and calls, and a second way to rate them.

The oracle reckons with Fractions, looks at every rate for every call, and tells time with
``datetime``; it shares nothing with the code under test but the values that it is given.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from maxo_reports.core.rates.tariff import Band, Pool, Rate, RateCard, Rounding, rivals
from maxo_reports.core.report import CallLine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONNECTED = ("Connected",)
CATEGORIES = ("Local", "National", "Mobile", "International", "1800 Incoming")
NUMBERS = ("0731235300", "0491570006", "1300975707", "0011441632960001", "+64 4 555 0100", "PBX")


def random_card(dice: random.Random, size: int = 26) -> RateCard:
    """Make a card up whose rates can be told apart."""
    pools = tuple(
        Pool(name, dice.randrange(60, 40_000), per, covers_fee=dice.random() < 0.5)
        for name, per in (("shared", "account"), ("each", "service-number"))
    )
    rates: list[Rate] = []
    while len(rates) < size:
        rate = _random_rate(dice, f"line {len(rates) + 2}")
        if not any(True for _ in rivals([*rates, rate])):
            rates.append(rate)
    return RateCard("made up", tuple(rates), pools)


def _money(dice: random.Random, most: int, places: int) -> Decimal:
    return Decimal(dice.randrange(most * 10**places)).scaleb(-places)


def _random_rate(dice: random.Random, place: str) -> Rate:
    def maybe(chance: float) -> bool:
        return dice.random() < chance

    first = dice.randrange(20_727, 20_760) if maybe(0.3) else None
    untimed = maybe(0.25)
    band = None
    if maybe(0.35):
        days = frozenset(dice.sample(range(7), dice.randrange(1, 8)))
        band = Band(days, dice.randrange(0, 86_400, 900), dice.randrange(900, 86_401, 900))
        if band.start == band.end:
            band = Band(days)
    return Rate(
        place,
        dice.choice(("", *CATEGORIES)),
        dice.choice(("", "Outbound", "Inbound")),
        dice.choice(("", "", "07", "04", "0491", "13", "+44", "+64")),
        first,
        (first or 20_727) + dice.randrange(40) if maybe(0.3) else None,
        band,
        _money(dice, 1, 2) if maybe(0.5) else Decimal(0),
        None if untimed and maybe(0.5) else _money(dice, 2, dice.choice((2, 4, 6))),
        _money(dice, 1, 4) if untimed else None,
        dice.choice((1, 6, 10, 30, 60)),
        dice.choice((1, 6, 10, 30, 60)),
        0 if untimed else dice.choice((0, 0, 20, 600)),
        dice.choice((None, 300, 5400)) if untimed else None,
        _money(dice, 1, 2) if maybe(0.2) else None,
        Decimal(1) + _money(dice, 3, 2) if maybe(0.2) else None,
        maybe(0.1),
        Rounding(
            dice.choice(("up", "half-up", "down", "none")),
            dice.randrange(7),
            dice.choice(("call", "call", "total")),
        ),
        dice.choice(("unknown", "inclusive", "exclusive")),
        dice.choice(("", "", "shared", "each")),
    )


def random_calls(dice: random.Random, count: int, start: int = 1_790_800_000) -> list[CallLine]:
    """Make calls of about a month up, in order of time."""
    moments = sorted(start + dice.randrange(31 * 86_400) for _ in range(count))
    calls = []
    for number, moment in enumerate(moments, 1):
        direction = dice.choice(("Outbound", "Outbound", "Inbound"))
        parties = [dice.choice(NUMBERS), dice.choice(("0255500140", "0255500141"))]
        if direction == "Outbound":
            parties.reverse()
        seconds = dice.choice((0, 60, *(dice.randrange(most) for most in (120, 900, 9_000)), None))
        status = "Connected" if dice.random() < 0.9 else "No Answer"
        calls.append(
            CallLine(
                *(str(number), moment, direction, *parties, min(parties)),
                *(dice.choice((*CATEGORIES, "New")), status, seconds, 250_000),
            )
        )
    return calls


class Oracle:
    """Rates calls as the card's words say, with Fractions."""

    def __init__(self, card: RateCard, basis: str) -> None:
        self._card, self._basis = card, basis
        self._left: dict[tuple[str, str], int] = {}

    def rate(self, call: CallLine) -> tuple[int, int, int, Fraction] | None:
        """Return the rate's place in the card, billed and included seconds, and dollars."""
        fitting = [at for at, rate in enumerate(self._card.rates) if self._fits(rate, call)]
        if not fitting:
            return None
        at = max(fitting, key=lambda at: self._closeness(self._card.rates[at]))
        rate = self._card.rates[at]
        seconds = call.seconds if call.seconds is not None else 0
        if (call.status != "Connected" or seconds == 0) and not rate.charge_unconnected:
            return at, 0, 0, Fraction(0)
        timed = Fraction(seconds)
        if rate.per_call is None:
            timed -= rate.free_seconds
        elif rate.untimed_limit is None:
            timed = Fraction(0)
        else:
            timed -= rate.untimed_limit
        billed = 0
        if timed > 0:
            billed = rate.first_increment
            while billed < timed:
                billed += ceil((timed - billed) / rate.increment) * rate.increment
        included = 0
        pools = {pool.name: pool for pool in self._card.pools}
        covers = False
        if rate.pool:
            pool = pools[rate.pool]
            key = (pool.name, call.service_number if pool.per == "service-number" else "all")
            left = self._left.setdefault(key, pool.seconds)
            included = min(left, billed)
            self._left[key] = left - included
            covers = pool.covers_fee
        all_included = rate.per_call is None and billed > 0 and included == billed
        dollars = Fraction(rate.connect_fee)
        if all_included and covers:
            dollars = Fraction(0)
        dollars += Fraction(rate.per_call or 0)
        dollars += Fraction(rate.per_minute or 0) * Fraction(billed - included, 60)
        if rate.minimum is not None and not all_included and dollars < rate.minimum:
            dollars = Fraction(rate.minimum)
        if rate.maximum is not None and dollars > rate.maximum:
            dollars = Fraction(rate.maximum)
        if (rate.gst, self._basis) == ("exclusive", "inclusive"):
            dollars *= Fraction(110, 100)
        if (rate.gst, self._basis) == ("inclusive", "exclusive"):
            dollars /= Fraction(110, 100)
        if rate.rounding.stage == "call":
            dollars = round_fraction(dollars, rate.rounding.places, rate.rounding.method)
        return at, billed, included, dollars

    def _fits(self, rate: Rate, call: CallLine) -> bool:
        moment = EPOCH + timedelta(seconds=call.started)
        day = (moment.date() - EPOCH.date()).days
        number = call.b_party if call.direction == "Outbound" else call.a_party
        number = number.replace(" ", "").replace("0011", "+", 1 if number[:4] == "0011" else 0)
        return (
            (not rate.category or rate.category == call.category)
            and (not rate.direction or rate.direction == call.direction)
            and number[: len(rate.prefix)] == rate.prefix
            and (rate.first is None or day >= rate.first)
            and (rate.last is None or day <= rate.last)
            and (rate.band is None or in_band(rate.band, moment))
        )

    @staticmethod
    def _closeness(rate: Rate) -> tuple[int, int, int, int]:
        return (
            1 if rate.category else 0,
            len(rate.prefix),
            1 if rate.direction else 0,
            1 if rate.band else 0,
        )


def in_band(band: Band, moment: datetime) -> bool:
    """Tell whether a local moment is in a band."""
    midnight = moment.replace(hour=0, minute=0, second=0)
    second = int((moment - midnight).total_seconds())
    today, yesterday = moment.weekday(), (moment - timedelta(days=1)).weekday()
    if band.start < band.end:
        return today in band.days and band.start <= second < band.end
    return (today in band.days and second >= band.start) or (
        yesterday in band.days and second < band.end
    )


def round_fraction(value: Fraction, places: int, method: str) -> Fraction:
    """Round a sum of money that is not negative."""
    scaled = value * 10**places
    whole = {
        "none": scaled,
        "up": Fraction(ceil(scaled)),
        "down": Fraction(floor(scaled)),
        "half-up": Fraction(floor(scaled + Fraction(1, 2))),
    }[method]
    return whole / 10**places


def spread(calls: list[CallLine]) -> dict[str, int]:
    """Count calls by category."""
    counts: defaultdict[str, int] = defaultdict(int)
    for call in calls:
        counts[call.category] += 1
    return dict(counts)
