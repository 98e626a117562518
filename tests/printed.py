"""Printed lists of calls, for tests: a month made up, its report, its PDF, its words."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest
from workbooks import NOON, line, report_of

from maxo_reports.core import standards
from maxo_reports.core.report import OF_THE_CARRIER, CallLine, Report, SectionSpec
from maxo_reports.render import pdf
from maxo_reports.render.pdf import listing
from reports import STYLE, with_sections

KINDS = (
    *("Mobile", "National", "Local", "13/1300", "1300 Incoming", "International - New Zealand"),
    *("Directory Assistance", "1800 (free)"),
)
NUMBERS = ("0255500140", "0255500141", "0491570006", "1300975707", "1800160401")
ODD = (
    *("", "x" * 140, "word " * 40, "W" * 100, "\u4e2d\u6587 \u0627\u0644", "e" + "\u0301" * 5),
    *("a\u202eb", "Nguy\u1ec5n \u00dcber", "\U0001f4de call", "a/b/c/d/e/f/g/h", "<b>&amp;</b>"),
    *("\u2039U+4E2D\u203a", "total, 3 calls", "Carried forward, 1 call", "a" * 60 + "\u2026"),
)
"""Texts that a carrier would hardly write."""

_UNSAID: dict[bool, list[int | None]] = {False: [], True: [None, 3_601]}
_CREDITS: dict[bool, list[int]] = {False: [], True: [-250_000, 9_990_000]}

SUMMARY = SectionSpec("summary", "Summary", "Summary", ("pdf",), show=("calls", "seconds", "cost"))
CHECKS = SectionSpec("checks", "Checks", "Checks", ("pdf",))


def month_of(count: int, seed: int = 1, *, odd: bool = False) -> list[CallLine]:
    """Make calls up, in order of time; with odd texts now and then where wanted."""
    dice = random.Random(seed)

    def text(usual: str) -> str:
        return dice.choice(ODD) if odd and dice.random() < 0.08 else usual

    calls = [
        line(
            text(str(722_000_000 + n)),
            started=NOON - 43_200 + dice.randrange(31 * 86_400),
            direction=text(dice.choice(["Inbound", "Outbound"])),
            a_party=text(dice.choice([*NUMBERS, "0255500140/PBX", "61255500141"])),
            b_party=text(f"02555{dice.randrange(100_000):05}"),
            service_number=text(dice.choice(NUMBERS)),
            category=text(dice.choice(KINDS)),
            status=text(dice.choice(["Connected.", "No Answer.", "Busy."])),
            seconds=dice.choice([*_UNSAID[odd], 0, 61, 754]),
            cost=dice.choice([*_UNSAID[odd], *_CREDITS[odd], 0, 45_000, 123_400, 1_000_000]),
        )
        for n in range(count)
    ]
    return sorted(calls, key=lambda call: (call.started, call.call_id))


def itemised(**more: object) -> SectionSpec:
    """Return a section that lists calls in print."""
    settings = {"show": OF_THE_CARRIER, "group_by": ("service_number",), **more}
    return SectionSpec("itemised", "Calls", "Calls", ("pdf",), **settings)  # type: ignore[arg-type]


def printed_report(
    calls: Sequence[CallLine], *sections: SectionSpec, attach: Sequence[str] = (), **more: object
) -> Report:
    """Build a report of calls that prints them: a cover, the list, the checks."""
    made = with_sections(*(sections or (SUMMARY, itemised(), CHECKS)))
    made = replace(made, standard=standards.ARCHIVAL, attach=tuple(attach))
    return report_of(calls, definition=made, **more)  # type: ignore[arg-type]


def painted(report: Report, target: Path, *, quick: bool | None = None) -> Path:
    """Write a report's PDF, its lists painted in one of the two ways where that is said."""
    with pytest.MonkeyPatch.context() as patched:
        if quick is not None:
            patched.setattr(listing, "CALLS_IN_TABLE", 0 if quick else 10**9)
        pdf.render(report, STYLE, target)
    return target


class Word(NamedTuple):
    """A word as poppler finds it, and its box on the page, in points."""

    page: int
    text: str
    left: float
    top: float
    right: float
    bottom: float


_WORD = re.compile(
    r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*)</word>'
)


def words(path: Path) -> list[Word]:
    """Return every word of a PDF with its box, in poppler's order."""
    done = subprocess.run(
        ["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True
    )
    found = []
    page = 0
    for each in done.stdout.splitlines():
        page += "<page " in each
        if match := _WORD.search(each):
            box = map(float, match.groups()[:4])
            found.append(Word(page, unescape(match[5]), *box))
    return found
