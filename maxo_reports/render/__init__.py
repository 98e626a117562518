"""Renderers: each turns one report value into one file and works out no figure of its own.

Every renderer is a module with the same three names: ``SUFFIX``, ``MEDIA_TYPE`` and
``render(report, style, target)``. They are imported by name when a file of their format is
made, since the libraries behind them are slow to load or may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from maxo_reports.core.brand import Brand
from maxo_reports.core.checks import Finding
from maxo_reports.core.report import Report
from maxo_reports.core.theme import Theme


@dataclass(frozen=True, slots=True)
class Style:
    """How files look: the palette, and the folders of templates, the user's before ours.

    ``program`` is the name and version to sign a file with.
    """

    theme: Theme
    folders: tuple[Path, ...]
    program: str

    def branded(self, brand: Brand) -> Style:
        """Return the style of a sender: its colour, and files that are signed with its name."""
        return Style(self.theme.branded(brand.colour), self.folders, brand.name or self.program)


class Renderer(Protocol):
    """What a renderer module offers."""

    SUFFIX: str
    MEDIA_TYPE: str

    def render(self, report: Report, style: Style, target: Path) -> tuple[Finding, ...]:
        """Write the report to ``target``, which does not exist yet; return what it cannot show."""
        ...


FORMATS: Mapping[str, str] = {
    "xlsx": "maxo_reports.render.xlsx",
    "pdf": "maxo_reports.render.pdf",
}
"""File format -> the module that writes it."""


def renderer(file_format: str) -> Renderer:
    """Load the renderer of a format."""
    return cast("Renderer", import_module(FORMATS[file_format]))


class RendererUnavailable(Exception):
    """Something that a format needs is missing on this machine; other formats go on."""


class SystemLibraryMissing(RendererUnavailable):
    """What is missing is a library of the system; ``doctor`` knows the line that installs it."""
