"""One run at a time for each account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from maxo_reports.archive import files
from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.config import Account
from maxo_reports.errors import ArchiveError
from maxo_reports.job import Job


def alone(job: Job) -> AbstractContextManager[None]:
    """Hold the account's lock: two runs at once would write the same pull and revision.

    Where the run before was killed, or failed, the archive is put in order first.
    """
    return locked(job.archive, job.account, tidies=True)


@contextmanager
def locked(archive: Archive, account: Account, *, tidies: bool = False) -> Iterator[None]:
    """Hold an account's lock; trouble of the disk meanwhile becomes one line."""
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
