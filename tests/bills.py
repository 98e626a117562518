"""Months with a bill for tests: made-up calls, and bills with planted differences.

What was planted is written down as it is planted, in plain sums, apart from the code that has to
find it.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from maxo_reports import invoice
from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.core.bills.reconcile import Tolerance
from maxo_reports.core.cdr import QUIRKS, CallColumns
from maxo_reports.core.changes import Changes
from maxo_reports.core.money import dollars, plain
from maxo_reports.core.period import Window, parse_period
from maxo_reports.reconciling import Against, Compared, Elsewhere, compare

BRISBANE = "Australia/Brisbane"
PERIOD = parse_period("2026-10", BRISBANE, date(2026, 12, 1))
BEFORE = parse_period("2026-09", BRISBANE, date(2026, 12, 1))
START, END = PERIOD.start, PERIOD.end
REPLY = "ab" * 32
CENT = 10_000


@dataclass(frozen=True)
class Call:
    """One record: money in micro-dollars."""

    call_id: str
    unixtime: int
    to: str = "0491570006"
    seconds: int = 60
    category: str = "Mobile"
    cost: int = 250_000
    a_party: str = "0755500140"
    readable: bool = True


def store(folder: Path, calls: Iterable[Call], period: Any = PERIOD) -> CallStore:
    """Put calls into columns and open them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{period.key}.parquet"
    columns.write(path, _columns(calls), period.window, {})
    return CallStore([path], period)


def _columns(calls: Iterable[Call]) -> CallColumns:
    table = CallColumns()
    for call in calls:
        table.call_id.append(call.call_id)
        table.unixtime.append(call.unixtime)
        table.direction.append("Outbound")
        table.a_party.append(call.a_party)
        table.b_party.append(call.to)
        table.service_number.append(call.a_party)
        table.category.append(call.category)
        table.status.append("Connected.")
        table.connected.append(True)
        table.seconds.append(call.seconds)
        table.cost.append(call.cost if call.readable else None)
        table.cost_text.append("" if call.readable else "free?")
        table.quirks.append(0 if call.readable else QUIRKS["cost-unreadable"])
    return table


@dataclass(frozen=True)
class Line:
    """One call of a bill's list; ``call_id`` is empty where the list has none."""

    unixtime: int
    to: str
    seconds: int
    category: str
    charge: int
    call_id: str = ""

    @classmethod
    def of(cls, call: Call, **other: Any) -> Line:
        """List a call as its record has it."""
        made = cls(call.unixtime, call.to, call.seconds, call.category, call.cost, call.call_id)
        return replace(made, **other)


def write_list(path: Path, lines: Sequence[Line], zone: str = BRISBANE) -> Path:
    """Write a list of calls as a carrier's portal would."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Call ID", "Started", "To", "Duration", "Category", "Charge"])
        for line in lines:
            local = datetime.fromtimestamp(line.unixtime, ZoneInfo(zone))
            out.writerow(
                [
                    line.call_id,
                    f"{local:%d/%m/%Y %H:%M:%S}",
                    line.to,
                    line.seconds,
                    line.category,
                    plain(dollars(line.charge)),
                ]
            )
    return path


def write_bill(
    path: Path, lines: Sequence[tuple[Any, ...]], *, total: int = 0, **facts: Any
) -> Path:
    """Write a bill: each line is kind, text, category, calls (or None), charge."""
    said = {"number": "INV-1", "gst": "exclusive", **facts}
    total = total or sum(line[4] for line in lines)
    text = [f'{key.rstrip("_")} = "{value}"' for key, value in said.items()]
    text.append(f'total = "{plain(dollars(total))}"')
    for kind, words, category, calls, charge, *rest in lines:
        text += ["[[line]]", f'kind = "{kind}"', f'text = "{words}"']
        text += [f'category = "{category}"'] if category else []
        text += [f"calls = {calls}"] if calls is not None else []
        text += [f'charge = "{plain(dollars(charge))}"', *rest]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def compared(
    folder: Path,
    calls: Iterable[Call],
    bill: Path | None,
    listed: Path | None = None,
    *,
    others: Iterable[Call] | None = None,
    cost_gst: Any = "exclusive",
    changes: Changes | None = None,
    tolerance: Tolerance = Tolerance(),  # noqa: B008 - a frozen value
) -> Compared:
    """Hold a bill, or a list of calls alone, against calls; every check must hold."""
    elsewhere = Elsewhere()
    if others is not None:
        store(folder / "before", others, BEFORE).close()
        path = folder / "before" / f"{BEFORE.key}.parquet"
        elsewhere = Elsewhere([path], [Window(BEFORE.start, BEFORE.end)])
    read = invoice.load(bill or listed, listed if bill else None)  # type: ignore[arg-type]
    with closing(store(folder, calls)) as opened:
        against = Against(opened, PERIOD, cost_gst, {START: REPLY}, elsewhere, changes)
        found = compare(against, read, tolerance)
    assert all(check.passed for check in found.checks), found.checks
    return found


def found_in(result: Compared) -> Counter[tuple[Any, ...]]:
    """Return every difference as class, dollars by row, record's id and bill's line."""
    return Counter(
        (
            each.kind,
            tuple(sorted(each.moves)),
            each.called.call_id if each.called else "",
        )
        for each in result.whole.differences
    )


@dataclass
class Month:
    """A random month with a bill, and what was planted in it."""

    calls: list[Call] = field(default_factory=list)
    others: list[Call] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    planted: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    def plant(self, kind: str, moves: dict[str, int], call_id: str = "") -> None:
        """Write down what was planted."""
        self.planted[kind, tuple(sorted(moves.items())), call_id] += 1


_RATES = {"Local": 100_000, "National": 1_100, "Mobile": 2_200, "13/1300": 300_000}
_NUMBERS = ("0255500", "0491570", "1300975")


def random_calls(random: Random, count: int, start: int, end: int, first: int) -> list[Call]:
    """Make calls with ids from ``first`` on: whole months have repeats, free and nearby calls."""
    calls: list[Call] = []
    for number in range(first, first + count):
        category = random.choice([*_RATES, "Incoming"])
        seconds = random.randrange(0, 900)
        rate = _RATES.get(category, 0)
        cost = rate if rate >= 10_000 else rate * seconds
        moment = random.randrange(start, end)
        to = f"{random.choice(_NUMBERS)}{random.randrange(1000):03}"
        if calls and random.random() < 0.1:
            # The same number again, as long, within seconds: only one to one keeps them apart.
            near = random.choice(calls)
            moment = min(end - 1, max(start, near.unixtime + random.randrange(-3, 4)))
            to, seconds, category, cost = near.to, near.seconds, near.category, near.cost
        calls.append(Call(f"{number}", moment, to, seconds, category, cost))
    return calls
