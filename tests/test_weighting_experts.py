"""Weights from an order and from points."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfmethod.errors import DataError
from perfmethod.weighting import (
    METHODS,
    Weighting,
    budget_allocation,
    concordance,
    equal,
    rank_order_centroid,
    rank_reciprocal,
    rank_sum,
)

RANKED = [rank_order_centroid, rank_reciprocal, rank_sum]


def _exact(method: str, n: int) -> list[Fraction]:
    """The definitions in exact fractions."""
    terms = {
        "rank_order_centroid": [
            sum((Fraction(1, j) for j in range(r, n + 1)), Fraction()) for r in range(1, n + 1)
        ],
        "rank_reciprocal": [Fraction(1, r) for r in range(1, n + 1)],
        "rank_sum": [Fraction(n + 1 - r) for r in range(1, n + 1)],
    }[method]
    return [term / sum(terms) for term in terms]


@pytest.mark.parametrize("function", RANKED)
@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_rank_weights_are_the_exact_fractions(function: Callable[..., Weighting], n: int) -> None:
    exact = [float(f) for f in _exact(function.__name__, n)]
    assert function(n).weights == pytest.approx(exact, abs=1e-15)


def test_rank_weights_of_five_as_printed_fractions() -> None:
    f = Fraction
    roc = [f(137, 300), f(77, 300), f(47, 300), f(9, 100), f(1, 25)]
    assert _exact("rank_order_centroid", 5) == roc
    assert _exact("rank_sum", 5) == [f(1, 3), f(4, 15), f(1, 5), f(2, 15), f(1, 15)]
    assert _exact("rank_reciprocal", 5)[0] == f(60, 137)


def test_centroid_is_the_mean_of_ordered_weights() -> None:
    # slow twin: the mean of uniform weights that are sorted, 200,000 draws
    drawn = np.sort(np.random.default_rng(0).dirichlet(np.ones(4), 200_000), axis=1)[:, ::-1]
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    z = (drawn.mean(axis=0) - rank_order_centroid(4).weights) / error
    assert np.abs(z).max() < 4


@pytest.mark.parametrize("function", RANKED)
def test_ties_share_the_places_they_fill(function: Callable[..., Weighting]) -> None:
    untied = function(4).weights
    shared = [untied[0], untied[1:3].mean(), untied[1:3].mean(), untied[3]]
    for way in ([1, 2, 2, 4], [1, 2, 2, 3], [1, 2.5, 2.5, 4]):
        assert function(way).weights == pytest.approx(shared, abs=1e-15)
    assert function([1, 1, 1]).weights == pytest.approx([1 / 3] * 3, abs=1e-15)


@settings(deadline=None)
@given(st.permutations(range(1, 8)), st.sampled_from(RANKED))
def test_rank_weights_follow_their_criteria(
    places: list[int], function: Callable[..., Weighting]
) -> None:
    weights = function(places).weights
    assert weights.sum() == pytest.approx(1)
    assert weights.tolist() == [function(7).weights[place - 1] for place in places]


@pytest.mark.parametrize(
    ("ranking", "message"),
    [
        ([40, 35, 25], "found 40; allowed: a place from 1 to 3"),
        ([1, 0], "criterion 2: found 0"),
        ([1, np.nan], "criterion 2: found nan"),
        (0, "found 0; allowed: a whole number of criteria"),
        (2.5, "found 2.5; allowed: a whole number"),
        (True, "found True"),
        ([[1, 2]], r"shape \(1, 2\)"),
        ([], r"shape \(0,\)"),
    ],
)
def test_bad_rankings_are_refused(ranking: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        rank_sum(ranking)  # type: ignore[arg-type]


def test_all_bad_places_at_once_by_name() -> None:
    with pytest.raises(DataError, match="cost: found 9") as caught:
        rank_sum([9, 1, -1], names=["cost", "speed", "care"])
    assert len(caught.value.problems) == 2


def test_equal_weights_and_bad_counts() -> None:
    assert equal(3).weights.tolist() == [1 / 3] * 3
    for bad in (0, -1, 1.5):
        with pytest.raises(DataError, match="whole number of criteria"):
            equal(bad)  # type: ignore[arg-type]


def test_names_must_fit() -> None:
    with pytest.raises(ValueError, match="one different name for each of the 2"):
        equal(2, names=["a"])
    with pytest.raises(ValueError, match="one different name"):
        equal(2, names=["a", "a"])


# --- points

POINTS = [[50, 30, 20], [60, 30, 10], [40, 25, 35]]


def test_budget_allocation_by_hand() -> None:
    result = budget_allocation(POINTS, names=["task", "review", "internal"])
    assert result.weights == pytest.approx([0.5, 85 / 300, 65 / 300])
    assert result.spread == pytest.approx(np.std(POINTS, axis=0, ddof=1) / 100)
    assert result.standard_errors == pytest.approx(np.std(POINTS, axis=0, ddof=1) / 100 / 3**0.5)
    assert "Kendall's W 0.778" in repr(result)
    assert list(result.to_frame().columns) == ["weight", "standard_error"]


def test_an_expert_who_spends_less_counts_as_much() -> None:
    assert budget_allocation([[5, 5], [90, 10]]).weights == pytest.approx([0.7, 0.3])


def test_one_expert_has_no_standard_error_and_says_so() -> None:
    result = budget_allocation([[3, 1]])
    assert result.standard_errors is None
    assert result.spread is None
    assert result.concordance is None
    assert "one expert" in result.notes[0]
    assert "no measure of agreement" in repr(result)


def test_every_bad_expert_is_named() -> None:
    with pytest.raises(DataError) as caught:
        budget_allocation(
            [[50, -1, 20], [np.nan, 30, np.inf], [0, 0, 0], [1, 1, 1]],
            names=["task", "review", "internal"],
            experts=["Li", "Wang", "Zhao", "Chen"],
        )
    text = str(caught.value)
    assert "Li, column 'review': found -1; allowed: points of 0 or more" in text
    assert "Wang, column 'task': found nothing" in text
    assert "Wang, column 'internal': found inf" in text
    assert "Zhao: found no points at all" in text
    assert "Chen" not in text
    with pytest.raises(DataError, match="experts, criteria"):
        budget_allocation([1, 2, 3])


points = hnp.arrays(
    float, st.tuples(st.integers(2, 6), st.integers(3, 6)), elements=st.integers(0, 9)
)


@settings(deadline=None)
@given(points)
def test_concordance_is_friedmans_statistic(ratings: np.ndarray) -> None:
    from scipy.stats import friedmanchisquare

    result = concordance(ratings)
    if result is None:  # every expert rates all criteria alike
        assert (np.ptp(ratings, axis=1) == 0).all()
        return
    statistic, p_value = friedmanchisquare(*ratings.T)
    assert result.chi_square == pytest.approx(statistic, abs=1e-9)
    assert result.p_value == pytest.approx(p_value, abs=1e-9)
    assert -1e-12 <= result.w <= 1 + 1e-12


def test_concordance_from_mean_spearman_without_ties() -> None:
    from scipy.stats import spearmanr

    ratings = np.random.default_rng(3).normal(size=(5, 7))
    rho = spearmanr(ratings.T).statistic
    mean = rho[np.triu_indices(5, 1)].mean()
    result = concordance(ratings)
    assert result is not None
    assert result.w == pytest.approx((mean * 4 + 1) / 5)


def test_concordance_of_the_same_order_is_one_and_has_limits() -> None:
    same = concordance([[3, 2, 1], [9, 5, 0]])
    assert same is not None
    assert same.w == 1
    assert concordance([[1, 2, 3]]) is None
    assert concordance([[1], [2]]) is None
    with pytest.raises(ValueError, match="1 missing values"):
        concordance([[1, np.nan], [2, 1]])


@settings(deadline=None)
@given(points)
def test_budget_allocation_laws(x: np.ndarray) -> None:
    x = x + 1  # every expert gives some points
    result = budget_allocation(x)
    assert result.weights.sum() == pytest.approx(1)
    assert (result.weights >= 0).all()
    order = np.random.default_rng(0).permutation(x.shape[1])
    assert budget_allocation(x[:, order]).weights == pytest.approx(result.weights[order])
    assert budget_allocation(x[::-1]).weights == pytest.approx(result.weights)
    assert budget_allocation(3 * x).weights == pytest.approx(result.weights)


def test_results_and_the_table_of_methods_cannot_be_changed() -> None:
    result = budget_allocation(POINTS)
    for array in (result.weights, result.standard_errors, result.shares, result.spread):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        result.method = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        METHODS["mine"] = equal  # type: ignore[index]
    with pytest.raises(TypeError):
        result.details["x"] = 1  # type: ignore[index]
