"""Intraclass correlations and the reliability of means: published values, laws, twins."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from perfmethod.errors import DataError
from perfmethod.reliability import (
    Moments,
    Ratings,
    intraclass_correlations,
    reliability_of_means,
    shared_multiplier,
    spearman_brown,
    variance_components,
)
from perfmethod.reliability._crossed import Crossed, Target

from .published_ratings import SHROUT_FLEISS, SHROUT_FLEISS_MISSING, oracle, table

EXACT = 1e-12
NAMES = [
    "ICC(1,1), ICC(1)",
    "ICC(2,1), ICC(A,1)",
    "ICC(3,1), ICC(C,1)",
    "ICC(1,k), ICC(k)",
    "ICC(2,k), ICC(A,k)",
    "ICC(3,k), ICC(C,k)",
]


# --- values of others


def test_shrout_and_fleiss_1979_table_4() -> None:
    found = intraclass_correlations(SHROUT_FLEISS)
    assert [c.name for c in found] == NAMES
    assert [round(c.value, 2) for c in found] == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    # R package psych 2.2.9 to fifteen digits
    digits = [
        0.165741768405475, 0.289763779527559, 0.714840714840715,
        0.442797133679268, 0.620050547598989, 0.909315542377069,
    ]  # fmt: skip
    assert [c.value for c in found] == pytest.approx(digits, abs=EXACT)


@pytest.mark.parametrize(
    ("name", "keys"),
    [("ShroutFleiss1979.csv", ("ShroutFleiss", "results")), ("irr_anxiety.csv", ("anxiety_icc",))],
)
def test_values_and_intervals_by_psych(reference: Path, name: str, keys: tuple[str, ...]) -> None:
    expected = oracle(reference)
    for key in keys:
        expected = expected[key]
    found = intraclass_correlations(table(reference, name))
    for ours, theirs in zip(found, expected, strict=True):
        ends = [theirs["ICC"], theirs["lower bound"], theirs["upper bound"]]
        assert [ours.value, ours.low, ours.high] == pytest.approx(ends, abs=EXACT), ours.name


def test_missing_cells_by_lme4_and_psych() -> None:
    """Two cells of Shrout and Fleiss' table missing; lme4 1.1-31 with tight tolerances, psych."""
    found = intraclass_correlations(SHROUT_FLEISS_MISSING)
    two_way = found["ICC(2,1)"].details
    assert two_way["estimator"] == "REML"
    components = [two_way[name] for name in ("unit", "rater", "residual")]
    assert components == pytest.approx([2.71311634077, 5.23313685137, 1.07541327741], rel=1e-7)
    assert two_way["criterion"] == pytest.approx(85.6832191750799, abs=1e-10)
    assert found["ICC(2,1)"].value == pytest.approx(0.300733408376558, abs=1e-7)
    assert found["ICC(3,1)"].value == pytest.approx(0.716139669863635, abs=1e-7)
    one_way = found["ICC(1,1)"].details
    assert one_way["unit"] == pytest.approx(0.08127376527, rel=1e-6)
    assert one_way["residual"] == pytest.approx(6.65672439477, rel=1e-7)
    assert one_way["criterion"] == pytest.approx(102.712837980551, abs=1e-10)
    # psych's ICC1 = .18213 is no one-way estimate: it puts the two-way components into mean squares
    # of a full table (MSB - MSW) / (MSB + 3 MSW)
    unit, rater, residual = components
    between, within = 4 * unit + residual, rater + residual
    psychs = (between - within) / (between + 3 * within)
    assert psychs == pytest.approx(0.182129225771144, abs=1e-7)
    assert found["ICC(2,k)"].k == pytest.approx(1 / np.mean([1 / 4] * 4 + [1 / 3] * 2))


