"""Statistics of the screening: values of others, slow twins, laws."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

import perfmethod.screening as screening
from perfmethod.errors import PerfmethodError
from perfmethod.screening import (
    METHODS,
    benjamini_hochberg,
    beta_binomial_tail,
    binomial_tail,
    busiest_window,
    excess_share_tail,
    holm,
    identical_share,
    irv,
    longstring,
    pair_agreement,
    scan_tail,
    session_tail,
)

from .published_ratings import table

ANSWERS = hnp.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 7)),
                     elements=st.sampled_from([1.0, 2.0, 3.0, np.nan]))  # fmt: skip
COUNTS = st.integers(0, 12)


# --- values of others


def test_longstring_and_variability_of_the_dataset_of_careless(reference: Path) -> None:
    # data of R package careless; values of base R 4.2: rle and sd by row, what its functions are
    answers = table(reference, "careless_dataset.csv").to_numpy(float)
    assert answers.shape == (200, 50)
    printed = [6, 4, 3, 3, 3, 2, 5, 4, 6, 5, 3, 18, 5, 27, 16, 2, 4, 19, 3, 2]
    longest = longstring(answers)
    assert longest[:20].tolist() == printed
    assert longest.sum() == 1174
    assert longest.max() == 50
    assert irv(answers)[:6] == pytest.approx(
        [0.86307471239961231, 1.0350983390135313, 0.96890428330360978,
         0.96489398804390181, 1.1691615694634356, 1.4702491806021265], abs=1e-12)  # fmt: skip
    assert irv(answers).sum() == pytest.approx(201.05045008403664, abs=1e-11)


def test_longstring_of_its_documented_example() -> None:
    # the example of careless: person i begins with i times the answer i, then goes on counting
    answers = np.tile(np.arange(1, 11), (10, 1))
    for i in range(10):
        answers[i, : i + 1] = i + 1
    assert longstring(answers).tolist() == list(range(1, 11))


def test_variability_of_the_patterns_of_curran() -> None:
    # Curran, J. Exp. Soc. Psychol. 66 (2016) 4-19: a straight line, a ladder, two halves
    patterns = [[3] * 10, [1, 2, 3, 4, 5] * 2, [1] * 5 + [5] * 5]
    assert irv(patterns) == pytest.approx([0, math.sqrt(20 / 9), math.sqrt(40 / 9)], abs=1e-15)
    assert longstring(patterns).tolist() == [10, 1, 5]


def test_the_lady_tasting_tea() -> None:
    # Fisher, The Design of Experiments (1935), ch. 2: 17 of 70, and all right: 1 of 70
    assert excess_share_tail(3, 4, 1, 4) == pytest.approx(17 / 70, abs=1e-15)
    assert excess_share_tail(4, 4, 0, 4) == pytest.approx(1 / 70, abs=1e-15)


def test_scan_statistic_of_all_points_is_the_classic_one() -> None:
    # Naus (1965): P(all n in a window w of the unit interval) = n w^(n-1) - (n-1) w^n; the bound
    # counts windows that begin at a point, whole even where they reach beyond the interval
    n, w = 6, 0.2
    exact = n * w ** (n - 1) - (n - 1) * w**n
    assert exact < scan_tail(n, n, w) == pytest.approx(n * w ** (n - 1), rel=1e-12)


def test_two_points_close_together() -> None:
    # classic spacing result: P(no two of n points within w) = (1 - (n - 1) w)^n
    n, w = 8, 0.001
    exact = 1 - (1 - (n - 1) * w) ** n
    assert exact < float(scan_tail(2, n, w)) < 1.05 * exact


def test_holm_and_benjamini_hochberg_of_r() -> None:
    # R: p.adjust(c(.01, .02, .03, .04, .05), "holm") and "BH"
    p = [0.01, 0.02, 0.03, 0.04, 0.05]
    assert holm(p) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09], abs=1e-15)
    assert benjamini_hochberg(p) == pytest.approx([0.05] * 5, abs=1e-15)


def test_a_test_that_was_not_made_counts_for_nothing() -> None:
    np.testing.assert_array_equal(holm([np.nan, 0.01, 0.5]), [np.nan, 0.02, 0.5])
    np.testing.assert_array_equal(benjamini_hochberg([np.nan, 0.01, 0.5]), [np.nan, 0.02, 0.5])


# --- slow twins


@given(ANSWERS)
def test_longstring_is_the_longest_group(answers: np.ndarray) -> None:
    def slow(row: list[float]) -> int:
        runs = [(k, len(list(group))) for k, group in itertools.groupby(row)]
        return max((n for k, n in runs if k == k), default=0)

    assert longstring(answers).tolist() == [slow(row) for row in answers.tolist()]


@given(ANSWERS)
def test_variability_is_that_of_pandas(answers: np.ndarray) -> None:
    np.testing.assert_allclose(irv(answers), pd.DataFrame(answers).std(axis=1), atol=1e-14)


@given(COUNTS, st.integers(0, 12), st.integers(0, 20), st.integers(1, 20), st.floats(0.1, 9))
def test_excess_share_is_that_of_scipy(
    k: int, more: int, other_k: int, other_more: int, odds: float
) -> None:
    n, other_n = k + more, other_k + other_more
    law = stats.nchypergeom_fisher(n + other_n, n, k + other_k, odds)
    assert excess_share_tail(k, n, other_k, other_n, odds) == pytest.approx(law.sf(k - 1), abs=1e-9)


@given(COUNTS, st.integers(0, 12), st.floats(0, 1))
def test_binomial_tail_is_that_of_scipy(k: int, n: int, p: float) -> None:
    assert binomial_tail(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), abs=1e-12)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=15), st.integers(1, 20))
def test_busiest_window_counts_pairs(times: list[int], width: int) -> None:
    t = np.array(times)
    slow = ((t >= t[:, None]) & (t <= t[:, None] + width)).sum(axis=1)
    most, counts = busiest_window(times, width)
    assert counts.tolist() == slow.tolist()
    assert most == slow.max()


@pytest.mark.parametrize("seed", [1, 2])
def test_scan_tail_bounds_the_chance_on_uniform_times(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = np.array([busiest_window(rng.random(40), 0.01)[0] for _ in range(4000)])
    for k in (4, 5):
        share = (seen >= k).mean()
        bound = float(scan_tail(k, 40, 0.01))
        assert share - 4 * math.sqrt(share / 4000) <= bound <= 2 * share + 0.004


def test_pair_agreement_counts_what_a_loop_counts() -> None:
    rng = np.random.default_rng(5)
    seen = rng.random((6, 9)) < 0.8
    vector = rng.integers(0, 3, (6, 9))
    rater, unit = np.nonzero(seen)
    found = pair_agreement(rater, unit, vector[seen])
    for r, s in itertools.product(range(6), repeat=2):
        both = seen[r] & seen[s]
        assert found.common[r, s] == both.sum()
        assert found.matches[r, s] == (both & (vector[r] == vector[s])).sum()


def test_expected_agreement_is_the_mean_of_independent_raters() -> None:
    rng = np.random.default_rng(6)
    rater, unit = (a.ravel() for a in np.indices((60, 40)))
    habit = rng.dirichlet([4, 2, 1], 60)
    vector = (rng.random(2400)[:, None] > habit[rater].cumsum(axis=1)).sum(axis=1)
    found = pair_agreement(rater, unit, vector)
    i, j = np.triu_indices(60, 1)
    truth = 40 * (habit @ habit.T)[i, j]
    # never below what is usual on the units: high for opposite raters, right for alike ones
    alike = truth > np.quantile(truth, 0.8)
    assert found.expected[i, j][alike].mean() == pytest.approx(truth[alike].mean(), rel=0.05)
    p = binomial_tail(found.matches[i, j], 40, found.expected[i, j] / 40)
    assert (p <= 0.01).mean() <= 0.01


def test_session_tail_agrees_with_all_sessions() -> None:
    rng = np.random.default_rng(3)
    half = rng.normal(size=(9, 9))
    excess, common = half + half.T, np.full((9, 9), 3.0)
    inside = np.arange(9) < 4
    everyone = [list(c) for c in itertools.combinations(range(9), 4)]
    rates = [excess[np.ix_(c, c)].sum() - np.trace(excess[np.ix_(c, c)]) for c in everyone]
    exact = np.mean(np.array(rates) >= rates[0] - 1e-9)
    p, rate = session_tail(excess, common, inside, np.random.default_rng(0), stop=2000)
    assert rate == pytest.approx(rates[0] / (3.0 * 12))
    assert p == pytest.approx(exact, abs=0.03)


def test_beta_binomial_tail_keeps_its_level_and_sees_an_outlier() -> None:
    rng = np.random.default_rng(9)
    levels = []
    for _ in range(200):
        n = rng.integers(10, 46, 80)
        k = rng.binomial(n, rng.beta(4, 8, 80))
        levels.append((beta_binomial_tail(k, n) <= 0.01).mean())
    assert 0 < np.mean(levels) <= 0.01  # cautious: the raters' variance is at its upper limit
    seen = beta_binomial_tail(np.append(k, 30), np.append(n, 30))[-1]
    assert stats.betabinom.sf(29, 30, 4, 8) < seen < 1e-3


# --- laws


@given(hnp.arrays(float, st.integers(1, 9), elements=st.floats(1e-6, 1)))
@settings(max_examples=50)
def test_adjusted_values_keep_their_order(p: np.ndarray) -> None:
    strict, mild = holm(p), benjamini_hochberg(p)
    assert (strict >= mild - 1e-15).all()
    assert (mild >= p - 1e-15).all()
    for adjusted in (strict, mild):
        assert (np.diff(adjusted[np.argsort(p)]) >= -1e-15).all()


def test_identical_share_of_each_rater() -> None:
    raters, most, ballots = identical_share([3, 3, 0, 1, 1, 1], [9, 9, 9, 2, 2, 4])
    assert (raters.tolist(), most.tolist(), ballots.tolist()) == ([2, 4, 9], [2, 1, 2], [2, 1, 3])


def test_few_raters_are_compared_with_nobody() -> None:
    assert np.isnan(beta_binomial_tail([1, 2, 3], [4, 4, 4])).all()


def test_bad_arguments_are_named() -> None:
    with pytest.raises(PerfmethodError, match="width: found 0; allowed"):
        busiest_window([1.0], 0)
    with pytest.raises(PerfmethodError, match="share: found 2"):
        scan_tail(3, 9, 2)
    with pytest.raises(PerfmethodError, match="inside: found 1 of 3 raters; allowed: 2 to 2"):
        session_tail(np.ones((3, 3)), np.ones((3, 3)), np.arange(3) < 1, np.random.default_rng(0))


def test_methods_are_read_only_and_sourced() -> None:
    assert all(m.seen and m.source and m.adjustment for m in METHODS.values())
    with pytest.raises(TypeError):
        METHODS["burst"] = METHODS["ring"]  # type: ignore[index]


def test_every_public_name_loads() -> None:
    assert all(getattr(screening, name) is not None for name in screening.__all__)
    assert set(screening.__all__) <= set(dir(screening))
    with pytest.raises(AttributeError, match="no attribute 'burst'"):
        _ = screening.burst
