"""The samples: made anew byte for byte, in the carrier's form, and all fiction."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

SAMPLES = Path(__file__).parents[1] / "samples"
DENTAL = SAMPLES / "wattle-lane-dental"
SYDNEY = ZoneInfo("Australia/Sydney")

Call = Mapping[str, Any]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("samples_generate", SAMPLES / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _script()


def _files(folder: Path) -> list[Path]:
    return [folder / "sample.toml", *(folder / "replies").iterdir()]


def _replies(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted((folder / "replies").iterdir())]


def _calls(replies: Sequence[Mapping[str, Any]]) -> list[Call]:
    return [call for reply in replies for call in reply["calls"] or ()]


def _month(calls: Sequence[Call], month: str = "2026-10") -> list[Call]:
    return [call for call in calls if call["datetime"].startswith(month)]


def _service_number(call: Call) -> str:
    own = call["destination"] if call["direction"] == "IN" else call["origin"]
    return re.sub(r"^\+?61", "0", own.partition("/")[0])


@pytest.fixture(scope="module")
def dental() -> list[Call]:
    """The calls of the committed sample."""
    return _calls(_replies(DENTAL))


@pytest.fixture(scope="module")
def october(dental: list[Call]) -> list[Call]:
    """The calls of the committed sample's month."""
    return _month(dental)


def test_the_committed_sample_is_made_anew_byte_for_byte(tmp_path: Path) -> None:
    """The script writes exactly the folder in the repository, whatever the hash seed."""
    script = [sys.executable, "-X", "utf8", str(SAMPLES / "generate.py"), "dental", "--out", "new"]
    subprocess.run(script, cwd=tmp_path, check=True, env={**os.environ, "PYTHONHASHSEED": "77"})
    made = {path.relative_to(tmp_path / "new"): path for path in _files(tmp_path / "new")}
    kept = {path.relative_to(DENTAL): path for path in _files(DENTAL)}
    assert made.keys() == kept.keys()
    for name, path in made.items():
        assert path.read_text(encoding="ascii") == kept[name].read_text(encoding="ascii"), name


def test_the_sample_is_small_enough_to_commit() -> None:
    """The dental sample stays below a megabyte."""
    assert sum(path.stat().st_size for path in _files(DENTAL)) < 1_000_000


def test_the_settings_are_the_agreed_ones() -> None:
    """The sample names its key, account, zone and period, all as text."""
    assert tomllib.loads((DENTAL / "sample.toml").read_text(encoding="utf-8")) == {
        "key": "sandbox-wattle-lane-dental",
        "account": "wattle-lane-dental",
        "name": "Wattle Lane Dental",
        "timezone": "Australia/Sydney",
        "period": "2026-10",
        "as_of": "2026-11-05T09:00:00+11:00",
    }


def test_the_replies_join_without_a_gap() -> None:
    """Each window starts where the one before ended, and holds only calls of its own."""
    replies = _replies(DENTAL)
    assert (replies[0]["starttime"], replies[-1]["endtime"]) == (
        "2026-09-29 00:00:00",
        "2026-11-05 00:00:00",
    )
    for before, after in pairwise(replies):
        assert before["endtime"] == after["starttime"]
    for reply in replies:
        calls = reply["calls"] or []
        assert reply["count"] == len(calls)
        assert all(reply["starttime"] <= call["datetime"] < reply["endtime"] for call in calls)
        start = datetime.fromisoformat(reply["starttime"] + reply["offset"])
        assert start.utcoffset() == start.astimezone(SYDNEY).utcoffset()


def test_a_window_without_calls_has_null() -> None:
    """The quiet Sunday is answered with count 0 and calls null, not with an empty list."""
    body = (DENTAL / "replies" / "2026-10-18.json").read_bytes()
    assert body.endswith(b'"count":0,"calls":null}')


