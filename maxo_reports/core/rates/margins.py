"""The reseller's own report: what each client's calls cost and bring, and whether all adds up.

Three ways: the carrier's bill, the calls, the clients' statements. Every step between two of them
is a line with its dollars, and the steps add up exactly. These figures are the
reseller's alone; nothing of this module is in a client's pack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from maxo_reports.core.checks import Check, Finding, worst_first
from maxo_reports.core.directory import UNALLOCATED
from maxo_reports.core.ledger import Totals
from maxo_reports.core.money import dollars, plain
from maxo_reports.core.rates.oncharge import Dues, Sorted, in_dollars, shared
from maxo_reports.core.rates.tabled import cost, count, length, report, section, text
from maxo_reports.core.rates.threeways import PLACES, CarrierBill, CarrierTotal, Step, adding_up
from maxo_reports.core.report import Column, Kind, Report, Section, Source
from maxo_reports.core.text import counted

_BILLED = "Clients billed, without GST"


@dataclass(frozen=True, slots=True)
class Margin:
    """A period's calls by who pays, what each client owes, and the carrier's bill if known."""

    whole: Sorted
    dues: Mapping[str, Dues]
    carrier: CarrierTotal | CarrierBill | None = None

    @property
    def billed(self) -> Decimal:
        """What the clients are billed without GST."""
        return sum((each.net for each in self.dues.values()), Decimal(0))

    def of_calls(self, dues: Dues) -> Decimal:
        """Return what of a client's charge is for calls: all but the fees."""
        return dues.net - sum((dollars for _, dollars in dues.fees), Decimal(0))


@dataclass(frozen=True, slots=True)
class _Costs:
    """Costs without GST in dollars that add up: of each client, and of each unbilled number."""

    clients: Mapping[str, Decimal]
    unbilled: Mapping[tuple[str, str], Decimal]

    @property
    def total(self) -> Decimal:
        return sum((*self.clients.values(), *self.unbilled.values()), Decimal(0))

    def not_billed(self, *, of_nobody: bool) -> Decimal:
        return sum(
            (v for (name, _), v in self.unbilled.items() if (name == UNALLOCATED) == of_nobody),
            Decimal(0),
        )


def _costs(whole: Sorted) -> _Costs:
    names, numbers = list(whole.clients), list(whole.unbilled)
    grains = [whole.clients[name].cost for name in names]
    grains += [whole.unbilled[key].cost for key in numbers]
    told = [in_dollars(units, PLACES) for units in shared(grains, PLACES)]
    return _Costs(
        dict(zip(names, told, strict=False)),
        dict(zip(numbers, told[len(names) :], strict=True)),
    )


def margin_report(margin: Margin, source: Source) -> Report:
    """Return the reseller's report."""
    costs = _costs(margin.whole)
    own = [
        _three_ways(margin, costs),
        _by_client(margin, costs),
        _by_category(margin.whole),
        _not_billed(margin.whole, costs),
        _charged_lines(margin),
    ]
    finest = [Decimal(1).scaleb(-PLACES)] if margin.whole.cost else []
    return report("margin", "Margin by client", source, own, finest)


# ---- sections -----------------------------------------------------------------------------------


def _steps(margin: Margin, costs: _Costs) -> list[Step]:
    """Return the whole way, from the bill where it is known, to what clients are billed."""
    nobody = costs.not_billed(of_nobody=True)
    unknown = costs.not_billed(of_nobody=False)
    bought = sum(costs.clients.values(), Decimal(0))
    charged = sum((margin.of_calls(each) for each in margin.dues.values()), Decimal(0))
    before = list(margin.carrier.steps(costs.total)) if margin.carrier else []
    return [
        *before,
        # Without a bill the way begins here.
        Step("Cost of the calls, without GST", costs.total, is_sum=bool(before)),
        Step(f"{UNALLOCATED}: calls of no client", -nobody),
        Step("Calls of clients without terms", -unknown),
        Step("Cost of the calls that clients pay", bought, is_sum=True),
        Step("Margin on calls", charged - bought),
        Step("Fixed fees", margin.billed - charged),
        Step(_BILLED, margin.billed, is_sum=True),
    ]


