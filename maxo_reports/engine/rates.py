"""Verbs on prices: the calls beside a rate card, and the rates that the calls themselves show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from maxo_reports import bundle, manifest, pack, ratecards, rules
from maxo_reports.archive.columns import CallStore
from maxo_reports.archive.pulls import Pull
from maxo_reports.bundle import Bundle, Sealed
from maxo_reports.core.checks import Check, Finding, worst_first
from maxo_reports.core.money import dollars, micros_from_text, plain
from maxo_reports.core.rates import inference, rated, rerating
from maxo_reports.core.rates.inference import Guess
from maxo_reports.core.rates.rating import Rater
from maxo_reports.core.rates.rerating import Rerated
from maxo_reports.core.report import Report, Source, Table
from maxo_reports.core.text import counted
from maxo_reports.engine import asking, locks
from maxo_reports.errors import ArchiveError, UsageError
from maxo_reports.issue import Wanted, gathered, stop_on, wanted
from maxo_reports.job import Job
from maxo_reports.pack import Pack
from maxo_reports.ratecards import Loaded
from maxo_reports.ratecards.written import as_csv

CHECK, INFER = "ratecard check", "ratecard infer"
FOLDER = "rates"
"""Where packs of re-ratings stand, beside the account's periods."""


@dataclass(frozen=True, slots=True)
class CardChecked:
    """What a comparison with a rate card came to."""

    job: Job
    source: Source
    found: Rerated
    sealed: Sealed


@dataclass(frozen=True, slots=True)
class Inferred:
    """What the calls show of their own prices."""

    job: Job
    source: Source
    guesses: tuple[Guess, ...]
    sealed: Sealed


def check_card(job: Job, card: Path, tolerance: int = 0) -> CardChecked:
    """Re-rate a period's calls by a card and seal what differs; nothing is asked of the carrier.

    Differences up to ``tolerance`` micro-dollars a call agree.
    """
    loaded = ratecards.load(card)
    look = wanted(job.workspace, [], rules.of(job.workspace, job.account))
    place = _place(job, "card")
    with locks.alone(job):
        work = asking.archived(job, "pull it first")
        with gathered(job, look, work) as bare:
            found = _rerated(job, bare, loaded, tolerance)
            look.rules.keep(job.archive)
            job.archive.inputs.keep(loaded.content)
            made = _of_card(job, look, work, bare, found, loaded, place, pack.next_revision(place))
            sealed = bundle.seal(made, job.progress.step)
    return CardChecked(job, made.source, found, sealed)


def infer_rates(job: Job) -> Inferred:
    """Find the prices that explain the most calls of each category, and seal the outliers."""
    look = wanted(job.workspace, [], rules.of(job.workspace, job.account))
    place = _place(job, "inferred")
    with locks.alone(job):
        work = asking.archived(job, "pull it first")
        with gathered(job, look, work) as bare:
            guesses = _guesses(job, bare)
            look.rules.keep(job.archive)
            made = _of_guesses(look, work, bare, guesses, place, pack.next_revision(place))
            sealed = bundle.seal(made, job.progress.step)
    return Inferred(job, made.source, guesses, sealed)


def made_again(job: Job, work: Pull, sealed: Pack) -> list[str]:
    """Make a pack of this module again from the archive and name every file that differs."""
    said = sealed.basis
    look = wanted(job.workspace, [], rules.again(job.archive, said))
    place, number = sealed.folder.resolve().parent, sealed.revision
    with gathered(job, look, work) as bare:
        if said["made_by"] == INFER:
            made = _of_guesses(look, work, bare, _guesses(job, bare), place, number)
        else:
            content = job.archive.inputs.read(said["rate_card"])
            loaded = ratecards.read(content, said["card_file"])
            tolerance = micros_from_text(said["tolerance"]) or 0
            found = _rerated(job, bare, loaded, tolerance)
            made = _of_card(job, look, work, bare, found, loaded, place, number)
        return bundle.made_again(made, sealed, job.progress.step)


def _rerated(job: Job, bare: Source, loaded: Loaded, tolerance: int) -> Rerated:
    job.progress.step("Re-rating the calls")
    rater = Rater(loaded.card, bare.connected_statuses, job.account.cost_gst)
    return rerating.rerate(bare.calls.lines(), rater, tolerance, bare.ledger.places)


def _guesses(job: Job, bare: Source) -> tuple[Guess, ...]:
    job.progress.step("Looking for prices")
    return inference.infer(bare.calls.lines, bare.connected_statuses)


def _of_card(
    job: Job,
    look: Wanted,
    work: Pull,
    bare: Source,
    found: Rerated,
    loaded: Loaded,
    place: Path,
    revision: int,
) -> Bundle:
    """Return what the pack of a comparison with a card is to hold."""
    findings = (*rerating.findings(found), *_basis_unknown(job, found))
    source = _with(bare, rerating.checks(found, bare.ledger.control), findings, revision)
    report = rated.check_report(found, source)
    own = {
        "rate_card": loaded.sha256,
        "card_file": loaded.name,
        "tolerance": plain_micros(found.tolerance),
        "made_by": CHECK,
    }
    table = {f"{bundle.filename(report)}-differences.csv": rated.differences(found)}
    return _bundle(look, work, source, report, table, place, own)


