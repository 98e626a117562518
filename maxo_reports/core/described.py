"""What stands beside a service number in a table of numbers: how it reads, what a directory says.

A cell keeps the exact number, which no format of a workbook can space. What a directory says is a
description and no group: where a number moved within the period, all that it was is named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from maxo_reports.core.directory import ALLOCATIONS, UNALLOCATED
from maxo_reports.core.ledger import Ledger
from maxo_reports.core.numbering import spaced
from maxo_reports.core.report import CALL_COLUMNS, Cell, Column, Kind, SectionSpec

_BESIDE = ("label", "cost_centre")
_NUMBER = "service_number"
READS = Column("reads", "Reads as", Kind.TEXT, printed=False)
"""The number as a statement prints it."""


def columns(spec: SectionSpec, ledger: Ledger, group_by: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns that stand beside the numbers; a directory's are those that it fills.

    There are none of these where a table groups by anything that a directory says.
    """
    if _NUMBER not in group_by:
        return ()
    if set(group_by) & set(ALLOCATIONS):
        return (READS,)
    filled = (n for n in _BESIDE if any(g.key != (UNALLOCATED,) for g in ledger.by((n,))))
    return (READS, *(spec.named(CALL_COLUMNS[name]) for name in filled))


def of_numbers(
    ledger: Ledger, beside: Sequence[Column], group_by: Sequence[str]
) -> Callable[[tuple[str, ...]], tuple[Cell, ...]]:
    """Return what gives the cells beside a group, by the group's key."""
    if not beside:
        return lambda _: ()
    names = [column.key for column in beside if column is not READS]
    at = group_by.index(_NUMBER)
    if not names:
        return lambda key: (spaced(key[at]),)
    found: dict[str, tuple[set[str], ...]] = {}
    for group in ledger.by((_NUMBER, *names)):
        number, *said = group.key
        held = found.setdefault(number, tuple(set() for _ in names))
        for values, value in zip(held, said, strict=True):
            values.add(value)

    def cells(key: tuple[str, ...]) -> tuple[Cell, ...]:
        number = key[at]
        return (spaced(number), *map(_words, names, found[number]))

    return cells


def _words(name: str, said: Collection[str]) -> str:
    """Join what was said; that nobody pays is said too, that nobody gave a name is not."""
    shown = sorted(value for value in said if value != UNALLOCATED)
    if name != "label" and UNALLOCATED in said:
        shown.append(UNALLOCATED)
    return " / ".join(shown)
