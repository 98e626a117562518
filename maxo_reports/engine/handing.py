"""The verbs of the accountant's handoff: a mapping file, the files, the bundle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports.core.coding import portions
from maxo_reports.core.ledger import DIMENSIONS
from maxo_reports.core.report import Source
from maxo_reports.engine import locks
from maxo_reports.errors import ArchiveError, TieOutError
from maxo_reports.handing import make, mapping, template
from maxo_reports.handing.make import Handoff
from maxo_reports.handing.order import Order
from maxo_reports.issue import gathered, gone, pull_behind, wanted
from maxo_reports.job import Job
from maxo_reports.pack import Pack
from maxo_reports.pack import verify as verified
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
    """Give the calls behind a sealed pack, after making sure that it is whole and of them."""
    verified(behind.folder)
    work = pull_behind(job, behind)
    if work is None:
        raise ArchiveError(f"the calls behind {behind.folder} {gone(job, behind)}")
    with gathered(job, wanted(job.workspace, list(behind.basis["reports"])), work) as source:
        control = plain.control_totals(behind.manifest)
        if source.ledger.control != control:
            raise TieOutError(f"{behind.folder} says {control}, its calls {source.ledger.control}")
        yield source


def handoff_json(done: Handoff) -> dict[str, Any]:
    """Return what ``handoff make --json`` prints."""
    said = done.pack.manifest["handoff"]
    return {
        **said,
        "state": done.state,
        "folder": str(done.pack.folder),
        "files": [str(path) for path in done.pack.files],
    }
