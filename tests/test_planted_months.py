"""Planted months: each pattern is found with its calls and dollars; clean months give none."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call, reply
from workspaces import DAY, QUICK, SETTLED, Desk, Fickle, contents, ran, sheet

from maxo_reports.archive import columns, patterns
from maxo_reports.archive.columns import CallStore
from maxo_reports.cli import clock as the_clock
from maxo_reports.core import behaviour, cdr
from maxo_reports.core.behaviour import CODES, Behaviour, Seen
from maxo_reports.core.period import LocalClock, parse_period

HOUR = 3600
OWN = ("0255500140", "0255500141", "+61255500142")
MONTHS = int(os.environ.get("PLANTED_MONTHS", "12"))
USUAL = Behaviour()
SHORT = replace(USUAL, out_of_hours_dollars=0)
"""Whoever dials at noon on a Thursday is not out of hours."""


def at(day: int, hour: int, minute: int = 0) -> int:
    """Return a moment of October in Sydney, in unix seconds."""
    return int(datetime(2026, 10, day, hour, minute, tzinfo=ZoneInfo(SYDNEY)).timestamp())


def out(number: int, moment: int, to: str = "0491570006", **odd: Any) -> dict[str, Any]:
    """Make an outbound call of a minute for 20 cents."""
    fields = {"origin": OWN[0], "destination": to, "rate": "Mobile", "inboundrate": ""}
    made = {"direction": "OUT", "duration": 60, "cost": "0.20", **fields, **odd}
    return call(number, moment, zone=SYDNEY, **made)


def busy(seed: int, first: int = 0) -> list[dict[str, Any]]:
    """Make a clean office month: calls in hours, some abroad, some long, some short, some free."""
    dice = random.Random(seed)
    made = []
    for n in range(first, first + 400):
        moment = at(dice.choice([1, 2, 5, 6, 7, 8, 9, 12, 13, 30]), dice.randrange(8, 18))
        moment += dice.randrange(HOUR)
        to = dice.choice(["0491570006", "0491570156", "0255509999", "131450", "+442079460018"])
        seconds = dice.choice([0, 12, 25, 61, 300, 2 * HOUR])
        cost = f"{Decimal(seconds) / 600:.4f}" if not to.startswith("13") else "0.30"
        cost = cost if not to.startswith("+") else f"{Decimal(seconds) / 9000:.4f}"
        status = "Connected." if seconds else "No Answer."
        odd = {"duration": seconds, "cost": cost, "origin": dice.choice(OWN), "status": status}
        made.append(out(n, moment, to, **odd))
    # An inbound line at night is nobody's doing.
    made += [call(first + 1000 + n, at(3, 2, n), zone=SYDNEY, cost="2") for n in range(50)]
    return made


def store(folder: Path, calls: Iterable[dict[str, Any]]) -> CallStore:
    """Put a month into columns."""
    period = parse_period("2026-10", SYDNEY, date(2026, 11, 20))
    clock = LocalClock.over(SYDNEY, period.start, period.end)
    read = cdr.read_reply(reply(list(calls), period.window, SYDNEY))
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    columns.write(path, cdr.columns(read, clock), period.window, {})
    return CallStore([path], period)


def found(folder: Path, calls: Iterable[dict[str, Any]], of: Behaviour = USUAL) -> list[Seen]:
    """Return what is seen above the thresholds, as the program tells it."""
    held = store(folder, calls)
    seen = list(patterns.seen(held, of))
    told = {(f.code, f.calls, f.dollars) for f in behaviour.patterns(seen, of)}
    held.close()
    return [s for s in seen if (s.code, s.calls, Decimal(s.micros) / 10**6) in told]


def planted(kind: str) -> tuple[list[dict[str, Any]], str]:
    """Return calls of one pattern, and the code that they are to be told under."""
    night = [out(5000 + n, at(11, 1, n), cost="3.5") for n in range(20)]
    sunday = [out(5000 + n, at(11, 12, n), cost="5") for n in range(12)]
    early = [out(5000 + n, at(14, 6, 59), cost="51") for n in range(1)]
    premium = [out(5000 + n, at(14, 9, n), "1902 555 001", cost="5.75") for n in range(4)]
    sms = [out(5000 + n, at(14, 9, n), "+61 199012", cost="10.5") for n in range(2)]
    abroad = [out(5000 + n, at(14, 9, n), "0011 675 7234 5678", cost="9.9") for n in range(11)]
    abroad += [out(5100 + n, at(14, 10, n), "+881612345678", cost="8") for n in range(2)]
    long = [out(5000, at(14, 8), duration=4 * HOUR, cost="7.2")]
    inbound = [call(5000, at(14, 8), zone=SYDNEY, duration=5 * HOUR, cost="30")]
    repeats = [
        out(5000 + n, at(14, 9) + 390 * n, "0491570999", duration=30, cost="0.40")
        for n in range(10)
    ]
    return {
        "night": (night, "out-of-hours"),
        "sunday": (sunday, "out-of-hours"),
        "early": (early, "out-of-hours"),
        "premium": (premium, "premium"),
        "premium sms": (sms, "premium"),
        "abroad": (abroad, "international"),
        "long": (long, "long-calls"),
        "long inbound": (inbound, "long-calls"),
        "repeats": (repeats, "short-repeats"),
    }[kind]


KINDS = ("night", "sunday", "early", "premium", "premium sms", "abroad", "long", "long inbound")
KINDS = (*KINDS, "repeats")


def test_a_night_belongs_to_the_day_on_which_it_began(tmp_path: Path) -> None:
    """A bar of Fridays: two on Saturday is open, and two on Friday is not."""
    of = replace(USUAL, hours="18:00-03:00", days=("fri",), out_of_hours_percent=0)
    # 16 October 2026 is a Friday.
    opened = [out(1, at(16, 23), cost="60"), out(2, at(17, 2), cost="60")]
    assert found(tmp_path, opened, of) == []
    (one,) = found(tmp_path, [*opened, out(3, at(16, 2), cost="60")], of)
    assert one.examples == ("3",)


@pytest.mark.parametrize("seed", range(8))
def test_clean_months_give_nothing(tmp_path: Path, seed: int) -> None:
    """An office that works, with calls abroad and long ones."""
    assert found(tmp_path, busy(seed)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_pattern_is_found_alone_with_its_calls_and_dollars(
    tmp_path: Path, kind: str
) -> None:
    """In a busy month: nothing else is told, and no other call is counted to it."""
    calls, code = planted(kind)
    clean = [c for c in busy(1) if c["destination"] != "+442079460018"]
    (one,) = found(tmp_path, [*clean, *calls])
    assert one.code == code
    assert one.calls == len(calls)
    assert Decimal(one.micros) / 10**6 == sum(Decimal(c["cost"]) for c in calls)
    ids = {str(c["callid"]) for c in calls}
    assert set(one.examples) <= ids
    assert len(one.examples) == min(3, len(calls))


@pytest.mark.parametrize("seed", range(MONTHS))
def test_whatever_is_planted_is_found_and_nothing_else(tmp_path: Path, seed: int) -> None:
    """Some patterns in one month, each on a number of its own, in no order."""
    dice = random.Random(seed)
    calls, expected = busy(seed), {}
    for place, kind in enumerate(dice.sample(KINDS, dice.randrange(len(KINDS)))):
        own, (made, code) = f"02555002{place:02}", planted(kind)
        side = "origin" if made[0]["direction"] == "OUT" else "destination"
        calls += [{**c, side: own, "callid": 10_000 * (place + 1) + c["callid"]} for c in made]
        expected[code, own] = (len(made), sum(Decimal(c["cost"]) for c in made))
    dice.shuffle(calls)
    seen = found(tmp_path, calls)
    assert {(s.code, s.number): (s.calls, Decimal(s.micros) / 10**6) for s in seen} == expected


@pytest.mark.parametrize(
    ("calls", "of"),
    [
        ([out(n, at(14, 7), cost="60") for n in range(1)], USUAL),
        ([out(n, at(14, 18, 59), cost="60") for n in range(1)], USUAL),
        ([out(n, at(11, 1), cost="49.9") for n in range(1)], USUAL),
        ([out(1, at(11, 1), cost="60"), out(2, at(14, 9), cost="241")], USUAL),
        ([out(n, at(11, 1), cost="0", duration=9 * HOUR) for n in range(9)], USUAL),
        ([out(n, at(11, 1), cost="60") for n in range(3)], SHORT),
        (
            [out(n, at(11, 1), cost="60") for n in range(3)],
            replace(USUAL, hours="22:00-06:00", days=("sat",)),
        ),
        (
            [out(n, at(11, 1), cost="60") for n in range(3)],
            replace(USUAL, hours="00:00-24:00", days=behaviour.WEEKDAYS),
        ),
        ([out(n, at(14, 9), "1902555001", cost="19") for n in range(1)], USUAL),
        (
            [out(n, at(14, 9), "1902555001", cost="99") for n in range(1)],
            replace(USUAL, premium_dollars=0),
        ),
        ([out(n, at(14, 9), "+442079460018", cost="99") for n in range(1)], USUAL),
        ([out(n, at(14, 9), "0255500999", cost="999") for n in range(1)], USUAL),
        ([out(1, at(14, 8), duration=4 * HOUR - 1)], USUAL),
        ([out(1, at(14, 8), duration=9 * HOUR)], replace(USUAL, long_minutes=0)),
        ([out(n, at(14, 9) + 10 * n, duration=30) for n in range(9)], USUAL),
        ([out(n, at(14, 9) + 10 * n, duration=31) for n in range(19)], USUAL),
        ([out(n, at(14, 9) + 401 * n, duration=30) for n in range(19)], USUAL),
        ([out(n, at(14, 9) + n, f"04915700{n:02}", duration=30) for n in range(19)], USUAL),
        ([out(n, at(14, 9) + n, duration=0, status="Busy", cost="0") for n in range(19)], USUAL),
    ],
)
def test_what_is_just_below_a_threshold_is_not_told(
    tmp_path: Path, calls: Sequence[dict[str, Any]], of: Behaviour
) -> None:
    """One minute, one second, one call, one cent less; or the check is switched off."""
    assert found(tmp_path, calls, of) == []


def test_a_burst_is_all_of_its_calls_and_no_other(tmp_path: Path) -> None:
    """Calls far from the burst are left out, and each number is by itself."""
    burst = [out(n, at(14, 9) + 60 * n, duration=5, cost="1") for n in range(15)]
    others = [out(100 + n, at(14, 12) + HOUR * n, duration=5, cost="1") for n in range(5)]
    elsewhere = [
        out(200 + n, at(14, 9) + 60 * n, duration=5, cost="1", origin=OWN[1]) for n in range(9)
    ]
    (one,) = found(tmp_path, [*burst, *others, *elsewhere])
    assert (one.calls, one.micros, one.number) == (15, 15 * 10**6, OWN[0])
    assert one.about == "to 1 number"


def test_more_is_said_of_what_is_found(tmp_path: Path) -> None:
    """Countries, and the longest call."""
    abroad, _ = planted("abroad")
    long, _ = planted("long")
    told = {s.code: s.about for s in found(tmp_path, [*abroad, *long])}
    assert told == {"international": "to +675 PG, +881", "long-calls": "the longest 4:00:00"}


# ---- through whole runs -------------------------------------------------------------------------


@pytest.fixture
def carrier() -> Iterator[Fickle]:
    """A carrier without calls yet."""
    with Fickle([]) as carrier:
        yield carrier


@pytest.fixture
def desk(tmp_path: Path, carrier: Fickle, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A workspace."""
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(the_clock, "now", lambda: SETTLED)
    desk = Desk(tmp_path, carrier)
    desk.define(QUICK)
    return desk


