"""Global sensitivity indices against published and analytic values, and slow twins."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from perfmethod.sensitivity.designs import base_sample, correlated_inputs, correlated_uniforms
from perfmethod.sensitivity.estimators import FIRST_ORDER, TOTAL, RowMeans, sobol_indices
from perfmethod.sensitivity.global_indices import global_indices
from perfmethod.sensitivity.indices import Effect
from perfmethod.sensitivity.shapley import shapley_effects, shapley_of_costs, walk
from tests.sensitivity_models import (
    ISHIGAMI,
    ISHIGAMI_VARIANCE,
    Array,
    g_function,
    g_indices,
    ishigami,
)

ALL = ("first", "total", "closed", "shapley")


def mixed(model: Callable[[Array], Array], a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Outputs on A, B and A with each column from B."""
    d = a.shape[1]
    return model(a), model(b), np.array([model(np.where(np.arange(d) == i, b, a))
                                         for i in range(d)])  # fmt: skip


def test_coinr_on_its_own_sample(reference: Path) -> None:
    """COINr 1.1.14 SA_estimate: Si and STi on the sample it was given (500 rows, 5 designs)."""
    sample = pd.read_csv(reference / "asem" / "sa_estimator_sample.csv")
    theirs = pd.read_csv(reference / "asem" / "sa_estimator_indices.csv").set_index("fun")
    for name in ("linear", "ishigami"):
        y = sample[f"y_{name}"].to_numpy().reshape(5, 500)
        first, total = sobol_indices(y[0], y[1], y[2:], center=False, ddof=1)
        np.testing.assert_allclose(first, theirs.loc[name, "Si"], rtol=1e-12)
        np.testing.assert_allclose(total, theirs.loc[name, "STi"], rtol=1e-12)
        both = np.concatenate([y[0], y[1]]).var(ddof=1)
        assert both == pytest.approx(theirs.loc[name, "varY"].iloc[0], rel=1e-13)


# SALib 1.6.0, analyze.sobol.analyze(calc_second_order=False) on the same outputs: S1, then ST
SALIB = {
    "linear": (
        [0.05225362493356411, 0.2562982971837791, 0.6346449405000554],
        [0.0758018879324422, 0.284719243203623, 0.6661530459223657],
    ),
    "ishigami": (
        [0.3672847888850696, 0.43776192427537414, 0.04695702649190816],
        [0.5612312029614362, 0.4486224567062907, 0.22331514199964006],
    ),
}


@pytest.mark.parametrize("name", SALIB)
def test_salib_on_the_same_sample(reference: Path, name: str) -> None:
    """SALib centers by the mean of all designs, not of A and B; the rest is the same."""
    sample = pd.read_csv(reference / "asem" / "sa_estimator_sample.csv")
    y = sample[f"y_{name}"].to_numpy().reshape(5, 500)
    centered = y - y.mean()
    first, total = sobol_indices(centered[0], centered[1], centered[2:], center=False)
    np.testing.assert_allclose((first, total), SALIB[name], rtol=1e-12)
    np.testing.assert_allclose(sobol_indices(y[0], y[1], y[2:])[1], SALIB[name][1], rtol=1e-12)


def test_published_ishigami_indices(reference: Path) -> None:
    """The case holds the analytic values and what SALib and scipy find with 2**15 rows."""
    case = json.loads((reference / "mcda" / "cases" / "sobol_ishigami.json").read_text())
    n = case["inputs"]["n_estimators"]
    found = global_indices(ishigami, 3, n, seed=0, resamples=0)
    ours = np.concatenate([found.effects[k].index[:, 0] for k in ("first", "total")])
    np.testing.assert_allclose(case["reference"], np.concatenate(
        [ISHIGAMI["first"][:3], ISHIGAMI["total"][:3]]), rtol=1e-14)  # fmt: skip
    np.testing.assert_allclose(ours, case["reference"], rtol=0, atol=2e-4)
    for package in case["package_values"].values():
        np.testing.assert_allclose(ours, package, rtol=0, atol=case["tolerance"])


