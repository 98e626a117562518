"""``refresh`` on the command line: from the archive, or after a pull, into the user's workbook."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from books import made, plain, table
from carriers import BRISBANE, KEY, OCTOBER, call
from python_calamine import CalamineWorkbook

from maxo_reports import cli
from maxo_reports.cli import clock
from maxo_reports.sandbox import Book, Sandbox

NOW = int(datetime(2026, 11, 20, tzinfo=ZoneInfo(BRISBANE)).timestamp())
CALLS = [call(7_000 + n, OCTOBER + 60 * n, cost=f"0.{n:02}") for n in range(25)]


@pytest.fixture(autouse=True)
def _given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a workspace whose carrier is not there."""
    folder = tmp_path / "books"
    folder.mkdir()
    return _aimed(folder, "http://127.0.0.1:9")


def _aimed(folder: Path, address: str) -> Path:
    (folder / "maxo.toml").write_text(
        f'[account.acme]\nname = "Acme"\ntimezone = "{BRISBANE}"\nbase_url = "{address}"\n'
    )
    return folder


def _book(path: Path) -> Path:
    def build(book: Any) -> None:
        table(book, book.add_worksheet("Data"), "A1", 2)
        book.add_worksheet("Cover").write("A1", "Cost")
        for name, place in (("cost", "B1"), ("account_name", "B2"), ("last_day", "B3")):
            book.define_name(f"maxo_{name}", f"=Cover!${place[0]}${place[1]}")

    return made(path, build)


def test_after_a_pull_and_from_the_archive(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same figures whichever way; the second time nothing is written."""
    path = _book(tmp_path / "mine.xlsx")
    words = ["-C", str(folder), "refresh", str(path), "2026-10"]
    assert cli.main(words) == 4
    assert "is not in the archive: pull it, or use --pull" in capsys.readouterr().err
    sandbox = Sandbox([Book.from_calls(CALLS, timezone=BRISBANE, key=KEY)])
    with sandbox as carrier:
        _aimed(folder, carrier.base_url)
        assert cli.main([*words, "--pull"]) == 0
    said = capsys.readouterr().out
    assert "  table Calls, sheet Data, A1:J26: 25 rows" in said
    assert "  name maxo_cost, Cover!B1: 3.00" in said
    backup = next(tmp_path.glob("mine.xlsx.bak-20261120-*"))
    assert f"  as it was before: {backup}" in said
    book = CalamineWorkbook.from_path(str(path))
    rows = book.get_sheet_by_name("Data").to_python()[1:]
    assert sorted(row[0] for row in rows) == [str(c["callid"]) for c in CALLS]
    assert sum(Decimal(repr(row[9])) for row in rows) == Decimal("3.00")
    cover = book.get_sheet_by_name("Cover").to_python()
    assert [row[1] for row in cover] == [3.0, "Acme", 46326.0]
    assert "note: maxo_last_day has no format for dates" in said

    assert cli.main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["unchanged"], told["backup"], told["cost"]) == (True, None, "3.00")
    assert told["tables"] == [
        {"name": "Calls", "sheet": "Data", "section": "Calls", "rows": 25, "range": "A1:J26"}
    ]
    assert told["names"]["maxo_cost"] == "Cover!B1"
    assert len(list(tmp_path.glob("mine.xlsx*"))) == 2


def test_a_sealed_pack_is_never_refreshed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its workbook was issued; a copy of it elsewhere may be filled."""
    with Sandbox([Book.from_calls(CALLS, timezone=BRISBANE, key=KEY)]) as carrier:
        _aimed(folder, carrier.base_url)
        assert cli.main(["-C", str(folder), "run", "2026-10", "--json"]) == 0
    pack = Path(json.loads(capsys.readouterr().out)["pack"])
    issued = next(pack.glob("*.xlsx"))
    words = ["-C", str(folder), "refresh", str(issued), "2026-10"]
    assert cli.main(words) == 2
    assert "is of a sealed pack, which is never changed" in capsys.readouterr().err
    copied = folder / "copy.xlsx"
    copied.write_bytes(issued.read_bytes())
    assert cli.main(["-C", str(folder), "refresh", str(copied), "2026-10"]) == 0
    assert cli.main(["-C", str(folder), "verify", str(pack)]) == 0


def test_trouble_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown report, a missing book, a period that has not begun."""
    path = plain(tmp_path / "mine.xlsx")
    for words, code in (
        ([path, "2026-10", "--report", "statment"], 2),
        ([path, "2027-10"], 2),
        ([path, "2026-10", "--account", "nobody"], 2),
    ):
        assert cli.main(["-C", str(folder), "refresh", *map(str, words)]) == code
        assert capsys.readouterr().err.count("\n") == 1
