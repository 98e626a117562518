"""The client: a whole reply or a named refusal, and the key nowhere but in the request's body."""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from carriers import BRISBANE, IMPATIENT, KEY, OCTOBER, Wire, ask, call, carrier, http, reply
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports import carrier as module
from maxo_reports.carrier import LIMIT, Carrier, Patience, RawResponse, Secret
from maxo_reports.core import cdr
from maxo_reports.core.period import Window
from maxo_reports.errors import CarrierError, Garbled, Refused, Unreachable
from maxo_reports.sandbox import Book, Sandbox

WINDOW = Window(OCTOBER, OCTOBER + 3600)
CALLS = [call(n, OCTOBER + n) for n in range(3)]
BODY = reply(CALLS, WINDOW)
PACKED = gzip.compress(BODY, mtime=0)
ONCE = Patience(connect=5, read=5, whole=20, tries=1)
SPOKEN = "key-of-the-account/8!\u00e9"
"""A key with letters that JSON may write in several ways."""


def _read(base_url: str, **more: Any) -> cdr.Reply:
    """Ask for the window and read the reply strictly, as a pull does."""
    with carrier(base_url, **more) as connected:
        return connected.ask(WINDOW, lambda raw: cdr.read_reply(raw.body))


def _chunked(body: bytes, size: int = 100) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _in_chunks(*parts: bytes) -> bytes:
    body = b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return http(body, "Transfer-Encoding: chunked", "Content-Encoding: gzip", length=False)


# --- what is asked ------------------------------------------------------------------------


def test_one_request_is_a_post_of_the_window_and_the_whole_limit() -> None:
    """Unix seconds, JSON, the largest limit, no filter, and the key not in the URL."""
    with Sandbox([Book.from_calls(CALLS, timezone=BRISBANE)]) as sandbox:
        raw = ask(sandbox.base_url, WINDOW)
        (asked,) = sandbox.asked
    assert (raw.window, raw.tries) == (WINDOW, 1)
    assert [c["callid"] for c in json.loads(raw.body)["calls"]] == [0, 1, 2]
    assert (asked.method, asked.path) == ("POST", "/calls/list")
    assert (asked.start, asked.end, asked.limit) == (WINDOW.start, WINDOW.end, LIMIT)
    assert asked.filters == ("outputFormat=json",)
    assert not asked.key_in_url


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_the_address_is_exactly_calls_list(slashes: str) -> None:
    """However base_url ends: a slash too many would be answered with a redirect."""
    with Wire.saying(http(BODY)) as wire:
        _read(wire.base_url.rstrip("/") + slashes)
    assert wire.requests[0].startswith(b"POST /calls/list HTTP/1.1\r\n")


def test_the_key_is_in_the_body_and_nowhere_else() -> None:
    """Not in the request line and in no header; once in the body."""
    with Wire.saying(http(BODY)) as wire:
        _read(wire.base_url)
    head, _, body = wire.requests[0].partition(b"\r\n\r\n")
    assert KEY.encode() not in head
    assert body.count(KEY.encode()) == 1
    assert json.loads(body) == {
        "key": KEY,
        "startTime": WINDOW.start,
        "endTime": WINDOW.end,
        "outputFormat": "json",
        "limit": 10_000,
    }


def test_a_form_is_posted_where_a_probe_wants_one() -> None:
    """The same parameters, and the key in the body alone; the sandbox reads it, too."""
    with Wire.saying(http(BODY)) as wire:
        _read(wire.base_url, form=True, key=SPOKEN)
    head, _, body = wire.requests[0].partition(b"\r\n\r\n")
    assert b"content-type: application/x-www-form-urlencoded" in head.lower()
    assert head.startswith(b"POST /calls/list HTTP/1.1\r\n")
    assert dict(parse_qsl(body.decode())) == {
        "key": SPOKEN,
        "startTime": str(WINDOW.start),
        "endTime": str(WINDOW.end),
        "outputFormat": "json",
        "limit": "10000",
    }
    with Sandbox([Book.from_calls(CALLS, timezone=BRISBANE)]) as sandbox:
        assert _read(sandbox.base_url, form=True).count == 3
        assert not sandbox.asked[0].key_in_url


