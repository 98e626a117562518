"""Call records: replies are held to the carrier's own rules, and odd calls are kept and marked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from carriers import BRISBANE, OCTOBER, SYDNEY, call, envelope, local, reply
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.core import cdr
from maxo_reports.core.cdr import QUIRKS, CallColumns
from maxo_reports.core.period import LocalClock, Window
from maxo_reports.errors import Garbled, MaxoReportsError, Refused

WINDOW = Window(OCTOBER, OCTOBER + 3600)
CLOCK = LocalClock.over(BRISBANE, OCTOBER, OCTOBER + 31 * 86_400)


def _read(body: bytes) -> CallColumns:
    return cdr.columns(cdr.read_reply(body), CLOCK)


def _one(**odd: Any) -> CallColumns:
    return _read(reply([call(1, **odd)], WINDOW))


def _quirks(columns: CallColumns, at: int = 0) -> set[str]:
    return {name for name, bit in QUIRKS.items() if columns.quirks[at] & bit}


def _with(old: str, new: str) -> bytes:
    """Change the text of a good reply of one call, where JSON writers would not let us."""
    text = reply([call(1)], WINDOW).decode()
    assert text.count(old) == 1, old
    return text.replace(old, new).encode()


def _refused(body: bytes) -> str:
    with pytest.raises(Garbled) as caught:
        _read(body)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


# --- the reply as a whole -----------------------------------------------------------------


def test_a_call_of_the_api_page_is_read_in_full() -> None:
    """The page's own example call, in a reply that is whole, gives every column its value."""
    body = (
        b'{"status":1,"request":"calls\\/list","timezone":"Australia\\/Brisbane",'
        b'"offset":"+10:00","starttime":"2022-08-27 00:00:00","endtime":"2022-08-27 23:59:59",'
        b'"count":1,"calls":[{"callid":722954181,"recording":1,"statid":271020361,'
        b'"datetime":"2022-08-27 10:43:32","unixtime":1661561012,"direction":"IN",'
        b'"origin":"0731235300","destination":"1800121210\\/PBX","rate":"",'
        b'"inboundrate":"1800 Incoming","status":"Connected.","duration":60,"cost":"0.25"}]}'
    )
    found = cdr.read_reply(body)
    assert found.echo == cdr.Echo("2022-08-27 00:00:00", "2022-08-27 23:59:59", BRISBANE)
    assert (found.count, found.moments(), found.unknown_fields) == (1, [1_661_561_012], {})
    columns = cdr.columns(found, LocalClock.over(BRISBANE, 1_661_561_012, 1_661_561_012))
    assert columns == CallColumns(
        call_id=["722954181"],
        unixtime=[1_661_561_012],
        direction=["Inbound"],
        a_party=["0731235300"],
        b_party=["1800121210/PBX"],
        service_number=["1800121210"],
        category=["1800 Incoming"],
        status=["Connected."],
        connected=[True],
        seconds=[60],
        cost=[250_000],
        cost_text=[""],
        quirks=[0],
    )


def test_the_malformed_example_of_the_api_page_is_refused_and_not_mended() -> None:
    """The page's example misses a comma and swaps two brackets: it is no JSON."""
    body = (
        b'{ "status":1 "request":"calls\\/list", "timezone":"Australia\\/Brisbane", '
        b'"offset":"+10:00", "starttime":"2022-08-27 00:00:00", '
        b'"endtime":"2022-08-27 23:59:59", "count":1, "calls":[{ "callid":722954181, '
        b'"unixtime":1661561012, "direction":"IN", "cost":"0.25"]} }'
    )
    assert "no whole JSON document" in _refused(body)


