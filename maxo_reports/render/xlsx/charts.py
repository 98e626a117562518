"""The charts of a workbook: costs as bars beside the rows that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
    RichTextProperties,
)
from openpyxl.drawing.text import Font as Latin
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.report import Role, Section
from maxo_reports.render.xlsx.book import Book
from maxo_reports.render.xlsx.cover import Cover
from maxo_reports.render.xlsx.texts import safe_text

_ROWS = 16
"""Rows that a chart takes on the cover."""
_BESIDE = 2
"""How many charts stand side by side there."""
_MOST_BARS = 15
"""Lying bars that can still be read; of more groups the first, which have the most."""
_HEIGHT, _WIDTH = 8, 20
_EVERY_OTHER = 2
_STEPS = 5
_EMU = 9_525
"""To the pixel."""
_GAP = 10
"""Pixels between two charts, and to the edge of the last column."""


class Charted(NamedTuple):
    """A table that wants a chart: where its labels and its costs stand."""

    title: str
    sheet: Worksheet
    first: int
    last: int
    cost: int
    largest: Decimal
    kind: str


def largest_cost(section: Section) -> Decimal:
    """Return the largest cost of a section that wants a chart, or zero: nothing to draw."""
    table = section.table
    if table is None or not section.spec.chart:
        return Decimal(0)
    place = [column.key for column in table.columns].index("cost")
    costs = [row.cells[place] for row in table.rows if row.role is Role.ROW]
    return max((abs(cost) for cost in costs if isinstance(cost, Decimal)), default=Decimal(0))


def rows(count: int) -> int:
    """Return how many rows of the cover so many charts take."""
    return -(-count // _BESIDE) * _ROWS


def on_cover(charted: Sequence[Charted], book: Book, on: Cover) -> None:
    """Put charts on the cover, two side by side; a single one is as wide as the totals."""
    across = min(len(charted), _BESIDE)
    for at, each in enumerate(charted):
        chart = _chart(each, book)
        row = on.free - 1 + at // _BESIDE * _ROWS
        # Anchored to cells at both ends, a chart is as wide as the table in any program.
        left, right = at % _BESIDE, at % _BESIDE + 1
        start = _marker(on, left, across, row, 0 if left == 0 else _GAP)
        chart.anchor = TwoCellAnchor(  # type: ignore[assignment]
            _from=start, to=_marker(on, right, across, row + _ROWS - 1, -_GAP)
        )
        on.sheet.add_chart(chart)


def _marker(on: Cover, part: int, parts: int, row: int, pixels: int) -> AnchorMarker:
    """Return the place ``part`` of ``parts`` across the cover's columns, some pixels further."""
    width = int(on.sheet.column_dimensions["A"].width) * 7 + 5
    place = on.columns * width * part // parts + pixels
    column = min(place // width, on.columns - 1)
    return AnchorMarker(col=column, colOff=(place - column * width) * _EMU, row=row)


def beside_table(charted: Charted, book: Book, row: int) -> None:
    """Put a chart beside its own table, from a row on."""
    chart = _chart(charted, book)
    charted.sheet.add_chart(chart, f"{get_column_letter(charted.cost + 2)}{row}")


def _chart(charted: Charted, book: Book) -> BarChart:
    """Draw costs as bars: lying for groups, standing for days; one colour, no legend."""
    chart = BarChart()
    standing = charted.kind != "groups"
    last = charted.last if standing else min(charted.last, charted.first + _MOST_BARS - 1)
    chart.type = "col" if standing else "bar"
    chart.style = 2
    chart.title = _title(charted, last, book)
    chart.legend = None
    chart.gapWidth = 40
    chart.height = _HEIGHT
    chart.width = _WIDTH
    values = Reference(charted.sheet, min_col=charted.cost, min_row=charted.first, max_row=last)
    chart.add_data(values, titles_from_data=False)
    labels = Reference(charted.sheet, min_col=1, min_row=charted.first, max_row=last)
    chart.set_categories(labels)
    colour = book.theme.brand[1:].upper()
    chart.series[0].graphicalProperties = GraphicalProperties(solidFill=colour)
    hairline = LineProperties(solidFill=book.theme.line[1:].upper(), w=6350)
    # openpyxl leaves the axes out of sight unless told otherwise.
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = '"$"#,##0' if charted.largest >= 10 else '"$"0.00'
    chart.y_axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=hairline))
    chart.x_axis.number_format = "d" if charted.kind == "days" else "@"
    chart.x_axis.tickLblPos = "low"
    chart.x_axis.tickLblSkip = _EVERY_OTHER if charted.kind == "days" else 1
    chart.x_axis.txPr = _upright(700 if charted.kind == "days" else 900)
    chart.y_axis.majorUnit = float(_step(charted.largest))
    if not standing:
        chart.x_axis.scaling.orientation = "maxMin"
        chart.y_axis.crosses = "max"
    return chart


def _upright(size: int) -> RichText:
    """Return the look of labels that are not turned to make room; the size is in 1/100 point."""
    plain = Paragraph(pPr=ParagraphProperties(defRPr=CharacterProperties(sz=size)))
    return RichText(bodyPr=RichTextProperties(rot=0), p=[plain])


def _step(largest: Decimal) -> Decimal:
    """Return a round step of the scale: four to eight of them are as much as the largest cost."""
    unit = Decimal(1).scaleb((largest / _STEPS).adjusted())
    return next(unit * step for step in (1, 2, 5, 10) if unit * step * _STEPS >= largest)


def _title(charted: Charted, last: int, book: Book) -> Title:
    """Write a chart's title in the workbook's own letters, no larger than a table's."""
    words = f"Cost {charted.title[0].lower()}{charted.title[1:]}"
    if last < charted.last:
        words += f" (the first {last - charted.first + 1})"
    theme = book.theme
    letters = Latin(typeface=theme.workbook_font)
    font = CharacterProperties(sz=1200, b=True, solidFill=theme.ink[1:].upper(), latin=letters)
    run = RegularTextRun(rPr=font, t=safe_text(words))
    text = RichText(p=[Paragraph(pPr=ParagraphProperties(defRPr=font), r=[run])])
    return Title(tx=Text(rich=text), overlay=False)
