"""The statement: what it says, how it stays inert, and what it refuses."""

from __future__ import annotations

import contextlib
import http.server
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest

from maxo_reports.core import money, numbering
from maxo_reports.core.checks import Finding, State
from maxo_reports.core.ledger import Totals
from maxo_reports.core.report import Kind, Report
from maxo_reports.errors import ConfigError
from maxo_reports.render import RendererUnavailable, Style, SystemLibraryMissing, chart, pdf
from reports import (
    DEFINITION,
    NUMBERS,
    STYLE,
    Call,
    made_up_calls,
    month,
    october,
    statement,
)

SHIPPED = STYLE.folders[-1]
PROVISIONAL = State("provisional", ("pulled less than 72 hours after the period's end",))
FINDINGS = (
    Finding("cost-unreadable", "error", "call 8f0c-91aa", "the cost cannot be read", 1),
    Finding("credit", "info", "call 1234", "a negative cost: a credit", 1, Decimal("-4.5")),
)
ONE_CALL = Totals(1, 1, 1, 61, Decimal("1.0001"))
poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")


def made(report: Report, folder: Path, style: Style = STYLE) -> Path:
    """Render a report into a folder."""
    target = folder / "statement.pdf"
    target.unlink(missing_ok=True)
    pdf.render(report, style, target)
    return target


def pages(path: Path) -> list[str]:
    """Return the text of every page, as a reader's program finds it."""
    with pypdfium2.PdfDocument(path) as document:
        texts = []
        for page in document:
            text_page = page.get_textpage()
            texts.append(text_page.get_text_bounded().replace("\r\n", "\n"))
            text_page.close()
            page.close()
        return texts


def inside(path: Path) -> bytes:
    """Return a file's bytes with every compressed stream opened."""
    raw = path.read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.DOTALL)
    opened = []
    for stream in streams:
        with contextlib.suppress(zlib.error):
            opened.append(zlib.decompress(stream))
    return b"\n".join((raw, *opened))


def words(path: Path) -> str:
    """Return a statement's text on one line."""
    return " ".join(" ".join(pages(path)).split())


def own(folder: Path, **templates: str) -> Style:
    """Return a style whose user has templates of their own."""
    for name, text in templates.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return replace(STYLE, folders=(folder, SHIPPED))


def using(template: str, **changes: object) -> Report:
    """Return an empty month's report that is drawn with another template."""
    return statement([], definition=replace(DEFINITION, template=template), **changes)


@pytest.fixture(scope="module")
def report() -> Report:
    """Return Wattle Lane Dental's October."""
    return october()


@pytest.fixture(scope="module")
def made_once(report, tmp_path_factory) -> Path:
    """Return the statement of that October."""
    return made(report, tmp_path_factory.mktemp("october"))


@pytest.fixture(scope="module")
def open_questions(tmp_path_factory) -> Path:
    """Return a provisional statement with findings."""
    report = october(state=PROVISIONAL, findings=FINDINGS)
    return made(report, tmp_path_factory.mktemp("provisional"))


def expected_rows(report: Report) -> list[str]:
    """Write every row of every grouped table as the statement has to show it."""
    formats = {
        Kind.COUNT: lambda value, _: f"{value:,}",
        Kind.DURATION: lambda value, _: f"{value // 3600}:{value // 60 % 60:02}:{value % 60:02}",
        Kind.MONEY: lambda value, total: (
            ("$" if total else "") + money.to_text(value, report.places)
        ),
        Kind.NUMBER: lambda value, _: numbering.spaced(value),
    }
    rows = []
    for section in report.sections_for("pdf"):
        if section.spec.kind == "groups":
            for row in section.table.rows:
                cells = [
                    formats.get(column.kind, lambda value, _: value)(
                        cell, row.role.value == "total"
                    )
                    for cell, column in zip(row.cells, section.table.columns, strict=True)
                    if cell is not None and column.is_in_print
                ]
                rows.append(" ".join(cells))
    return rows


# ---- what it says ---------------------------------------------------------------------------


def test_every_group_and_total_is_there_to_the_last_digit(report, made_once):
    """Each row of each grouped table stands in the text, all its figures in one line."""
    lines = [line.strip() for page in pages(made_once) for line in page.splitlines()]
    rows = expected_rows(report)
    assert len(rows) == 11 + 2 + 1 + 9 + 1
    assert [row for row in rows if row not in lines] == []
    assert f"Total cost, October 2026 ${report.payable} " in words(made_once)
    assert f"Exactly ${report.totals.cost} before it is rounded" in words(made_once)


