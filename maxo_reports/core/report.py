"""The report model: one value that every renderer turns into a file and none adds a figure to.

A definition (``reports/*.toml``) names sections; ``sections`` fills them from the ledger. Cells
keep their kind (a cost is a Decimal, a duration is seconds, a phone number is text), so that
each renderer writes them natively and formatting happens last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import NamedTuple, Protocol

from maxo_reports.core.changes import Changes
from maxo_reports.core.checks import Check, Completeness, Finding
from maxo_reports.core.directory import ALLOCATIONS, UNALLOCATED
from maxo_reports.core.heading import Heading
from maxo_reports.core.ledger import NOTHING, Ledger, Totals
from maxo_reports.core.money import round_half_up
from maxo_reports.core.period import BillingPeriod
from maxo_reports.core.where import ALL, Where


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
    CENTS = "cents"
    """Dollars that were rounded once, to the cent: what is paid."""
    MOMENT = "moment"
    """Local time."""
    DATE = "date"


Cell = str | int | Decimal | date | datetime | None


class Role(Enum):
    """What a row is for."""

    ROW = "row"
    SUBTOTAL = "subtotal"
    """The sum of the rows right above it; its parts are counted in the total already."""
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``key`` for programs, ``label`` for people.

    A hidden one is in the workbook, out of sight, and not in a statement. One that is not
    ``printed`` says in a workbook what a statement shows by the way it prints something else.
    """

    key: str
    label: str
    kind: Kind
    hidden: bool = False
    printed: bool = True

    @property
    def is_in_print(self) -> bool:
        """Whether a statement shows it."""
        return self.printed and not self.hidden


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``key`` holds the group's values as the Calls rows hold them, for formulas."""

    cells: tuple[Cell, ...]
    role: Role = Role.ROW
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; ``group_by`` names the dimensions of the leading columns, if grouped.

    ``across`` is the dimension of the columns that follow them in a matrix, and ``names`` are
    its values there.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    group_by: tuple[str, ...] = ()
    across: str = ""
    names: tuple[str, ...] = ()


class CallLine(NamedTuple):
    """One call as the itemised list shows it.

    ``started`` is seconds since 1970 on the account's local clock, ``seconds`` the duration
    (None where the carrier gave none), ``cost`` micro-dollars (None where unreadable). The last
    four are what the number directory says of it on its day.
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
    label: str = UNALLOCATED
    site: str = UNALLOCATED
    cost_centre: str = UNALLOCATED
    client: str = UNALLOCATED


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
    **{name: Column(name, heading, Kind.TEXT) for name, heading in ALLOCATIONS.items()},
}
"""What an itemised list can show, in CallLine's order."""
OF_THE_CARRIER: tuple[str, ...] = tuple(key for key in CALL_COLUMNS if key not in ALLOCATIONS)
"""The columns that an itemised list shows unless its definition says: what the carrier says."""


class CallBlock(Protocol):
    """Some calls in columns named as CallLine's fields, which any reader of Arrow can take."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Hand the columns over without a copy: the Arrow PyCapsule interface."""
        ...


class Calls(Protocol):
    """The period's calls in order of time, read from the column store as often as asked."""

    def __len__(self) -> int:
        """Return how many calls there are."""
        ...

    def lines(self) -> Iterator[CallLine]:
        """Return the calls one by one."""
        ...

    def blocks(self) -> Iterator[CallBlock]:
        """Return the same calls some thousands at a time, in columns: for files of all calls."""
        ...

    def longest(self) -> Mapping[str, int]:
        """Return how many letters the longest text of each column of texts has."""
        ...

    def foremost(self, measure: str, most: int) -> Sequence[CallLine]:
        """Return the calls with the most of a measure that have any, the greatest first."""
        ...

    def called(self, direction: str) -> Iterable[tuple[str, Totals]]:
        """Return the totals of each B-party, as the carrier writes it, of one direction."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """The calls that a filter leaves: grouped, and one by one; ``rest`` is what it leaves out."""

    ledger: Ledger
    calls: Calls
    rest: Totals = NOTHING
    where: Where = ALL


Selector = Callable[[Where, bool], View]
"""Gives the calls of a filter, in order of time or (where true) of service number and time."""


MOST_SHEETS = 100
"""How many sheets of single service numbers a workbook gets, unless its definition says."""
MOST_ROWS = 10
"""How many rows a list of the foremost has, unless its definition says."""


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """One section of a definition, as the user wrote it and the reader has checked it.

    ``labels`` are the columns that are renamed, ``hidden`` those out of sight. ``each`` makes a
    sheet for each service number, ``sheets`` at most. ``most`` is how many rows a list of the
    foremost has; ``subtotals`` adds up each value of the first dimension. ``group_by`` of a
    list of calls is for print: a group with a subtotal for each service number.
    """

    kind: str
    title: str
    sheet: str
    formats: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    order_by: str = "name"
    chart: bool = False
    where: Where = ALL
    labels: tuple[tuple[str, str], ...] = ()
    hidden: frozenset[str] = frozenset()
    each: bool = False
    sheets: int = MOST_SHEETS
    most: int = MOST_ROWS
    subtotals: bool = False

    def named(self, column: Column) -> Column:
        """Return a column under the name that the definition gives it."""
        label = dict(self.labels).get(column.key, column.label)
        return replace(column, label=label, hidden=column.key in self.hidden)

    @property
    def call_columns(self) -> tuple[Column, ...]:
        """The columns of an itemised list, named and in order as the definition has them."""
        return tuple(self.named(CALL_COLUMNS[key]) for key in self.show)


@dataclass(frozen=True, slots=True)
class Definition:
    """A report definition: which files, which sections, its PDF's standard and attachments."""

    name: str
    title: str
    formats: tuple[str, ...]
    filename: str
    template: str
    sections: tuple[SectionSpec, ...]
    where: Where = ALL
    standard: str = ""
    attach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """The calls of one sheet of a list that has more: whose, on which sheet, how many."""

    title: str
    sheet: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Section:
    """One section, filled. ``table`` is None for the itemised list, whose rows are streamed.

    ``filtered`` says in words what a filter leaves of the whole, and is empty without one.
    ``calls`` and ``totals`` are those that the section is about; None where they are the
    report's own. ``parts`` are the sheets of a list for each service number: its table is their
    index, and its calls come in their order. ``by_number`` are a list's calls number by number,
    where a statement prints it in groups.
    """

    spec: SectionSpec
    table: Table | None
    note: str = ""
    filtered: str = ""
    calls: Calls | None = None
    totals: Totals | None = None
    parts: tuple[Part, ...] = ()
    by_number: Calls | None = None


