"""Printed lists of calls: painted in two ways that look the same, whole, and to the standards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC
from itertools import groupby
from pathlib import Path

import page
import pypdfium2
import pytest
from printed import (
    CHECKS,
    SUMMARY,
    itemised,
    month_of,
    painted,
    printed_report,
    words,
)

from maxo_reports.core.report import Report
from maxo_reports.render import RendererUnavailable, csvfile, pdf
from maxo_reports.render.pdf import listing, quick
from maxo_reports.tieout import tie_out
from maxo_reports.tieout.words import pages as read_pages
from reports import STYLE, october

poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")
PAPER = listing.PAPER
SIDE = listing.MARGINS[1]


@pytest.fixture(scope="module")
def report() -> Report:
    """Return a month of a few pages, with odd texts among its calls."""
    return printed_report(month_of(150, 5, odd=True), attach=["calls.csv"])


@pytest.fixture(scope="module")
def both(report, tmp_path_factory) -> dict[str, Path]:
    """Return its PDF as a table, and painted quickly."""
    folder = tmp_path_factory.mktemp("both")
    return {
        way: painted(report, folder / f"{way}.pdf", quick=way == "quick")
        for way in ("table", "quick")
    }


@pytest.fixture(params=["table", "quick"])
def way(request) -> str:
    """Name the way of painting."""
    return request.param


@pytest.fixture
def path(both, way) -> Path:
    """Return its PDF, painted in that way."""
    return both[way]


# ---- looks ----------------------------------------------------------------------------------


@poppler
def test_the_two_ways_put_every_word_in_the_same_place(both):
    """A quarter of a point at most, which is a tenth of a millimetre."""
    table, painted_quickly = (sorted(words(path)) for path in both.values())
    assert [(w.page, w.text) for w in table] == [(w.page, w.text) for w in painted_quickly]
    for one, other in zip(table, painted_quickly, strict=True):
        assert one[2:] == pytest.approx(other[2:], abs=0.25), one


def test_the_two_ways_look_the_same(both):
    """Rules, weights and colours, too: as pictures the pages hardly differ."""
    for number, (one, other) in enumerate(zip(*map(_pictures, both.values()), strict=True), 1):
        apart = sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
        assert apart < 0.5, f"page {number}"
        ink = sum(255 - a for a in one), sum(255 - b for b in other)
        assert ink[0] == pytest.approx(ink[1], rel=0.04), f"page {number}"


def _pictures(path: Path) -> list[bytes]:
    with pypdfium2.PdfDocument(path) as document:
        return [bytes(each.render(scale=3, grayscale=True).buffer) for each in document]


@poppler
def test_no_word_is_clipped_or_printed_over_another(path):
    """Every word's box is inside the margins, and no two of a page share any ground."""
    assert _apart(path) > 1_500


@poppler
def test_a_long_list_is_whole(tmp_path):
    """Every call is read back, and no word clipped; PRINTED_CALLS=100000 prints as many."""
    count = int(os.environ.get("PRINTED_CALLS", "600"))
    made = printed_report(month_of(count), attach=["calls.csv"])
    path = painted(made, tmp_path / "long.pdf")
    assert tie_out("pdf", path, made).calls == count
    assert _apart(path) > 10 * count


def _apart(path: Path) -> int:
    """Count words, each of which must have ground of its own within the margins."""
    count = 0
    for _, of_page in groupby(words(path), key=lambda word: word.page):
        own = sorted(of_page, key=lambda word: (word.top, word.left))
        count += len(own)
        for at, word in enumerate(own):
            assert word.left >= SIDE - 0.1, word
            assert word.right <= PAPER[0] - SIDE + 0.1, word
            assert 0 < word.top < word.bottom < PAPER[1], word
            for other in own[at + 1 :]:
                if other.top >= word.bottom:
                    break
                # Boxes are as high as the type, which is a little more than the letters.
                below = min(word.bottom, other.bottom) - max(word.top, other.top) > 2.0
                beside = min(word.right, other.right) - max(word.left, other.left) > 0.2
                assert not (below and beside), (word, other)
    return count


@poppler
def test_every_page_has_its_number_and_every_list_page_its_headings(path):
    """Page x of y is right on all pages, also on those behind the list."""
    found = words(path)
    last = max(word.page for word in found)
    for number in range(1, last + 1):
        text = " ".join(word.text for word in found if word.page == number)
        assert f"Page {number} of {last}" in text
        if 1 < number < last:
            assert "Call ID Started Direction From To" in text
            assert "Not a tax invoice" in text


def test_two_lists_have_pages_of_their_own(tmp_path):
    """Each with its title; what stands between and behind them is numbered rightly."""
    first = itemised(show=("started", "b_party", "cost"), group_by=())
    second = replace(itemised(), title="All of them")
    made = printed_report(month_of(130), SUMMARY, first, CHECKS, second)
    path = painted(made, tmp_path / "two.pdf", quick=True)
    pages = list(read_pages(path)[1])
    titles = [" ".join(lines[0].words) for lines in pages]
    assert [title for title, _ in groupby(titles)][1:] == ["Calls", "Checks", "All of them"]
    numbers = [" ".join(lines[-1].words[-4:]) for lines in pages]
    assert numbers == [f"Page {n} of {len(pages)}" for n in range(1, len(pages) + 1)]


