"""Calls in columns: one Parquet file a window, grouped with DuckDB, made again at any time.

Costs are whole micro-dollars and durations whole seconds, so every sum is exact in any engine.
SQL does the finest groups only; what is above them is added up in the core.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from maxo_reports.archive import allocated, files
from maxo_reports.archive.views import CallView, Selected, fetched, sources
from maxo_reports.core.cdr import QUIRKS, CallColumns, Touched
from maxo_reports.core.changes import Changes, Content, between
from maxo_reports.core.directory import EMPTY, Directory
from maxo_reports.core.ledger import FieldCount, Intake, QuirkCount
from maxo_reports.core.money import dollars
from maxo_reports.core.period import BillingPeriod, Window
from maxo_reports.core.report import View
from maxo_reports.core.where import Where
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
_FIELDS = b"maxo.fields"
"""Where a file notes how many of its calls had fields that we do not know, or lacked ours."""
_BATCH = 10_000
_DAY = 86_400
_HOUR = "unixtime // 3600 * 3600"
CONTENT = Content._fields
"""What makes two records with the same callid the same: all that the carrier says of a call."""
_COST = CONTENT.index("cost")
_CONTENT = ", ".join(CONTENT)


def write(
    path: Path,
    columns: CallColumns,
    window: Window,
    unknown: Mapping[str, Touched],
    missing: Mapping[str, Touched] | None = None,
) -> None:
    """Write the calls of one window, in order of time, with the window's span beside them.

    ``unknown`` and ``missing`` are the calls per field that we do not know, or that they lack.
    """
    put(path, packed(columns, window, unknown, missing or {}))


def packed(
    columns: CallColumns,
    window: Window,
    unknown: Mapping[str, Touched],
    missing: Mapping[str, Touched],
) -> bytes:
    """Return the file that ``write`` writes: the same calls make the same bytes."""
    table = pa.table(
        {name: pa.array(getattr(columns, name), kind) for name, kind in _fields()},
        schema=_SCHEMA,
    ).sort_by([("unixtime", "ascending"), ("call_id", "ascending")])
    for name, edge in (("window_start", window.start), ("window_end", window.end)):
        table = table.append_column(name, pa.repeat(pa.scalar(edge, pa.int64()), len(table)))
    table = table.replace_schema_metadata(
        {_FIELDS: json.dumps({"unknown": dict(unknown), "missing": dict(missing)})}
    )
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue()


def put(path: Path, content: bytes) -> None:
    """Write a packed file, and its hash beside it."""
    # First the hash: a file without its own is taken for damaged, and one without a file for none.
    files.put(_hash_path(path), _hash_line(path, content))
    files.put(path, content)


def is_whole(path: Path) -> bool:
    """Tell whether a file is there and is, to the bit, what was written.

    Parquet does not notice a flipped bit: it gives other figures, or brings the reader down.
    """
    try:
        said = _hash_path(path).read_text(encoding="ascii", errors="replace")
        with path.open("rb") as file:
            return said.split()[:1] == [hashlib.file_digest(file, "sha256").hexdigest()]
    except FileNotFoundError:
        return False
    except OSError:
        raise ArchiveError(f"{path} in the archive cannot be read") from None


def fault(path: Path, made: bytes) -> tuple[Path, str] | None:
    """Name the file that is not what a window's reply makes, and say why; None where all is well.

    ``made`` is what ``packed`` makes today. A file from another version of the Parquet library
    differs in its bytes, and is right when every value in it is.
    """
    with files.disk_trouble("read", path):
        held = path.read_bytes()
        beside = _hash_path(path)
        said = beside.read_bytes() if beside.exists() else b""
    if said != _hash_line(path, held):
        if held == made:
            return beside, "it does not hold the hash of the columns beside it"
        return path, "the columns do not have the hash that is beside them"
    if held == made or _same_rows(held, made):
        return None
    return path, "the columns say something else than the reply that they come from"


def _same_rows(held: bytes, made: bytes) -> bool:
    try:
        one, other = (pq.read_table(io.BytesIO(each)) for each in (held, made))
    except pa.ArrowException:
        return False
    return bool(one.equals(other, check_metadata=True))


def _hash_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _hash_line(path: Path, content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {path.name}\n".encode()


def _fields() -> list[tuple[str, pa.DataType]]:
    return [(field.name, field.type) for field in _SCHEMA]


class CallStore(CallView):
    """The calls of one whole pull: the ledger's source, and the itemised list's.

    ``paths`` are the Parquet files of its accepted windows, in order of time. Each record counts
    once by its callid; of records that share one, the first in order of window and time is kept.
    """

    def __init__(
        self, paths: Sequence[Path], period: BillingPeriod, directory: Directory = EMPTY
    ) -> None:
        self._noted = _fields_noted(paths)
        super().__init__(duckdb.connect(config={"threads": 2}), paths, period)
        # No window of a month may be without a file; an empty one has a file of no rows.
        source = self._db.read_parquet(sources(paths), file_row_number=True)
        source.create_view("received")
        if directory:
            self._allocated = allocated.join(self._db, directory, period, self.local())
        self._intake = self._receive()
        self._astray = bool(self._intake.astray)
        self._views: dict[tuple[Where, bool], View] = {}

    def select(self, where: Where, by_number: bool) -> View:  # noqa: FBT001 - a core Selector
        """Return the calls that a filter leaves, in order of time or of service number."""
        view = self._views.get((where, by_number))
        if view is None:
            chosen = Selected(self, where, len(self._views) + 1, by_number=by_number)
            view = View(chosen.ledger(), chosen, chosen.rest(), where)
            self._views[where, by_number] = view
        return view

    def close(self) -> None:
        """Let go of the files and the memory."""
        self._db.close()

    def _receive(self) -> Intake:
        """Sort the records into ledger, repeats and outside, and count each."""
        inside = self._inside()
        astray = "(unixtime < window_start OR unixtime >= window_end)"
        received, in_period, distinct, strays = self._one(
            f"SELECT count(*), count(*) FILTER ({inside}),"
            f" count(DISTINCT call_id) FILTER ({inside}),"
            f" count(*) FILTER ({inside} AND {astray}) FROM received"
        )
        conflicting = 0
        if in_period != distinct:
            self._without = "ANTI JOIN dropped USING (window_start, file_row_number)"
            conflicting = self._drop_repeats(inside)
        self._db.execute(f"CREATE VIEW kept AS {self._kept('received')}")
        return Intake(
            received,
            distinct,
            in_period - distinct,
            received - in_period,
            conflicting,
            strays,
            self._quirks(),
            _counts(self._noted["unknown"]),
            _counts(self._noted["missing"]),
        )

    def _drop_repeats(self, inside: str) -> int:
        """Note the records to leave out, and return how many differ from the one that is kept.

        Only callids that came more than once are looked at again, and those are few. A record is
        known by its row and the start of its window: no two windows begin in the same second.
        """
        first = "PARTITION BY call_id ORDER BY window_start, file_row_number"
        self._db.execute(
            "CREATE TABLE repeated AS SELECT call_id FROM received"
            f" WHERE {inside} GROUP BY call_id HAVING count(*) > 1"
        )
        self._db.execute(
            "CREATE TABLE dropped AS SELECT window_start, file_row_number FROM received"
            f" SEMI JOIN repeated USING (call_id) WHERE {inside}"
            f" QUALIFY row_number() OVER ({first}) > 1"
        )
        (conflicting,) = self._one(
            f"SELECT count(*) FROM (SELECT ({_CONTENT}) AS content,"
            f" first_value(({_CONTENT})) OVER ({first}) AS kept FROM received"
            f" SEMI JOIN repeated USING (call_id) WHERE {inside})"
            " WHERE content IS DISTINCT FROM kept"
        )
        return int(conflicting)

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

    def contents(self) -> Iterator[tuple[Any, ...]]:
        """Yield every call's id and then its ``CONTENT``, in order of time."""
        with closing(self._db.cursor()) as cursor:
            for sql, files_read in self._in_order(f"call_id, {_CONTENT}"):
                yield from fetched(cursor.execute(sql, files_read))

    def hours(self, which: str) -> dict[int, int]:
        """Return how many calls began in each hour, by its first unix second.

        ``which`` is one of ``true``, ``connected`` and ``cost <> 0``.
        """
        return dict(self._all(f"SELECT {_HOUR}, count(*) FROM kept WHERE {which} GROUP BY ALL"))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query of ours over the calls (``kept``) finds."""
        return self._all(sql)

    @contextmanager
    def beside(self, name: str, table: pa.Table) -> Iterator[None]:
        """Have a table of ours beside the calls for a while."""
        self._db.register(name, table)
        try:
            yield
        finally:
            self._db.unregister(name)

    def by_name(self, column: str) -> dict[str, tuple[int, int]]:
        """Return the calls and micro-dollars of each value of a column of texts."""
        rows = self._all(
            f"SELECT {column}, count(*), coalesce(sum(cost), 0) FROM kept"
            " GROUP BY ALL ORDER BY ALL"
        )
        return {name: (calls, micros) for name, calls, micros in rows}

    def categories(self) -> tuple[tuple[str, int, Decimal], ...]:
        """Return each rate category with its calls and cost."""
        found = self.by_name("category").items()
        return tuple((category, calls, dollars(cost)) for category, (calls, cost) in found)

    def fingerprint(self) -> str:
        """Return a SHA-256 over every call's content in order: equal calls, equal fingerprint."""
        digest = hashlib.sha256()
        # Call by call, so that it does not matter how the calls came in windows.
        for call in self.contents():
            digest.update(repr(call).encode())
        return digest.hexdigest()


