"""The send ledger: what became of each letter, written down before and after every step.

A letter is known by its account, period, revision, report and recipient. Its life::

    drafted     a file for a person to send; nothing has left by itself
    waiting     approved, and surely not at the server: it may be tried
    intent      it is being tried, and the server surely does not have all of it yet
    handed      its last byte is on the way: only the server's reply tells
    sent        the server took it, and said so
    refused     the server will never take it; a person decides
    uncertain   it was handed over and no reply came: a person decides, nothing is tried again
    dropped     a person has decided that it is not to go out

Whoever opens the ledger to write holds its lock, so what is found in ``handed`` then was left by a
killed run and becomes ``uncertain``; what is found in ``intent`` never reached its last byte and
waits again. Everything is flushed to the disk before the next step is taken.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from maxo_reports.archive import files
from maxo_reports.errors import MailError, UsageError
from maxo_reports.outbox import database

FILE, LOCK = "outbox.sqlite", "outbox.lock"


class State(StrEnum):
    """Where a letter is."""

    DRAFTED = "drafted"
    WAITING = "waiting"
    INTENT = "intent"
    HANDED = "handed"
    SENT = "sent"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    DROPPED = "dropped"


HELD = frozenset({State.UNCERTAIN, State.REFUSED, State.HANDED})
"""Where only a person can go on."""
_LEFT = frozenset({State.SENT, State.UNCERTAIN, State.HANDED})
"""Where a recipient has it, or may have it."""
_OPEN = frozenset({State.DRAFTED, State.WAITING, State.INTENT})
"""Where its content may still be another."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a letter is known by. ``days`` are the period's first day and that after its last."""

    account: str
    days: str
    revision: int
    report: str
    recipient: str

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.account} {self.days} r{self.revision} {self.report} to {self.recipient}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of a letter.

    ``content`` is the hash of all its bytes but date and id; ``dated`` the second that its first
    try gave it as its date, so that every try is the same bytes; ``said`` the server's words, or
    why it stands where it does.
    """

    number: int
    key: Key
    state: State
    content: str
    message_id: str
    approved_at: int | None
    dated: int | None
    tries: int
    said: str
    changed_at: int

    @property
    def is_held(self) -> bool:
        """Whether only a person can go on with it."""
        return self.state in HELD

    @property
    def may_have_arrived(self) -> bool:
        """Whether the recipient has it, or may have it."""
        return self.state in _LEFT


class Outbox:
    """The send ledger of a workspace, held by this process alone."""

    def __init__(self, path: Path, opened: sqlite3.Connection) -> None:
        self._path = path
        self._database = opened

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, now: int) -> Iterator[Self]:
        """Open the ledger to write; what a killed run left is put where it belongs."""
        path = folder / FILE
        with files.only_one(folder / LOCK, "the outbox"):
            database.make(path)
            with closing(database.connected(path)) as opened, database.trouble(path):
                database.prepare(path, opened)
                outbox = cls(path, opened)
                outbox._recover(now)
                yield outbox

    @classmethod
    def look(cls, folder: Path) -> list[Entry]:
        """Return every entry, also while another process is sending; nothing where none is."""
        path = folder / FILE
        if not path.exists():
            return []
        with closing(database.connected(path)) as opened, database.trouble(path):
            database.check(path, opened)
            return cls(path, opened).entries()

    # ---- reading ----------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return every entry, oldest first."""
        return [_entry(row) for row in self._rows("ORDER BY number")]

    def find(self, key: Key) -> Entry | None:
        """Return what is known of a letter, or None."""
        rows = self._rows(f"WHERE {_MATCH}", _values(key))
        return _entry(rows[0]) if rows else None

    def numbered(self, number: int) -> Entry:
        """Return the entry of a number, or say that there is none."""
        rows = self._rows("WHERE number = ?", (number,))
        if not rows:
            message = f"the outbox has no letter {number}: 'maxo-reports outbox list' shows them"
            raise UsageError(message)
        return _entry(rows[0])

    def replaced(self, key: Key) -> int:
        """Return the latest earlier revision that the recipient may have, or 0."""
        seen = (*_LEFT, State.DRAFTED)
        marks = ", ".join("?" * len(seen))
        row = self._database.execute(
            "SELECT max(revision) FROM letter WHERE account = ? AND days = ? AND revision < ? "
            f"AND report = ? AND recipient = ? AND state IN ({marks})",
            (*_values(key), *map(str, seen)),
        ).fetchone()
        return int(row[0] or 0)

    def history(self, number: int) -> list[tuple[int, str, str]]:
        """Return every step of a letter: when, where it came to, what was said."""
        with database.trouble(self._path):
            return list(
                self._database.execute(
                    "SELECT at, state, said FROM step WHERE number = ? ORDER BY id", (number,)
                )
            )

    # ---- writing ----------------------------------------------------------------------------

    def draft(self, key: Key, content: str, message_id: str, now: int) -> Entry:
        """Note that a draft was written. What was sent, or may have been, is left as it is."""
        before = self.find(key)
        if before is not None and before.state is not State.DRAFTED:
            return before
        return self._enter(key, content, message_id, State.DRAFTED, now, approved=None)

    def approve(self, key: Key, content: str, message_id: str, now: int) -> Entry:
        """Note that this very letter is to be sent.

        The same key with another content is refused once the letter has left, or may have.
        """
        before = self.find(key)
        if before is not None and before.state not in _OPEN:
            self.hold_to(before, content)
            return before
        if before is not None and before.state is State.WAITING and before.content == content:
            return before
        return self._enter(key, content, message_id, State.WAITING, now, approved=now)

    def hold_to(self, entry: Entry, content: str) -> None:
        """Refuse another content under the key of a letter that has gone its way."""
        if entry.content != content:
            raise MailError(
                f"letter {entry.number} ({entry.key}) is {entry.state} with another content: "
                "nothing is sent. Whatever was issued stays; other figures make another revision"
            )

    def intend(self, entry: Entry, now: int) -> Entry:
        """Note that a letter is about to be tried; only what waits may be."""
        with self._writing():
            done = self._database.execute(
                "UPDATE letter SET state = ?, tries = tries + 1, dated = coalesce(dated, ?), "
                "changed_at = ? WHERE number = ? AND state = ?",
                (State.INTENT, now, now, entry.number, State.WAITING),
            )
            if done.rowcount != 1:
                raise MailError(f"letter {entry.number} does not wait to be sent: it is left")
            self._step(entry.number, State.INTENT, "", now)
        return self.numbered(entry.number)

    def move(self, entry: Entry, state: State, said: str, now: int) -> Entry:
        """Note where a letter has come to, and what was said."""
        with self._writing():
            self._database.execute(
                "UPDATE letter SET state = ?, said = ?, changed_at = ? WHERE number = ?",
                (state, said, now, entry.number),
            )
            self._step(entry.number, state, said, now)
        return self.numbered(entry.number)

    def resolve(self, number: int, to: State, why: str, now: int) -> Entry:
        """Note what a person has found out about a letter, or decided."""
        entry = self.numbered(number)
        allowed = _RESOLVED[to]
        if entry.state not in allowed:
            words = " or ".join(sorted(allowed))
            message = f"letter {number} is {entry.state}; only one that is {words} can become {to}"
            raise UsageError(message)
        return self.move(entry, to, f"by a person: {why}" if why else "by a person", now)

    def _recover(self, now: int) -> None:
        for entry in self.entries():
            if entry.state is State.HANDED:
                said = "the run ended between handing it over and the server's reply"
                self.move(entry, State.UNCERTAIN, said, now)
            elif entry.state is State.INTENT:
                self.move(entry, State.WAITING, "the run ended before it was handed over", now)

    def _enter(
        self,
        key: Key,
        content: str,
        message_id: str,
        state: State,
        now: int,
        *,
        approved: int | None,
    ) -> Entry:
        with self._writing():
            # A date belongs to its content: another letter gets one of its own.
            self._database.execute(
                "INSERT INTO letter (account, days, revision, report, recipient, content, "
                "message_id, state, approved_at, said, changed_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?) "
                "ON CONFLICT (account, days, revision, report, recipient) DO UPDATE SET "
                "dated = CASE WHEN content = excluded.content THEN dated END, "
                "content = excluded.content, message_id = excluded.message_id, "
                "state = excluded.state, approved_at = excluded.approved_at, said = '', "
                "changed_at = excluded.changed_at",
                (*_values(key), content, message_id, state, approved, now),
            )
            (row,) = self._rows(f"WHERE {_MATCH}", _values(key))
            self._step(row["number"], state, "", now)
        return _entry(row)

    def _step(self, number: int, state: State, said: str, now: int) -> None:
        self._database.execute(
            "INSERT INTO step (number, at, state, said) VALUES (?, ?, ?, ?)",
            (number, now, state, said),
        )

    def _rows(self, which: str, values: Sequence[object] = ()) -> list[Any]:
        with database.trouble(self._path):
            return self._database.execute(f"SELECT * FROM letter {which}", values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with database.trouble(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.commit()
            except BaseException:
                self._database.rollback()
                raise


_RESOLVED: dict[State, frozenset[State]] = {
    State.SENT: frozenset({State.UNCERTAIN}),
    State.WAITING: frozenset({State.UNCERTAIN, State.REFUSED, State.DROPPED}),
    State.DROPPED: frozenset({State.UNCERTAIN, State.REFUSED, State.WAITING, State.DRAFTED}),
}
"""What a person can make of a letter, and of which."""

_MATCH = "account = ? AND days = ? AND revision = ? AND report = ? AND recipient = ?"


def _values(key: Key) -> tuple[object, ...]:
    return (key.account, key.days, key.revision, key.report, key.recipient)


def _entry(row: Any) -> Entry:
    key = Key(row["account"], row["days"], row["revision"], row["report"], row["recipient"])
    return Entry(
        row["number"],
        key,
        State(row["state"]),
        row["content"],
        row["message_id"],
        row["approved_at"],
        row["dated"],
        row["tries"],
        row["said"],
        row["changed_at"],
    )
