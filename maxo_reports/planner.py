"""Choosing the windows of a pull: a guess at where the calls are, bettered by every answer.

Which windows are asked decides how many requests a month takes, and nothing else: a reply that
is full is always cut and asked again, so a wrong guess costs a request and never a call.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from maxo_reports.core.period import BillingPeriod, LocalClock, Window
from maxo_reports.errors import TooDense

_HOUR = 3600
_FILL = 0.85
"""How full a window is planned to be, as a share of the limit: room for a busier day."""
_KEPT = 0.95
"""How much of what earlier windows taught is kept when another one is answered."""
_UNKNOWN_FACTOR = 3.2
"""A full reply that does not show how much was cut: guess this many times the limit."""
_HINTED_CUTS = 6
"""How often one span is cut where the calls seen suggest, before it is simply halved."""


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
    """Chooses the next window to ask for, and learns from every answer. Thread-safe.

    ``missing`` is what has to be asked; ``plan`` are windows that an earlier pull found to fit,
    which are asked again as they were where they lie in what is missing.
    """

    def __init__(
        self,
        density: Density,
        missing: Sequence[Window],
        limit: int,
        plan: Sequence[Window] = (),
    ) -> None:
        self._density = density
        self._limit = limit
        self._target = _FILL * limit
        known = density.calls / density.total if density.calls else None
        level = _Level(known, self._target)
        planned = set(plan)
        self._spans = [
            _Span(window, level, whole=window in planned)
            for gap in sorted(missing)
            for window in _cut_at_edges(gap, plan)
        ]
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
            # A full reply may hold records of another time; they say nothing about this window.
            inside = sorted(m for m in moments if window.start <= m < window.end)
            self._spans[:0] = self._pieces(window, inside, span.cuts + 1)
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
            first_is_seen = after > before
            at = moments[int(len(moments) * (_FILL if first_is_seen else 1 - _FILL))]
            guess = self._limit / share
        else:
            # They lie all over, so their own spread says where a first part of a fit size ends.
            first_is_seen = True
            at = moments[int(len(moments) * _FILL / _UNKNOWN_FACTOR)]
            guess = self._limit * _UNKNOWN_FACTOR
        at = _inside(at, window)
        level = _Level(guess / whole, self._target)
        # The part that the calls came from is as full as it should be; only the rest is cut on.
        return [
            _Span(Window(window.start, at), level, cuts, whole=first_is_seen),
            _Span(Window(at, window.end), level, cuts, whole=not first_is_seen),
        ]


def _cut_at_edges(gap: Window, plan: Sequence[Window]) -> list[Window]:
    """Cut a gap where the planned windows begin and end."""
    edges = {edge for window in plan for edge in (window.start, window.end)}
    inside = sorted(edge for edge in edges if gap.start < edge < gap.end)
    points = [gap.start, *inside, gap.end]
    return [Window(start, end) for start, end in pairwise(points)]


def _inside(at: int, window: Window) -> int:
    """Return the nearest second that cuts a window in two."""
    return min(max(at, window.start + 1), window.end - 1)
