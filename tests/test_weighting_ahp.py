"""Pairwise comparisons of one person: weights and their standard errors."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.weighting import ahp
from tests.pairwise import BOTH, NAN, blanks, consistent, incomplete, judgments

# --- slow twins


@settings(deadline=None)
@given(judgments())
def test_eigenvector_against_numpy(a: np.ndarray) -> None:
    values, vectors = np.linalg.eig(a)
    top = np.argmax(values.real)
    vector = np.abs(vectors[:, top].real)
    result = ahp(a)
    assert result.lambda_max == pytest.approx(values[top].real, rel=1e-9)
    assert result.weights == pytest.approx(vector / vector.sum(), abs=1e-9)


@settings(deadline=None)
@given(judgments())
def test_geometric_mean_is_the_mean_of_rows(a: np.ndarray) -> None:
    rows = np.prod(a, axis=1) ** (1 / len(a))
    result = ahp(a, prioritization="geometric_mean")
    assert result.weights == pytest.approx(rows / rows.sum(), abs=1e-12)
    w, n = result.weights, len(a)
    error = [np.log(a[i, j] * w[j] / w[i]) ** 2 for i, j in combinations(range(n), 2)]
    gci = 2 / ((n - 1) * (n - 2)) * sum(error)  # Aguaron and Moreno-Jimenez (2003), equation 3
    assert result.geometric_consistency_index == pytest.approx(gci, abs=1e-12)


@settings(deadline=None)
@given(incomplete())
def test_logarithmic_least_squares_against_a_regression(a: np.ndarray) -> None:
    # one equation for each compared pair, log a_ij = y_i - y_j, and y_0 = 0
    n = len(a)
    pairs = [(i, j) for i, j in combinations(range(n), 2) if not np.isnan(a[i, j])]
    design = np.zeros((len(pairs), n))
    for row, (i, j) in enumerate(pairs):
        design[row, [i, j]] = 1, -1
    logs = np.log([a[i, j] for i, j in pairs])
    y = np.append(0, np.linalg.lstsq(design[:, 1:], logs)[0])
    w = np.exp(y) / np.exp(y).sum()
    result = ahp(a, prioritization="geometric_mean")
    assert result.weights == pytest.approx(w, abs=1e-10)
    freedom = len(pairs) - (n - 1)
    assert result.redundancy == freedom
    if freedom == 0:
        assert result.standard_errors is None
        return
    # delta method on the regression's own covariance of y_1, ..., y_{n-1}
    variance = np.sum((logs - design @ y) ** 2) / freedom
    covariance = np.linalg.inv(design[:, 1:].T @ design[:, 1:]) * variance
    jacobian = (np.diag(w) - np.outer(w, w))[:, 1:]
    errors = np.sqrt(np.maximum(np.diag(jacobian @ covariance @ jacobian.T), 0))
    assert result.standard_errors == pytest.approx(errors, abs=1e-9)


@settings(deadline=None)
@given(incomplete())
def test_harkers_eigenvector_fills_the_blanks_with_its_own_ratios(a: np.ndarray) -> None:
    result = ahp(a)
    w = result.weights
    filled = np.where(np.isnan(a), w[:, None] / w, a)
    assert filled @ w == pytest.approx(result.lambda_max * w, abs=1e-9)
    assert ahp(filled).weights == pytest.approx(w, abs=1e-8)


# --- laws


@pytest.mark.parametrize("prioritization", BOTH)
@settings(deadline=None)
@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=8), st.data())
def test_consistent_judgments_give_their_weights_back(
    prioritization: str, weights: list[float], data: st.DataObject
) -> None:
    a = data.draw(blanks(consistent(weights)))
    result = ahp(a, prioritization=prioritization)
    assert result.weights == pytest.approx(np.array(weights) / sum(weights), rel=1e-9)
    assert result.lambda_max == pytest.approx(len(weights), rel=1e-10)
    assert result.consistency_ratio == pytest.approx(0, abs=1e-9)
    assert result.geometric_consistency_index == pytest.approx(0, abs=1e-15)
    assert result.worst_triad is None
    assert result.best_revision is None


@settings(deadline=None)
@given(judgments(3, 3))
def test_both_methods_agree_for_three_criteria(a: np.ndarray) -> None:
    eigenvector, rows = (ahp(a, prioritization=p) for p in BOTH)
    assert eigenvector.weights == pytest.approx(rows.weights, abs=1e-10)
    # closed form: lambda_max = 1 + d + 1/d, d = (a12 a23 / a13)^(1/3)
    d = np.cbrt(a[0, 1] * a[1, 2] / a[0, 2])
    assert eigenvector.lambda_max == pytest.approx(1 + d + 1 / d)


@pytest.mark.parametrize("prioritization", BOTH)
@settings(deadline=None)
@given(a=incomplete(), seed=st.integers(0, 99))
def test_weights_follow_their_criteria(prioritization: str, a: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(a))
    result = ahp(a, prioritization=prioritization)
    moved = ahp(a[np.ix_(order, order)], prioritization=prioritization)
    assert result.weights.sum() == pytest.approx(1)
    assert (result.weights > 0).all()
    assert moved.weights == pytest.approx(result.weights[order], abs=1e-9)
    assert moved.consistency_ratio == pytest.approx(result.consistency_ratio, abs=1e-9)
    if result.standard_errors is not None:
        assert moved.standard_errors == pytest.approx(result.standard_errors[order], abs=1e-9)


@settings(deadline=None)
@given(judgments())
def test_turning_every_judgment_round_inverts_geometric_weights(a: np.ndarray) -> None:
    one = 1 / ahp(a, prioritization="geometric_mean").weights
    other = ahp(a.T, prioritization="geometric_mean").weights
    assert other == pytest.approx(one / one.sum())


@settings(deadline=None)
@given(judgments())
def test_a_triangle_is_enough(a: np.ndarray) -> None:
    upper = np.where(np.triu(np.ones_like(a), 1) > 0, a, NAN)
    assert ahp(upper).weights == pytest.approx(ahp(a).weights, abs=1e-14)


def test_standard_errors_match_the_spread_of_repeated_judgments() -> None:
    # 2000 people share true weights and err by 10 % on each judgment; some pairs are blank
    rng = np.random.default_rng(0)
    truth = consistent([0.4, 0.3, 0.15, 0.1, 0.05])
    truth[0, 4] = truth[4, 0] = truth[1, 2] = truth[2, 1] = NAN
    drawn = []
    for _ in range(2000):
        noise = np.triu(rng.normal(scale=0.1, size=(5, 5)), 1)
        drawn.append(ahp_weights_and_errors(truth * np.exp(noise - noise.T)))
    weights, errors = np.array(drawn).transpose(1, 0, 2)
    # the spread is known to 1 / sqrt(4000) = 1.6 %
    assert np.sqrt((errors**2).mean(axis=0)) == pytest.approx(weights.std(axis=0), rel=0.06)


def ahp_weights_and_errors(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from perfmethod.weighting._comparisons import log_least_squares, principal
    from perfmethod.weighting.ahp import _standard_errors

    fit = log_least_squares(a)
    weights = principal(a, fit.log_weights)[0]
    errors = _standard_errors(weights, fit)
    assert errors is not None
    return weights, errors
