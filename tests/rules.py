"""Excel's rules for a workbook, read from its raw parts: what breaks one makes Excel "repair".

No library for workbooks is asked: they pass over most of these. ``broken`` names each breach.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]+)")
_OURS = re.compile(
    r"(SUM|COUNTA|SUMPRODUCT|SUBTOTAL)\((?!.*(SUMIFS?|COUNTIFS?|HYPERLINK|DDE|WEBSERVICE|INDIRECT)\()"
    r"|IF\(ABS\(B[0-9]+-C[0-9]+\)<0\.[0-9]+,\"PASS\",\"FAIL\"\)$"
)
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_CELL_LIKE = re.compile(r"[a-z]{1,3}[0-9]+|r[0-9]*c?[0-9]*|c[0-9]*", re.IGNORECASE | re.ASCII)


class Cell(NamedTuple):
    """One cell as its part has it; ``text`` is None where it holds no text."""

    address: str
    style: int
    text: str | None
    value: str | None
    formula: str | None


class Raw:
    """A workbook's parts."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as package:
            self.parts = {name: package.read(name) for name in package.namelist()}
        self.trees = {name: ET.fromstring(part) for name, part in self.parts.items()}
        self.shared = [
            "".join(t.text or "" for t in item.iter(f"{MAIN}t"))
            for item in self.trees["xl/sharedStrings.xml"].iter(f"{MAIN}si")
        ]
        targets = {
            r.attrib["Id"]: r.attrib["Target"].removeprefix("/xl/")
            for r in self.trees["xl/_rels/workbook.xml.rels"]
        }
        self.sheets = {
            sheet.attrib["name"]: f"xl/{targets[sheet.attrib[_RELATION]]}"
            for sheet in self.trees["xl/workbook.xml"].iter(f"{MAIN}sheet")
        }
        formats = self.trees["xl/styles.xml"].find(f"{MAIN}cellXfs")
        assert formats is not None
        self.quoted = [xf.get("quotePrefix") == "1" for xf in formats]

    def cells(self, sheet: str) -> Iterator[Cell]:
        """Yield the cells of a sheet."""
        for cell in self.trees[self.sheets[sheet]].iter(f"{MAIN}c"):
            kind, value = cell.get("t"), cell.findtext(f"{MAIN}v")
            text = None
            if kind == "s":
                text = self.shared[int(value or "")]
            elif kind == "inlineStr":
                text = "".join(t.text or "" for t in cell.iter(f"{MAIN}t"))
            formula = cell.findtext(f"{MAIN}f")
            yield Cell(cell.attrib["r"], int(cell.attrib["s"]), text, value, formula)

    def table_of(self, sheet: str) -> ET.Element | None:
        """Return the table that a sheet has, if any."""
        part = self.sheets[sheet].replace("worksheets/", "worksheets/_rels/") + ".rels"
        for relation in self.trees.get(part, ()):
            if relation.attrib["Target"].startswith("/xl/tables/"):
                return self.trees[relation.attrib["Target"].removeprefix("/")]
        return None


