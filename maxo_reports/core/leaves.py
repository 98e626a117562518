"""Leaves: a list of calls set on pages of whole lines, with what is carried from each to the next.

The one place where a list is broken into pages, whoever paints them. A page has room for so many
lines; a call takes one, or more where a text of it is wrapped. A list in groups has a heading and
a subtotal for every service number. Where a page ends within a group, or within a list that has
no groups, the sums so far are carried forward, and stand again as brought forward on the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from maxo_reports.core.report import CallLine, Calls, Report, Section

Cells = tuple[tuple[str, ...], ...]
"""A row as it is set: for each column, the lines of its cell."""

LEAST_ROOM = 24
"""The fewest lines that a page must have: the tallest row, and what can stand around it."""
TALLEST = 18
"""The most lines that one call may take."""


class Mark(Enum):
    """What an entry of a page is."""

    NUMBER = "number"
    """The heading of a group."""
    AGAIN = "again"
    """The heading of a group that goes on from the page before."""
    BROUGHT = "brought"
    CALL = "call"
    CARRIED = "carried"
    SUBTOTAL = "subtotal"
    TOTAL = "total"


class Sums(NamedTuple):
    """What some calls add up to: their number, whole seconds, micro-dollars."""

    calls: int
    seconds: int
    cost: int


class Entry(NamedTuple):
    """One entry of a page: where it stands, in lines from the top, and what it shows.

    ``cells`` are a call's; ``number`` is the group's; ``sums`` are those of carried and brought
    forward, of a subtotal and of the total.
    """

    mark: Mark
    top: int
    lines: int
    number: str = ""
    cells: Cells = ()
    sums: Sums | None = None


Leaf = tuple[Entry, ...]
Typeset = Callable[[CallLine], Cells]

_NOTHING = Sums(0, 0, 0)


def in_print(report: Report, section: Section) -> Calls:
    """Return the calls that a section lists, in the order of print."""
    return report.calls_of(section) if section.by_number is None else section.by_number


def leaves(
    calls: Iterable[CallLine], typeset: Typeset, room: int, *, grouped: bool
) -> Iterator[Leaf]:
    """Yield the pages of a list, one by one; none where there is no call.

    ``calls`` come in the order in which they are listed, a group's calls together. ``room`` is
    how many lines a page has.
    """
    assert room >= LEAST_ROOM, "a page must hold the tallest call"
    page = _Page(room)
    so_far = whole = _NOTHING
    before: str | None = None
    for call, following in _with_next(calls):
        number = call.service_number if grouped else ""
        cells = typeset(call)
        height = max(map(len, cells), default=1)
        assert height <= TALLEST, "a call's texts are cut before they are as long"
        is_last = following is None or (grouped and following.service_number != number)
        # What must follow the call at once: its group's sums, and the list's below the last one.
        below = 3 if grouped and following is None else 1
        begins = number != before
        head = page.heading if grouped and begins else 0
        if page.used and head + height + below > page.left:
            if not begins:
                page.put(Mark.CARRIED, number=number, sums=so_far)
            yield page.turned()
            if not begins:
                if grouped:
                    page.put(Mark.AGAIN, number=number)
                page.put(Mark.BROUGHT, number=number, sums=so_far)
        if begins:
            so_far, before = _NOTHING, number
            if grouped:
                page.head(number)
        page.put(Mark.CALL, height, number, cells)
        so_far, whole = _plus(so_far, call), _plus(whole, call)
        if grouped and is_last:
            page.put(Mark.SUBTOTAL, number=number, sums=so_far)
    if page.used:
        if grouped:
            page.used += 1
        page.put(Mark.TOTAL, sums=whole)
        yield page.turned()


class _Page:
    """The page that is being filled."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._entries: list[Entry] = []
        self.used = 0

    @property
    def left(self) -> int:
        """How many lines are free."""
        return self._room - self.used

    @property
    def heading(self) -> int:
        """How many lines a group's heading takes: a free one above it, but at the top."""
        return 2 if self.used else 1

    def head(self, number: str) -> None:
        """Begin a group."""
        self.used += self.heading - 1
        self.put(Mark.NUMBER, number=number)

    def put(
        self,
        mark: Mark,
        lines: int = 1,
        number: str = "",
        cells: Cells = (),
        sums: Sums | None = None,
    ) -> None:
        """Set an entry below the last one."""
        assert lines <= self.left, "an entry goes beyond the end of its page"
        self._entries.append(Entry(mark, self.used, lines, number, cells, sums))
        self.used += lines

    def turned(self) -> Leaf:
        """Return what stands on the page, and begin another."""
        leaf = tuple(self._entries)
        self._entries, self.used = [], 0
        return leaf


def _plus(sums: Sums, call: CallLine) -> Sums:
    """Add a call; an unreadable cost or a missing duration counts nothing, as in the ledger."""
    return Sums(sums.calls + 1, sums.seconds + (call.seconds or 0), sums.cost + (call.cost or 0))


def _with_next(calls: Iterable[CallLine]) -> Iterator[tuple[CallLine, CallLine | None]]:
    """Yield every call together with the one after it."""
    before: CallLine | None = None
    for call in calls:
        if before is not None:
            yield before, call
        before = call
    if before is not None:
        yield before, None
