"""The sandbox: over real HTTP it answers, refuses and fails as the carrier would."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import requests

from maxo_reports.sandbox import FAULTS, HEADINGS, Asked, Book, Order, Sandbox, random_faults
from maxo_reports.sandbox import server as module

DENTAL = Path(__file__).parents[1] / "samples" / "wattle-lane-dental"
KEY = "sandbox-key"
START = 1_790_776_800
"""2026-10-01 00:00:00 in Brisbane."""


def _call(number: int, moment: int, **odd: object) -> dict[str, object]:
    local = datetime.fromtimestamp(moment, ZoneInfo("Australia/Brisbane"))
    return {
        "callid": number,
        "recording": 0,
        "statid": number + 7,
        "datetime": f"{local:%Y-%m-%d %H:%M:%S}",
        "unixtime": moment,
        "direction": "IN",
        "origin": "0491570006",
        "destination": "0755500140/PBX",
        "rate": "",
        "inboundrate": "Incoming",
        "status": "Connected.",
        "duration": 60,
        "cost": "0.25",
        **odd,
    }


def _book(calls: Sequence[Mapping[str, object]], **more: Any) -> Book:
    return Book.from_calls(calls, timezone="Australia/Brisbane", **more)


def _ten() -> Book:
    return _book([_call(i, START + i) for i in range(10)])


def _post(sandbox: Sandbox, **parameters: object) -> requests.Response:
    form = {"key": KEY, "startTime": START, "endTime": START + 100, **parameters}
    return requests.post(sandbox.base_url + "calls/list", data=form, timeout=10)


def _ids(response: requests.Response) -> list[int]:
    assert response.status_code == 200, response.text
    return [call["callid"] for call in response.json()["calls"] or ()]


def _faulty(fault: str, book: Book | None = None) -> Sandbox:
    """Commit one fault on the first request, and none later."""
    return Sandbox([book or _ten()], faults=lambda n: fault if n == 0 else None)


@pytest.fixture
def ten() -> Iterator[Sandbox]:
    """Serve ten calls, one a second."""
    with Sandbox([_ten()]) as sandbox:
        yield sandbox


def test_a_reply_is_written_exactly_as_documented(ten: Sandbox) -> None:
    """The whole reply of one call, byte for byte in PHP's style."""
    assert _post(ten, endTime=START + 1).content == (
        b'{"status":1,"request":"calls\\/list","timezone":"Australia\\/Brisbane",'
        b'"offset":"+10:00","starttime":"2026-10-01 00:00:00","endtime":"2026-10-01 00:00:01",'
        b'"count":1,"calls":[{"callid":0,"recording":0,"statid":7,'
        b'"datetime":"2026-10-01 00:00:00","unixtime":1790776800,"direction":"IN",'
        b'"origin":"0491570006","destination":"0755500140\\/PBX","rate":"",'
        b'"inboundrate":"Incoming","status":"Connected.","duration":60,"cost":"0.25"}]}'
    )


def test_no_calls_are_a_count_of_0_and_null(ten: Sandbox) -> None:
    """An empty span, also one of no length, is a success with calls null."""
    for start, end in ((START + 50, START + 60), (START + 3, START + 3)):
        reply = _post(ten, startTime=start, endTime=end)
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.content.endswith(b'"count":0,"calls":null}')


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(3, 6, [3, 4, 5]), (3, 4, [3]), (-5, 1, [0]), (9, 10, [9]), (9, 9, []), (10, 99, [])],
)
def test_the_span_is_half_open(ten: Sandbox, start: int, end: int, expected: list[int]) -> None:
    """A call at the start belongs to the span, a call at the end does not."""
    assert _ids(_post(ten, startTime=START + start, endTime=START + end)) == expected


