"""The verbs about the carrier's bill: hold it against the calls, and see what it says of GST."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports import invoice, manifest, reconciliation
from maxo_reports.archive.pulls import Pull
from maxo_reports.core.bills import calibrate as calibrating
from maxo_reports.core.bills.calibrate import Calibration
from maxo_reports.core.bills.reconcile import Tolerance
from maxo_reports.core.money import GstBasis, dollars, plain
from maxo_reports.engine import asking, locks
from maxo_reports.errors import UsageError
from maxo_reports.invoice import Invoice
from maxo_reports.issue import wanted
from maxo_reports.job import Job
from maxo_reports.pack import Pack
from maxo_reports.reconciliation import Reconciled

_PULL_IT = "pull it first"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which bill, and what the command line says besides; None is what the bill says itself.

    ``tolerance`` is in micro-dollars, ``seconds`` how far apart the times of one call may be,
    ``gst`` the basis of a list of calls alone.
    """

    path: Path
    calls: Path | None = None
    tolerance: int | None = None
    percent: Decimal | None = None
    seconds: int | None = None
    gst: GstBasis | None = None

    def read(self) -> tuple[Invoice, Tolerance]:
        """Read the bill; flags overrule what it says."""
        read = invoice.load(self.path, self.calls)
        if self.gst is not None and read.bill is not None:
            raise UsageError(f"{self.path} says itself whether it includes GST: leave --gst out")
        read = replace(
            read,
            seconds=read.seconds if self.seconds is None else self.seconds,
            basis=self.gst or read.basis,
        )
        own = read.tolerance
        tolerance = Tolerance(
            own.micros if self.tolerance is None else self.tolerance,
            own.percent if self.percent is None else self.percent,
        )
        return read, tolerance


def reconcile(job: Job, asked: Asked) -> Reconciled:
    """Hold a bill against the calls of its period, and seal workbook, page and dispute pack."""
    read, tolerance = asked.read()
    looks = wanted(job.workspace, [])
    with locks.alone(job):
        work = asking.archived(job, _PULL_IT)
        return reconciliation.reconcile(job, looks, work, read, tolerance)


def made_again(job: Job, work: Pull, sealed: Pack) -> list[str]:
    """Make a sealed reconciliation again, from its own bill, and name every file that differs."""
    return reconciliation.made_again(job, wanted(job.workspace, []), work, sealed)


def calibrate(job: Job, asked: Asked) -> Calibration:
    """Say whether the carrier's cost looks as if it includes GST; nothing is written.

    Costs are taken as they are, whatever the settings say of them.
    """
    read, tolerance = asked.read()
    basis = read.bill.basis if read.bill else read.basis
    if basis == "unknown":
        raise UsageError(
            f"{read.path} is a list of calls alone and does not say whether its charges include "
            "GST: add --gst inclusive or --gst exclusive"
        )
    plainly = replace(job, account=replace(job.account, cost_gst="unknown"))
    looks = wanted(job.workspace, [])
    with locks.alone(plainly):
        work = asking.archived(plainly, _PULL_IT)
        compared = reconciliation.look(plainly, looks, work, read, tolerance)
    return calibrating.calibrate(compared.taxed, basis, compared.pairs)


def reconciled_as_json(job: Job, done: Reconciled) -> dict[str, Any]:
    """Return what ``reconcile --json`` prints."""
    whole = done.result.whole
    return {
        "account": job.account.id,
        "period": manifest.period(job.period),
        "state": done.source.heading.state.word,
        **reconciliation.figures(whole),
        "rows": [
            {
                "category": row.name,
                "calls": row.sums.calls,
                "calls_on_bill": row.said,
                "cost": plain(dollars(row.sums.cost)),
                "billed": plain(dollars(row.billed)),
                "difference": plain(dollars(row.difference)),
                "classes": {k: plain(dollars(v)) for k, v in row.classes.items() if v},
                "unexplained": plain(dollars(row.unexplained)),
            }
            for row in whole.rows
        ],
        "notes": list(done.result.notes),
        "revision": done.pack.revision,
        "unchanged": done.unchanged,
        "pack": str(done.pack.folder),
        "files": [str(path) for path in done.pack.files],
    }


def calibration_as_json(job: Job, seen: Calibration) -> dict[str, Any]:
    """Return what ``reconcile --calibrate --json`` prints."""
    return {
        "account": job.account.id,
        "period": manifest.period(job.period),
        "looks": seen.looks,
        "confidence": seen.confidence,
        "ratio": None if seen.ratio is None else f"{seen.ratio}",
        "why": seen.why,
        "pairs": seen.pairs._asdict(),
        "rows": [
            {
                "category": each.row,
                "calls": each.calls,
                "cost": plain(dollars(each.cost)),
                "billed_without_gst": plain(dollars(each.without_gst)),
                "ratio": f"{each.ratio}",
                "looks": each.looks,
            }
            for each in seen.rows
        ],
        "set_now": job.account.cost_gst,
    }
