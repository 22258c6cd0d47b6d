"""Stringency of panels: group effects, grades along delta, the burden of links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfmethod.display import show
from perfmethod.plots.house import (
    PALETTE,
    finish,
    key,
    need_columns,
    new_axes,
    rows_axis,
    style,
    words,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["delta_bands", "group_effects", "linking_burden"]

_WORDS = {
    "zh": {
        "effect": "评审分高出锚定指标所示的分数(负为偏严或绩效偏低)",
        "interval": "{level}%区间", "point": "组效应", "shrunk": "收缩后",
        "delta": "δ: 组间差异中视为尺度的份额(0为全是绩效, 1为全是尺度)",
        "ratings": "评分总次数", "error": "跨组比较的最大标准误(分)",
        "within": "组内比较的标准误", "chosen": "满足要求的最省方案",
        "common": "共同评委", "ring": "邻组互评",
    },
    "en": {
        "effect": "Points above what the anchors say (negative: strict, or weaker)",
        "interval": "{level} % interval", "point": "group effect", "shrunk": "after shrinkage",
        "delta": "δ: share of group differences taken as stringency (0: all performance)",
        "ratings": "Ratings in all", "error": "Largest standard error between groups (points)",
        "within": "standard error inside groups", "chosen": "cheapest that is precise enough",
        "common": "common raters", "ring": "ring of neighbors",
    },
}  # fmt: skip


def group_effects(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    level: float = 0.95,
    title: str = "",
    language: str = "zh",
) -> Axes:
    """Draw each group's effect with its interval, and the shrunk one.

    Parameters
    ----------
    frame : DataFrame
        One row per group, in the order of the figure: ``name``, ``effect``, ``low``, ``high``,
        ``shrunk``.
    ax : Axes, optional
        Where to draw; a new figure by default.
    level : float, default 0.95
        Of the intervals, for the key.
    title : str
        The finding.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing or the table is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"name": ["甲组"], "effect": [-2.0], "low": [-4.0], "high": [0.0],
    ...                       "shrunk": [-1.5]})
    >>> group_effects(frame).get_yticklabels()[0].get_text()
    '甲组'
    """
    from matplotlib.lines import Line2D

    need_columns(frame, "name", "effect", "low", "high", "shrunk")
    said = words(language, _WORDS)
    interval = said["interval"].format(level=show(100 * level, 0))
    with style():
        ax = new_axes(ax, height=1.8 + 0.42 * len(frame))
        at = [float(i) for i in range(len(frame))]
        ax.axvline(0.0, color=PALETTE["ink"], lw=1, zorder=1)
        ax.hlines(at, frame["low"], frame["high"], color=PALETTE["sky"], lw=5, gid="interval",
                  zorder=2)  # fmt: skip
        ax.scatter(frame["effect"], at, s=34, color=PALETTE["blue"], gid="effect", zorder=3)
        hollow: dict[str, Any] = {
            "facecolor": "white",
            "edgecolor": PALETTE["vermillion"],
            "linewidths": 1.5,
        }
        ax.scatter(frame["shrunk"], at, s=34, marker="D", gid="shrunk", zorder=4, **hollow)
        rows_axis(ax, [str(n) for n in frame["name"]], at)
        ax.grid(axis="x")
        key(ax, [
            Line2D([], [], color=PALETTE["sky"], lw=5, label=interval),
            Line2D([], [], marker="o", ms=6, ls="", color=PALETTE["blue"], label=said["point"]),
            Line2D([], [], marker="D", ms=6, ls="", mfc="white", mew=1.5,
                   color=PALETTE["vermillion"], label=said["shrunk"]),
        ])  # fmt: skip
        return finish(ax, title, said["effect"])


def delta_bands(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw for each unit which grade it holds along delta.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and stretch: ``unit`` (name; drawn in the order of first rows), ``low``,
        ``high`` (from 0 to 1), ``grade`` (name), ``best`` (whether it is the best grade).
    ax : Axes, optional
    title : str
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing or the table is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"unit": ["甲", "甲"], "low": [0, 0.4], "high": [0.4, 1],
    ...                       "grade": ["优秀", "合格"], "best": [True, False]})
    >>> [text.get_text() for text in delta_bands(frame).texts]
    ['优秀', '合格']
    """
    need_columns(frame, "unit", "low", "high", "grade", "best")
    said = words(language, _WORDS)
    units = list(frame["unit"].drop_duplicates())
    row = {unit: float(i) for i, unit in enumerate(units)}
    with style():
        ax = new_axes(ax, height=1.7 + 0.42 * len(units))
        at = [row[u] for u in frame["unit"]]
        color = [PALETTE["blue"] if best else PALETTE["pale"] for best in frame["best"]]
        width = frame["high"] - frame["low"]
        ax.barh(at, width, left=frame["low"], height=0.62, color=color, edgecolor="white", zorder=2)
        ink = {True: "white", False: PALETTE["ink"]}
        for y, low, w, grade, best in zip(at, frame["low"], width, frame["grade"], frame["best"],
                                          strict=True):  # fmt: skip
            if w > 0.12:
                ax.text(low + w / 2, y, str(grade), ha="center", va="center", fontsize=9,
                        color=ink[bool(best)], zorder=3)  # fmt: skip
        rows_axis(ax, [str(u) for u in units], list(row.values()))
        ax.set_xlim(0, 1)
        return finish(ax, title, said["delta"])


def linking_burden(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    cheapest: int | None = None,
    title: str = "",
    language: str = "zh",
) -> Axes:
    """Draw the largest error between groups against the number of ratings, design by design.

    Parameters
    ----------
    frame : DataFrame
        One row per design: ``kind``, ``ratings``, ``cross_worst``, ``within``, ``best`` (on the
        line of those that no cheaper one beats). Designs without a finite error are not drawn.
    ax : Axes, optional
    cheapest : int, optional
        Label of the row to mark.
    title : str
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing or the table is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"kind": ["common"], "ratings": [392], "cross_worst": [0.78],
    ...                       "within": [0.5], "best": [True]})
    >>> linking_burden(frame, language="en").get_xlabel()
    'Ratings in all'
    """
    import numpy as np

    need_columns(frame, "kind", "ratings", "cross_worst", "within", "best")
    said = words(language, _WORDS)
    shown = frame[np.isfinite(frame["cross_worst"].to_numpy(float))]
    with style():
        ax = new_axes(ax, height=4.8)
        for kind, color, marker in (("common", "blue", "o"), ("ring", "orange", "s")):
            mine = shown[shown["kind"] == kind]
            ax.scatter(mine["ratings"], mine["cross_worst"], s=22, marker=marker, gid=kind,
                       color=PALETTE[color], label=said[kind], zorder=2)  # fmt: skip
        line = shown[shown["best"]].sort_values("ratings")
        ax.plot(line["ratings"], line["cross_worst"], color=PALETTE["grey"], lw=1, zorder=1)
        ax.plot(line["ratings"], line["within"], color=PALETTE["green"], lw=1.5, ls="--",
                label=said["within"], zorder=1)  # fmt: skip
        if cheapest is not None:
            row = frame.loc[[cheapest]]
            ax.scatter(row["ratings"], row["cross_worst"], s=130, facecolor="none", gid="cheapest",
                       edgecolor=PALETTE["vermillion"], linewidths=2, label=said["chosen"],
                       zorder=3)  # fmt: skip
        ax.set_ylim(bottom=0)
        ax.grid(axis="y")
        key(ax, ax.get_legend_handles_labels()[0])
        return finish(ax, title, said["ratings"], said["error"])
