"""Books: an account's calls, each filed under its second and written as the carrier writes it."""

from __future__ import annotations

import json
import tomllib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

_SETTINGS = ("key", "account", "name", "timezone", "period", "as_of")
_WRITER = json.JSONEncoder(separators=(",", ":"))

_Call = Mapping[str, object]
_Place = Callable[[_Call], int]


def php_json(value: object) -> bytes:
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
        filed.append((second, number, text, php_json(call)))
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
