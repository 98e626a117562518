"""The number directory: longest match, days, and clashes that are refused."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core.directory import (
    EMPTY,
    NOBODY,
    UNALLOCATED,
    Allocation,
    Directory,
    Entry,
    clashes,
    spelt_twice,
)
from maxo_reports.core.spans import NotCovered, Span, extension, span

DAY = date(2026, 10, 15)


def entry(line: int, written: str, centre: str = "", **more: object) -> Entry:
    """Make one line of a directory."""
    return Entry(line, written, span(written), label=written, cost_centre=centre, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("0255500140", "+61255500140", "+61255500140"),
        ("(02) 5550 0140", "+61255500140", "+61255500140"),
        ("02-5550-0140", "+61255500140", "+61255500140"),
        ("+61 2 5550 0140", "+61255500140", "+61255500140"),
        ("61255500140", "+61255500140", "+61255500140"),
        ("+61 (0)2 5550 0140", "+61255500140", "+61255500140"),
        ("'0255500140", "+61255500140", "+61255500140"),
        ("131450", "+61131450", "+61131450"),
        ("1300 555 001", "+611300555001", "+611300555001"),
        ("611300555001", "+611300555001", "+611300555001"),
        ("1300-555-001", "+611300555001", "+611300555001"),
        ("0011 44 20 7946 0018", "+442079460018", "+442079460018"),
        ("0255500140-49", "+61255500140", "+61255500149"),
        ("0255500140 - 0255500149", "+61255500140", "+61255500149"),
        ("0255500140 to +61255500149", "+61255500140", "+61255500149"),
        ("0255500140..0255500149", "+61255500140", "+61255500149"),
        ("101", "101", "101"),
        ("ext. 101", "101", "101"),
        ("100-199", "100", "199"),
    ],
)
def test_ways_of_writing_numbers(written: str, low: str, high: str) -> None:
    """However it is written, a number is compared in one form."""
    found = span(written)
    assert (found.low, found.high) == (low, high)
    assert found.family == ("number" if low.startswith("+") else "extension")


@pytest.mark.parametrize("written", ["1800-121-210", "1800-975-007", "1300-975-707"])
def test_a_number_written_in_threes_is_one_number_and_no_range(written: str) -> None:
    """1800121 is one of seven digits by itself: 1800-121-210 is not what begins there."""
    assert span(written) == span(written.replace("-", ""))
    assert span("1800121-29").low == "+611800121"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("255500140", "lost its leading 0"),
        ("491570006", "lost its leading 0"),
        ("0255500140-255500149", "lost its leading 0"),
        ("2.55500E+08", "lost its digits"),
        ("6,13E+10", "lost its digits"),
        ("=+61255500140", "formula"),
        ("########", "spreadsheet shows"),
        ("O255500140", "no telephone number"),
        ("025550014", "no telephone number"),
        ("PBX", "no telephone number"),
        ("", "no telephone number"),
        ("0255500149-40", "ends before it begins"),
        ("0255500140-1300555001", "different lengths"),
    ],
)
def test_damaged_numbers_are_refused_with_the_reason(written: str, why: str) -> None:
    """What a spreadsheet did to a number is told, and nothing is repaired."""
    with pytest.raises(NotCovered, match=why):
        span(written)


def test_an_extension_may_be_a_word_of_the_exchange() -> None:
    """PBX is a route like any other, where it is meant."""
    assert extension("PBX") == span("ext pbx")
    assert extension("100-199") == span("100-199")
    with pytest.raises(NotCovered, match="no extension"):
        extension("two words")


def test_the_smallest_that_fits_decides() -> None:
    """Route, extension, number, then ever larger ranges."""
    listed = Directory(
        (
            entry(2, "025550*", "begins"),
            entry(3, "0255500100-99", "hundred"),
            entry(4, "0255500140-49", "ten"),
            entry(5, "0255500140", "one"),
            entry(6, "0255500140/101", "routed"),
            entry(7, "ext 102", "desk"),
            entry(8, "ext 200-299", "shop"),
        )
    )
    assert not list(clashes(listed.entries))

    def centre(number: str, own: str = "") -> str:
        return listed.allocation(number, DAY, own or number).cost_centre

    assert centre("0255500140") == "one"
    assert centre("0255500140", "0255500140/PBX") == "one"
    assert centre("0255500140", "0255500140/101") == "routed"
    assert centre("0255500140", "+61255500140/102") == "desk"
    assert centre("1800975707", "1800975707/102") == "desk"
    assert centre("0255500140", "0255500140/250") == "shop"
    assert centre("102") == "desk"
    assert centre("0255500141") == "ten"
    assert centre("0255500151") == "hundred"
    assert centre("0255500199") == "hundred"
    assert centre("0255500200") == "begins"
    assert centre("0255600200") == UNALLOCATED
    assert centre("(none)") == UNALLOCATED
    assert listed.find("0255600200", DAY) is None


def test_a_number_moves_within_a_month() -> None:
    """Days decide, and where no line of the number holds, the range around it does."""
    listed = Directory(
        (
            entry(2, "0255500140", "Sales", last=date(2026, 10, 14)),
            entry(3, "0255500140", "Support", first=date(2026, 10, 20)),
            entry(4, "0255500100-99", "House"),
        )
    )
    assert not list(clashes(listed.entries))
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(31)]
    found = [listed.allocation("0255500140", day).cost_centre for day in days]
    assert found == ["Sales"] * 14 + ["House"] * 5 + ["Support"] * 12
    stays = listed.stays("0255500140", "", date(2026, 10, 1), date(2026, 11, 1))
    assert [(a.day, (b - a).days, said.cost_centre) for a, b, said in stays] == [
        (1, 14, "Sales"),
        (15, 5, "House"),
        (20, 12, "Support"),
    ]


def test_for_ever_is_a_day_too() -> None:
    """The calendar's first and last, as people write them."""
    every = entry(2, "0255500140", "Sales", first=date.min, last=date.max)
    listed = Directory((every,))
    stays = list(listed.stays("0255500140", "", date(2026, 10, 1), date(2026, 11, 1)))
    assert [(end - begin).days for begin, end, _ in stays] == [31]
    assert not list(clashes([every]))


