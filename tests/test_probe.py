"""The probe: every question answered both ways, over real HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from carriers import BRISBANE, KEY, OCTOBER, SYDNEY, Wire, call, http, reply

from maxo_reports import cli, engine
from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.carrier import Carrier
from maxo_reports.cli import clock
from maxo_reports.config import Account, Settings, Workspace
from maxo_reports.core.period import Window, parse_period
from maxo_reports.core.questions import QUESTIONS, Line
from maxo_reports.errors import ArchiveError, CarrierError, Refused, Unreachable
from maxo_reports.job import Job
from maxo_reports.probe import MOST_REQUESTS, Probed, asking, course
from maxo_reports.proof import calls_of
from maxo_reports.sandbox import Asked, Book, Habits, Order, Sandbox

DAY = 24 * 3600
NOVEMBER = OCTOBER + 31 * DAY
NOW = NOVEMBER + 10 * DAY + 12 * 3600
"""Noon, ten days after the period."""


def calls_of_october(**odd: Any) -> list[dict[str, Any]]:
    """Make 40 calls on each of three days, of every usual kind; the last day has none."""
    kinds: Sequence[Mapping[str, Any]] = (
        {},
        {"direction": "OUT", "rate": "Mobile", "inboundrate": "", "cost": "1.2750"},
        {"status": "No Answer.", "duration": 0, "cost": "0.00"},
        {"direction": "OUT", "rate": "Local", "inboundrate": "", "cost": "0.1"},
        {"status": "Busy.", "duration": 0, "cost": "0.00"},
    )
    return [
        call(
            700_000 + 40 * day + n,
            NOVEMBER - (day + 1) * DAY + 9 * 3600 + 97 * n,
            **{**kinds[n % len(kinds)], **odd},
        )
        for day in (1, 2, 3)
        for n in range(40)
    ]


CALLS = calls_of_october()
BOOK = Book.from_calls(CALLS, timezone=BRISBANE)
LAST = max(c["unixtime"] for c in CALLS)


def book_with(**odd: Any) -> Book:
    """File the same calls with another field."""
    return Book.from_calls(calls_of_october(**odd), timezone=BRISBANE)


def changed_book(**odd: Any) -> Book:
    """File the same calls, the last one of them changed, one gone and one more."""
    calls = [{**c, **odd} if c["unixtime"] == LAST else c for c in CALLS]
    gone = next(c for c in calls if c["unixtime"] == LAST - 97)
    return Book.from_calls(
        [c for c in calls if c is not gone] + [call(999, LAST - 40)], timezone=BRISBANE
    )


def job_for(
    folder: Path, address: str, *, now: int = NOW, zone: str = BRISBANE, period: str = "2026-10"
) -> Job:
    """Make a job of one account; what it keeps goes into a folder."""
    account = Account("acme", "Acme Pty Ltd", zone, base_url=address)
    workspace = Workspace(folder, Settings(), {account.id: account})
    return Job(workspace, account, parse_period_at(period, zone), lambda: KEY, lambda: now)


def parse_period_at(text: str, zone: str) -> Any:
    """Read a period as the command line does."""
    return parse_period(text, zone, datetime.fromtimestamp(NOW, ZoneInfo(zone)).date())


def probed(
    folder: Path,
    book: Book = BOOK,
    habits: Habits | None = None,
    *,
    order: Order = "oldest",
    **more: Any,
) -> tuple[dict[str, Line], Probed, list[Asked]]:
    """Probe a carrier of some habits; return the lines by name, the result, what was asked."""
    with Sandbox([book], habits=habits, order=order) as carrier:
        result = engine.probe(job_for(folder, carrier.base_url, **more))
        return {line.name: line for line in result.lines}, result, carrier.asked


RELIED = "as relied on"
DIFFERS = "differs"
UNTOLD = "cannot be told"

# Question -> what is seen where the carrier is as it is by default.
BY_DEFAULT = {
    "post": "answered",
    "unix-seconds": "taken",
    "echo": "both as asked",
    "zone": BRISBANE,
    "start": "it came",
    "end": "it did not come",
    "order": "oldest first",
    "limit": "limit 12 of 25 calls: 12 came",
    "kept": "the oldest",
    "count": "the number of calls in it",
    "above-limit": "refused, HTTP 400",
    "empty": "null, count 0",
    "shape": "8 replies kept them",
    "fields": "those",
    "clock": "agrees",
    "cost": "text, 4 decimals at most, none negative",
    "direction": "IN (72), OUT (48)",
    "status": "Connected. (72), No Answer. (24), Busy. (24)",
    "charges": "15 of 25 are charged: these came",
    "connected": "15 of 25 are connected: these came",
    "csv": "the same 25",
    "gzip": "packed",
    "again": "the same calls",
}

# Question, how the carrier is, verdict, what is seen.
Way = tuple[str, Mapping[str, Any], str, str]
OTHER_WAYS: Sequence[Way] = (
    (
        "post",
        {"post_refused_with": 405},
        DIFFERS,
        "refused, HTTP 405; a form, too: the carrier refused",
    ),
    (
        "post",
        {"post_refused_with": 404},
        DIFFERS,
        "refused, HTTP 404; a form, too: there is no calls",
    ),
    ("post", {"reads_json": False}, DIFFERS, "refused, HTTP 400; a form is answered"),
    ("unix-seconds", {"time_unit": 1000}, DIFFERS, "read as another time"),
    ("echo", {"echo_end_earlier": 1}, DIFFERS, "endtime 1 s early"),
    ("echo", {"echo_end_earlier": -3600}, DIFFERS, "endtime 3,600 s late"),
    ("zone", {"echo_zone": "Australia/Darwin"}, DIFFERS, "Australia/Darwin"),
    ("zone", {"echo_zone": SYDNEY}, DIFFERS, SYDNEY),
    ("start", {"start_included": False}, DIFFERS, "it did not come"),
    ("end", {"end_included": True}, DIFFERS, "it came"),
    ("order", {"order": "newest"}, RELIED, "newest first"),
    ("order", {"order": "shuffled"}, RELIED, "not by time"),
    ("limit", {"cut_short_by": 1}, DIFFERS, "limit 12 of 25 calls: 11 came"),
    ("limit", {"heeds_limit": False}, DIFFERS, "limit 12 of 25 calls: 25 came"),
    ("kept", {"order": "newest"}, RELIED, "the newest"),
    ("kept", {"cut_keeps": "newest"}, RELIED, "the newest"),
    ("kept", {"order": "shuffled"}, RELIED, "neither end"),
    ("kept", {"heeds_limit": False}, UNTOLD, "limit was not heeded"),
    ("count", {"counts_true": True}, DIFFERS, "the number of calls there are"),
    ("above-limit", {"largest_limit": 20_000}, RELIED, "answered"),
    ("empty", {"empty": "[]"}, RELIED, "[], count 0"),
    ("empty", {"empty": "{}"}, DIFFERS, "neither null nor [], count 0"),
    ("shape", {"empty": "{}"}, DIFFERS, "2 of 8 replies broken: the reply is not of the"),
    ("fields", {"tariff": "B"}, DIFFERS, "also tariff"),
    ("clock", {"clock_ahead": 3600}, DIFFERS, "120 of 120 calls off"),
    ("cost", {"cost_is_number": True}, RELIED, "number, 4 decimals at most, none negative"),
    ("cost", {"cost": "-0.255"}, RELIED, "text, 3 decimals at most, some negative"),
    ("cost", {"cost": "$1.20"}, DIFFERS, "120 of 120 calls unreadable, like $#.##"),
    ("direction", {"direction": "Internal"}, DIFFERS, "unknown: Internal (120)"),
    ("status", {"status": "Parked."}, DIFFERS, "unknown: Parked. (120)"),
    ("status", {"status": ""}, DIFFERS, "unknown: (none) (120)"),
    ("charges", {"heeds_filters": False}, DIFFERS, "15 of 25 are charged: 0 missing, 10 more"),
    ("charges", {"cost": "0.30"}, RELIED, "all 25 are charged, and came"),
    (
        "connected",
        {"heeds_filters": False},
        DIFFERS,
        "15 of 25 are connected: 0 missing, 10 more",
    ),
    ("csv", {"csv_titles": True}, DIFFERS, "the CSV has no column 'callid'"),
    ("gzip", {"packs": False}, RELIED, "not packed"),
    # The last of the default's eleven requests finds one call changed, one gone, and one more.
    ("again", {"later": (10, changed_book(cost="9.99"))}, DIFFERS, "1 added, 1 removed, 1 re-pr"),
)


def made(way: Mapping[str, Any]) -> tuple[Book, Habits, Order]:
    """Sort what a carrier is like: fields of its calls, habits, and order."""
    names = Habits.__dataclass_fields__
    odd = {name: value for name, value in way.items() if name not in {*names, "order"}}
    habits = Habits(**{name: value for name, value in way.items() if name in names})
    return book_with(**odd) if odd else BOOK, habits, way.get("order", "oldest")


def test_the_carrier_of_the_api_page_is_as_relied_on(tmp_path: Path) -> None:
    """Everything that one account shows is as relied on; what needs a day cannot be told yet."""
    lines, result, asked = probed(tmp_path)
    told = {name: line.seen for name, line in lines.items() if line.verdict == RELIED}
    assert told == BY_DEFAULT
    late = {name: line for name, line in lines.items() if name not in BY_DEFAULT}
    assert {name: line.verdict for name, line in late.items()} == {
        "late-pull": UNTOLD,
        "late-probe": UNTOLD,
    }
    assert [line.name for line in result.lines] == list(QUESTIONS)
    assert result.differing == 0
    assert result.calls == 120
    assert result.requests == len(asked) == 11


@pytest.mark.parametrize(
    ("name", "way", "verdict", "seen"),
    OTHER_WAYS,
    ids=[f"{name}-{'-'.join(map(str, way))}-{n}" for n, (name, way, *_) in enumerate(OTHER_WAYS)],
)
def test_every_question_is_answered_the_other_way(
    tmp_path: Path, name: str, way: Mapping[str, Any], verdict: str, seen: str
) -> None:
    """The other habit is seen, and said to differ where we rely on this one."""
    book, habits, order = made(way)
    lines, result, asked = probed(tmp_path, book, habits, order=order)
    line = lines[name]
    assert (line.verdict, line.seen[: len(seen)]) == (verdict, seen)
    assert line.seen != BY_DEFAULT[name]
    assert bool(line.means) == (verdict == DIFFERS)
    assert result.requests == len(asked) <= MOST_REQUESTS


def test_both_ways_are_tested_of_every_question() -> None:
    """No question is added without its tests; late changes have tests of their own."""
    late = {"late-pull", "late-probe"}
    assert {*BY_DEFAULT, *late} == set(QUESTIONS)
    assert {name for name, *_ in OTHER_WAYS} | late == set(QUESTIONS)
    assert {*Habits.__dataclass_fields__} <= {name for _, way, *_ in OTHER_WAYS for name in way}


# --- what a difference means ---------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded() -> Book:
    """File more calls than one reply can hold, the first at the very start of the month."""
    calls = [call(n, OCTOBER + 200 * n) for n in range(10_001)]
    return Book.from_calls([*calls, call(-1, NOVEMBER)], timezone=BRISBANE)


@pytest.mark.parametrize(
    ("name", "habits"),
    [
        ("post", Habits(post_refused_with=405)),
        ("post", Habits(reads_json=False)),
        ("unix-seconds", Habits(time_unit=1000)),
        ("echo", Habits(echo_end_earlier=1)),
        ("zone", Habits(echo_zone=SYDNEY)),
        ("limit", Habits(heeds_limit=False)),
        ("count", Habits(counts_true=True)),
    ],
)
@pytest.mark.usefixtures("quick")
def test_where_no_report_can_be_made_none_is(
    tmp_path: Path, crowded: Book, name: str, habits: Habits
) -> None:
    """The sentence below the line is true: a pull is refused."""
    with Sandbox([crowded], habits=habits) as carrier:
        with pytest.raises(CarrierError):
            engine.pull_period(job_for(tmp_path, carrier.base_url))
        result = engine.probe(job_for(tmp_path, carrier.base_url))
    means = next(line.means for line in result.lines if line.name == name)
    assert "No report can be made" in means or "is refused" in means


@pytest.mark.parametrize(
    ("name", "habits", "received", "outside"),
    [
        ("", Habits(), 10_001, 0),
        ("start", Habits(start_included=False), 10_001, 0),
        ("limit", Habits(cut_short_by=1), 9_999, 0),
        ("end", Habits(end_included=True), 10_002, 1),
    ],
)
def test_where_calls_are_missing_or_come_along_they_do(
    tmp_path: Path, crowded: Book, name: str, habits: Habits, received: int, outside: int
) -> None:
    """The sentence is true: calls are missing without a word, or one of next month comes along."""
    with Sandbox([crowded], habits=habits) as carrier:
        job = job_for(tmp_path, carrier.base_url)
        work = engine.pull_period(job)
    with closing(calls_of(job.archive, work, job.period)) as calls:
        intake = calls.ledger().intake
    starts = {a.window.start for a in work.accepted()} & set(crowded.moments)
    missing = len(starts) if name == "start" else 0
    assert (intake.received - intake.repeats, intake.outside) == (received - missing, outside)
    if name in {"start", "limit"}:
        assert missing >= (name == "start")
        assert "are missing from the reports" in QUESTIONS[name].means


# --- late changes -------------------------------------------------------------------------


def again_later(
    folder: Path, hours: int, later: Book, *, first: int = NOW, pulled: bool = False
) -> dict[str, Line]:
    """Probe (or pull) at ``first``, change the carrier's book, and probe ``hours`` later."""
    with Sandbox([BOOK]) as carrier:
        job = job_for(folder, carrier.base_url, now=first)
        if pulled:
            engine.pull_period(job)
        else:
            engine.probe(job)
        carrier.habits = Habits(later=(len(carrier.asked), later))
        result = engine.probe(job_for(folder, carrier.base_url, now=first + hours * 3600))
    return {line.name: line for line in result.lines}


