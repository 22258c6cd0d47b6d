"""Whether judgments fit together, and judgments that cannot be used."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import DataError
from perfmethod.weighting import RANDOM_INDEX, ahp
from tests.pairwise import NAN, consistent, judgments, reciprocal

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
    whole = ahp(consistent([1, 2, 3, 4, 5]))
    assert whole.random_index == 1.12
    for blank in (1, 2):
        indices = []
        for _ in range(3000):
            a = reciprocal(list(rng.choice(scale, 10)), 5)
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
    a = consistent(weights)
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
    assert (
        "review, column 'bonus': found 0; allowed: a positive ratio of at most 1e+09; a blank"
        in text
    )
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
    a = consistent(list(range(1, 17)))
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
    given_array = np.array([[1, 2.0], [NAN, 1]])
    result = ahp(given_array)
    assert np.isnan(given_array[1, 0])
    given_array[0, 1] = 9
    assert result.comparisons[0, 1] == 2
    with pytest.raises(ValueError, match="read-only"):
        result.comparisons[0, 1] = 3
