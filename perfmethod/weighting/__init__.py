"""Weights of criteria: from experts, from an order, from pairwise comparisons, from data.

Every method is a plain function that returns a `Weighting`; `METHODS` lists them by name. Arrays
of data have units as their last axis, (..., criteria, units), and may carry leading axes. `weigh`
takes labelled tables (units in rows) and refuses data from which no weights should be formed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from perfmethod.weighting._comparisons import RANDOM_INDEX
from perfmethod.weighting._revision import Revision, Triad
from perfmethod.weighting.agreement import Concordance, concordance
from perfmethod.weighting.ahp import AHPWeighting, ahp
from perfmethod.weighting.ahp_group import AHPGroupWeighting, ahp_group
from perfmethod.weighting.critic import critic
from perfmethod.weighting.dispersion import (
    coefficient_of_variation,
    entropy,
    gini,
    standard_deviation,
    statistical_variance,
)
from perfmethod.weighting.experts import BudgetWeighting, budget_allocation
from perfmethod.weighting.jackknife import DATA_DRIVEN, standard_errors
from perfmethod.weighting.labelled import weigh
from perfmethod.weighting.ranks import equal, rank_order_centroid, rank_reciprocal, rank_sum
from perfmethod.weighting.result import Weighting

__all__ = [
    "DATA_DRIVEN",
    "METHODS",
    "RANDOM_INDEX",
    "AHPGroupWeighting",
    "AHPWeighting",
    "BudgetWeighting",
    "Concordance",
    "Revision",
    "Triad",
    "Weighting",
    "ahp",
    "ahp_group",
    "budget_allocation",
    "coefficient_of_variation",
    "concordance",
    "critic",
    "entropy",
    "equal",
    "gini",
    "rank_order_centroid",
    "rank_reciprocal",
    "rank_sum",
    "standard_deviation",
    "standard_errors",
    "statistical_variance",
    "weigh",
]

#: Every method by name; each takes its own kind of input and `names`, and returns a `Weighting`.
METHODS: Mapping[str, Callable[..., Weighting]] = MappingProxyType(
    {
        "ahp": ahp,
        "ahp_group": ahp_group,
        "budget_allocation": budget_allocation,
        "equal": equal,
        "rank_order_centroid": rank_order_centroid,
        "rank_reciprocal": rank_reciprocal,
        "rank_sum": rank_sum,
        **DATA_DRIVEN,
    }
)
