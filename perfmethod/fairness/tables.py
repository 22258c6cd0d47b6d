"""Every table of grade by group with the margins it has: exact laws, exact tests, exact power.

The null is that of a lottery: the places of each stratum fell on its units with equal chances, so a
table of places by group has as many ways to come about as a product of binomial coefficients says.
Ways are whole numbers here; nothing is drawn and nothing is approximated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest

__all__ = ["MOST_TABLES", "STATISTICS", "TableLaw", "p_values", "statistic", "table_law"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_TABLES = 2_000_000  # more than that is no longer a matter of seconds
MOST_SUMS = 50_000_000  # pairs of tables added when strata are put together
SAME = 1e-9  # values of a statistic nearer than this, relative to its largest, are tied


@dataclass(frozen=True)
class TableLaw:
    """Law of the places by group when places fall on units like lots.

    Attributes
    ----------
    counts : ndarray of int (t, g)
        Every possible vector of places by group (over all strata together).
    ways : ndarray (t,)
        In how many ways it can come about; Python integers where 64 bits do not hold them.
    total : int
        Sum of the ways.
    sizes : ndarray of int (g,)
        Units by group.
    expected : ndarray (g,)
        Expected places by group.
    covariance : ndarray (g, g)
    strata : int
    """

    counts: Ints = field(repr=False)
    ways: NDArray[Any] = field(repr=False)
    total: int
    sizes: Ints
    expected: Array = field(repr=False)
    covariance: Array = field(repr=False)
    strata: int

    @property
    def probability(self) -> Array:
        """Probability of every vector (t,)."""
        return np.asarray(self.ways / self.total, dtype=float)

    def find(self, held: ArrayLike) -> int:
        """Position of a vector of places by group (g,).

        Raises
        ------
        ValueError
            If it cannot come about with these margins.
        """
        at = np.flatnonzero((self.counts == np.asarray(held)).all(axis=1))
        if not at.size:
            raise ValueError(f"found places {list(np.asarray(held))}; allowed: the margins' tables")
        return int(at[0])

    def by_group(self, group: int, chosen: NDArray[np.bool_] | None = None) -> NDArray[Any]:
        """Ways by the number of places of one group (0..n,), of all vectors or of the chosen."""
        held, ways = self.counts[:, group], self.ways
        if chosen is not None:
            held, ways = held[chosen], ways[chosen]
        found = np.zeros(int(self.sizes[group]) + 1, dtype=ways.dtype)
        np.add.at(found, held, ways)
        return found


def table_law(sizes: ArrayLike, places: ArrayLike) -> TableLaw:
    """Enumerate all tables with fixed margins.

    Parameters
    ----------
    sizes : array_like of int (g,) or (s, g)
        Units by group, or by stratum and group.
    places : array_like of int () or (s,)
        Places, of each stratum.

    Returns
    -------
    TableLaw
        With strata the law of the sums over strata, by which groups are compared.

    Raises
    ------
    ValueError
        If a size is negative, there is no unit, or there are more places than units.
    PerfmethodError
        If there are more tables than can be listed (`MOST_TABLES`).

    References
    ----------
    Freeman and Halton, "Note on an exact treatment of contingency, goodness of fit and other
    problems of significance", *Biometrika* 38 (1951), 141-149.

    Examples
    --------
    >>> law = table_law([2, 1], 2)
    >>> law.counts.tolist(), law.ways.tolist(), law.total
    ([[2, 0], [1, 1]], [1, 2], 3)
    """
    n = np.atleast_2d(np.asarray(sizes, dtype=np.int64))
    k = np.broadcast_to(np.asarray(places, dtype=np.int64), n.shape[:1])
    if (n < 0).any() or (k < 0).any() or (k > n.sum(axis=1)).any() or not n.any():
        raise ValueError(
            f"found sizes {n.tolist()} and places {k.tolist()}; "
            "allowed: sizes from 0 on, some unit, and no more places than units in any stratum"
        )
    whole = n.sum(axis=0)
    _check_number(whole, int(k.sum()))
    total = math.prod(math.comb(int(a), int(b)) for a, b in zip(n.sum(axis=1), k, strict=True))
    kind: Any = np.int64 if total < 2**62 else object
    radix = _radix(whole)
    keys, ways = np.zeros(1, dtype=np.int64), np.ones(1, dtype=kind)
    for row, held in zip(n, k, strict=True):
        _check_number(row, int(held))
        keys, ways = _together(keys, ways, *_stratum(row, int(held), radix, kind))
    counts = keys[:, None] // radix % (whole + 1)
    expected, covariance = _moments(n, k)
    return TableLaw(counts, ways, total, whole, expected, covariance, len(n))


def _check_number(sizes: Ints, places: int) -> None:
    found = np.ones(1)
    for size in sizes:
        found = np.convolve(found, np.ones(int(size) + 1))
    if found[places] > MOST_TABLES or np.log2(sizes + 1.0).sum() > 62:
        raise PerfmethodError(
            f"found {found[places]:.3g} tables of {places} places in groups of {sizes.tolist()}; "
            f"allowed: {MOST_TABLES:,}, so put small groups together"
        )


def _radix(sizes: Ints) -> Ints:
    """Place values by which a vector of counts is one number; numbers add as vectors do."""
    return np.concatenate([[1], np.cumprod(sizes[:-1] + 1)]).astype(np.int64)


def _stratum(sizes: Ints, places: int, radix: Ints, kind: Any) -> tuple[Ints, NDArray[Any]]:
    """All tables of one stratum, group after group, only those that can still be completed."""
    keys, held, ways = np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1, dtype=kind)
    rest = int(sizes.sum())
    for size, unit in zip(sizes.tolist(), radix, strict=True):
        rest -= size
        parts = []
        for here in range(size + 1):
            fits = (held + here <= places) & (held + here + rest >= places)
            more = ways[fits] * math.comb(size, here)
            parts.append((keys[fits] + here * unit, held[fits] + here, more))
        keys, held, ways = (np.concatenate(part) for part in zip(*parts, strict=True))
    return keys, ways


def _together(
    keys: Ints, ways: NDArray[Any], more_keys: Ints, more_ways: NDArray[Any]
) -> tuple[Ints, NDArray[Any]]:
    """Law of the sum of two independent vectors."""
    if keys.size * more_keys.size > MOST_SUMS:
        raise PerfmethodError(
            f"found {keys.size:,} times {more_keys.size:,} tables in two strata; "
            f"allowed: {MOST_SUMS:,}, so take fewer strata or put small groups together"
        )
    step = max(1, MOST_TABLES // keys.size)
    found: tuple[Ints, NDArray[Any]] = (keys[:0], ways[:0])
    for start in range(0, more_keys.size, step):
        part = slice(start, start + step)
        sums = (keys[:, None] + more_keys[part]).ravel()
        many = (ways[:, None] * more_ways[part]).ravel()
        found = _merged(np.concatenate([found[0], sums]), np.concatenate([found[1], many]))
    return found


def _merged(keys: Ints, ways: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
    order = np.argsort(keys, kind="stable")
    keys, ways = keys[order], ways[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[first], np.add.reduceat(ways, first)


def _moments(n: Ints, k: Ints) -> tuple[Array, Array]:
    """Mean and covariance of sums of independent multivariate hypergeometric vectors."""
    groups = n.shape[1]
    expected, covariance = np.zeros(groups), np.zeros((groups, groups))
    for row, held in zip(n, k, strict=True):
        size = int(row.sum())
        if size == 0:
            continue
        share = row / size
        expected += held * share
        if size > 1:
            spread = held * (size - held) / (size - 1)
            covariance += spread * (np.diag(share) - np.outer(share, share))
    return expected, covariance


def _unlikely(law: TableLaw) -> NDArray[Any]:
    return -law.ways


def _chi_square(law: TableLaw) -> Array:
    gap = law.counts - law.expected
    value = np.einsum("tg,gh,th->t", gap, np.linalg.pinv(law.covariance, hermitian=True), gap)
    if law.strata == 1:  # Pearson's, which is the quadratic form times n / (n - 1)
        value *= law.sizes.sum() / max(law.sizes.sum() - 1, 1)
    return np.asarray(value)


def _max_z(law: TableLaw) -> Array:
    variance = np.diag(law.covariance)
    scale = np.where(variance > 0, 1 / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0)
    return np.asarray(np.abs((law.counts - law.expected) * scale).max(axis=1))


def _range(law: TableLaw) -> Array:
    held = law.sizes > 0
    rate = ((law.counts - law.expected) / np.where(held, law.sizes, 1))[:, held]
    return np.asarray(rate.max(axis=1) - rate.min(axis=1))


STATISTICS: Mapping[str, Callable[[TableLaw], NDArray[Any]]] = {
    "fisher_freeman_halton": _unlikely,
    "chi_square": _chi_square,
    "max_z": _max_z,
    "range": _range,
}


def statistic(law: TableLaw, name: str) -> NDArray[Any]:
    """Value of a statistic for every table (t,); larger speaks more against the null.

    Parameters
    ----------
    law : TableLaw
    name : {"fisher_freeman_halton", "chi_square", "max_z", "range"}
        Minus the ways of the table (with strata, of the sums over them); Pearson's chi-square
        (with strata the generalized Cochran-Mantel-Haenszel form); the largest standardized gap of
        a group; the range of the groups' rates less what their strata let expect.

    Raises
    ------
    PerfmethodError
        If there is no such statistic.
    """
    if name not in STATISTICS:
        raise PerfmethodError(f"found statistic '{name}'; allowed: {suggest(name, STATISTICS)}")
    return STATISTICS[name](law)


def p_values(law: TableLaw, name: str) -> Array:
    """Exact p-value of every table (t,): how probable one is that is at least as extreme.

    Ties of the Fisher-Freeman-Halton statistic are ties of whole numbers; those of the others are
    values that differ by less than 1e-9 of the largest.

    Examples
    --------
    >>> law = table_law([4, 9, 9, 8, 7, 6, 6], 13)
    >>> p = p_values(law, "fisher_freeman_halton")[law.find([3, 0, 1, 2, 5, 1, 1])]
    >>> round(float(p), 14)
    0.00664722199937
    """
    value = statistic(law, name)
    order = np.argsort(-value, kind="stable")
    descending = value[order]
    near = 0 if name == "fisher_freeman_halton" else SAME * max(1.0, float(np.abs(value).max()))
    last = np.append(np.flatnonzero(descending[:-1] - descending[1:] > near), value.size - 1)
    summed = np.cumsum(law.ways[order])[last] / law.total
    found = np.empty(value.size)
    found[order] = np.repeat(np.asarray(summed, dtype=float), np.diff(last, prepend=-1))
    return found
