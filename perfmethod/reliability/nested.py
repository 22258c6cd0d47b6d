"""Two nested sets of effects taken out together: raters, and ballots within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability.cells import Cells, summed
from perfmethod.reliability.elimination import Parts
from perfmethod.reliability.layout import Layout, Term
from perfmethod.reliability.moments import Moments

__all__ = ["NestedElimination", "is_nested"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def is_nested(moments: Moments, inner: Sequence[str], outer: Sequence[str]) -> bool:
    """Whether every level of one term lies in a single level of another."""
    both = moments.cells.group(tuple(dict.fromkeys([*inner, *outer])))[0]
    return len(both) == len(moments.cells.group(tuple(inner))[0])


class NestedElimination:
    r"""Outer effects (raters) and inner ones (ballots), each inner one in one outer.

    With n ratings in ballot b and e = 1 / (1 + :math:`\lambda_i` n), a ballot weighs
    :math:`\lambda_i e` and enters its rater with the factor e; a rater weighs
    :math:`w = \lambda_o / (1 + \lambda_o \nu)`, where :math:`\nu = \sum n e` over its ballots.
    The tables grow with ballots times the cells of a ballot, for the weights differ with the sizes
    of all ballots of a rater.

    Parameters
    ----------
    moments : Moments
        Ratings less about their mean (`shift` in scaled units), over all facets of the model.
    outer, inner : sequence of str
        Facets of the two terms.
    cells : sequence of str
        Facets of the other terms.
    """

    count = 2

    def __init__(
        self,
        moments: Moments,
        shift: int,
        terms: tuple[Sequence[str], Sequence[str]],
        cells: Sequence[str],
        layout: Layout,
    ) -> None:
        outer, inner = terms
        part = moments.group(*dict.fromkeys([*inner, *outer, *cells]))
        ballots, self.ballot = part.cells.group(tuple(inner))
        raters, rater = part.cells.group(tuple(outer))
        kept, self.cell = part.cells.group(tuple(cells))
        self.layout, self.cells, self.n_cells = layout, kept, len(kept)
        self.members = (raters, ballots)
        self.counts = part.counts.astype(float)
        self.sums = (part.sums - shift * part.counts).astype(float)
        squares = part.squares - 2 * shift * part.sums + shift**2 * part.counts
        self._square, self._total = float(squares.sum()), int(part.counts.sum())
        self.rater = np.zeros(len(ballots), np.int64)  # of each ballot
        self.rater[self.ballot] = rater
        self.size = summed(self.ballot, self.counts, len(ballots))
        self.totals = summed(self.ballot, self.sums, len(ballots))
        self.by_ballot = self._table(self.ballot, len(ballots), np.ones(len(self.ballot)))

    @property
    def total(self) -> int:
        """Number of ratings."""
        return self._total

    @property
    def square(self) -> float:
        """Sum of squares of the ratings."""
        return self._square

    def _table(self, rows: Ints, size: int, factor: Floats) -> Any:
        from scipy.sparse import csr_array

        shape = (size, self.n_cells)
        return csr_array((factor * self.counts, (rows, self.cell)), shape=shape)

    def _by_rater(self, values: Floats) -> Floats:
        return summed(self.rater, values, len(self.members[0]))

    def _tables(self, shrink: Floats) -> list[Any]:
        """Sums over a rater's ballots of e g, n e² g and n² e³ g, each (raters, cells)."""
        rows = self.rater[self.ballot]
        factors = [self.size**p * shrink ** (p + 1) for p in range(3)]
        return [self._table(rows, len(self.members[0]), f[self.ballot]) for f in factors]

    def _weights(self, ratios: Floats) -> tuple[Floats, Floats, list[Floats]]:
        """Shrinkage of ballots; nu of raters with sums n² e², n³ e³; derivatives of w.

        The last: w, and its derivatives by the ratio, twice by it, by nu, twice by nu, by both.
        """
        outer, inner = ratios
        shrink = 1 / (1 + inner * self.size)
        nu = np.stack([self._by_rater((self.size * shrink) ** p) for p in (1, 2, 3)])
        s = 1 / (1 + outer * nu[0])
        w = outer * s
        return shrink, nu, [w, s**2, -2 * nu[0] * s**3, -(w**2), 2 * w**3, -2 * outer * s**3]

    def parts(self, ratios: Floats) -> Parts:
        """Eliminate at ratios (outer, inner)."""
        shrink, nu, (w, w_o, _, w_n, _, _) = self._weights(ratios)
        h, h2, _ = self._tables(shrink)
        t, t2 = (
            self._by_rater(shrink * self.totals),
            self._by_rater(self.size * shrink**2 * self.totals),
        )
        ballots, outer, inner = self.by_ballot, ratios[0], ratios[1]
        counts: Floats = summed(self.cell, self.counts, self.n_cells).astype(float)
        sums = summed(self.cell, self.sums, self.n_cells)
        matrix = self._product(ballots, inner * shrink) + self._product(h, w)
        by_inner = self._product(ballots, shrink**2) - self._product(h, w_n * nu[1])
        by_inner = by_inner - self._mixed(h2, h, w)
        vectors = [
            sums - ballots.T @ (inner * shrink * self.totals) - h.T @ (w * t),
            -(h.T @ (w_o * t)),
            -(ballots.T @ (shrink**2 * self.totals)) + h.T @ (w_n * nu[1] * t)
            + h2.T @ (w * t) + h.T @ (w * t2),
        ]  # fmt: skip
        shrunk = nu[0] / (1 + outer * nu[0])
        return Parts(
            float(np.log1p(inner * self.size).sum() + np.log1p(outer * nu[0]).sum()),
            *self._log_slopes(ratios, shrink, nu, shrunk),
            self._columns(-matrix, counts),
            [self._columns(-self._product(h, w_o)), self._columns(-by_inner)],
            self.layout.vector(vectors[0]),
            np.array([self.layout.vector(v) for v in vectors[1:]]),
            float(self._square - inner * shrink @ self.totals**2 - w @ t**2),
        )

    def _log_slopes(
        self, ratios: Floats, shrink: Floats, nu: Floats, shrunk: Floats
    ) -> tuple[Floats, Floats]:
        """Derivatives of the sum of log(1 + inner n) and of log(1 + outer nu)."""
        outer = ratios[0]
        s = 1 / (1 + outer * nu[0])
        slope = np.array([shrunk.sum(), (self.size * shrink).sum() - (outer * s * nu[1]).sum()])
        both = -(s**2 * nu[1]).sum()
        bend = -((self.size * shrink) ** 2).sum()
        bend += (2 * outer * s * nu[2] - (outer * s * nu[1]) ** 2).sum()
        return slope, np.array([[-(shrunk**2).sum(), both], [both, bend]])

    def bends(self, ratios: Floats) -> list[list[Floats]]:
        """Second derivatives of C'A⁻¹C."""
        shrink, nu, (w, w_o, w_oo, w_n, w_nn, w_on) = self._weights(ratios)
        h, h2, h3 = self._tables(shrink)
        twice = self._product(self.by_ballot, -2 * self.size * shrink**3)
        twice = twice + self._product(h, w_nn * nu[1] ** 2 + 2 * w_n * nu[2])
        twice = twice + self._mixed(h2, h, 2 * w_n * nu[1]) + self._mixed(h3, h, 2 * w)
        twice = twice + self._product(h2, 2 * w)
        both = -self._product(h, w_on * nu[1]) - self._mixed(h2, h, w_o)
        outer = self._product(h, w_oo)
        return [[self._columns(-outer)], [self._columns(-both), self._columns(-twice)]]

    def counts_of(self, term: Term) -> Ints:
        """Ratings of each level of another term."""
        return summed(term.codes[self.cell], self.counts, term.size).astype(np.int64)

    def outer_effects(self, ratios: Floats) -> tuple[Cells, Any, Floats, Floats, Floats]:
        """Members, shrunk counts by cell, ratings, shrunk totals and weights of the raters."""
        shrink, _, weights = self._weights(ratios)
        table, totals = self._tables(shrink)[0], self._by_rater(shrink * self.totals)
        return self.members[0], table, self._by_rater(self.size), totals, weights[0]

    def residual(self, ratios: Floats, solution: Floats) -> tuple[Floats, Floats]:
        """Derivatives of r'A⁻¹r, from the totals of residuals by ballot."""
        shrink, nu, (w, w_o, w_oo, w_n, w_nn, w_on) = self._weights(ratios)
        left = self.totals - self.by_ballot @ self.layout.spread(solution)
        t, t2, t3 = (self._by_rater(self.size**p * shrink ** (p + 1) * left) for p in range(3))
        slope = [
            -(w_o @ t**2),
            -(shrink**2 @ left**2) + (w_n * nu[1]) @ t**2 + 2 * w @ (t * t2),
        ]
        both = (w_on * nu[1]) @ t**2 + 2 * w_o @ (t * t2)
        twice = 2 * (self.size * shrink**3) @ left**2
        twice -= (w_nn * nu[1] ** 2 + 2 * w_n * nu[2]) @ t**2 + 4 * (w_n * nu[1]) @ (t * t2)
        twice -= w @ (4 * t * t3 + 2 * t2**2)
        return np.array(slope), np.array([[-(w_oo @ t**2), both], [both, twice]])

    def _product(self, table: Any, weight: Floats) -> Any:
        """Weighted sum of squares and products of cells."""
        return table.T @ (table * weight[:, None])

    def _mixed(self, a: Any, b: Any, weight: Floats) -> Any:
        """Weighted sum of products of two tables, with its transpose."""
        product = a.T @ (b * weight[:, None])
        return product + product.T

    def _columns(self, cells: Any, diagonal: Floats | None = None) -> Floats:
        """Sum a symmetric table of cells into the columns."""
        from scipy.sparse import diags_array, triu

        whole = cells if diagonal is None else cells + diags_array(diagonal)
        half = triu(whole).tocoo()
        values = np.where(half.row == half.col, half.data / 2, half.data)
        return self.layout.matrix(half.row, half.col, values)
