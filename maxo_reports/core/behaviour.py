"""Checks on behaviour: what of a month's calls a person should look at, and never why.

Toll fraud runs at night, to premium numbers and abroad, in long calls or in many short ones. A
pattern is told with its calls and dollars, and is no verdict: a surgery on call at night is none.
Below its threshold a pattern is not told, and what needs earlier months is not told without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from maxo_reports.core.cdr import NONE
from maxo_reports.core.checks import Finding, Severity
from maxo_reports.core.money import dollars, to_text
from maxo_reports.core.numbering import spaced
from maxo_reports.core.text import counted, visible

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])", re.ASCII)
_DAY_MINUTES = 24 * 60
EXAMPLES = 3
"""How many calls a finding names."""
MOST_TOLD = 10
"""How many service numbers a pattern names one by one; the others are one finding together."""
_MOST_NAMED = 5
_LEAST_MONTHS = 2
"""Earlier months without which no jump is told: one alone is no habit."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The thresholds: ``[behaviour]`` of maxo.toml. A threshold of 0 switches its check off.

    Dollars are a month's, of one service number. ``hours`` and ``days`` are when calls are
    expected, in the account's zone; public holidays are not known. Hours that go over midnight
    are of the day on which they begin, as those of a rate card are. Calls out of hours are told
    only where they are a share of their number's cost, too: a busy one always has some.
    """

    hours: str = "07:00-19:00"
    days: tuple[str, ...] = WEEKDAYS[:5]
    out_of_hours_dollars: int = 50
    out_of_hours_percent: int = 20
    premium_dollars: int = 20
    international_dollars: int = 100
    long_minutes: int = 240
    short_calls: int = 10
    short_seconds: int = 30
    short_within_minutes: int = 60
    jump_percent: int = 200
    jump_dollars: int = 50
    jump_months: int = 3
    new_numbers: bool = True
    silent_months: int = 3

    @property
    def looks_back(self) -> bool:
        """Whether any check needs earlier months."""
        return bool(self.jump_percent or self.new_numbers or self.silent_months)

    @property
    def open_minutes(self) -> tuple[int, int]:
        """The minutes of a day from which and up to which calls are expected."""
        return minutes(self.hours) or (0, _DAY_MINUTES)


def minutes(hours: str) -> tuple[int, int] | None:
    """Read ``07:00-19:00`` as minutes since midnight; None where it is no span of a day."""
    match = _HOURS.fullmatch(hours)
    if match is None:
        return None
    start, end = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
    return (start, end) if max(start, end) <= _DAY_MINUTES and start != end else None


@dataclass(frozen=True, slots=True)
class Seen:
    """The calls of one service number that are of one pattern, and some of their ids.

    ``about`` says more of them: the countries' codes, the numbers called, the longest.
    """

    code: str
    number: str
    calls: int
    micros: int
    examples: tuple[str, ...]
    about: str = ""


@dataclass(frozen=True, slots=True)
class Month:
    """What an earlier month had, by service number and by category: calls and micro-dollars.

    ``is_whole`` where its calls are all in the archive; else it has no figures.
    """

    label: str
    is_whole: bool
    numbers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    categories: Mapping[str, tuple[int, int]] = field(default_factory=dict)


_PATTERNS: Mapping[str, tuple[Severity, str]] = {
    "out-of-hours": ("warning", "charged calls outside {hours}, {days}"),
    "premium": ("warning", "charged calls to premium numbers (19)"),
    "international": ("warning", "charged calls to other countries"),
    "long-calls": ("warning", "charged calls of {long_minutes} minutes and more"),
    "short-repeats": (
        "warning",
        (
            "calls to the same number of {short_seconds} seconds at most, {short_calls} and more "
            "within {short_within_minutes} minutes"
        ),
    ),
}
"""Code of a pattern within the month -> its severity where it has dollars, and what it is."""
CODES = frozenset({*_PATTERNS, "number-new", "number-silent", "jump"})
"""The codes of all findings on behaviour."""


def patterns(seen: Iterable[Seen], of: Behaviour) -> Iterator[Finding]:
    """Yield a finding for each service number with a pattern at or above its threshold."""
    least = {
        "out-of-hours": of.out_of_hours_dollars,
        "premium": of.premium_dollars,
        "international": of.international_dollars,
    }
    hours = {"hours": of.hours, "days": _days(of.days)}
    limits = {name: getattr(of, name) for name in Behaviour.__dataclass_fields__} | hours
    by_code: dict[str, list[Seen]] = {}
    for each in seen:
        if dollars(each.micros) >= least.get(each.code, 0):
            by_code.setdefault(each.code, []).append(each)
    for code, found in sorted(by_code.items()):
        severity, what = _PATTERNS[code]
        yield from _told(code, severity, what.format(**limits), found)


def _days(days: Sequence[str]) -> str:
    """Write some days of the week: ``mon to fri``."""
    places = sorted({WEEKDAYS.index(day) for day in days})
    names = [WEEKDAYS[place] for place in places]
    if len(places) > 2 and places[-1] - places[0] == len(places) - 1:
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names) or "on no day"


def _told(code: str, severity: Severity, what: str, found: Sequence[Seen]) -> Iterator[Finding]:
    """Tell of each number by itself, the dearest first, and of those beyond the most together."""
    ordered = sorted(found, key=lambda each: (-each.micros, -each.calls, each.number))
    for each in ordered[:MOST_TOLD]:
        yield _finding(code, severity, _number(each.number), what, [each])
    if rest := ordered[MOST_TOLD:]:
        yield _finding(code, severity, f"{counted(len(rest), 'other number')}", what, rest)


def _finding(
    code: str, severity: Severity, where: str, what: str, found: Sequence[Seen]
) -> Finding:
    calls, cost = sum(e.calls for e in found), dollars(sum(e.micros for e in found))
    first = found[0]
    about = f", {first.about}" if first.about and len(found) == 1 else ""
    named = [visible(call_id, 40) for call_id in first.examples[:EXAMPLES]]
    examples = f"; for instance {_listed('call', named)}" if named else ""
    return Finding(
        code, severity if cost else "info", where, f"{what}{about}{examples}", calls, cost
    )


# ---- beside the months before -------------------------------------------------------------------


def against_earlier(
    numbers: Mapping[str, tuple[int, int]],
    categories: Mapping[str, tuple[int, int]],
    earlier: Sequence[Month],
    listed: Iterable[str],
    of: Behaviour,
) -> Iterator[Finding]:
    """Yield what is new, what has jumped and what has gone silent since the months before.

    ``numbers`` and ``categories`` are this month's, ``earlier`` the months before it, oldest
    first; ``listed`` are service numbers that the account is known to have now.
    """
    whole = [month for month in earlier if month.is_whole]
    if whole and of.new_numbers:
        known = {number for month in whole for number in month.numbers}
        new = [
            Seen("number-new", number, *figures, ())
            for number, figures in numbers.items()
            if number not in known and number != NONE
        ]
        span = f"{counted(len(whole), 'earlier month')} of the archive"
        yield from _told("number-new", "info", f"a number that had no call in {span}", new)
    trailing = [month for month in earlier[-of.jump_months :] if month.is_whole]
    if of.jump_percent and of.jump_months and len(trailing) >= _LEAST_MONTHS:
        for what, now, before in (
            ("number", numbers, [month.numbers for month in trailing]),
            ("category", categories, [month.categories for month in trailing]),
        ):
            yield from _jumps(what, now, before, of)
    yield from _silent(numbers, earlier, listed, of)


def _jumps(
    what: str,
    now: Mapping[str, tuple[int, int]],
    before: Sequence[Mapping[str, tuple[int, int]]],
    of: Behaviour,
) -> Iterator[Finding]:
    """Yield those whose cost is far above the mean of the months before."""
    for name, (calls, micros) in sorted(now.items()):
        if not any(name in month for month in before):
            continue  # what is new is told as new
        earlier = sum(month.get(name, (0, 0))[1] for month in before)
        # Multiplied, so that nothing is divided and rounded before it is compared.
        above = micros * len(before) - earlier
        if above * 100 < earlier * of.jump_percent or above <= 0:
            continue
        if dollars(above) < of.jump_dollars * len(before):
            continue
        mean = to_text(dollars((2 * earlier + len(before)) // (2 * len(before))), 2, "$")
        where = _number(name) if what == "number" else f"category {visible(name, 60)}"
        yield Finding(
            "jump",
            "warning",
            where,
            f"the cost is far above the mean of the last {len(before)} months, {mean}",
            calls,
            dollars(micros),
        )


def _silent(
    numbers: Mapping[str, tuple[int, int]],
    earlier: Sequence[Month],
    listed: Iterable[str],
    of: Behaviour,
) -> Iterator[Finding]:
    """Yield the numbers that are known but had no call for some months: they may be paid for."""
    lately = earlier[len(earlier) - of.silent_months + 1 :]
    enough = len(lately) == of.silent_months - 1 and all(month.is_whole for month in lately)
    if not of.silent_months or not enough:
        return
    heard = set(numbers).union(*(month.numbers for month in lately))
    known = {number for month in earlier for number in month.numbers}
    silent = sorted(known.union(listed) - heard - {NONE})
    if silent:
        named = [spaced(visible(number, 40)) for number in silent]
        yield Finding(
            "number-silent",
            "info",
            counted(len(silent), "number"),
            f"without a call for {counted(of.silent_months, 'month')}: {_named(named)}",
        )


def _number(number: str) -> str:
    return f"number {spaced(visible(number, 40))}"


def _listed(thing: str, names: Sequence[str]) -> str:
    return f"{thing}{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _named(names: Sequence[str]) -> str:
    """Name some and count the others."""
    shown, rest = names[:_MOST_NAMED], names[_MOST_NAMED:]
    return ", ".join(shown) + (f" and {len(rest)} more" if rest else "")
