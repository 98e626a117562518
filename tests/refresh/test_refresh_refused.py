"""What is not fit to be refreshed is refused in one line, and the file stays as it was."""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from books import ALL, NOW, add, made, month, part, patched, plain, rich, sheet_patched
from books import table as put_table

from maxo_reports.errors import MaxoReportsError, UsageError
from maxo_reports.refresh import package, refresh

SHEET = "xl/worksheets/sheet1.xml"
Spoil = Callable[[Path], object]


def refused(path: Path, why: str, count: int = 30) -> None:
    """See that a refresh is refused for a reason, in one line, with nothing written."""
    before = {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}
    with pytest.raises(UsageError, match=why) as caught:
        refresh(path, month(count), NOW)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    after = {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}
    assert after == before


# ---- the package ----------------------------------------------------------------------------


def _bomb(path: Path) -> None:
    add(path, {"xl/media/image9.png": b"\0" * 60_000_000}, [])


def _members(path: Path) -> None:
    add(path, {f"xl/more/{n}.bin": b"" for n in range(10_000)}, [])


def _named(name: str) -> Spoil:
    return lambda path: add(path, {name: b"x"}, [])


def _document_type(path: Path) -> None:
    evil = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    sheet_patched(path, "<worksheet ", f"{evil}<worksheet ")


def _wide_document_type(path: Path) -> None:
    laughs = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x "ha">]><a>&x;</a>'
    add(path, {"customXml/item9.xml": (" " * 70_000 + laughs).encode("utf-16")}, [])


def _twice(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as book, pytest.warns(UserWarning, match="Duplicate name"):
        book.writestr("xl/workbook.xml", b"<x/>")


def _capital(path: Path) -> None:
    add(path, {"XL/Workbook.xml": b"<x/>"}, [])


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def _flipped(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[200] ^= 0x10
    path.write_bytes(whole)


def _ole(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)


def _flag_encrypted(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    at = whole.index(b"PK\x01\x02")
    whole[at + 8] |= 1
    path.write_bytes(whole)


def _lying(path: Path) -> None:
    """Let a part unpack to more than the directory says; a reader that trusts it stops early."""
    content = b"a" * 5_000
    add(path, {"xl/liar.bin": content}, [])
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as book:
        info = book.getinfo("xl/liar.bin")
    for mark, at in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        place = whole.index(b"xl/liar.bin", 0 if at == 14 else whole.index(b"PK\x01\x02"))
        place = whole.rindex(mark, 0, place)
        struct.pack_into("<3I", whole, place + at, zlib.crc32(b"a"), info.compress_size, 1)
    path.write_bytes(whole)


def _overlapping(path: Path) -> None:
    """Let two names lead to the same bytes, as the tightest bombs do."""
    add(path, {"xl/a.bin": b"a" * 50, "xl/b.bin": b"a" * 50}, [])
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as book:
        first = book.getinfo("xl/a.bin").header_offset
    directory = whole.index(b"PK\x01\x02")
    line = whole.rindex(b"PK\x01\x02", directory, whole.index(b"xl/b.bin", directory))
    struct.pack_into("<I", whole, line + 42, first)
    path.write_bytes(whole)


def _before(path: Path) -> None:
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())


def _bzip2(path: Path) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as book:
        book.writestr("xl/odd.bin", b"x" * 100)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_bomb, "unpacks to [0-9,]+ times its size"),
        (_members, "it has 10,0[0-9]+ parts, more than 2,000"),
        (_named("../../etc/cron.d/x"), "points elsewhere"),
        (_named("/etc/passwd"), "points elsewhere"),
        (_named("xl\\..\\x"), "points elsewhere"),
        (_named("C:/x"), "points elsewhere"),
        (_document_type, "defines a document type"),
        (_wide_document_type, "defines a document type"),
        (_twice, "two of its parts are named"),
        (_capital, "two of its parts are named"),
        (_cut, "it is damaged"),
        (_flipped, "it is damaged"),
        (_ole, "it is encrypted, or an old .xls"),
        (_flag_encrypted, "it is encrypted"),
        (_lying, "it is damaged"),
        (_overlapping, "share their bytes"),
        (_before, "no Excel workbook, or it is damaged"),
        (_bzip2, "packed in an unusual way"),
        (lambda path: path.write_bytes(b""), "no Excel workbook, or it is damaged"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)), "it is damaged"),
        (lambda path: sheet_patched(path, "</row></sheetData>", "</sheetData>"), "is damaged"),
        (lambda path: sheet_patched(path, "<sheets>", "<sheet>", "xl/workbook.xml"), "is damaged"),
    ],
)
def test_hostile_and_damaged_packages(tmp_path: Path, spoil: Spoil, why: str) -> None:
    """Each is named, before a reader that trusts it sees it."""
    path = plain(tmp_path / "book.xlsx")
    spoil(path)
    refused(path, why)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    """A file that ends early, wherever, is never half a workbook."""
    whole = plain(tmp_path / "whole.xlsx").read_bytes()
    path = tmp_path / "book.xlsx"
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        with pytest.raises(UsageError):
            refresh(path, month(1), NOW)
        assert path.read_bytes() == whole[:end]


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    """A disk that lies: one line, or a workbook that reads back right; never a traceback."""
    whole = plain(tmp_path / "whole.xlsx").read_bytes()
    path = tmp_path / "book.xlsx"
    for at in range(0, len(whole), 41):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(flipped)
        try:
            refresh(path, month(1), NOW)
        except MaxoReportsError:
            assert path.read_bytes() == flipped