def test_scipy_on_the_same_outputs() -> None:
    a, b = base_sample("sobol", np.random.default_rng(3), 256, 3)

    def model(x: Array) -> Array:
        return np.stack([ishigami(x), 50 + x.sum(1)], 1)

    f_a, f_b, f_ab = mixed(model, a, b)
    found = stats.sobol_indices(
        func={"f_A": f_a.T, "f_B": f_b.T, "f_AB": f_ab.transpose(0, 2, 1)}, n=256
    )
    first, total = sobol_indices(f_a, f_b, f_ab)
    np.testing.assert_allclose(first.T, found.first_order, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(total.T, found.total_order, rtol=1e-9, atol=1e-12)


def test_published_values_of_the_g_function() -> None:
    """Values in the tests of SALib 1.5 (tests/test_test_functions.py), to the digits there.

    Its total indices are not used: they differ from the definition (0.0310 for a = 78, where
    0.0003 is exact), which its tolerance of 0.01 does not show.
    """
    a = np.array([78, 12, 0.5, 2, 97, 33])
    published = [0.000276, 0.010195, 0.765743, 0.191436, 0.000179, 0.001490]
    np.testing.assert_allclose(g_indices(a)["first"], published, rtol=0, atol=6e-7)
    found = global_indices(lambda u: g_function(u, a), 6, 2**15, seed=0, resamples=0)
    assert found.variance[0] == pytest.approx(0.19347, abs=2e-5)
    np.testing.assert_allclose(found.effects["first"].index[:, 0], published, rtol=0, atol=3e-4)
    np.testing.assert_allclose(
        found.effects["total"].index[:, 0], g_indices(a)["total"], rtol=0, atol=3e-4
    )


@pytest.mark.parametrize("first", FIRST_ORDER)
@pytest.mark.parametrize("total", TOTAL)
def test_every_estimator_finds_the_exact_indices(first: str, total: str) -> None:
    def both(u: Array) -> Array:
        return np.stack([ishigami(u), ishigami(u) * 1e-6 + 4], 1)

    found = global_indices(both, 4, 8192, seed=1, effects=ALL, first=first, total=total,
                           resamples=0)  # fmt: skip
    assert found.variance[0] == pytest.approx(ISHIGAMI_VARIANCE, rel=2e-3)
    for kind, exact in ISHIGAMI.items():
        tolerance = 0.02 if kind == "shapley" else 0.006  # random orders are no Sobol' sequence
        for j in range(2):
            np.testing.assert_allclose(found.effects[kind].index[:, j], exact, atol=tolerance)


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_the_stated_error_is_the_error(sampler: str) -> None:
    """Errors over seeds, in standard errors, are of size 1: from the bootstrap of random rows, and
    from replicates of Sobol' sequences."""
    z = []
    for seed in range(8):
        more = {"resamples": 200} if sampler == "random" else {"replicates": 16}
        found = global_indices(g_function, 6, 2048, seed=seed, effects=("first", "total",
                               "shapley"), sampler=sampler, **more)  # fmt: skip
        for kind, exact in g_indices().items():
            effect = found.effects[kind]
            z += [((effect.index[:, 0] - exact) / effect.standard_error()[:, 0])[:4]]
    rms = np.sqrt(np.mean(np.square(z), axis=0))
    assert 0.6 < np.sqrt(np.mean(np.square(z))) < 1.35
    assert (rms < 1.7).all()


def test_brute_force_double_loop() -> None:
    """Variance of conditional means, and mean of conditional variances, by a loop in a loop."""
    rng = np.random.default_rng(5)

    def model(x: Array) -> Array:
        return np.asarray(x[:, 0] * x[:, 1] + 0.5 * x[:, 2])

    def outer(own: list[int], statistic: Callable[[Array], float]) -> Array:
        values = []
        for point in rng.random((600, 3)):
            x = rng.random((400, 3))
            x[:, own] = point[own]
            values.append(statistic(model(x)))
        return np.array(values)

    found = global_indices(model, {"a": [0], "bc": [1, 2]}, 4096, seed=0, resamples=0)
    variance = found.variance[0]
    means = outer([0], lambda y: float(y.mean()))
    inner = variance / 400  # what the inner loop's own noise adds
    first = (means.var() - inner * (1 - found.effects["first"].index[0, 0])) / variance
    total = outer([1, 2], lambda y: float(y.var(ddof=1))).mean() / variance
    # the loops' own errors are near 0.02
    assert found.effects["first"].index[0, 0] == pytest.approx(first, abs=0.06)
    assert found.effects["total"].index[0, 0] == pytest.approx(total, abs=0.06)


def test_a_null_factor_gets_exactly_zero() -> None:
    found = global_indices(ishigami, 4, 64, seed=0, effects=ALL, resamples=20)
    for kind in ("first", "total", "shapley"):
        assert not found.effects[kind].values[3].any()
    every = shapley_effects(ishigami, 4, 64, seed=0, resamples=20)
    for kind in ("first", "total", "shapley"):
        assert not every.effects[kind].values[3].any()
        assert every.effects[kind].values[:3].any(axis=(1, 2)).all()


@pytest.mark.parametrize("sampler", ["random", "sobol"])
def test_a_null_factor_adds_nothing_to_a_pair(sampler: str) -> None:
    found = global_indices(ishigami, 4, 64, seed=0, effects=ALL, resamples=5, sampler=sampler)
    closed, first = found.effects["closed"], found.effects["first"]
    for i, name in enumerate(("x1", "x2", "x3")):
        pair = closed.values[closed.names.index(f"{name} & x4")]
        np.testing.assert_allclose(pair, first.values[i], atol=1e-14)


def test_walk_is_its_slow_twin() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 5, 4))
    columns = {"x": [0, 3], "y": [1], "z": [2]}
    f_a, f_b = ishigami(a)[:, None], ishigami(b)[:, None]
    fast = dict(walk(lambda x: ishigami(x)[:, None], f_a, f_b, (a, b), columns,
                     np.random.default_rng(9)))  # fmt: skip
    turns = np.random.default_rng(9).permuted(np.tile(np.arange(3), (5, 1)), axis=1)
    slow = np.zeros((3, 5))
    for row in range(5):
        x, before = a[row].copy(), f_a[row, 0]
        for step in range(3):
            factor = int(np.flatnonzero(turns[row] == step)[0])
            own = list(columns.values())[factor]
            x[own] = b[row, own]
            after = ishigami(x[None])[0]
            slow[factor, row] = ((f_a[row, 0] - after) ** 2 - (f_a[row, 0] - before) ** 2) / 2
            before = after
    np.testing.assert_allclose(np.array([fast[i][:, 0] for i in range(3)]), slow, atol=1e-12)


