"""Numbers: one service in its many spellings is one number, and never a calculation."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.core.numbering import (
    abroad,
    compact,
    comparable,
    is_premium,
    spaced,
    split_route,
    unmistakable,
)

LANDLINE = "0255500140"
MOBILE = "0491570006"


@pytest.mark.parametrize(
    "raw",
    [
        LANDLINE,
        "+61255500140",
        "61255500140",
        "001161255500140",
        "0255500140/PBX",
        "+61255500140/Reception",
        " 02 5550 0140 ",
        "(02) 5550-0140",
        "+61 (0)2 5550 0140",
        "02\u20115550\u20110140",
        "02\u00a05550\u00a00140 / 101",
    ],
)
def test_a_landline_is_one_number_in_every_spelling(raw: str) -> None:
    """International, national, routed and spaced spellings group together."""
    assert compact(raw) == LANDLINE


@pytest.mark.parametrize("raw", [MOBILE, "+61491570006", "61491570006", "0011 61 491 570 006"])
def test_a_mobile_is_one_number_in_every_spelling(raw: str) -> None:
    """The same holds for a mobile number."""
    assert compact(raw) == MOBILE


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("130000", "130000"),
        ("13 00 00", "130000"),
        ("+61130000", "130000"),
        ("1300975707", "1300975707"),
        ("+611300975707", "1300975707"),
        ("1800160401/PBX", "1800160401"),
        ("+611800160401", "1800160401"),
        ("1801234", "1801234"),
        ("+611801234", "1801234"),
        ("101", "101"),
        ("1223", "1223"),
        ("000", "000"),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_short_and_special_numbers_get_no_area_code(raw: str, number: str) -> None:
    """13, 1300, 180, 1800 numbers, extensions and emergency numbers stay what they are."""
    assert compact(raw) == number


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("+442079460123", "+442079460123"),
        ("0011442079460123", "+442079460123"),
        ("0011 44 20 7946 0123", "+442079460123"),
        ("00116490000123", "+6490000123"),
    ],
)
def test_a_foreign_number_keeps_its_plus(raw: str, number: str) -> None:
    """Dialled with 0011 or written with +, it is one number, and no Australian one."""
    assert compact(raw) == number


@pytest.mark.parametrize(
    "raw", ["", " ", "Anonymous", "ANONYMOUS", "anonymous/PBX", "Private", "Withheld", "Unknown"]
)
def test_a_withheld_party_is_no_number(raw: str) -> None:
    """Withheld and empty parties come back empty, so that they group as one."""
    assert compact(raw) == ""


@pytest.mark.parametrize(
    "raw", ["PBX", "reception", "sip:alice@example.com", "=1+1", "٠٢٥٥٥٠٠١٤٠", "02x5550"]
)
def test_what_is_no_number_is_shown_as_it_was(raw: str) -> None:
    """Names, formulas and digits of other scripts are not turned into numbers."""
    assert compact(raw) == raw


@pytest.mark.parametrize("raw", ["612", "6125", "61255", "612555001401234"])
def test_a_bare_61_counts_as_a_country_only_at_the_right_length(raw: str) -> None:
    """Short numbers that begin with 61 are extensions, not Australia."""
    assert compact(raw) == raw


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        ("1800121210/PBX", ("1800121210", "PBX")),
        ("1800121210", ("1800121210", "")),
        (" 1800121210 / PBX ", ("1800121210", "PBX")),
        ("1/2/3", ("1", "2/3")),
        ("/PBX", ("", "PBX")),
        ("", ("", "")),
    ],
)
def test_the_route_is_what_follows_the_first_slash(raw: str, parts: tuple[str, str]) -> None:
    """The exchange's route is split off and nothing of it is lost."""
    assert split_route(raw) == parts


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (LANDLINE, "02 5550 0140"),
        (MOBILE, "0491 570 006"),
        ("1300975707", "1300 975 707"),
        ("1800160401", "1800 160 401"),
        ("130000", "13 00 00"),
        ("1801234", "180 1234"),
        ("101", "101"),
        ("+442079460123", "+442079460123"),
        ("PBX", "PBX"),
        ("", ""),
        ("٠٢٥٥٥٠٠١٤٠", "٠٢٥٥٥٠٠١٤٠"),
    ],
)
def test_people_read_numbers_in_the_usual_groups(number: str, shown: str) -> None:
    """Known Australian shapes are spaced; anything else is left alone."""
    assert spaced(number) == shown


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=20) | st.from_regex(r"\+?[0-9 ]{0,15}(/PBX)?", fullmatch=True))
def test_a_grouped_number_is_its_own_group(raw: str) -> None:
    """Grouping a number that was grouped already changes nothing, whatever it was."""
    once = compact(raw)
    assert compact(once) == once


