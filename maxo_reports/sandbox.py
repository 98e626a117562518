"""A small carrier on loopback: serves fictional calls over HTTP exactly as ``calls/list`` does.

For the demo, for tests and for trying the command line without a key. It listens on 127.0.0.1
only, and what it can do wrong on request (``faults``) may only ever be injected there: never
put a fault between a customer and the real carrier.

What the API page leaves open is settled here in one way, so that a test may rely on it:

* a switch other than 0 or 1 is refused; an end equal to the start is an empty, valid span;
* ``chargesOnly=1`` keeps calls whose cost is not zero, so also credits;
* ``connectedOnly=1`` keeps the status ``Connected.``; ``waitForActiveCalls`` never waits;
* CSV holds the page's fields in the page's order, and nothing at all where there is no call.

The wire faults cut what would have been sent, so an empty CSV file shows none of them, and
``drop-row`` needs a call to drop. All others always bite.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import socket
import struct
import sys
import threading
import tomllib
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from random import Random
from socketserver import TCPServer
from typing import Literal, Self
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

Order = Literal["oldest", "newest", "shuffled"]

MOST_CALLS = 10_000
"""The carrier's own limit on the calls of one reply, and the default of ``limit``."""

HEADINGS = (
    "callid,datetime,unixtime,direction,origin,destination,rate,inboundrate,status,duration,"
    "duration_hr,cost,recording,statid"
)
"""The fields of a call in the order of the API page's table, which is the order of the CSV."""

_WEB_PAGES = {
    "500": (500, "Internal Server Error"),
    "503": (503, "Service Unavailable"),
    "429": (429, "Too Many Requests"),
    "html": (200, "We will be back soon"),
}
_WIRE_FAULTS = ("reset", "cut", "cut-chunked", "cut-close", "cut-gzip")
_TEXT_FAULTS = ("status0", "cut-json", "wrong-count", "wrong-span", "drop-row")
FAULTS = (*_WEB_PAGES, *_TEXT_FAULTS, *_WIRE_FAULTS, "hang")
"""Every fault that the sandbox knows how to commit."""

_SWITCHES = ("chargesOnly", "connectedOnly", "humanReadable", "showHeadings", "waitForActiveCalls")
_SETTINGS = ("key", "account", "name", "timezone", "period", "as_of")
_LONGEST_BODY = 1_000_000
_HANG_SECONDS = 30.0
_WRITER = json.JSONEncoder(separators=(",", ":"))

_Call = Mapping[str, object]
_Place = Callable[[_Call], int]


def _php_json(value: object) -> bytes:
    """Write JSON as PHP's json_encode does: no spaces, ``/`` escaped, all else ASCII."""
    return _WRITER.encode(value).replace("/", "\\/").encode("ascii")


