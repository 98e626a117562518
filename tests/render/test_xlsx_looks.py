"""What makes a workbook a pleasure, read from its raw parts: names, bars, bands, widths, links."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from openpyxl import load_workbook
from openpyxl.utils import range_boundaries
from rules import MAIN, Raw, broken
from workbooks import line, report_of, workbook

from maxo_reports.core.report import CALL_COLUMNS, SectionSpec
from maxo_reports.core.where import Condition, Where
from maxo_reports.definitions import load
from maxo_reports.refresh.names import values as values_of
from maxo_reports.render import FORMATS, xlsx
from reports import SHELF, STYLE, with_sections

CALLS = [
    line(
        n,
        cost=(n % 3) * 1_000,
        service_number=f"02555001{n % 4:02}",
        category=("Mobile", "Local", "1800 Incoming")[n % 3],
        direction=("Inbound", "Outbound")[n % 2],
    )
    for n in range(60)
]
CHARGED = Where((Condition("charged", values=True),))


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Raw:
    """Read the statement of the calls."""
    return Raw(workbook(CALLS, tmp_path_factory.mktemp("looks") / "b.xlsx"))


@pytest.fixture(scope="module")
def by_number(tmp_path_factory) -> Raw:
    """Read the workbook of a sheet for each number."""
    target = tmp_path_factory.mktemp("looks") / "b.xlsx"
    made = workbook(CALLS, target, definition=load("by-number", SHELF, FORMATS).definition)
    assert not broken(made)
    return Raw(made)


def tree_of(raw: Raw, sheet: str) -> ET.Element:
    """Return a sheet's part."""
    return raw.trees[raw.sheets[sheet]]


def value_at(raw: Raw, sheet: str, address: str) -> str | None:
    """Return what a cell says."""
    cell = next(c for c in raw.cells(sheet) if c.address == address)
    return cell.text if cell.text is not None else cell.value


# ---- names --------------------------------------------------------------------------------------


def test_control_totals_have_names(raw):
    """Each name leads to the cell of the summary that holds its figure."""
    names = {
        e.attrib["name"]: e.text for e in raw.trees["xl/workbook.xml"].iter(f"{MAIN}definedName")
    }
    totals = report_of(CALLS).totals
    wanted = {
        "maxo_calls": totals.calls,
        "maxo_connected": totals.connected,
        "maxo_charged": totals.charged,
        "maxo_cost": totals.cost,
        "maxo_duration": totals.seconds / 86_400,
        "maxo_account": "wattle-lane",
        "maxo_revision": "1",
        "maxo_state": "Settled",
        "maxo_period": "2026-10",
        "maxo_dates": "01 Oct 2026 to 31 Oct 2026, both included",
        "maxo_zone": "Australia/Sydney",
    }
    for name, value in wanted.items():
        match = re.fullmatch(r"'Summary'!\$([A-Z])\$([0-9]+)", names[name])
        assert match is not None, names[name]
        said = value_at(raw, "Summary", match[1] + match[2])
        assert said is not None
        if isinstance(value, str):
            assert said == value, name
        else:
            assert float(said) == pytest.approx(float(value)), name
    assert names["maxo_seconds"] == f"ROUND({names['maxo_duration']}*86400,0)"
    ours = {name for name in names if name.startswith("maxo_")}
    assert ours <= set(values_of(report_of(CALLS))), "a refresh of a copy knows every name"


def test_the_cover_and_the_document_say_which_revision(tmp_path):
    """So that two prints of a month cannot be taken for each other."""
    report = report_of(CALLS)
    report = replace(report, heading=replace(report.heading, revision=7))
    xlsx.render(report, STYLE, tmp_path / "b.xlsx")
    raw = Raw(tmp_path / "b.xlsx")
    cells = {c.address: c.text for c in raw.cells("Summary")}
    assert [cells[f"B{a[1:]}"] for a, text in cells.items() if text == "Revision"] == ["7"]
    properties = load_workbook(tmp_path / "b.xlsx").properties
    assert properties.description == "Revision 7, settled. All calls of the period."
    assert (properties.category, properties.keywords) == ("statement", "wattle-lane, 2026-10")


# ---- looks --------------------------------------------------------------------------------------


def formats_of(raw: Raw, sheet: str) -> dict[str, list[str]]:
    """Return the ranges of a sheet's conditional formats, by their kind."""
    found: dict[str, list[str]] = {}
    for block in tree_of(raw, sheet).iter(f"{MAIN}conditionalFormatting"):
        for rule in block.iter(f"{MAIN}cfRule"):
            found.setdefault(rule.attrib["type"], []).extend(block.attrib["sqref"].split())
    return found


