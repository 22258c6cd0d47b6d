"""Sampling error of weights that come from data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import DataError, Problems, suggest
from perfmethod.weighting.critic import critic
from perfmethod.weighting.dispersion import (
    coefficient_of_variation,
    entropy,
    gini,
    standard_deviation,
    statistical_variance,
)
from perfmethod.weighting.result import Array, Weighting, checked_names

__all__ = ["DATA_DRIVEN", "standard_errors"]

#: Methods that learn weights from the units' values: name -> function of data (..., n, u).
DATA_DRIVEN: Mapping[str, Callable[..., Weighting]] = MappingProxyType(
    {
        "coefficient_of_variation": coefficient_of_variation,
        "critic": critic,
        "entropy": entropy,
        "gini": gini,
        "standard_deviation": standard_deviation,
        "statistical_variance": statistical_variance,
    }
)


def standard_errors(
    x: ArrayLike,
    method: str | Callable[..., Weighting | Array],
    *,
    units: Sequence[str] | None = None,
    **options: Any,
) -> Array:
    r"""Jackknife standard errors of data-driven weights, leaving out one unit at a time.

    :math:`\mathrm{se}_j = \sqrt{\frac{u-1}{u} \sum_i (w_{j(i)} - \bar w_{j(\cdot)})^2}`, where
    :math:`w_{j(i)}` is the weight without unit i. Nothing is drawn at random.

    Parameters
    ----------
    x : array_like (..., n, u)
        Values of n criteria for u units, at least three.
    method : str or callable
        A name in `DATA_DRIVEN`, or a function of an array (..., n, u) that gives weights (..., n)
        or a `Weighting`.
    units : sequence of str (u,), optional
        Used in messages.
    **options
        Passed to the method.

    Returns
    -------
    ndarray (..., n)
        They describe other units one might have observed; where the units are all there are, read
        them as how much the weights hang on single units. For "entropy", "gini" and
        "coefficient_of_variation" they match the true spread closely from 10 units on. Methods that
        scale to 0-1 by the extreme units ("critic" and, with min-max columns, the standard
        deviation and variance) are not smooth in the data: there the jackknife errs on the safe
        side, in trials with normal data by a fifth to two fifths.

    Raises
    ------
    DataError
        If there are fewer than three units, or the weights cannot be formed without some unit
        (every such unit is named), or for what the method refuses.
    ValueError
        If `method` is not known.

    References
    ----------
    Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall,
    chapter 11.

    Examples
    --------
    >>> x = [[1.0, 2.0, 3.0, 4.0], [2.0, 9.0, 4.0, 3.0]]
    >>> standard_errors(x, "gini").round(4).tolist()
    [0.1676, 0.1676]
    """
    a = np.asarray(x, float)
    weigh = _function(method)
    problems = Problems("data")
    if a.ndim < 2 or a.shape[-1] < 3:
        problems.add(f"shape {a.shape}", "(..., criteria, units) with at least three units")
        problems.raise_any(DataError)
    _weights(weigh(a, **options))  # what is wrong with all units is not the fault of one
    left = []
    for i, unit in enumerate(checked_names(units, a.shape[-1], "unit")):
        try:
            left.append(_weights(weigh(np.delete(a, i, axis=-1), **options)))
        except DataError as error:
            for problem in error.problems:
                problems.add(problem.found, problem.allowed, row=f"without {unit}")
    problems.raise_any(DataError)
    return np.sqrt((a.shape[-1] - 1) * np.var(left, axis=0))


def _function(method: str | Callable[..., Weighting | Array]) -> Callable[..., Weighting | Array]:
    if callable(method):
        return method
    if method not in DATA_DRIVEN:
        raise ValueError(f"found method {method!r}; allowed: {suggest(method, DATA_DRIVEN)}")
    return DATA_DRIVEN[method]


def _weights(result: Weighting | Array) -> Array:
    return result.weights if isinstance(result, Weighting) else np.asarray(result, float)
