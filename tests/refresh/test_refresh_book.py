"""A user's own workbook is filled with a period's rows, and all else in it stays as it was."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import warnings
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from books import ALL, BACKUP, NOW, add, lines, made, month, part, plain, raw, rich, sheet_patched
from books import table as put_table
from python_calamine import CalamineWorkbook
from workbooks import line, report_of

from maxo_reports.core.report import CallLine, SectionSpec
from maxo_reports.core.where import Condition, Where
from maxo_reports.errors import UsageError
from maxo_reports.refresh import Refreshed, refresh
from reports import with_sections

EPOCH = datetime(1970, 1, 1)
UNO = Path("/usr/lib/python3/dist-packages/uno.py")
RECALCULATE = Path(__file__).parents[1] / "render" / "recalculate.py"


def as_read(call: CallLine) -> list[Any]:
    """Return what a reader should find in a call's cells, in the order of ``ALL``."""
    return [
        call.call_id,
        EPOCH + timedelta(seconds=call.started),
        *(call.direction, call.a_party, call.b_party, call.service_number),
        *(call.category, call.status),
        "" if call.seconds is None else timedelta(seconds=call.seconds),
        "" if call.cost is None else Decimal(call.cost) / 10**6,
    ]


def rows_of(path: Path, name: str = "Calls") -> tuple[list[str], list[list[Any]]]:
    """Read a table with calamine: its columns and rows, dollars as decimals."""
    table = CalamineWorkbook.from_path(str(path), load_tables=True).get_table_by_name(name)
    rows = table.to_python()
    return table.columns, [
        [Decimal(repr(cell)) if isinstance(cell, float) else cell for cell in row] for row in rows
    ]


def listed(path: Path, name: str = "Calls") -> list[list[Any]]:
    """Return our columns of a table's rows in the order of ``ALL``."""
    columns, rows = rows_of(path, name)
    return [[row[columns.index(heading)] for heading in ALL] for row in rows]


def cells(path: Path, sheet: str) -> list[list[Any]]:
    """Return a sheet's cells."""
    book = CalamineWorkbook.from_path(str(path))
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def filled(path: Path, count: int) -> Refreshed:
    """Refresh a workbook with a month of so many calls, and see that they are in it."""
    done = refresh(path, month(count), NOW)
    assert listed(path) == [as_read(call) for call in lines(count)]
    return done


@pytest.mark.parametrize("count", [1, 19, 20, 21, 300])
def test_untouched_parts_keep_their_bytes(tmp_path: Path, count: int) -> None:
    """Charts, comments, macros, images, slicers, queries: the same packed bytes, in order."""
    path = rich(tmp_path / "book.xlsm")
    before, content = raw(path), path.read_bytes()
    done = filled(path, count)
    after = raw(path)
    touched = {name for name in after if after[name] != before[name]}
    assert touched <= {
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
        "xl/tables/table1.xml",
        "xl/pivotCache/pivotCacheDefinition1.xml",
        "xl/pivotCache/pivotCacheDefinition2.xml",
    }
    assert list(after) == [name for name in before if name != "xl/calcChain.xml"]
    assert len(after) > 30
    assert done.pivots == 2
    assert path.with_name(f"book.xlsm{BACKUP}").read_bytes() == content


def test_what_goes_with_the_rows_follows_them(tmp_path: Path) -> None:
    """Table, filter, rules, validation, names, print area, pivot source; formulas and totals."""
    path = rich(tmp_path / "book.xlsm")
    done = filled(path, 100)
    assert done.tables[0].area == "B3:L104"
    table = part(path, "xl/tables/table1.xml")
    assert 'ref="B3:L104"' in table
    assert '<autoFilter ref="B3:L103"' in table
    sheet = part(path, "xl/worksheets/sheet1.xml")
    assert re.findall(r'<conditionalFormatting sqref="([^"]*)"', sheet) == ["K4:K103", "K4:K9"]
    assert re.findall(r'<dataValidation [^>]*sqref="([^"]*)"', sheet) == ["I4:I103"]
    assert re.findall(r'<ignoredError sqref="([^"]*)"', sheet) == ["B4:B103"]
    assert re.findall(r"<xm:sqref>([^<]*)<", sheet) == ["K4:K103"]
    assert '<dimension ref="B1:N104"/>' in sheet
    assert sheet.count("<f>Calls[[#This Row],[Cost]]*1.1</f></c>") == 100
    assert "<f>SUBTOTAL(109,Calls[Cost])</f></c></row></sheetData>" in sheet
    book = part(path, "xl/workbook.xml")
    assert "Data!$K$4:$K$103" in book
    assert "Data!$A$1:$L$104" not in book  # column A is not the table's: this is left
    assert "Data!$A$1:$L$24" in book
    assert 'fullCalcOnLoad="1"' in book
    cache = part(path, "xl/pivotCache/pivotCacheDefinition1.xml")
    assert 'ref="B3:L103"' in cache
    assert 'refreshOnLoad="1"' in cache
    assert 'refreshOnLoad="1"' in part(path, "xl/pivotCache/pivotCacheDefinition2.xml")
    assert "refreshOnLoad" not in part(path, "xl/pivotCache/pivotCacheDefinition3.xml")
    assert "calcChain" not in part(path, "[Content_Types].xml")
    assert "calcChain" not in part(path, "xl/_rels/workbook.xml.rels")
    chart = [note for note in done.notes if "chart1.xml refers to Data!$K$4:$K$23" in note]
    assert len(chart) == 1, done.notes