def test_an_empty_field_is_unallocated() -> None:
    """An entry may say one thing and not another."""
    listed = Directory((entry(2, "0255500140"),))
    assert listed.allocation("0255500140", DAY) == Allocation(label="0255500140")
    assert listed.used == ("label",)
    assert EMPTY.allocation("0255500140", DAY) == NOBODY
    assert not EMPTY
    assert listed


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [
        ("0255500140", "+61 2 5550 0140", "listed already on line 2"),
        ("0255500100-99", "02555001*", "listed already on line 2"),
        ("0255500100-99", "0255500150-249", "overlaps with the range of line 2"),
        ("100-199", "150-250", "overlaps with the range of line 2"),
        ("0255500140", "0255500141", ""),
        ("0255500140", "0255500100-99", ""),
        ("0255500140", "0255500140/101", ""),
        ("131450", "ext 131450", ""),
    ],
)
def test_clashes(one: str, two: str, said: str) -> None:
    """The same numbers again, or half of them, is a mistake; a range in a range is none."""
    found = list(clashes([entry(2, one), entry(3, two)]))
    assert len(found) == bool(said)
    assert all(text.startswith(f"line 3: {two!r}") and said in text for text in found)


def test_days_apart_do_not_clash() -> None:
    """A number may be listed twice for days that are not the same."""
    before = entry(2, "0255500140", last=date(2026, 10, 14))
    after = entry(3, "0255500140", first=date(2026, 10, 15))
    both = entry(4, "0255500140", first=date(2026, 10, 14))
    assert not list(clashes([before, after]))
    assert [text.partition(":")[0] for text in clashes([before, after, both])] == ["line 4"] * 2
    assert "for some of the same days" in next(clashes([before, both]))


