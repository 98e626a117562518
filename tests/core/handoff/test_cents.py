"""Whole cents: shares that add up, each within a cent, whatever the fractions are."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maxo_reports.core.handoff.cents import GRAINS, dollars, grains, off, rounded, shared, split


def test_a_tenth_and_an_eleventh_of_any_cost_are_whole():
    """A grain is fine enough that GST is never rounded before its one place."""
    for micros in (1, 7, 250_000, 999_999_999):
        exact = grains(Decimal(micros).scaleb(-6))
        assert exact % 10 == 0
        assert exact % 11 == 0
    assert GRAINS == 1_100_000


def test_a_cost_finer_than_a_micro_dollar_is_refused():
    """Nothing is cut off in silence."""
    with pytest.raises(ValueError, match="finer than a micro-dollar"):
        grains(Decimal("0.0000001"))


@pytest.mark.parametrize(
    ("cost", "cents"),
    [
        ("0.005", 1),
        ("0.004999", 0),
        ("-0.005", -1),
        ("0.125", 13),
        ("2.675", 268),
        ("-2.674999", -267),
        ("0", 0),
    ],
)
def test_half_a_cent_goes_up(cost, cents):
    """Away from zero: s 9-90, and not as a banker rounds."""
    assert rounded(grains(Decimal(cost))) == cents


def test_rounding_is_told_exactly():
    """What was added, with its sign."""
    assert off(29590, grains(Decimal("295.9048"))) == Decimal("-0.004800")
    assert off(1, grains(Decimal("0.005"))) == Decimal("0.005000")
    assert dollars(-105) == Decimal("-1.05")


def test_the_earlier_line_goes_first_among_equals():
    """Three thirds of a cent: the first gets it."""
    third = GRAINS // 3 + 1
    assert shared([third, third, third], 1) == (1, 0, 0)


amounts = st.lists(
    st.tuples(st.integers(-2_000_000, 60_000_000), st.booleans()), min_size=1, max_size=12
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(amounts, st.booleans())
def test_every_column_adds_up_and_no_line_is_a_cent_off(given_lines, inclusive):
    """Gross, GST and what is left between them: each adds up, each is within a cent."""
    if inclusive:
        gross = [micros * 110 for micros, _ in given_lines]
        gst = [micros * 10 if taxed else 0 for micros, taxed in given_lines]
    else:
        gross = [micros * (121 if taxed else 110) for micros, taxed in given_lines]
        gst = [micros * 11 if taxed else 0 for micros, taxed in given_lines]
    total, tax = rounded(sum(gross)), rounded(sum(gst))
    parts = split(gross, gst, total, tax)
    assert sum(parts.gross) == total
    assert sum(parts.gst) == tax
    for paid, of_tax, exact, exact_tax in zip(parts.gross, parts.gst, gross, gst, strict=True):
        assert abs(paid * GRAINS - exact) < GRAINS
        assert abs(of_tax * GRAINS - exact_tax) < GRAINS
        # Totals of opposite signs that are both at half a cent can leave no better choice.
        half = sum(gross) % GRAINS == GRAINS // 2 or sum(gst) % GRAINS == GRAINS // 2
        if not half:
            assert abs((paid - of_tax) * GRAINS - (exact - exact_tax)) < GRAINS


def test_lines_whose_gst_goes_up_are_chosen_so_that_no_gross_goes_wrong():
    """Largest remainders of each column by itself would put the first line's net two cents off."""
    # Net and GST of the first line both nearly a cent; of the second both nearly nothing.
    gross = [GRAINS * 19 // 10, GRAINS * 2 // 10]
    gst = [GRAINS * 9 // 10, GRAINS // 10]
    parts = split(gross, gst, 2, 1)
    assert parts.gross == (2, 0)
    assert parts.gst == (1, 0)
