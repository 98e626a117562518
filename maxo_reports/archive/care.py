"""Care: an account's archive read from end to end, and every damaged file named.

Replies prove themselves by their names, notes by the hash that they hold, columns by being
made again from their replies. Nothing is changed unless it is to be mended, and only what can be
made again from whole replies is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from maxo_reports.archive import columns, derive, files, handoffs, inputs, months, proofs, purged
from maxo_reports.archive.pulls import ACCEPTED, Account, Answer, Pull, read_answer, read_pull
from maxo_reports.errors import ArchiveError, CarrierError

_DAY = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_PERIOD_FOLDER = re.compile(rf"{_DAY}\.\.{_DAY}", re.ASCII)
PURGING = ".purging"
"""The folder into which a purge moves periods before it deletes them."""
_PULL_FOLDER = re.compile(r"pull-[0-9]{4,}", re.ASCII)
NOTES = frozenset({"pull.json", "done.json", proofs.FILE, months.FILE})
"""The notes of a pull, beside those of its windows."""
_T = TypeVar("_T")

_AGAIN = "'archive verify --repair' makes it anew"
_REPLY = (
    "'pull {}' mends it if the carrier still says the same; "
    "else restore it from a copy or an export"
)
_UNNAMED = "no pull names it and no report needs it: delete it"
_HANDOFF = "restore it from a copy: a document number in it could be given out again"
_INPUT = "restore it from a copy: packs that were made from it cannot be made again without"
_LOST = "restore it from a copy or an export, once the damaged notes are whole again"
_NOTE = "restore it from a copy or an export, or move {} out of the archive and run again"


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged or missing file: what is wrong with it, and what to do."""

    path: Path
    what: str
    remedy: str
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or folder that no report is made from, and why it is there: harmless."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class Examined:
    """What an archive holds, and what is wrong with it.

    ``reply_bytes`` are those of the replies, unpacked. ``unnamed`` replies belong to no pull;
    ``underived`` windows have no columns, which are made when they are needed.
    """

    replies: int
    reply_bytes: int
    unnamed: int
    pulls: int
    windows: int
    underived: int
    damages: tuple[Damage, ...]
    leftovers: tuple[Leftover, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged, or everything that was is mended."""
        return all(damage.mended for damage in self.damages)


def examine(
    account: Account, told: Callable[[str], None] = lambda _: None, *, repair: bool = False
) -> Examined:
    """Read everything that an account's archive holds; ``told`` hears of each step.

    With ``repair`` damaged columns and packings are made anew, and what kills left is removed.
    """
    examination = _Examination(account, repair=repair)
    told("Reading every reply")
    examination.read_replies()
    for folder in examination.pull_folders():
        told(f"Deriving {folder.parent.name} {folder.name} again")
        examination.read_pull(folder)
    examination.read_rest()
    return examination.result()


def days(folder: Path) -> tuple[date, date] | None:
    """Return a period folder's first day and the day after its last; None where it is none."""
    found = _PERIOD_FOLDER.fullmatch(folder.name)
    try:
        return (date.fromisoformat(found[1]), date.fromisoformat(found[2])) if found else None
    except ValueError:
        return None


class _Examination:
    """Collects what is found on the way."""

    def __init__(self, account: Account, *, repair: bool) -> None:
        self._account = account
        self._repair = repair
        self._damages: list[Damage] = []
        self._leftovers: list[Leftover] = []
        self._kept: dict[str, bool] = {}
        """Each reply's hash, and whether the reply is whole."""
        self._bad: dict[str, str] = {}
        """What is wrong with each bad or missing reply, by its hash."""
        self._named: dict[str, Path] = {}
        """Each hash that a pull names, and the first such pull."""
        self._notes_are_whole = True
        self._bytes = self._pulls = self._windows = self._underived = 0

    def result(self) -> Examined:
        """Return everything that was found."""
        return Examined(
            len(self._kept),
            self._bytes,
            len(self._kept.keys() - self._named.keys()),
            self._pulls,
            self._windows,
            self._underived,
            (*self._bad_replies(), *self._damages),
            tuple(self._leftovers),
        )

    def _bad_replies(self) -> Iterator[Damage]:
        for sha256, what in self._bad.items():
            path, folder = self._account.replies.path(sha256), self._named.get(sha256)
            unnamed = _UNNAMED if self._notes_are_whole else _LOST
            yield Damage(path, what, _REPLY.format(folder.parent.name) if folder else unnamed)

    # ---- replies ----------------------------------------------------------------------------

    def read_replies(self) -> None:
        """Unpack every reply and hold it against the hash in its name."""
        replies = self._account.replies
        for path, sha256 in replies.every():
            if not sha256:
                self._leave(path)
                continue
            try:
                self._bytes += len(replies.read(sha256))
            except ArchiveError as why:
                self._kept[sha256], self._bad[sha256] = False, str(why)
                continue
            self._kept[sha256] = True
            if packing := replies.fault(sha256):
                self._mend(path, packing, partial(replies.pack_again, sha256))

    # ---- pulls ------------------------------------------------------------------------------

    def pull_folders(self) -> Iterator[Path]:
        """Yield the folder of every pull."""
        for period in files.entries(self._account.folder / "periods"):
            if not (period.is_dir() and days(period)):
                self._leave(period)
                continue
            for folder in files.entries(period):
                if folder.is_dir() and _PULL_FOLDER.fullmatch(folder.name):
                    yield folder
                else:
                    self._leave(folder)

    def read_pull(self, folder: Path) -> None:
        """Read a pull's notes, look for the replies that they name, derive its columns again."""
        for path in files.entries(folder):
            if path.name not in NOTES and path.name not in {"windows", "calls"}:
                self._leave(path)
        windows = [p for p in files.entries(folder / "windows") if not self._is_left(p, ".json")]
        if not windows and not any((folder / name).exists() for name in NOTES):
            self._leftovers.append(Leftover(folder, "a pull that was killed before it had begun"))
            return
        self._pulls += 1
        remedy = _NOTE.format(folder)
        read = [self._read(path, partial(read_answer, path), remedy) for path in windows]
        answers = [answer for answer in read if answer is not None]
        work = self._read(folder / "pull.json", partial(read_pull, folder), remedy)
        self._look_for(folder, [answer.sha256 for answer in answers])
        if work is None:
            return
        if work.is_done:
            self._read(folder / "done.json", work.finished_at, remedy)
        proof = self._read(folder / proofs.FILE, partial(proofs.recorded, folder), remedy)
        self._look_for(folder, proof.replies if proof else ())
        self._read(folder / months.FILE, partial(months.recorded, folder), remedy)
        # What a damaged note would have said is not missed a second time.
        if len(answers) == len(windows):
            if work.is_done and not work.is_tiled():
                what = f"the windows of {folder} do not cover its period once: a note is missing"
                self._damages.append(Damage(folder, what, remedy))
            self._leave_other_columns(work, answers)
        for answer in answers:
            if answer.verdict == ACCEPTED:
                self._windows += 1
                self._derive(work, answer)

    def _look_for(self, folder: Path, named: Iterable[str]) -> None:
        for sha256 in named:
            self._named.setdefault(sha256, folder)
            if sha256 not in self._kept:
                path = self._account.replies.path(sha256)
                self._bad[sha256] = f"reply {path} is missing from the archive"

    def _derive(self, work: Pull, answer: Answer) -> None:
        """Hold the columns of one window against those that its reply makes."""
        path = work.calls_path(answer.window)
        if not path.exists():
            self._underived += 1
            return
        if not self._kept.get(answer.sha256):
            if not columns.is_whole(path):
                what = f"{path} is damaged, and so is the reply that it comes from"
                self._damages.append(Damage(path, what, "mend the reply first"))
            return
        try:
            made = derive.content(self._account, work, answer)
        except CarrierError as why:
            reply = self._account.replies.path(answer.sha256)
            self._bad[answer.sha256] = f"reply {reply} has its hash, but cannot be read: {why}"
            return
        if found := columns.fault(path, made):
            self._mend(*found, partial(columns.put, path, made))

    # ---- the rest ---------------------------------------------------------------------------

    def read_rest(self) -> None:
        """Look at what lies beside replies and pulls."""
        folder = self._account.folder
        noted = self._account.probe_note
        known = {"replies", "periods", self._account.lock.name, purged.FILE, PURGING, noted.name}
        known |= {inputs.FOLDER, handoffs.FOLDER}
        for path in files.entries(folder):
            if path.name == PURGING:
                why = "a purge that was cut short: the next purge removes it"
                self._leftovers.append(Leftover(path, why))
            elif path.name not in known:
                self._leave(path)
        answer = self._read(noted, self._account.noted, "delete it: the next probe notes anew")
        self._look_for(folder, [answer.sha256] if answer else ())
        remedy = "restore it from a copy, or delete it: later reports cannot say what was purged"
        self._read(folder / purged.FILE, partial(purged.recorded, folder), remedy)

        for path, sha256 in self._account.inputs.every():
            if not sha256:
                self._leave(path)
                continue
            self._read(path, partial(self._account.inputs.read, sha256), _INPUT)
        for path in handoffs.paths(folder):
            if not self._is_left(path, handoffs.SUFFIX):
                self._read(path, partial(handoffs.load, path), _HANDOFF)

    def _leave_other_columns(self, work: Pull, answers: Sequence[Answer]) -> None:
        own = {work.calls_path(a.window) for a in answers if a.verdict == ACCEPTED}
        own |= {path.with_name(f"{path.name}.sha256") for path in own}
        for path in files.entries(work.folder / "calls"):
            if path not in own and not self._is_left(path, ".parquet", ".sha256"):
                why = "columns of a window that was asked anew after a kill"
                self._leftovers.append(Leftover(path, why))

    def _is_left(self, path: Path, *suffixes: str) -> bool:
        """Tell whether a file is none of the archive's own, and list it if so."""
        if path.suffix in suffixes and not path.name.startswith(files.TEMPORARY):
            return False
        self._leave(path)
        return True

    def _leave(self, path: Path) -> None:
        if not path.name.startswith(files.TEMPORARY):
            self._leftovers.append(Leftover(path, "not of the archive"))
        elif self._repair:
            with files.disk_trouble("remove", path):
                path.unlink()
        else:
            self._leftovers.append(Leftover(path, "left by a run that was killed"))

    def _read(self, path: Path, read: Callable[[], _T], remedy: str) -> _T | None:
        """Return what a note says, or None, and write the trouble down."""
        try:
            return read()
        except ArchiveError as why:
            self._damages.append(Damage(path, str(why), remedy))
            self._notes_are_whole = False
            return None

    def _mend(self, path: Path, why: str, mend: Callable[[], None]) -> None:
        if self._repair:
            mend()
        what = f"{path}: {why}"
        self._damages.append(Damage(path, what, _AGAIN, mended=self._repair))
