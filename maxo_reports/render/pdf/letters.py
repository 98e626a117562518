"""Letters: which ones our type has, how wide each is, and which glyph draws it.

A list of calls is measured with these before it is set, whoever sets it: figures all of one
width, no kerning, no ligature. So a text is as wide as its letters together, on any machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EM = 1000
"""Widths are in thousandths of the type's size, as a PDF has them."""
_SPACE_LIKE = frozenset({"Mn", "Me", "Mc"})
_TABULAR = "tnum"
_ONE_FOR_ONE = 1
"""The kind of lookup that puts one glyph in the place of another."""


@dataclass(frozen=True, slots=True)
class Face:
    """One weight of the type: for each letter its glyph's number and its width."""

    glyphs: Mapping[str, int]
    widths: Mapping[str, int]
    ascent: int
    descent: int

    def width(self, text: str) -> int:
        """Return how wide a text is, in thousandths of the type's size."""
        widths = self.widths
        return sum([widths[letter] for letter in text])

    def drawn(self, text: str) -> str:
        """Return a text as the hexadecimal numbers of its glyphs."""
        glyphs = self.glyphs
        return "".join([f"{glyphs[letter]:04x}" for letter in text])

    def baseline(self, size: float, line: float) -> float:
        """Return how far below the top of a line of text its letters stand, as CSS has it."""
        ascent, descent = self.ascent * size / EM, self.descent * size / EM
        return (line - ascent - descent) / 2 + ascent


def load(path: Path) -> Face:
    """Read a font file: TrueType, with figures of one width among its features."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - slow to load, and for lists alone

    with TTFont(path, lazy=True) as font:
        units = font["head"].unitsPerEm
        tabular = _one_for_one(font, _TABULAR)
        glyphs: dict[str, int] = {}
        widths: dict[str, int] = {}
        for code, name in font.getBestCmap().items():
            letter = chr(code)
            if unicodedata.category(letter) in _SPACE_LIKE:
                continue  # an accent alone must be placed over its letter, which we do not do
            drawn = tabular.get(name, name)
            glyphs[letter] = font.getGlyphID(drawn)
            widths[letter] = round(font["hmtx"][drawn][0] * EM / units)
        line = font["hhea"]
        return Face(
            glyphs, widths, round(line.ascent * EM / units), -round(line.descent * EM / units)
        )


def _one_for_one(font: Any, feature: str) -> dict[str, str]:
    """Return which glyphs a feature of the font puts in the place of which others."""
    if "GSUB" not in font:
        return {}
    table: Any = font["GSUB"].table
    places = {
        at
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == feature
        for at in record.Feature.LookupListIndex
    }
    found: dict[str, str] = {}
    for at in sorted(places):
        for subtable in table.LookupList.Lookup[at].SubTable:
            inner = getattr(subtable, "ExtSubTable", subtable)
            if inner.LookupType == _ONE_FOR_ONE:
                found |= inner.mapping
    return found


def missing(text: str, face: Face) -> set[str]:
    """Return the letters of a text that the type lacks."""
    return set(text).difference(face.glyphs)


def drawable(text: str, face: Face) -> str:
    """Write letters that the type lacks by their number, as unseen ones are."""
    lacking = missing(text, face)
    if not lacking:
        return text
    return "".join(f"\u2039U+{ord(c):04X}\u203a" if c in lacking else c for c in text)
