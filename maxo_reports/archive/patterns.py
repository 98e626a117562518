"""Patterns of calls, found with DuckDB: what ``core.behaviour`` judges.

Calls that cost something are looked at, outbound ones alone but for long calls: that is where
strangers spend other people's money. Of each service number come the calls, their cost and the
ids of some, the dearest first, so that the same calls always give the same examples.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from maxo_reports.archive.columns import CallStore
from maxo_reports.core.behaviour import EXAMPLES, WEEKDAYS, Behaviour, Seen
from maxo_reports.core.cdr import OUTBOUND
from maxo_reports.core.numbering import abroad, is_premium
from maxo_reports.core.text import counted

_DAY = 86_400
_SHOWN = (
    "service_number, count(*), coalesce(sum(cost), 0),"
    f" list(call_id ORDER BY coalesce(cost, 0) DESC, call_id)[1:{EXAMPLES}]"
)
_CHARGED = f"direction = '{OUTBOUND}' AND cost > 0"
_PERHAPS = r"regexp_matches(b_party, '^[\s().+-]*(\+|0\s*0\s*1\s*1|(6\s*1[\s-]*)?1\s*9)')"
"""What numbers abroad and premium ones begin with; others need not be looked up one by one."""
_MOST_CODES = 5


def seen(store: CallStore, of: Behaviour) -> Iterator[Seen]:
    """Yield each service number's calls of each pattern that is looked for."""
    if of.out_of_hours_dollars:
        source = (
            "(SELECT *, sum(cost) OVER (PARTITION BY service_number) AS whole FROM kept"
            f" WHERE {_CHARGED})"
        )
        yield from _found(
            store,
            "out-of-hours",
            f"NOT ({_expected(store, of)})",
            source=source,
            having=f"100 * sum(cost) >= {of.out_of_hours_percent} * max(whole)",
        )
    if of.premium_dollars or of.international_dollars:
        yield from _destinations(store, of)
    if of.long_minutes:
        long = f"cost > 0 AND seconds >= {60 * of.long_minutes}"
        yield from _found(store, "long-calls", long, "max(seconds)", _hours)
    if of.short_calls and of.short_seconds and of.short_within_minutes:
        yield from _repeats(store, of)


def _found(
    store: CallStore,
    code: str,
    which: str,
    about: str = "NULL",
    words: object = None,
    source: str = "kept",
    having: str = "true",
) -> Iterator[Seen]:
    """Yield the calls that a condition picks, by service number."""
    rows = store.rows(
        f"SELECT {_SHOWN}, {about} FROM {source} WHERE {which}"
        f" GROUP BY service_number HAVING {having} ORDER BY service_number"
    )
    for number, calls, micros, examples, said in rows:
        text = words(said) if callable(words) else ""
        yield Seen(code, number, calls, micros, tuple(examples), text)


def _expected(store: CallStore, of: Behaviour) -> str:
    """Return the condition that a call began when calls are expected, on the local clock."""
    start, end = (60 * minute for minute in of.open_minutes)
    at = f"({store.local()} % {_DAY})"
    days = ", ".join(str(WEEKDAYS.index(day)) for day in of.days) or "-1"
    # 1 January 1970 was a Thursday.
    today, yesterday = (
        f"(({store.local()} // {_DAY} + {since}) % 7) IN ({days})" for since in (3, 2)
    )
    if start < end:
        return f"{today} AND {at} >= {start} AND {at} < {end}"
    # A bar is open over midnight: what is left of a night is of the day on which it began.
    return f"({today} AND {at} >= {start} OR {yesterday} AND {at} < {end})"


def _destinations(store: CallStore, of: Behaviour) -> Iterator[Seen]:
    """Yield calls to premium numbers and to other countries; each number is looked up once."""
    called = store.rows(f"SELECT DISTINCT b_party FROM kept WHERE {_CHARGED} AND {_PERHAPS}")
    kinds = [
        (b_party, "abroad" if code else "premium", code)
        for (b_party,) in called
        if (code := abroad(b_party)) or is_premium(b_party)
    ]
    columns = zip(*kinds, strict=True) if kinds else [()] * 3
    names = ("called", "kind", "code")
    table = pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})
    source = "kept JOIN destinations ON b_party = called"
    codes = "list(DISTINCT code ORDER BY code)"
    with store.beside("destinations", table):
        if of.premium_dollars:
            yield from _found(store, "premium", f"{_CHARGED} AND kind = 'premium'", source=source)
        if of.international_dollars:
            which = f"{_CHARGED} AND kind = 'abroad'"
            yield from _found(store, "international", which, codes, _codes, source)


def _repeats(store: CallStore, of: Behaviour) -> Iterator[Seen]:
    """Yield short calls that are among so many to one number within so many minutes.

    A call is told when any span of that length around it holds enough of them.
    """
    within = 60 * of.short_within_minutes
    same = "PARTITION BY service_number, b_party ORDER BY unixtime"
    source = (
        "(SELECT *, max(so_far) OVER"
        f" ({same} RANGE BETWEEN CURRENT ROW AND {within} FOLLOWING) AS most FROM"
        " (SELECT *, count(*) OVER"
        f" ({same} RANGE BETWEEN {within} PRECEDING AND CURRENT ROW) AS so_far FROM kept"
        f" WHERE direction = '{OUTBOUND}' AND connected AND seconds <= {of.short_seconds}))"
    )
    which = f"most >= {of.short_calls}"
    about = "count(DISTINCT b_party)"
    yield from _found(store, "short-repeats", which, about, _called, source)


def _hours(seconds: int) -> str:
    return f"the longest {seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _codes(found: list[str]) -> str:
    shown, rest = found[:_MOST_CODES], found[_MOST_CODES:]
    more = f" and {len(rest)} more" if rest else ""
    return f"to {', '.join(shown)}{more}"


def _called(numbers: int) -> str:
    return f"to {counted(numbers, 'number')}"
