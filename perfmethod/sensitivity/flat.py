"""Rank acceptability of a flat table under weights of which nothing is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.compiled import prepare
from perfmethod.core import BLOCK
from perfmethod.errors import PerfmethodError, is_whole
from perfmethod.progress import progress
from perfmethod.sensitivity.acceptability import expected_ranks, rank_quantiles, share_error
from perfmethod.sensitivity.filtered import Table, count_exactly, count_ranks
from perfmethod.uncertainty.sources import design

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RankAcceptability", "rank_acceptability"]

Ints = NDArray[np.int64]

TASK = 128  # blocks that are handed out at a time


@dataclass(frozen=True)
class RankAcceptability:
    """How often each unit has each rank, over independent draws of the weights.

    Attributes
    ----------
    units : tuple
        Labels.
    counts : ndarray of int (u, r)
        Draws in which a unit has rank 1, 2, ...
    draws : int
    seed : int
    """

    units: tuple[Any, ...] = field(repr=False)
    counts: Ints = field(repr=False)
    draws: int
    seed: int

    def __repr__(self) -> str:
        return f"<RankAcceptability of {len(self.units)} units, {self.draws} draws>"

    @property
    def acceptability(self) -> pd.DataFrame:
        """Share of draws in which a unit has each rank, (u, r)."""
        return self._by_rank(self.counts / self.draws)

    @property
    def acceptability_error(self) -> pd.DataFrame:
        """Monte Carlo standard errors of `acceptability` (`share_error`)."""
        return self._by_rank(share_error(self.counts, self.draws))

    def _by_rank(self, values: Any) -> pd.DataFrame:
        ranks = pd.RangeIndex(1, self.counts.shape[1] + 1, name="rank")
        return pd.DataFrame(values, index=self._index, columns=ranks)

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.units, name="unit_id")

    def to_frame(self) -> pd.DataFrame:
        """Ranks of each unit.

        Returns
        -------
        DataFrame
            Index unit_id; expected, expected_mcse, median, low and high (5 and 95 % of the draws),
            best and worst in any draw.
        """
        mean, error = expected_ranks(self.counts)
        low, median, high = rank_quantiles(self.counts, [0.05, 0.5, 0.95])
        best, worst = rank_quantiles(self.counts, [0.0, 1.0])
        return pd.DataFrame(
            {"expected": mean, "expected_mcse": error, "median": median, "low": low, "high": high,
             "best": best, "worst": worst}, index=self._index,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the heat map of `acceptability`, units in the order of their expected ranks."""
        from perfmethod.sensitivity.figures import rank_shares

        order = self.to_frame().sort_values("expected", kind="stable").index
        return rank_shares(self.acceptability.loc[order], [str(unit) for unit in order], ax, lang)


def rank_acceptability(
    utilities: ArrayLike | pd.DataFrame, size: int, *, seed: int, executor: Any = None
) -> RankAcceptability:
    """Rank units by weighted means under many weights, uniform on the simplex.

    For a table of one level. Schemes, with their trees, portfolios, caps and grades, and other
    weights go through `monte_carlo`, which gives the same counts for such a table, but takes
    longer.

    Parameters
    ----------
    utilities : array_like or DataFrame (u, c)
        Units by criteria, the more the better, all on one scale.
    size : int
        Number of draws.
    seed : int
    executor : concurrent.futures.Executor or the like, optional
        Anything with ``submit`` that returns futures. By default all is done here.

    Returns
    -------
    RankAcceptability
        Means that are equal to 9 decimals share the better rank. The draws are those of
        ``uncertainty.simplex`` with the same seed; the counts are the same for any executor, with
        compiled loops or without.

    Raises
    ------
    PerfmethodError
        If the table is not of finite numbers, there is no unit, no criterion or no draw, or the
        size or the seed is no whole number.

    Notes
    -----
    Most draws are ranked in single precision, with a proof that this does not change their order
    (`perfmethod.sensitivity.filtered`). The exact probability that one unit is above another, and
    exact expected ranks, are in `perfmethod.robustness`: they need no draws.

    References
    ----------
    Lahdelma & Salminen, "SMAA-2: stochastic multicriteria acceptability analysis for group
    decision making", *Oper. Res.* 49 (2001) 444-454.

    Examples
    --------
    The last unit is behind the first on every criterion:

    >>> found = rank_acceptability([[3, 1], [1, 2], [2, 0]], 10_000, seed=1)
    >>> found.acceptability.loc[2].tolist()[0]
    0.0
    >>> found.to_frame()["expected"].round(2).tolist()
    [1.33, 2.0, 2.67]
    """
    labels = tuple(utilities.index) if isinstance(utilities, pd.DataFrame) else None
    x = np.ascontiguousarray(utilities, dtype=float)
    _check(x, size, seed)
    work = _Work(Table.of(x), int(size), int(seed))
    counts = sum(progress(work.results(executor), "draws", len(work.tasks)))
    units = tuple(range(len(x))) if labels is None else labels
    counts = np.ascontiguousarray(np.transpose(counts))
    return RankAcceptability(units, counts, work.size, work.seed)


def _check(x: NDArray[np.float64], size: int, seed: int) -> None:
    if x.ndim != 2 or not x.size:
        raise PerfmethodError(f"utilities: found shape {x.shape}; allowed: units by criteria")
    if not np.isfinite(x).all():
        unit, criterion = np.argwhere(~np.isfinite(x))[0]
        raise PerfmethodError(
            f"utilities: found {x[unit, criterion]} in row {unit}, column {criterion}; allowed: "
            "finite numbers (a missing value needs a rule: build a scheme, `missing_value` says it)"
        )
    if not is_whole(size) or size < 1:
        raise PerfmethodError(f"size: found {size}; allowed: a whole number from 1")
    if not is_whole(seed) or seed < 0:
        raise PerfmethodError(f"seed: found {seed}; allowed: a whole number from 0")


@dataclass(frozen=True)
class _Work:
    """What a worker needs for any of the tasks."""

    table: Table
    size: int
    seed: int

    @property
    def tasks(self) -> list[slice]:
        """Draws of each task."""
        size = TASK * BLOCK
        return [slice(i, min(i + size, self.size)) for i in range(0, self.size, size)]

    def results(self, executor: Any) -> Iterator[Ints]:
        """Counts (r, u) of every task."""
        if executor is None:
            return map(self, self.tasks)
        return (future.result() for future in [executor.submit(self, part) for part in self.tasks])

    def __call__(self, part: slice) -> Ints:
        prepare(self.size)
        u, c = self.table.utilities.shape
        sources = design("random", (c,), self.seed)
        counts, left = np.zeros((u, u), np.int64), []
        for start in range(part.start, part.stop, BLOCK):
            e = sources.sources(start // BLOCK)[0].exponential(c)
            sure, unsure = count_ranks(self.table, e[: part.stop - start])
            counts += sure
            left.append(unsure)
        return counts + count_exactly(self.table, np.concatenate(left))
