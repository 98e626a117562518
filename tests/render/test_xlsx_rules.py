"""Every workbook keeps Excel's own rules, whatever stands in the call records."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from rules import MAIN, Raw, broken, shown
from workbooks import NOON, Listed, line, report_of, workbook

from maxo_reports import engine
from maxo_reports.core.checks import Finding
from maxo_reports.core.money import dollars
from maxo_reports.core.report import CALL_COLUMNS, CallLine, SectionSpec
from maxo_reports.core.text import visible
from maxo_reports.render import xlsx
from maxo_reports.render.xlsx import names
from maxo_reports.render.xlsx.texts import Shared, element
from reports import STYLE, with_sections

GOLD = next((engine.sample() / "pack").glob("*.xlsx"))
LONGEST = 32_767
HOSTILE = (
    *("=1+1", "+61255500140", "-5", "@SUM(A1)", "=cmd|'/c calc'!A1", "#N/A", "#REF!", "TRUE"),
    *("_x0041_", "_x005F_x0041_", "a_x000D_b", "_X0041_", "__x0041__", "\x00", "a\x0bb", "\ufffe"),
    *("\r\n", "\t=1", "<c r='A1'/>", "]]>", "&amp;", "'quoted", '"', " ", " spaced ", "", "0612"),
    *(
        "1/2",
        "1e5",
        "12345678901234567890",
        "\U0001f600" * 3,
        "e\u0301\u0301\u0301\u0301",
        "\u202e",
    ),
)
TEXTS = (
    st.text(max_size=12) | st.sampled_from(HOSTILE) | st.text("=+-@_x041\x00\u200b<&", max_size=9)
)
TEXT_FIELDS = ("direction", "a_party", "b_party", "service_number", "category", "status")
MOST = 999_999_999_999_999


@st.composite
def hostile_calls(draw: st.DrawFn) -> list[CallLine]:
    """Draw a few calls with anything in their texts and any figure in their figures."""
    return [
        line(
            started=NOON + draw(st.integers(-43_200, 30 * 86_400 + 43_199)),
            seconds=draw(st.none() | st.integers(0, 999_999_999)),
            cost=draw(st.none() | st.integers(-MOST, MOST)),
            call_id=draw(TEXTS),
            **{name: draw(TEXTS) for name in TEXT_FIELDS},
        )
        for _ in range(draw(st.integers(0, 12)))
    ]


def table(path: Path, sheet: str = "Calls") -> list[list[object]]:
    """Read the rows of a sheet below its heading with another program."""
    book = CalamineWorkbook.from_path(path)
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)[1:]


@settings(deadline=None, max_examples=20)
@given(hostile_calls())
def test_whatever_comes_in_no_rule_is_broken(tmp_path_factory, lines: Sequence[CallLine]):
    """Rules hold in every part, and another program reads the texts as they are to be seen."""
    folder = tmp_path_factory.mktemp("hostile")
    path = workbook(
        lines, folder / "book.xlsx", findings=[Finding("x", "info", t, t) for t in HOSTILE]
    )
    assert not broken(path)
    raw = Raw(path)
    texts = ["".join(shown(c.text)) for c in raw.cells("Calls") if c.text is not None][10:]
    expected = [visible(v, LONGEST) for one in lines for v in one[:10] if isinstance(v, str)]
    assert texts == expected
    read = table(path)
    assert [row[0] for row in read[: len(lines)]] == [visible(c.call_id, LONGEST) for c in lines]


@settings(deadline=None, max_examples=20)
@given(hostile_calls())
def test_figures_are_exact_and_never_anything_but_numbers(tmp_path_factory, lines):
    """A cost is the carrier's to the last digit; what it did not say is an empty cell."""
    path = workbook(lines, tmp_path_factory.mktemp("figures") / "book.xlsx")
    cells = {c.address: c.value for c in Raw(path).cells("Calls")}
    for row, each in enumerate(lines, 2):
        cost, length, start = (cells[f"{letter}{row}"] for letter in "JIB")
        assert cost == (None if each.cost is None else f"{dollars(each.cost):f}")
        if each.seconds is None:
            assert length is None
        else:
            assert round(Decimal(length) * 86_400, 3) == each.seconds
        assert round((Decimal(start) - 25_569) * 86_400, 3) == each.started


