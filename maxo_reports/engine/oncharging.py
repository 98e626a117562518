"""The verb of resellers: a statement for each client, and a margin report for nobody else."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, cast

from maxo_reports import bundle, clients, manifest, pack, ratecards, rules
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Pull
from maxo_reports.bundle import Bundle, Sealed
from maxo_reports.clients import Clients
from maxo_reports.core import checks, margins, oncharge, sections
from maxo_reports.core.changes import Content
from maxo_reports.core.checks import Check, Finding, State, worst_first
from maxo_reports.core.margins import Margin
from maxo_reports.core.money import COST_PLACES, plain
from maxo_reports.core.oncharge import Account, Dues, Sorter
from maxo_reports.core.report import Column, Kind, Role, Row, Source, Table
from maxo_reports.core.terms import Terms
from maxo_reports.engine import asking, locks
from maxo_reports.errors import ArchiveError, ConfigError
from maxo_reports.issue import Wanted, gathered, stop_on, wanted
from maxo_reports.job import Job
from maxo_reports.pack import Pack
from maxo_reports.repriced import Gathering, own_entries

REPORT = "client-statement"
CLIENT, MARGIN = "oncharge", "oncharge margin"
"""What the packs say that they were made by."""
_BASIS = "Charges for calls are without GST."


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


def oncharge_period(
    job: Job, terms: Path | None = None, bill_total: Decimal | None = None
) -> Oncharged:
    """Charge a period's calls to the clients, and seal their statements and the margin.

    ``bill_total`` is what the carrier's bill comes to, GST included, where it is known. Nothing
    is asked of the carrier: the newest whole pull of the archive is used.
    """
    if job.account.cost_gst == "unknown":
        raise ConfigError(
            f"[account.{job.account.id}] cost_gst is unknown: a mark-up is put on the cost "
            "without GST, so say inclusive or exclusive, as a bill shows it"
        )
    look = wanted(job.workspace, [REPORT], rules.of(job.workspace, job.account))
    known = clients.load(
        terms if terms is not None else job.workspace.folder / clients.FILE,
        tuple(job.workspace.accounts),
        _listed(job),
    )
    with locks.alone(job):
        work = asking.archived(job, "pull it first")
        with gathered(job, look, work) as bare, _Charging(job, look, bare, known) as charging:
            _keep(job, look, known)
            packs = []
            for name, account in charging.accounts.items():
                place = charging.place_of(account.terms)
                made = charging.statement(name, place, pack.next_revision(place))
                sealed = bundle.seal(made, job.progress.step)
                packs.append(ClientPack(account.terms, charging.dues[name], sealed))
            margin = charging.margin(bill_total)
            place = job.workspace.out / job.account.id / "margin" / job.period.label
            own = _of_margin(charging, work, margin, packs, place, pack.next_revision(place))
            sealed = bundle.seal(own, job.progress.step)
    return Oncharged(job, bare, margin, tuple(packs), sealed)


def made_again(job: Job, work: Pull, sealed: Pack) -> list[str]:
    """Make a margin pack and all of its clients' again, and name every file that differs."""
    said = sealed.basis
    look = wanted(job.workspace, [REPORT], rules.again(job.archive, said))
    inputs, cards = job.archive.inputs, said["rate_cards"]
    known = clients.read(
        inputs.read(said["terms_sha256"]),
        clients.FILE,
        lambda name: ratecards.read(inputs.read(cards[name]), name),
        tuple(job.workspace.accounts),
        None,
    )
    differing: list[str] = []
    with gathered(job, look, work) as bare, _Charging(job, look, bare, known) as charging:
        packs = []
        for each, (name, account) in zip(said["clients"], charging.accounts.items(), strict=True):
            before = pack.revision(charging.place_of(account.terms), each["revision"])
            if before is None:
                raise ArchiveError(f"revision {each['revision']} of {name!r} is not in its place")
            made = charging.statement(name, before.folder.parent, before.revision)
            other = bundle.made_again(made, before, job.progress.step)
            differing += [f"{account.terms.id}: {line}" for line in other]
            findings = worst_first(made.source.findings)
            packs.append(
                ClientPack(
                    account.terms, charging.dues[name], Sealed(before, findings, unchanged=True)
                )
            )
        bill = Decimal(said["bill"]) if "bill" in said else None
        place = sealed.folder.resolve().parent
        own = _of_margin(charging, work, charging.margin(bill), packs, place, sealed.revision)
        return differing + bundle.made_again(own, sealed, job.progress.step)


def _keep(job: Job, look: Wanted, known: Clients) -> None:
    """Keep the files that decided what clients pay."""
    look.rules.keep(job.archive)
    for content in (known.content, *(card.content for card in known.cards.values())):
        job.archive.inputs.keep(content)


def _listed(job: Job) -> frozenset[str]:
    """Return the clients that the directories of all accounts name."""
    named = (rules.of(job.workspace, account) for account in job.workspace.accounts.values())
    return frozenset(
        entry.client for each in named for entry in each.directory.entries if entry.client
    )


