"""Sheets that a definition may ask for: those that Excel takes, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from maxo_reports.definitions import Shelf, load
from maxo_reports.errors import ConfigError
from maxo_reports.render import FORMATS


def refused(folder: Path, *sections: str) -> str:
    """Read a definition of some sections and return what is wrong with it."""
    (folder / "reports").mkdir(exist_ok=True)
    parts = "".join(f"[[section]]\n{section}\n" for section in sections)
    text = f'version = 1\nformats = ["xlsx"]\n{parts}'
    (folder / "reports" / "own.toml").write_text(text, encoding="utf-8")
    try:
        load("own", Shelf.of(folder), FORMATS)
    except ConfigError as problem:
        return str(problem)
    return ""


CALLS = 'kind = "itemised"\ntitle = "Calls"'


@pytest.mark.parametrize(
    "name", [r"a\u0001b", r"a\u200bb", r"\n", "   ", "\U0001f600" * 16, "a:b", "'a", "x" * 32]
)
def test_a_name_that_excel_would_repair_is_refused(tmp_path, name):
    """Unseen characters, too many of them (an emoji is two), and the forbidden ones."""
    said = refused(tmp_path, f'{CALLS}\nsheet = "{name}"')
    assert "cannot name a sheet" in said or "sheet must hold no control characters" in said


@pytest.mark.parametrize("name", ["\U0001f600" * 15, "Anrufe für März", "x" * 31, "a'b"])
def test_a_name_that_excel_takes_is_taken(tmp_path, name):
    """Any script, up to 31 characters."""
    assert refused(tmp_path, f'{CALLS}\nsheet = "{name}"') == ""


def test_names_that_differ_in_capitals_only_are_refused(tmp_path):
    """To Excel they are one sheet."""
    said = refused(tmp_path, CALLS, 'kind = "checks"\nsheet = "CALLS"')
    assert "'Calls' and 'CALLS' are one to Excel" in said


def test_a_list_of_calls_shares_no_sheet(tmp_path):
    """Its table is all of its sheet."""
    said = refused(tmp_path, CALLS, 'kind = "checks"\nsheet = "Calls"')
    assert "the calls of 'Calls' need a sheet of their own" in said
    assert refused(tmp_path, CALLS, 'kind = "checks"', 'kind = "windows"\nsheet = "Checks"') == ""
