"""Figures of the Monte Carlo and one-at-a-time results, from plain tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
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
        "no intervals": "No unit of {1} has a rank interval {2} or more places wide",
        "no acceptability": "No unit has one rank in most of the draws",
        "no tornado": "No change moves a rank",
        "no lists": "{0}; none of {2} changes alters the list of the best grade",
        "no triangle": "No split has the scheme's own list",
        "intervals": "{} of {} units have a rank interval at least {} places wide",
        "acceptability": "{} of {} units have one rank in most of the draws",
        "tornado": "{} moves ranks most: {} places on average",
        "lists": "{}; {} of {} changes alter the list of the best grade",
        "triangle": "{} % of all splits have the scheme's own list",
    },
    "zh": {
        "no intervals": "{1}个单位的名次区间都窄于{2}位",
        "no acceptability": "没有单位在多数抽样中名次相同",
        "no tornado": "没有任何变动改变名次",
        "no lists": "{0}; {2}项变动都不改变最高等次名单",
        "no triangle": "没有一种权重分配与本方案名单相同",
        "intervals": "{}个单位(共{}个)的名次区间不窄于{}位",
        "acceptability": "{}个单位(共{}个)在多数抽样中名次相同",
        "tornado": "对名次影响最大的是{}: 平均变动{}位",
        "lists": "{}; {}项变动(共{}项)改变最高等次名单",
        "triangle": "{}%的权重分配与本方案名单相同",
    },
}


def _title(lang: str, kind: str, n: int, *numbers: int) -> str:
    """The finding; none is said in words."""
    return _TITLES[lang][kind if n else f"no {kind}"].format(n, *numbers)


def intervals(result: MonteCarlo, ax: Axes | None, lang: str) -> Axes:
    """Rank intervals of every unit."""
    frame = result.ranks.rename(columns={"name": "unit"})
    frame = frame.sort_values(["class", "expected"], kind="stable")
    wide = int((frame["high"] - frame["low"] >= WIDE).sum())
    title = _title(lang, "intervals", wide, len(frame), WIDE)
    return plots.rank_intervals(frame, ax, title=title, language=lang)


def acceptability_map(result: MonteCarlo, ax: Axes | None, lang: str) -> Axes:
    """Heat map of the shares of draws with each rank."""
    ranks = result.ranks
    order = ranks.sort_values(["class", "expected"], kind="stable").index
    return rank_shares(result.acceptability.loc[order], list(ranks.loc[order, "name"]), ax, lang)


def rank_shares(shares: pd.DataFrame, names: list[str], ax: Axes | None, lang: str) -> Axes:
    """Heat map of shares by unit and rank, (u, r), units in the order given."""
    long = pd.DataFrame(
        {
            "unit": np.repeat(names, shares.shape[1]),
            "rank": list(shares.columns) * len(shares),
            "share": shares.to_numpy().ravel(),
        }
    )
    sure = int((shares.max(axis=1) > 0.5).sum())
    title = _title(lang, "acceptability", sure, len(shares))
    return plots.acceptability(long, ax, title=title, language=lang)


def tornado_bars(result: OneAtATime, ax: Axes | None, top: int, lang: str) -> Axes:
    """The changes that move most."""
    frame = result.to_frame()
    kept = frame["label"].drop_duplicates().head(top)
    frame = frame[frame["label"].isin(kept) & (frame["failed"] == "")]
    most = frame.nlargest(1, "mean_shift").iloc[0]
    kind = "tornado" if most["mean_shift"] > 0 else "no tornado"
    title = _TITLES[lang][kind].format(most["name"], show(most["mean_shift"]))
    if result.graded:
        whole = result.table
        changing = int((whole["changed"] > 0).sum())
        kind = "lists" if changing else "no lists"
        title = _TITLES[lang][kind].format(title, changing, len(whole))
    return plots.tornado(frame, ax, title=title, language=lang)


def triangle(result: BlockMap, ax: Axes | None, lang: str) -> Axes:
    """Map over the weights of three siblings."""
    frame = result.table[result.table["failed"] == ""]
    same = float((frame["changed"] == 0).mean())
    kind = "triangle" if same > 0 else "no triangle"
    title = _TITLES[lang][kind].format(show(100 * same, 0))
    return plots.weight_triangle(
        frame, ax, corners=result.children, nominal=result.nominal, title=title, language=lang
    )
