"""The small parts that go with a changed sheet: table, workbook, pivot caches, calculation chain.

Each is patched at the one place that changes; what stands around it is left as it is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from openpyxl.formula.tokenizer import TokenizerError

from maxo_reports.refresh import formulas
from maxo_reports.refresh.areas import Area, area_of
from maxo_reports.refresh.package import Package
from maxo_reports.refresh.parts import CONTENT_TYPES, Parts
from maxo_reports.refresh.sheet import attribute
from maxo_reports.refresh.tables import Fill

_TAG = rb"<(?:\w+:)?%b\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*>"
_SORT = re.compile(rb"<sortState\b[^>]*?/>|<sortState\b.*?</sortState>", re.DOTALL)
_DEFINED = re.compile(rb"(<(?:\w+:)?definedName\b[^>]*>)([^<]*)(?=</)")
_BEFORE_CALC = re.compile(
    rb"</(\w+:)?(?:sheets|functionGroups|externalReferences|definedNames)>"
    rb"|<(\w+:)?(?:functionGroups|externalReferences|definedNames)\b[^>]*/>"
)


class Marks:
    """Patched parts by their names, and those that are left out."""

    def __init__(self, package: Package, parts: Parts, fills: Sequence[Fill]) -> None:
        self._package, self._parts, self._fills = package, parts, fills
        self.changed: dict[str, bytes] = {}
        self.dropped: set[str] = set()
        self.pivots = 0

    def tables(self) -> None:
        """Give each filled table its new range."""
        for fill in self._fills:
            stretch, part = fill.stretch, self._read(fill.table.part)
            whole = stretch.whole(stretch.after.bottom)
            part = _in_tag(part, b"table", {b"ref": str(whole), b"insertRow": None})
            part = _in_tag(part, b"autoFilter", {b"ref": str(stretch.whole(stretch.new))})
            # The calls come in order of time, whatever order the last ones were put in.
            self._put(fill.table.part, _SORT.sub(b"", part))

    def workbook(self) -> None:
        """Have all formulas worked out on opening; names of a table's cells follow it."""
        name = self._parts.workbook
        part = _DEFINED.sub(self._named, self._read(name))
        if re.search(_TAG % b"calcPr", part):
            part = _in_tag(part, b"calcPr", {b"fullCalcOnLoad": "1"})
        else:
            *_, last = _BEFORE_CALC.finditer(part)
            prefix = last[1] or last[2] or b""
            calc = b'<%bcalcPr fullCalcOnLoad="1"/>' % prefix
            part = part[: last.end()] + calc + part[last.end() :]
        self._put(name, part)

    def _named(self, match: re.Match[bytes]) -> bytes:
        text = "".join(ET.fromstring(b"<n>" + match[2] + b"</n>").itertext())  # noqa: S314 - no DTD
        led = text
        for fill in self._fills:
            try:
                led = formulas.led(led, fill.table.sheet, fill.stretch, named=True)
            except TokenizerError:
                return match[0]
        return match[0] if led == text else match[1] + escape(led).encode()

    def caches(self) -> None:
        """Have pivots over the workbook's own cells refresh on opening."""
        for name in self._parts.caches:
            part = self._read(name)
            tag = re.search(_TAG % b"cacheSource", part)
            source = re.search(_TAG % b"worksheetSource", part)
            is_ours = tag is not None and attribute(tag[0][:-1], b"type") == b"worksheet"
            if not is_ours or (source is not None and b":id=" in source[0]):
                continue  # of another source, or another workbook's: opening it would ask for that
            part = _in_tag(part, b"pivotCacheDefinition", {b"refreshOnLoad": "1"})
            if source is not None:
                area = self._led_source(source[0])
                if area is not None:
                    part = _in_tag(part, b"worksheetSource", {b"ref": str(area)})
            self._put(name, part)
            self.pivots += 1

    def _led_source(self, tag: bytes) -> Area | None:
        sheet = _text(attribute(tag, b"sheet"))
        area = area_of(_text(attribute(tag, b"ref")))
        for fill in self._fills:
            if area is not None and sheet.casefold() == fill.table.sheet.casefold():
                new = fill.stretch.led(area)
                if new != area:
                    return new
        return None

    def chain(self) -> None:
        """Leave out the order of calculation, which is optional: its cells have moved."""
        chain = self._parts.chain
        if chain is None:
            return
        self.dropped.add(chain)
        folder = posixpath.dirname(self._parts.workbook)
        targets = {f"/{chain}", posixpath.relpath(f"/{chain}", f"/{folder}")}
        relations = self._read(self._parts.relations)
        self._put(self._parts.relations, _without(relations, b"Relationship", b"Target", targets))
        types = self._read(CONTENT_TYPES)
        self._put(CONTENT_TYPES, _without(types, b"Override", b"PartName", {f"/{chain}"}))

    def _read(self, name: str) -> bytes:
        part = self.changed.get(name) or self._package.read(name)
        if b"<!" in part or b"\0" in part:
            why = f"its part {name} was written in an unusual way: open it in Excel and save it"
            raise self._package.refused(why)
        return part

    def _put(self, name: str, part: bytes) -> None:
        if part != self._package.read(name):
            self.changed[name] = part


def _in_tag(part: bytes, element: bytes, said: dict[bytes, str | None]) -> bytes:
    """Set attributes of the first element of a name, or take them away."""
    match = re.search(_TAG % element, part)
    if match is None:
        return part
    tag = match[0]
    for name, value in said.items():
        found = re.search(rb"\s" + name + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", tag)
        new = b"" if value is None else b' %b="%b"' % (name, value.encode())
        if found is not None:
            tag = tag[: found.start()] + new + tag[found.end() :]
        elif value is not None:
            end = -2 if tag.endswith(b"/>") else -1
            tag = tag[:end] + new + tag[end:]
    return part[: match.start()] + tag + part[match.end() :]


def _without(part: bytes, element: bytes, name: bytes, values: set[str]) -> bytes:
    """Leave out the empty elements whose attribute is one of some values."""

    def left(match: re.Match[bytes]) -> bytes:
        is_one = _text(attribute(match[0][:-1], name)) in values
        return b"" if is_one else match[0]

    return re.sub(_TAG % element, left, part)


def _text(value: bytes | None) -> str:
    if value is None:
        return ""
    # An attribute is read as any reader would: with its escapes.
    return ET.fromstring(b'<a v="%b"/>' % value.replace(b'"', b"&quot;")).attrib["v"]  # noqa: S314
