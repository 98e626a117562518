"""Money: what a cost text means, and sums that never lose or gain a cent."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.core import money

DIGITS = "0123456789"

micro_dollars = st.integers(min_value=-(10**15), max_value=10**15)
exact_dollars = micro_dollars.map(lambda micros: Decimal(micros).scaleb(-6))


def _micros_by_hand(text: str) -> int | None:
    """Read a cost by walking over its letters: an oracle that shares nothing with the code."""
    rest = text[1:] if text[:1] == "-" else text
    whole, point, fraction = rest.partition(".")
    if point and not fraction:
        return None
    if not 1 <= len(whole) <= 9 or len(fraction) > 12:
        return None
    if any(letter not in DIGITS for letter in whole + fraction):
        return None
    if any(letter != "0" for letter in fraction[6:]):
        return None
    micros = 0
    for letter in whole + (fraction + "000000")[:6]:
        micros = micros * 10 + DIGITS.index(letter)
    return -micros if text[:1] == "-" else micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0.25", 250_000),
        ("0", 0),
        ("-0", 0),
        ("0.00", 0),
        ("1", 1_000_000),
        ("-0.25", -250_000),
        ("0.0275", 27_500),
        ("0.000001", 1),
        ("0.123456", 123_456),
        ("0.2500000", 250_000),
        ("0.250000000000", 250_000),
        ("007.5", 7_500_000),
        ("999999999.999999", 999_999_999_999_999),
    ],
)
def test_a_plain_decimal_is_read_to_the_micro_dollar(text: str, micros: int) -> None:
    """Up to nine digits before the point and six that count after it are read exactly."""
    assert money.micros_from_text(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "null", "true", "free", "0.25 ", " 0.25", "0.25\n", "+0.25", "--1", "-"),
        *("1,234.50", "$0.25", "-$0.25", "(0.25)", "0,25", "1e3", "1E-2", "0.2.5", ".25", "5."),
        *("NaN", "nan", "Infinity", "-inf", "1_0", "0x10", "\u2212" + "0.25", "0.25-"),
        *("\uff10.\uff12\uff15", "\u0663", "0.\u0662", "0.\u00b2", "1\u00a0000.00"),
        *("0.0000001", "0.1234567", "0.0000000000001", "1234567890", "0.2500000000000"),
    ],
)
def test_anything_else_is_unreadable_and_never_guessed(text: str) -> None:
    """Signs, marks, exponents, other scripts' digits and finer fractions give None."""
    assert money.micros_from_text(text) is None


@settings(deadline=None, max_examples=500)
@given(st.text(alphabet=DIGITS + ".-+e_ ,$\u0661\uff11", max_size=24))
def test_texts_that_look_like_costs_are_read_as_by_hand(text: str) -> None:
    """For any jumble of the letters that occur in costs, the reader agrees with a plain walk."""
    assert money.micros_from_text(text) == _micros_by_hand(text)


@settings(deadline=None, max_examples=300)
@given(st.from_regex(r"-?[0-9]{1,10}(\.[0-9]{0,13})?", fullmatch=True))
def test_numbers_of_any_length_are_read_as_by_hand(text: str) -> None:
    """Numbers around the limits of length are read exactly, or not at all."""
    assert money.micros_from_text(text) == _micros_by_hand(text)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=12))
def test_any_text_is_read_as_by_hand(text: str) -> None:
    """No text makes the reader fail or guess."""
    assert money.micros_from_text(text) == _micros_by_hand(text)


@settings(deadline=None, max_examples=300)
@given(micro_dollars)
def test_micro_dollars_become_exactly_those_dollars(micros: int) -> None:
    """Dollars hold the same value, without an exponent and without a digit too many."""
    value = money.dollars(micros)
    assert value * 1_000_000 == micros
    text = format(value, "f")
    assert text == str(value)
    assert "." not in text or not text.endswith("0")


@settings(deadline=None, max_examples=300)
@given(micro_dollars)
def test_plain_text_reads_back_as_the_same_micro_dollars(micros: int) -> None:
    """What is written for a machine has two decimals at least and loses nothing."""
    text = money.plain(money.dollars(micros))
    assert len(text.partition(".")[2]) >= 2
    assert Decimal(text) * 1_000_000 == micros
    if abs(micros) < 10**15:
        assert money.micros_from_text(text) == micros


