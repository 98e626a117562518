"""Two looks at the same span, compared: cut and whole, filtered and not, earlier and later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from maxo_reports.core import cdr
from maxo_reports.core.changes import KINDS, Content, between, contents
from maxo_reports.core.questions import Line, as_relied, differs, judged, untold
from maxo_reports.core.sight import Sight, word
from maxo_reports.core.text import counted
from maxo_reports.errors import Garbled

AGAIN = "run again tomorrow"
_A_DAY = 20 * 3600
"""Seconds after which a probe counts as one of another day."""
_TOO_LONG = (
    "No report can be made of more than 10,000 calls in a request: such a reply is refused."
)


def cut(whole: Sight, seen: Sight, limit: int) -> tuple[Line, Line, Line]:
    """Judge a reply that ``limit`` must have cut, against the whole one of the same span."""
    held, there = len(seen.calls), len(whole.calls)
    counted_as = seen.document.get("count")
    said = f"limit {limit} of {there} calls: {held} came"
    obeyed = judged("limit", said, right=held == limit)
    if held > limit:
        obeyed = differs("limit", said, _TOO_LONG)
    if held >= there:
        why = "limit was not heeded"
        return obeyed, untold("kept", why), untold("count", why)
    says = {held: "the number of calls in it", there: "the number of calls there are"}
    said = says.get(counted_as, "another number") if type(counted_as) is int else "no number"
    return obeyed, _kept(whole, seen), judged("count", said, right=said == says[held])


def _kept(whole: Sight, seen: Sight) -> Line:
    there, held = sorted(whole.moments), sorted(seen.moments)
    if Counter(held) - Counter(there):
        return differs("kept", "calls that the whole reply has not")
    oldest, newest = there[: len(held)], there[-len(held) :]
    if oldest == newest:
        return untold("kept", "the calls began in one second")
    kept = "the oldest" if held == oldest else "the newest" if held == newest else "neither end"
    return as_relied("kept", kept)


def charges(whole: Sight, seen: Sight) -> Line:
    """Judge chargesOnly: exactly the calls whose cost is not zero, where it can be read."""
    there, came = whole.contents(), seen.contents()
    either = {i for i, call in (there | came).items() if call.cost is None}
    wanted = {i for i, call in there.items() if call.cost}
    return _subset("charges", "charged", wanted, set(came) - either, there)


def connected(whole: Sight, seen: Sight) -> Line:
    """Judge connectedOnly: exactly the calls that reports count as connected."""
    there = whole.columns
    pairs = zip(there.call_id, there.connected, strict=True) if there is not None else ()
    wanted = {call_id for call_id, is_connected in pairs if is_connected}
    return _subset("connected", "connected", wanted, set(seen.contents()), whole.contents())


def _subset(
    name: str, kind: str, wanted: set[str], came: set[str], there: Mapping[str, Content]
) -> Line:
    if wanted == set(there) == came:
        return as_relied(name, f"all {len(there)} are {kind}, and came")
    missing, more = len(wanted - came), len(came - wanted)
    said = f"{len(wanted)} of {len(there)} are {kind}: "
    said += f"{missing} missing, {more} more" if missing or more else "these came"
    return judged(name, said, right=not missing and not more)


FILTERED: Mapping[str, tuple[Mapping[str, int], Callable[[Sight, Sight], Line]]] = {
    "charges": ({"chargesOnly": 1}, charges),
    "connected": ({"connectedOnly": 1}, connected),
}
"""What is asked through the API's filters, and how the answer is judged."""


def csv(whole: Sight, body: bytes) -> Line:
    """Judge a CSV reply against the JSON one of the same span, call by call."""
    try:
        came = dict(contents(cdr.columns(cdr.read_csv(body), whole.clock)))
    except Garbled as why:
        return differs("csv", word(str(why), 80))
    changed = _changed(whole.contents(), came)
    return judged("csv", changed or f"the same {len(came)}", right=not changed)


def again(first: Sight, second: Sight) -> Line:
    """Judge whether the same question brought the same calls again."""
    before, after = first.contents(), second.contents()
    changed = _changed(before, after)
    if not changed and list(before) != list(after):
        return as_relied("again", "the same calls, in another order")
    return judged("again", changed or "the same calls", right=not changed)


def _changed(before: Mapping[str, Content], after: Mapping[str, Content]) -> str:
    changes = between(before, after, 0)
    counts = ((changes.count(kind), kind) for kind in KINDS)
    return ", ".join(f"{count:,} {kind}" for count, kind in counts if count)


def late(
    name: str, before: cdr.Reply, then: int, after: Sight, now: int, settle_hours: int
) -> Line:
    """Judge whether calls changed after they were asked; ``then`` and ``now`` are unix seconds.

    A change before a period is settled is what a provisional report is for; only one afterwards
    is another habit than we rely on.
    """
    span = after.window
    kept = {
        call_id: call
        for call_id, call in contents(cdr.columns(before, after.clock))
        if span.start <= call.unixtime < span.end
    }
    came = {i: c for i, c in after.contents().items() if span.start <= c.unixtime < span.end}
    changed = _changed(kept, came)
    settled = span.end + settle_hours * 3600
    said = f"{changed or 'none changed'} of {counted(len(kept), 'call')} in {_lapse(now - then)}"
    if not changed:
        return as_relied(name, said) if now - then >= _A_DAY else untold(name, f"{said}: {AGAIN}")
    if then >= settled:
        return differs(name, said)
    return as_relied(name, f"{said}, not settled yet") if now <= settled else untold(name, said)


def is_another_day(then: int, now: int) -> bool:
    """Tell whether enough time lies between two probes for calls to change in."""
    return now - then >= _A_DAY


def _lapse(seconds: int) -> str:
    """Write a length of time in the unit that fits it."""
    for unit, size in (("day", 24 * 3600), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return counted(seconds // size, unit)
    return counted(max(0, seconds), "second")
