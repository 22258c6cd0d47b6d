"""Main effects from one sample: linear smoothers and the correlation ratio.

A smoother is a matrix H (n, n) whose product with y is the fitted mean of y at each x. All of them
are judged alike: the share of y's variance that the fit explains, and how many degrees of freedom
it spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.sensitivity.estimators import chosen

__all__ = ["SMOOTHERS", "MainEffect", "correlation_ratio"]

Array = NDArray[np.float64]

LEAST = 6  # points below which no smoother says anything about a curve


class MainEffect(NamedTuple):
    """Share of y's variance that x explains.

    Parameters
    ----------
    ratio : float
        Variance of the fit over the variance of y; never negative, too large in small samples.
    corrected : float
        1 less the residual variance over the variance of y, each by its degrees of freedom. Around
        0 where x says nothing, so it may be below 0.
    freedom : float
        Degrees of freedom that the fit spends: trace of 2H - HH'.
    """

    ratio: float
    corrected: float
    freedom: float


def linear(x: Array) -> Array:
    """Straight line: the ratio is the squared correlation, the corrected one the adjusted R2.

    References
    ----------
    Ezekiel M. (1930), Methods of Correlation Analysis, Wiley.

    Examples
    --------
    >>> float(np.trace(linear(np.arange(5.0))).round(9))
    2.0
    """
    return _projection(np.stack([np.ones(len(x)), x], 1))


def bins(x: Array, *, number: int = 5) -> Array:
    """Means of bins with equal counts; equal values of x never part.

    The ratio is the correlation ratio eta squared, the corrected one epsilon squared.

    Parameters
    ----------
    x : ndarray (n,)
    number : int
        Bins, as far as ties leave so many.

    References
    ----------
    Pearson K. (1905), On the general theory of skew correlation, Drapers' Company Research
    Memoirs. Kelley T. L. (1935), An unbiased correlation ratio measure, PNAS 21, 554-559.

    Examples
    --------
    >>> bins(np.array([1.0, 1, 2, 2]), number=2)[0].tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    inner = np.quantile(x, np.arange(1, number) / number, method="inverted_cdf")
    member = np.searchsorted(np.unique(inner), x, side="left")
    same = (member[:, None] == member).astype(float)
    return same / same.sum(1, keepdims=True)


def spline(x: Array, *, freedom: int = 3) -> Array:
    """Regression on a natural cubic spline, knots at quantiles of x.

    Parameters
    ----------
    x : ndarray (n,)
    freedom : int
        Degrees of freedom besides the constant: inner knots plus 1; 1 is a straight line.

    References
    ----------
    Hastie T., Tibshirani R., Friedman J. (2009), The Elements of Statistical Learning, 2nd ed.,
    eq. 5.4-5.5.

    Examples
    --------
    >>> x = np.linspace(0, 1, 9)
    >>> float(np.trace(spline(x)).round(9)), bool(np.allclose(spline(x, freedom=1), linear(x)))
    (4.0, True)
    """
    knots = np.unique(np.quantile(x, np.linspace(0, 1, freedom + 1)))
    basis = [np.ones(len(x)), x]
    if len(knots) > 2:
        last = _cubes(x, knots[-2], knots[-1])
        basis += [_cubes(x, k, knots[-1]) - last for k in knots[:-2]]
    return _projection(np.stack(basis, 1))


def _cubes(x: Array, knot: float, end: float) -> Array:
    cut = np.maximum(x - knot, 0) ** 3 - np.maximum(x - end, 0) ** 3
    return np.asarray(cut / (end - knot))


def local_linear(x: Array, *, bandwidth: float | None = None) -> Array:
    """Local straight lines under a Gaussian kernel.

    Parameters
    ----------
    x : ndarray (n,)
    bandwidth : float, optional
        Standard deviation of the kernel as a share of that of x; n ** -0.2 by default.

    References
    ----------
    Fan J., Gijbels I. (1996), Local Polynomial Modelling and Its Applications, Chapman & Hall.

    Examples
    --------
    >>> x = np.array([0.0, 1, 2, 5, 7, 8])
    >>> bool(np.allclose(local_linear(x) @ (3 + 2 * x), 3 + 2 * x))
    True
    """
    share = len(x) ** -0.2 if bandwidth is None else bandwidth
    gap = x - x[:, None]  # (at, point)
    kernel = np.exp(-0.5 * (gap / (share * x.std(ddof=1))) ** 2)
    s0, s1, s2 = (np.sum(kernel * gap**power, 1, keepdims=True) for power in (0, 1, 2))
    spread = s0 * s2 - s1**2
    # a point so far out that no other one is seen from it is its own mean
    return np.divide(kernel * (s2 - gap * s1), spread, out=kernel / s0, where=spread > 0)


SMOOTHERS: Mapping[str, Callable[..., Array]] = MappingProxyType(
    {"linear": linear, "bins": bins, "spline": spline, "local_linear": local_linear}
)


def _projection(basis: Array) -> Array:
    """Hat matrix of a least-squares fit."""
    scaled = basis / np.linalg.norm(basis, axis=0)
    u, s, _ = np.linalg.svd(scaled, full_matrices=False)
    kept = u[:, s > 1e-10 * s[0]]
    return np.asarray(kept @ kept.T)


def correlation_ratio(
    x: ArrayLike, y: ArrayLike, method: str = "linear", **options: float
) -> MainEffect:
    """Share of y's variance that is explained by x alone, from one sample.

    It is Pearson's correlation ratio, the first-order sensitivity index of x where x is known by
    its sample only.

    Parameters
    ----------
    x, y : array_like (n,)
        At least 6 points.
    method : {'linear', 'bins', 'spline', 'local_linear'}
        With few points choose 'linear': what a curve explains by chance grows with its freedom.
    **options
        Of the method: `number` of bins, `freedom` of the spline, `bandwidth` of the kernel.

    Returns
    -------
    MainEffect
        All zero where x or y does not vary.

    Raises
    ------
    ValueError
        If there are too few points, one is not finite, the method is unknown, or it spends all
        degrees of freedom.

    References
    ----------
    Paruolo P., Saisana M., Saltelli A. (2013), Ratings and rankings: voodoo or science?, Journal
    of the Royal Statistical Society A 176, 609-634.

    Examples
    --------
    >>> x = np.arange(-5.0, 6.0)
    >>> [round(correlation_ratio(x, x**2, m).ratio, 3) for m in ("linear", "spline")]
    [0.0, 0.996]
    """
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    smoother = chosen("method", method, SMOOTHERS)
    if a.ndim != 1 or a.shape != b.shape or len(a) < LEAST:
        raise ValueError(f"found shapes {a.shape} and {b.shape}; allowed: two times the same "
                         f"(n,), n at least {LEAST}")  # fmt: skip
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("found points that are no finite number; leave out units without a score")
    if not a.std() > 1e-12 * np.abs(a).max() or not b.std() > 1e-12 * np.abs(b).max():
        return MainEffect(0.0, 0.0, 0.0)
    hat = smoother((a - a.mean()) / a.std(), **options)
    fit = hat @ (b - b.mean())
    freedom = float(2 * np.trace(hat) - np.sum(hat * hat))
    if freedom > len(a) - 1:
        raise ValueError(f"{method}: found a fit with {freedom:.1f} degrees of freedom for "
                         f"{len(a)} points; allowed: a smoother one")  # fmt: skip
    left = np.sum((b - b.mean() - fit) ** 2) / (len(a) - freedom)
    return MainEffect(float(fit.var() / b.var()), float(1 - left / b.var(ddof=1)), freedom)
