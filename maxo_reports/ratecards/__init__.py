"""Rate cards: CSV, workbook or TOML, read whole, with every mistake told at once.

A line of a table and a ``[[rate]]`` of TOML say the same things under the same names. A card in
which two lines are for the same calls on the same days is refused: no guess decides what is owed.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from maxo_reports import rows
from maxo_reports.core.rates.tariff import RateCard
from maxo_reports.errors import ConfigError, did_you_mean
from maxo_reports.ratecards.lines import COLUMNS, DEFAULTS, Given, Lines

__all__ = ["COLUMNS", "Loaded", "load", "read"]
_NOTES = frozenset({"note", "notes", "comment", "comments", "description"})
"""Columns of a table that are for people."""
_ALSO = {
    "rate category": "category",
    "number prefix": "prefix",
    "from": "valid_from",
    "to": "valid_to",
    "flagfall": "connect_fee",
    "rate per minute": "per_minute",
    "rate per call": "per_call",
    "initial increment": "first_increment",
    "following increment": "increment",
    "minimum charge": "minimum",
    "maximum charge": "maximum",
    "decimals": "places",
    "gst basis": "gst",
}
"""Other headings that price lists have."""
_CARD_KEYS = ("name", *DEFAULTS)
_POOL_KEYS = ("minutes", "per", "covers_fee")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A rate card and the file that it came from."""

    card: RateCard
    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.content).hexdigest()


def load(path: Path) -> Loaded:
    """Read a rate card's file, or raise ConfigError with every mistake in it."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        why = problem.strerror or "it cannot be read"
        raise ConfigError(f"cannot read the rate card {path}: {why}") from None
    return read(content, path.name)


def read(content: bytes, name: str) -> Loaded:
    """Read the content of a rate card's file called ``name``."""
    lines = Lines(name)
    stem = Path(name).stem
    if name.casefold().endswith(".toml"):
        stem, given = _toml(content, name, stem, lines)
    else:
        given = list(_table(content, name, lines))
    card = lines.card(stem, given)
    lines.raise_any()
    return Loaded(card, name, content)


def _table(content: bytes, name: str, lines: Lines) -> Iterator[Given]:
    found = rows.lines(content, name)
    number, heading = next(found, (1, ()))
    columns: dict[int, str] = {}
    for at, cell in enumerate(heading):
        said = str(cell or "").strip()
        plain = " ".join(said.casefold().replace("_", " ").replace("-", " ").split())
        column = _ALSO.get(plain, plain.replace(" ", "_"))
        if column in COLUMNS and column not in columns.values():
            columns[at] = column
        elif column in COLUMNS:
            lines.problem(f"line {number}", f"has the column {column!r} twice")
        elif said and column not in _NOTES:
            meant = did_you_mean(column, COLUMNS)
            lines.problem(f"line {number}", f"{said!r} is not a column of a rate card{meant}")
    if not columns:
        known = ", ".join(COLUMNS)
        lines.problem(f"line {number}", f"is no heading of a rate card; its columns are: {known}")
        return
    for number, cells in found:
        values = {}
        for at, cell in enumerate(cells):
            if at in columns and cell not in {None, ""}:
                values[columns[at]] = cell
            elif at >= len(heading) and cell not in {None, ""}:
                lines.problem(f"line {number}", f"has more cells than the heading: {cell!r}")
        yield Given(f"line {number}", values)


def _toml(content: bytes, name: str, stem: str, lines: Lines) -> tuple[str, list[Given]]:
    try:
        # Decimal, so that 0.1145 is what is written and not the nearest binary figure.
        whole = tomllib.loads(content.decode(), parse_float=Decimal)
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{name} is not readable TOML: {problem}") from None
    lines.unknown("", whole, ("card", "pool", "rate"))
    card = _of_table(whole.get("card", {}), "[card]", _CARD_KEYS, lines)
    defaults = {key: value for key, value in card.items() if key != "name"}
    for pool, said in _of_table(whole.get("pool", {}), "[pool]", None, lines).items():
        place = f"[pool.{pool}]"
        lines.pool(place, pool, _of_table(said, place, _POOL_KEYS, lines))
    listed = whole.get("rate", [])
    if not isinstance(listed, list) or not listed:
        lines.problem("", "there is no [[rate]]")
        listed = []
    given = []
    for number, said in enumerate(listed, 1):
        place = f"rate {number}"
        values = _of_table(said, place, COLUMNS, lines)
        given.append(Given(place, {**defaults, **values}))
    title = card.get("name", stem)
    if not isinstance(title, str):
        lines.problem("[card]", f"name must be text in quotes, not {title!r}")
        title = stem
    return title, given


def _of_table(
    value: Any, place: str, known: tuple[str, ...] | None, lines: Lines
) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        lines.problem(place, "must be a table")
        return {}
    if known is not None:
        lines.unknown(place, value, known)
    return value
