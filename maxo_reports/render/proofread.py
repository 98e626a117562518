"""Proof-reading of templates: every name that is nowhere, with its file and line, all at once.

A month's run stops at the first undefined name, which is right for a statement and slow for who
writes a template. Here a template is filled to its end, and each such name is noted where it is
used. What the sample does not reach, such as a branch for a state that it is not in, is read as
text.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from jinja2 import meta, nodes

from maxo_reports.errors import did_you_mean
from maxo_reports.render import templates

_OWN = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs", "true", "false", "none"})
"""Names that Jinja itself gives."""


class Remark(NamedTuple):
    """One thing to mend: in which file of the template folders, in which line, and what."""

    file: str
    line: int
    says: str


def undefined(
    template: str, views: Sequence[Mapping[str, object]], folders: Sequence[Path], places: int
) -> list[Remark]:
    """Return every undefined name of a template and of what it takes from others.

    ``views`` are what it is filled with, one after the other. Raises ConfigError where a template
    cannot be filled at all.
    """
    found: dict[Remark, None] = {}
    for view in views:
        templates.fill(template, view, folders, places, _noting(found, view))
    known = set().union(*views)
    for remark in _unread(template, known, folders):
        found.setdefault(remark)
    return sorted(found)


def _unread(template: str, known: Collection[str], folders: Sequence[Path]) -> Iterator[Remark]:
    """Yield the names in the user's files that nothing gives and nothing sets."""
    trees = _taken(template, folders)
    given = {*known, *_OWN}
    for tree in trees.values():
        given |= {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        given |= {macro.name for macro in tree.find_all(nodes.Macro)}
        for imported in tree.find_all(nodes.FromImport):
            given |= {name if isinstance(name, str) else name[1] for name in imported.names}
        given |= {imported.target for imported in tree.find_all(nodes.Import)}
    for path, tree in trees.items():
        if path.parent == folders[-1]:
            continue  # ours
        for name in tree.find_all(nodes.Name):
            if name.ctx == "load" and name.name not in given:
                yield Remark(path.name, name.lineno, _said(name.name, given - _OWN))


def _taken(template: str, folders: Sequence[Path]) -> dict[Path, nodes.Template]:
    """Return the trees of a template and of all that it extends, includes or imports."""
    trees: dict[Path, nodes.Template] = {}
    waiting = [template]
    while waiting:
        name = waiting.pop()
        ours = f"{templates.SHIPPED}/"
        places = folders[-1:] if name.startswith(ours) else folders
        paths = (folder / name.removeprefix(ours) for folder in places)
        path = next((path for path in paths if path.is_file()), None)
        if path is not None and path not in trees:
            trees[path] = _parsed(path)
            waiting += filter(None, meta.find_referenced_templates(trees[path]))
    return trees


def _parsed(path: Path) -> nodes.Template:
    return templates.environment((path.parent,), 2).parse(path.read_text(encoding="utf-8"))


def _said(name: str, known: Collection[str]) -> str:
    return f"{name!r} is undefined{did_you_mean(name, known)}"


def _noting(found: dict[Remark, None], view: Mapping[str, object]) -> type[jinja2.Undefined]:
    """Return what stands for an undefined name while a template is proof-read."""

    def note(missing: jinja2.Undefined) -> None:
        name, of = missing._undefined_name, missing._undefined_obj  # noqa: SLF001 - Jinja's own
        known = of if isinstance(of, Mapping) else view if of is jinja2.utils.missing else ()
        for file, line in _places():
            found.setdefault(Remark(file, line, _said(str(name), [str(key) for key in known])))
            return

    class Noted(jinja2.Undefined):
        """Is empty in every use, and notes the first place that uses it."""

        __slots__ = ()

        def _empty(self, *_: object) -> Any:
            note(self)
            return _NOTHING

        def __str__(self) -> str:
            note(self)
            return ""

        def __iter__(self) -> Iterator[Any]:
            note(self)
            return iter(())

        def __bool__(self) -> bool:
            note(self)
            return False

        def __len__(self) -> int:
            note(self)
            return 0

        def __eq__(self, other: object) -> bool:
            note(self)
            return self is other

        def __hash__(self) -> int:
            return id(self)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return self._empty()

        __getitem__ = __call__ = _empty

    return Noted


class _Nothing(jinja2.ChainableUndefined):
    """What an undefined name's parts are: noted with it already."""

    __slots__ = ()


_NOTHING = _Nothing()


def _places() -> Iterator[tuple[str, int]]:
    """Yield the places in templates that are being filled now, the innermost first."""
    frame = inspect.currentframe()
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            yield str(template.name), template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back
