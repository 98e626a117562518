"""The verb that asks a real account what the API page leaves open."""

from __future__ import annotations

from typing import Any

from maxo_reports import manifest
from maxo_reports.engine import asking, locks
from maxo_reports.job import Job
from maxo_reports.probe import Probed
from maxo_reports.probe import probe as ask_open_questions


def probe(job: Job) -> Probed:
    """Ask a real account what the API page leaves open; no figure and no pack is touched."""
    with locks.alone(job):
        job.progress.step("Asking the open questions")
        return ask_open_questions(
            job.archive,
            job.period,
            job.workspace.settings.settle_hours,
            connect=asking.opener(job),
            told=job.progress.failed_try,
            now=job.now,
        )


def probe_as_json(job: Job, probed: Probed) -> dict[str, Any]:
    """Return what ``probe --json`` prints."""
    return {
        "account": job.account.id,
        "span": manifest.span(probed.span, job.account.timezone),
        "calls": probed.calls,
        "requests": probed.requests,
        "differing": probed.differing,
        "advice": probed.advice,
        "answers": [
            {
                "name": line.name,
                "question": line.question.asks,
                "relied_on": line.question.relied,
                "seen": line.seen,
                "verdict": line.verdict,
                "means": line.means,
            }
            for line in probed.lines
        ],
    }
