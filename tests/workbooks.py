"""Workbooks for tests, made from calls given one by one; the ledger is plain Python's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pyarrow as pa
from foremost import called, foremost

from maxo_reports.core.checks import Finding, checks
from maxo_reports.core.heading import Heading
from maxo_reports.core.ledger import Group, Intake, Ledger, Totals, total
from maxo_reports.core.report import (
    CallLine,
    Definition,
    Earlier,
    Report,
    Selector,
    Source,
    View,
)
from maxo_reports.core.sections import build
from maxo_reports.core.where import Condition, Where
from maxo_reports.render import xlsx
from reports import DEFINITION, SETTLED, STYLE, month

OCTOBER = month()
NOON = 1_790_856_000
"""1 October 2026, 12:00, on the local clock."""
CONNECTED = "Connected."
_TYPES = pa.schema(
    [
        (name, pa.int64() if name in {"started", "seconds", "cost"} else pa.string())
        for name in CallLine._fields
    ]
)


def line(number: int | str = 1, **odd: object) -> CallLine:
    """Make a call of one minute for 25 cents; ``odd`` sets fields."""
    values = {
        "call_id": str(number),
        "started": NOON,
        "direction": "Outbound",
        "a_party": "0255500140",
        "b_party": "0491570006",
        "service_number": "0255500140",
        "category": "Mobile",
        "status": CONNECTED,
        "seconds": 60,
        "cost": 250_000,
        **odd,
    }
    return CallLine(**values)  # type: ignore[arg-type]


def longest(lines: Sequence[CallLine]) -> dict[str, int]:
    """Return how many letters the longest text of each column of texts has."""
    names = [name for name in CallLine._fields if name not in {"started", "seconds", "cost"}]
    return {name: max((len(getattr(each, name)) for each in lines), default=0) for name in names}


class Listed:
    """Calls that are simply there."""

    def __init__(self, lines: Sequence[CallLine], block: int = 10_000) -> None:
        self._lines, self._block = lines, block

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._lines)

    def lines(self) -> Iterator[CallLine]:
        """Return them one by one."""
        return iter(self._lines)

    def longest(self) -> dict[str, int]:
        """Return the letters of the longest text of each column."""
        return longest(self._lines)

    def foremost(self, measure: str, most: int) -> list[CallLine]:
        """Return those with the most of a measure."""
        return foremost(self._lines, measure, most)

    def called(self, direction: str) -> list[tuple[str, Totals]]:
        """Return the totals of each number called."""
        return called(self._lines, direction, ("Connected", "Connected."))

    def blocks(self) -> Iterator[pa.Table]:
        """Return them in columns."""
        for at in range(0, len(self._lines), self._block):
            some = [each._asdict() for each in self._lines[at : at + self._block]]
            yield pa.Table.from_pylist(some, schema=_TYPES)


def ledger_of(lines: Sequence[CallLine], statuses: Sequence[str]) -> Ledger:
    """Group calls by loops over them."""
    groups: defaultdict[tuple[str, str, str], Totals] = defaultdict(Totals)
    days: defaultdict[date, Totals] = defaultdict(Totals)
    for each in lines:
        cost = Decimal(each.cost or 0) / 10**6
        connected = int(each.status in statuses)
        totals = Totals(1, connected, int(bool(each.cost)), each.seconds or 0, cost)
        groups[each.category, each.direction, each.service_number] += totals
        days[datetime.fromtimestamp(each.started, UTC).date()] += totals
    span = range((OCTOBER.until - OCTOBER.first).days)
    control = total(groups.values())
    return Ledger(
        tuple(Group(key, groups[key]) for key in sorted(groups)),
        tuple((d, days[d]) for d in (OCTOBER.first + timedelta(days=n) for n in span)),
        control,
        Intake(control.calls, control.calls, 0, 0),
        places=6,
    )


def leaves(where: Where, line: CallLine, statuses: Sequence[str]) -> bool:
    """Tell whether a filter leaves a call, by plain comparison."""

    def holds(condition: Condition) -> bool:
        if condition.field == "charged":
            return bool(line.cost) is condition.values
        if condition.field == "connected":
            return (line.status in statuses) is condition.values
        assert isinstance(condition.values, tuple)
        return getattr(line, condition.field) in condition.values

    return all(map(holds, where.conditions))


def selector(lines: Sequence[CallLine], statuses: Sequence[str]) -> Selector:
    """Return what filters calls, as the column store would."""

    @cache
    def select(where: Where, by_number: bool) -> View:
        kept = [each for each in lines if leaves(where, each, statuses)]
        rest = [each for each in lines if not leaves(where, each, statuses)]
        if by_number:
            kept.sort(key=lambda each: (each.service_number, each.started, each.call_id))
        calls = Listed(kept)
        control = ledger_of(rest, statuses).control
        return View(ledger_of(kept, statuses), calls, control, where)

    return select


def report_of(
    lines: Sequence[CallLine],
    *,
    statuses: Sequence[str] = (CONNECTED,),
    findings: Sequence[Finding] = (),
    definition: Definition = DEFINITION,
    account_name: str = "Wattle Lane Dental",
    block: int = 10_000,
    earlier: Sequence[Earlier] = (),
) -> Report:
    """Build the statement of some calls, or another report."""
    ledger = ledger_of(lines, statuses)
    pulled_at = datetime(2026, 11, 4, 9, 14, 5, tzinfo=UTC)
    heading = Heading("wattle-lane", account_name, OCTOBER, SETTLED, "unknown", pulled_at)
    passed = checks(ledger, OCTOBER, [OCTOBER.window])
    calls = Listed(lines, block)
    source = Source(
        heading,
        ledger,
        tuple(findings),
        passed,
        calls,
        tuple(statuses),
        select=selector(lines, statuses),
        earlier=tuple(earlier),
    )
    return build(replace(definition, formats=("xlsx",)), source)


def workbook(lines: Sequence[CallLine], target: Path, **more: object) -> Path:
    """Write the workbook of some calls."""
    target.unlink(missing_ok=True)
    xlsx.render(report_of(lines, **more), STYLE, target)  # type: ignore[arg-type]
    return target
