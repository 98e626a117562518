"""Packs: complete or not there, never changed afterwards, and every kind of damage has a name."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workspaces import contents

from maxo_reports import pack
from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError, MaxoReportsError, TieOutError, UsageError
from maxo_reports.pack import Pack, Written

FILES = {"statement.xlsx": b"PK\x03\x04 a workbook", "statement.pdf": b"%PDF-1.7 a statement"}
SAID = {"program": "maxo-reports 0", "control_totals": {"cost": "295.9048"}}
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX alone has these")


def writing(
    files: Mapping[str, bytes] = FILES, said: Mapping[str, Any] = SAID
) -> Callable[[Path], Written]:
    """Return what writes some files into a draft."""

    def write(folder: Path) -> Written:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return Written(list(files), said)

    return write


def seal(place: Path, write: Callable[[Path], Written]) -> Pack:
    """Seal what is not read back: that is ``tieout``'s to do, and has tests of its own."""
    return pack.seal(place, write, lambda _: None)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Name the folder of an account's period; it is not there yet."""
    return tmp_path / "out" / "acme" / "2026-10"


@pytest.fixture
def sealed(place: Path) -> Pack:
    """Seal one pack."""
    return seal(place, writing())


# --- sealing -------------------------------------------------------------------------------


def test_a_pack_says_what_it_holds(place: Path, sealed: Pack) -> None:
    """The manifest has each file's size and hash, and what it was given; nothing else is there."""
    assert sealed.folder == place / "r1"
    manifest = json.loads((sealed.folder / "manifest.json").read_bytes())
    assert manifest == {
        "format": 1,
        "revision": 1,
        **SAID,
        "files": [
            {
                "name": name,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for name, content in FILES.items()
        ],
    }
    assert sorted(contents(place)) == sorted(
        f"r1/{name}" for name in (*FILES, "manifest.json", "SHA256SUMS")
    )
    again = pack.verify(sealed.folder)
    assert (again.revision, again.files) == (1, sealed.files)


def test_packs_are_numbered_on_and_on(place: Path) -> None:
    """Revisions count as numbers: r10 comes after r9, and no number is used twice."""
    for number in range(1, 12):
        assert seal(place, writing({"n.txt": b"%d" % number})).revision == number
    newest = pack.latest(place)
    assert newest is not None
    assert newest.folder.name == "r11"
    shutil.rmtree(place / "r4")
    assert pack.next_revision(place) == 12
    assert pack.revision(place, 4) is None
    nine = pack.revision(place, 9)
    assert nine is not None
    assert nine.revision == 9


def test_only_revisions_count_as_packs(place: Path, sealed: Pack) -> None:
    """What people put beside the packs is neither a pack nor in the way."""
    for name in ("r0", "r01", "r-2", "r2 (copy)", "r", "rubbish", "R7", "notes"):
        (place / name).mkdir()
    (place / "r٣").mkdir()
    assert pack.latest(place) == Pack(sealed.folder, sealed.manifest)
    assert seal(place, writing()).revision == 2


def test_nothing_is_there_before_all_is(place: Path) -> None:
    """While the files are written, the period's folder shows no revision."""
    seen = []

    def write(folder: Path) -> Written:
        written = writing()(folder)
        seen.append([path.name for path in place.glob("r*")])
        assert folder.parent == place
        return written

    seal(place, write)
    assert seen == [[]]


def test_what_does_not_read_back_is_not_sealed(place: Path, sealed: Pack) -> None:
    """The last look may refuse: it sees the whole draft, and then nothing is issued."""
    before = contents(place)
    seen = []

    def read_back(folder: Path) -> None:
        seen.append(sorted(path.name for path in folder.iterdir()))
        raise TieOutError("it says something else")

    with pytest.raises(TieOutError, match="something else"):
        pack.seal(place, writing(), read_back)
    assert seen == [sorted((*FILES, "manifest.json", "SHA256SUMS"))]
    assert contents(place) == before
    assert sealed.folder.is_dir()


def test_what_is_bent_while_it_is_read_back_is_not_sealed(place: Path) -> None:
    """The draft is verified last of all."""

    def read_back(folder: Path) -> None:
        (folder / "statement.pdf").write_bytes(b"bent")

    with pytest.raises(TieOutError, match=r"statement\.pdf has 4 bytes"):
        pack.seal(place, writing(), read_back)
    assert list(place.iterdir()) == []


class _Broken(Exception):
    """Some trouble while a file is written."""


@pytest.mark.parametrize("trouble", [_Broken, KeyboardInterrupt, ArchiveError, OSError])
def test_trouble_while_writing_leaves_the_old_pack_and_no_draft(
    place: Path, sealed: Pack, trouble: type[BaseException]
) -> None:
    """Whatever goes wrong half way, the folder is as it was, byte for byte."""
    before = contents(place)

    def write(folder: Path) -> Written:
        writing()(folder)
        raise trouble("half way")

    with pytest.raises(trouble):
        seal(place, write)
    assert contents(place) == before
    assert [path.name for path in place.iterdir()] == ["r1"]
    assert pack.verify(sealed.folder).manifest == sealed.manifest


def test_a_file_that_was_promised_and_not_written_seals_nothing(place: Path) -> None:
    """A name without its file is the disk's trouble: one line, no pack."""
    with pytest.raises(ArchiveError, match="No such file"):
        seal(place, lambda _: Written(["statement.pdf"], SAID))
    assert list(place.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from maxo_reports import pack

place, limit = Path(sys.argv[1]), int(sys.argv[2])
count = 0

def deadly(real):
    def call(*args, **more):
        global count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)
    return call

os.fsync, os.replace, os.rename = map(deadly, (os.fsync, os.replace, os.rename))

def write(folder):
    (folder / "statement.pdf").write_bytes(b"the next one")
    return pack.Written(["statement.pdf"], {})

pack.seal(place, write, lambda _: None)
"""


@posix
def test_a_kill_at_any_write_leaves_old_or_new(place: Path, sealed: Pack) -> None:
    """A real kill before each flush and rename: r1 stays, r2 is whole or not there."""
    before = contents(place)
    for limit in range(1, 30):
        command = [sys.executable, "-c", KILLED, str(place), str(limit)]
        ended = subprocess.run(command, check=False, capture_output=True, timeout=60)
        found = contents(place)
        assert {name: found.get(name) for name in before} == before
        newest = pack.latest(place)
        assert newest is not None
        pack.verify(newest.folder)
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        if newest.revision == 2:
            shutil.rmtree(newest.folder)
    assert limit > 5, "no kill was early enough to matter"
    # What the killed runs left behind goes when the next run holds the account's lock.
    pack.tidy(place)
    assert sorted(path.name for path in place.iterdir()) == ["r1", "r2"]


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_packs_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """Folders 0700 and files 0600: they hold telephone numbers."""
    before = os.umask(umask)
    try:
        seal(tmp_path / "out" / "acme" / "2026-10", writing())
    finally:
        os.umask(before)
    for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


# --- a disk that fails ---------------------------------------------------------------------

LIMITED = """
import resource, sys
from pathlib import Path
from maxo_reports import pack
from maxo_reports.errors import MaxoReportsError

place, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

def write(folder):
    from maxo_reports.archive import files
    with files.disk_trouble("write", folder):
        (folder / "statement.pdf").write_bytes(b"x" * 2000)
    return pack.Written(["statement.pdf"], {"much": "y" * 5000})

try:
    print(pack.seal(place, write, lambda _: None).revision)
except MaxoReportsError as problem:
    print(problem)
    sys.exit(problem.exit_code)
"""


@posix
@pytest.mark.parametrize("limit", [0, 100, 1999, 2000, 5000, 10_000])
def test_a_full_disk_makes_no_half_pack(place: Path, sealed: Pack, limit: int) -> None:
    """Full at the first file, or only at the manifest: exit code 4, one line, r1 as it was."""
    before = contents(place)
    command = [sys.executable, "-c", LIMITED, str(place), str(limit)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if limit == 10_000:
        assert (done.returncode, done.stdout) == (0, "2\n")
        pack.verify(place / "r2")
        return
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.count("\n") == 1
    assert "File too large" in done.stdout
    assert contents(place) == before
    assert [path.name for path in place.iterdir()] == ["r1"]
    pack.verify(sealed.folder)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_file_in_a_folders_place_is_one_line(place: Path, depth: int) -> None:
    """Where a folder cannot be made, or cannot be one, nothing is written at all."""
    in_the_way = [place, *place.parents][depth - 1]
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_bytes(b"a file")
    with pytest.raises(ArchiveError, match=r"cannot make the folder .*; check the folder"):
        seal(place, writing())
    assert in_the_way.read_bytes() == b"a file"


def test_a_file_in_the_revisions_place_is_one_line(place: Path) -> None:
    """A file named r1 is no pack, and is not overwritten."""
    place.mkdir(parents=True)
    (place / "r1").write_bytes(b"a file")
    with pytest.raises(UsageError, match="r1 is no pack"):
        seal(place, writing())
    assert contents(place) == {"r1": b"a file"}


def test_a_pack_that_appears_meanwhile_is_not_overwritten(place: Path) -> None:
    """Two runs at once: the one that comes second gets one line, and changes nothing."""

    def write(folder: Path) -> Written:
        seal(place.parent / "elsewhere", writing({"theirs": b"theirs"}))
        (place.parent / "elsewhere" / "r1").rename(place / "r1")
        return writing()(folder)

    with pytest.raises(ArchiveError, match="r1"):
        seal(place, write)
    assert (place / "r1" / "theirs").read_bytes() == b"theirs"
    assert [path.name for path in place.iterdir()] == ["r1"]


def as_a_person(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that permissions hold for: root without the right to pass over them."""
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root, and no setpriv to lay the rights of root down with")
        command = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command)
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def forbid() -> Iterator[Callable[[Path, int], None]]:
    """Take rights on a file or folder away for the time of a test."""
    changed: list[tuple[Path, int]] = []

    def take(path: Path, mode: int) -> None:
        changed.append((path, stat.S_IMODE(path.stat().st_mode)))
        path.chmod(mode)

    yield take
    for path, mode in changed:
        path.chmod(mode)


