"""Reading a bill: every form of it, and every mistake at once with its line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from maxo_reports import invoice
from maxo_reports.core.money import dollars, plain
from maxo_reports.core.period import LocalClock
from maxo_reports.errors import ConfigError
from maxo_reports.invoice import words

SYDNEY = "Australia/Sydney"
CLOCK = LocalClock.over(SYDNEY, 1_775_000_000, 1_800_000_000)
GOOD = """\
number = "INV-7"
issued = 2026-11-02
from = "1/10/2026"
to = 2026-10-31
gst = "exclusive"
timezone = "Australia/Sydney"
total = 126.50
tolerance = "0.05"
tolerance_percent = 0.5

[[line]]
kind = "calls"
category = "Calls to mobiles"
calls = 4
charge = "100.00"

[[line]]
kind = "rental"
text = "1300 number"
charge = 15

[[line]]
kind = "gst"
charge = 11.50

[categories]
"Calls to mobiles" = ["Mobile", "Mobile AU"]
"""


def written(folder: Path, text: str, name: str = "invoice.toml") -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, *more: Path) -> list[str]:
    """Return what is told of a file, without its name."""
    with pytest.raises(ConfigError) as refused:
        invoice.load(path, *more)
    return [line.removeprefix(f"{path}").removeprefix(", ") for line in refused.value.problems]


def calls_in(path: Path, clock: LocalClock = CLOCK) -> list[tuple[Any, ...]]:
    """Read a list of calls whole."""
    listed = invoice.load(path).listed
    assert listed is not None
    found = []
    for batch in listed.batches(clock):
        columns = (getattr(batch, name) for name in batch.__slots__)
        found += list(zip(*columns, strict=True))
    return found


def test_a_bill_is_read_with_all_that_it_says(tmp_path):
    """Facts, lines, names, tolerances; dollars exactly."""
    read = invoice.load(written(tmp_path, GOOD))
    bill = read.bill
    assert bill is not None
    assert (bill.number, bill.basis, bill.total) == ("INV-7", "exclusive", 126_500_000)
    assert (bill.issued, bill.first, bill.last) == (
        date(2026, 11, 2),
        date(2026, 10, 1),
        date(2026, 10, 31),
    )
    assert bill.names == {"Mobile": "Calls to mobiles", "Mobile AU": "Calls to mobiles"}
    assert [(line.at, line.kind, line.charge) for line in bill.lines] == [
        ("line 10", "calls", 100_000_000),
        ("line 16", "rental", 15_000_000),
        ("line 21", "gst", 11_500_000),
    ]
    assert (read.tolerance.micros, read.tolerance.percent) == (50_000, Decimal("0.5"))
    assert list(read.files) == ["invoice.toml"]


def test_every_mistake_is_told_at_once_with_its_line(tmp_path):
    """Unknown keys with the nearest, kinds, dollars, days, zone, basis."""
    text = (
        'nummber = "1"\ngst = "inclusiv"\ntotal = "12.3.4"\nissued = "31/31/2026"\n'
        'timezone = "Australia/Sidney"\nseconds = -1\n'
        '[[line]]\nkind = "rentel"\ncharge = "1"\n'
        '[[line]]\nkind = "credit"\ncharge = "5.00"\nchrage = 1\n'
        '[[line]]\nkind = "sms"\ncharge = "a lot"\ncategory = "x"\n'
    )
    told = problems(written(tmp_path, text))
    assert told == [
        ": 'nummber' means nothing here (did you mean 'number'?)",
        (
            "line 7: kind 'rentel' is not known (did you mean 'rental'?); there is: calls, "
            "late-calls, rental, hosting, sms, fee, equipment, other, credit, rounding, gst"
        ),
        "line 10: 'chrage' means nothing here (did you mean 'charge'?)",
        "line 10: a credit is below nought: write it with a minus",
        "line 14: charge 'a lot' is no dollars, such as 15.00",
        ": 'number' is missing: the bill's number, as it is printed",
        ": gst must be inclusive or exclusive, not 'inclusiv' (did you mean 'inclusive'?)",
        ": total '12.3.4' is no dollars, such as 123.45",
        ": timezone 'Australia/Sidney' is not an IANA zone (did you mean 'Australia/Sydney'?)",
        ": issued '31/31/2026' is no day, such as 2026-10-31",
        (
            ": the lines add up to 5.00, but the total is 0.00: -5.00 is left over; correct a "
            "line, or write a line of kind 'rounding' where the bill itself does not add up"
        ),
        ": seconds must be from 0 to 3600, not -1",
    ]


def test_a_bill_that_does_not_add_up_is_refused_with_what_is_left(tmp_path):
    """Its own arithmetic comes first; where it looks like GST, that is said."""
    without = GOOD.replace('[[line]]\nkind = "gst"\ncharge = 11.50\n', "")
    (told,) = problems(written(tmp_path, without))
    assert "the lines add up to 115.00, but the total is 126.50: 11.50 is left over" in told
    assert "(a line of kind 'gst' is missing)" in told


def test_lines_with_gst_add_none(tmp_path):
    """A bill whose lines include GST has no GST to add."""
    told = problems(written(tmp_path, GOOD.replace('"exclusive"', '"inclusive"')))
    assert told == ["line 21: a bill whose lines include GST adds none: leave the line out"]


def test_names_that_no_line_has_are_told(tmp_path):
    """With the nearest that is there."""
    text = GOOD.replace('"Calls to mobiles" = [', '"Calls to moblies" = [')
    assert problems(written(tmp_path, text)) == [
        ": [categories] no line has 'Calls to moblies' (did you mean 'Calls to mobiles'?)"
    ]


def test_bill_and_list_need_names_of_their_own(tmp_path):
    """They stand side by side in the pack."""
    other = tmp_path / "other"
    other.mkdir()
    listed = written(other, "Call ID,Charge\n1,1.00\n", "bill.toml")
    with pytest.raises(ConfigError, match="different names"):
        invoice.load(written(tmp_path, GOOD, "bill.toml"), listed)


TABLE = [
    ["Kind", "Description", "Category", "Calls", "Charge"],
    ["number", "INV-7", "", "", ""],
    ["issued", "2/11/2026", "", "", ""],
    ["GST basis", "exclusive", "", "", ""],
    ["calls", "", "Mobile", 4, 100],
    ["rental", "1300 number", "", "", 15],
    ["gst", "", "", "", 11.5],
    ["total", "", "", "", 126.5],
]


def test_a_table_says_the_same_as_csv_and_as_workbook(tmp_path):
    """A row a line, a row for each fact; semicolons and Excel's own encoding are understood."""
    book = Workbook()
    for row in TABLE:
        book.active.append(row)
    book.save(tmp_path / "bill.xlsx")
    text = "\n".join(";".join(map(str, row)) for row in TABLE)
    text = text.replace("1300 number", "Café")
    (tmp_path / "bill.csv").write_bytes(text.encode("cp1252"))
    by_book, by_text = (invoice.load(tmp_path / f"bill.{kind}").bill for kind in ("xlsx", "csv"))
    assert by_book is not None
    assert by_text is not None
    assert [line.charge for line in by_book.lines] == [line.charge for line in by_text.lines]
    assert by_book.total == by_text.total == 126_500_000
    assert by_book.issued == by_text.issued == date(2026, 11, 2)
    assert by_text.lines[1].text == "Café"
    assert [line.at for line in by_text.lines] == ["line 5", "line 6", "line 7"]


