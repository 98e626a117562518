"""Notes: small files that prove themselves, to us and to programs that every machine has."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.archive import notes, purged
from maxo_reports.archive.purged import Purged
from maxo_reports.errors import ArchiveError

CONTENT = {"name": "Zürich", "count": 7, "inside": {"b": [1, None, True], "a": ""}}


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """Write one note."""
    path = tmp_path / "note.json"
    notes.put(path, CONTENT)
    return path


def test_a_note_reads_back_as_it_was_written(note: Path) -> None:
    """With the format's number, and as JSON that any reader takes."""
    assert notes.load(note, ("name", "count")) == {"format": 1, **CONTENT}
    plain = json.loads(note.read_text())
    assert {key: plain[key] for key in CONTENT} == CONTENT


def test_ordinary_programs_prove_a_note(note: Path) -> None:
    """``grep -v own_sha256 NOTE | sha256sum`` says what the second line says."""
    if shutil.which("sha256sum") is None or shutil.which("grep") is None:
        pytest.skip("needs grep and sha256sum, which the system does not have")
    grep = ["grep", "-v", "own_sha256", str(note)]
    rest = subprocess.run(grep, check=True, capture_output=True).stdout
    said = subprocess.run(["sha256sum"], input=rest, check=True, capture_output=True).stdout
    assert json.loads(note.read_text())["own_sha256"] == said.split()[0].decode()


def test_every_flipped_bit_and_every_cut_is_refused(note: Path) -> None:
    """All bits, all lengths, and what is added behind: one line with the file's name."""
    whole = note.read_bytes()
    damaged = [whole[:size] for size in range(len(whole))] + [whole + b"\n", whole + b" "]
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(changed))
    for content in damaged:
        note.write_bytes(content)
        with pytest.raises(ArchiveError, match=r"note\.json") as caught:
            notes.load(note, ())
        assert "\n" not in str(caught.value)
    note.write_bytes(whole)
    assert notes.load(note, ())


def test_a_note_without_its_hash_or_a_key_is_refused(note: Path) -> None:
    """What somebody wrote by hand is not taken for ours."""
    with pytest.raises(ArchiveError):
        notes.load(note, ("name", "colour"))
    lines = note.read_text().splitlines(keepends=True)
    note.write_text("".join(line for line in lines if "own_sha256" not in line))
    with pytest.raises(ArchiveError, match="own hash"):
        notes.load(note, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4))
def test_any_content_reads_back(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    """Whatever JSON can say."""
    path = tmp_path_factory.mktemp("notes") / "note.json"
    notes.put(path, content)
    assert notes.load(path, tuple(content)) == {"format": 1, **content}


def test_what_was_purged_reads_back_and_is_refused_when_it_is_odd(tmp_path: Path) -> None:
    """In the order in which it was written; another shape ends in one line."""
    assert purged.recorded(tmp_path) == ()
    entries = (
        Purged("2026-09-01..2026-10-01", (1, 2), "2026-10-01", 7),
        Purged("2026-08-01..2026-09-01", (1,), "2026-10-01", 8),
    )
    purged.write(tmp_path, entries)
    assert purged.recorded(tmp_path) == entries
    for odd in ([{"period": "x"}], [1], 1, [{"pulls": None}]):
        notes.put(tmp_path / purged.FILE, {"purged": odd})
        with pytest.raises(ArchiveError, match=r"purged\.json"):
            purged.recorded(tmp_path)
