"""The workbook audits itself: another program recalculates every formula and gets our figures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from rules import Raw, broken
from workbooks import NOON, line, report_of, workbook

from maxo_reports import engine
from maxo_reports.core.report import CallLine
from maxo_reports.definitions import load
from maxo_reports.render import FORMATS
from maxo_reports.render.xlsx import formulas, names
from reports import DEFINITION, SHELF, with_sections

GOLD = next((engine.sample() / "pack").glob("*.xlsx"))
UNO = Path("/usr/lib/python3/dist-packages/uno.py")
SCRIPT = Path(__file__).with_name("recalculate.py")
Job = Mapping[str, Any]
Result = Mapping[str, Any]

NUMBERS = ("0612", "612", "00612", "0255500140", "255500140", "12345678901234567890")
CATEGORIES = (
    *("a*c", "abc", "a?c", "<x", "=eq", ">", "Local", "local", "LOCAL", "~", "1/2", "TRUE"),
    *("Café", "CAFÉ", 'say "x"', "A5", "'"),
)
STATUSES = ("Connected.", "CONNECTED", " Connected", "\tanswered", 'Answered."'[:-1])


def tricky() -> list[CallLine]:
    """Make calls whose names Excel's own conditional sums would take for each other."""
    return [
        line(
            n,
            cost=10_000 * n + n,
            seconds=n,
            started=NOON + 3_600 * n,
            service_number=NUMBERS[n % len(NUMBERS)],
            category=CATEGORIES[n % len(CATEGORIES)],
            direction=("Inbound", "inbound", "Outbound")[n % 3],
            status=(*STATUSES, "Busy.", "connected?")[n % (len(STATUSES) + 2)],
        )
        for n in range(1, 300)
    ]


