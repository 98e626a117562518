"""Filters: which calls a report or a section is about, in a small closed vocabulary.

A filter is a list of conditions that all must hold; a condition is a field and the values that it
takes. There is nothing else: no comparison, no pattern and no text that any engine would run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maxo_reports.core.cdr import INBOUND, OUTBOUND
from maxo_reports.core.directory import ALLOCATIONS

FLAGS: Mapping[str, tuple[str, str]] = {
    "charged": ("only charged calls", "only calls without a charge"),
    "connected": ("only connected calls", "only calls that were not connected"),
}
"""Field that is true or false -> how a filter by it reads."""
TEXTS: Mapping[str, str] = {
    "direction": "direction",
    "category": "rate category",
    "service_number": "service number",
    "status": "status",
    **{name: heading.lower() for name, heading in ALLOCATIONS.items()},
}
"""Field with texts, compared to the letter -> how a filter by it reads."""
FIELDS = (*FLAGS, *TEXTS)
DIRECTIONS = (INBOUND, OUTBOUND)


@dataclass(frozen=True, slots=True)
class Condition:
    """One field and what it must be: true or false, or one of some texts."""

    field: str
    values: bool | tuple[str, ...]

    @property
    def words(self) -> str:
        """The condition for people."""
        if isinstance(self.values, bool):
            yes, no = FLAGS[self.field]
            return yes if self.values else no
        return f"{TEXTS[self.field]} {' or '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Where:
    """A filter: all of its conditions hold. Without any it is every call."""

    conditions: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether it leaves anything out, as far as it can know."""
        return bool(self.conditions)

    def also(self, other: Where) -> Where:
        """Return the filter of both; a condition that both have is there once."""
        more = (each for each in other.conditions if each not in self.conditions)
        return Where((*self.conditions, *more))

    @property
    def words(self) -> str:
        """The filter for people: ``only charged calls, direction Inbound``."""
        return ", ".join(condition.words for condition in self.conditions)


ALL = Where()
"""No filter: every call of the period."""
