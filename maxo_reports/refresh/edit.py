"""A sheet's part with its tables filled: rows, and all else on the sheet that goes with them.

Within the columns of a filled table, and nowhere else, the cells are new. Cells beside it stay as
they are; a cell below it that has anything in it ends the refresh before it is lost.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter

from maxo_reports.errors import UsageError
from maxo_reports.refresh import formulas
from maxo_reports.refresh.areas import LAST_COLUMN, LAST_ROW, Area, Stretch, area_of, led_all
from maxo_reports.refresh.names import Named
from maxo_reports.refresh.parts import TablePart
from maxo_reports.refresh.rows import made, tail
from maxo_reports.refresh.sheet import Cell, Sheet, attribute, without
from maxo_reports.refresh.tables import Fill

LARGEST_GRID = 30_000_000
"""Cells between the first and the last of a sheet: a reader may hold them all, empty or not."""
_SEVERAL = (b"shared", b"array", b"dataTable")
_SHARED = re.compile(rb"<f\b[^>]*\bt=[\"']shared[\"'][^>]*>")
_ARRAY = re.compile(rb"<f\b[^>]*\bt=[\"'](array|dataTable)[\"'][^>]*>")
_FORMULA = re.compile(rb"(<f\b[^>]*>)(.*?)(</f>)", re.DOTALL)
_VALUE = re.compile(rb"<v\b[^>]*(?:/>|>.*?</v>)", re.DOTALL)
_DIMENSION = re.compile(rb"(<dimension\s+ref=[\"'])([^\"']*)")
_MERGED = re.compile(rb"<mergeCell\s+ref=[\"']([^\"']*)")
_RANGES = re.compile(
    rb"(<(?:conditionalFormatting|dataValidation|ignoredError|protectedRange)\b[^>]*?\ssqref=\")"
    rb"([^\"]*)(?=\")"
)
_RANGES_BEYOND = re.compile(
    rb"(<xm:sqref>)([^<]*)(?=</xm:sqref>\s*</x14:(?:conditionalFormatting|dataValidation)>)"
)
_NOT_A_PROTOTYPE = (b"r", b"spans", b"hidden", b"collapsed")


class Totals(NamedTuple):
    """A totals row in its new place: the cells of the table's columns, and the row's own look."""

    cells: bytes
    attributes: bytes


class _Block:
    """A table as it is written: its rows one after the other, then its totals."""

    def __init__(self, sheet: Sheet, fill: Fill, epoch: int) -> None:
        stretch = fill.stretch
        self.left, self.top, self.new = stretch.left, stretch.top, stretch.new
        self.rows = made(fill.source, fill.slots, stretch.top, epoch)
        self.first_look = _look(sheet, stretch.top)
        self._totals = _led_totals(sheet, stretch) if stretch.totals else None

    def cells(self, row: int) -> bytes | None:
        """Return what the table has in a row, or None where it has nothing."""
        if self.top <= row <= self.new:
            return next(self.rows)
        return self._totals.cells if self._totals and row == self.new + 1 else None

    def look(self, row: int) -> bytes | None:
        """Return what a row's tag says of height and look; those of the first row for all."""
        if self.top <= row <= self.new:
            return self.first_look
        return self._totals.attributes if self._totals and row == self.new + 1 else None


