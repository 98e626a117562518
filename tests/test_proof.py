"""Proof: second looks, what is new, and what is written down so that it can be said again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call
from workspaces import DAY, OCTOBER_ENDS, SETTLED, Desk, Fickle, is_asked_for

from maxo_reports import proof
from maxo_reports.archive import proofs
from maxo_reports.archive.proofs import Proof
from maxo_reports.archive.pulls import Account, Pull
from maxo_reports.carrier import Carrier
from maxo_reports.cli import clock
from maxo_reports.core.period import Window, parse_period
from maxo_reports.errors import ArchiveError
from maxo_reports.sandbox.answers import Answer

OCTOBER_2026 = parse_period("2026-10", SYDNEY, date(2026, 11, 20))
SEPTEMBER = OCTOBER - 30 * DAY
MONTH = [call(n, OCTOBER + n * DAY, zone=SYDNEY, cost=f"0.{n:02}") for n in range(1, 9)]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(clock, "now", lambda: SETTLED)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Open a workspace at a carrier that has the month; it is over and settled."""
    with Fickle(MONTH) as carrier:
        desk = Desk(tmp_path, carrier)
        desk.set('crosscheck = "none"')
        yield desk


def looks(desk: Desk) -> int:
    """Return how many plain requests there were; a small month is one each look."""
    return sum(asked.filters == ("outputFormat=json",) for asked in desk.carrier.asked)


def pulls(desk: Desk) -> list[str]:
    """Return the pulls that have a proof, by their folders."""
    folder = desk.folder / "archive" / "acme" / "periods"
    return sorted(path.parent.name for path in folder.rglob("proof.json"))


def certificate(pack: Path) -> dict[str, Any]:
    """Read a pack's completeness certificate."""
    said: dict[str, Any] = json.loads((pack / "completeness.json").read_bytes())
    return said


def lying(desk: Desk, *looks_at: int) -> None:
    """Leave a call out of the plain answers of these numbers, from 0; the count agrees."""
    seen = [0]

    def bent(answer: Answer) -> Answer:
        if not is_asked_for(answer, "plain"):
            return answer
        number = seen[0]
        seen[0] += 1
        if number not in looks_at:
            return answer
        reply = json.loads(answer.body)
        del reply["calls"][2]
        reply["count"] -= 1
        body = json.dumps(reply).encode()
        return Answer(answer.status, body, count=reply["count"], question=answer.question)

    desk.carrier.bend = bent


# --- when a second look is taken -----------------------------------------------------------


def test_a_settled_month_is_looked_at_twice_and_a_run_before_counts(desk: Desk) -> None:
    """The first run takes two looks; the next one's look and the one before are two already."""
    first = desk.run()
    assert (looks(desk), first.said["state"]) == (2, "settled")
    assert certificate(first.pack)["second_look_agrees"] is True
    assert pulls(desk) == ["pull-0002"]
    desk.run()
    assert looks(desk) == 3
    assert pulls(desk) == ["pull-0002", "pull-0003"]


