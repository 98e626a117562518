"""The calls of an itemised bill in columns, as its reader gives them, some thousands at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

PARTIES = frozenset({"from", "to", "number"})
"""Columns that say who called whom; ``number`` is either side."""


@dataclass(slots=True)
class ListedCalls:
    """Calls of a bill's list, in the list's own order.

    ``line`` is where a call stands; ``unixtime`` when it began, and ``again`` when else it may
    have begun, where the local clock showed that time twice. Numbers are in the form that calls
    are grouped by. ``seconds`` is None where there is no duration; ``charge`` is micro-dollars.
    """

    line: list[int] = field(default_factory=list)
    call_id: list[str] = field(default_factory=list)
    unixtime: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    a_party: list[str] = field(default_factory=list)
    b_party: list[str] = field(default_factory=list)
    number: list[str] = field(default_factory=list)
    seconds: list[int | None] = field(default_factory=list)
    category: list[str] = field(default_factory=list)
    charge: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.line)
