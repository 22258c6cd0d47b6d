"""Screening of ballots: votes over time, and the table of what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    "zh": {"time": "提交时间", "votes": "每6小时票数", "usual": "单位", "burst": "突击投票",
           "heads": "类型|单位|类别|方式|批次|票数|p值", "change": "剔除异常票后总分的变化(分)",
           "aside": "剔除{n}票", "rank": "位次{a}→{b}"},
    "en": {"time": "Time of submission", "votes": "Ballots in six hours", "usual": "A unit",
           "burst": "A burst lies in it",
           "heads": "Kind|Unit|Category|Mode|Batch|Ballots|p",
           "change": "Change of the total without flagged ballots (points)",
           "aside": "{n} ballots aside", "rank": "rank {a} to {b}"},
}  # fmt: skip
_SHOWN = 30  # rows that fit on a page


def vote_timeline(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw the ballots of each unit over time; spans with a burst are marked and named.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and span of time: ``unit``, ``begin`` (a time), ``ballots``, ``flagged``.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
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
        for rows, color, marker, label in (
            (~hit, "grey", "o", said["usual"]),
            (hit, "vermillion", "D", said["burst"]),
        ):
            part = frame[rows]
            ax.scatter(part["begin"], part["ballots"], s=14 if marker == "o" else 42, marker=marker,
                       color=PALETTE[color], alpha=0.5 if marker == "o" else 1.0, lw=0,
                       label=label)  # fmt: skip
        for unit, begin, ballots in zip(*(frame.loc[hit, c] for c in ("unit", "begin", "ballots")),
                                        strict=True):  # fmt: skip
            ax.annotate(str(unit), (begin, ballots), xytext=(7, 0), textcoords="offset points",
                        va="center", color=PALETTE["ink"])  # fmt: skip
        ax.set_ylim(bottom=0)
        ax.grid(axis="y")
        ax.tick_params(axis="x", rotation=30)
        key(ax, list(ax.collections))
        return finish(ax, title, said["time"], said["votes"])


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
    cells = [[_text(value) for value in row] for row in frame[columns].head(_SHOWN).to_numpy()]
    if len(frame) > _SHOWN:
        cells.append([f"+{len(frame) - _SHOWN}", *[""] * (len(columns) - 1)])
    with style():
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
        return ax


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


def _text(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.1g}"
    return str(value)
