"""Reconciling: from a whole pull and a bill to a sealed pack with workbook, page and dispute pack.

calls + bill -> rows and classes -> checks -> report value -> files -> read back -> sealed. Nothing
here asks the carrier; the bill's own files travel in the pack, so that it can be made again.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports import __version__, doctor, manifest, pack, proof
from maxo_reports.archive import billed, columns, files
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.derive import rebuild
from maxo_reports.archive.pulls import Pull
from maxo_reports.core import dispute, reconciled
from maxo_reports.core.changes import Changes
from maxo_reports.core.checks import Check, Finding
from maxo_reports.core.differences import Called
from maxo_reports.core.money import dollars, micros_from_text, plain
from maxo_reports.core.period import BillingPeriod, LocalClock, Window, unix_midnight, zone_named
from maxo_reports.core.reconcile import Reconciliation, Tolerance
from maxo_reports.core.reconciled import Edge, Result
from maxo_reports.core.report import Report, Source
from maxo_reports.core.text import counted
from maxo_reports.errors import ConfigError, TieOutError
from maxo_reports.invoice import Invoice
from maxo_reports.invoice import load as load_invoice
from maxo_reports.issue import Wanted, gathered
from maxo_reports.job import Job
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack
from maxo_reports.reconciling import Against, Compared, Elsewhere, compare, month_in
from maxo_reports.render import RendererUnavailable, Style, SystemLibraryMissing, csvfile, pdf
from maxo_reports.render.xlsx import reconciliation as workbook
from maxo_reports.tieout import plain as read_plain
from maxo_reports.tieout import reconciliation as tied_reconciliation
from maxo_reports.tieout import tie_out
from maxo_reports.tieout.compared import Tied

KIND = "reconciliation"
BOOK, PAGE = f"{KIND}.xlsx", f"{KIND}.pdf"
DISPUTE, BILL = "dispute", "bill"
_ZONES = tuple(
    f"Australia/{city}" for city in ("Brisbane", "Sydney", "Adelaide", "Darwin", "Perth")
)
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)
_BEFORE, _AFTER = 190 * 86_400, 62 * 86_400
"""How far around a period other months are looked into: charges come up to 190 days late."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation came to: the figures, and the sealed pack that holds them."""

    source: Source
    result: Result
    pack: Pack
    unchanged: bool
    not_made: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Looked:
    """A bill held against the archive, with which pulls were looked into for it."""

    source: Source
    compared: Compared
    result: Result
    work: Pull
    others: tuple[Pull, ...]
    since: int
    calls_sha256: str


def reconcile(
    job: Job, wanted: Wanted, work: Pull, invoice: Invoice, tolerance: Tolerance
) -> Reconciled:
    """Hold a bill against a whole pull and seal what came of it, unless that is there already."""
    with _looked(job, wanted, work, invoice, tolerance) as looked:
        place = _place(job, looked.result.whole)
        pack.tidy(place)
        before = pack.latest(place)
        basis = _basis(looked, wanted, invoice, tolerance)
        if before is not None and before.manifest.get("basis") == basis:
            pack.verify(before.folder)
            return Reconciled(looked.source, looked.result, before, unchanged=True)
        not_made: list[Finding] = []
        filled = _filled(looked, pack.next_revision(place))
        sealed = pack.seal(
            place,
            lambda folder: _write(job, looked, wanted, invoice, basis, filled, folder, not_made),
            lambda folder: tied_reconciliation.check(folder, pack.read_manifest(folder)),
        )
        return Reconciled(looked.source, looked.result, sealed, False, tuple(not_made))


