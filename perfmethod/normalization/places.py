"""Rules that look only at the order of the compared units.

They learn nothing that could be kept: a place exists only among the units present.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import Array, divide, keep_nan, known_count, numbers, pick
from perfmethod.normalization._arrays import ranks as _ranks

__all__ = ["borda", "percentile_rank", "rank", "rank_points"]


def rank(x: ArrayLike) -> Array:
    """Rank the units ascending: 1 for the worst; equal values share the lowest place.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.

    Returns
    -------
    ndarray, shape (..., u)
        Places from 1 to the number of units with a value; not scores from 0 to 100.

    References
    ----------
    OECD/JRC, Handbook on Constructing Composite Indicators (2008), step 5. COINr, ``n_rank``.

    Examples
    --------
    >>> rank([7, 3, 7, 9])
    array([2., 1., 2., 4.])
    """
    return _ranks(numbers(x), ties="min")


def borda(x: ArrayLike) -> Array:
    """Count the units a unit beats; a tie counts half.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.

    Returns
    -------
    ndarray, shape (..., u)
        Points from 0 to n - 1; not scores from 0 to 100. Equal values all earn (n - 1) / 2.

    References
    ----------
    de Borda (1781), with half a point per tie.

    Examples
    --------
    >>> borda([7, 3, 7, 9])
    array([1.5, 0. , 1.5, 3. ])
    """
    return _ranks(numbers(x), ties="average") - 1.0


def percentile_rank(x: ArrayLike) -> Array:
    """Score the share of the other units that a unit beats; a tie counts half.

    ``100 * (rank - 1) / (n - 1)`` with mean ranks for equal values.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from 0 to 100. Equal values all earn 50, and so does a unit without others.

    References
    ----------
    OECD/JRC, Handbook on Constructing Composite Indicators (2008), step 5. COINr, ``n_prank``.

    Examples
    --------
    >>> percentile_rank([7, 3, 7, 9])
    array([ 50.,   0.,  50., 100.])
    """
    x = numbers(x)
    return keep_nan(100.0 * divide(borda(x), known_count(x) - 1.0, 0.5), x)


def rank_points(
    x: ArrayLike,
    *,
    step: ArrayLike = 5.0,
    points: ArrayLike | None = None,
    floor: ArrayLike = 0.0,
) -> Array:
    """Give points by place: 100 to the first, 5 fewer for every place after it.

    Units with equal values share the better place, and the places after it stay empty.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    step : array_like, default 5
        Points lost per place; not used with `points`.
    points : array_like, shape (p,) or (k, 1, p), optional
        Points of the first, second, ... place; places beyond the list earn `floor`.
    floor : array_like, default 0
        Lowest score.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. Equal values are all first.

    References
    ----------
    A county file: places 1 to 5 earn 60, 57, 54, 51, 48 of 60 points.

    Examples
    --------
    >>> rank_points([7, 3, 7, 9])
    array([ 95.,  85.,  95., 100.])
    >>> rank_points([7, 3, 7, 9], points=[100, 60, 30], floor=10)
    array([ 60.,  10.,  60., 100.])
    """
    x = numbers(x)
    place = _ranks(-x, ties="min")
    if points is None:
        return np.maximum(100.0 - numbers(step) * (place - 1.0), floor)
    last = numbers(points).shape[-1]
    listed = pick(points, np.clip(np.nan_to_num(place, nan=1.0), 1, last) - 1.0)
    return keep_nan(np.where(place <= last, np.maximum(listed, floor), floor), place)
