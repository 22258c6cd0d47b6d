"""Severity on the bundled year: planted severities are recovered, raw scores are the review's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.severity import Severity, severity

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def year_severity() -> Severity:
    return severity(pm.Year.load(ROOT / "data" / "2009"))


def expected_score(latent: np.ndarray) -> np.ndarray:
    """Points of an answer whose latent mean this is, by the generator's model (unit variance)."""
    from scipy.special import ndtr

    satisfied, at_least = ndtr(latent), ndtr(latent + 1.175)
    return 55 + 20 * at_least + 25 * satisfied


def test_planted_severities_of_the_year_are_recovered(year_severity: Severity) -> None:
    truth = ROOT / "data" / "truth" / "2009"
    planted = pd.read_csv(truth / "categories.csv", index_col="category")["severity"]
    units = pd.read_csv(truth / "units.csv", index_col="unit_id")
    found = year_severity.categories
    latent = 0.2 * units["perception"].to_numpy()[:, None]
    latent = latent - planted[found.index].to_numpy() / 14
    points = expected_score(latent)  # (u, c)
    true = points.mean() - points.mean(axis=0)
    z = (found["severity"] - true) / found["standard_error"]
    assert np.abs(z).max() < 3.2  # of thirteen
    assert 3 < (z**2).sum() < 30  # chi-square, 12 degrees of freedom: 0.5 % on each side
    # unit scores: stuffed units are not what their raters see
    honest = (units["stuffed"] == "no").to_numpy()
    score = points[:, [str(c).startswith("R") for c in found.index]].mean(axis=1)
    error = (year_severity.units["adjusted"] - score).to_numpy() / year_severity.units[
        "standard_error"
    ].to_numpy()
    assert np.corrcoef(score[honest], year_severity.units["adjusted"][honest])[0, 1] > 0.97
    assert np.abs(error[honest]).max() < 4.5
    assert year_severity.rater_lower < year_severity.rater_sd < year_severity.rater_upper
    assert year_severity.converged


def test_raw_scores_of_the_year_are_those_of_the_review(year_severity: Severity) -> None:
    survey = year_severity._survey
    assert survey is not None
    assert survey.year is not None
    review = pm.evaluate(survey.year).review
    raw = review.scores.stack().rename_axis(["unit_id", "dimension"])
    np.testing.assert_array_equal(
        year_severity.dimensions["raw"], raw[year_severity.dimensions.index]
    )
    assert repr(year_severity).startswith("<Severity of 13 categories on 49 units: R09")
    with pytest.raises(TypeError):
        year_severity.meta["method"] = "ML"
