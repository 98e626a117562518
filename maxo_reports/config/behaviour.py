"""``[behaviour]``: the thresholds of the checks on behaviour, for all accounts or for one."""

from __future__ import annotations

from typing import Any

from maxo_reports.config.problems import Limits, Problems, filled
from maxo_reports.core.behaviour import WEEKDAYS, Behaviour, minutes
from maxo_reports.errors import did_you_mean

TABLE = "behaviour"
_MONEY = (0, 1_000_000)
_RANGES = {
    **{f"{name}_dollars": _MONEY for name in ("out_of_hours", "premium", "international", "jump")},
    "out_of_hours_percent": (0, 100),
    "long_minutes": (0, 10_000),
    "short_calls": (0, 100_000),
    "short_seconds": (0, 3600),
    "short_within_minutes": (0, 1440),
    "jump_percent": (0, 100_000),
    "jump_months": (0, 12),
    "silent_months": (0, 12),
}


def behaviour(start: Behaviour, given: Any, table: str, problems: Problems) -> Behaviour:
    """Return thresholds with the given ones changed; what is wrong is noted."""
    limits = Limits(ranges=_RANGES)
    found: Behaviour = filled(start, problems.table(table, given), table, problems, limits)
    if minutes(found.hours) is None:
        problems.add(f'[{table}] hours must be such as "07:00-19:00", not {found.hours!r}')
    for day in found.days:
        if day not in WEEKDAYS:
            known, meant = ", ".join(WEEKDAYS), did_you_mean(day, WEEKDAYS)
            problems.add(f"[{table}] days must be of {known}, not {day!r}{meant}")
    return found
