"""Traps of bills: what people and spreadsheets write, and what must not be taken for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bills import CENT, END, START, Call, Line, compared, found_in, write_bill, write_list
from openpyxl import Workbook
from test_invoice import GOOD, calls_in, problems, written

from maxo_reports import invoice
from maxo_reports.core.bills import dispute, onebyone
from maxo_reports.core.bills.calibrate import calibrate
from maxo_reports.core.bills.onebyone import Result
from maxo_reports.core.changes import Change, Changes, Content
from maxo_reports.core.heading import Heading
from maxo_reports.core.period import LocalClock
from maxo_reports.errors import ConfigError
from maxo_reports.invoice import words
from reports import october

DAY = 86_400
ID_ONLY = "Call ID,Category,Charge\n"


def result_of(result: Any) -> Result:
    """Return what came of a comparison, as it is told."""
    clock = LocalClock.over("Australia/Brisbane", START - DAY, END + DAY)
    return Result(result.whole, result.checks, (), "", (), clock)


def heading() -> Heading:
    """Return a heading of somebody's month."""
    return october().heading


# ---- figures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0,25", "12,50", "1.234,50", "1,23", "12,3456", "1$25", ",5"])
def test_a_comma_marks_thousands_and_nothing_else(text: str) -> None:
    """A decimal comma would be a hundred times as much; it is not guessed at."""
    assert words.micros(text) is None


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1,234.50", 1_234_500_000),
        ("-$1,234,567.5", -1_234_567_500_000),
        ("$-0.25", -250_000),
        ("$ 12.50", 12_500_000),
        ("($0.25)", -250_000),
        (12.100000000000001, 12_100_000),
        (0.1 + 0.2, 300_000),
        (-1234.5, -1_234_500_000),
    ],
)
def test_dollars_as_people_and_workbooks_write_them(text: Any, micros: int) -> None:
    """With thousands, signs and brackets; a workbook's sum has dust beyond what it shows."""
    assert words.micros(text) == micros


def test_a_decimal_comma_in_a_list_is_told_and_not_read(tmp_path: Path) -> None:
    """As a list cut with semicolons has it."""
    text = "Call ID;Started;To;Duration;Charge\n1;2026-10-05 10:00;0491570006;60;0,25\n"
    with pytest.raises(ConfigError, match=r"line 2: charge '0,25' is no dollars"):
        calls_in(written(tmp_path, text, "c.csv"))


def test_an_id_and_a_bills_number_in_a_workbook_get_no_nought(tmp_path: Path) -> None:
    """Nine digits that begin as an area does are a telephone number only where one stands."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Call ID", "Started", "To", "Duration", "Charge"])
    sheet.append([234_567_890, "2026-10-05 10:00:00", 255_500_140, 60, 0.25])
    book.save(tmp_path / "c.xlsx")
    (only,) = calls_in(tmp_path / "c.xlsx")
    assert (only[1], only[5]) == ("234567890", "0255500140")
    table = Workbook()
    sheet = table.active
    assert sheet is not None
    for row in (
        ["Kind", "Text", "Charge"],
        ["number", 234_567_890, None],
        ["gst basis", "inclusive", None],
        ["total", None, 1.5],
        ["rental", "1300 number", 1.5],
    ):
        sheet.append(row)
    table.save(tmp_path / "b.xlsx")
    read = invoice.load(tmp_path / "b.xlsx").bill
    assert read is not None
    assert read.number == "234567890"


# ---- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('timezone = "Australia/Sydney"', 'timezone = ["x"]', "is not an IANA zone"),
        ("calls = 4", "calls = [4]", "is no whole number"),
        ("issued = 2026-11-02", "issued = 9999-12-31", "is no day"),
        ("from = ", 'calls = "c\\u0000.csv"\nfrom = ', "must name the file"),
        ("[categories]", "[columns]\nid = 1\n[categories]", "must be a heading in quotes"),
        ('"Mobile AU"', '"mobile  au", "Mobile AU"', "stands under two names"),
    ],
)
def test_a_bill_of_the_wrong_shape_is_told_in_words(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    """Lists for texts, days at the end of time, names that only capitals tell apart."""
    assert any(told in line for line in problems(written(tmp_path, GOOD.replace(old, new, 1))))


def test_a_table_says_each_fact_once(tmp_path: Path) -> None:
    """Of two totals neither is taken."""
    text = "kind,text,charge\nnumber,7,\ngst basis,inclusive,\ntotal,,9\ntotal,,10\nrental,x,10\n"
    assert problems(written(tmp_path, text, "b.csv")) == [
        "line 5: says 'total' again, after line 4"
    ]


def test_a_list_by_ids_alone_has_no_line_without_an_id(tmp_path: Path) -> None:
    """A total at its foot would be billed as one more call."""
    with pytest.raises(ConfigError, match="line 3: no call id"):
        calls_in(written(tmp_path, f"{ID_ONLY}1,Mobile,0.25\n,,0.25\n", "c.csv"))


# ---- classes ------------------------------------------------------------------------------------


def test_a_line_of_an_unknown_time_is_missing_and_not_late(tmp_path: Path) -> None:
    """A list by ids alone: nothing says that the call began before the period, or in 1970."""
    listed = written(tmp_path, f"{ID_ONLY}1,Mobile,0.25\n99,Mobile,3.00\n", "c.csv")
    result = compared(tmp_path, [Call("1", START + DAY)], None, listed)
    assert found_in(result) == {("missing", (("Mobile", 300 * CENT),), ""): 1}
    told = result_of(result)
    (row,) = onebyone.differences(told).rows
    assert row.cells[4] is None
    (line,) = dispute.tables(told)["missing.csv"].rows
    assert line.cells[4] is None


def test_a_line_of_an_unknown_time_is_of_the_month_of_its_record(tmp_path: Path) -> None:
    """Its record is in the archive, in the month before: late, by the record's own time."""
    listed = written(tmp_path, f"{ID_ONLY}1,Mobile,0.25\n7,Mobile,0.25\n", "c.csv")
    others = [Call("7", START - DAY)]
    result = compared(tmp_path, [Call("1", START + DAY)], None, listed, others=others)
    assert found_in(result) == {("late", (("Mobile", 25 * CENT),), "7"): 1}