@posix
def test_a_read_only_folder_is_one_line(
    place: Path, sealed: Pack, forbid: Callable[[Path, int], None]
) -> None:
    """Where nothing can be written, nothing is; the line names the folder."""
    before = contents(place)
    forbid(place, 0o500)
    done = as_a_person(sys.executable, "-c", LIMITED, str(place), "100000")
    assert (done.returncode, done.stderr) == (4, "")
    assert "Permission denied" in done.stdout
    assert str(place) in done.stdout
    assert contents(place) == before
    assert sealed.folder.is_dir()


VERIFY = "import sys; from maxo_reports.cli import main; sys.exit(main(['verify', sys.argv[1]]))"


@posix
@pytest.mark.parametrize("what", ["", "statement.pdf", "manifest.json", "SHA256SUMS"])
def test_what_cannot_be_read_is_one_line_and_no_verdict(
    sealed: Pack, forbid: Callable[[Path, int], None], what: str
) -> None:
    """A folder or file without the right to read it: exit code 4, never 'unchanged'."""
    forbid(sealed.folder / what, 0o000)
    done = as_a_person(sys.executable, "-c", VERIFY, str(sealed.folder))
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert str(sealed.folder) in done.stderr


# --- verifying -----------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum")
def test_the_sums_are_those_of_sha256sum(place: Path) -> None:
    """The real program passes the pack, and names the file that was changed."""
    names = {"a b.txt": b"1", "ü-statement.pdf": b"2", "plain.csv": b""}
    folder = seal(place, writing(names)).folder

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sha256sum", "--check", "--strict", "SHA256SUMS"],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )

    done = check()
    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"{name}: OK" for name in (*names, "manifest.json")]
    (folder / "plain.csv").write_bytes(b"\n")
    done = check()
    assert done.returncode == 1
    assert "plain.csv: FAILED" in done.stdout