@poppler
def test_another_program_reads_the_same_figures(report, made_once):
    """What poppler reads ties out too, so that the text does not hang on one program."""
    read = subprocess.run(
        ["pdftotext", "-layout", made_once, "-"], capture_output=True, text=True, check=True
    )
    lines = [" ".join(line.split()) for line in read.stdout.splitlines()]
    assert [row for row in expected_rows(report) if row not in lines] == []


def test_the_cover_says_for_whom_which_period_and_on_what_basis(made_once):
    """The facts block names account, days, zone, state, moment of pulling and cost basis."""
    first = pages(made_once)[0]
    for fact in (
        "Call statement",
        "Wattle Lane Dental",
        "wattle-lane",
        "October 2026",
        "1 Oct 2026 to 31 Oct 2026",
        "Australia/Sydney",
        "4 Nov 2026, 09:14:05",
        "Settled",
        "whether they include GST is not stated",
    ):
        assert fact in first


def test_every_page_carries_its_number_and_what_it_is_not(made_once):
    """Page x of y, the account, the period and "Not a tax invoice" stand on every page."""
    texts = pages(made_once)
    assert len(texts) > 1
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in text
        assert "Not a tax invoice" in text
        assert "Wattle Lane Dental, 1 Oct 2026 to 31 Oct 2026" in text


def test_a_provisional_statement_says_so_on_every_page_and_why(open_questions, made_once):
    """The stamp and the reasons stand on the first page, the word on all of them."""
    texts = pages(open_questions)
    assert "PROVISIONAL" in texts[0]
    assert PROVISIONAL.reasons[0] in texts[0]
    assert all("Provisional" in text for text in texts)
    assert "rovisional" not in "".join(pages(made_once))


def test_findings_are_told_with_their_dollars(open_questions, made_once):
    """The Exceptions list every finding; with none it says that there is nothing to report."""
    text = words(open_questions)
    assert "error cost-unreadable call 8f0c-91aa the cost cannot be read 1 0.0000" in text
    assert "info credit call 1234 a negative cost: a credit 1 \u22124.5000" in text
    assert "Nothing to report." not in text
    assert "Exceptions Nothing to report." in words(made_once)


def test_checks_stand_at_the_end(report, made_once):
    """The figures that had to agree are printed with their result."""
    text = words(made_once)
    assert f"Calls in the ledger = control total {report.totals.calls:,}" in text
    assert text.count("PASS") == 6


def test_an_empty_month_is_a_proper_statement_that_says_so(tmp_path):
    """No calls give one page with a nought total and the sentence, not an error."""
    (text,) = pages(made(statement([]), tmp_path))
    assert "There were no calls in this period." in text
    assert "$0.00" in text
    assert "Page 1 of 1" in text


def test_a_credit_has_a_real_minus_before_the_dollar(tmp_path):
    """A total below zero reads as minus, dollar, figure; a credit has no bar."""
    credit = replace(ONE_CALL, cost=Decimal("-30.5"))
    report = statement([Call("Credit", "Outbound", NUMBERS[0], date(2026, 10, 9), credit)])
    assert "\u2212$30.50" in words(made(report, tmp_path))
    assert 'class="beams"' not in pdf.page(report, STYLE)


def test_a_period_that_is_no_month_is_named_by_its_days():
    """Only a whole calendar month goes by its name."""
    assert '<p class="period">October 2026</p>' in pdf.page(statement([]), STYLE)
    odd = statement([], period=month("2026-07-15..2026-08-15"))
    assert '<p class="period">15 Jul 2026 to 14 Aug 2026</p>' in pdf.page(odd, STYLE)


def test_a_long_list_of_numbers_pages_nicely(tmp_path):
    """The head comes again on each page, and neither heading nor total is left alone."""
    numbers = [f"0255{500000 + place}" for place in range(120)]
    calls = [Call("Local", "Outbound", number, date(2026, 10, 5), ONE_CALL) for number in numbers]
    texts = pages(made(statement(calls), tmp_path))
    row = re.compile(r"^02 5550 0\d{3} 1 1 1 0:01:01 1\.0001 *$", re.MULTILINE)
    listing = [(text, len(row.findall(text))) for text in texts if row.search(text)]
    assert len(listing) in {3, 4}
    assert sum(rows for _, rows in listing) == len(numbers)
    for text, rows in listing:
        assert rows >= 2
        assert "Service number Calls Connected Charged Duration Cost" in text


