"""The disk fails at each file operation of a run: one line, nothing half, the old pack stays.

An operation fails with an error of the system, one of five in turn. A full or read-only disk stays
so for what comes after; a flush or a read that failed does not. Then the next run completes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from functools import partial

import pytest
from harness import ALL, COUNTS, SEED, Carriers, chosen, leftovers, wrong
from interpose import CHANGING, LOOKING, Spoil

WRITING = ("open", "write", "mkdir")
ERRORS = {
    errno.ENOSPC: WRITING,
    errno.EIO: (),
    errno.EROFS: (*WRITING, "rename", "unlink", "rmdir", "chmod", "truncate"),
    errno.EACCES: (),
    errno.EDQUOT: WRITING,
}
"""What the system can say -> the operations that go on failing once one has failed."""
READING = {errno.EIO, errno.EACCES}
"""What it can say when nothing is to be written."""
REMOVING = ("unlink", "rmdir")
DONE, USAGE, DISK = 0, 2, 4


def _spoil(at: int, operation: str) -> Spoil:
    """Choose what goes wrong at an operation: the errors that can be, in turn."""
    reads = operation.startswith(LOOKING)
    can = [code for code in ERRORS if not reads or code in READING]
    code = can[(at + SEED) % len(can)]
    return Spoil(at, code, (*CHANGING, *LOOKING), ERRORS[code])


def _failed(
    carriers: Carriers, revision: str, operations: Sequence[str], ends: list[int], at: int
) -> list[str]:
    """Let an operation fail; name what is wrong then, and after the next run."""
    operation = operations[at - 1]
    spoil = _spoil(at, operation)
    books = carriers.before(revision)
    ended = carriers.run(books.task(spoil))
    ends.append(ended.code)
    assert isinstance(spoil.how, int)
    found = wrong(books)
    packs = books.packs()
    if ended.code == DONE:
        # What failed was not needed: the pack must be there as if nothing had.
        if len(packs) != int(revision[1:]):
            found.append("it says that it is done and is not")
    elif ended.code != (USAGE if operation.endswith("maxo.toml") else DISK):
        found.append(f"it ends with {ended.code}: {ended.err}")
    elif ended.err.count("\n") != 1:
        found.append(f"it says {ended.err!r}")
    if revision == "r2" and packs["r1"] != carriers.packs["r1"]:
        found.append("r1 was changed")
    if set(REMOVING).isdisjoint(spoil.stays) and not operation.startswith(REMOVING):
        found += [f"{name} is left" for name in leftovers(books)]
    found += carriers.recovered(books, revision)
    return [f"{revision}, {os.strerror(spoil.how)} at {at} ({operation}): {x}" for x in found]


@pytest.mark.parametrize("revision", ["r1", "r2"] if ALL else ["r2"])
def test_a_disk_that_fails_anywhere_is_told_in_one_line_and_nothing_is_half(
    carriers: Carriers, revision: str
) -> None:
    """No space, quota or permission, read-only, broken: exit code 4, and the old pack stays."""
    books = carriers.before(revision)
    operations = carriers.run(books.task(Spoil(kinds=(*CHANGING, *LOOKING)))).seen
    points = chosen(operations, 1)
    before = carriers.states
    ends: list[int] = []
    work = partial(_failed, carriers, revision, operations, ends)
    violations = carriers.together(work, points)
    COUNTS.append(
        f"disk failures in the run that makes {revision}: {len(points)} of {len(operations)} "
        f"points ({ends.count(DISK)} told, {ends.count(DONE)} not needed), {len(ends)} recoveries "
        f"from {carriers.states - before} more states, {len(violations)} violations"
    )
    assert violations == []
