"""GST calibration: whether the carrier's cost looks as if it includes GST, from one past bill.

The bill says whether its lines include GST; the calls' costs do not say it. Without GST, a row's
charge is either what its calls cost (the cost excludes GST) or ten elevenths of it (it includes
GST). The two are nine percent apart, so a row that is near one is far from the other. This only
says what it looks like: no setting is changed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from maxo_reports.core.bills.bill import CENT, OTHER_LINES
from maxo_reports.core.bills.reconcile import Row
from maxo_reports.core.money import MICROS, GstBasis

Confidence = Literal["none", "weak", "fair", "strong"]
_NEAR = 200
"""A charge is near a cost within one part in so many, or within a cent."""
_STRONG_ROWS, _STRONG_DOLLARS = 3, 20 * MICROS
_STRONG_SHARE, _FAIR_SHARE = 95, 60
"""Percent of the cost, or of the pairs, that must look alike."""
_ENOUGH_PAIRS = 20
_RATIO_PLACES = 4
_RATIO = 10**_RATIO_PLACES


class Pairs(NamedTuple):
    """Calls matched with lines of a bill's list: how many, and how many fit either way."""

    compared: int = 0
    exclusive: int = 0
    inclusive: int = 0


NO_PAIRS = Pairs()


class Evidence(NamedTuple):
    """One row: what its calls cost, what it is billed without GST, and what that looks like."""

    row: str
    calls: int
    cost: int
    without_gst: int
    ratio: Decimal
    looks: GstBasis


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one bill shows. ``ratio`` is billed without GST to cost: about 1, or about 0.9091."""

    looks: GstBasis
    confidence: Confidence
    ratio: Decimal | None
    rows: tuple[Evidence, ...]
    pairs: Pairs
    why: str


def calibrate(rows: Sequence[Row], basis: GstBasis, pairs: Pairs) -> Calibration:
    """Judge from a bill's rows, and from its matched calls where it lists them."""
    found = [_evidence(row, basis) for row in rows if _counts(row)]
    if not found:
        why = "the bill has no line for calls that cost anything"
        return Calibration("unknown", "none", None, (), pairs, why)
    whole = _look("", sum(e.calls for e in found), *_sums(found))
    looks, confidence, why = _judge(found, whole, pairs)
    return Calibration(looks, confidence, whole.ratio, tuple(found), pairs, why)


def _counts(row: Row) -> bool:
    has_both = row.sums.cost > 0 and row.billed > 0
    return has_both and row.name != OTHER_LINES


def _evidence(row: Row, basis: GstBasis) -> Evidence:
    without = row.billed if basis == "exclusive" else row.billed * 10 // 11
    return _look(row.name, row.sums.charged, row.sums.cost, without)


def _look(name: str, calls: int, cost: int, without: int) -> Evidence:
    ratio = Decimal((2 * without * _RATIO + cost) // (2 * cost)).scaleb(-_RATIO_PLACES)
    room = max(CENT, cost // _NEAR)
    near_cost = abs(without - cost) <= room
    near_less = abs(11 * without - 10 * cost) <= 11 * room
    looks: GstBasis = "unknown"
    if near_cost != near_less:
        looks = "exclusive" if near_cost else "inclusive"
    return Evidence(name, calls, cost, without, ratio, looks)


def _sums(found: Sequence[Evidence]) -> tuple[int, int]:
    return sum(each.cost for each in found), sum(each.without_gst for each in found)


def _judge(
    found: Sequence[Evidence], whole: Evidence, pairs: Pairs
) -> tuple[GstBasis, Confidence, str]:
    by_pairs = _by_pairs(pairs)
    if by_pairs is not None:
        count = max(pairs.exclusive, pairs.inclusive)
        why = f"{count:,} of {pairs.compared:,} matched calls are billed so, to the last decimal"
        return by_pairs, "strong", why
    ways = {each.looks for each in found} - {"unknown"}
    if len(ways) != 1 and whole.looks == "unknown":
        why = (
            "rows look both ways"
            if ways
            else "billed without GST is near neither the cost nor ten elevenths of it"
        )
        return "unknown", "none", why
    looks = whole.looks if whole.looks != "unknown" else next(iter(ways))
    alike = [each for each in found if each.looks == looks]
    share = 100 * sum(each.cost for each in alike) // whole.cost
    why = f"{len(alike)} of {len(found)} rows, {share}% of the cost, look so"
    if len(ways) != 1:
        return looks, "weak", f"{why}; others look the other way"
    enough = len(alike) >= _STRONG_ROWS
    if enough and share >= _STRONG_SHARE and whole.cost >= _STRONG_DOLLARS:
        return looks, "strong", why
    return looks, "fair" if enough and share >= _FAIR_SHARE else "weak", why


def _by_pairs(pairs: Pairs) -> GstBasis | None:
    """Return what nearly all matched calls look like, where there are enough of them."""
    if pairs.compared < _ENOUGH_PAIRS:
        return None
    ways: tuple[tuple[GstBasis, int, int], ...] = (
        ("exclusive", pairs.exclusive, pairs.inclusive),
        ("inclusive", pairs.inclusive, pairs.exclusive),
    )
    for looks, fits, other in ways:
        if (
            100 * fits >= _STRONG_SHARE * pairs.compared
            and 100 * other < (100 - _STRONG_SHARE) * pairs.compared
        ):
            return looks
    return None