def _three_ways(margin: Margin, costs: _Costs) -> Section:
    *steps, billed = _steps(margin, costs)
    way = "From the carrier to the clients, without GST"
    if isinstance(margin.carrier, CarrierBill):
        way = "From the carrier's bill to the clients"
    return section(
        "Three ways",
        (text("step", way), cost("dollars", "Dollars")),
        [(step.label, step.dollars) for step in steps],
        total=(billed.label, billed.dollars),
        note="Every line follows from those above it; GST on what clients are billed is "
        f"${plain(sum((each.gst for each in margin.dues.values()), Decimal(0)))}.",
        sheet="Summary",
    )


_MONEY = (
    cost("reported", "Cost as reported"),
    cost("bought", "Cost without GST"),
    cost("charged", "Charged for calls"),
    cost("fees", "Fees"),
    Column("net", "Charge without GST", Kind.CENTS),
    Column("gst", "GST", Kind.CENTS),
    Column("payable", "Payable", Kind.CENTS),
    cost("margin", "Margin"),
    text("share", "Margin of charge"),
)


def _by_client(margin: Margin, costs: _Costs) -> Section:
    rows = []
    for name, account in margin.whole.clients.items():
        dues = margin.dues[name]
        calls = margin.of_calls(dues)
        rows.append(
            (
                *(name, len(account.charges), account.seconds, dollars(account.micros)),
                *(costs.clients[name], calls, dues.net - calls, dues.net, dues.gst, dues.total),
                *(dues.net - costs.clients[name], _percent(dues.net, costs.clients[name])),
            )
        )
    for name in sorted({name for name, _ in margin.whole.unbilled}):
        of = [each for (other, _), each in margin.whole.unbilled.items() if other == name]
        bought = sum((v for (n, _), v in costs.unbilled.items() if n == name), Decimal(0))
        said = name if name == UNALLOCATED else f"{name} (no terms)"
        none = Decimal(0)
        rows.append(
            (
                *(said, sum(e.calls for e in of), sum(e.seconds for e in of)),
                *(dollars(sum(e.micros for e in of)), bought, none, none, none, none, none),
                *(-bought, ""),
            )
        )
    sums = [sum(row[at] for row in rows) for at in range(1, 11)]  # type: ignore[misc]
    total = ("Total", *(each or (Decimal(0) if at > 1 else 0) for at, each in enumerate(sums)))
    columns = (text("client", "Client"), count("calls", "Calls"), length("seconds", "Duration"))
    return section(
        "By client",
        (*columns, *_MONEY),
        rows,
        total=(*total, _percent(margin.billed, costs.total)),
    )


def _by_category(whole: Sorted) -> Section:
    lines = [
        (name, category, account.by_category[category])
        for name, account in whole.clients.items()
        for category in sorted(account.by_category)
    ]
    bought = shared([figures[2] for _, _, figures in lines], PLACES)
    sold = shared([figures[3] for _, _, figures in lines], PLACES)
    rows = [
        (
            *(name, category, figures[0], figures[1]),
            *(in_dollars(one, PLACES), in_dollars(other, PLACES)),
            *(in_dollars(other - one, PLACES),),
            _percent(in_dollars(other, PLACES), in_dollars(one, PLACES)),
        )
        for (name, category, figures), one, other in zip(lines, bought, sold, strict=True)
    ]
    return section(
        "By client and category",
        (
            *(text("client", "Client"), text("category", "Rate category")),
            *(count("calls", "Calls"), length("seconds", "Duration")),
            *(cost("bought", "Cost without GST"), cost("charged", "Charged for calls")),
            *(cost("margin", "Margin"), text("share", "Margin of charge")),
        ),
        rows,
        note="Before minimums, included calls and rounding to the cent.",
    )


def _not_billed(whole: Sorted, costs: _Costs) -> Section:
    rows = [
        (*key, each.calls, each.seconds, dollars(each.micros), costs.unbilled[key])
        for key, each in sorted(whole.unbilled.items())
    ]
    return section(
        "Not billed",
        (
            *(text("client", "Client"), Column("number", "Service number", Kind.NUMBER)),
            *(count("calls", "Calls"), length("seconds", "Duration")),
            *(cost("reported", "Cost as reported"), cost("bought", "Cost without GST")),
        ),
        rows,
        note="" if rows else "Every call has a client that pays for it.",
    )


