"""Pulling: over real HTTP into a real archive, every call once, or a refusal and no month."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from carriers import (
    BRISBANE,
    IMPATIENT,
    KEY,
    OCTOBER,
    SYDNEY,
    Truth,
    Wire,
    call,
    http,
    local,
    reply,
    truth,
)

from maxo_reports import carrier as carrier_module
from maxo_reports.archive.columns import CallStore, is_whole
from maxo_reports.archive.derive import rebuild
from maxo_reports.archive.pulls import ACCEPTED, FULL, Account, Asked, Pull
from maxo_reports.carrier import LIMIT, Carrier, Patience, Secret
from maxo_reports.core.checks import checks
from maxo_reports.core.period import BillingPeriod, Window, parse_period
from maxo_reports.errors import (
    ArchiveError,
    CarrierError,
    Garbled,
    MaxoReportsError,
    Refused,
    TooDense,
    Unreachable,
)
from maxo_reports.pull import Look, pull
from maxo_reports.sandbox import Book, Order, Sandbox, random_faults

TODAY = date(2026, 11, 20)
PERIOD = parse_period("2026-10", BRISBANE, TODAY)
NOW = PERIOD.end + 5 * 86_400
DAY = 86_400
FAULTS = (
    *("500", "503", "429", "reset", "cut", "cut-chunked", "cut-close", "cut-gzip"),
    *("html", "cut-json", "status0", "wrong-count", "wrong-span"),
)
STUBBORN = replace(IMPATIENT, tries=15)
"""Patience enough for any run of bad luck in these tests."""

Calls = Sequence[dict[str, Any]]


def _asked(period: BillingPeriod = PERIOD, limit: int = LIMIT) -> Asked:
    return Asked(period.start, period.end, period.zone, "127.0.0.1", limit)


def _pull(
    account: Account,
    base_url: str,
    period: BillingPeriod = PERIOD,
    *,
    patience: Patience = IMPATIENT,
    **more: Any,
) -> Pull:
    """Pull as the program does, but with little patience."""
    asked = more.pop("asked", None) or _asked(period, carrier_module.LIMIT)
    return pull(
        account,
        period,
        asked,
        connect=lambda: Carrier(base_url, Secret(KEY), patience=patience),
        **{"now": lambda: NOW, **more},
    )


def _measured(work: Pull, period: BillingPeriod = PERIOD) -> Truth:
    """Say what a pull holds, and make sure that everything that must be equal is."""
    answers = work.accepted()
    paths = [work.calls_path(answer.window) for answer in answers]
    with closing(CallStore(paths, period)) as store:
        ledger = store.ledger()
        ids = tuple(sorted(line.call_id for line in store.lines()))
    assert all(c.passed for c in checks(ledger, period, [a.window for a in answers]))
    t = ledger.control
    return Truth(t.calls, t.connected, t.charged, t.seconds, t.cost, ids)


def _book(calls: Calls, **more: Any) -> Book:
    return Book.from_calls(calls, timezone=more.pop("timezone", BRISBANE), **more)


def _spread(count: int, start: int = OCTOBER, end: int = PERIOD.end) -> list[dict[str, Any]]:
    """Make calls at even distances, whose costs and durations differ."""
    return [
        call(
            n,
            start + n * (end - start) // count,
            cost=f"{n % 7}.{n % 10_000:04}",
            duration=n % 600,
        )
        for n in range(count)
    ]


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """Make an empty archive."""
    return Account(tmp_path / "archive" / "acme")


@pytest.fixture
def _small_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for 300 calls at most, so that a small month has many windows."""
    monkeypatch.setattr(carrier_module, "LIMIT", 300)


# --- a whole month ------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["oldest", "newest", "shuffled"])
def test_a_busy_month_is_right_to_the_last_digit_and_soon_asked(
    account: Account, busy_calls: Calls, busy_book: Book, order: Order
) -> None:
    """30,000 calls: six requests at most; asked again, one and a half times the ideal at most."""
    expected = truth(busy_calls, PERIOD.start, PERIOD.end)
    assert expected.calls == 30_000
    with Sandbox([busy_book], order=order) as sandbox:
        assert _measured(_pull(account, sandbox.base_url)) == expected
        first = len(sandbox.asked)
        assert first <= 6
        assert _measured(_pull(account, sandbox.base_url)) == expected
        assert len(sandbox.asked) - first <= 4
        assert not any(asked.key_in_url for asked in sandbox.asked)
        assert {(a.method, a.path, a.limit) for a in sandbox.asked} == {
            ("POST", "/calls/list", 10_000)
        }


