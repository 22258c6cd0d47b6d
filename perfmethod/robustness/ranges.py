"""Best and worst rank and grade of every unit over a set of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.grading import Step
from perfmethod.robustness.contest import Contest, Pool, contest
from perfmethod.robustness.crossing import defined
from perfmethod.robustness.family import Family, family
from perfmethod.robustness.polytope import Polytope, Rows, extent
from perfmethod.robustness.ratios import Ratios
from perfmethod.robustness.reach import MARGIN, fewest_above, most_above
from perfmethod.scoring.run import steps
from perfmethod.scoring.slots import Slots

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.scoring import Evaluation

__all__ = ["Ranges", "rank_ranges"]


@dataclass(frozen=True)
class Ranges:
    """What each unit can reach over a set of weights.

    Attributes
    ----------
    family : str
    table : DataFrame
        Index unit_id; rank (nominal, in the class), best_rank, worst_rank; grade, best_grade,
        worst_grade (empty where the scheme gives no grades).
    best_weights, worst_weights : DataFrame
        Index unit_id, one column per child: shares at which the rank is reached.
    meta : mapping
    """

    family: str
    table: pd.DataFrame = field(repr=False)
    best_weights: pd.DataFrame = field(repr=False)
    worst_weights: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        fixed = int((self.table["best_rank"] == self.table["worst_rank"]).sum())
        return f"<Ranges of {len(self.table)} units, {self.family}: {fixed} ranks cannot change>"

    def to_frame(self) -> pd.DataFrame:
        """The table, best nominal rank first."""
        return self.table.sort_values("rank", kind="stable")


def rank_ranges(
    evaluation: Evaluation,
    names: str | Sequence[str],
    within: Polytope | None = None,
    *,
    units: Sequence[str] | None = None,
) -> Ranges:
    """Find the best and the worst rank and grade of each unit over a set of weights.

    Ranks are extreme over all weights of the set, by mixed-integer programs or, where units that
    lack a child redistribute its weight, by growing sets of rivals (see `fewest_above`): exact, no
    weights are sampled. A best rank counts ties in the unit's favor, a worst one counts rivals from
    a millionth of a point above. Weights that leave any unit less than a thousandth of what now
    lies on its own children are left out. Grades follow the scheme's rule: places of the best grade
    in the unit's pool among those whom no veto bars, and least totals.

    Parameters
    ----------
    evaluation : Evaluation
    names : str or sequence of str
        A family of `families`, or several varied together.
    within : Polytope, optional
        From `Family.within`; by default all weights that are not negative.
    units : sequence of str, optional
        By default all units of the family's class.

    Returns
    -------
    Ranges

    Raises
    ------
    PerfmethodError
        If the family is not offered, a unit is not of its class, or a grade below the best one has
        places (its holders depend on who holds the best one, which this does not follow).
    ValueError
        If a unit has several ratios in the weights.

    Examples
    --------
    >>> import pandas as pd, perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B", "C"], "roads": [90, 0, 60], "water": [0, 95, 60]}))
    >>> rank_ranges(pm.evaluate(year), "city").table[["rank", "best_rank", "worst_rank"]]
             rank  best_rank  worst_rank
    unit_id
    A           3          1           3
    B           2          1           3
    C           1          1           2
    """
    import pandas as pd

    found = family(evaluation, *([names] if isinstance(names, str) else names))
    polytope = found.within() if within is None else within
    chosen = _chosen(found, units)
    totals = found.totals.take(found.members)
    polytope = defined(totals, found.share, polytope)
    grades = None if evaluation._graded is None else _Grades(evaluation, found, polytope)
    rows, best_at, worst_at = [], [], []
    for u in chosen:
        mine = int(np.flatnonzero(found.members == u)[0])
        others = [k for k in range(found.members.size) if k != mine]
        best = fewest_above(totals, mine, others, polytope)
        worst = most_above(totals, mine, others, polytope)
        row = evaluation.scores.iloc[u]
        reach = ("", "") if grades is None else grades.of(u)
        rows.append((int(row["rank"]), best.number + 1, worst.number + 1, row["grade"], *reach))
        best_at.append(best.share)
        worst_at.append(worst.share)
    index = pd.Index([found.units[u] for u in chosen], name="unit_id")
    columns = ["rank", "best_rank", "worst_rank", "grade", "best_grade", "worst_grade"]
    children = list(found.children)
    return Ranges(
        found.name,
        pd.DataFrame(rows, index, columns),
        pd.DataFrame(np.array(best_at), index, children),
        pd.DataFrame(np.array(worst_at), index, children),
        evaluation.year.meta,
    )


def _chosen(found: Family, units: Sequence[str] | None) -> list[int]:
    if units is None:
        return [int(u) for u in found.members]
    known = [found.units[u] for u in found.members]
    for unit in units:
        if unit not in known:
            raise PerfmethodError(
                f"found unit '{unit}'; allowed: one whose class has {found.name}: "
                f"{suggest(unit, known)}"
            )
    return [found.units.index(unit) for unit in units]


class _Grades:
    """The grades that units can reach."""

    def __init__(self, evaluation: Evaluation, found: Family, polytope: Polytope) -> None:
        plan = evaluation._plan
        self.levels = list(plan.scheme.document["grades"]["levels"])
        self.steps: list[Step] = steps(plan, Slots(plan.scheme))
        later = [n for n, s in zip(self.levels, self.steps, strict=True) if s.places is not None]
        if set(later) - {self.levels[0]}:
            raise PerfmethodError(
                f"found places for the grades {later}; allowed here: places for the best one only"
            )
        self.rules: Contest = contest(evaluation)
        self.ceiling: NDArray[np.intp] = plan.ceiling
        self.found, self.polytope = found, polytope

    def of(self, unit: int) -> tuple[str, str]:
        """Best and worst grade that a unit can reach."""
        codes = range(len(self.steps))
        best = next(c for c in codes if self._can_reach(unit, c))
        worst = next(c for c in reversed(codes) if self._can_fall(unit, c))
        return self.levels[best], self.levels[worst]

    def _least(self, code: int) -> float | None:
        least = self.steps[code].least
        return None if least is None else float(np.asarray(least))

    def _can_reach(self, unit: int, code: int) -> bool:
        """Whether some weights give the unit a later grade's least total, or a place."""
        if code < self.ceiling[unit]:
            return False
        least = self._least(code)
        part = self.polytope if least is None else self._part(unit, least, 1.0)
        if part is None:
            return False
        pool = self.rules.pool_of(unit)
        if code or pool is None or pool.places is None:
            return True
        rivals, at = self._pool(unit, pool)
        return fewest_above(rivals, at, _others(rivals, at), part).number < pool.places

    def _can_fall(self, unit: int, code: int) -> bool:
        """Whether some weights leave the unit with a grade no better than this one."""
        if code == 0:
            return True
        below = [self._least(c) for c in range(1, code) if c >= self.ceiling[unit]]
        if None in below:
            return False
        lows = [x for x in below if x is not None]
        part = self._part(unit, min(lows), -1.0) if lows else self.polytope
        if part is None:
            return False
        pool, least = self.rules.pool_of(unit), self._least(0)
        if pool is None or (least is not None and self._part(unit, least, -1.0, part) is not None):
            return True
        if pool.places is None:
            return False
        rivals, at = self._pool(unit, pool)
        return most_above(rivals, at, _others(rivals, at), part).number >= pool.places

    def _pool(self, unit: int, pool: Pool) -> tuple[Ratios, int]:
        """Totals of the unit's pool, and its own place in them."""
        return self.found.totals.take(pool.rivals), int(np.flatnonzero(pool.rivals == unit)[0])

    def _part(
        self, unit: int, least: float, side: float, within: Polytope | None = None
    ) -> Polytope | None:
        """Weights at which the unit's total is at least a number (side 1) or below it (side -1)."""
        polytope = self.polytope if within is None else within
        const, num, den = self.found.totals.take([unit]).one()
        margin = 0.0 if side > 0 else MARGIN
        row = side * ((least - const[0]) * den[0] - num[0]) + margin * den[0]
        if extent(polytope, row)[0] > 0:
            return None
        return polytope.restricted(Rows(row[None], np.zeros(1)))


def _others(totals: Ratios, unit: int) -> list[int]:
    return [k for k in range(totals.const.size) if k != unit]
