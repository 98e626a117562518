"""Targets: how a posting set is laid out for one accounting program's import.

A target is data (``handoff/*.toml``): columns under the very headings of the program's own
template, what stands in each, and the limits that its page gives. Here a posting set becomes the
values of those columns; writing them down is the renderers' work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from maxo_reports.core import text
from maxo_reports.core.handoff.coding import Tax
from maxo_reports.core.handoff.posting import Entry, Kind, Line, PostingSet
from maxo_reports.errors import did_you_mean

Shape = Literal["lines", "journal", "beancount", "ledger"]
SHAPES: tuple[Shape, ...] = ("lines", "journal", "beancount", "ledger")
"""A row a line; a row a leg, that of the other side among them; and two of plain text."""
Value = str | int | Decimal | date | None
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """One column: its heading, the ``VALUES`` name that fills it, and the template's limits."""

    name: str
    value: str = ""
    constant: str = ""
    longest: int = 0
    cut: bool = False
    """Whether a text that is too long is cut; one that is a key is refused instead."""
    without: str = ""
    """Characters that the program trips over; a space stands for each."""
    pattern: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """One file format of one program, as its page says it."""

    name: str
    title: str
    books: str
    shape: Shape
    kinds: tuple[Kind, ...]
    suffix: str
    note: str
    stem: str = ""
    columns: tuple[TargetColumn, ...] = ()
    encoding: str = "utf-8"
    delimiter: Literal["comma", "tab"] = "comma"
    dates: str = "%d/%m/%Y"
    blank_between: bool = False
    gst_leg: bool = False
    """Whether GST is a leg of its own; else it is in a line's columns."""
    most_rows: int = 0
    most_entries: int = 0
    tracking_most: int = 0
    tracking: tuple[str, ...] = ()
    negatives: bool = True
    guarded: bool = False
    account_pattern: str = ""
    """What an account looks like in a plain-text ledger; a column has a pattern of its own."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One side's part of an entry: ``debit`` dollars, negative for a credit."""

    account: str
    text: str
    debit: Decimal
    gst: Decimal
    tax: Tax
    contact: str = ""
    tracking: tuple[tuple[str, str], ...] = ()
    line: Line | None = None
    tax_code: str = ""
    """The user's own name of the tax, where it is not the usual one."""

    def tax_named(self, taxes: Mapping[str, str]) -> str:
        """Return the program's name of the tax; ``taxes`` are the usual ones."""
        return self.tax_code or taxes[self.tax]

    @property
    def net(self) -> Decimal:
        """The debit without the GST in it."""
        return self.debit - self.gst


def legs(entry: Entry, *, gst_leg: bool) -> tuple[Leg, ...]:
    """Return an entry as legs that add up to nothing.

    Calls that come to no cent have none: programs refuse lines of nothing. With ``gst_leg`` GST
    is a leg of its own and no line holds any, or a program that works GST out from a line's
    treatment would count it twice.
    """
    sign = -1 if entry.turned else 1
    found = [
        Leg(
            line.coding.account,
            line.text,
            sign * (line.net if gst_leg else line.booked),
            sign * (NOTHING if gst_leg else line.gst),
            "none" if gst_leg else line.coding.tax,
            line.coding.contact or entry.contact,
            line.coding.tracking,
            line,
            "" if gst_leg else line.coding.tax_code,
        )
        for line in entry.lines
        if line.booked
    ]
    if gst_leg and entry.gst:
        found.append(
            Leg(entry.counter.gst_account, "GST", sign * entry.gst, NOTHING, "none", entry.contact)
        )
    counter = entry.counter
    found.append(
        Leg(counter.account, counter.text, -sign * entry.payable, NOTHING, "none", entry.contact)
    )
    return tuple(found)


