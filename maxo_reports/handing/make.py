"""Making a handoff: posting sets -> files -> read back -> sealed beside the earlier ones.

The calls are those of the period's newest sealed pack, from the archive; the carrier is not
asked. A handoff is ``out/ACCOUNT/handoffs/PERIOD/rN``, complete or not there at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports import manifest, pack
from maxo_reports.archive import files
from maxo_reports.core.handoff.coding import idle, portions
from maxo_reports.core.handoff.posting import Entry, PostingSet, Proof
from maxo_reports.core.handoff.target import faults, parts, rows
from maxo_reports.core.money import plain
from maxo_reports.core.report import Source
from maxo_reports.core.text import counted
from maxo_reports.definitions import Shelf
from maxo_reports.errors import ConfigError, TieOutError, UsageError
from maxo_reports.handing import order as orders
from maxo_reports.handing import past, preflight, readme, targets
from maxo_reports.handing.mapping import HandoffMap
from maxo_reports.handing.order import Order
from maxo_reports.handing.posted import Aim, aims
from maxo_reports.handing.sold import charged
from maxo_reports.handing.words import of_period
from maxo_reports.job import Job
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack
from maxo_reports.render import journal
from maxo_reports.tieout import plain as plain_files
from maxo_reports.tieout.compared import Tied
from maxo_reports.tieout.handed import handed
from maxo_reports.tieout.handed import said as said_of
from maxo_reports.tieout.sealed import HANDOFF, TIEOUT

README = "README.txt"
MAPPING = "mapping.toml"
"""The user's own mapping file as it was, so that anybody can see what went where, and why."""


@dataclass(frozen=True, slots=True)
class Handoff:
    """A sealed handoff: what it is called, what was posted, and where it is."""

    reference: str
    aims: tuple[Aim, ...]
    pack: Pack
    state: str
    notes: tuple[str, ...] = ()
    """What was odd and stops nothing: rules that fit no calls."""

    @property
    def proofs(self) -> Mapping[str, Proof]:
        """How each program's total comes about."""
        return {aim.books: aim.whole.proof for aim in self.aims}


@dataclass(frozen=True, slots=True)
class _Made:
    """One file: its name, its target, its part of the posting set, its bytes."""

    name: str
    aim: Aim
    part: Aim
    content: bytes


def make(
    job: Job,
    source: Source,
    behind: Pack,
    mapping: HandoffMap,
    order: Order,
) -> Handoff:
    """Make and seal the files of one handoff; nothing is written where anything is refused."""
    shelf = Shelf.of(job.workspace.folder)
    wanted = [targets.load(name, shelf) for name in dict.fromkeys(order.targets)]
    orders.check(order, wanted, source.heading.cost_gst)
    calls_sha256 = behind.basis["calls_sha256"]
    clients = (
        charged(job.workspace.out, job.account.id, job.period.label, calls_sha256)
        if order.kind == "sale"
        else ()
    )
    made_of = aims(order, wanted, mapping, source, clients)
    _check(made_of, mapping, source)
    label = job.period.label
    known = past.recorded(job.archive.folder, job.workspace.out, job.account.id)
    documents = _documents(made_of)
    replaces = past.reference(order.replaces, label)
    past.check(known, documents, replaces)
    made = [each for aim in made_of for each in _files(job, mapping, source, behind, aim)]
    place = past.place(job.workspace.out, job.account.id, label)
    least = past.next_number(known, label)
    pack.tidy(place)
    reference = f"{label}/r{max(least, pack.next_revision(place))}"
    said = {
        "reference": reference,
        "kind": order.kind,
        "replaces": replaces,
        "documents": [list(document) for document in documents],
        "account": job.account.id,
        "period": manifest.period(job.period),
        "pack": of_pack(behind),
        "mapping_sha256": mapping.sha256,
        "targets": [aim.target.name for aim in made_of],
        "proofs": {aim.books: proof(aim.whole.proof) for aim in made_of},
    }
    job.progress.step(f"Writing handoff {reference}")
    sealed = pack.seal(
        place,
        lambda folder: _write(source, made, said, made_of, mapping.raw, folder),
        lambda folder: plain_files.manifest(folder / pack.MANIFEST, source),
        least,
    )
    past.record(job.archive.folder, said)
    notes = (*_of_findings(source), *idle(portions(source.ledger), mapping.rules))
    return Handoff(reference, made_of, sealed, source.heading.state.word, notes)


def _of_findings(source: Source) -> Iterator[str]:
    count = sum(finding.severity != "info" for finding in source.findings)
    if count:
        yield f"the statement has {counted(count, 'finding')} for a person to look at first"


def of_pack(behind: Pack) -> dict[str, Any]:
    """Return what a handoff says of the pack that it is of: another one has other figures."""
    return {
        "revision": behind.revision,
        "calls_sha256": behind.basis["calls_sha256"],
        "cost_gst": behind.basis["cost_gst"],
    }


def _documents(made_of: Sequence[Aim]) -> list[tuple[str, str]]:
    """Return every document's contact and number, each once."""
    found = ((entry.contact, entry.number) for aim in made_of for entry in aim.whole.entries)
    return list(dict.fromkeys(found))


def _check(made_of: Sequence[Aim], mapping: HandoffMap, source: Source) -> None:
    """Refuse what an import would refuse: by the user's lists, and by the format's limits."""
    problems = []
    for aim in made_of:
        books = mapping.books[aim.books]
        taxes = books.taxes(aim.whole.kind)
        found = preflight.troubles(aim.whole, aim.target, books, taxes, mapping.path.parent)
        laid_out = rows(
            aim.whole, aim.target, taxes, mapping.lines.currency, source.heading.period.label
        )
        found += faults(aim.target, aim.whole, laid_out)
        problems += [f"target {aim.target.name}: {each}" for each in found]
    if problems:
        raise ConfigError(problems)


