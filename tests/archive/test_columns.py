"""Calls in columns: what the column store says equals a ledger in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from carriers import SYDNEY, call, reply
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.archive import columns
from maxo_reports.archive.columns import CallStore
from maxo_reports.core import cdr
from maxo_reports.core.cdr import QUIRKS, CallColumns, Touched
from maxo_reports.core.ledger import FieldCount, Totals
from maxo_reports.core.period import LocalClock, Window, parse_period
from maxo_reports.errors import ArchiveError

PERIOD = parse_period("2026-10-02..2026-10-06", SYDNEY, date(2026, 11, 20))
"""Four days with the change of clocks on the third."""
START, END = PERIOD.start, PERIOD.end
Record = tuple[Any, ...]
"""One record's values, in the order of CallColumns."""
NAMES = tuple(CallColumns.__slots__)


def _write(folder: Path, windows: Sequence[tuple[Window, Sequence[Record]]]) -> list[Path]:
    paths = []
    for window, records in windows:
        path = folder / f"{window.start}-{window.end}.parquet"
        table = CallColumns(*(list(values) for values in zip(*records, strict=True)))
        columns.write(path, table if records else CallColumns(), window, {})
        paths.append(path)
    return paths


def _record(number: str, moment: int, **odd: Any) -> Record:
    values = {
        "call_id": number,
        "unixtime": moment,
        "direction": "Inbound",
        "a_party": "0491570006",
        "b_party": "0255500140/PBX",
        "service_number": "0255500140",
        "category": "Incoming",
        "status": "Connected.",
        "connected": True,
        "seconds": 60,
        "cost": 250_000,
        "cost_text": "",
        "quirks": 0,
    }
    return tuple({**values, **odd}[name] for name in NAMES)


@dataclass
class Plain:
    """The same ledger, by loops over the records."""

    received: int
    kept: list[dict[str, Any]]
    repeats: int
    outside: int
    conflicting: int
    astray: int

    @classmethod
    def of(cls, windows: Iterable[tuple[Window, Sequence[Record]]]) -> Plain:
        """Take the first record of each id in order of window, time and id."""
        first: dict[str, dict[str, Any]] = {}
        received = repeats = outside = conflicting = astray = 0
        for window, records in sorted(windows, key=lambda each: each[0].start):
            rows = [dict(zip(NAMES, record, strict=True)) for record in records]
            for row in sorted(rows, key=lambda r: (r["unixtime"], r["call_id"])):
                received += 1
                if not START <= row["unixtime"] < END:
                    outside += 1
                    continue
                astray += not window.start <= row["unixtime"] < window.end
                known = first.setdefault(row["call_id"], row)
                if known is not row:
                    repeats += 1
                    conflicting += any(row[n] != known[n] for n in columns.CONTENT)
        kept = sorted(first.values(), key=lambda r: (r["unixtime"], r["call_id"]))
        return cls(received, kept, repeats, outside, conflicting, astray)

    def totals(self, *names: str) -> dict[tuple[Any, ...], Totals]:
        """Add the kept calls up by some of their values."""
        sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * 5)
        for row in self.kept:
            measures = (1, row["connected"], bool(row["cost"]), row["seconds"], row["cost"])
            key = tuple(row[name] for name in names)
            sums[key] = [a + (b or 0) for a, b in zip(sums[key], measures, strict=True)]
        return {
            key: Totals(*figures[:4], Decimal(figures[4]) / 10**6) for key, figures in sums.items()
        }

    def days(self) -> dict[date, int]:
        """Count the kept calls by the date on the wall, as zoneinfo has it."""
        zone = ZoneInfo(SYDNEY)
        return Counter(datetime.fromtimestamp(row["unixtime"], zone).date() for row in self.kept)


def _near(edge: int) -> st.SearchStrategy[int]:
    return st.integers(edge - 2, edge + 1)


