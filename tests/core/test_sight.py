"""What a reply shows: looked at without rules, and never with a traceback or a number shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from carriers import BRISBANE, OCTOBER, SYDNEY, call, reply
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports.core import compared, sight
from maxo_reports.core.period import Window
from maxo_reports.core.questions import QUESTIONS, Line
from maxo_reports.core.sight import Sight
from maxo_reports.errors import Garbled

WINDOW = Window(OCTOBER, OCTOBER + 100)


def looked(body: bytes, window: Window = WINDOW) -> Sight:
    """Look at a reply of the account in Brisbane."""
    return sight.look(window, body, BRISBANE, packed=False)


def of_calls(*calls: dict[str, Any], **odd: Any) -> Sight:
    """Look at a reply of these calls."""
    return looked(reply(calls, WINDOW, BRISBANE, **odd))


TEXT = st.text("aZ09 .-/+\n\u202e\u0661\u00e9", max_size=12)
ATOM = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
ANYTHING = ATOM | st.lists(ATOM, max_size=2) | st.dictionaries(TEXT, ATOM, max_size=2)
FIELDS = ("callid", "unixtime", "datetime", "direction", "status", "duration", "cost", "origin")
ODD_CALL = st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3)
AROUND = ("timezone", "starttime", "endtime", "count", "calls", "request", "offset")


def every_line(seen: Sight) -> list[Line]:
    """Judge a reply in every way that there is."""
    lines = [judge(seen) for judge in sight.AROUND.values()]
    lines += [sight.zone(seen, BRISBANE), sight.empty(seen), sight.shape([seen])]
    lines += [sight.edge(name, OCTOBER, seen) for name in ("start", "end")]
    lines += [*compared.cut(seen, seen, 2), compared.again(seen, seen)]
    lines += [judge(seen, seen) for _, judge in compared.FILTERED.values()]
    lines.append(compared.csv(seen, b"callid\nx\n"))
    if seen.reply is not None and seen.columns is not None and seen.calls:
        lines += [judge(seen.reply, seen.columns) for judge in sight.WITHIN.values()]
        lines.append(compared.late("late-probe", seen.reply, 0, seen, OCTOBER, 48))
    return lines


@given(
    st.lists(ODD_CALL, max_size=4),
    st.dictionaries(st.sampled_from(AROUND), ANYTHING, max_size=3),
)
def test_no_reply_ends_in_a_traceback(odd: list[dict[str, Any]], around: dict[str, Any]) -> None:
    """Whatever stands in it, a JSON object of a success is looked at and judged."""
    calls = [{**call(n, OCTOBER + n), **fields} for n, fields in enumerate(odd)]
    whole = json.loads(reply(calls, WINDOW)) | around
    seen = looked(json.dumps(whole).encode())
    for line in every_line(seen):
        assert line.name in QUESTIONS
        assert line.seen.isprintable()
        assert bool(line.means) == (line.verdict == "differs")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"calls":[]}',
        b'{"status":0,"error":"UNAVAILABLE"}',
        b'{"status":[1]}',
        b'{"status":1',
        b'{"status":' + b"[" * 100_000,
    ],
)
def test_what_is_no_success_is_a_mishap(body: bytes) -> None:
    """It is asked again, and no habit is read from it."""
    with pytest.raises(Garbled):
        looked(body)


@given(st.text(alphabet="0123456789 +-()/abc.\u0661\u0662", max_size=60))
def test_no_word_shows_a_number(text: str) -> None:
    """Not more than four digits of any script come through."""
    assert sum(letter.isdigit() for letter in sight.word(text)) <= 4


def test_a_short_code_is_shown() -> None:
    """A status such as a SIP code tells something and is no telephone number."""
    assert sight.word("486 Busy Here") == "486 Busy Here"
    assert sight.word("Forwarded to 0491 570 156") == "Forwarded to #### ### ###"
    assert sight.word("a\u202eb") == "a\u2039U+202E\u203ab"


def test_calls_of_another_time_lead_nowhere() -> None:
    """A stray or unreadable time is left out of what further questions are made from."""
    strays = [call(1, OCTOBER - 1), call(2, OCTOBER + 101), call(3, unixtime="9" * 12)]
    odd = [call(4, unixtime=None), call(5, unixtime=1.5), call(6, unixtime=-OCTOBER)]
    seen = of_calls(*strays, *odd, call(7, OCTOBER), call(8, OCTOBER + 100))
    assert seen.moments == [OCTOBER, OCTOBER + 100]
    assert len(seen.calls) == 8


@pytest.mark.parametrize(
    ("odd", "seen"),
    [
        ({"starttime": "2026-10-01T00:00:00"}, "starttime in another form"),
        ({"starttime": None}, "starttime cannot be read"),
        ({"starttime": "2026-10-01 00:00:02"}, "starttime 2 s late"),
        ({"endtime": "2026-10-01 00:00:40"}, "endtime 60 s early"),
        ({"starttime": "", "endtime": 7}, "starttime cannot be read; endtime cannot be read"),
    ],
)
def test_an_echo_of_another_span_differs(odd: dict[str, Any], seen: str) -> None:
    """A run refuses it to the letter, so the probe says how it is."""
    line = sight.echo(of_calls(call(1), **odd))
    assert (line.verdict, line.seen) == ("differs", seen)


def test_another_zone_alone_is_no_other_span() -> None:
    """The echo is held against the zone that the reply names, and the zone against maxo.toml."""
    seen = looked(reply([call(1, zone=SYDNEY)], WINDOW, SYDNEY))
    assert sight.echo(seen).verdict == "as relied on"
    assert sight.zone(seen, BRISBANE).verdict == "differs"
    seen = of_calls(call(1), timezone="Brisbane")
    assert sight.echo(seen).verdict == "as relied on"
    assert (sight.zone(seen, BRISBANE).verdict, sight.zone(seen, BRISBANE).seen) == (
        "differs",
        "Brisbane",
    )


@pytest.mark.parametrize(
    ("odd", "verdict", "seen"),
    [
        ({}, "as relied on", "null, count 0"),
        ({"calls": []}, "as relied on", "[], count 0"),
        ({"count": "0"}, "differs", "null, count none"),
        ({"count": False}, "differs", "null, count none"),
        ({"count": 3}, "differs", "null, count 3"),
        ({"calls": ""}, "differs", "neither null nor [], count 0"),
    ],
)
def test_an_empty_reply(odd: dict[str, Any], verdict: str, seen: str) -> None:
    """As the strict reader takes it or not."""
    looked_at = of_calls(**odd)
    line = sight.empty(looked_at)
    assert (line.verdict, line.seen) == (verdict, seen)
    assert (looked_at.reply is not None) == (verdict == "as relied on")


def test_an_empty_reply_without_its_calls() -> None:
    """The field left out is another thing than null."""
    whole = json.loads(reply([], WINDOW))
    del whole["calls"]
    line = sight.empty(looked(json.dumps(whole).encode()))
    assert (line.verdict, line.seen) == ("differs", "left out, count 0")


def test_fields_that_are_missing_or_more_are_named() -> None:
    """By the carrier's own names."""
    odd = call(1, tariff="B", leg=2)
    del odd["inboundrate"]
    seen = of_calls(odd)
    assert seen.reply is not None
    assert seen.columns is not None
    line = sight.fields(seen.reply, seen.columns)
    assert (line.verdict, line.seen) == ("differs", "also leg, tariff; without inboundrate")


