"""The calls as rows of a sheet's XML, made a column at a time: no Python object for a call.

Calls come in blocks of Arrow columns. Each column becomes the text of its cells in a few steps
over the whole block, and one join makes the rows. Only texts are looked at one by one, and of
those only the distinct ones: what is unsafe in them is mended there (``texts``).

A cell is its address and a *tail*: style, type and value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.utils import get_column_letter

from maxo_reports.core.money import COST_PLACES
from maxo_reports.core.report import CallBlock, Column, Kind
from maxo_reports.render.xlsx.texts import Shared, element, looks_like_formula

DAY = 86_400
EPOCH = 25_569
"""The serial number that a spreadsheet gives 1 January 1970."""
CLOCK_PLACES, LENGTH_PLACES = 12, 12
"""Decimals of a day: all that a moment's binary figure has, since LibreOffice cuts off a second
that is 20 microseconds short, as it is with 9, and does not round it; a million lengths of calls
that are each a little off in the last decimal still add up to the right second."""
_ROWS = 10_000
"""Rows that are made at a time: many, so that a text is met once and not once a batch."""
# Constants have their type: pyarrow tries a failing import for each one whose type it must find.
_MICRO = pa.scalar(Decimal(1).scaleb(-COST_PLACES), pa.decimal128(COST_PLACES + 1, COST_PLACES))

Part = Any
"""What all rows of a column share, as ``str``, or what each has, as an Arrow array of strings."""
Maker = Callable[[Any], list[Part]]


class Deck:
    """Deals the calls out to one sheet after another, in order."""

    def __init__(self, blocks: Iterable[CallBlock]) -> None:
        self._batches = (
            batch for block in blocks for batch in pa.table(block).combine_chunks().to_batches()
        )
        self._rest: Any = None

    def deal(self, count: int) -> Iterator[Any]:
        """Yield the next ``count`` calls in batches of columns."""
        while count:
            if not self._rest:
                self._rest = next(self._batches, None)
                if self._rest is None:
                    message = f"the store ended {count:,} calls before its own count"
                    raise ValueError(message)
            taken = self._rest.slice(0, min(count, _ROWS))
            self._rest = self._rest.slice(len(taken))
            count -= len(taken)
            yield taken


class Rows:
    """The rows of one sheet, from row ``first`` on: the next ``count`` calls of a deck."""

    def __init__(
        self, columns: tuple[Column, ...], deck: Deck, count: int, first: int = 2
    ) -> None:
        self._columns = columns
        self._deck = deck
        self._first = first
        self.count = count

    def xml(
        self, plain: tuple[int, ...], quoted: tuple[int, ...], shared: Shared
    ) -> Iterator[memoryview]:
        """Yield the rows in batches; the styles are each column's, plain and for quoted text."""
        makers = [
            maker(column, one, other, shared)
            for column, one, other in zip(self._columns, plain, quoted, strict=True)
        ]
        row = self._first
        for batch in self._deck.deal(self.count):
            at = numbers(row, len(batch))
            row += len(batch)
            parts: list[Part] = ['<row r="', at, '">']
            for place, (column, make) in enumerate(zip(self._columns, makers, strict=True), 1):
                parts += [f'<c r="{get_column_letter(place)}', at]
                parts += make(batch.column(column.key))
            yield _joined([*parts, "</row>"])


def numbers(first: int, count: int) -> Any:
    """Return the numbers of rows as texts."""
    return pc.cast(pa.array(range(first, first + count), pa.int32()), pa.string())


def _joined(parts: list[Part]) -> memoryview:
    """Join all rows; a view of Arrow's own memory, not a copy."""
    rows = joined(parts)
    _, ends, content = rows.buffers()
    return memoryview(content)[: memoryview(ends).cast("i")[len(rows)]]


