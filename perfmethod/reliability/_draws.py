"""Bootstrap of clusters: whole raters, whole units or whole persons are drawn, never single votes.

A replicate is a vector of weights, how often each cluster was drawn. Coefficients are functions of
weights, so the estimate (all weights 1) and its replicates come from one piece of code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FEW",
    "Interval",
    "bias_corrected",
    "check_level",
    "cluster_weights",
    "from_sums",
    "jackknifed",
    "no_interval",
    "percentiles",
]

Floats = NDArray[np.float64]

FEW = 20  # clusters below which a percentile interval is told to be too narrow
_BLOCK = 64  # replicates whose weights are held at a time; the result does not depend on it


class Interval(NamedTuple):
    """Ends, standard error, where they come from, and what must be said about them."""

    low: float
    high: float
    standard_error: float | None
    method: str
    notes: tuple[str, ...] = ()


def check_level(level: float) -> float:
    """Refuse a confidence level that is none."""
    if not 0 < level < 1:
        raise ValueError(f"found level {level!r}; allowed: a number between 0 and 1, such as 0.95")
    return float(level)


def no_interval(reason: str) -> Interval:
    """No interval, with a reason."""
    return Interval(np.nan, np.nan, None, f"none: {reason}")


def cluster_weights(
    stratum: NDArray[np.intp], draws: int, seed: int | np.random.Generator
) -> Iterator[Floats]:
    """Yield how often each cluster is drawn, with replacement within its stratum.

    Parameters
    ----------
    stratum : ndarray of int (g,)
        Stratum of each cluster; all 0 for a simple bootstrap.
    draws : int
        Number of replicates.
    seed : int or Generator

    Yields
    ------
    ndarray (g,)
        Whole numbers, adding to the number of clusters.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(stratum == s) for s in range(int(stratum.max(initial=-1)) + 1)]
    members = [m for m in members if m.size]
    for _ in range(draws):
        drawn = [m[rng.integers(m.size, size=m.size)] for m in members]
        yield np.bincount(np.concatenate(drawn), minlength=stratum.size).astype(float)


def from_sums(
    sums: Floats,
    statistic: Callable[[Floats], Floats],
    stratum: NDArray[np.intp],
    draws: int,
    seed: int | np.random.Generator,
) -> Floats:
    """Replicates of a statistic that depends on sums over clusters only.

    Parameters
    ----------
    sums : ndarray (g, q)
        Sums of each cluster.
    statistic : callable
        Takes sums (b, q) of b replicates, gives (b, ...).
    stratum, draws, seed
        As in `cluster_weights`.

    Returns
    -------
    ndarray (draws, ...)
    """
    weights = cluster_weights(stratum, draws, seed)
    found = []
    for start in range(0, draws, _BLOCK):
        block = np.array([next(weights) for _ in range(min(_BLOCK, draws - start))])
        found.append(statistic(block @ sums))
    return np.concatenate(found)


def percentiles(
    replicates: Floats, estimate: float, level: float, drawn: str, clusters: int
) -> Interval:
    """Bias-corrected percentile interval over the replicates that have a value.

    Parameters
    ----------
    replicates : ndarray (b,)
        NaN where a replicate has no value.
    estimate : float
        Value of the coefficient on the data.
    level : float
    drawn : str
        What was drawn, for the description.
    clusters : int
        How many of them there are.

    References
    ----------
    Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall,
    section 14.3 (with acceleration 0).
    """
    if clusters < 2:
        return no_interval("a single cluster cannot be drawn anew")
    usable = replicates[np.isfinite(replicates)]
    lost = replicates.size - usable.size
    if usable.size < max(2, replicates.size / 2):
        return no_interval(f"{lost} of {replicates.size} bootstrap replicates have no value")
    low, high = bias_corrected(usable, estimate, level)
    notes = []
    if lost:
        notes.append(f"{lost} of {replicates.size} bootstrap replicates have no value, left out")
    if clusters < FEW:
        notes.append(f"drawn from {clusters} only: the interval is too narrow")
    method = f"bias-corrected bootstrap, {replicates.size} draws of {clusters} {drawn}"
    return Interval(low, high, float(usable.std(ddof=1)), method, tuple(notes))


def bias_corrected(replicates: Floats, estimate: float, level: float) -> tuple[float, float]:
    """Ends of the interval: quantiles moved by twice the bias of the median, in normal scores."""
    from scipy import special

    b = replicates.size
    close = 1e-9 * max(1.0, abs(estimate))  # equal but for rounding is neither below nor above
    below = (np.count_nonzero(replicates < estimate - close)
             + np.count_nonzero(replicates <= estimate + close)) / (2 * b)  # fmt: skip
    bias = special.ndtri(min(max(below, 0.5 / b), 1 - 0.5 / b))
    reach = special.ndtri((1 + level) / 2)
    low, high = np.quantile(replicates, special.ndtr(2 * bias + np.array([-reach, reach])))
    return float(low), float(high)


def jackknifed(left_out: Floats, estimate: float, level: float, raters: int) -> Interval:
    r"""Interval from a coefficient (at most 1) without each of g random groups of raters.

    The squared standard error is :math:`\frac{g - 1}{g} \sum_k (\theta_{(k)} - \bar\theta)^2`, the
    interval that of t with g - 1 degrees of freedom.

    Parameters
    ----------
    left_out : ndarray (g,)
    estimate : float
    level : float
    raters : int
        How many of them there are, for the description.

    References
    ----------
    Kott, P. S. (2001). The delete-a-group jackknife. *Journal of Official Statistics* 17(4),
    521-526.
    """
    from scipy import special

    g = left_out.size
    if g < 2 or not np.isfinite(left_out).all():
        lost = int((~np.isfinite(left_out)).sum())
        return no_interval(f"{g} groups of raters, without {lost} of which there is no value")
    error = float(np.sqrt((g - 1) / g * ((left_out - left_out.mean()) ** 2).sum()))
    reach = float(special.stdtrit(g - 1, (1 + level) / 2)) * error
    notes = (f"from {g} groups only: the interval is rough",) if g < FEW else ()
    method = f"delete-a-group jackknife, {g} random groups of {raters} raters"
    return Interval(estimate - reach, min(1.0, estimate + reach), error, method, notes)
