"""Sets of ranks, colored by what is sure of a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfmethod.errors import PerfmethodError, suggest
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

__all__ = ["rank_set_status"]

_WORDS = {
    "zh": {
        "rank": "组内名次", "surely": "确定在名额之内", "possibly": "可能",
        "surely_not": "确定不在", "observed": "观测名次", "places": "名额线",
    },
    "en": {
        "rank": "Rank in the pool", "surely": "surely within the places", "possibly": "possibly",
        "surely_not": "surely not", "observed": "observed rank", "places": "last place",
    },
}  # fmt: skip
# told apart by lightness too: dark, middle, light
_COLORS = {"surely": "blue", "possibly": "orange", "surely_not": "rule"}
_GAP = 1.6  # rows of space above a group, for its name


def rank_set_status(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw each unit's set of ranks, group by group, with the edge of the group's places.

    Parameters
    ----------
    frame : DataFrame
        One row per unit, in the order of the figure, units of a group together: ``unit`` (name),
        ``group``, ``rank``, ``low``, ``high``, ``places`` (of the group), ``status`` ("surely",
        "possibly" or "surely_not").
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
        If a column is missing, there is no row, or a status is none of the three.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"unit": ["甲", "乙"], "group": "G1", "rank": [1, 2], "low": [1, 2],
    ...     "high": [1, 2], "places": 1, "status": ["surely", "surely_not"]})
    >>> [text.get_text() for text in rank_set_status(frame).get_yticklabels()]
    ['甲', '乙']
    """
    need_columns(frame, "unit", "group", "rank", "low", "high", "places", "status")
    odd = sorted(set(frame["status"]) - set(_COLORS))
    if odd:
        raise PerfmethodError(f"found status '{odd[0]}'; allowed: {suggest(odd[0], _COLORS)}")
    said = words(language, _WORDS)
    with style():
        ax = new_axes(ax, height=1.8 + 0.235 * (len(frame) + _GAP * frame["group"].nunique()))
        heights: list[float] = []
        at = -1.0
        for group in frame["group"].drop_duplicates():
            mine = frame[frame["group"] == group]
            rows = [at + _GAP + i for i in range(len(mine))]
            _group(ax, mine, rows, str(group))
            heights += rows
            at = rows[-1] + 1 - 1e-9
        rows_axis(ax, [str(u) for u in frame["unit"]], heights)
        ax.set_ylim(max(heights) + 0.8, min(heights) - _GAP)
        last = int(frame["high"].max())
        ax.set_xlim(0.3, last + 0.7)
        ax.set_xticks(range(1, last + 1, max(1, last // 12)))
        key(ax, _marks(frame, said))
        return finish(ax, title, said["rank"])


def _group(ax: Axes, mine: pd.DataFrame, rows: list[float], name: str) -> None:
    """Bars, dots and the edge of the places of one group, its name above."""
    ax.axhspan(rows[0] - 0.5, rows[-1] + 0.5, color=PALETTE["band"], zorder=0)
    ax.text(0.35, rows[0] - 0.6, name, va="bottom", fontsize=10, color=PALETTE["ink"])
    for status, color in _COLORS.items():
        chosen = (mine["status"] == status).to_numpy()
        if chosen.any():
            y = [h for h, c in zip(rows, chosen, strict=True) if c]
            part = mine[chosen]
            # a set of one rank is drawn as wide as a dot
            ax.hlines(y, part["low"].to_numpy(float) - 0.12, part["high"].to_numpy(float) + 0.12,
                      color=PALETTE[color], lw=6, gid=status, zorder=2)  # fmt: skip
    ax.scatter(mine["rank"].to_numpy(float), rows, s=14, color=PALETTE["ink"], gid="rank", zorder=3)
    edge = float(mine["places"].iloc[0]) + 0.5
    ax.vlines(edge, rows[0] - 0.5, rows[-1] + 0.5, color=PALETTE["vermillion"], lw=1.6,
              gid="places", zorder=4)  # fmt: skip


def _marks(frame: pd.DataFrame, said: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=PALETTE[color], lw=6, label=said[status])
        for status, color in _COLORS.items()
        if (frame["status"] == status).any()
    ]
    ink, red = PALETTE["ink"], PALETTE["vermillion"]
    marks.append(Line2D([], [], marker="o", ms=4, ls="", color=ink, label=said["observed"]))
    marks.append(Line2D([], [], color=red, lw=1.6, label=said["places"]))
    return marks
