"""Letters that the fonts have no form for: written out by their number, and told as a finding.

An empty box says nothing to a reader. So what no font of the template folders can draw is shown
as ``U+4E2D`` between single guillemets, like every other character that cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError

from maxo_reports.core.checks import Finding
from maxo_reports.core.text import counted

MISSING = "glyphs-missing"
"""The code of the finding."""
_FONTS = ("*.ttf", "*.otf")
_ASCII = 0x7F
_MOST_TOLD = 8


def font_files(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the fonts of the template folders: the user's own, and ours."""
    for folder in folders:
        for pattern in _FONTS:
            yield from sorted((folder / "fonts").glob(pattern))


def drawable(folders: Sequence[Path]) -> frozenset[int]:
    """Return every character, by its number, that one of the fonts has a form for."""
    known: set[int] = set()
    for path in font_files(folders):
        try:
            with TTFont(path, lazy=True) as font:
                known.update(font.getBestCmap() or ())
        except (TTLibError, OSError, ValueError):
            continue  # a font that cannot be read draws nothing, and doctor's fonts are ours
    return frozenset(known)


def written_out(text: str, folders: Sequence[Path]) -> tuple[str, tuple[str, ...]]:
    """Return a text with what cannot be drawn by its number, and which characters those are."""
    foreign = {letter for letter in text if ord(letter) > _ASCII}
    if not foreign:
        return text, ()
    known = drawable(folders)
    missing = tuple(sorted(c for c in foreign if ord(c) not in known and not c.isspace()))
    return text.translate({ord(c): f"\u2039{_number(c)}\u203a" for c in missing}), missing


def _number(letter: str) -> str:
    return f"U+{ord(letter):04X}"


def findings(missing: Sequence[str], where: str) -> tuple[Finding, ...]:
    """Say which characters a file shows by their number, and what helps."""
    if not missing:
        return ()
    told = ", ".join(map(_number, missing[:_MOST_TOLD]))
    more = f" and {len(missing) - _MOST_TOLD} more" if len(missing) > _MOST_TOLD else ""
    message = (
        f"the fonts lack {counted(len(missing), 'character')}, shown by number: {told}{more}; "
        "put a font that has them into the workspace's templates/fonts"
    )
    return (Finding(MISSING, "warning", where, message),)
