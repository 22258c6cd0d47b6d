"""What moves a result, and how much: totals, ranks and grades under uncertainty."""

from perfmethod.sensitivity.acceptability import (
    expected_ranks,
    pairwise,
    rank_counts,
    rank_quantiles,
    share_error,
    tied_groups,
)
from perfmethod.sensitivity.block_map import BlockMap, block_map
from perfmethod.sensitivity.contributions import pairs_decided, rank_drops, variance_shares
from perfmethod.sensitivity.designs import Inputs, correlated_inputs, correlated_uniforms
from perfmethod.sensitivity.enumeration import enumerate_indices, factorial_indices
from perfmethod.sensitivity.estimators import FIRST_ORDER, TOTAL, sobol_indices
from perfmethod.sensitivity.factors import Alternatives, alternatives, schemes
from perfmethod.sensitivity.flat import RankAcceptability, rank_acceptability
from perfmethod.sensitivity.global_indices import global_indices
from perfmethod.sensitivity.global_scheme import enumerate_sensitivity, global_sensitivity
from perfmethod.sensitivity.importance import Importance, importance
from perfmethod.sensitivity.indices import Effect, GlobalIndices
from perfmethod.sensitivity.mixtures import Each, simulate_each
from perfmethod.sensitivity.monte_carlo import MonteCarlo
from perfmethod.sensitivity.one_at_a_time import OneAtATime, rater_influence, removal, tornado
from perfmethod.sensitivity.running import monte_carlo, run_until
from perfmethod.sensitivity.shapley import shapley_effects, shapley_of_costs
from perfmethod.sensitivity.smoothers import SMOOTHERS, MainEffect, correlation_ratio
from perfmethod.sensitivity.standard_errors import StandardErrors, replicate_error

__all__ = [
    "FIRST_ORDER",
    "SMOOTHERS",
    "TOTAL",
    "Alternatives",
    "BlockMap",
    "Each",
    "Effect",
    "GlobalIndices",
    "Importance",
    "Inputs",
    "MainEffect",
    "MonteCarlo",
    "OneAtATime",
    "RankAcceptability",
    "StandardErrors",
    "alternatives",
    "block_map",
    "correlated_inputs",
    "correlated_uniforms",
    "correlation_ratio",
    "enumerate_indices",
    "enumerate_sensitivity",
    "expected_ranks",
    "factorial_indices",
    "global_indices",
    "global_sensitivity",
    "importance",
    "monte_carlo",
    "pairs_decided",
    "pairwise",
    "rank_acceptability",
    "rank_counts",
    "rank_drops",
    "rank_quantiles",
    "rater_influence",
    "removal",
    "replicate_error",
    "run_until",
    "schemes",
    "shapley_effects",
    "shapley_of_costs",
    "share_error",
    "simulate_each",
    "sobol_indices",
    "tied_groups",
    "tornado",
    "variance_shares",
]
