"""The verb of resellers: a statement for each client, and a margin report for nobody else."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from maxo_reports import bundle, clients, manifest, pack, rules
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Pull
from maxo_reports.bundle import Bundle, Sealed
from maxo_reports.clients import Clients
from maxo_reports.core import checks, margins, oncharge, sections
from maxo_reports.core.changes import Content
from maxo_reports.core.checks import Check, Finding, State, worst_first
from maxo_reports.core.margins import CarrierTotal, Margin
from maxo_reports.core.money import COST_PLACES, plain
from maxo_reports.core.oncharge import Account, Dues, Sorter
from maxo_reports.core.report import Column, Kind, Role, Row, Source, Table
from maxo_reports.core.terms import Terms
from maxo_reports.engine import asking, locks
from maxo_reports.errors import ConfigError
from maxo_reports.issue import Wanted, gathered, stop_on, wanted
from maxo_reports.job import Job
from maxo_reports.repriced import Gathering, own_entries

REPORT = "client-statement"
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
    job: Job, terms: Path | None = None, carrier: CarrierTotal | None = None
) -> Oncharged:
    """Charge a period's calls to the clients, and seal their statements and the margin.

    ``carrier`` is what the carrier's bill comes to, where it is known. Nothing is asked of the
    carrier: the newest whole pull of the archive is used.
    """
    if job.account.cost_gst == "unknown":
        raise ConfigError(
            f"[account.{job.account.id}] cost_gst is unknown: a mark-up is put on the cost "
            "without GST, so say inclusive or exclusive, as a bill shows it"
        )
    follow = rules.of(job.workspace, job.account)
    look = wanted(job.workspace, [REPORT], follow)
    known = clients.load(
        terms if terms is not None else job.workspace.folder / clients.FILE,
        tuple(job.workspace.accounts),
        _listed(job),
    )
    with locks.alone(job):
        work = asking.archived(job, "pull it first")
        with gathered(job, look, work) as bare, tempfile.TemporaryDirectory() as scratch:
            job.progress.step("Charging the calls")
            sorter, gathering = _sorted(job, bare, known, look)
            dues = {
                name: oncharge.dues(account) for name, account in sorter.sorted.clients.items()
            }
            margin = Margin(sorter.sorted, dues, carrier)
            packs = []
            for name, account in sorter.sorted.clients.items():
                folder = Path(scratch) / account.terms.id
                folder.mkdir()
                packs.append(
                    _statement(job, look, bare, account, dues[name], gathering[name], folder)
                )
            sealed = _margin(job, look, work, bare, margin, packs)
    return Oncharged(job, bare, margin, tuple(packs), sealed)


def _listed(job: Job) -> frozenset[str]:
    """Return the clients that the directories of all accounts name."""
    named = (rules.of(job.workspace, account) for account in job.workspace.accounts.values())
    return frozenset(
        entry.client for each in named for entry in each.directory.entries if entry.client
    )


def _sorted(
    job: Job, bare: Source, known: Clients, look: Wanted
) -> tuple[Sorter, Mapping[str, Gathering]]:
    """Go through the calls once: who pays each, and what it is charged."""
    names = {entry.client for entry in look.rules.directory.entries}
    terms = known.of(job.account.id, names)
    connected = bare.connected_statuses
    own = known.owner(job.account.id)
    sorter = Sorter(terms, connected, job.account.cost_gst, own)
    gathering = {each.name: Gathering(connected) for each in terms}
    store = cast("CallStore", bare.calls)
    for call, (_, *content) in zip(bare.calls.lines(), store.contents(), strict=True):
        name, _ = sorter.add(call)
        if name in gathering:
            gathering[name].add(call, Content(*content))
    return sorter, gathering


# ---- a client's statement -----------------------------------------------------------------------


def _statement(
    job: Job,
    look: Wanted,
    bare: Source,
    account: Account,
    dues: Dues,
    gathering: Gathering,
    folder: Path,
) -> ClientPack:
    """Seal one client's statement, from a store in which the cost is the client's charge."""
    terms = account.terms
    job.progress.step(f"Making the statement of {terms.name}")
    place = job.workspace.out / job.account.id / f"client-{terms.id}" / job.period.label
    directory = own_entries(look.rules.directory, terms.name)
    with closing(
        gathering.store(folder, account.units(), terms.places, job.period, directory)
    ) as calls:
        source = _client_source(job, bare, account, dues, calls, pack.next_revision(place))
        (loaded,) = look.loaded
        report = sections.build(loaded.definition, source)
        stop_on(report.checks)
        basis = {
            **manifest.basis(
                source.heading,
                calls.fingerprint(),
                {REPORT: loaded.sha256},
                look.shelf.fingerprint(),
                {},
                {"charges": _lines(dues), "made_by": "oncharge"},
            )
        }
        made = Bundle(
            place,
            source,
            look.style,
            [report],
            {},
            basis,
            lambda tied: manifest.own_evidence(source, tied),
        )
        return ClientPack(terms, dues, bundle.seal(made, job.progress.step))


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
    columns = (Column("line", "Charges", Kind.TEXT), Column("dollars", "Dollars", Kind.CENTS))
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


def _margin(
    job: Job,
    look: Wanted,
    work: Pull,
    bare: Source,
    margin: Margin,
    packs: Sequence[ClientPack],
) -> Sealed:
    """Seal the margin report, once it agrees with the statements that were sealed."""
    place = job.workspace.out / job.account.id / "margin" / job.period.label
    control = bare.ledger.control
    in_grains = oncharge.without_gst(int(control.cost.scaleb(COST_PLACES)), job.account.cost_gst)
    passed = (*margins.checks(margin, control, in_grains), *_sealed_agree(packs))
    stop_on(passed)
    found: list[Finding] = [*bare.findings, *margins.findings(margin)]
    for each in packs:
        found += [f for f in each.sealed.findings if f.code == "file-not-made"]
    source = replace(
        bare,
        heading=replace(bare.heading, revision=pack.next_revision(place)),
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
        "made_by": "oncharge",
        "clients": sold,
        **({"bill": margin.carrier.said} if margin.carrier else {}),
    }
    calls = cast("CallStore", bare.calls).fingerprint()
    basis = manifest.basis(
        source.heading, calls, {"margin": ""}, look.shelf.fingerprint(), {}, own
    )
    made = Bundle(
        place,
        source,
        look.style,
        [report],
        {},
        basis,
        lambda tied: manifest.evidence(source, work, {}, tied),
    )
    return bundle.seal(made, job.progress.step)


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
