"""Packs: the files of one issue of one report, with a manifest, complete or not there at all.

A pack is a folder ``out/ACCOUNT/PERIOD/rN``. It is made beside its place under a temporary
name, every file is flushed to the disk and read back, and one rename puts it there. A pack is
never changed afterwards: other figures make the next revision.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError, TieOutError, UsageError

FORMAT = 1
MANIFEST = "manifest.json"
_REVISION = re.compile(r"r([1-9][0-9]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pack:
    """A sealed pack: its folder and what its manifest says."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def revision(self) -> int:
        """The running number of this issue of the period."""
        return int(self.folder.name.removeprefix("r"))

    @property
    def files(self) -> tuple[Path, ...]:
        """The report files, without the manifest."""
        return tuple(self.folder / entry["name"] for entry in self.manifest["files"])


@dataclass(frozen=True, slots=True)
class Written:
    """The names of the files that were written, and what else the manifest is to say."""

    names: Sequence[str]
    manifest: Mapping[str, Any]


def latest(place: Path) -> Pack | None:
    """Return the newest sealed pack of a period's folder, or None."""
    found = [path for path in place.glob("r*") if _REVISION.fullmatch(path.name)]
    if not found:
        return None
    folder = max(found, key=lambda path: int(path.name[1:]))
    return Pack(folder, read_manifest(folder))


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """Read a pack's manifest; a folder without a whole one is no pack."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{folder} is no pack: it has no {MANIFEST}") from None
    except (OSError, ValueError):
        raise ArchiveError(f"{path} cannot be read: the pack is damaged") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArchiveError(f"{path} is not of the format {FORMAT} that this version reads")
    return manifest


def seal(place: Path, write: Callable[[Path], Written]) -> Pack:
    """Make the next revision of a period's pack.

    ``write`` puts the files into the folder that it is given; the manifest gets their sizes
    and hashes and is written last.
    """
    files.make_folder(place)
    before = latest(place)
    revision = before.revision + 1 if before else 1
    with files.disk_trouble("write in", place):
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place))  # made 0700
    try:
        written = write(draft)
        with files.disk_trouble("write in", draft):
            entries = [_entry(draft / name) for name in written.names]
            head = {"format": FORMAT, "revision": revision}
            content = {**head, **written.manifest, "files": entries}
            files.put(draft / MANIFEST, _json(content))
            target = place / f"r{revision}"
            draft.rename(target)
            files.sync_folder(place)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Pack(target, content)


def _entry(path: Path) -> dict[str, object]:
    """Flush a written file and return its line of the manifest."""
    path.chmod(files.FILE_MODE)
    files.sync_file(path)
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}


def verify(folder: Path) -> Pack:
    """Read every file of a sealed pack again and compare it with the manifest.

    Raises TieOutError naming every file that is missing, changed or not of the pack.
    """
    manifest = read_manifest(folder)
    problems = []
    named = {MANIFEST}
    for entry in manifest["files"]:
        path = folder / entry["name"]
        named.add(entry["name"])
        if not path.is_file():
            problems.append(f"{path.name} is missing")
        elif path.stat().st_size != entry["bytes"]:
            size = path.stat().st_size
            problems.append(f"{path.name} has {size:,} bytes, not {entry['bytes']:,}")
        elif _sha256(path) != entry["sha256"]:
            problems.append(f"{path.name} was changed after it was issued (its hash differs)")
    problems += [
        f"{path.name} does not belong to it"
        for path in sorted(folder.iterdir())
        if path.name not in named
    ]
    if problems:
        raise TieOutError(f"pack {folder}: {'; '.join(problems)}")
    return Pack(folder, manifest)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
