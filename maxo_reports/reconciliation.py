"""Reconciling: from a whole pull and a bill to a sealed pack with workbook, page and dispute pack.

calls + bill -> rows and classes -> checks -> report value -> files -> read back -> sealed. Nothing
here asks the carrier; the bill's own files travel in the pack, so that it can be made again.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports import __version__, doctor, manifest, pack
from maxo_reports.archive import files
from maxo_reports.archive.pulls import Pull
from maxo_reports.confronted import Looked, looked_into
from maxo_reports.core.bills import dispute, reconciled
from maxo_reports.core.bills.onebyone import Result
from maxo_reports.core.bills.reconcile import Reconciliation, Tolerance
from maxo_reports.core.checks import Finding
from maxo_reports.core.money import dollars, micros_from_text, plain
from maxo_reports.core.report import Report, Source
from maxo_reports.errors import TieOutError, UsageError
from maxo_reports.invoice import Invoice, sha256
from maxo_reports.invoice import load as load_invoice
from maxo_reports.issue import Wanted
from maxo_reports.job import Job
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack
from maxo_reports.reconciling import Compared
from maxo_reports.render import RendererUnavailable, Style, SystemLibraryMissing, csvfile, pdf
from maxo_reports.render.xlsx import reconciliation as workbook
from maxo_reports.tieout import plain as read_plain
from maxo_reports.tieout import reconciliation as tied_reconciliation
from maxo_reports.tieout import tie_out
from maxo_reports.tieout.compared import Tied

KIND = "reconciliation"
BOOK, PAGE = f"{KIND}.xlsx", f"{KIND}.pdf"
_FILES = ((BOOK, "xlsx"), (PAGE, "pdf"))
DISPUTE, BILL = "dispute", "bill"
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation came to: the figures, and the sealed pack that holds them."""

    source: Source
    result: Result
    pack: Pack
    unchanged: bool
    not_made: tuple[Finding, ...] = ()


def reconcile(
    job: Job, wanted: Wanted, work: Pull, invoice: Invoice, tolerance: Tolerance
) -> Reconciled:
    """Hold a bill against a whole pull and seal what came of it, unless that is there already."""
    with looked_into(job, wanted, work, invoice, tolerance) as looked:
        place = _place(job, looked.result.whole)
        pack.tidy(place)
        before = pack.latest(place)
        basis = _basis(looked, wanted, invoice, tolerance)
        not_made: list[Finding] = []
        if before is not None and _stands(before, basis, looked, wanted.style, not_made):
            pack.verify(before.folder)
            return Reconciled(looked.source, looked.result, before, True, tuple(not_made))
        not_made.clear()
        filled = _filled(looked, pack.next_revision(place))
        sealed = pack.seal(
            place,
            lambda folder: _write(job, looked, wanted, invoice, basis, filled, folder, not_made),
            lambda folder: tied_reconciliation.check(folder, pack.read_manifest(folder)),
        )
        return Reconciled(looked.source, looked.result, sealed, False, tuple(not_made))


def _stands(
    before: Pack,
    basis: Mapping[str, Any],
    looked: Looked,
    style: Style,
    not_made: list[Finding],
) -> bool:
    """Tell whether the last revision says what a new one would, in all files that can be made.

    A file that it lacks, because its libraries were missing, is tried again; what still cannot be
    made is a finding.
    """
    if before.manifest.get("basis") != basis:
        return False
    there = {path.name for path in before.files}
    filled = _filled(looked, before.revision)
    with tempfile.TemporaryDirectory() as scratch:
        for name, file_format in _FILES:
            if name in there:
                continue
            try:
                _render(file_format, filled, style, Path(scratch) / name)
            except RendererUnavailable as why:
                not_made.append(_not_made(name, why))
            else:
                return False
    return True


def _not_made(name: str, why: RendererUnavailable) -> Finding:
    remedy = f"; run: {doctor.install_line()}" if isinstance(why, SystemLibraryMissing) else ""
    return Finding("file-not-made", "warning", name, f"{why}{remedy}")


def made_again(job: Job, wanted: Wanted, work: Pull, sealed: Pack) -> list[str]:
    """Make a sealed reconciliation again, from its own bill, and name every file that differs."""
    said = sealed.basis
    invoice = own_invoice(sealed)
    micros = micros_from_text(said["tolerance"])
    tolerance = Tolerance(micros or 0, Decimal(said["tolerance_percent"]))
    with (
        looked_into(job, wanted, work, invoice, tolerance, said) as looked,
        tempfile.TemporaryDirectory() as scratch,
    ):
        basis = _basis(looked, wanted, invoice, tolerance)
        other = [key for key in basis if basis[key] != said.get(key)]
        if other:
            raise TieOutError(
                f"pack {sealed.folder} was made with another {', '.join(other)}: "
                "it cannot be made again as it was"
            )
        filled = _filled(looked, sealed.revision)
        folder = Path(scratch)
        pack.fill(
            folder,
            sealed.revision,
            lambda place: _write(job, looked, wanted, invoice, basis, filled, place, []),
            lambda place: tied_reconciliation.check(place, pack.read_manifest(place)),
        )
        return pack.differences(sealed.folder, folder)


def own_invoice(sealed: Pack) -> Invoice:
    """Read the bill that a sealed reconciliation holds."""
    said = sealed.basis
    paths = [sealed.folder / BILL / name for name in said["invoice"]]
    read = load_invoice(paths[0], paths[1] if len(paths) > 1 else None)
    return replace(read, seconds=said["seconds"], basis=said["invoice_gst"])


