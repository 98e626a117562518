"""No dollar unassigned: what a directory leaves open is one line, a finding, and a check."""

from __future__ import annotations

from collections.abc import Iterator

from maxo_reports.core import checks
from maxo_reports.core.checks import Check, Finding
from maxo_reports.core.directory import ALLOCATIONS, NOBODY, UNALLOCATED, Directory
from maxo_reports.core.ledger import Group, Ledger, Totals, finest, total
from maxo_reports.core.numbering import spaced
from maxo_reports.core.text import counted, visible

_MOST_NAMED = 5


def findings(ledger: Ledger, directory: Directory) -> Iterator[Finding]:
    """Yield the calls of numbers that are not listed, and those whose entry leaves a field open.

    Nothing is told where there is no directory.
    """
    if not directory:
        return
    groups = ledger.by(("service_number", *ALLOCATIONS))
    open_calls = [group for group in groups if group.key[1:] == NOBODY]
    if open_calls:
        yield _finding(
            "unallocated",
            open_calls,
            # A customer reads it, too: no command of ours is named.
            "not in the number directory, shown as Unallocated",
        )
    for name in directory.used:
        at = 1 + list(ALLOCATIONS).index(name)
        half = [g for g in groups if g.key[at] == UNALLOCATED and g.key[1:] != NOBODY]
        if half:
            heading = ALLOCATIONS[name].lower()
            message = f"in the number directory without a {heading}"
            yield _finding(f"no-{name.replace('_', '-')}", half, message, needs_a_person=False)


def _finding(
    code: str, groups: list[Group], message: str, *, needs_a_person: bool = True
) -> Finding:
    by_number: dict[str, Totals] = {}
    for group in groups:
        by_number[group.key[0]] = by_number.get(group.key[0], Totals()) + group.totals
    found = sorted(by_number.items(), key=lambda each: (-each[1].cost, -each[1].calls, each[0]))
    names = [spaced(visible(number, 40)) for number, _ in found[:_MOST_NAMED]]
    more = f" and {len(found) - len(names)} more" if len(found) > len(names) else ""
    whole = total(by_number.values())
    dear = needs_a_person and any(totals.charged for totals in by_number.values())
    return Finding(
        code,
        "warning" if dear else "info",
        counted(len(found), "number"),
        f"{message}: {', '.join(names)}{more}",
        whole.calls,
        whole.cost,
    )


def check(ledger: Ledger, directory: Directory) -> tuple[Check, ...]:
    """Compare what is allocated and what is not with the control totals, by every dimension."""
    if not directory:
        return ()
    checked = []
    for at, (name, heading) in enumerate(ALLOCATIONS.items(), -len(ALLOCATIONS)):
        assigned, left = Totals(), Totals()
        for group in ledger.groups:
            if finest(group.key)[at] == UNALLOCATED:
                left += group.totals
            else:
                assigned += group.totals
        if name in directory.used:
            title = f"{heading}: allocated and Unallocated = control totals"
            checked.append(checks.parts(title, ledger.control, (assigned, left)))
    return tuple(checked)
