"""Grades by the scheme's rule: steps, places by pool, and how ties and vetoes act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod import grading
from perfmethod.scoring.plan import Plan
from perfmethod.scoring.slots import Slots

if TYPE_CHECKING:
    from perfmethod.scoring.run import Scored

__all__ = ["apportioned", "floor_of", "grades", "rules", "steps", "words"]

Array = NDArray[np.float64]


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
    total, floor = np.broadcast_arrays(slots.one(at), floor_of(plan, slots))
    asked = [(int(n), int(f)) for n, f in zip(total.ravel(), floor.ravel(), strict=True)]
    table = {pair: apportioned(plan, *pair).seats for pair in set(asked)}
    return np.array([table[pair] for pair in asked]).reshape((*total.shape, -1))


def floor_of(plan: Plan, slots: Slots) -> Array:
    """Fewest places per pool: shape () or (k,)."""
    path = "grades.floor"
    return slots.one(path) if path in plan.scheme.numbers else np.zeros(())


def apportioned(plan: Plan, places: int, floor: int) -> grading.Apportionment:
    """Places spread over the pools by the scheme's method.

    A place for which pools tie is given to none of them: it stays unfilled and is reported.
    """
    rule = plan.scheme.document["grades"]
    counted = np.ones(len(plan.units), dtype=bool)
    if rule.get("claims", "before_vetoes") == "after_vetoes":
        counted = plan.ceiling == 0
    claims = np.bincount(plan.pools[counted], minlength=len(plan.pool_names))
    return grading.apportion(
        [int(c) for c in claims],
        places,
        rule.get("method", "hamilton"),
        floor=floor,
    )
