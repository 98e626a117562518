"""The number directory: whose number it was, on which day, and who pays for it.

Entries are dated, since a number moves from one cost centre to another in the middle of a month.
On each day the entry that fits a call best decides: the number with the exchange's route behind
it, then the extension, then the number itself, then the smallest range around it (longest match).
A call that no entry covers is not dropped and not shared out: it is UNALLOCATED, with its dollars.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from maxo_reports.core.numbering import comparable, split_route
from maxo_reports.core.spans import EXTENSION, NUMBER, Family, Span

UNALLOCATED = "Unallocated"
"""What stands for a value that no entry gives: a name that no entry may have."""

ALLOCATIONS: Mapping[str, str] = {
    "label": "Label",
    "site": "Site",
    "cost_centre": "Cost centre",
    "client": "Client",
}
"""Dimension that a directory gives -> its heading, in the order of ``Allocation``."""


class Allocation(NamedTuple):
    """What a directory says of a call; UNALLOCATED where it says nothing."""

    label: str = UNALLOCATED
    site: str = UNALLOCATED
    cost_centre: str = UNALLOCATED
    client: str = UNALLOCATED


NOBODY = Allocation()
"""What is said of a call that no entry covers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a directory: which numbers, what is said of them, from when to when.

    ``line`` is where it stands in its file, ``written`` the number as it is written there.
    ``first`` and ``last`` are local days, both included; None where there is no limit.
    """

    line: int
    written: str
    span: Span
    label: str = ""
    site: str = ""
    cost_centre: str = ""
    client: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def allocation(self) -> Allocation:
        """What it says of a call."""
        said = (self.label, self.site, self.cost_centre, self.client)
        return Allocation(*(value or UNALLOCATED for value in said))

    def holds_on(self, day: date) -> bool:
        """Tell whether it holds on a day."""
        begun = self.first is None or self.first <= day
        return begun and (self.last is None or day <= self.last)

    def shares_days(self, other: Entry) -> bool:
        """Tell whether there is a day on which both hold."""
        first = max(self.first or date.min, other.first or date.min)
        return first <= min(self.last or date.max, other.last or date.max)


@dataclass(frozen=True)
class Directory:
    """The entries of a directory, found by a call's number and local day.

    ``sha256`` is that of the file they were read from: the directory decides what reports say.
    """

    entries: tuple[Entry, ...] = ()
    sha256: str = ""
    _single: dict[Span, list[Entry]] = field(init=False, repr=False, compare=False)
    _ranges: list[Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        single: defaultdict[Span, list[Entry]] = defaultdict(list)
        ranges = []
        for entry in self.entries:
            if entry.span.is_single:
                single[entry.span].append(entry)
            else:
                ranges.append(entry)
        object.__setattr__(self, "_single", dict(single))
        object.__setattr__(self, "_ranges", ranges)

    def __bool__(self) -> bool:
        """Tell whether there is a directory at all; one without entries is one, too."""
        return bool(self.entries or self.sha256)

    def find(self, service_number: str, day: date, own_party: str = "") -> Entry | None:
        """Return the entry that decides for a call on a local day, or None where none does.

        ``own_party`` is the call's own side as the carrier writes it (the calling number of an
        outbound call, the called one of an inbound), with the exchange's route if it has one.
        """
        fitting = self.fitting(service_number, own_party)
        return next((entry for entry in fitting if entry.holds_on(day)), None)

    def allocation(self, service_number: str, day: date, own_party: str = "") -> Allocation:
        """Return label, site, cost centre and client of a call, UNALLOCATED where none is."""
        entry = self.find(service_number, day, own_party)
        return NOBODY if entry is None else entry.allocation

    def fitting(self, service_number: str, own_party: str = "") -> tuple[Entry, ...]:
        """Return the entries that cover a call whatever its day, the one that fits best first."""
        key = comparable(service_number)
        _, route = split_route(own_party)
        spans = [
            *([Span(NUMBER, key, key, route=route.casefold())] if route else ()),
            *([Span(EXTENSION, *(route.casefold(),) * 2)] if route else ()),
        ]
        found = [entry for span in spans for entry in self._single.get(span, ())]
        found += self._around(EXTENSION, route.casefold()) if route else ()
        family: Family = NUMBER if key.startswith("+") else EXTENSION
        found += self._single.get(Span(family, key, key), ())
        found += self._around(family, key)
        return tuple(dict.fromkeys(found))

    def _around(self, family: Family, key: str) -> list[Entry]:
        """Return the ranges that a number is in, the smallest first."""
        found = [e for e in self._ranges if e.span.family == family and e.span.covers(key)]
        return sorted(found, key=lambda entry: (entry.span.size(len(key)), entry.line))

    def stays(
        self, service_number: str, own_party: str, first: date, until: date
    ) -> Iterator[tuple[date, date, Allocation]]:
        """Yield the spans of days, half-open, in which a number is allocated in one way."""
        fitting = self.fitting(service_number, own_party)
        day = timedelta(days=1)
        edges = {first, until}
        edges |= {e.first for e in fitting if e.first and first < e.first < until}
        # Until is met before a day is added: 9999-12-31 has none after it.
        edges |= {e.last + day for e in fitting if e.last and first <= e.last < until - day}
        ordered = sorted(edges)
        for begin, end in pairwise(ordered):
            entry = next((each for each in fitting if each.holds_on(begin)), None)
            yield begin, end, NOBODY if entry is None else entry.allocation

    @property
    def used(self) -> tuple[str, ...]:
        """The dimensions that at least one entry gives."""
        return tuple(
            name for name in ALLOCATIONS if any(getattr(entry, name) for entry in self.entries)
        )


EMPTY = Directory()
"""No directory: every call is unallocated, and nobody asks why."""


def clashes(entries: Sequence[Entry]) -> Iterator[str]:
    """Say of each entry what stands in the way: the same numbers, or half of them, again.

    A range inside another one is no clash, for the smaller decides.
    """
    words = {"same": "is listed already on line", "crossing": "overlaps with the range of line"}
    single: defaultdict[Span, list[Entry]] = defaultdict(list)
    ranges: list[Entry] = []
    for entry in entries:
        # A single number lies inside a range or beside it, and so clashes with its equals only.
        others = single[entry.span] if entry.span.is_single else ranges
        for other in others:
            relation = entry.span.against(other.span)
            if relation in words and entry.shares_days(other):
                days = "" if _always(entry, other) else " for some of the same days"
                yield f"line {entry.line}: {entry.written!r} {words[relation]} {other.line}{days}"
        others.append(entry)


def _always(*entries: Entry) -> bool:
    return all(entry.first is None and entry.last is None for entry in entries)


def spelt_twice(entries: Sequence[Entry]) -> Iterator[str]:
    """Say which sites, cost centres and clients differ in capital letters only.

    They would be two lines of a report, and one to a spreadsheet.
    """
    for name in ("site", "cost_centre", "client"):
        seen: dict[str, Entry] = {}
        for entry in entries:
            value = getattr(entry, name)
            first = seen.setdefault(value.casefold(), entry)
            known = getattr(first, name)
            if value != known:
                heading = ALLOCATIONS[name].lower()
                yield (
                    f"line {entry.line}: {heading} {value!r} differs from {known!r} on line "
                    f"{first.line} in capital letters only"
                )