def test_every_committed_reply_is_served_byte_for_byte() -> None:
    """Asked for a sample's own windows, the sandbox gives back the sample's own files."""
    book = Book.load(DENTAL)
    with Sandbox([book]) as sandbox, requests.Session() as session:
        for path in sorted((DENTAL / "replies").iterdir()):
            kept = path.read_bytes()
            reply = json.loads(kept)
            span = {"startTime": reply["starttime"], "endTime": reply["endtime"]}
            got = session.post(sandbox.base_url + "calls/list", data={"key": book.key, **span})
            assert got.content == kept, path.name


def test_the_offset_is_the_one_at_the_start() -> None:
    """Over a change of clocks the reply shows the offset of the start."""
    book = Book.load(DENTAL)
    with Sandbox([book]) as sandbox:
        span = {"startTime": "2026-10-04 01:59:59", "endTime": "2026-10-04 03:00:01"}
        reply = _post(sandbox, key=book.key, **span).json()
    assert (reply["offset"], reply["count"]) == ("+10:00", 2)
    assert (reply["starttime"], reply["endtime"]) == tuple(span.values())


@pytest.mark.parametrize(
    "text",
    [
        str(START + 3),
        "2026-10-01 00:00:03",
        "2026-10-01T00:00:03",
        "2026-10-01T00:00:03+10:00",
        "2026-09-30T14:00:03Z",
        "Thu, 01 Oct 2026 00:00:03 +1000",
        "Wed, 30 Sep 2026 14:00:03 GMT",
        "Wed, 30 Sep 2026 14:00:03 -0000",
    ],
)
def test_a_moment_may_be_written_in_many_ways(ten: Sandbox, text: str) -> None:
    """Unix seconds, ISO and mail dates all name the same second, local where no zone is given."""
    reply = _post(ten, startTime=text)
    assert _ids(reply)[0] == 3
    assert reply.json()["starttime"] == "2026-10-01 00:00:03"
    assert ten.asked[0].start == START + 3


@pytest.mark.parametrize("path", ["calls/list", "calls/list/"])
def test_get_form_and_json_are_answered_alike(ten: Sandbox, path: str) -> None:
    """Parameters may stand in the URL, in a form or in a JSON object."""
    span = {"startTime": str(START + 2), "endTime": str(START + 5)}
    sent = {"key": KEY, **span, "limit": "2"}
    url = ten.base_url + path
    answers = [
        requests.get(url, params=sent, timeout=10),
        requests.post(url, data=sent, timeout=10),
        requests.post(url, json={**sent, "chargesOnly": True, "outputFormat": None}, timeout=10),
    ]
    assert [_ids(answer) for answer in answers] == [[2, 3]] * 3
    assert [(a.method, a.key_in_url) for a in ten.asked] == [
        ("GET", True),
        ("POST", False),
        ("POST", False),
    ]


@pytest.mark.parametrize(
    ("order", "expected"), [("oldest", [0, 1, 2]), ("newest", [9, 8, 7]), ("shuffled", None)]
)
def test_the_limit_cuts_after_ordering(order: Order, expected: list[int] | None) -> None:
    """Which calls a limit cuts off depends on the order, and the count does not tell."""
    with Sandbox([_ten()], order=order, seed=4) as sandbox:
        reply = _post(sandbox, limit=3)
        found, whole = _ids(reply), _ids(_post(sandbox))
        assert reply.json()["count"] == 3
        assert sorted(whole) == list(range(10))
        assert found == (expected or whole[:3])
        assert found == _ids(_post(sandbox, limit=3))
    if order == "shuffled":
        assert whole not in (sorted(whole), sorted(whole, reverse=True))


def test_the_limit_is_10000_by_default() -> None:
    """A span of more calls is cut at 10,000 without a word."""
    calls = [_call(i, START) for i in range(10_001)]
    with Sandbox([_book(calls)]) as sandbox:
        reply = _post(sandbox)
        assert reply.json()["count"] == len(_ids(reply)) == 10_000
        assert [asked.limit for asked in sandbox.asked] == [10_000]


