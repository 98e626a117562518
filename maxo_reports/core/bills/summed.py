"""Differences of a bill that lists no calls: only sums, so only what sums and dates can prove.

Single calls are named where the archive proves that they cannot be, or must be, in the bill's
sums: by the bill's own month, and by what the records were when the bill was issued. Everything
else stays unexplained, with a hint at what it looks like.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from maxo_reports.core.bills.bill import Bill, BillLine, rounded, rounded_up
from maxo_reports.core.bills.differences import Called, Difference
from maxo_reports.core.bills.scene import Scene
from maxo_reports.core.changes import Change, Changes, Content
from maxo_reports.core.money import dollars, plain
from maxo_reports.core.text import counted


class RowSums(NamedTuple):
    """A row's calls added up, in micro-dollars.

    ``each`` is the sum of the costs on the bill's basis with each call brought to the cent, half
    up; ``each_up`` the same with each call brought up to the cent.
    """

    calls: int = 0
    charged: int = 0
    cost: int = 0
    each: int = 0
    each_up: int = 0


@dataclass
class _Row:
    """A row on its way from the calls' sums to what the bill should say."""

    sums: RowSums
    lines: list[BillLine] = field(default_factory=list)
    expected: int = 0
    charge: int = 0

    @property
    def rest(self) -> int:
        """What is not explained yet."""
        return self.charge - self.expected

    @property
    def said(self) -> int | None:
        """How many calls the bill says, or None where it does not."""
        counts = [line.calls for line in self.lines]
        return None if None in counts or not counts else sum(filter(None, counts))


def differences(
    bill: Bill,
    sums: Mapping[str, RowSums],
    scene: Scene,
    out: Sequence[Called],
    into: Sequence[Called],
    changes: Changes | None,
) -> tuple[Difference, ...]:
    """Return what can be proved of a bill without a list of calls.

    ``out`` are calls of the period that are not in the bill's month, ``into`` those of other
    periods that are; ``changes`` is what became of the records since the bill was issued.
    """
    moved = [*_boundary(out, into, scene), *_since(changes, {c.call_id for c in out}, scene)]
    rows: dict[str, _Row] = {name: _Row(each) for name, each in sums.items()}
    for line in bill.call_lines:
        row = rows.setdefault(scene.rows.of(line.category), _Row(RowSums()))
        row.lines.append(line)
        row.charge += line.charge
    for difference in moved:
        for name, micros in difference.moves:
            row = rows.setdefault(name, _Row(RowSums()))
            row.sums = _with(row.sums, micros, difference, name, scene)
    found = list(moved)
    for name in sorted(rows):
        found += _of_row(name, rows[name], scene)
    return (*found, *_renamed(rows), *_moved(rows))


def _boundary(out: Sequence[Called], into: Sequence[Called], scene: Scene) -> Iterator[Difference]:
    for sign, calls in ((-1, out), (1, into)):
        where = "not in" if sign < 0 else "in"
        for called in calls:
            if called.cost:
                why = f"{where} the bill's month in {scene.zone}"
                moves = ((scene.rows.of(called.category), sign * called.cost),)
                yield Difference("boundary", moves, why, 1, called=called)


def _since(changes: Changes | None, out: set[str], scene: Scene) -> Iterator[Difference]:
    """Yield what became of the records after the bill was issued, which it could not know."""
    month = scene.month
    for change in changes.calls if changes else ():
        # A record that is gone, or free by now, is not among those that are out of the month.
        inside = month.start <= change.either.unixtime < month.end
        if inside and change.call_id not in out:
            yield from _changed(change, scene)


def _changed(change: Change, scene: Scene) -> Iterator[Difference]:
    before, after = change.before, change.after
    called = _called(change.call_id, change.either)
    row = scene.rows.of(change.either.category)
    if before is None or after is None:
        kind = "late" if before is None else "missing"
        why = (
            "the record was not there yet when the bill was issued"
            if before is None
            else "the record was there when the bill was issued, and is gone"
        )
        if change.micros:
            yield Difference(kind, ((row, -change.micros),), why, 1, called=called)
        return
    was = scene.rows.of(before.category)
    if was != row and (before.cost or 0):
        cost = before.cost or 0
        why = f"its category was {before.category!r} when the bill was issued"
        yield Difference("re-labelled", ((row, -cost), (was, cost)), why, 1, called=called)
    if change.micros:
        why = f"its cost was {_said(before.cost or 0)} when the bill was issued"
        yield Difference("re-rated", ((row, -change.micros),), why, 1, called=called)


def _called(call_id: str, content: Content) -> Called:
    return Called(
        call_id,
        content.unixtime,
        content.direction,
        content.a_party,
        content.b_party,
        content.seconds,
        content.category,
        content.cost or 0,
        "",
    )


def _with(sums: RowSums, micros: int, of: Difference, row: str, scene: Scene) -> RowSums:
    """Return a row's sums after a call has come or gone; a cost that changed is no call."""
    expected = scene.factor_of(row).expected(micros)
    # A credit that comes takes dollars away: the sign alone does not say which way it went.
    came = (micros > 0) == (of.called is None or of.called.cost > 0)
    calls = 0 if of.kind == "re-rated" else (1 if came else -1)
    return RowSums(
        sums.calls + calls,
        sums.charged + calls,
        sums.cost + micros,
        sums.each + rounded(expected),
        sums.each_up + rounded_up(expected),
    )


