"""The verbs of templates: start one of one's own, and try it on the sample month.

The trial fills, prints and reads back as a run does; nothing of it stays but what is asked for.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from maxo_reports import definitions
from maxo_reports.charging import table
from maxo_reports.config import Account, Settings, Workspace
from maxo_reports.core.brand import Brand, Recipient
from maxo_reports.core.checks import Finding, State
from maxo_reports.core.heading import CHARGED
from maxo_reports.core.money import round_half_up
from maxo_reports.core.rates.oncharge import Dues
from maxo_reports.core.report import Definition, Report, Source
from maxo_reports.core.sections import CHARGES
from maxo_reports.engine import asking, locks
from maxo_reports.engine.asking import period_of
from maxo_reports.engine.packs import DEFAULT_REPORTS, sample
from maxo_reports.errors import ArchiveError, UsageError, did_you_mean
from maxo_reports.issue import Wanted, built, gathered, wanted
from maxo_reports.job import Job, Progress
from maxo_reports.render import FORMATS, proofread
from maxo_reports.render.proofread import Remark
from maxo_reports.tieout import tie_out

FOLDER = "templates"
PAGE = ".html"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying templates: which ones, what to mend, and how much tied out."""

    templates: tuple[str, ...]
    remarks: tuple[Remark, ...]
    figures: int = 0


def copy_template(workspace: Path, name: str) -> Path:
    """Copy one of our templates into the workspace; one that is there is never overwritten."""
    folder = definitions.shipped() / FOLDER
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    known = {stem: each for each in names for stem in (Path(each).stem, each)}
    if name not in known:
        there = ", ".join(names)
        raise UsageError(f"there is no template {name!r}{did_you_mean(name, known)}; {there}")
    target = workspace / FOLDER / known[name]
    if target.exists():
        raise UsageError(f"{target} is there already; it is left as it is")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / known[name], target)
    except OSError as problem:
        raise ArchiveError(f"cannot write {target}: {problem.strerror}") from None
    return target


def check_templates(
    workspace: Path, names: Sequence[str], keep: Path | None, progress: Progress
) -> Trial:
    """Try templates on the sample month: fill them, print them, read them back.

    Without names, all that a report uses. ``keep`` is where the first statement is left to be
    looked at. A template that cannot be filled at all, or whose figures do not tie out, raises.
    """
    shelf = definitions.Shelf.of(workspace)
    loaded = [definitions.load(each, shelf, FORMATS).definition for each in shelf.reports()]
    drawn = [each for each in loaded if "pdf" in each.formats]
    chosen = _chosen(names, drawn)
    remarks: dict[Remark, None] = {}
    figures = 0
    with _sample_month(workspace, progress) as (asked_for, source):
        for template, definition in chosen.items():
            progress.step(f"Trying {template}")
            states = [_filled(definition, each) for each in _states(source)]
            found = _proofread(template, states, asked_for)
            remarks |= dict.fromkeys(found)
            if not found:
                figures += _printed(states, asked_for, keep)
    return Trial(tuple(chosen), tuple(remarks), figures)


def _chosen(names: Sequence[str], drawn: Sequence[Definition]) -> dict[str, Definition]:
    """Return the templates to try, each with a report that it is tried with."""
    # The monthly statement has most kinds of sections, and so tries most of a template.
    ours = next(each for each in drawn if each.name in DEFAULT_REPORTS)
    users = {each.template: each for each in (*reversed(drawn), ours)}
    if not names:
        return dict(sorted(users.items()))
    files = [name if name.endswith(PAGE) else f"{name}{PAGE}" for name in names]
    return {file: users.get(file, replace(ours, template=file)) for file in files}


@contextmanager
def _sample_month(workspace: Path, progress: Progress) -> Iterator[tuple[Wanted, Source]]:
    """Pull the sample month from the sandbox into a scratch folder, and give what reports need."""
    from maxo_reports.sandbox import Book, Sandbox

    book = Book.load(sample())
    moment = int(datetime.fromisoformat(book.as_of).timestamp())
    asked_for = wanted(Workspace(workspace, Settings(), {}), DEFAULT_REPORTS)
    with tempfile.TemporaryDirectory() as scratch, Sandbox([book]) as sandbox:
        account = Account(book.account, book.name, book.timezone, base_url=sandbox.base_url)
        place = Workspace(Path(scratch), Settings(crosscheck="none"), {account.id: account})
        period = period_of(book.period, account, moment)
        job = Job(place, account, period, lambda: book.key, lambda: moment, progress)
        with locks.alone(job):
            work = asking.pulled(job)
            with gathered(job, asked_for, work) as source:
                yield asked_for, source


def _states(source: Source) -> Iterator[Source]:
    """Yield the sample as a template may meet it: settled, and with all that can be wrong."""
    yield replace(source, heading=replace(source.heading, state=State("settled")))
    troubled = State("provisional", ("the sample, as if it were not settled",))
    finding = Finding("sample", "warning", "the sample", "a finding that a person must know", 1)
    heading = replace(
        source.heading,
        state=troubled,
        cost_gst="inclusive",
        brand=Brand("Harbour Voice Pty Ltd", ("10 Example Street",), "51824753556"),
        recipient=Recipient(source.heading.account_name, ("12 Wattle Lane",)),
    )
    yield replace(source, heading=heading, findings=(finding, *source.findings))


def _filled(definition: Definition, source: Source) -> Report:
    if any(spec.kind == CHARGES for spec in definition.sections):
        source = _of_a_client(source)
    return built(definitions.Loaded(definition, ""), source)


def _of_a_client(source: Source) -> Source:
    """Return the sample as a client's statement is given it, with a fee beside the calls."""
    calls, fee = source.ledger.control.cost, Decimal(10)
    net = round_half_up(calls + fee)
    gst = round_half_up(net.scaleb(-1))
    none = Decimal(0)
    dues = Dues(calls, (("Number hire", fee),), none, none, net - calls - fee, net, gst, fee)
    heading = replace(source.heading, cost_gst="exclusive", charged=CHARGED)
    return replace(source, heading=heading, charges=table(dues))


def _proofread(template: str, states: Sequence[Report], asked_for: Wanted) -> list[Remark]:
    from maxo_reports.render import pdf

    views = [pdf.view(report, asked_for.style) for report in states]
    return proofread.undefined(template, views, asked_for.style.folders, states[0].places)


def _printed(states: Sequence[Report], asked_for: Wanted, keep: Path | None) -> int:
    """Print the statements, read them back, and return how many figures were compared."""
    from maxo_reports.render import pdf

    figures = 0
    with tempfile.TemporaryDirectory() as scratch:
        for number, report in enumerate(states):
            stem = Path(report.definition.template).stem
            target = Path(scratch) / f"{stem}-{report.heading.state.word}.pdf"
            pdf.render(report, asked_for.style.branded(report.heading.brand), target)
            if keep is not None and number == 0:
                shutil.copyfile(target, keep)
            figures += tie_out("pdf", target, report).figures
    return figures
