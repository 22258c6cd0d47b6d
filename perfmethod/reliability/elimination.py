"""Large sets of effects taken out of the equations by their diagonal blocks."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability.bordered import Bordered
from perfmethod.reliability.cells import summed
from perfmethod.reliability.clusters import ClusterMoments
from perfmethod.reliability.layout import Layout, Term

__all__ = ["ClusterElimination", "Elimination", "Parts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Parts(NamedTuple):
    r"""What is left after e sets of effects are eliminated, with derivatives by their ratios.

    With :math:`A = I + \sum_k \lambda_k Z_k Z_k'` over the eliminated sets: log\|A\|, C'A⁻¹C,
    C'A⁻¹y and y'A⁻¹y; ``slopes`` and ``bends`` are first and second derivatives of C'A⁻¹C.
    """

    log_det: float
    d_log_det: Floats  # (e,)
    dd_log_det: Floats  # (e, e)
    matrix: Bordered  # (q, q)
    slopes: list[Bordered]  # e of (q, q)
    vector: Floats  # (q,)
    d_vector: Floats  # (e, q)
    square: float


class Elimination(Protocol):
    """Source of `Parts`."""

    layout: Layout

    @property
    def count(self) -> int:
        """Number of sets of effects that are eliminated."""
        ...

    @property
    def total(self) -> int:
        """Number of ratings."""
        ...

    @property
    def square(self) -> float:
        """Sum of squares of the ratings, about their mean or nearly so."""
        ...

    def parts(self, ratios: Floats) -> Parts:
        """Eliminate at ratios (e,)."""
        ...

    def bends(self, ratios: Floats) -> list[list[Bordered]]:
        """Second derivatives (q, q) of C'A⁻¹C, by rows up to the diagonal."""
        ...

    def counts_of(self, term: Term) -> Ints:
        """Ratings of each level of another term."""
        ...

    def residual(self, ratios: Floats, solution: Floats) -> tuple[Floats, Floats]:
        """First (e,) and second (e, e) derivatives of r'A⁻¹r with r = y - C solution held."""
        ...


class ClusterElimination:
    """One set of effects, from moments by size of cluster.

    Parameters
    ----------
    moments : ClusterMoments
        Ratings less about their mean.
    layout : Layout
        Columns of all other effects.
    """

    count = 1

    def __init__(self, moments: ClusterMoments, layout: Layout) -> None:
        from scipy.sparse import csc_array

        self.moments = moments
        size, i, j = moments.pairs.places
        keys, pair = _different(i * len(moments.cells) + j, len(moments.cells) ** 2)
        self._first, self._second = np.divmod(keys, max(len(moments.cells), 1))
        self._own = np.flatnonzero(self._first == self._second)  # in the order of cells
        self._sizes = moments.sizes.astype(float)
        # columns come in order, so that nothing need be sorted
        edges = np.searchsorted(size, np.arange(len(self._sizes) + 1))
        values, shape = moments.pairs.values.astype(float), (len(keys), len(self._sizes))
        self._pairs = csc_array((values, pair, edges), shape=shape)
        self.layout = layout.in_blocks(self._first, self._second)
        places = self.layout.places(self._first, self._second)
        edges = np.arange(0, places.size + 1, len(places))
        shape = self.layout.cells, len(keys)
        self._assembly = csc_array((np.ones(places.size), places.T.ravel(), edges), shape=shape)

    @property
    def total(self) -> int:
        """Number of ratings."""
        return self.moments.total

    @property
    def square(self) -> float:
        """Sum of squares of the ratings."""
        return float(self.moments.square)

    def weights(self, ratio: float) -> Floats:
        """Weight of each size of cluster, with its first and second derivative, (3, k)."""
        shrink = 1 / (1 + ratio * self._sizes)
        return np.stack([ratio * shrink, shrink**2, -2 * self._sizes * shrink**3])

    def parts(self, ratios: Floats) -> Parts:
        """Eliminate at ratios (1,)."""
        m, n, ratio = self.moments, self._sizes, float(ratios[0])
        weight, slope, _ = self.weights(ratio)
        shrunk = n / (1 + ratio * n)
        matrix, by_ratio = self._matrices(np.stack([weight, slope]), m.counts)
        return Parts(
            float(np.log1p(ratio * n) @ m.clusters),
            np.array([shrunk @ m.clusters]),
            np.array([[-(shrunk**2) @ m.clusters]]),
            matrix,
            [by_ratio],
            self.layout.vector(m.sums - weight @ m.cross),
            self.layout.vector(-slope @ m.cross)[None],
            float(m.square - weight @ m.squares),
        )

    def bends(self, ratios: Floats) -> list[list[Bordered]]:
        """Second derivative of C'A⁻¹C."""
        bend = self.weights(float(ratios[0]))[2:]
        return [self._matrices(bend)]

    def counts_of(self, term: Term) -> Ints:
        """Ratings of each level of another term."""
        return summed(term.codes, self.moments.counts, term.size).astype(np.int64)

    def residual(self, ratios: Floats, solution: Floats) -> tuple[Floats, Floats]:
        """Derivatives of r'A⁻¹r, from the squared totals of residuals by size of cluster."""
        m = self.moments
        fitted = self.layout.spread(solution)
        twice = 2 * fitted[self._first] * fitted[self._second]
        twice[self._own] /= 2
        totals = m.squares - 2 * m.cross @ fitted + self._pairs.T @ twice
        _, slope, bend = self.weights(float(ratios[0]))
        return np.array([-slope @ totals]), np.array([[-bend @ totals]])

    def _matrices(self, weights: Floats, counts: Ints | None = None) -> list[Bordered]:
        """Less the sums of pairs with the weights (w, k); the first with the counts of cells."""
        entries = -np.asarray(self._pairs @ weights.T)
        if counts is not None:
            entries[self._own, 0] += counts
        entries[self._own] /= 2
        flat = np.asarray(self._assembly @ entries)
        return [self.layout.bordered(np.ascontiguousarray(column)) for column in flat.T]


def _different(keys: Ints, size: int) -> tuple[Ints, Ints]:
    """As `np.unique` with the inverse, for keys below a size: without sorting where it is small."""
    if size > 20 * len(keys):
        found, place = np.unique(keys, return_inverse=True)
        return found, place
    there = np.zeros(size, bool)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]
