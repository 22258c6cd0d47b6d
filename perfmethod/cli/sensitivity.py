"""``sensitivity YEAR``: would the list change if the weights had been a little different?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfmethod.cli.commands import UsageError, _year
from perfmethod.display import show
from perfmethod.errors import PerfmethodError
from perfmethod.frames import rows

if TYPE_CHECKING:
    import pandas as pd

    from perfmethod.robustness import StabilityIntervals, WeightChange
    from perfmethod.scoring import Evaluation
    from perfmethod.sensitivity import Importance, MonteCarlo
    from perfmethod.uncertainty import Spec

__all__ = ["MOST_SPREAD", "RARE", "WEIGHTS", "run"]

MOST_SPREAD = 2.0  # standard deviation of a logarithm: factors from a fiftieth to fifty
RARE = 0.001  # chances nearer to 0 or 1 are counted, not listed
# weights of rater categories of the survey are not among them: survey noise draws the scores that
# they have made
WEIGHTS = (
    "classes.*.nodes.*.weight",
    "indicators.*.weight",
    "indicators.*.weight.*",
    "internal.categories.*.weight",
    "internal.categories.*.weight.*",
)

_SAID = {
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
        "note": "注意: {}",
        "nothing": "方案未设等次",
        "written": "已写入{}",
    },
}


@dataclass(frozen=True)
class _Found:
    """What the four analyses found, and what could not be asked."""

    runs: MonteCarlo
    intervals: StabilityIntervals | None
    changes: Mapping[str, WeightChange]
    shares: Importance | None
    notes: tuple[str, ...]


def run(arguments: argparse.Namespace) -> None:
    """``sensitivity YEAR --out DIR``: draws, exact intervals, exact radius, importance."""
    from perfmethod.scoring import evaluate

    _usable(arguments)
    evaluation = evaluate(_year(arguments), lang=arguments.lang)
    runs, noise = _runs(evaluation, arguments)
    found = _found(evaluation, runs)
    said = _SAID[arguments.lang]
    told = said["noise"] if noise else ""
    print(said["drawn"].format(runs.draws, noise + _count(evaluation), arguments.spread, told,
                               arguments.seed))  # fmt: skip
    _say_runs(found.runs, said)
    _say_exact(evaluation, found, said)
    _say_importance(found, said)
    for note in found.notes:
        print(said["note"].format(note))
    if arguments.out:
        _write(arguments.out, found, evaluation, arguments.lang)
        print(said["written"].format(arguments.out))


def _usable(arguments: argparse.Namespace) -> None:
    if arguments.seed < 0:
        raise UsageError(f"found --seed {arguments.seed}; allowed: 0 or more")
    if arguments.draws < 1:
        raise UsageError(f"found --draws {arguments.draws}; allowed: 1 or more")
    if not 0 <= arguments.spread <= MOST_SPREAD:  # NaN is no number between them
        raise UsageError(f"found --spread {arguments.spread:g}; allowed: 0 to {MOST_SPREAD:g}")


def _patterns(evaluation: Evaluation) -> list[str]:
    """Those of `WEIGHTS` that this scheme has."""
    steps = [path.split(".") for path in evaluation.year.scheme.numbers]
    return [name for name in WEIGHTS if any(_fits(path, name.split(".")) for path in steps)]


def _fits(path: list[str], wanted: list[str]) -> bool:
    return len(path) == len(wanted) and all(map(fnmatchcase, path, wanted))


def _count(evaluation: Evaluation) -> int:
    """Number of weights that vary."""
    names = [name.split(".") for name in _patterns(evaluation)]
    paths = [path.split(".") for path in evaluation.year.scheme.numbers]
    return sum(any(_fits(path, name) for name in names) for path in paths)


def _runs(evaluation: Evaluation, arguments: argparse.Namespace) -> tuple[MonteCarlo, int]:
    """Score the draws; return how many survey scores vary in them as well."""
    from perfmethod.sensitivity import monte_carlo
    from perfmethod.uncertainty import draw, multiplicative

    specs: list[Spec] = [multiplicative(*_patterns(evaluation), spread=arguments.spread)]
    scored = _scored(evaluation)
    if len(scored):
        specs.append(_noise(evaluation, scored))
    draws = draw(evaluation.year, arguments.draws, *specs, seed=arguments.seed)
    made = monte_carlo(evaluation.year, draws, pairs=False)
    return replace(made, names=_names(evaluation, arguments.lang)), len(scored)


def _names(evaluation: Evaluation, lang: str) -> dict[str, str]:
    """Name of each unit in the language asked for, where it has one."""
    return {str(unit): str(name) for unit, name in evaluation.year.unit_names(lang).items()}


def _scored(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Survey scores that there are and that the scheme reads: unit and dimension."""
    if evaluation.review is None:
        return []
    classes, own = evaluation.year.scheme.document["classes"], evaluation.scores["class"]
    reads = {name: {node.get("survey") for node in part.get("nodes", {}).values()}
             for name, part in classes.items()}  # fmt: skip
    there = evaluation.review.scores.stack().dropna().index
    return [(u, d) for u, d in there if d in reads[own[u]]]


