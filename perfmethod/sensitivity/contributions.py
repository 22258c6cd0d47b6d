"""What contributions that add up to a total do to its variance and to the ranking by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["jackknife", "pairs_decided", "rank_drops", "variance_shares"]

Array = NDArray[np.float64]

DIGITS = 9  # totals that differ by less than sums of floating-point numbers can tell are tied


def variance_shares(contributions: ArrayLike, total: ArrayLike) -> Array:
    """Share of the total's variance that comes with each contribution.

    The covariance of the contribution with the total over the variance of the total. Shares of
    contributions that add up to the total sum to 1; one is negative where units that do well
    otherwise lose on it.

    Parameters
    ----------
    contributions : array_like (u, c)
        Points.
    total : array_like (u,)
        Points.

    Returns
    -------
    ndarray (c,)
        0 where the total does not vary.

    References
    ----------
    Tasche D. (2008), Capital allocation to business units and sub-portfolios: the Euler
    principle, in: Pillar II in the New Basel Accord, Risk Books.

    Examples
    --------
    >>> variance_shares([[1, 10], [2, 30], [3, 20]], [11, 32, 23]).round(3).tolist()
    [0.054, 0.946]
    """
    parts, whole = _aligned(contributions, total)
    centered = whole - whole.mean()
    variance = centered @ centered
    return centered @ parts / variance if variance > 0 else np.zeros(parts.shape[1])


def pairs_decided(contributions: ArrayLike, total: ArrayLike) -> Array:
    """Share of the pairs of units that would lose their order without a contribution.

    The order of a pair is lost where it turns round, or becomes a tie, when both have the same
    points of that contribution. Pairs tied in the total are left out.

    Parameters
    ----------
    contributions : array_like (u, c)
    total : array_like (u,)

    Returns
    -------
    ndarray (c,)
        For totals without ties, Kendall's distance between the two rankings as a share of all
        pairs, (1 - tau) / 2.

    References
    ----------
    Kendall M. G. (1938), A new measure of rank correlation, Biometrika 30, 81-93.

    Examples
    --------
    >>> pairs_decided([[1, 10], [2, 30], [3, 20]], [11, 32, 23]).round(3).tolist()
    [0.0, 0.333]
    """
    parts, whole = _aligned(contributions, total)
    first, second = np.triu_indices(len(whole), 1)
    order = np.sign(np.round(whole[first] - whole[second], DIGITS))
    rest = whole[:, None] - parts
    without = np.sign(np.round(rest[first] - rest[second], DIGITS))
    told = order != 0
    if not told.any():
        return np.zeros(parts.shape[1])
    return np.asarray((without[told] != order[told, None]).mean(0))


def rank_drops(contributions: ArrayLike, total: ArrayLike) -> Array:
    """1 less Spearman's correlation of the ranking with the one without a contribution.

    Parameters
    ----------
    contributions : array_like (u, c)
    total : array_like (u,)

    Returns
    -------
    ndarray (c,)
        0 where the ranking stays as it is, 1 where nothing is left of it; 0 too where all totals
        are tied, for there was no ranking.

    References
    ----------
    Spearman C. (1904), American Journal of Psychology 15, 72-101.

    Examples
    --------
    >>> rank_drops([[1, 10], [2, 30], [3, 20]], [11, 32, 23]).round(3).tolist()
    [0.0, 0.5]
    """
    from scipy.stats import rankdata

    parts, whole = _aligned(contributions, total)
    before = rankdata(np.round(whole, DIGITS))
    after = rankdata(np.round(whole[:, None] - parts, DIGITS), axis=0)
    before, after = before - before.mean(), after - after.mean(0)
    size = (before @ before) * (after * after).sum(0)
    # nothing is left of a ranking whose rest is one tie
    agreement = np.divide(before @ after, np.sqrt(size), out=np.zeros(len(size)), where=size > 0)
    return 1 - agreement if before.any() else np.zeros(parts.shape[1])


def jackknife(statistic: Callable[[NDArray[np.intp]], ArrayLike], u: int) -> Array:
    """Standard error of a statistic over units, by leaving out one unit at a time.

    Parameters
    ----------
    statistic : callable
        ``statistic(kept)`` for the positions of the units that are kept.
    u : int
        Number of units.

    Returns
    -------
    ndarray
        Of the statistic's shape.

    References
    ----------
    Tukey J. W. (1958), Annals of Mathematical Statistics 29, 614. Efron B., Stein C. (1981),
    Annals of Statistics 9, 586-596.

    Examples
    --------
    For a mean it is the usual standard error:

    >>> x = np.array([1.0, 2, 6])
    >>> float(jackknife(lambda kept: x[kept].mean(), 3).round(4)), round(x.std(ddof=1) / 3**0.5, 4)
    (1.5275, np.float64(1.5275))
    """
    everyone = np.arange(u)
    values = np.array([statistic(np.delete(everyone, i)) for i in everyone], dtype=float)
    return np.asarray(np.sqrt((u - 1) * values.var(axis=0)))


def _aligned(contributions: ArrayLike, total: ArrayLike) -> tuple[Array, Array]:
    parts, whole = np.asarray(contributions, float), np.asarray(total, float)
    if parts.ndim != 2 or whole.shape != parts.shape[:1]:
        raise ValueError(f"found shapes {parts.shape} and {whole.shape}; allowed: (u, c) and (u,)")
    if not (np.isfinite(parts).all() and np.isfinite(whole).all()):
        raise ValueError("found points that are no finite number; allowed: a number for every unit")
    return parts, whole
