"""hledger and ledger: one journal that both take in their strictest mode.

Accounts, payees and the commodity are declared. No balance is asserted, so that the file can be
included in a journal that has other entries on the same accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from maxo_reports.core.handoff.posting import Entry, PostingSet
from maxo_reports.core.handoff.target import Leg, Target, legs

_MARKS = str.maketrans({";": ",", "|": "/", "[": "(", "]": ")", "\t": " "})
"""Marks that begin a comment, end a payee or hold a date, and what stands for them."""
_CODE = str.maketrans("()", "  ")
_TAG = re.compile(r":(?=\s|$)|(?<!\S):")


def journal(whole: PostingSet, target: Target, texts: Mapping[str, str]) -> str:
    """Return the text of the journal."""
    shown = [(entry, legs(entry, gst_leg=target.gst_leg)) for entry in whole.entries]
    accounts = sorted({leg.account for _, each in shown for leg in each})
    payees = sorted({_text(entry.contact) for entry, _ in shown})
    lines = [
        f"; {_text(texts['title'])}",
        f"; {_text(texts['source'])}",
        f"commodity {texts['currency']} 1,000.00",
        *(f"account {account}" for account in accounts),
        *(f"payee {payee}" for payee in payees),
    ]
    for entry, each in shown:
        lines += ["", *_entry(entry, each, texts["currency"])]
    return "\n".join(lines) + "\n"


def _entry(entry: Entry, each: tuple[Leg, ...], currency: str) -> Iterator[str]:
    number = _text(entry.number.translate(_CODE))
    yield f"{entry.day} * ({number}) {_text(entry.contact)} | {_text(entry.text)}"
    width = max(len(leg.account) for leg in each)
    for leg in each:
        tracked = "".join(f", {_text(name)} {_text(option)}" for name, option in leg.tracking)
        # Two spaces end an account's name.
        yield (
            f"    {leg.account:<{width}}  {leg.debit:>14.2f} {currency}"
            f"  ; {_text(leg.text)}{tracked}"
        )


def _text(text: str) -> str:
    """Return a text that is neither a comment, nor a date, nor the name of a tag."""
    return " ".join(_TAG.sub("", text.translate(_MARKS)).split())
