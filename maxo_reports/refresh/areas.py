"""Blocks of cells, and how they grow and shrink with the rows of a table."""

from __future__ import annotations

import re
from typing import NamedTuple

from openpyxl.utils import get_column_letter

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384
_CELLS = re.compile(
    r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})(?::\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6}))?"
)


class Area(NamedTuple):
    """A block of cells; columns and rows count from 1, and both ends are in it."""

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        """Write it as a range, ``A1:J10``."""
        first = f"{get_column_letter(self.left)}{self.top}"
        last = f"{get_column_letter(self.right)}{self.bottom}"
        return first if first == last else f"{first}:{last}"

    def touches(self, other: Area) -> bool:
        """Tell whether both have a cell in common."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )


class Stretch(NamedTuple):
    """How the rows of a table grow or shrink: its columns, its heading, its data, its totals.

    ``head`` is 0 where the table shows no headings; ``old`` and ``new`` are the last rows of data.
    """

    left: int
    right: int
    head: int
    top: int
    old: int
    new: int
    totals: int

    @property
    def before(self) -> Area:
        """The data and totals as they are."""
        return Area(self.left, self.top, self.right, self.old + self.totals)

    @property
    def after(self) -> Area:
        """The data and totals as they will be."""
        return Area(self.left, self.top, self.right, self.new + self.totals)

    def whole(self, last: int) -> Area:
        """Return the table with its headings, down to a row."""
        return Area(self.left, self.head or self.top, self.right, last)

    def row(self, number: int) -> int:
        """Return where a row's end is led: the last row of data and the totals move."""
        if number == self.old or (self.totals and number == self.old + 1):
            return number + self.new - self.old
        return number

    def follows(self, area: Area) -> bool:
        """Tell whether a block of cells is all the rows of some columns, or their totals."""
        if area.left < self.left or area.right > self.right:
            return False
        if self.totals and area.top == area.bottom == self.old + 1:
            return True
        return area.top in {self.head, self.top} and area.bottom in {
            self.old,
            self.old + self.totals,
        }

    def led(self, area: Area) -> Area:
        """Return a block of cells as it is when the table has its new rows."""
        if not self.follows(area):
            return area
        only_totals = self.totals and area.top == area.bottom == self.old + 1
        top = self.row(area.top) if only_totals else area.top
        return area._replace(top=top, bottom=self.row(area.bottom))


def column_number(letters: str) -> int:
    """Return the number of a column, A being 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def area_of(text: str) -> Area | None:
    """Read a range such as ``A1:J10`` or ``$B$2``, or return None where it is none."""
    match = _CELLS.fullmatch(text)
    if match is None:
        return None
    left, top, right, bottom = match.groups()
    first = column_number(left), int(top)
    last = (column_number(right), int(bottom)) if right else first
    if first[0] > last[0] or first[1] > last[1] or last[0] > LAST_COLUMN or last[1] > LAST_ROW:
        return None
    return Area(*first, *last)


def led_all(ranges: str, stretches: tuple[Stretch, ...]) -> str:
    """Return ranges, parted by spaces, as they are when the tables have their new rows."""
    led = []
    for text in ranges.split():
        area = area_of(text)
        new = area
        for stretch in stretches:
            new = stretch.led(area) if area is not None and new == area else new
        led.append(text if new == area else str(new))
    return " ".join(led) if led != ranges.split() else ranges