def test_sums_that_fall_short_are_told(tmp_path: Path) -> None:
    """On the table's own sheet and on others, by cells; sums by the column's name follow it."""

    def build(book: Any) -> None:
        data = book.add_worksheet("Data & more")
        put_table(book, data, "A3", 5)
        data.write_formula("A1", "=SUM(J4:J8)", None, 1)
        data.write_formula("L5", "=SUM('Data & more'!$J$4:$J$8)", None, 1)
        data.write_formula("M5", "=SUM(J4:J5)+SUM(Other!J4:J8)+SUM(Calls[Cost])", None, 1)
        other = book.add_worksheet("Other")
        other.write_formula("A1", "=SUM('Data & more'!I4:J8)", None, 1)
        other.write_formula("A2", "=SUM('Data & more'!J:J)+SUM(J4:J8)", None, 1)

    path = made(tmp_path / "book.xlsx", build)
    assert refresh(path, month(4), NOW).notes == ()  # one row fewer: none falls short
    path = made(tmp_path / "book.xlsx", build)
    why = "which does not follow table Calls: name the table's column there"
    assert set(refresh(path, month(6), NOW).notes) == {
        f"Data & more refers to J4:J8, {why}",
        f"Data & more refers to $J$4:$J$8, {why}",
        f"Other refers to Data & more!I4:J8, {why}",
    }


def test_cells_beside_the_table_and_their_rows_stay(tmp_path: Path) -> None:
    """Notes to the right, heights, and the named cells with their own format."""
    path = rich(tmp_path / "book.xlsm")
    filled(path, 4)
    data, cover = cells(path, "Data"), cells(path, "Cover")
    assert data[0][13] == "a note beside the table"
    assert data[4][13] == "and one on its rows"
    assert cover[0][:2] == ["Period", "2026-10"]
    assert Decimal(repr(cover[1][1])) == month(4).totals.cost
    sheet, cover_part = (part(path, f"xl/worksheets/sheet{n}.xml") for n in (1, 2))
    assert len(re.findall(r'<row r="[0-9]+"[^>]* ht="21"', sheet)) == 4
    assert re.search(r'<c r="B1" s="[1-9][0-9]*" t="inlineStr">', cover_part)
    assert "<f>SUM(Calls[Cost])</f>" in cover_part


def test_months_follow_each_other(tmp_path: Path) -> None:
    """Growing, shrinking, nothing, growing again; the same once more changes nothing."""
    path = rich(tmp_path / "book.xlsm")
    for count in (50, 7, 20):
        filled(path, count)
    refresh(path, month(0), NOW)
    columns, rows = rows_of(path)
    assert [row[: len(ALL)] for row in rows] == [[""] * len(ALL)]
    assert "With margin" in columns
    before = raw(path)
    assert filled(path, 35).tables[0].area == "B3:L39"
    sheet = part(path, "xl/worksheets/sheet1.xml")
    assert sheet.count("<f>Calls[[#This Row],[Cost]]*1.1</f></c>") == 35
    assert '<conditionalFormatting sqref="K4:K38">' in sheet
    assert set(raw(path)) == set(before)
    content = path.read_bytes()
    backups = sorted(tmp_path.glob("*.bak-*"))
    assert refresh(path, month(35), NOW).backup is None
    assert path.read_bytes() == content
    assert sorted(tmp_path.glob("*.bak-*")) == backups
    assert len(backups) == 5  # none of them over another, all in the same second


