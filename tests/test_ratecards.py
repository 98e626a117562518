"""Rate cards as people keep them: CSV, workbook, TOML; and every mistake told at once, by line."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from maxo_reports.core.rates.tariff import Band, Pool, Rounding
from maxo_reports.errors import ConfigError
from maxo_reports.ratecards import load, read
from maxo_reports.ratecards.words import NotRead, clock, money

CSV = """\
Category,Direction,Prefix,Valid from,Valid to,Flagfall,Per minute,Per call,First increment,\
Increment,Rounding,Places,GST,Pool,Pool minutes,Notes
Local,out,,,,,,0.12,,,,,exclusive,,,untimed
Mobile,Outbound,+61 4,2026-01-01,30/06/2026,$0.05,0.1145,,30,6,up,2,exclusive,mobile,500,
Mobile,Outbound,04,2026-07-01,,0.05,0.12,,30,6,up,2,exclusive,mobile,,
,any,0011 44,,,,0.0625,,60,60,,,inclusive,,,
"""
TOML = """\
[card]
name = "Standard 2026"
gst = "exclusive"
rounding = "half_up"
places = 4

[pool.national]
minutes = 300
per = "service-number"
covers_fee = true

[[rate]]
category = "National"
connect_fee = 0.05
per_minute = 0.0355
pool = "national"

[[rate]]
category = "National"
days = "sat, sun"
per_minute = "0.02"
pool = "national"

[[rate]]
category = "1300 Incoming"
per_minute = 0.06
time_from = "19:00"
time_to = "07:00"
days = "mon-fri"
free_seconds = 600
charge_unconnected = false

[[rate]]
category = "1300 Incoming"
per_call = 0.36
untimed_limit = 5400
per_minute = 0.03
minimum = 0.1
maximum = 2.5
"""


def problems(content: str, name: str = "card.csv") -> tuple[str, ...]:
    """Return what is wrong with a card."""
    with pytest.raises(ConfigError) as caught:
        read(content.encode(), name)
    return caught.value.problems


def test_a_table_is_read_under_the_names_that_price_lists_have(tmp_path: Path) -> None:
    """Headings and cells as people write them; the card is called as its file."""
    path = tmp_path / "Maxo 2026.csv"
    path.write_bytes(CSV.replace(",", ";").encode("utf-16"))
    card = load(path).card
    local, first, second, abroad = card.rates
    assert card.name == "Maxo 2026"
    assert (local.place, local.category, local.per_call) == ("line 2", "Local", Decimal("0.12"))
    assert (first.prefix, second.prefix, abroad.prefix) == ("04", "04", "+44")
    assert (first.first, first.last, second.first) == (20_454, 20_634, 20_635)
    assert (first.connect_fee, first.per_minute) == (Decimal("0.05"), Decimal("0.1145"))
    assert (first.first_increment, first.increment) == (30, 6)
    assert first.rounding == Rounding("up", 2, "call")
    assert (abroad.direction, abroad.gst) == ("", "inclusive")
    assert card.pools == (Pool("mobile", 30_000),)


def test_a_workbook_says_the_same_as_its_csv() -> None:
    """Figures and days of a spreadsheet are what somebody typed, to the last decimal."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["category", "valid from", "per minute", "increment", "time from", "time to"])
    sheet.append(["Mobile", None, 0.1145, 6, None, None])
    sheet["B2"] = date(2026, 7, 1)
    sheet["E2"], sheet["F2"] = "18:00", time(7, 30)
    target = BytesIO()
    book.save(target)
    (rate,) = read(target.getvalue(), "card.xlsx").card.rates
    assert (rate.per_minute, rate.increment, rate.first) == (Decimal("0.1145"), 6, 20_635)
    assert rate.band == Band(start=64_800, end=27_000)


