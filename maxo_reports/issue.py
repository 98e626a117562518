"""Issuing: from a whole pull to a sealed pack, or to the news that the last one still stands.

calls -> ledger -> checks -> report value -> files -> sealed pack. Nothing here asks the carrier,
so the same archive gives the same pack on another day and another machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from maxo_reports import definitions, doctor, history, manifest, pack, proof, rules, trailing
from maxo_reports.archive import columns, files, proofs
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Pull
from maxo_reports.config import Account, Workspace
from maxo_reports.core import checks, sections
from maxo_reports.core.changes import Changes, explained
from maxo_reports.core.checks import Check, Finding
from maxo_reports.core.grids import MONTHS_BACK
from maxo_reports.core.ledger import Ledger
from maxo_reports.core.period import BillingPeriod
from maxo_reports.core.report import Report, Source
from maxo_reports.errors import ArchiveError, TieOutError, UsageError
from maxo_reports.history import History
from maxo_reports.job import Job
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack
from maxo_reports.render import (
    FORMATS,
    RendererUnavailable,
    Style,
    SystemLibraryMissing,
    csvfile,
    renderer,
)
from maxo_reports.rules import Rules
from maxo_reports.tieout import Tied, plain, tie_out

CHANGES = "changes.csv"
COMPLETENESS = "completeness.json"
TIEOUT = "tieout.json"
_File = tuple[str, definitions.Loaded, str]
"""A file's name, its report, its format."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to, for people and for ``--json``."""

    account: Account
    period: BillingPeriod
    state: checks.State
    ledger: Ledger
    findings: tuple[Finding, ...]
    pack: Pack
    unchanged: bool

    @property
    def needs_a_person(self) -> bool:
        """Whether any finding asks for somebody to look."""
        return checks.needs_a_person(self.findings)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reports are wanted, and how they look."""

    loaded: Sequence[definitions.Loaded]
    style: Style
    shelf: definitions.Shelf
    rules: Rules = rules.USUAL


def wanted(workspace: Workspace, reports: Sequence[str], follow: Rules = rules.USUAL) -> Wanted:
    """Read the definitions and the theme, before anything is asked."""
    shelf = definitions.Shelf.of(workspace.folder)
    loaded = [definitions.load(name, shelf, FORMATS) for name in reports]
    follow.check_filters(each.definition for each in loaded)
    style = Style(definitions.load_theme(shelf), shelf.templates(), PROGRAM)
    return Wanted(loaded, style, shelf, follow)


def issue(job: Job, wanted: Wanted, work: Pull) -> Outcome:
    """Make and seal the reports of a whole pull, unless the last revision says the same."""
    job.progress.step("Grouping the calls")
    place = job.workspace.out / job.account.id / job.period.label
    pack.tidy(place)
    with closing(_calls(job, work, wanted.rules)) as calls, ExitStack() as held:
        past = _history(job, wanted, held, None)
        before = pack.latest(place)
        source = _source(job, work, calls, past, pack.next_revision(place), wanted.rules)
        basis = _basis(source, calls, wanted, past)
        found = list(source.findings)
        if before is not None and _stands(job, wanted, source, basis, before, found):
            pack.verify(before.folder)
            return _outcome(job, source, checks.worst_first(found), before, unchanged=True)
        source = _with_changes(job, source, calls, basis, before)
        found = list(source.findings)
        wanted.rules.keep(job.archive)
        sealed = pack.seal(
            place,
            lambda folder: _write(job, wanted, source, work, basis, past, folder, found),
            lambda folder: plain.manifest(folder / pack.MANIFEST, source),
        )
    return _outcome(job, source, checks.worst_first(found), sealed, unchanged=False)


@contextmanager
def gathered(job: Job, wanted: Wanted, work: Pull) -> Iterator[Source]:
    """Give what a whole pull's reports are filled from, checked as a run checks it."""
    job.progress.step("Grouping the calls")
    place = job.workspace.out / job.account.id / job.period.label
    with closing(_calls(job, work, wanted.rules)) as calls, ExitStack() as held:
        past = _history(job, wanted, held, None)
        yield _source(job, work, calls, past, pack.next_revision(place), wanted.rules)


def built(loaded: definitions.Loaded, source: Source) -> Report:
    """Fill a report's sections, and stop where figures of its own that must be equal are not."""
    filled = sections.build(loaded.definition, source)
    # The source's own are judged already: the carrier's other answers are findings.
    stop_on([check for check in filled.checks if check not in source.checks])
    return filled


def _history(job: Job, wanted: Wanted, held: ExitStack, said: Mapping[str, int] | None) -> History:
    """Return the months before, where a report compares with them."""
    kinds = {s.kind for each in wanted.loaded for s in each.definition.sections}
    back = max((MONTHS_BACK.get(kind, 0) for kind in kinds), default=0)
    return history.before(job.archive, job.period, held, said, wanted.rules.directory, back)


