"""What one reply of a real account shows of the open questions.

A run refuses a reply that breaks a rule. Here it is looked at all the same, for the answer that
it gives, beside what the strict reader makes of it. Nothing of a call goes into a line but the
carrier's words of direction and status, and no word that could hold a telephone number.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from maxo_reports.core import cdr
from maxo_reports.core.cdr import QUIRKS, CallColumns
from maxo_reports.core.changes import Content, contents
from maxo_reports.core.period import LocalClock, Window
from maxo_reports.core.questions import Line, as_relied, differs, judged, untold
from maxo_reports.core.text import counted, visible
from maxo_reports.errors import Garbled, UsageError

_LONGEST_WORD = 40
_MOST_DIGITS = 4
"""A word of the carrier with more digits could hold a telephone number, and is not shown."""
_WORTH_PACKING = 2048
"""A reply of fewer bytes may go unpacked from a server that packs."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One successful reply, looked at.

    ``document`` is the JSON as it came. ``reply`` and ``columns`` are what the strict reader made
    of it, None where it breaks a rule; then ``broken`` says which one.
    """

    window: Window
    body: bytes
    packed: bool
    document: Mapping[str, Any]
    clock: LocalClock
    reply: cdr.Reply | None
    columns: CallColumns | None
    broken: str

    @property
    def calls(self) -> Sequence[Mapping[str, Any]]:
        """The calls as they came; none where they are no list of objects."""
        found = self.document.get("calls")
        return [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []

    @property
    def timed(self) -> list[tuple[int, Mapping[str, Any]]]:
        """The calls with their unix seconds, in the reply's own order.

        One that cannot be read or is not of the span is left out: nothing is asked by it.
        """
        texts = ((str(call.get("unixtime")), call) for call in self.calls)
        pairs = [(int(t), c) for t, c in texts if t.isascii() and t.isdigit() and len(t) <= 12]
        return [(t, c) for t, c in pairs if self.window.start <= t <= self.window.end]

    @property
    def moments(self) -> list[int]:
        """The unix seconds of ``timed``."""
        return [moment for moment, _ in self.timed]

    def contents(self) -> dict[str, Content]:
        """Return the calls by their id; none where the reply breaks a rule."""
        return dict(contents(self.columns)) if self.columns is not None else {}


def look(window: Window, body: bytes, zone: str, *, packed: bool) -> Sight:
    """Look at a reply; ``zone`` is the account's, for a reply that names none.

    Raises Garbled for what is no JSON object of a success: that is no habit but a mishap.
    """
    try:
        document = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("status") not in (1, "1"):
        cdr.read_reply(body)
        raise Garbled("the reply is no JSON object that says status 1")
    clock = _clock(str(document.get("timezone")), zone, window)
    try:
        reply = cdr.read_reply(body)
        return Sight(window, body, packed, document, clock, reply, cdr.columns(reply, clock), "")
    except Garbled as why:
        return Sight(window, body, packed, document, clock, None, None, word(str(why), 120))


def _clock(said: str, zone: str, window: Window) -> LocalClock:
    """Return the local time that the carrier goes by, or the account's where that is none."""
    try:
        return LocalClock.over(said, window.start, window.end)
    except UsageError:
        return LocalClock.over(zone, window.start, window.end)


def word(text: str, longest: int = _LONGEST_WORD) -> str:
    """Return a text of the carrier's to show; with many digits in it, these are blotted out."""
    many = sum(letter.isdigit() for letter in text) > _MOST_DIGITS
    return visible(_blotted(text) if many else text, longest)


def _blotted(text: str) -> str:
    return "".join("#" if letter.isdigit() else letter for letter in text)


def unix_seconds(seen: Sight) -> Line:
    """Judge whether the carrier took unix seconds: the echoed start is near what was asked."""
    ahead = _ahead(seen, "starttime", seen.window.start)
    if ahead is None:
        return untold("unix-seconds", "starttime cannot be read")
    right = abs(ahead) <= 24 * 3600
    return judged("unix-seconds", "taken" if right else "read as another time", right=right)


def echo(seen: Sight) -> Line:
    """Judge the echoed start and end against what was asked, as a run does."""
    edges = (("starttime", seen.window.start), ("endtime", seen.window.end))
    odd = []
    for name, asked in edges:
        ahead = _ahead(seen, name, asked)
        if seen.document.get(name) != seen.clock.text(asked):
            odd.append(f"{name} {_how_far(ahead)}")
    return differs("echo", "; ".join(odd)) if odd else as_relied("echo", "both as asked")


def _how_far(ahead: int | None) -> str:
    if ahead is None:
        return "cannot be read"
    return f"{abs(ahead):,} s {'late' if ahead > 0 else 'early'}" if ahead else "in another form"


def _ahead(seen: Sight, name: str, asked: int) -> int | None:
    """Return by how many seconds an echoed local time is later than what was asked."""
    try:
        said = datetime.fromisoformat(str(seen.document.get(name))).replace(tzinfo=None)
    except ValueError:
        return None
    return (said - seen.clock.local(asked)) // timedelta(seconds=1)


def zone(seen: Sight, account_zone: str) -> Line:
    """Judge the zone that the carrier keeps the account in."""
    said = str(seen.document.get("timezone"))
    return judged("zone", word(said), right=said == account_zone)


