"""What weighting of ballots changes, and what it costs in precision."""

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

__all__ = ["design_effects", "score_shift"]

_WORDS = {
    "zh": {
        "shift": "加权后的变化(分)", "interval": "95%区间", "sure": "区间不含0",
        "unsure": "区间含0", "deff": "设计效应(参照: 有放回简单随机抽样)",
        "all": "权重、分层与评议人重复评议合计", "weighting": "仅因权重不等",
        "one": "与简单随机抽样相同",
    },
    "en": {
        "shift": "Change by weighting (points)", "interval": "95 % interval",
        "sure": "the interval leaves 0 out", "unsure": "the interval has 0 in it",
        "deff": "Design effect (reference: simple random sample with replacement)",
        "all": "weights, strata and raters together", "weighting": "unequal weights alone",
        "one": "as a simple random sample",
    },
}  # fmt: skip


def score_shift(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw how far each unit's score moves, with the interval of the change.

    Parameters
    ----------
    frame : DataFrame
        One row per unit, in the order of the figure: ``unit`` (name), ``change``, ``low``,
        ``high`` (points).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
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
    >>> frame = pd.DataFrame({"unit": ["民政局", "教育局"], "change": [1.0, -0.2],
    ...                       "low": [0.5, -0.9], "high": [1.5, 0.5]})
    >>> [label.get_text() for label in score_shift(frame).get_yticklabels()]
    ['民政局', '教育局']
    """
    need_columns(frame, "unit", "change", "low", "high")
    said = words(language, _WORDS)
    low, high = frame["low"].to_numpy(float), frame["high"].to_numpy(float)
    change, sure = frame["change"].to_numpy(float), (low > 0) | (high < 0)
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(frame))
        rows = [float(i) for i in range(len(frame))]
        ax.hlines(rows, low, high, color=PALETTE["sky"], lw=4, gid="interval", zorder=2)
        for kind, mask in (("sure", sure), ("unsure", ~sure)):
            if mask.any():
                at = [r for r, m in zip(rows, mask, strict=True) if m]
                ax.scatter(change[mask], at, gid=kind, zorder=3, **_dot(kind))
        ax.axvline(0.0, color=PALETTE["ink"], lw=1, zorder=1)
        rows_axis(ax, [str(u) for u in frame["unit"]], rows)
        ax.grid(axis="x")
        key(ax, _shift_marks(said, sure))
        return finish(ax, title, said["shift"])


def _dot(kind: str) -> dict[str, Any]:
    blue = PALETTE["blue"]
    look = {"color": blue} if kind == "sure" else {"facecolors": "white", "edgecolors": blue}
    return {"s": 30, "linewidths": 1.3, **look}


def _shift_marks(said: Any, sure: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    blue = PALETTE["blue"]
    dot: dict[str, Any] = {"marker": "o", "ls": "", "ms": 5.5, "mew": 1.3}
    marks = [Line2D([], [], color=PALETTE["sky"], lw=4, label=said["interval"])]
    if sure.any():
        marks.append(Line2D([], [], color=blue, label=said["sure"], **dot))
    if not sure.all():
        marks.append(Line2D([], [], mfc="white", mec=blue, label=said["unsure"], **dot))
    return marks


def design_effects(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw the design effect of each unit beside the part that unequal weights alone explain.

    Parameters
    ----------
    frame : DataFrame
        One row per unit, in the order of the figure: ``unit`` (name), ``deff`` and
        ``deff_weighting``.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
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
    >>> frame = pd.DataFrame({"unit": ["民政局"], "deff": [1.4], "deff_weighting": [1.6]})
    >>> design_effects(frame).get_xlabel()
    '设计效应(参照: 有放回简单随机抽样)'
    """
    need_columns(frame, "unit", "deff", "deff_weighting")
    said = words(language, _WORDS)
    deff, part = frame["deff"].to_numpy(float), frame["deff_weighting"].to_numpy(float)
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(frame))
        rows = [float(i) for i in range(len(frame))]
        ax.hlines(rows, deff, part, color=PALETTE["rule"], lw=2, zorder=1)
        ax.scatter(part, rows, gid="weighting", zorder=2, s=30, marker="D",
                   facecolors="white", edgecolors=PALETTE["vermillion"])  # fmt: skip
        ax.scatter(deff, rows, gid="deff", zorder=3, s=34, color=PALETTE["blue"])
        ax.axvline(1.0, color=PALETTE["ink"], lw=1, zorder=1)
        rows_axis(ax, [str(u) for u in frame["unit"]], rows)
        ax.xaxis.set_major_formatter(lambda x, _: show(x, 1))
        ax.grid(axis="x")
        key(ax, _effect_marks(said))
        return finish(ax, title, said["deff"])


def _effect_marks(said: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"ls": "", "ms": 5.5}
    red = PALETTE["vermillion"]
    return [
        Line2D([], [], marker="o", color=PALETTE["blue"], label=said["all"], **dot),
        Line2D([], [], marker="D", mfc="white", mec=red, label=said["weighting"], **dot),
        Line2D([], [], color=PALETTE["ink"], lw=1, label=said["one"]),
    ]