def test_further_parameters_go_along() -> None:
    """A cross-check can ask for charged calls only."""
    book = Book.from_calls([*CALLS, call(9, OCTOBER, cost="0.00")], timezone=BRISBANE)
    with Sandbox([book]) as sandbox, carrier(sandbox.base_url) as connected:
        found = connected.ask(WINDOW, lambda raw: cdr.read_reply(raw.body), {"chargesOnly": 1})
        assert sandbox.asked[0].filters == ("chargesOnly=1", "outputFormat=json")
    assert found.count == 3


def test_one_connection_serves_many_requests() -> None:
    """The client keeps its connection, also after an answer that was refused."""
    with Sandbox([Book.from_calls(CALLS, timezone=BRISBANE)]) as sandbox:
        with carrier(sandbox.base_url) as connected:
            for _ in range(5):
                connected.ask(WINDOW, lambda raw: raw)
        assert len(sandbox.asked) == 5


# --- bodies that were cut -----------------------------------------------------------------

FRAMINGS: dict[str, Callable[[int], bytes]] = {
    "length": lambda at: http(BODY)[: len(http(BODY)) - len(BODY) + at],
    "chunked": lambda at: http(_chunked(BODY)[:at], "Transfer-Encoding: chunked", length=False),
    "gzip-length": lambda at: http(PACKED[:at], "Content-Encoding: gzip"),
    "gzip-close": lambda at: http(PACKED[:at], "Content-Encoding: gzip", length=False),
    "close": lambda at: http(BODY[:at], length=False),
}
SIZES = {
    "length": len(BODY),
    "chunked": len(_chunked(BODY)),
    "gzip-length": len(PACKED),
    "gzip-close": len(PACKED),
    "close": len(BODY),
}


