"""Cells as calamine gives them, brought into the form of the report's own values.

What a reader gives depends on the number format: a duration may come as a span, a time of day or
a plain number. Every form of the right value is the right value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from maxo_reports.core.cdr import LONGEST_TEXT
from maxo_reports.core.money import MICROS, dollars
from maxo_reports.core.report import Cell, Kind
from maxo_reports.core.text import visible
from maxo_reports.tieout.compared import Differences

_DAY = 86_400
_TEXTS = frozenset({Kind.TEXT, Kind.ID, Kind.NUMBER})


def expected_cell(cell: Cell, kind: Kind) -> object:
    """Return what a reader should find for a report's value."""
    if isinstance(cell, str):
        return shown(cell)
    if cell is None and kind in _TEXTS:
        return ""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None, microsecond=0)
    return cell


def seen_cell(value: Any, kind: Kind) -> object:
    """Bring what calamine gives for a cell into the form of the report's own values."""
    if isinstance(value, str):
        return value if value or kind in _TEXTS else None
    if kind is Kind.COUNT and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is Kind.DURATION:
        return _seconds(value)
    if kind in {Kind.MONEY, Kind.CENTS} and isinstance(value, float):
        return Decimal(repr(value))
    if kind is Kind.MOMENT and isinstance(value, date):
        return _moment(value)
    return value


def _seconds(value: Any) -> object:
    """Read a duration, which calamine gives by its number format in one of three forms."""
    if isinstance(value, timedelta):
        return round(value.total_seconds())
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second
    return round(value * _DAY) if isinstance(value, float) else value


def _moment(value: date) -> datetime:
    """Read a moment to the second; calamine gives one at midnight as a day."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a local clock
    return (value + timedelta(milliseconds=500)).replace(microsecond=0)


def shown(text: str) -> str:
    """Return a text as a cell shows it."""
    return visible(text, LONGEST_TEXT)


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a local clock


def exactly(value: Any, kind: Kind) -> object:
    """Return the exact value that a call's cell should have, as ``seen_cell`` gives it."""
    if kind is Kind.MOMENT:
        return _EPOCH + timedelta(seconds=value)
    if kind is Kind.MONEY and value is not None:
        return dollars(value)
    return expected_cell(value, kind)


_FORMS: Mapping[Kind, Callable[[Any], object]] = {
    **dict.fromkeys(_TEXTS, shown),
    Kind.MOMENT: lambda local: _EPOCH + timedelta(seconds=local),
    Kind.DURATION: lambda seconds: "" if seconds is None else timedelta(seconds=seconds),
    Kind.MONEY: lambda micros: "" if micros is None else micros / MICROS,
}
"""Kind of a call's column -> the form in which calamine usually gives the right value.

A cell that comes in another form is looked at again, exactly.
"""


class Memo(dict[Any, Any]):
    """Works out the usual form of a kind's values, each once: they repeat by the thousand."""

    _MOST = 200_000

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        self._make = _FORMS[kind]

    def __missing__(self, value: Any) -> object:
        if len(self) >= self._MOST:
            self.clear()
        made = self[value] = self._make(value)
        return made


def compare_column(
    where: str,
    first: int,
    seen: Sequence[Any],
    lines: Sequence[Any],
    form: Memo,
    found: Differences,
    read: Callable[[Any, Kind], object] = seen_cell,
) -> None:
    """Compare a column of listed calls, which begins in the row ``first``, with the ledger's."""
    # All at once first: one by one is slow, and only to name what differs.
    if seen == lines or seen == [form[value] for value in lines]:
        found.figures += len(seen)
        return
    for number, (cell, value) in enumerate(zip(seen, lines, strict=False), first):
        found.compare(f"{where}{number}", read(cell, form.kind), exactly(value, form.kind))
