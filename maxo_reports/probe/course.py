"""The course of a probe: which questions are asked of which calls, and in what order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from maxo_reports.archive.pulls import Account
from maxo_reports.carrier import LIMIT, Refusal
from maxo_reports.core import compared, sight
from maxo_reports.core.period import BillingPeriod, Window, unix_midnight, zone_named
from maxo_reports.core.questions import QUESTIONS, Line, as_relied, differs, untold
from maxo_reports.core.sight import Sight
from maxo_reports.errors import CarrierError, Refused
from maxo_reports.probe.asking import SAMPLE, Asking, Connect, Seen, is_final
from maxo_reports.probe.earlier import Earlier, ask_late

MOST_REQUESTS = 19
"""3 to find calls, 1 more for a form, 3 to find a few, 8 about these, 2 about earlier ones, and 2
that are repeated after a failure."""
_FEW = 25
"""Calls in the small span that most questions are about."""
_NARROWINGS = 3
_DAYS = (1, 7)
"""The latest days to look for calls in, before the whole span."""
_BROKEN = "the reply breaks a rule"
_ADVICE = (
    "there are no calls in these days: name a PERIOD that has some, such as 'maxo-reports probe "
    "last-month', or make a call and probe again tomorrow"
)


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found: a line for every question, the span it looked at, and how hard.

    ``advice`` says what to do where the carrier answered and there were no calls.
    """

    span: Window
    calls: int
    requests: int
    lines: tuple[Line, ...]
    advice: str = ""

    @property
    def differing(self) -> int:
        """How many answers are others than we rely on."""
        return sum(1 for line in self.lines if line.verdict == "differs")


def probe(
    account: Account,
    period: BillingPeriod,
    settle_hours: int,
    *,
    connect: Connect,
    told: Refusal,
    now: Callable[[], int],
) -> Probed:
    """Ask the open questions about the latest calls of a period, as far as it is over.

    Raises CarrierError where the carrier cannot be reached or does not know the key, and
    ArchiveError where the note cannot be read or kept. ``now`` gives unix seconds.
    """
    earlier = Earlier(account, period, settle_hours, now)
    known = earlier.known()  # before anything is asked: an archive that is damaged ends it here
    spans = _latest(period, now())
    calls, advice = 0, ""
    with ExitStack() as opened:
        asking = Asking(connect, told, period.zone, opened)
        found: dict[str, Line] = {}
        first = _first(asking, spans[0], found)
        why = "POST is not answered"
        if first is not None:
            sample = _sample(asking, first, spans, found)
            calls = len(sample.calls)
            advice = "" if calls else _ADVICE
            why = "no small span came whole" if calls else "there are no calls"
            whole = _whole(asking, sample)
            if calls:
                _within([sample] if whole is None else [sample, whole], found)
            if whole is not None:
                why = "there are too few calls"
                _ask_about(asking, whole, found)
            ask_late(asking, earlier, known, whole, found)
            found["shape"] = sight.shape(asking.seen)
    lines = tuple(found.get(name) or untold(name, why) for name in QUESTIONS)
    return Probed(spans[-1], calls, asking.requests, lines, advice)


def _latest(period: BillingPeriod, now: int) -> list[Window]:
    """Return ever longer spans to look for calls in, all with the same end; the last is all.

    Today is left out, since it is not over, unless the period began today.
    """
    zone = zone_named(period.zone)
    today = unix_midnight(datetime.fromtimestamp(now, zone).date(), zone)
    end = min(period.end, today if today > period.start else now)
    last = datetime.fromtimestamp(end - 1, zone).date()
    starts = [unix_midnight(last - timedelta(days=days - 1), zone) for days in _DAYS]
    spans = (Window(max(period.start, start), end) for start in (*starts, period.start))
    return list(dict.fromkeys(spans))


def _first(asking: Asking, window: Window, found: dict[str, Line]) -> Sight | None:
    """Ask the first question; where JSON is refused, as a form. None where both are."""
    try:
        seen = asking.sight(window)
    except Refused as no:
        if is_final(no) or no.status == 403:
            raise
        refused = f"refused, HTTP {no.status}"
    else:
        found["post"] = as_relied("post", "answered")
        return seen
    asking.post(form=True)
    try:
        seen = asking.sight(window)
    except Refused as no:
        if is_final(no) or no.status in {401, 403}:
            raise
        found["post"] = differs("post", f"{refused}; a form, too: {sight.word(str(no), 120)}")
        return None
    means = "No report can be made by this version, which asks in JSON: tell its makers."
    found["post"] = differs("post", f"{refused}; a form is answered", means)
    return seen


