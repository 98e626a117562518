"""Purging: calls of long ago leave the archive for good, and nothing that is still needed does.

A period is moved aside whole before it is deleted, and replies go last, so a kill at any moment
leaves an archive in which every pull has its replies; the next purge does what is left.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from maxo_reports.archive import files, proofs, purged
from maxo_reports.archive.care import PURGING, days
from maxo_reports.archive.pulls import Account, read_answer
from maxo_reports.archive.purged import Purged
from maxo_reports.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Doomed:
    """One period that a purge removes: its folder, its key and the numbers of its pulls."""

    folder: Path
    pulls: tuple[int, ...]

    @property
    def key(self) -> str:
        """The period's first day and the day after its last, ``2026-10-01..2026-11-01``."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class Plan:
    """What a purge removes.

    ``replies`` are those that no pull names that stays, ``left`` what kills have left behind,
    ``straddling`` the periods that stay although they begin before the day.
    """

    before: date
    periods: tuple[Doomed, ...]
    replies: tuple[Path, ...]
    left: tuple[Path, ...]
    straddling: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many bytes of the disk it is all together."""
        return sum(path.lstat().st_size for path in self._files())

    def is_empty(self) -> bool:
        """Tell whether there is nothing to remove."""
        return not (self.periods or self.replies or self.left)

    def _files(self) -> Iterator[Path]:
        folders = [*(doomed.folder for doomed in self.periods), *self.left]
        yield from self.replies
        yield from (p for f in folders for p in (f, *f.rglob("*")) if not p.is_dir())


def plan(account: Account, before: date) -> Plan:
    """Find the periods that end on or before a day, and what no other period needs.

    Raises ArchiveError where a pull that stays cannot be read: it is not known what it needs.
    """
    doomed, straddling, needed = [], [], set()
    for folder in files.entries(account.folder / "periods"):
        if not folder.is_dir():
            continue
        if span := days(folder):
            first, until = span
            if until <= before:
                doomed.append(Doomed(folder, tuple(_numbers(folder))))
                continue
            if first < before:
                straddling.append(folder.name)
        try:
            needed |= set(_named(folder))
        except ArchiveError as why:
            message = f"nothing was purged, since it is not known which replies are needed: {why}"
            raise ArchiveError(message) from None
    noted = account.noted()
    # A note of a probe goes with the calls that it is about; its echo has the local day.
    outdated = noted is not None and noted.echo[1][:10] <= before.isoformat()
    if noted is not None and not outdated:
        needed.add(noted.sha256)
    kept = list(account.replies.every())
    unneeded = [path for path, sha256 in kept if sha256 and sha256 not in needed]
    left = [path for path in account.folder.rglob(f"{files.TEMPORARY}*") if path.is_file()]
    left = [path for path in left if not any(path.is_relative_to(d.folder) for d in doomed)]
    left += [account.probe_note] if outdated else []
    aside = account.folder / PURGING
    if aside.is_dir():
        left = [aside, *(path for path in left if not path.is_relative_to(aside))]
    return Plan(before, tuple(doomed), tuple(unneeded), tuple(left), tuple(straddling))


def purge(account: Account, planned: Plan, now: int) -> None:
    """Remove what was planned; ``now`` is in unix seconds. The account's lock must be held."""
    aside = account.folder / PURGING
    _delete_folder(aside)
    for doomed in planned.periods:
        _note(account, doomed, planned.before, now)
        _move_aside(doomed.folder, aside)
    _delete_folder(aside)
    _delete_files((*planned.replies, *(path for path in planned.left if path != aside)))


def _numbers(folder: Path) -> Iterator[int]:
    """Yield the numbers of a period's pulls, whole or not."""
    for path in files.entries(folder):
        number = path.name.removeprefix("pull-")
        if path.is_dir() and number.isdecimal():
            yield int(number)


def _named(folder: Path) -> Iterator[str]:
    """Yield the hash of every reply that a period's pulls name."""
    # Not glob, which takes a folder that cannot be read for an empty one.
    for pull in files.entries(folder):
        if pull.is_dir():
            notes = [p for p in files.entries(pull / "windows") if p.suffix == ".json"]
            yield from (read_answer(path).sha256 for path in notes)
            yield from proofs.recorded(pull).replies


def _note(account: Account, doomed: Doomed, before: date, now: int) -> None:
    """Write down what is about to go, once, also when an earlier purge was killed after it."""
    known = purged.recorded(account.folder)
    if doomed.pulls and not any((p.period, p.pulls) == (doomed.key, doomed.pulls) for p in known):
        entry = Purged(doomed.key, doomed.pulls, before.isoformat(), now)
        purged.write(account.folder, (*known, entry))


def _move_aside(folder: Path, aside: Path) -> None:
    files.make_folder(aside)
    with files.disk_trouble("move aside", folder):
        folder.rename(aside / folder.name)
        files.sync_folder(aside)
        files.sync_folder(folder.parent)


def _delete_folder(folder: Path) -> None:
    with files.disk_trouble("delete", folder):
        if folder.is_dir():
            shutil.rmtree(folder)
            files.sync_folder(folder.parent)


def _delete_files(paths: Iterable[Path]) -> None:
    folders = set()
    for path in paths:
        with files.disk_trouble("delete", path):
            path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in sorted(folders):
        with files.disk_trouble("flush", folder):
            files.sync_folder(folder)
