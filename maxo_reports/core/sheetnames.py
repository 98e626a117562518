"""Names that Excel takes for a sheet: 31 letters, all of them seen, and none twice."""

from __future__ import annotations

import re

from maxo_reports.core.text import length, visible

LONGEST = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]|^'|'$")
_KEPT = "history"
"""What Excel keeps for itself."""


def is_legal(name: str) -> bool:
    """Tell whether Excel takes a name for a sheet as it is."""
    named = bool(name.strip()) and length(name) <= LONGEST
    return named and not _FORBIDDEN.search(name) and visible(name, LONGEST) == name


def is_kept(name: str) -> bool:
    """Tell whether Excel keeps a name for itself."""
    return name.casefold() == _KEPT


def numbered(name: str, number: int) -> str:
    """Return a name with a number behind it, cut to fit."""
    end = f" {number}"
    while length(name) > LONGEST - len(end):
        name = name[:-1]
    return name + end


def free(text: str, taken: set[str]) -> str:
    """Make a legal name of any text, unlike all that are taken (folded), and take it."""
    # Unseen letters are written out before the cut, so that none is left.
    name = _FORBIDDEN.sub("_", visible(text, LONGEST)).strip() or "_"
    name = f"{name}_" if is_kept(name) else name
    chosen, number = name, 1
    while chosen.casefold() in taken:
        number += 1
        chosen = numbered(name, number)
    taken.add(chosen.casefold())
    return chosen
