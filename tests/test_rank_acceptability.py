"""Rank acceptability of flat tables: the scoring core's counts, whatever the precision proves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfmethod import robustness as rb
from perfmethod import sensitivity as se
from perfmethod import uncertainty as un
from perfmethod.compiled import VARIABLE, loading
from perfmethod.core import BLOCK
from perfmethod.errors import PerfmethodError
from perfmethod.scoring import tally
from perfmethod.sensitivity.filtered import LARGEST, Table, count_exactly, count_ranks
from perfmethod.uncertainty.sources import RandomSource
from tests.test_monte_carlo import flat
from tests.test_monte_carlo_compiled import plain

WAYS = ("arrays", "plain loops", "compiled")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Without loops, with the loops as they are written, and compiled where numba is there."""
    found = {"arrays": lambda: None, "plain loops": plain, "compiled": loading.compiled}
    loading._State.loops = found[request.param]()
    if request.param == "compiled" and loading._State.loops is None:
        pytest.skip("numba is not installed")
    yield
    loading._State.loops = None


def variates(c: int, seed: int, n: int) -> np.ndarray:
    return RandomSource(np.random.SeedSequence(seed), n).exponential(c)


def counted(x: np.ndarray, e: np.ndarray) -> np.ndarray:
    table = Table.of(x)
    sure, left = count_ranks(table, e)
    return sure + count_exactly(table, left)


