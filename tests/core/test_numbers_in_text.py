"""Numbers in running text: found in whatever spelling, and dates and sums are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core.numbering import masked, numbers_in, spaced

NUMBERS = ("0255500140", "0491570006", "1300975707", "1800160401", "130000", "1801234")


@pytest.mark.parametrize(
    "text",
    [
        *NUMBERS,
        *map(spaced, NUMBERS),
        "+61 2 5550 0140",
        "+61491570006",
        "61 491 570 006",
        "0011 44 20 7946 0123",
        "+44 20 7946 0123",
        "(02) 5550-0140",
        "02\u00a05550\u00a00140",
        "02.5550.0140",
    ],
)
@pytest.mark.parametrize("around", ["{}", "call {} now", "acme-{}-statement.pdf", "({})", "a {}."])
def test_a_number_is_found_and_taken_out(text: str, around: str) -> None:
    """In every spelling and wherever it stands, but a six-digit one in the middle of a name."""
    whole = around.format(text)
    if around.startswith("acme-") and len("".join(filter(str.isdigit, text))) < 8:
        return
    assert len(numbers_in(whole)) == 1
    assert masked(whole).count("[number]") == 1
    assert "5550" not in masked(whole)
    assert "570" not in masked(whole)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-10", "2026-10-01..2026-11-01", "2026-07-01 2026-08-01", "1 Oct 2026"),
        *("$131450.00", "$1,300,975,707.00", "2,487 calls", "97:37:30", "131,450 seconds"),
        "8a407e1cb01884f1b278e22c9fad0ee1f318c35841c1bb1963977ce34d92f1a1",
        *("call 723005339", "acme-2026-10-statement.xlsx", "r1", "10.25", "0255500140.25"),
    ],
)
def test_dates_sums_and_names_are_no_numbers(text: str) -> None:
    """What a message says of a month does not look like a telephone number."""
    assert numbers_in(text) == []
    assert masked(text) == text


@given(st.text(max_size=60), st.sampled_from(NUMBERS[:4]), st.text(max_size=60))
def test_nothing_is_left_of_a_number_between_words(before: str, number: str, after: str) -> None:
    """Whatever stands around it."""
    assert number not in masked(f"{before} {number} {after}")
