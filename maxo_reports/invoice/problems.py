"""What is wrong with a bill's file, gathered so that all of it can be told at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from maxo_reports.errors import ConfigError, did_you_mean

_MOST_TOLD = 20


class Problems:
    """Collects mistakes, each with the line that it is in."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[str] = []
        self._more = 0

    def add(self, problem: str, at: str = "") -> None:
        """Note one mistake; ``at`` says in which line."""
        if len(self._found) < _MOST_TOLD:
            self._found.append(f"{self._path}{f', {at}' if at else ''}: {problem}")
        else:
            self._more += 1

    def unknown(self, given: Mapping[str, Any], known: Collection[str], at: str = "") -> None:
        """Note every key that means nothing."""
        for key in given:
            if key not in known:
                self.add(f"{key!r} means nothing here{did_you_mean(key, known)}", at)

    def take(self, other: Problems) -> None:
        """Note what was noted of another file."""
        self._found += other._found
        self._more += other._more

    def raise_any(self) -> None:
        """Tell what was found, if anything was."""
        if self._found:
            more = [f"{self._path}: and {self._more:,} more mistakes"] if self._more else []
            raise ConfigError([*self._found, *more])
