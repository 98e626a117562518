"""kill -9 at each file operation of a run: a sealed pack or none, and the next run completes.

Killed is a run that asks, keeps, renders (workbook and statement) and seals. What it leaves is
looked at as it is, and then run again.
"""

from __future__ import annotations

import signal
from functools import partial

import pytest
from harness import COUNTS, Carriers, chosen, wrong
from interpose import Spoil


def _killed(carriers: Carriers, revision: str, how: str, at: int) -> list[str]:
    """Kill a run at an operation; name what is wrong then, and after the next run."""
    books = carriers.before(revision)
    ended = carriers.run(books.task(Spoil(at, how)))
    said = f"{revision}, {how} at {at} ({carriers.seen[revision][at - 1]})"
    if ended.code != -signal.SIGKILL:
        return [f"{said}: not killed: {ended}"]
    found = wrong(books)
    if revision == "r2" and books.packs()["r1"] != carriers.packs["r1"]:
        found.append("r1 was changed")
    return [f"{said}: {line}" for line in (*found, *carriers.recovered(books, revision))]


@pytest.mark.parametrize("how", ["kill", "half"])
@pytest.mark.parametrize("revision", ["r1", "r2"])
def test_a_kill_anywhere_leaves_a_sealed_pack_or_none_and_the_next_run_completes(
    carriers: Carriers, revision: str, how: str
) -> None:
    """Before each operation, and in the middle of each write: figures, hashes, bytes are right."""
    seen = carriers.seen[revision]
    if how == "half":
        writes = [at for at, said in enumerate(seen, 1) if said.startswith("write")]
        points = [writes[n - 1] for n in chosen(["write"] * len(writes), 0, more=1)]
    else:
        points = chosen(seen, 2 if revision == "r1" else 0, more=2)
    before = carriers.states
    violations = carriers.together(partial(_killed, carriers, revision, how), points)
    where = "in the middle of a write" if how == "half" else "before an operation"
    COUNTS.append(
        f"kills {where} of the run that makes {revision}: {len(points)} of {len(seen)} points, "
        f"{len(points)} recoveries from {carriers.states - before} more states, "
        f"{len(violations)} violations"
    )
    assert violations == []


def test_the_points_are_all_there_are(carriers: Carriers) -> None:
    """A run that is to be killed one operation after its last comes to its end."""
    books = carriers.empty()
    ended = carriers.run(books.task(Spoil(len(carriers.seen["r1"]) + 1)))
    assert ended.code == 0
    assert len(ended.seen) == len(carriers.seen["r1"])


@pytest.mark.parametrize("suffix", [".json.gz", ".json"])
def test_a_broken_protocol_is_found(carriers: Carriers, suffix: str) -> None:
    """Files that are written in place are torn by a kill, and that does not go unseen."""
    broken = {"protocol": "written in place"}
    seen = carriers.run(carriers.empty().task(**broken)).seen
    at = next(
        at
        for at, said in enumerate(seen, 1)
        if said.startswith("write") and said.endswith(suffix) and "pull.json" not in said
    )
    books = carriers.empty()
    assert carriers.run(books.task(Spoil(at, "half"), **broken)).code == -signal.SIGKILL
    assert wrong(books) != []