class Edit:
    """What a refresh makes of one sheet."""

    def __init__(
        self,
        sheet: Sheet,
        fills: Sequence[Fill],
        named: Sequence[Named],
        tables: Sequence[TablePart],
        epoch: int,
    ) -> None:
        self.sheet, self.fills, self._epoch = sheet, fills, epoch
        self.stretches = tuple(fill.stretch for fill in fills)
        self._merged = [
            area
            for ref in _MERGED.findall(sheet.tail)
            if (area := area_of(ref.decode())) is not None
        ]
        self._keep_apart(tables)
        places = [(each, self._single(each)) for each in named]
        self.singles = [(e, cell) for e, cell in places if not self._holds_formula(cell)]
        self.live = [e.name for e, cell in places if self._holds_formula(cell)]
        """Names of cells that work their value out themselves, and go on doing so."""
        self._beside = self._rows_beside()
        self._mixed = self._beside | {cell.top for _, cell in self.singles}
        self._whole = self._rows_of_tables() - self._beside
        self._keep_shared()
        self._keep_small()

    # ---- what is refused --------------------------------------------------------------------

    def _keep_apart(self, tables: Sequence[TablePart]) -> None:
        """Refuse a table that would grow into another, or into merged cells."""
        for fill in self.fills:
            stretch = fill.stretch
            after = stretch.whole(stretch.after.bottom)
            for other in tables:
                if other.part == fill.table.part:
                    continue
                grown = [f.stretch for f in self.fills if f.table.part == other.part]
                areas = [other.area, *(each.whole(each.after.bottom) for each in grown)]
                if any(after.touches(area) for area in areas):
                    raise self._in_the_way(fill, f"table {other.name!r}")
            for area in self._merged:
                if stretch.after.touches(area):
                    raise self._in_the_way(fill, f"merged cells {area}")

    def _in_the_way(self, fill: Fill, what: str) -> UsageError:
        rows = fill.stretch.new - fill.stretch.top + 1
        return self.sheet.refused(
            f"{what} is in the way of the {rows:,} rows of table {fill.table.name!r}: "
            "move it beside the table, or to another sheet"
        )

    def _single(self, named: Named) -> Area:
        """Return the one cell that a name points to; of merged cells it is the first."""
        area = named.area
        cell = area._replace(right=area.left, bottom=area.top)
        if cell != area and area not in self._merged:
            raise self.sheet.refused(
                f"the name {named.name!r} refers to {area}: it must be one cell"
            )
        for fill in self.fills:
            both = (fill.stretch.before, fill.stretch.after)
            heading = fill.stretch.whole(fill.stretch.top)
            if any(each.touches(cell) for each in (*both, heading)):
                raise self.sheet.refused(
                    f"the name {named.name!r} refers to {cell}, in the place of table "
                    f"{fill.table.name!r}"
                )
        return cell

    def _holds_formula(self, cell: Area) -> bool:
        old = self.sheet.cell(cell.top, cell.left)
        return old is not None and old.formula is not None

    def _rows_beside(self) -> set[int]:
        """Return the rows of the tables, as they are, that have cells beside them, too."""
        areas = [stretch.before for stretch in self.stretches]
        beside = [self.sheet.with_others(a.top, a.bottom, a.left, a.right) for a in areas]
        return set().union(*beside)

    def _rows_of_tables(self) -> set[int]:
        """Return the rows of the tables as they are."""
        return {row for s in self.stretches for row in range(s.top, s.before.bottom + 1)}

    def _old(self, fill: Fill) -> Iterator[bytes]:
        """Yield the old cells of a table, a row at a time."""
        before = fill.stretch.before
        for row in range(before.top, before.bottom + 1):
            if row not in self._beside:
                yield self.sheet.inside(row)
                continue
            cells = self.sheet.cells(row)
            yield b"".join(c.whole for c in cells if before.left <= c.column <= before.right)

    def left_over(self) -> Iterator[bytes]:
        """Yield the cells of the sheet that are no filled table's."""
        rows = self._rows_of_tables()
        yield from (self.sheet.inside(row) for row in self.sheet.rows if row not in rows)
        for row in self._beside:
            for cell in self.sheet.cells(row):
                if not any(s.left <= cell.column <= s.right for s in self.stretches):
                    yield cell.whole

    def _keep_shared(self) -> None:
        """Refuse to take away a formula that cells outside the tables share, or an array."""
        tags: Counter[bytes] = Counter()
        written_out = set()
        self.formulas_move = any(s.formula for fill in self.fills for s in fill.slots)
        for fill in self.fills:
            rows = fill.stretch.before.top, fill.stretch.before.bottom
            self.formulas_move = self.formulas_move or self.sheet.holds([b"<f"], *rows)
            if not self.sheet.holds(_SEVERAL, *rows):
                continue
            for cells in self._old(fill):
                for tag in _ARRAY.finditer(cells):
                    several = b":" in (attribute(tag[0][2:-1], b"ref") or b"")
                    if several or tag[1] == b"dataTable":
                        raise self.sheet.refused(
                            f"table {fill.table.name!r} holds an array over several cells"
                        )
                for tag in _SHARED.finditer(cells):
                    tags[_number(tag[0])] += 1
                    if not tag[0].endswith(b"/>"):
                        written_out.add(_number(tag[0]))
        if not written_out:
            return
        everywhere = Counter(_number(tag[0]) for tag in _SHARED.finditer(self.sheet.content))
        if any(everywhere[number] > tags[number] for number in written_out):
            raise self.sheet.refused(
                "cells outside a table share a formula with it: enter theirs anew"
            )

    def _keep_small(self) -> None:
        """Refuse a sheet that a far-off cell makes so large that no reader could hold it."""
        last = max([1, self.sheet.last_row(LAST_ROW), *(s.after.bottom for s in self.stretches)])
        far = self.sheet.reaches_beyond(min(LAST_COLUMN, LARGEST_GRID // last))
        if far is not None:
            raise self.sheet.refused(
                f"it reaches to {far}{last}: clear the cells that are far off"
            )

    # ---- rows -------------------------------------------------------------------------------

    def pieces(self) -> Iterator[bytes]:
        """Yield the sheet's part as it is to be."""
        spans = _apart(
            [range(s.top, max(s.before.bottom, s.after.bottom) + 1) for s in self.stretches]
            + [range(cell.top, cell.top + 1) for _, cell in self.singles]
        )
        rows = self._rows(spans)
        return self.sheet.pieces(self._head(), self._tail(), rows, spans)

    def _rows(self, spans: Sequence[range]) -> Iterator[tuple[int, bytes]]:
        blocks = [_Block(self.sheet, fill, self._epoch) for fill in self.fills]
        only = blocks[0] if len(blocks) == 1 else None
        for row in chain.from_iterable(spans):
            if only is not None and only.top <= row <= only.new and self._is_alone(row):
                # Nearly every row of a large table, so this is the short way.
                yield row, b'<row r="%d"%b>%b</row>' % (row, only.first_look, next(only.rows))
                continue
            pieces = [
                (block.left, cells) for block in blocks if (cells := block.cells(row)) is not None
            ]
            if not self._is_alone(row):
                pieces += self._kept(row)
            look = next((found for b in blocks if (found := b.look(row)) is not None), None)
            if look is None:
                look = without(self.sheet.row_attributes(row), b"r", b"spans")
            if not pieces and (not look or self._is_left(row)):
                continue
            if len(pieces) > 1:
                pieces.sort(key=_left)
            inside = b"".join([cells for _, cells in pieces])
            yield row, b'<row r="%d"%b>%b</row>' % (row, look, inside)

    def _is_alone(self, row: int) -> bool:
        """Tell whether the sheet has nothing but tables in a row."""
        return row not in self._mixed and (row in self._whole or row not in self.sheet.rows)

    def _kept(self, row: int) -> list[tuple[int, bytes]]:
        """Return the cells of a row that are not the tables', with the named ones filled."""
        sheet = self.sheet
        before = [s for s in self.stretches if s.before.top <= row <= s.before.bottom]
        after = [f for f in self.fills if row <= f.stretch.after.bottom and row >= f.stretch.top]
        named = {cell.left: each for each, cell in self.singles if cell.top == row}
        kept = []
        if row in sheet.rows and not (before and row not in self._beside):
            for cell in sheet.cells(row):
                if cell.column in named or any(s.left <= cell.column <= s.right for s in before):
                    continue
                grown = [f for f in after if f.stretch.left <= cell.column <= f.stretch.right]
                if grown and cell.has_content:
                    raise self._in_the_way(grown[0], f"cell {get_column_letter(cell.column)}{row}")
                if not grown:
                    kept.append((cell.column, cell.whole))
        for column, each in named.items():
            style = sheet.style_of(row, column)
            start = f'<c r="{get_column_letter(column)}{row}'
            value = tail(each.value.value, each.value.kind, style, self._epoch)
            kept.append((column, (start + value).encode()))
        return kept

    def _is_left(self, row: int) -> bool:
        """Tell whether a row was a table's alone, and is no more."""
        return row not in self._beside and any(
            s.after.bottom < row <= s.before.bottom for s in self.stretches
        )

    # ---- what stands around the rows --------------------------------------------------------

    def _head(self) -> bytes:
        last = [s.after.bottom for s in self.stretches] + [cell.top for _, cell in self.singles]
        last += self._beside
        gone = _apart([range(s.before.top, s.before.bottom + 1) for s in self.stretches])
        kept = LAST_ROW
        for span in reversed(gone):
            far = self.sheet.last_row(kept)
            kept = span.start - 1 if far in span else far
        last.append(self.sheet.last_row(kept))

        def whole(match: re.Match[bytes]) -> bytes:
            area = area_of(match[2].decode())
            if area is None:
                return match[0]
            right = max([area.right, *(cell.left for _, cell in self.singles)])
            left = min([area.left, *(cell.left for _, cell in self.singles)])
            top = min([area.top, *(cell.top for _, cell in self.singles)])
            return match[1] + str(Area(left, top, right, max(last))).encode()

        return _DIMENSION.sub(whole, self.sheet.head, count=1)

    def _tail(self) -> bytes:
        """Lead rules, validations and the like on where they cover a table's rows."""

        def led(match: re.Match[bytes]) -> bytes:
            return match[1] + led_all(match[2].decode(), self.stretches).encode()

        return _RANGES_BEYOND.sub(led, _RANGES.sub(led, self.sheet.tail))


def _left(piece: tuple[int, bytes]) -> int:
    return piece[0]


def _look(sheet: Sheet, row: int) -> bytes:
    return without(sheet.row_attributes(row), *_NOT_A_PROTOTYPE)


def _led_totals(sheet: Sheet, stretch: Stretch) -> Totals:
    """Move the totals row to below the last row, with formulas that follow the table."""
    old = stretch.old + 1
    cells = [
        _moved(cell, stretch.new + 1, sheet.name, stretch)
        for cell in sheet.cells(old)
        if stretch.left <= cell.column <= stretch.right
    ]
    return Totals(b"".join(cells), _look(sheet, old))


def _moved(cell: Cell, row: int, sheet: str, stretch: Stretch) -> bytes:
    """Return a cell of the totals row in another row; what a formula came to is left out."""
    attributes = without(cell.attributes, b"r")
    inner = cell.inner
    if cell.formula is not None:
        attributes = without(attributes, b"t")
        inner = _FORMULA.sub(lambda match: _led(match, sheet, stretch), _VALUE.sub(b"", inner))
    start = f'<c r="{get_column_letter(cell.column)}{row}"'.encode()
    return start + attributes + (b">" + inner + b"</c>" if inner.strip() else b"/>")


def _led(match: re.Match[bytes], sheet: str, stretch: Stretch) -> bytes:
    text = "".join(ET.fromstring(b"<f>" + match[2] + b"</f>").itertext())  # noqa: S314 - no DTD
    led = formulas.led(text, sheet, stretch)
    if led == text:
        return match[0]
    return match[1] + escape(led).encode() + match[3]


def _number(tag: bytes) -> bytes:
    return attribute(tag[2:].rstrip(b"/>"), b"si") or b""


def _apart(spans: Sequence[range]) -> list[range]:
    """Join spans that overlap; return them in order."""
    joined: list[range] = []
    for span in sorted(spans, key=lambda span: span.start):
        if joined and span.start <= joined[-1].stop:
            joined[-1] = range(joined[-1].start, max(joined[-1].stop, span.stop))
        else:
            joined.append(span)
    return joined
