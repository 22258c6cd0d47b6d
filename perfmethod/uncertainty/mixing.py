"""Chains in a polytope of weights, and how long they need to forget where they started."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chains", "disagreement", "mixing"]

Array = NDArray[np.float64]

PILOT = 4096  # chains by which the mixing is judged
FIRST, LAST = 8, 2048  # sweeps after which they are compared for the first and the last time
TINY = 1e-300
AGREED = 4.0  # standard errors, of the largest of all comparisons
LONGER = 4  # times the sweeps after which they agreed: what is left is to the fourth power less


class Chains:
    """Parallel chains that move weight between two positions, uniformly as far as they may.

    All chains take the same positions in turn and different steps, so that they are independent of
    each other given the positions.

    Parameters
    ----------
    matrix, limit : ndarray (m, c), (m,)
        The polytope, ``matrix @ w <= limit``, its weights' sum fixed.
    start : ndarray (c,)
        A point inside.
    n : int
        Number of chains.
    rng : Generator
    """

    def __init__(
        self, matrix: Array, limit: Array, start: Array, n: int, rng: np.random.Generator
    ) -> None:
        self.matrix, self.rng = matrix, rng
        self._w = np.tile(start[:, None], (1, n))
        self._room = np.tile((limit - matrix @ start)[:, None], (1, n))

    @property
    def at(self) -> Array:
        """Where the chains are, (n, c)."""
        return np.ascontiguousarray(self._w.T)

    def sweep(self, times: int) -> None:
        """As many steps as there are weights, so many times."""
        c, n = self._w.shape
        for _ in range(times):
            first = np.asarray(self.rng.integers(0, c, size=c))
            second = np.asarray((first + self.rng.integers(1, c, size=c)) % c)
            part = self.rng.random((c, n))
            for k in range(c):
                self._step(int(first[k]), int(second[k]), part[k])

    def _step(self, i: int, j: int, u: Array) -> None:
        step = self.matrix[:, i] - self.matrix[:, j]
        up, down = np.flatnonzero(step > 0), np.flatnonzero(step < 0)
        most = (self._room[up] / step[up, None]).min(0)
        least = (self._room[down] / step[down, None]).max(0)
        t = least + (most - least) * u
        self._w[i] += t
        self._w[j] -= t
        for moved in (up, down):
            self._room[moved] = np.maximum(self._room[moved] - t * step[moved, None], 0.0)


def disagreement(before: Array, after: Array) -> float:
    """How far the same chains, earlier and later, are from two independent samples of one law.

    Parameters
    ----------
    before, after : ndarray (n, c)

    Returns
    -------
    float
        The largest, in standard errors, of differences of means and of variances and of
        correlations, along every weight and every principal axis. The axes are those of the first
        half of the chains; what is compared are the others, which had no say in them.
    """
    n, half = len(after) - len(after) // 2, len(after) // 2
    center = after[:half].mean(0)
    axes = np.linalg.svd(after[:half] - center, full_matrices=False)[2]
    turn = np.hstack([np.eye(after.shape[1]), axes[: max(after.shape[1] - 1, 1)].T])
    x, y = (before[half:] - center) @ turn, (after[half:] - center) @ turn
    joint = (x - x.mean(0)) * (y - y.mean(0)) / np.maximum(x.std(0) * y.std(0), TINY)
    gaps = np.hstack([y - x, y**2 - x**2])
    spread = gaps.std(0)
    if not (spread.all() and x.std(0).all()):  # some have not moved at all
        return np.inf
    apart = np.abs(gaps.mean(0)) / spread
    return float(max(apart.max(), np.abs(joint.mean(0)).max()) * np.sqrt(n))


def mixing(matrix: Array, limit: Array, start: Array, seed: int = 0) -> tuple[int, float]:
    """Find out after how many sweeps chains have forgotten where they started.

    All chains start at one point. After t and 2t sweeps, t doubling, they are compared: once they
    have mixed, both are samples of one law and independent of each other. The sweeps to make are
    four times that t: correlations along any axis, at most four standard errors there, are their
    fourth power then.

    Parameters
    ----------
    matrix, limit, start
        As for `Chains`.
    seed : int

    Returns
    -------
    sweeps : int
        Zero where the chains do not agree by the last comparison.
    disagreement : float
        At the last comparison, see `disagreement`.

    References
    ----------
    Gelman & Rubin, "Inference from iterative simulation using multiple sequences", *Statistical
    Science* 7 (1992) 457-472, for judging chains by themselves; Geweke, "Evaluating the accuracy
    of sampling-based approaches to the calculation of posterior moments" (1992), for comparing
    earlier and later parts.
    """
    chains = Chains(matrix, limit, start, PILOT, np.random.default_rng(seed))
    t, apart = FIRST, np.inf
    chains.sweep(t)
    while 2 * t <= LAST:
        before = chains.at
        chains.sweep(t)
        apart = disagreement(before, chains.at)
        if apart <= AGREED:
            return LONGER * t, apart
        t *= 2
    return 0, apart