@pytest.mark.parametrize("framing", sorted(FRAMINGS))
def test_a_cut_body_is_never_accepted(framing: str) -> None:
    """Cut at about 150 places in each of five framings: none is taken, and the whole one is."""
    size = SIZES[framing]
    places = sorted({*range(0, size, max(1, size // 130)), *range(size - 20, size)})
    answers = [FRAMINGS[framing](at) for at in (*places, size)]
    accepted = []
    # The chunk of no bytes is the end; what comes after it adds nothing.
    enough = size - len("\r\n\r\n") if framing == "chunked" else size
    with Wire.saying(*answers) as wire, carrier(wire.base_url, patience=ONCE) as connected:
        for at in (*places, size):
            with contextlib.suppress(Unreachable, Garbled):
                raw = connected.ask(WINDOW, lambda raw: cdr.read_reply(raw.body) and raw)
                assert raw.body == BODY
                accepted.append(at)
    assert accepted == [at for at in (*places, size) if at >= enough]
    assert len(wire.requests) == len(answers)


def test_a_cut_body_is_asked_again_and_then_right() -> None:
    """The whole reply of the second try is what counts, and the try is told."""
    told: list[Any] = []
    for framing in FRAMINGS.values():
        with Wire.saying(framing(40), http(BODY)) as wire:
            found = _read(wire.base_url, told=lambda *each: told.append(each))
            assert found.count == 3
            assert len(wire.requests) == 2
    assert [(window, tried, wait) for window, tried, _, wait in told] == [(WINDOW, 1, 0.0)] * 5


# --- packed bodies ------------------------------------------------------------------------


def _wrong_sum(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


def _wrong_size(packed: bytes) -> bytes:
    return packed[:-4] + bytes([packed[-4] ^ 1]) + packed[-3:]


@pytest.mark.parametrize(
    "answer",
    [
        http(_wrong_sum(PACKED), "Content-Encoding: gzip"),
        http(_wrong_size(PACKED), "Content-Encoding: gzip"),
        http(PACKED + b"junk", "Content-Encoding: gzip"),
        http(PACKED + b"\x00", "Content-Encoding: gzip"),
        http(PACKED + PACKED, "Content-Encoding: gzip"),
        _in_chunks(PACKED, b"junk"),
        _in_chunks(PACKED, PACKED),
        http(PACKED[: len(PACKED) // 2] + PACKED, "Content-Encoding: gzip"),
        http(BODY, "Content-Encoding: gzip"),
        http(zlib.compress(BODY), "Content-Encoding: gzip"),
        http(zlib.compress(BODY), "Content-Encoding: deflate"),
        http(PACKED, "Content-Encoding: br"),
        http(PACKED, "Content-Encoding: gzip, gzip"),
        http(PACKED),
    ],
    ids=range(14),
)
def test_a_packed_body_must_be_whole_and_alone(answer: bytes) -> None:
    """Wrong check sum or size, anything after its end, two members, other packings: refused."""
    with Wire.saying(answer) as wire, pytest.raises(Garbled):
        _read(wire.base_url)


@pytest.mark.parametrize("name", ["gzip", "GZIP", " gzip", "x-gzip"])
@pytest.mark.parametrize("length", [True, False])
def test_a_whole_packed_body_is_read(name: str, length: bool) -> None:
    """With its length or up to the connection's end, under each of gzip's names."""
    with Wire.saying(http(PACKED, f"Content-Encoding: {name}", length=length)) as wire:
        assert _read(wire.base_url).count == 3
    with Wire.saying(http(PACKED, f"Content-Encoding: {name}", length=length)) as wire:
        assert ask(wire.base_url, WINDOW).packed
    with Wire.saying(http(BODY, length=length)) as wire:
        assert not ask(wire.base_url, WINDOW).packed


def test_a_packed_body_in_many_small_chunks_is_read() -> None:
    """Every byte in a chunk of its own."""
    with Wire.saying(_in_chunks(*(bytes([byte]) for byte in PACKED))) as wire:
        assert _read(wire.base_url).count == 3


def test_a_bomb_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 MB of zeros come in 200 KB: unpacking ends at the largest size allowed."""
    monkeypatch.setattr(module, "_LARGEST_REPLY", 1_000_000)
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(1_000_000)
    bomb = b"".join([*(packer.compress(zeros) for _ in range(200)), packer.flush()])
    with Wire.saying(http(bomb, "Content-Encoding: gzip")) as wire:
        tracemalloc.start()
        try:
            with pytest.raises(Garbled, match="larger than 1,000,000 bytes"):
                _read(wire.base_url, patience=ONCE)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("packed", [True, False])
def test_the_largest_size_is_a_limit_to_the_byte(
    monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """A body of exactly the largest size is read, one byte more is not."""
    answer = http(PACKED, "Content-Encoding: gzip") if packed else http(BODY)
    with Wire.saying(answer) as wire:
        monkeypatch.setattr(module, "_LARGEST_REPLY", len(BODY))
        assert _read(wire.base_url).count == 3
        monkeypatch.setattr(module, "_LARGEST_REPLY", len(BODY) - 1)
        with pytest.raises(Garbled, match="larger than"):
            _read(wire.base_url, patience=ONCE)


# --- answers that are no reply ------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"<html><body>We will be back soon</body></html>", "web page"),
        (b"\xef\xbb\xbf" + BODY, "no whole JSON"),
        (BODY.replace(b"Incoming", b"Caf\xe9"), "not UTF-8"),
        (BODY.decode().encode("utf-16"), "not UTF-8"),
        (BODY + BODY, "no whole JSON"),
        (BODY + b"\n<b>Warning</b>", "no whole JSON"),
        (b'{"status":0,"error":"UNAVAILABLE","reason":"Later"}', "status 0"),
        (BODY.replace(b'"0.25"', b"NaN"), "no whole JSON"),
        (BODY.replace(b"Incoming", b"\\ud800"), "no whole JSON"),
        (BODY.replace(b'"cost":', b'"cost":"9","cost":', 1), "twice"),
        (b'{"a":' * 100_000, "no whole JSON"),
    ],
)
def test_a_success_that_is_no_reply_is_refused_in_one_line(body: bytes, says: str) -> None:
    """HTTP 200 proves nothing: the body is asked for again and then refused by name."""
    with Wire.saying(http(body)) as wire:
        with pytest.raises(Garbled, match=says) as caught:
            _read(wire.base_url)
        assert len(wire.requests) == IMPATIENT.tries
    assert "\n" not in str(caught.value)
    assert "asked 6 times" in str(caught.value)


def test_a_wrong_content_type_with_a_right_body_is_read() -> None:
    """Only the body counts."""
    answer = http(BODY).replace(b"application/json", b"text/html; charset=latin-1")
    with Wire.saying(answer) as wire:
        assert _read(wire.base_url).count == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5",
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n" + BODY[:50],
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + BODY[:50],
        b"HTTP/1.1 200 OK\r\nContent-Length: 10, 20\r\n\r\n" + BODY[:50],
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n" + BODY[:50],
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n" + BODY[:50],
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n" + BODY[:50],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY[:50],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"9" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + BODY[:50],
    ],
    ids=range(16),
)
def test_an_answer_that_is_no_http_is_refused(answer: bytes) -> None:
    """Broken heads, lengths and chunks are a failed try, never a reply or a traceback."""
    with Wire.saying(answer) as wire:
        with pytest.raises(CarrierError) as caught:
            _read(wire.base_url)
        assert len(wire.requests) >= IMPATIENT.tries
    assert not isinstance(caught.value, Refused)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 503 Busy\r\nRetry-After: "]),
    st.binary(max_size=300),
)
def test_no_bytes_on_the_wire_end_in_a_traceback(head: bytes, junk: bytes) -> None:
    """Whatever a server sends, the client says in one line that it is no answer."""
    with Wire.saying(head + junk) as wire, pytest.raises(CarrierError) as caught:
        _read(wire.base_url, patience=ONCE)
    assert "\n" not in str(caught.value)


def test_a_reset_is_asked_again() -> None:
    """A connection that breaks off is a failed try; the next one counts."""
    book = Book.from_calls(CALLS, timezone=BRISBANE)
    with Sandbox([book], faults=lambda n: "reset" if n < 3 else None) as sandbox:
        assert _read(sandbox.base_url).count == 3
        assert len(sandbox.asked) == 4


def test_nobody_listening_is_said_in_one_line() -> None:
    """A closed port is asked as often as any other trouble, and then named."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told: list[int] = []
    with pytest.raises(Unreachable, match=r"could not be reached \(asked 6 times"):
        ask(f"http://127.0.0.1:{port}/", WINDOW, told=lambda *each: told.append(each[1]))
    assert told == [1, 2, 3, 4, 5, 6]


# --- refusals and retries -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("400 Bad Request", "incomplete or wrong"),
        ("401 Unauthorized", "does not know this API key"),
        ("403 Forbidden", "Call History/Get Call History"),
        ("404 Not Found", "check base_url"),
        ("402 Payment Required", "refused the request, HTTP 402"),
        ("405 Method Not Allowed", "refused the request, HTTP 405"),
        ("206 Partial Content", "refused the request, HTTP 206"),
        ("204 No Content", "refused the request, HTTP 204"),
    ],
)
def test_a_plain_no_is_asked_once_and_explained(status: str, says: str) -> None:
    """What a second try cannot mend is exactly one request, and says what to do."""
    refusal = b'{"status":0,"error":"SOME ERROR","reason":"Some\\nreason\\u0007"}'
    body = b"" if status.startswith("204") else refusal
    with Wire.saying(http(body, status=status)) as wire:
        with pytest.raises(Refused, match=says) as caught:
            _read(wire.base_url)
        assert len(wire.requests) == 1
    assert status[:3] in str(caught.value)
    assert caught.value.status == int(status[:3])
    if body:
        assert "(it says: SOME ERROR - Some reason)" in str(caught.value)


def test_the_sandbox_refuses_a_wrong_key_and_a_key_without_permission() -> None:
    """The carrier's own 401, which names no request, and its 403."""
    books = [
        Book.from_calls(CALLS, timezone=BRISBANE),
        Book.from_calls(CALLS, timezone=BRISBANE, key="no-permission", permitted=False),
    ]
    with Sandbox(books) as sandbox:
        with pytest.raises(Refused, match="Invalid API Key"):
            ask(sandbox.base_url, WINDOW, key="wrong-key-1234")
        with pytest.raises(Refused, match="Get Call History"):
            ask(sandbox.base_url, WINDOW, key="no-permission")
        assert [asked.status for asked in sandbox.asked] == [401, 403]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"error":{"a":1}}', b'{"error":null}', b"\xff\xfe", b"[" * 100_000],
)
def test_a_refusal_without_the_carriers_words_is_still_named(body: bytes) -> None:
    """The meaning comes from the status; whatever the body is, it does no harm."""
    with Wire.saying(http(body, status="401 Unauthorized")) as wire:
        with pytest.raises(Refused, match="does not know this API key"):
            _read(wire.base_url)


@pytest.mark.parametrize("status", ["500 X", "501 X", "502 X", "503 X", "504 X", "429 X", "599 X"])
def test_a_busy_server_is_asked_as_often_as_allowed(status: str) -> None:
    """Six tries and no more, and then the status is named."""
    with Wire.saying(http(b"{}", status=status)) as wire:
        with pytest.raises(Unreachable, match=f"HTTP {status[:3]}"):
            _read(wire.base_url)
        assert len(wire.requests) == 6


@pytest.mark.parametrize(("tries", "asked"), [(1, 1), (2, 2), (6, 6), (9, 6), (None, 6)])
def test_one_question_can_be_asked_less_often_but_not_more(tries: int | None, asked: int) -> None:
    """The settings' number of tries is the most; one try is said in the singular."""
    with Wire.saying(http(b"{}", status="503 X")) as wire, carrier(wire.base_url) as connected:
        said = rf"asked {asked} times?; try"
        with pytest.raises(Unreachable, match=said.replace("s?", "" if asked == 1 else "s")):
            connected.ask(WINDOW, lambda raw: raw, tries=tries)
        assert len(wire.requests) == asked


@pytest.mark.parametrize("fault", ["500", "503", "429", "reset", "cut", "html", "cut-json"])
def test_one_failed_try_is_not_seen_in_the_reply(fault: str) -> None:
    """The second try's reply is the same as without the failure."""
    book = Book.from_calls(CALLS, timezone=BRISBANE)
    with Sandbox([book], faults=lambda n: fault if n == 0 else None) as sandbox:
        assert _read(sandbox.base_url).moments() == [OCTOBER, OCTOBER + 1, OCTOBER + 2]
        assert len(sandbox.asked) == 2


DATE = "Date: Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (["Retry-After: 1"], 1.0),
        (["Retry-After: 0"], 0.0),
        (["Retry-After:  7 "], 7.0),
        (["Retry-After: 119"], 119.0),
        (["Retry-After: 3600"], 120.0),
        (["Retry-After: 1000000000000"], 120.0),
        ([DATE, "Retry-After: Wed, 21 Oct 2026 07:28:09 GMT"], 9.0),
        ([DATE, "Retry-After: Wed, 21 Oct 2026 09:28:00 GMT"], 120.0),
        ([DATE, "Retry-After: Wed, 21 Oct 2026 07:27:00 GMT"], 0.0),
        ([DATE, "Retry-After: Wed, 21 Oct 2026 18:28:30 +1100"], 30.0),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_the_server_may_ask_for_a_wait_but_not_for_an_endless_one(
    status: str, headers: list[str], wait: float
) -> None:
    """Seconds or a date are kept to the second, up to two minutes."""
    waits: list[float] = []
    with Wire.saying(http(b"", *headers, status=status), http(BODY)) as wire:
        _read(wire.base_url, sleep=waits.append)
    assert waits == [wait]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Retry-After: "],
        ["Retry-After: -1"],
        ["Retry-After: abc"],
        ["Retry-After: 1.5"],
        ["Retry-After: 1e3"],
        ["Retry-After: \u00b2"],
        ["Retry-After: Wed, 21 Oct 2026 07:28:09 GMT"],
        ["Date: yesterday", "Retry-After: Wed, 21 Oct 2026 07:28:09 GMT"],
        [DATE, "Retry-After: Wed, 21 Oct 99999999999999999999 07:28:09 GMT"],
        [DATE, "Retry-After: Wed, 21 Oct 2026 07:28:09 +99999999999999999999"],
        [DATE, "Retry-After: Wed, 21 Oct 2026 07:28:09 -0000"],
    ],
)
def test_a_wait_that_makes_no_sense_counts_as_not_given(headers: list[str]) -> None:
    """Then the client waits as it would have: half to all of its own first wait."""
    waits: list[float] = []
    patience = Patience(first_wait=8.0, tries=2)
    answer = (
        http(b"", status="503 Busy")
        .decode()
        .replace("\r\n\r\n", "".join(f"\r\n{header}" for header in headers) + "\r\n\r\n")
    )
    with Wire.saying(answer.encode("latin-1"), http(BODY)) as wire:
        _read(wire.base_url, sleep=waits.append, patience=patience)
    (wait,) = waits
    assert 4.0 <= wait <= 8.0


def test_waits_double_up_to_the_longest() -> None:
    """Half a second, one, two ... thirty, each with jitter; none after the last."""
    waits: list[float] = []
    patience = Patience(tries=10)
    with Wire.saying(http(b"", status="500 X")) as wire, pytest.raises(Unreachable):
        _read(wire.base_url, sleep=waits.append, patience=patience)
    full = [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert len(waits) == len(full)
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, full, strict=True))


