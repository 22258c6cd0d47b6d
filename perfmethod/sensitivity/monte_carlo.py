"""Monte Carlo results: how ranks, grades and orders are spread when numbers vary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.scoring import Tally
from perfmethod.sensitivity.acceptability import (
    expected_ranks,
    rank_quantiles,
    tied_groups,
)
from perfmethod.sensitivity.standard_errors import StandardErrors, ordered
from perfmethod.uncertainty.names import Family

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MonteCarlo"]


@dataclass(frozen=True)
class MonteCarlo:
    """Distribution of ranks and grades over draws, with Monte Carlo standard errors.

    All shares are of the draws that could be scored; `failed` and `failures` say which could not.
    `errors` says what the standard errors (``mcse``) rest on: the spread of independent draws, or,
    where draws are quasi-random, that of their replicates.

    Attributes
    ----------
    counts : Tally
    names : mapping of str to str
        Names of the units.
    families : tuple of Family
        Families of weights that were drawn.
    reached : float or None
        Largest standard error of a share, where `run_until` was to bring it below a bound.
    bound : float or None
        That bound.
    replicates : tuple of Tally
        Counts of each replicate of quasi-random draws; none where draws are independent.
    """

    counts: Tally = field(repr=False)
    names: Mapping[str, str] = field(repr=False)
    families: tuple[Family, ...] = field(default=(), repr=False)
    reached: float | None = None
    bound: float | None = None
    replicates: tuple[Tally, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        failed = f", {self.counts.failed} more failed" if self.counts.failed else ""
        met = ""
        if self.bound is not None:
            word = "reached" if self.converged else "NOT reached"
            met = f"; bound {self.bound:g} {word} ({self.reached:.2g})"
        units = len(self.counts.units)
        parts = f" in {len(self.replicates)} replicates" if self.replicates else ""
        return f"<MonteCarlo of {self.counts.draws} draws{parts}{failed}, {units} units{met}>"

    @property
    def draws(self) -> int:
        """Draws that could be scored."""
        return self.counts.draws

    @property
    def meta(self) -> Mapping[str, Any]:
        """Digests of scheme and data, draws, seed, what varied, standard errors, version."""
        return {**self.counts.meta, "standard_errors": self.errors.kind}

    @cached_property
    def errors(self) -> StandardErrors:
        """What the standard errors rest on, and how far their intervals reach."""
        return StandardErrors(self.counts, self.replicates)

    @property
    def converged(self) -> bool | None:
        """Whether the bound asked for is met; None where none was asked for."""
        return None if self.bound is None or self.reached is None else self.reached <= self.bound

    @property
    def failures(self) -> pd.DataFrame:
        """The first hundred draws without a result: draw, reason."""
        return pd.DataFrame(self.counts.failures, columns=["draw", "reason"])

    @property
    def _index(self) -> pd.Index:
        return pd.Index(self.counts.units, name="unit_id")

    @cached_property
    def acceptability(self) -> pd.DataFrame:
        """Share of draws in which a unit has each rank in its class, (u, r)."""
        return self._by_rank(self.counts.ranks / self.draws)

    @cached_property
    def acceptability_error(self) -> pd.DataFrame:
        """Monte Carlo standard errors of `acceptability`."""
        return self._by_rank(self.errors.share(lambda counts: counts.ranks))

    def _by_rank(self, values: Any) -> pd.DataFrame:
        ranks = pd.RangeIndex(1, values.shape[1] + 1, name="rank")
        return pd.DataFrame(values, index=self._index, columns=ranks)

    @cached_property
    def grades(self) -> pd.DataFrame:
        """Share of draws with each grade, and its error (``<grade>_mcse``)."""
        frame = pd.DataFrame(index=self._index)
        if self.counts.grades is not None:
            errors = self.errors.share(lambda counts: counts.grades)
            for g, level in enumerate(self.counts.levels):
                frame[level] = self.counts.grades[:, g] / self.draws
                frame[f"{level}_mcse"] = errors[:, g]
        return frame

    @cached_property
    def wins(self) -> pd.DataFrame:
        """Share of draws in which the row's unit ranks above the column's, ties counted half.

        NaN between units of different classes.

        Raises
        ------
        PerfmethodError
            If pairs were not counted.
        """
        if self.counts.wins is None or self.counts.ties is None:
            raise PerfmethodError("found no counts of pairs; allowed: monte_carlo(..., pairs=True)")
        share = ordered(self.counts) / self.draws
        classes = np.array(self.counts.classes)
        share[classes[:, None] != classes] = np.nan
        np.fill_diagonal(share, 0.5)
        return pd.DataFrame(share, index=self._index, columns=self._index.rename("below"))

    @cached_property
    def wins_error(self) -> pd.DataFrame:
        """Monte Carlo standard errors of `wins`."""
        wins, ties = self.wins, self.ties.to_numpy()
        error = self.errors.share(ordered)
        if not self.replicates:
            # halves are nearer to the mean than the ones and zeros that the formula is for
            error = np.sqrt(error**2 - ties * self.draws / (2 * (self.draws + 1)) ** 2)
        np.fill_diagonal(error, 0.0)
        return pd.DataFrame(error, wins.index, wins.columns).where(wins.notna())

    @cached_property
    def ties(self) -> pd.DataFrame:
        """Share of draws in which two units of a class share a rank."""
        if self.counts.ties is None:
            raise PerfmethodError("found no counts of pairs; allowed: monte_carlo(..., pairs=True)")
        share = self.counts.ties / self.draws
        return pd.DataFrame(share, index=self._index, columns=self._index.rename("with"))

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """Ranks and totals of each unit.

        Returns
        -------
        DataFrame
            Index unit_id; name, class, nominal (rank under the scheme itself), expected,
            expected_mcse, median, low and high (5 and 95 % of the draws), best and worst in any
            draw, shift (mean distance from the nominal rank), shift_mcse, total_mean, total_sd,
            total_mcse.
        """
        c = self.counts
        mean, alone = expected_ranks(c.ranks)
        low, median, high = rank_quantiles(c.ranks, [0.05, 0.5, 0.95])
        best, worst = rank_quantiles(c.ranks, [0.0, 1.0])
        place = np.arange(1, c.ranks.shape[1] + 1)
        error = self.errors.mean(lambda counts: counts.ranks @ place, alone)
        away = np.abs(place - c.nominal_rank[:, None])
        shift = (c.ranks * away).sum(1) / c.draws
        spread = (c.ranks * (away - shift[:, None]) ** 2).sum(1) / max(c.draws - 1, 1)
        moved = c.total / c.draws
        sd = np.sqrt(np.maximum(c.squares / c.draws - moved**2, 0.0))
        shift_error = self.errors.mean(
            lambda counts: (counts.ranks * away).sum(1), np.sqrt(spread / c.draws)
        )
        total_error = self.errors.mean(lambda counts: counts.total, sd / np.sqrt(c.draws))
        return pd.DataFrame(
            {
                "name": [self.names[u] for u in c.units], "class": c.classes,
                "nominal": c.nominal_rank, "expected": mean, "expected_mcse": error,
                "median": median, "low": low, "high": high, "best": best, "worst": worst,
                "shift": shift, "shift_mcse": shift_error,
                "total_mean": c.nominal_total + moved, "total_sd": sd,
                "total_mcse": total_error,
            },
            index=self._index,
        )  # fmt: skip

    @cached_property
    def overall(self) -> pd.DataFrame:
        """The list as a whole: value and mcse.

        ``same_best``: share of draws in which exactly the units that hold the best grade under the
        scheme itself hold it. ``mean_rank_shift``: mean over units and draws of the distance from
        the nominal rank.
        """
        c, u = self.counts, len(self.counts.units)
        mean = c.shift / c.draws
        variance = max(c.shift_squares / c.draws - mean**2, 0.0)
        moved = self.errors.mean(lambda counts: counts.shift, np.sqrt(variance / c.draws))
        rows = {"mean_rank_shift": (mean / u, float(moved) / u)}
        if c.grades is not None:
            error = float(self.errors.share(lambda counts: counts.same_best))
            rows = {"same_best": (c.same_best / c.draws, error), **rows}
        return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "mcse"])

    def to_frame(self) -> pd.DataFrame:
        """Ranks, totals and grades of each unit."""
        return self.ranks.join(self.grades)

    def groups(self, alpha: float = 0.05, rule: str = "all") -> pd.DataFrame:
        """Groups of units that the draws do not tell apart, class by class.

        Parameters
        ----------
        alpha : float
        rule : {"all", "chain"}
            As in `tied_groups`.

        Returns
        -------
        DataFrame
            Index unit_id, in the order of expected ranks; name, class, expected, group (from 1 in
            each class).
        """
        frame = self.ranks[["name", "class", "expected"]].copy()
        frame["group"] = 0
        for _, rows in frame.groupby("class", sort=False):
            wins = self.wins.loc[rows.index, rows.index]
            found = tied_groups(wins, rows["expected"], alpha=alpha, rule=rule)
            frame.loc[rows.index, "group"] = found
        order = frame.sort_values(["class", "expected"], kind="stable").index
        return frame.loc[order]

    def central_weights(self) -> pd.DataFrame:
        """Mean weights of the draws in which a unit has its best rank: what speaks for it.

        Returns
        -------
        DataFrame
            unit_id, best_rank, draws, family, child, share (of the family's weight), mcse (NaN
            with a single draw, or in a single replicate).

        Raises
        ------
        PerfmethodError
            If no family of weights was drawn as a whole.

        References
        ----------
        Lahdelma, Hokkanen & Salminen, "SMAA - stochastic multiobjective acceptability analysis",
        *Eur. J. Oper. Res.* 106 (1998) 137-143.
        """
        first = self.counts.first
        if first is None:
            raise PerfmethodError(
                "found no family of weights that was drawn as a whole; allowed: all children of a "
                "node, e.g. by `simplex` or `multiplicative`"
            )
        n = first.draws[:, None]
        mean = first.sums / n
        spread = np.maximum(first.squares / n - mean**2, 0.0) * n / np.maximum(n - 1, 1)
        error = self.errors.favorable(np.where(n > 1, np.sqrt(spread / n), np.nan))
        labels = [(f.name, child) for f in self.families for child in f.children]
        u, p = mean.shape
        return pd.DataFrame(
            {
                "unit_id": np.repeat(self.counts.units, p), "best_rank": np.repeat(first.best, p),
                "draws": np.repeat(first.draws, p), "family": [f for f, _ in labels] * u,
                "child": [c for _, c in labels] * u, "share": mean.ravel(), "mcse": error.ravel(),
            }
        )  # fmt: skip

    def plot(self, kind: str = "intervals", ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : {'intervals', 'acceptability'}
            Rank intervals, or the heat map of rank acceptability.
        ax : Axes, optional
        lang : {'zh', 'en'}

        Raises
        ------
        ValueError
            If the kind is none of these.
        """
        from perfmethod.sensitivity.figures import acceptability_map, intervals

        kinds = {"intervals": intervals, "acceptability": acceptability_map}
        if kind not in kinds:
            raise ValueError(f"found {kind!r}; allowed: {suggest(kind, kinds)}")
        return kinds[kind](self, ax, lang)
