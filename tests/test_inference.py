"""What intervals of components rest on: raters as clusters by default, and it says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perfmethod.errors import PerfmethodError
from perfmethod.reduction import SurveySpec, reduce
from perfmethod.reliability import (
    ClusterMoments,
    Components,
    Inference,
    Moments,
    decision_for,
    decision_study,
    generalizability,
    robust_covariance,
    survey_decision,
    variance_components,
)

SCORES = {1: 100, 2: 75, 3: 55}


def table(raters: int, seed: int = 0) -> dict[str, Any]:
    """Ratings of eight units; one rater in eight marks all units alike."""
    rng = np.random.default_rng(seed)
    rater, unit = np.repeat(np.arange(raters), 4), rng.permuted(
        np.tile(np.arange(8), (raters, 1)), axis=1
    )[:, :4].ravel()  # fmt: skip
    noise = np.where(rater % 8 == 0, 0.0, 13.0) * rng.normal(size=4 * raters)
    y = 80 + rng.normal(0, 4, 8)[unit] + rng.normal(0, 6, raters)[rater] + noise
    return {"values": np.rint(y).astype(int), "unit": unit, "rater": rater}


def fit(raters: int, seed: int = 0) -> Components:
    return variance_components(Moments.of(**table(raters, seed)), ["unit", "rater"])


def ballots(raters: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"ballot_id": np.arange(4 * raters), "unit_id": np.tile(list("ABCD"), raters),
         "rater_id": np.repeat(np.arange(raters), 4).astype(str), "category": "R01",
         "mode": "online"}
    )  # fmt: skip
    level = rng.normal(size=raters)[frame["rater_id"].astype(int)]
    common = level + frame["unit_id"].map(dict(zip("ABCD", (-0.5, 0.0, 0.2, 0.6), strict=True)))
    for name in ("duty", "conduct"):
        frame[name] = 3 - np.digitize(common + rng.normal(size=len(frame)), [-1.0, 0.3])
    return frame


def test_default_is_robust_and_says_so() -> None:
    found = fit(80)
    basis = found.inference
    assert (basis.method, basis.by, basis.clusters, basis.reason) == ("robust", "rater", 80, "")
    np.testing.assert_array_equal(basis.covariance, robust_covariance(found))
    np.testing.assert_array_equal(found.intervals(), found.intervals(method="robust"))
    np.testing.assert_array_equal(found.standard_errors, np.sqrt(np.diag(basis.covariance)))
    frame = found.to_frame()
    assert set(frame["interval"]) == {"robust, rater as clusters (80)"}
    assert set(found.to_frame(lang="zh")["interval"]) == {"稳健, 以评议人为聚类(80个)"}
    # raters without noise: by normal theory the residual would seem far better known
    normal = found.to_frame(method="wald")
    assert set(normal["interval"]) == {"normal theory"}
    errors = frame["standard_error"] / normal["standard_error"]
    assert errors["residual"] > 1.2
    np.testing.assert_array_equal(normal["standard_error"], np.sqrt(np.diag(found.covariance)))
    ends = found.intervals(0.9)
    assert [found.interval(t, 0.9)[:2] for t in found.terms] == [tuple(e) for e in ends.tolist()]


def test_normal_theory_only_where_robust_cannot_be_had() -> None:
    few = fit(49).inference
    assert (few.method, few.reason, few.clusters) == ("wald", "few", 49)
    assert few.told() == "normal theory, for 49 of rater are too few for clusters"
    assert few.told("zh") == "正态理论(评议人只有49个, 不足以作聚类)"
    assert fit(50).inference.method == "robust"
    np.testing.assert_array_equal(few.covariance, fit(49).covariance)
    reduced = ClusterMoments.of(Moments.of(**table(80)), "rater", ["unit"])
    found = variance_components(reduced, ["unit", "rater"])
    assert (found.inference.method, found.inference.reason) == ("wald", "tables")
    assert "no ratings of single raters" in found.to_frame()["interval"].iloc[0]
    np.testing.assert_allclose(found.intervals(), fit(80).intervals(method="wald"), rtol=1e-6)


def test_a_component_near_zero_has_a_profile_interval_and_says_so() -> None:
    y = table(80)
    y["values"] = np.random.default_rng(4).integers(0, 9, 320)  # no raters' effects at all
    found = variance_components(Moments.of(**y), ["unit", "rater"])
    near = found.variances <= found.inference.covariance.diagonal() ** 0.5 / 3
    assert near.any()
    assert not near[-1]
    told = found.to_frame()["interval"]
    assert (told[near] == "profile likelihood, normal theory").all()
    assert (told[~near] == "robust, rater as clusters (80)").all()
    np.testing.assert_array_equal(found.intervals()[near], found.intervals(method="profile")[near])


def test_an_interval_where_ratings_leave_almost_no_residual() -> None:
    """Steps of the profile that would leave no residual at all are taken back."""
    rng = np.random.default_rng(3)
    rater, unit = np.repeat(np.arange(12), 3), np.tile(np.arange(3), 12)
    y = 60 * rng.normal(size=12)[rater] + np.array([0, 1, -1])[unit] + rng.normal(size=36)
    found = variance_components(
        Moments.of(np.rint(y).astype(int), unit=unit, rater=rater), ["unit", "rater"]
    )
    lower, upper = found.intervals(method="profile").T
    assert (lower <= found.variances).all()
    assert (found.variances <= upper).all()
    assert np.isfinite(upper).all()


def test_decisions_have_the_covariance_of_the_components() -> None:
    found = fit(80)
    decision = decision_for(found, {"rater": 40}, objects="unit")
    assert decision.told() == found.inference.told() == "robust, rater as clusters (80)"
    # the delta method by hand: relative error is the residual's alone
    true, error = found.variances[0], found.variances[2] / 40
    slope = np.array([1 / true, 0, -1 / found.variances[2]])
    half = 1.959963984540054 * np.sqrt(slope @ found.inference.covariance @ slope)
    ends = 1 / (1 + np.exp(-(np.log(true / error) + np.array([-half, half]))))
    np.testing.assert_allclose(decision.generalizability_interval, ends, rtol=1e-12)
    frame = decision_study(found, {"rater": [40, 80]}, objects="unit")
    assert set(frame["interval"]) == {decision.told()}
    plain = decision_for({"unit": 1.0, "residual": 2.0}, {"rater": 2}, objects="unit",
                         residual="unit:rater")  # fmt: skip
    assert plain.told() == ""
    strata = pd.DataFrame({"category": ["R01"], "mode": ["online"], "weight": [1.0],
                           "ballots": [40]})  # fmt: skip
    survey = survey_decision(found, strata, units=8)
    assert survey.inference is found.inference


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_study_names_its_intervals(lang: str) -> None:
    study = generalizability(ballots(), option_scores=SCORES)
    assert study.components.inference.method == "robust"
    decision = study.decision()
    assert set(study.study([1.0], lang=lang)["interval"]) == {decision.told(lang)}
    assert decision.told(lang).startswith(study.told(lang))
    assert decision.told("en").startswith("robust, rater as clusters (60)")
    assert (study.to_frame(lang=lang)["interval"] == study.told(lang)).sum() >= 3
    assert decision.told(lang) in study.plot("study", lang=lang).get_xlabel()
    for kind in ("components", "study"):
        assert study.told(lang) in study.plot(kind, lang=lang).get_xlabel()
    assert study.told(lang) in study.components.plot(language=lang).get_xlabel()


def test_a_study_of_tables_says_that_raters_are_gone() -> None:
    data = ballots()
    names = tuple("ABCD"), ("duty", "conduct"), ("R01",), ("online",)
    spec = SurveySpec(*names, tuple(SCORES), tuple(map(float, SCORES.values())))
    found = generalizability(reduce(data, spec))
    assert found.components.inference.reason == "tables"
    assert "no ratings of single raters" in found.told()
    assert "正态理论" in found.told("zh")


def test_refusals() -> None:
    with pytest.raises(PerfmethodError, match="method: found 'boot'"):
        fit(80).interval("unit", method="boot")
    with pytest.raises(PerfmethodError, match="lang: found 'fr'"):
        Inference("wald", np.eye(2)).told("fr")
