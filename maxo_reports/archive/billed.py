"""What a bill's sums are held against: the calls by row, and those at the edges of its month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.views import sources
from maxo_reports.core.bills.bill import CENT, Factor
from maxo_reports.core.bills.differences import Called
from maxo_reports.core.bills.scene import Scene
from maxo_reports.core.bills.summed import RowSums
from maxo_reports.core.period import Window

_CALLED = (
    "call_id, unixtime, direction, a_party, b_party, seconds, category, coalesce(cost, 0),"
    " window_start"
)


def expected_sql(factor: Factor, cost: str) -> str:
    """Return the SQL of ``Factor.expected``: a cost on the bill's basis, half away from zero."""
    size = f"(2 * abs({cost}) * {factor.times} + {factor.over}) // {2 * factor.over}"
    return f"(CASE WHEN {cost} < 0 THEN -({size}) ELSE {size} END)"


def row_sums(calls: CallStore, scene: Scene) -> dict[str, RowSums]:
    """Add the period's calls up by row."""
    figures = []
    for factor in (Factor(), scene.factor):
        expected = expected_sql(factor, "coalesce(cost, 0)")
        half_up = f"(2 * abs({expected}) + {CENT}) // {2 * CENT} * {CENT}"
        up = f"(abs({expected}) + {CENT - 1}) // {CENT} * {CENT}"
        figures += [f"sum(sign({expected}) * {size})::BIGINT" for size in (half_up, up)]
    rows = calls._db.execute(  # noqa: SLF001 - one more view of the same store
        "SELECT category, count(*), count(*) FILTER (coalesce(cost, 0) <> 0),"
        f" coalesce(sum(cost), 0)::BIGINT, {', '.join(figures)}"
        " FROM kept GROUP BY category ORDER BY category"
    ).fetchall()
    sums: defaultdict[str, RowSums] = defaultdict(RowSums)
    for category, *counts in rows:
        row = scene.rows.of(category)
        first, plain, turned = counts[:3], counts[3:5], counts[5:]
        more = (*first, *(plain if scene.rows.is_free(row) else turned))
        sums[row] = RowSums(*(a + b for a, b in zip(sums[row], more, strict=True)))
    return dict(sums)


def outside(calls: CallStore, month: Window, replies: Mapping[int, str]) -> tuple[Called, ...]:
    """Return the charged calls of the period that are not in a span, in order of time."""
    rows = calls._db.execute(  # noqa: SLF001 - one more view of the same store
        f"SELECT {_CALLED} FROM kept WHERE coalesce(cost, 0) <> 0"
        f" AND (unixtime < {month.start} OR unixtime >= {month.end}) ORDER BY unixtime, call_id"
    ).fetchall()
    return tuple(Called._make((*row, replies.get(window, ""), True)) for *row, window in rows)


def inside(
    paths: Sequence[Path], month: Window, period: Window, replies: Mapping[int, str]
) -> tuple[Called, ...]:
    """Return the charged calls of other periods that are in a span and not in the period."""
    if not paths or (month.start >= period.start and month.end <= period.end):
        return ()
    with duckdb.connect(config={"threads": 2}) as db:
        rows = db.execute(
            f"SELECT DISTINCT ON (call_id) {_CALLED} FROM read_parquet(?)"
            f" WHERE coalesce(cost, 0) <> 0 AND unixtime >= {month.start}"
            f" AND unixtime < {month.end}"
            f" AND (unixtime < {period.start} OR unixtime >= {period.end})"
            " ORDER BY call_id, unixtime",
            [sources(paths)],
        ).fetchall()
    found = [Called._make((*row, replies.get(window, ""), True)) for *row, window in rows]
    return tuple(sorted(found, key=lambda call: (call.unixtime, call.call_id)))
