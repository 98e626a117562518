"""The report value: every figure comes from the ledger, and in its own kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from carriers import BRISBANE

from maxo_reports.core.checks import Check, Finding, State
from maxo_reports.core.heading import COST_BASIS, Heading
from maxo_reports.core.ledger import DIMENSIONS, MEASURES, NOTHING, Group, Intake, Ledger, Totals
from maxo_reports.core.period import parse_period
from maxo_reports.core.report import (
    CallLine,
    Definition,
    Kind,
    Report,
    Role,
    SectionSpec,
    Source,
    Table,
)
from maxo_reports.core.sections import ORDERS, SECTION_KINDS, build
from maxo_reports.errors import UsageError

PERIOD = parse_period("2026-10", BRISBANE, date(2026, 11, 20))
GROUPS = (
    Group(("Incoming", "Inbound", "0255500140"), Totals(5, 4, 0, 300, Decimal(0))),
    Group(("Local", "Outbound", "0255500140"), Totals(2, 2, 2, 60, Decimal("0.25"))),
    Group(("Mobile", "Outbound", "0255500140"), Totals(1, 1, 1, 30, Decimal("0.11"))),
    Group(("Mobile", "Outbound", "1300975707"), Totals(2, 2, 2, 90, Decimal("0.25"))),
)
DAYS = (
    (date(2026, 10, 1), Totals(10, 9, 5, 480, Decimal("0.61"))),
    (date(2026, 10, 2), NOTHING),
)
ALL = Totals(10, 9, 5, 480, Decimal("0.61"))


class _NoCalls:
    def __len__(self) -> int:
        return 0

    def lines(self) -> Iterator[CallLine]:
        return iter(())

    def foremost(self, measure: str, most: int) -> list[CallLine]:
        return []

    def called(self, direction: str) -> list[tuple[str, Totals]]:
        return []


def _source(ledger: Ledger | None = None, **more: Any) -> Source:
    heading = Heading(
        "acme", "Acme", PERIOD, State("settled"), "unknown", datetime(2026, 11, 4, 9, 0)
    )
    ledger = ledger or Ledger(GROUPS, DAYS, ALL, Intake(10, 10, 0, 0))
    return Source(heading, ledger, (), (), _NoCalls(), ("Connected.",), **more)


def _report(source: Source, *specs: SectionSpec) -> Report:
    return build(Definition("r", "R", ("xlsx",), "f", "t", specs), source)


def _spec(kind: str, **more: Any) -> SectionSpec:
    return SectionSpec(kind, kind, kind, ("xlsx", "pdf"), **more)


def _rows(report: Report) -> list[tuple[Any, ...]]:
    table = report.sections[0].table
    assert table is not None
    return [row.cells for row in table.rows]


def test_the_summary_shows_the_control_totals() -> None:
    """One row, of the measures asked for, from the scan that no grouping touched."""
    report = _report(_source(), _spec("summary", show=tuple(MEASURES)))
    assert _rows(report) == [("Total", 10, 9, 5, 480, Decimal("0.61"))]
    assert report.totals == ALL


def test_a_grouped_table_ends_in_the_control_totals() -> None:
    """Each group has its key and figures; the last row is the whole period's."""
    spec = _spec("groups", group_by=("category", "direction"), show=("calls", "cost"))
    report = _report(_source(), spec)
    assert _rows(report) == [
        ("Incoming", "Inbound", 5, Decimal(0)),
        ("Local", "Outbound", 2, Decimal("0.25")),
        ("Mobile", "Outbound", 3, Decimal("0.36")),
        ("Total", None, 10, Decimal("0.61")),
    ]
    table = report.sections[0].table
    assert table is not None
    assert [column.label for column in table.columns] == [
        *(DIMENSIONS["category"], DIMENSIONS["direction"], MEASURES["calls"], MEASURES["cost"])
    ]
    assert [row.role for row in table.rows] == [Role.ROW] * 3 + [Role.TOTAL]
    assert [row.key for row in table.rows[:3]] == [row.cells[:2] for row in table.rows[:3]]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", ["Incoming", "Local", "Mobile"]),
        ("cost", ["Mobile", "Local", "Incoming"]),
        ("calls", ["Incoming", "Mobile", "Local"]),
    ],
)
def test_groups_come_in_the_order_asked_for(order: str, names: list[str]) -> None:
    """By name, or the largest first; the order never changes the figures."""
    assert order in ORDERS
    report = _report(_source(), _spec("groups", group_by=("category",), order_by=order))
    assert [row[0] for row in _rows(report)] == [*names, "Total"]


def test_equal_costs_fall_back_on_calls_and_then_on_the_name() -> None:
    """The order is the same on every run, also where figures are equal."""
    groups = tuple(Group((n, "Inbound", "1"), Totals(1, cost=Decimal(1))) for n in ("b", "a", "c"))
    ledger = Ledger(groups, (), Totals(3, cost=Decimal(3)), Intake(3, 3, 0, 0))
    for order in ORDERS:
        report = _report(_source(ledger), _spec("groups", group_by=("category",), order_by=order))
        assert [row[0] for row in _rows(report)] == ["a", "b", "c", "Total"]


