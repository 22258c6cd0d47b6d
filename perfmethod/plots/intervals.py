"""How far ranks are uncertain: intervals, a heat map of ranks, a tornado."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfmethod.errors import PerfmethodError
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

__all__ = ["acceptability", "rank_intervals", "tornado"]

_WORDS = {
    "zh": {
        "rank": "类内名次", "interval": "5%至95%的抽样", "median": "中位名次",
        "nominal": "方案名次",
        "share": "抽样份额", "shift": "平均名次变动(位)", "low": "调低", "high": "调高",
        "without": "去掉", "changed": "最高等次名单改变",
    },
    "en": {
        "rank": "Rank in the class", "interval": "5 % to 95 % of the draws",
        "median": "median rank",
        "nominal": "rank under the scheme", "share": "share of the draws",
        "shift": "Mean shift of ranks (places)", "low": "lower", "high": "higher",
        "without": "left out", "changed": "the list of the best grade changes",
    },
}  # fmt: skip
_SIDES = {"low": "sky", "high": "blue", "without": "blue"}


def rank_intervals(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw the interval in which each unit's rank lies, its median and the scheme's own rank.

    Parameters
    ----------
    frame : DataFrame
        One row per unit, in the order of the figure: ``unit`` (name), ``low``, ``median``,
        ``high``, ``nominal`` (ranks).
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
    >>> frame = pd.DataFrame({"unit": ["民政局", "教育局"], "low": [1, 1], "median": [1, 2],
    ...                       "high": [2, 2], "nominal": [1, 2]})
    >>> [label.get_text() for label in rank_intervals(frame).get_yticklabels()]
    ['民政局', '教育局']
    """
    need_columns(frame, "unit", "low", "median", "high", "nominal")
    said = words(language, _WORDS)
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(frame))
        rows = [float(i) for i in range(len(frame))]
        low, high = frame["low"].to_numpy(float), frame["high"].to_numpy(float)
        ax.hlines(rows, low, high, color=PALETTE["sky"], lw=5, gid="interval", zorder=2)
        dots: dict[str, Any] = {"zorder": 3, "linewidths": 1.3}
        ax.scatter(frame["median"], rows, s=26, color=PALETTE["blue"], gid="median", **dots)
        ax.scatter(frame["nominal"], rows, s=42, marker="|", color=PALETTE["vermillion"],
                   gid="nominal", **dots)  # fmt: skip
        rows_axis(ax, [str(u) for u in frame["unit"]], rows)
        ax.set_xlim(0.3, float(high.max()) + 0.7)
        _whole(ax)
        ax.grid(axis="x")
        key(ax, _interval_marks(said))
        return finish(ax, title, said["rank"])


def _whole(ax: Axes) -> None:
    """Ticks at whole ranks only."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def _interval_marks(said: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"ls": "", "mew": 1.3}
    red, blue = PALETTE["vermillion"], PALETTE["blue"]
    return [
        Line2D([], [], color=PALETTE["sky"], lw=5, label=said["interval"]),
        Line2D([], [], marker="o", ms=5, color=blue, label=said["median"], **dot),
        Line2D([], [], marker="|", ms=8, color=red, label=said["nominal"], **dot),
    ]


def acceptability(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw how often each unit has each rank, the darker the more often.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and rank: ``unit`` (name; drawn in the order of first rows), ``rank``,
        ``share`` (0 to 1).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    language : {"zh", "en"}
        Of the axis and the scale.

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing, the table is empty, or a unit has a rank twice.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"unit": ["甲", "甲", "乙"], "rank": [1, 2, 2],
    ...                       "share": [0.9, 0.1, 1.0]})
    >>> acceptability(frame).images[0].get_array().tolist()
    [[0.9, 0.1], [0.0, 1.0]]
    """
    need_columns(frame, "unit", "rank", "share")
    said = words(language, _WORDS)
    if frame.duplicated(["unit", "rank"]).any():
        twice = frame[frame.duplicated(["unit", "rank"])].iloc[0]
        raise PerfmethodError(f"the table to draw has '{twice['unit']}', rank {twice['rank']} more "
                              "than once; once is allowed")  # fmt: skip
    units = list(frame["unit"].drop_duplicates())
    ranks = range(1, int(frame["rank"].max()) + 1)
    wide = frame.pivot(index="unit", columns="rank", values="share").reindex(units, columns=ranks)
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(units))
        image = ax.imshow(wide.fillna(0.0).to_numpy(float), cmap="Blues", vmin=0.0, aspect="auto",
                          extent=(0.5, len(ranks) + 0.5, len(units) - 0.5, -0.5))  # fmt: skip
        rows_axis(ax, [str(u) for u in units], [float(i) for i in range(len(units))])
        ax.set_ylim(len(units) - 0.5, -0.5)
        _whole(ax)
        figure = ax.get_figure(root=True)
        assert figure is not None  # for the type checker: axes always have one here
        bar = figure.colorbar(image, ax=ax, pad=0.02)
        finish(bar.ax, "", "", said["share"])
        return finish(ax, title, said["rank"])


