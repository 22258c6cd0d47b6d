"""Group effects on plain arrays: R's values, slow twins, laws, and what must be refused.

Reference: Exam (65 schools; Goldstein et al., *Oxford Review of Education* 19, 1993). Mixed-model
values by lme4 1.1.31, analysis of covariance by R 4.2.2 (`lm`, `anova`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from perfmethod.errors import DataError
from perfmethod.stringency import (
    Canonical,
    anchor_check,
    anchored_power,
    ancova,
    canonical,
    corrected_effects,
    corrected_slopes,
    detectable_ratio,
    group_posterior,
    permutation_p,
    random_intercepts,
)
from perfmethod.stringency.dif import holm

SIZES = (8, 7, 8, 8, 6, 4, 4)


@pytest.fixture(scope="module")
def exam(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "fairness" / "Exam.csv", dtype={"school": str})


def drawn(seed: int, ratio: float = 0.0, sizes: tuple[int, ...] = SIZES, anchors: int = 1):
    """A panel's scores, anchors, groups and the true effects, by the normal model."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    x = rng.normal(size=(group.size, anchors))
    effect = ratio * rng.normal(size=len(sizes))
    return x.sum(axis=1) + effect[group] + rng.normal(size=group.size), x, group, effect


# values of other programs


def test_random_intercepts_of_exam_are_those_of_lme4_and_mlwin(exam) -> None:
    fit = random_intercepts(exam["normexam"], exam[["standLRT"]], exam["school"], method="ml")
    np.testing.assert_allclose(fit.coef, [0.00239075657809, 0.56337116485902], atol=1e-7)
    np.testing.assert_allclose(fit.coef_se, [0.0400227004167, 0.0124654017198], atol=1e-7)
    assert (fit.between, fit.residual) == pytest.approx((0.0921292739, 0.5657310043), abs=1e-7)
    assert fit.log_likelihood == pytest.approx(-4678.6216003, abs=1e-6)
    # MLwiN's manual prints three digits
    assert (round(fit.between, 3), round(fit.residual, 3)) == (0.092, 0.566)
    at = [fit.labels.index(s) for s in ("1", "2", "17", "53", "65")]
    blup = [0.373760749487, 0.502043931121, -0.172780415342, 0.723314827991, -0.165764692870]
    se = [0.0845483743922, 0.0961922460700, 0.0654314911264, 0.0861979190438, 0.0810402906023]
    np.testing.assert_allclose(fit.effects[at], blup, atol=1e-6)
    np.testing.assert_allclose(fit.effects_se[at], se, atol=1e-6)


def test_restricted_likelihood_of_exam_is_that_of_lme4(exam) -> None:
    fit = random_intercepts(exam["normexam"], exam[["standLRT"]], exam["school"])
    assert (fit.between, fit.residual) == pytest.approx((0.0938389884, 0.5658653102), abs=1e-7)
    assert fit.log_likelihood == pytest.approx(-4684.38264366, abs=1e-6)
    at = [fit.labels.index(s) for s in ("1", "53")]
    np.testing.assert_allclose(fit.effects[at], [0.374355711831, 0.724450642081], atol=1e-6)


def test_ancova_of_exam_is_that_of_lm(exam) -> None:
    fit = ancova(exam["normexam"], exam[["standLRT"]], exam["school"])
    assert (fit.f, fit.df) == (pytest.approx(10.308733674233, rel=1e-9), 3993)
    assert fit.slopes[0] == pytest.approx(0.55947786056774, abs=1e-10)
    assert fit.slopes_se[0] == pytest.approx(0.012533673879418, abs=1e-10)
    assert fit.sigma == pytest.approx(0.75211129931018, abs=1e-10)
    at = [fit.labels.index(s) for s in ("1", "2", "17")]
    lm = [0.41364252588933, 0.56742916136759, -0.17386648274381]  # less their mean
    np.testing.assert_allclose(fit.effects[at], lm, atol=1e-9)


def test_a_fit_on_the_boundary_is_zero_and_no_failure() -> None:
    # the group means are as close as they can be
    fit = random_intercepts([1, 2, 3, 1, 2, 3], np.zeros((6, 0)), list("aaabbb"))
    assert (fit.between, fit.effects.tolist()) == (0.0, [0.0, 0.0])
    assert fit.residual == pytest.approx(0.8)
    # Dyestuff (Davies and Goldsmith 1972; lme4 by restricted likelihood): 1764.05 and 2451.25
    yields = [1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510,
              1560, 1445, 1440, 1595, 1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450,
              1480, 1445]  # fmt: skip
    fit = random_intercepts(yields, np.zeros((30, 0)), np.repeat(list("ABCDEF"), 5))
    assert (fit.between, fit.residual) == pytest.approx((1764.05, 2451.25), rel=1e-6)


