"""Tables of our own making beside those of a definition: a report whose sections are in the code.

A re-rating, an inference or a margin is laid out by what it is, not by a user's definition. Its
cover, exceptions and checks are the same as any report's; the tables between are made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from maxo_reports.core import money, sections
from maxo_reports.core.ledger import MEASURES
from maxo_reports.core.report import (
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

KIND = "table"
"""Kind of a section that is nothing but the table that it was given."""
_BOOK = ("xlsx",)


def section(
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    total: Sequence[Cell] | None = None,
    note: str = "",
    sheet: str = "",
) -> Section:
    """Return a section of some rows, with a total below them where there is one."""
    filled = [Row(tuple(cells)) for cells in rows]
    if total is not None:
        filled.append(Row(tuple(total), Role.TOTAL))
    spec = SectionSpec(KIND, title, sheet or title, _BOOK)
    return Section(spec, Table(tuple(columns), tuple(filled)), note)


def report(
    name: str, title: str, source: Source, own: Sequence[Section], costs: Sequence[Decimal]
) -> Report:
    """Return a report: the cover, sections of our own, exceptions and checks.

    ``costs`` are figures that stand in our own sections: all are printed with as many decimals as
    the finest needs.
    """
    specs = [
        SectionSpec("summary", "Summary", "Summary", _BOOK, show=tuple(MEASURES)),
        SectionSpec("exceptions", "Exceptions", "Exceptions", _BOOK),
        SectionSpec("checks", "Checks", "Checks", _BOOK),
    ]
    filename = f"{{account}}-{{period}}-{name}"
    definition = Definition(name, title, _BOOK, filename, "statement.html", tuple(specs))
    made = sections.build(definition, source)
    cover, *rest = made.sections
    every = (cover, *own, *rest)
    return replace(
        made,
        definition=replace(definition, sections=tuple(each.spec for each in every)),
        sections=every,
        places=max(made.places, money.printed_places(costs)),
    )


def text(key: str, label: str) -> Column:
    """Return a column of words."""
    return Column(key, label, Kind.TEXT)


def count(key: str, label: str) -> Column:
    """Return a column of numbers of calls."""
    return Column(key, label, Kind.COUNT)


def length(key: str, label: str) -> Column:
    """Return a column of durations."""
    return Column(key, label, Kind.DURATION)


def cost(key: str, label: str) -> Column:
    """Return a column of dollars."""
    return Column(key, label, Kind.MONEY)
