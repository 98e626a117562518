"""On-charging: exact charges, parts that add up, one rounding; against Fractions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ratecards import CONNECTED, round_fraction

from maxo_reports.charging import lines
from maxo_reports.core.rates import oncharge
from maxo_reports.core.rates.oncharge import GRAINS, Account, Charger, dues, shared
from maxo_reports.core.rates.tariff import Rate, RateCard
from maxo_reports.core.rates.terms import Fee, Terms
from maxo_reports.core.report import CallLine

CALL = CallLine(
    *("1", 0, "Outbound", "0255500140", "0491570006", "0255500140"),
    *("Mobile", "Connected", 61, 123_400),
)
percents = st.integers(0, 3_000_000).map(lambda n: Decimal(n).scaleb(-4))
fine_dollars = st.integers(0, 5_000_000).map(lambda n: Decimal(n).scaleb(-6))
cents = st.integers(0, 9_999).map(lambda n: Decimal(n).scaleb(-2))


def account(terms: Terms, *charges: int | None) -> Account:
    """Return a client's account of calls with these charges, in grains."""
    made = Account(terms)
    for charge in charges:
        made.add(CALL, charge, 0)
    return made


def away(value: Fraction, places: int) -> Fraction:
    """Round half away from zero."""
    size = round_fraction(abs(value), places, "half-up")
    return size if value >= 0 else -size


@given(
    st.integers(-(10**9), 10**10),
    st.integers(0, 9_000),
    percents,
    fine_dollars,
    fine_dollars,
    st.sampled_from(("inclusive", "exclusive")),
    st.sampled_from(("charged", "connected")),
)
def test_a_mark_up_is_what_fractions_say(
    micros: int,
    seconds: int,
    percent: Decimal,
    per_call: Decimal,
    per_minute: Decimal,
    basis: str,
    surcharged: str,
) -> None:
    """On the cost without GST, to the last grain; a surcharge only on calls that pay it."""
    terms = Terms(
        *("c", "C"),
        percent=percent,
        per_call=per_call,
        per_minute=per_minute,
        surcharged=surcharged,  # type: ignore[arg-type]
    )
    call = CALL._replace(cost=micros, seconds=seconds, status="Connected")
    charge = Charger(terms, CONNECTED, basis).charge(call)  # type: ignore[arg-type]
    cost = Fraction(micros, 10**6) / (Fraction(11, 10) if basis == "inclusive" else 1)
    expected = cost * (1 + Fraction(percent) / 100)
    if surcharged == "connected" or micros > 0:
        expected += Fraction(per_call) + Fraction(per_minute) * seconds / 60
    assert charge is not None
    assert Fraction(charge, GRAINS) == expected


@given(st.lists(st.integers(-(10**16), 10**17), max_size=30), st.integers(2, 4))
def test_shares_add_up_to_the_total_rounded_once(parts: list[int], places: int) -> None:
    """No part is a whole unit away from what it is, and nothing gets something out of nothing."""
    units = shared(parts, places)
    total = Fraction(sum(parts), GRAINS)
    assert Fraction(sum(units), 10**places) == away(total, places)
    for unit, part in zip(units, parts, strict=True):
        assert abs(Fraction(unit, 10**places) - Fraction(part, GRAINS)) < Fraction(1, 10**places)
        if part == 0:
            assert unit == 0


@given(
    st.lists(st.integers(0, 10**16), max_size=12),
    st.lists(st.tuples(cents, st.integers(1, 5)), max_size=3),
    cents,
    cents,
    percents,
    st.integers(2, 4),
)
def test_what_a_client_owes_is_rounded_once_and_its_lines_add_up(
    charges: list[int],
    fees: list[tuple[Decimal, int]],
    minimum: Decimal,
    included: Decimal,
    gst_percent: Decimal,
    places: int,
) -> None:
    """Calls less what is included, at least the minimum, plus fees; then GST on the total."""
    terms = Terms(
        *("c", "C"),
        fees=tuple(Fee("Fee", each, count) for each, count in fees),
        minimum=minimum,
        included=included,
        gst_percent=gst_percent,
        places=places,
    )
    owed = dues(account(terms, *charges))
    exact = Fraction(sum(charges), GRAINS)
    left = max(exact - Fraction(included), 0, Fraction(minimum))
    fixed = sum((Fraction(each) * count for each, count in fees), Fraction(0))
    assert Fraction(owed.net) == away(left + fixed, 2)
    assert Fraction(owed.gst) == away(Fraction(owed.net) * Fraction(gst_percent) / 100, 2)
    assert owed.total == owed.net + owed.gst
    assert sum((dollars for _, dollars in owed.lines), Decimal(0)) == owed.net
    assert abs(owed.rounding) <= Decimal("0.0101")


