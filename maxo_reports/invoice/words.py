"""What people and carriers write in a bill, read exactly: dollars, days, times, durations.

A cell of a workbook comes as a number, a date or a time; one of a text file as text. What cannot
be read is None, which the caller reports with its line.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from maxo_reports.core.money import micros_from_text
from maxo_reports.rows import figure, worded

_DAY = re.compile(r"(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})/(\d{1,2})/(\d{4}))", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.0+)?\s*([AaPp][Mm])?", re.ASCII)
_LENGTH = re.compile(r"(?:(\d{1,6}):)?(\d{1,6}):(\d{2})", re.ASCII)
_DOLLARS = re.compile(r"(-?)\s*\$?\s*(-?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?", re.ASCII)
_EPOCH = date(1970, 1, 1)
_NOON = 12
_MOST_DIGITS = 12


def micros(cell: Any) -> int | None:
    """Read dollars: ``1,234.50``, ``$0.25``, ``-0.25`` or ``(0.25)``, to the micro-dollar."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, float):
        cell = figure(cell)
    if isinstance(cell, Decimal):
        plain = cell.is_finite() and cell.adjusted() < _MOST_DIGITS
        return micros_from_text(f"{cell:f}") if plain else None
    text = str(cell).strip().replace("\u2212", "-")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1].strip()}"
    # A comma marks thousands and nothing else: 0,25 is no figure, and not twenty-five dollars.
    match = _DOLLARS.fullmatch(text)
    if match is None or (match[1] and match[2]):
        return None
    return micros_from_text(f"{match[1] or match[2]}{match[3].replace(',', '')}{match[4] or ''}")


def day(cell: Any) -> date | None:
    """Read a day: ``2026-10-31`` or ``31/10/2026``."""
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return _in_reach(cell)
    match = _DAY.fullmatch(str(cell).strip())
    return _calendar(match) if match else None


def day_number(text: str) -> int | None:
    """Read a day as whole days since 1970."""
    read = day(text)
    return (read - _EPOCH).days if read is not None else None


def clock(text: str) -> int | None:
    """Read a time of day as seconds: ``23:59:59``, ``23:59``, ``11:59:59 PM``."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
    half = (match[4] or "").upper()
    if half and not 1 <= hours <= _NOON:
        return None
    if half:
        hours = hours % _NOON + (_NOON if half == "PM" else 0)
    return hours * 3600 + minutes * 60 + seconds if hours < 24 and minutes < 60 > seconds else None


def local_seconds(cell: Any) -> int | None:
    """Read a day and time as seconds since 1970 on the bill's own clock."""
    if isinstance(cell, datetime):
        return (cell.date() - _EPOCH).days * 86_400 + _of_day(cell.time())
    if isinstance(cell, date):  # how a workbook's midnight is read
        return (cell - _EPOCH).days * 86_400
    text = str(cell).strip()
    first, _, rest = text.replace("T", " ", 1).partition(" ")
    number, seconds = day_number(first), clock(rest)
    return None if number is None or seconds is None else number * 86_400 + seconds


def length(cell: Any) -> int | None:
    """Read a duration in seconds: ``61``, ``1:01`` or ``0:01:01``."""
    if isinstance(cell, timedelta):
        return round(cell.total_seconds())
    if isinstance(cell, time):
        return _of_day(cell)
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and cell >= 0 else None
    text = str(cell).strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    match = _LENGTH.fullmatch(text)
    return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3]) if match else None


def party(cell: Any) -> str:
    """Return a telephone number as text; one that a workbook took for a figure gets its nought."""
    digits = worded(cell)
    lost = isinstance(cell, (int, float)) and len(digits) == 9 and digits[0] in "23478"
    return f"0{digits}" if lost else digits


def _calendar(match: re.Match[str]) -> date | None:
    year, month, number = (
        (match[1], match[2], match[3]) if match[1] else (match[6], match[5], match[4])
    )
    try:
        read = date(int(year), int(month), int(number))
    except ValueError:
        return None
    return _in_reach(read)


def _in_reach(read: date) -> date | None:
    """Return a day that has room on both sides in the calendar of the machine."""
    return read if 1971 <= read.year <= 9998 else None


def _of_day(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def whole(cell: Any) -> int | None:
    """Read a whole number of twelve digits at most."""
    said = worded(cell)
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 12 else None


def together(first: Any, rest: Any) -> int | None:
    """Read a day and a time of day that stand in two cells, as local seconds since 1970."""
    read = day(first)
    seconds = _of_day(rest) if isinstance(rest, time) else clock(str(rest))
    if read is None or seconds is None:
        return None
    return (read - _EPOCH).days * 86_400 + seconds
