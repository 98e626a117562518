"""Sending: intent, then the letter, then what the server said; each on the disk before the next.

Tried again is only what the server surely does not have. What nobody knows of is held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maxo_reports.errors import ArchiveError
from maxo_reports.outbox.ledger import Entry, Outbox, State
from maxo_reports.outbox.wire import Fate, Line, NoLine, Reply

_FIRST_WAIT, _LONGEST_WAIT = 2, 60


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes over the wire: the envelope, and the bytes for the date that it is given."""

    sender: str
    recipient: str
    content: Callable[[int], bytes]
    """The whole message as of a second; the same second gives the same bytes."""


def send(
    outbox: Outbox,
    entry: Entry,
    letter: Letter,
    line: Line,
    *,
    tries: int,
    now: Callable[[], int],
    wait: Callable[[float], None],
) -> Entry:
    """Send a letter that waits, at most once; return where it has come to.

    A server that cannot be reached, or does not take it now, is asked again up to ``tries``
    times. Raises NoLine where there is no connection that it could go over; then it waits.
    """
    pause = float(_FIRST_WAIT)
    for tried in range(1, tries + 1):
        is_last = tried == tries
        entry = outbox.intend(entry, now())
        try:
            reply = _tried(outbox, entry, letter, line, now)
        except NoLine as problem:
            entry = outbox.move(entry, State.WAITING, str(problem), now())
            if is_last or not problem.passing:
                raise
        else:
            entry = _recorded(outbox, entry, reply, now())
            if is_last or entry.state is not State.WAITING:
                break
        wait(pause)
        pause = min(2 * pause, _LONGEST_WAIT)
    return entry


_STATES = {
    Fate.TAKEN: State.SENT,
    Fate.NOT_TAKEN: State.WAITING,
    Fate.REFUSED: State.REFUSED,
    Fate.UNKNOWN: State.UNCERTAIN,
}


def _recorded(outbox: Outbox, entry: Entry, reply: Reply, now: int) -> Entry:
    try:
        return outbox.move(entry, _STATES[reply.fate], reply.said, now)
    except ArchiveError as problem:
        if reply.fate is not Fate.TAKEN:
            raise
        raise ArchiveError(
            f"letter {entry.number} ({entry.key}) was taken by the server ({reply.said}), which "
            f"could not be written down ({problem}); then: outbox resolve {entry.number} --sent"
        ) from None


def _tried(
    outbox: Outbox, entry: Entry, letter: Letter, line: Line, now: Callable[[], int]
) -> Reply:
    def handing() -> None:
        outbox.move(entry, State.HANDED, "", now())

    content = letter.content(entry.dated or now())
    return line.deliver(letter.sender, letter.recipient, content, handing)
