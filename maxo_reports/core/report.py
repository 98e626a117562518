"""The report model: one value that every renderer turns into a file and none adds a figure to.

A definition (``reports/*.toml``) names sections; ``build`` fills them from the ledger. Cells
keep their kind (a cost is a Decimal, a duration is seconds, a phone number is text), so that
each renderer writes them natively and formatting happens last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple, Protocol

from maxo_reports.core import money
from maxo_reports.core.changes import KINDS, Change, Changes
from maxo_reports.core.checks import Check, Completeness, Finding, State
from maxo_reports.core.ledger import DIMENSIONS, MEASURES, Group, Ledger, Totals
from maxo_reports.core.money import GstBasis, dollars
from maxo_reports.core.period import BillingPeriod, LocalClock


class Kind(Enum):
    """What a column holds; a renderer chooses format, alignment and width by it."""

    TEXT = "text"
    NUMBER = "number"
    """A telephone number: always text, shown spaced."""
    ID = "id"
    COUNT = "count"
    DURATION = "duration"
    """Whole seconds."""
    MONEY = "money"
    """Dollars as Decimal; None where the carrier's cost cannot be read."""
    MOMENT = "moment"
    """Local time."""
    DATE = "date"


Cell = str | int | Decimal | date | datetime | None


class Role(Enum):
    """What a row is for."""

    ROW = "row"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``key`` for programs, ``label`` for people."""

    key: str
    label: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``key`` holds the group's values as the Calls rows hold them, for formulas."""

    cells: tuple[Cell, ...]
    role: Role = Role.ROW
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; ``group_by`` names the dimensions of the leading columns, if grouped."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    group_by: tuple[str, ...] = ()


class CallLine(NamedTuple):
    """One call as the itemised list shows it.

    ``started`` is seconds since 1970 on the account's local clock, ``seconds`` the duration
    (None where the carrier gave none), ``cost`` micro-dollars (None where unreadable).
    """

    call_id: str
    started: int
    direction: str
    a_party: str
    b_party: str
    service_number: str
    category: str
    status: str
    seconds: int | None
    cost: int | None


CALL_COLUMNS: Mapping[str, Column] = {
    "call_id": Column("call_id", "Call ID", Kind.ID),
    "started": Column("started", "Started", Kind.MOMENT),
    "direction": Column("direction", "Direction", Kind.TEXT),
    "a_party": Column("a_party", "From", Kind.NUMBER),
    "b_party": Column("b_party", "To", Kind.NUMBER),
    "service_number": Column("service_number", "Service number", Kind.NUMBER),
    "category": Column("category", "Rate category", Kind.TEXT),
    "status": Column("status", "Status", Kind.TEXT),
    "seconds": Column("seconds", "Duration", Kind.DURATION),
    "cost": Column("cost", "Cost", Kind.MONEY),
}
"""What an itemised list can show, in CallLine's order."""


class Calls(Protocol):
    """The period's calls in order of time, read from the column store as often as asked."""

    def __len__(self) -> int:
        """Return how many calls there are."""
        ...

    def lines(self) -> Iterator[CallLine]:
        """Return the calls one by one."""
        ...


SECTION_KINDS: Mapping[str, str] = {
    "summary": "account, period, state and control totals",
    "groups": "a table of totals by one or more dimensions",
    "days": "totals by day",
    "itemised": "every call",
    "exceptions": "the findings",
    "checks": "the figures that had to agree",
    "windows": "what was asked of the carrier, and which reply came",
    "changes": "what changed since the revision before; left out of a first issue",
    "changed-calls": "the calls that changed; left out of a first issue",
}
"""Kind of section -> what it shows."""


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """One section of a definition, as the user wrote it and the reader has checked it."""

    kind: str
    title: str
    sheet: str
    formats: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    order_by: str = "name"
    chart: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A report definition: which files, which sections."""

    name: str
    title: str
    formats: tuple[str, ...]
    filename: str
    template: str
    sections: tuple[SectionSpec, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One section, filled. ``table`` is None for the itemised list, whose rows are streamed."""

    spec: SectionSpec
    table: Table | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """The one palette of workbook, statement and email: colours as ``#rrggbb``, fonts by name.

    ``font`` is the shipped one, ``workbook_font`` one that spreadsheet programs have.
    """

    font: str
    workbook_font: str
    ink: str
    muted: str
    line: str
    tint: str
    paper: str
    brand: str
    on_brand: str
    accent: str
    inbound: str
    outbound: str
    good: str
    warning: str
    bad: str