def test_an_earlier_month_teaches_where_the_calls_are(
    account: Account, busy_calls: Calls, busy_book: Book
) -> None:
    """With September pulled before, October is asked in one and a half times the ideal at most."""
    september = parse_period("2026-09", BRISBANE, TODAY)
    # Four weeks earlier has the same weekdays; the days before October are September's.
    earlier = [{**c, "unixtime": c["unixtime"] - 28 * DAY, "datetime": ""} for c in busy_calls]
    with Sandbox([_book(earlier)]) as sandbox:
        _pull(account, sandbox.base_url, september)
    with Sandbox([busy_book], order="newest") as sandbox:
        work = _pull(account, sandbox.base_url)
        assert len(sandbox.asked) <= 4
    assert _measured(work) == truth(busy_calls, PERIOD.start, PERIOD.end)


@pytest.mark.parametrize(("order", "seed"), [("newest", 1), ("shuffled", 2), ("oldest", 3)])
@pytest.mark.usefixtures("_small_replies")
def test_a_month_with_a_fifth_of_failing_requests_is_right(
    account: Account, busy_calls: Calls, order: Order, seed: int
) -> None:
    """Every kind of trouble on a fifth of the requests: each call once, to the last digit."""
    some = busy_calls[::3]
    faults = random_faults(0.2, seed, FAULTS)
    with Sandbox([_book(some)], order=order, faults=faults, seed=seed) as sandbox:
        work = _pull(account, sandbox.base_url, patience=STUBBORN)
        met = Counter(asked.fault for asked in sandbox.asked)
    assert _measured(work) == truth(some, PERIOD.start, PERIOD.end)
    assert sum(met.values()) - met[None] > 5
    assert work.is_done


@pytest.mark.parametrize("order", ["newest", "shuffled"])
def test_a_busy_month_with_failing_requests_is_right(
    account: Account, busy_calls: Calls, busy_book: Book, order: Order
) -> None:
    """30,000 calls where every window fails first, each time in another way."""

    def failing(number: int) -> str | None:
        return FAULTS[number // 2 % len(FAULTS)] if number % 2 == 0 else None

    with Sandbox([busy_book], order=order, faults=failing) as sandbox:
        work = _pull(account, sandbox.base_url, patience=STUBBORN, in_flight=1)
        kinds = {asked.fault for asked in sandbox.asked} - {None}
    assert _measured(work) == truth(busy_calls, PERIOD.start, PERIOD.end)
    assert len(kinds) >= 4


@pytest.mark.parametrize("fault", FAULTS)
def test_each_kind_of_trouble_is_got_over(account: Account, fault: str) -> None:
    """Two failures in a row on every window, then a whole reply: as if nothing had been."""
    calls = _spread(500)
    with Sandbox([_book(calls)], faults=lambda n: fault if n < 2 else None) as sandbox:
        work = _pull(account, sandbox.base_url)
        assert len(sandbox.asked) == 3
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)
    (answer,) = work.accepted()
    assert answer.tries == 3


@pytest.mark.parametrize("count", [0, 1, 2_487, 9_998, 9_999])
def test_a_small_month_is_exactly_one_request(account: Account, count: int) -> None:
    """Up to one less than a reply can hold, the whole month is asked at once."""
    calls = _spread(count) if count else []
    with Sandbox([_book(calls)]) as sandbox:
        work = _pull(account, sandbox.base_url)
        (asked,) = sandbox.asked
    assert (asked.start, asked.end) == (PERIOD.start, PERIOD.end)
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)


@pytest.mark.parametrize("count", [10_000, 10_001])
@pytest.mark.parametrize("order", ["oldest", "newest", "shuffled"])
def test_a_full_reply_is_never_taken_for_whole(account: Account, count: int, order: Order) -> None:
    """At the limit and one above it the month is split, and every call is there."""
    calls = _spread(count)
    with Sandbox([_book(calls)], order=order) as sandbox:
        work = _pull(account, sandbox.base_url)
        assert 3 <= len(sandbox.asked) <= 5
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)
    assert [a.count for a in work.answers() if a.verdict == FULL][:1] == [10_000]


