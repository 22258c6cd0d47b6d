"""From numbered answers to maximum likelihood: starts, grids that fit, spreads at zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.severity._cells import AnswerTable
from perfmethod.severity._families import Family
from perfmethod.severity._marginal import Grid, Likelihood
from perfmethod.severity._patterns import Patterns
from perfmethod.severity._search import Found, approach, search

__all__ = ["Fitted", "fit"]

Floats = NDArray[np.float64]

_SMALL = 0.1  # a standard deviation below it is compared with none at all
_COARSE, _FINE = 0.7, 1.0  # nodes per standard deviation of the narrowest density
_EXACT = 1e-5  # largest change of the log likelihood when the spacing is halved
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Fitted:
    """Parameters and where the search ended.

    Parameters
    ----------
    x : ndarray (size,)
        Effects, thresholds, logs of the standard deviations (minus infinity at zero).
    covariance : ndarray (size, size)
        Zero for a standard deviation at zero.
    found : Found
    grid : Grid
    quadrature_error : float
        Change of the log likelihood when the spacing is halved.
    """

    likelihood: Likelihood
    x: Floats
    covariance: Floats
    found: Found
    grid: Grid
    quadrature_error: float


def fit(table: AnswerTable, family: Family, tolerance: float) -> Fitted:
    """Maximize the marginal likelihood."""
    k = len(table.options)
    patterns = Patterns.of(
        table.cell * k + table.option, len(table.cells) * k, table.rater, table.ballot
    )
    likelihood = Likelihood(patterns, table.design(), table.group, k, family)
    start, inverse = _start(table, likelihood)
    sds = np.ones(likelihood.levels, bool)
    best = _Run(likelihood, sds).to_end(start, inverse, tolerance)
    for level in range(likelihood.levels):
        # a spread near zero: none at all if that is no less likely
        if np.exp(best.x[-likelihood.levels + level]) >= _SMALL:
            continue
        fewer = sds.copy()
        fewer[level] = False
        tried = _Run(likelihood, fewer).to_end(best.x, inverse, tolerance)
        if tried.found.value <= best.found.value + 1e-6:
            best, sds = tried, fewer
    return best


def _start(table: AnswerTable, likelihood: Likelihood) -> tuple[Floats, Floats]:
    """Thresholds from shares of the options, no effects; information of independent answers."""
    counts, family = table.counts, likelihood.family
    shares = np.zeros((likelihood.groups, counts.shape[1]))
    np.add.at(shares, table.group, counts)
    shares = (shares + 0.5) / (shares + 0.5).sum(axis=1, keepdims=True)
    cuts = np.array([family.start(row) for row in shares])
    logs = family.logs(np.zeros((len(counts), 1)), cuts[table.group])
    p = np.exp(logs.log_p[:, :, 0]) * counts.sum(axis=1, keepdims=True)
    slopes = [np.asarray(likelihood.design.toarray())[:, None, :] * logs.by_position]
    k = counts.shape[1] - 1
    at = np.zeros((len(counts), k + 1, likelihood.groups, k))
    at[np.arange(len(counts)), :, table.group] = logs.by_threshold[:, :, :, 0].transpose(0, 2, 1)
    every = np.concatenate([*slopes, at.reshape(len(counts), k + 1, -1)], axis=2)
    flat = every.reshape(-1, every.shape[2])
    information = flat.T @ (p.reshape(-1, 1) * flat) / 2
    size, n = likelihood.size, likelihood.levels
    whole = np.diag(np.full(size, float(likelihood.patterns.weights.sum())))
    whole[: size - n, : size - n] = information + 1e-6 * np.diag(np.diag(information))
    x = np.concatenate([np.zeros(likelihood.design.shape[1]), cuts.ravel(), np.full(n, -0.3)])
    return x, np.linalg.inv(whole)


class _Run:
    """A search over the parameters that are free."""

    def __init__(self, likelihood: Likelihood, sds: NDArray[np.bool_]) -> None:
        self.likelihood, self.sds = likelihood, sds
        self.free = np.r_[np.ones(likelihood.size - len(sds), bool), sds]

    def to_end(self, start: Floats, inverse: Floats, tolerance: float) -> Fitted:
        """Search, and make the grid finer until halving its spacing changes nothing."""
        x = np.where(self.free, start, -np.inf)
        part = inverse[np.ix_(self.free, self.free)]
        grid = self._grid(x, 0.5)
        for _ in range(_ROUNDS):
            x[self.free], part = approach(self._objective(grid), x[self.free], part, self._allowed)
            spacing = self._needed(x, grid) / _COARSE
            if spacing >= grid.spacing and self._reaches(x, grid):
                break
            grid = self._grid(x, min(spacing, grid.spacing))
        coarse = self._objective(grid)
        grid = self._grid(x, grid.spacing * _COARSE / _FINE)
        for _ in range(_ROUNDS):
            found = search(
                self._objective(grid), x[self.free], part, self._allowed,
                tolerance=tolerance, curvature=coarse,
            )  # fmt: skip
            x[self.free], part = found.x, found.covariance
            finer = self._objective(grid.finer())(found.x)[0]
            error = abs(finer - found.value)
            if error <= _EXACT and self._reaches(x, grid):
                break
            grid = self._grid(x, grid.spacing / (1.5 if error > _EXACT else 1))
        covariance = np.zeros((len(x), len(x)))
        covariance[np.ix_(self.free, self.free)] = found.covariance
        return Fitted(self.likelihood, x, covariance, found, grid, error)

    def _spreads(self, x: Floats) -> Floats:
        return np.asarray(np.exp(x[len(x) - len(self.sds) :]), float)

    def _grid(self, x: Floats, spacing: float) -> Grid:
        spreads = self._spreads(x)
        if not self.sds.any():
            return Grid(1.0, 0, 0)
        return Grid.of(np.where(self.sds, spreads, 0.0), min(spacing, spreads[self.sds].min()))

    def _needed(self, x: Floats, grid: Grid) -> float:
        """Narrowest density that is integrated: of a spread, or a rater's posterior."""
        allowed = [1.0, *self._spreads(x)[self.sds]]
        if self.sds[0]:
            weights = self.likelihood.posterior(x, grid)
            nodes = grid.spacing * np.arange(-grid.outer, grid.outer + 1)
            mean = weights @ nodes
            narrow = np.sqrt(np.maximum(weights @ nodes**2 - mean**2, 0.0)).min()
            allowed.append(max(narrow, grid.spacing / 4))
        return float(min(allowed))

    def _reaches(self, x: Floats, grid: Grid) -> bool:
        sides = np.array([grid.outer, grid.inner])[: len(self.sds)]
        return bool((sides * grid.spacing >= 5.5 * np.where(self.sds, self._spreads(x), 0)).all())

    def _allowed(self, part: Floats) -> bool:
        x = self._whole(part)
        spreads = x[len(x) - len(self.sds) :][self.sds]
        return self.likelihood.allowed(x) and bool((spreads > np.log(_SMALL / 5)).all())

    def _whole(self, part: Floats) -> Floats:
        x = np.full(len(self.free), -np.inf)
        x[self.free] = part
        return x

    def _objective(self, grid: Grid) -> Any:
        def objective(part: Floats) -> tuple[float, Floats]:
            value, gradient = self.likelihood.at(self._whole(part), grid)
            return value, gradient[self.free]

        return objective
