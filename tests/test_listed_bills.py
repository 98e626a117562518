"""Bills that list their calls: what each line and each record becomes, one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import bills
import pytest
from bills import (
    BEFORE,
    CENT,
    END,
    REPLY,
    START,
    Call,
    Line,
    compared,
    found_in,
    write_bill,
    write_list,
)
from openpyxl import Workbook
from test_summed_bills import changed

from maxo_reports.archive import matching
from maxo_reports.core.bills.calibrate import calibrate
from maxo_reports.core.bills.reconcile import hint
from maxo_reports.core.changes import Changes
from maxo_reports.core.period import parse_period
from maxo_reports.errors import UsageError

DAY = 86_400


def test_the_nearest_line_has_the_record_and_the_others_are_twins(tmp_path):
    """By id: of three lines the one with the record's dollars; the rest stand twice."""
    call = Call("1", START + DAY)
    lines = [Line.of(call, charge=CENT), Line.of(call), Line.of(call, charge=2 * CENT)]
    result = compared(tmp_path, [call], None, write_list(tmp_path / "c.csv", lines))
    assert found_in(result) == Counter(
        {
            ("duplicate", (("Mobile", CENT),), "1"): 1,
            ("duplicate", (("Mobile", 2 * CENT),), "1"): 1,
        }
    )
    said = [each.evidence for each in result.whole.differences]
    assert said == ["the same call as line 3 of the list"] * 2


def test_two_calls_of_one_number_in_one_second_are_two(tmp_path):
    """As many lines as records: none is taken for a duplicate, one more is."""
    calls = [Call(f"{n}", START + DAY) for n in range(3)]
    lines = [Line.of(call, call_id="") for call in calls]
    listed = write_list(tmp_path / "c.csv", lines)
    assert not compared(tmp_path, calls, None, listed).whole.differences
    listed = write_list(tmp_path / "more.csv", [*lines, lines[0]])
    (one,) = compared(tmp_path / "b", calls, None, listed).whole.differences
    assert one.kind == "duplicate"


@pytest.mark.parametrize(("apart", "pairs"), [(-2, 1), (2, 1), (3, 0), (-3, 0)])
def test_times_may_be_two_seconds_apart(tmp_path, apart, pairs):
    """And no more, on either side."""
    call = Call("1", START + DAY)
    line = Line.of(call, call_id="", unixtime=call.unixtime + apart)
    result = compared(tmp_path, [call], None, write_list(tmp_path / "c.csv", [line]))
    assert result.matched is not None
    assert result.matched.by_time == pairs


@pytest.mark.parametrize("other", [{"seconds": 61}, {"to": "0491570110"}])
def test_another_duration_or_number_is_another_call(tmp_path, other):
    """One is missing, the other extra, each with its evidence."""
    call = Call("1", START + DAY)
    line = replace(Line.of(call, call_id=""), **other)
    result = compared(tmp_path, [call], None, write_list(tmp_path / "c.csv", [line]))
    assert {each.kind for each in result.whole.differences} == {"missing", "extra"}


def test_a_route_or_a_country_code_does_not_make_another_number(tmp_path):
    """Numbers are compared as people dial them."""
    call = Call("1", START + DAY, to="1800121210/PBX")
    line = Line.of(call, call_id="", to="+61 1800 121 210")
    result = compared(tmp_path, [call], None, write_list(tmp_path / "c.csv", [line]))
    assert not result.whole.differences


def test_a_rounded_charge_is_rounding_only_where_the_cost_needs_it(tmp_path):
    """A cost of whole cents that is billed by a cent less was re-rated."""
    calls = [Call("1", START + 1, cost=123_400), Call("2", START + 2, cost=120_000)]
    lines = [Line.of(calls[0], charge=120_000), Line.of(calls[1], charge=110_000)]
    result = compared(tmp_path, calls, None, write_list(tmp_path / "c.csv", lines))
    assert found_in(result) == Counter(
        {
            ("rounding", (("Mobile", -3_400),), ""): 1,
            ("re-rated", (("Mobile", -10_000),), "2"): 1,
        }
    )


