"""On-charging: what each client of a reseller pays for its calls, exactly, and rounded once.

A charge is counted in whole *grains* of a dollar, fine enough for a mark-up of four decimals of
a percent on a cost from which GST was taken. A client's calls are charged in the decimals of its
terms so that they add up to their exact total (largest remainder); the total without GST is
rounded once to the cent, and GST is worked out on it (GST Act s 9-90).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from maxo_reports.core.directory import UNALLOCATED
from maxo_reports.core.money import COST_PLACES, GstBasis, round_half_up
from maxo_reports.core.rates.rating import PARTS, PARTS_OF_A_MICRO, Rater, gst_factor
from maxo_reports.core.rates.terms import Terms
from maxo_reports.core.report import CallLine

_FINE = 10**6
"""A hundredth of a percent of a hundredth of a percent: a mark-up has four decimals at most."""
GRAINS = PARTS * _FINE
"""Grains to the dollar."""
_GRAINS_OF_A_MICRO = PARTS_OF_A_MICRO * _FINE


def without_gst(micros: int, basis: GstBasis) -> int:
    """Return a cost of the carrier's without GST, in grains."""
    times, parts = gst_factor(basis, "exclusive")
    return micros * _GRAINS_OF_A_MICRO * times // parts


def grains_of(value: Decimal) -> int:
    """Return dollars of six decimals at most as grains."""
    return int(value.scaleb(COST_PLACES)) * _GRAINS_OF_A_MICRO


def shared(parts: Sequence[int], places: int) -> tuple[int, ...]:
    """Round grains to whole units of so many decimals, which add up to their total rounded once.

    The units that are missing go to the parts with the largest remainders, the earlier first.
    """
    unit = GRAINS // 10**places
    divided = [divmod(part, unit) for part in parts]
    missing = _half_away(sum(parts), unit) - sum(floor for floor, _ in divided)
    by_remainder = sorted(range(len(parts)), key=lambda at: (-divided[at][1], at))
    raised = set(by_remainder[:missing])
    return tuple(floor + (at in raised) for at, (floor, _) in enumerate(divided))


def in_dollars(units: int, places: int) -> Decimal:
    """Return whole units of so many decimals as dollars."""
    return Decimal(units).scaleb(-places)