def _basis(source: Source, calls: CallStore, wanted: Wanted, past: History) -> dict[str, Any]:
    return manifest.basis(
        source.heading,
        calls.fingerprint(),
        {each.definition.name: each.sha256 for each in wanted.loaded},
        wanted.shelf.fingerprint(),
        past.fingerprints,
        {**wanted.rules.basis(), **rules.judged(source.findings)},
    )


def _outcome(
    job: Job, source: Source, found: tuple[Finding, ...], sealed: Pack, *, unchanged: bool
) -> Outcome:
    state = source.heading.state
    return Outcome(job.account, job.period, state, source.ledger, found, sealed, unchanged)


def _calls(job: Job, work: Pull, follow: Rules = rules.USUAL) -> CallStore:
    return proof.calls_of(job.archive, work, job.period, follow.directory)


def _source(
    job: Job, work: Pull, calls: CallStore, past: History, revision: int, follow: Rules
) -> Source:
    """Group the calls, hold the figures against each other, and gather what reports say."""
    proved = proofs.recorded(work.folder)
    completeness = proof.completeness(work, proved)
    ledger = calls.ledger()
    months = trailing.of(job.archive, work, job.period) if follow.behaviour.looks_back else ()
    windows = [line.window for line in completeness.windows]
    passed = (*checks.checks(ledger, job.period, windows), *follow.checks(ledger))
    stop_on(passed)
    found = checks.worst_first(
        (
            *checks.findings(ledger),
            *completeness.findings,
            *checks.new_categories(calls.categories(), proved.new_categories),
            *follow.findings(ledger, calls, months, job.period),
        )
    )
    # The oldest answer decides how settled the whole is.
    asked_at = proof.oldest_answer(work)
    hours, look = job.workspace.settings.settle_hours, proved.second_look
    state = checks.state(job.period, asked_at, hours, found, second_look=look)
    moment = datetime.fromtimestamp(asked_at, ZoneInfo(job.period.zone))
    return Source(
        job.heading(state, moment, revision),
        ledger,
        found,
        (*passed, *completeness.checks),
        calls,
        calls.connected_statuses(),
        completeness,
        select=calls.select,
        earlier=past.months,
    )


def stop_on(passed: Collection[Check]) -> None:
    """Stop when two figures that must be equal are not."""
    for check in passed:
        if not check.passed:
            message = f"{check.title}: {check.expected} is not {check.found}; no report is made"
            raise TieOutError(message)


def _stands(
    job: Job,
    wanted: Wanted,
    source: Source,
    basis: Mapping[str, Any],
    before: Pack,
    found: list[Finding],
) -> bool:
    """Tell whether the last revision says what a new one would, in all files that can be made.

    A file that it lacks, because its libraries were missing, is tried again: only when it can be
    made now is there something new to issue. What still cannot be made is a finding.
    """
    if before.manifest.get("basis") != basis:
        return False
    there = {path.name for path in before.files}
    lacking = [each for each in _filenames(job, wanted.loaded) if each[0] not in there]
    with tempfile.TemporaryDirectory() as scratch:
        if list(_rendered(job, wanted, source, lacking, Path(scratch), found)):
            return False
    found += manifest.told_by_files(before.manifest, there)
    return True


def _with_changes(
    job: Job,
    source: Source,
    calls: CallStore,
    basis: Mapping[str, Any],
    before: Pack | None,
) -> Source:
    """Add what changed since the revision before, where there is one."""
    if before is None:
        return source
    earlier = before.basis
    if earlier["calls_sha256"] == basis["calls_sha256"]:
        return replace(source, changes=Changes(before.revision, ()))
    work = pull_behind(job, before)
    if work is None or earlier["period"] != basis["period"]:
        why = (
            f"the calls behind it {gone(job, before)}"
            if work is None
            else "it was of another period"
        )
        unknown = Finding(
            "changes-unknown",
            "warning",
            f"revision {before.revision}",
            f"{why}: what changed cannot be listed",
        )
        return replace(source, findings=checks.worst_first((*source.findings, unknown)))
    with closing(_calls(job, work)) as old:
        found = columns.changes(old, calls, before.revision)
        if not explained(found, old.control().cost, calls.control().cost):
            raise TieOutError("the changed calls do not explain the changed total cost")
    return replace(source, changes=found)


def pull_behind(job: Job, sealed: Pack) -> Pull | None:
    """Return the pull that a pack was made from, or None where it is gone.

    Its number alone would not do: somebody may have moved folders of the archive.
    """
    work = job.archive.pull_numbered(job.period, sealed.pull)
    return work if work and manifest.replies(work) == sealed.manifest["replies"] else None


def gone(job: Job, sealed: Pack) -> str:
    """Say what became of the calls behind a pack."""
    at = job.archive.purged_at(job.period, sealed.pull)
    if at is None:
        return "are no longer in the archive"
    day = datetime.fromtimestamp(at, ZoneInfo(job.period.zone))
    return f"were purged from the archive on {day:%d %b %Y}"


