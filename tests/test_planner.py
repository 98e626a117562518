"""Planning: whatever the calls and however they come, every second is asked until it is whole."""

from __future__ import annotations

import random
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Literal

import pytest
from carriers import BRISBANE, SYDNEY
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.core.period import Window, parse_period
from maxo_reports.errors import TooDense
from maxo_reports.planner import Density, Planner

PERIOD = parse_period("2026-10", SYDNEY, date(2026, 11, 20))
START, END = PERIOD.start, PERIOD.end
DAY = 86_400
Order = Literal["oldest", "newest", "shuffled", "lying"]
ORDERS: tuple[Order, ...] = ("oldest", "newest", "shuffled", "lying")


class Model:
    """A carrier in memory: it answers a window with at most ``limit`` of its calls.

    ``lying`` gives hints that have nothing to do with the window.
    """

    def __init__(self, moments: Sequence[int], limit: int, order: Order) -> None:
        self.moments, self.limit, self.order = sorted(moments), limit, order
        self.requests: list[Window] = []

    def ask(self, window: Window) -> list[int]:
        """Return the moments of the calls that one reply holds."""
        self.requests.append(window)
        low = bisect_left(self.moments, window.start)
        found = self.moments[low : bisect_left(self.moments, window.end)]
        if self.order == "newest":
            found.reverse()
        elif self.order != "oldest":
            random.Random(window.start).shuffle(found)
        found = found[: self.limit]
        if self.order == "lying":
            return [(START - 10**9, END + 10**9, 0)[n % 3] for n in range(len(found))]
        return found


def _plan(planner: Planner, model: Model) -> list[Window]:
    """Ask until all is asked; return the windows that were whole."""
    whole = []
    while (window := planner.next()) is not None:
        found = model.ask(window)
        if len(found) >= model.limit:
            planner.full(window, found)
        else:
            planner.answered(window, len(found))
            whole.append(window)
    return whole


def _assert_tiled(whole: Sequence[Window], gaps: Sequence[Window]) -> None:
    """The whole windows cover the gaps to the second, and nothing twice."""
    joined: list[Window] = []
    for window in sorted(whole):
        assert window.start < window.end
        if joined and joined[-1].end == window.start:
            joined[-1] = Window(joined[-1].start, window.end)
        else:
            joined.append(window)
    merged: list[Window] = []
    for gap in sorted(gaps):
        if merged and merged[-1].end == gap.start:
            merged[-1] = Window(merged[-1].start, gap.end)
        else:
            merged.append(gap)
    assert joined == merged


CLUMPS = st.lists(
    st.tuples(
        st.integers(START, END - 1),
        st.sampled_from([0, 1, 2, 5, 60, 3600, 3 * DAY]),
        st.integers(0, 40),
    ),
    max_size=8,
)