def look(job: Job, wanted: Wanted, work: Pull, invoice: Invoice, tolerance: Tolerance) -> Compared:
    """Hold a bill against a whole pull and write nothing."""
    with looked_into(job, wanted, work, invoice, tolerance) as looked:
        return looked.compared


# ---- the pack -------------------------------------------------------------------------------


def _place(job: Job, whole: Reconciliation) -> Path:
    """Return the folder of one bill's reconciliations, named so that no two bills share it."""
    number = whole.bill.number
    name = _NO_NAME.sub("-", number).strip("-.")[:60]
    if name != number:
        name = f"{name}-{hashlib.sha256(number.encode()).hexdigest()[:8]}".lstrip("-")
    return job.workspace.out / job.account.id / job.period.label / KIND / name


def _filled(looked: Looked, revision: int) -> Report:
    source = looked.source
    heading = replace(source.heading, revision=revision)
    return reconciled.report(replace(source, heading=heading), looked.result)


def _basis(
    looked: Looked, wanted: Wanted, invoice: Invoice, tolerance: Tolerance
) -> dict[str, Any]:
    """Return what decides the content: the same basis makes the same files."""
    heading = looked.source.heading
    return {
        "account": heading.account_id,
        "name": heading.account_name,
        "period": manifest.period(heading.period),
        "state": heading.state.word,
        "reasons": list(heading.state.reasons),
        "cost_gst": heading.cost_gst,
        "calls_sha256": looked.calls_sha256,
        "reports": {},
        "templates_sha256": wanted.shelf.fingerprint(),
        "version": __version__,
        "invoice": dict(invoice.files),
        "invoice_gst": invoice.basis,
        "tolerance": plain(dollars(tolerance.micros)),
        "tolerance_percent": f"{tolerance.percent}",
        "seconds": invoice.seconds,
        **looked.beside,
    }


def _write(
    job: Job,
    looked: Looked,
    wanted: Wanted,
    invoice: Invoice,
    basis: Mapping[str, Any],
    filled: Report,
    folder: Path,
    not_made: list[Finding],
) -> pack.Written:
    """Write every file, read each back by another reader, and say what the manifest is to."""
    tied: list[Tied] = []
    for name, file_format in _FILES:
        job.progress.step(f"Writing {name}")
        try:
            with files.disk_trouble("write", folder):
                _render(file_format, filled, wanted.style, folder / name)
        except RendererUnavailable as why:
            not_made.append(_not_made(name, why))
            continue
        job.progress.step(f"Reading {name} back")
        tied.append(tie_out(file_format, folder / name, filled))
    names = [each.name for each in tied]
    with files.disk_trouble("write", folder):
        disputed, more = _dispute(looked, folder)
        names += [*more, *_own_files(invoice, folder)]
    whole = looked.result.whole
    head = {"program": PROGRAM, "kind": KIND, "basis": basis}
    evidence = manifest.evidence(looked.source, looked.work, {}, ())
    said = {
        "reconciliation": figures(whole),
        "bill_checks": [manifest.judged(each) for each in looked.result.checks],
        "dispute": disputed,
        "findings": manifest.findings((*looked.source.findings, *not_made)),
        "read_back_by": {each.name: each.reader for each in tied},
    }
    return pack.Written(names, {**head, **evidence, **said})


def _render(file_format: str, filled: Report, style: Style, target: Path) -> None:
    if file_format == "xlsx":
        workbook.render(filled, style, target)
    else:
        pdf.render(filled, style, target)


def _dispute(looked: Looked, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Write the dispute pack; return what each of its tables adds up to, and the names."""
    inner = folder / DISPUTE
    files.make_folder(inner)
    sums: dict[str, Any] = {}
    for name, table in dispute.tables(looked.result).items():
        csvfile.write_table(table, inner / name)
        read_plain.table(inner / name, table)
        place = [column.key for column in table.columns].index("difference")
        total = sum(row.cells[place] for row in table.rows)  # type: ignore[misc]
        sums[f"{DISPUTE}/{name}"] = {"rows": len(table.rows), "dollars": plain(dollars(0) + total)}
    words = dispute.letter(looked.source.heading, looked.result, PROGRAM)
    (inner / dispute.README).write_text(words, encoding="utf-8")
    return sums, [*sums, f"{DISPUTE}/{dispute.README}"]


def _own_files(invoice: Invoice, folder: Path) -> list[str]:
    """Put the bill's own files into the pack, as they are."""
    inner = folder / BILL
    files.make_folder(inner)
    names = []
    for path in (invoice.path, invoice.listed.path if invoice.listed else None):
        if path is not None and f"{BILL}/{path.name}" not in names:
            shutil.copyfile(path, inner / path.name)
            if sha256(inner / path.name) != invoice.files[path.name]:
                raise UsageError(f"{path} was changed while it was read: try again")
            names.append(f"{BILL}/{path.name}")
    return names


def figures(whole: Reconciliation) -> dict[str, Any]:
    """Return the waterfall for the manifest, money as text."""
    bill = whole.bill
    return {
        "bill": bill.number,
        "issued": _iso(bill.issued),
        "cost": plain(dollars(whole.cost)),
        "classes": {step.kind: plain(dollars(step.micros)) for step in whole.steps},
        "billed": plain(dollars(bill.total)),
        "unexplained_of_all_rows": plain(dollars(whole.unexplained)),
        "allowed": plain(dollars(whole.allowed)),
        "passed": whole.passed,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
