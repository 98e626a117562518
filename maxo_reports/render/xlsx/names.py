"""Names that Excel takes: of the sheets that list calls, and of the tables on them.

A sheet's name has 31 characters at most, a table's has no spaces and looks like no cell, and
neither may come twice in a workbook, capital or small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from maxo_reports.core.report import Part, Section
from maxo_reports.core.sheetnames import numbered

ROWS_A_SHEET = 1_048_575
"""A sheet's 1,048,576 rows, less its heading."""
# What Excel reads as a cell (A1, XFD1048576, R1C1) or as a whole row or column (R, C, ABC).
_A_CELL = re.compile(r"[a-z]{1,3}[0-9]*|r[0-9]*c[0-9]*", re.IGNORECASE | re.ASCII)


class Page(NamedTuple):
    """One sheet of an itemised list: its name, its table's, and how many calls it holds.

    ``part`` is whose calls they are, where a list has a sheet for each service number; it is
    ``whole`` where the sheet has all of them.
    """

    sheet: str
    table: str
    calls: int
    part: Part | None = None
    whole: bool = True


Pages = Mapping[str, Sequence[Page]]
"""The sheets of every itemised section, by the section's title."""


def plan(sections: Sequence[Section], calls: int) -> Pages:
    """Return the pages of every itemised section, by the section's title.

    ``calls`` is how many there are in a list without a filter of its own. Those that do not fit
    on a sheet go on to the next: ``Calls``, ``Calls 2``, ``Calls 3``.
    """
    sheets = {section.spec.sheet.casefold() for section in sections}
    sheets |= {part.sheet.casefold() for section in sections for part in section.parts}
    tables: set[str] = set()
    pages: dict[str, list[Page]] = {}
    for section in sections:
        if section.spec.kind != "itemised":
            continue
        found = pages[section.spec.title] = []
        for part in section.parts:
            found += _pages(part.sheet, part.totals.calls, part, sheets, tables)
        if section.table is None:
            count = calls if section.calls is None else len(section.calls)
            found += _pages(section.spec.sheet, count, None, sheets, tables)
    return pages


def _pages(
    sheet: str, calls: int, part: Part | None, sheets: set[str], tables: set[str]
) -> Iterator[Page]:
    table = _free(_table(sheet), tables)
    whole = calls <= ROWS_A_SHEET
    yield Page(sheet, table, min(calls, ROWS_A_SHEET), part, whole)
    number = 1
    for start in range(ROWS_A_SHEET, calls, ROWS_A_SHEET):
        number += 1
        while (title := numbered(sheet, number)).casefold() in sheets:
            number += 1
        sheets.add(title.casefold())
        more = _free(f"{table}_{number}", tables)
        yield Page(title, more, min(calls - start, ROWS_A_SHEET), part, whole)


def _table(sheet: str) -> str:
    """Make a table's name from a sheet's."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in sheet)
    return name if name[0].isalpha() and not _A_CELL.fullmatch(name) else f"T_{name}"


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it."""
    while name.casefold() in taken:
        name += "_"
    taken.add(name.casefold())
    return name
