"""The ledger: finest groups with exact totals; everything above them is made by adding.

Totals are added and never worked out a second way, so every grouping of the same calls ends
in the same figures. The control totals beside the groups come from a scan of their own and
travel to the last file, where they are compared again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from maxo_reports.core.directory import ALLOCATIONS, NOBODY


@dataclass(frozen=True, slots=True)
class Totals:
    """The measures of a set of calls; they add up.

    ``connected`` counts calls whose status says so, ``charged`` those whose cost is not zero
    (credits are charged calls with a negative cost), ``seconds`` is the carrier's duration,
    ``cost`` is exact dollars as the carrier reports them.
    """

    calls: int = 0
    connected: int = 0
    charged: int = 0
    seconds: int = 0
    cost: Decimal = Decimal(0)

    def __add__(self, other: Totals) -> Totals:
        """Return the totals of both sets together."""
        return Totals(
            self.calls + other.calls,
            self.connected + other.connected,
            self.charged + other.charged,
            self.seconds + other.seconds,
            self.cost + other.cost,
        )


NOTHING = Totals()

MEASURES: Mapping[str, str] = {
    "calls": "Calls",
    "connected": "Connected",
    "charged": "Charged",
    "seconds": "Duration",
    "cost": "Cost",
}
"""Measure -> its heading, in the order in which tables show them."""

DIMENSIONS: Mapping[str, str] = {
    "category": "Rate category",
    "direction": "Direction",
    "service_number": "Service number",
    **ALLOCATIONS,
}
"""Dimension of a finest group -> its heading, in the order of ``Group.key``."""


def total(parts: Iterable[Totals]) -> Totals:
    """Add totals up."""
    return sum(parts, NOTHING)


@dataclass(frozen=True, slots=True)
class Group:
    """The totals of the calls that share one value in each dimension of a grouping.

    The key of a finest group ends before the directory's dimensions where there is no directory:
    then no call is allocated.
    """

    key: tuple[str, ...]
    totals: Totals


def dimension_values(group: Group) -> dict[str, str]:
    """Return a finest group's value in each dimension, by its name."""
    return dict(zip(DIMENSIONS, finest(group.key), strict=True))


@dataclass(frozen=True, slots=True)
class QuirkCount:
    """How many calls share one oddity (``cdr.QUIRKS``), their dollars, and one of their ids."""

    code: str
    calls: int
    cost: Decimal
    example: str


@dataclass(frozen=True, slots=True)
class FieldCount:
    """How many received records have, or lack, one field of the carrier's, and their dollars."""

    name: str
    calls: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Intake:
    """What came in, and what became of it: ``received == ledger + repeats + outside``.

    ``repeats`` are records whose callid was there already (``conflicting`` of them with other
    content); ``outside`` lie before or after the period; ``astray`` are in the period but came
    in the reply to another window's request. ``quirks``, ``unknown_fields`` and
    ``missing_fields`` are what reading the calls marked as odd.
    """

    received: int
    ledger: int
    repeats: int
    outside: int
    conflicting: int = 0
    astray: int = 0
    quirks: tuple[QuirkCount, ...] = ()
    unknown_fields: tuple[FieldCount, ...] = ()
    missing_fields: tuple[FieldCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """A period's calls in finest groups, by day, and in control totals.

    ``places`` is how many decimals the finest cost of any one call needs: sums may need fewer.
    """

    groups: tuple[Group, ...]
    days: tuple[tuple[date, Totals], ...]
    control: Totals
    intake: Intake
    places: int = 0

    @property
    def totals(self) -> Totals:
        """The sum of the finest groups."""
        return total(group.totals for group in self.groups)

    def by(self, dimensions: Sequence[str]) -> tuple[Group, ...]:
        """Roll the finest groups up to some dimensions; the groups come sorted by their key."""
        places = [list(DIMENSIONS).index(name) for name in dimensions]
        rolled: defaultdict[tuple[str, ...], Totals] = defaultdict(Totals)
        for group in self.groups:
            key = finest(group.key)
            rolled[tuple(key[place] for place in places)] += group.totals
        return tuple(Group(key, rolled[key]) for key in sorted(rolled))


def finest(key: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key of a finest group with a value in every dimension."""
    missing = len(DIMENSIONS) - len(key)
    return (*key, *NOBODY[-missing:]) if missing else key
