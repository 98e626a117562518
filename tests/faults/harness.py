"""What the fault tests share: a small month that uses everything, and what must never be.

The month has 60 calls where a reply holds 25, so that it is split; it is old enough for a second
look; a call that the carrier adds later makes a second revision. What is right is worked out from
the raw calls with plain arithmetic, and hashes with hashlib.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import itertools
import json
import os
import queue
import random
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from carriers import BRISBANE, KEY, Truth, call, truth
from forks import Ended, Forks, Task
from interpose import Spoil
from pypdfium2 import PdfDocument

from maxo_reports import pack
from maxo_reports.core.period import parse_period
from maxo_reports.errors import MaxoReportsError
from maxo_reports.sandbox import Book, Sandbox

PERIOD = parse_period("2026-10", BRISBANE, date(2026, 11, 20))
NOW = PERIOD.end + 5 * 86_400
LIMIT = 25
LEFTOVERS = (".tmp-", ".draft-")
CATEGORIES = ("Local", "Mobile", "National")
ALL = os.environ.get("MAXO_FAULTS") == "all"
"""Whether every point is tried, which takes long, or a choice of them."""
SEED = int(os.environ.get("MAXO_FAULTS_SEED", "1"))
"""Of what is chosen by chance: another seed tries other points and other errors."""
WORKERS = 2
COUNTS: list[str] = []
"""What was tried and what came of it, for the end of the tests."""


def calls_of_month(count: int) -> list[dict[str, Any]]:
    """Make calls at even distances whose costs, durations, numbers and categories differ."""
    step = (PERIOD.end - PERIOD.start) // 61
    return [
        call(
            n,
            PERIOD.start + n * step,
            direction="OUT" if n % 3 else "IN",
            rate=CATEGORIES[n % 3] if n % 3 else "",
            inboundrate="" if n % 3 else "Incoming",
            origin=f"07555001{40 + n % 4}",
            cost=f"{n % 7}.{n:04}",
            duration=n * 7,
        )
        for n in range(count)
    ]


EARLY, LATE = calls_of_month(60), calls_of_month(61)
"""The month as the carrier has it first, and with a call that came late."""
TRUTHS = tuple(truth(calls, PERIOD.start, PERIOD.end) for calls in (EARLY, LATE))
"""What the revisions r1 and r2 must say."""


@dataclass(frozen=True)
class Books:
    """A workspace in a folder of its own, with the machine's temporary folder beside it."""

    root: Path

    @classmethod
    def make(cls, root: Path, base_url: str, accounts: Sequence[str] = ("acme",)) -> Self:
        """Make an empty workspace."""
        (root / "books").mkdir(parents=True)
        (root / "tmp").mkdir()
        found = cls(root)
        found.move(base_url, accounts)
        return found

    def move(self, base_url: str, accounts: Sequence[str] = ("acme",)) -> None:
        """Have another carrier answer."""
        text = "[settings]\nrequests_in_flight = 1\n"
        for name in accounts:
            text += f'[account.{name}]\nname = "{name}"\ntimezone = "{BRISBANE}"\n'
            text += f'base_url = "{base_url}"\n'
        (self.home / "maxo.toml").write_text(text)

    def copy(self, root: Path) -> Books:
        """Copy it as it is."""
        shutil.copytree(self.root, root)
        return Books(root)

    @property
    def home(self) -> Path:
        """The workspace's own folder."""
        return self.root / "books"

    @property
    def archive(self) -> Path:
        """The archive of all accounts."""
        return self.home / "archive"

    def place(self, account: str = "acme") -> Path:
        """Return where the packs of the month are."""
        return self.home / "out" / account / "2026-10"

    def packs(self, account: str = "acme") -> dict[str, dict[str, bytes]]:
        """Return every file of every pack."""
        return {
            folder.name: {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
            for folder in sorted(self.place(account).glob("r*"))
        }

    def task(self, spoil: Spoil | None = None, *more: str, **also: Any) -> Task:
        """Return the run of this workspace's month."""
        words = ("run", "2026-10", *more)
        return Task(words, str(self.root), NOW, LIMIT, KEY, spoil or Spoil(), **also)


def wrong(books: Books, truths: Sequence[Truth] = TRUTHS, account: str = "acme") -> list[str]:
    """Name all that no fault may ever bring about: half packs, wrong figures, bad replies."""
    found = []
    place = books.place(account)
    for path in sorted(place.iterdir()) if place.is_dir() else ():
        if path.name.startswith(LEFTOVERS):
            continue
        if not re.fullmatch("r[12]", path.name):
            found.append(f"{path.name} is no pack's name")
            continue
        found += [f"{path.name}: {line}" for line in _wrong_pack(path, truths)]
    archive = books.archive / account
    found += _wrong_replies(archive)
    for pull in sorted(archive.glob("periods/*/pull-*")):
        found += [f"{pull.name}: {line}" for line in _wrong_pull(archive, pull)]
    return found


def _wrong_pack(folder: Path, truths: Sequence[Truth]) -> Iterator[str]:
    try:
        manifest = pack.verify(folder).manifest
    except MaxoReportsError as problem:
        yield str(problem)
        return
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        sha256, name = line.split("  ")
        if _sha256(folder / name) != sha256:
            yield f"{name} does not have its hash"
    true = truths[int(folder.name[1:]) - 1]
    said = manifest["control_totals"]
    figures = tuple(said[key] for key in ("calls", "connected_calls", "charged_calls", "seconds"))
    if (*figures, Decimal(said["cost"])) != (
        *(true.calls, true.connected, true.charged, true.seconds),
        true.cost,
    ):
        yield f"it says {said}, but the calls add up to {true}"
    if {Path(each["name"]).suffix for each in manifest["files"]} < {".xlsx", ".pdf", ".json"}:
        yield "a file is missing"


def _wrong_replies(archive: Path) -> Iterator[str]:
    for path in (archive / "replies").rglob("*.json.gz"):
        if not path.name.startswith(LEFTOVERS):
            try:
                body = gzip.decompress(path.read_bytes())
            except (OSError, EOFError, zlib.error):
                body = b""
            if hashlib.sha256(body).hexdigest() != path.name.removesuffix(".json.gz"):
                yield f"reply {path.name} does not have its hash"


def _wrong_pull(archive: Path, pull: Path) -> Iterator[str]:
    at = PERIOD.start
    for path in sorted((pull / "windows").glob("[0-9]*.json")):
        try:
            answer = json.loads(path.read_bytes())
        except ValueError:
            yield f"{path.name} is not whole"
            continue
        reply = archive / "replies" / answer["sha256"][:2] / f"{answer['sha256']}.json.gz"
        if not reply.exists():
            yield f"{path.name} has no reply"
        if answer["verdict"] == "accepted":
            if answer["window"]["start"] != at:
                yield f"{path.name} does not begin where the one before ends"
            at = answer["window"]["end"]
    if (pull / "done.json").exists() and at != PERIOD.end:
        yield "it is called whole and is not"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(books: Books) -> list[str]:
    """Name what killed runs left in the workspace."""
    return [
        str(path.relative_to(books.root))
        for path in books.home.rglob("*")
        if path.name.startswith(LEFTOVERS)
    ]


def differences(expected: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Name what differs between a pack and that of an undisturbed run, and must not.

    A killed run is taken up, so another pull may be behind the pack: the manifest says which. And
    a pull that was taken up in its middle may have cut its windows elsewhere: where windows are
    shown, all else is compared. Without these two every byte must be the same.
    """
    if set(expected) != set(found):
        return [f"the files are {sorted(found)}, not {sorted(expected)}"]
    wanted, said = (json.loads(each["manifest.json"]) for each in (expected, found))
    moved = wanted["replies"] != said["replies"]
    may_differ = {"pull", *(("replies", "files") if moved else ())}
    lines = [
        f"the manifest says another {key}"
        for key in wanted
        if key not in may_differ and wanted[key] != said[key]
    ]
    for name in set(expected) - {"manifest.json", "SHA256SUMS"}:
        views = [
            _without_windows(name, each[name]) if moved else each[name]
            for each in (expected, found)
        ]
        lines += [f"{name} differs"] if views[0] != views[1] else []
    return lines


def _without_windows(name: str, content: bytes) -> object:
    """Return what a file says, apart from which windows were asked."""
    if name == "completeness.json":
        return {**json.loads(content), "windows": None}
    if name == "tieout.json":
        said = json.loads(content)
        return {**said, "files": [{**each, "figures_compared": None} for each in said["files"]]}
    if name.endswith(".pdf"):
        with contextlib.closing(PdfDocument(content)) as document:
            lines = [
                line
                for page in document
                for line in page.get_textpage().get_text_bounded().splitlines()
            ]
        return [line for line in lines if " windows asked, " not in line]
    if name.endswith(".xlsx"):
        # The last sheet lists the windows; the workbook's part knows how many rows they take.
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = {part: package.read(part) for part in package.namelist()}
        sheets = sorted(part for part in parts if part.startswith("xl/worksheets/sheet"))
        return {part: parts[part] for part in set(parts) - {sheets[-1], "xl/workbook.xml"}}
    return content


class Carriers:
    """The loaded program, the carrier before and after the late call, and undisturbed packs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = itertools.count(1)
        self._forks: queue.SimpleQueue[Forks] = queue.SimpleQueue()
        self._stack = ExitStack()
        self._recovered: dict[tuple[str, str], list[str]] = {}

    def __enter__(self) -> Self:
        """Start all of it and make the packs that others are compared with."""
        for _ in range(WORKERS):
            self._forks.put(self._stack.enter_context(Forks()))
        self.early, self.late = (
            self._stack.enter_context(Sandbox([Book.from_calls(calls, timezone=BRISBANE)]))
            for calls in (EARLY, LATE)
        )
        self.issued = self.empty()
        """A workspace whose carrier has the late call, and whose r1 is from before it."""
        first = self._undisturbed(self.issued)
        self.issued.move(self.late.base_url)
        again = self.issued.copy(self.new())
        second = self._undisturbed(again)
        self.packs = again.packs()
        self.seen = {"r1": first.seen, "r2": second.seen}
        """The operations of an undisturbed run that makes this revision."""
        return self

    def _undisturbed(self, books: Books) -> Ended:
        ended = self.run(books.task())
        assert ended.code == 0, ended.err
        assert wrong(books) == []
        assert leftovers(books) == []
        return ended

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stack.close()

    def run(self, task: Task) -> Ended:
        """Run the program once, in a process of its own."""
        return self.race([task])[0]

    def race(self, tasks: list[Task]) -> list[Ended]:
        """Run it several times at once."""
        with self.loaded() as forks:
            return forks.race(tasks)

    @contextlib.contextmanager
    def loaded(self) -> Iterator[Forks]:
        """Have a loaded process to oneself."""
        forks = self._forks.get()
        try:
            yield forks
        finally:
            self._forks.put(forks)

    def together(self, work: Callable[[int], list[str]], points: Sequence[int]) -> list[str]:
        """Do the work at each point, as many at once as there are loaded processes."""
        with ThreadPoolExecutor(WORKERS) as pool:
            return [line for lines in pool.map(work, points) for line in lines]

    def new(self) -> Path:
        """Return a folder that is not there yet."""
        return self._folder / f"{next(self._number):05}"

    def empty(self) -> Books:
        """Make an empty workspace at the early carrier."""
        return Books.make(self.new(), self.early.base_url)

    def before(self, revision: str) -> Books:
        """Make a workspace as it is before the run that makes this revision."""
        return self.empty() if revision == "r1" else self.issued.copy(self.new())

    def recovered(self, books: Books, revision: str) -> list[str]:
        """Run once more, undisturbed; name what is not as if nothing had happened. Removes it.

        Many faults leave exactly the same behind; each different state is recovered from once.
        """
        state = (revision, _state(books.home))
        if state not in self._recovered:
            self._recovered[state] = self._run_again(books, revision)
        shutil.rmtree(books.root)
        return self._recovered[state]

    @property
    def states(self) -> int:
        """How many different states there were to recover from."""
        return len(self._recovered)

    def _run_again(self, books: Books, revision: str) -> list[str]:
        ended = self.run(books.task())
        found = [f"the next run ends with {ended.code}: {ended.err}"] if ended.code else []
        found += wrong(books)
        found += [f"{name} is left" for name in leftovers(books)]
        packs, expected = books.packs(), list(self.packs)[: int(revision[1:])]
        if list(packs) != expected:
            return [*found, f"the packs are {list(packs)}"]
        found += differences(self.packs[revision], packs[revision])
        before = expected[:-1]
        return found + [f"{n} was changed" for n in before if packs[n] != self.packs[n]]


def _state(folder: Path) -> str:
    """Return a hash of all that stands in a folder; made-up names and process numbers are one."""
    lines = []
    for path in folder.rglob("*"):
        name = re.sub(r"(\.tmp-|\.draft-)[^/]*", r"\1", str(path.relative_to(folder)))
        content = b"" if path.is_dir() else path.read_bytes()
        content = re.sub(rb"[0-9]+", b"", content) if path.name == ".lock" else content
        lines.append(f"{name} {path.is_dir()} {hashlib.sha256(content).hexdigest()}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def chosen(seen: Sequence[str], of_each_kind: int, more: int = 0) -> list[int]:
    """Choose operations by their number from 1: all of them where all are asked for.

    Else the first and the last of each kind, or any one; and some more of any kind.
    """
    if ALL:
        return list(range(1, len(seen) + 1))
    dice = random.Random(SEED)
    points = set(dice.sample(range(1, len(seen) + 1), more))
    kinds: dict[str, list[int]] = {}
    for at, line in enumerate(seen, 1):
        kinds.setdefault(line.split()[0], []).append(at)
    for places in kinds.values():
        points |= {places[0], places[-1]} if of_each_kind == 2 else set()
        points |= {dice.choice(places)} if of_each_kind == 1 else set()
    return sorted(points)
