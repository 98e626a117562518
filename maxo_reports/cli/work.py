"""From words to what is worked on: accounts and periods, all checked before the first begins."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import clock

if TYPE_CHECKING:
    from maxo_reports import config
    from maxo_reports.config import Account, Workspace
    from maxo_reports.core.period import BillingPeriod
    from maxo_reports.engine import Job, Progress


def accounts(arguments: argparse.Namespace) -> tuple[Workspace, Sequence[config.Account]]:
    """Return the accounts that are meant; with --all, name what no account claims."""
    from maxo_reports import config, engine

    workspace = config.load(arguments.workspace, os.environ)
    for path in engine.strangers(workspace) if arguments.all else ():
        print(
            f"maxo-reports: {path} is of no account in {config.FILE}: not looked at",
            file=sys.stderr,
        )
    return workspace, workspace.chosen(arguments.account, every=arguments.all)


def jobs(arguments: argparse.Namespace, progress: Progress) -> list[Job]:
    """Return what to work on; every account and period is checked before the first is begun."""
    from maxo_reports import config, engine

    workspace = config.load(arguments.workspace, os.environ)
    out = getattr(arguments, "out", None)
    if out is not None:
        workspace = _with_out(workspace, out)
    jobs = []
    for account in workspace.chosen(arguments.account, every=arguments.all):
        period = engine.period_of(arguments.period, account, clock.now())
        if not getattr(arguments, "offline", False):
            config.api_key(account, workspace.folder, os.environ)
        jobs.append(job(workspace, account, period, progress))
    return jobs


def job(workspace: Workspace, account: Account, period: BillingPeriod, progress: Progress) -> Job:
    """Return the work on one account's period."""
    from maxo_reports import config, engine

    def key() -> str:
        return config.api_key(account, workspace.folder, os.environ)

    return engine.Job(workspace, account, period, key, clock.now, progress)


def _with_out(workspace: Workspace, out: Path) -> Workspace:

    return replace(workspace, settings=replace(workspace.settings, out=str(out.absolute())))


def progress() -> Any:
    """Return what shows progress on standard error."""
    from maxo_reports.terminal import shown

    return shown(sys.stderr)
