"""A workbook that says anything else than the ledger is caught, and the cell is named."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from listed import Lines, part_of, patched, report_of, small_month, workbook

from maxo_reports.core.ledger import Totals
from maxo_reports.core.report import Report, SectionSpec
from maxo_reports.errors import TieOutError
from maxo_reports.render.xlsx import names
from maxo_reports.tieout import tie_out
from reports import made_up_calls, month, with_sections

SHARED = "xl/sharedStrings.xml"
"""Where the texts that come again and again stand; a cell has their number."""
_NUMBER = re.compile(
    r'(<c r="([A-Z]+[0-9]+)"(?![^>]* t="s")[^>]*>(?:<f>[^<]*</f>)?<v>)([^<]+)(</v>)'
)


@pytest.fixture(scope="module")
def report() -> Report:
    """Build a month of 40 calls."""
    return report_of(small_month())


@pytest.fixture(scope="module")
def book(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write it once."""
    return workbook(report, tmp_path_factory.mktemp("book") / "book.xlsx")


def test_a_right_workbook_ties_out(report: Report, book: Path) -> None:
    """Every call is compared in every column, and every figure of every table."""
    tied = tie_out("xlsx", book, report)
    assert (tied.name, tied.calls) == ("book.xlsx", 40)
    tables = [s.table for s in report.sections_for("xlsx") if s.table is not None]
    cells = sum(len(table.columns) * len(table.rows) for table in tables)
    # 10 columns of 40 calls, their number and five sums, three figures of each of fourteen live
    # checks; the summary has a word less than its table.
    assert tied.figures == 400 + 6 + 42 + cells - 1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_calls_tie_out(tmp_path: Path, count: int) -> None:
    """The empty row of an empty table is no call."""
    few = report_of(small_month(count))
    assert tie_out("xlsx", workbook(few, tmp_path / "few.xlsx"), few).calls == count


