"""Asking: one small request after the other, counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TypeVar

from maxo_reports.carrier import Carrier, RawResponse, Refusal
from maxo_reports.core import sight
from maxo_reports.core.period import Window
from maxo_reports.core.sight import Sight
from maxo_reports.errors import CarrierError, Refused

SAMPLE = 1_000
"""The most calls that a reply is asked for, unless a question says otherwise."""
_REPEATS = 2
"""How many requests of a whole probe may fail and be asked again."""

Connect = Callable[[bool, Refusal], Carrier]
"""Opens a connection that posts JSON, or with True a form, and tells of every failed try."""
Also = Mapping[str, int | str]
_NOTHING: Also = {}
Seen = TypeVar("Seen")


class Asking:
    """Asks one request after the other, and counts them."""

    def __init__(self, connect: Connect, told: Refusal, zone: str, opened: ExitStack) -> None:
        self._connect = connect
        self._told = told
        self._opened = opened
        self._failed = 0
        self._repeats = _REPEATS
        self.zone = zone
        self.requests = 0
        self.seen: list[Sight] = []
        """Every JSON reply so far that was not cut."""
        self.post(form=False)

    def post(self, *, form: bool) -> None:
        """Ask from now on with a JSON document, or with a form."""
        self._carrier = self._opened.enter_context(self._connect(form, self._failure))

    def sight(self, window: Window, also: Also = _NOTHING) -> Sight:
        """Ask for a window and look at the JSON reply."""

        def look(raw: RawResponse) -> Sight:
            return sight.look(raw.window, raw.body, self.zone, packed=raw.packed)

        seen = self.ask(window, look, also, 1 + self._repeats)
        if len(seen.calls) < int(also.get("limit", SAMPLE)):
            self.seen.append(seen)
        return seen

    def body(self, window: Window, also: Also) -> bytes:
        """Ask for a window and return the reply as it came."""
        return self.ask(window, lambda raw: raw.body, also, 1 + self._repeats)

    def ask(
        self,
        window: Window,
        read: Callable[[RawResponse], Seen],
        also: Also,
        tries: int = 1,
    ) -> Seen:
        """Ask for a window and read the reply, as often as ``tries`` says."""
        failed = self._failed
        try:
            seen = self._carrier.ask(window, read, {"limit": SAMPLE, **also}, tries=tries)
        except Refused:
            self.requests += 1
            raise
        finally:
            self._repeats -= min(self._failed - failed, tries - 1)
        self.requests += 1
        return seen

    def _failure(self, window: Window, tried: int, why: CarrierError, wait: float) -> None:
        self._failed += 1
        self.requests += 1
        self._told(window, tried, why, wait)


def is_final(no: Refused) -> bool:
    """Tell whether a refusal is our own, or sends us elsewhere: no other question mends that."""
    return no.status is None or no.status < 400