def test_half_a_cent_is_rounded_once_and_not_twice() -> None:
    """0.00499996 is no cent, though in four decimals it looks like half a one."""
    owed = dues(account(Terms("c", "C"), GRAINS * 499_996 // 100_000_000))
    assert owed.calls == Decimal("0.0050")
    assert owed.net == 0
    assert owed.lines[-1] == ("Rounding to the cent", Decimal("-0.0050"))


def test_a_credit_is_passed_on_and_no_minimum_swallows_it() -> None:
    """Without a minimum a client can be owed money."""
    owed = dues(account(Terms("c", "C", included=Decimal(5)), -3 * GRAINS))
    assert (owed.net, owed.gst, owed.total) == (-3, Decimal("-0.30"), Decimal("-3.30"))
    assert dues(account(Terms("c", "C", minimum=Decimal(2)), -3 * GRAINS)).net == 2


def test_a_call_whose_cost_is_not_known_is_not_charged_and_not_lost() -> None:
    """It is counted, and listed for the reseller."""
    charger = Charger(Terms("c", "C", percent=Decimal(10)), CONNECTED, "exclusive")
    assert charger.charge(CALL._replace(cost=None)) is None
    made = account(Terms("c", "C"), GRAINS, None, GRAINS)
    assert made.units() == (10_000, None, 10_000)
    assert len(made.uncharged) == 1


def test_a_connected_call_of_an_unknown_length_has_no_charge_by_its_length() -> None:
    """Neither by a card nor by the minute; a share of its cost needs no length."""
    call = CALL._replace(seconds=None)
    card = RateCard("card", (Rate("line 2", per_minute=Decimal(1), gst="exclusive"),))
    for terms in (Terms("c", "C", card=card), Terms("c", "C", per_minute=Decimal(1))):
        charger = Charger(terms, CONNECTED, "exclusive")
        assert charger.charge(call) is None
        assert charger.charge(CALL) is not None
    by_card = Charger(Terms("c", "C", card=card), CONNECTED, "exclusive")
    assert by_card.charge(call._replace(status="No Answer")) == 0
    at_cost = Charger(Terms("c", "C", per_call=Decimal(1)), CONNECTED, "exclusive")
    assert at_cost.charge(call) == GRAINS + 123_400 * GRAINS // 10**6


@pytest.mark.parametrize(("category", "grains"), [("Mobile", 2), ("Local", 3)])
def test_a_category_can_have_a_mark_up_of_its_own(category: str, grains: int) -> None:
    """Else the usual one holds."""
    terms = Terms("c", "C", percent=Decimal(200), percent_of={"Mobile": Decimal(100)})
    call = CALL._replace(category=category, cost=1_000_000)
    assert Charger(terms, CONNECTED, "exclusive").charge(call) == grains * GRAINS


def test_calls_of_nobody_go_to_the_accounts_own_client_or_stay_seen() -> None:
    """And a client that the terms do not know is nobody's surprise."""
    own = Terms("own", "Own")
    calls = [CALL, CALL._replace(client="Own"), CALL._replace(client="Other")]
    for owner, unbilled in ((own, {"Other"}), (None, {"Other", "Unallocated"})):
        sorter = oncharge.Sorter([own], CONNECTED, "exclusive", owner)
        for call in calls:
            sorter.add(call)
        assert {name for name, _ in sorter.sorted.unbilled} == unbilled
        assert sorter.sorted.cost == 3 * oncharge.without_gst(123_400, "exclusive")


@pytest.mark.parametrize(
    ("terms", "grains"),
    [
        (Terms("c", "C", minimum=Decimal(5)), GRAINS * 1_235 // 1_000),
        (Terms("c", "C", included=Decimal(5)), GRAINS * 4 // 1_000),
        (Terms("c", "C", minimum=Decimal(5), included=Decimal(1)), GRAINS * 2_235 // 1_000),
    ],
)
def test_the_lines_of_a_statement_are_whole_cents_that_add_up(terms: Terms, grains: int) -> None:
    """Half a cent of the calls and half a cent of the minimum are not both printed upwards."""
    owed = dues(account(terms, grains))
    *parts, net, gst, total = [(text, Decimal(figure)) for text, figure in lines(owed)]
    figures = [figure for _, figure in parts]
    assert sum(figures, Decimal(0)) == net[1] == owed.net
    assert all(figure.as_tuple().exponent == -2 for figure in figures)
    assert "-0.00" not in {figure for _, figure in lines(owed)}
    assert net[1] + gst[1] == total[1]
