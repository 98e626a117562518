"""Views: the calls of a pull, or those that a filter leaves, grouped and in order with DuckDB.

Costs are whole micro-dollars and durations whole seconds, so every sum is exact in any engine.
SQL does the finest groups only; what is above them is added up in the core. A filter's own words
never become SQL: conditions are ours, and the texts that they compare with are bound as values.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from maxo_reports.core.ledger import Group, Intake, Ledger, Totals
from maxo_reports.core.money import COST_PLACES, dollars
from maxo_reports.core.period import BillingPeriod, LocalClock
from maxo_reports.core.report import CALL_COLUMNS, CallLine, Kind
from maxo_reports.core.where import Where
from maxo_reports.errors import ArchiveError

_BATCH = 10_000
_DAY = 86_400
_DAY = 86_400
_FLAGS: Mapping[str, str] = {"charged": "coalesce(cost, 0) <> 0", "connected": "connected"}
"""Field of a filter that is true or false -> what it means here."""
_TEXTS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.ID})


class CallView:
    """Calls of one period under a name of the database: the ledger's source, and the list's.

    ``paths`` are the files of the pull's windows, in order of time.
    """

    def __init__(
        self, db: duckdb.DuckDBPyConnection, paths: Sequence[Path], period: BillingPeriod
    ) -> None:
        self._db = db
        self._paths = paths
        self._period = period
        self._clock = LocalClock.over(period.zone, period.start, period.end)
        self._name = "kept"
        self._wanted = "true"
        self._without = ""
        self._by_number = False
        self._astray = False
        self._astray = False
        self._intake = Intake(0, 0, 0, 0)

    def __len__(self) -> int:
        return self._intake.ledger

    def ledger(self) -> Ledger:
        """Group the calls: finest groups, days and control totals, each from a scan of its own."""
        groups = tuple(
            Group(tuple(row[:3]), _totals(row[3:]))
            for row in self._all(
                f"SELECT category, direction, service_number, {_MEASURES} FROM {self._name}"
                " GROUP BY ALL ORDER BY ALL"
            )
        )
        by_day = {
            _day(day): _totals(figures)
            for day, *figures in self._all(
                f"SELECT {self._local()} // 86400 AS day, {_MEASURES} FROM {self._name}"
                " GROUP BY day"
            )
        }
        days = tuple((day, by_day.pop(day, Totals())) for day in _days(self._period))
        if by_day:
            raise ArchiveError(f"calls on {min(by_day)}, a day out of the period, were kept")
        return Ledger(groups, days, self.control(), self._intake, self._places())

    def _places(self) -> int:
        """Return how many decimals the finest cost of a call needs."""
        finest = ", ".join(
            f"max({places}) FILTER (cost % {10 ** (COST_PLACES - places + 1)} <> 0)"
            for places in range(1, COST_PLACES + 1)
        )
        found = self._one(f"SELECT {finest} FROM {self._name}")
        return max((places for places in found if places is not None), default=0)

    def control(self) -> Totals:
        """Return the control totals: one scan over all calls, apart from any grouping."""
        return _totals(self._one(f"SELECT {_MEASURES} FROM {self._name}"))

    def connected_statuses(self) -> tuple[str, ...]:
        """Return the carrier's own status words that count as connected."""
        rows = self._all(
            f"SELECT DISTINCT status FROM {self._name} WHERE connected ORDER BY status"
        )
        return tuple(status for (status,) in rows)

    def longest(self) -> Mapping[str, int]:
        """Return how many letters the longest text of each column of texts has."""
        names = [name for name, column in CALL_COLUMNS.items() if column.kind in _TEXTS]
        longest = ", ".join(f"coalesce(max(length({name})), 0)" for name in names)
        return dict(zip(names, self._one(f"SELECT {longest} FROM {self._name}"), strict=True))

    def lines(self) -> Iterator[CallLine]:
        """Return the calls in order of time."""
        with closing(self._db.cursor()) as cursor:
            for sql, files_read in self._in_order(self._line()):
                yield from map(CallLine._make, fetched(cursor.execute(sql, files_read)))

    def blocks(self) -> Iterator[pa.Table]:
        """Return the same calls in columns named as CallLine's fields, a window at a time."""
        with closing(self._db.cursor()) as cursor:
            for sql, files_read in self._in_order(self._line()):
                reader = cursor.sql(sql, params=files_read).to_arrow_reader(_BATCH)
                for batch in reader:
                    yield pa.Table.from_batches([batch])

    def foremost(self, measure: str, most: int) -> tuple[CallLine, ...]:
        """Return the calls with the most of a measure; among equals the earlier first."""
        assert measure in {"seconds", "cost"}, "only figures have a greatest"
        rows = self._all(
            f"SELECT {self._line()} FROM {self._name} WHERE {measure} > 0"
            f" ORDER BY {measure} DESC, unixtime, call_id LIMIT {int(most)}"
        )
        return tuple(map(CallLine._make, rows))

    def called(self, direction: str) -> Iterator[tuple[str, Totals]]:
        """Return the totals of each B-party, as the carrier writes it, of one direction."""
        with closing(self._db.cursor()) as cursor:
            sql = (
                f"SELECT b_party, {_MEASURES} FROM {self._name} WHERE direction = ?"
                " GROUP BY b_party ORDER BY b_party"
            )
            for b_party, *row in fetched(cursor.execute(sql, [direction])):
                yield b_party, _totals(row)

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

    def _line(self) -> str:
        """Return the SQL for the columns of a CallLine."""
        names = (f"{self._local()} AS started" if n == "started" else n for n in CallLine._fields)
        return ", ".join(names)

    def _in_order(self, what: str) -> Iterator[tuple[str, list[str]]]:
        """Yield the queries, each with its file, that give columns of the calls in order.

        Windows follow each other and each file is in order of time and callid, so they are read
        one by one, in the memory of one. Records that came astray lie in another window's file:
        then all files are asked for one day after the other. Another order is one great sort.
        """
        if self._by_number:
            yield f"SELECT {what} FROM {self._name} ORDER BY service_number, unixtime, call_id", []
            return
        order = "ORDER BY unixtime, call_id"
        if self._astray:
            for day in range(self._period.start, self._period.end, _DAY):
                span = f"unixtime >= {day} AND unixtime < {day + _DAY}"
                yield f"SELECT {what} FROM {self._name} WHERE {span} {order}", []
            return
        one = self._kept("read_parquet(?, file_row_number=true)")
        for path in sources(self._paths):
            yield f"SELECT {what} FROM {one} AND {self._wanted} {order}", [path]

    def _inside(self) -> str:
        return f"unixtime >= {self._period.start} AND unixtime < {self._period.end}"

    def _kept(self, source: str) -> str:
        """Return the SQL for those records of a source that are in the ledger."""
        return f"{source} {self._without} WHERE {self._inside()}"