def parts(whole: PostingSet, target: Target) -> tuple[PostingSet, ...]:
    """Split a set into files, as the program's limits on rows and entries ask for.

    An entry with more rows than one file takes becomes several that each balance by themselves,
    numbered after the first; no file has more rows or entries than it may.
    """
    if not target.most_rows and not target.most_entries:
        return (whole,)
    small = [part for entry in whole.entries for part in _small(entry, target)]
    most_rows, most_entries = target.most_rows, target.most_entries
    files: list[list[Entry]] = [[]]
    rows = 0
    for entry in small:
        own = _rows(entry, target)
        full = files[-1] and (
            (most_rows and rows + own > most_rows)
            or (most_entries and len(files[-1]) >= most_entries)
        )
        if full:
            files.append([])
            rows = 0
        files[-1].append(entry)
        rows += own
    return tuple(replace(whole, entries=tuple(entries)) for entries in files)


def _rows(entry: Entry, target: Target) -> int:
    every = legs(entry, gst_leg=target.gst_leg)
    return len(every) - 1 if target.shape == "lines" else len(every)


def _small(entry: Entry, target: Target) -> Iterator[Entry]:
    """Cut an entry into such as a file has room for; bills are not cut: they are one document."""
    most = target.most_rows
    if target.shape == "lines" or not most or _rows(entry, target) <= most:
        yield entry
        return
    room = most - (2 if target.gst_leg else 1)
    lines = [line for line in entry.lines if line.booked]
    pieces = [tuple(lines[at : at + room]) for at in range(0, len(lines), room)]
    for number, piece in enumerate(pieces, 1):
        said = f"{entry.text} (part {number} of {len(pieces)})"
        yield replace(entry, lines=piece, text=said, number=f"{entry.number}-{number}")


@dataclass(frozen=True, slots=True)
class Place:
    """What a row is made from: the set, its entry, and one leg of it."""

    whole: PostingSet
    entry: Entry
    leg: Leg
    taxes: Mapping[str, str]
    currency: str
    period: str

    @property
    def line(self) -> Line | None:
        """The line behind the leg, where it is not that of the other side."""
        return self.leg.line


def _positive(value: Decimal) -> Decimal | None:
    return value if value > 0 else None


VALUES: Mapping[str, Callable[[Place], Value]] = {
    "number": lambda p: p.entry.number,
    "code": lambda p: p.entry.code,
    "day": lambda p: p.entry.day,
    "due": lambda p: p.entry.due,
    "contact": lambda p: p.entry.contact,
    "name": lambda p: p.leg.contact,
    "narration": lambda p: p.entry.text,
    "description": lambda p: p.leg.text,
    "account": lambda p: p.leg.account,
    "account_leaf": lambda p: p.leg.account.rpartition(":")[2],
    "tax": lambda p: p.leg.tax_named(p.taxes),
    "treatment": lambda p: p.leg.tax,
    "quantity": lambda _: 1,
    "booked": lambda p: p.line.booked if p.line else None,
    "net": lambda p: p.line.net if p.line else None,
    "gst": lambda p: p.line.gst if p.line else None,
    "debit": lambda p: _positive(p.leg.debit),
    "credit": lambda p: _positive(-p.leg.debit),
    "debit_net": lambda p: _positive(p.leg.net),
    "credit_net": lambda p: _positive(-p.leg.net),
    "gst_size": lambda p: abs(p.leg.gst),
    "signed": lambda p: p.leg.debit,
    "payable": lambda p: p.entry.payable,
    "currency": lambda p: p.currency,
    "commodity": lambda p: f"CURRENCY::{p.currency}",
    "period": lambda p: p.period,
    "kind": lambda p: p.whole.kind,
    "tracking_name_1": lambda p: _nth(p, 0)[0],
    "tracking_option_1": lambda p: _nth(p, 0)[1],
    "tracking_name_2": lambda p: _nth(p, 1)[0],
    "tracking_option_2": lambda p: _nth(p, 1)[1],
    "calls": lambda p: p.line.totals.calls if p.line and p.line.is_calls else None,
    "seconds": lambda p: p.line.totals.seconds if p.line and p.line.is_calls else None,
    "cost": lambda p: p.line.totals.cost if p.line and p.line.is_calls else None,
}
"""What a column can hold. ``tracking:Class`` is the option of the tracking of that name."""
TRACKED = "tracking:"


