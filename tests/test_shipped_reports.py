"""Every report that is shipped, over HTTP on the sample month, in one pack that can be rebuilt."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from maxo_reports import engine
from maxo_reports.config import Account, Settings, Workspace
from maxo_reports.definitions import shipped
from maxo_reports.errors import ArchiveError, TieOutError
from maxo_reports.export import SUMS
from maxo_reports.job import Job, Progress
from maxo_reports.pack import Pack
from maxo_reports.sandbox import Book, Sandbox
from maxo_reports.tieout import sealed as sealed_files

FOR_CLIENTS = "client-statement"
"""Made by ``oncharge`` only: a run would show its reader what the calls cost."""
REPORTS = sorted({path.stem for path in shipped().glob("reports/*.toml")} - {FOR_CLIENTS})
BOOK = Book.load(engine.sample())
NOW = int(datetime.fromisoformat(BOOK.as_of).timestamp())


class Client:
    """The sample's account in a workspace, and a carrier that answers for it."""

    def __init__(self, folder: Path, base_url: str) -> None:
        account = Account(BOOK.account, BOOK.name, BOOK.timezone, base_url=base_url)
        self.workspace = Workspace(folder, Settings(), {account.id: account})
        self.account = account

    def job(self, period: str) -> Job:
        """Return a job for a period, on the sample's own day."""
        span = engine.period_of(period, self.account, NOW)
        return Job(self.workspace, self.account, span, lambda: BOOK.key, lambda: NOW, Progress())

    def run(self, *reports: str, offline: bool = False) -> Pack:
        """Make reports of the sample month."""
        return engine.run(self.job(BOOK.period), reports, offline=offline).pack


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Client, Pack]:
    """Pull September, then make all reports of October: one run, one pack."""
    with Sandbox([BOOK]) as carrier:
        client = Client(tmp_path_factory.mktemp("shipped"), carrier.base_url)
        engine.pull_period(client.job("2026-09"))
        return client, client.run(*REPORTS)


def rows(sealed: Pack, report: str, sheet: str) -> list[list[object]]:
    """Return a sheet of one of the pack's workbooks."""
    path = sealed.folder / f"{BOOK.account}-{BOOK.period}-{report}.xlsx"
    return CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()


def test_one_pack_holds_every_report_and_ties_out(made):
    """Each file was compared with the ledger; verify reads them all again."""
    _, sealed = made
    tied = json.loads((sealed.folder / "tieout.json").read_bytes())["files"]
    compared = {entry["name"].removeprefix(f"{BOOK.account}-{BOOK.period}-") for entry in tied}
    assert {f"{name}.xlsx" for name in REPORTS} <= compared
    calls = {entry["name"].split("-")[-1]: entry["calls_compared"] for entry in tied}
    assert calls["number.xlsx"] == calls["itemised.xlsx"] == calls["statement.xlsx"] == 2487
    assert calls["only.xlsx"] == 974
    engine.verify(sealed.folder)


def test_every_report_is_made_again_byte_by_byte(made):
    """From the archive alone, with the months that it was compared with."""
    client, sealed = made
    engine.rebuild(client.workspace, sealed, Progress())


def test_no_report_disagrees_with_another(made):
    """The month's cost is one figure, in the index, the matrix, the trend and the statement."""
    _, sealed = made
    cost = Decimal(sealed.manifest["control_totals"]["cost"])

    def last(report: str, sheet: str, label: str) -> Decimal:
        row = next(r for r in reversed(rows(sealed, report, sheet)) if r[0] == label)
        return Decimal(repr([cell for cell in row if cell != ""][-1]))

    assert last("by-number", "Numbers", "Total") == cost
    assert last("statement", "By number x category", "Total") == cost
    assert last("trend", "Cost by category", "Total") == cost
    assert last("charged-only", "By category", "Total") == cost
    months = {row[0]: row for row in rows(sealed, "trend", "By month")}
    assert Decimal(repr(months["2026-10"][6])) == cost
    assert months["2026-09"][1] == "whole"
    assert months["2026-08"][1:3] == ["not in the archive", ""]


def test_the_pack_says_what_its_filtered_files_are_of(made):
    """So that who reads them alone knows what they must come to."""
    _, sealed = made
    others = sealed.manifest["totals_of_files"]
    assert {name.rsplit("-", 1)[-1] for name in others} == {"only.xlsx", "only.pdf"}
    for each in others.values():
        assert each["calls"] == each["charged_calls"] == 974
        assert "974 of 2,487 calls" in each["filter"]
    assert sealed.manifest["control_totals"]["calls"] == 2487


def test_an_earlier_month_that_is_learned_makes_a_new_revision(made, tmp_path_factory):
    """A trend is of the archive; the first revision can still be made as it was."""
    with Sandbox([BOOK]) as carrier:
        client = Client(tmp_path_factory.mktemp("learned"), carrier.base_url)
        first = client.run("trend")
        assert client.run("trend").folder == first.folder
        assert first.compared_with == {}
        engine.pull_period(client.job("2026-09"))
        second = client.run("trend")
        assert (first.revision, second.revision) == (1, 2)
        assert second.compared_with == {"2026-09-01..2026-10-01": 1}
        revisions = [rows(each, "trend", "Summary") for each in (first, second)]
        said = [next(r[1] for r in sheet if r[0] == "Revision") for sheet in revisions]
        assert said == ["1", "2"]
    for sealed in (first, second):
        engine.rebuild(client.workspace, sealed, Progress())


def test_an_export_takes_the_months_along(made, tmp_path):
    """Another machine makes the pack again from the folder alone."""
    client, sealed = made
    exported = engine.export_period(client.job(BOOK.period), tmp_path / "out")
    assert (exported.folder / SUMS).is_file()
    assert "2026-09-01..2026-10-01, pull 1" in (exported.folder / "README.txt").read_text()
    away = Workspace(exported.folder, client.workspace.settings, client.workspace.accounts)
    engine.rebuild(away, sealed, Progress())


def test_a_month_that_was_purged_is_named(tmp_path):
    """Before it goes, and when the pack cannot be made again for want of it."""
    with Sandbox([BOOK]) as carrier:
        client = Client(tmp_path, carrier.base_url)
        engine.pull_period(client.job("2026-09"))
        sealed = client.run("trend")
    alone: list[Pack] = []

    def tell(_: object, packs: list[Pack]) -> None:
        alone.extend(packs)

    engine.purge_archive(client.workspace, client.account, "2026-10", NOW, tell, really=True)
    assert [each.folder for each in alone] == [sealed.folder]
    with pytest.raises(ArchiveError, match=r"pull 1 of 2026-09, .* is no longer in the archive"):
        engine.rebuild(client.workspace, sealed, Progress())


def test_a_filtered_file_that_was_changed_is_caught_by_verify(made, tmp_path):
    """Also by somebody who hashes everything anew."""
    _, sealed = made
    copy = tmp_path / "r1"
    shutil.copytree(sealed.folder, copy)
    name = f"{BOOK.account}-{BOOK.period}-charged-only.xlsx"
    itemised = sealed.folder / f"{BOOK.account}-{BOOK.period}-itemised.xlsx"
    (copy / name).write_bytes(itemised.read_bytes())
    with pytest.raises(TieOutError, match="2487 in the file, 974 in the ledger"):
        sealed_files.check(copy, sealed.manifest)
