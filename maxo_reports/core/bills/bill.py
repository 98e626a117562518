"""The carrier's bill: its lines, what they are, and what can be proved of it by itself.

All dollars are whole micro-dollars. A line's charge includes GST or not, as the bill's ``basis``
says; on a bill without GST in its lines, the GST is a line of its own. Calls are compared by
*rows*: a row is a category as the bill names it, and gathers the calls of one or more of the
carrier's rate categories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from maxo_reports.core.money import MICROS, GstBasis

CENT = MICROS // 100
LINE_KINDS: Mapping[str, str] = {
    "calls": "Calls",
    "late-calls": "Calls of an earlier period",
    "rental": "Rental",
    "hosting": "Hosting",
    "sms": "SMS",
    "fee": "Fee",
    "equipment": "Equipment",
    "other": "Other",
    "credit": "Credit",
    "rounding": "Rounding",
    "gst": "GST",
}
"""Kind of a line -> what people call it."""
OTHER_LINES = "(not calls)"
"""The row of all lines that are no calls of the period."""
ALL_CALLS = "(all calls)"
"""The row of calls for which the bill has no line but one for all, or for all others."""
ROUNDED_AT_MOST = 5 * CENT
"""The most that a line called rounding is believed to be: cash is rounded to five cents."""


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line. ``at`` says where it stands; ``calls`` is None where the bill gives no number."""

    at: str
    kind: str
    text: str
    charge: int
    category: str = ""
    calls: int | None = None
    gst_free: bool = False


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill. ``total`` is payable; ``first`` and ``last`` are the days that it says it covers.

    ``zone`` is the zone of its month, empty for the account's. ``names`` gives, for a rate
    category of the calls, the category that the bill has for it.
    """

    number: str
    basis: GstBasis
    total: int
    lines: tuple[BillLine, ...]
    issued: date | None = None
    first: date | None = None
    last: date | None = None
    zone: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def added_up(self) -> int:
        """The sum of all lines, which should be the total."""
        return sum(line.charge for line in self.lines)

    @property
    def call_lines(self) -> tuple[BillLine, ...]:
        """The lines for the period's calls."""
        return tuple(line for line in self.lines if line.kind == "calls")

    @property
    def other_lines(self) -> tuple[BillLine, ...]:
        """The lines for anything else."""
        return tuple(line for line in self.lines if line.kind != "calls")


def folded(category: str) -> str:
    """Return a category as it is compared: capitals and spaces do not make another one."""
    return " ".join(category.casefold().split())


class Rows:
    """Which row a category belongs to, on either side.

    A category goes to the bill's own of that name, or the one that the bill's ``names`` give;
    else to the line for all other calls, if there is one; else it is a row of its own. Where the
    bill lists its calls (``listed`` has their categories), each category is a row.
    """

    def __init__(self, bill: Bill, listed: Iterable[str] | None = None) -> None:
        own = [line.category for line in bill.call_lines if line.category]
        self._known: dict[str, str] = {}
        for category in (*own, *sorted(set(filter(None, listed or ())))):
            self._known.setdefault(folded(category), category)
        for category, row in bill.names.items():
            self._known[folded(category)] = self._known.get(folded(row), row)
        has_rest = any(not line.category for line in bill.call_lines)
        self._rest = ALL_CALLS if has_rest and listed is None else ""
        self._own = {self.of(category) for category in own}
        self._free = {self.of(line.category) for line in bill.call_lines if line.gst_free}
        self._rest_is_free = any(line.gst_free and not line.category for line in bill.call_lines)

    def of(self, category: str) -> str:
        """Return the row of a category."""
        return self._known.get(folded(category), self._rest or category)

    def is_free(self, row: str) -> bool:
        """Tell whether the bill says that a row is free of GST."""
        return row in self._free or (self._rest_is_free and row not in self._own)


@dataclass(frozen=True, slots=True)
class Factor:
    """What turns a call's cost into what a bill's line should say: 1, 11/10 or 10/11."""

    times: int = 1
    over: int = 1

    def expected(self, cost: int) -> int:
        """Return a cost on the bill's basis, to the micro-dollar, half away from zero."""
        size = (2 * abs(cost) * self.times + self.over) // (2 * self.over)
        return size if cost >= 0 else -size


SAME = Factor()
_FACTORS: Mapping[tuple[GstBasis, GstBasis], Factor] = {
    ("exclusive", "inclusive"): Factor(11, 10),
    ("inclusive", "exclusive"): Factor(10, 11),
}


def factor(cost_gst: GstBasis, basis: GstBasis) -> Factor:
    """Return what turns costs into a bill's charges; of an unknown basis nothing is assumed."""
    return _FACTORS.get((cost_gst, basis), SAME)


def rounded(micros: int, unit: int = CENT) -> int:
    """Round to whole units, half away from zero."""
    size = (2 * abs(micros) + unit) // (2 * unit) * unit
    return size if micros >= 0 else -size


def rounded_up(micros: int, unit: int = CENT) -> int:
    """Round away from zero to whole units, as some carriers do with each call."""
    size = -(-abs(micros) // unit) * unit
    return size if micros >= 0 else -size


@dataclass(frozen=True, slots=True)
class GstLine:
    """The GST that a bill adds: what it says, how much of that is proved, and by which rule."""

    said: int
    proved: int
    rule: str


def gst_added(bill: Bill) -> GstLine:
    """Prove the GST that a bill adds to its lines: a tenth, rounded once or line by line.

    Both are allowed by the GST Act, s 9-90. What the lines do not explain is not proved.
    """
    said = sum(line.charge for line in bill.lines if line.kind == "gst")
    taxed = [
        line.charge
        for line in bill.lines
        if line.kind not in {"gst", "rounding"} and not line.gst_free
    ]
    once = rounded(sum(taxed), 10 * CENT) // 10
    each = sum(rounded(charge, 10 * CENT) // 10 for charge in taxed)
    if said == once:
        return GstLine(said, said, "a tenth of the taxed lines, rounded once")
    if said == each:
        return GstLine(said, said, "a tenth of each taxed line, rounded line by line")
    return GstLine(said, once if said else 0, "a tenth of the taxed lines, rounded once")
