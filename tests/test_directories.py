"""Directories as people keep them: CSV and workbooks, and what spreadsheets do to numbers."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from maxo_reports.core.directory import Allocation
from maxo_reports.directories import COLUMNS, load, read
from maxo_reports.errors import ConfigError

DAY = date(2026, 10, 15)
AS_TEXT = "format the column as text and enter it again"
HEAD = "number,label,site,cost_centre,client,from,to\n"


def workbook(*rows: tuple[object, ...]) -> bytes:
    """Make a workbook of one sheet."""
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def mistakes(content: bytes, name: str = "d.csv") -> list[str]:
    """Return what a directory is refused with."""
    with pytest.raises(ConfigError) as caught:
        read(content, name)
    return list(caught.value.problems)


def test_every_column_is_read() -> None:
    """Names, days and line numbers, with blank lines passed over."""
    text = HEAD + "\n0255500140,Reception,Newtown,Front desk,Acme,2026-10-01,2026-10-31\n"
    (entry,) = read(text.encode(), "d.csv").entries
    assert entry.allocation == Allocation("Reception", "Newtown", "Front desk", "Acme")
    assert (entry.line, entry.first, entry.last) == (3, date(2026, 10, 1), date(2026, 10, 31))


@pytest.mark.parametrize(
    "content",
    [
        (HEAD + "0255500140,Ré,,,,,\n").encode(),
        (HEAD + "0255500140,Ré,,,,,\n").encode("utf-8-sig"),
        (HEAD + "0255500140,Ré,,,,,\n").encode("cp1252"),
        (HEAD + "0255500140,Ré,,,,,\n").replace(",", "\t").encode("utf-16"),
        (HEAD + "0255500140,Ré,,,,,\n").replace(",", ";").encode(),
        (HEAD + '"0255500140","Ré",,,,,\n').replace("\n", "\r\n").encode(),
        b"Service Number,Name\n'0255500140,R\xc3\xa9\n",
        b"my notes,label,number\nsay hello,R\xc3\xa9,(02) 5550 0140\n",
        workbook(("Number", "Label"), ("0255500140", "Ré")),
        workbook(("Notes", "Label", "Number"), (), ("x", "Ré", "+61255500140")),
        workbook(("Number", "Label"), (61255500140, "Ré")),
    ],
)
def test_files_as_programs_write_them(content: bytes) -> None:
    """Encodings, delimiters, headings and columns of one's own; figures where nothing is lost."""
    assert read(content, "d").allocation("0255500140", DAY).label == "Ré"


def test_workbooks_have_days_and_figures() -> None:
    """A cost centre may be a figure, and a day a day."""
    content = workbook(
        ("extension", "cost centre", "from", "to"),
        (101, 4100, datetime(2026, 10, 1), date(2026, 10, 31)),
        ("PBX", "4200", None, "31/10/2026"),
    )
    first, second = read(content, "d.xlsx").entries
    assert (first.cost_centre, first.first, first.last) == (
        "4100",
        date(2026, 10, 1),
        date(2026, 10, 31),
    )
    assert (second.cost_centre, second.last) == ("4200", date(2026, 10, 31))
    assert read(content, "d").allocation("1800975707", DAY, "1800975707/101").cost_centre == "4100"


