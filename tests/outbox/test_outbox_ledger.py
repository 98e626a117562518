"""The send ledger: what may follow what, and what is on the disk."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maxo_reports.errors import ArchiveError, MailError, UsageError
from maxo_reports.outbox import Key, Outbox, State
from maxo_reports.outbox.ledger import FILE

KEY = Key("acme", "2026-10-01..2026-11-01", 1, "statement", "jane@acme.example")
ID = "<1@example.com>"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Outbox]:
    """Open an outbox."""
    with Outbox.opened(tmp_path / "outbox", 1) as opened:
        yield opened


def test_the_file_is_private_and_every_step_is_flushed(tmp_path: Path) -> None:
    """Nobody else reads whom we write to; SQLite is told to wait for the disk."""
    old = os.umask(0)
    try:
        with Outbox.opened(tmp_path / "outbox", 1) as book:
            book.approve(KEY, "a", ID, 1)
            assert book._database.execute("PRAGMA synchronous").fetchone()[0] == 3  # EXTRA
            assert book._database.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    finally:
        os.umask(old)
    path = tmp_path / "outbox" / FILE
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_letter_goes_its_way(book: Outbox) -> None:
    """Every step is kept, with what was said; its first try dates it for good."""
    entry = book.approve(KEY, "a", ID, 10)
    assert (entry.state, entry.approved_at, entry.tries, entry.dated) == (
        State.WAITING,
        10,
        0,
        None,
    )
    entry = book.intend(entry, 20)
    assert (entry.state, entry.tries, entry.dated) == (State.INTENT, 1, 20)
    entry = book.move(entry, State.WAITING, "451 not now", 21)
    entry = book.intend(entry, 30)
    assert (entry.tries, entry.dated) == (2, 20)
    entry = book.move(book.move(entry, State.HANDED, "", 31), State.SENT, "250 fine", 32)
    assert entry == book.find(KEY) == book.numbered(entry.number)
    assert [step[1] for step in book.history(entry.number)] == [
        *("waiting", "intent", "waiting", "intent", "handed", "sent")
    ]
    with pytest.raises(MailError, match="does not wait"):
        book.intend(entry, 40)


@pytest.mark.parametrize("state", [State.SENT, State.UNCERTAIN, State.HANDED, State.REFUSED])
def test_the_same_key_with_another_content_is_refused(book: Outbox, state: State) -> None:
    """What has left, or may have, stays what it was; the same content is no trouble."""
    entry = book.move(book.approve(KEY, "a", ID, 1), state, "x", 2)
    assert book.approve(KEY, "a", ID, 3) == entry
    with pytest.raises(MailError, match="another content: nothing is sent"):
        book.approve(KEY, "b", ID, 4)
    assert book.draft(KEY, "b", ID, 5) == entry
    assert book.find(KEY) == entry


def test_an_approval_is_of_one_content(book: Outbox) -> None:
    """Another letter under the key wants another approval and gets a date of its own."""
    entry = book.intend(book.approve(KEY, "a", ID, 1), 5)
    entry = book.move(entry, State.WAITING, "", 6)
    after = book.approve(KEY, "b", ID, 7)
    assert (after.number, after.content, after.approved_at) == (entry.number, "b", 7)
    assert after.dated is None


def test_what_a_killed_run_left_is_put_where_it_belongs(tmp_path: Path) -> None:
    """Tried is tried again; handed over is nobody's to know."""
    other = Key("acme", KEY.days, 1, "statement", "bob@acme.example")
    with Outbox.opened(tmp_path, 1) as book:
        tried = book.intend(book.approve(KEY, "a", ID, 1), 2)
        handed = book.move(book.intend(book.approve(other, "a", "<2>", 1), 2), State.HANDED, "", 3)
    assert [entry.is_held for entry in Outbox.look(tmp_path)] == [False, True]
    with Outbox.opened(tmp_path, 9) as book:
        assert book.numbered(tried.number).state is State.WAITING
        entry = book.numbered(handed.number)
        assert entry.state is State.UNCERTAIN
        assert entry.is_held
        assert "between handing it over and the server's reply" in entry.said


def test_what_a_person_can_decide(book: Outbox) -> None:
    """Of a letter that is held: that it arrived, that it may go again, that it is dropped."""
    entry = book.move(book.approve(KEY, "a", ID, 1), State.UNCERTAIN, "x", 2)
    assert book.resolve(entry.number, State.SENT, "Jane has it", 3).said == (
        "by a person: Jane has it"
    )
    with pytest.raises(UsageError, match="is sent; only one that is uncertain can become sent"):
        book.resolve(entry.number, State.SENT, "", 4)
    with pytest.raises(UsageError, match="is sent; only"):
        book.resolve(entry.number, State.WAITING, "", 4)
    book.move(entry, State.REFUSED, "550", 5)
    again = book.resolve(entry.number, State.WAITING, "", 6)
    assert (again.state, again.message_id) == (State.WAITING, ID)
    assert book.resolve(entry.number, State.DROPPED, "", 7).state is State.DROPPED
    with pytest.raises(UsageError, match="has no letter 99"):
        book.resolve(99, State.SENT, "", 8)


def test_which_revision_a_recipient_may_have(book: Outbox) -> None:
    """A letter says what it replaces only where that may have arrived."""
    third = Key("acme", KEY.days, 3, "statement", KEY.recipient)
    second = Key("acme", KEY.days, 2, "statement", KEY.recipient)
    assert book.replaced(third) == 0
    book.move(book.approve(KEY, "a", ID, 1), State.SENT, "", 2)
    book.approve(second, "b", "<2>", 3)
    assert book.replaced(third) == 1
    assert book.replaced(KEY) == 0
    assert book.replaced(Key("acme", KEY.days, 3, "statement", "bob@acme.example")) == 0
    assert book.replaced(Key("beta", KEY.days, 3, "statement", KEY.recipient)) == 0


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second holder is refused; whoever only looks is not."""
    with Outbox.opened(tmp_path, 1) as book:
        book.approve(KEY, "a", ID, 1)
        with pytest.raises(ArchiveError, match="is working on the outbox"):
            with Outbox.opened(tmp_path, 1):
                pass
        assert [entry.key for entry in Outbox.look(tmp_path)] == [KEY]


@pytest.mark.parametrize(
    "content",
    [b"no database at all, but long enough to be one" * 9, b"SQLite format 3\0" + b"\xff" * 200],
)
def test_a_damaged_ledger_sends_nothing(tmp_path: Path, content: bytes) -> None:
    """One line says what it is, and that letters could go out twice without it."""
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ArchiveError, match="bring it back from a backup"):
        with Outbox.opened(tmp_path, 1):
            pass
    with pytest.raises(ArchiveError):
        Outbox.look(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """And so is one of a later version."""
    path = tmp_path / FILE
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE letter (x)")
    database.close()
    with pytest.raises(ArchiveError, match="not an outbox of ours"):
        with Outbox.opened(tmp_path, 1):
            pass
    path.unlink()
    with Outbox.opened(tmp_path, 1):
        pass
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 7")
    database.close()
    with pytest.raises(ArchiveError, match="format 7; this version reads 1"):
        Outbox.look(tmp_path)


def test_nothing_is_listed_where_there_is_no_outbox(tmp_path: Path) -> None:
    """And looking makes none."""
    assert Outbox.look(tmp_path / "outbox") == []
    assert not (tmp_path / "outbox").exists()
