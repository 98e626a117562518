"""Rows of a CSV file or of a workbook's first sheet, each with the number that a person sees."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from python_calamine import CalamineError, CalamineWorkbook

from maxo_reports.errors import ConfigError

_WORKBOOK = (b"PK", b"\xd0\xcf\x11\xe0")
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""What a file in UTF-16 begins with."""
_DELIMITERS = ",;\t"
_PIECE = 1 << 20
Line = tuple[int, Sequence[Any]]


def figure(cell: float) -> Decimal:
    """Return a workbook's figure as it shows it: in fifteen digits, without binary dust beyond."""
    return Decimal(f"{cell:.15g}")


def worded(cell: Any) -> str:
    """Return a cell as text; a figure without the decimals that it does not have."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def lines(content: bytes, name: str) -> Iterator[Line]:
    """Yield the rows that say anything, whichever kind of file it is."""
    if content.startswith(_WORKBOOK):
        return _filled(_sheet(io.BytesIO(content), name))
    encoding = _encoding(io.BytesIO(content), name)
    return _filled(_table(io.StringIO(content.decode(encoding), newline=""), name))


def lines_of(path: Path) -> Iterator[Line]:
    """Yield the same of a file that may be long: of CSV, a row at a time is held."""
    try:
        with path.open("rb") as file:
            if file.read(4).startswith(_WORKBOOK):
                file.seek(0)
                yield from _filled(_sheet(file, str(path)))
                return
            file.seek(0)
            encoding = _encoding(file, str(path))
        with path.open(encoding=encoding, newline="") as text:
            yield from _filled(_table(text, str(path)))
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None


def _filled(rows: Iterator[Line]) -> Iterator[Line]:
    for number, cells in rows:
        if any(cell not in {None, ""} for cell in cells):
            yield number, cells


def _sheet(file: Any, name: str) -> Iterator[Line]:
    try:
        rows = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
        return iter(enumerate(rows.to_python(skip_empty_area=False), 1))
    except (CalamineError, OSError, IndexError) as problem:
        raise ConfigError(f"{name} cannot be read as a workbook: {problem}") from None


def _table(file: TextIO, name: str) -> Iterator[Line]:
    heading = next((line for line in file if line.strip()), "")
    file.seek(0)
    delimiter = max(_DELIMITERS, key=heading.count)
    rows = csv.reader(file, delimiter=delimiter, strict=True)
    began = 1
    try:
        for cells in rows:
            yield began, [cell.strip() for cell in cells]
            began = rows.line_num + 1
    except csv.Error as problem:
        raise ConfigError(f"{name} line {rows.line_num}: {problem}") from None


def _encoding(file: Any, name: str) -> str:
    """Return how a CSV file is written: as the programs that write it do, and no other way."""
    begins = file.read(2)
    # Excel's plain "CSV" is in the Windows code page.
    encodings = ["utf-16"] if begins in _WIDE else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        file.seek(0)
        text = io.TextIOWrapper(file, encoding)
        try:
            while text.read(_PIECE):
                pass
        except UnicodeDecodeError:
            continue
        else:
            return encoding
        finally:
            text.detach()
    if name.lower().endswith((".xlsx", ".xlsm")):
        raise ConfigError(f"{name} is no Excel workbook, or it is damaged: save it again")
    raise ConfigError(f"{name} is no text: save it as CSV (UTF-8) or .xlsx")
