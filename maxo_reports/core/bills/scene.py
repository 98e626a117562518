"""What is known beside the two sides: the period, the bill's month, and what the archive holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from maxo_reports.core.bills.bill import Factor, Rows
from maxo_reports.core.period import Window


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known besides: the period, the bill's month in the bill's own zone, and the archive.

    ``whole`` are the spans of other periods that the archive has whole. ``late`` are the ids of
    records that were not there yet when the bill was issued. ``unit`` is the last decimal of the
    charges, in micro-dollars.
    """

    period: Window
    month: Window
    zone: str
    rows: Rows
    factor: Factor
    unit: int
    whole: Sequence[Window] = ()
    late: Collection[str] = ()

    def factor_of(self, row: str) -> Factor:
        """Return what turns costs of a row into charges."""
        return Factor() if self.rows.is_free(row) else self.factor