def cut(path: Path) -> None:
    """Cut a file's last byte off."""
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    """Turn one bit of a file over."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def in_its_place(path: Path) -> None:
    """Put a folder where a file was."""
    path.unlink()
    path.mkdir()


DAMAGE: list[tuple[str, Callable[[Path], object], str]] = [
    ("statement.pdf", Path.unlink, "statement.pdf is missing"),
    ("statement.pdf", cut, "statement.pdf has 19 bytes, not 20"),
    ("statement.pdf", flip, "statement.pdf was changed after it was issued"),
    ("statement.pdf", in_its_place, "statement.pdf is missing"),
    ("SHA256SUMS", Path.unlink, "SHA256SUMS is missing"),
    ("SHA256SUMS", cut, "SHA256SUMS does not say"),
    ("SHA256SUMS", flip, "SHA256SUMS does not say"),
    ("note.txt", lambda path: path.write_text("mine"), "note.txt does not belong to it"),
    (".hidden", lambda path: path.write_text("mine"), ".hidden does not belong to it"),
    ("more", Path.mkdir, "more does not belong to it"),
]


@pytest.mark.parametrize(("name", "damage", "says"), DAMAGE, ids=[says for *_, says in DAMAGE])
def test_each_kind_of_damage_is_named(
    sealed: Pack, name: str, damage: Callable[[Path], object], says: str
) -> None:
    """A file that is gone, cut, changed, replaced or added is named, with what is wrong."""
    damage(sealed.folder / name)
    with pytest.raises(TieOutError, match=says) as caught:
        pack.verify(sealed.folder)
    assert str(sealed.folder) in str(caught.value)
    assert str(caught.value).count(";") == 0


def test_all_damage_is_named_at_once(sealed: Pack) -> None:
    """One reading tells everything."""
    (sealed.folder / "statement.pdf").unlink()
    flip(sealed.folder / "statement.xlsx")
    (sealed.folder / "note.txt").touch()
    with pytest.raises(TieOutError) as caught:
        pack.verify(sealed.folder)
    for name in ("statement.pdf", "statement.xlsx", "note.txt"):
        assert name in str(caught.value)


def test_a_changed_word_of_the_manifest_is_noticed(sealed: Pack) -> None:
    """A manifest that says other figures than were issued no longer has its hash."""
    path = sealed.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"295.9048", b"295.9049"))
    with pytest.raises(TieOutError, match="SHA256SUMS does not say"):
        pack.verify(sealed.folder)


NO_MANIFESTS: list[tuple[bytes | None, type[MaxoReportsError]]] = [
    (None, UsageError),
    (b"", ArchiveError),
    (b"{", ArchiveError),
    (b"\xff\xfe", ArchiveError),
    (b"[" * 100_000, ArchiveError),
    (b"[]", ArchiveError),
    (b"null", ArchiveError),
    (b'{"format": 2, "revision": 1, "files": []}', ArchiveError),
    (b'{"format": 1}', ArchiveError),
    (b'{"format": 1, "files": []}', ArchiveError),
    (b'{"format": 1, "revision": "1", "files": []}', ArchiveError),
    (b'{"format": 1, "revision": 1, "files": {}}', ArchiveError),
    (b'{"format": 1, "revision": 1, "files": ["a"]}', ArchiveError),
    (b'{"format": 1, "revision": 1, "files": [{"name": "a"}]}', ArchiveError),
    (
        b'{"format": 1, "revision": 1, "files": [{"name": "a", "bytes": "1", "sha256": ""}]}',
        ArchiveError,
    ),
]


@pytest.mark.parametrize(("content", "kind"), NO_MANIFESTS)
def test_what_is_no_manifest_is_one_line(
    sealed: Pack, content: bytes | None, kind: type[MaxoReportsError]
) -> None:
    """Missing, cut, of another shape or format: named, and never a traceback."""
    path = sealed.folder / "manifest.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(kind, match=r"manifest\.json") as caught:
        pack.verify(sealed.folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../r2/x.pdf", "/etc/passwd", "", ".", "a/../b", "a/b/c", "a//b", "./b"]
)
def test_a_manifest_names_files_of_its_own_folder_only(sealed: Pack, name: str) -> None:
    """One that points out of the pack is no manifest, and what it points at is not read."""
    path = sealed.folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["files"][0]["name"] = name
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArchiveError, match="not what a manifest is"):
        pack.verify(sealed.folder)


@pytest.mark.parametrize("what", ["basis", "pull"])
def test_a_pack_that_lacks_what_a_rebuild_needs_says_so(sealed: Pack, what: str) -> None:
    """This one was sealed without: one line instead of a traceback."""
    with pytest.raises(ArchiveError, match=f"has no whole {what!r}"):
        getattr(sealed, what)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seal one pack for many examples."""
    return seal(tmp_path_factory.mktemp("law") / "2026-10", writing()).folder


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(standing: Path, data: st.DataObject) -> None:
    """Law: a pack of which any one bit is another does not verify."""
    path = standing / data.draw(st.sampled_from(sorted(contents(standing))))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    bent = bytearray(whole)
    bent[at // 8] ^= 1 << at % 8
    path.write_bytes(bent)
    try:
        with pytest.raises((TieOutError, ArchiveError)):
            pack.verify(standing)
    finally:
        path.write_bytes(whole)
    pack.verify(standing)


# --- comparing -----------------------------------------------------------------------------


def test_two_folders_that_differ_are_told_apart_file_by_file(tmp_path: Path) -> None:
    """What is in one only, and what differs, by name; equal ones are not mentioned."""
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "same").write_bytes(b"same")
        (folder / "differs").write_bytes(folder.name.encode())
    (first / "first only").touch()
    (second / "second only").mkdir()
    assert pack.differences(first, second) == [
        "differs differs",
        "first only is in one of them only",
        "second only is in one of them only",
    ]
    assert pack.differences(first, first) == []