def test_shapley_of_costs_is_the_mean_over_all_orders() -> None:
    costs = np.random.default_rng(2).random(16)
    slow = np.zeros(4)
    for order in permutations(range(4)):
        members = 0
        for i in order:
            slow[i] += (costs[members | 1 << i] - costs[members]) / 24
            members |= 1 << i
    np.testing.assert_allclose(shapley_of_costs(costs), slow, atol=1e-15)


def test_shapley_of_correlated_normals() -> None:
    """Iooss & Prieur (2019): for two normal inputs of a linear model, in closed form."""
    beta, sd, rho = np.array([1.0, 2.0]), np.array([1.0, 0.5]), 0.7
    covariance = np.diag(sd) @ [[1, rho], [rho, 1]] @ np.diag(sd)
    s = beta * sd
    variance = s @ s + 2 * rho * s.prod()
    exact = (s**2 * (1 - rho**2 / 2) + rho * s.prod() + s[::-1] ** 2 * rho**2 / 2) / variance
    pair = correlated_inputs([3, 4], covariance)
    for seed in range(4):
        found = shapley_effects(lambda x: x @ beta, 2, 2000, seed=seed, inputs=pair, resamples=200)
        effect = found.effects["shapley"]
        assert found.variance[0] == pytest.approx(variance, rel=0.15)
        assert effect.values.sum(0) == pytest.approx(1)
        assert (np.abs(effect.index - exact[:, None]) < 4 * effect.standard_error()).all()