CUTS = st.lists(st.integers(START + 1, END - 1), max_size=3, unique=True).map(sorted)
CHANGE = 1_791_043_200
MOMENTS = (
    st.integers(START, END - 1)
    | st.sampled_from([START, END, CHANGE]).flatmap(_near)
    | st.sampled_from([0, -5, START - 10**6, END + 10**6])
)
RECORDS = st.builds(
    lambda number, moment, odd, seconds, cost, connected, quirks: _record(
        number,
        moment,
        direction=odd[0],
        category=odd[1],
        service_number=odd[2],
        status=odd[3],
        seconds=seconds,
        cost=cost,
        cost_text="free" if cost is None else "",
        connected=connected,
        quirks=quirks,
    ),
    st.sampled_from(["1", "2", "3", "10", "a", "é", "\U0001f600"]) | st.integers(11, 60).map(str),
    MOMENTS,
    st.tuples(
        st.sampled_from(["Inbound", "Outbound", "sideways", "(none)"]),
        st.sampled_from(["Mobile", "mobile", "(none)", "=1+1", "a'b\"c", "\x00"]),
        st.sampled_from(["0255500140", "(none)", "+442079460123"]),
        st.sampled_from(["Connected.", "Busy.", ""]),
    ),
    st.none() | st.integers(0, 999_999_999),
    st.none()
    | st.sampled_from([0, 250_000, -250_000, 27_500, 1])
    | st.integers(-(10**15) + 1, 10**15 - 1),
    st.booleans(),
    st.integers(0, 2 ** len(QUIRKS) - 1),
)


def _random_windows(draw: st.DrawFn) -> list[tuple[Window, list[Record]]]:
    """Draw windows that tile the period, and records for each, in their place or not."""
    edges = [START, *draw(CUTS), END]
    windows = [Window(a, b) for a, b in pairwise(edges)]
    found = [(window, draw(st.lists(RECORDS, max_size=12))) for window in windows]
    if draw(st.booleans()) and found[0][1]:
        # The very same record once more, elsewhere.
        draw(st.sampled_from(found))[1].append(found[0][1][0])
    return found