def joined(parts: list[Part]) -> Any:
    """Join the parts of every row; at least one must be of each row's own."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    rows = pc.binary_join_element_wise(*map(_constant, merged), _constant(""))
    assert not rows.null_count, "a part that is missing would take its row along"
    return rows


def _constant(part: Part) -> Any:
    return pa.scalar(part, pa.string()) if isinstance(part, str) else part


def maker(column: Column, plain: int, quoted: int, shared: Shared, epoch: int = EPOCH) -> Maker:
    """Return the function that makes the tails of a column's cells.

    ``epoch`` is the serial number of 1 January 1970 in the workbook.
    """
    if column.kind is Kind.ID:
        return _Ids(plain, quoted).parts
    figures: Mapping[Kind, Callable[[Any], Any]] = {
        Kind.MOMENT: lambda local: _days(local, epoch, CLOCK_PLACES),
        Kind.DURATION: lambda seconds: _days(seconds, 0, LENGTH_PLACES),
        Kind.MONEY: _dollars,
    }
    make = figures.get(column.kind)
    return _Texts(plain, quoted, shared).parts if make is None else _figures(plain, make)


def _figures(style: int, make: Callable[[Any], Any]) -> Maker:
    def parts(values: Any) -> list[Part]:
        head, tail = f'" s="{style}"><v>', "</v></c>"
        if not values.null_count:
            return [head, make(values), tail]
        filled = pc.binary_join_element_wise(*map(_constant, (head, make(values), tail, "")))
        return [pc.fill_null(filled, _constant(f'" s="{style}"/>'))]

    return parts


def _days(seconds: Any, epoch: int, places: int) -> Any:
    """Write seconds as days and parts of a day after ``epoch``."""
    days = pc.add(pc.divide(pc.cast(seconds, pa.float64()), _real(DAY)), _real(epoch))
    return pc.cast(pc.round(days, places), pa.string())


def _real(number: int) -> Any:
    return pa.scalar(number, pa.float64())


def _dollars(micros: Any) -> Any:
    """Write micro-dollars as dollars, exactly, with no digit more than the value needs."""
    exact = pc.multiply(pc.cast(micros, pa.decimal128(19, 0)), _MICRO)
    return pc.ascii_rtrim(pc.ascii_rtrim(pc.cast(exact, pa.string()), "0"), ".")


class _Texts:
    """Makes the tails of texts that come again and again, each once."""

    _MOST = 200_000

    def __init__(self, plain: int, quoted: int, shared: Shared) -> None:
        self._plain, self._quoted, self._shared = plain, quoted, shared
        self._tails: dict[str, str] = {}

    def parts(self, values: Any) -> list[Part]:
        """Return the tails of a column's texts."""
        coded = values.dictionary_encode()
        tails = pa.array(map(self._tail, coded.dictionary.to_pylist()), pa.string())
        return [tails.take(coded.indices)]

    def _tail(self, text: str) -> str:
        tail = self._tails.get(text)
        if tail is None:
            if len(self._tails) >= self._MOST:
                self._tails.clear()
            tail = self._tails[text] = self._made(text)
        return tail

    def _made(self, text: str) -> str:
        style = self._quoted if looks_like_formula(text) else self._plain
        number = self._shared.number(text)
        if number is None:
            return inline(style, text)
        return f'" s="{style}" t="s"><v>{number}</v></c>'


class _Ids:
    """Makes the tails of texts of which no two are equal: they stand in their cells."""

    _LONGEST = 255

    def __init__(self, plain: int, quoted: int) -> None:
        self._plain, self._quoted = plain, quoted

    def parts(self, values: Any) -> list[Part]:
        """Return the tails of a column's texts; letters and digits need no look at each."""
        short = pc.max(pc.binary_length(values)).as_py() <= self._LONGEST
        if short and pc.all(pc.ascii_is_alnum(values)).as_py():
            return [f'" s="{self._plain}" t="inlineStr"><is><t>', values, "</t></is></c>"]
        return [pa.array(map(self._tail, values.to_pylist()), pa.string())]

    def _tail(self, text: str) -> str:
        return inline(self._quoted if looks_like_formula(text) else self._plain, text)


def inline(style: int, text: str) -> str:
    """Return the tail of a text that stands in its cell."""
    return f'" s="{style}" t="inlineStr"><is>{element(text)}</is></c>'
