"""Survey scores of a year with their standard errors, and what they do to the totals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod import survey
from perfmethod.scoring.plan import Plan
from perfmethod.scoring.run import category_weights
from perfmethod.scoring.slots import Slots
from perfmethod.year import Year

__all__ = ["review_of", "survey_covariance", "survey_errors"]


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


def survey_covariance(
    review: survey.Review, plan: Plan, nodes: pd.DataFrame, base: float
) -> pd.DataFrame:
    """Covariance that the ballots give to the units' totals.

    The total is linear in the survey scores where all means above them are arithmetic, and nearly
    so otherwise; the weights are the effective ones. Units rated by the same raters covary.

    Returns
    -------
    DataFrame (u, u)
        Index and columns unit_id; points squared (delta method, raters as clusters).
    """
    covariance = review.covariance()
    pairs = pd.MultiIndex.from_frame(covariance.index.to_frame(index=False))
    table = nodes.set_index(["unit_id", "node"])["effective_weight"]
    weights = np.zeros((len(plan.units), len(pairs)))
    for part in plan.classes:
        for node, dimension in part.survey.items():
            for i in part.units:
                unit = plan.units[i]
                if (unit, dimension) in pairs:
                    at = pairs.get_loc((unit, dimension))
                    weights[i, at] += table.get((unit, part.tree.names[node]), 0.0)
    weights *= base / 100.0
    units = pd.Index(plan.units, name="unit_id")
    return pd.DataFrame(weights @ covariance.to_numpy() @ weights.T, units, units)


def survey_errors(
    review: survey.Review, plan: Plan, nodes: pd.DataFrame, base: float
) -> pd.DataFrame:
    """Standard error that the ballots give to each unit's total (`survey_covariance`).

    Returns
    -------
    DataFrame
        Index unit_id; ``se_total``: points, from the survey alone.
    """
    covariance = survey_covariance(review, plan, nodes, base)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    return pd.DataFrame({"se_total": errors}, index=covariance.index)
