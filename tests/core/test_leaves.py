"""Leaves: how a list of calls is broken into pages, and what is carried from each to the next."""

from __future__ import annotations

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st
from workbooks import line

from maxo_reports.core.leaves import LEAST_ROOM, TALLEST, Cells, Leaf, Mark, Sums, leaves
from maxo_reports.core.report import CallLine

Call = tuple[str, int, int | None, int | None]
"""Service number, lines that it takes, seconds, micro-dollars."""

CALLS = st.lists(
    st.tuples(
        st.sampled_from(["0255500140", "0255500141", "1300975707", "(none)"]),
        st.sampled_from([*[1] * 12, 2, 3, TALLEST]),
        st.none() | st.integers(0, 90_000),
        st.none() | st.integers(-(10**7), 10**9),
    ),
    max_size=150,
)
ROOMS = st.integers(LEAST_ROOM, 70)


def lines(calls: list[Call]) -> list[CallLine]:
    """Make calls; how many lines each takes is kept in its category."""
    return [
        line(n, service_number=number, category=str(tall), seconds=seconds, cost=cost)
        for n, (number, tall, seconds, cost) in enumerate(calls)
    ]


def typeset(call: CallLine) -> Cells:
    """Set a call: its id, and a cell of as many lines as wanted."""
    return ((call.call_id,), ("x",) * int(call.category))


def in_pages(calls: list[CallLine], room: int, *, grouped: bool) -> list[Leaf]:
    """Break calls into pages."""
    return list(leaves(iter(calls), typeset, room, grouped=grouped))


def sums_of(calls: list[CallLine]) -> Sums:
    """Add calls up the plain way."""
    return Sums(
        len(calls), sum(call.seconds or 0 for call in calls), sum(call.cost or 0 for call in calls)
    )


@given(calls=CALLS, room=ROOMS)
def test_every_call_stands_once_in_order_and_nothing_overlaps(calls, room):
    """Each page's entries follow each other within its room; no page is empty."""
    made = lines(calls)
    pages = in_pages(made, room, grouped=False)
    assert [e.cells for page in pages for e in page if e.mark is Mark.CALL] == list(
        map(typeset, made)
    )
    for page in pages:
        assert page[0].top == 0
        assert all(a.top + a.lines == b.top for a, b in pairwise(page))
        assert page[-1].top + page[-1].lines <= room
    assert bool(pages) is bool(made)


@given(calls=CALLS, room=ROOMS)
def test_what_is_carried_is_what_was_listed(calls, room):
    """Without groups: carried is the sum so far, brought is what was carried, total is all."""
    made = lines(calls)
    pages = in_pages(made, room, grouped=False)
    listed = 0
    for at, page in enumerate(pages):
        if at:
            assert page[0].mark is Mark.BROUGHT
            assert page[0].sums == sums_of(made[:listed])
        listed += sum(1 for entry in page if entry.mark is Mark.CALL)
        last = page[-1]
        assert last.mark is (Mark.CARRIED if page is not pages[-1] else Mark.TOTAL)
        assert last.sums == sums_of(made[:listed])


@given(calls=CALLS, room=ROOMS)
def test_every_group_has_its_heading_and_its_subtotal(calls, room):
    """In groups: sums begin anew with each number, and are carried only within one."""
    made = sorted(lines(calls), key=lambda call: call.service_number)
    pages = in_pages(made, room, grouped=True)
    subtotals = [(e.number, e.sums) for page in pages for e in page if e.mark is Mark.SUBTOTAL]
    groups = {
        number: list(own) for number, own in groupby(made, key=lambda call: call.service_number)
    }
    assert subtotals == [(number, sums_of(own)) for number, own in groups.items()]
    flat = [entry for page in pages for entry in page]
    assert [e.number for e in flat if e.mark is Mark.NUMBER] == list(groups)
    if made:
        assert flat[-1].mark is Mark.TOTAL
        assert flat[-1].sums == sums_of(made)
    for before, after in pairwise(pages):
        if before[-1].mark is Mark.CARRIED:
            assert [entry.mark for entry in after[:3]] == [Mark.AGAIN, Mark.BROUGHT, Mark.CALL]
            assert after[1].sums == before[-1].sums
            assert after[1].number == before[-1].number
        else:
            assert before[-1].mark is Mark.SUBTOTAL
            assert after[0].mark is Mark.NUMBER


@given(calls=CALLS, room=ROOMS)
def test_no_heading_and_no_sum_stands_alone(calls, room):
    """A heading has a call below it, a subtotal and the total a call above, on the same page."""
    made = sorted(lines(calls), key=lambda call: call.service_number)
    for page in in_pages(made, room, grouped=True):
        marks = [entry.mark for entry in page]
        assert Mark.CALL in marks
        for first, second in pairwise(marks):
            if first in {Mark.NUMBER, Mark.BROUGHT}:
                assert second is Mark.CALL
            if second in {Mark.CARRIED, Mark.SUBTOTAL}:
                assert first is Mark.CALL


def test_a_page_that_is_exactly_full_carries_nothing_over():
    """The last call, its subtotal and the total use the last lines of the room."""
    made = [line(n) for n in range(LEAST_ROOM - 1)]
    (page,) = in_pages([call._replace(category="1") for call in made], LEAST_ROOM, grouped=False)
    assert [entry.mark for entry in page[-2:]] == [Mark.CALL, Mark.TOTAL]
    assert page[-1].top == LEAST_ROOM - 1