# slow twins


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.01, 9))
def test_canonical_form_is_the_dense_model(seed, theta) -> None:
    y, x, group, _ = drawn(seed, 1.0, (3, 4, 2, 5), 2)
    fit = ancova(y, x, group)
    found = canonical(fit)
    cov = theta * np.eye(4) + fit.unit_cov
    w = np.linalg.inv(cov)
    mean = w.sum(axis=0) @ fit.raw / w.sum()
    rest = fit.raw - mean
    assert found.distance(theta) == pytest.approx(rest @ w @ rest)
    # predictions under the fitted general mean, less their own mean
    blup = theta * w @ rest
    np.testing.assert_allclose(found.shrunk(theta), blup - blup.mean(), atol=1e-9)

    # restricted likelihood, up to what does not depend on theta
    def dense(t: float) -> float:
        v = t * np.eye(4) + fit.unit_cov
        i = np.linalg.inv(v)
        m = fit.raw - i.sum(axis=0) @ fit.raw / i.sum()
        n = fit.df + 3
        return -0.5 * (np.linalg.slogdet(v)[1] + np.log(i.sum())
                       + n * np.log(fit.sigma**2 * fit.df + m @ i @ m))  # fmt: skip

    gap = found.log_likelihood(theta) - found.log_likelihood(1.0)
    assert gap == pytest.approx(dense(theta) - dense(1.0), abs=1e-8)
    best = found.most_likely()
    assert found.log_likelihood(best) >= max(found.log_likelihood(t) for t in (0, theta)) - 1e-9


def test_f_is_that_of_two_least_squares_fits() -> None:
    y, x, group, _ = drawn(5, 0.7, (3, 4, 2, 5), 2)
    fit = ancova(y, x, group)
    small = np.column_stack([np.ones(len(y)), x])
    large = np.column_stack([group[:, None] == np.arange(4), x]).astype(float)
    rss = [float(np.linalg.lstsq(d, y)[1][0]) for d in (small, large)]
    assert fit.f == pytest.approx((rss[0] - rss[1]) / 3 / (rss[1] / fit.df))
    assert canonical(fit).pivot(0.0) == pytest.approx(fit.f)
    found = np.linalg.lstsq(large, y)[0]
    np.testing.assert_allclose(fit.effects, found[:4] - found[:4].mean(), atol=1e-9)
    cov = fit.sigma**2 * np.linalg.inv(large.T @ large)[:4, :4]
    center = np.eye(4) - 0.25
    np.testing.assert_allclose(fit.effects_cov, center @ cov @ center, atol=1e-9)


def balanced(f: float, groups: int, size: int) -> Canonical:
    """Balanced groups without anchors, with a given F and a residual variance of 1."""
    basis = np.linalg.qr(np.column_stack([np.ones(groups), np.eye(groups)[:, 1:]]))[0][:, 1:]
    df = groups * (size - 1)
    z = np.full(groups - 1, np.sqrt(f / size))
    return Canonical(basis, z, np.full(groups - 1, 1 / size), float(df), df)


def test_in_balanced_groups_everything_has_a_closed_form() -> None:
    found = balanced(4.5, 6, 5)
    # Searle, Casella and McCulloch, Variance Components (1992), 3.6: (F / F_quantile - 1) / n
    low, high = (max(4.5 / stats.f.ppf(q, 5, 24) - 1, 0) / 5 for q in (0.975, 0.025))
    assert found.interval() == pytest.approx((low, high), rel=1e-8)
    assert found.most_likely() == pytest.approx((4.5 - 1) / 5, rel=1e-5)
    limit = stats.f.ppf(0.95, 5, 24)
    exact = [stats.f.sf(limit / (1 + 5 * r**2), 5, 24) for r in (0, 0.5, 1, 2)]
    np.testing.assert_allclose(anchored_power(found, [0, 0.5, 1, 2]), exact, atol=1e-7)
    target = detectable_ratio(found)
    assert anchored_power(found, target)[0] == pytest.approx(0.8, abs=1e-5)


def test_power_is_that_of_simulated_effects() -> None:
    _, x, group, _ = drawn(1)
    fit = ancova(drawn(1)[0], x, group)
    ratio, rng, hits = 0.6, np.random.default_rng(8), 0
    for _ in range(1500):
        y = ratio * rng.normal(size=len(SIZES))[group] + rng.normal(size=group.size)
        hits += ancova(y, x, group).p < 0.05
    power = float(anchored_power(canonical(fit), ratio)[0])
    assert hits / 1500 == pytest.approx(power, abs=4 * np.sqrt(power * (1 - power) / 1500))