def _texts(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [each.get_textpage().get_text_bounded() for each in document]


def test_a_list_without_calls_says_so(tmp_path):
    """It takes no page of its own."""
    (text,) = _texts(painted(printed_report([]), tmp_path / "none.pdf"))
    assert "No calls in this period." in text


def test_five_hundred_calls_are_a_table_and_one_more_is_painted(report):
    """The limit that the figures of benchmarks/pdf.py ask for."""
    assert listing.CALLS_IN_TABLE == 500
    for count in (500, 501):
        made = printed_report(month_of(count))
        lists = pdf._lists(made, STYLE)
        assert lists["Calls"].listed.is_long is (count > 500)
        assert ('class="fine"' in pdf.page(made, STYLE)) is (count == 500)


def test_progress_is_told_page_by_page(report, tmp_path, monkeypatch):
    """So that a terminal can show how far a long list is."""
    monkeypatch.setattr(listing, "CALLS_IN_TABLE", 0)
    heard: list[tuple[int, int]] = []
    style = replace(STYLE, told=lambda done, total: heard.append((done, total)))
    pdf.render(report, style, tmp_path / "a.pdf")
    assert heard == [(n, len(heard)) for n in range(1, len(heard) + 1)]
    assert len(heard) >= 4


# ---- whole or not at all --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("_frame", "no page has a table"),
        ("STRONG", "is embedded"),
    ],
)
def test_an_unexpected_weasyprint_means_no_file_and_says_so(
    report, tmp_path, monkeypatch, what, says
):
    """Never a list that is cut: the run goes on without the file and names the reason."""
    if what == "_frame":
        monkeypatch.setattr(quick, "_frame", lambda document, _: _find_nothing(document))
    else:
        monkeypatch.setattr(quick, "STRONG", 650)
    with pytest.raises(RendererUnavailable, match=f"cannot be painted .*{says}"):
        painted(report, tmp_path / "a.pdf", quick=True)
    assert not (tmp_path / "a.pdf").exists()


_FIND = quick._frame


def _find_nothing(document: object) -> object:
    return _FIND(document, "calls-99")


# ---- the file -------------------------------------------------------------------------------


def _checked(path: Path, profile: page.ValidationProfile) -> None:
    """Hold a file to a standard with one program, and to PDF's own rules with another."""
    told = page.validate_pdf(path, profile=profile)
    assert [f"{f.rule_id}: {f.message}" for f in told.failures] == []
    assert told.rules.passed == told.rules.total > 50
    if shutil.which("qpdf"):
        done = subprocess.run(
            ["qpdf", "--check", path], capture_output=True, text=True, check=True
        )
        assert "No syntax or stream encoding errors found" in done.stdout


def test_an_itemised_statement_is_pdf_a_3b(path):
    """Painted in either way."""
    _checked(path, page.ValidationProfile.PDF_A_3B)


def test_a_summary_is_pdf_ua_1(tmp_path):
    """The statement is tagged, as its definition says."""
    _checked(painted(october(), tmp_path / "a.pdf"), page.ValidationProfile.PDF_UA_1)


def test_the_attached_calls_are_every_call(report, path):
    """With every column, and the moment of the pull as their date."""
    with pypdfium2.PdfDocument(path) as document:
        (held,) = [document.get_attachment(n) for n in range(document.count_attachments())]
        assert held.get_name() == "calls.csv"
        assert bytes(held.get_data()).decode() == csvfile.calls_text(report.calls)
        at = report.heading.pulled_at.astimezone(UTC)
        assert held.get_str_value("CreationDate") == f"D:{at:%Y%m%d%H%M%S}Z"
        told = document.get_metadata_dict()
    assert told["CreationDate"] == f"D:{at:%Y%m%d%H%M%S}+00'00"
    assert told["Title"] == "Call statement, Wattle Lane Dental, October 2026"


def test_the_same_list_is_the_same_bytes(tmp_path, way, path):
    """In another process, with another hash seed, zone and folder: identifiers included."""
    code = (
        "import sys, pathlib; from printed import *; "
        "painted(printed_report(month_of(150, 5, odd=True), attach=['calls.csv']), "
        "pathlib.Path(sys.argv[1]), quick=sys.argv[2] == 'quick')"
    )
    here = Path(__file__).parent.parent
    elsewhere = {
        **os.environ,
        "PYTHONHASHSEED": "11",
        "TZ": "Asia/Tokyo",
        "PYTHONPATH": os.pathsep.join((str(here), str(here.parent))),
    }
    other = tmp_path / "other.pdf"
    subprocess.run([sys.executable, "-c", code, other, way], env=elsewhere, check=True)
    assert other.read_bytes() == path.read_bytes()
