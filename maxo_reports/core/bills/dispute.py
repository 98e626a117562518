"""The dispute pack: the calls behind each difference, a table a class, and a letter about them.

The letter claims only what the evidence shows to be billed too much. What speaks for the carrier
(calls not billed, credits, late calls) is in files of its own, which nobody has to send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from maxo_reports.core.bills.differences import CLAIMS, CLASSES, Difference
from maxo_reports.core.bills.onebyone import Result
from maxo_reports.core.heading import Heading
from maxo_reports.core.money import dollars, printed_places, to_text
from maxo_reports.core.period import LocalClock
from maxo_reports.core.report import Column, Kind, Row, Table
from maxo_reports.core.text import counted

README = "README.txt"
_COLUMNS = (
    Column("class", "Class", Kind.TEXT),
    Column("call_id", "Call ID", Kind.ID),
    Column("bill_line", "Bill line", Kind.TEXT),
    Column("bill_call_id", "ID on the bill", Kind.ID),
    Column("started", "Started", Kind.MOMENT),
    Column("direction", "Direction", Kind.TEXT),
    Column("a_party", "From", Kind.NUMBER),
    Column("b_party", "To", Kind.NUMBER),
    Column("seconds", "Duration", Kind.DURATION),
    Column("billed_seconds", "Duration on the bill", Kind.DURATION),
    Column("category", "Rate category", Kind.TEXT),
    Column("billed_category", "Category on the bill", Kind.TEXT),
    Column("cost", "Cost", Kind.MONEY),
    Column("billed", "Billed", Kind.MONEY),
    Column("difference", "Difference", Kind.MONEY),
    Column("evidence", "Evidence", Kind.TEXT),
    Column("reply_sha256", "Reply", Kind.ID),
)


def tables(result: Result) -> Mapping[str, Table]:
    """Return, by file name, the calls of each class that has any."""
    found = {}
    for kind in CLASSES:
        rows = [
            _row(each, result.clock)
            for each in result.whole.differences
            if each.kind == kind and (each.called or each.billed)
        ]
        if rows:
            found[f"{kind.lower().replace(' ', '-')}.csv"] = Table(_COLUMNS, tuple(rows))
    return found


def _row(each: Difference, clock: LocalClock) -> Row:
    called, billed = each.called, each.billed
    return Row(
        (
            each.kind,
            called.call_id if called else None,
            f"{billed.line}" if billed else each.at or None,
            (billed.call_id or None) if billed else None,
            clock.local(each.began) if each.began is not None else None,
            called.direction if called else None,
            called.a_party if called else None,
            called.b_party if called else (billed.number if billed else None),
            called.seconds if called else None,
            billed.seconds if billed else None,
            called.category if called else None,
            (billed.category or None) if billed else None,
            dollars(called.cost) if called else None,
            dollars(billed.charge) if billed else None,
            dollars(each.micros),
            each.evidence,
            (called.reply or None) if called else None,
        )
    )


def letter(heading: Heading, result: Result, program: str) -> str:
    """Return the letter: what is claimed, on what evidence, and what the other files are."""
    whole = result.whole
    bill, period = whole.bill, heading.period
    claims = [claim for kind in CLAIMS for claim in _claims(kind, result)]
    claimed = sum((value for _, value in claims), Decimal(0))
    cost, total = _said(dollars(whole.cost)), _said(dollars(bill.total))
    lines = [
        f"Bill {bill.number}, {heading.account_name} ({heading.account_id})",
        f"Calls from {period.first:%d %b %Y} to {period.last:%d %b %Y}, {period.zone}",
        "",
        "To the accounts team",
        "",
        "We compared this bill with the call records that your own interface gives for the",
        f"same days. The records come to {cost}, the bill to {total}.",
        "",
    ]
    if claims:
        lines += ["Please look at these charges and tell us what you find:", ""]
        lines += [line for line, _ in claims]
        lines += ["", f"Billed beyond the records in all: {_said(claimed)}.", ""]
    else:
        lines += ["We found no charge that is billed beyond the records.", ""]
    if whole.unexplained:
        left = _said(dollars(whole.unexplained))
        lines += [
            f"Besides, {left} of the bill is explained by neither the",
            "records nor the bill's other lines. Please send us the calls behind it.",
            "",
        ]
    lines += [
        "Each CSV file beside this letter lists the calls of one kind. call_id is the id of your",
        "record; reply_sha256 is the SHA-256 of the reply of calls/list in which it came, which",
        "we keep byte for byte. Times are local, durations are seconds, dollars are exact.",
        "",
        "The files, for whoever checks them:",
        "",
        *(f"  {name:<16} {_meaning(name)}" for name in sorted(tables(result))),
        "",
        "Files of calls that are not billed, late, at the edge of the month, rounded or given",
        "back explain the rest of the difference; they claim nothing.",
        "",
        f"Made by {program}.",
    ]
    return "\n".join(lines) + "\n"


def _claims(kind: str, result: Result) -> Iterator[tuple[str, Decimal]]:
    """Yield lines of the letter on one class, and what each claims, too little taken off.

    One is for the calls in the class's file. A bill without a list of calls proves some by its
    own lines; each of these is named by where it stands.
    """
    found = [each for each in result.whole.differences if each.kind == kind]
    called = [each for each in found if each.called or each.billed]
    if called:
        yield _claim(f"{kind}.csv", len(called), kind, called)
    for each in found:
        if not (each.called or each.billed):
            yield _claim(each.at or each.row, each.calls, kind, [each])


def _claim(where: str, calls: int, kind: str, found: Sequence[Difference]) -> tuple[str, Decimal]:
    value = dollars(sum(each.micros for each in found))
    return f"  {where:<16} {counted(calls, 'call')} {CLASSES[kind]}: {_said(value)}", value


def _meaning(name: str) -> str:
    kinds = {f"{kind.lower().replace(' ', '-')}.csv": words for kind, words in CLASSES.items()}
    return kinds[name]


def _said(value: Decimal) -> str:
    return to_text(value, printed_places([value]), "$").replace("\u2212", "-")
