"""The sheets of a workbook, section by section, laid out for a person who checks a bill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.ledger import MEASURES
from maxo_reports.core.report import Kind, Report, Role, Row, Section, Table
from maxo_reports.render.xlsx import audit, calls, charts, cover, looks, names, widths
from maxo_reports.render.xlsx.audit import Audited
from maxo_reports.render.xlsx.book import Book
from maxo_reports.render.xlsx.charts import Charted
from maxo_reports.render.xlsx.cover import Cover
from maxo_reports.render.xlsx.formulas import Formulas
from maxo_reports.render.xlsx.names import Pages

_FIRST = 4
"""The row of a table's heading, below the sheet's title."""
_LINE = 15
"""The height of a line, in points."""
_DAY_LINE = 13.5
"""The same in a table of days: a month has to fit on one page across."""
_BARRED = frozenset({"groups", "days", "matrix", "itemised", "trend"})
"""Kinds of section whose cost has bars behind it."""
_JUDGED = "result"
"""The column of a table of checks that is red or green."""


def fill(book: Book) -> None:
    """Make every sheet of the report, in the definition's order."""
    painter = _Painter(book, names.plan(book.report.sections_for("xlsx"), len(book.report.calls)))
    for section in book.report.sections_for("xlsx"):
        painter.paint(section)
    painter.charts()


def _formulas(report: Report, pages: Pages) -> Formulas:
    """Return formulas over the first list that holds all its calls, or none where none does."""
    listed = report.listed("xlsx")
    if listed is None:
        return Formulas((), (), len(report.calls), report.connected_statuses)
    tables = [page.table for page in pages[listed.spec.title]]
    count = len(report.calls_of(listed))
    return Formulas(tables, listed.spec.call_columns, count, report.connected_statuses)


