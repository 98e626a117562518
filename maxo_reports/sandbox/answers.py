"""Answers: a request's parameters are read, its calls selected, and a reply written or refused.

What the API page leaves open is settled here in one way, so that a test may rely on it, unless
``habits`` settle it in another:

* a switch other than 0 or 1 is refused; an end equal to the start is an empty, valid span;
* ``chargesOnly=1`` keeps calls whose cost is not zero, so also credits;
* ``connectedOnly=1`` keeps the status ``Connected.``; ``waitForActiveCalls`` never waits;
* CSV holds the page's fields in the page's order, and nothing at all where there is no call.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Literal
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from maxo_reports.sandbox.book import Book, php_json
from maxo_reports.sandbox.habits import MOST_CALLS, Habits

Order = Literal["oldest", "newest", "shuffled"]

HEADINGS = (
    "callid,datetime,unixtime,direction,origin,destination,rate,inboundrate,status,duration,"
    "duration_hr,cost,recording,statid"
)
"""The fields of a call in the order of the API page's table, which is the order of the CSV."""

SWITCHES = ("chargesOnly", "connectedOnly", "humanReadable", "showHeadings", "waitForActiveCalls")


@dataclass(frozen=True, slots=True)
class Question:
    """A request that can be answered; ``on`` holds the switches that are 1."""

    book: Book
    start: int
    end: int
    limit: int
    as_csv: bool
    on: frozenset[str]
    habits: Habits

    def local(self, moment: int) -> str:
        """Write a unix second in the account's zone, with its offset from the 20th character."""
        return datetime.fromtimestamp(moment, ZoneInfo(self.book.timezone)).isoformat(" ")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes over the wire, before gzip and before a wire fault."""

    status: int
    body: bytes
    kind: str = "application/json"
    count: int = 0
    question: Question | None = None


class RefusedError(Exception):
    """The carrier's no, as it is answered."""

    def __init__(self, status: int, error: str, reason: str, request: str = "calls/list") -> None:
        super().__init__(reason)
        echo = {"request": request} if request else {}
        body = php_json({"status": 0, **echo, "error": error, "reason": reason})
        self.answer = Answer(status, body)


def invalid(reason: str) -> RefusedError:
    """Return the refusal of a parameter or a body that cannot be used."""
    return RefusedError(400, "VALIDATION", reason)


def read_body(body: bytes, content_type: str, *, reads_json: bool) -> dict[str, str]:
    """Read the parameters of a POST: a JSON object, or a form."""
    if "json" not in content_type.lower():
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if not reads_json:
        return {}
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise invalid("The body must be a JSON object")
    known = ((name, value) for name, value in sent.items() if value is not None)
    return {name: str(int(v) if isinstance(v, bool) else v) for name, v in known}


def read_question(sent: Mapping[str, str], books: Mapping[str, Book], habits: Habits) -> Question:
    """Check the key, then every parameter; the first mistake is refused."""
    if not sent.get("key"):
        raise invalid("API key is required")
    book = books.get(sent["key"])
    if book is None:
        # The one answer in which the real carrier does not name the request.
        raise RefusedError(401, "AUTHENTICATION", "Invalid API Key", request="")
    if not book.permitted:
        raise RefusedError(403, "PERMISSION", "The API key lacks the permission Get Call History")
    start = _read_moment("startTime", sent, book.timezone, habits.time_unit)
    end = _read_moment("endTime", sent, book.timezone, habits.time_unit)
    if end < start:
        raise invalid("endTime is before startTime")
    limit = sent.get("limit", str(MOST_CALLS))
    if not re.fullmatch("[0-9]{1,5}", limit) or not 1 <= int(limit) <= habits.largest_limit:
        raise invalid(f"limit must be 1 to {habits.largest_limit}")
    shape = sent.get("outputFormat", "json")
    if shape not in {"json", "csv"}:
        raise invalid("outputFormat must be json or csv")
    for name in SWITCHES:
        if sent.get(name, "0") not in {"0", "1"}:
            raise invalid(f"{name} must be 0 or 1")
    on = frozenset(name for name in SWITCHES if sent.get(name) == "1")
    book = habits.echoing(book)
    return Question(book, start, end, int(limit), shape == "csv", on, habits)


def _read_moment(name: str, sent: Mapping[str, str], timezone: str, unit: int) -> int:
    """Read unix seconds, or a date and time; without an offset it is the account's local time."""
    text = sent.get(name, "").strip()
    if not text:
        raise invalid(f"{name} is required")
    if re.fullmatch("[0-9]{1,11}", text):
        return int(text) // unit
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
    raise invalid(f"{name} cannot be read")


def reply(question: Question, order: Order, seed: int, fault: str | None) -> Answer:
    """Answer a question, with those of the faults that make a reply untrue but whole."""
    rows, count = _select(question, order, seed)
    if fault == "drop-row" and rows:
        del rows[len(rows) // 2]
        count -= 1
    if "humanReadable" in question.on:
        rows = [_with_duration_text(row) for row in rows]
    if question.as_csv:
        return Answer(200, _csv_reply(question, rows), "text/csv", len(rows), question)
    body = _json_reply(question, rows, count + (fault == "wrong-count"), fault)
    return Answer(200, body, count=len(rows), question=question)


def _select(question: Question, order: Order, seed: int) -> tuple[list[bytes], int]:
    """Find the calls, put them in order, and only then cut at the limit; count them, too."""
    book, habits = question.book, question.habits
    places = habits.places(book, question.start, question.end)
    if order == "newest":
        places = places[::-1]
    elif order == "shuffled":
        places = list(places)
        # Seeded with the question: the same question gets the same answer.
        Random(f"{seed}:{question.start}:{question.end}").shuffle(places)  # noqa: S311, RUF100
    found: Iterable[int] = places
    if habits.heeds_filters and question.on & {"chargesOnly", "connectedOnly"}:
        found = (place for place in places if _wanted(book.rows[place], question.on))
    kept, count = habits.cut(found, question.limit)
    return [habits.written(book.rows[place]) for place in kept], count


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
    return php_json(call)


def _json_reply(question: Question, rows: Sequence[bytes], count: int, fault: str | None) -> bytes:
    start = question.local(question.start)
    echoed = question.local(question.start + 3600) if fault == "wrong-span" else start
    head = {
        "status": 1,
        "request": "calls/list",
        "timezone": question.book.timezone,
        "offset": start[19:],
        "starttime": echoed[:19],
        "endtime": question.local(question.end - question.habits.echo_end_earlier)[:19],
        "count": count,
    }
    calls = b"[" + b",".join(rows) + b"]" if rows else question.habits.empty.encode()
    return php_json(head)[:-1] + b',"calls":' + calls + b"}"


def _csv_reply(question: Question, rows: Sequence[bytes]) -> bytes:
    human = "humanReadable" in question.on
    fields = [name for name in HEADINGS.split(",") if human or name != "duration_hr"]
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    if rows and "showHeadings" in question.on:
        sheet.writerow([question.habits.heading(name) for name in fields])
    for row in rows:
        call = json.loads(row)
        sheet.writerow([call.get(name) for name in fields])
    return text.getvalue().encode()
