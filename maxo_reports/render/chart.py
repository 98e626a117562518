"""Chart geometry: where the marks of a drawing stand, worked out from a report's own figures.

Positions are the only thing that is computed here. They are points of a drawing and never
figures of a report, which is why they may be floats; every figure that is written beside a
mark is the report's own, and a grid line's number is a place on the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from maxo_reports.core.measured import drawn
from maxo_reports.core.period import BillingPeriod
from maxo_reports.core.report import Cell, Column, Kind, Role, Table

WIDTH, HEIGHT = 493.0, 118.0
LEFT, TOP, BOTTOM = 30.0, 12.0, 14.0
"""The daily chart, in points, and the room that it leaves for its labels at least."""
_LETTER, _AIR = 4.1, 5.0
"""How wide a letter of a label is, and what is free behind it, in points."""

EVERY_DAY = 35
"""Up to this many columns, each one has the number of its day under it."""

BEAMS_LEFT = 132.0
"""The room for the names of the rows of a chart of bars, in points."""
_BEAM, _VALUE_ROOM, _THINNEST = 14.0, 70.0, 1.0

_ZERO = Decimal(0)
_SATURDAY = 5
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_GRID_LINES = 4
_GAP = 0.28  # of a day's slot
_LABEL_ROOM = 30.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's column, and the slot of the drawing that belongs to the day."""

    x: float
    y: float
    width: float
    height: float
    slot_x: float
    slot_width: float
    weekend: bool


@dataclass(frozen=True, slots=True)
class Beam:
    """One row's bar: what it is called (cells with their kinds), its cost, where it lies."""

    name: tuple[tuple[Cell, str], ...]
    direction: str
    value: Decimal
    middle: float
    length: float


@dataclass(frozen=True, slots=True)
class Categories:
    """The chart of a grouped table: bars from a line at the left, each with its name and cost."""

    bars: tuple[Beam, ...]
    height: float
    width: float = WIDTH
    left: float = BEAMS_LEFT
    thick: float = _BEAM * 0.6


@dataclass(frozen=True, slots=True)
class Mark:
    """A text of an axis and where it stands: ``line`` is its grid line's height, if it has one."""

    x: float
    y: float
    text: str
    line: float | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """The daily chart: what it shows (``column``), and where everything in it stands.

    ``peak_day`` and ``peak_value`` are the report's own; ``peak`` is where to write them.
    """

    column: Column
    first: date
    last: date
    peak_day: date
    peak_value: Decimal
    peak: Mark
    bars: tuple[Bar, ...]
    scale: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    baseline: float
    radius: float
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    top: float = TOP
    depth: float = HEIGHT - TOP - BOTTOM


def categories(table: Table) -> Categories | None:
    """Place one bar a row, the dearest above; None where nothing cost anything."""
    rows = drawn(table)
    if not rows:
        return None
    place = next(at for at, c in enumerate(table.columns) if c.key == "cost")
    values = [Decimal(str(row.cells[place])) for row in rows]
    keys = [at for at, c in enumerate(table.columns) if c.key in table.group_by]
    ways = [at for at in keys if table.columns[at].key == "direction"]
    # What a row is called without its direction, which the bar's own look tells.
    names = [at for at in keys if at not in ways] or keys
    bars = tuple(
        Beam(
            tuple((row.cells[at], table.columns[at].kind.value) for at in names),
            str(row.cells[ways[0]]) if ways else "",
            value,
            _point(_BEAM * number + _BEAM / 2),
            _point(max(_THINNEST, float(value / values[0]) * (WIDTH - BEAMS_LEFT - _VALUE_ROOM))),
        )
        for number, (row, value) in enumerate(zip(rows, values, strict=True))
    )
    return Categories(bars, _point(_BEAM * len(bars)))


