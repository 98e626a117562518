"""Bills without a list of calls: what sums, dates and the archive prove, and what they do not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bills import (
    BEFORE,
    CENT,
    END,
    START,
    Call,
    compared,
    found_in,
    random_calls,
    write_bill,
)

from maxo_reports.core.bills.reconcile import Tolerance, hint
from maxo_reports.core.changes import Change, Changes, Content

MONTHS = 12


def in_cents(micros: int) -> int:
    """Round to the cent, half up."""
    return (micros * 2 + CENT) // (2 * CENT) * CENT


def sums(calls: list[Call]) -> dict[str, tuple[int, int]]:
    """Count and add up the charged calls of each category."""
    found: dict[str, tuple[int, int]] = {}
    for call in calls:
        if call.cost:
            count, cost = found.get(call.category, (0, 0))
            found[call.category] = (count + 1, cost + call.cost)
    return found


def lines_of(calls: list[Call]) -> list[Any]:
    """Bill each category as it is, to the cent."""
    return [
        ("calls", name, name, count, in_cents(cost)) for name, (count, cost) in sums(calls).items()
    ]


def classes(result: Any) -> dict[str, int]:
    """Return every step of the waterfall that is not nought."""
    return {step.kind: step.micros for step in result.whole.steps if step.micros}


@pytest.mark.parametrize("seed", range(MONTHS))
def test_random_sums_are_explained_and_a_planted_rest_is_not(seed: int, tmp_path: Path) -> None:
    """Other lines, a line twice, a line renamed: all found; dollars out of the blue stay."""
    random = Random(seed)
    calls = random_calls(random, 80, START, END, 1)
    lines = lines_of(calls)
    planted: Counter[str] = Counter()
    for _, cost in sums(calls).values():
        planted["rounding"] += in_cents(cost) - cost
    lines = random.choice((_with_errors, _with_a_rest))(random, calls, lines, planted)
    lines.append(("sms", "SMS", "", None, 230 * CENT))
    planted["non-call line"] += 230 * CENT
    bill = write_bill(tmp_path / "bill.toml", lines)
    result = compared(tmp_path, calls, bill)
    assert classes(result) == {k: v for k, v in planted.items() if v}
    assert result.whole.passed == (not planted["unexplained"])


def _with_errors(
    random: Random, calls: list[Call], lines: list[Any], planted: Counter[str]
) -> list[Any]:
    """Let a line stand twice, and one have another name, perhaps the same."""
    if random.random() < 0.7:
        twice = random.choice(lines)
        lines.append(twice)
        planted["duplicate"] += twice[4]
    renamed = random.choice(sorted(sums(calls)))
    return [
        (kind, "Other name", "Other name", count, charge)
        if name == renamed
        else (kind, name, name, count, charge)
        for kind, _, name, count, charge in lines
    ]


def _with_a_rest(
    random: Random, calls: list[Call], lines: list[Any], planted: Counter[str]
) -> list[Any]:
    """Bill one row by dollars that no rule of rounding comes to."""
    at = random.randrange(len(lines))
    kind, text, name, count, charge = lines[at]
    rest = random.choice((107 * CENT, -111 * CENT))
    cost = sums(calls)[name][1]
    planted["rounding"] -= in_cents(cost) - cost
    planted["unexplained"] = charge + rest - cost
    lines[at] = (kind, text, name, count, charge + rest)
    return lines


def test_calls_of_another_zones_month_are_listed_with_their_dollars(tmp_path):
    """Sydney has the last hour of Brisbane's October in November; Brisbane bills by its own."""
    calls = [Call("1", START), Call("2", END - 1800, cost=440_000), Call("3", END - 3601)]
    inside = [calls[0], calls[2]]
    bill = write_bill(tmp_path / "bill.toml", lines_of(inside), timezone="Australia/Sydney")
    result = compared(tmp_path, calls, bill)
    assert classes(result) == {"boundary": -440_000}
    assert found_in(result) == Counter({("boundary", (("Mobile", -440_000),), "2"): 1})
    plain = write_bill(tmp_path / "plain.toml", lines_of(inside))
    assert not compared(tmp_path / "b", calls, plain).whole.passed


def test_calls_that_the_bills_month_has_from_the_month_before_come_in(tmp_path):
    """Auckland's October begins three hours before Brisbane's."""
    zone = "Pacific/Auckland"
    others = [Call("1", BEFORE.end - 600, cost=990_000), Call("2", BEFORE.start)]
    calls = [Call("3", START)]
    bill = write_bill(tmp_path / "bill.toml", lines_of([others[0], *calls]), timezone=zone)
    assert classes(compared(tmp_path, calls, bill, others=others)) == {"boundary": 990_000}


def changed(call: Call, before: Call | None, after: Call | None) -> Change:
    """Make what became of a record."""

    def content(of: Call | None) -> Content | None:
        if of is None:
            return None
        return Content(
            of.unixtime, "Outbound", of.a_party, of.to, of.category, "", of.seconds, of.cost, ""
        )

    kind = "added" if before is None else "removed" if after is None else "re-priced"
    return Change(kind, call.call_id, content(before), content(after))