def test_the_replies_are_written_as_php_writes_them() -> None:
    """No spaces between parts, slashes escaped, plain ASCII, no line end."""
    body = (DENTAL / "replies" / "2026-10-06.json").read_bytes()
    assert body.startswith(
        b'{"status":1,"request":"calls\\/list","timezone":"Australia\\/Sydney",'
    )
    assert body.isascii()
    assert body.endswith(b"}]}")
    assert re.search(rb"[^\\]/|[\r\n]", body) is None
    again = json.dumps(json.loads(body), separators=(",", ":")).replace("/", "\\/")
    assert again.encode() == body


def test_each_call_has_the_carriers_fields_in_the_carriers_order(dental: list[Call]) -> None:
    """Every record has the fields of the API page's example, in its order."""
    expected = [
        *("callid", "recording", "statid", "datetime", "unixtime", "direction", "origin"),
        *("destination", "rate", "inboundrate", "status", "duration", "cost"),
    ]
    assert all(list(call) == expected for call in dental)


def test_calls_are_unique_and_in_order(dental: list[Call]) -> None:
    """Calls come in order of time and of callid, and no id is used twice."""
    keys = [(call["unixtime"], call["callid"]) for call in dental]
    assert keys == sorted(keys)
    assert len({call["callid"] for call in dental}) == len(dental)
    assert len({call["statid"] for call in dental}) == len(dental)


def test_the_local_time_is_the_unix_time_in_sydney(dental: list[Call]) -> None:
    """Every datetime is the account's local time of its unixtime."""
    for call in dental:
        local = datetime.fromtimestamp(call["unixtime"], SYDNEY)
        assert call["datetime"] == f"{local:%Y-%m-%d %H:%M:%S}"


def test_the_month_has_nine_numbers_and_eleven_categories(october: list[Call]) -> None:
    """The month's true totals: what every report made from the sample must say."""
    assert len(october) == 2_487
    assert len({_service_number(call) for call in october}) == 9
    assert {call["rate"] for call in october if call["direction"] == "OUT"} == {
        "Local",
        "National",
        "Mobile",
        "13/1300",
        "1800 (free)",
        "International - New Zealand",
        "International - United Kingdom",
        "Directory Assistance",
    }
    inbound = {call["inboundrate"] for call in october if call["direction"] == "IN"}
    assert inbound == {"Incoming", "1800 Incoming", "1300 Incoming"}
    assert sum(Decimal(call["cost"]) for call in october) == Decimal("295.9048")
    assert sum(call["duration"] for call in october) == 351_450


def test_one_category_field_is_filled(dental: list[Call]) -> None:
    """The category stands in rate for calls out and in inboundrate for calls in."""
    for call in dental:
        outward = call["direction"] == "OUT"
        assert call["direction"] in {"IN", "OUT"}
        assert bool(call["rate"]) is outward
        assert bool(call["inboundrate"]) is not outward


def test_unanswered_calls_cost_nothing(dental: list[Call]) -> None:
    """A call that was not answered has no duration, no cost and no recording."""
    statuses = Counter(call["status"] for call in dental)
    assert set(statuses) == {"Connected.", "No Answer.", "Busy.", "Cancelled."}
    for call in dental:
        if call["status"] != "Connected.":
            assert (call["duration"], call["cost"], call["recording"]) == (0, "0.00", 0)