COST_BASIS: Mapping[GstBasis, str] = {
    "inclusive": "Costs as reported by the carrier, GST included.",
    "exclusive": "Costs as reported by the carrier, GST not included.",
    "unknown": "Costs as reported by the carrier; whether they include GST is not stated.",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the figures of a report: for whom, which period, how sure.

    ``pulled_at`` is when the carrier was last asked, in the account's zone.
    """

    account_id: str
    account_name: str
    period: BillingPeriod
    state: State
    cost_gst: GstBasis
    pulled_at: datetime

    @property
    def cost_basis(self) -> str:
        """One sentence on what the costs mean, GST included or not (never guessed)."""
        return COST_BASIS[self.cost_gst]


_NOT_LOOKED_INTO = Completeness()


@dataclass(frozen=True, slots=True)
class Source:
    """What a report is filled from.

    ``connected_statuses`` are the carrier's own words that count as connected, so that a
    formula over the itemised calls can count them too. ``changes`` is None for a first issue.
    """

    heading: Heading
    ledger: Ledger
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    calls: Calls
    connected_statuses: tuple[str, ...]
    completeness: Completeness = _NOT_LOOKED_INTO
    changes: Changes | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the files of one report say.

    ``places`` is the number of decimals that every cost of this report is printed with.
    """

    definition: Definition
    heading: Heading
    totals: Totals
    places: int
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    calls: Calls
    connected_statuses: tuple[str, ...]

    def sections_for(self, file_format: str) -> tuple[Section, ...]:
        """Return the sections that a file of this format shows."""
        return tuple(s for s in self.sections if file_format in s.spec.formats)


def build(definition: Definition, source: Source) -> Report:
    """Fill a definition's sections from the ledger: the one report value of all its files."""
    ledger = source.ledger
    return Report(
        definition,
        source.heading,
        ledger.control,
        money.printed_places(
            [Decimal(1).scaleb(-ledger.places), *(g.totals.cost for g in ledger.groups)]
        ),
        tuple(
            _FILL[spec.kind](spec, source)
            for spec in definition.sections
            if source.changes is not None or spec.kind not in _OF_CHANGES
        ),
        source.findings,
        source.calls,
        source.connected_statuses,
    )


_MEASURE_KINDS = {"seconds": Kind.DURATION, "cost": Kind.MONEY}


def _measures(names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(n, MEASURES[n], _MEASURE_KINDS.get(n, Kind.COUNT)) for n in names)


def _figures(totals: Totals, names: Sequence[str]) -> tuple[Cell, ...]:
    return tuple(getattr(totals, name) for name in names)


def _total_row(totals: Totals, names: Sequence[str], width: int) -> Row:
    labels: tuple[Cell, ...] = ("Total", *(None,) * (width - 1))
    return Row((*labels, *_figures(totals, names)), Role.TOTAL)


def _summary(spec: SectionSpec, source: Source) -> Section:
    """Fill the control totals; the cover's words are the heading's own fields."""
    columns = (Column("measure", "Measure", Kind.TEXT), *_measures(spec.show))
    return Section(spec, Table(columns, (_total_row(source.ledger.control, spec.show, 1),)))


def _groups(spec: SectionSpec, source: Source) -> Section:
    keys = tuple(Column(d, DIMENSIONS[d], CALL_COLUMNS[d].kind) for d in spec.group_by)
    groups = sorted(source.ledger.by(spec.group_by), key=_ORDERS[spec.order_by])
    rows = [Row((*g.key, *_figures(g.totals, spec.show)), key=g.key) for g in groups]
    rows.append(_total_row(source.ledger.control, spec.show, len(keys)))
    table = Table(keys + _measures(spec.show), tuple(rows), spec.group_by)
    return Section(spec, table, "" if groups else "No calls in this period.")


_ORDERS: Mapping[str, Callable[[Group], tuple[object, ...]]] = {
    "name": lambda g: g.key,
    "cost": lambda g: (-g.totals.cost, -g.totals.calls, g.key),
    "calls": lambda g: (-g.totals.calls, -g.totals.cost, g.key),
}
ORDERS: tuple[str, ...] = tuple(_ORDERS)
"""How the rows of a grouped table can be ordered."""


def _days(spec: SectionSpec, source: Source) -> Section:
    columns = (Column("day", "Day", Kind.DATE), *_measures(spec.show))
    rows = [Row((day, *_figures(totals, spec.show))) for day, totals in source.ledger.days]
    rows.append(_total_row(source.ledger.control, spec.show, 1))
    return Section(spec, Table(columns, tuple(rows)))


def _itemised(spec: SectionSpec, source: Source) -> Section:
    return Section(spec, None, f"Times are local to {source.heading.period.zone}.")


_FINDING_COLUMNS = (
    Column("severity", "Severity", Kind.TEXT),
    Column("code", "Finding", Kind.TEXT),
    Column("where", "Where", Kind.TEXT),
    Column("message", "What it means", Kind.TEXT),
    Column("calls", "Calls", Kind.COUNT),
    Column("dollars", "Dollars", Kind.MONEY),
)


def _exceptions(spec: SectionSpec, source: Source) -> Section:
    rows = tuple(
        Row((f.severity, f.code, f.where, f.message, f.calls, f.dollars)) for f in source.findings
    )
    return Section(spec, Table(_FINDING_COLUMNS, rows), "" if rows else "Nothing to report.")


_CHECK_COLUMNS = (
    Column("check", "Check", Kind.TEXT),
    Column("expected", "Expected", Kind.TEXT),
    Column("found", "Found", Kind.TEXT),
    Column("result", "Result", Kind.TEXT),
)


def _checks(spec: SectionSpec, source: Source) -> Section:
    rows = tuple(
        Row((c.title, c.expected, c.found, "PASS" if c.passed else "FAIL")) for c in source.checks
    )
    return Section(spec, Table(_CHECK_COLUMNS, rows), source.completeness.summary)


_WINDOW_COLUMNS = (
    Column("start", "From", Kind.MOMENT),
    Column("end", "To, not included", Kind.MOMENT),
    Column("records", "Records", Kind.COUNT),
    Column("tries", "Tries", Kind.COUNT),
    Column("reply", "SHA-256 of the carrier's reply", Kind.TEXT),
)


def _windows(spec: SectionSpec, source: Source) -> Section:
    period = source.heading.period
    clock = LocalClock.over(period.zone, period.start, period.end)
    rows = tuple(
        Row(
            (
                clock.local(line.window.start),
                clock.local(line.window.end),
                line.count,
                line.tries,
                line.sha256,
            )
        )
        for line in source.completeness.windows
    )
    return Section(spec, Table(_WINDOW_COLUMNS, rows))


_CHANGE_COLUMNS = (
    Column("change", "Change", Kind.TEXT),
    Column("calls", "Calls", Kind.COUNT),
    Column("dollars", "Dollars", Kind.MONEY),
)
_CHANGED_COLUMNS = (
    Column("change", "Change", Kind.TEXT),
    Column("call_id", "Call ID", Kind.ID),
    Column("started", "Started", Kind.MOMENT),
    Column("direction", "Direction", Kind.TEXT),
    Column("a_party", "From", Kind.NUMBER),
    Column("b_party", "To", Kind.NUMBER),
    Column("category_before", "Category before", Kind.TEXT),
    Column("category", "Category now", Kind.TEXT),
    Column("seconds_before", "Duration before", Kind.DURATION),
    Column("seconds", "Duration now", Kind.DURATION),
    Column("cost_before", "Cost before", Kind.MONEY),
    Column("cost", "Cost now", Kind.MONEY),
    Column("dollars", "Difference", Kind.MONEY),
)
_OF_CHANGES = frozenset({"changes", "changed-calls"})


def _changes(spec: SectionSpec, source: Source) -> Section:
    changes = source.changes
    assert changes is not None, "left out where there is nothing to compare with"
    rows = [
        Row((kind.capitalize(), changes.count(kind), dollars(changes.micros(kind))))
        for kind in KINDS
    ]
    moved = sum(change.micros for change in changes.calls)
    rows.append(Row(("Total", len(changes.calls), dollars(moved)), Role.TOTAL))
    note = f"Compared with revision {changes.since}."
    if not changes.calls:
        note += " No call changed; settings, state or version did."
    return Section(spec, Table(_CHANGE_COLUMNS, tuple(rows)), note)


def _changed_calls(spec: SectionSpec, source: Source) -> Section:
    return Section(spec, changed_calls(source))


def changed_calls(source: Source) -> Table:
    """Return every call that changed since the revision before, as it was and as it is."""
    period = source.heading.period
    clock = LocalClock.over(period.zone, period.start, period.end)
    changes = source.changes.calls if source.changes is not None else ()
    return Table(_CHANGED_COLUMNS, tuple(_changed(change, clock) for change in changes))


def _changed(change: Change, clock: LocalClock) -> Row:
    either, before, after = change.either, change.before, change.after
    return Row(
        (
            change.kind.capitalize(),
            change.call_id,
            clock.local(either.unixtime),
            either.direction,
            either.a_party,
            either.b_party,
            before.category if before else None,
            after.category if after else None,
            before.seconds if before else None,
            after.seconds if after else None,
            dollars(before.cost) if before and before.cost is not None else None,
            dollars(after.cost) if after and after.cost is not None else None,
            dollars(change.micros),
        )
    )


_FILL: Mapping[str, Callable[[SectionSpec, Source], Section]] = {
    "summary": _summary,
    "groups": _groups,
    "days": _days,
    "itemised": _itemised,
    "exceptions": _exceptions,
    "checks": _checks,
    "windows": _windows,
    "changes": _changes,
    "changed-calls": _changed_calls,
}
