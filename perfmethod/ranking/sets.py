"""Labelled confidence sets for ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from perfmethod.errors import PerfmethodError, suggest
from perfmethod.grading import rank
from perfmethod.ranking.bounds import pair_errors, rank_bounds
from perfmethod.ranking.noise import measured_errors, normal_draws
from perfmethod.survey import Unmeasured, noted
from perfmethod.uncertainty import is_symmetric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.scoring import Evaluation

__all__ = ["STATUSES", "RankSets", "rank_sets"]

Array = NDArray[np.float64]

STATUSES = ("surely", "possibly", "surely_not")


@dataclass(frozen=True)
class RankSets:
    """Confidence sets for ranks.

    Attributes
    ----------
    level : float
    simultaneous : bool
        All sets hold at once with probability `level`; otherwise each one does.
    sets : DataFrame
        Index unit; name, within (whom it is ranked with), units (how many they are), estimate, se,
        rank (observed), low, high (best and worst rank of the set); of an evaluation also
        unmeasured_weight (share of the unit's survey weight whose error cannot be measured and
        counts as 0).
    meta : mapping
        source (of the errors), critical, steps, draws, seed, pairs.
    unmeasured_weight : float or None
        Share of all units' survey weight whose error is not in here; None where errors were given.
    lonely : tuple of str
        Categories with a single rater: nothing of their noise can be known, and none is in here.
    """

    level: float
    simultaneous: bool
    sets: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)
    unmeasured_weight: float | None = None
    lonely: tuple[str, ...] = ()

    def __repr__(self) -> str:
        kind = "simultaneous" if self.simultaneous else "marginal"
        width = (self.sets["high"] - self.sets["low"] + 1).mean()
        return (
            f"<RankSets of {len(self.sets)} units, {kind} {self.level:g}, "
            f"{width:.1f} places on average{noted(self.unmeasured_weight, self.lonely)}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The sets, best rank first inside each group that is ranked together."""
        return self.sets.sort_values(["within", "rank"], kind="stable")

    def best(self, places: int | Mapping[str, int]) -> pd.DataFrame:
        """Who is surely, possibly, or surely not among the best.

        "Possibly" says that the data do not decide, not that the chances are even. With
        simultaneous sets all statements hold at once with probability `level`.

        Parameters
        ----------
        places : int or mapping
            Number of the best, or number by group where units are ranked within groups.

        Returns
        -------
        DataFrame
            Index unit; name, within, rank, low, high, places, status.

        Raises
        ------
        PerfmethodError
            If a group has no number of places.
        """
        table = self.sets[["name", "within", "rank", "low", "high"]].copy()
        if isinstance(places, Mapping):
            lacking = sorted(set(table["within"]) - set(places))
            if lacking:
                raise PerfmethodError(
                    f"found no places of '{lacking[0]}'; allowed: a number for each group"
                )
            table["places"] = table["within"].map(dict(places)).astype(int)
        else:
            table["places"] = int(places)
        status = np.where(table["high"] <= table["places"], STATUSES[0], STATUSES[1])
        status = np.where(table["low"] > table["places"], STATUSES[2], status)
        table["status"] = pd.Categorical(status, categories=list(STATUSES), ordered=True)
        return table.sort_values(["within", "status", "rank"], kind="stable")

    def plot(self, ax: Axes | None = None, *, within: str | None = None, lang: str = "zh") -> Axes:
        """Draw the sets, best rank on top.

        Parameters
        ----------
        ax : Axes, optional
        within : str, optional
            Only the units of one group.
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If there is no such group.
        """
        from perfmethod.ranking.figures import draw

        shown = self.to_frame()
        if within is not None:
            shown = shown[shown["within"] == within]
            if shown.empty:
                known = list(self.sets["within"].unique())
                raise PerfmethodError(f"found group '{within}'; allowed: {suggest(within, known)}")
        return draw(shown, self.level, self.simultaneous, ax, lang)