def test_permutation_is_the_slow_twin_and_close_to_f() -> None:
    y, x, group, _ = drawn(11, 0.5)
    fit = ancova(y, x, group)
    small = np.column_stack([np.ones(len(y)), x])
    fitted = small @ np.linalg.lstsq(small, y)[0]
    rng = np.random.default_rng(4)
    orders = rng.permuted(np.tile(y - fitted, (199, 1)), axis=1)
    larger = sum(ancova(fitted + rest, x, group).f >= fit.f * (1 - 1e-10) for rest in orders)
    assert permutation_p(fit, draws=199, seed=4) == pytest.approx((larger + 1) / 200)
    assert permutation_p(fit) == pytest.approx(fit.p, abs=0.02)
    assert permutation_p(fit, seed=0) == permutation_p(fit, seed=0)


def test_the_posterior_is_that_of_numeric_integration() -> None:
    y, x, group, _ = drawn(3, 0.6, (4, 5, 3, 6, 4))
    found = canonical(ancova(y, x, group))
    mine = group_posterior(found)
    n = found.df + found.z.size

    def average(value) -> float:
        top = [found.log_likelihood(t) for t in np.geomspace(1e-3, 10, 50)]
        weight = lambda t: np.exp(found.log_likelihood(t) - max(top))  # noqa: E731
        pieces = ((0, 0.5), (0.5, 5), (5, np.inf))
        total = sum(integrate.quad(weight, *p)[0] for p in pieces)
        return sum(integrate.quad(lambda t: weight(t) * value(t), *p)[0] for p in pieces) / total

    def scale(t: float) -> float:
        return float(np.sqrt((found.squares + found.distance(t)) / n * found.spread(t)[0]))

    assert mine.mean[0] == pytest.approx(average(lambda t: found.shrunk(t)[0]), abs=1e-5)
    for edge, tail in ((mine.low[0], 0.025), (mine.high[0], 0.975)):
        below = average(lambda t, e=edge: stats.t.cdf((e - found.shrunk(t)[0]) / scale(t), n))
        assert below == pytest.approx(tail, abs=1e-5)
    assert mine.sd[0] > 0


# laws


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.1, 5))
def test_shifts_of_all_and_scales_change_what_they_should(seed, shift, scale) -> None:
    y, x, group, _ = drawn(seed, 0.5, (3, 4, 5))
    one, two = ancova(y, x, group), ancova(scale * y + shift, 3 * x - 7, group)
    np.testing.assert_allclose(two.effects, scale * one.effects, atol=1e-7 * scale)
    assert two.f == pytest.approx(one.f, rel=1e-6, abs=1e-9)
    # one group's panel moves: its effect moves, the order within it and the slope do not
    moved = ancova(y + 2.0 * (group == 1), x, group)
    np.testing.assert_allclose(
        moved.effects - one.effects, np.array([-1, 2, -1]) * 2.0 / 3, atol=1e-9
    )
    np.testing.assert_allclose(moved.slopes, one.slopes, atol=1e-9)
    assert abs(moved.effects.sum()) < 1e-8


def test_intervals_keep_their_level_and_shrinkage_helps() -> None:
    # the table in benchmarks/results has 500 runs of each; four Monte Carlo errors here
    for ratio, floor in ((0.5, 0.93), (1.0, 0.93)):
        hits, errors = [], []
        for seed in range(60):
            y, x, group, effect = drawn(seed, ratio)
            fit, truth = ancova(y, x, group), effect - effect.mean()
            found = canonical(fit)
            posterior, limit = group_posterior(found), stats.t.ppf(0.975, fit.df)
            low, high = found.interval()
            hits.append([(np.abs(fit.effects - truth) <= limit * fit.effects_se).mean(),
                         ((posterior.low <= truth) & (truth <= posterior.high)).mean(),
                         low <= ratio**2 <= high])  # fmt: skip
            errors.append([fit.effects - truth, posterior.mean - truth])
        share = np.mean(hits, axis=0)
        assert (share[:2] >= floor).all()
        assert (share[:2] <= 0.985).all()
        assert share[2] >= 0.95 - 4 * np.sqrt(0.05 * 0.95 / 60)
        raw, shrunk = (np.sqrt(np.square(e).mean()) for e in np.moveaxis(np.array(errors), 1, 0))
        assert shrunk < raw
        assert np.abs(np.mean(errors, axis=0)[0]).max() < 4 * 0.5 / np.sqrt(60)


