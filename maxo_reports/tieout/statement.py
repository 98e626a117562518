"""Reads a statement back from its PDF, as a person's program would show it.

What is compared are the words on the page, not what was meant to be there: each row of each
section is looked for below the section's title, its figures read as numbers, its label beside
them. A section that is drawn as a chart has no figures to compare, and is said to be drawn.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from maxo_reports.core.measured import drawn
from maxo_reports.core.money import round_half_up
from maxo_reports.core.report import Cell, Column, Kind, Report, Role, Section
from maxo_reports.core.text import visible
from maxo_reports.tieout import attached
from maxo_reports.tieout.compared import Differences, Tied, said
from maxo_reports.tieout.lists import Printed
from maxo_reports.tieout.words import Line, pages, squashed

_FIGURES = frozenset({Kind.COUNT, Kind.DURATION, Kind.MONEY, Kind.CENTS})
_DOLLARS = frozenset({Kind.MONEY, Kind.CENTS})
_DRAWN = re.compile(r"\$([0-9,]+\.[0-9]+)$", re.ASCII)
"""The cost that stands at the end of a bar."""
_COUNT = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})*", re.ASCII)
_DURATION = re.compile(r"([0-9]+):([0-9]{2}):([0-9]{2})", re.ASCII)
_MONEY = re.compile(r"(\u2212?)\$?([0-9]{1,3}(?:,[0-9]{3})*\.[0-9]+)", re.ASCII)
_WHOLE_LABEL = 24
"""Up to so many letters a label is compared whole; of a longer one its words are looked for."""
_COMPARED = 80
"""How many letters of a label are compared: a template may cut a long one."""
_FEW_DIGITS = 3
_CENTS = 2
_OTHER_LETTERS, _SYMBOLS = "\u0180", "\u2200"
"""From here on no font can be relied on, and what it lacks is printed as a number."""
_ABOVE, _BELOW = 4, 16
"""How many lines around a row a wrapped label may take."""

_Figure = int | Decimal


@dataclass(frozen=True, slots=True)
class _Expected:
    """A row as it should be printed: what names it, and its figures with their headings."""

    label: tuple[str, ...]
    legible: bool
    figures: tuple[tuple[str, Kind, _Figure], ...]

    @property
    def name(self) -> str:
        return " ".join(" ".join(self.label).split())


def read_back(path: Path, report: Report) -> Tied:
    """Compare every row that a statement should show with what stands on its pages."""
    found = Differences(path)
    shown = report.sections_for("pdf")
    sections = [s for s in shown if s.table is not None]
    lists = [Printed(s, report, found) for s in shown if s.table is None]
    reader, printed = _without_calls(path, lists)
    # A section may be titled like the whole, whose own title stands above everything.
    own_title = _own_title(printed, report.definition.title)
    starts = {s.spec.title: _titled(printed, s.spec.title, own_title) for s in shown}
    pictures = tuple(s.spec.title for s in sections if _is_drawn(s))
    cover = printed[: min((at for at in starts.values() if at), default=len(printed))]
    for section in sections:
        start = starts[section.spec.title]
        # A row that is wrong must not be found in the next section, where its total stands again.
        until = min((other - 1 for other in starts.values() if other > start), default=None)
        own = printed[start:until]
        if section.spec.kind == "summary":
            _compare_cover(cover, section, report, found)
        elif _is_drawn(section):
            _compare_peak(own, section, report.places, found)
        else:
            _compare_rows(own, section, report.places, found)
            _compare_bars(own, section, report.places, found)
    if report.heading.state.word == "provisional":
        _compare_stamps(printed, found)
    if report.filtered:
        _compare_filter(cover, report.filtered, found)
    for name in report.definition.attach:
        attached.compare(path, name, report, found)
    calls = sum(each.count for each in lists)
    return found.tied(reader, calls, pictures, report.totals, report.filtered)


def _without_calls(path: Path, lists: Sequence[Printed]) -> tuple[str, list[Line]]:
    """Compare lists of calls while the pages are read; return all other lines."""
    reader, found = pages(path)
    kept: list[Line] = []
    for page in found:
        rest = page
        for each in lists:
            rest = each.take(rest)
        kept += rest
    for each in lists:
        each.finish()
    return reader, kept


def _is_drawn(section: Section) -> bool:
    return section.spec.kind == "days" and section.spec.chart


def _titled(printed: Sequence[Line], title: str, after: int = 0) -> int:
    """Return where the lines below a section's title begin, or 0 where there is no title."""
    wanted = squashed(title)
    found = (
        n for n, line in enumerate(printed[after:], after + 1) if squashed(*line.words) == wanted
    )
    return next(found, 0)


def _own_title(printed: Sequence[Line], title: str) -> int:
    """Return where the lines below the statement's own title begin; facts may stand beside it."""
    wanted = squashed(title)
    at = (n for n, line in enumerate(printed, 1) if squashed(*line.words).startswith(wanted))
    found = next(at, 0)
    return found if found and printed[found - 1].page == 1 else 0


