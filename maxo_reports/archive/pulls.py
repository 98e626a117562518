"""Pulls: one look at one period, window by window, written down so that it can be taken up again.

A pull is a folder::

    pull-0001/pull.json                 what was asked for, and where
    pull-0001/windows/START-END.json    one settled window: its reply, count and verdict
    pull-0001/calls/START-END.parquet   its calls in columns, derived from the reply, and a .sha256
    pull-0001/done.json                 written last: every window of the period is there
    pull-0001/proof.json                what else was found out about it (``proofs``)

A window's file is written after its reply is safe, so whatever is written down is true. A pull
without ``done.json`` was cut short; its windows count, and only the others are asked again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maxo_reports.archive import files, inputs, notes, purged
from maxo_reports.archive.inputs import Inputs
from maxo_reports.archive.purged import Purged
from maxo_reports.archive.replies import Replies
from maxo_reports.core.period import BillingPeriod, Window
from maxo_reports.errors import ArchiveError

ACCEPTED = "accepted"
FULL = "full"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one pull asks for; a pull of another span, zone or host is never continued."""

    start: int
    end: int
    zone: str
    host: str
    limit: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one window's request.

    ``verdict`` is ``accepted``, ``full`` (as many calls as a reply can hold, so it was split)
    or the reason why the reply was refused. ``asked_at`` is in unix seconds. ``echo`` is what
    the reply says it answers: local start, local end, zone.
    """

    window: Window
    sha256: str
    count: int
    verdict: str
    asked_at: int
    tries: int
    echo: tuple[str, str, str] = ("", "", "")


class Pull:
    """One look at one period."""

    def __init__(self, folder: Path, asked: Asked, began_at: int) -> None:
        self.folder = folder
        self.asked = asked
        self.began_at = began_at

    @property
    def number(self) -> int:
        """The running number of this pull among those of its period."""
        return int(self.folder.name.removeprefix("pull-"))

    @property
    def is_done(self) -> bool:
        """Whether every window of the period has been answered."""
        return (self.folder / "done.json").exists()

    def calls_path(self, window: Window) -> Path:
        """Return where the derived columns of a window are."""
        return self.folder / "calls" / f"{_name(window)}.parquet"

    def record(self, answer: Answer) -> None:
        """Write down what came of a window, after its reply has been kept.

        An accepted window has one file; a refused or split one may come again, so the hash of
        its reply goes into its name.
        """
        notes.put(self.folder / "windows" / _file_name(answer), asdict(answer))

    def answers(self) -> tuple[Answer, ...]:
        """Return everything written down so far, in the windows' order."""
        folder = self.folder / "windows"
        found = [read_answer(path) for path in files.entries(folder) if path.suffix == ".json"]
        return tuple(sorted(found, key=lambda a: (a.window, a.verdict != ACCEPTED, a.asked_at)))

    def accepted(self) -> tuple[Answer, ...]:
        """Return the windows whose calls count."""
        return tuple(a for a in self.answers() if a.verdict == ACCEPTED)

    def missing(self) -> tuple[Window, ...]:
        """Return the parts of the period that no accepted window covers yet."""
        gaps, at = [], self.asked.start
        for answer in self.accepted():
            if answer.window.start > at:
                gaps.append(Window(at, answer.window.start))
            at = max(at, answer.window.end)
        if at < self.asked.end:
            gaps.append(Window(at, self.asked.end))
        return tuple(gaps)

    def is_tiled(self) -> bool:
        """Tell whether the accepted windows cover the period, no second twice."""
        covered = sum(answer.window.seconds for answer in self.accepted())
        return not self.missing() and covered == self.asked.end - self.asked.start

    def finished_at(self) -> int:
        """Return when a whole pull was finished, in unix seconds."""
        path = self.folder / "done.json"
        content = notes.load(path, ("finished_at",))
        with notes.shape_of(path):
            return int(content["finished_at"])

    def finish(self, at: int) -> None:
        """Mark the pull as whole; ``at`` is in unix seconds."""
        gaps = self.missing()
        if gaps:
            raise ArchiveError(f"the pull cannot be finished: {gaps[0]} is missing")
        notes.put(self.folder / "done.json", {"finished_at": at})


