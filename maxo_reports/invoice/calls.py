"""A bill's list of calls, read in batches: a million lines take some seconds and little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from maxo_reports.core import numbering
from maxo_reports.core.bills.listed import PARTIES, ListedCalls
from maxo_reports.core.period import LocalClock
from maxo_reports.invoice import headings, words
from maxo_reports.invoice.problems import Problems
from maxo_reports.rows import lines_of, worded

_BATCH = 20_000
_MOST_REMEMBERED = 200_000
_DAY, _QUARTER = 86_400, 900
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
        rows = lines_of(self.path)
        next(rows)
        while some := list(islice(rows, _BATCH)):
            batch = read.batch(some)
            if batch is not None:
                yield batch
        problems.raise_any()


def opened(path: Path, named: Mapping[str, str], problems: Problems) -> CallList | None:
    """Find a list's columns, or note what is wrong with its headings."""
    number, head = next(lines_of(path), (1, ()))
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
    """Reads some thousands of calls, a column at a time; what repeats is worked out once."""

    def __init__(self, places: Mapping[str, int], clock: LocalClock, problems: Problems) -> None:
        self._places = places
        self._problems = problems
        self._width = max(places.values(), default=0) + 1
        self._charges = _Memo(words.micros)
        self._numbers = _Memo(lambda cell: numbering.compact(words.party(cell)))
        self._lengths = _Memo(words.length)
        self._days = _Memo(words.day_number)
        self._clocks = _Memo(words.clock)
        self._moments = _Memo(clock.unixtimes)

    def batch(self, rows: Sequence[tuple[int, Sequence[Any]]]) -> ListedCalls | None:
        """Read some calls; None where one of them has a mistake, which is noted."""
        short = [(number, len(row)) for number, row in rows if len(row) < self._width]
        for number, width in short:
            self._problems.add(f"{width} fields where there are {self._width}", f"line {number}")
        whole = [each for each in rows if len(each[1]) >= self._width] if short else rows
        lines = [number for number, _ in whole]
        columns = list(zip(*(row[: self._width] for _, row in whole), strict=True))
        cells = {name: columns[place] if columns else () for name, place in self._places.items()}
        count = len(whole)
        charges = self._read("charge", cells, lines, self._charges, "is no dollars")
        lengths = self._read(
            "seconds", cells, lines, self._lengths, "is neither seconds nor h:mm:ss", ""
        )
        moments = self._times(cells, lines)
        ids = _texts(cells, "id", count)
        self._check_ids(cells, ids, lines)
        if short or charges is None or lengths is None or moments is None:
            return None
        return ListedCalls(
            lines,
            ids,
            [found[0] for found in moments],
            [found[-1] for found in moments],
            self._parties(cells, "from", count),
            self._parties(cells, "to", count),
            self._parties(cells, "number", count),
            lengths,
            _texts(cells, "category", count),
            charges,
        )

    def _check_ids(
        self, cells: Mapping[str, Sequence[Any]], ids: Sequence[str], lines: Sequence[int]
    ) -> None:
        """Note a line with neither id nor time: it is no call, but a list's total or its like."""
        if any(name in cells for name in _TIMES):
            return
        for line, call_id in zip(lines, ids, strict=True):
            if not call_id:
                self._problems.add(
                    "no call id, and the list has no times: is it a total?", f"line {line}"
                )

    def _parties(self, cells: Mapping[str, Sequence[Any]], name: str, count: int) -> list[str]:
        return [self._numbers[cell] for cell in cells[name]] if name in cells else [""] * count

    def _read(
        self,
        name: str,
        cells: Mapping[str, Sequence[Any]],
        lines: Sequence[int],
        read: _Memo,
        wrong: str,
        nothing: str | None = None,
    ) -> list[Any] | None:
        """Read one column; a cell that is ``nothing`` may be None, any other is a mistake."""
        column = cells.get(name)
        if column is None:
            return [None] * len(lines)
        values = [None if cell == nothing else read[cell] for cell in column]
        if None not in values:
            return values
        bad = [
            (line, cell)
            for line, cell, value in zip(lines, column, values, strict=True)
            if value is None and cell != nothing
        ]
        for line, cell in bad:
            word = "duration" if name == "seconds" else name
            self._problems.add(f"{word} {cell!r} {wrong}", f"line {line}")
        return None if bad else values

    def _times(
        self, cells: Mapping[str, Sequence[Any]], lines: Sequence[int]
    ) -> list[tuple[int, ...]] | None:
        """Return each call's unix second, or both that a local time twice in the year may be."""
        if "unixtime" in cells:
            memo, wrong = _Memo(words.whole), "is no whole number"
            whole = self._read("unixtime", cells, lines, memo, wrong)
            return None if whole is None else [(moment,) for moment in whole]
        if "started" in cells:
            said: Sequence[Any] = cells["started"]
            local = [
                self._local(s) if isinstance(s, str) else words.local_seconds(s) for s in said
            ]
        elif "day" in cells:
            said = list(zip(cells["day"], cells.get("clock", [""] * len(lines)), strict=True))
            local = [words.together(first, rest) for first, rest in said]
        else:
            return [(0,)] * len(lines)
        for line, cell, seconds in zip(lines, said, local, strict=True):
            if seconds is None:
                text = " ".join(map(str, cell)) if isinstance(cell, tuple) else cell
                wrong = f"time {text!r} is not understood, as 2026-10-31 23:59:59 is"
                self._problems.add(wrong, f"line {line}")
        return None if None in local else [self._unixtimes(at) for at in local if at is not None]

    def _unixtimes(self, local: int) -> tuple[int, ...]:
        """Return the moments of a local time; clocks change on the quarter of an hour only."""
        quarter = local // _QUARTER * _QUARTER
        return tuple([moment + local - quarter for moment in self._moments[quarter]])

    def _local(self, said: Any) -> int | None:
        """Read a day and time; the days and the times of day repeat by the thousand."""
        if not isinstance(said, str):
            return words.local_seconds(said)
        first, _, rest = said.strip().replace("T", " ", 1).partition(" ")
        day, seconds = self._days[first], self._clocks[rest]
        return None if day is None or seconds is None else day * _DAY + seconds


def _texts(cells: Mapping[str, Sequence[Any]], name: str, count: int) -> list[str]:
    return list(map(worded, cells[name])) if name in cells else [""] * count
