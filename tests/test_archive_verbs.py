"""The archive's verbs as their users meet them: verify, export to another machine, purge."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from carriers import BRISBANE, OCTOBER, call
from hypothesis import given, settings
from hypothesis import strategies as st
from test_main_job import KEY, disguises, insides, run, workspace

from maxo_reports import config, definitions, export
from maxo_reports.archive import sums
from maxo_reports.cli import clock
from maxo_reports.config import Account, Settings
from maxo_reports.core.brand import NO_BRAND
from maxo_reports.sandbox import Book, Sandbox

DAY = 86_400
SEPTEMBER = OCTOBER - 30 * DAY
NOW = OCTOBER + 50 * DAY
BRIEF = """
version = 1
title = "What it came to"
formats = ["xlsx"]
[[section]]
kind = "summary"
[[section]]
kind = "changes"
[[section]]
kind = "itemised"
[[section]]
kind = "exceptions"
"""


@pytest.fixture(autouse=True)
def _machine(monkeypatch):
    """Set the key and the day; without the carrier's address nobody could be asked anyway."""
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: NOW)


def _calls(count: int = 30, start: int = OCTOBER, cost: str = "0.25") -> list[dict[str, Any]]:
    """Make a call an hour; every third is free, so that charged calls alone are another reply."""
    return [
        call(f"{start}-{n}", start + n * 3_600, cost=cost if n % 3 else "0.00")
        for n in range(count)
    ]


def _books(folder: Path) -> Path:
    """Make a workspace with a short report of its own; the carrier in its settings is away."""
    workspace(folder, "http://127.0.0.1:9/", BRISBANE, "cost_gst = 'inclusive'\n")
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "reports" / "brief.toml").write_text(BRIEF)
    return folder


def _issue(folder: Path, calls: Sequence[dict[str, Any]], *words: str) -> int:
    """Run with a carrier that has these calls, and then take it away again."""
    book = Book.from_calls(calls, timezone=BRISBANE, key=KEY)
    path = folder / "maxo.toml"
    away = path.read_text()
    with Sandbox([book]) as carrier:
        path.write_text(away.replace("http://127.0.0.1:9/", carrier.base_url))
        code = run(folder, "run", *words)
    path.write_text(away)
    return code


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _archive(folder: Path) -> dict[str, bytes]:
    """Return all files of the archive but the lock, which each command takes."""
    found = _contents(folder / "archive")
    return {name: content for name, content in found.items() if not name.endswith(".lock")}


def _confirmed(folder: Path) -> list[str]:
    """Let ``sha256sum -c`` read a folder, and return its lines."""
    if shutil.which("sha256sum") is None:
        pytest.skip("needs sha256sum, which the system does not have")
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=True, capture_output=True, text=True
    )
    return [line for line in done.stdout.splitlines() if line.endswith(": OK")]


# --- verify ---------------------------------------------------------------------------------


def test_verify_says_what_is_there_and_names_what_is_damaged(tmp_path, capsys):
    """Exit code 0 and one line for a whole archive, 4 and the file's name for a flipped bit."""
    folder = _books(tmp_path / "books")
    assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    capsys.readouterr()
    before = _archive(folder)
    assert run(folder, "archive", "verify") == 0
    said = capsys.readouterr()
    # Two looks with equal replies, and the charged calls asked alone.
    assert said.out.startswith("acme: 2 replies (")
    assert said.out.endswith("2 pulls, 2 windows: whole\n")
    assert said.err == ""
    path = min(folder.rglob("*.parquet"))
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 8
    path.write_bytes(damaged)
    assert run(folder, "archive", "verify") == 4
    assert f"damaged: {path}" in capsys.readouterr().out
    assert run(folder, "archive", "verify", "--json") == 4
    (account,) = json.loads(capsys.readouterr().out)["accounts"]
    assert [entry["path"] for entry in account["damaged"]] == [str(path)]
    assert (account["account"], account["whole"]) == ("acme", False)
    assert path.read_bytes() == damaged
    assert run(folder, "archive", "verify", "--repair") == 0
    assert f"mended: {path}" in capsys.readouterr().out
    assert _archive(folder) == before


def test_verify_of_all_accounts_names_what_none_claims(tmp_path, capsys):
    """Each account is looked at, with or without an archive; a folder of nobody's is told."""
    folder = _books(tmp_path / "books")
    assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    other = '[account.other]\nname = "Other"\ntimezone = "UTC"\n'
    (folder / "maxo.toml").write_text((folder / "maxo.toml").read_text() + other)
    (folder / "archive" / "gone").mkdir()
    capsys.readouterr()
    assert run(folder, "archive", "verify", "--all") == 0
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines()] == ["acme", "other"]
    assert str(folder / "archive" / "gone") in said.err
    assert not (folder / "archive" / "other").exists()
    assert run(folder, "archive", "verify", "--account", "acne") == 2


