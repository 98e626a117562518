"""The verb of resellers: a statement for each client, and a margin report for nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, cast

from maxo_reports import bundle, carrierside, clients, manifest, pack, ratecards, rules
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Pull
from maxo_reports.bundle import Bundle, Sealed
from maxo_reports.carrierside import Billed
from maxo_reports.charging import Charging, lines
from maxo_reports.clients import REPORT, Beside, Clients
from maxo_reports.config import Mail
from maxo_reports.core.checks import Check, Finding, worst_first
from maxo_reports.core.money import COST_PLACES, plain
from maxo_reports.core.rates import margins, oncharge
from maxo_reports.core.rates.margins import Margin
from maxo_reports.core.rates.oncharge import Dues
from maxo_reports.core.rates.terms import Terms
from maxo_reports.core.report import Source
from maxo_reports.engine import asking, locks
from maxo_reports.errors import ArchiveError, ConfigError, UsageError
from maxo_reports.invoice import Invoice
from maxo_reports.issue import Wanted, gathered, pull_behind, stop_on, wanted
from maxo_reports.job import Job
from maxo_reports.pack import Pack

MARGIN = "oncharge margin"
"""What the reseller's own packs say that they were made by."""


@dataclass(frozen=True, slots=True)
class ClientPack:
    """What one client gets."""

    terms: Terms
    dues: Dues
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class Oncharged:
    """What an on-charging came to: every client's pack, and the reseller's own."""

    job: Job
    source: Source
    margin: Margin
    packs: tuple[ClientPack, ...]
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class GivenBill:
    """What is given of the carrier's bill: its ``total``, GST included, or its file, or nothing.

    ``calls`` is the list of calls that came with the file, where the bill does not name it.
    """

    total: Decimal | None = None
    path: Path | None = None
    calls: Path | None = None

    def read(self) -> Invoice | None:
        """Read the file, before anything is made."""
        if self.path is None:
            return None
        if self.total is not None:
            raise UsageError("say what the bill comes to, or give its file, not both")
        return carrierside.read(self.path, self.calls)


NO_BILL = GivenBill()


def oncharge_period(job: Job, terms: Path | None = None, bill: GivenBill = NO_BILL) -> Oncharged:
    """Charge a period's calls to the clients, and seal their statements and the margin.

    Nothing is asked of the carrier: the newest whole pull of the archive is used.
    """
    if job.account.cost_gst == "unknown":
        raise ConfigError(
            f"[account.{job.account.id}] cost_gst is unknown: a mark-up is put on the cost "
            "without GST, so say inclusive or exclusive, as a bill shows it"
        )
    look = wanted(job.workspace, [REPORT], rules.of(job.workspace, job.account))
    invoice = bill.read()
    known = clients.load(
        terms if terms is not None else job.workspace.folder / clients.FILE,
        Beside.of(job.workspace, _listed(job)),
    )
    with locks.alone(job):
        work = asking.archived(job, "pull it first")
        billed = _billed(job, work, bill.total, invoice)
        with (
            gathered(job, look, work) as bare,
            Charging(job, look, bare, known) as charging,
            _Earlier(job) as earlier,
        ):
            _keep(job, look, known, invoice)
            packs = []
            for name, account in charging.accounts.items():
                place = charging.place_of(account.terms)
                number = pack.next_revision(place)
                made = charging.statement(name, place, number, earlier.of(account.terms, number))
                sealed = bundle.seal(made, job.progress.step)
                packs.append(ClientPack(account.terms, charging.dues[name], sealed))
            margin = charging.margin(billed.carrier)
            place = _margin_place(job)
            number = pack.next_revision(place)
            own = _of_margin(charging, work, margin, billed, packs, place, number)
            sealed = bundle.seal(own, job.progress.step)
    return Oncharged(job, bare, margin, tuple(packs), sealed)