class _Painter:
    def __init__(self, book: Book, pages: Pages) -> None:
        self._book = book
        self._pages = pages
        self._over_list = _formulas(book.report, pages)
        self._plain = Formulas((), (), len(book.report.calls), book.report.connected_statuses)
        self._charted: list[Charted] = []
        self._audited: list[Audited] = []
        self._cover: Cover | None = None
        on = [section.spec.sheet for section in book.report.sections_for("xlsx")]
        self._shared = {title for title in on if on.count(title) > 1}

    def paint(self, section: Section) -> None:
        """Draw one section on its sheet."""
        painters: Mapping[str, Callable[[Section], object]] = {
            "summary": self._draw_summary,
            "groups": self._draw_table,
            "days": self._draw_table,
            "matrix": self._draw_table,
            "trend": self._draw_table,
            "previous": self._draw_table,
            "gst": self._draw_table,
            "top-destinations": self._draw_table,
            "longest-calls": self._draw_table,
            "dearest-calls": self._draw_table,
            "exceptions": self._draw_sentences,
            "windows": self._draw_table,
            "changes": self._draw_table,
            "changed-calls": self._draw_table,
            "checks": self._draw_checks,
            "itemised": self._draw_list,
        }
        painters[section.spec.kind](section)

    def _live(self, section: Section) -> Formulas:
        """Return formulas over the list, where it holds the very calls of a section."""
        report = self._book.report
        listed = report.listed("xlsx")
        same = listed is not None and report.calls_of(listed) is report.calls_of(section)
        return self._over_list if same else self._plain

    def _draw_summary(self, section: Section) -> None:
        self._cover = cover.draw(self._book, self._live(section), section)

    def _draw_list(self, section: Section) -> None:
        """Draw a list of calls; before one of many sheets comes their index."""
        if section.table is not None:
            self._draw_table(section)
        calls.fill(self._book, section, self._pages[section.spec.title])

    # ---- tables -----------------------------------------------------------------------------

    def _place(self, section: Section, table: Table) -> tuple[Worksheet, int]:
        """Return the sheet of a section and the row of its heading; make the sheet if needed."""
        book, spec = self._book, section.spec
        wanted = widths.of_table(table, book.report.places)
        sheet = book.has(spec.sheet)
        if sheet is not None:
            on_cover = self._cover is not None and sheet is self._cover.sheet
            row = self._below_charts() if on_cover else sheet.max_row + 2
            sheet.row_breaks.append(Break(id=row - 1))
            book.widths(sheet, table.columns, wanted)
            title = book.at(sheet, row, 1)
            book.words(title, spec.title, size=14, bold=True, colour=book.theme.brand)
            if section.filtered:
                book.says(sheet, row + 1, section, len(table.columns))
            return sheet, row + 2
        sheet = book.sheet(spec.sheet)
        book.widths(sheet, table.columns, wanted)
        title = book.at(sheet, 1, 1)
        book.words(title, spec.title, size=16, bold=True, colour=book.theme.brand)
        sheet.row_dimensions[1].height = 26
        book.says(sheet, 2, section, len(table.columns))
        frozen = get_column_letter(_keys(table) + 1) if table.across else "A"
        sheet.freeze_panes = f"{frozen}{_FIRST + 1}"
        if spec.sheet not in self._shared:
            # On a sheet with two tables they would stand above the second one's rows, too.
            sheet.print_title_rows = f"{_FIRST}:{_FIRST}"
        return sheet, _FIRST

    def _draw_table(self, section: Section) -> int:
        """Draw a table and return the row after its last."""
        table = section.table
        assert table is not None, "only the itemised list has no table"
        sheet, row = self._place(section, table)
        first = row + 1
        self._head(sheet, row, table)
        items = sum(1 for each in table.rows if each.role is Role.ROW)
        formulas = self._row_formulas(section, table, row)
        for at, each in enumerate(table.rows):
            row += 1
            sheet.row_dimensions[row].height = _DAY_LINE if section.spec.kind == "days" else _LINE
            if each.role is Role.TOTAL:
                self._total_row(sheet, row, first, each, table)
            else:
                self._row(sheet, row, each, table, formulas(at, row))
        last = first + items - 1
        if items:
            title = section.spec.title
            self._audited += audit.columns_of(self._book, title, sheet, first, table)
            self._dress(section, sheet, first, last, table)
        if section.parts:
            self._link(sheet, first, table)
        if section.note:
            row += 1
            self._book.sentence(
                sheet,
                row,
                section.note,
                len(table.columns),
                size=10,
                colour=self._book.theme.muted,
            )
        if largest := charts.largest_cost(section):
            cost = [column.key for column in table.columns].index("cost") + 1
            kind = section.spec.kind
            self._charted.append(
                Charted(section.spec.title, sheet, first, last, cost, largest, kind)
            )
        return row + 1

    def _dress(
        self, section: Section, sheet: Worksheet, first: int, last: int, table: Table
    ) -> None:
        """Give the rows their bands, their cost its bars, the sheet its filter."""
        book, end = self._book, get_column_letter(len(table.columns))
        plain = {get_column_letter(at): column for at, column in enumerate(table.columns, 1)}
        barred = section.spec.kind in _BARRED and "cost" in {c.key for c in plain.values()}
        begin = _keys(table) + 1
        heated = [get_column_letter(begin + at) for at in range(len(table.names))]
        if table.across:
            # Not the column of all others, which would outshine the single ones.
            looks.heat(book, sheet, f"{heated[0]}{first}:{heated[-1]}{last}")
        if barred:
            (cost,) = (letter for letter, c in plain.items() if c.key == "cost")
            looks.bars(book, sheet, f"{cost}{first}:{cost}{last}")
        banded = [
            f"{letter}{first}:{letter}{last}"
            for letter, c in plain.items()
            if letter not in heated and not (barred and c.key == "cost") and c.key != _JUDGED
        ]
        looks.bands(book, sheet, " ".join(banded), first)
        if self._cover is None or sheet is not self._cover.sheet:
            sheet.auto_filter.ref = f"A{first - 1}:{end}{last}"

    def _head(self, sheet: Worksheet, row: int, table: Table) -> None:
        tallest = 1
        for place, column in enumerate(table.columns, 1):
            self._book.head(self._book.at(sheet, row, place), column)
            room = int(sheet.column_dimensions[get_column_letter(place)].width) - 2
            tallest = max(tallest, widths.lines(column.label, room))
        sheet.row_dimensions[row].height = 5 + _LINE * tallest

    def _row_formulas(
        self, section: Section, table: Table, head: int
    ) -> Callable[[int, int], Sequence[str | None]]:
        """Return what gives the formulas of a row's cells, by its place in the table and sheet."""
        live = self._live(section)
        if section.parts:
            tables = [page.table for page in self._pages[section.spec.title]]
            alone = len(tables) == len(table.rows) - 1
            columns = section.spec.call_columns
            statuses = self._book.report.connected_statuses
            return lambda at, _: [
                Formulas(tables[at : at + 1] if alone else (), columns, 1, statuses).total(c.key)
                if c.key in MEASURES
                else None
                for c in table.columns
            ]
        if table.across:
            return _crossed(live, table, head)
        choice = live.choice(table)

        def formulas(_: int, row: int) -> Sequence[str | None]:
            cells = _cells(table, row)
            return [
                live.row(column.key, choice, cells)
                if choice is not None and column.key in MEASURES
                else None
                for column in table.columns
            ]

        return formulas

    def _row(
        self,
        sheet: Worksheet,
        row: int,
        each: Row,
        table: Table,
        formulas: Sequence[str | None],
    ) -> None:
        dashes = bool(table.across)
        cells = zip(each.cells, table.columns, formulas, strict=True)
        for place, (value, column, formula) in enumerate(cells, 1):
            cell = self._book.at(sheet, row, place)
            self._book.live(cell, formula, value, column.kind, Role.ROW, dashes=dashes)

    def _total_row(self, sheet: Worksheet, row: int, first: int, each: Row, table: Table) -> None:
        """Draw the total as the sum of the rows above it: another way than the summary's."""
        for place, (value, column) in enumerate(zip(each.cells, table.columns, strict=True), 1):
            letter = get_column_letter(place)
            live = column.key.partition(":")[0] in MEASURES and value is not None and row > first
            formula = f"SUM({letter}{first}:{letter}{row - 1})" if live else None
            cell = self._book.at(sheet, row, place)
            self._book.live(cell, formula, value, column.kind, Role.TOTAL)

    def _link(self, sheet: Worksheet, first: int, table: Table) -> None:
        """Let each row of an index lead to its sheet."""
        place = [column.key for column in table.columns].index("sheet")
        for row, each in enumerate(table.rows, first):
            if each.role is Role.ROW:
                looks.link(self._book, sheet, row, place + 1, str(each.cells[place]))

    # ---- sentences and checks ---------------------------------------------------------------

    def _draw_sentences(self, section: Section) -> int:
        """Draw a table of words, which may need more than a line, and return the row after it."""
        after = self._draw_table(section)
        table = section.table
        sheet = self._book.has(section.spec.sheet)
        assert table is not None, "the table was just drawn"
        assert sheet is not None, "the table was just drawn on it"
        end = after - 1 - bool(section.note)
        for row in range(end - len(table.rows) + 1, end + 1):
            most = 1
            for place, column in enumerate(table.columns, 1):
                if column.kind is not Kind.TEXT:
                    continue
                cell = self._book.at(sheet, row, place)
                cell.alignment = Alignment(vertical="center", wrap_text=True)
                room = int(sheet.column_dimensions[cell.column_letter].width) * 11 // 10
                most = max(most, widths.lines(str(cell.value or ""), room))
            sheet.row_dimensions[row].height = _LINE * most
        return after

    def _draw_checks(self, section: Section) -> None:
        """Draw the checks made before the file, and those that the workbook keeps making."""
        book = self._book
        after = self._draw_sentences(section)
        sheet = book.has(section.spec.sheet)
        assert sheet is not None, "the table was just drawn on it"
        listed = book.report.listed("xlsx")
        of = book.report.totals if listed is None else book.report.totals_of(listed)
        row = audit.draw(book, self._over_list, of, self._audited, sheet, after + 1)
        audit.colour(book, sheet, f"D{_FIRST + 1}:D{row}")

    # ---- charts -----------------------------------------------------------------------------

    def _below_charts(self) -> int:
        assert self._cover is not None, "only the cover has room for charts"
        wanted = [s for s in self._book.report.sections_for("xlsx") if charts.largest_cost(s)]
        return self._cover.free + charts.rows(len(wanted))

    def charts(self) -> None:
        """Put the charts on the summary, or each beside its own table where there is none."""
        if self._cover is None:
            for charted in self._charted:
                charts.beside_table(charted, self._book, _FIRST)
        else:
            charts.on_cover(self._charted, self._book, self._cover)