def test_every_day_of_the_period_has_a_row() -> None:
    """A day without calls shows zeros and is not left out."""
    report = _report(_source(), _spec("days", show=("calls", "cost")))
    assert _rows(report) == [
        (date(2026, 10, 1), 10, Decimal("0.61")),
        (date(2026, 10, 2), 0, Decimal(0)),
        ("Total", 10, Decimal("0.61")),
    ]


def test_cells_keep_their_kinds() -> None:
    """Numbers of telephones are text, durations seconds, money Decimal: nothing is formatted."""
    spec = _spec("groups", group_by=("service_number",), show=("calls", "seconds", "cost"))
    table = _report(_source(), spec).sections[0].table
    assert table is not None
    kinds = [column.kind for column in table.columns]
    assert kinds == [Kind.NUMBER, Kind.TEXT, Kind.COUNT, Kind.DURATION, Kind.MONEY]
    for row in table.rows[:-1]:
        assert [type(cell) for cell in row.cells] == [str, str, int, int, Decimal]


def test_a_number_is_kept_exactly_and_reads_with_spaces_beside_it() -> None:
    """In workbooks; a statement prints it with spaces itself."""
    spec = _spec("groups", group_by=("service_number",), show=("calls",))
    table = _report(_source(), spec).sections[0].table
    assert table is not None
    assert [column.is_in_print for column in table.columns] == [True, False, True]
    assert ("0255500140", "02 5550 0140") in {row.cells[:2] for row in table.rows}


@pytest.mark.parametrize(
    ("places", "printed"), [(0, 2), (1, 2), (2, 2), (3, 3), (4, 4), (5, 4), (6, 4)]
)
def test_costs_are_printed_as_fine_as_the_finest_call(places: int, printed: int) -> None:
    """Two calls at 0.055 add up to 0.11; the calls still need their third decimal."""
    ledger = Ledger(GROUPS, DAYS, ALL, Intake(10, 10, 0, 0), places)
    assert _report(_source(ledger)).places == printed


def test_sums_finer_than_the_calls_seem_are_printed_in_full() -> None:
    """Where only the groups are known, they decide."""
    fine = Group(("A", "Inbound", "1"), Totals(1, cost=Decimal("0.0275")))
    ledger = Ledger((fine,), (), fine.totals, Intake(1, 1, 0, 0))
    assert _report(_source(ledger)).places == 4


def test_findings_and_checks_are_shown_as_they_are() -> None:
    """Exceptions and Checks repeat the values, with PASS and FAIL in words."""
    source = replace(
        _source(),
        findings=(Finding("credit", "info", "call 1", "a credit", 1, Decimal("-0.25")),),
        checks=(Check("one", "1", "1"), Check("two", "1", "2")),
    )
    assert _rows(_report(source, _spec("exceptions"))) == [
        ("info", "credit", "call 1", "a credit", 1, Decimal("-0.25"))
    ]
    assert _rows(_report(source, _spec("checks"))) == [
        ("one", "1", "1", "PASS"),
        ("two", "1", "2", "FAIL"),
    ]


def test_an_empty_month_says_so_and_still_has_its_total() -> None:
    """Zero calls are zeros and a note, not an empty page."""
    empty = Ledger((), (), NOTHING, Intake(0, 0, 0, 0))
    spec = _spec("groups", group_by=("category",), show=("calls", "cost"))
    report = _report(_source(empty), spec)
    assert _rows(report) == [("Total", 0, Decimal(0))]
    assert report.sections[0].note
    assert report.places == 2


def test_the_itemised_list_is_streamed() -> None:
    """Its section has no table: a million rows are never held."""
    assert _report(_source(), _spec("itemised")).sections[0].table is None


def test_a_file_shows_the_sections_of_its_format() -> None:
    """Sections for other formats are left out."""
    only_pdf = replace(_spec("days"), formats=("pdf",))
    report = _report(_source(), _spec("summary"), only_pdf)
    assert [s.spec.kind for s in report.sections_for("xlsx")] == ["summary"]
    assert [s.spec.kind for s in report.sections_for("pdf")] == ["summary", "days"]


@pytest.mark.parametrize("kind", sorted(SECTION_KINDS))
def test_every_kind_of_section_can_be_filled(kind: str) -> None:
    """No kind that a definition may name fails when it is built."""
    dimensions = {"matrix": ("service_number", "category"), "itemised": ()}.get(
        kind, ("category",)
    )
    shown = ("cost",) if kind in {"matrix", "trend"} else ("calls", "cost")
    if kind in {"longest-calls", "dearest-calls"}:
        shown = ("started", "cost")
    charges = Table((), ()) if kind == "charges" else None
    report = _report(_source(charges=charges), _spec(kind, group_by=dimensions, show=shown))
    assert len(report.sections) <= 1


def test_a_report_for_clients_is_made_of_charges_alone() -> None:
    """Without them its calls would stand there at the price that they are bought for."""
    with pytest.raises(UsageError, match="'oncharge' makes it"):
        _report(_source(), _spec("charges"))


def test_gst_is_never_guessed() -> None:
    """Where it is not known whether costs include GST, the report says just that."""
    assert "not stated" in _source().heading.cost_basis
    assert "not included" in COST_BASIS["exclusive"]
    assert "not stated" not in COST_BASIS["inclusive"]
