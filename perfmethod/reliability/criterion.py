"""The likelihood of variance ratios from moments, with its first and second derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability.elimination import Elimination

__all__ = ["Criterion", "State"]

Floats = NDArray[np.float64]


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
    dd_logs: Floats  # (t, t)
    square: float
    d_square: Floats  # (t,)
    dd_square: Floats  # (t, t)
    solution: Floats  # (q,) fixed and random effects
    inverse: Floats  # (q, q) of the scaled equations
    scale: Floats  # (q,)

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
        outer = np.outer(self.d_square, self.d_square) / self.square
        return self.dd_logs + (self.dd_square - outer) / self.residual

    def at_variances(self, residual: float) -> tuple[float, Floats, Floats]:
        """Criterion, gradient and Hessian by the components (t + 1,), the residual last."""
        t, s = len(self.ratios), residual
        value = self.logs + self.df * np.log(2 * np.pi * s) + self.square / s
        g = np.append(self.d_logs + self.d_square / s, self.df / s - self.square / s**2)
        h = np.zeros((t + 1, t + 1))
        h[:t, :t] = self.dd_logs + self.dd_square / s
        h[:t, t] = h[t, :t] = -self.d_square / s**2
        h[t, t] = -self.df / s**2 + 2 * self.square / s**3
        # ratio = component / s
        jacobian = np.eye(t + 1)
        jacobian[:t, :t] /= s
        jacobian[:t, t] = -self.ratios / s
        bent = np.zeros((t + 1, t + 1))
        bent[:t, t] = bent[t, :t] = -g[:t] / s**2
        bent[t, t] = 2 * self.ratios @ g[:t] / s**2
        return float(value), jacobian.T @ g, jacobian.T @ h @ jacobian + bent


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

    def at(self, ratios: Floats, *, exact: bool = True) -> State:
        """Evaluate at variance ratios (t,), those of the eliminated terms first.

        Without `exact`, the second derivatives of log determinants by the eliminated terms' ratios
        are replaced by what makes the Hessian the average of the observed and the expected
        information there, which saves products of (q, q) matrices.
        """
        return _Equations(self, np.asarray(ratios, float)).state(exact)


class _Equations:
    """Scaled mixed-model equations at one point, and what is read from them."""

    def __init__(self, of: Criterion, ratios: Floats) -> None:
        from scipy.linalg import lapack

        self.of, self.ratios, self.e = of, ratios, of.elimination.count
        self.parts = of.elimination.parts(ratios[: self.e])
        self.q, self.slices = of.layout.effects, of.layout.slices
        self.scale = np.ones(len(self.parts.vector))
        for _, rows, ratio in self.effects():
            self.scale[rows] = np.sqrt(ratio)
        system = self.scaled(self.parts.matrix)
        system[np.arange(self.q), np.arange(self.q)] += 1
        self.factor, info = lapack.dpotrf(system.T, lower=1, overwrite_a=1)
        if info:
            raise np.linalg.LinAlgError("the equations of the effects are singular")
        self.solution = self.scale * self.solve(self.scale * self.parts.vector)
        self.score = self.parts.vector - self.parts.matrix @ self.solution  # C'Py

    def scaled(self, matrix: Floats) -> Floats:
        """Multiply rows and columns by the scale."""
        return np.asarray(matrix * self.scale * self.scale[:, None])

    def solve(self, right: Floats) -> Floats:
        """Solve the scaled equations."""
        from scipy.linalg import lapack

        return np.asarray(lapack.dpotrs(self.factor, right, lower=1)[0])

    def effects(self, last: int | None = None) -> list[tuple[int, slice, float]]:
        """Place among the ratios, columns and ratio of each term kept, up to a place."""
        pairs = zip(self.slices, self.ratios[self.e :].tolist(), strict=True)
        found = [(a, rows, x) for a, (rows, x) in enumerate(pairs, self.e)]
        return found if last is None else [entry for entry in found if entry[0] <= last]

    @cached_property
    def inverse(self) -> Floats:
        """Inverse of the scaled equations; for ML of those of the random effects."""
        from scipy.linalg import lapack

        size = len(self.scale) if self.of.restricted else self.q
        found = np.zeros((len(self.scale),) * 2, order="F")
        if size == 0:  # LAPACK complains of a matrix without rows
            return found
        lower = lapack.dpotri(np.asfortranarray(self.factor[:size, :size]), lower=1)[0]
        part = np.tril(lower)
        found[:size, :size] = part + np.tril(part, -1).T
        return found

    @cached_property
    def slopes(self) -> list[Floats]:
        """Derivatives of the scaled equations by the eliminated terms' ratios."""
        return [self.scaled(slope) for slope in self.parts.slopes]

    def state(self, exact: bool) -> State:
        """Put everything together."""
        logs, d_logs, dd_logs = self.logarithms()
        square, d_square, dd_square = self.squares()
        rows = self.bends() if exact else -dd_square[: self.e] * self.of.df / (2 * square)
        dd_logs[: self.e], dd_logs[:, : self.e] = rows, rows.T
        return State(
            self.ratios, self.of.df, logs, d_logs, dd_logs, square, d_square, dd_square,
            self.solution, self.inverse, self.scale,
        )  # fmt: skip

    def logarithms(self) -> tuple[float, Floats, Floats]:
        """Log determinants with gradient, and the Hessian without the eliminated terms' rows.

        Rows of terms at zero stay zero in the Hessian.
        """
        kept = slice(0, len(self.scale) if self.of.restricted else self.q)
        value = self.parts.log_det + 2 * np.log(np.diagonal(self.factor)[kept]).sum()
        t = len(self.ratios)
        gradient, hessian = np.zeros(t), np.zeros((t, t))
        traces = [np.vdot(slope, self.inverse) for slope in self.slopes]
        gradient[: self.e] = self.parts.d_log_det + np.array(traces)
        for a, rows, ratio in self.effects():
            if ratio == 0:
                gradient[a] = self._trace_at_zero(rows)
                continue
            gradient[a] = (1 - np.diagonal(self.inverse)[rows]).sum() / ratio
            for b, columns, other in self.effects(a):
                block = self.inverse[rows, columns]
                block = np.eye(len(block)) - block if a == b else block
                if other > 0:
                    hessian[a, b] = hessian[b, a] = -np.vdot(block, block) / (ratio * other)
        return float(value), gradient, hessian

    def bends(self) -> Floats:
        """Second derivatives (e, t) of log determinants by an eliminated ratio and another."""
        turned = [slope @ self.inverse for slope in self.slopes]
        bends = self.of.elimination.bends(self.ratios[: self.e])
        found = np.zeros((self.e, len(self.ratios)))
        found[:, : self.e] = self.parts.dd_log_det
        for i in range(self.e):
            for j in range(i + 1):
                term = np.vdot(self.scaled(bends[i][j]), self.inverse)
                term -= np.vdot(turned[i], turned[j].T)
                found[i, j] += term
                found[j, i] += term if i != j else 0.0
            among = np.einsum("ij,ji->i", self.inverse, turned[i])
            for a, rows, ratio in self.effects():
                found[i, a] = among[rows].sum() / ratio if ratio > 0 else 0.0
        return found

    def _trace_at_zero(self, rows: slice) -> float:
        """Trace of C'PC over the columns of a term whose ratio is zero."""
        matrix = self.parts.matrix[rows] * self.scale
        return float(np.trace(self.parts.matrix[rows, rows])) - float(
            np.vdot(matrix @ self.inverse, matrix)
        )

    def squares(self) -> tuple[float, Floats, Floats]:
        """Generalized residual sum of squares y'Py with gradient and Hessian."""
        z, u, t, e = self.solution, self.score, len(self.ratios), self.e
        gradient, hessian = np.zeros(t), np.zeros((t, t))
        gradient[:e], hessian[:e, :e] = self.of.elimination.residual(self.ratios[:e], z)
        moved = [self.scale * (v - s @ z) for v, s in
                 zip(self.parts.d_vector, self.parts.slopes, strict=True)]  # fmt: skip
        turned = [self.solve(m) for m in moved]
        hessian[:e, :e] -= 2 * np.array([[m @ s for s in turned] for m in moved])
        for a, rows, ratio in self.effects():
            gradient[a] = -u[rows] @ u[rows]
            if ratio == 0:
                continue
            hessian[:e, a] = [-2 * u[rows] @ s[rows] / np.sqrt(ratio) for s in turned]
            hessian[a, :e] = hessian[:e, a]
            single = np.zeros(len(z))
            single[rows] = u[rows] / np.sqrt(ratio)
            solved = self.solve(single)
            for b, columns, other in self.effects(a):
                own = u[rows] @ u[rows] / ratio if a == b else 0.0
                if other > 0:
                    shared = u[columns] @ solved[columns] / np.sqrt(other)
                    hessian[a, b] = hessian[b, a] = 2 * (own - shared)
        return float(self.parts.square - z @ self.parts.vector), gradient, hessian
