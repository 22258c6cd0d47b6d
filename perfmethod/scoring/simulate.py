"""Score many perturbed schemes with the one core."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.core import BLOCK
from perfmethod.draws import Draws
from perfmethod.progress import progress
from perfmethod.scoring.plan import Plan, compile_year
from perfmethod.scoring.run import grades, score
from perfmethod.scoring.slots import Slots
from perfmethod.year import Year

__all__ = ["Simulation", "simulate"]


@dataclass(frozen=True)
class Simulation:
    """Totals, ranks and grades in every draw.

    Attributes
    ----------
    units : tuple of str (u,)
    total : ndarray (k, u)
        Points.
    rank : ndarray of int16 (k, u)
        Rank in the class; ties share the better rank.
    grade : ndarray of int8 (k, u) or None
        Position in `levels`, 0 the best; None where the scheme gives no grades.
    levels : tuple of str
    meta : mapping
        Digests of scheme and data, draws, what varied, version.
    """

    units: tuple[str, ...]
    total: NDArray[np.float64] = field(repr=False)
    rank: NDArray[np.int16] = field(repr=False)
    grade: NDArray[np.int8] | None = field(repr=False)
    levels: tuple[str, ...]
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        k, u = self.total.shape
        return f"<Simulation of {k} draws, {u} units, {self.meta['varied']}>"

    def to_frame(self) -> pd.DataFrame:
        """What the draws say of each unit.

        Returns
        -------
        DataFrame
            Index unit_id; mean, 5th and 95th percentile of the total; median rank and the 5th and
            95th percentile of the rank; the share of draws with each grade, with its Monte Carlo
            standard error for the best grade.
        """
        low, high = np.quantile(self.total, [0.05, 0.95], axis=0)
        ranks = np.quantile(self.rank, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf")
        frame = pd.DataFrame(
            {"total_mean": self.total.mean(0), "total_p05": low, "total_p95": high}
            | dict(zip(("rank_p05", "rank_median", "rank_p95"), ranks.astype(int), strict=True)),
            index=pd.Index(self.units, name="unit_id"),
        )
        for code, level in enumerate(self.levels):
            assert self.grade is not None
            frame[f"p_{level}"] = (self.grade == code).mean(0)
        if self.levels:
            p = frame[f"p_{self.levels[0]}"]
            frame[f"p_{self.levels[0]}_mcse"] = np.sqrt(p * (1 - p) / len(self.total))
        return frame


def simulate(year: Year, draws: Draws | Mapping[str, Any]) -> Simulation:
    """Score a year in every draw.

    Draw k is the scheme rewritten with the numbers of draw k (`Scheme.patch`) and scored alone:
    both go through the same function. Draws are computed in blocks of a fixed size, so nothing
    but the draws decides a result.

    Parameters
    ----------
    year : Year
    draws : Draws or mapping of str to array_like (k,)
        Weights are relative in a draw: a scheme's `weights_sum` binds documents, not draws.

    Returns
    -------
    Simulation

    Raises
    ------
    KeyError
        If a drawn path is no number of the scheme and no measured value of the year.
    DataError
        If a unit has no score in some draw.

    Examples
    --------
    >>> import perfmethod as pm
    >>> scheme = pm.Scheme.loads('''
    ... format = 1
    ... classes.city = {}
    ... indicators.roads = { rule = { method = "identity" } }
    ... indicators.water = { rule = { method = "identity" } }
    ... ''')
    >>> year = pm.Year.from_frames(scheme, actuals=pd.DataFrame(
    ...     {"unit_id": ["A", "B"], "roads": [90, 60], "water": [50, 70]}))
    >>> pm.simulate(year, {"indicators.roads.weight": [1, 0]}).total.tolist()
    [[70.0, 65.0], [50.0, 70.0]]
    """
    given = draws if isinstance(draws, Draws) else Draws.of(draws)
    plan = compile_year(year)
    Slots.check(year.scheme, given.paths, _measured(plan))
    levels = tuple(year.scheme.document.get("grades", {}).get("levels", {}))
    shape = (given.size, len(plan.units))
    total, rank = np.empty(shape), np.empty(shape, dtype=np.int16)
    grade = np.empty(shape, dtype=np.int8) if levels else None
    memory: dict[Hashable, Any] = {}
    for part, values in progress(given.blocks(), "draws", -(-given.size // BLOCK)):
        slots = Slots(year.scheme, values, memory)
        scored = score(plan, slots)
        total[part], rank[part] = scored.total, scored.rank
        if grade is not None:
            graded = grades(plan, slots, scored)
            assert graded is not None
            grade[part] = graded.codes
    meta = year.meta | {"draws": given.size, "varied": given.note}
    return Simulation(plan.units, total, rank, grade, levels, meta)


def _measured(plan: Plan) -> list[str]:
    """Paths of measured values: tasks, survey scores, internal ratings."""
    found = []
    for part in plan.classes:
        units = [plan.units[i] for i in part.units]
        for leaf in part.leaves:
            has = np.flatnonzero(leaf.held)
            found += [f"tasks.{units[j]}.{leaf.indicator}.actual" for j in has]
        found += [f"review.{u}.{d}" for u in units for d in part.survey.values()]
        found += [f"rating.{u}" for u in units] if part.internal else []
    return found
