"""The house's own rules, read off its source: exact sums, and a place for every module."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "maxo_reports"
MODULES = sorted(PACKAGE.rglob("*.py"))
CORE = sorted((PACKAGE / "core").rglob("*.py"))

DIVIDED = {
    "money.share": "Decimals over a Decimal unit: how many units, exactly",
    "money.gst_of": "a Decimal total over ten or eleven",
}
"""Functions of the core that may divide with ``/``, and why that makes no float there."""

LONG = {
    "core/cdr.py": "all that is known of the carrier's fields and habits, in the one place for it",
}
"""Modules of more than 400 lines, and why they are not two."""

PURE = {
    *("__future__", "bisect", "collections", "dataclasses", "datetime", "decimal", "enum"),
    *("functools", "itertools", "re", "typing", "unicodedata"),
    "csv",  # of text in memory
    "json",  # of bytes in memory
    "msgspec",  # the same, quicker
    "zoneinfo",  # the zones' table, the one thing that is read from outside
    "maxo_reports.core",
    "maxo_reports.errors",
}
"""What the core may import."""

OUTSIDE = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}


def tree(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def named(path: Path) -> str:
    """Return a module's name as imports have it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def inside(node: ast.AST, within: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield every node below one, with the function or class that it stands in."""
    for child in ast.iter_child_nodes(node):
        is_named = isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))
        place = f"{within}.{child.name}".strip(".") if is_named else within
        yield place, child
        yield from inside(child, place)


def imported(path: Path) -> Iterator[str]:
    """Yield the names of the modules that a module imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# --- the core ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CORE, ids=named)
def test_the_core_has_no_fractions_that_are_not_exact(path: Path) -> None:
    """No float or complex number, no float's name, not even in an annotation."""
    for place, node in inside(tree(path)):
        where = f"{path.name}:{getattr(node, 'lineno', '?')} {place}"
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, (float, complex)), f"{where}: {node.value}"
        if isinstance(node, ast.Name):
            assert node.id not in {"float", "complex"}, where
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"fsum", "as_integer_ratio", "from_float", "__truediv__"}, (
                where
            )


def test_the_core_divides_where_it_says_why_and_nowhere_else() -> None:
    """Two whole numbers divided with ``/`` are a float; every ``/`` of the core is listed."""
    found = {
        f"{path.stem}.{place}"
        for path in CORE
        for place, node in inside(tree(path))
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div)
    }
    assert found == set(DIVIDED)


@pytest.mark.parametrize("path", CORE, ids=named)
def test_the_core_touches_nothing_outside(path: Path) -> None:
    """It imports what is pure by name, and calls nothing that reads, writes or tells the time."""
    for name in imported(path):
        parts = name.split(".")
        heads = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
        assert heads & PURE, f"{path.name} imports {name}"
    for place, node in inside(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in OUTSIDE, f"{path.name} {place} calls {node.func.id}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today"}, f"{path.name} {place}"


def test_the_clock_is_read_in_one_place() -> None:
    """``time.time`` and its like stand in the command line alone."""
    clocks = {"time", "now", "utcnow", "today", "time_ns", "localtime", "gmtime"}
    found = {
        (named(path), place)
        for path in MODULES
        for place, node in inside(tree(path))
        if isinstance(node, ast.Attribute)
        and node.attr in clocks
        and isinstance(node.value, ast.Name)
        and node.value.id in {"time", "datetime", "date"}
    }
    assert found == {("maxo_reports.cli.clock", "now")}


# --- the house -----------------------------------------------------------------------------


def test_modules_stay_small_or_say_why() -> None:
    """400 lines is the question; the list holds the answers, and none that is out of date."""
    lengths = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in MODULES
    }
    assert {name for name, lines in lengths.items() if lines > 400} == set(LONG)


def test_no_module_is_a_drawer() -> None:
    """Names that could hold anything end up holding everything."""
    drawers = {"utils", "util", "helpers", "helper", "models", "base", "manager", "common", "misc"}
    assert not [path for path in MODULES if path.stem in drawers]


def layers(container: str) -> set[str]:
    """Return the modules that the contracts give a place in a package."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (contract,) = [c for c in contracts if c.get("containers") == [container]]
    assert contract["type"] == "layers"
    assert contract["exhaustive"] is True
    return {name for layer in contract["layers"] for name in re.split(r"\s*[|:]\s*", layer)}


@pytest.mark.parametrize("container", ["maxo_reports", "maxo_reports.core"])
def test_every_module_has_a_place_in_the_contracts(container: str) -> None:
    """Each module and package, and no name that is none."""
    folder = ROOT / Path(*container.split("."))
    there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    there |= {path.parent.name for path in folder.glob("*/__init__.py")}
    assert layers(container) == there


def test_renderers_are_kept_apart_by_the_contracts() -> None:
    """Every format's module is under the contract that renderers do not know each other."""
    from maxo_reports.render import FORMATS

    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (contract,) = [c for c in contracts if c["type"] == "independence"]
    assert set(FORMATS.values()) <= set(contract["modules"])


# --- what is tracked -----------------------------------------------------------------------


def tracked() -> list[Path]:
    """Return the files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com")
MACHINES = re.compile(
    rb"(?<![\w.])/(?:ho" + rb"me|ro" + rb"ot|Us" + rb"ers|work)/\w|[A-Z]:\\+Us" + rb"ers\b"
)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a clone knows what is tracked")
def test_no_file_names_a_registry_or_a_place_of_a_machine() -> None:
    """Installs ask the index that the machine is set to, and nobody's folders are published."""
    paths = tracked()
    assert len(paths) > 100
    for path in paths:
        pieces = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as package:
                pieces += [package.read(name) for name in package.namelist()]
        for content in pieces:
            for host in REGISTRIES:
                assert host.encode() not in content, f"{path} names {host}"
            found = MACHINES.search(content)
            assert found is None, f"{path} names {found}"
            assert str(ROOT).encode() not in content, f"{path} names this folder"
            assert str(Path.home()).encode() + b"/" not in content, f"{path} names this home"
