"""Where the effects of a model stand among the columns of its equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.cells import Cells, summed

__all__ = ["MOST_COLUMNS", "Layout", "Term", "facets_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_COLUMNS = 6_000  # the equations of all effects but the eliminated ones are solved as dense


def facets_of(term: str) -> tuple[str, ...]:
    """Facets that a term such as ``"unit:category"`` crosses.

    Examples
    --------
    >>> facets_of("unit:category")
    ('unit', 'category')
    """
    return tuple(part.strip() for part in term.split(":"))


@dataclass(frozen=True, eq=False)
class Term:
    """A set of effects: one column for each combination of levels that occurs."""

    name: str
    codes: Ints  # (m,) column of each cell
    columns: Cells

    @classmethod
    def of(cls, name: str, cells: Cells) -> Term:
        """Look the facets of a term up among the cells."""
        columns, codes = cells.group(facets_of(name) if name else ())
        return cls(name, codes, columns)

    @property
    def size(self) -> int:
        """Number of columns."""
        return len(self.columns)


@dataclass(frozen=True, eq=False)
class Layout:
    """Columns of the equations: random effects first, then the fixed ones that are not aliased.

    Parameters
    ----------
    random, fixed : tuple of Term
        The first fixed term is the intercept.
    kept : ndarray of int64
        Columns that are not aliased with earlier ones.
    """

    random: tuple[Term, ...]
    fixed: tuple[Term, ...]
    kept: Ints

    @classmethod
    def of(cls, cells: Cells, counts: Ints, random: Sequence[str], fixed: Sequence[str]) -> Layout:
        """Lay the columns out.

        Parameters
        ----------
        cells : Cells
            The m cells.
        counts : ndarray of int64 (m,)
            Ratings of each.
        random, fixed : sequence of str
            Terms; the intercept is added.
        """
        effects = tuple(Term.of(name, cells) for name in random)
        means = tuple(Term.of(name, cells) for name in ("", *fixed))
        q = sum(term.size for term in effects)
        if q + sum(term.size for term in means) > MOST_COLUMNS:
            sizes = ", ".join(f"{t.name or 'intercept'} {t.size}" for t in (*effects, *means))
            raise PerfmethodError(
                f"effects beside the largest term: found {sizes}; allowed: {MOST_COLUMNS} in all"
            )
        estimable = _independent(means, counts)
        return cls(effects, means, np.concatenate([np.arange(q), q + estimable]))

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms, in the order of their columns."""
        return self.random + self.fixed

    @property
    def edges(self) -> Ints:
        """First column of each term before aliased ones are left out, and the end."""
        return np.cumsum([0, *(term.size for term in self.terms)])

    @property
    def effects(self) -> int:
        """Number of random columns."""
        return sum(term.size for term in self.random)

    @property
    def estimable(self) -> int:
        """Number of fixed columns."""
        return len(self.kept) - self.effects

    @property
    def slices(self) -> list[slice]:
        """Columns of each random term."""
        edges = self.edges
        return [slice(edges[i], edges[i + 1]) for i in range(len(self.random))]

    def vector(self, values: Floats) -> Floats:
        """Sum the values (m,) of cells in each column."""
        parts = [summed(t.codes, values, t.size) for t in self.terms]
        return np.concatenate(parts)[self.kept]

    def matrix(self, first: Ints, second: Ints, values: Floats) -> Floats:
        """Sum a symmetric table of cells in each pair of columns.

        Parameters
        ----------
        first, second : ndarray of int64 (e,)
            Cells of each entry; of two that are apart only one order.
        values : ndarray (e,)
            Entries, those with ``first == second`` halved.
        """
        edges = self.edges
        upper = np.empty((edges[-1], edges[-1]))
        for a, row in enumerate(self.terms):
            start = row.codes[first]
            for b, column in enumerate(self.terms):
                place = start * column.size + column.codes[second]
                block = summed(place, values, row.size * column.size)
                upper[edges[a] : edges[a + 1], edges[b] : edges[b + 1]] = block.reshape(
                    row.size, column.size
                )
        full = upper + upper.T
        return full if len(self.kept) == len(full) else full[np.ix_(self.kept, self.kept)]

    def spread(self, columns: Floats) -> Floats:
        """Sum (m,) of the columns' values that a cell has."""
        whole = np.zeros(self.edges[-1])
        whole[self.kept] = columns
        parts = np.split(whole, self.edges[1:-1])
        return np.sum([part[t.codes] for t, part in zip(self.terms, parts, strict=True)], axis=0)


def _independent(terms: Sequence[Term], counts: Ints) -> Ints:
    """Columns of fixed terms that are no combination of those before them."""
    m = len(counts)
    table = np.zeros((m, sum(t.size for t in terms)))
    start = 0
    for term in terms:
        table[np.arange(m), start + term.codes] = np.sqrt(counts)
        start += term.size
    rows = np.asarray(np.linalg.qr(table, mode="r")) if m else table
    reduced = np.abs(np.diagonal(_tall(rows)))
    return np.flatnonzero(reduced > 1e-9 * np.linalg.norm(table, axis=0))


def _tall(rows: Floats) -> Floats:
    """Add rows of zeros to a triangle that has fewer rows than columns."""
    missing = max(rows.shape[1] - rows.shape[0], 0)
    return np.pad(rows, ((0, missing), (0, 0)))
