"""Changes: what a later look at the carrier brought that an earlier issue did not have.

A call is *added*, *removed*, *re-priced* (its cost is another, whatever else is) or *re-labelled*
(anything else about it is). Each has the dollars by which it moves the total, so that the changes
together explain the difference between two issues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from maxo_reports.core.cdr import CallColumns

KINDS = ("added", "removed", "re-priced", "re-labelled")


class Content(NamedTuple):
    """All that the carrier says of one call.

    ``unixtime`` and ``seconds`` in seconds; ``cost`` in micro-dollars, None where unreadable,
    with its text in ``cost_text``.
    """

    unixtime: int
    direction: str
    a_party: str
    b_party: str
    category: str
    status: str
    seconds: int | None
    cost: int | None
    cost_text: str


def contents(columns: CallColumns) -> Iterator[tuple[str, Content]]:
    """Yield every call's id and content, in the columns' order."""
    fields = (getattr(columns, name) for name in Content._fields)
    yield from zip(columns.call_id, map(Content._make, zip(*fields, strict=True)), strict=True)


@dataclass(frozen=True, slots=True)
class Change:
    """One call that differs between two looks; ``micros`` is what it adds to the total."""

    kind: str
    call_id: str
    before: Content | None
    after: Content | None

    @property
    def either(self) -> Content:
        """The call as it is now, or as it was where it is gone."""
        content = self.after or self.before
        assert content is not None, "a change has at least one side"
        return content

    @property
    def micros(self) -> int:
        """Micro-dollars that the change adds to the total cost; negative where it takes away."""
        return _cost(self.after) - _cost(self.before)


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes since an earlier revision, in order of time."""

    since: int
    calls: tuple[Change, ...]

    def count(self, kind: str) -> int:
        """Return how many changes are of a kind."""
        return sum(1 for change in self.calls if change.kind == kind)

    def micros(self, kind: str) -> int:
        """Return what the changes of a kind add to the total, in micro-dollars."""
        return sum(change.micros for change in self.calls if change.kind == kind)


def between(before: Mapping[str, Content], after: Mapping[str, Content], since: int) -> Changes:
    """Compare the calls that differ, by their callid; calls that are equal may be left out."""
    found = [
        Change(
            _kind(before.get(call_id), after.get(call_id)),
            call_id,
            before.get(call_id),
            after.get(call_id),
        )
        for call_id in sorted({*before, *after})
        if before.get(call_id) != after.get(call_id)
    ]
    return Changes(since, tuple(sorted(found, key=lambda c: (c.either.unixtime, c.call_id))))


def explained(changes: Changes, before: Decimal, after: Decimal) -> bool:
    """Tell whether the changes account for the difference between two total costs."""
    moved = Decimal(sum(change.micros for change in changes.calls)).scaleb(-6)
    return before + moved == after


def _kind(before: Content | None, after: Content | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    return "re-priced" if _price(before) != _price(after) else "re-labelled"


def _price(content: Content) -> tuple[int | None, str]:
    return content.cost, content.cost_text


def _cost(content: Content | None) -> int:
    return (content.cost or 0) if content is not None else 0
