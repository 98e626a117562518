"""What the carrier bills for an on-charged period: a total that is said, or the bill itself.

A bill is held against the calls as ``reconcile`` does it. Its bytes are kept in the archive under
their hashes, like the terms and the cards, so that a margin can be made again from them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports import invoice
from maxo_reports.archive.inputs import Inputs
from maxo_reports.archive.pulls import Pull
from maxo_reports.confronted import looked_into
from maxo_reports.core.money import plain
from maxo_reports.core.rates.threeways import CarrierBill, CarrierTotal
from maxo_reports.errors import UsageError
from maxo_reports.invoice import Invoice
from maxo_reports.issue import wanted
from maxo_reports.job import Job

_TOTAL, _FILES = "bill", "invoice"


@dataclass(frozen=True, slots=True)
class Billed:
    """What the carrier bills, if that is known, and what of it decides a margin's content."""

    carrier: CarrierTotal | CarrierBill | None = None
    basis: Mapping[str, Any] = field(default_factory=dict)


NOT_KNOWN = Billed()


def said(total: Decimal) -> Billed:
    """Return a bill of which somebody says the total, GST included."""
    return Billed(CarrierTotal.of(total), {_TOTAL: plain(total)})


def read(path: Path, calls: Path | None) -> Invoice:
    """Read a bill, and its list of calls; a list alone is refused."""
    made = invoice.load(path, calls)
    if made.bill is None:
        raise UsageError(
            f"{path} is a list of calls alone, which does not say what is payable nor whether its "
            "charges include GST: write the bill's lines as 'reconcile' takes them, and give the "
            "list with --calls"
        )
    return made


def kept(inputs: Inputs, bill: Invoice) -> None:
    """Keep the files of a bill."""
    for path in (bill.path, bill.listed.path if bill.listed else None):
        if path is not None and inputs.keep(path.read_bytes()) != bill.files[path.name]:
            raise UsageError(f"{path} was changed while it was read: try again")


def held(job: Job, work: Pull, bill: Invoice, then: Mapping[str, Any] | None = None) -> Billed:
    """Hold a bill against the calls of a pull.

    ``then`` is the basis of a margin that is made again: other months are those of then.
    """
    looks = wanted(job.workspace, [])
    with looked_into(job, looks, work, bill, bill.tolerance, then) as looked:
        carrier = CarrierBill(looked.compared.whole)
        return Billed(carrier, {_FILES: dict(bill.files), **looked.beside})


def again(job: Job, work: Pull, basis: Mapping[str, Any]) -> Billed:
    """Return the bill that a sealed margin was made with."""
    if _TOTAL in basis:
        return said(Decimal(basis[_TOTAL]))
    if _FILES not in basis:
        return NOT_KNOWN
    with tempfile.TemporaryDirectory() as scratch:
        paths = _written(job.archive.inputs, Path(scratch), basis[_FILES])
        return held(job, work, read(paths[0], paths[1] if paths[1:] else None), basis)


def _written(inputs: Inputs, folder: Path, files: Mapping[str, str]) -> Sequence[Path]:
    """Write kept files under their names; the bill is the first."""
    paths = []
    for name, sha256 in files.items():
        path = folder / Path(name).name
        path.write_bytes(inputs.read(sha256))
        paths.append(path)
    return paths