def told(done: Any) -> dict[str, dict[str, Any]]:
    """Return the findings on behaviour by code and place."""
    return {f"{f['code']} {f['where']}": f for f in done.said["findings"] if f["code"] in CODES}


def earlier() -> list[dict[str, Any]]:
    """Make July to September: two numbers at noon, one of them silent since July."""
    made = []
    for month, start in (
        (7, OCTOBER - 92 * DAY),
        (8, OCTOBER - 61 * DAY),
        (9, OCTOBER - 30 * DAY),
    ):
        noon = start + 12 * HOUR
        made += [out(month * 1000 + n, noon + DAY * n, cost="2") for n in range(10)]
        if month == 7:
            made.append(out(7999, noon, cost="2", origin="0255500149"))
    return made


def test_a_month_beside_those_before(desk: Desk, tmp_path: Path) -> None:
    """New, jumped and silent numbers; made again from the archive, and in an export."""
    now = [out(n, at(14, 9, n), cost="8") for n in range(10)]
    now += [out(50, at(14, 9), cost="8", origin="0255500148")]
    desk.carrier.hold([*earlier(), *now])
    for label in ("2026-07", "2026-08", "2026-09"):
        assert ran(desk.folder, "run", label, "--report", "quick").code == 0
    done = desk.run()
    found = told(done)
    assert set(found) == {
        "jump number 02 5550 0140",
        "jump category Mobile",
        "number-new number 02 5550 0148",
        "number-silent 1 number",
    }
    jump = found["jump number 02 5550 0140"]
    assert (jump["calls"], jump["dollars"]) == (10, "80.00")
    assert "the last 3 months, $20.00" in jump["message"]
    assert (found["number-new number 02 5550 0148"]["calls"], done.code) == (1, 1)
    assert "02 5550 0149" in found["number-silent 1 number"]["message"]
    assert any("jump" in row for row in sheet(done.pack, "Exceptions"))
    note = next((desk.folder / "archive" / "acme" / "periods").glob("2026-10-01*/*/months.json"))
    whole = note.read_bytes()
    note.write_bytes(whole.replace(b"02", b"03", 1))
    assert "months.json" in ran(desk.folder, "archive", "verify").out
    note.write_bytes(whole)
    there = tmp_path / "there"
    assert ran(desk.folder, "archive", "export", "2026-10", "--to", str(there)).code == 0
    assert not list(there.glob("archive/acme/periods/2026-09*"))
    made = ran(there, "run", "2026-10", "--report", "quick", "--offline", "--json")
    assert contents(made.pack) == contents(done.pack)
    assert desk.run().said["unchanged"] is True
    assert ran(desk.folder, "archive", "purge", "--before", "2026-10", "--yes").code == 0
    assert desk.verify(done.pack, "--rebuild").code == 0
    assert ran(desk.folder, "archive", "verify").code == 0


