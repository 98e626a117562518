"""Cross-checks: a carrier that lies in one way is caught by asking in another, and named."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from carriers import BRISBANE, IMPATIENT, KEY, OCTOBER, SYDNEY, call
from workspaces import Fickle, is_asked_for, with_body

from maxo_reports import carrier as carrier_module
from maxo_reports import crosscheck
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Account, Asked
from maxo_reports.carrier import Carrier, Secret
from maxo_reports.core.checks import Check, Depth
from maxo_reports.core.period import BillingPeriod, parse_period
from maxo_reports.crosscheck import compare
from maxo_reports.errors import Garbled, Refused, TooDense, Unreachable
from maxo_reports.pull import pull
from maxo_reports.sandbox.answers import Answer

PERIODS = {zone: parse_period("2026-10", zone, date(2026, 11, 20)) for zone in (BRISBANE, SYDNEY)}
CHARGES = "Charged calls asked alone (chargesOnly) = charged calls pulled"
CONNECTED = "Connected calls asked alone (connectedOnly) are among the calls"
ROWS = "Calls asked as CSV = calls pulled, row by row"


def month(zone: str = SYDNEY, count: int = 40) -> list[dict[str, Any]]:
    """Make calls of October: every third free, every fourth not connected, one credit."""
    return [
        call(
            n,
            OCTOBER + n * 60_000,
            zone=zone,
            cost="0" if n % 3 == 0 else "-0.35" if n == 7 else f"0.{n:04}",
            status="No Answer." if n % 4 == 0 else "Connected.",
            duration=n,
        )
        for n in range(1, count + 1)
    ]


class Bench:
    """A pulled month, and the carrier that is asked again."""

    def __init__(self, folder: Path, zone: str, calls: list[dict[str, Any]]) -> None:
        self.zone, self.period = zone, PERIODS[zone]
        self.account = Account(folder / "archive")
        self.sandbox = Fickle(calls, zone)

    def connect(self) -> Carrier:
        """Connect with little patience."""
        return Carrier(self.sandbox.base_url, Secret(KEY), patience=IMPATIENT)

    def pull(self) -> None:
        """Pull the month as the carrier gives it now."""
        period = self.period
        self.work = pull(
            self.account,
            period,
            Asked(period.start, period.end, period.zone, "127.0.0.1", carrier_module.LIMIT),
            connect=self.connect,
            now=lambda: period.end,
        )

    def compare(self, depth: Depth, period: BillingPeriod | None = None) -> tuple[Check, ...]:
        """Ask again in other ways."""
        paths = [self.work.calls_path(answer.window) for answer in self.work.accepted()]
        period = period or self.period
        with closing(CallStore(paths, period)) as calls, self.connect() as carrier:
            found, self.kept = compare(depth, carrier, self.account.replies, calls, period)
        return found

    def failed(self, depth: Depth = "full") -> dict[str, tuple[str, str]]:
        """Return what was expected and found by each check that failed."""
        return {c.title: (c.expected, c.found) for c in self.compare(depth) if not c.passed}

    def ways(self) -> list[str]:
        """Return the filters of every request so far."""
        return [" ".join(each.filters) for each in self.sandbox.asked]


@pytest.fixture(params=[SYDNEY, BRISBANE])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Pull an honest month in each of two zones."""
    bench = Bench(tmp_path, request.param, month(request.param))
    with bench.sandbox:
        bench.pull()
        yield bench


def bending(what: str, change: Callable[[bytes], bytes]) -> Callable[[Answer], Answer]:
    """Return a lie told to one kind of request only."""
    return lambda answer: with_body(answer, change) if is_asked_for(answer, what) else answer


def calls_of(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[bytes], bytes]:
    """Return a change of a JSON reply's calls, with a count that agrees."""

    def changed(body: bytes) -> bytes:
        reply = json.loads(body)
        reply["calls"] = reply["calls"] or []
        change(reply["calls"])
        reply["count"] = len(reply["calls"])
        return json.dumps(reply).encode()

    return changed


def rows_of(change: Callable[[list[list[str]]], object]) -> Callable[[bytes], bytes]:
    """Return a change of a CSV reply's rows."""

    def changed(body: bytes) -> bytes:
        rows = list(csv.reader(io.StringIO(body.decode())))
        change(rows)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()

    return changed


# --- how deep ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depth", "ways", "titles"),
    [
        ("none", [], []),
        ("light", ["chargesOnly=1 outputFormat=json"], [CHARGES]),
        (
            "full",
            [
                "chargesOnly=1 outputFormat=json",
                "connectedOnly=1 outputFormat=json",
                "outputFormat=csv showHeadings=1",
            ],
            [CHARGES, CONNECTED, ROWS],
        ),
    ],
)
def test_each_depth_asks_just_what_it_says(
    bench: Bench, depth: Depth, ways: list[str], titles: list[str]
) -> None:
    """None asks nothing, light one way, full three; an honest carrier passes all."""
    before = len(bench.sandbox.asked)
    found = bench.compare(depth)
    assert bench.ways()[before:] == ways
    assert [check.title for check in found] == titles
    assert all(check.passed for check in found)
    for asked in bench.sandbox.asked[before:]:
        assert (asked.start, asked.end) == (bench.period.start, bench.period.end)
        assert not asked.key_in_url