def test_costs_follow_the_tariff(dental: list[Call]) -> None:
    """Mobile is by the second with four places, 1800 by the minute begun as on the API page."""
    for call in dental:
        if call["status"] != "Connected." or call["cost"] == "-0.2500":
            continue
        if call["rate"] == "Mobile":
            assert call["cost"] == f"{call['duration'] * 22 / 10_000:.4f}"
        if call["inboundrate"] == "1800 Incoming":
            minutes = -(-call["duration"] // 60)
            assert call["cost"] == f"{minutes * 25 / 100:.2f}"
        if call["inboundrate"] == "Incoming":
            assert call["cost"] == "0.00"


def test_there_is_one_credit(dental: list[Call]) -> None:
    """One mobile call carries a cost below zero."""
    below = [call for call in dental if call["cost"].startswith("-")]
    assert [(c["rate"], c["cost"], c["datetime"]) for c in below] == [
        ("Mobile", "-0.2500", "2026-10-20 09:00:00")
    ]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-09-30 23:59:59",
        "2026-10-01 00:00:00",
        "2026-10-04 01:59:59",
        "2026-10-04 03:00:00",
        "2026-10-31 23:59:59",
        "2026-11-01 00:00:00",
    ],
)
def test_a_charged_call_stands_at_each_edge(dental: list[Call], moment: str) -> None:
    """The month's ends and the change of clocks each have a charged call on both sides."""
    assert any(call["datetime"] == moment and call["cost"] > "0.00" for call in dental)


def test_the_clock_skips_an_hour_between_two_neighbouring_seconds(dental: list[Call]) -> None:
    """On 4 October the calls at 01:59:59 and 03:00:00 are one second apart."""
    at = {call["datetime"]: call["unixtime"] for call in dental}
    assert at["2026-10-04 03:00:00"] - at["2026-10-04 01:59:59"] == 1


def test_the_week_has_the_shape_of_a_practice(october: list[Call]) -> None:
    """Sundays and the holiday are nearly still, Saturdays short, and lunch is a dip."""
    days = Counter(int(call["datetime"][8:10]) for call in october)
    assert max(days[day] for day in (4, 5, 11, 25)) < 10
    assert max(days[day] for day in (3, 10, 17, 24, 31)) < min(days[day] for day in (6, 13, 20))
    hours = Counter(int(call["datetime"][11:13]) for call in october)
    assert hours[13] < min(hours[12], hours[14])


def test_numbers_come_in_the_carriers_many_shapes(october: list[Call]) -> None:
    """Routes, international prefixes, withheld callers and extensions all occur."""
    inbound = [call for call in october if call["direction"] == "IN"]
    outbound = [call for call in october if call["direction"] == "OUT"]
    assert all(re.fullmatch(r"\d{10}/\w+", call["destination"]) for call in inbound)
    callers = {call["origin"] for call in inbound}
    assert {"Anonymous", ""} < callers
    for start in ("+614", "614", "+612", "+44"):
        assert any(caller.startswith(start) for caller in callers), start
    dialled = {call["destination"] for call in outbound}
    assert {"101", "130000", "1223"} < dialled
    assert any(number.startswith("001144") for number in dialled)
    assert any(call["origin"].startswith("+61") for call in outbound)
    assert not any(re.fullmatch(r"\d{3}", call["origin"]) for call in october)


FICTITIOUS = re.compile(
    r"0[2378](5550|7010)\d{4}|04915\d{5}|1800160401|1[38]0097570[789]|1[38]0097571[01]|130000"
    r"|(\+44|001144)2079460\d{3}|00116490000\d{3}|0011120255501\d{2}|1223|10[125]|Anonymous|"
)


@pytest.mark.parametrize("client", ["dental", "busy"])
def test_only_fictitious_numbers_occur(client: str) -> None:
    """Every number is of a set-aside range, or plainly invented where there is none."""
    for call in generate.calls_for(client, seed=3):
        for raw in (str(call["origin"]), str(call["destination"])):
            number = re.sub(r"^\+?61(?=[2-8]\d{8}$)", "0", raw.partition("/")[0])
            assert FICTITIOUS.fullmatch(number), raw
            if number.startswith("04"):
                assert number in generate.FICTITIOUS_MOBILES


