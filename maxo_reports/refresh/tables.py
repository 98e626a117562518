"""Which table of the user's gets which section's rows, and what each of its columns gets.

Tables are matched by their name, columns by their heading. What we have no values for is the
user's: his calculated columns are carried down, and typed values are never lost silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from openpyxl.formula.tokenizer import TokenizerError
from openpyxl.utils import get_column_letter

from maxo_reports.core.ledger import MEASURES
from maxo_reports.core.report import CALL_COLUMNS, Column, Report, Section
from maxo_reports.core.sections import OF_CHANGES
from maxo_reports.core.text import counted
from maxo_reports.errors import UsageError
from maxo_reports.refresh.areas import LAST_ROW, Stretch
from maxo_reports.refresh.formulas import Piece, moves, taken_apart
from maxo_reports.refresh.package import Package
from maxo_reports.refresh.parts import TablePart
from maxo_reports.refresh.rows import CallRows, Slot, Source, TableRows
from maxo_reports.refresh.sheet import Cell, Sheet, attribute, without


class Fill(NamedTuple):
    """A table to be filled: with which section's rows, and what each column gets."""

    table: TablePart
    title: str
    source: Source
    slots: tuple[Slot, ...]
    stretch: Stretch

    @property
    def ours(self) -> Mapping[int, Column]:
        """Our columns by the number of the sheet's column that they stand in."""
        return {s.column: self.source.columns[s.key] for s in self.slots if s.key is not None}


def key_of(name: str) -> str:
    """Return what two names must share to be the same: letters and digits."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def matched(tables: Sequence[TablePart], report: Report) -> Iterator[tuple[TablePart, Section]]:
    """Pair each table with the section whose title its name is."""
    by_title = {key_of(section.spec.title): section for section in report.sections}
    for table in tables:
        section = by_title.get(key_of(table.name))
        if section is not None:
            yield table, section


def not_told(tables: Sequence[TablePart], report: Report) -> list[str]:
    """Name the tables of sections that only a pack can fill: what changed since the last one."""
    filled = {key_of(section.spec.title) for section in report.sections}
    known = {key_of(spec.title) for spec in report.definition.sections if spec.kind in OF_CHANGES}
    return [table.name for table in tables if key_of(table.name) in known - filled]


def plan(
    package: Package, sheet: Sheet, table: TablePart, section: Section, report: Report
) -> Fill:
    """Return what a table gets, or refuse it in one line."""

    def refused(why: str) -> UsageError:
        return package.refused(f"table {table.name!r} on sheet {sheet.name!r}: {why}")

    source: Source
    if section.spec.kind == "itemised":
        source = CallRows(report.calls_of(section), section.spec)
    else:
        assert section.table is not None, "only the itemised list has no table"
        source = TableRows(section.table.columns, section.table.rows)
    if table.kind != "worksheet":
        raise refused("it is filled by a query: copy it as a plain table")
    if table.filtered:
        raise refused("it is filtered: clear its filter and save")
    stretch = _stretch(table, len(source))
    if stretch.old < stretch.top:
        raise refused("it has no row")
    if stretch.after.bottom > LAST_ROW:
        room = LAST_ROW - stretch.top + 1 - stretch.totals
        raise refused(f"{counted(len(source), 'row')} do not fit: there is room for {room:,}")
    first = {cell.column: cell for cell in sheet.cells(stretch.top)}
    slots = []
    for place, column in enumerate(table.columns, table.area.left):
        key = _key(column.heading, source)
        style = sheet.style_of(stretch.top, place)
        if key is not None:
            if column.formula is not None:
                raise refused(f"its column {column.heading!r} is calculated: name it otherwise")
            slots.append(Slot(place, style, key))
            continue
        row = sheet.typed(place, stretch.top, stretch.old)
        if row is not None:
            where = f"{get_column_letter(place)}{row}"
            why = f"its column {column.heading!r} is yours and {where} holds a typed value"
            raise refused(f"{why}, which would be lost: move it out of the table, or clear it")
        try:
            slots.append(
                _carried(place, style, first.get(place), column.formula, is_array=column.is_array)
            )
        except (ValueError, TokenizerError) as problem:
            raise refused(f"its column {column.heading!r} {problem}") from None
    if all(slot.key is None for slot in slots):
        offered = ", ".join(column.label for column in source.columns.values())
        raise refused(f"none of its columns is one of {offered}")
    furthest = max((p for s in slots for p in s.formula or () if isinstance(p, int)), default=0)
    if furthest + stretch.new - stretch.top > LAST_ROW:
        raise refused("a formula of it would point below the last row")
    return Fill(table, section.spec.title, source, tuple(slots), stretch)


def _stretch(table: TablePart, count: int) -> Stretch:
    area = table.area
    top = area.top + table.heads
    old = area.bottom - table.totals
    new = top + max(count, 1) - 1
    head = area.top if table.heads else 0
    return Stretch(area.left, area.right, head, top, old, new, table.totals)


def _key(heading: str, source: Source) -> str | None:
    """Return the key of the column that a heading names.

    It may be the name that the definition gives it, its key, or the name that it has otherwise.
    """
    wanted = key_of(heading)
    usual = {**MEASURES, **{key: column.label for key, column in CALL_COLUMNS.items()}}
    for names in (
        {key: column.label for key, column in source.columns.items()},
        {key: key for key in source.columns},
        {key: usual.get(key, "") for key in source.columns},
    ):
        for key, name in names.items():
            if wanted and wanted == key_of(name):
                return key
    return None


def _carried(
    place: int, style: int, cell: Cell | None, calculated: str | None, *, is_array: bool
) -> Slot:
    """Return what the user's own column gets: its formula in every row, or a format alone.

    The column's own formula counts first; where it points to cells, the first row shows how it
    moves. Raises ValueError saying why there is none that can be carried down.
    """
    formula = cell.formula if cell is not None else None
    marks = without(cell.attributes, b"r", b"s", b"t", b"vm") if cell is not None else b""
    if calculated is not None and not moves(calculated):
        return _formula(place, style, calculated, marks, is_array=is_array)
    if formula is None:
        if calculated is not None:
            message = "has a formula that points to cells, but none in its first row"
            raise ValueError(message)
        return Slot(place, style)
    if formula.kind == b"dataTable":
        raise ValueError("holds a data table, which cannot be carried down")
    if formula.kind == b"array" and b":" in (attribute(formula.attributes, b"ref") or b""):
        raise ValueError("holds an array formula over several cells, which cannot be carried down")
    text = "".join(ET.fromstring(b"<f>" + formula.text + b"</f>").itertext())  # noqa: S314 - no DTD
    if not text:
        raise ValueError("shares its formula with a cell outside the table")
    return _formula(place, style, text, marks, is_array=formula.kind == b"array")


def _formula(place: int, style: int, formula: str, marks: bytes, *, is_array: bool) -> Slot:
    pieces: tuple[Piece, ...] = tuple(taken_apart(formula))
    return Slot(place, style, None, pieces, is_array, marks.decode())