def test_no_calls_are_null_with_a_count_of_0() -> None:
    """The documented empty reply is an empty period; so is an empty list."""
    for calls in (None, []):
        found = cdr.read_reply(reply([], WINDOW, calls=calls))
        assert (found.count, list(found.calls)) == (0, [])


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        ({"count": 2}, "counts 2 calls but holds 1"),
        ({"count": 0}, "counts 0 calls but holds 1"),
        ({"count": -1}, "counts -1 calls but holds 1"),
        ({"count": 1, "calls": None}, "counts 1 calls but holds none"),
        ({"count": "1"}, "documented shape"),
        ({"count": 1.0}, "documented shape"),
        ({"count": True}, "documented shape"),
        ({"count": None}, "documented shape"),
        ({"calls": {}}, "documented shape"),
        ({"calls": {"0": call(1)}}, "documented shape"),
        ({"calls": ""}, "documented shape"),
        ({"calls": [None]}, "documented shape"),
        ({"calls": [[]]}, "documented shape"),
        ({"status": 2}, "status 2"),
        ({"status": "1"}, "documented shape"),
        ({"status": True}, "documented shape"),
        ({"status": None}, "documented shape"),
        ({"request": "sms/list"}, "'sms/list', not calls/list"),
        ({"timezone": None}, "documented shape"),
        ({"starttime": 1_790_776_800}, "documented shape"),
    ],
)
def test_an_envelope_that_breaks_a_rule_is_refused(odd: Mapping[str, Any], says: str) -> None:
    """Count, status, calls and echo must be what the page says, and of its types."""
    assert says in _refused(reply([call(1)], WINDOW, **odd))


@pytest.mark.parametrize("name", ["status", "timezone", "starttime", "endtime", "count", "calls"])
def test_an_envelope_without_a_needed_field_is_refused(name: str) -> None:
    """Each of the fields that prove a reply must be there; ``data`` instead of calls is none."""
    whole = {**envelope(WINDOW, 1), "calls": [call(1)]}
    del whole[name]
    _refused(json.dumps({**whole, "data": [call(1)]}).encode())


@pytest.mark.parametrize("name", ["request", "offset"])
def test_an_envelope_without_an_unneeded_field_is_read(name: str) -> None:
    """Two fields prove nothing and may be missing."""
    whole = {**envelope(WINDOW, 1), "calls": [call(1)]}
    del whole[name]
    assert _read(json.dumps(whole).encode()).call_id == ["1"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\n <b>Warning</b>: mysqli", "web page"),
        (b"null", "no whole JSON"),
        (b"[]", "no whole JSON"),
        (b'"ok"', "no whole JSON"),
        (b"{}", "documented shape"),
        (
            b'{"status":0,"error":"UNAVAILABLE","reason":"Later"}',
            'status 0: "UNAVAILABLE" "Later"',
        ),
        (b'{"status":0}', "status 0"),
        (b'{"status":0,"error":"\xff"}', "status 0"),
        (b'{"status":0,"error":"x","error":"y"}', "status 0"),
    ],
)
def test_what_is_no_reply_says_what_it_is(body: bytes, says: str) -> None:
    """An empty body, a web page, another document and a refusal are told apart."""
    assert says in _refused(body)


def test_a_long_refusal_is_cut() -> None:
    """A megabyte of reasons does not become a megabyte of message."""
    _refused(b'{"status":0,"reason":"' + b"x" * 1_000_000 + b'"}')


