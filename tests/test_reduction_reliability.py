"""Generalizability and coefficients from a reduction: those of the ballots, and their errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfmethod as pm
from perfmethod.errors import DataError, PerfmethodError
from perfmethod.reduction import Reduction, SurveySpec, reduce
from perfmethod.reliability import (
    Ratings,
    cronbach_alpha,
    fleiss_kappa,
    generalizability,
    gwet_ac,
    krippendorff_alpha,
    omega_total,
)
from tests.reduction_engines import need
from tests.small_year import write_small_year

SCORES = {1: 100.0, 2: 75.0, 3: 55.0, 9: None}
DIMENSIONS = ("duty", "conduct", "habitat")


@pytest.fixture(autouse=True)
def _narwhals() -> None:
    need()


def survey(seed: int, raters: int = 60, units: int = 6, dimensions: int = 3) -> pd.DataFrame:
    """One ballot of a rater on a unit; raters lie in two categories."""
    rng = np.random.default_rng(seed)
    rows = [(r, u) for r in range(raters)
            for u in rng.choice(units, rng.integers(1, units), replace=False)]  # fmt: skip
    rater, unit = np.array(rows).T
    latent = rng.normal(0, 6, raters)[rater] + rng.normal(0, 7, units)[unit]
    latent = latent + rng.normal(0, 5, len(rows))
    frame = {
        "rater_id": [f"p{r:03d}" for r in rater],
        "unit_id": [f"D{u}" for u in unit],
        "category": np.where(rater % 2, "R01", "R02"),
        "mode": np.where(rater % 3, "online", "paper"),
    }
    for name in DIMENSIONS[:dimensions]:
        seen = latent + rng.normal(0, 8, len(rows))
        answer = np.select([seen > 0, seen > -10], [1, 2], 3).astype(float)
        odd = rng.random(len(rows))
        frame[name] = np.where(odd < 0.05, 9, np.where(odd > 0.97, np.nan, answer))
    return pd.DataFrame(frame)


def spec(dimensions: int = 3, units: int = 6, **more: object) -> SurveySpec:
    names = tuple(f"D{u}" for u in range(units))
    return SurveySpec(
        names, DIMENSIONS[:dimensions], ("R01", "R02"), ("online", "paper"), (1, 2, 3, 9),
        (100, 75, 55, np.nan), **more,
    )  # fmt: skip


def alike(a: pm.reliability.GStudy, b: pm.reliability.GStudy, rtol: float = 1e-5) -> None:
    assert a.components.terms == b.components.terms
    assert a.components.criterion == pytest.approx(b.components.criterion, abs=1e-7)
    np.testing.assert_allclose(a.components.variances, b.components.variances, rtol=rtol, atol=1e-6)
    pd.testing.assert_frame_equal(a.strata, b.strata, rtol=1e-13)
    assert (a.units, a.unit_class) == (b.units, b.unit_class)
    assert a.units_per_person == pytest.approx(b.units_per_person, rel=1e-13)
    assert a.dimensions == pytest.approx(b.dimensions, rel=1e-13)
    x, y = a.decision(), b.decision()
    assert x.dependability == pytest.approx(y.dependability, abs=1e-6)


@pytest.mark.parametrize(
    ("dimensions", "random"),
    [(3, None), (1, None), (3, ["unit", "rater"]), (3, ["unit", "unit:dimension", "unit:rater"])],
)
def test_a_study_of_a_reduction_is_that_of_the_ballots(
    dimensions: int, random: list[str] | None
) -> None:
    frame = survey(1, dimensions=dimensions)
    whole = generalizability(
        frame, option_scores=SCORES, dimensions=DIMENSIONS[:dimensions], random=random
    )
    home = frame["rater_id"].str[-1].isin(list("0123"))
    parts = [reduce(frame[chosen], spec(dimensions)) for chosen in (home, ~home)]
    found = generalizability(parts[1] + parts[0], random=random)
    alike(whole, found)
    assert found.meta["reduction"] == (parts[0] + parts[1]).digest


def test_weights_may_be_others() -> None:
    frame, weights = survey(2), {"R01": 3.0, "R02": 1.0}
    whole = generalizability(
        frame, option_scores=SCORES, dimensions=DIMENSIONS, category_weights=weights
    )
    alike(whole, generalizability(reduce(frame, spec()), category_weights=weights))
    alike(whole, generalizability(reduce(frame, spec(category_weights=[[3, 1]]))))


def test_a_reduction_of_a_year_is_that_year() -> None:
    year = pm.Year.load(Path(__file__).resolve().parents[1] / "data" / "2009")
    assert year.ballots is not None
    found = reduce(year.ballots, year.scheme, units=year.units)
    evaluation = pm.evaluate(year)
    review = evaluation.review
    pd.testing.assert_frame_equal(found.review().scores, review.scores, check_exact=True)
    np.testing.assert_allclose(
        found.review().covariance(), review.covariance(), rtol=1e-9, atol=1e-12
    )
    one = ["duty"]
    a = generalizability(year, dimensions=one)
    b = generalizability(reduce(year.ballots, year.scheme, units=year.units, dimensions=one))
    alike(a, b)


def test_a_small_year_with_classes(tmp_path: Path) -> None:
    year = pm.Year.load(write_small_year(tmp_path / "small"))
    found = reduce(year.ballots, year.scheme, units=year.units)
    review = pm.evaluate(year).review
    pd.testing.assert_frame_equal(found.review().scores, review.scores, check_exact=True)
    pd.testing.assert_frame_equal(
        found.review().standard_errors, review.standard_errors, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"dimensions": ["duty"]}, "dimensions: found duty; allowed: those reduced"),
        ({"option_scores": {1: 100, 2: 80, 3: 55}}, "option_scores: found"),
        ({"unit_class": "county"}, "unit_class: found 'county'"),
        ({"random": ["unit", "rater:dimension"]}, "raters in 'rater' and 'unit:rater' only"),
        ({"random": ["unit"]}, "with 'rater'"),
        ({"method": "EM"}, "method: found 'EM'"),
        ({"random": ["unit", "unit:rater", "rater"], "fixed": ["unit"]}, "random and as fixed"),
    ],
)
def test_what_the_tables_cannot_answer_is_refused(given: dict, told: str) -> None:
    with pytest.raises(PerfmethodError, match=told):
        generalizability(reduce(survey(3), spec()), **given)


# --- coefficients


def both(seed: int) -> tuple[Ratings, Reduction]:
    frame = survey(seed)
    scores = SCORES
    return Ratings.from_ballots(frame, DIMENSIONS, scores=scores), reduce(frame, spec())


@pytest.mark.parametrize("seed", [4, 5])
def test_coefficients_are_those_of_the_ratings(seed: int) -> None:
    ratings, found = both(seed)
    for metric in ("nominal", "ordinal", "interval", "ratio"):
        a = krippendorff_alpha(ratings, metric, item="conduct", draws=0)
        b = krippendorff_alpha(found, metric, item="conduct", draws=0)
        assert a.value == pytest.approx(b.value, abs=1e-12)
        assert (a.n, a.k, a.notes) == (b.n, b.k, b.notes)
        assert a.details == pytest.approx(b.details)
    for of in (gwet_ac, fleiss_kappa):
        for weights in ("identity", "ordinal"):
            a = of(ratings, weights, item="conduct", over="units")
            b = of(found, weights, item="conduct", over="units")
            assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=1e-12)
    for kind in ("raw", "standardized"):
        for missing in ("listwise", "pairwise"):
            a = cronbach_alpha(ratings, kind=kind, missing=missing, draws=0)
            b = cronbach_alpha(found, kind=kind, missing=missing, draws=0)
            assert a.value == pytest.approx(b.value, abs=1e-12)
            assert (a.n, a.k) == (b.n, b.k)
    items = ["habitat", "duty"]
    a = cronbach_alpha(ratings.values[:, [2, 0]], draws=0)
    assert cronbach_alpha(found, items=items).value == pytest.approx(a.value, abs=1e-12)


def test_units_are_drawn_alike() -> None:
    frame = survey(6).sort_values("unit_id")  # the order in which units are numbered
    ratings = Ratings.from_ballots(frame, DIMENSIONS, scores=SCORES)
    found = reduce(frame, spec())
    a, b = (krippendorff_alpha(x, item="duty", over="units", draws=50) for x in (ratings, found))
    assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=1e-12)


def test_errors_are_those_of_leaving_groups_out() -> None:
    """The jackknife, slowly: the coefficient of the ballots without each group of raters."""
    from scipy import stats

    from perfmethod.reduction.groups import group_of

    frame = survey(7, raters=200)
    found = reduce(frame, spec(), groups=20)
    group = group_of(frame["rater_id"], 20)
    scores = SCORES

    def slow(of, **more) -> tuple[float, float]:
        left = [
            of(Ratings.from_ballots(frame[group != g], DIMENSIONS, scores=scores), **more)
            for g in np.unique(group)
        ]
        values = np.array([c.value for c in left])
        n = len(values)
        error = np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum())
        return float(error), float(stats.t.ppf(0.975, n - 1) * error)

    for of, more in (
        (krippendorff_alpha, {"item": "duty", "metric": "ordinal"}),
        (gwet_ac, {"item": "duty", "categories": [55, 75, 100]}),
        (cronbach_alpha, {}),
    ):
        error, reach = slow(of, draws=0, **more)
        quick = of(found, **more)
        assert quick.standard_error == pytest.approx(error, rel=1e-9)
        assert quick.value - quick.low == pytest.approx(reach, rel=1e-9)
        assert f"20 random groups of {200 if of is cronbach_alpha else 198} raters" in quick.method


def test_krippendorffs_published_table() -> None:
    """Krippendorff (2011), four observers, twelve units: his values, from counts of values."""
    nan = np.nan
    table = np.array([
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ])  # fmt: skip
    rater, unit = np.nonzero(~np.isnan(table))
    frame = pd.DataFrame({
        "rater_id": [f"o{r}" for r in rater], "unit_id": [f"u{u:02d}" for u in unit],
        "category": "all", "mode": "paper", "value": table[rater, unit].astype(int),
    })  # fmt: skip
    scale = (1, 2, 3, 4, 5)
    units = tuple(f"u{u:02d}" for u in range(12))
    found = reduce(frame, SurveySpec(units, ("value",), ("all",), ("paper",), scale, scale))
    published = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}
    for metric, value in published.items():
        assert krippendorff_alpha(found, metric, draws=0).value == pytest.approx(value, abs=5e-4)


def test_a_rater_with_two_ballots_on_a_unit_is_refused() -> None:
    frame = survey(8)
    found = reduce(pd.concat([frame, frame.iloc[:2]]), spec())
    with pytest.raises(DataError, match="2 ballots of a rater on a unit that it has rated"):
        krippendorff_alpha(found, item="duty")


def test_what_needs_raters_or_answers_says_so() -> None:
    _, found = both(9)
    with pytest.raises(DataError, match="krippendorff_alpha, gwet_ac, fleiss_kappa and cronbach"):
        pm.reliability.intraclass_correlations(found)
    with pytest.raises(DataError, match="cronbach_alpha takes a reduction"):
        omega_total(found)
    with pytest.raises(DataError, match="3 items"):
        gwet_ac(found)
    for more, told in (
        ({"item": "dutty"}, "did you mean 'duty'"),
        ({"item": "duty", "over": "both"}, "over='both'"),
    ):
        with pytest.raises(ValueError, match=told):
            krippendorff_alpha(found, **more)
    for more, told in (
        ({"kind": "ordinal"}, "kind='ordinal'"),
        ({"interval": "feldt"}, "feldt"),
        ({"items": ["duty", "x"]}, "found item 'x'"),
    ):
        with pytest.raises(ValueError, match=told):
            cronbach_alpha(found, **more)
