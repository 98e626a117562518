"""Calls in columns: one Parquet file a window, grouped with DuckDB, made again at any time.

Costs are whole micro-dollars and durations whole seconds, so every sum is exact in any engine.
SQL does the finest groups only; what is above them is added up in the core.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from maxo_reports.archive import files
from maxo_reports.core.cdr import QUIRKS, CallColumns
from maxo_reports.core.ledger import Group, Intake, Ledger, QuirkCount, Totals
from maxo_reports.core.money import dollars
from maxo_reports.core.period import BillingPeriod, LocalClock, Window
from maxo_reports.core.report import CallLine
from maxo_reports.errors import ArchiveError

_SCHEMA = pa.schema(
    [
        ("call_id", pa.string()),
        ("unixtime", pa.int64()),
        ("direction", pa.string()),
        ("a_party", pa.string()),
        ("b_party", pa.string()),
        ("service_number", pa.string()),
        ("category", pa.string()),
        ("status", pa.string()),
        ("connected", pa.bool_()),
        ("seconds", pa.int64()),
        ("cost", pa.int64()),
        ("cost_text", pa.string()),
        ("quirks", pa.int64()),
    ]
)
_UNKNOWN_FIELDS = b"maxo.unknown_fields"
_BATCH = 10_000
_CONTENT = "unixtime, direction, a_party, b_party, category, status, seconds, cost, cost_text"


def write(path: Path, columns: CallColumns, window: Window, unknown: dict[str, int]) -> None:
    """Write the calls of one window, in order of time, with the window's span beside them."""
    table = pa.table(
        {name: pa.array(getattr(columns, name), kind) for name, kind in _fields()},
        schema=_SCHEMA,
    ).sort_by([("unixtime", "ascending"), ("call_id", "ascending")])
    for name, edge in (("window_start", window.start), ("window_end", window.end)):
        table = table.append_column(name, pa.repeat(pa.scalar(edge, pa.int64()), len(table)))
    table = table.replace_schema_metadata({_UNKNOWN_FIELDS: json.dumps(unknown)})
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    files.put(path, target.getvalue())


def _fields() -> list[tuple[str, pa.DataType]]:
    return [(field.name, field.type) for field in _SCHEMA]


