"""Runs at once: on one account one works and the others say so; different accounts all work."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from carriers import BRISBANE
from harness import ALL, COUNTS, EARLY, Books, Carriers, leftovers, wrong

from maxo_reports.sandbox import Book, Sandbox

RACES = 10 if ALL else 1
STARTS = 10
DONE, DISK = 0, 4
REFUSAL = re.compile(
    r"maxo-reports: another run \(process \d+\) is working on account 'acme': "
    r"wait until it has ended, then try again\n"
)


@contextmanager
def _stalled() -> Iterator[tuple[Sandbox, threading.Event, threading.Event]]:
    """A carrier that answers when it is let; yields it, whether it was asked, and the leave."""
    asked, leave = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        asked.set()
        leave.wait(60)

    book = Book.from_calls(EARLY, timezone=BRISBANE)
    with Sandbox([book], faults=wait) as carrier:
        try:
            yield carrier, asked, leave
        finally:
            leave.set()


def test_racing_starts_make_exactly_one_pack(carriers: Carriers) -> None:
    """Whoever comes first works; the others say who holds the lock, or find it done."""
    refused = 0
    for _ in range(RACES):
        books = carriers.empty()
        ends = carriers.race([books.task()] * STARTS)
        for ended in ends:
            assert ended.code == DONE or (ended.code == DISK and REFUSAL.fullmatch(ended.err))
        assert any(ended.code == DONE for ended in ends)
        refused += sum(ended.code == DISK for ended in ends)
        assert [path.name for path in books.place().iterdir()] == ["r1"]
        assert wrong(books) == []
        assert leftovers(books) == []
        assert books.packs()["r1"] == carriers.packs["r1"]
    COUNTS.append(f"races of {STARTS} runs: {RACES}, {refused} refused, one pack each time")


def test_a_second_run_says_at_once_who_holds_the_account(carriers: Carriers) -> None:
    """The first waits for its carrier; the second ends at once; another account's completes."""
    with _stalled() as (carrier, asked, leave), carriers.loaded() as first:
        books = Books.make(carriers.new(), carriers.early.base_url, ("acme", "other"))
        other = books.task(None, "--account", "other")
        books.move(carrier.base_url, ("acme", "other"))
        ours = books.task(None, "--account", "acme")
        first.start([ours])
        assert asked.wait(60)
        began = time.monotonic()
        refused = carriers.run(ours)
        took = time.monotonic() - began
        books.move(carriers.early.base_url, ("acme", "other"))
        beside = carriers.run(other)
        assert not books.place("acme").exists(), "the first run is to be at its carrier"
        leave.set()
        (ended,) = first.ended()
    COUNTS.append(f"  a second run on an account at work was refused after {took:.2f} seconds")
    assert refused.code == DISK
    assert REFUSAL.fullmatch(refused.err)
    assert took < 5, "it is not to wait for the first; how long it took is printed"
    assert (beside.code, ended.code) == (DONE, DONE)
    assert [wrong(books, account=name) for name in ("acme", "other")] == [[], []]
