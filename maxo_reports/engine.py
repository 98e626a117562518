"""The verbs. Each is one function that reads like the flow; none decides about content.

period -> windows -> replies kept by hash -> calls -> ledger -> checks -> report value ->
files -> read back -> sealed pack.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from maxo_reports import config, definitions, export, manifest, pack, proof
from maxo_reports.archive import care, files, purge
from maxo_reports.archive.care import Examined
from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.archive.pulls import Asked, Pull
from maxo_reports.archive.purge import Plan
from maxo_reports.carrier import LIMIT, Carrier, Patience, Secret
from maxo_reports.config import Account, Workspace
from maxo_reports.core.checks import Depth
from maxo_reports.core.period import BillingPeriod, parse_before, parse_period
from maxo_reports.core.report import Source
from maxo_reports.errors import ArchiveError, TieOutError, UsageError
from maxo_reports.export import Exported
from maxo_reports.issue import (
    Outcome,
    built,
    gathered,
    gone,
    issue,
    made_again,
    pull_behind,
    wanted,
)
from maxo_reports.job import Job, Progress
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack
from maxo_reports.probe import Probed
from maxo_reports.probe import probe as ask_open_questions
from maxo_reports.probe.asking import Connect
from maxo_reports.pull import pull
from maxo_reports.refresh import Refreshed
from maxo_reports.refresh import refresh as refresh_book
from maxo_reports.tieout import sealed as sealed_files

__all__ = ["Job", "Outcome", "Progress"]
DEFAULT_REPORTS = ("statement",)
PROBED_DAYS = 31
"""Whole days in which a probe looks for calls, latest first, where no period is named."""


def period_of(text: str, account: Account, now: int) -> BillingPeriod:
    """Read a PERIOD argument in an account's zone; one that has not begun is refused."""
    period = parse_period(text, account.timezone, _today(account, now), account.billing_day)
    if period.start >= now:
        message = f"period {text!r} has not begun: it starts on {period.first:%d %b %Y}"
        raise UsageError(message)
    return period


def _today(account: Account, now: int) -> date:
    return datetime.fromtimestamp(now, ZoneInfo(account.timezone)).date()


def pull_period(job: Job) -> Pull:
    """Pull a period: the first half of a run. Returns the whole pull, kept in the archive."""
    with _alone(job):
        return _pulled(job)


def _alone(job: Job) -> AbstractContextManager[None]:
    """Hold the account's lock: two runs at once would write the same pull and revision.

    Where the run before was killed, or failed, the archive is put in order first.
    """
    return _locked(job.archive, job.account, tidies=True)


@contextmanager
def _locked(archive: Archive, account: Account, *, tidies: bool = False) -> Iterator[None]:
    folder = archive.folder if tidies else None
    with files.only_one(archive.lock, f"account {account.id!r}", folder):
        try:
            yield
        except BrokenPipeError:  # whoever reads our output has gone: no trouble of the disk
            raise
        except OSError as problem:
            where, why = problem.filename or archive.folder, problem.strerror
            message = f"cannot go on: {where}: {why}; check the folder and the disk"
            raise ArchiveError(message) from None


def _connection(job: Job) -> Callable[[], Carrier]:
    """Return what opens a connection to the account's carrier."""
    opener = _opener(job)
    return lambda: opener(False, job.progress.failed_try)


def _opener(job: Job) -> Connect:
    """Return what opens a connection that asks in JSON or with a form, and tells of failures."""
    settings, account = job.workspace.settings, job.account
    key = Secret(job.key())
    patience = Patience(
        connect=settings.connect_timeout,
        read=settings.read_timeout,
        whole=settings.request_deadline,
        tries=settings.tries,
    )
    return lambda form, told: Carrier(
        account.base_url,
        key,
        patience=patience,
        trust_environment=settings.trust_environment,
        user_agent=PROGRAM.replace(" ", "/"),
        told=told,
        form=form,
    )


def _pulled(job: Job) -> Pull:
    settings, account, period = job.workspace.settings, job.account, job.period
    job.progress.step("Asking the carrier for the calls")
    return pull(
        job.archive,
        period,
        Asked(period.start, period.end, period.zone, account.host, LIMIT),
        connect=_connection(job),
        now=job.now,
        in_flight=settings.requests_in_flight,
        calls_expected=account.calls_per_month,
        progress=job.progress.pulled,
    )


def run(job: Job, reports: Sequence[str], *, offline: bool = False) -> Outcome:
    """Pull, check, render, read back and seal every report of one account's period."""
    asked_for = wanted(job.workspace, reports)
    with _alone(job):
        work = _archived(job) if offline else _proved(job, _pulled(job))
        return issue(job, asked_for, work)


def _proved(job: Job, work: Pull) -> Pull:
    """Look again and cross-check; return the pull that the reports are made from."""
    job.progress.step("Asking the carrier again, in other ways")
    settings = job.workspace.settings
    return proof.prove(
        job.archive,
        work,
        job.period,
        settings.settle_hours,
        cast("Depth", settings.crosscheck),
        again=lambda: _pulled(job),
        connect=_connection(job),
    )