def _files(job: Job, mapping: HandoffMap, source: Source, behind: Pack, aim: Aim) -> list[_Made]:
    """Return a target's files: one, or as many as its limits make."""
    heading = source.heading
    taxes = mapping.books[aim.books].taxes(aim.whole.kind)
    texts = {
        **of_period(heading),
        "title": f"{heading.account_name}: calls {heading.period.label}",
        "source": f"{PROGRAM}, calls {behind.basis['calls_sha256']}",
        "currency": mapping.lines.currency,
    }
    split = parts(aim.whole, aim.target)
    stem = f"{job.account.id}-{job.period.label}-{aim.target.stem or aim.target.name}"
    found = []
    for number, part in enumerate(split, 1):
        of = f"-part-{number}-of-{len(split)}" if len(split) > 1 else ""
        content = journal.write(part, aim.target, taxes, texts)
        whole = Aim(aim.target, aim.books, part)
        found.append(_Made(f"{stem}{of}{aim.target.suffix}", aim, whole, content))
    return found


def _write(
    source: Source,
    made: Sequence[_Made],
    said: Mapping[str, Any],
    made_of: Sequence[Aim],
    mapping: bytes,
    folder: Path,
) -> pack.Written:
    """Write every file of a handoff into a folder and read it back."""
    with files.disk_trouble("write", folder):
        for each in made:
            journal.put(folder / each.name, each.content)
    tied = [(each, handed(folder / each.name, each.part.whole, each.aim.target)) for each in made]
    _stop_on_sums(made, made_of, source)
    with files.disk_trouble("write", folder):
        pack.write_json(folder / TIEOUT, _tieout(source, tied, made_of))
        text = readme.of_handoff(source.heading, said, made_of, [each.name for each in made])
        files.put(folder / README, text.encode())
        files.put(folder / MAPPING, mapping)
    names = [*(each.name for each in made), TIEOUT, MAPPING, README]
    head = {
        "program": PROGRAM,
        "kind": HANDOFF,
        "handoff": said,
        "state": source.heading.state.word,
        "cost_gst": source.heading.cost_gst,
        "control_totals": manifest.totals(source.ledger.control),
        "records": manifest.records(source.ledger.intake),
    }
    return pack.Written(names, head)


def _stop_on_sums(made: Sequence[_Made], made_of: Sequence[Aim], source: Source) -> None:
    """Stop where a posting set does not come from the whole ledger, or its files not to it."""
    control = source.ledger.control
    for aim in made_of:
        own, totals = aim.whole.proof, aim.whole.totals
        # What is sold is held to the clients' sealed statements where it is read.
        if aim.whole.kind != "sale" and totals != control:
            raise TieOutError(f"{aim.books}: the lines are of {totals}, the ledger of {control}")
        steps = own.cost + own.gst_step + own.rounding + own.other
        if abs(steps - own.payable) > _PRINTED:
            raise TieOutError(f"{aim.books}: {steps} is not {own.payable}")
        of_files = sum(each.part.whole.booked for each in made if each.aim is aim)
        if of_files != aim.whole.booked:
            raise TieOutError(f"{aim.target.name}: files of {of_files}, not {aim.whole.booked}")


def _tieout(
    source: Source, tied: Sequence[tuple[_Made, Tied]], made_of: Sequence[Aim]
) -> dict[str, Any]:
    """Return how every file comes from the ledger, to the cent."""
    return {
        "account": source.heading.account_id,
        "period": manifest.period(source.heading.period),
        "cost_gst": source.heading.cost_gst,
        "control_totals": manifest.totals(source.ledger.control),
        "posted": {
            aim.books: {
                **proof(aim.whole.proof),
                "calls": aim.whole.totals.calls,
                "lines": [
                    {
                        "account": line.coding.account,
                        "text": line.text,
                        "calls": line.totals.calls,
                        "cost": plain(line.totals.cost),
                        "booked": plain(line.booked),
                        "gst": plain(line.gst),
                    }
                    for entry in _once(aim.whole)
                    for line in entry.lines
                ],
            }
            for aim in made_of
        },
        "files": [
            {
                "name": made.name,
                "target": made.aim.target.name,
                "books": made.aim.books,
                "figures_compared": each.figures,
                "lines_total": plain(made.part.whole.booked),
                "differences": "0.00",
                **said_of(made.part.whole, made.aim.target),
            }
            for made, each in tied
        ],
    }


def _once(whole: PostingSet) -> tuple[Entry, ...]:
    """Return the entries without the one that takes an accrual back."""
    return whole.entries if whole.kind == "sale" else whole.entries[:1]


_PRINTED = Decimal("0.000002")
"""Two steps that are printed with six decimals can be half a unit of the last one off each."""


def proof(of: Proof) -> dict[str, str]:
    """Return the steps from cost to payable, as text."""
    return {name: plain(getattr(of, name)) for name in Proof.__dataclass_fields__}


def sealed_pack(job: Job) -> Pack:
    """Return the period's newest sealed pack, whose calls are handed over."""
    place = job.workspace.out / job.account.id / job.period.label
    found = pack.latest(place)
    if found is None:
        raise UsageError(
            f"there is no sealed pack of {job.period.label} in {place}: run "
            f"'maxo-reports run {job.period.label}' first, so that there is evidence to hand over"
        )
    return found
