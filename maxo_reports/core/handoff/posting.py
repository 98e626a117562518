"""The posting set: what a period's calls come to in somebody's books, in whole cents.

A bill, an accrual and an allocation debit the accounts of the calls and credit one account; a
sale does the opposite. A payable total is rounded once, and the lines are shares of it. GST
stands on a line only where the basis of the carrier's cost is declared *and* the user says that
the carrier's tax invoice is held (GST Act s 29-10(3)); it is worked out on the total and rounded
once (s 9-90(2)(a), the total invoice rule).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from maxo_reports.core.handoff.cents import GRAINS, dollars, grains, off, rounded, shared, split
from maxo_reports.core.handoff.coding import Coded, Coding
from maxo_reports.core.ledger import Totals, total
from maxo_reports.core.money import GstBasis, round_half_up

Kind = Literal["bill", "accrual", "allocation", "sale"]
KINDS: Mapping[Kind, str] = {
    "bill": "draft supplier bill",
    "accrual": "accrual",
    "allocation": "cost allocation",
    "sale": "sales invoices",
}
OTHER = "other charges"
"""What a bill asks for beside calls: plan fees, numbers, equipment, credits."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``booked`` dollars, and the ``gst`` in them, where there is any to claim."""

    coding: Coding
    text: str
    values: Mapping[str, str]
    totals: Totals
    booked: Decimal
    gst: Decimal = Decimal("0.00")
    is_calls: bool = True

    @property
    def net(self) -> Decimal:
        """What is booked without its GST."""
        return self.booked - self.gst


@dataclass(frozen=True, slots=True)
class Counter:
    """The other side of an entry: the account that is credited (debited, in a sale)."""

    account: str
    text: str
    gst_account: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One bill, invoice or journal entry. ``turned`` swaps debit and credit: in a sale."""

    number: str
    code: str
    day: date
    due: date
    contact: str
    text: str
    lines: tuple[Line, ...]
    counter: Counter
    turned: bool = False

    @property
    def payable(self) -> Decimal:
        """What the lines add up to."""
        return sum((line.booked for line in self.lines), Decimal("0.00"))

    @property
    def gst(self) -> Decimal:
        """The GST in it."""
        return sum((line.gst for line in self.lines), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Proof:
    """How one comes from the calls' exact cost to what is payable, step by step.

    ``cost + gst_step + rounding + other == payable``, where ``gst_step`` is the GST that is put
    on an exclusive cost or taken out of an inclusive one; it is exact but for its print.
    """

    cost: Decimal
    gst_step: Decimal
    rounding: Decimal
    other: Decimal
    payable: Decimal
    gst: Decimal


@dataclass(frozen=True, slots=True)
class PostingSet:
    """All entries of one handoff, and the proof of their sum."""

    kind: Kind
    basis: GstBasis
    totals: Totals
    entries: tuple[Entry, ...]
    proof: Proof

    @property
    def booked(self) -> Decimal:
        """What all entries come to."""
        return sum((entry.payable for entry in self.entries), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Worded:
    """A coded line with its text written out."""

    coded: Coded
    text: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """What the user says of the carrier's bill. ``other`` codes what it asks beside calls."""

    total: Decimal
    other: Coding
    other_text: str
    claims: bool = False
    """Whether the tax invoice is held, so that its GST is claimed."""