def test_filters_come_before_the_limit() -> None:
    """Only charged or only connected calls: the limit counts what is left of them."""
    costs: list[object] = ["0.00", "0.25", 0, 0.05, "-0.25", None, "0", "by hand"]
    calls = [_call(i, START + i, cost=cost) for i, cost in enumerate(costs)]
    calls += [_call(8, START + 8, status="No Answer."), _call(9, START + 9, status="Busy.")]
    with Sandbox([_book(calls)]) as sandbox:
        assert _ids(_post(sandbox, chargesOnly=1)) == [1, 3, 4, 7, 8, 9]
        assert _ids(_post(sandbox, chargesOnly=1, limit=2)) == [1, 3]
        assert _ids(_post(sandbox, connectedOnly=1)) == list(range(8))
        assert _ids(_post(sandbox, connectedOnly=1, chargesOnly=1)) == [1, 3, 4, 7]
        assert _ids(_post(sandbox, connectedOnly=0, chargesOnly=0)) == list(range(10))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60, "00h 01m 00s"), (0, "00h 00m 00s"), (36_061, "10h 01m 01s"), (None, "00h 00m 00s")],
)
def test_human_readable_adds_the_duration_in_words(seconds: int | None, text: str) -> None:
    """The switch adds duration_hr behind duration, in JSON and in CSV, and not without it."""
    with Sandbox([_book([_call(1, START, duration=seconds)])]) as sandbox:
        plain = _post(sandbox).json()["calls"][0]
        call = _post(sandbox, humanReadable=1).json()["calls"][0]
        assert call.pop("duration_hr") == text
        assert call == plain
        assert text in _post(sandbox, humanReadable=1, outputFormat="csv").text


def test_waiting_for_active_calls_is_accepted(ten: Sandbox) -> None:
    """There are no active calls here, so the switch changes nothing."""
    assert _ids(_post(ten, waitForActiveCalls=1)) == list(range(10))


def test_csv_and_json_agree() -> None:
    """The CSV holds the fields of the JSON, in the order of the API page's table."""
    calls = [_call(1, START, origin='Smith, "Jo"'), _call(2, START + 1, cost=0.05, statid=None)]
    with Sandbox([_book(calls)]) as sandbox:
        reply = _post(sandbox, outputFormat="csv", showHeadings=1)
        records = _post(sandbox).json()["calls"]
        bare = _post(sandbox, outputFormat="csv").text
    assert reply.headers["Content-Type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert list(rows[0]) == [name for name in HEADINGS.split(",") if name != "duration_hr"]
    for row, call in zip(rows, records, strict=True):
        assert row == {name: "" if call[name] is None else str(call[name]) for name in row}
    assert bare == reply.text.partition("\n")[2]


def test_csv_headings_follow_the_api_page(ten: Sandbox) -> None:
    """With the readable duration all fourteen fields of the page's table are there."""
    reply = _post(ten, outputFormat="csv", showHeadings=1, humanReadable=1)
    assert reply.text.splitlines()[0] == HEADINGS
    assert HEADINGS.count(",") == 13


def test_csv_of_no_calls_is_empty(ten: Sandbox) -> None:
    """No calls make a file of no bytes, with or without headings."""
    for headings in (0, 1):
        reply = _post(ten, startTime=0, endTime=9, outputFormat="csv", showHeadings=headings)
        assert (reply.status_code, reply.content) == (200, b"")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"key": None}, "API key is required"),
        ({"key": ""}, "API key is required"),
        ({"startTime": None}, "startTime is required"),
        ({"endTime": ""}, "endTime is required"),
        ({"startTime": "soon"}, "startTime cannot be read"),
        ({"endTime": "0000-01-01"}, "endTime cannot be read"),
        ({"startTime": "1960-01-01"}, "startTime cannot be read"),
        ({"endTime": START - 1}, "endTime is before startTime"),
        ({"limit": 0}, "limit must be 1 to 10000"),
        ({"limit": 10_001}, "limit must be 1 to 10000"),
        ({"limit": "all"}, "limit must be 1 to 10000"),
        ({"outputFormat": "xml"}, "outputFormat must be json or csv"),
        ({"chargesOnly": "yes"}, "chargesOnly must be 0 or 1"),
    ],
)
def test_a_bad_parameter_is_a_validation_error(
    ten: Sandbox, changed: dict[str, object], reason: str
) -> None:
    """What is missing or cannot be read is refused with HTTP 400 and a reason."""
    reply = _post(ten, **changed)
    assert reply.status_code == 400
    assert reply.json() == {
        "status": 0,
        "request": "calls/list",
        "error": "VALIDATION",
        "reason": reason,
    }
    assert (ten.asked[0].status, ten.asked[0].start, ten.asked[0].limit) == (400, None, None)


