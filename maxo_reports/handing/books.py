"""Books: what is known of each accounting program before its user says anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maxo_reports.core.handoff.posting import Kind

ANY_BOOKS = "any"
"""The books of a target that lists what another target's files hold."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the user says of the accounts, names and lists in one program's books.

    ``tax_*`` are the program's own names of tax codes, ``sale_tax_*`` those of sales. ``chart``,
    ``tax_rates`` and ``contacts`` name lists exported from it, which every key is looked up in.
    """

    contact: str = "MaxoTel"
    payable: str = ""
    accrued: str = ""
    allocated_from: str = ""
    receivable: str = ""
    sales: str = ""
    gst_paid: str = ""
    gst_collected: str = ""
    other: str = ""
    other_tax: str = "gst"
    tax_gst: str = "gst"
    tax_free: str = "free"
    tax_none: str = "none"
    sale_tax_gst: str = "gst"
    sale_tax_free: str = "free"
    sale_tax_none: str = "none"
    chart: str = ""
    tax_rates: str = ""
    contacts: str = ""

    def taxes(self, kind: Kind) -> Mapping[str, str]:
        """Return the program's name of each treatment."""
        if kind == "sale":
            return {
                "gst": self.sale_tax_gst,
                "free": self.sale_tax_free,
                "none": self.sale_tax_none,
            }
        return {"gst": self.tax_gst, "free": self.tax_free, "none": self.tax_none}


COUNTERS: Mapping[Kind, str] = {
    "bill": "payable",
    "accrual": "accrued",
    "allocation": "allocated_from",
    "sale": "receivable",
}
"""Kind -> the setting that names the account of the other side."""

PROGRAMS: Mapping[str, Books] = {
    "xero": Books(
        tax_gst="GST on Expenses",
        tax_free="GST Free Expenses",
        tax_none="BAS Excluded",
        sale_tax_gst="GST on Income",
        sale_tax_free="GST Free Income",
        sale_tax_none="BAS Excluded",
    ),
    "myob": Books(
        tax_gst="GST",
        tax_free="FRE",
        tax_none="N-T",
        sale_tax_gst="GST",
        sale_tax_free="FRE",
        sale_tax_none="N-T",
    ),
    "qbo": Books(
        tax_gst="GST on purchases",
        tax_free="GST free purchases",
        tax_none="Out of Scope",
        sale_tax_gst="GST",
        sale_tax_free="GST Free",
        sale_tax_none="Out of Scope",
    ),
    "beancount": Books(),
    "hledger": Books(),
    "gnucash": Books(),
}
"""Programs by the names of their tables in ``handoff.toml``, with their own words for taxes."""
EXAMPLES: Mapping[str, str] = {
    "xero": "489",
    "myob": "6-2210",
    "qbo": "Telephone",
    "beancount": "Expenses:Telephone",
    "hledger": "expenses:telephone",
    "gnucash": "Expenses:Telephone",
}
"""What an account looks like there."""