def _nth(place: Place, at: int) -> tuple[str, str]:
    tracking = place.leg.tracking
    return tracking[at] if at < len(tracking) else ("", "")


def value_of(column: TargetColumn, place: Place) -> Value:
    """Return what stands in a column for one leg; None is an empty cell."""
    if column.value.startswith(TRACKED):
        wanted = column.value.removeprefix(TRACKED).casefold()
        return next((o for name, o in place.leg.tracking if name.casefold() == wanted), "")
    value: Value = VALUES[column.value](place) if column.value else column.constant
    if not isinstance(value, str):
        return value
    for mark in column.without:
        value = value.replace(mark, " ")
    return text.visible(value, column.longest) if column.cut else value


Rows = tuple[tuple[Value, ...], ...]


def rows(
    whole: PostingSet, target: Target, taxes: Mapping[str, str], currency: str, period: str
) -> tuple[Rows, ...]:
    """Return the rows of one file, entry by entry."""
    found = []
    for entry in whole.entries:
        shown = legs(entry, gst_leg=target.gst_leg)
        if target.shape == "lines":
            shown = tuple(leg for leg in shown if leg.line is not None)
        places = (Place(whole, entry, leg, taxes, currency, period) for leg in shown)
        found.append(tuple(tuple(value_of(c, p) for c in target.columns) for p in places))
    return tuple(found)


def faults(target: Target, whole: PostingSet, laid_out: Sequence[Rows]) -> tuple[str, ...]:
    """Name everything in which rows do not keep to what the program's page says of a column."""
    found = list(_of_tracking(target, whole))
    if pattern := target.account_pattern:
        every = (leg for entry in whole.entries for leg in legs(entry, gst_leg=target.gst_leg))
        found += [
            f"account {leg.account!r} is not of the form that the program takes ({pattern})"
            for leg in every
            if not re.fullmatch(pattern, leg.account)
        ]
    number = 0
    for entry in laid_out:
        for row in entry:
            number += 1
            for column, value in zip(target.columns, row, strict=True):
                if fault := _fault(target, column, value):
                    found.append(f"line {number}, {column.name}: {fault}")
    return tuple(dict.fromkeys(found))


def _of_tracking(target: Target, whole: PostingSet) -> Iterator[str]:
    """Name tracking that the program's file has no room for; it would be lost without a word."""
    folded = {name.casefold() for name in target.tracking}
    for line in (line for entry in whole.entries for line in entry.lines):
        names = [name for name, _ in line.coding.tracking]
        if target.tracking_most and len(names) > target.tracking_most:
            listed = ", ".join(names)
            yield f"tracking {listed}: the file has room for {target.tracking_most}"
        for name in names if target.tracking else ():
            if name.casefold() not in folded:
                there, meant = ", ".join(target.tracking), did_you_mean(name, target.tracking)
                yield f"tracking {name!r} has no column there{meant}; there is: {there}"


def _fault(target: Target, column: TargetColumn, value: Value) -> str:
    if value is None or value == "":
        return "is empty, and has to be filled" if column.needed else ""
    if isinstance(value, Decimal) and value < 0 and not target.negatives:
        return f"{value} is negative, which this import does not take"
    if not isinstance(value, str):
        return ""
    if text.has_controls(value):
        return f"{value!r} holds a control character"
    if column.longest and text.length(value) > column.longest:
        return f"{value!r} is longer than {column.longest} characters"
    if column.pattern and not re.fullmatch(column.pattern, value):
        return f"{value!r} is not of the form that the program takes ({column.pattern})"
    return ""