def test_calls_that_stay_are_final_once_a_day_has_passed(tmp_path: Path) -> None:
    """After minutes it cannot be told; after a day it is as relied on."""
    soon = again_later(tmp_path / "soon", 0, BOOK)["late-probe"]
    assert (soon.verdict, soon.seen) == (
        UNTOLD,
        "none changed of 25 calls in 0 seconds: run again tomorrow",
    )
    lines = again_later(tmp_path / "late", 25, BOOK)
    assert lines["late-probe"].seen == "none changed of 25 calls in 25 hours"
    assert lines["late-probe"].verdict == RELIED


def test_calls_that_change_after_they_settled_differ(tmp_path: Path) -> None:
    """One re-priced, one gone and one added, days after the period: settled was not settled."""
    line = again_later(tmp_path, 25, changed_book(cost="9.99"))["late-probe"]
    assert (line.verdict, line.seen) == (
        DIFFERS,
        "1 added, 1 removed, 1 re-priced of 25 calls in 25 hours",
    )
    assert "settle_hours" in line.means


def test_calls_that_change_before_they_settle_are_no_surprise(tmp_path: Path) -> None:
    """Within 48 hours of the calls a pack is provisional; over that edge nothing can be told."""
    changed = changed_book(cost="9.99")
    morning = LAST + 16 * 3600
    line = again_later(tmp_path / "b", 25, changed, first=morning)["late-probe"]
    assert (line.verdict, line.seen) == (
        RELIED,
        "1 added, 1 removed, 1 re-priced of 25 calls in 25 hours, not settled yet",
    )
    line = again_later(tmp_path / "c", 49, changed, first=morning)["late-probe"]
    assert line.verdict == UNTOLD