def test_columns_in_any_order_by_label_or_key(tmp_path: Path) -> None:
    """Some of ours, turned round, between the user's own."""
    columns = ["Cost", {"header": "A_party"}, "", "call id", {"header": "seconds"}]
    columns[2] = {"header": "Cost centre"}
    path = plain(tmp_path / "book.xlsx", columns=columns)
    done = refresh(path, month(5), NOW)
    _, rows = rows_of(path)
    expected = [as_read(call) for call in lines(5)]
    assert [row[:4] for row in rows] == [[e[9], e[3], "", e[0]] for e in expected]
    assert [note for note in done.notes if "Duration has no format" in note]


def test_grouped_sections_and_two_tables_on_one_sheet(tmp_path: Path) -> None:
    """Tables side by side, and one below that shrinks; each gets its section's rows."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Data")
        put_table(book, sheet, "A1", 4)
        groups = ["Rate category", "Direction", "Calls", "Cost"]
        put_table(book, sheet, "L1", 9, columns=groups, name="ByCategory", total_row=True)
        days = ["Day", "Calls", "Duration"]
        put_table(book, sheet, "L20", 40, columns=days, name="By_day")
        put_table(
            book, book.add_worksheet("S"), "B2", 2, columns=["Calls", "Cost"], name="Summary"
        )

    path = made(tmp_path / "book.xlsx", build)
    done = filled(path, 9)
    report = month(9)
    groups = next(s.table for s in report.sections if s.spec.title == "By category")
    assert groups is not None
    _, rows = rows_of(path, "ByCategory")
    assert [row[:3] for row in rows] == [list(r.cells[:3]) for r in groups.rows[:-1]]
    assert [row[3] for row in rows] == [r.cells[-1] for r in groups.rows[:-1]]
    assert len(rows_of(path, "By_day")[1]) == 31
    assert rows_of(path, "Summary")[1] == [[9, report.totals.cost]]
    assert [(t.name, t.section, t.rows) for t in done.tables] == [
        ("Calls", "Calls", 9),
        ("ByCategory", "By category", 4),
        ("By_day", "By day", 31),
        ("Summary", "Summary", 1),
    ]
    assert [n for n in done.notes if "By_day, Day has no format" in n]


def test_formulas_are_carried_down_as_excel_fills_them(tmp_path: Path) -> None:
    """By the table's column, by cells of the row, by fixed cells; arrays of one cell."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Data")
        columns = [*ALL, *({"header": h} for h in ("Twice", "Running", "Text", "Array"))]
        put_table(book, sheet, "A5", 2, columns=columns)
        for row in (6, 7):
            sheet.write_formula(f"K{row}", f"=$J{row}*2+'My & own'!$A$1", None, 1)
            sheet.write_formula(f"L{row}", f"=SUM(J$6:J{row})", None, 1)
            sheet.write_formula(f"M{row}", f'="J{row}<"&I{row}', None, "x")
            sheet.write_array_formula(f"N{row}:N{row}", f"{{=SUM(J{row}:J{row}*2)}}", None, 1)
        book.add_worksheet("My & own").write("A1", 5)

    path = made(tmp_path / "book.xlsx", build)
    filled(path, 30)
    sheet = part(path, "xl/worksheets/sheet1.xml")
    assert "<f>$J35*2+'My &amp; own'!$A$1</f></c>" in sheet
    assert "<f>SUM(J$6:J35)</f></c>" in sheet
    assert '<f>"J6&lt;"&amp;I35</f></c>' in sheet
    assert '<f t="array" ref="N35">SUM(J35:J35*2)</f></c>' in sheet


def test_a_shared_formula_is_written_out(tmp_path: Path) -> None:
    """Excel shares one formula among the rows; alone in its table it is carried down."""
    columns = [*ALL, {"header": "Twice"}]
    path = plain(tmp_path / "book.xlsx", columns=columns)
    for row in (2, 3, 4):
        text = (
            '<f t="shared" ref="K2:K4" si="0">J2*2</f>' if row == 2 else '<f t="shared" si="0"/>'
        )
        cell = f'<c r="K{row}">{text}<v>1</v></c></row>'
        content = part(path, "xl/worksheets/sheet1.xml")
        at = content.index("</row>", content.index(f'<row r="{row}"'))
        old = content[at - 30 : at + 6]
        sheet_patched(path, old, old[:-6] + cell)
    filled(path, 6)
    sheet = part(path, "xl/worksheets/sheet1.xml")
    assert re.findall(r"<f>(J[0-9]\*2)</f>", sheet) == [f"J{row}*2" for row in range(2, 8)]
    assert "shared" not in sheet


