"""The number directory through whole runs: every dollar allocated, dated, kept and made again."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call, reply
from python_calamine import CalamineWorkbook
from workspaces import (
    BOOKED,
    DAY,
    OCTOBER_ENDS,
    SETTLED,
    Desk,
    Fickle,
    contents,
    ran,
    rows_below,
    sheet,
)

from maxo_reports import definitions
from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.cli import clock as the_clock
from maxo_reports.core import cdr
from maxo_reports.core.directory import ALLOCATIONS, UNALLOCATED, Directory
from maxo_reports.core.ledger import DIMENSIONS, total
from maxo_reports.core.period import LocalClock, parse_period
from maxo_reports.core.where import Condition, Where
from maxo_reports.directories import read

SHIPPED = (definitions.shipped() / "reports" / "by-cost-centre.toml").read_text(encoding="utf-8")
REPORT = SHIPPED.replace('["xlsx", "pdf"]', '["xlsx"]', 1)
EXACT = Decimal("0.0001")
HEAD = "number,label,site,cost_centre,client,from,to\n"
LISTED = HEAD + (
    "0255500140,Reception,Newtown,Front desk,Acme,,2026-10-14\n"
    "0255500140,Reception,Newtown,Clinic,Acme,2026-10-15,\n"
    "0255500150-59,Ward,Surry Hills,Clinic,,,\n"
    "ext 101,Dr Ng,Newtown,Surgery,Beta,,\n"
)
NUMBERS = ("0255500140", "0255500151", "0255500199", "0255500140/101", "1800975707/PBX")


def month(seed: int = 1, count: int = 60) -> list[dict[str, Any]]:
    """Make calls of October in and out, of numbers listed and not."""
    dice = random.Random(seed)
    made = []
    for n in range(count):
        own, inbound = dice.choice(NUMBERS), dice.random() < 0.5
        made.append(
            call(
                n,
                dice.randrange(OCTOBER, OCTOBER_ENDS),
                zone=SYDNEY,
                direction="IN" if inbound else "OUT",
                origin="0491570006" if inbound else own,
                destination=own if inbound else "0491570006",
                rate="" if inbound else dice.choice(["Mobile", "Local"]),
                inboundrate="Incoming" if inbound else "",
                cost=dice.choice(["0.25", "0", "1.0333", "0.05"]),
            )
        )
    return made


def centre_of(record: dict[str, Any]) -> str:
    """Say whose a call is, by reading LISTED as a person would."""
    own = record["destination"] if record["direction"] == "IN" else record["origin"]
    day = datetime.fromtimestamp(record["unixtime"], ZoneInfo(SYDNEY)).date()
    if own.endswith("/101"):
        return "Surgery"
    if own == "0255500140":
        return "Front desk" if day <= date(2026, 10, 14) else "Clinic"
    return "Clinic" if own == "0255500151" else UNALLOCATED


def by_centre(calls: list[dict[str, Any]]) -> dict[str, tuple[int, Decimal]]:
    """Add the calls up by hand."""
    found: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for each in calls:
        count, cost = found[centre_of(each)]
        found[centre_of(each)] = count + 1, cost + Decimal(each["cost"])
    return dict(found)


@pytest.fixture
def carrier() -> Iterator[Fickle]:
    """A carrier with a month of calls."""
    with Fickle(month()) as carrier:
        yield carrier


@pytest.fixture
def desk(tmp_path: Path, carrier: Fickle, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A workspace with a directory."""
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(the_clock, "now", lambda: SETTLED)
    desk = Desk(tmp_path, carrier)
    desk.set('directory = "directory.csv"')
    desk.define(REPORT)
    (tmp_path / "directory.csv").write_text(LISTED)
    return desk


def figures(pack: Path, name: str) -> dict[str, tuple[int, Decimal]]:
    """Read calls and cost of each row of a sheet of groups."""
    rows = rows_below(sheet(pack, name), "Cost centre")
    return {
        row["Cost centre"]: (
            int(row["Calls"]),
            Decimal(str(row["Cost"])).quantize(EXACT),
        )
        for row in rows
    }