def test_calls_that_go_on_to_further_sheets_are_compared(
    tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three sheets of calls are one list; a wrong cell on the third one is named there."""
    monkeypatch.setattr(names, "ROWS_A_SHEET", 15)
    path = workbook(report, tmp_path / "long.xlsx")
    assert tie_out("xlsx", path, report).calls == 40
    part = part_of(path, "Calls 3")
    cost = re.compile(r'(<c r="J5"[^>]*><v>)[^<]*')
    wrong = patched(path, tmp_path / "wrong.xlsx", part, lambda xml: cost.sub(r"\g<1>7.5", xml))
    with pytest.raises(TieOutError, match=r"sheet 'Calls 3' cell J5: 7\.50 in the file"):
        tie_out("xlsx", wrong, report)


def _numbers(path: Path) -> list[tuple[str, str]]:
    """Return every cell with a number: its sheet's part and its address."""
    import zipfile

    found = []
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            if name.startswith("xl/worksheets/sheet"):
                cells = _NUMBER.finditer(package.read(name).decode())
                found += [(name, match[2]) for match in cells]
    return found


def test_any_number_that_is_changed_is_caught(report: Report, book: Path, tmp_path: Path) -> None:
    """Each of 120 seeded cells, on whatever sheet, is raised by a little and is then named."""
    numbers = _numbers(book)
    assert len({part for part, _ in numbers}) >= 6
    for at, (part, cell) in enumerate(random.Random(5).sample(numbers, 120)):

        def raised(match: re.Match[str], cell: str = cell) -> str:
            if match[2] != cell:
                return match[0]
            text = "FAIL" if match[3] == "PASS" else str(Decimal(match[3]) + Decimal("0.0001"))
            return f"{match[1]}{text}{match[4]}"

        wrong = patched(
            book,
            tmp_path / f"{at}.xlsx",
            part,
            lambda xml, raised=raised: _NUMBER.sub(raised, xml),
        )
        with pytest.raises(TieOutError, match=rf"cell {cell}\b") as caught:
            tie_out("xlsx", wrong, report)
        assert caught.value.exit_code == 5
        assert "\n" not in str(caught.value)


def _without_row(xml: str) -> str:
    return re.sub(r'<row r="20">.*?</row>', "", xml)


def _with_row_twice(xml: str) -> str:
    row = re.search(r'<row r="41">.*?</row>', xml)
    assert row is not None
    return xml.replace("</sheetData>", row[0].replace('41"', '42"') + "</sheetData>")


def _with_rows_swapped(xml: str) -> str:
    first, second = (re.search(rf'<row r="{n}">.*?</row>', xml) for n in (7, 8))
    assert first is not None
    assert second is not None
    moved = second[0].replace('8"', '7"', 1), first[0].replace('7"', '8"', 1)
    swapped = [
        re.sub(r'r="([A-Z])[0-9]+"', rf'r="\g<1>{n}"', row)
        for row, n in zip(moved, (7, 8), strict=True)
    ]
    return xml.replace(first[0], "@").replace(second[0], swapped[1]).replace("@", swapped[0])


@pytest.mark.parametrize(
    ("sheet", "patch", "says"),
    [
        ("Calls", _without_row, "sheet 'Calls'"),
        ("Calls", _with_row_twice, "more calls than the ledger has"),
        ("Calls", _with_rows_swapped, "sheet 'Calls' cell A7"),
        ("Calls", lambda xml: xml.replace("722000007", "722000008"), "cell A"),
        (SHARED, lambda xml: xml.replace(">0491570006<", ">491570006<"), "'491570006'"),
        (SHARED, lambda xml: xml.replace("/PBX", ""), "cell E"),
        (SHARED, lambda xml: xml.replace(">Connected<", ">Busy<"), "cell H"),
        ("Calls", lambda xml: xml.replace(">Cost<", ">Price<"), "list of calls is not there"),
        ("By number", lambda xml: xml.replace("0255500140", "0255500149"), "cell A"),
        ("By category", lambda xml: xml.replace(">Mobile<", ">Local<"), "cell A"),
        ("By category", lambda xml: xml.replace(">Connected<", ">Charged<"), "By category"),
        ("Checks", lambda xml: xml.replace("<v>PASS</v>", "<v>FAIL</v>", 1), "'FAIL' in the file"),
    ],
)
def test_planted_mistakes_are_named(
    report: Report, book: Path, tmp_path: Path, sheet: str, patch: object, says: str
) -> None:
    """Rows lost, doubled or swapped, texts changed, headings changed: each says where."""
    part = sheet if sheet == SHARED else part_of(book, sheet)
    wrong = patched(book, tmp_path / "wrong.xlsx", part, patch)  # type: ignore[arg-type]
    with pytest.raises(TieOutError, match=says):
        tie_out("xlsx", wrong, report)


def test_a_workbook_of_another_month_is_told_in_a_few_words(
    report: Report, tmp_path: Path
) -> None:
    """When all is different, five differences are told and the rest counted."""
    other = report_of(made_up_calls(300, month())[100:150])
    with pytest.raises(TieOutError, match=r"and [0-9,]+ more") as caught:
        tie_out("xlsx", workbook(other, tmp_path / "other.xlsx"), report)
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no more", b"<html>"])
def test_what_is_no_workbook_is_refused(report: Report, tmp_path: Path, content: bytes) -> None:
    """A file that no other program can open is not issued."""
    (tmp_path / "bad.xlsx").write_bytes(content)
    with pytest.raises(TieOutError, match=r"bad\.xlsx cannot be read by another program"):
        tie_out("xlsx", tmp_path / "bad.xlsx", report)


def test_fewer_columns_and_odd_texts_tie_out(tmp_path: Path) -> None:
    """Only what is shown is compared; unreadable costs, odd letters and escapes are no trouble."""
    section = SectionSpec("itemised", "Calls", "Calls", ("xlsx",), show=("a_party", "cost"))
    report = report_of(small_month(4), definition=with_sections(section))
    odd = ("=HYPERLINK(1)", "_x0041_ \u202e", " x ", "\x00\n" + "9" * 40_000)
    lines = Lines(
        line._replace(a_party=text) for line, text in zip(report.calls.lines(), odd, strict=True)
    )
    lines[1] = lines[1]._replace(cost=None, seconds=None)
    cost = sum((Decimal(line.cost or 0) for line in lines), Decimal(0)) / 1_000_000
    totals = Totals(
        4,
        report.totals.connected,
        sum(bool(line.cost) for line in lines),
        sum(line.seconds or 0 for line in lines),
        cost,
    )
    report = replace(report, calls=lines, totals=totals)
    assert tie_out("xlsx", workbook(report, tmp_path / "odd.xlsx"), report).calls == 4