class Account:
    """The archive of one account: its replies, and its pulls by period."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.replies = Replies(folder / "replies")
        self.inputs = Inputs(folder / inputs.FOLDER)

    @property
    def lock(self) -> Path:
        """The file that a run locks while it works on this account."""
        return self.folder / ".lock"

    def pulls(self, period: BillingPeriod) -> tuple[Pull, ...]:
        """Return the pulls of a period, oldest first."""
        return _pulls(self._period(period))

    def pull_numbered(self, period: BillingPeriod, number: int) -> Pull | None:
        """Return one whole pull of a period by its number, or None where it is gone."""
        found = [p for p in self.pulls(period) if p.number == number and p.is_done]
        return found[0] if found else None

    def begin(self, period: BillingPeriod, asked: Asked, now: int) -> Pull:
        """Begin a new pull; ``now`` is in unix seconds."""
        numbers = [pull.number for pull in self.pulls(period)]
        numbers += [number for gone in self._purged(period) for number in gone.pulls]
        folder = self._period(period) / f"pull-{max(numbers, default=0) + 1:04d}"
        notes.put(folder / "pull.json", {"asked": asdict(asked), "began_at": now})
        return Pull(folder, asked, now)

    def purged_at(self, period: BillingPeriod, number: int) -> int | None:
        """Return the unix second at which a pull was purged, or None if it was not."""
        found = [gone.at for gone in self._purged(period) if number in gone.pulls]
        return found[-1] if found else None

    def _purged(self, period: BillingPeriod) -> tuple[Purged, ...]:
        return tuple(g for g in purged.recorded(self.folder) if g.period == period.key)

    def latest_done(self, period: BillingPeriod) -> Pull | None:
        """Return the newest whole pull of exactly this span, or None."""
        done = [p for p in self.pulls(period) if p.is_done and _is_of(p.asked, period)]
        return done[-1] if done else None

    def unfinished(self, period: BillingPeriod, asked: Asked, since: int) -> Pull | None:
        """Return the newest pull if it asks the same, was cut short, and began after ``since``."""
        pulls = self.pulls(period)
        if not pulls or pulls[-1].is_done:
            return None
        last = pulls[-1]
        return last if last.asked == asked and last.began_at >= since else None

    def other_periods(self, period: BillingPeriod) -> tuple[Pull, ...]:
        """Return the newest whole pull of each other period, latest period first."""
        newest: dict[Path, Pull] = {}
        for pull in self.pulls_of_others(period):
            newest.setdefault(pull.folder.parent, pull)
        return tuple(newest.values())

    def pulls_of_others(self, period: BillingPeriod) -> tuple[Pull, ...]:
        """Return every whole pull of each other period, latest period and newest pull first."""
        own, folders = self._period(period), reversed(files.entries(self.folder / "periods"))
        others = [folder for folder in folders if folder.is_dir() and folder != own]
        return tuple(p for folder in others for p in reversed(_pulls(folder)) if p.is_done)

    def noted(self) -> Answer | None:
        """Return what an earlier probe wrote down to be asked again, or None."""
        return _read(self.probe_note) if self.probe_note.exists() else None

    def note(self, answer: Answer) -> None:
        """Write down what a later probe shall ask again, after its reply has been kept."""
        notes.put(self.probe_note, asdict(answer))

    @property
    def probe_note(self) -> Path:
        """Where a probe notes what the next one asks again."""
        return self.folder / "probe.json"

    def _period(self, period: BillingPeriod) -> Path:
        return self.folder / "periods" / period.key


def _is_of(asked: Asked, period: BillingPeriod) -> bool:
    return (asked.start, asked.end, asked.zone) == (period.start, period.end, period.zone)


def _name(window: Window) -> str:
    return f"{window.start}-{window.end}"


def _file_name(answer: Answer) -> str:
    name = _name(answer.window)
    return f"{name}.json" if answer.verdict == ACCEPTED else f"{name}-{answer.sha256[:12]}.json"


def read_answer(path: Path) -> Answer:
    """Read what was written down of one window of a pull."""
    answer = _read(path)
    if path.name != _file_name(answer):
        raise ArchiveError(f"{path} in the archive holds {_file_name(answer)}, another window")
    return answer


def _read(path: Path) -> Answer:
    keys = tuple(Answer.__dataclass_fields__)
    content = notes.load(path, keys)
    with notes.shape_of(path):
        fields: dict[str, Any] = {key: content[key] for key in keys}
        window, echo = Window(**fields["window"]), tuple(fields["echo"])
        return Answer(**{**fields, "window": window, "echo": echo})


def _pulls(folder: Path) -> tuple[Pull, ...]:
    """Return a period's pulls; one that was killed before it had begun is none."""
    found = [path for path in files.entries(folder) if path.name.startswith("pull-")]
    return tuple(read_pull(path) for path in found if (path / "pull.json").exists())


def read_pull(folder: Path) -> Pull:
    """Read what a pull asks for."""
    path = folder / "pull.json"
    content = notes.load(path, ("asked", "began_at"))
    with notes.shape_of(path):
        return Pull(folder, Asked(**content["asked"]), int(content["began_at"]))
