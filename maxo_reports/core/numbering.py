"""Telephone numbers: always text, grouped by the number that a person would dial in Australia.

The carrier writes one service in several ways: ``0255500140``, ``+61255500140``,
``0255500140/PBX``. For grouping these are one number; the raw text is kept beside it.
Ranges are ACMA's: ten-digit geographic 02 03 07 08, mobile 04, 13 (six digits) and 1300,
180 (seven digits) and 1800, premium 19; 0011 dials abroad and 61 is Australia.
"""

from __future__ import annotations

import re

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
    if rest.startswith(("13", "18", "19", "0")) and len(rest) in {6, 7, 8, 10}:
        return rest
    return "0" + rest


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
