"""Issuing: a month run again and again while the carrier changes its mind, and nothing is lost."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from carriers import KEY, OCTOBER, SYDNEY, Raw, call
from workspaces import (
    DAY,
    OCTOBER_ENDS,
    QUICK,
    SETTLED,
    Desk,
    Fickle,
    changes_in,
    contents,
    is_asked_for,
    printed,
    rows_below,
    sheet,
)

from maxo_reports import cli, definitions
from maxo_reports.cli import clock as the_clock
from maxo_reports.pack import verify
from maxo_reports.render import SystemLibraryMissing, pdf
from maxo_reports.sandbox.answers import Answer

poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")
COSTS = ("0.25", "1.0333", "0", "12.5", "-0.3", "0.05")


def month(**odd: dict[str, Any]) -> list[dict[str, Any]]:
    """Make twelve calls of October; ``odd`` sets fields of the call of that number."""
    return [
        call(
            n,
            OCTOBER + n * 2 * DAY + n,
            zone=SYDNEY,
            **{"cost": COSTS[n % 6], "duration": 30 + n, **odd.get(f"n{n}", {})},
        )
        for n in range(1, 13)
    ]


MONTH = month()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAXO_API_KEY", KEY)


class Clock:
    """The clock of a test, in unix seconds; it stands still until it is set."""

    def __init__(self) -> None:
        self.now = SETTLED

    def __call__(self) -> int:
        """Read it."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stand three days after the month's end, until told otherwise."""
    clock = Clock()
    monkeypatch.setattr(the_clock, "now", clock)
    return clock


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """Open a workspace at a carrier that has the month."""
    with Fickle(MONTH) as carrier:
        yield Desk(tmp_path, carrier)


def cost(calls: list[Raw] | list[dict[str, Any]]) -> Decimal:
    """Add the costs up."""
    return sum((Decimal(each["cost"]) for each in calls), Decimal(0))


def settled(desk: Desk, **more: Any) -> Path:
    """Issue the month as it is, settled, without a finding that needs a person."""
    ran = desk.run(**more)
    assert (ran.code, ran.said["state"]) == (0, "settled")
    return ran.pack


# --- the same again ------------------------------------------------------------------------


def test_an_unchanged_month_is_not_issued_again(desk: Desk, clock: Clock) -> None:
    """Run again, a day and a year later: the same revision, the same bytes, no new file."""
    first = desk.run()
    assert (first.code, first.said["revision"], first.said["unchanged"]) == (0, 1, False)
    out = desk.folder / "out"
    before = contents(out)
    for later in (0, 365 * DAY):
        clock.now = SETTLED + later
        again = desk.run()
        assert (again.code, again.said["revision"], again.said["unchanged"]) == (0, 1, True)
        assert again.pack == first.pack
        assert contents(out) == before
    assert desk.packs == ["r1"]


