"""What a run prints: its figures and findings, for people or as one object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from maxo_reports.cli import saying
from maxo_reports.core.text import counted, visible
from maxo_reports.errors import DONE, FINDINGS, MaxoReportsError

if TYPE_CHECKING:
    from maxo_reports.core.checks import Finding, State
    from maxo_reports.core.ledger import Ledger
    from maxo_reports.core.period import BillingPeriod
    from maxo_reports.engine import Outcome

_LONGEST_FINDING = 400


def report(
    outcomes: Sequence[Outcome],
    failed: Sequence[tuple[str, MaxoReportsError]] = (),
    *,
    as_json: bool,
) -> int:
    """Print what came out, and return 1 where a finding needs a person."""
    from maxo_reports import engine

    if as_json:
        objects = [engine.as_json(outcome) for outcome in outcomes]
        errors = [{"account": account, "error": str(problem)} for account, problem in failed]
        # One object for one account; for several, one object that holds them all.
        whole = objects[0] if len(objects) == 1 and not errors else {"runs": objects}
        saying.say(json.dumps({**whole, **({"errors": errors} if errors else {})}, indent=1))
    else:
        for outcome in outcomes:
            saying.say(*_lines(outcome))
    return FINDINGS if any(outcome.needs_a_person for outcome in outcomes) else DONE


def _lines(outcome: Outcome) -> list[str]:
    lines = figures(
        outcome.account.name, outcome.period, outcome.state, outcome.ledger, outcome.findings
    )
    if outcome.unchanged:
        lines.append(f"  nothing has changed: revision {outcome.pack.revision} stands")
    lines += [f"  {path}" for path in outcome.pack.files]
    return lines


def figures(
    name: str, period: BillingPeriod, state: State, ledger: Ledger, findings: Sequence[Finding]
) -> list[str]:
    """Return what stands above everything else: account, period, totals, intake, findings."""
    from maxo_reports.core.money import plain

    intake, totals = ledger.intake, ledger.control
    lines = [
        (
            f"{name}, {period.first:%d %b %Y} to {period.last:%d %b %Y} "
            f"({period.zone}): {state.word}"
        ),
        (
            f"  {totals.calls:,} calls, {totals.connected:,} connected, "
            f"{totals.charged:,} charged, {totals.seconds:,} seconds, ${plain(totals.cost)}"
        ),
        (
            f"  {intake.received:,} received = {intake.ledger:,} ledger + "
            f"{intake.repeats:,} repeats + {intake.outside:,} outside"
        ),
    ]
    lines += [f"  provisional: {reason}" for reason in state.reasons]
    lines += [f"  {_finding(finding)}" for finding in findings]
    return lines


def _finding(finding: Finding) -> str:
    from maxo_reports.core.money import printed_places, to_text

    touched = [finding.where]
    if finding.calls:
        touched.insert(0, counted(finding.calls, "call"))
    if finding.dollars:
        places = printed_places([finding.dollars])
        touched.insert(1, to_text(finding.dollars, places, "$"))
    # Callers and carriers choose some of these words; a terminal obeys what it is shown.
    line = f"{finding.severity}: {finding.message} ({', '.join(touched)})"
    return visible(line, _LONGEST_FINDING)