def _compare_cover(
    cover: Sequence[Line], section: Section, report: Report, found: Differences
) -> None:
    """Look for each control total, and the one that is paid, above the first table."""
    table = section.table
    assert table is not None, "only the itemised list has no table"
    words = [word for line in cover for word in line.words]
    totals = _expected(table.rows[0].cells, table.columns, report.places).figures
    for heading, kind, figure in (*totals, _paid(report)):
        found.figures += 1
        if all(read(word, kind) != figure for word in words):
            found.add(f"page 1: the total {heading.lower()}, {said(figure)}, is not there")


def _paid(report: Report) -> tuple[str, Kind, Decimal]:
    """Return what is paid: of a client's statement the sum of its charges, with fees and GST."""
    charged = next(
        (s.table for s in report.sections if s.spec.kind == "charges" and s.table), None
    )
    if charged is None:
        return "to the cent", Kind.CENTS, report.payable
    due = next(row.cells[1] for row in charged.rows if row.role is Role.TOTAL)
    assert isinstance(due, Decimal), "charges are dollars"
    return "to be paid", Kind.CENTS, due


def _compare_rows(
    printed: Sequence[Line], section: Section, places: int, found: Differences
) -> None:
    """Look for a section's rows, one after the other, among its own lines."""
    table = section.table
    assert table is not None, "only the itemised list has no table"
    if not any(row.role is Role.ROW for row in table.rows):
        return  # no table is drawn of nothing, and a note says so
    at = 0
    for row in table.rows:
        expected = _expected(row.cells, table.columns, places)
        found.figures += len(expected.figures)
        place = next((n for n in range(at, len(printed)) if _is_row(printed, n, expected)), None)
        if place is not None:
            at = place + 1
        else:
            found.add(_what_differs(printed, at, section.spec.title, expected))
        if found.enough:
            return


def _compare_peak(
    printed: Sequence[Line], section: Section, places: int, found: Differences
) -> None:
    """Look for the one figure of a drawing, its highest: the cost, or calls where all is free."""
    table = section.table
    assert table is not None, "only the itemised list has no table"
    for key in ("cost", "calls"):
        column = next((n for n, c in enumerate(table.columns) if c.key == key), None)
        if column is None:
            continue
        cells = [row.cells[column] for row in table.rows if row.role is Role.ROW]
        values = [value for value in cells if isinstance(value, (int, Decimal))]
        if any(values):
            # Days without a row have nothing, which is more than a day of credits.
            peak = max(*values, 0)
            figure = round_half_up(peak, places) if isinstance(peak, Decimal) else peak
            kind = table.columns[column].kind
            found.figures += 1
            # Letters of a drawing may come one by one.
            if all(read("".join(line.words), kind) != figure for line in printed):
                found.add(f"{section.spec.title!r}: the peak {said(figure)} is not there")
            return


def _compare_bars(
    printed: Sequence[Line], section: Section, places: int, found: Differences
) -> None:
    """Look for the costs at the ends of a grouped section's bars."""
    table = section.table
    assert table is not None, "only the itemised list has no table"
    if not (section.spec.chart and section.spec.kind == "groups"):
        return
    # Letters of a drawing may come one by one.
    ends = [match[1] for line in printed if (match := _DRAWN.search("".join(line.words)))]
    seen = Counter(ends)
    cost = next(at for at, column in enumerate(table.columns) if column.key == "cost")
    for row in drawn(table):
        value = row.cells[cost]
        assert isinstance(value, Decimal), "only rows that cost something are drawn"
        figure = f"{round_half_up(value, places):,.{places}f}"
        found.figures += 1
        seen[figure] -= 1
        if seen[figure] < 0:
            name = said(_expected(row.cells, table.columns, places).name)
            found.add(f"{section.spec.title!r}: the bar of {name}, {figure}, is not there")


def _expected(cells: Sequence[Cell], columns: Sequence[Column], places: int) -> _Expected:
    label: list[str] = []
    figures: list[tuple[str, Kind, _Figure]] = []
    legible = True
    for cell, column in zip(cells, columns, strict=True):
        if not column.is_in_print:
            continue
        if column.kind not in _FIGURES:
            label.append(_label(cell))
            text = str(cell or "")
            # What is written out by number breaks anywhere, in a column of a few letters' width.
            legible = legible and _is_latin(text) and visible(text, len(text)) == text
        elif isinstance(cell, (int, Decimal)):
            own = _CENTS if column.kind is Kind.CENTS else places
            figure = round_half_up(cell, own) if isinstance(cell, Decimal) else cell
            figures.append((column.label, column.kind, figure))
    return _Expected(tuple(label), legible, tuple(figures))


def _label(cell: Cell) -> str:
    """Return a cell that is no figure as it is printed, as far as it is compared."""
    if isinstance(cell, datetime):
        return f"{cell.day} {cell:%b %Y, %H:%M:%S}"
    if isinstance(cell, date):
        return f"{cell.day} {cell:%b %Y}"
    text = visible(str(cell or ""), 10 * _COMPARED)
    return text[:_COMPARED]


