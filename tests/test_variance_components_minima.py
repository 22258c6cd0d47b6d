"""Fits end at the lowest point there is, whatever the unit of the ratings; zeros are exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import (
    Components,
    Moments,
    intraclass_correlations,
    reliability_of_means,
    reml,
)
from perfmethod.reliability import variance_components as fit
from perfmethod.reliability.newton import minimize
from tests.dense_likelihood import Dense

MODELS = [
    (["unit", "unit:dimension", "rater", "unit:rater"], ["dimension"]),
    (["unit", "rater"], []),
    (["unit", "unit:dimension", "rater", "unit:rater"], []),
    (["unit", "rater", "dimension"], []),
    (["unit", "rater", "unit:rater"], ["dimension"]),
    (["unit"], []),
    (["rater", "unit:dimension"], ["unit"]),
]

# units 3, raters 3, dimensions 2: Henderson's estimate of unit:dimension is zero up to rounding
COARSE = [3, 3, 4, 4, 4, 4, 1, 1, 3, 2, 2, 1, 3, 4, 3, 2, 3, 4]


def design(seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """A few answers on a coarse scale, one table in two with holes."""
    rng = np.random.default_rng(seed)
    u, r, d = (i.ravel() for i in np.indices(tuple(rng.integers(2, 5, 3))))
    if seed % 2:
        kept = rng.random(len(u)) < 0.75
        u, r, d = u[kept], r[kept], d[kept]
    y = rng.integers(1, 5, len(u)) + (rng.integers(0, 2, 5)[u] if seed % 3 else 0)
    return y, {"unit": u, "rater": r, "dimension": d}


def fits(seed: int, scales: tuple[int, ...]) -> list[Components] | None:
    """The same answers in several units; None for a design that a model does not suit."""
    y, facets = design(seed)
    random, fixed = MODELS[seed % len(MODELS)]
    method = ("REML", "ML")[seed // len(MODELS) % 2]
    try:
        return [fit(Moments.of(a * y, facets), random, fixed, method=method) for a in scales]
    except PerfmethodError:
        return None


def lowest(dense: Dense, method: str, rng: np.random.Generator, starts: int = 8) -> float:
    """Best of many searches on the dense likelihood, the residual profiled out."""
    y, x, n = dense.y, dense.x, len(dense.y)
    df = n - x.shape[1] * (method == "REML")
    squares = [z @ z.T for z in dense.z]

    def criterion(ratios: np.ndarray) -> tuple[float, np.ndarray]:
        v = np.eye(n) + np.tensordot(ratios, squares, 1)
        w = np.linalg.inv(v)
        information = x.T @ w @ x
        p = w - w @ x @ np.linalg.solve(information, x.T @ w)
        q = y @ p @ y
        logs = np.linalg.slogdet(v)[1]
        logs += np.linalg.slogdet(information)[1] if method == "REML" else 0.0
        about = p if method == "REML" else w
        slope = [(about * s).sum() - df * (p @ y) @ s @ (p @ y) / q for s in squares]
        return float(logs + df * (1 + np.log(2 * np.pi * q / df))), np.array(slope)

    t = len(squares)
    first = [np.zeros(t), np.ones(t)]
    more = [10 ** rng.uniform(-3, 1.5, t) * (rng.random(t) < 0.75) for _ in range(starts - 2)]
    return min(
        float(optimize.minimize(criterion, x0, jac=True, method="L-BFGS-B", bounds=[(0, 1e6)] * t,
                                options={"ftol": 1e-15, "gtol": 1e-9}).fun)
        for x0 in first + more
    )  # fmt: skip


@pytest.mark.parametrize("scale", [1, 10, 1000])
def test_a_start_of_zero_up_to_rounding_holds_no_search_back(scale):
    u, r, d = (i.ravel() for i in np.indices((3, 3, 2)))
    y = scale * np.array(COARSE)
    found = fit(Moments.of(y, unit=u, rater=r, dimension=d), *MODELS[0])
    assert found.converged
    assert found.boundary == ("rater",)
    # lme4 1.1: 42.87563; variances 25/27, 1/27, 0, 5/18, 5/18 by the analysis of variance
    criterion = found.criterion - 2 * np.log(scale) * (18 - 2)
    assert criterion == pytest.approx(42.87563, abs=5e-6)
    wanted = np.array([25 / 27, 1 / 27, 0, 5 / 18, 5 / 18])
    np.testing.assert_allclose(found.variances / scale**2, wanted, rtol=1e-7)


@pytest.mark.parametrize("block", range(4))
def test_no_search_from_elsewhere_ends_lower(block):
    rng, checked = np.random.default_rng(block), 0
    for seed in range(100 * block, 100 * block + 100):
        scale = (1, 4, 10, 1000)[seed // 2 % 4]
        found = fits(seed, (scale,))
        if found is None:
            continue
        y, facets = design(seed)
        random, fixed = MODELS[seed % len(MODELS)]
        dense = Dense(scale * y, facets, random, fixed)
        assert found[0].converged, seed
        assert found[0].criterion <= lowest(dense, found[0].method, rng) + 1e-7, seed
        checked += 1
    assert checked >= 90


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1), st.integers(2, 100))
def test_variances_have_the_unit_of_the_ratings_squared(seed, scale):
    found = fits(seed, (1, scale))
    if found is None or not (found[0].converged and found[1].converged):
        return
    one, other = found
    size = one.variances.max()
    np.testing.assert_allclose(other.variances / scale**2, one.variances, rtol=0, atol=1e-6 * size)
    assert one.boundary == other.boundary
    shift = 2 * np.log(scale) * one._model.criterion.df
    assert other.criterion - shift == pytest.approx(one.criterion, abs=1e-6)
    # what counts as zero is zero, and what is not is named as it is
    for k in (one, other):
        assert k.boundary == tuple(
            t for t, v in zip(k.terms, k.variances, strict=True) if v < 1e-9 * size
        )


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(2, 100))
def test_nested_terms_eliminated_together_have_the_unit_too(seed, scale):
    y, facets = design(seed)
    random = ["rater", "unit:rater"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reml, "_LARGE", 0)
        try:
            one, other = (fit(Moments.of(a * y, facets), random) for a in (1, scale))
        except PerfmethodError:
            return
    np.testing.assert_allclose(
        other.variances / scale**2, one.variances, rtol=0, atol=1e-6 * one.variances.max()
    )
    assert one.boundary == other.boundary


@settings(max_examples=6)
@given(st.integers(0, 2**32 - 1), st.integers(2, 1000))
def test_coefficients_have_no_unit(seed, scale):
    rng = np.random.default_rng(seed)
    table = rng.integers(1, 5, (6, 4)).astype(float)
    table[rng.random(table.shape) < 0.15] = np.nan
    try:
        one, other = (intraclass_correlations(a * table) for a in (1, scale))
        means = [reliability_of_means(a * table) for a in (1, scale)]
    except PerfmethodError:
        return
    for a, b in [(one, other), (means[0].coefficients, means[1].coefficients)]:
        for x, z in zip(a, b, strict=True):
            assert x.value == pytest.approx(z.value, abs=1e-6)
            assert x.low == pytest.approx(z.low, abs=1e-5, nan_ok=True)


def test_a_lower_minimum_away_from_the_boundary_is_found():
    """Two minima of the likelihood; from Henderson's start the search ends at the higher one."""
    y = [5, 5, 5, 2, 1, 5, 5, 1, 1, 3, 4]
    facets = {
        "unit": [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
        "rater": [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1],
        "dimension": [0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
    }
    random, fixed = MODELS[4]
    found = fit(Moments.of(y, facets), random, fixed, method="ML")
    dense = Dense(y, facets, random, fixed)
    assert found.criterion <= lowest(dense, "ML", np.random.default_rng(0), 30) + 1e-8
    # the other one, with units at zero, has 32.87309
    assert found.criterion == pytest.approx(32.86974754, abs=1e-8)
    assert not found.boundary


# --- the search by itself


def bowl(center: float, unit: float = 1.0):
    """(x / unit - center)^2 for one variance."""

    def at(x: np.ndarray):
        away = x / unit - center
        return float(away @ away), 2 * away / unit, lambda: 2 * np.eye(1) / unit**2, None

    return at


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("start", [0.0, 1e-30, 1e-14, 1e-5, 1.0])
@pytest.mark.parametrize("center", [-0.5, 0.03, 2.0])
def test_a_search_ends_at_the_minimum_from_any_start_in_any_unit(center, start, unit):
    found = minimize(
        bowl(center, unit), np.array([start * unit]), scale=np.array([unit]), rounding=1e-14,
        tolerance=1e-8,
    )  # fmt: skip
    assert found.converged
    if center < 0:
        assert found.x[0] == 0.0
    else:
        assert found.x[0] / unit == pytest.approx(center, rel=1e-5)
