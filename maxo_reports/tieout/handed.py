"""Reads handoff files back, each as a stranger would, and adds them up account by account.

Tables are read by their headings, journals by their lines. What they add up to is compared with
the posting set, which was compared with the ledger before; and again, from what ``tieout.json``
says, whenever a handoff is verified.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports.core.handoff.posting import PostingSet
from maxo_reports.core.handoff.target import Target, legs
from maxo_reports.core.money import plain
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.compared import Differences, Tied

READER = "the standard library"
_POSTING = re.compile(r" +(\S.*?)  +(-?[0-9]+\.[0-9]{2}) [A-Z]{3}(?:  ;.*)?")
_DOLLARS = re.compile(r"-?[0-9]+\.[0-9]{2}", re.ASCII)
_DELIMITERS = {"comma": ",", "tab": "\t"}
_SIGNS = {"booked": 1, "signed": 1, "debit": 1, "credit": -1}
"""What a column of dollars holds -> its sign; a row has dollars in one of them."""

Sums = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is read: its encoding, its delimiter (none: a journal), its headings."""

    encoding: str
    delimiter: str
    columns: Mapping[str, str]
    guarded: bool

    @classmethod
    def of(cls, target: Target) -> Reading:
        """Return how a target's files are read."""
        wanted = {"account", *_SIGNS}
        columns = {c.value: c.name for c in target.columns if c.value in wanted}
        return cls(target.encoding, target.delimiter if columns else "", columns, target.guarded)


def handed(path: Path, whole: PostingSet, target: Target) -> Tied:
    """Compare one file with its part of the posting set: rows, and dollars by account."""
    found = Differences(path)
    seen, expected = list(_lines(path, Reading.of(target))), list(_expected(whole, target))
    found.compare("lines", len(seen), len(expected))
    _compare(_sums(seen), _sums(expected), found)
    booked = whole.booked if target.shape == "lines" else Decimal(0)
    found.compare("sum of all lines", sum(_sums(seen).values(), Decimal(0)), booked)
    return found.tied(READER)


def said(whole: PostingSet, target: Target) -> dict[str, Any]:
    """Return what ``tieout.json`` says of a file: how it is read, and dollars by account."""
    reading = Reading.of(target)
    return {
        "read_as": {
            "encoding": reading.encoding,
            "delimiter": reading.delimiter,
            "columns": dict(reading.columns),
            "guarded": reading.guarded,
        },
        "accounts": {
            account: plain(dollars)
            for account, dollars in sorted(_sums(_expected(whole, target)).items())
        },
    }


def check(folder: Path, tieout: Path) -> tuple[str, ...]:
    """Read every file of a sealed handoff again; compare it with what its tie-out says."""
    try:
        listed = json.loads(tieout.read_bytes())["files"]
        wanted = [(each["name"], Reading(**each["read_as"]), each["accounts"]) for each in listed]
        expected = [
            {account: Decimal(text) for account, text in accounts.items()}
            for _, _, accounts in wanted
        ]
    except (OSError, ValueError, TypeError, KeyError, ArithmeticError):
        raise TieOutError(f"{tieout.name} of {folder} is not what a handoff's is") from None
    for (name, reading, _), sums in zip(wanted, expected, strict=True):
        found = Differences(folder / name)
        _compare(_sums(_lines(folder / name, reading)), sums, found)
        found.tied(READER)
    return tuple(name for name, _, _ in wanted)


def _compare(seen: Sums, expected: Sums, found: Differences) -> None:
    for account in sorted({*seen, *expected}):
        found.compare(f"account {account}", seen.get(account), expected.get(account))


def _expected(whole: PostingSet, target: Target) -> Iterator[tuple[str, Decimal]]:
    for entry in whole.entries:
        if target.shape == "lines":
            # A file of lines has the same sign for a bill and for a sale.
            lines = (line for line in entry.lines if line.booked)
            yield from ((line.coding.account, line.booked) for line in lines)
        else:
            every = legs(entry, gst_leg=target.gst_leg)
            yield from ((leg.account, leg.debit) for leg in every)


def _sums(each: Iterable[tuple[str, Decimal]]) -> Sums:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for account, dollars in each:
        sums[account] += dollars
    return sums


def _lines(path: Path, reading: Reading) -> Iterator[tuple[str, Decimal]]:
    """Yield the account and the dollars of each line, credits negative."""
    try:
        content = path.read_bytes().decode(reading.encoding)
    except (OSError, ValueError, LookupError) as problem:
        raise TieOutError(f"{path.name} cannot be read back: {problem}") from None
    if not reading.delimiter:
        matches = (_POSTING.fullmatch(line) for line in content.splitlines())
        yield from ((match[1], Decimal(match[2])) for match in matches if match)
        return
    delimiter = _DELIMITERS[reading.delimiter]
    for row in csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter):
        if any(row.values()):
            yield _row(row, reading, path)


def _row(row: Mapping[str, str | None], reading: Reading, path: Path) -> tuple[str, Decimal]:
    account = row.get(reading.columns["account"]) or ""
    if reading.guarded:
        account = account.removeprefix("'")
    texts = {name: row.get(reading.columns.get(name, "")) or "" for name in _SIGNS}
    filled = [name for name, text in texts.items() if text]
    if len(filled) != 1 or not _DOLLARS.fullmatch(texts[filled[0]]):
        shown = ", ".join(filter(None, texts.values())) or "nothing"
        raise TieOutError(f"{path.name}: {shown!r} is no plain number of dollars and cents")
    return account, _SIGNS[filled[0]] * Decimal(texts[filled[0]])
