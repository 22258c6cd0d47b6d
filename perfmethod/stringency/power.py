"""What the test of group effects could find, and its twin by permutation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.stringency.ancova import Ancova
from perfmethod.stringency.canonical import Canonical

__all__ = ["anchored_power", "detectable_ratio", "permutation_p"]

Array = NDArray[np.float64]


def anchored_power(
    found: Canonical, ratio: ArrayLike, *, alpha: float = 0.05
) -> NDArray[np.float64]:
    """Chance that the F test finds group effects of a given spread.

    Parameters
    ----------
    found : Canonical
    ratio : array_like (r,)
        Standard deviation of the group effects over the residual one.
    alpha : float, default 0.05

    Returns
    -------
    ndarray (r,)

    Notes
    -----
    The group effects are normal; the numerator of F is then a weighted sum of chi-squares, whose
    tail is one integral.

    References
    ----------
    Imhof, "Computing the distribution of quadratic forms in normal variables", *Biometrika* 48
    (1961), 419-426.

    Examples
    --------
    >>> from perfmethod.stringency import ancova, canonical
    >>> fit = ancova([80, 82, 84, 90, 93, 94], [[1], [2], [3], [1], [2], [3]], list("aaabbb"))
    >>> anchored_power(canonical(fit), [0, 1, 5]).round(2).tolist()
    [0.05, 0.21, 0.74]
    """
    from scipy.special import fdtri

    between = found.z.size
    limit = float(fdtri(between, found.df, 1 - alpha)) * between / found.df
    sizes = np.concatenate([np.ones(between), [float(found.df)]])
    return np.array([
        _positive(np.concatenate([1 + r**2 / found.noise, [-limit]]), sizes)
        for r in np.atleast_1d(np.asarray(ratio, dtype=float))
    ])  # fmt: skip


def detectable_ratio(found: Canonical, *, alpha: float = 0.05, target: float = 0.8) -> float:
    """Smallest spread of group effects, over the residual one, found with a given chance.

    Parameters
    ----------
    found : Canonical
    alpha, target : float

    Examples
    --------
    >>> from perfmethod.stringency import ancova, canonical
    >>> fit = ancova([80, 82, 84, 90, 93, 94], [[1], [2], [3], [1], [2], [3]], list("aaabbb"))
    >>> round(detectable_ratio(canonical(fit)), 1)
    6.6
    """
    from scipy.optimize import brentq

    def lacks(r: float) -> float:
        return float(anchored_power(found, r, alpha=alpha)[0]) - target

    top = float(np.sqrt(found.noise.max()))
    while lacks(top) < 0:
        top *= 2
    return float(brentq(lacks, 0.0, top, xtol=1e-6 * top))


def _positive(weights: Array, sizes: Array) -> float:
    """Probability that a weighted sum of independent chi-squares is above 0."""
    from scipy.integrate import quad

    w = weights / np.abs(weights).max()

    def integrand(u: float) -> float:
        angle = 0.5 * float(sizes @ np.arctan(w * u))
        size = 0.25 * float(sizes @ np.log1p((w * u) ** 2))
        return float(np.sin(angle) * np.exp(-size) / u)

    value = quad(integrand, 0, np.inf, limit=400, epsabs=1e-9)[0]
    return float(np.clip(0.5 + value / np.pi, 0.0, 1.0))


def permutation_p(fit: Ancova, *, draws: int = 9999, seed: int = 0) -> float:
    """P-value of the test of group effects when residuals on the anchors change places.

    Parameters
    ----------
    fit : Ancova
    draws : int, default 9999
    seed : int, default 0

    Returns
    -------
    float
        Share of the permutations, the given order counted, with as large an F. It needs no normal
        errors; its Monte Carlo error is at most ``0.5 / sqrt(draws)``.

    References
    ----------
    Freedman and Lane, "A nonstochastic interpretation of reported significance levels", *Journal of
    Business & Economic Statistics* 1 (1983), 292-298.

    Examples
    --------
    >>> from perfmethod.stringency import ancova, canonical
    >>> fit = ancova([80, 82, 84, 90, 93, 94], [[1], [2], [3], [1], [2], [3]], list("aaabbb"))
    >>> permutation_p(fit, draws=999)
    0.103
    """
    y, x, g = fit.panel, fit.anchors, len(fit.sizes)
    small = _basis(np.column_stack([np.ones(y.size), x]))
    member = (fit.code[:, None] == np.arange(g)).astype(float)
    large = _basis(np.column_stack([member, x]))
    rest = y - small @ (small.T @ y)
    rng = np.random.default_rng(seed)
    shuffled = rng.permuted(np.tile(rest, (draws, 1)), axis=1)
    rows = np.vstack([rest, shuffled])
    # the whole of the squares is the same in every order
    total = float(rest @ rest)
    left = total - ((rows @ small) ** 2).sum(axis=1)
    error = total - ((rows @ large) ** 2).sum(axis=1)
    ratio = left / np.maximum(error, 1e-300)
    return float((ratio >= ratio[0] * (1 - 1e-10)).mean())


def _basis(design: Array) -> Array:
    """Orthonormal columns that span a design."""
    u, s, _ = np.linalg.svd(design / np.linalg.norm(design, axis=0), full_matrices=False)
    return np.asarray(u[:, s > 1e-10 * s[0]])
