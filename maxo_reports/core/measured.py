"""Columns and rows of measures: what every table of totals is put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from maxo_reports.core.ledger import DIMENSIONS, MEASURES, Group, Totals
from maxo_reports.core.report import (
    CALL_COLUMNS,
    Cell,
    Column,
    Kind,
    Role,
    Row,
    SectionSpec,
    Table,
)

_MEASURE_KINDS: Mapping[str, Kind] = {"seconds": Kind.DURATION, "cost": Kind.MONEY}


def kind_of(measure: str) -> Kind:
    """Return what a measure's column holds."""
    return _MEASURE_KINDS.get(measure, Kind.COUNT)


def measures(spec: SectionSpec, names: Sequence[str] | None = None) -> tuple[Column, ...]:
    """Return a column for each measure, those that a section shows unless others are named."""
    shown = spec.show if names is None else names
    return tuple(spec.named(Column(name, MEASURES[name], kind_of(name))) for name in shown)


def dimensions(spec: SectionSpec) -> tuple[Column, ...]:
    """Return a column for each dimension that a section groups by."""
    return tuple(spec.named(Column(d, DIMENSIONS[d], CALL_COLUMNS[d].kind)) for d in spec.group_by)


def figures(totals: Totals, names: Sequence[str]) -> tuple[Cell, ...]:
    """Return some measures of some calls."""
    return tuple(getattr(totals, name) for name in names)


def total_row(totals: Totals, names: Sequence[str], width: int) -> Row:
    """Return the last row of a table, whose first ``width`` cells are no figures."""
    labels: tuple[Cell, ...] = ("Total", *(None,) * (width - 1))
    return Row((*labels, *figures(totals, names)), Role.TOTAL)


MOST_DRAWN = 8
"""How many rows of a grouped table a chart has: those of the highest cost."""


def drawn(table: Table) -> tuple[Row, ...]:
    """Return the rows of a grouped table that a chart of it shows, the dearest first."""
    place = next((at for at, c in enumerate(table.columns) if c.key == "cost"), None)
    if place is None:
        return ()

    def cost(row: Row) -> Decimal:
        value = row.cells[place]
        return value if isinstance(value, Decimal) else Decimal(0)

    rows = (row for row in table.rows if row.role is Role.ROW and cost(row) > 0)
    return tuple(sorted(rows, key=lambda row: (-cost(row), row.key))[:MOST_DRAWN])


ORDER_OF: Mapping[str, Callable[[Group], tuple[object, ...]]] = {
    "name": lambda g: g.key,
    "cost": lambda g: (-g.totals.cost, -g.totals.calls, g.key),
    "calls": lambda g: (-g.totals.calls, -g.totals.cost, g.key),
}
"""How the rows of a grouped table can be ordered."""
