"""Laws of carried formulas and of blocks that grow, held to openpyxl and plain counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.formula.translate import Translator

from maxo_reports.refresh.areas import Area, Stretch, area_of, led_all
from maxo_reports.refresh.formulas import led, moves, taken_apart

COLUMNS = st.sampled_from(["A", "B", "J", "$C", "XFD", "$AA"])
ROWS = st.builds(
    lambda fixed, row: f"{fixed}{row}", st.sampled_from(["", "$"]), st.integers(1, 99)
)
PLACES = st.builds(str.__add__, COLUMNS, ROWS)
REFERENCES = st.one_of(
    PLACES,
    st.builds("{}:{}".format, PLACES, PLACES),
    st.builds("Data!{}".format, PLACES),
    st.builds("'My ''own'' & 1'!{}:{}".format, PLACES, PLACES),
    st.builds("{}:{}".format, ROWS, ROWS),
    st.sampled_from(["A:A", "$B:$C", "Calls[Cost]", "Calls[[#This Row],[A1]]", "TAX_1", "1.5"]),
)
FORMULAS = st.recursive(
    st.one_of(REFERENCES, st.sampled_from(['"J2 & ""x"" <"', "TRUE", "12", '""'])),
    lambda inner: st.one_of(
        st.builds("{}+{}".format, inner, inner),
        st.builds("SUM({},{})".format, inner, inner),
        st.builds("IF({}>1, {},-{})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


@given(FORMULAS, st.integers(0, 5_000))
def test_a_formula_is_filled_down_as_openpyxl_translates_it(formula: str, down: int) -> None:
    """Relative rows move, fixed ones and table columns do not."""
    carried = "".join(
        piece if isinstance(piece, str) else str(piece + down) for piece in taken_apart(formula)
    )
    oracle = Translator(f"={formula}", "K100").translate_formula(f"K{100 + down}")
    assert f"={carried}" == oracle


@pytest.mark.parametrize(
    ("formula", "is_moved"),
    [
        ("Calls[[#This Row],[Cost]]*1.1", False),
        ("SUM(Calls[Cost])", False),
        ("ZZZ1*2", False),  # beyond the last column, so a name
        ("[1]Other!B2", True),
        ("$B$2", False),
        ("LOG10(B2)", True),
        ('"B2"', False),
    ],
)
def test_what_moves(formula: str, is_moved: bool) -> None:
    """Only what points to a cell of the row."""
    assert moves(formula) is is_moved


STRETCHES = st.builds(
    lambda left, wide, top, old, new, totals: Stretch(
        left, left + wide, top - 1, top, top + old, top + new, totals
    ),
    *(st.integers(1, 5), st.integers(0, 4), st.integers(2, 6)),
    *(st.integers(0, 9), st.integers(0, 9), st.integers(0, 1)),
)
AREAS = st.builds(
    lambda left, wide, top, high: Area(left, top, left + wide, top + high),
    *(st.integers(1, 6), st.integers(0, 4), st.integers(1, 16), st.integers(0, 16)),
)


@given(STRETCHES, AREAS)
def test_a_block_follows_the_table_or_stays(stretch: Stretch, area: Area) -> None:
    """All rows of some columns stay all rows; a block of other cells stays where it is."""
    new = stretch.led(area)
    assert (new.left, new.right) == (area.left, area.right)
    ends = {stretch.old: stretch.new}
    if stretch.totals:
        ends[stretch.old + 1] = stretch.new + 1
    inside = stretch.left <= area.left and area.right <= stretch.right
    whole = inside and area.top in {stretch.head, stretch.top} and area.bottom in ends
    totals = inside and stretch.totals and area.top == area.bottom == stretch.old + 1
    if totals:
        assert (new.top, new.bottom) == (stretch.new + 1, stretch.new + 1)
    elif whole:
        assert (new.top, new.bottom) == (area.top, ends[area.bottom])
    else:
        assert new == area
    assert area_of(str(area)) == area
    assert led_all(f"{area} A1:A9999", (stretch,)) == f"{new} A1:A9999"
    formula = f"SUM({area})+Other!{area}"
    assert led(formula, "Data", stretch) == f"SUM({new})+Other!{area}"


@given(st.text(alphabet="AZ$19:!x ", max_size=12))
def test_only_ranges_are_ranges(text: str) -> None:
    """What is none, or is upside down, is None."""
    area = area_of(text)
    if area is not None:
        assert area.left <= area.right <= 16_384
        assert area.top <= area.bottom <= 1_048_576
        assert str(area).replace("$", "").split(":")[0] == text.replace("$", "").split(":")[0]
