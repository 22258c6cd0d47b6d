"""Numbers of a scheme as arrays, with or without draws: the only place that reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from perfmethod import normalization
from perfmethod.core import FILLS
from perfmethod.draws import Block
from perfmethod.errors import suggest
from perfmethod.scheme import Scheme

__all__ = ["INERT", "Slots"]

Array = NDArray[np.float64]
T = TypeVar("T")

# numbers of a scheme that no score, rank or grade depends on
INERT = re.compile(
    r"(supervision|results|vetoes)\.|(.*\.)?weights_sum$|survey\.min_cell$"
    r"|adjustments\.items\.[^.]+\.points$"
)


class Slots:
    """Looks numbers up by path; a number that is drawn comes with an axis of draws.

    Parameters
    ----------
    scheme : Scheme
    drawn : mapping of str to ndarray (k,)
        Values that stand in for the scheme's, or for measured ones (`Draws` names the paths).
    memory : dict, optional
        Where results that no draw touches are kept between blocks of the same draws.
    """

    def __init__(
        self,
        scheme: Scheme,
        drawn: Mapping[str, NDArray[Any]] | None = None,
        memory: dict[Hashable, Any] | None = None,
    ) -> None:
        self.scheme = scheme
        self.drawn: Mapping[str, NDArray[Any]] = {} if drawn is None else drawn
        self._memory = {} if memory is None else memory
        self._rules, self._touched = self.once("touched", False, self._walk)

    def _walk(self) -> tuple[dict[str, list[str]], set[str]]:
        """What the draws vary: paths of rules by indicator, and "tasks.P001", "survey", ..."""
        rules: dict[str, list[str]] = {}
        touched: set[str] = set()
        for path in self.drawn:
            first, *rest = path.split(".")
            touched.add(f"{first}.{rest[1]}" if first in ("tasks", "review") else first)
            if first == "indicators" and rest[1] == "rule":
                rules.setdefault(rest[0], []).append(path)
        return rules, touched

    def touches(self, what: str) -> bool:
        """Whether a draw varies ``tasks.INDICATOR``, ``review.DIMENSION``, or a whole table."""
        return what in self._touched

    def once(self, key: Hashable, varies: bool, make: Callable[[], T]) -> T:
        """Compute something, once for all blocks where no draw touches it."""
        if varies:
            return make()
        if key not in self._memory:
            self._memory[key] = make()
        return cast("T", self._memory[key])

    def varies_rule(self, indicator: str) -> bool:
        """Whether a draw varies the rule or a measured value of an indicator."""
        return indicator in self._rules or self.touches(f"tasks.{indicator}")

    @staticmethod
    def check(scheme: Scheme, paths: Sequence[str], measured: Sequence[str]) -> None:
        """Refuse paths that are no number of the scheme and no measured value.

        Raises
        ------
        KeyError
            Naming the nearest path: a draw of something that does not exist changes nothing, and
            must not look like a finding.
        """
        known = set(measured)
        for path in paths:
            if INERT.match(path):
                raise KeyError(f"found a draw of '{path}'; allowed: numbers that change a result")
            if path not in known and path not in scheme.numbers:
                is_measured = path.startswith(("tasks.", "review.", "rating."))
                near = suggest(path, known if is_measured else scheme.numbers)
                raise KeyError(f"found a draw of '{path}'; allowed: {near}")

    def one(self, path: str) -> Array:
        """A number: shape () or (k,)."""
        value = self.drawn[path] if path in self.drawn else self.scheme.number(path)
        return _code(value)

    def vector(self, paths: Sequence[str], default: float | None = None) -> Array:
        """Numbers side by side: shape (n,) or (k, n)."""
        known = tuple(paths)
        place = self.once(("places", known, default), False, lambda: self._place(known, default))
        if not place.taken and not place.single:
            return place.base
        if place.taken == len(known) and isinstance(self.drawn, Block):
            return _taken(self.drawn.table, place.columns)
        size = len(next(iter(self.drawn.values())))
        full = np.empty((size, len(known)))
        full[:, place.fixed] = place.base[place.fixed]
        if place.taken and isinstance(self.drawn, Block):
            full[:, place.table] = _taken(self.drawn.table, place.columns)
        for j in place.single:
            full[:, j] = _code(self.drawn[known[j]])
        return full

    def _place(self, paths: tuple[str, ...], default: float | None) -> _Place:
        numbers = self.scheme.numbers
        base = [_code(numbers[p] if default is None else numbers.get(p, default)) for p in paths]
        drawn = [j for j, path in enumerate(paths) if path in self.drawn]
        columns = self.drawn.columns if isinstance(self.drawn, Block) else {}
        table = [j for j in drawn if paths[j] in columns]
        at = [columns[paths[j]] for j in table]
        fixed = sorted(set(range(len(paths))) - set(drawn))
        return _Place(
            np.array(base, float),
            np.array(fixed, dtype=np.intp),
            _run(table),
            _run(at),
            len(table),
            tuple(j for j in drawn if paths[j] not in columns),
        )

    def replaced(self, values: Array, paths: Sequence[str], per: Array | None = None) -> Array:
        """Measured values (..., u) with those replaced that are drawn.

        Parameters
        ----------
        values : ndarray (..., u)
        paths : sequence of str (u,)
        per : ndarray (u,), optional
            What a drawn value of each unit is divided by.
        """
        known = tuple(paths)
        place = self.once(("places", known, np.nan), False, lambda: self._place(known, np.nan))
        if not place.taken and not place.single:  # drawn for units of another class only
            return values
        full = self.vector(known, np.nan)
        if per is not None:
            full = full / per
        if not place.fixed.size:
            return full
        drawn = np.ones(len(known), dtype=bool)
        drawn[place.fixed] = False
        return np.where(drawn, full, values)

    def parameters(self, indicator: str) -> dict[str, Any]:
        """Parameters of an indicator's rule; those with draws have shape (k, 1) or (k, 1, L)."""
        at = f"indicators.{indicator}.rule."
        rule = self.scheme.document["indicators"][indicator]["rule"]
        found = {k: v for k, v in rule.items() if k not in ("method", "names")}
        for path in self._rules.get(indicator, ()):
            name, _, position = path[len(at) :].partition(".")
            if not position:
                found[name] = _code(self.drawn[path])[:, None]
                continue
            if name not in found:  # a default of the rule
                found[name] = normalization.METHODS[rule["method"]].parameters[name]
            values = np.asarray(found[name], float)
            if values.ndim == 1:
                values = np.tile(values, (len(self.drawn[path]), 1, 1))
            values[:, 0, int(position)] = self.drawn[path]
            found[name] = values
        return {k: np.asarray(v, float) if isinstance(v, tuple) else v for k, v in found.items()}


