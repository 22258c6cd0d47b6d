"""Tables so small that terms explain every rating: intervals, refusals and no word of a solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import Moments, variance_components
from perfmethod.reliability.allocation import allocate
from perfmethod.severity import severity
from tests.severity_surveys import linear_survey

VANISHING = ([-8, 45, 38, -13, 1, 10, 9], [1, 2, 2, 3, 4, 5, 5], [0, 0, 1, 1, 1, 1, 2])
EXPLAINED = (
    [-10, -40, 29, -11, -16, 19, 4, 1], [0, 1, 2, 3, 3, 4, 5, 5], [1, 2, 2, 0, 2, 2, 0, 1],
)  # fmt: skip


def criterion(ratings, rater, unit, variances) -> float:
    """Restricted criterion of dense matrices, also without a residual."""
    y, n = np.array(ratings, float), len(ratings)
    covariance = variances[2] * np.eye(n)
    for variance, labels in zip(variances, (np.array(rater), np.array(unit)), strict=False):
        covariance = covariance + variance * (labels[:, None] == labels)
    inverse, ones = np.linalg.inv(covariance), np.ones(n)
    total = ones @ inverse @ ones
    square = y @ inverse @ y - (ones @ inverse @ y) ** 2 / total
    return float(np.linalg.slogdet(covariance)[1] + np.log(total) + square)


def lowest(data, unit: float | None) -> float:
    """Minimum over all components, or over the others at one of the units."""
    found = []
    for start in ((6.0, 2.0, 2.0), (6.0, 0.0, -12.0), (2.0, 6.0, -12.0)):
        given = np.array(start if unit is None else (start[0], start[2]))

        def at(logs):
            parts = np.exp(logs)
            return criterion(*data, parts if unit is None else (parts[0], unit, parts[1]))

        options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 9_000}
        found.append(minimize(at, given, method="Nelder-Mead", options=options,
                              bounds=[(-18, 14)] * len(given)).fun)  # fmt: skip
    return min(found)


def test_an_interval_goes_on_where_the_residual_vanishes() -> None:
    ratings, rater, unit = VANISHING
    fit = variance_components(Moments.of(ratings, rater=rater, unit=unit), ["rater", "unit"])
    low, high, _ = fit.interval("unit", 0.95)
    best = lowest(VANISHING, None)
    end = brentq(
        lambda log: lowest(VANISHING, float(np.exp(log))) - best - 3.841458820694124, 4, 7,
        xtol=1e-8,
    )  # fmt: skip
    assert low == 0
    assert high == pytest.approx(np.exp(end), rel=1e-5)


def test_the_interval_of_a_residual_that_may_be_nothing_begins_at_zero() -> None:
    ratings, rater, unit = VANISHING
    fit = variance_components(Moments.of(ratings, rater=rater, unit=unit), ["rater", "unit"])
    low, high, _ = fit.interval("residual", 0.95, "profile")
    assert low == 0
    assert fit.variance("residual") < high < np.inf


def test_a_minimum_without_a_residual_is_refused() -> None:
    ratings, rater, unit = EXPLAINED
    small, none = (criterion(*EXPLAINED, (625.9, 6.3333, s)) for s in (1e-2, 1e-7))
    assert none < small  # the likelihood rises all the way to no residual
    with pytest.raises(PerfmethodError, match="residual: found no variance left"):
        variance_components(Moments.of(ratings, rater=rater, unit=unit), ["rater", "unit"])


@pytest.mark.parametrize("shape", [
    {"seed": 1, "units": 4, "categories": 2, "raters": 12, "dimensions": 1},
    {"seed": 893, "units": 4, "categories": 3, "raters": 15, "dimensions": 1},
])  # fmt: skip
def test_severity_of_few_raters_says_nothing_to_the_console(shape) -> None:
    planted = linear_survey(**shape)
    found = severity(planted.ballots, option_scores=planted.option_scores, min_cell=1)
    shown = found.categories[["severity", "lower", "upper"]].to_numpy(float)
    assert np.isfinite(shown).all()
    assert found.rater_lower <= found.rater_sd <= found.rater_upper < np.inf


def test_the_solver_of_a_plan_prints_nothing(capfd) -> None:
    weights = np.array([83783, 230187, 591716, 98327, 207625, 591716, 95541, 211723, 56990, 281434,
                        591716, 591716, 381370, 23007, 591716, 591716, 591716, 591716])  # fmt: skip
    squares, one = weights / 1e8, np.ones(18)
    limits = np.ones(18, int), np.full(18, 100_000)
    for bound in np.geomspace(5e-5, 2e-3, 60):
        ballots, _ = allocate(squares, one, float(bound), *limits)
        assert (squares / ballots).sum() <= bound * (1 + 1e-8)
    assert capfd.readouterr() == ("", "")