def _write(
    job: Job,
    wanted: Wanted,
    source: Source,
    work: Pull,
    basis: Mapping[str, Any],
    past: History,
    folder: Path,
    found: list[Finding],
) -> pack.Written:
    """Write every file of a pack into a folder and read it back, each by another reader.

    Files that cannot be made become findings; one that does not tie out ends the run.
    """
    tied: list[Tied] = []
    which = _filenames(job, wanted.loaded)
    for name, file_format, filled in _rendered(job, wanted, source, which, folder, found):
        job.progress.step(f"Reading {name} back")
        tied.append(tie_out(file_format, folder / name, filled))
    if not tied:
        raise ArchiveError(f"no file could be made: {found[-1].message}")
    with files.disk_trouble("write", folder):
        if source.changes is not None:
            changed = sections.changed_calls(source)
            csvfile.write_table(changed, folder / CHANGES)
            tied.append(plain.table(folder / CHANGES, changed))
        pack.write_json(folder / COMPLETENESS, manifest.completeness(source))
        tied.append(plain.certificate(folder / COMPLETENESS, source))
        pack.write_json(folder / TIEOUT, manifest.tieout(source, tied))
    names = [*(each.name for each in tied), TIEOUT]
    reports = manifest.reports([(name, each.definition) for name, each, _ in which], names)
    head = {"program": PROGRAM, "basis": basis, "reports": reports}
    listed = {"findings": manifest.findings(checks.worst_first(found))}
    readers = {"read_back_by": {each.name: each.reader for each in tied}}
    evidence = manifest.evidence(source, work, past.pulls, tied)
    return pack.Written(names, {**head, **evidence, **listed, **readers})


def _rendered(
    job: Job,
    wanted: Wanted,
    source: Source,
    which: Sequence[_File],
    folder: Path,
    found: list[Finding],
) -> Iterator[tuple[str, str, Report]]:
    """Render files into a folder, one by one; those that cannot be made become findings.

    Yields each file's name, its format and what it was made from.
    """
    style = replace(wanted.style.branded(source.heading.brand), told=job.progress.far)
    for name, each, file_format in which:
        job.progress.step(f"Writing {name}")
        filled = built(each, source)
        try:
            with files.disk_trouble("write", folder):
                found.extend(renderer(file_format).render(filled, style, folder / name))
        except RendererUnavailable as why:
            system = isinstance(why, SystemLibraryMissing)
            remedy = f"; run: {doctor.install_line()}" if system else ""
            found.append(Finding("file-not-made", "warning", name, f"{why}{remedy}"))
        else:
            yield name, file_format, filled


def made_again(job: Job, wanted: Wanted, work: Pull, sealed: Pack) -> list[str]:
    """Make a sealed pack again and name every file, and workbook part, that differs."""
    said = sealed.basis
    with (
        closing(_calls(job, work, wanted.rules)) as calls,
        ExitStack() as held,
        tempfile.TemporaryDirectory() as scratch,
    ):
        past = _history(job, wanted, held, sealed.compared_with)
        source = _source(job, work, calls, past, sealed.revision, wanted.rules)
        basis = _basis(source, calls, wanted, past)
        other = [key for key in basis if basis[key] != said.get(key)]
        if other:
            raise TieOutError(
                f"pack {sealed.folder} was made with another {', '.join(other)}: "
                "it cannot be made again as it was"
            )
        place = sealed.folder.resolve().parent
        before = pack.revision(place, sealed.revision - 1)
        if before is None and sealed.revision > 1:
            message = f"revision {sealed.revision - 1} is not beside pack {sealed.folder}"
            raise ArchiveError(f"{message}: what changed since then cannot be made again")
        source = _with_changes(job, source, calls, basis, before)
        found = list(source.findings)
        folder = Path(scratch)
        pack.fill(
            folder,
            sealed.revision,
            lambda place: _write(job, wanted, source, work, basis, past, place, found),
            lambda place: plain.manifest(place / pack.MANIFEST, source),
        )
        return pack.differences(sealed.folder, folder)


def _filenames(job: Job, loaded: Sequence[definitions.Loaded]) -> list[_File]:
    """Return the name, report and format of every file of the pack; names must differ."""
    wanted = []
    for each in loaded:
        definition = each.definition
        stem = definition.filename.format(
            account=job.account.id,
            period=job.period.label,
            report=definition.name,
            first=job.period.first,
            last=job.period.last,
        )
        wanted += [(stem + renderer(f).SUFFIX, each, f) for f in definition.formats]
    names = [name.casefold() for name, _, _ in wanted]
    for name, each, _ in wanted:
        if names.count(name.casefold()) > 1:
            message = f"report {each.definition.name!r}: two files would be named {name}"
            raise UsageError(f"{message}; give the reports different filenames")
    return wanted