def test_a_totals_row_moves_with_its_formulas(tmp_path: Path) -> None:
    """Sums by column, and sums by cells that were all of the rows."""
    columns = [*ALL[:9], {"header": "Cost", "total_function": "sum"}]
    columns[0] = {"header": "Call ID", "total_string": "Total"}
    path = plain(tmp_path / "book.xlsx", rows=4, columns=columns, total_row=True)
    sheet_patched(
        path, '<c r="A6" t="s">', '<c r="I6"><f>SUM(I2:I5)+J6</f><v>9</v></c><c r="A6" t="s">'
    )
    content = part(path, "xl/worksheets/sheet1.xml")
    text = re.search(r'<c r="A6" t="s"><v>[0-9]+</v></c>', content)
    assert text is not None
    first = '<c r="I6"><f>SUM(I2:I5)+J6</f><v>9</v></c>'
    sheet_patched(path, first + text[0], text[0] + first)
    for count in (11, 2):
        filled(path, count)
        last = count + 1
        totals = cells(path, "Data")[last]
        assert totals[0] == "Total"
        sheet = part(path, "xl/worksheets/sheet1.xml")
        assert f'<c r="I{last + 1}"><f>SUM(I2:I{last})+J{last + 1}</f></c>' in sheet
        assert "<f>SUBTOTAL(109,[Cost])</f></c></row></sheetData>" in sheet


def test_the_calendar_that_begins_in_1904(tmp_path: Path) -> None:
    """Old Mac workbooks count their days from another one."""

    def build(book: Any) -> None:
        book.set_calc_mode("manual")
        put_table(book, book.add_worksheet("Data"), "A1", 1)

    path = made(tmp_path / "book.xlsx", build)
    sheet_patched(path, "<workbookPr ", '<workbookPr date1904="1" ', "xl/workbook.xml")
    filled(path, 3)
    assert 'calcMode="manual"' in part(path, "xl/workbook.xml")


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    """Nothing from a call is a formula, markup, or Excel's own escape."""
    odd = ("=HYPERLINK(1)", "<b>&amp;", "_x0041_ \u202e", " x ", "+61255500140", "\x00\n")
    path = plain(tmp_path / "book.xlsx")
    report = report_of([line(n, a_party=text) for n, text in enumerate(odd)])
    refresh(path, report, NOW)
    seen = [row[3] for row in listed(path)]
    assert seen[:2] == ["=HYPERLINK(1)", "<b>&amp;"]
    assert seen[3:5] == [" x ", "+61255500140"]
    assert "<f" not in part(path, "xl/worksheets/sheet1.xml")


