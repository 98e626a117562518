"""Terms of a reseller's client: how the buy cost becomes what the client pays.

Everything here is in dollars without GST. A mark-up is put on the cost without GST, since a
reseller is the principal of the supply and owes GST on the whole of it (GSTR 2000/37).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from maxo_reports.core.rates.tariff import RateCard

GST_PERCENT = Decimal(10)
PLACES = 4
"""Decimals of a dollar that a client's single calls are charged in, unless the terms say."""
Surcharged = Literal["charged", "connected"]
SURCHARGED: tuple[Surcharged, ...] = ("charged", "connected")
"""Which calls pay the mark-up per call and per minute: those with a cost, or all connected."""


@dataclass(frozen=True, slots=True)
class Fee:
    """A fixed fee of a period: what for, how many, and what each costs."""

    text: str
    each: Decimal
    count: int = 1

    @property
    def dollars(self) -> Decimal:
        """What it comes to."""
        return self.each * self.count


@dataclass(frozen=True, slots=True)
class Terms:
    """What one client pays. ``name`` is the client's in the number directory.

    ``account`` is the account whose unlisted numbers are the client's, empty for none. With a
    ``card`` calls cost what it says, and no mark-up is added. Calls cost nothing up to
    ``included`` dollars, and ``minimum`` at least.
    """

    id: str
    name: str
    account: str = ""
    percent: Decimal = Decimal(0)
    percent_of: Mapping[str, Decimal] = field(default_factory=dict)
    per_call: Decimal = Decimal(0)
    per_minute: Decimal = Decimal(0)
    surcharged: Surcharged = "charged"
    card: RateCard | None = None
    fees: tuple[Fee, ...] = ()
    minimum: Decimal = Decimal(0)
    included: Decimal = Decimal(0)
    gst_percent: Decimal = GST_PERCENT
    places: int = PLACES