@settings(deadline=None, max_examples=60)
@given(windows=st.composite(_random_windows)())
def test_the_store_says_what_a_plain_ledger_says(
    tmp_path_factory: pytest.TempPathFactory, windows: list[tuple[Window, list[Record]]]
) -> None:
    """Repeats, conflicts, outside and astray records, nothing for cost or duration: all equal."""
    paths = _write(tmp_path_factory.mktemp("calls"), windows)
    plain = Plain.of(windows)
    with closing(CallStore(paths, PERIOD)) as store:
        ledger = store.ledger()
        lines = list(store.lines())
        contents = list(store.contents())
        hours = store.hours("true")
        charged_hours = store.hours("cost <> 0")
        assert len(store) == len(plain.kept)
    intake = ledger.intake
    assert (intake.received, intake.repeats, intake.outside, intake.conflicting) == (
        *(plain.received, plain.repeats, plain.outside, plain.conflicting),
    )
    assert (intake.ledger, intake.astray) == (len(plain.kept), plain.astray)
    assert intake.received == intake.ledger + intake.repeats + intake.outside

    by_key = plain.totals("category", "direction", "service_number")
    assert {group.key: group.totals for group in ledger.groups} == by_key
    control = plain.totals().get((), Totals())
    assert ledger.control == ledger.totals == control
    assert {day: t.calls for day, t in ledger.days if t.calls} == plain.days()
    assert [day for day, _ in ledger.days] == [date(2026, 10, n) for n in (2, 3, 4, 5)]
    assert sum((t.cost for _, t in ledger.days), Decimal(0)) == control.cost
    assert sum(t.seconds for _, t in ledger.days) == control.seconds

    assert [(line.call_id, line.cost, line.seconds) for line in lines] == [
        (row["call_id"], row["cost"], row["seconds"]) for row in plain.kept
    ]
    zone = ZoneInfo(SYDNEY)
    for line, row in zip(lines, plain.kept, strict=True):
        wall = datetime.fromtimestamp(row["unixtime"], zone).replace(tzinfo=None)
        assert datetime.fromtimestamp(line.started, UTC).replace(tzinfo=None) == wall
    assert contents == [
        (row["call_id"], *(row[name] for name in columns.CONTENT)) for row in plain.kept
    ]
    assert hours == Counter(row["unixtime"] // 3600 * 3600 for row in plain.kept)
    assert sum(charged_hours.values()) == control.charged
    quirks = {
        code: (len(marked), sum(row["cost"] or 0 for row in marked))
        for code, bit in QUIRKS.items()
        if (marked := [row for row in plain.kept if row["quirks"] & bit])
    }
    assert {q.code: (q.calls, int(q.cost * 10**6)) for q in intake.quirks} == quirks
    finest = max(
        (len(f"{(r['cost'] or 0) % 10**6:06}".rstrip("0")) for r in plain.kept), default=0
    )
    assert ledger.places == finest


@settings(deadline=None, max_examples=25)
@given(
    st.lists(RECORDS, max_size=12, unique_by=lambda record: record[0]),
    CUTS,
    st.integers(0, 11),
    st.sampled_from(
        [n for n in columns.CONTENT if n in {"seconds", "cost", "category", "status"}]
    ),
)
def test_equal_calls_have_equal_fingerprints_however_they_came(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[Record],
    cuts: list[int],
    at: int,
    name: str,
) -> None:
    """The windows do not matter; any other content, or a call more or less, does."""

    def fingerprint(some: Sequence[Record], edges: Sequence[int]) -> str:
        windows = [(Window(a, b), [r for r in some if a <= r[1] < b]) for a, b in pairwise(edges)]
        paths = _write(tmp_path_factory.mktemp("calls"), windows)
        with closing(CallStore(paths, PERIOD)) as store:
            return store.fingerprint()

    inside = [record for record in records if START <= record[1] < END]
    one = fingerprint(inside, [START, END])
    assert fingerprint(inside[::-1], [START, *cuts, END]) == one
    if inside:
        at %= len(inside)
        changed = dict(zip(NAMES, inside[at], strict=True))
        changed[name] = "other" if isinstance(changed[name], str) else 424_242
        other = tuple(changed[each] for each in NAMES)
        assert fingerprint([*inside[:at], *inside[at + 1 :]], [START, END]) != one
        if other != inside[at]:
            assert fingerprint([*inside[:at], other, *inside[at + 1 :]], [START, END]) != one


def test_an_empty_period_has_zero_everywhere(tmp_path: Path) -> None:
    """Windows without calls are files without rows; every day is there."""
    middle = (START + END) // 2
    paths = _write(tmp_path, [(Window(START, middle), []), (Window(middle, END), [])])
    with closing(CallStore(paths, PERIOD)) as store:
        ledger = store.ledger()
        assert list(store.lines()) == []
        assert store.connected_statuses() == ()
    assert ledger.groups == ()
    assert ledger.control == Totals()
    assert len(ledger.days) == 4


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    """Costs at the largest that can be read add up without running over."""
    most = 999_999_999_999_999
    records = [_record(str(n), START + n, cost=most, seconds=999_999_999) for n in range(20_000)]
    (path,) = _write(tmp_path, [(PERIOD.window, records)])
    with closing(CallStore([path], PERIOD)) as store:
        control = store.control()
    assert control.cost == Decimal(most) * 20_000 / 10**6
    assert control.seconds == 999_999_999 * 20_000


def test_of_conflicting_records_the_first_is_kept_and_the_rest_counted(tmp_path: Path) -> None:
    """The same id with another cost, in the same reply and in another: one call, two conflicts."""
    middle = (START + END) // 2
    windows = [
        (Window(middle, END), [_record("7", middle + 5, cost=3)]),
        (Window(START, middle), [_record("7", START + 9, cost=2), _record("7", START, cost=1)]),
    ]
    paths = sorted(_write(tmp_path, windows))
    with closing(CallStore(paths, PERIOD)) as store:
        assert [line.cost for line in store.lines()] == [1]
        intake = store.ledger().intake
    assert (intake.repeats, intake.conflicting) == (2, 2)


def test_the_kept_one_of_equal_moments_is_the_first_in_the_reply(tmp_path: Path) -> None:
    """Two records of one id and second: the order of the reply decides, on every run."""
    records = [_record(str(n % 50), START, cost=n) for n in range(5_000)]
    (path,) = _write(tmp_path, [(PERIOD.window, records)])
    with closing(CallStore([path], PERIOD)) as store:
        assert sorted(line.cost or 0 for line in store.lines()) == list(range(50))


def test_unknown_and_missing_fields_are_added_up(tmp_path: Path) -> None:
    """What each reply noted of its fields comes together, whatever the fields are called."""
    odd = 'odd "name" é'
    paths = []
    middle = (START + END) // 2
    for window in (Window(START, middle), Window(middle, END)):
        path = tmp_path / f"{window.start}.parquet"
        unknown = {"tag": Touched(2, 500_000), odd: Touched(1, 0)}
        columns.write(path, CallColumns(), window, unknown, {"rate": Touched(3, -1)})
        paths.append(path)
    with closing(CallStore(paths, PERIOD)) as store:
        intake = store.ledger().intake
    assert intake.unknown_fields == (
        FieldCount(odd, 2, Decimal(0)),
        FieldCount("tag", 4, Decimal(1)),
    )
    assert intake.missing_fields == (FieldCount("rate", 6, Decimal("-0.000002")),)


def test_the_connected_words_are_the_carriers_own(tmp_path: Path) -> None:
    """Every status that counted as connected, as it was written."""
    records = [
        _record("1", START, status="Connected."),
        _record("2", START, status="answered"),
        _record("3", START, status="Busy.", connected=False),
    ]
    (path,) = _write(tmp_path, [(PERIOD.window, records)])
    with closing(CallStore([path], PERIOD)) as store:
        assert store.connected_statuses() == ("Connected.", "answered")


@pytest.mark.parametrize(
    ("folder", "neighbour"),
    [
        ("acme [1]", "acme 1"),
        ("acme*", "acme-other"),
        ("acme?", "acme2"),
        ("[!a]", "b"),
        ("{a,b}", "a"),
        ('it\'s "q" é', "x"),
    ],
)
def test_a_folder_with_signs_in_its_name_is_that_folder(
    tmp_path: Path, folder: str, neighbour: str
) -> None:
    """Brackets and stars are no pattern: another client's calls next door are never read."""
    (own,) = _write(tmp_path / folder, [(PERIOD.window, [_record("own", START)])])
    _write(tmp_path / neighbour, [(PERIOD.window, [_record("other", START, category="Theirs")])])
    with closing(CallStore([own], PERIOD)) as store:
        assert [line.call_id for line in store.lines()] == ["own"]
        assert store.control().calls == 1
    assert columns.hours([own]) == {START: 1}
    assert columns.categories([own]) == {"Incoming"}


def test_any_flipped_bit_of_a_file_is_found_before_it_is_read(tmp_path: Path) -> None:
    """Parquet itself would give other figures, or bring the program down."""
    records = [_record(str(n), START + n, cost=n * 10_000) for n in range(50)]
    (path,) = _write(tmp_path, [(PERIOD.window, records)])
    whole = path.read_bytes()
    assert columns.is_whole(path)
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        assert not columns.is_whole(path)
        with pytest.raises(ArchiveError, match="makes it anew"):
            CallStore([path], PERIOD)
        assert columns.hours([path]) == {}
        assert columns.categories([path]) == set()
    path.write_bytes(whole)
    assert columns.is_whole(path)


@pytest.mark.parametrize("suffix", [".parquet", ".parquet.sha256"])
def test_a_missing_half_is_no_file(tmp_path: Path, suffix: str) -> None:
    """Without its hash, or without the calls, a window's file is not there."""
    (path,) = _write(tmp_path, [(PERIOD.window, [_record("1", START)])])
    path.with_name(path.name.removesuffix(".parquet") + suffix).unlink()
    assert not columns.is_whole(path)
    with pytest.raises(ArchiveError, match=path.name):
        CallStore([path], PERIOD)


def test_the_hash_beside_a_file_is_one_that_sha256sum_reads(tmp_path: Path) -> None:
    """Hash, two spaces, name: as the ordinary program writes and checks it."""
    (path,) = _write(tmp_path, [(PERIOD.window, [])])
    said = path.with_name(f"{path.name}.sha256").read_text(encoding="ascii")
    assert len(said.split()[0]) == 64
    assert said.split("  ")[1] == f"{path.name}\n"


def test_calls_read_from_a_reply_survive_the_store(tmp_path: Path) -> None:
    """From the carrier's JSON through columns and Parquet back to lines, nothing is changed."""
    clock = LocalClock.over(SYDNEY, START, END)
    calls = [
        call(5, START + 5, zone=SYDNEY, cost="0.0275", rate="Mobile", direction="OUT"),
        call(4, CHANGE, zone=SYDNEY, cost=None, duration=None, origin="=1+1\u202e"),
        call(3, CHANGE - 1, zone=SYDNEY, cost="-1.50", status="Odd", direction=""),
    ]
    read = cdr.columns(cdr.read_reply(reply(calls, PERIOD.window, SYDNEY)), clock)
    path = tmp_path / "x.parquet"
    columns.write(path, read, PERIOD.window, {})
    with closing(CallStore([path], PERIOD)) as store:
        lines = list(store.lines())
        control = store.control()
    assert [next(iter(line)) for line in lines] == ["5", "3", "4"]
    assert [line.cost for line in lines] == [27_500, -1_500_000, None]
    assert [line.seconds for line in lines] == [60, 60, None]
    assert lines[2].a_party == "=1+1\u202e"
    wall = [datetime.fromtimestamp(line.started, UTC).strftime("%d %H:%M:%S") for line in lines]
    assert wall == ["02 00:00:05", "04 01:59:59", "04 03:00:00"]
    assert control == Totals(3, 2, 2, 120, Decimal("-1.4725"))
