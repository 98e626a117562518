"""The carrier's API, ``calls/list``: one window in, one whole reply out. The thin client.

It sends one kind of request and trusts nothing about the answer: the key goes in the body of
a POST to the configured host and nowhere else; redirects are not followed, since they would
carry it away; no proxy or ``.netrc`` of the machine is used unless configured. The body is
read undecoded and unpacked here, because the usual libraries take a gzip stream that was cut
for a whole one. What the calls mean is none of this module's business.
"""

from __future__ import annotations

import email.utils
import json
import random
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlencode

import requests
import urllib3

from maxo_reports.core.period import Window
from maxo_reports.core.text import counted
from maxo_reports.deadline import Watch, WatchedAdapter, watched
from maxo_reports.errors import CarrierError, Garbled, Refused, Unreachable

LIMIT = 10_000
"""The most records one reply can carry, and what is asked for; the API page's own maximum."""

_LARGEST_REPLY = 256 * 1024 * 1024
_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_LONGEST_SAID = 200
_SHORTEST_KEY = 8
"""A shorter key could stand in any text by chance, and is not looked for."""


class Secret:
    """An API key that does not show itself: its text must be asked for with ``reveal``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the key itself; only the request body is made from it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def redact(self, text: str) -> str:
        """Take the key out of a text that is going to be shown or kept."""
        return text.replace(self._text, "***") if self._text else text

    def is_in(self, document: str) -> bool:
        """Tell whether a JSON document repeats the key, also with its slashes escaped."""
        if len(self._text) < _SHORTEST_KEY:
            return False
        escaped = json.dumps(self._text)[1:-1]
        return any(k in document for k in {self._text, escaped, escaped.replace("/", "\\/")})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to ask again. All times in seconds."""

    connect: float = 10.0
    read: float = 60.0
    whole: float = 180.0
    """From the first byte asked to the last byte read; a server that drips is cut off here."""
    tries: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 120.0
    """A server may ask for a longer wait than ours, but not for an endless one."""


@dataclass(frozen=True, slots=True)
class RawResponse:
    """One whole successful reply, unpacked but not read: its window, body and the try it took.

    ``packed`` tells whether it came compressed.
    """

    window: Window
    body: bytes
    tries: int
    packed: bool = False


class Refusal(Protocol):
    """Told of every failed try: the window, the number of the try, why, and the wait to come."""

    def __call__(self, window: Window, tried: int, why: CarrierError, wait: float) -> None:
        """Take note of one failed try; ``wait`` is in seconds, 0 when giving up."""
        ...


Accepted = TypeVar("Accepted")


