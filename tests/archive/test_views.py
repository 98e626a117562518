"""Filtered views of the column store: what plain Python leaves, in every figure and every call."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from foremost import called, foremost
from hypothesis import given, settings
from hypothesis import strategies as st
from test_columns import END, PERIOD, START, _record, _write
from workbooks import leaves

from maxo_reports.archive.columns import CallStore
from maxo_reports.core.ledger import NOTHING, total
from maxo_reports.core.period import Window
from maxo_reports.core.where import ALL, Condition, Where

TEXTS = ("Mobile", "Local", "'; DROP TABLE kept; --", "%", "a_b", "caf\u00e9", "")
STATUSES = ("Connected.",)
records = st.builds(
    lambda n, moment, category, direction, number, status, cost, seconds: _record(
        str(n),
        moment,
        category=category,
        direction=direction,
        service_number=number,
        status=status,
        connected=status in STATUSES,
        cost=cost,
        seconds=seconds,
    ),
    st.integers(1, 40),
    st.integers(START, END - 1),
    st.sampled_from(TEXTS),
    st.sampled_from(("Inbound", "Outbound", "sideways")),
    st.sampled_from(("0255500140", "0255500141", "")),
    st.sampled_from(("Connected.", "Busy.", "'")),
    st.sampled_from((None, 0, 250_000, -250_000)),
    st.sampled_from((None, 0, 60)),
)
conditions = st.one_of(
    st.builds(Condition, st.sampled_from(("charged", "connected")), st.booleans()),
    st.builds(
        Condition,
        st.sampled_from(("category", "direction", "service_number", "status")),
        st.lists(st.sampled_from((*TEXTS, "Inbound", "0255500140", "Busy.")), min_size=1).map(
            tuple
        ),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(records, max_size=30), st.lists(conditions, max_size=3), st.booleans())
def test_a_view_is_what_plain_comparison_leaves(tmp_path_factory, calls, wanted, stray):
    """Law: figures, groups, days, calls in order, and the rest, whatever the texts look like."""
    where = Where(tuple(wanted))
    folder: Path = tmp_path_factory.mktemp("view")
    middle = (START + END) // 2
    first = [c for c in calls if (c[1] < middle) != stray]
    second = [c for c in calls if (c[1] < middle) == stray]
    paths = _write(folder, [(Window(START, middle), first), (Window(middle, END), second)])
    with closing(CallStore(paths, PERIOD)) as store:
        whole = list(store.lines())
        kept = [each for each in whole if leaves(where, each, STATUSES)]
        view = store.select(where, False)
        assert list(view.calls.lines()) == kept
        assert len(view.calls) == len(kept) == view.ledger.control.calls
        assert sum(each.cost or 0 for each in kept) == view.ledger.control.cost * 10**6
        assert view.ledger.totals == view.ledger.control
        assert total(t for _, t in view.ledger.days) == view.ledger.control
        assert total((view.ledger.control, view.rest)) == store.control()
        rows = [row for block in view.calls.blocks() for row in block.to_pylist()]
        assert [row["call_id"] for row in rows] == [each.call_id for each in kept]
        by_number = list(store.select(where, True).calls.lines())
        assert by_number == sorted(by_number, key=lambda c: c.service_number)
        assert sorted(by_number) == sorted(kept, key=lambda c: c)
        for measure in ("seconds", "cost"):
            assert list(view.calls.foremost(measure, 4)) == foremost(kept, measure, 4)
        for direction in ("Outbound", "sideways"):
            expected = called(kept, direction, STATUSES)
            assert list(view.calls.called(direction)) == expected
        longest = view.calls.longest()
        assert longest["category"] == max((len(c.category) for c in kept), default=0)


def test_without_conditions_a_view_is_everything(tmp_path):
    """And leaves nothing out."""
    paths = _write(tmp_path, [(Window(START, END), [_record("1", START), _record("2", START)])])
    with closing(CallStore(paths, PERIOD)) as store:
        view = store.select(ALL, True)
        assert view.ledger.control == store.control()
        assert view.rest == NOTHING
        assert store.select(ALL, True) is view


@pytest.mark.parametrize("words", ["x' OR '1'='1", "category) OR (true", "*/ --"])
def test_a_filters_words_are_never_run(tmp_path, words):
    """They are compared with, and nothing else."""
    paths = _write(tmp_path, [(Window(START, END), [_record("1", START, category=words)])])
    with closing(CallStore(paths, PERIOD)) as store:
        assert len(store.select(Where((Condition("category", (words,)),)), False).calls) == 1
        other = Where((Condition("category", (words + " ",)),))
        assert len(store.select(other, False).calls) == 0
