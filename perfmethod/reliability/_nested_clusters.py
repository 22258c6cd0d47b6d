"""Sums by size of cluster from tables of ballots within raters, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.reduction.integers import added
from perfmethod.reduction.nested import NestedTables

__all__ = ["ClusterSums", "ballot_sums", "rater_sums"]

Ints = NDArray[np.int64]


class ClusterSums(NamedTuple):
    """Tables by k sizes of cluster; names as in `ClusterMoments`."""

    sizes: Ints  # (k,)
    clusters: Ints  # (k,)
    squares: Ints  # (k,)
    places: Ints  # (3, e)
    values: Ints  # (e,)
    cross: Ints  # (k, m)


def rater_sums(tables: NestedTables, place: Ints, n_cells: int) -> ClusterSums:
    """Raters as clusters; `place` (m,) is where the tables' cells stand among those kept."""
    patterns = _patterns(tables, place, n_cells)
    p = len(tables.ballots)
    sizes, own = np.unique(tables.types @ tables.sizes, return_inverse=True)
    k = len(sizes)
    kind, first, second = tables.square_places
    twice = np.where(first == second, 1, 2)
    of_pair, of_cross = own[tables.pair_places[0]], own[tables.cross_places[0]]
    cross = np.zeros((k, p), np.int64)
    np.add.at(cross, (of_cross, tables.cross_places[1]), tables.cross_values)

    def middles() -> Iterator[Any]:
        for size in range(k):
            rows = of_pair == size
            yield _symmetric(tables.pair_places[1:, rows], tables.pair_values[rows], p)

    return ClusterSums(
        sizes.astype(np.int64),
        added(k, own, tables.raters),
        added(k, own[kind], twice * tables.square_values),
        *_pairs(patterns, middles()),
        np.asarray(cross @ patterns),
    )


def ballot_sums(tables: NestedTables, place: Ints, n_cells: int) -> ClusterSums:
    """Ballots as clusters."""
    patterns = _patterns(tables, place, n_cells)
    p, k = len(tables.ballots), len(tables.sizes)
    own = np.searchsorted(tables.sizes, tables.pattern_size)
    cross = np.zeros((k, p), np.int64)
    cross[own, np.arange(p)] = tables.totals

    def middles() -> Iterator[Any]:
        for size in range(k):
            rows = np.flatnonzero(own == size)
            yield _symmetric(np.stack([rows, rows]), tables.ballots[rows], p)

    return ClusterSums(
        tables.sizes.copy(),
        added(k, own, tables.ballots),
        tables.ballot_squares.copy(),
        *_pairs(patterns, middles()),
        np.asarray(cross @ patterns),
    )


def _patterns(tables: NestedTables, place: Ints, n_cells: int) -> Any:
    """Answers (p, cells kept) of a ballot of each pattern."""
    from scipy.sparse import csr_array

    p = len(tables.ballots)
    row = np.repeat(np.arange(p), np.diff(tables.start))
    column = place[np.searchsorted(tables.cells, tables.cell)]
    return csr_array((tables.times, (row, column)), shape=(p, n_cells))


def _symmetric(places: Ints, values: Ints, p: int) -> Any:
    """Table (p, p) of pairs that are given in one order."""
    from scipy.sparse import csr_array

    apart = places[0] != places[1]
    rows = np.concatenate([places[0], places[1][apart]])
    columns = np.concatenate([places[1], places[0][apart]])
    return csr_array((np.concatenate([values, values[apart]]), (rows, columns)), shape=(p, p))


def _pairs(patterns: Any, middles: Iterator[Any]) -> tuple[Ints, Ints]:
    """Pairs of cells by size, the first at most the second, in order."""
    from scipy.sparse import triu

    places, values = [np.zeros((3, 0), np.int64)], [np.zeros(0, np.int64)]
    for size, middle in enumerate(middles):
        product = triu(patterns.T @ (middle @ patterns), format="csr")
        product.sort_indices()
        found = product.tocoo()
        places.append(np.stack([np.full(found.nnz, size), found.row, found.col]).astype(np.int64))
        values.append(found.data.astype(np.int64))
    return np.concatenate(places, axis=1), np.concatenate(values)
