"""The main job as its users meet it: the command line, a carrier, and what must never be."""

from __future__ import annotations

import base64
import errno
import gzip
import io
import json
import logging
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from python_calamine import CalamineWorkbook
from workspaces import run, workspace

from maxo_reports import definitions
from maxo_reports.carrier import Carrier
from maxo_reports.sandbox import Book, Sandbox, random_faults

SAMPLE = definitions.shipped() / "samples" / "wattle-lane-dental"
KEY = "canary-key/7f+3=QZ"
ROOT = Path(__file__).parents[1]
TRUTH = {"calls": 2487, "seconds": 351450, "cost": "295.9048"}


def call(number: int, unixtime: int, offset: int = 10, **other: object) -> dict[str, object]:
    """Make one call of a small account whose local time is ``offset`` hours ahead."""
    local = datetime.fromtimestamp(unixtime, timezone(timedelta(hours=offset)))
    return {
        "callid": number,
        "recording": 0,
        "statid": number,
        "datetime": f"{local:%Y-%m-%d %H:%M:%S}",
        "unixtime": unixtime,
        "direction": "OUT",
        "origin": "0255500140",
        "destination": "0491570006",
        "rate": "Mobile",
        "inboundrate": "",
        "status": "Connected.",
        "duration": 60,
        "cost": "0.25",
        **other,
    }


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("MAXO_API_KEY", KEY)


@pytest.fixture
def quick(monkeypatch):
    """Let failed requests be asked again at once."""
    monkeypatch.setattr(Carrier, "_wait", lambda *_: 0.0)


def figures(pack: Path) -> dict[str, object]:
    """Read the control totals from the workbook's own cells, with another reader."""
    book = CalamineWorkbook.from_path(str(next(pack.glob("*.xlsx"))))
    rows = book.get_sheet_by_name("Summary").to_python()
    at = next(i for i, row in enumerate(rows) if row[:2] == ["Calls", "Connected"])
    calls, _, _, talk, cost = rows[at + 1][:5]
    seconds = talk.total_seconds() if isinstance(talk, timedelta) else Decimal(str(talk)) * 86400
    return {"calls": int(calls), "seconds": round(seconds), "cost": str(Decimal(repr(cost)))}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("order", ["newest", "shuffled"])
def test_a_failing_carrier_costs_no_call_and_no_cent(tmp_path, busy_calls, order, capsys):
    """With a fifth of all requests failing, 30,000 calls come out to the last digit."""
    book = Book.from_calls(busy_calls, timezone="Australia/Brisbane", key=KEY)
    first, until = 1790776800, 1793455200  # October 2026 in Brisbane, by hand
    truth = [c for c in busy_calls if first <= c["unixtime"] < until]
    with Sandbox([book], order=order, faults=random_faults(0.2, 5), seed=3) as carrier:
        folder = workspace(
            tmp_path, carrier.base_url, "Australia/Brisbane", "[settings]\ntries = 15\n"
        )
        assert run(folder, "run", "2026-10", "--json") == 0
        assert any(asked.fault for asked in carrier.asked), "the carrier was to fail at times"
    said = json.loads(capsys.readouterr().out)
    cost = sum((Decimal(str(c["cost"])) for c in truth), Decimal(0))
    assert said["calls"] == len(truth) == 30_000
    assert said["seconds"] == sum(c["duration"] for c in truth)
    assert Decimal(said["cost"]) == cost
    in_book = figures(Path(said["pack"]))
    assert (in_book["calls"], in_book["seconds"]) == (said["calls"], said["seconds"])
    assert Decimal(str(in_book["cost"])) == cost


