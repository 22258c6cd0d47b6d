"""Weights from the units' values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfmethod.errors import DataError
from perfmethod.weighting import (
    DATA_DRIVEN,
    Weighting,
    coefficient_of_variation,
    critic,
    entropy,
    gini,
    standard_deviation,
    standard_errors,
    statistical_variance,
)

ALL = sorted(DATA_DRIVEN)
SCALE_FREE = ["coefficient_of_variation", "entropy", "gini"]  # of a positive factor
AFFINE_FREE = ["critic", "standard_deviation", "statistical_variance"]  # of any change of unit

data = hnp.arrays(
    float, st.tuples(st.integers(2, 5), st.integers(4, 8)), elements=st.integers(0, 1000)
)


def _weigh(method: str, x: np.ndarray, **options: object) -> Weighting:
    """Weights, or another example where the data has none."""
    try:
        return DATA_DRIVEN[method](x, **options)
    except DataError:
        assume(False)
        raise


# --- slow twins: the definitions, one criterion and one unit at a time


def _slow(method: str, x: np.ndarray) -> list[float]:
    information = [_slow_information(method, row, x) for row in x.tolist()]
    return [value / sum(information) for value in information]


def _slow_information(method: str, row: list[float], x: np.ndarray) -> float:
    u, mean = len(row), sum(row) / len(row)
    if max(row) == min(row):
        return 0.0
    if method == "entropy":
        shares = [value / sum(row) for value in row]
        return 1 + sum(p * math.log(p) for p in shares if p > 0) / math.log(u)
    if method == "gini":
        return sum(abs(a - b) for a in row for b in row) / (2 * u**2 * mean)
    if method == "coefficient_of_variation":
        return math.sqrt(sum((value - mean) ** 2 for value in row) / u) / mean
    z = [(value - min(row)) / (max(row) - min(row)) for value in row]
    variance = sum((value - sum(z) / u) ** 2 for value in z) / u
    if method == "statistical_variance":
        return variance
    if method == "standard_deviation":
        return math.sqrt(variance)
    others = [other for other in x if np.ptp(other) > 0]
    return math.sqrt(variance) * sum(1 - np.corrcoef(row, other)[0, 1] for other in others)


@pytest.mark.parametrize("method", ALL)
@settings(deadline=None)
@given(x=data)
def test_against_the_slow_twin(method: str, x: np.ndarray) -> None:
    weights = _weigh(method, x).weights
    assert weights == pytest.approx(_slow(method, x), abs=1e-9)


# --- laws


@pytest.mark.parametrize("method", ALL)
@settings(deadline=None)
@given(x=data, seed=st.integers(0, 99))
def test_weights_are_weights_and_follow_their_criteria(
    method: str, x: np.ndarray, seed: int
) -> None:
    weights = _weigh(method, x).weights
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    assert DATA_DRIVEN[method](x[order]).weights == pytest.approx(weights[order], abs=1e-9)
    units = rng.permutation(x.shape[1])
    assert DATA_DRIVEN[method](x[:, units]).weights == pytest.approx(weights, abs=1e-9)


@pytest.mark.parametrize("method", ALL)
@settings(deadline=None)
@given(x=data)
def test_leading_axis_is_a_loop(method: str, x: np.ndarray) -> None:
    draws = np.array([x, 2 * x + np.arange(x.shape[1]), x[:, ::-1] ** 2])
    together = _weigh(method, draws).weights
    for drawn, weights in zip(draws, together, strict=True):
        assert weights == pytest.approx(DATA_DRIVEN[method](drawn).weights, abs=1e-12)


@pytest.mark.parametrize("method", SCALE_FREE + AFFINE_FREE)
@settings(deadline=None)
@given(x=data, factor=st.floats(0.01, 100))
def test_unit_of_measurement_does_not_matter(method: str, x: np.ndarray, factor: float) -> None:
    weights = _weigh(method, x).weights
    scaled = x.copy()
    scaled[0] = x[0] * factor
    if method in AFFINE_FREE:
        scaled[0] += 7
    assert DATA_DRIVEN[method](scaled).weights == pytest.approx(weights, abs=1e-7)


def test_shift_matters_to_entropy_and_raw_scale_to_the_standard_deviation() -> None:
    x = np.array([[1.0, 2, 3], [1, 5, 3]])
    shifted = x + np.array([[10.0], [0.0]])
    assert entropy(shifted).weights[0] < entropy(x).weights[0]
    raw = standard_deviation(x * [[10.0], [1.0]], columns="raw").weights
    assert raw[0] > standard_deviation(x, columns="raw").weights[0]


@settings(deadline=None)
@given(x=data)
def test_constant_criterion_leaves_the_others_as_they_are(x: np.ndarray) -> None:
    more = np.vstack([x, np.full(x.shape[1], 5.0)])
    for method in ALL:
        weights = _weigh(method, x).weights
        result = DATA_DRIVEN[method](more)
        assert result.weights == pytest.approx([*weights, 0], abs=1e-12)
        assert result.weights[-1] == 0
        assert f"criterion {len(more)}" in result.notes[0]


def test_zeros_are_welcome_to_entropy() -> None:
    # one unit has everything: entropy 0, the most there can be; 0 ln 0 = 0
    result = entropy([[0, 0, 4], [1, 1, 1], [0, 0, 0], [2, 2, 0]])
    assert result.details["entropy"] == pytest.approx([0, 1, 1, math.log(2) / math.log(3)])
    assert result.weights[1] == result.weights[2] == 0


def test_entropy_keeps_small_differences() -> None:
    # scores near full marks: 1 - E would be rounding. For small e: E = 1 - mean(e^2) / (2 ln u)
    e = np.array([[-1.0, 0, 1], [-3, 0, 3]]) * 2.0**-30
    result = entropy(1 + e)
    assert result.weights == pytest.approx([0.1, 0.9], rel=1e-7)
    expected = (e**2).mean(axis=1) / (2 * math.log(3))
    assert result.details["divergence"] == pytest.approx(expected, rel=1e-6)


def test_rounding_is_not_variation() -> None:
    x = [[0.1 + 0.2, 0.3, 0.3, 0.3], [1, 2, 3, 5]]  # 0.1 + 0.2 differs from 0.3 in the last bit
    for method in sorted({*ALL} - {"critic"}):
        assert DATA_DRIVEN[method](x).weights.tolist() == [0, 1]


def test_scipy_agrees() -> None:
    from scipy import stats

    x = np.random.default_rng(5).gamma(2, size=(4, 30))
    divergence = 1 - stats.entropy(x.T, axis=0) / math.log(30)
    assert entropy(x).details["divergence"] == pytest.approx(divergence, abs=1e-12)
    variation = stats.variation(x, axis=1, ddof=1)
    details = coefficient_of_variation(x).details
    assert details["coefficient_of_variation"] == pytest.approx(variation, abs=1e-12)


# --- critic


def test_critic_heeds_direction() -> None:
    x = np.array([[1.0, 2, 3, 4], [1, 2, 4, 3], [2, 1, 5, 9]])
    assert critic(x, directions=[1, -1, "positive"]).weights == pytest.approx(
        critic(x * [[1.0], [-1.0], [1.0]]).weights
    )
    assert critic(x, directions=["negative"] * 3).weights == pytest.approx(critic(x).weights)
    assert critic(x, directions=[1, -1, 1]).weights != pytest.approx(critic(x).weights)


def test_critic_details_are_the_definition() -> None:
    x = np.random.default_rng(1).normal(size=(3, 9))
    z = (x - x.min(axis=1, keepdims=True)) / np.ptp(x, axis=1)[:, None]
    result = critic(x)
    assert result.details["contrast"] == pytest.approx(z.std(axis=1, ddof=1))
    assert result.details["conflict"] == pytest.approx((1 - np.corrcoef(z)).sum(axis=1))


def test_critic_without_conflict_is_refused() -> None:
    one = [1.0, 2, 4]
    for x in ([one, [5, 5, 5]], [one, one], [one, [2 * value + 1 for value in one]]):
        with pytest.raises(DataError, match="no conflict"):
            critic(x)
    # opposed is as much conflict as there can be
    assert critic([one, one], directions=[1, -1]).weights == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        ([1], "1 directions; allowed: one for each of the 2"),
        ([1, 0], "criterion 2.*found 0; allowed: 1 or 'positive'"),
        (["up", 1], "found 'up'"),
    ],
)
def test_bad_directions_are_refused(directions: list[object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        critic([[1, 2], [2, 1]], directions=directions)  # type: ignore[arg-type]


# --- bad input


@pytest.mark.parametrize("method", ALL)
def test_missing_infinite_and_flat_data_is_refused(method: str) -> None:
    function = DATA_DRIVEN[method]
    with pytest.raises(DataError, match="found no value for unit 2") as caught:
        function([[1, np.nan, 2], [np.inf, 1, 2]], names=["cost", "speed"])
    assert "'speed': found a value that is infinite or beyond 1e+100 for unit 1" in str(
        caught.value
    )
    with pytest.raises(DataError, match=r"the same for all units|no conflict"):
        function([[3, 3, 3], [1, 1, 1]])
    with pytest.raises(DataError, match="at least two units"):
        function([[1], [2]])
    with pytest.raises(DataError, match="at least two units"):
        function([1, 2, 3])
    with pytest.raises(DataError, match="beyond"):
        function([[1e308, -1e308, 1], [1, 2, 3]])


@pytest.mark.parametrize("method", SCALE_FREE)
def test_negative_values_are_refused(method: str) -> None:
    with pytest.raises(DataError, match="a negative value for unit 1, unit 3"):
        DATA_DRIVEN[method]([[-1, 2, -3], [1, 2, 3]])


def test_a_table_is_not_taken_for_an_array() -> None:
    import pandas as pd

    with pytest.raises(TypeError, match="weigh"):
        entropy(pd.DataFrame({"a": [1.0, 2], "b": [2.0, 1]}))


def test_unknown_columns_are_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'min_max'"):
        standard_deviation([[1, 2], [2, 1]], columns="minmax")


def test_a_draw_has_no_table() -> None:
    result = gini(np.random.default_rng(0).random((2, 3, 4)))
    with pytest.raises(ValueError, match="one set"):
        result.to_frame()
    assert repr(result) == "<Weighting gini: weights of shape (2, 3)>"


# --- standard errors


def test_jackknife_of_a_mean_is_the_classical_standard_error() -> None:
    x = np.random.default_rng(2).normal(size=(3, 12))
    errors = standard_errors(x, lambda a: a.mean(axis=-1))
    assert errors == pytest.approx(x.std(axis=1, ddof=1) / math.sqrt(12), rel=1e-12)


@pytest.mark.parametrize("method", ALL)
def test_jackknife_against_the_formula(method: str) -> None:
    x = np.random.default_rng(4).gamma(3, size=(3, 7))
    left = [DATA_DRIVEN[method](np.delete(x, i, axis=1)).weights for i in range(7)]
    mean = sum(left) / 7
    slow = np.sqrt(6 / 7 * sum((weights - mean) ** 2 for weights in left))
    assert standard_errors(x, method) == pytest.approx(slow, rel=1e-12)
    draws = np.array([x, x[:, ::-1] ** 2])
    for drawn, errors in zip(draws, standard_errors(draws, method), strict=True):
        assert errors == pytest.approx(standard_errors(drawn, method), rel=1e-12)


@pytest.mark.parametrize("function", [entropy, gini])
def test_jackknife_matches_the_spread_over_new_units(function: object) -> None:
    # 400 sets of 30 new units from one population: the spread of their weights is what the standard
    # error estimates; the spread itself is known to 1 / sqrt(800) = 3.5 %, asserted within 15 %
    rng = np.random.default_rng(6)
    sets = rng.gamma([[20.0], [10.0], [30.0]], size=(400, 3, 30))
    spread = DATA_DRIVEN[function.__name__](sets).weights.std(axis=0)  # type: ignore[attr-defined]
    errors = standard_errors(sets, function.__name__)  # type: ignore[attr-defined]
    assert np.sqrt((errors**2).mean(axis=0)) == pytest.approx(spread, rel=0.15)


def test_options_reach_the_method() -> None:
    x = np.random.default_rng(4).normal(size=(3, 7))
    raw = standard_errors(x, "standard_deviation", columns="raw")
    assert raw != pytest.approx(standard_errors(x, "standard_deviation"))


def test_bad_jackknives_are_refused() -> None:
    x = [[1.0, 1, 1, 7], [2, 2, 2, 2]]
    with pytest.raises(DataError, match="without Yongding: found every criterion is the same"):
        standard_errors(x, "entropy", units=["Cili", "Sangzhi", "Wulingyuan", "Yongding"])
    with pytest.raises(DataError, match="at least three units"):
        standard_errors([[1, 2], [2, 1]], "gini")
    with pytest.raises(ValueError, match="did you mean 'entropy'"):
        standard_errors(x, "entrpy")
    with pytest.raises(DataError, match=r"^1 problem"):  # of all units: said once
        standard_errors([[1, np.nan, 2], [1, 2, 3]], "statistical_variance")


def test_variance_is_the_square_of_the_standard_deviation() -> None:
    x = np.random.default_rng(8).normal(size=(4, 9))
    squared = standard_deviation(x).details["standard_deviation"] ** 2
    assert statistical_variance(x).details["variance"] == pytest.approx(squared)
