"""What ``sensitivity YEAR`` says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from perfmethod.display import pad, show, width
from perfmethod.frames import rows

if TYPE_CHECKING:
    from perfmethod.cli.sensitivity import Found
    from perfmethod.robustness import WeightChange
    from perfmethod.scoring import Evaluation
    from perfmethod.sensitivity import GlobalIndices, MonteCarlo, OneAtATime

__all__ = ["BY", "RARE", "SAID", "SHARED", "say"]

RARE = 0.001  # chances nearer to 0 or 1 are counted, not listed
BY = 20.0  # percent by which single weights are lower and higher
LISTED = 10  # changes of single weights that are named
SHARED = ("excellent_changes", "mean_rank_shift")  # outputs whose variance is shared out

SAID = {
    "en": {
        "drawn": "Monte Carlo: {} draws of {} numbers, weights x lognormal({:g}){}, seed {}",
        "noise": ", survey noise",
        "failed": "  {} more draws could not be scored; the first: {}",
        "same_best": "  the list of the best grade is the scheme's own in {} of the draws (+- {})",
        "mean_rank_shift": "  ranks move by {} places on average (+- {})",
        "open": "  there in some draws only (P +- Monte Carlo error; rank, 5 to 95 %):",
        "closed": "  no unit is there in some draws only",
        "rare": "  {} more are there, or are not, in fewer than 1 draw of 1000",
        "kept": "Single block weights with which the list (without grades: the ranks) holds:",
        "room": "  {}{:>7}  from {} to {}",
        "radius": "Smallest change of the block weights that changes the list:",
        "moved": "  {}: {} of {} points moved; {}; {}",
        "sure": "confirmed by scoring",
        "unsure": "not confirmed by scoring",
        "never": "  {}: no block weights change it",
        "weigh": "Importance beside nominal weights, % (+- standard error over units):",
        "part": "  {}{:>7}  {} (+- {})",
        "share": "Who answers for the variance of {} (total effect, {:.0f} % interval):",
        "of mean_rank_shift": "the mean rank shift",
        "of excellent_changes": "changes of the list",
        "factor": "  {}{:>6}  ({} to {})",
        "still": "  nothing: it does not vary",
        "single": "One weight {} % lower or higher, the rest as is: the list changes in {} of {}",
        "moves": "  {} ({}): {}",
        "note": "note: {}",
        "reason": "{part}: {why}",
        "part noise": "survey noise, which is not drawn",
        "part weigh": "importance",
        "part single": "one weight at a time",
        "part without": "weights left out",
        "part share": "shares of the variance",
        "part exact": "intervals of block weights",
        "part radius": "smallest change of block weights",
        "nothing": "no grades in the scheme",
        "written": "written to {}",
    },
    "zh": {
        "drawn": "蒙特卡洛: {}次抽样, {}个数, 权重乘以对数正态({:g}){}, 种子{}",
        "noise": ", 含评议抽样误差",
        "failed": "  另有{}次抽样无法计分; 首例: {}",
        "same_best": "  最高等次名单与本方案相同的抽样份额: {} (误差{})",
        "mean_rank_shift": "  名次平均变动{}位 (误差{})",
        "open": "  只在部分抽样中上榜的单位 (概率及蒙特卡洛误差; 名次5%至95%):",
        "closed": "  没有单位只在部分抽样中上榜",
        "rare": "  另有{}个单位上榜或落榜的抽样不到千分之一",
        "kept": "板块权重逐项变动, 其余按比例; 名单(未设等次则为名次)不变的区间:",
        "room": "  {}{:>7}  可由{}至{}",
        "radius": "使名单改变的最小板块权重变动:",
        "moved": "  {}: 移动{}分(共{}分); {}; {}",
        "sure": "经重新计分确认",
        "unsure": "未经重新计分确认",
        "never": "  {}: 任何板块权重都不改变名单",
        "weigh": "名义权重与实际重要性, % (按单位的标准误):",
        "part": "  {}{:>7}  {} (误差{})",
        "share": "{}的方差由谁造成 (总效应, {:.0f}%区间):",
        "of mean_rank_shift": "平均名次变动",
        "of excellent_changes": "名单变动",
        "factor": "  {}{:>6}  ({}至{})",
        "still": "  无: 没有变化",
        "single": "单项权重上下变动{}%, 其余不变: {}项改变名单 (共{}项)",
        "moves": "  {} ({}): {}",
        "note": "注意: {}",
        "reason": "{part}: 本年数据不足以作此分析(程序原文: {why})",
        "part noise": "评议抽样误差(未抽样)",
        "part weigh": "名义权重与实际重要性",
        "part single": "单项权重变动",
        "part without": "去掉单项权重",
        "part share": "方差由谁造成",
        "part exact": "板块权重的区间",
        "part radius": "最小板块权重变动",
        "nothing": "方案未设等次",
        "written": "已写入{}",
    },
}


def say(evaluation: Evaluation, found: Found, lang: str) -> None:
    """Print every result in a few lines."""
    said = SAID[lang]
    _say_runs(found.runs, said)
    _say_exact(evaluation, found, lang)
    if found.tornado is not None:
        _say_tornado(found.tornado, said)
    if found.indices is not None:
        _say_indices(found.indices, said)
    _say_importance(evaluation, found, lang)
    for note in found.notes:
        print(said["note"].format(note))


def _owner(evaluation: Evaluation, class_id: str, lang: str) -> str:
    return evaluation.year.scheme.name(f"classes.{class_id}", lang)


def _part(evaluation: Evaluation, class_id: str, node: str, lang: str) -> str:
    """Name of a node with its class in front, as wide as the longest of the year's blocks."""
    scheme = evaluation.year.scheme

    def named(owner: str, part: str) -> str:
        return f"{_owner(evaluation, owner, lang)} · {_child(evaluation, owner, part, lang)}"

    own = sorted(set(evaluation.scores["class"]))
    blocks = [named(c, n) for c in own for n, over in scheme.parents(c).items() if not over]
    most = max((width(text) for text in blocks), default=0)
    return pad(named(class_id, node), most + 2)