def test_verify_of_a_copy_that_cannot_be_written_takes_no_lock(tmp_path, monkeypatch):
    """An archive on a medium of its own is read as it is."""
    folder = _books(tmp_path / "books")
    assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    (folder / "archive" / "acme" / ".lock").unlink()
    before = _contents(folder)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run(folder, "archive", "verify") == 0
    assert _contents(folder) == before


# --- export ---------------------------------------------------------------------------------


LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10">'
    '<rect width="20" height="10" fill="#7a1f5c"/></svg>'
)
LETTERHEAD = """\
[brand]
name    = "Harbour \\"Voice\\" Pty Ltd"
address = ["Level 3", "NEWCASTLE NSW 2300"]
abn     = "51 824 753 556"
logo    = "logo.svg"
window  = { left = 22, bottom = 21, width = 88, height = 34 }
[account.acme.recipient]
name    = "Acme"
address = ["1 Quay St", "CAIRNS QLD 4870"]
"""


def test_another_machine_makes_the_same_bytes(tmp_path, capsys):
    """With nothing but the exported folder: the same pack, file by file, and no carrier."""
    folder = _books(tmp_path / "books")
    theme = (definitions.shipped() / "templates" / "theme.toml").read_text()
    (folder / "templates").mkdir()
    (folder / "templates" / "theme.toml").write_text(theme.replace("#0f5f8c", "#7a1f5c"))
    text = (definitions.shipped() / "reports" / "statement.toml").read_text()
    (folder / "reports" / "statement.toml").write_text(text.replace('title = "', 'title = "Our '))
    (folder / "logo.svg").write_text(LOGO)
    more = "[settings]\nsettle_hours = 100\ntries = 3\n" + LETTERHEAD
    (folder / "maxo.toml").write_text((folder / "maxo.toml").read_text() + more)
    assert _issue(folder, _calls(5, SEPTEMBER), "2026-09", "--report", "brief") == 0
    calls = [*_calls(), call("late", OCTOBER + DAY, inboundrate="Satellite")]
    both = ("--report", "statement", "--report", "brief")
    assert _issue(folder, calls, "2026-10", *both) == 0
    capsys.readouterr()

    there = tmp_path / "there"
    assert run(folder, "archive", "export", "2026-10", "--to", str(there), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    sealed = folder / "out" / "acme" / "2026-10" / "r1"
    assert (said["pulls"], said["packs"], said["replies"]) == ([2], [str(sealed)], 4)
    assert said["bytes"] == sum(map(len, _contents(there).values()))
    assert not [name for name in _contents(there) if ".parquet" in name]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    shutil.rmtree(folder / "archive")

    assert len(_confirmed(there)) == len(_contents(there)) - 1
    command = next(
        line.split()[3:]
        for line in (there / "README.txt").read_text().splitlines()
        if "--offline" in line
    )
    assert run(there, *command) == 0
    again = there / "out" / "acme" / "2026-10" / "r1"
    assert _contents(again) == _contents(sealed)
    manifest = json.loads((sealed / "manifest.json").read_text())
    assert "category-new" in {found["code"] for found in manifest["findings"]}
    assert manifest["basis"]["brand"]["logo_sha256"]
    assert manifest["basis"]["recipient"]["address"] == ["1 Quay St", "CAIRNS QLD 4870"]
    assert run(there, "verify", str(sealed), "--rebuild") == 0
    assert run(there, "archive", "verify") == 0


def test_an_export_holds_no_key_and_is_private(tmp_path):
    """Neither the key nor where it is; files and folders are the user's alone."""
    folder = _books(tmp_path / "books")
    text = (folder / "maxo.toml").read_text()
    (folder / "maxo.toml").write_text(f"{text}api_key_file = 'acme.key'\n")
    (folder / "acme.key").write_text(KEY)
    (folder / "acme.key").chmod(0o600)
    assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    there = tmp_path / "deep" / "there"
    assert run(folder, "archive", "export", "2026-10", "--to", str(there)) == 0
    for path in there.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        if path.is_file():
            assert not any(f in inside for f in disguises(KEY) for inside in insides(path))
            assert b"acme.key" not in path.read_bytes()


def test_a_second_revision_is_made_again_from_its_export(tmp_path, capsys):
    """Both revisions, each from its own pull; what run --offline cannot do is said."""
    folder = _books(tmp_path / "books")
    assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    later = _calls(cost="0.35")
    assert _issue(folder, later, "2026-10", "--report", "brief") == 0
    assert _issue(folder, later, "2026-10", "--report", "brief") == 0, "r2 stands"
    there, place = tmp_path / "there", folder / "out" / "acme" / "2026-10"
    assert sorted(path.name for path in place.iterdir()) == ["r1", "r2"]
    capsys.readouterr()
    there.mkdir()
    assert run(folder, "archive", "export", "2026-10", "--to", str(there)) == 0
    behind = [json.loads((place / r / "manifest.json").read_text())["pull"] for r in ("r1", "r2")]
    newest = max(int(path.name[-4:]) for path in folder.glob("archive/acme/periods/*/pull-*"))
    pulls = [int(path.name[-4:]) for path in there.glob("archive/acme/periods/*/pull-*")]
    assert sorted(pulls) == sorted({*behind, newest})
    assert len(set(pulls)) == 3, "the newest look brought the same and is no pack's"
    shutil.rmtree(folder / "archive")
    shutil.copytree(place, tmp_path / "copied")
    for revision in ("r1", "r2"):
        assert run(there, "verify", str(tmp_path / "copied" / revision), "--rebuild") == 0
    said = (there / "README.txt").read_text()
    assert "always makes revision 1" in said
    assert "2026-10/r1" in said
    assert run(there, "run", "2026-10", "--offline", "--report", "brief") == 0
    made = there / "out" / "acme" / "2026-10" / "r1" / "manifest.json"
    assert json.loads(made.read_text())["pull"] == newest


@pytest.mark.parametrize("there", ["file", "folder", "nothing archived", "damaged"])
def test_an_export_that_cannot_be_is_refused_in_one_line(tmp_path, capsys, there):
    """Never over what is there, never of what is not whole, and nothing half-made stays."""
    folder = _books(tmp_path / "books")
    if there != "nothing archived":
        assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    target = tmp_path / "target"
    if there == "file":
        target.write_text("mine")
    if there == "folder":
        target.mkdir()
        (target / "mine").write_text("mine")
    if there == "damaged":
        for path in folder.glob("archive/acme/replies/*/*.gz"):
            path.write_bytes(path.read_bytes()[:-1])
    before = _contents(tmp_path)
    capsys.readouterr()
    wanted = 2 if there in {"file", "folder"} else 4
    assert run(folder, "archive", "export", "2026-10", "--to", str(target)) == wanted
    assert capsys.readouterr().err.count("\n") == 1
    after = _contents(tmp_path)
    after.pop("books/archive/acme/.lock", None)
    before.pop("books/archive/acme/.lock", None)
    assert after == before
    assert not list(tmp_path.glob(".export-*"))


@pytest.mark.parametrize("kind", [Account, Settings])
def test_every_setting_travels_or_stays_by_decision(kind):
    """A new setting must be put in one of two lists: what decides a pack's content travels."""
    carried = (*export.CARRIED[kind], *export.TABLES[kind])
    left = export.LEFT[kind]
    assert sorted((*carried, *left)) == sorted(kind.__dataclass_fields__)


@settings(deadline=None, max_examples=30)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30),
    st.integers(1, 28),
)
def test_settings_read_back_as_they_were(name, day):
    """Any name, with quotes, controls or emoji, is the same on the other machine."""
    account = Account("acme", name, BRISBANE, cost_gst="exclusive", billing_day=day)
    text = export._settings(account, Settings(settle_hours=7, crosscheck="full"))
    read = tomllib.loads(text)
    problems = config.Problems("maxo.toml")
    given = read["account"]["acme"]
    assert config._account("acme", given, NO_BRAND, Path(), problems) == account
    assert read["settings"] == {"settle_hours": 7, "crosscheck": "full"}


