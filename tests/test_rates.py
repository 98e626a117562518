"""Rate card check and inference from end to end: a month with planted wrong prices."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call
from workspaces import DAY, SETTLED, Fickle, contents, ran, rows_below, sheet, workspace

from maxo_reports.cli import clock

CARD = """\
category,direction,connect fee,per minute,per call,first increment,increment,rounding,places
Mobile,Outbound,0.05,0.12,,60,60,up,2
Local,Outbound,,,0.10,,,,
Incoming,Inbound,,,0,,,,
"""
OVER, UNDER = {7: "0.50", 14: "1.21"}, {21: "0.01"}


def month() -> list[dict[str, Any]]:
    """Make forty mobile calls up, and some of three other categories; four are wrong."""
    calls = []
    for n in range(1, 41):
        seconds = 25 * n
        minutes = -(-seconds // 60)
        right = f"{Decimal('0.05') + Decimal('0.12') * minutes}"
        cost = OVER.get(n) and str(Decimal(right) + Decimal(OVER[n]))
        cost = cost or (UNDER.get(n) and str(Decimal(right) - Decimal(UNDER[n]))) or right
        out = {"direction": "OUT", "origin": "0255500140", "destination": "0491570006"}
        calls.append(
            call(
                *(n, OCTOBER + n * DAY // 2),
                **out,
                zone=SYDNEY,
                rate="Mobile",
                inboundrate="",
                duration=seconds,
                cost=cost,
            )
        )
        rate = "Local" if n % 2 else "Directory"
        calls.append(
            call(
                *(100 + n, OCTOBER + n * DAY // 2 + 60),
                **out,
                zone=SYDNEY,
                rate=rate,
                inboundrate="",
                duration=30 + n,
                cost="0.10" if n % 2 else "1.5",
            )
        )
    calls.append(call(900, OCTOBER + DAY, zone=SYDNEY, cost="0"))
    calls.append(call(901, OCTOBER + DAY, zone=SYDNEY, cost="-0.75"))
    return calls


@pytest.fixture(autouse=True, scope="module")
def _key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAXO_API_KEY", KEY)
        patch.setattr(clock, "now", lambda: SETTLED)
        yield


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Path]:
    """Yield a workspace whose month has been pulled, with a rate card."""
    with Fickle(month()) as carrier:
        workspace(tmp_path, carrier.base_url, SYDNEY)
        (tmp_path / "card.csv").write_text(CARD, encoding="utf-8")
        assert ran(tmp_path, "pull", "2026-10").code == 0
        yield tmp_path


def check(desk: Path, *words: str) -> Any:
    """Hold October against the card."""
    card = str(desk / "card.csv")
    return ran(desk, "ratecard", "check", "2026-10", "--card", card, "--json", *words)


def test_wrong_prices_are_found_with_their_calls_and_dollars(desk: Path) -> None:
    """In the JSON, in the workbook, in the CSV; the sums come to the carrier's cost."""
    done = check(desk)
    said = done.said
    assert done.code == 1
    assert (said["overcharged_calls"], said["overcharged"]) == (2, "1.71")
    assert (said["undercharged_calls"], said["undercharged"]) == (1, "0.01")
    assert (said["not_rated_calls"], said["not_rated"]) == (20, "30.00")
    by_card = Decimal(said["by_card"])
    parts = by_card + Decimal("1.71") - Decimal("0.01") + 30 - Decimal("0.75")
    assert parts == Decimal(said["cost"])
    with (done.pack / "acme-2026-10-ratecard-differences.csv").open(encoding="utf-8") as file:
        listed = {line["call_id"]: line for line in csv.DictReader(file)}
    assert {n for n, line in listed.items() if line["verdict"] == "overcharged"} == {"7", "14"}
    assert listed["21"]["difference"] == "-0.01"
    assert listed["901"]["verdict"] == "credit"
    assert listed["7"]["billed"] == "180"
    book = rows_below(sheet(done.pack, "By category"), "Rate category")
    mobile = next(row for row in book if row["Rate category"] == "Mobile")
    assert (mobile["Calls overcharged"], mobile["Overcharged"]) == (2, 1.71)
    differences = rows_below(sheet(done.pack, "Differences"), "Verdict")
    assert [row["Call ID"] for row in differences if row["Verdict"] == "overcharged"] == [
        *("14", "7")
    ]
    assert ran(desk, "verify", str(done.pack)).code == 0


