"""Matrices, sheets for each number, months side by side, filters: every figure adds up."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from workbooks import NOON, OCTOBER, leaves, ledger_of, line, report_of

from maxo_reports.core.ledger import Totals
from maxo_reports.core.period import months_before, parse_period
from maxo_reports.core.report import Earlier, Kind, Report, Role, SectionSpec, Table
from maxo_reports.core.sections import build
from maxo_reports.core.where import Condition, Where
from reports import with_sections

STATUSES = ("Connected.",)
CHARGED = Where((Condition("charged", values=True),))
CALLS = [
    line(
        n,
        cost=(n % 4) * 10_000,
        seconds=n,
        started=NOON + 3_600 * n,
        service_number=f"02555001{n % 7:02}",
        category=f"Category {n % 20:02}",
        direction=("Inbound", "Outbound")[n % 2],
        status=("Connected.", "Busy.")[n % 3 == 0],
    )
    for n in range(200)
]


def spec(kind: str, **more: object) -> SectionSpec:
    """Make a section for the workbook."""
    return SectionSpec(kind, kind, kind, ("xlsx",), **more)  # type: ignore[arg-type]


def table_of(*specs: SectionSpec, **more: object) -> tuple[Report, Table]:
    """Build a report of the calls and return it with its first table."""
    report = report_of(CALLS, definition=with_sections(*specs), **more)  # type: ignore[arg-type]
    table = report.sections[0].table
    assert table is not None
    return report, table


# ---- matrices -----------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", ["calls", "connected", "charged", "seconds", "cost"])
def test_a_matrix_adds_up_both_ways(measure):
    """Rows, columns and the whole come from groupings of their own, and agree."""
    report, table = table_of(
        spec("matrix", group_by=("service_number", "category"), show=(measure,))
    )
    whole = getattr(report.totals, measure)
    *rows, last = table.rows
    assert last.role is Role.TOTAL
    assert last.cells[-1] == whole
    assert sum(last.cells[1:-1]) == whole
    assert sum(row.cells[-1] for row in rows) == whole
    for row in rows:
        assert sum(row.cells[1:-1]) == row.cells[-1]
    for place in range(1, len(table.columns)):
        assert sum(row.cells[place] for row in rows) == last.cells[place]
    assert table.columns[-1].key == measure


def test_a_matrix_of_many_columns_adds_the_smallest_up():
    """Twenty categories are sixteen columns and the four others in one; nothing is dropped."""
    report, table = table_of(
        spec("matrix", group_by=("service_number", "category"), show=("cost",))
    )
    assert len(table.names) == 16
    assert [column.label for column in table.columns[-2:]] == ["4 others", "Total"]
    assert "The 4 columns with the least" in report.sections[0].note
    shown = {name: table.rows[-1].cells[at] for at, name in enumerate(table.names, 1)}
    assert list(shown.values()) == sorted(shown.values(), reverse=True)
    assert table.rows[-1].cells[-2] <= min(shown.values()) * 4


def test_a_matrix_without_calls_says_so():
    """A heading, a total of nought and a note."""
    what = spec("matrix", group_by=("category", "direction"), show=("cost",))
    report = report_of([], definition=with_sections(what))
    section = report.sections[0]
    assert section.table is not None
    assert [row.cells for row in section.table.rows] == [("Total", Decimal(0))]
    assert section.note == "No calls in this period."


# ---- a sheet for each number --------------------------------------------------------------------


@pytest.mark.parametrize(("most", "own"), [(100, 7), (7, 7), (3, 3), (1, 1)])
def test_each_number_has_a_sheet_and_the_rest_share_one(most, own):
    """All numbers are in the index, all calls on a sheet, in the sheets' order."""
    report, table = table_of(
        spec("itemised", show=("call_id", "cost"), each=True, sheets=most), spec("summary")
    )
    section = report.sections[0]
    *rows, last = table.rows
    assert [row.cells[0] for row in rows] == sorted({c.service_number for c in CALLS})
    assert sum((part.totals for part in section.parts), Totals()) == report.totals
    assert last.cells[3:] == (200, *(getattr(report.totals, m) for m in _MEASURES[1:]))
    assert len(section.parts) == own + (own < 7)
    calls = list(report.calls_of(section).lines())
    assert len(calls) == 200
    at = 0
    for part in section.parts:
        some = calls[at : at + part.totals.calls]
        at += part.totals.calls
        named = {row.cells[0] for row in rows if row.cells[2] == part.sheet}
        assert {each.service_number for each in some} == named
    if own < 7:
        assert section.parts[-1].title == "Other numbers"
        assert f"The first {own} numbers" in section.note
        assert f"the other {7 - own} share" in section.note