def test_dependent_inputs_in_general() -> None:
    """Any linear model of normals: the costs are conditional variances, known exactly."""
    rng = np.random.default_rng(4)
    root = rng.standard_normal((4, 4))
    covariance, beta = root @ root.T + np.eye(4), np.array([1.0, -1.0, 0.5, 0.0])
    groups = {"a": [0], "b": [1, 3], "c": [2]}
    costs = [0.0]
    for members in range(1, 8):
        own = [j for i, g in enumerate(groups.values()) if members >> i & 1 for j in g]
        rest = [j for j in range(4) if j not in own]
        inside = covariance[np.ix_(own, own)]
        if rest:
            across = covariance[np.ix_(own, rest)]
            inside = inside - across @ np.linalg.inv(covariance[np.ix_(rest, rest)]) @ across.T
        costs.append(beta[own] @ inside @ beta[own])
    exact = {"shapley": shapley_of_costs(costs), "total": np.array([costs[1], costs[2], costs[4]]),
             "first": costs[7] - np.array([costs[6], costs[5], costs[3]])}  # fmt: skip
    found = shapley_effects(lambda x: x @ beta, groups, 20000, seed=0, resamples=200,
                            inputs=correlated_inputs(np.zeros(4), covariance))  # fmt: skip
    for kind, value in exact.items():
        effect = found.effects[kind]
        error = np.abs(effect.index[:, 0] - value / costs[7])
        assert (error < 4 * effect.standard_error()[:, 0]).all()


def test_an_unused_input_that_tells_of_a_used_one() -> None:
    inputs = correlated_uniforms([[1, 0.9], [0.9, 1]])
    found = shapley_effects(lambda x: x[:, 0], 2, 2000, seed=0, inputs=inputs, resamples=50)
    assert found.effects["total"].index[1, 0] == 0
    assert found.effects["shapley"].index[1, 0] > 0.3
    assert found.effects["first"].index[1, 0] > 0.7


def test_a_jackknife_leaves_out_one_replicate() -> None:
    values = np.random.default_rng(0).random((12, 2))
    means = RowMeans(12, replicates=3)(values)
    np.testing.assert_allclose(means[0], values.mean(0))
    np.testing.assert_allclose(means[2], np.delete(values, range(4, 8), axis=0).mean(0))


def test_standard_errors_by_hand() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((1, 9, 1))
    left = values[0, 1:, 0]
    jack = np.sqrt(7 / 8 * ((left - left.mean()) ** 2).sum())
    assert Effect(("a",), values, jackknife=True).standard_error()[0, 0] == pytest.approx(jack)
    assert Effect(("a",), values).standard_error()[0, 0] == pytest.approx(left.std(ddof=1))
    assert Effect(("a",), values[:, :1]).standard_error()[0, 0] == 0
    # the error of a mean of replicates is the usual one
    y = rng.random((40, 1))
    means = RowMeans(40, replicates=10)(y)[None]
    usual = y.reshape(10, 4).mean(1).std(ddof=1) / np.sqrt(10)
    assert Effect(("a",), means, jackknife=True).standard_error()[0, 0] == pytest.approx(usual)


def test_resamples_are_a_bootstrap_of_rows() -> None:
    values = np.random.default_rng(0).random((50, 3))
    mean = RowMeans(50, 300, np.random.default_rng(1))
    assert mean.counts.sum(1).tolist() == [50] * 300
    slow = np.array([np.repeat(values, c, axis=0).mean(0) for c in mean.counts])
    np.testing.assert_allclose(mean(values)[1:], slow, rtol=1e-12)
    assert mean.counts.var() == pytest.approx(0.98, abs=0.05)  # multinomial: 1 - 1/50


def test_constant_outputs_have_no_share() -> None:
    def model(u: Array) -> Array:
        return np.stack([u[:, 0], np.full(len(u), 0.1), 0.1 + 1e-18 * u[:, 0]], 1)

    for found in (global_indices(model, 2, 64, seed=0, effects=ALL, resamples=10),
                  shapley_effects(model, 2, 64, seed=0, resamples=10)):  # fmt: skip
        assert found.constant.tolist() == [False, True, True]
        assert found.variance[1:].tolist() == [0, 0]
        assert "2 constant" in repr(found)
        frame = found.to_frame("y2")
        assert frame["constant"].all()
        assert (frame[["index", "standard_error", "low", "high"]] == 0).all(axis=None)
        assert found.effects["shapley"].index[0, 0] == 1
    first, total = sobol_indices([1.0, 1], [1.0, 1], [[1.0, 1]], total="janon")
    assert (first[0], total[0]) == (0, 0)


