"""Normalization: outcomes at the edges, kept parameters, own functions."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from perfmethod import normalization as nz
from perfmethod.normalization import METHODS, Rule

# --- equal values and zeros -----------------------------------------------------------------------

EQUAL = {
    "minmax": 100,
    "efficacy": 100,
    "zscore": 0,
    "distance_to_maximum": 100,
    "ratio_to_best": 100,
    "percentile_rank": 50,
    "rank_points": 100,
    "rank": 1,
    "borda": 1.5,
    "sum_share": 25,
    "vector": 50,
    "logarithmic": 25,
}


@pytest.mark.parametrize("method", EQUAL)
@pytest.mark.parametrize("direction", [1, -1])
def test_four_counties_with_equal_values(method: str, direction: int) -> None:
    scores = nz.normalize([0.1, 0.1, np.nan, 0.1, 0.1], method, direction=direction)
    wanted = np.array([EQUAL[method]] * 2 + [np.nan] + [EQUAL[method]] * 2, dtype=float)
    np.testing.assert_allclose(scores, wanted, rtol=1e-14)


def test_equal_values_in_one_draw_only() -> None:
    scores = nz.minmax([[3, 3, 3], [1, 2, 3]])
    np.testing.assert_array_equal(scores, [[100, 100, 100], [0, 50, 100]])


def test_extremes_kept_from_equal_values_are_a_threshold() -> None:
    kept = nz.learn([5, 5, 5], "minmax")
    assert kept == {"lower": 5.0, "upper": 5.0}
    assert nz.check("minmax", kept) == []
    np.testing.assert_array_equal(nz.normalize([4, 5, 6], "minmax", **kept), [0, 100, 100])
    np.testing.assert_array_equal(
        nz.normalize([4, 5, 6], "minmax", direction=-1, **kept), [100, 100, 0]
    )


def test_mean_kept_from_equal_values_is_exact_and_counts_no_distance() -> None:
    kept = nz.learn([0.1, 0.1, 0.1], "zscore")
    assert kept == {"mean": 0.1, "sd": 0.0}
    np.testing.assert_array_equal(nz.normalize([0, 0.1, 9], "zscore", **kept), [0, 0, 0])


def test_a_single_unit_is_the_best() -> None:
    for method in ("minmax", "efficacy", "ratio_to_best", "rank_points", "sum_share"):
        assert nz.normalize([7.0], method) == 100
    assert nz.normalize([7.0], "percentile_rank") == 50
    assert nz.normalize([7.0], "zscore") == 0


@pytest.mark.parametrize(
    ("method", "direction", "x", "scores"),
    [
        ("ratio_to_best", 1, [0, 0], [100, 100]),
        ("ratio_to_best", 1, [-2, -1], [0, 100]),
        ("ratio_to_best", -1, [0, 1, 4], [100, 0, 0]),
        ("ratio_to_best", -1, [0, 0, 4], [100, 100, 0]),
        ("sum_share", 1, [0, 0], [0, 0]),
        ("sum_share", 1, [-5, 1, 3], [0, 25, 75]),
        ("sum_share", -1, [0, 0, 4], [100, 100, 0]),
        ("vector", 1, [0, 0], [0, 0]),
        ("vector", -1, [0, 0], [100, 100]),
        ("max_linear", 1, [0, 0], [100, 100]),
        ("max_linear", -1, [0, 0], [100, 100]),
        ("logarithmic", 1, [1, 1], [50, 50]),
        ("logarithmic", -1, [7], [100]),
    ],
)
def test_zeros(method: str, direction: int, x: list[float], scores: list[float]) -> None:
    np.testing.assert_array_equal(nz.normalize(x, method, direction=direction), scores)


def test_logarithms_refuse_what_has_none() -> None:
    with pytest.raises(ValueError, match="found 0; allowed: values above 0"):
        nz.normalize([1, 0, 2], "logarithmic")


@pytest.mark.parametrize(
    ("direction", "x", "target", "score"),
    [
        (1, 0, 0, 100),
        (1, 3, 0, 100),  # no proportion of nothing, hence no bonus either
        (1, -1, 0, 0),
        (1, -3, -5, 100),
        (1, -7, -5, 0),
        (1, -7, 5, 0),
        (-1, 0, 0, 100),
        (-1, 3, 0, 0),
        (-1, 0, 5, 150),
        (-1, -3, 5, 150),
    ],
)
def test_completion_at_zero(direction: int, x: float, target: float, score: float) -> None:
    ours = nz.normalize([x], "completion_ratio", target=target, direction=direction, cap=1.5)
    assert ours == score


def test_ceiling_at_zero_and_below() -> None:
    ours = nz.normalize([0, 1, -1], "ceiling", target=0, direction=-1)
    np.testing.assert_array_equal(ours, [100, 0, 100])
    np.testing.assert_array_equal(
        nz.normalize([-12, -10, -5], "ceiling", target=-10, direction=-1), [100, 100, 50]
    )


def test_ceiling_where_more_is_better_is_the_completion_ratio() -> None:
    x, target = [3, 8, 10, 12], 10
    np.testing.assert_allclose(
        nz.normalize(x, "ceiling", target=target),
        nz.normalize(x, "completion_ratio", target=target),
        rtol=1e-14,
    )


def test_deviation_from_a_plan_of_zero() -> None:
    np.testing.assert_array_equal(nz.deviation([0, 0.1], 0, floor=10), [100, 10])


def test_levels_refuse_positions_that_are_not_on_the_list() -> None:
    with pytest.raises(ValueError, match="found position 4; allowed: 0 to 3"):
        nz.levels([0, np.nan, 4])
    with pytest.raises(ValueError, match="found position 2; allowed: 0 to below 2"):
        nz.levels([0, 2], scores=[90, 60], lows=[70, 0])


def test_a_ladder_of_one_threshold_has_no_inner_band() -> None:
    rungs = {"thresholds": [10], "scores": [0, 100], "tops": [50, 100]}
    np.testing.assert_array_equal(nz.step_ladder([5, 10], **rungs), [0, 100])


def test_goalposts_that_a_draw_brings_together_are_a_threshold() -> None:
    scores = nz.goalposts([1, 2, 3], lower=[[0], [2]], upper=[[4], [2]])
    np.testing.assert_array_equal(scores, [[25, 50, 75], [0, 100, 100]])


def test_logistic_and_logarithms_do_not_overflow() -> None:
    np.testing.assert_array_equal(nz.logistic([-1e6, 0, 1e6], middle=0, slope=1e3), [0, 50, 100])
    assert nz.logarithmic(np.full(2000, 1e300)).sum() == pytest.approx(100)
    assert nz.vector([3e200, 4e200]).round(12).tolist() == [60, 80]


# --- applying and keeping -------------------------------------------------------------------------


def test_kept_parameters_reapply_to_another_year() -> None:
    kept = nz.learn([3, np.nan, 7, 11], "efficacy", direction=-1, base=50)
    assert kept == {"base": 50, "lower": 3.0, "upper": 11.0}
    np.testing.assert_array_equal(
        nz.normalize([1, 5, 11], "efficacy", direction=-1, **kept), [112.5, 87.5, 50]
    )
    assert nz.learn([2, 4, 8], "ratio_to_best", direction=-1) == {"best": 2.0}
    assert nz.learn([2, 4, 8], "distance_to_target", direction=-1) == {"worst": 8.0}
    assert nz.learn([2, 4, 8], "completion_ratio", cap=1.1) == {"cap": 1.1}


@pytest.mark.parametrize(
    ("method", "direction", "params", "x", "kept", "scores"),
    [
        ("distance_to_reference", 1, {"reference": 20}, [20, 45], {"worst": 20}, [100, 100]),
        ("distance_to_reference", 1, {"reference": 20}, [25, 45], {"worst": 20}, [100, 100]),
        ("distance_to_reference", -1, {"reference": 20}, [15, 12], {"worst": 20}, [100, 100]),
        ("distance_to_reference", 1, {"reference": 20}, [10, 45], {"worst": 10}, [0, 350]),
        ("ratio_to_best", 1, {}, [-2, -1], {"best": -1}, [0, 100]),
    ],
)
def test_a_scheme_may_hold_what_was_learned_from_any_values(
    method: str,
    direction: int,
    params: dict[str, float],
    x: list[float],
    kept: dict[str, float],
    scores: list[float],
) -> None:
    found = nz.learn(x, method, direction=direction, **params)
    assert found == params | kept
    assert nz.check(method, found, direction=direction) == []
    assert nz.normalize(x, method, direction=direction, **params).tolist() == scores
    assert nz.normalize(x, method, direction=direction, **found).tolist() == scores


def test_a_worst_value_is_learned_from_each_reference_drawn() -> None:
    x, reference = [25.0, 45.0], np.array([[20.0], [30.0]])
    kept = nz.learn(x, "distance_to_reference", reference=reference)
    assert kept["worst"].tolist() == [[20], [25]]
    one = nz.normalize(x, "distance_to_reference", reference=reference)
    assert one.tolist() == [[100, 100], [0, 400]]


def test_a_given_parameter_is_not_learned() -> None:
    assert nz.learn([3, 7, 11], "minmax", lower=0) == {"lower": 0, "upper": 11.0}
    np.testing.assert_array_equal(nz.normalize([3, 7, 12], "minmax", lower=0), [25, 700 / 12, 100])


def test_nothing_to_learn_from_is_not_a_number_and_gives_none() -> None:
    kept = nz.learn([np.nan, np.nan], "minmax")
    assert np.isnan(list(kept.values())).all()
    assert np.isnan(nz.normalize([1.0, 2.0], "minmax", **kept)).all()
    assert [allowed for _, allowed in nz.check("minmax", kept)] == ["a number", "a number"]


def test_own_functions() -> None:
    def squared(x: np.ndarray, *, scale: float = 1.0) -> np.ndarray:
        return scale * x**2

    def over(x: np.ndarray, target: np.ndarray) -> np.ndarray:
        return x - target

    assert nz.normalize([1, 2], squared, target=9, scale=2).tolist() == [2, 8]
    assert nz.normalize([1, 2], over, target=1).tolist() == [0, 1]
    assert nz.normalize([4, 9], np.sqrt).tolist() == [2, 3]
    assert nz.learn([1, 2], squared, scale=3) == {"scale": 3}
    with pytest.raises(ValueError, match="direction negative; allowed: only positive"):
        nz.normalize([1, 2], squared, direction=-1)
    with pytest.raises(ValueError, match="no target"):
        nz.normalize([1, 2], over)
    turned = Rule(over, needs_target=True, reversal="mirror")
    assert nz.normalize([1, 2], turned, target=1, direction=-1).tolist() == [0, -1]
    assert nz.check(turned, {}, direction=-1) == []


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("minmx", {}, "did you mean 'minmax'"),
        ("goalposts", {"lower": 1}, "no parameter 'upper'"),
        ("goalposts", {"lower": 1, "upper": None}, "no parameter 'upper'"),
        ("goalposts", {"lower": 1, "upper": 2, "trunc": True}, "did you mean 'truncate'"),
        ("threshold", {}, "no target"),
        ("identity", {"direction": -1}, "direction negative; allowed: only positive"),
        ("control_count", {}, "direction positive; allowed: only negative"),
        ("levels", {"direction": -1}, "only positive"),
        ("minmax", {"direction": 0}, "found direction 0; allowed: positive or negative"),
        (None, {}, "found method None"),
    ],
)
def test_normalize_and_learn_refuse(method: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nz.normalize([1.0, 2.0], method, **options)
    if method != "threshold":  # nothing is compared with the target while learning
        with pytest.raises(ValueError, match=message):
            nz.learn([1.0, 2.0], method, **options)


def test_methods_are_read_only_and_are_the_public_functions() -> None:
    assert isinstance(METHODS, MappingProxyType)
    with pytest.raises(TypeError):
        METHODS["mine"] = METHODS["minmax"]  # type: ignore[index]
    for name, rule in METHODS.items():
        assert getattr(nz, name) is rule.function
        assert rule.function.__name__ == name
        assert {*rule.on_scale, *rule.lists} <= rule.parameters.keys()
        assert {n for c in rule.conditions for n in c.names} <= rule.parameters.keys()
        assert (rule.opposite is not None) == (rule.reversal == "own")
        if rule.learns:
            learned = rule.learns(np.array([2.0, 3.0]))
            assert {n for n, d in rule.parameters.items() if d is None} == learned.keys()
