"""The statement as a letter: no word clipped or overprinted, the right sender and window."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from test_render_pdf import inside, made, own, using, words

from maxo_reports.core.brand import NO_BRAND, Brand, EnvelopeWindow, Logo, Recipient
from maxo_reports.core.checks import Finding, State
from maxo_reports.core.report import Report, SectionSpec
from maxo_reports.render import glyphs, pdf, xlsx
from maxo_reports.tieout import tie_out
from reports import STYLE, made_up_calls, month, october, statement, with_sections

MM = 72 / 25.4
EDGES = ("xMin", "yMin", "xMax", "yMax")
LOGO = Logo(
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 60"><rect width="60" height="60"'
    b' rx="12" fill="#7a1f5c"/><text x="72" y="40" font-size="28">Harbour</text></svg>',
    "image/svg+xml",
    "of the bytes",
)
HARBOUR = Brand(
    "Harbour Voice Pty Ltd",
    ("Level 3, 10 Example Street", "NEWCASTLE NSW 2300"),
    "51824753556",
    "02 5550 0100",
    "accounts@harbourvoice.example",
    "harbourvoice.example",
    "#7a1f5c",
    LOGO,
)
DENTAL = Recipient(
    "Wattle Lane Dental",
    ("Attn: Practice Manager", "Suite 4, The Long Arcade", "12 Wattle Lane", "ULTIMO NSW 2007"),
)
TROUBLED = State("provisional", ("pulled less than 48 hours after the period's end",))
FINDINGS = (
    Finding("cost-unreadable", "error", "call 8f0c-91aa", "the cost cannot be read", 1),
    Finding("credit", "info", "call 1234", "a negative cost: a credit", 1, Decimal("-4.5")),
)
SEPTEMBER = made_up_calls(400, month("2026-09"))
MANY = [f"02555{n:05}" for n in range(160)]


def millions() -> Report:
    """Build a month of a carrier's size: its figures need all the room that there is."""
    calls = made_up_calls(300, month())
    grown = [
        call._replace(
            totals=call.totals.__class__(
                *(n * 90_000 for n in (1, call.totals.connected, call.totals.charged)),
                call.totals.seconds * 9_000,
                call.totals.cost * 9_000,
            )
        )
        for call in calls
    ]
    return statement(grown, cost_gst="exclusive", before=grown)


MONTHS = {
    "short": lambda: statement(made_up_calls(25, month()), before=SEPTEMBER),
    "long": lambda: statement(made_up_calls(3_000, month(), MANY), before=SEPTEMBER),
    "empty": lambda: statement([]),
    "provisional": lambda: october(state=TROUBLED, findings=FINDINGS),
    "reseller": lambda: october(
        cost_gst="inclusive", brand=HARBOUR, recipient=DENTAL, before=SEPTEMBER
    ),
    "millions": millions,
}


@dataclass(frozen=True)
class Box:
    """A word of a page, in points from its upper left."""

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


def boxes(path: Path) -> list[Box]:
    """Read where poppler sees each word."""
    done = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, check=True)
    tree = ET.fromstring(done.stdout)
    xhtml = "{http://www.w3.org/1999/xhtml}"
    return [
        Box(
            number,
            word.text or "",
            *(float(word.get(e)) for e in ("xMin", "yMin", "xMax", "yMax")),
        )
        for number, page in enumerate(tree.iter(f"{xhtml}page"), 1)
        for word in page.iter(f"{xhtml}word")
    ]


def overprinted(found: list[Box]) -> Iterator[tuple[str, str]]:
    """Yield pairs of words that stand on each other."""
    for at, one in enumerate(found):
        for other in found[at + 1 :]:
            if one.page != other.page:
                break
            across = min(one.right, other.right) - max(one.left, other.left)
            down = min(one.bottom, other.bottom) - max(one.top, other.top)
            # A box is as high as the font: lines that stand close share a little of it.
            lower = min(one.bottom - one.top, other.bottom - other.top)
            if across > 0.6 and down > 0.4 * lower:
                yield one.text, other.text


poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")


