"""Ratings of the internal assessment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from perfmethod.synthetic.latent import Latent
from perfmethod.synthetic.template import Plan, Template

__all__ = ["draw_internal"]

RATING_SD = 6.0  # points by which one rater differs from another


def draw_internal(
    source: Template, plan: Plan, latent: Latent, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw internal.csv: mean score and number of ratings by unit and internal category.

    Parameters
    ----------
    source : Template
        The template, for the number of raters.
    plan : Plan
        The year before any number is drawn.
    latent : Latent
        The planted truth; the vice-mayor in charge is as stringent here as in the group rating.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Columns ``unit_id``, ``category``, ``score`` and ``ratings``.
    """
    rows = source.ballots[source.ballots["mode"] == "internal"]
    habits = source.raters.set_index("category").loc[rows["category"]]
    ratings = rows[plan.units["class"].tolist()].to_numpy(dtype=str).astype(int)  # (c, u)
    noise = RATING_SD * rng.standard_normal(ratings.shape) / np.sqrt(np.maximum(ratings, 1))
    opinion = 84 + 2 * latent.quality + 1.5 * latent.perception
    score = opinion - habits["severity"].to_numpy(dtype=str).astype(float)[:, None] + noise
    score -= np.where((rows["category"] == "I02").to_numpy()[:, None], latent.stringency, 0)
    c, u = np.nonzero(ratings.T > 0)[::-1]
    return pd.DataFrame(
        {
            "unit_id": plan.units["unit_id"].to_numpy()[u],
            "category": rows["category"].to_numpy()[c],
            "score": np.round(np.clip(score[c, u], 0, 100), 2),
            "ratings": ratings[c, u],
        }
    )
