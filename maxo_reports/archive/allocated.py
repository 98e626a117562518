"""What the number directory says of the calls, beside them in the database.

A number is looked up once for a whole period, however many calls it has: what is said of it is
kept by the number as the carrier writes it, from one local day on up to another.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa

from maxo_reports.core.cdr import INBOUND, OUTBOUND
from maxo_reports.core.directory import ALLOCATIONS, NOBODY, UNALLOCATED, Directory
from maxo_reports.core.period import BillingPeriod

_SCHEMA = pa.schema(
    [
        ("said_own", pa.string()),
        ("said_since", pa.int64()),
        ("said_until", pa.int64()),
        *((f"said_{name}", pa.string()) for name in ALLOCATIONS),
    ]
)
_DAY = 86_400
_OWN = f"CASE direction WHEN '{OUTBOUND}' THEN a_party WHEN '{INBOUND}' THEN b_party END"
"""The account's own side of a call; nothing where the direction is neither."""


def join(
    db: duckdb.DuckDBPyConnection, directory: Directory, period: BillingPeriod, local: str
) -> str:
    """Write down what is said of the numbers in ``received``; return the SQL that joins it.

    ``local`` is the SQL for seconds on the local clock.
    """
    numbers = db.execute(
        f"SELECT DISTINCT {_OWN} AS own, service_number FROM received"
        f" WHERE unixtime >= {period.start} AND unixtime < {period.end} AND own IS NOT NULL"
        " ORDER BY ALL"
    ).fetchall()
    rows = [
        (party, _number(begin), _number(end), *said)
        for party, number in numbers
        for begin, end, said in directory.stays(number, party, period.first, period.until)
        if said != NOBODY
    ]
    columns = list(zip(*rows, strict=True)) or [()] * len(_SCHEMA)
    arrays = [pa.array(c, kind) for c, kind in zip(columns, _SCHEMA.types, strict=True)]
    db.register("said_of_numbers", pa.table(arrays, schema=_SCHEMA))
    db.execute("CREATE TABLE allocated AS SELECT * FROM said_of_numbers")
    db.unregister("said_of_numbers")
    day = f"{local} // {_DAY}"
    held = f"said_since <= {day} AND {day} < said_until"
    return f"LEFT JOIN allocated ON said_own = {_OWN} AND {held}"


def words(*, joined: bool) -> str:
    """Return the SQL for the four columns that a directory gives every call."""
    said = f"coalesce(said_{{0}}, '{UNALLOCATED}')" if joined else f"'{UNALLOCATED}'"
    return ", ".join(f"{said.format(name)} AS {name}" for name in ALLOCATIONS)


def _number(day: date) -> int:
    """Return a day as whole days since 1970, as local seconds divided by a day's give it."""
    return (day - date(1970, 1, 1)).days