@pytest.mark.parametrize("body", [b"{", b"[1]", b"", b"[" * 100_000])
def test_a_json_body_must_be_an_object(ten: Sandbox, body: bytes) -> None:
    """A JSON body that is no object is refused, and the connection stays in order."""
    headers = {"Content-Type": "application/json"}
    reply = requests.post(ten.base_url + "calls/list", data=body, headers=headers, timeout=10)
    assert (reply.status_code, reply.json()["error"]) == (400, "VALIDATION")


def test_a_wrong_key_is_an_authentication_error(ten: Sandbox) -> None:
    """An unknown key gets the real carrier's answer, which does not name the request."""
    reply = _post(ten, key="wrong")
    assert reply.status_code == 401
    assert reply.content == b'{"status":0,"error":"AUTHENTICATION","reason":"Invalid API Key"}'


def test_a_key_without_permission_is_forbidden() -> None:
    """A key that may not read the call history gets HTTP 403."""
    with Sandbox([_book([], permitted=False)]) as sandbox:
        reply = _post(sandbox)
    assert (reply.status_code, reply.json()["error"]) == (403, "PERMISSION")


@pytest.mark.parametrize(
    ("path", "request_text", "reason"),
    [
        ("", "/", "A method must be supplied "),
        ("calls/active", "calls/active", "Unknown method"),
        ("calls", "calls", "Unknown method"),
    ],
)
def test_another_path_is_an_invalid_method(
    ten: Sandbox, path: str, request_text: str, reason: str
) -> None:
    """Whatever is not calls/list gets HTTP 404 and the documented error."""
    reply = requests.get(ten.base_url + path, timeout=10)
    assert reply.status_code == 404
    assert reply.json() == {
        "status": 0,
        "request": request_text,
        "error": "INVALID METHOD",
        "reason": reason,
    }


def test_a_body_without_a_length_is_refused(ten: Sandbox) -> None:
    """A chunked request is not read; the connection is closed so that nothing is mistaken."""
    reply = requests.post(ten.base_url + "calls/list", data=iter([b"key=1"]), timeout=10)
    assert (reply.status_code, reply.headers["Connection"]) == (400, "close")


def test_a_body_that_is_too_long_is_not_read(ten: Sandbox) -> None:
    """More than a million bytes are refused by their announcement alone."""
    connection = http.client.HTTPConnection("127.0.0.1", int(ten.base_url[17:-1]), timeout=10)
    connection.putrequest("POST", "/calls/list")
    connection.putheader("Content-Length", "1000001")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_each_key_opens_its_own_book() -> None:
    """Two accounts are served side by side, each in its own zone."""
    other = Book.from_calls([_call(77, START)], timezone="Australia/Perth", key="other")
    with Sandbox([_ten(), other]) as sandbox:
        assert len(_ids(_post(sandbox))) == 10
        reply = _post(sandbox, key="other").json()
    assert (reply["calls"][0]["callid"], reply["offset"]) == (77, "+08:00")
    with pytest.raises(ValueError, match="same key"):
        Sandbox([_ten(), _ten()])


