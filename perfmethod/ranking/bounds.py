"""Confidence bounds for ranks from the signs of all differences that are told apart.

Every ordered pair is one hypothesis (this unit is not better than that one). The rank of a unit is
at least one more than the number of units shown to be better, and at most the number of units that
are not shown to be worse. The largest of all standardized differences of the noise says how far a
difference must go; pairs already told apart, in their direction only, are left out in the next
step, for what is known of them can no longer be found wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["RankBounds", "pair_errors", "rank_bounds"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOTHING = 1e-12  # variance of a difference, relative to its parts, that is rounding only


class RankBounds(NamedTuple):
    """Bounds of ranks from 1 (best).

    ``critical`` is the value that standardized differences had to exceed in the last step: one
    number, or one per unit for marginal sets.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    critical: Array
    steps: int


def pair_errors(covariance: ArrayLike) -> Array:
    """Standard error of every difference (u, u).

    Parameters
    ----------
    covariance : array_like (u, u) or (u,)
        Covariance of the estimates, or variances of independent ones.

    Examples
    --------
    >>> pair_errors([9, 16, 0])
    array([[0., 5., 3.],
           [5., 0., 4.],
           [3., 4., 0.]])
    """
    given = np.asarray(covariance, dtype=float)
    matrix = np.diag(given) if given.ndim == 1 else given
    own = np.diag(matrix)
    parts = own[:, None] + own
    variance = parts - matrix - matrix.T
    variance[variance <= NOTHING * parts] = 0.0
    np.fill_diagonal(variance, 0.0)
    return np.sqrt(variance)


def rank_bounds(
    estimates: ArrayLike,
    deviations: ArrayLike,
    errors: ArrayLike,
    *,
    level: float = 0.95,
    simultaneous: bool = True,
    stepwise: bool = True,
    compared: ArrayLike | None = None,
) -> RankBounds:
    """Confidence sets for ranks, one by one or for all units at once.

    Parameters
    ----------
    estimates : array_like (u,)
    deviations : array_like (k, u)
        Draws of the estimates' errors: normal ones, or bootstrap replicates less the estimates.
    errors : array_like (u, u)
        Standard errors of the differences (`pair_errors`); 0 means that a difference is known.
    level : float, default 0.95
        Above 0.5.
    simultaneous : bool, default True
        All sets hold at once with probability `level`; otherwise each one does.
    stepwise : bool, default True
        Leave out what was told apart and look again, until nothing more is.
    compared : array_like of bool (u, u), optional
        Which units are ranked against each other (symmetric); by default all.

    Returns
    -------
    RankBounds

    Raises
    ------
    ValueError
        If shapes do not fit or `level` is not between 0.5 and 1.

    References
    ----------
    Mogstad, Romano, Shaikh and Wilhelm, "Inference for ranks with applications to mobility across
    neighbourhoods and academic achievement across countries", *Review of Economic Studies* 91
    (2024), 476-518.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=(10_000, 3))
    >>> found = rank_bounds([10.0, 1.0, 0.0], noise, pair_errors([1, 1, 1]))
    >>> found.low.tolist(), found.high.tolist()
    ([1, 2, 2], [1, 3, 3])
    """
    x, scale = np.asarray(estimates, dtype=float), np.asarray(errors, dtype=float)
    z = np.ascontiguousarray(np.asarray(deviations, dtype=float).T)
    u = x.size
    if x.ndim != 1 or scale.shape != (u, u) or z.ndim != 2 or z.shape[0] != u or not z.shape[1]:
        raise ValueError(
            f"found estimates {x.shape}, errors {scale.shape}, deviations {z.T.shape}; "
            "allowed: (u,), (u, u), (k, u)"
        )
    if not 0.5 < level < 1:
        raise ValueError(f"found level {level}; allowed: between 0.5 and 1")
    pairs = ~np.eye(u, dtype=bool)
    if compared is not None:
        pairs &= np.asarray(compared, dtype=bool)
    within = pairs.sum(axis=1)
    if simultaneous:
        above, critical, steps = _told_apart(x, z, scale, pairs, range(u), level, stepwise)
        return RankBounds(1 + above.sum(axis=0), 1 + within - above.sum(axis=1),
                          np.array(critical), steps)  # fmt: skip
    better, worse, limits, most = np.zeros(u, int), np.zeros(u, int), np.zeros(u), 0
    for j in range(u):
        mine = np.zeros((u, u), dtype=bool)
        mine[j], mine[:, j] = pairs[j], pairs[:, j]
        above, limits[j], steps = _told_apart(x, z, scale, mine, (j,), level, stepwise)
        better[j], worse[j], most = above[:, j].sum(), above[j].sum(), max(most, steps)
    return RankBounds(1 + better, 1 + within - worse, limits, most)


def _told_apart(
    x: Array, z: Array, scale: Array, pairs: Flags, order: Iterable[int], level: float, again: bool
) -> tuple[Flags, float, int]:
    """Ordered pairs whose first unit is shown to be better, the last critical value, steps."""
    gap = x[:, None] - x
    above = pairs & (scale == 0) & (gap > 0)  # known without error
    left = pairs & (scale > 0)
    size = np.divide(gap, scale, out=np.zeros_like(gap), where=scale > 0)
    critical, steps, order = 0.0, 0, tuple(order)
    while left.any():
        # a difference the wrong way round is never evidence, however odd the draws
        critical = max(float(np.quantile(_largest(z, scale, left, order), level)), 0.0)
        new, steps = left & (size > critical), steps + 1
        above |= new
        left &= ~new
        if not (again and new.any()):
            break
    return above, critical, steps


def _largest(z: Array, scale: Array, left: Flags, order: Iterable[int]) -> Array:
    """Largest standardized difference over the ordered pairs that are left, in every draw (k,)."""
    most, todo = np.full(z.shape[1], -np.inf), left.copy()
    for j in order:
        out, back = todo[j].copy(), todo[:, j].copy()
        others = np.flatnonzero(out | back)
        todo[j] = todo[:, j] = False
        if not others.size:
            continue
        gap = z[j] - z[others]
        out, back = out[others], back[others]
        gap *= (np.where(out, 1.0, -1.0) / scale[j, others])[:, None]
        np.abs(gap, out=gap, where=(out & back)[:, None])
        np.maximum(most, gap.max(axis=0), out=most)
    return most
