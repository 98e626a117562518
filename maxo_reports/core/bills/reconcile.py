"""The reconciliation: from what the calls cost to what the carrier billed, with nothing left over.

Every row, and the whole, adds up exactly: cost + each class = billed, and what no class proves is
*unexplained*. Whether that is little enough is judged by row, so that too much in one row cannot
hide behind too little in another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from maxo_reports.core.bills.bill import (
    ALL_CALLS,
    OTHER_LINES,
    ROUNDED_AT_MOST,
    Bill,
    BillLine,
    Rows,
    gst_added,
    rounded,
)
from maxo_reports.core.bills.differences import CLAIMS, CLASSES, UNEXPLAINED, Difference
from maxo_reports.core.bills.summed import RowSums
from maxo_reports.core.money import dollars, plain


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much may stay unexplained: the larger of dollars (micros) and percent of the bill."""

    micros: int = 0
    percent: Decimal = Decimal(0)

    def allows(self, total: int) -> int:
        """Return how many micro-dollars may stay unexplained of a bill."""
        return max(self.micros, int(abs(total) * self.percent // 100))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its calls and their cost, what the bill says, and what each class explains.

    ``said`` is how many calls the bill says, None where it does not; ``listed`` is what its own
    list of calls adds up to, None where it has none.
    """

    name: str
    sums: RowSums
    said: int | None
    billed: int
    classes: Mapping[str, int]
    listed: int | None = None

    @property
    def difference(self) -> int:
        """What is billed beyond the calls' cost."""
        return self.billed - self.sums.cost

    @property
    def unexplained(self) -> int:
        """What no class proves."""
        return self.difference - sum(self.classes.values())


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the waterfall: a class, how many differences and calls, and its dollars."""

    kind: str
    calls: int
    micros: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The whole: rows, the differences that explain them, and how much may be left."""

    bill: Bill
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    tolerance: Tolerance

    @property
    def cost(self) -> int:
        """What the calls cost."""
        return sum(row.sums.cost for row in self.rows)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The waterfall: every class once, then what is unexplained."""
        calls, micros = Counter[str](), Counter[str]()
        for each in self.differences:
            calls[each.kind] += each.calls
            micros[each.kind] += each.micros
        steps = [Step(kind, calls[kind], micros[kind]) for kind in CLASSES]
        left = self.bill.total - self.cost - sum(step.micros for step in steps)
        return (*steps, Step(UNEXPLAINED, 0, left))

    @property
    def claimed(self) -> int:
        """What a customer may take up with the carrier, too little taken off."""
        return sum(each.micros for each in self.differences if each.kind in CLAIMS)

    @property
    def needs_a_person(self) -> bool:
        """Whether more is unexplained than allowed, or more is to be taken up with the carrier."""
        return not self.passed or self.claimed > self.allowed

    @property
    def unexplained(self) -> int:
        """What no class proves, rows added up without regard to their sign."""
        return sum(abs(row.unexplained) for row in self.rows)

    @property
    def allowed(self) -> int:
        """How much may stay unexplained."""
        return self.tolerance.allows(self.bill.total)

    @property
    def passed(self) -> bool:
        """Whether what is unexplained is within the tolerance."""
        return self.unexplained <= self.allowed


def reconcile(
    bill: Bill,
    rows: Rows,
    sums: Mapping[str, RowSums],
    of_calls: Sequence[Difference],
    tolerance: Tolerance,
    listed: Mapping[str, int] | None = None,
) -> Reconciliation:
    """Put the two sides together.

    ``sums`` are the calls by row, ``of_calls`` the differences found in them. ``listed`` is what
    the bill's own list of calls adds up to by row, None where it has none.
    """
    billed, said = _billed(bill, rows, listed)
    found = [*of_calls, *_of_list(bill, rows, billed, listed), *_of_other_lines(bill)]
    by_row = _by_row(found)
    names = [*sorted({*sums, *billed, *by_row} - {ALL_CALLS, OTHER_LINES})]
    names += [name for name in (ALL_CALLS,) if name in billed or name in sums]
    names += [OTHER_LINES] if bill.other_lines else []
    filled = tuple(
        Row(
            name,
            sums.get(name, RowSums()),
            said.get(name),
            billed.get(name, 0),
            by_row.get(name, dict.fromkeys(CLASSES, 0)),
            None if listed is None else listed.get(name, 0),
        )
        for name in names
    )
    return Reconciliation(bill, filled, tuple(found), tolerance)


def _billed(
    bill: Bill, rows: Rows, listed: Mapping[str, int] | None
) -> tuple[dict[str, int], dict[str, int | None]]:
    """Return what the bill says by row: dollars, and calls where it gives them.

    A line for all (other) calls is shared out as the bill's list has it; what the list does not
    come to stays with the line.
    """
    billed: dict[str, int] = {}
    said: dict[str, int | None] = {}
    for line in bill.call_lines:
        row = _row(line, rows)
        before = said.get(row, 0)
        said[row] = None if before is None or line.calls is None else before + line.calls
        billed[row] = billed.get(row, 0) + line.charge
    if listed is not None and ALL_CALLS in billed:
        for row, micros in sorted(listed.items()):
            if row not in billed:
                billed[row] = micros
                billed[ALL_CALLS] -= micros
        if not billed[ALL_CALLS]:
            del billed[ALL_CALLS]
    other = sum(line.charge for line in bill.other_lines)
    return ({**billed, OTHER_LINES: other} if bill.other_lines else billed), said


def _row(line: BillLine, rows: Rows) -> str:
    return rows.of(line.category) if line.category else ALL_CALLS


def _of_list(
    bill: Bill, rows: Rows, billed: Mapping[str, int], listed: Mapping[str, int] | None
) -> list[Difference]:
    """Return the rounding between the bill's list of calls and its lines."""
    if listed is None:
        return []
    own = {_row(line, rows) for line in bill.call_lines}
    for_rest = sum(micros for row, micros in listed.items() if row not in own)
    found = []
    for row in sorted(own):
        added = for_rest if row == ALL_CALLS else listed.get(row, 0)
        left = billed.get(row, 0) - (0 if row == ALL_CALLS else added)
        if left and added + left == rounded(added):
            why = "the list of calls adds up to the line, rounded to the cent"
            found.append(Difference("rounding", ((row, left),), why))
    return found


def _of_other_lines(bill: Bill) -> list[Difference]:
    """Return the lines that are no calls of the period, each as what it says it is."""
    gst = gst_added(bill)
    found = []
    for line in bill.other_lines:
        if line.kind == "gst":
            continue
        kind = {"credit": "credit", "rounding": "rounding", "late-calls": "late"}.get(
            line.kind, "non-call line"
        )
        if kind == "rounding" and abs(line.charge) > ROUNDED_AT_MOST:
            continue
        moves = ((OTHER_LINES, line.charge),)
        found.append(Difference(kind, moves, line.text, line.calls or 0, line.at))
    if gst.proved:
        at = ", ".join(line.at for line in bill.lines if line.kind == "gst")
        found.append(Difference("GST basis", ((OTHER_LINES, gst.proved),), gst.rule, 0, at))
    return found


def _by_row(found: Sequence[Difference]) -> dict[str, dict[str, int]]:
    """Add differences up by row and class."""
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CLASSES, 0))
    for each in found:
        for row, micros in each.moves:
            sums[row][each.kind] += micros
    return dict(sums)


def hint(row: Row) -> str:
    """Say what an unexplained row looks like; it proves nothing."""
    if not row.unexplained:
        return ""
    if row.name == OTHER_LINES:
        return "GST or rounding that the other lines do not come to"
    if row.listed == row.billed:
        return "records whose cost cannot be read"
    if row.listed is not None:
        return f"the bill's own list of calls comes to {plain(dollars(row.listed))}"
    if row.said is not None and row.said in {row.sums.calls, row.sums.charged}:
        return "as many calls as recorded: looks like another rate; ask for the list of calls"
    if row.said is not None and row.said != row.sums.calls:
        more = row.said - row.sums.charged
        words = "more" if more > 0 else "fewer"
        return f"{abs(more):,} {words} calls than charged records; ask for the list of calls"
    return "ask for the list of calls"
