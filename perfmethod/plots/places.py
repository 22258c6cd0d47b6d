"""Quota rules side by side: what each costs and brings, rates by group, who changes grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.display import show
from perfmethod.errors import PerfmethodError
from perfmethod.plots.house import (
    PALETTE,
    finish,
    key,
    need_columns,
    new_axes,
    style,
    use_fonts,
    words,
    wrapped,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["rule_changes", "rule_rates", "rule_tradeoff"]

_WORDS = {
    "zh": {
        "rate_range": "各组最高等次比例极差\n(百分点, 越小越好)",
        "found": "最优单位评上最高等次\n(%, 越多越好)",
        "expected_wrong": "换一批评议人会变的\n等次数(越少越好)",
        "changed": "与现行方案不同的\n等次数(越少越好)",
        "efficient": "有效(不被任何规则全面超过)", "beaten": "被其他规则全面超过",
        "interval": "5%至95%的抽样, 均值±2个标准误", "floor": "整数名额下的最小极差",
        "rate": "最高等次比例(%)", "gains": "上升", "loses": "下降",
    },
    "en": {
        "rate_range": "Range of the groups' rates\n(points of %, less is better)",
        "found": "Best units graded best\n(%, more is better)",
        "expected_wrong": "Grades that other raters\nwould change (less is better)",
        "changed": "Grades other than the\nscheme's (less is better)",
        "efficient": "efficient (no rule beats it on all)", "beaten": "beaten by another rule",
        "interval": "5-95 % of the draws; means ±2 s.e.", "floor": "least range of whole places",
        "rate": "Rate of the best grade (%)",
        "gains": "gains", "loses": "loses",
    },
}  # fmt: skip
GROUP_WIDTH = 14  # columns of a group's name under its rates
_PANELS = ("rate_range", "found", "expected_wrong", "changed")
_PERCENT = ("rate_range", "found")


def rule_tradeoff(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw fairness, truth found, reliability and agreement of every rule, one row a rule.

    Parameters
    ----------
    frame : DataFrame
        One row per rule, in the order of the figure: ``name`` (may have several lines),
        ``efficient``, and of ``rate_range`` and ``found`` (shares), ``expected_wrong`` and
        ``changed`` (units) those there are, each with ``_low`` and ``_high`` (equal or missing: no
        interval); ``least_range`` marks the least possible range.
    ax : Axes, optional
        Where to draw; the panels stand inside it. A new figure by default.
    title : str
        The finding.
    language : {"zh", "en"}

    Returns
    -------
    Axes
        The whole; its ``child_axes`` are the panels.

    Raises
    ------
    PerfmethodError
        If a column is missing, there is no panel to draw or the table is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"name": ["A", "B"], "efficient": [True, False],
    ...     "changed": [0, 2], "changed_low": [0, 1], "changed_high": [0, 4]})
    >>> len(rule_tradeoff(frame, language="en").child_axes)
    1
    """
    need_columns(frame, "name", "efficient")
    panels = [name for name in _PANELS if name in frame]
    if not panels:
        raise PerfmethodError(
            f"the table to draw has none of {list(_PANELS)}; allowed: one or more"
        )
    need_columns(frame, *(f"{name}_{end}" for name in panels for end in ("low", "high")))
    said = words(language, _WORDS)
    with style():
        lines = [str(name).count("\n") + 1 for name in frame["name"]]
        at = _rows(lines)
        ax = new_axes(ax, height=2.3 + 0.2 * sum(max(2, n) for n in lines), width=11.5)
        ax.set_yticks(at, [str(name) for name in frame["name"]])
        ax.tick_params(axis="y", length=0, labelsize=9)
        ax.set_xticks([])
        for side in ax.spines.values():
            side.set_visible(False)
        ax.set_ylim(at[-1] + 1.2, at[0] - 1.2)
        for y, row in zip(at, frame.to_dict("records"), strict=True):
            if row["efficient"]:
                ax.axhspan(y - 0.9, y + 0.9, color=PALETTE["pale"], alpha=0.45, lw=0, zorder=0)
        gap = 0.03
        width = (1 + gap) / len(panels) - gap
        for j, name in enumerate(panels):
            inner = ax.inset_axes((j * (width + gap), 0.0, width, 1.0))
            _panel(inner, name, frame, at, ax.get_ylim(), said)
        key(ax, _marks(said, frame))
        return finish(ax, title, "")


