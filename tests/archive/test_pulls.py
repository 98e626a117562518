"""Pulls: what is written down is true, and a pull that was cut short is taken up again."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from carriers import BRISBANE, SYDNEY
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.archive.pulls import ACCEPTED, FULL, Account, Answer, Asked, Pull
from maxo_reports.core.period import BillingPeriod, Window, parse_period
from maxo_reports.errors import ArchiveError

PERIOD = parse_period("2026-10", BRISBANE, date(2026, 11, 20))
BEFORE = parse_period("2026-09", BRISBANE, date(2026, 11, 20))
NOW = PERIOD.end + 86_400


def _asked(period: BillingPeriod = PERIOD, **odd: Any) -> Asked:
    return replace(Asked(period.start, period.end, period.zone, "x.invalid", 10_000), **odd)


def _answer(start: int, end: int, verdict: str = ACCEPTED, sha256: str = "ab" * 32) -> Answer:
    window = Window(PERIOD.start + start, PERIOD.start + end)
    return Answer(window, sha256, 7, verdict, NOW, 1, ("start", "end", BRISBANE))


def _done(account: Account, period: BillingPeriod, now: int = NOW) -> Pull:
    work = account.begin(period, _asked(period), now)
    work.record(replace(_answer(0, 1), window=period.window))
    work.finish(now + 60)
    return work


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """Make an empty archive."""
    return Account(tmp_path / "acme")


def test_pulls_of_a_period_are_numbered(account: Account) -> None:
    """Each begins a folder of its own and none is overwritten."""
    assert account.pulls(PERIOD) == ()
    numbers = [account.begin(PERIOD, _asked(), NOW).number for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert [pull.number for pull in account.pulls(PERIOD)] == [1, 2, 3]
    assert [pull.asked for pull in account.pulls(PERIOD)] == [_asked()] * 3
    assert account.pulls(BEFORE) == ()


def test_answers_read_back_as_they_were_written(account: Account) -> None:
    """Every field survives, in the order of the windows, and the files are private."""
    work = account.begin(PERIOD, _asked(), NOW)
    answers = [_answer(60, 120), _answer(0, 60), _answer(120, 180, "the reply is a web page")]
    for answer in answers:
        work.record(answer)
    again = account.pulls(PERIOD)[0]
    assert again.answers() == (answers[1], answers[0], answers[2])
    assert again.accepted() == (answers[1], answers[0])
    for path in work.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_refused_and_split_replies_are_kept_beside_the_accepted_one(account: Account) -> None:
    """A window that was garbled twice and then right has three answers, of which one counts."""
    work = account.begin(PERIOD, _asked(), NOW)
    for answer in (
        _answer(0, 60, "garbled", "01" * 32),
        _answer(0, 60, FULL, "02" * 32),
        _answer(0, 60, ACCEPTED, "03" * 32),
    ):
        work.record(answer)
    assert len(work.answers()) == 3
    assert [answer.sha256 for answer in work.accepted()] == ["03" * 32]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, PERIOD.end - PERIOD.start), max_size=8),
    st.lists(st.booleans(), min_size=9, max_size=9),
)
def test_what_is_missing_and_what_is_there_tile_the_period(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], there: list[bool]
) -> None:
    """Accepted windows and gaps together cover every second of the period once."""
    account = Account(tmp_path_factory.mktemp("acme"))
    work = account.begin(PERIOD, _asked(), NOW)
    edges = sorted({0, *cuts, PERIOD.end - PERIOD.start})
    spans = list(pairwise(edges))
    for (start, end), is_there in zip(spans, there, strict=False):
        work.record(_answer(start, end, ACCEPTED if is_there else "refused"))
    covered = sorted([*(answer.window for answer in work.accepted()), *work.missing()])
    assert covered[0].start == PERIOD.start
    assert covered[-1].end == PERIOD.end
    assert all(a.end == b.start for a, b in pairwise(covered))


def test_a_pull_with_a_gap_cannot_be_finished(account: Account) -> None:
    """One second missing at the start, the end or between: no done.json."""
    length = PERIOD.end - PERIOD.start
    for first, second in ((0, 1), (1, 2)):
        work = account.begin(PERIOD, _asked(), NOW)
        work.record(_answer(first, 100))
        work.record(_answer(99 + second, length))
        if (first, second) != (0, 1):
            with pytest.raises(ArchiveError, match="missing"):
                work.finish(NOW)
            assert not work.is_done
    work = account.begin(PERIOD, _asked(), NOW)
    work.record(_answer(0, length - 1))
    with pytest.raises(ArchiveError, match="missing"):
        work.finish(NOW)
    work.record(_answer(length - 1, length))
    work.finish(NOW)
    assert work.is_done


def test_the_newest_whole_pull_counts(account: Account) -> None:
    """A pull that was cut short never takes the place of one that is whole."""
    assert account.latest_done(PERIOD) is None
    _done(account, PERIOD)
    second = _done(account, PERIOD)
    account.begin(PERIOD, _asked(), NOW)
    latest = account.latest_done(PERIOD)
    assert latest is not None
    assert latest.number == second.number == 2


def test_a_pull_of_the_same_days_in_another_zone_is_another_pull(account: Account) -> None:
    """After the zone in the settings was corrected, the old pull no longer answers."""
    _done(account, PERIOD)
    sydney = parse_period("2026-10", SYDNEY, date(2026, 11, 20))
    assert account.latest_done(sydney) is None
    assert account.unfinished(sydney, _asked(sydney), 0) is None


@pytest.mark.parametrize(
    ("odd", "since", "is_taken_up"),
    [
        ({}, NOW - 86_400, True),
        ({}, NOW, True),
        ({}, NOW + 1, False),
        ({"host": "other.invalid"}, 0, False),
        ({"zone": SYDNEY}, 0, False),
        ({"start": PERIOD.start + 1}, 0, False),
        ({"limit": 5_000}, 0, False),
    ],
)
def test_only_a_young_pull_of_the_same_question_is_taken_up(
    account: Account, odd: Mapping[str, Any], since: int, is_taken_up: bool
) -> None:
    """Another host, zone, span or limit, or an older beginning: begun anew."""
    begun = account.begin(PERIOD, _asked(), NOW)
    found = account.unfinished(PERIOD, _asked(**odd), since)
    assert (found is not None) == is_taken_up
    if found is not None:
        assert (found.folder, found.began_at) == (begun.folder, NOW)


def test_a_whole_pull_is_not_taken_up_and_neither_is_one_before_it(account: Account) -> None:
    """Only the newest can be continued; once there is a whole one after it, it is history."""
    account.begin(PERIOD, _asked(), NOW)
    _done(account, PERIOD)
    assert account.unfinished(PERIOD, _asked(), 0) is None


def test_a_pull_that_was_killed_before_it_had_begun_is_none(account: Account) -> None:
    """A folder without its pull.json, or with a half-written one, does not block the period."""
    _done(account, PERIOD)
    empty = account.pulls(PERIOD)[0].folder.with_name("pull-0002")
    empty.mkdir()
    (empty / ".tmp-abc").write_bytes(b'{"format"')
    assert [pull.number for pull in account.pulls(PERIOD)] == [1]
    assert account.unfinished(PERIOD, _asked(), 0) is None
    assert len(account.other_periods(BEFORE)) == 1
    begun = account.begin(PERIOD, _asked(), NOW)
    assert begun.number == 2
    assert begun.missing() == (PERIOD.window,)


def test_other_periods_come_latest_first(account: Account) -> None:
    """The newest whole pull of each, without the period itself and without half ones."""
    july = parse_period("2026-07", BRISBANE, date(2026, 11, 20))
    june = parse_period("2026-06", BRISBANE, date(2026, 11, 20))
    for period in (july, BEFORE, BEFORE, PERIOD):
        _done(account, period)
    account.begin(june, _asked(june), NOW)
    (account.folder / "periods" / ".DS_Store").write_bytes(b"")
    found = account.other_periods(PERIOD)
    assert [pull.asked.start for pull in found] == [BEFORE.start, july.start]
    assert found[0].number == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"format": 2}',
        b'{"format": 1}',
        b'{"format": 1, "asked": {}, "began_at": 1}',
        b'{"format": 1, "asked": null, "began_at": 1}',
        b'{"format": 1, "asked": [1], "began_at": 1}',
    ],
)
def test_a_damaged_pull_is_refused_in_one_line(account: Account, content: bytes) -> None:
    """What is no longer whole, or of another format, is named and never guessed at."""
    work = _done(account, PERIOD)
    (work.folder / "pull.json").write_bytes(content)
    with pytest.raises(ArchiveError, match=r"pull\.json") as caught:
        account.pulls(PERIOD)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "odd",
    [
        {"format": 2},
        {"window": None},
        {"window": {"start": 1}},
        {"window": [1, 2]},
        {"echo": None},
        {"sha256": ...},
        {"verdict": ...},
    ],
)
def test_a_damaged_window_is_refused_in_one_line(account: Account, odd: Mapping[str, Any]) -> None:
    """A window's file that lost something ends the work with its name."""
    work = _done(account, PERIOD)
    (path,) = (work.folder / "windows").glob("*.json")
    content = {**json.loads(path.read_bytes()), **odd}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not ...}))
    with pytest.raises(ArchiveError, match="windows") as caught:
        work.answers()
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_archive(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a pull would lose its windows, or a new one be written over an old one."""
    work = _done(account, PERIOD)

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, refused)
    looks = (
        work.answers,
        lambda: account.pulls(PERIOD),
        lambda: account.other_periods(BEFORE),
        lambda: account.begin(PERIOD, _asked(), NOW),
    )
    for look in looks:
        with pytest.raises(ArchiveError, match="cannot read the folder"):
            look()


def test_a_window_file_with_a_flipped_bit_is_refused(account: Account) -> None:
    """Whichever bit of a window's file turns, also in a time or a number of tries: one line."""
    work = _done(account, PERIOD)
    (path,) = (work.folder / "windows").glob("*.json")
    whole = path.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        with pytest.raises(ArchiveError) as caught:
            work.answers()
        assert "\n" not in str(caught.value)