def _archived(job: Job, remedy: str = "run once without --offline") -> Pull:
    """Return the newest whole pull of the period, without asking the carrier."""
    work = job.archive.latest_done(job.period)
    if work is None:
        message = (
            f"period {job.period.label} of account {job.account.id!r} is not in the archive: "
            f"{remedy}"
        )
        raise ArchiveError(message)
    return work


def refresh(job: Job, book: Path, report: str, *, asks: bool = False) -> tuple[Source, Refreshed]:
    """Fill a user's own workbook from the archive; with ``asks``, the carrier is asked first."""
    asked_for = wanted(job.workspace, [report])
    if pack.holds(book):
        message = f"{book} is of a sealed pack, which is never changed: copy it elsewhere first"
        raise UsageError(message)
    with _alone(job):
        work = _proved(job, _pulled(job)) if asks else _archived(job, "pull it, or use --pull")
        with gathered(job, asked_for, work) as source:
            (loaded,) = asked_for.loaded
            job.progress.step(f"Filling {book.name}")
            moment = datetime.fromtimestamp(job.now(), ZoneInfo(job.account.timezone))
            return source, refresh_book(book, built(loaded, source), moment)


def verify(folder: Path) -> Pack:
    """Read every file of a sealed pack again: against its hashes, and against its totals.

    Raises TieOutError naming each file that is missing, changed, or does not agree.
    """
    sealed = pack.verify(folder)
    sealed_files.check(folder, sealed.manifest)
    return sealed


def lately(account: Account, now: int) -> BillingPeriod:
    """Return the last whole days, in which a probe looks for calls where no period is named."""
    today = datetime.fromtimestamp(now, ZoneInfo(account.timezone)).date()
    first = today - timedelta(days=PROBED_DAYS)
    return parse_period(f"{first}..{today}", account.timezone, today)


def probe(job: Job) -> Probed:
    """Ask a real account what the API page leaves open; no figure and no pack is touched."""
    with _alone(job):
        job.progress.step("Asking the open questions")
        return ask_open_questions(
            job.archive,
            job.period,
            job.workspace.settings.settle_hours,
            connect=_opener(job),
            told=job.progress.failed_try,
            now=job.now,
        )


def probe_as_json(job: Job, probed: Probed) -> dict[str, Any]:
    """Return what ``probe --json`` prints."""
    return {
        "account": job.account.id,
        "span": manifest.span(probed.span, job.account.timezone),
        "calls": probed.calls,
        "requests": probed.requests,
        "differing": probed.differing,
        "advice": probed.advice,
        "answers": [
            {
                "name": line.name,
                "question": line.question.asks,
                "relied_on": line.question.relied,
                "seen": line.seen,
                "verdict": line.verdict,
                "means": line.means,
            }
            for line in probed.lines
        ],
    }


def rebuild(workspace: Workspace, sealed: Pack, progress: Progress) -> None:
    """Make a sealed pack again from the archive alone and compare every byte.

    Raises TieOutError naming each file, and in the workbook each part, that differs.
    """
    said = sealed.basis
    account = workspace.one(said["account"])
    label = said["period"]["label"]
    period = parse_period(label, account.timezone, date.min, account.billing_day)
    job = Job(workspace, account, period, lambda: "", lambda: 0, progress)
    work = pull_behind(job, sealed)
    if work is None:
        raise ArchiveError(f"the calls behind {sealed.folder} {gone(job, sealed)}")
    differing = made_again(job, wanted(workspace, list(said["reports"])), work, sealed)
    if differing:
        raise TieOutError(f"pack {sealed.folder}, made again: {'; '.join(differing)}")


def examine_archive(
    workspace: Workspace, account: Account, progress: Progress, *, repair: bool
) -> Examined:
    """Read an account's archive from end to end; with ``repair``, make anew what can be."""
    archive = Archive(workspace.archive_of(account))
    # A copy that cannot be written has no run that could be at work in it, and takes no lock.
    is_ours = os.access(archive.folder, os.W_OK)
    with _locked(archive, account) if is_ours else nullcontext():
        return care.examine(archive, progress.step, repair=repair)


def strangers(workspace: Workspace) -> list[Path]:
    """Return the folders of the archive that no account of the workspace claims."""
    known = {workspace.archive_of(account) for account in workspace.accounts.values()}
    folder = workspace.folder / workspace.settings.archive
    return [path for path in files.entries(folder) if path.is_dir() and path not in known]


def export_period(job: Job, to: Path) -> Exported:
    """Write a folder from which another machine can make the period's packs again."""
    with _alone(job):
        return export.export(job, to)


def purge_archive(
    workspace: Workspace,
    account: Account,
    before: str,
    now: int,
    tell: Callable[[Plan, Sequence[Pack]], None],
    *,
    really: bool,
) -> None:
    """Tell what there is of before a day, with the packs that then stand alone; remove it.

    Nothing is removed unless it is ``really`` wanted. Packs are never touched.
    """
    day = parse_before(before, account.timezone, _today(account, now), account.billing_day)
    archive = Archive(workspace.archive_of(account))
    with _locked(archive, account) if archive.folder.exists() else nullcontext():
        plan = purge.plan(archive, day)
        keys = {doomed.key for doomed in plan.periods}
        packs = pack.sealed_in(workspace.out / account.id)
        tell(plan, [p for p in packs if keys & {p.days, *p.compared_with}])
        if really:
            purge.purge(archive, plan, now)


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
