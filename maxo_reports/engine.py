"""The verbs. Each is one function that reads like the flow; none decides about content.

period -> windows -> replies kept by hash -> calls -> ledger -> checks -> report value ->
files -> read back -> sealed pack.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from maxo_reports import config, definitions, doctor, manifest, pack
from maxo_reports.archive import files
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.archive.pulls import Asked, Pull
from maxo_reports.carrier import LIMIT, Carrier, Patience, Secret
from maxo_reports.config import Account, Workspace
from maxo_reports.core import checks, report
from maxo_reports.core.checks import Check, Finding
from maxo_reports.core.ledger import Ledger
from maxo_reports.core.period import BillingPeriod, Window, parse_period
from maxo_reports.core.report import Heading, Source
from maxo_reports.errors import ArchiveError, CarrierError, TieOutError, UsageError
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack
from maxo_reports.pull import Look, derive, pull
from maxo_reports.render import (
    FORMATS,
    RendererUnavailable,
    Style,
    SystemLibraryMissing,
    renderer,
)

DEFAULT_REPORTS = ("statement",)


class Progress:
    """What a verb tells about its work while it goes on. This one tells nobody."""

    def step(self, name: str) -> None:
        """Begin a step of the flow, named for people."""

    def pulled(self, look: Look) -> None:
        """Tell how far the pull has come."""

    def failed_try(self, window: Window, tried: int, why: CarrierError, wait: float) -> None:
        """Tell of a request that failed; it is asked again after ``wait`` seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one run works for and with. ``now`` gives unix seconds; it is the only clock."""

    workspace: Workspace
    account: Account
    period: BillingPeriod
    key: Callable[[], str]
    now: Callable[[], int]
    progress: Progress = field(default_factory=Progress)


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


def period_of(text: str, account: Account, now: int) -> BillingPeriod:
    """Read a PERIOD argument in an account's zone; one that has not begun is refused."""
    today = datetime.fromtimestamp(now, ZoneInfo(account.timezone)).date()
    period = parse_period(text, account.timezone, today, account.billing_day)
    if period.start >= now:
        message = f"period {text!r} has not begun: it starts on {period.first:%d %b %Y}"
        raise UsageError(message)
    return period


def pull_period(job: Job) -> Pull:
    """Pull a period: the first half of a run. Returns the whole pull, kept in the archive."""
    with _alone(job):
        return _pulled(job)


def _alone(job: Job) -> AbstractContextManager[None]:
    """Hold the account's lock: two runs at once would write the same pull and revision."""
    archive = Archive(job.workspace.archive_of(job.account))
    return files.only_one(archive.lock, f"account {job.account.id!r}")


def _pulled(job: Job) -> Pull:
    settings, account, period = job.workspace.settings, job.account, job.period
    key = Secret(job.key())
    patience = Patience(
        connect=settings.connect_timeout,
        read=settings.read_timeout,
        whole=settings.request_deadline,
        tries=settings.tries,
    )

    def connect() -> Carrier:
        return Carrier(
            account.base_url,
            key,
            patience=patience,
            trust_environment=settings.trust_environment,
            user_agent=PROGRAM.replace(" ", "/"),
            told=job.progress.failed_try,
        )

    job.progress.step("Asking the carrier for the calls")
    return pull(
        Archive(job.workspace.archive_of(account)),
        period,
        Asked(period.start, period.end, period.zone, account.host, LIMIT),
        connect=connect,
        now=job.now,
        in_flight=settings.requests_in_flight,
        calls_expected=account.calls_per_month,
        progress=job.progress.pulled,
    )


def run(job: Job, reports: Sequence[str], *, offline: bool = False) -> Outcome:
    """Pull, check, render, read back and seal every report of one account's period."""
    shelf = definitions.Shelf.of(job.workspace.folder)
    loaded = [definitions.load(name, shelf, FORMATS) for name in reports]
    style = Style(definitions.load_theme(shelf), shelf.templates(), PROGRAM)
    with _alone(job):
        work = _archived(job) if offline else _pulled(job)
        return _reported(job, loaded, style, shelf, work)


def _reported(
    job: Job,
    loaded: Sequence[definitions.Loaded],
    style: Style,
    shelf: definitions.Shelf,
    work: Pull,
) -> Outcome:
    """Make the reports of a pull: the second half of a run."""
    job.progress.step("Grouping the calls")
    archive = Archive(job.workspace.archive_of(job.account))
    answers = work.accepted()
    for answer in answers:
        if not work.calls_path(answer.window).exists():
            derive(archive, work, answer)
    with closing(CallStore([work.calls_path(a.window) for a in answers], job.period)) as calls:
        ledger = calls.ledger()
        passed = checks.checks(ledger, job.period, [a.window for a in answers])
        _stop_on(passed)
        found = checks.findings(ledger)
        # The oldest answer decides how settled the whole is.
        asked_at = min(answer.asked_at for answer in answers)
        settle_hours = job.workspace.settings.settle_hours
        state = checks.state(job.period, asked_at, settle_hours, found)
        moment = datetime.fromtimestamp(asked_at, ZoneInfo(job.period.zone))
        heading = Heading(
            job.account.id,
            job.account.name,
            job.period,
            state,
            job.account.cost_gst,
            moment,
        )
        source = Source(heading, ledger, found, passed, calls, calls.connected_statuses())
        hashes = {each.definition.name: each.sha256 for each in loaded}
        basis = manifest.basis(heading, calls.fingerprint(), hashes, shelf.fingerprint())
        evidence = manifest.evidence(source, work.answers(), work.asked.host)
        packs = _issue(job, loaded, source, style, basis, evidence)
    return Outcome(job.account, job.period, state, ledger, *packs)


