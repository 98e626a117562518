"""Workbooks as their users make them, to be refreshed: by XlsxWriter, with parts patched in.

XlsxWriter shares no code with what is tried. Pivot tables, slicers and the like, which it cannot
write, are put in as the parts that Excel would have there.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from workbooks import line, report_of

from maxo_reports.core.report import CallLine, Report

NOW = datetime(2026, 11, 3, 9, 0, 1, tzinfo=UTC)
BACKUP = ".bak-20261103-090001"
CALLS = ("Call ID", "Started", "Direction", "From", "To", "Service number", "Rate category")
ALL = (*CALLS, "Status", "Duration", "Cost")
CLOCK, LENGTH, MONEY = "dd mmm yyyy hh:mm:ss", "[h]:mm:ss", "$#,##0.0000"
MARGIN = "=Calls[[#This Row],[Cost]]*1.1"
PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDAT"
    b"x\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82"
)

Table = dict[str, Any]


def month(count: int) -> Report:
    """Make a month of calls of two categories, none like another."""
    return report_of(lines(count))


def lines(count: int) -> list[CallLine]:
    """Make some calls, an hour apart in two weeks, with costs of four decimals."""
    return [
        line(
            722_000_000 + number,
            started=1_790_812_805 + number * 3_607 % 1_200_000,
            direction="Inbound" if number % 3 else "Outbound",
            category="Mobile" if number % 2 else "13/1300 & <odd>",
            a_party=f"+614915700{number % 100:02}",
            seconds=None if number % 50 == 49 else number % 4_000,
            cost=None if number % 70 == 69 else number * 700 - 2_000,
        )
        for number in range(count)
    ]


def table(
    book: Any, sheet: Any, place: str, rows: int, /, columns: Sequence[Any] = ALL, **more: Any
) -> None:
    """Put a table with ``rows`` rows of last month's calls at a place, with its formats."""
    first = int("".join(filter(str.isdigit, place)))
    letters = "".join(filter(str.isalpha, place))
    formats = {
        "Started": book.add_format({"num_format": CLOCK, "bold": True}),
        "Duration": book.add_format({"num_format": LENGTH}),
        "Cost": book.add_format({"num_format": MONEY}),
    }
    described = [{"header": c} if isinstance(c, str) else c for c in columns]
    for column in described:
        if column["header"] in formats:
            column.setdefault("format", formats[column["header"]])
    left = _number(letters)
    last = first + rows + (1 if more.get("total_row") else 0)
    sheet.add_table(
        first - 1,
        left,
        last - 1,
        left + len(described) - 1,
        {"name": "Calls", "columns": described, **more},
    )
    for row in range(first, first + rows):
        for at, column in enumerate(described, left):
            form = column.get("format")
            if column["header"] in {"Started", "Duration", "Cost"}:
                sheet.write_number(row, at, 46_000.5, form)
            elif "formula" not in column and column["header"] in ALL:
                sheet.write_string(row, at, "last month", form)


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def made(path: Path, build: Callable[[Any], None]) -> Path:
    """Make a workbook."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": datetime(2026, 1, 1)})
    build(book)
    book.close()
    return path


def plain(path: Path, rows: int = 3, **more: Any) -> Path:
    """Make a workbook of one sheet, ``Data``, with one table at A1."""

    def build(book: Any) -> None:
        table(book, book.add_worksheet("Data"), "A1", rows, **more)

    return made(path, build)


def rich(path: Path, rows: int = 20) -> Path:
    """Make a workbook with all that XlsxWriter can put in, and more patched in beside it."""
    macros = path.with_suffix(".vba")
    macros.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 8)
    picture = path.with_suffix(".png")
    picture.write_bytes(PIXEL)

    def build(book: Any) -> None:
        data = book.add_worksheet("Data")
        columns = [*ALL[:9], {"header": "Cost", "total_function": "sum"}]
        columns.append({"header": "With margin", "formula": MARGIN})
        table(book, data, "B3", rows, columns=columns, total_row=True)
        last = 3 + rows
        data.conditional_format(f"K4:K{last}", {"type": "data_bar", "bar_solid": True})
        data.conditional_format(f"K4:K{last}", {"type": "cell", "criteria": ">", "value": 1})
        data.conditional_format("K4:K9", {"type": "top", "value": 3})
        data.data_validation(f"I4:I{last}", {"validate": "list", "source": ["Connected.", "Busy"]})
        data.set_row(3, 21)
        data.write_comment("B4", "look here", {"author": "Ann"})
        data.write("N1", "a note beside the table")
        data.write("N5", "and one on its rows")
        data.insert_image("P2", str(picture))
        data.insert_button("P9", {"macro": "Go", "caption": "Go"})
        data.ignore_errors({"number_stored_as_text": f"B4:B{last}"})
        data.freeze_panes(3, 0)
        cover = book.add_worksheet("Cover")
        cover.write("A1", "Period")
        cover.write("B1", "2026-09", book.add_format({"bold": True}))
        cover.write_formula("A5", "=SUM(Calls[Cost])", None, 12)
        cover.add_sparkline("C1", {"range": "Data!K4:K9", "type": "column"})
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": f"=Data!$K$4:$K${last}"})
        cover.insert_chart("E2", chart)
        cover.set_header("&CStatement")
        book.define_name("maxo_period", "=Cover!$B$1")
        book.define_name("maxo_cost", "=Cover!$B$2")
        book.define_name("All_costs", f"=Data!$K$4:$K${last}")
        data.print_area(f"A1:L{last + 1}")
        book.add_vba_project(str(macros))
        book.set_custom_property("Checked by", "Ann")

    made(path, build)
    # As Excel writes it: with the table's name.
    sheet_patched(path, "SUBTOTAL(109,[Cost])", "SUBTOTAL(109,Calls[Cost])")
    pivot = f'<worksheetSource ref="B3:L{3 + rows}" sheet="Data"/>'
    add(
        path,
        {
            "xl/pivotCache/pivotCacheDefinition1.xml": _cache(pivot),
            "xl/pivotCache/pivotCacheDefinition2.xml": _cache('<worksheetSource name="Calls"/>'),
            "xl/pivotCache/pivotCacheDefinition3.xml": _cache("", "external"),
            "xl/slicers/slicer1.xml": b"<slicers/>",
            "xl/slicerCaches/slicerCache1.xml": b"<slicerCacheDefinition/>",
            "xl/queries/DataMashup.bin": bytes(range(200)),
            "xl/printerSettings/printerSettings1.bin": zlib.compress(b"printer"),
            "xl/threadedComments/threadedComment1.xml": b"<ThreadedComments/>",
            "xl/calcChain.xml": b'<calcChain><c r="L4" i="1"/></calcChain>',
            "customXml/item1.xml": '<?xml version="1.0"?><a>\u00fc</a>'.encode("utf-16"),
        },
        [
            *((f"pivotCache/pivotCacheDefinition{n}.xml", "pivotCacheDefinition") for n in "123"),
            ("slicerCaches/slicerCache1.xml", "slicerCache"),
            ("calcChain.xml", "calcChain"),
        ],
    )
    return path


def _cache(source: str, kind: str = "worksheet") -> bytes:
    return (
        '<?xml version="1.0"?><pivotCacheDefinition '
        'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" recordCount="20">'
        f'<cacheSource type="{kind}">{source}</cacheSource><cacheFields count="0"/>'
        "</pivotCacheDefinition>"
    ).encode()


_KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def add(path: Path, parts: Mapping[str, bytes], related: Iterable[tuple[str, str]]) -> None:
    """Put parts into a workbook, some of them related to its main part."""
    links = "".join(
        f'<Relationship Id="rIdMore{n}" Type="{_KIND}{kind}" Target="{target}"/>'
        for n, (target, kind) in enumerate(related)
    )
    types = "".join(
        f'<Override PartName="/{name}" ContentType="application/x-{n}+xml"/>'
        for n, name in enumerate(parts)
    )

    def patch(name: str, part: bytes) -> bytes:
        if name == "xl/_rels/workbook.xml.rels":
            return part.replace(b"</Relationships>", links.encode() + b"</Relationships>")
        if name == "[Content_Types].xml":
            return part.replace(b"</Types>", types.encode() + b"</Types>")
        return part

    patched(path, patch, parts)


def patched(
    path: Path, patch: Callable[[str, bytes], bytes], more: Mapping[str, bytes] | None = None
) -> Path:
    """Write a workbook again with parts changed, and others added."""
    with zipfile.ZipFile(path) as old:
        parts = {name: patch(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name, part in {**parts, **(more or {})}.items():
            new.writestr(name, part)
    return path


def sheet_patched(path: Path, old: str, new: str, part: str = "xl/worksheets/sheet1.xml") -> Path:
    """Change some words of a part, which must be there."""

    def patch(name: str, content: bytes) -> bytes:
        if name != part:
            return content
        assert old.encode() in content, content[:2_000]
        return content.replace(old.encode(), new.encode())

    return patched(path, patch)


def raw(path: Path) -> dict[str, str]:
    """Return the hash of each member's own bytes in the file, packed as they are, in order."""
    whole = path.read_bytes()
    hashes = {}
    with zipfile.ZipFile(path) as package:
        for info in package.infolist():
            at = info.header_offset
            name, extra = struct.unpack_from("<2H", whole, at + 26)
            end = at + 30 + name + extra + info.compress_size
            hashes[info.filename] = hashlib.sha256(whole[at:end]).hexdigest()
    return hashes


def part(path: Path, name: str) -> str:
    """Return a part as text."""
    with zipfile.ZipFile(path) as package:
        return package.read(name).decode()