def test_a_figure_that_a_workbook_worked_out_is_what_it_shows() -> None:
    """A tenth put on ten cents is eleven cents, and not a hair more; no time is after 24:00."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["category", "per minute", "time from", "time to"])
    sheet.append(["Mobile", 0.1 * 1.1, time(7, 30), "18:00"])
    target = BytesIO()
    book.save(target)
    (rate,) = read(target.getvalue(), "card.xlsx").card.rates
    assert rate.per_minute == money(0.1 * 1.1) == Decimal("0.11")
    assert clock(timedelta(days=1)) == 86_400
    with pytest.raises(NotRead, match="must be a time of day"):
        clock(timedelta(hours=25))


def test_toml_is_exact_and_has_defaults() -> None:
    """A figure without quotes is the decimal that is written."""
    card = read(TOML.encode(), "card.toml").card
    assert card.name == "Standard 2026"
    assert card.pools == (Pool("national", 18_000, "service-number", covers_fee=True),)
    national, weekend, nights, untimed = card.rates
    assert national.per_minute == Decimal("0.0355")
    assert national.gst == "exclusive"
    assert weekend.band == Band(frozenset({5, 6}))
    assert nights.band == Band(frozenset(range(5)), 68_400, 25_200)
    assert (untimed.per_call, untimed.untimed_limit) == (Decimal("0.36"), 5400)
    assert (untimed.minimum, untimed.maximum) == (Decimal("0.1"), Decimal("2.5"))


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    """The nearest real name, and what is to be written instead."""
    told = problems(
        "Category,Directoin,Per minute,Per call,Increment,Valid from,Valid to,Prefix,Rounding\n"
        "Local,,25c,,,,,,\n"
        "Mobile,,0.1234567,,0,,,,\n"
        "Mobile,,,,,2026-02-30,,,\n"
        "National,,0.1,0.2,,2026-02-02,2026-01-01,44,sideways\n"
    )
    dollars = "must be dollars such as 0.25, with 6 decimals at most, not"
    expected = (
        ("1", "'Directoin' is not a column of a rate card (did you mean 'direction'?)"),
        ("2", f"per_minute {dollars} '25c'"),
        ("3", f"per_minute {dollars} '0.1234567'"),
        ("3", "increment must be a whole number from 1 to 86,400, not '0'"),
        ("4", "valid_from must be a day such as 2026-10-31, not '2026-02-30'"),
        ("4", "has no price: write per_minute or per_call, 0 for a free call"),
        ("5", "prefix begins as no number in Australia does; abroad is written +44, not '44'"),
        ("5", "rounding must be up, half-up, down, none, not 'sideways'"),
        ("5", "has per_call and per_minute: an untimed call has no price for its time"),
        ("5", "valid_from 2026-02-02 is more than valid_to 2026-01-01"),
    )
    assert len(told) == len(expected)
    for line, (number, words) in zip(told, expected, strict=True):
        assert line.startswith(f"card.csv line {number}: {words}")


def test_overlapping_validity_is_refused_by_line() -> None:
    """Two lines for the same calls on the same day; a day apart is no overlap."""
    text = "category,valid from,valid to,per minute\nMobile,,{},0.1\nMobile,2026-07-01,,0.12\n"
    assert len(read(text.format("2026-06-30").encode(), "c.csv").card.rates) == 2
    (told,) = problems(text.format("2026-07-01"), "c.csv")
    assert told.startswith(
        "c.csv line 3: is for the same calls as line 2 (category 'Mobile', any direction)"
    )


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("a,b\n1,2\n", "c.csv", "is no heading of a rate card"),
        ("category,per minute\n", "c.csv", "there is no rate in it"),
        ("category,category,per call\n", "c.csv", "has the column 'category' twice"),
        ("category,per call\nLocal,1,2\n", "c.csv", "has more cells than the heading"),
        ('category,per call\n"Local,1\n', "c.csv", "unexpected end of data"),
        ("category,per call,pool\nLocal,1,p\n", "c.csv", "minutes of pool 'p' are not said"),
        ("per call,pool minutes\n1,50\n", "c.csv", "of which? Fill in pool"),
        (
            "prefix,per call,pool,pool minutes\n02,1,p,5\n03,1,p,6\n",
            "c.csv",
            "says something else of pool 'p' than line 2",
        ),
        ("per call,untimed limit\n1,60\n", "c.csv", "untimed_limit needs per_call and"),
        ("per call,free seconds\n1,60\n", "c.csv", "free_seconds has no meaning"),
        ("per call,minimum,maximum\n1,2,1\n", "c.csv", "minimum 2 is more than maximum 1"),
        ("per call,time from,time to\n1,8:00,8:00\n", "c.csv", "leave no time between them"),
        ("per call,days\n1,mon-xyz\n", "c.csv", "must be days of the week"),
        ("[[rat]]\n", "c.toml", "'rat' is not a setting (did you mean 'rate'?)"),
        ("[[rate]]\nper_cal = 1\n", "c.toml", "'per_cal' is not a setting"),
        ("[pool.p]\nper = 'account'\n", "c.toml", "minutes of pool 'p' is missing"),
        ("x = ", "c.toml", "is not readable TOML"),
        ("[[rate]]\nper_minute = inf\n", "c.toml", "must be dollars such as 0.25"),
        ("[[rate]]\nper_minute = 1e30\n", "c.toml", "must be dollars such as 0.25"),
        ("[[rate]]\nper_call = 1\ncategory = ['x']\n", "c.toml", "must be one value"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, name: str, told: str) -> None:
    """Each in words that say what to do."""
    assert told in "; ".join(problems(text, name))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is told with its name."""
    with pytest.raises(ConfigError, match=r"cannot read the rate card .*none\.csv"):
        load(tmp_path / "none.csv")