def edge(name: str, moment: int, seen: Sight) -> Line:
    """Judge ``start`` or ``end``: whether a call at ``moment`` came with a span of that edge."""
    came = moment in seen.moments
    return judged(name, "it came" if came else "it did not come", right=came == (name == "start"))


def order(seen: Sight) -> Line:
    """Tell the order of the calls in a reply."""
    moments = seen.moments
    if len(set(moments)) < 2:
        return untold("order", "too few calls")
    ways = {"oldest first": sorted(moments), "newest first": sorted(moments, reverse=True)}
    return as_relied("order", next((w for w, m in ways.items() if m == moments), "not by time"))


def empty(seen: Sight) -> Line:
    """Judge how a reply without calls is written."""
    if seen.calls:
        return untold("empty", "calls came where none were known")
    found, count = seen.document.get("calls"), seen.document.get("count")
    left_out = "calls" not in seen.document
    right = not left_out and found in (None, []) and type(count) is int and count == 0
    shown = "null" if found is None else "[]" if found == [] else "neither null nor []"
    said = f"{'left out' if left_out else shown}, count {count if type(count) is int else 'none'}"
    return judged("empty", said, right=right)


def shape(sights: Iterable[Sight]) -> Line:
    """Judge whether the strict reader of a run takes the replies."""
    looked_at = list(sights)
    broken = [seen.broken for seen in looked_at if seen.broken]
    if broken:
        number = counted(len(looked_at), "reply")
        return differs("shape", f"{len(broken)} of {number} broken: {broken[0]}")
    return as_relied("shape", f"{counted(len(looked_at), 'reply')} kept them")


def gzip(seen: Sight) -> Line:
    """Tell whether replies come packed."""
    if seen.packed:
        return as_relied("gzip", "packed")
    small = len(seen.body) < _WORTH_PACKING
    return untold("gzip", "the reply was small") if small else as_relied("gzip", "not packed")


def fields(reply: cdr.Reply, _: CallColumns) -> Line:
    """Judge the names of the fields."""
    odd = [
        f"{kind} {', '.join(word(name) for name in names)}"
        for kind, names in (("also", reply.unknown_fields), ("without", reply.missing_fields))
        if names
    ]
    return differs("fields", "; ".join(odd)) if odd else as_relied("fields", "those")


def clock(_: cdr.Reply, columns: CallColumns) -> Line:
    """Judge the local time text of every call against its unix time."""
    off = _odd(columns, "clock-differs")
    return judged("clock", f"{off:,} of {_calls(columns)} off" if off else "agrees", right=not off)


def cost(reply: cdr.Reply, columns: CallColumns) -> Line:
    """Judge the forms of cost: text or number, decimals, credits, and what is unreadable."""
    written = [bytes(call.cost).decode() for call in reply.calls]
    forms = {
        "text": any(raw.startswith('"') for raw in written),
        "number": any(raw[:1] in "-0123456789" for raw in written),
    }
    places = max(len(raw.strip('"').partition(".")[2]) for raw in written)
    said = [
        " and ".join(form for form, met in forms.items() if met) or "neither text nor number",
        f"{counted(places, 'decimal')} at most",
        "some negative" if _odd(columns, "credit") else "none negative",
    ]
    if bad := _odd(columns, "cost-unreadable"):
        like = next(filter(None, columns.cost_text), "nothing")
        said = [f"{bad:,} of {_calls(columns)} unreadable, like {visible(_blotted(like), 20)}"]
    return judged("cost", ", ".join(said), right=not bad)


def direction(reply: cdr.Reply, columns: CallColumns) -> Line:
    """Tell the words of direction, and judge whether they are known."""
    raw = (call.direction for call in reply.calls)
    return _words("direction", raw, columns, "direction-unknown")


def status(reply: cdr.Reply, columns: CallColumns) -> Line:
    """Tell the words of status, and judge whether they are known."""
    return _words("status", (call.status for call in reply.calls), columns, "status-unknown")


def _words(name: str, raw: Iterable[str | None], columns: CallColumns, quirk: str) -> Line:
    known: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for text, quirks in zip(raw, columns.quirks, strict=True):
        (unknown if quirks & QUIRKS[quirk] else known)[word(text or "") or "(none)"] += 1
    said = [_tally(known)] if known else []
    if unknown:
        said.insert(0, f"unknown: {_tally(unknown)}")
    return judged(name, "; known: ".join(said), right=not unknown)


def _tally(words: Counter[str]) -> str:
    return ", ".join(f"{text} ({times:,})" for text, times in words.most_common(8))


def _odd(columns: CallColumns, quirk: str) -> int:
    return sum(1 for quirks in columns.quirks if quirks & QUIRKS[quirk])


def _calls(columns: CallColumns) -> str:
    return counted(len(columns.call_id), "call")


AROUND: Mapping[str, Callable[[Sight], Line]] = {
    "unix-seconds": unix_seconds,
    "echo": echo,
    "order": order,
    "gzip": gzip,
}
"""What can be judged by any reply."""

WITHIN: Mapping[str, Callable[[cdr.Reply, CallColumns], Line]] = {
    "fields": fields,
    "clock": clock,
    "cost": cost,
    "direction": direction,
    "status": status,
}
"""What can be judged by any calls that the strict reader takes."""
