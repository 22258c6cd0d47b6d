r"""Cover of the levels at which totals with different denominators may meet.

One unit, the hub, shall come below (or above) some others: there is a level :math:`\tau` with the
hub's total on one side and all others on the other. At a fixed level this is linear in the weights
w, and the distance :math:`f(\tau)` to the nearest ones is one program, whose multipliers combine
the constraints to a single one, :math:`(c - \tau s) \cdot w \le l`, that keeps all weights away.
The multipliers prove something at other levels, too: there

.. math:: f(\tau) \ge g(\tau) = \frac{(c - \tau s) \cdot w_0 - l}{\lVert c - \tau s \rVert_*},

a linear function over a convex one, which between two levels is nowhere below its value at both
(it is quasiconcave). So do mixtures of the multipliers of two levels, also those that change
linearly from one level to the other, up to the square of the step: levels are covered by mixtures
whose bound is at least what was found, at the cost of a few dot products, and a new program is
solved only where no mixture reaches it.

Where that is slow (no weights at all do it, and only barely; bounds and orders that leave a point)
the multipliers y of hub and spokes alone are kept, and those of the set found anew. A mixture of
the rows at two levels is at most zero at some level between them only if one of the two is, so

.. math:: f(\tau) \ge \min_{t \in \{a, b\}}
          \min \{ \lVert w - w_0 \rVert : w \in P, \; y (C - t S) w \le 0 \}, \quad
          a \le \tau \le b,

two programs with a single row. They say "nothing there" of whole stretches at once, and their
error is of the square of the stretch.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.robustness.polytope import Polytope
from perfmethod.robustness.programs import Near, Programs
from perfmethod.robustness.ratios import Ratios

__all__ = ["Search", "search_levels"]

Array = NDArray[np.float64]

PROGRAMS = 1000  # solved before the proven bound is given as it stands
PATIENCE = 24  # programs after which stretches are tried by one row, too
PARTS, DEEP = 8, 30  # pieces of a stretch of levels at first, and how often they are cut
INNER = 0.3, 0.01  # of a stretch, in turn: what is left beside a cut, so that stretches shrink
FINE, FINER = 9, 8  # levels tried for the weakest, and how often they close in on it
MANY = 128  # open pieces at which a program is the cheaper way
ONE = 1e-10  # points: levels nearer than this are one, as totals are to scoring
SHORT = 1e-6  # points: a stretch at which one row is tried at once
ROUNDING = 1e-14  # of a sum, in parts of its terms


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


class Cut(NamedTuple):
    """``(at - level * slope) @ w <= limit`` at every level for the weights wanted there.

    Parameters
    ----------
    at, slope : ndarray (n,)
    limit : float
    rows : ndarray (m,)
        Multipliers of hub and spokes in it.
    """

    at: Array
    slope: Array
    limit: float
    rows: Array


class Stretch(NamedTuple):
    """Levels from low to high, a cut for each end, what is proven and where least is."""

    low: float
    high: float
    first: Cut
    last: Cut
    bound: float
    weakest: float
    target: float


def search_levels(
    search: Search, cutoff: float, gap: float, first: bool = False, near: Array | None = None
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
    near : ndarray (n,), optional
        Weights at whose level to look first.
    """
    return _Levels(search, cutoff, gap).run(first, near)


