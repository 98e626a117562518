"""Rating: equal to a second way of reckoning, to published examples, and to its own laws."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ratecards import CONNECTED, Oracle, in_band, random_calls, random_card, round_fraction

from maxo_reports.core.rates.rating import PARTS, Rater, dollars_of, in_increments, rounded
from maxo_reports.core.rates.tariff import METHODS, Band, Pool, Rate, RateCard, Rounding, rivals
from maxo_reports.core.report import CallLine

CALLS = int(os.environ.get("RATED_CALLS", "10000"))
"""How many calls the oracle rates; 100,000 once before a release."""
CALL = CallLine(
    *("1", 1_790_812_800, "Outbound", "0255500140", "0491570006", "0255500140"),
    *("Mobile", "Connected", 60, 250_000),
)


def charge(rate: Rate, seconds: int, *pools: Pool, **odd: object) -> Decimal:
    """Return what one call of some seconds costs by one rate."""
    rater = Rater(RateCard("one", (rate,), pools), CONNECTED)
    rated = rater.rate(CALL._replace(seconds=seconds, **odd))
    assert rated is not None
    return dollars_of(rated.parts)


def test_a_second_way_of_reckoning_finds_no_difference() -> None:
    """Random cards and calls: the same rate, seconds and exact dollars for every call."""
    dice = random.Random(20261126)
    differing = rated_calls = 0
    for basis in ("inclusive", "exclusive", "unknown") * 4:
        card = random_card(dice)
        rater, oracle = Rater(card, CONNECTED, basis), Oracle(card, basis)  # type: ignore[arg-type]
        for call in random_calls(dice, CALLS // 12 + 1):
            found, expected = rater.rate(call), oracle.rate(call)
            rated_calls += expected is not None and expected[3] != 0
            if found is not None:
                said = (found.at, found.billed, found.included, Fraction(found.parts, PARTS))
                differing += said != expected
            else:
                differing += expected is not None
    assert differing == 0
    assert rated_calls > CALLS / 4


@pytest.mark.parametrize(
    ("seconds", "first", "following", "fee", "method", "places", "dollars"),
    [
        (31, 60, 60, "0", "half-up", 4, "0.25"),
        (31, 30, 6, "0", "half-up", 4, "0.15"),
        (31, 1, 1, "0.10", "up", 2, "0.23"),
        (61, 60, 60, "0", "half-up", 4, "0.50"),
        (60, 60, 60, "0", "up", 2, "0.25"),
        (57, 60, 1, "0", "half-up", 4, "0.25"),
        (1, 90, 60, "0", "half-up", 4, "0.375"),
        (91, 90, 60, "0", "half-up", 4, "0.625"),
    ],
)
def test_worked_examples(
    seconds: int, first: int, following: int, fee: str, method: str, places: int, dollars: str
) -> None:
    """25 cents a minute, as price lists and threads about wrong bills work it out."""
    rate = Rate(
        "line 2",
        connect_fee=Decimal(fee),
        per_minute=Decimal("0.25"),
        first_increment=first,
        increment=following,
        rounding=Rounding(method, places),  # type: ignore[arg-type]
    )
    assert charge(rate, seconds) == Decimal(dollars)


def test_no_increment_is_rounded_on_its_own() -> None:
    """5 cents a minute for 60 seconds is 5 cents, and 25 seconds are not 25 rounded seconds."""
    rate = Rate("line 2", per_minute=Decimal("0.05"), rounding=Rounding("half-up", 4))
    assert charge(rate, 60) == Decimal("0.05")
    assert charge(rate, 25) == Decimal("0.0208")


def test_untimed_calls_and_their_limit() -> None:
    """12 cents a call however long; over an hour and a half the time counts."""
    rate = Rate("line 2", per_call=Decimal("0.12"))
    assert charge(rate, 1) == charge(rate, 86_400) == Decimal("0.12")
    limited = replace(rate, untimed_limit=5400, per_minute=Decimal("0.03"), first_increment=60)
    assert charge(limited, 5400) == Decimal("0.12")
    assert charge(limited, 5401) == Decimal("0.15")


def test_free_seconds_come_before_the_first_increment() -> None:
    """The first ten minutes are free, then whole minutes count; the connect fee stays."""
    rate = Rate(
        "line 2",
        connect_fee=Decimal("0.10"),
        per_minute=Decimal("0.06"),
        free_seconds=600,
        first_increment=60,
        increment=60,
    )
    assert charge(rate, 600) == Decimal("0.10")
    assert charge(rate, 601) == Decimal("0.16")


def test_minimum_then_maximum_then_rounding() -> None:
    """A charge is brought up to the minimum, down to the maximum, and rounded last."""
    rate = Rate(
        "line 2",
        per_minute=Decimal("0.25"),
        minimum=Decimal("0.055"),
        maximum=Decimal("1.005"),
        rounding=Rounding("half-up", 2),
    )
    assert [charge(rate, s) for s in (1, 24, 3600)] == [
        *(Decimal("0.06"), Decimal("0.10"), Decimal("1.01"))
    ]


def test_what_was_not_connected_costs_nothing_unless_the_rate_says_so() -> None:
    """No answer, or no time: nothing, and with charge_unconnected the fee."""
    rate = Rate("line 2", connect_fee=Decimal("0.39"), per_minute=Decimal(1))
    assert charge(rate, 0) == charge(rate, 30, status="No Answer") == 0
    always = replace(rate, charge_unconnected=True)
    assert charge(always, 0) == Decimal("0.39")
    assert charge(always, 30, status="Busy") == Decimal("0.89")


def test_a_pool_is_used_up_in_order_of_time() -> None:
    """Two included minutes: the second call is included half, the third not at all."""
    rate = Rate("line 2", connect_fee=Decimal("0.10"), per_minute=Decimal("0.20"), pool="all")
    for covers, first in ((False, "0.10"), (True, "0")):
        rater = Rater(RateCard("c", (rate,), (Pool("all", 120, covers_fee=covers),)), CONNECTED)
        charged = [rater.rate(CALL._replace(seconds=s)) for s in (90, 60, 60)]
        assert [dollars_of(c.parts) for c in charged if c] == [
            *(Decimal(first), Decimal("0.20"), Decimal("0.30"))
        ]
        assert [c.included for c in charged if c] == [90, 30, 0]


def test_a_pool_of_each_number_is_not_shared() -> None:
    """Every service number has its own minutes."""
    rate = Rate("line 2", per_minute=Decimal("0.60"), pool="own")
    rater = Rater(RateCard("c", (rate,), (Pool("own", 60, "service-number"),)), CONNECTED)
    numbers = ("0255500140", "0255500141", "0255500140")
    charged = [rater.rate(CALL._replace(service_number=number)) for number in numbers]
    assert [dollars_of(c.parts) for c in charged if c] == [0, 0, Decimal("0.6")]


def test_the_closest_rate_holds() -> None:
    """Category before prefix, the longer prefix, a direction, a band; each on its days only."""
    rates = (
        Rate("any", per_call=Decimal(1)),
        Rate("04", prefix="04", per_call=Decimal(2)),
        Rate("0491", prefix="0491", per_call=Decimal(3)),
        Rate("Mobile", "Mobile", per_call=Decimal(4), last=20_730),
        Rate("Mobile later", "Mobile", per_call=Decimal(5), first=20_731),
        Rate("Mobile out", "Mobile", "Outbound", first=20_740, per_call=Decimal(6)),
        Rate(
            "Mobile nights",
            "Mobile",
            "Outbound",
            first=20_740,
            band=Band(start=79_200, end=21_600),
            per_call=Decimal(7),
        ),
    )
    rater = Rater(RateCard("c", rates), CONNECTED)

    def place(day: int, second: int = 43_200, **odd: object) -> str:
        rated = rater.rate(CALL._replace(started=day * 86_400 + second, **odd))
        return rates[rated.at].place if rated else ""

    assert place(20_730) == "Mobile"
    assert place(20_731) == "Mobile later"
    assert place(20_740) == "Mobile out"
    assert place(20_740, 79_200) == place(20_741, 21_599) == "Mobile nights"
    assert place(20_741, 21_600) == "Mobile out"
    assert place(20_740, category="Other") == "0491"
    assert place(20_740, category="Other", b_party="+61 412 345 678") == "04"
    assert place(20_740, category="Other", b_party="0255500199") == "any"
    assert not list(rivals(rates))


def test_gst_is_put_on_before_rounding() -> None:
    """A card without GST beside costs with it, and the other way round."""
    rate = Rate("2", per_call=Decimal("0.35"), gst="exclusive", rounding=Rounding("half-up", 2))
    card = RateCard("c", (rate,))
    for basis, dollars in (("inclusive", "0.39"), ("exclusive", "0.35"), ("unknown", "0.35")):
        rated = Rater(card, CONNECTED, basis).rate(CALL)  # type: ignore[arg-type]
        assert rated is not None
        assert dollars_of(rated.parts) == Decimal(dollars)
    taken_off = Rater(RateCard("c", (replace(rate, gst="inclusive"),)), CONNECTED, "exclusive")
    rated = taken_off.rate(CALL)
    assert rated is not None
    assert dollars_of(rated.parts) == Decimal("0.32")


@given(st.integers(-(10**16), 10**16), st.integers(0, 6), st.sampled_from(METHODS))
def test_rounding_is_what_fractions_say(parts: int, places: int, method: str) -> None:
    """In every method, and a negative figure as its opposite."""
    expected = round_fraction(abs(Fraction(parts, PARTS)), places, method)
    found = Fraction(rounded(parts, places, method), PARTS)  # type: ignore[arg-type]
    assert found == (expected if parts >= 0 else -expected)


@given(st.integers(0, 100_000), st.integers(1, 90), st.integers(1, 90))
def test_increments_cover_the_call_and_hardly_more(
    seconds: int, first: int, following: int
) -> None:
    """Billed time is the first increment and whole following ones, less than one too many."""
    billed = in_increments(seconds, first, following)
    assert billed >= seconds
    if seconds:
        assert billed >= first
        assert (billed - first) % following == 0
        assert billed == first or billed - seconds < following


@given(st.lists(st.integers(1, 20_000), min_size=2, max_size=2).map(sorted), st.integers(0, 10**6))
def test_a_longer_call_never_costs_less(lengths: list[int], seed: int) -> None:
    """Whatever the rate, as long as no pool is used up in between."""
    rate = replace(random_card(random.Random(seed), 1).rates[0], pool="", band=None)
    rate = replace(rate, category="", direction="", prefix="", first=None, last=None)
    assert charge(rate, lengths[0]) <= charge(rate, lengths[1])


bands = st.builds(
    Band,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 95).map(lambda q: q * 900),
    st.integers(1, 96).map(lambda q: q * 900),
).filter(lambda band: band.start != band.end)


@given(bands, bands, st.integers(0, 7 * 86_400 - 1))
def test_bands_hold_and_meet_as_clocks_say(one: Band, other: Band, second: int) -> None:
    """Over midnight and over the end of the week, too."""
    moment = datetime.fromtimestamp(1_790_553_600 + second, UTC)  # a Monday's midnight
    assert moment.weekday() == second // 86_400
    assert one.holds(second) == in_band(one, moment)
    if one.holds(second) and other.holds(second):
        assert one.meets(other)
    assert one.meets(other) == other.meets(one)
    assert one.meets(other) == any(one.holds(s) and other.holds(s) for s in range(0, 604_800, 900))


def test_rivals_are_rates_that_a_call_could_not_choose_between() -> None:
    """The same words for the same days and hours, and nothing less."""
    rate = Rate("2", "Mobile", first=10, last=20)
    assert list(rivals([rate, replace(rate, place="3", first=20, last=None)]))
    assert not list(rivals([rate, replace(rate, place="3", first=21, last=None)]))
    assert not list(rivals([rate, replace(rate, place="3", prefix="04")]))
    assert not list(rivals([rate, replace(rate, place="3", band=Band(end=3600))]))
    day, night = replace(rate, band=Band(end=3600)), replace(rate, band=Band(start=3600))
    assert not list(rivals([day, night]))
    assert list(rivals([day, replace(night, band=Band(start=3599))]))
