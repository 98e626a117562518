"""Comparing: a bill that was read against the calls that were pulled, without asking anybody.

With a list of calls each of its lines is matched with a record; without one, the sums are all
there is. Both end in the same rows and classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from maxo_reports.archive import billed
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.matching import Matching
from maxo_reports.core.bills import itemised, summed
from maxo_reports.core.bills.bill import CENT, Bill, BillLine, Rows, factor
from maxo_reports.core.bills.calibrate import NO_PAIRS, Pairs
from maxo_reports.core.bills.itemised import Matched
from maxo_reports.core.bills.reconcile import Reconciliation, Row, Tolerance, reconcile
from maxo_reports.core.bills.scene import Scene
from maxo_reports.core.changes import Changes
from maxo_reports.core.checks import Check
from maxo_reports.core.money import GstBasis, dollars, plain
from maxo_reports.core.period import BillingPeriod, LocalClock, Window, unix_midnight
from maxo_reports.invoice import Invoice
from maxo_reports.invoice.calls import CallList

_YEAR = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the archive has of other periods: files of calls, and the spans that are whole."""

    paths: Sequence[Path] = ()
    whole: Sequence[Window] = ()


@dataclass(frozen=True, slots=True)
class Against:
    """What a bill is held against.

    ``replies`` gives the hash of the reply of each window, by its first second. ``changes`` is
    what became of the records since the bill was issued, None where nothing is known of it.
    """

    calls: CallStore
    period: BillingPeriod
    cost_gst: GstBasis
    replies: Mapping[int, str]
    elsewhere: Elsewhere = Elsewhere()
    changes: Changes | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of it. ``matched`` is None for a bill without a list of calls.

    ``pairs`` counts how many matched calls look as if their cost were without, or with, GST.
    """

    whole: Reconciliation
    scene: Scene
    matched: Matched | None
    checks: tuple[Check, ...]
    pairs: Pairs = NO_PAIRS

    @property
    def taxed(self) -> tuple[Row, ...]:
        """The rows that can tell of GST: the bill does not say of them that there is none."""
        return tuple(row for row in self.whole.rows if not self.scene.rows.is_free(row.name))


def compare(against: Against, invoice: Invoice, tolerance: Tolerance) -> Compared:
    """Hold a bill against the calls of its period."""
    if invoice.listed is not None:
        return _call_by_call(against, invoice, invoice.listed, tolerance)
    bill = invoice.bill
    assert bill is not None, "a file without a list of calls is a bill"
    scene = _scene(against, bill, Rows(bill), CENT)
    sums = billed.row_sums(against.calls, scene)
    out = billed.outside(against.calls, scene.month, against.replies)
    into = billed.inside(against.elsewhere.paths, scene.month, scene.period, against.replies)
    found = summed.differences(bill, sums, scene, out, into, against.changes)
    whole = reconcile(bill, scene.rows, sums, found, tolerance)
    return Compared(whole, scene, None, _checks(whole, against, None, 0))


def _call_by_call(
    against: Against, invoice: Invoice, listed: CallList, tolerance: Tolerance
) -> Compared:
    period = against.period
    zone = (invoice.bill.zone if invoice.bill else "") or period.zone
    clock = LocalClock.over(zone, period.start - _YEAR, period.end + _YEAR)
    matching = Matching(against.calls, listed.columns, invoice.seconds, against.replies)
    matching.read(listed.batches(clock))
    sum_of_list, lines, unit = matching.sums()
    bill = invoice.bill or _bill_of(invoice, sum_of_list, lines)
    rows = Rows(bill, matching.categories())
    scene = _scene(against, bill, rows, unit)
    matched = matching.match(scene, against.elsewhere.paths)
    sums = billed.row_sums(against.calls, scene)
    found = itemised.differences(matched, scene)
    of_rows = itemised.listed_by_row(matched, rows)
    whole = reconcile(bill, rows, sums, found, tolerance, of_rows)
    checks = _checks(whole, against, matched, lines, of_rows)
    return Compared(whole, scene, matched, checks, matching.looks(bill.basis))


def _bill_of(invoice: Invoice, charge: int, lines: int) -> Bill:
    """Make a bill of a list of calls alone: one line for all of them."""
    line = BillLine(invoice.path.name, "calls", "All calls of the list", charge, calls=lines)
    return Bill(invoice.path.stem, invoice.basis, charge, (line,))


def _scene(against: Against, bill: Bill, rows: Rows, unit: int) -> Scene:
    period, changes = against.period, against.changes
    late = {c.call_id for c in changes.calls if c.before is None} if changes else set()
    return Scene(
        period.window,
        month_in(period, bill.zone or period.zone),
        bill.zone or period.zone,
        rows,
        factor(against.cost_gst, bill.basis),
        unit,
        tuple(against.elsewhere.whole),
        late,
    )


def month_in(period: BillingPeriod, zone_name: str) -> Window:
    """Return the span of a period's days as another zone has them."""
    zone = ZoneInfo(zone_name)
    return Window(unix_midnight(period.first, zone), unix_midnight(period.until, zone))


def _checks(
    whole: Reconciliation,
    against: Against,
    matched: Matched | None,
    lines: int,
    listed: Mapping[str, int] | None = None,
) -> tuple[Check, ...]:
    """Compare what must be equal; a difference is a mistake of ours, and ends the run."""
    control = against.calls.control()
    billed_rows = sum(row.billed for row in whole.rows)
    explained = sum(step.micros for step in whole.steps)
    left = sum(row.unexplained for row in whole.rows)
    passed = [
        Check("Cost of all rows", plain(control.cost), plain(dollars(whole.cost))),
        Check("Calls of all rows", f"{control.calls}", f"{_calls(whole)}"),
        Check("Billed of all rows", _said(whole.bill.total), _said(billed_rows)),
        Check("Calls and every class", _said(whole.bill.total), _said(whole.cost + explained)),
        Check("Unexplained of all rows", _said(whole.steps[-1].micros), _said(left)),
    ]
    if matched is not None:
        pairs = matched.by_id + matched.by_time
        listed_sum = sum((listed or {}).values())
        passed += [
            Check("Lines of the list", f"{lines}", f"{pairs + len(matched.lines)}"),
            Check(
                "Records with and without a line",
                f"{control.calls}",
                f"{pairs + len(matched.calls) + matched.free}",
            ),
            Check("Pairs", f"{pairs}", f"{_agreeing(matched) + len(matched.pairs)}"),
            Check("Charges of the list", _said(matched.charges), _said(listed_sum)),
        ]
    return tuple(passed)


def _agreeing(matched: Matched) -> int:
    return sum(each.calls for each in matched.agreed)


def _calls(whole: Reconciliation) -> int:
    return sum(row.sums.calls for row in whole.rows)


def _said(micros: int) -> str:
    return plain(dollars(micros))
