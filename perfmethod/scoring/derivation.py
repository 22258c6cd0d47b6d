"""An explanation as text: the page that answers an appeal."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from perfmethod.display import round_half_up, show
from perfmethod.frames import row, rows
from perfmethod.scoring.notes import node_name, pool_name
from perfmethod.scoring.rule_words import in_words, number

if TYPE_CHECKING:
    from perfmethod.scoring.explain import Explanation

__all__ = ["as_text"]

_WORDS = {
    "en": {
        "class": "class", "group": "group", "total": "Total", "of": "of",
        "rank": "rank in the class",
        "group_rank": "rank in the group", "grade": "grade", "lines": "Where the points come from",
        "weights": "Scores and weights on the way", "nominal": "nominal weight among siblings",
        "effective": "effective weight", "score": "score", "points": "points",
        "actual": "actual", "target": "target", "status": "status", "by": "collected by {0}, "
        "certified by {1}", "rounding": "rounding of the lines above", "sum": "sum = total",
        "cells": "Survey cells", "adjust": "Bonus and deduction events", "counts": "counts",
        "not": "does not count", "standing": "Standing", "pool": "competes in {0} ({1} units)",
        "holds": "holds it", "need": "needs a total above {0}: lacks {1}",
        "spare": "would keep it with a total above {0}: {1} to spare", "never": "no total would "
        "give it", "sure": "whatever the total", "veto": "without the veto the grade would be {0}",
        "block": "or {0} alone at {1} instead of {2}", "unreachable": "{0} alone cannot bring it",
        "notes": "Notes", "places": "{0} places", "valid": "valid", "ballots": "ballots",
        "mean": "mean", "weight": "weight", "together": "weight of the category in all modes",
        "most": "at most", "bonus": "bonus", "deduction": "deduction",
        "reported": "reported",
        "se": "standard error of the total from the survey alone: {0} points",
    },
    "zh": {
        "class": "类别", "group": "组别", "total": "总分", "of": "满分", "rank": "类内名次",
        "group_rank": "组内名次", "grade": "等次", "lines": "得分来源", "weights": "各级得分与权重",
        "nominal": "同级名义权重", "effective": "实际权重", "score": "得分", "points": "分值",
        "actual": "完成值", "target": "目标值", "status": "认定状态", "by": "采集: {0}, 认定: {1}",
        "rounding": "以上各行的舍入差", "sum": "合计 = 总分", "cells": "评议明细",
        "adjust": "加减分事项", "counts": "计入", "not": "不计入", "standing": "位置",
        "pool": "在{0}中竞争({1}家)", "holds": "已取得", "need": "总分须高于{0}: 差{1}分",
        "spare": "总分高于{0}即可保持: 余{1}分", "never": "总分再高也不能取得",
        "sure": "与总分无关",
        "veto": "若无一票否决, 等次为{0}", "block": "或仅{0}由{2}提高到{1}",
        "unreachable": "仅靠{0}无法达到", "notes": "说明", "places": "{0}个名额", "valid": "有效",
        "ballots": "票数", "mean": "均值", "weight": "权重", "together": "本类各方式合计权重",
        "most": "上限", "bonus": "加分", "deduction": "减分",
        "reported": "上报值", "se": "仅由评议抽样引起的总分标准误: {0}分",
    },
}  # fmt: skip


_STATUSES = {
    "certified": {"en": "certified", "zh": "已认定"},
    "corrected": {"en": "certified after correction", "zh": "更正后认定"},
    "late": {"en": "certified, late", "zh": "逾期认定"},
    "disputed": {"en": "disputed", "zh": "有异议"},
    "uncertified": {"en": "not certified", "zh": "未认定"},
    "pending": {"en": "pending", "zh": "待认定"},
    "rejected": {"en": "rejected", "zh": "不予认定"},
    "confirmed": {"en": "confirmed", "zh": "已确认"},
    "proposed": {"en": "proposed", "zh": "拟议"},
    "proposed_then_withdrawn": {"en": "proposed, then withdrawn", "zh": "拟议后撤回"},
    "withdrawn": {"en": "withdrawn", "zh": "已撤回"},
}


def as_text(explanation: Explanation, lang: str) -> str:
    """Write the whole derivation.

    Parameters
    ----------
    explanation : Explanation
    lang : {'en', 'zh'}
    """
    page = _Page(explanation, lang)
    parts = [page.head(), page.lines(), page.weights(), page.cells(), page.adjustments(),
             page.standing(), page.notes()]  # fmt: skip
    return "\n".join(line for part in parts for line in part)


class _Page:
    def __init__(self, explanation: Explanation, lang: str) -> None:
        self.x, self.lang, self.words = explanation, lang, _WORDS[lang]
        self.evaluation, self.unit = explanation.evaluation, explanation.unit
        self.scheme = self.evaluation.year.scheme
        self.row = row(self.evaluation.scores, self.unit)
        self.decimals = int(self.scheme.document.get("display_decimals", 2))

    def show(self, x: float) -> str:
        return show(x, self.decimals)

    def name(self, node: str) -> str:
        if node in ("bonus", "deduction", "total"):
            return str(self.words[node])
        return node_name(self.evaluation.year, self.unit, node, self.lang)

    def grade(self, code: str) -> str:
        return self.scheme.name(f"grades.levels.{code}", self.lang) if code else "-"

    def _pool(self, pool: str) -> str:
        return pool_name(self.evaluation.year, pool, self.lang)

    def head(self) -> Iterator[str]:
        w, mine = self.words, self.row
        name = self.evaluation.year.unit_names(self.lang)[self.unit]
        where = self.scheme.name(f"classes.{mine['class']}", self.lang)
        pool, base = self._pool(mine["group"]), number(self.scheme.number("base"))
        yield f"{self.unit} {name} ({w['class']}: {where}; {w['group']}: {pool})"
        yield (
            f"{w['total']} {self.show(mine['total'])} ({w['of']} {base}), "
            f"{w['rank']} {mine['rank']}, {w['group_rank']} {mine['group_rank']}, "
            f"{w['grade']}: {self.grade(str(mine['grade']))}"
        )
        errors = self.evaluation.survey_errors
        if errors is not None:
            yield w["se"].format(self.show(row(errors, self.unit)["se_total"]))

    def lines(self) -> Iterator[str]:
        """One line per leaf; the printed points add up to the printed total."""
        yield f"\n{self.words['lines']}"
        path, printed = None, Decimal(0)
        for line in rows(self.x.lines[self.x.lines["node"] != "rounding"]):
            if line.path != path:
                path = line.path
                if path:
                    yield "  " + " > ".join(self.name(n) for n in str(path).split(" > "))
            printed += round_half_up(line.contribution, self.decimals)
            yield f"    {self.show(line.contribution):>9}  {self._leaf(line)}"
        total = round_half_up(self.row["total"], self.decimals)
        if total != printed:
            yield f"    {total - printed:>9}  ({self.words['rounding']})"
        yield f"    {total:>9}  {self.words['sum']}"

    def _leaf(self, line: Any) -> str:
        w = self.words
        if line.node in ("bonus", "deduction"):
            return self.name(line.node)
        text = f"{self.name(line.node)}: {w['score']} {self.show(line.score)} x "
        text += f"{show(100 * line.effective_weight, 3)} %"
        if line.rule:
            text += f" <- {w['actual']} {self._actual(line.node, line.actual)}"
            if not np.isnan(line.target):
                text += f", {w['target']} {self._actual(line.node, line.target)}"
            text += f", {self._rule(line.node)}"
            if isinstance(line.status, str) and line.status:
                text += "; " + _STATUSES.get(line.status, {}).get(self.lang, line.status)
            if not np.isnan(line.reported) and line.reported != line.actual:
                text += f" ({w['reported']} {self._actual(line.node, line.reported)})"
            if isinstance(line.collector, str) and line.collector:
                text += "; " + w["by"].format(line.collector, line.certifier or "-")
        return text

    def _rule(self, node: str) -> str:
        """The rule in the reader's words."""
        from perfmethod.scoring.explain import rule_of

        rule = rule_of(self.evaluation, node, str(self.row["class"]))
        return "" if rule is None else in_words(*rule, self.lang)

    def _actual(self, node: str, value: float) -> str:
        """A value as the office wrote it: a level by its name, a number without rounding."""
        rule = self.scheme.document["indicators"][node]["rule"]
        if rule["method"] == "levels" and not np.isnan(value) and value == int(value):
            return str(rule.get("names", ascii_uppercase)[int(value)])
        return number(value)

    def weights(self) -> Iterator[str]:
        """Inner nodes: nominal and effective weight, so that redistribution can be seen."""
        nodes = self.evaluation.nodes
        mine = nodes[nodes["unit_id"] == self.unit].set_index("node")
        own = self.scheme.document["classes"][self.row["class"]].get("nodes", {})
        parents = self.scheme.parents(self.row["class"])
        yield f"\n{self.words['weights']}"
        for node in (n for n in own if n in mine.index):
            family = [n for n in own if parents[n] == parents[node]]
            total = sum(float(own[n].get("weight", 1)) for n in family)
            nominal = 100 * float(own[node].get("weight", 1)) / total
            found = row(mine, node)
            yield (
                f"  {self.name(node)}: {self.words['score']} {self.show(found['score'])}, "
                f"{self.words['nominal']} {show(nominal, 2)} %, {self.words['effective']} "
                f"{show(100 * found['effective_weight'], 3)} %, {self.words['points']} "
                f"{self.show(found['contribution'])}"
            )

    def cells(self) -> Iterator[str]:
        if self.x.cells.empty:
            return
        w = self.words
        nodes = self.scheme.document["classes"][self.row["class"]]["nodes"]
        names = {e["survey"]: self.name(n) for n, e in nodes.items() if "survey" in e}
        yield f"\n{w['cells']}"
        for cell in rows(self.x.cells):
            category = self.scheme.name(f"survey.categories.{cell.category}", self.lang)
            mode = self.scheme.name(f"survey.modes.{cell.mode}", self.lang)
            yield (
                f"  {names[cell.dimension]}, {category}, {mode}: {w['ballots']} {cell.ballots}, "
                f"{w['valid']} {cell.valid}, {w['mean']} {self._mean(cell)}, {self._weight(cell)}"
            )

    def _mean(self, cell: Any) -> str:
        """In whole points where more digits would tell a hidden number of answers."""
        return show(cell.mean, 0 if isinstance(cell.valid, str) else self.decimals)

    def _weight(self, cell: Any) -> str:
        """Weight of the cell, or of its category where the modes' shares would tell a number."""
        key, weight = ("weight", cell.weight) if cell.weight == cell.weight else (
            "together", cell.category_weight)  # fmt: skip
        return f"{self.words[key]} {show(100 * weight, 2)} %"

    def adjustments(self) -> Iterator[str]:
        if self.x.adjustments.empty:
            return
        w = self.words
        yield f"\n{w['adjust']}"
        for event in rows(self.x.adjustments):
            entry = self.scheme.document["adjustments"]["items"][event.item]
            sign = "+" if entry["kind"] == "bonus" else "-"
            name = self.scheme.name(f"adjustments.items.{event.item}", self.lang)
            counts = self.words["counts" if event.counts else "not"]
            cap = f" ({w['most']} {number(entry['cap'])})" if "cap" in entry else ""
            code = getattr(event, "status", "")
            status = _STATUSES.get(code, {}).get(self.lang, code)
            yield f"  {sign}{number(event.points)} {name}{cap}: {status}, {counts}"
        for side in ("bonus", "deduction"):
            yield f"  {self.words[side]}: {self.show(self.row[side])}"

    def standing(self) -> Iterator[str]:
        s, w = self.x.standing, self.words
        yield f"\n{w['standing']}"
        yield "  " + w["pool"].format(self._pool(s.pool), s.pool_size)
        if s.without_veto and s.without_veto != s.grade:
            yield "  " + w["veto"].format(self.grade(s.without_veto))
        for rung in rows(s.ladder):
            places = "" if pd.isna(rung.places) else f" ({w['places'].format(int(rung.places))})"
            held = f" [{w['holds']}]" if rung.held else ""
            yield f"  {self.grade(rung.grade)}{places}{held}: {self._rung(rung)}"
        for block in rows(s.blocks):
            if not np.isnan(block.needed):
                word = w["block" if block.reachable else "unreachable"]
                text = word.format(self.name(block.block), self.show(block.needed),
                                   self.show(block.score))  # fmt: skip
                yield f"    {text}"

    def _rung(self, rung: Any) -> str:
        if np.isnan(rung.cut):
            return str(self.words["never"])
        if np.isinf(rung.cut):
            return str(self.words["sure"])
        key = "spare" if rung.margin >= 0 else "need"
        return str(self.words[key].format(self.show(rung.cut), self.show(abs(rung.margin))))

    def notes(self) -> Iterator[str]:
        notes = self.evaluation.notes
        mine = notes[notes["unit_id"] == self.unit]
        if len(mine):
            yield f"\n{self.words['notes']}"
            yield from (f"  {text}" for text in mine["text"])
