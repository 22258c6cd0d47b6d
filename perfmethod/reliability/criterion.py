"""The likelihood of variance ratios from moments, with its first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability.bordered import Inverse, Turned
from perfmethod.reliability.elimination import Elimination

__all__ = ["Criterion", "State"]

Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of the criterion, for every degree of freedom


@dataclass(frozen=True, eq=False)
class State:
    """The criterion at one vector of ratios (t,), the eliminated terms first.

    Minus twice the log likelihood is ``logs + df log(2 pi s) + square / s`` with the residual
    variance s; all derivatives are by the ratios.
    """

    ratios: Floats
    df: int
    logs: float
    d_logs: Floats  # (t,)
    square: float
    d_square: Floats  # (t,)
    solution: Floats  # (q,) fixed and random effects
    solved: Inverse  # of the scaled equations
    scale: Floats  # (q,)
    bent: Callable[[], tuple[Floats, Floats]] | None  # where second derivatives come from

    @cached_property
    def second(self) -> tuple[Floats, Floats]:
        """Second derivatives (t, t) of log determinants and of the square, found when needed."""
        assert self.bent is not None
        return self.bent()

    def alone(self) -> State:
        """Without what second derivatives would be found from, which takes much memory."""
        return replace(self, bent=None)

    @cached_property
    def inverse(self) -> Floats:
        """Inverse (q, q) of the scaled equations."""
        return self.solved.dense()

    @property
    def residual(self) -> float:
        """Residual variance that fits best."""
        return self.square / self.df

    @property
    def value(self) -> float:
        """Profiled criterion."""
        return float(self.logs + self.df * (1 + np.log(2 * np.pi * self.residual)))

    @property
    def gradient(self) -> Floats:
        """Of the profiled criterion, (t,)."""
        return self.d_logs + self.d_square / self.residual

    @property
    def hessian(self) -> Floats:
        """Of the profiled criterion, (t, t)."""
        dd_logs, dd_square = self.second
        outer = np.outer(self.d_square, self.d_square) / self.square
        return dd_logs + (dd_square - outer) / self.residual

    def value_at(self, residual: float) -> float:
        """Criterion with any residual variance."""
        s = residual
        return float(self.logs + self.df * np.log(2 * np.pi * s) + self.square / s)

    def at_variances(self, residual: float) -> tuple[float, Floats, Floats]:
        """Criterion, gradient and Hessian by the components (t + 1,), the residual last."""
        t, s = len(self.ratios), residual
        g = np.append(self.d_logs + self.d_square / s, self.df / s - self.square / s**2)
        h = np.zeros((t + 1, t + 1))
        h[:t, :t] = self.second[0] + self.second[1] / s
        h[:t, t] = h[t, :t] = -self.d_square / s**2
        h[t, t] = -self.df / s**2 + 2 * self.square / s**3
        # ratio = component / s
        jacobian = np.eye(t + 1)
        jacobian[:t, :t] /= s
        jacobian[:t, t] = -self.ratios / s
        bent = np.zeros((t + 1, t + 1))
        bent[:t, t] = bent[t, :t] = -g[:t] / s**2
        bent[t, t] = 2 * self.ratios @ g[:t] / s**2
        return self.value_at(s), jacobian.T @ g, jacobian.T @ h @ jacobian + bent


class Criterion:
    """Likelihood of one model on one table of moments.

    Parameters
    ----------
    elimination : Elimination
        Ratings, and how the largest terms are taken out.
    method : {"REML", "ML"}
    """

    def __init__(self, elimination: Elimination, method: str) -> None:
        self.elimination, self.restricted = elimination, method == "REML"
        self.layout = elimination.layout
        self.df = elimination.total - (self.layout.estimable if self.restricted else 0)
        self.rounding = _ROUNDING * self.df

    def at(self, ratios: Floats, *, exact: bool = True, near: float = np.inf) -> State:
        """Evaluate at variance ratios (t,), those of the eliminated terms first.

        Without `exact`, and where the gradient by the logarithms of the ratios is larger than
        `near`, the second derivatives of log determinants by the eliminated terms' ratios are
        replaced by what makes the Hessian the average of the observed and the expected
        information there, which saves products of matrices.
        """
        return _Equations(self, np.asarray(ratios, float)).state(near if exact else 0.0)


class _Equations:
    """Scaled mixed-model equations at one point, and what is read from them."""

    def __init__(self, of: Criterion, ratios: Floats) -> None:
        self.of, self.ratios, self.e = of, ratios, of.elimination.count
        self.parts = of.elimination.parts(ratios[: self.e])
        self.layout = of.layout
        self.scale = np.ones(len(self.parts.vector))
        for _, rows, _, ratio in self.effects():
            self.scale[rows] = np.sqrt(ratio)
        within, frame = self.layout.within, self.layout.frame
        top = 1.0 if within is None else float(np.sqrt(ratios[self.e + within]))
        self.split = top, self.scale[frame.rest]
        border = sum(c.stop - c.start for c in self.layout.border if c is not None)
        self.inverse = Inverse(self.parts.matrix.scaled(*self.split), border, of.restricted)
        self.solution = self.scale * self.inverse.solve(self.scale * self.parts.vector)
        self.score = self.parts.vector - self.parts.matrix.times(self.solution)  # C'Py

    def effects(self, last: int | None = None) -> list[tuple[int, slice, slice | None, float]]:
        """Place among the ratios, columns, those in the border, ratio of each term kept.

        All terms, or those up to a place.
        """
        layout = self.of.layout
        found = list(zip(range(self.e, len(self.ratios)), layout.slices, layout.border,
                         self.ratios[self.e :].tolist(), strict=True))  # fmt: skip
        return found if last is None else [entry for entry in found if entry[0] <= last]

    @cached_property
    def slopes(self) -> list[Turned]:
        """Derivatives of the scaled equations by the eliminated terms' ratios."""
        return [self.inverse.turn(slope.scaled(*self.split)) for slope in self.parts.slopes]

    def state(self, near: float) -> State:
        """Put everything together."""
        logs, d_logs = self.logarithms()
        square, d_square = self.squares()
        slope = np.abs(self.ratios * (d_logs + d_square * self.of.df / square)).max()

        def bent() -> tuple[Floats, Floats]:
            dd_logs, dd_square = self.bent_logarithms(), self.bent_squares()
            average = -dd_square[: self.e] * self.of.df / (2 * square)
            rows = self.bends() if slope <= near else average
            dd_logs[: self.e], dd_logs[:, : self.e] = rows, rows.T
            return dd_logs, dd_square

        return State(
            self.ratios, self.of.df, logs, d_logs, square, d_square,
            self.solution, self.inverse, self.scale, bent,
        )  # fmt: skip

    def logarithms(self) -> tuple[float, Floats]:
        """Log determinants with gradient."""
        gradient, inverse = np.zeros(len(self.ratios)), self.inverse
        gradient[: self.e] = self.parts.d_log_det + np.array([s.trace for s in self.slopes])
        diagonal = inverse.diagonal()
        for a, rows, columns, ratio in self.effects():
            gradient[a] = (
                (1 - diagonal[rows]).sum() / ratio
                if ratio > 0
                else inverse.trace_at_zero(self.parts.matrix, columns, *self.split)
            )
        return self.parts.log_det + inverse.log_det, gradient

    def bent_logarithms(self) -> Floats:
        """Second derivatives of log determinants; rows of eliminated terms and of zeros are 0."""
        hessian = np.zeros((len(self.ratios),) * 2)
        for a, _, columns, ratio in self.effects():
            for b, _, others, other in self.effects(a):
                if ratio > 0 and other > 0:
                    hessian[a, b] = -self.inverse.square(columns, others) / (ratio * other)
                    hessian[b, a] = hessian[a, b]
        return hessian

    def bends(self) -> Floats:
        """Second derivatives (e, t) of log determinants by an eliminated ratio and another."""
        bends = self.of.elimination.bends(self.ratios[: self.e])
        found = np.zeros((self.e, len(self.ratios)))
        found[:, : self.e] = self.parts.dd_log_det
        for i, slope in enumerate(self.slopes):
            for j in range(i + 1):
                term = self.inverse.trace(bends[i][j].scaled(*self.split))
                term -= slope.with_other(self.slopes[j])
                found[i, j] += term
                found[j, i] += term if i != j else 0.0
            for a, _, columns, ratio in self.effects():
                found[i, a] = slope.among(columns) / ratio if ratio > 0 else 0.0
        return found

    @cached_property
    def by_eliminated(self) -> tuple[Floats, Floats]:
        """Derivatives of r'A⁻¹r by the eliminated ratios, first and second, effects held."""
        return self.of.elimination.residual(self.ratios[: self.e], self.solution)

    def squares(self) -> tuple[float, Floats]:
        """Generalized residual sum of squares y'Py with gradient."""
        gradient = np.zeros(len(self.ratios))
        gradient[: self.e] = self.by_eliminated[0]
        for a, rows, _, _ in self.effects():
            gradient[a] = -self.score[rows] @ self.score[rows]
        return float(self.parts.square - self.solution @ self.parts.vector), gradient

    def bent_squares(self) -> Floats:
        """Second derivatives of y'Py."""
        z, u, e, solve = self.solution, self.score, self.e, self.inverse.solve
        hessian = np.zeros((len(self.ratios),) * 2)
        moved = [self.scale * (v - s.times(z)) for v, s in
                 zip(self.parts.d_vector, self.parts.slopes, strict=True)]  # fmt: skip
        turned = [solve(m) for m in moved]
        hessian[:e, :e] = self.by_eliminated[1]
        hessian[:e, :e] -= 2 * np.array([[m @ s for s in turned] for m in moved])
        for a, rows, _, ratio in self.effects():
            if ratio == 0:
                continue
            hessian[:e, a] = [-2 * u[rows] @ s[rows] / np.sqrt(ratio) for s in turned]
            hessian[a, :e] = hessian[:e, a]
            single = np.zeros(len(z))
            single[rows] = u[rows] / np.sqrt(ratio)
            solved = solve(single)
            for b, columns, _, other in self.effects(a):
                own = u[rows] @ u[rows] / ratio if a == b else 0.0
                if other > 0:
                    shared = u[columns] @ solved[columns] / np.sqrt(other)
                    hessian[a, b] = hessian[b, a] = 2 * (own - shared)
        return hessian
