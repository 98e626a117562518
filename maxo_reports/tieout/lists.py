"""Reads a printed list of calls back, page by page, in the memory of one page.

Every line of the list has to be the one that the ledger says comes next: a call, a group's
heading, what is carried and brought forward, a subtotal, the total. A call's line is compared
letter by letter without its spaces; a call whose texts are wrapped, by the letters of all its
lines and by its figures, which never are.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime

from maxo_reports.core.leaves import in_print
from maxo_reports.core.money import MICROS, dollars, to_text
from maxo_reports.core.numbering import spaced
from maxo_reports.core.report import CallLine, Kind, Report, Section
from maxo_reports.core.text import ELLIPSIS, counted
from maxo_reports.tieout.compared import Differences, said
from maxo_reports.tieout.words import Line, squashed

_BY_NUMBER = re.compile("\u2039U\\+([0-9A-F]{4,6})\u203a")
"""How print writes a letter that the type lacks, or that cannot be seen."""
_HEADING_LINES, _ABOVE = 3, 14
"""How many lines headings take, and how far down they and the title are looked for."""
_TALLEST = 18
_TITLE_COMPARED = 40


class Printed:
    """One section's list, as far as it has been read."""

    def __init__(self, section: Section, report: Report, found: Differences) -> None:
        spec = section.spec
        self._title = spec.title
        self._grouped = bool(spec.group_by)
        self._shown = [c for c in spec.call_columns if not c.hidden and c.key not in spec.group_by]
        self._found = found
        self._places = report.places
        self._totals = report.totals_of(section)
        self._calls = in_print(report, section).lines()
        self._next: CallLine | None = next(self._calls, None)
        self._owed: deque[str] = deque()
        self._with_year: bool | None = None
        self._sums = self._whole = (0, 0, 0)
        self._loose = 0
        self._heading = ""
        self._is_over = self._next is None
        self.count = 0
        self._begin_group()

    # ---- pages ----------------------------------------------------------------------------

    def take(self, lines: Sequence[Line]) -> list[Line]:
        """Compare a page, if it is one of the list's; return the lines that are not its rows."""
        start = None if self._is_over else self._body(lines)
        if start is None:
            return list(lines)
        rest = deque(lines[start:])
        if self._sums[0]:
            self._owed.append(self._carried("Brought forward"))
            if self._grouped and self._next is not None:
                self._owed.appendleft(f"{spaced(self._next.service_number)}, continued")
        is_first = True
        while rest and not self._is_over and self._line(rest, is_first=is_first):
            is_first = False
        return [*lines[:start], *rest]

    def finish(self) -> None:
        """Say what is still to come when the file is at its end."""
        if self._next is not None and not self._is_over:
            self._differs(None, "nothing more", f"call {self._next.call_id}")
        elif self._owed and not self._is_over:
            self._differs(None, "nothing more", self._owed[0])

    def _body(self, lines: Sequence[Line]) -> int | None:
        """Return where the rows begin below title and headings, None on any other page."""
        title = squashed(self._title)[:_TITLE_COMPARED]
        wanted = sorted(squashed(*(column.label for column in self._shown)))
        titled = False
        for at, line in enumerate(lines[:_ABOVE]):
            titled = titled or squashed(_close(line.words)).startswith(title)
            letters: list[str] = []
            for until in range(at, min(at + _HEADING_LINES, len(lines))) if titled else ():
                letters += squashed(_close(lines[until].words))
                if sorted(letters) == wanted:
                    return until + 1
        return None

    # ---- lines ----------------------------------------------------------------------------

    def _line(self, rest: deque[Line], *, is_first: bool) -> bool:
        """Compare the next line; False where the list's part of the page is at its end."""
        line = rest[0]
        if self._owed:
            wanted = self._owed[0]
            if _is_line(line, wanted):
                self._owed.popleft()
                self._found.figures += 1
                self._loose = 0
                self._is_over = not self._owed and self._next is None
            elif self._loose:
                self._loose -= 1
            else:
                # A group may begin on the next page, whose first line must be its heading.
                if wanted is not self._heading or is_first:
                    self._differs(line, " ".join(line.words), wanted)
                return False
            rest.popleft()
            return True
        assert self._next is not None, "nothing is owed of a list that is over"
        carried = self._carried("Carried forward")
        if self._sums[0] and _is_line(line, carried):
            self._found.figures += 1
            rest.popleft()
            return False
        lines = self._call(rest, self._next)
        if not lines:
            if self._loose:
                self._loose -= 1
                rest.popleft()
                return True
            self._differs(line, *self._what_differs(line, self._next))
            return False
        for _ in range(lines):
            rest.popleft()
        self._listed(self._next)
        return True

    def _call(self, rest: Sequence[Line], call: CallLine) -> int:
        """Return how many lines show a call, 0 where the next ones do not."""
        first = _close(rest[0].words)
        for with_year in (False, True) if self._with_year is None else (self._with_year,):
            cells = self._cells(call, with_year=with_year)
            if first == _closed("".join(cells)):
                self._with_year, self._loose = with_year, 0
                return 1
            lines = self._wrapped(rest, cells)
            if lines:
                self._with_year = with_year
                return lines
        return 0

    def _wrapped(self, rest: Sequence[Line], cells: Sequence[str]) -> int:
        """Return how many lines show a call whose texts are wrapped, or hold odd letters."""
        if not self._has_figures(rest[0], cells):
            return 0
        wanted = _closed("".join(cells))
        if wanted.isascii():
            letters = Counter[str]()
            for at in range(min(_TALLEST, len(rest))):
                letters.update(_close(rest[at].words))
                if letters.total() >= len(wanted) or ELLIPSIS in letters:
                    break
            else:
                return 0
            cut = letters.pop(ELLIPSIS, 0)
            if letters == Counter(wanted):
                self._loose = 0
                return at + 1
            if not cut or letters - Counter(wanted):
                return 0
        # What is odd, or was cut, is compared by its figures; its other lines are passed over.
        self._loose = _TALLEST
        return 1

    def _has_figures(self, line: Line, cells: Sequence[str]) -> bool:
        """Tell whether a line has a call's moment, duration and cost, in their order."""
        text, at = _close(line.words), 0
        for cell, column in zip(cells, self._shown, strict=True):
            if cell and column.kind in {Kind.MOMENT, Kind.DURATION, Kind.MONEY}:
                at = text.find(_closed(cell), at)
                if at < 0:
                    return False
                at += len(_closed(cell))
        return True

    def _listed(self, call: CallLine) -> None:
        """Count a call that was found, and what must follow it at once."""
        self.count += 1
        self._found.figures += len(self._shown)
        self._sums = _plus(self._sums, call)
        self._whole = _plus(self._whole, call)
        self._next = next(self._calls, None)
        ended = self._next is None or (
            self._grouped and self._next.service_number != call.service_number
        )
        if ended and self._grouped:
            self._owed.append(self._said("Subtotal", self._sums, "$"))
        if ended:
            self._sums = (0, 0, 0)
            self._begin_group()
        if self._next is None:
            self._owed.append(self._said("Total", self._whole, "$"))
            control = (self._totals.calls, self._totals.seconds, int(self._totals.cost * MICROS))
            self._found.compare(f"{self._title!r}: sums of its calls", self._whole, control)

    def _begin_group(self) -> None:
        if self._grouped and self._next is not None:
            self._heading = spaced(self._next.service_number)
            if _closed(self._heading):
                self._owed.append(self._heading)

    # ---- words ----------------------------------------------------------------------------

    def _cells(self, call: CallLine, *, with_year: bool) -> list[str]:
        """Write a call's cells as they should be printed."""
        written = []
        for column in self._shown:
            value = getattr(call, column.key)
            if value is None:
                written.append("")
            elif column.kind is Kind.MOMENT:
                written.append(_moment(value, with_year=with_year))
            elif column.kind is Kind.DURATION:
                written.append(_duration(value))
            elif column.kind is Kind.MONEY:
                written.append(to_text(dollars(value), self._places))
            else:
                written.append(value)
        return written

    def _carried(self, what: str) -> str:
        return self._said(what, self._sums)

    def _said(self, what: str, sums: tuple[int, int, int], sign: str = "") -> str:
        """Write a line of sums: what it is, how many calls, and the figures that are columns."""
        calls, seconds, micros = sums
        figures = {
            "seconds": _duration(seconds),
            "cost": to_text(dollars(micros), self._places, sign),
        }
        words = [f"{what}, {counted(calls, 'call')}"]
        words += [figures[c.key] for c in self._shown if c.key in figures]
        return " ".join(words)

    def _what_differs(self, line: Line, call: CallLine) -> tuple[str, str]:
        """Return the first words that differ, or both lines where there is no telling."""
        cells = self._cells(call, with_year=bool(self._with_year))
        wanted = " ".join(cells).split()
        if len(wanted) == len(line.words):
            for seen, word in zip(line.words, wanted, strict=True):
                if seen != word:
                    return f"call {call.call_id}, {seen}", word
        return " ".join(line.words), " ".join(wanted)

    def _differs(self, line: Line | None, seen: str, wanted: str) -> None:
        """Note what differs; nothing after it can be told any more."""
        place = f"page {line.page}, {self._title!r}" if line is not None else f"{self._title!r}"
        self._found.add(f"{place}: {said(seen)} in the file, {said(wanted)} in the ledger")
        self._is_over = True


