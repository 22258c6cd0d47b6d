"""Calibration to totals of any numbers: Newton's method on the dual problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.calibration.distances import Distance, distance
from perfmethod.calibration.margins import check_weights, raise_all
from perfmethod.calibration.weighting import (
    Constraints,
    Weighting,
    finish,
    frozen,
    relative_errors,
)
from perfmethod.errors import PerfmethodError, Problems

__all__ = ["Solved", "calibrate", "solve"]

Floats = NDArray[np.float64]

_HALVINGS = 40


def calibrate(
    weights: ArrayLike,
    x: ArrayLike,
    totals: ArrayLike,
    *,
    method: str = "linear",
    bounds: tuple[float, float] | None = None,
    scale: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    tolerance: float = 1e-12,
    max_iterations: int = 100,
    on_failure: str = "raise",
) -> Weighting:
    r"""Weights nearest to the given ones under which x adds to known totals.

    The weights are :math:`w_i = d_i F(x_i^\top \lambda / \sigma_i^2)` with the factor *F* of
    `distance`; :math:`\lambda` minimizes the convex dual
    :math:`\sum_i d_i \sigma_i^2 \Phi(x_i^\top \lambda / \sigma_i^2) - T^\top \lambda`,
    :math:`\Phi' = F`, by Newton's method with steps that are halved until the dual falls.

    Parameters
    ----------
    weights : array_like, shape (n,)
        Design weights d, not negative.
    x : array_like, shape (n, p) or (n,)
        Numbers whose totals are known; include a column of ones where the size is. Columns may
        depend on each other as long as their totals do so too.
    totals : array_like, shape (p,)
        Totals T in the population.
    method : {"linear", "raking", "logit"}
        Linear is generalized regression (GREG), whose weights may be negative.
    bounds : (float, float), optional
        Bounds of the factors w / d (``"linear"`` and ``"logit"``).
    scale : array_like, shape (n,), optional
        :math:`\sigma_i^2`, variance of the regression's errors up to a factor; default 1.
    names : sequence of str, optional
        Of the columns; by default those of a DataFrame, or their positions.
    tolerance : float
        Largest error of a total, relative to the larger of \|T\| and :math:`\sum_i d_i |x_i|`.
    max_iterations : int
    on_failure : {"raise", "flag"}
        As in `rake`.

    Returns
    -------
    Weighting

    Raises
    ------
    InputError
        Every problem at once: weights, x, totals or scale that are not finite or do not fit.
    PerfmethodError
        The totals cannot be met, or not within the bounds; names the worst.

    References
    ----------
    Deville, J.-C. and Särndal, C.-E. (1992). Calibration estimators in survey sampling. *Journal
    of the American Statistical Association* 87, 376-382.

    R package survey, ``calibrate``, whose weights the tests reproduce.

    Examples
    --------
    >>> x = [[1, 1], [1, 2], [1, 3]]
    >>> calibrate([10, 10, 10], x, [30, 66]).weights.round(9).tolist()
    [7.0, 10.0, 13.0]
    """
    problems = Problems("calibration")
    d = check_weights(weights, problems)
    design, target, sigma = _checked(d, x, totals, scale, problems)
    raise_all(problems)
    distance(method, bounds)  # an error of its own comes before any number
    labels = [str(name) for name in (getattr(x, "columns", range(len(target))) if names is None
                                     else names)]  # fmt: skip
    if len(labels) != len(target):
        raise PerfmethodError(f"names: found {len(labels)}; allowed: {len(target)}")

    rule = _Rule(design, target, sigma, method, bounds, tuple(labels), tolerance, max_iterations)
    fit = rule.solve(d)
    frozen(fit.weights, d)
    hint = "the totals contradict each other" + (", or the bounds" if bounds else "")
    keys = tuple(("x", label) for label in labels)
    constraints = Constraints(keys, target, partial(np.asarray, design))
    found = Weighting(
        fit.weights, d, f"{method} calibration", fit.error <= tolerance, fit.iterations, fit.error,
        keys[fit.worst], tolerance, constraints, sigma, rule,
    )  # fmt: skip
    return finish(found, on_failure, hint)


@dataclass(frozen=True, eq=False, repr=False)
class _Rule:
    """Calibrates weights of the same members again."""

    x: Floats  # (n, p)
    totals: Floats  # (p,)
    sigma: Floats  # (n,)
    method: str
    bounds: tuple[float, float] | None
    labels: tuple[str, ...]
    tolerance: float
    most: int

    def __call__(self, weights: Floats) -> Floats:
        found = self.solve(weights)
        if found.error > self.tolerance:
            raise PerfmethodError(
                f"found a replicate that cannot meet the total of {self.labels[found.worst]!r}; "
                "allowed: totals it can meet"
            )
        return found.weights

    def solve(self, weights: Floats) -> Solved:
        how = distance(self.method, self.bounds)
        return solve(weights, self.x, self.totals, self.sigma, how, self.tolerance, self.most)


def _checked(
    d: Floats, x: ArrayLike, totals: ArrayLike, scale: ArrayLike | None, problems: Problems
) -> tuple[Floats, Floats, Floats]:
    design, target = np.array(x, dtype=float), np.array(totals, dtype=float, ndmin=1)
    design = design[:, None] if design.ndim == 1 else design
    sigma = np.ones(len(d)) if scale is None else np.array(scale, dtype=float)
    if design.ndim != 2 or len(design) != len(d) or not design.shape[1]:
        problems.add(f"x of shape {design.shape}", f"({len(d)}, p)")
    elif target.shape != (design.shape[1],):
        problems.add(f"totals of shape {target.shape}", f"({design.shape[1]},), one a column")
    for i, j in np.argwhere(~np.isfinite(design))[:50]:
        problems.add(f"x {design[i, j]}", "finite", row=f"position {i}", column=str(j))
    for j in np.flatnonzero(~np.isfinite(target)):
        problems.add(f"total {target[j]}", "finite", column=str(j))
    if sigma.shape != d.shape:
        problems.add(f"scale of shape {sigma.shape}", f"({len(d)},)")
    elif not (np.isfinite(sigma) & (sigma > 0)).all():
        i = int(np.flatnonzero(~(np.isfinite(sigma) & (sigma > 0)))[0])
        problems.add(f"scale {sigma[i]}", "positive", row=f"position {i}")
    return design, target, sigma


class Solved(NamedTuple):
    """Weights, and how well they meet the totals."""

    weights: Floats  # (n,)
    iterations: int
    error: float  # largest relative error of a total
    worst: int  # its column


def solve(
    d: Floats, x: Floats, totals: Floats, sigma: Floats, how: Distance, tolerance: float, most: int
) -> Solved:
    """Newton's method; columns are scaled so that their units do not matter."""
    size = np.sqrt(np.maximum(d @ x**2, np.finfo(float).tiny))
    z, target = x / size / sigma[:, None], totals / size
    lam = np.zeros(x.shape[1])
    weights, iteration = d.copy(), 0
    errors = relative_errors(x, d, weights, totals)
    while errors.max() > tolerance and iteration < most:
        iteration += 1
        u = z @ lam
        gap = target - (weights * sigma) @ z
        curve = (z * (d * sigma * how.slope(u))[:, None]).T @ z
        step = np.asarray(np.linalg.lstsq(curve, gap, rcond=1e-13)[0], dtype=float)
        lam, moved = _line(lam, step, gap, z, d * sigma, target, how)
        weights = d * how.factor(z @ lam)
        errors = relative_errors(x, d, weights, totals)
        if not moved:
            break
    return Solved(weights, iteration, float(errors.max()), int(errors.argmax()))


def _line(
    lam: Floats, step: Floats, gap: Floats, z: Floats, d: Floats, target: Floats, how: Distance
) -> tuple[Floats, bool]:
    """Halve the step until the dual falls; near the solution rounding hides it, so gaps count."""
    dual = _dual(lam, z, d, target, how)
    rounding = 1e-13 * (abs(dual) + float(d.sum()))
    for k in range(_HALVINGS):
        tried = lam + step / 2**k
        with np.errstate(over="ignore", invalid="ignore"):
            new = _dual(tried, z, d, target, how)
            left = np.abs(target - (d * how.factor(z @ tried)) @ z)
        falls = new <= dual - 1e-4 * float(step @ gap) / 2**k
        level = new <= dual + rounding and left.max() < np.abs(gap).max()
        if np.isfinite(new) and (falls or level):
            return tried, True
    return lam, False


def _dual(lam: Floats, z: Floats, d: Floats, target: Floats, how: Distance) -> float:
    return float(d @ how.primitive(z @ lam) - target @ lam)