def test_a_list_of_calls_is_known_by_its_headings(tmp_path):
    """Carriers' own names for columns, with times in two columns or one."""
    one = written(
        tmp_path,
        "CallID,Date,Time,Destination,Duration,Type,Cost\n"
        '7,31/10/2026,11:59:59 PM,1800121210/PBX,0:01:01,Mobile,"$1,234.50"\n',
        "one.csv",
    )
    two = written(
        tmp_path,
        "\ufeffcall_id\tStart Time\tCalled number\tseconds\tRate category\tCharge\n"
        "7\t2026-10-31T23:59:59\t+61 1800 121 210\t61\tMobile\t1234.50\n",
        "two.csv",
    )
    moment = int(datetime(2026, 10, 31, 23, 59, 59, tzinfo=ZoneInfo(SYDNEY)).timestamp())
    expected = (2, "7", moment, moment, "", "1800121210", "", 61, "Mobile", 1_234_500_000)
    assert calls_in(one) == calls_in(two) == [expected]


def test_mistakes_in_a_list_are_told_with_their_lines(tmp_path):
    """A heading with a slip, a column too few; then every line that cannot be read."""
    slip = written(tmp_path, "Call ID,Startd,Duration,Charge\n", "slip.csv")
    assert problems(slip) == [
        "line 1: the heading 'Startd' is not known (did you mean 'started'?)"
    ]
    few = written(tmp_path, "Started,Duration,Cost of call\n", "few.csv")
    assert problems(few) == [
        "line 1: a list of calls needs a column 'charge'",
        (
            "line 1: a list of calls needs a column 'call id', or a time ('started', or 'date' "
            "and 'time') and a number ('from', 'to' or 'number')"
        ),
    ]
    bad = written(
        tmp_path,
        "Call ID,Started,Duration,Charge\n1,31 Oct,5,0.10\n2,2026-10-31 10:00,5,free\n"
        "3,2026-10-31 10:00,long,1\n4,2026-10-31\n5,2026-10-31 10:00,5,1\n",
        "bad.csv",
    )
    with pytest.raises(ConfigError) as refused:
        calls_in(bad)
    assert sorted(line.split(", ", 1)[1] for line in refused.value.problems) == [
        "line 2: time '31 Oct' is not understood, as 2026-10-31 23:59:59 is",
        "line 3: charge 'free' is no dollars",
        "line 4: duration 'long' is neither seconds nor h:mm:ss",
        "line 5: 2 fields where there are 4",
    ]