_NOT_LOOKED_INTO = Completeness()


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier month for comparison. ``select`` groups its calls; None where it has no figures.

    ``state`` says which of the two, and why: ``whole``, ``not in the archive``, ...
    """

    period: BillingPeriod
    state: str
    select: Callable[[Where], Ledger] | None = None


def _no_selection(where: Where, by_number: bool) -> View:  # noqa: FBT001 - a Selector
    message = f"there is nothing to filter by {where.words!r}, {by_number}"
    raise NotImplementedError(message)


@dataclass(frozen=True, slots=True)
class Source:
    """What a report is filled from.

    ``connected_statuses`` are the carrier's own words that count as connected, so that a
    formula over the itemised calls can count them too. ``changes`` is None for a first issue.
    ``select`` filters the calls; ``earlier`` are the months before, oldest first, where a report
    compares with them.
    """

    heading: Heading
    ledger: Ledger
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    calls: Calls
    connected_statuses: tuple[str, ...]
    completeness: Completeness = _NOT_LOOKED_INTO
    changes: Changes | None = None
    select: Selector = _no_selection
    earlier: tuple[Earlier, ...] = ()
    charges: Table | None = None
    """What a reseller's client pays, line by line; None in any other report."""

    def back(self, months: int) -> tuple[Earlier, ...]:
        """Return the last months before the period, as many as are wanted and there are."""
        return self.earlier[-months:] if months else ()

    def view(self, where: Where, *, by_number: bool = False) -> View:
        """Return the calls of a filter; the whole needs no second look."""
        if where or by_number:
            return self.select(where, by_number)
        return View(self.ledger, self.calls)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the files of one report say.

    ``places`` is the number of decimals that every cost of this report is printed with.
    ``totals`` and ``calls`` are those that the report's filter leaves; ``filtered`` says so in
    words, with the whole beside it. ``checks`` are the figures that had to be equal.
    """

    definition: Definition
    heading: Heading
    totals: Totals
    places: int
    sections: tuple[Section, ...]
    findings: tuple[Finding, ...]
    calls: Calls
    connected_statuses: tuple[str, ...]
    filtered: str = ""
    checks: tuple[Check, ...] = ()
    due: Decimal | None = None
    """What a reseller's client is to pay, GST and fees included; None in any other report."""

    @property
    def payable(self) -> Decimal:
        """What is paid in whole cents: what is due, else the total rounded once, half up."""
        return round_half_up(self.totals.cost) if self.due is None else self.due

    def sections_for(self, file_format: str) -> tuple[Section, ...]:
        """Return the sections that a file of this format shows."""
        return tuple(s for s in self.sections if file_format in s.spec.formats)

    def calls_of(self, section: Section) -> Calls:
        """Return the calls that a section lists."""
        return self.calls if section.calls is None else section.calls

    def totals_of(self, section: Section) -> Totals:
        """Return the totals of the calls that a section is about."""
        return self.totals if section.totals is None else section.totals

    def listed(self, file_format: str) -> Section | None:
        """Return the first section of a file that is one list of calls, if there is any."""
        return next((s for s in self.sections_for(file_format) if s.table is None), None)