def _plus(sums: tuple[int, int, int], call: CallLine) -> tuple[int, int, int]:
    calls, seconds, micros = sums
    return calls + 1, seconds + (call.seconds or 0), micros + (call.cost or 0)


def _duration(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _moment(local: int, *, with_year: bool) -> str:
    at = datetime.fromtimestamp(local, UTC)
    day = f"{at.day} {at:%b %Y}" if with_year else f"{at.day} {at:%b}"
    return f"{day}, {at:%H:%M:%S}"


def _is_line(line: Line, wanted: str) -> bool:
    """Tell whether a line says what it should, its label wherever there is room for it.

    A group's number that is too long for a line may be cut.
    """
    if sorted(line.words) == sorted(wanted.split()):
        return True
    text, whole = _close(line.words), _closed(wanted)
    kept, cut, more = text.partition(ELLIPSIS)
    return text == whole or bool(cut and kept and whole.startswith(kept) and whole.endswith(more))


def _close(words: Sequence[str]) -> str:
    """Join the printed words of a line without any space."""
    return _closed("".join(words))


def _closed(text: str) -> str:
    """Take out spaces, and write letters that stand as their number as themselves."""
    if "\u2039" in text:
        text = _BY_NUMBER.sub(_letter, text)
    return "".join(text.split())


def _letter(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
