"""What stands above the figures of a report: for whom, which period, how sure, what costs mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from maxo_reports.core.brand import NO_BRAND, Brand, Recipient
from maxo_reports.core.checks import State
from maxo_reports.core.money import GstBasis
from maxo_reports.core.period import BillingPeriod

COST_BASIS: Mapping[GstBasis, str] = {
    "inclusive": "Costs as reported by the carrier, GST included.",
    "exclusive": "Costs as reported by the carrier, GST not included.",
    "unknown": "Costs as reported by the carrier; whether they include GST is not stated.",
}
CHARGED = "Charges for calls are without GST."
"""What the figures of a reseller's client mean, which are charges and no costs."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the figures of a report: for whom, which period, how sure.

    ``pulled_at`` is when the carrier was last asked, in the account's zone. ``revision`` is the
    running number of this issue of the period. ``brand`` is who sends the report, ``recipient``
    who gets it, None where only the account's name is known.
    """

    account_id: str
    account_name: str
    period: BillingPeriod
    state: State
    cost_gst: GstBasis
    pulled_at: datetime
    revision: int = 1
    brand: Brand = NO_BRAND
    recipient: Recipient | None = None
    charged: str = ""
    """What the charges mean, where the figures are those and not the carrier's costs."""

    @property
    def number(self) -> str:
        """The statement's number: no two issues of an account have the same.

        The period is the first and last day, or a calendar month's six digits.
        """
        of = self.period
        days = f"{of.first:%Y%m}" if of.is_month else f"{of.first:%Y%m%d}-{of.last:%Y%m%d}"
        return f"{self.account_id.upper()}-{days}-{self.revision}"

    @property
    def cost_basis(self) -> str:
        """One sentence on what the costs mean, GST included or not (never guessed)."""
        return self.charged or COST_BASIS[self.cost_gst]
