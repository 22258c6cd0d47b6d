"""Move what panels scored by points, and score the year with the one core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfmethod.errors import PerfmethodError
from perfmethod.scoring import simulate
from perfmethod.stringency.parts import Parts, below, need_arithmetic

if TYPE_CHECKING:
    from perfmethod.scoring import Evaluation, Simulation
    from perfmethod.year import Year

__all__ = ["SAME", "simulate_shifts"]

Array = NDArray[np.float64]

SAME = 1e-8  # points by which the unmoved totals may differ from the evaluation's


def simulate_shifts(
    evaluation: Evaluation, parts: Parts, shifts: Array, *, pool: str | None = None
) -> Simulation:
    """Score a year with the panel's part of every unit moved by some points.

    A panel's node cannot be drawn itself, so every leaf below it moves by the same number of
    points: survey scores and internal ratings by their own paths; tasks are first entered at the
    scores that their rules gave (rule ``identity``), for a rule may have a ceiling that no other
    actual value gets past. Unmoved, the totals are those of the evaluation: this is checked at each
    call. A task without a usable value keeps what the rule for missing values gives it.

    Parameters
    ----------
    evaluation : Evaluation
    parts : Parts
    shifts : ndarray (k, u)
        Points to add, in the order of ``parts.panel``; moved scores may leave 0 to 100.
    pool : {"group", "class", "all"}, optional
        Spread the places over other pools than the scheme's.

    Returns
    -------
    Simulation
        k draws.

    Raises
    ------
    PerfmethodError
        If a mean inside the panel's part is not arithmetic, or the unmoved totals are not those of
        the evaluation.
    """
    need_arithmetic(evaluation, parts)
    moved = np.vstack([np.zeros(shifts.shape[1]), shifts])  # the first draw is the check
    leaves = below(evaluation, parts.class_id, parts.panel_nodes)
    year = _at_scores(evaluation, parts, leaves, pool)
    found = simulate(year, _draws(evaluation, parts, leaves, moved))
    gap = float(np.abs(found.total[0] - evaluation.scores["total"].to_numpy()).max())
    if gap > SAME:
        raise PerfmethodError(
            f"found totals that differ by {gap:.3g} points before anything moved; allowed: {SAME:g}"
            " (a rule or a missing value that does not let the panel's part be moved by points)"
        )
    return _without_first(found)


def _without_first(found: Simulation) -> Simulation:
    from dataclasses import replace

    grade = None if found.grade is None else found.grade[1:]
    return replace(found, total=found.total[1:], rank=found.rank[1:], grade=grade)


def _at_scores(
    evaluation: Evaluation, parts: Parts, leaves: tuple[str, ...], pool: str | None
) -> Year:
    """Year whose panel tasks have their scores for actual values."""
    from dataclasses import replace

    year = evaluation.year
    known = year.scheme.document["indicators"]
    indicators = [leaf for leaf in leaves if leaf in known]
    changes: dict[str, Any] = {f"indicators.{i}.rule": {"method": "identity"} for i in indicators}
    for key in ("direction", "per"):
        changes |= {f"indicators.{i}.{key}": None for i in indicators if key in known[i]}
    if pool is not None and "grades" in year.scheme.document:
        changes["grades.pool"] = pool
    tables = dict(year.tables)
    if indicators and "tasks" in tables:
        tables["tasks"] = _tasks(evaluation, tables["tasks"], indicators)
    return replace(year, scheme=year.scheme.patch(changes), tables=tables)


def _tasks(evaluation: Evaluation, tasks: pd.DataFrame, indicators: list[str]) -> pd.DataFrame:
    rows = evaluation.nodes
    scores = rows[rows["node"].isin(indicators)].set_index(["unit_id", "node"])["score"]
    mine = tasks["indicator_id"].isin(indicators) & tasks["actual"].notna()
    at = pd.MultiIndex.from_frame(tasks.loc[mine, ["unit_id", "indicator_id"]].astype(str))
    changed = tasks.copy()
    changed["actual"] = changed["actual"].astype(float)
    changed.loc[mine, "actual"] = scores.reindex(at).to_numpy()
    changed.loc[tasks["indicator_id"].isin(indicators), "target"] = np.nan
    return changed


def _draws(
    evaluation: Evaluation, parts: Parts, leaves: tuple[str, ...], moved: Array
) -> dict[str, Array]:
    """Values of every leaf of the panel's part, by path."""
    nodes = evaluation.year.scheme.document["classes"][parts.class_id].get("nodes", {})
    rows = evaluation.nodes[evaluation.nodes["node"].isin(leaves)]
    place = {unit: j for j, unit in enumerate(parts.panel.index)}
    found: dict[str, Array] = {}
    for unit, node, score in zip(rows["unit_id"], rows["node"], rows["score"], strict=True):
        if unit not in place or np.isnan(score):
            continue
        entry = nodes.get(node, {})
        if "survey" in entry:
            path = f"review.{unit}.{entry['survey']}"
        else:
            path = f"rating.{unit}" if entry.get("internal") else f"tasks.{unit}.{node}.actual"
        found[path] = score + moved[:, place[unit]]
    return found