def test_every_dollar_is_somebodys_or_visibly_nobodys(desk: Desk) -> None:
    """By hand and in the workbook, with a number that moved in the middle of the month."""
    done = desk.run()
    expected = by_centre(month())
    assert set(expected) == {"Front desk", "Clinic", "Surgery", UNALLOCATED}
    found = figures(done.pack, "By cost centre")
    whole = found.pop("Total")
    assert found == {
        name: (calls, cost.quantize(EXACT)) for name, (calls, cost) in expected.items()
    }
    assert whole[0] == 60
    assert whole[1] == sum(cost for _, cost in found.values())
    assert done.code == 1
    (finding,) = [f for f in done.said["findings"] if f["code"] == "unallocated"]
    assert (finding["calls"], Decimal(finding["dollars"])) == expected[UNALLOCATED]
    assert finding["severity"] == "warning"
    assert "1800 975 707" in finding["message"]
    (blank,) = [f for f in done.said["findings"] if f["code"] == "no-client"]
    assert blank["severity"] == "info"
    checked = {
        check["check"] for check in json.loads((done.pack / "manifest.json").read_text())["checks"]
    }
    assert "Cost centre: allocated and Unallocated = control totals" in checked


def test_each_call_carries_its_own_cost_centre_and_groups_are_live_over_them(desk: Desk) -> None:
    """The list has the column, so formulas can choose by it."""
    pack = desk.run().pack
    rows = rows_below(sheet(pack, "Calls"), "Call ID")
    assert {row["Call ID"]: row["Cost centre"] for row in rows} == {
        str(each["callid"]): centre_of(each) for each in month()
    }
    book = next(pack.glob("*.xlsx"))
    with zipfile.ZipFile(book) as parts:
        text = b"".join(parts.read(n) for n in parts.namelist() if "worksheets" in n).decode()
    assert "Calls[Cost centre]" in text
    labels = {row["Call ID"]: row["Label"] for row in rows}
    assert set(labels.values()) == {"Reception", "Ward", "Dr Ng", UNALLOCATED}


def test_the_statement_keeps_its_columns_and_says_who_has_a_number(desk: Desk) -> None:
    """Label and cost centre stand beside the number; the contract's columns of Calls stay."""
    desk.define(BOOKED)
    pack = desk.run().pack
    rows = rows_below(sheet(pack, "By number"), "Service number")
    by_number = {row["Service number"]: (row["Label"], row["Cost centre"]) for row in rows}
    assert by_number["0255500140"] == ("Dr Ng / Reception", "Clinic / Front desk / Surgery")
    assert by_number["0255500151"] == ("Ward", "Clinic")
    assert by_number["1800975707"] == ("", UNALLOCATED)
    heading = next(row for row in sheet(pack, "Calls") if row[0] == "Call ID")
    assert heading == [
        *("Call ID", "Started", "Direction", "From", "To", "Service number", "Rate category"),
        *("Status", "Duration", "Cost"),
    ]


def test_the_index_of_a_sheet_for_each_number_says_who_has_it(desk: Desk) -> None:
    """Label and cost centre, beside the number and its sheet."""
    pack = desk.run(report="by-number").pack
    rows = rows_below(sheet(pack, "Numbers"), "Service number")
    found = {row["Service number"]: (row["Label"], row["Cost centre"]) for row in rows}
    assert found["0255500151"] == ("Ward", "Clinic")
    assert found["Total"] == ("", "")


def test_without_a_directory_nothing_is_said_of_it(desk: Desk) -> None:
    """No column, no finding, no check, nothing in the basis."""
    desk.set()
    desk.define(BOOKED)
    done = desk.run()
    assert done.code == 0
    assert "Label" not in {cell for row in sheet(done.pack, "By number") for cell in row}
    manifest = json.loads((done.pack / "manifest.json").read_text())
    assert not [key for key in manifest["basis"] if "directory" in key]
    assert not (desk.folder / "archive" / "acme" / "inputs").exists()


def test_a_changed_directory_is_a_new_revision_and_both_can_be_made_again(desk: Desk) -> None:
    """What was used is kept, whatever becomes of the file."""
    first = desk.run()
    again = desk.run()
    assert again.said["unchanged"] is True
    (desk.folder / "directory.csv").write_text(LISTED + "1800975707,Main,,Front desk,,,\n")
    second = desk.run()
    assert (second.said["revision"], second.said["unchanged"]) == (2, False)
    assert figures(second.pack, "By cost centre") != figures(first.pack, "By cost centre")
    (desk.folder / "directory.csv").unlink()
    for pack in (first.pack, second.pack):
        assert desk.verify(pack, "--rebuild").code == 0
    (kept,) = [
        path
        for path in (desk.folder / "archive" / "acme" / "inputs").iterdir()
        if path.read_text() == LISTED
    ]
    kept.write_text(LISTED + "\n")
    assert ran(desk.folder, "archive", "verify").code == 4
    failed = desk.verify(first.pack, "--rebuild")
    assert failed.code == 4
    assert "is damaged" in failed.err


