"""Group effects with the uncertainty of how much they vary at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfmethod.stringency.canonical import Canonical

__all__ = ["GroupPosterior", "group_posterior"]

Array = NDArray[np.float64]

NODES = 96  # of the quadrature over the weight of shrinkage


@dataclass(frozen=True)
class GroupPosterior:
    """Posterior of the group effects less their mean.

    Attributes
    ----------
    mean, sd, low, high : ndarray (g,)
    """

    mean: Array
    sd: Array
    low: Array
    high: Array


def group_posterior(found: Canonical, *, level: float = 0.95) -> GroupPosterior:
    """Average the predictions of group effects over all stringency variances.

    With few groups the variance of their effects is barely known, and a prediction that takes its
    estimate for the truth claims too much (where the estimate is 0, everything). Here the variance
    has a flat prior, as have the mean and the logarithm of the residual variance: of the usual
    priors the one whose intervals keep their level at every true variance. What is left is one
    integral over the variance, a Gauss-Legendre sum of t distributions. With fewer than four groups
    a flat prior leaves no distribution; the weight of shrinkage is flat there.

    Parameters
    ----------
    found : Canonical
    level : float, default 0.95

    Returns
    -------
    GroupPosterior

    References
    ----------
    Morris, "Parametric empirical Bayes inference: theory and applications", *Journal of the
    American Statistical Association* 78 (1983), 47-55 (the prior); Daniels, *Canadian Journal of
    Statistics* 27 (1999), 567-578 (the one for fewer groups).

    Examples
    --------
    >>> from perfmethod.stringency import ancova, canonical
    >>> fit = ancova([80, 82, 84, 90, 93, 94], [[1], [2], [3], [1], [2], [3]], list("aaabbb"))
    >>> found = group_posterior(canonical(fit))
    >>> bool((found.low < found.mean).all()), bool((abs(found.mean) < abs(fit.effects)).all())
    (True, True)
    """
    node, weight = np.polynomial.legendre.leggauss(NODES)
    share = (node + 1) / 2  # of the common mean; from 0 (no shrinkage) to 1
    theta = found.noise.mean() * (1 - share) / share
    n = found.df + found.z.size
    total = theta[:, None] + found.noise  # (nodes, g - 1)
    squares = found.squares + (found.z**2 / total).sum(axis=1)
    logs = -0.5 * np.log(total).sum(axis=1) - 0.5 * n * np.log(squares)
    if len(found.rotation) >= 4:
        logs -= 2 * np.log(share)  # from the share to the variance
    weight = weight * np.exp(logs - logs.max())
    weight /= weight.sum()
    kept = theta[:, None] / total
    centers = (kept * found.z) @ found.rotation.T
    scale2 = squares[:, None] / n * ((kept * found.noise) @ (found.rotation**2).T)
    mean = weight @ centers
    var = weight @ (scale2 * n / (n - 2) + (centers - mean) ** 2)
    tail = (1 - level) / 2
    low, high = (_quantile(q, weight, centers, np.sqrt(scale2), n) for q in (tail, 1 - tail))
    return GroupPosterior(mean, np.sqrt(var), low, high)


def _quantile(q: float, weight: Array, centers: Array, scale: Array, df: int) -> Array:
    """Quantile of a mixture of t distributions for each group: Newton, kept inside a bracket."""
    from scipy.special import gammaln, stdtr, stdtrit

    size = np.maximum(scale, 1e-300)
    reach = np.abs(stdtrit(df, q / 100)) * size
    low, high = (centers - reach).min(axis=0), (centers + reach).max(axis=0)
    peak = np.exp(gammaln((df + 1) / 2) - gammaln(df / 2)) / np.sqrt(df * np.pi)
    x = weight @ (centers + stdtrit(df, q) * size)
    for _ in range(60):
        t = (x - centers) / size
        gap = weight @ stdtr(df, t) - q
        low, high = np.where(gap < 0, x, low), np.where(gap < 0, high, x)
        slope = weight @ (peak * (1 + t**2 / df) ** (-(df + 1) / 2) / size)
        step = x - gap / np.maximum(slope, 1e-300)
        # a step out of the bracket is replaced by its middle
        new = np.where((step > low) & (step < high), step, (low + high) / 2)
        if np.all(np.abs(new - x) <= 1e-10 * reach.max(axis=0)):
            return new
        x = new
    return x
