"""One bill out of what a file says of it: the same rules for TOML, CSV and workbook.

A bill's own arithmetic comes first: its lines must add up to its total, or nothing else that is
said of it means anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from zoneinfo import available_timezones

from maxo_reports.core.bills.bill import LINE_KINDS, Bill, BillLine, folded
from maxo_reports.core.money import GstBasis, dollars, plain
from maxo_reports.core.text import has_controls
from maxo_reports.errors import did_you_mean
from maxo_reports.invoice import words
from maxo_reports.invoice.problems import Problems
from maxo_reports.rows import worded

FACTS = ("number", "issued", "from", "to", "gst", "timezone", "total")
BASES = ("inclusive", "exclusive")


@dataclass(frozen=True, slots=True)
class Given:
    """A value as the file has it, and the line that it is in."""

    value: Any
    at: str = ""


def bill(
    facts: Mapping[str, Given],
    lines: Sequence[BillLine],
    names: Mapping[str, str],
    problems: Problems,
) -> Bill:
    """Make a bill of its facts and lines; what is wrong with it is noted."""
    for name in ("number", "gst", "total"):
        if name not in facts:
            problems.add(f"{name!r} is missing: {_NEEDED[name]}")
    if not lines:
        problems.add("the bill has no lines")
    basis = _choice(facts.get("gst"), problems)
    total = _dollars(facts.get("total"), problems)
    zone = facts.get("timezone")
    if zone is not None and worded(zone.value) not in available_timezones():
        meant = did_you_mean(worded(zone.value), available_timezones())
        problems.add(f"timezone {zone.value!r} is not an IANA zone{meant}", zone.at)
    days = {name: _day(facts.get(name), name, problems) for name in ("issued", "from", "to")}
    first, last = days["from"], days["to"]
    if first and last and last < first:
        problems.add("the bill ends before it begins: 'to' is its last day")
    for line in lines:
        if line.kind == "gst" and basis == "inclusive":
            problems.add("a bill whose lines include GST adds none: leave the line out", line.at)
    number = facts["number"].value if "number" in facts else ""
    made = Bill(
        worded(number),
        cast("GstBasis", basis),
        total,
        tuple(lines),
        days["issued"],
        first,
        last,
        worded(zone.value) if zone is not None else "",
        dict(names),
    )
    if "total" in facts and lines and made.added_up != total:
        problems.add(_does_not_add_up(made), facts["total"].at)
    return made


_NEEDED = {
    "number": "the bill's number, as it is printed",
    "gst": f"whether the lines include GST, {' or '.join(BASES)}",
    "total": "what the bill comes to, as it is printed",
}


def line(given: Mapping[str, Any], at: str, problems: Problems) -> BillLine | None:
    """Read one line of a bill; what is wrong with it is noted."""
    kind = worded(given.get("kind")).casefold()
    if kind not in LINE_KINDS:
        meant = did_you_mean(kind, LINE_KINDS)
        known = ", ".join(LINE_KINDS)
        problems.add(f"kind {kind!r} is not known{meant}; there is: {known}", at)
        return None
    charge = words.micros(given.get("charge", ""))
    if charge is None:
        problems.add(f"charge {given.get('charge', '')!r} is no dollars, such as 15.00", at)
        return None
    text, category = worded(given.get("text")), worded(given.get("category"))
    if has_controls(text + category):
        problems.add("text and category must hold no control characters", at)
    calls = given.get("calls", "")
    count = words.length(calls) if worded(calls) else None
    if worded(calls) and count is None:
        problems.add(f"calls {calls!r} is no whole number", at)
    if kind == "credit" and charge > 0:
        problems.add("a credit is below nought: write it with a minus", at)
    if category and kind != "calls":
        problems.add("only a line of kind 'calls' has a category", at)
    said = text or category or LINE_KINDS[kind]
    return BillLine(at, kind, said, charge, category, count, _is_true(given, at, problems))


def names(given: Mapping[str, Any], problems: Problems) -> dict[str, str]:
    """Read which rate categories the bill calls what: ``"Calls to mobiles" = ["Mobile"]``."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for name, categories in given.items():
        listed = categories if isinstance(categories, list) else [categories]
        for category in listed:
            if not isinstance(category, str):
                problems.add(f"[categories] {name!r} must be a text or a list of texts")
            elif folded(category) in seen:
                problems.add(f"[categories] {category!r} stands under two names")
            else:
                found[category] = name
                seen.add(folded(category))
    return found


def check_names(given: Mapping[str, str], found: Sequence[BillLine], problems: Problems) -> None:
    """Note every name that no line of the bill has."""
    own = sorted({line.category for line in found if line.category})
    known = {folded(category) for category in own}
    for name in dict.fromkeys(given.values()):
        if folded(name) not in known:
            problems.add(f"[categories] no line has {name!r}{did_you_mean(name, own)}")


def _does_not_add_up(made: Bill) -> str:
    left = made.total - made.added_up
    said, added, rest = (plain(dollars(each)) for each in (made.total, made.added_up, left))
    gst = " (a line of kind 'gst' is missing)" if _is_gst(made, left) else ""
    return (
        f"the lines add up to {added}, but the total is {said}: {rest} is left over{gst}; correct "
        "a line, or write a line of kind 'rounding' where the bill itself does not add up"
    )


def _is_gst(made: Bill, left: int) -> bool:
    has_none = all(line.kind != "gst" for line in made.lines)
    return made.basis == "exclusive" and has_none and abs(left * 10 - made.added_up) < 100_000


def _choice(given: Given | None, problems: Problems) -> str:
    value = "unknown" if given is None else worded(given.value).casefold()
    if given is not None and value not in BASES:
        meant = did_you_mean(value, BASES)
        problems.add(f"gst must be {' or '.join(BASES)}, not {value!r}{meant}", given.at)
    return value


def _dollars(given: Given | None, problems: Problems) -> int:
    value = 0 if given is None else words.micros(given.value)
    if given is not None and value is None:
        problems.add(f"total {given.value!r} is no dollars, such as 123.45", given.at)
    return value or 0


def _day(given: Given | None, name: str, problems: Problems) -> date | None:
    value = None if given is None else words.day(given.value)
    if given is not None and value is None:
        problems.add(f"{name} {given.value!r} is no day, such as 2026-10-31", given.at)
    return value


def _is_true(given: Mapping[str, Any], at: str, problems: Problems) -> bool:
    value = given.get("gst_free", False)
    if isinstance(value, bool):
        return value
    said = worded(value).casefold()
    if said not in _TRUE and said not in _FALSE:
        problems.add(f"gst_free must be true or false, not {value!r}", at)
    return said in _TRUE


_TRUE: Iterable[str] = frozenset({"true", "yes", "1"})
_FALSE: Iterable[str] = frozenset({"false", "no", "0", ""})
