"""Exporting: one folder with all that another machine needs to make a period's packs again.

It is a small workspace: the account without its key, the pulls that matter in the archive's own
layout, exactly their replies, and the user's own reports and templates. Columns are left out, for
they are made again from the replies. Nothing in it tells when or where it was made.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maxo_reports import config, history, pack, rules, trailing
from maxo_reports.archive import files, proofs, purged, sums
from maxo_reports.archive.care import NOTES
from maxo_reports.archive.pulls import Account as Archive
from maxo_reports.archive.pulls import Pull
from maxo_reports.config import Account, Settings
from maxo_reports.core.brand import NO_BRAND, Logo
from maxo_reports.core.period import BillingPeriod, months_before
from maxo_reports.errors import ArchiveError, UsageError
from maxo_reports.job import Job
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack

SUMS = pack.SUMS
README = "README.txt"
_SENDER = ("name", "address", "abn", "phone", "email", "web", "colour")
CARRIED = {
    Account: ("name", "timezone", "base_url", "cost_gst", "billing_day"),
    Settings: ("settle_hours", "crosscheck"),
}
"""The settings that decide what is in a pack, or that no account can be without."""
TABLES = {Account: ("brand", "recipient"), Settings: ()}
"""Those that do, too, and have tables of their own."""
LEFT = {
    Account: ("id", "api_key_file", "api_key_env", "calls_per_month", "directory", "send"),
    Settings: (
        *("out", "archive", "outbox", "requests_in_flight", "tries", "connect_timeout"),
        *("read_timeout", "request_deadline", "trust_environment", "directory"),
    ),
}
"""Those that stay behind: keys, places, and how the carrier is asked."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an exported folder holds: which pulls, for which packs, and how many replies."""

    folder: Path
    pulls: tuple[int, ...]
    packs: tuple[Pack, ...]
    replies: int
    size: int


def export(job: Job, to: Path) -> Exported:
    """Write the folder ``to``, which must not be there or be empty: whole, or not at all."""
    if (to.exists() and not to.is_dir()) or files.entries(to):
        raise UsageError(f"{to} is there already: an export goes into a new or empty folder")
    packs = _packs(job)
    pulls = _pulls(job, packs)
    months = _months(job, packs)
    target = to.absolute()
    files.make_folder(target.parent)
    with files.disk_trouble("write in", target.parent):
        draft = Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))  # made 0700
    try:
        replies = _fill(job, pulls, months, packs, draft)
        with files.disk_trouble("write", target):
            size = sum(path.stat().st_size for path in sums.below(draft))
            if target.is_dir():
                target.rmdir()
            draft.rename(target)
            files.sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Exported(to, tuple(pull.number for pull in pulls), packs, replies, size)


def _packs(job: Job) -> tuple[Pack, ...]:
    """Return the sealed packs of exactly this period, under whatever name."""
    span = (job.period.key, job.period.zone)
    sealed = pack.sealed_in(job.workspace.out / job.account.id)
    return tuple(p for p in sealed if (p.days, p.manifest["basis"]["period"]["timezone"]) == span)


def _pulls(job: Job, packs: Sequence[Pack]) -> tuple[Pull, ...]:
    """Return the newest whole pull of the period, and those behind its packs."""
    newest = job.archive.latest_done(job.period)
    if newest is None:
        where = f"period {job.period.label} of account {job.account.id!r}"
        raise ArchiveError(f"{where} is not in the archive: there is nothing to export")
    numbers = {newest.number, *(each.manifest["pull"] for each in packs)}
    return tuple(p for p in job.archive.pulls(job.period) if p.is_done and p.number in numbers)


def _months(job: Job, packs: Sequence[Pack]) -> tuple[Pull, ...]:
    """Return the pulls of earlier months that packs are compared with, where they are there."""
    noted = sorted({item for each in packs for item in each.compared_with.items()})
    months = {month.key: month for month in months_before(job.period, history.MONTHS)}
    found = (job.archive.pull_numbered(months[key], number) for key, number in noted)
    return tuple(work for work in found if work is not None)


def _fill(
    job: Job,
    pulls: Sequence[Pull],
    months: Sequence[Pull],
    packs: Sequence[Pack],
    draft: Path,
) -> int:
    """Write everything into a folder, and return how many replies there are."""
    archive = job.archive
    copy = Archive(draft / Settings().archive / job.account.id)
    named: set[str] = set()
    for work in (*months, *pulls):
        job.progress.step(f"Copying {work.folder.name}")
        if work in pulls:
            # Written down here, where the earlier months are: they stay behind.
            trailing.of(archive, work, job.period)
        named |= _copy_pull(archive, work, copy)
    for sha256 in sorted(named):
        # Read, so that a damaged reply ends the export; copied, so that it is the same file.
        archive.replies.read(sha256)
        _copy(archive.replies.path(sha256), copy.replies.path(sha256))
    if gone := [g for g in purged.recorded(archive.folder) if g.period == job.period.key]:
        purged.write(copy.folder, gone)
    for name, pattern in (("reports", "*.toml"), ("templates", "**/*")):
        own = job.workspace.folder / name
        for path in sorted(own.glob(pattern)):
            if path.is_file():
                _copy(path, draft / name / path.relative_to(own))
    listed = _copy_rules(job, packs, copy, draft)
    settings = _settings(job.account, job.workspace.settings, listed)
    thresholds = rules.thresholds(job.workspace.behaviour_of(job.account))
    settings += _table(config.BEHAVIOUR, thresholds) if thresholds else ""
    settings += _letterhead(job.account)
    if logo := job.account.brand.logo:
        files.put(draft / _logo_name(logo), logo.content)
    files.put(draft / config.FILE, settings.encode())
    files.put(draft / README, _readme(job.account, job.period, pulls, months, packs).encode())
    files.put(draft / SUMS, sums.lines(draft, sums.below(draft)))
    return len(named)


