"""Packs of reports that no definition describes: a re-rating, a margin, a client's statement.

The same rules as for any pack: every file is read back by another reader and compared before the
pack is sealed, the same content makes no second revision, and nothing issued is changed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports import doctor, manifest, pack
from maxo_reports.archive import files
from maxo_reports.core import checks
from maxo_reports.core.checks import Finding
from maxo_reports.core.report import Report, Source, Table
from maxo_reports.errors import ArchiveError, TieOutError
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack
from maxo_reports.render import RendererUnavailable, Style, SystemLibraryMissing, csvfile, renderer
from maxo_reports.tieout import Tied, plain, tie_out

TIEOUT = "tieout.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a pack is to hold, and what decides its content.

    ``tables`` are CSV files by name. ``evidence`` gives the part of the manifest that is neither
    files nor findings, from what was read back; it must hold the source's control totals.
    """

    place: Path
    source: Source
    style: Style
    reports: Sequence[Report]
    tables: Mapping[str, Table]
    basis: Mapping[str, Any]
    evidence: Callable[[Sequence[Tied]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A pack that was sealed, or that stands already, and all its findings, worst first."""

    pack: Pack
    findings: tuple[Finding, ...]
    unchanged: bool


def seal(bundle: Bundle, step: Callable[[str], None]) -> Sealed:
    """Make the next revision, unless the last one was made from the same."""
    pack.tidy(bundle.place)
    found = list(bundle.source.findings)
    before = pack.latest(bundle.place)
    if before is not None and before.manifest.get("basis") == bundle.basis:
        pack.verify(before.folder)
        return Sealed(before, checks.worst_first(found), unchanged=True)
    sealed = pack.seal(
        bundle.place,
        lambda folder: _write(bundle, folder, found, step),
        lambda folder: plain.manifest(folder / pack.MANIFEST, bundle.source),
    )
    return Sealed(sealed, checks.worst_first(found), unchanged=False)


def made_again(bundle: Bundle, sealed: Pack, step: Callable[[str], None]) -> list[str]:
    """Make a sealed pack again beside it and name every file, and workbook part, that differs."""
    other = [key for key in bundle.basis if bundle.basis[key] != sealed.basis.get(key)]
    if other:
        raise TieOutError(
            f"pack {sealed.folder} was made with another {', '.join(other)}: "
            "it cannot be made again as it was"
        )
    found = list(bundle.source.findings)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pack.fill(
            folder,
            sealed.revision,
            lambda place: _write(bundle, place, found, step),
            lambda place: plain.manifest(place / pack.MANIFEST, bundle.source),
        )
        return pack.differences(sealed.folder, folder)


def _write(
    bundle: Bundle, folder: Path, found: list[Finding], step: Callable[[str], None]
) -> pack.Written:
    tied: list[Tied] = []
    for report in bundle.reports:
        for file_format in report.definition.formats:
            name = filename(report) + renderer(file_format).SUFFIX
            step(f"Writing {name}")
            try:
                with files.disk_trouble("write", folder):
                    renderer(file_format).render(report, bundle.style, folder / name)
            except RendererUnavailable as why:
                system = isinstance(why, SystemLibraryMissing)
                remedy = f"; run: {doctor.install_line()}" if system else ""
                found.append(Finding("file-not-made", "warning", name, f"{why}{remedy}"))
            else:
                tied.append(tie_out(file_format, folder / name, report))
    if not tied:
        raise ArchiveError(f"no file could be made: {found[-1].message}")
    with files.disk_trouble("write", folder):
        for name, table in bundle.tables.items():
            csvfile.write_table(table, folder / name)
            tied.append(plain.table(folder / name, table))
        pack.write_json(folder / TIEOUT, manifest.tieout(bundle.source, tied))
    return pack.Written(
        [*(each.name for each in tied), TIEOUT],
        {
            "program": PROGRAM,
            "basis": bundle.basis,
            **bundle.evidence(tied),
            "findings": manifest.findings(checks.worst_first(found)),
            "read_back_by": {each.name: each.reader for each in tied},
        },
    )


def filename(report: Report) -> str:
    """Return the name of a report's files, without their ending."""
    period = report.heading.period
    return report.definition.filename.format(
        account=report.heading.account_id,
        period=period.label,
        report=report.definition.name,
        first=period.first,
        last=period.last,
    )
