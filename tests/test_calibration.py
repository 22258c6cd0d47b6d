"""Calibration: what always holds, slow twins, and bad input."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.calibration import (
    Design,
    Margin,
    calibrate,
    design_effect,
    jackknife,
    kish_effective_size,
    post_stratify,
    rake,
    replicate_weights,
    trim,
    weighted_quantile,
)
from perfmethod.errors import InputError, PerfmethodError

SEEDS = st.integers(0, 2**32 - 1)


def sample(seed: int, n: int = 60) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Weights, labels of three margins in which everything occurs with everything, and a y."""
    rng = np.random.default_rng(seed)
    labels = [rng.permutation(np.arange(n) % k) for k in (2, 3, 4)]
    return rng.uniform(0.2, 5, n), labels, rng.normal(50, 10, n)


def reachable(w: np.ndarray, labels: list[np.ndarray], seed: int) -> list[Margin]:
    """Margins that some other positive weights have, so that raking can meet them."""
    other = w * np.random.default_rng(seed + 1).uniform(0.3, 3, len(w))
    return [
        Margin(f"m{k}", lab, pd.Series(other).groupby(lab).sum().to_dict())
        for k, lab in enumerate(labels)
    ]


# --- slow twins


def slow_raking(w: np.ndarray, margins: list[Margin], rounds: int = 3000) -> np.ndarray:
    """Member by member, as the rule is written down."""
    weights = [float(x) for x in w]
    for _ in range(rounds):
        before = list(weights)
        for margin in margins:
            for group, total in margin.totals.items():
                inside = [i for i, lab in enumerate(margin.labels) if lab == group]
                have = sum(weights[i] for i in inside)
                for i in inside:
                    weights[i] *= total / have
        if max(abs(a / b - 1) for a, b in zip(weights, before, strict=True)) < 1e-14:
            break
    return np.array(weights)


@settings(max_examples=10)
@given(SEEDS)
def test_raking_equals_a_loop_over_members_and_newtons_method(seed):
    w, labels, _ = sample(seed)
    margins = reachable(w, labels, seed)
    found = rake(w, margins, max_iterations=5000)
    np.testing.assert_allclose(found.weights, slow_raking(w, margins), rtol=1e-9)
    x = np.concatenate([m.labels[:, None] == np.array(list(m.totals)) for m in margins], axis=1)
    totals = [t for m in margins for t in m.totals.values()]
    other = calibrate(w, x.astype(float), totals, method="raking")
    np.testing.assert_allclose(found.weights, other.weights, rtol=1e-9)


@settings(max_examples=20)
@given(SEEDS)
def test_linear_calibration_is_the_closest_point_in_squares(seed):
    # the Lagrange conditions of min sum (w - d)^2 / d under X'w = T, as one linear system
    rng = np.random.default_rng(seed)
    n, p = 25, 3
    d, x = rng.uniform(1, 4, n), rng.normal(size=(n, p)) + 2
    totals = d @ x * rng.uniform(0.9, 1.1, p)
    system = np.block([[np.diag(1 / d), -x], [x.T, np.zeros((p, p))]])
    expected = np.linalg.solve(system, np.concatenate([np.ones(n), totals]))[:n]
    np.testing.assert_allclose(calibrate(d, x, totals).weights, expected, rtol=1e-8, atol=1e-9)


@settings(max_examples=10)
@given(SEEDS)
def test_estimates_are_functions_of_the_weights_whose_derivatives_are_used(seed):
    # the variance of independent draws is the sum of squared derivatives, got here by differences
    w, labels, y = sample(seed, 24)
    margin = Margin("m", labels[0], {0: 40.0, 1: 60.0})
    design = Design.of(w).post_stratify(margin)

    def estimate(weights: np.ndarray) -> float:
        fitted = post_stratify(weights, margin).weights
        return float(fitted @ y / fitted.sum())

    z = np.empty(len(w))
    for i in range(len(w)):
        step = np.zeros(len(w))
        step[i] = 1e-5 * w[i]
        z[i] = w[i] * (estimate(w + step) - estimate(w - step)) / (2 * step[i])
    n = len(w)
    expected = n / (n - 1) * ((z - z.mean()) ** 2).sum()
    found = design.mean(y).covariance.iloc[0, 0]
    assert found == pytest.approx(expected, rel=1e-6)


