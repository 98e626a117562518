"""The same archive, settings and version give the same bytes; and nothing of it is for others."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call
from workspaces import DAY, SETTLED, Desk, Fickle, contents

from maxo_reports import cli
from maxo_reports.cli import clock

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone has these")

# The machine's clock is passed in: everything that asks time.time, ours or a library's, gets it.
DEMO = """
import sys, time
from maxo_reports import cli
later = int(sys.argv[1])
real = time.time
time.time = lambda: real() + later
sys.exit(cli.main(["demo", "--out", sys.argv[2], "--json"]))
"""
MACHINES: list[tuple[int, dict[str, str]]] = [
    (0, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"}),
    (
        DAY,
        {
            "TZ": "America/Los_Angeles",
            "LC_ALL": "C",
            "PYTHONHASHSEED": "2",
            "PYTHONUTF8": "0",
            "SOURCE_DATE_EPOCH": "86400",
        },
    ),
]


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder."""
    return {
        name: hashlib.sha256(content).hexdigest() for name, content in contents(folder).items()
    }


@posix
def test_two_machines_two_folders_and_a_day_apart_make_the_same_files(tmp_path: Path) -> None:
    """The demo in two zones and locales, a day apart: every file of pack and archive is equal."""
    made = []
    for number, (later, environment) in enumerate(MACHINES):
        folder = tmp_path / f"machine {number}" / ("deep/" * number) / "out"
        done = subprocess.run(
            [sys.executable, "-c", DEMO, str(later), str(folder)],
            cwd=tmp_path,
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stderr == ""
        found = hashes(folder)
        # A lock holds the number of the process that worked.
        assert found.pop("archive/wattle-lane-dental/.lock")
        made.append(found)
    assert made[0] == made[1]
    kinds = {Path(name).suffix for name in made[0] if name.startswith("out/")}
    assert kinds == {".xlsx", ".pdf", ".json", ""}


def said_of(folder: Path) -> dict[str, Any]:
    """Run the month without the carrier and return what came."""
    desk_out = folder / "again"
    words = ["run", "2026-10", "--report", "quick", "--offline", "--out", str(desk_out)]
    assert cli.main(["-C", str(folder), *words]) == 0
    manifest: dict[str, Any] = json.loads(
        (desk_out / "acme" / "2026-10" / "r1" / "manifest.json").read_bytes()
    )
    return manifest


@posix
def test_an_archive_that_moved_house_makes_the_same_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied elsewhere, its columns gone, a year later, under another zone: the same hashes."""
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: SETTLED)
    calls = [call(n, OCTOBER + n * 7000, zone=SYDNEY, cost=f"0.{n:04}") for n in range(1, 300)]
    home = tmp_path / "home"
    home.mkdir()
    with Fickle(calls) as carrier:
        pack = Desk(home, carrier).run().pack
    moved = tmp_path / "else where" / "books [1]"
    shutil.copytree(home, moved)
    shutil.rmtree(moved / "out")
    for folder in moved.rglob("calls"):
        shutil.rmtree(folder)
    monkeypatch.setattr(clock, "now", lambda: SETTLED + 365 * DAY)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    manifest = said_of(moved)
    assert hashes(moved / "again" / "acme" / "2026-10" / "r1") == hashes(pack)
    assert manifest["files"] == json.loads((pack / "manifest.json").read_bytes())["files"]


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_everything_is_private_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    """Archive and packs hold telephone numbers: files 0600, folders 0700, the locks among them."""
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: SETTLED)
    with Fickle([call(1, OCTOBER, zone=SYDNEY)]) as carrier:
        desk = Desk(tmp_path, carrier)
        before = os.umask(umask)
        try:
            assert desk.run().code == 0
            carrier.hold([call(1, OCTOBER, zone=SYDNEY, cost="9")])
            assert desk.run().said["revision"] == 2
            assert desk.verify(tmp_path / "out" / "acme" / "2026-10" / "r2", "--rebuild").code == 0
        finally:
            os.umask(before)
    seen = 0
    for top in (tmp_path / "archive", tmp_path / "out"):
        for path in (top, *top.rglob("*")):
            wanted = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path
            seen += 1
    assert seen > 30
