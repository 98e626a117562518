"""Pairing: one to one, best first, and never fewer pairs than could be."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core.bills.pairing import best_first

WANTED = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=14, unique=True)


def most(wanted: list[tuple[int, int]]) -> int:
    """Return the most pairs that there can be, by trying every order of the lines."""
    options: dict[int, list[int]] = {}
    for line, call in wanted:
        options.setdefault(line, []).append(call)
    best = 0
    for order in permutations(options):
        reached = [frozenset[int]()]
        for line in order:
            reached += [
                held | {call} for held in reached for call in options[line] if call not in held
            ]
            reached = list(set(reached))
        best = max(best, *(len(held) for held in reached))
    return best


@given(WANTED)
def test_there_are_as_many_pairs_as_can_be(wanted):
    """No other pairing has more, each side is used once, and every pair was wanted."""
    pairs = best_first(wanted)
    assert set(pairs.items()) <= set(wanted)
    assert len(set(pairs.values())) == len(pairs)
    assert len(pairs) == most(wanted)


def test_the_best_pair_is_taken_first():
    """Where nobody has to go without, the order decides."""
    assert best_first([(1, 10), (1, 11), (2, 11), (2, 10)]) == {1: 10, 2: 11}


def test_a_pair_is_changed_for_a_line_that_would_have_none():
    """The second line can only have the first one's call, which takes its second choice."""
    assert best_first([(1, 10), (2, 10), (1, 11)]) == {2: 10, 1: 11}