@poppler
@pytest.mark.parametrize("name", MONTHS)
def test_no_word_is_clipped_or_overprinted(name: str, tmp_path: Path) -> None:
    """Every word stands inside the margins of its sheet, and none on another."""
    report = MONTHS[name]()
    path = made(report, tmp_path, STYLE.branded(report.heading.brand))
    found = boxes(path)
    assert len(found) > 100
    for box in found:
        assert box.left >= 18 * MM - 1, box
        assert box.right <= (210 - 18) * MM + 1, box
        assert 16 * MM - 3 <= box.top < box.bottom <= (297 - 8) * MM, box
    assert list(overprinted(found)) == []
    assert tie_out("pdf", path, report).figures > 0


def test_overprinted_words_would_be_seen() -> None:
    """The proof is one: two words at one place are told, two lines are not."""
    first = Box(1, "a", 10, 10, 30, 20)
    assert list(overprinted([first, Box(1, "b", 25, 12, 40, 22)])) == [("a", "b")]
    assert list(overprinted([first, Box(1, "b", 10, 19, 30, 29)])) == []
    assert list(overprinted([first, Box(2, "b", 10, 10, 30, 20)])) == []


@poppler
@pytest.mark.parametrize("window", [EnvelopeWindow(), EnvelopeWindow(22, 15, 90, 45)])
def test_the_recipient_and_nothing_else_shows_in_the_window(
    window: EnvelopeWindow, tmp_path: Path
) -> None:
    """Wherever the sheet has slid to: all of the address, and not a word of anything else."""
    brand = Brand(**{**vars_of(HARBOUR), "window": window})
    found = [
        box
        for box in boxes(made(october(brand=brand, recipient=DENTAL), tmp_path))
        if box.page == 1
    ]
    address = " ".join((DENTAL.name, *DENTAL.address)).split()
    upper = 110 - window.bottom - window.height
    for across in (0, 5, 10):
        for down in (0, 5, 11):
            left, top = window.left - across, upper - down
            seen = [
                box.text
                for box in found
                if box.right > left * MM
                and box.left < (left + window.width) * MM
                and box.bottom > top * MM
                and box.top < (top + window.height) * MM
                and not box.text.startswith("Harbour")  # the letters of a logo above
            ]
            assert seen == address, (across, down)


def vars_of(brand: Brand) -> dict[str, object]:
    """Return a brand's fields."""
    return {name: getattr(brand, name) for name in Brand.__dataclass_fields__}


def test_a_resellers_statement_names_the_reseller_alone(tmp_path: Path) -> None:
    """Neither the carrier nor this program: not in its text, its facts, or its bytes."""
    report = MONTHS["reseller"]()
    style = STYLE.branded(HARBOUR)
    path = made(report, tmp_path, style)
    text = words(path)
    for said in (
        *(HARBOUR.name, *HARBOUR.address, "ABN 51 824 753 556", HARBOUR.phone, HARBOUR.email),
        *(HARBOUR.web, *DENTAL.address, "WATTLE-LANE-202610-1", "Not a tax invoice"),
    ):
        assert said in text
    assert b"maxo" not in inside(path).lower()
    assert HARBOUR.colour in pdf.page(report, style)
    assert STYLE.theme.brand not in pdf.page(report, style)
    cover = SectionSpec("summary", "Summary", "Summary", ("xlsx",), show=("calls", "cost"))
    booked = october(brand=HARBOUR, definition=with_sections(cover))
    xlsx.render(booked, style, tmp_path / "book.xlsx")
    with zipfile.ZipFile(tmp_path / "book.xlsx") as package:
        assert b"<dc:creator>Harbour Voice Pty Ltd<" in package.read("docProps/core.xml")
        assert b"7A1F5C" in package.read("xl/styles.xml").upper()


def test_without_a_brand_nobody_is_named(tmp_path: Path) -> None:
    """The default has no sender at all, and the account's name as the recipient."""
    html = pdf.page(october(), STYLE)
    assert 'class="sender"' not in html
    assert "<img" not in html
    assert re.search(r'class="recipient">\s*<p><b>Wattle Lane Dental</b>', html)
    assert "axoTel" not in words(made(october(), tmp_path))


