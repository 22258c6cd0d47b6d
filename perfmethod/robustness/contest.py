"""Who competes with whom for the best grade: the pairs and thresholds that decide who holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.scoring.run import steps
from perfmethod.scoring.slots import Slots

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["Contest", "Pool", "contest"]

Units = NDArray[np.intp]


@dataclass(frozen=True)
class Pool:
    """Units that compete for the best grade's places of one pool.

    Attributes
    ----------
    places : int or None
        None: no quota, whoever reaches `least`.
    least : float or None
    rivals : ndarray of int
        Units that can take a place or use one up.
    barred : ndarray of int
        Those of them that a veto keeps from holding it: they use up the place they reach.
    inside : ndarray of int
        Rivals that have a place, or use one up.
    tied : ndarray of int
        Rivals that tie at the edge for too few places.
    """

    places: int | None
    least: float | None
    rivals: Units
    barred: Units
    inside: Units
    tied: Units

    @property
    def outside(self) -> Units:
        """Rivals without a place."""
        return np.setdiff1d(self.rivals, self.inside)

    def pairs(self) -> list[tuple[int, int]]:
        """Pairs (inside, outside) whose order, while none turns round, fixes who holds the grade.

        Two barred units may change places: neither holds the grade. Units tied at the edge are
        pairs among themselves, in both orders.
        """
        if self.places is None:
            return []
        barred = set(self.barred.tolist())
        ties = [(int(a), int(b)) for a in self.tied for b in self.tied if a != b]
        return ties + [
            (int(a), int(b))
            for a in self.inside
            for b in self.outside
            if not {int(a), int(b)} <= barred
        ]

    def thresholds(self) -> list[tuple[int, bool]]:
        """Units whose crossing of the least total matters, and whether they are above it now."""
        if self.least is None:
            return []
        room = self.places is None or self.inside.size < self.places
        below = self.outside if room else self.outside[:0]
        return [(int(a), True) for a in self.inside] + [(int(b), False) for b in below]


@dataclass(frozen=True)
class Contest:
    """The competition for the best grade over all pools."""

    pools: tuple[Pool, ...]
    holders: frozenset[int]
    grade: str

    def pool_of(self, unit: int) -> Pool | None:
        """Pool in which a unit may come to hold the best grade; None where a veto rules it out."""
        for pool in self.pools:
            if unit in pool.rivals and unit not in pool.barred:
                return pool
        return None


def contest(evaluation: Evaluation) -> Contest:
    """Find out what decides who holds the best grade, by the scheme's own rule.

    Quotas by pool, least totals, vetoes and the use of a vetoed place are those of the scheme; who
    is inside is read from the grades that the scoring core gave.

    Parameters
    ----------
    evaluation : Evaluation

    Raises
    ------
    PerfmethodError
        If the scheme gives no grades.
    """
    plan, graded = evaluation._plan, evaluation._graded
    if graded is None:
        raise PerfmethodError("found a scheme without grades; allowed: one with [grades] to hold")
    rule = plan.scheme.document["grades"]
    first = steps(plan, Slots(plan.scheme))[0]
    places = None if first.places is None else np.asarray(first.places)
    least = None if first.least is None else float(np.asarray(first.least))
    burns = places is not None and rule.get("vetoed_place", "next") == "unfilled"
    barred = plan.ceiling > 0
    inside = (graded.codes == 0) | (graded.forfeited == 0)
    pools = []
    for code in range(len(plan.pool_names)):
        mine = (plan.pools == code) & (burns | ~barred)
        quota = None if places is None else int(places[code])
        held = int((mine & inside).sum())
        tied = mine & graded.edge_tied & (quota is not None and held != quota)
        pools.append(
            Pool(
                quota,
                least,
                np.flatnonzero(mine),
                np.flatnonzero(mine & barred),
                np.flatnonzero(mine & inside),
                np.flatnonzero(tied),
            )
        )
    holders = frozenset(np.flatnonzero(graded.codes == 0).tolist())
    return Contest(tuple(pools), holders, next(iter(rule["levels"])))
