"""The send ledger's file: private, flushed to the disk at every step, and nobody else's."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError

_FORMAT = 1
_APPLICATION = 0x6D617870
"""Says in the file's head whose it is: ``maxp``."""
_TABLES = (
    """
    CREATE TABLE letter (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL, days TEXT NOT NULL, revision INTEGER NOT NULL,
        report TEXT NOT NULL, recipient TEXT NOT NULL,
        content TEXT NOT NULL, message_id TEXT NOT NULL, state TEXT NOT NULL,
        approved_at INTEGER, dated INTEGER, tries INTEGER NOT NULL DEFAULT 0,
        said TEXT NOT NULL, changed_at INTEGER NOT NULL,
        UNIQUE (account, days, revision, report, recipient)
    ) STRICT""",
    """
    CREATE TABLE step (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        number INTEGER NOT NULL REFERENCES letter (number),
        at INTEGER NOT NULL, state TEXT NOT NULL, said TEXT NOT NULL
    ) STRICT""",
)


def make(path: Path) -> None:
    """Make an empty file that nobody else can read; SQLite's own would be open to others."""
    if not path.exists():
        with files.disk_trouble("make", path):
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, files.FILE_MODE))
            files.sync_folder(path.parent)


def connected(path: Path) -> sqlite3.Connection:
    """Open the file so that what is written is on the disk before the next step."""
    with trouble(path):
        database = sqlite3.connect(path, timeout=10, isolation_level=None)
        database.row_factory = sqlite3.Row
        # EXTRA also flushes the folder when the journal goes: a journal that a power cut brings
        # back would take the last step away, and the letter would be sent again.
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("PRAGMA synchronous = EXTRA")
        database.execute("PRAGMA foreign_keys = ON")
        return database


def prepare(path: Path, database: sqlite3.Connection) -> None:
    """Make the tables in a new file, in one step; hold an old one to its format."""
    if _pragma(database, "user_version") or _pragma(database, "application_id"):
        check(path, database)
        return
    if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise _stranger(path)
    database.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        database.execute(table)
    database.execute(f"PRAGMA application_id = {_APPLICATION}")
    database.execute(f"PRAGMA user_version = {_FORMAT}")
    database.execute("COMMIT")


def check(path: Path, database: sqlite3.Connection) -> None:
    """Refuse a file that is another program's, or of a version that we do not read."""
    if _pragma(database, "application_id") != _APPLICATION:
        raise _stranger(path)
    version = _pragma(database, "user_version")
    if version != _FORMAT:
        message = f"{path} is of the format {version}; this version reads {_FORMAT}"
        raise ArchiveError(f"{message}: use the version that wrote it, nothing was sent")


def _stranger(path: Path) -> ArchiveError:
    return ArchiveError(f"{path} is not an outbox of ours: put it elsewhere, nothing was sent")


def _pragma(database: sqlite3.Connection, name: str) -> int:
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])


@contextmanager
def trouble(path: Path) -> Iterator[None]:
    """Turn SQLite's trouble into one line that names the file and what to do."""
    try:
        yield
    except sqlite3.Error as problem:
        raise ArchiveError(
            f"the outbox {path} cannot be used: {problem}; check the disk; if the file is "
            "damaged, bring it back from a backup (without it, letters could go out twice)"
        ) from None
