"""The matrix of p items that a coefficient is a function of, and its bootstrap replicates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability._draws import (
    Interval,
    cluster_weights,
    from_sums,
    no_interval,
    percentiles,
)
from perfmethod.reliability._items import Items, correlations, covariances
from perfmethod.reliability.polychoric import coded, polychoric_of_tables
from perfmethod.reliability.ratings import refuse

__all__ = ["bootstrap", "item_rest", "matrix_of", "replicate_matrices", "warnings_about"]

Floats = NDArray[np.float64]


def matrix_of(data: Items, kind: str) -> Floats:
    """Covariances, correlations or polychoric correlations (p, p) of the answers."""
    x = data.values
    p = x.shape[1]
    if kind == "ordinal":
        return _polychoric(_pair_tables(data, None), p)
    if data.gaps:
        c = covariances(data.sums().sum(axis=0), p)
        if np.isnan(c).any():
            i, j = np.argwhere(np.isnan(c))[0]
            refuse(f"no rows with answers on both {data.names[i]} and {data.names[j]}",
                   "at least two rows for every pair of items", what="answers")  # fmt: skip
    else:
        away = np.ascontiguousarray(x.T)
        away = away - away.mean(axis=1, keepdims=True)
        c = away @ away.T / (len(x) - 1)
    return c if kind == "raw" else correlations(c)


def item_rest(c: Floats) -> Floats:
    """Correlation (p,) of each item with the sum of the others; 0 where one does not vary."""
    own = np.diagonal(c)
    with_rest = c.sum(axis=1) - own
    rest = c.sum() - 2 * with_rest - own
    scale = np.sqrt(np.maximum(own * rest, 0.0))
    return np.divide(with_rest, scale, out=np.zeros(own.size), where=scale > 0)


def warnings_about(c: Floats, names: Sequence[str]) -> tuple[str, ...]:
    """What a reader must know of the items' relations."""
    notes = []
    mean = c[np.triu_indices(len(c), 1)].mean()
    if mean < 0:
        notes.append(f"the mean covariance is negative ({mean:.4g}): the items share nothing")
    against = [name for name, r in zip(names, item_rest(c), strict=True) if r < 0]
    if against:
        notes.append(f"against the sum of the others: {', '.join(against)} (reverse it first?)")
    return tuple(notes)


def bootstrap(
    data: Items,
    kind: str,
    statistic: Callable[[Floats], Floats],
    value: float,
    level: float,
    draws: int,
    seed: int | np.random.Generator,
) -> Interval:
    """Interval of a function of the matrix, by drawing raters or persons."""
    if draws == 0:
        return no_interval("draws=0")
    replicates = statistic(replicate_matrices(data, kind, draws, seed))
    return percentiles(replicates, value, level, data.drawn, data.stratum.size)


def replicate_matrices(
    data: Items, kind: str, draws: int, seed: int | np.random.Generator
) -> Floats:
    """Matrices (draws, p, p) of the replicates."""
    p = data.values.shape[1]
    if kind == "ordinal":
        weights = cluster_weights(data.stratum, draws, seed)
        return np.concatenate([_polychoric(_pair_tables(data, w), p)[None] for w in weights])
    found = from_sums(data.sums(), lambda s: covariances(s, p), data.stratum, draws, seed)
    return found if kind == "raw" else correlations(found)


def _pair_tables(data: Items, weight: Floats | None) -> Floats:
    """Tables (pairs, m, m) of answers, m the most categories of an item."""
    codes, categories = coded(data.values)
    m = max(c.size for c in categories)
    each = None if weight is None else weight[data.groups]
    tables = []
    for i, j in zip(*np.triu_indices(codes.shape[1], 1), strict=True):
        both = (codes[:, i] >= 0) & (codes[:, j] >= 0)
        place = codes[both, i] * m + codes[both, j]
        counted = np.bincount(place, None if each is None else each[both], m * m)
        tables.append(counted.reshape(m, m))
    return np.array(tables, float)


def _polychoric(tables: Floats, p: int) -> Floats:
    matrix = np.eye(p)
    i, j = np.triu_indices(p, 1)
    matrix[i, j] = matrix[j, i] = polychoric_of_tables(tables)
    return matrix