@pytest.mark.parametrize(
    ("file", "key", "unit", "rater", "y"),
    [
        ("Penicillin.csv", "Penicillin_REML", "plate", "sample", "diameter"),
        ("Penicillin.csv", "Penicillin_REML", "sample", "plate", "diameter"),
        ("Dyestuff.csv", "Dyestuff_REML", "Batch", None, "Yield"),
    ],
)
def test_components_by_lme4(
    reference: Path, file: str, key: str, unit: str, rater: str | None, y: str
) -> None:
    theirs = json.loads((reference / "reliability" / "small_lme4.json").read_text())[key]
    data = table(reference, file)
    codes = [pd.factorize(data[name])[0] if name else None for name in (unit, rater)]
    fit = Crossed.of(codes[0], codes[1], data[y].to_numpy(float)).fit()
    assert fit.criterion <= theirs["crit"] + 1e-10
    assert fit.unit == pytest.approx(theirs["vc"][unit], rel=1e-5)
    assert fit.residual == pytest.approx(theirs["vc"]["Residual"], rel=1e-5)
    if rater:
        assert fit.rater == pytest.approx(theirs["vc"][rater], rel=1e-5)
    assert fit.gradient < 1e-9


def test_dyestuff_by_mean_squares(reference: Path) -> None:
    # balanced: REML is the closed form. Searle, Casella and McCulloch (1992): 1764.05, 2451.25
    data = table(reference, "Dyestuff.csv")
    x = data["Yield"].to_numpy(float).reshape(6, 5)
    details = intraclass_correlations(x)["ICC(1,1)"].details
    assert round(details["unit"], 2) == 1764.05
    assert round(details["residual"], 2) == 2451.25
    same = intraclass_correlations(x, models=[1], estimator="reml")["ICC(1,1)"]
    assert same.value == pytest.approx(1764.05 / (1764.05 + 2451.25), abs=1e-9)


def test_both_programs_for_components_agree(reference: Path) -> None:
    """`_crossed` and `reml` are written apart; lme4 stands between them in other tests."""
    data = table(reference, "Penicillin.csv")
    codes = [pd.factorize(data[name])[0] for name in ("plate", "sample")]
    part = np.arange(len(data)) % 7 != 0  # with gaps
    y = data["diameter"].to_numpy()[part]
    here = Crossed.of(codes[0][part], codes[1][part], y.astype(float)).fit()
    there = variance_components(
        Moments.of(y, unit=codes[0][part], rater=codes[1][part]), ["unit", "rater"]
    )
    assert here.criterion == pytest.approx(there.criterion, rel=1e-12)
    assert list(here[:3]) == pytest.approx(list(there.variances), rel=1e-7)


def test_zero_variance_is_recognized(reference: Path) -> None:
    # lme4's Dyestuff2 was made to have no variance between batches
    x = table(reference, "Dyestuff2.csv")["Yield"].to_numpy(float).reshape(6, 5)
    reml = intraclass_correlations(x, models=[1], estimator="reml")["ICC(1,1)"]
    assert (reml.value, reml.low) == (0.0, 0.0)
    assert 0 < reml.high < 1
    assert "the component of unit is 0, at its boundary" in reml.notes
    anova = intraclass_correlations(x)["ICC(1,1)"]
    assert anova.value < 0
    assert "negative" in anova.notes[0]


def test_leadership_by_lme4(reference: Path) -> None:
    # lme4 1.1-31, LEAD ~ 1 + (1 | COMPID) of multilevel's lq2002: 2,042 soldiers, 49 companies of
    # 10 to 99. (ICC1 of multilevel, .0880, takes the companies as equally large.)
    data = table(reference, "multilevel_lq2002.csv").reset_index()
    ratings = Ratings.from_ballots(data, ["LEAD"], unit="COMPID", rater="index", category=None)
    found = intraclass_correlations(ratings, models=[1])
    details = found["ICC(1,1)"].details
    assert details["unit"] == pytest.approx(0.0743466714805, rel=1e-6)
    assert details["residual"] == pytest.approx(0.6151375083305, rel=1e-6)
    assert details["criterion"] == pytest.approx(4886.55874148828, abs=1e-8)
    means = reliability_of_means(ratings)
    for name in ("Phi(k)", "G(q,k)"):  # nobody rates two companies
        assert means.coefficients[name].value == pytest.approx(found["ICC(1,k)"].value, abs=1e-9)
    assert "no rater rates two units" in means.coefficients["Phi(k)"].notes[0]