GOOD = reply([call(1)], WINDOW)


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + GOOD,
        GOOD + GOOD,
        GOOD + b"\n" + b"<b>Warning</b>: something in line 3",
        b"Notice: x\n" + GOOD,
        GOOD + b"\x00",
        GOOD.decode().encode("utf-16"),
        GOOD.replace(b"Incoming", b"Caf\xe9"),
        GOOD.replace(b"Incoming", b"\xed\xa0\x80"),
        GOOD.replace(b"Incoming", b"\\ud800"),
        GOOD.replace(b"Incoming", b"\\udc00\\ud800"),
        GOOD.replace(b"Incoming", b"\\q"),
        GOOD.replace(b"Incoming", b"a\x00b"),
        GOOD.replace(b'"0.25"', b"NaN"),
        GOOD.replace(b'"0.25"', b"Infinity"),
        GOOD.replace(b'"0.25"', b"-"),
        GOOD.replace(b'"0.25"', b"01"),
        GOOD.replace(b'"0.25"', b"'0.25'"),
        GOOD.replace(b'"0.25"', b"0.25,"),
        GOOD.replace(b'"duration":60', b'"duration":NaN'),
        GOOD.replace(b'"duration":60', b'"duration":1e400'),
        GOOD.replace(b'"duration":60', b'"duration":' + b"9" * 5_000),
        GOOD.replace(b'"callid":1', b'"callid":' + b"9" * 5_000),
        GOOD.replace(b'"recording":0', b'"recording":NaN'),
        GOOD.replace(b'"recording":0', b'"recording":' + b"[" * 100_000 + b"]" * 100_000),
        GOOD.replace(b'"recording":0', b'"recording":0,"new":NaN'),
        GOOD.replace(b'"recording":0', b'"recording":0,"new":"\\ud800"'),
        GOOD.replace(b'"recording":0', b'"recording":0,"n\\ud800":1'),
        GOOD.replace(b'"recording":0', b'"recording":0,"new":' + b'{"a":' * 50_000 + b"1"),
        GOOD.replace(b'"recording":0', b'"recording":0,"new":' + b"[" * 5_000 + b"]" * 5_000),
    ],
    ids=range(29),
)
def test_a_body_that_is_not_one_whole_clean_document_is_refused(body: bytes) -> None:
    """Byte-order marks, junk around it, other encodings, lone surrogates, NaN, endless nesting."""
    _refused(body)


@pytest.mark.parametrize("at", range(0, len(GOOD), 7))
def test_no_cut_of_a_reply_is_a_reply(at: int) -> None:
    """A reply that ends at any byte but its last is refused."""
    _refused(GOOD[:at])


COST_TWICE = ('"cost":"0.25"', '"cost":"0.25","cost":"9.99"')


@pytest.mark.parametrize(
    "body",
    [
        _with(*COST_TWICE),
        _with('"cost":"0.25"', '"cost":"0.25","c\\u006fst":"9.99"'),
        _with('"cost":"0.25"', '"cost" : "0.25", "cost"\n:"9.99"'),
        _with('"origin":"0491570006"', '"origin":"a\\"b","origin":"0491570006"'),
        _with('"origin":"0491570006"', '"origin":":a","cost":"0.30"'),
        _with('"status":"Connected."', '"status":"Connected.","status":"Connected."'),
        _with('"recording":0', '"recording":{"a":1,"a":2}'),
        _with('"count":1', '"count":2,"count":1'),
        _with('"timezone":', '"calls":null,"timezone":'),
        _with('"timezone":', '"status":1,"timezone":'),
    ],
    ids=range(10),
)
def test_a_key_that_stands_twice_is_refused(body: bytes) -> None:
    """JSON readers silently take the last of two equal keys; we take neither."""
    assert "twice" in _refused(body)


@pytest.mark.parametrize("name", ["request", "offset"])
@pytest.mark.parametrize("gone", ["missing", "empty"])
def test_a_missing_field_makes_no_room_for_a_double_one(name: str, gone: str) -> None:
    """A key twice is found also where another is missing and the number of keys is as usual."""
    whole = {**envelope(WINDOW, 1), "calls": [call(1)]}
    if gone == "missing":
        del whole[name]
    else:
        whole[name] = ""
    text = json.dumps(whole, separators=(",", ":"))
    assert "twice" in _refused(text.replace(*COST_TWICE).encode())


@pytest.mark.parametrize("name", ["datetime", "rate", "inboundrate", "recording", "statid"])
def test_a_call_without_a_field_makes_no_room_for_a_double_one(name: str) -> None:
    """The same holds within one call, and when another call lacks the field."""
    short = call(1)
    del short[name]
    for calls in ([short], [call(2), short], [short, call(2)]):
        text = reply(calls, WINDOW).decode()
        assert "twice" in _refused(text.replace(*COST_TWICE, 1).encode())


