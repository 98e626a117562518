"""The columns of a printed list of calls: what a cell says, how wide each column is.

Nothing is cut but a text that is longer than anybody's name: a text that is wider than its column
goes on in the next line. Moments, durations and costs always have the room that they need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from maxo_reports.core import money, numbering
from maxo_reports.core.leaves import TALLEST
from maxo_reports.core.report import CALL_COLUMNS, CallLine, Calls, Column, Kind
from maxo_reports.core.text import ELLIPSIS, visible
from maxo_reports.render.pdf.letters import EM, Face, drawable, missing
from maxo_reports.render.templates import clock, moment

SIZE = 7.0
"""The size of the type, in points, as every length here."""
GAP = 7.0
WIDEST_GAP = 16.0
NARROWEST = 30.0
"""How narrow a column of texts may become before others make room."""
LONGEST = 100
"""How many letters of a text are shown."""
MOST_LINES = TALLEST - 4
FIGURES = frozenset({Kind.MOMENT, Kind.DURATION, Kind.MONEY})
"""Kinds whose cells are never wrapped."""
RIGHT = frozenset({Kind.DURATION, Kind.MONEY})
_PLACES = {key: place for place, key in enumerate(CALL_COLUMNS)}
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Box:
    """One column as it is printed: where it begins, how wide it is, which side its cells keep."""

    column: Column
    left: float
    width: float
    heading: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether its cells end at its right edge."""
        return self.column.kind in RIGHT


class Memo(dict[Any, Any]):
    """Works each value out once, and forgets all when they become too many."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        if len(self) >= _MOST_KEPT:
            self.clear()
        made = self[value] = self._make(value)
        return made


@dataclass(frozen=True, slots=True)
class Wording:
    """How values are written: the decimals of costs, whether days need their year, the type.

    ``lacking`` gathers the letters that the type does not have.
    """

    places: int
    with_year: bool
    face: Face
    lacking: set[str] = field(default_factory=set)

    def drawable(self, text: str) -> str:
        """Make a text from outside fit to be set, and note the letters that cannot be."""
        text = visible(text, LONGEST)
        self.lacking.update(missing(text, self.face))
        return drawable(text, self.face)


def texts(column: Column, wording: Wording) -> Callable[[Any], str]:
    """Return what writes the values of a column, as a CallLine has them."""
    kind, places = column.kind, wording.places
    if kind is Kind.MOMENT:
        days = Memo(lambda day: _day(day, wording))
        return lambda local: f"{days[local // 86_400]}, {clock(local % 86_400):0>8}"
    if kind is Kind.DURATION:
        return lambda seconds: "" if seconds is None else clock(seconds)
    if kind is Kind.MONEY:
        return lambda micros: "" if micros is None else cost(micros, places)
    spaced = numbering.spaced if kind is Kind.NUMBER else str
    return lambda text: wording.drawable(spaced(text))


def _day(number: int, wording: Wording) -> str:
    day = moment(datetime.fromtimestamp(number * 86_400, UTC).date())
    return day if wording.with_year else day.rpartition(" ")[0]


def cost(micros: int, places: int, sign: str = "") -> str:
    """Write micro-dollars."""
    return money.to_text(money.dollars(micros), places, sign)


def width(text: str, face: Face) -> float:
    """Return how wide a text is in print."""
    return face.width(text) * SIZE / EM


@dataclass(frozen=True, slots=True)
class Setter:
    """Writes the cells of a list's columns, each text wrapped to its column's width."""

    cells: tuple[tuple[int, Memo], ...]

    @classmethod
    def of(cls, boxes: Sequence[Box], wording: Wording) -> Setter:
        """Return the setter of some columns."""
        return cls(tuple((_PLACES[box.column.key], _lines(box, wording)) for box in boxes))

    def __call__(self, call: CallLine) -> tuple[tuple[str, ...], ...]:
        """Set a call: for each column, the lines of its cell."""
        return tuple([lines[call[place]] for place, lines in self.cells])


def _lines(box: Box, wording: Wording) -> Memo:
    write = texts(box.column, wording)
    if box.column.kind in FIGURES:
        return Memo(lambda value: (write(value),))
    return Memo(lambda value: wrapped(write(value), box.width, wording.face))


def wrapped(text: str, wide: float, face: Face, most: int = MOST_LINES) -> tuple[str, ...]:
    """Break a text into lines of at most ``wide``, at spaces where there are any.

    What needs more lines than ``most`` ends in an ellipsis.
    """
    room = wide * EM / SIZE
    if face.width(text) <= room:
        return (text,)
    lines = list(_broken(text, room, face))
    if len(lines) <= most:
        return tuple(lines)
    last = lines[most - 1]
    while last and face.width(last + ELLIPSIS) > room:
        last = last[:-1]
    return (*lines[: most - 1], last + ELLIPSIS)


def _broken(text: str, room: float, face: Face) -> Iterator[str]:
    while text:
        reached = used = 0
        while reached < len(text) and (used := used + face.widths[text[reached]]) <= room:
            reached += 1
        end = reached = max(reached, 1)
        if end < len(text):
            # The route behind a number goes on to the next line as a whole.
            end = max(text.rfind(" ", 0, reached + 1), text.rfind("/", 0, reached))
            end = end if end > 0 else reached
        yield text[:end].rstrip(" ") if end < len(text) else text
        text = text[end:].lstrip(" ")


# ---- widths ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measured:
    """What the cells of a list's columns need, and the most micro-dollars that a sum can be."""

    widths: tuple[float, ...]
    most: int


