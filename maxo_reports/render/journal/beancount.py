"""beancount 3: a whole ledger of its own, with a tolerance of nothing.

beancount would let half a cent pass otherwise. Every account is opened, and its balance asserted
on the day after the last entry, since an assertion holds at the beginning of its day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from maxo_reports.core.handoff.posting import Entry, PostingSet
from maxo_reports.core.handoff.target import Leg, Target, legs

_NO_KEY = re.compile(r"[^a-z0-9_-]+")


def journal(whole: PostingSet, target: Target, texts: Mapping[str, str]) -> str:
    """Return the text of the ledger."""
    currency = texts["currency"]
    shown = [(entry, legs(entry, gst_leg=target.gst_leg)) for entry in whole.entries]
    balances: dict[str, Decimal] = {}
    for _, each in shown:
        for leg in each:
            balances[leg.account] = balances.get(leg.account, Decimal("0.00")) + leg.debit
    first = min(entry.day for entry, _ in shown)
    after = max(entry.day for entry, _ in shown) + timedelta(days=1)
    lines = [
        f'option "title" {_quoted(texts["title"])}',
        f'option "operating_currency" "{currency}"',
        'option "tolerance_multiplier" "0"',
        "",
        f"{first} commodity {currency}",
        *(f"{first} open {account} {currency}" for account in sorted(balances)),
    ]
    for entry, each in shown:
        lines += ["", *_entry(entry, each, texts)]
    lines += [
        "",
        *(f"{after} balance {a} {_money(balances[a])} {currency}" for a in sorted(balances)),
    ]
    return "\n".join(lines) + "\n"


def _entry(entry: Entry, each: tuple[Leg, ...], texts: Mapping[str, str]) -> Iterator[str]:
    yield f"{entry.day} * {_quoted(entry.contact)} {_quoted(entry.text)} #calls"
    yield f"  number: {_quoted(entry.number)}"
    yield f"  source: {_quoted(texts['source'])}"
    width = max(len(leg.account) for leg in each)
    for leg in each:
        yield f"  {leg.account:<{width}}  {_money(leg.debit):>14} {texts['currency']}"
        yield f"    text: {_quoted(leg.text)}"
        if leg.line is not None and leg.line.is_calls:
            yield f"    calls: {leg.line.totals.calls}"
        for name, option in leg.tracking:
            yield f"    {_key(name)}: {_quoted(option)}"


def _money(value: Decimal) -> str:
    return f"{value:.2f}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _key(name: str) -> str:
    """Return a name as beancount takes it for a key: small letters, one of them first."""
    return f"tracking-{_NO_KEY.sub('-', name.casefold()).strip('-')}"
