"""README.txt: what a handoff is, in plain words, for somebody who has never heard of us."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from maxo_reports.core.handoff.posting import KINDS, PostingSet, said
from maxo_reports.core.heading import Heading
from maxo_reports.handing.posted import Aim
from maxo_reports.manifest import PROGRAM
from maxo_reports.pack import Pack

_WIDTH = 92
NOT_IMPORTED = (
    "The files are written to each format's published template; they were not imported into "
    "Xero, MYOB or QuickBooks by us. Import into a copy of your books first, or look at the draft "
    "before you approve it."
)
NO_INVOICE = (
    "These are the carrier's call records added up; they do not stand for the carrier's own bill. "
    "Claim a credit for GST only with that bill in hand."
)
UNGUARDED = (
    "Files for import and for programs hold every text exactly as it is (not guarded): do not "
    "open them in a spreadsheet program, which drops leading zeros and can run a text that begins "
    "with = + - or @ as a formula. Files with 'for-excel-guarded' in their name are made to be "
    "opened in Excel: they begin with a byte order mark, telephone numbers keep their zeros, and "
    "an apostrophe stands before what Excel would run or change."
)
BASES = {
    "inclusive": "The account's settings say that the carrier's cost includes GST.",
    "exclusive": "The account's settings say that the carrier's cost is without GST.",
    "unknown": (
        "Nobody has said whether the carrier's cost includes GST; so figures are as the carrier "
        "reports them, and no GST is shown."
    ),
}


def wrapped(text: str, indent: str = "") -> list[str]:
    """Break a text into lines."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


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
        *wrapped(f"{BASES[heading.cost_gst]} {_gst(aims[0].whole)}"),
        "",
        "How the total comes about, from the calls' exact cost:",
    ]
    lines += _totals(aims)
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
        "mapping.toml is how the calls were told apart and which account each went to.",
        "Lines of nothing are left out. tieout.json compares every file with the calls, to the",
        "cent. Is it all unchanged?  sha256sum -c SHA256SUMS",
        "",
        f"Written by {PROGRAM}.",
    ]
    return "\n".join(lines) + "\n"


def _totals(aims: Sequence[Aim]) -> list[str]:
    """Say how each total comes about; programs with the same are told together."""
    by_text: dict[str, list[str]] = {}
    for aim in aims:
        names = by_text.setdefault(said(aim.whole.proof), [])
        names += [] if aim.books in names else [aim.books]
    lines = [f"    {', '.join(names)}: {text}" for text, names in by_text.items()]
    if any(aim.whole.proof.rounding for aim in aims):
        lines += wrapped(
            "The total is rounded once, half a cent up; lines are whole cents that add up to it, "
            "so one may be up to a cent from its own exact figure.",
            "    ",
        )
    return lines


def _gst(whole: PostingSet) -> str:
    if whole.kind == "sale":
        return (
            "Invoices are what the clients' sealed statements say, line by line, GST on the total."
        )
    if whole.proof.gst:
        return (
            f"GST of {whole.proof.gst} is worked out on the total (s 9-90(2)(a)), because whoever "
            "made this said that the carrier's own bill with its GST is held."
        )
    if whole.kind == "bill":
        return "No input tax credit is claimed: every line is without GST reporting."
    return "It is posted without GST: no input tax credit is claimed."


ONE_OF_THEM = (
    "The handoffs are of the same calls: do not book all of them. An accrual stands only until "
    "the bill is in, and is taken back then; an allocation splits a bill that is booked already."
)
"""What an accountant must know where one period's cost is there more than once."""


def of_bundle(heading: Heading, behind: Pack, handoffs: Sequence[Pack]) -> str:
    """Return the text for a whole bundle, for the accountant."""
    period = heading.period
    lines = [
        (
            f"{heading.account_name}: telephone calls from {period.first:%d %b %Y} to "
            f"{period.last:%d %b %Y}"
        ),
        "",
        "What is in this folder (everything is in data):",
        "",
        f"    statement    revision {behind.revision} as it was issued, {heading.state.word}:",
    ]
    lines += [f"                 {entry['name']}" for entry in behind.manifest["files"]]
    for handoff in handoffs:
        reference = handoff.manifest["handoff"]
        name = f"handoff-{handoff.folder.name}"
        lines += [
            f"    {name:<12} {KINDS[reference['kind']]}; its README.txt says how to import it"
        ]
        lines += [f"                 {entry['name']}" for entry in handoff.manifest["files"]]
    lines += [
        "    calls        every call as CSV: calls-exact-unguarded.csv for programs,",
        "                 calls-for-excel-guarded.csv to open in Excel",
        "    replies      what the carrier answered, byte for byte, each under its own hash",
        "    tieout.json  how all of these come to the same figures, to the cent",
        "    sign-off.txt a sheet to print and sign",
        "",
        "completeness.json in statement lists every span of time that the carrier was asked for,",
        "without gap or overlap.",
        "",
        *wrapped(NO_INVOICE),
        "",
        *wrapped(BASES[heading.cost_gst]),
        "",
    ]
    if not handoffs:
        lines += ["No files for import were made for this period.", ""]
    costs = {h.manifest["handoff"]["kind"] for h in handoffs} & {"bill", "accrual", "allocation"}
    if len(costs) > 1:
        lines += [*wrapped(ONE_OF_THEM), ""]
    lines += [
        *wrapped(NOT_IMPORTED),
        "",
        *wrapped(UNGUARDED),
        "",
        "Is it all unchanged? Any of these says so, in this folder:",
        "    sha256sum -c manifest-sha256.txt",
        "    bagit.py --validate .",
        "    maxo-reports verify .",
        "",
        f"It holds telephone numbers: keep it private. Written by {PROGRAM}.",
    ]
    return "\n".join(lines) + "\n"