def test_jackknife_and_linearization_agree_in_large_samples():
    def gap(n: int) -> float:
        rng = np.random.default_rng(5)
        clusters = np.arange(n) // 3
        y = rng.normal(size=n) + rng.normal(size=n)[clusters]
        group = rng.integers(0, 2, n)
        margin = Margin("g", group, {0: n / 3, 1: 2 * n / 3})
        design = Design.of(np.ones(n), clusters=clusters).post_stratify(margin)
        slow = jackknife(design, lambda w: w @ y / w.sum()).standard_error[0]
        return abs(slow / design.mean(y).standard_error.iloc[0] - 1)

    gaps = [gap(n) for n in (90, 360, 1440)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.01


def test_jackknife_of_a_mean_without_calibration_is_the_textbook_formula():
    y = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    found = jackknife(Design.of(np.ones(5)), lambda w: w @ y / w.sum())
    assert found.covariance[0, 0] == pytest.approx(np.var(y, ddof=1) / 5, rel=1e-13)
    first = next(replicate_weights(Design.of(np.ones(5), population=10)))
    np.testing.assert_allclose(first.weights, [0, 1.25, 1.25, 1.25, 1.25])
    assert first.scale == pytest.approx(0.5 * 4 / 5)


# --- laws


@settings(max_examples=25)
@given(SEEDS)
def test_raking_meets_its_margins_and_says_so(seed):
    w, labels, _ = sample(seed)
    margins = reachable(w, labels, seed)
    found = rake(w, margins, max_iterations=5000)
    assert found.converged
    for margin in margins:
        have = pd.Series(found.weights).groupby(margin.labels).sum()
        np.testing.assert_allclose(have, pd.Series(margin.totals).sort_index(), rtol=2e-12)
    table = found.to_frame()
    np.testing.assert_allclose(table["after"], table["target"], rtol=2e-12)
    assert table["error"].max() <= 2e-12
    assert (found.weights > 0).all()


@settings(max_examples=15)
@given(SEEDS, st.floats(1e-6, 1e6))
def test_scale_of_the_weights_and_order_of_the_rows_do_not_matter(seed, factor):
    w, labels, y = sample(seed)
    margins = reachable(w, labels[:2], seed)
    found = rake(w, margins).weights
    np.testing.assert_allclose(rake(w * factor, margins).weights, found, rtol=1e-10)
    order = np.random.default_rng(seed).permutation(len(w))
    turned = [Margin(m.name, m.labels[order], m.totals) for m in margins]
    np.testing.assert_allclose(rake(w[order], turned).weights, found[order], rtol=1e-10)
    a = Design.of(w, clusters=labels[2]).rake(margins).mean(y)
    b = Design.of(w[order], clusters=labels[2][order]).rake(turned).mean(y[order])
    np.testing.assert_allclose(b.estimate, a.estimate, rtol=1e-10)
    np.testing.assert_allclose(b.standard_error, a.standard_error, rtol=1e-8)


@given(SEEDS)
@settings(max_examples=15)
def test_raking_with_one_margin_is_post_stratification(seed):
    w, labels, _ = sample(seed)
    (margin,) = reachable(w, labels[:1], seed)
    one, other = rake(w, [margin]), post_stratify(w, margin)
    np.testing.assert_array_equal(one.weights, other.weights)
    assert one.iterations == 1


@settings(max_examples=25)
@given(SEEDS, st.sampled_from(["linear", "raking", "logit", "bounded"]))
def test_a_calibrated_total_of_x_is_the_target_and_has_no_error(seed, kind):
    rng = np.random.default_rng(seed)
    d = rng.uniform(1, 5, 40)
    x = np.column_stack([np.ones(40), rng.normal(3, 1, 40), rng.integers(0, 2, 40)])
    totals = (d * rng.uniform(0.8, 1.3, 40)) @ x
    how = {
        "linear": {},
        "raking": {"method": "raking"},
        "logit": {"method": "logit", "bounds": (0.2, 4.0)},
        "bounded": {"bounds": (0.2, 4.0)},
    }[kind]
    design = Design.of(d).calibrate(x, totals, **how)
    found = design.total(x)
    np.testing.assert_allclose(found.estimate, totals, rtol=1e-10)
    assert (found.standard_error < 1e-7 * np.abs(totals).max()).all()
    assert design.calibration is not None
    factors = design.calibration.factors
    if "bounds" in how:
        assert factors.min() >= 0.2 - 1e-12
        assert factors.max() <= 4 + 1e-12
    if kind == "raking":
        assert factors.min() > 0


@settings(max_examples=50)
@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=30), st.data())
def test_trimming_keeps_the_sum_and_the_bounds(weights, data):
    w = np.array(weights)
    mean = w.mean()
    lower = data.draw(st.floats(0, float(mean)))
    upper = data.draw(st.floats(float(mean), 200))
    how = data.draw(st.sampled_from(["equal", "proportional"]))
    found = trim(w, lower=lower, upper=upper, redistribute=how)
    assert found.sum() == pytest.approx(w.sum(), rel=1e-12)
    assert found.min() >= lower
    assert found.max() <= upper
    inside = trim(w, lower=0, upper=float(w.max()))
    np.testing.assert_array_equal(inside, w)


