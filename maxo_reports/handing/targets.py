"""Reads ``handoff/*.toml``: the file formats of accounting programs, as data.

A target of the same name in the workspace's own ``handoff`` folder replaces the shipped one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from maxo_reports.config.problems import Limits, Problems, filled
from maxo_reports.core.handoff.posting import KINDS
from maxo_reports.core.handoff.target import SHAPES, TRACKED, VALUES, Shape, Target, TargetColumn
from maxo_reports.definitions import Shelf
from maxo_reports.errors import ConfigError, UsageError, did_you_mean
from maxo_reports.handing.books import ANY_BOOKS, PROGRAMS

VERSION = 1
FOLDER = "handoff"
_START = Target("", "", "", "lines", (), "", "")
_COLUMN = TargetColumn("")
_LIMITS = Limits(
    {
        "shape": SHAPES,
        "books": (*PROGRAMS, ANY_BOOKS),
        "encoding": ("utf-8", "utf-8-sig"),
        "delimiter": ("comma", "tab"),
    },
    {"most_rows": (0, 1_000_000), "most_entries": (0, 1_000_000), "tracking_most": (0, 2)},
)
assert get_args(Shape) == SHAPES


def known(shelf: Shelf) -> dict[str, Path]:
    """Return every target's file by its name; a user's own replaces ours of that name."""
    return shelf.named(FOLDER)


def load(name: str, shelf: Shelf) -> Target:
    """Read one target, or tell every mistake in it at once."""
    there = known(shelf)
    if name not in there:
        names = ", ".join(there)
        raise UsageError(
            f"there is no target {name!r}{did_you_mean(name, there)}; there is: {names}"
        )
    path = there[name]
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{path} is not readable TOML: {problem}") from None
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None
    problems = Problems(str(path))
    if content.pop("version", None) != VERSION:
        problems.add(f"version must be {VERSION}")
    given = content.pop("column", [])
    for key in ("name", "columns"):
        if key in content:
            problems.add(f"{key!r} is not a setting")
            content.pop(key)
    target: Target = filled(_START, content, "target", problems, _LIMITS)
    columns = tuple(_column(number, each, problems) for number, each in enumerate(given, 1))
    _check(target, columns, content, problems)
    problems.raise_any()
    whole = {field.name: getattr(target, field.name) for field in fields(target)}
    return Target(**{**whole, "name": name, "columns": columns})


def _column(number: int, given: Any, problems: Problems) -> TargetColumn:
    where = f"column {number}"
    column: TargetColumn = filled(_COLUMN, problems.table(where, given), where, problems, _LIMITS)
    if column.value and column.value not in VALUES and not column.value.startswith(TRACKED):
        meant = did_you_mean(column.value, VALUES)
        problems.add(f"[{where}] value {column.value!r} is not known{meant}")
    return column


def _check(
    target: Target,
    columns: Collection[TargetColumn],
    content: Mapping[str, Any],
    problems: Problems,
) -> None:
    for key in ("title", "books", "shape", "kinds", "suffix"):
        if key not in content:
            problems.add(f"{key} is missing")
    for kind in target.kinds:
        if kind not in KINDS:
            there, meant = ", ".join(KINDS), did_you_mean(kind, KINDS)
            problems.add(f"kinds: {kind!r} is not known{meant}; there is: {there}")
    names = [column.name for column in columns]
    if any(not name or names.count(name) > 1 for name in names):
        problems.add("every column needs a name of its own")
    if target.shape in {"lines", "journal"} and not columns:
        problems.add("there is no column")
