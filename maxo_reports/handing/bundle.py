"""The bundle: a period's evidence and handoffs in one folder for the accountant, and as a zip.

It is a bag (see ``bag``): the sealed pack as it was issued, the handoffs, every call as CSV, the
carrier's replies byte for byte, a tie-out over all of them, and a sheet to sign.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports import bag, manifest, pack
from maxo_reports.archive import files, sums
from maxo_reports.archive.replies import Replies
from maxo_reports.core.heading import Heading
from maxo_reports.core.ledger import Totals
from maxo_reports.core.report import CALL_COLUMNS, Source
from maxo_reports.errors import TieOutError
from maxo_reports.handing import readme, signoff
from maxo_reports.pack import Pack
from maxo_reports.render import csvfile
from maxo_reports.tieout import plain, sealed
from maxo_reports.tieout.compared import Tied
from maxo_reports.tieout.listed import listed

STATEMENT = "statement"
CALLS = "calls"
REPLIES = "replies"
HANDOFF = "handoff-"
EXACT = "calls-exact-unguarded.csv"
GUARDED = "calls-for-excel-guarded.csv"
README = "README.txt"
SIGN_OFF = "sign-off.txt"
TIEOUT = "tieout.json"
_PREFIX = "bundle-"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle: its folder, its zip, how many files it has; whether it stood there already."""

    folder: Path
    package: Path
    files: int
    unchanged: bool = False


def bundle(
    source: Source, behind: Pack, handoffs: Sequence[Pack], replies: Replies, place: Path
) -> Bundle:
    """Write the next bundle of a period, unless the last one says the same."""
    name = f"{source.heading.account_id}-{source.heading.period.label}-bundle"
    last = _last(place)
    files.make_folder(place)
    with pack.drafted(place) as draft:
        folder = draft / name
        files.make_folder(folder)
        _fill(source, behind, handoffs, replies, folder)
        verify(folder)
        there = place / f"{_PREFIX}{last}" / name
        unchanged = (there / bag.TAGS).is_file() and _same(there / bag.TAGS, folder / bag.TAGS)
        if unchanged:
            with files.disk_trouble("tidy up", draft):
                shutil.rmtree(draft)
        else:
            bag.zipped(folder, draft / f"{name}.zip")
            files.sync_folder(draft)
            target = place / f"{_PREFIX}{last + 1}"
            pack.put_in_place(draft, target)
            there = target / name
    count = len(sums.below(there))
    return Bundle(there, there.with_name(f"{name}.zip"), count, unchanged)


def _last(place: Path) -> int:
    """Return the number of a period's newest bundle, 0 where there is none."""
    names = [path.name.removeprefix(_PREFIX) for path in files.entries(place)]
    return max((int(name) for name in names if name.isdigit()), default=0)


def _same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _fill(
    source: Source, behind: Pack, handoffs: Sequence[Pack], replies: Replies, folder: Path
) -> None:
    """Write everything into an empty folder and make a bag of it."""
    inside, heading = folder / bag.PAYLOAD, source.heading
    _copy(behind.folder, inside / STATEMENT)
    for handoff in handoffs:
        _copy(handoff.folder, inside / f"{HANDOFF}{handoff.folder.name}")
    wanted = list(dict.fromkeys(reply["sha256"] for reply in behind.manifest["replies"]))
    for sha256 in wanted:
        files.put(inside / REPLIES / f"{sha256}.json", replies.read(sha256))
    tied = _lists(source, inside / CALLS)
    with files.disk_trouble("write", inside):
        pack.write_json(inside / TIEOUT, _tieout(source, behind, handoffs, tied, len(wanted)))
    files.put(inside / SIGN_OFF, signoff.sheet(source, behind, handoffs).encode())
    files.put(folder / README, readme.of_bundle(heading, behind, handoffs).encode())
    bag.close(folder, _information(heading, behind))


def _copy(folder: Path, target: Path) -> None:
    """Copy a sealed folder, its files byte for byte."""
    files.make_folder(target.parent)  # copytree would leave it open to other users
    with files.disk_trouble("copy", folder):
        shutil.copytree(folder, target)


def _lists(source: Source, folder: Path) -> list[Tied]:
    """Write every call as CSV, once exactly and once for Excel, and read both back."""
    files.make_folder(folder)
    columns = list(CALL_COLUMNS.values())
    with files.disk_trouble("write", folder):
        csvfile.write_rows(columns, csvfile.call_cells(source.calls), folder / EXACT)
        csvfile.write_guarded(columns, csvfile.call_cells(source.calls), folder / GUARDED)
    control = source.ledger.control
    return [listed(folder / name, control) for name in (EXACT, GUARDED)]


def _information(heading: Heading, behind: Pack) -> dict[str, str]:
    """Return what bag-info.txt says; no day of packing, so that the same bag is the same bytes."""
    period = heading.period
    return {
        "Bag-Software-Agent": manifest.PROGRAM,
        "External-Description": f"Calls of {heading.account_id}, {period.key} ({period.zone})",
        "External-Identifier": f"{heading.account_id} {period.label} r{behind.revision}",
        "Internal-Sender-Identifier": str(behind.basis["calls_sha256"]),
    }


def _tieout(
    source: Source, behind: Pack, handoffs: Sequence[Pack], tied: Sequence[Tied], replies: int
) -> dict[str, Any]:
    """Return how every part of the bundle comes from the ledger, to the cent."""
    control = source.ledger.control
    return {
        "account": source.heading.account_id,
        "period": manifest.period(source.heading.period),
        "cost_gst": source.heading.cost_gst,
        "control_totals": manifest.totals(control),
        "records": manifest.records(source.ledger.intake),
        "statement": {
            "pack": f"r{behind.revision}",
            "control_totals": behind.manifest["control_totals"],
            "files": [entry["name"] for entry in behind.manifest["files"]],
        },
        "calls": [
            {
                "name": each.name,
                "calls": each.calls,
                "cost_difference": "0.00",
            }
            for each in tied
        ],
        "handoffs": [
            {
                "reference": handoff.manifest["handoff"]["reference"],
                "kind": handoff.manifest["handoff"]["kind"],
                "control_totals": handoff.manifest["control_totals"],
                "proofs": handoff.manifest["handoff"]["proofs"],
            }
            for handoff in handoffs
        ],
        "replies": replies,
    }


def verify(folder: Path) -> tuple[Path, ...]:
    """Read a bundle again: its hashes, and every part's figures against each other.

    Raises TieOutError naming what is missing, changed, or does not agree.
    """
    there = bag.verify(folder)
    inside = folder / bag.PAYLOAD
    statement = pack.verify(inside / STATEMENT)
    sealed.check(statement.folder, statement.manifest)
    control = plain.control_totals(statement.manifest)
    for path in sorted(inside.glob(f"{HANDOFF}*")):
        handoff = pack.verify(path)
        sealed.check(path, handoff.manifest)
        _same_totals(path.name, plain.control_totals(handoff.manifest), control)
    for name in (EXACT, GUARDED):
        listed(inside / CALLS / name, control)
    kept = {path.stem for path in (inside / REPLIES).iterdir()}
    behind = {reply["sha256"] for reply in statement.manifest["replies"]}
    if kept != behind:
        raise TieOutError(f"bundle {folder}: its replies are not those behind its statement")
    for path in (inside / REPLIES).iterdir():
        if sums.of(path) != path.stem:
            raise TieOutError(f"bundle {folder}: reply {path.name} does not have its own hash")
    return there


def _same_totals(name: str, seen: Totals, control: Totals) -> None:
    if seen != control:
        raise TieOutError(f"{name} is of {seen}, the statement of {control}")