def made_again(job: Job, work: Pull, sealed: Pack) -> list[str]:
    """Make a margin pack and all of its clients' again, and name every file that differs."""
    said = sealed.basis
    look, known = _as_then(job, sealed)
    differing: list[str] = []
    with (
        gathered(job, look, work) as bare,
        Charging(job, look, bare, known) as charging,
        _Earlier(job) as earlier,
    ):
        packs = []
        for each, (name, account) in zip(said["clients"], charging.accounts.items(), strict=True):
            before = pack.revision(charging.place_of(account.terms), each["revision"])
            if before is None:
                raise ArchiveError(f"revision {each['revision']} of {name!r} is not in its place")
            of_before = earlier.of(account.terms, before.revision)
            made = charging.statement(name, before.folder.parent, before.revision, of_before)
            other = bundle.made_again(made, before, job.progress.step)
            differing += [f"{account.terms.id}: {line}" for line in other]
            findings = worst_first(made.source.findings)
            packs.append(
                ClientPack(
                    account.terms, charging.dues[name], Sealed(before, findings, unchanged=True)
                )
            )
        billed = carrierside.again(job, work, said)
        margin, place = charging.margin(billed.carrier), sealed.folder.resolve().parent
        own = _of_margin(charging, work, margin, billed, packs, place, sealed.revision)
        return differing + bundle.made_again(own, sealed, job.progress.step)


def _as_then(job: Job, sealed: Pack) -> tuple[Wanted, Clients]:
    """Return the rules and the terms that a margin pack was made with."""
    said, inputs = sealed.basis, job.archive.inputs
    known = clients.read(
        inputs.read(said["terms_sha256"]),
        clients.FILE,
        lambda name: ratecards.read(inputs.read(said["rate_cards"][name]), name),
        # An address that was allowed then does not keep the figures of then from being made.
        replace(Beside.of(job.workspace), mail=Mail()),
    )
    return wanted(job.workspace, [REPORT], rules.again(job.archive, said)), known


class _Earlier:
    """Clients' calls as earlier statements had them, charged again as the margin packs say."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._held = ExitStack()
        self._charged: dict[int, Charging | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def of(self, terms: Terms, revision: int) -> Callable[[str], CallStore | None]:
        """Return what gives a client's calls of the revision before one."""

        def calls(name: str) -> CallStore | None:
            number = self._margin_of(terms.id, revision - 1)
            charging = self._charging(number) if number else None
            is_there = charging is not None and name in charging.accounts
            return charging.calls_of(name) if charging is not None and is_there else None

        return calls

    def _margin_of(self, client: str, revision: int) -> int | None:
        """Return the first margin pack that speaks of a client's revision."""
        place = _margin_place(self._job)
        for number in range(1, pack.next_revision(place)):
            made = pack.revision(place, number)
            told = made.basis.get("clients", []) if made is not None else []
            if any((e["client"], e["revision"]) == (client, revision) for e in told):
                return number
        return None

    def _charging(self, number: int) -> Charging | None:
        if number not in self._charged:
            made = pack.revision(_margin_place(self._job), number)
            assert made is not None, "it was just found"
            work = pull_behind(self._job, made)
            if work is None:
                self._charged[number] = None
            else:
                look, known = _as_then(self._job, made)
                bare = self._held.enter_context(gathered(self._job, look, work))
                charging = Charging(self._job, look, bare, known)
                self._charged[number] = self._held.enter_context(charging)
        return self._charged[number]


def _margin_place(job: Job) -> Path:
    return job.workspace.out / job.account.id / "margin" / job.period.label


def _billed(job: Job, work: Pull, total: Decimal | None, invoice: Invoice | None) -> Billed:
    """Return what the carrier bills, as far as it is known."""
    if invoice is not None:
        return carrierside.held(job, work, invoice)
    return carrierside.NOT_KNOWN if total is None else carrierside.said(total)


def _keep(job: Job, look: Wanted, known: Clients, invoice: Invoice | None) -> None:
    """Keep the files that decided what clients pay, and the bill that they are held against."""
    if invoice is not None:
        carrierside.kept(job.archive.inputs, invoice)
    look.rules.keep(job.archive)
    for content in (known.content, *(card.content for card in known.cards.values())):
        job.archive.inputs.keep(content)


