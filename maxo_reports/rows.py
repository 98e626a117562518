"""Rows of a CSV file or of a workbook's first sheet, each with the number that a person sees."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from maxo_reports.errors import ConfigError

_WORKBOOK = (b"PK", b"\xd0\xcf\x11\xe0")
_DELIMITERS = ",;\t"
Line = tuple[int, Sequence[Any]]


def lines(content: bytes, name: str) -> Iterator[Line]:
    """Yield the rows that say anything, whichever kind of file it is."""
    rows = _sheet(content, name) if content.startswith(_WORKBOOK) else _table(content, name)
    for number, cells in rows:
        if any(cell not in {None, ""} for cell in cells):
            yield number, cells


def _sheet(content: bytes, name: str) -> Iterator[Line]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, IndexError) as problem:
        raise ConfigError(f"{name} cannot be read as a workbook: {problem}") from None
    return iter(enumerate(rows, 1))


def _table(content: bytes, name: str) -> Iterator[Line]:
    text = _decoded(content, name)
    heading = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=heading.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    began = 1
    try:
        for cells in rows:
            yield began, [cell.strip() for cell in cells]
            began = rows.line_num + 1
    except csv.Error as problem:
        raise ConfigError(f"{name} line {rows.line_num}: {problem}") from None


def _decoded(content: bytes, name: str) -> str:
    """Decode a CSV file as the programs that write it do."""
    encodings = ["utf-8-sig", "cp1252"]  # Excel's plain "CSV" is in the Windows code page
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(f"{name} is no text: save it as CSV (UTF-8) or .xlsx")
