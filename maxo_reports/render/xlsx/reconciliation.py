"""The reconciliation as a workbook: every figure that follows from others is a live formula.

``By category`` adds up the lines of ``Differences`` by class, ``Waterfall`` takes its steps from
there, ``Bill`` adds itself up, and ``Summary`` judges: whoever changes a line sees the result
change. Calls, their cost and what is billed are plain figures: they come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.worksheet import Worksheet

from maxo_reports.core.bills.differences import CLASSES
from maxo_reports.core.report import Kind, Report, Role, Section, Table
from maxo_reports.render import Style
from maxo_reports.render.xlsx import audit, looks, package, widths
from maxo_reports.render.xlsx.book import Book

_FIRST = 4
"""The row of a sheet's first heading."""
_LINE = 15
_TO_SIGN = 34
"""The height of a line, and of one to be signed, in points."""
_MOST_COMPARED = 5_000_000
"""How many comparisons the sums by class may take before they are plain figures."""
_SIGNED_WIDTH = 44
_Formulas = Mapping[tuple[int, str], str]
"""The formula of a cell, by the place of its row in the table and the key of its column."""


def render(report: Report, style: Style, target: Path) -> None:
    """Write the workbook to ``target``, which does not exist yet."""
    book = Book(report, style)
    painter = _Painter(book)
    for section in report.sections_for("xlsx"):
        painter.paint(section)
    package.finish(book.skeleton(), target, book.passes, book.tables, report.heading.pulled_at)


