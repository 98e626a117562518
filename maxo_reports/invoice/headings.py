"""Columns found by their headings: the names that carriers use, and the nearest for a slip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maxo_reports.errors import did_you_mean
from maxo_reports.invoice.problems import Problems

OF_LINES: Mapping[str, tuple[str, ...]] = {
    "kind": ("kind", "line kind", "line type"),
    "text": ("text", "description", "details"),
    "category": ("category", "rate category"),
    "calls": ("calls", "number of calls", "quantity", "qty"),
    "charge": ("charge", "charges", "amount", "value"),
    "gst_free": ("gst free", "gst-free"),
}
"""Column of a bill's lines -> its headings."""
OF_CALLS: Mapping[str, tuple[str, ...]] = {
    "id": ("call id", "callid", "id", "record id", "cdr id"),
    "started": (
        "started",
        "start",
        "date time",
        "datetime",
        "date/time",
        "start time",
        "call time",
    ),
    "day": ("date", "call date", "day"),
    "clock": ("time", "time of day"),
    "unixtime": ("unixtime", "unix time"),
    "from": ("from", "origin", "source", "a party", "calling number", "caller"),
    "to": ("to", "destination", "b party", "called number", "number called", "dialled number"),
    "number": ("number", "phone number", "telephone number"),
    "seconds": ("duration", "seconds", "length", "duration (s)", "duration (seconds)"),
    "category": ("category", "rate category", "rate", "call type", "type"),
    "charge": ("charge", "cost", "amount", "price", "call charge"),
}
"""Column of a list of calls -> its headings."""


def found(
    head: Sequence[Any],
    known: Mapping[str, tuple[str, ...]],
    named: Mapping[str, str],
    problems: Problems,
    at: str,
) -> dict[str, int]:
    """Return where each column is; ``named`` are headings that the user gives for columns.

    Other columns are passed over, but one whose heading is nearly a known one is a mistake.
    """
    headings = [_folded(str(cell or "")) for cell in head]
    words = {word: column for column, all_words in known.items() for word in all_words}
    for column, heading in named.items():
        if column not in known:
            problems.add(f"[columns] {column!r} is no column{did_you_mean(column, known)}")
        elif _folded(heading) not in headings:
            meant = did_you_mean(_folded(heading), headings)
            problems.add(f"[columns] there is no heading {heading!r}{meant}", at)
        else:
            words[_folded(heading)] = column
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        column = words.get(heading, "")
        if not column:
            near = did_you_mean(heading, words)
            if near and _is_near(heading, words):
                problems.add(f"the heading {str(head[place])!r} is not known{near}", at)
        elif column in places:
            if column in named and _folded(named[column]) == heading:
                places[column] = place
            elif column not in named:
                problems.add(f"two columns are the {column}: {heading!r} is the second", at)
        else:
            places[column] = place
    return places


def _folded(heading: str) -> str:
    return " ".join(heading.casefold().replace("_", " ").split())


def _is_near(heading: str, words: Mapping[str, str]) -> bool:
    """Tell whether a heading is a slip of the pen: as good as one letter from a known one."""
    return any(
        len(word) > 3 and abs(len(word) - len(heading)) <= 1 and _slips(heading, word) <= 1
        for word in words
    )


def _slips(one: str, other: str) -> int:
    """Count the letters to change, add, drop or swap with the next; two stands for more."""
    if one == other:
        return 0
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    a, b = one[begin:], other[begin:]
    if a[1:] == b[1:] or a[1:] == b or a == b[1:]:
        return 1
    return 1 if len(a) > 1 < len(b) and a[:2] == b[1::-1] and a[2:] == b[2:] else 2
