"""Dots on a scale: where every unit stands, and how far from the edge of a quota."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from perfmethod.display import show
from perfmethod.plots.house import (
    PALETTE,
    finish,
    key,
    need_columns,
    new_axes,
    rows_axis,
    signed,
    style,
    words,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["margins", "totals_by_group"]

_TOTALS = {
    "zh": {
        "total": "总分",
        "excellent": "{best}",
        "other": "其他等次",
        "vetoed": "一票否决",
        "cut": "本组{best}线",
        "best": "最高等次",
    },
    "en": {
        "total": "Total (points)",
        "excellent": "{best}",
        "other": "Other grades",
        "vetoed": "Vetoed",
        "cut": "Lowest total in the group: {best}",
        "best": "best grade",
    },
}
_MARGINS = {
    "zh": {
        "margin": "与本组{best}线的差距(分)",
        "best": "最高等次",
        "in": "线上",
        "out": "线下",
        "close": "距线不足{}分",
        "vetoed": "一票否决",
    },
    "en": {
        "margin": "Points above or below the group's cut: {best}",
        "best": "best grade",
        "in": "above",
        "out": "below",
        "close": "within {} points",
        "vetoed": "Vetoed",
    },
}
_GAP = 2.0  # rows of space above a group, for its name
_NARROW = 0.75  # of the axes is left when names of units have their room
_NUMBER = 34  # points that the number of a cut takes


class _Block(NamedTuple):
    """One group as it is drawn: its name, its rows from the best, the height of each."""

    name: str
    rows: pd.DataFrame
    heights: list[float]


def _blocks(frame: pd.DataFrame) -> Iterator[_Block]:
    """Lay the groups out one below the other, in the order in which they appear."""
    height = 0.0
    for name in frame["group"].drop_duplicates():
        rows = frame[frame["group"] == name].sort_values("total", ascending=False, kind="stable")
        heights = [height + _GAP + i for i in range(len(rows))]
        yield _Block(str(name), rows, heights)
        height = heights[-1]


def _dots(ax: Axes, block: _Block) -> None:
    """Draw the units of one group; each kind of unit is one collection, named for tests."""
    x, y = block.rows["total"].to_numpy(float), block.heights
    vetoed = block.rows["vetoed"].to_numpy(bool)
    excellent = block.rows["excellent"].to_numpy(bool) & ~vetoed
    looks: dict[str, dict[str, Any]] = {
        "excellent": {"s": 46, "color": PALETTE["blue"]},
        "other": {"s": 46, "facecolors": "white", "edgecolors": PALETTE["blue"]},
        "vetoed": {"s": 80, "marker": "X", "color": PALETTE["vermillion"]},
    }
    chosen = {"excellent": excellent, "other": ~excellent & ~vetoed, "vetoed": vetoed}
    for kind, mask in chosen.items():
        if mask.any():
            heights = [h for h, m in zip(y, mask, strict=True) if m]
            ax.scatter(x[mask], heights, linewidths=1.3, zorder=3, gid=kind, **looks[kind])


def _edge(ax: Axes, block: _Block, left: float, right: float) -> None:
    """Draw the group's cut through its rows, and its name above them."""
    top, bottom = block.heights[0] - 0.5, block.heights[-1] + 0.5
    ax.axhspan(top, bottom, color=PALETTE["band"], zorder=0)
    ax.text(left, top - 0.16, block.name, va="bottom", color=PALETTE["ink"], fontsize=10.5)
    cut = block.rows["cut"].to_numpy(float)[0]
    if cut == cut:
        ax.plot([cut, cut], [top, bottom], color=PALETTE["ink"], lw=1.4, gid="cut", zorder=2)
        place = "left" if cut < (left + right) / 2 else "right"
        shift = 3 if place == "left" else -3
        at = cut
        if _width(block.name) > _NARROW * _points(ax) * (cut - left) / (right - left) - _NUMBER:
            at, place, shift = right, "right", -3  # a long name stands where the number would
        ax.annotate(
            show(cut, 1), (at, top), (shift, 2), textcoords="offset points", ha=place,
            va="bottom", fontsize=8.5, color=PALETTE["ink"],
        )  # fmt: skip


def _width(text: str) -> float:
    """About how wide a group's name is, in points: Chinese characters are twice as wide."""
    return 10.5 * sum(1.0 if ord(letter) > 0x2E7F else 0.52 for letter in text)


def _points(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return float(ax.get_window_extent().width) * 72 / figure.dpi


def totals_by_group(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    best: str = "",
    language: str = "zh",
) -> Axes:
    """Draw every unit's total, group by group, with the edge of each group's quota.

    Parameters
    ----------
    frame : DataFrame
        One row per unit: ``unit`` and ``group`` (names), ``total``, ``excellent`` and
        ``vetoed`` (bool), ``cut`` (the group's lowest total with the best grade, which the column
        ``excellent`` marks whatever its name; NaN for none). Groups
        are drawn in the order of their first row.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    best : str
        Name of the best grade; by default it is called so.
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
    >>> frame = pd.DataFrame({"unit": ["民政局", "教育局"], "group": "G1", "total": [812.0, 790.5],
    ...                       "excellent": [True, False], "vetoed": False, "cut": 812.0})
    >>> [label.get_text() for label in totals_by_group(frame).get_yticklabels()]
    ['民政局', '教育局']
    """
    need_columns(frame, "unit", "group", "total", "excellent", "vetoed", "cut")
    said = _named(words(language, _TOTALS), best)
    blocks = list(_blocks(frame))
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * (len(frame) + _GAP * len(blocks)))
        left, right = _limits(frame)
        for block in blocks:
            _edge(ax, block, left, right)
            _dots(ax, block)
        labels = [str(u) for b in blocks for u in b.rows["unit"]]
        rows_axis(ax, labels, [h for b in blocks for h in b.heights])
        ax.set_ylim(blocks[-1].heights[-1] + 0.8, 0.3)
        ax.set_xlim(left, right)
        ax.grid(axis="x")
        key(ax, _marks(frame, said))
        return finish(ax, title, said["total"])


