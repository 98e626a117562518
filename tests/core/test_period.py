"""Periods and local time, held against tables that were worked out by hand."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.core.period import (
    BillingPeriod,
    LocalClock,
    Window,
    parse_before,
    parse_period,
    zone_named,
)
from maxo_reports.errors import UsageError

TODAY = date(2026, 11, 20)

# zone, month, first unix second, hours. From the rules of each state, not from a program:
# clocks go forward at 02:00 standard time on the first Sunday of October (4 Oct 2026) and
# back at 03:00 summer time on the first Sunday of April (5 Apr 2026); Lord Howe by 30 minutes;
# Queensland, Western Australia and the Northern Territory never.
MONTHS = [
    ("Australia/Sydney", "2026-10", 1_790_776_800, 743),
    ("Australia/Sydney", "2026-04", 1_774_962_000, 721),
    ("Australia/Sydney", "2026-11", 1_793_451_600, 720),
    ("Australia/Melbourne", "2026-10", 1_790_776_800, 743),
    ("Australia/Brisbane", "2026-10", 1_790_776_800, 744),
    ("Australia/Brisbane", "2026-04", 1_774_965_600, 720),
    ("Australia/Perth", "2026-10", 1_790_784_000, 744),
    ("Australia/Adelaide", "2026-10", 1_790_778_600, 743),
    ("Australia/Adelaide", "2026-04", 1_774_963_800, 721),
    ("Australia/Darwin", "2026-10", 1_790_778_600, 744),
    ("Australia/Lord_Howe", "2026-10", 1_790_775_000, 743.5),
    ("Australia/Lord_Howe", "2026-04", 1_774_962_000, 720.5),
    ("Australia/Brisbane", "2024-02", 1_706_709_600, 29 * 24),
    ("UTC", "2026-10", 1_790_812_800, 744),
]


def _period(text: str, zone: str = "Australia/Brisbane", billing_day: int = 1) -> BillingPeriod:
    return parse_period(text, zone, TODAY, billing_day)


@pytest.mark.parametrize(("zone", "month", "start", "hours"), MONTHS)
def test_a_month_has_the_hours_of_its_zone(
    zone: str, month: str, start: int, hours: float
) -> None:
    """Sydney's October has 743 hours and its April 721; Brisbane's months have whole days."""
    period = _period(month, zone)
    assert period.start == start
    assert period.end - period.start == hours * 3600
    assert period.window == Window(start, start + int(hours * 3600))


@pytest.mark.parametrize(
    "zone", ["Australia/Sydney", "Australia/Brisbane", "Australia/Lord_Howe", "UTC"]
)
def test_two_years_of_months_follow_each_other_without_gap_or_overlap(zone: str) -> None:
    """Where one month ends the next begins, over the years' ends and the changes of the clock."""
    months = [_period(f"{y}-{m:02}", zone) for y in (2026, 2027) for m in range(1, 13)]
    assert all(before.end == after.start for before, after in pairwise(months))
    assert all(before.until == after.first for before, after in pairwise(months))


def test_the_same_month_is_another_span_in_another_zone() -> None:
    """November begins an hour earlier in Sydney than in Brisbane."""
    brisbane, sydney = _period("2026-11"), _period("2026-11", "Australia/Sydney")
    assert brisbane.start - sydney.start == 3600


def test_a_month_knows_its_days() -> None:
    """First day, last day, the day after, the label and the folder name agree."""
    period = _period("2026-10")
    assert (period.first, period.last) == (date(2026, 10, 1), date(2026, 10, 31))
    assert period.until == date(2026, 11, 1)
    assert (period.label, period.key) == ("2026-10", "2026-10-01..2026-11-01")


@pytest.mark.parametrize(
    ("text", "billing_day", "first", "until"),
    [
        ("2026-10", 15, date(2026, 10, 15), date(2026, 11, 15)),
        ("2026-12", 15, date(2026, 12, 15), date(2027, 1, 15)),
        ("2026-02", 28, date(2026, 2, 28), date(2026, 3, 28)),
        ("2026-06-30..2026-07-01", 1, date(2026, 6, 30), date(2026, 7, 1)),
        ("2025-07-01..2026-07-01", 15, date(2025, 7, 1), date(2026, 7, 1)),
        (" 2026-10 ", 1, date(2026, 10, 1), date(2026, 11, 1)),
    ],
)
def test_a_period_is_a_month_from_any_day_or_a_range(
    text: str, billing_day: int, first: date, until: date
) -> None:
    """A month may begin on another day; a range is taken as written, half-open."""
    period = _period(text, billing_day=billing_day)
    assert (period.first, period.until) == (first, until)


