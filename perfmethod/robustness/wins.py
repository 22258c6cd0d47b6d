"""How often one unit beats another when weights are uniform on the simplex: exactly."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest

__all__ = ["METHODS", "acceptability_of_two", "expected_ranks", "half_space", "win_probabilities"]

Array = NDArray[np.float64]

STEP, REACH = 0.1, 45.0  # of the trapezoidal rule, in logarithms of the frequency
CHUNK = 4096  # rows at a time


def half_space(d: ArrayLike, method: str = "varsi") -> Array:
    r"""Probability that :math:`\sum_k d_k w_k > 0` for weights uniform on the simplex.

    The same as :math:`P(\sum_k d_k E_k > 0)` for independent exponential variables, for uniform
    weights are such variables over their sum.

    Parameters
    ----------
    d : array_like (..., n)
    method : {"varsi", "gil_pelaez", "divided_differences"}
        `METHODS`. They agree to rounding wherever all apply.

    Returns
    -------
    ndarray (...)
        One half where all coefficients are zero: a tie for whatever weights.

    Raises
    ------
    ValueError
        If a coefficient is not finite, the method is not known, or "divided_differences" meets
        equal positive coefficients.

    Examples
    --------
    >>> [round(float(half_space([0.6, -0.6, -0.1], m)), 6) for m in METHODS]
    [0.428571, 0.428571, 0.428571]
    """
    a = np.asarray(d, float)
    if method not in METHODS:
        raise ValueError(f"found method '{method}'; allowed: {suggest(method, METHODS)}")
    if not np.isfinite(a).all():
        raise ValueError("found a coefficient that is not finite; allowed: finite numbers")
    flat = a.reshape(-1, a.shape[-1])
    scale = np.abs(flat).max(-1, initial=0.0)
    scaled = flat / np.where(scale > 0, scale, 1.0)[:, None]
    parts = [METHODS[method](scaled[i : i + CHUNK]) for i in range(0, len(flat), CHUNK)]
    found = np.concatenate(parts) if parts else np.zeros(0)
    return np.where(scale > 0, np.clip(found, 0.0, 1.0), 0.5).reshape(a.shape[:-1])


def varsi(d: Array) -> Array:
    r"""Volume cut off a simplex by a plane, by a recursion that only averages.

    With positive coefficients :math:`x_k` and negative ones :math:`y_h`, the share of the simplex
    on the negative side is :math:`A_{JK}`, where :math:`A_{h0} = 1`, :math:`A_{0k} = 0` and
    :math:`A_{hk} = (x_k A_{h-1,k} - y_h A_{h,k-1}) / (x_k - y_h)`. Every step is a weighted average
    of two probabilities, so nothing cancels. Cells of one diagonal depend on the last diagonal
    alone and are computed together, for all rows.

    Parameters
    ----------
    d : ndarray (p, n)

    Returns
    -------
    ndarray (p,)

    References
    ----------
    Varsi, "The multidimensional content of the frustum of the simplex", *Pacific Journal of
    Mathematics* 46 (1973), 303-314; Ali, same journal 48 (1973), 317-322.
    """
    positive, negative = d > 0, d < 0
    k, j = positive.sum(-1), negative.sum(-1)
    most, deep = int(k.max(initial=0)), int(j.max(initial=0))
    # a missing negative is 0 and leaves its row as the one before; missing positives are not read
    x = np.ones((most, len(d)))
    y = np.zeros((deep + most + 1, len(d)))
    by_size = np.sort(d, -1).T
    x[:, :] = by_size[::-1][:most] if most else x
    x = np.where(x > 0, x, 1.0)
    y[1 : deep + 1] = np.minimum(by_size[:deep], 0.0)
    cells = np.zeros((most + 1, len(d)))  # cell k of diagonal s is A[s - k, k]
    cells[0] = 1.0
    for s in range(1, deep + most + 1):
        top = min(s - 1, most)
        low = y[s - top : s][::-1] if top else y[:0]
        cells[1 : top + 1] = (x[:top] * cells[1 : top + 1] - low * cells[:top]) / (x[:top] - low)
    return np.asarray(1.0 - cells[k, np.arange(len(d))])


def gil_pelaez(d: Array) -> Array:
    r"""Inversion of the characteristic function, one integral per row.

    .. math:: P = \frac12 + \frac1\pi \int_{-\infty}^{\infty}
        \operatorname{Im} \prod_k \frac{1}{1 - i d_k e^y} \, dy

    In the logarithm of the frequency the integrand is analytic in a strip and falls off
    exponentially, so the trapezoidal rule is exact to rounding.

    Parameters
    ----------
    d : ndarray (p, n)

    Returns
    -------
    ndarray (p,)

    References
    ----------
    Gil-Pelaez, "Note on the inversion theorem", *Biometrika* 38 (1951), 481-482; Trefethen &
    Weideman, "The exponentially convergent trapezoidal rule", *SIAM Review* 56 (2014), 385-458.
    """
    total = np.zeros(len(d))
    for y in np.arange(-REACH, REACH + STEP / 2, STEP):
        at = d * np.exp(y)
        total += np.exp(-0.5 * np.log1p(at * at).sum(-1)) * np.sin(np.arctan(at).sum(-1))
    return np.asarray(0.5 + STEP / np.pi * total)


def divided_differences(d: Array) -> Array:
    r"""Closed form :math:`\sum_{d_k > 0} \prod_{l \ne k} d_k / (d_k - d_l)`, for few weights.

    The divided difference of :math:`\max(t, 0)^{n-1}`. Terms cancel where coefficients are close:
    not for more than about ten weights.

    Parameters
    ----------
    d : ndarray (p, n)

    Returns
    -------
    ndarray (p,)

    References
    ----------
    Gerber, "The volume cut off a simplex by a half-space", *Pacific Journal of Mathematics* 94
    (1981), 311-314.
    """
    apart = d[:, :, None] - d[:, None]
    same = np.eye(d.shape[-1], dtype=bool)
    if ((apart == 0) & ~same & (d > 0)[:, :, None]).any():
        raise ValueError(
            "found equal positive coefficients; allowed for divided differences: distinct ones "
            "(the method 'varsi' takes any)"
        )
    ratio = np.divide(np.broadcast_to(d[:, :, None], apart.shape), apart,
                      out=np.ones_like(apart), where=~same & (apart != 0))  # fmt: skip
    return np.asarray(np.where(d > 0, ratio.prod(-1), 0.0).sum(-1))


METHODS: MappingProxyType[str, Callable[[Array], Array]] = MappingProxyType(
    {"varsi": varsi, "gil_pelaez": gil_pelaez, "divided_differences": divided_differences}
)


def win_probabilities(scores: ArrayLike, method: str = "varsi") -> Array:
    """Probability that one unit's weighted mean exceeds another's, for uniform weights.

    Parameters
    ----------
    scores : array_like (u, n)
        Complete scores on n criteria.
    method : str
        As for `half_space`.

    Returns
    -------
    ndarray (u, u)
        Row beats column; one half on the diagonal and for identical units.

    Examples
    --------
    >>> win_probabilities([[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]]).round(6).tolist()
    [[0.5, 0.5, 0.4], [0.5, 0.5, 0.4], [0.6, 0.6, 0.5]]
    """
    s = np.asarray(scores, float)
    i, j = np.triu_indices(len(s), 1)
    upper = half_space(s[i] - s[j], method)
    wins = np.full((len(s), len(s)), 0.5)
    wins[i, j], wins[j, i] = upper, 1.0 - upper
    return wins


def expected_ranks(wins: ArrayLike) -> Array:
    """Expected rank of each unit, from the probabilities of its pairs.

    A rank is one plus the number of units that beat it, and expectations add up.

    Parameters
    ----------
    wins : array_like (u, u)
        From `win_probabilities`.

    Returns
    -------
    ndarray (u,)

    Examples
    --------
    >>> expected_ranks(win_probabilities([[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]])).round(6).tolist()
    [2.1, 2.1, 1.8]
    """
    p = np.asarray(wins, float)
    return np.asarray(1.0 + p.sum(0) - np.diag(p))


def acceptability_of_two(scores: ArrayLike) -> Array:
    """Probability of every rank for two criteria with uniform weights, by cutting the interval.

    Parameters
    ----------
    scores : array_like (u, 2)

    Returns
    -------
    ndarray (u, u)
        Unit by rank. Units that tie for whatever weights share the better rank.

    References
    ----------
    Lahdelma & Salminen, "SMAA-2: stochastic multicriteria acceptability analysis for group decision
    making", *Operations Research* 49 (2001), 444-454, for rank acceptability indices.

    Examples
    --------
    >>> acceptability_of_two([[1.0, 0.0], [0.0, 1.0], [0.6, 0.6]]).round(6).tolist()
    [[0.4, 0.1, 0.5], [0.4, 0.1, 0.5], [0.2, 0.8, 0.0]]
    """
    s = np.asarray(scores, float)
    if s.ndim != 2 or s.shape[1] != 2:
        raise ValueError(f"found scores of shape {s.shape}; allowed: (u, 2)")
    i, j = np.triu_indices(len(s), 1)
    at_zero, slope = s[:, 1], s[:, 0] - s[:, 1]
    gap, apart = at_zero[j] - at_zero[i], slope[i] - slope[j]
    cuts = np.divide(gap, apart, out=np.full(len(i), np.nan), where=apart != 0)
    ends = np.unique([0.0, 1.0, *cuts[(cuts > 0) & (cuts < 1)]])
    out = np.zeros((len(s), len(s)))
    for low, high in pairwise(ends):
        now = np.round(at_zero + slope * (low + high) / 2, 12)
        rank = (now > now[:, None]).sum(-1)
        out[np.arange(len(s)), rank] += high - low
    return out
