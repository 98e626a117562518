"""The sheet to sign: what was looked at, by whom, against which figures."""

from __future__ import annotations

from collections.abc import Sequence

from maxo_reports.core.money import plain, printed_places, to_text
from maxo_reports.core.report import Source
from maxo_reports.handing.words import clock
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack

_RULE = "_" * 34


def sheet(source: Source, behind: Pack, handoffs: Sequence[Pack]) -> str:
    """Return the sheet as text to print."""
    heading, control, intake = source.heading, source.ledger.control, source.ledger.intake
    period = heading.period
    places = max(source.ledger.places, printed_places([control.cost]))
    lines = [
        "SIGN-OFF",
        "",
        f"Account      {heading.account_name} ({heading.account_id})",
        f"Period       {period.first:%d %b %Y} to {period.last:%d %b %Y} ({period.zone})",
        f"Statement    revision {behind.revision}, {heading.state.word}",
        f"Calls        {control.calls:,} ({control.charged:,} charged, {clock(control.seconds)})",
        f"Cost         {to_text(control.cost, places, '$')}, {_BASES[heading.cost_gst]}",
        (
            f"Records      {intake.received:,} received = {intake.ledger:,} calls "
            f"+ {intake.repeats:,} repeats + {intake.outside:,} outside the period"
        ),
        f"Calls' hash  {behind.basis['calls_sha256']}",
    ]
    for handoff in handoffs:
        said = handoff.manifest["handoff"]
        lines += ["", f"Handoff      {said['reference']}, {said['kind']}"]
        lines += [f"             {' '.join(document)}" for document in said["documents"]]
        lines += [f"             {name}: {p['payable']}" for name, p in said["proofs"].items()]
    findings = [f for f in source.findings if f.severity != "info"]
    lines += ["", f"Findings that need a person: {len(findings)}"]
    lines += [f"  [ ] {f.severity}: {f.message} ({f.where}, {plain(f.dollars)})" for f in findings]
    lines += [
        "",
        "Looked at:",
        "  [ ] sha256sum -c manifest-sha256.txt says that nothing was changed",
        "  [ ] the carrier's own bill is held, and its call charges were compared with the cost",
        "  [ ] what the bill asks for beside calls is explained",
        "  [ ] the draft in the accounting program comes to the total above",
        "  [ ] no credit for GST is claimed without the carrier's own bill",
        "",
        f"Prepared by  {_RULE}  on  {_RULE[:14]}",
        "",
        f"Reviewed by  {_RULE}  on  {_RULE[:14]}",
        "",
        f"Written by {PROGRAM}.",
    ]
    return "\n".join(lines) + "\n"


_BASES = {
    "inclusive": "GST included",
    "exclusive": "without GST",
    "unknown": "as reported by the carrier; whether GST is in it is not known",
}
