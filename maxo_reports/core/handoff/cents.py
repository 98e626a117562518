"""Whole cents: exact figures shared out so that what is printed adds up to what is payable.

Figures come in **grains**, whole numbers of which ``GRAINS`` make a cent. A grain is the 110th
part of a micro-dollar, so that a tenth and an eleventh of any cost are whole and nothing is
rounded before its one place. Shares go by largest remainder; the earlier line goes first among
equals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from maxo_reports.core.money import CENT, MICROS

PER_MICRO = 110
GRAINS: int = MICROS // 100 * PER_MICRO
"""How many grains a cent has."""


def grains(cost: Decimal) -> int:
    """Return an exact cost in grains; one finer than a micro-dollar cannot be, and is refused."""
    micros = cost * MICROS
    whole: int = int(micros)
    if whole != micros:
        message = f"{cost} is finer than a micro-dollar"
        raise ValueError(message)
    return whole * PER_MICRO


def rounded(total: int) -> int:
    """Round grains once to whole cents, half away from zero: s 9-90 rounds half a cent up."""
    cents, rest = divmod(abs(total), GRAINS)
    cents += 2 * rest >= GRAINS
    return -cents if total < 0 else cents


def dollars(cents: int) -> Decimal:
    """Return whole cents as dollars with two decimals."""
    return cents * CENT


def off(cents: int, exact: int, places: int = 6) -> Decimal:
    """Return what rounding has added to exact grains, in dollars, to so many decimals."""
    added = cents * GRAINS - exact
    unit = GRAINS * 100 // 10**places
    whole, rest = divmod(abs(added), unit)
    whole += 2 * rest >= unit
    return Decimal(-whole if added < 0 else whole).scaleb(-places)


def shared(parts: Sequence[int], total: int) -> tuple[int, ...]:
    """Round parts in grains to whole cents that add up to ``total`` cents.

    ``total`` lies between the sums of the parts rounded down and rounded up.
    """
    floors = [part // GRAINS for part in parts]
    raised = set(_largest([part % GRAINS for part in parts], total - sum(floors)))
    return tuple(floor + (at in raised) for at, floor in enumerate(floors))


@dataclass(frozen=True, slots=True)
class Split:
    """Lines in whole cents: what is paid, and the tax in it; the net is what is left."""

    gross: tuple[int, ...]
    gst: tuple[int, ...]


def split(gross: Sequence[int], gst: Sequence[int], total: int, tax: int) -> Split:
    """Share ``total`` cents and the ``tax`` in them over lines given in grains.

    Each line's gross, its GST *and* what is left between them are within a cent of exact. A line
    where net and GST both have to go up would have its gross too high by more than a cent, and
    one where neither may, too low; so the lines whose GST goes up are chosen first, and then the
    lines whose gross goes up among those that are still free. Where credits and taxes pull the
    two totals apart at exactly half a cent, no choice is free of it, and each column is shared
    by itself.
    """
    lines = [_Line.of(one, tax_in_it) for one, tax_in_it in zip(gross, gst, strict=True)]
    up = tax - sum(line.gst for line in lines)
    for raised in _choices(lines, up):
        forced = [at for at, line in enumerate(lines) if not line.over and at in raised]
        free = [
            at
            for at, line in enumerate(lines)
            if (line.over if at in raised else not line.over) and line.gross_rest
        ]
        missing = total - sum(line.gross for line in lines) - len(forced)
        if 0 <= missing <= len(free):
            rests = [lines[at].gross_rest for at in free]
            also = {free[at] for at in _largest(rests, missing)}
            ups = {*forced, *also}
            return Split(
                tuple(line.gross + (at in ups) for at, line in enumerate(lines)),
                tuple(line.gst + (at in raised) for at, line in enumerate(lines)),
            )
    return Split(shared(gross, total), shared(gst, tax))


@dataclass(frozen=True, slots=True)
class _Line:
    """One line rounded down to cents, and what that left over in grains."""

    gross: int
    gst: int
    gross_rest: int
    gst_rest: int
    over: bool
    """Whether the rests of net and GST together make a cent."""

    @classmethod
    def of(cls, gross: int, gst: int) -> _Line:
        net_rest, gst_rest = (gross - gst) % GRAINS, gst % GRAINS
        over = net_rest + gst_rest >= GRAINS
        return cls(gross // GRAINS, gst // GRAINS, gross % GRAINS, gst_rest, over)


def _choices(lines: Sequence[_Line], count: int) -> Iterator[Collection[int]]:
    """Yield sets of ``count`` lines whose GST may go up, the largest remainders first.

    What matters for the gross is only how many of them are of each sort; so each number is
    tried, the nearest to the first choice first.
    """
    if count < 0:
        return
    taxed = [at for at, line in enumerate(lines) if line.gst_rest]
    ranked = sorted(taxed, key=lambda at: (-lines[at].gst_rest, at))
    under = [at for at in ranked if not lines[at].over]
    over = [at for at in ranked if lines[at].over]
    first = sum(not lines[at].over for at in ranked[:count])
    least, most = max(0, count - len(over)), min(count, len(under))
    for of_under in sorted(range(least, most + 1), key=lambda n: (abs(n - first), n)):
        yield {*under[:of_under], *over[: count - of_under]}


def _largest(rests: Sequence[int], count: int) -> list[int]:
    """Return where the ``count`` largest remainders stand, the earlier first among equals."""
    ranked = sorted(range(len(rests)), key=lambda at: (-rests[at], at))
    return ranked[: max(0, count)]