def _rows(lines: Sequence[int]) -> list[float]:
    """Heights of rows: each as high as its label."""
    room = [max(2.0, 0.8 * n) for n in lines]
    return [sum(room[:i]) + room[i] / 2 for i in range(len(room))]


def _panel(
    ax: Axes, name: str, frame: pd.DataFrame, at: Sequence[float], limits: Any, said: Any
) -> None:
    scale = 100.0 if name in _PERCENT else 1.0
    for y, row in zip(at, frame.to_dict("records"), strict=True):
        value, low, high = (scale * float(row[c]) for c in (name, f"{name}_low", f"{name}_high"))
        if np.isfinite(low) and np.isfinite(high) and high > low:
            ax.plot([low, high], [y, y], color=PALETTE["sky"], lw=4, solid_capstyle="butt",
                    zorder=2, gid="interval")  # fmt: skip
        if name == "rate_range" and "least_range" in row:
            least = scale * float(row["least_range"])
            ax.plot([least, least], [y - 0.5, y + 0.5], color=PALETTE["ink"], lw=1.2, zorder=3,
                    gid="least")  # fmt: skip
        face = PALETTE["blue"] if row["efficient"] else "white"
        ax.plot([value], [y], "o", ms=7, mfc=face, mec=PALETTE["blue"], mew=1.5, zorder=4,
                gid="efficient" if row["efficient"] else "beaten")  # fmt: skip
        ax.annotate(show(value, 0 if name == "changed" else 1), (value, y), (0, 6),
                    textcoords="offset points", ha="center", va="bottom", fontsize=8, zorder=5,
                    bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 0.6})  # fmt: skip
    ax.set_ylim(*limits)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.patch.set_alpha(0.0)
    ax.margins(x=0.12)
    ax.grid(axis="x")
    ax.set_xlabel(said[name], fontsize=9)
    ax.tick_params(labelfontfamily=list(use_fonts()), color=PALETTE["grey"], labelsize=8)


def _marks(said: Mapping[str, str], frame: pd.DataFrame) -> list[Any]:
    from matplotlib.lines import Line2D

    dot = {"marker": "o", "ls": "", "ms": 7, "mec": PALETTE["blue"], "mew": 1.5}
    marks: list[Any] = [
        Line2D([], [], mfc=PALETTE["blue"], label=said["efficient"], **dot),  # type: ignore[arg-type]
        Line2D([], [], mfc="white", label=said["beaten"], **dot),  # type: ignore[arg-type]
    ]
    if "least_range" in frame:
        marks.append(
            Line2D([], [], marker="|", ls="", ms=9, color=PALETTE["ink"], label=said["floor"])
        )
    return [*marks, Line2D([], [], color=PALETTE["sky"], lw=4, label=said["interval"])]