def shown(text: str) -> str:
    """Return a text as Excel shows it: its own escapes are read."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)


def broken(path: Path) -> list[str]:
    """Return every breach of a rule, with its place."""
    raw = Raw(path)
    found = list(_names(raw))
    for sheet in raw.sheets:
        found += [f"{sheet}: {breach}" for breach in (*_sheet(raw, sheet), *_table(raw, sheet))]
    return found


def _names(raw: Raw) -> Iterator[str]:
    folded = [name.casefold() for name in raw.sheets]
    for name in raw.sheets:
        if not 1 <= len(name.encode("utf-16-le")) // 2 <= 31 or re.search(r"[\[\]:*?/\\]", name):
            yield f"illegal sheet name {name!r}"
        if folded.count(name.casefold()) > 1 or name.casefold() == "history":
            yield f"sheet name {name!r} is taken"
    tables = [t for t in map(raw.table_of, raw.sheets) if t is not None]
    names = [table.attrib["displayName"] for table in tables]
    ids = [table.attrib["id"] for table in tables]
    if len({name.casefold() for name in names}) < len(names) or len(set(ids)) < len(ids):
        yield f"tables of one name or number: {names}"
    for name in names:
        if not _TABLE_NAME.fullmatch(name) or _CELL_LIKE.fullmatch(name):
            yield f"illegal table name {name!r}"


def _sheet(raw: Raw, sheet: str) -> Iterator[str]:
    tree = raw.trees[raw.sheets[sheet]]
    rows = [int(row.attrib["r"]) for row in tree.iter(f"{MAIN}row")]
    if rows != sorted(set(rows)) or max(rows) > 1_048_576:
        yield "rows out of order, twice, or too many"
    for row in tree.iter(f"{MAIN}row"):
        places = [_ADDRESS.fullmatch(cell.attrib["r"]) for cell in row]
        columns = [_number(place[1]) for place in places if place]
        if [place and place[2] for place in places] != [row.attrib["r"]] * len(row):
            yield f"row {row.attrib['r']} holds cells of another"
        if columns != sorted(set(columns)):
            yield f"row {row.attrib['r']}: cells out of order"
    ignored = [e.attrib for e in tree.iter(f"{MAIN}ignoredError")]
    whole = tree.find(f"{MAIN}dimension")
    assert whole is not None
    if [e.get("numberStoredAsText") for e in ignored if e["sqref"] == whole.get("ref")] != ["1"]:
        yield "green triangles: not all of the sheet is marked as meant"
    for cell in raw.cells(sheet):
        yield from (f"{cell.address}: {breach}" for breach in _cell(raw, cell))


def _cell(raw: Raw, cell: Cell) -> Iterator[str]:
    if cell.text is not None:
        text = shown(cell.text)
        if cell.text[:1] in {"=", "+", "-", "@"} and not raw.quoted[cell.style]:
            yield f"{cell.text[:20]!r} would become a formula"
        if any(unicodedata.category(letter) in _UNSEEN for letter in text):
            yield f"{text[:20]!r} holds what nobody sees"
        if len(text.encode("utf-16-le")) // 2 > 32_767:
            yield "longer than a cell"
        if cell.formula is not None:
            yield "text and formula in one"
    if cell.formula is not None:
        if not _OURS.match(cell.formula) or len(cell.formula) > 8_192:
            yield f"not a formula of ours: {cell.formula[:60]!r}"
        if any(len(words) > 255 for words in re.findall(r'"((?:[^"]|"")*)"', cell.formula)):
            yield "a literal longer than 255 in a formula"
        if not cell.value:
            yield "a formula without its value"
    elif cell.text is None and cell.value is not None and not _NUMBER.fullmatch(cell.value):
        yield f"not a number: {cell.value[:20]!r}"


def _table(raw: Raw, sheet: str) -> Iterator[str]:
    table = raw.table_of(sheet)
    if table is None:
        return
    tree = raw.trees[raw.sheets[sheet]]
    columns = [column.attrib["name"] for column in table.iter(f"{MAIN}tableColumn")]
    if len({name.casefold() for name in columns}) < len(columns):
        yield f"two columns of one name: {columns}"
    first, last = re.findall(r"[A-Z]+([0-9]+)", table.attrib["ref"])
    if int(last) <= int(first):
        yield "a table without a row"
    heads = [c.text for c in raw.cells(sheet) if _ADDRESS.fullmatch(c.address)[2] == first]  # type: ignore[index]
    if heads != columns:
        yield f"headings {heads} are not the table's columns"
    own = table.find(f"{MAIN}autoFilter")
    if own is not None and own.attrib["ref"] != table.attrib["ref"]:
        yield "the filter is of another range than the table"
    if tree.find(f"{MAIN}autoFilter") is not None:
        yield "the sheet has a filter of its own over a table"
    dimension = tree.find(f"{MAIN}dimension")
    # Above a table may stand what it lists; beside it and below it nothing.
    ends = [part.attrib["ref"].split(":")[-1] for part in (table, dimension) if part is not None]
    if len(set(ends)) != 1 or len(ends) != 2 or not table.attrib["ref"].startswith("A"):
        yield "the table is not all of the sheet, down from its headings"


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
