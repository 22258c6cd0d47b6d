"""Random intercepts in closed form: one search over one ratio of variances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems

__all__ = ["RandomIntercepts", "random_intercepts"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RandomIntercepts:
    """A mixed model with one random intercept per group.

    Attributes
    ----------
    labels : tuple of str (g,)
    coef, coef_se : ndarray (p,)
        The intercept first.
    between, residual : float
        Variances of the groups and of the errors.
    log_likelihood : float
        Restricted, where the method is "reml".
    effects : ndarray (g,)
        Predictions of the group effects (BLUP): the group's mean residual, shrunk.
    effects_se : ndarray (g,)
        Their standard errors, given coefficients and variances.
    method : str
    """

    labels: tuple[str, ...] = field(repr=False)
    coef: Array
    coef_se: Array
    between: float
    residual: float
    log_likelihood: float
    effects: Array = field(repr=False)
    effects_se: Array = field(repr=False)
    method: str


def random_intercepts(
    y: ArrayLike, x: ArrayLike, groups: Sequence[object] | ArrayLike, *, method: str = "reml"
) -> RandomIntercepts:
    """Fit y = intercept + x coef + group effect + error, group effects and errors normal.

    Given the ratio of the two variances all else is closed: coefficients by generalized least
    squares, group effects by shrinkage, the error variance by its mean square. The ratio is found
    by a bracketed search, 0 included, so that a fit on the boundary is a result and not a failure.

    Parameters
    ----------
    y : array_like (n,)
    x : array_like (n, p)
        Without an intercept; may have no column.
    groups : sequence (n,)
    method : {"reml", "ml"}

    Returns
    -------
    RandomIntercepts

    Raises
    ------
    DataError
        If a value is missing, there are fewer than two groups, no group has two units, or the
        method is not known.

    References
    ----------
    Robinson, "That BLUP is a good thing", *Statistical Science* 6 (1991), 15-32.

    Examples
    --------
    >>> fit = random_intercepts([1, 2, 5, 6, 9, 10], [[]] * 6, list("aabbcc"))
    >>> round(fit.between, 3), round(fit.residual, 3), fit.effects.round(3).tolist()
    (15.75, 0.5, [-3.938, -0.0, 3.938])
    """
    from scipy.optimize import minimize_scalar

    labels, parts = _sums(y, x, groups, method)
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e4, 120)])
    values = np.array([parts.solve(t).log_likelihood for t in grid])
    best = int(values.argmax())
    ratio = 0.0
    if best > 0 or values[1] > values[0]:
        # in logarithms: a ratio may be a hundredth or a hundred
        ends = np.log(grid[max(best - 1, 1)]), np.log(grid[min(best + 1, grid.size - 1)])
        found = minimize_scalar(lambda s: -parts.solve(np.exp(s)).log_likelihood, bounds=ends,
                                method="bounded", options={"xatol": 1e-11})  # fmt: skip
        ratio = float(np.exp(found.x))
    fit = parts.solve(ratio)
    shrink = ratio * parts.sizes / (1 + ratio * parts.sizes)
    mean = parts.y_means - parts.x_means @ fit.coef
    se = np.sqrt(fit.residual * ratio / (1 + ratio * parts.sizes))
    return RandomIntercepts(
        labels, fit.coef, np.sqrt(fit.residual * np.diag(fit.inverse)), ratio * fit.residual,
        fit.residual, fit.log_likelihood, shrink * mean, se, method,
    )  # fmt: skip


@dataclass(frozen=True)
class _Fit:
    coef: Array
    inverse: Array
    residual: float
    log_likelihood: float


@dataclass(frozen=True)
class _Sums:
    """Squares and products, total and of group means: all that the likelihood needs."""

    sizes: Array
    y_means: Array
    x_means: Array
    xx: Array
    xy: Array
    yy: float
    reml: bool

    def solve(self, ratio: float) -> _Fit:
        """Everything but the ratio of the variances, given that ratio."""
        w = ratio * self.sizes**2 / (1 + ratio * self.sizes)
        xx = self.xx - (self.x_means * w[:, None]).T @ self.x_means
        xy = self.xy - self.x_means.T @ (w * self.y_means)
        yy = self.yy - float(w @ self.y_means**2)
        inverse = np.asarray(np.linalg.inv(xx), dtype=np.float64)
        coef: Array = inverse @ xy
        n, p = float(self.sizes.sum()), len(coef)
        df = n - p if self.reml else n
        residual = max(yy - float(coef @ xy), 0.0) / df
        value = df * (np.log(2 * np.pi * max(residual, 1e-300)) + 1)
        value += float(np.log1p(ratio * self.sizes).sum())
        if self.reml:
            value += float(np.linalg.slogdet(xx)[1])
        return _Fit(coef, inverse, residual, -0.5 * value)


def _sums(
    y: ArrayLike, x: ArrayLike, groups: Sequence[object] | ArrayLike, method: str
) -> tuple[tuple[str, ...], _Sums]:
    a, names = np.asarray(y, dtype=float), np.asarray(groups, dtype=object)
    columns = np.asarray(x, dtype=float).reshape(len(a), -1)
    problems = Problems("random intercepts")
    labels, code = np.unique([str(n) for n in names], return_inverse=True)
    if not (np.isfinite(a).all() and np.isfinite(columns).all()):
        problems.add("a value that is not finite", "finite numbers only")
    if method not in ("reml", "ml"):
        problems.add(f"method '{method}'", "'reml' or 'ml'")
    if len(labels) < 2 or len(labels) == len(a):
        problems.add(f"{len(labels)} groups of {len(a)} units", "2 or more, some with 2 units",
                     column="groups")  # fmt: skip
    problems.raise_any(DataError)
    design = np.column_stack([np.ones(len(a)), columns])
    sizes = np.bincount(code).astype(float)
    means = np.zeros((len(labels), design.shape[1]))
    np.add.at(means, code, design)
    y_means = np.bincount(code, a) / sizes
    parts = _Sums(sizes, y_means, means / sizes[:, None], design.T @ design, design.T @ a,
                  float(a @ a), method == "reml")  # fmt: skip
    return tuple(str(s) for s in labels), parts