def _noise(evaluation: Evaluation, scored: list[tuple[str, str]]) -> Spec:
    import pandas as pd

    from perfmethod.uncertainty import survey_noise

    assert evaluation.review is not None
    index = pd.MultiIndex.from_tuples(scored)
    covariance = evaluation.review.covariance().loc[index, index]
    mean = pd.Series(evaluation.review.scores.stack()).loc[index]
    return survey_noise(mean=mean, covariance=covariance)


def _found(evaluation: Evaluation, runs: MonteCarlo) -> _Found:
    from perfmethod.robustness import families, smallest_change, stability_intervals
    from perfmethod.sensitivity import importance

    graded = "grades" in evaluation.year.scheme.document
    blocks = families(evaluation).query("node == ''")
    notes = [f"{name}: {row.why_not}"
             for name, row in blocks[blocks["form"] == "none"].iterrows()]  # fmt: skip
    exact = list(blocks.index[blocks["form"] != "none"])
    kept = "best_grade" if graded else "ranking"
    intervals = stability_intervals(evaluation, exact, keep=kept) if exact else None
    changes: dict[str, WeightChange] = {}
    for name in exact if graded else ():
        try:
            changes[name] = smallest_change(evaluation, name)
        except PerfmethodError as error:
            notes.append(f"{name}: {error}")
    try:
        shares = importance(evaluation)
        notes += shares.notes
    except PerfmethodError as error:
        shares = None
        notes.append(str(error))
    return _Found(runs, intervals, changes, shares, tuple(notes))


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


def _say_exact(evaluation: Evaluation, found: _Found, said: Mapping[str, str]) -> None:
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


def _say_importance(found: _Found, said: Mapping[str, str]) -> None:
    if found.shares is None:
        return
    print(said["weigh"])
    table = found.shares.to_frame()
    table = table[(table["level"] == 1) & table["nominal"].notna()]
    for row in rows(table.rename(columns={"class": "class_id"})):
        shares = [show(100 * x, 1) for x in (row.nominal, row.importance, row.importance_se)]
        print(said["part"].format(row.class_id, row.node, *shares))


def _radius(changes: Mapping[str, WeightChange]) -> pd.DataFrame:
    """Changed weights of every class below each other."""
    import pandas as pd

    parts = [
        change.to_frame().reset_index().assign(
            family=name, norm=change.norm, distance=change.distance, lower=change.lower,
            effect=change.effect, confirmed=change.confirmed,
        )
        for name, change in changes.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _by_class(
    intervals: StabilityIntervals, evaluation: Evaluation, lang: str
) -> StabilityIntervals:
    """Put the class before the name of each block, for a figure with more than one class."""
    table, column = intervals.intervals, f"name_{lang}"
    if table["family"].nunique() == 1:
        return intervals
    scheme = evaluation.year.scheme
    owners = [scheme.name(f"classes.{family}", lang) for family in table["family"]]
    named = [f"{owner} · {name}" for owner, name in zip(owners, table[column], strict=True)]
    return replace(intervals, intervals=table.assign(**{column: named}))


def _write(folder: Path, found: _Found, evaluation: Evaluation, lang: str) -> None:
    from perfmethod.cli.output import _figure, _json, csv, write_folder

    runs = found.runs
    files: dict[str, Any] = {
        "monte_carlo.csv": csv(runs.to_frame(), index=True),
        "rank_intervals.png": _figure(partial(runs.plot, "intervals", lang=lang)),
    }
    if found.intervals is not None:
        files["stability.csv"] = csv(found.intervals.intervals)
        files["stability.png"] = _figure(
            partial(_by_class(found.intervals, evaluation, lang).plot, lang=lang)
        )
    if found.changes:
        files["radius.csv"] = csv(_radius(found.changes))
    if found.shares is not None:
        files["importance.csv"] = csv(found.shares.to_frame())
    notes = {"failed": runs.counts.failed, "notes": list(found.notes)}
    files["meta.json"] = _json({**runs.meta, **notes})
    write_folder(folder, files)
