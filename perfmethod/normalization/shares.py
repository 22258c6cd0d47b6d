"""Rules that divide by the compared units' best value, sum, length or sum of logarithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.normalization._arrays import (
    Array,
    divide,
    highest,
    keep_nan,
    known_count,
    numbers,
    proportion,
    total,
)

__all__ = ["logarithmic", "max_linear", "ratio_to_best", "sum_share", "vector"]


def best_value(x: Array) -> dict[str, Array]:
    """Learn the largest value."""
    return {"best": highest(x)}


def largest_value(x: Array) -> dict[str, Array]:
    """Learn the largest value."""
    return {"largest": highest(x)}


def sum_of_values(x: Array) -> dict[str, Array]:
    """Learn the sum; a negative value counts as zero."""
    return {"whole": total(np.maximum(x, 0.0))}


def euclidean_length(x: Array) -> dict[str, Array]:
    """Learn the Euclidean length; scaled by the largest entry, so that squares cannot overflow."""
    scale = highest(np.abs(x))
    return {"norm": scale * np.sqrt(total(divide(x, scale, 0.0) ** 2))}


def sum_of_logarithms(x: Array) -> dict[str, Array]:
    """Learn the sum of the logarithms and the number of values."""
    return {"log_sum": total(_logarithm(x)), "count": known_count(x)}


def ratio_to_best(x: ArrayLike, *, best: ArrayLike | None = None) -> Array:
    """Score the ratio to the best of the compared units: ``100 * x / best``.

    Where less is better, ``100 * best / x`` with the smallest value as best; if that is zero, the
    units at zero earn 100 and the others 0.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values, on a scale with a true zero; a negative value earns nothing.
    best : array_like, optional
        The best value; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores from 0 to 100 for the best and for who beats a kept best. If the best is zero or
        below there is no ratio: who reaches it earns 100, the others 0.

    References
    ----------
    A county file: the first earns 6 points, the others in proportion to the first. Also the
    linear-ratio normalization of simple additive weighting.

    Examples
    --------
    >>> ratio_to_best([2, 4, 5])
    array([ 40.,  80., 100.])
    """
    x = numbers(x)
    return 100.0 * np.minimum(proportion(x, highest(x) if best is None else best), 1.0)


def max_linear(x: ArrayLike, *, largest: ArrayLike | None = None) -> Array:
    """Divide by the largest value: ``100 * x / max``, and ``100 * (1 - x / max)`` for costs.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values, not negative.
    largest : array_like, optional
        The largest value, in both directions; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. If the largest value is zero or below, who reaches it earns 100, the others 0;
        with ``direction=-1`` every unit then earns 100.

    References
    ----------
    Max normalization of multi-criteria decision analysis.

    Examples
    --------
    >>> max_linear([2, 4, 5])
    array([ 40.,  80., 100.])
    """
    x = numbers(x)
    return 100.0 * proportion(x, highest(x) if largest is None else largest)


def max_linear_cost(x: ArrayLike, *, largest: ArrayLike | None = None) -> Array:
    """Score costs by `max_linear`."""
    x = numbers(x)
    largest = numbers(highest(x) if largest is None else largest)
    share = np.where(largest > 0, proportion(x, largest), 0.0)
    return keep_nan(100.0 * (1.0 - share), x, largest)


def sum_share(x: ArrayLike, *, whole: ArrayLike | None = None) -> Array:
    """Score the share in the compared units' sum: ``100 * x / sum(x)``.

    Where less is better, the share in the sum of the reciprocals; units at zero then earn 100
    each and the others 0.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values; a negative one counts as zero.
    whole : array_like, optional
        The sum; learned from the units by default. With ``direction=-1`` it is the reciprocal of
        the sum of reciprocals.

    Returns
    -------
    ndarray, shape (..., u)
        Scores that add up to 100. If the sum is zero there is nothing to share and all are 0.

    References
    ----------
    Sum normalization of multi-criteria decision analysis.

    Examples
    --------
    >>> sum_share([1, 3, 4])
    array([12.5, 37.5, 50. ])
    """
    x = np.maximum(numbers(x), 0.0)
    whole = numbers(total(x) if whole is None else whole)
    # an infinite value is a zero turned over: see above
    share = np.where(np.isinf(x), 1.0, divide(np.where(np.isinf(x), 0.0, x), whole, 0.0))
    return keep_nan(100.0 * share, x, whole)


def vector(x: ArrayLike, *, norm: ArrayLike | None = None) -> Array:
    """Divide by the Euclidean length: ``100 * x / norm``, and ``100 * (1 - x / norm)`` for costs.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values.
    norm : array_like, optional
        The length of the vector of values; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores. If the length is zero, all are 0, or 100 with ``direction=-1``.

    References
    ----------
    Vector normalization of TOPSIS (Hwang and Yoon, 1981).

    Examples
    --------
    >>> vector([3, 4])
    array([60., 80.])
    """
    x = numbers(x)
    norm = numbers(euclidean_length(x)["norm"] if norm is None else norm)
    return keep_nan(100.0 * divide(x, norm, 0.0), x, norm)


def vector_cost(x: ArrayLike, *, norm: ArrayLike | None = None) -> Array:
    """Score costs by `vector`."""
    return 100.0 - vector(x, norm=norm)


def logarithmic(
    x: ArrayLike, *, log_sum: ArrayLike | None = None, count: ArrayLike | None = None
) -> Array:
    """Score the share in the sum of logarithms: ``100 * ln x / sum(ln x)``.

    For costs ``100 * (1 - ln x / sum(ln x)) / (n - 1)``. The sum of the logarithms is used, never
    the logarithm of the product, which overflows with long columns.

    Parameters
    ----------
    x : array_like, shape (..., u)
        Values above zero; meant for values above one, whose logarithms are positive.
    log_sum : array_like, optional
        Sum of the logarithms; learned from the units by default.
    count : array_like, optional
        Number of units with a value; learned from the units by default.

    Returns
    -------
    ndarray, shape (..., u)
        Scores that add up to 100. If the logarithms add up to zero, every unit earns 100 / n.

    Raises
    ------
    ValueError
        If a value is zero or below: it has no logarithm.

    References
    ----------
    Zavadskas and Turskis (2008), Informatica 19(2).

    Examples
    --------
    >>> logarithmic([10, 100, 1000]).round(2)
    array([16.67, 33.33, 50.  ])
    """
    return 100.0 * _logarithmic_share(numbers(x), log_sum, count)[0]


def logarithmic_cost(
    x: ArrayLike, *, log_sum: ArrayLike | None = None, count: ArrayLike | None = None
) -> Array:
    """Score costs by `logarithmic`; a single unit earns 100."""
    share, n = _logarithmic_share(numbers(x), log_sum, count)
    return keep_nan(100.0 * divide(1.0 - share, n - 1.0, 1.0), share)


def _logarithmic_share(
    x: Array, log_sum: ArrayLike | None, count: ArrayLike | None
) -> tuple[Array, Array]:
    """Return each unit's share in the sum of logarithms, and the number of units."""
    logs = _logarithm(x)
    log_sum = numbers(total(logs) if log_sum is None else log_sum)
    n = numbers(known_count(x) if count is None else count)
    return keep_nan(divide(logs, log_sum, divide(1.0, n, np.nan)), x, log_sum), n


def _logarithm(x: Array) -> Array:
    below = x[x <= 0]
    if below.size:
        raise ValueError(f"logarithmic: found {below[0]:g}; allowed: values above 0")
    return np.log(x)