def test_own_headings_can_be_named(tmp_path):
    """[columns] says which heading is which column; one that is not there is told."""
    written(tmp_path, "Ref,When,What,Total inc GST\n1,2026-10-05 10:00:00,Mobile,1.10\n", "c.csv")
    text = GOOD.replace("[categories]", '[columns]\nid = "Ref"\nstarted = "When"\n[categories]')
    text = text.replace("tolerance =", 'calls = "c.csv"\ntolerance =')
    good = text.replace("[columns]", '[columns]\ncharge = "Total inc GST"')
    read = invoice.load(written(tmp_path, good))
    assert read.listed is not None
    assert read.listed.columns == {"id", "started", "charge"}
    with pytest.raises(
        ConfigError, match=r"no heading 'Total inc' \(did you mean 'total inc gst'\?\)"
    ):
        invoice.load(
            written(tmp_path, text.replace("[columns]", '[columns]\ncharge = "Total inc"'))
        )


@pytest.mark.parametrize(
    "text", ["", "number = [[[", "line = 3", "calls = 7\n[categories]\nx = 3"]
)
def test_what_is_no_bill_is_refused(tmp_path, text):
    """Empty, broken and misshapen files are told in words."""
    with pytest.raises(ConfigError):
        invoice.load(written(tmp_path, text))


@pytest.mark.parametrize("name", ["gone.toml", "gone.csv", "gone.xlsx"])
def test_a_file_that_is_not_there_is_told(tmp_path, name):
    """In one line, whatever its form."""
    with pytest.raises(ConfigError, match="gone"):
        invoice.load(tmp_path / name)


@given(st.integers(-(10**12), 10**12))
def test_dollars_read_back_as_they_were_written(micros):
    """Plain, with thousands and a dollar sign, and in brackets for a minus."""
    value = dollars(micros)
    assert words.micros(plain(value)) == micros
    assert words.micros(f"${abs(value):,f}") == abs(micros)
    assert words.micros(f"({abs(value):f})") == -abs(micros)
    assert words.micros(value) == micros


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [("61", 61), ("1:01", 61), ("0:01:01", 61), (61.0, 61), (time(0, 1, 1), 61)],
)
def test_durations_in_every_form(cell, seconds):
    """Seconds, m:ss, h:mm:ss, and a workbook's own."""
    assert words.length(cell) == seconds
    assert words.length(timedelta(seconds=61)) == 61
    assert words.length(1.5) is None
    assert words.length("1h") is None


@given(st.integers(1_775_050_000, 1_799_900_000))
def test_a_local_time_is_one_of_the_moments_that_show_it(moment):
    """Also in the hour that comes twice; no other moment shows it."""
    local = moment + CLOCK.offset(moment)
    found = CLOCK.unixtimes(local)
    assert moment in found
    assert all(each + CLOCK.offset(each) == local for each in found)
    assert list(found) == sorted(set(found))
    assert len(found) <= 2


def test_the_hour_that_comes_twice_has_two_moments_and_the_lost_one_still_one():
    """Sydney, 5 April and 4 October 2026."""
    april = int(datetime(2026, 4, 5, 2, 30, tzinfo=UTC).timestamp())
    first, second = CLOCK.unixtimes(april)
    assert second - first == 3600
    october = int(datetime(2026, 10, 4, 2, 30, tzinfo=UTC).timestamp())
    (moment,) = CLOCK.unixtimes(october)
    assert f"{CLOCK.local(moment):%H:%M}" == "03:30"
