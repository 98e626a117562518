"""What the column store chooses and adds of calls that a test holds in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from maxo_reports.core.ledger import Totals
from maxo_reports.core.report import CallLine


def foremost(lines: Iterable[CallLine], measure: str, most: int) -> list[CallLine]:
    """Return the calls with the most of a measure, the earlier first among equals."""
    having = [line for line in lines if (getattr(line, measure) or 0) > 0]
    having.sort(key=lambda line: (-getattr(line, measure), line.started, line.call_id))
    return having[:most]


def called(
    lines: Iterable[CallLine], direction: str, statuses: Sequence[str] = ("Connected",)
) -> list[tuple[str, Totals]]:
    """Return the totals of each number called."""
    found: defaultdict[str, Totals] = defaultdict(Totals)
    for line in lines:
        if line.direction == direction:
            cost = Decimal(line.cost or 0) / 1_000_000
            found[line.b_party] += Totals(
                1, int(line.status in statuses), int(bool(line.cost)), line.seconds or 0, cost
            )
    return sorted(found.items())
