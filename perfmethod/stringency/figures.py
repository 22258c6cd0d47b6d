"""Pictures of the analysis of stringency, with their findings for titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perfmethod.display import show
from perfmethod.frames import row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.stringency.result import Stringency
    from perfmethod.stringency.sweep import DeltaSweep

__all__ = ["draw_effects", "draw_sweep"]

_TITLES = {
    "zh": {
        "yes": "扣除锚定指标后组间仍有差异: 标准差{sd}分, 区间{low}至{high}分",
        "no": "没有发现组间差异的证据, 但标准差可能高达{high}分",
        "some": "取决于组间差异是尺度还是绩效的等次: {n}个",
        "none": "按估计的组间差异, 没有等次取决于它是尺度还是绩效",
    },
    "en": {
        "yes": "Groups differ beyond the anchors: sd {sd} points, interval {low} to {high}",
        "no": "No group difference shown, yet the sd may be as large as {high} points",
        "some": "Grades that depend on whether group differences are stringency: {n}",
        "none": "No grade depends on whether group differences, as estimated, are stringency",
    },
}


def draw_effects(found: Stringency, ax: Axes | None, lang: str) -> Axes:
    """Draw group effects, the strictest-looking group on top."""
    from perfmethod.plots.stringency import group_effects

    names = found.meta["names"][lang]
    frame = found.groups.sort_values("effect")
    frame = frame.assign(name=[names.get(g, g) for g in frame.index])
    sd = row(found.variance, "sd")
    which = "yes" if row(found.tests, "f")["p"] <= found.alpha else "no"
    title = _TITLES[lang][which].format(
        sd=show(sd["estimate"], 1), low=show(sd["low"], 1), high=show(sd["high"], 1)
    )
    return group_effects(frame, ax, level=found.level, title=title, language=lang)


def draw_sweep(found: DeltaSweep, ax: Axes | None, lang: str) -> Axes:
    """Draw the grades of units whose grade depends on delta; of the best grade where none does."""
    import numpy as np
    import pandas as pd

    from perfmethod.plots.stringency import delta_bands

    levels = list(found.meta["levels"])
    units = found.units[found.units["depends"]]
    if units.empty:
        units = found.units[found.units["grade_0"] == levels[0]]
    rows = []
    for unit, first in units.sort_values(
        ["grade_0", "total_0"], ascending=[True, False]
    ).iterrows():
        mine = found.changes[found.changes["unit_id"] == unit]
        edges = np.concatenate([[0.0], mine["delta"], [1.0]])
        held = [first["grade_0"], *mine["grade_to"]]
        rows += [
            (first[f"name_{lang}"], low, high, grade)
            for low, high, grade in zip(edges[:-1], edges[1:], held, strict=True)
        ]
    frame = pd.DataFrame(rows, columns=["unit", "low", "high", "grade"])
    names = found.meta.get(f"name_{lang}", {})
    frame["best"] = frame["grade"] == levels[0]
    frame["grade"] = [names.get(g, g) for g in frame["grade"]]
    n = int(found.units["depends"].sum())
    title = _TITLES[lang]["some" if n else "none"].format(n=n)
    return delta_bands(frame, ax, title=title, language=lang)
