"""Pulling a period: tile it in windows, ask for each, split what is full, keep every reply.

``calls/list`` has no cursor and no total. The only proof that a reply is whole is that it
holds fewer calls than the limit, so a window whose reply is full is cut in smaller ones and
asked again, down to one second. Where to cut is a guess from the density of calls seen so
far; a wrong guess costs a request, never a call.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from maxo_reports.archive import columns
from maxo_reports.archive.pulls import ACCEPTED, FULL, Account, Answer, Asked, Pull
from maxo_reports.carrier import LIMIT, Carrier, RawResponse
from maxo_reports.core import cdr
from maxo_reports.core.period import BillingPeriod, LocalClock, Window
from maxo_reports.errors import Garbled, Refused, TooDense

_HOUR = 3600
_FILL = 0.85
"""How full a window is planned to be, as a share of the limit: room for a busier day."""
_KEPT = 0.95
"""How much of what earlier windows taught is kept when another one is answered."""
_UNKNOWN_FACTOR = 3.2
"""A full reply that does not show how much was cut: guess this many times the limit."""
_HINTED_CUTS = 6
"""How often one span is cut where the calls seen suggest, before it is simply halved."""
RESUME_SECONDS = 24 * _HOUR
"""A pull that was cut short is taken up again within a day; later it is begun anew."""


class Density:
    """Where in a period calls are likely, as a weight for every hour; only sizes windows.

    The weights come from the hours of an earlier pull of the same account, spread over the
    hours of the week, or else from the usual shape of a business week.
    """

    def __init__(self, period: BillingPeriod, earlier: dict[int, int], calls: float = 0) -> None:
        clock = LocalClock.over(period.zone, period.start, period.end)
        hours = range(period.start, period.end, _HOUR)
        shape = _week_shape(earlier, period.zone)
        own = [earlier.get(hour - hour % _HOUR) for hour in hours]
        weights = [
            float(seen) if seen is not None else shape[_hour_of_week(hour, clock)]
            for hour, seen in zip(hours, own, strict=True)
        ]
        floor = 0.02 * (sum(weights) / len(weights) or 1.0)
        self._start = period.start
        self._end = period.end
        self._sums = [0.0]
        for weight in weights:
            self._sums.append(self._sums[-1] + max(weight, floor))
        self.total = self._sums[-1]
        self.calls = calls or (self.total if earlier else 0.0)
        """Calls to expect in the whole period; 0 when nothing is known."""

    def weight(self, start: int, end: int) -> float:
        """Return the weight of a span."""
        return self._upto(end) - self._upto(start)

    def after(self, start: int, weight: float) -> int:
        """Return the second at which the span from ``start`` reaches a weight."""
        wanted = self._upto(start) + weight
        hour = min(max(bisect_left(self._sums, wanted), 1), len(self._sums) - 1)
        low, high = self._sums[hour - 1], self._sums[hour]
        at = self._start + (hour - 1) * _HOUR + int(_HOUR * (wanted - low) / (high - low))
        return min(at, self._end)

    def _upto(self, at: int) -> float:
        hour, second = divmod(min(max(at, self._start), self._end) - self._start, _HOUR)
        if hour >= len(self._sums) - 1:
            return self._sums[-1]
        return self._sums[hour] + (self._sums[hour + 1] - self._sums[hour]) * second / _HOUR


def _week_shape(earlier: dict[int, int], zone: str) -> list[float]:
    """Return a weight for each of the week's 168 hours, Monday first."""
    if not earlier:
        return [_business_hour(*divmod(hour, 24)) for hour in range(7 * 24)]
    clock = LocalClock.over(zone, min(earlier), max(earlier) + _HOUR)
    sums, first, last = [0.0] * 168, min(earlier), max(earlier)
    seen = [0] * 168
    for hour in range(first, last + _HOUR, _HOUR):
        place = _hour_of_week(hour, clock)
        sums[place] += earlier.get(hour, 0)
        seen[place] += 1
    return [total / max(times, 1) for total, times in zip(sums, seen, strict=True)]


def _business_hour(day: int, hour: int) -> float:
    if day >= 5:
        return 0.3 if 8 <= hour < 18 else 0.08
    return 1.0 if 8 <= hour < 18 else 0.35 if 6 <= hour < 21 else 0.08


def _hour_of_week(unixtime: int, clock: LocalClock) -> int:
    local = clock.local(unixtime)
    return local.weekday() * 24 + local.hour