def test_listed_numbers_are_silent_where_the_list_is_the_accounts_own(
    desk: Desk, tmp_path: Path
) -> None:
    """A workspace's directory has other accounts' numbers, too."""
    desk.carrier.hold([*earlier(), *[out(n, at(14, 9, n), cost="2") for n in range(10)]])
    for label in ("2026-08", "2026-09"):
        assert ran(desk.folder, "pull", label).code == 0
    (desk.folder / "d.csv").write_text("number,label\n0255500140,a\n0255500777,b\n02555007*,c\n")
    desk.set('directory = "d.csv"')
    shared = desk.run()
    assert told(shared) == {}
    desk.set(account='directory = "d.csv"')
    own = desk.run()
    (silent,) = told(own).values()
    assert silent["message"].endswith(": 02 5550 0777")
    for done in (shared, own):
        assert desk.verify(done.pack, "--rebuild").code == 0
    there = tmp_path / "there"
    assert ran(desk.folder, "archive", "export", "2026-10", "--to", str(there)).code == 0
    made = ran(there, "run", "2026-10", "--report", "quick", "--offline", "--json")
    assert told(made) == told(own)


def test_without_earlier_months_nothing_is_told_of_them(desk: Desk) -> None:
    """A first month is quiet, and so is one whose neighbours were pulled before their end."""
    desk.carrier.hold([*earlier(), *[out(n, at(14, 9, n), cost="8") for n in range(10)]])
    done = desk.run()
    assert told(done) == {}
    assert done.code == 0


