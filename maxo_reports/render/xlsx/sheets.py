"""The sheets of a workbook, section by section, laid out for a person who checks a bill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from openpyxl.cell import Cell as NativeCell
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.ledger import MEASURES
from maxo_reports.core.report import Cell, Column, Kind, Report, Role, Row, Section, Table
from maxo_reports.render.xlsx import calls, names
from maxo_reports.render.xlsx.book import Book, figure
from maxo_reports.render.xlsx.formulas import Formulas
from maxo_reports.render.xlsx.names import Page

_FIRST = 4
"""The row of a table's heading, below the sheet's title."""
_CHART_ROWS = 17
_CHART_HEIGHT, _CHART_WIDTH = 8, 20
_CHART_INSET = 1_380_000
"""Where a chart ends in the summary's last column, in EMU; its edge must not touch the paper's."""
_CHECK_LINE = 50
"""Letters that fit on one line of a check."""
_PORTRAIT = 105
"""The width of a sheet, in characters, that still reads well on upright paper."""

Pages = Mapping[str, Sequence[Page]]
"""The sheets of every itemised section, by the section's title."""


class _Charted(NamedTuple):
    """A table that wants a chart: where its labels and its costs stand."""

    title: str
    sheet: Worksheet
    first: int
    last: int
    cost: int
    largest: Decimal
    days: bool


def fill(book: Book) -> None:
    """Make every sheet of the report, in the definition's order."""
    report = book.report
    sections = report.sections_for("xlsx")
    pages = names.plan(sections, len(report.calls))
    painter = _Painter(book, _formulas(report, sections, pages), pages)
    for section in sections:
        painter.paint(section)
    painter.charts()


def _formulas(report: Report, sections: Sequence[Section], pages: Pages) -> Formulas:
    """Return formulas over the first itemised section, or none where calls are not listed."""
    for section in sections:
        if section.spec.kind == "itemised":
            tables = [page.table for page in pages[section.spec.title]]
            return Formulas(
                tables, section.spec.show, len(report.calls), report.connected_statuses
            )
    return Formulas((), (), len(report.calls), report.connected_statuses)