def test_an_earlier_pull_is_asked_again(tmp_path: Path) -> None:
    """The last calls of the archive's newest pull are compared call by call, both ways."""
    line = again_later(tmp_path / "same", 25, BOOK, pulled=True)["late-pull"]
    assert (line.verdict, line.seen) == (RELIED, "none changed of 120 calls in 25 hours")
    changed = changed_book(direction="OUT")
    line = again_later(tmp_path / "other", 72, changed, pulled=True)["late-pull"]
    assert (line.verdict, line.seen) == (
        DIFFERS,
        "1 added, 1 removed, 1 re-labelled of 120 calls in 3 days",
    )


def test_a_pull_of_another_period_is_asked_again(tmp_path: Path) -> None:
    """Also where the probe looks at other days; an earlier one than the latest is left alone."""
    with Sandbox([BOOK]) as carrier:
        engine.pull_period(job_for(tmp_path, carrier.base_url, period="2026-09"))
        engine.pull_period(job_for(tmp_path, carrier.base_url))
        job = job_for(tmp_path, carrier.base_url, period="2026-11-01..2026-11-09")
        result = engine.probe(replace(job, now=lambda: NOW + 2 * DAY))
    line = next(line for line in result.lines if line.name == "late-pull")
    assert line.seen == "none changed of 120 calls in 2 days"
    assert result.calls == 0