def _archived(job: Job) -> Pull:
    """Return the newest whole pull of the period, without asking the carrier."""
    archive = Archive(job.workspace.archive_of(job.account))
    work = archive.latest_done(job.period)
    if work is None:
        message = (
            f"period {job.period.label} of account {job.account.id!r} is not in the archive: "
            "run once without --offline"
        )
        raise ArchiveError(message)
    return work


def _stop_on(passed: Collection[Check]) -> None:
    """Stop when two figures that must be equal are not."""
    for check in passed:
        if not check.passed:
            message = f"{check.title}: {check.expected} is not {check.found}; no report is made"
            raise TieOutError(message)


def _issue(
    job: Job,
    loaded: Sequence[definitions.Loaded],
    source: Source,
    style: Style,
    basis: Mapping[str, Any],
    evidence: Mapping[str, Any],
) -> tuple[tuple[Finding, ...], Pack, bool]:
    """Render the reports and seal them as one pack, unless the last revision says the same.

    Returns the findings, the pack, and whether it is the earlier one.
    """
    wanted = _filenames(job, loaded)
    place = job.workspace.out / job.account.id / job.period.label
    before = pack.latest(place)
    if before is not None and before.manifest.get("basis") == basis:
        names = {path.name for path in before.files}
        if names == {name for name, _, _ in wanted}:
            pack.verify(before.folder)
            return source.findings, before, True
    found = list(source.findings)

    def write(folder: Path) -> pack.Written:
        names = []
        for name, each, file_format in wanted:
            job.progress.step(f"Writing {name}")
            filled = report.build(each.definition, source)
            try:
                with files.disk_trouble("write", place):
                    renderer(file_format).render(filled, style, folder / name)
                names.append(name)
            except RendererUnavailable as why:
                system = isinstance(why, SystemLibraryMissing)
                remedy = f"; run: {doctor.install_line()}" if system else ""
                found.append(Finding("file-not-made", "warning", name, f"{why}{remedy}"))
        if not names:
            raise ArchiveError(f"no file could be made: {found[-1].message}")
        head = {"program": PROGRAM, "basis": basis}
        listed = {"findings": manifest.findings(checks.worst_first(found))}
        return pack.Written(names, {**head, **evidence, **listed})

    sealed = pack.seal(place, write)
    return checks.worst_first(found), sealed, False


def _filenames(
    job: Job, loaded: Sequence[definitions.Loaded]
) -> list[tuple[str, definitions.Loaded, str]]:
    """Return the name, report and format of every file of the pack; names must differ."""
    wanted = []
    for each in loaded:
        definition = each.definition
        stem = definition.filename.format(
            account=job.account.id, period=job.period.label, report=definition.name
        )
        wanted += [(stem + renderer(f).SUFFIX, each, f) for f in definition.formats]
    names = [name.casefold() for name, _, _ in wanted]
    for name, each, _ in wanted:
        if names.count(name.casefold()) > 1:
            message = f"report {each.definition.name!r}: two files would be named {name}"
            raise UsageError(f"{message}; give the reports different filenames")
    return wanted


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return what ``run --json`` prints."""
    return {
        "account": outcome.account.id,
        "period": manifest.period(outcome.period),
        "state": outcome.state.word,
        "reasons": list(outcome.state.reasons),
        **manifest.totals(outcome.ledger.control),
        "records": manifest.records(outcome.ledger.intake),
        "findings": manifest.findings(outcome.findings),
        "revision": outcome.pack.revision,
        "unchanged": outcome.unchanged,
        "pack": str(outcome.pack.folder),
        "files": [str(path) for path in outcome.pack.files],
    }


def demo(out: Path, progress: Progress) -> Outcome:
    """Do the whole main job on the sample month, over HTTP against the built-in sandbox.

    The day is the sample's own, so that the pack is the same whenever and wherever it is made.
    """
    from maxo_reports.sandbox import Book, Sandbox

    book = Book.load(sample())
    moment = int(datetime.fromisoformat(book.as_of).timestamp())
    with Sandbox([book]) as sandbox:
        account = Account(book.account, book.name, book.timezone, base_url=sandbox.base_url)
        workspace = Workspace(out, config.Settings(), {account.id: account})
        period = period_of(book.period, account, moment)
        job = Job(workspace, account, period, lambda: book.key, lambda: moment, progress)
        return run(job, DEFAULT_REPORTS)


def sample() -> Path:
    """Return the folder of the shipped sample month."""
    return definitions.shipped() / "samples" / "wattle-lane-dental"
