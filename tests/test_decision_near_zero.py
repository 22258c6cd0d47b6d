"""Intervals of reliabilities where a component is zero: an estimate of zero is not certainty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import (
    Components,
    Moments,
    decision_for,
    generalizability,
    reliability_of_means,
    variance_components,
)
from perfmethod.reliability._ratio import Known, interval_of
from perfmethod.reliability.inference import Inference

NOISE = np.random.default_rng(1).integers(1, 6, (7, 12))


def fit(table: np.ndarray) -> Components:
    unit, rater = np.indices(table.shape)
    moments = Moments.of(table.ravel(), unit=unit.ravel(), rater=rater.ravel())
    return variance_components(moments, ["unit", "rater"])


def ballots(table: np.ndarray) -> pd.DataFrame:
    unit, rater = np.indices(table.shape)
    return pd.DataFrame({
        "unit_id": [f"U{i}" for i in unit.ravel()], "rater_id": [f"r{i}" for i in rater.ravel()],
        "category": "R01", "mode": "online", "duty": table.ravel(),
    })  # fmt: skip


def test_units_without_a_difference_are_not_known_to_have_none():
    study = generalizability(ballots(NOISE), option_scores={k: k for k in range(1, 6)})
    assert study.components.variance("unit") == 0
    found = study.decision()
    low, high = found.dependability_interval
    assert (found.dependability, low) == (0, 0)
    # the profile likelihood of Phi(k) itself ends at 0.585
    other = {c.name.split()[0]: c for c in reliability_of_means(NOISE).coefficients}
    (phi,) = [c for name, c in other.items() if name.startswith("Phi")]
    assert phi.high == pytest.approx(0.585, abs=5e-4)
    assert high == pytest.approx(phi.high, abs=0.02)
    assert found.near_zero == ("unit", "rater")
    assert found.told().endswith("; near zero by profile likelihood: unit, rater")
    assert found.told("zh").endswith("; 近于零者用轮廓似然: unit, rater")
    table = study.study([1.0, 2.0])
    assert (table["upper"] > 0.5).all()
    assert (table["lower"] == 0).all()
    assert set(table["interval"]) == {found.told()}


def test_no_plan_is_assured_of_what_may_be_nothing():
    study = generalizability(ballots(NOISE), option_scores={k: k for k in range(1, 6)})
    with pytest.raises(PerfmethodError, match="target"):
        study.plan(0.3, assurance=0.9)


def test_an_error_of_raters_at_zero_widens_the_interval():
    """Raters estimated as alike may still differ, which lowers Phi but not the relative one."""
    rng = np.random.default_rng(5)
    found = fit(np.rint(60 + 8 * rng.normal(size=(30, 1)) + 10 * rng.normal(size=(30, 8))))
    assert found.boundary == ("rater",)
    decision = decision_for(found, {"rater": 8}, objects="unit")
    relative, absolute = decision.generalizability_interval, decision.dependability_interval
    assert decision.generalizability == decision.dependability
    assert absolute[0] < relative[0]
    assert absolute[1] == relative[1]  # raters cannot differ less than not at all
    # the relative error has no part of raters, and its interval is the delta method's
    true, error = found.variances[0], found.variances[2] / 8
    slope = np.array([1 / true, 0, -1 / found.variances[2]])
    half = 1.959963984540054 * np.sqrt(slope @ found.inference.covariance @ slope)
    ends = 1 / (1 + np.exp(-(np.log(true / error) + np.array([-half, half]))))
    np.testing.assert_allclose(relative, ends, rtol=1e-12)


class Fit:
    """Unit, rater and residual with ends of their own, as a fit has them."""

    def __init__(self, *near: int) -> None:
        self.near_zero = np.isin(np.arange(3), near)

    def intervals(self, level: float) -> np.ndarray:
        return np.array([[0.0, 2.0], [0.0, 3.0], [4.0, 9.0]])


SPREAD = np.array([[0.3, 0.02, 0.0], [0.02, 0.5, -0.2], [0.0, -0.2, 1.4]])
TRUE, ERROR = np.array([1.0, 0, 0]), np.array([0, 0.25, 0.25])


def test_ends_where_the_true_variance_is_zero_by_hand():
    variances = np.array([0.0, 1.1, 6.0])
    known = Known(("u", "r", "e"), variances, Inference("wald", SPREAD), Fit(0))
    low, high = interval_of(known, TRUE, ERROR, 0.95)
    error = 0.25 * (1.1 + 6.0)
    half = 1.959963984540054 * 0.25 * np.sqrt(0.5 + 1.4 - 2 * 0.2) / error
    lower = error * np.exp(-half)
    # Donner and Zou (2012): upper limit of a ratio t / e, here with t = 0
    t, e, top = 0.0, error, 2.0
    odds = (t * e + np.sqrt((t * e) ** 2 - top * lower * (2 * t - top) * (2 * e - lower))) / (
        lower * (2 * e - lower)
    )
    assert low == 0
    assert high == pytest.approx(odds / (1 + odds), rel=1e-12)


def test_ends_where_a_part_of_the_error_is_zero_by_hand():
    variances = np.array([0.8, 0.0, 6.0])
    known = Known(("u", "r", "e"), variances, Inference("wald", SPREAD), Fit(1))
    low, high = interval_of(known, TRUE, ERROR, 0.95)
    logit, half = np.log(0.8 / 1.5), 1.959963984540054 * np.sqrt(0.3 / 0.8**2 + 1.4 / 6.0**2)
    assert np.log(high / (1 - high)) == pytest.approx(logit + half, rel=1e-12)
    wider = np.hypot(half, np.log((1.5 + 0.25 * 3.0) / 1.5))
    assert np.log(low / (1 - low)) == pytest.approx(logit - wider, rel=1e-12)


def test_ends_hardly_change_as_a_component_leaves_zero():
    ends = [
        interval_of(Known(("u", "r", "e"), np.array([v, 1.1, 6.0]), Inference("wald", SPREAD),
                          Fit(0)), TRUE, ERROR, 0.95)
        for v in (0.0, 1e-9, 1e-3)
    ]  # fmt: skip
    assert [low for low, _ in ends] == [0, 0, 0]
    np.testing.assert_allclose([high for _, high in ends], ends[0][1], atol=0.05)


def test_no_error_at_all_is_not_certainty_either():
    """By symmetry: where the error is estimated as zero, the lower end is below 1."""

    class Two:
        near_zero = np.array([False, True])

        def intervals(self, level):
            return np.array([[0.5, 4.0], [0.0, 1.0]])

    covariance = np.array([[0.3, 0.0], [0.0, 0.0]])
    known = Known(("unit", "residual"), np.array([1.0, 0.0]), Inference("wald", covariance), Two())
    low, high = interval_of(known, np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.95)
    assert high == 1
    assert 0.3 < low < 0.7


@pytest.mark.parametrize("variance", [0.0, 0.02, 0.1])
def test_intervals_are_wide_where_units_hardly_differ(variance):
    rng, points, missed = np.random.default_rng(7), 0, 0
    truth = variance / (variance + 1 / 10)
    for _ in range(40):
        table = np.rint(100 * (np.sqrt(variance) * rng.normal(size=(9, 1))
                               + rng.normal(size=(9, 10))))  # fmt: skip
        found = decision_for(fit(table.astype(int)), {"rater": 10}, objects="unit")
        low, high = found.dependability_interval
        points += high - low < 0.05
        missed += high < truth
    assert points == 0
    assert missed <= 4
