"""Newton's method for variances: they stay at zero or above, and the answer says how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Minimum", "minimize"]

Floats = NDArray[np.float64]

_SHORTEST = 2.0**-30  # of a step in the search along a line
_DEEPEST = 0.1  # a variance falls to no less than this share of itself in one step, or
_NOTHING = 0.01  # to zero, if Newton's step leaves less than this share of it
_FAINT = 0.01  # of its scale: so little is tried as nothing


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
        Largest x g where the value falls toward zero, and largest -max(x, scale) g where it falls
        away from zero: about how much the value would change by a move as large as x or its scale.
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
    scale: Floats,
    rounding: float,
    tolerance: float,
    fixed: int | None = None,
    most: int = 100,
) -> Minimum:
    """Minimize a function of variances that may be zero.

    A variance that is nothing beside its scale counts as zero, which it leaves only where the
    gradient says so: what rounding leaves of an estimate of zero holds no search back.

    Parameters
    ----------
    objective : callable
        Returns value, gradient (t,), what gives the Hessian (t, t) if it is needed, and anything
        else. A Hessian's rows at x = 0 are not read.
    start : ndarray (t,)
        At least 0; entries at 0 leave it only if the gradient there is negative.
    scale : ndarray (t,)
        Above 0: how far an entry is from zero before the value takes notice, such as its standard
        error at zero.
    rounding : float
        Difference of two values that says nothing.
    tolerance : float
        The search ends when `Minimum.gradient_norm` is at most this.
    fixed : int, optional
        Entry that keeps its value.
    most : int
        Largest number of steps.
    """
    search = _Search(objective, scale, rounding, np.arange(len(start)) != fixed)
    x = np.where(search.faint(start), 0.0, start)
    here = objective(x)
    for taken in range(most):
        norm = search.norm(x, here[1])
        moved = search.step(x, here) if norm > tolerance else search.dropped(x, here)
        if moved is None:
            return Minimum(x, here[3], here[0], norm, taken, norm <= tolerance)
        x, here = moved
    norm = search.norm(x, here[1])
    return Minimum(x, here[3], here[0], norm, most, norm <= tolerance)


class _Search(NamedTuple):
    """What stays the same from step to step; entries that may move are `movable` (t,)."""

    objective: Objective
    scale: Floats
    rounding: float
    movable: NDArray[np.bool_]

    def norm(self, x: Floats, gradient: Floats) -> float:
        """How far the gradient is from that of a minimum, free of the unit of x."""
        reach = np.where(gradient < 0, np.maximum(x, self.scale), x)
        return float(np.abs(reach * gradient)[self.movable].max(initial=0.0))

    def faint(self, x: Floats) -> NDArray[np.bool_]:
        """Entries above zero that are nothing beside their scale."""
        return np.asarray(self.movable & (x > 0) & (x < _FAINT * self.scale))

    def dropped(self, x: Floats, here: Point) -> tuple[Floats, Point] | None:
        """The point with faint entries at zero, if it is no worse and they would stay there."""
        faint = self.faint(x)
        if not faint.any():
            return None
        tried = np.where(faint, 0.0, x)
        there = self.objective(tried)
        stays = (there[1][faint] >= 0).all() and there[0] <= here[0] + self.rounding
        return (tried, there) if stays else None

    def step(self, x: Floats, here: Point) -> tuple[Floats, Point] | None:
        """One step that lowers the value, or None where rounding leaves none."""
        for target in self.targets(x, here):
            length = 1.0
            while length > _SHORTEST:
                tried = np.where(x > 0, np.maximum(x + length * (target - x), 0.0), length * target)
                there = self.objective(tried)
                # at the end, values differ by rounding only: then the gradient decides
                level = abs(there[0] - here[0]) <= self.rounding
                nearer = self.norm(tried, there[1]) < self.norm(x, here[1])
                if there[0] < here[0] if not level else nearer:
                    return tried, there
                length /= 4
        return None

    def targets(self, x: Floats, here: Point) -> list[Floats]:
        """Points to try: Newton's, where what falls to about zero stops at zero or on the way."""
        _, gradient, bend, _ = here
        hessian = bend()
        risen = self.movable & (x == 0) & (gradient < 0)
        free = self.movable & (x > 0)
        found = []
        for deepest in (0.0, _DEEPEST):
            target, stopped = _bounded(x, gradient, hessian, free, deepest)
            target[risen] = np.maximum(self.scale, 0.01 * x.max(initial=0.0))[risen]
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