def test_a_reply_that_is_not_accepted_is_asked_again() -> None:
    """Whoever reads the reply can have it asked for again, and is told which try it is."""
    tries: list[int] = []

    def accept(raw: RawResponse) -> str:
        tries.append(raw.tries)
        if raw.tries < 3:
            raise Garbled("not this one")
        return "taken"

    with Wire.saying(http(BODY)) as wire, carrier(wire.base_url) as connected:
        assert connected.ask(WINDOW, accept) == "taken"
    assert tries == [1, 2, 3]


# --- redirects ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["other", "same", "https", "nonsense"])
def test_a_redirect_is_not_followed(status: int, target: str) -> None:
    """The key goes to the configured host or nowhere: the other server is never asked."""
    with Wire.saying(http(BODY)) as other:
        where = {
            "other": other.base_url + "calls/list",
            "same": "/calls/list/",
            "https": "https://127.0.0.1:1/calls/list",
            "nonsense": "http://[",
        }[target]
        moved = http(BODY, f"Location: {where}", status=f"{status} Moved")
        with Wire.saying(moved) as wire, pytest.raises(CarrierError) as caught:
            _read(wire.base_url)
        assert other.requests == []
    if target != "nonsense":
        assert isinstance(caught.value, Refused)
        assert len(wire.requests) == 1
        assert "redirects" in str(caught.value)
    assert KEY not in str(caught.value)


