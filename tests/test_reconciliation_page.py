"""The reconciliation's page is one page, whatever is to be said, and its texts are inert."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from bills import START, Call, compared, write_bill
from rules import broken

from maxo_reports import definitions
from maxo_reports.core.bills import reconciled
from maxo_reports.core.bills.differences import Called
from maxo_reports.core.bills.onebyone import Edge, Result
from maxo_reports.core.ledger import Intake, Ledger
from maxo_reports.core.period import LocalClock
from maxo_reports.core.report import Report, Source
from maxo_reports.manifest import PROGRAM
from maxo_reports.render import Style, pdf
from maxo_reports.render.xlsx import reconciliation
from maxo_reports.tieout import tie_out
from reports import october

SHELF = definitions.Shelf.of(Path("/nowhere"))
STYLE = Style(definitions.load_theme(SHELF), SHELF.templates(), PROGRAM)
CLOCK = LocalClock.over("Australia/Brisbane", START, START + 86_400)
ODD = "=SUM(A1) \u202e<b>&amp; _x0041_ " + "Ünicode \U0001f600 " * 9


def made(folder: Path, categories: int, *, odd: bool = False) -> Report:
    """Make a reconciliation of so many categories, with more notes than there is room for."""
    folder.mkdir(exist_ok=True)
    calls = [
        Call(f"{n}", START + n, category=f"{n:02} {ODD if odd else 'Category'}", cost=10_000 + n)
        for n in range(categories)
    ]
    text = f"bill {categories}"
    lines = [("calls", text, "", categories, 123_456_789_0000), ("sms", text, "", None, 99_0000)]
    result = compared(folder, calls, write_bill(folder / "bill.toml", lines))
    october_ = october()
    heading = replace(october_.heading, account_name=f"The Very Long Name of {'A Client ' * 12}")
    source = Source(
        heading, _ledger(october_), (), (), october_.calls, october_.connected_statuses
    )
    edges = tuple(Edge(_called(call), ("Australia/Perth",)) for call in calls)
    notes = tuple(f"Note {n}: {'words that go on ' * 12}" for n in range(5))
    said = Result(result.whole, result.checks, edges, "How it was compared. " * 9, notes, CLOCK)
    return reconciled.report(source, said)


def _ledger(report: Report) -> Ledger:
    return Ledger((), (), report.totals, Intake(0, 0, 0, 0))


def _called(call: Call) -> Called:
    numbers = ("0755500140", call.to)
    return Called(
        call.call_id, call.unixtime, "Outbound", *numbers, 60, call.category, call.cost, ""
    )


@pytest.mark.parametrize("categories", [1, 40])
def test_it_is_one_page_that_ties_out(tmp_path, categories):
    """With forty categories, long names and long notes, too."""
    report = made(tmp_path, categories)
    path = tmp_path / "r.pdf"
    pdf.render(report, STYLE, path)
    tie_out("pdf", path, report)
    assert len(pypdfium2.PdfDocument(path)) == 1


def test_odd_texts_are_inert_in_the_workbook(tmp_path):
    """A category that would be a formula is text, and its sums find it all the same."""
    report = made(tmp_path, 20, odd=True)
    path = tmp_path / "r.xlsx"
    reconciliation.render(report, STYLE, path)
    tie_out("xlsx", path, report)
    # This book's formulas are its own; everything else is as in every book of ours.
    assert [each for each in broken(path) if "not a formula of ours" not in each] == []
    again = tmp_path / "again.xlsx"
    reconciliation.render(made(tmp_path / "again", 20, odd=True), STYLE, again)
    assert again.read_bytes() == path.read_bytes()