def measured(shown: Sequence[Column], calls: Calls, wording: Wording) -> Measured:
    """Measure every cell of every call."""
    memos = [
        (_PLACES[column.key], Memo(_measure(texts(column, wording), wording.face)))
        for column in shown
    ]
    widest = [0] * len(memos)
    ups = downs = 0
    for call in calls.lines():
        for at, (place, widths) in enumerate(memos):
            wide = widths[call[place]]
            widest[at] = max(widest[at], wide)
        spent = call.cost or 0
        if spent > 0:
            ups += spent
        else:
            downs -= spent
    return Measured(tuple(each * SIZE / EM for each in widest), max(ups, downs))


def boxes(
    shown: Sequence[Column],
    needs: Sequence[float],
    face: Face,
    room: float,
    label: float,
) -> tuple[Box, ...]:
    """Share the width of a page out among columns, by what their cells need.

    ``face`` is that of the headings; ``label`` is what must have room in the columns that stand
    together without sums.
    """
    strong = face
    needs = list(needs)
    headings = [_heading(column, strong, need) for column, need in zip(shown, needs, strict=True)]
    needs = [
        max(need, *(width(line, strong) for line in lines))
        for need, lines in zip(needs, headings, strict=True)
    ]
    first, until = run_of(shown, needs)
    needs[until - 1] += max(0.0, label - sum(needs[first:until]) - GAP * (until - first - 1))
    widths, gap = _shared(shown, [round(need * 4 + 0.5) / 4 for need in needs], room)
    left = 0.0
    found = []
    for column, wide in zip(shown, widths, strict=True):
        heading = wrapped(drawable(column.label, strong), wide, strong, most=3)
        found.append(Box(column, left, wide, heading))
        left += wide + gap
    return tuple(found)


def _heading(column: Column, face: Face, need: float) -> tuple[str, ...]:
    """Break a heading where a word ends, so that it widens its column as little as it can."""
    words = drawable(column.label, face).split()
    longest = max((width(word, face) for word in words), default=0.0)
    return wrapped(" ".join(words), max(need, min(longest, 60.0), 24.0), face, most=3)


def _measure(write: Callable[[Any], str], face: Face) -> Callable[[Any], int]:
    return lambda value: face.width(write(value))


def run_of(shown: Sequence[Column], widths: Sequence[float]) -> tuple[int, int]:
    """Return the widest run of columns without sums: where what a line of sums is stands."""
    best, size = (0, 1), -1.0
    first = 0
    for at in range(len(shown) + 1):
        if at < len(shown) and shown[at].kind not in RIGHT:
            continue
        if first < at and (wide := sum(widths[first:at])) > size:
            best, size = (first, at), wide
        first = at + 1
    return best


def _shared(
    shown: Sequence[Column], needs: list[float], room: float
) -> tuple[Sequence[float], float]:
    """Return the columns' widths and the gap between them, which together fill the room."""
    gaps = len(needs) - 1
    over = room - GAP * gaps - sum(needs)
    texts_at = [at for at, column in enumerate(shown) if column.kind not in FIGURES]
    if over >= 0:
        gap = min(WIDEST_GAP, GAP + over / gaps) if gaps else GAP
        rest = over - (gap - GAP) * gaps
        # What is left goes to the last column of texts, so that figures end at the page's edge.
        needs[texts_at[-1] if texts_at else 0] += rest
        return needs, gap
    level = max((needs[at] for at in texts_at), default=0.0)
    while over < 0 and level > NARROWEST:
        level -= 0.25
        lowered = [min(need, level) if at in texts_at else need for at, need in enumerate(needs)]
        over = room - GAP * gaps - sum(lowered)
        needs = lowered
    # Last of all the gaps give way: figures are never wrapped.
    return needs, max(2.0, GAP + over / gaps) if gaps else GAP