@pytest.mark.parametrize("order", ["oldest", "newest", "shuffled"])
def test_very_many_calls_in_one_hour_are_all_there(account: Account, order: Order) -> None:
    """25,000 calls in an hour of an otherwise quiet month."""
    hour = OCTOBER + 13 * DAY + 9 * 3600
    calls = _spread(25_000, hour, hour + 3600)
    calls += [call(100_000 + n, OCTOBER + n * 40_000) for n in range(60)]
    with Sandbox([_book(calls)], order=order) as sandbox:
        work = _pull(account, sandbox.base_url)
        assert len(sandbox.asked) < 30
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)


def test_a_second_that_just_fits_is_taken(account: Account) -> None:
    """9,999 calls in one second, with others right before and after it."""
    second = OCTOBER + 5 * DAY
    calls = [call(n, second) for n in range(9_999)]
    calls += [call(20_000 + n, second - 1) for n in range(500)]
    calls += [call(30_000 + n, second + 1) for n in range(500)]
    with Sandbox([_book(calls)], order="newest") as sandbox:
        work = _pull(account, sandbox.base_url)
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)


@pytest.mark.parametrize("count", [10_000, 10_001])
def test_a_second_with_too_many_calls_is_refused_by_name(account: Account, count: int) -> None:
    """It cannot be proved complete: no month, exit 3, and the second is named."""
    second = OCTOBER + 5 * DAY
    with Sandbox([_book([call(n, second) for n in range(count)])]) as sandbox:
        with pytest.raises(TooDense, match=str(second)) as caught:
            _pull(account, sandbox.base_url)
        assert len(sandbox.asked) < 60
    assert caught.value.exit_code == 3
    assert account.latest_done(PERIOD) is None
    assert not list(account.folder.rglob("done.json"))


EDGES = [
    (SYDNEY, "2026-10", 1_790_776_800, 1_793_451_600),
    (SYDNEY, "2026-04", 1_774_962_000, 1_777_557_600),
    (BRISBANE, "2026-10", 1_790_776_800, 1_793_455_200),
    ("Australia/Lord_Howe", "2026-10", 1_790_775_000, 1_793_451_600),
]


@pytest.mark.parametrize(("zone", "month", "start", "end"), EDGES)
@pytest.mark.usefixtures("_small_replies")
def test_the_edges_of_a_month_are_right_to_the_second(
    account: Account, zone: str, month: str, start: int, end: int
) -> None:
    """The first and the last second are in, those before and after are out, also when split."""
    edges = [call(n, at, zone=zone) for n, at in enumerate((start - 1, start, end - 1, end))]
    middle = [call(10 + n, start + 3 * DAY + n * 800, zone=zone) for n in range(1_000)]
    period = parse_period(month, zone, TODAY)
    for calls in (edges, edges + middle):
        with Sandbox([_book(calls, timezone=zone)]) as sandbox:
            work = _pull(account, sandbox.base_url, period)
        found = _measured(work, period)
        assert found == truth(calls, start, end)
        assert {"1", "2"} < {*found.ids, ""}
        assert not {"0", "3"} & set(found.ids)


def test_months_that_follow_each_other_share_no_call_and_lose_none(account: Account) -> None:
    """September, October and November in Sydney: each call at an edge is in exactly one."""
    months = [parse_period(f"2026-{m}", SYDNEY, TODAY) for m in ("09", "10", "11")]
    edges = sorted({p.start for p in months} | {p.end for p in months})
    calls = [call(n, edge + n % 5 - 2, zone=SYDNEY) for n, edge in enumerate(edges * 5)]
    with Sandbox([_book(calls, timezone=SYDNEY)]) as sandbox:
        found = [_measured(_pull(account, sandbox.base_url, p), p).ids for p in months]
    whole = truth(calls, months[0].start, months[-1].end)
    assert Counter(n for ids in found for n in ids) == Counter(whole.ids)


# --- records that are odd ------------------------------------------------------------------


def _filed_at(place: dict[int, int]) -> Callable[[Any], int]:
    return lambda one: place.get(one["callid"], one["unixtime"])


