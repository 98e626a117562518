"""Coding: which account, tax and tracking the calls of one kind go to in somebody's books.

Rules are the user's own, in the order of their file. Each says for which calls it is (any of
some values in any of the ledger's dimensions) and what it knows of their coding; what a call's
coding lacks is looked for in the rules after it. Calls for which no rule names an account are
**unmapped**: they are named, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from maxo_reports.core.ledger import Ledger, Totals, dimension_values

Tax = Literal["gst", "free", "none"]
TAXES: Mapping[Tax, str] = {
    "gst": "taxable at 10%",
    "free": "GST-free",
    "none": "not reported for GST",
}
"""Treatment -> what it means. Calls abroad made in Australia are taxable (GST Act, Div 85)."""
ANY = "*"


@dataclass(frozen=True, slots=True)
class Portion:
    """The calls of one finest group, with its value in each dimension by name."""

    values: Mapping[str, str]
    totals: Totals


def portions(ledger: Ledger) -> tuple[Portion, ...]:
    """Return the finest groups of a ledger, named."""
    return tuple(Portion(dimension_values(each), each.totals) for each in ledger.groups)


@dataclass(frozen=True, slots=True)
class Rule:
    """For which calls (``where``: dimension -> any of these values), and what is said of them.

    ``account``, ``tax_code`` and ``tracking`` map the books of a program (``xero``) to what it is
    there; a tax code stands for the program's usual one of the treatment.
    """

    where: Mapping[str, tuple[str, ...]]
    account: Mapping[str, str] = field(default_factory=dict)
    tax: Tax | None = None
    tracking: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    contact: str = ""
    description: str = ""
    tax_code: Mapping[str, str] = field(default_factory=dict)

    def is_for(self, values: Mapping[str, str]) -> bool:
        """Tell whether every dimension that the rule names has one of its values."""
        return all(
            ANY in wanted or values.get(dimension, "") in wanted
            for dimension, wanted in self.where.items()
        )


@dataclass(frozen=True, slots=True)
class Coding:
    """Where calls go: an account, its tax, tracking options by their names, a contact."""

    account: str
    tax: Tax = "none"
    tracking: tuple[tuple[str, str], ...] = ()
    contact: str = ""
    description: str = ""
    tax_code: str = ""

    @property
    def without_gst(self) -> Coding:
        """The same, not reported for GST."""
        return replace(self, tax="none", tax_code="")


def coding_of(values: Mapping[str, str], rules: Sequence[Rule], books: str) -> Coding:
    """Return the coding of some calls; each part is from the first rule that gives it.

    The account is the empty text where no rule gives one; calls are taxable unless a rule says
    otherwise.
    """
    fitting = [rule for rule in rules if rule.is_for(values)]
    tracking: dict[str, str] = {}
    for rule in fitting:
        for name, option in rule.tracking.get(books, ()):
            tracking.setdefault(name, option)
    return Coding(
        next((rule.account[books] for rule in fitting if rule.account.get(books)), ""),
        next((rule.tax for rule in fitting if rule.tax is not None), "gst"),
        tuple(tracking.items()),
        next((rule.contact for rule in fitting if rule.contact), ""),
        next((rule.description for rule in fitting if rule.description), ""),
        next((rule.tax_code[books] for rule in fitting if rule.tax_code.get(books)), ""),
    )


def idle(of: Sequence[Portion], rules: Sequence[Rule]) -> tuple[str, ...]:
    """Name the rules that fit no calls: a name that was mistyped would be missed in silence."""
    found = []
    for number, rule in enumerate(rules, 1):
        if not any(rule.is_for(each.values) for each in of):
            said = ", ".join(
                f"{name} {' or '.join(map(repr, rule.where[name]))}" for name in rule.where
            )
            found.append(f"rule {number} ({said}) fits no calls of the period")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Coded:
    """Calls that share a coding and the values that lines are split by, in those dimensions."""

    coding: Coding
    values: Mapping[str, str]
    totals: Totals


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Calls without an account: which they are, and what they come to."""

    values: Mapping[str, str]
    totals: Totals


def coded(
    of: Iterable[Portion], rules: Sequence[Rule], books: str, split_by: Sequence[str]
) -> tuple[tuple[Coded, ...], tuple[Unmapped, ...]]:
    """Group portions into lines by coding and by what lines are split by; name the unmapped.

    Lines stand in the order of the values that they are split by. Unmapped calls are named by
    their category and by every dimension that some rule looks at.
    """
    looked_at = list(dict.fromkeys(("category", *(d for rule in rules for d in rule.where))))
    lines: dict[tuple[tuple[str, ...], Coding], Totals] = {}
    lacking: dict[tuple[str, ...], Totals] = {}
    for portion in of:
        found = coding_of(portion.values, rules, books)
        if not found.account:
            names = tuple(portion.values.get(name, "") for name in looked_at)
            lacking[names] = lacking.get(names, Totals()) + portion.totals
            continue
        key = tuple(portion.values.get(name, "") for name in split_by), found
        lines[key] = lines.get(key, Totals()) + portion.totals
    return (
        tuple(
            Coded(key[1], dict(zip(split_by, key[0], strict=True)), lines[key])
            for key in sorted(lines, key=lambda k: (k[0], k[1].account, k[1].tracking))
        ),
        tuple(
            Unmapped(dict(zip(looked_at, names, strict=True)), lacking[names])
            for names in sorted(lacking)
        ),
    )
