"""Reports of every kind tie out, and a liar in each of their files is caught and named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from listed import part_of, patched, pdf
from workbooks import NOON, ledger_of, line, report_of

from maxo_reports.core.period import months_before
from maxo_reports.core.report import Earlier, Report, SectionSpec
from maxo_reports.core.where import ALL, Condition, Where
from maxo_reports.definitions import load
from maxo_reports.errors import TieOutError
from maxo_reports.render import FORMATS, xlsx
from maxo_reports.render.xlsx import names
from maxo_reports.tieout import tie_out
from maxo_reports.tieout.workbook import listed_totals
from reports import SHELF, STYLE, month, with_sections

CALLS = [
    line(
        n,
        cost=(n % 3) * 12_345,
        seconds=n,
        started=NOON + 3_600 * n,
        service_number=f"02555001{n % 5:02}",
        category=("Mobile", "Local", "1800 Incoming")[n % 3],
        direction=("Inbound", "Outbound")[n % 2],
        status=("Connected.", "Busy.")[n % 4 == 0],
    )
    for n in range(60)
]
EARLIER = [
    Earlier(m, "whole", lambda _, n=n: ledger_of(CALLS[: 5 + n], ("Connected.",)))
    if n % 3
    else Earlier(m, "not in the archive")
    for n, m in enumerate(months_before(month(), 12))
]
SHIPPED = ("statement", "by-number", "itemised", "charged-only", "exceptions", "trend")


def report(name: str, **more: object) -> Report:
    """Build one of the shipped reports of the calls."""
    definition = load(name, SHELF, FORMATS).definition
    made = report_of(CALLS, definition=definition, earlier=EARLIER, **more)  # type: ignore[arg-type]
    return replace(made, definition=definition)


def book(made: Report, folder: Path) -> Path:
    """Write its workbook."""
    xlsx.render(made, STYLE, folder / "book.xlsx")
    return folder / "book.xlsx"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_report_ties_out(tmp_path, name):
    """As a workbook, and as a statement where it is one; the manifest learns what is in it."""
    made = report(name)
    tied = tie_out("xlsx", book(made, tmp_path), made)
    assert tied.calls == {"charged-only": 40, "exceptions": 0, "trend": 0}.get(name, 60)
    alone = listed_totals(tmp_path / "book.xlsx")
    # Who reads a workbook without its report cannot tell which calls are connected.
    assert alone == (tied.totals and replace(tied.totals, connected=0))
    if "pdf" in made.definition.formats:
        assert tie_out("pdf", pdf(made, tmp_path / "book.pdf"), made).figures >= 5


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_report_of_a_month_without_calls_ties_out(tmp_path, name):
    """It says that there are none."""
    made = report_of([], definition=load(name, SHELF, FORMATS).definition)
    assert tie_out("xlsx", book(made, tmp_path), made).calls == 0


def test_numbers_beyond_the_most_are_compared_on_their_shared_sheet(tmp_path):
    """Their calls come one number after the other."""
    definition = load("by-number", SHELF, FORMATS).definition
    few = [replace(s, sheets=2) if s.each else s for s in definition.sections]
    made = report_of(CALLS, definition=replace(definition, sections=tuple(few)))
    path = book(made, tmp_path)
    assert tie_out("xlsx", path, made).calls == 60
    part = part_of(path, "Other numbers")
    wrong = patched(path, tmp_path / "wrong.xlsx", part, _raised("A10", "1"))
    with pytest.raises(TieOutError, match="sheet 'Other numbers' cell A10"):
        tie_out("xlsx", wrong, made)


def test_numbers_whose_calls_go_on_to_a_further_sheet(tmp_path, monkeypatch):
    """The sheet behind a full one is its own, not the next number's."""
    monkeypatch.setattr(names, "ROWS_A_SHEET", 7)
    made = report("by-number")
    assert tie_out("xlsx", book(made, tmp_path), made).calls == 60


def _raised(cell: str, by: str) -> Callable[[str], str]:
    """Return what changes the value of one cell: a number, or a text that stands in it."""

    def patch(xml: str) -> str:
        pattern = rf'(<c r="{cell}"[^>]*>(?:<f>[^<]*</f>)?(?:<v>|<is><t>))([^<]+)'
        return re.sub(pattern, lambda m: f"{m[1]}{_more(m[2], by)}", xml)

    return patch


def _more(value: str, by: str) -> str:
    return str(float(value) + float(by)) if value.replace(".", "").isdigit() else value + by