def test_a_line_of_an_earlier_month_is_late_only_with_a_record_or_a_blind_archive(tmp_path):
    """Where the archive has that month whole, a line without a record is missing."""
    call, old = Call("1", START), Call("old", BEFORE.start + DAY)
    lines = [Line.of(call), Line.of(old)]
    listed = write_list(tmp_path / "c.csv", lines)
    kinds = {
        case: [each.kind for each in compared(tmp_path / case, [call], None, listed, others=others)
               .whole.differences]
        for case, others in {"record": [old], "none": [], "blind": None}.items()
    }  # fmt: skip
    assert kinds == {"record": ["late"], "none": ["missing"], "blind": ["late"]}


def test_a_record_that_came_after_the_bill_is_late_and_not_extra(tmp_path):
    """The archive proves that it was not there yet."""
    call, late = Call("1", START), Call("2", START + 1)
    listed = write_list(tmp_path / "c.csv", [Line.of(call)])
    changes = Changes(1, (changed(late, None, late),))
    result = compared(tmp_path, [call, late], None, listed, changes=changes)
    assert [each.kind for each in result.whole.differences] == ["late"]
    assert (
        compared(tmp_path / "b", [call, late], None, listed).whole.differences[0].kind == "extra"
    )


def test_every_record_comes_with_the_reply_that_it_is_in(tmp_path):
    """So that the carrier's own words can be shown."""
    call = Call("1", START)
    result = compared(tmp_path, [call], None, write_list(tmp_path / "c.csv", [Line.of(
        call, charge=CENT)]))  # fmt: skip
    (one,) = result.whole.differences
    assert one.called is not None
    assert one.called.reply == REPLY


def test_a_list_of_cents_and_its_line_may_differ_by_less_than_a_cent(tmp_path):
    """The line is the list rounded; a cent more is unexplained."""
    call = Call("1", START, cost=123_400)
    listed = write_list(tmp_path / "c.csv", [Line.of(call)])
    for charge, left in ((120_000, 0), (130_000, 6_600)):
        bill = write_bill(tmp_path / "b.toml", [("calls", "M", "Mobile", 1, charge)])
        result = compared(tmp_path / f"{charge}", [call], bill, listed)
        assert result.whole.unexplained == left


def test_one_line_for_all_calls_is_shared_out_as_the_list_has_it(tmp_path):
    """What the list does not come to stays with the line."""
    calls = [Call("1", START), Call("2", START + 9, category="Local", cost=500_000)]
    listed = write_list(tmp_path / "c.csv", [Line.of(call) for call in calls])
    bill = write_bill(tmp_path / "b.toml", [("calls", "Usage", "", 2, 760_000)])
    rows = {row.name: row for row in compared(tmp_path, calls, bill, listed).whole.rows}
    assert {name: (row.billed, row.unexplained) for name, row in rows.items()} == {
        "Local": (500_000, 0),
        "Mobile": (250_000, 0),
        "(all calls)": (10_000, 10_000),
    }


def test_free_records_need_no_line_and_a_charged_one_does(tmp_path):
    """A record without a charge is counted, and is no difference."""
    calls = [Call("1", START, cost=0), Call("2", START + 5)]
    listed = write_list(tmp_path / "c.csv", [Line.of(calls[1])])
    result = compared(tmp_path, calls, None, listed)
    assert result.matched is not None
    assert (result.matched.free, result.whole.differences) == (1, ())


def test_a_cost_that_cannot_be_read_explains_nothing(tmp_path):
    """Such a record is matched, and what is billed for it stays unexplained, with a hint."""
    calls = [Call("1", START, readable=False, cost=0), Call("2", START + 5)]
    lines = [Line.of(calls[0], charge=30 * CENT), Line.of(calls[1])]
    result = compared(tmp_path, calls, None, write_list(tmp_path / "c.csv", lines))
    assert result.whole.differences == ()
    (row,) = result.whole.rows
    assert (row.unexplained, hint(row)) == (30 * CENT, "records whose cost cannot be read")


