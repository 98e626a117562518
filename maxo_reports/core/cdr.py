"""Call detail records: one reply of ``calls/list`` read strictly, then turned into columns.

The only place that knows the carrier's field names and habits. Two steps:

* ``read_reply`` holds the body to the rules of the API page: one JSON object, ``status`` 1,
  ``count`` equal to the number of calls, ``calls: null`` only with ``count: 0``, no key
  twice, no ``NaN``. A body that breaks a rule is refused (``Garbled``), never mended.
* ``columns`` gives every call its meaning. A value that a rule does not cover is kept,
  marked with a *quirk* and counted; no call is dropped.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

import msgspec

from maxo_reports.core import money, numbering
from maxo_reports.core.period import LocalClock, Window
from maxo_reports.core.text import fits
from maxo_reports.errors import Garbled, Refused

INBOUND = "Inbound"
OUTBOUND = "Outbound"
NONE = "(none)"

_DIRECTIONS = {"in": INBOUND, "inbound": INBOUND, "out": OUTBOUND, "outbound": OUTBOUND}
_CONNECTED = frozenset({"connected", "answered"})
_NOT_CONNECTED = frozenset(
    {"no answer", "busy", "cancelled", "canceled", "failed", "not connected", "unavailable"}
)

# What can be odd about one call. One bit each, so that a call can be odd in several ways and
# the column store can count every way in one pass.
QUIRKS: dict[str, int] = {
    "cost-unreadable": 1 << 0,
    "direction-unknown": 1 << 1,
    "status-unknown": 1 << 2,
    "category-missing": 1 << 3,
    "category-twice": 1 << 4,
    "duration-missing": 1 << 5,
    "duration-unreadable": 1 << 6,
    "clock-differs": 1 << 7,
    "service-number-missing": 1 << 8,
    "text-too-long": 1 << 9,
    "credit": 1 << 10,
}
LONGEST_TEXT = 32_767
"""Characters that a spreadsheet cell can hold; a longer text is marked, and shown cut."""
_SURELY_FITS = LONGEST_TEXT // 10
"""A character that is written out by its number takes ten."""


_ABSENT = msgspec.Raw(b"")


class _Call(msgspec.Struct, gc=False):
    """The carrier's record. Fields without a default must be there, or the reply is refused."""

    callid: int | str
    unixtime: int | str
    direction: str | None
    origin: str | int | None
    destination: str | int | None
    status: str | None
    duration: int | str | None
    cost: msgspec.Raw
    datetime: str | None = None
    rate: str | None = None
    inboundrate: str | None = None
    recording: msgspec.Raw = _ABSENT
    statid: msgspec.Raw = _ABSENT


class _Envelope(msgspec.Struct, gc=False):
    """The carrier's reply around the calls."""

    status: int
    timezone: str
    starttime: str
    endtime: str
    count: int
    calls: list[_Call] | None
    request: str = ""
    offset: str = ""


_OPTIONAL = {"rate": None, "inboundrate": None, "datetime": None}
"""Optional fields that mean something to us, and what stands there when they are missing."""
_NEEDED = (
    *("callid", "unixtime", "direction", "origin", "destination", "status", "duration"),
    *("cost", "rate", "inboundrate"),
)
_KNOWN = frozenset(_Call.__struct_fields__) | {"duration_hr"}
_DECODER = msgspec.json.Decoder(_Envelope)
_SPACE_BEFORE_COLON = re.compile(rb'"[ \t\r\n]+:')


class Touched(NamedTuple):
    """How many calls something is about, and what they cost together, in micro-dollars.

    A cost that cannot be read counts as nothing here; it is a finding of its own.
    """

    calls: int = 0
    micros: int = 0

    def more(self, calls: int, micros: int) -> Touched:
        """Return this and some more calls."""
        return Touched(self.calls + calls, self.micros + micros)


