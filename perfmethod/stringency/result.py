"""What the analysis of stringency found, and what may be said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.frames import row, rows
from perfmethod.stringency.ancova import Ancova
from perfmethod.stringency.canonical import Canonical
from perfmethod.stringency.dif import AnchorCheck, anchor_check
from perfmethod.stringency.graph import Connectivity
from perfmethod.stringency.methods import MethodComparison, compare_methods
from perfmethod.stringency.parts import Parts, below
from perfmethod.stringency.sweep import DeltaSweep, delta_sweep

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from perfmethod.scoring import Evaluation

__all__ = ["EFFECTS", "Stringency"]

EFFECTS = ("shrunk", "average", "effect", "corrected")

_WORDS = {
    "en": {
        "parts": "By the panels' scores alone, groups cannot be compared at all: raters and units "
        "fall into {k} parts that no assessor joins, so any difference between parts may be "
        "stringency or performance.",
        "linked": "Assessors who rate in several groups join all units, so the panels' scores "
        "alone also compare the groups; the anchors are a second look.",
        "yes": "1. Beyond the anchors the panels' scores differ between groups (F = {f}, p {p}, by "
        "permutation p {q}); the differences have a standard deviation of {sd} points ({level} % "
        "interval {low} to {high}).",
        "no": "1. No group difference beyond the anchors was shown (F = {f}, p {p}, by permutation "
        "p {q}), which is not evidence of none: the standard deviation may be anything from {low} "
        "to {high} points ({level} % interval).",
        "power": "The test finds a standard deviation of {d} points with 80 % chance, and one of "
        "{half} points with {power} % only.",
        "hollow": "How reliable '{anchor}' is cannot be told: {share} % of its weight rests on "
        "cells with one valid answer or one rater, whose error cannot be measured, so what its "
        "errors do to the slopes is left open.",
        "noise": "Inside groups '{anchor}' differs no more than the sampling of its raters alone "
        "would make it, so nothing bounds what its errors do to the slopes.",
        "part": "The error of {share} % of the weight of '{anchor}' cannot be measured and counts "
        "as 0 (cells with one valid answer or one rater), so it is likely less "
        "reliable than taken here.",
        "together": "The anchors go together more than their estimated reliabilities allow, so "
        "nothing bounds what their errors do to the slopes.",
        "lead": "2. {k} of {n} groups stand on the same side of the mean on the panel's scores and "
        "on the anchors, which others scored.",
        "last": "3. Whether what is left is stringency or performance, no data of this year can "
        "tell; a sweep over the share of it that is stringency names the grades that depend on it.",
    },
    "zh": {
        "parts": "单凭各组评审分无法比较不同的组: 评委与单位分成{k}个互不相连的部分, "
        "其间的差异既可能是尺度也可能是绩效。",
        "linked": "有评委跨组评分, 全部单位相互连通, 单凭评审分也能比较各组; 锚定指标是另一依据。",
        "yes": "1. 扣除锚定指标后, 各组评审分仍有差异(F = {f}, p {p}, 置换检验p {q}); "
        "差异的标准差为{sd}分({level}%区间{low}至{high}分)。",
        "no": "1. 扣除锚定指标后, 没有发现组间差异的证据(F = {f}, p {p}, 置换检验p {q}), "
        "但这不等于没有差异: 标准差的{level}%区间为{low}至{high}分。",
        "power": "本检验有80%的把握发现标准差为{d}分的差异, 对{half}分的差异只有{power}%的把握。",
        "hollow": "“{anchor}”的信度无从得知: 其权重的{share}%来自只有一份有效答卷或一名评议人的"
        "单元, 误差无法测量, 因此它的误差对斜率有何影响尚无定论。",
        "noise": "组内各单位在“{anchor}”上的差异不超过仅由评议人抽样造成的差异, "
        "因此它的误差对斜率的影响没有界限。",
        "part": "“{anchor}”权重的{share}%误差无法测量, 按0计(只有一份有效答卷或一名评议人的单元), "
        "因此其信度很可能低于此处所取的值。",
        "together": "锚定指标之间的相关超出其估计信度所能容许的程度, "
        "因此它们的误差对斜率的影响没有界限。",
        "lead": "2. {n}个组中有{k}个组的评审分与由他人评定的锚定指标在均值的同一侧。",
        "last": "3. 余下的差异究竟是尺度还是绩效, 本年数据无法回答; "
        "让尺度所占份额从0变到1, 可列出取决于此的等次。",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Stringency:
    """Group differences of the panel's scores beyond the anchors.

    Attributes
    ----------
    groups : DataFrame
        Index group; units, panel_mean, panel_lead and anchor_lead (points above the mean of the
        groups: on the panel's scores, and on what the anchors say of them), effect (the first less
        the second; negative where the panel is strict, if it is not performance), se, low, high
        (t interval), p, p_holm (against no effect of this group), shrunk (empirical Bayes at the
        estimated variance), average, average_se, average_low, average_high (the same with the
        uncertainty of the variance), corrected (effect with the anchors' errors taken out of the
        slope; NaN where nothing bounds the slopes), same_side (whether both leads have one sign).
        Effects are less their mean over groups: a stringency that all panels share shows nowhere.
    slopes : DataFrame
        Index anchor; slope, se, low, high, reliability (inside groups: 0 where the anchor's
        differences may be all error, NaN where that cannot be told), unmeasured (share of its
        weight whose error cannot be measured and counts as 0), corrected: the slope lies between
        `slope` and `corrected` as far as the reliability is right; NaN where nothing bounds it,
        which `words` says.
    tests : DataFrame
        Index test (f, permutation); f, df, df_within, p, p_mcse, detectable_sd (standard deviation
        of group effects, in points, found with 80 % chance).
    variance : DataFrame
        Rows ratio (of the effects' standard deviation to the residual one: its interval is exact)
        and sd (points: the ratio times the estimated residual one); columns estimate, low, high.
    power : DataFrame
        ratio, sd, power of the F test.
    connectivity : Connectivity
        Of raters and units of the panels.
    alpha, level : float
    meta : mapping
        Also panel, anchors, by, left_out.
    """

    groups: pd.DataFrame = field(repr=False)
    slopes: pd.DataFrame = field(repr=False)
    tests: pd.DataFrame = field(repr=False)
    variance: pd.DataFrame = field(repr=False)
    power: pd.DataFrame = field(repr=False)
    connectivity: Connectivity
    alpha: float
    level: float
    meta: Mapping[str, Any] = field(repr=False)
    _evaluation: Evaluation = field(repr=False)
    _parts: Parts = field(repr=False)
    _fit: Ancova = field(repr=False)
    _canonical: Canonical = field(repr=False)

    def __repr__(self) -> str:
        f, sd = row(self.tests, "f"), row(self.variance, "sd")
        return (
            f"<Stringency of {len(self.groups)} groups: p = {f['p']:.3g}, sd {sd['estimate']:.3g} "
            f"({sd['low']:.3g} to {sd['high']:.3g}), detects {f['detectable_sd']:.3g}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The groups."""
        return self.groups.copy()

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said, in three steps, after what the panels' scores alone cannot say.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said, f, sd = _WORDS[lang], row(self.tests, "f"), row(self.variance, "sd")
        n = len(self.groups)
        first = said["linked" if self.connectivity.connected else "parts"].format(
            k=len(self.connectivity.parts)
        )
        effect = said["yes" if f["p"] <= self.alpha else "no"].format(
            f=show(f["f"]), p=_p(f["p"]), q=_p(row(self.tests, "permutation")["p"]),
            sd=show(sd["estimate"]), low=show(sd["low"]), high=show(sd["high"]),
            level=show(100 * self.level, 0),
        )  # fmt: skip
        half = self.power.iloc[1].to_dict()
        power = said["power"].format(d=show(f["detectable_sd"]), half=show(half["sd"]),
                                     power=show(100 * half["power"], 0))  # fmt: skip
        lead = said["lead"].format(k=int(self.groups["same_side"].sum()), n=n)
        gap = " " if lang == "en" else ""
        return first, gap.join([effect, power, *self._anchors_told(lang)]), lead, said["last"]

    def _anchors_told(self, lang: str) -> Iterator[str]:
        """What is not known about the errors of the anchors."""
        said, scheme = _WORDS[lang], self._evaluation.year.scheme
        for anchor in rows(self.slopes):
            name = scheme.name(f"classes.{self._parts.class_id}.nodes.{anchor.Index}", lang)
            share = show(100 * anchor.unmeasured, 0 if anchor.unmeasured >= 0.01 else 2)
            if np.isnan(anchor.reliability):
                yield said["hollow"].format(anchor=name, share=share)
            elif anchor.reliability == 0:
                yield said["noise"].format(anchor=name)
            elif anchor.unmeasured > 0:
                yield said["part"].format(anchor=name, share=share)
        if (self.slopes["reliability"] > 0).all() and self.slopes["corrected"].isna().any():
            yield said["together"]

    def sweep(self, effect: str = "shrunk", *, pool: str | None = None) -> DeltaSweep:
        """Take a growing share of the group effects out of the panel's part, and grade anew.

        Parameters
        ----------
        effect : {"shrunk", "average", "effect", "corrected"}
            Column of `groups`. Where the estimated variance is 0 "shrunk" moves nothing, which
            shows nothing; "average" and "effect" then tell more.
        pool : {"group", "class", "all"}, optional
            Spread the places over other pools than the scheme's.
        """
        if effect not in EFFECTS:
            raise PerfmethodError(f"found effect '{effect}'; allowed: {suggest(effect, EFFECTS)}")
        pools = ("group", "class", "all")
        if pool is not None and pool not in pools:
            raise PerfmethodError(f"found pool '{pool}'; allowed: {suggest(pool, pools)}")
        return delta_sweep(self._evaluation, self._parts, self.groups[effect], pool=pool)

    def check_anchors(self, *, alpha: float | None = None) -> AnchorCheck:
        """Test the leaves below the anchors for group differences, dropping the worst first."""
        evaluation, parts = self._evaluation, self._parts
        leaves = below(evaluation, parts.class_id, parts.anchor_nodes)
        table = evaluation.nodes.pivot(index="unit_id", columns="node", values="score")
        mine = table.reindex(parts.panel.index)[[n for n in leaves if n in table]]
        return anchor_check(mine, parts.groups, alpha=self.alpha if alpha is None else alpha)

    def compare_methods(self, *, pool: str | None = None) -> MethodComparison:
        """Adjust the panel's part by every method, each with what it takes for granted."""
        names = {"ancova": "effect", "empirical_bayes": "shrunk", "errors_in_anchors": "corrected"}
        if (self.slopes["reliability"] == 1).all():
            del names["errors_in_anchors"]
        effects = {k: self.groups[v].to_numpy(float) for k, v in names.items()}
        return compare_methods(self._evaluation, self._parts, self._fit, effects, pool=pool)

    def plot(self, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw every group's effect with its interval, and what is left of it after shrinkage."""
        from perfmethod.stringency.figures import draw_effects

        return draw_effects(self, ax, lang)


def _p(p: float) -> str:
    return f"= {show(p, 4)}" if p >= 0.0001 else "< 0.0001"
