"""One sheet's part: its rows and cells where they stand, and the same part with other rows.

The part is never made anew. What is not touched is copied as the bytes that it is; only the rows
of the tables, and the cells that names point to, are written. It has been shown to be
well-formed and to hold nothing but elements, so tags can be found by their own words.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from xml.parsers import expat

from openpyxl.utils import get_column_letter

from maxo_reports.errors import UsageError
from maxo_reports.refresh.areas import LAST_ROW, column_number
from maxo_reports.refresh.package import Package

_ATTRIBUTES = rb"((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*"
_ROW = re.compile(rb"<row" + _ATTRIBUTES + rb"(/?)>")
_CELL = re.compile(rb"<c" + _ATTRIBUTES + rb"(?:/>|>(.*?)</c>)", re.DOTALL)
_FORMULA = re.compile(rb"<f" + _ATTRIBUTES + rb"(?:/>|>(.*?)</f>)", re.DOTALL)
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>)?\s*<worksheet[\s>]")
_ENCODING = re.compile(rb"^[^>]*encoding=[\"']([^\"']*)")
_DATA = re.compile(rb"<sheetData\s*(/?)>")
_ADDRESS = re.compile(rb"([A-Z]{1,3})([1-9][0-9]{0,6})")
_COLUMN_STYLE = re.compile(rb"<col" + _ATTRIBUTES + rb"/?>")
_USUAL_ROW = re.compile(rb"<row r=\"([0-9]+)\"(?:\s+[\w:.-]+=\"[^\"]*\")*\s*(/?)>")
_USUAL_CELL = b'<c r="'
_END_OF_ROW = b"</row>"


class RowAt(NamedTuple):
    """Where a row stands in the part: its tag, its cells, its end."""

    start: int
    inside: int
    end: int


class Cell(NamedTuple):
    """One cell: its column, its tag's attributes, what is in it, and all of it."""

    column: int
    attributes: bytes
    inner: bytes
    whole: bytes

    @property
    def style(self) -> int:
        """The number of its format."""
        return int(attribute(self.attributes, b"s") or 0)

    @property
    def has_content(self) -> bool:
        """Whether it holds a value or a formula, and not only a format."""
        return bool(self.inner.strip())

    @property
    def formula(self) -> Formula | None:
        """Its formula, if it has one."""
        match = _FORMULA.search(self.inner)
        return None if match is None else Formula(match[1], match[2] or b"")


class Formula(NamedTuple):
    """A formula as it stands, still in XML."""

    attributes: bytes
    text: bytes

    @property
    def kind(self) -> bytes:
        """Its kind: ``normal``, ``shared``, ``array`` or ``dataTable``."""
        return attribute(self.attributes, b"t") or b"normal"


