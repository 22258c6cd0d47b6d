"""What was found about the gaps between groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from perfmethod.display import show
from perfmethod.errors import PerfmethodError, suggest
from perfmethod.frames import rows

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["GroupGaps"]

_WORDS = {
    "en": {
        "raw": "{by}: the mean totals of {n} groups differ by up to {range} points "
        "({high} highest, {low} lowest).",
        "raw_gap": "Labels drawn by lot would make means differ as much in all only with "
        "probability {p}: there is evidence that groups differ.",
        "raw_none": "Labels drawn by lot would make means differ as much in all with probability "
        "{p}: no evidence that groups differ, which is not evidence that they do not.",
        "gap": "Beyond the anchors ({anchors}) there is evidence of a group effect on "
        "the total (p = {p}).",
        "none": "Beyond the anchors ({anchors}) no evidence of a group effect on the total was "
        "found (p = {p}), which is not evidence of none.",
        "part": "On '{part}' there is evidence of a group effect beyond the anchors (p = {p} by "
        "Holm over the parts): {low} lowest ({least} points unexplained), {high} highest ({most}).",
        "one": "{group}: unexplained {gap} points (from {low} to {high}).",
        "open": "{group}: {units} of {n} units are too few (or too many) against the rest to rule "
        "out a gap of any size, so the {level} % interval of the raw gap has no ends.",
        "normal": "{groups}: some unit is fitted exactly, as one alone in its group is, so the "
        "interval and p-value of what is unexplained take errors for normal.",
        "join": ", ",
        "power": "A gap of one group is found with 80 % chance only if it is at least {least} to "
        "{most} points.",
        "means": "Unexplained is what units with the same anchors do not have elsewhere: stricter "
        "or more lenient assessors, harder or easier targets, or performance that the anchors do "
        "not show. The data cannot tell these apart.",
    },
    "zh": {
        "raw": "{by}: {n}个组的平均总分最多相差{range}分({high}最高, {low}最低)。",
        "raw_gap": "若分组纯属抽签, 各组均值总体上差异如此之大的概率仅为{p}: "
        "有证据表明各组有差距。",
        "raw_none": "若分组纯属抽签, 各组均值总体上差异如此之大的概率为{p}: "
        "没有发现各组有差距的证据, 但这不等于证明没有差距。",
        "gap": "扣除锚定部分({anchors})后, 有证据表明总分上存在组间效应(p = {p})。",
        "none": "扣除锚定部分({anchors})后, 总分上没有发现组间效应的证据(p = {p}), "
        "但这不等于证明没有。",
        "part": "在“{part}”上, 有证据表明扣除锚定部分后仍存在组间效应(按Holm法校正 p = {p}): "
        "{low}最低(未解释{least}分), {high}最高({most}分)。",
        "one": "{group}: 未解释的差距{gap}分(区间{low}至{high})。",
        "open": "{group}: {n}家单位中占{units}家, 与其余单位相比过少(或过多), "
        "无法排除任何大小的差距, 故原始差距的{level}%区间两端无界。",
        "normal": "{groups}: 有单位被完全拟合(如组内只有一家), 没有残差可用, "
        "未解释差距的区间和p值以误差服从正态分布为前提。",
        "join": "、",
        "power": "某一组的差距至少达到{least}至{most}分, 才有80%的把握发现。",
        "means": "“未解释”是指锚定得分相同的其他单位所没有的那部分: 可能是评分宽严不同, "
        "也可能是目标难易不同, 或锚定指标未反映的真实绩效; 数据本身无法区分。",
    },
}


@dataclass(frozen=True)
class GroupGaps:
    """Gaps of groups against the rest, by part, explained by anchors and not.

    Attributes
    ----------
    attribute : str
    anchors : tuple of str
    level : float
        Of the intervals.
    groups : DataFrame
        One row per group: attribute, group, units, mean and rest (mean totals), gap with its
        randomization interval low to high (infinite where so few units, or all but so few, are in
        the group that no gap can be ruled out), p and p_holm (over the groups); on_anchors (gap in
        the anchors' own points), explained (that and what the anchors predict elsewhere),
        unexplained with unexplained_low to unexplained_high, unexplained_p and unexplained_p_holm;
        detectable (least unexplained gap, points, found with 80 % chance, were errors normal).
        Explained and unexplained sum to the gap.
    parts : DataFrame
        One row per group and part: group, part, parent, name_zh, name_en, anchor, gap, explained,
        unexplained, low, high, p (of the unexplained). A group's parts sum to its gap.
    slopes : DataFrame
        Index anchor, part; slope (points of the part that go with one point of the anchor's score,
        inside groups) and its standard error.
    tests : DataFrame
        Index test (any gap, any unexplained gap); f, df, df_within, p_normal, p_permuted.
    part_tests : DataFrame
        Index part, anchors left out; name_zh, name_en, f, p_permuted (of any unexplained gap on
        the part), p_holm (over the parts).
    meta : mapping
        Also class_id, draws, seed, left_out (units without a label), df, normal (groups whose
        unexplained_low, unexplained_high and unexplained_p take errors for normal: a unit of
        theirs has no residual).
    """

    attribute: str
    anchors: tuple[str, ...]
    level: float
    groups: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)
    slopes: pd.DataFrame = field(repr=False)
    tests: pd.DataFrame = field(repr=False)
    part_tests: pd.DataFrame = field(repr=False)
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        raw, left = self.tests["p_permuted"]
        return (
            f"<GroupGaps by {self.attribute}: {len(self.groups)} groups, any gap p = {raw:.3g}, "
            f"any unexplained p = {left:.3g}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The groups, the largest gap first."""
        return self.groups.sort_values("gap", ascending=False, kind="stable")

    def anchor_names(self, lang: str = "zh") -> tuple[str, ...]:
        """Names of the anchors.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        named = self.parts.drop_duplicates("part").set_index("part")[f"name_{lang}"]
        return tuple(str(named[a]) for a in self.anchors)

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said, and what may not.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said, table, names = _WORDS[lang], self.to_frame(), self.meta["names"][lang]
        first, last = table.iloc[0], table.iloc[-1]
        raw, left = self.tests["p_permuted"]
        alpha = 1 - self.level
        told = [
            said["raw"].format(
                by=names["by"], n=len(table), range=show(first["mean"] - last["mean"], 1),
                high=names[first["group"]], low=names[last["group"]]
            ),
            *([] if self.meta.get("banded") is None else [self.meta["banded"].rule[lang]]),
            said["raw_gap" if raw <= alpha else "raw_none"].format(p=show(raw, 4)),
            said["gap" if left <= alpha else "none"].format(
                anchors=("、" if lang == "zh" else ", ").join(self.anchor_names(lang)),
                p=show(left, 4),
            ),
        ]  # fmt: skip
        for row in rows(table[table["unexplained_p_holm"] <= alpha]):
            told.append(said["one"].format(
                group=names[row.group], gap=show(row.unexplained, 1),
                low=show(row.unexplained_low, 1), high=show(row.unexplained_high, 1)))  # fmt: skip
        told += [*self._parts_told(lang), *self._limits_told(lang)]
        reach = table["detectable"]
        told.append(said["power"].format(least=show(reach.min(), 0), most=show(reach.max(), 0)))
        return (*told, said["means"])

    def _limits_told(self, lang: str) -> Iterator[str]:
        """What the intervals of small groups cannot say, or take for granted."""
        said, names, n = _WORDS[lang], self.meta["names"][lang], int(self.groups["units"].sum())
        for row in rows(self.groups[np.isinf(self.groups["low"])]):
            level = show(100 * self.level, 0)
            yield said["open"].format(group=names[row.group], units=row.units, n=n, level=level)
        if self.meta["normal"]:
            groups = said["join"].join(names[g] for g in self.meta["normal"])
            yield said["normal"].format(groups=groups)

    def _parts_told(self, lang: str) -> list[str]:
        """One sentence for each part with evidence of a group effect beyond the anchors."""
        told, names = [], self.meta["names"][lang]
        for row in rows(self.part_tests[self.part_tests["p_holm"] <= 1 - self.level]):
            mine = self.parts[self.parts["part"] == row.Index].sort_values("unexplained")
            ends = list(rows(mine.iloc[[0, -1]]))
            said = _WORDS[lang]["part"].format(
                part=getattr(row, f"name_{lang}"), p=show(row.p_holm, 4),
                low=names[ends[0].group], least=show(ends[0].unexplained, 1),
                high=names[ends[1].group], most=show(ends[1].unexplained, 1),
            )  # fmt: skip
            told.append(said)
        return told

    def plot(self, ax: Axes | None = None, *, group: str | None = None, lang: str = "zh") -> Axes:
        """Draw the gaps of all groups, or the parts of one group's gap.

        Parameters
        ----------
        ax : Axes, optional
        group : str, optional
        lang : {'zh', 'en'}

        Raises
        ------
        PerfmethodError
            If there is no such group.
        """
        from perfmethod import plots

        if group is None:
            table = self.to_frame().replace({"group": dict(self.meta["names"][lang])})
            frame = table.rename(columns={"group": "label", "unexplained_low": "left",
                                          "unexplained_high": "right"})  # fmt: skip
        else:
            frame = self.parts[self.parts["group"] == group]
            if frame.empty:
                known = list(self.groups["group"])
                raise PerfmethodError(f"found group '{group}'; allowed: {suggest(group, known)}")
            order = frame["gap"].abs().sort_values(ascending=False, kind="stable").index
            frame = frame.loc[order].assign(label=frame[f"name_{lang}"])
            frame = frame.rename(columns={"low": "left", "high": "right"})
        frame = frame[["label", "explained", "unexplained", "left", "right"]]
        frame = frame.set_axis(["label", "explained", "unexplained", "low", "high"], axis=1)
        return plots.gap_bars(frame, ax, title=self._title(group, lang), level=self.level,
                              language=lang)  # fmt: skip

    def _title(self, group: str | None, lang: str) -> str:
        if group is None:
            found = int((self.groups["unexplained_p_holm"] <= 1 - self.level).sum())
            if not found:
                return self._none(lang)
            return {
                "zh": f"{len(self.groups)}个组中, {found}个组有证据表明存在锚定指标解释不了的差距",
                "en": f"Evidence of a gap that anchors do not explain in {found} of "
                f"{len(self.groups)} groups",
            }[lang]
        row = self.groups[self.groups["group"] == group].iloc[0]
        gap, left = show(row["gap"], 1), show(row["unexplained"], 1)
        group = self.meta["names"][lang][group]
        return {
            "zh": f"{group}: 差距{gap}分, 其中{left}分锚定指标解释不了",
            "en": f"{group}: a gap of {gap} points, {left} of them not explained by anchors",
        }[lang]

    def _none(self, lang: str) -> str:
        """Title where no group's gap on the total is shown; parts with evidence are named."""
        sure = self.part_tests[self.part_tests["p_holm"] <= 1 - self.level]
        parts = ("、" if lang == "zh" else ", ").join(sure[f"name_{lang}"])
        said = {
            "zh": "总分上没有一个组的未解释差距能被证实, 但这不等于没有差距",
            "en": "On the total no group's unexplained gap is shown, which does not show that "
            "there is none",
        }[lang]
        more = {"zh": f"; {parts}上有组间效应的证据", "en": f"; there is evidence on {parts}"}[lang]
        return said + more if len(sure) else said