class CallStore:
    """The calls of one whole pull: the ledger's source, and the itemised list's.

    ``paths`` are the Parquet files of its accepted windows, in order of time. Each record counts
    once by its callid; of records that share one, the first in order of window and time is kept.
    """

    def __init__(self, paths: Sequence[Path], period: BillingPeriod) -> None:
        self._paths = paths
        self._period = period
        self._clock = LocalClock.over(period.zone, period.start, period.end)
        self._unknown = _unknown_fields(paths)
        self._db = duckdb.connect(config={"threads": 2})
        # No window of a month may be without a file; an empty one has a file of no rows.
        source = self._db.read_parquet([str(path) for path in paths], file_row_number=True)
        source.create_view("received")
        self._intake = self._receive()
        self._rows = self._intake.ledger

    def __len__(self) -> int:
        return self._rows

    def close(self) -> None:
        """Let go of the files and the memory."""
        self._db.close()

    def _receive(self) -> Intake:
        """Sort the records into ledger, repeats and outside, and count each."""
        start, end = self._period.start, self._period.end
        inside = f"unixtime >= {start} AND unixtime < {end}"
        astray = "(unixtime < window_start OR unixtime >= window_end)"
        received, in_period, distinct, strays = self._one(
            f"SELECT count(*), count(*) FILTER ({inside}),"
            f" count(DISTINCT call_id) FILTER ({inside}),"
            f" count(*) FILTER ({inside} AND {astray}) FROM received"
        )
        first = "PARTITION BY call_id ORDER BY window_start, file_row_number"
        if in_period == distinct:
            kept = f"SELECT * FROM received WHERE {inside}"
            conflicting = 0
        else:
            kept = f"SELECT * FROM received WHERE {inside} QUALIFY row_number() OVER ({first}) = 1"
            (conflicting,) = self._one(
                f"SELECT count(*) FROM (SELECT ({_CONTENT}) AS content,"
                f" first_value(({_CONTENT})) OVER ({first}) AS kept FROM received"
                f" WHERE {inside}) WHERE content IS DISTINCT FROM kept"
            )
        self._db.execute(f"CREATE VIEW kept AS {kept}")
        return Intake(
            received,
            distinct,
            in_period - distinct,
            received - in_period,
            conflicting,
            strays,
            self._quirks(),
            tuple(sorted(self._unknown.items())),
        )

    def _quirks(self) -> tuple[QuirkCount, ...]:
        bits = ", ".join(f"('{code}', {bit})" for code, bit in QUIRKS.items())
        rows = self._all(
            "SELECT code, count(*), coalesce(sum(cost), 0), min(call_id)"
            f" FROM kept, (VALUES {bits}) AS odd(code, bit)"
            " WHERE quirks <> 0 AND (quirks & bit) <> 0 GROUP BY code ORDER BY code"
        )
        return tuple(
            QuirkCount(code, n, dollars(cost), example) for code, n, cost, example in rows
        )

    def ledger(self) -> Ledger:
        """Group the calls: finest groups, days and control totals, each from a scan of its own."""
        groups = tuple(
            Group(tuple(row[:3]), _totals(row[3:]))
            for row in self._all(
                f"SELECT category, direction, service_number, {_MEASURES} FROM kept"
                " GROUP BY ALL ORDER BY ALL"
            )
        )
        by_day = {
            _day(day): _totals(figures)
            for day, *figures in self._all(
                f"SELECT {self._local()} // 86400 AS day, {_MEASURES} FROM kept GROUP BY day"
            )
        }
        days = tuple((day, by_day.pop(day, Totals())) for day in _days(self._period))
        if by_day:
            raise ArchiveError(f"calls on {min(by_day)}, a day out of the period, were kept")
        return Ledger(
            groups, days, _totals(self._one(f"SELECT {_MEASURES} FROM kept")), self._intake
        )

    def connected_statuses(self) -> tuple[str, ...]:
        """Return the carrier's own status words that count as connected."""
        rows = self._all("SELECT DISTINCT status FROM kept WHERE connected ORDER BY status")
        return tuple(status for (status,) in rows)

    def lines(self) -> Iterator[CallLine]:
        """Return the calls in order of time."""
        for batch in self._in_order(
            f"call_id, {self._local()}, direction, a_party, b_party, service_number,"
            " category, status, seconds, cost"
        ):
            yield from map(CallLine._make, batch)

    def fingerprint(self) -> str:
        """Return a SHA-256 over every call's content in order: equal calls, equal fingerprint."""
        digest = hashlib.sha256()
        for batch in self._in_order(f"call_id, {_CONTENT}"):
            # Call by call, so that it does not matter how the calls came in batches.
            digest.update("".join(map(repr, batch)).encode())
        return digest.hexdigest()

    def _local(self) -> str:
        """Return the SQL for seconds on the local clock, from the core's own table of offsets."""
        cases = "".join(
            f" WHEN unixtime >= {since} THEN {offset}"
            for since, offset in reversed(
                list(zip(self._clock.since[1:], self._clock.offsets[1:], strict=True))
            )
        )
        first = self._clock.offsets[0]
        return f"(unixtime + CASE{cases} ELSE {first} END)" if cases else f"(unixtime + {first})"

    def _one(self, sql: str) -> tuple[Any, ...]:
        row = self._db.execute(sql).fetchone()
        assert row is not None, "an aggregate has always one row"
        return row

    def _all(self, sql: str) -> list[tuple[Any, ...]]:
        return self._db.execute(sql).fetchall()

    def _in_order(self, what: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield batches of some columns of the kept calls, in order of time and callid.

        Windows follow each other and each file is in order, so they are read one by one, in
        the memory of one; records that came twice or astray need one great sort.
        """
        start, end = self._period.start, self._period.end
        order = "ORDER BY unixtime, call_id"
        cursor = self._db.cursor()
        try:
            if self._intake.repeats or self._intake.astray:
                yield from _fetched(cursor.execute(f"SELECT {what} FROM kept {order}"))
                return
            for path in self._paths:
                sql = f"SELECT {what} FROM read_parquet(?)"
                inside = f"WHERE unixtime >= {start} AND unixtime < {end}"
                yield from _fetched(cursor.execute(f"{sql} {inside} {order}", [str(path)]))
        finally:
            cursor.close()


def _fetched(cursor: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    while batch := cursor.fetchmany(_BATCH):
        yield batch


def hours(paths: Sequence[Path]) -> dict[int, int]:
    """Return how many records began in each hour, by the hour's first unix second."""
    if not paths:
        return {}
    with duckdb.connect(config={"threads": 2}) as db:
        source = db.read_parquet([str(path) for path in paths])
        grouped = source.aggregate("unixtime // 3600 * 3600 AS hour, count(*)", "hour")
        return dict(grouped.fetchall())


_MEASURES = (
    "count(*), count(*) FILTER (connected), count(*) FILTER (cost <> 0),"
    " coalesce(sum(seconds), 0), coalesce(sum(cost), 0)"
)


def _totals(row: Sequence[int]) -> Totals:
    calls, connected, charged, seconds, cost = row
    return Totals(calls, connected, charged, seconds, dollars(cost))


def _unknown_fields(paths: Sequence[Path]) -> dict[str, int]:
    unknown: dict[str, int] = {}
    for path in paths:
        try:
            metadata = pq.read_schema(path).metadata or {}
        except (OSError, pa.ArrowInvalid):
            raise ArchiveError(f"{path} in the archive is missing or damaged") from None
        for name, calls in json.loads(metadata.get(_UNKNOWN_FIELDS, b"{}")).items():
            unknown[name] = unknown.get(name, 0) + calls
    return unknown


def _day(number: int) -> date:
    return datetime.fromtimestamp(number * 86_400, UTC).date()


def _days(period: BillingPeriod) -> list[date]:
    return [
        date.fromordinal(number)
        for number in range(period.first.toordinal(), period.until.toordinal())
    ]
