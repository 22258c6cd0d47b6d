"""Intervals: how far each weight may move before something changes."""

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

__all__ = ["stability"]

_WORDS = {
    "zh": {"share": "占同级权重的份额(%)", "weight": "现行权重", "range": "结果不变的区间"},
    "en": {"share": "Share of the siblings' weights (%)", "weight": "nominal weight",
           "range": "nothing changes"},
}  # fmt: skip


def stability(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw for every weight the interval in which a result holds.

    Parameters
    ----------
    frame : DataFrame
        One row per weight: ``name``, ``share``, ``low`` and ``high`` (from 0 to 1), ``low_by`` and
        ``high_by`` (what changes at the ends, written there; empty for nothing).
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
    >>> frame = pd.DataFrame({"name": ["指标考核"], "share": [0.6], "low": [0.55], "high": [1.0],
    ...                       "low_by": ["D14 = D09"], "high_by": [""]})
    >>> [text.get_text() for text in stability(frame).texts]
    ['55.0  D14 = D09']
    """
    need_columns(frame, "name", "share", "low", "high", "low_by", "high_by")
    said = words(language, _WORDS)
    with style():
        ax = new_axes(ax, height=1.8 + 0.42 * len(frame))
        for y, row in enumerate(frame.to_dict("records")):
            _interval(ax, float(y), row)
        rows_axis(ax, [str(n) for n in frame["name"]], [float(y) for y in range(len(frame))])
        ax.set_xlim(-2, 102)
        ax.grid(axis="x")
        key(ax, _marks(said))
        return finish(ax, title, said["share"])


def _interval(ax: Axes, y: float, row: Any) -> None:
    """Draw one weight: its interval, what ends it, and where it stands."""
    low, high, share = (100 * float(row[k]) for k in ("low", "high", "share"))
    ax.plot([low, high], [y, y], color=PALETTE["sky"], lw=5, solid_capstyle="butt", zorder=2)
    ax.plot([share], [y], "o", color=PALETTE["ink"], ms=6, zorder=3)
    for end, by, side in ((low, row["low_by"], "left"), (high, row["high_by"], "right")):
        if not by:
            continue
        ax.plot([end, end], [y - 0.22, y + 0.22], color=PALETTE["vermillion"], lw=2, zorder=3)
        place = "right" if (side == "left") == (end > 25) else "left"
        ax.annotate(
            f"{show(end, 1)}  {by}", (end, y), (-4 if place == "right" else 4, 6),
            textcoords="offset points", ha=place, va="bottom", fontsize=8, color=PALETTE["ink"],
        )  # fmt: skip


def _marks(said: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], marker="o", ls="", ms=6, color=PALETTE["ink"], label=said["weight"]),
        Line2D([], [], color=PALETTE["sky"], lw=5, label=said["range"]),
    ]
