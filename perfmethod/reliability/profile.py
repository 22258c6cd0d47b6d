"""Profile likelihood of one variance component."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.reliability.criterion import Criterion, State
from perfmethod.reliability.newton import Point, minimize

__all__ = ["profile_interval"]

Floats = NDArray[np.float64]

_LEAST = 1e-7  # of all variances: a residual that counts as none, and
_LOST = 1e-8  # what rounding takes from the criterion beside so little


class _Profile:
    """The criterion at one component, minimized over all others, less its minimum."""

    def __init__(self, criterion: Criterion, state: State, place: int, scales: Floats) -> None:
        self.criterion, self.place = criterion, place
        self.best = np.append(state.ratios, 1.0) * state.residual
        self.lowest = state.value_at(state.residual)
        self.near = self.best.copy()
        self.least = _LEAST * float(self.best.sum())
        self.scale = np.append(scales, np.sqrt(2 / criterion.df)) * state.residual
        # roots need about ten digits; the criterion is flat to the square of the gradient
        self.tolerance = max(1e-6, 1e-11 * criterion.df)
        self.rounding = max(criterion.rounding, _LOST)

    def objective(self, x: Floats) -> Point:
        # where the terms explain every rating, the likelihood stays finite down to no residual at
        # all, which ratios to the residual cannot say
        residual = max(float(x[-1]), self.least)
        state = self.criterion.at(x[:-1] / residual)
        value, gradient, hessian = state.at_variances(residual)
        return value, gradient, lambda: hessian, state

    def __call__(self, value: float) -> float:
        start = self.near.copy()
        start[self.place] = value
        self.least = _LEAST * max(float(self.best.sum()), value)
        found = minimize(
            self.objective, start, scale=self.scale, rounding=self.rounding,
            tolerance=self.tolerance, fixed=self.place,
        )  # fmt: skip
        if not found.converged:
            raise PerfmethodError(
                f"profile: found a gradient of {found.gradient_norm:.2g} that does not fall below "
                f"{self.tolerance:.2g}; allowed: an interval by 'wald'"
            )
        self.near = np.maximum(found.x, 0.0)
        return found.value - self.lowest


def profile_interval(
    criterion: Criterion, state: State, place: int, threshold: float, scales: Floats
) -> tuple[float, float]:
    """Values of one component that the likelihood ratio does not reject.

    Parameters
    ----------
    criterion : Criterion
    state : State
        At its minimum.
    place : int
        Component, the residual last.
    threshold : float
        Of the chi-square distribution with one degree of freedom.
    scales : ndarray (t,)
        About the standard errors of the ratios at zero.

    Returns
    -------
    lower, upper : float
        The lower end is 0 where zero is not rejected.
    """
    profile = _Profile(criterion, state, place, scales)
    centre = float(profile.best[place])
    size = centre if centre > 0 else 1e-3 * float(profile.best[-1])
    upper = _root(profile, threshold, size, 2.0)
    if centre == 0:
        return 0.0, upper
    profile.near = profile.best.copy()
    residual = place == len(profile.best) - 1
    if not residual and profile(0.0) <= threshold:
        return 0.0, upper
    profile.near = profile.best.copy()
    return _root(profile, threshold, centre, 0.5), upper


def _root(profile: _Profile, threshold: float, start: float, factor: float) -> float:
    """Where the profile crosses the threshold, going out from its minimum by a factor."""
    from scipy.optimize import brentq

    inner, outer = start, start * factor
    while profile(outer) <= threshold:
        inner, outer = outer, outer * factor
        if factor < 1 and outer < profile.least:
            return 0.0

    def above(logarithm: float) -> float:
        return profile(float(np.exp(logarithm))) - threshold

    low, high = sorted((float(np.log(inner)), float(np.log(outer))))
    return float(np.exp(brentq(above, low, high, xtol=1e-10, rtol=1e-12)))