def test_one_connection_serves_many_requests(ten: Sandbox) -> None:
    """Connections are kept alive over successes, refusals and empty bodies."""
    connection = http.client.HTTPConnection("127.0.0.1", int(ten.base_url[17:-1]), timeout=10)
    used = set()
    for path in ("/calls/list?key=x", "/", f"/calls/list?key={KEY}&startTime=1&endTime=2"):
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        assert response.version == 11
        assert int(response.headers["Content-Length"]) == len(body)
        used.add(connection.sock.getsockname())
    connection.close()
    assert len(used) == 1


def test_gzip_is_used_where_it_is_accepted_and_worth_it(ten: Sandbox) -> None:
    """A body over one kilobyte is compressed for clients that accept it, others are not."""
    url = f"{ten.base_url}calls/list?key={KEY}&startTime={START}&endTime="
    for end, accepted, packed in (
        (START + 9, "gzip", True),
        (START + 9, "identity", False),
        (START + 1, "gzip", False),
    ):
        headers = {"Accept-Encoding": accepted}
        reply = requests.get(f"{url}{end}", headers=headers, stream=True, timeout=10)
        wire = reply.raw.read(decode_content=False)
        assert (reply.headers.get("Content-Encoding") == "gzip") is packed
        assert int(reply.headers["Content-Length"]) == len(wire)
        assert json.loads(gzip.decompress(wire) if packed else wire)["count"] == end - START


def test_odd_records_are_served_as_they_are() -> None:
    """Numbers for costs, nulls, other words and unknown fields all come through untouched."""
    odd: list[Mapping[str, object]] = [
        _call(1, START, cost=0.05, duration=None, direction="Sideways", extra={"a": [1]}),
        _call(2, START + 1, origin="Zoë / 東京", destination=None, unixtime=str(START + 1)),
        {**_call(3, START + 2), "callid": "x-3"},
        {"callid": None, "unixtime": START + 3},
    ]
    with Sandbox([_book(odd)]) as sandbox:
        reply = _post(sandbox)
        assert reply.json()["calls"] == odd
        assert b'"Zo\\u00eb \\/ \\u6771\\u4eac"' in reply.content
        assert _post(sandbox, outputFormat="csv", humanReadable=1).status_code == 200


def test_a_call_may_be_filed_anywhere() -> None:
    """A call without a unix time is filed by its local time, or where the test says."""
    local = {**_call(1, START), "unixtime": None}
    lost = {"callid": 2}
    with Sandbox([_book([local])]) as sandbox:
        assert _ids(_post(sandbox, endTime=START + 1)) == [1]
    with Sandbox([_book([lost, _call(3, 5)], place=lambda _: START + 5)]) as sandbox:
        assert _ids(_post(sandbox, startTime=START + 5)) == [2, 3]
    with pytest.raises(ValueError, match="place="):
        _book([lost])


def test_calls_are_sorted_by_time_and_then_by_number() -> None:
    """Ties in one second are in order of callid, as numbers; repeats given on purpose stay."""
    calls = [_call(n, START + s) for n, s in ((10, 1), (9, 1), (11, 0), (9, 1))]
    with Sandbox([_book(calls)]) as sandbox:
        assert _ids(_post(sandbox)) == [11, 9, 9, 10]


def _sample(folder: Path, replies: Mapping[str, object], **settings: object) -> Path:
    (folder / "replies").mkdir(parents=True)
    given: dict[str, object] = {
        "key": KEY,
        "account": "a",
        "name": "A",
        "timezone": "Australia/Brisbane",
        "period": "2026-10",
        "as_of": "2026-11-05T09:00:00+10:00",
        **settings,
    }
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items())
    (folder / "sample.toml").write_text(lines, encoding="utf-8")
    for name, reply in replies.items():
        (folder / "replies" / name).write_text(json.dumps(reply), encoding="utf-8")
    return folder


