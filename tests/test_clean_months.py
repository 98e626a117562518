"""Clean months raise no alarm: all checks agree, and a pack is made of what a right carrier sends.

The other half of the tests with liars: a check that also fires at the innocent would be switched
off. Each month is made from a seed: another zone, length, order of records, another mix of odd but
allowed records, on another carrier; all cross-checks are asked, and every file is read back. Every
tenth month has its statement, too: setting pages takes longer than all the rest.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from carriers import call
from workspaces import BOOKED

from maxo_reports import engine
from maxo_reports.config import Account, Settings, Workspace
from maxo_reports.core.period import parse_period
from maxo_reports.sandbox import Book, Sandbox

MONTHS = int(os.environ.get("CLEAN_MONTHS", "200"))
BATCH = 20
WITH_STATEMENT = 10
ZONES = ("Australia/Brisbane", "Australia/Sydney", "Australia/Perth", "Australia/Lord_Howe")
PERIODS = ("2026-10", "2026-04", "2026-02", "2026-09-15..2026-10-06")
TODAY = date(2026, 11, 20)
NUMBERS = ("0255500140", "+61755500141", "1300975707/PBX", "1800975707/Reception", "131114")
FAR = ("0491570006", "+61491570157", "Anonymous", "", "0011642123456", "101", "+442079460018")
CATEGORIES = ("Mobile", "Local", "13/1300", "International - New Zealand", "A*b?", "=1+1", "<b>&")


def _record(dice: random.Random, number: int, moment: int, zone: str) -> dict[str, Any]:
    """Make one record as the carrier may send it."""
    inbound = dice.random() < 0.5
    own, far, category = dice.choice(NUMBERS), dice.choice(FAR), dice.choice(CATEGORIES)
    seconds = dice.choice([0, 0, 1, 59, 60, 61, 3_600, 90_000])
    cost = Decimal(dice.choice([0, 0, 1, 25, 275, 2_750, 123_456])) / 10_000
    written: Any = dice.choice([f"{cost}", f"{cost:.4f}", f"{cost:.6f}"])
    return call(
        number,
        moment,
        zone=zone,
        direction=dice.choice(["IN", "Inbound"]) if inbound else dice.choice(["OUT", "Outbound"]),
        origin=far if inbound else own,
        destination=own if inbound else far or "0491570156",
        rate="" if inbound else category,
        inboundrate=category if inbound else "",
        status="Connected." if seconds else dice.choice(["No Answer.", "Busy", "Cancelled"]),
        duration=dice.choice([seconds, str(seconds)]),
        cost=written,
    )


def _month(seed: int) -> tuple[str, str, list[Mapping[str, Any]]]:
    dice = random.Random(seed)
    zone, label = dice.choice(ZONES), dice.choice(PERIODS)
    period = parse_period(label, zone, TODAY)
    moments = [
        dice.choice(
            [
                dice.randrange(period.start, period.end),
                period.start,
                period.end - 1,
                # Neighbours of the period, which are not its own.
                period.start - 1,
                period.end,
            ]
        )
        for _ in range(dice.choice([0, 1, 7, 40, 120]))
    ]
    # Clocks that go back show some local times twice; the carrier's text is then one of two.
    clear = [m for m in moments if not _is_ambiguous(m, zone)]
    return zone, label, [_record(dice, n, m, zone) for n, m in enumerate(clear)]


def _is_ambiguous(moment: int, zone: str) -> bool:
    from datetime import datetime

    local = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _books(folder: Path) -> None:
    """Write a report of the workspace's own: the statement's workbook alone."""
    (folder / "reports").mkdir(parents=True)
    (folder / "reports" / "books.toml").write_text(BOOKED)


@pytest.mark.parametrize("first", range(0, MONTHS, BATCH))
def test_clean_months_are_settled_without_an_alarm(tmp_path: Path, first: int) -> None:
    """A settled pack, no warning, no error, every cross-check passed, both looks the same."""
    for seed in range(first, min(first + BATCH, MONTHS)):
        zone, label, calls = _month(seed)
        order = ("oldest", "newest", "shuffled")[seed % 3]
        with Sandbox([Book.from_calls(calls, timezone=zone)], order=order, seed=seed) as carrier:
            account = Account("acme", "Acme", zone, base_url=carrier.base_url)
            folder = tmp_path / str(seed)
            workspace = Workspace(folder, Settings(crosscheck="full"), {"acme": account})
            _books(folder)
            period = parse_period(label, zone, TODAY)
            now = period.end + 5 * 86_400
            job = engine.Job(
                workspace, account, period, lambda: "sandbox-key", lambda now=now: now
            )
            outcome = engine.run(job, ["books" if seed % WITH_STATEMENT else "statement"])
        inside = [c for c in calls if period.start <= c["unixtime"] < period.end]
        control = outcome.ledger.control
        assert control.calls == len(inside), seed
        assert control.cost == sum((Decimal(c["cost"]) for c in inside), Decimal(0)), seed
        loud = [f for f in outcome.findings if f.severity == "error"]
        assert not loud, (seed, loud)
        assert outcome.state.word == "settled", (seed, outcome.state.reasons)
        checks = outcome.pack.manifest["checks"]
        assert sum("asked" in c["check"] for c in checks) == 3, seed
        assert all(c["passed"] for c in checks), (seed, checks)