# ---- inert, whatever the calls say ----------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """Listen on loopback: the port, and the paths that anybody asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.server_address[1], asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_text_from_calls_stays_text(tmp_path, listener):
    """Markup, formulas and template code are printed as they came; nothing is fetched or kept."""
    port, asked = listener
    texts = (
        '=HYPERLINK("http://127.0.0.1/")',
        "<script>alert(1)</script>",
        "{{7*7}}{% include 'x' %}",
        f"<img src=http://127.0.0.1:{port}/a>",
        "<link rel=attachment href=file:///etc/passwd>",
        f"</style><style>@import 'http://127.0.0.1:{port}/b'",
        f'"><a href="http://127.0.0.1:{port}/c">',
    )
    calls = [Call(text, text, text, date(2026, 10, 5), ONE_CALL) for text in texts]
    findings = [Finding(text, "warning", text, text, 1) for text in texts]
    report = statement(calls, findings=findings, account_name=f"<img src=//127.0.0.1:{port}/d>")
    path = made(report, tmp_path)
    shown = "".join("".join(pages(path)).split())
    for text in texts:
        assert "".join(text.split()) in shown
    assert asked == []
    assert not re.search(rb"/EmbeddedFile|/JavaScript|/URI|/Launch", inside(path))
    with pypdfium2.PdfDocument(path) as document:
        assert document.count_attachments() == 0


def test_what_cannot_be_seen_is_shown_by_its_number(tmp_path):
    """Controls, bidi overrides, lone surrogates and heaps of accents become visible."""
    odd = "a\x00b\x07\nc\u202egnp.exe\u200b\ud800"
    calls = [
        Call(text, "Outbound", NUMBERS[0], date(2026, 10, 5), ONE_CALL)
        for text in (odd, "e" + "\u0301" * 9)
    ]
    shown = "".join(words(made(statement(calls), tmp_path)).split())
    for number in ("0000", "0007", "000A", "202E", "200B", "D800"):
        assert f"\u2039U+{number}\u203a" in shown
    # In the chart, the table of categories, the longest and the dearest calls.
    assert shown.count("\u2039U+0301\u203a") == 3 * 7 + 3
    assert "\u202e" not in shown


def test_an_absurdly_long_text_is_cut_for_display(tmp_path):
    """A category of 40,000 letters ends in an ellipsis and costs no pages."""
    calls = [
        Call(text, text, text, date(2026, 10, 5), ONE_CALL)
        for text in ("x" * 40_000, "word " * 8_000, "\u0000" * 40_000)
    ]
    texts = pages(made(statement(calls, account_name="y" * 40_000), tmp_path))
    assert len(texts) <= 5
    assert "".join(texts).count("\u2026") >= 10


def test_letters_that_the_fonts_lack_do_no_harm(tmp_path):
    """Other scripts and emoji come out as numbers, not as boxes, and the rest as it is."""
    name = "\u4e2d\u6587 \u0627\u0644 \U0001f4de Nguy\u1ec5n"
    path = made(statement([], account_name=name), tmp_path)
    assert "\u2039U+4E2D\u203a\u2039U+6587\u203a" in words(path)
    assert "\u4e2d" not in words(path)
    assert "Nguy\u1ec5n" in words(path)
    assert fonts_in(path) <= {"Inter", "Inter-Semi-Bold", "Inter-Bold"}


# ---- the file -------------------------------------------------------------------------------


def fonts_in(path: Path) -> set[str]:
    """Return the names of the fonts that a file uses, without their subset's tag."""
    return {
        name.decode().partition("+")[2]
        for name in re.findall(rb"/BaseFont\s*/([^\s/>]+)", inside(path))
    }


def test_the_same_report_gives_the_same_bytes(report, made_once, tmp_path):
    """Neither the process, the hash seed, the clock's zone nor the locale shows in the file."""
    again = made(report, tmp_path).read_bytes()
    assert again == made_once.read_bytes()
    code = (
        "import sys, pathlib; from reports import STYLE, october; from maxo_reports.render "
        "import pdf; pdf.render(october(), STYLE, pathlib.Path(sys.argv[1]))"
    )
    here = Path(__file__).parent
    elsewhere = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "PYTHONPATH": os.pathsep.join((str(here), str(here.parent))),
    }
    other = tmp_path / "other.pdf"
    subprocess.run([sys.executable, "-c", code, other], env=elsewhere, check=True)
    assert other.read_bytes() == again


def test_only_the_shipped_fonts_are_embedded(made_once):
    """All three weights come from our own files, whatever the machine has."""
    assert fonts_in(made_once) == {"Inter", "Inter-Semi-Bold", "Inter-Bold"}


def test_the_file_says_what_it_is(made_once):
    """Title, author, program and language are set, and the file is tagged."""
    with pypdfium2.PdfDocument(made_once) as document:
        told = document.get_metadata_dict()
    assert told["Title"] == "Call statement, Wattle Lane Dental, October 2026"
    assert told["Author"] == "Wattle Lane Dental"
    assert told["Creator"] == "maxo-reports 0.1.0"
    raw = inside(made_once)
    assert b"(en-AU)" in raw
    assert b"/StructTreeRoot" in raw


