"""Lines: what a rule makes of every possible value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmethod.plots.house import finish, key, need_columns, new_axes, style, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["rule_curves"]

_WORDS = {
    "zh": {"x": "完成值占目标值(%)", "score": "得分"},
    "en": {"x": "Actual value, % of the target", "score": "Score"},
}
_DASHES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (1, 1)), (0, (4, 1, 1, 1)))


def rule_curves(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    title: str = "",
    xlabel: str | None = None,
    language: str = "zh",
) -> Axes:
    """Draw the score that each rule gives to a range of values.

    Parameters
    ----------
    frame : DataFrame
        One row per rule and value: ``rule`` (a name), ``x`` and ``score``. A missing score
        breaks the line.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str
        The finding.
    xlabel : str, optional
        What ``x`` is; by default the actual value in % of the target.
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
    >>> frame = pd.DataFrame({"rule": "完成率", "x": [0, 100, 120], "score": [0, 100, 100]})
    >>> [line.get_label() for line in rule_curves(frame).lines]
    ['完成率']
    """
    need_columns(frame, "rule", "x", "score")
    said = words(language, _WORDS)
    with style():
        ax = new_axes(ax, height=4.8)
        for place, name in enumerate(frame["rule"].drop_duplicates()):
            rows = frame[frame["rule"] == name].sort_values("x", kind="stable")
            x, y = rows["x"].to_numpy(float), rows["score"].to_numpy(float)
            ax.plot(x, y, ls=_DASHES[place % len(_DASHES)], lw=2.2, label=str(name))
        ax.grid()
        ax.margins(x=0.01)
        key(ax, list(ax.lines))
        return finish(ax, title, said["x"] if xlabel is None else xlabel, said["score"])
