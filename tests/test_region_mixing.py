"""Chains in polytopes of weights: how long they run is found out, and it is long enough."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from perfmethod.errors import PerfmethodError
from perfmethod.robustness import Polytope, vertices
from perfmethod.uncertainty import Region
from perfmethod.uncertainty.mixing import AGREED, Chains, disagreement, mixing
from perfmethod.uncertainty.sources import RandomSource
from perfmethod.weighting import rank_order_centroid

TIGHT = Region((0.0,) * 4, (0.3,) * 4, ((0, 1),), (((2, 3), 0.5, 0.56),))
BOX = Region((0.0,) * 12, (0.12,) * 12)
ORDERED = Region((0.0,) * 10, (1.0,) * 10, (tuple(range(10)),))
SLIVER = Region((0.0,) * 4, (1.0,) * 4, (), (((0, 1), 0.5, 0.5005), ((1, 2), 0.3, 0.3005)))


def _chains(region: Region, n: int, seed: int) -> np.ndarray:
    """The chain's draws, also where the region has a better method."""
    chains = Chains(*region.halfspaces, region.middle, n, np.random.default_rng(seed))
    chains.sweep(region.burn_in)
    return chains.at


# ---- exact truths


@pytest.mark.parametrize("n", [3, 5, 10])
def test_ordered_weights_have_the_moments_of_sorted_exponentials(n: int) -> None:
    """Means are the rank-order centroid; second moments by Renyi's representation."""
    region = Region((0.0,) * n, (1.0,) * n, (tuple(range(n)),))
    w = _chains(region, 8000, n)
    one = 1 / np.arange(1, n + 1)
    mean, spread = one[::-1].cumsum()[::-1], (one**2)[::-1].cumsum()[::-1]
    second = (spread + mean**2) / (n * (n + 1))
    np.testing.assert_allclose(mean / n, rank_order_centroid(n).weights, rtol=1e-12)
    for found, wanted in ((w, mean / n), (w**2, second)):
        z = (found.mean(0) - wanted) / (found.std(0) / np.sqrt(len(w)))
        assert np.abs(z).max() < 4


