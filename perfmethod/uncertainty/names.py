"""Names of what may vary: paths, patterns, nodes and families, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from perfmethod.errors import Problems, suggest
from perfmethod.scheme import Scheme
from perfmethod.year import Year

__all__ = ["Family", "Known"]

_WILD = frozenset("*?[")
_TABLES = ("survey.categories", "survey.modes", "internal.categories")


class Family(NamedTuple):
    """Siblings: the weights below one node of one class.

    Parameters
    ----------
    name : str
    children : tuple of str
    paths : tuple of str
        Path of each child's weight.
    """

    name: str
    children: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass
class Known:
    """Every number that may vary, and the problems found while names are looked up.

    Parameters
    ----------
    scheme : Scheme
    year : Year or None
        Needed for measured values (``tasks.UNIT.INDICATOR.actual``).
    problems : Problems
    """

    scheme: Scheme
    year: Year | None
    problems: Problems

    @classmethod
    def of(cls, source: Scheme | Year) -> Known:
        """From a scheme, or from a year and its scheme."""
        year = source if isinstance(source, Year) else None
        scheme = year.scheme if year is not None else source
        assert isinstance(scheme, Scheme)
        return cls(scheme, year, Problems("draws"))

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Value of every path that is there."""
        return {**self.scheme.numbers, **self._tasks}

    @cached_property
    def _tasks(self) -> dict[str, float]:
        if self.year is None or self.year.tasks is None:
            return {}
        tasks = self.year.tasks
        actual = tasks["actual"].to_numpy(float)
        names = zip(tasks["unit_id"], tasks["indicator_id"], actual, strict=True)
        return {f"tasks.{u}.{i}.actual": float(a) for u, i, a in names if np.isfinite(a)}

    def find(self, name: str, spec: str) -> list[str]:
        """Paths that a name stands for; a problem where it stands for none."""
        found = list(self._matches(name))
        if not found:
            near = suggest(name, self._everything(name))
            self.problems.add(f"'{name}'", near, row=spec)
        return found

    def numbers(self, names: tuple[str, ...], spec: str) -> tuple[list[str], np.ndarray]:
        """Paths that names stand for, each once, and their present values."""
        paths = list(dict.fromkeys(p for name in names for p in self.find(name, spec)))
        if not names:
            self.problems.add("no name", "at least one path, pattern or node", row=spec)
        good = []
        for path in paths:
            if isinstance(self.values[path], str):
                word = self.values[path]
                self.problems.add(f"'{path}', which is the word '{word}'",
                                  "a number; words are drawn by `choice`", row=spec)  # fmt: skip
            else:
                good.append(path)
        return good, np.array([float(self.values[p]) for p in good])

    def families(self, name: str, spec: str) -> list[Family]:
        """Families that a name stands for: a class (its blocks), a node, ``class.node``, raters."""
        everything = {f.name: f for f in self.all_families()}
        found = [f for key, f in everything.items() if name in (key, key.partition(".")[2])]
        if not found:
            short = {key.partition(".")[2] or key for key in everything}
            self.problems.add(f"'{name}'", suggest(name, short | set(everything)), row=spec)
        return found

    def all_families(self) -> Iterator[Family]:
        """Every family of weights: below each node of each class, and of raters."""
        for class_id in self.scheme.classes:
            below: dict[str, list[str]] = {}
            for node, parent in self.scheme.parents(class_id).items():
                below.setdefault(parent, []).append(node)
            nodes = self.scheme.document["classes"][class_id].get("nodes", {})
            for parent, children in below.items():
                paths = [f"classes.{class_id}.nodes.{c}.weight" if c in nodes
                         else f"indicators.{c}.weight" for c in children]  # fmt: skip
                name = f"{class_id}.{parent}" if parent else class_id
                yield Family(name, tuple(children), tuple(paths))
        yield from self._raters()

    def _raters(self) -> Iterator[Family]:
        for table in _TABLES:
            block, _, kind = table.partition(".")
            ids = list(self.scheme.document.get(block, {}).get(kind, {}))
            plain = {c: f"{table}.{c}.weight" for c in ids}
            if all(p in self.scheme.numbers for p in plain.values()):
                if ids:
                    yield Family(table, tuple(ids), tuple(plain.values()))
                continue
            for class_id in self.scheme.classes:
                paths = [p if p in self.scheme.numbers else f"{p}.{class_id}"
                         for p in plain.values()]  # fmt: skip
                yield Family(f"{table}.{class_id}", tuple(ids), tuple(paths))

    def _matches(self, name: str) -> Iterator[str]:
        if name in self.values:
            yield name
        elif _WILD & set(name):
            wanted = name.split(".")
            for path in self.values:
                parts = path.split(".")
                if len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted)):
                    yield path
            for node in self._nodes if len(wanted) == 1 else ():
                if fnmatchcase(node, name):
                    yield from self._weights(node)
        else:
            yield from self._weights(name)

    def _weights(self, name: str) -> Iterator[str]:
        """Weight of a node in every class that has it, of ``class.node``, or of an indicator."""
        class_id, _, node = name.rpartition(".")
        if not class_id and node in self.scheme.document["indicators"]:
            yield f"indicators.{node}.weight"
        for c in [class_id] if class_id else self.scheme.classes:
            if node in self.scheme.document["classes"].get(c, {}).get("nodes", {}):
                yield f"classes.{c}.nodes.{node}.weight"

    @cached_property
    def _nodes(self) -> list[str]:
        return sorted({node for c in self.scheme.classes for node in self.scheme.parents(c)})

    def _everything(self, name: str) -> list[str]:
        return list(self.values) if "." in name else self._nodes