def categories(paths: Sequence[Path]) -> set[str]:
    """Return the rate categories that some files hold; one that is not whole is passed over."""
    whole = [path for path in paths if is_whole(path)]
    if not whole:
        return set()
    with duckdb.connect(config={"threads": 2}) as db:
        source = db.read_parquet(sources(whole))
        return {category for (category,) in source.aggregate("category").fetchall()}


def mark(content: Sequence[Any]) -> int:
    """Return a number that stands for a call's ``CONTENT`` in memory, for this process only."""
    # To Python, -1 and -2 hash alike: a credit of a micro-dollar would pass for one of two.
    return hash((*content, content[_COST] == -1))


def changes(before: CallStore, after: CallStore, since: int) -> Changes:
    """Compare two looks at one period, call by call; ``since`` is the earlier revision.

    Of a million equal calls only a mark each is held in memory.
    """
    seen = {call_id: mark(content) for call_id, *content in before.contents()}
    new = {
        call_id: Content(*content)
        for call_id, *content in after.contents()
        if seen.pop(call_id, None) != mark(content)
    }
    old = {c[0]: Content(*c[1:]) for c in before.contents() if c[0] in seen or c[0] in new}
    return between(old, new, since)


def hours(paths: Sequence[Path]) -> dict[int, int]:
    """Return how many records began in each hour, by the hour's first unix second.

    A file that is not whole is passed over: this is only a hint.
    """
    whole = [path for path in paths if is_whole(path)]
    if not whole:
        return {}
    with duckdb.connect(config={"threads": 2}) as db:
        source = db.read_parquet(sources(whole))
        grouped = source.aggregate(f"{_HOUR} AS hour, count(*)", "hour")
        return dict(grouped.fetchall())


def _fields_noted(paths: Sequence[Path]) -> dict[str, dict[str, Touched]]:
    """Add up what the files note of unknown and missing fields."""
    noted: dict[str, dict[str, Touched]] = {"unknown": {}, "missing": {}}
    for path in paths:
        if not is_whole(path):
            message = f"{path} in the archive is missing or damaged: delete it if it is there"
            raise ArchiveError(f"{message}; the next run makes it anew from the kept replies")
        metadata = pq.read_schema(path).metadata or {}
        for what, fields in json.loads(metadata.get(_FIELDS, b"{}")).items():
            for name, more in fields.items():
                noted[what][name] = noted[what].get(name, Touched()).more(*more)
    return noted


def _counts(noted: Mapping[str, Touched]) -> tuple[FieldCount, ...]:
    return tuple(
        FieldCount(name, touched.calls, dollars(touched.micros))
        for name, touched in sorted(noted.items())
    )
