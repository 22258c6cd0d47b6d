"""Newton's method for variances: they stay at zero or above, and the answer says how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Minimum", "minimize"]

Floats = NDArray[np.float64]

_SHORTEST = 2.0**-30  # of a step in the search along a line
_DEEPEST = 0.1  # a variance falls to no less than this share of itself in one step, or
_NOTHING = 0.01  # to zero, if Newton's step leaves less than this share of it


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where the search ended.

    Parameters
    ----------
    x : ndarray (t,)
        Variances or ratios.
    state : object
        What the objective returned there.
    gradient_norm : float
        Largest \\|x g\\| over x > 0 (the gradient by the logarithm), and largest -g over x = 0.
    iterations : int
        Steps taken.
    converged : bool
        Whether the norm reached the tolerance.
    """

    x: Floats
    state: Any
    value: float
    gradient_norm: float
    iterations: int
    converged: bool


Bend = Callable[[], Floats]
Point = tuple[float, Floats, Bend, Any]
Objective = Callable[[Floats], Point]


def minimize(
    objective: Objective,
    start: Floats,
    *,
    tolerance: float,
    fixed: int | None = None,
    most: int = 100,
) -> Minimum:
    """Minimize a function of variances that may be zero.

    Parameters
    ----------
    objective : callable
        Returns value, gradient (t,), what gives the Hessian (t, t) if it is needed, and anything
        else. A Hessian's rows at x = 0 are not read.
    start : ndarray (t,)
        At least 0; entries at 0 leave it only if the gradient there is negative.
    tolerance : float
        The search ends when `Minimum.gradient_norm` is at most this.
    fixed : int, optional
        Entry that keeps its value.
    most : int
        Largest number of steps.
    """
    x = np.array(start, float)
    here = objective(x)
    for taken in range(most):
        norm = _norm(x, here[1], fixed)
        if norm <= tolerance:
            return Minimum(x, here[3], here[0], norm, taken, True)
        moved = _step(objective, x, here, fixed)
        if moved is None:
            return Minimum(x, here[3], here[0], norm, taken, False)
        x, here = moved
    norm = _norm(x, here[1], fixed)
    return Minimum(x, here[3], here[0], norm, most, norm <= tolerance)


def _norm(x: Floats, gradient: Floats, fixed: int | None) -> float:
    size = np.where(x > 0, np.abs(x * gradient), np.maximum(-gradient, 0.0))
    if fixed is not None:
        size[fixed] = 0.0
    return float(size.max(initial=0.0))


def _step(
    objective: Objective, x: Floats, here: Point, fixed: int | None
) -> tuple[Floats, Point] | None:
    """One step that lowers the value, or None where rounding leaves none."""
    for target in _targets(x, here, fixed):
        length = 1.0
        while length > _SHORTEST:
            tried = np.where(x > 0, np.maximum(x + length * (target - x), 0.0), length * target)
            there = objective(tried)
            # at the end, values differ by rounding only: then the gradient decides
            level = abs(there[0] - here[0]) <= 1e-12 * abs(here[0])
            nearer = _norm(tried, there[1], fixed) < _norm(x, here[1], fixed)
            if there[0] < here[0] if not level else nearer:
                return tried, there
            length /= 4
    return None


def _targets(x: Floats, here: Point, fixed: int | None) -> list[Floats]:
    """Points to try: Newton's, where what falls to about zero stops at zero or on the way."""
    _, gradient, bend, _ = here
    hessian = bend()
    movable = np.ones(len(x), bool)
    if fixed is not None:
        movable[fixed] = False
    risen = movable & (x == 0) & (gradient < 0)
    free = movable & (x > 0)
    found = []
    for deepest in (0.0, _DEEPEST):
        target, stopped = _bounded(x, gradient, hessian, free, deepest)
        target[risen] = 0.01 * max(float(x.max(initial=0.0)), 0.1)
        found.append(target)
        if not stopped:
            break
    return found


def _bounded(
    x: Floats, gradient: Floats, hessian: Floats, free: NDArray[np.bool_], deepest: float
) -> tuple[Floats, bool]:
    """Newton's point over the free entries, none below a share of itself.

    An entry that would fall lower stops there, and the others move again to suit.
    """
    target, left = x.copy(), free.copy()
    while left.any():
        pull = gradient + hessian @ np.where(free & ~left, target - x, 0.0)
        step = _newton(x[left], pull[left], hessian[np.ix_(left, left)])
        target[left] = x[left] + step
        low = left & (target < max(deepest, _NOTHING) * x) & (gradient > 0)
        target[left] = np.maximum(target[left], _DEEPEST * x[left])
        if not low.any():
            break
        target[low] = deepest * x[low]
        left &= ~low
    return target, bool((free & ~left).any())


def _newton(x: Floats, gradient: Floats, hessian: Floats) -> Floats:
    """Newton's step for the roots of x, downhill also where the function bends the other way.

    In roots (standard deviations) the function is nearer to a parabola, most of all close to zero.
    In units of x, so that variances of very different size are treated alike; eigenvalues count by
    their size, and none below a small share of the largest. A root below zero gives an x below it.
    """
    slope = 2 * x * gradient
    values, vectors = np.linalg.eigh(4 * hessian * np.outer(x, x) + np.diag(slope))
    size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max(initial=0.0) + 1e-12)
    root = 1 - vectors @ ((vectors.T @ slope) / size)
    return np.asarray(x * (root * np.abs(root) - 1))
