"""A printed list of calls: one layout, which two painters put on paper.

The list has pages of its own, of one shape: title, captions, headings, and a grid of lines. What
stands on which line is worked out in ``core.leaves``; here it is put into words and columns. A
painter (``plain`` with HTML, ``quick`` with the PDF's own words) only draws it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maxo_reports.core import numbering
from maxo_reports.core.leaves import Entry, Leaf, Mark, Sums, in_print, leaves
from maxo_reports.core.report import Calls, Column, Report, Section
from maxo_reports.core.text import counted, visible
from maxo_reports.render.pdf.columns import (
    GAP,
    LONGEST,
    Box,
    Setter,
    Wording,
    boxes,
    cost,
    measured,
    run_of,
    width,
    wrapped,
)
from maxo_reports.render.pdf.letters import Face, drawable
from maxo_reports.render.templates import clock

MM = 72 / 25.4
PAPER = (210 * MM, 297 * MM)
MARGINS = (16 * MM, 18 * MM, 23 * MM)
"""Of a list's pages, in points: above, at both sides, below."""
ROOM = (PAPER[0] - 2 * MARGINS[1], PAPER[1] - MARGINS[0] - MARGINS[2])
LINE, RULE = 11.0, 0.4
"""How far the lines of the grid are apart, and how thick the rule at the foot of a row is."""
TITLE, CAPTION, HEADING, AROUND = 18.0, 9.5, 8.5, 5.0
"""How high the title is, a line of a caption, a line of the headings, and the space by these."""
CAPTION_LINES = 6
CALLS_IN_TABLE = 500
"""Up to so many calls a list is a table in HTML. Above, that would take minutes and gigabytes."""

_BOLD = frozenset({Mark.NUMBER, Mark.AGAIN, Mark.SUBTOTAL, Mark.TOTAL})
_PALE = frozenset({Mark.BROUGHT, Mark.CARRIED})
_SAID: Mapping[Mark, str] = {
    Mark.BROUGHT: "Brought forward",
    Mark.CARRIED: "Carried forward",
    Mark.SUBTOTAL: "Subtotal",
    Mark.TOTAL: "Total",
}
_SIGNED = frozenset({Mark.SUBTOTAL, Mark.TOTAL})
_SUMS = frozenset({Mark.CARRIED, *_SIGNED})
"""Sums of what stands above them, under a line."""


class Piece(NamedTuple):
    """What stands in some columns of a row: from which, up to which, and its lines."""

    first: int
    until: int
    lines: tuple[str, ...]


class Row(NamedTuple):
    """A row of the grid: from which line on, how many, its pieces, the rule at its foot.

    ``rule`` is ``fine``, ``strong``, or empty for none.
    """

    mark: Mark | None
    top: int
    lines: int
    pieces: tuple[Piece, ...]
    rule: str

    @property
    def is_bold(self) -> bool:
        """Whether it is set in the stronger type."""
        return self.mark in _BOLD

    @property
    def is_pale(self) -> bool:
        """Whether it is set in the paler colour."""
        return self.mark in _PALE