# --- twins


def dense_deviance(unit, rater, y, ratio_u: float, ratio_r: float) -> float:
    """Minus twice the restricted log likelihood from its definition, residual profiled out."""
    z_u = np.eye(unit.max() + 1)[unit]
    z_r = np.eye(rater.max() + 1)[rater]
    v = ratio_u * z_u @ z_u.T + ratio_r * z_r @ z_r.T + np.eye(y.size)
    inverse, one = np.linalg.inv(v), np.ones(y.size)
    g = one @ inverse @ one
    p = inverse - np.outer(inverse @ one, one @ inverse) / g
    n = y.size - 1
    rss = y @ p @ y
    return np.linalg.slogdet(v)[1] + np.log(g) + n * (1 + np.log(2 * np.pi * rss / n))


@st.composite
def patterns(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, r = draw(st.integers(3, 7)), draw(st.integers(3, 7))
    x = rng.normal(size=(n, 1)) + rng.normal(size=r) + rng.normal(size=(n, r))
    x[rng.random((n, r)) < 0.3] = np.nan
    there = ~np.isnan(x)
    assume(there.any(axis=0).all() and there.any(axis=1).all() and there.sum() > n + r + 1)
    return x


@given(x=patterns(), u=st.floats(0, 5), r=st.floats(0, 5))
@settings(max_examples=40)
def test_deviance_and_gradient_from_tables(x: np.ndarray, u: float, r: float) -> None:
    unit, rater = np.nonzero(~np.isnan(x))
    y = x[unit, rater]
    reduced = Crossed.of(unit, rater, y)
    value, slope = reduced.deviance(u, r)
    assert value == pytest.approx(dense_deviance(unit, rater, y, u, r), abs=1e-8)
    h = 1e-5
    steps = [
        (reduced.deviance(u + h, r)[0] - reduced.deviance(u, r)[0]) / h,
        (reduced.deviance(u, r + h)[0] - reduced.deviance(u, r)[0]) / h,
    ]
    np.testing.assert_allclose(slope, steps, rtol=1e-2, atol=1e-2)
    alone, slope = Crossed.of(unit, None, y).deviance(u, 0.0)
    assert alone == pytest.approx(dense_deviance(unit, rater, y, u, 0.0), abs=1e-8)


@given(x=patterns())
@settings(max_examples=15)
def test_the_fit_is_a_minimum(x: np.ndarray) -> None:
    unit, rater = np.nonzero(~np.isnan(x))
    reduced = Crossed.of(unit, rater, x[unit, rater])
    fit = reduced.fit()
    grid = [0, *np.geomspace(1e-3, 100, 15)]
    assert fit.criterion <= min(reduced.deviance(a, b)[0] for a in grid for b in grid) + 1e-7
    swapped = Crossed.of(rater, unit, x[unit, rater]).fit()
    assert swapped.criterion == pytest.approx(fit.criterion, abs=1e-7)


def test_profile_interval_by_a_grid() -> None:
    unit, rater = np.nonzero(~np.isnan(SHROUT_FLEISS_MISSING))
    reduced = Crossed.of(unit, rater, SHROUT_FLEISS_MISSING[unit, rater])
    fit, target = reduced.fit(), Target(1.0, 1.0)
    low, high = reduced.interval(fit, target, 0.95)
    limit = fit.criterion + stats.chi2.ppf(0.95, 1)
    for end in (low, high):
        best = min(
            reduced.deviance(end / (1 - end) * (1 + b), b)[0] for b in np.geomspace(1e-3, 1e3, 4001)
        )
        assert best == pytest.approx(limit, abs=1e-4)


def test_slow_search_finds_the_same_components() -> None:
    unit, rater = np.nonzero(~np.isnan(SHROUT_FLEISS_MISSING))
    y = SHROUT_FLEISS_MISSING[unit, rater]
    best = optimize.minimize(
        lambda x: dense_deviance(unit, rater, y, *np.exp(x)), [0.0, 0.0], method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12},
    )  # fmt: skip
    details = intraclass_correlations(SHROUT_FLEISS_MISSING)["ICC(2,1)"].details
    ratios = [details["unit"] / details["residual"], details["rater"] / details["residual"]]
    assert np.exp(best.x) == pytest.approx(ratios, rel=1e-5)