def moved(field: int, to: Callable[[Sequence[Any], Sequence[Any]], Any]) -> Job:
    """Make the job of editing one cell of the sample's first charged call, of whatever column.

    ``to`` is given that call and one that differs from it in the column.
    """
    rows = CalamineWorkbook.from_path(GOLD).get_sheet_by_name("Calls").to_python()
    number, call = next((n, r) for n, r in enumerate(rows[1:], 2) if r[9] and r[2] == "Outbound")
    other = next(r for r in rows[1:] if r[field] != call[field] and r[2] == "Outbound")
    address = f"{'ABCDEFGHIJ'[field]}{number}"
    return {"file": str(GOLD), "edits": [["Calls", address, to(call, other)]]}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Result]:
    """Do all jobs in one office."""
    if (
        shutil.which("soffice") is None
        or not Path("/usr/lib/python3/dist-packages/uno.py").exists()
    ):
        pytest.skip("LibreOffice, or its Python bridge (python3-uno), is not installed")
    folder = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "ROWS_A_SHEET", 100)
        paged = workbook(tricky(), folder / "paged.xlsx", statuses=STATUSES)
    same = [line(n, seconds=60) for n in range(20_000)]
    odd = workbook(tricky(), folder / "tricky.xlsx", statuses=STATUSES)
    reports = {
        name: workbook(
            tricky(),
            folder / f"{name}.xlsx",
            statuses=STATUSES,
            definition=load(name, SHELF, FORMATS).definition,
        )
        for name in ("by-number", "charged-only")
    }
    files = {
        **reports,
        "sample": GOLD,
        "tricky": odd,
        "paged": paged,
        "equal lengths": workbook(same, folder / "same.xlsx"),
        "no calls": workbook([], folder / "none.xlsx"),
        "none connected": workbook([line(status="FALSE")], folder / "off.xlsx", statuses=()),
    }
    jobs: dict[str, Job] = {name: {"file": str(path), "edits": []} for name, path in files.items()}
    jobs |= {
        "cost": moved(9, lambda call, _: call[9] + 0.0001),
        "duration": moved(8, lambda call, _: (call[8].total_seconds() + 1) / 86_400),
        "status": moved(7, lambda *_: "Busy."),
        "category": moved(6, lambda _, other: other[6]),
        "service number": moved(5, lambda _, other: other[5]),
        "day": moved(1, lambda *_: 46_310.5),
        "call id": moved(0, lambda *_: ""),
    }
    for path in files.values():
        assert not broken(path)
    profile = folder / "profile"
    profile.mkdir()
    done = subprocess.run(
        ["/usr/bin/python3", str(SCRIPT), str(profile)],
        input=json.dumps(list(jobs.values())),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return dict(zip(jobs, json.loads(done.stdout), strict=True))


def differing(result: Result) -> list[str]:
    """Name the formulas whose value is another after recalculation, but for a float's end."""
    before, after = result["before"], result["after"]
    return [
        place
        for place, value in after.items()
        if before[place] != value and (isinstance(value, str) or abs(value - before[place]) > 1e-7)
    ]


@pytest.mark.parametrize(
    ("name", "formulas"),
    [
        ("sample", 250),
        ("tricky", 250),
        ("by-number", 60),
        ("charged-only", 100),
        ("paged", 250),
        ("equal lengths", 100),
        ("no calls", 10),
        ("none connected", 100),
    ],
)
def test_recalculation_changes_nothing(results, name, formulas):
    """No error, and no figure other than the one that stands in the file."""
    result = results[name]
    assert len(result["after"]) >= formulas
    assert result["errors"] == []
    assert differing(result) == []
    checks = [v for place, v in result["after"].items() if place.startswith("Checks!D")]
    assert set(checks) == {"PASS"}


@pytest.mark.parametrize(
    "what", ["cost", "duration", "status", "category", "service number", "day", "call id"]
)
def test_an_edited_row_turns_a_check_to_fail(results, what):
    """Whatever anybody edits in a row that is summed or grouped by, Checks says FAIL."""
    result = results[what]
    assert result["errors"] == []
    checks = [v for place, v in result["after"].items() if place.startswith("Checks!D")]
    assert "FAIL" in checks


def test_every_figure_that_sums_calls_is_a_formula():
    """Summary and By-sheets hold no plain number below their headings, but dates."""
    raw = Raw(GOLD)
    for sheet in ("Summary", "By category", "By direction", "By number"):
        cells = [c for c in raw.cells(sheet) if c.text is None and c.value is not None]
        plain = [c.address for c in cells if c.formula is None]
        days = [address for address in plain if address.startswith("A")]
        assert plain == (days if sheet == "Summary" else [])
        assert any(c.formula and "Calls[" in c.formula for c in cells)


def test_conditional_sums_of_excel_are_not_used(tmp_path):
    """SUMIFS and COUNTIFS read digits as numbers and stars as patterns."""
    raw = Raw(workbook(tricky(), tmp_path / "b.xlsx", statuses=STATUSES))
    written = [c.formula for sheet in raw.sheets for c in raw.cells(sheet) if c.formula]
    assert not [f for f in written if re.search(r"IFS?\(", f.removeprefix("IF("))]
    by_number = [c.formula for c in raw.cells("By number") if c.formula and "Cost]" in c.formula]
    assert by_number[0].startswith("SUMPRODUCT((Calls[Service number]=$A5)")
    by_category = [c.formula for c in raw.cells("By category") if c.formula]
    assert by_category[0].startswith("SUMPRODUCT(1*EXACT(Calls[Rate category],$A5)*")


def test_above_a_size_groups_are_plain_and_totals_live(tmp_path, monkeypatch):
    """A workbook of many calls and groups must not take minutes to open."""
    monkeypatch.setattr(formulas, "LIVE_COMPARISONS", 299 * 17)
    raw = Raw(workbook(tricky(), tmp_path / "b.xlsx", statuses=STATUSES))
    live = {
        sheet: sum("Calls[" in (c.formula or "") for c in raw.cells(sheet)) for sheet in raw.sheets
    }
    # Names that only EXACT tells apart count five times as much.
    assert live["By category"] == 0
    assert live["By number"] == len(NUMBERS) * 5
    assert live["Checks"] == 5


def test_names_that_are_shown_alike_are_not_live(tmp_path):
    """A formula could not tell a hidden character from its number written out."""
    twins = [line(1, category="a\x00"), line(2, category="a\u2039U+0000\u203a")]
    raw = Raw(workbook(twins, tmp_path / "b.xlsx"))
    assert not [c for c in raw.cells("By category") if c.formula and "Calls[" in c.formula]


def test_a_hundred_words_for_connected_do_not_break_a_formula(tmp_path):
    """Where the words do not fit in Excel's longest formula, the figure is a plain one."""
    words = [f"{' ' * n}Connected." for n in range(400)]
    path = workbook(
        [line(n, status=w) for n, w in enumerate(words)], tmp_path / "b.xlsx", statuses=words
    )
    assert not broken(path)
    long = [line(status=f"{' ' * 300}Connected.")]
    assert not broken(workbook(long, tmp_path / "b.xlsx", statuses=[long[0].status]))


def test_a_report_that_lists_no_calls_has_plain_figures(tmp_path):
    """Without a table of calls there is nothing for a formula to sum; the file is sound."""
    specs = [spec for spec in DEFINITION.sections if spec.kind != "itemised"]
    path = workbook([line()], tmp_path / "b.xlsx", definition=with_sections(*specs))
    assert not broken(path)
    raw = Raw(path)
    written = [c.formula for sheet in raw.sheets for c in raw.cells(sheet) if c.formula]
    assert not [f for f in written if "Calls" in f]


def test_other_programs_read_the_totals_without_calculating(tmp_path):
    """A phone's preview shows what the ledger says."""
    path = workbook(tricky(), tmp_path / "b.xlsx", statuses=STATUSES)
    totals = report_of(tricky(), statuses=STATUSES).totals
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name("By number").to_python()
    total = next(row for row in rows if row[0] == "Total")
    assert total[2:5] == [totals.calls, totals.connected, totals.charged]
    assert total[5].total_seconds() == totals.seconds
    assert round(total[6], 6) == float(totals.cost)
