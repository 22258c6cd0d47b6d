"""Two nested sets of effects taken out together: raters, and ballots within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reduction.nested import NestedTables, nested_tables
from perfmethod.reliability._nested_sums import Bilinear, Patterns
from perfmethod.reliability.bordered import Bordered
from perfmethod.reliability.cells import Cells, placed, summed
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
    So ballots count by their pattern, and raters by how many ballots of each size they have:
    `NestedTables` hold all that is needed, and do not grow with raters or ballots.

    Parameters
    ----------
    moments : Moments
        Ratings less about their mean (`shift` in scaled units), over all facets of the model.
    shift : int
    terms : tuple
        Facets of the outer and of the inner term.
    cells : sequence of str
        Facets of the other terms.
    layout : Layout
        Columns of the other terms.
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
        ballots, ballot = part.cells.group(tuple(inner))
        raters, rater = part.cells.group(tuple(outer))
        kept, cell = part.cells.group(tuple(cells))
        tables = nested_tables(rater, ballot, cell, part.counts, part.sums, part.squares)
        self.members = (raters, ballots)
        self._ratings = (part, shift, rater, ballot, cell)
        self._take(tables.shifted(shift), np.arange(len(kept)), kept, layout)

    @classmethod
    def of_tables(
        cls, tables: NestedTables, place: Ints, kept: Cells, layout: Layout
    ) -> NestedElimination:
        """Eliminate from tables: `place` (m,) is where their cells stand among those kept."""
        found = object.__new__(cls)
        found.members = (range(int(tables.raters.sum())), range(int(tables.ballots.sum())))
        found._ratings = None
        found._take(tables, place, kept, layout)
        return found

    members: tuple[Any, Any]
    _ratings: tuple[Moments, int, Ints, Ints, Ints] | None

    def _take(self, tables: NestedTables, place: Ints, kept: Cells, layout: Layout) -> None:
        self.tables, self.cells = tables, kept
        self.place, self.n_cells = place, len(kept)
        self.counts = placed(len(kept), (place, tables.counts)).astype(float)
        self.sums = placed(len(kept), (place, tables.sums)).astype(float)
        self._square, self._total = float(tables.squares.sum()), tables.total
        self.patterns = Patterns(tables, place, len(kept))
        self.layout = layout.in_blocks(*self.patterns.touching())
        self.bilinear = Bilinear(tables)
        self._kind, self._which = np.nonzero(tables.types)
        self._number = tables.types[self._kind, self._which].astype(float)

    @property
    def total(self) -> int:
        """Number of ratings."""
        return self._total

    @property
    def square(self) -> float:
        """Sum of squares of the ratings."""
        return self._square

    def _weights(self, ratios: Floats) -> tuple[Floats, Floats, list[Floats]]:
        """Factors n^p e^(p+1) of sizes (3, s); nu, and n² e², n³ e³, of types; derivatives of w.

        The last: w, and its derivatives by the ratio, twice by it, by nu, twice by nu, by both.
        """
        outer, inner = ratios
        size = self.tables.sizes.astype(float)
        shrink = 1 / (1 + inner * size)
        factors = np.stack([size**p * shrink ** (p + 1) for p in range(3)])
        each = [(size * shrink) ** p for p in (1, 2, 3)]
        k = len(self.tables.raters)
        nu = np.stack([summed(self._kind, self._number * x[self._which], k) for x in each])
        s = 1 / (1 + outer * nu[0])
        w = outer * s
        return factors, nu, [w, s**2, -2 * nu[0] * s**3, -(w**2), 2 * w**3, -2 * outer * s**3]

    def parts(self, ratios: Floats) -> Parts:
        """Eliminate at ratios (outer, inner)."""
        f, nu, (w, w_o, _, w_n, _, _) = self._weights(ratios)
        outer, inner, own, cross = ratios[0], ratios[1], self.patterns, self.bilinear
        shrink, wn = f[0], w_n * nu[1]
        matrix = own.product([(w, f[0], f[0])], inner * shrink)
        by_outer = own.product([(w_o, f[0], f[0])])
        by_inner = own.product([(-wn, f[0], f[0]), (-w, f[1], f[0]), (-w, f[0], f[1])], shrink**2)
        vectors = [
            self.sums - own.totals(inner * shrink) - own.crossed([(w, f[0], f[0])]),
            -own.crossed([(w_o, f[0], f[0])]),
            -own.totals(shrink**2)
            + own.crossed([(wn, f[0], f[0]), (w, f[1], f[0]), (w, f[0], f[1])]),
        ]
        sizes, raters = own.ballots_of_size, self.tables.raters
        return Parts(
            float(
                np.log1p(inner * self.tables.sizes) @ sizes + np.log1p(outer * nu[0]) @ raters
            ),
            *self._log_slopes(ratios, nu, shrink),
            self._columns(-matrix, self.counts),
            [self._columns(-by_outer), self._columns(-by_inner)],
            self.layout.vector(vectors[0]),
            np.array([self.layout.vector(v) for v in vectors[1:]]),
            float(
                self._square - inner * shrink @ self.tables.ballot_squares
                - cross.form(cross.values, w, f[0], f[0])
            ),
        )  # fmt: skip

    def _log_slopes(self, ratios: Floats, nu: Floats, shrink: Floats) -> tuple[Floats, Floats]:
        """Derivatives of the sum of log(1 + inner n) and of log(1 + outer nu)."""
        outer, raters = ratios[0], self.tables.raters
        each = self.tables.sizes * shrink
        sizes = self.patterns.ballots_of_size
        s = 1 / (1 + outer * nu[0])
        shrunk = nu[0] * s
        slope = np.array([shrunk @ raters, each @ sizes - (outer * s * nu[1]) @ raters])
        both = -(s**2 * nu[1]) @ raters
        bend = -(each**2) @ sizes
        bend += (2 * outer * s * nu[2] - (outer * s * nu[1]) ** 2) @ raters
        return slope, np.array([[-(shrunk**2) @ raters, both], [both, bend]])

    def bends(self, ratios: Floats) -> list[list[Bordered]]:
        """Second derivatives of C'A⁻¹C."""
        f, nu, (w, w_o, w_oo, w_n, w_nn, w_on) = self._weights(ratios)
        own = self.patterns
        a, b = w_nn * nu[1] ** 2 + 2 * w_n * nu[2], 2 * w_n * nu[1]
        twice = own.product(
            [(a, f[0], f[0]), (b, f[1], f[0]), (b, f[0], f[1]), (2 * w, f[2], f[0]),
             (2 * w, f[0], f[2]), (2 * w, f[1], f[1])],
            -2 * self.tables.sizes * f[0] ** 3,
        )  # fmt: skip
        both = own.product([(-w_on * nu[1], f[0], f[0]), (-w_o, f[1], f[0]), (-w_o, f[0], f[1])])
        outer = own.product([(w_oo, f[0], f[0])])
        return [[self._columns(-outer)], [self._columns(-both), self._columns(-twice)]]

    def counts_of(self, term: Term) -> Ints:
        """Ratings of each level of another term."""
        return summed(term.codes, self.counts, term.size).astype(np.int64)

    def outer_effects(self, ratios: Floats) -> tuple[Cells, Any, Floats, Floats, Floats]:
        """Members, shrunk counts by cell, ratings, shrunk totals and weights of the raters."""
        from scipy.sparse import csr_array

        if self._ratings is None:
            raise PerfmethodError(
                "term: found raters, in a fit from tables that do not tell them apart; "
                "allowed: a fit from Moments or ballots, or another term"
            )
        part, shift, rater, ballot, cell = self._ratings
        outer, inner = ratios
        members, ballots = self.members
        size = summed(ballot, part.counts, len(ballots))
        shrink = (1 / (1 + inner * size))[ballot]
        counts = shrink * part.counts
        table = csr_array((counts, (rater, cell)), shape=(len(members), self.n_cells))
        totals = summed(rater, shrink * (part.sums - shift * part.counts), len(members))
        nu = summed(rater, counts, len(members))
        ratings = summed(rater, part.counts, len(members))
        return members, table, ratings, totals, outer / (1 + outer * nu)

    def inner_ratings(self) -> tuple[Cells, Any, Floats, Floats, Ints]:
        """Members, counts by cell (sparse), ratings, totals and raters of the ballots.

        After `outer_effects`, which refuses a fit from tables.
        """
        from scipy.sparse import csr_array

        assert self._ratings is not None
        part, shift, rater, ballot, cell = self._ratings
        ballots, size = self.members[1], len(self.members[1])
        table = csr_array((part.counts.astype(float), (ballot, cell)), shape=(size, self.n_cells))
        totals = summed(ballot, part.sums - shift * part.counts, size)
        owner = np.empty(size, np.int64)
        owner[ballot] = rater
        return ballots, table, summed(ballot, part.counts, size), totals, owner

    def residual(self, ratios: Floats, solution: Floats) -> tuple[Floats, Floats]:
        """Derivatives of r'A⁻¹r, from the totals of residuals by ballot."""
        f, nu, (w, w_o, w_oo, w_n, w_nn, w_on) = self._weights(ratios)
        gamma = self.patterns.table @ self.layout.spread(solution)
        ballots = self.patterns.squares_left(gamma)
        left, form = self.bilinear.left(gamma), self.bilinear.form
        slope = [
            -form(left, w_o, f[0], f[0]),
            -(f[0] ** 2) @ ballots
            + form(left, w_n * nu[1], f[0], f[0])
            + 2 * form(left, w, f[0], f[1]),
        ]
        both = form(left, w_on * nu[1], f[0], f[0]) + 2 * form(left, w_o, f[0], f[1])
        twice = 2 * (self.tables.sizes * f[0] ** 3) @ ballots
        twice -= form(left, w_nn * nu[1] ** 2 + 2 * w_n * nu[2], f[0], f[0])
        twice -= 4 * form(left, w_n * nu[1], f[0], f[1])
        twice -= 4 * form(left, w, f[0], f[2]) + 2 * form(left, w, f[1], f[1])
        bend = np.array([[-form(left, w_oo, f[0], f[0]), both], [both, twice]])
        return np.array(slope), bend

    def _columns(self, half: Any, diagonal: Floats | None = None) -> Bordered:
        """Sum a table of cells, which counts with its transpose, into the columns."""
        from scipy.sparse import diags_array

        whole = half if diagonal is None else half + diags_array(diagonal / 2)
        found = whole.tocoo()
        return self.layout.matrix(found.row, found.col, found.data)
