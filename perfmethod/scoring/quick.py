"""Ranks and grades of many draws: one sort of integers, and the full rules where units tie.

A total is compared to `SAME` decimals, so it is a whole number of billionths; together with the
unit's pool and position it fits one 64-bit integer, and sorting these integers ranks every draw.
Draws in which two units of a pool have the same total go through `grading`, with the tie keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod import grading
from perfmethod.scoring.levels import steps, words
from perfmethod.scoring.plan import Plan
from perfmethod.scoring.run import SAME, ClassScores, tie_keys, totals
from perfmethod.scoring.slots import Slots

__all__ = ["Order", "Ranked", "ranked"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNIT = 10.0**SAME  # totals are compared in these parts of a point


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
    total = np.broadcast_to(raw, (size, len(plan.units)))
    failed: Bools = np.zeros(size, dtype=bool)
    missing = np.isnan(total)
    if missing.any():
        failed |= missing.any(-1)
    block = _Totals(plan, classes, np.where(failed[:, None], 0.0, total) if failed.any() else total)
    grade = _grades(block, slots) if "grades" in plan.scheme.document else None
    if failed.any() and grade is not None:
        grade[failed] = -1
    sorter = slots.once("sort classes", False, lambda: _Sorter.of(plan.unit_class))
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


class _Sorter(NamedTuple):
    """How a key is packed: pool, then total downward, then the unit's position."""

    low: Ints  # (u,) what stands in a unit's key besides its total
    bits: int  # of the position
    room: float  # totals must be smaller than this
    pool: Ints  # (u,) pool of a sorted place
    start: Ints  # (u,) sorted place at which that pool begins

    @classmethod
    def of(cls, codes: NDArray[Any]) -> _Sorter:
        u = len(codes)
        bits = (u - 1).bit_length()
        span = 62 - bits - int(codes.max()).bit_length()
        low = (((codes.astype(np.int64) << (span + 1)) + (1 << span)) << bits) + np.arange(u)
        sizes = np.bincount(codes)
        pool = np.sort(codes).astype(np.int64)
        return cls(low, bits, 2.0**span / UNIT, pool, (np.cumsum(sizes) - sizes)[pool])

    def sort(self, total: Array) -> Order:
        """Sort the units of every draw; totals too large for the key count as tied."""
        places = (np.arange(1, len(self.pool) + 1) - self.start).astype(np.int16)
        if not (total.max() < self.room and total.min() > -self.room):
            everyone = np.broadcast_to(np.argsort(self.low), total.shape)
            return Order(everyone, places, np.ones(len(total), dtype=bool))
        parts = total * -UNIT
        np.rint(parts, out=parts)
        key = parts.astype(np.int64)
        key <<= self.bits
        key += self.low
        key.sort(axis=-1)
        equal = (key[:, 1:] ^ key[:, :-1]) < (1 << self.bits)
        tied = np.zeros(len(key), dtype=bool)
        if equal.any():
            tied |= equal.any(-1)
        key &= (1 << self.bits) - 1
        return Order(key, places, tied)


class Order(NamedTuple):
    """Units sorted in every draw, and the draws that need the full rules."""

    units: Ints  # (k, u) unit at each sorted place
    places: NDArray[np.int16]  # (u,) place in its pool, from 1, of each sorted place
    tied: Bools  # (k,)

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values (k, u) or (u,) by sorted place as values by unit, (k, u)."""
        k, u = self.units.shape
        out = np.empty((k, u), dtype=values.dtype)
        out.reshape(-1)[self.units + np.arange(0, k * u, u)[:, None]] = values
        return out


def _grades(block: _Totals, slots: Slots) -> NDArray[np.int8]:
    plan = block.plan
    ladder = slots.once("steps", slots.touches("grades"), lambda: steps(plan, slots))
    sorter = slots.once("sort pools", False, lambda: _Sorter.of(plan.pools))
    order = sorter.sort(block.total)
    some = order.tied
    if some.all():
        grade = np.empty(block.total.shape, dtype=np.int8)
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
    block: _Totals, sorter: _Sorter, order: Order, ladder: Sequence[grading.Step]
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


def _reach(block: _Totals, order: Order, least: Any) -> Bools:
    totals = np.take_along_axis(block.compared(slice(None)), order.units, -1)
    return totals >= np.asarray(least)[..., None]


def _inside(wanted: Bools, places: NDArray[Any], sorter: _Sorter) -> Bools:
    """Which wanted units are among the first of their pool, as many as it has places."""
    count = np.zeros((wanted.shape[0], wanted.shape[1] + 1), dtype=np.int32)
    np.cumsum(wanted, axis=-1, out=count[:, 1:])
    ahead = count[:, sorter.start]  # wanted units of the pools before
    return wanted & (count[:, 1:] - ahead <= places[..., sorter.pool])
