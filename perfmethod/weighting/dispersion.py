"""Weights from how much each criterion varies over units.

Every function takes data (..., n, u), n criteria by u units, and gives weights (..., n). A
criterion that is the same for all units tells none apart: its weight is 0. All reward spread, which
is not importance; their sampling error is large for few units (see `standard_errors`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from perfmethod.errors import suggest
from perfmethod.weighting._matrix import constant, data_matrix, from_information, unit_interval
from perfmethod.weighting.result import Array, Weighting

__all__ = [
    "coefficient_of_variation",
    "entropy",
    "gini",
    "standard_deviation",
    "statistical_variance",
]

_ALL_CONSTANT = "every criterion is the same for all units"
_COLUMNS = ("min_max", "raw")


def entropy(x: ArrayLike, *, names: Sequence[str] | None = None) -> Weighting:
    r"""Weigh by 1 minus the entropy of a criterion's distribution over units.

    With :math:`p_{ji} = x_{ji} / \sum_k x_{jk}` the entropy is
    :math:`E_j = -\sum_i p_{ji} \ln p_{ji} / \ln u`, and weights are proportional to
    :math:`1 - E_j`. By continuity :math:`0 \ln 0 = 0`, so zeros are welcome. The direction of a
    criterion plays no part in the definition. Multiplying a criterion by a positive number changes
    nothing; adding a constant does.

    Parameters
    ----------
    x : array_like (..., n, u)
        Nonnegative values of n criteria for u units.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting
        `details`: "entropy" and "divergence" (..., n). A criterion that is the same for all units
        (or 0 for all) has divergence 0.

    Raises
    ------
    DataError
        If values are missing, infinite or negative, or every criterion is constant.

    References
    ----------
    Hwang, C.-L. and Yoon, K. (1981). Multiple Attribute Decision Making. Springer, section 3.3.

    Zavadskas, E. K. and Podvezko, V. (2016). Integrated determination of objective criteria weights
    in MCDM. International Journal of Information Technology and Decision Making 15(2), 267-283.

    Examples
    --------
    >>> entropy([[1, 1, 2], [5, 5, 5], [0, 1, 3]]).weights.round(4).tolist()
    [0.0989, 0.0, 0.9011]
    """
    a = data_matrix(x, names, nonnegative=True)
    fixed = constant(a)
    mean = a.mean(axis=-1, keepdims=True)
    # 1 - E = sum p ln(u p) / ln u. With u p = 1 + e and sum e = 0 it is the mean of the nonnegative
    # terms (1 + e) ln(1 + e) - e: small differences between units survive, 1 - E would lose them
    e = np.where(fixed[..., None], 0.0, a / np.where(mean > 0, mean, 1.0) - 1)
    log = np.log1p(e, out=np.zeros_like(e), where=e > -1)
    divergence = np.mean((1 + e) * log - e, axis=-1) / np.log(a.shape[-1])
    divergence = np.maximum(divergence, 0.0)
    details = {"entropy": 1 - divergence, "divergence": divergence}
    return from_information(divergence, "entropy", names, details, _ALL_CONSTANT)


def standard_deviation(
    x: ArrayLike, *, columns: str = "min_max", names: Sequence[str] | None = None
) -> Weighting:
    """Weigh by the standard deviation over units.

    Parameters
    ----------
    x : array_like (..., n, u)
        Values of n criteria for u units.
    columns : {"min_max", "raw"}
        Scale each criterion to 0-1 first (its weight no longer depends on its unit of measurement),
        or take values as they are, which makes sense only for criteria on one scale.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting
        `details`: "standard_deviation" (..., n), with ddof 1 (weights are the same for any ddof).

    Raises
    ------
    DataError
        If values are missing or infinite, or every criterion is constant.
    ValueError
        If `columns` is not known.

    References
    ----------
    Diakoulaki, D., Mavrotas, G. and Papayannakis, L. (1995). Determining objective weights in
    multiple criteria problems: the CRITIC method. Computers and Operations Research 22(7), 763-770
    (as the method CRITIC is compared with).

    Examples
    --------
    >>> standard_deviation([[0, 1, 2], [0, 0, 100]]).weights.round(4).tolist()
    [0.4641, 0.5359]
    """
    if columns not in _COLUMNS:
        raise ValueError(f"found columns {columns!r}; allowed: {suggest(columns, _COLUMNS)}")
    a = data_matrix(x, names, nonnegative=False)
    spread = _spread(unit_interval(a) if columns == "min_max" else a)
    return from_information(
        spread, "standard_deviation", names, {"standard_deviation": spread}, _ALL_CONSTANT
    )


def statistical_variance(x: ArrayLike, *, names: Sequence[str] | None = None) -> Weighting:
    """Weigh by the variance over units of the criterion scaled to 0-1.

    Parameters
    ----------
    x : array_like (..., n, u)
        Values of n criteria for u units.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting
        `details`: "variance" (..., n), with ddof 1 (weights are the same for any ddof).

    Raises
    ------
    DataError
        If values are missing or infinite, or every criterion is constant.

    References
    ----------
    Rao, R. V. and Patel, B. K. (2010). A subjective and objective integrated multiple attribute
    decision making method for material selection. Materials and Design 31(10), 4738-4747.

    Examples
    --------
    >>> statistical_variance([[0, 1, 2], [0, 0, 100]]).weights.round(4).tolist()
    [0.4286, 0.5714]
    """
    a = data_matrix(x, names, nonnegative=False)
    variance = _spread(unit_interval(a)) ** 2
    return from_information(
        variance, "statistical_variance", names, {"variance": variance}, _ALL_CONSTANT
    )


def gini(x: ArrayLike, *, names: Sequence[str] | None = None) -> Weighting:
    r"""Weigh by the Gini coefficient over units.

    :math:`G_j = \sum_{i,k} |x_{ji} - x_{jk}| / (2 u^2 \bar x_j)`.

    Parameters
    ----------
    x : array_like (..., n, u)
        Nonnegative values of n criteria for u units.
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting
        `details`: "gini" (..., n).

    Raises
    ------
    DataError
        If values are missing, infinite or negative, or every criterion is constant.

    References
    ----------
    Li, G. and Chi, G. (2009). A new determining objective weights method: Gini coefficient weight.
    First International Conference on Information Science and Engineering, 3726-3729.

    Examples
    --------
    >>> gini([[1, 1, 4], [0, 1, 2]]).details["gini"].round(4).tolist()
    [0.3333, 0.4444]
    """
    a = data_matrix(x, names, nonnegative=True)
    u = a.shape[-1]
    # sum_{i,k} |x_i - x_k| / (2 u) = sum_i (2 i - u - 1) x_(i) / u over the sorted values, i = 1..u
    lift = np.sort(a, axis=-1) @ (2 * np.arange(1.0, u + 1) - u - 1) / u
    coefficient = _relative(lift, a)
    return from_information(coefficient, "gini", names, {"gini": coefficient}, _ALL_CONSTANT)


def coefficient_of_variation(x: ArrayLike, *, names: Sequence[str] | None = None) -> Weighting:
    """Weigh by the standard deviation over units divided by the mean.

    Parameters
    ----------
    x : array_like (..., n, u)
        Nonnegative values of n criteria for u units (the ratio has no meaning for a criterion that
        crosses 0).
    names : sequence of str (n,), optional

    Returns
    -------
    Weighting
        `details`: "coefficient_of_variation" (..., n), with ddof 1 (weights are the same for any
        ddof).

    Raises
    ------
    DataError
        If values are missing, infinite or negative, or every criterion is constant.

    References
    ----------
    Pearson, K. (1896). Mathematical contributions to the theory of evolution III. Philosophical
    Transactions of the Royal Society A 187, 253-318 (the coefficient).

    Examples
    --------
    >>> coefficient_of_variation([[1, 2, 3], [2, 2, 5]]).weights.round(4).tolist()
    [0.4641, 0.5359]
    """
    a = data_matrix(x, names, nonnegative=True)
    ratio = _relative(_spread(a) * a.shape[-1], a)
    details = {"coefficient_of_variation": ratio}
    return from_information(ratio, "coefficient_of_variation", names, details, _ALL_CONSTANT)


def _spread(a: Array) -> Array:
    """Standard deviation over units (ddof 1), exactly 0 where a criterion is constant."""
    return np.where(constant(a), 0.0, a.std(axis=-1, ddof=1))


def _relative(amount: Array, a: Array) -> Array:
    """`amount` (..., n) over the sum over units, 0 where a criterion is constant."""
    fixed = constant(a)
    return np.where(fixed, 0.0, amount / np.where(fixed, 1.0, a.sum(axis=-1)))
