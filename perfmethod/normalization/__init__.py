"""Normalization: the rules that turn an indicator's values into scores from 0 to 100.

Every rule is a plain function of arrays, units last, listed by name in `METHODS`. `normalize`
applies one in either direction, `learn` keeps what a rule learned from the units it compared, and
`check` says what is wrong with a rule before it is used.
"""

from __future__ import annotations

from perfmethod.normalization.apply import learn, normalize
from perfmethod.normalization.check import check
from perfmethod.normalization.fixed import (
    checklist,
    control_count,
    efficacy_exponential,
    goalposts,
    identity,
    interval,
    logistic,
)
from perfmethod.normalization.growth import growth_anchor, tiered_diminishing
from perfmethod.normalization.ladders import completion_ladder, five_band, levels, step_ladder
from perfmethod.normalization.places import borda, percentile_rank, rank, rank_points
from perfmethod.normalization.rule import REQUIRED, Condition, Rule
from perfmethod.normalization.sets import (
    distance_to_maximum,
    distance_to_reference,
    distance_to_target,
    efficacy,
    minmax,
    zscore,
)
from perfmethod.normalization.shares import (
    logarithmic,
    max_linear,
    ratio_to_best,
    sum_share,
    vector,
)
from perfmethod.normalization.table import METHODS
from perfmethod.normalization.targets import (
    ceiling,
    completion_ratio,
    deviation,
    linear_deduction,
    threshold,
)

__all__ = [
    "METHODS",
    "REQUIRED",
    "Condition",
    "Rule",
    "borda",
    "ceiling",
    "check",
    "checklist",
    "completion_ladder",
    "completion_ratio",
    "control_count",
    "deviation",
    "distance_to_maximum",
    "distance_to_reference",
    "distance_to_target",
    "efficacy",
    "efficacy_exponential",
    "five_band",
    "goalposts",
    "growth_anchor",
    "identity",
    "interval",
    "learn",
    "levels",
    "linear_deduction",
    "logarithmic",
    "logistic",
    "max_linear",
    "minmax",
    "normalize",
    "percentile_rank",
    "rank",
    "rank_points",
    "ratio_to_best",
    "step_ladder",
    "sum_share",
    "threshold",
    "tiered_diminishing",
    "vector",
    "zscore",
]
