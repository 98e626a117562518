"""Differences between calls and bill, one by one: of which class, with how many dollars, and why.

A *class* needs evidence: an id, a date, a rule of rounding, a line's own text. What has none is
no difference here but stays *unexplained*, which is what is left when all classes are added.
``micros`` is what a difference adds on the way from the calls' cost to the bill's total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

CLASSES: Mapping[str, str] = {
    "missing": "billed, but there is no record of the call",
    "extra": "a record of a charged call that is not on the bill",
    "duplicate": "billed twice",
    "re-rated": "billed with another charge than the record's cost",
    "re-labelled": "billed under another category than the record's",
    "boundary": "in another month, as the bill's time zone has it",
    "late": "a call of an earlier period, or a record that came after the bill",
    "credit": "given back",
    "non-call line": "a line for something else than calls",
    "GST basis": "GST that one side includes and the other does not",
    "rounding": "less than the last decimal of the charge, by a rule that is named",
}
"""Class -> what it means, in the order of the waterfall."""
UNEXPLAINED = "unexplained"
CLAIMS = ("missing", "duplicate", "re-rated", "re-labelled")
"""Classes that a customer may take up with the carrier."""


class Billed(NamedTuple):
    """One call as the bill lists it.

    ``line`` is where it stands in the list, ``number`` who was called or called, ``charge``
    micro-dollars, ``seconds`` None where the list has no duration. ``unixtime`` is 0 where the
    list has no times.
    """

    line: int
    call_id: str
    unixtime: int
    number: str
    seconds: int | None
    category: str
    charge: int


class Called(NamedTuple):
    """One call as the carrier's record has it; ``cost`` in micro-dollars, nought if not readable.

    ``reply`` is the SHA-256 of the carrier's reply that the record came in.
    """

    call_id: str
    unixtime: int
    direction: str
    a_party: str
    b_party: str
    seconds: int | None
    category: str
    cost: int
    reply: str
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``moves`` are the rows that it touches, each with its micro-dollars.

    ``calls`` is how many calls it is about; ``at`` names the bill's line.
    """

    kind: str
    moves: tuple[tuple[str, int], ...]
    evidence: str
    calls: int = 0
    at: str = ""
    billed: Billed | None = None
    called: Called | None = None

    @property
    def micros(self) -> int:
        """What the difference adds to the total."""
        return sum(micros for _, micros in self.moves)

    @property
    def began(self) -> int | None:
        """When the call that it is about began, by the record if there is one; None if unknown."""
        either = self.called or self.billed
        return (either.unixtime or None) if either else None

    @property
    def row(self) -> str:
        """The row that it ends in."""
        return self.moves[-1][0]
