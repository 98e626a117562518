"""The manifest: what a pack says of itself, for programs and for a reader in seven years.

Money is text with all its decimals, so that no JSON reader rounds it on the way in.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from maxo_reports import __version__
from maxo_reports.archive.pulls import Pull
from maxo_reports.core import brand
from maxo_reports.core.checks import Check, Finding
from maxo_reports.core.heading import Heading
from maxo_reports.core.ledger import Intake, Totals
from maxo_reports.core.money import plain
from maxo_reports.core.period import BillingPeriod, LocalClock, Window
from maxo_reports.core.report import Definition, Source
from maxo_reports.tieout.compared import Tied

PROGRAM = f"maxo-reports {__version__}"
_LIBRARIES = (
    *("duckdb", "jinja2", "msgspec", "openpyxl", "phonenumbers", "pyarrow", "pypdfium2"),
    *("python-calamine", "requests", "weasyprint"),
)


def basis(
    heading: Heading,
    calls_sha256: str,
    reports: Mapping[str, str],
    templates_sha256: str,
    earlier: Mapping[str, str],
    rules: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what decides a pack's content: the same basis makes the same files.

    ``reports`` maps each report's name to the hash of its definition, ``earlier`` each month
    that it is compared with to the fingerprint of its calls; ``rules`` are what the user has
    ruled besides, and what came of it.
    """
    compared = {"earlier": dict(earlier)} if earlier else {}
    return {
        "account": heading.account_id,
        "name": heading.account_name,
        "period": period(heading.period),
        "state": heading.state.word,
        "reasons": list(heading.state.reasons),
        "cost_gst": heading.cost_gst,
        "calls_sha256": calls_sha256,
        "reports": dict(reports),
        "templates_sha256": templates_sha256,
        "version": __version__,
        **brand.basis(heading.brand, heading.recipient),
        **compared,
        **(rules or {}),
    }


def evidence(
    source: Source, work: Pull, earlier: Mapping[str, int], tied: Sequence[Tied]
) -> dict[str, Any]:
    """Return the figures, the checks and the replies that are behind a pack.

    ``earlier`` are the pulls of the months that it is compared with.
    """
    own = own_evidence(source, tied)
    made_with = {name: own.pop(name) for name in ("libraries", "python")}
    return {
        "pull": work.number,
        **({"compared_with": dict(earlier)} if earlier else {}),
        **own,
        "host": work.asked.host,
        "replies": replies(work),
        **made_with,
    }


def own_evidence(source: Source, tied: Sequence[Tied]) -> dict[str, Any]:
    """Return the figures and checks of a pack, without a word on the carrier's replies.

    A reply's hash would tell whoever knows the rest of a small reply what its calls cost. A file
    that is about other calls than the whole period says which.
    """
    others = {
        each.name: {"filter": each.filtered, **totals(each.totals)}
        for each in tied
        if each.totals is not None and each.totals != source.ledger.control
    }
    return {
        "control_totals": totals(source.ledger.control),
        **({"totals_of_files": others} if others else {}),
        "records": records(source.ledger.intake),
        "checks": [judged(check) for check in source.checks],
        "pulled_at": source.heading.pulled_at.isoformat(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
    }


def replies(work: Pull) -> list[dict[str, Any]]:
    """Return which reply came for each window of a pull, and what came of it."""
    return [
        {
            "start": answer.window.start,
            "end": answer.window.end,
            "count": answer.count,
            "verdict": answer.verdict,
            "sha256": answer.sha256,
        }
        for answer in work.answers()
    ]


def completeness(source: Source) -> dict[str, Any]:
    """Return the completeness certificate: what was asked, what came, and how it was checked."""
    proof, of = source.completeness, source.heading.period
    clock = LocalClock.over(of.zone, of.start, of.end)
    return {
        "account": source.heading.account_id,
        "period": period(of),
        "records": records(source.ledger.intake),
        "control_totals": totals(source.ledger.control),
        "windows": [
            {
                "start": line.window.start,
                "end": line.window.end,
                "start_local": clock.text(line.window.start),
                "end_local": clock.text(line.window.end),
                "records": line.count,
                "tries": line.tries,
                "sha256": line.sha256,
                "echo": dict(zip(("start", "end", "timezone"), line.echo, strict=True)),
            }
            for line in proof.windows
        ],
        "full_replies_split": proof.splits,
        "replies_refused": proof.refused,
        "second_look_agrees": proof.second_look,
        "crosschecks": {
            "depth": proof.depth,
            "results": [judged(check) for check in proof.crosschecks],
        },
        "checks": [judged(check) for check in source.checks],
        "state": source.heading.state.word,
        "reasons": list(source.heading.state.reasons),
    }


def tieout(source: Source, tied: Sequence[Tied]) -> dict[str, Any]:
    """Return what came of reading every file back: how much of each was compared, and agreed.

    Which program read a file depends on the machine and so stands in the manifest.
    """
    return {
        "account": source.heading.account_id,
        "period": period(source.heading.period),
        "control_totals": totals(source.ledger.control),
        "files": [
            {
                "name": each.name,
                "figures_compared": each.figures,
                "calls_compared": each.calls,
                "sections_drawn": list(each.drawn),
                "differences": 0,
            }
            for each in tied
        ],
    }


def reports(
    files: Iterable[tuple[str, Definition]], made: Collection[str]
) -> list[dict[str, Any]]:
    """Return which reports a pack holds, and which of the files that were made are whose."""
    found: dict[str, dict[str, Any]] = {}
    for name, definition in files:
        head = {"name": definition.name, "title": definition.title, "files": []}
        of = found.setdefault(definition.name, head)
        of["files"] += [name] if name in made else []
    return list(found.values())


def judged(check: Check) -> dict[str, Any]:
    """Return a check as a plain object."""
    return {
        "check": check.title,
        "expected": check.expected,
        "found": check.found,
        "passed": check.passed,
    }


def totals(control: Totals) -> dict[str, Any]:
    """Return control totals under the names that the command line promises."""
    return {
        "calls": control.calls,
        "connected_calls": control.connected,
        "charged_calls": control.charged,
        "seconds": control.seconds,
        "cost": plain(control.cost),
    }


def records(intake: Intake) -> dict[str, int]:
    """Return what came in and what became of it: received = ledger + repeats + outside."""
    return {
        "received": intake.received,
        "ledger": intake.ledger,
        "repeats": intake.repeats,
        "outside": intake.outside,
    }


def period(of: BillingPeriod) -> dict[str, str]:
    """Return a period's edges as ISO 8601 moments with their offset."""
    return {"label": of.label, **span(of.window, of.zone)}


def span(of: Window, zone_name: str) -> dict[str, str]:
    """Return a span's edges as ISO 8601 moments with their offset."""
    zone = ZoneInfo(zone_name)
    return {
        "start": datetime.fromtimestamp(of.start, zone).isoformat(),
        "end": datetime.fromtimestamp(of.end, zone).isoformat(),
        "timezone": zone_name,
    }


def told_by_files(content: Mapping[str, Any], names: Collection[str]) -> list[Finding]:
    """Return the findings of a manifest that are about some of its files, not about calls."""
    return [
        Finding(each["code"], each["severity"], each["where"], each["message"])
        for each in content.get("findings", ())
        if each["where"] in names
    ]


def findings(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain objects."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "where": finding.where,
            "message": finding.message,
            "calls": finding.calls,
            "dollars": plain(finding.dollars),
        }
        for finding in found
    ]
