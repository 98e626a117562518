"""The post-pass over a workbook that openpyxl has built: what openpyxl cannot write.

openpyxl makes the skeleton: sheets, styles, tables, charts, print set-up. This pass copies the
package and, on the way,

* streams the rows of the long sheets into their parts, with the styles of a prototype row, in
  no more memory than a batch of rows, and writes the texts that they share;
* writes the value beside each formula, so that a preview, a phone or a program that does not
  calculate shows the right figure;
* marks text that looks like a number as meant, so that Excel draws no green triangles;
* puts what makes up a font into the order of the file format's schema;
* fixes every time stamp, so that the same report is the same bytes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from maxo_reports.render.xlsx.colours import TABLE_STYLE
from maxo_reports.render.xlsx.rows import Rows
from maxo_reports.render.xlsx.texts import Shared

# Above level 4 zlib takes twice the time for a tenth of the size.
LEVEL = 4
_CORE = "docProps/core.xml"
_SHARED = "xl/sharedStrings.xml"
_NAMING_SHARED = {
    "[Content_Types].xml": (
        b"</Types>",
        b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/>'
        % b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml",
    ),
    "xl/_rels/workbook.xml.rels": (
        b"</Relationships>",
        b'<Relationship Id="rIdShared" Target="sharedStrings.xml" Type="%s"/>'
        % b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings",
    ),
}
"""Parts that have to name the shared texts: where, and how."""
_STYLES = "xl/styles.xml"
_TABLE_STYLES = re.compile(rb"<tableStyles[^>]*/>")
_OUR_STYLE = (
    b'<tableStyles count="1" defaultTableStyle="TableStyleMedium9" defaultPivotStyle='
    b'"PivotStyleLight16"><tableStyle name="%s" pivot="0" count="2">'
    b'<tableStyleElement type="headerRow" dxfId="0"/>'
    b'<tableStyleElement type="firstRowStripe" dxfId="1"/></tableStyle></tableStyles>'
    % TABLE_STYLE.encode()
)
"""The look of native tables, of the two first looks that the book has put down."""
_TABLES = "xl/tables/"
_TABLE_NAME = re.compile(rb'displayName="([^"]*)"')
_REF = re.compile(rb' ref="[^"]*"')
_DIMENSION = re.compile(rb'<dimension ref="([^"]*)"')
_MODIFIED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(<)")
_FORMULA = re.compile(rb'<c r="([A-Z]+[0-9]+)"([^>]*)>(<f[^>]*>[^<]*</f>)<v\s*(?:/>|></v>)</c>')
_TYPE = re.compile(rb'\s+t="[^"]*"')
_ROW = re.compile(rb'<row r="([0-9]+)"[^>]*>.*?</row>', re.DOTALL)
_STYLE = re.compile(rb'<c r="[A-Z]+[0-9]+"[^>]*?s="([0-9]+)"')
_FONT = re.compile(rb"(<font>)(.*?)(</font>)", re.DOTALL)
_FONT_PART = re.compile(rb"<([a-zA-Z]+)[^>]*/>")
_FONT_ORDER = (
    *(b"b", b"i", b"strike", b"condense", b"extend", b"outline", b"shadow", b"u", b"vertAlign"),
    *(b"sz", b"color", b"name", b"family", b"charset", b"scheme"),
)
_AFTER_IGNORED = re.compile(
    rb"<(?:drawing|legacyDrawing|legacyDrawingHF|picture|oleObjects|controls|tableParts|extLst)\b"
    rb"|</worksheet>"
)

Cached = int | Decimal | str


@dataclass(frozen=True, slots=True)
class Stream:
    """What takes the place of the prototype rows of a sheet whose rows are streamed.

    ``plain`` and ``quoted`` are the numbers of the two rows that show the styles; ``extent`` is
    the range that the sheet and its table have with all rows (openpyxl, given it, would make
    every cell of it).
    """

    plain: int
    quoted: int
    rows: Rows
    extent: str


@dataclass(slots=True)
class Sheet:
    """What the pass does to one sheet: each formula's value by its cell, and streamed rows."""

    cached: dict[str, Cached] = field(default_factory=dict)
    stream: Stream | None = None


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
    shared = Shared()
    with (
        zipfile.ZipFile(BytesIO(skeleton)) as source,
        target.open("xb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as out,
    ):
        for name in source.namelist():
            part = source.read(name)
            sheet = sheets.get(_position(name))
            if sheet is None:
                _put(out, name, [_mended(name, part, tables, moment)])
            else:
                _put(out, name, _pieces(part, sheet, shared), long=sheet.stream is not None)
        _put(out, _SHARED, shared.xml())


def _put(
    out: zipfile.ZipFile, name: str, pieces: Iterable[bytes | memoryview], *, long: bool = False
) -> None:
    """Write one part; one that may be long gets room for a size beyond 4 GB."""
    # Opened by name, an entry gets a fixed time of its own accord.
    with out.open(name, "w", force_zip64=long) as entry:
        for piece in pieces:
            entry.write(piece)


def _mended(name: str, part: bytes, tables: Mapping[str, str], moment: datetime) -> bytes:
    """Return a part that is no sheet's as it should be."""
    if name == _CORE:
        return _dated(part, moment)
    if name == _STYLES:
        part, count = _TABLE_STYLES.subn(_OUR_STYLE, part)
        assert count == 1, "openpyxl writes the list of table styles, empty"
        return _FONT.sub(_in_order, part)
    if name in _NAMING_SHARED:
        end, more = _NAMING_SHARED[name]
        return part.replace(end, more + end)
    return _extended(part, tables) if name.startswith(_TABLES) else part


def _in_order(font: re.Match[bytes]) -> bytes:
    """Put the parts of a font into the schema's order; openpyxl has one of its own."""
    parts = sorted(_FONT_PART.finditer(font[2]), key=lambda part: _FONT_ORDER.index(part[1]))
    return font[1] + b"".join(part[0] for part in parts) + font[3]


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


def _pieces(part: bytes, sheet: Sheet, shared: Shared) -> Iterator[bytes | memoryview]:
    part = _with_values(part, sheet.cached)
    stream = sheet.stream
    if stream is not None:
        part = _DIMENSION.sub(b'<dimension ref="%s"' % stream.extent.encode(), part, count=1)
    part = _with_ignored(part)
    if stream is None:
        yield part
    else:
        yield from _streamed(part, stream, shared)


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


def _with_ignored(part: bytes) -> bytes:
    """Mark text that looks like a number or a date as meant; the element has one legal place."""
    extent = _DIMENSION.search(part)
    assert extent is not None, "every sheet says how far it goes"
    element = (
        b'<ignoredErrors><ignoredError sqref="%s" numberStoredAsText="1" twoDigitTextYear="1"/>'
        b"</ignoredErrors>" % extent[1]
    )
    last = part.rindex(b"</sheetData>")
    match = _AFTER_IGNORED.search(part, last)
    assert match is not None, "every sheet ends"
    return part[: match.start()] + element + part[match.start() :]


def _streamed(part: bytes, stream: Stream, shared: Shared) -> Iterator[bytes | memoryview]:
    """Put the streamed rows where the prototype rows are."""
    rows = {int(match[1]): match for match in _ROW.finditer(part)}
    plain, quoted = rows[stream.plain], rows[stream.quoted]
    yield part[: plain.start()]
    yield from stream.rows.xml(_styles(plain), _styles(quoted), shared)
    yield part[quoted.end() :]


def _styles(row: re.Match[bytes]) -> tuple[int, ...]:
    return tuple(map(int, _STYLE.findall(row[0])))
