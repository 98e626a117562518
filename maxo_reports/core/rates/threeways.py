"""Three ways: from the carrier's bill over the calls to what the clients are billed, step by step.

Each step is a line with its dollars, and every sum is what the steps above it come to. Where the
bill itself is known, its way down to the calls as recorded is the reconciliation's, in the bill's
own dollars; then the GST leaves, and from there on everything is without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from maxo_reports.core.bills.bill import OTHER_LINES
from maxo_reports.core.bills.differences import CLASSES, UNEXPLAINED
from maxo_reports.core.bills.reconcile import Reconciliation, Row
from maxo_reports.core.checks import Check, Finding
from maxo_reports.core.money import COST_PLACES, MICROS, dollars, plain
from maxo_reports.core.rates.oncharge import GRAINS, in_dollars, shared

PLACES = 4
"""Decimals of costs without GST: they come out of a division and are shared out to add up."""
_GRAINS_OF_A_MICRO = GRAINS // MICROS
_ALWAYS = ("GST basis", "rounding")
"""Classes that are told also where they come to nothing."""
_NO_CALL = "non-call line"


@dataclass(frozen=True, slots=True)
class Step:
    """One line. A *sum* is what the steps above it come to, and adds nothing itself."""

    label: str
    dollars: Decimal
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class CarrierTotal:
    """What the carrier bills, of which nothing but the total is known.

    ``total`` is with GST; in ``grains`` it is without, all of it taken as taxed.
    """

    total: Decimal
    grains: int

    @classmethod
    def of(cls, total: Decimal) -> CarrierTotal:
        """Return a bill's total, GST included, as it is compared."""
        micros = int(total.scaleb(COST_PLACES))
        return cls(total, micros * _GRAINS_OF_A_MICRO * 10 // 11)

    def steps(self, without: Decimal) -> Iterator[Step]:
        """Yield the way to the cost of the calls ``without`` GST."""
        (billed,) = shared([self.grains], PLACES)
        bill = in_dollars(billed, PLACES)
        said = f"${plain(self.total)} with GST"
        yield Step(f"Carrier's bill, without GST ({said})", bill)
        yield Step("Not calls of the period: on the bill, not among the calls", without - bill)


@dataclass(frozen=True, slots=True)
class CarrierBill:
    """What the carrier bills, held against the calls: every row and class of the bill."""

    whole: Reconciliation

    @property
    def _of_calls(self) -> tuple[Row, ...]:
        return tuple(row for row in self.whole.rows if row.name != OTHER_LINES)

    @property
    def _other(self) -> tuple[Row, ...]:
        return tuple(row for row in self.whole.rows if row.name == OTHER_LINES)

    def steps(self, without: Decimal) -> Iterator[Step]:
        """Yield the way to the cost of the calls as recorded, and to that ``without`` GST.

        Steps of more than four decimals are shared out so that they add up.
        """
        bill = self.whole.bill
        other = _steps("Bill", self._other, (_NO_CALL, *_ALWAYS))
        calls = _steps("Calls", self._of_calls, _ALWAYS)
        moved = (bill.total, *other.values(), *calls.values())
        units = shared([micros * _GRAINS_OF_A_MICRO for micros in moved], PLACES)
        told = [in_dollars(each, PLACES) for each in units]
        first, until = told[0], 1 + len(other)
        yield Step(f"Carrier's bill {bill.number}, as payable", first)
        yield from map(Step, other, told[1:until])
        yield Step("What the bill says of calls", sum(told[:until], Decimal(0)), is_sum=True)
        yield from map(Step, calls, told[until:])
        recorded = sum(told, Decimal(0))
        yield Step("Cost of the calls, as recorded", recorded, is_sum=True)
        yield Step("GST within the recorded cost", without - recorded)

    def checks(self, cost: int) -> Iterator[Check]:
        """Compare both ends of the calls' part with what they are made from.

        ``cost`` is that of all calls that were charged or left, in micro-dollars.
        """
        said = sum(line.charge for line in self.whole.bill.call_lines)
        rows = sum(row.billed for row in self._of_calls)
        yield _same("Bill's lines for calls = rows of calls", said, rows)
        yield _same("Calls held against the bill = calls charged", cost, self.whole.cost)

    def findings(self) -> Iterator[Finding]:
        """Yield what of the bill no class proves, where it is more than is allowed."""
        whole = self.whole
        if not whole.passed:
            yield Finding(
                "bill-unexplained",
                "warning",
                f"bill {whole.bill.number[:60]}",
                "unexplained, which is more than its tolerance of "
                f"${plain(dollars(whole.allowed))}: reconcile shows where",
                0,
                dollars(whole.unexplained),
            )


def _same(title: str, expected: int, found: int) -> Check:
    return Check(title, f"${plain(dollars(expected))}", f"${plain(dollars(found))}")


def _steps(side: str, rows: Sequence[Row], always: Sequence[str]) -> Mapping[str, int]:
    """Return what leads from what rows are billed to what their calls cost, in micro-dollars."""
    found = {}
    for kind, meaning in CLASSES.items():
        micros = sum(row.classes[kind] for row in rows)
        if micros or kind in always:
            found[f"{side}: {kind}, {meaning}"] = -micros
    left = sum(row.unexplained for row in rows)
    found[f"{side}: {UNEXPLAINED}, what no class proves"] = -left
    return found


def adding_up(steps: Sequence[Step]) -> Iterator[Check]:
    """Yield whether each sum is what the steps above it come to."""
    so_far = Decimal(0)
    for step in steps:
        if step.is_sum:
            title = f"Three ways: {step.label}"
            yield Check(title, f"${plain(step.dollars)}", f"${plain(so_far)}")
        else:
            so_far += step.dollars
