"""The charts of a workbook: costs as bars beside the rows that they are of."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from openpyxl.chart import BarChart, Reference
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.report import Role, Section
from maxo_reports.render.xlsx.book import Book

ROWS = 17
"""Rows that a chart takes on the summary."""
_HEIGHT, _WIDTH = 8, 20
_INSET = 1_380_000
"""Where a chart ends in the summary's last column, in EMU; its edge must not touch the paper's."""


class Charted(NamedTuple):
    """A table that wants a chart: where its labels and its costs stand."""

    title: str
    sheet: Worksheet
    first: int
    last: int
    cost: int
    largest: Decimal
    days: bool


def largest_cost(section: Section) -> Decimal:
    """Return the largest cost of a section that wants a chart, or zero: nothing to draw."""
    table = section.table
    if table is None or not section.spec.chart:
        return Decimal(0)
    place = [column.key for column in table.columns].index("cost")
    costs = [row.cells[place] for row in table.rows if row.role is Role.ROW]
    return max((abs(cost) for cost in costs if isinstance(cost, Decimal)), default=Decimal(0))


def on_summary(charted: Charted, book: Book, summary: Worksheet, row: int, width: int) -> None:
    """Put a chart on the summary, from a row on, as wide as its ``width`` columns."""
    chart = _chart(charted, book)
    # Anchored to cells at both ends, a chart is as wide as the table in any program.
    end = AnchorMarker(width - 1, _INSET, row + ROWS - 2)
    start = AnchorMarker(col=0, row=row - 1)
    chart.anchor = TwoCellAnchor(_from=start, to=end)  # type: ignore[assignment]
    summary.add_chart(chart)


def beside_table(charted: Charted, book: Book, row: int) -> None:
    """Put a chart beside its own table, from a row on."""
    chart = _chart(charted, book)
    charted.sheet.add_chart(chart, f"{get_column_letter(charted.cost + 2)}{row}")


def _chart(charted: Charted, book: Book) -> BarChart:
    """Draw costs as bars: lying for groups, standing for days; one colour, no legend."""
    chart = BarChart()
    chart.type = "col" if charted.days else "bar"
    chart.style = 2
    chart.title = f"Cost {charted.title[0].lower()}{charted.title[1:]}"
    chart.legend = None
    chart.gapWidth = 40
    chart.height = _HEIGHT
    chart.width = _WIDTH
    values = Reference(
        charted.sheet, min_col=charted.cost, min_row=charted.first, max_row=charted.last
    )
    chart.add_data(values, titles_from_data=False)
    labels = Reference(charted.sheet, min_col=1, min_row=charted.first, max_row=charted.last)
    chart.set_categories(labels)
    colour = book.theme.brand[1:].upper()
    chart.series[0].graphicalProperties = GraphicalProperties(solidFill=colour)
    hairline = LineProperties(solidFill=book.theme.line[1:].upper(), w=6350)
    # openpyxl leaves the axes out of sight unless told otherwise.
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.number_format = '"$"#,##0' if charted.largest >= 10 else '"$"0.00'
    chart.y_axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=hairline))
    chart.x_axis.number_format = "d mmm" if charted.days else "@"
    chart.x_axis.tickLblPos = "low"
    if not charted.days:
        chart.x_axis.scaling.orientation = "maxMin"
        chart.y_axis.crosses = "max"
    return chart