@pytest.mark.parametrize(
    ("value", "places"),
    [("0", 0), ("100", 0), ("1E+2", 0), ("0.25", 2), ("0.2500", 2), ("0.0275", 4), ("-1.5", 1)],
)
def test_places_are_those_that_the_value_needs(value: str, places: int) -> None:
    """Zeros at the end need no place."""
    assert money.places_of(Decimal(value)) == places


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([], 2),
        (["1"], 2),
        (["0.5", "0.25"], 2),
        (["0.25", "0.275"], 3),
        (["0.0275"], 4),
        (["0.00001"], 4),
        (["100", "1E+3"], 2),
    ],
)
def test_figures_are_printed_with_two_to_four_places(values: list[str], places: int) -> None:
    """The finest figure of a family decides, within two and four."""
    assert money.printed_places([Decimal(value) for value in values]) == places


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0.005", "0.01"),
        ("0.0049999", "0.00"),
        ("0.015", "0.02"),
        ("0.025", "0.03"),
        ("2.675", "2.68"),
        ("-0.005", "-0.01"),
        ("-0.004", "0.00"),
        ("27.5", "27.50"),
    ],
)
def test_half_a_cent_is_rounded_away_from_zero(value: str, rounded: str) -> None:
    """Half a cent goes up, and a credit's half cent goes down: never to the even neighbour."""
    found = money.round_half_up(Decimal(value))
    assert found == Decimal(rounded)
    assert found.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("1234.5", 2, "1,234.50"),
        ("0", 2, "0.00"),
        ("-0.25", 2, "\u22120.25"),
        ("-0.001", 2, "0.00"),
        ("-1234567.891", 2, "\u22121,234,567.89"),
        ("0.0275", 4, "0.0275"),
        ("999.995", 2, "1,000.00"),
    ],
)
def test_people_read_thousands_marks_and_a_real_minus(value: str, places: int, text: str) -> None:
    """A credit has a minus sign, and what rounds to nothing has none."""
    assert money.to_text(Decimal(value), places) == text


def test_a_thousand_small_costs_are_rounded_once() -> None:
    """1,000 calls at 0.0275 are 27.50, not 30.00."""
    costs = [money.dollars(27_500)] * 1_000
    assert money.round_half_up(sum(costs, Decimal(0))) == Decimal("27.50")


@settings(deadline=None, max_examples=300)
@given(st.lists(exact_dollars, max_size=30), st.sampled_from([0, 2, 3, 4]))
def test_shares_add_up_to_the_total_rounded_once(parts: list[Decimal], places: int) -> None:
    """Each share is its part rounded down or up by one unit, and together they are the total."""
    total = sum(parts, Decimal(0))
    unit = Decimal(1).scaleb(-places)
    shares = money.share(total, parts, places)
    assert sum(shares, Decimal(0)) == money.round_half_up(total, places)
    assert len(shares) == len(parts)
    for part, given_share in zip(parts, shares, strict=True):
        floor = (part / unit).to_integral_value(rounding=ROUND_FLOOR) * unit
        assert given_share in {floor, floor + unit}
        assert given_share == part or floor != part, "a part in whole units stays as it is"


def test_the_largest_remainder_gets_the_missing_cent_and_the_first_of_equals() -> None:
    """Three thirds of a dollar: 0.34, 0.33, 0.33; larger remainders go first."""
    thirds = [Decimal("0.333334"), Decimal("0.333333"), Decimal("0.333333")]
    assert money.share(Decimal(1), thirds) == (
        Decimal("0.34"),
        Decimal("0.33"),
        Decimal("0.33"),
    )
    equal = [Decimal("0.005")] * 4
    assert [str(s) for s in money.share(Decimal("0.02"), equal)] == [
        "0.01",
        "0.01",
        "0.00",
        "0.00",
    ]
    parts = [Decimal("0.004"), Decimal("0.006")]
    assert money.share(Decimal("0.01"), parts) == (Decimal("0.00"), Decimal("0.01"))


def test_parts_that_are_no_parts_are_refused() -> None:
    """Shares of a total that is not the sum of the parts would hide a difference."""
    with pytest.raises(ValueError, match="do not add up"):
        money.share(Decimal("1.00"), [Decimal("0.99")])
