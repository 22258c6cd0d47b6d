"""Grades by quota and threshold: the best take the places of their pool, step after step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import suggest
from perfmethod.grading.ranking import blocks, pool_codes, rank

__all__ = ["EDGE_TIES", "VETOED_PLACES", "Graded", "Step", "assign"]

EDGE_TIES = ("none_in", "all_in")
VETOED_PLACES = ("next", "unfilled")


class Step(NamedTuple):
    """One grade: how many may hold it and what total it takes.

    Parameters
    ----------
    places : array_like of int (..., p) or None, default None
        Places of each pool; None: as many as qualify.
    least : float, array_like (...) or None, default None
        Least total; None: any.
    """

    places: ArrayLike | None = None
    least: ArrayLike | None = None


@dataclass(frozen=True)
class Graded:
    """Grades of units, and what the rules left open.

    Parameters
    ----------
    codes : ndarray of int8 (..., u)
        Step of each unit, 0 the best.
    edge_tied : ndarray of bool (..., u)
        Units tied, after all keys, for places too few for all of them.
    unfilled : ndarray of int (..., s, p)
        Places of each step and pool that nobody holds; negative where a tie was let in over the
        quota; 0 in a step without places.
    forfeited : ndarray of int8 (..., u)
        Step whose place the unit used up without holding it, because of its ceiling; -1 for none.
    """

    codes: NDArray[np.int8]
    edge_tied: NDArray[np.bool_]
    unfilled: NDArray[np.int64]
    forfeited: NDArray[np.int8]

    def __post_init__(self) -> None:
        for values in (self.codes, self.edge_tied, self.unfilled, self.forfeited):
            values.setflags(write=False)


def assign(
    totals: ArrayLike,
    pools: ArrayLike,
    steps: Sequence[Step],
    *,
    keys: Sequence[ArrayLike] = (),
    ceiling: ArrayLike | None = None,
    edge_tie: str = "none_in",
    vetoed_place: str = "next",
) -> Graded:
    """Grade units: in each step the best that are left fill the places of their pool.

    Parameters
    ----------
    totals : array_like (..., u)
        Totals, unrounded, none missing.
    pools : array_like of int (u,)
        Pool of each unit, codes from 0.
    steps : sequence of Step (s,)
        Grades, best first. One without places takes every unit left that qualifies; the last one
        takes all that are left and has neither places nor a least total.
    keys : sequence of array_like (..., u), default ()
        What units with equal totals are compared on, as in `rank`.
    ceiling : array_like of int (..., u), optional
        Best step each unit may hold (a veto); 0 is no limit.
    edge_tie : {"none_in", "all_in"}, default "none_in"
        Units still tied for too few places: none of them gets the grade and the places stay
        unfilled, or all get it and the quota is exceeded.
    vetoed_place : {"next", "unfilled"}, default "next"
        A place that a unit is good enough for but may not hold goes to the next unit, or stays
        unfilled. A unit uses up one such place at most, in the best step it would have reached.

    Returns
    -------
    Graded
        Arrays whose leading axes are those of all arguments, broadcast.

    Raises
    ------
    ValueError
        If a total or least total is NaN, places are negative or not whole, shapes do not fit, a
        ceiling is no step, the last step is limited, or a word is not known.

    Notes
    -----
    A higher total never worsens a unit's grade, with one exception: where two steps have places
    and ``edge_tie="none_in"``, a unit that rises exactly into a tie can be kept out with the tie
    in both. `edge_tied` marks it.

    Examples
    --------
    Two pools with one excellent place each; unit 1 is barred from it by a veto:

    >>> steps = [Step(places=[1, 1]), Step(least=60), Step()]
    >>> assign([90, 95, 85, 70, 50], [0, 0, 0, 1, 1], steps, ceiling=[0, 1, 0, 0, 0]).codes
    array([0, 1, 1, 0, 2], dtype=int8)

    A tie at the edge is shown, not broken:

    >>> graded = assign([90, 90, 85], [0, 0, 0], [Step(places=[1]), Step()])
    >>> graded.codes.tolist(), graded.edge_tied.tolist(), graded.unfilled.tolist()
    ([1, 1, 1], [True, True, False], [[1], [0]])
    """
    check_words(edge_tie=edge_tie, vetoed_place=vetoed_place)
    ranks = rank(totals, keys)
    u = ranks.shape[-1]
    codes = pool_codes(pools, u)
    limits = [_limit(step, i, len(steps)) for i, step in enumerate(steps)]
    tops = _ceiling(ceiling, len(steps))
    leads = [np.shape(places)[:-1] for places, _ in limits if places is not None]
    leads += [np.shape(least) for _, least in limits if least is not None]
    lead = np.broadcast_shapes(ranks.shape[:-1], tops.shape[:-1], *leads)
    sheet = _Field.of(np.asarray(totals, float), ranks, tops, codes, _pools(limits, codes), lead)
    return sheet.grade(limits, all_in=edge_tie == "all_in", burn=vetoed_place == "unfilled")


Limit = tuple[NDArray[np.int64] | None, NDArray[np.float64] | None]


@dataclass
class _Field:
    """Units sorted by pool and rank, so that every pool and every tie is one run of places."""

    order: NDArray[np.intp]  # (..., u)
    start: NDArray[np.int64]  # (..., u) first place of the unit's tie
    end: NDArray[np.int64]  # (..., u) last place of the unit's tie
    totals: NDArray[np.float64]  # (..., u)
    tops: NDArray[np.int64]  # (..., u) ceilings
    pool: NDArray[np.int64]  # (u,) pool of each place, the same in every draw
    bounds: NDArray[np.int64]  # (p + 1,) first place of each pool, and u

    @classmethod
    def of(
        cls,
        totals: NDArray[np.float64],
        ranks: NDArray[np.int64],
        tops: NDArray[np.int64],
        codes: NDArray[np.int64],
        p: int,
        lead: tuple[int, ...],
    ) -> _Field:
        u = len(codes)
        order, start, end = blocks(codes * (u + 1) + ranks)
        order, start, end = (np.broadcast_to(x, (*lead, u)) for x in (order, start, end))
        height = np.take_along_axis(np.broadcast_to(totals, (*lead, u)), order, -1)
        top = np.take_along_axis(np.broadcast_to(tops, (*lead, u)), order, -1)
        bounds = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=p))])
        return cls(order, start, end, height, top, np.sort(codes), bounds)

    def grade(self, limits: Sequence[Limit], *, all_in: bool, burn: bool) -> Graded:
        """Fill step after step from the units that are left."""
        shape, lead = self.order.shape, self.order.shape[:-1]
        codes = np.full(shape, len(limits) - 1, np.int8)
        forfeited = np.full(shape, -1, np.int8)
        edge_tied, free = np.zeros(shape, bool), np.ones(shape, bool)
        unfilled = np.zeros((*lead, len(limits), len(self.bounds) - 1), np.int64)
        for i, (places, least) in enumerate(limits[:-1]):
            allowed = self.tops <= i
            wanted = free if least is None else free & (self.totals >= least[..., None])
            if places is None:
                taken = wanted & allowed
            else:
                wanted = wanted & (allowed | (forfeited < 0)) if burn else wanted & allowed
                inside, edge = self._inside(wanted, places)
                edge_tied |= edge
                inside = inside | edge if all_in else inside
                taken = inside & allowed
                forfeited[inside & ~allowed] = i
                unfilled[..., i, :] = places - self._count(taken)
            codes[taken] = i
            free &= ~taken
        return Graded(self._back(codes), self._back(edge_tied), unfilled, self._back(forfeited))

    def _inside(
        self, wanted: NDArray[np.bool_], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which units surely have a place in their pool, and which tie for too few of them."""
        upto: NDArray[np.int64] = np.cumsum(wanted, axis=-1)
        before: NDArray[np.int64] = upto - wanted
        ahead = before[..., self.bounds[self.pool]]  # wanted units of the pools sorted earlier
        better = np.take_along_axis(before, self.start, -1) - ahead
        counted = np.take_along_axis(upto, self.end, -1) - ahead
        room = places[..., self.pool]
        return wanted & (counted <= room), wanted & (better < room) & (counted > room)

    def _count(self, taken: NDArray[np.bool_]) -> NDArray[np.int64]:
        sums = np.zeros((*taken.shape[:-1], taken.shape[-1] + 1), np.int64)
        np.cumsum(taken, axis=-1, out=sums[..., 1:])
        return sums[..., self.bounds[1:]] - sums[..., self.bounds[:-1]]

    def _back(self, values: NDArray) -> NDArray:
        out = np.empty_like(values)
        np.put_along_axis(out, self.order, values, axis=-1)
        return out


