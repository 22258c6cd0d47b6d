"""Where the effects of a model stand among the columns of its equations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.bordered import Bordered, Frame
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
    frame : Frame
        Which columns stand in blocks.
    within : int or None
        Random term whose columns these are.
    """

    random: tuple[Term, ...]
    fixed: tuple[Term, ...]
    kept: Ints
    frame: Frame
    within: int | None = None

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
        kept = np.concatenate([np.arange(q), q + _independent(means, counts)])
        return cls(effects, means, kept, Frame.dense(len(kept)))

    def in_blocks(self, first: Ints, second: Ints) -> Layout:
        """Put the largest random term that falls into blocks into blocks.

        Parameters
        ----------
        first, second : ndarray of int64 (e,)
            Pairs of cells that occur in one level of what is eliminated.
        """
        for place in sorted(range(len(self.random)), key=lambda i: -self.random[i].size):
            term = self.random[place]
            own = np.arange(term.size) + self.edges[place]
            frame = Frame.of(len(self.kept), own, term.codes[first], term.codes[second])
            if frame is not None:
                return replace(self, frame=frame, within=place)
        return self

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

    @cached_property
    def border(self) -> list[slice | None]:
        """Columns of each random term among those of the border; None for the one in blocks."""
        sizes = [0 if i == self.within else t.size for i, t in enumerate(self.random)]
        edges = np.cumsum([0, *sizes])
        return [
            None if i == self.within else slice(int(edges[i]), int(edges[i + 1]))
            for i in range(len(self.random))
        ]

    def matrix(self, first: Ints, second: Ints, values: Floats) -> Bordered:
        """Sum a symmetric table of cells in each pair of columns.

        Parameters
        ----------
        first, second : ndarray of int64 (e,)
            Cells of each entry; of two that are apart only one order.
        values : ndarray (e,)
            Entries, those with ``first == second`` halved.
        """
        from scipy.sparse import csr_array

        m, (b, s) = len(self.terms[0].codes), self.frame.blocks.shape
        half = csr_array((values, (first, second)), shape=(m, m))
        turned = half @ self._seen
        tables = [np.zeros(0), np.zeros(0), (self._seen.T @ turned).toarray().ravel()]
        if self.within is not None:
            own = self._place[self.random[self.within].codes]
            members = csr_array((np.ones(m), (own, np.arange(m))), shape=(b * s, m))
            tables[0] = summed(own[first] * s + own[second] % s, values, b * s * s)
            tables[1] = (members @ (turned + half.T @ self._seen)).toarray().ravel()
        return self.bordered(np.concatenate(tables))

    @cached_property
    def _seen(self) -> Any:
        """Which columns of the border each cell has, sparse (m, k)."""
        from scipy.sparse import csr_array

        edges = np.cumsum([0, *(term.size for term in self._others)])
        columns = np.stack([e + t.codes for e, t in zip(edges, self._others, strict=False)], axis=1)
        m, n = columns.shape
        start = np.arange(0, m * n + 1, n)
        return csr_array((np.ones(m * n), columns.ravel(), start), shape=(m, int(edges[-1])))

    def places(self, first: Ints, second: Ints) -> Ints:
        """Where each entry of a table of cells goes in what `bordered` takes.

        Parameters
        ----------
        first, second
            As in `matrix`.

        Returns
        -------
        ndarray of int64 (x, e)
            An entry goes to x places.
        """
        shapes = [table.shape for table in self._empty()]
        starts = np.cumsum([0, *(a * b for a, b in shapes)])
        return np.stack([
            starts[kind] + (rows.start + row) * shapes[kind][1] + columns.start + column
            for kind, rows, row, columns, column in self._pieces(first, second)
        ])  # fmt: skip

    @property
    def cells(self) -> int:
        """Length of what `bordered` takes."""
        return sum(table.size for table in self._empty())

    def _empty(self) -> tuple[Floats, Floats, Floats]:
        """Halves of blocks, laid below each other, the border and half of the corner."""
        (b, s), wide = self.frame.blocks.shape, sum(term.size for term in self._others)
        return np.zeros((b * s, s)), np.zeros((b * s, wide)), np.zeros((wide, wide))

    @property
    def _others(self) -> list[Term]:
        """Terms of the border."""
        return [term for i, term in enumerate(self.terms) if i != self.within]

    def _pieces(self, first: Ints, second: Ints) -> Iterator[tuple[int, slice, Ints, slice, Ints]]:
        """Table, rows, row in them of each entry, columns, and column in them, piece by piece."""
        others = self._others
        edges = np.cumsum([0, *(term.size for term in others)])
        spans = [slice(int(a), int(b)) for a, b in pairwise(edges)]
        if self.within is not None:
            b, s = self.frame.blocks.shape
            rows, place = slice(0, b * s), self._place[self.random[self.within].codes]
            yield 0, rows, place[first], slice(0, s), place[second] % s
            for term, span in zip(others, spans, strict=True):
                yield 1, rows, place[first], span, term.codes[second]
                yield 1, rows, place[second], span, term.codes[first]
        for one, rows in zip(others, spans, strict=True):
            for other, columns in zip(others, spans, strict=True):
                yield 2, rows, one.codes[first], columns, other.codes[second]

    def bordered(self, flat: Floats) -> Bordered:
        """Shape sums at the places; the halves of blocks and of the corner are added here."""
        (b, s), wide = self.frame.blocks.shape, sum(term.size for term in self._others)
        blocks, border, corner = np.split(flat, np.cumsum([b * s * s, b * s * wide]))
        blocks, border = blocks.reshape(b, s, s), border.reshape(b, s, wide)
        corner = corner.reshape(wide, wide)
        corner, kept = corner + corner.T, self._kept_in_border
        if len(kept) < wide:
            border, corner = np.take(border, kept, axis=2), corner[np.ix_(kept, kept)]
        return Bordered(self.frame, blocks + np.swapaxes(blocks, 1, 2), border, corner)

    @cached_property
    def _kept_in_border(self) -> Ints:
        """Columns that are not aliased, counted without those in blocks."""
        if self.within is None:
            return self.kept
        start, size = int(self.edges[self.within]), self.random[self.within].size
        others = self.kept[(self.kept < start) | (self.kept >= start + size)]
        return np.where(others < start, others, others - size)

    @cached_property
    def _place(self) -> Ints:
        """Place in the blocks, laid flat, of each level of the term that stands in them."""
        assert self.within is not None
        flat = self.frame.blocks.ravel()
        full = np.flatnonzero(flat < len(self.kept))
        found = np.empty(len(full), np.int64)
        found[flat[full] - self.edges[self.within]] = full
        return found

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