def test_an_export_makes_the_same_pack_elsewhere(desk: Desk, tmp_path: Path) -> None:
    """With the directory, from the archive alone."""
    pack = desk.run().pack
    there = tmp_path / "there"
    assert ran(desk.folder, "archive", "export", "2026-10", "--to", str(there)).code == 0
    assert (there / "directory.csv").read_text() == LISTED
    made = ran(there, "run", "2026-10", "--report", "quick", "--offline", "--json")
    assert made.code == 1
    assert contents(made.pack) == contents(pack)
    shutil.copytree(pack, tmp_path / "pack" / "r1")
    (there / "directory.csv").unlink()
    assert ran(there, "verify", str(tmp_path / "pack" / "r1"), "--rebuild").code == 0


def test_a_wrong_directory_ends_the_run_before_anything_is_asked(desk: Desk) -> None:
    """All its mistakes at once; nothing is pulled, nothing written."""
    (desk.folder / "directory.csv").write_text(HEAD + "255500140,a\nPBX,b\n")
    done = desk.run()
    assert done.code == 2
    assert "line 2" in done.err
    assert "line 3" in done.err
    assert not (desk.folder / "archive").exists()
    assert desk.packs == []


def test_an_account_may_have_its_own(desk: Desk) -> None:
    """It goes before the workspace's."""
    (desk.folder / "own.csv").write_text(HEAD + "0255500000-0255599999,All,,Whole,,,\n")
    desk.set('directory = "directory.csv"', account='directory = "own.csv"')
    assert set(figures(desk.run().pack, "By cost centre")) == {"Whole", UNALLOCATED, "Total"}


def test_a_report_can_be_of_one_client(desk: Desk) -> None:
    """Filtered, with the whole beside it."""
    desk.define(
        REPORT.replace('title    = "Calls by', 'where = { client = "Acme" }\ntitle = "Calls by')
    )
    pack = desk.run().pack
    rows = rows_below(sheet(pack, "Calls"), "Call ID")
    assert {row["Client"] for row in rows} == {"Acme"}
    assert any("client Acme" in str(cell) for row in sheet(pack, "Summary") for cell in row)


def test_a_report_of_a_client_that_is_not_listed_is_refused(desk: Desk) -> None:
    """An empty report would pass for a client without calls."""
    desk.define(REPORT.replace("title    =", 'where = { client = "Acne" }\ntitle    =', 1))
    done = desk.run()
    assert done.code == 2
    assert "is of client 'Acne', which the number directory does not have" in done.err
    assert "did you mean 'Acme'" in done.err
    assert not (desk.folder / "archive").exists()
    desk.define(REPORT.replace("title    =", 'where = { client = "Unallocated" }\ntitle    =', 1))
    assert desk.run().code == 1


def test_suggest_writes_what_is_not_listed_and_it_can_be_filled_in(desk: Desk) -> None:
    """In CSV and in a workbook; then nothing is left to suggest."""
    desk.run()
    done = ran(desk.folder, "directory", "suggest", "2026-10")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("number,label,site,cost_centre,client,from,to,account,calls")
    assert {line.split(",")[0] for line in lines[1:]} == {"02 5550 0199", "1800 975 707"}
    assert "2 numbers not listed" in done.err
    for name in ("new.csv", "new.xlsx"):
        path = desk.folder / name
        assert ran(desk.folder, "directory", "suggest", "2026-10", "--to", str(path)).code == 0
        assert ran(desk.folder, "directory", "suggest", "2026-10", "--to", str(path)).code == 2
        book = CalamineWorkbook.from_path(str(path)) if path.suffix == ".xlsx" else None
        rows = book.get_sheet_by_index(0).to_python() if book else None
        if rows is not None:
            assert {row[0] for row in rows[1:]} == {"02 5550 0199", "1800 975 707"}
    text = (desk.folder / "new.csv").read_text(encoding="utf-8-sig")
    filled = "\n".join(
        line.replace(",,", ",Named,", 1) if at else line
        for at, line in enumerate(text.splitlines())
    )
    merged = filled + "\n" + "\n".join(LISTED.splitlines()[1:]) + "\n"
    (desk.folder / "directory.csv").write_text(merged)
    done = ran(desk.folder, "directory", "suggest", "2026-10")
    assert "every number is listed" in done.err
    said = ran(desk.folder, "directory", "check")
    assert said.code == 0
    assert "1 extension, 4 numbers, 1 range" in said.out


