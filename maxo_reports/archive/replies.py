"""The carrier's replies, kept byte for byte under the SHA-256 of their bytes.

Each is a gzip file, so that ``zcat FILE | sha256sum`` proves its name with nothing but what
every machine has, many years from now. Kept means: flushed to the disk before anything is
read from it.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError

# Level 6 costs three times the processor time of level 3 for a tenth of the size.
_LEVEL = 3
_HEAD = bytes.fromhex("1f8b08000000000000ff")
"""gzip's head without a time, a name or a system: the same reply makes the same file anywhere."""
_NAME = re.compile(r"([0-9a-f]{64})\.json\.gz", re.ASCII)
_NEAR = 8
"""Files as long as each other that differ in no more bytes than this came from one packer."""


class Replies:
    """The folder of one account's replies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Return where the reply of this hash is kept."""
        return self._folder / sha256[:2] / f"{sha256}.json.gz"

    def keep(self, body: bytes) -> str:
        """Keep a reply durably and return its SHA-256; one that is kept already is left alone.

        If that one is damaged it is written anew: this is the chance to mend it.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        path = self.path(sha256)
        if not path.exists() or not self._is_whole(sha256):
            files.put(path, _packed(body))
        return sha256

    def every(self) -> Iterator[tuple[Path, str]]:
        """Yield every file in the folder with the hash that its name says.

        The hash is empty where a file is no reply: left by a kill, or put there by others.
        """
        for path in sorted(self._folder.rglob("*")):
            if not path.is_dir():
                name = _NAME.fullmatch(path.name)
                yield path, name[1] if name and path == self.path(name[1]) else ""

    def fault(self, sha256: str) -> str:
        """Say in what the file of a whole reply is not what was written, or return nothing.

        gzip passes over bits in its head and its padding, and over what follows its end. Another
        packer's file differs all over, and is right when it is one gzip file and nothing else.
        """
        held = self.path(sha256).read_bytes()
        made = _packed(self.read(sha256))
        if held == made:
            return ""
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        unpacker.decompress(held)
        alone = held.startswith(_HEAD) and unpacker.eof and not unpacker.unused_data
        if not alone or (len(held) == len(made) and _distance(held, made) <= _NEAR):
            return "its reply is whole, but bits of its packing were changed"
        return ""

    def pack_again(self, sha256: str) -> None:
        """Write the file of a whole reply anew."""
        files.put(self.path(sha256), _packed(self.read(sha256)))

    def _is_whole(self, sha256: str) -> bool:
        try:
            self.read(sha256)
        except ArchiveError:
            return False
        return True

    def read(self, sha256: str) -> bytes:
        """Return a kept reply, after making sure that it still has its hash."""
        path = self.path(sha256)
        try:
            body = gzip.decompress(path.read_bytes())
        except FileNotFoundError:
            raise ArchiveError(f"reply {path} is missing from the archive") from None
        except (OSError, EOFError, zlib.error):
            raise ArchiveError(f"reply {path} is damaged: it cannot be unpacked") from None
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ArchiveError(f"reply {path} is damaged: its bytes do not have its name's hash")
        return body


def _packed(body: bytes) -> bytes:
    # The Pythons disagree on the byte of the head that names the system.
    return _HEAD + gzip.compress(body, compresslevel=_LEVEL, mtime=0)[len(_HEAD) :]


def _distance(one: bytes, other: bytes) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))
