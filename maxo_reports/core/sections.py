"""Sections: what a definition can ask for, each filled from the ledger into a table.

``build`` makes the one report value that every file of a report is rendered from. Nothing is
worked out here but which figures stand where; totals come from the ledger, which adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from maxo_reports.core import checks, described, grids, money, notable, payable
from maxo_reports.core.changes import KINDS, Change
from maxo_reports.core.checks import Check
from maxo_reports.core.ledger import Ledger, Totals
from maxo_reports.core.measured import ORDER_OF, dimensions, figures, measures, total_row
from maxo_reports.core.money import dollars
from maxo_reports.core.period import LocalClock
from maxo_reports.core.report import (
    Column,
    Definition,
    Earlier,
    Kind,
    Report,
    Role,
    Row,
    Section,
    SectionSpec,
    Source,
    Table,
    View,
)
from maxo_reports.core.text import counted
from maxo_reports.core.where import ALL, Where
from maxo_reports.errors import UsageError

SECTION_KINDS: Mapping[str, str] = {
    "summary": "account, period, state and control totals",
    "groups": "a table of totals by one or more dimensions",
    "days": "totals by day",
    "matrix": "one measure by two dimensions: rows, columns and both totals (workbook only)",
    "itemised": 'every call; each = "service_number" makes sheets, group_by groups in print',
    "trend": "this month beside the twelve before it, as far as the archive has them",
    "previous": "this period beside the one before, where the archive has it",
    "gst": "the total split for GST; left out where the basis is not declared",
    "top-destinations": "the numbers called that cost or count the most, and all others",
    "longest-calls": "the calls of the longest duration",
    "dearest-calls": "the calls of the highest cost",
    "exceptions": "the findings",
    "checks": "the figures that had to agree",
    "windows": "what was asked of the carrier, and which reply came",
    "changes": "what changed since the revision before; left out of a first issue",
    "changed-calls": "the calls that changed; left out of a first issue",
    "charges": "what a reseller's client pays: calls, fees, GST, total (made by oncharge)",
}
"""Kind of section -> what it shows."""

ORDERS: tuple[str, ...] = tuple(ORDER_OF)
"""How the rows of a grouped table can be ordered."""
CHARGES = "charges"
SUBTOTAL = "Subtotal"
OF_CHANGES = frozenset({"changes", "changed-calls"})
"""Kinds that a first issue leaves out."""
NOT_ALWAYS = OF_CHANGES | {"gst"}
"""Kinds that some issues leave out."""


OF_CALLS = frozenset(
    {
        *("summary", "groups", "days", "matrix", "itemised", "trend", "previous", "gst"),
        *(notable.DESTINATIONS, *notable.FOREMOST),
    }
)
"""Kinds that are about calls, and so about those that a filter leaves."""


def build(definition: Definition, source: Source) -> Report:
    """Fill a definition's sections from the ledger: the one report value of all its files."""
    ledger = source.ledger
    if source.charges is None and any(spec.kind == CHARGES for spec in definition.sections):
        # Its calls would stand there at the price that they are bought for.
        raise UsageError(f"report {definition.name!r} is for clients: 'oncharge' makes it")
    specs = [spec for spec in definition.sections if _is_due(spec, source)]
    filters = {spec.title: definition.where.also(spec.where) for spec in specs}
    places = money.printed_places(
        [Decimal(1).scaleb(-ledger.places), *(g.totals.cost for g in ledger.groups)]
    )
    own = source.view(definition.where)
    used = [filters[spec.title] for spec in specs if spec.kind in OF_CALLS]
    back = max((grids.MONTHS_BACK.get(spec.kind, 0) for spec in specs), default=0)
    called = [spec for spec in specs if spec.kind == notable.DESTINATIONS]
    made = (
        *_of_filters((definition.where, *used), source),
        *_of_months(source.back(back)),
        *(notable.adds_up(source.view(filters[spec.title]), spec.title) for spec in called),
    )
    source = replace(source, checks=(*source.checks, *made))
    return Report(
        definition,
        source.heading,
        own.ledger.control,
        places,
        tuple(_section(spec, source, filters[spec.title], definition, places) for spec in specs),
        source.findings,
        own.calls,
        source.connected_statuses,
        _filtered(definition.where, own, source, places),
        source.checks,
        _due(source.charges),
    )


def _due(charges: Table | None) -> Decimal | None:
    """Return what a client is to pay: the total below its charges."""
    totals = [row.cells[-1] for row in charges.rows if row.role is Role.TOTAL] if charges else []
    return next((each for each in totals if isinstance(each, Decimal)), None)


def _is_due(spec: SectionSpec, source: Source) -> bool:
    """Tell whether a section has something to say, in whatever month."""
    if spec.kind in OF_CHANGES:
        return source.changes is not None
    return spec.kind != "gst" or source.heading.cost_gst != "unknown"


def _section(
    spec: SectionSpec, source: Source, where: Where, definition: Definition, places: int
) -> Section:
    """Fill one section, of the calls that its filter leaves."""
    if spec.kind not in OF_CALLS:
        section = _FILL[spec.kind](spec, source)
        if not definition.where:
            return section
        return replace(section, note=f"{section.note} Of all calls of the period.".strip())
    view = source.view(where)
    if spec.each:
        section = grids.each_number(spec, view, [each.sheet for each in definition.sections])
    else:
        section = _FILL_CALLS[spec.kind](spec, source, view)
    if where == definition.where:
        totals = calls = None
    else:
        totals, calls = view.ledger.control, view.calls
    if spec.each:
        calls = source.view(where, by_number=True).calls
    printed = spec.kind == "itemised" and bool(spec.group_by) and "pdf" in spec.formats
    return replace(
        section,
        filtered=_filtered(where, view, source, places),
        calls=calls,
        totals=totals,
        by_number=source.view(where, by_number=True).calls if printed else None,
    )