_MEASURES = ("calls", "connected", "charged", "seconds", "cost")


def test_numbers_that_make_no_sheet_get_a_legal_name():
    """Texts of the carrier's, of a caller's choosing, or named like another section."""
    odd = ["a/b", "a:b", "Summary", "History", "", "x" * 50, "(none)"]
    lines = [line(n, service_number=number) for n, number in enumerate(odd)]
    what = with_sections(spec("itemised", show=("call_id",), each=True), spec("summary"))
    what = replace(what, sections=(what.sections[0], replace(what.sections[1], sheet="Summary")))
    section = report_of(lines, definition=what).sections[0]
    sheets = [part.sheet.casefold() for part in section.parts]
    assert len(set(sheets)) == len(odd)
    assert "summary" not in sheets
    assert "history" not in sheets


def test_numbers_are_read_spaced_beside_their_exact_text():
    """The cell that filters and lookups see keeps the text."""
    _, table = table_of(spec("itemised", show=("call_id",), each=True))
    assert [column.label for column in table.columns[:3]] == [
        "Service number",
        "Reads as",
        "Sheet",
    ]
    assert table.columns[0].kind is Kind.NUMBER
    assert table.rows[0].cells[:2] == ("0255500100", "02 5550 0100")


# ---- filters ------------------------------------------------------------------------------------


def test_a_filtered_report_is_of_the_filter_with_the_whole_beside_it():
    """Totals, groups, days and calls are those that it leaves; it says so in words."""
    kinds = ("summary", "groups", "days", "itemised", "checks")
    specs = [
        spec(
            kind,
            group_by=("category",) if kind == "groups" else (),
            show=("call_id", "cost") if kind == "itemised" else ("calls", "cost"),
        )
        for kind in kinds
    ]
    definition = replace(with_sections(*specs), where=CHARGED)
    report = report_of(CALLS, definition=definition)
    kept = [each for each in CALLS if leaves(CHARGED, each, STATUSES)]
    control = ledger_of(kept, STATUSES).control
    whole = ledger_of(CALLS, STATUSES).control
    assert report.totals == control
    assert [each.call_id for each in report.calls.lines()] == [each.call_id for each in kept]
    assert f"only charged calls. {len(kept)} of {len(CALLS)} calls" in report.filtered
    assert f"${control.cost:.4f} of ${whole.cost:.4f}" in report.filtered
    summary, groups, days, _, checks = (section.table for section in report.sections)
    for table in (summary, groups, days):
        assert table is not None
        assert table.rows[-1].cells[-2:] == (control.calls, control.cost)
    assert all(s.filtered == report.filtered for s in report.sections[:4])
    assert report.sections[4].filtered == ""
    assert "Of all calls of the period." in report.sections[4].note
    assert checks is not None
    assert [row.cells[3] for row in checks.rows] == ["PASS"] * len(checks.rows)
    said = [row.cells[0] for row in checks.rows]
    assert "Only charged calls: these and all others = control totals" in said


def test_a_section_can_be_filtered_alone():
    """The report stays whole; the section says what it is of."""
    alone = replace(spec("groups", group_by=("category",), show=("calls",)), where=CHARGED)
    report, table = table_of(alone, spec("summary"))
    assert report.totals.calls == 200
    assert report.filtered == ""
    assert table.rows[-1].cells[-1] == 150
    assert report.totals_of(report.sections[0]).calls == 150
    assert "150 of 200 calls" in report.sections[0].filtered


