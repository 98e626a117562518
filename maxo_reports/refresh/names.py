"""The single values that a workbook can ask for by a defined name, such as ``maxo_cost``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from maxo_reports.core.facts import facts
from maxo_reports.core.heading import Heading
from maxo_reports.core.report import Cell, Kind, Report
from maxo_reports.errors import did_you_mean
from maxo_reports.refresh.areas import Area, area_of
from maxo_reports.refresh.package import Package
from maxo_reports.refresh.parts import Parts

PREFIX = "maxo_"
_PLACE = re.compile(r"(?:'((?:[^']|'')+)'|([\w.]+))!([$A-Z0-9:]+)")
_GONE = "#REF!"


class Value(NamedTuple):
    """A value and its kind."""

    value: Cell
    kind: Kind


class Named(NamedTuple):
    """A name of the workbook, the cell that it points to, and what that cell gets."""

    name: str
    sheet: str
    area: Area
    value: Value


def values(report: Report) -> Mapping[str, Value]:
    """Return every name that can be asked for, with its value."""
    heading, totals = report.heading, report.totals
    period = heading.period
    said = {f"{PREFIX}{fact.key}": Value(fact.words, Kind.TEXT) for fact in facts(heading)}
    return {
        **said,
        "maxo_account_name": Value(heading.account_name, Kind.TEXT),
        "maxo_first_day": Value(period.first, Kind.DATE),
        "maxo_last_day": Value(period.last, Kind.DATE),
        "maxo_revision": Value("refreshed, not issued", Kind.TEXT),
        "maxo_reasons": Value("; ".join(heading.state.reasons), Kind.TEXT),
        "maxo_pulled_at": Value(_clock(heading), Kind.MOMENT),
        "maxo_calls": Value(totals.calls, Kind.COUNT),
        "maxo_connected": Value(totals.connected, Kind.COUNT),
        "maxo_charged": Value(totals.charged, Kind.COUNT),
        "maxo_seconds": Value(totals.seconds, Kind.COUNT),
        "maxo_duration": Value(totals.seconds, Kind.DURATION),
        "maxo_cost": Value(totals.cost, Kind.MONEY),
        "maxo_filter": Value(report.filtered, Kind.TEXT),
        "maxo_findings": Value(len(report.findings), Kind.COUNT),
    }


def _clock(heading: Heading) -> Cell:
    return heading.pulled_at.replace(tzinfo=None, microsecond=0)


def plan(package: Package, parts: Parts, report: Report) -> tuple[Sequence[Named], Sequence[str]]:
    """Find the cell of every name that is ours, and the names that are a formula instead.

    A name that we do not know is refused: it would keep an old figure, and nobody would see it.
    """
    known = values(report)
    named, formulas = [], []
    for name in parts.names:
        if not name.name.casefold().startswith(PREFIX):
            continue
        value = known.get(name.name.casefold())
        if value is None:
            hint = did_you_mean(name.name.casefold(), known)
            raise package.refused(f"the name {name.name!r} is none that can be filled{hint}")
        match = _PLACE.fullmatch(name.refers)
        if match is None and _GONE not in name.refers:
            formulas.append(name.name)
            continue
        area = area_of(match[3]) if match else None
        sheet = parts.sheet((match[1] or match[2]).replace("''", "'")) if match else None
        if area is None or sheet is None:
            raise package.refused(
                f"the name {name.name!r} refers to {name.refers!r}, which is no cell of a sheet"
            )
        named.append(Named(name.name, sheet.name, area, value))
    return named, formulas
