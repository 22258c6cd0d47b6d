"""The nearest weights of a set, with the proof that none are nearer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.robustness.norms import NORMS, Shortest
from perfmethod.robustness.polytope import Polytope

__all__ = ["Near", "Programs", "nearest"]

Array = NDArray[np.float64]

SLACK = 1e-9  # how far a weight may stand outside a bound and still count as inside
LEFT = 2e-7  # what a solver may leave of a constraint
NONE = 1e-12  # a distance that counts as none
ROUNDING = 1e-13  # of a sum, in parts of its terms
TINY = 1e-300
FAR = 100.0  # times what one row demands: the program is solved again on its own scale
EXACT = 1 - 2e-10  # part of a length that its multipliers have to demand, or it is solved again


class Near(NamedTuple):
    """Nearest weights, and what proves that none are nearer.

    Parameters
    ----------
    distance : float
        Infinite where no weights satisfy the constraints.
    share : ndarray (n,) or None
    rows : ndarray (m,)
        Weights of the given rows, not negative.
    others : ndarray (n,), limit : float
        Weighted sum of the constraints of the set: ``others @ w <= limit`` for all its weights.
        Together with the weighted rows it keeps all weights at the distance (to rounding).
    """

    distance: float
    share: Array | None
    rows: Array
    others: Array
    limit: float


class Programs:
    """Nearest weights of parts of one set to one center, bounds taken up where they are met.

    A program over all bounds has two rows for each weight, of which hardly any matters. The first
    program has none of them; bounds that its answer violates are added and stay for the programs
    that follow. The answer of a program without some bounds is never farther than the true one, so
    the last one, which violates none, is exact.

    Parameters
    ----------
    polytope : Polytope
    center : ndarray (n,)
        Weights whose families sum to one; need not lie in the set.
    norm : {"l1", "l2", "linf"}
    """

    def __init__(self, polytope: Polytope, center: Array, norm: str) -> None:
        self.family, self.sums, self.center = polytope.family, polytope.sums, center
        self.norm = NORMS[norm]
        eye = np.eye(center.size)
        bounds = np.vstack([-eye, eye])
        self.matrix = np.vstack([polytope.rows.matrix, bounds])
        self.limit = np.concatenate([polytope.rows.limit, -polytope.lower, polytope.upper])
        self.scale = self.norm.dual(self.matrix, self.family)
        outside = self.matrix @ center > self.limit + NONE
        self.used = outside | (np.arange(len(self.limit)) < len(polytope.rows.limit))
        self.solves = 0

    @property
    def farthest(self) -> float:
        """A length that no difference of two weights of a simplex exceeds."""
        apart = np.zeros(self.center.size)
        for row in self.sums:
            apart[np.flatnonzero(row)[[0, -1]]] = 1.0, -1.0
        return max(self.norm.size(apart), NONE)

    def nearest(self, matrix: Array, scale: Array) -> Near:
        """Find the nearest weights of the set at which given rows are at most zero.

        Parameters
        ----------
        matrix : ndarray (m, n)
        scale : ndarray (m,)
            Their dual norms.
        """
        m = len(matrix)
        while True:
            rows = np.vstack([matrix, self.matrix[self.used]])
            limit = np.append(np.zeros(m), self.limit[self.used])
            near = self._solved(rows, limit, np.append(scale, self.scale[self.used]), m)
            if near.share is None:
                return near
            violated = (self.matrix @ near.share > self.limit + SLACK) & ~self.used
            if not violated.any():
                return near
            self.used |= violated

    def proven(self, near: Near, matrix: Array) -> float:
        """Distance that the multipliers of a solved program prove, whatever the solver left.

        Parameters
        ----------
        near : Near
        matrix : ndarray (m, n)
            Its rows.
        """
        row, total = near.rows @ matrix + near.others, np.abs(near.rows) @ np.abs(matrix)
        gap = float(row @ self.center) - near.limit
        gap -= ROUNDING * float((total + np.abs(near.others)) @ self.center + abs(near.limit))
        size = float(self.norm.dual(row, self.family))
        return gap / max(size, TINY) if gap > 0 else 0.0

    def _solved(self, rows: Array, limit: Array, scale: Array, m: int) -> Near:
        gaps, weights = rows @ self.center - limit, np.zeros(len(rows))
        flat = scale <= NONE * (1.0 + np.abs(rows).max(-1, initial=0.0))
        share: Array | None = self.center.copy()
        if (gaps[flat] > SLACK).any():  # the weights have no say
            share, weights = None, np.where(flat, np.maximum(gaps, 0.0), 0.0)
        elif (gaps[~flat] > NONE * scale[~flat]).any():
            found = self._shortest(rows[~flat] / scale[~flat, None], gaps[~flat] / scale[~flat])
            share = None if found.change is None else self.center + found.change
            weights[~flat] = found.multipliers / scale[~flat]
        others, top = weights[m:] @ rows[m:], float(weights[m:] @ limit[m:])
        if share is None:
            return Near(np.inf, None, weights[:m], others, top)
        return Near(self.norm.size(share - self.center), share, weights[:m], others, top)

    def _reach(self, rows: Array, gaps: Array, found: Shortest) -> float:
        """Length that the multipliers demand."""
        size = float(self.norm.dual(found.multipliers @ rows, self.family))
        return float(found.multipliers @ gaps) / max(size, TINY)

    def _shortest(self, rows: Array, gaps: Array) -> Shortest:
        """Solve on the scale of the answer, which one row alone may miss by far."""
        length, most = float(gaps.max()), self.farthest
        found = self.norm.shortest(rows, gaps / length, self.sums, False)
        ratio = np.inf if found.change is None else self.norm.size(found.change)
        self.solves += 1
        far = ratio > FAR and length * FAR < most
        if far or (ratio < np.inf and self._reach(rows, gaps / length, found) < ratio * EXACT):
            length = min(length * ratio / 2, most / 4)
            found = self.norm.shortest(rows, gaps / length, self.sums, True)
            self.solves += 1
        if found.change is None:
            return found
        change = length * found.change
        kept = (rows @ change <= LEFT - gaps).all() and (abs(self.sums @ change) <= LEFT).all()
        small = self.norm.size(change) <= most * (1 + SLACK)
        return found._replace(change=change if kept and small else None)


def nearest(polytope: Polytope, center: ArrayLike, norm: str = "l1") -> tuple[float, Array] | None:
    """Find the weights of a set that are nearest to given ones.

    Parameters
    ----------
    polytope : Polytope
    center : array_like (n,)
        Weights whose families sum to one; need not lie in the set.
    norm : {"l1", "l2", "linf"}
        Sum of absolute changes, Euclidean length, largest change.

    Returns
    -------
    tuple of float and ndarray (n,), or None
        Distance and point; None where the set is empty.

    References
    ----------
    Lawson & Hanson, *Solving Least Squares Problems* (1974), chapter 23 (LDP), for "l2"; the others
    are linear programs, solved by HiGHS.

    Examples
    --------
    >>> from perfmethod.robustness.polytope import Polytope
    >>> half = Polytope.of(2, lower=[0.5, 0])
    >>> [round(nearest(half, [0.3, 0.7], norm)[0], 6) for norm in ("l1", "l2", "linf")]
    [0.4, 0.282843, 0.2]
    """
    at = np.asarray(center, float)
    found = Programs(polytope, at, norm).nearest(np.zeros((0, at.size)), np.zeros(0))
    return None if found.share is None else (found.distance, found.share)
