"""Reads handoff files back, each as a stranger would, and adds them up account by account.

Tables are read by their headings, journals by their lines; what they add up to is compared with
the posting set, which was compared with the ledger before.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from maxo_reports.core.posting import PostingSet
from maxo_reports.core.target import Target, legs
from maxo_reports.errors import TieOutError
from maxo_reports.tieout.compared import Differences, Tied

READER = "the standard library"
_POSTING = re.compile(r" +(\S.*?)  +(-?[0-9]+\.[0-9]{2}) [A-Z]{3}(?:  ;.*)?")
_AMOUNT = re.compile(r"-?[0-9]+\.[0-9]{2}", re.ASCII)
_DELIMITERS = {"comma": ",", "tab": "\t"}

Sums = Mapping[str, Decimal]


def handed(path: Path, whole: PostingSet, target: Target) -> Tied:
    """Compare one file with its part of the posting set: rows, and dollars by account."""
    found = Differences(path)
    content = path.read_bytes().decode(target.encoding)
    if target.shape in {"beancount", "ledger"}:
        seen = list(_postings(content))
    else:
        seen = list(_rows(content, target, path))
    expected = list(_expected(whole, target))
    found.compare("lines", len(seen), len(expected))
    sums, wanted = _sums(seen), _sums(expected)
    for account in sorted({*sums, *wanted}):
        found.compare(f"account {account}", sums.get(account), wanted.get(account))
    balance = sum(sums.values(), Decimal(0))
    booked = whole.booked if target.shape == "lines" else Decimal(0)
    found.compare("sum of all lines", balance, booked)
    return found.tied(READER)


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


def _rows(content: str, target: Target, path: Path) -> Iterator[tuple[str, Decimal]]:
    """Yield the account and the dollars of each row, credits negative."""
    by_value = {column.value: column.name for column in target.columns if column.value}
    delimiter = _DELIMITERS[target.delimiter]
    for row in csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter):
        if not any(row.values()):
            continue
        account = row[by_value["account"]]
        if target.guarded:
            account = account.removeprefix("'")
        for name, sign in (("booked", 1), ("signed", 1), ("debit", 1), ("credit", -1)):
            text = row.get(by_value.get(name, ""), "")
            if text:
                yield account, sign * _read(text, path)
                break
        else:
            yield account, Decimal("0.00")


def _read(text: str, path: Path) -> Decimal:
    if _AMOUNT.fullmatch(text):
        return Decimal(text)
    raise TieOutError(f"{path.name}: {text!r} is no plain number of dollars and cents")


def _postings(content: str) -> Iterator[tuple[str, Decimal]]:
    for line in content.splitlines():
        if match := _POSTING.fullmatch(line):
            yield match[1], Decimal(match[2])
