"""Fairness between groups: an exact test with its power, gaps taken apart, the funnel of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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

__all__ = ["exact_test", "gap_bars", "portfolio_funnel"]

Floats = NDArray[np.float64]

BINS = 60
_TEST = {
    "zh": {
        "value": "统计量", "probability": "概率", "lottery": "名额随机分配时",
        "alternative": "刚好能以{power}%把握发现的差距", "rejected": "判为有差距的区域",
        "observed": "本年结果 (p = {p})",
    },
    "en": {
        "value": "Statistic", "probability": "Probability", "lottery": "places by lot",
        "alternative": "the gap that is just found with {power} % chance",
        "rejected": "where a gap is called", "observed": "this year (p = {p})",
    },
}  # fmt: skip
_GAPS = {
    "zh": {"points": "与其余单位的差距(分)", "explained": "锚定指标可解释",
           "unexplained": "未解释", "interval": "未解释部分的{level}%区间", "total": "总差距"},
    "en": {"points": "Gap against the rest (points)", "explained": "explained by anchors",
           "unexplained": "unexplained", "interval": "{level} % interval of the unexplained part",
           "total": "whole gap"},
}  # fmt: skip
_FUNNEL = {
    "zh": {"size": "有效任务数", "deviation": "总分与平均的差(分)", "range": "纯属偶然的范围",
           "inside": "范围之内", "outside": "范围之外"},
    "en": {"size": "Effective number of tasks", "deviation": "Total less the mean (points)",
           "range": "range of pure chance", "inside": "inside", "outside": "outside"},
}  # fmt: skip


def exact_test(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    observed: float,
    p: float,
    power: float = 0.8,
    title: str = "",
    language: str = "zh",
) -> Axes:
    """Draw the exact law of a statistic, where it rejects, what was found, what could be found.

    Parameters
    ----------
    frame : DataFrame
        One row per value: ``value``, ``probability`` (by lot), ``rejected`` (whether the test
        calls a gap there) and ``alternative`` (probability under the smallest gap that the test
        finds often enough; missing where it finds none).
    ax : Axes, optional
        Where to draw; a new figure by default.
    observed : float
        Value of the statistic.
    p : float
        Its exact p-value.
    power : float, default 0.8
        With which the alternative is found.
    title : str
        The finding.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing or there is no row.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"value": [0.0, 1.0], "probability": [0.9, 0.1],
    ...     "rejected": [False, True], "alternative": [0.3, 0.7]})
    >>> exact_test(frame, observed=1.0, p=0.1).get_xlabel()
    '统计量'
    """
    need_columns(frame, "value", "probability", "rejected", "alternative")
    said = words(language, _TEST)
    value = frame["value"].to_numpy(float)
    rejected = frame["rejected"].to_numpy(bool)
    edges = np.histogram_bin_edges(np.append(value, observed), bins=BINS)
    chance = np.histogram(value, edges, weights=frame["probability"])[0]
    marks: list[Any] = []
    with style():
        ax = new_axes(ax, height=4.2)
        if rejected.any():
            start = float(value[rejected].min())
            marks.append(ax.axvspan(start, float(edges[-1]), color=PALETTE["band"], zorder=0,
                                    label=said["rejected"], gid="rejected"))  # fmt: skip
        marks.append(ax.stairs(chance, edges, fill=True, color=PALETTE["sky"], zorder=2,
                               label=said["lottery"], gid="lottery"))  # fmt: skip
        if frame["alternative"].notna().all():
            other = np.histogram(value, edges, weights=frame["alternative"])[0]
            label = said["alternative"].format(power=show(100 * power, 0))
            marks.append(ax.stairs(other, edges, color=PALETTE["orange"], lw=1.8, zorder=3,
                                   label=label, gid="alternative"))  # fmt: skip
        label = said["observed"].format(p=show(p, 4))
        marks.append(ax.axvline(observed, color=PALETTE["vermillion"], lw=2, zorder=4,
                                label=label, gid="observed"))  # fmt: skip
        margin = 0.02 * float(edges[-1] - edges[0])
        ax.set_xlim(float(edges[0]) - margin, float(edges[-1]))
        key(ax, marks[::-1])
        return finish(ax, title, said["value"], said["probability"])


def gap_bars(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    level: float = 0.95,
    language: str = "zh",
) -> Axes:
    """Draw gaps as an explained and an unexplained bar, with the interval of the latter.

    Parameters
    ----------
    frame : DataFrame
        One row per group or part, from the top: ``label``, ``explained``, ``unexplained``, ``low``,
        ``high`` (of the unexplained; both 0 where there is none).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    level : float
        Of the intervals.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing or there is no row.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"label": ["G1"], "explained": [2.0], "unexplained": [-5.0],
    ...     "low": [-9.0], "high": [-1.0]})
    >>> [text.get_text() for text in gap_bars(frame).get_yticklabels()]
    ['G1']
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    need_columns(frame, "label", "explained", "unexplained", "low", "high")
    said = words(language, _GAPS)
    interval = said["interval"].format(level=show(100 * level, 0))
    at = np.arange(len(frame), dtype=float)
    explained = frame["explained"].to_numpy(float)
    left = frame["unexplained"].to_numpy(float)
    low, high = frame["low"].to_numpy(float), frame["high"].to_numpy(float)
    with style():
        ax = new_axes(ax, height=1.7 + 0.55 * len(frame))
        ax.barh(at - 0.18, explained, height=0.32, color=PALETTE["grey"], gid="explained")
        ax.barh(at + 0.18, left, height=0.32, color=PALETTE["blue"], gid="unexplained")
        some = low < high
        ax.hlines(at[some] + 0.18, low[some], high[some], color=PALETTE["ink"], lw=1.4,
                  gid="interval")  # fmt: skip
        ax.scatter(explained + left, at, marker="D", s=30, color=PALETTE["vermillion"], zorder=4,
                   gid="total")  # fmt: skip
        ax.axvline(0, color=PALETTE["ink"], lw=0.8)
        ax.grid(axis="x")
        rows_axis(ax, [str(text) for text in frame["label"]], at.tolist())
        red = PALETTE["vermillion"]
        key(ax, [Line2D([], [], marker="D", ms=5, ls="", color=red, label=said["total"]),
                 Patch(color=PALETTE["grey"], label=said["explained"]),
                 Patch(color=PALETTE["blue"], label=said["unexplained"]),
                 Line2D([], [], color=PALETTE["ink"], lw=1.4, label=interval)])  # fmt: skip
        return finish(ax, title, said["points"])


