"""Filters: a small closed vocabulary, said in words."""

from __future__ import annotations

import pytest

from maxo_reports.core.where import ALL, FIELDS, Condition, Where

CHARGED = Condition("charged", values=True)
ABROAD = Condition("category", ("Mobile", "International - New Zealand"))


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([], ""),
        ([CHARGED], "only charged calls"),
        ([Condition("connected", values=False)], "only calls that were not connected"),
        (
            [CHARGED, ABROAD],
            "only charged calls, rate category Mobile or International - New Zealand",
        ),
    ],
)
def test_a_filter_says_what_it_leaves(conditions, words):
    """The words stand in every file that is filtered."""
    assert Where(tuple(conditions)).words == words


def test_two_filters_leave_what_both_leave():
    """A report's filter and a section's hold together; none changes nothing."""
    both = Where((CHARGED,)).also(Where((ABROAD, CHARGED)))
    assert both == Where((CHARGED, ABROAD))
    assert ALL.also(both) == both == both.also(ALL)
    assert both
    assert not ALL


def test_every_field_can_be_said():
    """No field that a definition may name lacks its words."""
    for field in FIELDS:
        values = True if field in {"charged", "connected"} else ("x",)
        assert Condition(field, values).words
