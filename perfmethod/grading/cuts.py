"""What would have to be true for another grade: the cut of every step, seen from every unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.grading.places import Graded, Step, assign
from perfmethod.grading.ranking import pool_codes

__all__ = ["Cuts", "cuts"]


@dataclass(frozen=True)
class Cuts:
    """Totals at the edge of each grade, for one row of units.

    Parameters
    ----------
    last_in : ndarray of float (s, p)
        Lowest total among the units that hold the step, by pool; NaN where nobody does.
    first_out : ndarray of float (s, p)
        Highest total among the units graded lower that no veto keeps out; NaN where there is none.
    cut : ndarray of float (s, u)
        Total above which the unit would hold the step or a better one, everything else unchanged.
        -inf: it holds it whatever its total; NaN: no total would give it (a veto, or no place).
    margin : ndarray of float (s, u)
        The unit's total less its cut: positive is what it can lose, negative what it lacks, and 0
        that a tie at the cut decided.
    graded : Graded
        The grades themselves.
    """

    last_in: NDArray[np.float64]
    first_out: NDArray[np.float64]
    cut: NDArray[np.float64]
    margin: NDArray[np.float64]
    graded: Graded

    def __post_init__(self) -> None:
        for values in (self.last_in, self.first_out, self.cut, self.margin):
            values.setflags(write=False)


def cuts(
    totals: ArrayLike,
    pools: ArrayLike,
    steps: Sequence[Step],
    *,
    keys: Sequence[ArrayLike] = (),
    ceiling: ArrayLike | None = None,
    edge_tie: str = "none_in",
    vetoed_place: str = "next",
) -> Cuts:
    """Find the cut of every step and each unit's distance from it.

    A unit's own cut is found by grading again with the unit just above each total that could
    matter (those of its pool, and the least totals), so it agrees with `assign` whatever the
    vetoes and ties are.

    Parameters
    ----------
    totals, pools, steps, keys, ceiling, edge_tie, vetoed_place
        As for `assign`, for one evaluation: no draws axis.

    Returns
    -------
    Cuts
        Edges by step and pool, cuts and margins by step and unit.

    Raises
    ------
    ValueError
        As for `assign`; also if an argument has a draws axis.

    Examples
    --------
    >>> found = cuts([90, 85, 70, 50], [0, 0, 0, 0], [Step(places=[1]), Step(least=60), Step()])
    >>> found.last_in.tolist(), found.first_out.tolist()
    ([[90.0], [70.0], [50.0]], [[85.0], [50.0], [nan]])
    >>> found.margin
    array([[  5.,  -5., -20., -40.],
           [ 30.,  25.,  10., -10.],
           [ inf,  inf,  inf,  inf]])
    """
    words = {"edge_tie": edge_tie, "vetoed_place": vetoed_place}
    graded = assign(totals, pools, steps, keys=keys, ceiling=ceiling, **words)
    if graded.codes.ndim != 1:
        raise ValueError(f"the grades have shape {graded.codes.shape}; one row of units is needed")
    row, u = np.asarray(totals, float), graded.codes.size
    codes = pool_codes(pools, u)
    tops = np.zeros(u, int) if ceiling is None else np.broadcast_to(np.asarray(ceiling), u)
    signals = [np.broadcast_to(np.asarray(key, float), u) for key in keys]
    cut = np.full((len(steps), u), np.nan)
    for pool in np.unique(codes):
        mine = codes == pool
        own = [
            s if s.places is None else s._replace(places=np.asarray(s.places)[[pool]])
            for s in steps
        ]
        own_keys = [key[mine] for key in signals]
        cut[:, mine] = _pool_cut(row[mine], own, own_keys, tops[mine], words)
    return Cuts(*_edges(row, codes, tops, graded), cut, row - cut, graded)


def _pool_cut(
    row: NDArray[np.float64],
    steps: Sequence[Step],
    keys: Sequence[NDArray[np.float64]],
    tops: NDArray[np.int64],
    words: dict[str, str],
) -> NDArray[np.float64]:
    """Cut (s, m) of each of a pool's m units."""
    m, leasts = row.size, [np.asarray(s.least, float).item() for s in steps if s.least is not None]
    tried = np.unique([-np.inf, *row, *leasts])
    trials = np.tile(row, (tried.size, m, 1))  # (c, m, m): unit j moved just above value i
    trials[:, np.arange(m), np.arange(m)] = np.nextafter(tried, np.inf)[:, None]
    graded = assign(trials, np.zeros(m, int), steps, keys=keys, ceiling=tops, **words)
    reached = np.diagonal(graded.codes, axis1=-2, axis2=-1)  # (c, m) grade of the moved unit
    held = reached <= np.arange(len(steps))[:, None, None]
    lowest = tried[np.argmax(held, axis=1)]
    return np.where(held.any(axis=1), lowest, np.nan)


def _edges(
    row: NDArray[np.float64], codes: NDArray[np.int64], tops: NDArray[np.int64], graded: Graded
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Last in and first out (s, p)."""
    last_in = np.full(graded.unfilled.shape, np.nan)
    first_out = last_in.copy()
    for s, p in np.ndindex(*last_in.shape):
        holders = row[(codes == p) & (graded.codes == s)]
        below = row[(codes == p) & (graded.codes > s) & (tops <= s)]
        last_in[s, p] = holders.min() if holders.size else np.nan
        first_out[s, p] = below.max() if below.size else np.nan
    return last_in, first_out
