"""Pairwise comparisons of a group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import DataError
from perfmethod.weighting import AHPWeighting, ahp, ahp_group
from tests.pairwise import BOTH, NAN, consistent


def _group(seed: int, experts: int = 4, n: int = 4, noise: float = 0.4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = consistent([4, 3, 2, 1][:n])
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
    same = ahp_group([consistent([3, 2, 1])] * 3)
    assert same.concordance is not None
    assert same.concordance.w == pytest.approx(1)
    assert same.standard_errors == pytest.approx([0, 0, 0], abs=1e-12)
    assert same.distances == pytest.approx([0, 0, 0], abs=1e-12)
    assert same.judgment_spread == pytest.approx(np.ones((3, 3)))
    # equal weights are ties, whatever the last bits say
    flat = ahp_group([consistent([k, 1, 0.3, 0.3, 0.3]) for k in range(2, 9)])
    assert flat.concordance is not None
    assert flat.concordance.w == pytest.approx(1)


def test_experts_may_share_the_work_when_judgments_are_combined() -> None:
    w = consistent([4, 2, 1])
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
        ahp_group([consistent([1.0] * 16)] * 2)
