"""Differences call by call: an itemised bill whose calls were matched with the records.

Each pair, each line without a record and each record without a line becomes what can be proved
of it. Pairs that agree, but for GST or rounding, come added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from maxo_reports.core.bills.bill import Rows
from maxo_reports.core.bills.differences import Billed, Called, Difference
from maxo_reports.core.bills.scene import Scene
from maxo_reports.core.cdr import NONE
from maxo_reports.core.money import dollars, plain
from maxo_reports.core.text import counted


class Agreed(NamedTuple):
    """Pairs of one row that agree: their sums in micro-dollars.

    ``expected`` is the cost on the bill's basis; where ``charge`` is another, each call differs
    by less than the last decimal of the charges.
    """

    row: str
    calls: int
    cost: int
    expected: int
    charge: int


class Single(NamedTuple):
    """A line of the list without a record of its own.

    ``twin`` is the record that another line, ``twin_line``, was matched with already; ``other``
    is a record of another period in the archive.
    """

    billed: Billed
    twin: Called | None = None
    twin_line: int = 0
    other: Called | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """What came of matching: sums of what agrees, and one by one what does not.

    ``calls`` are charged records without a line; ``free`` counts those without a charge, which
    no bill needs to list. ``by_id`` and ``by_time`` count the pairs;
    ``charges`` is what the list adds up to.
    """

    agreed: tuple[Agreed, ...]
    pairs: tuple[tuple[Billed, Called], ...]
    lines: tuple[Single, ...]
    calls: tuple[Called, ...]
    free: int
    by_id: int
    by_time: int
    charges: int


def is_rounding(expected: int, charge: int, unit: int) -> bool:
    """Tell whether a charge is a cost brought to whole units; a cost that is whole needs none."""
    return expected % unit != 0 and 0 < abs(charge - expected) < unit


def listed_by_row(matched: Matched, rows: Rows) -> dict[str, int]:
    """Add up the list's charges by row: a call without a category is its record's."""
    sums: defaultdict[str, int] = defaultdict(int)
    for agreed in matched.agreed:
        sums[agreed.row] += agreed.charge
    for billed, called in matched.pairs:
        sums[rows.of(billed.category or called.category)] += billed.charge
    for single in matched.lines:
        sums[rows.of(_category(single))] += single.billed.charge
    return dict(sums)


def differences(matched: Matched, scene: Scene) -> tuple[Difference, ...]:
    """Return every difference of an itemised bill, sums first, then in the order of time."""
    found = [*_sums(matched)]
    for billed, called in matched.pairs:
        found += _pair(billed, called, scene)
    found += [_single(single, scene) for single in matched.lines]
    found += [_unbilled(called, scene) for called in matched.calls]
    return tuple(found)


def _sums(matched: Matched) -> Iterator[Difference]:
    for row, calls, cost, expected, charge in matched.agreed:
        if expected != cost:
            ratio = "11/10" if abs(expected) > abs(cost) else "10/11"
            why = f"{counted(calls, 'call')} at {ratio} of the cost"
            yield Difference("GST basis", ((row, expected - cost),), why, calls)
        if charge != expected:
            why = f"{counted(calls, 'call')} brought to the last decimal of the charges"
            yield Difference("rounding", ((row, charge - expected),), why, calls)


def _pair(billed: Billed, called: Called, scene: Scene) -> Iterator[Difference]:
    """Yield what differs in a pair: its row, then its basis, then its charge."""
    row = scene.rows.of(called.category)
    to = scene.rows.of(billed.category) if billed.category else row
    cost, both = called.cost, {"billed": billed, "called": called, "calls": 1}
    if to != row:
        why = f"the record says {called.category!r}, the bill {billed.category!r}"
        yield Difference("re-labelled", ((row, -cost), (to, cost)), why, **both)  # type: ignore[arg-type]
    if not called.readable:
        return  # what a cost that nobody can read should be billed as cannot be proved
    expected = scene.factor_of(to).expected(cost)
    if expected != cost:
        why = f"cost {_said(cost)} is {_said(expected)} on the bill's basis"
        yield Difference("GST basis", ((to, expected - cost),), why, **both)  # type: ignore[arg-type]
    if billed.charge == expected:
        return
    kind = "rounding" if is_rounding(expected, billed.charge, scene.unit) else "re-rated"
    why = f"billed {_said(billed.charge)}, the record's cost comes to {_said(expected)}"
    if billed.seconds is not None and called.seconds not in {None, billed.seconds}:
        why += f"; billed {billed.seconds} seconds, recorded {called.seconds}"
    yield Difference(kind, ((to, billed.charge - expected),), why, **both)  # type: ignore[arg-type]


def _single(single: Single, scene: Scene) -> Difference:
    """Judge a line of the list that has no record of its own."""
    billed, other = single.billed, single.other
    moves = ((scene.rows.of(_category(single)), billed.charge),)

    def found(kind: str, why: str, called: Called | None = None) -> Difference:
        return Difference(kind, moves, why, 1, billed=billed, called=called)

    if billed.charge < 0:
        return found("credit", "a line below nought", single.twin or other)
    if single.twin is not None:
        why = f"the same call as line {single.twin_line} of the list"
        return found("duplicate", why, single.twin)
    began = billed.unixtime or (other.unixtime if other else 0)
    if not began:
        return found("missing", "no record has its id; the list does not say when it began")
    inside = scene.period.start <= began < scene.period.end
    month = scene.month.start <= began < scene.month.end
    whole = any(span.start <= began < span.end for span in scene.whole)
    if inside or (other is None and whole):
        return found("missing", "the archive has the time whole, and no such record")
    record = "" if other else "; that period is not in the archive"
    if month:
        why = f"in the bill's month in {scene.zone}, not in the account's{record}"
        return found("boundary", why, other)
    if began < scene.period.start:
        return found("late", f"began before the period{record}", other)
    return found("missing", "began after the period, which no bill for it can charge", other)


def _category(single: Single) -> str:
    """Return the category that a line without a record of its own is under."""
    known = single.twin or single.other
    return single.billed.category or (known.category if known else NONE)


def _unbilled(called: Called, scene: Scene) -> Difference:
    """Judge a record that is charged and not on the bill."""
    moves = ((scene.rows.of(called.category), -called.cost),)

    def found(kind: str, why: str) -> Difference:
        return Difference(kind, moves, why, 1, called=called)

    if called.cost < 0:
        return found("credit", "a record below nought that is not on the bill")
    if not scene.month.start <= called.unixtime < scene.month.end:
        return found("boundary", f"not in the bill's month in {scene.zone}")
    if called.call_id in scene.late:
        return found("late", "the record was not there yet when the bill was issued")
    return found("extra", "the list of calls has no line for it")


def _said(micros: int) -> str:
    return plain(dollars(micros))
