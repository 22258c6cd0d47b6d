"""Means and spreads of scores, each score as often as it was seen; bad input told at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import Problems

__all__ = ["Joint", "Sample", "joint", "sample"]

Array = NDArray[np.float64]


class Sample(NamedTuple):
    """Scores with how often each was seen."""

    scores: Array
    counts: Array

    @property
    def size(self) -> float:
        return float(self.counts.sum())

    @property
    def mean(self) -> float:
        return float(self.counts @ self.scores / self.size)

    @property
    def sd(self) -> float:
        """Standard deviation with n - 1."""
        return float(np.sqrt(self.counts @ (self.scores - self.mean) ** 2 / (self.size - 1)))


class Joint(NamedTuple):
    """Moments (n - 1) of a score and an anchor in one group."""

    mean: float
    anchor_mean: float
    var: float
    anchor_var: float
    cov: float


def sample(problems: Problems, name: str, scores: ArrayLike, counts: ArrayLike | None) -> Sample:
    """Check scores (n,) with their counts (n,); problems are noted, not raised."""
    x = np.asarray(scores, dtype=float)
    n = np.ones(x.shape) if counts is None else np.asarray(counts, dtype=float)
    if x.ndim != 1 or x.shape != n.shape:
        problems.add(f"shapes {x.shape} and {n.shape}", "one axis, a count for each score",
                     column=name)  # fmt: skip
        return Sample(np.zeros(2), np.ones(2))
    if not (np.isfinite(x).all() and np.isfinite(n).all()):
        problems.add("a value that is not finite", "finite numbers only", column=name)
    elif (n < 0).any():
        problems.add(f"a count of {n.min():g}", "counts of 0 or more", column=name)
    elif n.sum() < 2:
        problems.add(f"{n.sum():g} scores", "2 or more", column=name)
    return Sample(x, n)


def joint(problems: Problems, name: str, scores: ArrayLike, anchor: ArrayLike) -> Joint:
    """Check a score (n,) and its anchor (n,), and take their moments; both must vary."""
    x, v = np.asarray(scores, dtype=float), np.asarray(anchor, dtype=float)
    before = len(problems.items)
    if x.ndim != 1 or x.shape != v.shape:
        problems.add(f"shapes {x.shape} and {v.shape}", "one axis, an anchor for each score",
                     column=name)  # fmt: skip
    elif not (np.isfinite(x).all() and np.isfinite(v).all()):
        problems.add("a value that is not finite", "finite numbers only", column=name)
    elif x.size < 3:
        problems.add(f"{x.size} scores", "3 or more", column=name)
    elif np.ptp(x) == 0 or np.ptp(v) == 0:
        what = "scores" if np.ptp(x) == 0 else "anchors"
        problems.add(f"{what} that are all {(x if np.ptp(x) == 0 else v)[0]:g}",
                     "some variation", column=name)  # fmt: skip
    if len(problems.items) > before:
        return Joint(0.0, 0.0, 1.0, 1.0, 1.0)
    c = np.cov(x, v)
    return Joint(float(x.mean()), float(v.mean()), float(c[0, 0]), float(c[1, 1]), float(c[0, 1]))
