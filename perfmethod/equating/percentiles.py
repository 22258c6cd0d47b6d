"""Equipercentile linking of scores counted at equal steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.equating.moments import Sample, sample
from perfmethod.errors import DataError, Problems

__all__ = ["PercentileLink", "equipercentile"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PercentileLink:
    """Scores of equal percentile rank; both distributions are spread evenly over each step.

    Parameters
    ----------
    edges_x, edges_y : ndarray
        Ends of the steps of each form.
    below_x, below_y : ndarray
        Share of the scores below each end.
    """

    edges_x: Array = field(repr=False)
    below_x: Array = field(repr=False)
    edges_y: Array = field(repr=False)
    below_y: Array = field(repr=False)

    def __call__(self, x: ArrayLike) -> Array:
        """Scores (...) on the scale of the other form."""
        rank = np.interp(np.asarray(x, dtype=float), self.edges_x, self.below_x)
        first = self._inverse(rank - _SAME, "left")
        last = self._inverse(rank + _SAME, "right")
        # where nobody scored between two ends, every score there has one rank: the middle of them
        found = np.where(
            last - first > 1e-6 * self._step, (first + last) / 2, self._inverse(rank, "left")
        )
        found = np.where(rank <= _SAME, self.edges_y[0], found)
        return np.where(rank >= 1 - _SAME, self.edges_y[-1], found)

    @property
    def _step(self) -> float:
        return float(self.edges_y[1] - self.edges_y[0])

    def _inverse(self, rank: Array, side: Literal["left", "right"]) -> Array:
        """Score below which a share of the scores lies; the first such score, or the last."""
        at = np.clip(np.searchsorted(self.below_y, rank, side=side), 1, len(self.below_y) - 1)
        low, high = self.below_y[at - 1], self.below_y[at]
        share = np.divide(rank - low, high - low, out=np.zeros_like(rank), where=high > low)
        return self.edges_y[at - 1] + np.clip(share, 0.0, 1.0) * self._step


_SAME = 1e-12  # shares that differ by less are one


def equipercentile(
    x: ArrayLike,
    y: ArrayLike,
    x_counts: ArrayLike | None = None,
    y_counts: ArrayLike | None = None,
    *,
    step: float = 1.0,
) -> PercentileLink:
    """Link scores with the same percentile rank: random groups, any relation of the forms.

    It estimates two whole distributions and wants hundreds of scores in each group; with four to
    nine it follows single units.

    Parameters
    ----------
    x, y : array_like (n,), (m,)
        Scores at multiples of `step` (others count at the nearest).
    x_counts, y_counts : array_like (n,), (m,), optional
    step : float, default 1
        Width of a score.

    Returns
    -------
    PercentileLink

    Raises
    ------
    DataError
        As in `mean_link`.

    References
    ----------
    Kolen and Brennan (2014), 2.5, without smoothing; a percentile rank that several scores of the
    other form share leads to the middle of them.

    Examples
    --------
    >>> link = equipercentile([0, 1, 2, 3], [1, 2, 3, 4])
    >>> link([0, 1.5, 3]).tolist()
    [1.0, 2.5, 4.0]
    """
    problems = Problems("equating")
    one, two = sample(problems, "x", x, x_counts), sample(problems, "y", y, y_counts)
    if not (np.isfinite(step) and step > 0):
        problems.add(f"a step of {step:g}", "above 0", column="step")
    problems.raise_any(DataError)
    return PercentileLink(*_cumulated(one, step), *_cumulated(two, step))


def _cumulated(form: Sample, step: float) -> tuple[Array, Array]:
    """Ends of the steps, and the share of scores below each."""
    at = np.floor(form.scores / step + 0.5).astype(np.int64)
    counts = np.bincount(at - at.min(), form.counts)
    edges = (at.min() + np.arange(len(counts) + 1) - 0.5) * step
    below = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
    below[-1] = 1.0
    return edges, below
