"""A bill's list of calls, read in batches: a million lines take some seconds and little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports.core import numbering
from maxo_reports.core.listed import PARTIES, ListedCalls
from maxo_reports.core.period import LocalClock
from maxo_reports.invoice import grid, headings, words
from maxo_reports.invoice.problems import Problems

_BATCH = 20_000
_MOST_REMEMBERED = 200_000
_DAY = 86_400
_TIMES = ("started", "unixtime", "day")


@dataclass(frozen=True, slots=True)
class CallList:
    """A list of calls that can be read: where its columns are, in which file."""

    path: Path
    places: Mapping[str, int]

    @property
    def columns(self) -> frozenset[str]:
        """The columns that it has, any form of time as ``started``."""
        timed = {"started"} if any(name in self.places for name in _TIMES) else set()
        return frozenset({*self.places, *timed} - {"unixtime", "day", "clock"})

    def batches(self, clock: LocalClock) -> Iterator[ListedCalls]:
        """Yield the calls some thousands at a time; ``clock`` is that of the bill's zone.

        Raises ConfigError with every mistake, at the end.
        """
        problems = Problems(self.path)
        read = _Reader(self.places, clock, problems)
        batch = ListedCalls()
        rows = grid.rows(self.path)
        next(rows)
        for number, row in rows:
            read.one(number, row, batch)
            if len(batch) == _BATCH:
                yield batch
                batch = ListedCalls()
        if len(batch):
            yield batch
        problems.raise_any()


def opened(path: Path, named: Mapping[str, str], problems: Problems) -> CallList | None:
    """Find a list's columns, or note what is wrong with its headings."""
    number, head = next(grid.rows(path), (1, ()))
    at = f"line {number}"
    places = headings.found(head, headings.OF_CALLS, named, problems, at)
    timed = any(name in places for name in _TIMES) and ("day" not in places or "clock" in places)
    by_time = timed and bool(PARTIES & set(places))
    if "charge" not in places:
        problems.add("a list of calls needs a column 'charge'", at)
    if "id" not in places and not by_time:
        problems.add(
            "a list of calls needs a column 'call id', or a time ('started', or 'date' and "
            "'time') and a number ('from', 'to' or 'number')",
            at,
        )
    return CallList(path, places) if head else None


class _Memo(dict[Any, Any]):
    """Works a value out once; starts again when it has remembered too many."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, cell: Any) -> Any:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        value = self[cell] = self._make(cell)
        return value


class _Reader:
    def __init__(self, places: Mapping[str, int], clock: LocalClock, problems: Problems) -> None:
        self._places = places
        self._problems = problems
        self._width = max(places.values(), default=0) + 1
        self._charges = _Memo(words.micros)
        self._numbers = _Memo(lambda cell: numbering.compact(words.text(cell)))
        self._lengths = _Memo(words.length)
        self._days = _Memo(words.day_number)
        self._clocks = _Memo(words.clock)
        self._moments = _Memo(clock.unixtimes)

    def one(self, number: int, row: Sequence[Any], batch: ListedCalls) -> None:
        """Add one call to a batch; a line with a mistake is noted."""
        if len(row) < self._width:
            self._problems.add(
                f"{len(row)} fields where there are {self._width}", f"line {number}"
            )
            return
        at, places = f"line {number}", self._places
        cells = {name: row[place] for name, place in places.items()}
        charge = self._charges[cells["charge"]]
        if charge is None:
            self._problems.add(f"charge {cells['charge']!r} is no dollars", at)
            return
        times = self._times(cells, at)
        if times is None:
            return
        length = cells.get("seconds", "")
        seconds = self._lengths[length] if length != "" else None
        if length != "" and seconds is None:
            self._problems.add(f"duration {length!r} is neither seconds nor h:mm:ss", at)
            return
        batch.line.append(number)
        batch.call_id.append(words.text(cells.get("id")))
        batch.unixtime.append(times[0])
        batch.again.append(times[-1])
        batch.a_party.append(self._numbers[cells["from"]] if "from" in cells else "")
        batch.b_party.append(self._numbers[cells["to"]] if "to" in cells else "")
        batch.number.append(self._numbers[cells["number"]] if "number" in cells else "")
        batch.seconds.append(seconds)
        batch.category.append(words.text(cells.get("category")))
        batch.charge.append(charge)

    def _times(self, cells: Mapping[str, Any], at: str) -> tuple[int, ...] | None:
        """Return the unix second, or both that a local time twice in the year may be."""
        if "unixtime" in cells:
            unixtime = words.whole(cells["unixtime"])
            if unixtime is None:
                self._problems.add(f"unixtime {cells['unixtime']!r} is no whole number", at)
            return None if unixtime is None else (unixtime,)
        if "started" in cells:
            said = cells["started"]
            local = self._local(said) if isinstance(said, str) else words.local_seconds(said)
        elif "day" in cells:
            said = f"{cells['day']} {cells.get('clock', '')}"
            local = words.together(cells["day"], cells.get("clock", ""))
        else:
            return (0,)
        if local is None:
            self._problems.add(f"time {said!r} is not understood, as 2026-10-31 23:59:59 is", at)
            return None
        hour, rest = divmod(local, 900)
        return tuple(moment + rest for moment in self._moments[hour * 900])

    def _local(self, said: str) -> int | None:
        """Read a day and time; the days and the times of day repeat by the thousand."""
        first, _, rest = said.strip().replace("T", " ", 1).partition(" ")
        day, seconds = self._days[first], self._clocks[rest]
        return None if day is None or seconds is None else int(day * _DAY + seconds)
