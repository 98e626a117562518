"""Random months with random planted differences: all that was planted is found, nothing else is.

``RANDOM_BILLS=1000`` looks at a thousand months; a choice of them is enough for every day.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bills import (
    BEFORE,
    BRISBANE,
    CENT,
    END,
    START,
    Call,
    Line,
    Month,
    compared,
    found_in,
    random_calls,
    write_bill,
    write_list,
)

SYDNEY = "Australia/Sydney"
HOUR = 3600
MONTHS = int(os.environ.get("RANDOM_BILLS", "6"))
BASES = (("exclusive", "exclusive"), ("exclusive", "inclusive"), ("inclusive", "exclusive"))


def expected(cost: int, bases: tuple[str, str]) -> int:
    """Bring a cost onto the bill's basis, in whole numbers, half away from zero."""
    if bases[0] == bases[1]:
        return cost
    over, times = (10, 11) if bases[1] == "inclusive" else (11, 10)
    return (abs(cost) * times * 2 + over) // (2 * over) * (1 if cost >= 0 else -1)


def in_cents(value: int) -> int:
    """Round to the cent, half away from zero."""
    return (abs(value) * 2 + CENT) // (2 * CENT) * CENT * (1 if value >= 0 else -1)


class Planter:
    """Writes a bill's list of calls and plants differences in it."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.month = Month()
        self.bases = random.choice(BASES)
        self.cents = random.random() < 0.5
        self.has_ids = random.random()
        self.month.calls = random_calls(random, random.randrange(40, 120), START, END, 1_000)
        self.month.others = random_calls(random, 12, BEFORE.start, BEFORE.end, 10)
        self.zone = random.choice((BRISBANE, SYDNEY))
        # In the hour that Sydney has in November already.
        last = random_calls(random, 4, END - HOUR, END, 5_000)
        self.month.calls += [call for call in last if not any(near(call, c) for c in self.calls)]
        self.gst: Counter[str] = Counter()
        self.rounding: Counter[str] = Counter()

    @property
    def calls(self) -> list[Call]:
        """The records of the month."""
        return self.month.calls

    def charge(self, call: Call) -> int:
        """Return what a call is billed where nothing is wrong."""
        basis = expected(call.cost, self.bases)
        return in_cents(basis) if self.cents else basis

    def line(self, call: Call, **other: Any) -> Line:
        """List a call; without an id, its time is off by some seconds."""
        made = Line.of(call, charge=self.charge(call))
        if self.random.random() >= self.has_ids:
            made = replace(made, call_id="", unixtime=made.unixtime + self.random.randrange(-2, 3))
        return replace(made, **other)

    def agree(self, call: Call, row: str) -> None:
        """Write down what GST and rounding make of a call that agrees."""
        basis = expected(call.cost, self.bases)
        self.gst[row] += basis - call.cost
        self.rounding[row] += self.charge(call) - basis

    def plant(self) -> None:
        """List every charged call, each with nothing or one thing wrong."""
        random, month = self.random, self.month
        for call in month.calls:
            if not call.cost:
                continue
            if self.zone == SYDNEY and call.unixtime >= END - HOUR:
                month.plant("boundary", {call.category: -call.cost}, call.call_id)
                continue
            # A record that another could be taken for proves nothing: it is listed as it is.
            alone = sum(near(call, other) for other in month.calls) == 1
            what = random.choice(("", "", "", *WRONG)) if alone else ""
            getattr(self, f"_{what or 'right'}")(call)
        for number in range(random.randrange(3)):
            ghost = Call(
                f"ghost-{number}", random.randrange(START + HOUR, END - HOUR), "0899990000", 77
            )
            charge = random.randrange(1, 400) * CENT
            month.lines.append(Line.of(ghost, call_id="", charge=charge))
            month.plant("missing", {ghost.category: charge})
        for call in month.others[: random.randrange(3)]:
            if call.cost and sum(near(call, other) for other in month.others) == 1:
                listed = self.line(call)
                month.lines.append(listed)
                month.plant("late", {call.category: listed.charge}, call.call_id)
        credit = Call("credit", START + 500, "0899990001", 0)
        month.lines.append(Line.of(credit, call_id="", charge=-3 * CENT))
        month.plant("credit", {credit.category: -3 * CENT})
        random.shuffle(month.lines)
        for row, micros in self.gst.items():
            if micros:
                month.plant("GST basis", {row: micros})
        for row, micros in self.rounding.items():
            if micros:
                month.plant("rounding", {row: micros})

    def _right(self, call: Call) -> None:
        self.month.lines.append(self.line(call))
        self.agree(call, call.category)

    def _extra(self, call: Call) -> None:
        self.month.plant("extra", {call.category: -call.cost}, call.call_id)

    def _duplicate(self, call: Call) -> None:
        self._right(call)
        again = self.line(call)
        self.month.lines.append(again)
        self.month.plant("duplicate", {call.category: again.charge}, call.call_id)

    def _re_rated(self, call: Call) -> None:
        basis = expected(call.cost, self.bases)
        charge = in_cents(basis) + self.random.choice((-1, 1, 2)) * 2 * CENT
        self.month.lines.append(self.line(call, charge=charge))
        self._loud_gst(call, call.category)
        self.month.plant("re-rated", {call.category: charge - basis}, call.call_id)

    def _re_labelled(self, call: Call) -> None:
        self.month.lines.append(self.line(call, category="Premium"))
        moved = {call.category: -call.cost, "Premium": call.cost}
        self.month.plant("re-labelled", moved, call.call_id)
        self._loud_gst(call, "Premium")
        rest = self.charge(call) - expected(call.cost, self.bases)
        if rest:
            self.month.plant("rounding", {"Premium": rest}, call.call_id)

    def _loud_gst(self, call: Call, row: str) -> None:
        added = expected(call.cost, self.bases) - call.cost
        if added:
            self.month.plant("GST basis", {row: added}, call.call_id)


WRONG = ("extra", "duplicate", "re_rated", "re_labelled")


def near(one: Call, other: Call) -> bool:
    """Tell whether one call could be taken for another where there is no id."""
    apart = abs(one.unixtime - other.unixtime)
    return (one.to, one.seconds) == (other.to, other.seconds) and apart <= 8


@pytest.mark.parametrize("seed", range(MONTHS))
def test_everything_planted_is_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    """A random list of calls: each planted difference is found with its call and its dollars."""
    planter = Planter(Random(seed))
    planter.plant()
    month = planter.month
    listed = write_list(tmp_path / "calls.csv", month.lines, planter.zone)
    others = [("rental", "A number", "", None, 1_500 * CENT), ("sms", "SMS", "", None, 35 * CENT)]
    sums: Counter[str] = Counter()
    for line in month.lines:
        sums[line.category] += line.charge
    lines = [("calls", name, name, None, in_cents(charge)) for name, charge in sums.items()]
    for name, charge in sums.items():
        if in_cents(charge) != charge:
            month.plant("rounding", {name: in_cents(charge) - charge})
    for _, _, _, _, charge in others:
        month.plant("non-call line", {"(not calls)": charge})
    gst = in_cents((sum(line[4] for line in (*lines, *others)) * 2 + 10) // 20)
    if planter.bases[1] == "exclusive":
        others.append(("gst", "GST", "", None, gst))
        month.plant("GST basis", {"(not calls)": gst})
    bill = write_bill(
        tmp_path / "bill.toml",
        [*lines, *others],
        gst=planter.bases[1],
        timezone=planter.zone,
    )
    result = compared(
        tmp_path, month.calls, bill, listed, others=month.others, cost_gst=planter.bases[0]
    )
    assert found_in(result) == +month.planted
    assert result.whole.unexplained == 0
    assert result.whole.passed
