"""A triangle of weights: who is excellent at every split among three blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.plots.house import PALETTE, finish, need_columns, new_axes, style, words, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["weight_triangle"]

_WORDS = {
    "zh": {"lists": "三项权重之比与最高等次名单", "same": "与本方案名单相同", "other": "其他名单",
           "scheme": "本方案权重"},
    "en": {"lists": "Shares of the three weights, and the list of the best grade",
           "same": "the scheme's own list", "other": "other lists",
           "scheme": "weights of the scheme"},
}  # fmt: skip
_COLORS = ("sky", "orange", "green", "purple", "yellow")  # of the most frequent other lists

KEY_WIDTH = 84  # columns of a list in the key


def weight_triangle(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    corners: Sequence[str],
    nominal: Sequence[float] | None = None,
    title: str = "",
    language: str = "zh",
) -> Axes:
    """Draw who is excellent at every split of the weight among three blocks.

    Parameters
    ----------
    frame : DataFrame
        One row per point of a grid: ``a``, ``b``, ``c`` (shares with the sum 1) and ``change`` (who
        enters and leaves the excellent list there; empty where it is the scheme's own).
    ax : Axes, optional
        Where to draw; a new figure by default.
    corners : sequence of three str
        Names of the blocks; at a corner one has all the weight.
    nominal : sequence of three float, optional
        Shares of the scheme itself, marked by a cross.
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
        If a column is missing, the table is empty, or there are not three corners.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1],
    ...                       "change": ["", "+民政局 −教育局", ""]})
    >>> axes = weight_triangle(frame, corners=["指标考核", "公众评议", "内部评估"])
    >>> sorted(text.get_text() for text in axes.texts)
    ['公众评议', '内部评估', '指标考核']
    """
    need_columns(frame, "a", "b", "c", "change")
    said = words(language, _WORDS)
    if len(corners) != 3:
        raise PerfmethodError(f"{len(corners)} corners found; three are needed")
    from matplotlib.collections import PolyCollection

    with style():
        ax = new_axes(ax, height=7.0, width=7.2)
        cells, handles = _cells(frame[["a", "b", "c"]].to_numpy(float)), []
        for label, color, mask in _lists(frame["change"], said):
            look: dict[str, Any] = {"facecolors": PALETTE[color], "edgecolors": "face"}
            shown = PolyCollection(cells[mask], label=label, gid=label, lw=0.3, **look)
            handles.append(ax.add_collection(shown))
        _corners(ax, corners)
        if nominal is not None:
            x, y = _flat(np.array([nominal], float)).T
            handles.append(ax.scatter(x, y, s=110, marker="X", color=PALETTE["vermillion"],
                                      edgecolors="white", zorder=4, gid="nominal",
                                      label=said["scheme"]))  # fmt: skip
        _key(ax, handles)
        return finish(ax, title, said["lists"])


def _lists(change: pd.Series, said: Any) -> Iterator[tuple[str, str, Any]]:
    """Label, color and rows of the scheme's own list, of the most frequent others, of the rest."""
    if (change == "").any():
        yield said["same"], "blue", (change == "").to_numpy()
    others = change[change != ""].value_counts(sort=True).index[: len(_COLORS)]
    for label, color in zip(others, _COLORS, strict=False):
        yield str(label), color, (change == label).to_numpy()
    rest = ((change != "") & ~change.isin(others)).to_numpy()
    if rest.any():
        yield said["other"], "grey", rest


def _flat(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 2) of the triangle whose corners are bottom left, top, bottom right."""
    corners = np.array([[0.0, 0.0], [0.5, 0.75**0.5], [1.0, 0.0]])
    flat: NDArray[np.float64] = shares @ corners
    return flat


def _cells(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hexagons (n, 6, 2) around the points of a grid, which fill the plane."""
    steps = np.diff(np.unique(shares.round(9)))
    radius = (steps.min() if len(steps) else 1.0) / 3**0.5
    edge = np.array([(cos(t), sin(t)) for t in (pi / 6 + k * pi / 3 for k in range(6))])
    hexagons: NDArray[np.float64] = _flat(shares)[:, None, :] + radius * edge
    return hexagons


def _key(ax: Axes, handles: list[Any]) -> None:
    """Explain the lists below the triangle, one in a row: the names are long."""
    for mark in handles:
        mark.set_label(wrapped(str(mark.get_label()), KEY_WIDTH))
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.12), fontsize=9)


def _corners(ax: Axes, names: Sequence[str]) -> None:
    x, y = _flat(np.eye(3)).T
    ax.plot([*x, x[0]], [*y, y[0]], color=PALETTE["ink"], lw=1, zorder=3)
    places: list[dict[str, Any]] = [{"ha": "center", "va": v} for v in ("top", "bottom", "top")]
    shifts = [(0, -10), (0, 10), (0, -10)]
    for name, px, py, place, shift in zip(names, x, y, places, shifts, strict=True):
        ax.annotate(name, (px, py), shift, textcoords="offset points", **place)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.margins(0.12)
    for side in ax.spines.values():
        side.set_visible(False)