class Sheet:
    """A sheet's part, taken apart."""

    def __init__(self, package: Package, name: str, part: str) -> None:
        self.name, self.part = name, part
        self._package = package
        self.content = package.read(part)
        self._check()
        data = _DATA.search(self.content)
        if data is None:
            raise self.refused("it has no cells: it is damaged")
        self._start, self._end = data.end(), data.end()
        self._is_bare = bool(data[1])
        self._tag = data.start()
        if not self._is_bare:
            self._end = self.content.index(b"</sheetData>", self._start)
        self.rows: dict[int, RowAt] = dict(self._found())
        self._numbers = list(self.rows)
        self._starts = [row.start for row in self.rows.values()]

    def refused(self, why: str) -> UsageError:
        """Return the one line that says why this sheet is not touched."""
        return self._package.refused(f"sheet {self.name!r}: {why}")

    def _check(self) -> None:
        content = self.content
        encoding = _ENCODING.match(content)
        odd = encoding is not None and encoding[1].lower() not in {b"utf-8", b"us-ascii"}
        if odd or not _ROOT.match(content) or b"<!" in content or b"<?" in content[8:]:
            why = "it was written in an unusual way: open the workbook in Excel and save it"
            raise self.refused(why)
        try:
            expat.ParserCreate(namespace_separator=" ").Parse(content, True)
        except expat.ExpatError as problem:
            raise self.refused(f"it is damaged ({problem})") from None

    def _found(self) -> Iterator[tuple[int, RowAt]]:
        """Find every row; they must be numbered and in order."""
        content, end, before = self.content, self._end, 0
        at = self._start
        while match := _USUAL_ROW.match(content, at, end) or _ROW.search(content, at, end):
            usual = match.re is _USUAL_ROW
            number = int(match[1] if usual else attribute(match[1], b"r") or 0)
            if not before < number <= LAST_ROW:
                why = "its rows are not in order: open the workbook in Excel and save it"
                raise self.refused(why)
            inside = match.end()
            at = inside
            if not match[2]:
                at = content.index(_END_OF_ROW, inside) + len(_END_OF_ROW)
            yield number, RowAt(match.start(), inside, at)
            before = number

    # ---- looking ----------------------------------------------------------------------------

    @property
    def head(self) -> bytes:
        """What stands before the rows."""
        return self.content[: self._tag]

    @property
    def tail(self) -> bytes:
        """What stands after the rows."""
        return self.content[self._end + (0 if self._is_bare else len(b"</sheetData>")) :]

    def row_attributes(self, number: int) -> bytes:
        """Return the attributes of a row's tag, or nothing where there is no such row."""
        row = self.rows.get(number)
        if row is None:
            return b""
        return self.content[row.start + len(b"<row") : row.inside - 1].removesuffix(b"/")

    def inside(self, number: int) -> bytes:
        """Return the cells of a row as they stand."""
        row = self.rows.get(number)
        if row is None or row.inside == row.end:
            return b""
        return self.content[row.inside : row.end - len(_END_OF_ROW)]

    def cells(self, number: int) -> list[Cell]:
        """Return the cells of a row, from left to right."""
        found = []
        for match in _CELL.finditer(self.inside(number)):
            address = _ADDRESS.fullmatch(attribute(match[1], b"r") or b"")
            if address is None or int(address[2]) != number:
                why = f"row {number} has cells without a right address"
                raise self.refused(f"{why}: open the workbook in Excel and save it")
            found.append(Cell(_column_number(address[1]), match[1], match[2] or b"", match[0]))
        if any(a.column >= b.column for a, b in pairwise(found)):
            raise self.refused(f"the cells of row {number} are not in order: it is damaged")
        return found

    def cell(self, row: int, column: int) -> Cell | None:
        """Return one cell, or None where the part has none."""
        return next((cell for cell in self.cells(row) if cell.column == column), None)

    def with_others(self, first: int, last: int, left: int, right: int) -> set[int]:
        """Return those of some rows that have cells in other columns, too."""
        start, end = self._place_of(first), self._place_of(last + 1)
        if not self._is_usual(start, end):
            return {row for row in self._numbers if first <= row <= last}
        letters = b"|".join(get_column_letter(n).encode() for n in range(left, right + 1))
        others = re.compile(_USUAL_CELL + b"(?!(?:" + letters + b")[0-9])")
        # A table may have a hundred thousand rows: this passes over all cells that are its own.
        return {self._row_at(match.start()) for match in others.finditer(self.content, start, end)}

    def reaches_beyond(self, column: int) -> str | None:
        """Return a cell beyond a column, or None."""
        if not self._is_usual(self._start, self._end):
            far = (cell for row in self._numbers for cell in self.cells(row))
            found = next((cell.column for cell in far if cell.column > column), None)
            return None if found is None else get_column_letter(found)
        least = b"%d" % len(get_column_letter(column))
        wide = re.compile(_USUAL_CELL + b"([A-Z]{" + least + b",3})[0-9]")
        for match in wide.finditer(self.content, self._start, self._end):
            if _column_number(match[1]) > column:
                return match[1].decode()
        return None

    def _is_usual(self, start: int, end: int) -> bool:
        """Tell whether every cell's tag begins with its address, as Excel writes them."""
        content = self.content
        return content.count(b"<c ", start, end) == content.count(_USUAL_CELL, start, end)

    def _row_at(self, place: int) -> int:
        """Return the row that a place in the part is in."""
        return self._numbers[bisect_right(self._starts, place) - 1]

    def last_row(self, until: int) -> int:
        """Return the last row that is there, of those up to a number; 0 if there is none."""
        at = bisect_right(self._numbers, until)
        return self._numbers[at - 1] if at else 0

    def holds(self, words: Sequence[bytes], first: int, last: int) -> bool:
        """Tell whether any of some words stands in some rows."""
        start, end = self._place_of(first), self._place_of(last + 1)
        return any(self.content.find(word, start, end) >= 0 for word in words)

    def typed(self, column: int, first: int, last: int) -> int | None:
        """Return the first row in which a column holds a value that is no formula's, or None."""
        start, end = self._place_of(first), self._place_of(last + 1)
        letters = get_column_letter(column).encode()
        if not self._is_usual(start, end):
            return next(
                (row for row in range(first, last + 1) if self._is_typed(row, column)), None
            )
        begins = re.compile(rb"<c r=\"" + letters + rb"([0-9]+)\"[^>]*?(/?)>(?!<f[\s>/]|</c>)")
        for match in begins.finditer(self.content, start, end):
            if not match[2]:
                return int(match[1])
        return None

    def _is_typed(self, row: int, column: int) -> bool:
        cell = self.cell(row, column)
        return cell is not None and cell.has_content and cell.formula is None

    def style_of(self, row: int, column: int) -> int:
        """Return the format that a cell has, or would have from its row or column."""
        cell = self.cell(row, column)
        if cell is not None:
            return cell.style
        attributes = self.row_attributes(row)
        if attribute(attributes, b"customFormat") in {b"1", b"true"}:
            return int(attribute(attributes, b"s") or 0)
        for match in _COLUMN_STYLE.finditer(self.head):
            low, high = (int(attribute(match[1], name) or 0) for name in (b"min", b"max"))
            if low <= column <= high:
                return int(attribute(match[1], b"style") or 0)
        return 0

    # ---- writing ----------------------------------------------------------------------------

    def pieces(
        self, head: bytes, tail: bytes, rows: Iterator[tuple[int, bytes]], gone: Sequence[range]
    ) -> Iterator[bytes]:
        """Yield the part with other rows, in place of all that it has in some spans.

        ``rows`` are whole rows with their numbers, in order; each lies in one of the spans.
        """
        yield head
        yield b"<sheetData>"
        waiting = next(rows, None)
        written = self._start
        for span in sorted(gone, key=lambda span: span.start):
            yield self.content[written : self._place_of(span.start)]
            while waiting is not None and waiting[0] in span:
                yield waiting[1]
                waiting = next(rows, None)
            written = self._place_of(span.stop)
        yield self.content[written : self._end]
        yield b"</sheetData>"
        yield tail
        assert waiting is None, "every row is of one of the spans"

    def _place_of(self, number: int) -> int:
        """Return where the first row with this number, or a higher one, begins."""
        at = bisect_left(self._numbers, number)
        return self._starts[at] if at < len(self._starts) else self._end


@lru_cache
def _attribute(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?:^|\s)" + name + rb"\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@lru_cache
def _attributes(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    return re.compile(rb"\s+(?:" + b"|".join(names) + rb")\s*=\s*(?:\"[^\"]*\"|'[^']*')")


@lru_cache
def _column_number(letters: bytes) -> int:
    return column_number(letters.decode())


def attribute(attributes: bytes, name: bytes) -> bytes | None:
    """Return the value of an attribute of a tag, or None."""
    match = _attribute(name).search(attributes)
    if match is None:
        return None
    return match[1] if match[1] is not None else match[2]


def without(attributes: bytes, *names: bytes) -> bytes:
    """Return attributes without some."""
    return _attributes(names).sub(b"", attributes)