# --- laws


@st.composite
def full_tables(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, k = draw(st.integers(3, 10)), draw(st.integers(2, 6))
    spread = draw(st.sampled_from([0.0, 1.0, 3.0]))
    return spread * rng.normal(size=(n, 1)) + rng.normal(size=k) + rng.normal(size=(n, k))


@given(x=full_tables(), a=st.floats(0.1, 10), b=st.floats(-5, 5), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_icc_laws(x: np.ndarray, a: float, b: float, seed: int) -> None:
    found = intraclass_correlations(x)
    rng = np.random.default_rng(seed)
    moved = a * x[rng.permutation(len(x))][:, rng.permutation(x.shape[1])] + b
    for one, other in zip(found, intraclass_correlations(moved), strict=True):
        assert other.value == pytest.approx(one.value, abs=1e-7)
        assert (other.low, other.high) == pytest.approx((one.low, one.high), rel=1e-6, abs=1e-6)
    k = x.shape[1]
    for single, mean in zip(list(found)[:3], list(found)[3:], strict=True):
        assert mean.value == pytest.approx(spearman_brown(single.value, k), abs=1e-9)
        assert single.low <= single.value <= single.high
    # severity differs: consistency forgives it
    severe = intraclass_correlations(x + np.arange(k) * 10)
    assert severe["ICC(3,1)"].value == pytest.approx(found["ICC(3,1)"].value, abs=1e-7)
    assert abs(severe["ICC(2,1)"].value) <= abs(found["ICC(2,1)"].value) + 1e-9


@given(x=full_tables())
@settings(max_examples=15)
def test_both_estimators_agree_on_full_tables(x: np.ndarray) -> None:
    anova, reml = (intraclass_correlations(x, estimator=e) for e in ("anova", "reml"))
    inside = [c for c in anova if min(c.details[n] for n in ("unit", "rater")) > 1e-3]
    assume(inside)
    for one in inside:
        if one.name.startswith("ICC(1") and one.value < 0:
            continue
        other = reml[one.name]
        assert other.value == pytest.approx(one.value, abs=1e-5)
        assert other.low <= other.value <= other.high


def test_perfect_agreement_is_one() -> None:
    for x in ([[1, 1, 1], [2, 2, 2], [5, 5, 5]], [[1, 1, np.nan], [2, 2, 2], [np.nan, 5, 5]]):
        for one in intraclass_correlations(x):
            assert (one.value, one.low, one.high) == (1.0, 1.0, 1.0)
            assert one.notes[-1] == "perfect agreement"
    # raters who differ by a constant agree in order, not in level
    found = intraclass_correlations([[1, 2], [2, 3], [4, 5]])
    assert (found["ICC(3,1)"].value, found["ICC(3,1)"].low) == (1.0, 1.0)
    assert 0 < found["ICC(2,1)"].low < found["ICC(2,1)"].value < 1


def test_equal_means_are_said() -> None:
    found = intraclass_correlations([[1, 3, 2], [3, 2, 1], [2, 1, 3]])
    assert found["ICC(1,1)"].value == pytest.approx(-0.5)
    assert found["ICC(1,k)"].value == -np.inf
    assert any("negative" in note for note in found["ICC(1,k)"].notes)


# --- reliability of means


def test_means_of_full_tables_are_iccs() -> None:
    found = reliability_of_means(SHROUT_FLEISS)
    # published: ICC(2,4) = .62, ICC(3,4) = .91
    assert found.coefficients["Phi(k)"].value == pytest.approx(0.620050547598989, abs=1e-8)
    assert found.coefficients["G(q,k)"].value == pytest.approx(0.909315542377069, abs=1e-8)
    icc = intraclass_correlations(SHROUT_FLEISS, estimator="reml")["ICC(2,k)"]
    assert found.table["reliability"].to_numpy() == pytest.approx(icc.value, abs=1e-9)
    assert found.table["low"].to_numpy() == pytest.approx(icc.low, abs=1e-6)
    assert found.table["mean"].tolist() == SHROUT_FLEISS.mean(axis=1).tolist()


@given(x=patterns())
@settings(max_examples=30)
def test_shared_multiplier_by_its_definition(x: np.ndarray) -> None:
    there = ~np.isnan(x)
    k = there.sum(axis=1)
    n = len(x)
    total = sum(
        (there[i] & there[j]).sum() / (k[i] * k[j]) for i in range(n) for j in range(n) if i != j
    )
    expected = (1 / k).mean() - total / (n * (n - 1))
    assert shared_multiplier(*np.nonzero(there)) == pytest.approx(expected, abs=1e-12)


def test_more_raters_make_a_unit_more_reliable() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 1)) + rng.normal(size=30) + rng.normal(size=(20, 30))
    for row in range(20):
        x[row, row + 5 :] = np.nan
    found = reliability_of_means(x).table
    assert found["reliability"].is_monotonic_increasing
    assert found["standard_error"].is_monotonic_decreasing
    assert (found["low"] < found["reliability"]).all()
    assert (found["reliability"] < found["high"]).all()


