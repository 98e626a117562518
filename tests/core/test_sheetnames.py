"""Names of sheets: whatever text comes, Excel takes what is made of it, and none comes twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core import sheetnames


@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_texts_make_legal_names_that_differ(texts):
    """Law: as many names as texts, all legal, no two of them one to Excel."""
    taken: set[str] = {"summary"}
    names = [sheetnames.free(text, taken) for text in texts]
    assert all(sheetnames.is_legal(name) and not sheetnames.is_kept(name) for name in names)
    assert len({"summary", *(name.casefold() for name in names)}) == len(names) + 1


def test_a_name_that_is_taken_gets_a_number():
    """The number fits, too, where the name is as long as it may be."""
    taken: set[str] = set()
    assert [sheetnames.free("A/B", taken) for _ in range(3)] == ["A_B", "A_B 2", "A_B 3"]
    long = "x" * 40
    assert sheetnames.free(long, taken) != sheetnames.free(long, taken)
    assert sheetnames.free("History", taken) == "History_"