@pytest.mark.parametrize(
    ("period", "first", "until", "hours"),
    [
        ("2026-10", "2026-09-30T14:00:00", "2026-10-31T13:00:00", 743),
        ("2026-04", "2026-03-31T13:00:00", "2026-04-30T14:00:00", 721),
    ],
)
def test_sydney_months_end_where_the_wall_clock_does(
    tmp_path, capsys, period, first, until, hours
):
    """A call in a month's last second is in it; one in the next month's first second is not."""
    start, end = (
        int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
        for text in (first, until)
    )
    assert end - start == hours * 3600
    early, late = (10, 11) if period == "2026-10" else (11, 10)
    edges = [
        call(1, start - 1, early),
        call(2, start, early),
        call(3, end - 1, late),
        call(4, end, late),
    ]
    book = Book.from_calls(edges, timezone="Australia/Sydney", key=KEY)
    with Sandbox([book]) as carrier:
        folder = workspace(tmp_path, carrier.base_url, "Australia/Sydney")
        assert run(folder, "run", period, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["calls"] == 2
    book = CalamineWorkbook.from_path(str(next(Path(said["pack"]).glob("*.xlsx"))))
    rows = book.get_sheet_by_name("Calls").to_python()[1:]
    assert [row[0] for row in rows] == ["2", "3"]
    assert f"{rows[0][1]:%d %H:%M:%S}" == "01 00:00:00"
    assert f"{rows[1][1]:%H:%M:%S}" == "23:59:59"


def test_too_many_calls_in_one_second_make_no_pack(tmp_path, capsys):
    """10,001 calls in one second are refused by name, with exit code 3 and no pack."""
    second = 1791910800
    crowd = [call(n, second) for n in range(10_001)]
    with Sandbox([Book.from_calls(crowd, timezone="Australia/Brisbane", key=KEY)]) as carrier:
        folder = workspace(tmp_path, carrier.base_url, "Australia/Brisbane")
        assert run(folder, "run", "2026-10") == 3
    error = capsys.readouterr().err
    assert str(second) in error
    assert error.count("\n") == 1
    assert not (folder / "out").exists()


BAD = [
    (["run", "2026-10", "--account", "acne"], 2, "did you mean 'acme'"),
    (["run", "2026-13"], 2, "2026-13"),
    (["run", "october"], 2, "not understood"),
    (["run", "2026-10-09..2026-10-02"], 2, "ends before it starts"),
    (["run", "2999-01"], 2, "has not begun"),
    (["run", "2026-10", "--report", "statment"], 2, "did you mean 'statement'"),
    (["verify", "no-such-pack"], 2, "no pack"),
]


@pytest.mark.parametrize(("words", "code", "says"), BAD, ids=[" ".join(w) for w, _, _ in BAD])
def test_bad_words_get_one_line(tmp_path, capsys, words, code, says):
    """A wrong word on the command line is told in one line, and nothing is written."""
    folder = workspace(tmp_path / "books", "http://127.0.0.1:9/", "Australia/Brisbane")
    assert run(folder, *words) == code
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["maxo.toml"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[account.acme", "not readable TOML"),
        ('[account.acme]\nname = "A"\ntimezon = "Australia/Brisbane"', "did you mean 'timezone'"),
        ('[account.acme]\nname="A"\ntimezone="UTC"\nbase_url="http://example.com"', "https://"),
        ('[account.acme]\nname="A"\ntimezone="Australia/Brisbne"', "Australia/Brisbane"),
        ("", "there is no account"),
    ],
)
def test_bad_settings_get_one_line(tmp_path, capsys, text, says):
    """A wrong maxo.toml is told in one line with the nearest real name."""
    (tmp_path / "maxo.toml").write_text(text)
    assert run(tmp_path, "run", "2026-10") == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_a_missing_key_gets_one_line(tmp_path, capsys, monkeypatch):
    """Without a key, the places that were looked at are named."""
    monkeypatch.delenv("MAXO_API_KEY")
    folder = workspace(tmp_path, "http://127.0.0.1:9/", "Australia/Brisbane")
    assert run(folder, "run", "2026-10") == 2
    assert "MAXO_API_KEY" in capsys.readouterr().err


def test_an_unwritable_folder_gets_one_line(tmp_path, capsys):
    """Where no folder can be made, exit code 4 and one line say so."""
    with Sandbox([Book.from_calls([], timezone="Australia/Brisbane", key=KEY)]) as carrier:
        folder = workspace(tmp_path, carrier.base_url, "Australia/Brisbane")
        (folder / "out").write_text("a file in the folder's place")
        assert run(folder, "run", "2026-10") == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert (folder / "out").read_text() == "a file in the folder's place"


@pytest.mark.parametrize("trouble", [PermissionError, OSError])
def test_trouble_where_nobody_expects_it_gets_one_line(tmp_path, capsys, monkeypatch, trouble):
    """Even looking whether a reply is there can fail: exit code 4, one line, no traceback."""

    def exists(path: Path) -> bool:
        if path.suffix == ".gz":
            raise trouble(errno.EIO, os.strerror(errno.EIO), str(path))
        return os.path.exists(path)  # noqa: PTH110 - the method itself is what is replaced

    monkeypatch.setattr(Path, "exists", exists)
    with Sandbox([Book.from_calls([], timezone="Australia/Brisbane", key=KEY)]) as carrier:
        folder = workspace(tmp_path, carrier.base_url, "Australia/Brisbane")
        assert run(folder, "run", "2026-10") == 4
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "replies" in error
    assert os.strerror(errno.EIO) in error


def disguises(secret: str) -> list[bytes]:
    """Return the forms in which a secret can hide in a file."""
    return [
        secret.encode(),
        quote(secret, safe="").encode(),
        base64.b64encode(secret.encode()),
        json.dumps(secret).strip('"').replace("/", "\\/").encode(),
    ]


def insides(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, and those that are packed inside it."""
    content = path.read_bytes()
    yield content
    if path.suffix == ".gz":
        yield gzip.decompress(content)
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            yield from (package.read(name) for name in package.namelist())
    if path.suffix == ".pdf":
        for piece in content.split(b"stream\n")[1:]:
            try:
                yield zlib.decompressobj().decompress(piece)
            except zlib.error:
                continue


@pytest.mark.usefixtures("quick")
def test_the_key_is_nowhere(tmp_path, capfd, caplog):
    """The API key stands in no file, log line, URL, message or traceback, whatever goes wrong."""
    caplog.set_level(logging.DEBUG)
    book = Book.load(SAMPLE)
    calls = [json.loads(row) for row in book.rows]
    book = Book.from_calls(calls, timezone=book.timezone, key=KEY)
    with Sandbox([book], faults=random_faults(0.4, 8)) as carrier:
        folder = workspace(
            tmp_path, carrier.base_url, "Australia/Sydney", "[settings]\ntries = 20\n"
        )
        assert run(folder, "run", "2026-10") == 0
        assert not any(asked.key_in_url for asked in carrier.asked)
    stranger = Book.from_calls([], timezone="Australia/Sydney", key="another")
    with Sandbox([stranger]) as carrier:
        (folder / "maxo.toml").unlink()
        workspace(folder, carrier.base_url, "Australia/Sydney")
        assert run(folder, "run", "2026-10") == 3
    said = capfd.readouterr()
    spoken = (said.out + said.err + caplog.text).encode()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 8
    for form in disguises(KEY):
        assert form not in spoken
        for path in files:
            assert not any(form in inside for inside in insides(path)), path


def test_help_is_immediate_and_version_is_ours():
    """Help needs none of the slow libraries."""
    script = (
        "import sys, maxo_reports.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    )
    script += "print([m for m in ('duckdb', 'openpyxl', 'requests', 'rich') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    done = subprocess.run(
        [sys.executable, "-m", "maxo_reports", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("maxo-reports ")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel once, without asking a package index."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a clone knows what belongs")
def test_the_wheel_holds_what_git_tracks(wheel):
    """Nothing that git does not track is in the wheel; nothing that it does is missing."""
    folders = ["maxo_reports", "reports", "handoff", "templates", "samples"]
    listed = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, check=True, capture_output=True, text=True
    )
    tracked = {
        name if name.startswith("maxo_reports/") else f"maxo_reports/_shipped/{name}"
        for name in listed.stdout.splitlines()
        if (ROOT / name).exists()
    }
    with zipfile.ZipFile(wheel) as package:
        inside = {name for name in package.namelist() if ".dist-info/" not in name}
    assert inside == tracked


def test_the_wheel_does_the_demo_by_itself(wheel, tmp_path):
    """The demo runs from the wheel's own files, outside any clone."""
    with zipfile.ZipFile(wheel) as package:
        package.extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(
        [sys.executable, "-m", "maxo_reports", "demo", "--out", str(tmp_path / "demo"), "--json"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout)
    assert {name: said[name] for name in TRUTH} == TRUTH
    assert done.stderr == ""
    assert figures(Path(said["pack"])) == TRUTH
