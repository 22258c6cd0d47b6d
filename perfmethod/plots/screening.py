"""Screening of ballots: votes over time, and the table of what was seen."""

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

__all__ = ["flag_table", "screening_effect", "vote_timeline"]

_WORDS = {
    "zh": {"time": "提交时间", "votes": "每6小时票数", "step": "(按{n}取整)", "few": "不足{n}票",
           "usual": "单位", "burst": "突击投票",
           "heads": "类型|单位|类别|方式|批次|票数|p值", "change": "剔除异常票后总分的变化(分)",
           "aside": "剔除{n}票", "rank": "位次{a}→{b}"},
    "en": {"time": "Time of submission", "votes": "Ballots in six hours",
           "step": " (to the nearest {n})", "few": "Fewer than {n} ballots", "usual": "A unit",
           "burst": "A burst lies in it",
           "heads": "Kind|Unit|Category|Mode|Batch|Ballots|p",
           "change": "Change of the total without flagged ballots (points)",
           "aside": "{n} ballots aside", "rank": "rank {a} to {b}"},
}  # fmt: skip
_SHOWN = 30  # rows that fit on a page


def vote_timeline(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    least: int = 1,
    language: str = "zh",
) -> Axes:
    """Draw the ballots of each unit over time; spans with a burst are marked and named.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and span of time: ``unit``, ``begin`` (a time), ``ballots``, ``flagged``;
        with a column ``few`` (bool), those spans are all drawn at half of `least`.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    least : int
        What the ballots are rounded to, and the fewest that are shown; 1 where they are exact.
    language : {"zh", "en"}
        Of the axes.

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
    >>> frame = pd.DataFrame({"unit": ["D1", "D2"], "begin": pd.to_datetime(["2009-12-01"] * 2),
    ...                       "ballots": [2, 40], "flagged": [False, True]})
    >>> [text.get_text() for text in vote_timeline(frame).texts]
    ['D2']
    """
    need_columns(frame, "unit", "begin", "ballots", "flagged")
    said = words(language, _WORDS)
    with style():
        ax = new_axes(ax, height=4.4)
        hit = frame["flagged"].to_numpy(bool)
        few = frame["few"].to_numpy(bool) if "few" in frame else np.zeros(len(frame), bool)
        heights = np.where(few, least / 2, frame["ballots"].to_numpy(float))
        grey: dict[str, Any] = {"alpha": 0.6, "color": PALETTE["grey"]}
        kinds: tuple[tuple[Any, dict[str, Any], str], ...] = (
            (~hit & ~few, {"marker": "o", "s": 14, "lw": 0, **grey}, said["usual"]),
            (~hit & few, {"marker": "_", "s": 60, "lw": 1.5, **grey}, said["few"].format(n=least)),
            (hit, {"marker": "D", "s": 42, "lw": 0, "color": PALETTE["vermillion"]}, said["burst"]),
        )
        for rows, looks, label in kinds:
            if rows.any():
                ax.scatter(frame.loc[rows, "begin"], heights[rows], label=label, **looks)
        for unit, begin, height in zip(frame.loc[hit, "unit"], frame.loc[hit, "begin"],
                                       heights[hit], strict=True):  # fmt: skip
            ax.annotate(str(unit), (begin, height), xytext=(7, 0), textcoords="offset points",
                        va="center", color=PALETTE["ink"])  # fmt: skip
        ax.set_ylim(bottom=0)
        ax.grid(axis="y")
        ax.tick_params(axis="x", rotation=30)
        key(ax, list(ax.collections))
        votes = said["votes"] + (said["step"].format(n=least) if least > 1 else "")
        return finish(ax, title, said["time"], votes)


