"""The sample's finished pack is the gold file of the whole line: demo makes it again."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from maxo_reports import engine
from maxo_reports.pack import Pack

GOLD = engine.sample() / "pack"
STEM = "wattle-lane-dental-2026-10-statement"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Make the demo's pack once."""
    return engine.demo(tmp_path_factory.mktemp("demo"), engine.Progress()).pack


def keep_actual(made: Pack, name: str) -> str:
    """Leave a wrong file beside the gold one's name, for a person to compare."""
    actual = Path(__file__).parent / "actual"
    actual.mkdir(exist_ok=True)
    shutil.copy(made.folder / name, actual / name)
    return f"{name} is not the gold one; see {actual / name}. Was the change meant? make gold"


def test_workbook_is_the_gold_one_part_by_part(made):
    """Every part of the workbook holds the same bytes as the gold workbook's."""
    name = f"{STEM}.xlsx"
    with zipfile.ZipFile(GOLD / name) as gold, zipfile.ZipFile(made.folder / name) as actual:
        assert actual.namelist() == gold.namelist()
        wrong = [part for part in gold.namelist() if actual.read(part) != gold.read(part)]
    assert not wrong, f"{keep_actual(made, name)}; parts: {wrong}"


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler's pdftotext is not here")
def test_statement_says_what_the_gold_one_says(made):
    """The statement's text and number of pages are those of the gold statement."""
    name = f"{STEM}.pdf"

    def text(path: Path) -> str:
        done = subprocess.run(
            ["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True
        )
        return done.stdout

    assert text(made.folder / name) == text(GOLD / name), keep_actual(made, name)


def test_manifest_is_the_gold_one_but_for_the_machine(made):
    """The manifest says the same, apart from the libraries and what they make of the bytes."""

    def said(path: Path) -> dict[str, object]:
        manifest = json.loads(path.read_bytes())
        names = [entry["name"] for entry in manifest.pop("files")]
        for machine in ("libraries", "python", "read_back_by"):
            manifest.pop(machine)
        return {**manifest, "names": names}

    name = "manifest.json"
    assert said(made.folder / name) == said(GOLD / name), keep_actual(made, name)


def test_completeness_certificate_is_the_gold_one(made):
    """The certificate of the sample month is the same bytes, whenever and wherever made."""
    name = "completeness.json"
    assert (made.folder / name).read_bytes() == (GOLD / name).read_bytes(), keep_actual(made, name)