def test_a_filter_that_loses_a_call_fails_its_check():
    """What it leaves and what it leaves out must come to the whole."""
    definition = replace(with_sections(spec("summary", show=("calls",))), where=CHARGED)
    report = report_of(CALLS, definition=definition)
    assert all(check.passed for check in report.checks)

    def liar(where, by_number):
        view = _honest(where, by_number)
        return replace(view, rest=replace(view.rest, calls=view.rest.calls - 1))

    source, _honest = _source_of(definition)
    found = build(definition, replace(source, select=liar)).checks
    assert [check.title for check in found if not check.passed] == [
        "Only charged calls: these and all others = control totals"
    ]


def _source_of(definition):
    """Return what a report of the calls is filled from, and its selector."""
    import workbooks

    caught = []
    real = workbooks.build
    try:
        workbooks.build = lambda d, source: caught.append(source) or real(d, source)
        report_of(CALLS, definition=definition)
    finally:
        workbooks.build = real
    return caught[0], caught[0].select


# ---- months side by side ------------------------------------------------------------------------


def months(lacking: dict[str, str]) -> list[Earlier]:
    """Return the twelve months before October 2026, each with as many calls as its number."""
    found = []
    for month in months_before(OCTOBER, 12):
        state = lacking.get(month.label, "whole")
        lines = CALLS[: month.first.month * 3]
        select = (lambda _, lines=lines: ledger_of(lines, STATUSES)) if state == "whole" else None
        found.append(Earlier(month, state, select))
    return found


def test_a_trend_names_every_month_and_guesses_none():
    """Thirteen rows; a month without figures has none, and no change is worked out over it."""
    lacking = {"2026-01": "not in the archive", "2026-05": "pulled before its end"}
    report, table = table_of(spec("trend", show=("calls", "cost")), earlier=months(lacking))
    rows = {row.cells[0]: row.cells for row in table.rows}
    assert next(iter(rows)) == "2025-10"
    assert list(rows)[-1] == "2026-10"
    assert len(rows) == 13
    assert rows["2026-01"] == ("2026-01", "not in the archive", None, None, None)
    assert rows["2026-05"][1:] == ("pulled before its end", None, None, None)
    assert rows["2026-02"][2] == 6
    assert rows["2026-02"][4] is None
    assert rows["2026-03"][4] == rows["2026-03"][3] - rows["2026-02"][3]
    assert rows["2026-10"][2:4] == (200, report.totals.cost)
    assert "not in the archive: 2026-01" in report.sections[0].note
    assert "pulled before its end: 2026-05" in report.sections[0].note


def test_a_trend_of_groups_has_a_column_a_month():
    """Its total row is each month's own control total."""
    what = spec("trend", group_by=("category",), show=("calls",))
    report, table = table_of(what, earlier=months({"2026-01": "not in the archive"}))
    assert next(column.label for column in table.columns) == "Rate category"
    assert len(table.columns) == 14
    last = table.rows[-1].cells
    assert last[4] is None
    assert last[-1] == report.totals.calls
    for place in (1, 2, 3, *range(5, 14)):
        assert sum(row.cells[place] for row in table.rows[:-1]) == last[place]


def test_a_period_that_is_no_month_is_compared_with_none():
    """No month before it is made up."""
    report, table = table_of(spec("trend", show=("cost",)))
    assert len(table.rows) == 1
    assert "not one month" in report.sections[0].note


@pytest.mark.parametrize(
    ("text", "billing_day", "first"),
    [
        ("2026-10", 1, "2025-10"),
        ("2026-03", 15, "2025-03"),
        ("2026-10-01..2026-11-01", 1, "2025-10"),
    ],
)
def test_the_months_before_follow_each_other(text, billing_day, first):
    """Twelve, on the account's own day, without gap or overlap, up to the period."""
    period = parse_period(text, "Australia/Sydney", date(2026, 11, 20), billing_day)
    found = months_before(period, 12)
    assert found[0].label == first
    edges = [*found, period]
    for one, other in itertools.pairwise(edges):
        assert (one.until, one.end) == (other.first, other.start)


@pytest.mark.parametrize("text", ["2026-10-02..2026-11-01", "2026-10-01..2026-10-08"])
def test_other_spans_have_no_months_before(text):
    """A week or a part of a month is not compared with months."""
    assert months_before(parse_period(text, "Australia/Sydney", date(2026, 11, 20)), 12) == ()
