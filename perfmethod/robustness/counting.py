"""The nearest weights at which enough of a unit's rivals stand above it, or below."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.robustness.crossing import Meeting, flip_bounds, nearest_meeting
from perfmethod.robustness.polytope import Polytope
from perfmethod.robustness.ratios import Ratios

__all__ = ["nearest_count", "nearest_of_pairs"]

Array = NDArray[np.float64]

PROGRAMS = 10_000  # solved before the search is given up, with the bound that it has proven


def nearest_of_pairs(
    totals: Ratios,
    share: ArrayLike,
    pairs: Sequence[tuple[int, int]],
    polytope: Polytope,
    norm: str = "l1",
    *,
    gap: float = 1e-9,
) -> tuple[Meeting, tuple[int, int] | None]:
    """Find the nearest weights at which any one of some pairs meets.

    Pairs are solved in the order of their closed-form bounds (`flip_bounds`), and the search stops
    at the first bound that is no nearer than what was found: mostly after a single program.

    Parameters
    ----------
    totals, share, polytope, norm, gap
        As for `nearest_meeting`.
    pairs : sequence of (int, int)
        The unit above, the unit below.

    Returns
    -------
    Meeting, pair or None

    Examples
    --------
    >>> r = Ratios.of([[90.0, 60.0], [70.0, 75.0], [40.0, 80.0]])
    >>> found, pair = nearest_of_pairs(r, [0.5, 0.5], [(0, 1), (0, 2)], Polytope.of(2))
    >>> round(found.distance, 6), pair
    (0.142857, (0, 1))
    """
    best, which, solves = Meeting(np.inf, np.inf, None, 0), None, 0
    if not pairs:
        return best, None
    bounds = flip_bounds(totals, share, pairs, norm, polytope.family)
    lower = np.inf
    for p in np.argsort(bounds, kind="stable"):
        if bounds[p] >= best.distance:
            lower = min(lower, float(bounds[p]))
            break
        if not np.isfinite(bounds[p]):
            break
        high, low = pairs[p]
        found = nearest_meeting(
            totals, share, [low], [high], polytope, norm, cutoff=best.distance, gap=gap
        )
        solves, lower = solves + found.solves, min(lower, found.lower)
        if found.distance < best.distance:
            best, which = found, (high, low)
    return best._replace(lower=min(lower, best.distance), solves=solves), which


def nearest_count(
    totals: Ratios,
    share: ArrayLike,
    unit: int,
    others: Sequence[int],
    need: int,
    polytope: Polytope,
    norm: str = "l1",
    *,
    rise: bool = False,
    also: Sequence[int] = (),
    margin: float = 0.0,
    gap: float = 1e-9,
) -> tuple[Meeting, tuple[int, ...]]:
    """Find the nearest weights at which at least `need` of the others are above a unit.

    Branch and bound over the sets of others: the weights nearest for the others taken so far are a
    bound; where they do not bring enough of them, one more is either taken or left out for good.

    Parameters
    ----------
    totals, share, polytope, norm, margin, gap
        As for `nearest_meeting`.
    unit : int
    others : sequence of int
    need : int
    rise : bool
        Look for others *below* the unit instead.
    also : sequence of int
        Units (a threshold) that have to be above, or below, in any case.

    Returns
    -------
    Meeting, tuple of int
        And the others taken.

    Examples
    --------
    >>> r = Ratios.of([[90.0, 60.0], [70.0, 75.0], [40.0, 80.0]])
    >>> found, taken = nearest_count(r, [0.5, 0.5], 0, [1, 2], 2, Polytope.of(2))
    >>> round(found.distance, 6), taken
    (0.428571, (1, 2))
    """
    number, solves, unsure = count(), 0, np.inf
    heap: list[tuple[float, int, Meeting, tuple[int, ...], frozenset[int]]] = []

    def push(taken: tuple[int, ...], out: frozenset[int]) -> None:
        nonlocal solves, unsure
        sides = ([unit], [*also, *taken]) if rise else ([*also, *taken], [unit])
        if not sides[0] or not sides[1]:
            found = Meeting(0.0, 0.0, np.asarray(share, float), 0)
        else:
            found = nearest_meeting(totals, share, *sides, polytope, norm, margin=margin, gap=gap)
        solves += found.solves
        if np.isfinite(found.distance):
            heapq.heappush(heap, (found.lower, next(number), found, taken, out))
        else:  # infinite, too, where it is proven that no weights do it
            unsure = min(unsure, found.lower)

    if need <= len(others):
        push((), frozenset())
    while heap and solves < PROGRAMS:
        lower, _, found, taken, out = heapq.heappop(heap)
        left = [o for o in others if o not in out]
        missing = _missing(totals, found.share, unit, left, rise, margin)
        missing = [o for o in missing if o not in taken]
        if len(others) - len(out) - len(missing) >= need:
            return found._replace(lower=min(lower, unsure), solves=solves), taken
        first = missing[0]
        push((*taken, first), out)
        if len(others) - len(out) - 1 >= need:
            push(taken, out | {first})
    return Meeting(np.inf, min(unsure, heap[0][0] if heap else np.inf), None, solves), ()


def _missing(
    totals: Ratios, share: Any, unit: int, others: Iterable[int], rise: bool, margin: float
) -> list[int]:
    """Others that are not yet on the wanted side, the nearest first."""
    with np.errstate(invalid="ignore"):
        now = totals.at(share)  # undefined for a unit whose weights are all zero
    side = -1.0 if rise else 1.0
    short = {o: float(np.nan_to_num(side * (now[unit] - now[o]) + margin, nan=np.inf))
             for o in others}  # fmt: skip
    return [o for o in sorted(short, key=lambda o: (short[o], o)) if short[o] > 1e-7]
