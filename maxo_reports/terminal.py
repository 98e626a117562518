"""Words for a terminal: progress, with silence where nobody is looking, and tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, TextIO

from maxo_reports.config import Account
from maxo_reports.core.period import LocalClock, Window
from maxo_reports.core.text import counted
from maxo_reports.errors import CarrierError
from maxo_reports.job import Progress
from maxo_reports.probe import Probed
from maxo_reports.pull import Look

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


@contextmanager
def shown(stream: TextIO) -> Iterator[Progress]:
    """Show progress while the body runs, if ``stream`` is a terminal."""
    if not stream.isatty():
        yield Progress()
        return
    # Slow to load, and only for people.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars  # noqa: PLC0415

    with Bars(
        SpinnerColumn(),
        # No markup: a bracket in a file's name, or in the carrier's words, is a bracket.
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[tail]}"),
        TimeElapsedColumn(),
        console=Console(file=stream),
        transient=True,
    ) as bars:
        yield _OnTerminal(bars)


_WIDTHS = (14, 27, 26, 27)
"""Of a probe's table: verdict, question, what we rely on, what was seen."""


def answers(account: Account, probed: Probed) -> list[str]:
    """Lay the answers of a probe out as a table."""
    clock = LocalClock.over(account.timezone, probed.span.start, probed.span.end)
    first, last = clock.local(probed.span.start), clock.local(probed.span.end - 1)
    seen = f"{counted(probed.calls, 'call')} looked at in {counted(probed.requests, 'request')}"
    rows = [("verdict", "question", "we rely on", "seen")]
    rows += [(a.verdict, a.question.asks, a.question.relied, a.seen) for a in probed.lines]
    unknown = sum(1 for line in probed.lines if line.verdict == "cannot be told")
    counts = f"{probed.differing} of {counted(len(probed.lines), 'answer')} differ"
    return [
        f"{account.name}, {first:%d %b %Y} to {last:%d %b %Y} ({clock.zone}): {seen}",
        "",
        *_table(rows, _WIDTHS, ["", *(line.means for line in probed.lines)]),
        "",
        f"{counts}, {unknown} cannot be told",
        *([probed.advice] if probed.advice else []),
    ]


def _table(
    rows: Sequence[Sequence[str]], widths: Sequence[int], notes: Sequence[str]
) -> list[str]:
    """Lay rows out in columns of fixed widths, long texts on several lines; a note below a row."""
    lines: list[str] = []
    whole = sum(widths) + 2 * (len(widths) - 1)
    margin = " " * (widths[0] + 2)
    for row, note in zip(rows, notes, strict=True):
        cells = [textwrap.wrap(text, width) for text, width in zip(row, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            pairs = zip(parts, widths, strict=True)
            lines.append("  ".join(f"{part:<{width}}" for part, width in pairs).rstrip())
        lines += textwrap.wrap(note, whole, initial_indent=margin, subsequent_indent=margin)
    return lines


class _OnTerminal(Progress):
    """One line a step: what is being done, how far it is, and for how long."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("Starting", total=None, tail="")

    def step(self, name: str) -> None:
        """Begin a step."""
        self._bars.remove_task(self._task)
        self._task = self._bars.add_task(name, total=None, tail="")

    def far(self, done: int, total: int) -> None:
        """Show how many pages of a long file are done."""
        tail = f"{done:,} of {total:,} pages"
        self._bars.update(self._task, completed=done, total=total, tail=tail)

    def pulled(self, look: Look) -> None:
        """Show how much of the period is settled."""
        tail = f"{look.calls:,} calls in {look.requests} requests"
        self._bars.update(self._task, completed=look.settled, total=look.total, tail=tail)

    def failed_try(self, window: Window, tried: int, why: CarrierError, wait: float) -> None:
        """Say that a request failed and is asked again."""
        if wait:
            hours = window.seconds / 3600
            what = f"try {tried} for a window of {hours:,.1f} hours"
            line = f"{what}: {why}; asking again in {wait:.1f} s"
            self._bars.console.print(line, markup=False, highlight=False, emoji=False)
