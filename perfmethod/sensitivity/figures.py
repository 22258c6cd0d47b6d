"""Figures of the Monte Carlo and one-at-a-time results, from plain tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from perfmethod import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.sensitivity.block_map import BlockMap
    from perfmethod.sensitivity.monte_carlo import MonteCarlo
    from perfmethod.sensitivity.one_at_a_time import OneAtATime

__all__ = ["acceptability_map", "intervals", "tornado_bars", "triangle"]


def intervals(result: MonteCarlo, ax: Axes | None, lang: str) -> Axes:
    """Rank intervals of every unit."""
    frame = result.ranks.rename(columns={"name": "unit"})
    frame = frame.sort_values(["class", "expected"], kind="stable")
    return plots.rank_intervals(frame, ax, language=lang)


def acceptability_map(result: MonteCarlo, ax: Axes | None, lang: str) -> Axes:
    """Heat map of the shares of draws with each rank."""
    ranks = result.ranks
    order = ranks.sort_values(["class", "expected"], kind="stable").index
    shares = result.acceptability.loc[order]
    long = pd.DataFrame(
        {
            "unit": ranks.loc[order, "name"].repeat(shares.shape[1]).to_numpy(),
            "rank": list(shares.columns) * len(shares),
            "share": shares.to_numpy().ravel(),
        }
    )
    return plots.acceptability(long, ax, language=lang)


def tornado_bars(result: OneAtATime, ax: Axes | None, top: int, lang: str) -> Axes:
    """The changes that move most."""
    frame = result.to_frame()
    kept = frame["label"].drop_duplicates().head(top)
    frame = frame[frame["label"].isin(kept) & (frame["failed"] == "")]
    return plots.tornado(frame, ax, language=lang)


def triangle(result: BlockMap, ax: Axes | None, lang: str) -> Axes:
    """Map over the weights of three siblings."""
    frame = result.table[result.table["failed"] == ""]
    return plots.weight_triangle(
        frame, ax, corners=result.children, nominal=result.nominal, language=lang
    )
