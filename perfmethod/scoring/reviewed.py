"""Survey scores of a year with their standard errors, and what they do to the totals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod import survey
from perfmethod.scoring.plan import Plan
from perfmethod.scoring.run import category_weights
from perfmethod.scoring.slots import Slots
from perfmethod.year import Year

__all__ = ["review_of", "survey_errors"]


def review_of(year: Year, plan: Plan) -> survey.Review | None:
    """Review of the year's ballots by the scheme's rules; None where there are no ballots."""
    if plan.counts is None or year.ballots is None:
        return None
    slots, counts, rule = Slots(plan.scheme), plan.counts, plan.scheme.document["survey"]
    return survey.review(
        year.ballots,
        units=counts.units,
        dimensions=counts.dimensions,
        categories=counts.categories,
        modes=counts.modes,
        options=counts.options,
        option_scores=slots.vector([f"survey.options.{o}.score" for o in counts.options], np.nan),
        category_weights=category_weights(plan, slots, "survey", counts.categories),
        mode_weights=slots.vector([f"survey.modes.{m}.weight" for m in counts.modes], 1.0),
        combine_modes=rule.get("combine_modes", "ballots"),
        min_cell=rule.get("min_cell", 10),
    )


def survey_errors(
    review: survey.Review, plan: Plan, nodes: pd.DataFrame, base: float
) -> pd.DataFrame:
    """Standard error that the ballots give to each unit's total.

    The total is linear in the survey scores where all means above them are arithmetic, and nearly
    so otherwise; the weights are the effective ones.

    Returns
    -------
    DataFrame
        Index unit_id; ``se_total``: points, from the survey alone (delta method, raters as
        clusters).
    """
    covariance = review.covariance()
    pairs = pd.MultiIndex.from_frame(covariance.index.to_frame(index=False))
    weight = pd.Series(0.0, index=pairs)
    table = nodes.set_index(["unit_id", "node"])["effective_weight"]
    for part in plan.classes:
        for node, dimension in part.survey.items():
            for i in part.units:
                key = (plan.units[i], dimension)
                if key in weight.index:
                    weight[key] += table.get((plan.units[i], part.tree.names[node]), 0.0)
    weight *= base / 100.0
    errors = {}
    for unit in plan.units:
        mine = pairs.get_level_values(0) == unit
        w = weight.to_numpy()[mine]
        errors[unit] = np.sqrt(w @ covariance.to_numpy()[np.ix_(mine, mine)] @ w)
    return pd.Series(errors, name="se_total").rename_axis("unit_id").to_frame()
