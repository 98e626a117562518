"""Looks for figures in a file as somebody would who wants to find them: in every part, unpacked.

A workbook is unpacked part by part, a PDF stream by stream, and read by two programs besides.
Figures are looked for in every spelling that a program could have for them, also as bytes.
"""

from __future__ import annotations

import base64
import email
import email.policy
import io
import re
import struct
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pypdfium2

_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f\s]{8,})>")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def spellings(figure: Decimal) -> set[bytes]:
    """Return a figure as text and as bytes, in every way that it may be written."""
    figure = abs(figure)
    texts = {f"{figure:f}", f"{figure.normalize():f}", f"{figure:,f}", f"{figure.normalize():,f}"}
    for places in range(2, 7):
        rounded = figure.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        texts |= {f"{rounded:f}", f"{rounded:,f}", f"{rounded:f}".replace(".", ",")}
        cut = figure.quantize(Decimal(1).scaleb(-places), "ROUND_DOWN")
        texts |= {f"{cut:f}", f"{cut:,f}"}
        texts.add(str(int(figure.scaleb(places))))  # cents, micro-dollars and between
    texts.add(repr(float(figure)))
    encoded = {text.encode(code) for text in texts for code in ("ascii", "utf-16-be", "utf-16-le")}
    micros = int(figure.scaleb(6))
    as_bytes = {struct.pack(form, float(figure)) for form in ("<d", ">d")}
    as_bytes |= {struct.pack(form, micros) for form in ("<q", ">q")}
    return encoded | as_bytes


def texts(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything in a file that may say something, each with its place."""
    content = path.read_bytes()
    yield path.name, path.name.encode()
    yield from _unpacked(path.name, content)
    if path.suffix == ".pdf":
        yield from _read(path)
    if path.suffix == ".eml":
        yield from _of_letter(path.name, content)


def _unpacked(place: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield place, content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            yield f"{place}: comment", package.comment
            for entry in package.infolist():
                yield f"{place}: {entry.filename}", entry.filename.encode() + entry.extra
                yield from _unpacked(f"{place}: {entry.filename}", package.read(entry))
    if content.startswith(b"%PDF"):
        for number, match in enumerate(_STREAM.finditer(content)):
            for stream in _inflated(match[1]):
                yield f"{place}: stream {number}", stream
                for string in _HEX.findall(stream):
                    digits = b"".join(string.split())
                    yield (
                        f"{place}: string",
                        bytes.fromhex(digits.decode().ljust(len(digits) + len(digits) % 2, "0")),
                    )
    for match in _BASE64.finditer(content):
        text = match[0].rstrip(b"=")
        yield f"{place}: base64", base64.b64decode(text[: len(text) // 4 * 4])


def _of_letter(place: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield every header and part of a letter, and what is attached as a reader would have it."""
    letter = email.message_from_bytes(content, policy=email.policy.default)
    for part in letter.walk():
        for name, value in part.items():
            yield f"{place}: {name}", f"{name}: {value}".encode()
        inner = part.get_payload(decode=True)
        if isinstance(inner, bytes):
            yield from _unpacked(f"{place}: {part.get_content_type()}", inner)
            if part.get_content_type() == "application/pdf":
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "attached.pdf"
                    path.write_bytes(inner)
                    yield from _read(path)


def _inflated(stream: bytes) -> Iterator[bytes]:
    yield stream
    try:
        yield zlib.decompressobj().decompress(stream)
    except zlib.error:
        return


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    for words in (["pdftotext", "-layout"], ["pdftotext", "-raw"]):
        done = subprocess.run([*words, str(path), "-"], check=True, capture_output=True)
        yield f"{path.name}: {' '.join(words)}", done.stdout
    for words in (["pdfinfo"], ["pdfinfo", "-meta"], ["pdfdetach", "-list"]):
        done = subprocess.run([*words, str(path)], check=True, capture_output=True)
        yield f"{path.name}: {' '.join(words)}", done.stdout
    document = pypdfium2.PdfDocument(path)
    for page in document:
        yield f"{path.name}: page", page.get_textpage().get_text_bounded().encode()
    yield f"{path.name}: metadata", repr(document.get_metadata_dict()).encode()
    document.close()


def found(files: Iterable[Path], figures: Iterable[Decimal]) -> dict[Decimal, set[str]]:
    """Return which figures some files hold, and where."""
    places: dict[bytes, str] = {}
    for path in files:
        for place, text in texts(path):
            places.setdefault(text, place)
    # Everything is looked through in one go, and place by place only where something is found.
    together = b"\0\0\0\0\0\0\0\0\0".join(places)
    seen: dict[Decimal, set[str]] = {}
    for figure in figures:
        for way in spellings(figure):
            if way in together:
                where = {place for text, place in places.items() if way in text}
                seen.setdefault(figure, set()).update(where)
    return seen


def holds(files: Iterable[Path], word: str) -> set[str]:
    """Return the places in which some files hold a word."""
    ways = [word.encode(code) for code in ("utf-8", "utf-16-be", "utf-16-le")]
    return {place for path in files for place, text in texts(path) if any(w in text for w in ways)}