MANGLED = (
    *("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml", "xl/tables/table1.xml"),
    *("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/_rels/sheet1.xml.rels"),
    *("[Content_Types].xml", "xl/pivotCache/pivotCacheDefinition1.xml", "xl/styles.xml"),
    "xl/sharedStrings.xml",
)


def _mangled(part: bytes, chance: random.Random) -> bytes:
    """Lose, double, flip, move or overwrite some bytes."""
    whole = bytearray(part)
    at = chance.randrange(len(whole))
    end = min(len(whole), at + chance.choice([1, 1, 2, 5, 20, 100]))
    other = chance.randrange(len(whole))
    noise = bytes(chance.choice(b'<>/"=&;0123456789ABCrstcfv ') for _ in range(end - at))
    new = (b"", whole[at:end] * 2, whole[other : other + end - at], noise)
    whole[at:end] = chance.choice(new)
    return bytes(whole)


@pytest.mark.parametrize("name", MANGLED)
def test_mangled_parts(tmp_path: Path, name: str) -> None:
    """A part that a careless program wrote: one line, or a workbook that reads back right."""
    path = rich(tmp_path / "book.xlsm", 4)
    with zipfile.ZipFile(path) as book:
        parts = {each: book.read(each) for each in book.namelist()}
    chance = random.Random(name)
    for _ in range(25):
        with zipfile.ZipFile(path, "w") as book:
            for each, content in parts.items():
                book.writestr(each, _mangled(content, chance) if each == name else content)
        before = path.read_bytes()
        try:
            refresh(path, month(6), NOW)
        except MaxoReportsError as why:
            assert "\n" not in str(why)
            assert path.read_bytes() == before


