"""The open questions: what the API page leaves open, and what we rely on all the same.

Each has one ``Line`` in the table of a probe: what a real account showed, whether that is as
relied on, and what a difference means for reports. Some things are relied on in no way; they
are asked since a person who knows them reads the carrier's replies better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["as relied on", "differs", "cannot be told"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, what we rely on, and what it means for reports when it is otherwise."""

    asks: str
    relied: str
    means: str


@dataclass(frozen=True, slots=True)
class Line:
    """One answered question; ``means`` is said of a difference only."""

    name: str
    seen: str
    verdict: Verdict
    means: str = ""

    @property
    def question(self) -> Question:
        """What was asked."""
        return QUESTIONS[self.name]


_NO_REPORT = "No report can be made"
_EITHER_WAY = "either way will do"

QUESTIONS: Mapping[str, Question] = {
    "post": Question(
        "POST with a JSON body",
        "it is answered",
        f"{_NO_REPORT}: check base_url in maxo.toml; if it is right, ask the carrier to take a "
        "POST for calls/list (the key is never put into an address).",
    ),
    "unix-seconds": Question(
        "startTime and endTime in unix seconds",
        "they are taken",
        f"{_NO_REPORT}: the carrier answers for another time than was asked.",
    ),
    "echo": Question(
        "starttime and endtime in the reply",
        "they are what was asked",
        f"{_NO_REPORT}: every reply is refused, since it says that it answers another span.",
    ),
    "zone": Question(
        "timezone in the reply",
        "it is that of maxo.toml",
        f"{_NO_REPORT} until timezone in maxo.toml is the carrier's: months would begin and end "
        "at other moments.",
    ),
    "start": Question(
        "A call at startTime",
        "it is in the reply",
        "Calls in the first second of a request are missing from the reports.",
    ),
    "end": Question(
        "A call at endTime",
        "it is not in the reply",
        "Calls between two requests come twice: each is counted once and the figures are right, "
        "but runs end with a warning (outside-window).",
    ),
    "order": Question("Order of the calls", "any will do", ""),
    "limit": Question(
        "A reply that limit cuts",
        "it holds as many calls as limit says",
        "A reply that was cut is taken for a whole one: calls are missing from the reports.",
    ),
    "kept": Question(
        "Which calls a cut reply keeps",
        "any will do",
        "The calls change between two requests: see The same question twice.",
    ),
    "count": Question(
        "count in a reply that is cut",
        "it is the number of calls in it",
        "A cut reply is refused, so no report can be made of a period with 10,000 calls or more.",
    ),
    "above-limit": Question("limit=10001", f"never asked: {_EITHER_WAY}", ""),
    "empty": Question(
        "calls, where there are none",
        "it is null or [], and count 0",
        f"{_NO_REPORT} where a request meets no calls: such a reply is refused.",
    ),
    "shape": Question(
        "Replies",
        "they keep the API page's rules",
        f"{_NO_REPORT} from such a reply: it is refused.",
    ),
    "fields": Question(
        "Fields of a call",
        "they are those of the API page",
        "Reports list them as findings (unknown-field, missing-field).",
    ),
    "clock": Question(
        "datetime",
        "it agrees with unixtime and timezone",
        "Reports go by unixtime and list these calls (clock-differs): if datetime is the right "
        "one, days and ends of months are off.",
    ),
    "cost": Question(
        "cost",
        "it is a plain decimal, as text or number",
        "Such calls are counted and listed (cost-unreadable), but their cost is in no total.",
    ),
    "direction": Question(
        "Words of direction",
        "they are known",
        "Such calls stand under a direction of that word and belong to no service number.",
    ),
    "status": Question(
        "Words of status",
        "they are known",
        "Calls of an unknown status are not counted as connected.",
    ),
    "charges": Question(
        "chargesOnly=1",
        "the charged calls come, and only those",
        "The cross-check of charged calls differs or proves less; no figure comes from it.",
    ),
    "connected": Question(
        "connectedOnly=1",
        "the connected calls come, and only those",
        "The carrier counts other calls as connected than the reports do.",
    ),
    "csv": Question(
        "outputFormat=csv",
        "the same calls come",
        'With crosscheck = "full" a run stops or lists a difference; no figure comes from CSV.',
    ),
    "gzip": Question("Packing with gzip", f"asked for: {_EITHER_WAY}", ""),
    "again": Question(
        "The same question twice",
        "the same calls come",
        "Calls changed within seconds: trust the other answers less, and probe again. While it "
        "is so, a second look differs and packs stay provisional.",
    ),
    "late-pull": Question(
        "Calls of an earlier pull",
        "they are final once settled",
        "A period that was called settled changed: raise settle_hours, and run it again.",
    ),
    "late-probe": Question(
        "Calls of an earlier probe",
        "they are final once settled",
        "Calls change after settle_hours: raise it.",
    ),
}
"""In the order in which they are told."""


def as_relied(name: str, seen: str) -> Line:
    """Return the line of a question whose answer is what we rely on."""
    return Line(name, seen, "as relied on")


def differs(name: str, seen: str, means: str = "") -> Line:
    """Return the line of a question whose answer is another than we rely on."""
    return Line(name, seen, "differs", means or QUESTIONS[name].means)


def untold(name: str, why: str) -> Line:
    """Return the line of a question that this account cannot answer now, and why."""
    return Line(name, why, "cannot be told")


def judged(name: str, seen: str, *, right: bool) -> Line:
    """Return the line of a question that was answered one way or the other."""
    return as_relied(name, seen) if right else differs(name, seen)
