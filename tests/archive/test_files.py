"""Files: the old one or the new one, private, and one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError

if sys.platform == "win32":
    pytest.skip("modes, limits and kills are those of POSIX", allow_module_level=True)
import resource

OLD, NEW = b"the old content", b"the new content, which is longer"
STEPS = ("open", "fsync", "replace", "mkdir", "unlink")
"""The calls of the operating system through which put() goes."""


def _everything_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_umask")
def test_a_file_and_every_new_folder_are_private(tmp_path: Path) -> None:
    """Whatever the umask: files 0600 and folders 0700, parents too; old folders stay."""
    files.put(tmp_path / "a" / "b" / "c" / "file", NEW)
    assert _mode(tmp_path / "a" / "b" / "c" / "file") == 0o600
    assert {_mode(tmp_path / name) for name in ("a", "a/b", "a/b/c")} == {0o700}
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    files.put(shared / "file", NEW)
    assert _mode(shared) == 0o755


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    """Twice put, once there, and no temporary file."""
    files.put(tmp_path / "file", OLD)
    files.put(tmp_path / "file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW
    assert _everything_in(tmp_path) == [tmp_path / "file"]


@pytest.mark.parametrize("trouble", [errno.EIO, errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_failure_at_any_step_leaves_the_old_file_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: int, is_new: bool
) -> None:
    """The first call fails, then the second, and so on until none fails: never half a file."""
    done = 0
    for failing in range(100):
        path = tmp_path / str(failing) / "deep" / "file"
        if not is_new:
            files.put(path, OLD)
        count = 0

        def counted(real: Callable[..., object], failing: int = failing) -> Callable[..., object]:
            def call(*args: object, **more: object) -> object:
                nonlocal count
                count += 1
                if count == failing + 1:
                    raise OSError(trouble, os.strerror(trouble))
                return real(*args, **more)

            return call

        with monkeypatch.context() as patch:
            for name in STEPS:
                patch.setattr(os, name, counted(getattr(os, name)))
            try:
                files.put(path, NEW)
                done += 1
            except ArchiveError as problem:
                assert "\n" not in str(problem)
                assert os.strerror(trouble) in str(problem)
        allowed = {NEW} if is_new else {OLD, NEW}
        assert {found.read_bytes() for found in _everything_in(path.parent)} <= allowed
        assert len(_everything_in(path.parent)) == 1 or is_new
        if count <= failing:
            assert path.read_bytes() == NEW
            break
    assert done >= 1
    assert failing >= 4, "open, flush, rename and flush of the folder at least"


def test_a_disk_that_is_full_halfway_leaves_the_old_file(tmp_path: Path) -> None:
    """The system refuses to write past 1,000 bytes: the old file is whole and alone."""
    path = tmp_path / "file"
    files.put(path, OLD)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(ArchiveError, match="cannot write"):
            files.put(path, b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == OLD
    assert _everything_in(tmp_path) == [path]


KILLED = """
import os, sys
from pathlib import Path
from maxo_reports.archive import files

path, limit = Path(sys.argv[1]), int(sys.argv[2])
count = 0

def deadly(real):
    def call(*args, **more):
        global count
        count += 1
        if count == limit:
            os.kill(os.getpid(), 9)
        return real(*args, **more)
    return call

for name in ("open", "fsync", "replace", "mkdir"):
    setattr(os, name, deadly(getattr(os, name)))
files.put(path, b"the new content, which is longer")
"""


def test_a_kill_at_any_step_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    """A real kill before each call: the file is old or new, and the next put works."""
    path = tmp_path / "file"
    for at in range(1, 20):
        files.put(path, OLD)
        command = [sys.executable, "-c", KILLED, str(path), str(at)]
        ended = subprocess.run(command, check=False, capture_output=True, timeout=60)
        assert path.read_bytes() in {OLD, NEW}
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert at >= 4
    files.put(path, NEW)
    assert path.read_bytes() == NEW


def test_the_content_is_flushed_before_the_name_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Write, flush the file, rename, flush the folder: in this order, and new folders as well."""
    steps: list[object] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle: int) -> None:
        found = os.fstat(handle)
        steps.append(found.st_ino if stat.S_ISDIR(found.st_mode) else found.st_size)
        real_fsync(handle)

    def replace(*names: Path) -> None:
        steps.append("rename")
        real_replace(*names)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    files.put(tmp_path / "a" / "b" / "file", NEW)
    base, a, b = (path.stat().st_ino for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"))
    assert steps == [base, a, len(NEW), "rename", b]


def test_a_folder_is_not_built_on_before_its_name_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one lane flushes a new folder's name, another that needs the folder waits."""
    other = threading.Thread(target=files.make_folder, args=(tmp_path / "new",))
    waited = []

    def flushing(_: Path) -> None:
        assert (tmp_path / "new").is_dir()
        other.start()
        other.join(0.2)
        waited.append(other.is_alive())

    monkeypatch.setattr(files, "sync_folder", flushing)
    files.make_folder(tmp_path / "new")
    other.join(10)
    assert waited == [True]
    assert not other.is_alive()


def test_a_folder_that_cannot_be_read_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folder holds nothing; one that may not be read is refused in one line."""
    files.put(tmp_path / "b", OLD)
    files.put(tmp_path / "a", OLD)
    assert files.entries(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert files.entries(tmp_path / "none") == []

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "listdir", refused)
    with pytest.raises(ArchiveError, match=r"cannot read the folder .*: Permission denied"):
        files.entries(tmp_path)


def test_what_a_killed_run_left_is_swept_and_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Temporary files go, at any depth; all else stays, and every folder up to ours is flushed."""
    account = tmp_path / "archive" / "acme"
    files.put(account / "replies" / "ab" / "reply", OLD)
    kept = _everything_in(tmp_path)
    for folder in (account, account / "replies" / "ab"):
        (folder / ".tmp-x1").write_bytes(NEW)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".tmp-other").write_bytes(NEW)
    (account / "link").symlink_to(elsewhere)
    flushed = []
    monkeypatch.setattr(files, "sync_folder", flushed.append)
    files.tidy(account)
    (account / "link").unlink()
    assert _everything_in(tmp_path) == sorted([*kept, elsewhere / ".tmp-other"])
    below = {account / "replies" / "ab", account / "replies"}
    assert set(flushed) >= below | {account, account.parent, tmp_path}