def _of_guesses(
    look: Wanted,
    work: Pull,
    bare: Source,
    guesses: tuple[Guess, ...],
    place: Path,
    revision: int,
) -> Bundle:
    """Return what the pack of an inference is to hold."""
    calls = sum(guess.calls for guess in guesses)
    control = bare.ledger.control
    checks = (Check("Calls looked at = calls", f"{control.calls:,}", f"{calls:,}"),)
    source = _with(bare, checks, inference.findings(guesses), revision)
    report = rated.infer_report(guesses, source)
    table = {f"{bundle.filename(report)}-outliers.csv": rated.outliers(guesses)}
    return _bundle(look, work, source, report, table, place, {"made_by": INFER})


def plain_micros(micros: int) -> str:
    """Write micro-dollars for a machine."""
    return plain(dollars(micros))


def _place(job: Job, what: str) -> Path:
    return job.workspace.out / job.account.id / FOLDER / what / job.period.label


def _basis_unknown(job: Job, found: Rerated) -> tuple[Finding, ...]:
    bases = {rate.gst for rate in found.card.rates} - {"unknown"}
    if not bases or job.account.cost_gst != "unknown":
        return ()
    return (
        Finding(
            "gst-basis-unknown",
            "warning",
            "cost_gst",
            "the card says whether GST is in its prices, maxo.toml not whether it is in the "
            "carrier's costs: they are compared as they are; set cost_gst",
            found.whole.rated_calls,
        ),
    )


def _with(
    source: Source, checks: Sequence[Check], findings: Sequence[Finding], revision: int
) -> Source:
    """Add what was found out; the revision is that of the place where it is to be sealed."""
    stop_on(checks)
    return replace(
        source,
        heading=replace(source.heading, revision=revision),
        checks=(*source.checks, *checks),
        findings=worst_first((*source.findings, *findings)),
    )


def _bundle(
    look: Wanted,
    work: Pull,
    source: Source,
    report: Report,
    tables: Mapping[str, Table],
    place: Path,
    own: Mapping[str, Any],
) -> Bundle:
    """Put one report of our own together with what is behind it."""
    calls = cast("CallStore", source.calls).fingerprint()
    own = {**look.rules.basis(), **rules.judged(source.findings), **own}
    reports = {report.definition.name: ""}
    return Bundle(
        place,
        source,
        look.style,
        [report],
        tables,
        manifest.basis(source.heading, calls, reports, look.shelf.fingerprint(), {}, own),
        lambda tied: manifest.evidence(source, work, {}, tied),
    )


def checked_json(done: CardChecked) -> dict[str, Any]:
    """Return what ``ratecard check --json`` prints."""
    whole = done.found.whole
    return {
        **_head(done.job, done.source, done.sealed),
        "card": done.found.card.name,
        "rated_calls": whole.rated_calls,
        "by_card": plain_micros(whole.rated + done.found.rounding),
        "overcharged_calls": whole.over_calls,
        "overcharged": plain_micros(whole.over),
        "undercharged_calls": whole.under_calls,
        "undercharged": plain_micros(whole.under),
        "not_rated_calls": whole.unrated_calls,
        "not_rated": plain_micros(whole.unrated),
    }


def inferred_json(done: Inferred) -> dict[str, Any]:
    """Return what ``ratecard infer --json`` prints."""
    return {
        **_head(done.job, done.source, done.sealed),
        "models": [
            {
                "category": guess.category,
                "direction": guess.direction,
                "model": rated.model_words(guess),
                "calls": guess.calls,
                "explained": guess.explained,
                "outliers": [each.call.call_id for each in guess.outliers],
            }
            for guess in done.guesses
        ],
    }


def _head(job: Job, source: Source, sealed: Sealed) -> dict[str, Any]:
    return {
        "account": job.account.id,
        "period": manifest.period(job.period),
        "state": source.heading.state.word,
        **manifest.totals(source.ledger.control),
        "findings": manifest.findings(sealed.findings),
        "revision": sealed.pack.revision,
        "unchanged": sealed.unchanged,
        "pack": str(sealed.pack.folder),
        "files": [str(path) for path in sealed.pack.files],
    }


def model_lines(done: Inferred) -> tuple[str, ...]:
    """Say in a line for each category what it seems to cost."""
    return tuple(
        f"{guess.category}, {guess.direction}: {rated.model_words(guess)} "
        f"({guess.explained:,} of {counted(guess.calls, 'call')})"
        for guess in done.guesses
    )


def write_card(guesses: Sequence[Guess], path: Path) -> None:
    """Write the models as a rate card; a file that is there is never overwritten."""
    try:
        with path.open("xb") as file:
            file.write(as_csv(inference.card(guesses)))
    except FileExistsError:
        raise UsageError(f"{path} is there already; it is left as it is") from None
    except OSError as problem:
        raise ArchiveError(f"cannot write {path}: {problem.strerror}") from None
