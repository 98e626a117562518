"""Refresh in place: the user's own workbook gets a period's rows, and stays his own.

His tables and names say what he wants; everything else of the file stays byte for byte as it was.
No library that loads a workbook and saves it is used: they lose what they do not know.

package (limits) -> parts -> tables, names -> sheets edited -> draft -> read back -> his file.
"""

from __future__ import annotations

import gc
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from openpyxl.utils import get_column_letter

from maxo_reports.core.report import Cell, Report
from maxo_reports.errors import TieOutError
from maxo_reports.refresh import fixed, names, parts, tables
from maxo_reports.refresh.edit import Edit
from maxo_reports.refresh.marks import Marks
from maxo_reports.refresh.names import Named
from maxo_reports.refresh.package import Package
from maxo_reports.refresh.parts import Parts
from maxo_reports.refresh.place import Place
from maxo_reports.refresh.rows import FROM_1904, CallRows, TableRows
from maxo_reports.refresh.sheet import Sheet
from maxo_reports.refresh.tables import Fill
from maxo_reports.render.xlsx.rows import EPOCH
from maxo_reports.tieout import refreshed


@dataclass(frozen=True, slots=True)
class FilledTable:
    """A table that was filled, with which section's rows, and where it stands now."""

    name: str
    sheet: str
    section: str
    rows: int
    area: str


@dataclass(frozen=True, slots=True)
class FilledName:
    """A name whose cell was filled, and with what."""

    name: str
    place: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh came to. ``backup`` is None where the workbook said all of it already."""

    book: Path
    backup: Path | None
    tables: tuple[FilledTable, ...]
    names: tuple[FilledName, ...]
    pivots: int
    notes: tuple[str, ...]


def refresh(path: Path, report: Report, moment: datetime) -> Refreshed:
    """Fill the tables and names of a workbook from a report, and put it in its own place.

    Raises UsageError where the workbook is not fit, TieOutError where it does not read back as
    the report says; then it is as it was.
    """
    place = Place(path)
    place.refuse_if_open()
    with closing(Package(place.path)) as package, _nothing_collected():
        found = parts.find(package)
        edits, formulas = _planned(package, found, report)
        marks = _marked(package, found, edits)
        behind = fixed.left_behind(package, found, edits)
        changed: dict[str, Iterable[bytes]] = {name: [p] for name, p in marks.changed.items()}
        changed |= {edit.sheet.part: edit.pieces() for edit in edits if edit.changes}
        with place.draft() as draft:
            with draft.open("wb") as out:
                package.write(out, changed, frozenset(marks.dropped))
            place.refuse_if_changed()
            _same_beside(package, draft, {*changed, *marks.dropped})
            unformatted = _read_back(draft, path.name, edits, found)
            backup = place.accept(draft, moment)
    live = [*formulas, *(name for edit in edits for name in edit.live)]
    return Refreshed(
        place.path,
        backup,
        tuple(_filled(fill) for edit in edits for fill in edit.fills),
        tuple(_filled_name(each) for edit in edits for each, _ in edit.singles),
        marks.pivots,
        (
            *(f"{what} has no format for dates or durations" for what in unformatted),
            *(
                f"table {name} was left as it is: changes are told by a pack, not by a refresh"
                for name in tables.not_told(found.tables, report)
            ),
            *(
                f"table {fill.table.name} has no column for {label!r}: its rows do not show all"
                for edit in edits
                for fill in edit.fills
                for label in fill.lacking
            ),
            *(f"name {name} was left as it is: it is a formula" for name in live),
            *behind,
        ),
    )


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Keep the collector of cycles still while a table's rows are held: it would walk them all.

    There are no cycles among them, and it would take as long as the work.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _planned(
    package: Package, found: Parts, report: Report
) -> tuple[Sequence[Edit], Sequence[str]]:
    """Return what each sheet gets, and the names that are formulas and get nothing."""
    sheets: dict[str, Sheet] = {}
    fills = [
        tables.plan(package, _sheet(package, found, sheets, table.sheet), table, section, report)
        for table, section in tables.matched(found.tables, report)
    ]
    named, formulas = names.plan(package, found, report)
    if not fills and not named:
        titles = ", ".join(section.spec.title for section in report.sections)
        raise package.refused(
            f"it has no table named as a section of the report ({titles}), "
            f"and no name such as {names.PREFIX}period"
        )
    epoch = EPOCH - (FROM_1904 if found.starts_1904 else 0)
    for each in named:
        _sheet(package, found, sheets, each.sheet)
    edits = [
        Edit(
            sheet,
            [fill for fill in fills if fill.table.sheet == sheet.name],
            [each for each in named if each.sheet == sheet.name],
            [table for table in found.tables if table.sheet == sheet.name],
            epoch,
        )
        for sheet in sheets.values()
    ]
    return edits, formulas


def _marked(package: Package, found: Parts, edits: Sequence[Edit]) -> Marks:
    """Patch the small parts that go with the sheets."""
    marks = Marks(package, found, [fill for edit in edits for fill in edit.fills])
    marks.tables()
    marks.workbook()
    marks.caches()
    if any(edit.formulas_move for edit in edits):
        marks.chain()
    return marks


def _read_back(draft: Path, name: str, edits: Sequence[Edit], found: Parts) -> Sequence[str]:
    """Hold the draft to the report; return what has no format for its kind of value."""
    read = refreshed.read_back(
        draft,
        name,
        [_listed(fill) for edit in edits for fill in edit.fills],
        [
            refreshed.Single(e.name, e.sheet, cell.top, cell.left, e.value.value, e.value.kind)
            for edit in edits
            for e, cell in edit.singles
        ],
        starts_1904=found.starts_1904,
    )
    return read.unformatted


def _sheet(package: Package, found: Parts, sheets: dict[str, Sheet], name: str) -> Sheet:
    """Take a sheet apart, once."""
    if name not in sheets:
        part = found.sheet(name)
        assert part is not None, "tables and names were found on sheets that are there"
        sheets[name] = Sheet(package, part.name, part.part)
    return sheets[name]


def _same_beside(package: Package, draft: Path, touched: set[str]) -> None:
    """Make sure, from the file itself, that every part that was not to change is the same."""
    with zipfile.ZipFile(draft) as new:
        for member in package.members:
            name = member.name
            if name not in touched and new.read(name) != package.read(name):
                raise TieOutError(f"{package.path}: its part {name} would change; it is kept")


def _listed(fill: Fill) -> refreshed.Listed:
    source, stretch = fill.source, fill.stretch
    assert isinstance(source, (CallRows, TableRows)), "there are no other sources"
    return refreshed.Listed(
        fill.table.name,
        fill.table.sheet,
        stretch.top,
        stretch.left,
        stretch.right,
        fill.ours,
        source.calls if isinstance(source, CallRows) else source.rows,
        tuple(source.columns),
    )


def _filled(fill: Fill) -> FilledTable:
    area = fill.stretch.whole(fill.stretch.after.bottom)
    return FilledTable(fill.table.name, fill.table.sheet, fill.title, len(fill.source), str(area))


def _filled_name(named: Named) -> FilledName:
    place = f"{named.sheet}!{get_column_letter(named.area.left)}{named.area.top}"
    return FilledName(named.name, place, named.value.value)
