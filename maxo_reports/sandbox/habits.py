"""Habits: what the API page leaves open, answered the other way.

A fault is a mishap, and the next request may go well; a habit is how this carrier always is. The
defaults are the carrier that the page describes, and the one that ``answers`` settles on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from maxo_reports.sandbox.book import Book, php_json

MOST_CALLS = 10_000
"""The carrier's own limit on the calls of one reply, and the default of ``limit``."""

_COST_TEXT = re.compile(rb'"cost":"(-?[0-9.]+)"')


@dataclass(frozen=True, slots=True)
class Habits:
    """How a carrier answers.

    * ``post_refused_with``: the HTTP status for any POST; 0 takes them. Without ``reads_json``, a
      JSON body counts as no parameters at all. Without ``packs``, no reply is gzip.
    * ``time_unit``: how many of the numbers in startTime and endTime make a second: 1000 reads
      them as milliseconds.
    * ``start_included``, ``end_included``: which edges of the span belong to it.
    * ``echo_end_earlier``: seconds by which the echoed end is earlier than what was asked.
      ``echo_zone``: a zone to say and to write the echo in, other than the account's.
    * ``cut_keeps``: which calls a reply keeps that is cut: the first in the reply's own order, or
      the newest. ``cut_short_by``: how many calls fewer than the limit it then holds.
      ``heeds_limit``: whether it is cut at all. ``counts_true``: whether ``count`` then is the
      number of calls there are. ``largest_limit``: the largest limit that is not refused.
    * ``empty``: what stands for ``calls`` where there are none, as JSON.
    * ``clock_ahead``: seconds by which ``datetime`` is ahead of ``unixtime``.
      ``cost_is_number``: the cost as a JSON number.
    * ``heeds_filters``: whether chargesOnly and connectedOnly do anything.
      ``csv_titles``: headings for people, such as ``Rate Name``, not those of the API page.
    * ``later``: a number of requests, and the book that answers after so many.
    """

    post_refused_with: int = 0
    reads_json: bool = True
    packs: bool = True
    time_unit: int = 1
    start_included: bool = True
    end_included: bool = False
    echo_end_earlier: int = 0
    echo_zone: str = ""
    cut_keeps: Literal["first", "newest"] = "first"
    cut_short_by: int = 0
    heeds_limit: bool = True
    counts_true: bool = False
    largest_limit: int = MOST_CALLS
    empty: str = "null"
    clock_ahead: int = 0
    cost_is_number: bool = False
    heeds_filters: bool = True
    csv_titles: bool = False
    later: tuple[int, Book] | None = None

    def books(self, books: Mapping[str, Book], met: int) -> Mapping[str, Book]:
        """Return the books that answer the request with this running number, from 0."""
        if self.later is None or met < self.later[0]:
            return books
        return {**books, self.later[1].key: self.later[1]}

    def echoing(self, book: Book) -> Book:
        """Return the book as its replies speak of it: in another zone, if that is the habit."""
        return replace(book, timezone=self.echo_zone) if self.echo_zone else book

    def places(self, book: Book, start: int, end: int) -> Sequence[int]:
        """Return the places of the calls in a span, with the edges that belong to it."""
        return book.between(start + (not self.start_included), end + self.end_included)

    def cut(self, places: Iterable[int], limit: int) -> tuple[list[int], int]:
        """Return the places that a reply of that limit holds, and what its ``count`` says."""
        whole = not self.heeds_limit or self.counts_true or self.cut_keeps == "newest"
        # One more than the limit tells that there are more; a whole span can be long.
        found = list(places if whole else islice(places, limit + 1))
        if not self.heeds_limit or len(found) <= limit:
            return found, len(found)
        # Places are in order of time, whatever the reply's own order.
        newest = set(sorted(found)[-limit:])
        kept = [at for at in found if at in newest] if self.cut_keeps == "newest" else found
        kept = kept[: limit - self.cut_short_by]
        return kept, len(found) if self.counts_true else len(kept)

    def written(self, row: bytes) -> bytes:
        """Write a call as this carrier does."""
        if self.clock_ahead:
            call = json.loads(row)
            shown = datetime.fromisoformat(call["datetime"])
            call["datetime"] = str(shown + timedelta(seconds=self.clock_ahead))
            row = php_json(call)
        return _COST_TEXT.sub(rb'"cost":\1', row) if self.cost_is_number else row

    def heading(self, field: str) -> str:
        """Return the CSV's heading of a field."""
        return f"{field} name".title() if self.csv_titles else field