@settings(max_examples=30)
@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30), st.floats(1e-200, 1e200))
def test_the_effective_size_is_at_most_the_size_and_has_no_scale(weights, factor):
    n_eff = kish_effective_size(weights)
    assert 1 - 1e-12 <= n_eff <= len(weights) * (1 + 1e-12)
    assert kish_effective_size(np.array(weights) * factor) == pytest.approx(n_eff, rel=1e-12)


@settings(max_examples=30)
@given(SEEDS)
def test_domain_means_average_to_the_mean_and_quantiles_are_ordered(seed):
    w, labels, y = sample(seed)
    design = Design.of(w, strata=labels[0])
    by = design.domain(y, labels[1])
    share = pd.Series(w).groupby(labels[1]).sum() / w.sum()
    assert (by.estimate.to_numpy() * share.to_numpy()).sum() == pytest.approx(
        design.mean(y).estimate.iloc[0], rel=1e-12
    )
    table = design.quantile(y, [0.25, 0.5, 0.75]).table
    assert table["quantile"].is_monotonic_increasing
    assert (table["low"] <= table["quantile"]).all()
    assert (table["quantile"] <= table["high"]).all()
    equal = [weighted_quantile(y, np.ones(len(y)), p) for p in (0.1, 0.5)]
    np.testing.assert_array_equal(equal, np.quantile(y, [0.1, 0.5], method="inverted_cdf"))


def test_a_missing_y_is_an_error_or_outside_the_domain():
    y = np.array([1.0, 2.0, np.nan, 5.0])
    design = Design.of([1, 2, 3, 4])
    with pytest.raises(InputError, match="position 2, column 'y'"):
        design.mean(y)
    found = design.mean(y, missing="domain")
    assert found.estimate.iloc[0] == pytest.approx((1 + 4 + 20) / 7)
    assert found.n.iloc[0] == 3


def test_designs_and_weightings_can_be_sent_to_another_process():
    w, labels, y = sample(3)
    margins = reachable(w, labels[:2], 3)
    x = np.column_stack([np.ones(len(w)), y])
    for design in (
        Design.of(w).rake(margins),
        Design.of(w).calibrate(x, w @ x * 1.1, method="logit", bounds=(0.3, 3)),
    ):
        sent = pickle.loads(pickle.dumps(design))
        a, b = (jackknife(d, lambda v: v @ y / v.sum()).covariance for d in (design, sent))
        np.testing.assert_array_equal(a, b)
        expected = design.mean(y).standard_error
        pd.testing.assert_series_equal(sent.mean(y).standard_error, expected)


# --- bad input


def problems(call) -> list[str]:
    with pytest.raises(InputError) as caught:
        call()
    return [str(p) for p in caught.value.problems]


def test_every_problem_of_the_margins_is_told_at_once():
    sex = Margin("sex", ["f", "m", "x", None], {"f": 50, "m": 50, "u": 3})
    age = Margin("age", ["old", "young", "old", "young"], {"old": -1, "young": 30})
    told = "\n".join(problems(lambda: rake([1, np.nan, -2, 1], [sex, age])))
    for part in (
        "position 1: found weight nan",
        "position 2: found weight -2.0",
        "group 'x' with 1 members and no target",
        "position 3, column 'sex': found a missing label",
        "a target for group 'u', to which nobody belongs",
        "target -1.0 of group 'old'",
        "totals of 'sex' that add to 103 and of 'age' that add to 29",
    ):
        assert part in told


