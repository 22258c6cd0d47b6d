"""The best and the worst rank that a unit can reach within a set of weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod.robustness.crossing import nearest_meeting
from perfmethod.robustness.polytope import Polytope, extent
from perfmethod.robustness.ratios import Ratios

__all__ = ["Reach", "fewest_above", "most_above"]

Array = NDArray[np.float64]

MARGIN = 1e-6  # points by which a unit has to be above another to count as above it
TIED = 1e-7  # points, or what a solver leaves of a constraint


class Reach(NamedTuple):
    """How many of some units stand above one, at best or at worst.

    Parameters
    ----------
    number : int
    share : ndarray (n,) or None
        Weights at which it is so; None where no weights satisfy the constraints.
    """

    number: int
    share: Array | None


def fewest_above(totals: Ratios, unit: int, others: Sequence[int], polytope: Polytope) -> Reach:
    """Find weights at which as few others as possible are above a unit.

    Others that are above it, or not, whatever the weights are counted first. For the rest, one
    binary variable each says that it may be above, and linear constraints (with the smallest
    constant that frees them) hold the others down: one mixed-integer program. Where denominators
    differ, sets of others that can be held down together are grown one by one instead, each tried
    by `nearest_meeting`, until no larger one is left.

    Parameters
    ----------
    totals : Ratios
        One ratio per unit at most.
    unit : int
    others : sequence of int
    polytope : Polytope

    Returns
    -------
    Reach

    References
    ----------
    Kadzinski, Greco & Slowinski, "Extreme ranking analysis in robust ordinal regression", *Omega*
    40 (2012), 488-501.

    Examples
    --------
    >>> r = Ratios.of([[60.0, 60.0], [90.0, 0.0], [0.0, 90.0], [80.0, 30.0]])
    >>> fewest_above(r, 0, [1, 2, 3], Polytope.of(2)).number
    0
    >>> most_above(r, 0, [1, 2, 3], Polytope.of(2)).number
    2
    """
    return _search(totals, unit, others, polytope, 1.0)


def most_above(totals: Ratios, unit: int, others: Sequence[int], polytope: Polytope) -> Reach:
    """Find weights at which as many others as possible are above a unit; see `fewest_above`.

    An other counts as above from a millionth of a point.
    """
    found = _search(totals, unit, others, polytope, -1.0)
    return Reach(len(others) - found.number, found.share)


def _search(
    totals: Ratios, unit: int, others: Sequence[int], polytope: Polytope, side: float
) -> Reach:
    """Fewest others that fail: that stand above the unit (side 1) or do not (side -1)."""
    start = polytope.some_point()
    if start is None:
        return Reach(len(others), None)
    lines = {o: totals.difference(o, unit) for o in others}
    linear = [line for line in lines.values() if line is not None]
    mixed = [o for o, line in lines.items() if line is None]
    if mixed:
        return _Growth(totals, unit, list(others), polytope, side, start).run()
    margin = 0.0 if side > 0 else MARGIN
    rows = np.array([side * line + margin * den for line, den in linear])
    rows = rows.reshape(len(linear), start.size)
    least, most = extent(polytope, rows) if len(rows) else (np.zeros(0), np.zeros(0))
    sure, open_ = least > TIED, (most > TIED) & (least <= TIED)
    failing, share = _milp(polytope, rows[open_], most[open_], start)
    return Reach(int(sure.sum()) + failing, share)


class _Growth:
    """Search for the largest set of others that can be on the wanted side together."""

    def __init__(
        self,
        totals: Ratios,
        unit: int,
        others: list[int],
        polytope: Polytope,
        side: float,
        start: Array,
    ) -> None:
        self.totals, self.unit, self.others = totals, unit, others
        self.polytope, self.side, self.start = polytope, side, start
        self.best, self.share = -1, start

    def run(self) -> Reach:
        alone = {o: self._together((o,)) for o in self.others}
        able = [o for o in self.others if alone[o] is not None]
        stack: list[tuple[tuple[int, ...], list[int], Array]] = [((), able, self.start)]
        for point in (self.start, *alone.values()):
            self._note(point)
        while stack:
            taken, left, w = stack.pop()
            if len(taken) + len(left) <= self.best:
                continue
            failing = [o for o in left if not self._holds(w, o)]
            if not failing:
                continue  # all hold at weights that were noted
            first = min(failing, key=lambda o: (self._gap(w, o), o))
            rest = [o for o in left if o != first]
            stack.append((taken, rest, w))
            point = self._together((*taken, first))
            self._note(point)
            if point is not None:
                stack.append(((*taken, first), rest, point))
        return Reach(len(self.others) - self.best, self.share)

    def _together(self, chosen: tuple[int, ...]) -> Array | None:
        """Weights at which all the chosen are on the wanted side."""
        above, below = ([self.unit], chosen) if self.side > 0 else (chosen, [self.unit])
        margin = 0.0 if self.side > 0 else MARGIN
        return nearest_meeting(self.totals, self.start, above, below, self.polytope, "l2",
                               margin=margin, first=True).share  # fmt: skip

    def _gap(self, w: Array, other: int) -> float:
        with np.errstate(invalid="ignore"):
            now = self.totals.at(w)  # undefined for a unit whose weights are all zero
        return float(np.nan_to_num(self.side * (now[other] - now[self.unit]), nan=np.inf))

    def _holds(self, w: Array, other: int) -> bool:
        return self._gap(w, other) <= (TIED if self.side > 0 else -MARGIN / 2)

    def _note(self, w: Array | None) -> None:
        """Keep the weights at which most others are on the wanted side."""
        if w is None:
            return
        held = sum(self._holds(w, o) for o in self.others)
        if held > self.best:
            self.best, self.share = held, w


def _milp(polytope: Polytope, rows: Array, most: Array, start: Array) -> tuple[int, Array]:
    """Fewest rows above zero: ``rows @ w <= most * z`` with z binary."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    m, n = rows.shape
    if not m:
        return 0, start
    scale = most[:, None]
    blocks = [
        LinearConstraint(np.hstack([rows / scale, -np.eye(m)]), -np.inf, 0.0),
        LinearConstraint(np.hstack([polytope.sums, np.zeros((len(polytope.sums), m))]), 1.0, 1.0),
    ]
    if len(polytope.rows.limit):
        pad = np.zeros((len(polytope.rows.limit), m))
        blocks.append(LinearConstraint(np.hstack([polytope.rows.matrix, pad]), -np.inf,
                                       polytope.rows.limit))  # fmt: skip
    bounds: Any = Bounds(
        np.append(polytope.lower, np.zeros(m)), np.append(polytope.upper, np.ones(m))
    )
    found = milp(np.append(np.zeros(n), np.ones(m)), constraints=blocks, bounds=bounds,
                 integrality=np.append(np.zeros(n), np.ones(m)))  # fmt: skip
    if found.x is None:
        raise ArithmeticError(f"the integer program was not solved: {found.message}")
    return round(float(found.x[n:].sum())), np.asarray(found.x[:n])
