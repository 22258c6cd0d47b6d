"""Where variance comes from, and what more ballots would do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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

__all__ = ["component_bars", "reliability_curves"]

_BARS = {
    "zh": {"variance": "方差分量(分²)与{}区间"},
    "en": {"variance": "Variance component (points squared), {} interval"},
}
_CURVES = {
    "zh": {"ballots": "每单位评议票数", "reliability": "信度", "absolute": "可靠性指数Φ(绝对决策)",
           "relative": "概化系数Eρ²(相对决策)", "target": "目标"},
    "en": {"ballots": "Ballots per unit", "reliability": "Reliability",
           "absolute": "dependability Φ (absolute)",
           "relative": "generalizability Eρ² (relative)", "target": "target"},
}  # fmt: skip
_COLORS = {"absolute": "blue", "relative": "vermillion"}


def component_bars(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    level: float = 0.95,
    language: str = "zh",
) -> Axes:
    """Draw variance components as bars with their intervals, each with its share of the sum.

    Parameters
    ----------
    frame : DataFrame
        One row per component: ``term`` (a name), ``variance``, ``lower``, ``upper``.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    level : float
        Of the intervals, for the axis.
    language : {"zh", "en"}
        Of the axis.

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
    >>> frame = pd.DataFrame({"term": ["单位", "残差"], "variance": [1.0, 3.0],
    ...                       "lower": [0.5, 2.0], "upper": [2.0, 4.5]})
    >>> [text.get_text() for text in component_bars(frame).texts]
    ['25.0 %', '75.0 %']
    """
    need_columns(frame, "term", "variance", "lower", "upper")
    said = words(language, _BARS)
    variance = frame["variance"].to_numpy(float)
    lower, upper = frame["lower"].to_numpy(float), frame["upper"].to_numpy(float)
    rows = list(range(len(frame)))
    with style():
        ax = new_axes(ax, height=1.4 + 0.45 * len(frame))
        ax.barh(rows, variance, height=0.62, color=PALETTE["sky"], gid="variance")
        around = np.stack([variance - lower, upper - variance]).clip(min=0.0)
        ax.errorbar(variance, rows, xerr=around, fmt="none", ecolor=PALETTE["ink"], capsize=3)
        for row, share, end in zip(rows, variance / variance.sum(), upper, strict=True):
            ax.annotate(f"{show(100 * share, 1)} %", (end, row), (6, 0), va="center",
                        textcoords="offset points", color=PALETTE["ink"], fontsize=9)  # fmt: skip
        rows_axis(ax, [str(t) for t in frame["term"]], [float(r) for r in rows])
        ax.grid(axis="x")
        ax.set_xlim(0, 1.1 * float(np.nanmax(upper)))
        return finish(ax, title, said["variance"].format(f"{level:.0%}"))


def reliability_curves(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    target: float | None = None,
    language: str = "zh",
) -> Axes:
    """Draw reliability against ballots per unit, with bands for the intervals.

    Parameters
    ----------
    frame : DataFrame
        One row per point: ``ballots``, ``kind`` (absolute, relative), ``reliability``, ``lower``,
        ``upper``; bands are drawn where the last two are there.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    target : float, optional
        Drawn as a line.
    language : {"zh", "en"}
        Of the axes and the key.

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing, the table is empty, or a kind is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ballots": [100, 400], "kind": "absolute", "reliability": [0.7, 0.9],
    ...                       "lower": [0.6, 0.85], "upper": [0.8, 0.93]})
    >>> [line.get_label() for line in reliability_curves(frame, language="en").lines]
    ['dependability Φ (absolute)']
    """
    need_columns(frame, "ballots", "kind", "reliability", "lower", "upper")
    said = words(language, _CURVES)
    with style():
        ax = new_axes(ax, height=4.8)
        lines: list[Any] = []
        for kind in frame["kind"].drop_duplicates():
            words(str(kind), {name: {} for name in _COLORS})
            part = frame[frame["kind"] == kind].sort_values("ballots")
            x = part["ballots"].to_numpy(float)
            color = PALETTE[_COLORS[kind]]
            ends = part["lower"].to_numpy(float), part["upper"].to_numpy(float)
            ax.fill_between(x, *ends, color=color, alpha=0.15, lw=0)
            dash = "-" if kind == "absolute" else "--"
            lines += ax.plot(x, part["reliability"].to_numpy(float), dash, marker="o", ms=4,
                             color=color, label=said[str(kind)])  # fmt: skip
        if target is not None:
            lines.append(ax.axhline(target, color=PALETTE["ink"], lw=1, label=said["target"]))
        ax.set_ylim(top=1.0)
        ax.grid()
        key(ax, lines)
        return finish(ax, title, said["ballots"], said["reliability"])