def test_rendering_leaves_the_process_as_it_was(tmp_path, monkeypatch, caplog):
    """Variables of the environment come back, and our templates make WeasyPrint say nothing."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    with caplog.at_level(logging.INFO):
        made(october(state=PROVISIONAL, findings=FINDINGS), tmp_path)
    assert os.environ["SOURCE_DATE_EPOCH"] == "1"
    assert "FONTCONFIG_FILE" not in os.environ
    assert caplog.messages == []


# ---- templates of one's own -----------------------------------------------------------------


def test_a_template_of_ones_own_replaces_ours(tmp_path):
    """The user's folder comes first: a block, a part or a whole file can be another."""
    style = own(
        tmp_path,
        mine='{% extends "statement.html" %}{% block masthead %}<h1>Ours</h1>{% endblock %}',
        _table="{% macro table(section, theme) %}<p>no tables here</p>{% endmacro %}",
    )
    html = pdf.page(using("mine.html"), style)
    assert "<h1>Ours</h1>" in html
    assert '<div class="letterhead">' not in html
    assert "no tables here" in html


def test_a_picture_comes_from_the_assets_folder(tmp_path):
    """A logo beside the user's template is drawn."""
    style = own(
        tmp_path,
        mine='<html lang="en"><title>t</title><img alt="logo" src="assets/logo.svg">with logo',
    )
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "logo.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        '<rect width="9" height="9"/></svg>'
    )
    assert "with logo" in words(made(using("mine.html"), tmp_path, style))


@pytest.mark.parametrize(
    "wanted",
    [
        "http://127.0.0.1:{port}/logo.png",
        "//127.0.0.1:{port}/logo.png",
        "file:///etc/passwd",
        "file://127.0.0.1/etc/passwd",
        "assets/../../secret.svg",
        "assets/%2e%2e/%2e%2e/secret.svg",
        "assets/link.svg",
        "mine.html",
        "data:image/svg+xml,<svg/>",
        "assets/missing.svg",
    ],
)
def test_nothing_else_is_fetched(tmp_path, listener, wanted):
    """Anything but a file of assets or fonts ends the run, in a line that names it."""
    port, asked = listener
    (tmp_path / "secret.svg").write_text("<svg/>")
    (tmp_path / "own" / "assets").mkdir(parents=True)
    (tmp_path / "own" / "assets" / "link.svg").symlink_to(tmp_path / "secret.svg")
    image = f'<html lang="en"><title>t</title><img alt="a" src="{wanted.format(port=port)}">'
    style = own(tmp_path / "own", mine=image)
    with pytest.raises(ConfigError, match=r"template mine\.html: .*not a file of the template"):
        made(using("mine.html"), tmp_path, style)
    assert asked == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\n{{ totl.cost }}", "template mine.html, line 2: 'totl' is undefined"),
        ("{{ totals.price }}", "line 1: 'dict object' has no attribute 'price'"),
        ("a\nb\n{% if %}", "template mine.html, line 3: Expected an expression"),
        ("{{ sections | sum }}", "line 1: No filter named 'sum'"),
        ("{{ totals.cost | round }}", "line 1: No filter named 'round'"),
        ("{{ totals.calls + 1 }}", "line 1: templates do no arithmetic"),
        ("{{ -totals.calls }}", "line 1: templates do no arithmetic"),
        ("{{ 'a' * 2000000000 }}", "line 1: templates do no arithmetic"),
        ("{{ totals.calls | money }}", "line 1: money writes dollars"),
        ("{{ title | duration }}", "line 1: duration writes whole seconds"),
        ("{{ title | moment }}", "line 1: moment writes a date"),
        ("{{ cycler('a') }}", "line 1: 'cycler' is undefined"),
        ("{{ title.__class__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ title() }}", "line 1: 'str' object is not callable"),
        ("{% include 'gone.html' %}", "template mine.html, line 1: gone.html is in none of"),
    ],
)
def test_a_wrong_template_is_told_by_its_line(tmp_path, text, told):
    """A template's mistake is one line with its name and the number of the line."""
    with pytest.raises(ConfigError) as refused:
        pdf.page(using("mine.html"), own(tmp_path, mine=text))
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_template_that_is_not_there_is_told_with_the_folders(tmp_path):
    """A definition that names no template of any folder is refused."""
    with pytest.raises(ConfigError, match=r"gone\.html is in none of .*templates"):
        pdf.page(using("gone.html"), own(tmp_path))


