"""What comparing a file comes to: how much of it agreed, or where and how it does not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from maxo_reports.core.ledger import Totals
from maxo_reports.core.money import plain
from maxo_reports.core.report import Report
from maxo_reports.core.text import ELLIPSIS
from maxo_reports.errors import TieOutError

_MOST_TOLD = 5
"""How many differences of one file are told; the rest are counted."""
_LONGEST_TOLD = 60


@dataclass(frozen=True, slots=True)
class Tied:
    """One file that agrees: by whom it was read, and how many figures and calls were compared.

    ``drawn`` are the titles of sections that the file shows as a drawing, without figures.
    ``totals`` are those that who reads the file alone finds in it, None where it finds none;
    ``filtered`` says which calls they are of, and is empty for all.
    """

    name: str
    reader: str
    figures: int
    calls: int = 0
    drawn: tuple[str, ...] = ()
    totals: Totals | None = None
    filtered: str = ""


class ReadBack(Protocol):
    """What a format's module offers."""

    def read_back(self, path: Path, report: Report) -> Tied:
        """Read a file and hold it to the report."""
        ...


class Differences:
    """Gathers what differs in one file, and counts what does not."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._told: list[str] = []
        self._more = 0
        self.figures = 0

    @property
    def enough(self) -> bool:
        """Whether there is no use in looking further."""
        return self._more > 0

    def compare(self, place: str, seen: object, expected: object) -> None:
        """Compare one figure or text of the file with the report's."""
        self.figures += 1
        if seen != expected:
            self.add(f"{place}: {said(seen)} in the file, {said(expected)} in the ledger")

    def add(self, difference: str) -> None:
        """Note a difference in words."""
        if len(self._told) < _MOST_TOLD:
            self._told.append(difference)
        else:
            self._more += 1

    def tied(
        self,
        reader: str,
        calls: int = 0,
        drawn: tuple[str, ...] = (),
        totals: Totals | None = None,
        filtered: str = "",
    ) -> Tied:
        """Return what agreed, or raise TieOutError with what does not."""
        if self._told:
            more = f"; and {self._more:,} more" if self._more else ""
            raise TieOutError(
                f"{self._name} does not tie out, nothing is issued: {'; '.join(self._told)}{more}"
            )
        return Tied(self._name, reader, self.figures, calls, drawn, totals, filtered)


def said(value: object) -> str:
    """Write a figure or a text for a message, on one line and not too long."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, Decimal):
        return plain(value)
    text = repr(value) if isinstance(value, str) else f"{value}"
    return text if len(text) <= _LONGEST_TOLD else text[:_LONGEST_TOLD] + ELLIPSIS