@pytest.mark.parametrize("sheet", ["By category", "By direction", "By number", "Summary"])
def test_costs_have_bars_in_the_themes_colour(raw, sheet):
    """From nought up, over the rows and not the total."""
    (bars,) = formats_of(raw, sheet)["dataBar"]
    left, first, right, last = range_boundaries(bars)
    assert left == right
    head = next(c.text for c in raw.cells(sheet) if c.address == f"{bars[0]}{first - 1}")
    assert head == "Cost"
    assert value_at(raw, sheet, f"A{last + 1}") == "Total"
    colour = next(tree_of(raw, sheet).iter(f"{MAIN}dataBar")).find(f"{MAIN}color")
    assert colour is not None
    assert colour.attrib["rgb"] == "FFABC7D6"


def test_no_cell_has_two_conditional_formats_but_one_of_words(raw):
    """LibreOffice draws one of them only: PASS would lose its green, a cost its bar."""
    for sheet in raw.sheets:
        taken: set[tuple[int, int]] = set()
        for kind, places in formats_of(raw, sheet).items():
            # PASS and FAIL are two rules of one range.
            for place in places[:1] if kind == "cellIs" else places:
                left, first, right, last = range_boundaries(place)
                cells = {(x, y) for x in range(left, right + 1) for y in range(first, last + 1)}
                assert not cells & taken, (sheet, place)
                taken |= cells


def test_a_matrix_shows_where_the_money_went(raw):
    """Its cells have heat, its total bars; nought is a dash; every figure is live."""
    sheet = "By number x category"
    formats = formats_of(raw, sheet)
    assert formats["colorScale"] == ["B5:D8"]
    assert formats["dataBar"] == ["E5:E8"]
    heads = [value_at(raw, sheet, f"{letter}4") for letter in "ABCDE"]
    assert (heads[0], heads[-1]) == ("Service number", "Total")
    assert set(heads[1:-1]) == {"Mobile", "Local", "1800 Incoming"}
    figures = [c for c in raw.cells(sheet) if c.address[0] in "BCDE" and int(c.address[1:]) > 4]
    assert len(figures) == 4 * 5
    assert all(c.formula for c in figures)
    dashes = [e.attrib["formatCode"] for e in raw.trees["xl/styles.xml"].iter(f"{MAIN}numFmt")]
    assert any(code.endswith(';"\u2013"') for code in dashes)


def test_lists_are_native_tables_with_bands_of_the_theme(raw):
    """One style of our own, striped; the same tint where a program knows no table styles."""
    table = raw.table_of("Calls")
    assert table is not None
    info = table.find(f"{MAIN}tableStyleInfo")
    assert info is not None
    assert (info.attrib["name"], info.attrib["showRowStripes"]) == ("Maxo", "1")
    (style,) = raw.trees["xl/styles.xml"].iter(f"{MAIN}tableStyle")
    elements = {e.attrib["type"]: int(e.attrib["dxfId"]) for e in style}
    looks = list(raw.trees["xl/styles.xml"].find(f"{MAIN}dxfs") or [])
    colours = {
        kind: looks[place].find(f".//{MAIN}bgColor").attrib["rgb"]  # type: ignore[union-attr]
        for kind, place in elements.items()
    }
    theme = STYLE.theme
    assert colours["headerRow"] == f"FF{theme.brand[1:].upper()}"
    assert colours["firstRowStripe"] == f"FF{theme.tint[1:].upper()}"
    assert formats_of(raw, "Calls")["expression"] == ["A2:J61"]


# ---- widths and paper ---------------------------------------------------------------------------


def test_columns_are_as_wide_as_what_is_in_them(tmp_path):
    """Measured, and bounded: nothing endless, nothing too narrow for its heading."""
    long, longest = "International - United States of America", "x" * 500
    lines = [line(1, category=long, status="No."), line(2, a_party=longest, b_party="1")]
    raw = Raw(workbook(lines, tmp_path / "b.xlsx"))
    widths = {
        int(c.attrib["min"]): float(c.attrib["width"])
        for c in tree_of(raw, "Calls").iter(f"{MAIN}col")
    }
    by_key = dict(zip(CALL_COLUMNS, widths.values(), strict=True))
    assert len(long) < by_key["category"] < len(long) * 1.3
    assert by_key["a_party"] == 60
    assert by_key["b_party"] < 14
    for key, column in CALL_COLUMNS.items():
        assert by_key[key] >= min(len(column.label), 12) + 3


def test_every_sheet_prints_across_on_one_pages_width(raw):
    """A4, fit to the width, the account and the page in the foot, headings on every page."""
    for sheet in raw.sheets:
        tree = tree_of(raw, sheet)
        paper = tree.find(f"{MAIN}pageSetup")
        assert paper is not None
        assert (paper.attrib["orientation"], paper.attrib["paperSize"]) == ("landscape", "9")
        assert paper.attrib["fitToHeight"] == "0"
        foot = tree.findtext(f".//{MAIN}oddFooter") or ""
        assert "Wattle Lane Dental, 2026-10" in foot
        assert "Page &P of &N" in foot
    names = raw.trees["xl/workbook.xml"].iter(f"{MAIN}definedName")
    titles = [e.text for e in names if e.attrib["name"] == "_xlnm.Print_Titles"]
    assert "'Calls'!$1:$1" in titles


