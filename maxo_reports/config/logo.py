"""Reads a logo so that nothing but a picture gets into a statement.

A PNG is walked chunk by chunk, an SVG element by element. Nothing is decoded here, and nothing
that a picture names is fetched: one that names anything outside itself is refused.
"""

from __future__ import annotations

import hashlib
import re
import stat
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

from maxo_reports.core.brand import Logo

LARGEST = 512 * 1024
"""Bytes of a logo's file."""
MOST_PIXELS, LONGEST_SIDE = 4_000_000, 4_000
MOST_ELEMENTS, DEEPEST = 5_000, 40
_PNG = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_SVG = "{http://www.w3.org/2000/svg}"
_HREFS = frozenset({"href", "{http://www.w3.org/1999/xlink}href"})
_ELEMENTS = frozenset(
    {
        *("svg", "g", "defs", "title", "desc", "symbol", "use", "clipPath", "mask"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
        *("text", "tspan", "linearGradient", "radialGradient", "stop"),
    }
)
_OUTSIDE = re.compile(r"url\(\s*(?!['\"]?#)|@import|expression|javascript:", re.IGNORECASE)


def read(folder: Path, name: str) -> Logo:
    """Read a logo inside a folder; ValueError says what is wrong with it, to follow its name."""
    try:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder.resolve())
        regular = inside and stat.S_ISREG(path.stat().st_mode)
        content = _read(path) if regular else b""
    except OSError as problem:
        raise ValueError(f"cannot be read: {problem.strerror}") from None
    if not inside:
        raise ValueError("is not inside the workspace")
    if not regular:
        raise ValueError("is not a file")
    if len(content) > LARGEST:
        raise ValueError(f"is larger than {LARGEST // 1024} KB")
    kind = path.suffix.lower()
    if kind == ".png":
        _check_png(content)
        return Logo(content, "image/png", hashlib.sha256(content).hexdigest())
    if kind == ".svg":
        _check_svg(content)
        return Logo(content, "image/svg+xml", hashlib.sha256(content).hexdigest())
    raise ValueError("must be a .png or .svg")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _check_png(content: bytes) -> None:
    """Walk the chunks: the size first, every checksum right, and an end."""
    if not content.startswith(_PNG):
        raise ValueError("is not a PNG")
    at, first, last = len(_PNG), b"", b""
    while at + _CHUNK.size <= len(content) and last != b"IEND":
        size, last = _CHUNK.unpack_from(content, at)
        begin, end = at + _CHUNK.size, at + _CHUNK.size + size
        said = content[end : end + 4]
        if len(said) < 4 or zlib.crc32(last + content[begin:end]) != int.from_bytes(said):
            raise ValueError("is a damaged PNG")
        if not first:
            first = last
            _check_size(content[begin:end] if first == b"IHDR" else b"")
        at = end + 4
    if last != b"IEND":
        raise ValueError("is a damaged PNG")


def _check_size(header: bytes) -> None:
    if len(header) < 13:
        raise ValueError("is a damaged PNG")
    width, height = struct.unpack_from(">II", header)
    if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
        raise ValueError(f"is {width} by {height} pixels; {LONGEST_SIDE} a side is the most")
    if width * height > MOST_PIXELS:
        raise ValueError(f"has {width * height:,} pixels; {MOST_PIXELS:,} is the most")


def _check_svg(content: bytes) -> None:
    """Walk the elements: shapes and words only, and nothing that names what is outside."""
    try:
        text = content.decode("utf-8-sig")
        if "<!" in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL):
            raise ValueError("declares entities or a type, which a logo does not need")
        root = ET.fromstring(text)  # noqa: S314 - without declarations nothing expands
    except UnicodeDecodeError:
        raise ValueError("is not an SVG in UTF-8") from None
    except ET.ParseError as problem:
        raise ValueError(f"is not a well-formed SVG: {problem}") from None
    if root.tag != f"{_SVG}svg":
        raise ValueError("is not an SVG")
    if not (root.get("viewBox") or (root.get("width") and root.get("height"))):
        raise ValueError("has neither a viewBox nor a width and height")
    level, depth, count = [root], 0, 0
    while level:
        depth, count = depth + 1, count + len(level)
        if depth > DEEPEST or count > MOST_ELEMENTS:
            raise ValueError("has too many elements for a logo")
        for element in level:
            _check_element(element)
        level = [child for element in level for child in element]


def _check_element(element: ET.Element) -> None:
    name = element.tag.removeprefix(_SVG)
    if name not in _ELEMENTS:
        said = name.rpartition("}")[2]
        raise ValueError(f"holds the element <{said}>; a logo is of plain shapes and text")
    for key, value in element.attrib.items():
        if key.lower().startswith("on"):
            raise ValueError(f"holds a script in {key}")
        if _OUTSIDE.search(value) or (key in _HREFS and not value.startswith("#")):
            raise ValueError(f"names something outside itself in {key.rpartition('}')[2]}")
