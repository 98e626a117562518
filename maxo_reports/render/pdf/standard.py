"""Standards of the PDF itself: what it must say of itself, and the files that it carries.

Title, author and language are in the templates' head. Identifiers are made from the content and
every date is that of the pull, so the same report is the same bytes on any day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from maxo_reports.core.report import Report
from maxo_reports.core.standards import ATTACHMENTS, CALLS_FILE, TAGGED
from maxo_reports.render import csvfile


def options(report: Report, attachment: Callable[..., Any]) -> dict[str, Any]:
    """Return how WeasyPrint is to write a report: the standard, what is attached."""
    made = report.definition
    at = report.heading.pulled_at.astimezone(UTC)
    contents = {CALLS_FILE: lambda: csvfile.calls_text(report.calls)}
    return {
        "pdf_variant": made.standard or TAGGED,
        "pdf_identifier": True,
        "attachments": [
            attachment(
                string=contents[name](),
                name=name,
                description=f"{ATTACHMENTS[name]}: {len(report.calls):,}",
                created=at,
                modified=at,
                relationship="Data",
            )
            for name in made.attach
        ],
    }


def finish(_: Any, pdf: Any) -> None:
    """Leave the description of the file readable for programs that only look for it."""
    for each in pdf.objects:
        if getattr(each, "extra", None) and each.extra.get("Type") == "/Metadata":
            each.compress = False
