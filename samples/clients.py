"""The fictional clients: who they are, their numbers, their kinds of call and their habits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of call. ``weight`` is its share of all calls; money is in 1/10,000 dollars.

    ``far`` says who is at the other end, ``line`` which of the client's numbers is used;
    ``answered`` is in percent, ``longest`` in seconds; a minute counts once it has begun.
    """

    category: str
    direction: str
    weight: int
    far: str
    line: str
    answered: int
    longest: int
    per_call: int = 0
    per_second: int = 0
    per_minute: int = 0


class Client(NamedTuple):
    """A fictional account.

    ``week`` weighs the days from Monday to Sunday, ``hours`` the 24 hours of a weekday, of a
    Saturday and of a Sunday. Where ``small``, a Sunday is without calls and a credit is given,
    and the days around the month are whole; else these hold a few calls only.
    """

    account: str
    name: str
    zone: str
    calls: int
    home: str
    lines: Mapping[str, Sequence[str]]
    routes: Sequence[str]
    kinds: Sequence[Kind]
    week: Sequence[int]
    hours: Sequence[Sequence[int]]
    small: bool


def _numbers(first: int, count: int) -> tuple[str, ...]:
    return tuple(f"{number:010}" for number in range(first, first + count))


_OPEN = (0, 0, 0, 0, 0, 1, 2, 14, 62, 98, 90, 84, 60, 30, 78, 82, 74, 52, 14, 6, 3, 2, 1, 1)
_SHORT = (0, 0, 0, 0, 0, 0, 1, 10, 60, 90, 84, 70, 36, 6, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0)
_SHUT = (1, 0, 0, 0, 0, 1, 1, 3, 6, 9, 10, 9, 8, 7, 7, 7, 8, 9, 9, 8, 6, 4, 2, 1)
_LATE = (4, 3, 2, 2, 2, 4, 12, 34, 70, 92, 98, 94, 84, 86, 92, 90, 82, 70, 48, 32, 22, 15, 9, 6)

DENTAL = Client(
    account="wattle-lane-dental",
    name="Wattle Lane Dental",
    zone="Australia/Sydney",
    calls=2_487,
    home="02",
    lines={
        "geographic": (*_numbers(255500140, 5), *_numbers(270100118, 2)),
        "1800": ("1800975707",),
        "1300": ("1300975707",),
    },
    routes=("PBX", "Reception", "Reception", "Recalls", "101"),
    kinds=(
        Kind("Local", "OUT", 850, "local", "geographic", 84, 420, per_call=1_000),
        Kind("Local", "OUT", 20, "extension", "geographic", 90, 240),
        Kind("National", "OUT", 300, "national", "geographic", 82, 700, per_second=10),
        Kind("Mobile", "OUT", 1_900, "mobile", "geographic", 71, 420, per_second=22),
        Kind("13/1300", "OUT", 260, "13", "geographic", 94, 1_500, per_call=3_000),
        Kind("1800 (free)", "OUT", 130, "1800", "geographic", 94, 1_300),
        Kind("International - New Zealand", "OUT", 26, "nz", "geographic", 78, 900, 0, 25),
        Kind("International - United Kingdom", "OUT", 14, "uk", "geographic", 78, 900, 0, 38),
        Kind("Directory Assistance", "OUT", 14, "directory", "geographic", 100, 90, 11_000),
        Kind("Incoming", "IN", 5_050, "caller", "geographic", 83, 620),
        Kind("1800 Incoming", "IN", 560, "caller", "1800", 86, 460, per_minute=2_500),
        Kind("1300 Incoming", "IN", 900, "caller", "1300", 85, 460, per_minute=1_100),
    ),
    week=(124, 116, 112, 118, 96, 34, 4),
    hours=(_OPEN, _SHORT, _SHUT),
    small=True,
)

BUSY = Client(
    account="ironbark-support",
    name="Ironbark Support",
    zone="Australia/Brisbane",
    calls=30_000,
    home="07",
    lines={
        "geographic": (*_numbers(755500200, 24), *_numbers(770100300, 10)),
        "1800": ("1800975707", "1800975708", "1800975709"),
        "1300": ("1300975707", "1300975708", "1300975709"),
    },
    routes=("PBX", "Support", "Support", "Billing", "Sales", "Overflow"),
    kinds=(
        Kind("Local", "OUT", 900, "local", "geographic", 80, 600, per_call=900),
        Kind("National", "OUT", 800, "national", "geographic", 78, 800, per_second=8),
        Kind("Mobile", "OUT", 2_100, "mobile", "geographic", 66, 640, per_second=19),
        Kind("13/1300", "OUT", 160, "13", "geographic", 94, 1_800, per_call=2_500),
        Kind("1800 (free)", "OUT", 120, "1800", "geographic", 94, 1_800),
        Kind("International - New Zealand", "OUT", 60, "nz", "geographic", 76, 1_200, 0, 22),
        Kind("International - United Kingdom", "OUT", 26, "uk", "geographic", 74, 1_200, 0, 35),
        Kind("International - United States", "OUT", 20, "us", "geographic", 74, 1_200, 0, 31),
        Kind("Directory Assistance", "OUT", 10, "directory", "geographic", 100, 90, 11_000),
        Kind("Incoming", "IN", 2_100, "caller", "geographic", 86, 1_300),
        Kind("1800 Incoming", "IN", 1_300, "landline", "1800", 88, 1_500, per_minute=600),
        Kind("1800 Incoming - Mobile", "IN", 1_100, "mobile", "1800", 88, 1_500, 0, 0, 1_200),
        Kind("1300 Incoming", "IN", 900, "landline", "1300", 88, 1_500, per_minute=400),
        Kind("1300 Incoming - Mobile", "IN", 800, "mobile", "1300", 88, 1_500, 0, 0, 900),
    ),
    week=(118, 112, 108, 106, 100, 38, 22),
    hours=(_LATE, _LATE, _SHUT),
    small=False,
)

CLIENTS = {"dental": DENTAL, "busy": BUSY}
