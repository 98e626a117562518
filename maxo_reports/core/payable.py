"""What of a total is tax: worked out once, on the total, and only where the basis is declared."""

from __future__ import annotations

from maxo_reports.core import money
from maxo_reports.core.report import (
    Column,
    Kind,
    Role,
    Row,
    Section,
    SectionSpec,
    Source,
    Table,
    View,
)

_GST_COLUMNS = (Column("line", "Of the total", Kind.TEXT), Column("cents", "Dollars", Kind.CENTS))


def gst(spec: SectionSpec, source: Source, view: View) -> Section:
    """Split the total for GST, in the order in which the basis makes it."""
    cost = view.ledger.control.cost
    split = money.gst_of(cost, source.heading.cost_gst)
    assert split is not None, "left out where the basis is not declared"
    without, whole = ("Total without GST", split.without), ("Total with GST", split.whole)
    parts = (without, ("GST, 10% of the total", split.tax))
    if source.heading.cost_gst == "inclusive":
        parts = (without, ("GST, one eleventh of the total", split.tax))
    rows = (*(Row(part) for part in parts), Row(whole, Role.TOTAL))
    note = "GST is worked out on the total and rounded once, half a cent up."
    return Section(spec, Table(_GST_COLUMNS, rows), note)
