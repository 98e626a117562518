"""What a section of each kind may show and be grouped by: the closed vocabulary of definitions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from maxo_reports.core import notable
from maxo_reports.core.ledger import DIMENSIONS, MEASURES
from maxo_reports.core.report import CALL_COLUMNS

WORKBOOK_ONLY = frozenset({"itemised", "matrix"})
GROUPED = {"groups": (1, len(DIMENSIONS)), "matrix": (2, 2), "trend": (0, len(DIMENSIONS))}
"""Kind of section -> how many dimensions it is grouped by, at least and at most."""
SHOWS: Mapping[str, Collection[str]] = {
    "summary": MEASURES,
    "groups": MEASURES,
    "days": MEASURES,
    "matrix": MEASURES,
    "trend": MEASURES,
    "previous": MEASURES,
    notable.DESTINATIONS: MEASURES,
    "itemised": CALL_COLUMNS,
    **dict.fromkeys(notable.FOREMOST, CALL_COLUMNS),
}
"""Kind of section -> what its ``show`` may name."""


DEFAULT_SHOWS: Mapping[str, tuple[str, ...]] = {
    "matrix": ("cost",),
    **dict.fromkeys(
        notable.FOREMOST,
        ("started", "direction", "a_party", "b_party", "category", "seconds", "cost"),
    ),
}
"""Kind of section -> what it shows where nothing is named; others show all that they can."""
LISTS = frozenset({notable.DESTINATIONS, *notable.FOREMOST})
"""Kinds of section that have the first few rows of many."""
ROWS_AT_MOST = 100


def can_be_drawn(kind: str, group_by: Sequence[str], show: Sequence[str]) -> bool:
    """Tell whether a section can have a chart."""
    drawn = kind in {"groups", "days"} or (kind == "trend" and not group_by)
    return drawn and "cost" in show