def test_a_logo_is_drawn_and_is_all_that_its_address_gives(tmp_path: Path) -> None:
    """Other addresses of that kind are refused, and so is the logo's own where there is none."""
    with_logo = made(october(brand=HARBOUR), tmp_path).read_bytes()
    bare = Brand(**{**vars_of(HARBOUR), "logo": None})
    assert made(october(brand=bare), tmp_path).read_bytes() != with_logo
    template = '<html lang="en"><title>t</title><img alt="x" src="brand:other">'
    style = own(tmp_path, mine=template)
    with pytest.raises(Exception, match="brand:other"):
        made(using("mine.html", brand=HARBOUR), tmp_path, style)
    style = own(tmp_path, mine=template.replace("other", "logo"))
    with pytest.raises(Exception, match="brand:logo"):
        made(using("mine.html"), tmp_path, style)


def test_the_total_to_the_cent_is_the_clear_one(tmp_path: Path) -> None:
    """Rounded once, with what it was before beside it; an even total says nothing of rounding."""
    report = MONTHS["reseller"]()
    text = words(made(report, tmp_path))
    assert f"Total cost, October 2026 ${report.payable:,.2f} " in text
    assert f"Exactly ${report.totals.cost} before it is rounded, once, to the cent." in text
    assert "Exactly" not in words(made(statement([]), tmp_path))


def test_the_month_before_stands_beside_it(tmp_path: Path) -> None:
    """With the change; where the archive has none, the statement says why and shows no figure."""
    text = words(made(statement(made_up_calls(25, month()), before=SEPTEMBER), tmp_path))
    assert re.search(r"September 2026 400 \d+ \d+ [\d:]+ [\d.]+", text)
    assert re.search(r"October 2026 25 \d+ \d+ [\d:]+ [\d.]+ \u2212[\d.]+", text)


def test_what_a_reader_must_know_stands_on_the_first_page(tmp_path: Path) -> None:
    """Errors and warnings; what is merely worth knowing stands with the others at the end."""
    html = pdf.page(MONTHS["provisional"](), STYLE)
    notice = html.partition("What you should know")[2].partition("</ul>")[0]
    assert "the cost cannot be read" in notice
    assert "a credit" not in notice


def test_letters_that_no_font_has_are_a_finding(tmp_path: Path) -> None:
    """Named by number with the file and what helps; with a font that has them there is none."""
    report = statement([], account_name="\u4e2d\u6587 caf\u00e9 \u2714")
    (found,) = pdf.render(report, STYLE, tmp_path / "odd.pdf")
    assert (found.code, found.severity, found.where) == (glyphs.MISSING, "warning", "odd.pdf")
    assert "3 characters, shown by number: U+2714, U+4E2D, U+6587" in found.message
    assert "templates/fonts" in found.message
    assert pdf.render(october(), STYLE, tmp_path / "right.pdf") == ()
    assert tie_out("pdf", tmp_path / "odd.pdf", report).figures > 0


def test_a_users_font_draws_what_ours_cannot(tmp_path: Path) -> None:
    """It is found in templates/fonts of the workspace, and used for those letters alone."""
    from fontTools.ttLib import TTFont

    fonts = tmp_path / "fonts"
    fonts.mkdir()
    with TTFont(STYLE.folders[-1] / "fonts" / "Inter-Regular.ttf") as font:
        for table in font["cmap"].tables:
            if table.isUnicode():
                table.cmap[0x4E2D] = table.cmap[ord("M")]
        for record in font["name"].names:
            if record.nameID in {1, 3, 4, 6, 16}:
                record.string = "Mine"
        font.save(fonts / "mine.ttf")
    style = own(tmp_path)
    report = statement([], account_name="\u4e2d")
    assert pdf.render(report, style, tmp_path / "mine.pdf") == ()
    assert b"Mine" in inside(tmp_path / "mine.pdf")
    assert "\u4e2d" in words(tmp_path / "mine.pdf")


def test_the_statement_number_is_of_account_period_and_revision() -> None:
    """A calendar month is six digits, any other period its first and last day."""
    assert october().heading.number == "WATTLE-LANE-202610-1"
    odd = statement([], period=month("2026-07-15..2026-08-15"))
    assert odd.heading.number == "WATTLE-LANE-20260715-20260814-1"
    assert NO_BRAND.name == ""