def test_calls_in_another_order_and_in_other_windows_are_the_same_month(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the carrier shuffles, or repeats, is no change."""
    settled(desk)
    desk.carrier._order = "shuffled"
    assert desk.run().said["unchanged"]
    desk.carrier.hold([*MONTH, MONTH[3]])
    assert desk.run().said["unchanged"]


# --- what changed --------------------------------------------------------------------------


@poppler
def test_a_late_and_a_repriced_call_make_the_next_revision_and_explain_it(desk: Desk) -> None:
    """r2 names exactly these two in every file, and their dollars are the totals' difference."""
    first = desk.run(report="statement")
    before = contents(first.pack)
    late = call(99, OCTOBER_ENDS - 1, zone=SYDNEY, cost="3.1", duration=600)
    changed = [*month(n4={"cost": "0.0001"}), late]
    desk.carrier.hold(changed)
    second = desk.run(report="statement")
    third = desk.run(report="statement")
    assert (second.code, second.said["revision"], second.said["state"]) == (0, 2, "settled")
    listed = changes_in(second.pack)
    assert [(row["change"], row["call_id"]) for row in listed] == [
        ("Re-priced", "4"),
        ("Added", "99"),
    ]
    # Eight times 24 hours after the month began, in which the clocks went forward.
    assert [row["started"] for row in listed] == ["2026-10-09 01:00:04", "2026-10-31 23:59:59"]
    assert (listed[0]["cost_before"], listed[0]["cost"]) == ("-0.30", "0.0001")
    assert (listed[1]["cost_before"], listed[1]["cost"]) == ("", "3.10")
    moved = sum(Decimal(row["dollars"]) for row in listed)
    assert moved == Decimal(second.said["cost"]) - Decimal(first.said["cost"])
    assert Decimal(first.said["cost"]) == cost(MONTH)
    assert Decimal(second.said["cost"]) == cost(changed)

    rows = sheet(second.pack, "Changes")
    kinds = {r["Change"]: r for r in rows_below(rows, "Change") if r["Calls"] != ""}
    assert {name: int(row["Calls"]) for name, row in kinds.items()} == {
        "Added": 1,
        "Removed": 0,
        "Re-priced": 1,
        "Re-labelled": 0,
        "Total": 2,
    }
    assert Decimal(str(kinds["Total"]["Dollars"])) == moved == Decimal("3.4001")
    at = max(n for n, row in enumerate(rows) if row[0] == "Change")
    in_book = rows_below(rows[at:], "Change")
    assert [(row["Change"], row["Call ID"]) for row in in_book] == [
        ("Re-priced", "4"),
        ("Added", "99"),
    ]
    assert [Decimal(str(row["Difference"])) for row in in_book] == [
        Decimal("0.3001"),
        Decimal("3.1"),
    ]
    text = printed(second.pack)
    assert "Compared with revision 1." in text
    lines = [line.split() for line in text.splitlines()]
    at = lines.index(["Change", "Calls", "Dollars"])
    assert [line for line in lines[at + 1 :] if line][:5] == [
        ["Added", "1", "3.1000"],
        ["Removed", "0", "0.0000"],
        ["Re-priced", "1", "0.3001"],
        ["Re-labelled", "0", "0.0000"],
        ["Total", "2", "$3.4001"],
    ]

    assert contents(first.pack) == before
    assert third.said["unchanged"]


def test_the_changes_block_is_in_no_first_issue(desk: Desk) -> None:
    """What is issued for the first time has nothing to compare itself with."""
    pack = settled(desk)
    assert not (pack / "changes.csv").exists()
    with pytest.raises(Exception, match="Changes"):
        sheet(pack, "Changes")


def test_a_removed_and_a_relabelled_call_are_named_and_come_back(desk: Desk) -> None:
    """r2 loses a call and renames one; r3 is the first month again, with the way back listed."""
    first = desk.run()
    relabelled = month(n6={"inboundrate": "Incoming 1800"})
    desk.carrier.hold([each for each in relabelled if each["callid"] != 3])
    second = desk.run()
    assert [
        (row["change"], row["call_id"], row["dollars"]) for row in changes_in(second.pack)
    ] == [
        ("Removed", "3", "-12.50"),
        ("Re-labelled", "6", "0.00"),
    ]
    named = changes_in(second.pack)[1]
    assert (named["category_before"], named["category"]) == ("Incoming", "Incoming 1800")
    assert named["cost_before"] == named["cost"] == "0.25"
    issued = contents(desk.folder / "out")

    desk.carrier.hold(MONTH)
    third = desk.run()
    assert third.said["revision"] == 3
    assert [(row["change"], row["call_id"], row["dollars"]) for row in changes_in(third.pack)] == [
        ("Added", "3", "12.50"),
        ("Re-labelled", "6", "0.00"),
    ]
    assert third.said["cost"] == first.said["cost"]
    still = contents(desk.folder / "out")
    assert {name: still[name] for name in issued} == issued
    assert desk.packs == ["r1", "r2", "r3"]


FIELDS: list[tuple[str, object, object, str]] = [
    ("cost", "0.25", "0.250001", "Re-priced"),
    ("cost", "-0.000001", "-0.000002", "Re-priced"),
    ("cost", "0.25", "free", "Re-priced"),
    ("cost", "free", "none", "Re-priced"),
    ("duration", 60, 61, "Re-labelled"),
    ("duration", 60, None, "Re-labelled"),
    ("status", "Connected.", "No Answer.", "Re-labelled"),
    ("origin", "0491570006", "491570006", "Re-labelled"),
    ("destination", "0755500140/PBX", "0755500140", "Re-labelled"),
    ("direction", "IN", "OUT", "Re-labelled"),
    ("inboundrate", "Incoming", "incoming", "Re-labelled"),
]


def test_every_field_that_the_carrier_changes_is_a_change(desk: Desk) -> None:
    """Each field of a call, changed as little as can be: the next revision names that call."""
    before, after = (
        month(**{f"n{n}": {field: values[at]} for n, (field, *values, _) in enumerate(FIELDS, 1)})
        for at in (0, 1)
    )
    desk.carrier.hold(before)
    first = desk.run()
    desk.carrier.hold(after)
    second = desk.run()
    assert second.said["revision"] == 2
    listed = [(row["call_id"], row["change"]) for row in changes_in(second.pack)]
    assert listed == [(str(n), kind) for n, (*_, kind) in enumerate(FIELDS, 1)]
    moved = sum(Decimal(row["dollars"]) for row in changes_in(second.pack))
    assert Decimal(second.said["cost"]) - Decimal(first.said["cost"]) == moved


def test_other_settings_make_a_revision_in_which_no_call_changed(desk: Desk) -> None:
    """A word on GST, or another name on the statement, is a new issue and says what it is."""
    settled(desk)
    desk.set(account='cost_gst = "inclusive"')
    second = desk.run()
    assert (second.code, second.said["revision"]) == (0, 2)
    assert changes_in(second.pack) == []
    notes = [row[0] for row in sheet(second.pack, "Changes")]
    assert "Compared with revision 1. No call changed; settings, state or version did." in notes
    assert desk.run().said["unchanged"]


def test_another_look_is_another_revision(desk: Desk) -> None:
    """A definition, a comment in it, a template, the palette: all are part of what was issued."""
    settled(desk)
    templates = desk.folder / "templates"
    templates.mkdir()
    palette = (definitions.shipped() / "templates" / "theme.toml").read_text(encoding="utf-8")
    changes = (
        lambda: desk.define(QUICK.replace('"Call statement"', '"Calls by Acme"')),
        lambda: desk.define(f"# a word\n{QUICK}"),
        lambda: (templates / "letter.html").write_text("<p>mine</p>"),
        lambda: (templates / "theme.toml").write_text(palette.replace("#0f5f8c", "#205060")),
    )
    for revision, change in enumerate(changes, 2):
        change()
        ran = desk.run()
        assert (ran.code, ran.said["revision"]) == (0, revision)
        assert changes_in(ran.pack) == []


def test_where_the_calls_behind_an_issue_are_gone_that_is_said(desk: Desk) -> None:
    """Without the earlier pull no changes can be listed: a finding, and no list that pretends."""
    settled(desk)
    # The next pulls begin at number 1 again, so that other calls have the old ones' number.
    for pull in (desk.folder / "archive" / "acme" / "periods").glob("*/pull-*"):
        shutil.rmtree(pull)
    desk.carrier.hold(month(n4={"cost": "9"}))
    second = desk.run()
    assert second.code == 1
    assert second.said["revision"] == 2
    assert "changes-unknown" in [each["code"] for each in second.said["findings"]]
    assert not (second.pack / "changes.csv").exists()


def test_a_month_that_begins_on_another_day_is_not_compared_call_by_call(desk: Desk) -> None:
    """With another billing day the same label means other days: that is said, not compared."""
    settled(desk)
    desk.set(account="billing_day = 15")
    second = desk.run()
    assert second.said["period"]["start"].startswith("2026-10-15T00:00:00")
    assert "changes-unknown" in [each["code"] for each in second.said["findings"]]


def test_a_damaged_issue_is_not_passed_off_as_standing(desk: Desk) -> None:
    """Where nothing changed but the last pack was tampered with, that is told: exit code 5."""
    pack = settled(desk)
    book = next(pack.glob("*.xlsx"))
    book.write_bytes(book.read_bytes()[:-1])
    again = desk.run()
    assert again.code == 5
    assert book.name in again.err
    assert again.err.count("\n") == 1


def test_two_reports_of_one_filename_are_refused_in_one_line(desk: Desk) -> None:
    """Two files of one name would overwrite each other: usage, and nothing is issued."""
    (desk.folder / "reports" / "other.toml").write_text(QUICK)
    ran = desk.run("--report", "other")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "acme-2026-10-statement.xlsx" in ran.err
    assert desk.packs == []


# --- files that cannot be made -------------------------------------------------------------


def test_a_missing_library_makes_one_revision_and_its_return_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Pango the workbook is issued, once; when it is there, so is the PDF, as r2."""

    def missing() -> None:
        raise SystemLibraryMissing("a PDF needs Pango")

    with monkeypatch.context() as without:
        without.setattr(pdf, "_weasyprint", missing)
        first = desk.run(report="statement")
        before = contents(desk.folder / "out")
        again = desk.run(report="statement")
    for ran in (first, again):
        assert ran.code == 1
        assert [each["code"] for each in ran.said["findings"]] == ["file-not-made", "credit"]
    assert (again.said["revision"], again.said["unchanged"]) == (1, True)
    assert contents(desk.folder / "out") == before
    assert not list(first.pack.glob("*.pdf"))
    second = desk.run(report="statement")
    assert (second.code, second.said["revision"]) == (0, 2)
    assert list(second.pack.glob("*.pdf"))
    assert changes_in(second.pack) == []


# --- without the carrier -------------------------------------------------------------------


def test_a_month_is_made_again_without_the_carrier_and_without_a_key(
    desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From the archive alone, a year later, elsewhere, from the replies only: the same bytes."""
    pack = settled(desk)
    asked = len(desk.carrier.asked)
    monkeypatch.delenv("MAXO_API_KEY")
    clock.now += 365 * DAY
    for folder in (desk.folder / "archive").rglob("calls"):
        shutil.rmtree(folder)
    elsewhere = tmp_path / "elsewhere"
    again = desk.run("--offline", "--out", str(elsewhere))
    assert (again.code, again.said["revision"]) == (0, 1)
    assert again.pack == elsewhere / "acme" / "2026-10" / "r1"
    assert contents(again.pack) == contents(pack)
    assert desk.run("--offline").said["unchanged"]
    assert len(desk.carrier.asked) == asked


def test_a_month_that_was_never_pulled_cannot_be_made_offline(desk: Desk) -> None:
    """No archive, no report: exit code 4 and one line that says what to do."""
    ran = desk.run("--offline")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert "run once without --offline" in ran.err
    assert desk.packs == []


def test_offline_after_a_bare_pull_is_provisional(desk: Desk) -> None:
    """A pull alone takes no second look, so what is made of it says so."""
    assert cli.main(["-C", str(desk.folder), "pull", "2026-10"]) == 0
    ran = desk.run("--offline")
    assert (ran.code, ran.said["state"]) == (0, "provisional")
    assert ran.said["reasons"] == ["no second look has been taken at the carrier yet"]


# --- made again, byte for byte -------------------------------------------------------------


def test_every_revision_can_be_made_again(desk: Desk) -> None:
    """r1, r2 and r3 come out of the archive to the last byte, whatever came after them."""
    settled(desk)
    for price in ("7", "8"):
        desk.carrier.hold(month(n4={"cost": price}))
        desk.run()
    place = desk.folder / "out" / "acme" / "2026-10"
    asked = len(desk.carrier.asked)
    for number in (1, 2, 3):
        ran = desk.verify(place / f"r{number}", "--rebuild")
        assert (ran.code, ran.err) == (0, "")
        assert "every file is identical" in ran.out
    assert len(desk.carrier.asked) == asked


def test_a_pack_can_be_made_again_from_wherever_it_is(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From inside its folder as ``.``, and under another name; its revision is its own word."""
    pack = settled(desk)
    monkeypatch.chdir(pack)
    assert desk.verify(Path(), "--rebuild").code == 0
    shutil.copytree(pack, tmp_path / "october")
    assert desk.verify(tmp_path / "october", "--rebuild").code == 0
    desk.carrier.hold(month(n4={"cost": "7"}))
    second = desk.run().pack
    monkeypatch.chdir(second)
    assert desk.verify(Path(), "--rebuild").code == 0
    shutil.copytree(second, tmp_path / "alone" / "r2")
    alone = desk.verify(tmp_path / "alone" / "r2", "--rebuild")
    assert (alone.code, alone.err.count("\n")) == (4, 1)
    assert "revision 1 is not beside" in alone.err


def test_what_can_no_longer_be_made_again_says_why(desk: Desk) -> None:
    """Where settings or definitions have changed since, that is named instead of any bytes."""
    pack = settled(desk)
    toml = desk.folder / "maxo.toml"

    def swap(old: str, new: str) -> None:
        toml.write_text(toml.read_text().replace(old, new))

    changes = {
        "another cost_gst:": lambda: desk.set(account='cost_gst = "exclusive"'),
        "another state, reasons:": lambda: desk.set("settle_hours = 96"),
        "another name:": lambda: swap('"Acme"', '"Acme 2"'),
        "another period:": lambda: swap(SYDNEY, "Australia/Melbourne"),
        "another reports:": lambda: desk.define(f"# a word\n{QUICK}"),
    }
    for says, change in changes.items():
        desk.set()
        change()
        ran = desk.verify(pack, "--rebuild")
        assert (ran.code, ran.err.count("\n")) == (5, 1)
        assert says in ran.err
    desk.set()
    desk.define(QUICK)
    assert desk.verify(pack, "--rebuild").code == 0


def reseal(pack: Path, name: str) -> None:
    """Give a changed file its hash in manifest and sums, as a careful forger would."""
    path = pack / "manifest.json"
    manifest = json.loads(path.read_bytes())
    for entry in manifest["files"]:
        if entry["name"] == name:
            content = (pack / name).read_bytes()
            entry["bytes"], entry["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    lines = [f"{entry['sha256']}  {entry['name']}" for entry in manifest["files"]]
    lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  manifest.json")
    (pack / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def test_a_forged_workbook_is_named_part_by_part(desk: Desk) -> None:
    """Another number dialled, resealed with care, passes for issued; made again it does not."""
    pack = settled(desk)
    book = next(pack.glob("*.xlsx"))
    with zipfile.ZipFile(book) as package:
        parts = {entry: package.read(entry) for entry in package.infolist()}
    calls = next(e for e, part in parts.items() if b"0755500140/PBX" in part)
    parts[calls] = parts[calls].replace(b"0755500140/PBX", b"0755500141/PBX", 1)
    with zipfile.ZipFile(book, "w") as package:
        for entry, part in parts.items():
            package.writestr(entry, part)
    reseal(pack, book.name)
    assert verify(pack).folder == pack
    ran = desk.verify(pack, "--rebuild")
    assert (ran.code, ran.err.count("\n")) == (5, 1)
    assert f"{book.name} differs in {calls.filename}" in ran.err
    assert "manifest.json differs" in ran.err
    others = [entry.filename for entry in parts if entry is not calls]
    assert not any(name in ran.err for name in others)


def test_a_forged_certificate_is_named(desk: Desk) -> None:
    """The same for the completeness certificate."""
    pack = settled(desk)
    path = pack / "completeness.json"
    path.write_text(path.read_text().replace('"full_replies_split": 0', '"full_replies_split": 1'))
    reseal(pack, path.name)
    ran = desk.verify(pack, "--rebuild")
    assert ran.code == 5
    assert "completeness.json differs" in ran.err
    assert ".xlsx" not in ran.err


def test_a_damaged_reply_is_no_source(desk: Desk) -> None:
    """A reply that is gone or not what its name says ends the rebuild: exit code 4, one line."""
    pack = settled(desk)
    archive = desk.folder / "archive" / "acme"
    for folder in archive.rglob("calls"):
        shutil.rmtree(folder)
    # The reply that counts, among those of the cross-checks.
    said = json.loads((pack / "completeness.json").read_text())
    name = said["windows"][0]["sha256"]
    reply = archive / "replies" / name[:2] / f"{name}.json.gz"
    other = next(each for each in archive.rglob("*.json.gz") if each != reply)
    whole = reply.read_bytes()
    bent = bytearray(whole)
    bent[len(bent) // 2] ^= 1
    for content in (None, bytes(bent), other.read_bytes(), whole[:-1]):
        reply.unlink(missing_ok=True)
        if content is not None:
            reply.write_bytes(content)
        for ran in (desk.verify(pack, "--rebuild"), desk.run("--offline")):
            assert (ran.code, ran.err.count("\n")) == (4, 1)
            assert name in ran.err
    reply.write_bytes(whole)
    assert desk.verify(pack, "--rebuild").code == 0


def test_a_pack_without_its_pull_or_account_cannot_be_made_again(desk: Desk) -> None:
    """Each is one line that names what is missing."""
    pack = settled(desk)
    toml = desk.folder / "maxo.toml"
    text = toml.read_text()
    toml.write_text(text.replace("[account.acme]", "[account.acne]"))
    gone = desk.verify(pack, "--rebuild")
    assert (gone.code, gone.err.count("\n")) == (2, 1)
    assert "did you mean 'acne'" in gone.err
    toml.write_text(text)
    shutil.rmtree(desk.folder / "archive")
    gone = desk.verify(pack, "--rebuild")
    assert (gone.code, gone.err.count("\n")) == (4, 1)
    assert "no longer in the archive" in gone.err


# --- provisional or settled ----------------------------------------------------------------

HOUR = 3600


@pytest.mark.parametrize(
    ("now", "hours", "state", "reasons"),
    [
        (OCTOBER_ENDS - 1, 48, "provisional", ["the period was not over when"]),
        (OCTOBER_ENDS + 48 * HOUR - 1, 48, "provisional", ["less than 48 hours"]),
        (OCTOBER_ENDS + 48 * HOUR, 48, "settled", []),
        (OCTOBER_ENDS, 0, "settled", []),
    ],
)
def test_age_decides_to_the_second(
    desk: Desk, clock: Clock, now: int, hours: int, state: str, reasons: list[str]
) -> None:
    """By its age alone a month is provisional, says why in every file, and exits with 0."""
    desk.set(f"settle_hours = {hours}")
    clock.now = now
    ran = desk.run()
    assert (ran.code, ran.said["state"]) == (0, state)
    assert len(ran.said["reasons"]) == len(reasons)
    assert all(words in said for words, said in zip(reasons, ran.said["reasons"], strict=True))
    for name in ("manifest.json", "completeness.json"):
        content = json.loads((ran.pack / name).read_text())
        assert content.get("basis", content)["state"] == state
    cover = "\n".join(str(cell) for row in sheet(ran.pack, "Summary") for cell in row)
    assert ("provisional" in cover.lower()) == (state == "provisional")
    # A look at a month that is not old enough settles nothing, so no second one is taken.
    looks = sum(each.filters == ("outputFormat=json",) for each in desk.carrier.asked)
    assert looks == (2 if state == "settled" else 1)


def test_a_month_settles_when_it_is_old_enough(desk: Desk, clock: Clock) -> None:
    """The same calls, first too early, then late enough: r1 provisional, r2 settled."""
    clock.now = OCTOBER_ENDS + HOUR
    assert desk.run().said["state"] == "provisional"
    clock.now = SETTLED
    second = desk.run()
    assert (second.said["revision"], second.said["state"]) == (2, "settled")
    assert changes_in(second.pack) == []


def drop_first(answer: Answer, done: list[bool]) -> Answer:
    """Leave one call out of the first plain answer, whose count then agrees with what it holds."""
    if done or not is_asked_for(answer, "plain"):
        return answer
    done.append(True)
    return Answer(answer.status, without(answer.body, 7), answer.kind, question=answer.question)


def without(body: bytes, callid: int) -> bytes:
    """Return a reply that lacks a call and does not show it."""
    reply = json.loads(body)
    reply["calls"] = [each for each in reply["calls"] if each["callid"] != callid]
    reply["count"] = len(reply["calls"])
    return json.dumps(reply).encode()


def test_a_second_look_that_differs_keeps_a_month_provisional(desk: Desk) -> None:
    """Two looks that differ are an error that needs a person; two that agree settle it."""
    done: list[bool] = []
    desk.carrier.bend = lambda answer: drop_first(answer, done)
    first = desk.run()
    assert (first.code, first.said["state"]) == (1, "provisional")
    (finding,) = [f for f in first.said["findings"] if f["code"] == "carrier-disagrees"]
    assert finding["severity"] == "error"
    assert finding["where"] == "Second look at the carrier"
    assert first.said["reasons"] == ["findings that change figures: carrier-disagrees"]
    # The later look is the one that the report is made from, and it is whole.
    assert Decimal(first.said["cost"]) == cost(MONTH)
    second = desk.run()
    assert (second.code, second.said["state"], second.said["revision"]) == (0, "settled", 2)
    assert changes_in(second.pack) == []


@pytest.mark.parametrize(
    ("odd", "code", "state"),
    [
        ({"cost": "call us"}, 1, "provisional"),
        ({"direction": "SIDEWAYS"}, 1, "settled"),
        ({"status": "Voicemail."}, 0, "settled"),
    ],
)
def test_findings_decide_exit_code_and_state(
    desk: Desk, odd: dict[str, str], code: int, state: str
) -> None:
    """An error needs a person and keeps the month open; a warning needs a person; info nobody."""
    desk.carrier.hold(month(n2=odd))
    ran = desk.run()
    assert (ran.code, ran.said["state"]) == (code, state)


# --- accounts and zones --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        ("Australia/Adelaide", "2026-10-01T00:00:00+09:30", "2026-11-01T00:00:00+10:30"),
        ("Australia/Lord_Howe", "2026-10-01T00:00:00+10:30", "2026-11-01T00:00:00+11:00"),
    ],
)
def test_revisions_are_right_in_every_zone(
    tmp_path: Path, clock: Clock, zone: str, start: str, end: str
) -> None:
    """A call in the last second of the month, come late, is in r2 at its own local time."""
    first, until = (int(datetime.fromisoformat(text).timestamp()) for text in (start, end))
    clock.now = until + 3 * DAY
    calls = [call(1, first, zone=zone), call(2, until, zone=zone)]
    with Fickle(calls, zone) as carrier:
        desk = Desk(tmp_path, carrier, zone)
        ran = desk.run()
        assert ran.said["period"]["start"] == start
        assert ran.said["period"]["end"] == end
        assert ran.said["calls"] == 1
        carrier.hold([*calls, call(3, until - 1, zone=zone)])
        second = desk.run()
        (row,) = changes_in(second.pack)
        assert (row["change"], row["call_id"]) == ("Added", "3")
        assert row["started"] == "2026-10-31 23:59:59"
        (in_book,) = [r for r in sheet(second.pack, "Calls")[1:] if r[0] == "3"]
        assert f"{in_book[1]:%Y-%m-%d %H:%M:%S}" == "2026-10-31 23:59:59"
        assert in_book[8] == timedelta(seconds=60)


def test_each_account_has_revisions_of_its_own(tmp_path: Path, clock: Clock) -> None:
    """A change in one account's month is no new issue of another's."""
    with Fickle(MONTH) as carrier, Fickle(MONTH, key="other-key-1") as other:
        desk = Desk(tmp_path, carrier)
        desk.set(
            account=f'[account.beta]\nname = "Beta"\ntimezone = "{SYDNEY}"\n'
            f'base_url = "{other.base_url}"\napi_key_file = "beta.key"\n'
        )
        (tmp_path / "beta.key").write_text("other-key-1\n")
        (tmp_path / "beta.key").chmod(0o600)
        both = desk.run("--all").said["runs"]
        assert [(each["account"], each["revision"]) for each in both] == [("acme", 1), ("beta", 1)]
        other.hold(month(n4={"cost": "9"}))
        both = desk.run("--all").said["runs"]
        assert [(each["account"], each["revision"]) for each in both] == [("acme", 1), ("beta", 2)]
        assert both[0]["unchanged"]


if sys.platform == "win32":
    pytestmark = pytest.mark.skip(reason="these tests count on POSIX permissions")
