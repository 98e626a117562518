"""Reads the calls that are attached to a PDF back, with PDFium and the standard library."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path

import pypdfium2

from maxo_reports.core.money import dollars
from maxo_reports.core.report import CALL_COLUMNS, CallLine, Report
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.compared import Differences

_MOMENT = "%Y-%m-%d %H:%M:%S"


def compare(path: Path, name: str, report: Report, found: Differences) -> None:
    """Compare every call of an attached file, field by field, with the report's."""
    lines = _lines(path, name)
    found.compare(f"{name}, headings", next(lines, []), list(CALL_COLUMNS))
    for number, (line, call) in enumerate(zip_longest(lines, report.calls.lines()), 2):
        if line is None or call is None:
            seen, wanted = ("a call", "no call") if call is None else ("no call", "a call")
            found.add(f"{name} line {number}: {seen} in the file, {wanted} in the ledger")
            return
        found.figures += len(CALL_COLUMNS)
        if line != _fields(call, line):
            pairs = zip(CALL_COLUMNS, line, _fields(call, line), strict=False)
            key, seen, wanted = next(
                (each for each in pairs if each[1] != each[2]),
                ("fields", f"{len(line)}", f"{len(CALL_COLUMNS)}"),
            )
            found.add(
                f"{name} line {number} {key}: {seen!r} in the file, {wanted!r} in the ledger"
            )
        if found.enough:
            return


def _fields(call: CallLine, line: list[str]) -> list[str]:
    """Return a call's fields as they should be written; a cost may have more noughts."""
    fields = ["" if value is None else str(value) for value in call]
    moment, money = (list(CALL_COLUMNS).index(key) for key in ("started", "cost"))
    fields[moment] = datetime.fromtimestamp(call.started, UTC).strftime(_MOMENT)
    if call.cost is not None:
        fields[money] = str(dollars(call.cost))
        try:
            if len(line) > money and Decimal(line[money]) == dollars(call.cost):
                fields[money] = line[money]
        except InvalidOperation:
            pass
    return fields


def _lines(path: Path, name: str) -> Iterator[list[str]]:
    """Yield the lines of a file that is attached to a PDF under a name."""
    try:
        with pypdfium2.PdfDocument(path) as document:
            for at in range(document.count_attachments()):
                held = document.get_attachment(at)
                if held.get_name() == name:
                    content = bytes(held.get_data()).decode()
                    break
            else:
                raise TieOutError(f"{path.name} does not have {name} attached")
        yield from csv.reader(io.StringIO(content, newline=""), strict=True)
    except (pypdfium2.PdfiumError, ValueError, csv.Error):
        raise TieOutError(f"{name} in {path.name} cannot be read back") from None
