"""Group effects in independent coordinates: shrinkage, and exact inference on their variance.

In the coordinates used here the estimated contrasts of the groups are independent, with variances
``sigma^2 (theta + l_i)``: ``theta`` is the stringency variance in units of the residual variance
``sigma^2``, ``l_i`` is what sampling adds. Everything that follows is closed or one-dimensional.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from perfmethod.stringency.ancova import Ancova

__all__ = ["Canonical", "canonical"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Canonical:
    """Independent contrasts of group effects.

    Attributes
    ----------
    rotation : ndarray (g, g - 1)
        Orthonormal columns; group effects less their mean are ``rotation @ z``.
    z : ndarray (g - 1,)
    noise : ndarray (g - 1,)
        Sampling variances of `z` in units of the residual variance.
    squares : float
        Residual sum of squares.
    df : int
    """

    rotation: Array = field(repr=False)
    z: Array = field(repr=False)
    noise: Array = field(repr=False)
    squares: float
    df: int

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return self.squares / self.df

    def distance(self, theta: float) -> float:
        """Squares of the contrasts, each over its variance at `theta`; falls as `theta` grows."""
        return float((self.z**2 / (theta + self.noise)).sum())

    def pivot(self, theta: float) -> float:
        """Has an F distribution with g - 1 and df degrees of freedom where `theta` is the truth."""
        return self.distance(theta) / self.z.size / self.sigma2

    def log_likelihood(self, theta: float) -> float:
        """Restricted log-likelihood of `theta`, the residual variance profiled out."""
        spread = np.log(theta + self.noise).sum()
        n = self.df + self.z.size
        return float(-0.5 * spread - 0.5 * n * np.log(self.squares + self.distance(theta)))

    def most_likely(self) -> float:
        """Value of `theta` with the highest restricted likelihood; 0 if none above is better."""
        from scipy.optimize import minimize_scalar

        top = self.upper()
        grid = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 60)]) * top
        values = np.array([self.log_likelihood(t) for t in grid])
        best = int(values.argmax())
        if best == 0 and values[0] >= values[1]:
            return 0.0
        ends = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
        found = minimize_scalar(
            lambda t: -self.log_likelihood(t), bounds=ends, method="bounded",
            options={"xatol": 1e-12 * top},
        )  # fmt: skip
        return float(found.x)

    def upper(self) -> float:
        """A value of `theta` that no likelihood prefers."""
        return 20.0 * (float((self.z**2).max()) / self.sigma2 + float(self.noise.max()))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Exact interval for `theta`: where the pivot is no outlier of its F distribution.

        References
        ----------
        Wald, "A note on the analysis of variance with unequal class frequencies", *Annals of
        Mathematical Statistics* 11 (1940), 96-100; Seely and El-Bassiouni, "Applying Wald's
        variance component test", *Annals of Statistics* 11 (1983), 197-201.
        """
        from scipy.special import fdtri

        tail = (1 - level) / 2
        high, low = fdtri(self.z.size, self.df, [tail, 1 - tail])
        return self._solve(float(low)), self._solve(float(high))

    def _solve(self, f: float) -> float:
        """Where the pivot comes down to `f`; 0 if it is below that already."""
        from scipy.optimize import brentq

        if self.pivot(0.0) <= f:
            return 0.0
        top = self.upper()
        while self.pivot(top) > f:
            top *= 4
        return float(brentq(lambda t: self.pivot(t) - f, 0.0, top, xtol=1e-13 * top, rtol=1e-12))

    def shrunk(self, theta: float) -> Array:
        """Best linear unbiased predictions of the group effects less their mean, (g,)."""
        found: Array = self.rotation @ (theta / (theta + self.noise) * self.z)
        return found

    def spread(self, theta: float) -> Array:
        """Variances (g,) of what `shrunk` predicts, in units of the residual variance."""
        found: Array = self.rotation**2 @ (theta * self.noise / (theta + self.noise))
        return found


def canonical(fit: Ancova) -> Canonical:
    """Turn the group effects of an analysis of covariance into independent contrasts.

    Examples
    --------
    >>> from perfmethod.stringency import ancova
    >>> fit = ancova([80, 82, 84, 90, 93, 94], [[1], [2], [3], [1], [2], [3]], list("aaabbb"))
    >>> found = canonical(fit)
    >>> round(found.pivot(0.0), 6) == round(fit.f, 6)
    True
    """
    g = len(fit.sizes)
    basis = np.linalg.qr(np.column_stack([np.ones(g), np.eye(g)[:, 1:]]))[0][:, 1:]
    noise, axes = np.linalg.eigh(basis.T @ fit.unit_cov @ basis)
    rotation = basis @ axes
    return Canonical(rotation, rotation.T @ fit.raw, noise, fit.sigma**2 * fit.df, fit.df)