# --- time ---------------------------------------------------------------------------------


def _drip(first: bytes, part: bytes) -> Callable[[int, socket.socket], None]:
    """Send something at once, and then a little every 20 ms for 10 seconds."""

    def talk(_: int, peer: socket.socket) -> None:
        peer.sendall(first)
        for _ in range(500):
            time.sleep(0.02)
            peer.sendall(part)

    return talk


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "talk",
    [
        _drip(b"", b"H"),
        _drip(HEAD, b"X: y\r\n"),
        _drip(HEAD + b"X: ", b"y"),
        _drip(http(BODY)[: -len(BODY)] + BODY[:10], b" "),
        _drip(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        _drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        _drip(HEAD + b"Connection: close\r\n\r\n", b" "),
        _drip(HEAD + b"Connection: close\r\n\r\n" + BODY, b" "),
        _drip(HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x04" + b"\xff" * 8, b"x"),
        _drip(b"HTTP/1.1 302 Moved\r\nLocation: /x\r\nContent-Length: 9999\r\n\r\n", b" "),
        _drip(b"HTTP/1.1 503 Busy\r\nContent-Length: 9999\r\n\r\n", b" "),
        lambda _, peer: peer.recv(1) and None,
    ],
    ids=[
        *("status-line", "headers", "header", "body", "length", "chunks", "close"),
        *("close-after-whole", "gzip", "redirect", "busy", "nothing"),
    ],
)
def test_a_server_that_drips_is_left_at_the_deadline(
    talk: Callable[[int, socket.socket], None],
) -> None:
    """Each byte would renew a plain timeout; the deadline ends the whole exchange."""
    patience = Patience(connect=5, read=5, whole=0.25, tries=1)
    with Wire(talk) as wire:
        begin = time.monotonic()
        with pytest.raises(Unreachable, match=r"no whole answer within 0\.25 seconds"):
            _read(wire.base_url, patience=patience)
        assert 0.24 <= time.monotonic() - begin < 3


def test_a_silent_server_is_left_at_the_read_timeout() -> None:
    """No byte at all for the read timeout: left long before the deadline."""
    patience = Patience(connect=5, read=0.2, whole=20, tries=2, first_wait=0)
    book = Book.from_calls(CALLS, timezone=BRISBANE)
    with Sandbox([book], faults=lambda _: "hang") as sandbox:
        begin = time.monotonic()
        with pytest.raises(Unreachable, match="did not answer in time"):
            _read(sandbox.base_url, patience=patience)
        assert time.monotonic() - begin < 2
        assert len(sandbox.asked) == 2


def test_a_try_after_the_deadline_is_a_fresh_one() -> None:
    """The deadline is one exchange's; the next try has all of its time again."""

    def talk(number: int, peer: socket.socket) -> None:
        if number == 0:
            _drip(HEAD, b"X: y\r\n")(number, peer)
        time.sleep(0.2)
        peer.sendall(http(BODY))

    patience = Patience(connect=5, read=5, whole=0.35, tries=2, first_wait=0)
    with Wire(talk) as wire:
        assert _read(wire.base_url, patience=patience).count == 3


# --- the environment ----------------------------------------------------------------------


@pytest.fixture
def _crafty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login spy password hunter2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_crafty_home")
def test_proxies_and_netrc_of_the_machine_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy variable nor a .netrc gets to see or to change a request."""
    with Wire.saying(http(BODY)) as proxy, Wire.saying(http(BODY)) as wire:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url)
        _read(wire.base_url)
        assert proxy.requests == []
    assert b"authorization" not in wire.requests[0].lower()


@pytest.mark.usefixtures("_crafty_home")
def test_a_proxy_is_used_where_the_settings_trust_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With trust_environment the proxy gets the request."""
    with Wire.saying(http(BODY)) as proxy, Wire.saying(http(BODY)) as wire:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        _read(wire.base_url, trust_environment=True)
        assert wire.requests == []
    assert proxy.requests[0].startswith(b"POST http://127.0.0.1")


# --- the key ------------------------------------------------------------------------------


def test_a_secret_does_not_show_itself() -> None:
    """Not in its repr, not as text, not in a container."""
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]} { {'a': secret} } {(secret,)!r}"
    assert secret.reveal() == KEY
    assert secret.redact(f"a {KEY} b {KEY}") == "a *** b ***"
    assert Secret("").redact("abc") == "abc"


