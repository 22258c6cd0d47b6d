"""Rules of indicators in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perfmethod.display import round_half_up, show

__all__ = ["LESS_IS_BETTER", "METHOD_WORDS", "PARAMETER_WORDS", "in_words", "number"]

LESS_IS_BETTER = {"en": "less is better", "zh": "越小越好"}
_DIGITS = 10  # of a parameter at most: more are noise of floating point

# method -> language -> name; a test holds that every method of the package stands here
METHOD_WORDS: Mapping[str, Mapping[str, str]] = {
    "completion_ratio": {"en": "share of the target done", "zh": "按完成比例计分"},
    "threshold": {"en": "target met or not", "zh": "达标计分"},
    "ceiling": {"en": "not above the target", "zh": "不超目标值计满分, 超出按比例扣分"},
    "linear_deduction": {"en": "points off by shortfall", "zh": "未达目标按差距扣分"},
    "deviation": {"en": "points off by deviation from the plan", "zh": "按偏离计划程度扣分"},
    "growth_anchor": {"en": "points around the target growth", "zh": "以目标增幅为基准加减分"},
    "tiered_diminishing": {"en": "diminishing tiers around the mean", "zh": "分档递减加减分"},
    "completion_ladder": {"en": "bands of the share done", "zh": "按完成率分档计分"},
    "distance_to_target": {"en": "distance to the target", "zh": "与目标的距离"},
    "minmax": {"en": "from the worst unit to the best", "zh": "极差标准化"},
    "efficacy": {"en": "efficacy coefficient", "zh": "功效系数法"},
    "zscore": {"en": "standard deviations from the mean", "zh": "标准分"},
    "distance_to_maximum": {"en": "distance to the best unit", "zh": "与最优单位的距离"},
    "distance_to_reference": {"en": "distance to a reference", "zh": "与参照值的距离"},
    "ratio_to_best": {"en": "ratio to the best unit", "zh": "与最优值之比"},
    "max_linear": {"en": "share of the largest value", "zh": "与最大值之比"},
    "sum_share": {"en": "share of the sum", "zh": "占总和的比重"},
    "vector": {"en": "share of the Euclidean length", "zh": "向量规范化"},
    "logarithmic": {"en": "share of the sum of logarithms", "zh": "占对数总和的比重"},
    "rank": {"en": "rank", "zh": "按名次计分"},
    "borda": {"en": "number of units beaten", "zh": "按胜过的单位数计分"},
    "percentile_rank": {"en": "share of the units beaten", "zh": "按胜过单位的比例计分"},
    "rank_points": {"en": "points by place", "zh": "按名次给分"},
    "goalposts": {"en": "way between two fixed values", "zh": "按上下限值计分"},
    "efficacy_exponential": {"en": "exponential efficacy coefficient", "zh": "指数功效系数法"},
    "logistic": {"en": "S-shaped curve", "zh": "S形曲线计分"},
    "identity": {"en": "the value is the score", "zh": "数值即得分"},
    "interval": {"en": "points off outside an interval", "zh": "区间内满分, 区间外扣分"},
    "control_count": {"en": "points off per occurrence", "zh": "按发生次数扣分"},
    "checklist": {"en": "points off per item missed", "zh": "按缺项扣分"},
    "step_ladder": {"en": "bands of the value", "zh": "分档计分"},
    "five_band": {"en": "five target columns", "zh": "五档目标值插值"},
    "levels": {"en": "levels", "zh": "按等级计分"},
}
PARAMETER_WORDS: Mapping[str, Mapping[str, str]] = {
    "cap": {"en": "cap", "zh": "上限"},
    "bonus_rate": {"en": "rate above the target", "zh": "超额部分系数"},
    "met": {"en": "score if met", "zh": "达标得分"},
    "missed": {"en": "score if missed", "zh": "未达标得分"},
    "floor": {"en": "lowest score", "zh": "最低得分"},
    "k": {"en": "points off each time", "zh": "每次扣分"},
    "step": {"en": "step", "zh": "每档幅度"},
    "whole_steps": {"en": "whole steps only", "zh": "只计整档"},
    "relative": {"en": "in % of the plan", "zh": "按计划的百分比"},
    "at_target": {"en": "score at the target", "zh": "达到目标得分"},
    "per_point": {"en": "points each point of growth", "zh": "每增减1点加减分"},
    "base": {"en": "base score", "zh": "基本分"},
    "width": {"en": "width of a tier", "zh": "每档宽度"},
    "divisors": {"en": "divisors of the tiers", "zh": "各档除数"},
    "thresholds": {"en": "thresholds", "zh": "分档界限"},
    "scores": {"en": "scores", "zh": "各档得分"},
    "tops": {"en": "scores at the upper ends", "zh": "各档上端得分"},
    "lows": {"en": "scores at the lower ends", "zh": "各档下端得分"},
    "columns": {"en": "target columns", "zh": "各档目标值"},
    "below": {"en": "score below the last", "zh": "低于末档得分"},
    "worst": {"en": "worst value", "zh": "最差值"},
    "truncate": {"en": "kept from 0 to 100", "zh": "限于0至100分"},
    "to": {"en": "scale", "zh": "换算尺度"},
    "lower": {"en": "lower value", "zh": "下限值"},
    "upper": {"en": "upper value", "zh": "上限值"},
    "mean": {"en": "mean", "zh": "平均值"},
    "sd": {"en": "standard deviation", "zh": "标准差"},
    "reference": {"en": "reference", "zh": "参照值"},
    "best": {"en": "best value", "zh": "最优值"},
    "largest": {"en": "largest value", "zh": "最大值"},
    "whole": {"en": "sum", "zh": "总和"},
    "norm": {"en": "length", "zh": "向量长度"},
    "log_sum": {"en": "sum of logarithms", "zh": "对数总和"},
    "count": {"en": "number of units", "zh": "单位数"},
    "points": {"en": "points", "zh": "各名次得分"},
    "middle": {"en": "middle", "zh": "中点"},
    "slope": {"en": "slope", "zh": "斜率"},
    "scale": {"en": "factor", "zh": "系数"},
    "allowed": {"en": "allowed occurrences", "zh": "允许次数"},
    "items": {"en": "items", "zh": "总项数"},
    "deduct": {"en": "points off each item", "zh": "每缺一项扣分"},
}
_BOTH = {True: {"en": "yes", "zh": "是"}, False: {"en": "no", "zh": "否"}}


def number(value: float) -> str:
    """Write a number by the one rule of display, with no more digits than it has.

    Examples
    --------
    >>> number(1), number(1.0), number(1.05), number(0.1 + 0.2)
    ('1', '1', '1.05', '0.3')
    """
    if value != value or abs(value) == float("inf"):
        return show(value)
    digits = round_half_up(value, _DIGITS).normalize().as_tuple().exponent
    return show(value, max(0, -int(digits)))


def in_words(method: str, values: Mapping[str, Any], negative: bool, lang: str) -> str:
    """Write a rule with its parameters.

    Parameters
    ----------
    method : str
    values : mapping of str to number, bool, or sequence of numbers
        Parameters, given, learned and default.
    negative : bool
        Whether less is better.
    lang : {'en', 'zh'}

    Examples
    --------
    >>> in_words("completion_ratio", {"cap": 1.2, "bonus_rate": 1.0}, False, "zh")
    '按完成比例计分(上限1.2, 超额部分系数1)'
    >>> in_words("ceiling", {"floor": 0.0}, True, "en")
    'not above the target (less is better, lowest score 0)'
    >>> in_words("linear_deduction", {"k": 5, "whole_steps": False}, False, "en")
    'points off by shortfall (points off each time 5, whole steps only: no)'
    """
    gap = " " if lang == "en" else ""
    parts = [LESS_IS_BETTER[lang]] if negative else []
    for name, value in values.items():
        said = PARAMETER_WORDS.get(name, {}).get(lang, name)
        between = ": " if isinstance(value, bool) else gap
        parts.append(f"{said}{between}{_value(value, lang)}")
    title = METHOD_WORDS.get(method, {}).get(lang, method)
    return f"{title}{gap}({', '.join(parts)})" if parts else title


def _value(value: Any, lang: str) -> str:
    if isinstance(value, bool):
        return _BOTH[value][lang]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " / ".join(_value(one, lang) for one in value)
    return value if isinstance(value, str) else number(float(value))
