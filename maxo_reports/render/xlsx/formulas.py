"""Live formulas over the Calls table, for every figure that sums calls.

Comparisons use EXACT inside SUMPRODUCT: SUMIFS and COUNTIFS take ``0612`` and ``612`` for the
same number, and read ``*``, ``?``, ``<`` and ``=`` in a name as commands. SUMPRODUCT with EXACT
is exact everywhere, but slow: above a size the groups hold their figures and only the totals
stay live.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from maxo_reports.core.ledger import DIMENSIONS
from maxo_reports.core.report import CALL_COLUMNS

LIVE_COMPARISONS = 1_500_000
"""Calls times groups above which the groups of one section are not live."""
_NEEDED = {
    "calls": ("call_id",),
    "connected": ("status",),
    "charged": ("cost",),
    "seconds": ("seconds",),
    "cost": ("cost",),
}
_LONGEST_LITERAL = 255
_TOTALS = {
    "calls": "COUNTA({t}[Call ID])",
    "connected": "SUMPRODUCT(1*({connected}))",
    "charged": "SUMPRODUCT(1*({t}[Cost]<>0))",
    "seconds": "SUM({t}[Duration])",
    "cost": "SUM({t}[Cost])",
}
_GROUPS = {
    "calls": "SUMPRODUCT(1*{which})",
    "connected": "SUMPRODUCT({which}*({connected}))",
    "charged": "SUMPRODUCT({which}*({t}[Cost]<>0))",
    "seconds": "SUMPRODUCT(1*{which},{t}[Duration])",
    "cost": "SUMPRODUCT(1*{which},{t}[Cost])",
}


class Formulas:
    """Writes formulas over the tables that hold the calls.

    ``tables`` are their names (one, or more where the calls go on to further sheets; none where
    the report lists no calls), ``shown`` the columns that they have, ``calls`` how many rows.
    """

    def __init__(
        self,
        tables: Sequence[str],
        shown: Collection[str],
        calls: int,
        connected_statuses: Sequence[str],
    ) -> None:
        self._tables = tables
        self._shown = shown
        self._calls = calls
        self._statuses = connected_statuses

    def total(self, measure: str) -> str | None:
        """Return the formula for a measure of all calls, or None where it cannot be live."""
        if not self._can(measure, ()):
            return None
        return self._over_tables(_TOTALS[measure], {})

    def group(self, measure: str, dimensions: Mapping[str, str], groups: int) -> str | None:
        """Return the formula for a measure of one group; ``dimensions`` maps each to its cell."""
        if not self._can(measure, dimensions) or self._calls * groups > LIVE_COMPARISONS:
            return None
        which = "*".join(
            f"EXACT({{t}}[{DIMENSIONS[name]}],{cell})" for name, cell in dimensions.items()
        )
        return self._over_tables(_GROUPS[measure], {"which": which})

    def day(self, measure: str, cell: str, days: int) -> str | None:
        """Return the formula for a measure of one day, whose date is in ``cell``."""
        if not self._can(measure, ("started",)) or self._calls * days > LIVE_COMPARISONS:
            return None
        return self._over_tables(_GROUPS[measure], {"which": f"(INT({{t}}[Started])={cell})"})

    def _can(self, measure: str, also: Collection[str]) -> bool:
        if measure == "connected" and not self._connected_fits():
            return False
        needed = (*_NEEDED[measure], *also)
        return bool(self._tables) and all(name in self._shown for name in needed)

    def _connected_fits(self) -> bool:
        """Tell whether the status words can stand in a formula as they are."""
        return all(len(word) <= _LONGEST_LITERAL for word in self._statuses)

    def _over_tables(self, pattern: str, parts: Mapping[str, str]) -> str:
        words = [
            'EXACT({t}[%s],"%s")' % (CALL_COLUMNS["status"].label, word.replace('"', '""'))  # noqa: UP031 - braces are for later
            for word in self._statuses
        ]
        connected = "+".join(words) or "EXACT({t}[Status],FALSE)"
        terms = []
        for table in self._tables:
            filled = pattern.replace("{connected}", connected)
            for name, text in parts.items():
                filled = filled.replace(f"{{{name}}}", text)
            terms.append(filled.replace("{t}", table))
        return "+".join(terms)
