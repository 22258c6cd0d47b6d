"""Tables so small that terms explain every rating: intervals, refusals and no word of a solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from perfmethod.errors import PerfmethodError
from perfmethod.reliability import Moments, reml, variance_components
from perfmethod.reliability.allocation import allocate
from perfmethod.reliability.joint import joint_effects
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


def crossed(units: int = 12) -> tuple[Moments, list[str]]:
    """Two answers on each ballot of raters who lie in one of two categories."""
    rng = np.random.default_rng(2)
    unit, rater = np.repeat(np.arange(units), 6), np.tile(np.arange(18), units // 3)
    facets = {"unit": unit, "rater": rater, "category": rater % 2}
    level = 9 * rng.standard_normal(18)[rater]
    level += 9 * rng.standard_normal((units, 2))[unit, rater % 2]
    n = len(unit)
    scores = np.rint(level + 9 * rng.standard_normal((2, n)) + 9 * rng.standard_normal(n))
    table = Moments.of(scores.ravel(), {name: np.tile(x, 2) for name, x in facets.items()})
    return table, ["unit:category", "rater", "unit:rater"]


def test_raters_are_eliminated_rather_than_units_within_categories(monkeypatch) -> None:
    """More units within categories than raters: these fall into blocks, raters would not."""
    table, terms = crossed()
    plain = variance_components(table, terms, ["category"])
    monkeypatch.setattr(reml, "_LARGE", 5)
    fit = variance_components(table, terms, ["category"])
    assert plain._model.terms[0] == "unit:rater"
    assert plain._model.elimination.count == 1
    assert fit._model.terms[:2] == ("rater", "unit:rater")
    assert fit._model.criterion.layout.frame.blocks.size > 0
    np.testing.assert_allclose(fit.variances, plain.variances, rtol=1e-6)
    assert fit.criterion == pytest.approx(plain.criterion, rel=1e-10)
    here, there = (joint_effects(x, ["unit:category"]) for x in (fit, plain))
    assert "rater" not in here.terms
    own, its = (np.eye(len(x.estimates))[x.columns("unit:category")[1]] for x in (here, there))
    np.testing.assert_allclose(own @ here.estimates, its @ there.estimates, atol=1e-5)
    for a, b in zip((here.combined(own)[1], here.slopes(own)),
                    (there.combined(its)[1], there.slopes(its)), strict=True):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("ratings", "raters", "units"),
    [
        # the likelihood is not curved enough for a standard error, at its minimum or where it stops
        ([-21, 36, -17, 4, -21], [0, 1, 2, 2, 3], [0, 2, 0, 1, 2]),
        ([-21, 13, -23, 2, -22], [0, 2, 4, 5, 5], [1, 0, 1, 2, 1]),
        # a residual that is hardly any
        ([11, -16, -27, 17, -20], [1, 3, 3, 4, 5], [0, 0, 1, 0, 1]),
    ],
)
def test_intervals_of_tiny_tables_hold_the_estimate_or_are_refused(ratings, raters, units) -> None:
    fit = variance_components(Moments.of(ratings, rater=raters, unit=units), ["rater", "unit"])
    for method in (None, "wald", "profile"):
        for term, value in zip(fit.terms, fit.variances, strict=True):
            try:
                lower, upper, _ = fit.interval(term, 0.95, method)
            except PerfmethodError as error:
                assert "profile" in str(error)  # noqa: PT017 - most are found
                continue
            assert lower <= value <= upper
    errors = fit.standard_errors
    assert (np.isnan(errors) | (errors >= 0)).all()
