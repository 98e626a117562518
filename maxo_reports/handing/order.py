"""What the user asks of a handoff: its kind, its targets, and what the carrier's bill says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from maxo_reports.core.handoff.posting import KINDS, Kind
from maxo_reports.core.handoff.target import Target
from maxo_reports.core.money import micros_from_text
from maxo_reports.errors import UsageError

SHORT = {"accrual": "ACC", "allocation": "ALL"}
LETTERS = {"bill": "B", "accrual": "A", "allocation": "L"}
"""What MYOB's numbers begin with: no two kinds of a month have the same."""


@dataclass(frozen=True, slots=True)
class Order:
    """One wish for files. Figures of the bill are None where there is none."""

    kind: Kind
    targets: tuple[str, ...]
    number: str = ""
    total: Decimal | None = None
    day: date | None = None
    due: date | None = None
    claims: bool = False
    reverses: bool = False
    replaces: str = ""


def dollars_from_text(text: str) -> Decimal:
    """Read a bill's total, ``1,234.50`` or ``$1234.5``; nothing finer than a cent."""
    plain = text.strip().removeprefix("$").replace(",", "")
    micros = micros_from_text(plain)
    if micros is None or micros % 10_000:
        raise UsageError(f"total {text!r} is not understood: write dollars and cents, 1234.50")
    return Decimal(micros // 10_000).scaleb(-2)


def day_from_text(text: str) -> date:
    """Read a day, ``2026-11-03``."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"day {text!r} is not understood: write 2026-11-03") from None


def check(order: Order, targets: Sequence[Target], basis: str) -> None:
    """Refuse what does not fit together, before anything is read."""
    what = KINDS[order.kind]
    for target in targets:
        if order.kind not in target.kinds:
            takes = ", ".join(target.kinds)
            raise UsageError(f"target {target.name} is for {takes}, not for {order.kind} ({what})")
    of_bill = {
        "--invoice-number": order.number,
        "--invoice-total": order.total,
        "--invoice-date": order.day,
    }
    if order.kind == "bill":
        lacking = [flag for flag, value in of_bill.items() if not value and value != Decimal(0)]
        if lacking:
            raise UsageError(
                f"a bill needs {', '.join(lacking)}, as the carrier's own invoice says"
            )
    else:
        if order.kind == "sale":
            of_bill.pop("--invoice-date")
        given = [flag for flag, value in of_bill.items() if value]
        given += ["--claim-gst"] if order.claims else []
        if given:
            raise UsageError(f"{', '.join(given)} has no meaning in {_a(what)}")
    if order.reverses and order.kind != "accrual":
        raise UsageError(f"--reverse has no meaning in {_a(what)}: it takes an accrual back")
    if order.claims and basis == "unknown":
        raise UsageError(
            "no GST can be claimed: nobody has said whether the carrier's cost includes it; "
            'set cost_gst = "inclusive" or "exclusive" for the account in maxo.toml'
        )
    if order.day and order.due and order.due < order.day:
        raise UsageError(f"the bill is due on {order.due}, before its day, {order.day}")


def _a(what: str) -> str:
    return f"an {what}" if what[0] in "aeiou" else f"a {what}"
