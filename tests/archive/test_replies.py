"""Replies: kept byte for byte under their hash, and any change of them is found."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from carriers import OCTOBER, call, reply
from hypothesis import given, settings
from hypothesis import strategies as st

from maxo_reports.archive.replies import Replies
from maxo_reports.core.period import Window
from maxo_reports.errors import ArchiveError

BODY = reply([call(n, OCTOBER + n) for n in range(2)], Window(OCTOBER, OCTOBER + 60))


@pytest.fixture
def replies(tmp_path: Path) -> Replies:
    """Make an empty folder of replies."""
    return Replies(tmp_path / "replies")


def test_the_packing_holds_no_time_and_no_system(replies: Replies) -> None:
    """The head is the same on every machine and with every Python."""
    packed = replies.path(replies.keep(BODY)).read_bytes()
    assert packed[:10].hex() == "1f8b08" + "00" * 6 + "ff"


def test_a_reply_is_kept_under_the_hash_of_its_bytes(replies: Replies) -> None:
    """The name is the SHA-256 of what came, the file is private, and it reads back the same."""
    sha256 = replies.keep(BODY)
    assert sha256 == hashlib.sha256(BODY).hexdigest()
    path = replies.path(sha256)
    assert path.name == f"{sha256}.json.gz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert replies.read(sha256) == BODY


@pytest.mark.parametrize("tools", [("gzip", "-dc"), ("zcat",)])
def test_ordinary_programs_prove_the_name(replies: Replies, tools: tuple[str, ...]) -> None:
    """``gzip -dc FILE | sha256sum`` needs nothing of ours."""
    if shutil.which(tools[0]) is None or shutil.which("sha256sum") is None:
        pytest.skip("needs gzip and sha256sum, which the system does not have")
    sha256 = replies.keep(BODY)
    unpacked = subprocess.run(
        [*tools, str(replies.path(sha256))], check=True, capture_output=True
    ).stdout
    said = subprocess.run(["sha256sum"], input=unpacked, check=True, capture_output=True).stdout
    assert said.split()[0].decode() == sha256
    assert unpacked == BODY


def test_the_same_reply_makes_the_same_file_and_is_left_alone(
    replies: Replies, tmp_path: Path
) -> None:
    """Kept twice it is one file, not written again; elsewhere it is equal to the bit."""
    path = replies.path(replies.keep(BODY))
    before = path.stat()
    replies.keep(BODY)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    other = Replies(tmp_path / "elsewhere")
    assert other.path(other.keep(BODY)).read_bytes() == path.read_bytes()


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_kept(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    """A web page, a cut gzip, nothing at all: evidence is not judged."""
    replies = Replies(tmp_path_factory.mktemp("replies"))
    assert replies.read(replies.keep(body)) == body


def test_every_flipped_bit_is_found_or_harmless(replies: Replies) -> None:
    """Each byte with one bit turned: refused as damaged, or the reply itself is still the same."""
    sha256 = replies.keep(BODY)
    path = replies.path(sha256)
    whole = path.read_bytes()
    refused = 0
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        try:
            assert replies.read(sha256) == BODY
        except ArchiveError as problem:
            refused += 1
            assert "damaged" in str(problem)
            assert "\n" not in str(problem)
    # The ten bytes of gzip's head hold a time and other things that change no content.
    assert refused > len(whole) - 10


def test_every_cut_is_found(replies: Replies) -> None:
    """A file that ends too early is refused at whatever byte."""
    sha256 = replies.keep(BODY)
    path = replies.path(sha256)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ArchiveError, match="damaged"):
            replies.read(sha256)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(BODY + b" "),
        gzip.compress(b"another reply"),
        gzip.compress(BODY) + gzip.compress(BODY),
        gzip.compress(BODY) + b"junk",
        BODY,
        b"",
    ],
    ids=["a space more", "another", "twice", "junk behind", "not packed", "empty"],
)
def test_another_content_under_the_name_is_found(replies: Replies, content: bytes) -> None:
    """A reply that was swapped, extended or unpacked in place does not have its name's hash."""
    sha256 = replies.keep(BODY)
    replies.path(sha256).write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged"):
        replies.read(sha256)


def test_a_missing_reply_is_named(replies: Replies) -> None:
    """The message names the file that is gone."""
    sha256 = replies.keep(BODY)
    replies.path(sha256).unlink()
    with pytest.raises(ArchiveError, match=f"{sha256}.* is missing"):
        replies.read(sha256)


def test_a_damaged_reply_is_mended_when_it_comes_again(replies: Replies) -> None:
    """The carrier says the same once more: the chance to repair the evidence is taken."""
    sha256 = replies.keep(BODY)
    path = replies.path(sha256)
    whole = path.read_bytes()
    for damage in (b"", whole[:-1], whole[:40] + b"\x00" + whole[41:]):
        path.write_bytes(damage)
        assert replies.keep(BODY) == sha256
        assert replies.read(sha256) == BODY


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Evidence that cannot be kept ends the pull, in one line."""
    (tmp_path / "replies").write_bytes(b"")
    with pytest.raises(ArchiveError):
        Replies(tmp_path / "replies").keep(BODY)