LIES = [
    # A cell of the matrix, its row total, its column total, its grand total, a heading.
    ("statement", "By number x category", "C6", "0.0001"),
    ("statement", "By number x category", "E7", "0.0001"),
    ("statement", "By number x category", "B10", "0.0001"),
    ("statement", "By number x category", "E10", "0.0001"),
    ("by-number", "By number x category", "A6", "1"),
    # The index: a figure, the number as read, the sheet that it leads to, the total.
    ("by-number", "Numbers", "H6", "0.0001"),
    ("by-number", "Numbers", "B6", "0"),
    ("by-number", "Numbers", "C6", "0"),
    ("by-number", "Numbers", "D10", "1"),
    # A number's own sheet: its calls, and the sums above them.
    ("by-number", "0255500102", "I8", "0.0001"),
    ("by-number", "0255500102", "A9", "7"),
    ("by-number", "0255500103", "I3", "0.0001"),
    ("by-number", "0255500103", "H3", "0.001"),
    # A filtered list, a filtered table, and the summary.
    ("charged-only", "Charged calls", "I9", "0.0001"),
    ("charged-only", "By category", "C6", "1"),
    ("charged-only", "Summary", "A15", "1"),
    # A month, its change, a group's month, and the total of a month.
    ("trend", "By month", "C6", "1"),
    ("trend", "By month", "G7", "0.0001"),
    ("trend", "By month", "H7", "0.0001"),
    ("trend", "Cost by category", "D6", "0.0001"),
    ("trend", "Cost by number", "N10", "0.0001"),
]


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> dict[str, tuple[Report, Path]]:
    """Write each workbook once."""
    made = {name: report(name) for name in sorted({lie[0] for lie in LIES})}
    return {name: (each, book(each, tmp_path_factory.mktemp(name))) for name, each in made.items()}


@pytest.mark.parametrize(("name", "sheet", "cell", "by"), LIES)
def test_a_planted_lie_is_named(books, tmp_path, name, sheet, cell, by):
    """One figure or text, whatever the kind of its section."""
    made, path = books[name]
    wrong = patched(path, tmp_path / "wrong.xlsx", part_of(path, sheet), _raised(cell, by))
    with pytest.raises(TieOutError, match=re.escape(f"sheet {sheet!r} cell {cell}:")):
        tie_out("xlsx", wrong, made)


@pytest.mark.parametrize("sheet", ["Summary", "By category", "By number", "Charged calls"])
def test_a_filtered_sheet_that_does_not_say_so_is_caught(books, tmp_path, sheet):
    """Its figures may be right; a person would take them for the month's."""
    made, path = books["charged-only"]
    wrong = patched(
        path,
        tmp_path / "wrong.xlsx",
        part_of(path, sheet),
        lambda xml: xml.replace("only charged calls", "all calls"),
    )
    with pytest.raises(TieOutError, match=f"sheet '{sheet}' does not say"):
        tie_out("xlsx", wrong, made)


def test_a_whole_beside_the_filter_that_is_wrong_is_caught(books, tmp_path):
    """The month's own total stands in the same line."""
    made, path = books["charged-only"]
    wrong = patched(
        path,
        tmp_path / "wrong.xlsx",
        part_of(path, "Summary"),
        lambda xml: xml.replace("of 60 calls", "of 61 calls"),
    )
    with pytest.raises(TieOutError, match="sheet 'Summary' does not say"):
        tie_out("xlsx", wrong, made)


def test_a_filtered_statement_that_does_not_say_so_is_caught(tmp_path):
    """Whatever the user's own template leaves out."""
    made = report("charged-only")
    silent = replace(made, filtered="")
    with pytest.raises(TieOutError, match="page 1 does not say"):
        tie_out("pdf", pdf(silent, tmp_path / "silent.pdf"), made)


def test_a_statement_of_other_calls_is_caught(tmp_path):
    """The figures of the month are not those of the filter."""
    made = report("charged-only")
    definition = replace(made.definition, where=ALL)
    whole = replace(report_of(CALLS, definition=definition), filtered=made.filtered)
    with pytest.raises(TieOutError, match="the total connected, 30, is not there"):
        tie_out("pdf", pdf(whole, tmp_path / "whole.pdf"), made)


def test_hidden_columns_are_compared_in_the_workbook_and_not_printed(tmp_path):
    """What is out of sight is still the ledger's; a statement leaves it out."""
    shown = SectionSpec("summary", "Summary", "Summary", ("xlsx", "pdf"), show=("calls", "cost"))
    groups = SectionSpec(
        *("groups", "Lines", "Lines", ("xlsx", "pdf")),
        group_by=("service_number",),
        show=("calls", "seconds", "cost"),
        labels=(("cost", "Amount"),),
        hidden=frozenset({"seconds"}),
        where=Where((Condition("connected", values=True),)),
    )
    definition = replace(with_sections(shown, groups), formats=("xlsx", "pdf"))
    made = replace(report_of(CALLS, definition=definition), definition=definition)
    path = book(made, tmp_path)
    tie_out("xlsx", path, made)
    tie_out("pdf", pdf(made, tmp_path / "b.pdf"), made)
    wrong = patched(path, tmp_path / "wrong.xlsx", part_of(path, "Lines"), _raised("C6", "1"))
    with pytest.raises(TieOutError, match="sheet 'Lines' cell C6"):
        tie_out("xlsx", wrong, made)


def test_renamed_columns_are_found_by_their_names(tmp_path):
    """The list ties out; who reads it alone does not know its columns and says nothing."""
    definition = load("itemised", SHELF, FORMATS).definition
    named = [replace(s, labels=(("cost", "Amount"),)) for s in definition.sections]
    made = report_of(CALLS, definition=replace(definition, sections=tuple(named)))
    path = book(made, tmp_path)
    tied = tie_out("xlsx", path, made)
    assert tied.calls == 60
    assert tied.totals is None
    assert listed_totals(path) is None