class _Level:
    """How many calls a unit of weight holds, learned from the latest windows the most.

    It starts from a guess that counts as much as one window, so a burst in a quiet month, or
    a quiet night in a busy one, is unlearned within a few requests.
    """

    def __init__(self, rate: float | None, target: float) -> None:
        self._calls = target if rate else 0.0
        self._weight = target / rate if rate else 0.0

    @property
    def rate(self) -> float | None:
        """Calls per weight; None while nothing is known."""
        return self._calls / self._weight if self._weight else None

    def learn(self, calls: float, weight: float) -> None:
        """Take in what one window of some weight holds."""
        self._calls = _KEPT * self._calls + calls
        self._weight = _KEPT * self._weight + weight


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of the period that is still to be asked; ``whole`` if in one go."""

    window: Window
    level: _Level
    cuts: int = 0
    whole: bool = False


class Planner:
    """Chooses the next window to ask for, and learns from every answer. Thread-safe."""

    def __init__(self, density: Density, missing: Sequence[Window], limit: int = LIMIT) -> None:
        self._density = density
        self._limit = limit
        self._target = _FILL * limit
        known = density.calls / density.total if density.calls else None
        level = _Level(known, self._target)
        self._spans = [_Span(window, level) for window in sorted(missing)]
        self._in_flight: dict[Window, _Span] = {}
        self._changed = threading.Condition()
        self._stopped = False

    def next(self) -> Window | None:
        """Return a window to ask for, or None when all is asked; waits while that is open."""
        with self._changed:
            while not self._spans and self._in_flight and not self._stopped:
                self._changed.wait()
            if not self._spans or self._stopped:
                return None
            span = self._spans[0]
            window, rest = self._cut(span)
            self._in_flight[window] = span
            self._spans[:1] = [rest] if rest else []
            return window

    def answered(self, window: Window, calls: int) -> None:
        """Learn that a window is whole."""
        with self._changed:
            span = self._in_flight.pop(window)
            span.level.learn(calls, self._density.weight(window.start, window.end))
            self._changed.notify_all()

    def full(self, window: Window, moments: Sequence[int]) -> None:
        """Learn that a window holds more than one reply can, and cut it up.

        ``moments`` are the unix seconds of the calls that did come: a hint, since which calls
        a full reply leaves out is not documented. Raises TooDense for a single second.
        """
        if window.seconds <= 1:
            raise TooDense(
                f"{self._limit:,} calls or more begin in one second, {window.start} (unix time): "
                "one reply cannot hold them, so the month cannot be proved complete; "
                "no report is made. Ask MaxoTel for an export of that second"
            )
        with self._changed:
            span = self._in_flight.pop(window)
            weight = self._density.weight(window.start, window.end)
            span.level.learn(self._limit * _UNKNOWN_FACTOR, weight)
            self._spans[:0] = self._pieces(window, sorted(moments), span.cuts + 1)
            self._changed.notify_all()

    def stop(self) -> None:
        """Give nothing more to ask for: some window has failed for good."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _cut(self, span: _Span) -> tuple[Window, _Span | None]:
        """Take a window off the front of a span, so that what is left divides evenly."""
        window, rate = span.window, span.level.rate
        if span.whole or rate is None or window.seconds <= 1:
            return window, None
        weight = self._density.weight(window.start, window.end)
        parts = -(-weight * rate // self._target)
        if parts <= 1:
            return window, None
        at = _inside(self._density.after(window.start, weight / parts), window)
        return Window(window.start, at), replace(span, window=Window(at, window.end))

    def _pieces(self, window: Window, moments: Sequence[int], cuts: int) -> list[_Span]:
        """Cut a full window in two that are each strictly smaller, where the calls suggest."""
        density = self._density
        whole = density.weight(window.start, window.end)
        if cuts > _HINTED_CUTS or not moments:
            middle = (window.start + window.end) // 2
            level = _Level(2 * self._limit / whole, self._target)
            halves = (Window(window.start, middle), Window(middle, window.end))
            return [_Span(half, level, cuts) for half in halves]
        share = density.weight(moments[0], moments[-1] + 1) / whole
        before = density.weight(window.start, moments[0]) / whole
        after = density.weight(moments[-1] + 1, window.end) / whole
        if max(before, after) > 0.1 and min(before, after) < 0.05:
            # The calls that came lie at one end: that end holds about what came, all of it.
            at = moments[int(len(moments) * (_FILL if after > before else 1 - _FILL))]
            guess = self._limit / share
        else:
            at = moments[int(len(moments) * _FILL / _UNKNOWN_FACTOR)]
            guess = self._limit * _UNKNOWN_FACTOR
        at = _inside(at, window)
        level = _Level(guess / whole, self._target)
        # The end that the calls came from is as full as it should be; only the rest is cut on.
        near_is_seen = after >= before
        return [
            _Span(Window(window.start, at), level, cuts, whole=near_is_seen),
            _Span(Window(at, window.end), level, cuts, whole=not near_is_seen),
        ]


def _inside(at: int, window: Window) -> int:
    """Return the nearest second that cuts a window in two."""
    return min(max(at, window.start + 1), window.end - 1)


@dataclass(frozen=True, slots=True)
class Look:
    """Tells how far a pull has come: seconds of the period settled, calls so far, requests."""

    settled: int
    total: int
    calls: int
    requests: int


def pull(
    account: Account,
    period: BillingPeriod,
    asked: Asked,
    *,
    connect: Callable[[], Carrier],
    now: Callable[[], int],
    in_flight: int = 2,
    calls_expected: int = 0,
    progress: Callable[[Look], None] = lambda _: None,
) -> Pull:
    """Ask for every call of a period and keep every reply; return the whole pull.

    A pull of the same span that was cut short within the last day is taken up again: only
    its missing windows are asked. ``now`` gives unix seconds. Raises CarrierError when any
    window cannot be had whole, and ArchiveError when it cannot be kept; what has been kept
    by then stays for the next run.
    """
    began = now()
    taken_up = account.unfinished(period, asked, began - RESUME_SECONDS)
    work = taken_up or account.begin(period, asked, began)
    _rebuild(account, work)
    planner = Planner(_density(account, period, calls_expected), work.missing())
    job = _Job(
        account,
        work,
        planner,
        LocalClock.over(asked.zone, period.start, period.end),
        now,
        progress,
    )
    with ThreadPoolExecutor(in_flight, thread_name_prefix="pull") as pool:
        lanes = [pool.submit(job.run, connect) for _ in range(in_flight)]
        try:
            wait(lanes, return_when=FIRST_EXCEPTION)
        finally:
            # Also when interrupted: the lanes end after the request that they are at.
            planner.stop()
    for lane in lanes:
        lane.result()
    work.finish(now())
    return work


def _density(account: Account, period: BillingPeriod, calls_expected: int) -> Density:
    """Build the density from the newest pull of this period, or of another one."""
    known = account.latest_done(period)
    others = account.other_periods(period)
    if known is None and others:
        known = others[0]
    if known is None:
        return Density(period, {}, calls_expected)
    return Density(period, columns.hours([known.calls_path(a.window) for a in known.accepted()]))


def _rebuild(account: Account, work: Pull) -> None:
    """Derive the columns of accepted windows anew where they are missing."""
    for answer in work.accepted():
        if not work.calls_path(answer.window).exists():
            derive(account, work, answer)


def derive(account: Account, work: Pull, answer: Answer) -> None:
    """Make the columns of one accepted window from its kept reply."""
    reply = cdr.read_reply(account.replies.read(answer.sha256))
    clock = LocalClock.over(work.asked.zone, work.asked.start, work.asked.end)
    path = work.calls_path(answer.window)
    columns.write(path, cdr.columns(reply, clock), answer.window, reply.unknown_fields)


class _Job:
    """What the lanes of one pull share."""

    def __init__(
        self,
        account: Account,
        work: Pull,
        planner: Planner,
        clock: LocalClock,
        now: Callable[[], int],
        progress: Callable[[Look], None],
    ) -> None:
        self._account = account
        self._work = work
        self._planner = planner
        self._clock = clock
        self._now = now
        self._progress = progress
        self._lock = threading.Lock()
        accepted = work.accepted()
        self._settled = sum(answer.window.seconds for answer in accepted)
        self._calls = sum(answer.count for answer in accepted)
        self._requests = 0

    def run(self, connect: Callable[[], Carrier]) -> None:
        """Ask for windows until there are none left, on a connection of this lane's own."""
        try:
            with connect() as carrier:
                while (window := self._planner.next()) is not None:
                    self._one(carrier, window)
        except BaseException:
            self._planner.stop()
            raise

    def _one(self, carrier: Carrier, window: Window) -> None:
        asked_at = self._now()
        reply, answer = carrier.ask(window, lambda raw: self._accept(raw, asked_at))
        if answer.verdict == FULL:
            self._planner.full(window, reply.moments())
        else:
            self._planner.answered(window, answer.count)
        with self._lock:
            self._requests += 1
            if answer.verdict == ACCEPTED:
                self._settled += window.seconds
                self._calls += answer.count
            total = self._work.asked.end - self._work.asked.start
            self._progress(Look(self._settled, total, self._calls, self._requests))

    def _accept(self, raw: RawResponse, asked_at: int) -> tuple[cdr.Reply, Answer]:
        """Keep a reply, then read it; one that breaks a rule stays as evidence and is refused."""
        sha256 = self._account.replies.keep(raw.body)

        def answer(count: int, verdict: str) -> Answer:
            found = Answer(raw.window, sha256, count, verdict, asked_at, raw.tries)
            self._work.record(found)
            return found

        try:
            reply = cdr.read_reply(raw.body)
            cdr.check_echo(reply.echo, raw.window, self._work.asked.zone)
            if reply.count > self._work.asked.limit:
                raise Garbled(
                    f"the reply holds {reply.count} calls, more than the limit asked for"
                )
            calls = cdr.columns(reply, self._clock)
        except (Garbled, Refused) as why:
            answer(0, str(why))
            raise
        if reply.count >= self._work.asked.limit:
            return reply, answer(reply.count, FULL)
        path = self._work.calls_path(raw.window)
        columns.write(path, calls, raw.window, reply.unknown_fields)
        return reply, answer(reply.count, ACCEPTED)