def test_a_cut_reply_is_held_against_the_whole_one() -> None:
    """Calls that only the cut reply has, a count of its own, and a text for a count."""
    whole = of_calls(*(call(n, OCTOBER + n) for n in range(4)))
    strange = of_calls(call(8, OCTOBER + 50), call(9, OCTOBER + 51), count=7)
    limit, kept, count = compared.cut(whole, strange, 2)
    assert limit.verdict == "as relied on"
    assert (kept.verdict, kept.seen) == ("differs", "calls that the whole reply has not")
    assert (count.verdict, count.seen) == ("differs", "another number")
    _, kept, count = compared.cut(whole, of_calls(call(0), call(2, OCTOBER + 2), count="2"), 2)
    assert (kept.verdict, kept.seen) == ("as relied on", "neither end")
    assert (count.verdict, count.seen) == ("differs", "no number")


def test_filters_are_held_to_what_reports_count() -> None:
    """A call that the carrier calls connected and we do not is the difference that matters."""
    whole = of_calls(call(1), call(2, status="Answered elsewhere."), call(3, cost="x"))
    seen = of_calls(call(1), call(2, status="Answered elsewhere."))
    line = compared.connected(whole, seen)
    assert (line.verdict, line.seen) == ("differs", "2 of 3 are connected: 1 missing, 1 more")
    # A cost that cannot be read may be a charge or none: both are right.
    assert compared.charges(whole, seen).verdict == "as relied on"
    assert compared.charges(whole, whole).verdict == "as relied on"


def test_the_same_calls_in_another_order_are_the_same() -> None:
    """A carrier may shuffle."""
    one, two = call(1), call(2, OCTOBER + 1)
    line = compared.again(of_calls(one, two), of_calls(two, one))
    assert (line.verdict, line.seen) == ("as relied on", "the same calls, in another order")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (48 * 3600 - 1, "47 hours"),
        (48 * 3600, "2 days"),
        (-5, "0 seconds"),
    ],
)
def test_a_lapse_is_told_in_the_unit_that_fits(seconds: int, text: str) -> None:
    """Never rounded up."""
    seen = of_calls(call(1))
    assert seen.reply is not None
    line = compared.late("late-probe", seen.reply, OCTOBER, seen, OCTOBER + seconds, 48)
    assert f" in {text}" in line.seen
