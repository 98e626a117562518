"""``handoff.toml``: read whole, every mistake at once, each with the nearest real name."""

from __future__ import annotations

from pathlib import Path

import pytest

from maxo_reports.core.handoff.coding import Rule
from maxo_reports.errors import ConfigError
from maxo_reports.handing.mapping import load, place

GOOD = """\
version = 1
[lines]
split_by = ["category", "service_number"]
description = "{category} on {service_number}, {calls}"
[books.xero]
contact = "MaxoTel Pty Ltd"
accrued = "803"
[books.myob]
accrued = "2-1250"
[[rule]]
category = ["Mobile", "Local"]
account.xero = "489"
account.myob = "6-2210"
tax = "gst"
tracking = { Region = "Brisbane" }
[[rule]]
service_number = "+61 2 5550 0140"
account = "400"
tracking.xero = { Team = "Sales" }
tax_code.xero = "GST on Capital"
description = "{category}"
"""


def read(folder: Path, text: str):
    """Write a mapping and read it."""
    path = folder / "handoff.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_a_mapping_is_read_as_it_is_written(tmp_path):
    """Accounts for each program, or one for all; defaults are the program's own names."""
    mapping = read(tmp_path, GOOD)
    assert mapping.rules == (
        Rule(
            {"category": ("Mobile", "Local")},
            {"xero": "489", "myob": "6-2210"},
            "gst",
            {"xero": (("Region", "Brisbane"),), "myob": (("Region", "Brisbane"),)},
        ),
        Rule(
            {"service_number": ("0255500140",)},
            {"xero": "400", "myob": "400"},
            tracking={"xero": (("Team", "Sales"),)},
            description="{category}",
            tax_code={"xero": "GST on Capital"},
        ),
    )
    assert mapping.books["xero"].contact == "MaxoTel Pty Ltd"
    assert mapping.books["xero"].tax_none == "BAS Excluded"
    assert mapping.books["myob"].tax_none == "N-T"
    assert mapping.lines.due_days == 14


MISTAKES = """\
version = 2
accounts = 1
[lines]
split_by = ["categorie"]
description = "{category} {colour}"
narration = "{period:>9} {"
due_days = 999
[books.xerro]
[books.xero]
acrued = "803"
other_tax = "maybe"
[[rule]]
account.xero = "489"
[[rule]]
category = 5
tax = "none at all"
[[rule]]
category = "Mobile"
account.zero = "489"
tracking = ["Region"]
[[rule]]
category = "Local"
tracking.zero = { Region = "Brisbane" }
"""


def test_every_mistake_is_told_at_once(tmp_path):
    """Each in one line, with what was meant."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, MISTAKES)
    told = "\n".join(caught.value.problems)
    for words in (
        "version must be 1, not 2",
        "'accounts' is not a setting",
        "split_by: 'categorie' is not known (did you mean 'category'?)",
        "{category} needs 'category' among split_by",
        "{colour} is not known",
        "has a bracket too few or too many",
        "due_days must be from 0 to 365, not 999",
        "[books.xerro] is not known (did you mean 'xero'?)",
        "'acrued' is not a setting (did you mean 'accrued'?)",
        "other_tax must be one of gst, free, none, not 'maybe'",
        "[rule 1] says not for which calls",
        "[rule 2] category must be text or a list of texts, not 5",
        "[rule 2] tax must be one of gst, free, none",
        "account.zero: there is no [books.zero] (did you mean 'xero'?)",
        "[rule 3] tracking must be a table",
        "[rule 4] tracking.zero: there is no [books.zero] (did you mean 'xero'?)",
    ):
        assert words in told, told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = ", "is not readable TOML"),
        ("version = 1\n", "there are no books"),
        ("version = 1\nrule = 3\n[books.xero]\n", "must be a list of tables"),
        ('version = 1\n[books.xero]\ncontact = "a\\u0007b"\n', "no control characters"),
        ('version = 1\n[lines]\nother = "{calls}"\n[books.xero]\n', "{calls} is not known"),
        ('version = 1\n[lines]\nnarration = "{period!r}"\n[books.xero]\n', "takes nothing after"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, text, says):
    """In one line."""
    with pytest.raises(ConfigError, match=says.replace("{", r"\{").replace("}", r"\}")):
        read(tmp_path, text)


def test_without_a_file_the_way_to_one_is_told(tmp_path):
    """``handoff init``."""
    with pytest.raises(ConfigError, match="handoff init PERIOD"):
        load(tmp_path / "handoff.toml")


def test_an_account_can_have_a_mapping_of_its_own(tmp_path):
    """Clients keep different books."""
    assert place(tmp_path, "acme").name == "handoff.toml"
    (tmp_path / "handoff.acme.toml").touch()
    assert place(tmp_path, "acme").name == "handoff.acme.toml"
    assert place(tmp_path, "other").name == "handoff.toml"
