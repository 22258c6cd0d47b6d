"""Weights of families: uniform on polytopes, by every method, against closed forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import perfmethod as pm
from perfmethod import uncertainty as un
from perfmethod.core import BLOCK
from perfmethod.errors import SchemeError
from perfmethod.uncertainty import Region
from perfmethod.uncertainty.sources import RandomSource

NAMES = tuple("abcde")


def scheme(n: int = 5, total: float = 1.0) -> pm.Scheme:
    rule = {"method": "identity"}
    indicators = {name: {"weight": total / n, "rule": rule} for name in NAMES[:n]}
    return pm.Scheme({"format": 1, "classes": {"city": {}}, "indicators": indicators})


def weights(draws: pm.Draws) -> np.ndarray:
    blocks = [np.stack([values[p] for p in draws.paths], 1) for _, values in draws.blocks()]
    return np.concatenate(blocks)


def sample(region: Region, seed: int, blocks: int = 4) -> np.ndarray:
    keys = [np.random.SeedSequence(seed, spawn_key=(b,)) for b in range(blocks)]
    return np.concatenate([region.draw(RandomSource(key)) for key in keys])


# ---- exact methods


def test_rank_order_centroid_weights_fall_out_of_an_order(reference: Path) -> None:
    case = json.loads((reference / "mcda" / "cases" / "roc_n5.json").read_text(encoding="utf-8"))
    wanted = np.array(case["reference"], float)
    # Barron & Barrett (1996), *Management Science* 42, 1515: 0.4567 0.2567 0.1567 0.0900 0.0400
    np.testing.assert_allclose(wanted.round(4), [0.4567, 0.2567, 0.1567, 0.09, 0.04])
    spec = un.polytope("city", order=list(NAMES))
    w = weights(un.draw(scheme(), 100 * BLOCK, spec, seed=1))
    assert (np.diff(w, axis=1) <= 0).all()
    error = w.std(0) / len(w) ** 0.5
    assert (np.abs(w.mean(0) - wanted) < 4 * error).all()


def test_uniform_weights_have_the_moments_of_the_simplex() -> None:
    w = weights(un.draw(scheme(total=100), 64 * BLOCK, un.simplex("city"), seed=2)) / 100
    np.testing.assert_allclose(w.sum(1), 1, rtol=1e-12)
    n = len(w)
    covariance = (np.eye(5) / 5 - 1 / 25) / 6  # Dirichlet(1, ..., 1)
    assert (np.abs(w.mean(0) - 0.2) < 4 * (covariance[0, 0] / n) ** 0.5).all()
    assert np.abs(np.cov(w.T) - covariance).max() < 4 * covariance[0, 0] * (3 / n) ** 0.5
    assert stats.kstest(w[:, 0], stats.beta(1, 4).cdf).pvalue > 0.01


def test_sobol_points_are_nearer_to_the_mean() -> None:
    spec = un.polytope("city", order=list(NAMES))
    w = weights(un.draw(scheme(), 4 * BLOCK, spec, seed=1, design="sobol"))
    wanted = [sum(1 / k for k in range(i, 6)) / 5 for i in range(1, 6)]
    error = w.std(0) / len(w) ** 0.5
    assert (np.abs(w.mean(0) - wanted) < 0.5 * error).all()


def test_lower_bounds_shift_and_shrink_the_simplex() -> None:
    spec = un.polytope("city", lower={"a": 30, "b": 20})
    w = weights(un.draw(scheme(total=100), 16 * BLOCK, spec, seed=3))
    assert (w[:, 0] >= 30).all()
    assert (w[:, 1] >= 20).all()
    np.testing.assert_allclose(w.sum(1), 100, rtol=1e-12)
    assert stats.kstest((w[:, 0] - 30) / 50, stats.beta(1, 4).cdf).pvalue > 0.01


# ---- rejection and chains


BOX = Region((0.1, 0.0, 0.05), (0.5, 0.4, 0.8))
TIGHT = Region((0.0,) * 4, (0.3, 0.3, 0.3, 0.3), ((0, 1),), (((2, 3), 0.5, 0.56),))


def test_each_set_is_drawn_by_the_cheapest_exact_method() -> None:
    assert Region((0.0,) * 3, (1.0,) * 3).method == "exact"
    assert Region((0.0,) * 3, (1.0,) * 3, ((0, 2),)).method == "exact"
    assert BOX.method == "rejection"
    assert TIGHT.method == "chain"
    assert f"chain, {TIGHT.burn_in} sweeps until chains forget" in TIGHT.note
    assert "pilot" in BOX.note


def test_the_share_accepted_is_the_volume_of_the_box() -> None:
    # the simplex of three weights is a triangle: what the upper bounds cut off are triangles
    rest = 1 - 0.15
    cut = sum(max(0.0, rest - (u - low)) ** 2 for low, u in zip(BOX.lower, BOX.upper, strict=True))
    wanted = 1 - cut / rest**2
    assert abs(BOX.accepted - wanted) < 4 * (wanted * (1 - wanted) / 8192) ** 0.5


@pytest.mark.parametrize("region", [BOX, TIGHT], ids=["box", "tight"])
def test_draws_meet_every_constraint(region: Region) -> None:
    w = sample(region, 1, 1)
    a, b = region.halfspaces
    np.testing.assert_allclose(w.sum(1), 1, atol=1e-9)
    assert (w @ a.T <= b + 1e-9).all()


def test_a_chain_agrees_with_rejection() -> None:
    chain = Region(TIGHT.lower, TIGHT.upper, TIGHT.chains, TIGHT.rows)
    w = sample(chain, 5)
    rng = np.random.default_rng(0)
    plain = rng.dirichlet(np.ones(4), 2_000_000)
    a, b = chain.halfspaces
    plain = plain[(plain @ a.T <= b).all(1)]
    assert len(plain) > 3000
    for j in range(4):
        assert stats.ks_2samp(w[:, j], plain[:, j]).pvalue > 0.005
    error = np.sqrt(w.var(0) / len(w) + plain.var(0) / len(plain))
    assert (np.abs(w.mean(0) - plain.mean(0)) < 4 * error).all()


def test_too_few_sweeps_would_be_noticed() -> None:
    few, many = (Region((0.0,) * 12, (0.12,) * 12, sweeps=n) for n in (1, 60))
    assert few.method == "chain"
    start, good = sample(few, 5), sample(many, 5)
    assert min(stats.ks_2samp(start[:, j], good[:, j]).pvalue for j in range(12)) < 1e-6
    again = sample(Region((0.0,) * 12, (0.12,) * 12, sweeps=120), 6)
    assert stats.ks_2samp(again[:, 0], good[:, 0]).pvalue > 0.01


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (un.polytope("city", lower={"a": 0.6, "b": 0.6}), "contradict"),
        (un.polytope("city", upper=dict.fromkeys(NAMES, 0.2)), "no room"),
        (un.polytope("city", lower={"a": 0.5}, upper={"a": 0.5}), "no room"),
        (un.polytope("city", upper={"a": 0.1}, order=["a", "b"], lower={"b": 0.2}), "contradict"),
        (un.polytope("city", sums={("a", "b"): (1.1, 1.2)}), "contradict"),
        (un.polytope("city", order=["a", "z"]), "'z'"),
        (un.polytope("city", order=[["a", "b"], ["b", "c"]]), "each child once"),
        (un.polytope("city", lower={"a": -0.1}), "negative"),
        (un.polytope("cty"), "did you mean 'city'"),
    ],
)
def test_constraints_that_cannot_be_met_are_refused(spec: Any, message: str) -> None:
    with pytest.raises(SchemeError, match=message):
        un.draw(scheme(), 10, spec, seed=1)


def test_a_chain_cannot_be_quasi_random() -> None:
    spec = un.polytope("city", upper={"a": 0.3})
    with pytest.raises(pm.errors.PerfmethodError, match="design='random'"):
        un.draw(scheme(), 10, spec, seed=1, design="sobol").block(slice(0, 10))


@settings(max_examples=30)
@given(data=st.data())
def test_any_feasible_set_is_drawn_inside(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 5))
    center = np.array(data.draw(st.lists(st.floats(0.05, 1), min_size=n, max_size=n)))
    center /= center.sum()
    margin = data.draw(st.floats(0.02, 0.5))
    lower = np.maximum(center - margin, 0.0)
    upper = np.minimum(center + margin, 1.0)
    order = tuple(np.argsort(-center, kind="stable")[: data.draw(st.integers(0, n))].tolist())
    chains = (order,) if len(order) > 1 and np.unique(center).size == n else ()
    region = Region(tuple(lower), tuple(upper), chains, sweeps=3)
    try:
        method = region.method
    except pm.errors.PerfmethodError:  # equal centers leave an order no room
        return
    w = region.draw(RandomSource(np.random.SeedSequence(1), 64))
    a, b = region.halfspaces
    assert method in ("exact", "rejection", "chain")
    assert (w @ a.T <= b + 1e-9).all()
    np.testing.assert_allclose(w.sum(1), 1, atol=1e-9)