def _child(evaluation: Evaluation, class_id: str, node: str, lang: str) -> str:
    """Name of a node, or of an indicator right below the root."""
    scheme = evaluation.year.scheme
    if node in scheme.document["classes"][class_id].get("nodes", {}):
        return scheme.name(f"classes.{class_id}.nodes.{node}", lang)
    if node in scheme.document["indicators"]:
        return scheme.name(f"indicators.{node}", lang)
    return node


def _say_runs(runs: MonteCarlo, said: Mapping[str, str]) -> None:
    if runs.counts.failed:
        print(said["failed"].format(runs.counts.failed, runs.failures["reason"].iloc[0]))
    for row in rows(runs.overall):
        print(said[row.Index].format(show(row.value, 3), show(row.mcse, 3)))
    if not runs.counts.levels:
        return
    best = runs.counts.levels[0]
    table = runs.to_frame().sort_values(best, ascending=False, kind="stable")
    some = table[(table[best] > 0) & (table[best] < 1)]
    open_ = some[some[best].between(RARE, 1 - RARE)]
    print(said["open"] if len(open_) else said["closed"])
    listed = open_[["low", "high", "name"]].assign(p=open_[best], error=open_[f"{best}_mcse"])
    for row in rows(listed):
        chance = f"{show(row.p, 4)} +- {show(row.error, 4)}"
        print(f"  {row.Index}  {chance}  {row.low} - {row.high}  {row.name}")
    if len(some) > len(open_):
        print(said["rare"].format(len(some) - len(open_)))


def _say_exact(evaluation: Evaluation, found: Found, lang: str) -> None:
    said = SAID[lang]
    if found.intervals is not None:
        print(said["kept"])
        for row in rows(found.intervals.intervals):
            ends = [show(end) for end in (row.low_weight, row.high_weight)]
            part = _part(evaluation, str(row.family), str(row.child), lang)
            print(said["room"].format(part, show(row.weight), *ends))
    if "grades" not in evaluation.year.scheme.document:
        print(said["note"].format(said["nothing"]))
        return
    if found.changes:
        print(said["radius"])
    for name, change in found.changes.items():
        _say_change(evaluation, name, change, lang)


def _say_change(evaluation: Evaluation, name: str, change: WeightChange, lang: str) -> None:
    said, owner = SAID[lang], _owner(evaluation, name, lang)
    if not change.patch():
        print(said["never"].format(owner))
        return
    whole = change.weights["weight"].sum()
    told = said["sure" if change.confirmed else "unsure"]
    moved = show(change.distance / 2 * whole)
    names = {str(u): str(name) for u, name in evaluation.year.unit_names(lang).items()}
    effect = _with_names(change.effect, names)
    print(said["moved"].format(owner, moved, show(whole), effect, told))
    children = [_child(evaluation, name, str(child), lang) for child in change.weights["child"]]
    most = max(map(width, children))
    for row, child in zip(rows(change.weights), children, strict=True):
        print(f"    {pad(child, most)}{show(row.weight):>8} -> {show(row.new_weight)}")


def _with_names(text: str, names: Mapping[str, str]) -> str:
    """A text about units in which each code has its name beside it."""

    def named(found: re.Match[str]) -> str:
        code = found[0]
        return f"{code} {names[code]}" if code in names and names[code] != code else code

    return re.sub(r"[A-Za-z0-9_.-]+", named, text)


def _say_importance(evaluation: Evaluation, found: Found, lang: str) -> None:
    said = SAID[lang]
    if found.shares is None:
        return
    print(said["weigh"])
    table = found.shares.to_frame()
    table = table[(table["level"] == 1) & table["nominal"].notna()]
    for row in rows(table.rename(columns={"class": "class_id"})):
        shares = [show(100 * x, 1) for x in (row.nominal, row.importance, row.importance_se)]
        part = _part(evaluation, str(row.class_id), str(row.node), lang)
        print(said["part"].format(part, *shares))


def _say_tornado(single: OneAtATime, said: Mapping[str, str]) -> None:
    """Changes of single weights that change who holds the best grade."""
    if not single.graded:
        return
    table = single.table
    print(said["single"].format(show(BY, 0), int((table["changed"] > 0).sum()), len(table)))
    for row in rows(single.to_frame().query("changed > 0").head(LISTED)):
        moves = [f"+{n}" for n in row.into.split(";") if n]
        moves += [f"-{n}" for n in row.out_of.split(";") if n]
        print(said["moves"].format(row.name, show(row.value), " ".join(moves)))


def _say_indices(indices: GlobalIndices, said: Mapping[str, str]) -> None:
    for output in SHARED:
        if output not in indices.outputs:
            continue
        table = indices.to_frame(output).query("effect == 'total'")
        print(said["share"].format(said[f"of {output}"], 100 * indices.confidence))
        if table["constant"].all():
            print(said["still"])
            continue
        most = max(map(width, table["factor"])) + 1
        for row in rows(table.sort_values("index", ascending=False, kind="stable")):
            ends = [show(max(x, 0.0)) for x in (row.low, row.high)]
            factor, share = pad(str(row.factor), most), show(max(row.index, 0.0))
            print(said["factor"].format(factor, share, *ends))
