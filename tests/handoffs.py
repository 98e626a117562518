"""Handoff files for tests, from made-up lines to bytes, as ``handoff make`` writes them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from postings import ENTRY, made_up, worded

from maxo_reports.core.handoff.coding import Coding
from maxo_reports.core.handoff.posting import (
    Counter,
    Entry,
    Invoice,
    PostingSet,
    Sold,
    Worded,
    bill,
    journal,
    reversed_on,
    sales,
)
from maxo_reports.core.handoff.target import Target, faults, parts, rows
from maxo_reports.definitions import Shelf
from maxo_reports.handing.books import PROGRAMS
from maxo_reports.handing.targets import load
from maxo_reports.render import journal as writers
from maxo_reports.tieout.handed import handed

SHELF = Shelf.of(None)
TEXTS = {
    "title": "Acme: calls 2026-10",
    "source": "maxo-reports 0.1.0, calls abc",
    "currency": "AUD",
    "period": "2026-10",
}
HOSTILE = (
    "=cmd|' /C calc'!A0",
    '+61 "quoted", and a comma',
    "; a comment",
    "@here Key: value",
    "two  spaces\\and a backslash",
    "caf\u00e9 \u2013 \U0001f4de",
    "(code) | payee",
    ":tag: x",
)
ACCOUNTS: Mapping[str, tuple[str, str, str, str, str]] = {
    "xero": ("489", "490", "803", "804", "820"),
    "myob": ("6-2210", "6-2220", "2-1250", "2-1260", "2-1310"),
    "qbo": ("Telephone", "Telephone:Plans", "Accrued expenses", "Payable", "GST"),
    "beancount": (
        *("Expenses:Telephone:Calls", "Expenses:Telephone:Plans", "Liabilities:Accrued"),
        *("Liabilities:MaxoTel", "Assets:GST-Paid"),
    ),
    "hledger": (
        *("expenses:telephone:calls", "expenses:telephone:plan fees", "liabilities:accrued"),
        *("liabilities:accounts payable", "assets:gst paid"),
    ),
    "gnucash": (
        *("Expenses:Telephone", "Expenses:Plans", "Liabilities:Accrued"),
        *("Liabilities:MaxoTel", "Assets:GST Paid"),
    ),
}
"""Program -> calls, what else a bill asks for, accrued, payable, GST."""


def entry_for(books: str, kind: str) -> Entry:
    """Make an entry whose other side is right for the program."""
    _, _, accrued, payable, gst = ACCOUNTS[books]
    other_side = payable if kind in {"bill", "sale"} else accrued
    number = "INV-77" if kind == "bill" else "CDR-20261031-ACC"
    counter = Counter(other_side, ENTRY.text, gst)
    day = date(2026, 11, 3) if kind == "bill" else date(2026, 10, 31)
    return replace(ENTRY, number=number, counter=counter, day=day, due=max(day, ENTRY.due))


def lines_for(books: str, texts: tuple[str, ...] = HOSTILE) -> list[Worded]:
    """Make lines with texts that files must survive."""
    account = ACCOUNTS[books][0]
    return [
        worded(f"{3 * n + 1}.33{n}7", account, "free" if n == 2 else "gst", text, calls=n + 1)
        for n, text in enumerate(texts)
    ]


def posted(books: str, kind: str, lines: list[Worded] | None = None) -> PostingSet:
    """Post lines as a bill with GST claimed, or an accrual with its reversal, or sales."""
    entry = entry_for(books, kind)
    lines = lines_for(books) if lines is None else lines
    if kind == "bill":
        other = Coding(ACCOUNTS[books][1], "gst")
        invoice = Invoice(Decimal("150.00"), other, "Plan fees", claims=True)
        return bill(lines, "exclusive", invoice, entry)
    if kind == "sale":
        charges = tuple((each.text, round(each.coded.totals.cost, 2)) for each in lines)
        gst = sum(net for _, net in charges) / 10
        coding = lines[0].coded.coding
        own = replace(entry, number="S-1", contact="Smith & Co")
        return sales([Sold(own, coding, charges, round(gst, 2))])
    whole = journal("accrual" if kind == "accrual" else "allocation", lines, "unknown", entry)
    back = reversed_on(whole.entries[0], date(2026, 11, 1), f"{entry.text} (reversal)")
    return replace(whole, entries=(*whole.entries, back)) if kind == "accrual" else whole


@dataclass(frozen=True)
class Written:
    """One file that was written, and what it was written from."""

    path: Path
    whole: PostingSet
    target: Target


def written(
    folder: Path, name: str, kind: str, *, books: str = "", lines: list[Worded] | None = None
) -> list[Written]:
    """Write a target's files, checked and read back as a handoff's are."""
    target = load(name, SHELF)
    books = books or (target.books if target.books != "any" else "xero")
    whole = posted(books, kind, lines)
    taxes = PROGRAMS[books].taxes(whole.kind)
    found = faults(target, whole, rows(whole, target, taxes, "AUD", "2026-10"))
    assert not found, found
    files = []
    for number, part in enumerate(parts(whole, target), 1):
        path = folder / f"{name}-{kind}-{number}{target.suffix}"
        writers.put(path, writers.write(part, target, taxes, TEXTS))
        handed(path, part, target)
        files.append(Written(path, part, target))
    return files


def needs(program: str) -> pytest.MarkDecorator:
    """Pass over a test where a program is not installed."""
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


def said_by(*words: object) -> str:
    """Run a program that must say that all is well, and return what it says."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


__all__ = ["made_up"]
