"""What a directory says of a service number, beside it in a table of numbers.

It is a description and no group: where a number moved within the period, all that it was is named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from maxo_reports.core.directory import ALLOCATIONS, UNALLOCATED
from maxo_reports.core.ledger import Ledger
from maxo_reports.core.report import CALL_COLUMNS, Cell, Column, SectionSpec

_BESIDE = ("label", "cost_centre")
_NUMBER = "service_number"


def columns(spec: SectionSpec, ledger: Ledger, group_by: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns that stand beside the numbers: those that a directory fills at all.

    There are none where a table groups by anything that a directory says.
    """
    if _NUMBER not in group_by or set(group_by) & set(ALLOCATIONS):
        return ()
    filled = (n for n in _BESIDE if any(g.key != (UNALLOCATED,) for g in ledger.by((n,))))
    return tuple(spec.named(CALL_COLUMNS[name]) for name in filled)


def of_numbers(
    ledger: Ledger, beside: Sequence[Column], group_by: Sequence[str]
) -> Callable[[tuple[str, ...]], tuple[Cell, ...]]:
    """Return what gives the cells beside a group, by the group's key."""
    if not beside:
        return lambda _: ()
    names = [column.key for column in beside]
    found: dict[str, tuple[set[str], ...]] = {}
    for group in ledger.by((_NUMBER, *names)):
        number, *said = group.key
        held = found.setdefault(number, tuple(set() for _ in names))
        for values, value in zip(held, said, strict=True):
            values.add(value)
    at = group_by.index(_NUMBER)

    def cells(key: tuple[str, ...]) -> tuple[Cell, ...]:
        return tuple(map(_words, names, found[key[at]]))

    return cells


def _words(name: str, said: Collection[str]) -> str:
    """Join what was said; that nobody pays is said too, that nobody gave a name is not."""
    shown = sorted(value for value in said if value != UNALLOCATED)
    if name != "label" and UNALLOCATED in said:
        shown.append(UNALLOCATED)
    return " / ".join(shown)