def test_odd_names_of_files_are_summed_as_sha256sum_does(tmp_path):
    """A template with a backslash or a line break in its name does not break the list."""
    for name in ("plain", "back\\slash", "line\nbreak", "carriage\rreturn"):
        (tmp_path / name).write_text(name)
    (tmp_path / "SHA256SUMS").write_bytes(sums.lines(tmp_path, sums.below(tmp_path)))
    assert len(_confirmed(tmp_path)) == 4


# --- purge ----------------------------------------------------------------------------------


def _two_months(folder: Path) -> Path:
    for month, start in (("2026-09", SEPTEMBER), ("2026-10", OCTOBER)):
        assert _issue(folder, _calls(start=start), month, "--report", "brief") == 0
    return folder


def test_a_purge_says_first_and_removes_only_with_yes(tmp_path, capsys):
    """The same words before and with --yes; the packs stay, and October is as it was."""
    folder = _two_months(_books(tmp_path / "books"))
    before, packs = _archive(folder), _contents(folder / "out")
    capsys.readouterr()
    assert run(folder, "archive", "purge", "--before", "2026-10") == 0
    said = capsys.readouterr().out
    assert "2026-09-01..2026-10-01: 2 pulls" in said
    assert "1 period, 2 pulls, 2 replies" in said
    assert f"{folder / 'out' / 'acme' / '2026-09' / 'r1'} can then no longer be rebuilt" in said
    assert "backups" in said
    assert "nothing was removed" in said
    assert _archive(folder) == before
    assert run(folder, "archive", "purge", "--before", "2026-10", "--yes", "--json") == 0
    (account,) = json.loads(capsys.readouterr().out)["accounts"]
    assert account["periods"] == [{"period": "2026-09-01..2026-10-01", "pulls": [1, 2]}]
    assert (account["before"], account["removed"]) == ("2026-10-01", True)
    gone = before.items() - _archive(folder).items()
    assert sum(len(content) for _, content in gone) == account["bytes"]
    assert _contents(folder / "out") == packs
    assert run(folder, "archive", "verify") == 0
    assert run(folder, "verify", str(folder / "out" / "acme" / "2026-10" / "r1"), "--rebuild") == 0
    capsys.readouterr()
    assert run(folder, "archive", "purge", "--before", "2026-10-01", "--yes") == 0
    assert "nothing to remove" in capsys.readouterr().out


