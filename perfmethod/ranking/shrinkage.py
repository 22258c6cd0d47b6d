"""Empirical Bayes: true values given estimates whose errors are known and may be correlated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Posterior", "between_variance", "posterior"]

Array = NDArray[np.float64]

FLAT = 1e8  # variance between units, in variances of the errors, where none can be estimated
GRID = 200


class Posterior(NamedTuple):
    """Normal law of the true values given the estimates.

    ``between`` is the variance between true values by class (infinite where it is not estimated),
    ``center`` their mean by class.
    """

    mean: Array  # (u,)
    covariance: Array  # (u, u)
    between: Array  # (c,)
    center: Array  # (c,)


def between_variance(estimates: ArrayLike, covariance: ArrayLike) -> float:
    """Variance between true values by restricted maximum likelihood.

    Parameters
    ----------
    estimates : array_like (u,)
        Of at least three units with a common mean.
    covariance : array_like (u, u)
        Of their errors.

    Returns
    -------
    float
        0 where the estimates spread no more than their errors.

    Notes
    -----
    In an orthonormal basis of the contrasts in which the errors' covariance is diagonal the
    contrasts are independent with variances d + (variance between), so one dimension is searched,
    first on a grid, for the likelihood may have several tops.

    References
    ----------
    Patterson and Thompson, "Recovery of inter-block information when block sizes are unequal",
    *Biometrika* 58 (1971), 545-554.

    Examples
    --------
    >>> round(between_variance([0.0, 4.0, 8.0, 12.0], np.diag([1.0] * 4)), 3)
    25.667
    """
    from scipy.optimize import minimize_scalar

    x, v = np.asarray(estimates, dtype=float), np.asarray(covariance, dtype=float)
    contrasts = np.linalg.svd(np.ones((1, x.size)))[2][1:]
    d, basis = np.linalg.eigh(contrasts @ v @ contrasts.T)
    square, d = (basis.T @ contrasts @ x) ** 2, np.maximum(d, 0.0)

    def minus(between: float) -> float:
        spread = np.maximum(d + between, 1e-300)
        return float(np.log(spread).sum() + (square / spread).sum())

    most = float(square.max())
    if most <= 0:
        return 0.0
    grid = np.concatenate([[0.0], np.geomspace(most * 1e-8, most, GRID)])
    best = int(np.argmin([minus(t) for t in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, GRID)]
    found = minimize_scalar(minus, bounds=(low, high), method="bounded", options={"xatol": 0.0})
    return float(found.x) if found.fun < minus(0.0) else 0.0


def posterior(
    estimates: ArrayLike,
    covariance: ArrayLike,
    classes: ArrayLike | None = None,
    *,
    shrink: bool = True,
) -> Posterior:
    """Normal posterior of true values: each class has its own mean and variance between units.

    Parameters
    ----------
    estimates : array_like (u,)
    covariance : array_like (u, u)
        Of the errors, also between units of different classes.
    classes : array_like of int (u,), optional
        Codes from 0; by default one class. In a class of fewer than three units nothing is shrunk.
    shrink : bool, default True
        False: a flat prior, so that the posterior is centered at the estimates.

    Returns
    -------
    Posterior
        The uncertainty of the means is in the covariance, that of the variances between is not.

    References
    ----------
    Morris, "Parametric empirical Bayes inference: theory and applications", *Journal of the
    American Statistical Association* 78 (1983), 47-55; Robinson, "That BLUP is a good thing",
    *Statistical Science* 6 (1991), 15-32.

    Examples
    --------
    >>> found = posterior([0.0, 4.0, 8.0, 12.0], np.diag([1.0] * 4))
    >>> found.mean.round(3).tolist()
    [0.225, 4.075, 7.925, 11.775]
    """
    x, v = np.asarray(estimates, dtype=float), np.asarray(covariance, dtype=float)
    code = np.zeros(x.size, dtype=int) if classes is None else np.asarray(classes)
    member = (code[:, None] == np.arange(code.max() + 1)).astype(float)
    between = np.full(member.shape[1], np.inf)
    for c in range(member.shape[1]):
        mine = np.flatnonzero(code == c)
        if shrink and mine.size >= 3:
            between[c] = between_variance(x[mine], v[np.ix_(mine, mine)])
    scale = max(float(np.diag(v).max()), 1e-300)
    prior = np.minimum(between, FLAT * scale)[code]
    whole = v + np.diag(prior)
    inverse = np.linalg.pinv(whole, hermitian=True)
    information = np.linalg.pinv(member.T @ inverse @ member, hermitian=True)
    center = information @ member.T @ inverse @ x
    keep = prior[:, None] * inverse  # what is kept of a departure from the mean
    lost = member - keep @ member
    spread = np.diag(prior) - keep @ np.diag(prior) + lost @ information @ lost.T
    if not np.isfinite(between).any():
        return Posterior(x, v, between, center)
    return Posterior(
        member @ center + keep @ (x - member @ center), (spread + spread.T) / 2, between, center
    )
