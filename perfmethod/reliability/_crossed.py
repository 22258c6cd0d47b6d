"""REML of y = mean + unit + rater + rest for any pattern of missing cells, on small tables.

The larger of the two factors is eliminated analytically, grouped by its number of ratings, so that
an evaluation costs the same for any number of ratings. All variances are kept relative to the
residual one, which is profiled out.

`reml.variance_components` fits the same likelihood for any terms, from exact integer moments that
may be merged, by Newton's method from one start. This module is for coefficients of tables of
ratings (`icc`, `means`), which need what that does not give: ratings that are any real numbers (a
rating of 1/3 has no decimals), several starts, since a few ratings may leave several minima, and
profiles of a ratio of components. Where both apply they give the same components (a test).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Components", "Crossed", "Target"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_Objective = Callable[[Floats], tuple[float, Floats]]

_GRID = (-6.0, -3.0, -1.0, 1.0, 3.0, 6.0)
_FLOOR, _CEILING = -28.0, 23.0  # logarithms of relative variances; the floor stands for zero


class Components(NamedTuple):
    """Variance components and what the search says of itself."""

    unit: float
    rater: float
    residual: float
    criterion: float
    gradient: float  # largest absolute derivative by the logarithm of a positive ratio
    boundary: tuple[str, ...]  # components at zero


class Target(NamedTuple):
    """A reliability unit / (unit + a rater + b residual)."""

    a: float
    b: float

    def of(self, unit: float, rater: float) -> float:
        """Value from relative variances."""
        return unit / (unit + self.a * rater + self.b)


@dataclass(frozen=True, eq=False, repr=False)
class Crossed:
    """Sums that the restricted likelihood needs, with s the kept factor and t the eliminated one.

    Without raters the model is one-way: `number` then holds a single class of weight 0.
    """

    number: Floats  # (c,) ratings of the levels of t, by class
    levels: Floats  # (c,) how many levels of t have that number
    tables: Floats  # (c, s, s) sum over the levels of the class of n_st n_s't
    sums: Floats  # (c, s) sum of n_st times the total of the level
    squares: Floats  # (c,) sum of squared totals of the levels
    size: Floats  # (s,) ratings of each kept level
    total: Floats  # (s,) sum of each kept level
    square: float  # sum of squares
    swapped: bool  # raters are kept, units eliminated
    one_way: bool

    @classmethod
    def of(cls, unit: Ints, rater: Ints | None, y: Floats) -> Crossed:
        """Reduce ratings; `rater` None for the one-way model."""
        y = y - y.mean()
        n_units = int(unit.max()) + 1
        if rater is None:
            s, none = n_units, np.zeros(1)
            size, total = (np.bincount(unit, w, s).astype(float) for w in (None, y))
            tables, sums = np.zeros((1, s, s)), np.zeros((1, s))
            return cls(none, none, tables, sums, none, size, total, float(y @ y), False, True)
        from scipy.sparse import csr_array

        n_raters = int(rater.max()) + 1
        swapped = n_raters < n_units
        kept, gone = (rater, unit) if swapped else (unit, rater)
        s, t = int(kept.max()) + 1, int(gone.max()) + 1
        each, level = np.bincount(gone, minlength=t), np.bincount(gone, y, t)
        cells = csr_array((np.ones(y.size), (gone, kept)), shape=(t, s))
        number, group = np.unique(each, return_inverse=True)
        rows = [np.flatnonzero(group == c) for c in range(number.size)]
        return cls(
            number.astype(float),
            np.array([r.size for r in rows], float),
            np.array([(cells[r].T @ cells[r]).toarray() for r in rows]),
            np.array([cells[r].T @ level[r] for r in rows]),
            np.array([level[r] @ level[r] for r in rows]),
            np.bincount(kept, minlength=s).astype(float),
            np.bincount(kept, y, s).astype(float),
            float(y @ y),
            swapped,
            False,
        )

    def deviance(self, unit: float, rater: float) -> tuple[float, Floats]:
        """Minus twice the restricted log likelihood, and its derivatives by unit and rater.

        Parameters
        ----------
        unit, rater : float
            Variances relative to the residual one.
        """
        return self._at(unit, rater)[:2]

    def _at(self, unit: float, rater: float) -> tuple[float, Floats, float]:
        """As `deviance`, and the residual variance."""
        a, b = (rater, unit) if self.swapped else (unit, rater)
        shrink = 1 + self.number * b
        w, dw = b / shrink, 1 / shrink**2
        c = np.diag(self.size) - np.tensordot(w, self.tables, 1)
        dc = -np.tensordot(dw, self.tables, 1)
        v, dv = self.total - w @ self.sums, -(dw @ self.sums)
        yy, dyy = self.square - w @ self.squares, -(dw @ self.squares)
        k = np.linalg.inv(np.eye(self.size.size) + a * c)  # (I + a C)^-1, commutes with C
        one = np.ones(self.size.size)
        kv, k1 = k @ v, k.T @ one
        g, h, r = one @ k @ c @ one, one @ kv, yy - a * v @ kv
        dg = np.array([-k1 @ c @ k @ c @ one, k1 @ dc @ (k.T @ one)])
        dh = np.array([-k1 @ c @ kv, -a * k1 @ dc @ kv + k1 @ dv])
        dr = np.array([-(k.T @ v) @ kv, dyy - 2 * a * dv @ kv + a * a * (k.T @ v) @ dc @ kv])
        n = self.size.sum()
        rss = r - h * h / g
        drss = dr - 2 * h * dh / g + (h / g) ** 2 * dg
        kc = k @ c
        log = self.levels @ np.log(shrink) + np.linalg.slogdet(np.eye(len(c)) + a * c)[1]
        dlog = np.array([np.trace(kc), self.levels @ (self.number / shrink) + a * (k * dc.T).sum()])
        value = log + np.log(g) + (n - 1) * (1 + np.log(2 * np.pi * rss / (n - 1)))
        slope = dlog + dg / g + (n - 1) * drss / rss
        return float(value), slope[::-1] if self.swapped else slope, float(rss / (n - 1))

    def fit(self) -> Components:
        """Minimize the deviance; components at zero are recognized."""
        from scipy import optimize

        free = 1 if self.one_way else 2

        def at(x: Floats) -> tuple[float, Floats]:
            ratio = np.exp(np.append(x, _FLOOR)[:2])
            value, slope = self.deviance(ratio[0], 0.0 if self.one_way else ratio[1])
            return value, (slope * ratio)[:free]

        # few ratings may leave several minima: begin at the best points of a coarse grid
        grid = sorted(product(_GRID, repeat=free), key=lambda x: at(np.array(x))[0])
        found = min(
            (
                optimize.minimize(
                    at, list(start), jac=True, method="L-BFGS-B",
                    bounds=[(_FLOOR, _CEILING)] * free,
                    options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 500},
                )
                for start in grid[:3]
            ),
            key=lambda result: float(result.fun),
        )  # fmt: skip
        x = self._polished(at, found.x)
        return self._components(np.exp(x))

    def _polished(self, at: _Objective, x: Floats) -> Floats:
        """Newton steps with differences of the gradient, as long as the gradient falls."""
        for _ in range(8):
            inner = np.flatnonzero((x > _FLOOR + 8) & (x < _CEILING))
            if not inner.size:
                return x
            slope, step = at(x)[1][inner], 1e-4
            moved = [at(x + step * np.eye(x.size)[i])[1] - at(x - step * np.eye(x.size)[i])[1]
                     for i in inner]  # fmt: skip
            hessian = np.array(moved)[:, inner] / (2 * step)
            if np.linalg.eigvalsh((hessian + hessian.T) / 2)[0] <= 0:
                return x
            trial = x.copy()
            trial[inner] -= np.linalg.solve(hessian, slope)
            if (
                not np.abs(at(np.clip(trial, _FLOOR, _CEILING))[1][inner]).max()
                < np.abs(slope).max()
            ):
                return x
            x = np.clip(trial, _FLOOR, _CEILING)
        return x

    def _components(self, ratio: Floats) -> Components:
        ratio = np.append(ratio, 0.0)[:2]
        for i in range(2):
            zero = ratio.copy()
            zero[i] = 0.0
            if ratio[i] and self.deviance(*zero)[0] <= self.deviance(*ratio)[0] + 1e-9:
                ratio = zero
        value, slope, residual = self._at(*ratio)
        names = ("unit", "rater")[: 1 if self.one_way else 2]
        zeros = tuple(name for name, r in zip(names, ratio, strict=False) if r == 0)
        gradient = float(np.abs(slope * ratio).max())
        return Components(
            float(ratio[0] * residual), float(ratio[1] * residual), residual, value, gradient, zeros
        )

    def interval(self, fit: Components, target: Target, level: float) -> tuple[float, float]:
        """Profile likelihood interval of a reliability.

        All values whose best restricted likelihood is within the chi-square quantile of the
        highest one; 0 belongs to it where no positive value is far enough.
        """
        from scipy import optimize, special

        limit = fit.criterion + float(special.chdtri(1, 1 - level))
        best = target.of(fit.unit / fit.residual, fit.rater / fit.residual)

        def excess(logit: float) -> float:
            return self._profile(np.exp(logit), target, fit) - limit

        middle = float(np.log(max(best, 1e-9) / max(1 - best, 1e-12)))
        low, high = 0.0, 1.0
        if best > 0 and self._profile(0.0, target, fit) > limit:
            low = _expit(optimize.brentq(excess, -21.0, middle, xtol=1e-8))
        if excess(18.0) > 0:
            high = _expit(optimize.brentq(excess, middle, 18.0, xtol=1e-8))
        return low, high

    def _profile(self, odds: float, target: Target, fit: Components) -> float:
        """Least deviance among components with these odds of the reliability."""
        from scipy import optimize

        if self.one_way:
            return self.deviance(odds * target.b, 0.0)[0]

        def at(x: Floats) -> tuple[float, Floats]:
            rater = float(np.exp(x[0]))
            value, slope = self.deviance(odds * (target.a * rater + target.b), rater)
            return value, np.array([rater * (slope[0] * odds * target.a + slope[1])])

        start = np.log(max(fit.rater / fit.residual, 1e-3))
        found = optimize.minimize(
            at, [start], jac=True, method="L-BFGS-B", bounds=[(_FLOOR, _CEILING)],
            options={"ftol": 1e-14, "gtol": 1e-8},
        )  # fmt: skip
        return min(float(found.fun), self.deviance(odds * target.b, 0.0)[0])


def _expit(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
