"""Chart geometry: where the marks of a drawing stand, worked out from a report's own figures.

Positions are the only thing that is computed here. They are points of a drawing and never
figures of a report, which is why they may be floats; every figure that is written beside a
mark is the report's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

SATURDAY = 5
EVERY_DAY = 35
"""Up to this many columns, each one has the number of its day under it."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_GAP = 0.28  # of a column's slot


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a drawing in points, and the room it leaves for its labels."""

    width: float
    height: float
    left: float = 30.0
    top: float = 12.0
    bottom: float = 14.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A grid line, and what is written beside it."""

    y: float
    text: str
    text_y: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text under the columns."""

    x: float
    text: str
    weekend: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One column, and the slot of the drawing that belongs to its day."""

    x: float
    y: float
    width: float
    height: float
    slot_x: float
    slot_width: float
    weekend: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """A drawing of one column a day. ``peak`` is the place of the highest column in ``bars``."""

    frame: Frame
    ceiling: float
    depth: float
    baseline: float
    axis_x: float
    label_y: float
    radius: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    peak: int
    peak_x: float
    peak_y: float


def columns(
    days: Sequence[date], values: Sequence[Decimal], frame: Frame, sign: str = ""
) -> Columns:
    """Place one column a day over a baseline of zero; credits hang below it.

    ``sign`` goes before the numbers of the axis. There must be a day, and a value that is
    not zero.
    """
    low, high = min(*values, Decimal(0)), max(*values, Decimal(0))
    step = _step(high - low)
    ground = frame.height - frame.bottom
    scale = (ground - frame.top) / float(high - low)
    slot = (frame.width - frame.left) / len(days)

    def y(value: Decimal) -> float:
        return ground - float(value - low) * scale

    bars = tuple(
        Bar(
            x=_point(frame.left + slot * (place + _GAP / 2)),
            y=_point(y(max(value, Decimal(0)))),
            width=_point(slot * (1 - _GAP)),
            height=_point(abs(float(value)) * scale),
            slot_x=_point(frame.left + slot * place),
            slot_width=_point(slot),
            weekend=day.weekday() >= SATURDAY,
        )
        for place, (day, value) in enumerate(zip(days, values, strict=True))
    )
    peak = max(range(len(values)), key=lambda place: (values[place], -place))
    return Columns(
        frame,
        ceiling=frame.top,
        depth=_point(ground - frame.top),
        baseline=_point(y(Decimal(0))),
        axis_x=frame.left - 5,
        label_y=frame.height - 4,
        radius=_point(min(1.0, slot / 10)),
        bars=bars,
        ticks=tuple(
            Tick(_point(y(at)), _axis_text(at, sign), _point(y(at) + 2.3))
            for at in _ticks(low, high, step)
        ),
        labels=_labels(days, frame.left, slot),
        peak=peak,
        peak_x=_point(min(max(bars[peak].x + bars[peak].width / 2, frame.left + 18), frame.width - 18)),
        peak_y=_point(bars[peak].y - 3),
    )


def lengths(values: Sequence[Decimal], longest: float) -> tuple[float, ...]:
    """Return how long a bar each value gets, the greatest the longest; credits get none."""
    greatest = max(values, default=Decimal(0))
    if greatest <= 0:
        return tuple(0.0 for _ in values)
    return tuple(_point(max(0.0, float(value / greatest)) * longest) for value in values)


def _point(value: float) -> float:
    """Round to a hundredth of a point, so that a drawing is the same on every machine."""
    return round(value, 2)


def _step(span: Decimal) -> Decimal:
    """Return a round distance between grid lines, such that at most four fit above the first."""
    rough = span / 4
    unit = Decimal(1).scaleb(rough.adjusted())
    return next(step * unit for step in _STEPS if step * unit >= rough)


def _ticks(low: Decimal, high: Decimal, step: Decimal) -> list[Decimal]:
    """Return the multiples of ``step`` from ``low`` to ``high``; zero is always one of them."""
    first, last = int(low / step), int(high / step)
    return [step * place for place in range(first, last + 1)]


def _axis_text(value: Decimal, sign: str) -> str:
    text = f"{abs(value).normalize():,f}"
    whole, point, cents = text.partition(".")
    if sign and point:
        text = f"{whole}.{cents:0<2}"
    return f"\u2212{sign}{text}" if value < 0 else f"{sign}{text}"


def _labels(days: Sequence[date], left: float, slot: float) -> tuple[Label, ...]:
    """Name every day of a month; of a longer period, the first day of each month."""
    short = len(days) <= EVERY_DAY
    return tuple(
        Label(
            _point(left + slot * (place + 0.5)),
            str(day.day) if short else f"{day.day} {_MONTHS[day.month - 1]}",
            day.weekday() >= SATURDAY,
        )
        for place, day in enumerate(days)
        if short or day.day == 1
    )