def test_a_note_stays_until_a_day_has_passed(tmp_path: Path) -> None:
    """Whoever probes every hour still learns of a day's changes; then the next note is taken."""
    with Sandbox([BOOK]) as carrier:
        archive = job_for(tmp_path, carrier.base_url).archive
        for hours, noted in ((0, 0), (1, 0), (19, 0), (20, 20), (21, 20)):
            engine.probe(job_for(tmp_path, carrier.base_url, now=NOW + hours * 3600))
            note = archive.noted()
            assert note is not None
            assert note.asked_at == NOW + noted * 3600
            assert json.loads(archive.replies.read(note.sha256))["count"] == note.count == 25


def test_a_damaged_note_is_told_and_left(tmp_path: Path) -> None:
    """It is said in one line, as everything of the archive that cannot be read."""
    archive = Archive(tmp_path / "archive" / "acme")
    archive.folder.mkdir(parents=True)
    (archive.folder / "probe.json").write_text('{"format": 1}')
    with Sandbox([BOOK]) as carrier:
        with pytest.raises(ArchiveError, match=r"probe\.json"):
            engine.probe(job_for(tmp_path, carrier.base_url))
        assert carrier.asked == []
    assert (archive.folder / "probe.json").read_text() == '{"format": 1}'


# --- how much is asked, and when it ends ---------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let failed requests be asked again at once."""
    monkeypatch.setattr(Carrier, "_wait", lambda *_: 0.0)


