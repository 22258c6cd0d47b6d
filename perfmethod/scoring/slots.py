"""Numbers of a scheme as arrays, with or without draws: the only place that reads them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from perfmethod import normalization
from perfmethod.core import FILLS
from perfmethod.errors import suggest
from perfmethod.scheme import Scheme

__all__ = ["Slots"]

Array = NDArray[np.float64]
T = TypeVar("T")


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
        self.drawn = dict(drawn or {})
        self._memory = {} if memory is None else memory
        self._rules: dict[str, list[str]] = {}
        self._touched: set[str] = set()  # "tasks.P001", "review.duty", "rating", "survey"
        for path in self.drawn:
            first, _, rest = path.partition(".")
            last = rest.partition(".")[2].removesuffix(".actual")
            self._touched.add(f"{first}.{last}" if first in ("tasks", "review") else first)
            indicator, rule, _ = path.partition(".rule.")
            if rule:
                self._rules.setdefault(indicator.removeprefix("indicators."), []).append(path)

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
        numbers = self.scheme.numbers
        base = np.array(
            [_code(numbers[p] if default is None else numbers.get(p, default)) for p in paths],
            dtype=float,
        )
        drawn = [(j, self.drawn[p]) for j, p in enumerate(paths) if p in self.drawn]
        if not drawn:
            return base
        full = np.tile(base, (len(drawn[0][1]), 1))
        for j, values in drawn:
            full[:, j] = _code(values)
        return full

    def measured(self, path: str) -> Array | None:
        """Drawn value of something measured, shape (k,); None where it is not drawn."""
        return self.drawn.get(path)

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


def _code(value: Any) -> Array:
    """Numbers as they are; the words of a missing rule as their position in `FILLS`."""
    array = np.asarray(value)
    if array.dtype.kind in "US" or array.dtype == object:
        return np.array([float(FILLS.index(str(v))) for v in array.ravel()]).reshape(array.shape)
    return array.astype(float)
