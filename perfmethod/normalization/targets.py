"""Rules that compare what a unit did with its own target."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import Array, divide, keep_nan, numbers, proportion, steps

__all__ = [
    "ceiling",
    "completion_ratio",
    "deviation",
    "linear_deduction",
    "threshold",
]


def completion_ratio(
    x: ArrayLike, target: ArrayLike, *, cap: ArrayLike = 1.0, bonus_rate: ArrayLike = 1.0
) -> Array:
    """Score the share of the target that was done: full marks when met, in proportion below.

    ``100 * (min(r, 1) + bonus_rate * clip(r - 1, 0, cap - 1))`` with ``r = actual / target``.
    Where less is better, ``r = target / actual``: over the target, in proportion.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual values, on a scale with a true zero; a negative value earns nothing.
    target : array_like, broadcastable to x
        Targets. A target of zero or below has no proportion: 100 when met, otherwise 0.
    cap : array_like, default 1
        Ratio up to which doing more than the target still counts.
    bonus_rate : array_like, default 1
        Points per percent done beyond the target.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from 0 to ``100 * (1 + bonus_rate * (cap - 1))``.

    References
    ----------
    Completion ratio: Jilin city, second class of indicators. Met in full, short in proportion,
    in both directions: rule list of a published indicator system.

    Examples
    --------
    >>> completion_ratio([45, 50, 60], 50, cap=1.1)
    array([ 90., 100., 110.])
    """
    ratio = proportion(x, target)
    over = np.clip(ratio - 1.0, 0.0, np.maximum(numbers(cap) - 1.0, 0.0))
    return 100.0 * (np.minimum(ratio, 1.0) + numbers(bonus_rate) * over)


def threshold(
    x: ArrayLike, target: ArrayLike, *, met: ArrayLike = 100.0, missed: ArrayLike = 0.0
) -> Array:
    """Give full marks when the target is met and nothing otherwise.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual values.
    target : array_like, broadcastable to x
        Targets; a value equal to its target meets it, in either direction.
    met, missed : array_like, default 100 and 0
        The two scores.

    Returns
    -------
    ndarray, shape (..., u)
        `met` or `missed`.

    References
    ----------
    Shicheng 2018, river-chief table: sewage treatment rate at least 80 %, otherwise 0.

    Examples
    --------
    >>> threshold([79.9, 80, 95], 80)
    array([  0., 100., 100.])
    """
    x, target = numbers(x), numbers(target)
    return keep_nan(np.where(x >= target, met, missed), x, target)


def ceiling(x: ArrayLike, target: ArrayLike, *, floor: ArrayLike = 0.0) -> Array:
    """Give full marks up to a ceiling and take off the excess as a share of it.

    ``100 if actual <= target else max(floor, 100 * (2 - actual / target))``. The function is
    written for an indicator where less is better, so ``direction=-1`` uses it as it stands; with
    ``direction=1`` the target is a lower limit, and the shortfall is taken off as a share of it,
    which for positive targets is `completion_ratio` without a bonus.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual values.
    target : array_like, broadcastable to x
        Ceilings. A ceiling of zero is either kept (100) or not (`floor`).
    floor : array_like, default 0
        Lowest score.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `floor` to 100.

    References
    ----------
    Counterpart of the completion ratio for indicators that must not exceed a limit (energy used
    per unit of output, complaints): the excess is deducted in proportion.

    Examples
    --------
    >>> ceiling([8, 10, 12, 25], 10)
    array([100., 100.,  80.,   0.])
    """
    x, target = numbers(x), numbers(target)
    excess = np.maximum(x - target, 0.0)
    share = divide(excess, np.abs(target), np.where(excess > 0, np.inf, 0.0))
    return keep_nan(np.maximum(100.0 - 100.0 * share, floor), x, target)


def linear_deduction(
    x: ArrayLike,
    target: ArrayLike,
    *,
    k: ArrayLike = 5.0,
    step: ArrayLike = 1.0,
    floor: ArrayLike = 0.0,
    whole_steps: bool = False,
) -> Array:
    """Take off points for every step by which the target is missed.

    ``max(floor, 100 - k * shortfall / step)``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual values.
    target : array_like, broadcastable to x
        Targets, on the same scale.
    k : array_like, default 5
        Points taken off per step.
    step : array_like, default 1
        Length of a step, on the indicator's scale.
    floor : array_like, default 0
        Lowest score.
    whole_steps : bool, default False
        Count complete steps only.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `floor` to 100.

    References
    ----------
    A county file: not less than 20 % earns 1 point, minus 0.05 per 1 % short (k=5, step=1).
    Jiangxi 2012: minus 1 point per 0.1 percentage point short.

    Examples
    --------
    >>> linear_deduction([21, 20, 18.5], 20)
    array([100. , 100. ,  92.5])
    >>> linear_deduction([0.7], 1.0, k=10, step=0.1, whole_steps=True)
    array([70.])
    """
    short = np.maximum(numbers(target) - numbers(x), 0.0)
    return np.maximum(100.0 - numbers(k) * steps(short, step, whole=whole_steps), floor)


def deviation(
    x: ArrayLike,
    target: ArrayLike,
    *,
    k: ArrayLike = 1.0,
    step: ArrayLike = 3.0,
    relative: bool = True,
    floor: ArrayLike = 0.0,
    whole_steps: bool = False,
) -> Array:
    """Take off points for every step away from the plan, either way.

    ``max(floor, 100 - k * distance / step)``, the distance in percent of the plan or, with
    ``relative=False``, on the indicator's scale. The same in both directions.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual values.
    target : array_like, broadcastable to x
        Plans. A plan of zero, taken relatively, is either kept (100) or not (`floor`).
    k : array_like, default 1
        Points taken off per step.
    step : array_like, default 3
        Length of a step.
    relative : bool, default True
        Measure the distance in percent of the plan.
    floor : array_like, default 0
        Lowest score.
    whole_steps : bool, default False
        Count complete steps only.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `floor` to 100.

    References
    ----------
    Ministry of Finance, trial rules for central spending: minus 1 per 3 % of difference in
    amount, or per 4 % in time.

    Examples
    --------
    >>> deviation([94, 100, 106], 100)
    array([ 98., 100.,  98.])
    """
    x, target = numbers(x), numbers(target)
    distance = np.abs(x - target)
    if relative:
        unmeasured = np.where(distance > 0, np.inf, 0.0)
        distance = 100.0 * divide(distance, np.abs(target), unmeasured)
    lost = numbers(k) * steps(distance, step, whole=whole_steps)
    return keep_nan(np.maximum(100.0 - lost, floor), x, target)
