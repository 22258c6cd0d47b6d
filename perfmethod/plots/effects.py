"""What matters most: shares of variance by factor, and nominal weights beside importance."""

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

__all__ = ["effect_bars", "weights_and_importance"]

# kind -> color; drawn in this order, the whole share between its two bounds
_KINDS = {"first": "sky", "shapley": "blue", "total": "orange"}
_EFFECTS = {
    "zh": {"first": "单独效应", "shapley": "沙普利效应", "total": "总效应",
           "share": "占方差的份额"},
    "en": {"first": "first order", "shapley": "Shapley", "total": "total",
           "share": "share of the variance"},
}  # fmt: skip
_WEIGHTS = {
    "zh": {"nominal": "名义权重", "importance": "实际重要性(±1个标准误)", "share": "份额"},
    "en": {"nominal": "nominal weight", "importance": "importance (± 1 standard error)",
           "share": "share"},
}  # fmt: skip


def effect_bars(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw sensitivity indices as bars with their intervals, the largest on top.

    Parameters
    ----------
    frame : DataFrame
        One row per kind of index and factor: ``effect`` ("first", "shapley" or "total"),
        ``factor``, ``index``, ``low``, ``high``.
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
        If a column is missing, there is no row, or a kind of index is none of the three.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"effect": "total", "factor": ["weights", "caps"],
    ...     "index": [0.2, 0.8], "low": [0.1, 0.7], "high": [0.3, 0.9]})
    >>> [text.get_text() for text in effect_bars(frame).get_yticklabels()]
    ['caps', 'weights']
    """
    need_columns(frame, "effect", "factor", "index", "low", "high")
    odd = sorted(set(frame["effect"]) - set(_KINDS))
    if odd:
        raise PerfmethodError(f"found effects {odd}; allowed: {', '.join(_KINDS)}")
    said = words(language, _EFFECTS)
    kinds = [kind for kind in _KINDS if (frame["effect"] == kind).any()]
    size = frame.groupby("factor", sort=False)["index"].max()
    order = [str(f) for f in size.sort_values(ascending=False, kind="stable").index]
    with style():
        ax = new_axes(ax, height=1.6 + 0.25 * (len(kinds) + 1) * len(order))
        for place, kind in enumerate(kinds):
            rows = frame[frame["effect"] == kind].set_index("factor")
            at = [i + (place - (len(kinds) - 1) / 2) * 0.8 / len(kinds) for i, f in
                  enumerate(order) if f in rows.index]  # fmt: skip
            shown = rows.loc[[f for f in order if f in rows.index]]
            _bars(ax, at, shown, 0.72 / len(kinds), _KINDS[kind])
        ax.axvline(0, color=PALETTE["ink"], lw=0.8)
        rows_axis(ax, order, [float(i) for i in range(len(order))])
        key(ax, [_patch(_KINDS[kind], said[kind]) for kind in kinds])
        return finish(ax, title, said["share"])


def _bars(ax: Axes, at: list[float], rows: pd.DataFrame, height: float, color: str) -> None:
    """Draw bars with whiskers from low to high."""
    ax.barh(at, rows["index"].to_numpy(float), height=height, color=PALETTE[color])
    ax.hlines(at, rows["low"].to_numpy(float), rows["high"].to_numpy(float),
              color=PALETTE["ink"], lw=1.2)  # fmt: skip


def weights_and_importance(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw what each node should count beside what it does count.

    Parameters
    ----------
    frame : DataFrame
        One row per node: ``label``, ``nominal`` and ``importance`` (shares), and its
        ``standard_error``.
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
        If a column is missing or there is no row.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"label": ["指标考核"], "nominal": [0.6], "importance": [0.46],
    ...     "standard_error": [0.07]})
    >>> [text.get_text() for text in weights_and_importance(frame).get_yticklabels()]
    ['指标考核']
    """
    need_columns(frame, "label", "nominal", "importance", "standard_error")
    said = words(language, _WEIGHTS)
    at = [float(i) for i in range(len(frame))]
    share = frame["importance"].to_numpy(float)
    error = frame["standard_error"].to_numpy(float)
    with style():
        ax = new_axes(ax, height=1.6 + 0.6 * len(frame))
        ax.barh([i - 0.18 for i in at], frame["nominal"].to_numpy(float), height=0.32,
                color=PALETTE["grey"])  # fmt: skip
        ax.barh([i + 0.18 for i in at], share, height=0.32, color=PALETTE["blue"])
        ax.hlines([i + 0.18 for i in at], share - error, share + error,
                  color=PALETTE["ink"], lw=1.2)  # fmt: skip
        ax.axvline(0, color=PALETTE["ink"], lw=0.8)
        rows_axis(ax, [str(text) for text in frame["label"]], at)
        key(ax, [_patch("grey", said["nominal"]), _patch("blue", said["importance"])])
        return finish(ax, title, said["share"])


def _patch(color: str, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(color=PALETTE[color], label=label)
