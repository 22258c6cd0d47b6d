"""Imports go down only: a module may use what lies below it, never beside or above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "perfmethod"

# the top-level modules and packages; inside one package its own modules may use each other
LEVELS = {
    "errors": 0,
    "display": 0,
    "frames": 0,
    "progress": 0,
    "compiled": 1,
    "equating": 1,
    "normalization": 1,
    "aggregation": 1,
    "weighting": 1,
    "grading": 1,
    "plots": 1,
    "core": 2,
    "draws": 3,
    "scheme": 3,
    "survey": 3,
    "reduction": 4,
    "year": 4,
    "scoring": 5,
    "uncertainty": 5,
    "synthetic": 5,
    "supervision": 5,
    "calibration": 6,
    "results": 6,
    "sensitivity": 6,
    "robustness": 6,
    "reliability": 6,
    "fairness": 6,
    "screening": 6,
    "ranking": 6,
    "stringency": 6,
    "places": 7,
    "proposals": 7,
    "severity": 7,
    "report": 8,
    "cli": 9,
    "__main__": 10,
}
FILES = sorted(PACKAGE.rglob("*.py"))


def dotted(file: Path) -> str:
    """Return the name of a module below the package: ``scheme.paths``, ``scheme``, ``""``."""
    parts = list(file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Yield the dotted names, below ``perfmethod``, of what a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = ["perfmethod", *filter(None, module.split("."))]
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (n.partition(".")[2] for n in names if n.split(".")[0] == "perfmethod")


def faults(source: str, module: str, is_package: bool = False) -> list[str]:
    """Return what is wrong with the imports of a module."""
    found = []
    top = module.split(".")[0]
    for name in imports(source, module, is_package):
        used = name.split(".")[0]
        if used.startswith("__") and used.endswith("__") and used != "__main__":
            continue  # the version
        if used not in LEVELS:
            found.append(f"{module} imports {name}, which is no module of the table")
        elif used != top and LEVELS[used] >= LEVELS[top]:
            found.append(f"{module} ({LEVELS[top]}) imports {name} ({LEVELS[used]})")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: dotted(f) or "perfmethod")
def test_imports_go_down_only(file: Path) -> None:
    module = dotted(file)
    source = file.read_text(encoding="utf-8")
    if not module:
        assert list(imports(source, "", True)) == []  # it loads on first use, by name
        return
    assert module.split(".")[0] in LEVELS, "give the module a level"
    assert faults(source, module, file.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("source", "module", "is_package"),
    [
        ("from perfmethod.scoring import evaluate", "core", False),
        ("import perfmethod.scheme", "aggregation", False),
        ("from perfmethod import weighting", "grading", False),
        ("def f():\n    from perfmethod.cli import main", "scoring", False),
        ("from perfmethod import Scheme", "scoring", False),
        ("from ..scoring import evaluate", "survey.build", False),
        ("from ..scoring import evaluate", "survey", False),
        ("from .. import year", "survey", True),
    ],
)
def test_an_import_that_goes_up_or_aside_is_found(
    source: str, module: str, is_package: bool
) -> None:
    if module == "survey" and not is_package:
        source = source.replace("..", ".")
    assert len(faults(source, module, is_package)) == 1


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from perfmethod.errors import DataError", "year"),
        ("from perfmethod import __version__", "scoring.evaluate"),
        ("from perfmethod.survey.codes import decode", "survey.build"),
        ("import numpy", "core"),
    ],
)
def test_an_import_that_goes_down_is_allowed(source: str, module: str) -> None:
    assert faults(source, module) == []


def graph() -> dict[str, set[str]]:
    """Return which module imports which, modules of packages included."""
    modules = {dotted(file) for file in FILES}
    edges: dict[str, set[str]] = {}
    for file in FILES:
        names = imports_when_loaded(file.read_text(encoding="utf-8"), dotted(file), file)
        edges[dotted(file)] = {known(name, modules) for name in names} - {dotted(file)}
    return edges


def imports_when_loaded(source: str, module: str, file: Path) -> Iterator[str]:
    """Yield the imports that run when a module is loaded, not those for types or in functions."""
    tree = ast.parse(source)
    kept = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    lines = "\n".join(ast.unparse(n) for n in kept)
    yield from imports(lines, module, file.name == "__init__.py")


def known(name: str, modules: set[str]) -> str:
    """Return the longest beginning of a dotted name that is a module."""
    while name not in modules:
        name = name.rpartition(".")[0]
    return name


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """Return modules that wait for each other, or nothing: strip those that wait for none."""
    left = {module: set(used) for module, used in edges.items()}
    while free := [module for module, used in left.items() if not used & left.keys()]:
        for module in free:
            del left[module]
    return sorted(left)


def test_no_module_waits_for_itself() -> None:
    assert cycle(graph()) == []


def test_a_cycle_is_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]