def cents_of(grains: int) -> Decimal:
    """Round grains once to the cent, half a cent away from zero."""
    return in_dollars(_half_away(grains, GRAINS // 100), 2)


def _half_away(grains: int, unit: int) -> int:
    whole, rest = divmod(abs(grains), unit)
    units = whole + (2 * rest >= unit)
    return units if grains >= 0 else -units


class Charger:
    """Charges one client's calls, which come in order of time.

    ``connected`` are the carrier's own words for a call that was; ``basis`` says whether its
    costs hold GST.
    """

    def __init__(self, terms: Terms, connected: Collection[str], basis: GstBasis) -> None:
        self._terms, self._basis = terms, basis
        self._connected = frozenset(connected)
        self._rater = Rater(terms.card, self._connected, "exclusive") if terms.card else None
        self._factors = {
            category: self._factor(percent) for category, percent in terms.percent_of.items()
        }
        self._usual = self._factor(terms.percent)
        self._per_call = grains_of(terms.per_call)
        self._per_second = grains_of(terms.per_minute) // 60

    @staticmethod
    def _factor(percent: Decimal) -> int:
        return int((100 + percent) * (_FINE // 100))

    def charge(self, call: CallLine) -> int | None:
        """Return what a call is charged, in grains; None where that cannot be told."""
        connected = call.status in self._connected
        if self._rater is not None:
            if call.seconds is None and connected:
                return None  # no card says what a call of an unknown length costs
            rated = self._rater.rate(call)
            return None if rated is None else rated.parts * _FINE
        if call.cost is None:
            return None
        factor = self._factors.get(call.category, self._usual)
        grains = without_gst(call.cost, self._basis) // _FINE * factor
        surcharged = call.cost > 0 if self._terms.surcharged == "charged" else connected
        if surcharged and self._per_second and call.seconds is None:
            return None
        if surcharged:
            grains += self._per_call + self._per_second * (call.seconds or 0)
        return grains


@dataclass(slots=True)
class Account:
    """One client's calls of a period as they are gathered, each with its charge in grains.

    ``cost`` is the buy cost without GST in grains, ``micros`` as the carrier reports it;
    ``uncharged`` are the calls whose charge cannot be told, with what the carrier reports.
    """

    terms: Terms
    charges: list[int | None] = field(default_factory=list)
    seconds: int = 0
    cost: int = 0
    micros: int = 0
    uncharged: list[CallLine] = field(default_factory=list)
    by_category: dict[str, list[int]] = field(default_factory=dict)
    """Rate category -> calls, seconds, cost and charge in grains."""

    def add(self, call: CallLine, charge: int | None, cost: int) -> None:
        """Add one call."""
        self.charges.append(charge)
        self.seconds += call.seconds or 0
        self.cost += cost
        self.micros += call.cost or 0
        if charge is None:
            self.uncharged.append(call)
        figures = self.by_category.setdefault(call.category, [0, 0, 0, 0])
        for at, more in enumerate((1, call.seconds or 0, cost, charge or 0)):
            figures[at] += more

    @property
    def exact(self) -> int:
        """The charge of all calls in grains."""
        return sum(charge or 0 for charge in self.charges)

    def units(self) -> tuple[int | None, ...]:
        """Return each call's charge in whole units of the terms' decimals."""
        told = iter(shared([c for c in self.charges if c is not None], self.terms.places))
        return tuple(None if charge is None else next(told) for charge in self.charges)


@dataclass(frozen=True, slots=True)
class Dues:
    """What one client pays for a period: lines in dollars without GST, and the total.

    ``calls`` is the sum of the single calls as they are listed. ``rounding`` brings all lines to
    ``net``, which was rounded once, to the cent.
    """

    calls: Decimal
    fees: tuple[tuple[str, Decimal], ...]
    included: Decimal
    top_up: Decimal
    rounding: Decimal
    net: Decimal
    gst: Decimal
    gst_percent: Decimal

    @property
    def total(self) -> Decimal:
        """What is to be paid, GST included."""
        return self.net + self.gst

    @property
    def lines(self) -> tuple[tuple[str, Decimal], ...]:
        """Each line that says anything, in order, without the totals."""
        more = (
            ("Included in your plan", -self.included),
            ("Minimum charge for calls", self.top_up),
            ("Rounding to the cent", self.rounding),
        )
        told = tuple((text, dollars) for text, dollars in more[:2] if dollars)
        return (("Calls", self.calls), *told, *self.fees, *(more[2:] if self.rounding else ()))


def dues(account: Account) -> Dues:
    """Work out what a client pays: minus what is included, at least the minimum, plus fees."""
    terms = account.terms
    exact, unit = account.exact, terms.places
    calls = in_dollars(sum(units or 0 for units in account.units()), unit)
    all_included = terms.included > 0 and exact <= grains_of(terms.included) and exact > 0
    included = calls if all_included else (terms.included if exact > 0 else Decimal(0))
    left = 0 if all_included else exact - (grains_of(terms.included) if exact > 0 else 0)
    floor = grains_of(terms.minimum)
    top_up = Decimal(0)
    if terms.minimum and left < floor:
        top_up, left = terms.minimum - (calls - included), floor
    fees = tuple((_fee_text(fee.text, fee.count), fee.dollars) for fee in terms.fees)
    all_fees = sum((dollars for _, dollars in fees), Decimal(0))
    net = cents_of(left + grains_of(all_fees))
    rounding = net - (calls - included + top_up + all_fees)
    gst = round_half_up((net * terms.gst_percent).scaleb(-2))
    return Dues(calls, fees, included, top_up, rounding, net, gst, terms.gst_percent)


def _fee_text(text: str, count: int) -> str:
    return text if count == 1 else f"{text}, {count:,} of them"


@dataclass(slots=True)
class Unbilled:
    """Calls of one service number that no client pays: the ``name`` that the directory gives."""

    name: str
    service_number: str
    calls: int = 0
    seconds: int = 0
    cost: int = 0
    micros: int = 0


@dataclass(slots=True)
class Sorted:
    """A period's calls by who pays for them.

    ``clients`` are those with terms, by the directory's name; ``unbilled`` are calls of clients
    without terms and calls of nobody, by name and service number.
    """

    clients: dict[str, Account]
    unbilled: dict[tuple[str, str], Unbilled] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        """The cost of all calls without GST, in grains."""
        return sum(account.cost for account in self.clients.values()) + self.unbilled_cost

    @property
    def micros(self) -> int:
        """The cost of all calls as the carrier reports it, in micro-dollars."""
        charged = sum(account.micros for account in self.clients.values())
        return charged + sum(each.micros for each in self.unbilled.values())

    @property
    def unbilled_cost(self) -> int:
        """The cost of calls that no client pays, without GST, in grains."""
        return sum(each.cost for each in self.unbilled.values())

    def leave(self, name: str, call: CallLine, cost: int) -> None:
        """Note a call that nobody pays."""
        key = (name, call.service_number)
        each = self.unbilled.setdefault(key, Unbilled(*key))
        each.calls += 1
        each.seconds += call.seconds or 0
        each.cost += cost
        each.micros += call.cost or 0


class Sorter:
    """Sorts calls by who pays for them and charges them; ``own`` pays what nobody else does."""

    def __init__(
        self,
        terms: Collection[Terms],
        connected: Collection[str],
        basis: GstBasis,
        own: Terms | None = None,
    ) -> None:
        self._basis, self._own = basis, own
        self._chargers = {each.name: Charger(each, connected, basis) for each in terms}
        self.sorted = Sorted({each.name: Account(each) for each in terms})

    def add(self, call: CallLine) -> tuple[str, int | None]:
        """Take in one call; return who pays, and its charge in grains."""
        name = call.client
        if name == UNALLOCATED and self._own is not None:
            name = self._own.name
        cost = without_gst(call.cost or 0, self._basis)
        charger = self._chargers.get(name)
        if charger is None:
            self.sorted.leave(name, call, cost)
            return name, None
        charge = charger.charge(call)
        self.sorted.clients[name].add(call, charge, cost)
        return name, charge