def _filtered(where: Where, view: View, source: Source, places: int) -> str:
    """Say what a filter leaves, with the whole beside it; nothing where there is no filter."""
    if not where:
        return ""
    kept, whole = view.ledger.control, source.ledger.control
    cost, all_cost = (money.to_text(t.cost, places, "$") for t in (kept, whole))
    calls = f"{kept.calls:,} of {counted(whole.calls, 'call')}"
    return f"Filtered: {where.words}. {calls}, {cost} of {all_cost}."


def _of_filters(used: Sequence[Where], source: Source) -> Iterator[Check]:
    """Compare, for each filter, what it leaves and what it leaves out with the whole."""
    for where in dict.fromkeys(where for where in used if where):
        view = source.view(where)
        said = f"{where.words[0].upper()}{where.words[1:]}"
        kept = view.ledger.control
        yield checks.parts(
            f"{said}: these and all others = control totals",
            source.ledger.control,
            (kept, view.rest),
        )
        yield checks.parts(f"{said}: sum of all groups", kept, _groups_of(view.ledger))
        by_day = (totals for _, totals in view.ledger.days)
        yield checks.parts(f"{said}: sum of all days", kept, by_day)


def _of_months(months: Sequence[Earlier]) -> Iterator[Check]:
    """Compare each earlier month's groups with its own total."""
    for month in months:
        if month.select is not None:
            ledger = month.select(ALL)
            title = f"{month.period.label}: sum of all groups"
            yield checks.parts(title, ledger.control, _groups_of(ledger))


def _groups_of(ledger: Ledger) -> Iterator[Totals]:
    return (group.totals for group in ledger.groups)


def _summary(spec: SectionSpec, _: Source, view: View) -> Section:
    """Fill the control totals; the cover's words are the heading's own fields."""
    columns = (Column("measure", "Measure", Kind.TEXT), *measures(spec))
    return Section(spec, Table(columns, (total_row(view.ledger.control, spec.show, 1),)))


def _groups(spec: SectionSpec, _: Source, view: View) -> Section:
    keys, beside = dimensions(spec), described.columns(spec, view.ledger, spec.group_by)
    said = described.of_numbers(view.ledger, beside, spec.group_by)
    groups = sorted(view.ledger.by(spec.group_by), key=ORDER_OF[spec.order_by])
    rows = [Row((*g.key, *said(g.key), *figures(g.totals, spec.show)), key=g.key) for g in groups]
    if spec.subtotals:
        rows = list(_with_subtotals(spec, view, rows))
    rows.append(total_row(view.ledger.control, spec.show, len(keys) + len(beside)))
    table = Table((*keys, *beside, *measures(spec)), tuple(rows), spec.group_by)
    return Section(spec, table, "" if groups else grids.NO_CALLS)


def _with_subtotals(spec: SectionSpec, view: View, rows: Sequence[Row]) -> Iterator[Row]:
    """Bring the rows of each value of the first dimension together, with their sum below them."""
    for group in sorted(view.ledger.by(spec.group_by[:1]), key=ORDER_OF[spec.order_by]):
        (value,) = group.key
        yield from (row for row in rows if row.key[0] == value)
        blank = (None,) * (len(spec.group_by) - 2)
        cells = (value, SUBTOTAL, *blank, *figures(group.totals, spec.show))
        yield Row(cells, Role.SUBTOTAL)


def _days(spec: SectionSpec, _: Source, view: View) -> Section:
    columns = (Column("day", "Day", Kind.DATE), *measures(spec))
    rows = [Row((day, *figures(totals, spec.show))) for day, totals in view.ledger.days]
    rows.append(total_row(view.ledger.control, spec.show, 1))
    return Section(spec, Table(columns, tuple(rows)))


def _itemised(spec: SectionSpec, source: Source, _: View) -> Section:
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
    # A client is told of its charges; what was asked of the carrier is its seller's to know.
    note = source.completeness.summary if source.charges is None else ""
    return Section(spec, Table(_CHECK_COLUMNS, rows), note)


_WINDOW_COLUMNS = (
    Column("start", "From", Kind.MOMENT),
    Column("end", "To, not included", Kind.MOMENT),
    Column("records", "Records", Kind.COUNT),
    Column("tries", "Tries", Kind.COUNT),
    Column("reply", "SHA-256 of the carrier's reply", Kind.TEXT),
)


def _charges(spec: SectionSpec, source: Source) -> Section:
    return Section(spec, source.charges, "GST is worked out on the total, not on single calls.")


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
    columns: tuple[Column, ...] = _CHANGED_COLUMNS
    if source.heading.charged:
        columns = tuple(replace(c, label=c.label.replace("Cost", "Charge")) for c in columns)
    return Table(columns, tuple(_changed(change, clock) for change in changes))


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
    "exceptions": _exceptions,
    "checks": _checks,
    "windows": _windows,
    "changes": _changes,
    "changed-calls": _changed_calls,
    CHARGES: _charges,
}
_FILL_CALLS: Mapping[str, Callable[[SectionSpec, Source, View], Section]] = {
    "summary": _summary,
    "groups": _groups,
    "days": _days,
    "matrix": grids.matrix,
    "itemised": _itemised,
    "trend": grids.trend,
    "previous": grids.previous,
    "gst": payable.gst,
    notable.DESTINATIONS: notable.destinations,
    **dict.fromkeys(notable.FOREMOST, notable.foremost),
}
