"""The manifest: money as text, moments with their offset, the same names for scripts and packs."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import pytest
from carriers import BRISBANE, SYDNEY
from hypothesis import given
from hypothesis import strategies as st

from maxo_reports import __version__, engine, manifest
from maxo_reports.core.checks import Check, Completeness, Finding, State, WindowLine
from maxo_reports.core.heading import Heading
from maxo_reports.core.ledger import Intake, Ledger, Totals
from maxo_reports.core.period import Window, parse_period
from maxo_reports.core.report import Source
from reports import NoLines

GOLD = engine.sample() / "pack"
MONEY = st.decimals(min_value=-(10**9), max_value=10**9, places=6)


def numbers(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number in a JSON document, and where it stands."""
    if isinstance(content, Mapping):
        for key, each in content.items():
            yield from numbers(each, f"{path}.{key}")
    elif isinstance(content, Sequence) and not isinstance(content, str):
        for each in content:
            yield from numbers(each, path)
    elif isinstance(content, (int, float)) and not isinstance(content, bool):
        yield path, content


@pytest.mark.parametrize("name", ["manifest.json", "completeness.json"])
def test_no_number_of_a_pack_is_a_fraction_and_no_dollar_is_a_number(name: str) -> None:
    """Readers of JSON round fractions: what is money is text, and counts are whole."""
    content = json.loads((GOLD / name).read_bytes())
    found = dict(numbers(content))
    assert found
    for path, number in found.items():
        assert isinstance(number, int), path
        assert not any(word in path for word in ("cost", "dollars")), path
    assert content["control_totals"]["cost"] == "295.9048"


@given(cost=MONEY, counts=st.tuples(*[st.integers(0, 10**9)] * 4))
def test_totals_come_back_as_they_were(cost: Decimal, counts: tuple[int, int, int, int]) -> None:
    """Law: through JSON and back, every figure is the same, whatever reads the numbers."""
    said = json.loads(json.dumps(manifest.totals(Totals(*counts, cost))))
    assert list(said) == ["calls", "connected_calls", "charged_calls", "seconds", "cost"]
    assert Decimal(said["cost"]) == cost
    assert "e" not in said["cost"].lower()
    assert len(said["cost"].partition(".")[2]) >= 2
    names = ("calls", "connected_calls", "charged_calls", "seconds")
    assert tuple(said[name] for name in names) == counts


def test_records_are_an_equation() -> None:
    """What was received, and what became of it."""
    assert manifest.records(Intake(10, 7, 2, 1)) == {
        "received": 10,
        "ledger": 7,
        "repeats": 2,
        "outside": 1,
    }


@pytest.mark.parametrize(
    ("label", "zone", "day", "start", "end"),
    [
        ("2026-10", SYDNEY, 1, "2026-10-01T00:00:00+10:00", "2026-11-01T00:00:00+11:00"),
        ("2026-04", SYDNEY, 1, "2026-04-01T00:00:00+11:00", "2026-05-01T00:00:00+10:00"),
        ("2026-10", BRISBANE, 15, "2026-10-15T00:00:00+10:00", "2026-11-15T00:00:00+10:00"),
        (
            "2026-10-01..2026-10-05",
            "Australia/Adelaide",
            1,
            "2026-10-01T00:00:00+09:30",
            "2026-10-05T00:00:00+10:30",
        ),
    ],
)
def test_a_periods_edges_are_moments(
    label: str, zone: str, day: int, start: str, end: str
) -> None:
    """ISO 8601 with the offset that holds there, so that no reader has to know the zone."""
    period = parse_period(label, zone, date(2026, 11, 20), day)
    said = manifest.period(period)
    assert said == {"label": label, "start": start, "end": end, "timezone": zone}
    edges = [int(datetime.fromisoformat(said[edge]).timestamp()) for edge in ("start", "end")]
    assert edges == [period.start, period.end]


def test_findings_are_plain_objects() -> None:
    """All that a finding says, dollars as text."""
    found = Finding("credit", "info", 'call "7"', "a <credit>", 2, Decimal("-0.3"))
    assert manifest.findings([found]) == [
        {
            "code": "credit",
            "severity": "info",
            "where": 'call "7"',
            "message": "a <credit>",
            "calls": 2,
            "dollars": "-0.30",
        }
    ]


def heading(**changes: Any) -> Heading:
    """Make the heading of a settled month."""
    period = parse_period("2026-10", SYDNEY, date(2026, 11, 20))
    given = {
        "account_id": "acme",
        "account_name": "Acme",
        "period": period,
        "state": State("settled"),
        "cost_gst": "unknown",
        "pulled_at": datetime(2026, 11, 4),
        **changes,
    }
    return Heading(**given)