def test_loading_keeps_an_equal_call_once(tmp_path: Path) -> None:
    """The same record in two replies is kept once; one that differs is another record."""
    first = {"status": 1, "calls": [_call(1, START), _call(2, START + 1)]}
    again = {"status": 1, "calls": [_call(2, START + 1), _call(2, START + 1, cost="9.99")]}
    none = {"status": 1, "calls": None}
    book = Book.load(_sample(tmp_path, {"b.json": first, "a.json": again, "c.json": none}))
    assert [json.loads(row)["callid"] for row in book.rows] == [1, 2, 2]
    assert list(book.moments) == [START, START + 1, START + 1]
    assert (book.account, book.name, book.period) == ("a", "A", "2026-10")
    assert KEY not in repr(book)


def test_what_is_no_sample_is_not_loaded(tmp_path: Path) -> None:
    """A setting that is no text, or a file that is no reply, is named."""
    with pytest.raises(ValueError, match=r"sample\.toml: needs a text for as_of"):
        Book.load(_sample(tmp_path / "settings", {}, as_of=5))
    with pytest.raises(ValueError, match=r"x\.json: not a reply"):
        Book.load(_sample(tmp_path / "refused", {"x.json": {"status": 0}}))


def test_the_log_tells_what_was_asked_but_never_the_key(ten: Sandbox) -> None:
    """The log holds spans, limits, filters and outcomes; the key is nowhere in it."""
    _post(ten, limit=5, chargesOnly=1, outputFormat="csv", colour=KEY)
    requests.get(f"{ten.base_url}{KEY}?key={KEY}", timeout=10)
    first, second = ten.asked
    assert first == Asked(
        "POST",
        "/calls/list",
        START,
        START + 100,
        5,
        200,
        5,
        None,
        ("chargesOnly=1", "outputFormat=csv"),
    )
    assert (second.path, second.status, second.key_in_url) == ("/***", 404, True)
    assert KEY not in repr(ten.asked)