@pytest.mark.usefixtures("_small_replies")
def test_repeats_and_strays_are_counted_once_and_told(account: Account) -> None:
    """The same record twice, the same id with another cost, records from elsewhere in time."""
    calls = _spread(1_000)
    far = OCTOBER + 20 * DAY
    place = {5_000: far, 5_001: far, 5_002: far + 1, 5_003: far + 2, 5_004: far + 3}
    odd = [
        call(5_000, OCTOBER - 1),
        call(5_001, PERIOD.end),
        call(5_002, 999_999_999_999),
        call(5_003, -5),
        call(5_004, OCTOBER + 7, cost="0.0001"),
    ]
    again = [calls[10], {**calls[900], "cost": "9.99"}]
    moved = {**calls[20]}
    book = _book([*calls, *odd, *again, moved], place=_filed_at({**place, 20: far + 9}))
    with Sandbox([book], order="shuffled") as sandbox:
        work = _pull(account, sandbox.base_url)
    answers = work.accepted()
    with closing(CallStore([work.calls_path(a.window) for a in answers], PERIOD)) as store:
        intake = store.ledger().intake
        kept = {line.call_id: line.cost for line in store.lines()}
    assert intake.received == sum(answer.count for answer in answers) == 1_008
    assert (intake.outside, intake.repeats) == (4, 3)
    assert intake.ledger == 1_001
    assert intake.conflicting == 1
    assert intake.astray >= 2
    assert kept["5004"] == 100
    assert len(kept) == 1_001


@pytest.mark.usefixtures("_small_replies")
def test_full_replies_of_another_time_do_not_lead_astray(account: Account) -> None:
    """Replies full of records that are not of the window: split all the same, and all counted."""
    calls = [call(n, 1_000_000 + n) for n in range(1_500)]
    calls += [call(10_000 + n, PERIOD.end + n) for n in range(500)]
    place = {c["callid"]: OCTOBER + n * 900 for n, c in enumerate(calls)}
    with Sandbox([_book(calls, place=_filed_at(place))]) as sandbox:
        work = _pull(account, sandbox.base_url)
        assert len(sandbox.asked) < 100
    assert sum(answer.count for answer in work.accepted()) == 2_000
    assert _measured(work).calls == 0


def test_records_of_any_age_do_not_slow_the_next_pull_down(account: Account) -> None:
    """A record from the year 33658 in one month is out of it, and is no hint for the next."""
    odd = [call(1, 999_999_999_999), call(2, -(10**11)), call(3, OCTOBER)]
    with Sandbox([_book(odd, place=lambda _: OCTOBER)]) as sandbox:
        assert _measured(_pull(account, sandbox.base_url)).ids == ("3",)
        begin = time.monotonic()
        _pull(account, sandbox.base_url)
        _pull(account, sandbox.base_url, parse_period("2026-11", BRISBANE, TODAY))
    assert time.monotonic() - begin < 5


# --- replies that are refused --------------------------------------------------------------


def _kept(account: Account) -> dict[str, bytes]:
    """Return every kept reply by its hash, read with nothing of ours."""
    return {
        path.name.removesuffix(".json.gz"): gzip.decompress(path.read_bytes())
        for path in account.folder.glob("replies/*/*.json.gz")
    }


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("html", "web page"),
        ("status0", "status 0"),
        ("cut-json", "no whole JSON"),
        ("cut-close", "no whole JSON|cut off"),
        ("wrong-count", "counts 3 calls but holds 2"),
        ("wrong-span", "was asked for"),
    ],
)
def test_a_garbled_reply_is_kept_with_its_verdict_and_never_used(
    account: Account, fault: str, says: str
) -> None:
    """Asked again as often as allowed, then refused: no month, but the evidence is there."""
    book = _book([call(1), call(2)])
    with Sandbox([book], faults=lambda _: fault) as sandbox:
        with pytest.raises(CarrierError, match=says) as caught:
            _pull(account, sandbox.base_url)
        assert len(sandbox.asked) == IMPATIENT.tries
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    (work,) = account.pulls(PERIOD)
    assert not work.is_done
    assert work.accepted() == ()
    assert not list(account.folder.rglob("*.parquet"))
    if fault != "cut-close":
        (answer,) = work.answers()
        assert list(_kept(account)) == [answer.sha256]
        assert any(part in answer.verdict for part in says.split("|"))


def test_a_reply_is_kept_before_it_is_read(account: Account) -> None:
    """Even one that nothing can be made of is in the archive, byte for byte."""
    body = b"<html>\xe2\x9c\x93 maintenance</html>"
    whole = reply([call(1)], PERIOD.window)
    with Wire.saying(http(body), http(body), http(whole)) as wire:
        work = _pull(account, wire.base_url, in_flight=1)
    assert sorted(_kept(account).values()) == sorted([body, whole])
    verdicts = {answer.sha256: answer.verdict for answer in work.answers()}
    assert {_kept(account)[sha]: verdict for sha, verdict in verdicts.items()} == {
        body: "the reply is a web page, not JSON",
        whole: ACCEPTED,
    }
    assert [answer.tries for answer in work.accepted()] == [3]