@pytest.mark.parametrize("width", [1, 2])
def test_a_text_fills_a_cell_to_the_last_character_and_is_cut_beyond(tmp_path, width):
    """32,767 are counted as Excel does, an emoji as two; a longer text ends in an ellipsis."""
    letter = "x" if width == 1 else "\U0001f600"
    fits = letter * (LONGEST // width)
    path = workbook(
        [line(1, category=fits), line(fits + letter, category=fits + letter)], tmp_path / "b.xlsx"
    )
    assert not broken(path)
    one, two = table(path)
    assert one[6] == fits
    assert two[6] == two[0] == letter * ((LONGEST - 1) // width) + "\u2026"


def test_ids_of_every_kind_are_written(tmp_path):
    """IDs of letters and digits only take a short way; another kind among them is written too."""
    lines = [line("a1"), line("=2"), line("c_x0041_"), line("d" * 40_000)]
    path = workbook(lines, tmp_path / "b.xlsx", block=2)
    assert not broken(path)
    assert [row[0] for row in table(path)][:3] == ["a1", "=2", "c_x0041_"]


def test_ids_and_numbers_are_text_to_the_last_digit(tmp_path):
    """A leading zero and a twentieth digit stay."""
    number = "00012345678901234567890"
    path = workbook([line(number, a_party="0612", b_party="+44 20")], tmp_path / "b.xlsx")
    ((call_id, _, _, a_party, b_party, *_),) = table(path)
    assert (call_id, a_party, b_party) == (number, "0612", "+44 20")


def test_texts_beyond_what_is_shared_stand_in_their_cells(tmp_path, monkeypatch):
    """The shared texts take no more memory than they are given, and nothing is lost."""
    monkeypatch.setattr(Shared, "MOST", 3)
    lines = [line(n, b_party=f"04915700{n:02}") for n in range(20)]
    path = workbook(lines, tmp_path / "b.xlsx")
    assert len(Raw(path).shared) == 3
    assert not broken(path)
    assert [row[4] for row in table(path)] == [each.b_party for each in lines]


def test_long_texts_are_not_shared():
    """A text above the length gets no number; one that has one keeps it."""
    shared = Shared()
    assert shared.number("x" * Shared.LONGEST) == 0
    assert shared.number("x" * (Shared.LONGEST + 1)) is None
    assert shared.number("y") == 1
    assert shared.number("x" * Shared.LONGEST) == 0


def test_spaces_at_the_ends_of_a_text_are_kept():
    """XML readers may drop them where nothing says otherwise."""
    assert element(" a ") == '<t xml:space="preserve"> a </t>'
    assert element("a & <b>") == "<t>a &amp; &lt;b&gt;</t>"


def test_a_month_without_calls_has_a_table_with_an_empty_row(tmp_path):
    """Excel repairs a table that is only a heading."""
    path = workbook([], tmp_path / "b.xlsx")
    assert not broken(path)
    assert Raw(path).table_of("Calls").attrib["ref"] == "A1:J2"
    assert [row for row in table(path) if any(row)] == []


def test_more_calls_than_rows_go_on_to_further_sheets(tmp_path, monkeypatch):
    """Each sheet has a table of its own, no call is lost or twice, and totals cover all."""
    monkeypatch.setattr(names, "ROWS_A_SHEET", 3)
    lines = [line(n, cost=n) for n in range(1, 9)]
    path = workbook(lines, tmp_path / "b.xlsx", block=5)
    assert not broken(path)
    book = CalamineWorkbook.from_path(path)
    pages = [name for name in book.sheet_names if name.startswith("Calls")]
    assert pages == ["Calls", "Calls 2", "Calls 3"]
    assert [[row[0] for row in table(path, page)] for page in pages] == [
        ["1", "2", "3"],
        ["4", "5", "6"],
        ["7", "8"],
    ]
    formulas = {cell.formula for cell in Raw(path).cells("Summary")}
    assert "SUM(Calls[Cost])+SUM(Calls_2[Cost])+SUM(Calls_3[Cost])" in formulas


def test_a_sheet_holds_no_more_than_excels_rows():
    """1,048,576 rows with the heading; the next call begins another sheet."""
    section = sections_of(itemised("Calls"))
    for calls, pages in ((0, 1), (1_048_575, 1), (1_048_576, 2), (2_097_150, 2), (2_097_151, 3)):
        plan = names.plan(section, calls)["Calls"]
        assert len(plan) == pages
        assert sum(page.calls for page in plan) == calls


def test_a_store_that_ends_early_is_no_shorter_workbook(tmp_path):
    """Fewer calls than the store counts is an error, not an empty rest."""

    class Short(Listed):
        def __len__(self) -> int:
            return 3

    report = replace(report_of([line(1), line(2)]), calls=Short([line(1), line(2)]))
    with pytest.raises(ValueError, match="ended 1 calls before its own count"):
        xlsx.render(report, STYLE, tmp_path / "b.xlsx")


# ---- names ----------------------------------------------------------------------------------


def itemised(title: str, sheet: str = "") -> SectionSpec:
    """Make a section that lists calls."""
    return SectionSpec("itemised", title, sheet or title, ("xlsx",), show=tuple(CALL_COLUMNS))


def sections_of(*specs: SectionSpec):
    """Fill sections without calls."""
    return report_of([], definition=with_sections(*specs)).sections


@pytest.mark.parametrize(
    ("sheet", "name"),
    [
        ("Calls", "Calls"),
        ("Q1", "T_Q1"),
        ("R1C1", "T_R1C1"),
        ("c", "T_c"),
        ("2026 calls", "T_2026_calls"),
        ("Anrufe für März", "Anrufe_f_r_M_rz"),
        ("通話", "T___"),
    ],
)
def test_a_tables_name_is_one_that_excel_takes(tmp_path, sheet, name):
    """No spaces, nothing that looks like a cell, a letter first."""
    (page,) = names.plan(sections_of(itemised(sheet)), 1)[sheet]
    assert page.table == name
    definition = with_sections(itemised(sheet))
    assert not broken(workbook([line()], tmp_path / "b.xlsx", definition=definition))


def test_two_lists_of_calls_never_share_a_name(tmp_path, monkeypatch):
    """Tables whose names would be alike, and a sheet that is called as the next page would be."""
    monkeypatch.setattr(names, "ROWS_A_SHEET", 1)
    long = "A sheet with a name of 31 chars"
    specs = [itemised("Calls"), itemised("Calls 2"), itemised("calls-2"), itemised(long)]
    path = workbook([line(1), line(2)], tmp_path / "b.xlsx", definition=with_sections(*specs))
    assert not broken(path)
    sheets = list(Raw(path).sheets)
    assert len(sheets) == 8
    assert sheets[1] == "Calls 3"
    assert sheets[-1] == "A sheet with a name of 31 cha 2"


# ---- the sample -----------------------------------------------------------------------------


def test_the_samples_workbook_keeps_every_rule():
    """The one that people see first."""
    assert not broken(GOLD)


def test_a_failed_check_turns_red():
    """The result of every check, the live ones too, is coloured by what it says."""
    raw = Raw(GOLD)
    tree = raw.trees[raw.sheets["Checks"]]
    judged = tree.iter(f"{MAIN}conditionalFormatting")
    (formatting,) = [each for each in judged if each[0].attrib["type"] == "cellIs"]
    first, last = map(int, re.findall(r"D([0-9]+)", formatting.attrib["sqref"]))
    live = [int(c.address[1:]) for c in raw.cells("Checks") if c.formula and c.address[0] == "D"]
    assert first <= min(live) <= max(live) <= last
    looks = raw.trees["xl/styles.xml"].find(f"{MAIN}dxfs")
    rules = {
        rule.findtext(f"{MAIN}formula"): looks[int(rule.attrib["dxfId"])] for rule in formatting
    }
    assert set(rules) == {'"FAIL"', '"PASS"'}
    fill = rules['"FAIL"'].find(f".//{MAIN}bgColor")
    assert fill.attrib["rgb"] == f"FF{STYLE.theme.bad[1:].upper()}"


def test_fonts_are_in_the_schemas_order():
    """Each has its name and size, which a program would otherwise choose."""
    raw = Raw(GOLD)
    order = ["b", "i", "u", "sz", "color", "name", "family", "scheme"]
    fonts = list(raw.trees["xl/styles.xml"].iter(f"{MAIN}font"))
    assert fonts
    for font in fonts:
        parts = [part.tag.removeprefix(MAIN) for part in font]
        assert parts == sorted(parts, key=order.index)


def test_the_breaches_are_seen(tmp_path):
    """The reader of rules is no fake: planted breaches are found."""

    def planted(part: str, old: bytes, new: bytes) -> list[str]:
        path = tmp_path / "planted.xlsx"
        with zipfile.ZipFile(GOLD) as source, zipfile.ZipFile(path, "w") as out:
            for name in source.namelist():
                content = source.read(name)
                if name == part:
                    assert old in content
                    content = content.replace(old, new, 1)
                out.writestr(name, content)
        return broken(path)

    sheet = Raw(GOLD).sheets["Calls"]
    shared = "xl/sharedStrings.xml"
    table_part = "xl/tables/table1.xml"
    assert planted(sheet, b"<v>46", b"<v>NaN")
    assert planted(shared, b"<t>Outbound</t>", b"<t>=1+1</t>")
    assert planted(shared, b"<t>Outbound</t>", b"<t>a_x0000_</t>")
    assert planted(table_part, b'name="To"', b'name="from"')
    assert planted(table_part, b'displayName="Calls"', b'displayName="AB12"')
    assert planted("xl/workbook.xml", b'name="Exceptions"', b'name="CALLS"')
    assert planted(sheet, b'numberStoredAsText="1"', b'numberStoredAsText="0"')
    assert planted(sheet, b'<row r="3">', b'<row r="2">')
