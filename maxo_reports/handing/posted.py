"""From a ledger and a mapping to posting sets, one for each program's books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from maxo_reports.core.handoff.coding import TAXES, Coding, Tax, Unmapped, coded, portions
from maxo_reports.core.handoff.posting import (
    Counter,
    Entry,
    Invoice,
    PostingSet,
    bill,
    journal,
    reversed_on,
)
from maxo_reports.core.handoff.target import Target
from maxo_reports.core.money import plain
from maxo_reports.core.report import Source
from maxo_reports.core.text import counted
from maxo_reports.errors import ConfigError, UsageError, did_you_mean
from maxo_reports.handing import sold
from maxo_reports.handing.books import ANY_BOOKS, COUNTERS, Books
from maxo_reports.handing.mapping import HandoffMap
from maxo_reports.handing.order import LETTERS, SHORT, Order
from maxo_reports.handing.sold import Charged
from maxo_reports.handing.words import filled, of_period, worded

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Aim:
    """One target, the name of the books that it is for, and what goes into its files."""

    target: Target
    books: str
    whole: PostingSet


def aims(
    order: Order,
    targets: Sequence[Target],
    mapping: HandoffMap,
    source: Source,
    clients: Sequence[Charged] = (),
) -> tuple[Aim, ...]:
    """Post the ledger for every target, or say all that is not mapped.

    Sales are posted from what ``clients`` are charged.
    """
    named = {target.name: _books_of(target, targets, mapping) for target in targets}
    sets: dict[str, PostingSet] = {}
    problems: list[str] = []
    for name in dict.fromkeys(named.values()):
        of_books = [target for target in targets if named[target.name] == name]
        try:
            sets[name] = (
                sold.posted(order, of_books, name, mapping, source.heading, clients)
                if order.kind == "sale"
                else _posted(order, of_books, name, mapping, source)
            )
        except ConfigError as problem:
            problems += problem.problems
    if problems:
        raise ConfigError(problems)
    return tuple(Aim(target, named[target.name], sets[named[target.name]]) for target in targets)


def _books_of(target: Target, targets: Sequence[Target], mapping: HandoffMap) -> str:
    """Return whose books a target is for; a list for any takes those of the other targets."""
    if target.books != ANY_BOOKS:
        if target.books not in mapping.books:
            meant = did_you_mean(target.books, mapping.books)
            raise ConfigError(
                f"{mapping.path}: target {target.name} needs a table [books.{target.books}]{meant}"
            )
        return target.books
    others = [each.books for each in targets if each.books != ANY_BOOKS]
    known = list(dict.fromkeys(others or mapping.books))
    if len(known) > 1:
        raise UsageError(
            f"target {target.name} lists the accounts of one program, and there are "
            f"{', '.join(known)}: ask for it with a target of that program alone"
        )
    return known[0]


def _posted(
    order: Order, targets: Sequence[Target], name: str, mapping: HandoffMap, source: Source
) -> PostingSet:
    books, lines, heading = mapping.books[name], mapping.lines, source.heading
    found, lacking = coded(portions(source.ledger), mapping.rules, name, lines.split_by)
    problems = [*_unmapped(lacking, targets, name, mapping)]
    entry = _entry(order, books, mapping, source)
    if any(target.shape != "lines" for target in targets) and not entry.counter.account:
        setting = COUNTERS[order.kind]
        problems.append(f"{mapping.path}: [books.{name}] {setting} is missing: the other side")
    if order.claims and any(t.gst_leg for t in targets) and not entry.counter.gst_account:
        problems.append(f"{mapping.path}: [books.{name}] gst_paid is missing: where GST goes")
    text = worded(found, lines, heading)
    if problems:
        raise ConfigError(problems)
    if order.kind == "bill":
        assert order.total is not None, "an order is checked first"
        other = Coding(books.other, _tax(books.other_tax))
        invoice = Invoice(
            order.total, other, filled(lines.other, of_period(heading)), claims=order.claims
        )
        whole = bill(text, heading.cost_gst, invoice, entry)
        _check_other(whole, name, mapping)
    else:
        assert order.kind != "sale", "sales are made from charges"
        whole = journal(order.kind, text, heading.cost_gst, entry)
        if order.reverses:
            whole = _with_reversal(whole, source)
    if not any(line.booked for each in whole.entries for line in each.lines):
        raise UsageError("the calls come to 0.00: there is nothing to post")
    return whole


def _tax(word: str) -> Tax:
    return next(tax for tax in TAXES if tax == word)


def _entry(order: Order, books: Books, mapping: HandoffMap, source: Source) -> Entry:
    """Return the entry without its lines."""
    period, lines = source.heading.period, mapping.lines
    day = order.day or period.last
    due = order.due or (day + timedelta(days=lines.due_days) if order.kind == "bill" else day)
    number = order.number or f"CDR-{period.last:%Y%m%d}-{SHORT[order.kind]}"
    text = filled(lines.narration, of_period(source.heading))
    counter = Counter(getattr(books, COUNTERS[order.kind]), text, books.gst_paid)
    # MYOB's own numbers have eight characters.
    code = f"{LETTERS[order.kind]}{period.last:%y%m%d}"
    return Entry(number, code, day, due, books.contact, text, (), counter)


def _with_reversal(whole: PostingSet, source: Source) -> PostingSet:
    (entry,) = whole.entries
    text = f"{entry.text} (reversal)"
    return replace(whole, entries=(entry, reversed_on(entry, source.heading.period.until, text)))


def _unmapped(
    lacking: Sequence[Unmapped], targets: Sequence[Target], name: str, mapping: HandoffMap
) -> Iterator[str]:
    """Say which calls have no account, for which targets."""
    names = ", ".join(target.name for target in targets)
    for each in lacking[:_MOST_TOLD]:
        said = ", ".join(f"{key} {value!r}" for key, value in each.values.items())
        calls = counted(each.totals.calls, "call")
        yield (
            f"{mapping.path}: {said} is not mapped to an account of {name} "
            f"({calls}, ${plain(each.totals.cost)}), so {names} cannot be made"
        )
    if len(lacking) > _MOST_TOLD:
        yield f"{mapping.path}: and {len(lacking) - _MOST_TOLD} more are not mapped"


def _check_other(whole: PostingSet, name: str, mapping: HandoffMap) -> None:
    """Refuse a bill that asks for more or less than the calls, where nobody said what for."""
    if whole.proof.other == Decimal(0) or any(
        not line.is_calls and line.coding.account for e in whole.entries for line in e.lines
    ):
        return
    calls = whole.proof.payable - whole.proof.other
    raise ConfigError(
        f"{mapping.path}: the bill's total, {whole.proof.payable}, is {whole.proof.other:+} from "
        f"what its calls come to, {calls}: plan fees, say; name the account that this goes to as "
        f"[books.{name}] other"
    )
