"""Numbers of a scheme as arrays, with or without draws: the only place that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.core import FILLS
from perfmethod.errors import suggest
from perfmethod.scheme import Scheme

__all__ = ["Slots"]

Array = NDArray[np.float64]

_MEASURED = ("tasks.", "survey.", "internal.")


class Slots:
    """Looks numbers up by path; a number that is drawn comes with an axis of draws.

    Parameters
    ----------
    scheme : Scheme
    drawn : mapping of str to ndarray (k,)
        Values that stand in for the scheme's.
    """

    def __init__(self, scheme: Scheme, drawn: Mapping[str, NDArray[Any]] | None = None) -> None:
        self.scheme = scheme
        self.drawn = dict(drawn or {})
        self._rules: dict[str, list[str]] = {}
        for path in self.drawn:
            indicator, rule, _ = path.partition(".rule.")
            if rule:
                self._rules.setdefault(indicator.removeprefix("indicators."), []).append(path)

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
            if path in known or (path in scheme.numbers and not path.startswith(_MEASURED)):
                continue
            near = suggest(path, known if path.startswith(_MEASURED) else scheme.numbers)
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
