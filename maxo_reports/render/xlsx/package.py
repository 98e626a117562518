"""The post-pass over a workbook that openpyxl has built: what openpyxl cannot write.

openpyxl makes the skeleton: sheets, styles, tables, charts, print set-up. This pass copies the
package and, on the way,

* streams the rows of the long sheets into their parts, with the styles of a prototype row, at
  a tenth of the time and in no more memory than one batch of rows;
* writes the value beside each formula, so that a preview, a phone or a program that does not
  calculate shows the right figure;
* marks phone numbers as meant to be text, so that Excel draws no green triangles;
* fixes every time stamp, so that the same report is the same bytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import escape

# Above level 4 zlib takes twice the time for a tenth of the size.
_LEVEL = 4
_BIG_PART = 2_000_000
"""Rows from which a part may outgrow what a plain zip entry can say of its size."""
_CORE = "docProps/core.xml"
_TABLES = "xl/tables/"
_TABLE_NAME = re.compile(rb'displayName="([^"]*)"')
_REF = re.compile(rb' ref="[^"]*"')
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"')
_MODIFIED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")
_FORMULA = re.compile(rb'<c r="([A-Z]+[0-9]+)"([^>]*)>(<f[^>]*>[^<]*</f>)<v\s*(?:/>|></v>)</c>')
_TYPE = re.compile(rb'\s+t="[^"]*"')
_ROW = re.compile(rb'<row r="([0-9]+)"[^>]*>.*?</row>', re.DOTALL)
_STYLE = re.compile(rb'<c r="[A-Z]+[0-9]+"[^>]*?s="([0-9]+)"')
_AFTER_IGNORED = re.compile(
    rb"<(?:drawing|legacyDrawing|legacyDrawingHF|picture|oleObjects|controls|tableParts|extLst)\b"
    rb"|</worksheet>"
)

Cached = int | Decimal | str


@dataclass(slots=True)
class Sheet:
    """What the pass does to one sheet.

    ``cached`` gives each formula's value by cell; ``text_ranges`` are where numbers are meant
    to be text. For a streamed sheet, ``prototypes`` are the numbers of the rows that show the
    styles, one set each, ``rows`` makes the row XML from those styles' numbers, and ``extent``
    is the range that the sheet and its table have with all rows (openpyxl, given it, would make
    every cell of it).
    """

    cached: dict[str, Cached] = field(default_factory=dict)
    text_ranges: list[str] = field(default_factory=list)
    prototypes: tuple[int, ...] = ()
    rows: RowMaker | None = None
    row_count: int = 0
    extent: str = ""


class RowMaker(Protocol):
    """Makes the rows of a streamed sheet; ``calls`` has the one that lists calls."""

    def xml(self, styles: Mapping[int, tuple[int, ...]]) -> Iterator[bytes]:
        """Yield batches of ``<row>`` elements; ``styles`` are each prototype row's style ids."""
        ...


def finish(
    skeleton: bytes,
    target: Path,
    sheets: Mapping[int, Sheet],
    tables: Mapping[str, str],
    moment: datetime,
) -> None:
    """Write the finished workbook.

    ``sheets`` are by position from 1; ``tables`` gives each streamed table's whole range by its
    name; ``moment`` is the time that the document is said to be from.
    """
    with (
        zipfile.ZipFile(BytesIO(skeleton)) as source,
        target.open("xb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as out,
    ):
        for name in source.namelist():
            part = source.read(name)
            sheet = sheets.get(_position(name))
            big = sheet is not None and sheet.row_count > _BIG_PART
            # Opened by name, an entry gets a fixed time of its own accord.
            with out.open(name, "w", force_zip64=big) as entry:
                if name == _CORE:
                    entry.write(_dated(part, moment))
                elif name.startswith(_TABLES):
                    entry.write(_extended(part, tables))
                elif sheet is None:
                    entry.write(part)
                else:
                    for piece in _pieces(part, sheet):
                        entry.write(piece)


def _position(name: str) -> int:
    match = re.fullmatch(r"xl/worksheets/sheet([0-9]+)\.xml", name)
    return int(match[1]) if match else 0


def _dated(part: bytes, moment: datetime) -> bytes:
    text = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}".encode()
    return _MODIFIED.sub(lambda match: match[1] + text + match[2], part)


def _extended(part: bytes, tables: Mapping[str, str]) -> bytes:
    """Give a streamed table, and its filter, the range that its rows take."""
    match = _TABLE_NAME.search(part)
    assert match is not None, "every table has a name"
    whole = tables.get(match[1].decode())
    if whole is None:
        return part
    return _REF.sub(b' ref="%s"' % whole.encode(), part)


def _pieces(part: bytes, sheet: Sheet) -> Iterator[bytes]:
    part = _with_values(part, sheet.cached)
    part = _with_ignored(part, sheet.text_ranges)
    if sheet.extent:
        part = _DIMENSION.sub(b'<dimension ref="%s"' % sheet.extent.encode(), part, count=1)
    if sheet.rows is None:
        yield part
    else:
        yield from _streamed(part, sheet, sheet.rows)


def _with_values(part: bytes, cached: Mapping[str, Cached]) -> bytes:
    """Write each formula's value beside it."""
    left = dict(cached)

    def filled(match: re.Match[bytes]) -> bytes:
        cell, attributes, formula = match[1].decode(), match[2], match[3]
        value = left.pop(cell)
        attributes = _TYPE.sub(b"", attributes)
        if isinstance(value, str):
            attributes += b' t="str"'
        text = escape(str(value)).encode()
        return b'<c r="%s"%s>%s<v>%s</v></c>' % (match[1], attributes, formula, text)

    part = _FORMULA.sub(filled, part)
    if left:
        message = f"formulas without a place in the sheet: {', '.join(sorted(left))}"
        raise ValueError(message)
    return part


def _with_ignored(part: bytes, ranges: list[str]) -> bytes:
    """Mark ranges in which numbers are meant to be text; the element has one legal place."""
    if not ranges:
        return part
    inside = "".join(f'<ignoredError sqref="{place}" numberStoredAsText="1"/>' for place in ranges)
    element = f"<ignoredErrors>{inside}</ignoredErrors>".encode()
    last = part.rindex(b"</sheetData>")
    match = _AFTER_IGNORED.search(part, last)
    assert match is not None, "every sheet ends"
    return part[: match.start()] + element + part[match.start() :]


def _streamed(part: bytes, sheet: Sheet, rows: RowMaker) -> Iterator[bytes]:
    """Put the streamed rows where the prototype rows are."""
    styles: dict[int, tuple[int, ...]] = {}
    start = end = 0
    for match in _ROW.finditer(part):
        number = int(match[1])
        if number in sheet.prototypes:
            styles[number] = tuple(map(int, _STYLE.findall(match[0])))
            start = start or match.start()
            end = match.end()
    yield part[:start]
    yield from rows.xml(styles)
    yield part[end:]