def rule_rates(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw the rate of the best grade of every group under every rule.

    Parameters
    ----------
    frame : DataFrame
        ``rule`` (name), ``group`` (name), ``units``, ``held``, ``rate`` (share); rules and groups
        in the order of the figure.
    ax : Axes, optional
    title : str
    language : {"zh", "en"}

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
    >>> frame = pd.DataFrame({"rule": ["A", "A"], "group": ["G1", "G2"], "units": [4, 9],
    ...                       "held": [1, 2], "rate": [1 / 4, 2 / 9]})
    >>> [text.get_text() for text in rule_rates(frame).texts]
    ['1/4', '2/9']
    """
    need_columns(frame, "rule", "group", "units", "held", "rate")
    said = words(language, _WORDS)
    rules, groups = (list(dict.fromkeys(frame[c].astype(str))) for c in ("rule", "group"))
    with style():
        lines = [name.count("\n") + 1 for name in rules]
        height = (
            2.2
            + 0.14 * max(wrapped(g, GROUP_WIDTH).count("\n") for g in groups)
            + 0.2 * sum(max(2, n) for n in lines)
        )
        ax = new_axes(ax, height=height, width=max(6.0, 2.6 + 1.25 * len(groups)))
        values = frame.assign(rule=frame["rule"].astype(str), group=frame["group"].astype(str))
        wide = values.pivot(index="rule", columns="group", values="rate").loc[rules, groups]
        edges = np.cumsum([0.0, *(max(2, n) for n in lines)])
        mesh = ax.pcolormesh(np.arange(len(groups) + 1), edges, 100 * wide.to_numpy(float),
                             cmap="Blues", vmin=0, edgecolors="white", linewidth=1)  # fmt: skip
        top = float(mesh.get_clim()[1])
        for row in values.to_dict("records"):
            text = f"{row['held']}/{row['units']}"
            x, i = groups.index(row["group"]) + 0.5, rules.index(row["rule"])
            dark = 100 * float(row["rate"]) > 0.6 * top
            ax.text(x, (edges[i] + edges[i + 1]) / 2, text, ha="center",
                    va="center", fontsize=9, color="white" if dark else PALETTE["ink"])  # fmt: skip
        ax.set_yticks((edges[:-1] + edges[1:]) / 2, rules)
        named = [wrapped(group, GROUP_WIDTH) for group in groups]
        ax.set_xticks(np.arange(len(groups)) + 0.5, named, fontsize=8)
        ax.set_ylim(edges[-1], 0)
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
        figure = ax.get_figure(root=True)
        assert figure is not None
        bar = figure.colorbar(mesh, ax=ax, shrink=0.6, label=said["rate"])
        bar.ax.tick_params(labelfontfamily=list(use_fonts()))
        return finish(ax, title, "")


def rule_changes(
    frame: pd.DataFrame, ax: Axes | None = None, *, title: str = "", language: str = "zh"
) -> Axes:
    """Draw which unit gains or loses a grade under which rule.

    Parameters
    ----------
    frame : DataFrame
        ``rule``, ``unit`` (names), ``gains`` (bool), in the order of the figure.
    ax : Axes, optional
    title : str
    language : {"zh", "en"}

    Returns
    -------
    Axes

    Raises
    ------
    PerfmethodError
        If a column is missing or the table is empty.
    """
    from matplotlib.lines import Line2D

    need_columns(frame, "rule", "unit", "gains")
    said = words(language, _WORDS)
    rules, units = (list(dict.fromkeys(frame[c].astype(str))) for c in ("rule", "unit"))
    looks = {True: ("^", "green", "gains"), False: ("v", "vermillion", "loses")}
    with style():
        ax = new_axes(ax, height=3.2 + 0.34 * len(units), width=4.0 + 0.9 * len(rules))
        for gains, (marker, color, gid) in looks.items():
            part = frame[frame["gains"] == gains]
            x = [rules.index(str(r)) for r in part["rule"]]
            y = [units.index(str(u)) for u in part["unit"]]
            ax.plot(x, y, marker, color=PALETTE[color], ms=9, gid=gid)
        ax.set_xticks(range(len(rules)), rules, rotation=30, ha="right", fontsize=9)
        ax.set_yticks(range(len(units)), units)
        ax.set_xlim(-0.6, len(rules) - 0.4)
        ax.set_ylim(len(units) - 0.4, -0.6)
        ax.grid(True)
        key(ax, [Line2D([], [], marker=m, ls="", ms=9, color=PALETTE[c], label=said[g])
                 for m, c, g in looks.values()])  # fmt: skip
        return finish(ax, title, "")
