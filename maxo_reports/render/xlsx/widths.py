"""How wide a column has to be: measured from what is in it, within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from maxo_reports.core.money import to_text
from maxo_reports.core.report import Cell, Column, Kind, Role, Table
from maxo_reports.core.text import length

NARROWEST, WIDEST = 9, 60
"""In characters. What is longer than the widest is wrapped, or shown up to the next cell."""
_FILTER_ARROW = 4
_AIR = 2
_HEADING, _MATRIX_HEADING = 18, 9
_MOMENT = len("31 Oct 2026 23:59:59")
_DATE = len("Sat 31 Oct 2026")
_MOST = {"message": 60, "check": 42, "expected": 42, "found": 42, "reply": 70}
"""Columns of whole sentences, which are wrapped, and of hashes, which are not."""


def of_table(table: Table, places: int) -> list[int]:
    """Return the width of each column of a table; costs have ``places`` decimals."""
    return [
        of_column(
            column,
            max(
                (
                    shown(row.cells[at], column.kind, places) + (row.role is Role.TOTAL)
                    for row in table.rows
                ),
                default=0,
            ),
            _MATRIX_HEADING if table.across else _HEADING,
        )
        for at, column in enumerate(table.columns)
    ]


def of_column(column: Column, longest: int, heading: int = _HEADING) -> int:
    """Return the width for a column whose longest value has so many letters.

    A heading of more than ``heading`` letters is wrapped at its words.
    """
    most = _MOST.get(column.key, WIDEST)
    # Capitals and figures are wider than the average letter of a font.
    content = longest + longest // 10 + _AIR
    return min(max(content, _heading(column, heading), NARROWEST), most)


def _heading(column: Column, wrapped: int) -> int:
    """Return the room for a heading and its arrow."""
    label = column.label
    longest = max(map(length, label.split()), default=0)
    return min(length(label), max(longest, wrapped)) + _FILTER_ARROW


def shown(value: Cell, kind: Kind, places: int) -> int:
    """Return how many letters a value takes when it is written out."""
    if value is None:
        return 0
    if isinstance(value, str):
        return length(value)
    if kind is Kind.MOMENT and isinstance(value, datetime):
        return _MOMENT
    if isinstance(value, date):
        return _DATE
    if kind is Kind.DURATION and isinstance(value, int):
        return len(f"{value // 3600}:00:00")
    if kind is Kind.COUNT:
        return len(f"{value:,}")
    return len(to_text(value, places, "$")) + 1 if not isinstance(value, int) else len(str(value))


def of_calls(
    columns: Iterable[Column], longest: Mapping[str, int], places: int, most: Cell
) -> list[int]:
    """Return the widths of a list of calls from the longest text of each of its columns.

    ``most`` is the greatest cost that one of them may have.
    """
    fixed = {Kind.MOMENT: _MOMENT, Kind.DURATION: len("100:00:00")}
    return [
        of_column(
            column,
            shown(most, Kind.MONEY, places)
            if column.kind is Kind.MONEY
            else fixed.get(column.kind, longest.get(column.key, 0)),
        )
        for column in columns
    ]


def lines(text: str, width: int) -> int:
    """Return how many lines a text takes in a cell of a width, broken at its words."""
    count, left = 1, width
    for word in text.split():
        need = length(word)
        if need > left and left < width:
            count, left = count + 1, width
        count += max(0, need - 1) // width if need > width else 0
        left -= need + 1
    return count
