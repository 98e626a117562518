"""Reads a number directory from CSV or a workbook, and gathers every mistake in it by line.

A directory is kept by people in spreadsheets, which take telephone numbers for figures. What
they do to them is found and said with its line; nothing is mended, for a guess would give one
person's calls to another.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from maxo_reports import rows
from maxo_reports.core.directory import (
    ALLOCATIONS,
    UNALLOCATED,
    Directory,
    Entry,
    clashes,
    spelt_twice,
)
from maxo_reports.core.spans import NotCovered, Span, extension, span
from maxo_reports.core.text import has_controls
from maxo_reports.errors import ConfigError, did_you_mean

COLUMNS = ("number", *ALLOCATIONS, "from", "to")
"""The columns of a directory, in the order in which ``directory suggest`` writes them."""
_NUMBERED = ("number", "range", "extension")
"""Columns one of which says what a line covers."""
_ALSO = {
    "numbers": "number",
    "servicenumber": "number",
    "phonenumber": "number",
    "ext": "extension",
    "name": "label",
    "costcenter": "cost_centre",
    "customer": "client",
    "validfrom": "from",
    "validto": "to",
}
"""Other headings that people write, without spaces."""
_SAID = {re.sub("_", "", name): name for name in (*COLUMNS, "range", "extension")}
_LONGEST = 80
_WHOLE_FIGURES = 10**15
"""Above it a spreadsheet's figure has lost digits."""
_AUSTRALIAN_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", re.ASCII)
_MOST_TOLD = 50


def load(path: Path) -> tuple[Directory, bytes]:
    """Read a directory's file; its bytes come along, to be kept. Raises ConfigError."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        why = problem.strerror or "it cannot be read"
        raise ConfigError(f"cannot read the number directory {path}: {why}") from None
    return read(content, path.name), content


def read(content: bytes, name: str) -> Directory:
    """Read the content of a directory's file called ``name``; all mistakes are told at once."""
    reading = _Reading(name)
    entries = list(reading.entries(rows.lines(content, name)))
    problems = [*reading.problems, *clashes(entries), *spelt_twice(entries)]
    problems.sort(key=_line_of)
    if problems:
        told = [f"{name} {problem}" for problem in problems[:_MOST_TOLD]]
        if left := len(problems) - len(told):
            told.append(f"{name}: {left} more mistakes")
        raise ConfigError(told)
    return Directory(tuple(entries), hashlib.sha256(content).hexdigest())


def _line_of(problem: str) -> int:
    return int(problem.split()[1].rstrip(":"))


class _Reading:
    """Reads line after line and gathers what is wrong with each."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: list[str] = []

    def entries(self, lines: Iterator[rows.Line]) -> Iterator[Entry]:
        """Yield the entries that can be read; the first line that says anything is the heading."""
        filled = ((number, cells) for number, cells in lines if any(map(_text, cells)))
        number, heading = next(filled, (1, ()))
        columns = self._columns(number, [_text(cell) for cell in heading])
        if not any(name in columns.values() for name in _NUMBERED):
            self._problem(
                number, f"is no heading with a column 'number': write {','.join(COLUMNS)}"
            )
            return
        for number, cells in filled:
            values = {columns[at]: cell for at, cell in enumerate(cells) if at in columns}
            if more := [_text(cell) for cell in cells[len(heading) :] if _text(cell)]:
                self._problem(number, f"has more columns than the heading: {', '.join(more)!r}")
            entry = self._entry(number, values)
            if entry is not None:
                yield entry

    def _columns(self, line: int, heading: Sequence[str]) -> dict[int, str]:
        """Return which column is where; those of the user's own are passed over."""
        columns: dict[int, str] = {}
        for at, text in enumerate(heading):
            plain = re.sub(r"[\s_\-]", "", text).casefold()
            name = _SAID.get(plain) or _ALSO.get(plain)
            if name is None:
                # A column of notes may have any name, but not one that was meant to be ours.
                if meant := did_you_mean(plain, _SAID):
                    self._problem(line, f"{text!r} is not a column of a directory{meant}")
            elif name in columns.values():
                self._problem(line, f"has the column {name!r} twice")
            else:
                columns[at] = name
        return columns

    def _entry(self, line: int, values: Mapping[str, Any]) -> Entry | None:
        before = len(self.problems)
        covers = self._span(line, values)
        said = {name: self._words(line, name, values.get(name)) for name in ALLOCATIONS}
        days = {name: self._day(line, name, values.get(name)) for name in ("from", "to")}
        first, last = days["from"], days["to"]
        if first and last and last < first:
            self._problem(line, f"'to' {last} is before 'from' {first}")
        if not any(said.values()):
            self._problem(line, f"says nothing of its number: fill in {', '.join(ALLOCATIONS)}")
        if covers is None or len(self.problems) > before:
            return None
        label, site, cost_centre, client = said.values()
        return Entry(line, *covers, label, site, cost_centre, client, first, last)

    def _span(self, line: int, values: Mapping[str, Any]) -> tuple[str, Span] | None:
        """Read what a line covers, which stands in one of three columns."""
        given = {name: values[name] for name in _NUMBERED if _text(values.get(name))}
        if len(given) != 1:
            here = " and ".join(given) or "no number"
            self._problem(line, f"has {here}: one number, range or extension is needed")
            return None
        ((name, cell),) = given.items()
        text = _text(cell)
        try:
            if isinstance(cell, (date, bool)):
                raise NotCovered("is no number: format the column as text and enter it again")
            if isinstance(cell, float) and (not cell.is_integer() or cell >= _WHOLE_FIGURES):
                raise NotCovered("has lost digits: format the column as text and enter it again")
            return text, extension(text) if name == "extension" else span(text)
        except NotCovered as why:
            self._problem(line, f"{text[:_LONGEST]!r} {why}")
            return None

    def _words(self, line: int, name: str, cell: Any) -> str:
        text = " ".join(_text(cell).split())
        if has_controls(text) or len(text) > _LONGEST:
            self._problem(line, f"{name} must be 1 to {_LONGEST} letters, all of them seen")
        elif text.casefold() == UNALLOCATED.casefold():
            self._problem(line, f"{name} {text!r} is kept for numbers that are not listed")
        return text

    def _day(self, line: int, name: str, cell: Any) -> date | None:
        """Read a day; a spreadsheet in Australia writes 31/10/2026."""
        if isinstance(cell, datetime):
            return cell.date()
        if isinstance(cell, date):
            return cell
        text = _text(cell)
        if not text:
            return None
        try:
            if match := _AUSTRALIAN_DAY.fullmatch(text):
                day, month, year = map(int, match.groups())
                return date(year, month, day)
            return date.fromisoformat(text)
        except ValueError:
            self._problem(line, f"{name!r} must be a day such as 2026-10-31, not {text!r}")
            return None

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(f"line {line}: {text}")


def _text(cell: Any) -> str:
    """Return a cell as text: a spreadsheet's figure without the decimals that it does not have."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _WHOLE_FIGURES:
        return str(int(cell))
    return str(cell).strip()
