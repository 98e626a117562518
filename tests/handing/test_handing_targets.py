"""Targets are data: a user's own replaces ours, every mistake is told, limits are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from handoffs import ACCOUNTS, SHELF, posted
from postings import with_tracking, worded

from maxo_reports.core.handoff.target import faults, parts, rows
from maxo_reports.definitions import Shelf
from maxo_reports.errors import ConfigError, UsageError
from maxo_reports.handing.books import PROGRAMS
from maxo_reports.handing.targets import known, load

WRONG = """\
version = 3
title = "Mine"
books = "zero"
shape = "line"
kinds = ["bil"]
encoding = "latin-1"
colour = "red"
[[column]]
name = "A"
value = "acount"
[[column]]
name = "A"
longst = 3
"""


def own(folder: Path, text: str, name: str = "mine") -> Shelf:
    """Put a target of the user's own on the shelf."""
    (folder / "handoff").mkdir(exist_ok=True)
    (folder / "handoff" / f"{name}.toml").write_text(text, encoding="utf-8")
    return Shelf.of(folder)


def test_every_shipped_target_can_be_read():
    """And there are those that are promised."""
    names = known(SHELF)
    assert set(names) == {
        *("xero-bill", "xero-sales", "xero-journal", "myob-journal", "myob-purchase"),
        *("qbo-journal", "qbo-bill", "beancount", "hledger", "gnucash", "posting"),
        "posting-excel",
    }
    assert all(load(name, SHELF).title for name in names)


def test_every_mistake_in_a_target_is_told_at_once(tmp_path):
    """With the nearest real name."""
    with pytest.raises(ConfigError) as caught:
        load("mine", own(tmp_path, WRONG))
    told = "\n".join(caught.value.problems)
    for words in (
        "version must be 1",
        "books must be one of",
        "(did you mean 'lines'?)",
        "kinds: 'bil' is not known (did you mean 'bill'?)",
        "encoding must be one of",
        "'colour' is not a setting",
        "value 'acount' is not known (did you mean 'account'?)",
        "'longst' is not a setting (did you mean 'longest'?)",
        "every column needs a name of its own",
        "suffix is missing",
    ):
        assert words in told, told


def test_a_users_own_target_replaces_ours_of_that_name(tmp_path):
    """For a program whose template changes before we do."""
    text = (known(SHELF)["xero-bill"]).read_text(encoding="utf-8")
    shelf = own(tmp_path, text.replace('name = "Currency"', 'name = "CurrencyCode"'), "xero-bill")
    assert load("xero-bill", shelf).columns[-1].name == "CurrencyCode"
    assert load("xero-bill", SHELF).columns[-1].name == "Currency"


def test_an_unknown_target_is_refused_with_the_nearest():
    """``zero-bill`` is meant to be ``xero-bill``."""
    with pytest.raises(UsageError, match=r"did you mean 'xero-bill'\?"):
        load("zero-bill", SHELF)


def told(name: str, kind: str, *lines) -> tuple[str, ...]:
    """Say what a target refuses of some lines."""
    target = load(name, SHELF)
    whole = posted(target.books, kind, list(lines))
    taxes = PROGRAMS[target.books].taxes(whole.kind)
    return faults(target, whole, rows(whole, target, taxes, "AUD", "2026-10"))


def test_what_an_import_would_refuse_is_named_by_line():
    """Keys that are too long or of another form; negatives where there may be none."""
    assert "line 1, *AccountCode: '48900000000' is longer than 10 characters" in told(
        "xero-bill", "bill", worded("1.00", "48900000000")
    )
    assert (
        "is not of the form that the program takes"
        in told("myob-journal", "accrual", worded("1.00", "Telephone"))[0]
    )
    assert (
        "which this import does not take"
        in told("myob-purchase", "bill", worded("-5.00", "6-2210"), worded("900.00", "6-2210"))[0]
    )
    assert (
        "account 'expenses:telephone' is not of the form"
        in told("beancount", "bill", worded("1.00", "expenses:telephone"))[0]
    )
    assert told("hledger", "bill", worded("1.00", "two  spaces; a comment"))
    line = with_tracking(worded("1.00", "Telephone"), Clas="Sales")
    assert (
        "tracking 'Clas' has no column there (did you mean 'Class'?)"
        in told("qbo-journal", "accrual", line)[0]
    )
    line = with_tracking(worded("1.00"), A="1", B="2", C="3")
    assert "the file has room for 2" in told("xero-bill", "bill", line)[0]


def test_a_bill_is_one_document_and_is_never_cut():
    """Only journals are; and no more invoices go into a file than it may have."""
    target = load("xero-bill", SHELF)
    lines = [worded("1.00", ACCOUNTS["xero"][0], text=f"{n}") for n in range(400)]
    assert len(parts(posted("xero", "bill", lines), target)) == 1


def test_no_more_invoices_than_a_file_may_have():
    """1,001 invoices make three files of 500 at most."""
    from dataclasses import replace

    whole = posted("xero", "sale", [worded("1.00")])
    (entry,) = whole.entries
    many = replace(whole, entries=tuple(replace(entry, number=f"S-{n}") for n in range(1_001)))
    split = parts(many, load("xero-sales", SHELF))
    assert [len(part.entries) for part in split] == [500, 500, 1]