def test_nothing_is_printed(ten: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    """The usual log line of http.server would print the URL with the key; there is none."""
    requests.get(f"{ten.base_url}calls/list?key={KEY}", timeout=10)
    assert capfd.readouterr() == ("", "")


def test_the_log_is_bounded() -> None:
    """Only the last requests are kept, so that a sandbox may run for days."""
    with Sandbox([_ten()], log_limit=2) as sandbox:
        for limit in (1, 2, 3):
            _post(sandbox, limit=limit)
        assert [asked.limit for asked in sandbox.asked] == [2, 3]


def test_many_threads_are_answered_at_once() -> None:
    """Requests that each take a while are served side by side, and each is counted."""
    numbers: list[int] = []

    def note(number: int) -> None:
        numbers.append(number)

    with Sandbox([_ten()], latency=0.2, faults=note) as sandbox:
        threads = [threading.Thread(target=_post, args=(sandbox,)) for _ in range(16)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < 16 * 0.2
        assert len(sandbox.asked) == 16
    assert sorted(numbers) == list(range(16))


def test_a_closed_sandbox_is_gone() -> None:
    """After the with block the port is closed and kept connections are ended."""
    with Sandbox([_ten()]) as sandbox, requests.Session() as session:
        session.get(sandbox.base_url, timeout=10)
        sandbox.close()
        with pytest.raises(requests.ConnectionError):
            session.get(sandbox.base_url, timeout=10)


def test_serving_in_the_foreground_until_interrupted() -> None:
    """The command line's way to serve answers too, and closes when it is interrupted."""
    box = Sandbox([_ten()])
    thread = threading.Thread(target=box.serve_forever)
    thread.start()
    assert len(_ids(_post(box))) == 10
    box._server.shutdown()
    thread.join(10)
    assert box.closing.is_set()


# --- faults: what each does on the wire -------------------------------------------------------


def _wire(sandbox: Sandbox) -> bytes:
    """Send one request over a bare socket and return all that comes until the end."""
    query = urlencode({"key": KEY, "startTime": START, "endTime": START + 100})
    port = int(sandbox.base_url[17:-1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = f"GET /calls/list?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def _parts(wire: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = wire.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines), body


@pytest.fixture(scope="module")
def whole() -> bytes:
    """The body that the faulty requests below would have got."""
    with Sandbox([_ten()]) as sandbox:
        return _post(sandbox).content


@pytest.mark.parametrize(("fault", "status"), [("500", 500), ("503", 503), ("429", 429)])
def test_a_server_error_is_a_web_page(fault: str, status: int) -> None:
    """The three HTTP errors carry HTML, the third also Retry-After: 0; then all is well again."""
    with _faulty(fault) as sandbox:
        reply = _post(sandbox)
        assert (reply.status_code, reply.headers["Content-Type"]) == (status, "text/html")
        assert reply.headers.get("Retry-After") == ("0" if status == 429 else None)
        assert reply.text.startswith("<html>")
        assert len(_ids(_post(sandbox))) == 10
        assert [(a.status, a.count, a.fault) for a in sandbox.asked] == [
            (status, 0, fault),
            (200, 10, None),
        ]


def test_html_is_a_success_that_is_none() -> None:
    """A web page comes with HTTP 200."""
    with _faulty("html") as sandbox:
        reply = _post(sandbox)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/html")
    assert "<html>" in reply.text


def test_status0_is_a_success_that_says_no() -> None:
    """HTTP 200 carries status 0, an error and no calls."""
    with _faulty("status0") as sandbox:
        reply = _post(sandbox)
    assert reply.status_code == 200
    assert (reply.json()["status"], "calls" in reply.json()) == (0, False)


def test_reset_breaks_off_in_the_body() -> None:
    """The connection ends with a reset before the announced length."""
    with _faulty("reset") as sandbox:
        with pytest.raises(ConnectionResetError):
            _wire(sandbox)
        assert (sandbox.asked[0].status, sandbox.asked[0].fault) == (200, "reset")
    with _faulty("reset") as sandbox, pytest.raises(requests.RequestException):
        _post(sandbox)


def test_cut_announces_more_than_it_sends(whole: bytes) -> None:
    """Half of the body comes where the whole was announced."""
    with _faulty("cut") as sandbox:
        headers, body = _parts(_wire(sandbox))
    assert int(headers["Content-Length"]) == len(whole)
    assert body == whole[: len(whole) // 2]
    with _faulty("cut") as sandbox, pytest.raises(requests.RequestException):
        _post(sandbox)


def test_cut_chunked_never_sends_the_last_chunk(whole: bytes) -> None:
    """One whole chunk comes, but not the empty one that ends a body."""
    with _faulty("cut-chunked") as sandbox:
        headers, body = _parts(_wire(sandbox))
    half = whole[: len(whole) // 2]
    assert headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in headers
    assert body == b"%X\r\n%b\r\n" % (len(half), half)
    with _faulty("cut-chunked") as sandbox, pytest.raises(requests.RequestException):
        _post(sandbox)


def test_cut_close_shows_nothing_wrong_in_its_framing(whole: bytes) -> None:
    """Without a length, the end of the connection is the end of the body: only JSON can tell."""
    with _faulty("cut-close") as sandbox:
        headers, body = _parts(_wire(sandbox))
    assert headers["Connection"] == "close"
    assert not {"Content-Length", "Transfer-Encoding"} & headers.keys()
    assert body == whole[: len(whole) // 2]


def test_cut_gzip_is_framed_well_but_not_compressed_to_the_end() -> None:
    """The length is that of what is sent, which is half of a gzip stream."""
    with _faulty("cut-gzip") as sandbox:
        headers, body = _parts(_wire(sandbox))
    assert headers["Content-Encoding"] == "gzip"
    assert int(headers["Content-Length"]) == len(body)
    with pytest.raises(EOFError):
        gzip.decompress(body)


def test_cut_json_is_framed_well_but_not_json(whole: bytes) -> None:
    """Half of the JSON comes as if it were all."""
    with _faulty("cut-json") as sandbox:
        reply = _post(sandbox)
    assert reply.content == whole[: len(whole) // 2]
    with pytest.raises(ValueError):
        reply.json()


def test_wrong_count_counts_one_too_many() -> None:
    """The count differs from the calls, also where there are none."""
    with Sandbox([_ten()], faults=lambda _: "wrong-count") as sandbox:
        reply = _post(sandbox).json()
        assert (reply["count"], len(reply["calls"])) == (11, 10)
        none = _post(sandbox, startTime=1, endTime=2).json()
        assert (none["count"], none["calls"]) == (1, None)


def test_wrong_span_echoes_another_start() -> None:
    """The echoed start is one hour off; the calls are right."""
    with _faulty("wrong-span") as sandbox:
        reply = _post(sandbox).json()
    assert (reply["starttime"], reply["count"]) == ("2026-10-01 01:00:00", 10)


def test_drop_row_loses_one_call_without_a_trace() -> None:
    """One call of the middle is missing and the count agrees with the rest."""
    with Sandbox([_ten()], faults=lambda _: "drop-row") as sandbox:
        reply = _post(sandbox)
        assert _ids(reply) == [0, 1, 2, 3, 4, 6, 7, 8, 9]
        assert reply.json()["count"] == 9
        assert _ids(_post(sandbox, startTime=1, endTime=2)) == []


def test_hang_says_nothing_and_ends_with_the_sandbox() -> None:
    """No byte comes; closing the sandbox does not wait for the 30 seconds."""
    with _faulty("hang") as sandbox:
        with pytest.raises(requests.Timeout):
            requests.post(sandbox.base_url + "calls/list", data={"key": KEY}, timeout=0.2)
        assert (sandbox.asked[0].status, sandbox.asked[0].fault) == (0, "hang")
        began = time.monotonic()
    assert time.monotonic() - began < 5


def test_hang_hangs_up_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over the connection is closed without an answer."""
    monkeypatch.setattr(module, "_HANG_SECONDS", 0.05)
    with _faulty("hang") as sandbox:
        assert _wire(sandbox) == b""


def test_an_unknown_fault_is_loud(capfd: pytest.CaptureFixture[str]) -> None:
    """A misspelt fault is no silent success: nothing is answered and the reason is printed."""
    with _faulty("flood") as sandbox, pytest.raises(requests.ConnectionError):
        _post(sandbox)
    assert "no such fault: 'flood'" in capfd.readouterr().err


def test_random_faults_depend_on_seed_and_number_alone() -> None:
    """The same seed gives the same faults in any order, at about the rate that was asked for."""
    faults = [random_faults(0.3, 5)(n) for n in range(2_000)]
    again = random_faults(0.3, 5)
    assert [again(n) for n in reversed(range(2_000))] == faults[::-1]
    assert faults != [random_faults(0.3, 6)(n) for n in range(2_000)]
    met = {fault for fault in faults if fault}
    assert met == {"500", "503", "429", "reset", "cut", "html", "cut-json"}
    assert 500 < sum(fault is not None for fault in faults) < 700


@pytest.mark.parametrize(
    "make", [lambda: random_faults(2, 1), lambda: random_faults(0.1, 1, ["flood"])]
)
def test_impossible_random_faults_are_refused(make: Callable[[], object]) -> None:
    """A rate over 1 or an unknown kind is refused at once."""
    with pytest.raises(ValueError, match="rate is 0 to 1"):
        make()


def test_every_fault_is_tested_here() -> None:
    """A new fault needs its test: the list of faults and this file agree."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{fault}"' in text for fault in FAULTS)
    assert set(get_args(Order)) == {"oldest", "newest", "shuffled"}
    assert len(astuple(Asked("", "", 0, 0, 0, 0, 0, None, ()))) == 10
