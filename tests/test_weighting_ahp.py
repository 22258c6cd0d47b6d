"""Pairwise comparisons of one person and of a group."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import DataError
from perfmethod.weighting import RANDOM_INDEX, AHPWeighting, ahp, ahp_group

NAN = np.nan
BOTH = ["eigenvector", "geometric_mean"]
SCALE = [1 / 9, 1 / 7, 1 / 5, 1 / 3, 1 / 2, 1, 2, 3, 5, 7, 9]


def _matrix(upper: list[float], n: int) -> np.ndarray:
    """Reciprocal matrix from the judgments above the diagonal, row by row."""
    a = np.eye(n)
    for (i, j), value in zip(combinations(range(n), 2), upper, strict=True):
        a[i, j], a[j, i] = value, 1 / value
    return a


def _consistent(weights: list[float]) -> np.ndarray:
    w = np.array(weights)
    return w[:, None] / w


@st.composite
def judgments(draw: st.DrawFn, low: int = 3, high: int = 7) -> np.ndarray:
    n = draw(st.integers(low, high))
    count = n * (n - 1) // 2
    return _matrix(draw(st.lists(st.sampled_from(SCALE), min_size=count, max_size=count)), n)


@st.composite
def blanks(draw: st.DrawFn, matrix: np.ndarray) -> np.ndarray:
    """The matrix with some pairs blank, a random tree of comparisons kept."""
    n, kept = len(matrix), np.eye(len(matrix), dtype=bool)
    for j in range(1, n):
        i = draw(st.integers(0, j - 1))
        kept[i, j] = kept[j, i] = True
    for i, j in combinations(range(n), 2):
        if draw(st.booleans()):
            kept[i, j] = kept[j, i] = True
    return np.where(kept, matrix, NAN)


@st.composite
def incomplete(draw: st.DrawFn) -> np.ndarray:
    return draw(blanks(draw(judgments(3, 6))))


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
    a = data.draw(blanks(_consistent(weights)))
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
    truth = _consistent([0.4, 0.3, 0.15, 0.1, 0.05])
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


# --- consistency


def test_random_index_is_saatys_table_of_fifteen() -> None:
    assert len(RANDOM_INDEX) == 15
    assert RANDOM_INDEX[:2] == (0, 0)
    assert RANDOM_INDEX[2:10] == (0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)
    assert RANDOM_INDEX[10:] == (1.51, 1.48, 1.56, 1.57, 1.59)


def test_random_index_falls_with_the_redundancy_that_blanks_take() -> None:
    # Agoston and Csato (2022): nearly linear in the number of blanks. 3000 random matrices on the
    # 1-9 scale: their mean index is known to about 0.02, the linear rule is good to about 0.03
    from perfmethod.weighting._comparisons import log_least_squares, principal

    rng = np.random.default_rng(1)
    scale = [1 / k for k in range(9, 1, -1)] + list(range(1, 10))
    whole = ahp(_consistent([1, 2, 3, 4, 5]))
    assert whole.random_index == 1.12
    for blank in (1, 2):
        indices = []
        for _ in range(3000):
            a = _matrix(list(rng.choice(scale, 10)), 5)
            pairs = list(combinations(range(5), 2))
            for k in rng.choice(10, blank, replace=False):
                i, j = pairs[k]
                a[i, j] = a[j, i] = NAN
            indices.append((principal(a, log_least_squares(a).log_weights)[1] - 5) / 4)
        assert ahp(a).random_index == pytest.approx(1.12 * (1 - blank / 6))
        assert np.mean(indices) == pytest.approx(ahp(a).random_index, abs=0.05)


def test_thresholds_are_a_consistency_ratio_of_one_tenth() -> None:
    # to first order GCI = 2 n / (n - 2) CI; the thresholds are 0.1 RI of that, with RI .5245, .8815
    for n, index in ((3, 0.5245), (4, 0.8815)):
        noise = np.triu(np.random.default_rng(n).normal(scale=1e-3, size=(n, n)), 1)
        result = ahp(np.exp(noise - noise.T))
        ratio = result.geometric_consistency_index / result.consistency_index
        assert ratio == pytest.approx(2 * n / (n - 2), rel=1e-2)
        assert result.geometric_threshold == pytest.approx(0.1 * index * 2 * n / (n - 2), abs=1e-4)


def test_one_and_two_criteria_cannot_disagree() -> None:
    one, two = ahp([[1]]), ahp([[1, 3], [1 / 3, 1]])
    assert one.weights.tolist() == [1]
    assert two.weights == pytest.approx([0.75, 0.25])
    for result in (one, two):
        assert (result.consistency_ratio, result.redundancy, result.random_index) == (0, 0, 0)
        assert result.standard_errors is None
        assert result.geometric_threshold is None
        assert "no check of consistency" in result.notes[-1]
        assert "cannot be checked" in repr(result)


def test_a_tree_of_comparisons_is_not_called_consistent_in_silence() -> None:
    result = ahp([[1, 2, 4], [NAN, 1, NAN], [NAN, NAN, 1]])
    assert result.weights == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert result.notes[0] == "1 pair(s) not compared; the weights rest on the others"
    assert "cannot be checked" in repr(result)


@settings(deadline=None)
@given(st.integers(4, 7), st.data())
def test_the_one_wrong_judgment_is_found_with_its_right_value(n: int, data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(1, 9), min_size=n, max_size=n))
    i, j = sorted(data.draw(st.permutations(range(n)))[:2])
    a = _consistent(weights)
    right, wrong = a[i, j], a[i, j] * data.draw(st.sampled_from([1 / 4, 4]))
    a[i, j], a[j, i] = wrong, 1 / wrong
    result = ahp(a)
    assert result.best_revision is not None
    assert result.best_revision.indices == (i, j)
    assert result.best_revision.found == pytest.approx(wrong)
    assert result.best_revision.suggested == pytest.approx(right)
    assert result.best_revision.consistency_index == pytest.approx(0, abs=1e-9)
    assert result.worst_triad is not None
    assert {i, j} <= set(result.worst_triad.indices)


@settings(deadline=None, max_examples=40)
@given(judgments(3, 5))
def test_worst_triad_and_best_revision_against_trying_all(a: np.ndarray) -> None:
    result = ahp(a)
    if result.best_revision is None or result.worst_triad is None:
        assert result.consistency_index == pytest.approx(0, abs=1e-9)
        return
    misfits = [
        abs(np.log(a[i, j] * a[j, k] / a[i, k])) for i, j, k in combinations(range(len(a)), 3)
    ]
    triad = result.worst_triad
    assert abs(np.log(triad.implied / triad.direct)) == pytest.approx(max(misfits))
    indices = []
    for i, j in combinations(range(len(a)), 2):
        revised = a.copy()
        revised[i, j] = revised[j, i] = NAN
        w = ahp(revised, prioritization="geometric_mean").weights
        revised[i, j], revised[j, i] = w[i] / w[j], w[j] / w[i]
        indices.append(ahp(revised).consistency_index)
    assert result.best_revision.consistency_index == pytest.approx(min(indices), abs=1e-9)
    assert result.best_revision.consistency_index <= result.consistency_index + 1e-9


# --- bad input


def test_all_bad_judgments_at_once() -> None:
    bad = [[1, 3, -2, 5], [0.5, 2, NAN, 0], [NAN, NAN, 1, np.inf], [0.2, 7, NAN, 1]]
    with pytest.raises(DataError) as caught:
        ahp(bad, names=["task", "review", "internal", "bonus"])
    text = str(caught.value)
    assert "5 problems" in text
    assert "task, column 'internal': found -2; allowed: a positive ratio" in text
    assert "review, column 'bonus': found 0; allowed: a positive ratio; leave a pair blank" in text
    assert "internal, column 'bonus': found inf" in text
    assert "review, column 'review': found 2; allowed: 1 on the diagonal" in text
    assert "review, column 'task': found 0.5 opposite 3; allowed: the reciprocal, 0.33333" in text


def test_parts_without_a_link_are_named() -> None:
    a = np.full((5, 5), NAN)
    a[0, 1], a[2, 3] = 2, 3
    with pytest.raises(DataError) as caught:
        ahp(a, names=list("abcde"))
    assert "3 parts that no comparison links: {a, b}; {c, d}; {e}" in str(caught.value)
    assert "at least 2 more comparison(s)" in str(caught.value)


def test_more_than_fifteen_criteria_need_a_random_index() -> None:
    a = _consistent(list(range(1, 17)))
    with pytest.raises(DataError, match=r"found 16 criteria; allowed: at most 15.*120 judgments"):
        ahp(a)
    result = ahp(a, random_index=1.6)
    assert result.random_index == 1.6
    assert result.weights == pytest.approx(np.arange(1, 17) / 136)
    with pytest.raises(DataError, match="random_index 0"):
        ahp(a, random_index=0)


def test_other_bad_input() -> None:
    for shape in ([[1, 2]], [1, 2], [], [[[1]]]):
        with pytest.raises(DataError, match=r"a square one"):
            ahp(shape)
    with pytest.raises(ValueError, match="did you mean 'eigenvector'"):
        ahp([[1]], prioritization="eigen")
    with pytest.raises(ValueError, match="one different name"):
        ahp([[1]], names=["a", "b"])


def test_results_are_read_only_and_inputs_are_not_touched() -> None:
    given_matrix = np.array([[1, 2.0], [NAN, 1]])
    result = ahp(given_matrix)
    assert np.isnan(given_matrix[1, 0])
    given_matrix[0, 1] = 9
    assert result.comparisons[0, 1] == 2
    with pytest.raises(ValueError, match="read-only"):
        result.comparisons[0, 1] = 3


# --- groups


def _group(seed: int, experts: int = 4, n: int = 4, noise: float = 0.4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = _consistent([4, 3, 2, 1][:n])
    logs = [np.triu(rng.normal(scale=noise, size=(n, n)), 1) for _ in range(experts)]
    return np.array([truth * np.exp(log - log.T) for log in logs])


@pytest.mark.parametrize("prioritization", BOTH)
def test_combined_judgments_are_the_weights_of_the_geometric_mean(prioritization: str) -> None:
    a = _group(0)
    result = ahp_group(a, prioritization=prioritization)
    mean = np.exp(np.log(a).mean(axis=0))
    alone = ahp(mean, prioritization=prioritization)
    assert result.weights == pytest.approx(alone.weights, abs=1e-12)
    assert isinstance(result.group, AHPWeighting)
    assert result.group.consistency_ratio == pytest.approx(alone.consistency_ratio, abs=1e-12)
    assert result.judgment_spread == pytest.approx(np.exp(np.log(a).std(axis=0, ddof=1)))


@pytest.mark.parametrize("prioritization", BOTH)
def test_combined_priorities_are_geometric_means(prioritization: str) -> None:
    a = _group(1)
    each = np.array([ahp(matrix, prioritization=prioritization).weights for matrix in a])
    mean = np.prod(each, axis=0) ** (1 / len(a))
    result = ahp_group(a, aggregation="priorities", prioritization=prioritization)
    assert result.weights == pytest.approx(mean / mean.sum(), abs=1e-12)
    assert result.group is None
    logs = np.log(each / result.weights)
    centered = logs - logs.mean(axis=1, keepdims=True)
    assert result.distances == pytest.approx(np.sqrt((centered**2).mean(axis=1)))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 500))
def test_with_geometric_means_the_order_of_steps_does_not_matter(seed: int) -> None:
    a = _group(seed)
    judged, prior = (
        ahp_group(a, aggregation=how, prioritization="geometric_mean")
        for how in ("judgments", "priorities")
    )
    assert judged.weights == pytest.approx(prior.weights, abs=1e-12)
    assert judged.standard_errors == pytest.approx(prior.standard_errors, abs=1e-12)


@pytest.mark.parametrize("aggregation", ["judgments", "priorities"])
def test_group_errors_are_the_jackknife_over_experts(aggregation: str) -> None:
    a = _group(2)
    left = [ahp_group(np.delete(a, k, axis=0), aggregation=aggregation).weights for k in range(4)]
    slow = np.sqrt(3 / 4 * sum((w - sum(left) / 4) ** 2 for w in left))
    result = ahp_group(a, aggregation=aggregation)
    assert result.standard_errors == pytest.approx(slow, rel=1e-10)


def test_agreement_of_a_group() -> None:
    same = ahp_group([_consistent([3, 2, 1])] * 3)
    assert same.concordance is not None
    assert same.concordance.w == pytest.approx(1)
    assert same.standard_errors == pytest.approx([0, 0, 0], abs=1e-12)
    assert same.distances == pytest.approx([0, 0, 0], abs=1e-12)
    assert same.judgment_spread == pytest.approx(np.ones((3, 3)))
    # equal weights are ties, whatever the last bits say
    flat = ahp_group([_consistent([3, 1, 1]), _consistent([3, 1, 1])])
    assert flat.concordance is not None
    assert flat.concordance.w == pytest.approx(1)


def test_experts_may_share_the_work_when_judgments_are_combined() -> None:
    w = _consistent([4, 2, 1])
    first, second = w.copy(), w.copy()
    first[1, 2] = first[2, 1] = first[0, 2] = first[2, 0] = NAN  # never met the third criterion
    second[0, 1] = second[1, 0] = NAN
    result = ahp_group([first, second], experts=["Li", "Wang"])
    assert result.weights == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert result.experts[0] is None
    assert np.isnan(result.distances[0])
    assert result.concordance is None
    assert result.standard_errors is None
    assert "without Wang not all criteria are linked" in result.notes[0]
    assert "Li: own comparisons do not link all criteria" in result.notes[1]
    with pytest.raises(DataError, match="comparisons of Li: found 2 parts"):
        ahp_group([first, second], experts=["Li", "Wang"], aggregation="priorities")


def test_one_expert_is_a_group_without_standard_error() -> None:
    a = _group(3, experts=1)
    result = ahp_group(a)
    assert result.weights == pytest.approx(ahp(a[0]).weights)
    assert result.standard_errors is None
    assert "one expert" in result.notes[0]


def test_all_experts_problems_at_once() -> None:
    bad = np.array([[[1, 2, 3], [0.4, 1, 1], [1 / 3, 1, 1]], [[1, -1, 1], [NAN, 1, 1], [1, 1, 2]]])
    with pytest.raises(DataError) as caught:
        ahp_group(bad, experts=["Li", "Wang"], names=["a", "b", "c"])
    text = str(caught.value)
    assert "comparisons of Li, b, column 'a': found 0.4 opposite 2" in text
    assert "comparisons of Wang, a, column 'b': found -1" in text
    assert "comparisons of Wang, c, column 'c': found 2; allowed: 1 on the diagonal" in text
    with pytest.raises(DataError, match="experts, criteria, criteria"):
        ahp_group([[1, 2], [0.5, 1]])
    with pytest.raises(DataError, match="2 parts that no comparison links"):
        ahp_group([[[1, NAN], [NAN, 1]]])
    with pytest.raises(ValueError, match="did you mean 'judgments'"):
        ahp_group(_group(0), aggregation="judgment")
    with pytest.raises(DataError, match="at most 15"):
        ahp_group([_consistent([1.0] * 16)] * 2)
