"""Packs: the files of one issue of one report, with a manifest, complete or not there at all.

A pack is a folder ``out/ACCOUNT/PERIOD/rN``. It is made beside its place under a temporary
name, every file is flushed to the disk and read back, and one rename puts it there. A pack is
never changed afterwards: other figures make the next revision.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports.archive import files, sums
from maxo_reports.errors import ArchiveError, TieOutError, UsageError

FORMAT = 1
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
"""The same hashes as the manifest's, and the manifest's own, for ``sha256sum -c``."""
_DRAFT = ".draft-"
_REVISION = re.compile(r"r([1-9][0-9]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pack:
    """A sealed pack: its folder and what its manifest says."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def revision(self) -> int:
        """The running number of this issue of the period, wherever its folder is now."""
        number: int = self.manifest["revision"]
        return number

    @property
    def basis(self) -> Mapping[str, Any]:
        """What decided the content, as ``manifest.basis`` wrote it."""
        basis = self.manifest.get("basis")
        needed = ("account", "period", "calls_sha256", "reports")
        if not isinstance(basis, dict) or any(name not in basis for name in needed):
            raise self._lacking("basis")
        return basis

    @property
    def pull(self) -> int:
        """The number of the pull that the pack was made from."""
        number = self.manifest.get("pull")
        if not isinstance(number, int):
            raise self._lacking("pull")
        return number

    @property
    def compared_with(self) -> Mapping[str, int]:
        """The pulls of earlier months that its trends show, by the month's days."""
        return dict(self.manifest.get("compared_with", {}))

    def _lacking(self, name: str) -> ArchiveError:
        return ArchiveError(f"{self.folder / MANIFEST} has no whole {name!r}: the pack is damaged")

    @property
    def days(self) -> str:
        """Its period's first day and the day after its last, ``2026-10-01..2026-11-01``."""
        period = self.basis["period"]
        return f"{period['start'][:10]}..{period['end'][:10]}"

    @property
    def files(self) -> tuple[Path, ...]:
        """The report files, without the manifest."""
        return tuple(self.folder / entry["name"] for entry in self.manifest["files"])


@dataclass(frozen=True, slots=True)
class Written:
    """The names of the files that were written, and what else the manifest is to say."""

    names: Sequence[str]
    manifest: Mapping[str, Any]


def revision(place: Path, number: int) -> Pack | None:
    """Return one sealed revision of a period's folder, or None."""
    folder = place / f"r{number}"
    return Pack(folder, read_manifest(folder)) if folder.is_dir() else None


def latest(place: Path) -> Pack | None:
    """Return the newest sealed pack of a period's folder, or None."""
    found = [path for path in files.entries(place) if _REVISION.fullmatch(path.name)]
    if not found:
        return None
    folder = max(found, key=lambda path: int(path.name[1:]))
    return Pack(folder, read_manifest(folder))


def sealed_in(folder: Path) -> tuple[Pack, ...]:
    """Return every sealed pack of an account, in the order of periods and revisions."""
    found = [path for path in folder.glob("*/r*") if _REVISION.fullmatch(path.name)]
    found.sort(key=lambda path: (path.parent.name, int(path.name[1:])))
    return tuple(Pack(path, read_manifest(path)) for path in found)


def holds(path: Path) -> bool:
    """Tell whether a file is of a sealed pack."""
    return all((path.resolve().parent / name).is_file() for name in (MANIFEST, SUMS))


def next_revision(place: Path) -> int:
    """Return the number that the next pack of a period's folder gets."""
    before = latest(place)
    return before.revision + 1 if before else 1


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """Read a pack's manifest; a folder without a whole one is no pack."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{folder} is no pack: it has no {MANIFEST}") from None
    except (OSError, ValueError, RecursionError):
        raise ArchiveError(f"{path} cannot be read: the pack is damaged") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArchiveError(f"{path} is not of the format {FORMAT} that this version reads")
    if not _is_manifest(manifest):
        raise ArchiveError(f"{path} is not what a manifest is: the pack is damaged")
    return manifest


def _is_manifest(content: Mapping[str, Any]) -> bool:
    """Tell whether a manifest lists files, each in the pack's own folder, and its revision."""
    entries = content.get("files")
    return (
        type(content.get("revision")) is int
        and isinstance(entries, list)
        and all(isinstance(entry, dict) and _is_entry(entry) for entry in entries)
    )


def _is_entry(entry: Mapping[str, Any]) -> bool:
    name, size, sha256 = entry.get("name"), entry.get("bytes"), entry.get("sha256")
    return (
        isinstance(name, str)
        and _is_inside(name)
        and type(size) is int
        and isinstance(sha256, str)
    )


def _is_inside(name: str) -> bool:
    """Tell whether a name is a file of the pack's own folder, or of a folder in it."""
    parts = name.split("/")
    return len(parts) <= 2 and all(p not in {"", ".", ".."} and p == Path(p).name for p in parts)


def tidy(place: Path) -> None:
    """Put right what a killed run left in a period's folder: drafts go, packs are settled.

    Whoever calls this holds the account's lock: another run's draft looks the same.
    """
    with files.disk_trouble("put in order", place):
        for path in files.entries(place):
            if path.name.startswith(_DRAFT):
                shutil.rmtree(path)
        # A killed run may have come no further than to make the folders above.
        files.settle(next(path for path in (place, *place.parents) if path.is_dir()))


