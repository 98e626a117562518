"""Length as a spreadsheet counts it, and the finding for a text that a cell cannot hold."""

from __future__ import annotations

import pytest
from carriers import BRISBANE, OCTOBER, call, reply
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core import cdr
from maxo_reports.core.cdr import LONGEST_TEXT, QUIRKS
from maxo_reports.core.period import LocalClock, Window
from maxo_reports.core.text import ELLIPSIS, fits, length, visible

EMOJI = "\U0001f600"
WINDOW = Window(OCTOBER, OCTOBER + 3_600)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_length_is_that_of_utf_16(text: str) -> None:
    """Python's own encoder says the same."""
    assert length(text) == len(text.encode("utf-16-le")) // 2


@given(
    st.text(st.characters() | st.sampled_from([EMOJI, "\x00"]), max_size=30), st.integers(1, 99)
)
def test_what_fits_is_what_is_not_cut(text: str, longest: int) -> None:
    """Cutting and telling whether it would be cut agree, and no result is longer than allowed."""
    shown = visible(text, longest)
    assert length(shown) <= longest
    assert fits(text, longest) == (shown == visible(text, 10 * len(text) + 1))


def test_an_emoji_is_never_cut_in_two() -> None:
    """It counts two and goes whole."""
    assert visible(EMOJI * 3, 6) == EMOJI * 3
    assert visible(EMOJI * 3, 5) == EMOJI * 2 + ELLIPSIS
    assert visible(EMOJI * 3, 4) == EMOJI + ELLIPSIS


@pytest.mark.parametrize(
    ("odd", "marked"),
    [
        ({"origin": "x" * LONGEST_TEXT}, False),
        ({"origin": "x" * (LONGEST_TEXT + 1)}, True),
        ({"origin": EMOJI * (LONGEST_TEXT // 2)}, False),
        ({"origin": EMOJI * (LONGEST_TEXT // 2 + 1)}, True),
        ({"inboundrate": "\x00" * (LONGEST_TEXT // 8)}, False),
        ({"inboundrate": "\x00" * (LONGEST_TEXT // 8 + 1)}, True),
        ({"callid": "9" * (LONGEST_TEXT + 1)}, True),
        ({"direction": "z" * (LONGEST_TEXT + 1)}, True),
    ],
)
def test_a_text_that_is_shown_cut_is_a_finding(odd, marked) -> None:
    """Every text of a call, counted as it will be shown: none is cut in silence."""
    read = cdr.read_reply(reply([call(1, **odd)], WINDOW))
    (quirks,) = cdr.columns(read, LocalClock.over(BRISBANE, WINDOW.start, WINDOW.end)).quirks
    assert bool(quirks & QUIRKS["text-too-long"]) == marked