@dataclass(frozen=True, slots=True)
class Listing:
    """One section's list. ``name`` is that of its pages; ``room`` how many lines a page has."""

    name: str
    title: str
    captions: tuple[str, ...]
    boxes: tuple[Box, ...]
    calls: Calls
    is_grouped: bool
    wording: Wording
    strong: Face

    @property
    def faces(self) -> tuple[Face, Face]:
        """The type of rows, and the stronger one of headings and sums."""
        return self.wording.face, self.strong

    @property
    def lacking(self) -> frozenset[str]:
        """The letters of its calls, once they are counted, that the type does not have."""
        return frozenset(self.wording.lacking)

    @property
    def is_long(self) -> bool:
        """Whether it has too many calls for a table in HTML."""
        return len(self.calls) > CALLS_IN_TABLE

    @property
    def heading_lines(self) -> int:
        """How many lines the highest of the headings takes."""
        return max(len(box.heading) for box in self.boxes)

    @property
    def above(self) -> float:
        """How much of a page is above the grid of lines."""
        captions = CAPTION * len(self.captions)
        return TITLE + captions + AROUND + HEADING * self.heading_lines + AROUND

    @property
    def room(self) -> int:
        """How many lines a page has."""
        return int((ROOM[1] - self.above) / LINE)

    def leaves(self) -> Iterator[Leaf]:
        """Yield the pages, one by one."""
        setter = Setter.of(self.boxes, self.wording)
        yield from leaves(self.calls.lines(), setter, self.room, grouped=self.is_grouped)

    def rows(self, leaf: Leaf) -> Iterator[Row]:
        """Yield the rows of a page, from its top, blank ones among them."""
        line = 0
        for at, entry in enumerate(leaf):
            following = leaf[at + 1] if at + 1 < len(leaf) else None
            if entry.top > line:
                sums = entry.mark in _SUMS
                yield Row(None, line, entry.top - line, (), "strong" if sums else "")
            line = entry.top + entry.lines
            yield Row(
                entry.mark, entry.top, entry.lines, self._pieces(entry), _rule(entry, following)
            )

    def _pieces(self, entry: Entry) -> tuple[Piece, ...]:
        if entry.mark is Mark.CALL:
            return tuple([Piece(n, n + 1, lines) for n, lines in enumerate(entry.cells)])
        if entry.sums is None:
            more = ", continued" if entry.mark is Mark.AGAIN else ""
            return (Piece(0, len(self.boxes), (self._number(entry.number, more),)),)
        first, until = run_of([b.column for b in self.boxes], [b.width for b in self.boxes])
        pieces = [Piece(first, until, (said(entry.mark, entry.sums),))]
        sign = "$" if entry.mark in _SIGNED else ""
        figures = {
            "seconds": clock(entry.sums.seconds),
            "cost": cost(entry.sums.cost, self.wording.places, sign),
        }
        for at, box in enumerate(self.boxes):
            if box.column.key in figures:
                pieces.append(Piece(at, at + 1, (figures[box.column.key],)))
        return tuple(sorted(pieces))

    def _number(self, number: str, more: str) -> str:
        """Write a group's number on one line."""
        face = self.strong
        text = drawable(visible(numbering.spaced(number), LONGEST), face)
        (line,) = wrapped(text, ROOM[0] - width(more, face), face, most=1)
        return line + more


def said(mark: Mark, sums: Sums) -> str:
    """Say what a line of sums is: ``Carried forward, 57 calls``."""
    return f"{_SAID[mark]}, {counted(sums.calls, 'call')}"


def _rule(entry: Entry, following: Entry | None) -> str:
    if (
        following is not None
        and following.mark in _SUMS
        and following.top == entry.top + entry.lines
    ):
        return "strong"
    return "fine" if entry.mark is Mark.CALL else ""


def made(section: Section, report: Report, name: str, faces: tuple[Face, Face]) -> Listing:
    """Lay a section's list out: its columns by what their cells need, its captions by theirs."""
    calls = in_print(report, section)
    totals = report.totals_of(section)
    shown = _shown(section)
    period, (face, strong) = report.heading.period, faces
    # Within a year a day and a month leave no doubt, and the foot of the page has the year.
    with_year = (period.until - period.first).days > 365
    wording = Wording(report.places, with_year, face)
    found = measured(shown, calls, wording)
    least = {
        "seconds": width(clock(totals.seconds), strong),
        "cost": width(cost(-found.most, report.places, "$"), strong),
    }
    needs = [
        max(need, least.get(column.key, 0.0))
        for need, column in zip(found.widths, shown, strict=True)
    ]
    longest = Sums(totals.calls, 0, 0)
    label = max(width(said(mark, longest), face) for mark in _SAID for face in faces)
    columns = boxes(shown, needs, strong, ROOM[0], label)
    captions: list[str] = []
    for text in (section.note, section.filtered if section.filtered != report.filtered else ""):
        if text:
            fitted = drawable(visible(text, 6 * LONGEST), faces[0])
            captions += wrapped(fitted, ROOM[0] - GAP, faces[0], most=CAPTION_LINES // 2)
    title = drawable(visible(section.spec.title, LONGEST), strong)
    (title,) = wrapped(title, ROOM[0] / 1.6, strong, most=1)
    return Listing(
        name, title, tuple(captions), columns, calls, bool(section.spec.group_by), wording, strong
    )


def _shown(section: Section) -> Sequence[Column]:
    """Return the columns in print: none that is hidden, or that the groups' headings say."""
    spec = section.spec
    return [c for c in spec.call_columns if not c.hidden and c.key not in spec.group_by]
