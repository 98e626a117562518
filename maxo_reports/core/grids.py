"""Sections of more than one list of totals: a matrix, an index of numbers, months side by side.

As everywhere, figures come from ledgers, which add; here they only find their places.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from maxo_reports.core import described, sheetnames
from maxo_reports.core.ledger import DIMENSIONS, MEASURES, NOTHING, Group, Ledger, Totals, total
from maxo_reports.core.measured import (
    ORDER_OF,
    dimensions,
    figures,
    kind_of,
    measures,
    total_row,
)
from maxo_reports.core.numbering import spaced
from maxo_reports.core.report import (
    CALL_COLUMNS,
    Cell,
    Column,
    Kind,
    Part,
    Role,
    Row,
    Section,
    SectionSpec,
    Source,
    Table,
    View,
)

NO_CALLS = "No calls in this period."
MOST_ACROSS = 16
"""Columns of a matrix besides its totals: as many as can be read on one page's width."""
_OF_NUMBERS = ("service_number",)
OTHER_NUMBERS = "Other numbers"
MONTHS_BACK = {"trend": 12, "previous": 1}
"""Kind of section -> how many months before the period it shows."""
_NO_MONTH = "The period is not one month of the account, so there are no months to compare with."


def matrix(spec: SectionSpec, _: Source, view: View) -> Section:
    """Fill one measure by two dimensions, the second across; what does not fit is one column."""
    down, across = spec.group_by
    (measure,) = spec.show
    cells = {g.key: g.totals for g in view.ledger.by((down, across))}
    order = ORDER_OF["calls" if measure == "calls" else "cost"]
    names = [g.key[0] for g in sorted(view.ledger.by((across,)), key=order)]
    own = names if len(names) <= MOST_ACROSS + 1 else names[:MOST_ACROSS]
    others = names[len(own) :]
    kind = kind_of(measure)
    columns = [spec.named(Column(down, DIMENSIONS[down], CALL_COLUMNS[down].kind))]
    columns += [Column(f"{measure}:{at}", name, kind) for at, name in enumerate(own, 1)]
    if others:
        columns.append(Column(f"{measure}:others", f"{len(others)} others", kind))
    columns.append(Column(measure, "Total", kind))

    def row(found: Sequence[Totals], whole: Totals) -> tuple[Cell, ...]:
        rest = (total(found[len(own) :]),) if others else ()
        parts = (*found[: len(own)], *rest, whole)
        return tuple(figures(part, (measure,))[0] for part in parts)

    groups = sorted(view.ledger.by((down,)), key=ORDER_OF[spec.order_by])
    rows = [
        Row(
            (g.key[0], *row([cells.get((g.key[0], n), NOTHING) for n in names], g.totals)),
            key=g.key,
        )
        for g in groups
    ]
    sums = {g.key[0]: g.totals for g in view.ledger.by((across,))}
    last = row([sums[name] for name in names], view.ledger.control)
    rows.append(Row(("Total", *last), Role.TOTAL))
    table = Table(tuple(columns), tuple(rows), (down,), across, tuple(own))
    note = "" if groups else NO_CALLS
    if others:
        note = (
            f"The {len(others)} columns with the least are added up in one: {len(others)} others."
        )
    return Section(spec, table, note)


# ---- a sheet for each number --------------------------------------------------------------------


def each_number(spec: SectionSpec, view: View, sheets: Collection[str]) -> Section:
    """Fill the index of a list that has a sheet for each service number.

    ``sheets`` are names that are taken. Numbers beyond the most share one sheet more.
    """
    taken = {sheet.casefold() for sheet in sheets}
    groups = view.ledger.by(_OF_NUMBERS)
    own, rest = groups[: spec.sheets], groups[spec.sheets :]
    parts = [Part(spaced(g.key[0]), sheetnames.free(g.key[0], taken), g.totals) for g in own]
    note = "" if groups else NO_CALLS
    if rest:
        shared = sheetnames.free(OTHER_NUMBERS, taken)
        parts.append(Part(OTHER_NUMBERS, shared, total(g.totals for g in rest)))
        note = (
            f"The first {len(own)} numbers have a sheet of their own; "
            f"the other {len(rest)} share the sheet {shared!r}."
        )
    # The column that leads to the sheets stays in sight, whatever the lists hide.
    named = spec.named(Column("service_number", "Service number", Kind.NUMBER))
    column = replace(named, hidden=False)
    beside = described.columns(spec, view.ledger, _OF_NUMBERS)
    said = described.of_numbers(view.ledger, beside, _OF_NUMBERS)
    columns = (
        column,
        *beside,
        Column("sheet", "Sheet", Kind.TEXT),
        *measures(spec, tuple(MEASURES)),
    )
    rows = [
        Row(
            (
                g.key[0],
                *said(g.key),
                parts[min(at, len(parts) - 1)].sheet,
                *figures(g.totals, tuple(MEASURES)),
            ),
            key=g.key,
        )
        for at, g in enumerate(groups)
    ]
    rows.append(total_row(view.ledger.control, tuple(MEASURES), 2 + len(beside)))
    table = Table(columns, tuple(rows), _OF_NUMBERS)
    return Section(spec, table, note, parts=tuple(parts))


