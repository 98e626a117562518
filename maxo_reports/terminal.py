"""Progress on a terminal; silence where nobody is looking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from maxo_reports.core.period import Window
from maxo_reports.errors import CarrierError
from maxo_reports.job import Progress
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


class _OnTerminal(Progress):
    """One line a step: what is being done, how far it is, and for how long."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task = bars.add_task("Starting", total=None, tail="")

    def step(self, name: str) -> None:
        """Begin a step."""
        self._bars.remove_task(self._task)
        self._task = self._bars.add_task(name, total=None, tail="")

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