def test_the_figures_of_a_passed_check_are_the_months_own(bench: Bench) -> None:
    """What agrees is written out: as many charged calls, the same dollars, credits among them."""
    charged = [Decimal(each["cost"]) for each in month() if Decimal(each["cost"])]
    (check,) = bench.compare("light")
    total = sum(charged).normalize()
    assert check.expected == check.found == f"{len(charged)} calls, ${total}"


def test_a_month_without_calls_agrees_in_every_way(tmp_path: Path) -> None:
    """Nothing, no row and an empty CSV are the same month."""
    bench = Bench(tmp_path, SYDNEY, [])
    with bench.sandbox:
        bench.pull()
        assert bench.failed() == {}


# --- the liars -----------------------------------------------------------------------------


def test_a_row_that_a_reply_leaves_out_is_missed_by_its_charge(bench: Bench) -> None:
    """The count agrees with what the reply holds, but the charges alone know one call more."""
    bench.sandbox.bend = bending("plain", calls_of(lambda calls: calls.pop(4)))
    bench.pull()
    bench.sandbox.bend = lambda answer: answer
    assert bench.work.accepted()[0].count == 39
    lost = next(each for each in month() if each["callid"] == 5)
    assert lost["cost"] == "0.0005"
    failed = bench.failed("light")
    assert list(failed) == [CHARGES]
    expected, found = failed[CHARGES]
    assert (int(expected.split()[0]), int(found.split()[0])) == (26, 27)
    assert list(bench.failed("full")) == [CHARGES, CONNECTED, ROWS]


def test_a_free_connected_call_that_is_left_out_is_known_by_connected_only(bench: Bench) -> None:
    """It costs nothing, so charges agree; asked for connected calls, the carrier names it."""
    bench.sandbox.bend = bending("plain", calls_of(lambda calls: calls.pop(2)))
    bench.pull()
    bench.sandbox.bend = lambda answer: answer
    assert bench.failed("light") == {}
    assert bench.failed() == {
        CONNECTED: ("0 unknown", "1 unknown"),
        ROWS: (
            "0 missing, 0 different, 0 more",
            "0 missing, 0 different, 1 more",
        ),
    }


LIES: list[tuple[str, Callable[[bytes], bytes], str, str]] = [
    (
        "chargesOnly",
        calls_of(lambda calls: calls[0].update(cost="0.0002")),
        CHARGES,
        "27 calls, $-0.2959",
    ),
    ("chargesOnly", calls_of(lambda calls: calls.clear()), CHARGES, "0 calls, $0.00"),
    ("chargesOnly", calls_of(lambda calls: calls.append(calls[0] | {"callid": 999})), CHARGES, ""),
    (
        "connectedOnly",
        calls_of(lambda calls: calls.append(calls[0] | {"callid": 999})),
        CONNECTED,
        "1 unknown",
    ),
    ("csv", rows_of(lambda rows: rows.pop(3)), ROWS, "1 missing, 0 different, 0 more"),
    (
        "csv",
        rows_of(lambda rows: rows.append(["999", *rows[-1][1:]])),
        ROWS,
        "0 missing, 0 different, 1 more",
    ),
    *(
        (
            "csv",
            rows_of(lambda rows, at=at, text=text: rows[5].__setitem__(at, text)),
            ROWS,
            "0 missing, 1 different, 0 more",
        )
        for at, text in (
            (2, str(OCTOBER + 1)),
            (3, "OUT"),
            (4, "0491570007"),
            (5, "0755500141"),
            (7, "1800 Incoming"),
            (8, "Busy."),
            (9, "61"),
            (10, "0.0006"),
        )
    ),
]


@pytest.mark.parametrize("lie", range(len(LIES)))
def test_each_lie_is_caught_and_named(tmp_path: Path, lie: int) -> None:
    """One answer bent in one place: just the check that looks there fails, and says how."""
    what, change, title, found = LIES[lie]
    bench = Bench(tmp_path, SYDNEY, month())
    with bench.sandbox:
        bench.pull()
        bench.sandbox.bend = bending(what, change)
        failed = bench.failed()
    assert list(failed) == [title]
    assert found in failed[title][1]


def test_a_filter_that_returns_too_much_is_no_lie(bench: Bench) -> None:
    """Free calls among the charged, and calls of another time, are left out of the sums."""
    spare = call(900, OCTOBER + 5, zone=bench.zone, cost="0", status="Busy.")
    astray = call(901, bench.period.end, zone=bench.zone, cost="9")
    bench.sandbox.bend = bending("chargesOnly", calls_of(lambda c: c.extend((spare, astray))))
    assert bench.failed("light") == {}


