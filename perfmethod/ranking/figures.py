"""Picture of confidence sets for ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmethod.display import show

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw"]

_TITLE = {
    "zh": "名次的{level}%{kind}置信集: 平均{width}个名次",
    "en": "{kind} {level} % sets for ranks: {width} places on average",
}
_KIND = {"zh": {True: "联合", False: "单独"}, "en": {True: "Simultaneous", False: "Marginal"}}
_WORDS = {
    "zh": {"rank": "名次", "set": "置信集", "observed": "观测名次"},
    "en": {"rank": "Rank", "set": "confidence set", "observed": "observed rank"},
}


def draw(sets: pd.DataFrame, level: float, simultaneous: bool, ax: Axes | None, lang: str) -> Axes:
    """Draw one bar per unit from the best to the worst rank of its set, and the observed rank."""
    from matplotlib.lines import Line2D

    from perfmethod.plots.house import PALETTE, finish, key, new_axes, rows_axis, style

    said = _WORDS[lang]
    width = (sets["high"] - sets["low"] + 1).mean()
    title = _TITLE[lang].format(
        level=show(100 * level, 0), kind=_KIND[lang][simultaneous], width=show(width, 1)
    )
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(sets))
        at = [float(i) for i in range(len(sets))]
        low, high = sets["low"].to_numpy(float), sets["high"].to_numpy(float)
        ax.hlines(at, low, high, color=PALETTE["sky"], lw=5, gid="set", zorder=2)
        ax.scatter(sets["rank"], at, s=26, color=PALETTE["blue"], gid="rank", zorder=3)
        rows_axis(ax, [str(name) for name in sets["name"]], at)
        ax.set_xlim(0.3, float(high.max()) + 0.7)
        ax.grid(axis="x")
        key(ax, [Line2D([], [], color=PALETTE["sky"], lw=5, label=said["set"]),
                 Line2D([], [], marker="o", ms=5, ls="", color=PALETTE["blue"],
                        label=said["observed"])])  # fmt: skip
        return finish(ax, title, said["rank"])
