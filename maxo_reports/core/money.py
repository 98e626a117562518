"""Money: dollars as exact decimals, read from the carrier's text and never rounded on the way.

Inside the column store a cost is a whole number of **micro-dollars** (``MICROS`` to the
dollar): the carrier writes four decimals at most as far as anybody has seen, so two more
leave room, and whole numbers add up exactly in any engine. A cost with more decimals than
that is not rounded but reported as unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

COST_PLACES = 6
MICROS = 10**COST_PLACES
PRINTED_PLACES = (2, 4)
CENT = Decimal("0.01")

GstBasis = Literal["inclusive", "exclusive", "unknown"]
GST_BASES: tuple[GstBasis, ...] = ("inclusive", "exclusive", "unknown")

# ASCII digits only: Decimal() itself would also take "1_000", "NaN", "1e9", full-width digits.
_COST = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,12}))?", re.ASCII)


def micros_from_text(text: str) -> int | None:
    """Return the micro-dollars that a cost text such as ``0.25`` or ``-1.2750`` means.

    Returns None when the text is no plain decimal number, or when it is finer than a
    micro-dollar: an unreadable cost is shown, never guessed.
    """
    match = _COST.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction = match.groups(default="")
    kept, beyond = fraction[:COST_PLACES], fraction[COST_PLACES:]
    if beyond.strip("0"):
        return None
    micros: int = int(whole) * MICROS + int(kept.ljust(COST_PLACES, "0"))
    return -micros if sign else micros


def dollars(micros: int) -> Decimal:
    """Return micro-dollars as exact dollars, with no digit more than the value needs."""
    value = Decimal(micros).scaleb(-COST_PLACES).normalize()
    exponent = value.as_tuple().exponent
    return value.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else value


def places_of(value: Decimal) -> int:
    """Return how many decimals a value needs to be written exactly."""
    exponent = value.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def printed_places(values: Sequence[Decimal]) -> int:
    """Return the decimals to print a family of figures with: two at least, four at most."""
    low, high = PRINTED_PLACES
    return max(low, min(high, max((places_of(value) for value in values), default=0)))


def round_half_up(value: Decimal, places: int = 2) -> Decimal:
    """Round once, half away from zero, as the GST Act's s 9-90 rounds half a cent up."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Gst:
    """A total split for the goods and services tax, in cents: ``without + tax == whole``."""

    without: Decimal
    tax: Decimal
    whole: Decimal


def gst_of(total: Decimal, basis: GstBasis) -> Gst | None:
    """Work the tax out on a total, never on its parts; None where the basis is not declared.

    A tenth of what does not include it, an eleventh of what does (GST Act s 9-70), rounded once,
    half a cent up (s 9-90). The figure beside it is what is left, so that both add up.
    """
    if basis == "unknown":
        return None
    cents = round_half_up(total)
    if basis == "exclusive":
        tax = round_half_up(total / 10)
        return Gst(cents, tax, cents + tax)
    tax = round_half_up(total / 11)
    return Gst(cents - tax, tax, cents)


def to_text(value: Decimal, places: int, sign: str = "") -> str:
    """Write dollars for a person: ``1,234.50``, with a real minus sign for credits.

    ``sign`` is the currency's, which stands between the minus and the figure.
    """
    rounded = round_half_up(value, places)
    text = f"{sign}{abs(rounded):,.{places}f}"
    return f"\u2212{text}" if rounded < 0 else text


def plain(value: Decimal) -> str:
    """Write dollars for a machine: no thousands mark, no exponent, at least two decimals."""
    return f"{value:.{max(2, places_of(value))}f}"


def share(total: Decimal, parts: Sequence[Decimal], places: int = 2) -> tuple[Decimal, ...]:
    """Round ``parts`` so that they add up to ``total`` rounded once.

    The units that are over or missing go to the parts with the largest remainders, the
    earlier part first among equals. ``parts`` must add up to ``total`` exactly.
    """
    if sum(parts, Decimal(0)) != total:
        message = "the parts do not add up to the total that they are shares of"
        raise ValueError(message)
    unit = Decimal(1).scaleb(-places)
    floors = [(part / unit).to_integral_value(rounding="ROUND_FLOOR") for part in parts]
    missing = int(round_half_up(total, places) / unit - sum(floors, Decimal(0)))
    remainders = [part / unit - floor for part, floor in zip(parts, floors, strict=True)]
    by_remainder = sorted(range(len(parts)), key=lambda at: (-remainders[at], at))
    raised = set(by_remainder[:missing]) if missing > 0 else set()
    return tuple((floor + (1 if at in raised else 0)) * unit for at, floor in enumerate(floors))