def _keys(table: Table) -> int:
    """Return how many leading cells of a row say which calls it is about."""
    return len(table.group_by) or 1


def _cells(table: Table, row: int) -> list[str]:
    return [f"${get_column_letter(at)}{row}" for at in range(1, _keys(table) + 1)]


def _crossed(
    live: Formulas, table: Table, head: int
) -> Callable[[int, int], Sequence[str | None]]:
    """Return what gives the formulas of a matrix's row: its cells, the others, and its total.

    ``head`` is the row of its headings.
    """
    measure = table.columns[-1].key
    by_both, by_row = live.crossing(table), live.choice(table)
    first, count = _keys(table) + 1, len(table.names)
    others = len(table.columns) - 1 - count - _keys(table)
    letters = [get_column_letter(first + at) for at in range(count)]

    def formulas(_: int, row: int) -> Sequence[str | None]:
        cells = _cells(table, row)
        total = live.row(measure, by_row, cells) if by_row else None
        if by_both is None or total is None:
            return [None] * len(table.columns)
        own = [live.row(measure, by_both, [*cells, f"{letter}${head}"]) for letter in letters]
        end = get_column_letter(len(table.columns))
        rest = [f"SUM({end}{row})-SUM({letters[0]}{row}:{letters[-1]}{row})"] * others
        return [None] * _keys(table) + [*own, *rest, total]

    return formulas