def test_what_a_spreadsheet_did_to_a_number_is_told_by_line() -> None:
    """Leading zeros, powers of ten, formulas, figures with decimals, days."""
    assert mistakes((HEAD + "255500140,a\n6.12556E+10,a\n=0255500140,a\n#####,a\n").encode()) == [
        "d.csv line 2: '255500140' has lost its leading 0, as 0255500140 in a spreadsheet does",
        f"d.csv line 3: '6.12556E+10' has lost its digits to a spreadsheet: {AS_TEXT}",
        "d.csv line 4: '=0255500140' is a formula, not a number",
        f"d.csv line 5: '#####' is what a spreadsheet shows instead of a number: {AS_TEXT}",
    ]
    rows = (("number", "label"), (255500140, "a"), (2.5, "a"), (10**19, "a"), (DAY, "a"))
    assert [text.partition("' ")[2].partition(":")[0] for text in mistakes(workbook(*rows))] == [
        "has lost its leading 0, as 0255500140 in a spreadsheet does",
        "has lost digits",
        "has lost digits",
        "is no number",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no heading"),
        ("label,client\nx,y\n", "no heading with a column 'number'"),
        ("number,cost_center_,lable\n", "did you mean 'label'"),
        ("number,label,name\n", "the column 'label' twice"),
        (HEAD + "0255500140,a,,b,c,d\n", "'from' must be a day"),
        (HEAD + "0255500140,a,,,,2026-10-02,2026-10-01\n", "is before 'from'"),
        (HEAD + "0255500140,a,,,,,,more\n", "more columns than the heading: 'more'"),
        (HEAD + "0255500140,,,,,,\n", "says nothing"),
        (HEAD + "0255500140,UNALLOCATED,,,,,\n", "is kept for numbers that are not listed"),
        (HEAD + "0255500140,a\n+61255500140,b\n", "line 3: '+61255500140' is listed already"),
        (HEAD + "0255500100-50,a\n0255500140-99,b\n", "overlaps with the range of line 2"),
        (HEAD + "0255500140,a,,Sales\n0255500141,a,,SALES\n", "in capital letters only"),
        (HEAD + f"0255500140,{'a' * 81}\n", "1 to 80 letters"),
        (HEAD + "0255500140,a\x07b\n", "1 to 80 letters"),
        (HEAD + '0255500140,"a\n', "unexpected end of data"),
        ("number,extension,label\n0255500140,101,a\n", "has number and extension"),
        (HEAD + ",a\n", "has no number"),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    """Each is told with its line, and nothing of the file is used."""
    assert any(said in problem for problem in mistakes(text.encode())), mistakes(text.encode())


def test_all_mistakes_are_told_at_once_in_order_of_lines() -> None:
    """Also those between lines; of very many the first fifty."""
    text = HEAD + "0255500140,a\n0255500140,a\nPBX,a\n0255500140,a\n"
    assert [each.split(":")[0] for each in mistakes(text.encode())] == [
        "d.csv line 3",
        "d.csv line 4",
        "d.csv line 5",
        "d.csv line 5",
    ]
    many = mistakes((HEAD + "PBX,a\n" * 70).encode())
    assert len(many) == 51
    assert many[-1] == "d.csv: 20 more mistakes"


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """Missing, or of another kind: one line."""
    with pytest.raises(ConfigError, match="cannot read the number directory"):
        load(tmp_path / "none.csv")
    assert "cannot be read as a workbook" in mistakes(b"PK\x03\x04 and nothing more")[0]
    assert "is no text" in mistakes(b"number\x81\x8d,label\n")[0]
    assert "is no Excel workbook" in mistakes(b"number\x81\x8d,label\n", "d.xlsx")[0]


WORDS = st.text(st.sampled_from('ab,;"\n é=+-@'), min_size=1, max_size=9).map(
    lambda text: f"x{' '.join(text.split())}"
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6))
def test_the_same_rows_say_the_same_in_csv_and_in_a_workbook(
    rows: list[tuple[str, str]],
) -> None:
    """Whatever stands in the names."""
    table = [["number", "label", "site"]]
    table += [[f"025550{n:04}", label, f"{site}{n}"] for n, (label, site) in enumerate(rows)]
    text = io.StringIO()
    csv.writer(text).writerows(table)
    one = read(text.getvalue().encode(), "d.csv").entries
    two = read(workbook(*map(tuple, table)), "d.xlsx").entries
    assert [e.allocation for e in one] == [e.allocation for e in two]
    assert [e.label for e in one] == [row[1] for row in table[1:]]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not there")
def test_a_directory_survives_libreoffice(tmp_path: Path) -> None:
    """What is written as text in a workbook comes out whole as CSV of another program."""
    book = tmp_path / "d.xlsx"
    book.write_bytes(workbook(COLUMNS, ("0255500140", "Ré"), ("+61255500141", "b")))
    done = subprocess.run(
        [
            *("soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"),
            *("--convert-to", "csv", "--outdir", str(tmp_path), str(book)),
        ],
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert done.stdout
    directory, _ = load(tmp_path / "d.csv")
    assert [entry.label for entry in directory.entries] == ["Ré", "b"]
