"""Rules with bands: ladders of thresholds, target columns and qualitative levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import Array, keep_nan, numbers, pick, proportion, ramp

__all__ = ["completion_ladder", "five_band", "levels", "step_ladder"]


def step_ladder(
    x: ArrayLike, *, thresholds: ArrayLike, scores: ArrayLike, tops: ArrayLike | None = None
) -> Array:
    """Give each band between thresholds its score, or a range that is climbed linearly.

    A value that reaches a threshold is in the better band. Both lists go from the worst band to
    the best: where less is better the thresholds descend, and each is the largest value that
    still earns its band ("no case 100, one 50, from two on 0" is thresholds (1, 0) and scores
    (0, 50, 100)).

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    thresholds : array_like, shape (t,) or (k, 1, t)
        Where each better band begins.
    scores : array_like, shape (t + 1,) or (k, 1, t + 1)
        Score of each band, or where the band begins if `tops` is given.
    tops : array_like, shape (t + 1,) or (k, 1, t + 1), optional
        Score towards the upper end of each band. The first and the last band have no end to climb
        to and keep `scores`.

    Returns
    -------
    ndarray, shape (..., u)
        Scores.

    References
    ----------
    Hangzhou verification standard (degree of completion); a county file (no case, one, two).

    Examples
    --------
    >>> step_ladder([5, 10, 15, 20], thresholds=[10, 20], scores=[0, 60, 100])
    array([  0.,  60.,  60., 100.])
    >>> step_ladder([15], thresholds=[10, 20], scores=[0, 60, 100], tops=[0, 90, 100])
    array([75.])
    """
    x, thresholds, scores = numbers(x), numbers(thresholds), numbers(scores)
    band = np.sum(x[..., None] >= thresholds, axis=-1)
    out = pick(scores, band)
    if tops is not None and thresholds.shape[-1] > 1:
        inner = np.clip(band, 1, thresholds.shape[-1] - 1)
        way = ramp(x, pick(thresholds, inner - 1), pick(thresholds, inner))
        climbed = out + (pick(tops, band) - out) * np.clip(way, 0.0, 1.0)
        out = np.where(band == inner, climbed, out)
    return keep_nan(out, x)


def completion_ladder(
    x: ArrayLike,
    target: ArrayLike,
    *,
    thresholds: ArrayLike,
    scores: ArrayLike,
    tops: ArrayLike | None = None,
) -> Array:
    """Score the share of the task done on a ladder.

    The share is that of `completion_ratio`, in both directions. It is compared with the thresholds
    to nine decimals, so that 0.63 of 0.7 is 90 %.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Actual values.
    target : array_like, broadcastable to x
        Targets; one of zero or below is done in full or not at all.
    thresholds : array_like, shape (t,) or (k, 1, t)
        Where each better band begins, in percent of the target.
    scores, tops : array_like, shape (t + 1,) or (k, 1, t + 1)
        Scores at the lower and, optionally, towards the upper end of each band, as in
        `step_ladder`.

    Returns
    -------
    ndarray, shape (..., u)
        Scores.

    References
    ----------
    Hangzhou verification standard, degree of completion: 0.12-0.10 when done in full, 0.09 from
    90 %, 0.08-0.04 from 50 %, 0.03-0.01 from 20 %, otherwise 0.

    Examples
    --------
    >>> bands = dict(thresholds=[20, 50, 90, 100], scores=[0, 10, 35, 75, 100])
    >>> completion_ladder([10, 25, 35, 45, 50], 50, **bands)
    array([ 10.,  35.,  35.,  75., 100.])
    >>> completion_ladder([10, 25, 35, 45, 50], 50, **bands, tops=[0, 25, 65, 75, 100])
    array([ 10.,  35.,  50.,  75., 100.])
    """
    share = np.round(100.0 * proportion(x, target), 9)
    return step_ladder(share, thresholds=thresholds, scores=scores, tops=tops)


def five_band(
    x: ArrayLike,
    *,
    columns: ArrayLike,
    scores: ArrayLike = (100.0, 90.0, 80.0, 70.0, 60.0),
    below: ArrayLike = 0.0,
) -> Array:
    """Interpolate between five target columns worth 100, 90, 80, 70 and 60.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values; from the best column on the score is the best one.
    columns : array_like, shape (c,) or (k, 1, c)
        Target values, best first: they descend, or ascend where less is better.
    scores : array_like, shape (c,) or (k, 1, c), default (100, 90, 80, 70, 60)
        Score of each column, best first.
    below : array_like, default 0
        Score of a value worse than the worst column.

    Returns
    -------
    ndarray, shape (..., u)
        Scores.

    References
    ----------
    India, Results-Framework Document (five target columns; Haryana example).

    Examples
    --------
    >>> five_band([58, 60, 75, 95, 120], columns=[100, 90, 80, 70, 60])
    array([  0.,  60.,  75.,  95., 100.])
    """
    x, columns, scores = numbers(x), numbers(columns), numbers(scores)
    out = np.where(x >= columns[..., -1], scores[..., -1], below)
    for worse in range(columns.shape[-1] - 1, 0, -1):
        low, high = columns[..., worse], columns[..., worse - 1]
        way = np.minimum(ramp(x, low, high), 1.0)
        line = scores[..., worse] + (scores[..., worse - 1] - scores[..., worse]) * way
        out = np.where(x >= low, line, out)
    return keep_nan(np.where(x >= columns[..., 0], scores[..., 0], out), x)


def levels(
    x: ArrayLike,
    *,
    scores: ArrayLike = (100.0, 80.0, 60.0, 40.0),
    lows: ArrayLike | None = None,
) -> Array:
    """Score qualitative levels, given as positions 0, 1, 2, ... in a list.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Position of each unit's level. Without `lows` a position between two levels (the mean of
        several judges, say) lies on the line between their scores. With `lows` the fraction says
        how far down in its level a unit stands: 1.25 is a quarter down in the second level.
    scores : array_like, shape (v,) or (k, 1, v), default (100, 80, 60, 40)
        Score of each level, or the top of its range.
    lows : array_like, shape (v,) or (k, 1, v), optional
        Bottom of each level's range.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. There is no other direction: the list says which level is best.

    Raises
    ------
    ValueError
        If a position is not on the list.

    References
    ----------
    Four levels with coefficients 1.0, 0.8, 0.6, 0.4. Hangzhou innovation standard 2009: ranges
    1-0.8, 0.7-0.6, 0.5-0.3, 0.2-0.

    Examples
    --------
    >>> levels([0, 1, 2.5, 3])
    array([100.,  80.,  50.,  40.])
    >>> levels([0.5, 1], scores=[100, 70, 50, 20], lows=[80, 60, 30, 0])
    array([90., 70.])
    """
    x, scores = numbers(x), numbers(scores)
    last = scores.shape[-1] - 1
    unknown = x[(x < 0) | ((x > last) if lows is None else (x >= last + 1))]
    if unknown.size:
        allowed = f"0 to {last}" if lows is None else f"0 to below {last + 1}"
        raise ValueError(f"levels: found position {unknown[0]:g}; allowed: {allowed}")
    whole = np.floor(np.where(np.isnan(x), 0.0, x))
    lower = pick(scores, np.minimum(whole + 1, last)) if lows is None else pick(lows, whole)
    top = pick(scores, whole)
    return top + (lower - top) * (x - whole)