def test_workbooks_are_compared_part_by_part(tmp_path: Path) -> None:
    """The parts that differ are named, or the packing alone where none does."""

    def book(name: str, parts: Mapping[str, bytes], method: int) -> None:
        (tmp_path / name).mkdir()
        with zipfile.ZipFile(tmp_path / name / "b.xlsx", "w", method) as package:
            for part, content in parts.items():
                package.writestr(zipfile.ZipInfo(part), content)

    book("a", {"x": b"1", "y": b"2" * 99, "z": b"3"}, zipfile.ZIP_STORED)
    book("b", {"x": b"1", "y": b"4" * 99, "w": b"5"}, zipfile.ZIP_STORED)
    book("c", {"x": b"1", "y": b"2" * 99, "z": b"3"}, zipfile.ZIP_DEFLATED)
    assert pack.differences(tmp_path / "a", tmp_path / "b") == ["b.xlsx differs in w, y, z"]
    with zipfile.ZipFile(tmp_path / "c" / "b.xlsx", "a") as package:
        package.comment = b"packed otherwise"
    assert pack.differences(tmp_path / "a", tmp_path / "c") == [
        "b.xlsx differs in its packing only"
    ]


# --- what killed runs leave ---------------------------------------------------------------


def _write_one(folder: Path) -> pack.Written:
    (folder / "calls.csv").write_bytes(b"callid\r\n1\r\n")
    return pack.Written(["calls.csv"], {"said": "so"})