def test_an_early_month_is_looked_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look before the settle time proves nothing, nor does it stand for a second one later."""
    monkeypatch.setattr(clock, "now", lambda: OCTOBER_ENDS + DAY)
    early = desk.run()
    assert (looks(desk), early.said["state"]) == (1, "provisional")
    assert certificate(early.pack)["second_look_agrees"] is None
    monkeypatch.setattr(clock, "now", lambda: SETTLED)
    assert desk.run().said["state"] == "settled"
    assert looks(desk) == 3


def test_a_look_of_other_days_is_no_second_look(desk: Desk) -> None:
    """Another billing day is another period, which has its own two looks."""
    desk.run()
    desk.set('crosscheck = "none"', account="billing_day = 2")
    desk.run()
    assert looks(desk) == 4


# --- what a second look finds --------------------------------------------------------------


@pytest.mark.parametrize("liar", [0, 1])
def test_looks_that_differ_are_told_whichever_lied(desk: Desk, liar: int) -> None:
    """A call left out of the first look, or of the second: either way it is not settled."""
    lying(desk, liar)
    ran = desk.run()
    assert (ran.code, ran.said["state"]) == (1, "provisional")
    assert certificate(ran.pack)["second_look_agrees"] is False
    (finding,) = [f for f in ran.said["findings"] if f["severity"] == "error"]
    assert (finding["code"], finding["where"]) == (
        "carrier-disagrees",
        "Second look at the carrier",
    )
    assert ran.said["calls"] == (8 if liar == 0 else 7)
    # Two more looks, of which at least the last two agree.
    again = desk.run()
    assert (again.code, again.said["state"], again.said["calls"]) == (0, "settled", 8)


def test_a_look_that_differs_from_the_run_before_is_looked_at_once_more(desk: Desk) -> None:
    """A late call between two runs: the new figure is settled only once it came twice."""
    desk.run()
    desk.carrier.hold([*MONTH, call(99, OCTOBER_ENDS - 1, zone=SYDNEY)])
    ran = desk.run()
    assert looks(desk) == 4
    assert (ran.code, ran.said["state"], ran.said["calls"]) == (0, "settled", 9)


def test_the_same_calls_in_other_replies_agree(desk: Desk) -> None:
    """Shuffled, and with a record twice, the bytes differ and the calls do not."""
    served = [0]

    def shuffled(answer: Answer) -> Answer:
        if not is_asked_for(answer, "plain"):
            return answer
        served[0] += 1
        reply = json.loads(answer.body)
        reply["calls"] = reply["calls"][served[0] :] + reply["calls"][: served[0]]
        reply["calls"].append(reply["calls"][0])
        reply["count"] += 1
        return Answer(answer.status, json.dumps(reply).encode(), question=answer.question)

    desk.carrier.bend = shuffled
    ran = desk.run()
    assert (ran.code, ran.said["state"], ran.said["calls"]) == (0, "settled", 8)
    hashes = {path.name for path in (desk.folder / "archive").rglob("*.json.gz")}
    assert len(hashes) == 2


@pytest.mark.parametrize("depth", ["light", "full"])
def test_a_row_that_both_looks_lack_is_known_by_its_charge(desk: Desk, depth: str) -> None:
    """Two looks agree on a wrong month; asked for the charges alone, the carrier contradicts."""
    desk.set(f'crosscheck = "{depth}"')
    lying(desk, 0, 1)
    ran = desk.run()
    assert (ran.code, ran.said["state"]) == (1, "provisional")
    said = certificate(ran.pack)
    assert said["second_look_agrees"] is True
    assert said["crosschecks"]["depth"] == depth
    failed = [c["check"] for c in said["crosschecks"]["results"] if not c["passed"]]
    assert failed[0].startswith("Charged calls asked alone")
    assert len(failed) == (1 if depth == "light" else 3)
    assert {f["where"] for f in ran.said["findings"]} == set(failed)


def test_no_proof_is_written_where_the_carrier_stops_answering(desk: Desk) -> None:
    """A cross-check without an answer ends the run: exit code 3, no pack; the next run goes on."""
    desk.set('crosscheck = "light"\ntries = 1')
    desk.carrier.bend = lambda answer: (
        Answer(503, b"busy", question=answer.question)
        if is_asked_for(answer, "chargesOnly")
        else answer
    )
    ran = desk.run()
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert (pulls(desk), desk.packs) == ([], [])
    desk.carrier.bend = lambda answer: answer
    assert desk.run().said["state"] == "settled"


# --- what is new ---------------------------------------------------------------------------


def test_a_category_that_no_earlier_month_had_is_pointed_out(desk: Desk) -> None:
    """New for the account, with its calls and dollars; in the first month nothing is new."""
    premium = {"rate": "Premium", "inboundrate": "", "direction": "OUT", "cost": "5.5"}
    calls = [
        *(call(n, SEPTEMBER + n * DAY, zone=SYDNEY) for n in range(3)),
        *MONTH,
        call(50, OCTOBER + 5, zone=SYDNEY, **premium),
        call(51, OCTOBER + 6, zone=SYDNEY, **premium),
        call(60, OCTOBER_ENDS + 5, zone=SYDNEY, **premium),
    ]
    desk.carrier.hold(calls)
    first = desk.run(period="2026-09")
    assert first.said["findings"] == []
    second = desk.run()
    assert second.said["findings"] == [
        {
            "code": "category-new",
            "severity": "info",
            "where": "category Premium",
            "message": "this rate category is new for the account",
            "calls": 2,
            "dollars": "11.00",
        }
    ]
    # Later months teach nothing about earlier ones, and what is known is not new.
    assert desk.run("--offline", "--out", str(desk.folder / "b")).said["findings"] != []
    assert desk.run(period="2026-09").said["findings"] == []
    assert desk.run(period="2026-11-01..2026-11-02").said["findings"] == []


# --- what is written down ------------------------------------------------------------------


def pulled(desk: Desk) -> Pull:
    """Run the month and open its newest pull as the program does."""
    desk.run()
    work = Account(desk.folder / "archive" / "acme").latest_done(OCTOBER_2026)
    assert work is not None
    return work


def test_what_was_found_is_read_back_as_it_was(desk: Desk) -> None:
    """A proof on disk says the same as the one that was made, failed checks among them."""
    desk.set('crosscheck = "full"')
    lying(desk, 0, 1)
    work = pulled(desk)
    found = proofs.recorded(work.folder)
    assert found.second_look is True
    assert found.depth == "full"
    assert [check.passed for check in found.crosschecks] == [False, False, False]
    whole = proof.completeness(work, found)
    assert [line.window for line in whole.windows] == [Window(OCTOBER, OCTOBER_ENDS)]
    assert whole.windows[0].echo == ("2026-10-01 00:00:00", "2026-11-01 00:00:00", SYDNEY)
    assert (whole.splits, whole.refused) == (0, 0)
    assert [finding.severity for finding in whole.findings] == ["error"] * 3


def test_a_pull_without_a_proof_proves_nothing(desk: Desk) -> None:
    """Nothing written down is no second look and no cross-check."""
    work = pulled(desk)
    (work.folder / "proof.json").unlink()
    assert proofs.recorded(work.folder) == Proof(None, "none", (), ())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"second_look": true, "depth": "none"}',
        b'{"second_look": true, "depth": "none", "crosschecks": [["a"]], "new_categories": []}',
        b'{"second_look": true, "depth": "none", "crosschecks": 5, "new_categories": []}',
    ],
)
def test_a_damaged_proof_is_one_line(desk: Desk, content: bytes) -> None:
    """It is evidence: where it cannot be read, no report is made from it. Exit code 4."""
    work = pulled(desk)
    path = work.folder / "proof.json"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"proof\.json"):
        proofs.recorded(work.folder)
    ran = desk.run("--offline")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)


def test_refused_and_split_replies_are_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply that broke a rule and was asked again is in the certificate, with its tries."""
    monkeypatch.setattr(Carrier, "_wait", lambda *_: 0.0)
    desk.carrier._faults = lambda number: "wrong-count" if number == 0 else None
    ran = desk.run()
    said = certificate(ran.pack)
    # The certificate is that of the second look, which went well.
    assert said["replies_refused"] == 0
    desk.carrier._faults = lambda _: None
    met = desk.carrier._met
    desk.carrier._faults = lambda number: "wrong-count" if number == met else None
    desk.carrier.hold([*MONTH, call(99, OCTOBER_ENDS - 1, zone=SYDNEY)])
    monkeypatch.setattr(clock, "now", lambda: OCTOBER_ENDS)
    said = certificate(desk.run().pack)
    assert said["replies_refused"] == 1
    assert [line["tries"] for line in said["windows"]] == [2]


def test_the_oldest_answer_decides_how_old_a_look_is(desk: Desk) -> None:
    """A pull that was taken up again is as old as its first window."""
    work = pulled(desk)
    (answer,) = work.accepted()
    half = Window(answer.window.start, answer.window.start + 60)
    work.record(replace(answer, window=half, asked_at=12345))
    assert proof.oldest_answer(work) == 12345
