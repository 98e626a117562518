"""Ledgers and posting sets for tests, made up from a seed; sums by fractions, on their own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from maxo_reports.core.handoff.coding import Coded, Coding
from maxo_reports.core.handoff.posting import Counter, Entry, Worded
from maxo_reports.core.ledger import Totals

CENT = Decimal("0.01")
ENTRY = Entry(
    "INV-1",
    "B261031",
    date(2026, 11, 3),
    date(2026, 11, 17),
    "MaxoTel",
    "MaxoTel calls 2026-10",
    (),
    Counter("2-1250", "MaxoTel calls 2026-10", "2-1310"),
)


def worded(
    cost: str | Decimal, account: str = "489", tax: str = "gst", text: str = "", calls: int = 1
) -> Worded:
    """Make a line of calls that cost so much."""
    totals = Totals(calls, calls, calls, 60 * calls, Decimal(cost))
    coding = Coding(account, tax)  # type: ignore[arg-type]
    return Worded(Coded(coding, {"category": text or account}, totals), text or f"Calls {cost}")


def made_up(seed: int) -> list[Worded]:
    """Make lines up: few and many, cheap and dear, fine costs and credits, every tax."""
    dice = random.Random(seed)
    places = dice.choice((2, 4, 6))
    highest = dice.choice((3, 500, 10_000_00))
    lines = []
    for number in range(dice.choice((1, 2, 3, 8, 40))):
        units = dice.randint(0, highest * 10 ** (places - 2))
        sign = -1 if dice.random() < 0.05 else 1
        tax = dice.choices(("gst", "free", "none"), (8, 1, 1))[0]
        lines.append(worded(Decimal(sign * units).scaleb(-places), f"A{number}", tax))
    return lines


def half_up(value: Fraction) -> Decimal:
    """Round dollars once to cents, half away from zero, as the Act does."""
    cents = abs(value) * 100
    whole = int(cents + Fraction(1, 2))
    return (Decimal(whole) * CENT).copy_sign(Decimal(-1 if value < 0 and whole else 1))


def gross_and_gst(lines: Sequence[Worded], basis: str) -> list[tuple[Fraction, Fraction]]:
    """Work out every line in fractions: what is paid, and the GST in it."""
    found = []
    for line in lines:
        cost = Fraction(line.coded.totals.cost)
        gst = Fraction(0)
        if line.coded.coding.tax == "gst" and basis != "unknown":
            gst = cost / 11 if basis == "inclusive" else cost / 10
        found.append((cost + gst if basis == "exclusive" else cost, gst))
    return found


def with_tracking(line: Worded, **options: str) -> Worded:
    """Give a line tracking options."""
    coding = replace(line.coded.coding, tracking=tuple(options.items()))
    return replace(line, coded=replace(line.coded, coding=coding))


assert Decimal("0.125").quantize(CENT, ROUND_HALF_UP) == half_up(Fraction(1, 8))