@pytest.mark.parametrize("spaced", [False, True])
@pytest.mark.parametrize("odd", ["", 'a"b', 'say ":', ":x", "a\\", 'x":"y'])
def test_texts_that_look_like_keys_are_no_keys(odd: str, spaced: bool) -> None:
    """Quotes and colons inside of a text neither hide a double key nor make one."""
    body = json.dumps(
        {**envelope(WINDOW, 2), "calls": [call(1, origin=odd), call(2, rate=odd)]},
        separators=(" , ", " : ") if spaced else (",", ":"),
    )
    found = cdr.read_reply(body.encode())
    assert found.unknown_fields == {}
    assert _read(body.encode()).a_party[0] == odd


def test_unknown_fields_are_counted_by_call_and_harmless() -> None:
    """A field that we do not know is counted with its dollars; nothing else changes."""
    odd = {"odd name": [1, {"callid": 2}]}
    calls = [call(1, tag="x", cost="-1.5"), call(2), call(3, tag=None, cost=0.05, **odd)]
    found = cdr.read_reply(reply(calls, WINDOW, generated="now"))
    assert found.unknown_fields == {"odd name": (1, 50_000), "tag": (2, -1_450_000)}
    assert cdr.columns(found, CLOCK).cost == [-1_500_000, 250_000, 50_000]


def test_the_human_readable_duration_is_no_unknown_field() -> None:
    """``duration_hr`` is documented; it is read past."""
    assert cdr.read_reply(reply([call(1, duration_hr="1m")], WINDOW)).unknown_fields == {}


def test_unknown_fields_are_found_where_a_known_one_is_missing() -> None:
    """A renamed field is one unknown and one missing, and is not passed over."""
    renamed = call(1)
    del renamed["rate"]
    found = cdr.read_reply(reply([{**renamed, "rate_name": "Mobile"}], WINDOW))
    assert found.unknown_fields == {"rate_name": (1, 250_000)}
    assert found.missing_fields == {"rate": (1, 250_000)}


def test_fields_of_a_call_whose_cost_cannot_be_read_are_counted_all_the_same() -> None:
    """Its cost is another finding's business."""
    found = cdr.read_reply(reply([call(1, tag="x", cost="free")], WINDOW))
    assert found.unknown_fields == {"tag": (1, 0)}


@pytest.mark.parametrize(
    "name",
    ["callid", "unixtime", "direction", "origin", "destination", "status", "duration", "cost"],
)
def test_a_call_without_a_needed_field_refuses_the_reply(name: str) -> None:
    """Without id, time, direction, numbers, status, duration or cost there is no call."""
    short = call(1)
    del short[name]
    assert name in _refused(reply([call(2), short], WINDOW))


@pytest.mark.parametrize("name", ["datetime", "rate", "inboundrate", "recording", "statid"])
def test_a_call_without_an_optional_field_is_read(name: str) -> None:
    """The other fields may be missing; the call keeps its cost."""
    short = call(1, rate="Mobile", inboundrate="")
    del short[name]
    assert _read(reply([short], WINDOW)).cost == [250_000]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("callid", None),
        ("callid", 1.5),
        ("callid", True),
        ("callid", []),
        ("callid", ""),
        ("callid", " \t"),
        ("unixtime", None),
        ("unixtime", 1.5),
        ("unixtime", ""),
        ("unixtime", "soon"),
        ("unixtime", "2026-10-01 00:00:00"),
        ("unixtime", "-5"),
        ("unixtime", "1790776800.5"),
        ("unixtime", "\uff11\uff12"),
        ("unixtime", "9" * 13),
        ("unixtime", 10**12),
        ("unixtime", -(10**12)),
        ("unixtime", 2**63),
        ("unixtime", 2**64),
        ("unixtime", 10**400),
        ("direction", 1),
        ("status", 1),
        ("status", {}),
        ("duration", 1.5),
        ("duration", True),
        ("duration", []),
        ("origin", 1.5),
        ("destination", []),
        ("rate", 5),
    ],
)
def test_a_field_of_an_impossible_kind_refuses_the_reply(name: str, value: Any) -> None:
    """What could only be guessed at is refused, and the message names the field."""
    assert name in _refused(reply([call(1, **{name: value})], WINDOW))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_end_in_anything_but_a_refusal(body: bytes) -> None:
    """Random bytes are refused in one line, never in a traceback."""
    _refused(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(call(1))), JSON)
