"""Quasi-Newton search with a Newton finish, and an honest account of how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "approach", "search"]

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

_NEAR = 1e-3  # standard errors from the optimum, where Newton's method takes over
_STEP = 1e-5  # for differences of the gradient


@dataclass(frozen=True, eq=False)
class Found:
    """Where a search ended.

    Parameters
    ----------
    x : ndarray (p,)
    value : float
    covariance : ndarray (p, p)
        Inverse of the observed information.
    gradient_norm : float
        Root of g' H^-1 g: how many standard errors the optimum is away, at most, in any direction.
    converged : bool
        Whether that is at most the tolerance and the information is positive definite.
    evaluations : int
    """

    x: Floats
    value: float
    covariance: Floats
    gradient_norm: float
    converged: bool
    evaluations: int


class _Counted:
    def __init__(self, objective: Objective, allowed: Callable[[Floats], bool]) -> None:
        self.objective, self.allowed, self.count = objective, allowed, 0

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        if not self.allowed(x):
            return np.inf, np.zeros(len(x))
        self.count += 1
        return self.objective(x)


def search(
    objective: Objective,
    start: Floats,
    inverse: Floats,
    allowed: Callable[[Floats], bool],
    *,
    tolerance: float = 1e-6,
    most: int = 300,
    curvature: Objective | None = None,
) -> Found:
    """Minimize minus a log likelihood.

    BFGS from a given inverse information until Newton's decrement is 1e-3; then Newton's method
    with the Hessian from differences of the analytic gradient, kept while the decrement falls by
    half at each step.

    **Stopping rule.** The decrement, root of g' H^-1 g, is at most `tolerance`: no combination of
    parameters lies more than so many of its standard errors from the optimum.

    Parameters
    ----------
    objective : callable
        Value and gradient.
    start : ndarray (p,)
    inverse : ndarray (p, p)
        About the inverse of the information.
    allowed : callable
        Whether the objective exists at x.
    tolerance : float
    most : int
        Evaluations of the BFGS part.
    curvature : callable, optional
        A cheaper objective nearly equal to the first, whose gradient is differenced.

    Examples
    --------
    >>> bowl = lambda x: (0.5 * float((x - 1) @ (x - 1)), x - 1)
    >>> found = search(bowl, np.zeros(2), np.eye(2), lambda x: True)
    >>> found.x.round(6).tolist(), found.converged
    ([1.0, 1.0], True)
    """
    counted = _Counted(objective, allowed)
    bent = counted if curvature is None else _Counted(curvature, allowed)
    x, here, inverse = _bfgs(counted, np.array(start, float), inverse, most)
    for _ in range(6):
        covariance = _inverse_hessian(bent, x, inverse)
        if covariance is None:  # no minimum here: walk on downhill
            x, here, inverse = _bfgs(counted, x, inverse, most, exact=True)
            continue
        x, here, norm = _newton(counted, x, here, covariance, tolerance)
        if norm <= tolerance:
            return Found(x, here[0], covariance, norm, True, counted.count)
        inverse = covariance
    norm = _decrement(here[1], inverse)
    return Found(x, here[0], inverse, norm, False, counted.count)


def approach(
    objective: Objective,
    start: Floats,
    inverse: Floats,
    allowed: Callable[[Floats], bool],
    most: int = 300,
) -> tuple[Floats, Floats]:
    """Come near the minimum: the BFGS part of `search`; point and inverse information."""
    counted = _Counted(objective, allowed)
    x, _, found = _bfgs(counted, np.array(start, float), inverse, most)
    return x, found


def _decrement(gradient: Floats, inverse: Floats) -> float:
    return float(np.sqrt(max(float(gradient @ inverse @ gradient), 0.0)))


def _newton(
    f: _Counted, x: Floats, here: tuple[float, Floats], covariance: Floats, tolerance: float
) -> tuple[Floats, tuple[float, Floats], float]:
    """Steps with one Hessian as long as each halves the decrement."""
    norm = _decrement(here[1], covariance)
    while norm > tolerance:
        tried = x - covariance @ here[1]
        there = f(tried)
        nearer = _decrement(there[1], covariance)
        if not np.isfinite(there[0]) or nearer > norm / 2:
            break
        x, here, norm = tried, there, nearer
    return x, here, norm


def _bfgs(
    f: _Counted, x: Floats, inverse: Floats, most: int, exact: bool = False
) -> tuple[Floats, tuple[float, Floats], Floats]:
    here, inverse = f(x), inverse.copy()
    limit = f.count + most
    near = _NEAR / 10 if exact else _NEAR
    while f.count < limit:
        step = -inverse @ here[1]
        slope = float(here[1] @ step)
        if slope > -(near**2):
            break
        moved = _along(f, x, here, step, slope)
        if moved is None:
            break
        tried, there = moved
        s, y = tried - x, there[1] - here[1]
        if s @ y > 1e-12 * np.linalg.norm(s) * np.linalg.norm(y):
            inverse = _updated(inverse, s, y)
        x, here = tried, there
    return x, here, inverse


def _along(
    f: _Counted, x: Floats, here: tuple[float, Floats], step: Floats, slope: float
) -> tuple[Floats, tuple[float, Floats]] | None:
    """Shorten the step until the value falls enough."""
    length = 1.0
    while length > 1e-10:
        tried = x + length * step
        there = f(tried)
        if there[0] <= here[0] + 1e-4 * length * slope:
            return tried, there
        bend = 2 * (there[0] - here[0] - length * slope)
        best = -slope * length**2 / bend if np.isfinite(bend) else 0.0
        length = min(max(best, 0.1 * length), 0.5 * length)
    return None


def _updated(inverse: Floats, s: Floats, y: Floats) -> Floats:
    """Broyden, Fletcher, Goldfarb and Shanno's update of an inverse."""
    rho = 1 / float(s @ y)
    hy = inverse @ y
    outer = np.outer(hy, s)
    grown = inverse + rho * (1 + rho * float(y @ hy)) * np.outer(s, s)
    return grown - rho * (outer + outer.T)


def _inverse_hessian(f: _Counted, x: Floats, inverse: Floats) -> Floats | None:
    """Inverse of the Hessian from forward differences of the gradient, if positive definite."""
    size = np.sqrt(np.maximum(np.diag(inverse), 1e-12))
    step = np.minimum(_STEP * np.maximum(np.abs(x), 1.0), 0.1 * size)
    here = f(x)[1]
    rows = [(f(x + h * e)[1] - here) / h for h, e in zip(step, np.eye(len(x)), strict=True)]
    hessian = np.array(rows)
    hessian = (hessian + hessian.T) / 2
    scale = np.sqrt(np.abs(np.diag(hessian)))
    if not np.isfinite(scale).all() or (scale == 0).any():
        return None
    scaled = hessian / np.outer(scale, scale)
    if np.linalg.eigvalsh(scaled)[0] <= 1e-10:
        return None
    return np.asarray(np.linalg.inv(scaled) / np.outer(scale, scale))
