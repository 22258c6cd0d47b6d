"""What was found about portfolios of tasks, and about the rule for missing ones."""

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

__all__ = ["MissingRules", "Portfolio"]

_WORDS = {
    "en": {
        "size": "The tasks of a unit are worth {least} to {most} equal ones (median {median}); in "
        "{many} of {n} units one task carries {share} % of the total or more.",
        "chance": "If all units worked equally well and every task's score strayed by "
        "{noise} points ({low} to {high}), totals of units with few tasks would spread by {few} "
        "points and those with many by {many} by chance alone.",
        "ends": "Of the first {places} and the last {places} places units with few tasks would "
        "hold {first} and {last} by chance; they hold {first_held} and {last_held}.",
        "some": "There is evidence that totals lie the further from the mean the fewer the tasks "
        "are in effect (rank correlation {rho}, p = {p}).",
        "more": "There is evidence that totals lie the further from the mean the more tasks "
        "there are in effect (rank correlation {rho}, p = {p}).",
        "none": "No evidence that the distance from the mean goes with the number of tasks (rank "
        "correlation {rho}, p = {p}), which is not evidence that it does not.",
    },
    "zh": {
        "size": "各单位的任务折合{least}至{most}项等权任务(中位数{median}); {n}家中有{many}家的"
        "单项任务占总分{share}%以上。",
        "chance": "假如各单位真实绩效相同, 每项任务得分随机波动{noise}分({low}至{high}), "
        "则仅凭偶然, 任务少的单位总分波动为{few}分, 任务多的为{many}分。",
        "ends": "仅凭偶然, 任务少的单位在前{places}名和后{places}名中预计各占{first}家和{last}家; "
        "实际为{first_held}家和{last_held}家。",
        "some": "有证据表明, 任务折合数越少, 总分偏离均值越远(秩相关{rho}, p = {p})。",
        "more": "有证据表明, 任务折合数越多, 总分偏离均值越远(秩相关{rho}, p = {p})。",
        "none": "没有发现总分偏离均值的程度与任务多少有关的证据(秩相关{rho}, p = {p}), "
        "但这不等于证明无关。",
    },
}
_RULES = {
    "en": {
        "redistribute": "weight moved to siblings", "class_mean": "class mean",
        "full_marks": "full marks", "zero": "zero",
        "row": "Rule '{rule}' instead of '{used}': {totals} totals, {ranks} ranks (by up to "
        "{most} places) and {grades} grades change; units without some task move by {mean} places "
        "on average.",
        "idle": "Every unit has some task under every node: the rule for missing tasks decides "
        "nothing.",
    },
    "zh": {
        "redistribute": "权重转给同级指标", "class_mean": "取同类平均", "full_marks": "记满分",
        "zero": "记零分",
        "row": "若将规则由“{used}”改为“{rule}”: {totals}家总分改变, {ranks}家名次改变"
        "(最多{most}位), {grades}家等次改变; 缺任务的单位平均变动{mean}位。",
        "idle": "各单位在每个节点下都有任务: 缺任务规则不起作用。",
    },
}  # fmt: skip
LARGE = 0.15  # a task of this share of the total is called large


