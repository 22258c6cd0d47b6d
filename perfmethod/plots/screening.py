"""Screening of ballots: votes over time, and the table of what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perfmethod.plots.house import PALETTE, finish, key, need_columns, new_axes, style, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["flag_table", "vote_timeline"]

_WORDS = {
    "zh": {"time": "提交时间", "votes": "每6小时票数", "usual": "单位", "burst": "突击投票",
           "heads": "类型|单位|类别|方式|批次|票数|p值"},
    "en": {"time": "Time of submission", "votes": "Ballots in six hours", "usual": "A unit",
           "burst": "A burst lies in it",
           "heads": "Kind|Unit|Category|Mode|Batch|Ballots|p"},
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


def _text(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.1g}"
    return str(value)
