"""Evaluations as tables for the plotting functions, with the finding as title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from perfmethod import plots
from perfmethod.display import show
from perfmethod.errors import suggest
from perfmethod.frames import natural_order
from perfmethod.scoring.notes import node_name, pool_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perfmethod.scoring.evaluate import Evaluation

__all__ = ["CLOSE", "KINDS", "block_points", "cut_margins", "draw", "group_totals"]

KINDS = ("totals", "margins", "blocks")
CLOSE = 10.0  # points: a unit nearer than this to its cut is called close


def draw(evaluation: Evaluation, kind: str, ax: Axes | None = None, lang: str = "zh") -> Axes:
    """Draw one kind of figure; see `Evaluation.plot`."""
    if kind == "totals":
        table, title = group_totals(evaluation, lang)
        return plots.totals_by_group(table, ax, title=title, best=_name(evaluation, lang),
                                     language=lang)  # fmt: skip
    if kind == "margins":
        table, title = cut_margins(evaluation, lang)
        return plots.margins(table, ax, title=title, close=CLOSE, best=_name(evaluation, lang),
                             language=lang)  # fmt: skip
    if kind == "blocks":
        table, title = block_points(evaluation, lang)
        return plots.stacked_blocks(table, ax, title=title, language=lang)
    raise ValueError(f"found kind {kind!r}; allowed: {suggest(kind, KINDS)}")


def group_totals(evaluation: Evaluation, lang: str = "zh") -> tuple[pd.DataFrame, str]:
    """Table for `plots.totals_by_group`, and what it shows.

    Returns
    -------
    table : DataFrame
        unit, group (names), total, excellent, vetoed, cut.
    title : str
    """
    scores = evaluation.scores
    scores = scores.iloc[natural_order(scores["class"], scores["group"])]
    best = _best(evaluation)
    vetoed = evaluation.notes.query("kind == 'veto'")["unit_id"]
    table = pd.DataFrame(
        {
            "unit": evaluation.year.unit_names(lang)[scores.index],
            "group": _groups(evaluation, lang)[scores.index],
            "total": scores["total"],
            "excellent": scores["grade"] == best,
            "vetoed": scores.index.isin(vetoed),
            "cut": _cut(evaluation)[scores.index],
        }
    )
    return table, _title(evaluation, lang)


def _title(evaluation: Evaluation, lang: str) -> str:
    quotas = evaluation.quotas
    best = _best(evaluation)
    if quotas.empty:
        return {"en": "Totals of the units", "zh": "各单位总分"}[lang]
    gap = quotas["last_in"] - quotas["first_out"]
    n = int((evaluation.scores["grade"] == best).sum())
    name = _name(evaluation, lang)
    if n == 0:
        return {"en": f"No unit is {name}", "zh": f"没有单位评为{name}"}[lang]
    held = {"en": "1 unit is" if n == 1 else f"{n} units are", "zh": f"{n}家"}[lang]
    if gap[gap >= 0].empty:
        return {"en": f"{held} {name}", "zh": f"{held}{name}"}[lang]
    near = show(gap[gap >= 0].min(), 1)
    place = str(quotas["pool"].to_numpy()[int(np.nanargmin(gap.where(gap >= 0)))])
    pool = pool_name(evaluation.year, place, lang)
    return {
        "en": f"{held} {name}; in {pool} only {near} points separate the last one in from "
        "the first one out",
        "zh": f"{held}{name}; {pool}内末位{name}与首位落选仅差{near}分",
    }[lang]


def cut_margins(evaluation: Evaluation, lang: str = "zh") -> tuple[pd.DataFrame, str]:
    """Table for `plots.margins` (unit, group, margin, vetoed), and what it shows.

    The margin is the distance from the nearest unit on the other side of the group's cut.
    """
    table, _ = group_totals(evaluation, lang)
    scores = evaluation.scores.loc[table.index]
    quotas = evaluation.quotas[evaluation.quotas["grade"] == _best(evaluation)]
    quotas = quotas.set_index("pool")
    pool = scores["group"].where(scores["group"].isin(quotas.index), scores["class"])
    edge = pool.map(quotas["first_out"]).where(table["excellent"], pool.map(quotas["last_in"]))
    names = {p: p if p in _coded(evaluation) else pool_name(evaluation.year, p, lang)
             for p in pool.unique()}  # fmt: skip
    table = table[["unit", "vetoed"]].assign(
        group=pool.map(names), margin=scores["total"] - edge
    )  # fmt: skip
    kept = table.dropna(subset="margin")
    n = int((kept["margin"].abs() < CLOSE).sum())
    if n == 0:
        return kept, {
            "en": f"No unit is within {CLOSE:g} points of another grade",
            "zh": f"没有单位距离另一等次不足{CLOSE:g}分",
        }[lang]
    return kept, {
        "en": f"{n} of {len(table)} units are within {CLOSE:g} points of another grade",
        "zh": f"{len(table)}家中有{n}家距离另一等次不足{CLOSE:g}分",
    }[lang]


def _coded(evaluation: Evaluation) -> set[str]:
    """Groups, which a label names by their code; a class has only its name to be known by."""
    return set(evaluation.year.groups["group"]) - set(evaluation.year.scheme.classes)


def block_points(evaluation: Evaluation, lang: str = "zh") -> tuple[pd.DataFrame, str]:
    """Table for `plots.stacked_blocks` (unit, block, points), and what it shows."""
    scores, nodes = evaluation.scores, evaluation.nodes
    known = evaluation.year.unit_names(lang)
    blocks = [c for c in scores.columns[3:] if c in set(nodes["node"]) and c != "total"]
    rows = nodes[nodes["node"].isin(blocks)]
    points = rows.pivot(index="unit_id", columns="node", values="contribution")
    points = points.reindex(index=scores.index, columns=blocks)
    names = [node_name(evaluation.year, str(scores.index[0]), b, lang) for b in blocks]
    points.columns = names
    points[{"en": "bonus", "zh": "加分"}[lang]] = scores["bonus"]
    points[{"en": "deduction", "zh": "减分"}[lang]] = -scores["deduction"]
    long = points.set_axis(known[points.index], axis=0).stack().reset_index()
    long.columns = ["unit", "block", "points"]
    spread = points.std(ddof=1)
    widest = str(spread.idxmax())
    share = show(100 * points[names[0]].mean() / scores["total"].mean(), 0)
    return long, {
        "en": f"{names[0]} brings {share} % of the points; {widest} differs most between units",
        "zh": f"{names[0]}占总分的{share}%; 单位之间差别最大的是{widest}",
    }[lang]


def _best(evaluation: Evaluation) -> str:
    return next(iter(evaluation.year.scheme.document.get("grades", {}).get("levels", {"": 0})))


def _name(evaluation: Evaluation, lang: str) -> str:
    """Name of the best grade; empty where the scheme gives none."""
    best = _best(evaluation)
    return evaluation.year.scheme.name(f"grades.levels.{best}", lang) if best else ""


def _cut(evaluation: Evaluation) -> pd.Series:
    """Lowest total with the best grade in each unit's pool."""
    scores = evaluation.scores
    held = scores["total"].where(scores["grade"] == _best(evaluation))
    pool = pd.Series(evaluation._plan.pools, index=scores.index)
    lowest = held.groupby(pool).min()
    return pool.map(lowest)


def _groups(evaluation: Evaluation, lang: str) -> pd.Series:
    """What each unit's group is called."""
    names = {g: pool_name(evaluation.year, g, lang) for g in evaluation.scores["group"].unique()}
    return evaluation.scores["group"].map(names)