def test_records_that_changed_after_the_bill_explain_it(tmp_path):
    """Late, gone, re-priced and re-labelled records: the bill is of the records as they were."""
    late, gone = Call("late", START + 1, cost=110_000), Call("gone", START + 2, cost=220_000)
    priced = Call("priced", START + 3, cost=330_000)
    named = Call("named", START + 4, cost=440_000)
    then = [gone, priced, replace(named, category="Local"), Call("same", START + 5)]
    now = [late, replace(priced, cost=550_000), named, Call("same", START + 5)]
    changes = Changes(
        1,
        (
            changed(late, None, late),
            changed(gone, gone, None),
            changed(priced, priced, replace(priced, cost=550_000)),
            changed(named, replace(named, category="Local"), named),
        ),
    )
    bill = write_bill(tmp_path / "bill.toml", lines_of(then))
    result = compared(tmp_path, now, bill, changes=changes)
    assert found_in(result) == Counter(
        {
            ("late", (("Mobile", -110_000),), "late"): 1,
            ("missing", (("Mobile", 220_000),), "gone"): 1,
            ("re-rated", (("Mobile", -220_000),), "priced"): 1,
            ("re-labelled", (("Local", 440_000), ("Mobile", -440_000)), "named"): 1,
        }
    )
    assert result.whole.unexplained == 0
    assert compared(tmp_path / "b", now, bill).whole.unexplained > 0


def test_each_call_rounded_up_is_rounding_and_a_cent_more_is_not(tmp_path):
    """Three calls of 0.1234 are 0.39 with each one rounded up; 0.40 nobody can explain."""
    calls = [Call(f"{n}", START + n, cost=123_400) for n in range(3)]
    up = write_bill(tmp_path / "up.toml", [("calls", "Mobile", "Mobile", 3, 39 * CENT)])
    result = compared(tmp_path / "a", calls, up)
    assert classes(result) == {"rounding": 39 * CENT - 370_200}
    more = write_bill(tmp_path / "more.toml", [("calls", "Mobile", "Mobile", 3, 40 * CENT)])
    result = compared(tmp_path / "b", calls, more)
    assert classes(result) == {"unexplained": 40 * CENT - 370_200}
    (row,) = result.whole.rows
    assert "another rate" in hint(row)


def test_calls_moved_from_one_category_to_another_are_told_by_number_and_dollars(tmp_path):
    """One call fewer here and one more there, for the same dollars."""
    calls = [Call(f"{n}", START + n) for n in range(4)]
    calls += [Call(f"{n}", START + n, category="Local", cost=100_000) for n in range(4, 8)]
    lines = [
        ("calls", "Mobile", "Mobile", 3, 750_000),
        ("calls", "Local", "Local", 5, 650_000),
    ]
    bill = write_bill(tmp_path / "bill.toml", lines)
    result = compared(tmp_path, calls, bill)
    moved = (("Local", 250_000), ("Mobile", -250_000))
    assert found_in(result) == Counter({("re-labelled", moved, ""): 1})
    uncounted = write_bill(tmp_path / "b.toml", [(*line[:3], None, line[4]) for line in lines])
    assert compared(tmp_path / "b", calls, uncounted).whole.unexplained == 500_000


def test_too_much_here_does_not_hide_behind_too_little_there(tmp_path):
    """The tolerance is for all rows added up without their signs."""
    calls = [Call("1", START), Call("2", START, category="Local", cost=500_000)]
    lines = [
        ("calls", "Mobile", "Mobile", 1, 350_000),
        ("calls", "Local", "Local", 1, 400_000),
    ]
    bill = write_bill(tmp_path / "bill.toml", lines)
    result = compared(tmp_path, calls, bill, tolerance=Tolerance(199_999))
    assert result.whole.steps[-1].micros == 0
    assert result.whole.unexplained == 200_000
    assert not result.whole.passed
    assert compared(tmp_path / "b", calls, bill, tolerance=Tolerance(200_000)).whole.passed


def test_one_line_for_all_calls_is_held_against_their_sum(tmp_path):
    """And what it does not come to is unexplained, in that row."""
    calls = [Call("1", START), Call("2", START, category="Local", cost=500_000)]
    bill = write_bill(tmp_path / "bill.toml", [("calls", "Usage", "", 2, 760_000)])
    result = compared(tmp_path, calls, bill)
    assert [(row.name, row.unexplained) for row in result.whole.rows] == [("(all calls)", 10_000)]


def test_a_line_called_rounding_is_believed_up_to_five_cents(tmp_path):
    """A larger one explains nothing."""
    calls = [Call("1", START)]
    for micros, left in ((5 * CENT, 0), (6 * CENT, 6 * CENT)):
        lines = [*lines_of(calls), ("rounding", "Rounding", "", None, micros)]
        bill = write_bill(tmp_path / f"{micros}.toml", lines)
        assert compared(tmp_path / f"{micros}", calls, bill).whole.unexplained == left


def test_of_two_rows_that_have_too_few_neither_is_said_to_have_moved(tmp_path):
    """Two calls too few in each of two, two too many in a third: nobody knows whose they are."""
    names = ("Local", "Mobile", "National")
    calls = [
        Call(f"{at}{n}", START + n * 600 + at, category=name, cost=5 * CENT)
        for at, name in enumerate(names)
        for n in range(10)
    ]
    said = zip(names, (8, 8, 12), strict=True)
    lines = [("calls", name, name, count, count * 5 * CENT) for name, count in said]
    result = compared(tmp_path, calls, write_bill(tmp_path / "bill.toml", lines))
    assert not result.whole.differences
    assert result.whole.unexplained == 30 * CENT
