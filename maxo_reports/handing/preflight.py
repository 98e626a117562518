"""Pre-flight: every account, tax and contact of a file looked up in lists exported from the books.

What an import would refuse, or worse make anew under a name that is nearly right, is refused
here, line by line, with the nearest name that is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from maxo_reports.core.handoff.posting import PostingSet
from maxo_reports.core.handoff.target import Target, legs
from maxo_reports.errors import ConfigError, did_you_mean
from maxo_reports.handing.books import Books
from maxo_reports.rows import lines, worded

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "chart": (
        *("code", "account code", "account number", "account no.", "full account name"),
        *("full name", "account full name", "account name", "account", "name"),
    ),
    "tax_rates": ("tax rate name", "tax rate", "tax code", "code", "tax name", "name"),
    "contacts": (
        *("contactname", "contact name", "co./last name", "supplier", "vendor", "customer"),
        *("company name", "display name", "name"),
    ),
}
"""List -> the headings under which its keys stand, the surest first; stars are left out."""
_MARKS = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class _List:
    """One exported list: its file, its keys as they are written, and how two are compared."""

    path: Path
    keys: Mapping[str, str]
    folded: Callable[[str], str]

    def lacks(self, key: str) -> str:
        """Say that a key is not there, with the nearest that is; nothing where it is there."""
        if self.folded(key) in self.keys:
            return ""
        return f"is not in {self.path.name}{_near(key, self.keys.values())}"


def _near(key: str, there: Iterable[str]) -> str:
    known = list(there)
    same = [name for name in known if name.casefold() == key.casefold()]
    return f" (did you mean {same[0]!r}?)" if same else did_you_mean(key, known)


def troubles(
    whole: PostingSet, target: Target, books: Books, taxes: Mapping[str, str], folder: Path
) -> tuple[str, ...]:
    """Name every key of a file that the user's own lists do not have.

    ``folder`` is where the lists are; those that are not named are not looked at.
    """
    by_digits = _digits if target.books == "myob" else str
    chart = _read(books.chart, "chart", folder, by_digits)
    rates = _read(books.tax_rates, "tax_rates", folder, str)
    contacts = _read(books.contacts, "contacts", folder, str)
    found = list(_of_contacts(whole, contacts))
    number = 0
    for entry in whole.entries:
        for leg in legs(entry, gst_leg=target.gst_leg):
            if target.shape == "lines" and leg.line is None:
                continue
            number += 1
            said = f"line {number} ({leg.text})"
            if chart and (lack := chart.lacks(leg.account)):
                found.append(f"{said}: account {leg.account!r} {lack}")
            name = leg.tax_named(taxes)
            if rates and (lack := rates.lacks(name)):
                found.append(f"{said}: tax {name!r} {lack}")
    return tuple(found)


def _of_contacts(whole: PostingSet, contacts: _List | None) -> Iterator[str]:
    if contacts is None:
        return
    names = [entry.contact for entry in whole.entries]
    names += [line.coding.contact for e in whole.entries for line in e.lines]
    for name in dict.fromkeys(filter(None, names)):
        if lack := contacts.lacks(name):
            yield f"contact {name!r} {lack}"


def _digits(key: str) -> str:
    """Return an account number as MYOB compares it, without the mark after its first digit."""
    return _MARKS.sub("", key) or key


def _read(name: str, kind: str, folder: Path, folded: Callable[[str], str]) -> _List | None:
    """Read one exported list, by its columns' headings."""
    if not name:
        return None
    path = folder / name
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ConfigError(f"cannot read {path}, which {kind} names: {problem.strerror}") from None
    rows = [[worded(cell) for cell in cells] for _, cells in lines(raw, str(path))]
    for at, row in enumerate(rows[:5]):
        headings = [cell.lstrip("*").casefold() for cell in row]
        for wanted in HEADINGS[kind]:
            if wanted in headings:
                column = headings.index(wanted)
                cells = (r[column] for r in rows[at + 1 :] if len(r) > column)
                return _List(path, {folded(cell): cell for cell in cells if cell}, folded)
    known = ", ".join(HEADINGS[kind])
    raise ConfigError(f"{path} has no column that {kind} are known by: name one of {known}")