@pytest.mark.parametrize("what", ["file", "loop"])
def test_a_place_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    """A file or a loop of links where a folder should be: what, where and why."""
    inside = tmp_path / "inside"
    if what == "file":
        inside.write_bytes(OLD)
    else:
        inside.symlink_to(inside)
    with pytest.raises(ArchiveError) as caught:
        files.put(inside / "more" / "file", NEW)
    assert "inside" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_trouble_is_told_with_what_failed_and_where() -> None:
    """An error of the system becomes one line; any other passes through."""
    with pytest.raises(ArchiveError, match=r"cannot write /x: No space left on device; check"):
        with files.disk_trouble("write", Path("/x")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(ArchiveError, match="OSError"), files.disk_trouble("write", Path("/x")):
        raise OSError
    with pytest.raises(KeyError), files.disk_trouble("write", Path("/x")):
        raise KeyError


HOLDER = """
import sys, time
from pathlib import Path
from maxo_reports.archive import files
with files.only_one(Path(sys.argv[1]), "account 'acme'"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_at_once_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    """While another process holds the lock we are refused; with its end, even by a kill, not."""
    lock = tmp_path / "deep" / ".lock"
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            begin = time.monotonic()
            refusal = rf"another run \(process {holder.pid}\) is working on account 'acme'"
            with pytest.raises(ArchiveError, match=refusal):
                with files.only_one(lock, "account 'acme'"):
                    pytest.fail("two hold the lock")
            assert time.monotonic() - begin < 1
        finally:
            holder.kill()
    with files.only_one(lock, "account 'acme'"):
        pass


def test_the_lock_has_a_folder_put_in_order_after_a_run_that_did_not_end_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After none, a failure and a kill; not after a good end, nor by one who brings no folder."""
    lock = tmp_path / ".lock"
    tidied: list[Path] = []
    monkeypatch.setattr(files, "tidy", tidied.append)

    def held(folder: Path | None = tmp_path) -> int:
        with files.only_one(lock, "x", folder):
            return len(tidied)

    assert [held(), held()] == [1, 1]
    with contextlib.suppress(KeyError), files.only_one(lock, "x", tmp_path):
        raise KeyError
    assert [held(None), held(), held()] == [1, 2, 2]
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    assert [held(None), held(), held()] == [2, 3, 3]
    assert tidied == [tmp_path] * 3
    assert _mode(lock) == 0o600


def test_a_disk_that_is_full_at_the_very_end_does_not_undo_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That all went well cannot be written: the next run looks for leftovers, no more."""
    lock = tmp_path / ".lock"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tidied: list[Path] = []
    monkeypatch.setattr(files, "tidy", tidied.append)
    with monkeypatch.context() as patch, files.only_one(lock, "x", tmp_path):
        patch.setattr(files, "_say", full)
    with files.only_one(lock, "x", tmp_path):
        assert len(tidied) == 2


def test_the_lock_is_free_after_its_holder_and_other_accounts_have_their_own(
    tmp_path: Path,
) -> None:
    """In one process too; after an error as after success."""
    one, two = tmp_path / "one", tmp_path / "two"
    with files.only_one(one, "one"), files.only_one(two, "two"):
        with pytest.raises(ArchiveError), files.only_one(one, "one"):
            pass
    with pytest.raises(KeyError), files.only_one(one, "one"):
        raise KeyError
    with files.only_one(one, "one"):
        pass


def test_trouble_under_the_lock_is_not_blamed_on_the_lock(tmp_path: Path) -> None:
    """A broken pipe or a full disk during the run keeps its own name."""
    with pytest.raises(BrokenPipeError), files.only_one(tmp_path / "lock", "x"):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_lock_that_cannot_be_opened_is_refused_in_one_line(tmp_path: Path) -> None:
    """A folder stands where the lock should be."""
    (tmp_path / "lock").mkdir()
    with pytest.raises(ArchiveError, match="cannot open the lock"):
        with files.only_one(tmp_path / "lock", "x"):
            pytest.fail("locked a folder")


def test_a_draft_that_a_kill_leaves_is_not_of_the_files_kind(tmp_path: Path) -> None:
    """Whoever looks for ``*.json`` must not find half of one."""
    with files.draft_of(tmp_path / "a.json") as draft:
        assert draft.name.startswith(files.TEMPORARY)
        assert not list(tmp_path.glob("*.json"))
