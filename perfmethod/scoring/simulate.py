"""Score many perturbed schemes with the one core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.draws import Draws
from perfmethod.scoring.blockwise import Failure, job, results
from perfmethod.scoring.quick import Ranked
from perfmethod.year import Year

__all__ = ["Simulation", "simulate"]


@dataclass(frozen=True)
class Simulation:
    """Totals, ranks and grades in every draw.

    Attributes
    ----------
    units : tuple of str (u,)
    total : ndarray (k, u)
        Points; NaN in a draw in which the unit has no score.
    rank : ndarray of int16 (k, u)
        Rank in the class; ties share the better rank. 0 in a failed draw.
    grade : ndarray of int8 (k, u) or None
        Position in `levels`, 0 the best; -1 in a failed draw. None where the scheme gives no
        grades.
    levels : tuple of str
    meta : mapping
        Digests of scheme and data, draws, what varied, version.
    classes : tuple of str (u,)
        Class of each unit.
    failures : tuple of Failure
        Draws without a result, each with its reason.
    independent : bool
        Whether the draws are independent of each other; quasi-random ones are not.
    """

    units: tuple[str, ...]
    total: NDArray[np.float64] = field(repr=False)
    rank: NDArray[np.int16] = field(repr=False)
    grade: NDArray[np.int8] | None = field(repr=False)
    levels: tuple[str, ...]
    meta: Mapping[str, Any] = field(repr=False)
    classes: tuple[str, ...] = field(default=(), repr=False)
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    independent: bool = field(default=True, repr=False)

    def __repr__(self) -> str:
        k, u = self.total.shape
        failed = f", {len(self.failures)} of them failed" if self.failures else ""
        return f"<Simulation of {k} draws{failed}, {u} units, {self.meta['varied']}>"

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Draws with a result, (k,)."""
        found: NDArray[np.bool_] = self.rank[:, 0] > 0
        return found

    def to_frame(self) -> pd.DataFrame:
        """What the draws say of each unit.

        Returns
        -------
        DataFrame
            Index unit_id; mean, 5th and 95th percentile of the total; median rank and the 5th and
            95th percentile of the rank; the share of draws with each grade, with its Monte Carlo
            standard error for the best grade where draws are independent (for quasi-random ones
            `sensitivity.monte_carlo` tells it). Failed draws do not count (`failures` lists them).
        """
        good = self.usable
        total, rank = (self.total, self.rank) if good.all() else (self.total[good], self.rank[good])
        low, high = np.quantile(total, [0.05, 0.95], axis=0)
        ranks = np.quantile(rank, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf")
        frame = pd.DataFrame(
            {"total_mean": total.mean(0), "total_p05": low, "total_p95": high}
            | dict(zip(("rank_p05", "rank_median", "rank_p95"), ranks.astype(int), strict=True)),
            index=pd.Index(self.units, name="unit_id"),
        )
        for code, level in enumerate(self.levels):
            assert self.grade is not None
            frame[f"p_{level}"] = (self.grade[good] == code).mean(0)
        if self.levels and self.independent:
            p = frame[f"p_{self.levels[0]}"]
            frame[f"p_{self.levels[0]}_mcse"] = np.sqrt(p * (1 - p) / len(total))
        return frame


def simulate(
    year: Year,
    draws: Draws | Mapping[str, Any],
    *,
    executor: Any = None,
    blocks_per_task: int = 8,
    failures: str = "raise",
) -> Simulation:
    """Score a year in every draw.

    Draw k is the scheme rewritten with the numbers of draw k (`Scheme.patch`, ``drawn=True``) and
    scored alone: both go through the same function. Draws are computed in blocks of a fixed size,
    so nothing but the draws decides a result: neither the executor nor how the blocks are shared
    out.

    Parameters
    ----------
    year : Year
    draws : Draws or mapping of str to array_like (k,)
        Weights are relative in a draw: a scheme's `weights_sum` binds documents, not draws. Nor do
        least totals bind the base: where it varies and they do not, ``meta["varied"]`` says so.
    executor : concurrent.futures.Executor or the like, optional
        Anything with ``submit`` that returns futures: threads, processes, a Dask client. By
        default all is done here.
    blocks_per_task : int
        Blocks of `core.BLOCK` draws that are handed to the executor at a time.
    failures : {"raise", "count"}
        What a draw does in which some unit has no score, or a rule cannot be applied: raise the
        error, or be listed in `Simulation.failures`.

    Returns
    -------
    Simulation

    Raises
    ------
    KeyError
        If a drawn path is no number of the scheme and no measured value of the year.
    DataError
        If a unit has no score in some draw (``failures="raise"``), or in every draw.

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
    work = job(year, draws, failures)
    shape = (work.draws.size, len(work.plan.units))
    total, rank = np.empty(shape), np.empty(shape, dtype=np.int16)
    grade = np.empty(shape, dtype=np.int8) if work.levels else None
    failed: list[Failure] = []
    for part, (points, places, codes), bad in results(work, _keep, executor, blocks_per_task):
        total[part], rank[part] = points, places
        if grade is not None and codes is not None:
            grade[part] = codes
        failed += bad
    work.refuse_all_failed(failed)
    return Simulation(
        work.plan.units, total, rank, grade, work.levels, work.meta, work.classes, tuple(failed),
        work.draws.independent,
    )  # fmt: skip


def _keep(ranked: Ranked, _values: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return ranked.total, ranked.rank, ranked.grade
