"""Report definitions (``reports/*.toml``) and the theme: data, checked whole before use.

A definition of the same name in the workspace replaces the shipped one. A wrong one is refused
with every mistake at once, each with its section and the nearest real name.
"""

from __future__ import annotations

import hashlib
import re
import string
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from maxo_reports.core.ledger import DIMENSIONS, MEASURES
from maxo_reports.core.report import CALL_COLUMNS, Definition, SectionSpec, Theme
from maxo_reports.core.sections import OF_CHANGES, ORDERS, SECTION_KINDS
from maxo_reports.core.text import has_controls, length, visible
from maxo_reports.errors import ConfigError, UsageError, did_you_mean

VERSION = 1
_KEYS = {"version", "title", "formats", "filename", "template", "section"}
_SECTION_KEYS = {"kind", "title", "sheet", "group_by", "show", "order_by", "chart", "formats"}
_FILENAME_FIELDS = ("account", "period", "report")
_NO_FILENAME = re.compile(r"[/\\:*?\"<>|]|^.{151}")
"""What no file can be named, on any system; with account and period it must stay below 255."""
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
# Excel's rules for the name of a sheet.
_SHEET_FORBIDDEN = re.compile(r"[\[\]:*?/\\]|^'|'$")
_SHEET_LONGEST = 31
_SHOWS: Mapping[str, Collection[str]] = {
    "summary": MEASURES,
    "groups": MEASURES,
    "days": MEASURES,
    "itemised": CALL_COLUMNS,
}
"""Kind of section -> what its ``show`` may name."""


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
        found: dict[str, Path] = {}
        for folder in reversed(self.folders):
            found |= {path.stem: path for path in sorted((folder / "reports").glob("*.toml"))}
        return dict(sorted(found.items()))

    def fingerprint(self) -> str:
        """Return a hash over every template, style sheet and font: the look of a report."""
        digest = hashlib.sha256()
        for folder in self.templates():
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
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
    reader = _Reader(path, formats)
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


