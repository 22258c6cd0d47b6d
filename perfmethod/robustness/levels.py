r"""Branch and bound over the level at which totals with different denominators meet.

One unit, the hub, shall come below (or above) some others. Let x and y be the totals of the hub and
of another less a level, p and q their denominators: the products :math:`x p` and :math:`y q` are
linear in the weights, and :math:`x \le y` is :math:`\kappa\, x p \le y q` with
:math:`\kappa = q / p`. In a box of levels and of :math:`\kappa` both factors of the only product
that is not linear are nearly constant, so replacing :math:`\kappa` by the box's middle costs at
most half its width times half the range of levels. The relaxation is linear and its error shrinks
with the *square* of the box, which keeps the number of boxes small.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.robustness.norms import NORMS, Nearest
from perfmethod.robustness.polytope import Polytope, Rows
from perfmethod.robustness.ratios import Ratios

__all__ = ["Search", "search_levels"]

Array = NDArray[np.float64]

ROUNDS = 2000  # boxes cut before the proven bound is given as it stands
SAME = 1e-9  # points


class Search(NamedTuple):
    """What is wanted: every spoke at least `margin` above the hub, or below it.

    Parameters
    ----------
    totals : Ratios
    share : ndarray (n,)
    hub : int
    spokes : tuple of int
    side : float
        1 where the spokes shall be above, -1 where they shall be below.
    polytope : Polytope
    norm : str
    margin : float
    """

    totals: Ratios
    share: Array
    hub: int
    spokes: tuple[int, ...]
    side: float
    polytope: Polytope
    norm: str
    margin: float

    def lead(self, w: Array) -> float:
        """By how much the worst spoke is past the hub and the margin."""
        now = self.totals.at(w)
        return float((self.side * (now[list(self.spokes)] - now[self.hub])).min() - self.margin)


class Box(NamedTuple):
    """Levels from t1 to t2; ratios of the denominators of spokes and hub from k1 to k2."""

    t1: float
    t2: float
    k1: tuple[float, ...]
    k2: tuple[float, ...]


def search_levels(
    search: Search, cutoff: float, gap: float, first: bool = False
) -> tuple[float, float, Array | None, int]:
    """Find the nearest weights: distance, proven lower bound, weights, programs solved.

    Parameters
    ----------
    search : Search
        From weights at which the totals are not yet as wanted.
    cutoff : float
        Nothing at this distance or farther is of interest.
    gap : float
        Relative distance between result and bound at which the search ends.
    first : bool
        End with any weights, however far: whether there are some.
    """
    return _Levels(search, cutoff, gap).run(first)


class _Levels:
    """The state of one search."""

    def __init__(self, search: Search, cutoff: float, gap: float) -> None:
        self.search, self.gap, self.best = search, gap, cutoff
        const, num, den = search.totals.one()
        now = (den @ search.share)[:, None]  # so that rows are in points at the start
        self.const, self.num, self.den = const, num / now, den / now
        spokes = list(search.spokes)
        self.kinds, self.kind = np.unique(self.den[spokes], axis=0, return_inverse=True)
        self.point: Array | None = None
        self.solves = 0
        self.heap: list[tuple[float, int, Box, Array]] = []
        self.number = count()

    def run(self, first: bool) -> tuple[float, float, Array | None, int]:
        root = self._root()
        if root is not None:
            self._push(root)
        for _ in range(ROUNDS):
            if not self.heap:
                return self._found(self.best * (1 - self.gap))
            if first and self.point is not None:
                return self._found(self.heap[0][0])
            lower, _, box, w = heapq.heappop(self.heap)
            if lower >= self.best * (1 - self.gap):
                return self._found(lower)
            if self.search.lead(w) >= -SAME:  # the relaxed weights do it
                self.best, self.point = lower, w
                return self._found(lower)
            for half in self._halves(box, w):
                self._push(half)
        return self._found(self.heap[0][0] if self.heap else self.best)

    def _found(self, proven: float) -> tuple[float, float, Array | None, int]:
        distance = self.best if self.point is not None else np.inf
        return distance, min(proven, distance), self.point, self.solves

    def _root(self) -> Box | None:
        """Box of everything nearer than the best weights that a few levels give."""
        low, high = self.search.totals.bounds()
        spokes = list(self.search.spokes)
        if self.search.side > 0:
            t1, t2 = low[self.search.hub] + self.search.margin, high[spokes].min()
        else:
            t1, t2 = low[spokes].max(), high[self.search.hub] - self.search.margin
        if t1 > t2:
            return None
        now = self.search.totals.at(self.search.share)
        for level in np.clip(np.linspace(now[self.search.hub], now[spokes].mean(), 5), t1, t2):
            self._try(float(level))
        p1, p2 = self._range(self.den[self.search.hub])
        ends = [self._range(kind) for kind in self.kinds]
        return Box(float(t1), float(t2), tuple(q1 / p2 for q1, _ in ends),
                   tuple(q2 / p1 for _, q2 in ends))  # fmt: skip

    def _range(self, d: Array) -> tuple[float, float]:
        """Range of a denominator, one at the start, within the best distance."""
        reach = float(NORMS[self.search.norm].dual(d, self.search.polytope.family))
        reach = self.best * reach if np.isfinite(self.best) else np.inf
        kept = float(d.min()) if d.min() > 0 else 1e-3
        return max(1.0 - reach, kept), min(1.0 + reach, float(d.max()))

    def _halves(self, box: Box, w: Array) -> Iterator[Box]:
        """Cut a box where it is widest in comparison with where it lies."""
        now = self.search.totals.at(w)
        level = (now[self.search.hub] + now[list(self.search.spokes)].mean()) / 2
        fifth = (box.t2 - box.t1) / 5
        middle = float(np.clip(level, box.t1 + fifth, box.t2 - fifth))
        self._try(middle)
        wide = [(b - a) / a for a, b in zip(box.k1, box.k2, strict=True)]
        i = int(np.argmax(wide))
        if wide[i] > (box.t2 - box.t1) / max(abs(box.t1), abs(box.t2)):
            cut = (box.k1[i] + box.k2[i]) / 2
            yield box._replace(k2=(*box.k2[:i], cut, *box.k2[i + 1 :]))
            yield box._replace(k1=(*box.k1[:i], cut, *box.k1[i + 1 :]))
        else:
            yield box._replace(t2=middle)
            yield box._replace(t1=middle)

    def _push(self, box: Box) -> None:
        found = self._solve(box)
        if found is not None and found[0] < self.best * (1 - self.gap):
            heapq.heappush(self.heap, (found[0], next(self.number), box, found[1]))

    def _try(self, level: float) -> None:
        """Nearest weights at which the totals meet at one level: feasible, so an upper bound."""
        found = self._solve(Box(level, level, (), ()))
        if found is not None and found[0] < self.best:
            self.best, self.point = found

    def _solve(self, box: Box) -> Nearest:
        """Nearest weights of the relaxation of a box.

        At the nearest weights the hub just ties with a spoke, so its total (with the margin) lies
        among the levels of the box and every spoke is on the wanted side of the nearer end.
        """
        side, margin = self.search.side, self.search.margin
        near, far = (box.t1, box.t2) if side > 0 else (box.t2, box.t1)
        spokes = [self._over(j, near) * -side for j in self.search.spokes]
        rows = [*spokes, self._over(self.search.hub, far - side * margin) * side]
        if box.t2 > box.t1:
            rows += [self._over(self.search.hub, near - side * margin) * -side, *self._cuts(box)]
        matrix = np.stack(rows)
        self.solves += 1
        polytope = self.search.polytope.restricted(Rows(matrix, np.zeros(len(matrix))))
        return NORMS[self.search.norm].nearest(polytope, self.search.share)

    def _over(self, unit: int, level: float) -> Array:
        """Total of a unit less a level, times its denominator: a linear function (n,)."""
        return np.asarray(self.num[unit] + (self.const[unit] - level) * self.den[unit])

    def _cuts(self, box: Box) -> Iterator[Array]:
        """Rows that hold for hub and spokes in a box, and those that keep the ratios in it."""
        side, p = self.search.side, self.den[self.search.hub]
        middle, half = (box.t1 + box.t2) / 2, (box.t2 - box.t1) / 2
        x = self._over(self.search.hub, middle - side * self.search.margin)
        for kind, q in enumerate(self.kinds):
            yield q - box.k2[kind] * p
            yield box.k1[kind] * p - q
        for kind, j in zip(self.kind, self.search.spokes, strict=True):
            y = self._over(j, middle)
            kappa = (box.k1[kind] + box.k2[kind]) / 2
            error = half * (box.k2[kind] - box.k1[kind]) / 2 * p
            yield side * (kappa * x - y) - error
            if len(self.search.spokes) == 1:  # it ties with this one
                yield side * (y - kappa * x) - error
