"""Tie-out: every written file is read back by another reader than wrote it, and compared.

A renderer can drop a row, round a figure or put it into the wrong cell, and its own library would
read back what it wrote. So the workbook is read with calamine (the values that a phone or a
preview shows), the statement with poppler or PDFium, CSV and JSON with the standard library.
Each figure of each section, and each call, is compared with the report value; the rows that
were read are added up and compared with the control totals. Nothing here is ever a source.

Each format's module has one function, ``read_back(path, report)``. It raises TieOutError naming
the file, the place in it and both figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from maxo_reports.core.report import Report
from maxo_reports.tieout.compared import ReadBack, Tied

READERS: Mapping[str, str] = {
    "xlsx": "maxo_reports.tieout.workbook",
    "pdf": "maxo_reports.tieout.statement",
}
"""File format -> the module that reads it back; each one is loaded when it is needed."""

__all__ = ["READERS", "Tied", "tie_out"]


def tie_out(file_format: str, path: Path, report: Report) -> Tied:
    """Read one written file of a report back, or refuse it: file, place and both figures."""
    reader = cast("ReadBack", import_module(READERS[file_format]))
    return reader.read_back(path, report)