class _Painter:
    def __init__(self, book: Book) -> None:
        self._book = book
        self._sections = {s.spec.kind: s for s in book.report.sections_for("xlsx")}

    def paint(self, section: Section) -> None:
        """Draw one section on its sheet."""
        table = _table(section)
        sheet, row = self._place(section, table)
        for place, column in enumerate(table.columns, 1):
            self._book.head(self._book.at(sheet, row, place), column)
        tallest = max(
            widths.lines(column.label, int(_width(sheet, place)) - 2)
            for place, column in enumerate(table.columns, 1)
        )
        sheet.row_dimensions[row].height = 5 + _LINE * tallest
        formulas = self._formulas(section, row + 1)
        for at in range(len(table.rows)):
            self._row(sheet, row + 1 + at, table, at, formulas)
        self._dress(section, sheet, row + 1, table)
        if section.note:
            self._note(section, sheet, row + 1 + len(table.rows), len(table.columns))

    def _place(self, section: Section, table: Table) -> tuple[Worksheet, int]:
        """Return the sheet of a section and the row of its heading."""
        book, spec = self._book, section.spec
        wanted = widths.of_table(table, book.report.places)
        if spec.kind == "sign-off":
            wanted = [30, _SIGNED_WIDTH, 20, _SIGNED_WIDTH]
        sheet = book.has(spec.sheet)
        if sheet is not None:
            book.widths(sheet, table.columns, wanted)
            row = sheet.max_row + 2
            title = book.at(sheet, row, 1)
            book.words(title, spec.title, size=14, bold=True, colour=book.theme.brand)
            return sheet, row + 1
        sheet = book.sheet(spec.sheet)
        book.widths(sheet, table.columns, wanted)
        name = book.report.definition.title if spec.kind == "verdict" else spec.title
        title = book.at(sheet, 1, 1)
        book.words(title, name, size=16, bold=True, colour=book.theme.brand)
        sheet.row_dimensions[1].height = 26
        book.says(sheet, 2, section, len(table.columns))
        if spec.kind in {"rows", "differences", "edges", "bill-lines"}:
            sheet.freeze_panes = f"{'B' if spec.kind == 'rows' else 'A'}{_FIRST + 1}"
            sheet.print_title_rows = f"{_FIRST}:{_FIRST}"
        return sheet, _FIRST

    def _row(self, sheet: Worksheet, row: int, table: Table, at: int, formulas: _Formulas) -> None:
        each = table.rows[at]
        lines = 1
        for place, (column, value) in enumerate(zip(table.columns, each.cells, strict=True), 1):
            cell = self._book.at(sheet, row, place)
            formula = formulas.get((at, column.key))
            dashes = column.key in CLASSES
            if formula is None:
                self._book.value(cell, value, column.kind, each.role, dashes=dashes)
            else:
                self._book.live(cell, formula, value, column.kind, each.role, dashes=dashes)
            if isinstance(value, str) and column.kind is Kind.TEXT:
                count = widths.lines(value, int(_width(sheet, place)) * 11 // 10)
                if count > 1:
                    cell.alignment = Alignment(
                        horizontal="left", vertical="center", wrap_text=True
                    )
                lines = max(lines, count)
        sheet.row_dimensions[row].height = _LINE * lines

    # ---- formulas ---------------------------------------------------------------------------

    def _formulas(self, section: Section, first: int) -> _Formulas:
        """Return the formulas of a section's cells; its rows begin at ``first``."""
        makers = {
            "verdict": self._verdict,
            "waterfall": self._waterfall,
            "rows": self._rows,
            "bill-lines": self._summed,
            "edges": self._summed,
        }
        maker = makers.get(section.spec.kind)
        return maker(_table(section), first) if maker else {}

    def _summed(self, table: Table, first: int) -> _Formulas:
        """Return the sums of a table whose last row is its total."""
        last = len(table.rows) - 1
        if last == 0:
            return {}
        letters = _letters(table)
        return {
            (last, column.key): f"SUM({letters[column.key]}{first}:{letters[column.key]}"
            f"{first + last - 1})"
            for column in table.columns
            if column.kind is Kind.MONEY
        }

    def _rows(self, table: Table, first: int) -> _Formulas:
        """Return the formulas of the rows: difference, classes, and what is unexplained."""
        letters, last = _letters(table), len(table.rows) - 1
        found: dict[tuple[int, str], str] = {}
        classes = [letters[kind] for kind in CLASSES]
        for at in range(last):
            row = first + at
            found[at, "difference"] = f"{letters['billed']}{row}-{letters['cost']}{row}"
            found[at, "unexplained"] = (
                f"{letters['difference']}{row}-SUM({classes[0]}{row}:{classes[-1]}{row})"
            )
            if listed := self._listed(last):
                for kind in CLASSES:
                    found[at, kind] = _by_class(listed, f"$A{row}", f"{letters[kind]}${first - 1}")
        for column in table.columns:
            if column.kind is Kind.MONEY or column.key == "calls":
                letter = letters[column.key]
                found[last, column.key] = f"SUM({letter}{first}:{letter}{first + last - 1})"
        return found

    def _listed(self, rows: int) -> tuple[str, str, str] | None:
        """Return the class, category and dollars of all listed differences, or None."""
        section = self._sections["differences"]
        table = _table(section)
        count = len(table.rows)
        if not count or section.note or count * rows * len(CLASSES) > _MOST_COMPARED:
            return None
        letters = _letters(table)
        sheet = quote_sheetname(section.spec.sheet)
        end = _FIRST + count
        one, two, three = (
            f"{sheet}!${letters[key]}${_FIRST + 1}:${letters[key]}${end}"
            for key in ("class", "category", "dollars")
        )
        return one, two, three

    def _waterfall(self, table: Table, first: int) -> _Formulas:
        letters, last = _letters(table), len(table.rows) - 1
        dollars, running = letters["dollars"], letters["running"]
        found = {
            (0, "calls"): self._total("rows", "calls"),
            (0, "dollars"): self._total("rows", "cost"),
            (0, "running"): f"{dollars}{first}",
            (last, "dollars"): self._total("bill-lines", "charge"),
            (last, "running"): f"{running}{first + last - 1}",
        }
        for at in range(1, last):
            (key,) = table.rows[at].key
            found[at, "dollars"] = self._total("rows", key)
            found[at, "running"] = f"{running}{first + at - 1}+{dollars}{first + at}"
        return found

    def _verdict(self, table: Table, first: int) -> _Formulas:
        letter = _letters(table)["dollars"]
        left = self._total("rows", "unexplained")
        return {
            (0, "dollars"): self._total("rows", "cost"),
            (1, "dollars"): self._total("bill-lines", "charge"),
            (2, "dollars"): f"{letter}{first + 1}-{letter}{first}",
            (3, "dollars"): f"{letter}{first + 2}-{left}",
            (4, "dollars"): f"SUMPRODUCT(ABS({self._all('rows', 'unexplained')}))",
        }

    def _total(self, kind: str, key: str) -> str:
        """Return where the total of a column of another section stands."""
        section = self._sections[kind]
        table = _table(section)
        row = _FIRST + len(table.rows)
        return f"{quote_sheetname(section.spec.sheet)}!{_letters(table)[key]}{row}"

    def _all(self, kind: str, key: str) -> str:
        """Return the rows of a column of another section, without their total."""
        section = self._sections[kind]
        table = _table(section)
        letter = _letters(table)[key]
        sheet = quote_sheetname(section.spec.sheet)
        return f"{sheet}!{letter}{_FIRST + 1}:{letter}{_FIRST + len(table.rows) - 1}"

    # ---- looks ------------------------------------------------------------------------------

    def _dress(self, section: Section, sheet: Worksheet, first: int, table: Table) -> None:
        """Give the rows bands and filters, the result its colour, the sign-off its room."""
        book, kind = self._book, section.spec.kind
        count = sum(1 for row in table.rows if row.role is Role.ROW)
        end = get_column_letter(len(table.columns))
        if count and kind not in {"controls", "verdict"}:
            looks.bands(book, sheet, f"A{first}:{end}{first + count - 1}", first)
        if count and kind in {"differences", "rows", "edges"}:
            sheet.auto_filter.ref = f"A{first - 1}:{end}{first + count - 1}"
        if kind == "controls":
            audit.colour(book, sheet, f"D{first}:D{first + count - 1}")
        if kind == "sign-off":
            for row in range(first, first + count):
                sheet.row_dimensions[row].height = _TO_SIGN
        if kind == "verdict":
            self._judge(sheet, first)

    def _judge(self, sheet: Worksheet, first: int) -> None:
        """Let the workbook judge by itself, beside what is allowed."""
        book, row = self._book, first + 5
        passes = f"B{row - 1}<=B{row}+0.000001"
        result = audit.PASS if self._passes() else audit.FAIL
        cell = book.at(sheet, row, 3)
        book.formula(cell, f'IF({passes},"{audit.PASS}","{audit.FAIL}")', result, Kind.TEXT)
        book.name("maxo_reconciled", sheet, cell)
        book.name("maxo_unexplained", sheet, book.at(sheet, row - 1, 2))
        audit.colour(book, sheet, f"C{row}:C{row}")

    def _passes(self) -> bool:
        cells = [row.cells[1] for row in _table(self._sections["verdict"]).rows]
        left, allowed = cells[4], cells[5]
        assert isinstance(left, Decimal), "what is unexplained is dollars"
        assert isinstance(allowed, Decimal), "what is allowed is dollars"
        return left <= allowed

    def _note(self, section: Section, sheet: Worksheet, row: int, across: int) -> None:
        book = self._book
        is_verdict = section.spec.kind == "verdict"
        colour = book.theme.ink if is_verdict else book.theme.muted
        book.sentence(sheet, row, section.note, across, size=10, bold=is_verdict, colour=colour)


def _table(section: Section) -> Table:
    assert section.table is not None, "a reconciliation lists no calls of the ledger"
    return section.table


def _letters(table: Table) -> Mapping[str, str]:
    return {column.key: get_column_letter(at) for at, column in enumerate(table.columns, 1)}


def _width(sheet: Worksheet, place: int) -> float:
    width: float = sheet.column_dimensions[get_column_letter(place)].width
    return width


def _by_class(listed: Sequence[str], category: str, kind: str) -> str:
    """Return the sum of the differences of one category and class.

    EXACT, since a category may differ from another in its capitals only.
    """
    classes, categories, dollars = listed
    return f"SUMPRODUCT(EXACT({classes},{kind})*EXACT({categories},{category})*{dollars})"
