"""A million calls against a bill that lists a million: how long, and how much memory.

    python benchmarks/reconcile.py [--calls 1000000]

Two thirds of the list have the records' ids, the rest are matched by number, duration and time;
one call in a thousand has something wrong. What is measured is a process of its own that opens
the calls' columns, reads the list and ends with every difference found.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import date
from pathlib import Path
from random import Random

from maxo_reports import invoice
from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.core.bills.reconcile import Tolerance
from maxo_reports.core.cdr import CallColumns
from maxo_reports.core.period import Window, parse_period
from maxo_reports.reconciling import Against, compare

ZONE = "Australia/Brisbane"
PERIOD = parse_period("2026-10", ZONE, date(2026, 12, 1))
SECONDS, MEGABYTES = 60, 1_000
_CATEGORIES = ("Local", "National", "Mobile", "13/1300", "1800 Incoming")
_WINDOWS = 125


def main() -> None:
    """Make the month, measure one comparison, say whether it keeps its promise."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        _measure(given.measure)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        planted = _make(folder, given.calls)
        print(f"{given.calls:,} calls, as many lines; planted: {planted}")
        command = [sys.executable, __file__, "--measure", scratch]
        subprocess.run(command, check=True)


def _make(folder: Path, count: int) -> dict[str, int]:
    """Write the calls' columns and the list; return what is wrong in it."""
    random = Random(7)
    planted = dict.fromkeys(("extra", "re-rated", "duplicate", "re-labelled"), 0)
    span = PERIOD.window.seconds // _WINDOWS + 1
    with (folder / "calls.csv").open("w", encoding="utf-8") as out:
        out.write("Call ID,Started,From,To,Duration,Category,Charge\n")
        for at in range(_WINDOWS):
            start = PERIOD.start + at * span
            end = min(PERIOD.end, start + span)
            few = range(at * count // _WINDOWS, (at + 1) * count // _WINDOWS)
            columns.write(
                folder / f"{at:04}.parquet",
                _window(random, few, start, end, out, planted),
                Window(start, end),
                {},
            )
    return planted


def _window(
    random: Random, numbers: range, start: int, end: int, out: object, planted: dict[str, int]
) -> CallColumns:
    table = CallColumns()
    for number in numbers:
        moment = random.randrange(start, end)
        seconds = random.randrange(1, 900)
        a_party = f"07555{random.randrange(40):05}"
        b_party = f"0491{random.randrange(1_000_000):06}"
        category = random.choice(_CATEGORIES)
        cost = 1_000 * seconds + 100
        table.call_id.append(f"{722_954_181 + number}")
        table.unixtime.append(moment)
        table.direction.append("Outbound")
        table.a_party.append(a_party)
        table.b_party.append(b_party)
        table.service_number.append(a_party)
        table.category.append(category)
        table.status.append("Connected.")
        table.connected.append(True)
        table.seconds.append(seconds)
        table.cost.append(cost)
        table.cost_text.append("")
        table.quirks.append(0)
        call_id = f"{722_954_181 + number}" if number % 3 else ""
        local = moment + 36_000 + (0 if call_id else random.randrange(-2, 3))
        line = _line(call_id, local, a_party, b_party, seconds, category, cost)
        wrong = tuple(planted)[number // 1_000 % 4] if number % 1_000 == 1 else ""
        if wrong:
            planted[wrong] += 1
        if wrong == "re-rated":
            line = _line(call_id, local, a_party, b_party, seconds, category, 2 * cost)
        if wrong == "re-labelled":
            line = _line(call_id, local, a_party, b_party, seconds, "Premium", cost)
        for _ in range({"extra": 0, "duplicate": 2}.get(wrong, 1)):
            out.write(line)  # type: ignore[attr-defined]
    return table


def _line(
    call_id: str, local: int, a_party: str, b_party: str, seconds: int, category: str, cost: int
) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(local))
    return (
        f"{call_id},{when},{a_party},{b_party},{seconds},{category},"
        f"{cost // 1_000_000}.{cost % 1_000_000:06}\n"
    )


def _measure(folder: Path) -> None:
    began = time.perf_counter()
    read = invoice.load(folder / "calls.csv")
    with closing(CallStore(sorted(folder.glob("*.parquet")), PERIOD)) as calls:
        against = Against(calls, PERIOD, "exclusive", {})
        found = compare(against, read, Tolerance())
    took = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    most, busy = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
    assert all(check.passed for check in found.checks), found.checks
    matched = found.matched
    assert matched is not None, "the bill lists its calls"
    print(f"matched: {matched.by_id:,} by id, {matched.by_time:,} by number, time and duration")
    print({step.kind: step.calls for step in found.whole.steps if step.calls})
    good = took < SECONDS and most < MEGABYTES
    # On a machine that does other work besides, the cores' own seconds tell more than the clock.
    cores = f"{busy:.1f} s of the cores"
    print(f"{took:.1f} s ({cores}), {most:,.0f} MB: {'kept' if good else 'NOT KEPT'}")
    if not good:
        sys.exit(1)


if __name__ == "__main__":
    main()
