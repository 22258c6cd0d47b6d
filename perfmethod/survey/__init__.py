"""Ballots to unit scores: exact counts, weighted means, and their standard errors.

`tabulate` counts, `scores` weighs (with leading axes for draws), `review` does both and adds
standard errors, covariances, cells and design effects. Nothing here knows a scheme or a year:
labels and weights come as plain sequences and arrays.
"""

from __future__ import annotations

from perfmethod.survey.build import review
from perfmethod.survey.combine import effective_weights, empty_cells, scores
from perfmethod.survey.disclosure import suppress
from perfmethod.survey.linearization import cluster_covariance, mean_influence, srs_variance
from perfmethod.survey.result import Review
from perfmethod.survey.tables import Counts, tabulate
from perfmethod.survey.unmeasured import (
    MOST_UNMEASURED,
    Unmeasured,
    need_measured,
    noted,
    unmeasured_in,
    unmeasured_told,
)

__all__ = [
    "MOST_UNMEASURED",
    "Counts",
    "Review",
    "Unmeasured",
    "cluster_covariance",
    "effective_weights",
    "empty_cells",
    "mean_influence",
    "need_measured",
    "noted",
    "review",
    "scores",
    "srs_variance",
    "suppress",
    "tabulate",
    "unmeasured_in",
    "unmeasured_told",
]
