"""Ratings by rater, reduced to tables that do not grow with the raters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reduction.nested import NestedTables
from perfmethod.reliability._nested_clusters import ballot_sums, rater_sums
from perfmethod.reliability.cells import Cells
from perfmethod.reliability.moments import Moments, same_scale

__all__ = ["ClusterMoments", "Entries"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Entries:
    """Entries of integer arrays that are mostly zero: their places, in order, and values.

    Parameters
    ----------
    places : ndarray of int64 (a, e)
        Subscripts of e entries in a axes.
    values : ndarray of int64 (e,)
    """

    places: Ints
    values: Ints

    def moved(self, *maps: Ints) -> Entries:
        """Subscripts looked up in the maps, axis by axis."""
        places = [m[p] for m, p in zip(maps, self.places, strict=True)]
        return Entries(np.array(places), self.values)

    def __add__(self, other: Entries) -> Entries:
        return Entries(
            np.concatenate([self.places, other.places], axis=1),
            np.concatenate([self.values, other.values]),
        ).summed()

    def summed(self) -> Entries:
        """Equal subscripts once, in lexicographic order; zeros stay."""
        if not len(self.values):
            return self
        key = np.ravel_multi_index(tuple(self.places), tuple(self.places.max(axis=1) + 1))
        order = np.argsort(key, kind="stable")
        start = np.flatnonzero(np.diff(key[order], prepend=-1))
        return Entries(self.places[:, order[start]], np.add.reduceat(self.values[order], start))


@dataclass(frozen=True, eq=False, repr=False)
class ClusterMoments:
    r"""All that a model with a random effect of raters needs of the ratings.

    A rater r gives :math:`n_{ri}` ratings in cell i with the total :math:`t_r`. In a mixed model
    the effect of r is eliminated with a weight that depends on :math:`n_r = \sum_i n_{ri}` alone,
    so that raters with the same number of ratings may be added up: for each size n these tables
    hold :math:`\sum_r n_{ri} n_{rj}`, :math:`\sum_r n_{ri} t_r` and :math:`\sum_r t_r^2`.

    Their size is bounded by (different sizes) x (cells)\ :sup:`2`, whatever the number of raters
    and ratings. All are int64, and pieces add up to the same bits in any order, provided that no
    rater stands in two pieces; `Moments` of pieces that do split raters are added before
    `Moments` are turned into this.

    Parameters
    ----------
    cluster : tuple of str
        Facets whose combination is the cluster, such as ``("category", "rater")``.
    cells : Cells
        The m cells of all other facets of the model.
    counts, sums : ndarray of int64 (m,)
        Ratings of each cell and their sum.
    square : int
        Sum of squares of all ratings.
    sizes, clusters, squares : ndarray of int64 (k,)
        The different sizes, how many clusters have it, and the sum of squares of their totals.
    pairs : Entries
        Axes (size, cell, cell), of a pair of cells only the order in which they stand.
    cross : ndarray of int64 (k, m)
        Size by cell.
    decimals, origin : int
        As of `Moments`.

    Examples
    --------
    >>> whole = Moments.of([100, 75, 55], unit=["D01", "D02", "D01"], rater=["a", "a", "b"])
    >>> ClusterMoments.of(whole, "rater", cells=["unit"])
    <ClusterMoments of 3 ratings by 2 clusters (rater) of 2 sizes in 2 cells: unit>
    """

    cluster: tuple[str, ...]
    cells: Cells
    counts: Ints
    sums: Ints
    square: int
    sizes: Ints
    clusters: Ints
    squares: Ints
    pairs: Entries
    cross: Ints
    decimals: int = 0
    origin: int = 0

    def __post_init__(self) -> None:
        tables = (self.counts, self.sums, self.sizes, self.clusters, self.squares, self.cross)
        for table in (*tables, self.pairs.places, self.pairs.values):
            table.setflags(write=False)

    @classmethod
    def of(
        cls, moments: Moments, cluster: str | Sequence[str], cells: Sequence[str]
    ) -> ClusterMoments:
        """Take the clusters out of a table of cells.

        Parameters
        ----------
        moments : Moments
            Cells over at least the facets named here.
        cluster : str or sequence of str
            Facet, or facets whose combination is the cluster.
        cells : sequence of str
            Facets of the cells that stay; may be empty.
        """
        facets = (cluster,) if isinstance(cluster, str) else tuple(cluster)
        part = moments.group(*dict.fromkeys([*facets, *cells]))
        members, who = part.cells.group(facets)
        kept, cell = part.cells.group(tuple(cells))
        size = _added(len(members), who, part.counts)
        total = _added(len(members), who, part.sums)
        sizes, place = np.unique(size, return_inverse=True)
        pairs, cross = _by_size(who, cell, part.counts, place, total)
        return cls(
            facets,
            kept,
            _added(len(kept), cell, part.counts),
            _added(len(kept), cell, part.sums),
            int(part.squares.sum()),
            sizes,
            np.bincount(place, minlength=len(sizes)).astype(np.int64),
            _added(len(sizes), place, _squared(total)),
            pairs,
            cross,
            moments.decimals,
            moments.origin,
        )

    @classmethod
    def of_ratings(
        cls,
        values: ArrayLike,
        cluster: str | Sequence[str],
        *,
        cells: Sequence[str],
        decimals: int | None = None,
        origin: int = 0,
        **facets: Any,
    ) -> ClusterMoments:
        """`Moments.of`, then `of`, for a piece of the ratings that splits no cluster."""
        return cls.of(Moments.of(values, facets, decimals=decimals, origin=origin), cluster, cells)

    @classmethod
    def of_tables(
        cls,
        tables: NestedTables,
        cluster: Sequence[str],
        cells: tuple[Cells, Ints],
        decimals: int = 0,
    ) -> ClusterMoments:
        """Read raters, or ballots, as clusters from tables of ballots within raters.

        Parameters
        ----------
        tables : NestedTables
        cluster : sequence of str
            ``("rater",)``, or else the ballots.
        cells : tuple
            Cells that stay, and where (m,) the tables' cells stand among them.
        decimals : int
        """
        kept, place = cells
        find = rater_sums if tuple(cluster) == ("rater",) else ballot_sums
        found = find(tables, place, len(kept))
        return cls(
            tuple(cluster),
            kept,
            _added(len(kept), place, tables.counts),
            _added(len(kept), place, tables.sums),
            int(tables.squares.sum()),
            found.sizes,
            found.clusters,
            found.squares,
            Entries(found.places, found.values),
            found.cross,
            decimals,
            tables.origin,
        )

    @property
    def total(self) -> int:
        """Number of ratings."""
        return int(self.counts.sum())

    def __repr__(self) -> str:
        return (
            f"<ClusterMoments of {self.total} ratings by {self.clusters.sum()} clusters "
            f"({', '.join(self.cluster)}) of {len(self.sizes)} sizes in {len(self.cells)} cells: "
            f"{', '.join(self.cells.facets)}>"
        )

    def __add__(self, other: ClusterMoments) -> ClusterMoments:
        if not isinstance(other, ClusterMoments):
            return NotImplemented
        same_scale(self, other)
        if self.cluster != other.cluster:
            raise PerfmethodError(
                f"moments to add: found clusters of {', '.join(other.cluster)}; "
                f"allowed: {', '.join(self.cluster)}"
            )
        cells, mine, its = self.cells.joined(other.cells)
        sizes = np.union1d(self.sizes, other.sizes)
        a, b = np.searchsorted(sizes, self.sizes), np.searchsorted(sizes, other.sizes)

        def joined(x: Ints, y: Ints, places: tuple[Ints, Ints], size: int) -> Ints:
            return _added(size, places[0], x) + _added(size, places[1], y)

        m, k = len(cells), len(sizes)
        return ClusterMoments(
            self.cluster,
            cells,
            joined(self.counts, other.counts, (mine, its), m),
            joined(self.sums, other.sums, (mine, its), m),
            self.square + other.square,
            sizes,
            joined(self.clusters, other.clusters, (a, b), k),
            joined(self.squares, other.squares, (a, b), k),
            self.pairs.moved(a, mine, mine) + other.pairs.moved(b, its, its),
            _tabled((k, m), a, mine, self.cross) + _tabled((k, m), b, its, other.cross),
            self.decimals,
            self.origin,
        )

    def size_counts(self) -> Ints:
        """Ratings by size of cluster and cell (k, m): pairs summed over a cell, over the size."""
        size, i, j = self.pairs.places
        apart = i != j
        table = np.zeros(self.cross.shape, np.int64)
        np.add.at(table, (size, i), self.pairs.values)
        np.add.at(table, (size[apart], j[apart]), self.pairs.values[apart])
        return table // self.sizes[:, None]

    def shifted(self, by: int) -> ClusterMoments:
        """Moments of the ratings less an integer: exact, and near the mean nothing cancels."""
        k = self.sizes
        squares = self.squares - 2 * by * self.cross.sum(axis=1) + by**2 * k**2 * self.clusters
        cross = self.cross - by * k[:, None] * self.size_counts()
        square = self.square - 2 * by * int(self.sums.sum()) + by**2 * self.total
        return ClusterMoments(
            self.cluster, self.cells, self.counts, self.sums - by * self.counts, square, k,
            self.clusters, squares, self.pairs, cross, self.decimals, self.origin + by,
        )  # fmt: skip


def _by_size(who: Ints, cell: Ints, counts: Ints, place: Ints, total: Ints) -> tuple[Entries, Ints]:
    """Pairs of cells, and cells with totals, added up over clusters of the same size."""
    from scipy.sparse import csr_array, triu

    m = int(cell.max(initial=-1)) + 1
    cross = np.zeros((int(place.max(initial=-1)) + 1, m), np.int64)
    places, values = [np.zeros((3, 0), np.int64)], [np.zeros(0, np.int64)]
    order = np.argsort(place[who], kind="stable")
    edges = np.searchsorted(place[who][order], np.arange(len(cross) + 1))
    for k, (start, stop) in enumerate(pairwise(edges.tolist())):
        rows = order[start:stop]
        members, row = np.unique(who[rows], return_inverse=True)
        own, column = np.unique(cell[rows], return_inverse=True)
        table = csr_array((counts[rows], (row, column)), shape=(len(members), len(own)))
        product = triu(table.T @ table, format="csr")
        product.sort_indices()
        found = product.tocoo()
        places.append(np.stack([np.full(found.nnz, k), own[found.row], own[found.col]]))
        values.append(found.data)
        cross[k, own] = np.asarray(table.T @ total[members])
    return Entries(np.concatenate(places, axis=1), np.concatenate(values)), cross


def _tabled(shape: tuple[int, int], rows: Ints, columns: Ints, table: Ints) -> Ints:
    """Table with its rows and columns moved to their places in a larger one."""
    larger = np.zeros(shape, np.int64)
    larger[np.ix_(rows, columns)] = table
    return larger


def _added(size: int, place: Ints, values: Ints) -> Ints:
    table = np.zeros(size, np.int64)
    np.add.at(table, place, values)
    return table


def _squared(total: Ints) -> Ints:
    """Squares of totals whose sum fits into 64 bits."""
    bound = sum(int(t) ** 2 for t in (total.min(initial=0), total.max(initial=0))) * len(total)
    if bound >= 2**63:
        raise PerfmethodError(
            f"totals of clusters: found squares that may sum to {bound:.3e}; allowed: below 2**63, "
            "so give an origin near the values or fewer decimals"
        )
    return total**2
