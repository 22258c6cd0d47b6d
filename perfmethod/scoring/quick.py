"""Ranks and grades of many draws: one sort of integers, and the full rules where units tie.

Draws in which two units of a pool have the same total go through `grading`, with the tie keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod import grading
from perfmethod.compiled import ready
from perfmethod.scoring.levels import steps, words
from perfmethod.scoring.ordering import Order, Sorter
from perfmethod.scoring.plan import Plan
from perfmethod.scoring.run import SAME, ClassScores, tie_keys, totals
from perfmethod.scoring.slots import Slots

__all__ = ["Ranked", "ranked"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass
class Ranked:
    """Totals, ranks and grades of a block of draws.

    Parameters
    ----------
    total : ndarray (k, u)
        NaN for a unit without a score.
    grade : ndarray of int8 (k, u) or None
        Position of the grade; -1 in a failed draw.
    failed : ndarray of bool (k,)
        Draws in which some unit has no score.
    order : Order
        Units from the best of each class to its last, in every draw.
    full : ndarray of bool (k,)
        Draws whose ranks the order alone does not tell.
    corrected : ndarray of int16 (f, u)
        Ranks in those draws; 0 in a failed draw.
    """

    total: Array
    grade: NDArray[np.int8] | None
    failed: Bools
    order: Order
    full: Bools
    corrected: NDArray[np.int16]

    @cached_property
    def rank(self) -> NDArray[np.int16]:
        """Rank in the class, (k, u); 0 in a failed draw."""
        rank: NDArray[np.int16] = self.order.back(self.order.places)
        rank[self.full] = self.corrected
        return rank


def ranked(plan: Plan, slots: Slots, size: int) -> Ranked:
    """Score, rank and grade a block of draws.

    Parameters
    ----------
    plan : Plan
    slots : Slots
    size : int
        Draws in the block, k.

    Returns
    -------
    Ranked
        The same as `score` and `grades` give, draw by draw.
    """
    classes, _, _, raw = totals(plan, slots)
    shape = (size, len(plan.units))
    total = raw if raw.shape == shape else np.broadcast_to(raw, shape)
    failed: Bools = np.zeros(size, dtype=bool)
    if np.isnan(total.max()):
        failed |= np.isnan(total).any(-1)
    block = _Totals(plan, classes, np.where(failed[:, None], 0.0, total) if failed.any() else total)
    grade = _grades(block, slots) if "grades" in plan.scheme.document else None
    if failed.any() and grade is not None:
        grade[failed] = -1
    sorter = slots.once("sort classes", False, lambda: Sorter.of(plan.unit_class))
    order = sorter.sort(block.total)
    full = order.tied | failed
    corrected = np.zeros((int(full.sum()), len(plan.units)), dtype=np.int16)
    some = order.tied & ~failed
    if some.any():
        corrected[some[full]] = grading.rank(
            block.compared(some), block.keys(some), by=plan.unit_class
        )
    return Ranked(total, grade, failed, order, full, corrected)


@dataclass
class _Totals:
    """Totals of a block, and what only tied draws need of it."""

    plan: Plan
    classes: tuple[ClassScores, ...]
    total: Array  # (k, u), no NaN
    _keys: tuple[Array, ...] | None = field(default=None)

    def compared(self, some: Bools | slice) -> Array:
        return np.round(self.total[some], SAME)

    def keys(self, some: Bools) -> tuple[Array, ...]:
        if self._keys is None:
            self._keys = tie_keys(self.plan, self.classes, self.total.shape)
        return tuple(key[some] for key in self._keys)


def _grades(block: _Totals, slots: Slots) -> NDArray[np.int8]:
    plan = block.plan
    ladder = slots.once("steps", slots.touches("grades"), lambda: steps(plan, slots))
    sorter = slots.once("sort pools", False, lambda: Sorter.of(plan.pools))
    order = sorter.sort(block.total)
    some = order.tied
    if some.all():
        grade = np.empty(block.total.shape, dtype=np.int8)
    elif (loops := ready()) is not None and order.units.dtype == np.uint16:
        grade = np.empty(block.total.shape, dtype=np.int8)
        loops.fill_places(order.units, sorter.pool, *_limits(block, ladder), grade)
    else:
        grade = order.back(_untied(block, sorter, order, ladder))
    if some.any():
        here = [_some(step, some) for step in ladder]
        grade[some] = grading.assign(
            block.compared(some), plan.pools, here, keys=block.keys(some), **words(plan)
        ).codes
    return grade


def _some(step: grading.Step, some: Bools) -> grading.Step:
    """A step in some of the draws."""
    places, least = (None if x is None else np.asarray(x) for x in step)
    return grading.Step(
        places[some] if places is not None and places.ndim > 1 else places,
        least[some] if least is not None and least.ndim else least,
    )


def _untied(
    block: _Totals, sorter: Sorter, order: Order, ladder: Sequence[grading.Step]
) -> NDArray[np.int8]:
    """Grades by sorted place where no two units of a pool are equal: `grading.assign`, shorter."""
    rule, shape = words(block.plan), order.units.shape
    burn = rule["vetoed_place"] == "unfilled"
    tops = block.plan.ceiling[order.units] if block.plan.ceiling.any() else np.zeros(1, np.intp)
    grade = np.full(shape, len(ladder) - 1, dtype=np.int8)
    free, burnt = np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for i, (places, least) in enumerate(ladder[:-1]):
        allowed = tops <= i
        wanted = free if least is None else free & _reach(block, order, least)
        if places is None:
            taken = wanted & allowed
        else:
            wanted = wanted & (allowed | ~burnt) if burn else wanted & allowed
            inside = _inside(wanted, np.asarray(places), sorter)
            taken = inside & allowed
            burnt |= inside & ~allowed
        grade[taken] = i
        free = free & ~taken
    return grade


def _limits(block: _Totals, ladder: Sequence[grading.Step]) -> tuple[Any, ...]:
    """What `kernels.fill_places` takes of the plan and the steps, all but the last."""
    plan, steps, k = block.plan, ladder[:-1], len(block.total)
    limited = np.array([step.places is not None for step in steps], dtype=bool)
    places = np.zeros((len(steps), 1, int(plan.pools.max()) + 1), np.int64)
    given = [np.atleast_2d(step.places) for step in steps if step.places is not None]
    if given:
        n = max(len(x) for x in given)
        places = np.zeros((len(steps), n, given[0].shape[1]), np.int64)
        for s, x in zip(np.flatnonzero(limited).tolist(), given, strict=True):
            places[s] = x
    reach = np.ones((len(steps), 1, 1), dtype=bool)
    if any(step.least is not None for step in steps):
        reach = np.ones((len(steps), *block.total.shape), dtype=bool)
        compared = block.compared(slice(None))
        for s, step in enumerate(steps):
            if step.least is not None:
                reach[s] = compared >= np.broadcast_to(step.least, k)[:, None]
    burn = words(plan)["vetoed_place"] == "unfilled"
    return np.asarray(plan.ceiling, np.int64), reach, places, limited, burn


def _reach(block: _Totals, order: Order, least: Any) -> Bools:
    totals = np.take_along_axis(block.compared(slice(None)), order.units, -1)
    return totals >= np.asarray(least)[..., None]


def _inside(wanted: Bools, places: NDArray[Any], sorter: Sorter) -> Bools:
    """Which wanted units are among the first of their pool, as many as it has places."""
    count = np.zeros((wanted.shape[0], wanted.shape[1] + 1), dtype=np.int32)
    np.cumsum(wanted, axis=-1, out=count[:, 1:])
    ahead = count[:, sorter.start]  # wanted units of the pools before
    return wanted & (count[:, 1:] - ahead <= places[..., sorter.pool])