@dataclass(slots=True)
class Book:
    """One account's calls, in order of time.

    ``moments`` are unix seconds, ascending; ``rows`` are the same calls, each already written
    as JSON: a million of them fit in memory, which a million dictionaries would not.
    Set ``permitted`` to False for a key that may not read the call history.
    """

    key: str = field(repr=False)
    timezone: str
    moments: array[int] = field(repr=False)
    rows: list[bytes] = field(repr=False)
    account: str = ""
    name: str = ""
    period: str = ""
    as_of: str = ""
    permitted: bool = True

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a sample: ``sample.toml`` and every reply in ``replies/``.

        A call that stands in several replies is kept once where all its fields agree.
        Raises OSError for what cannot be read, ValueError for what is no sample.
        """
        path = folder / "sample.toml"
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        missing = [name for name in _SETTINGS if not isinstance(settings.get(name), str)]
        if missing:
            raise ValueError(f"{path}: needs a text for {', '.join(missing)}")
        key, account, name, timezone, period, as_of = (settings[name] for name in _SETTINGS)
        filed = _filed(_replied_calls(folder), timezone, None)
        # Equal calls are neighbours: the call's own text is the last part of the order.
        kept = [entry for i, entry in enumerate(filed) if i == 0 or entry != filed[i - 1]]
        return cls(key, timezone, *_columns(kept), account, name, period, as_of)

    @classmethod
    def from_calls(
        cls,
        calls: Iterable[_Call],
        *,
        timezone: str,
        key: str = "sandbox-key",
        permitted: bool = True,
        place: _Place | None = None,
    ) -> Self:
        """Take calls as they are, however odd: every field is served just as it was given.

        ``place`` says at which unix second a call is filed, for calls that do not say so
        themselves or that shall appear in a span which is not theirs. Without it that is
        ``unixtime``, else ``datetime`` in the account's zone; ValueError where both fail.
        """
        columns = _columns(_filed(calls, timezone, place))
        return cls(key, timezone, *columns, permitted=permitted)

    def between(self, start: int, end: int) -> range:
        """Return the places in ``rows`` of the calls with start <= moment < end."""
        return range(bisect_left(self.moments, start), bisect_left(self.moments, end))


_Filed = tuple[int, int, str, bytes]


def _filed(calls: Iterable[_Call], timezone: str, place: _Place | None) -> list[_Filed]:
    """Write every call, in order of its second, then of its callid as a number, else as text."""
    zone = ZoneInfo(timezone)
    filed: list[_Filed] = []
    for call in calls:
        callid = str(call.get("callid"))
        number, text = (int(callid), "") if callid.isdecimal() else (-1, callid)
        second = place(call) if place else _second_of(call, zone)
        filed.append((second, number, text, _php_json(call)))
    filed.sort()
    return filed


def _columns(filed: Sequence[_Filed]) -> tuple[array[int], list[bytes]]:
    return array("q", [entry[0] for entry in filed]), [entry[3] for entry in filed]


def _second_of(call: _Call, zone: ZoneInfo) -> int:
    with suppress(ValueError):
        return int(str(call.get("unixtime")))
    with suppress(ValueError):
        local = datetime.fromisoformat(str(call.get("datetime")))
        return int(local.replace(tzinfo=zone).timestamp())
    raise ValueError(f"call {call.get('callid')!r} does not say when it was: give place=")


def _replied_calls(folder: Path) -> Iterator[_Call]:
    for path in sorted((folder / "replies").glob("*.json")):
        reply = json.loads(path.read_bytes())
        if not isinstance(reply, dict) or reply.get("status") != 1 or "calls" not in reply:
            raise ValueError(f"{path}: not a reply of calls/list")
        yield from reply["calls"] or ()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it was met; it never holds the key, only whether the key was in the URL.

    ``start``, ``end`` and ``limit`` are None where the request was refused; ``status`` is 0
    where nothing was answered; ``count`` is the calls that the reply holds, before any cut.
    ``filters`` holds the other parameters of the API page as sorted ``name=value`` texts.
    """

    method: str
    path: str
    start: int | None
    end: int | None
    limit: int | None
    status: int
    count: int
    fault: str | None
    filters: tuple[str, ...]
    key_in_url: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """A request that can be answered; ``on`` holds the switches that are 1."""

    book: Book
    start: int
    end: int
    limit: int
    as_csv: bool
    on: frozenset[str]

    def local(self, moment: int) -> str:
        """Write a unix second in the account's zone, with its offset from the 20th character."""
        return datetime.fromtimestamp(moment, ZoneInfo(self.book.timezone)).isoformat(" ")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What goes over the wire, before gzip and before a wire fault."""

    status: int
    body: bytes
    kind: str = "application/json"
    count: int = 0
    question: _Question | None = None


class _RefusedError(Exception):
    """The carrier's no, as it is answered."""

    def __init__(self, status: int, error: str, reason: str, request: str = "calls/list") -> None:
        super().__init__(reason)
        echo = {"request": request} if request else {}
        body = _php_json({"status": 0, **echo, "error": error, "reason": reason})
        self.answer = _Answer(status, body)


def _invalid(reason: str) -> _RefusedError:
    return _RefusedError(400, "VALIDATION", reason)


def _read_body(body: bytes, content_type: str) -> dict[str, str]:
    """Read the parameters of a POST: a JSON object, or a form."""
    if "json" not in content_type.lower():
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise _invalid("The body must be a JSON object")
    known = ((name, value) for name, value in sent.items() if value is not None)
    return {name: str(int(v) if isinstance(v, bool) else v) for name, v in known}