# ---- months side by side ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Month:
    label: str
    state: str
    ledger: Ledger | None


def trend(spec: SectionSpec, source: Source, view: View) -> Section:
    """Fill this period beside the months before it; one without figures is named, not guessed."""
    months, this, note = _months(spec, source, view)
    table = (
        _side_by_side(spec, (*months, this)) if spec.group_by else _one_below(spec, months, this)
    )
    return Section(spec, table, note)


def previous(spec: SectionSpec, source: Source, view: View) -> Section:
    """Fill this period beside the one before; where that has no figures, a note says why."""
    months, this, note = _months(spec, source, view)
    periods = (*(month.period for month in source.back(1)), source.heading.period)
    named = [period.name for period in periods]
    *months, this = (
        replace(month, label=name) for month, name in zip((*months, this), named, strict=True)
    )
    table = _one_below(spec, months, this, with_state=False)
    if not any(month.ledger for month in months):
        table = replace(table, rows=())
    return Section(spec, table, note)


def _months(spec: SectionSpec, source: Source, view: View) -> tuple[Sequence[_Month], _Month, str]:
    """Return the months before, this one, and a note on those that have no figures."""
    where = view.where
    heading = source.heading
    earlier = source.back(MONTHS_BACK[spec.kind])
    months = [
        _Month(m.period.label, m.state, m.select(where) if m.select is not None else None)
        for m in earlier
    ]
    this = _Month(heading.period.label, f"this one, {heading.state.word}", view.ledger)
    lacking: dict[str, list[str]] = {}
    for month in months:
        if month.ledger is None:
            lacking.setdefault(month.state, []).append(month.label)
    said = [f"{state}: {', '.join(labels)}" for state, labels in lacking.items()]
    note = f"No figures, {'; '.join(said)}." if said else ""
    return months, this, note if earlier else _NO_MONTH


def _one_below(
    spec: SectionSpec, months: Sequence[_Month], this: _Month, *, with_state: bool = True
) -> Table:
    """Return one row a month, with what the cost has changed since the month above."""
    columns = [
        Column("month", "Month", Kind.TEXT),
        *([Column("state", "Figures", Kind.TEXT)] if with_state else []),
        *measures(spec),
    ]
    with_change = "cost" in spec.show
    if with_change:
        columns.append(Column("change", "Change in cost", Kind.MONEY))
    rows = []
    before: Decimal | None = None
    for month in (*months, this):
        control = month.ledger.control if month.ledger is not None else None
        cells = figures(control, spec.show) if control else (None,) * len(spec.show)
        change = control.cost - before if control and before is not None else None
        before = control.cost if control else None
        more = (change,) if with_change else ()
        state = (month.state,) if with_state else ()
        rows.append(Row((month.label, *state, *cells, *more)))
    return Table(tuple(columns), tuple(rows))


def _side_by_side(spec: SectionSpec, months: Sequence[_Month]) -> Table:
    """Return one column a month, and one row a group that any of them has."""
    (measure,) = spec.show
    kind = kind_of(measure)
    found = [
        {g.key: g.totals for g in m.ledger.by(spec.group_by)} if m.ledger is not None else None
        for m in months
    ]
    columns = (
        *dimensions(spec),
        *(Column(f"{measure}:{at}", m.label, kind) for at, m in enumerate(months, 1)),
    )
    latest = found[-1] or {}
    keys = {key for groups in found if groups for key in groups}
    ordered = sorted(
        (Group(key, latest.get(key, NOTHING)) for key in keys), key=ORDER_OF[spec.order_by]
    )

    def cells(key: tuple[str, ...]) -> Iterator[Cell]:
        for groups in found:
            known = None if groups is None else groups.get(key, NOTHING)
            yield None if known is None else figures(known, spec.show)[0]

    rows = [Row((*g.key, *cells(g.key)), key=g.key) for g in ordered]
    sums = [None if m.ledger is None else figures(m.ledger.control, spec.show)[0] for m in months]
    blank = (None,) * (len(spec.group_by) - 1)
    rows.append(Row(("Total", *blank, *sums), Role.TOTAL))
    return Table(columns, tuple(rows), spec.group_by)
