"""Calls worth a look: where most of the money goes, the longest calls and the dearest ones.

The column store chooses and adds; here its rows only find their places. A table of destinations
ends with all others and the whole, so that it adds up like every other table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from maxo_reports.core import checks
from maxo_reports.core.cdr import OUTBOUND
from maxo_reports.core.checks import Check
from maxo_reports.core.grids import NO_CALLS
from maxo_reports.core.ledger import NOTHING, Group, Totals, total
from maxo_reports.core.measured import ORDER_OF, figures, measures, total_row
from maxo_reports.core.money import dollars
from maxo_reports.core.numbering import compact
from maxo_reports.core.report import (
    CallLine,
    Cell,
    Column,
    Kind,
    Row,
    Section,
    SectionSpec,
    Source,
    Table,
    View,
)
from maxo_reports.core.text import counted

DESTINATIONS = "top-destinations"
FOREMOST: Mapping[str, str] = {"longest-calls": "seconds", "dearest-calls": "cost"}
"""Kind of section -> the measure that its calls are the foremost by."""
DESTINATION_LABEL = "Number called"
WITHHELD = "(no number)"
_PARTIES = frozenset({"a_party", "b_party"})
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local clock


def destinations(spec: SectionSpec, _: Source, view: View) -> Section:
    """Fill the numbers that outbound calls went to: the first few, all others, and the whole."""
    ordered = sorted(called(view), key=ORDER_OF[spec.order_by])
    own, others = ordered[: spec.most], ordered[spec.most :]
    columns = (Column("b_party", DESTINATION_LABEL, Kind.NUMBER), *measures(spec))
    rows = [Row((g.key[0] or WITHHELD, *figures(g.totals, spec.show))) for g in own]
    if others:
        rest = total(group.totals for group in others)
        rows.append(Row((counted(len(others), "other number"), *figures(rest, spec.show))))
    rows.append(total_row(outbound(view), spec.show, 1))
    note = "Outbound calls, by the number called." if ordered else "No outbound calls."
    return Section(spec, Table(columns, tuple(rows)), note)


def called(view: View) -> tuple[Group, ...]:
    """Group the outbound calls by the number called, without its route, in national form."""
    rolled: defaultdict[tuple[str], Totals] = defaultdict(Totals)
    for raw, totals in view.calls.called(OUTBOUND):
        rolled[(compact(raw),)] += totals
    return tuple(Group(key, rolled[key]) for key in sorted(rolled))


def outbound(view: View) -> Totals:
    """Return the totals of the outbound calls, from the ledger."""
    by_direction = {group.key[0]: group.totals for group in view.ledger.by(("direction",))}
    return by_direction.get(OUTBOUND, NOTHING)


def adds_up(view: View, title: str) -> Check:
    """Compare the sum of all destinations with the ledger's outbound calls."""
    parts = (group.totals for group in called(view))
    return checks.parts(f"{title}: sum of all numbers called", outbound(view), parts)


def foremost(spec: SectionSpec, source: Source, view: View) -> Section:
    """Fill the calls that are first by one measure, the greatest above."""
    columns = spec.call_columns
    lines = view.calls.foremost(FOREMOST[spec.kind], spec.most)
    rows = tuple(Row(tuple(_cell(line, column.key) for column in columns)) for line in lines)
    note = f"Times are local to {source.heading.period.zone}."
    return Section(spec, Table(columns, rows), note if rows else _none(spec, view))


def _none(spec: SectionSpec, view: View) -> str:
    if not len(view.calls):
        return NO_CALLS
    return "No call has a cost." if spec.kind == "dearest-calls" else "No call has a duration."


def _cell(line: CallLine, key: str) -> Cell:
    """Return a field of a call as a table holds it."""
    if key == "started":
        return _EPOCH + timedelta(seconds=line.started)
    if key == "cost":
        return None if line.cost is None else dollars(line.cost)
    cell: Cell = getattr(line, key)
    # A number as it is dialled: routes and other spellings stand in the list of all calls.
    return compact(str(cell)) or cell if key in _PARTIES else cell
