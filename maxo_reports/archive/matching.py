"""Matching a bill's list of calls with the records, one to one, with DuckDB.

First by id. What is left is matched by number, duration and time within some seconds: the nearest
in time first, then the nearest in dollars, the earlier call, the earlier line; the same files
give the same pairs. Pairs that nobody else wants are made by the database; only where calls
compete is each looked at in turn, and pairs are changed along a chain where that lets one more
line have its call.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from maxo_reports.archive.billed import expected_sql
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.views import fetched, sources
from maxo_reports.core import numbering
from maxo_reports.core.bills.bill import Rows, factor
from maxo_reports.core.bills.calibrate import Pairs
from maxo_reports.core.bills.differences import Billed, Called
from maxo_reports.core.bills.itemised import Agreed, Matched, Single
from maxo_reports.core.bills.listed import ListedCalls
from maxo_reports.core.bills.pairing import best_first
from maxo_reports.core.bills.scene import Scene
from maxo_reports.core.money import GstBasis
from maxo_reports.errors import UsageError

_LISTED = pa.schema(
    [
        ("line", pa.int64()),
        ("call_id", pa.string()),
        ("unixtime", pa.int64()),
        ("again", pa.int64()),
        ("a_party", pa.string()),
        ("b_party", pa.string()),
        ("number", pa.string()),
        ("seconds", pa.int64()),
        ("category", pa.string()),
        ("charge", pa.int64()),
    ]
)
MOST_DIFFERENCES = 250_000
"""How many single differences are looked at: each takes about a kilobyte."""
_EITHER: tuple[GstBasis, ...] = ("exclusive", "inclusive")
_BATCH = 20_000
_BILLED = (
    "listed.line, listed.call_id, listed.unixtime, coalesce(nullif(listed.number, ''),"
    " nullif(listed.b_party, ''), listed.a_party), listed.seconds, listed.category, listed.charge"
)
_CALLED = (
    "{0}.call_id, {0}.unixtime, {0}.direction, {0}.a_party, {0}.b_party, {0}.seconds,"
    " {0}.category, coalesce({0}.cost, 0), {0}.window_start, {0}.cost IS NOT NULL"
)
_ORDER = "d, off, began, call_id, line"
"""What makes one pair better than another."""


class Matching:
    """One list of calls against one period's records.

    ``columns`` are those that the list has; without a time and a number only ids can match.
    ``seconds`` is how far apart the two times may be. ``replies`` gives the hash of the reply that
    holds each window, by the window's first second.
    """

    def __init__(
        self,
        calls: CallStore,
        columns: Collection[str],
        seconds: int,
        replies: Mapping[int, str],
    ) -> None:
        self._db = calls._db  # noqa: SLF001 - one more view of the same store
        self._columns = frozenset(columns)
        self._seconds = seconds
        self._replies = replies
        self._db.execute("SET preserve_insertion_order = false")
        self._db.register("no_listed", _LISTED.empty_table())
        self._db.execute("CREATE TABLE listed AS SELECT * FROM no_listed")

    def read(self, batches: Iterable[ListedCalls]) -> None:
        """Take in the list."""
        for batch in batches:
            table = pa.table({n: getattr(batch, n) for n in _LISTED.names}, schema=_LISTED)
            self._db.from_arrow(table).insert_into("listed")

    def categories(self) -> tuple[str, ...]:
        """Return the categories that the list has."""
        rows = self._db.execute("SELECT DISTINCT category FROM listed WHERE category <> ''")
        return tuple(sorted(category for (category,) in rows.fetchall()))

    def sums(self) -> tuple[int, int, int]:
        """Return what the list adds up to, how many lines it has, and its charges' last decimal.

        The last decimal, in micro-dollars, is at most a cent.
        """
        finest = ", ".join(f"bool_or(charge % {10**at} <> 0)" for at in range(4, 0, -1))
        row = self._db.execute(
            f"SELECT coalesce(sum(charge), 0)::BIGINT, count(*), {finest} FROM listed"
        ).fetchone()
        assert row is not None, "an aggregate has always one row"
        charge, lines, *beyond = row
        return charge, lines, 10 ** (4 - sum(map(bool, beyond)))

    def match(self, scene: Scene, elsewhere: Sequence[Path]) -> Matched:
        """Match, and sort what came of it. ``elsewhere`` are files of calls of other periods."""
        self._prepare(scene.rows)
        by_id = self._by_id(scene)
        by_time = self._by_time(scene) if self._has_times else 0
        self._judge(scene)
        self._stop_where_nothing_fits()
        return Matched(
            self._agreed(),
            tuple(self._pairs()),
            tuple(self._singles(scene, elsewhere)),
            tuple(self._unbilled()),
            self._count("called ANTI JOIN paired USING (c) WHERE cost = 0"),
            by_id,
            by_time,
            self.sums()[0],
        )

    def looks(self, basis: GstBasis) -> Pairs:
        """Count the pairs whose charge is what the cost comes to if it excludes, or includes, GST.

        Only costs and charges beside which a tenth shows are counted, none free of GST.
        """
        unit = self.sums()[2]
        ways = [expected_sql(factor(cost_gst, basis), "cost") for cost_gst in _EITHER]
        one, other = (f"count(*) FILTER (abs(charge - {way}) < {unit})" for way in ways)
        row = self._db.execute(
            f"SELECT count(*), {one}, {other} FROM judged"
            f" WHERE abs(cost) > {20 * unit} AND NOT free"
        ).fetchone()
        assert row is not None, "an aggregate has always one row"
        return Pairs(*row)

    def _stop_where_nothing_fits(self) -> None:
        """Refuse a list that is of other calls: nobody could look at so many differences."""
        alone = self._count("listed ANTI JOIN paired USING (line)")
        extra = self._count("called ANTI JOIN paired USING (c) WHERE cost <> 0")
        loud = self._count("judged WHERE NOT quiet")
        if alone + extra + loud > MOST_DIFFERENCES:
            raise UsageError(
                f"{self._count('paired'):,} lines of the list have a record, {alone:,} have none, "
                f"{extra:,} charged records have no line, {loud:,} pairs differ: is the list of "
                "this account and period, and are its time zone and GST as stated?"
            )

    @property
    def _has_times(self) -> bool:
        return "started" in self._columns and bool(self._columns & {"from", "to", "number"})

    # ---- the two sides ----------------------------------------------------------------------

    def _prepare(self, rows: Rows) -> None:
        """Put down the calls in the form that they are compared in."""
        self._numbers("kept", "numbers")
        categories = "SELECT category FROM kept UNION SELECT category FROM listed"
        named = sorted(c for (c,) in self._db.execute(categories).fetchall())
        self._put(
            "placed",
            category=named,
            place=[rows.of(c) if c else "" for c in named],
            free=[rows.is_free(rows.of(c)) for c in named],
        )
        self._db.execute(
            "CREATE TABLE called AS SELECT row_number() OVER () AS c, call_id, unixtime,"
            " x.compact AS a, y.compact AS b, seconds, coalesce(cost, 0) AS cost, place, free"
            " FROM kept JOIN numbers x ON x.raw = a_party JOIN numbers y ON y.raw = b_party"
            " JOIN placed USING (category)"
        )
        self._db.execute("CREATE TABLE paired (line BIGINT, c BIGINT)")

    def _numbers(self, source: str, name: str) -> None:
        """Make a table of every number as it came and as it is compared."""
        self._db.execute(f"CREATE TABLE {name} (raw VARCHAR, compact VARCHAR)")
        raw = f"SELECT a_party FROM {source} UNION SELECT b_party FROM {source}"
        cursor = self._db.cursor()
        found = cursor.execute(raw)
        while batch := found.fetchmany(_BATCH):
            texts = [text for (text,) in batch]
            table = pa.table({"raw": texts, "compact": list(map(numbering.compact, texts))})
            self._db.from_arrow(table).insert_into(name)
        cursor.close()

    def _put(self, name: str, **columns: list[Any]) -> None:
        """Make a table of a few rows of our own."""
        kinds = {"category": pa.string(), "place": pa.string(), "free": pa.bool_()}
        table = pa.table({n: pa.array(v, kinds.get(n, pa.int64())) for n, v in columns.items()})
        self._db.register(f"new_{name}", table)
        self._db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM new_{name}")
        self._db.unregister(f"new_{name}")

    # ---- pairs ------------------------------------------------------------------------------

    def _by_id(self, scene: Scene) -> int:
        """Pair lines with the records of their ids; of several lines the nearest has it."""
        off = _off(scene, "listed", "called")
        best = f"{off}, abs(listed.unixtime - called.unixtime), line"
        self._db.execute(
            "INSERT INTO paired SELECT line, c FROM listed JOIN called USING (call_id)"
            f" WHERE call_id <> '' QUALIFY row_number() OVER (PARTITION BY c ORDER BY {best}) = 1"
        )
        return self._count("paired")

    def _by_time(self, scene: Scene) -> int:
        """Pair what is left by number, duration and time."""
        before = self._count("paired")
        self._db.execute(
            "CREATE TABLE open_lines AS SELECT * FROM listed ANTI JOIN paired USING (line)"
            " WHERE call_id = '' OR call_id NOT IN (SELECT call_id FROM called)"
        )
        self._db.execute(
            "CREATE TABLE open_calls AS SELECT * FROM called ANTI JOIN paired USING (c)"
        )
        near = self._near("open_lines", "open_calls")
        self._db.execute(
            f"CREATE TABLE near AS SELECT line, c, min(d) AS d FROM ({near}) GROUP BY line, c"
        )
        self._db.execute(
            "CREATE TABLE wanted AS SELECT *, count(*) OVER (PARTITION BY line)"
            " + count(*) OVER (PARTITION BY c) AS many FROM near"
        )
        self._db.execute("INSERT INTO paired SELECT line, c FROM wanted WHERE many = 2")
        off = _off(scene, "listed", "called")
        contested = self._db.execute(
            "SELECT line, c FROM (SELECT wanted.line, c, d, called.unixtime AS began,"
            f" called.call_id AS call_id, {off} AS off FROM wanted JOIN listed USING (line)"
            f" JOIN called USING (c) WHERE many > 2) ORDER BY {_ORDER}"
        ).fetchall()
        pairs = best_first(contested)
        self._put("chosen", line=list(pairs), c=list(pairs.values()))
        self._db.execute("INSERT INTO paired SELECT line, c FROM chosen")
        return self._count("paired") - before

    def _near(self, lines: str, calls: str) -> str:
        """Return the SQL for pairs of equal number and duration, near in time, and how near."""
        width = self._seconds + 1
        same = ["l.seconds IS NOT DISTINCT FROM c.seconds"] if "seconds" in self._columns else []
        same += ["l.a_party = c.a"] if "from" in self._columns else []
        same += ["l.b_party = c.b"] if "to" in self._columns else []
        sides = ["l.number = c.a", "l.number = c.b"] if "number" in self._columns else ["true"]
        times = (
            f"(SELECT * FROM {lines} UNION ALL SELECT * REPLACE (again AS unixtime)"
            f" FROM {lines} WHERE again <> unixtime)"
        )
        # Joined by equal spans of time and their neighbours, so that it stays a join of equals.
        return " UNION ALL ".join(
            "SELECT l.line AS line, c.c AS c, abs(l.unixtime - c.unixtime) AS d"
            f" FROM {times} l JOIN {calls} c ON {' AND '.join([*same, side])}"
            f" AND l.unixtime // {width} + {step} = c.unixtime // {width}"
            f" WHERE abs(l.unixtime - c.unixtime) <= {self._seconds}"
            for side in sides
            for step in (-1, 0, 1)
        )

    # ---- what came of it --------------------------------------------------------------------

    def _judge(self, scene: Scene) -> None:
        """Put down for each pair its rows, its expected charge, and whether it agrees."""
        expected, unit = expected_sql(scene.factor, "cost"), scene.unit
        self._db.execute(
            "CREATE TABLE judged AS SELECT *, place = own AND (charge = expected OR"
            f" (expected % {unit} <> 0 AND abs(charge - expected) < {unit})) AS quiet FROM"
            f" (SELECT *, CASE WHEN free THEN cost ELSE {expected} END AS expected FROM"
            " (SELECT line, c, cost, charge, called.place AS own,"
            " coalesce(theirs.place, called.place) AS place,"
            " coalesce(theirs.free, called.free) AS free"
            " FROM paired JOIN listed USING (line) JOIN called USING (c)"
            " LEFT JOIN placed AS theirs ON theirs.category = nullif(listed.category, '')))"
        )

    def _agreed(self) -> tuple[Agreed, ...]:
        rows = self._db.execute(
            "SELECT place, count(*), sum(cost), sum(expected), sum(charge) FROM judged"
            " WHERE quiet GROUP BY place ORDER BY place"
        )
        return tuple(Agreed(row, *map(int, sums)) for row, *sums in rows.fetchall())

    def _pairs(self) -> Iterator[tuple[Billed, Called]]:
        loud = (
            f"SELECT {_BILLED}, {_CALLED.format('kept')} FROM judged JOIN listed USING (line)"
            " JOIN called USING (c) JOIN kept ON kept.call_id = called.call_id"
            " WHERE NOT quiet ORDER BY kept.unixtime, kept.call_id"
        )
        for row in self._rows(loud):
            yield Billed(*row[:7]), self._called(row[7:])

    def _unbilled(self) -> Iterator[Called]:
        left = (
            f"SELECT {_CALLED.format('kept')} FROM called ANTI JOIN paired USING (c)"
            " JOIN kept ON kept.call_id = called.call_id"
            " WHERE called.cost <> 0 ORDER BY kept.unixtime, kept.call_id"
        )
        yield from map(self._called, self._rows(left))

    def _singles(self, scene: Scene, elsewhere: Sequence[Path]) -> Iterator[Single]:
        """Yield the lines without a record of their own, in the list's order."""
        self._db.execute(
            "CREATE TABLE single AS SELECT * FROM listed ANTI JOIN paired USING (line)"
        )
        twins = self._twins()
        others = self._others(scene, elsewhere, twins) if elsewhere else {}
        for row in self._rows(f"SELECT {_BILLED} FROM single AS listed ORDER BY line"):
            billed = Billed(*row)
            twin, line = twins.get(billed.line, (None, 0))
            yield Single(billed, twin, line, others.get(billed.line))

    def _twins(self) -> dict[int, tuple[Called, int]]:
        """Return, for a line, the record that it is of and the line that has it already."""
        same = "SELECT line, c, 0 AS d FROM single JOIN called USING (call_id) WHERE call_id <> ''"
        near = f" UNION ALL {self._near('single', 'called')}" if self._has_times else ""
        rows = self._rows(
            f"SELECT same.line, paired.line, {_CALLED.format('kept')} FROM ({same}{near}) AS same"
            " JOIN paired USING (c) JOIN called USING (c) JOIN kept"
            " ON kept.call_id = called.call_id QUALIFY row_number() OVER (PARTITION BY same.line"
            " ORDER BY d, kept.unixtime, kept.call_id) = 1"
        )
        return {line: (self._called(called), twin) for line, twin, *called in rows}

    def _others(
        self, scene: Scene, elsewhere: Sequence[Path], twins: Collection[int]
    ) -> dict[int, Called]:
        """Return the records of other periods that lines out of this one are of, one to one."""
        self._put("twins", line=sorted(twins))
        begin, end = scene.period.start, scene.period.end
        self._db.execute(
            "CREATE TABLE astray AS SELECT * FROM single ANTI JOIN twins USING (line)"
            f" WHERE unixtime < {begin} OR unixtime >= {end}"
        )
        width = self._seconds + 1
        spans = " UNION ".join(
            f"SELECT unixtime // {width} + {step} FROM astray" for step in (-1, 0, 1)
        )
        self._db.execute(
            "CREATE TABLE theirs AS SELECT DISTINCT ON (call_id) * FROM read_parquet(?)"
            " WHERE (call_id IN (SELECT call_id FROM astray WHERE call_id <> '')"
            f" OR unixtime // {width} IN ({spans}))"
            f" AND (unixtime < {begin} OR unixtime >= {end})"
            " ORDER BY call_id, unixtime",
            [sources(elsewhere)],
        )
        self._numbers("theirs", "their_numbers")
        self._db.execute(
            "CREATE TABLE their_calls AS SELECT row_number() OVER (ORDER BY call_id) AS c, *,"
            " x.compact AS a, y.compact AS b FROM theirs JOIN their_numbers x ON x.raw = a_party"
            " JOIN their_numbers y ON y.raw = b_party"
        )
        same = (
            "SELECT line, c, -1 AS d FROM astray JOIN their_calls USING (call_id)"
            " WHERE call_id <> ''"
        )
        near = f" UNION ALL {self._near('astray', 'their_calls')}" if self._has_times else ""
        off = _off(scene, "astray", "their_calls")
        wanted = self._db.execute(
            "SELECT line, c FROM (SELECT same.line AS line, c, d, their_calls.unixtime AS began,"
            f" their_calls.call_id AS call_id, {off} AS off FROM ({same}{near}) AS same"
            f" JOIN astray USING (line) JOIN their_calls USING (c)) ORDER BY {_ORDER}"
        ).fetchall()
        chosen = best_first(wanted)
        known = {
            c: self._called(row)
            for c, *row in self._rows(
                f"SELECT c, {_CALLED.format('their_calls')} FROM their_calls"
            )
        }
        return {line: known[c] for line, c in chosen.items()}

    def _called(self, row: Sequence[Any]) -> Called:
        *fields, window, readable = row
        return Called._make((*fields, self._replies.get(window, ""), readable))

    def _rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        cursor = self._db.cursor()
        try:
            yield from fetched(cursor.execute(sql))
        finally:
            cursor.close()

    def _count(self, source: str) -> int:
        row = self._db.execute(f"SELECT count(*) FROM {source}").fetchone()
        assert row is not None, "an aggregate has always one row"
        return int(row[0])


def _off(scene: Scene, lines: str, calls: str) -> str:
    """Return the SQL for how far a charge is from a cost, in whole numbers that compare."""
    times, over = scene.factor.times, scene.factor.over
    return f"abs({lines}.charge * {over} - coalesce({calls}.cost, 0) * {times})"
