"""Reading tables of settings: what is wrong is collected, so that all of it is told together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from maxo_reports.core.text import has_controls
from maxo_reports.errors import ConfigError, did_you_mean


class Problems:
    """Collects what is wrong in one file, so that all of it can be told together."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._found: list[str] = []

    def add(self, problem: str) -> None:
        """Note one mistake."""
        self._found.append(f"{self._where}: {problem}")

    def unknown(self, table: str, given: Mapping[str, Any], known: Collection[str]) -> None:
        """Note every key that is no setting, with the nearest that is."""
        for key in given:
            if key not in known:
                place = f"[{table}] " if table else ""
                self.add(f"{place}{key!r} is not a setting{did_you_mean(key, known)}")

    def table(self, name: str, value: Any) -> Mapping[str, Any]:
        """Return a table, or an empty one where something else stands in its place."""
        if isinstance(value, dict):
            return value
        self.add(f"{name!r} must be a table, written [{name}]")
        return {}

    def raise_any(self) -> None:
        """Raise ConfigError with all that was noted, if anything was."""
        if self._found:
            raise ConfigError(self._found)


@dataclass(frozen=True, slots=True)
class Limits:
    """What fields may hold: the words of a choice, the lowest and highest of a whole number."""

    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def filled(
    start: Any, given: Mapping[str, Any], table: str, problems: Problems, limits: Limits
) -> Any:
    """Return a dataclass ``start`` with the given fields, each of its type and in its limits.

    A field's type is that of its value in ``start``: text, whole number, true or false, or a
    tuple of texts, which is written as a list.
    """
    choices, ranges = limits.choices, limits.ranges
    names = set(type(start).__dataclass_fields__) - {"id"}
    problems.unknown(table, given, names)
    changed = {}
    for name, value in given.items():
        if name not in names:
            continue
        wanted = type(getattr(start, name))
        texts = [value] if wanted is str else value if wanted is tuple else []
        if not _fits(value, wanted):
            problems.add(f"[{table}] {name} must be {_WRITTEN[wanted]}, not {value!r}")
        elif any(has_controls(text) for text in texts):
            problems.add(f"[{table}] {name} must hold no control characters: {value!r}")
        elif name in ranges and not ranges[name][0] <= value <= ranges[name][1]:
            low, high = ranges[name]
            problems.add(f"[{table}] {name} must be from {low} to {high}, not {value}")
        elif name in choices and value not in choices[name]:
            meant = did_you_mean(value, choices[name])
            words = ", ".join(choices[name])
            problems.add(f"[{table}] {name} must be one of {words}, not {value!r}{meant}")
        else:
            changed[name] = tuple(value) if wanted is tuple else value
    return replace(start, **changed)


_WRITTEN = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    tuple: "a list of texts in quotes",
}


def _fits(value: Any, wanted: type) -> bool:
    if wanted is tuple:
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    return type(value) is wanted
