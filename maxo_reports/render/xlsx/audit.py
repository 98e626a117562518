"""The checks that a workbook keeps making: its Calls rows against the ledger's figures.

They are formulas beside control totals that are plain values, so an edited row shows as FAIL as
soon as the program has recalculated. Totals notice a changed figure. For a call that moved from
one group to another, groups and days are added up with a weight for each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.ledger import MEASURES, Totals
from maxo_reports.core.report import Column, Kind, Role, Table
from maxo_reports.render.xlsx.book import Book, figure
from maxo_reports.render.xlsx.formulas import Formulas, weighted

PASS, FAIL = "PASS", "FAIL"
_AUDITED = frozenset({"calls", "cost"})
"""Measures whose rows are compared: calls, which a renamed row moves, and cost."""
_NOTHING = {Kind.COUNT: "0.5", Kind.DURATION: "0.000005", Kind.MONEY: "0.000001"}
"""What a difference must reach to be one: sums in a spreadsheet are never quite exact. Of a
duration it is half a second, in days; of a cost a millionth of a dollar."""
_COLUMNS = (
    Column("measure", "Calls sheet against the ledger", Kind.TEXT),
    Column("control", "Control total", Kind.TEXT),
    Column("sum", "Sum of the Calls sheet", Kind.TEXT),
    Column("result", "Result", Kind.TEXT),
)


class Audited(NamedTuple):
    """A column of live figures: of which section, where, and what the ledger says of its rows."""

    title: str
    sheet: Worksheet
    column: Column
    place: int
    first: int
    figures: tuple[Decimal | int, ...]


def columns_of(
    book: Book, title: str, sheet: Worksheet, first: int, table: Table
) -> list[Audited]:
    """Return the live columns of a table that are to be compared; its rows begin at ``first``."""
    rows = [row for row in table.rows if row.role is Role.ROW]
    live = book.pass_of(sheet).cached
    return [
        Audited(
            title,
            sheet,
            column,
            place,
            first,
            tuple(figure(row.cells[place - 1], column.kind) for row in rows),
        )
        for place, column in enumerate(table.columns, 1)
        if column.key in _AUDITED and f"{get_column_letter(place)}{first}" in live
    ]


def draw(
    book: Book,
    live: Formulas,
    of: Totals,
    audited: Sequence[Audited],
    sheet: Worksheet,
    row: int,
) -> int:
    """Draw the live checks from a row on and return their last row.

    ``of`` are the totals of the calls that ``live`` counts.
    """
    totals = {measure: formula for measure in MEASURES if (formula := live.total(measure))}
    if not totals and not audited:
        return row
    for place, column in enumerate(_COLUMNS, 1):
        book.head(book.at(sheet, row, place), column)
    for measure, formula in totals.items():
        row += 1
        kind = {"seconds": Kind.DURATION, "cost": Kind.MONEY}.get(measure, Kind.COUNT)
        control = figure(getattr(of, measure), kind)
        _check(book, sheet, row, MEASURES[measure], control, formula, kind)
    for each in audited:
        row += 1
        letter, last = get_column_letter(each.place), each.first + len(each.figures) - 1
        place_of_rows = f"{letter}{each.first}:{letter}{last}"
        formula = weighted(f"{quote_sheetname(each.sheet.title)}!{place_of_rows}", each.first)
        control = sum(weight * value for weight, value in enumerate(each.figures, 1))
        label = f"{each.title}: {each.column.label}, weighted by row"
        _check(book, sheet, row, label, control, formula, each.column.kind)
    return row


def _check(
    book: Book,
    sheet: Worksheet,
    row: int,
    label: str,
    control: Decimal | int,
    formula: str,
    kind: Kind,
) -> None:
    book.value(book.at(sheet, row, 1), label, Kind.TEXT)
    figures = [book.at(sheet, row, place) for place in (2, 3)]
    book.number(figures[0], control, kind)
    book.formula(figures[1], formula, control, kind)
    result = f'IF(ABS(B{row}-C{row})<{_NOTHING[kind]},"{PASS}","{FAIL}")'
    book.formula(book.at(sheet, row, 4), result, PASS, Kind.TEXT)
    for cell in figures:
        cell.alignment = Alignment(horizontal="left", vertical="center")


def colour(book: Book, sheet: Worksheet, place: str) -> None:
    """Have FAIL stand out in red, and PASS in green."""
    theme = book.theme
    bad = CellIsRule(  # type: ignore[no-untyped-call]
        operator="equal",
        formula=[f'"{FAIL}"'],
        font=Font(color=f"FF{theme.on_brand[1:].upper()}", bold=True),
        fill=PatternFill("solid", bgColor=f"FF{theme.bad[1:].upper()}"),
    )
    good = CellIsRule(  # type: ignore[no-untyped-call]
        operator="equal",
        formula=[f'"{PASS}"'],
        font=Font(color=f"FF{theme.good[1:].upper()}", bold=True),
    )
    for rule in (bad, good):
        sheet.conditional_formatting.add(place, rule)
