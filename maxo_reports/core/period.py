"""Billing periods and the windows that tile them: half-open spans of unix seconds.

All arithmetic is done on unix seconds, where an hour is always an hour: subtracting two
local times in the same zone would give 744 hours for Sydney's October 2026, which has 743.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from maxo_reports.errors import UsageError

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)
_RANGE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOUR = 3600
LONGEST_DAYS = 400
_LAST_BILLING_DAY = 28


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """One request's span, ``start <= unixtime < end``, in unix seconds."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """The length of the span in seconds."""
        return self.end - self.start


MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_LONGEST_MONTH = 31


def day_name(day: date) -> str:
    """Write ``31 Oct 2026``, in whatever locale we run."""
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """A half-open span of whole local days in an account's zone.

    ``label`` is what the user calls it (``2026-10``), ``first`` its first day, ``until`` the
    first day after it; ``start`` and ``end`` are the same edges in unix seconds.
    """

    label: str
    first: date
    until: date
    zone: str
    start: int
    end: int

    @property
    def window(self) -> Window:
        """The whole period as one window."""
        return Window(self.start, self.end)

    @property
    def key(self) -> str:
        """A name for folders that says the days and does not depend on the user's word for it."""
        return f"{self.first}..{self.until}"

    @property
    def name(self) -> str:
        """What people call it: a calendar month by its name, else by its first and last day."""
        first = self.first
        if self.is_month:
            return f"{MONTHS[first.month - 1]} {first.year}"
        return f"{day_name(first)} to {day_name(self.last)}"

    @property
    def is_month(self) -> bool:
        """Whether it is a calendar month."""
        days = (self.until - self.first).days
        return self.first.day == self.until.day == 1 and days <= _LONGEST_MONTH

    @property
    def last(self) -> date:
        """The last day that is in the period, for people."""
        return self.until - timedelta(days=1)


def zone_named(name: str) -> ZoneInfo:
    """Return the IANA zone, or refuse the name in one line."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"time zone {name!r} is not known; write an IANA name such as Australia/Brisbane"
        raise UsageError(message) from None


def unix_midnight(day: date, zone: ZoneInfo) -> int:
    """Return the unix second at which a local day begins."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int(local.timestamp())


def parse_period(text: str, zone_name: str, today: date, billing_day: int = 1) -> BillingPeriod:
    """Read ``2026-10``, ``last-month`` or ``2026-10-01..2026-11-01`` in the account's zone.

    ``today`` is the day in that zone; ``billing_day`` (1 to 28) is the day on which the
    account's month begins, so that ``2026-10`` with 15 means 15 October up to 15 November.
    """
    zone = zone_named(zone_name)
    first, until = _days(text.strip(), today, billing_day)
    if until <= first:
        message = f"period {text!r} ends before it starts: write FROM..TO with TO after FROM"
        raise UsageError(message)
    if (until - first).days > LONGEST_DAYS:
        message = f"period {text!r} is longer than {LONGEST_DAYS} days: ask for shorter ones"
        raise UsageError(message)
    label = text.strip()
    if label == "last-month":
        label = f"{first:%Y-%m}"
    return BillingPeriod(
        label, first, until, zone_name, unix_midnight(first, zone), unix_midnight(until, zone)
    )


def parse_before(text: str, zone_name: str, today: date, billing_day: int = 1) -> date:
    """Read ``2026-10``, before the account's month begins, or ``2026-10-01``, before that day.

    A day that is still to come is refused: no month that goes on is to be cut.
    """
    written = text.strip()
    if _MONTH.fullmatch(written):
        day = parse_period(written, zone_name, today, billing_day).first
    elif _DATE.fullmatch(written):
        day = _day(written, text)
    else:
        raise UsageError(f"day {text!r} is not understood: write 2026-10-01, or a month: 2026-10")
    if day > today:
        raise UsageError(f"{text!r} begins on {day:%d %b %Y}, which is still to come")
    return day


