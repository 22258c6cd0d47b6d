"""Rules with fixed points: another unit's value never changes a score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import Array, numbers, ramp, steps

__all__ = [
    "checklist",
    "control_count",
    "efficacy_exponential",
    "goalposts",
    "identity",
    "interval",
    "logistic",
]


def goalposts(x: ArrayLike, *, lower: ArrayLike, upper: ArrayLike, truncate: bool = True) -> Array:
    """Score the way from a lower to an upper goalpost: ``100 * (x - lower) / (upper - lower)``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    lower, upper : array_like
        Goalposts, ``lower < upper`` in both directions; where less is better `lower` earns 100.
        Should a draw bring them together, the score is 100 from there on and 0 before.
    truncate : bool, default True
        Keep scores between 0 and 100.

    Returns
    -------
    ndarray, shape (..., u)
        Scores.

    References
    ----------
    OECD/JRC, Handbook on Constructing Composite Indicators (2008), step 5. With quantiles of a
    base year as goalposts: COINr, ``n_goalposts``.

    Examples
    --------
    >>> goalposts([1, 2, 3, 6], lower=1, upper=5)
    array([  0.,  25.,  50., 100.])
    """
    way = ramp(x, lower, upper)
    return 100.0 * (np.clip(way, 0.0, 1.0) if truncate else way)


def efficacy_exponential(
    x: ArrayLike,
    *,
    lower: ArrayLike,
    upper: ArrayLike,
    base: ArrayLike = 60.0,
    truncate: bool = True,
) -> Array:
    """Score the way from a value not allowed to a satisfactory one, steeper near the top.

    ``base * exp(-ln(base / 100) * (x - lower) / (upper - lower))``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    lower, upper : array_like
        The value not allowed and the satisfactory one; where less is better they change places.
    base : array_like, default 60
        Score of the value not allowed; the satisfactory one earns 100.
    truncate : bool, default True
        Keep scores between `base` and 100.

    Returns
    -------
    ndarray, shape (..., u)
        Scores.

    References
    ----------
    Exponential efficacy function, People's Tribune tests of local governments: 60 to 100, reversed
    by swapping the two standards.

    Examples
    --------
    >>> efficacy_exponential([0, 5, 10], lower=0, upper=10).round(2)
    array([ 60.  ,  77.46, 100.  ])
    """
    way = ramp(x, lower, upper)
    way = np.clip(way, 0.0, 1.0) if truncate else way
    return 100.0 * (numbers(base) / 100.0) ** (1.0 - way)


def logistic(x: ArrayLike, *, middle: ArrayLike, slope: ArrayLike) -> Array:
    """Score on an S-shaped curve: ``100 / (1 + exp(-slope * (x - middle)))``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    middle : array_like
        The value that earns 50.
    slope : array_like
        Positive in both directions; at the middle a score changes by ``25 * slope`` per unit.

    Returns
    -------
    ndarray, shape (..., u)
        Scores between 0 and 100.

    References
    ----------
    Verhulst (1838), in the form used for desirability functions.

    Examples
    --------
    >>> logistic([0, 10, 20], middle=10, slope=0.2).round(2)
    array([11.92, 50.  , 88.08])
    """
    # the hyperbolic tangent is the same curve and cannot overflow
    return 50.0 * (1.0 + np.tanh(numbers(slope) * (numbers(x) - numbers(middle)) / 2.0))


def identity(x: ArrayLike, *, scale: ArrayLike = 1.0) -> Array:
    """Take the value as the score, for indicators that arrive as scores: ``scale * x``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values; nothing keeps them between 0 and 100.
    scale : array_like, default 1
        Factor, for instance 100 for shares.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. There is no other direction.

    References
    ----------
    Internal ratings and inspection scores are handed in on the scale of the scheme.

    Examples
    --------
    >>> identity([0.8, 0.95], scale=100)
    array([80., 95.])
    """
    return numbers(scale) * numbers(x)


def interval(
    x: ArrayLike,
    *,
    lower: ArrayLike,
    upper: ArrayLike,
    k: ArrayLike = 10.0,
    step: ArrayLike = 1.0,
    floor: ArrayLike = 0.0,
    whole_steps: bool = False,
) -> Array:
    """Give full marks inside an interval and take off points for every step outside it.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    lower, upper : array_like
        Ends of the interval, both inside it. The same in both directions.
    k : array_like, default 10
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
    Interval indicators (a price index, a debt ratio) of Chinese assessment schemes.

    Examples
    --------
    >>> interval([-2, 0, 4, 4.5], lower=-1, upper=4)
    array([ 90., 100., 100.,  95.])
    """
    x = numbers(x)
    outside = np.maximum(np.maximum(numbers(lower) - x, x - numbers(upper)), 0.0)
    return np.maximum(100.0 - numbers(k) * steps(outside, step, whole=whole_steps), floor)


def control_count(
    x: ArrayLike, *, k: ArrayLike = 20.0, allowed: ArrayLike = 0.0, floor: ArrayLike = 0.0
) -> Array:
    """Give full marks when nothing occurred and take off points per occurrence.

    ``max(floor, 100 - k * max(count - allowed, 0))``. Less is better by nature: the rule serves
    ``direction=-1`` only, so that a scheme says so.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Number of occurrences.
    k : array_like, default 20
        Points taken off per occurrence.
    allowed : array_like, default 0
        Occurrences that cost nothing.
    floor : array_like, default 0
        Lowest score.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `floor` to 100.

    References
    ----------
    Jiangxi 2012, control indicators: full marks if none, minus per occurrence, not below 0.

    Examples
    --------
    >>> control_count([0, 1, 7])
    array([100.,  80.,   0.])
    """
    over = np.maximum(numbers(x) - numbers(allowed), 0.0)
    return np.maximum(100.0 - numbers(k) * over, floor)


def checklist(
    x: ArrayLike, *, items: ArrayLike, deduct: ArrayLike | None = None, floor: ArrayLike = 0.0
) -> Array:
    """Take off points for every item of a list that was not fulfilled.

    ``max(floor, 100 - deduct * (items - fulfilled))``. With ``direction=-1`` the values are the
    items missed: ``max(floor, 100 - deduct * missed)``.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Number of items fulfilled.
    items : array_like
        Length of the list.
    deduct : array_like, optional
        Points taken off per missing item; by default ``100 / items``.
    floor : array_like, default 0
        Lowest score.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from `floor` to 100.

    References
    ----------
    Shicheng 2018: points per item, minus per miss, until none are left.

    Examples
    --------
    >>> checklist([10, 9, 5], items=10, deduct=15)
    array([100.,  85.,  25.])
    """
    return checklist_missed(numbers(items) - numbers(x), items=items, deduct=deduct, floor=floor)


def checklist_missed(
    x: ArrayLike, *, items: ArrayLike, deduct: ArrayLike | None = None, floor: ArrayLike = 0.0
) -> Array:
    """Score the number of items missed; see `checklist`."""
    each = 100.0 / numbers(items) if deduct is None else numbers(deduct)
    return np.maximum(100.0 - each * np.maximum(numbers(x), 0.0), floor)
