"""Re-rating: every call's cost beside the card's, added up so that nothing is left over."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from ratecards import CONNECTED, random_calls, random_card

from maxo_reports.core.ledger import Totals
from maxo_reports.core.money import dollars
from maxo_reports.core.rates import rerating
from maxo_reports.core.rates.rating import Rater
from maxo_reports.core.rates.rerating import Rerated, rerate
from maxo_reports.core.rates.tariff import Rate, RateCard, Rounding
from maxo_reports.core.report import CallLine

CARD = RateCard(
    "card",
    (
        Rate("line 2", "Mobile", per_minute=Decimal("0.12"), first_increment=60, increment=60),
        Rate("line 3", "Lokal", per_call=Decimal("0.10")),
    ),
)


def line(number: int, seconds: int | None, cost: int | None, **odd: str) -> CallLine:
    """Make a mobile call."""
    parties = ("0255500140", "0491570006", "0255500140")
    made = CallLine(
        *(str(number), number, "Outbound"), *parties, "Mobile", "Connected", seconds, cost
    )
    return made._replace(**odd)


def compared(*calls: CallLine, tolerance: int = 0, card: RateCard = CARD) -> Rerated:
    """Re-rate some calls."""
    return rerate(calls, Rater(card, CONNECTED), tolerance)


def test_every_verdict_and_its_dollars() -> None:
    """Over, under, equal, credit, no rate, no cost, no duration."""
    found = compared(
        line(1, 60, 120_000),
        line(2, 61, 300_000),
        line(3, 61, 120_000),
        line(4, 60, -50_000),
        line(5, 60, 70_000, category="Local"),
        line(6, 60, None),
        line(7, None, 20_000),
        line(8, 60, 10_000, status="No Answer"),
    )
    assert {e.call.call_id: e.verdict for e in found.compared} == {
        "2": "overcharged",
        "3": "undercharged",
        "4": "credit",
        "5": "no rate",
        "6": "no cost",
        "7": "no duration",
        "8": "overcharged",
    }
    whole = found.whole
    assert (whole.over_calls, whole.over) == (2, 70_000)
    assert (whole.under_calls, whole.under) == (1, 120_000)
    assert (whole.credit_calls, whole.credits) == (1, -50_000)
    assert (whole.unrated_calls, whole.unrated) == (3, 90_000)
    assert whole.explained == whole.cost == 590_000
    codes = {(f.code, f.calls, f.dollars) for f in rerating.findings(found)}
    assert codes == {
        ("overcharged", 2, Decimal("0.07")),
        ("undercharged", 1, Decimal("-0.12")),
        ("not-rated", 1, Decimal("0.07")),
        ("not-rated", 1, Decimal("0.02")),
        ("rate-unused", 0, Decimal(0)),
    }


def test_a_tolerance_is_for_each_call_and_stays_in_the_sum() -> None:
    """Up to the tolerance calls agree, and their small differences are one line."""
    calls = (line(1, 60, 125_000), line(2, 60, 115_000), line(3, 60, 126_000))
    found = compared(*calls, tolerance=5_000)
    assert [e.call.call_id for e in found.compared] == ["3"]
    assert (found.whole.within, found.whole.over) == (0, 6_000)
    assert found.whole.explained == found.whole.cost


def test_a_rate_that_rounds_the_total_only_is_compared_in_the_costs_own_decimals() -> None:
    """Three calls of a third of a cent: each within the last decimal, the total rounded once."""
    rounding = Rounding("half-up", 2, "total")
    rate = Rate("line 2", "Mobile", per_minute=Decimal("0.01"), rounding=rounding)
    card = RateCard("c", (rate,))
    calls = [line(n, 20, 3_300) for n in range(3)]
    found = rerate(calls, Rater(card, CONNECTED), 0, places=4)
    assert [e.verdict for e in found.compared] == []
    assert (found.whole.rated, found.rounding) == (9_999, 1)
    dearer = rerate([line(1, 20, 3_500)], Rater(card, CONNECTED), 0, places=4)
    assert [e.verdict for e in dearer.compared] == ["overcharged"]


def test_a_credit_or_an_unreadable_cost_has_no_part_in_the_rounding_of_a_total() -> None:
    """A minute for 33.335 cents is rounded to the cent; two that are not compared add nothing."""
    rounding = Rounding("half-up", 2, "total")
    rate = Rate("line 2", "Mobile", per_minute=Decimal("0.33335"), rounding=rounding)
    calls = [line(1, 60, 333_350), line(2, 60, -50_000), line(3, 60, None)]
    found = rerate(calls, Rater(RateCard("c", (rate,)), CONNECTED))
    assert (found.whole.rated_calls, found.whole.rated) == (1, 333_350)
    assert found.rounding == 330_000 - 333_350


@given(st.integers(0, 10**6), st.integers(0, 100_000))
def test_whatever_the_card_the_parts_come_to_the_cost(seed: int, tolerance: int) -> None:
    """Of each category, of each rate and of all; and the checks say so."""
    dice = random.Random(seed)
    calls = [
        call._replace(cost=dice.choice((None, -200_000, 0, 80_000, 250_000)))
        for call in random_calls(dice, 40)
    ]
    found = rerate(calls, Rater(random_card(dice, 12), CONNECTED), tolerance)
    for tally in (*found.by_category.values(), found.whole):
        assert tally.explained == tally.cost
        assert tally.rated_calls + tally.credit_calls + tally.unrated_calls == tally.calls
    control = Totals(len(calls), 0, 0, 0, dollars(sum(call.cost or 0 for call in calls)))
    assert all(check.passed for check in rerating.checks(found, control))
    wrong = Totals(len(calls) + 1, 0, 0, 0, control.cost + 1)
    assert [check.passed for check in rerating.checks(found, wrong)] == [
        *(False, False, True, True)
    ]