def rank_sets(
    of: Evaluation | tuple[ArrayLike, ArrayLike],
    *,
    level: float = 0.95,
    simultaneous: bool = True,
    within: str | pd.Series | Sequence[str] | None = None,
    stepwise: bool = True,
    draws: int = 2**16,
    seed: int = 0,
) -> RankSets:
    """Confidence sets for the ranks of units, from their estimates and the errors of these.

    Parameters
    ----------
    of : Evaluation, or pair (estimates, covariance)
        An evaluation gives its totals with the covariance that the sampling of raters gives them
        (other errors of the scores are not in it). A pair gives estimates (u,), a Series to have
        names, with their covariance (u, u), or standard errors (u,) of independent estimates.
    level : float, default 0.95
    simultaneous : bool, default True
        Whether all sets are to hold at once; otherwise each one by itself.
    within : str, Series or sequence, optional
        Rank only within groups: a column of units or labels by unit. An evaluation ranks within
        classes by default, as its ranks do. Where places are given by group this is the right
        family of comparisons, and the sets are narrower.
    stepwise : bool, default True
        The improvement by steps, which keeps the level.
    draws : int, default 65,536
        Normal draws that the critical value is taken from (`normal_draws`). With the default the
        bounds of some eighty units hardly depend on the seed; 10,000 do for a first look.
    seed : int, default 0

    Returns
    -------
    RankSets

    Raises
    ------
    PerfmethodError
        If an evaluation has no ballots, so that its totals have no standard errors, or most of the
        survey's weight rests on answers whose error cannot be measured; if the estimates and
        errors do not fit.

    References
    ----------
    Mogstad, Romano, Shaikh and Wilhelm, *Review of Economic Studies* 91 (2024), 476-518.

    Examples
    --------
    >>> found = rank_sets((pd.Series({"A": 90.0, "B": 80.0, "C": 79.0}), [1.0, 1.0, 1.0]))
    >>> found.to_frame()[["rank", "low", "high"]]
       rank  low  high
    A     1    1     1
    B     2    2     3
    C     3    2     3
    >>> found.best(2)["status"].tolist()
    ['surely', 'possibly', 'possibly']
    """
    table, covariance, unmeasured = _given(of, within)
    estimates = table["estimate"].to_numpy()
    same = table["within"].to_numpy()[:, None] == table["within"].to_numpy()
    noise = normal_draws(covariance, draws, seed)
    found = rank_bounds(
        estimates, noise, pair_errors(covariance), level=level, simultaneous=simultaneous,
        stepwise=stepwise, compared=same,
    )  # fmt: skip
    code = pd.factorize(table["within"])[0]
    table["units"] = same.sum(axis=1)
    table["rank"] = rank(estimates, by=code)
    table["low"], table["high"] = found.low, found.high
    columns = ["name", "within", "units", "estimate", "se", "rank", "low", "high"]
    if unmeasured is not None:
        table["unmeasured_weight"] = unmeasured.units
        columns.append("unmeasured_weight")
    pairs = int((same.sum() - len(table)) // 2)
    source = "given" if isinstance(of, tuple) else "survey"
    meta = {"source": source, "critical": found.critical, "steps": found.steps, "draws": draws,
            "seed": seed, "pairs": pairs}  # fmt: skip
    lost = (None, ()) if unmeasured is None else (unmeasured.weight, unmeasured.lonely)
    return RankSets(level, simultaneous, table[columns], meta, *lost)


def _given(
    of: Evaluation | tuple[ArrayLike, ArrayLike], within: Any
) -> tuple[pd.DataFrame, Array, Unmeasured | None]:
    """Names, groups, estimates and standard errors; their covariance; what is not in it."""
    if isinstance(of, tuple):
        table, covariance = _plain(*of)
        labels = "all" if within is None else _labels(within, table.index)
        return table.assign(within=labels), covariance, None
    totals, covariance, unmeasured = measured_errors(of)
    table = of.scores[["name"]].assign(estimate=totals)
    table["se"] = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    chosen = "class" if within is None else within
    if isinstance(chosen, str):
        units = of.year.units
        if chosen not in units:
            raise PerfmethodError(
                f"found column '{chosen}'; allowed: {suggest(chosen, map(str, units.columns))}"
            )
        chosen = units[chosen]
    table["within"] = _labels(chosen, table.index)
    return table, covariance, unmeasured


def _plain(estimates: ArrayLike, errors: ArrayLike) -> tuple[pd.DataFrame, Array]:
    """Table and covariance of plain estimates; standard errors are squared."""
    x = pd.Series(estimates, dtype=float)
    given = np.asarray(errors, dtype=float)
    if given.shape not in ((x.size,), (x.size, x.size)) or not x.size:
        raise PerfmethodError(
            f"found {x.size} estimates and errors of shape {given.shape}; "
            "allowed: standard errors (u,) or a covariance (u, u)"
        )
    variance = given**2 if given.ndim == 1 else np.diag(given)
    if not np.isfinite(x).all() or not np.isfinite(given).all() or (variance < 0).any():
        raise PerfmethodError("found a missing estimate or error; allowed: finite numbers")
    if given.ndim == 1 and (given < 0).any():
        raise PerfmethodError(f"found standard error {given.min()}; allowed: 0 or more")
    if given.ndim == 2 and not is_symmetric(given):
        raise PerfmethodError("found a covariance that is not symmetric; allowed: a symmetric one")
    table = pd.DataFrame({"estimate": x, "se": np.sqrt(variance)})
    return table.assign(name=table.index.astype(str)), (
        np.diag(variance) if given.ndim == 1 else given
    )


def _labels(within: Any, index: pd.Index) -> NDArray[Any]:
    labels = within.reindex(index) if isinstance(within, pd.Series) else pd.Series(list(within))
    if len(labels) != len(index) or labels.isna().any():
        raise PerfmethodError(
            f"found {int(labels.notna().sum())} labels for {len(index)} units; "
            "allowed: one for each"
        )
    return labels.astype(str).to_numpy(dtype=object)