def _everything(problem: BaseException) -> str:
    """Return all texts of an exception and of those behind it, as any logger might show them."""
    texts: list[str] = []
    waiting: list[BaseException | None] = [problem]
    while waiting:
        one = waiting.pop()
        if one is not None:
            texts += [str(one), repr(one), repr(one.args)]
            waiting += [one.__cause__, one.__context__]
    return "".join([*texts, *traceback.format_exception(problem)])


@pytest.mark.parametrize(
    "answer",
    [
        http(f'{{"error":"no","reason":"key {KEY} is unknown"}}'.encode(), status="401 X"),
        http(f'{{"error":"{KEY}"}}'.encode(), status="403 X"),
        http(f'{{"error":"{"x" * 190}{KEY}"}}'.encode(), status="404 X"),
        http(f'{{"error":"{"x" * 197}","reason":"{KEY}"}}'.encode(), status="500 X"),
        http(f'{{"error":{{"key":"{KEY}"}}}}'.encode(), status="400 X"),
        http(b"", f"Location: http://x.invalid/?key={KEY}", status="302 X"),
        http(b"", f"Location: http://[{KEY}", status="302 X"),
        http(b"", f"Retry-After: {KEY}", status="503 X"),
        http(BODY, f"Content-Encoding: {KEY}"),
        http(f"<p>{KEY}</p>".encode()),
        http(f'{{"status":0,"reason":"{KEY}"}}'.encode()),
        http(reply([call(1, origin=KEY)], WINDOW)),
        http(reply([call(KEY)], WINDOW)),
        http(reply([], WINDOW, request=KEY)),
        f"HTTP/1.1 200 {KEY}\r\nContent-Length: {KEY}\r\n\r\n".encode(),
        f"{KEY}\r\n\r\n".encode(),
        b"",
    ],
    ids=range(17),
)
def test_the_key_is_in_no_exception(answer: bytes) -> None:
    """Not in the message, the repr, the chain behind it or the traceback, whatever came back."""
    told: list[str] = []
    with Wire.saying(answer) as wire, pytest.raises(CarrierError) as caught:
        _read(wire.base_url, told=lambda *each: told.append(str(each)))
    shown = _everything(caught.value) + "".join(told)
    assert KEY not in shown
    assert KEY[:8] not in shown, "nor a part of it"


