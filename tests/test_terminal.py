"""Progress: shown to people, silent for programs, and obeying no word of the carrier's."""

from __future__ import annotations

import io

import pytest

from maxo_reports.core.period import Window
from maxo_reports.errors import Unreachable
from maxo_reports.job import Progress
from maxo_reports.pull import Look
from maxo_reports.terminal import shown

HOURS = Window(0, 7200)


class Terminal(io.StringIO):
    """A stream that says that a person is looking."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Open a terminal of a known size that understands escapes."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def test_nothing_is_said_where_nobody_looks() -> None:
    """A file or a pipe gets not one byte."""
    stream = io.StringIO()
    with shown(stream) as progress:
        assert type(progress) is Progress
        progress.step("Asking")
        progress.pulled(Look(1, 2, 3, 4))
        progress.far(1, 2)
        progress.failed_try(HOURS, 1, Unreachable("busy"), 1.0)
    assert stream.getvalue() == ""


def test_steps_and_counts_are_shown_and_taken_away(terminal: Terminal) -> None:
    """A person sees what is being done; afterwards the line is empty for what is printed."""
    with shown(terminal) as progress:
        progress.step("Asking the carrier for the calls")
        progress.pulled(Look(50, 100, 12_345, 7))
        progress._bars.refresh()  # type: ignore[attr-defined]
        progress.step("Grouping the calls")
        progress._bars.refresh()  # type: ignore[attr-defined]
    said = terminal.getvalue()
    assert "Asking the carrier for the calls" in said
    assert "12,345 calls in 7 requests" in said
    assert "Grouping the calls" in said
    assert said.rstrip().endswith("\x1b[2K"), "the last line is erased"


def test_the_pages_of_a_long_file_are_counted(terminal: Terminal) -> None:
    """A list of a hundred thousand calls is seen to go on."""
    with shown(terminal) as progress:
        progress.step("Writing itemised.pdf")
        progress.far(300, 1_734)
        progress._bars.refresh()  # type: ignore[attr-defined]
    assert "300 of 1,734 pages" in terminal.getvalue()


def test_a_failed_try_is_told_once_it_is_asked_again(terminal: Terminal) -> None:
    """With why, and how long it waits; the last one is the run's own error, not told here."""
    with shown(terminal) as progress:
        progress.failed_try(HOURS, 2, Unreachable("the server is busy"), 1.25)
        progress.failed_try(HOURS, 3, Unreachable("given up"), 0.0)
    said = terminal.getvalue()
    assert "try 2 for a window of 2.0 hours: the server is busy; asking again in 1.2 s" in said
    assert "given up" not in said


@pytest.mark.parametrize("words", ["[/bold]", "[red]text[/red]", ":smile:", "[link=x]y[/link]"])
def test_the_carriers_words_are_shown_and_not_obeyed(terminal: Terminal, words: str) -> None:
    """Brackets in a refusal, or in a file's name, are brackets: no colour, no crash."""
    with shown(terminal) as progress:
        progress.failed_try(HOURS, 1, Unreachable(f"it says: {words}"), 1.0)
        progress.step(f"Writing {words}.xlsx")
        progress._bars.refresh()  # type: ignore[attr-defined]
    said = terminal.getvalue()
    assert f"it says: {words}; asking" in said
    assert f"Writing {words}.xlsx" in said