def test_a_draft_is_no_pack_and_is_swept(tmp_path: Path) -> None:
    """Drafts of killed runs do not count, and go; packs and the user's own files stay."""
    place = tmp_path / "acme" / "2026-10"
    sealed = pack.seal(place, _write_one, lambda _: None)
    draft = place / ".draft-killed"
    draft.mkdir(mode=0o700)
    _write_one(draft)
    (place / "notes.txt").write_text("the user's own")
    assert pack.latest(place) == sealed
    pack.tidy(place)
    assert sorted(path.name for path in place.iterdir()) == ["notes.txt", "r1"]
    assert pack.verify(sealed.folder) == sealed
    assert pack.seal(place, _write_one, lambda _: None).revision == 2


def test_nothing_is_made_where_there_is_nothing_to_tidy(tmp_path: Path) -> None:
    """A period without packs has no folder, and gets none."""
    pack.tidy(tmp_path / "acme" / "2026-10")
    assert list(tmp_path.iterdir()) == []


def test_a_pack_that_stands_is_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack that a killed run renamed into place is flushed before anybody is told it stands."""
    place = tmp_path / "out" / "acme" / "2026-10"
    pack.seal(place, _write_one, lambda _: None)
    flushed: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", flushed.append)
    pack.tidy(place)
    assert flushed[:4] == [place, place.parent, place.parent.parent, tmp_path]


def test_a_folder_that_a_killed_run_has_just_made_is_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a pack would be sealed in a folder that a power cut can still take away."""
    (tmp_path / "out").mkdir(mode=0o700)
    flushed: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", flushed.append)
    pack.tidy(tmp_path / "out" / "acme" / "2026-10")
    assert flushed[:2] == [tmp_path / "out", tmp_path]


def test_a_failure_while_sealing_leaves_no_draft(tmp_path: Path) -> None:
    """Whatever goes wrong: no pack, no draft."""

    def fails(folder: Path) -> pack.Written:
        _write_one(folder)
        raise ArchiveError("the disk is full")

    with pytest.raises(ArchiveError, match="full"):
        pack.seal(tmp_path, fails, lambda _: None)
    assert list(tmp_path.iterdir()) == []
