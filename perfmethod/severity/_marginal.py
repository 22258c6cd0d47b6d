"""The marginal likelihood of ordinal answers with random raters, and ballots within them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.severity._families import Family, Logs
from perfmethod.severity._patterns import Patterns

__all__ = ["Grid", "Likelihood", "Split"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TINY = 1e-300


class Split(NamedTuple):
    """Parameters by kind."""

    effects: Floats  # (p,)
    thresholds: Floats  # (s, k - 1)
    log_sds: Floats  # (1,) or (2,): raters, then ballots


@dataclass(frozen=True)
class Grid:
    """Equally spaced nodes, symmetric about zero, with normal weights that sum to one.

    The trapezoidal rule: its error for a normal density of standard deviation s falls as
    exp(-2 (pi s / spacing)^2), so that it is exact to double precision at a spacing of s / 1.6.
    """

    spacing: float
    outer: int  # nodes on each side of zero
    inner: int  # 0 without ballots

    @classmethod
    def of(cls, sds: Floats, spacing: float, reach: float = 6.5) -> Grid:
        """Grid that reaches so many standard deviations."""
        sides = [int(np.ceil(reach * s / spacing)) for s in sds]
        return cls(spacing, sides[0], sides[1] if len(sides) > 1 else 0)

    @property
    def points(self) -> Floats:
        """Sums of an outer and an inner node, (g,)."""
        side = self.outer + self.inner
        return np.asarray(self.spacing * np.arange(-side, side + 1), float)

    def weights(self, sd: float, side: int) -> tuple[Floats, Floats]:
        """Weights of the nodes on both sides, and their derivatives by the log of the sd."""
        if not side:  # a spread of zero
            return np.ones(1), np.zeros(1)
        square = (self.spacing * np.arange(-side, side + 1) / sd) ** 2
        w = np.exp(-0.5 * square)
        w /= w.sum()
        return np.asarray(w, float), np.asarray(w * (square - w @ square), float)

    def finer(self) -> Grid:
        """Half the spacing, the same reach."""
        return Grid(self.spacing / 2, 2 * self.outer, 2 * self.inner)


class Likelihood:
    """Log likelihood of one data set under one family, on any grid.

    Parameters
    ----------
    patterns : Patterns
        Answers are numbered ``cell * k + option``.
    design : csr_array (c, p)
        Effects of each cell.
    group : ndarray of int (c,)
        Set of thresholds of each cell.
    options : int
        k.
    family : Family
    """

    def __init__(
        self, patterns: Patterns, design: Any, group: Ints, options: int, family: Family
    ) -> None:
        self.patterns, self.design, self.group = patterns, design, group
        self.options, self.family = options, family
        self.groups = int(group.max()) + 1
        self.levels = 1 if patterns.ballots is None else 2
        self._answers: Any = patterns.raters if patterns.ballots is None else patterns.ballots
        self.size = design.shape[1] + self.groups * (options - 1) + self.levels

    def split(self, x: Floats) -> Split:
        """Name the parts of the parameters (size,)."""
        p, t = self.design.shape[1], self.groups * (self.options - 1)
        thresholds = x[p : p + t].reshape(self.groups, self.options - 1)
        return Split(x[:p], thresholds, x[p + t :])

    def allowed(self, x: Floats) -> bool:
        """Whether the likelihood exists at x."""
        part = self.split(x)
        return self.family.allowed(part.thresholds) and bool((part.log_sds < 10).all())

    def at(self, x: Floats, grid: Grid) -> tuple[float, Floats]:
        """Minus the log likelihood at parameters (size,), and its gradient."""
        part = self.split(x)
        z = (self.design @ part.effects)[:, None] + grid.points[None, :]
        logs = self.family.logs(z, part.thresholds[self.group])
        table = self._answers @ logs.log_p.reshape(-1, z.shape[1])
        if self.levels == 1:
            value, pulls, slopes, _ = self._raters(table, grid, part)
            by_answer = pulls
        else:
            value, by_answer, slopes = self._ballots(table, grid, part)
        pull = (self._answers.T @ by_answer).reshape(logs.log_p.shape)
        return -value, -np.concatenate([*self._pulled(pull, logs), slopes])

    def posterior(self, x: Floats, grid: Grid) -> Floats:
        """Weights (r, q) of the outer nodes for each pattern of a rater."""
        part = self.split(x)
        z = (self.design @ part.effects)[:, None] + grid.points[None, :]
        logs = self.family.logs(z, part.thresholds[self.group])
        table = self._answers @ logs.log_p.reshape(-1, z.shape[1])
        if self.levels == 2:
            mean, _ = self._integrated(table, grid, float(np.exp(part.log_sds[1])))
            table = self.patterns.raters @ np.log(mean.average) + self.patterns.raters @ mean.shift
        return self._raters(table, grid, part)[3]

    def _pulled(self, pull: Floats, logs: Logs) -> tuple[Floats, Floats]:
        """Gradient by effects and thresholds from that by log probabilities (c, k, g)."""
        by_position = np.einsum("ckg,ckg->c", pull, logs.by_position)
        by_cut = np.einsum("ckg,cjkg->cj", pull, logs.by_threshold)
        cuts = np.zeros((self.groups, self.options - 1))
        np.add.at(cuts, self.group, by_cut)
        return np.asarray(self.design.T @ by_position), cuts.ravel()

    def _raters(
        self, table: Floats, grid: Grid, part: Split
    ) -> tuple[float, Floats, Floats, Floats]:
        """Integrate over raters: value, gradient by the table (r, q), slope, posterior."""
        w, slope = grid.weights(float(np.exp(part.log_sds[0])), grid.outer)
        joint = table + np.log(np.maximum(w, _TINY))
        top = joint.max(axis=1, keepdims=True)
        posterior = np.exp(joint - top)
        total = posterior.sum(axis=1, keepdims=True)
        posterior /= total
        weights = self.patterns.weights
        value = float(weights @ (top + np.log(total))[:, 0])
        by_sd = (weights @ posterior) @ (slope / np.maximum(w, _TINY))
        return value, weights[:, None] * posterior, np.array([by_sd]), posterior

    def _integrated(self, table: Floats, grid: Grid, sd: float) -> tuple[_Mean, Floats]:
        """Integrate ballots (b, g) over their own effects at every outer node."""
        top = table.max(axis=1, keepdims=True)
        scaled = np.exp(table - top)
        band, _ = self._bands(grid, sd)
        return _Mean(np.maximum(scaled @ band, _TINY), top), scaled

    def _bands(self, grid: Grid, sd: float) -> tuple[Floats, Floats]:
        """Weights (g, q) of the points around each outer node, and their derivatives."""
        q = 2 * grid.outer + 1
        found = []
        for values in grid.weights(sd, grid.inner):
            band = np.zeros((len(grid.points), q))
            for column in range(q):
                band[column : column + len(values), column] = values
            found.append(band)
        return found[0], found[1]

    def _ballots(self, table: Floats, grid: Grid, part: Split) -> tuple[float, Floats, Floats]:
        """Integrate over ballots, then raters: value, gradient by the table (b, g), slopes."""
        sd = float(np.exp(part.log_sds[1]))
        mean, scaled = self._integrated(table, grid, sd)
        raters = self.patterns.raters
        at_nodes = raters @ (np.log(mean.average) + mean.shift)
        value, pulls, slope, _ = self._raters(at_nodes, grid, part)
        ratio = (raters.T @ pulls) / mean.average  # (b, q)
        band, bent = self._bands(grid, sd)
        by_sd = float(((scaled @ bent) * ratio).sum())
        return value, scaled * (ratio @ band.T), np.append(slope, by_sd)


class _Mean(NamedTuple):
    average: Floats  # (b, q) of the likelihood over ballots, relative to
    shift: Floats  # (b, 1) the log of its highest value
