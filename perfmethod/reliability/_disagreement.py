"""Observed and expected disagreement as functions of how often raters and units were drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability.ratings import Single, compact, distinct, refuse

__all__ = ["Disagreement"]

Floats = NDArray[np.float64]

_TABLE = 256  # distinct values up to which ratio distances are kept as a table
_CHUNK = 1024  # rows of ratio distances formed at a time


@dataclass(frozen=True, eq=False, repr=False)
class Disagreement:
    """Observed and expected disagreement as functions of the weights of raters and units."""

    metric: str
    unit: NDArray[np.intp]
    value: Floats
    n_units: int
    times: Floats | None = None

    @classmethod
    def of(cls, data: Single, metric: str) -> Disagreement:
        size = data.ratings
        if size.max() < 2:
            refuse("no unit with two ratings", "units rated by at least two raters")
        used = data.value if size.min() > 1 else data.value[size[data.unit] > 1]
        if used.min() == used.max():
            refuse(
                f"all {size[size > 1].sum()} ratings equal to {used[0]:g}",
                "at least two different values: otherwise agreement cannot be told from chance",
            )
        if metric == "ratio" and data.value.min() < 0:
            refuse(f"the value {data.value.min():g}", "values of at least 0 for the ratio metric")
        center = np.average(data.value, weights=data.times) if metric == "interval" else 0.0
        times = None if data.times is None else data.times.astype(float)
        return cls(metric, data.unit, data.value - center, data.n_units, times)

    @cached_property
    def _values(self) -> tuple[Floats, NDArray[np.intp]]:
        """Distinct values, and which of them each rating is."""
        return distinct(self.value)

    def alpha(self, m: Floats, g: Floats) -> float:
        """Alpha, NaN where the weights leave no variation."""
        observed, expected = self.both(m, g)
        return 1 - observed / expected if expected > 0 else np.nan

    def both(self, m: Floats, g: Floats) -> tuple[float, float]:
        """Observed and expected disagreement.

        Parameters
        ----------
        m : ndarray (b,)
            Weight of each rating: how often its rater was drawn.
        g : ndarray (u,)
            How often each unit was drawn.
        """
        own = m * m
        if self.times is not None:  # a row stands for several ratings
            m, own = m * self.times, own * self.times
        total = np.bincount(self.unit, m, self.n_units).astype(float)
        # pairs of different raters only; a rater and its copy are no pair
        pairs = total**2 - np.bincount(self.unit, own, self.n_units)
        each = (g * (pairs > 0))[self.unit]
        w = m * each
        n = w.sum()
        every_pair = n**2 - (own * each**2).sum()
        if not every_pair:
            return np.nan, 0.0
        within, overall = self._sums(m, w, total)
        share = np.divide(g * total, pairs, out=np.zeros(self.n_units), where=pairs > 0)
        return float(share @ within / n), float(overall / every_pair)

    def _sums(self, m: Floats, w: Floats, total: Floats) -> tuple[Floats, float]:
        """Sums of weighted distances over ordered pairs: inside each unit (u,), and overall."""
        if self.metric == "nominal":
            return self._nominal(m, w, total)
        if self.metric == "ratio":
            return self._ratio(m, w)
        x = self.value
        if self.metric == "ordinal":
            _, code = self._values
            count = np.bincount(code, w)
            # a distance between ranks is the difference of midranks among all ratings
            x = (np.cumsum(count) - count / 2 - count.sum() / 2)[code]
        first = np.bincount(self.unit, m * x, self.n_units)
        second = np.bincount(self.unit, m * x * x, self.n_units)
        within = np.maximum(2 * (total * second - first**2), 0.0)
        return within, float(2 * (w.sum() * (w @ (x * x)) - (w @ x) ** 2))

    def _nominal(self, m: Floats, w: Floats, total: Floats) -> tuple[Floats, float]:
        values, code = self._values
        cell, place = self._cells
        alike = np.bincount(
            cell // values.size, np.bincount(place, m, cell.size) ** 2, self.n_units
        )
        return total**2 - alike, float(w.sum() ** 2 - (np.bincount(code, w) ** 2).sum())

    def _ratio(self, m: Floats, w: Floats) -> tuple[Floats, float]:
        values, code = self._values
        cell, place = self._cells
        count = np.bincount(place, m, cell.size).astype(float)
        overall = np.bincount(code, w).astype(float)
        if values.size <= _TABLE:
            table = np.zeros((self.n_units, values.size))
            table.flat[cell] = count
            distance = _ratio_distance(values, values)
            return ((table @ distance) * table).sum(axis=1), float(overall @ distance @ overall)
        bounds = np.searchsorted(cell, np.arange(self.n_units + 1) * values.size)
        parts = [slice(a, b) for a, b in pairwise(bounds)]
        within = [_all_pairs(values[cell[p] % values.size], count[p]) for p in parts]
        return np.array(within), _all_pairs(values, overall)

    @cached_property
    def _cells(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Cells (unit, value) that occur, in order, and which of them each rating is."""
        values, code = self._values
        return compact(self.unit * values.size + code)


def _ratio_distance(a: Floats, b: Floats) -> Floats:
    """Squared ratio distances (a, b); two zeros are alike."""
    total = a[:, None] + b
    part = np.divide(a[:, None] - b, total, out=np.zeros(total.shape), where=total > 0)
    return part**2


def _all_pairs(x: Floats, weight: Floats) -> float:
    """Weighted sum of ratio distances over ordered pairs, a block of rows at a time."""
    starts = range(0, x.size, _CHUNK)
    blocks = [slice(s, s + _CHUNK) for s in starts]
    return float(sum(weight[b] @ _ratio_distance(x[b], x) @ weight for b in blocks))
