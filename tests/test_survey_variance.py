"""Standard errors and covariances of survey scores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfmethod.errors import DataError, PerfmethodError
from perfmethod.survey import (
    cluster_covariance,
    mean_influence,
    review,
    srs_variance,
)
from tests.small_survey import CATEGORIES, SCORE, SURVEY, random_ballots

# --- R's survey package


@pytest.fixture(scope="module")
def api(reference: Path) -> dict:
    return json.loads((reference / "reliability" / "survey_api.json").read_text())


def design(reference: Path, name: str) -> tuple[pd.DataFrame, dict]:
    """A sample of the California API data, and its design as arguments of the estimator.

    svydesign(~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = apistrat)
    svydesign(~dnum, weights = ~pw, fpc = ~fpc, data = apiclus1)
    """
    data = pd.read_csv(reference / "reliability" / "data" / f"survey_{name}.csv")
    strata = data["stype"] if name == "apistrat" else np.zeros(len(data))
    clusters = data.index if name == "apistrat" else data["dnum"]
    return data, {"strata": strata, "clusters": clusters, "population": data["fpc"]}


def standard_errors(influence: np.ndarray, how: dict) -> np.ndarray:
    return np.sqrt(np.diag(cluster_covariance(influence, **how)))


@pytest.mark.parametrize(("name", "key"), [("apistrat", "dstrat"), ("apiclus1", "dclus1")])
def test_means_and_domains_equal_r_survey(reference, api, name, key):
    data, how = design(reference, name)
    expected = api[key]
    names = ["api00", "api99"]
    influence = mean_influence(data[names], data["pw"])
    means = np.average(data[names], axis=0, weights=data["pw"])
    np.testing.assert_allclose(means, [expected["mean"]["est"][n] for n in names], rtol=1e-12)
    se = standard_errors(influence, how)
    np.testing.assert_allclose(se, [expected["mean"]["se"][n] for n in names], rtol=1e-9)
    for row in expected["by_stype"]:
        domain = data["api00"].where(data["stype"] == row["stype"])
        se = standard_errors(mean_influence(domain, data["pw"]), how)
        np.testing.assert_allclose(se, row["se"], rtol=1e-9)


@pytest.mark.parametrize(("name", "key"), [("apistrat", "dstrat"), ("apiclus1", "dclus1")])
def test_total_ratio_and_design_effect_equal_r_survey(reference, api, name, key):
    data, how = design(reference, name)
    expected = api[key]
    w = data["pw"].to_numpy()
    total = (w * data["enroll"]).to_numpy()[:, None]
    np.testing.assert_allclose(standard_errors(total, how), expected["total"]["se"], rtol=1e-9)
    top, bottom = data["api.stu"], data["enroll"]
    r = (w * top).sum() / (w * bottom).sum()
    assert r == pytest.approx(expected["ratio"]["est"], rel=1e-12)
    influence = (w * (top - r * bottom) / (w * bottom).sum()).to_numpy()[:, None]
    np.testing.assert_allclose(standard_errors(influence, how), expected["ratio"]["se"], rtol=1e-9)
    variance = cluster_covariance(mean_influence(data["api00"], w), **how)[0, 0]
    deff = variance / srs_variance(data["api00"], w, len(data))
    assert deff == pytest.approx(expected["mean_deffWR"]["api00"], rel=1e-9)


def test_without_finite_population_correction_the_published_cluster_se(reference):
    # working value of the same program without fpc: se 23.77901072
    data, how = design(reference, "apiclus1")
    se = standard_errors(mean_influence(data["api00"], data["pw"]), {**how, "population": None})
    assert se[0] == pytest.approx(23.77901072, abs=5e-9)


# --- a slow twin


def slow_covariance(ballots: pd.DataFrame, combine: str) -> np.ndarray:
    """The same estimator, answer by answer, with the general function of plain arrays."""
    pairs = [(u, d) for u in SURVEY["units"] for d in SURVEY["dimensions"]]
    z = np.zeros((len(ballots), len(pairs)))
    mode_weight = dict(zip(SURVEY["modes"], SURVEY["mode_weights"], strict=True))
    for column, (unit, dimension) in enumerate(pairs):
        y = ballots[dimension].map(SCORE)
        own = (ballots["unit_id"] == unit) & y.notna()
        weight = dict(
            zip(
                CATEGORIES,
                SURVEY["category_weights"][SURVEY["units"].index(unit)],
                strict=True,
            )
        )
        there = ballots.loc[own, "category"].unique()
        for category in there:
            share = weight[category] / sum(weight[c] for c in there)
            in_category = own & (ballots["category"] == category)
            if combine == "ballots":
                parts = [(in_category, 1.0)]
            else:
                present = ballots.loc[in_category, "mode"].unique()
                total = sum(mode_weight[m] for m in present)
                parts = [
                    (in_category & (ballots["mode"] == m), mode_weight[m] / total) for m in present
                ]
            for inside, part in parts:
                z[inside, column] += share * part * (y[inside] - y[inside].mean()) / inside.sum()
    return cluster_covariance(z, ballots["category"], ballots["rater_id"])


@pytest.mark.parametrize("combine", ["ballots", "weights"])
@pytest.mark.parametrize("n", [25, 300])
def test_covariance_equals_a_loop_over_answers(combine, n):
    ballots = random_ballots(n, 7)
    result = review(ballots, **SURVEY, combine_modes=combine)
    expected = slow_covariance(ballots, combine)
    assert result.scores.notna().all().all()
    np.testing.assert_allclose(result.covariance(), expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(
        result.standard_errors.to_numpy().ravel(), np.sqrt(np.diag(expected)), rtol=1e-11
    )


# --- laws


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 80), st.integers(0, 2**32 - 1), st.sampled_from(["ballots", "weights"]))
def test_covariance_is_symmetric_semidefinite_and_agrees_with_standard_errors(n, seed, combine):
    result = review(random_ballots(n, seed), **SURVEY, combine_modes=combine)
    covariance = result.covariance()
    assert list(covariance.index) == list(covariance.columns) == list(result.pairs)
    v = covariance.to_numpy()
    np.testing.assert_array_equal(v, v.T)
    if len(v):
        assert np.linalg.eigvalsh(v).min() >= -1e-12 * max(v.max(), 1)
    errors = result.to_frame()["standard_error"]
    np.testing.assert_allclose(np.diag(v), errors**2, rtol=1e-10, atol=1e-12)
    assert result.standard_errors.isna().equals(result.scores.isna())


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 80), st.integers(0, 2**32 - 1))
def test_order_of_ballots_does_not_matter(n, seed):
    ballots = random_ballots(n, seed)
    first = review(ballots, **SURVEY)
    second = review(ballots.sample(frac=1, random_state=seed), **SURVEY)
    np.testing.assert_array_equal(first.scores, second.scores)
    np.testing.assert_allclose(first.covariance(), second.covariance(), rtol=1e-10, atol=1e-11)


def test_covariance_under_other_category_weights_needs_no_new_review():
    ballots = random_ballots(200, 3)
    other = np.array([[1.0, 5.0, 2.0]])
    expected = review(ballots, **{**SURVEY, "category_weights": other}).covariance()
    got = review(ballots, **SURVEY).covariance(other)
    pd.testing.assert_frame_equal(got, expected, rtol=1e-12)
    assert review(ballots, **SURVEY).covariance([[0, 0, 0]]).isna().all().all()


@pytest.mark.parametrize("unit_per_rater", [True, False])
def test_raters_equal_ballots_up_to_the_small_sample_factors(unit_per_rater):
    # one ballot of a rater on a unit: V_raters (n_c - 1)/n_c = V_ballots (n_udc - 1)/n_udc exactly
    rng = np.random.default_rng(5)
    n = 240
    rater = np.arange(n) if unit_per_rater else np.repeat(np.arange(n // 3), 3)
    unit = rng.choice(SURVEY["units"], n) if unit_per_rater else np.tile(SURVEY["units"], n // 3)
    ballots = random_ballots(n, 5).assign(rater_id=rater, unit_id=unit, category="R01")
    by = {m: review(ballots, **SURVEY, method=m) for m in ("raters", "ballots")}
    n_raters = len(np.unique(rater))
    n_cell = by["raters"].design_effects(1)["valid"].astype(float)
    variance = {m: r.to_frame()["standard_error"] ** 2 for m, r in by.items()}
    np.testing.assert_allclose(
        variance["raters"] * (n_raters - 1) / n_raters,
        variance["ballots"] * (n_cell - 1) / n_cell,
        rtol=1e-12,
    )
    v = by["raters"].covariance()
    assert (v.loc["D01", "D02"].abs().to_numpy().max() > 1e-12) != unit_per_rater


@pytest.mark.parametrize("combine", ["ballots", "weights"])
def test_bootstrap_of_raters_agrees(combine):
    # n_c - 1 of n_c raters drawn with replacement in each category (Rao and Wu 1988), so that the
    # variance of a linear statistic is that of the formula; 4,000 replicates; each element within
    # 4 Monte Carlo standard errors, sqrt((V_ii V_jj + V_ij^2) / replicates)
    replicates = 4000
    rng = np.random.default_rng(20)
    ballots = random_ballots(9000, 8, raters=300)
    result = review(ballots, **SURVEY, combine_modes=combine)
    sums, top, bottom = {}, {}, {}
    for category, part in ballots.groupby("category"):
        raters, place = np.unique(part["rater_id"], return_inverse=True)
        sums[category] = rng.multinomial(
            len(raters) - 1, np.full(len(raters), 1 / len(raters)), replicates
        )
        cells = np.zeros((2, len(raters), 3, 2, 2))  # sum and number: rater, unit, dimension, mode
        unit = part["unit_id"].map(SURVEY["units"].index)
        mode = part["mode"].map(SURVEY["modes"].index)
        for d, dimension in enumerate(SURVEY["dimensions"]):
            y = part[dimension].map(SCORE)
            np.add.at(cells[0], (place, unit, d, mode), y.fillna(0))
            np.add.at(cells[1], (place, unit, d, mode), y.notna())
        drawn = np.tensordot(sums[category], cells, axes=(1, 1))  # (b, 2, u, d, m)
        top[category], bottom[category] = drawn[:, 0], drawn[:, 1]
    total = np.zeros((replicates, 3, 2))
    for c, category in enumerate(CATEGORIES):
        if combine == "ballots":
            mean = top[category].sum(axis=-1) / bottom[category].sum(axis=-1)
        else:
            mean = (top[category] / bottom[category]) @ np.array([0.6, 0.4])
        w = SURVEY["category_weights"]
        total += (w[:, c] / w.sum(axis=1))[:, None] * mean
    simulated = np.cov(total.reshape(replicates, 6), rowvar=False)
    v = result.covariance().to_numpy()
    noise = np.sqrt((np.outer(np.diag(v), np.diag(v)) + v**2) / replicates)
    assert (np.abs(simulated - v) < 4 * noise).all()
    assert (
        v[0, 2] > 10 * noise[0, 2]
    )  # lenience ties units together: there is something to agree on


# --- edges of the design


def test_duplicate_ballots_do_not_make_errors_smaller():
    # m raters with two equal ballots each: V_raters / V_ballots = (2m - 1) / (m - 1)
    m = 40
    once = random_ballots(m, 2).assign(rater_id=range(m), category="R01", unit_id="D01", duty=1)
    once["duty"] = np.resize([1, 2, 3], m)
    single, double = (review(pd.concat([once] * k), **SURVEY) for k in (1, 2))
    effect = [r.design_effects().set_index("dimension").loc["duty"] for r in (single, double)]
    assert effect[0]["deff_clustering"] == pytest.approx(1, rel=1e-12)
    assert effect[1]["deff_clustering"] == pytest.approx((2 * m - 1) / (m - 1), rel=1e-12)
    assert effect[1]["standard_error"] == pytest.approx(effect[0]["standard_error"], rel=1e-12)
    assert effect[1]["raters"] == m


def test_kish_factor_of_category_weights():
    ballots = random_ballots(300, 4)
    result = review(ballots, **SURVEY).design_effects().set_index(["unit_id", "dimension"])
    own = ballots[(ballots["unit_id"] == "C01") & ballots["duty"].isin([1, 2, 3])]
    size = own["category"].map(own["category"].value_counts())
    w = own["category"].map(dict(zip(CATEGORIES, [2, 1, 0.5], strict=True))) / size
    kish = len(w) * (w**2).sum() / w.sum() ** 2
    row = result.loc[("C01", "duty")]
    assert row["deff_weighting"] == pytest.approx(kish, rel=1e-12)
    srs = srs_variance(own["duty"].map(SCORE), w, len(w))
    assert row["deff"] == pytest.approx(row["standard_error"] ** 2 / srs, rel=1e-12)


def test_lonely_rater_is_named_and_adds_nothing():
    ballots = random_ballots(120, 6)
    ballots = ballots[ballots["category"] != "R13"]
    lonely = pd.DataFrame(
        {"rater_id": "x", "unit_id": ["D01", "D02"], "category": "R13", "mode": "online"}
    ).assign(duty=[1, 3], conduct=[2, 2])
    result = review(pd.concat([ballots, lonely]), **SURVEY)
    assert result.lonely == ("R13",)
    assert "lonely categories: R13" in repr(result)
    w = SURVEY["category_weights"][1]
    effects = result.design_effects(1).set_index(["unit_id", "dimension"])
    assert effects.loc[("D01", "duty"), "unmeasured_weight"] == pytest.approx(w[2] / w.sum())
    without = review(ballots, **SURVEY).standard_errors.loc["D01"] * w[:2].sum() / w.sum()
    np.testing.assert_allclose(result.standard_errors.loc["D01"], without, rtol=1e-12)


def test_finite_populations():
    ballots = random_ballots(200, 9)
    n = ballots.groupby("category")["rater_id"].nunique()
    census = review(ballots, **SURVEY, populations=n.to_dict())
    assert (census.standard_errors == 0).all().all()
    half = review(ballots, **SURVEY, populations=(2 * n).to_dict())
    np.testing.assert_allclose(2 * half.covariance(), review(ballots, **SURVEY).covariance())
    with pytest.raises(PerfmethodError, match=r"population: found 1; allowed: at least 12"):
        review(ballots, **SURVEY, populations={"R01": 1})
    with pytest.raises(PerfmethodError, match="R01"):
        review(ballots, **SURVEY, populations={"R1": 100})


def test_same_identifier_in_two_categories_is_two_raters():
    ballots = random_ballots(100, 10)
    renamed = ballots.assign(rater_id=ballots["rater_id"].str.rsplit("-").str[-1])
    expected = review(ballots, **SURVEY).covariance()
    pd.testing.assert_frame_equal(review(renamed, **SURVEY).covariance(), expected)


def test_method_ballots_needs_no_rater_and_says_what_it_cannot_do():
    ballots = random_ballots(60, 11)
    result = review(ballots.drop(columns="rater_id"), **SURVEY, method="ballots")
    assert result.standard_errors.notna().all().all()
    assert result.design_effects()[["raters", "deff_clustering"]].isna().all().all()
    with pytest.raises(PerfmethodError, match="method='ballots'"):
        result.covariance()
    with pytest.raises(DataError, match="'rater_id'"):
        review(ballots.drop(columns="rater_id"), **SURVEY)
    with pytest.raises(DataError, match="row 4, column 'rater_id': found an empty cell"):
        review(ballots.assign(rater_id=ballots["rater_id"].mask(ballots.index == 2)), **SURVEY)
    with pytest.raises(PerfmethodError, match="did you mean 'raters'"):
        review(ballots, **SURVEY, method="rater")
