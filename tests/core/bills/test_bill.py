"""The bill by itself: GST, rounding, factors, and which row a category belongs to."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core.bills.bill import (
    ALL_CALLS,
    Bill,
    BillLine,
    Factor,
    Rows,
    factor,
    gst_added,
    rounded,
    rounded_up,
)

CENT = 10_000
MICROS = st.integers(-(10**13), 10**13)


def line(kind: str, charge: int, category: str = "", **more: object) -> BillLine:
    """Make a line."""
    return BillLine("line 1", kind, kind, charge, category, **more)  # type: ignore[arg-type]


def bill(*lines: BillLine, **more: object) -> Bill:
    """Make a bill without GST in its lines."""
    total = sum(each.charge for each in lines)
    return Bill("1", "exclusive", total, lines, **more)  # type: ignore[arg-type]


def half_away(value: Fraction, unit: int) -> int:
    """Round half away from zero, with fractions."""
    size = (abs(value) / unit + Fraction(1, 2)).__floor__() * unit
    return size if value >= 0 else -size


@given(MICROS)
def test_rounding_is_half_away_from_zero(micros):
    """To the cent, and up to the cent, as fractions have it."""
    assert rounded(micros) == half_away(Fraction(micros), CENT)
    up = rounded_up(micros)
    assert up % CENT == 0
    assert abs(micros) <= abs(up) < abs(micros) + CENT


@given(MICROS, st.sampled_from([Factor(), Factor(11, 10), Factor(10, 11)]))
def test_a_cost_on_the_bills_basis_is_exact_to_the_micro_dollar(cost, by):
    """Times and over, rounded once."""
    assert by.expected(cost) == half_away(Fraction(cost * by.times, by.over), 1)


def test_an_unknown_basis_changes_nothing():
    """Nothing is assumed of a basis that nobody stated."""
    assert factor("unknown", "inclusive") == factor("exclusive", "unknown") == Factor()
    assert factor("exclusive", "inclusive") == Factor(11, 10)
    assert factor("inclusive", "exclusive") == Factor(10, 11)


@pytest.mark.parametrize(
    ("charges", "gst", "proved"),
    [
        ([100 * CENT, 50 * CENT], 15 * CENT, 15 * CENT),
        # 0.45 + 0.45: rounded once 9 cents, line by line 5 + 5.
        ([45 * CENT, 45 * CENT], 9 * CENT, 9 * CENT),
        ([45 * CENT, 45 * CENT], 10 * CENT, 10 * CENT),
        ([45 * CENT, 45 * CENT], 11 * CENT, 9 * CENT),
        ([100 * CENT], 0, 0),
    ],
)
def test_gst_is_proved_by_either_rule_of_the_act(charges, gst, proved):
    """A tenth of the sum, or of each line; what is beyond is not proved."""
    lines = [line("rental", charge) for charge in charges]
    lines += [line("gst", gst)] if gst else []
    assert gst_added(bill(*lines)).proved == proved


def test_lines_free_of_gst_and_rounding_are_not_taxed():
    """Only what is taxed is in the tenth."""
    free = line("calls", 200 * CENT, "Roaming", gst_free=True)
    whole = bill(line("rental", 100 * CENT), free, line("rounding", CENT), line("gst", 10 * CENT))
    assert gst_added(whole).proved == 10 * CENT
    assert Rows(whole).is_free("Roaming")


def test_a_category_goes_to_the_row_that_the_bill_has_for_it():
    """By name, by the bill's own names, to the rest, else to itself."""
    own = bill(line("calls", 1, "Mobile calls"), line("calls", 1, "Local"))
    named = bill(
        line("calls", 1, "Mobile calls"), line("calls", 1), names={"Mobile": "Mobile calls"}
    )
    assert Rows(own).of(" mobile  CALLS") == "Mobile calls"
    assert Rows(own).of("National") == "National"
    assert Rows(named).of("mobile") == "Mobile calls"
    assert Rows(named).of("National") == ALL_CALLS
    assert Rows(named, ["National"]).of("national") == "National"
