"""What ``fairness YEAR`` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from perfmethod.display import show
from perfmethod.frames import rows

if TYPE_CHECKING:
    from perfmethod.cli.fairness import Found
    from perfmethod.fairness import GradeParity
    from perfmethod.places import RuleComparison
    from perfmethod.scoring import Evaluation
    from perfmethod.stringency import AnchorCheck, MethodComparison

__all__ = ["METHODS", "SAID", "say"]

SAID = {
    "en": {
        "parity": "Grade and group",
        "inside": "Grade and group inside the pools of places",
        "gaps": "Where gaps come from",
        "spread": "Spread of scores",
        "portfolio": "Few tasks",
        "missing": "Rule for missing tasks",
        "stringency": "Stringency or performance",
        "sweep": "What hangs on the answer",
        "anchor_check": "Are the anchors themselves fair",
        "methods": "Ways to make panels comparable",
        "links": "Links between panels for next year",
        "ranks": "What a rank is worth",
        "places": "Sure and possible places",
        "posterior": "Probability of grades",
        "joint": "Other raters and weights",
        "rules": "Quota rules compared",
        "rules_drawn": "Quota rules under other raters",
        "join": ", ",
        "rate": "{by} {group}: {held} of {units} ({rate} %; 95 % interval {low} to {high} %)",
        "pool_group": "With places by group: ",
        "pool_class": "With places by class instead: ",
        "pool_all": "With places over all units: ",
        "clean": "None of {n} anchors was seen to differ between groups beyond the others, which "
        "does not show that none does: the tests find a difference of {low} to {high} standard "
        "deviations with 80 % chance.",
        "dropped": "Anchors that differ between groups beyond the others: {names}; {n} kept.",
        "changing": "{k} of {n} ways to make the panels comparable change grades ({names}); ranks "
        "move by {low} to {high} places on average. Nothing in the data says which is right.",
        "unchanging": "None of {n} ways to make the panels comparable changes a grade under these "
        "pools; ranks move by {low} to {high} places on average. Nothing in the data says which "
        "is right.",
        "unusable": "Not usable here: {names}.",
        "assumed": "Assumed: {n} members in every panel.",
        "bare": "{changing} of {rules} rules change a grade.",
        "rule": "{name}: {gain} gain, {lose} lose; rates by group {low} to {high} %{found}",
        "found": "; {found} % of the best by measured total ({wrong} grades would differ under "
        "other raters)",
        "caveat": "Rules that compare totals of several groups find more of these by definition; "
        "that the totals are on one scale is what the panels' stringency leaves open.",
        "contested": "Groups tie for {n} places under the scheme as it is: {tied}.",
        "left_out": "rule left out: {}",
        "no_grades": "the scheme gives no grades",
        "no_ballots": "the year has no ballots, so the errors of totals are not known",
        "no_groups": "the units are not in two groups or more",
        "no_tasks": "the year has no table of tasks, so their number is not known",
        "no_class": "in no class do units differ in it",
        "reason": "{}",
        "no_panel": "no node was found that each group has to itself; name one that each group's "
        "own panel scores with --panel",
        "note": "note: {}",
        "written": "written to {}",
    },
    "zh": {
        "parity": "等次与分组",
        "inside": "同一名额池内的等次与分组",
        "gaps": "差距从何而来",
        "spread": "评分离散程度",
        "portfolio": "任务少的单位",
        "missing": "缺任务规则",
        "stringency": "尺度还是绩效",
        "sweep": "哪些结果取决于此",
        "anchor_check": "锚定指标本身是否公平",
        "methods": "使各评审组可比的方法",
        "links": "明年的评审组链接",
        "ranks": "名次有多可靠",
        "places": "确定与可能的名额",
        "posterior": "等次的概率",
        "joint": "换评议人与改权重",
        "rules": "名额规则比较",
        "rules_drawn": "换一批评议人时的名额规则",
        "join": "、",
        "rate": "{by} {group}: {units}家中{held}家({rate}%; 95%区间{low}至{high}%)",
        "pool_group": "名额按组分配时: ",
        "pool_class": "若名额改按类别分配: ",
        "pool_all": "名额在全体单位间分配时: ",
        "clean": "{n}项锚定指标中没有发现组间差异超出其余指标者, 但这不等于证明没有: "
        "差异达到{low}至{high}个标准差, 检验才有80%的把握发现。",
        "dropped": "组间差异超出其余指标的锚定指标: {names}; 保留{n}项。",
        "changing": "{n}种可比方法中{k}种改变等次({names}); 名次平均变动{low}至{high}位。"
        "数据本身无法说明哪一种正确。",
        "unchanging": "在这样的名额分配下, {n}种可比方法都不改变等次; 名次平均变动{low}至{high}位。"
        "数据本身无法说明哪一种正确。",
        "unusable": "此处不能使用: {names}。",
        "assumed": "假定: 每个评审组{n}名评委。",
        "bare": "{rules}种规则中{changing}种改变等次。",
        "rule": "{name}: {gain}家上升, {lose}家下降; 各组优秀率{low}至{high}%{found}",
        "found": "; 评上实测总分最优单位的{found}%(换一批评议人会变的等次{wrong}个)",
        "caveat": "跨组比较总分的规则按定义就会评上更多这类单位; "
        "各组总分是否同一尺度, 正是评审尺度问题所未决的。",
        "contested": "现行方案下各组争{n}个名额而权利相等: {tied}。",
        "left_out": "未列入的规则: {}",
        "no_grades": "方案未设等次",
        "no_ballots": "本年没有测评票, 总分的误差不可知",
        "no_groups": "单位不足两个组",
        "no_tasks": "本年没有任务表, 任务多少不可知",
        "no_class": "同类单位在此属性上没有不同",
        "reason": "本年数据不足以作此分析(程序原文: {})",
        "no_panel": "没有发现各组自有的节点; 请用--panel指定由各组自己评审的节点",
        "note": "注意: {}",
        "written": "已写入{}",
    },
}
METHODS = {
    "en": {"mean": "equal means", "z_score": "z-scores", "circle_arc": "circle arc",
           "equipercentile": "equipercentile", "tucker": "Tucker", "levine": "Levine",
           "chained": "chained linear", "ancova": "analysis of covariance",
           "empirical_bayes": "empirical Bayes", "errors_in_anchors": "errors in anchors"},
    "zh": {"mean": "均值等化", "z_score": "标准分", "circle_arc": "圆弧法",
           "equipercentile": "等百分位", "tucker": "塔克法", "levine": "莱文法",
           "chained": "链式线性", "ancova": "协方差分析",
           "empirical_bayes": "经验贝叶斯", "errors_in_anchors": "锚定误差校正"},
}  # fmt: skip
MEMBERS = 7  # of a panel, as `plan_links` takes it


def say(evaluation: Evaluation, found: Found, lang: str) -> None:
    """Print every result in a few lines under its heading."""
    said = SAID[lang]
    for heading, lines in _sections(evaluation, found, lang):
        told = list(lines)
        if told:
            print(f"{said[heading]}:")
        for line in told:
            print(f"  {line}")
    for note in found.notes:
        print(said["note"].format(note))
    for rule, why in {} if found.rules is None else found.rules.meta["left_out"].items():
        print(said["note"].format(said["left_out"].format(f"{rule}: {why}")))


def _sections(
    evaluation: Evaluation, found: Found, lang: str
) -> Iterator[tuple[str, Iterable[str]]]:
    if found.parity is not None:
        yield "parity", _parity(found.parity, lang)
        inside = found.inside.values()
        yield "inside", (text for part in inside for text in part.words(lang))
    gaps = [part.words(lang) for part in found.gaps.values()]
    # what unexplained means is said once
    yield "gaps", [*(t for part in gaps for t in part[:-1]), *(p[-1] for p in gaps[:1])]
    yield "spread", [text for part in found.spread.values() for text in part.words(lang)]
    yield "portfolio", [] if found.portfolio is None else found.portfolio.words(lang)
    yield "missing", [] if found.missing is None else found.missing.words(lang)
    yield "stringency", _stringency(evaluation, found, lang)
    if found.links is not None:
        assumed = SAID[lang]["assumed"].format(n=MEMBERS)
        yield "links", [*found.links.words(lang), assumed]
    parts = (found.places, found.posterior, found.joint)
    yield "ranks", [text for part in parts if part is not None for text in part.words(lang)]
    if found.rules is not None:
        yield "rules", _rules(found.rules, lang)


def _parity(parity: GradeParity, lang: str) -> Iterator[str]:
    for row in rows(parity.groups):
        share = [show(100 * x, 0) for x in (row.rate, row.low, row.high)]
        yield SAID[lang]["rate"].format(
            by=parity.spoken(row.attribute, lang), group=parity.spoken(row.attribute, lang,
            str(row.group)), held=row.held, units=row.units, rate=share[0], low=share[1],
            high=share[2],
        )  # fmt: skip
    yield from parity.words(lang)


def _stringency(evaluation: Evaluation, found: Found, lang: str) -> Iterator[str]:
    if found.stringency is None:
        return
    yield from found.stringency.words(lang)
    for pool, sweep in found.sweeps.items():
        # thresholds give no places that could be spread over anything
        quota = evaluation.year.scheme.document["grades"].get("rule") != "thresholds"
        yield (SAID[lang][f"pool_{pool}"] if quota else "") + sweep.words(lang)
    if found.methods is not None:
        yield from _methods(found.methods, lang)
    if found.anchors is not None:
        yield _anchors(evaluation, found.anchors, lang)


def _methods(methods: MethodComparison, lang: str) -> Iterator[str]:
    said, names = SAID[lang], METHODS[lang]
    table = methods.methods.drop(index="raw")
    usable = table[table["usable"]]
    changing = usable.index[usable["grades_changed"] > 0]
    ends = {"low": show(usable["rank_moves"].min(), 1), "high": show(usable["rank_moves"].max(), 1)}
    yield said["changing" if len(changing) else "unchanging"].format(
        k=len(changing), n=len(usable), names=said["join"].join(names[m] for m in changing), **ends
    )
    without = [names[m] for m in table.index[~table["usable"].astype(bool)]]
    if without:
        yield said["unusable"].format(names=said["join"].join(without))


def _anchors(evaluation: Evaluation, check: AnchorCheck, lang: str) -> str:
    said = SAID[lang]
    if not check.dropped:
        least = check.steps["detectable"]
        low, high = show(least.min(), 1), show(least.max(), 1)
        return said["clean"].format(n=len(check.kept), low=low, high=high)
    names = said["join"].join(_leaf(evaluation, leaf, lang) for leaf in check.dropped)
    return said["dropped"].format(names=names, n=len(check.kept))


def _rules(rules: RuleComparison, lang: str) -> Iterator[str]:
    from perfmethod.places.figures import tradeoff

    said, table = SAID[lang], rules.table
    bare = {"rules": len(table), "changing": int((table["changed"] > 0).sum())}
    yield tradeoff(rules, lang)[1] if "found" in table else said["bare"].format(**bare)
    for row in rows(table[(table["changed"] > 0) | (table.index == "nominal")]):
        found = ""
        if "found" in table and "expected_wrong" in table:
            found = said["found"].format(found=show(100 * row.found, 1),
                                         wrong=show(row.expected_wrong, 1))  # fmt: skip
        yield said["rule"].format(
            name=rules.rules[str(row.Index)].name[lang], gain=row.gain, lose=row.lose,
            low=show(100 * row.rate_min, 0), high=show(100 * row.rate_max, 0), found=found,
        )  # fmt: skip
    if rules.meta["truth"] == "measured totals":
        yield said["caveat"]
    yield from rules.words(lang)
    ties = rules.ties[(rules.ties["rule"] == "nominal") & (rules.ties["kind"] == "pools")]
    for row in rows(ties):
        yield said["contested"].format(n=row.number, tied=row.tied)


def _leaf(evaluation: Evaluation, leaf: str, lang: str) -> str:
    """Name of an indicator or of a node of the first class that has it."""
    scheme = evaluation.year.scheme
    if leaf in scheme.document["indicators"]:
        return scheme.name(f"indicators.{leaf}", lang)
    owner = next(c for c in scheme.classes if leaf in scheme.parents(c))
    return scheme.name(f"classes.{owner}.nodes.{leaf}", lang)
