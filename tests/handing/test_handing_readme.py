"""What an accountant reads first."""

from __future__ import annotations

from pathlib import Path

import pytest

from maxo_reports.handing import readme
from maxo_reports.pack import Pack
from reports import month, statement


def bundled(*kinds: str) -> str:
    """Write the README of a bundle with a handoff of each kind."""
    heading = statement([], period=month()).heading
    behind = Pack(Path("r1"), {"revision": 1, "files": [{"name": "statement.pdf"}]})
    handoffs = [
        Pack(Path(f"r{n}"), {"handoff": {"kind": kind}, "files": [{"name": "bill.csv"}]})
        for n, kind in enumerate(kinds, 1)
    ]
    return " ".join(readme.of_bundle(heading, behind, handoffs).split())


@pytest.mark.parametrize(
    ("kinds", "warns"),
    [
        ((), False),
        (("bill",), False),
        (("bill", "sale"), False),
        (("bill", "accrual"), True),
        (("accrual", "allocation", "bill"), True),
    ],
)
def test_one_cost_that_is_there_twice_is_warned_of(kinds, warns):
    """An accountant who imports all files would book the month's cost more than once."""
    assert ("do not book all of them" in bundled(*kinds)) == warns
