"""Standards that a statement's PDF keeps, and what can be attached to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from maxo_reports.core.report import SectionSpec

TAGGED, ARCHIVAL = "pdf/ua-1", "pdf/a-3b"
STANDARDS: Mapping[str, str] = {
    TAGGED: "PDF/UA-1: tagged, so that a screen reader finds its way",
    ARCHIVAL: "PDF/A-3b: holds all that it needs, to be kept for years; can carry files",
}
"""Standard, as a definition names it -> what it is for."""

CALLS_FILE = "calls.csv"
ATTACHMENTS: Mapping[str, str] = {CALLS_FILE: "every call that the report is about"}
"""Name of an attachment -> what it holds."""


def lists_calls(sections: Sequence[SectionSpec]) -> bool:
    """Tell whether a statement of these sections prints single calls."""
    return any(spec.kind == "itemised" and "pdf" in spec.formats for spec in sections)


def usual(sections: Sequence[SectionSpec]) -> str:
    """Return the standard of a definition that names none."""
    return ARCHIVAL if lists_calls(sections) else TAGGED


def mistakes(
    standard: str, attached: Sequence[str], formats: Sequence[str], sections: Sequence[SectionSpec]
) -> Iterator[str]:
    """Say what cannot be, in the words of a definition."""
    if "pdf" not in formats:
        if standard or attached:
            yield 'standard and attach are for PDF: add "pdf" to formats, or leave them out'
    elif standard == TAGGED and lists_calls(sections):
        # A list of calls is set line by line, not as a table that could be tagged.
        yield (
            f'a PDF that lists calls cannot be {TAGGED}: standard = "{ARCHIVAL}", or '
            'formats = ["xlsx"] in the itemised section'
        )
    elif attached and (standard or usual(sections)) != ARCHIVAL:
        yield f'attach needs standard = "{ARCHIVAL}"'
