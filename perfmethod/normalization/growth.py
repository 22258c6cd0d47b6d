"""Rules that give a fixed score at the target and count points from there."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import Array, numbers

__all__ = ["growth_anchor", "tiered_diminishing"]


def growth_anchor(
    x: ArrayLike,
    target: ArrayLike,
    *,
    at_target: ArrayLike = 80.0,
    per_point: ArrayLike = 1.0,
    cap: ArrayLike = 100.0,
    floor: ArrayLike = 0.0,
) -> Array:
    """Give a fixed score at the target growth and add or take off points from there.

    ``clip(at_target + per_point * (actual - target), floor, cap)``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual growth, in percent.
    target : array_like, broadcastable to x
        Target growth, in percent.
    at_target : array_like, default 80
        Score at the target.
    per_point : array_like, default 1
        Score per percentage point above or below it.
    cap, floor : array_like, default 100 and 0
        Highest and lowest score.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `floor` to `cap`.

    References
    ----------
    A supply co-operative's scheme: target growth earns 80 % of the points, plus or minus 0.5 per
    percentage point, capped. A list of local rules: 15 points at the target, 0.3 per point.

    Examples
    --------
    >>> growth_anchor([8, 10, 13], 10, per_point=2, cap=110)
    array([76., 80., 86.])
    """
    gap = numbers(x) - numbers(target)
    return np.maximum(np.minimum(numbers(at_target) + numbers(per_point) * gap, cap), floor)


def tiered_diminishing(
    x: ArrayLike,
    target: ArrayLike,
    *,
    base: ArrayLike = 100.0,
    width: ArrayLike = 10.0,
    divisors: ArrayLike = (20.0, 40.0, 60.0),
    floor: ArrayLike = 0.0,
) -> Array:
    """Add less and less for each further tier above a mean, and take off likewise below it.

    ``base * (1 + x1/20 + x2/40 + x3/60)``, where x1, x2, x3 are the percentage points above the
    mean that fall into successive tiers of 10; below the mean the same is taken off. What lies
    beyond the last tier changes nothing.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual values, in percent.
    target : array_like, broadcastable to x
        The mean to compare with, for instance the province's.
    base : array_like, default 100
        Score at the mean.
    width : array_like, default 10
        Width of a tier.
    divisors : array_like, shape (t,) or (k, 1, t), default (20, 40, 60)
        What the points in each tier are divided by.
    floor : array_like, default 0
        Lowest score.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `floor` up to base * (1 + width * sum(1 / divisors)): 191.67 by default.

    References
    ----------
    Heilongjiang, assessment of projects.

    Examples
    --------
    >>> tiered_diminishing([-5, 0, 10, 20], 0)
    array([ 75., 100., 150., 175.])
    """
    gap, width, divisors = numbers(x) - numbers(target), numbers(width), numbers(divisors)
    gain = np.zeros_like(gap)
    for tier in range(divisors.shape[-1]):
        inside = np.clip(np.abs(gap) - tier * width, 0.0, width)
        gain = gain + inside / divisors[..., tier]
    return np.maximum(numbers(base) * (1.0 + np.sign(gap) * gain), floor)