def test_large_parts_are_refused_by_what_they_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits are of bytes that a part, and all together, unpack to."""
    path = plain(tmp_path / "book.xlsx")
    add(path, {"xl/media/noise.bin": os.urandom(3_000_000)}, [])
    with monkeypatch.context() as patch:
        patch.setattr(package, "LARGEST", 2_000_000)
        refused(path, "noise.bin unpacks to 3,000,000 bytes, over 2,000,000")
    with monkeypatch.context() as patch:
        patch.setattr(package, "LARGEST_ALL", 2_000_000)
        refused(path, "unpacked it has 3,[0-9,]+ bytes, more than 2,000,000")
    monkeypatch.setattr(package, "LARGEST", 4_000_000)
    refused(path, "would unpack to", count=12_000)


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    """A small file that claims little and unpacks to a hundred megabytes is let go of in time."""
    path = plain(tmp_path / "book.xlsx")
    bomb = io.BytesIO()
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    for _ in range(100):
        bomb.write(deflate.compress(bytes(1_000_000)))
    bomb.write(deflate.flush())
    packed = bomb.getvalue()
    add(path, {"xl/bomb.bin": os.urandom(len(packed))}, [])
    whole = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as book:
        info = book.getinfo("xl/bomb.bin")
    start = info.header_offset + 30 + len("xl/bomb.bin")
    if info.compress_size < len(packed):
        packed = packed[: info.compress_size]
    whole[start : start + len(packed)] = packed
    path.write_bytes(whole)
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from maxo_reports.errors import UsageError\n"
        "from maxo_reports.refresh.package import Package\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: Package(Path(sys.argv[1]))\n"
        "except UsageError as why: print(why)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert "it is damaged" in said[0]
    assert int(said[1]) < 60_000, "kilobytes"


# ---- other files ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("book.xls", "is the old .xls"),
        ("book.xlsb", "is the binary .xlsb"),
        ("book.ods", "is OpenDocument"),
        ("book.pdf", "only .xlsx and .xlsm"),
        ("book", "only .xlsx and .xlsm"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path: Path, name: str, why: str) -> None:
    """With what to do about it."""
    shutil.move(plain(tmp_path / "x.xlsx"), tmp_path / name)
    refused(tmp_path / name, why)


def test_another_format_under_a_workbooks_name(tmp_path: Path) -> None:
    """What the package says of itself counts, too."""
    path = plain(tmp_path / "book.xlsx")
    patched(path, lambda _, c: c.replace(b"sheet.main+xml", b"template.main+xml"))
    refused(path, "no Excel workbook")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    """Neither is a workbook."""
    (tmp_path / "folder.xlsx").mkdir()
    refused(tmp_path / "none.xlsx", "there is no workbook")
    refused(tmp_path / "folder.xlsx", "there is no workbook")


@pytest.mark.parametrize("lock", ["~$book.xlsx", ".~lock.book.xlsx#"])
def test_an_open_workbook(tmp_path: Path, lock: str) -> None:
    """Excel and LibreOffice leave a mark beside a workbook that they have open."""
    path = plain(tmp_path / "book.xlsx")
    (tmp_path / lock).write_bytes(b"ann")
    refused(path, "is open in another program")


# ---- tables ---------------------------------------------------------------------------------


def test_nothing_to_fill(tmp_path: Path) -> None:
    """The line says what a table could be named."""
    path = plain(tmp_path / "book.xlsx", name="Other")
    refused(path, r"no table named as a section of the report \(Summary, .*By day, By category")


COST_TWICE = {"header": "Cost", "formula": "=1"}
MINE = {"header": "Mine"}


def _below(book: Any) -> None:
    sheet = book.add_worksheet("Data")
    put_table(book, sheet, "A1", 3)
    sheet.write("C20", "mine")


def _table_below(book: Any) -> None:
    sheet = book.add_worksheet("Data")
    put_table(book, sheet, "A1", 3)
    put_table(book, sheet, "J20", 3, columns=["a", "b"], name="Mine")


def _both_grow(book: Any) -> None:
    sheet = book.add_worksheet("Data")
    put_table(book, sheet, "A1", 3)
    put_table(book, sheet, "A20", 40, columns=["Day", "Cost"], name="ByDay")


def _merged(book: Any) -> None:
    sheet = book.add_worksheet("Data")
    put_table(book, sheet, "A1", 3)
    sheet.merge_range("C20:D21", "")


def _typed(book: Any) -> None:
    sheet = book.add_worksheet("Data")
    put_table(book, sheet, "A1", 3, columns=[*ALL, MINE])
    sheet.write("K4", "paid")


def _typed_over(book: Any) -> None:
    sheet = book.add_worksheet("Data")
    put_table(book, sheet, "A1", 3, columns=[*ALL, {**MINE, "formula": "=1"}])
    sheet.write("K3", 7)


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (_below, "sheet 'Data': cell C20 is in the way of the 30 rows of table 'Calls'"),
        (_table_below, "table 'Mine' is in the way of the 30 rows of table 'Calls'"),
        (_both_grow, "table 'ByDay' is in the way"),
        (_merged, "merged cells C20:D21 is in the way"),
        (_typed, "its column 'Mine' is yours and K4 holds a typed value"),
        (_typed_over, "its column 'Mine' is yours and K3 holds a typed value"),
        (
            lambda book: put_table(book, book.add_worksheet("S"), "A1", 2, columns=[COST_TWICE]),
            "its column 'Cost' is calculated",
        ),
        (
            lambda book: put_table(book, book.add_worksheet("S"), "A1", 2, columns=["a", "b"]),
            "none of its columns is one of Call ID, Started",
        ),
        (
            lambda book: put_table(book, book.add_worksheet("S"), "A1048550", 2),
            "30 rows do not fit: there is room for 26",
        ),
    ],
)
def test_tables_that_cannot_be_filled(
    tmp_path: Path, build: Callable[[Any], None], why: str
) -> None:
    """Each in one line that names the place."""
    refused(made(tmp_path / "book.xlsx", build), why)


TABLE = "xl/tables/table1.xml"


@pytest.mark.parametrize(
    ("where", "old", "new", "why"),
    [
        (TABLE, ' ref="A1:J4"', ' ref="A1:J4" tableType="queryTable"', "filled by a query"),
        (
            TABLE,
            '<autoFilter ref="A1:J4"/>',
            (
                '<autoFilter ref="A1:J4"><filterColumn colId="2"><filters><filter val="x"/>'
                "</filters></filterColumn></autoFilter>"
            ),
            "is filtered: clear its filter",
        ),
        (TABLE, '<tableColumn id="10" name="Cost"/>', "", "another number of columns"),
        (TABLE, ' ref="A1:J4"', ' ref="A1:J1"', "it has no row"),
        (TABLE, ' ref="A1:J4"', ' ref="#REF!"', "has no range"),
        (SHEET, "<worksheet ", "<!--x--><worksheet ", "unusual way"),
        (SHEET, 'encoding="UTF-8"', 'encoding="Latin-1"', "unusual way"),
        (SHEET, '<row r="3"', '<row r="1"', "rows are not in order"),
        (SHEET, '<c r="B3"', '<c r="B9"', "without a right address|is damaged"),
        (
            SHEET,
            "</sheetData>",
            '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
            "reaches to XFD1048576",
        ),
    ],
)
def test_parts_that_are_odd(tmp_path: Path, where: str, old: str, new: str, why: str) -> None:
    """What another program than Excel may have written, or a person by hand."""
    path = plain(tmp_path / "book.xlsx", columns=[*ALL])
    content = part(path, TABLE)
    # What Excel does not say of a column without a format.
    patched(
        path,
        lambda name, c: re.sub(rb' dataDxfId="[0-9]*"', b"", c) if name == TABLE else c,
    )
    assert content
    sheet_patched(path, old, new, where)
    if where == SHEET and "B9" in new:
        # Only rows that are looked into are known to be odd: one with a cell beside the table.
        sheet_patched(path, "</row></sheetData>", '<c r="Z4"><v>1</v></c></row></sheetData>')
        sheet_patched(path, '<c r="B9"', '<c r="B3"')
        sheet_patched(path, '<c r="B4"', '<c r="B9"')
    refused(path, why)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ('<f t="shared" ref="K2:L3" si="0">1</f>', None, "share a formula with it"),
        ('<f t="array" ref="K2:K3">1</f>', None, "array"),
        ('<f t="dataTable" ref="K2:K3" r1="A1"/>', None, "data ?[tT]able|array"),
        ('<f t="shared" si="7"/>', None, "shares its formula with a cell outside"),
    ],
)
def test_formulas_that_cannot_be_carried_down(
    tmp_path: Path, first: str, second: str | None, why: str
) -> None:
    """Those that more cells than the table's column have in common."""
    path = plain(tmp_path / "book.xlsx", rows=2, columns=[*ALL, MINE])
    content = part(path, SHEET)
    end = content.index("</row>", content.index('<row r="2"'))
    cells = f'<c r="K2">{first}<v>1</v></c><c r="L2"><f t="shared" si="0"/><v>1</v></c>'
    sheet_patched(path, content[end - 40 : end + 6], content[end - 40 : end] + cells + "</row>")
    refused(path, why)


# ---- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "refers", "why"),
    [
        ("maxo_costs", "=Data!$Z$1", r"did you mean 'maxo_cost'"),
        ("maxo_cost", "=Data!$Z$1:$Z$2", "it must be one cell"),
        ("maxo_cost", "=Data!$B$3", "in the place of table 'Calls'"),
        ("maxo_cost", "=Data!$B$20", "in the place of table 'Calls'"),
        ("maxo_cost", "=Nowhere!$Z$1", "no cell of a sheet"),
        ("maxo_cost", "=Data!#REF!", "no cell of a sheet"),
    ],
)
def test_names_that_cannot_be_filled(tmp_path: Path, name: str, refers: str, why: str) -> None:
    """A misspelt name would otherwise keep last month's figure for ever."""

    def build(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Data")
        put_table(book, sheet, "A1", 3)
        sheet.write_formula("Y1", "=1+1")
        book.define_name(name, refers)

    refused(made(tmp_path / "book.xlsx", build), why)