def test_a_line_that_stands_twice_is_claimed_in_the_letter(tmp_path: Path) -> None:
    """A bill without a list: no call is behind it, but five dollars are."""
    calls = [Call(f"{n}", START + n * DAY, cost=50 * CENT) for n in range(1, 11)]
    line = ("calls", "Mobile", "Mobile", 10, 500 * CENT)
    bill = write_bill(tmp_path / "b.toml", [line, line])
    said = dispute.letter(heading(), result_of(compared(tmp_path, calls, bill)), "maxo-reports")
    assert "of the bill for Mobile: the same line stands twice" in said
    assert "Billed beyond the records in all: $5.00." in said
    assert "We found no" not in said


def test_a_line_for_all_calls_may_be_free_of_gst_beside_a_list(tmp_path: Path) -> None:
    """Then no call of the list is held against eleven tenths of its cost."""
    calls = [Call(f"{n}", START + n * DAY) for n in range(1, 4)]
    listed = write_list(tmp_path / "c.csv", [Line.of(call) for call in calls])
    bill = write_bill(
        tmp_path / "b.toml",
        [("calls", "Calls", "", 3, 75 * CENT, "gst_free = true")],
        gst="inclusive",
    )
    result = compared(tmp_path, calls, bill, listed)
    assert not result.whole.differences
    assert result.whole.passed


@pytest.mark.parametrize("with_list", [False, True])
def test_what_is_free_of_gst_says_nothing_of_the_costs_basis(
    tmp_path: Path, *, with_list: bool
) -> None:
    """Roaming is billed at its cost whether other costs include GST or not."""
    calls = [Call(f"{n}", START + n * DAY, category="Roaming", cost=99 * CENT) for n in range(28)]
    listed = write_list(tmp_path / "c.csv", [Line.of(call) for call in calls])
    line = ("calls", "Roaming", "Roaming", 28, 28 * 99 * CENT, "gst_free = true")
    bill = write_bill(tmp_path / "b.toml", [line])
    result = compared(tmp_path, calls, bill, listed if with_list else None, cost_gst="unknown")
    assert calibrate(result.taxed, "exclusive", result.pairs).looks == "unknown"


def test_a_credit_out_of_the_bills_month_takes_one_call_away(tmp_path: Path) -> None:
    """Two calls and a credit, which Perth has in the next month: the bill's line counts two."""
    calls = [
        Call("1", START + DAY),
        Call("2", START + 2 * DAY),
        Call("3", START + 3600, cost=-10 * CENT),
    ]
    bill = write_bill(
        tmp_path / "b.toml",
        [("calls", "Handy", "Handy", 2, 50 * CENT)],
        timezone="Australia/Perth",
    )
    result = compared(tmp_path, calls, bill)
    assert found_in(result) == {
        ("boundary", (("Mobile", 10 * CENT),), "3"): 1,
        ("re-labelled", (("Handy", 50 * CENT), ("Mobile", -50 * CENT)), ""): 1,
    }


def test_a_record_that_is_gone_out_of_the_bills_month_is_not_missed(tmp_path: Path) -> None:
    """It began before the bill's month did, so the bill never had it."""
    kept, gone = Call("1", START + DAY), Call("2", START + 3600)
    content = Content(
        gone.unixtime, "Outbound", gone.a_party, gone.to, "Mobile", "Connected.", 60, 250_000, ""
    )
    changes = Changes(1, (Change("removed", "2", content, None),))
    bill = write_bill(
        tmp_path / "b.toml",
        [("calls", "Mobile", "Mobile", 1, 25 * CENT)],
        timezone="Australia/Perth",
    )
    result = compared(tmp_path, [kept], bill, changes=changes)
    assert not result.whole.differences
    assert result.whole.passed