class _Levels:
    """The state of one search."""

    def __init__(self, search: Search, cutoff: float, gap: float) -> None:
        self.search, self.gap = search, gap
        self.programs = Programs(search.polytope, search.share, search.norm)
        self.best = min(cutoff, self.programs.farthest * (1 + 1e-6))
        self.point: Array | None = None
        const, num, den = search.totals.one()
        den_now = (den @ search.share)[:, None]  # so that rows are in points at the start
        num, den = num / den_now, den / den_now
        self.zero = float(search.totals.at(search.share)[search.hub])  # levels count from here
        order = [search.hub, *search.spokes]
        sign = np.array([search.side, *[-search.side] * len(search.spokes)])[:, None]
        const = const[order] - self.zero
        const[0] += search.side * search.margin
        self.at = sign * (num[order] + const[:, None] * den[order])
        self.slope = sign * den[order]
        self.heap: list[tuple[float, int, Stretch]] = []
        self.number = count()

    def run(self, first: bool, near: Array | None) -> tuple[float, float, Array | None, int]:
        ends = self._ends()
        if ends is None:
            return np.inf, np.inf, None, 0
        self._push(*ends)
        if near is not None:
            now = float(self.search.totals.at(near)[self.search.hub]) - self.zero
            level = now + self.search.side * self.search.margin
            stretch = self._pop()
            level = float(np.clip(level, *ends[:2]))
            self._cut(stretch._replace(weakest=level), inner=0.0)
        while self.programs.solves < PROGRAMS:
            stretch = self._pop()
            done = stretch.bound >= self.best * (1 - self.gap) or stretch.high - stretch.low <= ONE
            if done or (first and self.point is not None):
                return self._found(stretch.bound)
            if stretch.target > self.best * (1 - self.gap):  # less is asked for than it was
                self._push(*stretch[:4])
            else:
                self._cut(stretch, inner=INNER[self.programs.solves % 2])
        return self._found(self._pop().bound)

    def _found(self, proven: float) -> tuple[float, float, Array | None, int]:
        distance = self.best if self.point is not None else np.inf
        if self.point is None and proven >= self.programs.farthest:
            proven = np.inf
        return distance, min(proven, distance), self.point, self.programs.solves

    def _pop(self) -> Stretch:
        return heapq.heappop(self.heap)[2]

    def _ends(self) -> tuple[float, float, Cut, Cut] | None:
        """Levels that hub and spokes can reach, each kept from one end by a row of its own."""
        low, high = (x - self.zero for x in self.search.totals.bounds())
        hub, spokes, margin = self.search.hub, list(self.search.spokes), self.search.margin
        if self.search.side > 0:
            t1, t2 = low[hub] + margin, high[spokes].min()
            rows = 0, 1 + int(high[spokes].argmin())
        else:
            t1, t2 = low[spokes].max(), high[hub] - margin
            rows = 1 + int(low[spokes].argmax()), 0
        if t1 > t2:
            return None
        one = np.eye(len(self.at))
        first, last = (Cut(self.at[r], self.slope[r], 0.0, one[r]) for r in rows)
        return float(t1), float(t2), self._unit(first, t1), self._unit(last, t2)

    def _cut(self, stretch: Stretch, inner: float) -> None:
        """Solve at the weakest level of a stretch and cut it there."""
        room = inner * (stretch.high - stretch.low)
        level = float(np.clip(stretch.weakest, stretch.low + room, stretch.high - room))
        near = self._solve(level)
        if near.share is not None and near.distance < self.best:
            self.best, self.point = near.distance, near.share
        y = near.rows
        cut = self._unit(Cut(y @ self.at + near.others, y @ self.slope, near.limit, y), level)
        self._push(stretch.low, level, stretch.first, cut)
        self._push(level, stretch.high, cut, stretch.last)

    def _solve(self, level: float) -> Near:
        rows = self.at - level * self.slope
        return self.programs.nearest(rows, self.programs.norm.dual(rows, self.programs.family))

    def _unit(self, cut: Cut, level: float) -> Cut:
        """The same cut on a scale of its own, so that mixtures are between equals."""
        row = cut.at - level * cut.slope
        size = float(self.programs.norm.dual(row, self.programs.family))
        largest = float(np.abs(cut.at).max() + np.abs(level * cut.slope).max()) or 1.0
        scale = size if size > 1e-9 * largest else largest
        return Cut(cut.at / scale, cut.slope / scale, cut.limit / scale, cut.rows / scale)

    def _push(self, low: float, high: float, first: Cut, last: Cut) -> None:
        target = self.best * (1 - self.gap)
        bound, weakest = self._covered(low, high, (first, last), target)
        late = self.programs.solves > PATIENCE or high - low <= SHORT
        if bound < target and late:
            bound = max(bound, self._by_one_row(low, high, (first, last), target))
        stretch = Stretch(low, high, first, last, bound, weakest, target)
        heapq.heappush(self.heap, (bound, next(self.number), stretch))

    def _by_one_row(self, low: float, high: float, cuts: tuple[Cut, Cut], target: float) -> float:
        """Bound for all levels of a stretch by single rows that mix hub and spokes."""
        found = 0.0
        for cut, own, other in ((cuts[0], low, high), (cuts[1], high, low)):
            alone = np.array([own])  # there nothing proves more than the cut itself
            proven = float(
                self._bounds((cut, cut), np.zeros((1, 1)), alone, np.zeros((2, 1)))[0, 0]
            )
            if proven > found:
                found = max(found, min(proven, self._one_row(cut.rows, other)))
            if found >= target:
                break
        return found

    def _one_row(self, y: Array, level: float) -> float:
        """Proven distance of the weights that satisfy a mixture of the rows at a level."""
        row = y @ self.at - level * (y @ self.slope)
        size = self.programs.norm.dual(row[None], self.programs.family)
        near = self.programs.nearest(row[None], size)
        return self.programs.proven(near, row[None])

    def _covered(
        self, low: float, high: float, cuts: tuple[Cut, Cut], target: float
    ) -> tuple[float, float]:
        """Bound for all levels of a stretch, and the level where a program may raise it.

        Pieces whose bound is below the target are halved until all reach it, or until the bound at
        the very middle of a piece, which no halving can raise, is below it.
        """
        edges = np.linspace(low, high, PARTS + 1)
        left, right, least = edges[:-1], edges[1:], np.inf
        wide = max(high - low, ONE)
        bend = (cuts[1].slope - cuts[0].slope) / wide
        size = float(self.programs.norm.dual(bend, self.programs.family))
        bends = np.array([abs(float(bend @ self.search.share)), size])

        def bounds(x: Array, room: Array | float = 0.0) -> Array:
            mixed = (x - low) / wide
            mixtures = np.stack([mixed, np.zeros_like(mixed), np.ones_like(mixed)])
            return self._bounds(cuts, mixtures, x, np.multiply.outer(bends, room))

        if high - low <= ONE:
            at_ends = bounds(np.array([low, high]))
            return float(max(at_ends[1, 0], at_ends[2, 1])), low
        for _ in range(DEEP):
            middle, room = (left + right) / 2, (right - left) ** 2 / 4
            bound = np.minimum(bounds(left, room), bounds(right, room)).max(0)
            inside = bounds(middle).max(0)
            open_ = bound < target
            least = min(least, float(bound[~open_].min(initial=np.inf)))
            if not open_.any():
                return least, low
            worst = int(np.argmin(np.where(open_, inside, np.inf)))
            if inside[worst] < target or open_.sum() > MANY:
                break
            left, middle, right = left[open_], middle[open_], right[open_]
            left, right = np.append(left, middle), np.append(middle, right)
        return min(least, float(bound[open_].min())), self._weakest(
            bounds, float(left[worst]), float(right[worst]), (low, high)
        )

    def _weakest(
        self,
        bounds: Callable[[Array], Array],
        left: float,
        right: float,
        ends: tuple[float, float],
    ) -> float:
        """The level near a piece at which what the mixtures prove is least."""
        for _ in range(FINER):
            levels = np.linspace(left, right, FINE).clip(*ends)
            at = int(np.argmin(bounds(levels).max(0)))
            step = (right - left) / (FINE - 1)
            left, right = levels[at] - step, levels[at] + step
        return float(levels[at])

    def _bounds(self, cuts: tuple[Cut, Cut], mixed: Array, levels: Array, off: Array) -> Array:
        """Distance that mixtures (3, s) of two cuts prove at levels (s,).

        The first mixture changes with the level, so that between levels its row is off the straight
        line by a square term: `off` (2, s) bounds it in the gap and in the dual norm.
        """
        w, (first, last) = self.search.share, cuts
        rows = np.stack([cut.at - levels[:, None] * cut.slope for cut in cuts])  # (2, s, n)
        limit = np.array([first.limit, last.limit])[:, None]
        short = rows @ w - limit
        short -= ROUNDING * (np.abs(rows) @ w + np.abs(limit)) * w.size
        gap = (1 - mixed) * short[0] + mixed * short[1]
        row = (1 - mixed)[..., None] * rows[0] + mixed[..., None] * rows[1]
        size = self.programs.norm.dual(row, self.programs.family)
        gap[0], size[0] = gap[0] - off[0], size[0] + off[1]
        return np.where(gap > 0, gap / np.maximum(size, 1e-300), 0.0)
