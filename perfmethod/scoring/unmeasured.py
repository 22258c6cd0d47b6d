"""How much of the survey's weight in the totals has no measurable error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from perfmethod.survey import Unmeasured, need_measured, unmeasured_in

if TYPE_CHECKING:
    from perfmethod.scoring.evaluate import Evaluation

__all__ = ["measured_of", "survey_weights", "unmeasured_of"]


def unmeasured_of(evaluation: Evaluation) -> Unmeasured | None:
    """Find what the survey's standard errors leave out of the totals; None without ballots.

    Parameters
    ----------
    evaluation : Evaluation

    Returns
    -------
    Unmeasured or None
        As `survey.unmeasured_in`, by the weight that the scores have in the totals.

    Examples
    --------
    >>> import perfmethod as pm
    >>> from perfmethod.synthetic import synthetic_year
    >>> drawn = synthetic_year(seed=0, ballots=500)
    >>> year = pm.Year.from_frames(pm.Scheme.loads(drawn.scheme), **drawn.tables)
    >>> found = unmeasured_of(pm.evaluate(year))
    >>> round(found.weight, 2), found.lonely
    (0.98, ('R01', 'R08', 'R12'))
    """
    if evaluation.review is None:
        return None
    found = unmeasured_in(evaluation.review, survey_weights(evaluation))
    return found._replace(units=found.units.reindex(evaluation.scores.index, fill_value=0.0))


def measured_of(evaluation: Evaluation, other: str = "") -> Unmeasured | None:
    """As `unmeasured_of`, refusing a survey that measures (nearly) none of its errors.

    Parameters
    ----------
    evaluation : Evaluation
    other : str
        What else the caller allows, for the message.

    Raises
    ------
    PerfmethodError
        As `survey.need_measured`.
    """
    found = unmeasured_of(evaluation)
    if found is not None:
        need_measured(found, other)
    return found


def survey_weights(evaluation: Evaluation) -> pd.Series:
    """Weight in the total of every survey score that the scheme reads.

    Returns
    -------
    Series
        Index (unit_id, dimension); effective weights, summed where nodes read the same score.
    """
    plan, rows = evaluation._plan, []
    weights = evaluation.nodes.set_index(["unit_id", "node"])["effective_weight"]
    for part in plan.classes:
        for node, dimension in part.survey.items():
            name = part.tree.names[node]
            rows += [(plan.units[i], dimension, name) for i in part.units]
    table = pd.DataFrame(rows, columns=["unit_id", "dimension", "node"])
    found = weights.reindex(pd.MultiIndex.from_frame(table[["unit_id", "node"]]))
    table["weight"] = found.fillna(0.0).to_numpy(float)
    return table.groupby(["unit_id", "dimension"], sort=False)["weight"].sum()