def _of_row(name: str, row: _Row, scene: Scene) -> Iterator[Difference]:
    """Yield what a row's sums prove: GST, a line that stands twice, rounding."""
    cost = row.sums.cost
    row.expected = scene.factor_of(name).expected(cost)
    if row.expected != cost:
        ratio = f"{scene.factor.times}/{scene.factor.over}"
        why = f"{counted(row.sums.calls, 'call')} at {ratio} of the cost"
        yield Difference("GST basis", ((name, row.expected - cost),), why, row.sums.calls)
    if not _rule(row, row.charge):
        again = _repeated(row)
        if again and _rule(row, row.charge - _charges(again)):
            yield from _twice(name, row, again)
    rule = _rule(row, row.charge)
    if row.rest and rule:
        yield Difference("rounding", ((name, row.rest),), rule, row.sums.calls)
        row.charge = row.expected


def _repeated(row: _Row) -> list[BillLine]:
    """Return the lines of a row that stand there once more, each after its first."""
    seen: set[tuple[str, int | None, int]] = set()
    again = []
    for line in row.lines:
        mark = (line.text, line.calls, line.charge)
        again += [line] if mark in seen else []
        seen.add(mark)
    return again


def _charges(lines: Sequence[BillLine]) -> int:
    return sum(line.charge for line in lines)


def _twice(name: str, row: _Row, again: Sequence[BillLine]) -> Iterator[Difference]:
    """Yield the lines that are there once too often, and take them off their row."""
    for line in again:
        why = "the same line stands twice, and one of it is what the calls come to"
        yield Difference("duplicate", ((name, line.charge),), why, line.calls or 0, line.at)
        row.lines.remove(line)
    row.charge -= _charges(again)


def _rule(row: _Row, charge: int) -> str:
    """Name the rule by which a row's calls come to a charge, or return nothing."""
    if charge == row.expected:
        return "exactly the cost"
    if charge == rounded(row.expected):
        return "the sum rounded to the cent"
    if charge == row.sums.each:
        return "each call rounded to the cent"
    if charge == row.sums.each_up:
        return "each call rounded up to the cent"
    return ""


def _renamed(rows: Mapping[str, _Row]) -> Iterator[Difference]:
    """Yield rows that have calls and no line, and lines without calls, that are one another's."""
    calls = [n for n, r in rows.items() if not r.lines and r.expected]
    lines = [n for n, r in rows.items() if r.lines and not r.sums.calls and r.charge]
    fits: defaultdict[str, list[str]] = defaultdict(list)
    for name in calls:
        for other in lines:
            sums, to = rows[name].sums, rows[other]
            once = [line for line in to.lines if line not in _repeated(to)]
            counts = [line.calls for line in once]
            said = None if None in counts else sum(filter(None, counts))
            if said in {None, sums.calls, sums.charged} and (
                _rule(rows[name], to.charge) or _rule(rows[name], _charges(once))
            ):
                fits[name].append(other)
    taken = Counter(other for others in fits.values() for other in others)
    for name, others in sorted(fits.items()):
        if len(others) != 1 or taken[others[0]] != 1:
            continue
        (other,) = others
        row, to = rows[name], rows[other]
        if not _rule(row, to.charge):
            yield from _twice(other, to, _repeated(to))
        why = f"the calls of {name!r} come to what the bill has for {other!r}"
        moves = ((name, -row.expected), (other, row.expected))
        yield Difference("re-labelled", moves, why, row.sums.calls, to.lines[0].at)
        if to.charge != row.expected:
            why = _rule(row, to.charge)
            yield Difference("rounding", ((other, to.charge - row.expected),), why)
        row.charge, to.charge = row.expected, to.expected


def _moved(rows: Mapping[str, _Row]) -> Iterator[Difference]:
    """Yield calls that one row has too few and another too many: as many, with as many dollars."""
    left = {n: (r.rest, _too_many(r)) for n, r in rows.items() if r.rest}
    against = {
        name: [
            other
            for other, (its_rest, its_more) in left.items()
            if its_rest == -rest and any(m and -m in its_more for m in more)
        ]
        for name, (rest, more) in left.items()
    }
    for name, (rest, more) in sorted(left.items()):
        # Of two rows that have too few, nobody can say whose calls the third has too many.
        if rest < 0 and len(against[name]) == 1 == len(against[against[name][0]]):
            (other,) = against[name]
            count = max(abs(m) for m in more if -m in left[other][1])
            why = f"{counted(count, 'call')} fewer in {name!r} and more in {other!r} than recorded"
            moves = ((name, rest), (other, -rest))
            yield Difference("re-labelled", moves, why, count, rows[other].lines[0].at)


def _too_many(row: _Row) -> frozenset[int]:
    """Return by how many calls the bill is over, counting all calls or the charged ones."""
    said = row.said
    if said is None:
        return frozenset()
    return frozenset({said - row.sums.calls, said - row.sums.charged})


def _said(micros: int) -> str:
    return plain(dollars(micros))
