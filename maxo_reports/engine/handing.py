"""The verbs of the accountant's handoff: a mapping file, the files, the bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports import bag, pack, rules
from maxo_reports.core.handoff.coding import portions
from maxo_reports.core.ledger import DIMENSIONS
from maxo_reports.core.report import Source
from maxo_reports.engine import locks
from maxo_reports.errors import ArchiveError, TieOutError, UsageError
from maxo_reports.handing import bundle, make, mapping, past, template
from maxo_reports.handing.bundle import Bundle
from maxo_reports.handing.make import Handoff
from maxo_reports.handing.order import Order
from maxo_reports.issue import gathered, gone, pull_behind, wanted
from maxo_reports.job import Job
from maxo_reports.pack import Pack
from maxo_reports.tieout import plain


@dataclass(frozen=True, slots=True)
class Drafted:
    """A mapping file that was written; or one that was there, and the rules that it lacks."""

    path: Path
    written: bool
    rules: str
    categories: int


def init_handoff(job: Job, books: Sequence[str]) -> Drafted:
    """Write a mapping file from what a period holds; say what one that is there lacks."""
    path = mapping.place(job.workspace.folder, job.account.id)
    there = mapping.load(path) if path.exists() else None
    with _source(job, make.sealed_pack(job)) as source:
        found = portions(source.ledger)
    categories = len({each.values["category"] for each in found})
    if there is not None:
        lacking = template.lacking(found, there)
        return Drafted(path, False, template.rules(lacking, list(there.books)), categories)
    template.write(path, template.text(found, books, DIMENSIONS))
    return Drafted(path, True, "", categories)


def make_handoff(job: Job, order: Order) -> Handoff:
    """Make and seal the handoff files of a period's newest pack."""
    said = mapping.load(mapping.place(job.workspace.folder, job.account.id))
    behind = make.sealed_pack(job)
    with locks.alone(job), _source(job, behind) as source:
        return make.make(job, source, behind, said, order)


@contextmanager
def _source(job: Job, behind: Pack) -> Iterator[Source]:
    """Give the calls behind a sealed pack, after making sure that it is whole and of them.

    They are told apart as they were for the pack, by the same directory.
    """
    pack.verify(behind.folder)
    said, now = behind.basis.get("cost_gst"), job.account.cost_gst
    if said != now:
        raise UsageError(
            f"{behind.folder} was issued with cost_gst {said!r}, and it is {now!r} now: run "
            f"'maxo-reports run {job.period.label}' first"
        )
    work = pull_behind(job, behind)
    if work is None:
        raise ArchiveError(f"the calls behind {behind.folder} {gone(job, behind)}")
    followed = rules.again(job.archive, behind.basis)
    look = wanted(job.workspace, list(behind.basis["reports"]), followed)
    with gathered(job, look, work) as source:
        control = plain.control_totals(behind.manifest)
        if source.ledger.control != control:
            raise TieOutError(f"{behind.folder} says {control}, its calls {source.ledger.control}")
        yield source


def bundle_handoffs(job: Job, names: Sequence[str]) -> Bundle:
    """Gather a period's newest pack, its handoffs, calls and replies into one folder and a zip."""
    behind = make.sealed_pack(job)
    place = past.place(job.workspace.out, job.account.id, job.period.label)
    with locks.alone(job), _source(job, behind) as source:
        pack.tidy(place)
        handoffs = _handoffs(place, names, behind)
        job.progress.step("Gathering the bundle")
        return bundle.bundle(source, behind, handoffs, job.archive.replies, place)


def _handoffs(place: Path, names: Sequence[str], behind: Pack) -> list[Pack]:
    """Return the handoffs that are meant: of the same calls, and whole."""
    every = (each for each in pack.sealed_in(place.parent) if each.folder.parent == place)
    there = {each.folder.name: each for each in every}
    replaced = {each.manifest["handoff"]["replaces"] for each in there.values()}
    current = [
        name for name, e in there.items() if e.manifest["handoff"]["reference"] not in replaced
    ]
    for name in names:
        if name not in there:
            known = ", ".join(there) or "none"
            raise UsageError(f"there is no handoff {name} of this period; there is: {known}")
    chosen = [there[name] for name in dict.fromkeys(names or current)]
    for each in chosen:
        pack.verify(each.folder)
        of_pack = each.manifest["handoff"]["pack"]
        if of_pack != make.of_pack(behind):
            raise UsageError(
                f"handoff {each.folder.name} is of pack r{of_pack['revision']}, and the newest is "
                f"r{behind.revision} with other calls or settings: make it again with --replaces, "
                "or name others with --handoff"
            )
    return chosen


def is_bundle(path: Path) -> bool:
    """Tell whether a path is a bundle, or the zip of one."""
    return bag.is_bag(path) or (path.is_file() and path.suffix == ".zip")


def verify_bundle(path: Path) -> tuple[Path, ...]:
    """Read every file of a bundle again, packed or not; return those of its payload."""
    if bag.is_bag(path):
        return bundle.verify(path)
    with tempfile.TemporaryDirectory() as scratch:
        return bundle.verify(bag.unzipped(path, Path(scratch)))


def handoff_json(done: Handoff) -> dict[str, Any]:
    """Return what ``handoff make --json`` prints."""
    said = done.pack.manifest["handoff"]
    return {
        **said,
        "state": done.state,
        "notes": list(done.notes),
        "folder": str(done.pack.folder),
        "files": [str(path) for path in done.pack.files],
    }