def _read_question(sent: Mapping[str, str], books: Mapping[str, Book]) -> _Question:
    """Check the key, then every parameter; the first mistake is refused."""
    if not sent.get("key"):
        raise _invalid("API key is required")
    book = books.get(sent["key"])
    if book is None:
        # The one answer in which the real carrier does not name the request.
        raise _RefusedError(401, "AUTHENTICATION", "Invalid API Key", request="")
    if not book.permitted:
        raise _RefusedError(403, "PERMISSION", "The API key lacks the permission Get Call History")
    start = _read_moment("startTime", sent, book.timezone)
    end = _read_moment("endTime", sent, book.timezone)
    if end < start:
        raise _invalid("endTime is before startTime")
    limit = sent.get("limit", str(MOST_CALLS))
    if not re.fullmatch("[0-9]{1,5}", limit) or not 1 <= int(limit) <= MOST_CALLS:
        raise _invalid(f"limit must be 1 to {MOST_CALLS}")
    shape = sent.get("outputFormat", "json")
    if shape not in {"json", "csv"}:
        raise _invalid("outputFormat must be json or csv")
    for name in _SWITCHES:
        if sent.get(name, "0") not in {"0", "1"}:
            raise _invalid(f"{name} must be 0 or 1")
    on = frozenset(name for name in _SWITCHES if sent.get(name) == "1")
    return _Question(book, start, end, int(limit), shape == "csv", on)


def _read_moment(name: str, sent: Mapping[str, str], timezone: str) -> int:
    """Read unix seconds, or a date and time; without an offset it is the account's local time."""
    text = sent.get(name, "").strip()
    if not text:
        raise _invalid(f"{name} is required")
    if re.fullmatch("[0-9]{1,11}", text):
        return int(text)
    with suppress(ValueError, OverflowError):
        try:
            moment = datetime.fromisoformat(text)
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))
        except ValueError:
            moment = parsedate_to_datetime(text)
            # A mail date with the offset -0000 comes back without a zone, and is UTC.
            zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if zoned.timestamp() >= 0:
            return int(zoned.timestamp())
    raise _invalid(f"{name} cannot be read")


def _select(question: _Question, order: Order, seed: int) -> list[bytes]:
    """Find the calls, put them in order, and only then cut at the limit."""
    places: Sequence[int] = question.book.between(question.start, question.end)
    if order == "newest":
        places = places[::-1]
    elif order == "shuffled":
        places = list(places)
        # Seeded with the question: the same question gets the same answer.
        Random(f"{seed}:{question.start}:{question.end}").shuffle(places)  # noqa: S311, RUF100
    found = (question.book.rows[place] for place in places)
    if question.on & {"chargesOnly", "connectedOnly"}:
        found = (row for row in found if _wanted(row, question.on))
    return list(islice(found, question.limit))


def _wanted(row: bytes, on: frozenset[str]) -> bool:
    call = json.loads(row)
    if "connectedOnly" in on and str(call.get("status")).strip().rstrip(".") != "Connected":
        return False
    if "chargesOnly" in on:
        # A cost that is no number may be a charge; it stays.
        with suppress(ValueError):
            return float(str(call.get("cost") or 0)) != 0
    return True


def _with_duration_text(row: bytes) -> bytes:
    """Put ``duration_hr``, such as ``00h 01m 00s``, after ``duration``."""
    call: dict[str, object] = {}
    for name, value in json.loads(row).items():
        call[name] = value
        if name == "duration":
            seconds = int(value) if str(value).isdecimal() else 0
            minutes = seconds // 60
            call["duration_hr"] = f"{minutes // 60:02}h {minutes % 60:02}m {seconds % 60:02}s"
    return _php_json(call)


def _json_reply(question: _Question, rows: Sequence[bytes], fault: str | None) -> bytes:
    start = question.local(question.start)
    echoed = question.local(question.start + 3600) if fault == "wrong-span" else start
    head = {
        "status": 1,
        "request": "calls/list",
        "timezone": question.book.timezone,
        "offset": start[19:],
        "starttime": echoed[:19],
        "endtime": question.local(question.end)[:19],
        "count": len(rows) + (fault == "wrong-count"),
    }
    calls = b"[" + b",".join(rows) + b"]" if rows else b"null"
    return _php_json(head)[:-1] + b',"calls":' + calls + b"}"


