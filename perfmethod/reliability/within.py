"""Agreement of raters about each unit by itself: rwg, rwg(j), average deviation (AD)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.reliability._within import Index, WithinAgreement, within_agreement
from perfmethod.reliability.ratings import Ratings, as_ratings, refuse

__all__ = ["WithinAgreement", "average_deviation", "rwg", "rwg_j"]

Floats = NDArray[np.float64]


def rwg(
    ratings: ArrayLike | Ratings,
    scale: Sequence[float],
    *,
    null_variance: float | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> WithinAgreement:
    r"""Single-item within-unit agreement :math:`r_{wg} = 1 - s_u^2 / \sigma_E^2`.

    Parameters
    ----------
    ratings : array_like (n, r) or Ratings with one item
        n units by r raters, NaN where missing.
    scale : sequence of float (a,)
        Values of the scale's options: the variance expected without any agreement is that of a
        uniform distribution over them, for 1, ..., a :math:`(a^2 - 1) / 12`.
    null_variance : float, optional
        Another variance to compare with (a skewed null distribution, say).
    level : float
    draws : int
        Bootstrap replicates of raters as clusters (within categories); 0 for no intervals.
    seed : int or Generator

    Returns
    -------
    WithinAgreement
        A unit whose raters vary more than the null is set to 0, and its note says so.

    Raises
    ------
    DataError
        If no unit has two raters, a rating lies outside the scale, or there are several items.
    ValueError
        If the scale has fewer than two options, or the null variance is not positive.

    References
    ----------
    James, L. R., Demaree, R. G. and Wolf, G. (1984). Estimating within-group interrater
    reliability with and without response bias. Journal of Applied Psychology 69(1), 85-98.

    Examples
    --------
    >>> rwg([[4, 4, 5], [1, 3, 5]], range(1, 6), draws=0).table["value"].round(4).tolist()
    [0.8333, 0.0]
    """
    given = as_ratings(ratings)
    if len(given.items) != 1:
        refuse(f"{len(given.items)} items", "one item; rwg_j is for several")
    null = _null(given, scale, null_variance)
    raw = _variance_index(given, null, lambda ratio: 1 - ratio)
    return within_agreement("rwg", given, raw, level, draws, seed)


def rwg_j(
    ratings: ArrayLike | Ratings,
    scale: Sequence[float],
    *,
    null_variance: float | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> WithinAgreement:
    r"""Within-unit agreement on j parallel items.

    With :math:`q = \overline{s^2} / \sigma_E^2`, the mean of the items' variances over the null
    variance, :math:`r_{wg(j)} = j (1 - q) / (j (1 - q) + q)`.

    Parameters
    ----------
    ratings : array_like (n, r, j) or Ratings
        n units by r raters by j items, NaN where missing.
    scale, null_variance, level, draws, seed
        As in `rwg`.

    Returns
    -------
    WithinAgreement
        Set to 0 where q exceeds 1, with a note. Items no two raters answered are left out of a
        unit's mean, with a note.

    Raises
    ------
    DataError, ValueError
        As `rwg`.

    References
    ----------
    James, L. R., Demaree, R. G. and Wolf, G. (1984). Estimating within-group interrater
    reliability with and without response bias. Journal of Applied Psychology 69(1), 85-98.

    Examples
    --------
    >>> ballots = [[[4, 5], [4, 4], [5, 4]], [[1, 2], [3, 2], [5, 2]]]
    >>> rwg_j(ballots, range(1, 6), draws=0).table["value"].round(4).tolist()
    [0.9091, 0.0]
    """
    given = as_ratings(ratings)
    null = _null(given, scale, null_variance)
    j = len(given.items)

    def stepped_up(ratio: Floats) -> Floats:
        return np.where(ratio > 1, -1.0, j * (1 - ratio) / (j * (1 - ratio) + ratio))

    raw = _variance_index(given, null, stepped_up)
    return within_agreement(f"rwg(j), {j} items", given, raw, level, draws, seed)


def average_deviation(
    ratings: ArrayLike | Ratings,
    *,
    around: str = "mean",
    level: float = 0.95,
    draws: int = 1000,
    seed: int | np.random.Generator = 0,
) -> WithinAgreement:
    """Average deviation index AD_M or AD_Md: mean distance of ratings from a unit's center.

    Parameters
    ----------
    ratings : array_like (n, r) or (n, r, j), or Ratings
        n units by r raters (by j items: the index is the mean over the items), NaN where missing.
    around : {"mean", "median"}
        The center.
    level, draws, seed
        As in `rwg`.

    Returns
    -------
    WithinAgreement
        In units of the scale; 0 is perfect agreement. With options 1, ..., a, values up to a / 6
        are read as agreement (Burke and Dunlap 2002).

    Raises
    ------
    DataError
        If no unit has two raters.
    ValueError
        For an unknown center.

    References
    ----------
    Burke, M. J., Finkelstein, L. M. and Dusig, M. S. (1999). On average deviation indices for
    estimating interrater agreement. Organizational Research Methods 2(1), 49-68.

    Burke, M. J. and Dunlap, W. P. (2002). Estimating interrater agreement with the average
    deviation index: a user's guide. Organizational Research Methods 5(2), 159-172.

    Examples
    --------
    >>> average_deviation([[4, 4, 5], [1, 3, 5]], draws=0).table["value"].round(4).tolist()
    [0.4444, 1.3333]
    """
    if around not in _CENTERS:
        raise ValueError(f"found around={around!r}; allowed: {suggest(str(around), _CENTERS)}")
    given = as_ratings(ratings)
    center = _CENTERS[around]

    def index(weight: Floats) -> Floats:
        return _over_items(given, weight, center)

    name = {"mean": "AD_M", "median": "AD_Md"}[around]
    name += f"({len(given.items)} items)" if len(given.items) > 1 else ""
    return within_agreement(name, given, index, level, draws, seed)


def _null(given: Ratings, scale: Sequence[float], null_variance: float | None) -> float:
    options = np.unique(np.asarray(scale, float))
    if options.size < 2:
        raise ValueError(f"found a scale of {options.size} options; allowed: at least two")
    x = given.values[~np.isnan(given.values)]
    if x.size and (x.min() < options[0] or x.max() > options[-1]):
        ends = f"between {options[0]:g} and {options[-1]:g}, the ends of the scale"
        refuse(f"ratings from {x.min():g} to {x.max():g}", ends)
    null = float(options.var()) if null_variance is None else float(null_variance)
    if not null > 0:
        raise ValueError(f"found null_variance={null_variance!r}; allowed: a positive number")
    return null


def _variance_index(given: Ratings, null: float, index: Index) -> Index:
    """Index from the mean variance of the items; negative where there is less than none."""
    return lambda weight: index(_over_items(given, weight, _variance) / null)


def _over_items(
    given: Ratings,
    weight: Floats,
    spread: Callable[[NDArray[np.intp], Floats, Floats, int], Floats],
) -> Floats:
    """Mean over the items of a spread inside each unit (u,); NaN where no item has one."""
    n = len(given.units)
    total, items = np.zeros(n), np.zeros(n)
    for x in given.values.T:
        kept = ~np.isnan(x) & (weight > 0)
        found = spread(given.unit[kept], x[kept], weight[kept], n)
        there = ~np.isnan(found)
        total[there] += found[there]
        items += there
    return np.divide(total, items, out=np.full(n, np.nan), where=items > 0)


def _variance(unit: NDArray[np.intp], x: Floats, w: Floats, n: int) -> Floats:
    """Variance (u,): half the mean squared difference of two different raters."""
    size = np.bincount(unit, w, n)
    pairs = size**2 - np.bincount(unit, w * w, n)
    mean = np.divide(np.bincount(unit, w * x, n), size, out=np.zeros(n), where=size > 0)
    squares = np.bincount(unit, w * (x - mean[unit]) ** 2, n)
    return np.divide(size * squares, pairs, out=np.full(n, np.nan), where=pairs > 0)


def _mean_deviation(unit: NDArray[np.intp], x: Floats, w: Floats, n: int) -> Floats:
    size = np.bincount(unit, w, n)
    mean = np.divide(np.bincount(unit, w * x, n), size, out=np.zeros(n), where=size > 0)
    return _mean_distance(unit, x - mean[unit], w, n)


def _median_deviation(unit: NDArray[np.intp], x: Floats, w: Floats, n: int) -> Floats:
    order = np.lexsort((x, unit))
    unit, x, w = unit[order], x[order], w[order]
    size = np.bincount(unit, w, n)
    middle = np.cumsum(size) - size / 2  # of each unit, on the running sum of weights
    running = np.cumsum(w)
    there = size > 0
    ends = [np.searchsorted(running, middle[there], side=side) for side in ("left", "right")]
    median = np.zeros(n)
    median[there] = (x[ends[0]] + x[np.minimum(ends[1], x.size - 1)]) / 2
    return _mean_distance(unit, x - median[unit], w, n)


def _mean_distance(unit: NDArray[np.intp], away: Floats, w: Floats, n: int) -> Floats:
    """Mean absolute value (u,), NaN for a unit with one rater."""
    size = np.bincount(unit, w, n)
    several = np.bincount(unit, minlength=n) > 1
    total = np.bincount(unit, w * np.abs(away), n)
    return np.divide(total, size, out=np.full(n, np.nan), where=several)


_CENTERS = {"mean": _mean_deviation, "median": _median_deviation}
