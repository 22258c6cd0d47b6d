"""Every rule with the numbers of the rule book or paper its docstring names."""

from __future__ import annotations

import numpy as np
import pytest

from perfmethod import normalization as nz

PUBLISHED = {
    # rule, values, target, direction, parameters, scores; the source is in the rule's docstring
    "places 1-5 earn 60 57 54 51 48": (
        "rank_points",
        [9, 8, 7, 6, 5],
        None,
        1,
        {},
        np.array([60, 57, 54, 51, 48]) / 0.6,
    ),
    "places 1-5 earn 20 19 18 17 16": (
        "rank_points",
        [5, 6, 7, 8, 9],
        None,
        -1,
        {},
        np.array([20, 19, 18, 17, 16]) / 0.2,
    ),
    "10 cases or in proportion": ("completion_ratio", [10, 12, 7], 10, 1, {}, [100, 100, 70]),
    "not more than the limit or in proportion": (
        "completion_ratio",
        [8, 10, 16],
        10,
        -1,
        {},
        [100, 100, 62.5],
    ),
    "over-fulfilment up to a tenth": (
        "completion_ratio",
        [90, 105, 130],
        100,
        1,
        {"cap": 1.1},
        [90, 105, 110],
    ),
    "over-fulfilment at half rate": (
        "completion_ratio",
        [120],
        100,
        1,
        {"cap": 1.2, "bonus_rate": 0.5},
        [110],
    ),
    "sewage rate at least 80 %": ("threshold", [79.99, 80], 80, 1, {}, [0, 100]),
    "at most the limit": ("threshold", [80, 80.01], 80, -1, {}, [100, 0]),
    "1 point at 20 %, minus 0.05 per 1 % short": (
        "linear_deduction",
        [20, 19, 10],
        20,
        1,
        {"k": 5, "step": 1},
        [100, 95, 50],
    ),
    "20 points, minus 1 per 0.1 short": (
        "linear_deduction",
        [1.0, 0.9, 0.7, -9],
        1.0,
        1,
        {"k": 5, "step": 0.1},
        [100, 95, 85, 0],
    ),
    "started steps cost nothing": (
        "linear_deduction",
        [0.95, 0.7, 1.2],
        1.0,
        1,
        {"k": 5, "step": 0.1, "whole_steps": True},
        [100, 85, 100],
    ),
    "15 points at the target, 0.3 per point": (
        "growth_anchor",
        [12, 10, 5],
        10,
        1,
        {"at_target": 100, "per_point": 2, "cap": 110},
        [104, 100, 90],
    ),
    "80 % at the target, capped": (
        "growth_anchor",
        [50, 10, -90],
        10,
        1,
        {"cap": 110},
        [110, 80, 0],
    ),
    "minus 1 per 3 % of difference": ("deviation", [103, 97, 100], 100, 1, {}, [99, 99, 100]),
    "minus 1 per 4 % of time": ("deviation", [13, 11.5], 12.5, 1, {"step": 4}, [99, 98]),
    "efficacy 60 + 40": ("efficacy", [3, 5, 7], None, 1, {}, [60, 80, 100]),
    "efficacy reversed": ("efficacy", [3, 5, 7], None, -1, {}, [100, 80, 60]),
    "exponential efficacy": (
        "efficacy_exponential",
        [0, 1, 2],
        None,
        1,
        {"lower": 0, "upper": 2},
        [60, 60 * np.exp(-0.5 * np.log(0.6)), 100],
    ),
    "exponential efficacy, standards swapped": (
        "efficacy_exponential",
        [0, 1, 2],
        None,
        -1,
        {"lower": 0, "upper": 2},
        [100, 60 * np.exp(-0.5 * np.log(0.6)), 60],
    ),
    "control indicator": ("control_count", [0, 1, 2, 6], None, -1, {}, [100, 80, 60, 0]),
    "first 6 points, others in proportion": ("ratio_to_best", [8, 4], None, 1, {}, [100, 50]),
    "tiers of 20, 40, 60": (
        "tiered_diminishing",
        [45, 20, 5, 0, -5, -15],
        0,
        1,
        {"base": 6},
        [
            6 + 10 * 6 / 20 + 10 * 6 / 40 + 10 * 6 / 60,
            6 + 10 * 6 / 20 + 10 * 6 / 40,
            6 + 5 * 6 / 20,
            6,
            6 - 5 * 6 / 20,
            6 - 10 * 6 / 20 - 5 * 6 / 40,
        ],
    ),
    "five target columns": (
        "five_band",
        [100, 90, 85, 60, 59],
        None,
        1,
        {"columns": [100, 90, 80, 70, 60]},
        [100, 90, 85, 60, 0],
    ),
    "five target columns of days": (
        "five_band",
        [3, 5, 6, 30, 31],
        None,
        -1,
        {"columns": [5, 7, 10, 20, 30], "below": 20},
        [100, 100, 95, 60, 20],
    ),
    "ceiling": ("ceiling", [9, 10, 11, 30], 10, -1, {}, [100, 100, 90, 0]),
    "interval of a price index": (
        "interval",
        [-2, -1, 4, 5.5, 99],
        None,
        1,
        {"lower": -1, "upper": 4},
        [90, 100, 100, 85, 0],
    ),
    "four levels": ("levels", [0, 1, 2, 3], None, 1, {}, [100, 80, 60, 40]),
    "four levels with ranges": (
        "levels",
        [0, 0.5, 1, 2.75, 3.5],
        None,
        1,
        {"scores": [100, 70, 50, 20], "lows": [80, 60, 30, 0]},
        [100, 90, 70, 35, 10],
    ),
    "degree of completion": (
        "completion_ladder",
        [10, 9.5, 9, 7, 5, 3.5, 2, 1],
        10,
        1,
        {
            "thresholds": [20, 50, 90, 100],
            "scores": [0, 10, 35, 75, 100],
            "tops": [0, 25, 65, 75, 100],
        },
        [100, 75, 75, 50, 35, 17.5, 10, 0],
    ),
    "no case, one, two": (
        "step_ladder",
        [0, 1, 2, 5],
        None,
        -1,
        {"thresholds": [1, 0], "scores": [0, 50, 100]},
        [100, 50, 0, 0],
    ),
    "items fulfilled": (
        "checklist",
        [10, 8, 0],
        None,
        1,
        {"items": 10, "deduct": 12},
        [100, 76, 0],
    ),
    "items missed": ("checklist", [0, 2, 10], None, -1, {"items": 10}, [100, 80, 0]),
    "z-scores as T-scores": ("zscore", [1, 2, 3], None, 1, {"to": (50, 10)}, [40, 50, 60]),
    "other city as reference": (
        "distance_to_reference",
        [1, 2, 5],
        None,
        1,
        {"reference": 3},
        [0, 50, 200],
    ),
    "way to the target from the worst": (
        "distance_to_target",
        [8, 6, 1],
        4,
        -1,
        {},
        [0, 50, 100],
    ),
    "pairs won": ("borda", [3, 3, 1], None, 1, {}, [1.5, 1.5, 0]),
    "scores as handed in": ("identity", [88, 91.5], None, 1, {}, [88, 91.5]),
    "logistic": (
        "logistic",
        [1, 0],
        None,
        -1,
        {"middle": 0, "slope": np.log(3)},
        [25, 50],
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_numbers(case: str) -> None:
    method, x, target, direction, params, scores = PUBLISHED[case]
    assert nz.check(method, params, direction=direction, has_target=target is not None) == []
    ours = nz.normalize(x, method, target=target, direction=direction, **params)
    np.testing.assert_allclose(ours, scores, rtol=1e-12, atol=1e-12)


def test_completion_shares_meet_their_threshold_in_binary() -> None:
    # 100 * (0.09 / 0.10) is 89.99999999999999, and 90 % to everybody else
    bands = {"thresholds": [90], "scores": [0, 100]}
    assert 100 * (0.09 / 0.10) < 90
    assert nz.completion_ladder([0.09], 0.10, **bands) == 100


def test_every_rule_has_a_case() -> None:
    elsewhere = {  # compared with other programs' values
        *("minmax", "percentile_rank", "rank", "goalposts", "distance_to_maximum"),
        *("max_linear", "sum_share", "vector", "logarithmic"),
    }
    assert {case[0] for case in PUBLISHED.values()} == set(nz.METHODS) - elsewhere