class _Reader:
    """Reads one definition and gathers everything that is wrong with it."""

    def __init__(self, path: Path, formats: Collection[str]) -> None:
        self._path = path
        self._formats = formats
        self._problems: list[str] = []
        self._where = ""

    def raise_any(self) -> None:
        if self._problems:
            raise ConfigError(self._problems)

    def definition(self, name: str, content: Mapping[str, Any]) -> Definition:
        self._unknown_keys(content, _KEYS)
        version = content.get("version")
        if version != VERSION:
            self._problem(f"version must be {VERSION}, not {version!r}")
        formats = self._names(content, "formats", self._formats, tuple(self._formats))
        filename = self._text(content, "filename", "{account}-{period}-{report}")
        self._check_filename(filename)
        sections = content.get("section", [])
        if not isinstance(sections, list) or not sections:
            self._problem("there is no [[section]]")
            sections = []
        specs = [self._section(number, given, formats) for number, given in enumerate(sections, 1)]
        self._where = ""
        self._check_titles([spec.title for spec in specs])
        for file_format in formats:
            self._check_file(file_format, [s for s in specs if file_format in s.formats])
        template = self._text(content, "template", "statement.html")
        title = self._text(content, "title", name)
        return Definition(name, title, formats, filename, template, tuple(specs))

    def _section(self, number: int, given: Any, formats: tuple[str, ...]) -> SectionSpec:
        self._where = f"section {number}: "
        if not isinstance(given, dict):
            self._problem("must be a table, written [[section]]")
            given = {}
        self._unknown_keys(given, _SECTION_KEYS)
        kind = self._text(given, "kind", "")
        if kind not in SECTION_KINDS:
            known = ", ".join(SECTION_KINDS)
            self._problem(
                f"kind must be one of {known}, not {kind!r}{did_you_mean(kind, SECTION_KINDS)}"
            )
        title = self._text(given, "title", kind.capitalize())
        sheet = self._text(given, "sheet", title)
        self._check_sheet(sheet)
        group_by = self._names(given, "group_by", DIMENSIONS, ())
        if kind == "groups" and not group_by:
            self._problem("a section of groups needs group_by")
        if kind != "groups" and group_by:
            self._problem(f"group_by has no meaning in a section of kind {kind!r}")
        shows = _SHOWS.get(kind, ())
        show = self._names(given, "show", shows, tuple(shows))
        order_by = self._text(given, "order_by", "name")
        if order_by not in ORDERS:
            known, meant = ", ".join(ORDERS), did_you_mean(order_by, ORDERS)
            self._problem(f"order_by must be one of {known}, not {order_by!r}{meant}")
        chart = given.get("chart", False)
        if not isinstance(chart, bool):
            self._problem(f"chart must be true or false, not {chart!r}")
        elif chart and (kind not in {"groups", "days"} or "cost" not in show):
            self._problem("a chart needs a section of groups or days that shows cost")
        only = self._names(given, "formats", formats, formats)
        return SectionSpec(kind, title, sheet, only, group_by, show, order_by, chart=bool(chart))

    def _problem(self, text: str) -> None:
        self._problems.append(f"{self._path}: {self._where}{text}")

    def _unknown_keys(self, given: Mapping[str, Any], known: Collection[str]) -> None:
        for key in given:
            if key not in known:
                self._problem(f"{key!r} is not a setting{did_you_mean(key, known)}")

    def _text(self, given: Mapping[str, Any], key: str, default: str) -> str:
        value = given.get(key, default)
        if not isinstance(value, str):
            self._problem(f"{key} must be text in quotes, not {value!r}")
        elif has_controls(value):
            self._problem(f"{key} must hold no control characters: {value!r}")
        else:
            return value
        return default

    def _names(
        self,
        given: Mapping[str, Any],
        key: str,
        known: Collection[str],
        default: tuple[str, ...],
    ) -> tuple[str, ...]:
        """Read a list of names out of a known set, each at most once."""
        value = given.get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            self._problem(f'{key} must be a list such as ["calls", "cost"], not {value!r}')
            return default
        for name in value:
            if name not in known:
                there = f"; there is: {', '.join(known)}" if known else ""
                self._problem(f"{key}: {name!r} is not known{did_you_mean(name, known)}{there}")
        if len(set(value)) != len(value):
            self._problem(f"{key} names something twice")
        if not value and default:
            self._problem(f"{key} names nothing; leave it out to have all")
        return tuple(name for name in value if name in known)

    def _check_filename(self, filename: str) -> None:
        try:
            parts = list(string.Formatter().parse(filename))
        except ValueError:
            self._problem(f"filename {filename!r} has a bracket too few or too many")
            return
        known = ", ".join(_FILENAME_FIELDS)
        for _, field, form, conversion in parts:
            if field is None:
                continue
            if field not in _FILENAME_FIELDS:
                meant = did_you_mean(field, _FILENAME_FIELDS)
                self._problem(f"filename: {{{field}}} is not known{meant}; there is: {known}")
            elif form or conversion:
                self._problem(f"filename: {{{field}}} takes nothing after its name")
        if _NO_FILENAME.search(filename) or not filename.strip(". "):
            self._problem(f"filename {filename!r} cannot be the name of a file")

    def _check_sheet(self, sheet: str) -> None:
        named = sheet.strip() and length(sheet) <= _SHEET_LONGEST
        if not named or _SHEET_FORBIDDEN.search(sheet) or visible(sheet, _SHEET_LONGEST) != sheet:
            self._problem(
                f"{sheet!r} cannot name a sheet: 1 to {_SHEET_LONGEST} characters, all of them "
                "seen, none of [ ] : * ? / \\ and no quote at an end"
            )
        elif sheet.casefold() == "history":
            self._problem("'History' cannot name a sheet: Excel keeps that name for itself")

    def _check_file(self, file_format: str, specs: Sequence[SectionSpec]) -> None:
        """Find sections that cannot stand together in one file."""
        if all(spec.kind in OF_CHANGES for spec in specs):
            self._problem(f"no section is always shown in {file_format}: its first issue is empty")
        if file_format != "xlsx":
            return
        first: dict[str, SectionSpec] = {}
        for spec in specs:
            other = first.setdefault(spec.sheet.casefold(), spec)
            if other is spec:
                continue
            if other.sheet != spec.sheet:
                self._problem(f"sheets {other.sheet!r} and {spec.sheet!r} are one to Excel")
            for one in (spec, other):
                if one.kind == "itemised":
                    self._problem(f"the calls of {one.title!r} need a sheet of their own")
            if spec.kind == "summary":
                self._problem(f"section {spec.title!r} is a summary: it must be its sheet's first")

    def _check_titles(self, titles: Sequence[str]) -> None:
        folded = [title.casefold() for title in titles]
        for title in sorted({t for t in titles if folded.count(t.casefold()) > 1}):
            self._problem(f"two sections are titled {title!r}")