def test_a_list_of_other_calls_altogether_is_refused(tmp_path, monkeypatch):
    """With what there is of each, rather than a pack that nobody could read."""
    monkeypatch.setattr(matching, "MOST_DIFFERENCES", 3)
    calls = [Call(f"{n}", START + n * DAY) for n in range(2)]
    lines = [Line.of(call, call_id="", seconds=7) for call in calls]
    with pytest.raises(UsageError, match="2 have none, 2 charged records have no line"):
        compared(tmp_path, calls, None, write_list(tmp_path / "c.csv", lines))


def test_a_line_below_nought_with_a_calls_id_is_its_credit(tmp_path):
    """It gives the call back; it does not bill it twice."""
    call = Call("1", START)
    lines = [Line.of(call), Line.of(call, charge=-call.cost)]
    result = compared(tmp_path, [call], None, write_list(tmp_path / "c.csv", lines))
    assert found_in(result) == Counter({("credit", (("Mobile", -call.cost),), "1"): 1})


def test_the_hour_that_comes_twice_is_read_either_way(tmp_path):
    """Sydney, April 2026: a line at 02:30 is either of two calls, or both are there."""
    first = int(datetime(2026, 4, 4, 15, 30, tzinfo=UTC).timestamp())
    assert datetime.fromtimestamp(first, ZoneInfo("Australia/Sydney")).hour == 2

    april = parse_period("2026-04", "Australia/Sydney", date(2026, 12, 1))
    calls = [Call("1", first), Call("2", first + 3600)]
    lines = [Line.of(call, call_id="") for call in calls]
    listed = write_list(tmp_path / "c.csv", lines, "Australia/Sydney")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bills, "PERIOD", april)
        patch.setattr(bills, "START", april.start)
        patch.setattr(bills.store, "__defaults__", (april,))
        result = compared(tmp_path, calls, None, listed)
    assert result.matched is not None
    assert (result.matched.by_time, result.whole.differences) == (2, ())


def test_a_workbook_may_list_the_calls(tmp_path):
    """With its own dates, durations and numbers."""
    call = Call("7", START + DAY, to="0731235300", seconds=61, cost=1_100_000)
    book = Workbook()
    book.active.append(["Date/Time", "Number", "Duration", "Charge"])
    local = datetime.fromtimestamp(call.unixtime, ZoneInfo("Australia/Brisbane"))
    moment = local.replace(tzinfo=None)
    # A number that the workbook took for one has lost its nought.
    book.active.append([moment, 731235300, 61, 1.1])
    book.save(tmp_path / "calls.xlsx")
    result = compared(tmp_path, [call], None, tmp_path / "calls.xlsx")
    assert result.matched is not None
    assert (result.matched.by_time, result.whole.differences) == (1, ())


@pytest.mark.parametrize("cost_gst", ["inclusive", "exclusive"])
def test_matched_calls_tell_what_the_cost_is_whatever_else_is_wrong(tmp_path: Path, cost_gst):
    """Also where the bill lists other calls besides, and too much of everything."""
    calls = [Call(f"{n}", START + n * 60, cost=500_000 + n) for n in range(40)]
    times, over = (10, 11) if cost_gst == "inclusive" else (1, 1)
    lines = [Line.of(call, charge=(call.cost * times * 2 + over) // (2 * over)) for call in calls]
    lines += [Line.of(Call(f"x{n}", END - 60 - n), charge=CENT) for n in range(5)]
    listed = write_list(tmp_path / "c.csv", lines)
    sums = sum(line.charge for line in lines)
    bill = write_bill(tmp_path / "b.toml", [("calls", "All", "", None, sums)])
    result = compared(tmp_path, calls, bill, listed, cost_gst="unknown")
    seen = calibrate(result.whole.rows, "exclusive", result.pairs)
    assert (seen.looks, seen.confidence) == (cost_gst, "strong")
    assert seen.pairs.compared == 40


def test_a_bill_that_is_near_neither_tells_nothing(tmp_path):
    """Half as much again is no GST."""
    calls = [Call("1", START, cost=10_000_000)]
    bill = write_bill(tmp_path / "b.toml", [("calls", "All", "", None, 15_000_000)])
    result = compared(tmp_path, calls, bill, cost_gst="unknown")
    seen = calibrate(result.whole.rows, "exclusive", result.pairs)
    assert (seen.looks, seen.confidence, f"{seen.ratio}") == ("unknown", "none", "1.5000")
