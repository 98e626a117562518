"""The number directory's verbs: which numbers are not listed, and whether the file is right."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from maxo_reports import directories, proof, rules, suggested
from maxo_reports.config import Account, Workspace
from maxo_reports.core.directory import Directory
from maxo_reports.engine import asking, locks
from maxo_reports.errors import UsageError
from maxo_reports.job import Job
from maxo_reports.suggested import Unlisted


def suggest(job: Job) -> tuple[Unlisted, ...]:
    """Return the numbers of a period in the archive that the account's directory lacks."""
    follow = rules.of(job.workspace, job.account)
    with locks.alone(job):
        work = asking.archived(job, "pull it first")
        calls = proof.calls_of(job.archive, work, job.period, follow.directory)
        with closing(calls):
            return suggested.unlisted(calls, job.account.id)


def directories_of(
    workspace: Workspace, accounts: Sequence[Account]
) -> tuple[tuple[Path, Directory], ...]:
    """Read every directory that some accounts have, each once; all must be right."""
    paths = [path for each in accounts if (path := workspace.directory_of(each)) is not None]
    if not paths:
        message = 'no account has a number directory: write directory = "directory.csv"'
        raise UsageError(f"{message} into [settings] of maxo.toml")
    return tuple((path, directories.load(path)[0]) for path in dict.fromkeys(paths))