def _sample(asking: Asking, first: Sight, spans: list[Window], found: dict[str, Line]) -> Sight:
    """Return the reply of the shortest span that holds calls, and judge what it shows."""
    seen = first
    for span in spans[1:]:
        if seen.calls:
            break
        seen = asking.sight(span)
    without = next((each for each in asking.seen if not each.calls), None)
    if without is not None:
        found["empty"] = sight.empty(without)
    found["zone"] = sight.zone(seen, asking.zone)
    for name, judge in sight.AROUND.items():
        found[name] = judge(seen)
    return seen


def _within(sights: list[Sight], found: dict[str, Line]) -> None:
    """Judge the calls themselves, by the first reply that the strict reader takes."""
    read = next((seen for seen in sights if seen.columns is not None), None)
    for name, judge in sight.WITHIN.items():
        if read is None or read.reply is None or read.columns is None:
            found[name] = untold(name, _BROKEN)
        else:
            found[name] = judge(read.reply, read.columns)


def _whole(asking: Asking, sample: Sight) -> Sight | None:
    """Return the reply of a small span with calls that is known to be whole, or None."""
    seen = sample
    for _ in range(_NARROWINGS):
        if not seen.timed or len(seen.calls) <= _FEW:
            break
        seen = asking.sight(_run(seen))
        if len(seen.calls) < SAMPLE:
            break
    return seen if seen.timed and len(seen.calls) < SAMPLE else None


def _run(seen: Sight) -> Window:
    """Return the span of the few neighbouring calls that differ most in kind, late ones first."""
    timed = sorted(seen.timed, key=lambda pair: pair[0])
    kinds = [
        (call.get("direction"), call.get("status"), bool(str(call.get("cost")).strip("0.")))
        for _, call in timed
    ]
    lasts = range(min(_FEW, len(timed)) - 1, len(timed))
    last = max(lasts, key=lambda at: (len({*map(str, kinds[max(0, at - _FEW + 1) : at + 1])}), at))
    return Window(timed[max(0, last - _FEW + 1)][0], timed[last][0] + 1)


def _ask_about(asking: Asking, whole: Sight, found: dict[str, Line]) -> None:
    """Ask what a whole reply of a small span lets us ask."""
    span, moments = whole.window, sorted(whole.moments)
    moment = next((m for m in reversed(moments) if m - 1 not in moments), moments[-1])
    at = asking.sight(Window(moment, moment + 1))
    found["start"] = sight.edge("start", moment, at)
    before = asking.sight(Window(moment - 1, moment))
    found["end"] = sight.edge("end", moment, before)
    limit = len(whole.calls) // 2
    if limit:
        seen = asking.sight(span, {"limit": limit})
        for line in compared.cut(whole, seen, limit):
            found[line.name] = line
    found["above-limit"] = _above_limit(asking, span)
    gap = _gap(whole)
    if "empty" not in found and gap is not None:
        found["empty"] = sight.empty(asking.sight(gap))
    if whole.columns is None:
        found.update({n: untold(n, _BROKEN) for n in (*compared.FILTERED, "csv", "again")})
        return
    for name, (also, judge) in compared.FILTERED.items():
        ask = partial(asking.sight, span, also)
        found[name] = _judged(name, ask, partial(judge, whole))
    as_csv = partial(asking.body, span, {"outputFormat": "csv", "showHeadings": 1})
    found["csv"] = _judged("csv", as_csv, partial(compared.csv, whole))
    found["again"] = compared.again(whole, asking.sight(span))


def _judged(name: str, ask: Callable[[], Seen], judge: Callable[[Seen], Line]) -> Line:
    """Return the judgement of an answer, or that the carrier refused the question."""
    try:
        seen = ask()
    except Refused as no:
        if is_final(no):
            raise
        return differs(name, f"refused, HTTP {no.status}")
    return judge(seen)


def _above_limit(asking: Asking, span: Window) -> Line:
    try:
        asking.ask(span, lambda _: None, {"limit": LIMIT + 1})
    except Refused as no:
        if is_final(no):
            raise
        return as_relied("above-limit", f"refused, HTTP {no.status}")
    except CarrierError:
        return untold("above-limit", "no answer came")
    return as_relied("above-limit", "answered")


def _gap(whole: Sight) -> Window | None:
    """Return the longest span without calls in a whole reply, a second clear of each call."""
    edges = (whole.window.start - 1, *sorted(whole.moments), whole.window.end)
    before, after = max(pairwise(edges), key=lambda pair: pair[1] - pair[0])
    return Window(before + 1, after - 1) if after - before > 2 else None