class _Charging:
    """A period's calls, gone through once: who pays each, what it is charged, what it cost.

    Clients' stores are made in a scratch folder, which goes when the work is done.
    """

    def __init__(self, job: Job, look: Wanted, bare: Source, known: Clients) -> None:
        job.progress.step("Charging the calls")
        self.job, self.look, self.bare, self.known = job, look, bare, known
        self._held = ExitStack()
        names = {entry.client for entry in look.rules.directory.entries}
        terms = known.of(job.account.id, names)
        connected = bare.connected_statuses
        own = known.owner(job.account.id)
        sorter = Sorter(terms, connected, job.account.cost_gst, own)
        self._gathering = {each.name: Gathering(connected) for each in terms}
        store = cast("CallStore", bare.calls)
        for call, (_, *content) in zip(bare.calls.lines(), store.contents(), strict=True):
            name, _ = sorter.add(call)
            if name in self._gathering:
                self._gathering[name].add(call, Content(*content))
        self._whole = sorter.sorted
        self.accounts = sorter.sorted.clients
        self.dues = {name: oncharge.dues(account) for name, account in self.accounts.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def margin(self, bill_total: Decimal | None) -> Margin:
        """Return what the reseller's report is made from."""
        carrier = margins.of_carrier(bill_total) if bill_total is not None else None
        return Margin(self._whole, self.dues, carrier)

    def place_of(self, terms: Terms) -> Path:
        """Return where a client's packs of the period stand."""
        job = self.job
        return job.workspace.out / job.account.id / f"client-{terms.id}" / job.period.label

    def statement(self, name: str, place: Path, revision: int) -> Bundle:
        """Return what a client's pack is to hold, from a store in which the cost is its charge."""
        account, dues, look = self.accounts[name], self.dues[name], self.look
        terms = account.terms
        self.job.progress.step(f"Making the statement of {terms.name}")
        folder = Path(self._held.enter_context(tempfile.TemporaryDirectory()))
        calls = self._gathering[name].store(
            folder,
            account.units(),
            terms.places,
            self.job.period,
            own_entries(look.rules.directory, terms.name),
        )
        self._held.callback(calls.close)
        source = _client_source(self.job, self.bare, account, dues, calls, revision)
        (loaded,) = look.loaded
        report = sections.build(loaded.definition, source)
        stop_on(report.checks)
        basis = manifest.basis(
            source.heading,
            calls.fingerprint(),
            {REPORT: loaded.sha256},
            look.shelf.fingerprint(),
            {},
            {"charges": _lines(dues), "made_by": CLIENT},
        )
        return Bundle(
            *(place, source, look.style, [report], {}, basis),
            lambda tied: manifest.own_evidence(source, tied),
        )


def _client_source(
    job: Job, bare: Source, account: Account, dues: Dues, calls: CallStore, revision: int
) -> Source:
    """Gather what a client's statement is filled from; nothing of the carrier's costs is in it."""
    ledger = calls.ledger()
    found = checks.findings(ledger)
    state = bare.heading.state
    if account.uncharged:
        state = State("provisional", (*state.reasons, "some calls are not charged yet"))
    heading = replace(
        bare.heading,
        account_id=account.terms.id,
        account_name=account.terms.name,
        state=state,
        cost_gst="exclusive",
        revision=revision,
        charged=_BASIS,
    )
    charged = Check(
        "Calls at their charges = charge for calls",
        f"${plain(dues.calls)}",
        f"${plain(ledger.control.cost)}",
    )
    return Source(
        heading,
        ledger,
        found,
        (*checks.checks(ledger, job.period, [job.period.window]), charged),
        calls,
        calls.connected_statuses(),
        select=calls.select,
        charges=_table(dues),
    )


def _table(dues: Dues) -> Table:
    columns = (Column("line", "For", Kind.TEXT), Column("dollars", "Dollars", Kind.CENTS))
    *lines, total = _lines(dues)
    rows = [Row((text, Decimal(dollars))) for text, dollars in lines]
    return Table(columns, (*rows, Row((total[0], Decimal(total[1])), Role.TOTAL)))


def _lines(dues: Dues) -> list[list[str]]:
    """Return the lines of a client's charges, in whole cents that add up."""
    own = [(text, dollars) for text, dollars in dues.lines if not text.startswith("Rounding")]
    rest = sum((dollars for _, dollars in own[1:]), Decimal(0))
    percent = f"{dues.gst_percent.normalize():f}"
    told = [
        ("Calls", dues.net - rest),
        *own[1:],
        ("Total without GST", dues.net),
        (f"GST, {percent}% of the total", dues.gst),
        ("Total to be paid", dues.total),
    ]
    return [[text, plain(dollars)] for text, dollars in told]


# ---- the reseller's own -------------------------------------------------------------------------


def _of_margin(
    charging: _Charging,
    work: Pull,
    margin: Margin,
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
            "charges": _lines(each.dues),
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
        **({"bill": plain(margin.carrier.total)} if margin.carrier else {}),
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
