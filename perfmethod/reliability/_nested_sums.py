"""Sums over raters and ballots, from tables by pattern and type."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.reduction.nested import NestedTables
from perfmethod.reliability.cells import summed

__all__ = ["Bilinear", "Patterns"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Terms = list[tuple[Floats, Floats, Floats]]


class Patterns:
    """Weighted sums of products of what ballots and raters count in cells.

    Weights come by type of rater (k,), factors by size of ballot (s,).

    Parameters
    ----------
    tables : NestedTables
    place : ndarray of int64 (m,)
        Where the tables' cells stand among those kept.
    n_cells : int
        Number of cells kept.
    """

    def __init__(self, tables: NestedTables, place: Ints, n_cells: int) -> None:
        from scipy.sparse import csr_array

        p = len(tables.ballots)
        row = np.repeat(np.arange(p), np.diff(tables.start))
        column = place[np.searchsorted(tables.cells, tables.cell)]
        self.table = csr_array((tables.times.astype(float), (row, column)), shape=(p, n_cells))
        self.of = tables
        self.size = np.searchsorted(tables.sizes, tables.pattern_size)  # (p,) place among sizes
        s = len(tables.sizes)
        self.ballots_of_size = summed(self.size, tables.ballots, s)
        kind, first, second = tables.pair_places
        keys, pair = np.unique(first * p + second, return_inverse=True)
        self._first, self._second = np.divmod(keys, max(p, 1))
        half = np.where(first == second, 0.5, 1.0) * tables.pair_values
        k = len(tables.raters)
        self._pairs = csr_array((half, (pair, kind)), shape=(len(keys), k))
        kind, pattern, which = tables.cross_places
        values = tables.cross_values.astype(float)
        self._crosses = csr_array((values, (pattern, kind * s + which)), shape=(p, k * s))

    def product(self, terms: Terms, diagonal: Floats | None = None) -> Any:
        r"""Half of :math:`\sum_r w_r \sum_{bc} f_b g_c`: it counts with its transpose.

        Each term (w, f, g) adds the sum over raters, with weight w, of products of their counts in
        cells, one with factor f and one with g; terms come so that their sum is symmetric. The
        diagonal (s,) weighs products of the counts of single ballots.
        """
        from scipy.sparse import csr_array, diags_array

        a, b = self.size[self._first], self.size[self._second]
        weights = (self._pairs @ np.stack([w for w, _, _ in terms], axis=1)).T
        values = np.zeros(len(self._first))
        for weight, (_, f, g) in zip(weights, terms, strict=True):
            factor = (np.outer(f, g) + np.outer(g, f)) / 2
            values += weight * factor[a, b]
        p = len(self.of.ballots)
        middle = csr_array((values, (self._first, self._second)), shape=(p, p))
        if diagonal is not None:
            middle = middle + diags_array(diagonal[self.size] * self.of.ballots / 2)
        return self.table.T @ (middle @ self.table)

    def touching(self) -> tuple[Ints, Ints]:
        """Pairs of cells (e,), (e,) that occur in one ballot or in two of one rater."""
        from scipy.sparse import csr_array, eye_array

        p = len(self.of.ballots)
        together = csr_array((np.ones(len(self._first)), (self._first, self._second)), shape=(p, p))
        found = (self.table.T @ ((together + eye_array(p)) @ self.table)).tocoo()
        return found.row.astype(np.int64), found.col.astype(np.int64)

    def totals(self, factor: Floats) -> Floats:
        """Sum over ballots of their counts in cells times their total and a factor."""
        return np.asarray(self.table.T @ (factor[self.size] * self.of.totals))

    def crossed(self, terms: Terms) -> Floats:
        """Sum over raters of counts in cells (factor f) times totals (factor g), with weights."""
        total = np.zeros(len(self.of.ballots))
        for w, f, g in terms:
            total += f[self.size] * (self._crosses @ np.outer(w, g).ravel())
        return np.asarray(self.table.T @ total)

    def squares_left(self, gamma: Floats) -> Floats:
        """Sum of squares of ballots' totals less their pattern's gamma (p,), by size (s,)."""
        each = self.of.ballots * gamma**2 - 2 * self.of.totals * gamma
        return self.of.ballot_squares + summed(self.size, each, len(self.of.sizes))


class Bilinear:
    """Sums over raters of products of their totals by size of ballot."""

    def __init__(self, tables: NestedTables) -> None:
        s = max(len(tables.sizes), 1)
        self._of = tables
        self._kind, self._first, self._second = tables.square_places
        self.values = tables.square_values.astype(float)
        known = (self._kind * s + self._first) * s + self._second
        size = np.searchsorted(tables.sizes, tables.pattern_size)

        def place(kind: Ints, a: Ints, b: Ints) -> Ints:
            key = (kind * s + np.minimum(a, b)) * s + np.maximum(a, b)
            return np.searchsorted(known, key)

        kind, pattern, which = tables.cross_places
        self._cross = place(kind, size[pattern], which)
        self._cross_factor = np.where(size[pattern] == which, -2.0, -1.0) * tables.cross_values
        kind, p, q = tables.pair_places
        self._pair = place(kind, size[p], size[q])
        # within one size a pair of different patterns stands for both of its orders
        twice = (size[p] == size[q]) & (p != q)
        self._pair_factor = np.where(twice, 2.0, 1.0) * tables.pair_values

    def form(self, values: Floats, w: Floats, f: Floats, g: Floats) -> float:
        """Sum over types, with weight w, of the products with factors f and g of sizes."""
        a, b = self._first, self._second
        factor = np.where(a == b, f[a] * g[b], f[a] * g[b] + f[b] * g[a])
        return float((values * w[self._kind]) @ factor)

    def left(self, gamma: Floats) -> Floats:
        """Values where each ballot's total is taken less its pattern's gamma (p,)."""
        pattern = self._of.cross_places[1]
        _, p, q = self._of.pair_places
        found = self.values + summed(
            self._cross, self._cross_factor * gamma[pattern], len(self.values)
        )
        return found + summed(self._pair, self._pair_factor * gamma[p] * gamma[q], len(self.values))
