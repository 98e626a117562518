"""The ledger: totals add up, in whatever order and grouping they are added."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.core.directory import NOBODY
from maxo_reports.core.ledger import (
    DIMENSIONS,
    MEASURES,
    NOTHING,
    Group,
    Intake,
    Ledger,
    Totals,
    total,
)

counts = st.integers(min_value=0, max_value=10**7)
totals = st.builds(
    Totals,
    calls=counts,
    connected=counts,
    charged=counts,
    seconds=st.integers(min_value=0, max_value=10**10),
    cost=st.integers(min_value=-(10**12), max_value=10**12).map(lambda m: Decimal(m).scaleb(-6)),
)
keys = st.tuples(
    st.sampled_from(["Local", "Mobile", "(none)", "local"]),
    st.sampled_from(["Inbound", "Outbound", "X"]),
    st.sampled_from(["0255500140", "1300975707", "(none)", ""]),
)
ledgers = st.dictionaries(keys, totals, max_size=20).map(
    lambda groups: Ledger(
        tuple(Group(key, each) for key, each in sorted(groups.items())),
        (),
        NOTHING,
        Intake(0, 0, 0, 0),
    )
)


def test_totals_add_measure_by_measure() -> None:
    """Each measure adds to itself, and money to the last digit."""
    one = Totals(1, 1, 1, 60, Decimal("0.1"))
    two = Totals(2, 0, 1, 5, Decimal("0.2"))
    assert one + two == Totals(3, 1, 2, 65, Decimal("0.3"))
    assert one + NOTHING == one
    assert total([]) == NOTHING
    assert tuple(MEASURES) == tuple(Totals.__dataclass_fields__)


def test_very_many_small_costs_are_exact() -> None:
    """100,000 calls at a millionth of a dollar are ten cents."""
    assert total([Totals(1, cost=Decimal("0.000001"))] * 100_000).cost == Decimal("0.1")


@settings(deadline=None, max_examples=100)
@given(ledgers)
def test_every_grouping_adds_up_to_the_same_totals(ledger: Ledger) -> None:
    """By no dimension, one, two or three, in any order: the sums are the same in each measure."""
    groups = ledger.groups
    expected = Totals(
        *(sum(getattr(g.totals, name) for g in groups) for name in ("calls", "connected")),
        *(sum(getattr(g.totals, name) for g in groups) for name in ("charged", "seconds")),
        cost=sum((g.totals.cost for g in groups), Decimal(0)),
    )
    assert ledger.totals == expected
    own = list(DIMENSIONS)[:3]
    for size in range(len(own) + 1):
        for dimensions in permutations(own, size):
            rolled = ledger.by(dimensions)
            assert total(group.totals for group in rolled) == expected
            found = [group.key for group in rolled]
            assert found == sorted(set(found))


@settings(deadline=None, max_examples=100)
@given(ledgers)
def test_a_group_holds_exactly_the_calls_with_its_key(ledger: Ledger) -> None:
    """Rolled up by direction, each direction has the sum of its own finest groups."""
    for group in ledger.by(["direction"]):
        own = [g.totals for g in ledger.groups if g.key[1] == group.key[0]]
        assert own
        assert group.totals == total(own)
    by_two = ledger.by(["service_number", "category"])
    assert {g.key for g in by_two} == {(g.key[2], g.key[0]) for g in ledger.groups}


def test_grouping_by_all_dimensions_gives_the_finest_groups() -> None:
    """Nothing is merged that differs in any dimension, also only in its letters' case."""
    groups = (
        Group(("Local", "Outbound", "1"), Totals(1, cost=Decimal(1))),
        Group(("local", "Outbound", "1"), Totals(2, cost=Decimal(2))),
    )
    ledger = Ledger(groups, ((date(2026, 10, 1), Totals(3)),), Totals(3), Intake(3, 3, 0, 0))
    assert ledger.by(list(DIMENSIONS)[:3]) == groups
    every = ledger.by(list(DIMENSIONS))
    assert every == tuple(Group((*g.key, *NOBODY), g.totals) for g in groups)


def test_an_unknown_dimension_is_no_grouping() -> None:
    """A name that is no dimension is an error and not an empty table."""
    ledger = Ledger((), (), NOTHING, Intake(0, 0, 0, 0))
    with pytest.raises(ValueError, match="colour"):
        ledger.by(["colour"])