@dataclass(frozen=True, slots=True)
class Echo:
    """What the reply says it answers: local start and end texts, and their zone."""

    start: str
    end: str
    zone: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply that keeps the rules.

    ``unknown_fields`` has the calls per field that we do not know, ``missing_fields`` those per
    optional field that is not there. ``echo`` is None for CSV, which says nothing of itself.
    """

    echo: Echo | None
    count: int
    calls: Sequence[_Call]
    unknown_fields: dict[str, Touched]
    missing_fields: dict[str, Touched] = field(default_factory=dict)

    def moments(self) -> list[int]:
        """Return each call's unix second, in the reply's own order."""
        return [_whole(call.unixtime, "unixtime", call.callid) for call in self.calls]


def read_reply(body: bytes) -> Reply:
    """Read one successful reply of ``calls/list``, or refuse it with the rule that it breaks."""
    try:
        envelope = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise Garbled(_why_unreadable(body, problem)) from None
    unknown = _extra_fields(body, envelope)
    if envelope.status != 1:
        message = f"the reply says status {envelope.status}, not 1, although it came as a success"
        raise Garbled(message)
    if envelope.request and envelope.request.strip("/") != "calls/list":
        message = f"the reply answers {envelope.request[:40]!r}, not calls/list"
        raise Garbled(message)
    calls = envelope.calls
    if calls is None:
        if envelope.count != 0:
            message = f"the reply counts {envelope.count} calls but holds none"
            raise Garbled(message)
        calls = []
    if envelope.count != len(calls):
        message = f"the reply counts {envelope.count} calls but holds {len(calls)}"
        raise Garbled(message)
    echo = Echo(envelope.starttime, envelope.endtime, envelope.timezone)
    return Reply(echo, envelope.count, calls, unknown, _missing(calls))


def read_csv(body: bytes) -> Reply:
    """Read one CSV reply with its headings, for a cross-check.

    CSV holds no count and a cut one looks whole, so calls are never taken from it. An empty
    body is a period without calls.
    """
    lines = csv.DictReader((f"{line}\n" for line in body.decode().split("\n")), strict=True)
    try:
        lines.fieldnames = [name.strip().lower() for name in lines.fieldnames or ()]
        missing = [name for name in _NEEDED if name not in lines.fieldnames]
        if missing and body.strip():
            raise Garbled(f"the CSV has no column {missing[0]!r}")
        calls = [_from_csv(line) for line in lines]
    except (csv.Error, KeyError, AttributeError, TypeError) as problem:
        raise Garbled(f"the CSV cannot be read ({problem})") from None
    return Reply(None, len(calls), calls, {})


def _from_csv(line: Mapping[str, str]) -> _Call:
    texts = {name: line[name] for name in _NEEDED}
    for name in ("callid", "unixtime", "duration"):
        texts[name] = texts[name].strip()
    cost = msgspec.Raw(msgspec.json.encode(texts.pop("cost")))
    return _Call(cost=cost, **texts)  # type: ignore[arg-type]


def _missing(calls: Sequence[_Call]) -> dict[str, Touched]:
    """Find the calls that lack an optional field."""
    absent: dict[str, Touched] = {}
    for name, default in _OPTIONAL.items():
        lacking = [call for call in calls if getattr(call, name) is default]
        if lacking:
            costs = (_cost(bytes(call.cost))[0] or 0 for call in lacking)
            absent[name] = Touched(len(lacking), sum(costs))
    return absent


def _why_unreadable(body: bytes, problem: Exception) -> str:
    """Say in one line what came instead of a reply, without showing any of the calls."""
    if not body.strip():
        return "the reply is empty"
    if body.lstrip()[:1] == b"<":
        return "the reply is a web page, not JSON"
    try:
        refusal = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return f"the reply is no whole JSON document ({problem})"
    if bytes(refusal.get("status", b"")) == b"0":
        words = (bytes(refusal.get(key, b"")) for key in ("error", "reason"))
        said = " ".join(word.decode(errors="replace") for word in words)
        return f"the reply came as a success but says status 0: {said[:200]}"
    return f"the reply is not of the documented shape: {problem}"


def _extra_fields(body: bytes, envelope: _Envelope) -> dict[str, Touched]:
    """Find fields that we do not know, and refuse a key that stands twice in one object.

    The typed decoder passes over both. A body in which every call has exactly our fields holds
    a known number of keys; where the number of ``":`` agrees, no key can be twice or unknown,
    which spares nearly every reply the slower look. (With an escaped quote or a space before
    a colon in the body, counting proves nothing, and the slower look decides.)
    """
    calls = envelope.calls or []
    expected = len(_Envelope.__struct_fields__) + len(calls) * len(_Call.__struct_fields__)
    plain = b'\\"' not in body and _SPACE_BEFORE_COLON.search(body) is None
    if plain and body.count(b'":') == expected and _all_fields_present(envelope):
        return {}
    unknown: dict[str, Touched] = {}

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in found]
        if len(set(keys)) != len(keys):
            twice = next(key for key, times in Counter(keys).items() if times > 1)
            message = f"the reply holds the key {twice[:40]!r} twice in one object"
            raise Garbled(message)
        call = dict(found)
        if "callid" in keys:
            micros = money.micros_from_text(str(call.get("cost"))) or 0
            for key in keys:
                if key not in _KNOWN:
                    unknown[key] = unknown.get(key, Touched()).more(1, micros)
        return call

    try:
        json.loads(body, object_pairs_hook=pairs, parse_float=str)
    except (ValueError, RecursionError) as problem:
        message = f"the reply is no whole JSON document ({problem})"
        raise Garbled(message) from None
    return dict(sorted(unknown.items()))


def _all_fields_present(envelope: _Envelope) -> bool:
    """Tell whether every optional field is there, so that the key count above means something.

    One that is missing would make room in the count for a key that stands twice.
    """
    if not envelope.request or not envelope.offset:
        return False
    return all(
        call.datetime is not None
        and call.rate is not None
        and call.inboundrate is not None
        and call.recording is not _ABSENT
        and call.statid is not _ABSENT
        for call in envelope.calls or ()
    )


def check_echo(echo: Echo, window: Window, zone: str) -> None:
    """Refuse a reply that answers another span than was asked, or reads it in another zone.

    Another span is ``Garbled``, which is asked again; another zone is ``Refused`` at once, since
    it is the settings that have to change.
    """
    if echo.zone != zone:
        message = (
            f"the carrier keeps this account in time zone {echo.zone[:60]!r}, but maxo.toml says "
            f"{zone!r}: set timezone to the carrier's, or the month begins at another moment"
        )
        raise Refused(message)
    clock = LocalClock.over(zone, window.start, window.end)
    for word, said, asked in (
        ("start", echo.start, clock.text(window.start)),
        ("end", echo.end, clock.text(window.end)),
    ):
        if said != asked:
            message = f"the reply's {word} is {said[:40]!r} where {asked!r} ({zone}) was asked for"
            raise Garbled(message)


@dataclass(slots=True)
class CallColumns:
    """The calls of one reply in columns, in the reply's own order.

    ``cost`` is in micro-dollars, None where it cannot be read (its text is in ``cost_text``);
    ``seconds`` is None where the carrier gave no duration; ``quirks`` holds QUIRKS bits.
    """

    call_id: list[str] = field(default_factory=list)
    unixtime: list[int] = field(default_factory=list)
    direction: list[str] = field(default_factory=list)
    a_party: list[str] = field(default_factory=list)
    b_party: list[str] = field(default_factory=list)
    service_number: list[str] = field(default_factory=list)
    category: list[str] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    connected: list[bool] = field(default_factory=list)
    seconds: list[int | None] = field(default_factory=list)
    cost: list[int | None] = field(default_factory=list)
    cost_text: list[str] = field(default_factory=list)
    quirks: list[int] = field(default_factory=list)


def columns(reply: Reply, clock: LocalClock) -> CallColumns:
    """Give every call of a reply its meaning; ``clock`` is the account's local time."""
    out = CallColumns()
    read = _Reader(clock)
    for call in reply.calls:
        read.one(call, out)
    return out


