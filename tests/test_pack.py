"""Packs: what killed runs leave beside them is no pack, and goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from maxo_reports import pack
from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError


def _write(folder: Path) -> pack.Written:
    (folder / "calls.csv").write_bytes(b"callid\r\n1\r\n")
    return pack.Written(["calls.csv"], {"said": "so"})


def test_a_draft_is_no_pack_and_is_swept(tmp_path: Path) -> None:
    """Drafts of killed runs do not count, and go; packs and the user's own files stay."""
    place = tmp_path / "acme" / "2026-10"
    sealed = pack.seal(place, _write, lambda _: None)
    draft = place / ".draft-killed"
    draft.mkdir(mode=0o700)
    _write(draft)
    (place / "notes.txt").write_text("the user's own")
    assert pack.latest(place) == sealed
    pack.tidy(place)
    assert sorted(path.name for path in place.iterdir()) == ["notes.txt", "r1"]
    assert pack.verify(sealed.folder) == sealed
    assert pack.seal(place, _write, lambda _: None).revision == 2


def test_nothing_is_made_where_there_is_nothing_to_tidy(tmp_path: Path) -> None:
    """A period without packs has no folder, and gets none."""
    pack.tidy(tmp_path / "acme" / "2026-10")
    assert list(tmp_path.iterdir()) == []


def test_a_pack_that_stands_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack that a killed run renamed into place is flushed before anybody is told it stands."""
    place = tmp_path / "out" / "acme" / "2026-10"
    pack.seal(place, _write, lambda _: None)
    flushed: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", flushed.append)
    pack.tidy(place)
    assert flushed[:4] == [place, place.parent, place.parent.parent, tmp_path]


def test_a_failure_while_sealing_leaves_no_draft(tmp_path: Path) -> None:
    """Whatever goes wrong: no pack, no draft."""

    def fails(folder: Path) -> pack.Written:
        _write(folder)
        raise ArchiveError("the disk is full")

    with pytest.raises(ArchiveError, match="full"):
        pack.seal(tmp_path, fails, lambda _: None)
    assert list(tmp_path.iterdir()) == []
