"""What a workbook's parts are to each other, found through their relationships.

No part is known by its file name: another program than Excel may name them as it likes.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from maxo_reports.refresh.areas import Area, area_of
from maxo_reports.refresh.package import Package

CONTENT_TYPES = "[Content_Types].xml"
_WORKBOOKS = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
)
_LARGEST_READ = 16 * 2**20
"""Bytes of a part that is held as a tree: all but sheets are small."""
_LOCAL_NAME = re.compile(r"^\{[^}]*\}")
_UNDER = re.compile(r"_x([0-9A-Fa-f]{4})_")


class TableColumn(NamedTuple):
    """A column of the user's table: its heading, and the formula of a calculated one."""

    heading: str
    formula: str | None
    is_array: bool


@dataclass(frozen=True, slots=True)
class TablePart:
    """A native table: where it stands, and what it is made of."""

    part: str
    sheet: str
    name: str
    area: Area
    columns: tuple[TableColumn, ...]
    heads: int
    totals: int
    filtered: bool
    kind: str


class SheetPart(NamedTuple):
    """A sheet's name and its part."""

    name: str
    part: str


class Name(NamedTuple):
    """A defined name and what it refers to."""

    name: str
    refers: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a workbook that a refresh may touch."""

    workbook: str
    relations: str
    sheets: tuple[SheetPart, ...]
    tables: tuple[TablePart, ...]
    names: tuple[Name, ...]
    caches: tuple[str, ...]
    chain: str | None
    starts_1904: bool

    def sheet(self, name: str) -> SheetPart | None:
        """Return a sheet by its name, capital or small."""
        return next((s for s in self.sheets if s.name.casefold() == name.casefold()), None)


def find(package: Package) -> Parts:
    """Follow the relationships from the package's root to its sheets, tables and caches."""
    if any(member.name.startswith("_xmlsignatures/") for member in package.members):
        raise package.refused("it is signed, and a change would break the signature")
    workbook = next(_targets(package, "", "officeDocument"), None)
    if workbook is None or not _is_workbook(package, workbook):
        raise package.refused("its main part is no Excel workbook (.xlsx or .xlsm)")
    root = tree(package, workbook)
    by_id = {
        relation.attrib["Id"]: (_kind(relation), _target(workbook, relation))
        for relation in _relations(package, workbook)
    }
    sheets = []
    for sheet in _all(root, "sheet"):
        kind, part = by_id.get(_attribute(sheet, "id"), ("", ""))
        if kind == "worksheet":
            sheets.append(SheetPart(sheet.attrib["name"], part))
    properties = next(_all(root, "workbookPr"), None)
    chains = [part for kind, part in by_id.values() if kind == "calcChain"]
    return Parts(
        workbook,
        relations_of(workbook),
        tuple(sheets),
        tuple(table for sheet in sheets for table in _tables(package, sheet)),
        tuple(
            Name(each.attrib["name"], (each.text or "").strip())
            for each in _all(root, "definedName")
        ),
        tuple(part for kind, part in by_id.values() if kind == "pivotCacheDefinition"),
        chains[0] if chains else None,
        properties is not None and _is_true(properties.get("date1904")),
    )


def tree(package: Package, name: str) -> ET.Element:
    """Return a small part as a tree. No document type was let in, so nothing expands."""
    content = package.read(name)
    if len(content) > _LARGEST_READ:
        raise package.refused(f"its part {name} has {len(content):,} bytes, which is odd")
    try:
        return ET.fromstring(content)  # noqa: S314 - see above
    except ET.ParseError as why:
        raise package.refused(f"its part {name} is damaged ({why})") from None


def relations_of(name: str) -> str:
    """Return the part that holds a part's relationships."""
    folder, base = posixpath.split(name)
    return posixpath.join(folder, "_rels", f"{base}.rels")


def unescaped(text: str) -> str:
    """Return a heading as it is seen: Excel writes a line break as ``_x000a_``."""
    return " ".join(_UNDER.sub(lambda match: chr(int(match[1], 16)), text).split())


def _is_workbook(package: Package, name: str) -> bool:
    for each in _all(tree(package, CONTENT_TYPES), "Override"):
        if each.get("PartName", "").casefold() == f"/{name}".casefold():
            return each.get("ContentType") in _WORKBOOKS
    defaults = _all(tree(package, CONTENT_TYPES), "Default")
    return any(
        each.get("Extension") == "xml" and each.get("ContentType") in _WORKBOOKS
        for each in defaults
    )


def _tables(package: Package, sheet: SheetPart) -> Iterator[TablePart]:
    for part in _targets(package, sheet.part, "table"):
        root = tree(package, part)
        area = area_of(root.get("ref", ""))
        if area is None:
            raise package.refused(f"its table part {part} has no range: it is damaged")
        filters = next(_all(root, "autoFilter"), None)
        columns = []
        for column in _all(root, "tableColumn"):
            formula = next(_all(column, "calculatedColumnFormula"), None)
            columns.append(
                TableColumn(
                    unescaped(column.attrib["name"]),
                    None if formula is None else (formula.text or "").removeprefix("="),
                    formula is not None and _is_true(formula.get("array")),
                )
            )
        if len(columns) != area.right - area.left + 1:
            raise package.refused(f"its table part {part} has another number of columns")
        yield TablePart(
            part,
            sheet.name,
            root.get("displayName") or root.get("name") or "",
            area,
            tuple(columns),
            int(root.get("headerRowCount", "1")),
            int(root.get("totalsRowCount", "0")),
            # One without a criterion only says that its button is hidden.
            filters is not None and any(len(each) for each in _all(filters, "filterColumn")),
            root.get("tableType", "worksheet"),
        )


def _targets(package: Package, name: str, kind: str) -> Iterator[str]:
    for relation in _relations(package, name):
        if _kind(relation) == kind:
            target = _target(name, relation)
            if not package.has(target):
                raise package.refused(f"it lacks its part {target}: it is damaged")
            yield target


def _relations(package: Package, name: str) -> Iterator[ET.Element]:
    part = relations_of(name)
    if package.has(part):
        for relation in _all(tree(package, part), "Relationship"):
            if relation.get("TargetMode") != "External":
                yield relation


def _kind(relation: ET.Element) -> str:
    """Return the last word of a relationship's type, which both forms of the format share."""
    return relation.get("Type", "").rpartition("/")[2]


def _target(name: str, relation: ET.Element) -> str:
    target = unquote(relation.attrib["Target"])
    whole = posixpath.join("/", posixpath.dirname(name), target)
    return posixpath.normpath(whole).lstrip("/")


def _all(root: ET.Element, name: str) -> Iterator[ET.Element]:
    """Yield the elements of a name, whichever form of the format they are of."""
    return (each for each in root.iter() if _LOCAL_NAME.sub("", each.tag) == name)


def _attribute(element: ET.Element, name: str) -> str:
    """Return an attribute that has a namespace."""
    found = (v for key, v in element.attrib.items() if key.startswith("{") and key.endswith(name))
    return next(found, "")


def _is_true(text: str | None) -> bool:
    return text in {"1", "true"}