def test_busy_has_exactly_the_calls_that_were_asked_for() -> None:
    """The contact centre has 30,000 calls in October, 40 numbers, 14 categories, a few outside."""
    calls = list(generate.calls_for("busy"))
    october = _month(calls)
    assert len(october) == 30_000
    assert 0 < len(calls) - len(october) < 500
    assert len({_service_number(call) for call in october}) == 40
    assert len({call["rate"] or call["inboundrate"] for call in october}) == 14
    noon = sum(call["datetime"][11:13] == "11" for call in october)
    assert noon > 10 * sum(call["datetime"][11:13] == "03" for call in october)


@pytest.mark.parametrize("calls", [80, 1_000, 1_001])
@pytest.mark.parametrize("client", ["dental", "busy"])
def test_any_number_of_calls_is_met_exactly(client: str, calls: int) -> None:
    """The calls in the month are as many as asked for, with every category and number."""
    october = _month(list(generate.calls_for(client, calls=calls)))
    assert len(october) == calls
    who = generate.CLIENTS[client]
    assert {call["rate"] or call["inboundrate"] for call in october} == {
        kind.category for kind in who.kinds
    }
    assert {_service_number(call) for call in october} == {
        number for numbers in who.lines.values() for number in numbers
    }


def test_too_few_calls_are_refused() -> None:
    """A month that could not hold every category and number is refused."""
    with pytest.raises(ValueError, match="at least"):
        list(generate.calls_for("busy", calls=20))


def test_the_seed_decides() -> None:
    """One seed gives the same calls twice, another seed others."""
    first, again = (list(generate.calls_for("dental", calls=200)) for _ in range(2))
    assert first == again
    assert first != list(generate.calls_for("dental", calls=200, seed=2))


def test_another_month_and_zone(tmp_path: Path) -> None:
    """April in Sydney has 25 hours in a day; every call still lies in its own window."""
    generate.write_sample("busy", tmp_path, calls=500, month="2026-04", zone="Australia/Sydney")
    replies = _replies(tmp_path)
    assert len(_month(_calls(replies), "2026-04")) == 500
    # On 5 April the hour from 02:00 comes twice; it comes again one hour before 03:00.
    stamps = {call["unixtime"] for call in _calls(replies)}
    change = int(datetime(2026, 4, 5, 3, tzinfo=SYDNEY).timestamp()) - 3600
    assert {change - 1, change} <= stamps
    settings = tomllib.loads((tmp_path / "sample.toml").read_text(encoding="utf-8"))
    assert (settings["period"], settings["timezone"]) == ("2026-04", "Australia/Sydney")
    assert settings["as_of"] == "2026-05-05T09:00:00+10:00"


def test_a_crowded_day_is_halved_until_no_reply_is_full(tmp_path: Path) -> None:
    """Days of 10,000 calls and more come in parts that join; a reply never reaches the limit."""
    generate.write_sample("dental", tmp_path, calls=200_000)
    paths = sorted((tmp_path / "replies").iterdir(), key=lambda path: path.stem)
    replies = [json.loads(path.read_bytes()) for path in paths]
    assert len(replies) > 37
    assert max(reply["count"] for reply in replies) < 10_000
    for before, after in pairwise(replies):
        assert before["endtime"] == after["starttime"]
    october = _month(_calls(replies))
    assert len(october) == 200_000
    # Even where other calls crowd round it, the credit stays the only one.
    assert sum(call["cost"].startswith("-") for call in october) == 1


def test_replies_of_others_are_left_alone(tmp_path: Path) -> None:
    """A folder of replies that is no sample is not written into; an old sample is replaced."""
    replies = tmp_path / "replies"
    replies.mkdir()
    (replies / "mine.json").write_text("{}", encoding="ascii")
    with pytest.raises(FileExistsError):
        generate.write_sample("dental", tmp_path, calls=100)
    (tmp_path / "sample.toml").write_text("", encoding="ascii")
    generate.write_sample("dental", tmp_path, calls=100)
    assert not (replies / "mine.json").exists()
    with pytest.raises(ValueError, match="at least"):
        generate.write_sample("dental", tmp_path, calls=5)
    assert len(list(replies.iterdir())) == 37