def test_the_basis_is_another_wherever_a_file_would_be() -> None:
    """Each thing that shows in a file is part of the basis; when it was pulled is not."""
    plain = manifest.basis(heading(), "c1", {"statement": "d1"}, "t1", {})
    assert json.loads(json.dumps(plain)) == plain
    assert plain["version"] == __version__
    others = [
        manifest.basis(heading(account_id="acne"), "c1", {"statement": "d1"}, "t1", {}),
        manifest.basis(heading(account_name="Acne"), "c1", {"statement": "d1"}, "t1", {}),
        manifest.basis(heading(cost_gst="inclusive"), "c1", {"statement": "d1"}, "t1", {}),
        manifest.basis(
            heading(state=State("provisional", ("a",))), "c1", {"statement": "d1"}, "t1", {}
        ),
        manifest.basis(
            heading(state=State("provisional", ("b",))), "c1", {"statement": "d1"}, "t1", {}
        ),
        manifest.basis(
            heading(period=parse_period("2026-10", BRISBANE, date(2026, 11, 20))),
            "c1",
            {"statement": "d1"},
            "t1",
            {},
        ),
        manifest.basis(heading(), "c2", {"statement": "d1"}, "t1", {}),
        manifest.basis(heading(), "c1", {"statement": "d2"}, "t1", {}),
        manifest.basis(heading(), "c1", {"statement": "d1", "second": "d1"}, "t1", {}),
        manifest.basis(heading(), "c1", {"statement": "d1"}, "t2", {}),
        manifest.basis(heading(), "c1", {"statement": "d1"}, "t1", {"2026-09": "c0"}),
        manifest.basis(heading(), "c1", {"statement": "d1"}, "t1", {"2026-09": "c1"}),
    ]
    assert len({json.dumps(each) for each in (plain, *others)}) == 1 + len(others)
    later = heading(pulled_at=datetime(2027, 1, 1))
    assert manifest.basis(later, "c1", {"statement": "d1"}, "t1", {}) == plain


def test_the_certificate_says_windows_in_both_times() -> None:
    """Unix seconds for programs, local time for people, across the hour that is not there."""
    of = heading()
    middle = 1_791_043_200  # 2026-10-04 02:00:00 +10:00, which Sydney's clocks call 03:00
    echo = ("2026-10-01 00:00:00", "2026-10-04 03:00:00", SYDNEY)
    windows = (
        WindowLine(Window(of.period.start, middle), 3, "ab" * 32, 2, echo),
        WindowLine(Window(middle, of.period.end), 4, "cd" * 32, 1, ("x", "y", "z")),
    )
    checks = (Check("a title", "1", "2"), Check("another", "$1.00", "$1.00"))
    completeness = Completeness(
        windows, 1, 2, second_look=False, depth="light", crosschecks=checks
    )
    totals = Totals(7, 6, 5, 400, Decimal("1.5"))
    ledger = Ledger((), (), totals, Intake(7, 7, 0, 0))
    source = Source(of, ledger, (), checks, NoLines(), (), completeness)
    said = manifest.completeness(source)
    assert said["windows"][0] == {
        "start": of.period.start,
        "end": middle,
        "start_local": "2026-10-01 00:00:00",
        "end_local": "2026-10-04 03:00:00",
        "records": 3,
        "tries": 2,
        "sha256": "ab" * 32,
        "echo": {"start": echo[0], "end": echo[1], "timezone": SYDNEY},
    }
    assert said["windows"][1]["end_local"] == "2026-11-01 00:00:00"
    assert (said["full_replies_split"], said["replies_refused"]) == (1, 2)
    assert said["second_look_agrees"] is False
    assert said["crosschecks"] == {
        "depth": "light",
        "results": [
            {"check": "a title", "expected": "1", "found": "2", "passed": False},
            {"check": "another", "expected": "$1.00", "found": "$1.00", "passed": True},
        ],
    }
    assert said["control_totals"]["cost"] == "1.50"


def test_a_pack_names_what_made_it() -> None:
    """The replies by hash, the libraries and the language by version."""
    said = json.loads((GOLD / "manifest.json").read_bytes())
    assert said["program"] == manifest.PROGRAM == f"maxo-reports {__version__}"
    assert set(said["libraries"]) == set(manifest._LIBRARIES)
    assert said["python"].split(".")[0] == platform.python_version_tuple()[0]
    assert all(version(name) for name in said["libraries"])
    assert sum(reply["count"] for reply in said["replies"]) == said["records"]["received"]
    certificate = json.loads((GOLD / "completeness.json").read_bytes())
    accepted = [r["sha256"] for r in said["replies"] if r["verdict"] == "accepted"]
    assert [window["sha256"] for window in certificate["windows"]] == accepted