def test_errors_in_the_anchor_are_taken_out_of_the_slope() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(4), 2000)
    true = rng.normal(size=8000) + group
    anchor = true + 0.5 * rng.normal(size=8000)
    fit = ancova(true + 0.1 * rng.normal(size=8000), anchor[:, None], group)
    assert fit.slopes[0] == pytest.approx(0.8, abs=0.02)
    slopes = corrected_slopes(fit, [0.8])
    assert slopes[0] == pytest.approx(fit.slopes[0] / 0.8)
    # the groups differ in performance only: the wrong slope makes stringency of a fifth of it
    np.testing.assert_allclose(fit.effects, 0.2 * np.array([-1.5, -0.5, 0.5, 1.5]), atol=0.06)
    np.testing.assert_allclose(corrected_effects(fit, slopes), 0, atol=0.06)
    with pytest.raises(DataError, match="above 0 and at most 1"):
        corrected_slopes(fit, [1.2])
    two = ancova(true, np.column_stack([anchor, anchor + 0.01 * rng.normal(size=8000)]), group)
    with pytest.raises(DataError, match="go together"):
        corrected_slopes(two, [0.5, 0.5])


# anchors that favor a group


def items(seed: int, bias: float) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(5), 12)
    ability = rng.normal(size=60)
    frame = pd.DataFrame({f"A{k}": ability + rng.normal(size=60) for k in range(6)})
    frame["A2"] += bias * (group == 3)
    frame["flat"] = 100.0
    return frame, group


def test_the_worst_anchor_is_dropped_first_and_alone() -> None:
    found = anchor_check(*items(1, 4.0))
    assert (found.dropped, found.idle) == (("A2",), ("flat",))
    assert found.kept == ("A0", "A1", "A3", "A4", "A5")
    first = found.steps[found.steps["step"] == 1].set_index("anchor")
    assert first["p_holm"].idxmin() == "A2"
    assert (found.steps.groupby("step")["dropped"].sum() <= 1).all()
    assert set(found.steps["step"]) == {1, 2}
    assert anchor_check(*items(1, 0.0)).dropped == ()
    # each is compared with the mean of the others, all on the spread that they have within groups
    frame, group = items(1, 4.0)
    z = frame.drop(columns="flat")
    z = z / (z - z.groupby(group).transform("mean")).std(ddof=0)
    others = z.drop(columns="A4").mean(axis=1)
    known = ancova(z["A4"], others.to_numpy()[:, None], group)
    assert first.loc["A4", ["f", "p"]].tolist() == pytest.approx([known.f, known.p], rel=1e-9)
    # tests of R's p.adjust: p.adjust(c(.01, .04, .03, .005), "holm")
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_anchors_that_cannot_be_checked_are_refused_at_once() -> None:
    frame, group = items(0, 0)
    frame.loc[3, "A1"] = np.nan
    with pytest.raises(DataError) as caught:
        anchor_check(frame, np.r_[group[:-1], 9])
    told = str(caught.value)
    assert "group '9' of 1 unit" in told
    assert "'A1'" in told
    with pytest.raises(DataError, match="which of them favors"):
        anchor_check(items(0, 0)[0][["A0", "A1", "flat"]], group)
    with pytest.raises(DataError, match="one for each unit"):
        anchor_check(items(0, 0)[0], group[:-1])


# refusals


def test_what_cannot_be_compared_is_refused_with_every_reason() -> None:
    y, x, group, _ = drawn(0, 0, (3, 3, 1))
    with pytest.raises(DataError) as caught:
        ancova(np.r_[np.nan, y[1:]], np.zeros((7, 0)), group)
    told = str(caught.value)
    assert "1 units without a finite score" in told
    assert "cannot be told apart by any amount of data" in told
    assert "group '2' of 1 unit" in told
    assert len(caught.value.problems) == 3
    with pytest.raises(DataError, match="1 group"):
        ancova(y, x, ["a"] * 7)
    with pytest.raises(DataError, match="the same for all units of a group"):
        ancova(y[:6], group[:6, None].astype(float), group[:6])
    with pytest.raises(DataError, match="repeat each other"):
        ancova(y[:6], np.column_stack([x[:6], 2 * x[:6] + 1]), group[:6])
    with pytest.raises(DataError, match="more than 4"):
        ancova(y[:4], np.random.default_rng(0).normal(size=(4, 2)), [0, 0, 1, 1])
    with pytest.raises(DataError, match="without any error"):
        ancova(2 * x[:6, 0] + group[:6], x[:6], group[:6])
    with pytest.raises(DataError, match="shapes"):
        ancova(y, x[:5], group)
    with pytest.raises(DataError) as caught:
        random_intercepts([1.0, np.nan, 2], np.zeros((3, 0)), ["a", "a", "a"], method="mle")
    assert len(caught.value.problems) == 3
