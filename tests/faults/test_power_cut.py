"""The power goes at any moment of a run: what was promised is there, and nothing is torn.

A real run's own operations are done again on a model of a disk, and the power cut after each of
them, with any part of what was not flushed lost. Promised is what a function of the write protocol
has returned from: a kept reply, a recorded window, a sealed pack.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import signal
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from harness import ALL, COUNTS, LEFTOVERS, PERIOD, SEED, Books, Carriers
from interpose import Spoil
from protocols import BROKEN
from simdisk import Disk, Tree, lay_out, trace

SEEDS = 50 if ALL else 6
PACKS = "out/acme/2026-10/"
PULLS = "archive/acme/periods/"
REPLIES = "archive/acme/replies/"
AFTER_A_KILL = "not put in order after a kill"


class Promises:
    """What must be on the disk, and what may be: each path's contents."""

    def __init__(self, tree: Tree) -> None:
        self._owed: dict[str, set[bytes | None]] = {}
        self._whole = {path: {content} for path, content in tree.items()}

    def promised(self, tree: Tree, by: str, path: str) -> None:
        """Take a promise; that of a pack is for all that is in it."""
        if _is_passing(path):
            return
        folders = by in {"seal", "issue"}
        for each in tree:
            if each == path or (folders and each.startswith(f"{path}/")):
                self._owed[each] = {tree[each]}
                self._whole.setdefault(each, set()).add(tree[each])

    def renamed(self, tree: Tree, path: str) -> None:
        """From here on what was renamed may stand under its new name, too."""
        for each in tree:
            if each == path or each.startswith(f"{path}/"):
                self._whole.setdefault(each, set()).add(tree[each])
                if each in self._owed:
                    self._owed[each].add(tree[each])

    def broken(self, tree: Tree) -> list[str]:
        """Name what is lost and what is torn."""
        lost = [
            f"{path} was promised and is lost"
            for path, contents in self._owed.items()
            if path not in tree or tree[path] not in contents
        ]
        torn = [
            f"{path} is not whole"
            for path, content in tree.items()
            if content is not None
            and not _is_passing(path)
            and content not in self._whole.get(path, ())
        ]
        return [*lost, *torn] or list(_hollow(tree))


def _is_passing(path: str) -> bool:
    """Tell whether a path is a draft, a temporary file or the lock: nobody is promised those."""
    return any(part.startswith((*LEFTOVERS, ".lock")) for part in path.split("/"))


def _hollow(tree: Tree) -> Iterator[str]:
    """Name what stands over something that is missing: records, finished pulls, packs."""
    covered: dict[str, int] = {}
    for path in sorted(tree):
        content = tree[path]
        if path.startswith(PULLS) and "/windows/" in path and content and not _is_passing(path):
            answer = _read(content)
            if not _has_reply(tree, answer["sha256"]):
                yield f"{path} is recorded without its reply"
            window = answer["window"]
            pull = path.split("/windows/")[0]
            at = covered.setdefault(pull, PERIOD.start)
            if answer["verdict"] == "accepted" and window["start"] == at:
                covered[pull] = window["end"]
        if path.startswith(PACKS) and content is None and "/.draft-" not in path:
            yield from _hollow_pack(tree, path)
    for path in tree:
        if path.endswith("/done.json") and covered.get(path[: -len("/done.json")]) != PERIOD.end:
            yield f"{path} stands over missing windows"


def _hollow_pack(tree: Tree, folder: str) -> Iterator[str]:
    manifest = tree.get(f"{folder}/manifest.json")
    if manifest is None or tree.get(f"{folder}/SHA256SUMS") is None:
        yield f"{folder} is a pack without its manifest"
        return
    said = _read(manifest)
    for each in said["files"]:
        content = tree.get(f"{folder}/{each['name']}")
        if content is None or _sha256(content) != each["sha256"]:
            yield f"{folder} is sealed without {each['name']}"
    for reply in said["replies"]:
        if not _has_reply(tree, reply["sha256"]):
            yield f"{folder} is sealed over a missing reply"


def _has_reply(tree: Tree, sha256: str) -> bool:
    content = tree.get(f"{REPLIES}{sha256[:2]}/{sha256}.json.gz")
    return content is not None and _body_hash(content) == sha256


@cache
def _read(content: bytes) -> Any:
    return json.loads(content)


@cache
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@cache
def _body_hash(content: bytes) -> str:
    return _sha256(gzip.decompress(content))


