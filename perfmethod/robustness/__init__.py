"""Exact robustness of the list to its weights.

How far weights may move before the list changes (`stability_intervals`, `smallest_change`), what
holds for all weights of a set (`preferences`, `rank_ranges`), and how often one unit beats another
when the weights of a family are anybody's guess (`pairwise_wins`). All of it on the totals as exact
functions of one family of weights (`families`), with portfolios, quotas, caps and vetoes as the
scheme has them; what it finds is confirmed by scoring.
"""

from perfmethod.robustness.change import smallest_change
from perfmethod.robustness.changed import WeightChange
from perfmethod.robustness.crossing import Meeting, flip_bounds, nearest_meeting
from perfmethod.robustness.family import Family, families, family
from perfmethod.robustness.lines import along, weight_flips
from perfmethod.robustness.norms import NORMS
from perfmethod.robustness.odds import Wins, pairwise_wins
from perfmethod.robustness.order import Preferences, necessary_preferences, preferences
from perfmethod.robustness.polytope import Polytope, extent, vertices
from perfmethod.robustness.programs import nearest
from perfmethod.robustness.ranges import Ranges, rank_ranges
from perfmethod.robustness.ratios import Ratios
from perfmethod.robustness.reach import fewest_above, most_above
from perfmethod.robustness.stability import StabilityIntervals, stability_intervals
from perfmethod.robustness.wins import (
    METHODS,
    acceptability_of_two,
    expected_ranks,
    half_space,
    win_probabilities,
)

__all__ = [
    "METHODS",
    "NORMS",
    "Family",
    "Meeting",
    "Polytope",
    "Preferences",
    "Ranges",
    "Ratios",
    "StabilityIntervals",
    "WeightChange",
    "Wins",
    "acceptability_of_two",
    "along",
    "expected_ranks",
    "extent",
    "families",
    "family",
    "fewest_above",
    "flip_bounds",
    "half_space",
    "most_above",
    "nearest",
    "nearest_meeting",
    "necessary_preferences",
    "pairwise_wins",
    "preferences",
    "rank_ranges",
    "smallest_change",
    "stability_intervals",
    "vertices",
    "weight_flips",
    "win_probabilities",
]
