"""The quick way to paint a long list of calls: words put straight into the PDF.

WeasyPrint sets the document with one page for the list that has everything but rows, the
**frame**, and a last page with every letter that the rows need, in both weights. From the latter
it embeds the glyphs; it is then left out. For each page of the list, a copy of the frame gets the
page's rows as text in those same fonts. So a call costs microseconds, and looks as in a table.

What is relied on inside WeasyPrint and pydyf (where boxes stand, how fonts are kept, the list of
pages) is checked on the way. Whatever is not as expected means that no file is made, and says so.
"""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from maxo_reports.core.theme import Theme
from maxo_reports.render import RendererUnavailable
from maxo_reports.render.pdf import listing
from maxo_reports.render.pdf.columns import SIZE, Memo
from maxo_reports.render.pdf.letters import EM, Face
from maxo_reports.render.pdf.listing import Listing, Row

PLAIN, STRONG = 400, 600
"""The weights of the type in lists, as CSS has them."""
_POINT = 0.75
"""A CSS pixel in points."""
_PAGE_NUMBER = re.compile(r"Page [0-9]+ of [0-9]+")
_TROUBLE = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, AssertionError)
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Long:
    """A long list, how many pages it takes, and every letter in it."""

    listed: Listing
    pages: int
    letters: frozenset[str]


def counted(listed: Listing) -> Long:
    """Count the pages of a list, and gather its letters."""
    letters = set("Page of 0123456789")
    pages = 0
    for pages, leaf in enumerate(listed.leaves(), 1):  # noqa: B007 - the last number is wanted
        for row in listed.rows(leaf):
            for piece in row.pieces:
                for line in piece.lines:
                    letters.update(line)
    return Long(listed, pages, frozenset(letters))


def primer(long: Sequence[Long]) -> str:
    """Return the last page's HTML: every letter, in the very type of the rows."""
    letters = "".join(sorted(frozenset().union(*(each.letters for each in long))))
    look = (
        "font: {weight} 7pt Inter; font-variant-numeric: tabular-nums; font-kerning: none; "
        "font-variant-ligatures: none; font-feature-settings: 'calt' 0, 'ccmp' 0; "
        "white-space: pre-wrap; overflow-wrap: anywhere"
    )
    return (
        '<section style="break-before: page">'
        + "".join(
            f'<p style="{look.format(weight=weight)}">{html.escape(letters)}</p>'
            for weight in (PLAIN, STRONG)
        )
        + "</section>"
    )


@dataclass(frozen=True, slots=True)
class _Folio:
    """The number of a page: where it stands, how it is aligned, its size, weight and colour."""

    left: float
    wide: float
    baseline: float
    side: str
    size: float
    weight: int
    colour: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """The page that stands for a list: its place in the document, and the grid's corner."""

    place: int
    left: float
    top: float
    height: float
    folio: _Folio | None


Told = Callable[[int, int], None]
"""Hears how many pages of how many are painted."""