@pytest.mark.skipif(
    shutil.which("soffice") is None or not UNO.exists(),
    reason="LibreOffice, or its Python bridge (python3-uno), is not installed",
)
def test_other_programs_open_it(tmp_path: Path) -> None:
    """Openpyxl loads it; LibreOffice works its formulas out to the ledger's own sums."""
    path = rich(tmp_path / "book.xlsm")
    filled(path, 500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says which of the parts it would lose
        book = openpyxl.load_workbook(path)
    assert book["Data"].tables["Calls"].ref == "B3:L504"
    assert book["Data"]["C4"].number_format == "dd mmm yyyy hh:mm:ss"
    profile = tmp_path / "profile"
    profile.mkdir()
    jobs = json.dumps([{"file": str(path), "edits": []}])
    said = subprocess.run(
        ["/usr/bin/python3", RECALCULATE, profile],
        input=jobs,
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    ).stdout
    (result,) = json.loads(said)
    assert result["errors"] == []
    costs = [Decimal(call.cost or 0) / 10**6 for call in lines(500)]
    after = result["after"]
    margins = [after[f"Data!L{row}"] for row in range(4, 504)]
    assert margins == [pytest.approx(float(cost) * 1.1) for cost in costs]
    assert after["Cover!A5"] == pytest.approx(float(sum(costs)))
    assert after["Data!K504"] == pytest.approx(float(sum(costs)))


def test_our_own_workbook_can_be_refreshed(tmp_path: Path) -> None:
    """A copy of an issued workbook, as openpyxl and the last pass made it."""
    from workbooks import workbook

    path = workbook(lines(12), tmp_path / "copy.xlsx")
    before = raw(path)
    done = filled(path, 40)
    after = raw(path)
    touched = {name for name in after if after[name] != before[name]}
    assert touched <= {
        "xl/tables/table1.xml",
        *(name for name in after if name.startswith("xl/worksheets/")),
    }
    assert len(touched) == 3
    summary = {str(cell) for row in cells(path, "Summary") for cell in row}
    assert {"refreshed, not issued", "2026-10"} <= summary
    assert "name maxo_cost was left as it is: it is a formula" in done.notes
    assert "name maxo_seconds was left as it is: it is a formula" in done.notes


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is refreshed, in its own folder, with its own mode."""
    real = tmp_path / "real"
    real.mkdir()
    path = plain(real / "book.xlsx")
    path.chmod(0o640)
    (tmp_path / "book.xlsx").symlink_to(path)
    done = refresh(tmp_path / "book.xlsx", month(2), NOW)
    assert (tmp_path / "book.xlsx").is_symlink()
    assert done.book == path
    assert path.stat().st_mode & 0o777 == 0o640
    assert done.backup is not None
    assert done.backup.parent == real
    assert done.backup.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in real.iterdir()) == ["book.xlsx", f"book.xlsx{BACKUP}"]


def test_tables_that_only_a_pack_can_fill_are_named(tmp_path: Path) -> None:
    """What changed since the revision before is no part of a refresh, and it says so."""

    def build(book: Any) -> None:
        put_table(book, book.add_worksheet("Data"), "A1", 1)
        put_table(book, book.add_worksheet("C"), "A1", 1, columns=["Change", "x"], name="Changes")

    done = refresh(made(tmp_path / "book.xlsx", build), month(2), NOW)
    assert [note for note in done.notes if "table Changes was left as it is" in note]


def test_a_signed_workbook_is_refused(tmp_path: Path) -> None:
    """Any change would break the signature."""
    path = plain(tmp_path / "book.xlsx")
    add(path, {"_xmlsignatures/sig1.xml": b"<a/>"}, [])
    with pytest.raises(UsageError, match="is signed"):
        refresh(path, month(2), NOW)


def test_sections_with_names_and_filters_of_their_own(tmp_path: Path) -> None:
    """A column may be headed as the definition names it, or as it is named otherwise."""
    charged = Where((Condition("charged", True),))
    labels = (("a_party", "Caller"), ("cost", "Dear"))
    shown = ("a_party", "cost")
    definition = with_sections(
        SectionSpec("itemised", "Dear calls", "Dear", ("xlsx",), show=shown, labels=labels),
        SectionSpec(
            *("matrix", "Split", "Split", ("xlsx",)),
            group_by=("category", "direction"),
            show=("cost",),
        ),
    )
    report = report_of(lines(30), definition=replace(definition, where=charged))

    def build(book: Any) -> None:
        first, second = book.add_worksheet("One"), book.add_worksheet("Two")
        columns = ["Caller", "cost", "Call ID"]
        put_table(book, first, "A1", 2, columns=columns, name="Dear_calls")
        across = ["Rate category", "Outbound", "Total"]
        put_table(book, second, "A1", 2, columns=across, name="Split")
        second.write("Z1", 0)
        book.define_name("maxo_filter", "=Two!$Z$1")
        book.define_name("maxo_calls", "=Two!$Z$2")

    path = made(tmp_path / "book.xlsx", build)
    notes = refresh(path, report, NOW).notes
    assert "table Split has no column for 'Inbound': its rows do not show all" in notes
    dear = [call for call in lines(30) if call.cost]
    assert [row[2] for row in rows_of(path, "Dear_calls")[1]] == [c.call_id for c in dear]
    assert [row[0] for row in rows_of(path, "Dear_calls")[1]] == [c.a_party for c in dear]
    table = report.sections[1].table
    assert table is not None
    headings = [column.label for column in table.columns]
    across, rows = rows_of(path, "Split")
    assert len(rows) == len(table.rows) - 1
    for row, expected in zip(rows, table.rows, strict=False):
        for heading, cell in zip(across, row, strict=True):
            assert cell == expected.cells[headings.index(heading)]
    last = cells(path, "Two")
    assert "only charged calls" in last[0][25]
    assert last[1][25] == len(dear)
