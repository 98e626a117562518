"""Pairing two sides one to one, best pairs first, and as many pairs as can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence


def best_first(wanted: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Pair lines with calls, one to one, taking the pairs in order of their quality.

    Where a line is left over that could have had a call, pairs are changed along a chain: no
    other pairing has more pairs.
    """
    calls: dict[int, int] = {}
    lines: dict[int, int] = {}
    options: defaultdict[int, list[int]] = defaultdict(list)
    for line, call in wanted:
        if call not in options[line]:
            options[line].append(call)
        if line not in calls and call not in lines:
            calls[line], lines[call] = call, line
    for line in options:
        if line not in calls:
            _change_along(line, options, calls, lines)
    return calls


def _change_along(
    line: int,
    options: Mapping[int, Sequence[int]],
    calls: dict[int, int],
    lines: dict[int, int],
) -> None:
    """Find the shortest chain of changes that gives one more line a call, and change it."""
    came: dict[int, int] = {}
    at = [line]
    while at:
        after = []
        for each in at:
            for call in options[each]:
                if call in came:
                    continue
                came[call] = each
                if call in lines:
                    after.append(lines[call])
                    continue
                _change(call, came, calls, lines)
                return
        at = after


def _change(
    call: int | None, came: Mapping[int, int], calls: dict[int, int], lines: dict[int, int]
) -> None:
    """Give a call to the line that it was reached from, whose own goes to the line before."""
    while call is not None:
        holder = came[call]
        had = calls.get(holder)
        calls[holder], lines[call] = call, holder
        call = had