def _moments(clumps: Sequence[tuple[int, int, int]]) -> list[int]:
    """Spread the calls of each clump over its seconds."""
    return [
        min(END - 1, at + n * width // max(1, count))
        for at, width, count in clumps
        for n in range(count)
    ]


@settings(deadline=None, max_examples=250)
@given(
    CLUMPS,
    st.integers(1, 60),
    st.sampled_from(ORDERS),
    st.dictionaries(st.integers(START // 3600, END // 3600), st.integers(0, 500), max_size=6),
    st.integers(0, 10**6),
)
def test_every_call_is_found_once_or_the_second_is_named(
    clumps: list[tuple[int, int, int]],
    limit: int,
    order: Order,
    earlier: dict[int, int],
    expected: int,
) -> None:
    """For any density, order, limit and expectation: every call, or TooDense; never less."""
    moments = _moments(clumps)
    model = Model(moments, limit, order)
    density = Density(PERIOD, {hour * 3600: n for hour, n in earlier.items()}, expected)
    planner = Planner(density, [PERIOD.window], limit)
    densest = max(Counter(moments).values(), default=0)
    try:
        whole = _plan(planner, model)
    except TooDense as problem:
        assert densest >= limit
        assert "\n" not in str(problem)
        (second,) = {
            w.start for w in model.requests if w.seconds == 1 and str(w.start) in str(problem)
        }
        assert moments.count(second) >= limit
    else:
        assert densest < limit
        _assert_tiled(whole, [PERIOD.window])
        found = Counter(m for w in whole for m in Model(moments, 10**9, "oldest").ask(w))
        assert found == Counter(moments)
    # A wrong expectation costs requests: at most a window for each unit that was expected.
    hints = (expected or sum(earlier.values())) / (0.8 * limit)
    assert len(model.requests) <= 60 * (1 + len(moments) / limit) + 3 * hints


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.integers(START, END), min_size=2, max_size=10, unique=True).map(sorted),
    CLUMPS,
    st.integers(5, 60),
    st.sampled_from(ORDERS),
    st.lists(st.integers(START, END), max_size=6, unique=True).map(sorted),
)
def test_only_what_is_missing_is_asked(
    edges: list[int],
    clumps: list[tuple[int, int, int]],
    limit: int,
    order: Order,
    planned: list[int],
) -> None:
    """Gaps of any number and length, and windows of an earlier pull: covered to the second."""
    gaps = [Window(a, b) for a, b in pairwise(edges)][::2]
    plan = [Window(a, b) for a, b in pairwise(planned)]
    moments = _moments(clumps)
    model = Model(moments, limit, order)
    planner = Planner(Density(PERIOD, {}), gaps, limit, plan=plan)
    try:
        whole = _plan(planner, model)
    except TooDense:
        assert max(Counter(moments).values()) >= limit
    else:
        _assert_tiled(whole, gaps)
    for window in model.requests:
        assert any(gap.start <= window.start and window.end <= gap.end for gap in gaps)


def test_nothing_missing_is_nothing_asked() -> None:
    """A period that is all there needs no request."""
    assert Planner(Density(PERIOD, {}), [], 10_000).next() is None


def test_a_small_period_is_one_request() -> None:
    """Without any knowledge the whole period is asked first."""
    model = Model(range(START, START + 9_999), 10_000, "oldest")
    assert _plan(Planner(Density(PERIOD, {}), [PERIOD.window], 10_000), model) == [PERIOD.window]
    assert len(model.requests) == 1


@pytest.mark.parametrize("order", ["oldest", "newest", "shuffled"])
@pytest.mark.parametrize("calls", [12_000, 30_000, 95_000, 400_000])
def test_an_even_month_needs_few_requests(order: Order, calls: int) -> None:
    """Also where the usual week is a wrong guess; the next pull knows the hours: near ideal."""
    ideal = -(-calls // 10_000)
    moments = [START + n * (END - START) // calls for n in range(calls)]
    model = Model(moments, 10_000, order)
    whole = _plan(Planner(Density(PERIOD, {}), [PERIOD.window], 10_000), model)
    _assert_tiled(whole, [PERIOD.window])
    assert len(model.requests) <= 4 * ideal
    again = Model(moments, 10_000, order)
    seen = dict(Counter(moment // 3600 * 3600 for moment in moments))
    _plan(Planner(Density(PERIOD, seen), [PERIOD.window], 10_000), again)
    assert len(again.requests) <= 1.5 * ideal


@pytest.mark.parametrize("order", ["oldest", "newest", "shuffled", "lying"])
@pytest.mark.parametrize("length", [2, 3_600])
def test_a_burst_in_a_quiet_month_is_found(order: Order, length: int) -> None:
    """25,000 calls within an hour, or 15,000 in two seconds, in a month of few others."""
    calls = 25_000 if length > 2 else 15_000
    burst = START + 17 * DAY + 12_345
    moments = [burst + n * length // calls for n in range(calls)]
    moments += range(START, END, 7_200)
    model = Model(moments, 10_000, order)
    whole = _plan(Planner(Density(PERIOD, {}), [PERIOD.window], 10_000), model)
    _assert_tiled(whole, [PERIOD.window])
    assert len(model.requests) < 70


@pytest.mark.parametrize("order", ["oldest", "newest", "shuffled", "lying"])
def test_a_second_that_is_too_dense_is_named(order: Order) -> None:
    """As many calls in one second as a reply can hold: which of them are missing is unknown."""
    second = START + 12 * DAY + 3
    model = Model([second] * 10_000, 10_000, order)
    with pytest.raises(TooDense, match=f"in one second, {second} ") as caught:
        _plan(Planner(Density(PERIOD, {}), [PERIOD.window], 10_000), model)
    assert "\n" not in str(caught.value)
    assert len(model.requests) < 60


def test_many_lanes_ask_every_second_once() -> None:
    """Lanes that answer in any order, some slowly, still tile the period exactly."""
    moments = [START + n * 53 for n in range(50_000)]
    model = Model(moments, 1_000, "shuffled")
    planner = Planner(Density(PERIOD, {}), [PERIOD.window], 1_000)
    whole: list[Window] = []

    def lane(number: int) -> None:
        while (window := planner.next()) is not None:
            found = model.ask(window)
            time.sleep(0.001 * (number % 3))
            if len(found) >= 1_000:
                planner.full(window, found)
            else:
                planner.answered(window, len(found))
                whole.append(window)

    lanes = [threading.Thread(target=lane, args=(n,)) for n in range(6)]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join(30)
    assert not any(each.is_alive() for each in lanes)
    _assert_tiled(whole, [PERIOD.window])


def test_a_stop_wakes_the_lanes_that_wait() -> None:
    """When one lane fails for good, the others end instead of waiting for its window."""
    planner = Planner(Density(PERIOD, {}), [PERIOD.window], 10_000)
    assert planner.next() == PERIOD.window
    found: list[Window | None] = []
    waiting = threading.Thread(target=lambda: found.append(planner.next()))
    waiting.start()
    time.sleep(0.02)
    assert waiting.is_alive()
    planner.stop()
    waiting.join(10)
    assert found == [None]
    assert planner.next() is None


@pytest.mark.parametrize("zone", [BRISBANE, SYDNEY, "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("month", ["2026-04", "2026-10", "2024-02"])
def test_weights_cover_a_month_of_any_length(zone: str, month: str) -> None:
    """A period need not be whole hours: the parts' weights add up, and no second is without."""
    period = parse_period(month, zone, date(2026, 11, 20))
    for density in (Density(period, {}), Density(period, {period.start // 3600 * 3600: 9})):
        cuts = [period.start, period.start + 1, period.start + 777_777, period.end - 1, period.end]
        parts = [density.weight(a, b) for a, b in pairwise(cuts)]
        assert all(part > 0 for part in parts)
        assert sum(parts) == pytest.approx(density.total, rel=0.001)
        middle = density.after(period.start, density.total / 2)
        assert density.weight(period.start, middle) == pytest.approx(density.total / 2, rel=0.01)
