"""Size, mean and spread of every cell, with its share in its category's mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Moments", "cell_moments"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Moments:
    """Moments of the cells whose means are averaged; k is 1 where modes are pooled, else m."""

    size: Floats  # (u, d, c, k) valid answers
    mean: Floats  # (u, d, c, k), 0 where empty
    squares: Floats  # (u, d, c, k) sum of squares about the mean
    share: Floats  # (u, d, c, k) share in the category's mean, adds to 1 or is all 0
    values: Floats  # (o,) option scores, 0 where not valid
    valid: NDArray[np.bool_]  # (o,)

    def influence(self, n_modes: int) -> Floats:
        """Influence (u, d, c, m, o) of one more answer on its category's mean: share (y-mean)/n."""
        per_answer = _divide(self.share, self.size)
        z = per_answer[..., None] * (self.values - self.mean[..., None]) * self.valid
        return np.broadcast_to(z, (*z.shape[:3], n_modes, z.shape[4]))

    def category_variances(self) -> Floats:
        """Variance (u, d, c) of category means, ballots drawn independently within each cell.

        The sum over k of share^2 s^2 / n with s^2 = squares / (n - 1); a cell with a single valid
        answer adds nothing.
        """
        spread = _divide(self.squares, self.size * (self.size - 1))
        return (self.share**2 * spread).sum(axis=-1)


def cell_moments(
    counts: NDArray[np.int64], option_scores: ArrayLike, mode_weights: Floats | None
) -> Moments:
    """Moments of counts (u, d, c, m, o); modes are pooled where `mode_weights` is None."""
    s = np.asarray(option_scores, float)
    valid = ~np.isnan(s)
    values = np.where(valid, s, 0.0)
    n = (counts if mode_weights is not None else counts.sum(axis=3, keepdims=True)) * valid
    size = n.sum(axis=-1).astype(float)
    mean = _divide((n * values).sum(axis=-1), size)
    squares = (n * (values - mean[..., None]) ** 2).sum(axis=-1)
    weight = (size > 0) * (1.0 if mode_weights is None else mode_weights)
    share = _divide(weight, weight.sum(axis=-1, keepdims=True))
    return Moments(size, mean, squares, share, values, valid)


def _divide(above: Floats, below: Floats) -> Floats:
    """Above / below, 0 where below is 0."""
    above, below = np.broadcast_arrays(above, below)
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)
