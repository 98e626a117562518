"""A statement that says anything else than the ledger is caught, by either reader of PDF."""

from __future__ import annotations

import ctypes
import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
from listed import pdf, small_month
from pypdfium2 import raw

from maxo_reports.core.checks import Finding, State
from maxo_reports.core.ledger import Totals
from maxo_reports.core.measured import MOST_DRAWN, drawn
from maxo_reports.core.report import Report, SectionSpec
from maxo_reports.errors import TieOutError
from maxo_reports.render import renderer
from maxo_reports.tieout import tie_out, words
from reports import NUMBERS, STYLE, Call, made_up_calls, month, statement, with_sections

CATEGORIES = "By direction and category"
TABLES = (CATEGORIES, "By number", "Top destinations", "Longest calls", "Dearest calls")
READERS = (words.POPPLER, words.PDFIUM)
PROVISIONAL = State("provisional", ("the period was not over when the calls were pulled",))
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler's pdftotext is not here"
)


@pytest.fixture(params=[pytest.param(READERS[0], marks=needs_poppler), READERS[1]])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read with poppler, and as on a machine that has none."""
    if request.param == words.PDFIUM:
        monkeypatch.setattr(words.shutil, "which", lambda _: None)
    return str(request.param)


@pytest.fixture(scope="module")
def calls() -> Sequence[Call]:
    """Make a month of 600 calls over nine numbers."""
    return made_up_calls(600, month())


@pytest.fixture(scope="module")
def path(calls: Sequence[Call], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write its statement once."""
    return pdf(statement(calls), tmp_path_factory.mktemp("pdf") / "right.pdf")


def test_a_right_statement_ties_out(reader: str, calls: Sequence[Call], path: Path) -> None:
    """Every figure of every table is compared; the daily chart has its peak, and is named."""
    report = statement(calls)
    tied = tie_out("pdf", path, report)
    shown = {s.spec.title: s.table for s in report.sections_for("pdf") if s.table}
    figures = sum(
        isinstance(cell, (int, Decimal))
        for title in TABLES
        for row in shown[title].rows
        for cell in row.cells
    )
    bars = len(drawn(shown[CATEGORIES]))
    assert tied.reader == reader
    assert tied.drawn == ("By day",)
    # Five totals and the one to the cent, the peak of the days, the bars, and all tables.
    assert tied.figures == 5 + 1 + 1 + bars + figures
    assert bars == MOST_DRAWN


def test_both_readers_see_the_same_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but a chart's labels, whose letters PDFium gives one by one."""
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler's pdftotext is not here")
    _, first = words.lines(path)
    monkeypatch.setattr(words.shutil, "which", lambda _: None)
    _, second = words.lines(path)
    assert [(a.page, "".join(a.words)) for a in first] == [
        (b.page, "".join(b.words)) for b in second
    ]


def _changed(calls: Sequence[Call], at: int, **other: object) -> list[Call]:
    return [c._replace(**other) if n == at else c for n, c in enumerate(calls)]


@pytest.mark.parametrize(
    ("by", "says"),
    [
        (Totals(cost=Decimal("0.0001")), "cost"),
        (Totals(seconds=1), "duration"),
        (Totals(calls=1), "calls"),
        (Totals(charged=1), "charged"),
        (Totals(connected=1), "connected"),
        (Totals(cost=Decimal("0.01")), "cost"),
    ],
)
def test_a_changed_figure_is_named_with_both_values(
    reader: str, calls: Sequence[Call], path: Path, by: Totals, says: str
) -> None:
    """The file says one digit more or less than the ledger: page, row and both figures."""
    report = statement(_changed(calls, 7, totals=calls[7].totals + by))
    with pytest.raises(TieOutError) as caught:
        tie_out("pdf", path, report)
    message = str(caught.value)
    assert f"page 1: the total {says}, " in message
    row = f"{calls[7].direction} {calls[7].category}"
    assert f"page 2, '{CATEGORIES}', row '{row}', {says}: " in message
    assert "in the file, " in message
    assert "in the ledger" in message
    assert "\n" not in message


def _texts(path: Path) -> list[tuple[int, int, str]]:
    """Return every piece of text of a PDF: its page, its place among the page's, and itself."""
    document = pypdfium2.PdfDocument(path)
    found = []
    for number, page in enumerate(document):
        textpage = page.get_textpage()
        for place, each in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT])):
            size = raw.FPDFTextObj_GetText(each.raw, textpage.raw, None, 0)
            held = (ctypes.c_ushort * size)()
            raw.FPDFTextObj_GetText(each.raw, textpage.raw, held, size)
            found.append((number, place, bytes(held).decode("utf-16-le").rstrip("\0 ")))
    document.close()
    return found


