"""README.txt: what a handoff is, in plain words, for somebody who has never heard of us."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from maxo_reports.core.posting import KINDS, PostingSet, said
from maxo_reports.core.report import Heading
from maxo_reports.handing.posted import Aim
from maxo_reports.manifest import PROGRAM

_WIDTH = 92
NOT_IMPORTED = (
    "The files are written to each format's published template; they were not imported into "
    "Xero, MYOB or QuickBooks by us. Import into a copy of your books first, or look at the draft "
    "before you approve it."
)
NO_INVOICE = (
    "These are the carrier's call records added up, not a tax invoice. Claim an input tax credit "
    "only from the carrier's own."
)
UNGUARDED = (
    "Files for import and for programs hold every text exactly as it is (not guarded): do not "
    "open them in a spreadsheet program, which drops leading zeros and can run a text that begins "
    "with = + - or @ as a formula. Files with 'for-excel-guarded' in their name are made to be "
    "opened in Excel: they begin with a byte order mark, telephone numbers keep their zeros, and "
    "an apostrophe stands before what Excel would run or change."
)
_BASES = {
    "inclusive": "The account's settings say that the carrier's cost includes GST.",
    "exclusive": "The account's settings say that the carrier's cost is without GST.",
    "unknown": (
        "Nobody has said whether the carrier's cost includes GST; so figures are as the carrier "
        "reports them, and no GST is shown."
    ),
}


def wrapped(text: str, indent: str = "") -> list[str]:
    """Break a text into lines."""
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


def of_handoff(
    heading: Heading, reference: Mapping[str, Any], aims: Sequence[Aim], names: Sequence[str]
) -> str:
    """Return the text for one handoff."""
    kind = KINDS[reference["kind"]]
    period = heading.period
    lines = [
        f"{heading.account_name}: calls from {period.first:%d %b %Y} to {period.last:%d %b %Y}",
        f"Handoff {reference['reference']}: {kind}. The calls are {heading.state.word}.",
        "",
        *wrapped(NO_INVOICE),
        "",
        *wrapped(f"{_BASES[heading.cost_gst]} {_gst(aims[0].whole)}"),
        "",
        "How the total comes about, from the calls' exact cost:",
    ]
    for books in dict.fromkeys(aim.books for aim in aims):
        whole = next(aim.whole for aim in aims if aim.books == books)
        lines += [f"    {books}: {said(whole.proof)}", *_rounding(whole)]
    if reference["replaces"]:
        lines += ["", f"It replaces handoff {reference['replaces']}: do not import both."]
    if any(entry.text.endswith("(reversal)") for aim in aims for entry in aim.whole.entries):
        lines += ["", "The accrual is followed by an entry that takes it back on the next day."]
    lines += ["", "The files:"]
    for aim in aims:
        own = [n for n in names if (aim.target.stem or aim.target.name) in n]
        lines += ["", *(f"    {name}" for name in own), f"        {aim.target.title}"]
        lines += wrapped(aim.target.note, "        ")
    lines += ["", *wrapped(NOT_IMPORTED), "", *wrapped(UNGUARDED), ""]
    lines += [
        "Lines of nothing are left out. tieout.json compares every file with the calls, to the",
        "cent. Is it all unchanged?  sha256sum -c SHA256SUMS",
        "",
        f"Written by {PROGRAM}.",
    ]
    return "\n".join(lines) + "\n"


def _rounding(whole: PostingSet) -> list[str]:
    if not whole.proof.rounding:
        return []
    return wrapped(
        "The total is rounded once, half a cent up; lines are whole cents that add up to it, so "
        "one may be up to a cent from its own exact figure.",
        "    ",
    )


def _gst(whole: PostingSet) -> str:
    if whole.proof.gst:
        return (
            f"GST of {whole.proof.gst} is worked out on the total (s 9-90(2)(a)), because whoever "
            "made this said that the carrier's tax invoice is held."
        )
    if whole.kind == "bill":
        return "No input tax credit is claimed: every line is without GST reporting."
    return "It is posted without GST: no input tax credit is claimed."
