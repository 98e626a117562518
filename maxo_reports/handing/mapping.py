"""``handoff.toml``: how the user's books name what the calls are.

A workspace has one, or one for an account (``handoff.ACCOUNT.toml``), since clients keep books of
their own. Every mistake is told at once, each with the nearest real name.
"""

from __future__ import annotations

import hashlib
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maxo_reports.config.problems import Limits, Problems, filled
from maxo_reports.core import numbering
from maxo_reports.core.handoff.coding import ANY, TAXES, Rule
from maxo_reports.core.ledger import DIMENSIONS
from maxo_reports.core.text import has_controls
from maxo_reports.errors import ConfigError, did_you_mean
from maxo_reports.handing.books import PROGRAMS, Books

FILE = "handoff.toml"
VERSION = 1
OF_PERIOD = ("account", "period", "first", "last")
"""What every text may name."""
OF_LINE = ("calls", "duration")
"""What a line's text may name besides, and the dimensions that lines are split by."""
_RULE = ("account", "tax", "tax_code", "tracking", "contact", "description")
_LIMITS = Limits(
    {"other_tax": tuple(TAXES)},
    {"due_days": (0, 365)},
)


@dataclass(frozen=True, slots=True)
class Lines:
    """What becomes a line, and what lines and entries are called.

    ``sale`` stands on invoices to clients, who are not told which carrier it was.
    """

    split_by: tuple[str, ...] = ("category",)
    description: str = "{category} {first} to {last} ({calls} {duration})"
    narration: str = "MaxoTel calls {period}"
    sale: str = "Calls {period}"
    other: str = "Other charges of the bill (not calls) {period}"
    due_days: int = 14
    currency: str = "AUD"


@dataclass(frozen=True, slots=True)
class HandoffMap:
    """A mapping file as it was read: ``path`` and its hash, and what it says."""

    path: Path
    sha256: str
    lines: Lines
    books: Mapping[str, Books]
    rules: tuple[Rule, ...]
    raw: bytes


def place(folder: Path, account: str) -> Path:
    """Return where an account's mapping is: a file of its own, or the workspace's."""
    own = folder / f"handoff.{account}.toml"
    return own if own.exists() else folder / FILE


def load(path: Path) -> HandoffMap:
    """Read a mapping file, or tell every mistake at once."""
    try:
        raw = path.read_bytes()
        content = tomllib.loads(raw.decode())
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}: write one with 'maxo-reports handoff init PERIOD'"
        ) from None
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{path} is not readable TOML: {problem}") from None
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None
    problems = Problems(str(path))
    problems.unknown("", content, {"version", "lines", "books", "rule"})
    if content.get("version") != VERSION:
        problems.add(f"version must be {VERSION}, not {content.get('version')!r}")
    lines = filled(
        Lines(), problems.table("lines", content.get("lines", {})), "lines", problems, _LIMITS
    )
    _check_lines(lines, problems)
    books = {}
    for name, given in problems.table("books", content.get("books", {})).items():
        table = f"books.{name}"
        if name not in PROGRAMS:
            known = ", ".join(PROGRAMS)
            problems.add(
                f"[{table}] is not known{did_you_mean(name, PROGRAMS)}; there is: {known}"
            )
            continue
        books[name] = filled(
            PROGRAMS[name], problems.table(table, given), table, problems, _LIMITS
        )
    if not books:
        problems.add("there are no books: write a table such as [books.xero]")
    given_rules = content.get("rule", [])
    if not isinstance(given_rules, list):
        problems.add("'rule' must be a list of tables, each written [[rule]]")
        given_rules = []
    rules = [
        _rule(number, given, books, lines, problems) for number, given in enumerate(given_rules, 1)
    ]
    problems.raise_any()
    return HandoffMap(path, hashlib.sha256(raw).hexdigest(), lines, books, tuple(rules), raw)


def _check_lines(lines: Lines, problems: Problems) -> None:
    for name in lines.split_by:
        if name not in DIMENSIONS:
            known = ", ".join(DIMENSIONS)
            problems.add(
                f"[lines] split_by: {name!r} is not known{did_you_mean(name, DIMENSIONS)}; "
                f"there is: {known}"
            )
    _check_pattern("[lines] description", lines.description, line_fields(lines), problems)
    for name, pattern in (
        *(("narration", lines.narration), ("sale", lines.sale)),
        ("other", lines.other),
    ):
        _check_pattern(f"[lines] {name}", pattern, OF_PERIOD, problems)