def _retyped(path: Path, target: Path, page: int, place: int, text: str) -> Path:
    """Copy a PDF with one piece of its text changed, in the same font, at the same place."""
    document = pypdfium2.PdfDocument(path)
    changed = document[page]
    each = list(changed.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]))[place]
    letters = (text + "\0").encode("utf-16-le")
    held = (ctypes.c_ushort * (len(letters) // 2)).from_buffer_copy(letters)
    assert raw.FPDFText_SetText(each.raw, held)
    changed.gen_content()
    document.save(target)
    document.close()
    return target


def test_any_digit_that_is_changed_in_the_pdf_is_caught(
    reader: str, calls: Sequence[Call], path: Path, tmp_path: Path
) -> None:
    """Forty seeded figures, each with its last digit retyped in the file itself."""
    report = statement(calls)
    texts = _texts(path)
    first = next(n for n, (_, _, text) in enumerate(texts) if text == "Rate category")
    last = next(n for n, (_, _, text) in enumerate(texts) if text == "Exceptions")
    figures = [
        (page, place, text)
        for page, place, text in texts[first:last]
        # Single letters are those of the chart, which PDFium cannot retype.
        if re.fullmatch(r"\$?[0-9][0-9,.:]+", text)
    ]
    for page, place, text in random.Random(3).sample(figures, 40):
        digit = str((int(text[-1]) + 1) % 10)
        wrong = _retyped(path, tmp_path / "wrong.pdf", page, place, text[:-1] + digit)
        with pytest.raises(TieOutError, match=r"wrong\.pdf does not tie out"):
            tie_out("pdf", wrong, report)


def test_a_row_that_is_lost_or_named_otherwise_is_caught(
    reader: str, calls: Sequence[Call], path: Path
) -> None:
    """A number that is another by a digit, a category that is missing, two that changed places."""
    busiest = calls[3].service_number
    other = busiest[:-1] + ("9" if busiest[-1] != "9" else "8")
    renamed = [
        c._replace(service_number=other) if c.service_number == busiest else c for c in calls
    ]
    with pytest.raises(TieOutError, match=f"'By number': the row '{other}'"):
        tie_out("pdf", path, statement(renamed))
    satellite = {"Mobile": "Satellite"}
    added = [c._replace(category=satellite.get(c.category, c.category)) for c in calls]
    with pytest.raises(TieOutError, match=f"'{CATEGORIES}': the row 'Outbound Satellite"):
        tie_out("pdf", path, statement(added))
    places = {"Mobile": "National", "National": "Mobile"}
    swapped = [c._replace(category=places.get(c.category, c.category)) for c in calls]
    with pytest.raises(TieOutError, match=r"row 'Outbound (Mobile|National)'"):
        tie_out("pdf", path, statement(swapped))


def test_a_finding_and_a_stamp_that_are_missing_are_caught(
    reader: str, calls: Sequence[Call], path: Path
) -> None:
    """What a person must know stands in the file, or there is no file."""
    finding = Finding("credit", "info", "call 17", "a negative cost", 1, Decimal("-0.25"))
    with pytest.raises(TieOutError, match="'Exceptions': the row 'info credit call 17"):
        tie_out("pdf", path, statement(calls, findings=[finding]))
    with pytest.raises(TieOutError, match="page 2 does not say that the figures are provisional"):
        tie_out("pdf", path, statement(calls, state=PROVISIONAL))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ('{% extends "base.html" %}{% block content %}<p>Hello</p>{% endblock %}', "the total"),
        (
            '{% extends "statement.html" %}{% block groups scoped %}{% endblock %}',
            f"'{CATEGORIES}': the row",
        ),
        (
            '{% extends "statement.html" %}{% block summary scoped %}{% endblock %}',
            "page 1: the total calls",
        ),
        (
            '{% extends "statement.html" %}{% block days scoped %}{% endblock %}',
            "'By day': the peak",
        ),
    ],
)
def test_a_template_of_ones_own_that_leaves_figures_out_is_caught(
    reader: str, calls: Sequence[Call], tmp_path: Path, template: str, says: str
) -> None:
    """Freedom of looks, but every section of the definition has its figures."""
    (tmp_path / "mine.html").write_text(template)
    report = statement(calls)
    report = replace(report, definition=replace(report.definition, template="mine.html"))
    style = replace(STYLE, folders=(tmp_path, *STYLE.folders))
    renderer("pdf").render(report, style, tmp_path / "mine.pdf")
    with pytest.raises(TieOutError, match=says):
        tie_out("pdf", tmp_path / "mine.pdf", report)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 no more", b"<html>"])
