"""Text from outside: nothing in it unseen, none endless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.core.text import ELLIPSIS, counted, visible


@pytest.mark.parametrize("text", ["", "Mobile", "Café – 日本", "=HYPERLINK(1)", "<b>", "{{7*7}}"])
def test_readable_text_stays_as_it_is(text: str) -> None:
    """Letters of any script and any punctuation are shown as they came."""
    assert visible(text, 40) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a\u2039U+0000\u203ab"),
        ("a\nb\tc", "a\u2039U+000A\u203ab\u2039U+0009\u203ac"),
        ("\u202egnp.exe", "\u2039U+202E\u203agnp.exe"),
        ("pay\u200bpal", "pay\u2039U+200B\u203apal"),
        ("\ufeffx", "\u2039U+FEFF\u203ax"),
        ("\ud800", "\u2039U+D800\u203a"),
        ("\u2028", "\u2039U+2028\u203a"),
        ("\U000e0041", "\u2039U+E0041\u203a"),
        ("\x1b[31m", "\u2039U+001B\u203a[31m"),
    ],
)
def test_unseen_characters_are_written_out(text: str, shown: str) -> None:
    """Control, zero-width, direction-turning and lone-surrogate characters show their number."""
    assert visible(text, 100) == shown


def test_a_long_text_ends_in_an_ellipsis_at_the_very_length() -> None:
    """What fits is not cut; one character more is, to the length with the ellipsis."""
    assert visible("x" * 40_000, 40_000) == "x" * 40_000
    assert visible("x" * 40_001, 40_000) == "x" * 39_999 + ELLIPSIS
    assert visible("é" * 11, 10) == "é" * 9 + ELLIPSIS


def test_a_written_out_character_is_never_cut_in_two() -> None:
    """Where the number of an unseen character does not fit, the whole of it goes."""
    assert visible("ab\x00cd", 9) == "ab" + ELLIPSIS
    assert visible("\x00", 3) == ELLIPSIS


@settings(deadline=None, max_examples=400)
@given(
    st.text(st.characters(), max_size=60) | st.text("ab\x00\u202e\ud800", max_size=60),
    st.integers(min_value=1, max_value=80),
)
def test_any_text_comes_out_short_and_seen(text: str, longest: int) -> None:
    """No result is longer than allowed, holds an unseen character, or changes when shown again."""
    shown = visible(text, longest)
    assert len(shown) <= longest
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not any(unicodedata.category(letter) in hidden for letter in shown)
    assert visible(shown, longest) == shown
    shown.encode()


@pytest.mark.parametrize(
    ("count", "thing", "said"),
    [
        (0, "call", "0 calls"),
        (1, "reply", "1 reply"),
        (2, "reply", "2 replies"),
        (3, "day", "3 days"),
        (2487, "call", "2,487 calls"),
    ],
)
def test_a_number_of_things_is_written_as_people_write_it(
    count: int, thing: str, said: str
) -> None:
    """A y after a vowel stays."""
    assert counted(count, thing) == said