def _named(said: Mapping[str, str], best: str) -> dict[str, str]:
    """Words with the name of the best grade."""
    return {k: v.replace("{best}", best or said["best"]) for k, v in said.items()}


def _limits(frame: pd.DataFrame) -> tuple[float, float]:
    """Return the ends of the scale: all totals and cuts, with a little air."""
    low = float(frame[["total", "cut"]].min().min())
    high = float(frame[["total", "cut"]].max().max())
    air = 0.04 * (high - low) or 1.0
    return low - air, high + air


def _marks(frame: pd.DataFrame, said: Any) -> list[Any]:
    """Explain only the marks that occur."""
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"ls": "", "ms": 7, "mew": 1.3}
    blue, red, ink = PALETTE["blue"], PALETTE["vermillion"], PALETTE["ink"]
    marks = [
        Line2D([], [], marker="o", color=blue, label=said["excellent"], **dot),
        Line2D([], [], marker="o", mfc="white", mec=blue, label=said["other"], **dot),
    ]
    if frame["vetoed"].any():
        marks.append(Line2D([], [], marker="X", color=red, label=said["vetoed"], **dot))
    if frame["cut"].notna().any():
        marks.append(Line2D([], [], color=ink, lw=1.4, label=said["cut"]))
    return marks


def margins(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    close: float = 0.0,
    best: str = "",
    language: str = "zh",
) -> Axes:
    """Draw how far every unit is from its group's cut, the nearest to it named by number.

    Parameters
    ----------
    frame : DataFrame
        One row per unit: ``unit``, ``group`` (names), ``margin`` (total less the group's cut;
        a row without one is left out). With a column ``vetoed`` (bool), those units are crossed.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    close : float
        Units nearer to the cut than this many points are marked.
    best : str
        Name of the best grade; by default it is called so.
    language : {"zh", "en"}
        Of the axis and the key.

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing, or no row has a margin.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"unit": ["民政局", "教育局"], "group": "G1", "margin": [0.0, -21.5]})
    >>> [text.get_text() for text in margins(frame).texts]
    ['+0.0', '−21.5']
    """
    need_columns(frame, "unit", "group", "margin")
    rows = frame.dropna(subset=["margin"]).sort_values("margin", ascending=False, kind="stable")
    need_columns(rows, "margin")
    said = _named(words(language, _MARGINS), best)
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(rows))
        values = rows["margin"].to_numpy(float)
        heights = [float(i) for i in range(len(rows))]
        vetoed = [bool(v) for v in rows.get("vetoed", [False] * len(rows))]
        _sticks(ax, [_Stick(*one) for one in zip(values, heights, vetoed, strict=True)], close)
        rows_axis(
            ax, [f"{u} ({g})" for u, g in zip(rows["unit"], rows["group"], strict=True)], heights
        )
        ax.margins(x=0.12)
        key(ax, _margin_marks(values, close, any(vetoed), said))
        return finish(ax, title, said["margin"])


class _Stick(NamedTuple):
    """One unit as it is drawn in :func:`margins`."""

    value: float
    height: float
    vetoed: bool


def _sticks(ax: Axes, sticks: list[_Stick], close: float) -> None:
    """Draw a stick from the cut to each unit, with its length written at the end."""
    ax.axvline(0, color=PALETTE["ink"], lw=1.4, gid="cut")
    for value, height, vetoed in sticks:
        color = PALETTE["vermillion"] if vetoed else _margin_color(value, close)
        ax.plot([0, value], [height, height], color=color, lw=2, zorder=2)
        ax.plot([value], [height], "X" if vetoed else "o", color=color, ms=9 if vetoed else 6)
        side = 1 if value >= 0 else -1
        ax.annotate(
            signed(value), (value, height), (8 * side, 0), textcoords="offset points",
            ha="left" if side > 0 else "right", va="center", fontsize=8.5, color=PALETTE["ink"],
        )  # fmt: skip


def _margin_color(value: float, close: float) -> str:
    if abs(value) < close:
        return PALETTE["orange"]
    return PALETTE["blue"] if value >= 0 else PALETTE["grey"]


def _margin_marks(values: Any, close: float, vetoed: bool, said: Any) -> list[Any]:
    from matplotlib.lines import Line2D

    dot: dict[str, Any] = {"marker": "o", "lw": 2, "ms": 6}
    marks = [
        Line2D([], [], color=PALETTE["blue"], label=said["in"], **dot),
        Line2D([], [], color=PALETTE["grey"], label=said["out"], **dot),
    ]
    if (abs(values) < close).any():
        label = said["close"].format(f"{close:g}")
        marks.append(Line2D([], [], color=PALETTE["orange"], label=label, **dot))
    if vetoed:
        red = PALETTE["vermillion"]
        marks.append(Line2D([], [], color=red, marker="X", lw=2, ms=9, label=said["vetoed"]))
    return marks
