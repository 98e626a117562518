"""No letter is taken twice by the server, and none is lost without being listed.

The server counts: a letter is taken when its last line has come. Faults are of the server's side
(at every step of an attempt), of the process (killed at every step) and of the disk (full from any
step on). Afterwards the same command runs again, twice, as cron would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mailpacks import NOW, account, books, mail, sealed
from postoffices import SECRET, USER, Fault, PostOffice

from maxo_reports.outbox import Access, Key, Letter, Line, NoLine, Outbox, Server, State, send

RECIPIENTS = tuple(f"{name}@acme.example" for name in ("ann", "bob", "cyd"))
ALL = os.environ.get("MAXO_FAULTS") == "all"
SERVERS_FAULTS = [
    None,
    *(Fault(at) for at in ("mail", "rcpt", "data", "during", "dot")),
    *(Fault(at, says) for at in ("mail", "rcpt", "data", "dot") for says in ("451 not now",)),
    *(Fault(at, says) for at in ("mail", "rcpt", "data", "dot") for says in ("550 never",)),
    Fault("dot", "252 hm"),
    Fault("dot", "777 what"),
]


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    """Open one office for all."""
    with PostOffice().open() as serving:
        yield serving


def judged(office: PostOffice, states: dict[str, State]) -> None:
    """Hold what the server counted to what the ledger says."""
    taken = Counter(to for each in office.saw.taken for to in each.recipients)
    accepted = Counter(to for each in office.saw.accepted for to in each.recipients)
    assert max(taken.values(), default=0) <= 1, taken
    assert office.saw.twice() == []
    for recipient, state in states.items():
        if state is State.SENT:
            assert taken[recipient] == 1
        elif state is not State.UNCERTAIN:
            # What is not held for a person is surely not there.
            assert taken[recipient] == 0, (recipient, state)
        if accepted[recipient]:
            assert state in {State.SENT, State.UNCERTAIN}
    # Whoever has a letter is known to have it, or listed as one who may.
    assert set(taken) <= set(states)


@settings(
    max_examples=400 if ALL else 10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(st.sampled_from(SERVERS_FAULTS), max_size=12), tries=st.integers(1, 3))
def test_whatever_the_server_does(
    tmp_path_factory: pytest.TempPathFactory,
    office: PostOffice,
    plan: list[Fault | None],
    tries: int,
) -> None:
    """Any row of faults over three recipients and three rounds."""
    folder = tmp_path_factory.mktemp("outbox")
    office.saw.__init__()  # type: ignore[misc]
    office.plan = list(plan)
    authorities = office.authorities(folder)
    where = Server("localhost", office.port, "starttls", "example.com", 5, 20, authorities)
    states: dict[str, State] = {}
    for round_ in range(3):
        line = Line(where, Access(USER, SECRET))
        with Outbox.opened(folder, NOW + round_) as book:
            for recipient in RECIPIENTS:
                key = Key("acme", "2026-10-01..2026-11-01", 1, "statement", recipient)
                entry = book.approve(key, "content", f"<{recipient}>", NOW + round_)
                if entry.state is State.WAITING:
                    letter = Letter(USER, recipient, lambda _, to=recipient: written(to))
                    try:
                        entry = send(
                            book,
                            entry,
                            letter,
                            line,
                            tries=tries,
                            now=lambda: NOW,
                            wait=lambda _: None,
                        )
                    except NoLine:
                        entry = book.numbered(entry.number)
                states[recipient] = entry.state
        line.close()
    judged(office, states)
    if not any(plan):
        assert set(states.values()) == {State.SENT}


def written(recipient: str) -> bytes:
    """Write a letter that is larger than what sockets hold back."""
    return f"To: {recipient}\r\nMessage-ID: <{recipient}>\r\n\r\n".encode() + b".dotted\r\n" * 20


class Spoiled:
    """The loaded program in a process of its own, which forks one run after the other."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("spoiled.py")
        self._server = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "MAXO_MAIL_SECRET": SECRET},
        )
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "loaded\n"

    def run(self, *words: str, at: int = 0, how: str = "kill") -> dict[str, Any]:
        """Run one command, spoiled at a step; 0 is none."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        task = {"words": words, "now": NOW, "at": at, "how": how}
        self._server.stdin.write(json.dumps(task) + "\n")
        self._server.stdin.flush()
        told: dict[str, Any] = json.loads(self._server.stdout.readline())
        return told

    def end(self) -> None:
        """End it."""
        self._server.communicate()


@pytest.fixture(scope="module")
def spoiled() -> Iterator[Spoiled]:
    """Load the program once."""
    found = Spoiled()
    yield found
    found.end()


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("how", ["kill", "full"])
def test_a_kill_or_a_full_disk_at_every_step(
    tmp_path: Path,
    office: PostOffice,
    spoiled: Spoiled,
    how: str,
    record_property: Callable[[str, object], None],
) -> None:
    """Three recipients; every letter is sent once, or held, and the outbox stays whole."""
    out = tmp_path / "pack"
    pack = sealed(out).folder
    held = points = whole = 0
    office.plan = []
    at = 1 if ALL else 6
    while True:
        office.saw.__init__()  # type: ignore[misc]
        folder = tmp_path / f"{how}-{at}"
        text = mail(office, tmp_path), account("acme", *RECIPIENTS)
        books(folder, *text)
        words = ("-C", str(folder), "send", str(pack), "--approve")
        first = spoiled.run(*words, at=at, how=how)
        if first["steps"] and first["steps"] < at:
            assert first["code"] == 0
            break
        points += 1
        if how == "kill":
            assert first["code"] == -9
        else:
            assert first["code"] in {0, 4}, first
        again = [spoiled.run(*words) for _ in range(2)]
        entries = Outbox.look(folder / "outbox")
        states = {entry.key.recipient: entry.state for entry in entries}
        judged(office, states)
        assert len(states) == 3
        uncertain = [e for e in entries if e.state is State.UNCERTAIN]
        assert all(state in {State.SENT, State.UNCERTAIN} for state in states.values())
        # Only the one letter that was on its way can be unknown.
        assert len(uncertain) <= 1
        assert [each["code"] for each in again] == ([6, 6] if uncertain else [0, 0])
        listed = spoiled.run("-C", str(folder), "outbox", "list", "--held")
        assert listed["code"] == len(uncertain)
        assert all(entry.key.recipient in listed["out"] for entry in uncertain)
        held += len(uncertain)
        whole += not uncertain
        # Every step, or every seventeenth, which shares no rhythm with the steps of a letter.
        at += 1 if ALL else 17
    told = f"{how}: {points} points, all sent after {whole}, one held after {held}, twice 0"
    record_property("points", told)
    sys.stderr.write(f"{told}\n")
    assert points > (100 if ALL else 8)
    assert held
    assert whole
