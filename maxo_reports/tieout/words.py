"""The words of a PDF and where they stand, as another program reads them.

Poppler's ``pdftotext`` is used where it is installed, else PDFium, which is a package. Both
give words with their boxes; words at the same height on a page make a line.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import cast
from xml.etree import ElementTree as ET

import pypdfium2

from maxo_reports.errors import TieOutError

POPPLER, PDFIUM = "poppler", "PDFium"
_SECONDS = 600
_CHUNK = 1 << 16
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r"))
_XHTML = "{http://www.w3.org/1999/xhtml}"


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box on the page, in points from the top left."""

    text: str
    left: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Line:
    """The words that stand at one height of a page, from left to right."""

    page: int
    words: tuple[str, ...]


def lines(path: Path) -> tuple[str, list[Line]]:
    """Return the reader's name and the file's lines, from the first page's top to the end."""
    reader, found = pages(path)
    return reader, [line for page in found for line in page]


def pages(path: Path) -> tuple[str, Iterator[list[Line]]]:
    """Return the reader's name and each page's lines, in the memory of one page."""
    poppler = shutil.which("pdftotext")
    found = _by_poppler(poppler, path) if poppler else _by_pdfium(path)
    return POPPLER if poppler else PDFIUM, _lined(found, path)


def _lined(found: Iterator[list[Word]], path: Path) -> Iterator[list[Line]]:
    try:
        for number, page in enumerate(found, 1):
            yield [Line(number, words) for words in _in_lines(page)]
    except (pypdfium2.PdfiumError, ET.ParseError, OSError, subprocess.SubprocessError):
        raise TieOutError(f"{path.name} cannot be read by another program") from None


def _by_poppler(program: str, path: Path) -> Iterator[list[Word]]:
    command = [program, "-bbox", "-enc", "UTF-8", str(path), "-"]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as running,  # noqa: S603
    ):
        assert running.stdout is not None, "it was asked for"
        # It waits for its reader, so its time is limited from outside.
        limit = threading.Timer(_SECONDS, running.kill)
        limit.start()
        try:
            yield from _boxes(iter(lambda: running.stdout.read(_CHUNK), b""))  # type: ignore[union-attr]
        finally:
            limit.cancel()
            if sys.exc_info()[0] is not None:
                running.kill()
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, program)


def _boxes(chunks: Iterator[bytes]) -> Iterator[list[Word]]:
    """Yield the words of each page out of poppler's XHTML, forgetting what was read."""
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(["end"])
    words: list[Word] = []
    for chunk in chain(chunks, [b""]):
        if chunk:
            parser.feed(_legal(chunk))
        else:
            parser.close()
        for _, element in cast("Iterator[tuple[str, ET.Element]]", parser.read_events()):
            if element.tag == f"{_XHTML}word":
                edges = (float(element.attrib[edge]) for edge in ("xMin", "yMin", "yMax"))
                words.append(Word(element.text or "", *edges))
            elif element.tag == f"{_XHTML}page":
                yield words
                words = []
            else:
                continue
            element.clear()


def _legal(xml: bytes) -> bytes:
    """Leave out control characters, which poppler writes and XML does not allow."""
    return xml.translate(None, _CONTROLS)


def _by_pdfium(path: Path) -> Iterator[list[Word]]:
    document = pypdfium2.PdfDocument(path)
    try:
        for page in document:
            text = page.get_textpage()
            height = page.get_height()
            runs = [text.get_rect(at) for at in range(text.count_rects())]
            # A run is as much text as stands together: a cell, or one line of it.
            yield [
                Word(word, left + at / 1000, height - top, height - bottom)
                for left, bottom, right, top in runs
                for at, word in enumerate(text.get_text_bounded(left, bottom, right, top).split())
            ]
            text.close()
            page.close()
    finally:
        document.close()


def _in_lines(words: list[Word]) -> Iterator[tuple[str, ...]]:
    """Gather the words of one page whose boxes lie at one height."""
    line: list[Word] = []
    for word in sorted(words, key=lambda w: (w.top + w.bottom, w.left)):
        # The tallest word of a line speaks for it: an accent or a dash has hardly any height.
        if line and not _level(max(line, key=_height), word):
            yield _from_left(line)
            line = []
        line.append(word)
    if line:
        yield _from_left(line)


def _height(word: Word) -> float:
    return word.bottom - word.top


def _level(first: Word, second: Word) -> bool:
    """Tell whether two words overlap by at least half of the lower one's height."""
    shared = min(first.bottom, second.bottom) - max(first.top, second.top)
    return shared >= min(_height(first), _height(second)) / 2


def _from_left(line: list[Word]) -> tuple[str, ...]:
    return tuple(word.text for word in sorted(line, key=lambda w: w.left))


def squashed(*texts: str) -> str:
    """Return the letters and digits alone, since a line break may fall between any two."""
    folded = unicodedata.normalize("NFKD", "".join(texts)).casefold()
    return "".join(c for c in folded if c.isascii() and c.isalnum())
