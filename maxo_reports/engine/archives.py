"""Verbs that look after the archive: verify, export, purge."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from maxo_reports import export, pack
from maxo_reports.archive import care, files, purge
from maxo_reports.archive.care import Examined
from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.archive.purge import Plan
from maxo_reports.config import Account, Workspace
from maxo_reports.core.period import parse_before
from maxo_reports.engine import asking, locks
from maxo_reports.export import Exported
from maxo_reports.job import Job, Progress
from maxo_reports.pack import Pack


def examine_archive(
    workspace: Workspace, account: Account, progress: Progress, *, repair: bool
) -> Examined:
    """Read an account's archive from end to end; with ``repair``, make anew what can be."""
    archive = Archive(workspace.archive_of(account))
    # A copy that cannot be written has no run that could be at work in it, and takes no lock.
    is_ours = os.access(archive.folder, os.W_OK)
    with locks.locked(archive, account) if is_ours else nullcontext():
        return care.examine(archive, progress.step, repair=repair)


def strangers(workspace: Workspace) -> list[Path]:
    """Return the folders of the archive that no account of the workspace claims."""
    known = {workspace.archive_of(account) for account in workspace.accounts.values()}
    folder = workspace.folder / workspace.settings.archive
    return [path for path in files.entries(folder) if path.is_dir() and path not in known]


def export_period(job: Job, to: Path) -> Exported:
    """Write a folder from which another machine can make the period's packs again."""
    with locks.alone(job):
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
    day = parse_before(before, account.timezone, asking.today(account, now), account.billing_day)
    archive = Archive(workspace.archive_of(account))
    with locks.locked(archive, account) if archive.folder.exists() else nullcontext():
        plan = purge.plan(archive, day)
        keys = {doomed.key for doomed in plan.periods}
        packs = pack.sealed_in(workspace.out / account.id)
        tell(plan, [p for p in packs if keys & {p.days, *p.compared_with}])
        if really:
            purge.purge(archive, plan, now)