def test_intervals_cover_the_truth_mostly() -> None:
    rng = np.random.default_rng(8)
    truth, hits = 1 / (1 + 0.5 + 1), 0
    for _ in range(60):
        x = (
            rng.normal(size=(25, 1))
            + np.sqrt(0.5) * rng.normal(size=12)
            + rng.normal(size=(25, 12))
        )
        x[rng.random(x.shape) < 0.4] = np.nan
        one = intraclass_correlations(x, models=[2])["ICC(2,1)"]
        hits += one.low <= truth <= one.high
    assert 52 <= hits <= 60  # 57 expected, 1.7 is its standard deviation


# --- bad input


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ([[1, 1], [1, 1]], "all 4 ratings equal to 1"),
        ([[1], [2]], "1 rater"),
        ([[1, 2]], "one unit"),
        ([[1, np.nan], [np.nan, 2]], "one rating of every unit"),
        ([[1, 2, np.nan, np.nan], [np.nan, np.nan, 3, 1]], "raters of one unit each"),
        ([[1, 2, 3], [2, 3, 4], [5, 6, np.nan]], "without any rest"),
        ([[1, 2, 3], [1, 2, 3]], "rate all units alike"),
    ],
)
def test_bad_tables_are_refused(x, said: str) -> None:
    with pytest.raises(DataError, match=said):
        intraclass_correlations(x)


def test_other_refusals() -> None:
    with pytest.raises(ValueError, match="some of 1, 2, 3"):
        intraclass_correlations(SHROUT_FLEISS, models=[4])
    with pytest.raises(ValueError, match="for a full table only"):
        intraclass_correlations(SHROUT_FLEISS_MISSING, estimator="anova")
    with pytest.raises(ValueError, match="'anova' or 'reml'"):
        intraclass_correlations(SHROUT_FLEISS, estimator="aov")
    with pytest.raises(ValueError, match="found k=0"):
        intraclass_correlations(SHROUT_FLEISS, k=0)
    with pytest.raises(KeyError, match="for 2 of them"):
        intraclass_correlations(SHROUT_FLEISS)["ICC(2"]
    with pytest.raises(DataError, match="all 4 ratings equal"):
        reliability_of_means([[1, 1], [1, 1]])
