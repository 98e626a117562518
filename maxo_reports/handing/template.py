"""Writes a mapping file from what a month holds, for its user to fill in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from maxo_reports.core.handoff.coding import Portion, coding_of
from maxo_reports.core.ledger import Totals
from maxo_reports.core.money import plain
from maxo_reports.core.text import counted
from maxo_reports.errors import ConfigError
from maxo_reports.handing.books import EXAMPLES, PROGRAMS
from maxo_reports.handing.mapping import HandoffMap, Lines

_HEAD = """\
# How your books name what the calls are, for 'maxo-reports handoff make'.
# Fill in the accounts; what is left empty is refused by name and never guessed.
version = 1

[lines]
# One line for each category; or for each of more, out of
# {dimensions}
split_by    = ["category"]
description = {description}
narration   = {narration}
sale        = {sale}         # on invoices to clients: without the carrier's name
due_days    = {due_days}                  # a bill is due so many days after its date
"""
_BOOKS = """
[books.{name}]
contact        = "MaxoTel"        # the supplier, exactly as your books have it
payable        = ""               # other side of a bill, in a journal
accrued        = ""               # other side of an accrual (accrued expenses)
allocated_from = ""               # other side of a cost allocation: where the bill was booked
gst_paid       = ""               # where GST goes, in a journal that shows it on a line
other          = ""               # what a bill asks for beside calls: plan fees, numbers
other_tax      = "gst"            # gst, free or none
tax_gst        = {tax_gst}
tax_free       = {tax_free}
tax_none       = {tax_none}
# sales         = ""             # for invoices to clients: income, the other side, GST
# receivable    = ""
# gst_collected = ""
# chart     = "chart.csv"         # lists exported from your books: every account, tax name
# tax_rates = "tax-rates.csv"     # and contact is looked up in them before a file is made
# contacts  = "contacts.csv"
"""
_RULES = """
# Rules, in order: a call's account, tax and tracking are each from the first rule that fits and
# says so. Besides category a rule may name direction, service_number and what else the calls
# are told apart by; tracking.xero = {{ Region = "Brisbane" }} gives Xero's tracking, and so do
# MYOB's Job and QuickBooks' Class and Location for theirs. tax is gst where nothing else is said:
# calls abroad made in Australia are taxable; tax_code.xero = "..." is another name for it than
# the usual one. What an account looks like:
# {examples}
"""


def text(portions: Sequence[Portion], names: Sequence[str], dimensions: Iterable[str]) -> str:
    """Return a mapping file for some programs' books, with a rule for each category."""
    lines = Lines()
    head = _HEAD.format(
        dimensions=", ".join(name for name in dimensions if name not in lines.split_by),
        description=_quoted(lines.description),
        narration=_quoted(lines.narration),
        sale=_quoted(lines.sale),
        due_days=lines.due_days,
    )
    books = [
        _BOOKS.format(
            name=name,
            tax_gst=_quoted(PROGRAMS[name].tax_gst),
            tax_free=_quoted(PROGRAMS[name].tax_free),
            tax_none=_quoted(PROGRAMS[name].tax_none),
        )
        for name in names
    ]
    examples = _RULES.format(examples=", ".join(f"{n}: {EXAMPLES[n]}" for n in names))
    return "".join([head, *books, examples, rules(portions, names)])


def rules(portions: Sequence[Portion], names: Sequence[str]) -> str:
    """Return a rule with an empty account for each category of some calls."""
    found: dict[str, Totals] = {}
    for portion in portions:
        category = portion.values["category"]
        found[category] = found.get(category, Totals()) + portion.totals
    written = []
    for category in sorted(found):
        totals = found[category]
        said = f"{counted(totals.calls, 'call')}, ${plain(totals.cost)}"
        accounts = "".join(f'account.{name} = ""\n' for name in names)
        written.append(f"\n[[rule]]\ncategory = {_quoted(category)}  # {said}\n{accounts}")
    return "".join(written)


def lacking(portions: Sequence[Portion], mapping: HandoffMap) -> tuple[Portion, ...]:
    """Return the calls for which some books of a mapping have no account."""
    return tuple(
        each
        for each in portions
        if not all(coding_of(each.values, mapping.rules, name).account for name in mapping.books)
    )


def write(path: Path, content: str) -> None:
    """Write a mapping file; one that is there is never overwritten."""
    try:
        with os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(content)
    except OSError as problem:
        raise ConfigError(f"cannot write {path}: {problem.strerror}") from None


def _quoted(value: str) -> str:
    """Write a text as TOML, whose text in quotes is JSON's but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