@pytest.mark.parametrize(
    ("key", "written"),
    [
        (KEY, KEY),
        (SPOKEN, SPOKEN),
        (SPOKEN, json.dumps(SPOKEN)[1:-1]),
        (SPOKEN, json.dumps(SPOKEN)[1:-1].replace("/", "\\/")),
        ("abc/def/ghi", "abc\\/def\\/ghi"),
        ('quo"te-and\\slash', json.dumps('quo"te-and\\slash')[1:-1]),
    ],
)
def test_a_reply_that_repeats_the_key_is_neither_kept_nor_used(key: str, written: str) -> None:
    """In whatever way JSON writes it: refused at once, before anybody sees the body."""
    seen: list[RawResponse] = []
    body = BODY.replace(b"Incoming", written.encode())
    with Wire.saying(http(body)) as wire, carrier(wire.base_url, key) as connected:
        with pytest.raises(Refused, match="repeats the API key") as caught:
            connected.ask(WINDOW, seen.append)
        assert len(wire.requests) == 1
    assert seen == []
    assert key not in _everything(caught.value)


def test_a_key_too_short_to_be_one_is_not_looked_for() -> None:
    """A key such as ``IN`` would stand in any reply by chance."""
    with Wire.saying(http(BODY)) as wire:
        assert ask(wire.base_url, WINDOW, key="IN").body == BODY


