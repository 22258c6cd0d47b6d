"""Laws of moments and of the likelihood, and slow twins that work with whole matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import ClusterMoments, Components, Moments, robust_covariance
from perfmethod.reliability import variance_components as fit
from tests.dense_likelihood import Dense

FACETS = ("unit", "category", "rater", "dimension")


def survey(seed: int, raters: int = 24, dimensions: int = 1) -> tuple[np.ndarray, dict[str, Any]]:
    """Unbalanced ratings: raters in three categories, each rating some of five units."""
    rng = np.random.default_rng(seed)
    rows = [
        (unit, f"R{rater % 3}", rater, dimension)
        for rater in range(raters)
        for unit in rng.choice(5, rng.integers(1, 5), replace=False)
        for dimension in range(dimensions)
        if rng.random() < 0.9
    ]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(FACETS)}
    severity, quality = rng.normal(0, 8, raters), rng.normal(0, 6, 5)
    halo = rng.normal(0, 7, (raters, 5)) * (dimensions > 1)
    y = [70 + quality[u] + severity[r] + halo[r, u] for u, _, r, _ in rows]
    return np.rint(np.array(y) + rng.normal(0, 10, len(rows))).astype(int), columns


def tables(moments: Any) -> list[Any]:
    """Everything that a table of moments holds, for comparison bit by bit."""
    names = ("counts", "sums", "squares", "square", "sizes", "clusters", "cross")
    found = [np.asarray(getattr(moments, n)) for n in names if hasattr(moments, n)]
    found += [moments.cells.codes, np.array(moments.cells.levels, dtype=object)]
    if isinstance(moments, ClusterMoments):
        found += [moments.pairs.places, moments.pairs.values]
    return found


def same(a: Any, b: Any) -> bool:
    """Equal bit for bit, labels included."""
    pairs = zip(tables(a), tables(b), strict=True)
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in pairs)


# --- moments


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.randoms(use_true_random=False))
def test_ratings_in_any_order_and_any_pieces_give_the_same_bits(seed, pieces, shuffler):
    y, columns = survey(seed, 12)
    order = list(range(len(y)))
    shuffler.shuffle(order)
    whole = Moments.of(y, columns)
    parts = [order[k::pieces] for k in range(pieces)]
    reduced = [
        Moments.of(y[part], {f: np.array(c)[part] for f, c in columns.items()}) for part in parts
    ]
    merged = reduced[0]
    for part in reduced[1:]:
        merged = part + merged if shuffler.random() < 0.5 else merged + part
    assert same(merged, whole)
    assert same(merged.group("unit"), Moments.of(y, unit=columns["unit"]))


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_raters_in_any_pieces_give_the_same_bits(seed, pieces):
    y, columns = survey(seed)
    whole = ClusterMoments.of(Moments.of(y, columns), "rater", ["unit", "category"])
    rater = np.array(columns["rater"])
    parts = [np.flatnonzero(rater % pieces == k) for k in range(pieces)]
    reduced = [
        ClusterMoments.of_ratings(
            y[part], "rater", cells=["unit", "category"],
            **{f: np.array(c)[part] for f, c in columns.items()},
        )
        for part in parts
    ]  # fmt: skip
    merged = reduced[-1]
    for part in reduced[:-1]:
        merged = merged + part
    assert same(merged, whole)


@given(st.integers(0, 2**32 - 1), st.integers(-50, 120))
def test_a_shift_of_the_moments_is_a_shift_of_the_ratings(seed, by):
    y, columns = survey(seed)
    cells = ["unit", "category"]
    moved = ClusterMoments.of(Moments.of(y, columns), "rater", cells).shifted(by)
    assert same(moved, ClusterMoments.of(Moments.of(y - by, columns), "rater", cells))


def test_tables_by_size_of_cluster_do_not_grow_with_raters():
    y, columns = survey(3, 30)
    many = np.tile(y, 40)
    repeated = {f: np.tile(np.array(c, object), 40) for f, c in columns.items()}
    repeated["rater"] = repeated["rater"] + 1000 * np.repeat(np.arange(40), len(y))
    few_ = ClusterMoments.of(Moments.of(y, columns), "rater", ["unit", "category"])
    lots = ClusterMoments.of(Moments.of(many, repeated), "rater", ["unit", "category"])
    assert lots.total == 40 * few_.total
    for mine, its in zip(tables(few_), tables(lots), strict=True):
        assert mine.shape == its.shape
    np.testing.assert_array_equal(lots.cross, 40 * few_.cross)
    np.testing.assert_array_equal(lots.pairs.values, 40 * few_.pairs.values)


def test_categories_in_an_order_of_their_own_are_sorted():
    plain = Moments.of([3, 1, 2], unit=["b", "c", "a"])
    column = pd.Categorical(["b", "c", "a"], categories=["c", "x", "a", "b"], ordered=True)
    assert same(Moments.of([3, 1, 2], unit=column), plain)


def test_nan_is_no_rating_and_names_of_unrated_levels_are_not_kept():
    table = Moments.of([1.5, np.nan, 2.0], unit=["a", "b", "c"])
    assert table.cells.levels == (("a", "c"),)
    assert table.decimals == 1
    assert table.to_frame()["mean"].tolist() == [1.5, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        table.counts[0] = 3


# --- likelihood

MODELS = [
    (["unit", "rater"], []),
    (["unit", "rater"], ["category"]),
    (["unit", "rater", "unit:category"], ["category"]),
    (["unit", "category", "rater"], []),
]


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize(("random", "fixed"), MODELS)
@pytest.mark.parametrize("seed", [0, 1])
def test_optimum_equals_a_search_on_the_dense_likelihood(random, fixed, method, seed):
    y, columns = survey(seed)
    found = fit(Moments.of(y, columns), random, fixed, method=method)
    assert found.converged
    dense = Dense(y, columns, random, fixed)
    assert found.criterion == pytest.approx(dense.criterion(found.variances, method), rel=1e-12)
    variances, lowest = dense.optimum(np.maximum(found.variances, 1.0), method)
    assert found.criterion <= lowest + 1e-9
    np.testing.assert_allclose(found.variances, variances, rtol=2e-4, atol=0.02)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_standard_errors_are_those_of_the_dense_likelihood(method):
    y, columns = survey(0)
    random = ["unit", "rater"]
    found = fit(Moments.of(y, columns), random, ["category"], method=method)
    dense = Dense(y, columns, random, ["category"])
    x, step = found.variances, 1e-3 * found.variances
    hessian = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            hessian[i, j] = sum(
                a * b * dense.criterion(x + a * step * np.eye(3)[i] + b * step * np.eye(3)[j],
                                        method)
                for a in (-1, 1) for b in (-1, 1)
            ) / (4 * step[i] * step[j])  # fmt: skip
    np.testing.assert_allclose(found.covariance, 2 * np.linalg.inv(hessian), rtol=2e-4)
    lower, upper = found.intervals().T
    z = 1.959963984540054
    far = x > found.standard_errors / 3  # nearer to zero the interval is the profile's
    assert far.sum() >= 2
    np.testing.assert_allclose(np.sqrt(lower * upper)[far], x[far], rtol=1e-12)
    ratio = 2 * z * found.standard_errors / x
    np.testing.assert_allclose(np.log(upper[far] / lower[far]), ratio[far], rtol=1e-9)
    profile = found.intervals(method="profile")
    np.testing.assert_array_equal(found.intervals()[~far], profile[~far])


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_profile_ends_are_where_the_dense_likelihood_ratio_says(method):
    y, columns = survey(1)
    random = ["unit", "rater"]
    found = fit(Moments.of(y, columns), random, method=method)
    dense = Dense(y, columns, random)
    threshold = 3.841458820694124  # chi-square, 1 degree of freedom
    for k, ends in enumerate(found.intervals(method="profile")):
        for end in ends:
            if end == 0:
                continue
            others = [i for i in range(3) if i != k]

            def held(roots, k=k, end=end, others=others):
                variances = np.empty(3)
                variances[k], variances[others] = end, roots**2
                return dense.criterion(variances, method)

            from scipy.optimize import minimize

            start = np.sqrt(np.maximum(found.variances[others], 1.0))
            options = {"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000}
            lowest = minimize(held, start, method="Nelder-Mead", options=options).fun
            assert lowest - found.criterion == pytest.approx(threshold, abs=1e-6)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_effects_equal_the_dense_predictions(method):
    y, columns = survey(2)
    random = ["unit", "rater", "unit:category"]
    found = fit(Moments.of(y, columns), random, ["category"], method=method)
    dense = Dense(y, columns, random, ["category"])
    for k, term in enumerate(random):
        effects, errors, known = dense.predictions(found.variances, k)
        ours = found.effects(term)
        np.testing.assert_allclose(ours["effect"], effects, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(ours["standard_error"], errors, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(ours["conditional_error"], known, rtol=1e-7, atol=1e-7)


def test_two_nested_terms_eliminated_equal_one(monkeypatch):
    y, columns = survey(4, dimensions=3)
    random = ["unit", "rater", "unit:rater", "unit:dimension"]
    arguments = (Moments.of(y, columns), random, ["category", "dimension"])
    for method in ("REML", "ML"):
        single = fit(*arguments, method=method)
        with monkeypatch.context() as patch:
            patch.setattr("perfmethod.reliability.reml._LARGE", 10)
            double = fit(*arguments, method=method)
        assert double._model.terms[:2] == ("rater", "unit:rater")
        assert single.converged
        assert double.converged
        assert double.criterion == pytest.approx(single.criterion, rel=1e-12)
        np.testing.assert_allclose(double.variances, single.variances, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(double.covariance, single.covariance, rtol=1e-5, atol=1e-9)
        for term in random:
            a, b = single.effects(term), double.effects(term)
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)
        robust = robust_covariance(double)
        np.testing.assert_allclose(robust, robust_covariance(single), rtol=1e-5, atol=1e-8)
        assert not np.allclose(robust, double.covariance, rtol=0.05)


def test_gradient_and_hessian_are_those_of_differences(monkeypatch):
    y, columns = survey(5, dimensions=3)
    random = ["unit", "rater", "unit:rater", "unit:dimension"]
    for large, terms in ((10**6, 1), (10, 2)):
        monkeypatch.setattr("perfmethod.reliability.reml._LARGE", large)
        for method in ("REML", "ML"):
            found = fit(Moments.of(y, columns), random, ["category"], method=method)
            criterion = found._model.criterion
            assert criterion.elimination.count == terms
            for ratios in (np.full(4, 0.4), np.array([0.05, 1.2, 0.3, 0.01])):
                here, step = criterion.at(ratios), 1e-4 * ratios
                ends = [[criterion.at(ratios + s * step * e) for s in (-1, 1)] for e in np.eye(4)]
                slope = [(b.value - a.value) for a, b in ends] / (2 * step)
                bend = np.array([b.gradient - a.gradient for a, b in ends]) / (2 * step[:, None])
                np.testing.assert_allclose(here.gradient, slope, rtol=1e-5, atol=1e-5)
                scale = np.outer(ratios, ratios)
                np.testing.assert_allclose(here.hessian * scale, bend * scale, rtol=1e-5, atol=1e-5)


def refit(y: Any, columns: dict[str, Any], **more: Any) -> Components:
    return fit(Moments.of(y, columns, **more), ["unit", "rater"], ["category"])


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(-(10**6), 10**6), st.integers(1, 50))
def test_shift_and_scale_of_ratings(seed, shift, scale):
    y, columns = survey(seed)
    here = refit(y, columns)
    assume(here.converged)
    there = refit(scale * y + shift, columns)
    np.testing.assert_allclose(there.variances, scale**2 * here.variances, rtol=1e-5, atol=1e-6)
    assert there.criterion == pytest.approx(
        here.criterion + 2 * np.log(scale) * (len(y) - 3), rel=1e-10
    )
    decimal = refit(y / 10, columns)
    np.testing.assert_allclose(decimal.variances, here.variances / 100, rtol=1e-5, atol=1e-8)
    assert decimal.fixed_effects()["estimate"].iloc[0] == pytest.approx(
        here.fixed_effects()["estimate"].iloc[0] / 10, rel=1e-6
    )


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["REML", "ML"]))
def test_every_fit_converges_to_what_it_says(seed, method):
    y, columns = survey(seed, 16)
    found = fit(Moments.of(y, columns), ["unit", "rater", "category"], method=method)
    assert found.converged
    assert found.gradient_norm <= found.tolerance
    assert (found.variances >= 0).all()
    assert found.boundary == tuple(
        t for t, v in zip(found.terms, found.variances, strict=True) if v == 0
    )
    eigenvalues = np.linalg.eigvalsh(found.covariance)
    assert eigenvalues.min() >= -1e-9 * max(eigenvalues.max(), 1)
    # no neighbor is better, by a likelihood that shares no code
    dense = Dense(y, columns, ["unit", "rater", "category"])
    for k in range(4):
        for factor in (0.98, 1.02):
            near = found.variances.copy()
            near[k] = near[k] * factor + (0.05 if near[k] == 0 and factor > 1 else 0.0)
            assert dense.criterion(near, method) >= found.criterion - 1e-9


def test_an_unfinished_search_says_so():
    y, columns = survey(0)
    found = fit(Moments.of(y, columns), ["unit", "rater"], tolerance=1e-300)
    assert not found.converged
    assert "NOT converged" in repr(found)


def test_aliased_levels_are_named():
    y, columns = survey(0)
    columns["mode"] = [{"R0": "online", "R1": "paper", "R2": "paper"}[c]
                       for c in columns["category"]]  # fmt: skip
    found = fit(Moments.of(y, columns), ["unit", "rater"], ["category", "mode"])
    assert found.aliased == ("category[R2]", "mode[online]", "mode[paper]")
    plain = fit(Moments.of(y, columns), ["unit", "rater"], ["category"])
    np.testing.assert_allclose(found.variances, plain.variances, rtol=1e-7)


# --- blocks


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("category", ["fixed", "random"])
def test_blocks_equal_dense_equations(monkeypatch, method, category):
    y, columns = survey(6)
    random = ["unit", "unit:category", "rater", *(["category"] if category == "random" else [])]
    fixed = ["category"] if category == "fixed" else []
    blocked = fit(Moments.of(y, columns), random, fixed, method=method)
    with monkeypatch.context() as patch:
        patch.setattr("perfmethod.reliability.layout.Layout.in_blocks", lambda self, *_: self)
        dense = fit(Moments.of(y, columns), random, fixed, method=method)
    inner, outer = blocked._model.criterion, dense._model.criterion
    assert inner.layout.frame.blocks.shape == (3, 5)  # categories, units
    assert outer.layout.frame.blocks.size == 0
    for ratios in ([0.4] * len(random), [0.05, 1.2, 0.3, 0.1][: len(random)], [0.3, 0.0, 0.0, 0.2]):
        a, b = (c.at(np.array(ratios[: len(random)])) for c in (inner, outer))
        assert a.value == pytest.approx(b.value, rel=1e-13)
        np.testing.assert_allclose(a.gradient, b.gradient, rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(a.hessian, b.hessian, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(a.inverse, b.inverse, atol=1e-13)
        np.testing.assert_allclose(a.solution, b.solution, rtol=1e-9, atol=1e-11)
    for term in random:
        np.testing.assert_allclose(blocked.effects(term), dense.effects(term), rtol=1e-5, atol=1e-6)


def test_blocks_of_different_lengths():
    from perfmethod.reliability.bordered import Frame

    # pairs 0-1, 1-4, 2-3 among five: blocks {0, 1, 4}, {2, 3}; column 8 of 9 comes after them
    first, second = np.array([[0, 1], [1, 4], [2, 3]]).T
    frame = Frame.of(9, np.arange(5) + 3, first, second)
    assert frame is None  # two times three cubed is no quarter of five cubed
    # a sixth, which touches none, has room in the second block
    frame = Frame.of(10, np.arange(6) + 3, first, second)
    assert frame.blocks.tolist() == [[3, 4, 7], [5, 6, 8]]
    own = np.arange(30)
    chain = own[own % 3 < 2]
    frame = Frame.of(32, own, chain, chain + 1)
    assert frame.blocks.shape == (10, 3)
    assert frame.rest.tolist() == [30, 31]
    shorter = Frame.of(32, own[:29], chain[:-1], chain[:-1] + 1)
    assert sorted(shorter.blocks.ravel().tolist())[-2:] == [28, 32]
    vector = np.arange(32.0)
    np.testing.assert_array_equal(shorter.join(*shorter.split(vector)), vector)


# --- uncertainty without normal answers


def test_robust_covariance_from_whole_matrices():
    from perfmethod.reliability.robust import _away

    y, columns = survey(7, 60)
    random = ["unit", "rater"]
    found = fit(Moments.of(y, columns), random, ["category"])
    dense = Dense(y, columns, random, ["category"])
    v = np.linalg.inv(dense.covariance(found.variances))
    p = v - v @ dense.x @ np.linalg.solve(dense.x.T @ v @ dense.x, dense.x.T @ v)
    z, left = dense.z[1], p @ dense.y
    away = _away(found, found._model.source, "rater", [1, 2])
    np.testing.assert_allclose(
        away[0], (z.T @ left) ** 2 - np.diag(z.T @ p @ z), rtol=1e-7, atol=1e-10
    )
    rest = z.T @ left**2 - away[1]
    np.testing.assert_allclose(rest, z.T @ np.diag(p), rtol=0.03)  # units spread over the ratings
    np.testing.assert_allclose(away.sum(axis=1), 0, atol=1e-8)  # the equations of the estimate
    # the sandwich from its parts
    hessian = 2 * np.linalg.inv(found.covariance)  # of the criterion, observed
    middle = 2 * hessian
    middle[1:, 1:] = away @ away.T * away.shape[1] / (away.shape[1] - 1)
    bread = np.linalg.inv(hessian)
    np.testing.assert_allclose(robust_covariance(found), bread @ middle @ bread, rtol=1e-8)


def test_a_robust_block_that_does_not_go_with_the_rest():
    from perfmethod.reliability.robust import _replaced

    normal = np.array([[4.0, 1.8, 0.2], [1.8, 1.0, 0.1], [0.2, 0.1, 2.0]])
    own = np.array([1, 2])
    mild = np.array([[1.5, 0.3], [0.3, 2.5]])
    found = _replaced(normal, own, mild)
    np.testing.assert_array_equal(found[1:, 1:], mild)
    np.testing.assert_array_equal(found[0], normal[0])
    for small in (np.diag([0.2, 2.0]), np.diag([0.0, 2.0])):
        plain = normal.copy()
        plain[1:, 1:] = small
        assert np.linalg.eigvalsh(plain)[0] < 0
        found = _replaced(normal, own, small)
        np.testing.assert_allclose(found[1:, 1:], small, atol=1e-12)
        assert found[0, 0] == normal[0, 0]
        assert np.linalg.eigvalsh(found)[0] > -1e-12
    # the correlation stays what it was
    apart = _replaced(normal[:2, :2], own[:1], np.array([[0.2]]))
    assert apart[0, 1] / np.sqrt(apart[0, 0] * 0.2) == pytest.approx(1.8 / 2)


def test_robust_and_normal_agree_on_normal_answers():
    rng = np.random.default_rng(0)
    per = rng.integers(1, 9, 2_000)
    rater = np.repeat(np.arange(2_000), per)
    unit = np.concatenate([rng.choice(40, n, replace=False) for n in per])
    y = rng.normal(0, 4, 40)[unit] + rng.normal(0, 6, 2_000)[rater] + rng.normal(0, 12, len(rater))
    found = fit(Moments.of(np.rint(100 * y).astype(int), unit=unit, rater=rater), ["unit", "rater"])
    wald, robust = (found.intervals(method=method) for method in ("wald", "robust"))
    widths = np.log(robust[:, 1] / robust[:, 0]) / np.log(wald[:, 1] / wald[:, 0])
    # 2,000 raters tell a standard error of theirs to some 3 %
    np.testing.assert_allclose(widths, 1, atol=0.1)


def test_robust_intervals_are_wider_where_some_raters_answer_at_random():
    rng = np.random.default_rng(1)
    rater, unit = np.repeat(np.arange(200), 10), np.tile(np.arange(10), 200)
    noise = np.where(np.arange(200) % 10 == 0, 40, 5)[rater] * rng.normal(size=2_000)
    y = rng.normal(0, 4, 10)[unit] + rng.normal(0, 6, 200)[rater] + noise
    found = fit(Moments.of(np.rint(100 * y).astype(int), unit=unit, rater=rater), ["unit", "rater"])
    wald, robust = (found.intervals(method=method)[-1] for method in ("wald", "robust"))
    assert np.log(robust[1] / robust[0]) > 3 * np.log(wald[1] / wald[0])


def test_robust_refusals():
    y, columns = survey(0)
    table = Moments.of(y, columns)
    with pytest.raises(PerfmethodError, match="fit from Moments"):
        fit(ClusterMoments.of(table, "rater", ["unit"]), ["unit", "rater"]).intervals(
            method="robust"
        )
    with pytest.raises(PerfmethodError, match="by: found 'judge'"):
        robust_covariance(fit(table, ["unit", "rater"]), "judge")
