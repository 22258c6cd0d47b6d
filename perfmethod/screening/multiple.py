"""P-values of many tests, and the reference distribution of counts that vary between raters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["benjamini_hochberg", "beta_binomial_tail", "binomial_tail", "holm"]

Floats = NDArray[np.float64]
_LIMIT = 0.999  # of the intraclass correlation
_LEAST_RHO = 1e-4


def holm(p: ArrayLike) -> Floats:
    """Adjust p-values so that any false flag among them has at most the level's chance.

    Parameters
    ----------
    p : array_like, shape (k,)
        P-values; NaN is no test and stays NaN.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Holm, *Scandinavian Journal of Statistics* 6 (1979), 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=float)
    out = values.copy()
    kept = np.flatnonzero(~np.isnan(values))
    order = kept[np.argsort(values[kept], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Adjust p-values so that the expected share of false flags is at most the level.

    Parameters
    ----------
    p : array_like, shape (k,)
        P-values; NaN is no test and stays NaN.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Benjamini & Hochberg, *JRSS B* 57 (1995), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03])
    array([0.03, 0.04, 0.04])
    """
    values = np.asarray(p, dtype=float)
    out = values.copy()
    kept = np.flatnonzero(~np.isnan(values))
    order = kept[np.argsort(values[kept], kind="stable")]
    steps = values[order] * len(order) / np.arange(1, len(order) + 1)
    out[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return out


def binomial_tail(count: ArrayLike, trials: ArrayLike, share: ArrayLike) -> Floats:
    """Chance of a count this high among independent trials.

    Parameters
    ----------
    count, trials : array_like of int
        Of one shape, or numbers.
    share : array_like
        Chance of each trial, in [0, 1].

    Returns
    -------
    ndarray
        ``P(X >= count)``, by the incomplete beta function: exact far out in the tail.

    Examples
    --------
    >>> binomial_tail([0, 1, 2, 3], 2, 0.5)
    array([1.  , 0.75, 0.25, 0.  ])
    """
    from scipy.special import betainc

    k, n, p = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (count, trials, share)))
    inside = (k > 0) & (k <= n)
    tail = betainc(np.where(inside, k, 1.0), np.where(inside, n - k + 1, 1.0), p)
    return np.where(inside, tail, np.where(k <= 0, 1.0, 0.0))


def beta_binomial_tail(count: ArrayLike, trials: ArrayLike) -> Floats:
    """Chance of a count this high, where raters differ in their habits.

    Mean and variance between raters are those of the raters whose count is below their trials (the
    others are the suspects). The intraclass correlation is its upper 99.9 % limit from the F ratio
    of an analysis of variance: what is not known of the raters' habits must not make flags.

    Parameters
    ----------
    count, trials : array_like of int, shape (r,)
        One entry per rater; trials at least 1.

    Returns
    -------
    ndarray, shape (r,)
        ``P(X >= count)``; NaN where fewer than 5 raters are left to compare with.

    References
    ----------
    Skellam, *JRSS B* 10 (1948), 257-261; Searle, *Biometrics* 12 (1956) and *Linear Models*
    (1971), ch. 9 (limits from F).

    Examples
    --------
    >>> usual = [2, 3, 1, 2, 4, 3, 2, 3, 2, 3, 1, 2, 4, 2, 3, 2]
    >>> bool(beta_binomial_tail([*usual, 12], [12] * 17)[-1] < 1e-4)
    True
    """
    from scipy.stats import betabinom

    k, n = np.asarray(count, dtype=float), np.asarray(trials, dtype=float)
    usual = k < n
    if usual.sum() < 5:
        return np.full(len(k), np.nan)
    mean, rho = _habits(k[usual], n[usual])
    size = 1 / rho - 1
    return np.asarray(betabinom.sf(k - 1, n, mean * size, (1 - mean) * size), dtype=float)


def _habits(k: Floats, n: Floats) -> tuple[float, float]:
    """Mean and intraclass correlation; kept off the ends, where the distribution is none."""
    from scipy.special import fdtri

    total, r = n.sum(), len(n)
    mean = (k.sum() + 0.5) / (total + 1)
    share = k / n
    between = (n * (share - k.sum() / total) ** 2).sum() / (r - 1)
    within = (k * (1 - share)).sum() / max(total - r, 1)
    per_rater = (total - (n**2).sum() / total) / (r - 1)
    if within <= 0:  # counts of 0 only: nobody does it, and nothing is known of who might
        return float(mean), _LEAST_RHO
    ratio = between / within / fdtri(r - 1, max(total - r, 1), 1 - _LIMIT)
    rho = (ratio - 1) / (ratio - 1 + per_rater)
    return float(mean), float(np.clip(rho, _LEAST_RHO, 0.9))