def test_an_account_in_another_zone_is_refused_at_once(account: Account) -> None:
    """The carrier keeps the account in Sydney, the settings say Brisbane: the remedy is said."""
    with Sandbox([_book([call(1)], timezone=SYDNEY)]) as sandbox:
        with pytest.raises(Refused, match="set timezone"):
            _pull(account, sandbox.base_url, in_flight=1)
        assert len(sandbox.asked) == 1
    assert account.latest_done(PERIOD) is None


def test_a_reply_with_more_calls_than_asked_for_is_refused(account: Account) -> None:
    """A carrier that does not keep to the limit cannot be read by it."""
    with Sandbox([_book([call(1), call(2), call(3)])]) as sandbox:
        with pytest.raises(Garbled, match="more than the limit"):
            _pull(account, sandbox.base_url, asked=_asked(limit=2))


@pytest.mark.parametrize("number", ["", " "])
def test_a_call_without_an_id_is_refused(account: Account, number: str) -> None:
    """Without ids nobody could tell a repeat from a call."""
    with Sandbox([_book([{**call(1), "callid": number}])]) as sandbox:
        with pytest.raises(Garbled, match="without a callid"):
            _pull(account, sandbox.base_url)


def test_a_call_at_an_impossible_time_is_refused(account: Account) -> None:
    """A time that fits no column is a refusal and not a traceback."""
    book = _book([call(1, unixtime=2**64)], place=lambda _: OCTOBER)
    with Sandbox([book]) as sandbox, pytest.raises(Garbled, match="too large"):
        _pull(account, sandbox.base_url)


def test_a_wrong_key_is_one_request_a_lane_and_no_month(account: Account) -> None:
    """401 ends the pull; nothing is kept as a reply."""
    with Sandbox([_book([call(1)], key="another-key")]) as sandbox:
        with pytest.raises(Refused, match="does not know this API key"):
            _pull(account, sandbox.base_url, in_flight=1)
        assert len(sandbox.asked) == 1
    assert _kept(account) == {}
    assert account.latest_done(PERIOD) is None


def test_a_reply_that_holds_the_key_is_in_no_file(account: Account) -> None:
    """Neither kept nor used: the key is nowhere in the archive, packed or not."""
    body = reply([call(1, origin=KEY)], PERIOD.window)
    with Wire.saying(http(body)) as wire, pytest.raises(Refused, match="repeats the API key"):
        _pull(account, wire.base_url)
    assert _kept(account) == {}
    _assert_no_key(account.folder)


def _assert_no_key(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert KEY not in str(path)
        if path.is_file():
            content = path.read_bytes()
            assert KEY.encode() not in content, path
            if path.suffix == ".gz":
                assert KEY.encode() not in gzip.decompress(content), path


def test_the_key_is_in_no_file_of_the_archive(account: Account) -> None:
    """Neither of a whole pull nor of one with every kind of trouble."""
    with Sandbox([_book(_spread(100))], faults=random_faults(0.5, 4, FAULTS)) as sandbox:
        with contextlib.suppress(CarrierError):
            _pull(account, sandbox.base_url, patience=STUBBORN)
    assert list(account.folder.rglob("*.json"))
    _assert_no_key(account.folder)


def test_a_carrier_that_leaves_a_call_out_is_found_by_a_second_look(account: Account) -> None:
    """One reply cannot show that a call is missing; two replies that differ do."""
    with Sandbox([_book(_spread(50))], faults=lambda n: "drop-row" if n == 0 else None) as sandbox:
        prints = []
        for _ in range(3):
            work = _pull(account, sandbox.base_url)
            with closing(CallStore([work.calls_path(PERIOD.window)], PERIOD)) as store:
                prints.append(store.fingerprint())
    assert prints[0] != prints[1] == prints[2]


# --- pulls that were cut short -------------------------------------------------------------


class _Stopped(Exception):
    """Ends a run from outside; it is no error of the program's."""


def _stop_after(count: int) -> Callable[[], int]:
    """Return a clock that ends the run when it is read once too often."""
    left = [count]

    def now() -> int:
        left[0] -= 1
        if left[0] < 0:
            raise _Stopped
        return NOW

    return now


def _spans(sandbox: Sandbox, first: int = 0) -> list[tuple[int | None, int | None]]:
    return [(asked.start, asked.end) for asked in sandbox.asked[first:]]


@pytest.mark.usefixtures("_small_replies")
@pytest.mark.parametrize("order", ["oldest", "newest", "shuffled"])
def test_a_pull_that_was_stopped_anywhere_asks_only_for_what_is_missing(
    tmp_path: Path, order: Order
) -> None:
    """Stopped after one request, after two, and so on: the rest is asked, nothing twice."""
    calls = _spread(2_000)
    expected = truth(calls, PERIOD.start, PERIOD.end)
    with Sandbox([_book(calls)], order=order) as sandbox:
        for stop in range(1, 30, 3):
            account = Account(tmp_path / f"{order}-{stop}")
            with contextlib.suppress(_Stopped):
                _pull(account, sandbox.base_url, now=_stop_after(stop))
            (work,) = account.pulls(PERIOD)
            if work.is_done:
                break
            there, missing = work.accepted(), work.missing()
            before = len(sandbox.asked)
            # Fresh objects, as another process would have.
            again = _pull(Account(account.folder), sandbox.base_url)
            assert again.folder == work.folder
            for start, end in _spans(sandbox, before):
                assert start is not None
                assert end is not None
                assert any(gap.start <= start and end <= gap.end for gap in missing)
            assert set(there) <= set(again.accepted())
            assert _measured(again) == expected
        assert stop > 10


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from maxo_reports import carrier
from maxo_reports.archive.pulls import Account, Asked
from maxo_reports.carrier import Carrier, Secret
from maxo_reports.core.period import parse_period
from maxo_reports.pull import pull

carrier.LIMIT = 300
folder, base_url, now, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
period = parse_period("2026-10", "Australia/Brisbane", date(2026, 11, 20))
asked = Asked(period.start, period.end, period.zone, "127.0.0.1", 300)
count = 0

def deadly(real):
    def call(*args, **more):
        global count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)
    return call