def _days(text: str, today: date, billing_day: int) -> tuple[date, date]:
    if text == "last-month":
        this_month = today.replace(day=1)
        if today.day < billing_day:
            this_month = _next_month(this_month, -1)
        return _month(_next_month(this_month, -1), billing_day)
    if match := _RANGE.fullmatch(text):
        return _day(match[1], text), _day(match[2], text)
    if match := _MONTH.fullmatch(text):
        return _month(_day(f"{text}-01", text), billing_day)
    message = (
        f"period {text!r} is not understood: write 2026-10, last-month "
        "or 2026-10-01..2026-11-01 (the last day is not included)"
    )
    raise UsageError(message)


def _day(text: str, period: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        message = f"period {period!r} holds {text!r}, which is no day of the calendar"
        raise UsageError(message) from None
    # The calendar of the machine needs room on both sides of a period.
    if not 1971 <= day.year <= 9998:
        message = f"period {period!r} holds {text!r}, a year in which there are no calls"
        raise UsageError(message)
    return day


def _month(first: date, billing_day: int) -> tuple[date, date]:
    return first.replace(day=billing_day), _next_month(first, 1).replace(day=billing_day)


def _next_month(first: date, step: int) -> date:
    months = first.year * 12 + first.month - 1 + step
    return date(months // 12, months % 12 + 1, 1)


def months_before(period: BillingPeriod, count: int) -> tuple[BillingPeriod, ...]:
    """Return the account's months before one, oldest first; none where it is not one month."""
    first, day = period.first, period.first.day
    if day > _LAST_BILLING_DAY or _month(first.replace(day=1), day) != (first, period.until):
        return ()
    zone = zone_named(period.zone)
    found = []
    for back in range(count, 0, -1):
        month = _next_month(first, -back)
        start, until = _month(month, day)
        edges = unix_midnight(start, zone), unix_midnight(until, zone)
        found.append(BillingPeriod(f"{month:%Y-%m}", start, until, period.zone, *edges))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class LocalClock:
    """A zone's offsets over a span, as whole numbers: ``local = unixtime + offset``.

    ``since[i]`` is the unix second from which ``offsets[i]`` (seconds east of Greenwich)
    holds. The column store and the core both read local time from this one table.
    """

    zone: str
    since: tuple[int, ...]
    offsets: tuple[int, ...]

    @classmethod
    def over(cls, zone_name: str, start: int, end: int) -> LocalClock:
        """Build the table for ``start <= unixtime <= end``, with a day to spare on each side."""
        zone = zone_named(zone_name)
        at, stop = start - 24 * _HOUR, end + 24 * _HOUR
        since, offsets = [at], [_offset(at, zone)]
        while at < stop:
            after = at + _HOUR
            if _offset(after, zone) != offsets[-1]:
                since.append(_change(at, after, zone))
                offsets.append(_offset(after, zone))
            at = after
        return cls(zone_name, tuple(since), tuple(offsets))

    def offset(self, unixtime: int) -> int:
        """Return the seconds to add to ``unixtime`` to read the local clock."""
        return self.offsets[max(0, bisect_right(self.since, unixtime) - 1)]

    def local(self, unixtime: int) -> datetime:
        """Return the local time of day, without a zone on it."""
        return datetime.fromtimestamp(unixtime + self.offset(unixtime), UTC).replace(tzinfo=None)

    def text(self, unixtime: int) -> str:
        """Return local time as the carrier writes it, ``2026-10-31 23:59:59``."""
        return f"{self.local(unixtime):%Y-%m-%d %H:%M:%S}"


def _offset(unixtime: int, zone: ZoneInfo) -> int:
    shift = datetime.fromtimestamp(unixtime, zone).utcoffset()
    return int(shift.total_seconds()) if shift is not None else 0


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """Find the second at which the offset changes between ``low`` and ``high``."""
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high