def seal(
    place: Path,
    write: Callable[[Path], Written],
    read_back: Callable[[Path], object],
    least: int = 1,
) -> Pack:
    """Make the next revision of a period's pack.

    ``write`` puts the files into the folder that it is given; the manifest gets their sizes
    and hashes and is written last. ``read_back`` looks at that manifest, and raises where it
    does not say what it should; then nothing is issued. ``least`` is the lowest number that it
    may have, where others are known to have been given out.
    """
    files.make_folder(place)
    number = max(next_revision(place), least)
    with drafted(place) as draft:
        content = fill(draft, number, write, read_back)
        target = place / f"r{number}"
        put_in_place(draft, target)
    return Pack(target, content)


@contextmanager
def drafted(place: Path) -> Iterator[Path]:
    """Give an empty folder in a place that is there; nothing of it stays where anything fails."""
    with files.disk_trouble("write in", place):
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=place))  # made 0700
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def put_in_place(draft: Path, target: Path) -> None:
    """Put a whole folder where it belongs, with one rename."""
    with files.disk_trouble("write", target):
        draft.rename(target)
        files.sync_folder(target.parent)


def fill(
    folder: Path,
    number: int,
    write: Callable[[Path], Written],
    read_back: Callable[[Path], object],
) -> Mapping[str, Any]:
    """Write all files of a revision into a folder, and return what its manifest says."""
    written = write(folder)
    with files.disk_trouble("write in", folder):
        entries = [_entry(folder, name) for name in written.names]
        for inner in sorted({(folder / name).parent for name in written.names} - {folder}):
            inner.chmod(files.FOLDER_MODE)
            files.sync_folder(inner)
        head = {"format": FORMAT, "revision": number}
        content = {**head, **written.manifest, "files": entries}
        write_json(folder / MANIFEST, content)
        files.put(folder / SUMS, _sums(folder, content))
    read_back(folder)
    return verify(folder).manifest


def differences(folder: Path, other: Path) -> list[str]:
    """Name every file, and in a workbook every part, that two folders do not have in common."""
    names = sorted({name for each in (folder, other) for name in _names(each)})
    found = []
    for name in names:
        first, second = folder / name, other / name
        if not (first.is_file() and second.is_file()):
            found.append(f"{name} is in one of them only")
        elif sums.of(first) != sums.of(second):
            found.append(f"{name} differs{_parts(first, second)}")
    return found


def _parts(first: Path, second: Path) -> str:
    """Name the parts in which two workbooks differ."""
    if not (zipfile.is_zipfile(first) and zipfile.is_zipfile(second)):
        return ""
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as two:
        names = sorted({*one.namelist(), *two.namelist()})
        crcs = [
            {entry.filename: entry.CRC for entry in package.infolist()} for package in (one, two)
        ]
    parts = [name for name in names if crcs[0].get(name) != crcs[1].get(name)]
    return f" in {', '.join(parts)}" if parts else " in its packing only"


def _entry(folder: Path, name: str) -> dict[str, object]:
    """Flush a written file and return its line of the manifest."""
    path = folder / name
    path.chmod(files.FILE_MODE)
    files.sync_file(path)
    return {"name": name, "bytes": path.stat().st_size, "sha256": sums.of(path)}


def verify(folder: Path) -> Pack:
    """Read every file of a sealed pack again and compare it with the manifest.

    Raises TieOutError naming every file that is missing, changed or not of the pack.
    """
    manifest = read_manifest(folder)
    with files.disk_trouble("read", folder):
        problems = _damage(folder, manifest)
    if problems:
        raise TieOutError(f"pack {folder}: {'; '.join(problems)}")
    return Pack(folder, manifest)


def _damage(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Name everything in which a pack's folder is not what its manifest says."""
    problems = []
    named = {MANIFEST, SUMS}
    if not (folder / SUMS).is_file():
        problems.append(f"{SUMS} is missing")
    elif (folder / SUMS).read_bytes() != _sums(folder, manifest):
        problems.append(f"{SUMS} does not say what the manifest and its hash say")
    for entry in manifest["files"]:
        path = folder / entry["name"]
        named.add(entry["name"])
        if not path.is_file():
            problems.append(f"{entry['name']} is missing")
        elif path.stat().st_size != entry["bytes"]:
            size = path.stat().st_size
            problems.append(f"{entry['name']} has {size:,} bytes, not {entry['bytes']:,}")
        elif sums.of(path) != entry["sha256"]:
            problems.append(f"{entry['name']} was changed after it was issued (its hash differs)")
    problems += [f"{name} does not belong to it" for name in _names(folder) if name not in named]
    return problems


def _names(folder: Path) -> list[str]:
    """Return every file of a pack by its name in the pack; an empty folder counts as one."""
    paths = (p for p in folder.rglob("*") if not p.is_dir() or not any(p.iterdir()))
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def _sums(folder: Path, manifest: Mapping[str, Any]) -> bytes:
    """Return the lines that ``sha256sum -c`` checks."""
    lines = [f"{entry['sha256']}  {entry['name']}" for entry in manifest["files"]]
    lines.append(f"{sums.of(folder / MANIFEST)}  {MANIFEST}")
    return ("\n".join(lines) + "\n").encode()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write one of a pack's JSON files, durably."""
    files.put(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
