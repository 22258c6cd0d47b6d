"""How harsh categories of raters are, and what units score without it."""

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

__all__ = ["adjusted_scores", "severity_map"]

_MAP = {
    "zh": {"axis": "宽严(分; 右边严, 左边宽)", "raters": "中间80%的评议人", "interval": "{}%区间",
           "severity": "类别的宽严", "second": "序次模型"},
    "en": {"axis": "Severity (points; harsh to the right)", "raters": "middle 80 % of raters",
           "interval": "{} % interval", "severity": "category's severity",
           "second": "ordinal model"},
}  # fmt: skip
_SCORES = {
    "zh": {"axis": "评议得分", "raw": "原始得分", "interval": "{}%区间", "adjusted": "调整后得分",
           "fair": "序次模型"},
    "en": {"axis": "Review score", "raw": "raw score", "interval": "{} % interval",
           "adjusted": "adjusted score", "fair": "ordinal model"},
}  # fmt: skip


def severity_map(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    level: float = 0.95,
    language: str = "zh",
) -> Axes:
    """Draw each category's severity with its interval on the spread of its raters.

    Parameters
    ----------
    frame : DataFrame
        One row per category, in the order of the figure: ``category`` (name), ``severity``,
        ``lower``, ``upper``, ``rater_low``, ``rater_high`` (missing where too few raters are to be
        shown), and optionally ``second`` (the severity by another model).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    level : float
        Of the intervals, for the key.
    language : {"zh", "en"}
        Of the axis and the key.

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
    >>> frame = pd.DataFrame({"category": ["网民", "市民"], "severity": [1.0, -1.0],
    ...     "lower": [0.5, -1.6], "upper": [1.5, -0.4], "rater_low": [-4.0, -6.0],
    ...     "rater_high": [6.0, 4.0]})
    >>> [label.get_text() for label in severity_map(frame).get_yticklabels()]
    ['网民', '市民']
    """
    need_columns(frame, "category", "severity", "lower", "upper", "rater_low", "rater_high")
    said = words(language, _MAP)
    with style():
        ax = new_axes(ax, height=1.7 + 0.32 * len(frame))
        rows = [float(i) for i in range(len(frame))]
        band: dict[str, Any] = {"color": PALETTE["sky"], "lw": 9, "alpha": 0.45, "zorder": 1}
        ax.hlines(rows, frame["rater_low"].to_numpy(float), frame["rater_high"].to_numpy(float),
                  gid="raters", **band)  # fmt: skip
        _interval(ax, frame, rows)
        ax.scatter(frame["severity"], rows, s=34, color=PALETTE["blue"], gid="severity", zorder=3)
        if "second" in frame:
            ax.scatter(frame["second"], rows, s=46, marker="|", color=PALETTE["vermillion"],
                       linewidths=1.6, gid="second", zorder=4)  # fmt: skip
        ax.axvline(0.0, color=PALETTE["ink"], lw=0.8, zorder=0)
        rows_axis(ax, [str(c) for c in frame["category"]], rows)
        ax.grid(axis="x")
        marks = [
            _line(said["raters"], color=PALETTE["sky"], lw=9, alpha=0.45),
            _line(said["interval"].format(show(100 * level, 0)), color=PALETTE["ink"], lw=2),
            _line(said["severity"], marker="o", ls="", color=PALETTE["blue"]),
        ]
        if "second" in frame:
            marks.append(_second(said["second"]))
        key(ax, marks)
        return finish(ax, title, said["axis"])


def adjusted_scores(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    level: float = 0.95,
    language: str = "zh",
) -> Axes:
    """Draw units with their adjusted scores and intervals, and the raw scores beside them.

    Parameters
    ----------
    frame : DataFrame
        One row per unit, in the order of the figure: ``unit`` (name), ``raw``, ``adjusted``,
        ``lower``, ``upper``, and optionally ``fair`` (the score by another model).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    level : float
        Of the intervals, for the key.
    language : {"zh", "en"}
        Of the axis and the key.

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
    >>> frame = pd.DataFrame({"unit": ["民政局", "教育局"], "raw": [88.0, 86.0],
    ...     "adjusted": [87.5, 87.0], "lower": [86.5, 86.0], "upper": [88.5, 88.0]})
    >>> [label.get_text() for label in adjusted_scores(frame).get_yticklabels()]
    ['民政局', '教育局']
    """
    need_columns(frame, "unit", "raw", "adjusted", "lower", "upper")
    said = words(language, _SCORES)
    with style():
        ax = new_axes(ax, height=1.7 + 0.235 * len(frame))
        rows = [float(i) for i in range(len(frame))]
        _interval(ax, frame, rows, color=PALETTE["sky"], lw=5)
        ax.scatter(frame["adjusted"], rows, s=26, color=PALETTE["blue"], gid="adjusted", zorder=3)
        ax.scatter(frame["raw"], rows, s=30, facecolors="white", edgecolors=PALETTE["ink"],
                   linewidths=1.2, gid="raw", zorder=4)  # fmt: skip
        if "fair" in frame:
            ax.scatter(frame["fair"], rows, s=42, marker="|", color=PALETTE["vermillion"],
                       linewidths=1.6, gid="fair", zorder=5)  # fmt: skip
        rows_axis(ax, [str(u) for u in frame["unit"]], rows)
        ax.grid(axis="x")
        marks = [
            _line(said["raw"], marker="o", ls="", markerfacecolor="white",
                  markeredgecolor=PALETTE["ink"]),
            _line(said["interval"].format(show(100 * level, 0)), color=PALETTE["sky"], lw=5),
            _line(said["adjusted"], marker="o", ls="", color=PALETTE["blue"]),
        ]  # fmt: skip
        if "fair" in frame:
            marks.append(_second(said["fair"]))
        key(ax, marks)
        return finish(ax, title, said["axis"])


def _interval(
    ax: Axes, frame: pd.DataFrame, rows: list[float], color: str = "", lw: float = 2
) -> None:
    ends = frame["lower"].to_numpy(float), frame["upper"].to_numpy(float)
    ax.hlines(rows, *ends, color=color or PALETTE["ink"], lw=lw, gid="interval", zorder=2)


def _line(label: str, **looks: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=label, **looks)


def _second(label: str) -> Any:
    return _line(label, marker="|", ls="", ms=8, mew=1.6, color=PALETTE["vermillion"])
