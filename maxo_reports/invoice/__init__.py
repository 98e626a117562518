"""The carrier's bill as a file: TOML, CSV or a workbook, with its list of calls where it has one.

A bill is written by a person or exported by a portal, so its headings are found by the names that
people use, and every mistake is told at once, each with its line and the nearest real name. A
table of calls alone is a bill, too: its lines are the calls.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from maxo_reports.core.bills.bill import Bill, BillLine
from maxo_reports.core.bills.reconcile import Tolerance
from maxo_reports.core.money import GstBasis
from maxo_reports.core.text import has_controls
from maxo_reports.errors import ConfigError
from maxo_reports.invoice import calls, headings, lines, words
from maxo_reports.invoice.calls import CallList
from maxo_reports.invoice.lines import FACTS, Given
from maxo_reports.invoice.problems import Problems
from maxo_reports.rows import lines_of, worded

_KEYS = (
    *FACTS,
    *("calls", "seconds", "tolerance", "tolerance_percent", "line", "categories", "columns"),
)
_LINE_KEYS = tuple(headings.OF_LINES)
_LINE_HEAD = re.compile(r"^\s*\[\[\s*line\s*\]\]", re.MULTILINE)
_SECONDS, _MOST_SECONDS = 2, 3600


@dataclass(frozen=True, slots=True)
class Invoice:
    """A bill that was read. ``bill`` is None where the file is a list of calls alone.

    ``listed`` is its list of calls; ``seconds`` how far apart the times of one call may be.
    ``files`` has the SHA-256 of each file that was read, by its name. ``basis`` is that of a list
    alone, which cannot say it itself.
    """

    path: Path
    bill: Bill | None
    listed: CallList | None
    tolerance: Tolerance
    seconds: int
    files: Mapping[str, str]
    basis: GstBasis = "unknown"


def load(path: Path, list_path: Path | None = None) -> Invoice:
    """Read a bill, and its list of calls from ``list_path`` or where the bill says it is."""
    problems = Problems(path)
    if path.suffix.lower() == ".toml":
        return _written(path, list_path, problems)
    number, head = next(lines_of(path), (1, ()))
    folded = {str(cell or "").strip().casefold() for cell in head}
    if not folded & set(headings.OF_LINES["kind"]):
        if list_path is not None:
            problems.add("this is a list of calls itself: give no second one", f"line {number}")
        listed = calls.opened(path, {}, problems)
        problems.raise_any()
        return Invoice(path, None, listed, Tolerance(), _SECONDS, _hashes(path))
    facts, found = _tabled(path, problems)
    made = lines.bill(facts, found, {}, problems)
    listed = _listed(list_path, {}, problems)
    problems.raise_any()
    return Invoice(path, made, listed, Tolerance(), _SECONDS, _hashes(path, list_path))


def _listed(path: Path | None, columns: Mapping[str, str], problems: Problems) -> CallList | None:
    """Open a bill's list of calls; its own mistakes are told together with the bill's."""
    if path is None:
        return None
    own = Problems(path)
    listed = calls.opened(path, columns, own)
    problems.take(own)
    return listed


def _tabled(path: Path, problems: Problems) -> tuple[dict[str, Given], list[BillLine]]:
    """Read a bill from a table: a row a line, and a row for each fact, named in its kind."""
    rows = lines_of(path)
    number, head = next(rows)
    places = headings.found(head, headings.OF_LINES, {}, problems, f"line {number}")
    if "charge" not in places:
        problems.add("a bill needs a column 'charge'", f"line {number}")
    facts: dict[str, Given] = {}
    found = []
    for number, row in rows:
        at = f"line {number}"
        cells = {name: row[place] for name, place in places.items() if place < len(row)}
        kind = worded(cells.get("kind")).casefold()
        fact = "gst" if kind == "gst basis" else kind
        # 'gst' alone is the line of that name; the basis has a name of its own in a table.
        if fact in FACTS and kind != "gst":
            if fact in facts:
                problems.add(f"says {fact!r} again, after {facts[fact].at}", at)
            text, charge = cells.get("text", ""), cells.get("charge", "")
            facts[fact] = Given(charge if fact == "total" and charge != "" else text, at)
        elif (line := lines.line(cells, at, problems)) is not None:
            found.append(line)
    return facts, found


def _written(path: Path, list_path: Path | None, problems: Problems) -> Invoice:
    """Read a bill from TOML."""
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{path} is not readable TOML: {problem}") from None
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None
    problems.unknown(content, _KEYS)
    starts = [text.count("\n", 0, match.start()) + 1 for match in _LINE_HEAD.finditer(text)]
    found = []
    given = content.get("line", [])
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        problems.add("lines must be tables, each written [[line]]")
        given = []
    for place, each in enumerate(given):
        at = f"line {starts[place]}" if len(starts) == len(given) else f"[[line]] {place + 1}"
        problems.unknown(each, _LINE_KEYS, at)
        if (line := lines.line(each, at, problems)) is not None:
            found.append(line)
    facts = {name: Given(content[name]) for name in FACTS if name in content}
    names = lines.names(_table(content, "categories", problems), problems)
    made = lines.bill(facts, found, names, problems)
    tolerance = _tolerance(content, problems)
    seconds = content.get("seconds", _SECONDS)
    if type(seconds) is not int or not 0 <= seconds <= _MOST_SECONDS:
        problems.add(f"seconds must be from 0 to {_MOST_SECONDS}, not {seconds!r}")
    said = content.get("calls")
    if said is not None and (not isinstance(said, str) or has_controls(said)):
        problems.add('calls must name the file with the list of calls: calls = "calls.csv"')
    elif said is not None and list_path is None:
        list_path = path.parent / said
    if list_path is None:
        lines.check_names(names, found, problems)
    columns = {}
    for name, heading in _table(content, "columns", problems).items():
        if isinstance(heading, str):
            columns[name] = heading
        else:
            problems.add(f"[columns] {name} must be a heading in quotes, not {heading!r}")
    listed = _listed(list_path, columns, problems)
    problems.raise_any()
    return Invoice(path, made, listed, tolerance, seconds, _hashes(path, list_path))


def _table(content: Mapping[str, Any], name: str, problems: Problems) -> Mapping[str, Any]:
    value = content.get(name, {})
    if isinstance(value, dict):
        return value
    problems.add(f"{name!r} must be a table, written [{name}]")
    return {}


def _tolerance(content: Mapping[str, Any], problems: Problems) -> Tolerance:
    said = content.get("tolerance", "0")
    micros = words.micros(said)
    if micros is None or micros < 0:
        problems.add(f"tolerance {said!r} is no dollars, such as 0.05")
    percent = percent_of(content.get("tolerance_percent", 0))
    if percent is None:
        problems.add(f"tolerance_percent {content['tolerance_percent']!r} must be from 0 to 100")
    return Tolerance(micros or 0, percent or Decimal(0))


def percent_of(said: object) -> Decimal | None:
    """Read a percentage from 0 to 100, or return None."""
    try:
        percent = Decimal(str(said))
    except InvalidOperation:
        return None
    return percent if percent.is_finite() and 0 <= percent <= 100 else None


def _hashes(*paths: Path | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in paths:
        if path is None:
            continue
        if path.name in found:
            # Both go into the pack, side by side.
            raise ConfigError(f"{path}: give the bill and its list of calls different names")
        found[path.name] = sha256(path)
    return found


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