def test_groups_without_weight_twice_named_margins_and_short_labels():
    told = problems(lambda: rake([1, 0], [Margin("a", ["x", "y"], {"x": 1, "y": 1})]))
    assert "all of whose weights are 0" in told[0]
    one = Margin("a", ["x", "x"], {"x": 2})
    assert "twice" in "".join(problems(lambda: rake([1, 1], [one, one])))
    assert "1 labels" in problems(lambda: rake([1, 1], [Margin("a", ["x"], {"x": 1})]))[0]
    assert "no margin" in problems(lambda: rake([1, 1], []))[0]
    assert "(0,)" in problems(lambda: rake([], []))[0]


def test_margins_that_contradict_each_other_are_named():
    # "online" and "netizens" occur only with each other, so their totals must be the same
    group = Margin("category", ["netizen", "deputy", "deputy"], {"netizen": 40, "deputy": 60})
    mode = Margin(
        "mode", ["online", "paper", "session"], {"online": 50, "paper": 20, "session": 30}
    )
    told = problems(lambda: rake([1, 1, 1], [group, mode]))
    assert any("'category' netizen: 40 and 'mode' online: 50" in t for t in told)


def test_raking_that_cannot_converge_is_an_error_or_a_flag():
    # a structural zero: (a, y) is empty, so b must hold all of y, which is too much for it
    one = Margin("one", ["a", "b", "b"], {"a": 80, "b": 20})
    two = Margin("two", ["x", "x", "y"], {"x": 60, "y": 40})
    with pytest.raises(PerfmethodError, match=r"(one|two), [abxy]: found a relative error"):
        rake([1, 1, 1], [one, two])
    flagged = rake([1, 1, 1], [one, two], on_failure="flag", max_iterations=50)
    assert not flagged.converged
    assert flagged.iterations == 50
    assert "NOT converged" in repr(flagged)
    table = flagged.to_frame()
    off = (table["after"] / table["target"] - 1).abs().max()
    assert flagged.error == pytest.approx(off, rel=1e-9)
    with pytest.raises(PerfmethodError, match="on_failure"):
        rake([1, 1, 1], [one, two], on_failure="hide")


def test_calibration_that_is_impossible_names_the_total():
    x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(PerfmethodError, match=r"x, (size|share): found a relative error"):
        calibrate([1, 1, 1], x, [3, 5], method="raking", names=["size", "share"])
    with pytest.raises(PerfmethodError, match=r"x, (size|share): found"):
        calibrate([1, 1, 1], pd.DataFrame(x, columns=["size", "share"]), [3, 5], method="raking")
    with pytest.raises(PerfmethodError, match="or the bounds"):
        calibrate([1, 1, 1], x, [3, 0.2], method="logit", bounds=(0.9, 1.1))
    twice = np.column_stack([np.ones(3), np.ones(3)])
    with pytest.raises(PerfmethodError, match="contradict"):
        calibrate([1, 1, 1], twice, [3, 4])
    np.testing.assert_allclose(calibrate([1, 1, 1], twice, [6, 6]).weights, 2)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"method": "logit"}, "bounds: found none"),
        ({"method": "raking", "bounds": (0.5, 2)}, "bounds: found with method='raking'"),
        ({"bounds": (1.2, 2)}, "lower < 1 < upper"),
        ({"method": "logti"}, "did you mean 'logit'"),
        ({"names": ["a", "b"]}, "names: found 2"),
        ({"scale": [1, 0]}, "scale 0.0"),
        ({"scale": [1]}, "scale of shape"),
    ],
)
def test_bad_settings_of_a_calibration(how, message):
    with pytest.raises(PerfmethodError, match=message):
        calibrate([1, 1], [1, 2], [3], **how)
    with pytest.raises(InputError, match="totals of shape"):
        calibrate([1, 1], [1, 2], [3, 4])
    with pytest.raises(InputError, match="x nan"):
        calibrate([1, 1], [1, np.nan], [3])