class Painter:
    """Paints the pages of the long lists of one document, when WeasyPrint has set the rest."""

    def __init__(self, document: Any, long: Sequence[Long], theme: Theme, told: Told) -> None:
        self._long, self._theme, self._told = long, theme, told
        self.total = len(document.pages) - 1 + sum(each.pages - 1 for each in long)
        self._painted = 0
        with _no_file():
            self._frames = [_frame(document, each.listed.name) for each in long]

    def finish(self, document: Any, pdf: Any) -> None:
        """Put the pages in: WeasyPrint calls this just before it writes the file."""
        with _no_file():
            fonts = [self._font(document, weight) for weight in (PLAIN, STRONG)]
            kids = pdf.pages["Kids"]
            pages = [kids[at : at + 3] for at in range(0, len(kids), 3)]
            assert len(pages) == len(document.pages), "every page is one entry"
            kept = []
            before = 0
            frames = {f.place: (f, e) for f, e in zip(self._frames, self._long, strict=True)}
            for place, page in enumerate(pages[:-1]):
                if place in frames:
                    frame, long = frames[place]
                    made = list(self._pages(pdf, pdf.objects[page[0]], frame, long, fonts, before))
                    kept += made
                    before += len(made)
                else:
                    kept.append(page)
                    before += 1
            assert before == self.total, "as many pages as are said on each"
            pdf.pages["Kids"][:] = [part for page in kept for part in page]
            pdf.pages["Count"] = len(kept)

    def _font(self, document: Any, weight: int) -> str:
        """Return the name of an embedded font, after a look whether it has all that is needed."""
        found = [
            font
            for font in document.fonts.values()
            if font.family == "Inter" and font.weight == weight and not font.style
        ]
        assert found, f"Inter {weight} is embedded"
        mapped: dict[int, str] = {}
        for font in found:
            mapped |= font.to_unicode
        for each in self._long:
            face = each.listed.faces[weight == STRONG]
            for letter in each.letters:
                assert mapped.get(face.glyphs[letter]) == letter, f"{letter!r} is embedded"
        return f"/{found[0].hash}"

    def _pages(
        self, pdf: Any, first: Any, frame: _Frame, long: Long, fonts: Sequence[str], before: int
    ) -> Iterator[list[Any]]:
        """Yield the entries of a list's pages; the frame's own page becomes the first."""
        from pydyf import Array, Dictionary, Stream  # noqa: PLC0415 - WeasyPrint's, loaded by it

        below = Stream([b"q"])
        pdf.add_object(below)
        drawn = first["Contents"]
        brush = _Brush(long.listed, frame, fonts, self._theme)
        count = 0
        for count, leaf in enumerate(long.listed.leaves(), 1):
            words = brush.page(long.listed.rows(leaf))
            if frame.folio is not None:
                words += brush.folio(frame.folio, f"Page {before + count} of {self.total}")
            body = zlib.compress(("Q\nq\n" + words + "Q").encode("ascii"), _LEVEL)
            stream = Stream([body], {"Filter": "/FlateDecode"})
            pdf.add_object(stream)
            page = first if count == 1 else Dictionary(first)
            page["Contents"] = Array([below.reference, drawn, stream.reference])
            if count > 1:
                pdf.add_object(page)
            self._painted += 1
            self._told(self._painted, sum(each.pages for each in self._long))
            yield [page.number, 0, "R"]
        assert count == long.pages, "as many pages as were counted"