def portfolio_funnel(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw totals against the number of tasks, with the range that chance alone would give.

    Parameters
    ----------
    frame : DataFrame
        One row per unit: ``unit`` (name), ``size`` (effective number of tasks), ``deviation``
        (from the mean, points), ``half`` (half the width of the range of chance).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing or there is no row.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"unit": ["甲", "乙"], "size": [4.0, 9.0],
    ...     "deviation": [30.0, -3.0], "half": [20.0, 14.0]})
    >>> [text.get_text() for text in portfolio_funnel(frame).texts]
    ['甲']
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    need_columns(frame, "unit", "size", "deviation", "half")
    said = words(language, _FUNNEL)
    table = frame.sort_values("size", kind="stable")
    size, away = table["size"].to_numpy(float), table["deviation"].to_numpy(float)
    half = table["half"].to_numpy(float)
    out = np.abs(away) > half
    with style():
        ax = new_axes(ax, height=5.2)
        ax.fill_between(size, -half, half, color=PALETTE["pale"], lw=0, gid="range", zorder=0)
        ax.axhline(0, color=PALETTE["ink"], lw=0.8)
        for kind, mask, color in (("inside", ~out, "blue"), ("outside", out, "vermillion")):
            if mask.any():
                ax.scatter(size[mask], away[mask], s=34, color=PALETTE[color], gid=kind, zorder=3)
        _names(ax, table["unit"][out].tolist(), size[out], away[out])
        dot: dict[str, Any] = {"marker": "o", "ms": 5, "ls": ""}
        colors = {"inside": "blue", "outside": "vermillion"}
        marks = [Line2D([], [], color=PALETTE[c], label=said[k], **dot) for k, c in colors.items()]
        key(ax, [Patch(color=PALETTE["pale"], label=said["range"]), *marks])
        return finish(ax, title, said["size"], said["deviation"])


def _names(ax: Axes, names: list[Any], x: Floats, y: Floats) -> None:
    """Name points: on their right; where another stands close there, above or below, off it."""
    wide, high = 0.2 * float(np.ptp(ax.get_xlim())), 0.05 * float(np.ptp(ax.get_ylim()))
    for i, name in enumerate(names):
        close = (x > x[i]) & (x - x[i] < wide) & (np.abs(y - y[i]) < high)
        off = -10 if close.any() and (y[close] >= y[i]).any() else 8
        away = (-4, off) if close.any() else (6, 0)
        ax.annotate(str(name), (x[i], y[i]), away, textcoords="offset points", va="center",
                    fontsize=8.5, color=PALETTE["ink"])  # fmt: skip
