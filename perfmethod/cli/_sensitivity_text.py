"""What ``sensitivity YEAR`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from perfmethod.display import show
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
        "room": "  {:<22}{:<16}{:>7}  from {} to {}",
        "radius": "Smallest change of the block weights that changes the list:",
        "moved": "  {}: {} of {} points moved; {}; {}",
        "sure": "confirmed by scoring",
        "unsure": "not confirmed by scoring",
        "never": "  {}: no block weights change it",
        "weigh": "Importance beside nominal weights, % (+- standard error over units):",
        "part": "  {:<22}{:<16}{:>7}  {} (+- {})",
        "share": "Who answers for the variance of {} (total effect, {:.0f} % interval):",
        "of mean_rank_shift": "the mean rank shift",
        "of excellent_changes": "changes of the list",
        "factor": "  {:<20}{:>6}  ({} to {})",
        "still": "  nothing: it does not vary",
        "single": "One weight {} % lower or higher, the rest as is: the list changes in {} of {}",
        "moves": "  {} ({}): {}",
        "note": "note: {}",
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
        "room": "  {:<22}{:<16}{:>7}  可由{}至{}",
        "radius": "使名单改变的最小板块权重变动:",
        "moved": "  {}: 移动{}分(共{}分); {}; {}",
        "sure": "经重新计分确认",
        "unsure": "未经重新计分确认",
        "never": "  {}: 任何板块权重都不改变名单",
        "weigh": "名义权重与实际重要性, % (按单位的标准误):",
        "part": "  {:<22}{:<16}{:>7}  {} (误差{})",
        "share": "{}的方差由谁造成 (总效应, {:.0f}%区间):",
        "of mean_rank_shift": "平均名次变动",
        "of excellent_changes": "名单变动",
        "factor": "  {:<20}{:>6}  ({}至{})",
        "still": "  无: 没有变化",
        "single": "单项权重上下变动{}%, 其余不变: {}项改变名单 (共{}项)",
        "moves": "  {} ({}): {}",
        "note": "注意: {}",
        "nothing": "方案未设等次",
        "written": "已写入{}",
    },
}


def say(evaluation: Evaluation, found: Found, said: Mapping[str, str]) -> None:
    """Print every result in a few lines."""
    _say_runs(found.runs, said)
    _say_exact(evaluation, found, said)
    if found.tornado is not None:
        _say_tornado(found.tornado, said)
    if found.indices is not None:
        _say_indices(found.indices, said)
    _say_importance(found, said)
    for note in found.notes:
        print(said["note"].format(note))


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


def _say_exact(evaluation: Evaluation, found: Found, said: Mapping[str, str]) -> None:
    if found.intervals is not None:
        print(said["kept"])
        for row in rows(found.intervals.intervals):
            ends = [show(end) for end in (row.low_weight, row.high_weight)]
            print(said["room"].format(row.family, row.child, show(row.weight), *ends))
    if "grades" not in evaluation.year.scheme.document:
        print(said["note"].format(said["nothing"]))
        return
    if found.changes:
        print(said["radius"])
    for name, change in found.changes.items():
        _say_change(name, change, said)


def _say_change(name: str, change: WeightChange, said: Mapping[str, str]) -> None:
    if not change.patch():
        print(said["never"].format(name))
        return
    whole = change.weights["weight"].sum()
    told = said["sure" if change.confirmed else "unsure"]
    moved = show(change.distance / 2 * whole)
    print(said["moved"].format(name, moved, show(whole), change.effect, told))
    for row in rows(change.weights):
        print(f"    {row.child:<16}{show(row.weight):>8} -> {show(row.new_weight)}")


def _say_importance(found: Found, said: Mapping[str, str]) -> None:
    if found.shares is None:
        return
    print(said["weigh"])
    table = found.shares.to_frame()
    table = table[(table["level"] == 1) & table["nominal"].notna()]
    for row in rows(table.rename(columns={"class": "class_id"})):
        shares = [show(100 * x, 1) for x in (row.nominal, row.importance, row.importance_se)]
        print(said["part"].format(row.class_id, row.node, *shares))


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
        for row in rows(table.sort_values("index", ascending=False, kind="stable")):
            ends = [show(max(x, 0.0)) for x in (row.low, row.high)]
            print(said["factor"].format(row.factor, show(max(row.index, 0.0)), *ends))