def check_words(**words: str) -> None:
    """Refuse a word that is not among those of its option."""
    known = {"edge_tie": EDGE_TIES, "vetoed_place": VETOED_PLACES}
    for option, word in words.items():
        if word not in known[option]:
            raise ValueError(f"{option} {word!r} is not known; {suggest(word, known[option])}")


def _limit(step: Step, i: int, n: int) -> Limit:
    places = None if step.places is None else _whole(step.places, i)
    least = None if step.least is None else np.asarray(step.least, float)
    if least is not None and np.isnan(least).any():
        raise ValueError(f"the least total of step {i} is NaN")
    if i == n - 1 and not (places is None and least is None):
        raise ValueError(f"step {i} is the last; it takes all units left, without places or least")
    return places, least


def _whole(places: ArrayLike, i: int) -> NDArray[np.int64]:
    values = np.asarray(places)
    if values.ndim == 0:
        raise ValueError(
            f"places of step {i} are one number, {values}; one for each pool is needed"
        )
    if values.dtype.kind not in "iu" or (values < 0).any():
        raise ValueError(
            f"places of step {i} are {values.tolist()}; whole numbers from 0 are needed"
        )
    return values.astype(np.int64)


def _ceiling(ceiling: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if n == 0 or n > np.iinfo(np.int8).max:
        raise ValueError(f"{n} steps; from 1 to {np.iinfo(np.int8).max} are allowed")
    values = np.zeros(1, np.int64) if ceiling is None else np.asarray(ceiling)
    if values.dtype.kind not in "iu" or (values < 0).any() or (values >= n).any():
        raise ValueError(
            f"ceilings are {np.unique(values).tolist()}; steps 0 to {n - 1} are allowed"
        )
    return values.astype(np.int64)


def _pools(limits: Sequence[Limit], codes: NDArray[np.int64]) -> int:
    """Number of pools: what the places say, else what the units say."""
    used = int(codes.max(initial=-1)) + 1
    given = {places.shape[-1] for places, _ in limits if places is not None}
    if len(given) > 1 or (given and min(given) < used):
        raise ValueError(f"places are given for {sorted(given)} pools; the units have {used}")
    return given.pop() if given else used
