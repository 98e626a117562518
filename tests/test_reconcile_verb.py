"""The verb end to end, over HTTP: late records, other zones, lists alone, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bills import Call, Line, write_bill, write_list
from carriers import KEY, OCTOBER, SYDNEY, call
from workspaces import DAY, OCTOBER_ENDS, Fickle, run, workspace

from maxo_reports.cli import clock as the_clock
from maxo_reports.render import RendererUnavailable, pdf


def outbound(number: int, moment: int, cost: str = "0.25") -> dict[str, Any]:
    """Make a charged call to a mobile."""
    odd = {"direction": "OUT", "origin": "0255500140", "destination": "0491570006"}
    rates = {"rate": "Mobile", "inboundrate": "", "cost": cost}
    return call(number, moment, zone=SYDNEY, **odd, **rates)


FIRST = [outbound(n, OCTOBER + n * DAY) for n in range(1, 5)]
LATE = outbound(9, OCTOBER + 9 * DAY, "0.40")
EDGE = outbound(10, OCTOBER_ENDS - 600, "0.30")


@pytest.fixture
def carrier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fickle]:
    """Serve four calls to an account in ``tmp_path``; the clock stands two days after October."""
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(the_clock, "now", lambda: OCTOBER_ENDS + 2 * DAY)
    with Fickle(FIRST) as sandbox:
        workspace(tmp_path, sandbox.base_url, SYDNEY, 'cost_gst = "exclusive"\n')
        yield sandbox


def said(folder: Path, capsys: Any, *words: str) -> tuple[int, dict[str, Any]]:
    """Reconcile October and return the exit code and what --json prints."""
    capsys.readouterr()
    code = run(folder, "reconcile", "2026-10", "--json", *words)
    return code, json.loads(capsys.readouterr().out)


def classes(found: dict[str, Any]) -> dict[str, str]:
    """Return the classes that are not nought."""
    return {kind: value for kind, value in found["classes"].items() if float(value)}


def test_a_record_that_came_after_the_bill_is_late(tmp_path, carrier, capsys, monkeypatch):
    """The pull from before the bill proves it; the first issue stays as it was."""
    bill = write_bill(
        tmp_path / "bill.toml", [("calls", "Mobile", "Mobile", 4, 1_000_000)], issued="2026-11-03"
    )
    assert run(tmp_path, "pull", "2026-10") == 0
    code, first = said(tmp_path, capsys, "--invoice", str(bill))
    assert (code, classes(first), first["revision"]) == (0, {}, 1)
    carrier.hold([*FIRST, LATE])
    monkeypatch.setattr(the_clock, "now", lambda: OCTOBER_ENDS + 9 * DAY)
    assert run(tmp_path, "pull", "2026-10") == 0
    code, second = said(tmp_path, capsys, "--invoice", str(bill))
    assert (code, classes(second), second["revision"]) == (0, {"late": "-0.40"}, 2)
    assert ",9,," in (Path(second["pack"]) / "dispute" / "late.csv").read_text(encoding="utf-8")
    assert run(tmp_path, "verify", first["pack"]) == 0
    assert run(tmp_path, "verify", second["pack"], "--rebuild") == 0


def test_unbilled_calls_that_look_like_another_zones_month_are_told(tmp_path, carrier, capsys):
    """Brisbane has Sydney's last hour, and more, in the same month; Perth's begins earlier."""
    carrier.hold([*FIRST, outbound(0, OCTOBER + 600)])
    assert run(tmp_path, "pull", "2026-10") == 0
    lines = [
        Line.of(Call(f"{c['callid']}", c["unixtime"], c["destination"], 60, "Mobile", 250_000))
        for c in FIRST
    ]
    listed = write_list(tmp_path / "calls.csv", lines, SYDNEY)
    code, found = said(tmp_path, capsys, "--invoice", str(listed))
    assert (code, classes(found)) == (0, {"extra": "-0.25"})
    assert any("Australia/Perth has in another month" in note for note in found["notes"])
    bill = write_bill(
        tmp_path / "bill.toml",
        [("calls", "Mobile", "Mobile", 4, 1_000_000)],
        timezone="Australia/Perth",
        number="A/7",
    )
    other = write_list(tmp_path / "perth.csv", lines, "Australia/Perth")
    code, found = said(tmp_path, capsys, "--invoice", str(bill), "--calls", str(other))
    assert (code, classes(found)) == (0, {"boundary": "-0.25"})
    assert any("not in the archive" in note for note in found["notes"])
    assert Path(found["pack"]).parent.name.startswith("A-7-")


def test_a_list_alone_can_say_its_basis_by_a_flag(tmp_path, carrier, capsys):
    """Charges with GST of costs without: all of the difference is GST."""
    assert run(tmp_path, "pull", "2026-10") == 0
    lines = [
        Line.of(Call(f"{c['callid']}", c["unixtime"], c["destination"], 60, "Mobile", 275_000))
        for c in FIRST
    ]
    listed = str(write_list(tmp_path / "calls.csv", lines, SYDNEY))
    code, found = said(tmp_path, capsys, "--invoice", listed, "--gst", "inclusive")
    assert (code, classes(found)) == (0, {"GST basis": "0.10"})
    assert run(tmp_path, "reconcile", "2026-10", "--invoice", listed, "--calibrate") == 2
    assert "add --gst inclusive or --gst exclusive" in capsys.readouterr().err
    code, seen = said(tmp_path, capsys, "--invoice", listed, "--calibrate", "--gst", "inclusive")
    assert (code, seen["looks"], seen["set_now"]) == (0, "exclusive", "exclusive")


def test_a_file_that_could_not_be_made_is_made_once_it_can(tmp_path, carrier, capsys, monkeypatch):
    """Without PDF libraries the rest is issued, with exit code 1; with them, the next revision."""
    assert run(tmp_path, "pull", "2026-10") == 0
    bill = write_bill(tmp_path / "bill.toml", [("calls", "Mobile", "Mobile", 4, 1_000_000)])

    def missing(*_: object) -> None:
        raise RendererUnavailable("no Pango here")

    with monkeypatch.context() as patch:
        patch.setattr(pdf, "render", missing)
        code, first = said(tmp_path, capsys, "--invoice", str(bill))
        assert code == 1
        assert not (Path(first["pack"]) / "reconciliation.pdf").exists()
        code, again = said(tmp_path, capsys, "--invoice", str(bill))
        assert (code, again["unchanged"]) == (1, True)
    _, second = said(tmp_path, capsys, "--invoice", str(bill))
    assert (second["revision"], second["unchanged"]) == (2, False)
    assert (Path(second["pack"]) / "reconciliation.pdf").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--tolerance", "-1"), "must be dollars"),
        (("--tolerance-percent", "101"), "must be from 0 to 100"),
        (("--seconds", "1h"), "whole seconds"),
        (("--gst", "maybe"), "invalid choice"),
    ],
)
def test_wrong_flags_are_told(tmp_path, capsys, words, told):
    """Before anything is read."""
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, "reconcile", "2026-10", "--invoice", "x.toml", *words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_bill_that_says_its_basis_takes_no_flag(tmp_path, carrier, capsys):
    """And nothing is written where the bill is refused."""
    bill = write_bill(tmp_path / "bill.toml", [("calls", "Mobile", "Mobile", 4, 1_000_000)])
    words = ("reconcile", "2026-10", "--invoice", str(bill), "--gst", "inclusive")
    assert run(tmp_path, *words) == 2
    assert "leave --gst out" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