def test_months_that_come_later_make_a_new_revision(desk: Desk) -> None:
    """Earlier months pulled afterwards are seen by the next run."""
    desk.carrier.hold([*earlier(), *[out(n, at(14, 9, n), cost="8") for n in range(10)]])
    first = desk.run()
    for label in ("2026-08", "2026-09"):
        assert ran(desk.folder, "pull", label).code == 0
    second = desk.run()
    assert second.said["revision"] == 2
    assert "jump number 02 5550 0140" in told(second)
    assert desk.verify(first.pack, "--rebuild").code == 0
    assert desk.verify(second.pack, "--rebuild").code == 0


def test_thresholds_are_settings_and_part_of_what_a_pack_was_made_from(desk: Desk) -> None:
    """For all accounts, and for one; a pack is made again with those it had."""
    calls, _ = planted("premium")
    desk.carrier.hold(calls)
    first = desk.run()
    assert set(told(first)) == {"premium number 02 5550 0140"}
    assert first.code == 1
    assert first.said["findings"][0]["dollars"] == "23.00"
    desk.set("\n[behaviour]\npremium_dollars = 24")
    second = desk.run()
    assert (second.said["revision"], told(second), second.code) == (2, {}, 0)
    own = "[account.acme.behaviour]\npremium_dollars = 23"
    desk.set(f"\n[behaviour]\npremium_dollars = 24\ndays = []\n{own}")
    third = desk.run()
    assert set(told(third)) == {"premium number 02 5550 0140"}
    basis = json.loads((third.pack / "manifest.json").read_text())["basis"]
    assert basis["behaviour"] == {"premium_dollars": 23, "days": []}
    for done in (first, second, third):
        assert desk.verify(done.pack, "--rebuild").code == 0


def test_wrong_thresholds_are_told_at_once(desk: Desk) -> None:
    """With the nearest real name."""
    desk.set(
        '\n[behaviour]\npremium_dolars = 1\nhours = "9-5"\ndays = ["monday"]\nlong_minutes = -1\n'
        "short_calls = 2.5\n[account.acme.behaviour]\njump_months = 99"
    )
    done = desk.run()
    assert done.code == 2
    for said in (
        "'premium_dolars' is not a setting (did you mean 'premium_dollars'?)",
        "hours must be such as",
        "days must be of mon, tue",
        "long_minutes must be from 0",
        "short_calls must be a whole number",
        "[account.acme.behaviour] jump_months must be from 0 to 12",
    ):
        assert said in done.err
