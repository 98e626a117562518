"""Live formulas over the Calls table, for every figure that sums calls.

Rows are chosen by comparing inside SUMPRODUCT. SUMIFS and COUNTIFS would take ``0612`` and
``612`` for the same number, and read ``*``, ``?``, ``<`` and ``=`` in a name as commands; a plain
``=`` does neither. It does not tell capital letters from small ones, so names that are alike but
for that, or are not plain ASCII, are compared with EXACT, which takes five times as long.

Above a size the groups hold their figures and only the totals stay live.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from maxo_reports.core.cdr import LONGEST_TEXT
from maxo_reports.core.report import Column, Kind, Role, Table
from maxo_reports.core.text import visible

LIVE_COMPARISONS = 5_000_000
"""Calls times groups above which the groups of one section are not live.

LibreOffice recalculates a section of that size, five measures, in about 3 seconds of one core.
"""
_EXACT_COSTS = 5
_LONGEST_FORMULA = 8_000
"""Excel takes 8,192 characters."""
_LONGEST_LITERAL = 255
_NEEDED = {
    "calls": ("call_id",),
    "connected": ("status",),
    "charged": ("cost",),
    "seconds": ("seconds",),
    "cost": ("cost",),
}
_TOTALS = {
    "calls": "COUNTA({t}[{call_id}])",
    "connected": "SUMPRODUCT(1*({connected}))",
    "charged": "SUMPRODUCT(1*({t}[{cost}]<>0))",
    "seconds": "SUM({t}[{seconds}])",
    "cost": "SUM({t}[{cost}])",
}
_GROUPS = {
    "calls": "SUMPRODUCT(1*{which})",
    "connected": "SUMPRODUCT({which}*({connected}))",
    "charged": "SUMPRODUCT({which}*({t}[{cost}]<>0))",
    "seconds": "SUMPRODUCT(1*{which},{t}[{seconds}])",
    "cost": "SUMPRODUCT(1*{which},{t}[{cost}])",
}


class Formulas:
    """Writes formulas over the tables that hold the calls.

    ``tables`` are their names (one, or more where the calls go on to further sheets; none where
    the report lists no calls), ``columns`` what they have, ``calls`` how many rows.
    """

    def __init__(
        self,
        tables: Sequence[str],
        columns: Sequence[Column],
        calls: int,
        connected_statuses: Sequence[str],
    ) -> None:
        self._tables = tables
        self._shown = {column.key: column.label for column in columns}
        self._calls = calls
        self._words = [visible(word, LONGEST_TEXT) for word in connected_statuses]

    def total(self, measure: str) -> str | None:
        """Return the formula for a measure of all calls, or None where it cannot be live."""
        return self._over_tables(_TOTALS[measure], measure, {})

    def choice(self, table: Table) -> str | None:
        """Return how a table's rows choose their calls, or None where they cannot be live.

        It is the pattern of a condition, in which ``{0}`` stands for the row's first cell.
        """
        rows = [row for row in table.rows if row.role is Role.ROW]
        comparisons = self._calls * len(rows)
        if not table.group_by:
            days = bool(rows) and table.columns[0].kind is Kind.DATE
            can = days and "started" in self._shown and comparisons <= LIVE_COMPARISONS
            return "(INT({t}[{started}])={0})" if can else None
        return self._choice(table.group_by, [row.key for row in rows], len(rows))

    def crossing(self, table: Table) -> str | None:
        """Return how a matrix's cells choose their calls, or None where they cannot be live.

        In the pattern ``{0}`` stands for the row's first cell and ``{1}`` for the heading.
        """
        names = [row.key for row in table.rows if row.role is Role.ROW]
        keys = [(*name, other) for name in names for other in table.names]
        return self._choice((*table.group_by, table.across), keys, len(keys))

    def _choice(
        self, dimensions: Sequence[str], keys: Sequence[tuple[str, ...]], cells: int
    ) -> str | None:
        """Return the condition that picks the calls of one of some keys by ``{0}``, ``{1}``..."""
        comparisons = self._calls * cells
        shown = [tuple(visible(value, LONGEST_TEXT) for value in key) for key in keys]
        alike = len(set(shown)) < len(shown)
        if alike or not all(name in self._shown for name in dimensions):
            return None
        parts = []
        for at, name in enumerate(dimensions):
            plain = _is_plain({key[at] for key in shown})
            comparisons *= 1 if plain else _EXACT_COSTS
            pattern = "({t}[{%s}]={%d})" if plain else "EXACT({t}[{%s}],{%d})"
            parts.append(pattern % (name, at))
        return "*".join(parts) if comparisons <= LIVE_COMPARISONS else None

    def row(self, measure: str, choice: str, cells: Sequence[str]) -> str | None:
        """Return the formula for a measure of the row whose leading cells are ``cells``."""
        parts = {f"{{{at}}}": cell for at, cell in enumerate(cells)}
        return self._over_tables(_GROUPS[measure], measure, {"{which}": choice, **parts})

    def _over_tables(self, pattern: str, measure: str, parts: Mapping[str, str]) -> str | None:
        if not self._tables or not all(name in self._shown for name in _NEEDED[measure]):
            return None
        if any(len(word) > _LONGEST_LITERAL for word in self._words) and measure == "connected":
            return None
        for name, text in {"{connected}": self._connected(), **parts}.items():
            pattern = pattern.replace(name, text)
        for key, label in self._shown.items():
            pattern = pattern.replace(f"{{{key}}}", label)
        formula = "+".join(pattern.replace("{t}", table) for table in self._tables)
        return formula if len(formula) <= _LONGEST_FORMULA else None

    def _connected(self) -> str:
        """Return the condition that a call's status is one of those that count as connected."""
        # Words that differ in capital letters only are one to an equals sign.
        plain = {word.casefold(): word for word in self._words if word.isascii()}
        status = "{t}[{status}]"
        same = [f"({status}={_literal(word)})" for word in plain.values()]
        exact = [f"EXACT({status},{_literal(w)})" for w in self._words if not w.isascii()]
        return "+".join((*same, *exact)) or "0"


def shown_sum(table: str, column: Column) -> str:
    """Return the sum of a column over the rows that a filter of the reader's leaves in sight."""
    return f"SUBTOTAL(109,{table}[{column.label}])"


def weighted(place: str, first: int) -> str:
    """Return the formula for the sum of a column, its first row once, its second twice, ..."""
    return f"SUMPRODUCT({place},ROW({place})-{first - 1})"


def _is_plain(names: Collection[str]) -> bool:
    """Tell whether a plain comparison tells these names from each other."""
    folded = {name.casefold() for name in names}
    return len(folded) == len(names) and all(name.isascii() for name in names)


def _literal(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'
