"""Weights from an order of importance alone, and no order at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import DataError, Problems
from perfmethod.weighting.result import Array, Weighting, checked_names

__all__ = ["equal", "rank_order_centroid", "rank_reciprocal", "rank_sum"]

_NO_ERROR = "no standard error: a convention, not an estimate"


def equal(n: int, *, names: Sequence[str] | None = None) -> Weighting:
    """Give every criterion the same weight.

    Parameters
    ----------
    n : int
        Number of criteria.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting

    Raises
    ------
    DataError
        If `n` is not a whole number of at least 1.

    Examples
    --------
    >>> equal(4).weights.tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    k = int(_places(n, None)[-1])
    return Weighting(
        weights=np.full(k, 1 / k),
        method="equal",
        names=checked_names(names, k),
        notes=(_NO_ERROR,),
    )


def rank_order_centroid(ranking: ArrayLike, *, names: Sequence[str] | None = None) -> Weighting:
    r"""Weigh by the center of all weights that respect the order.

    The criterion in place r of n gets :math:`w_r = \frac{1}{n}\sum_{j=r}^{n} \frac{1}{j}`: the
    mean of the simplex of weights with :math:`w_1 \ge w_2 \ge \dots \ge w_n`.

    Parameters
    ----------
    ranking : array_like (n,) or int
        Places: 1 is the most important. Tied criteria may share a place in any of the usual ways
        (1 2 2 4, 1 2 2 3 or 1 2.5 2.5 4): they get the mean of the weights of the places they fill
        together, so that the weights still sum to 1. A whole number n stands for the order
        1, 2, ..., n.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting

    Raises
    ------
    DataError
        If a place is missing, below 1 or above n (points instead of places would be turned
        upside down in silence).

    References
    ----------
    Barron, F. H. and Barrett, B. E. (1996). Decision quality using ranked attribute weights.
    Management Science 42(11), 1515-1523.

    Examples
    --------
    >>> rank_order_centroid(3).weights.round(4).tolist()
    [0.6111, 0.2778, 0.1111]
    >>> rank_order_centroid([3, 1, 1]).weights.round(4).tolist()
    [0.1111, 0.4444, 0.4444]
    """
    return _by_place("rank_order_centroid", ranking, names, _centroid)


def rank_sum(ranking: ArrayLike, *, names: Sequence[str] | None = None) -> Weighting:
    r"""Weigh in proportion to the number of places from the bottom.

    :math:`w_r = \frac{2 (n + 1 - r)}{n (n + 1)}`.

    Parameters
    ----------
    ranking : array_like (n,) or int
        As in `rank_order_centroid`, ties included.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting

    Raises
    ------
    DataError
        As in `rank_order_centroid`.

    References
    ----------
    Stillwell, W. G., Seaver, D. A. and Edwards, W. (1981). A comparison of weight approximation
    techniques in multiattribute utility decision making. Organizational Behavior and Human
    Performance 28(1), 62-77.

    Examples
    --------
    >>> rank_sum(3).weights.round(4).tolist()
    [0.5, 0.3333, 0.1667]
    """
    return _by_place("rank_sum", ranking, names, lambda n: np.arange(n, 0, -1.0))


def rank_reciprocal(ranking: ArrayLike, *, names: Sequence[str] | None = None) -> Weighting:
    r"""Weigh in proportion to 1 over the place.

    :math:`w_r = \frac{1 / r}{\sum_{j=1}^{n} 1 / j}`.

    Parameters
    ----------
    ranking : array_like (n,) or int
        As in `rank_order_centroid`, ties included.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting

    Raises
    ------
    DataError
        As in `rank_order_centroid`.

    References
    ----------
    Stillwell, W. G., Seaver, D. A. and Edwards, W. (1981), as in `rank_sum`.

    Examples
    --------
    >>> rank_reciprocal(3).weights.round(4).tolist()
    [0.5455, 0.2727, 0.1818]
    """
    return _by_place("rank_reciprocal", ranking, names, lambda n: 1 / np.arange(1.0, n + 1))


def _by_place(
    method: str, ranking: ArrayLike, names: Sequence[str] | None, terms: Callable[[int], Array]
) -> Weighting:
    """Weights from the terms of n untied places, shared among criteria that are tied."""
    places = _places(ranking, names)
    term = terms(len(places))
    _, group, size = np.unique(places, return_inverse=True, return_counts=True)
    # the groups fill the places from the top: group g takes the next size[g] of them
    mean = np.add.reduceat(term, np.cumsum(size) - size) / size
    return Weighting(
        weights=mean[group] / term.sum(),
        method=method,
        names=checked_names(names, len(places)),
        notes=(f"{_NO_ERROR}; only the order was used",),
    )


def _centroid(n: int) -> Array:
    return np.cumsum(1 / np.arange(n, 0, -1.0))[::-1] / n


def _places(ranking: ArrayLike, names: Sequence[str] | None) -> Array:
    """Places (n,) of the criteria, each at least 1 and at most n."""
    problems = Problems("ranking")
    given = np.asarray(ranking)
    if given.ndim == 0:
        if given.dtype.kind not in "iu" or given < 1:
            problems.add(repr(given.item()), "a whole number of criteria, at least 1")
        problems.raise_any(DataError)
        return np.arange(1.0, int(given) + 1)
    places = given.astype(float)
    if places.ndim != 1 or not places.size:
        problems.add(f"an array of shape {places.shape}", "one place for each criterion, (n,)")
        problems.raise_any(DataError)
    for name, place in zip(checked_names(names, len(places)), places, strict=True):
        if not 1 <= place <= len(places):  # NaN fails as well
            problems.add(f"{place:g}", f"a place from 1 to {len(places)}", row=name)
    problems.raise_any(DataError)
    return places