def twin(x: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Exact sums of the same variates; means that are equal to 9 decimals share a rank."""
    u = len(x)
    counts = np.zeros((u, u), dtype=int)
    values = [[Fraction(v) for v in row] for row in x.tolist()]
    for draw in e.tolist():
        w = [Fraction(v) for v in draw]
        means = [round(sum(a * b for a, b in zip(w, row, strict=True)) / sum(w), 9)
                 for row in values]  # fmt: skip
        for i, mean in enumerate(means):
            counts[sum(other > mean for other in means), i] += 1
    return counts


fixtures = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fixtures
@given(st.integers(1, 9), st.integers(1, 6), st.integers(0, 2**20), st.data())
def test_ranks_are_those_of_exact_sums(way, u, c, seed, data):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 100, (u, c)).round(data.draw(st.integers(0, 3)))
    # units that single precision cannot tell apart, and some that are twins
    near = data.draw(st.sampled_from([0.0, 1e-3, 1e-6, 1e-8]))
    x[u // 2 :] = x[0] + near * rng.integers(-2, 3, (u - u // 2, c))
    e = variates(c, seed, 25)
    np.testing.assert_array_equal(counted(x, e), twin(x, e))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("spread", [1.0, 1e-5, 1e-7])
def test_no_order_is_left_to_single_precision(way, scale, spread):
    rng = np.random.default_rng(0)
    x = scale * (1 + spread * rng.normal(size=(20, 30)))
    e = variates(30, 0, 300)
    table = Table.of(x)
    np.testing.assert_array_equal(counted(x, e), count_exactly(table, e))
    if spread == 1.0:  # and hardly any draw needs double precision
        assert len(count_ranks(table, e)[1]) < 30


def test_sums_in_single_precision_keep_their_bound():
    """What `Table` claims of any order of summation, for the worst order and the worst signs."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (40, 600))
    table, e = Table.of(x), variates(600, 3, 50)
    x = table.single[:, :40].astype(float)
    sums = np.zeros((50, 40), np.float32)
    for j in np.argsort(-np.abs(x).max(1)):  # one by one, the largest first
        sums = sums + e[:, [j]] * table.single[j, :40]
    off = np.abs(sums - e.astype(float) @ x).max()
    assert 0 < off < ((table.near >> table.bits) - 3) / 2 / float(table.scale)


@pytest.mark.parametrize(("u", "c"), [(1, 1), (2, 1), (3, 1), (2, 300), (300, 2), (70, 70)])
def test_any_shape(way, u, c):
    rng = np.random.default_rng(u + c)
    x, e = rng.normal(size=(u, c)), variates(c, 1, 64)
    found = counted(x, e)
    np.testing.assert_array_equal(found, count_exactly(Table.of(x), e))
    assert (found.sum(0) == 64).all()


def test_equal_units_share_the_first_rank(way):
    found = counted(np.full((4, 3), 7.0), variates(3, 1, 50))
    assert found[0].tolist() == [50] * 4
    assert found[1:].sum() == 0


def test_variates_that_are_rounded_to_zero_weigh_alike(way):
    e = np.zeros((3, 2), np.float32)
    found = counted(np.array([[1.0, 0.0], [1.0, 1.0]]), e)
    np.testing.assert_array_equal(found, [[0, 3], [3, 0]])


def test_no_variate_is_larger():
    assert -np.log(np.float32(2.0**-33)) < LARGEST


@pytest.mark.parametrize("said", ["never", "always"])
def test_counts_are_those_of_the_scoring_core(monkeypatch, said):
    if said == "always" and loading.compiled() is None:
        pytest.skip("numba is not installed")
    monkeypatch.setenv(VARIABLE, said)
    rng = np.random.default_rng(4)
    x = rng.uniform(size=(12, 8)).round(2)
    x[3], x[7] = x[2], x[6] + 1e-9
    year, size = flat(x), 2 * BLOCK + 77
    core = tally(year, un.draw(year, size, un.simplex("all"), seed=6))
    found = se.rank_acceptability(100 * x, size, seed=6)
    np.testing.assert_array_equal(found.counts, core.ranks)
    loading._State.loops = None


def test_any_executor_gives_the_same(monkeypatch):
    monkeypatch.setattr("perfmethod.sensitivity.flat.TASK", 2)
    x, size = np.random.default_rng(2).normal(size=(7, 5)), 5 * BLOCK + 3
    alone = se.rank_acceptability(x, size, seed=0)
    assert alone.counts.sum(1).tolist() == [size] * 7
    with ThreadPoolExecutor(3) as pool:
        np.testing.assert_array_equal(
            se.rank_acceptability(x, size, seed=0, executor=pool).counts, alone.counts
        )
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        np.testing.assert_array_equal(
            se.rank_acceptability(x, size, seed=0, executor=pool).counts, alone.counts
        )
    assert (se.rank_acceptability(x, size, seed=1).counts != alone.counts).any()


def test_expected_ranks_agree_with_the_exact_ones(reference: Path):
    x = np.loadtxt(reference / "mcda" / "U_49x135.csv", delimiter=",")
    z, exact = [], rb.expected_ranks(rb.win_probabilities(x))
    for seed in range(8):
        frame = se.rank_acceptability(x, 20_000, seed=seed).to_frame()
        z.append((frame["expected"] - exact) / frame["expected_mcse"])
    assert 0.85 < np.sqrt(np.mean(np.square(z))) < 1.15
    assert np.abs(z).max() < 5


def test_labels_and_shares():
    frame = pd.DataFrame({"a": [3.0, 1.0, 2.0], "b": [1.0, 2.0, 0.0]}, index=["甲", "乙", "丙"])
    found = se.rank_acceptability(frame, 4000, seed=2)
    assert list(found.acceptability.index) == ["甲", "乙", "丙"]
    # the last is behind the first for any weights; the first leads where 2 w > 1 - w
    assert found.acceptability.loc["丙", 1] == 0
    error = found.acceptability_error.loc["甲", 1]
    assert abs(found.acceptability.loc["甲", 1] - 2 / 3) < 4 * error
    assert found.to_frame().loc["丙", ["best", "worst"]].tolist() == [2, 3]
    assert repr(found) == "<RankAcceptability of 3 units, 4000 draws>"
    assert (
        found.plot(lang="en").get_title("left") == "2 of 3 units have one rank in most of the draws"
    )


@pytest.mark.parametrize(
    ("x", "size", "said"),
    [
        ([1.0, 2.0], 10, r"shape \(2,\)"),
        (np.empty((0, 3)), 10, r"shape \(0, 3\)"),
        ([[1.0, np.nan], [0.0, 1.0]], 10, "found nan in row 0, column 1"),
        ([[1.0, np.inf], [0.0, 1.0]], 10, "found inf"),
        ([[1.0, 2.0], [0.0, 1.0]], 0, "size: found 0"),
        ([[1.0, 2.0], [0.0, 1.0]], 10.5, "size: found 10.5"),
    ],
)
def test_what_cannot_be_ranked_is_refused(x, size, said):
    with pytest.raises(PerfmethodError, match=said):
        se.rank_acceptability(x, size, seed=1)


def test_a_seed_is_a_whole_number():
    for seed in (-1, 0.5, None, True):
        with pytest.raises(PerfmethodError, match=f"seed: found {seed}"):
            se.rank_acceptability([[1.0, 2.0]], 10, seed=seed)
    found = se.rank_acceptability([[1.0, 2.0]], np.int64(10), seed=np.int64(3))
    assert (found.draws, found.seed) == (10, 3)
