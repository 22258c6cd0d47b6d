"""Counts over many draws instead of the draws: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.draws import Draws
from perfmethod.scoring.blockwise import Failure, Job, job, results
from perfmethod.scoring.counting import Counter, Favorable, Nominal, count
from perfmethod.scoring.plan import Plan, compile_year
from perfmethod.scoring.quick import ranked
from perfmethod.scoring.slots import Slots
from perfmethod.year import Year

__all__ = ["Tally", "tally"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SHOWN = 100  # failures that are kept with their reasons; all are counted


@dataclass(frozen=True)
class Tally:
    """Counts of ranks, grades and orders over draws.

    Attributes
    ----------
    units, classes : tuple of str (u,)
    levels : tuple of str
        Grades, best first.
    draws : int
        Draws with a result.
    failed : int
        Draws without one: they are in no count.
    failures : tuple of Failure
        The first hundred of these, with their reasons.
    ranks : ndarray of int (u, r)
        Draws in which a unit has rank 1, 2, ... in its class.
    grades : ndarray of int (u, g) or None
        Draws in which it has each grade.
    wins, ties : ndarray of int (u, u) or None
        Draws in which unit i ranks above j, and in which they share a rank (units of one class).
    total, squares : ndarray (u,)
        Sums over draws of the total's distance from its value under the scheme itself, and of its
        square.
    nominal_total, nominal_rank : ndarray (u,)
    nominal_best : ndarray of bool (u,)
        Who holds the best grade under the scheme itself.
    same_best : int
        Draws in which exactly these units hold it.
    shift, shift_squares : int
        Sums over draws of the sum over units of |rank - nominal rank|, and of its square.
    first : Favorable or None
        Drawn weights where units do best.
    meta : mapping
    """

    units: tuple[str, ...]
    classes: tuple[str, ...]
    levels: tuple[str, ...]
    draws: int
    failed: int
    failures: tuple[Failure, ...] = field(repr=False)
    ranks: Ints = field(repr=False)
    grades: Ints | None = field(repr=False)
    wins: Ints | None = field(repr=False)
    ties: Ints | None = field(repr=False)
    total: Array = field(repr=False)
    squares: Array = field(repr=False)
    nominal_total: Array = field(repr=False)
    nominal_rank: Ints = field(repr=False)
    nominal_best: NDArray[np.bool_] = field(repr=False)
    same_best: int
    shift: int
    shift_squares: int
    first: Favorable | None = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        failed = f", {self.failed} more failed" if self.failed else ""
        return f"<Tally of {self.draws} draws{failed}, {len(self.units)} units>"

    def __add__(self, other: Tally) -> Tally:
        """Counts of both, the other's draws after these; nominal ranks are these.

        Raises
        ------
        ValueError
            If units, classes or grades differ.
        """
        for what in ("units", "classes", "levels"):
            if getattr(self, what) != getattr(other, what):
                raise ValueError(f"found tallies of different {what}; allowed: the same")
        summed = {
            name: _sum(getattr(self, name), getattr(other, name))
            for name in ("draws", "failed", "ranks", "grades", "wins", "ties", "total", "squares",
                         "same_best", "shift", "shift_squares", "first")
        }  # fmt: skip
        before = self.draws + self.failed
        later = (Failure(f.draw + before, f.reason) for f in other.failures)
        failures = (*self.failures, *later)[:SHOWN]
        meta = {**self.meta, "draws": self.meta["draws"] + other.meta["draws"]}
        return replace(self, **summed, failures=failures, meta=meta)


def _sum(a: Any, b: Any) -> Any:
    return None if a is None or b is None else a + b


def tally(
    year: Year,
    draws: Draws | Mapping[str, Any],
    *,
    pairs: bool = True,
    families: Sequence[Sequence[str]] = (),
    reference: Year | None = None,
    executor: Any = None,
    blocks_per_task: int = 16,
    failures: str = "count",
) -> Tally:
    """Score a year in every draw, and keep counts only.

    Parameters
    ----------
    year : Year
    draws : Draws or mapping of str to array_like (k,)
    pairs : bool
        Whether to count who ranks above whom.
    families : sequence of sequence of str
        Paths of weights, family by family, whose shares are averaged over the draws in which a
        unit does best.
    reference : Year, optional
        Whose ranks and grades the draws are compared to; by default those of `year` itself.
    executor, blocks_per_task, failures
        As in `simulate`; failed draws are counted by default.

    Returns
    -------
    Tally
        The same bytes for any executor and `blocks_per_task`.

    Raises
    ------
    KeyError, DataError
        As in `simulate`.
    """
    work = job(year, draws, failures)
    base = work.plan if reference is None else compile_year(reference)
    nominal = ranked(base, Slots(base.scheme), 1)
    best = np.zeros(len(work.plan.units), dtype=bool)
    if nominal.grade is not None:
        best = nominal.grade[0] == 0
    rank, places = nominal.rank[0].astype(np.int64), int(np.bincount(work.plan.unit_class).max())
    counter = Counter(
        Nominal(rank, best),
        np.nan_to_num(nominal.total[0]),
        np.abs(np.arange(1, places + 1)[:, None] - rank),
        len(work.levels),
        _pairs(work.plan) if pairs else None,
        tuple(tuple(f) for f in families),
    )
    found: list[Any] | None = None
    failed: list[Failure] = []
    for _, counts, bad in results(work, partial(count, counter), executor, blocks_per_task):
        found = (
            list(counts)
            if found is None
            else [_sum(a, b) for a, b in zip(found, counts, strict=True)]
        )
        failed += bad
    work.refuse_all_failed(failed)
    assert found is not None
    return _result(work, counter, found, failed)


def _pairs(plan: Plan) -> tuple[Ints, ...]:
    return tuple(np.asarray(part.units, dtype=np.int64) for part in plan.classes)


def _result(work: Job, counter: Counter, found: list[Any], failed: list[Failure]) -> Tally:
    good, *rest = found
    ranks, grades, wins, ties, total, squares, same, shift, shifts, first = rest
    return Tally(
        work.plan.units, work.classes, work.levels, good, len(failed), tuple(failed[:SHOWN]),
        ranks, grades, wins, ties, total, squares, counter.center, counter.nominal.rank,
        counter.nominal.best, same, shift, shifts, first, work.meta,
    )  # fmt: skip
