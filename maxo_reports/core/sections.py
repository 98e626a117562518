"""Sections: what a definition can ask for, each filled from the ledger into a table.

``build`` makes the one report value that every file of a report is rendered from. Nothing is
worked out here but which figures stand where; totals come from the ledger, which adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from maxo_reports.core import money
from maxo_reports.core.changes import KINDS, Change
from maxo_reports.core.ledger import DIMENSIONS, MEASURES, Group, Totals
from maxo_reports.core.money import dollars
from maxo_reports.core.period import LocalClock
from maxo_reports.core.report import (
    CALL_COLUMNS,
    Cell,
    Column,
    Definition,
    Kind,
    Report,
    Role,
    Row,
    Section,
    SectionSpec,
    Source,
    Table,
)

SECTION_KINDS: Mapping[str, str] = {
    "summary": "account, period, state and control totals",
    "groups": "a table of totals by one or more dimensions",
    "days": "totals by day",
    "itemised": "every call",
    "exceptions": "the findings",
    "checks": "the figures that had to agree",
    "windows": "what was asked of the carrier, and which reply came",
    "changes": "what changed since the revision before; left out of a first issue",
    "changed-calls": "the calls that changed; left out of a first issue",
}
"""Kind of section -> what it shows."""

OF_CHANGES = frozenset({"changes", "changed-calls"})
"""Kinds that a first issue leaves out."""


def build(definition: Definition, source: Source) -> Report:
    """Fill a definition's sections from the ledger: the one report value of all its files."""
    ledger = source.ledger
    return Report(
        definition,
        source.heading,
        ledger.control,
        money.printed_places(
            [Decimal(1).scaleb(-ledger.places), *(g.totals.cost for g in ledger.groups)]
        ),
        tuple(
            _FILL[spec.kind](spec, source)
            for spec in definition.sections
            if source.changes is not None or spec.kind not in OF_CHANGES
        ),
        source.findings,
        source.calls,
        source.connected_statuses,
    )


_MEASURE_KINDS = {"seconds": Kind.DURATION, "cost": Kind.MONEY}


def _measures(names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(n, MEASURES[n], _MEASURE_KINDS.get(n, Kind.COUNT)) for n in names)


