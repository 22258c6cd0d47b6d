"""Weights between categories: how much two different answers agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.reliability.ratings import refuse

__all__ = ["WEIGHTS", "category_weights"]

Floats = NDArray[np.float64]


def _identity(x: Floats) -> Floats:
    return np.eye(x.size)


def _power(power: float) -> Callable[[Floats], Floats]:
    """One minus a power of the distance, the longest distance counting 1."""

    def weigh(x: Floats) -> Floats:
        return 1 - (np.abs(x[:, None] - x) / np.ptp(x)) ** power

    return weigh


def _ordinal(x: Floats) -> Floats:
    """One minus the pairs of categories from the one to the other, over the pairs of all."""
    rank = np.arange(x.size)
    between = np.abs(rank[:, None] - rank) + 1
    return 1 - between * (between - 1) / (x.size * (x.size - 1))


def _ratio(x: Floats) -> Floats:
    total = x[:, None] + x
    part = np.divide(x[:, None] - x, total, out=np.zeros(total.shape), where=total > 0)
    return 1 - (part / ((x.max() - x.min()) / (x.max() + x.min()))) ** 2


#: Weights between categories by name: function of the categories' values (q,), gives (q, q).
WEIGHTS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "identity": _identity,
        "quadratic": _power(2.0),
        "linear": _power(1.0),
        "ordinal": _ordinal,
        "radical": _power(0.5),
        "ratio": _ratio,
    }
)


def category_weights(weights: str | ArrayLike, categories: Floats) -> Floats:
    """Weights (q, q) between categories: by name, or as given.

    Parameters
    ----------
    weights : str or array_like (q, q)
        A name in `WEIGHTS`, or a symmetric table with 1 on its diagonal and values in 0-1.
    categories : ndarray (q,)
        Values of the categories, ascending.

    Raises
    ------
    ValueError
        For an unknown name, or a table that is none of weights.

    References
    ----------
    Gwet, K. L. (2014). Handbook of Inter-Rater Reliability, 4th edition. Advanced Analytics,
    chapter 3.

    Examples
    --------
    >>> category_weights("linear", np.array([1.0, 2.0, 3.0]))[0].tolist()
    [1.0, 0.5, 0.0]
    """
    if isinstance(weights, str):
        if weights not in WEIGHTS:
            raise ValueError(f"found weights {weights!r}; allowed: {suggest(weights, WEIGHTS)}")
        if weights == "ratio" and categories.min() < 0:
            refuse(f"the value {categories.min():g}", "values of at least 0 for ratio weights")
        return WEIGHTS[weights](categories)
    table = np.asarray(weights, float)
    q = categories.size
    fits = table.shape == (q, q) and np.array_equal(table, table.T)
    if not fits or (np.diag(table) != 1).any() or table.min() < 0 or table.max() > 1:
        raise ValueError(
            f"found a table of shape {table.shape}; allowed: a symmetric one ({q}, {q}) with 1 on "
            "the diagonal and values in 0-1"
        )
    return table