def test_intervals_and_levels() -> None:
    wide = global_indices(ishigami, 4, 256, seed=0, confidence=0.99, sampler="random")
    narrow = global_indices(ishigami, 4, 256, seed=0, confidence=0.5, sampler="random")
    a, b = wide.to_frame(), narrow.to_frame()
    pd.testing.assert_series_equal(a["index"], b["index"])
    moving = a["standard_error"] > 0
    assert (a["low"] < b["low"])[moving].all()
    assert (a["high"] > b["high"])[moving].all()
    # percentiles of the resamples, worked out by hand
    values = wide.effects["total"].values[0, 1:, 0]
    assert a.query("effect == 'total'")["low"].iloc[0] == np.quantile(values, 0.005)
    jack = global_indices(ishigami, 4, 256, seed=0, replicates=8)
    row = jack.to_frame().iloc[0]
    half = stats.t(7).ppf(0.975) * row["standard_error"]
    assert row["high"] - row["index"] == pytest.approx(half)


def test_the_same_seed_gives_the_same_bytes() -> None:
    runs = [global_indices(ishigami, 4, 128, seed=s, effects=ALL) for s in (0, 0, 1)]
    bytes_ = [b"".join(e.values.tobytes() for e in r.effects.values()) for r in runs]
    assert bytes_[0] == bytes_[1] != bytes_[2]
    rng = np.random.default_rng(0)
    given = global_indices(ishigami, 4, 128, seed=rng, effects=ALL)
    assert given.effects["first"].values.tobytes() == runs[0].effects["first"].values.tobytes()


def test_results_are_read_only() -> None:
    found = global_indices(ishigami, 4, 64, seed=0)
    with pytest.raises(ValueError, match="read-only"):
        found.effects["first"].values[0] = 0
    assert repr(found) == (
        "<GlobalIndices first, total of 4 factors on 1 outputs; 384 evaluations>"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 100}, "found 100 rows; allowed with 'sobol': a power of 2, such as 64 or 128"),
        ({"n": 96, "replicates": 8}, "found 12 rows in each replicate"),
        ({"n": 64, "replicates": 7}, "a multiple"),
        ({"n": 1}, "n from 2"),
        ({"sampler": "sobel"}, "'sobol' or 'random'"),
        ({"first": "jensen"}, "did you mean 'jansen'"),
        ({"effects": ["firsts"]}, "did you mean 'first'"),
        ({"effects": []}, "found no effects"),
        ({"confidence": 95}, "found 95; allowed: between 0 and 1"),
        ({"resamples": 1}, "0 for none"),
        ({"factors": {"a": [0], "b": [0]}}, "each column from 0 on in exactly one"),
        ({"factors": {"a": [0], "b": []}}, "none for b"),
        ({"outputs": ["y", "z"]}, "found 2 names of outputs"),
        ({"model": lambda u: np.full(len(u), np.nan)}, "found 64 outputs that are no finite"),
        ({"model": lambda u: u.sum()}, r"the model returned shape \(\) for 64 points"),
    ],
)
def test_what_is_refused(arguments: dict[str, object], message: str) -> None:
    given = {"model": ishigami, "factors": 4, "n": 64, "seed": 0} | arguments
    with pytest.raises(ValueError, match=message):
        global_indices(**given)


def test_what_the_other_functions_refuse() -> None:
    with pytest.raises(ValueError, match="found 13 factors; allowed: at most 12"):
        shapley_effects(ishigami, 13, 8, seed=0)
    with pytest.raises(ValueError, match="n from 2"):
        shapley_effects(ishigami, 4, 1, seed=0)
    with pytest.raises(ValueError, match="positive definite"):
        correlated_inputs([0, 0], [[1, 2], [2, 1]])
    with pytest.raises(ValueError, match="diagonal"):
        correlated_uniforms([[2, 0], [0, 2]])
    with pytest.raises(ValueError, match="found 3 coalitions"):
        shapley_of_costs([0, 1, 2])
    with pytest.raises(ValueError, match=r"allowed: \(n,\), \(n,\), \(g, n\)"):
        sobol_indices([1.0, 2], [1.0, 2], [1.0, 2])
    with pytest.raises(ValueError, match="resamples need one"):
        RowMeans(5, 10)
