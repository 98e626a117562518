"""What of a total is tax: on the total, rounded once, and only where the basis is declared."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core.money import CENT, gst_of
from reports import october, statement

MICRO = Decimal("0.000001")
totals = st.integers(-(10**13), 10**13).map(lambda micros: micros * MICRO)


@given(totals)
def test_the_parts_add_up_to_the_cent(total: Decimal) -> None:
    """Whatever the basis, net and tax are the whole, each in cents."""
    for basis in ("inclusive", "exclusive"):
        split = gst_of(total, basis)
        assert split is not None
        assert split.without + split.tax == split.whole
        for part in (split.without, split.tax, split.whole):
            assert part == part.quantize(CENT)


@given(totals)
def test_the_tax_is_the_nearest_cent_and_half_a_cent_goes_up(total: Decimal) -> None:
    """One eleventh of what includes it, a tenth of what does not: compared with fractions."""
    for basis, share in (("inclusive", Fraction(1, 11)), ("exclusive", Fraction(1, 10))):
        split = gst_of(total, basis)
        assert split is not None
        exact = Fraction(total) * share
        off = abs(Fraction(split.tax) - exact)
        assert off <= Fraction(1, 200)
        if off == Fraction(1, 200):
            assert abs(split.tax) > abs(exact)


def test_the_acts_own_shape() -> None:
    """$11.00 that includes it has $1.00 of it; $10.00 that does not gets $1.00 more."""
    inside = gst_of(Decimal("11.00"), "inclusive")
    assert inside is not None
    assert (inside.without, inside.tax, inside.whole) == (10, 1, 11)
    on_top = gst_of(Decimal("10.00"), "exclusive")
    assert on_top is not None
    assert (on_top.without, on_top.tax, on_top.whole) == (10, 1, 11)
    assert gst_of(Decimal("10.00"), "unknown") is None


def test_a_total_is_rounded_once() -> None:
    """Half a cent of a total goes up, and away from zero where it is a credit."""
    report = october()
    assert report.payable == report.totals.cost.quantize(CENT, rounding=ROUND_HALF_UP)
    assert report.payable != report.totals.cost


@pytest.mark.parametrize("basis", ["unknown", "inclusive", "exclusive"])
def test_the_block_is_there_where_the_basis_is_declared(basis: str) -> None:
    """And nowhere else: not in the report, and so not in any file of it."""
    report = statement([], cost_gst=basis)
    titles = [section.spec.title for section in report.sections]
    assert ("GST" in titles) == (basis != "unknown")
