"""Random intercepts in closed form: one search over one ratio of variances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import DataError, Problems

__all__ = ["RandomIntercepts", "random_intercepts"]

Array = NDArray[np.float64]

RANK = 1e-9  # of the columns' size: combinations smaller than that do not differ
ROUND = 8 * float(np.finfo(float).eps)  # of the values' size: what rounding leaves of equal ones


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
        Restricted, where the method is "reml"; infinite where the residual variance is 0.
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
    by a bracketed search from 0, included, so that a fit on the boundary is a result and not a
    failure, to far beyond what the spread within groups allows. Where nothing but rounding is left
    within groups the residual variance is 0 and the likelihood has no bound; the fit is then its
    limit, in which group means are known without error.

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
        If a value is missing, there are fewer than two groups, no group has two units, a column of
        `x` is constant or a combination of others, there are not more units than coefficients, or
        not more groups than coefficients that only they tell, or the method is not known.

    References
    ----------
    Robinson, "That BLUP is a good thing", *Statistical Science* 6 (1991), 15-32.

    Examples
    --------
    >>> fit = random_intercepts([1, 2, 5, 6, 9, 10], [[]] * 6, list("aabbcc"))
    >>> round(fit.between, 3), round(fit.residual, 3), (fit.effects.round(3) + 0.0).tolist()
    (15.75, 0.5, [-3.938, 0.0, 3.938])

    Units of a group may be all alike; what is between the groups is then all there is:

    >>> fit = random_intercepts([1, 1, 5, 5, 9, 9], [[]] * 6, list("aabbcc"))
    >>> round(fit.between, 9), fit.residual, fit.effects.round(3).tolist()
    (16.0, 0.0, [-4.0, 0.0, 4.0])
    """
    labels, parts, back = _parts(y, x, groups, method)
    if parts.exact():
        fit = parts.limit()
        between, shrink, se = fit.residual, np.ones(len(labels)), np.zeros(len(labels))
        fit = replace(fit, residual=0.0, log_likelihood=np.inf)
    else:
        ratio = _best_ratio(parts)
        fit = parts.solve(ratio)
        between = ratio * fit.residual
        shrink = ratio * parts.sizes / (1 + ratio * parts.sizes)
        se = np.sqrt(fit.residual * ratio / (1 + ratio * parts.sizes))
    mean = parts.y_means - parts.x_means @ fit.coef
    coef, covariance = back.coefficients(fit.coef, fit.covariance)
    return RandomIntercepts(
        labels, coef, np.sqrt(np.diag(covariance)), between, fit.residual, fit.log_likelihood,
        shrink * mean, se, method,
    )  # fmt: skip


def _best_ratio(parts: _Parts) -> float:
    """Ratio of the variances of greatest likelihood, 0 included."""
    from scipy.optimize import minimize_scalar

    low, high = 1e-6 / parts.sizes.max(), 1e4 * (1 + parts.most())
    steps = 1 + int(12 * np.log10(high / low))
    grid = np.concatenate([[0.0], np.geomspace(low, high, steps)])
    values = np.array([parts.solve(t).log_likelihood for t in grid])
    best = int(values.argmax())
    if best == 0 and values[1] <= values[0]:
        return 0.0
    # in logarithms: a ratio may be a hundredth or a million
    ends = np.log(grid[max(best - 1, 1)]), np.log(grid[min(best + 1, grid.size - 1)])
    found = minimize_scalar(lambda s: -parts.solve(np.exp(s)).log_likelihood, bounds=ends,
                            method="bounded", options={"xatol": 1e-11})  # fmt: skip
    return float(np.exp(found.x))


@dataclass(frozen=True)
class _Fit:
    coef: Array
    covariance: Array
    residual: float
    log_likelihood: float


@dataclass(frozen=True)
class _Scale:
    """Means and sizes of the columns, by which they were made comparable."""

    mean: Array
    size: Array
    level: float

    def coefficients(self, coef: Array, covariance: Array) -> tuple[Array, Array]:
        """Coefficients and their covariance for the columns as they were given."""
        turn = np.diag(1 / self.size)
        turn[0, 1:] = -self.mean[1:] / self.size[1:]
        found = turn @ coef
        found[0] += self.level
        return found, turn @ covariance @ turn.T


