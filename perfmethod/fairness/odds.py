"""Odds ratios: exact conditional ones with fixed margins, and common ones over strata."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CommonOdds", "Odds", "common_odds", "conditional_odds", "exact_rate", "odds_ratio"]

Array = NDArray[np.float64]

FARTHEST = 700.0  # log of the largest odds ratio that is told apart from infinity
HALVINGS = 60  # leave an interval of 1e-15 on the logarithm


class Odds(NamedTuple):
    """An odds ratio with its exact interval; ends may be 0 and infinity."""

    estimate: float
    low: float
    high: float


class CommonOdds(NamedTuple):
    """Mantel-Haenszel odds ratio with its interval and the test of its being 1."""

    estimate: float
    low: float
    high: float
    chi_square: float
    p: float


def odds_ratio(table: ArrayLike) -> float:
    """Sample odds ratio of a 2 x 2 table, a d / (b c).

    Examples
    --------
    >>> odds_ratio([[4, 2], [1, 3]])
    6.0
    """
    (a, b), (c, d) = np.asarray(table, dtype=float)
    if a * d == 0 and b * c == 0:
        return math.nan
    return float(a * d / (b * c)) if b * c else math.inf


def common_odds(tables: ArrayLike, *, level: float = 0.95, correct: bool = True) -> CommonOdds:
    """Odds ratio common to strata, by Mantel and Haenszel.

    Parameters
    ----------
    tables : array_like (s, 2, 2)
    level : float, default 0.95
        Of the interval, whose variance is that of Robins, Breslow and Greenland.
    correct : bool, default True
        Continuity correction of the test.

    Raises
    ------
    ValueError
        If the tables have another shape, or no stratum says anything.

    References
    ----------
    Mantel and Haenszel, *Journal of the National Cancer Institute* 22 (1959), 719-748; Robins,
    Breslow and Greenland, *Biometrics* 42 (1986), 311-323.

    Examples
    --------
    >>> round(common_odds([[[4, 2], [1, 3]], [[5, 5], [5, 5]]]).estimate, 4)
    1.6897
    """
    from scipy.special import chdtrc, ndtri

    x = np.asarray(tables, dtype=float)
    if x.ndim != 3 or x.shape[1:] != (2, 2):
        raise ValueError(f"found tables of shape {x.shape}; allowed: (strata, 2, 2)")
    x = x[x.sum(axis=(1, 2)) > 1]
    n = x.sum(axis=(1, 2))
    a, b, c, d = x[:, 0, 0], x[:, 0, 1], x[:, 1, 0], x[:, 1, 1]
    variance = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))
    if not variance.sum() > 0:
        raise ValueError("found no stratum with both columns and both rows; allowed: at least one")
    gap = abs(float((a - (a + b) * (a + c) / n).sum()))
    chi = max(gap - (0.5 if correct and gap >= 0.5 else 0.0), 0.0) ** 2 / float(variance.sum())
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    top, bottom = float(r.sum()), float(s.sum())
    if top == 0 or bottom == 0:
        found = math.inf if top else 0.0
        return CommonOdds(found, 0.0, math.inf, chi, float(chdtrc(1, chi)))
    error = math.sqrt(
        float((p * r).sum()) / (2 * top**2)
        + float((p * s + q * r).sum()) / (2 * top * bottom)
        + float((q * s).sum()) / (2 * bottom**2)
    )
    wide = math.exp(float(ndtri(0.5 + level / 2)) * error)
    found = top / bottom
    return CommonOdds(found, found / wide, found * wide, chi, float(chdtrc(1, chi)))


def conditional_odds(log_ways: ArrayLike, held: int, *, level: float = 0.95) -> Odds:
    """Odds ratio of one group against the rest with all margins fixed, exactly.

    Parameters
    ----------
    log_ways : array_like (n + 1,)
        Logarithm of the ways in which the group can hold 0..n places; -inf where it cannot.
    held : int
        Places it holds.
    level : float, default 0.95
        Each end leaves (1 - level) / 2 on its side (Fisher's noncentral hypergeometric law).

    Returns
    -------
    Odds
        Conditional maximum likelihood estimate and the exact interval.

    Examples
    --------
    >>> import math
    >>> ways = [math.log(math.comb(4, k) * math.comb(4, 4 - k)) for k in range(5)]
    >>> [round(x, 3) for x in conditional_odds(ways, 3)]
    [6.408, 0.212, 626.244]
    """
    w = np.asarray(log_ways, dtype=float)
    k = np.arange(w.size)
    can = np.flatnonzero(np.isfinite(w))

    def law(log_odds: float) -> Array:
        lifted = w + k * log_odds
        lifted = np.exp(lifted - lifted.max())
        return np.asarray(lifted / lifted.sum())

    tail = (1 - level) / 2
    if held == can[0]:
        estimate, low = (math.nan if can.size == 1 else 0.0), 0.0
    else:
        low = _solve(lambda t: float(law(t)[held:].sum()) - tail)
        estimate = _solve(lambda t: float(k @ law(t)) - held) if held < can[-1] else math.inf
    if held == can[-1]:
        return Odds(estimate, low, math.inf)
    return Odds(estimate, low, _solve(lambda t: tail - float(law(t)[: held + 1].sum())))


def _solve(rising: Callable[[float], float]) -> float:
    """Odds ratio at which an increasing function of its logarithm is zero, by halving."""
    low, high = -FARTHEST, FARTHEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return math.exp((low + high) / 2)


def exact_rate(held: ArrayLike, units: ArrayLike, *, level: float = 0.95) -> tuple[Array, Array]:
    """Clopper-Pearson interval of a rate: what other units of such a group would let expect.

    Parameters
    ----------
    held, units : array_like (...)
    level : float, default 0.95

    Returns
    -------
    low, high : ndarray (...)

    Examples
    --------
    >>> low, high = exact_rate(0, 9)
    >>> round(float(low), 3), round(float(high), 3)
    (0.0, 0.336)
    """
    from scipy.special import betaincinv

    x, n = np.broadcast_arrays(np.asarray(held, float), np.asarray(units, float))
    tail = (1 - level) / 2
    low = np.where(x > 0, betaincinv(np.maximum(x, 1), n - x + 1, tail), 0.0)
    high = np.where(x < n, betaincinv(x + 1, np.maximum(n - x, 1), 1 - tail), 1.0)
    return low, high