def _csv_reply(question: _Question, rows: Sequence[bytes]) -> bytes:
    human = "humanReadable" in question.on
    fields = [name for name in HEADINGS.split(",") if human or name != "duration_hr"]
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    if rows and "showHeadings" in question.on:
        sheet.writerow(fields)
    for row in rows:
        call = json.loads(row)
        sheet.writerow([call.get(name) for name in fields])
    return text.getvalue().encode()


def _spoilt(answer: _Answer, fault: str | None) -> _Answer:
    """Commit the faults that replace or cut the answer's text but keep the wire in order."""
    if fault in _WEB_PAGES:
        status, words = _WEB_PAGES[fault]
        page = f"<html><head><title>{words}</title></head><body><h1>{words}</h1></body></html>\n"
        return replace(answer, status=status, body=page.encode(), kind="text/html", count=0)
    if fault == "status0":
        refusal = _RefusedError(200, "UNAVAILABLE", "The call history is not available")
        return replace(refusal.answer, question=answer.question)
    if fault == "cut-json":
        return replace(answer, body=answer.body[: len(answer.body) // 2])
    return answer


def random_faults(
    rate: float,
    seed: int,
    kinds: Sequence[str] = ("500", "503", "429", "reset", "cut", "html", "cut-json"),
) -> Callable[[int], str | None]:
    """Return faults for about ``rate`` (0 to 1) of the requests, the same ones for one seed."""
    if not 0 <= rate <= 1 or not set(kinds) <= set(FAULTS):
        raise ValueError(f"rate is 0 to 1, and kinds are among {', '.join(FAULTS)}")

    def fault(number: int) -> str | None:
        # Drawn from the number alone: requests may come from many threads, in any order.
        draw = Random(f"{seed}:{number}")  # noqa: S311, RUF100
        return kinds[int(draw.random() * len(kinds))] if draw.random() < rate else None

    return fault


class Sandbox:
    """The carrier: a context manager that answers for its books until it is closed.

    ``order`` is the order of the calls in a reply, taken before the cut at ``limit``: oldest
    first keeps the first calls of a span, newest first the last, shuffled any. ``faults`` is
    given the running number of each request, from 0, and names the fault to commit, or None.
    ``latency`` is seconds before each answer; ``port`` 0 takes a free one. The last
    ``log_limit`` requests are kept in ``asked``.
    """

    def __init__(
        self,
        books: Sequence[Book],
        *,
        order: Order = "oldest",
        faults: Callable[[int], str | None] | None = None,
        seed: int = 0,
        latency: float = 0.0,
        port: int = 0,
        log_limit: int = 100_000,
    ) -> None:
        """Take the port. ValueError for two books of one key, OSError for a port in use."""
        self._books = {book.key: book for book in books}
        if len(self._books) != len(books):
            raise ValueError("two books have the same key")
        self._order, self._faults, self._seed = order, faults, seed
        self._lock = threading.Lock()
        self._log: deque[Asked] = deque(maxlen=log_limit)
        self._met = 0
        self._thread: threading.Thread | None = None
        self._server = _Server(self, port)
        self.latency = latency
        self.closing = threading.Event()
        self.base_url = f"http://127.0.0.1:{self._server.server_port}/"

    @property
    def asked(self) -> list[Asked]:
        """The requests met so far, oldest first: a copy, safe to read while others ask."""
        with self._lock:
            return list(self._log)

    def __enter__(self) -> Self:
        """Begin to serve, in a thread."""
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def serve_forever(self) -> None:
        """Serve in this thread, until it is interrupted."""
        try:
            self._server.serve_forever()
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening and end every open connection, also those that hang on purpose."""
        self.closing.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()
        for connection in list(self._server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def next_fault(self) -> str | None:
        """Count one request and return the fault to commit on it."""
        with self._lock:
            fault = self._faults(self._met) if self._faults else None
            self._met += 1
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"no such fault: {fault!r}")
        return fault

    def answer(
        self, method: str, target: str, posted: tuple[bytes, str], fault: str | None
    ) -> _Answer:
        """Answer one request and note it; ``posted`` is a body and its type.

        Wire faults are left to whoever sends the answer.
        """
        path, _, query = target.partition("?")
        in_url = dict(parse_qsl(query, keep_blank_values=True))
        try:
            sent = in_url | _read_body(*posted)
            answer = self._answer_to(path.strip("/"), sent, fault)
        except _RefusedError as refusal:
            sent, answer = in_url, refusal.answer
        answer = _spoilt(answer, fault)
        status = 0 if fault == "hang" else answer.status
        names = sorted(name for name in ("outputFormat", *_SWITCHES) if name in sent)
        filters = tuple(f"{name}={sent[name]}" for name in names)
        q = answer.question
        start, end, limit = (q.start, q.end, q.limit) if q else (None, None, None)
        for key in self._books:
            path = path.replace(key, "***")
        count, key_in_url = answer.count, "key" in in_url
        asked = Asked(method, path, start, end, limit, status, count, fault, filters, key_in_url)
        with self._lock:
            self._log.append(asked)
        return answer

    def _answer_to(self, request: str, sent: Mapping[str, str], fault: str | None) -> _Answer:
        if request != "calls/list":
            reason = "Unknown method" if request else "A method must be supplied "
            raise _RefusedError(404, "INVALID METHOD", reason, request or "/")
        question = _read_question(sent, self._books)
        rows = _select(question, self._order, self._seed)
        if fault == "drop-row":
            del rows[len(rows) // 2 : len(rows) // 2 + 1]
        if "humanReadable" in question.on:
            rows = [_with_duration_text(row) for row in rows]
        if question.as_csv:
            return _Answer(200, _csv_reply(question, rows), "text/csv", len(rows), question)
        body = _json_reply(question, rows, fault)
        return _Answer(200, body, count=len(rows), question=question)


class _Server(ThreadingHTTPServer):
    """The listening socket; it knows its open connections, in order to end with them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, port: int) -> None:
        self.sandbox = sandbox
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look our own name up, which can take seconds without a network.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def close_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self.connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that hangs up is part of the tests; anything else deserves its traceback.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "maxo-sandbox", "(loopback)"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer a request that has its parameters in the URL."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Answer a request that has its parameters in the body."""
        length = self.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) <= _LONGEST_BODY:
            self._serve(self.rfile.read(int(length)))
        else:
            self.close_connection = True
            self._send(_invalid("Content-Length is missing or too large").answer, None)

    def _serve(self, body: bytes) -> None:
        sandbox = self.server.sandbox
        fault = sandbox.next_fault()
        posted = (body, self.headers.get("Content-Type", "") if body else "")
        answer = sandbox.answer(self.command, self.path, posted, fault)
        sandbox.closing.wait(_HANG_SECONDS if fault == "hang" else sandbox.latency)
        if fault == "hang":
            self.close_connection = True
        else:
            self._send(answer, fault)

    def _send(self, answer: _Answer, fault: str | None) -> None:
        """Send the answer, with the wire fault if there is one."""
        body = answer.body
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        packed = fault == "cut-gzip" or (accepted and len(body) > 1024)
        if packed:
            body = gzip.compress(body, compresslevel=1, mtime=0)
        sent = body[: len(body) // 2] if fault in _WIRE_FAULTS else body
        headers = {"Content-Type": answer.kind}
        if packed:
            headers["Content-Encoding"] = "gzip"
        if fault == "429":
            headers["Retry-After"] = "0"
        if fault == "cut-chunked":
            headers["Transfer-Encoding"] = "chunked"
            sent = b"%X\r\n%b\r\n" % (len(sent), sent)
        elif fault != "cut-close":
            headers["Content-Length"] = str(len(sent if fault == "cut-gzip" else body))
        if self.close_connection or fault in {"cut", "cut-chunked", "cut-close"}:
            # http.server heeds this header itself and hangs up after the answer.
            headers["Connection"] = "close"
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)
        if fault == "reset":
            self._reset()

    def _reset(self) -> None:
        """Break the connection off with RST, so that the client meets an error and no end."""
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        # Closed here, and whole: the server would first say goodbye in good order.
        self.rfile.close()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Stay silent: the standard log line would show the URL, and with it the key."""
