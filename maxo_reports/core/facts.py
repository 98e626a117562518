"""The facts above a report's figures, in the words that every workbook has them in.

One list, so that a name such as ``maxo_state`` means the same in a workbook that we issue and in
one of the user's own that is refreshed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from maxo_reports.core.heading import Heading


class Fact(NamedTuple):
    """One fact: ``key`` for programs, ``label`` for people, whether it is a warning."""

    key: str
    label: str
    words: str
    warns: bool = False


def facts(heading: Heading) -> Sequence[Fact]:
    """Return for whom a report is, which period, and how sure, in the order to print them in."""
    period, state = heading.period, heading.state
    dates = f"{period.first:%d %b %Y} to {period.last:%d %b %Y}, both included"
    sure = "; ".join((state.word.capitalize(), *state.reasons))
    return (
        Fact("account", "Account", heading.account_id),
        Fact("period", "Period", period.label),
        Fact("dates", "Dates", dates),
        Fact("zone", "Time zone", period.zone),
        Fact("state", "State", sure, warns=state.word == "provisional"),
        Fact("revision", "Revision", f"{heading.revision}"),
        Fact("pulled", "Calls pulled", f"{heading.pulled_at:%d %b %Y %H:%M:%S}"),
        Fact("cost_basis", "Charges" if heading.charged else "Costs", heading.cost_basis),
    )
