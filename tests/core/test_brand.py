"""Sender and recipient as values: the ABN's check digits, the window's geometry, the basis."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core.brand import (
    NO_BRAND,
    Brand,
    EnvelopeWindow,
    Logo,
    Recipient,
    basis,
    is_abn,
    spaced_abn,
)

ATO = "51824753556"
"""The Australian Taxation Office's own number, which its page on the format works through."""


def test_the_tax_offices_own_number_is_one() -> None:
    """With spaces or without; nothing else that has eleven characters is."""
    assert is_abn(ATO)
    assert is_abn("51 824 753 556")
    assert spaced_abn(ATO) == "51 824 753 556"
    for wrong in ("", "5182475355", "518247535560", "5182475355x", "\u0665" * 11, "00000000000"):
        assert not is_abn(wrong)


@given(st.integers(0, 10), st.integers(1, 9))
def test_any_single_wrong_digit_is_noticed(place: int, by: int) -> None:
    """That is what check digits are for."""
    digit = (int(ATO[place]) + by) % 10
    assert not is_abn(f"{ATO[:place]}{digit}{ATO[place + 1 :]}")


@given(st.integers(0, 9))
def test_two_neighbours_that_changed_places_are_noticed(place: int) -> None:
    """The commonest slip of a typist."""
    swapped = [*ATO]
    swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
    assert is_abn("".join(swapped)) == (ATO[place] == ATO[place + 1])


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(50, 120),
    st.integers(20, 60),
    st.integers(0, 10),
    st.integers(0, 11),
)
def test_the_recipient_shows_wherever_the_sheet_has_slid_to(
    left: int, bottom: int, width: int, height: int, across: int, down: int
) -> None:
    """A sheet of 99 by 210 mm slides by 11 and 10 mm in an envelope of 110 by 220."""
    window = EnvelopeWindow(left, bottom, width, height)
    first, top = window.sheet_left, window.sheet_top
    last, end = first + window.sheet_width, top + window.sheet_height
    # Where the sheet's text is, seen from the envelope's left and upper edge.
    upper = 110 - bottom - height
    assert left <= first + across
    assert last + across <= left + width
    assert upper <= top + down
    assert end + down <= upper + height


def test_what_is_set_decides_the_basis_and_what_is_not_leaves_it() -> None:
    """A pack from before there were brands keeps its basis; every field of a brand changes it."""
    assert basis(NO_BRAND, None) == {}
    whole = Brand("A", ("B",), ATO, "1", "a@b", "w", "#0f5f8c", Logo(b"", "image/png", "ab"))
    others = [
        replace(whole, **{name: other})
        for name, other in {
            "name": "X",
            "address": (),
            "abn": "",
            "phone": "2",
            "email": "",
            "web": "",
            "colour": "",
            "logo": Logo(b"", "image/png", "cd"),
            "window": EnvelopeWindow(left=21),
        }.items()
    ]
    assert len(others) == len(Brand.__dataclass_fields__)
    said = [str(basis(each, Recipient("R"))) for each in (whole, *others)]
    assert len(set(said)) == len(said)
    assert basis(whole, Recipient("R")) != basis(whole, Recipient("R", ("x",)))


@pytest.mark.parametrize("text", ["51 824 753 55", "51-824-753-556"])
def test_other_spellings_are_refused(text: str) -> None:
    """An ABN is digits and spaces."""
    assert not is_abn(text)