def _listed(job: Job) -> frozenset[str]:
    """Return the clients that the directories of all accounts name."""
    named = (rules.of(job.workspace, account) for account in job.workspace.accounts.values())
    return frozenset(
        entry.client for each in named for entry in each.directory.entries if entry.client
    )


# ---- the reseller's own -------------------------------------------------------------------------


def _of_margin(
    charging: Charging,
    work: Pull,
    margin: Margin,
    billed: Billed,
    packs: Sequence[ClientPack],
    place: Path,
    revision: int,
) -> Bundle:
    """Return the margin pack, once it agrees with the statements that were sealed."""
    job, look, bare, known = charging.job, charging.look, charging.bare, charging.known
    control = bare.ledger.control
    micros = int(control.cost.scaleb(COST_PLACES))
    in_grains = oncharge.without_gst(micros, job.account.cost_gst)
    passed = (*margins.checks(margin, control, in_grains), *_sealed_agree(packs))
    stop_on(passed)
    found: list[Finding] = [*bare.findings, *margins.findings(margin)]
    for each in packs:
        found += [f for f in each.sealed.findings if f.code == "file-not-made"]
    source = replace(
        bare,
        heading=replace(bare.heading, revision=revision),
        checks=(*bare.checks, *passed),
        findings=worst_first(found),
    )
    report = margins.margin_report(margin, source)
    sold = [
        {
            "client": each.terms.id,
            "name": each.terms.name,
            "revision": each.sealed.pack.revision,
            "calls_sha256": each.sealed.pack.basis["calls_sha256"],
            "charges": lines(each.dues),
        }
        for each in packs
    ]
    own = {
        **look.rules.basis(),
        **rules.judged(source.findings),
        "made_by": MARGIN,
        "terms_sha256": hashlib.sha256(known.content).hexdigest(),
        "rate_cards": {name: card.sha256 for name, card in known.cards.items()},
        "clients": sold,
        **billed.basis,
    }
    calls = cast("CallStore", bare.calls).fingerprint()
    templates = look.shelf.fingerprint()
    basis = manifest.basis(source.heading, calls, {"margin": ""}, templates, {}, own)
    return Bundle(
        *(place, source, look.style, [report], {}, basis),
        lambda tied: manifest.evidence(source, work, {}, tied),
    )


def _sealed_agree(packs: Sequence[ClientPack]) -> tuple[Check, ...]:
    """Compare what each sealed statement says is to be paid with what was worked out."""
    return tuple(
        Check(
            f"{each.terms.name[:60]}: the sealed statement's total",
            f"${plain(each.dues.total)}",
            f"${each.sealed.pack.basis['charges'][-1][1]}",
        )
        for each in packs
    )


def oncharged_json(done: Oncharged) -> dict[str, Any]:
    """Return what ``oncharge --json`` prints."""
    job, sealed = done.job, done.sealed
    return {
        "account": job.account.id,
        "period": manifest.period(job.period),
        "state": done.source.heading.state.word,
        **manifest.totals(done.source.ledger.control),
        "clients": [
            {
                "client": each.terms.id,
                "name": each.terms.name,
                "calls": each.sealed.pack.manifest["control_totals"]["calls"],
                "without_gst": plain(each.dues.net),
                "gst": plain(each.dues.gst),
                "payable": plain(each.dues.total),
                "revision": each.sealed.pack.revision,
                "unchanged": each.sealed.unchanged,
                "pack": str(each.sealed.pack.folder),
                "files": [str(path) for path in each.sealed.pack.files],
            }
            for each in done.packs
        ],
        "findings": manifest.findings(sealed.findings),
        "revision": sealed.pack.revision,
        "unchanged": sealed.unchanged,
        "pack": str(sealed.pack.folder),
        "files": [str(path) for path in sealed.pack.files],
    }
