"""Pre-flight: what the user's own lists lack is refused by line, with the nearest name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from handoffs import SHELF, posted
from postings import worded

from maxo_reports.errors import ConfigError
from maxo_reports.handing.books import PROGRAMS, Books
from maxo_reports.handing.preflight import troubles
from maxo_reports.handing.targets import load

XERO_CHART = "*Code,*Name,*Type\r\n489,Telephone & Internet,Expense\r\n490,Plans,Expense\r\n"
XERO_TAXES = "Tax Rate Name,Rate\nGST on Expenses,10\nGST Free Expenses,0\nBAS Excluded,0\n"
CONTACTS = "*ContactName,EmailAddress\nMaxoTel,\nTelstra,\n"


def found(folder: Path, name: str, books: Books, kind: str = "bill", account: str = "489"):
    """Look a bill's keys up."""
    target = load(name, SHELF)
    lines = [worded("10.00", account, text="Mobile"), worded("1.00", account, text="Local")]
    whole = posted(target.books, kind, lines)
    return troubles(whole, target, books, books.taxes("bill"), folder)


def lists(folder: Path, chart: str = XERO_CHART, contacts: str = CONTACTS) -> Books:
    """Write the lists that a user exported."""
    (folder / "chart.csv").write_text(chart, encoding="utf-8-sig")
    (folder / "taxes.csv").write_text(XERO_TAXES, encoding="utf-8")
    (folder / "contacts.csv").write_bytes(contacts.encode("cp1252"))
    return replace(
        PROGRAMS["xero"], chart="chart.csv", tax_rates="taxes.csv", contacts="contacts.csv"
    )


def test_what_is_in_the_lists_passes(tmp_path):
    """Stars, byte order marks and Windows' code are no hindrance."""
    assert found(tmp_path, "xero-bill", lists(tmp_path)) == ()


def test_nothing_is_looked_up_where_no_list_is_named(tmp_path):
    """Lists are the user's choice."""
    assert found(tmp_path, "xero-bill", PROGRAMS["xero"], account="999") == ()


def test_unknown_keys_are_named_by_line_with_the_nearest(tmp_path):
    """Accounts, taxes and contacts, all of them at once."""
    books = lists(
        tmp_path, XERO_CHART.replace("489,", "48,"), CONTACTS.replace("MaxoTel", "Maxotel")
    )
    (tmp_path / "taxes.csv").write_text(XERO_TAXES.replace("on Expenses", "on expenses"))
    assert found(tmp_path, "xero-bill", books) == (
        "contact 'MaxoTel' is not in contacts.csv (did you mean 'Maxotel'?)",
        "line 1 (Mobile): account '489' is not in chart.csv (did you mean '48'?)",
        (
            "line 1 (Mobile): tax 'GST on Expenses' is not in taxes.csv "
            "(did you mean 'GST on expenses'?)"
        ),
        "line 2 (Local): account '489' is not in chart.csv (did you mean '48'?)",
        (
            "line 2 (Local): tax 'GST on Expenses' is not in taxes.csv "
            "(did you mean 'GST on expenses'?)"
        ),
        (
            "line 3 (Plan fees): tax 'GST on Expenses' is not in taxes.csv "
            "(did you mean 'GST on expenses'?)"
        ),
    )


def test_myob_numbers_are_the_same_with_and_without_their_mark(tmp_path):
    """6-2210 and 62210; the list is separated by tabs."""
    (tmp_path / "chart.txt").write_text(
        "Account Number\tAccount Name\n62210\tTelephone\n62220\tPlans\n21260\tPayable\n"
    )
    books = replace(PROGRAMS["myob"], chart="chart.txt")
    assert found(tmp_path, "myob-journal", books, account="6-2210") == ()
    (trouble, *_) = found(tmp_path, "myob-journal", books, account="6-2219")
    assert "account '6-2219' is not in chart.txt (did you mean" in trouble


def test_the_other_side_of_a_journal_is_looked_up_too(tmp_path):
    """Accrued expenses that Xero does not have."""
    books = replace(lists(tmp_path), contacts="")
    told = found(tmp_path, "xero-journal", books, kind="accrual")
    assert [t for t in told if "account '803' is not in chart.csv" in t]


def test_a_list_that_is_none_is_refused(tmp_path):
    """Missing, or with other columns."""
    books = replace(PROGRAMS["xero"], chart="chart.csv")
    with pytest.raises(ConfigError, match=r"cannot read .*chart\.csv, which chart names"):
        found(tmp_path, "xero-bill", books)
    (tmp_path / "chart.csv").write_text("Colour,Size\nred,2\n")
    with pytest.raises(ConfigError, match="has no column that chart are known by"):
        found(tmp_path, "xero-bill", books)