def flag_table(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw the flags as a table, at most 30 of them; the last line says how many are not shown.

    Parameters
    ----------
    frame : DataFrame
        One row a flag: ``kind``, ``unit``, ``category``, ``mode``, ``batch``, ``ballots``, ``p``.
    ax : Axes, optional
    title : str
        The finding.
    language : {"zh", "en"}
        Of the headings.

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
    >>> frame = pd.DataFrame({"kind": ["burst"], "unit": "D1", "category": "", "mode": "online",
    ...                       "batch": "", "ballots": 44, "p": 1e-9})
    >>> len(flag_table(frame, language="en").tables[0].get_celld())
    14
    """
    columns = ["kind", "unit", "category", "mode", "batch", "ballots", "p"]
    need_columns(frame, *columns)
    said = words(language, _WORDS)
    cells = [[str(row[c]) for c in columns[:-1]] + [_p_value(row["p"])]
             for row in frame[columns].head(_SHOWN).to_dict("records")]  # fmt: skip
    if len(frame) > _SHOWN:
        cells.append([f"+{len(frame) - _SHOWN}", *[""] * (len(columns) - 1)])
    with style():
        own = ax is None
        ax = new_axes(ax, height=1.2 + 0.3 * len(cells), width=11.0)
        table = ax.table(cells, colLabels=said["heads"].split("|"), loc="upper left",
                         cellLoc="left", colLoc="left")  # fmt: skip
        table.auto_set_font_size(False)
        table.set_fontsize(9)
        table.auto_set_column_width(list(range(len(columns))))
        for (row, _), cell in table.get_celld().items():
            cell.set_edgecolor(PALETTE["rule"])
            cell.set_facecolor(PALETTE["band"] if row == 0 else "white")
        finish(ax, title, "")
        ax.set_axis_off()
        if own:
            _trim(ax, table)
        return ax


def _trim(ax: Axes, table: Any) -> None:
    """Make our own figure no larger than the table and the title."""
    from matplotlib.text import Text

    figure: Any = ax.get_figure(root=True)
    figure.draw_without_rendering()
    whole = table.get_window_extent()
    titles = [t.get_window_extent() for t in ax.get_children()
              if isinstance(t, Text) and t.get_text()]  # fmt: skip
    left = min(box.x0 for box in (whole, *titles))
    right = max(box.x1 for box in (whole, *titles))
    inner = ax.get_window_extent()
    besides = (figure.bbox.width - inner.width, figure.bbox.height - inner.height)
    for cell in table.get_celld().values():  # heights are shares of the axes
        cell.set_height(cell.get_height() * inner.height / whole.height)
    figure.set_size_inches((right - left + besides[0]) / figure.dpi,
                           (whole.height + besides[1]) / figure.dpi)  # fmt: skip


def screening_effect(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    language: str = "zh",
    top: int = 15,
) -> Axes:
    """Draw what setting flagged ballots aside does to totals; units whose grade changes stand out.

    Parameters
    ----------
    frame : DataFrame
        By unit: ``name``, ``total_change``, ``rank``, ``rank_other``, ``grade_changes``,
        ``set_aside``.
    ax : Axes, optional
    title : str
        The finding.
    language : {"zh", "en"}
        Of the axes.
    top : int
        Units shown, those that change most.

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
    >>> frame = pd.DataFrame({"name": ["D1", "D2"], "total_change": [-4.0, 0.1], "rank": [3, 4],
    ...     "rank_other": [4, 3], "grade_changes": [True, False], "set_aside": [44, 0]})
    >>> [text.get_text() for text in screening_effect(frame, language="en").texts]
    ['44 ballots aside, rank 3 to 4', '0 ballots aside, rank 4 to 3']
    """
    need_columns(
        frame, "name", "total_change", "rank", "rank_other", "grade_changes", "set_aside"
    )  # fmt: skip
    said = words(language, _WORDS)
    order = frame["total_change"].abs().sort_values(ascending=False, kind="stable").index
    shown = frame.loc[order].head(top)
    places = [float(k) for k in range(len(shown))]
    with style():
        ax = new_axes(ax, height=1.4 + 0.32 * len(shown))
        change = shown["total_change"].to_numpy(float)
        colors = [PALETTE["vermillion" if g else "blue"] for g in shown["grade_changes"]]
        ax.barh(places, change, color=colors, height=0.6)
        edge = max(float(change.max()), 0.0)
        columns = (shown["set_aside"], shown["rank"], shown["rank_other"])
        for y, n, a, b in zip(places, *columns, strict=True):
            text = f"{said['aside']}, {said['rank']}".format(n=n, a=a, b=b)
            ax.annotate(text, (edge, y), xytext=(6, 0), textcoords="offset points", va="center")
        ax.axvline(0, color=PALETTE["ink"], lw=0.8)
        ax.grid(axis="x")
        rows_axis(ax, [str(name) for name in shown["name"]], places)
        return finish(ax, title, said["change"])


def _p_value(p: float) -> str:
    """Three digits; a smaller one is said to be so, and none is empty."""
    if p != p:
        return ""
    return show(p, 3) if p >= 0.0005 else "<0.001"
