"""Where one unit stands: ranks, quota, cut, veto, and what another grade would take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perfmethod import grading
from perfmethod.frames import row
from perfmethod.scoring.evaluate import Evaluation, cuts_of
from perfmethod.scoring.run import rules, steps
from perfmethod.scoring.slots import Slots

__all__ = ["Standing", "standing"]


@dataclass(frozen=True)
class Standing:
    """Standing of a unit.

    Attributes
    ----------
    pool : str
        Pool in which it competes for places.
    pool_size : int
    rank, group_rank : int
    grade : str
        Code of the grade; empty where the scheme gives none.
    without_veto : str
        Grade that it would have without its veto, everything else unchanged.
    ladder : DataFrame
        One row per grade, best first: grade, places (in the pool), cut (total above which the unit
        would hold this grade or a better one), margin (total less cut; negative is what it lacks),
        held.
    blocks : DataFrame
        One row per block: block, score, needed (the score that would bring the next better grade,
        others unchanged), reachable (whether that is at most 100).
    """

    pool: str
    pool_size: int
    rank: int
    group_rank: int
    grade: str
    without_veto: str
    ladder: pd.DataFrame
    blocks: pd.DataFrame


def standing(evaluation: Evaluation, unit: str) -> Standing:
    """Find where a unit stands.

    Parameters
    ----------
    evaluation : Evaluation
    unit : str
    """
    plan, mine = evaluation._plan, row(evaluation.scores, unit)
    at = plan.units.index(unit)
    pool = int(plan.pools[at])
    common = (
        plan.pool_names[pool],
        int((plan.pools == pool).sum()),
        int(mine["rank"]),
        int(mine["group_rank"]),
        str(mine["grade"]),
    )
    if evaluation._graded is None:
        return Standing(*common, "", pd.DataFrame(), pd.DataFrame())
    ladder = _ladder(evaluation, at, pool)
    blocks = _blocks(evaluation, unit, ladder)
    return Standing(*common, _without_veto(evaluation, at), ladder, blocks)


def _levels(evaluation: Evaluation) -> list[str]:
    return list(evaluation.year.scheme.document["grades"]["levels"])


def _without_veto(evaluation: Evaluation, at: int) -> str:
    plan, scored = evaluation._plan, evaluation._scored
    slots, how = Slots(plan.scheme), rules(plan, scored)
    ceiling = np.array(how["ceiling"])
    ceiling[at] = 0
    graded = grading.assign(
        scored.compared, plan.pools, steps(plan, slots), **(how | {"ceiling": ceiling})
    )
    return _levels(evaluation)[int(graded.codes[at])]


def _ladder(evaluation: Evaluation, at: int, pool: int) -> pd.DataFrame:
    plan, scored = evaluation._plan, evaluation._scored
    slots = Slots(plan.scheme)
    found, edges = steps(plan, slots), cuts_of(plan, slots, scored)
    assert evaluation._graded is not None
    return pd.DataFrame(
        {
            "grade": _levels(evaluation),
            "places": [
                None if s.places is None else int(np.asarray(s.places)[pool]) for s in found
            ],
            "cut": edges.cut[:, at],
            "margin": edges.margin[:, at],
            "held": np.arange(len(found)) == evaluation._graded.codes[at],
        }
    )


def _places(step: grading.Step, pool: int) -> int | None:
    return None if step.places is None else int(np.asarray(step.places)[pool])


def _blocks(evaluation: Evaluation, unit: str, ladder: pd.DataFrame) -> pd.DataFrame:
    """What each block alone would have to become for the next better grade."""
    held = int(np.flatnonzero(ladder["held"])[0])
    lacking = -ladder["margin"].iloc[held - 1] if held else np.nan
    nodes = evaluation.nodes[evaluation.nodes["unit_id"] == unit].set_index("node")
    tops = [b for b in evaluation.scores.columns[3:] if b in nodes.index and b != "total"]
    base = float(Slots(evaluation.year.scheme).one("base"))
    table = nodes.loc[tops, ["score", "effective_weight"]].rename_axis("block").reset_index()
    if not np.isfinite(lacking) or _power(evaluation, unit) != 1:
        return table.assign(needed=np.nan, reachable=False)
    table["needed"] = table["score"] + lacking / (base / 100 * table["effective_weight"])
    table["reachable"] = table["needed"] < 100
    return table


def _power(evaluation: Evaluation, unit: str) -> float:
    class_id = str(evaluation.year.units.at[unit, "class"])
    return float(evaluation.year.scheme.number(f"classes.{class_id}.power"))