def test_the_same_card_makes_no_second_pack_and_another_does(desk: Path) -> None:
    """Nothing issued is changed."""
    first = check(desk)
    before = contents(desk / "out")
    assert check(desk).said["unchanged"]
    assert contents(desk / "out") == before
    assert check(desk, "--tolerance", "0.01").said["revision"] == 2
    (desk / "card.csv").write_text(CARD.replace("0.12", "0.13"), encoding="utf-8")
    assert check(desk).said["revision"] == 3
    assert first.said["revision"] == 1
    assert all(contents(desk / "out")[name] == before[name] for name in before)


def test_a_tolerance_must_be_dollars_and_a_card_must_be_right(desk: Path) -> None:
    """Refused, with nothing written."""
    assert "--tolerance must be dollars" in check(desk, "--tolerance", "1c").err
    (desk / "card.csv").write_text(CARD + "Mobile,Outbound,,1,,,,,\n", encoding="utf-8")
    done = check(desk)
    assert done.code == 2
    assert "card.csv line 5: is for the same calls as line 2" in done.err
    assert not (desk / "out").exists()


def test_a_card_with_gst_beside_costs_of_which_nothing_is_known(desk: Path) -> None:
    """Compared as they are, and said."""
    text = CARD.replace("places\n", "places,gst\n").replace("up,2\n", "up,2,exclusive\n")
    (desk / "card.csv").write_text(text, encoding="utf-8")
    codes = {finding["code"] for finding in check(desk).said["findings"]}
    assert "gst-basis-unknown" in codes


def test_prices_are_inferred_and_the_card_that_is_written_says_the_same(desk: Path) -> None:
    """The planted calls are the outliers, and nothing else; the models hold as a card."""
    target = desk / "inferred.csv"
    words = ("ratecard", "infer", "2026-10", "--json", "--write", str(target))
    done = ran(desk, *words)
    models = {each["category"]: each for each in done.said["models"]}
    assert models["Mobile"]["model"].startswith("$0.05 + $0.12/min, 60+60 s")
    assert set(models["Mobile"]["outliers"]) == {"7", "14", "21"}
    assert models["Local"]["model"].startswith("$0.10 a call")
    assert models["Incoming"]["model"] == "free"
    assert models["Incoming"]["outliers"] == ["901"]
    outliers = rows_below(sheet(done.pack, "Outliers"), "Verdict")
    assert {row["Call ID"] for row in outliers} - {""} == {"7", "14", "21", "901"}
    assert ran(desk, "verify", str(done.pack)).code == 0
    again = ran(desk, *words)
    assert again.code == 2
    assert "is there already" in again.err
    card = ("ratecard", "check", "2026-10", "--card", str(target), "--json")
    checked = ran(desk, *card).said
    assert (checked["overcharged_calls"], checked["undercharged_calls"]) == (2, 1)
    assert checked["not_rated_calls"] == 0


def test_packs_are_made_again_from_the_archive_alone(desk: Path) -> None:
    """Byte for byte, also when the card is gone: its file is kept under its hash."""
    made = [check(desk, "--tolerance", "0.005").pack]
    made.append(ran(desk, "ratecard", "infer", "2026-10", "--json").pack)
    (desk / "card.csv").unlink()
    for pack in made:
        done = ran(desk, "verify", str(pack), "--rebuild")
        assert (done.code, "every file is identical" in done.out) == (0, True), done.err
    (kept,) = (desk / "archive" / "acme" / "inputs").iterdir()
    kept.unlink()
    assert ran(desk, "verify", str(made[0]), "--rebuild").code == 4


def test_a_period_that_was_never_pulled_is_refused(desk: Path) -> None:
    """Prices are looked for in the archive; the carrier is not asked."""
    done = ran(desk, "ratecard", "infer", "2026-09")
    assert done.code == 4
    assert "pull it first" in done.err


def test_words_for_people(desk: Path) -> None:
    """Without --json: what was found, in lines, and where the files are."""
    done = ran(desk, "ratecard", "check", "2026-10", "--card", str(desk / "card.csv"))
    assert "overcharged: 2 calls, $1.71" in done.out
    assert "acme-2026-10-ratecard.xlsx" in done.out
    done = ran(desk, "ratecard", "infer", "2026-10")
    assert "Mobile, Outbound: $0.05 + $0.12/min, 60+60 s" in done.out
