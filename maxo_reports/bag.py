"""Bags: a folder of files with the list of their hashes, as BagIt (RFC 8493) lays it out.

``manifest-sha256.txt`` is checked by ``sha256sum -c`` and by any BagIt tool. What lies beside
``data`` has a list of its own, so nothing in a bag can change unseen, and nothing is in it that
no list names.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from maxo_reports.archive import files, sums
from maxo_reports.errors import ArchiveError, TieOutError, UsageError

PAYLOAD = "data"
DECLARATION = "bagit.txt"
INFORMATION = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAGS = "tagmanifest-sha256.txt"
_DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The day of every entry of a zip: the same files make the same bytes."""


def close(folder: Path, said: Mapping[str, str]) -> None:
    """Make a bag of a folder whose payload is in ``data``; ``said`` goes into bag-info.txt."""
    payload = sums.below(folder / PAYLOAD)
    for path in payload:
        # BagIt writes these by their number, and sha256sum would look for that name.
        if set(path.name) & set("%\r\n\\"):
            raise UsageError(
                f"{path.name!r} cannot be in a bundle: its name holds % or a backslash"
            )
    size = sum(path.stat().st_size for path in payload)
    information = {**said, "Payload-Oxum": f"{size}.{len(payload)}"}
    lines = "".join(f"{key}: {value}\n" for key, value in information.items())
    files.put(folder / DECLARATION, _DECLARED.encode())
    files.put(folder / INFORMATION, lines.encode())
    files.put(folder / MANIFEST, sums.lines(folder, payload))
    files.put(folder / TAGS, sums.lines(folder, _tags(folder)))
    for path in payload:
        path.chmod(files.FILE_MODE)
        files.sync_file(path)
    for path in {path.parent for path in payload}:
        files.sync_folder(path)


def is_bag(folder: Path) -> bool:
    """Tell whether a folder says that it is a bag."""
    with files.disk_trouble("read", folder):
        return (folder / DECLARATION).is_file()


def verify(folder: Path) -> tuple[Path, ...]:
    """Read a bag's every file again; return those of its payload.

    Raises TieOutError naming every file that is missing, changed or not of the bag.
    """
    with files.disk_trouble("read", folder):
        problems = [*_damage(folder, MANIFEST), *_damage(folder, TAGS)]
        payload = sums.below(folder / PAYLOAD)
        named = {*_listed(folder, MANIFEST), *_listed(folder, TAGS), TAGS}
        problems += [
            f"{path.relative_to(folder).as_posix()} does not belong to it"
            for path in sums.below(folder)
            if path.relative_to(folder).as_posix() not in named
        ]
    if problems:
        raise TieOutError(f"bundle {folder}: {'; '.join(problems)}")
    return tuple(payload)


def _damage(folder: Path, name: str) -> list[str]:
    problems = []
    for path, sha256 in _listed(folder, name).items():
        if not (folder / path).is_file():
            problems.append(f"{path} is missing")
        elif sums.of(folder / path) != sha256:
            problems.append(f"{path} was changed after it was issued (its hash differs)")
    return problems


def _listed(folder: Path, name: str) -> Mapping[str, str]:
    """Return the paths of a list with their hashes; all of them lie in the bag."""
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ArchiveError(f"{folder / name} cannot be read: the bundle is damaged") from None
    listed = {}
    for line in text.splitlines():
        sha256, _, path = line.partition("  ")
        if not path or ".." in PurePosixPath(path).parts or path.startswith("/"):
            raise ArchiveError(f"{folder / name} is not what a list of hashes is")
        listed[path] = sha256
    return listed


def _tags(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name != TAGS)


def zipped(folder: Path, target: Path) -> None:
    """Write a folder's files into a zip, under the folder's name; the same files, same bytes."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for path in sums.below(folder):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = files.FILE_MODE << 16
            with path.open("rb") as read, package.open(entry, "w") as write:
                while block := read.read(1 << 20):
                    write.write(block)
    target.chmod(files.FILE_MODE)
    files.sync_file(target)


def unzipped(path: Path, folder: Path) -> Path:
    """Unpack a bundle's zip into an empty folder and return its bag."""
    try:
        with zipfile.ZipFile(path) as package:
            package.extractall(folder)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as problem:
        raise ArchiveError(f"{path} cannot be unpacked: {problem}") from None
    inside = [each for each in folder.iterdir() if is_bag(each)]
    if len(inside) != 1:
        raise UsageError(f"{path} is no bundle: there is no {DECLARATION} in it")
    return inside[0]
