"""Writes a rate card as CSV, to be looked over by a person and read again."""

from __future__ import annotations

import csv
import io

from maxo_reports.core.money import plain
from maxo_reports.core.rates.tariff import Rate, RateCard

_COLUMNS = (
    *("category", "direction", "connect_fee", "per_minute", "per_call"),
    *("first_increment", "increment", "rounding", "places"),
)


def as_csv(card: RateCard) -> bytes:
    """Return a card of plain rates as CSV: no bands, pools, limits or days."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(_COLUMNS)
    for rate in card.rates:
        writer.writerow(_cells(rate))
    return target.getvalue().encode("utf-8-sig")


def _cells(rate: Rate) -> list[str]:
    fee, minute, call = (
        "" if value is None else plain(value)
        for value in (rate.connect_fee or None, rate.per_minute, rate.per_call)
    )
    timed = [str(rate.first_increment), str(rate.increment)] if minute else ["", ""]
    rounding = [rate.rounding.method, str(rate.rounding.places)]
    return [rate.category, rate.direction, fee, minute, call, *timed, *rounding]
