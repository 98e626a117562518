"""Standards of a PDF: what a definition may ask for, and what it is told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from maxo_reports.core.standards import ARCHIVAL, CALLS_FILE, TAGGED
from maxo_reports.definitions import Shelf, load
from maxo_reports.errors import ConfigError
from maxo_reports.render import FORMATS
from reports import SHELF

HEAD = 'version = 1\nformats = ["xlsx", "pdf"]\n'
SUMMARY = '[[section]]\nkind = "summary"\n'
LIST = '[[section]]\nkind = "itemised"\ntitle = "Calls"\n'


def read(folder: Path, text: str):
    """Read a definition of a workspace."""
    (folder / "reports").mkdir()
    (folder / "reports" / "mine.toml").write_text(text)
    return load("mine", Shelf.of(folder), FORMATS).definition


@pytest.mark.parametrize(
    ("text", "standard", "attach"),
    [
        (HEAD + SUMMARY, TAGGED, ()),
        (HEAD + SUMMARY + LIST, ARCHIVAL, ()),
        (HEAD + SUMMARY + LIST + 'formats = ["xlsx"]', TAGGED, ()),
        (HEAD + f'standard = "{ARCHIVAL}"\n' + SUMMARY, ARCHIVAL, ()),
        (HEAD + 'attach = ["calls.csv"]\n' + SUMMARY + LIST, ARCHIVAL, (CALLS_FILE,)),
    ],
)
def test_a_report_keeps_the_standard_that_it_can(tmp_path, text, standard, attach):
    """Tagged, unless it lists single calls; what it names itself where it names one."""
    definition = read(tmp_path, text)
    assert (definition.standard, definition.attach) == (standard, attach)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            HEAD + 'standard = "pdf/a3b"\n' + SUMMARY,
            "standard must be pdf/ua-1 or pdf/a-3b, not 'pdf/a3b' (did you mean 'pdf/a-3b'?)",
        ),
        (HEAD + 'attach = ["calls.cvs"]\n' + SUMMARY, "(did you mean 'calls.csv'?)"),
        (HEAD + 'attach = ["calls.csv"]\n' + SUMMARY, 'attach needs standard = "pdf/a-3b"'),
        (
            HEAD + 'standard = "pdf/ua-1"\n' + SUMMARY + LIST,
            'a PDF that lists calls cannot be pdf/ua-1: standard = "pdf/a-3b", or formats',
        ),
        (
            f'version = 1\nformats = ["xlsx"]\nstandard = "{ARCHIVAL}"\n' + SUMMARY,
            "standard and attach are for PDF",
        ),
        (
            HEAD + SUMMARY + LIST + 'group_by = ["category"]',
            'a list of calls can be grouped by one thing: group_by = ["service_number"]',
        ),
        (
            HEAD + SUMMARY + LIST + 'each = "service_number"\nformats = ["pdf"]',
            "a section with each = 'service_number' is for workbooks",
        ),
    ],
)
def test_what_cannot_be_is_told(tmp_path, text, told):
    """In one line, with what to write instead."""
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    assert told in str(refused.value)


def test_shipped_reports_keep_the_standard_that_is_said_of_them():
    """The statement is tagged; what lists calls is archival, the itemised one with its calls."""
    found = {
        name: load(name, SHELF, FORMATS).definition
        for name in SHELF.reports()
        if "pdf" in load(name, SHELF, FORMATS).definition.formats
    }
    assert {name for name, each in found.items() if each.standard == ARCHIVAL} == {
        "itemised",
        "charged-only",
    }
    assert found["itemised"].attach == (CALLS_FILE,)
    assert {each.standard for each in found.values()} == {ARCHIVAL, TAGGED}
