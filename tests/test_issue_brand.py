"""A sender in a pack: part of its basis, read back with it, and the same bytes when made again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from carriers import KEY, OCTOBER, SYDNEY, call
from test_config_brand import SVG
from workspaces import DAY, SETTLED, Desk, Fickle, Ran, sheet

from maxo_reports.cli import clock as the_clock

LETTER = """
version = 1
title = "Call statement"
filename = "{account}-{period}-statement"
[[section]]
kind = "summary"
title = "Summary"
[[section]]
kind = "previous"
title = "Beside the month before"
[[section]]
kind = "gst"
title = "GST"
[[section]]
kind = "top-destinations"
title = "Top destinations"
order_by = "calls"
most = 2
[[section]]
kind = "longest-calls"
title = "Longest"
most = 3
[[section]]
kind = "dearest-calls"
title = "Dearest"
show = ["b_party", "cost"]
[[section]]
kind = "groups"
title = "By category"
group_by = ["direction", "category"]
order_by = "cost"
subtotals = true
chart = true
formats = ["pdf"]
[[section]]
kind = "itemised"
title = "Calls"
formats = ["xlsx"]
[[section]]
kind = "checks"
title = "Checks"
"""
ACCOUNT = 'cost_gst = "inclusive"\n[account.acme.recipient]\naddress = ["12 Wattle Lane"]\n'
BRAND = '[account.acme.brand]\nname = "Harbour Voice"\nlogo = "logo.svg"\n'


def calls(first: int, count: int) -> list[dict[str, Any]]:
    """Make outbound calls, one a day from a moment on."""
    return [
        call(
            first % 1_000 + n,
            first + n * DAY,
            zone=SYDNEY,
            direction="OUT",
            origin="0255500140",
            destination=f"02555001{n % 4:02}",
            rate=("Local", "Mobile")[n % 2],
            inboundrate="",
            cost=f"0.{n:02}5",
            duration=60 + n,
        )
        for n in range(count)
    ]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Stand three days after October at a carrier that has September, too."""
    monkeypatch.setenv("MAXO_API_KEY", KEY)
    monkeypatch.setattr(the_clock, "now", lambda: SETTLED)
    september = calls(OCTOBER - 20 * DAY, 5)
    for each in september:
        each["callid"] += 50_000
    with Fickle([*september, *calls(OCTOBER, 9)]) as carrier:
        desk = Desk(tmp_path, carrier)
        desk.define(LETTER)
        (tmp_path / "logo.svg").write_text(SVG.format('<rect width="9" height="9"/>'))
        desk.set(account=ACCOUNT + BRAND)
        yield desk


def basis(desk: Desk, revision: int) -> dict[str, Any]:
    """Return what a pack's manifest says of its basis."""
    pack = desk.folder / "out" / "acme" / "2026-10" / f"r{revision}"
    said: dict[str, Any] = json.loads((pack / "manifest.json").read_text())["basis"]
    return said


def issued(ran: Ran) -> int:
    """Return the revision that a run came to."""
    assert ran.code == 0, ran.err
    return int(ran.said["revision"])


def test_a_changed_sender_is_a_new_revision_and_each_is_made_again(desk: Desk) -> None:
    """Name, logo and recipient: as long as nothing changes, nothing is issued twice."""
    assert issued(desk.run()) == 1
    again = desk.run()
    assert (issued(again), again.said["unchanged"]) == (1, True)
    first = desk.folder / "out" / "acme" / "2026-10" / "r1"
    assert desk.verify(first, "--rebuild").code == 0
    assert basis(desk, 1)["brand"]["name"] == "Harbour Voice"
    assert basis(desk, 1)["recipient"] == {"name": "Acme", "address": ["12 Wattle Lane"]}

    (desk.folder / "logo.svg").write_text(SVG.format('<circle r="4"/>'))
    other = desk.verify(first, "--rebuild")
    assert other.code == 5
    assert "was made with another brand" in other.err
    assert issued(desk.run()) == 2
    assert basis(desk, 1)["brand"]["logo_sha256"] != basis(desk, 2)["brand"]["logo_sha256"]
    desk.set(account=ACCOUNT)
    assert issued(desk.run()) == 3
    assert "brand" not in basis(desk, 3)
    assert desk.verify(first.with_name("r3"), "--rebuild").code == 0


def test_the_month_before_is_part_of_the_basis(desk: Desk) -> None:
    """Pulled later, it makes the next revision; the one before is made again as it was."""
    assert issued(desk.run()) == 1
    assert "earlier" not in basis(desk, 1)
    assert desk.run(period="2026-09").code == 0
    assert issued(desk.run()) == 2
    assert len(basis(desk, 2)["earlier"]) == 1
    place = desk.folder / "out" / "acme" / "2026-10"
    assert desk.verify(place / "r2", "--rebuild").code == 0
    rows = sheet(place / "r2", "Beside the month before")
    assert [row[:2] for row in rows if row[0] in {"September 2026", "October 2026"}] == [
        ["September 2026", 5],
        ["October 2026", 9],
    ]


def test_the_new_kinds_are_plain_tables_of_the_workbook(desk: Desk) -> None:
    """Read by another program: the split for GST, destinations that add up, the dearest first."""
    assert issued(desk.run()) == 1
    pack = desk.folder / "out" / "acme" / "2026-10" / "r1"
    total = sum(range(9)) * 10 + 9 * 5  # in thousandths of a dollar: 0.405
    assert total == 405
    gst = {row[0]: row[1] for row in sheet(pack, "GST")}
    assert gst["GST, one eleventh of the total"] == pytest.approx(0.04)
    assert gst["Total with GST"] == pytest.approx(0.41)
    assert gst["Total without GST"] == pytest.approx(0.37)
    top = [row[:2] for row in sheet(pack, "Top destinations") if isinstance(row[1], float)]
    assert top == [
        ["0255500100", 3],
        ["0255500103", 2],
        ["2 other numbers", 4],
        ["Total", 9],
    ]
    dear = [row[1] for row in sheet(pack, "Dearest") if isinstance(row[1], float)]
    assert dear == sorted(dear, reverse=True)
    assert len(dear) == 9
    assert len([row for row in sheet(pack, "Longest") if row[1] == "Outbound"]) == 3


def test_a_letter_that_no_font_has_is_told_with_every_run(desk: Desk) -> None:
    """In the manifest, and again where the pack stands: exit code 1, since somebody must look."""
    desk.set(account=ACCOUNT.replace("12 Wattle Lane", "\u4e2d"))
    for _ in range(2):
        ran = desk.run()
        assert ran.code == 1
        (found,) = [f for f in ran.said["findings"] if f["code"] == "glyphs-missing"]
        assert "U+4E2D" in found["message"]
        assert ran.said["revision"] == 1