def test_any_value_in_any_field_is_read_or_refused(name: str, value: Any) -> None:
    """Whatever stands in a field: the call is read, marked where odd, or the reply is refused."""
    body = reply([call(1, **{name: value}), call(2)], WINDOW)
    try:
        columns = _read(body)
    except MaxoReportsError as refusal:
        assert "\n" not in str(refusal)
        return
    assert len(columns.call_id) == 2
    assert columns.cost[1] == 250_000
    assert (columns.cost[0] is None) == ("cost-unreadable" in _quirks(columns))


# --- the echo ------------------------------------------------------------------------------


def test_the_echo_must_be_the_very_span_that_was_asked() -> None:
    """Start and end, to the second, in the account's zone."""
    cdr.check_echo(cdr.Echo(local(WINDOW.start), local(WINDOW.end), BRISBANE), WINDOW, BRISBANE)


@pytest.mark.parametrize(
    ("start", "end"),
    [(1, 0), (-1, 0), (0, 1), (0, -1), (36_000, 36_000), (86_400, 86_400), (3600, -3600)],
)
def test_an_echo_of_another_span_is_garbled(start: int, end: int) -> None:
    """A second more or less, hours or a day off, or start and end swapped: not our answer."""
    echo = cdr.Echo(local(WINDOW.start + start), local(WINDOW.end + end), BRISBANE)
    with pytest.raises(Garbled, match="was asked for"):
        cdr.check_echo(echo, WINDOW, BRISBANE)


@pytest.mark.parametrize("zone", [SYDNEY, "UTC", "", "Australia/brisbane", "Australia/Lindeman"])
def test_an_echo_in_another_zone_is_refused_with_what_to_do(zone: str) -> None:
    """A wrong zone moves calls into other months: maxo.toml has to say the carrier's own."""
    echo = cdr.Echo(local(WINDOW.start, SYDNEY), local(WINDOW.end, SYDNEY), zone)
    with pytest.raises(Refused, match="set timezone"):
        cdr.check_echo(echo, WINDOW, BRISBANE)


@pytest.mark.parametrize(
    ("start", "end", "texts"),
    [
        (1_791_043_200, 1_791_046_800, ("2026-10-04 03:00:00", "2026-10-04 04:00:00")),
        (1_791_039_600, 1_791_043_200, ("2026-10-04 01:00:00", "2026-10-04 03:00:00")),
        (1_775_314_800, 1_775_318_400, ("2026-04-05 02:00:00", "2026-04-05 02:00:00")),
        (1_775_318_400, 1_775_322_000, ("2026-04-05 02:00:00", "2026-04-05 03:00:00")),
    ],
)
def test_the_echo_is_read_across_a_change_of_clocks(
    start: int, end: int, texts: tuple[str, str]
) -> None:
    """Windows that end in the gap or begin in the overlap echo the wall clock of their second."""
    cdr.check_echo(cdr.Echo(*texts, SYDNEY), Window(start, end), SYDNEY)


# --- one call ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "micros"),
    [
        ("0.25", 250_000),
        (0.25, 250_000),
        (0.05, 50_000),
        (1, 1_000_000),
        (0, 0),
        ("0", 0),
        ("0.0275", 27_500),
        ("0.000001", 1),
        ("0.2500000", 250_000),
        ("-0.25", -250_000),
        (-0.25, -250_000),
        (1.1, 1_100_000),
    ],
)
def test_a_cost_is_read_from_its_own_digits(cost: Any, micros: int) -> None:
    """Text or number, four decimals or six, charge or credit: exact, and never via a float."""
    columns = _one(cost=cost)
    assert (columns.cost, columns.cost_text) == ([micros], [""])
    assert _quirks(columns) == ({"credit"} if micros < 0 else set())