class _Painter:
    def __init__(self, book: Book, live: Formulas, pages: Pages) -> None:
        self._book = book
        self._live = live
        self._pages = pages
        self._charted: list[_Charted] = []
        self._summary: Worksheet | None = None
        self._chart_row = self._next_row = self._width = 0
        on = [section.spec.sheet for section in book.report.sections_for("xlsx")]
        self._shared = {title for title in on if on.count(title) > 1}

    def paint(self, section: Section) -> None:
        """Draw one section on its sheet."""
        painters: Mapping[str, Callable[[Section], object]] = {
            "summary": self._draw_summary,
            "groups": self._draw_table,
            "days": self._draw_table,
            "exceptions": self._draw_table,
            "windows": self._draw_table,
            "changes": self._draw_table,
            "changed-calls": self._draw_table,
            "checks": self._draw_checks,
            "itemised": lambda s: calls.fill(self._book, s, self._pages[s.spec.title]),
        }
        painters[section.spec.kind](section)

    # ---- summary ----------------------------------------------------------------------------

    def _draw_summary(self, section: Section) -> None:
        """Draw the cover: for whom, which period, how sure, and the control totals."""
        book, table = self._book, section.table
        assert table is not None, "only the itemised list has no table"
        heading, theme = book.report.heading, book.theme
        sheet = book.sheet(section.spec.sheet)
        measures = table.columns[1:]
        self._width = len(measures)
        for place in range(1, self._width + 1):
            sheet.column_dimensions[get_column_letter(place)].width = 21
        book.words(
            book.at(sheet, 1, 1),
            book.report.definition.title,
            size=20,
            bold=True,
            colour=theme.brand,
        )
        book.words(book.at(sheet, 2, 1), heading.account_name, size=14, bold=True)
        sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 30, 22
        row = 4
        for label, text, warn in self._facts():
            book.words(book.at(sheet, row, 1), label, size=10, colour=theme.muted)
            book.words(
                book.at(sheet, row, 2),
                text,
                size=10,
                bold=warn,
                colour=theme.warning if warn else None,
            )
            row += 1
        row += 1
        (totals,) = table.rows
        for place, (column, value) in enumerate(zip(measures, totals.cells[1:], strict=True), 1):
            book.head(book.at(sheet, row, place), column)
            cell = book.at(sheet, row + 1, place)
            self._figure(cell, self._live.total(column.key), value, column.kind, Role.TOTAL)
            cell.font = Font(
                name=theme.workbook_font, size=14, bold=True, color=f"FF{theme.ink[1:].upper()}"
            )
        sheet.row_dimensions[row + 1].height = 28
        self._summary, self._chart_row = sheet, row + 3
        wanted = [s for s in book.report.sections_for("xlsx") if _largest_cost(s)]
        self._next_row = self._chart_row + len(wanted) * _CHART_ROWS

    def _facts(self) -> list[tuple[str, str, bool]]:
        heading = self._book.report.heading
        period = heading.period
        provisional = heading.state.word == "provisional"
        facts = [
            ("Account", heading.account_id, False),
            ("Period", f"{period.first:%d %b %Y} to {period.last:%d %b %Y}, both included", False),
            ("Time zone", period.zone, False),
            ("State", heading.state.word.capitalize(), provisional),
            *(("", reason, True) for reason in heading.state.reasons),
            ("Calls pulled", f"{heading.pulled_at:%d %b %Y %H:%M:%S}", False),
            ("Costs", heading.cost_basis, False),
            ("", "This is not a tax invoice.", False),
        ]
        if not len(self._book.report.calls):
            facts.append(("Calls", "No calls in this period.", True))
        return facts

    # ---- tables -----------------------------------------------------------------------------

    def _place(self, section: Section, columns: tuple[Column, ...]) -> tuple[Worksheet, int]:
        """Return the sheet of a section and the row of its heading; make the sheet if needed."""
        book, spec = self._book, section.spec
        sheet = book.has(spec.sheet)
        if sheet is not None:
            row = self._next_row if sheet is self._summary else sheet.max_row + 2
            sheet.row_breaks.append(Break(id=row - 1))
            book.widen(sheet, columns)
            if sum(map(book.width, columns)) > _PORTRAIT:
                sheet.page_setup.orientation = "landscape"
            book.words(
                book.at(sheet, row, 1), spec.title, size=14, bold=True, colour=book.theme.brand
            )
            return sheet, row + 2
        sheet = book.sheet(spec.sheet, landscape=sum(map(book.width, columns)) > _PORTRAIT)
        heading = book.report.heading
        book.widths(sheet, columns)
        book.words(book.at(sheet, 1, 1), spec.title, size=16, bold=True, colour=book.theme.brand)
        sheet.row_dimensions[1].height = 26
        says = f"{heading.account_name}, {heading.period.label}"
        if heading.state.word == "provisional":
            says += ", PROVISIONAL"
        book.words(book.at(sheet, 2, 1), says, size=10, colour=book.theme.muted)
        sheet.freeze_panes = f"A{_FIRST + 1}"
        if spec.sheet not in self._shared:
            # On a sheet with two tables they would stand above the second one's rows, too.
            sheet.print_title_rows = f"{_FIRST}:{_FIRST}"
        return sheet, _FIRST

    def _draw_table(self, section: Section) -> int:
        """Draw a table and return the row after its last."""
        table = section.table
        assert table is not None, "only the itemised list has no table"
        sheet, row = self._place(section, table.columns)
        first = row + 1
        self._head(sheet, row, table)
        items = sum(1 for each in table.rows if each.role is Role.ROW)
        for each in table.rows:
            row += 1
            if each.role is Role.TOTAL:
                self._total_row(sheet, row, first, each, table)
            else:
                self._row(sheet, row, each, table, items)
        last = first + items - 1
        if items:
            end = get_column_letter(len(table.columns))
            if sheet is not self._summary:
                sheet.auto_filter.ref = f"A{first - 1}:{end}{last}"
        if section.note:
            row += 1
            self._book.words(
                self._book.at(sheet, row, 1), section.note, size=10, colour=self._book.theme.muted
            )
        if largest := _largest_cost(section):
            cost = [column.key for column in table.columns].index("cost") + 1
            days = section.spec.kind == "days"
            self._charted.append(
                _Charted(section.spec.title, sheet, first, last, cost, largest, days)
            )
        return row + 1

    def _head(self, sheet: Worksheet, row: int, table: Table) -> None:
        for place, column in enumerate(table.columns, 1):
            self._book.head(self._book.at(sheet, row, place), column)
        sheet.row_dimensions[row].height = 20

    def _row(self, sheet: Worksheet, row: int, each: Row, table: Table, rows: int) -> None:
        keys = {
            name: f"${get_column_letter(at)}{row}" for at, name in enumerate(table.group_by, 1)
        }
        for place, (value, column) in enumerate(zip(each.cells, table.columns, strict=True), 1):
            formula = None
            if column.key in MEASURES and table.group_by:
                formula = self._live.group(column.key, keys, rows)
            elif column.key in MEASURES and isinstance(each.cells[0], date):
                formula = self._live.day(column.key, f"$A{row}", rows)
            cell = self._book.at(sheet, row, place)
            self._figure(cell, formula, value, column.kind, Role.ROW)

    def _total_row(self, sheet: Worksheet, row: int, first: int, each: Row, table: Table) -> None:
        """Draw the total as the sum of the rows above it: another way than the summary's."""
        for place, (value, column) in enumerate(zip(each.cells, table.columns, strict=True), 1):
            letter = get_column_letter(place)
            live = column.key in MEASURES and row > first
            formula = f"SUM({letter}{first}:{letter}{row - 1})" if live else None
            cell = self._book.at(sheet, row, place)
            self._figure(cell, formula, value, column.kind, Role.TOTAL)

    def _figure(
        self, cell: NativeCell, formula: str | None, value: Cell, kind: Kind, role: Role
    ) -> None:
        """Write a figure as a formula with its value, or as a plain value."""
        if formula is None:
            self._book.value(cell, value, kind, role)
        else:
            self._book.formula(cell, formula, figure(value, kind), kind, role)

    # ---- checks -----------------------------------------------------------------------------

    def _draw_checks(self, section: Section) -> None:
        """Draw the checks made before the file, and those that the workbook keeps making."""
        book = self._book
        after = self._draw_table(section)
        sheet = book.has(section.spec.sheet)
        assert sheet is not None, "the table was just drawn on it"
        for row in range(_FIRST + 1, after):
            cells = [book.at(sheet, row, place) for place in (1, 2, 3)]
            longest = max(len(str(cell.value or "")) for cell in cells)
            sheet.row_dimensions[row].height = 15 * (1 + longest // _CHECK_LINE)
            for cell in cells:
                cell.alignment = Alignment(vertical="center", wrap_text=True)
        row = self._live_checks(sheet, after + 1)
        theme = book.theme
        bad = CellIsRule(  # type: ignore[no-untyped-call]
            operator="equal",
            formula=['"FAIL"'],
            font=Font(color=f"FF{theme.on_brand[1:].upper()}", bold=True),
            fill=PatternFill("solid", bgColor=f"FF{theme.bad[1:].upper()}"),
        )
        good = CellIsRule(  # type: ignore[no-untyped-call]
            operator="equal",
            formula=['"PASS"'],
            font=Font(color=f"FF{theme.good[1:].upper()}", bold=True),
        )
        for rule in (bad, good):
            sheet.conditional_formatting.add(f"D{_FIRST + 1}:D{row}", rule)

    def _live_checks(self, sheet: Worksheet, row: int) -> int:
        """Compare the Calls rows, as they stand in the workbook, with the control totals."""
        book = self._book
        columns = [
            Column("measure", "Calls sheet against the ledger", Kind.TEXT),
            Column("control", "Control total", Kind.TEXT),
            Column("sum", "Sum of the Calls sheet", Kind.TEXT),
            Column("result", "Result", Kind.TEXT),
        ]
        live = {m: f for m in MEASURES if (f := self._live.total(m)) is not None}
        if not live:
            return row
        for place, column in enumerate(columns, 1):
            book.head(book.at(sheet, row, place), column)
        for measure, formula in live.items():
            row += 1
            value = getattr(book.report.totals, measure)
            kind = {"seconds": Kind.DURATION, "cost": Kind.MONEY}.get(measure, Kind.COUNT)
            book.value(book.at(sheet, row, 1), MEASURES[measure], Kind.TEXT)
            book.value(book.at(sheet, row, 2), value, kind)
            book.formula(book.at(sheet, row, 3), formula, figure(value, kind), kind)
            # Sums of parts of a day and of cents are not exact in a spreadsheet; a millionth is.
            result = f'IF(ABS(B{row}-C{row})<0.000001,"PASS","FAIL")'
            book.formula(book.at(sheet, row, 4), result, "PASS", Kind.TEXT)
            for place in (2, 3):
                book.at(sheet, row, place).alignment = Alignment(horizontal="left")
        return row

    # ---- charts -----------------------------------------------------------------------------

    def charts(self) -> None:
        """Put each chart on the summary, or beside its own table where there is no summary."""
        row = self._chart_row
        for charted in self._charted:
            chart = _chart(charted, self._book)
            if self._summary is not None:
                # Anchored to cells at both ends, a chart is as wide as the table in any program.
                end = AnchorMarker(self._width - 1, _CHART_INSET, row + _CHART_ROWS - 2)
                start = AnchorMarker(col=0, row=row - 1)
                chart.anchor = TwoCellAnchor(_from=start, to=end)  # type: ignore[assignment]
                self._summary.add_chart(chart)
                row += _CHART_ROWS
            else:
                charted.sheet.add_chart(chart, f"{get_column_letter(charted.cost + 2)}{_FIRST}")


def _largest_cost(section: Section) -> Decimal:
    """Return the largest cost of a section that wants a chart, or zero: nothing to draw."""
    table = section.table
    if table is None or not section.spec.chart:
        return Decimal(0)
    place = [column.key for column in table.columns].index("cost")
    costs = [row.cells[place] for row in table.rows if row.role is Role.ROW]
    return max((abs(cost) for cost in costs if isinstance(cost, Decimal)), default=Decimal(0))


def _chart(charted: _Charted, book: Book) -> BarChart:
    """Draw costs as bars: lying for groups, standing for days; one colour, no legend."""
    chart = BarChart()
    chart.type = "col" if charted.days else "bar"
    chart.style = 2
    chart.title = f"Cost {charted.title[0].lower()}{charted.title[1:]}"
    chart.legend = None
    chart.gapWidth = 40
    chart.height = _CHART_HEIGHT
    chart.width = _CHART_WIDTH
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