def bill(lines: Sequence[Worded], basis: GstBasis, invoice: Invoice, entry: Entry) -> PostingSet:
    """Post the calls as part of a supplier's bill; ``entry`` is the bill without its lines.

    Lines carry what is paid, GST included. What the bill asks beside calls is a line of its own.
    """
    gross = [_gross(line, basis) for line in lines]
    calls = rounded(sum(gross))
    other = int(invoice.total.scaleb(2)) - calls
    others = [other] if other else []
    claims = invoice.claims
    gst = [_gst(line, basis) if claims else 0 for line in lines]
    # An eleventh of a whole cent is a whole number of grains.
    taxed = claims and invoice.other.tax == "gst"
    gst += [cents * GRAINS // 11 if taxed else 0 for cents in others]
    gross += [cents * GRAINS for cents in others]
    parts = split(gross, gst, calls + other, rounded(sum(gst)))
    posted = [
        _line(line, paid, tax)
        for line, paid, tax in zip(lines, parts.gross, parts.gst, strict=False)
    ]
    if other:
        tax = parts.gst[-1]
        text = invoice.other_text
        posted.append(
            Line(invoice.other, text, {}, Totals(), dollars(other), dollars(tax), is_calls=False)
        )
    if not claims:
        posted = [replace(line, coding=line.coding.without_gst) for line in posted]
    exact = sum(gross) - other * GRAINS
    return _set("bill", basis, lines, posted, entry, exact, dollars(other))


def journal(
    kind: Literal["accrual", "allocation"],
    lines: Sequence[Worded],
    basis: GstBasis,
    entry: Entry,
) -> PostingSet:
    """Post the calls' cost without GST: no credit is claimed before a tax invoice is held.

    Where the basis is not declared the cost is posted as the carrier reports it.
    """
    net = [_gross(line, basis) - _gst(line, basis) for line in lines]
    parts = split(net, [0] * len(net), rounded(sum(net)), 0)
    posted = [_line(line, paid, 0) for line, paid in zip(lines, parts.gross, strict=True)]
    posted = [replace(line, coding=line.coding.without_gst) for line in posted]
    return _set(kind, basis, lines, posted, entry, sum(net), Decimal("0.00"))


def reversed_on(entry: Entry, day: date, text: str) -> Entry:
    """Return an entry that takes another back on a later day."""
    number, code = f"{entry.number}-REV", f"R{entry.code[1:]}"
    return replace(
        entry, number=number, code=code, day=day, due=day, text=text, turned=not entry.turned
    )


@dataclass(frozen=True, slots=True)
class Sold:
    """One client's charges: lines in cents without GST, and the GST on their sum.

    ``entry`` is the invoice without its lines; what is charged was worked out and sealed before.
    """

    entry: Entry
    coding: Coding
    lines: tuple[tuple[str, Decimal], ...]
    gst: Decimal


def sales(sold: Sequence[Sold]) -> PostingSet:
    """Post what clients are charged, one invoice for each; its GST is shared over its lines."""
    entries = []
    for each in sold:
        nets = [int(dollars_net.scaleb(2)) for _, dollars_net in each.lines]
        tax, net = int(each.gst.scaleb(2)), sum(nets)
        taxes = (
            shared([one * GRAINS * tax // net for one in nets], tax) if tax else [0] * len(nets)
        )
        posted = tuple(
            Line(
                each.coding,
                text,
                {"client": each.entry.contact},
                Totals(),
                dollars(one + own),
                dollars(own),
                is_calls=False,
            )
            for (text, _), one, own in zip(each.lines, nets, taxes, strict=True)
        )
        entries.append(replace(each.entry, lines=posted, turned=True))
    payable = sum((entry.payable for entry in entries), Decimal("0.00"))
    gst = sum((entry.gst for entry in entries), Decimal("0.00"))
    nothing = Decimal("0.00")
    proof = Proof(payable - gst, gst, nothing, nothing, payable, gst)
    return PostingSet("sale", "exclusive", Totals(), tuple(entries), proof)


def _set(
    kind: Kind,
    basis: GstBasis,
    lines: Sequence[Worded],
    posted: Sequence[Line],
    entry: Entry,
    exact: int,
    other: Decimal,
) -> PostingSet:
    """Return a set of one entry; ``exact`` grains are what its calls come to."""
    filled = replace(entry, lines=tuple(posted))
    totals = total(line.coded.totals for line in lines)
    calls = filled.payable - other
    proof = Proof(
        totals.cost,
        off(0, -(exact - grains(totals.cost))),
        off(int(calls.scaleb(2)), exact),
        other,
        filled.payable,
        filled.gst,
    )
    return PostingSet(kind, basis, totals, (filled,), proof)


def _line(line: Worded, paid: int, tax: int) -> Line:
    of = line.coded
    return Line(of.coding, line.text, of.values, of.totals, dollars(paid), dollars(tax))


def _gst(line: Worded, basis: GstBasis) -> int:
    """Return the GST of a line in grains: an eleventh of a cost with it, a tenth of one without.

    There is none in a cost of which nobody has said what it holds.
    """
    if line.coded.coding.tax != "gst" or basis == "unknown":
        return 0
    return grains(line.coded.totals.cost) // (11 if basis == "inclusive" else 10)


def _gross(line: Worded, basis: GstBasis) -> int:
    """Return what a line comes to with its GST, in grains."""
    cost = grains(line.coded.totals.cost)
    return cost if basis != "exclusive" else cost + _gst(line, basis)


def said(proof: Proof) -> str:
    """Say how the payable total comes about, in one line that adds up."""
    steps = [f"cost {_exact(proof.cost)}"]
    for name, step in (
        ("GST", proof.gst_step),
        ("rounding", proof.rounding),
        (OTHER, proof.other),
    ):
        if step:
            steps.append(f"{'+' if step > 0 else '-'} {name} {_exact(abs(step))}")
    return f"{' '.join(steps)} = {round_half_up(proof.payable)}"


def _exact(value: Decimal) -> str:
    """Write dollars with the decimals they need, two at least and six at most."""
    text = f"{round_half_up(value, 6):f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest:<02}"