@pytest.mark.parametrize(
    "cost",
    [
        *("", " ", "0.1234567", "1,234.50", "$0.25", "1e3", "NaN", "1_0", "(0.25)", "0.25\n"),
        *("\uff10.\uff12\uff15", "\u22120.25", "free", ".5", "5."),
    ],
)
def test_a_cost_that_cannot_be_read_is_kept_as_text_and_marked(cost: str) -> None:
    """The call stays, its cost is None and not 0, and the carrier's words are kept."""
    columns = _one(cost=cost)
    assert (columns.cost, columns.cost_text) == ([None], [cost])
    assert _quirks(columns) == {"cost-unreadable"}


@pytest.mark.parametrize(
    "cost", ["null", "true", "1e3", "1E-2", "0.1234567", "[]", '{"aud":0.25}', "1e400"]
)
def test_a_cost_of_another_kind_is_unreadable_too(cost: str) -> None:
    """Null is not 0, and a number with an exponent is not guessed."""
    columns = _read(_with('"0.25"', cost))
    assert (columns.cost, columns.cost_text) == ([None], [cost])
    assert _quirks(columns) == {"cost-unreadable"}


def test_a_number_keeps_digits_that_a_float_would_lose() -> None:
    """0.1 + 0.2 is no worry, and neither is a number that no float holds."""
    assert _read(_with('"0.25"', "123456789.123456")).cost == [123_456_789_123_456]
    assert _read(_with('"0.25"', "0.30000000000000004")).cost == [None]


@pytest.mark.parametrize(
    ("raw", "direction", "service_number"),
    [
        ("IN", "Inbound", "0755500140"),
        ("Inbound", "Inbound", "0755500140"),
        ("in", "Inbound", "0755500140"),
        (" In ", "Inbound", "0755500140"),
        ("OUT", "Outbound", "0491570006"),
        ("Outbound", "Outbound", "0491570006"),
        ("OUTBOUND", "Outbound", "0491570006"),
    ],
)
def test_a_direction_in_either_spelling_decides_whose_call_it_is(
    raw: str, direction: str, service_number: str
) -> None:
    """Inbound calls belong to the B-party without its route, outbound ones to the A-party."""
    columns = _one(direction=raw, rate="Mobile", inboundrate="")
    assert (columns.direction, columns.service_number) == ([direction], [service_number])
    assert _quirks(columns) == set()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("INTERNAL", "INTERNAL"),
        ("unknown", "unknown"),
        ("", "(none)"),
        (None, "(none)"),
        ("I", "I"),
    ],
)
def test_an_unknown_direction_is_shown_and_never_guessed(raw: str | None, shown: str) -> None:
    """It makes a group of its own; whose number it is cannot be told."""
    columns = _one(direction=raw)
    assert (columns.direction, columns.service_number) == ([shown], ["(none)"])
    assert _quirks(columns) == {"direction-unknown", "service-number-missing"}
    assert columns.cost == [250_000]


@pytest.mark.parametrize(
    ("origin", "service_number"),
    [
        ("+61255500140", "0255500140"),
        ("61255500140", "0255500140"),
        ("001161255500140", "0255500140"),
        ("0255500140/PBX", "0255500140"),
        (255500140, "255500140"),
        ("101", "101"),
        ("PBX", "PBX"),
        ("1300975707", "1300975707"),
        ("130000", "130000"),
        ("1801234", "1801234"),
        ("+611800160401", "1800160401"),
    ],
)
def test_an_outbound_call_is_grouped_by_its_own_number(origin: Any, service_number: str) -> None:
    """Whatever the spelling; the raw text stays beside it."""
    columns = _one(direction="OUT", origin=origin, rate="Local", inboundrate="")
    assert columns.service_number == [service_number]
    assert columns.a_party == [str(origin)]


