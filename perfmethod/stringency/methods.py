"""Ways to make panels comparable, side by side, each with what it takes for granted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod import equating
from perfmethod.errors import DataError
from perfmethod.stringency.adjust import simulate_shifts
from perfmethod.stringency.ancova import Ancova
from perfmethod.stringency.parts import Parts

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation

__all__ = ["ASSUMPTIONS", "MethodComparison", "compare_methods"]

Array = NDArray[np.float64]

ASSUMPTIONS: Mapping[str, Mapping[str, str]] = {
    "raw": {
        "en": "All panels are equally strict.",
        "zh": "各组评审尺度相同。",
    },
    "mean": {
        "en": "All groups perform equally well on average (randomly equivalent).",
        "zh": "各组平均绩效相同(随机等价)。",
    },
    "z_score": {
        "en": "All groups perform equally well and vary equally; their spread is read off 4 to 9 "
        "units.",
        "zh": "各组平均绩效与离散程度相同; 离散程度只由4至9家单位估计。",
    },
    "circle_arc": {
        "en": "All groups perform equally well on average; 0 and 100 mean the same to all panels.",
        "zh": "各组平均绩效相同; 0分和100分对各组含义相同。",
    },
    "equipercentile": {
        "en": "All groups have the same distribution of performance; it wants hundreds of units.",
        "zh": "各组绩效分布相同; 需要数百家单位才可靠。",
    },
    "tucker": {
        "en": "The panel's regression on the anchors is the same line in every group; one slope "
        "per group.",
        "zh": "各组评审分对锚定指标的回归线相同; 每组各估一个斜率。",
    },
    "levine": {
        "en": "Panel and anchors measure the same thing, with errors as of tests of other lengths.",
        "zh": "评审分与锚定指标测量同一特质, 误差如同不同长度的测验。",
    },
    "chained": {
        "en": "The panel's linear link to the anchors is the same in every group; two spreads per "
        "group.",
        "zh": "各组评审分与锚定指标的线性关系相同; 每组估两个离散程度。",
    },
    "ancova": {
        "en": "Beyond the anchors no group performs better; one slope for all groups.",
        "zh": "扣除锚定指标后各组绩效无差异; 各组共用一个斜率。",
    },
    "empirical_bayes": {
        "en": "As ancova, and the stringencies of the groups are draws from one distribution.",
        "zh": "同协方差分析, 且各组尺度来自同一分布(向均值收缩)。",
    },
    "errors_in_anchors": {
        "en": "As ancova, with the anchors' reliabilities known.",
        "zh": "同协方差分析, 且锚定指标的信度已知。",
    },
}


@dataclass(frozen=True)
class MethodComparison:
    """The year under each way to make panels comparable.

    Attributes
    ----------
    methods : DataFrame
        Index method; assumption_zh, assumption_en, usable, note (why not), grades_changed (from
        raw), rank_moves (mean absolute, from raw), largest_shift (points of the panel's part), beyond_scale (units
        whose panel part leaves 0 to 100).
    panel : DataFrame (u, m)
        Adjusted panel parts; columns the usable methods.
    ranks, grades : DataFrame (u, m)
        Of all units of the year.
    meta : mapping
    """  # noqa: E501 - names of columns

    methods: pd.DataFrame = field(repr=False)
    panel: pd.DataFrame = field(repr=False)
    ranks: pd.DataFrame = field(repr=False)
    grades: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        n = int(self.methods["usable"].sum())
        most = int(self.methods["grades_changed"].max())
        return f"<MethodComparison of {n} methods, at most {most} grades changed>"

    def to_frame(self) -> pd.DataFrame:
        """The methods with what they assume."""
        return self.methods.copy()


def compare_methods(
    evaluation: Evaluation,
    parts: Parts,
    fit: Ancova,
    effects: Mapping[str, Array],
    *,
    pool: str | None = None,
) -> MethodComparison:
    """Adjust the panel's part in every way, and grade anew by the scheme's own rules.

    Links go from each group to all units together. Nothing in the data ranks the methods: each is
    right where its assumption is.

    Parameters
    ----------
    evaluation : Evaluation
    parts : Parts
    fit : Ancova
    effects : mapping of str to ndarray (g,)
        Group effects by the methods that take them from a model; a method whose effects are not
        known (NaN) is not usable.
    pool : str, optional
        As in `delta_sweep`.

    Returns
    -------
    MethodComparison
    """
    adjusted: dict[str, Array] = {"raw": fit.panel.copy()}
    notes: dict[str, str] = {}
    composite = fit.anchors @ fit.slopes
    for name, link in _links().items():
        try:
            adjusted[name] = _linked(fit, composite, link)
        except DataError as error:
            notes[name] = "; ".join(str(p) for p in error.problems)
    known = {name: effect for name, effect in effects.items() if np.isfinite(effect).all()}
    adjusted |= {name: fit.panel - effect[fit.code] for name, effect in known.items()}
    notes |= dict.fromkeys(set(effects) - set(known), "the effects of the groups are not known")
    order = [m for m in ASSUMPTIONS if m in adjusted]
    shifts = np.array([adjusted[m] - fit.panel for m in order])
    found = simulate_shifts(evaluation, parts, shifts, pool=pool)
    units = pd.Index(found.units, name="unit_id")
    levels = np.array(found.levels or ("",))
    grade = np.zeros(found.rank.shape, int) if found.grade is None else found.grade
    table = pd.DataFrame(index=pd.Index([m for m in ASSUMPTIONS if m in adjusted or m in notes],
                                        name="method"))  # fmt: skip
    for lang in ("zh", "en"):
        table[f"assumption_{lang}"] = [ASSUMPTIONS[m][lang] for m in table.index]
    table["usable"] = table.index.isin(order)
    table["note"] = [notes.get(m, "") for m in table.index]
    moves = np.abs(found.rank - found.rank[0].astype(int)).mean(axis=1)
    after = fit.panel + shifts
    for name, values in (
        ("grades_changed", (grade != grade[0]).sum(axis=1)),
        ("rank_moves", moves),
        ("largest_shift", np.abs(shifts).max(axis=1)),
        ("beyond_scale", ((after < 0) | (after > 100)).sum(axis=1)),
    ):
        table[name] = pd.Series(values, order).reindex(table.index)
    return MethodComparison(
        table,
        pd.DataFrame(after.T, parts.panel.index, order),
        pd.DataFrame(found.rank.T, units, order),
        pd.DataFrame(levels[grade].T, units, order),
        evaluation.year.meta,
    )


_Link = Callable[[Array, Array, Array, Array], Callable[[Array], Array]]


def _links() -> dict[str, _Link]:
    """How a group's scores are linked to all units': by scores and anchors of both."""
    return {
        "mean": lambda x, v, y, w: equating.mean_link(x, y),
        "z_score": lambda x, v, y, w: equating.linear_link(x, y),
        "circle_arc": lambda x, v, y, w: equating.circle_arc((float(x.mean()), float(y.mean()))),
        "equipercentile": lambda x, v, y, w: equating.equipercentile(x, y),
        "tucker": lambda x, v, y, w: equating.tucker_link(x, v, y, w, mean_only=True),
        "levine": lambda x, v, y, w: equating.levine_link(x, v, y, w, mean_only=True),
        "chained": lambda x, v, y, w: equating.chained_link(x, v, y, w),
    }


def _linked(fit: Ancova, composite: Array, link: _Link) -> Array:
    found = fit.panel.copy()
    for g in range(len(fit.sizes)):
        mine = fit.code == g
        x = fit.panel[mine]
        found[mine] = link(x, composite[mine], fit.panel, composite)(x)
    return found