class _Reader:
    """Reads calls one by one and remembers each text it has met: they repeat by the thousand."""

    def __init__(self, clock: LocalClock) -> None:
        self._clock = clock
        self._costs = _Memo(_cost)
        self._numbers = _Memo(numbering.compact)
        self._directions = _Memo(_direction)
        self._statuses = _Memo(_status)
        self._days = _Memo(_seconds_at_midnight)
        self._times = _Memo(_seconds_of_day)

    def one(self, call: _Call, out: CallColumns) -> None:
        """Add one call to the columns."""
        quirks = 0
        call_id = str(call.callid)
        if not call_id.strip():
            message = "the reply holds a call without a callid: repeats could not be told apart"
            raise Garbled(message)
        unixtime = _whole(call.unixtime, "unixtime", call_id)
        direction, odd = self._directions[call.direction or ""]
        quirks |= odd
        a_party, b_party = _text(call.origin), _text(call.destination)
        own = a_party if direction == OUTBOUND else b_party if direction == INBOUND else ""
        service_number = self._numbers[own] or NONE
        if service_number == NONE:
            quirks |= QUIRKS["service-number-missing"]
        category, odd = _category(call.rate or "", call.inboundrate or "", direction)
        quirks |= odd
        status, connected, odd = self._statuses[call.status or ""]
        quirks |= odd
        seconds, odd = _duration(call.duration)
        quirks |= odd
        cost, cost_text, odd = self._costs[bytes(call.cost)]
        quirks |= odd
        if call.datetime is not None and not self._same_moment(call.datetime, unixtime):
            quirks |= QUIRKS["clock-differs"]
        texts = (call_id, a_party, b_party, category, status, direction)
        if max(map(len, texts)) > _SURELY_FITS and not all(map(_fits, texts)):
            quirks |= QUIRKS["text-too-long"]
        out.call_id.append(call_id)
        out.unixtime.append(unixtime)
        out.direction.append(direction)
        out.a_party.append(a_party)
        out.b_party.append(b_party)
        out.service_number.append(service_number)
        out.category.append(category)
        out.status.append(status)
        out.connected.append(connected)
        out.seconds.append(seconds)
        out.cost.append(cost)
        out.cost_text.append(cost_text)
        out.quirks.append(quirks)

    def _same_moment(self, text: str, unixtime: int) -> bool:
        """Tell whether the carrier's local text names the same second as its unix time."""
        midnight, time_of_day = self._days[text[:10]], self._times[text[10:]]
        if midnight is None or time_of_day is None:
            return False
        return midnight + time_of_day == unixtime + self._clock.offset(unixtime)


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _Memo(dict[_Key, _Value]):
    """A dictionary that works a missing value out once and keeps it."""

    def __init__(self, make: Callable[[_Key], _Value]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _Key) -> _Value:
        value = self[key] = self._make(key)
        return value