@pytest.mark.parametrize(
    ("today", "billing_day", "label", "first"),
    [
        (date(2026, 11, 20), 1, "2026-10", date(2026, 10, 1)),
        (date(2026, 11, 1), 1, "2026-10", date(2026, 10, 1)),
        (date(2026, 10, 31), 1, "2026-09", date(2026, 9, 1)),
        (date(2027, 1, 5), 1, "2026-12", date(2026, 12, 1)),
        (date(2024, 3, 31), 1, "2024-02", date(2024, 2, 1)),
        (date(2026, 11, 14), 15, "2026-09", date(2026, 9, 15)),
        (date(2026, 11, 15), 15, "2026-10", date(2026, 10, 15)),
        (date(2027, 1, 10), 15, "2026-11", date(2026, 11, 15)),
    ],
)
def test_last_month_is_the_last_one_that_is_over(
    today: date, billing_day: int, label: str, first: date
) -> None:
    """With a billing day, the month that has begun is not over before that day comes round."""
    period = parse_period("last-month", "Australia/Sydney", today, billing_day)
    assert (period.label, period.first) == (label, first)
    assert period.until <= today
    same = parse_period(label, "Australia/Sydney", today, billing_day)
    assert same == period


@pytest.mark.parametrize(
    ("text", "says"),
    [
        *((text, "not understood") for text in ("", "October", "2026", "2026-1", "2026/10")),
        *((text, "not understood") for text in ("2026-10-01", "2026-10..2026-11", "202-10")),
        ("2026-10-01..2026-11-01\nx", "not understood"),
        ("\u0662\u0660\u0662\u0666-10", "not understood"),
        ("2026-13", "no day of the calendar"),
        ("2026-00", "no day of the calendar"),
        ("0000-10", "no day of the calendar"),
        ("2026-02-30..2026-03-05", "no day of the calendar"),
        ("2026-10-01..2026-10-01", "ends before it starts"),
        ("2026-11-01..2026-10-01", "ends before it starts"),
        ("2025-01-01..2026-02-06", "longer than 400 days"),
        ("9999-12", "no calls"),
        ("0001-01", "no calls"),
        ("1969-12", "no calls"),
    ],
)
def test_a_malformed_period_is_refused_in_one_line(text: str, says: str) -> None:
    """What is no period says why, and is never a traceback."""
    with pytest.raises(UsageError) as caught:
        _period(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_four_hundred_days_are_the_most() -> None:
    """A range of 400 days is taken."""
    period = _period("2025-01-01..2026-02-05")
    assert (period.until - period.first).days == 400


@pytest.mark.parametrize(
    "name", ["", "Sydney", "Australia", "australia/nowhere", "../Sydney", "/etc/passwd", "A" * 300]
)
def test_an_unknown_zone_is_refused_in_one_line(name: str) -> None:
    """A zone that is no IANA name, or tries to be a path, says what to write."""
    with pytest.raises(UsageError, match="write an IANA name"):
        zone_named(name)


# zone, unix second, the local clock. Each pair stands on both sides of a change.
CLOCK = [
    ("Australia/Sydney", 1_790_776_800, "2026-10-01 00:00:00"),
    ("Australia/Sydney", 1_791_043_199, "2026-10-04 01:59:59"),
    ("Australia/Sydney", 1_791_043_200, "2026-10-04 03:00:00"),
    ("Australia/Sydney", 1_793_451_599, "2026-10-31 23:59:59"),
    ("Australia/Sydney", 1_793_451_600, "2026-11-01 00:00:00"),
    ("Australia/Sydney", 1_775_318_399, "2026-04-05 02:59:59"),
    ("Australia/Sydney", 1_775_318_400, "2026-04-05 02:00:00"),
    ("Australia/Sydney", 1_775_322_000, "2026-04-05 03:00:00"),
    ("Australia/Lord_Howe", 1_791_041_399, "2026-10-04 01:59:59"),
    ("Australia/Lord_Howe", 1_791_041_400, "2026-10-04 02:30:00"),
    ("Australia/Lord_Howe", 1_775_314_799, "2026-04-05 01:59:59"),
    ("Australia/Lord_Howe", 1_775_314_800, "2026-04-05 01:30:00"),
    ("Australia/Brisbane", 1_791_043_200, "2026-10-04 02:00:00"),
    ("Australia/Brisbane", 1_775_318_400, "2026-04-05 02:00:00"),
]


@pytest.mark.parametrize(("zone", "moment", "text"), CLOCK)
def test_the_local_clock_jumps_where_the_law_says(zone: str, moment: int, text: str) -> None:
    """On both sides of each change the clock shows what people saw on the wall."""
    clock = LocalClock.over(zone, moment - 20 * 86_400, moment + 20 * 86_400)
    assert clock.text(moment) == text
    assert clock.local(moment) == datetime.fromisoformat(text)
    assert LocalClock.over(zone, moment, moment).text(moment) == text


def test_a_year_has_two_changes_to_the_second() -> None:
    """The table of a year holds its two changes and nothing else."""
    clock = LocalClock.over("Australia/Sydney", 1_767_200_000, 1_798_700_000)
    assert clock.since[1:] == (1_775_318_400, 1_791_043_200)
    assert clock.offsets == (39_600, 36_000, 39_600)
    howe = LocalClock.over("Australia/Lord_Howe", 1_767_200_000, 1_798_700_000)
    assert howe.since[1:] == (1_775_314_800, 1_791_041_400)
    assert howe.offsets == (39_600, 37_800, 39_600)
    assert LocalClock.over("Australia/Brisbane", 1_767_200_000, 1_798_700_000).offsets == (36_000,)


@settings(deadline=None, max_examples=200)
@given(st.integers(min_value=1_767_200_000, max_value=1_798_700_000))
def test_every_second_of_a_year_has_the_offset_of_its_season(moment: int) -> None:
    """Sydney is 11 hours ahead up to April's change and from October's on, else 10."""
    clock = LocalClock.over("Australia/Sydney", 1_767_200_000, 1_798_700_000)
    summer = moment < 1_775_318_400 or moment >= 1_791_043_200
    assert clock.offset(moment) == (39_600 if summer else 36_000)


def test_a_moment_far_outside_the_table_still_has_a_clock() -> None:
    """Records from another age get the nearest offset and no error."""
    clock = LocalClock.over("Australia/Sydney", 1_790_776_800, 1_793_451_600)
    assert clock.offset(-(10**12)) == 36_000
    assert clock.offset(10**12) == 39_600


@pytest.mark.parametrize(
    ("text", "billing_day", "day"),
    [
        ("2026-10-01", 1, date(2026, 10, 1)),
        (" 2026-10-31 ", 15, date(2026, 10, 31)),
        ("2026-11-20", 1, TODAY),
        ("2026-10", 1, date(2026, 10, 1)),
        ("2026-10", 15, date(2026, 10, 15)),
        ("2026-11", 20, TODAY),
    ],
)
def test_a_day_to_cut_before_is_a_day_or_the_beginning_of_a_month(
    text: str, billing_day: int, day: date
) -> None:
    """A month begins on the account's billing day; today itself may be named."""
    assert parse_before(text, "Australia/Brisbane", TODAY, billing_day) == day


@pytest.mark.parametrize(
    ("text", "billing_day"),
    [
        *(("2026-11-21", 1), ("2026-12", 1), ("2026-11", 21), ("2026-02-30", 1), ("2026-13", 1)),
        *(("", 1), ("last-month", 1), ("2026", 1), ("2026-10-01..2026-11-01", 1), ("0001-01", 1)),
    ],
)
def test_a_day_to_cut_before_that_makes_no_sense_is_refused(text: str, billing_day: int) -> None:
    """One that is to come, that no calendar has, or that is no day at all."""
    with pytest.raises(UsageError):
        parse_before(text, "Australia/Brisbane", TODAY, billing_day)
