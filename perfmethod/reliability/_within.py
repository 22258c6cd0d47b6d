"""An index of agreement inside each unit: its table, its mean, and their intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perfmethod.reliability._draws import (
    bias_corrected,
    check_level,
    cluster_weights,
    no_interval,
    percentiles,
)
from perfmethod.reliability.ratings import Ratings, refuse
from perfmethod.reliability.result import Coefficient

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Index", "WithinAgreement", "within_agreement"]

Floats = NDArray[np.float64]

#: An index of each unit (u,) from the weight of each ballot (b,).
Index = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False, repr=False)
class WithinAgreement:
    """An index of agreement for every unit, and its mean.

    Parameters
    ----------
    name : str
        Exact name of the index.
    table : DataFrame
        Index unit; value, low, high (NaN for a unit with a single rater, whose index is not
        defined, and where the bootstrap gave none), raters, note (says so).
    mean : Coefficient
        Mean over the units that have an index.
    """

    name: str
    table: pd.DataFrame
    mean: Coefficient

    def __repr__(self) -> str:
        least, most = self.table["value"].min(), self.table["value"].max()
        return (
            f"<{self.name}: mean {self.mean.value:.4f} over {self.mean.n} units, "
            f"from {least:.4f} to {most:.4f}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """`table`."""
        return self.table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every unit with its interval, the highest value on top.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure by default.
        """
        from perfmethod.plots import PALETTE, style

        rows = self.table.dropna(subset="value").sort_values("value", kind="stable")
        with style():
            if ax is None:
                from matplotlib import pyplot as plt

                ax = plt.subplots(figsize=(7.2, 1 + 0.22 * len(rows)))[1]
            height = np.arange(len(rows))
            ax.hlines(height, rows["low"], rows["high"], color=PALETTE["grey"], lw=2)
            ax.plot(rows["value"], height, "o", ms=5, color=PALETTE["blue"])
            ax.axvline(self.mean.value, color=PALETTE["ink"], lw=1)
            ax.set_yticks(height, [str(unit) for unit in rows.index])
            ax.set_xlabel(self.name)
        return ax


def within_agreement(
    name: str, given: Ratings, index: Index, level: float, draws: int,
    seed: int | np.random.Generator,
) -> WithinAgreement:  # fmt: skip
    import pandas as pd

    check_level(level)
    raw = index(np.ones(given.unit.size))
    if np.isnan(raw).all():
        refuse("no unit with two raters", "at least two ratings of a unit")
    value = np.maximum(raw, 0.0)  # a deviation never is negative
    replicates = np.array(
        [
            np.maximum(index(w[given.rater]), 0.0)
            for w in cluster_weights(given.stratum, draws, seed)
        ]
    ).reshape(draws, raw.size)
    enough = np.isfinite(replicates).sum(axis=0) > draws / 2
    ends = np.full((2, raw.size), np.nan)
    if draws:
        for u in np.flatnonzero(enough & np.isfinite(value)):
            usable = replicates[np.isfinite(replicates[:, u]), u]
            ends[:, u] = bias_corrected(usable, value[u], level)
    table = pd.DataFrame(
        {
            "value": value,
            "low": ends[0],
            "high": ends[1],
            "raters": np.bincount(given.unit, minlength=raw.size),
            "note": _notes(given, raw, enough, draws),
        },
        index=pd.Index(given.units, name="unit"),
    )
    return WithinAgreement(name, table, _mean(name, given, value, replicates, level))


def _notes(given: Ratings, raw: Floats, enough: NDArray[np.bool_], draws: int) -> list[str]:
    asked = np.zeros((len(given.units), len(given.items)), int)
    np.add.at(asked, given.unit, ~np.isnan(given.values))
    short = (asked < 2).sum(axis=1)
    notes = []
    for u in range(raw.size):
        said = []
        if np.isnan(raw[u]):
            said.append("fewer than two raters: no index")
        elif short[u]:
            said.append(f"{short[u]} items with fewer than two answers left out")
        if raw[u] < 0:
            said.append("more spread than without agreement: set to 0")
        if not enough[u] and np.isfinite(raw[u]):
            said.append("no interval: " + ("draws=0" if not draws else "too few raters"))
        notes.append("; ".join(said))
    return notes


def _mean(
    name: str, given: Ratings, value: Floats, replicates: Floats, level: float
) -> Coefficient:
    there = np.isfinite(value)
    interval = no_interval("draws=0")
    if len(replicates):
        # a replicate in which a unit is lost is a mean over the others
        seen = replicates[:, there]
        seen = seen[np.isfinite(seen).any(axis=1)]
        raters = given.stratum.size
        interval = percentiles(
            np.nanmean(seen, axis=1),
            float(value[there].mean()),
            level,
            "raters as clusters",
            raters,
        )
    lost = int((~there).sum())
    return Coefficient(
        name=f"mean {name}",
        value=float(value[there].mean()),
        low=interval.low,
        high=interval.high,
        standard_error=interval.standard_error,
        method=interval.method,
        level=level,
        n=int(there.sum()),
        k=given.stratum.size,
        notes=(
            *((f"{lost} units with fewer than two raters left out",) if lost else ()),
            *interval.notes,
        ),
    )
