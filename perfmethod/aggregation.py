"""Weighted power means over the children a unit has."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["from_terms", "power_mean", "shares", "to_terms"]

Array = NDArray[np.float64]

FULL = (
    100.0  # scores are 0-100; powers are taken of score / 100 so that large powers do not overflow
)
NEAR, TINY = 0.05, 1e-100  # powers nearer to 0 than these: Box-Cox terms, logarithms


def to_terms(scores: ArrayLike, power: ArrayLike) -> Array:
    """Transform scores so that their weighted *arithmetic* mean is the power mean's term.

    Parameters
    ----------
    scores : array_like (...)
        Scores, 0-100; NaN stays NaN.
    power : array_like, broadcastable to `scores`
        1 arithmetic, 0 geometric, -1 harmonic.

    Returns
    -------
    ndarray (...)
        ``s`` for power 1, else with ``r = s / 100``: ``r ** power``; for powers nearer to 0 than
        0.05 ``(r ** power - 1) / power`` (Box and Cox's transform, in which nothing cancels) and
        its limit ``log r``. A zero score gives an infinite term where the power is not positive.

    Raises
    ------
    ValueError
        If a score is negative and the power is not 1: a power of it has no meaning here.

    References
    ----------
    Box & Cox, "An analysis of transformations", *J. R. Stat. Soc. B* 26 (1964), eq. (1).

    Examples
    --------
    >>> to_terms([25.0, 100.0], 0.5).tolist()
    [0.5, 1.0]
    """
    s, p = np.broadcast_arrays(np.asarray(scores, float), np.asarray(power, float))
    if np.all(p == 1):
        return np.array(s)
    if np.any((s < 0) & (p != 1)):
        raise ValueError(
            f"found a score of {np.nanmin(s):.6g} under a power mean that is not arithmetic; "
            "allowed: scores of 0 or more"
        )
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        log = np.log(s / FULL)
        near = np.divide(np.expm1(p * log), p, out=np.array(log), where=np.abs(p) > TINY)
        return np.select([p == 1, np.abs(p) < NEAR], [s, near], np.exp(p * log))


def from_terms(mean: ArrayLike, power: ArrayLike) -> Array:
    """Transform a weighted arithmetic mean of terms back into a score: inverse of `to_terms`.

    Parameters
    ----------
    mean : array_like (...)
    power : array_like, broadcastable to `mean`

    Returns
    -------
    ndarray (...)

    Examples
    --------
    >>> float(from_terms(0.5, 0.5))
    25.0
    """
    m, p = np.broadcast_arrays(np.asarray(mean, float), np.asarray(power, float))
    if np.all(p == 1):
        return np.array(m)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        # the mean of zeros alone may be rounded to a little less than the term of a zero
        boxed = np.maximum(p * m, -1.0)
        near = np.divide(np.log1p(boxed), p, out=np.array(m), where=np.abs(p) > TINY)
        far = np.divide(np.log(m), p, out=np.array(m), where=p != 0)
        return np.where(p == 1, m, FULL * np.exp(np.where(np.abs(p) < NEAR, near, far)))


def power_mean(scores: ArrayLike, weights: ArrayLike, power: float = 1.0) -> Array:
    r"""Weighted power mean over the last axis; missing scores give their weight to the others.

    .. math:: M_p = \left( \frac{\sum_i w_i s_i^p}{\sum_i w_i} \right)^{1/p}

    Parameters
    ----------
    scores : array_like (..., c)
        Scores of the c children; NaN is left out and the remaining weights are rescaled.
    weights : array_like (..., c)
        Relative weights, not negative.
    power : float
        1 arithmetic, 0 geometric (the limit), -1 harmonic. The lower, the less a high score makes
        up for a low one; with a power of 0 or less one zero makes the mean zero.

    Returns
    -------
    ndarray (...)
        NaN where no child with a positive weight has a score.

    References
    ----------
    Hardy, Littlewood & Polya, *Inequalities* (1934), chapter 2; OECD/JRC, *Handbook on Constructing
    Composite Indicators* (2008), section 1.7.

    Examples
    --------
    >>> [round(float(power_mean([90.0, 40.0], [1, 1], p)), 4) for p in (1, 0, -1)]
    [65.0, 60.0, 55.3846]
    >>> float(power_mean([90.0, float("nan")], [1, 3]))
    90.0
    """
    s = np.asarray(scores, float)
    w = np.where(np.isnan(s), 0.0, np.asarray(weights, float))
    terms = to_terms(s, power)
    total = w.sum(-1)
    # a weight of zero times an infinite term must not become NaN
    num = np.multiply(w, terms, out=np.zeros(w.shape), where=w > 0).sum(-1)
    mean = np.divide(num, total, out=np.full(total.shape, np.nan), where=total > 0)
    return from_terms(mean, power)


def shares(scores: ArrayLike, weights: ArrayLike, power: ArrayLike = 1.0) -> Array:
    r"""Split a power mean exactly into its children's contributions.

    A power mean is homogeneous of degree one, so by Euler's theorem
    :math:`M = \sum_i s_i \partial M / \partial s_i`, and child *i* contributes the share
    :math:`w_i s_i^p / \sum_j w_j s_j^p`.

    Parameters
    ----------
    scores : array_like (..., c)
    weights : array_like (..., c)
    power : array_like (...), broadcastable to the scores without their last axis

    Returns
    -------
    ndarray (..., c)
        Shares that sum to one; zero for a missing child. Where the mean is zero the shares are the
        weights' (every contribution is zero then).

    Examples
    --------
    >>> shares([90.0, 40.0], [1, 1]).round(4).tolist()
    [0.6923, 0.3077]
    """
    s = np.asarray(scores, float)
    w = np.broadcast_to(np.where(np.isnan(s), 0.0, np.asarray(weights, float)), s.shape)
    p = np.asarray(power, float)[..., None]
    parts = np.where(p == 0, w, np.multiply(w, _powered(s, p), out=np.zeros(s.shape), where=w > 0))
    total = parts.sum(-1, keepdims=True)
    usable = (total > 0) & np.isfinite(total)
    fallback = np.divide(w, w.sum(-1, keepdims=True), out=np.zeros(s.shape), where=w > 0)
    return np.where(usable, np.divide(parts, total, out=np.zeros(s.shape), where=usable), fallback)


def _powered(s: Array, p: Array) -> Array:
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return np.where(np.isnan(s), 0.0, np.where(p == 1, s, np.abs(s / FULL) ** p))