def test_a_polygon_has_the_moments_of_the_triangles_between_its_vertices() -> None:
    """A triangle with vertices v has mean (sum v) / 3 and E w**2 = ((sum v)**2 + sum v**2) / 12."""
    region = Region((0.4, 0.1, 0.0), (1.0, 1.0, 1.0), ((0, 1, 2),))
    corners = vertices(Polytope.of(3, list(region.lower), order=[0, 1, 2]))
    around = corners[:, :2] - corners[:, :2].mean(0)
    hull = corners[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
    fan = np.stack([hull[[0, k, k + 1]] for k in range(1, len(hull) - 1)])
    assert len(fan) == 3
    area = np.abs(np.linalg.det(fan[:, 1:, :2] - fan[:, :1, :2]))[:, None]
    mean = (area * fan.mean(1)).sum(0) / area.sum()
    second = (area * (fan.sum(1) ** 2 + (fan**2).sum(1)) / 12).sum(0) / area.sum()
    w = _chains(region, 20_000, 1)
    for found, wanted in ((w, mean), (w**2, second)):
        z = (found.mean(0) - wanted) / (found.std(0) / np.sqrt(len(w)))
        assert np.abs(z).max() < 4


@pytest.mark.parametrize("region", [TIGHT, BOX], ids=["tight", "box"])
def test_chains_agree_with_rejection(region: Region) -> None:
    assert region.method == "chain"
    w = _chains(region, 10_000, 3)
    a, b = region.halfspaces
    rng, kept = np.random.default_rng(4), np.zeros((0, region.size))
    span = np.array(region.upper[:-1])  # a box that holds all weights but the last
    for _ in range(200):
        some = rng.random((20_000, region.size - 1)) * span
        some = np.column_stack([some, 1 - some.sum(1)])
        kept = np.vstack([kept, some[(some @ a.T <= b).all(1)]])
        if len(kept) > 20_000:
            break
    assert len(kept) > 4000
    error = np.sqrt(w.var(0) / len(w) + kept.var(0) / len(kept))
    assert (np.abs(w.mean(0) - kept.mean(0)) < 4 * error).all()
    for j in range(region.size):
        assert stats.ks_2samp(w[:, j], kept[:, j]).pvalue > 1e-3


# ---- the number of sweeps


def test_too_few_sweeps_are_seen_and_enough_of_them_pass() -> None:
    for region in (TIGHT, BOX, ORDERED):
        chains = Chains(*region.halfspaces, region.middle, 4096, np.random.default_rng(8))
        chains.sweep(1)
        first = chains.at
        chains.sweep(1)
        assert disagreement(first, chains.at) > 2 * AGREED
        chains.sweep(region.burn_in)
        later = chains.at
        chains.sweep(region.burn_in)
        assert disagreement(later, chains.at) < AGREED


def test_independent_samples_agree_and_shifted_or_joined_ones_do_not() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.dirichlet(np.ones(30), (2, 4000))
    assert disagreement(x, y) < AGREED
    assert disagreement(x, x + 0.01 * np.eye(30)[0]) > AGREED
    assert disagreement(x, 0.9 * (y - 1 / 30) + 1 / 30) > AGREED  # as a sample that still spreads
    assert disagreement(x, 0.8 * y + 0.2 * x) > AGREED


def test_slow_sets_need_more_sweeps_and_the_slowest_is_refused() -> None:
    assert BOX.burn_in < ORDERED.burn_in
    assert 32 <= BOX.burn_in <= 128
    with pytest.raises(PerfmethodError, match=r"so narrow that chains of 2048 sweeps.*`sweeps`"):
        SLIVER.draw(RandomSource(np.random.SeedSequence(1), 4))
    told = Region(SLIVER.lower, SLIVER.upper, (), SLIVER.rows, sweeps=7)
    assert told.note == "chain, 7 sweeps as given"


def test_the_number_is_one_of_the_region_and_not_of_a_block() -> None:
    """Found once, the same for every copy and whatever was drawn before."""
    again = pickle.loads(pickle.dumps(Region(BOX.lower, BOX.upper)))
    again.draw(RandomSource(np.random.SeedSequence(5), 8))
    assert again.burn_in == BOX.burn_in == mixing(*BOX.halfspaces, BOX.middle)[0]
    draws = [r.draw(RandomSource(np.random.SeedSequence(6), 16)) for r in (again, BOX)]
    np.testing.assert_array_equal(*draws)
    assert BOX.note == f"chain, {BOX.burn_in} sweeps until chains forget their start"


# ---- the steps


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.booleans())
def test_chains_stay_inside(seed: int, n: int, ordered: bool) -> None:
    rng = np.random.default_rng(seed)
    center = np.sort(rng.dirichlet(np.ones(n)))[::-1]
    order = (tuple(range(n)),) if ordered else ()
    region = Region(tuple(0.4 * center), tuple(np.minimum(1.6 * center, 1.0)), order)
    try:
        start = region.middle
    except PerfmethodError:
        return
    chains = Chains(*region.halfspaces, start, 50, rng)
    chains.sweep(3)
    a, b = region.halfspaces
    np.testing.assert_allclose(chains.at.sum(1), 1.0, atol=1e-12)
    assert (chains.at @ a.T <= b + 1e-12).all()
    assert chains.at.std(0).min() > 0


def test_a_step_is_uniform_between_the_walls() -> None:
    """The slow twin: one step of two weights, its ends by hand."""
    region = Region((0.1, 0.0, 0.0), (0.5, 0.7, 1.0))
    chains = Chains(*region.halfspaces, region.middle, 5000, np.random.default_rng(2))
    start = region.middle
    chains._step(0, 1, np.random.default_rng(3).random(5000))
    w = chains.at
    low = max(0.1, start[0] + start[1] - 0.7)
    high = min(0.5, start[0] + start[1])
    assert stats.kstest((w[:, 0] - low) / (high - low), "uniform").pvalue > 0.01
    np.testing.assert_allclose(w[:, 2], start[2])