def tornado(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw how far single changes move the list, the largest on top.

    Parameters
    ----------
    frame : DataFrame
        One row per change: ``label`` (identifier), ``name``, ``side`` ("low", "high" or
        "without"), ``mean_shift`` (places), ``changed`` (units that enter or leave the list
        of the best grade). Labels are drawn in the order of their largest shift.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    language : {"zh", "en"}
        Of the axis and the key.

    Returns
    -------
    Axes
        Bars of lower values go left, all others right.

    Raises
    ------
    PerfmethodError
        If a column is missing, the table is empty, or a side is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"label": "w", "name": "权重", "side": ["low", "high"],
    ...                       "mean_shift": [0.5, 1.0], "changed": [0, 2]})
    >>> [float(bar.get_width()) for bars in tornado(frame).containers for bar in bars]
    [-0.5, 1.0]
    """
    need_columns(frame, "label", "name", "side", "mean_shift", "changed")
    said = words(language, _WORDS)
    strange = sorted(set(frame["side"]) - set(_SIDES))
    if strange:
        raise PerfmethodError(f"side '{strange[0]}'; one of {', '.join(_SIDES)} is allowed")
    order = frame.groupby("label")["mean_shift"].max().sort_values(ascending=False, kind="stable")
    row = {label: float(i) for i, label in enumerate(order.index)}
    with style():
        ax = new_axes(ax, height=1.6 + 0.3 * len(row))
        for side in (s for s in _SIDES if (frame["side"] == s).any()):
            part = frame[frame["side"] == side]
            sign = -1.0 if side == "low" else 1.0
            ends = sign * part["mean_shift"].to_numpy(float)
            y = [row[label] for label in part["label"]]
            ax.barh(y, ends, height=0.7, color=PALETTE[_SIDES[side]], label=said[side], zorder=2)
            marked = part["changed"].to_numpy(float) > 0
            if marked.any():
                ax.scatter(ends[marked], [h for h, m in zip(y, marked, strict=True) if m], s=34,
                           color=PALETTE["vermillion"], gid="changed", zorder=3)  # fmt: skip
        names = frame.drop_duplicates("label").set_index("label")["name"]
        rows_axis(ax, [str(names[label]) for label in row], list(row.values()))
        ax.axvline(0.0, color=PALETTE["ink"], lw=1)
        ax.xaxis.set_major_formatter(lambda x, _: f"{round(abs(x), 6):g}")
        key(ax, _tornado_marks(frame, said))
        return finish(ax, title, said["shift"])


def _tornado_marks(frame: pd.DataFrame, said: Any) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    sides = [s for s in _SIDES if (frame["side"] == s).any()]
    marks: list[Any] = [Patch(color=PALETTE[_SIDES[s]], label=said[s]) for s in sides]
    if (frame["changed"] > 0).any():
        red = PALETTE["vermillion"]
        marks.append(Line2D([], [], ls="", marker="o", ms=6, color=red, label=said["changed"]))
    return marks
