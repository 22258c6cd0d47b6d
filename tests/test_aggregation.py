"""Power means: published inequality, limits, exact decomposition."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perfmethod.aggregation import from_terms, power_mean, shares, to_terms

scores = st.lists(st.floats(0.5, 110), min_size=1, max_size=6)
powers = st.one_of(st.sampled_from([-1.0, 0.0, 1.0, 2.0]), st.floats(-20, 20))


def weights_for(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 9, n).astype(float)


@given(scores, powers.filter(lambda p: p == 0 or abs(p) > 0.01), st.integers(0, 99))
def test_agrees_with_scipy(values, power, seed):
    """Near 0 the textbook formula of scipy loses digits; `test_rises_with_the_power` goes there."""
    w = weights_for(len(values), seed)
    expected = stats.pmean(np.array(values) / 100, power, weights=w) * 100
    assert power_mean(values, w, power) == pytest.approx(expected, rel=1e-9)


@given(scores, st.integers(0, 99), st.floats(-10, 9), st.floats(0.01, 5))
def test_rises_with_the_power(values, seed, power, step):
    """Hardy, Littlewood & Polya, theorem 16."""
    w = weights_for(len(values), seed)
    assert power_mean(values, w, power) <= power_mean(values, w, power + step) * (1 + 1e-9)


@given(scores, powers)
def test_terms_come_back(values, power):
    assert from_terms(to_terms(values, power), power) == pytest.approx(values, rel=1e-9)


@given(scores, powers, st.integers(0, 99))
def test_shares_are_the_euler_decomposition(values, power, seed):
    """Share i is s_i dM/ds_i / M, here by central differences."""
    w, s = weights_for(len(values), seed), np.array(values)
    found = shares(s, w, power)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    h = 1e-5
    for i in range(len(s)):
        up, down = s.copy(), s.copy()
        up[i] *= 1 + h
        down[i] *= 1 - h
        slope = (power_mean(up, w, power) - power_mean(down, w, power)) / (2 * h)
        assert found[i] == pytest.approx(float(slope / power_mean(s, w, power)), abs=1e-5)


def test_a_zero_under_geometric_and_harmonic():
    assert power_mean([0, 80], [1, 1], 0) == 0
    assert power_mean([0, 80], [1, 1], -1) == 0
    assert power_mean([0, 80], [0, 1], -1) == pytest.approx(80)  # a weight of zero does not count
    assert shares([0, 80], [1, 1], -1).sum() == pytest.approx(1)


def test_missing_scores_give_their_weight_to_the_others():
    assert power_mean([np.nan, 40, 80], [5, 1, 3]) == pytest.approx(70)
    assert np.isnan(power_mean([np.nan, np.nan], [1, 1]))


def test_negative_scores_need_the_arithmetic_mean():
    assert power_mean([-10, 30], [1, 1]) == 10
    with pytest.raises(ValueError, match=r"found a score of -10 .* allowed: scores of 0 or more"):
        power_mean([-10, 30], [1, 1], 0)


def test_leading_axes_are_a_loop():
    rng = np.random.default_rng(3)
    s, w = rng.uniform(0, 100, (4, 5, 3)), rng.uniform(0, 1, (4, 1, 3))
    for p in (1, 0, -1, 2.5):
        loop = [[power_mean(s[k, u], w[k, 0], p) for u in range(5)] for k in range(4)]
        np.testing.assert_array_equal(power_mean(s, w, p), loop)


@pytest.mark.parametrize("case", ["wsm_minmax", "wsm_linear_ratio"])
def test_weighted_sum_cases(reference: Path, case: str):
    """Both normalizations lead to the cited weighted sums."""
    from perfmethod.normalization import normalize

    content = json.loads((reference / "mcda" / "cases" / f"{case}.json").read_text())
    inputs = content["inputs"]
    rule = {"wsm_minmax": "minmax", "wsm_linear_ratio": "ratio_to_best"}[case]
    columns = [
        normalize(column, rule, direction=direction)
        for column, direction in zip(np.transpose(inputs["matrix"]), inputs["types"], strict=True)
    ]
    found = power_mean(np.transpose(columns), inputs["weights"]) / 100
    np.testing.assert_allclose(found, content["reference"], rtol=1e-12)
