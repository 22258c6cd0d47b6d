"""Bars made of parts: what a total consists of, and how far the year's tasks have come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from perfmethod.display import show
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

__all__ = ["progress", "stacked_blocks"]

_WORDS = {
    "zh": {"points": "得分(分)", "total": "总分", "tasks": "任务数(项)"},
    "en": {"points": "Points", "total": "Total", "tasks": "Tasks"},
}
_PARTS = ("blue", "sky", "green", "orange", "purple", "yellow", "vermillion")
# from the best state to the worst, by their number; what is well stays pale, so that the rest
# is seen; grey says that nothing is known
_STATES = {
    1: ("pale",),
    2: ("pale", "vermillion"),
    3: ("pale", "orange", "vermillion"),
    4: ("pale", "orange", "vermillion", "grey"),
    5: ("blue", "pale", "orange", "vermillion", "grey"),
}
_DARK = ("blue", "vermillion", "green")  # white figures can be read on these


def _wide(frame: pd.DataFrame, column: str, values: str) -> pd.DataFrame:
    """Turn the long table into units by parts; both keep the order of their first row."""
    doubled = frame[frame.duplicated(["unit", column])]
    if len(doubled):
        row = doubled.iloc[0]
        raise PerfmethodError(
            f"unit '{row['unit']}' has '{row[column]}' more than once; once is allowed"
        )
    wide = frame.pivot(index="unit", columns=column, values=values)
    return wide.reindex(index=frame["unit"].unique(), columns=frame[column].unique()).fillna(0.0)


def stacked_blocks(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw what each unit's total is made of, the highest total on top.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and block: ``unit`` and ``block`` (names), ``points``. Deductions are
        negative and are drawn to the left of zero. Blocks are stacked in the order of their
        first row; a missing number of points adds nothing.
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
        If a column is missing, or a unit has a block twice.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"unit": "民政局", "block": ["考核", "扣分"], "points": [520, -10]})
    >>> [text.get_text() for text in stacked_blocks(frame).texts]
    ['510.0']
    """
    need_columns(frame, "unit", "block", "points")
    said = words(language, _WORDS)
    wide = _wide(frame, "block", "points")
    wide = wide.loc[wide.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(wide))
        heights = [float(i) for i in range(len(wide))]
        _stack(ax, wide, _PARTS)
        total = _mark_totals(ax, wide, heights, said["total"])
        rows_axis(ax, [str(u) for u in wide.index], heights)
        ax.axvline(0, color=PALETTE["ink"], lw=1)
        ax.grid(axis="x")
        ax.margins(x=0.07)
        key(ax, [*ax.containers, total])
        return finish(ax, title, said["points"])


def _stack(ax: Axes, wide: pd.DataFrame, colors: Sequence[str]) -> None:
    """Stack the parts: gains to the right of zero, losses to the left."""
    right, left = [0.0] * len(wide), [0.0] * len(wide)
    for place, part in enumerate(wide.columns):
        values = [float(v) for v in wide[part]]
        starts = [r if v >= 0 else s for v, r, s in zip(values, right, left, strict=True)]
        color = PALETTE[colors[place % len(colors)]]
        ax.barh(range(len(wide)), values, left=starts, height=0.72, color=color, label=str(part))
        right = [r + max(v, 0.0) for r, v in zip(right, values, strict=True)]
        left = [s + min(v, 0.0) for s, v in zip(left, values, strict=True)]


def _mark_totals(ax: Axes, wide: pd.DataFrame, heights: list[float], label: str) -> Any:
    """Mark the total, which deductions set back from the end of the bar, and write it."""
    ink: dict[str, Any] = {"color": PALETTE["ink"], "ls": "", "marker": "|", "ms": 11, "mew": 2}
    (total,) = ax.plot(wide.sum(axis=1).to_numpy(), heights, label=label, zorder=4, **ink)
    for height, (_, row) in zip(heights, wide.iterrows(), strict=True):
        ax.annotate(
            show(row.sum(), 1), (row.clip(lower=0).sum(), height), (5, 0), va="center",
            textcoords="offset points", fontsize=8.5, color=PALETTE["ink"],
        )  # fmt: skip
    return total


def progress(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    order: Sequence[str] | None = None,
    language: str = "zh",
) -> Axes:
    """Draw how many tasks of each unit are in which state, the most worrying unit on top.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and state: ``unit`` and ``status`` (names), ``tasks`` (a count).
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    order : sequence of str, optional
        Up to five states, from the best to the worst; a fourth and a fifth end in grey, for
        tasks of which nothing is known. By default the order in which they appear.
    language : {"zh", "en"}
        Of the axis.

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing, a state is not in `order`, or there are more than five.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {"unit": ["民政局", "教育局"], "status": ["正常", "滞后"], "tasks": [12, 9]}
    ... )
    >>> [label.get_text() for label in progress(frame).get_yticklabels()]
    ['教育局', '民政局']
    """
    from matplotlib.ticker import MaxNLocator

    need_columns(frame, "unit", "status", "tasks")
    said = words(language, _WORDS)
    wide = _wide(frame, "status", "tasks")
    wide = wide[_states(wide, order)]
    worst_first = list(wide.columns)[::-1]
    if len(worst_first) > 3:  # tasks in alarm come before those of which nothing is known
        worst_first[:2] = worst_first[1::-1]
    wide = wide.sort_values(worst_first, ascending=False, kind="stable")
    colors = _STATES[len(wide.columns)]
    with style():
        ax = new_axes(ax, height=1.6 + 0.235 * len(wide))
        _stack(ax, wide, colors)
        _write_counts(ax, colors)
        rows_axis(ax, [str(u) for u in wide.index], [float(i) for i in range(len(wide))])
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half a task
        key(ax, ax.containers)
        return finish(ax, title, said["tasks"])


def _states(wide: pd.DataFrame, order: Sequence[str] | None) -> list[str]:
    """Return the states to draw, from the best to the worst."""
    found = [str(c) for c in wide.columns]
    states = found if order is None else [s for s in order if s in found]
    for state in found:
        if state not in states:
            raise PerfmethodError(f"status '{state}' is not in `order`; {suggest(state, states)}")
    if len(states) > max(_STATES):
        raise PerfmethodError(f"{len(states)} states found; at most {max(_STATES)} can be drawn")
    return states


def _write_counts(ax: Axes, colors: Sequence[str]) -> None:
    """Write each count into its bar, where there is one."""
    for bars, color in zip(ax.containers, colors, strict=True):
        widths: list[Any] = [bar.get_width() for bar in bars.patches]  # type: ignore[attr-defined]
        texts = [f"{w:.0f}" if w else "" for w in widths]
        ink = "white" if color in _DARK else PALETTE["ink"]
        ax.bar_label(bars, texts, label_type="center", color=ink, fontsize=8.5)  # type: ignore[arg-type]
