"""Checks and findings: what must be equal, and what a person should know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from carriers import BRISBANE, OCTOBER

from maxo_reports.core import cdr
from maxo_reports.core.checks import (
    Check,
    Finding,
    State,
    checks,
    findings,
    needs_a_person,
    state,
    worst_first,
)
from maxo_reports.core.ledger import NOTHING, FieldCount, Group, Intake, Ledger, QuirkCount, Totals
from maxo_reports.core.period import Window, parse_period

PERIOD = parse_period("2026-10", BRISBANE, date(2026, 11, 20))
MIDDLE = OCTOBER + 86_400
WINDOWS = (Window(OCTOBER, MIDDLE), Window(MIDDLE, PERIOD.end))
ONE = Totals(2, 1, 1, 60, Decimal("0.25"))
TWO = Totals(1, 1, 1, 5, Decimal("-0.05"))
ALL = Totals(3, 2, 2, 65, Decimal("0.20"))
LEDGER = Ledger(
    (Group(("Local", "Outbound", "1"), ONE), Group(("Mobile", "Outbound", "1"), TWO)),
    ((date(2026, 10, 1), TWO), (date(2026, 10, 2), ONE)),
    ALL,
    Intake(received=7, ledger=3, repeats=2, outside=2),
)


def _failed(ledger: Ledger, *windows: Window) -> list[str]:
    made = checks(ledger, PERIOD, windows or WINDOWS)
    return [check.title for check in made if not check.passed]


def test_a_ledger_that_ties_out_passes_every_check() -> None:
    """Records, groups, days and windows agree, in any order of the windows."""
    assert _failed(LEDGER) == []
    assert _failed(LEDGER, *WINDOWS[::-1]) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda ledger: replace(ledger, intake=replace(ledger.intake, received=8)),
        lambda ledger: replace(ledger, intake=replace(ledger.intake, repeats=1)),
        lambda ledger: replace(ledger, intake=replace(ledger.intake, outside=3)),
        lambda ledger: replace(ledger, groups=ledger.groups[:1]),
        lambda ledger: replace(ledger, groups=(*ledger.groups, *ledger.groups[:1])),
        lambda ledger: replace(ledger, days=ledger.days[1:]),
        lambda ledger: replace(ledger, control=replace(ALL, calls=4)),
        lambda ledger: replace(ledger, control=replace(ALL, connected=3)),
        lambda ledger: replace(ledger, control=replace(ALL, charged=3)),
        lambda ledger: replace(ledger, control=replace(ALL, seconds=66)),
        lambda ledger: replace(ledger, control=replace(ALL, cost=Decimal("0.200001"))),
    ],
)
def test_any_figure_that_is_off_fails_a_check(spoil: Callable[[Ledger], Ledger]) -> None:
    """One call, one second or a millionth of a dollar is enough."""
    assert _failed(spoil(LEDGER))


@pytest.mark.parametrize(
    "windows",
    [
        WINDOWS[:1],
        WINDOWS[1:],
        (Window(OCTOBER, MIDDLE), Window(MIDDLE + 1, PERIOD.end)),
        (Window(OCTOBER, MIDDLE), Window(MIDDLE - 1, PERIOD.end)),
        (Window(OCTOBER, MIDDLE), *WINDOWS),
        (Window(OCTOBER + 1, PERIOD.end),),
        (Window(OCTOBER, PERIOD.end - 1),),
        (Window(OCTOBER, PERIOD.end + 1),),
        (Window(OCTOBER, MIDDLE), Window(OCTOBER, PERIOD.end)),
    ],
)
def test_windows_that_do_not_tile_the_period_fail(windows: tuple[Window, ...]) -> None:
    """A second too few or too many, at an edge or between, is told."""
    (title,) = _failed(LEDGER, *windows)
    assert title.startswith("Windows cover the period")


def test_no_windows_cover_nothing() -> None:
    """A pull without any window is not a month without calls."""
    (failed,) = (check for check in checks(LEDGER, PERIOD, ()) if not check.passed)
    assert failed.found == "nothing"


def test_a_check_says_both_figures() -> None:
    """A failed check shows what was expected and what was found."""
    assert Check("x", "1", "1").passed
    assert not Check("x", "1", "2").passed


def test_a_quiet_month_has_no_findings() -> None:
    """Nothing odd, nothing to say; then nobody is needed."""
    quiet = replace(LEDGER, intake=Intake(3, 3, 0, 0))
    assert findings(quiet) == ()
    assert not needs_a_person(())


@pytest.mark.parametrize("code", sorted(cdr.QUIRKS))
@pytest.mark.parametrize("cost", ["0", "1.50", "-1.50"])
def test_every_oddity_of_a_call_becomes_a_finding(code: str, cost: str) -> None:
    """No mark that reading a call can set is without its finding, count and dollars."""
    count = QuirkCount(code, 2, Decimal(cost), "722954181")
    intake = Intake(3, 3, 0, 0, quirks=(count,))
    (finding,) = findings(replace(LEDGER, intake=intake))
    assert (finding.code, finding.calls, finding.dollars) == (code, 2, Decimal(cost))
    assert "722954181" in finding.where
    assert finding.message
    assert finding.severity in {"info", "warning", "error"}


def test_marks_are_single_bits_of_their_own() -> None:
    """Two oddities never share a bit."""
    bits = list(cdr.QUIRKS.values())
    assert len(set(bits)) == len(bits)
    assert all(bit.bit_count() == 1 for bit in bits)


def test_an_unreadable_cost_and_a_conflict_are_errors() -> None:
    """What may change the figures keeps the pack provisional and needs a person."""
    unreadable = QuirkCount("cost-unreadable", 1, Decimal(0), "1")
    intake = Intake(5, 3, 2, 0, conflicting=1, quirks=(unreadable,))
    found = findings(replace(LEDGER, intake=intake))
    errors = {finding.code for finding in found if finding.severity == "error"}
    assert errors == {"cost-unreadable", "repeat-differs"}
    assert needs_a_person(found)


def test_repeats_are_split_into_same_and_other_content() -> None:
    """Of five repeats two differ: two findings, of two and of three calls."""
    found = findings(replace(LEDGER, intake=Intake(8, 3, 5, 0, conflicting=2)))
    assert {f.code: f.calls for f in found} == {"repeat-differs": 2, "repeat": 3}


def test_records_out_of_place_and_unknown_fields_are_told() -> None:
    """Outside records and unknown fields inform; records of another window warn."""
    fields = (FieldCount("tag", 3, Decimal("0.75")), FieldCount("x" * 500, 1, Decimal(0)))
    intake = Intake(9, 3, 2, 4, astray=2, unknown_fields=fields)
    found = findings(replace(LEDGER, intake=intake))
    by_code = {(f.code, f.severity, f.calls) for f in found}
    assert {
        ("outside-period", "info", 4),
        ("outside-window", "warning", 2),
        ("unknown-field", "info", 3),
        ("unknown-field", "info", 1),
    } < by_code
    assert all(len(f.where) < 100 for f in found)
    assert [f.dollars for f in found if f.where == "field tag"] == [Decimal("0.75")]


def test_the_worst_comes_first() -> None:
    """Errors, then warnings, then information, each by code and place."""
    made = [
        Finding("b", "info", "x", ""),
        Finding("b", "error", "x", ""),
        Finding("a", "warning", "y", ""),
        Finding("a", "warning", "x", ""),
        Finding("a", "error", "x", ""),
    ]
    order = [(f.severity, f.code, f.where) for f in worst_first(made)]
    assert order == [
        ("error", "a", "x"),
        ("error", "b", "x"),
        ("warning", "a", "x"),
        ("warning", "a", "y"),
        ("info", "b", "x"),
    ]


@pytest.mark.parametrize(
    ("severity", "needed"), [("info", False), ("warning", True), ("error", True)]
)
def test_warnings_and_errors_need_a_person(severity: str, needed: bool) -> None:
    """Information alone needs nobody."""
    assert needs_a_person([Finding("a", severity, "", "")]) is needed  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pulled_at", "says"),
    [
        (PERIOD.end - 1, "was not over"),
        (PERIOD.end, "less than 72 hours"),
        (PERIOD.end + 72 * 3600 - 1, "less than 72 hours"),
    ],
)
def test_a_month_is_provisional_until_it_is_over_and_settled(pulled_at: int, says: str) -> None:
    """Carriers add and re-price calls after the fact: to the second, and with a second look."""
    found = state(PERIOD, pulled_at, 72, (), second_look=True)
    assert found.word == "provisional"
    assert says in found.reasons[0]


def test_a_month_is_settled_when_it_is_old_enough_and_was_looked_at_again() -> None:
    """At the very second at which the settle time is over."""
    old = PERIOD.end + 72 * 3600
    assert state(PERIOD, old, 72, (), second_look=True) == State("settled")
    assert state(PERIOD, old, 72, (), second_look=None).word == "provisional"


def test_an_error_keeps_any_month_provisional() -> None:
    """However old: an unreadable cost may still become a number."""
    old = PERIOD.end + 10**7
    errors = [Finding("cost-unreadable", "error", "", ""), Finding("x", "warning", "", "")]
    found = state(PERIOD, old, 72, errors, second_look=True)
    assert found.word == "provisional"
    assert found.reasons == ("findings that change figures: cost-unreadable",)


def test_an_empty_month_ties_out() -> None:
    """No calls at all: every check passes, and says so with zeros."""
    empty = Ledger((), ((date(2026, 10, 1), NOTHING),), NOTHING, Intake(0, 0, 0, 0))
    assert _failed(empty) == []
