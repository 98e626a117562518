"""Calls worth a look: the first few of many, and a table of destinations that adds up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbooks import line, report_of

from maxo_reports.core.ledger import Totals, total
from maxo_reports.core.report import CallLine, Report, Role, Row, SectionSpec
from reports import with_sections

SHOW = ("calls", "connected", "charged", "seconds", "cost")
DESTINATIONS = SectionSpec(
    "top-destinations", "Top", "Top", ("xlsx",), show=SHOW, order_by="cost", most=3
)
CALL_SHOW = ("started", "b_party", "category", "seconds", "cost")


def built(lines: list[CallLine], *specs: SectionSpec) -> Report:
    """Build a report of some calls."""
    return report_of(lines, definition=with_sections(*specs))


def figures(row: Row) -> Totals:
    """Return the figures of a row of destinations."""
    return Totals(*row.cells[1:])  # type: ignore[arg-type]


numbers = st.sampled_from(
    ["0255500140", "+61255500140", "0255500140/PBX", "0491570006", "anonymous", "", "+6421", "x"]
)
calls = st.lists(
    st.builds(
        lambda n, number, direction, seconds, cost: line(
            n, b_party=number, direction=direction, seconds=seconds, cost=cost
        ),
        st.integers(0, 10_000),
        numbers,
        st.sampled_from(["Outbound", "Outbound", "Inbound", "sideways"]),
        st.sampled_from([None, 0, 30, 61]),
        st.sampled_from([None, 0, 250_000, -10_000]),
    ),
    max_size=30,
    unique_by=lambda each: each.call_id,
)


@settings(max_examples=60, deadline=None)
@given(calls, st.sampled_from(["cost", "calls", "name"]), st.integers(1, 9))
def test_a_table_of_destinations_adds_up(lines: list[CallLine], order: str, most: int) -> None:
    """Law: its rows, all others among them, are the outbound calls; and a check says so."""
    report = built(lines, replace(DESTINATIONS, order_by=order, most=most))
    (section,) = report.sections
    assert section.table is not None
    *rows, last = section.table.rows
    assert last.role is Role.TOTAL
    assert total(map(figures, rows)) == figures(last)
    outbound = [each for each in lines if each.direction == "Outbound"]
    assert figures(last).calls == len(outbound)
    assert figures(last).cost == Decimal(sum(c.cost or 0 for c in outbound)) / 10**6
    assert len(rows) <= most + 1
    assert [check.passed for check in report.checks if "numbers called" in check.title] == [True]


def test_one_number_in_three_spellings_is_one_destination() -> None:
    """With its route, from abroad or as it is dialled; a withheld one is named so."""
    spelt = ["0255500140", "+61255500140", "0255500140/PBX", "anonymous"]
    lines = [line(n, b_party=text, direction="Outbound") for n, text in enumerate(spelt)]
    (section,) = built(lines, replace(DESTINATIONS, order_by="calls")).sections
    assert section.table is not None
    assert [row.cells[:2] for row in section.table.rows] == [
        ("0255500140", 3),
        ("(no number)", 1),
        ("Total", 4),
    ]


def test_what_does_not_fit_is_one_row() -> None:
    """So that a reader sees how much of the whole the first few are."""
    lines = [
        line(n, b_party=f"02555001{n:02}", direction="Outbound", cost=1_000_000 - n)
        for n in range(8)
    ]
    (section,) = built(lines, DESTINATIONS).sections
    assert section.table is not None
    assert [row.cells[0] for row in section.table.rows] == [
        *("0255500100", "0255500101", "0255500102", "5 other numbers", "Total")
    ]


@pytest.mark.parametrize(("kind", "measure"), [("longest-calls", 3), ("dearest-calls", 4)])
def test_the_foremost_calls_stand_from_the_greatest_down(kind: str, measure: int) -> None:
    """A call without the measure is none of them; a credit is not dear."""
    lines = [
        line(1, seconds=60, cost=10_000),
        line(2, seconds=None, cost=None),
        line(3, seconds=0, cost=-990_000),
        line(4, seconds=3_600, cost=5_000_000),
        line(5, seconds=61, cost=20_000),
    ]
    spec = SectionSpec(kind, "Calls", "Calls", ("xlsx",), show=CALL_SHOW, most=2)
    (section,) = built(lines, spec).sections
    assert section.table is not None
    found = [row.cells[measure] for row in section.table.rows]
    assert found == ([3_600, 61] if measure == 3 else [Decimal(5), Decimal("0.02")])
    assert "local to Australia/Sydney" in section.note


def test_a_month_without_any_says_why() -> None:
    """No calls at all, or none that lasted, or none that cost."""
    spec = SectionSpec("dearest-calls", "D", "D", ("xlsx",), show=CALL_SHOW)
    other = replace(spec, kind="longest-calls", title="L", sheet="L")
    assert [s.note for s in built([], spec).sections] == ["No calls in this period."]
    free = [line(1, seconds=0, cost=0)]
    notes = [s.note for s in built(free, spec, other, DESTINATIONS).sections]
    assert notes[:2] == ["No call has a cost.", "No call has a duration."]
