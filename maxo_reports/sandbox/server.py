"""The carrier itself: it listens on loopback, answers for its books and notes what was asked."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Self
from urllib.parse import parse_qsl

from maxo_reports.sandbox.answers import (
    SWITCHES,
    Answer,
    Order,
    RefusedError,
    invalid,
    read_body,
    read_question,
    reply,
)
from maxo_reports.sandbox.book import Book
from maxo_reports.sandbox.faults import FAULTS, framed, spoilt
from maxo_reports.sandbox.habits import Habits

_LONGEST_BODY = 1_000_000
_HANG_SECONDS = 30.0


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


class Sandbox:
    """The carrier: a context manager that answers for its books until it is closed.

    ``order`` is the order of the calls in a reply, taken before the cut at ``limit``: oldest
    first keeps the first calls of a span, newest first the last, shuffled any. ``faults`` is
    given the running number of each request, from 0, and names the fault to commit, or None.
    ``habits`` answer what the API page leaves open; the defaults are as ``answers`` says.
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
        habits: Habits | None = None,
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
        self.habits = habits or Habits()
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
    ) -> Answer:
        """Answer one request and note it; ``posted`` is a body and its type.

        Wire faults are left to whoever sends the answer.
        """
        path, _, query = target.partition("?")
        in_url = dict(parse_qsl(query, keep_blank_values=True))
        try:
            if method == "POST" and self.habits.post_refused_with:
                raise RefusedError(self.habits.post_refused_with, "INVALID METHOD", "Use GET")
            sent = in_url | read_body(*posted, reads_json=self.habits.reads_json)
            answer = self._answer_to(path.strip("/"), sent, fault)
        except RefusedError as refusal:
            sent, answer = in_url, refusal.answer
        answer = spoilt(answer, fault)
        status = 0 if fault == "hang" else answer.status
        names = sorted(name for name in ("outputFormat", *SWITCHES) if name in sent)
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

    def _answer_to(self, request: str, sent: Mapping[str, str], fault: str | None) -> Answer:
        if request != "calls/list":
            reason = "Unknown method" if request else "A method must be supplied "
            raise RefusedError(404, "INVALID METHOD", reason, request or "/")
        with self._lock:
            books = self.habits.books(self._books, self._met - 1)
        question = read_question(sent, books, self.habits)
        return reply(question, self._order, self._seed, fault)


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
            self._send(invalid("Content-Length is missing or too large").answer, None)

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

    def _send(self, answer: Answer, fault: str | None) -> None:
        """Send the answer, with the wire fault if there is one."""
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        may_pack = accepted and self.server.sandbox.habits.packs
        headers, sent = framed(answer, fault, may_pack=may_pack, closes=self.close_connection)
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