def test_our_templates_do_not_compute():
    """No arithmetic, and no filter but the four, stands in any shipped template."""
    files = [*SHIPPED.glob("*.html"), SHIPPED / "print.css"]
    assert len(files) >= 5
    for file in files:
        text = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        for code in re.findall(r"\{\{(.*?)\}\}|\{%(.*?)%\}", text, re.DOTALL):
            bare = re.sub(r"\"[^\"]*\"|'[^']*'", "''", "".join(code))
            assert not re.search(r"[-+*/%~]", bare), f"{file.name}: {bare}"
            used = set(re.findall(r"\|\s*(\w+)", bare))
            assert used <= {"money", "duration", "moment", "phone", "e", "escape"}, file.name
            assert not re.search(r"\bfilter\b", bare), file.name


# ---- what it refuses ------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"", b"version https://git-lfs.example/spec/v1\n"])
def test_without_fonts_nothing_is_rendered(tmp_path, content):
    """Missing or broken fonts are refused beforehand: Pango would end the whole program."""
    if content is not None:
        (tmp_path / "fonts").mkdir()
        (tmp_path / "fonts" / "Inter-Regular.ttf").write_bytes(content)
    style = replace(STYLE, folders=(SHIPPED, tmp_path))
    with pytest.raises(RendererUnavailable, match="needs the fonts"):
        made(statement([]), tmp_path, style)


@pytest.mark.parametrize(
    "error",
    [
        OSError("cannot load library 'libpango-1.0-0': no such file\nand more"),
        ImportError("No module named 'weasyprint'"),
    ],
)
def test_without_pango_one_line_says_what_to_do(tmp_path, monkeypatch, capsys, error):
    """A machine without the library is told so in one line; nothing reaches standard output."""

    def load(name: str) -> None:
        print("a lot of advice")  # noqa: T201 - as WeasyPrint does
        raise error

    monkeypatch.setattr(pdf, "import_module", load)
    with pytest.raises(SystemLibraryMissing, match="Pango") as refused:
        made(statement([]), tmp_path)
    assert str(error).splitlines()[0].split(": ")[0] in str(refused.value)
    assert "\n" not in str(refused.value)
    assert capsys.readouterr().out == ""


# ---- charts and colours ---------------------------------------------------------------------


def days_of(report: Report) -> chart.Days | None:
    """Return the daily chart of a report."""
    (section,) = (s for s in report.sections if s.spec.kind == "days")
    return chart.days(section.table, report.heading.period)


def test_columns_are_as_high_as_their_figures():
    """Twice the cost is twice the height; a day without calls has a place and no column."""
    calls = [
        Call("Local", "Outbound", NUMBERS[0], date(2026, 10, day), replace(ONE_CALL, cost=cost))
        for day, cost in ((1, Decimal(3)), (2, Decimal(6)), (31, Decimal(-3)))
    ]
    drawn = days_of(statement(calls))
    assert len(drawn.bars) == 31
    first, second, third, *_, last = drawn.bars
    assert second.height == pytest.approx(2 * first.height, abs=0.02)
    assert third.height == 0
    assert last.y == drawn.baseline
    assert [mark.text for mark in drawn.scale] == ["\u2212$2.50", "$0.00", "$2.50", "$5.00"]
    assert (drawn.peak_day, drawn.peak_value) == (date(2026, 10, 2), Decimal(6))


def test_nothing_is_drawn_of_nothing_and_calls_where_nothing_cost():
    """A month without cost shows its calls; a month without calls has no chart."""
    assert days_of(statement([])) is None
    free = Call("Incoming", "Inbound", NUMBERS[0], date(2026, 10, 3), Totals(1, 1, 0, 9))
    drawn = days_of(statement([free, free]))
    assert drawn.column.key == "calls"
    assert [mark.text for mark in drawn.scale] == ["0", "1", "2"]


def test_a_long_period_names_its_months():
    """Beyond a month the labels are the first of each month, and the start where there is room."""
    period = month("2026-07-10..2026-10-16")
    drawn = days_of(statement(made_up_calls(50, period), period=period))
    assert [mark.text for mark in drawn.labels] == ["10 Jul", "1 Aug", "1 Sep", "1 Oct"]


def test_text_can_be_read_by_weak_eyes():
    """Every colour that text is set in keeps 4.5 to 1 on paper and on tint (WCAG AA)."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    theme = STYLE.theme
    for name in ("ink", "muted", "brand", "good", "warning", "bad"):
        for ground in (theme.paper, theme.tint):
            low, high = sorted((light(getattr(theme, name)), light(ground)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, name
