"""What the exact tests of parity found, with what they could have found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.display import show
from perfmethod.frames import rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from perfmethod.fairness.tables import TableLaw

__all__ = ["GradeParity"]

_WORDS = {
    "en": {
        "gap": "{by}: evidence that grade and group go together (exact p = {p}{holm}).",
        "none": "{by}: no evidence of a gap (exact p = {p}{holm}), which is not evidence of no "
        "gap.",
        "found": "With {target} % chance this test finds only that one group's odds are {odds} "
        "times the others' ({group}: {rate} % instead of {fair} %); smaller gaps it mostly misses.",
        "never": "No advantage of any one group, however large, would be found with {target} % "
        "chance (at best {most} %).",
        "holm": ", {p} by Holm over {n} attributes",
        "quota": "The scheme spreads the places over these groups itself, so their rates are the "
        "quota's doing and say nothing about scores.",
    },
    "zh": {
        "gap": "{by}: 有证据表明等次与分组有关(精确 p = {p}{holm})。",
        "none": "{by}: 没有发现差距的证据(精确 p = {p}{holm}), 但这不等于证明没有差距。",
        "found": "本检验有{target}%的把握发现的最小差距: 某一组的优势比为其他组的{odds}倍"
        "({group}: {rate}%, 而不是{fair}%); 更小的差距多半发现不了。",
        "never": "任何一组的优势无论多大, 本检验都没有{target}%的把握发现(最多{most}%)。",
        "holm": ", 按Holm法对{n}个属性校正后为{p}",
        "quota": "方案本身就按这些组分配名额, 各组比例由配额决定, 不反映得分。",
    },
}


@dataclass(frozen=True)
class GradeParity:
    """Exact parity of a grade over the groups of one or more attributes.

    Attributes
    ----------
    level : str
        The grade; a unit counts that holds it or a better one.
    alpha : float
    target : float
        Power for which detectable gaps are given.
    groups : DataFrame
        One row per attribute and group: units, held, rate (share), low and high (Clopper-Pearson:
        other units of such a group), expected (places by lot, inside the strata), z (standardized
        gap), p_more and p_fewer (exact, one-sided, this group alone), odds_ratio, odds_low,
        odds_high (against all other groups, margins fixed), many (fewest places that would be
        significantly many) and many_adjusted (the same with alpha shared among the groups), few
        (most that would be significantly few; missing if none), detectable_odds and
        detectable_rate (smallest advantage that the test finds with power `target`; infinite if
        none), most_power (against an unlimited advantage), detectable_odds_low and
        most_power_low (the same for a disadvantage).
    tests : DataFrame
        One row per attribute and statistic: value (for fisher_freeman_halton the probability of the
        table), p (exact), p_holm (over the attributes), size (of the test at `alpha`, shared among the attributes), detectable_odds
        (least over the groups) and in which group, most_power (best over the groups); units,
        left_out (no label or no stratum), strata, places, tables.
    test : str
        Statistic behind the detectable gaps and the words.
    meta : mapping
        Also strata, bands, quota_by (attribute by which the scheme itself spreads places) and
        banded (by attribute whose numbers were cut: values, limits and the rule in words).
    """  # noqa: E501 - names of columns

    level: str
    alpha: float
    target: float
    test: str
    groups: pd.DataFrame = field(repr=False)
    tests: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)
    _laws: Mapping[str, tuple[TableLaw, int]] = field(repr=False, default_factory=dict)

    def __repr__(self) -> str:
        told = []
        for row in rows(self.tests[self.tests["statistic"] == self.test]):
            least = f"odds x {row.detectable_odds:.3g}"
            found = least if np.isfinite(row.detectable_odds) else "no single group's gap"
            told.append(f"{row.attribute}: p = {row.p:.3g}, detects {found}")
        return f"<GradeParity of '{self.level}'; {'; '.join(told)}>"

    def to_frame(self) -> pd.DataFrame:
        """The groups, attribute after attribute."""
        return self.groups.copy()

    def spoken(self, attribute: str, lang: str, group: str = "by") -> str:
        """How an attribute, or one of its groups, is called."""
        names = self.meta.get("names", {}).get(attribute, {}).get(lang, {})
        return str(names.get(group, attribute if group == "by" else group))

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said, one paragraph per attribute: the p-value, and what it could not see.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        return tuple(
            self._sentence(row, _WORDS[lang], lang)
            for row in rows(self.tests[self.tests["statistic"] == self.test])
        )

    def _sentence(self, row: Any, words: Mapping[str, str], lang: str) -> str:
        several = self.tests["attribute"].nunique()
        joint = words["holm"].format(p=show(row.p_holm, 4), n=several) if several > 1 else ""
        said = words["gap" if row.p_holm <= self.alpha else "none"]
        first = said.format(by=self.spoken(row.attribute, lang), p=show(row.p, 4), holm=joint)
        target, gap = show(100 * self.target, 0), " " if lang == "en" else ""
        if (cut := self.meta.get("banded", {}).get(row.attribute)) is not None:
            first = gap.join([first, cut.rule[lang]])
        if self.meta.get("quota_by") == row.attribute:
            first = gap.join([first, words["quota"]])
        if not np.isfinite(row.detectable_odds):
            last = words["never"].format(target=target, most=show(100 * row.most_power, 0))
            return first + gap + last
        mine = self.groups[self.groups["attribute"] == row.attribute].set_index("group")
        best = mine.loc[row.detectable_group]
        group = self.spoken(row.attribute, lang, row.detectable_group)
        last = words["found"].format(
            target=target, odds=show(row.detectable_odds, 1), group=group,
            rate=show(100 * best["detectable_rate"], 0),
            fair=show(100 * best["expected"] / best["units"], 0),
        )  # fmt: skip
        return first + gap + last

    def plot(
        self,
        ax: Axes | None = None,
        *,
        attribute: str | None = None,
        statistic: str | None = None,
        lang: str = "zh",
    ) -> Axes:
        """Draw the exact law of a test, what was found, and what could have been found.

        Parameters
        ----------
        ax : Axes, optional
        attribute : str, optional
            By default the first.
        statistic : str, optional
            By default that of the words.
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If there is no such attribute or statistic.
        """
        from perfmethod.fairness.figures import draw_test

        return draw_test(self, ax, attribute, statistic, lang)
