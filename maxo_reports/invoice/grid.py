"""Rows of a CSV file or of a workbook's first sheet, each with the number that a person sees."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from maxo_reports.errors import ConfigError

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
_DELIMITERS = ",;\t"
_Row = tuple[int, Sequence[Any]]


def rows(path: Path) -> Iterator[_Row]:
    """Yield the rows that are not empty, the first of them the headings."""
    yield from _of_workbook(path) if path.suffix.lower() in WORKBOOKS else _of_text(path)


def _of_workbook(path: Path) -> Iterator[_Row]:
    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except (CalamineError, OSError) as problem:
        raise ConfigError(f"{path} cannot be read as a workbook: {problem}") from None
    for number, row in enumerate(sheet.to_python(skip_empty_area=False), 1):
        if any(cell not in {"", None} for cell in row):
            yield number, row


def _of_text(path: Path) -> Iterator[_Row]:
    encoding = _encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline()
            delimiter = max(_DELIMITERS, key=first.count)
            file.seek(0)
            lines = csv.reader(file, delimiter=delimiter, strict=True)
            for row in lines:
                if any(row):
                    yield lines.line_num, row
    except (csv.Error, UnicodeDecodeError) as problem:
        raise ConfigError(f"{path} cannot be read as CSV: {problem}") from None
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None


def _encoding(path: Path) -> str:
    """Return UTF-8, or what Excel on Windows writes where it cannot be that."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None
    return "utf-8-sig"
