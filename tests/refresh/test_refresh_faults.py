"""A kill or a full disk at any moment leaves the user's workbook whole: the old or the new."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from books import BACKUP, NOW, month, plain

from maxo_reports.errors import ArchiveError, TieOutError, UsageError
from maxo_reports.refresh import edit, refresh

KILLED = Path(__file__).with_name("killed.py")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_kill_at_every_operation(tmp_path: Path) -> None:
    """Old with or without a backup, or new with its backup; only drafts lie about."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = plain(folder / "book.xlsx")
    old = _hash(path.read_bytes())
    told = tmp_path / "told.json"
    subprocess.run([sys.executable, KILLED, path, told], check=True, timeout=120)
    ends = json.loads(told.read_text())
    assert ends[-1]["status"] == 0
    assert all(os.WTERMSIG(end["status"]) == signal.SIGKILL for end in ends[:-1])
    new = ends[-1]["held"]["book.xlsx"]
    assert new != old
    states = set()
    for end in ends:
        held = end["held"]
        backup = held.get(f"book.xlsx{BACKUP}")
        drafts = {name for name in held if name.startswith(".tmp-book.xlsx")}
        assert held["book.xlsx"] in {old, new}
        assert backup in {None, old}
        assert held["book.xlsx"] == old or backup == old
        assert set(held) <= {"book.xlsx", f"book.xlsx{BACKUP}", *drafts}
        states.add((held["book.xlsx"] == new, backup == old))
    assert states == {(False, False), (False, True), (True, True)}
    assert len(ends) > 15


def test_what_a_kill_left_is_cleared_away(tmp_path: Path) -> None:
    """The next refresh of the workbook removes its drafts, and no others."""
    path = plain(tmp_path / "book.xlsx")
    (tmp_path / ".tmp-book.xlsx-x1y2.xlsx").write_bytes(b"half")
    (tmp_path / ".tmp-other.xlsx-x1y2.xlsx").write_bytes(b"half")
    refresh(path, month(1), NOW)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".tmp-other.xlsx-x1y2.xlsx",
        "book.xlsx",
        f"book.xlsx{BACKUP}",
    ]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_at_every_size(tmp_path: Path) -> None:
    """One line; the workbook as it was, and nothing beside it."""
    path = plain(tmp_path / "book.xlsx")
    old, report = path.read_bytes(), month(500)
    size = 0
    for size in range(0, 200_000, 1_000):
        with room_for(size):
            try:
                refresh(path, report, NOW)
            except ArchiveError as why:
                assert "\n" not in str(why)
                assert path.read_bytes() == old
                assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]
            else:
                break
    assert 10_000 < size < 199_000
    assert path.read_bytes() != old


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the workbook."""
    path = plain(tmp_path / "book.xlsx")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(ArchiveError, match=r"cannot write beside .*book\.xlsx: Permission denied"):
        refresh(path, month(1), NOW)


def test_a_file_that_reads_back_wrong_is_not_put_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is lost, a figure that is changed, a range that falls short: exit code 5."""
    path = plain(tmp_path / "book.xlsx")
    old = path.read_bytes()
    real = edit.made
    spoils = {
        "J4": lambda row, cells: cells.replace(b"<v>-0.0006", b"<v>-0.0007"),
        "E5": lambda row, cells: cells.replace(b"0491570006", b"491570006"),
        "A3": lambda row, cells: cells.replace(b"722000001", b"722000002"),
        "A30": lambda row, cells: b"" if row == 28 else cells,
    }
    for place, spoil in spoils.items():

        def spoiled(*words: object, spoil: object = spoil) -> Iterator[bytes]:
            for row, cells in enumerate(real(*words)):  # type: ignore[arg-type]
                yield spoil(row, cells)  # type: ignore[operator]

        with monkeypatch.context() as patch:
            patch.setattr(edit, "made", spoiled)
            with pytest.raises(TieOutError, match=f"cell {place}: .* in the ledger") as caught:
                refresh(path, month(40), NOW)
        assert caught.value.exit_code == 5
        assert path.read_bytes() == old
        assert [p.name for p in tmp_path.iterdir()] == ["book.xlsx"]


def test_a_range_that_falls_short_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader finds the table by its part, and misses rows that are not in its range."""
    path = plain(tmp_path / "book.xlsx")
    monkeypatch.setattr("maxo_reports.refresh.marks.Marks.tables", lambda _: None)
    with pytest.raises(TieOutError, match="table 'Calls', its rows and columns"):
        refresh(path, month(40), NOW)


@pytest.mark.parametrize("in_place", [True, False])
def test_a_workbook_that_changes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_place: bool
) -> None:
    """Somebody saves it while we work: his is kept, without a backup beside it."""
    path = plain(tmp_path / "book.xlsx")
    his = plain(tmp_path / "his.xlsx", rows=7).read_bytes()
    real = edit.Edit.pieces

    def saving(self: edit.Edit) -> Iterator[bytes]:
        if in_place:
            path.write_bytes(his)
        else:
            (tmp_path / "his.xlsx").replace(path)
        return real(self)

    monkeypatch.setattr(edit.Edit, "pieces", saving)
    with pytest.raises(UsageError, match=r"was changed (meanwhile|while it was read)"):
        refresh(path, month(2), NOW)
    assert path.read_bytes() == his
    assert {p.name for p in tmp_path.iterdir()} <= {"book.xlsx", "his.xlsx"}
