"""The rows of a table as the user has laid it out: our columns in any order, his own beside them.

Our values are made as in the workbook that we issue (``render.xlsx.rows``), with the format of
the table's first row; texts stand in their cells, so that the workbook's shared texts stay as they
are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from xml.sax.saxutils import escape

import pyarrow as pa
from openpyxl.utils import get_column_letter

from maxo_reports.core.report import (
    CALL_COLUMNS,
    OF_THE_CARRIER,
    Calls,
    Cell,
    Column,
    Kind,
    Role,
    Row,
    SectionSpec,
)
from maxo_reports.refresh.formulas import Piece
from maxo_reports.render.xlsx.book import figure
from maxo_reports.render.xlsx.rows import EPOCH, Deck, Part, inline, joined, maker, numbers
from maxo_reports.render.xlsx.texts import Shared

FROM_1904 = 1_462
"""Days from the first day of a usual workbook to that of one that counts from 1904."""


class _Inline(Shared):
    """No texts are shared: each stands in its cell."""

    MOST = 0


class Slot(NamedTuple):
    """What a column of the user's table gets: a column of ours, a formula of his, or a format.

    ``attributes`` are what a formula's cell says besides (a dynamic array has a mark of its own).
    """

    column: int
    style: int
    key: str | None = None
    formula: tuple[Piece, ...] | None = None
    is_array: bool = False
    attributes: str = ""


Batch = tuple[int, Mapping[str, list[Part]]]
"""How many rows, and the tails of their cells by the key of the column."""


class Source(Protocol):
    """What a table can be filled with."""

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def batches(self, styles: Mapping[str, int], epoch: int) -> Iterator[Batch]:
        """Yield the rows, with the cells of some columns in a style each."""
        ...


class CallRows:
    """Every call that a section is about: any of their columns, and not only those it shows."""

    def __init__(self, calls: Calls, spec: SectionSpec) -> None:
        self.columns: Mapping[str, Column] = {
            key: spec.named(column)
            for key, column in CALL_COLUMNS.items()
            # A user's own column may well be called "Client".
            if key in OF_THE_CARRIER or key in spec.show
        }
        self.calls = calls

    def __len__(self) -> int:
        """Return how many calls there are."""
        return len(self.calls)

    def batches(self, styles: Mapping[str, int], epoch: int) -> Iterator[Batch]:
        """Yield the calls some thousands at a time."""
        none = _Inline()
        makers = {
            key: maker(CALL_COLUMNS[key], style, style, none, epoch)
            for key, style in styles.items()
        }
        for batch in Deck(self.calls.blocks()).deal(len(self.calls)):
            yield len(batch), {key: make(batch.column(key)) for key, make in makers.items()}


class TableRows:
    """The rows of a grouped table; its total is left to the user's own totals row."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        self.columns: Mapping[str, Column] = {column.key: column for column in columns}
        only_total = all(row.role is Role.TOTAL for row in rows)
        self.rows = [row.cells for row in rows if only_total or row.role is Role.ROW]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def batches(self, styles: Mapping[str, int], epoch: int) -> Iterator[Batch]:
        """Yield all rows at once."""
        if not self.rows:
            return
        places = {key: place for place, key in enumerate(self.columns)}
        tails: dict[str, list[Part]] = {}
        for key, style in styles.items():
            kind = self.columns[key].kind
            cells = [tail(row[places[key]], kind, style, epoch) for row in self.rows]
            tails[key] = [pa.array(cells, pa.string())]
        yield len(self.rows), tails


def tail(value: Cell, kind: Kind, style: int, epoch: int) -> str:
    """Return what stands in a cell after its address."""
    if value is None:
        return f'" s="{style}"/>'
    if isinstance(value, str):
        return inline(style, value)
    number = figure(value, kind)
    if isinstance(value, date):
        number += epoch - EPOCH
    text = f"{number:f}" if isinstance(number, Decimal) else str(number)
    return f'" s="{style}"><v>{text}</v></c>'


def made(source: Source, slots: Sequence[Slot], top: int, epoch: int) -> Iterator[bytes]:
    """Yield the cells of each row of a table, from the row ``top`` on.

    A table must have a row, so that of a month without calls gets an empty one.
    """
    styles = {slot.key: slot.style for slot in slots if slot.key is not None}
    row = top
    for count, tails in source.batches(styles, epoch):
        yield from _rows(slots, tails, row, top, count)
        row += count
    if row == top:
        empty: dict[str, list[Part]] = {key: [f'" s="{s}"/>'] for key, s in styles.items()}
        yield from _rows(slots, empty, top, top, 1)


def _rows(
    slots: Sequence[Slot], tails: Mapping[str, list[Part]], row: int, top: int, count: int
) -> Iterator[bytes]:
    at = {0: numbers(row, count)}
    parts: list[Part] = []
    for slot in slots:
        letter = get_column_letter(slot.column)
        parts += [f'<c r="{letter}', at[0]]
        if slot.key is not None:
            parts += tails[slot.key]
        elif slot.formula is None:
            parts.append(f'" s="{slot.style}"/>')
        else:
            parts.append(f'" s="{slot.style}"{slot.attributes}>')
            parts += [f'<f t="array" ref="{letter}', at[0], '">'] if slot.is_array else ["<f>"]
            for piece in slot.formula:
                if isinstance(piece, str):
                    parts.append(escape(piece))
                else:
                    away = piece - top
                    at.setdefault(away, numbers(row + away, count))
                    parts.append(at[away])
            parts.append("</f></c>")
    cells: Any = joined(parts).cast(pa.binary())
    yield from cells.to_pylist()