os.fsync, os.replace = deadly(os.fsync), deadly(os.replace)
pull(Account(folder), period, asked, now=lambda: now,
     connect=lambda: Carrier(base_url, Secret("sandbox-key")))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.usefixtures("_small_replies")
def test_a_pull_that_was_killed_while_it_writes_is_taken_up_again(tmp_path: Path) -> None:
    """A real kill at a write, again and again on one archive, until it is through: all right."""
    calls = _spread(1_500)
    folder = tmp_path / "acme"
    with Sandbox([_book(calls)], order="shuffled") as sandbox:
        for round_number in range(40):
            # The steps of the first round hit the very beginning, later ones come further.
            limit = (1, 3, 4, 9, 16, 23, 31, 40, 57)[min(round_number, 8)]
            there = {
                (answer.window.start, answer.window.end)
                for work in Account(folder).pulls(PERIOD)
                for answer in work.accepted()
            }
            before = len(sandbox.asked)
            command = [sys.executable, "-c", KILLED, str(folder), sandbox.base_url, str(NOW)]
            ended = subprocess.run(
                [*command, str(limit)], check=False, capture_output=True, timeout=60
            )
            # A kill loses what was being asked, and nothing that was written down.
            assert not there & set(_spans(sandbox, before))
            if ended.returncode == 0:
                break
            assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
        assert round_number > 5
    account = Account(folder)
    work = account.latest_done(PERIOD)
    assert work is not None
    assert work.number == 1
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)
    for sha256, body in _kept(account).items():
        assert account.replies.read(sha256) == body


def test_a_carrier_that_goes_away_halfway_leaves_a_pull_to_take_up(
    account: Account, busy_calls: Calls, busy_book: Book
) -> None:
    """The server stops after two replies; when it is back, the rest is asked."""
    with Sandbox([busy_book], faults=lambda n: "reset" if n >= 4 else None) as sandbox:
        with pytest.raises(Unreachable):
            _pull(account, sandbox.base_url, in_flight=1)
    (work,) = account.pulls(PERIOD)
    there = work.accepted()
    assert there
    assert not work.is_done
    with Sandbox([busy_book]) as sandbox:
        again = _pull(account, sandbox.base_url)
        spans = _spans(sandbox)
    assert set(there) <= set(again.accepted())
    assert not {(a.window.start, a.window.end) for a in there} & set(spans)
    assert _measured(again) == truth(busy_calls, PERIOD.start, PERIOD.end)


@pytest.mark.parametrize(("later", "number"), [(86_400, 1), (86_401, 2)])
@pytest.mark.usefixtures("_small_replies")
def test_a_pull_older_than_a_day_is_begun_anew(account: Account, later: int, number: int) -> None:
    """Within a day it is taken up; after that the carrier may say something else."""
    calls = _spread(2_000)
    with Sandbox([_book(calls)]) as sandbox:
        with pytest.raises(_Stopped):
            _pull(account, sandbox.base_url, now=_stop_after(6))
        work = _pull(account, sandbox.base_url, now=lambda: NOW + later)
    assert work.number == number
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)
    asked_at = {answer.asked_at for answer in work.accepted()}
    assert asked_at == ({NOW, NOW + later} if number == 1 else {NOW + later})


