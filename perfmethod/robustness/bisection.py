"""The first change of a result along lines on which every total moves one way only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.robustness.walks import Walk, drawn
from perfmethod.scoring import simulate

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["EDGE", "WIDTH", "Watch", "first_changes"]

Array = NDArray[np.float64]

EDGE = 1e-9  # share left to a weight or to its siblings at the ends of the line
WIDTH = 1e-10  # of a stretch in which two totals meet
PARTS, ROUNDS = 8, 3000
TIED = 1e-9  # points: totals nearer than this are tied to scoring


class Watch(NamedTuple):
    """What is kept: the pairs and thresholds that decide it, and how it is read off a draw."""

    units: tuple[str, ...]
    kept: str
    pairs: NDArray[np.intp]  # (p, 2)
    singles: NDArray[np.intp]
    least: float
    state: Any  # Simulation -> array (k, ...)


class _Point(NamedTuple):
    """A share, the totals there (the least one behind them) and the result."""

    x: float
    totals: Array
    state: Any


class _Side:
    """A line from the nominal share to one end, its stretches in reverse order."""

    def __init__(self, walk: Walk, end: float, pairs: Array) -> None:
        self.walk, self.end, self.pairs = walk, end, pairs
        self.todo: list[tuple[_Point, _Point]] = []
        self.found: tuple[float, str] | None = None

    def cuts(self) -> Array:
        """Shares at which the nearest stretch is cut."""
        near, far = self.todo[-1]
        return np.linspace(near.x, far.x, PARTS + 1)[1:-1]

    def take(self, inner: list[_Point], nominal: Any, label: Any) -> None:
        """Go outward over the pieces until one has to be cut again, or the result has changed."""
        near, far = self.todo.pop()
        pieces = list(pairwise([near, *inner, far]))
        while pieces or self.todo:
            a, b = pieces.pop(0) if pieces else self.todo.pop()
            meeting = self.pairs[_may_meet(a.totals, b.totals, self.pairs)]
            if not len(meeting):
                continue
            if abs(b.x - a.x) > WIDTH:
                self.todo += [*reversed(pieces), (a, b)]
                return
            if (b.state != nominal).any():
                self.found = ((a.x + b.x) / 2, label(_turned(a, b, meeting)))
                return
        self.found = (self.end, "")


def first_changes(
    evaluation: Evaluation, walks: Sequence[Walk], watch: Watch
) -> list[tuple[float, str]]:
    """Find where the result first changes downward and upward of each nominal share.

    While one number grows every total only grows or only falls, so that between two shares it
    stays between its values there. A stretch in which no two totals that matter can meet by these
    bounds keeps the result; others are cut, the nearest first, down to a width of 1e-10 of the
    family. So up to the end that is found the result is proven to hold, except within 1e-10 of
    meetings that scoring on the far side showed to change nothing; the end is exact to 1e-10.

    Parameters
    ----------
    evaluation : Evaluation
    walks : sequence of Walk
    watch : Watch

    Returns
    -------
    list of (float, str)
        Two for each walk, as `stability` takes them: the share, and who meets whom.
    """
    return _Bisection(evaluation, watch).run(walks)


class _Bisection:
    def __init__(self, evaluation: Evaluation, watch: Watch) -> None:
        self.evaluation, self.watch = evaluation, watch
        self.units = [*watch.units, f"{watch.least:g}"]
        single = np.stack([watch.singles, np.full(watch.singles.size, len(self.units) - 1)], -1)
        self.pairs = np.concatenate([watch.pairs, single])

    def run(self, walks: Sequence[Walk]) -> list[tuple[float, str]]:
        sides = [side for walk in walks for side in self._sides(walk)]
        nominal = self._scored([(walk, np.array([walk.start])) for walk in walks])
        asked = [(s, np.array([s.end + (EDGE if s.end == 0 else -EDGE)])) for s in sides]
        far = self._scored([(s.walk, x) for s, x in asked])
        for i, side in enumerate(sides):
            near, last = nominal[i // 2][0], far[i][0]
            side.todo = [(near, last)]
            if side.walk.share.size < 2 or abs(side.end - side.walk.start) <= EDGE:
                side.found = (side.end, "")
        for _ in range(ROUNDS):
            live = [side for side in sides if side.found is None]
            if not live:
                return [side.found for side in sides if side.found is not None]
            points = self._scored([(side.walk, side.cuts()) for side in live])
            for side, inner in zip(live, points, strict=True):
                side.take(inner, nominal[0][0].state, self._label)
        raise ArithmeticError(
            f"totals lie too near each other to be told apart: {live[0].walk.path} at "
            f"{live[0].todo[-1][0].x:.9g}"
        )

    def _sides(self, walk: Walk) -> tuple[_Side, _Side]:
        """The two sides of a line; pairs with the same total everywhere never change places."""
        at = np.linspace(EDGE, 1 - EDGE, 2 * PARTS) if walk.share.size > 1 else np.array([1.0])
        totals = np.stack([point.totals for point in self._scored([(walk, at)])[0]])
        apart = np.abs(totals[:, self.pairs[:, 0]] - totals[:, self.pairs[:, 1]]).max(0) > TIED
        return _Side(walk, 0.0, self.pairs[apart]), _Side(walk, 1.0, self.pairs[apart])

    def _scored(self, asked: Sequence[tuple[Walk, Array]]) -> list[list[_Point]]:
        """Score all shares asked for at once."""
        size = [x.size for _, x in asked]
        starts = np.cumsum([0, *size])
        made = simulate(self.evaluation.year, drawn(self.evaluation, asked))
        least = np.full((len(made.total), 1), self.watch.least)
        totals, state = np.hstack([made.total, least]), self.watch.state(made)
        return [
            [_Point(float(v), totals[start + j], state[start + j]) for j, v in enumerate(x)]
            for (_, x), start in zip(asked, starts, strict=False)
        ]

    def _label(self, pair: Array) -> str:
        return f"{self.units[pair[0]]} = {self.units[pair[1]]}"


def _may_meet(a: Array, b: Array, pairs: Array) -> NDArray[np.bool_]:
    """Pairs whose totals overlap between two points, each lying between its values there."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    i, j = pairs.T
    return np.asarray((low[i] - high[j] <= TIED) & (low[j] - high[i] <= TIED))


def _turned(a: _Point, b: _Point, pairs: Array) -> Array:
    """The pair, of those that may meet, whose order turned round; the first if none did clearly."""
    before, after = (p.totals[pairs[:, 0]] - p.totals[pairs[:, 1]] for p in (a, b))
    return np.asarray(pairs[np.argmin(before * after)])