@dataclass(frozen=True)
class Portfolio:
    """Portfolios of a class and what chance does to them.

    Attributes
    ----------
    units : DataFrame
        Index unit_id; name, group, total, rank, grade, tasks (number), effective_tasks (inverse
        Herfindahl of the tasks' effective weights), largest_task (indicator), largest_weight
        (share of the total), task_weight (of all tasks), deviation (from the class's mean total),
        se (points, of the total by task noise), band (few, middle, many effective tasks),
        chance_first and chance_last (probability to be among the first or last `places` if all
        units were equally good).
    bands : DataFrame
        Index band; units, effective_least, effective_most, se (mean), sd (of the totals about the
        class's mean), sd_chance (the same in the reference world, exact) with low to high (where it
        lies by chance), first and last (units among the first and last `places` by total) with
        first_chance and last_chance (expected by chance).
    noise : float
        Standard deviation of one task's score, 0-100.
    places : int
        Units of the class with the best grade, or a quarter of it.
    rho, p : float
        Rank correlation of the totals' distance from the mean with the effective number of tasks,
        and its permutation p-value.
    meta : mapping
        Also class_id, level, draws, seed, estimated (whether the noise was),
        noise_interval (of the noise, at the level, were scores normal), rest (points: spread
        of what does not come from tasks).
    """

    units: pd.DataFrame = field(repr=False)
    bands: pd.DataFrame = field(repr=False)
    noise: float
    places: int
    rho: float
    p: float
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        size = self.units["effective_tasks"]
        return (
            f"<Portfolio of {len(self.units)} units: {size.min():.1f} to {size.max():.1f} "
            f"effective tasks, distance from the mean by number of tasks rho = {self.rho:.2f}, "
            f"p = {self.p:.3g}>"
        )

    def to_frame(self) -> pd.DataFrame:
        """The units, fewest effective tasks first."""
        return self.units.sort_values("effective_tasks", kind="stable")

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What may be said.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said, size = _WORDS[lang], self.units["effective_tasks"]
        few, many = self.bands.iloc[0], self.bands.iloc[-1]
        low, high = self.meta["noise_interval"]
        trend = "none" if self.p > 1 - self.meta["level"] else "some" if self.rho < 0 else "more"
        return (
            said["size"].format(
                least=show(size.min(), 1), most=show(size.max(), 1), median=show(size.median(), 1),
                many=int((self.units["largest_weight"] >= LARGE - 1e-12).sum()),
                n=len(self.units), share=show(100 * LARGE, 0),
            ),
            said["chance"].format(
                noise=show(self.noise, 1), low=show(low, 1), high=show(high, 1),
                few=show(few["se"], 1), many=show(many["se"], 1)
            ),
            said["ends"].format(
                places=self.places, first=show(few["first_chance"], 1),
                last=show(few["last_chance"], 1), first_held=int(few["first"]),
                last_held=int(few["last"]),
            ),
            said[trend].format(rho=show(self.rho, 2), p=show(self.p, 4)),
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, *, lang: str = "zh") -> Axes:
        """Draw the totals against the effective number of tasks, with the funnel of chance.

        Parameters
        ----------
        ax : Axes, optional
        lang : {'zh', 'en'}
        """
        from scipy.special import ndtri

        from perfmethod import plots

        frame = self.units.sort_values("effective_tasks", kind="stable")
        reach = float(ndtri(0.5 + self.meta["level"] / 2))
        names = frame.index.map(self.meta["unit_names"][lang])
        frame = frame.assign(unit=names, size=frame["effective_tasks"])
        frame["half"] = reach * np.hypot(frame["se"], self.meta["rest"])
        outside = int((frame["deviation"].abs() > frame["half"]).sum())
        title = {
            "zh": f"{len(frame)}家中{outside}家的总分超出偶然波动的范围",
            "en": f"{outside} of {len(frame)} totals lie outside the range of pure chance",
        }[lang]
        shown = frame[["unit", "size", "deviation", "half"]]
        return plots.portfolio_funnel(shown, ax, title=title, language=lang)


@dataclass(frozen=True)
class MissingRules:
    """The year under each rule for nodes without a task.

    Attributes
    ----------
    rules : DataFrame
        Index rule; used (the scheme's own), totals_changed, least_change and most_change (points),
        ranks_changed, most_places (most places that a unit moves), mean_places_lacking (mean
        change of rank of units without some task, positive is better), grades_changed.
    units : DataFrame
        One row per rule and unit: as `Evaluation.compare`, rule, lacking (number of nodes without
        any task).
    used : str
    meta : mapping
    """

    rules: pd.DataFrame = field(repr=False)
    units: pd.DataFrame = field(repr=False)
    used: str
    meta: Mapping[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        told = ", ".join(
            f"{row.Index} changes {row.grades_changed} grades"
            for row in rows(self.rules[~self.rules["used"]])
        )
        return f"<MissingRules, '{self.used}' is used: {told}>"

    def to_frame(self) -> pd.DataFrame:
        """The rules."""
        return self.rules.copy()

    def words(self, lang: str = "zh") -> tuple[str, ...]:
        """What each other rule would change.

        Parameters
        ----------
        lang : {'zh', 'en'}
        """
        said = _RULES[lang]
        if not self.units["lacking"].any() and not self.rules["totals_changed"].any():
            return (said["idle"],)
        return tuple(
            said["row"].format(
                rule=said[str(row.Index)], used=said[self.used], totals=row.totals_changed,
                ranks=row.ranks_changed, most=row.most_places, grades=row.grades_changed,
                mean=show(row.mean_places_lacking, 1),
            )
            for row in rows(self.rules[~self.rules["used"]])
        )  # fmt: skip