@settings(deadline=None, max_examples=200)
@given(st.from_regex(r"0[23478][0-9]{8}", fullmatch=True), st.sampled_from(["", "/PBX", "/101"]))
def test_every_national_number_meets_its_international_spelling(number: str, route: str) -> None:
    """0x, +61 x, 61 x and 0011 61 x with any route are one number, and spacing loses no digit."""
    for spelling in (number, "+61" + number[1:], "61" + number[1:], "001161" + number[1:]):
        assert compact(spelling + route) == number
    assert compact(spaced(number)) == number


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("+442079460018", "+44 GB"),
        ("0011 64 21 234 567", "+64 NZ"),
        ("+675 7234 5678", "+675 PG"),
        ("+12025550100", "+1"),
        ("+881612345678", "+881"),
        ("+9991234", "+999"),
        ("+61255500140", ""),
        ("0255500140", ""),
        ("PBX", ""),
        ("+", ""),
        ("", ""),
    ],
)
def test_the_calling_code_of_a_number_abroad(raw: str, code: str) -> None:
    """With its country, where one is meant."""
    assert abroad(raw) == code


@pytest.mark.parametrize(
    ("raw", "premium"),
    [
        ("1902 555 001", True),
        ("+61 1902555001", True),
        ("199012", True),
        ("19555512", True),
        ("1300555001", False),
        ("19", False),
        ("0191234567", False),
        ("+4419025550", False),
    ],
)
def test_premium_numbers_are_those_of_acma(raw: str, premium: bool) -> None:
    """19, of six, eight or ten digits."""
    assert is_premium(raw) == premium


@given(st.integers(0, 99_999_999), st.sampled_from(["02", "03", "04", "07", "08", "13", "18"]))
def test_ways_of_writing_a_number_are_compared_as_one(tail: int, area: str) -> None:
    """Also where no plan knows the number: national, with +61, with 0011 61, with spaces."""
    number = f"{area}{tail:08}"
    world = f"61{number.removeprefix('0')}"
    ways = {number, f"+{world}", f"0011{world}", f"+{world[:4]} {world[4:]}", f"{number}/PBX"}
    assert len({comparable(way) for way in ways}) == 1


@settings(deadline=None)
@given(st.integers(0, 99_999_999), st.sampled_from(["02", "04", "07", "130", "180", "131", "190"]))
def test_what_the_plans_know_is_compared_as_the_plans_write_it(tail: int, begin: str) -> None:
    """E.164, as another implementation has it."""
    number = f"{begin}{tail:08}"[:10]
    parsed = phonenumbers.parse(number, "AU")
    if phonenumbers.is_valid_number(parsed):
        form = phonenumbers.PhoneNumberFormat.E164
        assert comparable(number) == phonenumbers.format_number(parsed, form)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("0255500140", "02 5550 0140"),
        ("131450", "13 14 50"),
        ("+442079460018", "+44 20 7946 0018"),
        ("012345", "012 345"),
        ("101", "101"),
        ("PBX", "PBX"),
    ],
)
def test_no_spreadsheet_takes_a_number_for_a_figure(number: str, written: str) -> None:
    """And it still means the same."""
    assert unmistakable(number) == written
    assert compact(unmistakable(number)) == number


@given(st.from_regex(r"0[0-9]{0,14}", fullmatch=True))
def test_the_quick_way_is_the_long_way(number):
    """A number of digits alone is what it is with a space in it, which takes the long way."""
    assert compact(number) == compact(f"{number[:1]} {number[1:]}")