def days(table: Table, period: BillingPeriod) -> Days | None:
    """Place one column a day over a line at zero, a day without calls included.

    Credits hang below the line. There is nothing to draw when every day is zero.
    """
    column, values = _drawn(table)
    if column is None:
        return None
    known = dict(zip((cells[0] for cells in _rows(table)), values, strict=True))
    calendar = [
        period.first + timedelta(days=place) for place in range((period.until - period.first).days)
    ]
    heights = [known.get(day, _ZERO) for day in calendar]
    low, high = min(*heights, _ZERO), max(*heights, _ZERO)
    ground = HEIGHT - BOTTOM
    scale = _scale(low, high, is_money=column.kind is Kind.MONEY)
    left = max(LEFT, *(_LETTER * len(text) + _AIR for _, text in scale))
    slot = (WIDTH - left) / len(calendar)

    def y(value: Decimal) -> float:
        return ground - float((value - low) / (high - low)) * (ground - TOP)

    columns = tuple(
        Bar(
            _point(left + slot * (place + _GAP / 2)),
            _point(y(max(value, _ZERO))),
            _point(slot * (1 - _GAP)),
            _point(y(min(value, _ZERO)) - y(max(value, _ZERO))),
            _point(left + slot * place),
            _point(slot),
            day.weekday() >= _SATURDAY,
        )
        for place, (day, value) in enumerate(zip(calendar, heights, strict=True))
    )
    peak = max(range(len(heights)), key=lambda place: (heights[place], -place))
    middle = columns[peak].x + columns[peak].width / 2
    return Days(
        column,
        calendar[0],
        calendar[-1],
        calendar[peak],
        heights[peak],
        Mark(_point(min(max(middle, left + 18), WIDTH - 18)), _point(columns[peak].y - 3), ""),
        columns,
        tuple(
            Mark(_point(left - _AIR), _point(y(at) + 2.3), text, _point(y(at)))
            for at, text in scale
        ),
        _labels(calendar, slot, left),
        _point(y(_ZERO)),
        _point(min(1.0, slot / 10)),
        left=_point(left),
    )


def _rows(table: Table) -> Sequence[tuple[object, ...]]:
    return [row.cells for row in table.rows if row.role is Role.ROW]


def _drawn(table: Table) -> tuple[Column | None, list[Decimal]]:
    """Choose what to draw: the cost, or the number of calls where nothing cost anything."""
    for key in ("cost", "calls"):
        for place, column in enumerate(table.columns):
            cells = [cells[place] for cells in _rows(table)]
            values = [Decimal(c) if isinstance(c, (int, Decimal)) else _ZERO for c in cells]
            if column.key == key and any(values):
                return column, values
    return None, []


def _point(value: float) -> float:
    """Round to a hundredth of a point, so that a drawing is the same on every machine."""
    return round(value, 2)


def _scale(low: Decimal, high: Decimal, *, is_money: bool) -> list[tuple[Decimal, str]]:
    """Return round numbers from ``low`` to ``high``, zero among them, and how to write them."""
    rough = (high - low) / _GRID_LINES
    unit = Decimal(1).scaleb(rough.adjusted())
    step = next(step * unit for step in _STEPS if step * unit >= rough)
    if not is_money:
        step = max(step, Decimal(1)).to_integral_value()
    steps = [step * place for place in range(int(low / step), int(high / step) + 1)]
    places = max(0, -int(step.normalize().as_tuple().exponent))
    places = max(places, 2) if is_money and places else places
    sign = "$" if is_money else ""
    minus = "\u2212"
    return [(at, f"{minus if at < 0 else ''}{sign}{abs(at):,.{places}f}") for at in steps]


def _labels(calendar: Sequence[date], slot: float, left: float) -> tuple[Mark, ...]:
    """Name every day of a month; of a longer period, its start and the first of each month."""
    short = len(calendar) <= EVERY_DAY
    starts = [place for place, day in enumerate(calendar) if short or day.day == 1]
    if not starts or starts[0] * slot > _LABEL_ROOM:
        starts.insert(0, 0)
    return tuple(
        Mark(
            _point(left + slot * (place + 0.5)),
            HEIGHT - 4,
            f"{calendar[place].day}" + ("" if short else f" {_MONTHS[calendar[place].month - 1]}"),
        )
        for place in starts
    )
