"""What a rank is worth: confidence sets for ranks, and who is surely among the best.

`rank_sets` takes an evaluation (with the survey's covariance) or estimates with their covariance;
`rank_bounds` is the procedure on plain arrays, `pair_errors` its scale.
"""

from perfmethod.ranking.bounds import RankBounds, pair_errors, rank_bounds
from perfmethod.ranking.sets import RankSets, rank_sets

__all__ = ["RankBounds", "RankSets", "pair_errors", "rank_bounds", "rank_sets"]