def test_what_is_no_statement_is_refused(
    reader: str, calls: Sequence[Call], tmp_path: Path, content: bytes
) -> None:
    """A file that no other program can open, or that shows nothing, is not issued."""
    (tmp_path / "bad.pdf").write_bytes(content)
    with pytest.raises(TieOutError, match=r"bad\.pdf"):
        tie_out("pdf", tmp_path / "bad.pdf", statement(calls))


_LETTERS = [
    *"abcdefghij ABC 0123456789 ()-/.,&<>'\"%$#@\u00e9\u00fc\u00df\u4e2d\u3042\u03a9\u0436"
]
_LETTERS += ["\u202e", "\u05d0", "\u0301", "\ufb01", "\u2026", "10,5", "1:23:45", "$4.50", "12"]


def _any_month(seed: int) -> tuple[list[Call], list[Finding], str]:
    """Make a month of hostile names: long, foreign, numeric, from right to left, or empty."""
    dice = random.Random(seed)

    def name(longest: int) -> str:
        return "".join(dice.choices(_LETTERS, k=dice.choice([1, 3, 8, 20, 40, 90, 150, longest])))

    categories = [name(300) for _ in range(dice.randint(1, 20))]
    numbers = [dice.choice([*NUMBERS, "(none)", "131114", name(40)]) for _ in range(12)]
    factor = dice.choice([1, 1, 1_000, -1])
    made = made_up_calls(dice.choice([0, 1, 60, 300]), month(), numbers)
    calls = [
        c._replace(
            category=dice.choice(categories),
            totals=replace(c.totals, cost=c.totals.cost * factor),
        )
        for c in made
    ]
    findings = [
        Finding("credit", "info", f"call {name(30)}", name(200), n, Decimal(n) / 100)
        for n in range(dice.randint(0, 4))
    ]
    return calls, findings, name(60).strip() or "Acme"


@pytest.mark.parametrize("seed", range(12))
def test_right_statements_with_hostile_names_give_no_false_alarm(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the carrier writes, a right statement is issued, whichever program reads it."""
    calls, findings, account = _any_month(seed)
    report = statement(
        calls,
        findings=findings,
        account_name=account,
        state=PROVISIONAL if seed % 3 == 0 else State("settled"),
    )
    path = pdf(report, tmp_path / "odd.pdf")
    assert tie_out("pdf", path, report).name == "odd.pdf"
    monkeypatch.setattr(words.shutil, "which", lambda _: None)
    assert tie_out("pdf", path, report).reader == words.PDFIUM


def test_days_without_a_chart_are_compared(reader: str, tmp_path: Path) -> None:
    """A table of days has figures: each of them is looked for beside its day."""
    section = SectionSpec("days", "By day", "Summary", ("pdf",), show=("calls", "seconds", "cost"))
    calls = small_month(80)
    report = statement(calls, definition=with_sections(section))
    path = pdf(report, tmp_path / "days.pdf")
    (days,) = (s.table for s in report.sections_for("pdf") if s.table)
    assert tie_out("pdf", path, report).figures == 3 * len(days.rows)
    moved = _changed(calls, 5, day=month().last if calls[5].day != month().last else month().first)
    with pytest.raises(TieOutError, match="'By day'"):
        tie_out("pdf", path, statement(moved, definition=with_sections(section)))


MADE_UP = ("Transferred within", "Call forwarded", "+61491570006", "a-b c-d e-f g-h i-j")
"""Directions that are none of ours and longer than their column."""


def test_a_wrapped_direction_is_no_false_alarm(reader: str, tmp_path: Path) -> None:
    """A direction of the carrier's own takes two lines of a narrow column, and is still read."""
    figures = Totals(1, 1, 1, 60, Decimal("0.25"))
    calls = [
        Call("Local", direction, "0255500140", month().first, figures) for direction in MADE_UP
    ]
    report = statement(calls)
    path = pdf(report, tmp_path / "wrapped.pdf")
    assert tie_out("pdf", path, report).reader == reader


def test_two_wrapped_directions_that_changed_places_are_caught(
    reader: str, tmp_path: Path
) -> None:
    """The rows are compared letter by letter: one row's words do not pass for the next one's."""
    costs = (Decimal("0.25"), Decimal("0.5"))

    def report(first: str, second: str) -> Report:
        return statement(
            Call("Local", direction, "0255500140", month().first, Totals(1, 1, 1, 60, cost))
            for direction, cost in zip((first, second), costs, strict=True)
        )

    path = pdf(report("Transferred", "Call forwarded"), tmp_path / "wrapped.pdf")
    with pytest.raises(TieOutError, match=f"'{CATEGORIES}'"):
        tie_out("pdf", path, report("Call forwarded", "Transferred"))