def test_a_revision_after_a_purge_says_why_its_changes_are_unknown(tmp_path, capsys):
    """Never compared with itself under the old number; so it stays on another machine."""
    folder = _two_months(_books(tmp_path / "books"))
    place = folder / "out" / "acme" / "2026-09"
    assert run(folder, "archive", "purge", "--before", "2026-10", "--yes") == 0
    capsys.readouterr()
    assert run(folder, "verify", str(place / "r1"), "--rebuild") == 4
    assert "were purged from the archive on 20 Nov 2026" in capsys.readouterr().err
    later = _calls(start=SEPTEMBER, cost="0.35")
    assert _issue(folder, later, "2026-09", "--report", "brief") == 1
    manifest = json.loads((place / "r2" / "manifest.json").read_text())
    assert manifest["pull"] > 2
    (found,) = [f for f in manifest["findings"] if f["code"] == "changes-unknown"]
    assert "were purged from the archive on 20 Nov 2026" in found["message"]
    there = tmp_path / "there"
    assert run(folder, "archive", "export", "2026-09", "--to", str(there)) == 0
    assert run(there, "verify", str(place / "r2"), "--rebuild") == 0
    capsys.readouterr()
    assert run(there, "verify", str(place / "r1"), "--rebuild") == 4


def test_a_pull_under_a_number_of_another_is_not_compared(tmp_path):
    """A folder that was moved out by hand frees its number; the pack still knows its replies."""
    folder = _books(tmp_path / "books")
    assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    shutil.rmtree(folder / "archive" / "acme" / "periods")
    assert _issue(folder, _calls(cost="0.35"), "2026-10", "--report", "brief") == 1
    manifest = folder / "out" / "acme" / "2026-10" / "r2" / "manifest.json"
    assert "changes-unknown" in manifest.read_text()


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2026-13", "no day of the calendar"),
        ("2026-12", "still to come"),
        ("2026-11-22", "still to come"),
        ("last-month", "not understood"),
        ("2026-09-01..2026-10-01", "not understood"),
    ],
)
def test_a_day_that_makes_no_sense_removes_nothing(tmp_path, capsys, day, says):
    """A wrong day, or one that is still to come, is told in one line."""
    folder = _books(tmp_path / "books")
    assert run(folder, "archive", "purge", "--before", day, "--yes") == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (folder / "archive").exists()


def test_a_month_begins_on_the_accounts_billing_day(tmp_path, capsys):
    """Before 2026-10 means before 15 October, where the account's month begins then."""
    folder = _books(tmp_path / "books")
    text = (folder / "maxo.toml").read_text()
    (folder / "maxo.toml").write_text(f"{text}billing_day = 15\n")
    assert _issue(folder, _calls(start=SEPTEMBER + 20 * DAY), "2026-09", "--report", "brief") == 0
    for day, count in (("2026-10-14", 0), ("2026-10", 1), ("2026-10-15", 1)):
        capsys.readouterr()
        assert run(folder, "archive", "purge", "--before", day, "--json") == 0
        (account,) = json.loads(capsys.readouterr().out)["accounts"]
        assert len(account["periods"]) == count


def test_a_purge_waits_for_no_run_and_disturbs_none(tmp_path, capsys):
    """While a run holds the account, purge, export and verify are refused."""
    from maxo_reports.archive import files

    folder = _books(tmp_path / "books")
    assert _issue(folder, _calls(), "2026-10", "--report", "brief") == 0
    before = _archive(folder)
    capsys.readouterr()
    with files.only_one(folder / "archive" / "acme" / ".lock", "account 'acme'"):
        for words in (
            ["purge", "--before", "2026-11", "--yes"],
            ["export", "2026-10", "--to", str(tmp_path / "there")],
            ["verify"],
        ):
            assert run(folder, "archive", *words) == 4
            assert "another run" in capsys.readouterr().err
    assert _archive(folder) == before
    assert not (tmp_path / "there").exists()