class _Place(NamedTuple):
    """Where numbers asked for together come from."""

    base: Array  # (n,) the scheme's numbers
    fixed: NDArray[np.intp]  # positions that are not drawn
    table: slice | NDArray[np.intp]  # positions that columns of the draws' table fill
    columns: slice | NDArray[np.intp]  # those columns
    taken: int  # how many these are
    single: tuple[int, ...]  # positions drawn outside the table


def _run(at: list[int]) -> slice | NDArray[np.intp]:
    """Positions as a slice where they follow each other: a slice copies nothing."""
    if at and at == list(range(at[0], at[0] + len(at))):
        return slice(at[0], at[-1] + 1)
    return np.array(at, dtype=np.intp)


def _taken(table: Array, columns: slice | NDArray[np.intp]) -> Array:
    """Columns of a table, row after row: an index alone would lay them out column by column."""
    return table[:, columns] if isinstance(columns, slice) else table.take(columns, axis=1)


def _code(value: Any) -> Array:
    """Numbers as they are; the words of a missing rule as their position in `FILLS`."""
    array = np.asarray(value)
    if array.dtype.kind in "US" or array.dtype == object:
        return np.array([float(FILLS.index(str(v))) for v in array.ravel()]).reshape(array.shape)
    return array.astype(float)
