"""The one table of normalization rules."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from perfmethod.normalization import fixed, growth, ladders, places, sets, shares, targets
from perfmethod.normalization.rule import (
    Condition,
    Rule,
    at_least,
    climbing,
    length,
    longer_by,
    none_above,
    ordered,
    positive,
)

_FLOOR_UNDER_CAP = Condition(("floor", "cap"), "floor not above cap", lambda a, b: a <= b)
_FALLS = (*at_least(0, "k"), *positive("step"))
_UNDER_100 = Condition(("floor",), "floor not above 100", lambda a: a <= 100)
_BASE = Condition(("base",), "base from 0 to below 100", lambda a: (a >= 0) & (a < 100))
_POSITIVE_BASE = Condition(("base",), "base between 0 and 100", lambda a: (a > 0) & (a < 100))
_RANGE = ordered("lower", "upper")
# what was learned has a stated outcome and may be kept: equal extremes, a reference that every unit
# reaches, a best value below zero
_KEPT_RANGE = Condition(("lower", "upper"), "lower not above upper", lambda a, b: a <= b)
_REFERENCE = Condition(
    ("worst", "reference"), "reference not worse than worst", lambda a, b: a <= b
)
_TO_RANGE = Condition(("to",), "to = [worst, best], ascending", lambda a: a[..., 0] < a[..., 1])
_TO_MOMENTS = Condition(("to",), "to = [mean, sd] with sd above 0", lambda a: a[..., 1] > 0)
# scores that fall while the thresholds climb are a ladder written for the other direction
_BEST_LAST = Condition(
    ("scores",),
    "scores from the worst band to the best, not descending (where less is better the thresholds"
    " descend, not the scores)",
    lambda a: a[..., 1:] >= a[..., :-1],
)
_TOPS = (
    longer_by("tops", "scores", 0),
    none_above("scores", "tops"),
)
_LADDER = (climbing("thresholds"), longer_by("scores", "thresholds", 1), _BEST_LAST, *_TOPS)
_PER_CENT = Condition(  # a ratio such as 0.9 would give everybody the best band
    ("thresholds",),
    "thresholds in % of the target, the largest above 1.5",
    lambda a: a.max(axis=-1) > 1.5,
)
_BEST_FIRST = Condition(
    ("columns",),
    "columns from the best to the worst (descending; where less is better: ascending)",
    lambda a: a[..., 1:] < a[..., :-1],
)


def _falling(name: str) -> Condition:
    words = f"{name} from the best to the worst, not ascending"
    return Condition((name,), words, lambda a: a[..., 1:] <= a[..., :-1])


_LOWS = (
    longer_by("lows", "scores", 0),
    none_above("lows", "scores"),
)

_TARGETS = {
    "completion_ratio": Rule(
        targets.completion_ratio,
        needs_target=True,
        reversal="reciprocal",
        conditions=(*at_least(1, "cap"), *at_least(0, "bonus_rate")),
    ),
    "threshold": Rule(
        targets.threshold,
        needs_target=True,
        reversal="mirror",
        conditions=(Condition(("missed", "met"), "missed not above met", lambda a, b: a <= b),),
    ),
    "ceiling": Rule(
        targets.ceiling,
        needs_target=True,
        reversal="mirror",
        natural=-1,
        conditions=(_UNDER_100,),
    ),
    "linear_deduction": Rule(
        targets.linear_deduction,
        needs_target=True,
        reversal="mirror",
        conditions=(*_FALLS, _UNDER_100),
    ),
    "deviation": Rule(
        targets.deviation,
        needs_target=True,
        reversal="mirror",
        conditions=(*_FALLS, _UNDER_100),
    ),
    "growth_anchor": Rule(
        growth.growth_anchor,
        needs_target=True,
        reversal="mirror",
        conditions=(*at_least(0, "per_point"), _FLOOR_UNDER_CAP),
    ),
    "tiered_diminishing": Rule(
        growth.tiered_diminishing,
        needs_target=True,
        reversal="mirror",
        lists=("divisors",),
        conditions=(*positive("width", "divisors"), *at_least(0, "base")),
        bounds=(0.0, 200.0),
    ),
    "completion_ladder": Rule(
        ladders.completion_ladder,
        needs_target=True,
        reversal="reciprocal",
        lists=("thresholds", "scores", "tops"),
        conditions=(*_LADDER, _PER_CENT),
    ),
    "distance_to_target": Rule(
        sets.distance_to_target,
        needs_target=True,
        reversal="mirror",
        on_scale=("worst",),
        learns=sets.worst_value,
    ),
}

_SETS = {
    "minmax": Rule(
        sets.minmax,
        reversal="mirror",
        on_scale=("lower", "upper"),
        learns=sets.extremes,
        lists=("to",),
        conditions=(_KEPT_RANGE, length("to", 2), _TO_RANGE),
    ),
    "efficacy": Rule(
        sets.efficacy,
        reversal="mirror",
        on_scale=("lower", "upper"),
        learns=sets.extremes,
        conditions=(_KEPT_RANGE, _BASE),
        bounds=(60.0, 100.0),
    ),
    "zscore": Rule(
        sets.zscore,
        reversal="mirror",
        on_scale=("mean",),
        learns=sets.moments,
        lists=("to",),
        conditions=(*at_least(0, "sd"), length("to", 2), _TO_MOMENTS),
        bounds=None,
    ),
    "distance_to_maximum": Rule(
        sets.distance_to_maximum,
        reversal="mirror",
        on_scale=("lower", "upper"),
        learns=sets.extremes,
        conditions=(_KEPT_RANGE,),
    ),
    "distance_to_reference": Rule(
        sets.distance_to_reference,
        reversal="mirror",
        on_scale=("reference", "worst"),
        learns=sets.worst_below,
        conditions=(_REFERENCE,),
        bounds=None,
    ),
    "ratio_to_best": Rule(
        shares.ratio_to_best,
        reversal="reciprocal",
        on_scale=("best",),
        learns=shares.best_value,
    ),
    "max_linear": Rule(
        shares.max_linear,
        reversal="own",
        opposite=shares.max_linear_cost,
        learns=shares.largest_value,
    ),
    "sum_share": Rule(
        shares.sum_share,
        reversal="reciprocal",
        on_scale=("whole",),
        learns=shares.sum_of_values,
        conditions=at_least(0, "whole"),
    ),
    "vector": Rule(
        shares.vector,
        reversal="own",
        opposite=shares.vector_cost,
        learns=shares.euclidean_length,
        conditions=at_least(0, "norm"),
        bounds=None,
    ),
    "logarithmic": Rule(
        shares.logarithmic,
        reversal="own",
        opposite=shares.logarithmic_cost,
        learns=shares.sum_of_logarithms,
        conditions=at_least(1, "count"),
        bounds=None,
    ),
}

_PLACES = {
    "rank": Rule(places.rank, reversal="mirror", bounds=None),
    "borda": Rule(places.borda, reversal="mirror", bounds=None),
    "percentile_rank": Rule(places.percentile_rank, reversal="mirror"),
    "rank_points": Rule(
        places.rank_points,
        reversal="mirror",
        lists=("points",),
        conditions=(
            *at_least(0, "step"),
            _UNDER_100,
            _falling("points"),
        ),
    ),
}

_FIXED = {
    "goalposts": Rule(
        fixed.goalposts, reversal="mirror", on_scale=("lower", "upper"), conditions=(_RANGE,)
    ),
    "efficacy_exponential": Rule(
        fixed.efficacy_exponential,
        reversal="mirror",
        on_scale=("lower", "upper"),
        conditions=(_RANGE, _POSITIVE_BASE),
        bounds=(60.0, 100.0),
    ),
    "logistic": Rule(
        fixed.logistic, reversal="mirror", on_scale=("middle",), conditions=positive("slope")
    ),
    "identity": Rule(fixed.identity, conditions=positive("scale"), bounds=None),
    "interval": Rule(
        fixed.interval,
        reversal="mirror",
        on_scale=("lower", "upper"),
        conditions=(
            _KEPT_RANGE,
            *_FALLS,
            _UNDER_100,
        ),
    ),
    "control_count": Rule(
        fixed.control_count,
        natural=-1,
        conditions=(*at_least(0, "k", "allowed"), _UNDER_100),
    ),
    "checklist": Rule(
        fixed.checklist,
        reversal="own",
        opposite=fixed.checklist_missed,
        conditions=(*positive("items"), *at_least(0, "deduct"), _UNDER_100),
    ),
    "step_ladder": Rule(
        ladders.step_ladder,
        reversal="mirror",
        on_scale=("thresholds",),
        lists=("thresholds", "scores", "tops"),
        conditions=_LADDER,
    ),
    "five_band": Rule(
        ladders.five_band,
        reversal="mirror",
        on_scale=("columns",),
        lists=("columns", "scores"),
        conditions=(_BEST_FIRST, longer_by("columns", "scores", 0), _falling("scores")),
    ),
    "levels": Rule(ladders.levels, lists=("scores", "lows"), conditions=_LOWS),
}

METHODS: Mapping[str, Rule] = MappingProxyType({**_TARGETS, **_SETS, **_PLACES, **_FIXED})
"""Every rule by the name a scheme uses; read-only."""
