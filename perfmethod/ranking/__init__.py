"""What a rank is worth: confidence sets for ranks, and who is surely among the best.

`rank_sets` takes an evaluation (with the survey's covariance) or estimates with their covariance;
`place_sets` says who surely, possibly and surely not holds the best grade where places are given by
quota; `grade_posterior` how probable each grade is and how many pairs stand in the wrong order;
`joint_ranks` what other raters, other weights and both would change. `rank_bounds` is the procedure
on plain arrays, `pair_errors` its scale, `posterior` the empirical Bayes behind the probabilities.
"""

from perfmethod.ranking.bounds import RankBounds, pair_errors, rank_bounds
from perfmethod.ranking.joint import JointRanks, joint_ranks
from perfmethod.ranking.noise import normal_draws, total_errors
from perfmethod.ranking.places import PlaceSets, place_sets
from perfmethod.ranking.posterior import GradePosterior, grade_posterior
from perfmethod.ranking.sets import RankSets, rank_sets
from perfmethod.ranking.shrinkage import Posterior, between_variance, posterior

__all__ = [
    "GradePosterior",
    "JointRanks",
    "PlaceSets",
    "Posterior",
    "RankBounds",
    "RankSets",
    "between_variance",
    "grade_posterior",
    "joint_ranks",
    "normal_draws",
    "pair_errors",
    "place_sets",
    "posterior",
    "rank_bounds",
    "rank_sets",
    "total_errors",
]