class Cuts:
    """Every power cut of one trace: after each operation, with each seed."""

    def __init__(self, books: Books) -> None:
        self._root = os.path.realpath(books.home)
        self._disk = Disk(books.home)
        self._promises = Promises(self._disk.seen())
        self.states = self.bad = 0
        self.violations: list[str] = []

    def follow(self, path: Path, seeds: Sequence[int]) -> Iterator[Tree]:
        """Do a trace's operations, cutting after each; yields what each cut leaves."""
        for event in trace(path, Path(self._root)):
            if event["kind"] == "promise":
                promised = os.path.relpath(event["path"], self._root)
                self._promises.promised(self._disk.seen(), event["by"], promised)
                continue
            yield from self._cut(seeds)
            self._disk.do(**event)
            if event["kind"] == "rename":
                target = os.path.relpath(event["target"], self._root)
                self._promises.renamed(self._disk.seen(), target)
        yield from self._cut(seeds)

    def _cut(self, seeds: Sequence[int]) -> Iterator[Tree]:
        for seed in seeds:
            tree = self._disk.cut(seed)
            self.states += 1
            broken = self._promises.broken(tree)
            self.bad += bool(broken)
            self.violations += broken
            yield tree


def _traced(
    carriers: Carriers, books: Books, spoil: Spoil | None = None, broken: str = ""
) -> Path:
    """Run with a trace; return it."""
    path = carriers.new()
    ended = carriers.run(books.task(spoil, trace=str(path), protocol=broken))
    assert ended.code == (-signal.SIGKILL if spoil else 0), ended
    return path


def _any(trees: Iterator[Tree], count: int) -> list[Tree]:
    """Choose some, each as likely as any other, without holding them all."""
    dice, kept = random.Random(SEED), []
    for number, tree in enumerate(trees):
        place = number if number < count else dice.randrange(number + 1)
        kept[place : place + 1] = [tree] if place < count else []
    return kept


@pytest.mark.parametrize("revision", ["r1", "r2"])
def test_what_was_promised_survives_and_nothing_is_torn(carriers: Carriers, revision: str) -> None:
    """A power cut after each operation of the run that makes a first and a second revision."""
    books = carriers.before(revision)
    cuts = Cuts(books)
    path = _traced(carriers, books)
    kept = _any(cuts.follow(path, range(SEEDS)), 80 if ALL else 1)
    assert cuts.violations == []
    COUNTS.append(
        f"power cuts in the run that makes {revision}: {cuts.states:,} states, "
        "0 lost after they were promised, 0 torn"
    )
    for number, tree in enumerate(kept):
        cut = carriers.empty()
        (cut.home / "maxo.toml").unlink()
        lay_out(tree, cut.home)
        assert carriers.recovered(cut, revision) == [], number
    COUNTS.append(f"  {len(kept)} of them laid out on a disk: {len(kept)} recoveries")


def test_the_model_ends_where_the_disk_does(carriers: Carriers) -> None:
    """With all power left, the model's disk holds, byte for byte, what the real one does."""
    books = carriers.empty()
    disk = Disk(books.home)
    for event in trace(_traced(carriers, books), books.home):
        if event["kind"] != "promise":
            disk.do(**event)
    real = {
        str(path.relative_to(books.home)): None if path.is_dir() else path.read_bytes()
        for path in books.home.rglob("*")
    }
    assert disk.seen() == real


def _after_a_kill(carriers: Carriers, at: int, broken: str = "") -> Cuts:
    """Cut the power in the run that follows one that was killed: nothing was flushed between."""
    books = carriers.empty()
    cuts = Cuts(books)
    for _ in cuts.follow(_traced(carriers, books, Spoil(at)), ()):
        pass
    for _ in cuts.follow(_traced(carriers, books, broken=broken), range(min(SEEDS, 10))):
        pass
    return cuts


def _unflushed(carriers: Carriers) -> list[int]:
    """Return the operations that come right after a rename or a new folder."""
    seen = carriers.seen["r1"]
    return [at + 1 for at, said in enumerate(seen, 1) if said.split()[0] in {"rename", "mkdir"}]


def test_what_a_killed_run_left_is_flushed_before_it_is_built_on(carriers: Carriers) -> None:
    """Kill between a rename and its flush, run again, and then the power goes."""
    points = _unflushed(carriers)
    if not ALL:
        # A folder of the archive, one for packs, and the pack itself.
        folders = ("archive/acme", "out/acme")
        seen = carriers.seen["r1"]
        points = [at for at in points if seen[at - 2].endswith(folders)] + points[-1:]
    cuts = [_after_a_kill(carriers, at) for at in points]
    states = sum(each.states for each in cuts)
    COUNTS.append(f"power cuts in the run after a kill: {len(points)} kills, {states:,} states")
    assert [line for each in cuts for line in each.violations] == []


@pytest.mark.parametrize("broken", sorted(BROKEN))
def test_the_model_finds_a_broken_protocol(carriers: Carriers, broken: str) -> None:
    """Each step of the protocol is needed: without it, power cuts lose or tear something."""
    if broken == AFTER_A_KILL:
        cuts = _after_a_kill(carriers, _unflushed(carriers)[1], broken)
    else:
        books = carriers.empty()
        cuts = Cuts(books)
        for _ in cuts.follow(_traced(carriers, books, broken=broken), range(3)):
            pass
    COUNTS.append(
        f"  broken on purpose ({broken}): {cuts.states:,} states, {cuts.bad:,} of them bad"
    )
    assert cuts.bad > 0
