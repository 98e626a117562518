"""The command line: exit codes, one JSON object, one line of trouble, and good manners."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from carriers import BRISBANE, KEY, OCTOBER, SYDNEY, call
from workspaces import (
    DAY,
    OCTOBER_ENDS,
    SETTLED,
    Desk,
    Fickle,
    Ran,
    changes_in,
    contents,
    ran,
)

from maxo_reports import __version__, cli, engine
from maxo_reports.cli import clock
from maxo_reports.sandbox import Sandbox
from maxo_reports.sandbox.answers import Answer

MONTH = [call(n, OCTOBER + n * DAY, zone=SYDNEY, cost=f"0.{n:03}") for n in range(1, 6)]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone has these")
OTHER_KEY = "another-key-2"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: SETTLED)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Open a workspace at a carrier that has a small month."""
    with Fickle(MONTH) as carrier:
        yield Desk(tmp_path, carrier)


def program(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own."""
    command = [sys.executable, "-m", "maxo_reports", *words]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, **more
    )


def assert_one_line(found: Ran, code: int, says: str) -> None:
    """Hold a failure to its form: the code, nothing on output, one line that begins with us."""
    assert (found.code, found.out) == (code, "")
    assert found.err.count("\n") == 1
    assert found.err.startswith("maxo-reports: ")
    assert says in found.err


# --- exit codes ----------------------------------------------------------------------------


def test_every_exit_code_is_what_it_is_said_to_be(desk: Desk) -> None:
    """Done, findings, usage, carrier, archive, tie-out: each by a real cause."""
    done = desk.run()
    assert (done.code, done.err) == (0, "")
    desk.carrier.hold([*MONTH, call(9, OCTOBER, zone=SYDNEY, cost="a lot")])
    findings = desk.run()
    assert (findings.code, findings.err) == (1, "")
    assert_one_line(desk.run(period="2026-13"), 2, "2026-13")
    book = next(findings.pack.glob("*.xlsx"))
    book.write_bytes(b"")
    assert_one_line(desk.verify(findings.pack), 5, book.name)
    archive = desk.folder / "archive"
    archive.rename(desk.folder / "kept")
    archive.write_text("a file in its place")
    assert_one_line(desk.run(), 4, str(archive))
    archive.unlink()
    (desk.folder / "kept").rename(archive)
    desk.set("tries = 1")
    desk.carrier.close()
    assert_one_line(desk.run(), 3, "could not be reached")


def test_words_that_mean_nothing_are_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """No command, an unknown one, an unknown flag, two ways of saying which: exit code 2."""
    for words in (
        [],
        ["rnu", "2026-10"],
        ["run"],
        ["run", "2026-10", "--key", "secret"],
        ["run", "2026-10", "--all", "--account", "acme"],
        ["sandbox", "--fail", "1"],
        ["sandbox", "--fail", "nan"],
        ["sandbox", "--port", "many"],
    ):
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        assert caught.value.code == 2
        assert capsys.readouterr().out == ""


# --- --json --------------------------------------------------------------------------------

PROMISED = {
    "account": str,
    "period": dict,
    "state": str,
    "calls": int,
    "charged_calls": int,
    "seconds": int,
    "cost": str,
    "findings": list,
    "pack": str,
    "files": list,
}


def fractions(content: Any) -> list[float]:
    """Return every number of a JSON document that is not whole."""
    if isinstance(content, dict):
        return [each for value in content.values() for each in fractions(value)]
    if isinstance(content, list):
        return [each for value in content for each in fractions(value)]
    return [content] if isinstance(content, float) else []


def test_json_is_one_object_of_the_promised_shape(desk: Desk) -> None:
    """Others script against it: names, types, money as text, edges with their offset."""
    found = desk.run()
    assert found.err == ""
    said = json.loads(found.out)
    assert {name: type(said.get(name)) for name in PROMISED} == PROMISED
    assert said["account"] == "acme"
    assert {name: said["period"][name] for name in ("start", "end", "timezone")} == {
        "start": "2026-10-01T00:00:00+10:00",
        "end": "2026-11-01T00:00:00+11:00",
        "timezone": SYDNEY,
    }
    assert (said["calls"], said["charged_calls"], said["seconds"]) == (5, 5, 300)
    assert said["cost"] == "0.015"
    assert fractions(said) == []
    assert Path(said["pack"]).is_dir()
    assert all(Path(name).is_file() for name in said["files"])
    assert {Path(name).parent for name in said["files"]} == {Path(said["pack"])}


def test_findings_in_json_have_dollars_as_text(desk: Desk) -> None:
    """Each with its code, severity, place, calls and dollars."""
    desk.carrier.hold([call(1, OCTOBER, zone=SYDNEY, cost="-0.3333")])
    (finding,) = desk.run().said["findings"]
    assert finding == {
        "code": "credit",
        "severity": "info",
        "where": "call 1",
        "message": "a negative cost: a credit, included in the totals",
        "calls": 1,
        "dollars": "-0.3333",
    }


def test_words_say_the_same_as_json(desk: Desk) -> None:
    """Without --json: state, figures, the equation of records, and the files."""
    said = desk.run().said
    words = ran(desk.folder, "run", "2026-10", "--report", "quick")
    assert (words.code, words.err) == (0, "")
    lines = words.out.splitlines()
    assert lines[0] == "Acme, 01 Oct 2026 to 31 Oct 2026 (Australia/Sydney): settled"
    assert lines[1] == "  5 calls, 5 connected, 5 charged, 300 seconds, $0.015"
    assert lines[2] == "  5 received = 5 ledger + 0 repeats + 0 outside"
    assert lines[3] == "  nothing has changed: revision 1 stands"
    assert [line.strip() for line in lines[4:]] == said["files"]


# --- several accounts ----------------------------------------------------------------------


@pytest.fixture
def three(tmp_path: Path) -> Iterator[tuple[Desk, Fickle]]:
    """Open a workspace of three accounts in three zones, the second at a carrier of its own."""
    perth = [call(n, OCTOBER + 10 * DAY, zone="Australia/Perth") for n in range(3)]
    with Fickle(MONTH) as carrier, Fickle(perth, "Australia/Perth", OTHER_KEY) as other:
        with Fickle([call(1, OCTOBER, zone=BRISBANE)], BRISBANE) as third:
            desk = Desk(tmp_path, carrier)
            text = (
                f'[account.beta]\nname = "Beta"\ntimezone = "Australia/Perth"\n'
                f'base_url = "{other.base_url}"\napi_key_env = "BETA_KEY"\n'
                f'[account.gamma]\nname = "Gamma"\ntimezone = "{BRISBANE}"\n'
                f'base_url = "{third.base_url}"\n'
            )
            desk.set("tries = 1", account=text)
            yield desk, other


def test_all_accounts_are_one_object_with_a_run_each(
    three: tuple[Desk, Fickle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of maxo.toml, each in its own zone."""
    monkeypatch.setenv("BETA_KEY", OTHER_KEY)
    found = three[0].run("--all")
    assert (found.code, found.err) == (0, "")
    assert list(found.said) == ["runs"]
    assert [
        (run["account"], run["calls"], run["period"]["start"]) for run in found.said["runs"]
    ] == [
        ("acme", 5, "2026-10-01T00:00:00+10:00"),
        ("beta", 3, "2026-10-01T00:00:00+08:00"),
        ("gamma", 1, "2026-10-01T00:00:00+10:00"),
    ]


def test_one_accounts_trouble_does_not_keep_the_others_back(
    three: tuple[Desk, Fickle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are issued, the trouble is named in both places, and the code is its own."""
    desk, _ = three
    monkeypatch.setenv("BETA_KEY", "wrong-key-of-beta")
    found = desk.run("--all")
    assert found.code == 3
    assert [run["account"] for run in found.said["runs"]] == ["acme", "gamma"]
    (error,) = found.said["errors"]
    assert error["account"] == "beta"
    assert "does not know this API key" in error["error"]
    assert found.err.count("\n") == 1
    assert found.err.startswith("maxo-reports: account 'beta': ")
    assert "wrong-key-of-beta" not in found.out + found.err
    out = desk.folder / "out"
    assert sorted(path.name for path in out.iterdir()) == ["acme", "gamma"]


def test_a_bare_pull_goes_on_to_the_other_accounts_too(
    three: tuple[Desk, Fickle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for the first half of a run."""
    desk, _ = three
    monkeypatch.setenv("BETA_KEY", "wrong-key-of-beta")
    found = ran(desk.folder, "pull", "2026-10", "--all")
    assert found.code == 3
    assert found.out.splitlines() == [
        "acme 2026-10: 5 records in 1 window",
        "gamma 2026-10: 1 record in 1 window",
    ]
    assert found.err.startswith("maxo-reports: account 'beta': ")
    monkeypatch.setenv("BETA_KEY", OTHER_KEY)
    assert ran(desk.folder, "pull", "2026-10", "--account", "beta").out == (
        "beta 2026-10: 3 records in 1 window\n"
    )
    assert desk.packs == []


def test_a_missing_key_of_one_is_told_before_any_is_asked(three: tuple[Desk, Fickle]) -> None:
    """What can be known before the first request is: nothing is pulled, nothing written."""
    desk, other = three
    found = desk.run("--all")
    assert_one_line(found, 2, "'beta'")
    assert desk.carrier.asked == other.asked == []
    assert not (desk.folder / "archive").exists()


def test_which_account_must_be_said_where_there_are_several(three: tuple[Desk, Fickle]) -> None:
    """With their names."""
    assert_one_line(three[0].run(), 2, "acme, beta, gamma")


# --- bad input -----------------------------------------------------------------------------


def sample(folder: Path, settings: str = "", reply: str | None = None) -> Path:
    """Write something that is a sample or nearly one."""
    (folder / "replies").mkdir(parents=True)
    shipped = (engine.sample() / "sample.toml").read_text(encoding="utf-8")
    (folder / "sample.toml").write_text(settings or shipped, encoding="utf-8")
    if reply is not None:
        (folder / "replies" / "a.json").write_text(reply)
    return folder


BAD: list[tuple[list[str], int, str]] = [
    (["run", "2026-10", "--account", "acne"], 2, "did you mean 'acme'"),
    (["run", "2026-10", "--report", "quik"], 2, "did you mean 'quick'"),
    (["run", ""], 2, "is not understood"),
    (["run", "2026-1"], 2, "is not understood"),
    (["run", "2026-00"], 2, "no day of the calendar"),
    (["run", "0001-01"], 2, "a year in which there are no calls"),
    (["run", "2026-02-30..2026-03-01"], 2, "no day of the calendar"),
    (["run", "2026-10-02..2026-10-02"], 2, "ends before it starts"),
    (["run", "2026-10-03..2026-10-02"], 2, "ends before it starts"),
    (["run", "2024-01-01..2026-01-01"], 2, "longer than 400 days"),
    (["run", "2027-01"], 2, "has not begun: it starts on 01 Jan 2027"),
    (["pull", "2027-01"], 2, "has not begun"),
    (["run", "2026-09", "--offline"], 4, "run once without --offline"),
    (["verify", "nowhere"], 2, "nowhere is no pack"),
    (["verify", "maxo.toml"], 2, "maxo.toml is no pack"),
    (["init"], 2, "left as it is"),
    (["init", "maxo.toml"], 2, "is a file, not a folder"),
    (["sandbox", "--port", "70000"], 2, "port 70000"),
    (["sandbox", "--port", "-1"], 2, "port -1"),
    (["sandbox", "--samples", "nowhere"], 2, "holds no sample"),
    (["sandbox", "--samples", "archive-of-old"], 2, "Expected '='"),
    (["sandbox", "--samples", "no-reply"], 2, "not a reply of calls/list"),
    (["sandbox", "--samples", "twins"], 2, "two books have the same key"),
    (["demo", "--out", "maxo.toml"], 4, "cannot make the folder"),
]


@pytest.mark.parametrize(("words", "code", "says"), BAD, ids=[" ".join(w) for w, _, _ in BAD])
def test_bad_input_is_one_line_and_writes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, says: str
) -> None:
    """Exit code and cause, and the folder is as it was."""
    monkeypatch.chdir(desk.folder)
    sample(desk.folder / "archive-of-old", settings="x")
    sample(desk.folder / "no-reply", reply="[]")
    for name in ("one", "two"):
        sample(desk.folder / "twins" / name)
    before = contents(desk.folder)
    assert_one_line(ran(desk.folder, *words), code, says)
    after = contents(desk.folder)
    # An account's lock stays where it was made; it holds nothing but a process's number.
    assert {name: after[name] for name in after if not name.endswith(".lock")} == before
    assert desk.carrier.asked == []


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """With the port, and the system's own words."""
    with Sandbox([]) as sandbox:
        port = sandbox.base_url.rstrip("/").rpartition(":")[2]
        found = ran(tmp_path, "sandbox", "--port", port)
    assert_one_line(found, 2, "Address already in use")


@pytest.mark.parametrize(
    "reason", ["\x1b[31mred", "\u202egnol", "a\r\nb\x00c", "x" * 100_000, "[/bold]"]
)
def test_what_the_carrier_says_is_one_visible_line(desk: Desk, reason: str) -> None:
    """A refusal's own words move no cursor, turn nothing round and fill no screen."""
    body = json.dumps({"status": 0, "error": "NO", "reason": reason}).encode()
    desk.carrier.bend = lambda answer: Answer(400, body, question=answer.question)
    found = desk.run()
    assert_one_line(found, 3, "the carrier found the request incomplete or wrong")
    assert found.err[:-1].isprintable()
    assert len(found.err) < 1000


@pytest.mark.parametrize("text", ["\x1b[2J\x1b[31mgone", "\u202ednuof", "\x07\x08", "x" * 40_000])
def test_what_callers_choose_is_shown_and_not_obeyed(desk: Desk, text: str) -> None:
    """Findings name calls, categories and fields by the carrier's words: visible, and short."""
    odd = {"callid": f"id{text}", "cost": text, "direction": text, text: 1}
    desk.set('crosscheck = "none"')
    desk.carrier.hold([call(1, OCTOBER, zone=SYDNEY, **odd)])
    found = ran(desk.folder, "run", "2026-10", "--report", "quick")
    assert found.code == 1
    lines = found.out.splitlines()
    assert len(lines) < 20
    for line in lines:
        assert line.isprintable(), line
        assert len(line) < 500
    # Programs get every letter, as JSON writes it.
    again = desk.run()
    assert again.out.isascii()
    assert f"call id{text}" in [each["where"] for each in again.said["findings"]]


# --- progress ------------------------------------------------------------------------------


def test_a_program_that_reads_us_hears_nothing_but_the_result(desk: Desk) -> None:
    """With pipes instead of a terminal, standard error stays empty through a whole run."""
    words = ("-C", str(desk.folder), "run", "2026-10", "--report", "quick", "--json")
    done = program(*words, env={**os.environ, "MAXO_API_KEY": KEY, "FORCE_COLOR": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["calls"] == 5


def drained(terminal: int) -> str:
    """Read what was written to a terminal until its other end is closed."""
    said = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        said += part
    os.close(terminal)
    return said.decode(errors="replace")


@posix
def test_a_person_at_a_terminal_sees_progress_and_results_stay_apart(desk: Desk) -> None:
    """On a real pseudo-terminal: steps on standard error, the object alone on output."""
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "maxo_reports", "-C", str(desk.folder), "run", "2026-10"]
    environment = {**os.environ, "MAXO_API_KEY": KEY, "TERM": "xterm", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [*command, "--report", "quick", "--json"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        shown = drained(ours)
        assert process.stdout is not None
        out = process.stdout.read()
    assert process.returncode == 0
    assert json.loads(out)["calls"] == 5
    assert "Asking the carrier for the calls" in shown
    assert re.search(r"Writing acme-2026-10-statement\.xlsx", shown)
    assert KEY not in shown


# --- manners -------------------------------------------------------------------------------


def unread(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the program with an output that nobody reads any more, buffered as it is by default."""
    environment = {**os.environ, "MAXO_API_KEY": KEY}
    environment.pop("PYTHONUNBUFFERED", None)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "maxo_reports", *words],
            check=False,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            timeout=60,
        )
    finally:
        os.close(writing)


@posix
@pytest.mark.parametrize("command", ["doctor", "--help", "--version"])
def test_a_reader_that_has_gone_is_no_trouble(tmp_path: Path, command: str) -> None:
    """``maxo-reports doctor | true`` ends with 0 and says nothing of pipes."""
    done = unread("-C", str(tmp_path), command)
    assert (done.returncode, done.stderr) == (0, "")


@posix
def test_a_reader_that_has_gone_does_not_undo_the_run(desk: Desk) -> None:
    """The pack is there, whole, although nobody read its name; the exit code is the run's own."""
    desk.carrier.hold([*MONTH, call(9, OCTOBER, zone=SYDNEY, cost="a lot")])
    done = unread("-C", str(desk.folder), "run", "2026-10", "--report", "quick", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert desk.verify(desk.folder / "out" / "acme" / "2026-10" / "r1").code == 0


def interrupt(process: subprocess.Popen[str], when: Callable[[], bool]) -> tuple[str, str]:
    """Press Ctrl-C as soon as something is so, and return what was said."""
    until = time.monotonic() + 60
    while not when():
        assert process.poll() is None, "it was to be interrupted, and ended"
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=20)


@posix
@pytest.mark.parametrize("fault", ["hang", "503"])
def test_ctrl_c_ends_a_run_at_once_and_the_next_one_goes_on(desk: Desk, fault: str) -> None:
    """A carrier that hangs, or is busy, is not waited for: code 130, one line, nothing half."""
    desk.carrier._faults = lambda _: fault
    desk.set("requests_in_flight = 2\ntries = 20")
    command = [sys.executable, "-m", "maxo_reports", "-C", str(desk.folder), "run", "2026-10"]
    process = subprocess.Popen(
        [*command, "--report", "quick"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MAXO_API_KEY": KEY},
    )
    out, err = interrupt(process, lambda: len(desk.carrier.asked) > 0)
    assert (process.returncode, out, err.count("\n")) == (130, "", 1)
    assert "what was kept so far stays for the next run" in err
    assert desk.packs == []
    desk.carrier._faults = None
    assert desk.run().code == 0


@posix
def test_ctrl_c_ends_the_sandbox(tmp_path: Path) -> None:
    """It serves until it is interrupted, and says where."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maxo_reports", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    first, second = process.stdout.readline(), process.stdout.readline()
    assert first.startswith("Wattle Lane Dental: key ")
    assert re.fullmatch(r"serving http://127\.0\.0\.1:[0-9]+/ until interrupted\n", second)
    _, err = interrupt(process, lambda: True)
    assert (process.returncode, err.count("\n")) == (130, 1)


def test_a_run_that_is_interrupted_while_it_writes_leaves_no_draft(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between two files: code 130, and the period's folder is as it was."""
    from maxo_reports.render import xlsx

    first = desk.run()
    before = contents(desk.folder / "out")
    desk.carrier.hold(MONTH[1:])
    with monkeypatch.context() as pressed:

        def render(*_: object) -> None:
            raise KeyboardInterrupt

        pressed.setattr(xlsx, "render", render)
        found = desk.run()
    assert (found.code, found.err.count("\n")) == (130, 1)
    assert contents(desk.folder / "out") == before
    assert desk.packs == ["r1"]
    second = desk.run()
    assert second.said["revision"] == 2
    assert [row["change"] for row in changes_in(second.pack)] == ["Removed"]
    moved = Decimal(second.said["cost"]) - Decimal(first.said["cost"])
    assert moved == Decimal("-0.001")


def test_a_second_run_of_one_account_is_refused(desk: Desk) -> None:
    """While one works, another gets one line with its process, and touches nothing."""
    from maxo_reports.archive import files

    with files.only_one(desk.folder / "archive" / "acme" / ".lock", "account 'acme'"):
        assert_one_line(desk.run(), 4, f"another run (process {os.getpid()}) is working on")
    assert desk.packs == []


# --- a disk that is full -------------------------------------------------------------------

FULL = """
import resource, sys
from maxo_reports import cli
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(cli.main(sys.argv[2:]))
"""


@posix
@pytest.mark.parametrize("limit", [0, 100, 400, 1_000, 5_000])
def test_a_full_disk_is_one_line_wherever_it_is_met(desk: Desk, limit: int) -> None:
    """At the lock, the pull, a reply, the workbook: code 4, one line, r1 as it was, no draft."""
    desk.run()
    before = contents(desk.folder / "out")
    desk.carrier.hold([*MONTH, *(call(n, OCTOBER + n, zone=SYDNEY) for n in range(100, 250))])
    words = ["-C", str(desk.folder), "run", "2026-10", "--report", "quick"]
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(limit), *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "MAXO_API_KEY": KEY},
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert "File too large; check the folder, its permissions and the disk" in done.stderr
    assert contents(desk.folder / "out") == before
    assert desk.packs == ["r1"]
    second = desk.run()
    assert (second.code, second.said["revision"]) == (0, 2)


# --- help and version ----------------------------------------------------------------------

SLOW = {
    *("duckdb", "pyarrow", "openpyxl", "requests", "urllib3", "rich", "jinja2", "weasyprint"),
    *("msgspec", "keyring", "zoneinfo", "tomllib", "asyncio", "email", "http", "ssl"),
}
"""What takes time to load, ours and the library's, and what no help needs."""
IMPORTED = """
import sys
from maxo_reports.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
print(*sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
"""
VERBS = (
    *("demo", "init", "run", "pull", "verify", "send", "outbox", "month"),
    *("sandbox", "doctor"),
)


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([verb, "--help"] for verb in VERBS)]
)
def test_help_loads_nothing_slow(words: Sequence[str]) -> None:
    """Immediate, told by what is loaded and not by a clock."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORTED, *words],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout
    assert not SLOW & set(done.stderr.split())


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, on one screen of 80 columns."""
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = capsys.readouterr().out
    for verb in VERBS:
        assert re.search(rf"^    {verb}\b", said, re.MULTILINE), verb
    for code in ("0 done", "1 done, with findings", "2 usage", "3", "4 archive", "5 files"):
        assert code in said
    assert "--key" not in said


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard output."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"maxo-reports {__version__}\n"


# --- last-month ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "label"),
    [
        (OCTOBER_ENDS, "2026-10"),
        (OCTOBER_ENDS - 1, "2026-09"),
    ],
)
def test_last_month_is_the_accounts_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, now: int, label: str
) -> None:
    """By the account's midnight, to the second, whatever the machine's zone."""
    monkeypatch.setattr(clock, "now", lambda: now)
    desk.set('crosscheck = "none"')
    found = desk.run(period="last-month")
    assert found.said["period"]["label"] == label
    assert found.pack.parent.name == label


def test_the_month_that_is_running_can_be_asked_for(desk: Desk) -> None:
    """Up to now; the part that is still to come is why it is provisional."""
    found = desk.run(period="2026-11")
    assert (found.code, found.said["state"], found.said["calls"]) == (0, "provisional", 0)
    plain = [asked for asked in desk.carrier.asked if asked.filters == ("outputFormat=json",)]
    assert len(plain) == 1
