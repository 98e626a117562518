"""Names of files, as a definition may give them."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from maxo_reports.errors import did_you_mean

_FIELDS = ("account", "period", "report", "first", "last")
_NO_FILENAME = re.compile(r"[/\\:*?\"<>|]|^.{151}")
"""What no file can be named, on any system; with account and period it must stay below 255."""


def mistakes(filename: str) -> Iterator[str]:
    """Say what no file can be named, or what is no field of a name."""
    try:
        parts = list(string.Formatter().parse(filename))
    except ValueError:
        yield f"filename {filename!r} has a bracket too few or too many"
        return
    known = ", ".join(_FIELDS)
    for _, field, form, conversion in parts:
        if field is None:
            continue
        if field not in _FIELDS:
            meant = did_you_mean(field, _FIELDS)
            yield f"filename: {{{field}}} is not known{meant}; there is: {known}"
        elif form or conversion:
            yield f"filename: {{{field}}} takes nothing after its name"
    if _NO_FILENAME.search(filename) or not filename.strip(". "):
        yield f"filename {filename!r} cannot be the name of a file"
