"""The command about the carrier's bill: reconcile."""

from __future__ import annotations

import argparse
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxo_reports.cli import saying, words, work
from maxo_reports.core.text import counted
from maxo_reports.errors import DONE, FINDINGS

if TYPE_CHECKING:
    from maxo_reports.core.bills.calibrate import Calibration
    from maxo_reports.engine import Job
    from maxo_reports.engine.bills import Asked
    from maxo_reports.reconciliation import Reconciled

_EXAMPLE = """\
a bill in TOML, with as few or as many lines as it has:

  number = "INV-104417"
  issued = 2026-11-03
  gst    = "exclusive"       # whether the lines include GST
  total  = "186.25"          # what it comes to; the lines must add up to it

  [[line]]
  kind     = "calls"         # also: late-calls, rental, hosting, sms, fee,
  category = "Mobile"        #   equipment, other, credit, rounding, gst
  calls    = 43              # as the bill says; without a category: all calls
  charge   = "4.65"

may have: from, to (days), timezone, calls = "calls.csv", seconds, tolerance,
tolerance_percent, [categories] "Calls to mobiles" = ["Mobile"],
[columns] charge = "Total inc GST"; a line also text, gst_free = true"""


def add(verbs: Any) -> None:
    """Add the commands to the parser."""
    does = "hold the carrier's bill against the calls that were pulled, to the last cent"
    verb = words.verb(verbs, "reconcile", _reconcile, does)
    verb.add_argument("period", metavar="PERIOD", help=words.PERIOD)
    verb.add_argument(
        "--invoice",
        type=Path,
        required=True,
        metavar="FILE",
        help="the bill as .toml, .csv or .xlsx; or its list of calls alone",
    )
    verb.add_argument("--calls", type=Path, metavar="FILE", help="the bill's list of calls")
    verb.add_argument(
        "--account", nargs=1, metavar="A", default=[], help="of maxo.toml (default: the only one)"
    )
    verb.add_argument(
        "--tolerance", type=_dollars, metavar="D", help="dollars that may stay unexplained"
    )
    verb.add_argument(
        "--tolerance-percent", type=_percent, metavar="P", help="the same in percent of the bill"
    )
    verb.add_argument(
        "--seconds", type=_seconds, metavar="N", help="how far apart times may be (default: 2)"
    )
    verb.add_argument("--gst", choices=("inclusive", "exclusive"), help="of a list of calls alone")
    verb.add_argument(
        "--calibrate",
        action="store_true",
        help="say whether the calls' cost looks as if it includes GST; write nothing",
    )
    verb.add_argument("--out", type=Path, metavar="DIR", help="where the pack goes")
    words.add_json(verb)
    verb.set_defaults(all=False, offline=True)
    verb.formatter_class = argparse.RawDescriptionHelpFormatter
    verb.epilog = _EXAMPLE


def _reconcile(arguments: argparse.Namespace) -> int:
    from maxo_reports import engine
    from maxo_reports.engine.bills import Asked

    asked = Asked(
        arguments.invoice,
        arguments.calls,
        arguments.tolerance,
        arguments.tolerance_percent,
        arguments.seconds,
        arguments.gst,
    )
    with work.progress() as progress:
        (job,) = work.jobs(arguments, progress)
        if arguments.calibrate:
            return _calibrate(job, asked, as_json=arguments.json)
        done = engine.reconcile(job, asked)
    if arguments.json:
        saying.say(json.dumps(engine.reconciled_as_json(job, done), indent=1))
    else:
        saying.say(*_lines(done))
    needs_a_person = done.result.whole.needs_a_person or bool(done.not_made)
    return FINDINGS if needs_a_person else DONE


def _calibrate(job: Job, asked: Asked, *, as_json: bool) -> int:
    from maxo_reports import engine

    seen = engine.calibrate(job, asked)
    if as_json:
        saying.say(json.dumps(engine.calibration_as_json(job, seen), indent=1))
    else:
        saying.say(*_seen(job, seen))
    return DONE if seen.looks != "unknown" else FINDINGS


def _lines(done: Reconciled) -> list[str]:
    from maxo_reports.core.money import dollars, plain

    whole, heading = done.result.whole, done.source.heading
    period = heading.period
    lines = [
        (
            f"{heading.account_name}, {period.first:%d %b %Y} to {period.last:%d %b %Y} "
            f"({period.zone}): {heading.state.word}"
        ),
        f"  {done.result.how}",
        f"  {'calls, as recorded':<20}{plain(dollars(whole.cost)):>14}",
    ]
    for step in whole.steps:
        if step.micros or step.calls:
            calls = f"  {counted(step.calls, 'call')}" if step.calls else ""
            lines.append(f"  {step.kind:<20}{plain(dollars(step.micros)):>14}{calls}")
    lines.append(f"  {'bill ' + whole.bill.number:<20}{plain(dollars(whole.bill.total)):>14}")
    lines += [
        f"  unexplained in {row.name}: {plain(dollars(row.unexplained))} ({hint})"
        for row, hint in done.result.unexplained
    ]
    lines += [f"  note: {note}" for note in done.result.notes]
    lines.append(f"  {done.result.verdict}")
    lines += [f"  warning: {each.message} ({each.where})" for each in done.not_made]
    if done.unchanged:
        lines.append(f"  nothing has changed: revision {done.pack.revision} stands")
    return [*lines, *(f"  {path}" for path in done.pack.files)]


def _seen(job: Job, seen: Calibration) -> list[str]:
    from maxo_reports.core.money import dollars, plain

    lines = [
        f"{job.account.name}, {job.period.label}: billed without GST against cost, by category",
        *(
            f"  {each.row:<32} cost {plain(dollars(each.cost)):>12}  billed "
            f"{plain(dollars(each.without_gst)):>12}  ratio {each.ratio}  {each.looks}"
            for each in seen.rows
        ),
    ]
    pairs = seen.pairs
    if pairs.compared:
        ways = f"{pairs.exclusive:,} fit a cost without GST, {pairs.inclusive:,} one with GST"
        lines.append(f"  {pairs.compared:,} matched calls: {ways}")
    if seen.looks == "unknown":
        return [*lines, f"  this bill does not tell whether the cost includes GST: {seen.why}"]
    lines.append(
        f"  the cost looks {seen.looks} of GST (confidence: {seen.confidence}): {seen.why}"
    )
    if job.account.cost_gst == seen.looks:
        return [*lines, "  maxo.toml says so already; nothing was written"]
    setting = f'cost_gst = "{seen.looks}"'
    return [*lines, f"  if you agree, write {setting} into maxo.toml; nothing was written"]


def _dollars(text: str) -> int:
    from maxo_reports.core.money import micros_from_text

    micros = micros_from_text(text)
    if micros is None or micros < 0:
        raise argparse.ArgumentTypeError("must be dollars, such as 0.05")
    return micros


def _percent(text: str) -> Decimal:
    from maxo_reports.invoice import percent_of

    percent = percent_of(text)
    if percent is None:
        raise argparse.ArgumentTypeError("must be from 0 to 100")
    return percent


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 3600:
        raise argparse.ArgumentTypeError("must be whole seconds from 0 to 3600")
    return int(text)
