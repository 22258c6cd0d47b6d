"""Weights of answers, unit by unit: cells of category and mode raked to population shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.calibration.distances import Distance
from perfmethod.calibration.margins import Coded, check_contradictions
from perfmethod.calibration.newton import solve
from perfmethod.calibration.raking import fit_cells
from perfmethod.calibration.variance import regression
from perfmethod.calibration.weighting import indicators
from perfmethod.errors import Problems

__all__ = ["CellWeights", "Pair", "fit_pair", "fit_pairs"]

Floats = NDArray[np.float64]

TOLERANCE = 1e-12
MAX_ITERATIONS = 1000


class Pair(NamedTuple):
    """A unit and dimension whose answers are weighted."""

    unit: str
    dimension: str
    sizes: Floats  # (c, m) valid answers
    categories: Floats  # (c,) shares
    modes: Floats | None  # (m,) shares
    names: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def where(self) -> str:
        """Place in messages."""
        return f"{self.unit}, {self.dimension}"


@dataclass(frozen=True, eq=False, repr=False)
class CellWeights:
    """Weight of a valid answer of each cell; the answers of a pair weigh 1 on average."""

    weights: Floats  # (p, c, m), 0 where empty
    design: list[Floats]  # indicators (cells, q) of each pair, for residuals
    iterations: int
    error: float
    moved: list[tuple[str, str, str, str, float]]  # unit, dimension, margin, group, share


def fit_pairs(
    pairs: list[Pair], how: Distance | None, empty: str, problems: Problems
) -> CellWeights:
    """Fit every pair; every pair that cannot be fitted is a problem.

    Parameters
    ----------
    pairs : list of Pair
    how : Distance, optional
        None for iterative proportional fitting.
    empty : {"error", "redistribute"}
        What a share does of whom a unit has no valid answer.
    problems : Problems
    """
    weights, designs, iterations, error = [], [], 0, 0.0
    moved: list[tuple[str, str, str, str, float]] = []
    for pair in pairs:
        margins = _margins(pair, empty, problems, moved)
        before = len(problems.items)
        size = pair.sizes[pair.sizes > 0].astype(float)
        check_contradictions(size, margins, problems, pair.where)
        if len(problems.items) == before:
            found = fit_pair(size, margins, how)
            if found[2] > TOLERANCE:
                problems.add(f"shares that the answers cannot have: largest error {found[2]:.3g}",
                             "shares that weights can meet (within the bounds)",
                             row=pair.where)  # fmt: skip
            iterations, error = max(iterations, found[1]), max(error, found[2])
            size = found[0] / size
        table = np.zeros(pair.sizes.shape)
        table[pair.sizes > 0] = size
        weights.append(table)
        designs.append(indicators(margins))
    return CellWeights(np.array(weights), designs, iterations, error, moved)


def fit_pair(size: Floats, margins: list[Coded], how: Distance | None) -> tuple[Floats, int, float]:
    """Fitted cells, rounds and largest error."""
    if how is None:
        codes = np.array([m.codes for m in margins])
        fit = fit_cells(size, codes, [m.totals for m in margins], TOLERANCE, MAX_ITERATIONS)
        return fit.cells, fit.iterations, fit.error
    totals = np.concatenate([m.totals for m in margins])
    ones = np.ones(len(size))
    solved = solve(size, indicators(margins), totals, ones, how, TOLERANCE, MAX_ITERATIONS)
    return solved.weights, solved.iterations, solved.error


def _margins(
    pair: Pair, empty: str, problems: Problems, moved: list[tuple[str, str, str, str, float]]
) -> list[Coded]:
    """Margins of the cells that have answers; totals add to the number of answers."""
    there = pair.sizes > 0
    total = float(pair.sizes.sum())
    found = []
    axes = (("category", pair.categories, 1), ("mode", pair.modes, 0))
    for axis, (name, shares, other) in enumerate(axes):
        if shares is None:
            continue
        present = there.any(axis=other)
        for g in np.flatnonzero((shares > 0) & ~present):
            label = pair.names[axis][g]
            if empty == "error":
                problems.add(f"no valid answer of {name} {label}",
                             "answers of all who have a share, or empty='redistribute'",
                             row=pair.where)  # fmt: skip
            moved.append((pair.unit, pair.dimension, name, label, float(shares[g])))
        kept = np.flatnonzero(present)
        place = np.cumsum(present) - 1
        part = shares[kept] / max(float(shares[kept].sum()), np.finfo(float).tiny)
        groups = tuple(pair.names[axis][g] for g in kept)
        found.append(Coded(name, groups, place[np.nonzero(there)[axis]], total * part))
    return found


def influence_of(
    counts: Floats, values: Floats, weights: Floats, design: Floats
) -> tuple[float, Floats]:
    """Score of a pair, and what one more answer does to it, calibration known.

    Parameters
    ----------
    counts : ndarray, shape (c, m, o)
        Valid answers; 0 for options that are none.
    values : ndarray, shape (o,)
    weights : ndarray, shape (c, m)
    design : ndarray, shape (cells, q)

    Returns
    -------
    score : float
    influence : ndarray, shape (c, m, o)
        Weight times residual, over the sum of weights.
    """
    size = counts.sum(axis=-1)
    there = size > 0
    means = (counts[there] @ values) / size[there]
    total = float((weights * size).sum())
    score = float((weights[there] * size[there]) @ means) / total
    fitted = np.zeros(size.shape)
    fitted[there] = (design @ regression(design, means[:, None], size[there])).ravel()
    table = (weights / total)[..., None] * (values - fitted[..., None])
    return score, np.where(there[..., None], table, 0.0)