def _whole(value: int | str, name: str, call_id: int | str) -> int:
    """Read a whole number of twelve digits at most; a longer one would fit no column."""
    if isinstance(value, int):
        if abs(value) < 10**12:
            return value
        message = f"call {call_id}: {name} is too large to be a time"
        raise Garbled(message)
    if value.isascii() and value.isdigit() and len(value) <= 12:
        return int(value)
    message = f"call {call_id}: {name} is {value[:40]!r}, not a whole number"
    raise Garbled(message)


def _fits(value: str) -> bool:
    return fits(value, LONGEST_TEXT)


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _direction(raw: str) -> tuple[str, int]:
    known = _DIRECTIONS.get(raw.strip().casefold())
    if known is not None:
        return known, 0
    return raw or NONE, QUIRKS["direction-unknown"]


def _category(rate: str, inboundrate: str, direction: str) -> tuple[str, int]:
    if rate and inboundrate:
        return (inboundrate if direction == INBOUND else rate), QUIRKS["category-twice"]
    if rate or inboundrate:
        return rate or inboundrate, 0
    return NONE, QUIRKS["category-missing"]


def _status(raw: str) -> tuple[str, bool, int]:
    word = raw.strip().rstrip(".").casefold()
    if word in _CONNECTED:
        return raw, True, 0
    return raw or NONE, False, 0 if word in _NOT_CONNECTED else QUIRKS["status-unknown"]


def _duration(value: int | str | None) -> tuple[int | None, int]:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        value = int(value)
    if value is None or value == "":
        return None, QUIRKS["duration-missing"]
    if isinstance(value, str) or not 0 <= value <= 999_999_999:
        return None, QUIRKS["duration-unreadable"]
    return value, 0


def _cost(raw: bytes) -> tuple[int | None, str, int]:
    """Read the cost from the JSON as it was written: ``"0.25"`` or ``0.05``, never via a float."""
    text = raw.decode()
    if text.startswith('"'):
        text = str(msgspec.json.decode(raw))
    micros = money.micros_from_text(text)
    if micros is None:
        return None, text, QUIRKS["cost-unreadable"]
    return micros, "", QUIRKS["credit"] if micros < 0 else 0


def _seconds_at_midnight(text: str) -> int | None:
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days * 86_400
    except ValueError:
        return None


_TIME = re.compile(r"[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})", re.ASCII)


def _seconds_of_day(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