@dataclass(frozen=True)
class _Parts:
    """What is within groups and what is between them: all that the likelihood needs.

    The columns are about their means and of one size, so that neither a large level nor the unit
    of measurement costs digits; ``log_size`` is what the sizes take off the determinant. The rows
    within groups are as few as there are columns: products and squares are those of all units.
    """

    sizes: Array
    y_means: Array
    x_means: Array
    y_within: Array
    x_within: Array
    rounding: float
    log_size: float
    reml: bool

    def solve(self, ratio: float) -> _Fit:
        """Everything but the ratio of the variances, given that ratio."""
        weight = self.sizes / (1 + ratio * self.sizes)
        coef, inverse, square = self._least_squares(np.sqrt(weight), self.x_within, self.y_within)
        n, p = float(self.sizes.sum()), len(coef)
        df = n - p if self.reml else n
        residual = square / df
        value = df * (np.log(2 * np.pi * max(residual, 1e-300)) + 1)
        value += float(np.log1p(ratio * self.sizes).sum())
        if self.reml:
            value += 2 * self.log_size - float(np.linalg.slogdet(inverse)[1])
        return _Fit(coef, residual * inverse, residual, -0.5 * value)

    def _least_squares(self, root: Array, xw: Array, yw: Array) -> tuple[Array, Array, float]:
        """Coefficients, inverse of the products and residual square, by one decomposition."""
        design = np.vstack([xw, root[:, None] * self.x_means])
        right = np.concatenate([yw, root * self.y_means])
        size = np.linalg.norm(design, axis=0)
        q, r = np.linalg.qr(design / size)
        up = np.linalg.inv(r) / size[:, None]
        coef: Array = up @ (q.T @ right)
        rest = right - design @ coef
        return coef, np.asarray(up @ up.T, dtype=np.float64), float(rest @ rest)

    def most(self) -> float:
        """Variance of all over that within groups: a ratio beyond it is not to be thought of."""
        free = self.sizes.sum() - len(self.sizes) - np.linalg.matrix_rank(self.x_within)
        every = float(self.y_within @ self.y_within) + float(self.sizes @ self.y_means**2)
        return every / (self._within() / max(free, 1))

    def exact(self) -> bool:
        """Whether nothing but rounding is left within groups."""
        return self._within() <= float(self.sizes.sum()) * self.rounding**2

    def _within(self) -> float:
        coef = np.linalg.lstsq(self.x_within, self.y_within, rcond=None)[0]
        rest = self.y_within - self.x_within @ coef
        return float(rest @ rest)

    def limit(self) -> _Fit:
        """Fit without residual variance: within groups exact, between them least squares.

        ``residual`` is the variance between groups here.
        """
        left, d, right = np.linalg.svd(self.x_within, full_matrices=False)
        kept = int((d > d.max(initial=0.0) * RANK).sum())
        known = right[:kept].T @ ((left.T @ self.y_within)[:kept] / d[:kept])
        free = right[kept:].T  # combinations of columns that do not differ within groups
        design, y = self.x_means @ free, self.y_means - self.x_means @ known
        inverse = np.linalg.pinv(design.T @ design)
        rest = y - design @ (inverse @ (design.T @ y))
        df = len(y) - free.shape[1] if self.reml else len(y)
        between = float(rest @ rest) / df
        coef = known + free @ (inverse @ (design.T @ y))
        return _Fit(coef, between * free @ inverse @ free.T, between, np.inf)


def _parts(
    y: ArrayLike, x: ArrayLike, groups: Sequence[object] | ArrayLike, method: str
) -> tuple[tuple[str, ...], _Parts, _Scale]:
    a, names = np.asarray(y, dtype=float), np.asarray(groups, dtype=object)
    columns = np.asarray(x, dtype=float).reshape(len(a), -1)
    labels, code = np.unique([str(n) for n in names], return_inverse=True)
    _check_values(a, columns, labels, method)
    design = np.column_stack([np.ones(len(a)), columns])
    mean, size = np.append(0.0, columns.mean(axis=0)), np.ones(design.shape[1])
    away = design - mean
    size[1:] = np.abs(away[:, 1:]).max(axis=0)
    flat = np.flatnonzero(size <= ROUND * np.abs(design).max(axis=0))
    away = away / np.where(size > 0, size, 1.0)
    level = float(a.mean())
    sizes = np.bincount(code).astype(float)
    means = np.zeros((len(labels), design.shape[1]))
    np.add.at(means, code, away)
    means /= sizes[:, None]
    y_means = np.bincount(code, a - level) / sizes
    within = away - means[code]
    _check_columns(away, within, flat, len(labels))
    reach = float(np.abs(a).max())
    few: Array = np.linalg.qr(np.column_stack([within, a - level - y_means[code]]))[1]
    parts = _Parts(sizes, y_means, means, few[:, -1], few[:, :-1], ROUND * reach,
                   float(np.log(size).sum()), method == "reml")  # fmt: skip
    return tuple(str(s) for s in labels), parts, _Scale(mean, size, level)


def _check_values(a: Array, columns: Array, labels: NDArray[np.str_], method: str) -> None:
    problems = Problems("random intercepts")
    if not (np.isfinite(a).all() and np.isfinite(columns).all()):
        problems.add("a value that is not finite", "finite numbers only")
    if method not in ("reml", "ml"):
        problems.add(f"method '{method}'", "'reml' or 'ml'")
    if len(labels) < 2 or len(labels) == len(a):
        problems.add(f"{len(labels)} groups of {len(a)} units", "2 or more, some with 2 units",
                     column="groups")  # fmt: skip
    problems.raise_any(DataError)


def _check_columns(design: Array, within: Array, flat: NDArray[np.intp], groups: int) -> None:
    problems = Problems("random intercepts")
    for column in flat:
        problems.add(f"column {column - 1} constant", "columns that differ between units: the "
                     "intercept is there already", column="x")  # fmt: skip
    n, p = design.shape
    rank = int(np.linalg.matrix_rank(design, tol=RANK * np.sqrt(n)))
    if rank < p and not flat.size:
        problems.add(f"{p - 1} columns of which {rank - 1} are no combination of others",
                     "columns that are not collinear", column="x")  # fmt: skip
    alone = p - int(np.linalg.matrix_rank(within, tol=RANK * np.sqrt(n)))
    if rank == p and n <= p:
        problems.add(f"{n} units for {p} coefficients", "more units than coefficients", column="x")
    elif rank == p and groups <= alone:
        problems.add(f"{groups} groups for {alone} coefficients (the intercept and what differs "
                     "between groups only)", "more groups than such coefficients",
                     column="x")  # fmt: skip
    problems.raise_any(DataError)