def test_a_pull_that_was_killed_at_its_very_beginning_does_not_block(account: Account) -> None:
    """An empty pull folder, as a kill leaves it, is passed over."""
    (account.folder / "periods" / PERIOD.key / "pull-0001").mkdir(parents=True)
    with Sandbox([_book([call(1)])]) as sandbox:
        assert _measured(_pull(account, sandbox.base_url)).calls == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.usefixtures("_small_replies")
def test_an_interrupt_ends_the_pull_after_the_requests_in_flight(account: Account) -> None:
    """Ctrl-C does not wait for the whole month; what is there is kept for the next run."""
    calls = _spread(6_000)
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(look: Look) -> None:
        if look.requests == 3:
            signal.pthread_kill(main, signal.SIGINT)

    with Sandbox([_book(calls)], latency=0.02) as sandbox:
        with pytest.raises(KeyboardInterrupt):
            _pull(account, sandbox.base_url, progress=interrupt)
        time.sleep(0.1)
        assert len(sandbox.asked) <= 8
        assert _measured(_pull(account, sandbox.base_url)).calls == 6_000


@pytest.mark.usefixtures("_small_replies")
def test_a_disk_that_fails_ends_the_pull_and_the_next_one_goes_on(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails at any point is an ArchiveError; then the pull is taken up."""
    calls = _spread(900)
    real, count = os.replace, [0]

    def failing(*names: Any) -> None:
        count[0] += 1
        if count[0] % 7 == 0:
            raise OSError(28, "No space left on device")
        real(*names)

    monkeypatch.setattr(os, "replace", failing)
    with Sandbox([_book(calls)]) as sandbox:
        for _ in range(40):
            try:
                work = _pull(account, sandbox.base_url)
                break
            except MaxoReportsError as problem:
                assert isinstance(problem, ArchiveError)
                assert "No space left on device" in str(problem)
    assert count[0] > 20
    assert work.number == 1
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)


# --- columns are derived --------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["missing", "all missing", "flipped", "empty", "unhashed"])
@pytest.mark.usefixtures("_small_replies")
def test_columns_that_are_lost_or_damaged_are_made_again(account: Account, damage: str) -> None:
    """From the kept replies alone, without the carrier: the same ledger, the same files."""
    calls = _spread(1_000)
    with Sandbox([_book(calls)]) as sandbox:
        work = _pull(account, sandbox.base_url)
    paths = sorted(work.folder.glob("calls/*.parquet"))
    before = {path: path.read_bytes() for path in paths}
    for path in paths if damage == "all missing" else paths[1:2]:
        if "missing" in damage:
            path.unlink()
        elif damage == "unhashed":
            path.with_name(f"{path.name}.sha256").unlink()
        else:
            whole = bytearray(path.read_bytes())
            whole[len(whole) // 2] ^= 4
            path.write_bytes(whole if damage == "flipped" else b"")
    rebuild(account, work)
    assert all(is_whole(path) for path in paths)
    assert {path: path.read_bytes() for path in paths} == before
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)


@pytest.mark.usefixtures("_small_replies")
def test_columns_of_a_pull_that_was_cut_short_are_made_again(account: Account) -> None:
    """Deleted between two runs: the run that takes the pull up derives them first."""
    calls = _spread(2_000)
    with Sandbox([_book(calls)]) as sandbox:
        with pytest.raises(_Stopped):
            _pull(account, sandbox.base_url, now=_stop_after(8))
        for path in account.folder.rglob("*.parquet"):
            path.unlink()
        work = _pull(account, sandbox.base_url)
    assert work.number == 1
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)


def test_a_damaged_reply_under_lost_columns_is_refused(account: Account) -> None:
    """Columns are made from nothing but replies that still have their hash."""
    with Sandbox([_book([call(1)])]) as sandbox:
        work = _pull(account, sandbox.base_url)
    (answer,) = work.accepted()
    path = account.replies.path(answer.sha256)
    whole = bytearray(path.read_bytes())
    whole[60] ^= 1
    path.write_bytes(whole)
    work.calls_path(answer.window).unlink()
    with pytest.raises(ArchiveError, match="damaged"):
        rebuild(account, work)


def test_columns_of_an_earlier_pull_are_a_hint_and_may_be_gone(account: Account) -> None:
    """Without or with damaged columns of last month, this month is pulled all the same."""
    november = parse_period("2026-11", BRISBANE, TODAY)
    calls = [call(n, november.start + n) for n in range(5)]
    with Sandbox([_book(calls)]) as sandbox:
        earlier = _pull(account, sandbox.base_url)
        (path,) = earlier.folder.glob("calls/*.parquet")
        for damage in (path.write_bytes, lambda _: path.unlink()):
            damage(b"PAR1 no more")
            work = _pull(account, sandbox.base_url, november)
            assert _measured(work, november).calls == 5


# --- the rest -------------------------------------------------------------------------------


@pytest.mark.parametrize("in_flight", [1, 2, 4])
@pytest.mark.usefixtures("_small_replies")
def test_any_number_of_requests_in_flight_gives_the_same_month(
    account: Account, in_flight: int
) -> None:
    """One lane or four, with failures: the same calls, and progress that ends at the whole."""
    calls = _spread(2_000)
    looks: list[Look] = []
    faults = random_faults(0.2, 9)
    with Sandbox([_book(calls)], order="shuffled", faults=faults, latency=0.002) as sandbox:
        work = _pull(
            account,
            sandbox.base_url,
            patience=STUBBORN,
            in_flight=in_flight,
            progress=looks.append,
        )
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)
    assert looks[-1].settled == looks[-1].total == PERIOD.end - PERIOD.start
    assert looks[-1].calls == 2_000
    assert [look.requests for look in looks] == list(range(1, len(looks) + 1))
    settled = [look.settled for look in looks]
    assert settled == sorted(settled)


def test_a_connection_that_cannot_be_made_ends_the_pull(account: Account) -> None:
    """Whatever a lane meets comes to the caller, and the other lane does not wait for ever."""

    def connect() -> Carrier:
        raise Refused("no key")

    with pytest.raises(Refused, match="no key"):
        pull(account, PERIOD, _asked(), connect=connect, now=lambda: NOW)


@pytest.mark.usefixtures("_small_replies")
def test_what_is_written_down_says_what_was_asked_and_what_came(account: Account) -> None:
    """Each window's file has its span, count, reply, tries and echo; the reply is that reply."""
    calls = _spread(1_000)
    with Sandbox([_book(calls)]) as sandbox:
        work = _pull(account, sandbox.base_url)
    for answer in work.answers():
        body = json.loads(account.replies.read(answer.sha256))
        assert body["count"] == answer.count == len(body["calls"] or ())
        assert answer.echo == (body["starttime"], body["endtime"], body["timezone"])
        assert answer.echo[0] == local(answer.window.start)
        assert (answer.tries, answer.asked_at) == (1, NOW)
        assert answer.verdict == (FULL if answer.count >= 300 else ACCEPTED)
    windows = sorted(answer.window for answer in work.accepted())
    assert windows[0].start == PERIOD.start
    assert windows[-1].end == PERIOD.end
    assert all(a.end == b.start for a, b in pairwise(windows))


def test_costs_of_every_kind_add_up_to_the_last_digit(account: Account) -> None:
    """Numbers and texts, four and six decimals, credits, and costs that cannot be read."""
    costs: list[Any] = ["0.0275", 0.05, 1, "-0.25", "0.000001", "12345678.123456", "free", None]
    calls = [call(n, OCTOBER + n, cost=cost) for n, cost in enumerate(costs)]
    with Sandbox([_book(calls)]) as sandbox:
        work = _pull(account, sandbox.base_url)
    assert _measured(work).cost == Decimal("12345678.950957")
    assert _measured(work).calls == len(costs)


def test_two_windows_are_never_asked_in_a_second_pull_of_a_small_month(account: Account) -> None:
    """A month that grew a little since is still one request, and has its new call."""
    calls = _spread(100)
    with Sandbox([_book(calls)]) as sandbox:
        _pull(account, sandbox.base_url)
    calls.append(call(5_555, OCTOBER + 99))
    with Sandbox([_book(calls)]) as sandbox:
        work = _pull(account, sandbox.base_url)
        assert _spans(sandbox) == [(PERIOD.start, PERIOD.end)]
    assert work.number == 2
    assert _measured(work) == truth(calls, PERIOD.start, PERIOD.end)
    assert Window(PERIOD.start, PERIOD.end) == work.accepted()[0].window
