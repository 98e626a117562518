"""Sales invoices for on-charging: what ``oncharge`` has sealed for each client, to the cent.

Nothing is worked out again: the lines, the GST and the total of an invoice are those of the
client's own sealed statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from maxo_reports import pack
from maxo_reports.clients import FOLDER
from maxo_reports.core.handoff.coding import Coding, Rule, coding_of
from maxo_reports.core.handoff.posting import Counter, Entry, PostingSet, Sold, sales
from maxo_reports.core.handoff.target import Target
from maxo_reports.core.heading import Heading
from maxo_reports.errors import ArchiveError, ConfigError, TieOutError, UsageError
from maxo_reports.handing.mapping import HandoffMap
from maxo_reports.handing.order import Order
from maxo_reports.handing.words import filled, of_period
from maxo_reports.pack import Pack

_TOTALS = 3
"""How many lines of a statement's charges are totals: without GST, GST, to be paid."""


@dataclass(frozen=True, slots=True)
class Charged:
    """One client's sealed charges: lines in cents without GST, the GST, what is to be paid."""

    id: str
    name: str
    lines: tuple[tuple[str, Decimal], ...]
    gst: Decimal
    total: Decimal


def charged(out: Path, account: str, label: str, calls_sha256: str) -> tuple[Charged, ...]:
    """Read what clients are charged for a period, from the sealed margin and statements.

    All of them are held against each other, and to the calls that are handed over.
    """
    margin = pack.latest(out / account / "margin" / label)
    if margin is None:
        raise UsageError(
            f"nobody is charged for {label} yet: run 'maxo-reports oncharge {label}' first"
        )
    pack.verify(margin.folder)
    if margin.basis["calls_sha256"] != calls_sha256:
        raise UsageError(
            f"{margin.folder} is of other calls than the period's newest pack: run "
            f"'maxo-reports oncharge {label}' again"
        )
    return tuple(_one(out / account, label, said) for said in margin.basis["clients"])


def _one(place: Path, label: str, said: Mapping[str, Any]) -> Charged:
    own = pack.revision(place / f"{FOLDER}{said['client']}" / label, said["revision"])
    if own is None:
        raise ArchiveError(f"the statement of client {said['client']!r} is no longer in {place}")
    pack.verify(own.folder)
    if own.basis.get("charges") != said["charges"]:
        raise TieOutError(f"{own.folder} does not say what the margin report says it does")
    return _read(own, said)


def _read(own: Pack, said: Mapping[str, Any]) -> Charged:
    try:
        every = [(str(text), Decimal(dollars)) for text, dollars in said["charges"]]
        lines, totals = every[:-_TOTALS], [dollars for _, dollars in every[-_TOTALS:]]
        net, gst, total = totals
    except (TypeError, ValueError, InvalidOperation):
        raise ArchiveError(f"{own.folder} has no whole charges") from None
    if sum((dollars for _, dollars in lines), Decimal(0)) != net or net + gst != total:
        raise TieOutError(f"{own.folder}: its lines do not add up to {total}")
    shown = tuple((text, dollars) for text, dollars in lines if dollars)
    return Charged(str(said["client"]), str(said["name"]), shown, gst, total)


def posted(
    order: Order,
    targets: Sequence[Target],
    books: str,
    mapping: HandoffMap,
    heading: Heading,
    clients: Sequence[Charged],
) -> PostingSet:
    """Post one invoice for each client that has something to pay."""
    said, known = mapping.books[books], of_period(heading)
    problems = []
    if not said.sales:
        problems.append("sales is missing: the income account")
    apart = [target for target in targets if target.shape != "lines"]
    if apart and not said.receivable:
        problems.append("receivable is missing: the other side")
    if any(target.gst_leg for target in apart) and not said.gst_collected:
        problems.append("gst_collected is missing: where GST goes")
    if problems:
        raise ConfigError([f"{mapping.path}: [books.{books}] {each}" for each in problems])
    text = filled(mapping.lines.sale, known)
    counter = Counter(said.receivable, text, said.gst_collected)
    day = order.day or heading.period.last
    due = order.due or day + timedelta(days=mapping.lines.due_days)
    own = [rule for rule in mapping.rules if set(rule.where) == {"client"}]
    sold = []
    for number, client in enumerate((c for c in clients if c.total), 1):
        coding = _coding(client, own, books, said.sales)
        contact = coding.contact or client.name
        entry = Entry(
            f"{client.id}-{heading.period.label}",
            f"S{number:03}{heading.period.last:%y%m}",
            day,
            due,
            contact,
            text,
            (),
            counter,
        )
        lines = tuple(
            (f"{line}, {known['first']} to {known['last']}", d) for line, d in client.lines
        )
        sold.append(Sold(entry, coding, lines, client.gst))
    if not sold:
        raise UsageError("no client has anything to pay: there is nothing to post")
    return sales(sold)


def _coding(client: Charged, rules: Sequence[Rule], books: str, account: str) -> Coding:
    """Return an invoice's coding: income, with the contact and tracking of the client's rule."""
    found = coding_of({"client": client.name}, rules, books)
    return replace(found, account=account, tax="gst" if client.gst else "free")