def test_bad_designs_tell_everything_at_once():
    told = "\n".join(
        problems(
            lambda: Design.of(
                np.ones(4),
                strata=["a", "a", "b", "c"],
                population={"a": 1, "c": 1, "d": 7},
            )
        )
    )
    assert "population 1 of stratum 'a'" in told
    assert "stratum 'd'" in told
    assert "a single cluster in stratum 'b'" in told
    assert "stratum 'c'" not in told  # one of one is the whole stratum: nothing is unknown
    assert "position 1" in problems(lambda: Design.of([1, 1], clusters=["a", None]))[0]
    assert "3 labels" in problems(lambda: Design.of([1, 1], strata=["a", "b", "c"]))[0]
    with pytest.raises(PerfmethodError, match="did you mean 'grand_mean'"):
        Design.of([1, 1], lonely="grandmean")
    margin = Margin("m", ["a", "b"], {"a": 1, "b": 1})
    with pytest.raises(PerfmethodError, match="calibrated already"):
        Design.of([1, 1]).post_stratify(margin).post_stratify(margin)


@pytest.mark.parametrize(
    ("y", "weights", "p", "words"),
    [
        ([1, np.nan], [1, 1], 0.5, "y: found nan; allowed: finite"),
        ([1, np.inf], [1, 1], 0.5, "y: found inf"),
        ([1, 2], [1, np.nan], 0.5, "weights: found nan"),
        ([1, 2], [1, 1], 1.5, "p: found 1.5; allowed: 0 to 1"),
        ([1, 2], [1, 1], -0.1, "p: found -0.1"),
        ([1, 2], [1, 1], np.nan, "p: found nan"),
        ([1, 2], [0, 0], 0.5, "weights: found none above 0"),
        ([], [], 0.5, "weights: found none above 0"),
        ([1, 2], [1], 0.5, r"shapes \(2,\) and \(1,\)"),
    ],
)
def test_a_quantile_of_bad_numbers_is_refused(y, weights, p, words):
    with pytest.raises(PerfmethodError, match=words):
        weighted_quantile(y, weights, p)
    # the ends are quantiles: the smallest and the largest value that has weight
    assert [weighted_quantile([1, 2, 3], [0, 1, 1], q) for q in (0, 1)] == [2, 3]


def test_other_bad_input():
    with pytest.raises(PerfmethodError, match="mean weight 2 between"):
        trim([1, 2, 3], upper=1.5)
    with pytest.raises(PerfmethodError, match="redistribute"):
        trim([1, 2, 3], redistribute="all")
    with pytest.raises(PerfmethodError, match="reference: found 'srs'"):
        design_effect(1.0, [1, 2], [1, 1], reference="srs")
    with pytest.raises(PerfmethodError, match="sum of 2 for 2 members"):
        design_effect(1.0, [1, 2], [1, 1], reference="wor")
    with pytest.raises(PerfmethodError, match="no variation"):
        design_effect(1.0, [2, 2], [5, 5], reference="wr")
    with pytest.raises(PerfmethodError, match="all 0"):
        kish_effective_size([0, 0])
    with pytest.raises(PerfmethodError, match="single cluster in b"):
        list(replicate_weights(Design.of([1, 1, 1], strata=["a", "a", "b"], lonely="remove")))
    design = Design.of([1, 1, 1, 1], clusters=["a", "a", "b", "c"])
    margin = Margin("g", ["x", "x", "y", "y"], {"x": 2, "y": 2})
    with pytest.raises(PerfmethodError, match="replicate that cannot meet the total of 'x'"):
        jackknife(design.post_stratify(margin), lambda w: w.sum())
    with pytest.raises(PerfmethodError, match="denominator of 0"):
        design.ratio([1, 1, 1, 1], [0, 0, 0, 0])
    with pytest.raises(PerfmethodError, match="not negative"):
        weighted_quantile([1, 2], [1, -1], 0.5)
    with pytest.raises(PerfmethodError, match="degrees of freedom"):
        Design.of([1.0], lonely="remove").mean([2.0]).to_frame()


@pytest.mark.parametrize("value", [85.61365334115877, 0.1, 1e-3])
@pytest.mark.parametrize("n", [3, 7, 30])
def test_equal_weights_may_be_bounded_by_their_own_value(value, n):
    w = np.full(n, value)  # their mean is rounded, and may lie beyond them
    np.testing.assert_array_equal(trim(w, lower=0, upper=value), w)
    np.testing.assert_array_equal(trim(w, lower=value, upper=200), w)
    np.testing.assert_allclose(trim(w, upper=w.mean()), w, rtol=1e-15)
