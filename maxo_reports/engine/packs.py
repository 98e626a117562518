"""The main job's verbs: pull, run, refresh, verify, rebuild, demo.

period -> windows -> replies kept by hash -> calls -> ledger -> checks -> report value ->
files -> read back -> sealed pack.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from maxo_reports import config, definitions, manifest, pack
from maxo_reports.archive.pulls import Pull
from maxo_reports.config import Account, Workspace
from maxo_reports.core.period import parse_period
from maxo_reports.core.report import Source
from maxo_reports.engine import asking, locks
from maxo_reports.engine.asking import period_of
from maxo_reports.errors import ArchiveError, TieOutError, UsageError
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
from maxo_reports.pack import Pack
from maxo_reports.refresh import Refreshed
from maxo_reports.refresh import refresh as refresh_book
from maxo_reports.tieout import sealed as sealed_files

DEFAULT_REPORTS = ("statement",)


def pull_period(job: Job) -> Pull:
    """Pull a period: the first half of a run. Returns the whole pull, kept in the archive."""
    with locks.alone(job):
        return asking.pulled(job)


def run(job: Job, reports: Sequence[str], *, offline: bool = False) -> Outcome:
    """Pull, check, render, read back and seal every report of one account's period."""
    asked_for = wanted(job.workspace, reports)
    with locks.alone(job):
        work = asking.archived(job) if offline else asking.proved(job, asking.pulled(job))
        return issue(job, asked_for, work)


def refresh(job: Job, book: Path, report: str, *, asks: bool = False) -> tuple[Source, Refreshed]:
    """Fill a user's own workbook from the archive; with ``asks``, the carrier is asked first."""
    asked_for = wanted(job.workspace, [report])
    if pack.holds(book):
        message = f"{book} is of a sealed pack, which is never changed: copy it elsewhere first"
        raise UsageError(message)
    with locks.alone(job):
        work = (
            asking.proved(job, asking.pulled(job))
            if asks
            else asking.archived(job, "pull it, or use --pull")
        )
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
