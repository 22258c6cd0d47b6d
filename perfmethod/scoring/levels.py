"""Grades by the scheme's rule: steps, places by pool, and how ties and vetoes act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfmethod import grading
from perfmethod.errors import DataError, Problem
from perfmethod.scoring.plan import Plan
from perfmethod.scoring.slots import Slots

if TYPE_CHECKING:
    from perfmethod.scoring.run import Scored

__all__ = ["Terms", "apportioned", "floor_of", "grades", "rules", "steps", "terms", "words"]

Array = NDArray[np.float64]


class Terms(NamedTuple):
    """Numbers by which the places of one grade are spread over the pools.

    Parameters
    ----------
    places, floor : int
    cap : int or None
        Most places of a pool; None where the scheme has none, or caps by eligible units.
    lot_seed : int or None
        None where pools that tie get nothing.
    carried : tuple of float (p,)
        Places owed to each pool from years before; empty where nothing is carried.
    """

    places: int
    floor: int
    cap: int | None = None
    lot_seed: int | None = None
    carried: tuple[float, ...] = ()


def grades(plan: Plan, slots: Slots, scored: Scored) -> grading.Graded | None:
    """Grade every unit by the scheme's rule; None where the scheme gives no grades."""
    if "grades" not in plan.scheme.document:
        return None
    return grading.assign(scored.compared, plan.pools, steps(plan, slots), **rules(plan, scored))


def rules(plan: Plan, scored: Scored) -> dict[str, Any]:
    """How ties and vetoes act on places, as keyword arguments of `grading.assign`."""
    return {"keys": scored.keys} | words(plan)


def words(plan: Plan) -> dict[str, Any]:
    """Ceilings, and the scheme's words for ties at an edge and for places of vetoed units."""
    rule = plan.scheme.document["grades"]
    return {
        "ceiling": plan.ceiling,
        "edge_tie": rule.get("edge_tie", "none_in"),
        "vetoed_place": rule.get("vetoed_place", "next"),
    }


def steps(plan: Plan, slots: Slots) -> list[grading.Step]:
    """The grades, best first, with their places by pool and least totals."""
    rule = plan.scheme.document["grades"]
    found = []
    for level in rule["levels"]:
        path = f"grades.levels.{level}.least"
        least = slots.one(path) if path in plan.scheme.numbers else None
        quota = rule.get("rule", "quota") == "quota" and "places" in rule["levels"][level]
        found.append(grading.Step(_places(plan, slots, level) if quota else None, least))
    return found


def _places(plan: Plan, slots: Slots, level: str) -> NDArray[Any]:
    """Places of a grade in each pool, (p,) or (k, p)."""
    at = f"grades.levels.{level}.places"
    if at not in plan.scheme.numbers:  # given pool by pool
        return slots.vector([f"{at}.{pool}" for pool in plan.pool_names], 0.0).astype(int)
    shape, asked = terms(plan, slots, level)
    table = {one: _settled(plan, one) for one in set(asked)}
    return np.array([table[one] for one in asked]).reshape((*shape, -1))


def _settled(plan: Plan, one: Terms) -> tuple[int, ...]:
    """Places by pool; those for which pools tie are given by lot where the scheme says so."""
    table = apportioned(plan, one)
    if one.lot_seed is None or not table.tied:
        return table.seats
    return table.settle(grading.lot(plan.pool_names, one.lot_seed)).seats


def terms(plan: Plan, slots: Slots, level: str) -> tuple[tuple[int, ...], list[Terms]]:
    """Numbers that spread the places of a level, in every draw, and the shape of the draws.

    Balances act on the first level whose places are spread, which is what they are owed in.
    """
    rule, numbers = plan.scheme.document["grades"], plan.scheme.numbers
    columns = [slots.one(f"grades.levels.{level}.places"), floor_of(plan, slots)]
    capped, drawn = "grades.cap" in numbers, rule.get("pool_tie", "unfilled") == "lot"
    columns += [slots.one("grades.cap")] if capped else []
    columns += [slots.one("grades.lot_seed")] if drawn else []
    spread = [n for n in rule["levels"] if f"grades.levels.{n}.places" in numbers]
    if "carried" in rule and level == spread[0]:
        owed = slots.vector([f"grades.carried.{pool}" for pool in plan.pool_names], 0.0)
        columns += [owed[..., p] for p in range(len(plan.pool_names))]
    table = np.stack(np.broadcast_arrays(*columns), axis=-1)
    found = []
    for places, floor, *more in table.reshape(-1, len(columns)).tolist():
        cap = int(more.pop(0)) if capped else None
        seed = int(more.pop(0)) if drawn else None
        found.append(Terms(int(places), int(floor), cap, seed, tuple(more)))
    return table.shape[:-1], found


def floor_of(plan: Plan, slots: Slots) -> Array:
    """Fewest places per pool: shape () or (k,)."""
    path = "grades.floor"
    return slots.one(path) if path in plan.scheme.numbers else np.zeros(())


def apportioned(plan: Plan, one: Terms) -> grading.Apportionment:
    """Places spread over the pools by the scheme's method, ties among pools left open.

    Raises
    ------
    DataError
        If the floors and caps of the scheme leave no table of places.
    """
    rule = plan.scheme.document["grades"]
    pools = len(plan.pool_names)
    sizes = np.bincount(plan.pools, minlength=pools)
    eligible = np.bincount(plan.pools[plan.ceiling == 0], minlength=pools)
    counted = eligible if rule.get("claims", "before_vetoes") == "after_vetoes" else sizes
    claims = [int(c) for c in counted]
    limits = _limits(rule.get("cap"), one, sizes, eligible)
    try:
        if one.carried:
            return grading.apportion_carried(claims, one.places, one.carried, **limits)
        return grading.apportion(claims, one.places, rule.get("method", "hamilton"), **limits)
    except ValueError as error:
        allowed = "places, floors and caps that fit the pools"
        raise DataError(
            [Problem(plan.scheme.file, "grades", "places", str(error), allowed)]
        ) from None


def _limits(
    cap: Any, one: Terms, sizes: NDArray[Any], eligible: NDArray[Any]
) -> dict[str, int | list[int]]:
    """Floors and caps of the pools; a pool without enough eligible units has a lower floor."""
    if cap is None:
        return {"floor": one.floor}
    if one.cap is None:
        return {"floor": [min(one.floor, int(n)) for n in eligible],
                "cap": [int(n) for n in eligible]}  # fmt: skip
    return {"floor": one.floor, "cap": [min(one.cap, int(n)) for n in sizes]}