class _Brush:
    """Writes rows as a PDF's operators: rules first, then words by weight and colour."""

    def __init__(self, listed: Listing, frame: _Frame, fonts: Sequence[str], theme: Theme) -> None:
        self._fonts, self._frame, self._listed = fonts, frame, listed
        self._lefts = [frame.left + box.left for box in listed.boxes]
        self._rights = [
            frame.left + box.left + box.width if box.is_right else None for box in listed.boxes
        ]
        self._wide = listing.ROOM[0]
        self._ink, self._muted = _colour(theme.ink), _colour(theme.muted)
        self._rules = {"fine": _colour(theme.line), "strong": self._ink}
        # What repeats, as most texts do, is worked out once.
        self._drawn = [Memo(face.drawn) for face in listed.faces]
        self._widths = [Memo(_width_of(face)) for face in listed.faces]

    def page(self, rows: Iterator[Row]) -> str:
        """Write the rows of a page."""
        words: dict[tuple[bool, bool], list[str]] = {}
        rules: dict[str, list[str]] = {}
        frame = self._frame
        for row in rows:
            self._words(row, words.setdefault((row.is_bold, row.is_pale), []))
            if row.rule:
                foot = frame.height - frame.top - (row.top + row.lines) * listing.LINE
                rules.setdefault(row.rule, []).append(
                    f"{frame.left:.3f} {foot:.3f} {self._wide:.3f} {listing.RULE} re\n"
                )
        parts = [f"{self._rules[rule]} rg\n{''.join(each)}f\n" for rule, each in rules.items()]
        for (bold, pale), each in words.items():
            colour = self._muted if pale else self._ink
            head = f"BT\n{self._fonts[bold]} {SIZE} Tf\n{colour} rg\n"
            parts.append(f"{head}{''.join(each)}ET\n")
        return "".join(parts)

    def _words(self, row: Row, words: list[str]) -> None:
        pitch = listing.LINE - listing.RULE
        face = self._listed.faces[row.is_bold]
        drawn, widths = self._drawn[row.is_bold], self._widths[row.is_bold]
        frame = self._frame
        first = frame.height - frame.top - row.top * listing.LINE - face.baseline(SIZE, pitch)
        for piece in row.pieces:
            right = self._rights[piece.first] if piece.until == piece.first + 1 else None
            for at, line in enumerate(piece.lines):
                if line:
                    x = self._lefts[piece.first] if right is None else right - widths[line]
                    y = first - at * pitch
                    words.append(f"1 0 0 1 {x:.3f} {y:.3f} Tm\n<{drawn[line]}> Tj\n")

    def folio(self, folio: _Folio, text: str) -> str:
        """Write the number of a page."""
        bold = folio.weight >= STRONG
        spare = folio.wide - self._listed.faces[bold].width(text) * folio.size / EM
        share = {"right": 1.0, "end": 1.0, "center": 0.5}.get(folio.side, 0.0)
        x, y = folio.left + spare * share, self._frame.height - folio.baseline
        return (
            f"BT\n{self._fonts[bold]} {folio.size:.3f} Tf\n{folio.colour} rg\n"
            f"1 0 0 1 {x:.3f} {y:.3f} Tm\n<{self._drawn[bold][text]}> Tj\nET\n"
        )


def _width_of(face: Face) -> Callable[[str], float]:
    return lambda text: face.width(text) * SIZE / EM


def _colour(code: str) -> str:
    """Write ``#rrggbb`` as three shares of one."""
    return " ".join(f"{int(code[at : at + 2], 16) / 255:.4f}" for at in (1, 3, 5))


def _frame(document: Any, name: str) -> _Frame:
    """Find the page that a list's table stands on alone, and take the page's number off it."""
    for place, page in enumerate(document.pages):
        corner = folio = None
        for box in page._page_box.descendants():  # noqa: SLF001 - there is no other way in
            attributes = getattr(getattr(box, "element", None), "attrib", None)
            if attributes is not None and attributes.get("id") == name:
                corner = box  # the table itself comes after the box that wraps it
            text = getattr(box, "text", None)
            if isinstance(text, str) and _PAGE_NUMBER.fullmatch(text.strip()):
                folio = box
        if corner is not None:
            found = None if folio is None else _folio(folio)
            if folio is not None:
                folio.text = ""
            return _Frame(
                place,
                corner.position_x * _POINT,
                (corner.position_y + corner.height) * _POINT,
                page.height * _POINT,
                found,
            )
    raise LookupError(f"no page has a table with the id {name!r}")


def _folio(box: Any) -> _Folio:
    style = box.style
    red, green, blue = style["color"].to("srgb").coordinates
    return _Folio(
        box.position_x * _POINT,
        box.width * _POINT,
        (box.position_y + box.baseline) * _POINT,
        style["text_align_all"],
        style["font_size"] * _POINT,
        int(style["font_weight"]),
        f"{red:.4f} {green:.4f} {blue:.4f}",
    )


@contextmanager
def _no_file() -> Iterator[None]:
    """Turn what is not as expected into a file that is not made, with the reason."""
    try:
        yield
    except _TROUBLE as error:
        reason = f"{type(error).__name__}: {error}"
        raise RendererUnavailable(
            f"the long list of calls cannot be painted with this version of WeasyPrint ({reason})"
        ) from error