def made_again(job: Job, wanted: Wanted, work: Pull, sealed: Pack) -> list[str]:
    """Make a sealed reconciliation again, from its own bill, and name every file that differs."""
    said = sealed.basis
    invoice = own_invoice(sealed)
    micros = micros_from_text(said["tolerance"])
    tolerance = Tolerance(micros or 0, Decimal(said["tolerance_percent"]))
    with (
        _looked(job, wanted, work, invoice, tolerance) as looked,
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
    with _looked(job, wanted, work, invoice, tolerance) as looked:
        return looked.compared


@contextmanager
def _looked(
    job: Job, wanted: Wanted, work: Pull, invoice: Invoice, tolerance: Tolerance
) -> Iterator[_Looked]:
    _same_days(job.period, invoice)
    with gathered(job, wanted, work) as source:
        job.progress.step("Holding the bill against the calls")
        calls = source.calls
        assert isinstance(calls, CallStore), "a pull's calls are in columns"
        others = _others(job, work)
        replies = {
            answer.window.start: answer.sha256
            for each in (*others, work)
            for answer in each.accepted()
        }
        changes, since = _changes(job, work, calls, invoice)
        against = Against(
            calls, job.period, job.account.cost_gst, replies, _elsewhere(others), changes
        )
        fingerprint = calls.fingerprint()
        compared = compare(against, invoice, tolerance)
        _stop_on(compared.checks)
        result = _result(job, invoice, compared, against, since)
        yield _Looked(source, compared, result, work, others, since, fingerprint)


def _same_days(period: BillingPeriod, invoice: Invoice) -> None:
    """Refuse a bill that says it covers other days than the period."""
    bill = invoice.bill
    for said, day, word in (
        (bill and bill.first, period.first, "begin on"),
        (bill and bill.last, period.last, "end on"),
    ):
        if said and said != day:
            raise ConfigError(
                f"{invoice.path}: the bill's days {word} {said:%d %b %Y}, those of the period "
                f"{period.label} on {day:%d %b %Y}: name the bill's own period"
            )


def _stop_on(passed: Sequence[Check]) -> None:
    for each in passed:
        if not each.passed:
            message = f"{each.title}: {each.expected} is not {each.found}; nothing is issued"
            raise TieOutError(message)


# ---- what the archive has besides -----------------------------------------------------------


def _others(job: Job, work: Pull) -> tuple[Pull, ...]:
    """Return the newest whole pulls of other periods near this one, none over another."""
    taken = [(work.asked.start, work.asked.end)]
    found = []
    for other in job.archive.other_periods(job.period):
        start, end = other.asked.start, other.asked.end
        near = end > job.period.start - _BEFORE and start < job.period.end + _AFTER
        if near and all(end <= begin or start >= until for begin, until in taken):
            rebuild(job.archive, other)
            taken.append((start, end))
            found.append(other)
    return tuple(sorted(found, key=lambda pull: pull.asked.start))


def _elsewhere(others: Sequence[Pull]) -> Elsewhere:
    paths = [pull.calls_path(answer.window) for pull in others for answer in pull.accepted()]
    return Elsewhere(paths, [Window(pull.asked.start, pull.asked.end) for pull in others])


def _changes(
    job: Job, work: Pull, calls: CallStore, invoice: Invoice
) -> tuple[Changes | None, int]:
    """Return what became of the records since the bill was issued, and since which pull.

    Only a pull from before the end of that day knows what the records were then.
    """
    issued = invoice.bill.issued if invoice.bill else None
    if issued is None:
        return None, 0
    until = unix_midnight(issued + timedelta(days=1), zone_named(job.period.zone))
    earlier = [
        pull
        for pull in job.archive.pulls(job.period)
        if pull.is_done
        and pull.asked == work.asked
        and job.period.end <= pull.finished_at() < until
    ]
    if not earlier:
        return None, 0
    then = earlier[-1]
    if then.number == work.number:
        return Changes(then.number, ()), then.number
    old = proof.calls_of(job.archive, then, job.period)
    try:
        return columns.changes(old, calls, then.number), then.number
    finally:
        old.close()


# ---- what is said ---------------------------------------------------------------------------


def _result(
    job: Job, invoice: Invoice, compared: Compared, against: Against, since: int
) -> Result:
    period = job.period
    edges = _edges(against)
    clock = LocalClock.over(period.zone, period.start - _BEFORE, period.end + _AFTER)
    notes = [*_notes(job, invoice, compared, since), *_like_a_zone(compared, edges, period)]
    return Result(compared.whole, compared.checks, edges, _how(compared), tuple(notes), clock)


def _edges(against: Against) -> tuple[Edge, ...]:
    """Return the charged calls that are in another month in other zones of the country."""
    named: dict[Called, list[str]] = {}
    for zone in _ZONES:
        for called in billed.outside(
            against.calls, month_in(against.period, zone), against.replies
        ):
            named.setdefault(called, []).append(zone)
    ordered = sorted(named, key=lambda called: (called.unixtime, called.call_id))
    return tuple(Edge(called, tuple(named[called])) for called in ordered)


def _how(compared: Compared) -> str:
    matched = compared.matched
    if matched is None:
        return "By the sums of each category; the bill has no list of calls."
    return (
        f"Call by call: {counted(matched.by_id, 'call')} by id, {matched.by_time:,} by number, "
        f"time and duration; {counted(len(matched.lines), 'line')} without a record, "
        f"{counted(len(matched.calls), 'charged record')} without a line, "
        f"{counted(matched.free, 'free record')} that no bill need list."
    )


def _notes(job: Job, invoice: Invoice, compared: Compared, since: int) -> Iterator[str]:
    bill, scene = compared.whole.bill, compared.scene
    if job.account.cost_gst == "unknown":
        yield (
            "Whether costs include GST is not set (cost_gst), so they are compared as they are; "
            "--calibrate says what this bill looks like."
        )
    elif bill.basis == "unknown":
        yield "Whether the list's charges include GST is not stated; they are compared as they are."
    extra = any(each.kind == "extra" for each in compared.whole.differences)
    if invoice.bill and bill.issued and not since and (extra or compared.whole.unexplained):
        yield (
            "The archive has no pull from between the end of the period and the day of the bill: "
            "which records came later cannot be told."
        )
    for begin, end in (
        (scene.month.start, scene.period.start),
        (scene.period.end, scene.month.end),
    ):
        whole = any(span.start <= begin and end <= span.end for span in scene.whole)
        if begin < end and not whole:
            yield (
                f"The calls of the neighbouring month that {scene.zone} has in this one are not in "
                "the archive: pull that month, too."
            )


def _like_a_zone(
    compared: Compared, edges: Sequence[Edge], period: BillingPeriod
) -> Iterator[str]:
    """Name a zone whose month is exactly what the unbilled calls look like."""
    extra = {
        each.called.call_id
        for each in compared.whole.differences
        if each.kind == "extra" and each.called
    }
    for zone in _ZONES:
        out = {edge.called.call_id for edge in edges if zone in edge.zones}
        if extra and out == extra and zone != period.zone:
            yield (
                f"The calls that are not billed are exactly those that {zone} has in another "
                "month: if the bill is kept in that zone, give its timezone."
            )


# ---- the pack -------------------------------------------------------------------------------


def _place(job: Job, whole: Reconciliation) -> Path:
    name = _NO_NAME.sub("-", whole.bill.number).strip("-.")[:80] or "bill"
    return job.workspace.out / job.account.id / job.period.label / KIND / name


def _filled(looked: _Looked, revision: int) -> Report:
    source = looked.source
    heading = replace(source.heading, revision=revision)
    return reconciled.report(replace(source, heading=heading), looked.result)


def _basis(
    looked: _Looked, wanted: Wanted, invoice: Invoice, tolerance: Tolerance
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
        "since_pull": looked.since,
        "other_periods": {
            f"{pull.asked.start}-{pull.asked.end}": [a.sha256 for a in pull.accepted()]
            for pull in looked.others
        },
    }


def _write(
    job: Job,
    looked: _Looked,
    wanted: Wanted,
    invoice: Invoice,
    basis: Mapping[str, Any],
    filled: Report,
    folder: Path,
    not_made: list[Finding],
) -> pack.Written:
    """Write every file, read each back by another reader, and say what the manifest is to."""
    tied: list[Tied] = []
    for name, file_format in ((BOOK, "xlsx"), (PAGE, "pdf")):
        job.progress.step(f"Writing {name}")
        try:
            with files.disk_trouble("write", folder):
                _render(file_format, filled, wanted.style, folder / name)
        except RendererUnavailable as why:
            remedy = (
                f"; run: {doctor.install_line()}" if isinstance(why, SystemLibraryMissing) else ""
            )
            not_made.append(Finding("file-not-made", "warning", name, f"{why}{remedy}"))
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


def _dispute(looked: _Looked, folder: Path) -> tuple[dict[str, Any], list[str]]:
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
