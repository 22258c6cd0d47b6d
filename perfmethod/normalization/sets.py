"""Rules on the spread of the compared units, and distances to a point beside it.

What such a rule learns (extremes, mean and spread) can be kept and applied to other units, where
scores may leave the range they had.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import (
    Array,
    divide,
    highest,
    keep_nan,
    known_count,
    lowest,
    numbers,
    ramp,
    total,
)

__all__ = [
    "distance_to_maximum",
    "distance_to_reference",
    "distance_to_target",
    "efficacy",
    "minmax",
    "zscore",
]


def extremes(x: Array) -> dict[str, Array]:
    """Learn the smallest and the largest value."""
    return {"lower": lowest(x), "upper": highest(x)}


def worst_value(x: Array) -> dict[str, Array]:
    """Learn the smallest value."""
    return {"worst": lowest(x)}


def worst_below(x: Array, *, reference: ArrayLike = np.inf) -> dict[str, Array]:
    """Learn the smallest value, or the reference where every unit is above it.

    From there on the score is a step at the reference, wherever the smallest value lies: what is
    kept can then be told from a reference and a worst value that were exchanged by mistake.
    """
    return {"worst": np.minimum(lowest(x), numbers(reference))}


def moments(x: Array) -> dict[str, Array]:
    """Learn mean and standard deviation (n - 1); equal values have exactly their value and 0."""
    n, low, high = known_count(x), lowest(x), highest(x)
    mean = divide(total(x), n, np.nan)
    square = divide(total((x - mean) ** 2), n - 1.0, 0.0)
    same = low == high  # the mean of three 0.1 is not 0.1 in binary
    return {"mean": np.where(same, low, mean), "sd": np.where(same, 0.0, np.sqrt(square))}


def minmax(
    x: ArrayLike,
    *,
    to: ArrayLike = (0.0, 100.0),
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Array:
    """Stretch the compared units' values to a range: worst to best.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    to : array_like, shape (2,) or (k, 1, 2), default (0, 100)
        Scores of the worst and the best unit.
    lower, upper : array_like, optional
        Smallest and largest value; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. If all values are equal, every unit is a best unit and earns ``to[1]``; with kept
        extremes that are equal, values below them earn ``to[0]``.

    References
    ----------
    OECD/JRC, Handbook on Constructing Composite Indicators (2008), step 5.

    Examples
    --------
    >>> minmax([2, 4, 10])
    array([  0.,  25., 100.])
    >>> minmax([2, 4, 12], lower=2, upper=10)
    array([  0.,  25., 125.])
    """
    x, to = numbers(x), numbers(to)
    lower = lowest(x) if lower is None else lower
    upper = highest(x) if upper is None else upper
    return to[..., 0] + (to[..., 1] - to[..., 0]) * ramp(x, lower, upper)


def efficacy(
    x: ArrayLike,
    *,
    base: ArrayLike = 60.0,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> Array:
    """Score the efficacy coefficient: 60 for the worst of the compared units, 100 for the best.

    ``60 + 40 * (x - min) / (max - min)``. A score depends on the other units, and so does the
    order of two units once several indicators are added up: adding a third unit can reverse it.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    base : array_like, default 60
        Score of the worst unit.
    lower, upper : array_like, optional
        Smallest and largest value; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `base` to 100; 100 for everybody if all values are equal.

    References
    ----------
    Jiangxi 2012, dynamic indicators.

    Examples
    --------
    >>> efficacy([2, 4, 10])
    array([ 60.,  70., 100.])
    """
    x, base = numbers(x), numbers(base)
    lower = lowest(x) if lower is None else lower
    upper = highest(x) if upper is None else upper
    return base + (100.0 - base) * ramp(x, lower, upper)


def zscore(
    x: ArrayLike,
    *,
    to: ArrayLike = (0.0, 1.0),
    mean: ArrayLike | None = None,
    sd: ArrayLike | None = None,
) -> Array:
    """Count standard deviations from the mean of the compared units.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    to : array_like, shape (2,) or (k, 1, 2), default (0, 1)
        Mean and standard deviation the scores shall have, for instance (50, 10).
    mean, sd : array_like, optional
        Mean and standard deviation (n - 1) of the values; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores, without limits. Where the standard deviation is zero (equal values, a single unit)
        no distance can be counted and every score is ``to[0]``.

    References
    ----------
    OECD/JRC, Handbook on Constructing Composite Indicators (2008), step 5.

    Examples
    --------
    >>> zscore([1, 2, 3], to=(50, 10))
    array([40., 50., 60.])
    """
    x, to = numbers(x), numbers(to)
    if mean is None or sd is None:
        found = moments(x)
        mean = found["mean"] if mean is None else mean
        sd = found["sd"] if sd is None else sd
    z = keep_nan(divide(x - numbers(mean), sd, 0.0), x, mean, sd)
    return to[..., 0] + to[..., 1] * z


def distance_to_maximum(
    x: ArrayLike, *, lower: ArrayLike | None = None, upper: ArrayLike | None = None
) -> Array:
    """Take off the distance to the best unit, in percent of the range.

    ``100 * (1 - (max - x) / (max - min))``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    lower, upper : array_like, optional
        Smallest and largest value; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from 0 to 100; 100 for everybody if all values are equal.

    References
    ----------
    COINr, ``n_dist2max``.

    Examples
    --------
    >>> distance_to_maximum([2, 4, 10])
    array([  0.,  25., 100.])
    """
    return minmax(x, lower=lower, upper=upper)


def distance_to_reference(
    x: ArrayLike, *, reference: ArrayLike, worst: ArrayLike | None = None, truncate: bool = False
) -> Array:
    """Take off the distance to a reference value, in percent of its distance from the worst unit.

    ``100 * (1 - (reference - x) / (reference - worst))``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    reference : array_like
        The value that earns 100, for instance another city's.
    worst : array_like, optional
        The value that earns 0; by default the worst among the units, or the reference if that is
        worse.
    truncate : bool, default False
        Keep scores between 0 and 100.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. If the reference is no better than the worst value, units that reach it earn 100
        and the others 0.

    References
    ----------
    COINr, ``n_dist2ref``; OECD/JRC Handbook (2008), step 5, distance to a reference.

    Examples
    --------
    >>> distance_to_reference([2, 4, 10], reference=6)
    array([  0.,  50., 200.])
    """
    x = numbers(x)
    way = ramp(x, lowest(x) if worst is None else worst, reference)
    return 100.0 * (np.clip(way, 0.0, 1.0) if truncate else way)


def distance_to_target(
    x: ArrayLike, target: ArrayLike, *, worst: ArrayLike | None = None, truncate: bool = True
) -> Array:
    """Take off the distance to the target, in percent of its distance from the worst unit.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    target : array_like, broadcastable to x
        The value that earns 100.
    worst : array_like, optional
        The value that earns 0; by default the worst among the units.
    truncate : bool, default True
        Keep scores between 0 and 100.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. A target no better than the worst value earns 100 where reached, otherwise 0.

    References
    ----------
    COINr, ``n_dist2targ``.

    Examples
    --------
    >>> distance_to_target([2, 4, 10], 6)
    array([  0.,  50., 100.])
    """
    return distance_to_reference(x, reference=target, worst=worst, truncate=truncate)
