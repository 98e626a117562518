"""References that do not follow a table, because they name its cells and not the table.

A chart, or a sum on another sheet, over ``Data!$K$2:$K$90`` still shows the first 89 rows when
there are 200. Such parts are the user's and stay as they are; he is told of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from xml.sax.saxutils import escape

from maxo_reports.refresh.areas import Stretch, area_of
from maxo_reports.refresh.edit import Edit
from maxo_reports.refresh.package import Package
from maxo_reports.refresh.parts import Parts, TablePart

_RANGE = rb"(\$?[A-Z]{1,3}\$?[1-9][0-9]{0,6}:\$?[A-Z]{1,3}\$?[1-9][0-9]{0,6})"
_FORMULA = re.compile(rb"<f(?:\s[^>]*)?>([^<]+)</f>")
_HERE = re.compile(rb"(?<![!\w$.\]])" + _RANGE + rb"(?![\w(])")
_WITH_FORMULAS = re.compile(r"/(?:charts|worksheets|chartsheets|dialogsheets)/[^/]*\.xml$")


def left_behind(package: Package, parts: Parts, edits: Sequence[Edit]) -> list[str]:
    """Name each reference that was to all of a table's rows, and now falls short of them."""
    told: dict[str, None] = {}
    for edit, fill in ((each, fill) for each in edits for fill in each.fills):
        stretch = fill.stretch
        if stretch.new <= stretch.old:
            continue
        table, sheet = fill.table, edit.sheet
        named = _mentions(sheet.name)
        for member in package.members:
            if _WITH_FORMULAS.search(f"/{member.name}") and member.name != sheet.part:
                where = next((s.name for s in parts.sheets if s.part == member.name), member.name)
                for text in _short(named.findall(package.read(member.name)), stretch):
                    told[_line(where, f"{sheet.name}!{text}", table)] = None
        for formula in chain.from_iterable(map(_FORMULA.findall, edit.left_over())):
            for text in _short([*_HERE.findall(formula), *named.findall(formula)], stretch):
                told[_line(sheet.name, text, table)] = None
    return list(told)


def _line(where: str, what: str, table: TablePart) -> str:
    return (
        f"{where} refers to {what}, which does not follow table {table.name}: "
        "name the table's column there"
    )


def _mentions(sheet: str) -> re.Pattern[bytes]:
    quoted = "'" + sheet.replace("'", "''") + "'"
    forms = {escape(form, {"'": mark}) for form in (sheet, quoted) for mark in ("'", "&apos;")}
    either = b"|".join(re.escape(form.encode()) for form in sorted(forms))
    return re.compile(rb"(?:" + either + rb")!" + _RANGE)


def _short(ranges: Sequence[bytes], stretch: Stretch) -> Iterator[str]:
    for found in ranges:
        area = area_of(found.decode())
        if (
            area is not None
            and stretch.left <= area.left
            and area.right <= stretch.right
            and area.top <= stretch.top
            and stretch.old <= area.bottom < stretch.new
        ):
            yield found.decode()
