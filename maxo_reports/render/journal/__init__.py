"""Writers of handoff files: one posting set in, one file in an accounting program's form out.

``columns`` writes whatever a target's column map says; ``beancount`` and ``ledger`` write the two
languages of plain-text accounting. None of them works out a figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from maxo_reports.core.handoff.posting import PostingSet
from maxo_reports.core.handoff.target import Target
from maxo_reports.render.journal import beancount, columns, ledger

Texts = Mapping[str, str]
"""What stands around the entries: title, source, currency, period."""


def write(whole: PostingSet, target: Target, taxes: Mapping[str, str], texts: Texts) -> bytes:
    """Return the bytes of one file of a target."""
    if target.shape == "beancount":
        return beancount.journal(whole, target, texts).encode()
    if target.shape == "ledger":
        return ledger.journal(whole, target, texts).encode()
    return columns.table(whole, target, taxes, texts)


def put(path: Path, content: bytes) -> None:
    """Write a file that must not be there yet."""
    with path.open("xb") as file:
        file.write(content)