def test_charts_stand_beside_each_other_and_cross_no_page(raw):
    """Both end above the break before the days."""
    ends = []
    for name, tree in raw.trees.items():
        if name.startswith("xl/drawings/drawing"):
            for anchor in tree:
                rows = [int(e.text or 0) for e in anchor.iter() if e.tag.endswith("}row")]
                ends.append(rows)
    breaks = [int(e.attrib["id"]) for e in tree_of(raw, "Summary").iter(f"{MAIN}brk")]
    assert len(ends) == 2
    assert ends[0] == ends[1]
    assert max(ends[0]) <= breaks[0]
    assert breaks[0] * 15 < 520, "the cover and its charts fit on one page across"


# ---- sheets for each number ---------------------------------------------------------------------


def test_the_index_leads_to_each_number_and_back(by_number):
    """Links inside the book, to sheets that are there."""
    numbers = [f"02555001{n:02}" for n in range(4)]
    places = {
        e.attrib["ref"]: e.attrib["location"]
        for e in tree_of(by_number, "Numbers").iter(f"{MAIN}hyperlink")
    }
    assert places == {f"C{5 + at}": f"'{number}'!A1" for at, number in enumerate(numbers)}
    for number in numbers:
        (back,) = tree_of(by_number, number).iter(f"{MAIN}hyperlink")
        assert back.attrib["location"] == "'Numbers'!A1"
        assert value_at(by_number, number, "A1") == f"02 5550 01{number[-2:]}"


def test_the_sums_above_a_list_follow_the_readers_filter(by_number):
    """They are subtotals over the table, with their values."""
    cells = {c.address: c for c in by_number.cells("0255500101")}
    assert cells["I3"].formula == "SUBTOTAL(109,T_0255500101[Cost])"
    costs = sum(each.cost or 0 for each in CALLS if each.service_number == "0255500101")
    assert float(cells["I3"].value or 0) * 10**6 == pytest.approx(costs)


# ---- filters and columns ------------------------------------------------------------------------


def test_a_filtered_workbook_says_so_on_every_sheet_and_in_the_foot(tmp_path):
    """Nobody takes it for the month."""
    made = workbook(
        CALLS, tmp_path / "b.xlsx", definition=load("charged-only", SHELF, FORMATS).definition
    )
    assert not broken(made)
    raw = Raw(made)
    words = "Filtered: only charged calls. 40 of 60 calls"
    for sheet in ("Summary", "By category", "By number", "Charged calls"):
        assert any(words in (c.text or "") for c in raw.cells(sheet)), sheet
    for sheet in raw.sheets:
        assert "FILTERED" in (tree_of(raw, sheet).findtext(f".//{MAIN}oddFooter") or "")
    table = raw.table_of("Charged calls")
    assert table is not None
    assert table.attrib["ref"] == "A4:I44"


def test_columns_are_named_ordered_and_hidden_as_asked(tmp_path):
    """The formulas go by the new names, hidden columns are there and out of sight."""
    spec = SectionSpec(
        "itemised",
        "Calls",
        "Calls",
        ("xlsx",),
        show=("call_id", "cost", "service_number", "status"),
        labels=(("cost", "Amount billed"), ("service_number", "Line")),
        hidden=frozenset({"status"}),
    )
    groups = SectionSpec(
        "groups",
        "Lines",
        "Lines",
        ("xlsx",),
        group_by=("service_number",),
        show=("cost", "connected"),
    )
    made = workbook(CALLS, tmp_path / "b.xlsx", definition=with_sections(spec, groups))
    assert not broken(made)
    raw = Raw(made)
    table = raw.table_of("Calls")
    assert table is not None
    names = [c.attrib["name"] for c in table.iter(f"{MAIN}tableColumn")]
    assert names == ["Call ID", "Amount billed", "Line", "Status"]
    hidden = [
        c.attrib["min"] for c in tree_of(raw, "Calls").iter(f"{MAIN}col") if c.get("hidden") == "1"
    ]
    assert hidden == ["4"]
    formulas = [c.formula for c in raw.cells("Lines") if c.formula]
    assert formulas[0] == "SUMPRODUCT(1*(Calls[Line]=$A5),Calls[Amount billed])"
    assert formulas[1] == 'SUMPRODUCT((Calls[Line]=$A5)*((Calls[Status]="Connected.")))'


def test_figures_of_other_calls_than_are_listed_are_plain(tmp_path):
    """A section's own filter is not the list's: its figures are no formula over it."""
    listed = SectionSpec("itemised", "Calls", "Calls", ("xlsx",), show=tuple(CALL_COLUMNS))
    alone = SectionSpec(
        "groups",
        "Charged",
        "Charged",
        ("xlsx",),
        group_by=("category",),
        show=("cost",),
        where=CHARGED,
    )
    raw = Raw(workbook(CALLS, tmp_path / "b.xlsx", definition=with_sections(listed, alone)))
    assert not [c for c in raw.cells("Charged") if "Calls[" in (c.formula or "")]