@pytest.mark.parametrize("origin", ["Anonymous", "anonymous", "", None, "Private"])
def test_a_withheld_caller_is_no_trouble_inbound_and_marked_outbound(origin: str | None) -> None:
    """Who called us may be unknown; which of our numbers called may not."""
    assert _quirks(_one(origin=origin)) == set()
    columns = _one(origin=origin, direction="OUT", rate="Local", inboundrate="")
    assert columns.service_number == ["(none)"]
    assert _quirks(columns) == {"service-number-missing"}
    assert columns.a_party == [origin or ""]


@pytest.mark.parametrize(
    ("direction", "rate", "inboundrate", "category", "marks"),
    [
        ("OUT", "Mobile", "", "Mobile", set()),
        ("OUT", "Mobile", None, "Mobile", set()),
        ("IN", "", "1800 Incoming", "1800 Incoming", set()),
        ("IN", None, "1800 Incoming", "1800 Incoming", set()),
        ("OUT", "", "Incoming", "Incoming", set()),
        ("OUT", "", "", "(none)", {"category-missing"}),
        ("IN", None, None, "(none)", {"category-missing"}),
        ("OUT", "Mobile", "Incoming", "Mobile", {"category-twice"}),
        ("IN", "Mobile", "Incoming", "Incoming", {"category-twice"}),
        ("OUT", " Mobile ", "", " Mobile ", set()),
    ],
)
def test_the_category_is_the_carriers_text_verbatim(
    direction: str, rate: str | None, inboundrate: str | None, category: str, marks: set[str]
) -> None:
    """The filled one of two counts; with both, the direction's own; with none, it says so."""
    columns = _one(direction=direction, rate=rate, inboundrate=inboundrate)
    assert columns.category == [category]
    assert _quirks(columns) == marks


@pytest.mark.parametrize(
    ("raw", "shown", "connected", "marks"),
    [
        ("Connected.", "Connected.", True, set()),
        ("connected", "connected", True, set()),
        ("Answered", "Answered", True, set()),
        ("No Answer.", "No Answer.", False, set()),
        ("Busy.", "Busy.", False, set()),
        ("Cancelled.", "Cancelled.", False, set()),
        ("Not Connected.", "Not Connected.", False, set()),
        ("Connecting", "Connecting", False, {"status-unknown"}),
        ("", "(none)", False, {"status-unknown"}),
        (None, "(none)", False, {"status-unknown"}),
    ],
)
def test_only_a_known_word_counts_as_connected(
    raw: str | None, shown: str, connected: bool, marks: set[str]
) -> None:
    """The status is shown as it came; one that is not known is marked and not counted."""
    columns = _one(status=raw)
    assert (columns.status, columns.connected) == ([shown], [connected])
    assert _quirks(columns) == marks


@pytest.mark.parametrize(
    ("raw", "seconds", "marks"),
    [
        (60, 60, set()),
        ("60", 60, set()),
        (0, 0, set()),
        ("007", 7, set()),
        (999_999_999, 999_999_999, set()),
        (None, None, {"duration-missing"}),
        ("", None, {"duration-missing"}),
        (-1, None, {"duration-unreadable"}),
        ("-1", None, {"duration-unreadable"}),
        (10**9, None, {"duration-unreadable"}),
        (10**40, None, {"duration-unreadable"}),
        ("00:01:00", None, {"duration-unreadable"}),
        ("60.0", None, {"duration-unreadable"}),
        ("1e2", None, {"duration-unreadable"}),
        ("\uff16\uff10", None, {"duration-unreadable"}),
    ],
)
def test_a_duration_is_whole_seconds_or_marked(
    raw: Any, seconds: int | None, marks: set[str]
) -> None:
    """A missing or odd duration is None, not 0 by default, and the call stays."""
    columns = _one(duration=raw)
    assert columns.seconds == [seconds]
    assert _quirks(columns) == marks