def read(word: str, kind: Kind) -> _Figure | None:
    """Read a printed word as a figure of a kind, or return None where it is none."""
    if kind is Kind.COUNT and _COUNT.fullmatch(word):
        return int(word.replace(",", ""))
    if kind is Kind.DURATION and (match := _DURATION.fullmatch(word)):
        hours, minutes, seconds = map(int, match.groups())
        return hours * 3600 + minutes * 60 + seconds
    if kind in _DOLLARS and (match := _MONEY.fullmatch(word)):
        value = Decimal(match[2].replace(",", ""))
        return -value if match[1] else value
    return None


def _is_row(printed: Sequence[Line], at: int, expected: _Expected) -> bool:
    """Tell whether a line has a row's figures, in order, and its label beside them."""
    rest = list(printed[at].words)
    until = len(rest)
    for _, kind, figure in reversed(expected.figures):
        place = next((n for n in reversed(range(until)) if read(rest[n], kind) == figure), None)
        if place is None:
            return False
        del rest[place]
        until = place
    return not expected.legible or _is_labelled(printed, at, rest, expected.label)


def _is_labelled(
    printed: Sequence[Line], at: int, rest: Sequence[str], label: Sequence[str]
) -> bool:
    wanted = squashed(*label)
    if squashed(*rest) == wanted or _is_wrapped(printed, at, rest, wanted):
        return True
    if sum(map(len, label)) <= _WHOLE_LABEL:
        return False
    page = printed[at].page
    around = printed[max(0, at - _ABOVE) : at + _BELOW]
    pieces = [squashed(word) for line in around if line.page == page for word in line.words]
    return all(_is_made_of(squashed(word), pieces) for cell in label for word in cell.split())


def _is_wrapped(printed: Sequence[Line], at: int, rest: Sequence[str], wanted: str) -> bool:
    """Tell whether a label is there with the lines below its row's: as many letters of each kind.

    Several columns wrap at once, so the letters of one cell do not follow each other; a direction
    that the carrier made up has no more room than ours.
    """
    letters = squashed(*rest)
    for line in printed[at + 1 : at + _BELOW]:
        if line.page != printed[at].page or len(letters) >= len(wanted):
            return False
        letters += squashed(*line.words)
        if len(letters) == len(wanted):
            return sorted(letters) == sorted(wanted)
    return False


def _is_made_of(word: str, pieces: Sequence[str]) -> bool:
    """Tell whether a word is there whole, or broken over lines in pieces that are all there.

    A label that was cut to be compared ends within a piece. Of a number, a few digits alone count
    only at the end: any number could be made of single ones.
    """
    if not word or word in pieces:
        return True
    reached = {0}
    for at in range(len(word)):
        if at in reached:
            rest = word[at:]
            if any(piece.startswith(rest) for piece in pieces):
                return True
            reached |= {
                at + len(piece)
                for piece in pieces
                if rest.startswith(piece) and not (word.isdigit() and len(piece) < _FEW_DIGITS)
            }
    return len(word) in reached


def _what_differs(printed: Sequence[Line], at: int, title: str, expected: _Expected) -> str:
    """Say which figure of a row differs, or that the row is not there at all."""
    wanted = squashed(*expected.label)
    count = len(expected.figures)
    for line in printed[at:]:
        words, figures = line.words[: len(line.words) - count], line.words[-count:]
        if count and len(figures) == count and squashed(*words) == wanted:
            for word, (heading, kind, figure) in zip(figures, expected.figures, strict=True):
                if read(word, kind) != figure:
                    return (
                        f"page {line.page}, {title!r}, row {expected.name!r}, {heading.lower()}: "
                        f"{word} in the file, {said(figure)} in the ledger"
                    )
    figures_said = ", ".join(said(figure) for _, _, figure in expected.figures)
    return f"{title!r}: the row {said(expected.name)} ({figures_said}) is not in the statement"


def _compare_stamps(printed: Sequence[Line], found: Differences) -> None:
    """Make sure that every page of a provisional statement says so."""
    stamped = {line.page for line in printed if "provisional" in " ".join(line.words).lower()}
    for page in sorted({line.page for line in printed} - stamped):
        found.add(f"page {page} does not say that the figures are provisional")


def _compare_filter(cover: Sequence[Line], filtered: str, found: Differences) -> None:
    """Make sure that a filtered statement says so, with the whole beside it, before its tables."""
    found.figures += 1
    if squashed(filtered) not in squashed(*(word for line in cover for word in line.words)):
        found.add(f"page 1 does not say: {said(filtered)}")


def _is_latin(text: str) -> bool:
    """Tell whether a text reads back as it was written.

    Letters that the fonts lack come back as numbers, and writing from right to left in other
    orders; there the figures alone must do.
    """
    return all(
        c.isascii()
        or c < _OTHER_LETTERS
        or (c < _SYMBOLS and not c.isalnum() and unicodedata.category(c) != "So")
        for c in unicodedata.normalize("NFC", text)
    )
