"""Whose statement it is and where it goes: the sender's block, the recipient's, the window.

Only what the account's own settings say is ever printed: a client of a reseller reads the
reseller's name and no other. An Australian business number is proved by its check digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_LINES = 6
"""Lines of an address: as many as the window of an envelope shows."""
_ABN = re.compile(r"[0-9]{11}", re.ASCII)
_WEIGHTS = (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
_MODULUS = 89


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that was read and found harmless: its bytes, what they are, and their hash."""

    content: bytes
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EnvelopeWindow:
    """The window of a DL envelope, in millimetres from its left and lower edge.

    A sheet of A4 folded in three is 99 by 210 mm in an envelope of 110 by 220, and slides in it.
    """

    left: int = 20
    bottom: int = 20
    width: int = 90
    height: int = 35

    @property
    def sheet_left(self) -> int:
        """How far from the sheet's left edge text is safe to stand, in millimetres."""
        return self.left

    @property
    def sheet_top(self) -> int:
        """How far from the sheet's upper edge text is safe to begin, in millimetres."""
        return _FOLD - self.bottom - self.height + _PLAY_DOWN

    @property
    def sheet_width(self) -> int:
        """How wide text may be, wherever the sheet has slid to."""
        return self.width - _PLAY_ACROSS

    @property
    def sheet_end(self) -> int:
        """How far from the sheet's upper edge the window can reach, in millimetres."""
        return self.sheet_top + self.height

    @property
    def sheet_height(self) -> int:
        """How high text may be, wherever the sheet has slid to."""
        return self.height - _PLAY_DOWN


_FOLD, _PLAY_DOWN, _PLAY_ACROSS = 99, 11, 10


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a statement goes: a name and the lines of an address."""

    name: str
    address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brand:
    """Who sends a statement. Without a name there is no sender's block at all.

    ``colour`` stands in for the theme's brand and accent, ``#rrggbb``; empty leaves them.
    """

    name: str = ""
    address: tuple[str, ...] = ()
    abn: str = ""
    phone: str = ""
    email: str = ""
    web: str = ""
    colour: str = ""
    logo: Logo | None = None
    window: EnvelopeWindow = EnvelopeWindow()


NO_BRAND = Brand()


def basis(brand: Brand, recipient: Recipient | None) -> Mapping[str, Any]:
    """Return what of sender and recipient decides a pack's content; empty where nothing is set."""
    said: dict[str, Any] = {}
    if brand != NO_BRAND:
        said["brand"] = {
            "name": brand.name,
            "address": list(brand.address),
            "abn": brand.abn,
            "phone": brand.phone,
            "email": brand.email,
            "web": brand.web,
            "colour": brand.colour,
            "logo_sha256": brand.logo.sha256 if brand.logo else "",
            "window": [
                *(brand.window.left, brand.window.bottom),
                *(brand.window.width, brand.window.height),
            ],
        }
    if recipient is not None:
        said["recipient"] = {"name": recipient.name, "address": list(recipient.address)}
    return said


def is_abn(text: str) -> bool:
    """Tell whether a text is an Australian business number: eleven digits that check.

    One is taken from the first digit, each digit is weighted, and 89 divides the sum (ATO,
    "Format of the ABN").
    """
    digits = text.replace(" ", "")
    if not _ABN.fullmatch(digits):
        return False
    first, *rest = map(int, digits)
    weighed = zip(_WEIGHTS, (first - 1, *rest), strict=True)
    return sum(weight * digit for weight, digit in weighed) % _MODULUS == 0


def spaced_abn(text: str) -> str:
    """Write an ABN as it is written: ``51 824 753 556``."""
    digits = text.replace(" ", "")
    return f"{digits[:2]} {digits[2:5]} {digits[5:8]} {digits[8:]}"