@pytest.mark.parametrize("number", [722_954_181, "722954181", "a-b", 0, 2**63, 10**30])
def test_a_callid_is_text_whatever_it_was(number: Any) -> None:
    """A number and the same digits as text are one id; none is rounded."""
    assert _one(callid=number).call_id == [str(number)]


@pytest.mark.parametrize("moment", [OCTOBER, str(OCTOBER), 0, -5, 999_999_999_999])
def test_a_moment_is_a_whole_number_also_as_text(moment: Any) -> None:
    """Unix seconds come as they are, however far away."""
    assert _one(unixtime=moment).unixtime == [int(moment)]


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("2026-10-01 00:00:00", True),
        ("2026-10-01T00:00:00", True),
        ("2026-10-01 00:00:01", False),
        ("2026-09-30 14:00:00", False),
        ("2026-10-01 10:00:00", False),
        ("2026-10-01 00:00", False),
        ("2026-10-01 00:00:00.5", False),
        ("01/10/2026 00:00:00", False),
        ("2026-13-01 00:00:00", False),
        ("", False),
        ("yesterday", False),
    ],
)
def test_the_clock_text_must_agree_with_the_unix_time(text: str, agrees: bool) -> None:
    """Unix time is the truth; a text that says anything else marks the call."""
    columns = _one(datetime=text)
    assert _quirks(columns) == (set() if agrees else {"clock-differs"})
    assert columns.unixtime == [OCTOBER]


@pytest.mark.parametrize(
    ("moment", "text", "agrees"),
    [
        (1_791_043_199, "2026-10-04 01:59:59", True),
        (1_791_043_200, "2026-10-04 03:00:00", True),
        (1_791_043_200, "2026-10-04 02:00:00", False),
        (1_775_314_800, "2026-04-05 02:00:00", True),
        (1_775_318_399, "2026-04-05 02:59:59", True),
        (1_775_318_400, "2026-04-05 02:00:00", True),
        (1_775_318_400, "2026-04-05 03:00:00", False),
        (1_775_322_000, "2026-04-05 03:00:00", True),
    ],
)
def test_the_clock_text_is_right_on_both_sides_of_a_change(
    moment: int, text: str, agrees: bool
) -> None:
    """In the hour that is skipped no text agrees; in the hour that comes twice, both do."""
    clock = LocalClock.over(SYDNEY, moment - 86_400, moment + 86_400)
    columns = cdr.columns(cdr.read_reply(reply([call(1, moment, datetime=text)], WINDOW)), clock)
    assert _quirks(columns) == (set() if agrees else {"clock-differs"})


def test_a_text_longer_than_a_cell_is_kept_whole_and_marked() -> None:
    """What no spreadsheet cell holds is marked; nothing is cut here."""
    assert _quirks(_one(inboundrate="x" * 32_767)) == set()
    for name in ("origin", "destination", "inboundrate", "status"):
        columns = _one(**{name: "x" * 32_768})
        assert "text-too-long" in _quirks(columns)
    assert columns.status == ["x" * 32_768]


def test_hostile_text_stays_what_it_is() -> None:
    """Formulas, markup and templates are text; so are control characters that JSON may hold."""
    for text in ("=HYPERLINK(1)", "<script>", "{{7*7}}", "a\x00\x1b[2J\u202e", "\U0001f600"):
        columns = _one(origin=text, inboundrate=text)
        assert (columns.a_party, columns.category) == ([text], [text])


def test_the_order_of_the_calls_is_kept_and_no_call_is_dropped() -> None:
    """As many rows as calls, in the reply's own order, also for equal ids."""
    calls = [call(n, OCTOBER + n % 3, cost=f"{n}.01") for n in (5, 3, 3, 9, 1)]
    columns = _read(reply(calls, WINDOW))
    assert columns.call_id == ["5", "3", "3", "9", "1"]
    assert columns.cost == [n * 1_000_000 + 10_000 for n in (5, 3, 3, 9, 1)]
    assert {len(getattr(columns, name)) for name in CallColumns.__slots__} == {5}
