"""The reconciliation as a report: its tables, and which of them each file shows.

The workbook has everything, with formulas; the page has the waterfall, the rows in short, and
room to sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from maxo_reports.core.bills.bill import ALL_CALLS, OTHER_LINES
from maxo_reports.core.bills.differences import CLASSES
from maxo_reports.core.bills.onebyone import Result, bill_lines, controls, differences, edges
from maxo_reports.core.bills.reconcile import Reconciliation, hint
from maxo_reports.core.bills.reconcile import Row as Line
from maxo_reports.core.heading import COST_BASIS
from maxo_reports.core.money import dollars, printed_places
from maxo_reports.core.report import (
    Cell,
    Column,
    Definition,
    Kind,
    Report,
    Role,
    Row,
    Section,
    SectionSpec,
    Source,
    Table,
)
from maxo_reports.core.text import counted

NAME, TITLE, TEMPLATE = "reconciliation", "Reconciliation", "reconciliation.html"
WORKBOOK, PAGE = ("xlsx",), ("pdf",)
MOST_LISTED = 20_000
"""How many lines of differences the workbook lists; the dispute pack has all."""
_MOST_ROWS = 10
"""How many categories the page shows; the others are added up."""
_MOST_NOTES = 2
"""How many notes the page has room for; the workbook has all."""
_BASES = {
    "inclusive": "The bill's lines include GST.",
    "exclusive": "The bill's lines do not include GST.",
    "unknown": "Whether the bill includes GST is not stated.",
}


def report(source: Source, result: Result) -> Report:
    """Return the reconciliation as a report, for the renderers."""
    whole = result.whole
    sections = (
        _section("verdict", "Result", "Summary", WORKBOOK + PAGE, verdict(whole), result.verdict),
        _section("bill-facts", "Bill", "Summary", WORKBOOK, facts(source, result)),
        _section("bill-facts", "Bill", "", PAGE, facts(source, result, _MOST_NOTES)),
        _section(
            "waterfall", "From calls to bill", "Waterfall", WORKBOOK + PAGE, waterfall(whole)
        ),
        _section("rows", "By category", "By category", WORKBOOK, by_category(whole)),
        _section("rows-short", "By category", "", PAGE, in_short(whole)),
        _listed(differences(result)),
        _section("bill-lines", "Lines of the bill", "Bill", WORKBOOK, bill_lines(whole)),
        _section("edges", "Edges of the month", "Edges", WORKBOOK, edges(result), _EDGES),
        _section("controls", "Checks", "Checks", WORKBOOK, controls(result)),
        _section("sign-off", "Sign-off", "Sign-off", WORKBOOK + PAGE, sign_off()),
    )
    definition = Definition(
        NAME, TITLE, WORKBOOK + PAGE, NAME, TEMPLATE, tuple(each.spec for each in sections)
    )
    return Report(
        definition,
        source.heading,
        source.ledger.control,
        _places(whole),
        sections,
        source.findings,
        source.calls,
        source.connected_statuses,
        checks=result.checks,
    )


_EDGES = (
    "Charged calls of this period that would be in another month if the bill were kept in another "
    "zone. They are a class of their own only where the bill's own zone is stated."
)


def _section(
    kind: str, title: str, sheet: str, formats: tuple[str, ...], table: Table, note: str = ""
) -> Section:
    return Section(SectionSpec(kind, title, sheet, formats), table, note)


def _listed(table: Table) -> Section:
    """Return the differences that the workbook lists, and say so where it is not all."""
    count = len(table.rows)
    note = f"The first {MOST_LISTED:,} of {count:,}; the dispute folder has all."
    if count <= MOST_LISTED:
        return _section("differences", "Differences", "Differences", WORKBOOK, table)
    cut = replace(table, rows=table.rows[:MOST_LISTED])
    return _section("differences", "Differences", "Differences", WORKBOOK, cut, note)


def _places(whole: Reconciliation) -> int:
    figures = [row.sums.cost for row in whole.rows] + [row.billed for row in whole.rows]
    figures += [each.micros for each in whole.differences]
    return printed_places([dollars(micros) for micros in figures])


# ---- the cover ------------------------------------------------------------------------------


def facts(source: Source, result: Result, most: int | None = None) -> Table:
    """Return what is said of the bill and of the calls, in words, with ``most`` of the notes."""
    bill = result.whole.bill
    dates = [f"issued {_day(bill.issued)}"] if bill.issued else []
    dates += [f"for {_day(bill.first)} to {_day(bill.last)}"] if bill.first and bill.last else []
    dates += [f"of the month as {bill.zone} has it"] if bill.zone else []
    rows = [
        ("Bill", ", ".join((bill.number, *dates))),
        ("GST", f"{_BASES[bill.basis]} {COST_BASIS[source.heading.cost_gst]}"),
        ("Compared", result.how),
        *(("Note", note) for note in result.notes[:most]),
    ]
    columns = (Column("label", "About", Kind.TEXT), Column("words", "What", Kind.TEXT))
    return Table(columns, tuple(Row(cells) for cells in rows))


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def verdict(whole: Reconciliation) -> Table:
    """Return the figures that decide."""
    columns = (Column("label", "Figure", Kind.TEXT), Column("dollars", "Dollars", Kind.MONEY))
    difference = whole.bill.total - whole.cost
    left = whole.steps[-1].micros
    figures = (
        ("Calls, as recorded", whole.cost),
        ("Bill", whole.bill.total),
        ("Difference", difference),
        ("Explained", difference - left),
        ("Unexplained, all rows added up", whole.unexplained),
        ("Allowed", whole.allowed),
    )
    return Table(columns, tuple(Row((label, dollars(micros))) for label, micros in figures))


def waterfall(whole: Reconciliation) -> Table:
    """Return the way from the calls to the bill, a class a step, with what it comes to so far."""
    columns = (
        Column("step", "Step", Kind.TEXT),
        Column("meaning", "Meaning", Kind.TEXT),
        Column("calls", "Calls", Kind.COUNT),
        Column("dollars", "Dollars", Kind.MONEY),
        Column("running", "So far", Kind.MONEY),
    )
    at = whole.cost
    calls = sum(row.sums.calls for row in whole.rows)
    rows = [Row(("Calls", "what the carrier's records cost", calls, dollars(at), dollars(at)))]
    for step in whole.steps:
        at += step.micros
        meaning = CLASSES.get(step.kind, "what no class proves")
        cells = (step.kind.capitalize() if step.kind != "GST basis" else step.kind, meaning)
        rows.append(Row((*cells, step.calls, dollars(step.micros), dollars(at)), key=(step.kind,)))
    total = dollars(whole.bill.total)
    rows.append(Row(("Bill", "payable", None, total, total), Role.TOTAL))
    return Table(columns, tuple(rows))


# ---- by category ----------------------------------------------------------------------------

_BEFORE = (
    Column("category", "Category", Kind.TEXT),
    Column("calls", "Calls", Kind.COUNT),
    Column("said", "Calls on the bill", Kind.COUNT),
    Column("cost", "Cost", Kind.MONEY),
    Column("billed", "Billed", Kind.MONEY),
    Column("difference", "Difference", Kind.MONEY),
)


def by_category(whole: Reconciliation) -> Table:
    """Return every row with all classes."""
    columns = (
        *_BEFORE,
        *(Column(kind, kind, Kind.MONEY) for kind in CLASSES),
        Column("unexplained", "Unexplained", Kind.MONEY),
        Column("hint", "Looks like", Kind.TEXT),
    )
    rows = [Row((*_first(row), *_by_class(row), hint(row)), key=(row.name,)) for row in whole.rows]
    all_of = _added("All", whole.rows)
    rows.append(Row((*_first(all_of), *_by_class(all_of), ""), Role.TOTAL))
    return Table(columns, tuple(rows))


def _first(row: Line) -> tuple[Cell, ...]:
    figures = (row.sums.cost, row.billed, row.difference)
    return (row.name, row.sums.calls, row.said, *map(dollars, figures))


def _by_class(row: Line) -> tuple[Cell, ...]:
    return (*(dollars(row.classes[kind]) for kind in CLASSES), dollars(row.unexplained))


def in_short(whole: Reconciliation) -> Table:
    """Return the rows for a page: those with most left first to be kept, in their own order."""
    columns = (
        _BEFORE[0],
        _BEFORE[1],
        *_BEFORE[3:],
        Column("explained", "Explained", Kind.MONEY),
        Column("unexplained", "Unexplained", Kind.MONEY),
    )
    ranked = sorted(
        range(len(whole.rows)),
        key=lambda at: (-abs(whole.rows[at].unexplained), -abs(whole.rows[at].billed), at),
    )
    kept = sorted(ranked[:_MOST_ROWS])
    rest = [whole.rows[at] for at in sorted(ranked[_MOST_ROWS:])]
    shown = [whole.rows[at] for at in kept]
    if rest:
        # Before the lines that are no calls, which stand last.
        last = [row for row in shown if row.name in {ALL_CALLS, OTHER_LINES}]
        shown = [row for row in shown if row not in last]
        name = counted(len(rest), "other category")
        shown += [_added(name, rest), *last]
    rows = [Row(_short(row)) for row in shown]
    return Table(columns, (*rows, Row(_short(_added("All", whole.rows)), Role.TOTAL)))


def _short(row: Line) -> tuple[Cell, ...]:
    explained = row.difference - row.unexplained
    name, calls, _, *figures = _first(row)
    return (name, calls, *figures, dollars(explained), dollars(row.unexplained))


def _added(name: str, rows: Sequence[Line]) -> Line:
    """Add rows up; their classes may cancel, which rows alone would show."""
    whole = rows[0]
    for row in rows[1:]:
        sums = type(row.sums)(*(a + b for a, b in zip(whole.sums, row.sums, strict=True)))
        classes = {kind: whole.classes[kind] + row.classes[kind] for kind in CLASSES}
        billed = whole.billed + row.billed
        whole = replace(whole, sums=sums, billed=billed, classes=classes)
    return replace(whole, name=name, said=None, listed=None)


def sign_off() -> Table:
    """Return room to sign, and to say why a difference is accepted."""
    columns = (
        Column("label", "Who", Kind.TEXT),
        *(Column(word.lower(), word, Kind.TEXT) for word in ("Name", "Date", "Signature")),
    )
    labels = ("Prepared by", "Reviewed by", "Difference accepted because")
    return Table(columns, tuple(Row((label, "", "", "")) for label in labels))
