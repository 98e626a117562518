"""The sheets of a workbook, section by section, laid out for a person who checks a bill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from openpyxl.cell import Cell as NativeCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.ledger import MEASURES
from maxo_reports.core.report import Cell, Column, Kind, Report, Role, Row, Section, Table
from maxo_reports.render.xlsx import audit, calls, charts, names
from maxo_reports.render.xlsx.audit import Audited
from maxo_reports.render.xlsx.book import Book, figure
from maxo_reports.render.xlsx.charts import Charted
from maxo_reports.render.xlsx.formulas import Formulas
from maxo_reports.render.xlsx.names import Page

_FIRST = 4
"""The row of a table's heading, below the sheet's title."""
_CHECK_LINE = 50
"""Letters that fit on one line of a check."""
_PORTRAIT = 105
"""The width of a sheet, in characters, that still reads well on upright paper."""
Pages = Mapping[str, Sequence[Page]]
"""The sheets of every itemised section, by the section's title."""


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
        self._charted: list[Charted] = []
        self._audited: list[Audited] = []
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
        wanted = [s for s in book.report.sections_for("xlsx") if charts.largest_cost(s)]
        self._next_row = self._chart_row + len(wanted) * charts.ROWS

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
        choice = self._live.choice(table)
        for each in table.rows:
            row += 1
            if each.role is Role.TOTAL:
                self._total_row(sheet, row, first, each, table)
            else:
                self._row(sheet, row, each, table, choice)
        last = first + items - 1
        if items:
            title = section.spec.title
            self._audited += audit.columns_of(self._book, title, sheet, first, table)
        if items:
            end = get_column_letter(len(table.columns))
            if sheet is not self._summary:
                sheet.auto_filter.ref = f"A{first - 1}:{end}{last}"
        if section.note:
            row += 1
            self._book.words(
                self._book.at(sheet, row, 1), section.note, size=10, colour=self._book.theme.muted
            )
        if largest := charts.largest_cost(section):
            cost = [column.key for column in table.columns].index("cost") + 1
            days = section.spec.kind == "days"
            self._charted.append(
                Charted(section.spec.title, sheet, first, last, cost, largest, days)
            )
        return row + 1

    def _head(self, sheet: Worksheet, row: int, table: Table) -> None:
        for place, column in enumerate(table.columns, 1):
            self._book.head(self._book.at(sheet, row, place), column)
        sheet.row_dimensions[row].height = 20

    def _row(
        self, sheet: Worksheet, row: int, each: Row, table: Table, choice: str | None
    ) -> None:
        cells = [f"${get_column_letter(at)}{row}" for at in range(1, _keys(table) + 1)]
        for place, (value, column) in enumerate(zip(each.cells, table.columns, strict=True), 1):
            formula = None
            if choice is not None and column.key in MEASURES:
                formula = self._live.row(column.key, choice, cells)
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
        row = audit.draw(book, self._live, self._audited, sheet, after + 1)
        audit.colour(book, sheet, f"D{_FIRST + 1}:D{row}")

    # ---- charts -----------------------------------------------------------------------------

    def charts(self) -> None:
        """Put each chart on the summary, or beside its own table where there is no summary."""
        row = self._chart_row
        for charted in self._charted:
            if self._summary is None:
                charts.beside_table(charted, self._book, _FIRST)
            else:
                charts.on_summary(charted, self._book, self._summary, row, self._width)
                row += charts.ROWS


def _keys(table: Table) -> int:
    """Return how many leading cells of a row say which calls it is about."""
    return len(table.group_by) or 1
