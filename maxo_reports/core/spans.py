"""What one line of a number directory covers: a number, a range of numbers, or an extension.

Numbers are compared in one form, ``+61255500140``, whatever way they were written, so that a
line and a call meet. That a number was damaged on its way through a spreadsheet (a leading zero
lost, ``2.55E+08``) is said, never repaired: the repaired number could be somebody else's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from maxo_reports.core.numbering import compact, comparable, split_route

Family = Literal["number", "extension"]
NUMBER: Final = "number"
EXTENSION: Final = "extension"
LONGEST_EXTENSION = 5
"""Digits of an inner number; what is longer is dialled from outside."""
_ABROAD_LEAST = 7
_LENGTHS = {"13": (6, 10), "18": (7, 10), "19": (6, 8, 10)}
"""ACMA's lengths of numbers that are dialled without an area; all others have nine digits."""
_EXTENSION = re.compile(r"(?:extension|ext\.?|x)\s*(\S+)", re.IGNORECASE)
_RANGE = re.compile(r"(.+?)\s*(?:\.\.|\bto\b|[-\u2010-\u2015])\s*([^-\u2010-\u2015]+)")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE | re.ASCII)
_LOST_ZERO = re.compile(r"[23478][0-9]{8}", re.ASCII)
_DIGITS = re.compile(r"\+?[0-9]+", re.ASCII)
_FREE_OR_LOCAL = re.compile(r"1[38]00[0-9]{6}", re.ASCII)
_AS_TEXT = "format the column as text and enter it again"

Relation = Literal["apart", "nested", "same", "crossing"]


class NotCovered(ValueError):
    """A text that covers no numbers; the message says why, and goes on after the text itself."""


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from ``low`` to ``high``, both as long as each other and both included.

    With ``prefix`` they are all that begin with ``low``, however long. ``route`` is the
    exchange's own word behind a number (``1800121210/101``). The family keeps inner numbers and
    names apart from those of the telephone network.
    """

    family: Family
    low: str
    high: str
    prefix: bool = False
    route: str = ""

    @property
    def is_single(self) -> bool:
        """Whether it is one number, and not many."""
        return self.low == self.high and not self.prefix

    def size(self, length: int) -> int:
        """Return how many numbers of a length it covers: the fewer, the better it fits."""
        if self.prefix:
            return int(10 ** (length - len(self.low)))
        return 1 if self.low == self.high else int(self.high) - int(self.low) + 1

    def covers(self, key: str) -> bool:
        """Tell whether a number, in its comparable form, is among them."""
        if self.prefix:
            return key.startswith(self.low)
        return len(key) == len(self.low) and self.low <= key <= self.high

    def against(self, other: Span) -> Relation:
        """Say how it lies to another: of two that cross, neither fits better."""
        if (self.family, self.route) != (other.family, other.route):
            return "apart"
        length = max(len(self.low), len(other.low))
        one, two = self._at(length), other._at(length)
        if one is None or two is None or one[1] < two[0] or two[1] < one[0]:
            return "apart"
        if one == two:
            return "same"
        inside = two[0] <= one[0] and one[1] <= two[1]
        around = one[0] <= two[0] and two[1] <= one[1]
        return "nested" if inside or around else "crossing"

    def _at(self, length: int) -> tuple[str, str] | None:
        """Return its lowest and highest number of a length; None where it has none."""
        more = length - len(self.low)
        if self.prefix:
            return self.low + "0" * more, self.high + "9" * more
        return None if more else (self.low, self.high)


def span(text: str) -> Span:
    """Read a number, a range, a beginning such as ``07312353*``, or an extension.

    Raises NotCovered.
    """
    text = text.strip().removeprefix("'")
    _check_undamaged(text)
    if match := _EXTENSION.fullmatch(text):
        return extension(match[1])
    if "/" in text:
        number, route = split_route(text)
        return Span(NUMBER, *(_network(number),) * 2, route=route.casefold())
    if text.endswith("*"):
        begin = _key(text[:-1])
        if not begin.startswith("+") or len(begin) < len("+61") + 1:
            raise NotCovered("is no beginning of numbers: write 07312353*")
        return Span(NUMBER, begin, begin, prefix=True)
    if (match := _RANGE.fullmatch(text)) and (found := _range(match[1], match[2])):
        return found
    key = _key(text)
    if key.isdigit() and len(key) <= LONGEST_EXTENSION:
        return Span(EXTENSION, key, key)
    return Span(NUMBER, *(_network(text),) * 2)


def extension(text: str) -> Span:
    """Read an inner number, a range of them, or a name of the exchange such as ``PBX``."""
    text = text.strip().removeprefix("'")
    _check_undamaged(text)
    if match := _RANGE.fullmatch(text):
        low, high = match[1].strip(), match[2].strip()
        if low.isdigit() and high.isdigit():
            return _ordered(EXTENSION, low, high)
    name = text.removesuffix(".0").casefold()
    if not name or len(name.split()) > 1:
        raise NotCovered("is no extension: write 101, 100-199, or the exchange's own word")
    return Span(EXTENSION, name, name)


def _range(first: str, last: str) -> Span | None:
    """Read both ends of a range; None where the text is one number written with a hyphen."""
    low, end = _key(first), compact(last)
    if _FREE_OR_LOCAL.fullmatch(compact(first) + end):
        return None  # 1800-121-210 is one number, though 1800121 is one of seven digits
    if low.isdigit() and end.isdigit() and len(low) == len(end) <= LONGEST_EXTENSION:
        return _ordered(EXTENSION, low, end)
    if not low.startswith("+") or not _is_network(low):
        return None
    if end.isdigit() and len(end) < LONGEST_EXTENSION:
        # Only the last digits of the end are written: 0731235300-49.
        return _ordered(NUMBER, low, low[: -len(end)] + end)
    return _ordered(NUMBER, low, _network(last))


def _ordered(family: Family, low: str, high: str) -> Span:
    if len(low) != len(high):
        raise NotCovered("has ends of different lengths")
    if high < low:
        raise NotCovered("ends before it begins")
    return Span(family, low, high)


def _network(text: str) -> str:
    """Return the comparable form of a number that can be dialled from outside."""
    key = _key(text)
    if not _is_network(key):
        raise NotCovered("is no telephone number, range or extension")
    return key


def _is_network(key: str) -> bool:
    """Tell whether a comparable form is a whole number of the telephone network."""
    if not key.startswith("+") or not _DIGITS.fullmatch(key):
        return False
    if not key.startswith("+61"):
        return len(key) > _ABROAD_LEAST
    rest = key.removeprefix("+61")
    return len(rest) in _LENGTHS.get(rest[:2], (9,))


def _key(text: str) -> str:
    return comparable(text)


def _check_undamaged(text: str) -> None:
    """Refuse what a spreadsheet makes of a number that it takes for a figure."""
    digits = text.replace(" ", "")
    if _SCIENTIFIC.fullmatch(digits):
        raise NotCovered(f"has lost its digits to a spreadsheet: {_AS_TEXT}")
    if digits.startswith("="):
        raise NotCovered("is a formula, not a number")
    if digits.startswith("#"):
        raise NotCovered(f"is what a spreadsheet shows instead of a number: {_AS_TEXT}")
    for part in re.split(r"[-\u2010-\u2015]|\.\.", digits):
        if _LOST_ZERO.fullmatch(part):
            raise NotCovered(f"has lost its leading 0, as 0{part} in a spreadsheet does")
