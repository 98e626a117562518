"""Carriers for tests: made-up calls and replies, a socket that says exactly what it is told to.

Nothing here asks the code under test what is right: local times come from zoneinfo, sums from
the raw records with Decimal.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

from maxo_reports.carrier import Carrier, Patience, RawResponse, Secret
from maxo_reports.core.period import Window

BRISBANE = "Australia/Brisbane"
SYDNEY = "Australia/Sydney"
OCTOBER = 1_790_776_800
"""2026-10-01 00:00:00 in Brisbane, and in Sydney."""
KEY = "sandbox-key"
IMPATIENT = Patience(connect=5, read=5, whole=20, tries=6, first_wait=0.0, longest_wait=0.0)

Raw = Mapping[str, Any]


def local(moment: int, zone: str = BRISBANE) -> str:
    """Write a unix second as the carrier does; far beyond the calendar there is only zero."""
    try:
        return f"{datetime.fromtimestamp(moment, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "0000-00-00 00:00:00"


def call(
    number: int | str, moment: int = OCTOBER, /, *, zone: str = BRISBANE, **odd: Any
) -> dict[str, Any]:
    """Make an inbound call as the carrier's record; ``odd`` sets or adds fields."""
    return {
        "callid": number,
        "recording": 0,
        "statid": 271_020_361,
        "datetime": local(moment, zone),
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


def envelope(window: Window, count: int, zone: str = BRISBANE) -> dict[str, Any]:
    """Make what stands around the calls of a reply."""
    offset = f"{datetime.fromtimestamp(window.start, ZoneInfo(zone)):%z}"
    return {
        "status": 1,
        "request": "calls/list",
        "timezone": zone,
        "offset": f"{offset[:3]}:{offset[3:]}",
        "starttime": local(window.start, zone),
        "endtime": local(window.end, zone),
        "count": count,
    }


def reply(calls: Sequence[Raw], window: Window, zone: str = BRISBANE, /, **odd: Any) -> bytes:
    """Write a whole reply; ``odd`` sets or adds fields of the envelope."""
    whole = {**envelope(window, len(calls), zone), "calls": list(calls) or None, **odd}
    return json.dumps(whole, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Truth:
    """What the calls of a span add up to, by plain arithmetic on the raw records."""

    calls: int
    connected: int
    charged: int
    seconds: int
    cost: Decimal
    ids: tuple[str, ...]


def truth(calls: Iterable[Raw], start: int, end: int) -> Truth:
    """Add up the well-formed calls with ``start <= unixtime < end``."""
    inside = [c for c in calls if start <= c["unixtime"] < end]
    costs = [Decimal(c["cost"]) for c in inside]
    return Truth(
        len(inside),
        sum(c["status"] == "Connected." for c in inside),
        sum(cost != 0 for cost in costs),
        sum(c["duration"] for c in inside),
        sum(costs, Decimal(0)),
        tuple(sorted(str(c["callid"]) for c in inside)),
    )


class Wire:
    """A server of raw bytes on loopback: each connection reads one request, then a script talks.

    ``talk`` gets the number of the connection and the socket; the connection is closed after
    it. What came in is kept in ``requests``.
    """

    def __init__(self, talk: Callable[[int, socket.socket], None]) -> None:
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    @classmethod
    def saying(cls, *answers: bytes) -> Self:
        """Answer with these bytes, the last ones again and again, and hang up each time."""
        return cls(lambda n, peer: peer.sendall(answers[min(n, len(answers) - 1)]))

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._listen, daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake an accept() or a recv() that is waiting.
        for waiting in (self._listener, *self._peers):
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _listen(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            peer.settimeout(10)
            number = len(self.requests)
            self.requests.append(_request(peer))
            self._talk(number, peer)
            # Data of ours that is still on its way would be lost by a reset, not by an end.
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass


def _request(peer: socket.socket) -> bytes:
    """Read one request: the head, and as much body as it says."""
    sent = b""
    while b"\r\n\r\n" not in sent:
        part = peer.recv(65536)
        if not part:
            return sent
        sent += part
    head, _, body = sent.partition(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while lengths and len(body) < lengths[0]:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


def http(body: bytes, *headers: str, status: str = "200 OK", length: bool = True) -> bytes:
    """Write an HTTP answer; without ``length`` it ends with the connection."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


@contextlib.contextmanager
def carrier(base_url: str, key: str = KEY, **more: Any) -> Iterator[Carrier]:
    """Connect with little patience, so that a test of failures is quick."""
    with Carrier(base_url, Secret(key), **{"patience": IMPATIENT, **more}) as connected:
        yield connected


def ask(base_url: str, window: Window, key: str = KEY, **more: Any) -> RawResponse:
    """Ask for one window and take whatever whole reply comes."""
    with carrier(base_url, key, **more) as connected:
        return connected.ask(window, lambda raw: raw)
