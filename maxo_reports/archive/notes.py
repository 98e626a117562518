"""Notes: the archive's small JSON files, each with a hash of itself on its second line.

A reply proves itself by its name. What no reply says (which window was asked, when, what came
of it) stands in notes, and a flipped bit there must not go unseen either. Without us::

    grep -v own_sha256 NOTE | sha256sum
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maxo_reports.archive import files
from maxo_reports.errors import ArchiveError

FORMAT = 1
_OWN = "own_sha256"


def put(path: Path, content: Mapping[str, object]) -> None:
    """Write a note durably."""
    files.put(path, _text(content))


def load(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Read a note that has at least these keys, or refuse it in one line.

    It is whole if it is, to the bit, what ``put`` makes of its content.
    """
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
    except (OSError, ValueError):
        raise ArchiveError(f"{path} in the archive cannot be read") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        message = f"{path} is of another archive format than this version's {FORMAT}"
        raise ArchiveError(message)
    content.pop(_OWN, None)
    if _text(content) != raw or any(key not in content for key in keys):
        raise ArchiveError(f"{path} in the archive is damaged: it does not have its own hash")
    return content


@contextlib.contextmanager
def shape_of(path: Path) -> Iterator[None]:
    """Say in one line that a note holds something else than we wrote."""
    try:
        yield
    except (KeyError, TypeError, ValueError):
        raise ArchiveError(f"{path} in the archive is not whole") from None


def _text(content: Mapping[str, object]) -> bytes:
    text = json.dumps({"format": FORMAT, **content}, indent=1, sort_keys=True) + "\n"
    own = hashlib.sha256(text.encode()).hexdigest()
    brace, rest = text.split("\n", 1)
    return f'{brace}\n "{_OWN}": "{own}",\n{rest}'.encode()