def _figures(totals: Totals, names: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(getattr(totals, name) for name in names)


def _total_row(totals: Totals, names: Sequence[str], width: int) -> Row:
    labels: tuple[Cell, ...] = ("Total", *(None,) * (width - 1))
    return Row((*labels, *_figures(totals, names)), Role.TOTAL)


def _summary(spec: SectionSpec, source: Source) -> Section:
    """Fill the control totals; the cover's words are the heading's own fields."""
    columns = (Column("measure", "Measure", Kind.TEXT), *_measures(spec.show))
    return Section(spec, Table(columns, (_total_row(source.ledger.control, spec.show, 1),)))


def _groups(spec: SectionSpec, source: Source) -> Section:
    keys = tuple(Column(d, DIMENSIONS[d], CALL_COLUMNS[d].kind) for d in spec.group_by)
    groups = sorted(source.ledger.by(spec.group_by), key=_ORDERS[spec.order_by])
    rows = [Row((*g.key, *_figures(g.totals, spec.show)), key=g.key) for g in groups]
    rows.append(_total_row(source.ledger.control, spec.show, len(keys)))
    table = Table(keys + _measures(spec.show), tuple(rows), spec.group_by)
    return Section(spec, table, "" if groups else "No calls in this period.")


_ORDERS: Mapping[str, Callable[[Group], tuple[object, ...]]] = {
    "name": lambda g: g.key,
    "cost": lambda g: (-g.totals.cost, -g.totals.calls, g.key),
    "calls": lambda g: (-g.totals.calls, -g.totals.cost, g.key),
}
ORDERS: tuple[str, ...] = tuple(_ORDERS)
"""How the rows of a grouped table can be ordered."""


def _days(spec: SectionSpec, source: Source) -> Section:
    columns = (Column("day", "Day", Kind.DATE), *_measures(spec.show))
    rows = [Row((day, *_figures(totals, spec.show))) for day, totals in source.ledger.days]
    rows.append(_total_row(source.ledger.control, spec.show, 1))
    return Section(spec, Table(columns, tuple(rows)))


def _itemised(spec: SectionSpec, source: Source) -> Section:
    return Section(spec, None, f"Times are local to {source.heading.period.zone}.")


_FINDING_COLUMNS = (
    Column("severity", "Severity", Kind.TEXT),
    Column("code", "Finding", Kind.TEXT),
    Column("where", "Where", Kind.TEXT),
    Column("message", "What it means", Kind.TEXT),
    Column("calls", "Calls", Kind.COUNT),
    Column("dollars", "Dollars", Kind.MONEY),
)


def _exceptions(spec: SectionSpec, source: Source) -> Section:
    rows = tuple(
        Row((f.severity, f.code, f.where, f.message, f.calls, f.dollars)) for f in source.findings
    )
    return Section(spec, Table(_FINDING_COLUMNS, rows), "" if rows else "Nothing to report.")


_CHECK_COLUMNS = (
    Column("check", "Check", Kind.TEXT),
    Column("expected", "Expected", Kind.TEXT),
    Column("found", "Found", Kind.TEXT),
    Column("result", "Result", Kind.TEXT),
)


def _checks(spec: SectionSpec, source: Source) -> Section:
    rows = tuple(
        Row((c.title, c.expected, c.found, "PASS" if c.passed else "FAIL")) for c in source.checks
    )
    return Section(spec, Table(_CHECK_COLUMNS, rows), source.completeness.summary)


_WINDOW_COLUMNS = (
    Column("start", "From", Kind.MOMENT),
    Column("end", "To, not included", Kind.MOMENT),
    Column("records", "Records", Kind.COUNT),
    Column("tries", "Tries", Kind.COUNT),
    Column("reply", "SHA-256 of the carrier's reply", Kind.TEXT),
)


def _windows(spec: SectionSpec, source: Source) -> Section:
    period = source.heading.period
    clock = LocalClock.over(period.zone, period.start, period.end)
    rows = tuple(
        Row(
            (
                clock.local(line.window.start),
                clock.local(line.window.end),
                line.count,
                line.tries,
                line.sha256,
            )
        )
        for line in source.completeness.windows
    )
    return Section(spec, Table(_WINDOW_COLUMNS, rows))


_CHANGE_COLUMNS = (
    Column("change", "Change", Kind.TEXT),
    Column("calls", "Calls", Kind.COUNT),
    Column("dollars", "Dollars", Kind.MONEY),
)
_CHANGED_COLUMNS = (
    Column("change", "Change", Kind.TEXT),
    Column("call_id", "Call ID", Kind.ID),
    Column("started", "Started", Kind.MOMENT),
    Column("direction", "Direction", Kind.TEXT),
    Column("a_party", "From", Kind.NUMBER),
    Column("b_party", "To", Kind.NUMBER),
    Column("category_before", "Category before", Kind.TEXT),
    Column("category", "Category now", Kind.TEXT),
    Column("seconds_before", "Duration before", Kind.DURATION),
    Column("seconds", "Duration now", Kind.DURATION),
    Column("cost_before", "Cost before", Kind.MONEY),
    Column("cost", "Cost now", Kind.MONEY),
    Column("dollars", "Difference", Kind.MONEY),
)


def _changes(spec: SectionSpec, source: Source) -> Section:
    changes = source.changes
    assert changes is not None, "left out where there is nothing to compare with"
    rows = [
        Row((kind.capitalize(), changes.count(kind), dollars(changes.micros(kind))))
        for kind in KINDS
    ]
    moved = sum(change.micros for change in changes.calls)
    rows.append(Row(("Total", len(changes.calls), dollars(moved)), Role.TOTAL))
    note = f"Compared with revision {changes.since}."
    if not changes.calls:
        note += " No call changed; settings, state or version did."
    return Section(spec, Table(_CHANGE_COLUMNS, tuple(rows)), note)


def _changed_calls(spec: SectionSpec, source: Source) -> Section:
    return Section(spec, changed_calls(source))


def changed_calls(source: Source) -> Table:
    """Return every call that changed since the revision before, as it was and as it is."""
    period = source.heading.period
    clock = LocalClock.over(period.zone, period.start, period.end)
    changes = source.changes.calls if source.changes is not None else ()
    return Table(_CHANGED_COLUMNS, tuple(_changed(change, clock) for change in changes))


def _changed(change: Change, clock: LocalClock) -> Row:
    either, before, after = change.either, change.before, change.after
    return Row(
        (
            change.kind.capitalize(),
            change.call_id,
            clock.local(either.unixtime),
            either.direction,
            either.a_party,
            either.b_party,
            before.category if before else None,
            after.category if after else None,
            before.seconds if before else None,
            after.seconds if after else None,
            dollars(before.cost) if before and before.cost is not None else None,
            dollars(after.cost) if after and after.cost is not None else None,
            dollars(change.micros),
        )
    )


_FILL: Mapping[str, Callable[[SectionSpec, Source], Section]] = {
    "summary": _summary,
    "groups": _groups,
    "days": _days,
    "itemised": _itemised,
    "exceptions": _exceptions,
    "checks": _checks,
    "windows": _windows,
    "changes": _changes,
    "changed-calls": _changed_calls,
}
