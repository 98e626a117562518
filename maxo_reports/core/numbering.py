"""Telephone numbers: always text, grouped by the number that a person would dial in Australia.

The carrier writes one service in several ways: ``0255500140``, ``+61255500140``,
``0255500140/PBX``. For grouping these are one number; the raw text is kept beside it.
Ranges are ACMA's: ten-digit geographic 02 03 07 08, mobile 04, 13 (six digits) and 1300,
180 (seven digits) and 1800, premium 19; 0011 dials abroad and 61 is Australia.
What a number is for, and how it is written for the whole world, is looked up in the numbering
plans of ``phonenumbers``.
"""

from __future__ import annotations

import re

import phonenumbers

_HOME = "AU"
_UNAREAED = frozenset({6, 7, 8, 10})
"""Digits of numbers that are dialled without an area."""
_PREMIUM_LENGTHS = frozenset({6, 8, 10})
_NEIGHBOURS = 4
"""So many regions may share a code whose first is meant: Jersey rings as the United Kingdom."""
_FILLING = re.compile(r"[\s\-().\u00a0\u2010-\u2015]+")
_DIGITS = re.compile(r"\+?[0-9]+", re.ASCII)
_WITHHELD = frozenset(
    {"", "anonymous", "private", "withheld", "unavailable", "unknown", "restricted"}
)
_GAP = r"[ \u00a0\u2010-\u2015().-]{0,2}"
_IN_TEXT = re.compile(
    # Not in the middle of a word or a sum of money, and not the rest of a date (2026-07-01).
    r"(?<![0-9A-Za-z$.,])(?<![0-9]{4}-)(?:"
    rf"(?:\+|0011){_GAP}[1-9](?:{_GAP}[0-9]){{6,14}}"
    rf"|(?:61|0){_GAP}[2-578](?:{_GAP}[0-9]){{8}}"
    rf"|(?:13|18|19)00(?:{_GAP}[0-9]){{6}}"
    rf"|(?<!-)13(?:{_GAP}[0-9]){{4}}"
    rf"|(?<!-)180(?:{_GAP}[0-9]){{4}}"
    r")(?![0-9A-Za-z]|[.,][0-9])",
    re.ASCII,
)
"""What reads as a telephone number in running text, in the shapes that ``spaced`` knows."""


def split_route(raw: str) -> tuple[str, str]:
    """Split ``1800121210/PBX`` into the number and the route that the exchange gave it."""
    number, _, route = raw.partition("/")
    return number.strip(), route.strip()


def compact(raw: str) -> str:
    """Return the number to group by: no route, no spaces, in national form where Australian.

    Foreign numbers come back as ``+`` and digits. What is not a number (``PBX``, a SIP name)
    comes back as it was; a withheld or empty party comes back as the empty text.
    """
    if raw.startswith("0") and raw.isascii() and raw.isdigit() and not raw.startswith("0011"):
        return raw  # as nearly all are: they need no second look
    number, _ = split_route(raw)
    if number.casefold() in _WITHHELD:
        return ""
    digits = _FILLING.sub("", number)
    if not _DIGITS.fullmatch(digits):
        return number
    if digits.startswith("0011"):
        digits = "+" + digits[4:]
    if digits.startswith("+61"):
        return _national(digits[3:])
    # A bare 61 is the country code only where the length leaves no doubt.
    if digits.startswith("61") and len(digits) == 11:
        return _national(digits[2:])
    return digits


def _national(rest: str) -> str:
    """Give what follows 61 the form that is dialled inside Australia."""
    if rest.startswith(("13", "18", "19", "0")) and len(rest) in _UNAREAED:
        return rest
    return "0" + rest


def comparable(raw: str) -> str:
    """Return the one form in which numbers are compared: ``+61255500140``, E.164 where it is one.

    Two ways of writing a number come out the same, also where no plan knows it. Inner numbers
    (``101``) and names of the exchange (``PBX``) come back in small letters.
    """
    number = compact(raw)
    if not _DIGITS.fullmatch(number):
        return number.casefold()
    if number.startswith("0") and len(number) > 1:
        return f"+61{number[1:]}"
    if number.startswith(("13", "18", "19")) and len(number) in _UNAREAED:
        return f"+61{number}"
    # Slow, and needed for what begins with a country's code alone, in whatever way.
    parsed = _parsed(number)
    if parsed is not None and phonenumbers.is_valid_number(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return number


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, _HOME)
    except phonenumbers.NumberParseException:
        return None


def is_premium(raw: str) -> bool:
    """Tell whether a number is one at whose price the called party earns: ACMA's 19 numbers."""
    number = compact(raw)
    return number.startswith("19") and number.isdigit() and len(number) in _PREMIUM_LENGTHS


def abroad(raw: str) -> str:
    """Return the calling code of a number abroad, with its country where it has one.

    ``+64 NZ``; several countries share ``+1``, and ``+881`` is a satellite's. Australia's own
    numbers have none here, and neither has what is no number.
    """
    number = compact(raw)
    if not number.startswith("+") or number.startswith("+61") or not _DIGITS.fullmatch(number):
        return ""
    for length in (1, 2, 3):
        code = number[1 : 1 + length]
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code))
        if regions is not None:
            alone = len(regions) <= _NEIGHBOURS and regions[0].isalpha()
            return f"+{code} {regions[0]}" if alone else f"+{code}"
    return number[:4]


def unmistakable(number: str) -> str:
    """Write a grouped number so that no spreadsheet takes it for a figure: with spaces in it."""
    shown = spaced(number)
    if shown != number or not _DIGITS.fullmatch(number):
        return shown
    parsed = _parsed(number) if number.startswith("+") else None
    if parsed is not None:
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"{number[:3]} {number[3:]}" if number.startswith("0") else number


def spaced(number: str) -> str:
    """Write a grouped number as people read it: ``02 5550 0140`` or ``0491 570 006``.

    Anything that is not of a known Australian shape is returned unchanged.
    """
    if not number.isascii() or not number.isdigit():
        return number
    if len(number) == 10 and number[:2] in {"02", "03", "07", "08"}:
        return f"{number[:2]} {number[2:6]} {number[6:]}"
    if len(number) == 10 and number[:2] in {"04", "05", "13", "18", "19"}:
        return f"{number[:4]} {number[4:7]} {number[7:]}"
    if len(number) == 6 and number.startswith("13"):
        return f"{number[:2]} {number[2:4]} {number[4:]}"
    if len(number) == 7 and number.startswith("180"):
        return f"{number[:3]} {number[3:]}"
    return number


def numbers_in(text: str) -> list[str]:
    """Return what reads as a telephone number in a text that should hold none."""
    return _IN_TEXT.findall(text)


def masked(text: str) -> str:
    """Return a text with the telephone numbers in it taken out, for a log that others may read."""
    return _IN_TEXT.sub("[number]", text)
