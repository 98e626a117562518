"""A reconciliation's lines one by one: differences, the bill as read, the edges, checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from maxo_reports.core.bills.bill import LINE_KINDS
from maxo_reports.core.bills.differences import CLASSES, Called, Difference
from maxo_reports.core.bills.reconcile import Reconciliation, hint
from maxo_reports.core.bills.reconcile import Row as Line
from maxo_reports.core.checks import Check
from maxo_reports.core.money import dollars, printed_places
from maxo_reports.core.period import LocalClock
from maxo_reports.core.report import Cell, Column, Kind, Role, Row, Table


class Edge(NamedTuple):
    """A charged call that falls in another month in other zones, which are named."""

    called: Called
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """All that is said of a reconciliation: figures, checks, calls at the month's edges.

    ``how`` says in words how calls were matched; ``notes`` are what a person should know.
    """

    whole: Reconciliation
    checks: tuple[Check, ...]
    edges: tuple[Edge, ...]
    how: str
    notes: tuple[str, ...]
    clock: LocalClock

    @property
    def unexplained(self) -> tuple[tuple[Line, str], ...]:
        """The rows of which something is unexplained, and what each looks like."""
        return tuple((row, hint(row)) for row in self.whole.rows if row.unexplained)

    @property
    def verdict(self) -> str:
        """One sentence: whether what is unexplained is little enough."""
        whole = self.whole
        word = "PASS" if whole.passed else "FAIL"
        if not whole.unexplained:
            return f"{word}: every cent between calls and bill is explained."
        left, allowed = (_printed(micros) for micros in (whole.unexplained, whole.allowed))
        return f"{word}: {left} is unexplained, {allowed} is allowed."


def _printed(micros: int) -> str:
    value = dollars(micros)
    return f"${value:,.{printed_places([value])}f}"


_ONE_BY_ONE = (
    Column("class", "Class", Kind.TEXT),
    Column("category", "Category", Kind.TEXT),
    Column("call_id", "ID of the record", Kind.ID),
    Column("bill_line", "Bill", Kind.TEXT),
    Column("started", "Began", Kind.MOMENT),
    Column("a_party", "From", Kind.NUMBER),
    Column("b_party", "To", Kind.NUMBER),
    Column("seconds", "Length", Kind.DURATION),
    Column("cost", "Cost of the record", Kind.MONEY),
    Column("billed", "Billed", Kind.MONEY),
    Column("calls", "Calls", Kind.COUNT),
    Column("dollars", "Dollars", Kind.MONEY),
    Column("message", "Evidence", Kind.TEXT),
)


def differences(result: Result) -> Table:
    """Return every difference, by class; one that moves dollars between rows has two lines."""
    order = {kind: at for at, kind in enumerate(CLASSES)}
    rows = []
    for each in sorted(result.whole.differences, key=lambda each: order[each.kind]):
        for at, (name, micros) in enumerate(each.moves, 1):
            calls = each.calls if at == len(each.moves) else 0
            cells = (each.kind, name, *_call(each, result.clock), calls, dollars(micros))
            rows.append(Row((*cells, each.evidence)))
    return Table(_ONE_BY_ONE, tuple(rows))


def _call(each: Difference, clock: LocalClock) -> tuple[Cell, ...]:
    """Return the call that a difference is about, as far as it is one."""
    called, billed = each.called, each.billed
    at = each.at or (f"call on line {billed.line}" if billed else "")
    either = called or billed
    return (
        called.call_id if called else None,
        at,
        clock.local(each.began) if each.began is not None else None,
        called.a_party if called else None,
        called.b_party if called else (billed.number if billed else None),
        either.seconds if either else None,
        dollars(called.cost) if called else None,
        dollars(billed.charge) if billed else None,
    )


def bill_lines(whole: Reconciliation) -> Table:
    """Return the bill as it was read."""
    columns = (
        Column("at", "Where", Kind.TEXT),
        Column("kind", "Kind", Kind.TEXT),
        Column("words", "Text", Kind.TEXT),
        Column("category", "Category", Kind.TEXT),
        Column("calls", "Calls", Kind.COUNT),
        Column("charge", "Charge", Kind.MONEY),
    )
    rows = [
        Row(
            (
                line.at,
                LINE_KINDS[line.kind],
                line.text,
                line.category or None,
                line.calls,
                dollars(line.charge),
            )
        )
        for line in whole.bill.lines
    ]
    total = ("Total", None, None, None, None, dollars(whole.bill.total))
    return Table(columns, (*rows, Row(total, Role.TOTAL)))


def edges(result: Result) -> Table:
    """Return the calls at the edges of the month, with the zones that have them in another."""
    columns = (
        Column("call_id", "ID of the record", Kind.ID),
        Column("started", "Began", Kind.MOMENT),
        Column("a_party", "From", Kind.NUMBER),
        Column("b_party", "To", Kind.NUMBER),
        Column("category", "Category", Kind.TEXT),
        Column("cost", "Cost", Kind.MONEY),
        Column("zones", "In another month in", Kind.TEXT),
    )
    rows = [
        Row(
            (
                called.call_id,
                result.clock.local(called.unixtime),
                called.a_party,
                called.b_party,
                called.category,
                dollars(called.cost),
                ", ".join(zones),
            )
        )
        for called, zones in result.edges
    ]
    total = dollars(sum(edge.called.cost for edge in result.edges))
    cells = ("All", None, None, None, None, total, None)
    return Table(columns, (*rows, Row(cells, Role.TOTAL)))


def controls(result: Result) -> Table:
    """Return the figures that had to be equal."""
    columns = (
        Column("check", "Check", Kind.TEXT),
        Column("expected", "Expected", Kind.TEXT),
        Column("found", "Found", Kind.TEXT),
        Column("result", "Result", Kind.TEXT),
    )
    rows = [
        Row((check.title, check.expected, check.found, "PASS" if check.passed else "FAIL"))
        for check in result.checks
    ]
    return Table(columns, tuple(rows))
