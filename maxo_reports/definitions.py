"""Report definitions (``reports/*.toml``) and the theme: data, checked whole before use.

A definition of the same name in the workspace replaces the shipped one. A wrong one is refused
with every mistake at once, each with its section and the nearest real name.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from maxo_reports.core.report import Definition
from maxo_reports.core.theme import Theme
from maxo_reports.errors import ConfigError, UsageError, did_you_mean
from maxo_reports.reader import Reader

LETTER = "email."
"""How the names of the templates of messages begin."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where definitions and templates are looked for: the user's folder first, then ours."""

    folders: tuple[Path, ...]

    @classmethod
    def of(cls, workspace: Path | None) -> Shelf:
        """Return the shelf of a workspace, or the shipped one alone."""
        own = (workspace,) if workspace is not None else ()
        return cls((*own, shipped()))

    def templates(self) -> tuple[Path, ...]:
        """Return the folders of templates that exist, the user's first."""
        folders = [folder / "templates" for folder in self.folders]
        return tuple(folder for folder in folders if folder.is_dir())

    def reports(self) -> dict[str, Path]:
        """Return every report's file by its name; a user's own replaces ours of that name."""
        return self.named("reports")

    def named(self, kind: str) -> dict[str, Path]:
        """Return every file of a kind (a folder's name) by its name, the user's before ours."""
        found: dict[str, Path] = {}
        for folder in reversed(self.folders):
            found |= {path.stem: path for path in sorted((folder / kind).glob("*.toml"))}
        return dict(sorted(found.items()))

    def fingerprint(self) -> str:
        """Return a hash over every template, style sheet and font: the look of a report.

        The letter that a report goes out with is not part of it: other words for the same
        figures make no other revision.
        """
        digest = hashlib.sha256()
        for folder in self.templates():
            found = [path for path in folder.rglob("*") if path.is_file()]
            for path in sorted(p for p in found if not p.name.startswith(LETTER)):
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


def shipped() -> Path:
    """Return the folder of our own reports, templates and samples: in the wheel or the clone."""
    package = Path(__file__).parent
    inside = package / "_shipped"
    return inside if inside.is_dir() else package.parent


@dataclass(frozen=True, slots=True)
class Loaded:
    """A definition and the hash of the file that it came from."""

    definition: Definition
    sha256: str


def load(name: str, shelf: Shelf, formats: Collection[str]) -> Loaded:
    """Read one report definition; ``formats`` are those that renderers exist for."""
    reports = shelf.reports()
    if name not in reports:
        known = ", ".join(reports)
        raise UsageError(
            f"there is no report {name!r}{did_you_mean(name, reports)}; there is: {known}"
        )
    path = reports[name]
    content, raw = _toml(path)
    reader = Reader(path, formats)
    definition = reader.definition(name, content)
    reader.raise_any()
    return Loaded(definition, hashlib.sha256(raw).hexdigest())


def load_theme(shelf: Shelf) -> Theme:
    """Read the palette: the user's own ``templates/theme.toml``, or ours."""
    path = next(f / "theme.toml" for f in shelf.templates() if (f / "theme.toml").exists())
    content, _ = _toml(path)
    names = [field.name for field in fields(Theme)]
    problems = [
        f"{path}: {key!r} is not part of a theme{did_you_mean(key, names)}"
        for key in content
        if key not in names
    ]
    for name in names:
        value = content.get(name)
        if value is None:
            problems.append(f"{path}: {name!r} is missing")
        elif not isinstance(value, str) or not value:
            problems.append(f"{path}: {name} must be text in quotes, not {value!r}")
        elif not name.endswith("font") and not _COLOUR.fullmatch(value):
            problems.append(f"{path}: {name} must be a colour such as #0f5f8c, not {value!r}")
    if problems:
        raise ConfigError(problems)
    return Theme(**content)


def _toml(path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        raw = path.read_bytes()
        return tomllib.loads(raw.decode()), raw
    except (ValueError, RecursionError) as problem:
        raise ConfigError(f"{path} is not readable TOML: {problem}") from None
    except OSError as problem:
        raise ConfigError(f"cannot read {path}: {problem.strerror}") from None
