"""The numbers seen but not listed, written as a directory's file to be filled in.

In CSV a number has spaces, which keep a spreadsheet from taking it for a figure; in a workbook
its cells are text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from openpyxl import Workbook as Book
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from maxo_reports.archive import files
from maxo_reports.archive.columns import CallStore
from maxo_reports.core.directory import ALLOCATIONS, UNALLOCATED
from maxo_reports.core.money import dollars, plain
from maxo_reports.core.numbering import unmistakable
from maxo_reports.directories import COLUMNS
from maxo_reports.errors import UsageError

SEEN = ("account", "calls", "cost", "first call", "last call")
"""Columns beside the directory's own, for whoever fills it in; they are passed over when read."""
SUFFIXES = (".csv", ".xlsx")
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A service number that no entry covers: its calls, their cost, and from when to when."""

    account: str
    number: str
    calls: int
    cost: Decimal
    first: date
    last: date


def unlisted(calls: CallStore, account: str) -> tuple[Unlisted, ...]:
    """Return the numbers that have calls which no entry covers, the dearest first."""
    nothing = " AND ".join(f"{name} = '{UNALLOCATED}'" for name in ALLOCATIONS)
    local = calls.local()
    rows = calls.rows(
        "SELECT service_number, count(*), coalesce(sum(cost), 0) AS dear,"
        f" min({local}) // {_DAY}, max({local}) // {_DAY} FROM kept WHERE {nothing}"
        " GROUP BY service_number ORDER BY dear DESC, service_number"
    )
    epoch = date(1970, 1, 1).toordinal()
    return tuple(
        Unlisted(
            account,
            number,
            count,
            dollars(micros),
            date.fromordinal(epoch + first),
            date.fromordinal(epoch + last),
        )
        for number, count, micros, first, last in rows
    )


def as_csv(found: Sequence[Unlisted]) -> str:
    """Return the numbers as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(_rows(found))
    return text.getvalue()


def check(path: Path) -> None:
    """Refuse a file that could not be written, before anything is looked up."""
    if path.suffix.casefold() not in SUFFIXES:
        raise UsageError(f"{path} must end in {' or '.join(SUFFIXES)}")
    if path.exists():
        raise UsageError(f"{path} is there already; it is left as it is")


def write(path: Path, found: Sequence[Unlisted]) -> None:
    """Write the numbers into a new file, CSV or a workbook by its name."""
    check(path)
    if path.suffix.casefold() == ".csv":
        # Excel takes CSV for UTF-8 only where it says so.
        files.put(path, as_csv(found).encode("utf-8-sig"))
        return
    book = Book()
    sheet = book.active
    assert sheet is not None, "a new workbook has a sheet"
    sheet.title = "Directory"
    for row in _rows(found):
        sheet.append(row)
    for place, column in enumerate(sheet.iter_cols(), 1):
        sheet.column_dimensions[get_column_letter(place)].width = 18
        column[0].font = Font(bold=True)
        for cell in column:
            # Also the rows that are still to be filled in by hand.
            cell.number_format = "@"
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    files.put(path, content.getvalue())


def _rows(found: Sequence[Unlisted]) -> list[list[str]]:
    empty = [""] * (len(COLUMNS) - 1)
    rows = [[*COLUMNS, *SEEN]]
    for each in found:
        seen = (each.account, str(each.calls), plain(each.cost), f"{each.first}", f"{each.last}")
        rows.append([unmistakable(each.number), *empty, *seen])
    return rows
