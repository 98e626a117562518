"""Rows made a column at a time are the rows of the column store, call by call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from carriers import SYDNEY, call, reply
from hypothesis import given, settings
from hypothesis import strategies as st
from rules import Raw, broken
from workbooks import Listed, line, workbook

from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.core import cdr
from maxo_reports.core.period import LocalClock, Window, parse_period
from maxo_reports.core.report import CALL_COLUMNS, CallLine
from maxo_reports.render.xlsx.rows import Deck, Rows
from maxo_reports.render.xlsx.texts import Shared
from reports import DEFINITION, with_sections

PERIOD = parse_period("2026-10-03..2026-10-06", SYDNEY, date(2026, 11, 20))
"""Three days with the change of clocks in the middle."""
CUT = PERIOD.start + 100_000
COLUMNS = tuple(CALL_COLUMNS.values())
STYLES = tuple(range(1, len(COLUMNS) + 1))


def stored(folder: Path, windows: Sequence[tuple[Window, Sequence[dict[str, Any]]]]) -> CallStore:
    """Keep calls as a pull does, a file for each window."""
    clock = LocalClock.over(SYDNEY, PERIOD.start - 86_400, PERIOD.end + 86_400)
    paths = []
    for window, calls in windows:
        read = cdr.read_reply(reply(calls, window, SYDNEY))
        paths.append(folder / f"{window.start}.parquet")
        columns.write(paths[-1], cdr.columns(read, clock), window, {})
    return CallStore(paths, PERIOD)


@pytest.mark.parametrize("repeats", [False, True])
def test_blocks_hold_the_calls_that_lines_hold(tmp_path, repeats):
    """The same values in the same order, with records that came twice and without."""
    first, second = Window(PERIOD.start, CUT), Window(CUT, PERIOD.end)
    calls = [
        call(n, PERIOD.start + 977 * n, zone=SYDNEY, cost=f"0.{n:04}", duration=n or None)
        for n in range(200)
    ]
    early = [c for c in calls if c["unixtime"] < CUT]
    late = [c for c in calls if c["unixtime"] >= CUT]
    outside = call("x", PERIOD.end + 5, zone=SYDNEY)
    windows = [(first, early), (second, [*late, outside, *(early[:3] if repeats else ())])]
    with closing(stored(tmp_path, windows)) as store:
        lines = list(store.lines())
        rows = [CallLine(*row.values()) for block in store.blocks() for row in block.to_pylist()]
    assert rows == lines
    assert len(rows) == 200
    assert rows[0].seconds is None


def xml(calls: Sequence[CallLine], block: int, counts: Sequence[int]) -> list[bytes]:
    """Make the rows of several sheets out of one deck."""
    deck, shared = Deck(Listed(calls, block).blocks()), Shared()
    return [b"".join(Rows(COLUMNS, deck, count).xml(STYLES, STYLES, shared)) for count in counts]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.text("a=_ 0", max_size=3), st.none() | st.integers(-99, 99)), max_size=30
    ),
    st.integers(1, 40),
    st.data(),
)
def test_where_blocks_and_sheets_are_cut_changes_no_cell(figures, block, data):
    """However the store hands the calls out, and wherever a sheet ends, cells are the same."""
    calls = [line(text, cost=cost) for text, cost in figures]
    cut = data.draw(st.integers(0, len(calls)))
    first, second = xml(calls, block, [cut, len(calls) - cut])
    assert first == xml(calls[:cut], 1_000, [cut])[0]
    assert second.count(b"<row ") == len(calls) - cut


def test_the_same_calls_make_the_same_bytes(tmp_path):
    """Nothing of the clock, the machine's memory or a hash's seed is in the file."""
    lines = [line(n, b_party=f"04915700{n % 50:02}", cost=n) for n in range(300)]
    sums = {
        hashlib.sha256(workbook(lines, tmp_path / f"{n}.xlsx").read_bytes()).digest()
        for n in range(2)
    }
    assert len(sums) == 1


def test_any_reader_of_arrow_can_hand_the_blocks_out(tmp_path):
    """The report model names the interface and not the library."""

    class Wrapped:
        def __init__(self, table: pa.Table) -> None:
            self._table = table

        def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
            return self._table.__arrow_c_stream__(requested_schema)

    class Foreign(Listed):
        def blocks(self) -> Iterator[Any]:
            return map(Wrapped, super().blocks())

    calls = [line(n) for n in range(5)]
    deck = Deck(Foreign(calls, 2).blocks())
    rows = b"".join(Rows(COLUMNS, deck, 5).xml(STYLES, STYLES, Shared()))
    assert rows == xml(calls, 10, [5])[0]


def test_columns_that_are_not_shown_are_not_written(tmp_path):
    """A definition chooses the columns and their order."""
    specs = [
        replace(spec, show=("cost", "b_party")) if spec.kind == "itemised" else spec
        for spec in DEFINITION.sections
    ]
    path = workbook([line(1)], tmp_path / "b.xlsx", definition=with_sections(*specs))
    assert not broken(path)
    cells = list(Raw(path).cells("Calls"))
    assert [cell.text or cell.value for cell in cells] == ["Cost", "To", "0.25", "0491570006"]