@pytest.mark.usefixtures("quick")
def test_no_probe_asks_more_than_it_says(
    tmp_path: Path, busy_book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON refused, an empty week, 30,000 shuffled calls, a note, a pull and two failures.

    The sample is smaller here, as if the calls were five times as many.
    """
    monkeypatch.setattr(course, "SAMPLE", 200)
    monkeypatch.setattr(asking, "SAMPLE", 200)
    longest = "2026-10-01..2026-11-15"
    with Sandbox([busy_book], order="shuffled") as carrier:
        engine.pull_period(job_for(tmp_path, carrier.base_url))
        engine.probe(job_for(tmp_path, carrier.base_url))
    faults = {5: "503", 9: "cut-json"}
    with Sandbox(
        [busy_book],
        order="shuffled",
        habits=Habits(reads_json=False),
        faults=faults.get,
    ) as carrier:
        result = engine.probe(
            job_for(tmp_path, carrier.base_url, period=longest, now=NOW + 5 * DAY)
        )
        asked = carrier.asked
    assert len(asked) == result.requests
    assert len(asked) == MOST_REQUESTS <= 20
    assert [a.fault for a in asked if a.fault] == ["503", "cut-json"]
    assert result.calls == 200
    verdicts = [line.verdict for line in result.lines]
    assert (verdicts.count(DIFFERS), verdicts.count(UNTOLD)) == (1, 0)
    large = [a for a in asked if a.limit is not None and a.limit > 200]
    assert len(large) == 2, "only what is looked at for late changes"
    assert all(a.count <= 200 for a in asked)


@pytest.mark.usefixtures("quick")
def test_a_third_failure_ends_the_probe(tmp_path: Path) -> None:
    """Two repeats are allowed in all, then the carrier is left alone."""
    faults = {2: "500", 4: "429", 7: "503"}
    with Sandbox([BOOK], faults=faults.get) as carrier:
        with pytest.raises(Unreachable, match="HTTP 503"):
            engine.probe(job_for(tmp_path, carrier.base_url))
        assert len(carrier.asked) == 8


def test_a_mishap_of_the_limit_question_is_no_answer(tmp_path: Path) -> None:
    """limit=10001 is asked once, and a fault there ends nothing."""
    with Sandbox([BOOK], faults=lambda n: "500" if n == 6 else None) as carrier:
        result = engine.probe(job_for(tmp_path, carrier.base_url))
        assert carrier.asked[6].fault == "500"
        assert len(carrier.asked) == 11
    lines = {line.name: line for line in result.lines}
    assert (lines["above-limit"].verdict, lines["above-limit"].seen) == (UNTOLD, "no answer came")


@pytest.mark.parametrize("reads_json", [True, False])
def test_a_key_that_is_not_known_ends_the_probe(tmp_path: Path, reads_json: bool) -> None:
    """Whether JSON is read or not: it is the key, and no habit of the carrier."""
    stranger = Book.from_calls([], timezone=BRISBANE, key="another")
    with Sandbox([stranger], habits=Habits(reads_json=reads_json)) as carrier:
        with pytest.raises(Refused, match="401"):
            engine.probe(job_for(tmp_path, carrier.base_url))
        assert len(carrier.asked) == 2


def test_a_key_without_permission_ends_the_probe(tmp_path: Path) -> None:
    """At once: another form of question would not help."""
    book = Book.from_calls([], timezone=BRISBANE, permitted=False)
    with Sandbox([book]) as carrier:
        with pytest.raises(Refused, match="403"):
            engine.probe(job_for(tmp_path, carrier.base_url))
        assert len(carrier.asked) == 1


def forbidden() -> Book:
    """Make the account's book of one whose key may read nothing any more."""
    return Book.from_calls([], timezone=BRISBANE, permitted=False)


def test_a_refused_filter_is_an_answer(tmp_path: Path) -> None:
    """chargesOnly, connectedOnly and CSV may be refused; a plain question may not."""
    with Sandbox([BOOK], habits=Habits(later=(7, forbidden()))) as carrier:
        with pytest.raises(Refused, match="403"):
            engine.probe(job_for(tmp_path, carrier.base_url))
        assert [a.status for a in carrier.asked[7:]] == [403] * 4
    refused = http(b'{"status":0}', status="400 Bad Request")
    noon = NOVEMBER - DAY // 2
    whole = reply([call(1, noon), call(2, noon + 9)], Window(NOVEMBER - DAY, NOVEMBER))
    # One day is asked for, all in one reply: 1 for the sample, 5 about it, then the filters.
    answers = [http(whole)] * 4 + [refused, http(whole)] + [refused] * 3 + [http(whole)]
    with Wire.saying(*answers) as wire:
        job = job_for(tmp_path, wire.base_url, period="2026-10-31..2026-11-01")
        lines = {line.name: line for line in engine.probe(job).lines}
        assert len(wire.requests) == len(answers)
    for name in ("charges", "connected", "csv"):
        assert (lines[name].verdict, lines[name].seen) == (DIFFERS, "refused, HTTP 400")


def test_a_pull_that_is_too_old_to_be_asked_again_cannot_be_told(tmp_path: Path) -> None:
    """A carrier may forget, or forbid; that ends nothing."""
    with Sandbox([BOOK]) as carrier:
        engine.pull_period(job_for(tmp_path, carrier.base_url))
        carrier.habits = Habits(later=(len(carrier.asked) + 11, forbidden()))
        result = engine.probe(job_for(tmp_path, carrier.base_url))
    line = next(line for line in result.lines if line.name == "late-pull")
    assert (line.verdict, line.seen) == (UNTOLD, "refused, HTTP 403")


@pytest.mark.parametrize("status", ["301 Moved", "308 Permanent Redirect", "204 No Content"])
def test_a_redirect_ends_the_probe(tmp_path: Path, status: str) -> None:
    """It is the address that has to change; the key is not sent a second time."""
    with Wire.saying(http(b"", "Location: /calls/list/", status=status)) as wire:
        with pytest.raises(Refused, match=status[:3]):
            engine.probe(job_for(tmp_path, wire.base_url))
        assert len(wire.requests) == 1


def test_today_is_left_out_unless_the_period_began_today(tmp_path: Path) -> None:
    """Calls of a day that is not over are still on their way."""
    start = NOW - 12 * 3600
    book = Book.from_calls([call(1, start + 60), call(2, start + 3600)], timezone=BRISBANE)
    _, result, _ = probed(tmp_path, book, period="2026-11")
    assert (result.calls, result.span.end) == (0, start)
    _, result, _ = probed(tmp_path, book, period="2026-11-11..2026-11-12")
    assert (result.calls, result.span.end) == (2, NOW)


@pytest.mark.parametrize(("count", "untold"), [(1, {"order", "limit", "kept", "count", "gzip"})])
def test_one_call_alone_answers_what_it_can(tmp_path: Path, count: int, untold: set[str]) -> None:
    """What needs two calls cannot be told; nothing differs."""
    lines, result, _ = probed(tmp_path, Book.from_calls(CALLS[:count], timezone=BRISBANE))
    late = {"late-pull", "late-probe"}
    assert {name for name, line in lines.items() if line.verdict == UNTOLD} == untold | late
    assert result.differing == 0


def test_calls_of_one_second_do_not_tell_which_are_kept(tmp_path: Path) -> None:
    """Six calls in one second: the cut is seen, but no end of it; there is no gap between."""
    book = Book.from_calls([call(n, LAST) for n in range(6)], timezone=BRISBANE)
    lines, _, _ = probed(tmp_path, book)
    assert lines["limit"].seen == "limit 3 of 6 calls: 3 came"
    assert lines["kept"].verdict == lines["order"].verdict == UNTOLD


def test_a_reply_that_breaks_a_rule_is_looked_at_all_the_same(tmp_path: Path) -> None:
    """A call without its origin is refused by a run; the probe says so and goes on."""
    calls = [{k: v for k, v in c.items() if k != "origin"} for c in CALLS]
    lines, result, _ = probed(tmp_path, Book.from_calls(calls, timezone=BRISBANE))
    assert lines["shape"].verdict == DIFFERS
    assert "missing required field" in lines["shape"].seen
    for name in ("fields", "cost", "charges", "csv", "again"):
        assert lines[name].seen == "the reply breaks a rule"
    for name in ("post", "echo", "start", "end", "limit", "kept", "count", "empty"):
        assert lines[name].verdict == RELIED
    assert result.differing == 1


# --- the command line ---------------------------------------------------------------------


def run(folder: Path, carrier: Sandbox, *words: str, accounts: str = "") -> int:
    """Write a workspace for the carrier and run one command in it."""
    table = f'[account.acme]\nname = "Acme"\ntimezone = "{BRISBANE}"\n'
    (folder / "maxo.toml").write_text(f'{table}base_url = "{carrier.base_url}"\n{accounts}')
    return cli.main(["-C", str(folder), *words])


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_the_table_is_aligned_and_nothing_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a PERIOD the last whole days that hold calls are found; the exit code is 0."""
    with Sandbox([BOOK]) as carrier:
        assert run(tmp_path, carrier, "probe") == 0
        spans = [(a.start, a.end) for a in carrier.asked[:3]]
    today = NOW - 12 * 3600
    assert spans == [(today - days * DAY, today) for days in (1, 7, 31)]
    out = capsys.readouterr().out.splitlines()
    assert out[0] == (
        "Acme, 11 Oct 2026 to 10 Nov 2026 (Australia/Brisbane): 120 calls looked at in 12 requests"
    )
    assert (
        out[2] == "verdict         question                     we rely on                  seen"
    )
    table = out[3 : out.index("", 3)]
    assert all(len(line) <= 100 for line in table)
    starts = {line[:14].strip() for line in table}
    assert starts == {RELIED, UNTOLD, ""}
    # Each column begins at one place: before it there is a space on every line.
    assert all(line[at - 2 : at].strip() == "" for line in table for at in (16, 45, 73))
    assert out[-1] == "0 of 25 answers differ, 2 cannot be told"


def test_a_difference_is_explained_and_needs_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and below the line what it means for reports."""
    with Sandbox([BOOK], habits=Habits(end_included=True)) as carrier:
        assert run(tmp_path, carrier, "probe", "2026-10", "--account", "acme") == 1
    out = capsys.readouterr().out
    assert re.search(
        r"^differs +A call at endTime +it is not in the reply +it came$", out, re.MULTILINE
    )
    assert "each is counted once and the figures are" in out
    assert out.splitlines()[-1] == "1 of 25 answers differ, 2 cannot be told"


def test_json_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every question, in their order, and the span as the other commands write it."""
    with Sandbox([BOOK], habits=Habits(counts_true=True)) as carrier:
        assert run(tmp_path, carrier, "probe", "2026-10", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert {name: said[name] for name in ("account", "calls", "requests", "differing")} == {
        "account": "acme",
        "calls": 120,
        "requests": 11,
        "differing": 1,
    }
    assert said["span"] == {
        "start": "2026-10-01T00:00:00+10:00",
        "end": "2026-11-01T00:00:00+10:00",
        "timezone": BRISBANE,
    }
    assert [answer["name"] for answer in said["answers"]] == list(QUESTIONS)
    differing = [answer for answer in said["answers"] if answer["verdict"] == DIFFERS]
    assert [answer["seen"] for answer in differing] == ["the number of calls there are"]
    assert "10,000 calls or more" in differing[0]["means"]


def test_an_account_without_calls_is_told_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an empty reply shows is judged; for the rest there is an advice."""
    with Sandbox([Book.from_calls([], timezone=BRISBANE, key=KEY)]) as carrier:
        assert run(tmp_path, carrier, "probe") == 0
        assert len(carrier.asked) == 3
    out = capsys.readouterr().out
    assert "0 calls looked at in 3 requests" in out
    assert out.splitlines()[-1].startswith("there are no calls in these days: name a PERIOD")
    told = re.findall(r"^as relied on +(.+?)  ", out, re.MULTILINE)
    assert told == [
        "POST with a JSON body",
        "startTime and endTime in",
        "starttime and endtime in",
        "timezone in the reply",
        "calls, where there are none",
        "Replies",
    ]


def test_a_carrier_that_cannot_be_had_is_3_and_words_that_make_no_sense_are_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each in one line on standard error, with nothing printed."""
    stranger = Book.from_calls([], timezone=BRISBANE, key="another")
    second = f'[account.other]\nname = "Other"\ntimezone = "{BRISBANE}"\n'
    with Sandbox([stranger]) as carrier:
        assert run(tmp_path, carrier, "probe") == 3
        assert run(tmp_path, carrier, "probe", "2027-01") == 2
        assert run(tmp_path, carrier, "probe", "--account", "acne") == 2
        assert run(tmp_path, carrier, "probe", accounts=second) == 2
        assert len(carrier.asked) == 2, "only the first of these asks"
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 4
    assert "401" in lines[0]
    assert "has not begun" in lines[1]
    assert "did you mean 'acme'" in lines[2]
    assert "Give --account NAME; maxo.toml has: acme, other" in lines[3]


@pytest.mark.parametrize(
    "habits",
    [Habits(), Habits(reads_json=False), Habits(post_refused_with=405), Habits(empty='""')],
    ids=["default", "form", "refused", "garbled"],
)
@pytest.mark.parametrize("flag", ["--json", ""])
def test_the_key_is_in_no_url_and_no_number_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], habits: Habits, flag: str
) -> None:
    """Whatever the carrier is like, and even where a status holds a telephone number."""
    calls = calls_of_october(status="Diverted to 0491 570 157", cost="$0.255")
    calls += [call(f"0491570{n}", LAST + n, direction="0491570158") for n in range(100, 130)]
    with Sandbox([Book.from_calls(calls, timezone=BRISBANE)], habits=habits) as carrier:
        code = run(tmp_path, carrier, "probe", "2026-10", *([flag] if flag else []))
        asked = carrier.asked
    assert code == 1
    assert {a.path for a in asked} == {"/calls/list"}
    assert {a.method for a in asked} == {"POST"}
    assert not any(a.key_in_url for a in asked)
    said = capsys.readouterr()
    spoken = said.out + said.err
    assert KEY not in spoken
    if habits.post_refused_with == 0:
        assert "Diverted to #### ### ###" in " ".join(spoken.split())
    numbers = {str(c[name]) for c in calls for name in ("origin", "destination", "callid")}
    for number in {*numbers, "0491 570 157", "0491570157", "0491570158", "7555"}:
        assert number not in spoken
    digits = re.sub(r"[^0-9]", "", spoken)
    assert "0491570" not in digits
