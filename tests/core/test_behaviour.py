"""Judging behaviour: thresholds, months before, and what is not known is not told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core.behaviour import (
    CODES,
    MOST_TOLD,
    Behaviour,
    Month,
    Seen,
    against_earlier,
    minutes,
    patterns,
)

USUAL = Behaviour()
DOLLAR = 1_000_000


def months(*costs: int | None, number: str = "0255500140") -> list[Month]:
    """Make months in which a number cost so many dollars; None is not whole, -1 has no call."""
    made = []
    for n, cost in enumerate(costs):
        had = {} if cost is None or cost < 0 else {number: (10, cost * DOLLAR)}
        made.append(Month(f"2026-{n:02}", cost is not None, had, {"Mobile": (10, 0)}))
    return made


def codes(now: int | None, earlier: list[Month], of: Behaviour = USUAL) -> list[str]:
    """Judge a month in which the number cost so many dollars."""
    numbers = {} if now is None else {"0255500140": (5, now * DOLLAR)}
    return [f.code for f in against_earlier(numbers, {"Mobile": (5, 0)}, earlier, (), of)]


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        (300, [100, 100, 100], ["jump"]),
        (299, [100, 100, 100], []),
        (300, [50, 100, 150], ["jump"]),
        (74, [24, 24, 24], ["jump"]),
        (73, [24, 24, 24], []),
        (300, [None, 100, 100], ["jump"]),
        (300, [None, None, 100], []),
        (300, [100, 100, None, None, None], []),
        (60, [0, 0, 0], ["jump"]),
        (300, [], []),
        (300, [None, None, None], []),
        (300, [-1, -1, -1], ["number-new"]),
        (300, [-1], ["number-new"]),
        (300, [100, -1, -1, -1], []),
        (300, [-1, 100, -1], ["jump"]),
        (None, [100, -1, -1], ["number-silent"]),
        (None, [100, 100, -1], []),
        (None, [100, None, -1], []),
        (None, [-1, -1, -1], []),
        (None, [100], []),
    ],
)
def test_beside_the_months_before(
    now: int | None, earlier: list[int | None], expected: list[str]
) -> None:
    """A jump is threefold and by 50 dollars, from two whole months on; silence needs three."""
    assert codes(now, months(*earlier)) == expected


def test_what_a_jump_says() -> None:
    """The mean, rounded once, and this month's calls and dollars."""
    earlier = months(10, 10, 11)
    (found,) = against_earlier({"0255500140": (7, 400 * DOLLAR)}, {}, earlier, (), USUAL)
    assert (found.where, found.calls, found.dollars) == ("number 02 5550 0140", 7, Decimal(400))
    assert found.message == "the cost is far above the mean of the last 3 months, $10.33"
    assert found.severity == "warning"
    earlier = [replace(m, categories={"Mobile": (1, 0)}) for m in earlier]
    (found,) = against_earlier({}, {"Mobile": (7, 400 * DOLLAR)}, earlier[:2], (), USUAL)
    assert found.where == "category Mobile"


def test_listed_numbers_that_never_had_a_call_are_silent() -> None:
    """The directory knows them; one that has calls is not told."""
    earlier = months(-1, -1)
    listed = ("0255500140", "0255500141")
    (found,) = [
        f
        for f in against_earlier({"0255500140": (1, 0)}, {}, earlier, listed, USUAL)
        if f.code == "number-silent"
    ]
    assert found.message == "without a call for 3 months: 02 5550 0141"
    assert (found.calls, found.dollars, found.severity) == (0, 0, "info")


def test_thresholds_of_nothing_switch_checks_off() -> None:
    """Each by itself."""
    off = replace(USUAL, jump_percent=0, new_numbers=False, silent_months=0)
    assert not off.looks_back
    for now, earlier in ((300, [1, 1, 1]), (300, [-1]), (None, [100, -1, -1])):
        assert codes(now, months(*earlier), off) == []


def seen(code: str, cost: int, number: str = "0255500140", calls: int = 4) -> Seen:
    """Make some calls of a pattern."""
    return Seen(code, number, calls, cost * DOLLAR, ("11", "12", "13"), "in GB")


def test_patterns_are_told_from_their_dollars_on() -> None:
    """With calls, dollars, examples and what more is known."""
    found = list(patterns([seen("international", 100), seen("premium", 19)], USUAL))
    (one,) = found
    assert (one.code, one.severity, one.calls, one.dollars) == (
        *("international", "warning", 4),
        Decimal(100),
    )
    assert one.where == "number 02 5550 0140"
    assert one.message == (
        "charged calls to other countries, in GB; for instance calls 11, 12, 13"
    )
    assert not list(patterns([seen("international", 99)], USUAL))


def test_many_numbers_are_told_together() -> None:
    """The dearest by themselves, all others in one: their sum is that of all."""
    every = [seen("premium", 20 + n, f"02555001{n:02}") for n in range(MOST_TOLD + 5)]
    found = list(patterns(every, USUAL))
    assert len(found) == MOST_TOLD + 1
    assert found[0].dollars == 34
    assert found[-1].where == "5 other numbers"
    assert sum(f.dollars for f in found) == sum(20 + n for n in range(MOST_TOLD + 5))
    assert sum(f.calls for f in found) == 4 * len(every)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("07:00-19:00", (420, 1140)),
        ("22:30-06:00", (1350, 360)),
        ("00:00-24:00", (0, 1440)),
        ("7:00-19:00", None),
        ("07:00-07:00", None),
        ("07:00-24:30", None),
        ("always", None),
    ],
)
def test_hours(written: str, read: tuple[int, int] | None) -> None:
    """Of a day, also over midnight."""
    assert minutes(written) == read


FIGURES = st.dictionaries(
    st.sampled_from(["a", "b", "c", "(none)"]),
    st.tuples(st.integers(1, 9), st.integers(-5, 400).map(lambda n: n * DOLLAR)),
)
MONTHS = st.lists(
    st.tuples(st.booleans(), FIGURES).map(
        lambda each: Month("m", each[0], each[1] if each[0] else {}, {})
    ),
    max_size=12,
)


@given(FIGURES, MONTHS)
def test_nothing_is_told_of_what_is_not_known(
    numbers: dict[str, tuple[int, int]], earlier: list[Month]
) -> None:
    """Every finding has this month's own calls and dollars; without whole months there is none."""
    found = list(against_earlier(numbers, {}, earlier, (), USUAL))
    if not any(month.is_whole for month in earlier):
        assert not found
    for each in found:
        assert each.code in CODES
        name = each.where.removeprefix("number ")
        if each.code != "number-silent":
            assert (each.calls, each.dollars) == (
                numbers[name][0],
                Decimal(numbers[name][1]) / DOLLAR,
            )
        had = [m for m in earlier if m.is_whole and name in m.numbers]
        assert bool(had) == (each.code == "jump") or each.code == "number-silent"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (("mon", "tue", "wed", "thu", "fri"), "mon to fri"),
        (("sun", "mon"), "mon, sun"),
        (("fri", "thu", "wed"), "wed to fri"),
        ((), "on no day"),
    ],
)
def test_out_of_hours_says_what_the_hours_are(days: tuple[str, ...], said: str) -> None:
    """As they are set."""
    of = replace(USUAL, days=days)
    (found,) = patterns([seen("out-of-hours", 60)], of)
    assert found.message.startswith(f"charged calls outside 07:00-19:00, {said}")