# --- TLS ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for 127.0.0.1 that nobody has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(path), "-out", str(path.with_suffix(".crt"))),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@contextlib.contextmanager
def _secure(certificate: Path, talk: Callable[[int, socket.socket], None]) -> Iterator[Wire]:
    """Serve over TLS: the handshake happens where the plain server would read the request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Secure(Wire):
        def _serve(self, peer: socket.socket) -> None:
            peer.settimeout(10)
            with peer, contextlib.suppress(OSError):
                with context.wrap_socket(peer, server_side=True) as secured:
                    super()._serve(secured)

    with Secure(talk) as wire:
        wire.base_url = wire.base_url.replace("http:", "https:")
        yield wire


def test_a_certificate_that_nobody_signed_is_refused(certificate: Path) -> None:
    """No request, and so no key, is sent to a server that cannot prove who it is."""
    with _secure(certificate, lambda _, peer: peer.sendall(http(BODY))) as wire:
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            _read(wire.base_url, patience=ONCE)
        assert wire.requests == []


def test_the_deadline_holds_over_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trusted server is read; one that drips over TLS is left at the deadline all the same."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.with_suffix(".crt")))

    def talk(number: int, peer: socket.socket) -> None:
        if number == 0:
            peer.sendall(http(BODY))
        else:
            _drip((HEAD, HEAD + b"Content-Length: 9999\r\n\r\n")[number - 1], b"X: y\r\n")(
                number, peer
            )

    patience = Patience(connect=5, read=5, whole=0.4, tries=1)
    with _secure(certificate, talk) as wire:
        assert _read(wire.base_url, patience=ONCE, trust_environment=True).count == 3
        for _ in range(2):
            begin = time.monotonic()
            with pytest.raises(Unreachable, match="no whole answer within"):
                _read(wire.base_url, patience=patience, trust_environment=True)
            assert time.monotonic() - begin < 3
        assert len(wire.requests) == 3


def test_a_plain_server_behind_https_is_refused() -> None:
    """A server that speaks no TLS never sees the request."""
    patience = Patience(connect=0.3, tries=1)
    with Wire.saying(http(BODY)) as wire:
        with pytest.raises(Unreachable):
            _read(wire.base_url.replace("http:", "https:"), patience=patience)
        assert KEY.encode() not in b"".join(wire.requests)


def test_whoever_is_interrupted_does_not_wait_for_a_carrier_that_hangs() -> None:
    """Given up from another thread, the request under way ends at once, and no other follows."""
    asked = threading.Event()

    def talk(_: int, peer: socket.socket) -> None:
        asked.set()
        peer.recv(1)  # says nothing, until the other side hangs up

    patience = Patience(connect=30, read=30, whole=30, tries=6)
    with Wire(talk) as wire, carrier(wire.base_url, patience=patience) as connected:

        def give_up() -> None:
            assert asked.wait(10)
            connected.give_up()

        other = threading.Thread(target=give_up)
        other.start()
        began = time.monotonic()
        with pytest.raises(Unreachable, match="the run was stopped"):
            connected.ask(WINDOW, lambda raw: raw)
        other.join()
        assert time.monotonic() - began < 15
        with pytest.raises(Unreachable, match="the run was stopped"):
            connected.ask(WINDOW, lambda raw: raw)
        assert len(wire.requests) == 1


def test_whoever_is_interrupted_does_not_wait_for_the_next_try() -> None:
    """A wait between two tries ends at once."""
    patience = Patience(tries=6, first_wait=60, longest_wait=60)
    failed = threading.Event()
    with Wire.saying(http(b"busy", status="503 Busy")) as wire:
        connected = Carrier(
            wire.base_url, Secret(KEY), patience=patience, told=lambda *_: failed.set()
        )
        with connected:

            def give_up() -> None:
                assert failed.wait(10)
                connected.give_up()

            other = threading.Thread(target=give_up)
            other.start()
            began = time.monotonic()
            with pytest.raises(Unreachable):
                connected.ask(WINDOW, lambda raw: raw)
            other.join()
            assert time.monotonic() - began < 15
    assert len(wire.requests) == 1
