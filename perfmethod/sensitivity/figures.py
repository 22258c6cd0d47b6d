"""Figures of the Monte Carlo and one-at-a-time results, from plain tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from perfmethod import plots
from perfmethod.display import show

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.sensitivity.block_map import BlockMap
    from perfmethod.sensitivity.monte_carlo import MonteCarlo
    from perfmethod.sensitivity.one_at_a_time import OneAtATime

__all__ = ["acceptability_map", "intervals", "tornado_bars", "triangle"]

WIDE = 5  # places
_TITLES = {
    "en": {
        "intervals": "{} of {} units have a rank interval at least {} places wide",
        "acceptability": "{} of {} units have one rank in most of the draws",
        "tornado": "{} moves ranks most: {} places on average",
        "lists": "{}; {} of {} changes alter the list of the best grade",
        "triangle": "{} % of all splits have the scheme's own list",
    },
    "zh": {
        "intervals": "{}个单位(共{}个)的名次区间不窄于{}位",
        "acceptability": "{}个单位(共{}个)在多数抽样中名次相同",
        "tornado": "对名次影响最大的是{}: 平均变动{}位",
        "lists": "{}; {}项变动(共{}项)改变最高等次名单",
        "triangle": "{}%的权重分配与本方案名单相同",
    },
}


def intervals(result: MonteCarlo, ax: Axes | None, lang: str) -> Axes:
    """Rank intervals of every unit."""
    frame = result.ranks.rename(columns={"name": "unit"})
    frame = frame.sort_values(["class", "expected"], kind="stable")
    wide = int((frame["high"] - frame["low"] >= WIDE).sum())
    title = _TITLES[lang]["intervals"].format(wide, len(frame), WIDE)
    return plots.rank_intervals(frame, ax, title=title, language=lang)


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
    sure = int((shares.max(axis=1) > 0.5).sum())
    title = _TITLES[lang]["acceptability"].format(sure, len(shares))
    return plots.acceptability(long, ax, title=title, language=lang)


def tornado_bars(result: OneAtATime, ax: Axes | None, top: int, lang: str) -> Axes:
    """The changes that move most."""
    frame = result.to_frame()
    kept = frame["label"].drop_duplicates().head(top)
    frame = frame[frame["label"].isin(kept) & (frame["failed"] == "")]
    most, said = frame.nlargest(1, "mean_shift").iloc[0], _TITLES[lang]
    title = said["tornado"].format(most["name"], show(most["mean_shift"]))
    if result.graded:
        whole = result.table
        title = said["lists"].format(title, int((whole["changed"] > 0).sum()), len(whole))
    return plots.tornado(frame, ax, title=title, language=lang)


def triangle(result: BlockMap, ax: Axes | None, lang: str) -> Axes:
    """Map over the weights of three siblings."""
    frame = result.table[result.table["failed"] == ""]
    same = show(100 * float((frame["changed"] == 0).mean()), 0)
    title = _TITLES[lang]["triangle"].format(same)
    return plots.weight_triangle(
        frame, ax, corners=result.children, nominal=result.nominal, title=title, language=lang
    )