class Carrier:
    """A connection to one account's ``calls/list``. Not shared between threads."""

    def __init__(
        self,
        base_url: str,
        key: Secret,
        *,
        patience: Patience | None = None,
        trust_environment: bool = False,
        user_agent: str = "maxo-reports",
        sleep: Callable[[float], object] | None = None,
        told: Refusal | None = None,
        form: bool = False,
    ) -> None:
        """``form`` posts a form in place of a JSON document; only a probe tries that."""
        self._given_up = threading.Event()
        self._watch: Watch | None = None
        self._url = base_url.rstrip("/") + "/calls/list"
        self._key = key
        self._patience = patience or Patience()
        self._sleep = sleep or self._given_up.wait
        self._told = told
        self._write: Callable[[dict[str, int | str]], str] = urlencode if form else json.dumps
        self._session = requests.Session()
        self._session.trust_env = trust_environment
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "Content-Type": _FORM if form else _JSON,
                "User-Agent": user_agent,
            }
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def give_up(self) -> None:
        """End the request that is under way, and ask for nothing more; from any thread.

        Whoever waits in ``ask`` gets ``Unreachable``. Without it a person who interrupts a run
        would sit out every time limit of a carrier that hangs.
        """
        self._given_up.set()
        if (watch := self._watch) is not None:
            watch.end()

    def ask(
        self,
        window: Window,
        accept: Callable[[RawResponse], Accepted],
        also: Mapping[str, int | str] | None = None,
        *,
        tries: int | None = None,
    ) -> Accepted:
        """Ask for the calls of one window until ``accept`` takes the reply.

        ``also`` are further parameters of the API, such as ``{"chargesOnly": 1}``; with a
        filter, the reply proves nothing about the window and is good for a cross-check only.
        ``tries`` asks less often than the settings allow.

        ``accept`` gets each whole successful reply, and raises ``Garbled`` to have it asked
        for again. Raises ``Refused`` at once where another try would not help, and the last
        ``Unreachable`` or ``Garbled`` when the tries are used up.
        """
        most = min(tries or self._patience.tries, self._patience.tries)
        tried = 0
        while True:
            tried += 1
            if self._given_up.is_set():
                raise Unreachable("the run was stopped")
            try:
                body, packed = self._exchange(window, also or {})
                return accept(RawResponse(window, body, tried, packed))
            except (Unreachable, Garbled) as why:
                last = tried >= most or self._given_up.is_set()
                wait = 0.0 if last else self._wait(tried, why)
                if self._told is not None:
                    self._told(window, tried, why, wait)
                if last:
                    kind = type(why)
                    said = f"{why} (asked {counted(tried, 'time')}; try again later)"
                    raise kind(said) from None
                self._sleep(wait)

    def _wait(self, tried: int, why: CarrierError) -> float:
        """Return the seconds to wait: what the server asks for, or ever longer with jitter."""
        patience = self._patience
        if isinstance(why, Unreachable) and why.retry_after is not None:
            return min(float(why.retry_after), patience.longest_retry_after)
        longest = min(patience.longest_wait, patience.first_wait * 2.0 ** (tried - 1))
        return longest * (0.5 + _jitter() / 2)

    def _exchange(self, window: Window, also: Mapping[str, int | str]) -> tuple[bytes, bool]:
        """Send one request; return the whole unpacked body of a 200 and if it was packed."""
        question: dict[str, int | str] = {
            "key": self._key.reveal(),
            "startTime": window.start,
            "endTime": window.end,
            "outputFormat": "json",
            "limit": LIMIT,
            **also,
        }
        patience = self._patience
        trouble: CarrierError | None = None
        with watched(patience.whole) as watch:
            self._watch = watch
            try:
                if self._given_up.is_set():
                    watch.end()
                response = self._session.post(
                    self._url,
                    data=self._write(question),
                    timeout=(patience.connect, patience.read),
                    allow_redirects=False,
                    stream=True,
                )
                encoding = response.headers.get("Content-Encoding", "").strip().lower()
                with response:
                    body = _unpack(response.raw, encoding)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as problem:
                trouble = Unreachable(self._why(problem))
            except ValueError as problem:
                trouble = Garbled(f"the answer cannot be read ({type(problem).__name__})")
            except Garbled as problem:
                trouble = problem
            finally:
                self._watch = None
            if watch.late:
                # Our own hanging up shows in many ways, even as the end of a body that has no
                # other mark of its end.
                trouble = Unreachable(
                    "the run was stopped"
                    if self._given_up.is_set()
                    else f"no whole answer within {patience.whole:g} seconds"
                )
        # Raised out here, where no exception stands behind it that holds the request and its key.
        if trouble is not None:
            raise trouble
        if response.status_code != requests.codes.ok:
            raise self._refusal(response.status_code, response.headers, body)
        self._inspect(body)
        return body, encoding.endswith("gzip")

    def _inspect(self, body: bytes) -> None:
        """Refuse a body that must not be kept: not UTF-8, or holding the API key itself."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise Garbled("the reply is not UTF-8 text") from None
        if self._key.is_in(text):
            raise Refused("the reply repeats the API key; it is not kept and not used")

    def _why(self, problem: Exception) -> str:
        """Say in a few words why no answer came; never with the address or the request."""
        kinds: tuple[tuple[type[Exception], str], ...] = (
            (requests.exceptions.SSLError, "the server's certificate is not trusted"),
            (requests.ConnectTimeout, "the carrier could not be reached in time"),
            (requests.ReadTimeout, "the carrier did not answer in time"),
            (requests.exceptions.ChunkedEncodingError, "the answer was cut off"),
            (urllib3.exceptions.IncompleteRead, "the answer was cut off"),
            (urllib3.exceptions.ProtocolError, "the answer was cut off"),
            (urllib3.exceptions.ReadTimeoutError, "the carrier did not answer in time"),
            (requests.ConnectionError, "the carrier could not be reached"),
        )
        said = next((words for kind, words in kinds if isinstance(problem, kind)), "")
        return said or f"the connection failed ({type(problem).__name__})"

    def _refusal(self, status: int, headers: Mapping[str, str], body: bytes) -> CarrierError:
        """Turn an answer that is no 200 into what it means for the user."""
        # Redacted before it is cut: half a key would no longer be known as one.
        said = self._key.redact(_reason(body))[:_LONGEST_SAID]
        reason = f" (it says: {said})" if said else ""
        if status == requests.codes.too_many_requests or status >= 500:
            meaning = "is busy" if status == requests.codes.too_many_requests else "has a fault"
            message = f"the carrier's server {meaning}, HTTP {status}{reason}"
            return Unreachable(message, _retry_after(headers))
        if 300 <= status < 400:
            return Refused(
                f"the server redirects (HTTP {status}) to another address; this is not followed, "
                "since it would carry the API key there: correct base_url in maxo.toml",
                status,
            )
        meaning = _MEANINGS.get(status, "the carrier refused the request")
        return Refused(f"{meaning}, HTTP {status}{reason}", status)


_MEANINGS = {
    400: "the carrier found the request incomplete or wrong",
    401: "the carrier does not know this API key: check the key of this account",
    403: (
        "this API key may not read calls: give it the permission "
        '"Call History/Get Call History" in the My Account Portal'
    ),
    404: "there is no calls/list at this address: check base_url in maxo.toml",
}


def _jitter() -> float:
    """Return a number from 0 to 1 that keeps many clients from asking in step."""
    return random.random()  # noqa: S311 - no secret depends on it


def _reason(body: bytes) -> str:
    """Return the carrier's own words from an error reply, on one printable line."""
    try:
        refusal = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(refusal, dict):
        return ""
    words = " - ".join(str(refusal[key]) for key in ("error", "reason") if refusal.get(key))
    printable = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(printable.split())


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Read Retry-After as seconds; a date or a number that makes no sense counts as not given."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    date = headers.get("Date", "")
    try:
        until = email.utils.parsedate_to_datetime(text)
        asked = email.utils.parsedate_to_datetime(date)
        return max(0, int((until - asked).total_seconds()))
    except (ValueError, TypeError, OverflowError):
        return None


def _unpack(raw: Any, encoding: str) -> bytes:
    """Read a body to its end and unpack it; a gzip stream must be whole and nothing after it.

    urllib3 itself holds the body to Content-Length and to the end of chunks. A body that
    merely ends with the connection has no such mark; there gzip's own trailer, or the closing
    bracket of the JSON, is what tells a cut one.
    """
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise Garbled("the answer is packed in another way than was asked for")
    unpacker = zlib.decompressobj(_GZIP) if encoding.endswith("gzip") else None
    parts: list[bytes] = []
    size = 0
    while chunk := raw.read(_CHUNK, decode_content=False):
        if unpacker is not None:
            try:
                chunk = unpacker.decompress(chunk, _LARGEST_REPLY - size + 1)
            except zlib.error:
                raise Garbled("the packed answer is damaged") from None
            if unpacker.unused_data:
                raise Garbled("the packed answer has something after its end")
        size += len(chunk)
        if size > _LARGEST_REPLY:
            raise Garbled(f"the answer is larger than {_LARGEST_REPLY:,} bytes")
        parts.append(chunk)
    if unpacker is not None and not unpacker.eof and (size or unpacker.unconsumed_tail):
        raise Garbled("the packed answer was cut off")
    return b"".join(parts)
