"""Henderson's method I: variance components by equating sums of squares to expectations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.cells import summed
from perfmethod.reliability.clusters import ClusterMoments
from perfmethod.reliability.layout import Term

__all__ = ["henderson_components"]

Floats = NDArray[np.float64]


def henderson_components(moments: ClusterMoments, terms: Sequence[str]) -> Floats:
    r"""Variance components by Henderson's method I (analysis of variance where data are balanced).

    The uncorrected sum of squares of a term, :math:`T_k = \sum_a y_{a.}^2 / n_{a.}`, expects

    .. math:: n \mu^2 + \sum_j \sigma_j^2 \sum_a \sum_b n_{ab}^2 / n_{a.} + l_k \sigma_e^2

    with the levels b of term j and the number of levels l. Equating as many sums to their
    expectations as there are unknowns is unbiased, quick, and for unbalanced data not efficient;
    estimates may be negative. Every term is taken as random, also one that a model takes as fixed.

    Parameters
    ----------
    moments : ClusterMoments
        Ratings; its cluster is the last random term.
    terms : sequence of str
        The other random terms, over facets of the cells.

    Returns
    -------
    ndarray (t + 2,)
        Components of the clusters, of the terms in their order, and of the residual.

    Raises
    ------
    PerfmethodError
        If the terms cannot be told apart in this design.

    References
    ----------
    Henderson, C. R. (1953). Estimation of variance and covariance components. *Biometrics* 9,
    226-252.

    Searle, S. R., Casella, G. and McCulloch, C. E. (1992). *Variance Components*. Wiley, chapter 5.

    Examples
    --------
    >>> from perfmethod.reliability.moments import Moments
    >>> yields = [1, 3, 6, 8]
    >>> table = Moments.of(yields, batch=["A", "A", "B", "B"])
    >>> henderson_components(ClusterMoments.of(table, "batch", []), [])
    array([11.5,  2. ])
    """
    shift = round(moments.origin + moments.sums.sum() / max(moments.total, 1)) - moments.origin
    near = moments.shifted(int(shift)) if shift else moments
    found = [Term.of(name, near.cells) for name in terms]
    names = [":".join(near.cluster), *terms, "residual"]
    matrix, right = _expectations(near, found)
    if np.linalg.matrix_rank(matrix) < len(matrix):
        raise PerfmethodError(
            f"components: found {', '.join(names)}, whose sums of squares depend on each other in "
            "this design; allowed: terms that it can tell apart"
        )
    return np.asarray(np.linalg.solve(matrix, right)[1:] / 10.0 ** (2 * near.decimals))


def _expectations(near: ClusterMoments, terms: Sequence[Term]) -> tuple[Floats, Floats]:
    """Coefficients and sums of squares; rows and columns: mean, clusters, terms, residual."""
    n, t = float(near.total), len(terms)
    with_cluster = [_squares_with_clusters(near, term) for term in terms]
    size = near.sizes.astype(float)
    matrix = np.zeros((t + 3, t + 3))
    right = np.zeros(t + 3)
    matrix[:, 0] = n
    matrix[0, 1:] = [
        (size**2 @ near.clusters) / n,
        *((_count(near, term) ** 2).sum() / n for term in terms),
        1,
    ]
    matrix[1, 1:] = [n, *((1 / size) @ squares.sum(axis=1) for squares in with_cluster),
                     near.clusters.sum()]  # fmt: skip
    matrix[-1, 1:] = n
    right[0], right[1], right[-1] = near.sums.sum() ** 2 / n, near.squares @ (1 / size), near.square
    for i, (term, squares) in enumerate(zip(terms, with_cluster, strict=True), 2):
        count = _count(near, term)
        matrix[i, 1] = squares.sum(axis=0) @ (1 / count)
        matrix[i, 2:-1] = [_squares(near, term, other) @ (1 / count) for other in terms]
        matrix[i, -1] = term.size
        right[i] = (summed(term.codes, near.sums, term.size) ** 2) @ (1 / count)
    return matrix, right


def _count(near: ClusterMoments, term: Term) -> Floats:
    return summed(term.codes, near.counts, term.size)


def _squares(near: ClusterMoments, term: Term, other: Term) -> Floats:
    """Sum over the levels of another term of squared counts, by level of this one."""
    pair = term.codes * other.size + other.codes
    keys, place = np.unique(pair, return_inverse=True)
    return summed(keys // other.size, np.bincount(place, near.counts) ** 2, term.size)


def _squares_with_clusters(near: ClusterMoments, term: Term) -> Floats:
    """Sum over the clusters of a size of squared counts, by size (k, levels)."""
    k, i, j = near.pairs.places
    same = term.codes[i] == term.codes[j]
    twice = np.where(i[same] == j[same], 1.0, 2.0)
    place = k[same] * term.size + term.codes[i[same]]
    table = summed(place, twice * near.pairs.values[same], len(near.sizes) * term.size)
    return table.reshape(len(near.sizes), term.size)