def _copy_rules(job: Job, packs: Sequence[Pack], copy: Archive, draft: Path) -> str:
    """Copy the number directory, and those that packs were made from; return the file's name."""
    for sha256 in rules.inputs_of(each.basis for each in packs):
        copy.inputs.keep(job.archive.inputs.read(sha256))
    path = job.workspace.directory_of(job.account)
    if path is None:
        return ""
    name = f"directory{path.suffix}"
    files.put(draft / name, rules.of(job.workspace, job.account).content)
    return name


def _copy_pull(archive: Archive, work: Pull, copy: Archive) -> set[str]:
    """Copy a pull's notes, each held to its own hash, and return the replies that they name."""
    named = {answer.sha256 for answer in work.answers()}
    named.update(proofs.recorded(work.folder).replies)
    work.finished_at()
    own = [work.folder / name for name in sorted(NOTES)]
    for path in (*own, *sorted(work.folder.glob("windows/*.json"))):
        if path.exists():
            _copy(path, copy.folder / path.relative_to(archive.folder))
    return named


def _copy(path: Path, target: Path) -> None:
    with files.disk_trouble("read", path):
        content = path.read_bytes()
    files.put(target, content)


def _settings(account: Account, settings: Settings, directory: str = "") -> str:
    """Write the account and what decides its packs as ``maxo.toml``, without a key."""
    own = {name: getattr(account, name) for name in CARRIED[Account]}
    general = {name: getattr(settings, name) for name in CARRIED[Settings]}
    listed = {"directory": directory} if directory else {}
    own, general = (own | listed, general) if account.directory else (own, general | listed)
    first = _table(f"account.{account.id}", own).removeprefix("\n")
    return first + _table("settings", general)


def _letterhead(account: Account) -> str:
    """Write who sends the account's statements, and to whom, as tables of ``maxo.toml``."""
    brand, to, name = account.brand, account.recipient, f"account.{account.id}"
    sender = {key: getattr(brand, key) for key in _SENDER if getattr(brand, key)}
    if brand.logo:
        sender["logo"] = _logo_name(brand.logo)
    text = _table(f"{name}.brand", sender) if sender else ""
    if brand.window != NO_BRAND.window:
        text += _table(f"{name}.brand.window", asdict(brand.window))
    if to is not None:
        text += _table(f"{name}.recipient", asdict(to))
    return text


def _logo_name(logo: Logo) -> str:
    return f"brand/logo.{'png' if logo.media_type == 'image/png' else 'svg'}"


def _table(name: str, values: Mapping[str, Any]) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    return "\n".join(["", f"[{name}]", *lines]) + "\n"


def _value(value: object) -> str:
    """Write a value as TOML, whose text in quotes is JSON's but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _readme(
    account: Account,
    period: BillingPeriod,
    pulls: Sequence[Pull],
    months: Sequence[Pull],
    packs: Sequence[Pack],
) -> str:
    """Say what the folder is, what to do with it, and what cannot be done with it."""
    newest = pulls[-1].number
    flags = "".join(f" --report {name}" for name in _reports(packs))
    lines = [
        f"{account.name}: calls from {period.first} to {period.last} ({period.zone})",
        "",
        "Everything that is needed to make the reports of these calls again, on any machine,",
        "without the carrier and without a key: the carrier's replies, byte for byte, and which",
        "windows of time they answer. It holds telephone numbers: keep it private.",
        "",
        "Is it whole? (first of all: the other commands add files)",
        f"    sha256sum -c {SUMS}",
        f"    maxo-reports -C . archive verify --account {account.id}",
        "Make the reports:",
        f"    maxo-reports -C . run {period.label} --account {account.id} --offline{flags}",
        "Make a sealed pack again and compare every byte:",
        "    maxo-reports -C . verify PACK --rebuild",
        "",
        f"Written by {PROGRAM}. The bytes are the same with that version and with the libraries",
        "that the pack's manifest.json names.",
        "",
        "What is in it:",
        *(f"    pull {pull.number}{_behind(pull, packs)}" for pull in pulls),
        *(
            f"    {m.folder.parent.name}, pull {m.number}, which packs compare with"
            for m in months
        ),
        *_limits(newest, packs),
    ]
    return "\n".join(lines) + "\n"


def _reports(packs: Sequence[Pack]) -> list[str]:
    """Return the newest pack's reports, where the program would not make them by itself."""
    names: Mapping[str, str] = packs[-1].manifest["basis"]["reports"] if packs else {}
    return [] if list(names) == ["statement"] else list(names)


def _behind(pull: Pull, packs: Iterable[Pack]) -> str:
    behind = [f"{p.folder.parent.name}/{p.folder.name}" for p in packs if _is_of(p, pull.number)]
    return f", behind {', '.join(behind)}" if behind else ", of which no pack was made"


def _is_of(sealed: Pack, number: int) -> bool:
    return bool(sealed.manifest["pull"] == number)


def _limits(newest: int, packs: Sequence[Pack]) -> list[str]:
    """Say what an export cannot do, as far as it is so here."""
    if all(each.revision == 1 and _is_of(each, newest) for each in packs):
        return []
    return [
        "",
        "What it cannot do:",
        f"    'run --offline' always makes revision 1, from pull {newest}. Where a pack is of",
        "    another revision or pull, they differ in what they say of that, and",
        "    'verify PACK --rebuild' makes the pack as it was. A later revision lists what has",
        "    changed since the one before, so it needs the period's folder with all revisions.",
    ]
