"""Printed lists read back: right ones pass whatever their texts, and any lie is named."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from printed import CHECKS, SUMMARY, itemised, month_of, painted, printed_report

from maxo_reports.core.report import CALL_COLUMNS, OF_THE_CARRIER, CallLine, Report
from maxo_reports.errors import TieOutError
from maxo_reports.render.pdf import listing
from maxo_reports.tieout import tie_out, words

CALLS = month_of(140, 3)


@pytest.fixture(params=[words.POPPLER, words.PDFIUM])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read with one program, then with the other."""
    if request.param == words.PDFIUM:
        monkeypatch.setattr(words.shutil, "which", lambda _: None)
    elif shutil.which("pdftotext") is None:
        pytest.skip("poppler's pdftotext is not here")
    return request.param


def report(calls: Sequence[CallLine]) -> Report:
    """Build the report that the lies are told about."""
    return printed_report(calls, attach=["calls.csv"])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the right PDF of these calls, painted quickly."""
    return painted(report(CALLS), tmp_path_factory.mktemp("lists") / "a.pdf", quick=True)


def test_a_right_list_ties_out(reader: str, path: Path) -> None:
    """Every call is counted; every figure of it, of the sums and of the attached file."""
    tied = tie_out("pdf", path, report(CALLS))
    assert (tied.reader, tied.calls) == (reader, len(CALLS))
    assert tied.figures > len(CALLS) * (9 + len(OF_THE_CARRIER))


def _other(key: str, value: object) -> object:
    if isinstance(value, int):
        return value + (10_000 if key == "cost" else 1)
    return f"{value}9" if str(value)[:1].isdigit() else f"Un{value}"


@pytest.mark.parametrize("key", [key for key in OF_THE_CARRIER if key != "service_number"])
def test_any_cell_that_differs_is_named(reader: str, path: Path, key: str) -> None:
    """The page, the call, what is printed and what the ledger has."""
    at = random.Random(key).randrange(len(CALLS))
    wrong = CALLS[at]._replace(**{key: _other(key, getattr(CALLS[at], key))})
    calls = [*CALLS[:at], wrong, *CALLS[at + 1 :]]
    with pytest.raises(TieOutError, match=r"page [0-9]+, 'Calls': .* in the file, .* in the led"):
        tie_out("pdf", path, report(calls))


def test_a_call_that_is_missing_or_too_many_is_named(reader: str, path: Path) -> None:
    """In the middle, at the end of the list, and of a whole group."""
    for calls in (
        CALLS[:70] + CALLS[71:],
        CALLS[:-1],
        [*CALLS, CALLS[-1]._replace(call_id="1")],
        [call for call in CALLS if call.service_number != "1300975707"],
    ):
        with pytest.raises(TieOutError, match="'Calls'"):
            tie_out("pdf", path, report(calls))


def test_calls_in_another_order_are_named(reader: str, path: Path) -> None:
    """Two calls of the same number that changed places."""
    one, two = [n for n, call in enumerate(CALLS) if call.service_number == "0255500140"][:2]
    calls = list(CALLS)
    calls[one], calls[two] = (
        CALLS[two]._replace(started=CALLS[one].started),
        CALLS[one]._replace(started=CALLS[two].started),
    )
    with pytest.raises(TieOutError, match="'Calls'"):
        tie_out("pdf", path, report(calls))


@pytest.mark.parametrize("mark", ["Carried forward", "Brought forward", "Subtotal", "Total"])
def test_a_sum_that_is_printed_wrong_is_caught(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """The painter is made to lie in one kind of line, everywhere else it is right."""
    told = listing.said
    monkeypatch.setattr(
        listing,
        "said",
        lambda kind, sums: (
            told(kind, sums._replace(calls=sums.calls + 1))
            if told(kind, sums).startswith(mark)
            else told(kind, sums)
        ),
    )
    wrong = painted(report(CALLS), tmp_path / "wrong.pdf", quick=True)
    with pytest.raises(TieOutError, match=rf"page [0-9]+, 'Calls': '{mark}, .*in the ledger"):
        tie_out("pdf", wrong, report(CALLS))


@pytest.mark.parametrize("key", ["seconds", "cost"])
def test_a_sum_of_figures_that_is_wrong_is_caught(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """A subtotal that is one second, or one cent, too high."""
    pieces = listing.Listing._pieces

    def lie(self: listing.Listing, entry: listing.Entry) -> tuple[listing.Piece, ...]:
        if entry.mark is listing.Mark.SUBTOTAL:
            assert entry.sums is not None
            more = getattr(entry.sums, key) + (1 if key == "seconds" else 10_000)
            entry = entry._replace(sums=entry.sums._replace(**{key: more}))
        return pieces(self, entry)

    monkeypatch.setattr(listing.Listing, "_pieces", lie)
    wrong = painted(report(CALLS), tmp_path / "wrong.pdf", quick=True)
    with pytest.raises(TieOutError, match=r"'Subtotal, .*in the ledger"):
        tie_out("pdf", wrong, report(CALLS))


def test_an_attached_file_that_differs_is_named(path: Path, tmp_path: Path) -> None:
    """In a field, in the number of lines, or by not being there."""
    made = report(CALLS)
    other = CALLS[5]._replace(status="Lost.")
    lied = replace(made, calls=report([*CALLS[:5], other, *CALLS[6:]]).calls)
    with pytest.raises(TieOutError, match=r"calls\.csv line 7 status: .* 'Lost\.' in the ledger"):
        tie_out("pdf", path, lied)
    shorter = replace(made, calls=report(CALLS[:-1]).calls)
    with pytest.raises(TieOutError, match=r"calls\.csv line 141: a call in the file, no call in"):
        tie_out("pdf", path, shorter)
    bare = painted(printed_report(CALLS), tmp_path / "bare.pdf", quick=True)
    with pytest.raises(TieOutError, match=r"bare\.pdf does not have calls\.csv attached"):
        tie_out("pdf", bare, made)


@pytest.mark.parametrize("seed", range(4))
def test_right_lists_of_odd_texts_give_no_false_alarm(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any columns in any order, in groups or not, painted and read in either way."""
    dice = random.Random(seed)
    show = tuple(dice.sample(list(CALL_COLUMNS), dice.randint(2, 10)))
    section = itemised(show=show, group_by=dice.choice([(), ("service_number",)]))
    calls = month_of(dice.choice([1, 30, 120]), seed, odd=True)
    made = printed_report(calls, SUMMARY, section, CHECKS, attach=["calls.csv"])
    path = painted(made, tmp_path / "odd.pdf", quick=seed % 3 > 0)
    assert tie_out("pdf", path, made).calls == len(calls)
    monkeypatch.setattr(words.shutil, "which", lambda _: None)
    assert tie_out("pdf", path, made).calls == len(calls)


def test_a_page_is_forgotten_when_it_is_read(path: Path) -> None:
    """Pages come one by one, so a long list needs the memory of one page."""
    _, pages = words.pages(path)
    first = next(pages)
    assert first[0].page == 1
    assert re.fullmatch("Calls", " ".join(next(pages)[0].words))
    pages.close()
