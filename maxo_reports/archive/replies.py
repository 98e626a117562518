"""The carrier's replies, kept byte for byte under the SHA-256 of their bytes.

Each is a gzip file, so that ``zcat FILE | sha256sum`` proves its name with nothing but what
every machine has, many years from now. Kept means: flushed to the disk before anything is
read from it.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError

# Level 6 costs three times the processor time of level 3 for a tenth of the size.
_LEVEL = 3


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
            # mtime 0: the same reply makes the same file, whenever it is kept.
            files.put(path, gzip.compress(body, compresslevel=_LEVEL, mtime=0))
        return sha256

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
