"""What people write in a rate card, read exactly: dollars, seconds, days, times, yes and no.

A cell of a workbook comes as a figure, a date or a time; one of a text file as text, one of TOML
as either. Each function returns a value, or raises ``NotRead`` with what is to be written instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from maxo_reports.core.cdr import INBOUND, OUTBOUND
from maxo_reports.core.money import COST_PLACES, GST_BASES
from maxo_reports.core.rates.tariff import ALL_WEEK, DAY, METHODS, POOLED, STAGES, WEEKDAYS
from maxo_reports.errors import did_you_mean
from maxo_reports.rows import figure

_DOLLARS = re.compile(rf"[0-9]{{1,6}}(?:\.[0-9]{{1,{COST_PLACES}}})?", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,7}", re.ASCII)
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", re.ASCII)
_AUSTRALIAN_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", re.ASCII)
_PREFIX = re.compile(r"\+?[0-9]{1,15}", re.ASCII)
_EPOCH = date(1970, 1, 1)
_MOST_DIGITS = 18
_SPANS = re.compile(r"[\s,;]+")
DIRECTIONS: Mapping[str, str] = {
    **dict.fromkeys(("in", "inbound", "incoming"), INBOUND),
    **dict.fromkeys(("out", "outbound", "outgoing"), OUTBOUND),
    "any": "",
}
_DAYS: Mapping[str, frozenset[int]] = {
    **{name: frozenset({at}) for at, name in enumerate(WEEKDAYS)},
    "weekdays": frozenset(range(5)),
    "weekends": frozenset({5, 6}),
    "all": ALL_WEEK,
}
_YES_NO: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "true", "y", "1"), True),
    **dict.fromkeys(("no", "false", "n", "0"), False),
}


class NotRead(Exception):
    """A cell cannot be read; the message says what it must be."""


def text(cell: Any) -> str:
    """Return a cell as text: a spreadsheet's figure without decimals that it does not have."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        cell = figure(cell)
    if isinstance(cell, Decimal) and cell.is_finite() and abs(cell.adjusted()) < _MOST_DIGITS:
        whole = cell == cell.to_integral_value()
        return f"{cell.quantize(Decimal(1)):f}" if whole else f"{cell.normalize():f}"
    return str(cell).strip()


def money(cell: Any) -> Decimal:
    """Read dollars: ``0.25`` or ``$0.25``, with six decimals at most."""
    plain = text(cell).removeprefix("$").strip()
    if not _DOLLARS.fullmatch(plain) or isinstance(cell, bool):
        raise NotRead(f"must be dollars such as 0.25, with {COST_PLACES} decimals at most")
    return Decimal(plain)


def whole(cell: Any, low: int, high: int) -> int:
    """Read a whole number in a range."""
    plain = text(cell)
    if not _WHOLE.fullmatch(plain) or isinstance(cell, bool) or not low <= int(plain) <= high:
        raise NotRead(f"must be a whole number from {low} to {high:,}")
    return int(plain)


def yes(cell: Any) -> bool:
    """Read yes or no."""
    return bool(chosen(cell, _YES_NO, "yes or no"))


def chosen(cell: Any, meanings: Mapping[str, Any], known: str) -> Any:
    """Read one of some words."""
    word = text(cell).casefold().replace("_", "-")
    if word not in meanings:
        raise NotRead(f"must be {known}{did_you_mean(word, meanings)}")
    return meanings[word]


def direction(cell: Any) -> str:
    """Read a direction; any is the empty text."""
    return str(chosen(cell, DIRECTIONS, "inbound, outbound or any"))


def method(cell: Any) -> Any:
    """Read how a charge is rounded."""
    also = {"nearest": "half-up", "exact": "none"}
    return chosen(cell, {**{name: name for name in METHODS}, **also}, ", ".join(METHODS))


def stage(cell: Any) -> Any:
    """Read what is rounded: each call, or their total."""
    return chosen(cell, {name: name for name in STAGES}, "call or total")


def basis(cell: Any) -> Any:
    """Read whether GST is in a price."""
    return chosen(cell, {name: name for name in GST_BASES}, ", ".join(GST_BASES))


def pooled(cell: Any) -> Any:
    """Read who shares a pool of minutes."""
    return chosen(cell, {name: name for name in POOLED}, " or ".join(POOLED))


def day(cell: Any) -> int:
    """Read a day as whole days since 1970; a spreadsheet in Australia writes 31/10/2026."""
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return (cell - _EPOCH).days
    plain = text(cell)
    try:
        if match := _AUSTRALIAN_DAY.fullmatch(plain):
            number, month, year = map(int, match.groups())
            return (date(year, month, number) - _EPOCH).days
        return (date.fromisoformat(plain) - _EPOCH).days
    except ValueError:
        raise NotRead("must be a day such as 2026-10-31") from None


def day_text(number: int) -> str:
    """Write whole days since 1970 as a day."""
    return f"{_EPOCH + timedelta(days=number)}"


def clock(cell: Any) -> int:
    """Read a time of day as seconds after midnight; 24:00 is the day's end."""
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second
    if isinstance(cell, timedelta) and timedelta(0) <= cell <= timedelta(days=1):
        return int(cell.total_seconds())
    match = _CLOCK.fullmatch(text(cell))
    if match is not None:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        second = hours * 3600 + minutes * 60 + seconds
        if minutes < 60 and seconds < 60 and second <= DAY:
            return second
    raise NotRead("must be a time of day such as 18:30")


def weekdays(cell: Any) -> frozenset[int]:
    """Read days of the week: ``mon-fri``, ``sat, sun``, ``weekends``."""
    found: set[int] = set()
    for part in _SPANS.split(text(cell).casefold().replace("\u2013", "-")):
        first, dash, last = (
            word[:3] if word not in _DAYS else word for word in part.partition("-")
        )
        if not dash and first in _DAYS:
            found |= _DAYS[first]
        elif first in WEEKDAYS and last in WEEKDAYS:
            at, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
            found |= {day % 7 for day in range(at, end + 1 if at <= end else end + 8)}
        else:
            raise NotRead("must be days of the week such as mon-fri or sat, sun")
    return frozenset(found)


def prefix(cell: Any) -> str:
    """Read how numbers begin, as calls are compared: Australian ones as dialled at home.

    ``+61 4``, ``614`` and ``04`` are the same; abroad is ``+44`` or ``001144``.
    """
    digits = re.sub(r"[\s\-().]+", "", text(cell))
    if not _PREFIX.fullmatch(digits):
        raise NotRead("must be the digits that numbers begin with, such as 04 or +44")
    if digits.startswith("0011"):
        digits = f"+{digits[4:]}"
    if digits.startswith(("+61", "61")):
        rest = digits.removeprefix("+")[2:]
        return rest if rest.startswith(("13", "18", "19", "0")) else f"0{rest}"
    if digits[0] not in "+01":
        raise NotRead(f"begins as no number in Australia does; abroad is written +{digits}")
    return digits