class Selected(CallView):
    """The calls of another view that a filter leaves, and the totals of those that it leaves out.

    ``number`` tells the views of one database from each other.
    """

    def __init__(self, of: CallView, where: Where, number: int, *, by_number: bool) -> None:
        super().__init__(of._db, of._paths, of._period)  # noqa: SLF001 - a view of the same store
        self._name, self._by_number = f"kept_{number}", by_number
        self._without, self._astray = of._without, of._astray  # noqa: SLF001
        self._wanted = self._condition(where, f"wanted_{number}")
        self._db.execute(f"CREATE VIEW {self._name} AS SELECT * FROM kept WHERE {self._wanted}")
        (count,) = self._one(f"SELECT count(*) FROM {self._name}")
        self._intake = Intake(count, count, 0, 0)

    def rest(self) -> Totals:
        """Return the totals of the calls that the filter leaves out, from a scan of their own."""
        return _totals(self._one(f"SELECT {_MEASURES} FROM kept WHERE NOT ({self._wanted})"))

    def _condition(self, where: Where, texts: str) -> str:
        """Return a filter as SQL; its texts go into a table of their own, as bound values."""
        self._db.execute(f"CREATE TABLE {texts} (condition INTEGER, value VARCHAR)")
        parts = ["true"]
        for at, condition in enumerate(where.conditions):
            if isinstance(condition.values, bool):
                flag = _FLAGS[condition.field]
                parts.append(f"({flag})" if condition.values else f"NOT ({flag})")
                continue
            assert condition.field in CALL_COLUMNS, "the reader of definitions knows the fields"
            rows = [(at, value) for value in condition.values]
            self._db.executemany(f"INSERT INTO {texts} VALUES (?, ?)", rows)
            chosen = f"(SELECT value FROM {texts} WHERE condition = {at})"
            parts.append(f"{condition.field} IN {chosen}")
        return " AND ".join(parts)


def sources(paths: Sequence[Path]) -> list[str]:
    """Return paths for DuckDB, which takes a bracket or star in a folder's name for a pattern.

    It would read the files of a neighbouring folder, and so of another client.
    """
    return [glob.escape(str(path)) for path in paths]


def fetched(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query, some thousands held at a time."""
    while batch := cursor.fetchmany(_BATCH):
        yield from batch


_MEASURES = (
    "count(*), count(*) FILTER (connected), count(*) FILTER (cost <> 0),"
    " coalesce(sum(seconds), 0), coalesce(sum(cost), 0)"
)


def _totals(row: Sequence[int]) -> Totals:
    calls, connected, charged, seconds, cost = row
    return Totals(calls, connected, charged, seconds, dollars(cost))


def _day(number: int) -> date:
    return datetime.fromtimestamp(number * 86_400, UTC).date()


def _days(period: BillingPeriod) -> list[date]:
    return [
        date.fromordinal(number)
        for number in range(period.first.toordinal(), period.until.toordinal())
    ]