def test_a_trend_is_allocated_in_every_month(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier months are read through the same directory, by their own days."""
    september = [
        call(900 + n, OCTOBER - 20 * DAY + n, zone=SYDNEY, destination="0255500140", cost="2")
        for n in range(3)
    ]
    desk.carrier.hold([*month(), *september])
    assert ran(desk.folder, "run", "2026-09", "--report", "quick").code == 0
    desk.define(
        REPORT + '\n[[section]]\nkind = "trend"\ntitle = "Months"\n'
        'group_by = ["cost_centre"]\nshow = ["cost"]\n'
    )
    rows = rows_below(sheet(desk.run().pack, "Months"), "Cost centre")
    front = next(row for row in rows if row["Cost centre"] == "Front desk")
    assert front["2026-09"] == 6


# ---- the store ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_totals_by_every_dimension_add_up_to_the_ledger(tmp_path: Path, seed: int) -> None:
    """Whatever the directory: call by call against plain look-ups, and every sum the same."""
    dice = random.Random(seed)
    lines = [HEAD.strip()]
    for tail in dice.sample(range(100), 12):
        day = f"2026-10-{dice.randrange(2, 30):02}"
        names = [dice.choice(["", f"{word}{tail % 3}"]) for word in ("s", "cc", "c")]
        kind = dice.choice(["025550{0:04}", "025550{0:04}-{1:04}", "ext {0}"])
        first, last = dice.choice([(day, ""), ("", day), ("", "")])
        number = kind.format(tail * 10, tail * 10 + 9)
        lines.append(f"{number},L{tail},{','.join(names)},{first},{last}")
    directory = read("\n".join(lines).encode(), "d.csv")
    calls = month(seed, 300)
    for each in calls:
        own = f"025550{dice.randrange(0, 1000):04}" + dice.choice(["", f"/{dice.randrange(100)}"])
        each["destination" if each["direction"] == "IN" else "origin"] = own
    period = parse_period("2026-10", SYDNEY, date(2026, 11, 20))
    clock = LocalClock.over(SYDNEY, period.start, period.end)
    path = tmp_path / "calls.parquet"
    read_back = cdr.read_reply(reply(calls, period.window, SYDNEY))
    columns.write(path, cdr.columns(read_back, clock), period.window, {})
    store = CallStore([path], period, directory)
    plain = CallStore([path], period)
    ledger = store.ledger()
    assert ledger.control == plain.ledger().control == ledger.totals
    for name in DIMENSIONS:
        assert total(g.totals for g in ledger.by((name,))) == ledger.control
    assert ledger.by(("service_number", "category")) == plain.ledger().by(
        ("service_number", "category")
    )
    expected = {}
    for each in calls:
        own = each["destination"] if each["direction"] == "IN" else each["origin"]
        day = datetime.fromtimestamp(each["unixtime"], ZoneInfo(SYDNEY)).date()
        expected[str(each["callid"])] = directory.allocation(own.split("/")[0], day, own)
    found = {line.call_id: line[-4:] for line in store.lines()}
    assert found == {call_id: tuple(said) for call_id, said in expected.items()}
    in_columns = [row for block in store.blocks() for row in block.to_pylist()]
    assert {row["call_id"]: tuple(row[n] for n in ALLOCATIONS) for row in in_columns} == found
    for name in ALLOCATIONS:
        wanted = Where((Condition(name, (UNALLOCATED,)),))
        view = store.select(wanted, False)
        at = list(ALLOCATIONS).index(name)
        ids = {line.call_id for line in view.calls.lines()}
        assert ids == {call_id for call_id, said in found.items() if said[at] == UNALLOCATED}
        assert view.ledger.control + view.rest == ledger.control
    assert isinstance(directory, Directory)
    store.close()
    plain.close()
