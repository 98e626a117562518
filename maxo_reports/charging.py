"""Charging a period's calls to a reseller's clients, and making each client's statement.

A statement is made from a store in which the cost is the client's charge (``repriced``): nothing
of what the reseller pays is handed to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, cast

from maxo_reports import manifest, pack
from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.bundle import Bundle
from maxo_reports.clients import FOLDER, MADE_BY, REPORT, Clients
from maxo_reports.core import checks, sections
from maxo_reports.core.changes import Changes, Content, explained
from maxo_reports.core.checks import Check, Finding, State, worst_first
from maxo_reports.core.heading import CHARGED
from maxo_reports.core.money import plain, round_half_up
from maxo_reports.core.rates import oncharge
from maxo_reports.core.rates.margins import Margin
from maxo_reports.core.rates.oncharge import Account, Dues, Sorter
from maxo_reports.core.rates.terms import Terms
from maxo_reports.core.rates.threeways import CarrierBill, CarrierTotal
from maxo_reports.core.report import Column, Kind, Report, Role, Row, Source, Table
from maxo_reports.errors import TieOutError
from maxo_reports.issue import Wanted, stop_on
from maxo_reports.job import Job
from maxo_reports.pack import Pack
from maxo_reports.repriced import Gathering, own_entries
from maxo_reports.tieout import Tied


class Charging:
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

    def margin(self, carrier: CarrierTotal | CarrierBill | None) -> Margin:
        """Return what the reseller's report is made from."""
        return Margin(self._whole, self.dues, carrier)

    def place_of(self, terms: Terms) -> Path:
        """Return where a client's packs of the period stand."""
        job = self.job
        return job.workspace.out / job.account.id / f"{FOLDER}{terms.id}" / job.period.label

    def calls_of(self, name: str) -> CallStore:
        """Return a client's calls, in a store in which the cost is the charge."""
        account = self.accounts[name]
        folder = Path(self._held.enter_context(tempfile.TemporaryDirectory()))
        calls = self._gathering[name].store(
            folder,
            account.units(),
            account.terms.places,
            self.job.period,
            own_entries(self.look.rules.directory, account.terms.name),
        )
        self._held.callback(calls.close)
        return calls

    def statement(
        self, name: str, place: Path, revision: int, before: Callable[[str], CallStore | None]
    ) -> Bundle:
        """Return what a client's pack is to hold.

        ``before`` gives the client's calls as the revision before has them, None where they
        cannot be had any more; it is asked only where there is a revision before.
        """
        account, dues, look = self.accounts[name], self.dues[name], self.look
        terms = account.terms
        self.job.progress.step(f"Making the statement of {terms.name}")
        calls = self.calls_of(name)
        to = self.known.recipients.get(terms.id)
        source = _client_source(self.job, self.bare, account, dues, calls, revision)
        source = replace(source, heading=replace(source.heading, recipient=to))
        source = _with_changes(source, calls, pack.revision(place, revision - 1), before, name)
        (loaded,) = look.loaded
        report = sections.build(loaded.definition, source)
        stop_on(report.checks)
        basis = manifest.basis(
            source.heading,
            calls.fingerprint(),
            {REPORT: loaded.sha256},
            look.shelf.fingerprint(),
            {},
            {"charges": lines(dues), "made_by": MADE_BY},
        )
        style = look.style.branded(source.heading.brand)
        return Bundle(
            *(place, source, style, [report], {}, basis),
            lambda tied: {**_reports(report, tied), **manifest.own_evidence(source, tied)},
        )


def _reports(report: Report, tied: Sequence[Tied]) -> dict[str, Any]:
    """Return which files are the statement's, so that they can be mailed."""
    names = [each.name for each in tied]
    return {"reports": manifest.reports([(name, report.definition) for name in names], names)}


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
        recipient=None,
        charged=CHARGED,
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
        charges=table(dues),
    )


def _with_changes(
    source: Source,
    calls: CallStore,
    last: Pack | None,
    before: Callable[[str], CallStore | None],
    name: str,
) -> Source:
    """Add what changed since the client's revision before, call by call."""
    if last is None:
        return source
    if last.basis["calls_sha256"] == calls.fingerprint():
        return replace(source, changes=Changes(last.revision, ()))
    old = before(name)
    if old is None or old.fingerprint() != last.basis["calls_sha256"]:
        unknown = Finding(
            "changes-unknown",
            "warning",
            f"revision {last.revision}",
            "the calls behind it cannot be had any more: what changed cannot be listed",
        )
        return replace(source, findings=worst_first((*source.findings, unknown)))
    found = columns.changes(old, calls, last.revision)
    if not explained(found, old.control().cost, calls.control().cost):
        raise TieOutError("the changed calls do not explain the changed charge")
    return replace(source, changes=found)


def table(dues: Dues) -> Table:
    """Return the lines of a client's charges as its statement shows them."""
    columns = (Column("line", "For", Kind.TEXT), Column("dollars", "Dollars", Kind.CENTS))
    *parts, total = lines(dues)
    rows = [Row((text, Decimal(dollars))) for text, dollars in parts]
    return Table(columns, (*rows, Row((total[0], Decimal(total[1])), Role.TOTAL)))


def lines(dues: Dues) -> list[list[str]]:
    """Return the lines of a client's charges, in whole cents that add up."""
    own = [
        # What a minimum adds to calls of four decimals has four, too: half a cent of it and half a
        # cent of the calls would both be printed upwards.
        (text, round_half_up(dollars) or Decimal(0))
        for text, dollars in dues.lines
        if not text.startswith("Rounding")
    ]
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