def _charged_lines(margin: Margin) -> Section:
    rows = [
        (name, line, charge) for name, dues in margin.dues.items() for line, charge in dues.lines
    ]
    return section(
        "Charges",
        (text("client", "Client"), text("line", "Line"), cost("charge", "Without GST")),
        rows,
        note="The lines of every client's statement, without GST.",
    )


def _percent(charge: Decimal, bought: Decimal) -> str:
    """Write the margin as a percentage of the charge, to a tenth."""
    if charge <= 0:
        return ""
    tenths = int((charge - bought) * 10_000 // charge + 5) // 10
    sign, size = ("\u2212" if tenths < 0 else ""), abs(tenths)
    return f"{sign}{size // 10}.{size % 10}%"


# ---- checks and findings ------------------------------------------------------------------------


def checks(margin: Margin, control: Totals, cost_in_grains: int) -> tuple[Check, ...]:
    """Compare the calls that were sorted with the ledger, and the three ways with each other.

    ``cost_in_grains`` is the control total without GST.
    """
    whole = margin.whole
    accounts = whole.clients.values()
    calls = sum(len(a.charges) for a in accounts) + sum(e.calls for e in whole.unbilled.values())
    reported = sum(a.micros for a in accounts) + sum(e.micros for e in whole.unbilled.values())
    return (
        Check("Calls of clients and of nobody = calls", f"{control.calls:,}", f"{calls:,}"),
        Check(
            "Cost of clients and of nobody = control total",
            f"${plain(control.cost)}",
            f"${plain(dollars(reported))}",
        ),
        Check(
            "The same without GST, to the grain",
            f"{cost_in_grains:,}",
            f"{whole.cost:,}",
        ),
        *_adding_up(margin),
    )


def _adding_up(margin: Margin) -> Iterator[Check]:
    """Yield whether each client's lines come to its charge, and all ways to the same."""
    for name, dues in margin.dues.items():
        lines = sum((dollars for _, dollars in dues.lines), Decimal(0))
        yield Check(f"{name[:60]}: sum of lines", f"${plain(dues.net)}", f"${plain(lines)}")
    yield from adding_up(_steps(margin, _costs(margin.whole)))
    if isinstance(margin.carrier, CarrierBill):
        yield from margin.carrier.checks(margin.whole.micros)


def findings(margin: Margin) -> tuple[Finding, ...]:
    """Return what a reseller should see before statements go out, worst first."""
    found = [*_of_nobody(margin.whole)]
    if isinstance(margin.carrier, CarrierBill):
        found += margin.carrier.findings()
    for name, account in margin.whole.clients.items():
        where = f"client {name[:60]}"
        if account.uncharged:
            found.append(
                Finding(
                    "charge-unknown",
                    "error",
                    where,
                    "calls cannot be charged: their cost or duration cannot be read, or no rate "
                    "is for them",
                    len(account.uncharged),
                    dollars(sum(call.cost or 0 for call in account.uncharged)),
                )
            )
        lost = account.cost - account.exact
        if lost > 0:
            found.append(
                Finding(
                    "margin-negative",
                    "warning",
                    where,
                    "the client's calls cost more than they are charged, before any minimum",
                    len(account.charges),
                    in_dollars(shared([lost], PLACES)[0], PLACES),
                )
            )
    return worst_first(found)


def _of_nobody(whole: Sorted) -> Iterator[Finding]:
    for name in sorted({name for name, _ in whole.unbilled}):
        of = [each for (other, _), each in whole.unbilled.items() if other == name]
        numbers = counted(len(of), "service number")
        is_nobody = name == UNALLOCATED
        yield Finding(
            "not-billed" if is_nobody else "client-without-terms",
            "warning" if is_nobody else "error",
            numbers if is_nobody else f"client {name[:60]}, {numbers}",
            "calls of no client: nobody is billed for them"
            if is_nobody
            else "the directory has this client, oncharge.toml has no terms for it: not billed",
            sum(each.calls for each in of),
            dollars(sum(each.micros for each in of)),
        )


def words(margin: Margin) -> Sequence[str]:
    """Say in a line for each client what it owes."""
    return tuple(
        f"{name}: {counted(len(margin.whole.clients[name].charges), 'call')}, "
        f"${plain(dues.net)} + GST ${plain(dues.gst)} = ${plain(dues.total)}"
        for name, dues in margin.dues.items()
    )