def test_names_that_differ_in_capitals_only() -> None:
    """Two spellings of one cost centre are told."""
    assert list(spelt_twice([entry(2, "131450", "Sales"), entry(3, "131451", "sales")])) == [
        "line 3: cost centre 'sales' differs from 'Sales' on line 2 in capital letters only"
    ]


# ---- laws ---------------------------------------------------------------------------------------

TAILS = st.integers(0, 99)


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    """Draw lines that may clash."""
    made = []
    for line in range(2, draw(st.integers(2, 9))):
        low, high = sorted((draw(TAILS), draw(TAILS)))
        kind = draw(st.sampled_from(["one", "range", "begins", "ext"]))
        text = {
            "one": f"02555001{low:02}",
            "range": f"02555001{low:02}-02555001{high:02}",
            "begins": f"02555001{low // 10}*",
            "ext": f"ext {low}",
        }[kind]
        first = draw(st.none() | st.integers(1, 31).map(lambda n: date(2026, 10, n)))
        last = draw(st.none() | st.integers(1, 31).map(lambda n: date(2026, 10, n)))
        if first and last and last < first:
            first, last = last, first
        made.append(entry(line, text, f"{line}", first=first, last=last))
    return made


@given(entries(), TAILS, st.integers(1, 31), st.none() | TAILS)
def test_the_best_fitting_entry_of_the_day_is_found(
    made: list[Entry], tail: int, day: int, route: int | None
) -> None:
    """Against a plain search: every entry looked at, the one that covers least taken."""
    on = date(2026, 10, day)
    inner = None if route is None else f"{route}"

    def fit(each: Entry) -> int | None:
        if each.span.family == "extension":
            return -1 if inner == each.span.low else None
        inside = [n for n in range(100) if each.span.covers(f"+612555001{n:02}")]
        return len(inside) if tail in inside else None

    key = f"+612555001{tail:02}"
    holding = [e for e in made if e.holds_on(on) and fit(e) is not None]
    best = min((fit(e) for e in holding), default=None)  # type: ignore[type-var]
    own = f"02555001{tail:02}" + ("" if route is None else f"/{route}")
    found = Directory(tuple(made)).find(f"02555001{tail:02}", on, own)
    assert (found is None) == (not holding)
    if found is not None:
        assert fit(found) == best
        if not list(clashes(made)):
            assert [e for e in holding if fit(e) == best] == [found]
    assert span(f"02555001{tail:02}").low == key


@given(entries(), TAILS)
def test_stays_say_what_find_says_of_every_day(made: list[Entry], tail: int) -> None:
    """Spans of days are whole, and say what each of their days does."""
    listed, number = Directory(tuple(made)), f"02555001{tail:02}"
    first, until = date(2026, 10, 1), date(2026, 11, 1)
    days = []
    for begin, end, said in listed.stays(number, "", first, until):
        for n in range((end - begin).days):
            assert listed.allocation(number, begin + timedelta(days=n)) == said
            days.append(begin + timedelta(days=n))
    assert days == [first + timedelta(days=n) for n in range(31)]


@given(st.data())
def test_how_ranges_lie_to_each_other(data: st.DataObject) -> None:
    """Against sets of their numbers."""

    def drawn() -> Span:
        low, high = sorted((data.draw(TAILS), data.draw(TAILS)))
        return span(f"02555001{low:02}-02555001{high:02}")

    one, two = drawn(), drawn()
    sets = [{n for n in range(100) if s.covers(f"+612555001{n:02}")} for s in (one, two)]
    a, b = sets
    expected = (
        "same"
        if a == b
        else "apart"
        if not a & b
        else "nested"
        if a <= b or b <= a
        else "crossing"
    )
    assert one.against(two) == two.against(one) == expected
    assert one.size(12) == len(a)
