"""The texts of lines and entries, from the user's patterns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from maxo_reports.core.handoff.coding import Coded
from maxo_reports.core.handoff.posting import Worded
from maxo_reports.core.heading import Heading
from maxo_reports.core.numbering import spaced
from maxo_reports.core.text import counted, visible
from maxo_reports.handing.mapping import Lines

_LONGEST = 1_000
_NUMBERS = frozenset({"service_number"})
"""Dimensions whose values are telephone numbers, spaced where people read them."""


def of_period(heading: Heading) -> Mapping[str, str]:
    """Return what every pattern may name."""
    period = heading.period
    return {
        "account": heading.account_name,
        "period": period.label,
        "first": f"{period.first:%d %b %Y}",
        "last": f"{period.last:%d %b %Y}",
    }


def worded(coded: Iterable[Coded], lines: Lines, heading: Heading) -> tuple[Worded, ...]:
    """Write out the text of each line."""
    known = of_period(heading)
    return tuple(Worded(each, _line(each, lines, known)) for each in coded)


def _line(coded: Coded, lines: Lines, known: Mapping[str, str]) -> str:
    values = {
        name: spaced(value) if name in _NUMBERS else value for name, value in coded.values.items()
    }
    pattern = coded.coding.description or lines.description
    calls = counted(coded.totals.calls, "call")
    return filled(
        pattern, {**values, **known, "calls": calls, "duration": clock(coded.totals.seconds)}
    )


def filled(pattern: str, known: Mapping[str, str]) -> str:
    """Fill a pattern; callers choose some of the words, so nothing unseen is left in them."""
    return visible(pattern.format_map(known), _LONGEST)


def clock(seconds: int) -> str:
    """Write a duration as hours, minutes and seconds: ``15:22:10``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