def line_fields(lines: Lines) -> tuple[str, ...]:
    """Return what a line's text may name."""
    return (*lines.split_by, *OF_LINE, *OF_PERIOD)


def _check_pattern(where: str, pattern: str, known: Sequence[str], problems: Problems) -> None:
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError:
        problems.add(f"{where}: {pattern!r} has a bracket too few or too many")
        return
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name in DIMENSIONS and name not in known:
            problems.add(
                f"{where}: {{{name}}} needs {name!r} among split_by: a line has one value"
            )
        elif name not in known:
            there = ", ".join(known)
            meant = did_you_mean(name, known)
            problems.add(f"{where}: {{{name}}} is not known{meant}; there is: {there}")
        elif form or conversion:
            problems.add(f"{where}: {{{name}}} takes nothing after its name")


def _rule(
    number: int, given: Any, books: Mapping[str, Books], lines: Lines, problems: Problems
) -> Rule:
    where = f"rule {number}"
    table = problems.table(where, given)
    problems.unknown(where, table, {*DIMENSIONS, *_RULE})
    conditions = {}
    for name in DIMENSIONS:
        if name in table:
            value = table[name]
            texts = value if isinstance(value, list) else [value]
            if not texts or not all(isinstance(text, str) for text in texts):
                problems.add(f"[{where}] {name} must be text or a list of texts, not {value!r}")
                continue
            if name == "service_number":
                # As the calls are grouped: without spaces and route, in national form.
                texts = [numbering.compact(text) or text for text in texts]
            conditions[name] = tuple(texts)
    if not conditions:
        known = ", ".join(DIMENSIONS)
        problems.add(
            f"[{where}] says not for which calls: name one of {known} "
            f'(category = "{ANY}" is for all)'
        )
    tax = table.get("tax")
    if tax is not None and tax not in TAXES:
        known = ", ".join(TAXES)
        problems.add(f"[{where}] tax must be one of {known}, not {tax!r}")
        tax = None
    description = _text(table, "description", where, problems)
    if description:
        _check_pattern(f"[{where}] description", description, line_fields(lines), problems)
    tracking = _tracking(table, where, books, problems)
    contact = _text(table, "contact", where, problems)
    account = _by_books(table, "account", where, books, problems)
    codes = _by_books(table, "tax_code", where, books, problems)
    return Rule(conditions, account, tax, tracking, contact, description, codes)


def _tracking(
    table: Mapping[str, Any], where: str, books: Mapping[str, Books], problems: Problems
) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Read tracking options: one table for all books, or one for each by name."""
    given = table.get("tracking", {})
    by_books = isinstance(given, dict) and any(isinstance(each, dict) for each in given.values())
    if not by_books:
        options = tuple(_texts(table, "tracking", where, problems).items())
        return dict.fromkeys(books, options) if options else {}
    for name in given:
        if name not in books:
            problems.add(
                f"[{where}] tracking.{name}: there is no [books.{name}]{did_you_mean(name, books)}"
            )
    return {name: tuple(_texts(given, name, where, problems).items()) for name in given}


def _by_books(
    table: Mapping[str, Any], key: str, where: str, books: Mapping[str, Books], problems: Problems
) -> Mapping[str, str]:
    """Read an account or a tax code: one text for all books, or one for each by name."""
    given = table.get(key, {})
    if isinstance(given, str):
        return dict.fromkeys(books, given) if not has_controls(given) else {}
    found = _texts(table, key, where, problems)
    for name in found:
        if name not in books:
            problems.add(
                f"[{where}] {key}.{name}: there is no [books.{name}]{did_you_mean(name, books)}"
            )
    return found


def _texts(
    table: Mapping[str, Any], name: str, where: str, problems: Problems
) -> Mapping[str, str]:
    given = table.get(name, {})
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        problems.add(f'[{where}] {name} must be a table of texts, {{ Region = "Brisbane" }}')
        return {}
    if any(has_controls(text) for pair in given.items() for text in pair):
        problems.add(f"[{where}] {name} must hold no control characters")
    return given


def _text(table: Mapping[str, Any], name: str, where: str, problems: Problems) -> str:
    given = table.get(name, "")
    if not isinstance(given, str) or has_controls(given):
        problems.add(f"[{where}] {name} must be text in quotes, not {given!r}")
        return ""
    return given