def test_what_two_forms_write_differently_is_no_other_call(tmp_path: Path) -> None:
    """Space around a text, null, numbers as text: CSV and JSON mean the same call."""
    odd = [
        call(1, OCTOBER, zone=SYDNEY, inboundrate="Incoming "),
        call(2, OCTOBER, zone=SYDNEY, inboundrate=" Incoming", status="Connected. "),
        call(3, OCTOBER, zone=SYDNEY, cost=None),
        call(4, OCTOBER, zone=SYDNEY, cost=0.05, duration="7"),
        call(5, OCTOBER, zone=SYDNEY, origin=491570006, direction="IN "),
        call(6, OCTOBER, zone=SYDNEY, origin=None, status=None, duration=None),
        call(7, OCTOBER, zone=SYDNEY, inboundrate='a "quoted", text\nof two lines'),
        call("a-8", OCTOBER, zone=SYDNEY, inboundrate="=HYPERLINK(1)", cost="free"),
        call(9, OCTOBER, zone=SYDNEY, inboundrate=None, rate=None),
    ]
    bench = Bench(tmp_path, SYDNEY, odd)
    with bench.sandbox:
        bench.pull()
        assert bench.failed() == {}


# --- no answer -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "change", "kind"),
    [
        ("chargesOnly", lambda body: body[:-9], Garbled),
        ("chargesOnly", lambda body: body.replace(b'"count":', b'"count":1'), Garbled),
        ("chargesOnly", lambda body: body.replace(b"2026-10-01 00", b"2026-10-01 01"), Garbled),
        ("connectedOnly", lambda body: body.replace(b"Australia", b"Antarctica"), Refused),
        ("csv", lambda body: body.replace(b"cost", b"price", 1), Garbled),
        ("csv", lambda body: body[: len(body) // 2], Garbled),
        ("csv", lambda _: b"<html>We will be back soon</html>", Garbled),
    ],
)
def test_an_answer_that_breaks_the_rules_is_none(
    bench: Bench, what: str, change: Callable[[bytes], bytes], kind: type[Exception]
) -> None:
    """It is asked for again, and in the end the run stops: no answer is no agreement."""
    bench.sandbox.bend = bending(what, change)
    with pytest.raises(kind):
        bench.compare("full")


def test_a_carrier_that_is_away_is_no_agreement(bench: Bench) -> None:
    """Out of reach: the error goes on to the caller."""
    bench.sandbox.close()
    with pytest.raises(Unreachable):
        bench.compare("light")


def test_every_answer_is_kept_as_evidence(bench: Bench) -> None:
    """Each reply of a cross-check is in the archive under its hash, byte for byte."""
    bodies = []

    def note(answer: Answer) -> Answer:
        bodies.append(answer.body)
        return answer

    bench.sandbox.bend = note
    bench.compare("full")
    assert len(bodies) == 3
    names = [hashlib.sha256(body).hexdigest() for body in bodies]
    assert bench.kept == tuple(sorted(names))
    for body, name in zip(bodies, names, strict=True):
        path = bench.account.replies.path(name)
        assert gzip.decompress(path.read_bytes()) == body


# --- more calls than one reply holds -------------------------------------------------------


@pytest.fixture
def _small_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for 20 calls at most, so that a small month has many windows."""
    monkeypatch.setattr(carrier_module, "LIMIT", 20)
    monkeypatch.setattr(crosscheck, "LIMIT", 20)


@pytest.mark.usefixtures("_small_replies")
def test_a_busy_month_is_asked_in_spans_that_fit(tmp_path: Path) -> None:
    """Spans tile the period, each reply is whole, and a call too many is still found."""
    calls = month(count=43)
    bench = Bench(tmp_path, SYDNEY, calls)
    with bench.sandbox:
        bench.pull()
        before = len(bench.sandbox.asked)
        assert bench.failed() == {}
        for what in ("chargesOnly=1", "connectedOnly=1", "outputFormat=csv"):
            spans = sorted(
                (asked.start, asked.end)
                for asked in bench.sandbox.asked[before:]
                if what in asked.filters and asked.count < 20
            )
            assert len(spans) > 1
            assert spans[0][0] == bench.period.start
            assert spans[-1][1] == bench.period.end
            assert all(one[1] == two[0] for one, two in pairwise(spans))
        bench.sandbox.hold([*calls, call(999, OCTOBER + 1, zone=SYDNEY)])
        assert list(bench.failed()) == [CHARGES, CONNECTED, ROWS]


@pytest.mark.usefixtures("_small_replies")
def test_calls_that_came_meanwhile_are_split_and_found(tmp_path: Path) -> None:
    """A span that was thought to fit and is full is halved, down to one second if need be."""
    bench = Bench(tmp_path, SYDNEY, month(count=12))
    crowd = [call(1000 + n, OCTOBER + 3600 + n, zone=SYDNEY) for n in range(60)]
    with bench.sandbox:
        bench.pull()
        bench.sandbox.hold([*month(count=12), *crowd])
        failed = bench.failed()
        assert failed[ROWS][1] == "0 missing, 0 different, 60 more"
        assert failed[CONNECTED][1] == "60 unknown"
        crowd = [each | {"unixtime": OCTOBER} for each in crowd]
        bench.sandbox.hold(crowd)
        with pytest.raises(TooDense, match=str(OCTOBER)):
            bench.compare("light")
