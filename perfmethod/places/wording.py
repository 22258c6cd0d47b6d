"""Names of the quota rules, and each rule in words that a regulation could use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

__all__ = ["NAMES", "TEXTS", "filled", "merit"]

Words = Mapping[str, str]

NAMES: Mapping[str, Words] = {
    "nominal": {"zh": "现行方案", "en": "Scheme as it is"},
    "hamilton": {"zh": "最大余数法", "en": "Largest remainder (Hamilton)"},
    "webster": {"zh": "韦伯斯特法", "en": "Webster"},
    "dhondt": {"zh": "洪德法", "en": "D'Hondt"},
    "adams": {"zh": "亚当斯法", "en": "Adams"},
    "dean": {"zh": "迪恩法", "en": "Dean"},
    "huntington_hill": {"zh": "亨廷顿—希尔法", "en": "Huntington-Hill"},
    "floor_one": {"zh": "每组至少1个", "en": "At least one per group"},
    "cap_two": {"zh": "每组至多{cap}个", "en": "At most {cap} per group"},
    "cap_eligible": {"zh": "名额不超过可评单位数", "en": "No more than eligible units"},
    "claims_after_vetoes": {"zh": "否决后计数", "en": "Sizes counted after vetoes"},
    "claims_before_vetoes": {"zh": "否决前计数", "en": "Sizes counted before vetoes"},
    "vetoed_place_unfilled": {"zh": "被否决名额空缺", "en": "A vetoed unit's place stays empty"},
    "vetoed_place_next": {"zh": "被否决名额递补", "en": "A vetoed unit's place goes on"},
    "tie_lot": {"zh": "组间同分抽签", "en": "Ties of groups by lot"},
    "by_class": {"zh": "按类别分配", "en": "Places by class"},
    "pooled": {"zh": "全体统一排序", "en": "No groups: all compared"},
    "carry_over": {"zh": "余数跨年结转", "en": "Remainders carried over"},
    "hybrid": {"zh": "整数名额+择优", "en": "Whole shares, rest on merit"},
    "tie_next_candidate": {"zh": "组间同分比下一名", "en": "Ties of groups by next candidate"},
}

_METHOD = {
    "zh": "优秀名额{places}个,按各组单位数以{name}分配。",
    "en": "The {places} places are spread over the groups by their sizes ({name}).",
}
TEXTS: Mapping[str, Words] = {
    "nominal": {"zh": "按现行方案执行。", "en": "The scheme's own rule."},
    "floor_one": {
        "zh": "优秀名额{places}个按各组单位数分配,每组不少于{floor}个。",
        "en": "The {places} places are spread by size, at least {floor} to each group.",
    },
    "cap_two": {
        "zh": "优秀名额{places}个按各组单位数分配,每组不超过{cap}个。",
        "en": "The {places} places are spread by size, at most {cap} to each group.",
    },
    "cap_eligible": {
        "zh": "各组优秀名额不得超过本组未被一票否决的单位数。",
        "en": "No group has more places than it has units without a veto.",
    },
    "claims_after_vetoes": {
        "zh": "分配名额时,各组单位数不含被一票否决的单位。",
        "en": "Units with a veto do not count when places are spread over the groups.",
    },
    "claims_before_vetoes": {
        "zh": "分配名额时,各组单位数含被一票否决的单位。",
        "en": "Units with a veto count when places are spread over the groups.",
    },
    "vetoed_place_unfilled": {
        "zh": "被一票否决单位本可取得的名额不再递补。",
        "en": "The place that a unit loses by a veto stays empty.",
    },
    "vetoed_place_next": {
        "zh": "被一票否决单位本可取得的名额,由本组下一名递补。",
        "en": "The place that a unit loses by a veto goes to the next unit of its group.",
    },
    "tie_lot": {
        "zh": "各组对最后名额权利相等时,当众抽签决定(种子号{lot_seed})。",
        "en": "Groups with equal right to the last places draw lots (seed {lot_seed}).",
    },
    "by_class": {
        "zh": "优秀名额{places}个按类别单位数分配,类内统一排序。",
        "en": "The {places} places are spread over the classes; units of a class are compared.",
    },
    "pooled": {
        "zh": "不分组,全体单位按总分统一排序,前{places}名为优秀。",
        "en": "Without groups: the best {places} totals of all units.",
    },
    "carry_over": {
        "zh": "各组应得名额的余数逐年结转,名额按应得数加结转数以最大余数法分配。",
        "en": "Remainders of the groups' shares are carried over to the next year and added to "
        "its shares; largest remainders get the places.",
    },
    "hybrid": {
        "zh": "各组先得应得名额的整数部分,其余名额由全体剩余单位按可比得分({anchors})择优确定。",
        "en": "Each group has the whole part of its share by right; the other places go to the "
        "best units left on the score that groups share ({anchors}).",
    },
    "tie_next_candidate": {
        "zh": "各组对最后名额权利相等时,比较各组下一名候选单位的可比得分({anchors}),高者得。",
        "en": "Where groups have equal right to the last places, their next candidates are "
        "compared on the score that groups share ({anchors}).",
    },
} | {
    method: {
        lang: _METHOD[lang].replace("{name}", NAMES[method][lang]) for lang in ("zh", "en")
    }
    for method in ("hamilton", "webster", "dhondt", "adams", "dean", "huntington_hill")
}  # fmt: skip


def filled(
    words: Words, values: Mapping[str, Any], anchors: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Words of both languages with their numbers, and what anchors are called in each."""
    return {
        lang: text.format(**values, anchors=anchors.get(lang, "")) for lang, text in words.items()
    }


def merit(names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What the score on some anchors is called, by language.

    Examples
    --------
    >>> merit({"en": ["Law", "Public review"]})
    {'en': 'mean of Law and Public review'}
    """
    if all(len(each) == 1 for each in names.values()):
        return {lang: each[0] for lang, each in names.items()}
    last = {"en": " and ", "zh": "与"}
    comma = {"en": ", ", "zh": "、"}
    mean = {"en": "mean of {}", "zh": "{}的平均分"}
    return {
        lang: mean[lang].format(last[lang].join([comma[lang].join(each[:-1]), each[-1]]))
        for lang, each in names.items()
    }
